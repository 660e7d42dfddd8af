import { join } from 'node:path'
import { VirbrError } from '../errors.ts'
import type { NetworkConfig } from '../network/config.ts'
import type { Lease, Network, NetworkInfo } from '../network/connection.ts'
import { ipSubnet } from '../network/subnets.ts'
import { checkOptions, checkType } from './arguments.ts'
import type { CompleteConfig } from './complete.ts'
import { dnsmasqFiles, parseLeases } from './dnsmasq.ts'
import { factSteps, loadFacts, readFacts } from './facts.ts'
import { leftoverReads, repairLeftovers } from './repair.ts'
import { startNetwork } from './start.ts'
import { textOf } from './state.ts'
import type { State } from './state.ts'
import { loadNetwork, noNetwork, readNetwork, removeConfig, storedNetwork } from './store.ts'
import type { StoredNetwork } from './store.ts'
import { takeDown, takeDownReads } from './teardown.ts'

/** A network by name: each call looks at what is there now, whichever process put it there. */
export class KernelNetwork implements Network {
  readonly name: string
  readonly uuid: string
  readonly #state: State
  /** The bridge's name when it was last looked at. */
  #bridge: string

  constructor(state: State, { name, uuid, bridge }: { name: string, uuid: string, bridge: string }) {
    this.#state = state
    this.name = name
    this.uuid = uuid
    this.#bridge = bridge
  }

  async info(): Promise<NetworkInfo> {
    const { persistent, active, autostart } = await this.#load()
    return {
      active: active !== undefined,
      persistent: persistent !== undefined,
      autostart,
      bridge: active?.bridge.name ?? persistent?.config.bridge?.name ?? '',
    }
  }

  async start(): Promise<void> {
    const state = this.#state
    // Everything in one visit to the Host's thread, for the bridge that the network had last.
    const bridge = this.#bridge
    const facts = factSteps(bridge)
    const leftovers = leftoverReads(state, this.name)
    await state.locked([...readNetwork(state, this.name), ...leftovers, ...facts], async results => {
      const config = this.#inactive(this.#same(storedNetwork(state, this.name, results.slice(0, 3))))
      this.#bridge = config.bridge.name
      const repaired = await repairLeftovers(state, this.name, results.slice(3, 5))
      const now = repaired || config.bridge.name !== bridge
        ? await loadFacts(state, config.bridge.name) : readFacts(facts, results.slice(5))
      await startNetwork(state, config, now)
    })
  }

  async destroy(): Promise<void> {
    const state = this.#state
    await state.locked([...readNetwork(state, this.name), ...takeDownReads(state, this.name)], async results => {
      const { active } = this.#same(storedNetwork(state, this.name, results.slice(0, 3)))
      if (active === undefined) throw new VirbrError('ERR_NETWORK_INACTIVE', `network ${this.name} is not active`)
      await takeDown(state, active, 'active', results.slice(3))
    })
  }

  async undefine(): Promise<void> {
    const state = this.#state
    await state.locked(readNetwork(state, this.name), async results => {
      this.#persistent(this.#same(storedNetwork(state, this.name, results)), 'undefine')
      await state.run(removeConfig(state, this.name))
    })
  }

  async setAutostart(on: boolean): Promise<void> {
    checkType('on', on, 'boolean')
    const state = this.#state
    const path = join(state.paths.autostart, `${this.name}.xml`)
    await state.locked(readNetwork(state, this.name), async results => {
      const { autostart } = this.#persistent(this.#same(storedNetwork(state, this.name, results)), 'mark for autostart')
      if (autostart === on) return
      await state.run([on ? { op: 'writeFile', path, data: '', mode: 0o644, sync: true } : { op: 'unlink', path }])
    })
  }

  async xml(options: { inactive?: boolean } = {}): Promise<string> {
    checkOptions('options', options, { inactive: 'boolean' })
    const { inactive = false } = options
    const { persistent, active } = await this.#load()
    if (active !== undefined && !inactive) return active.xml
    if (persistent !== undefined) return persistent.xml
    throw transient(this.name, 'show the persistent configuration of')
  }

  async config(options: { inactive?: boolean } = {}): Promise<NetworkConfig> {
    return structuredClone(this.#state.parse(await this.xml(options)))
  }

  async leases(filter: { mac?: string } = {}): Promise<Lease[]> {
    checkOptions('filter', filter, { mac: 'string' })
    const { mac } = filter
    const { active } = await this.#load()
    if (active === undefined) throw new VirbrError('ERR_NETWORK_INACTIVE', `network ${this.name} is not active`)
    const path = dnsmasqFiles(this.#state.paths, this.name).leases
    const [file] = await this.#state.run([{ op: 'readFile', path, mayFail: true }])
    const subnets = (this.#state.parse(active.xml).ip ?? []).map(ip => ipSubnet(ip))
    const leases = parseLeases(textOf(file, path) ?? '', active.bridge.name, subnets, Date.now() / 1000)
    return mac === undefined ? leases : leases.filter(lease => lease.mac === mac.toLowerCase())
  }

  async #load(): Promise<StoredNetwork> {
    return this.#same(await loadNetwork(this.#state, this.name))
  }

  /** Refuses another network that meanwhile has the name. */
  #same(stored: StoredNetwork | undefined): StoredNetwork {
    if (stored === undefined || stored.uuid !== this.uuid) throw noNetwork(this.name)
    return stored
  }

  #inactive(stored: StoredNetwork): CompleteConfig {
    if (stored.active !== undefined) throw new VirbrError('ERR_NETWORK_ACTIVE', `network ${this.name} is already active`)
    return this.#persistent(stored, 'start').persistent?.config as CompleteConfig
  }

  #persistent(stored: StoredNetwork, what: string): StoredNetwork {
    if (stored.persistent === undefined) throw transient(this.name, what)
    return stored
  }
}


function transient(name: string, what: string): VirbrError {
  return new VirbrError('ERR_NETWORK_TRANSIENT', `cannot ${what} network ${name}: it is transient`)
}
