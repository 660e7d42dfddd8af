import { join } from 'node:path'
import { aBoolean, aString, check, checkEach } from '../checks.ts'
import { VirbrError } from '../errors.ts'
import { isFailure } from '../host/channel.ts'
import type { NetworkConfig } from '../network/config.ts'
import type { Lease, Network, NetworkInfo, NetworkUpdate, Port, PortSpec } from '../network/connection.ts'
import { checkUpdate, readUpdate } from '../network/section.ts'
import { ipSubnet } from '../network/subnets.ts'
import { UpdatableNetwork } from '../network/updates.ts'
import { attachPorts, detachPorts, listPorts } from '../ports/ports.ts'
import type { PortTarget } from '../ports/ports.ts'
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
import { noteRead, settleUpdate, updateNetwork } from './update.ts'
import { eventSteps } from './watch.ts'

/** A network by name: each call looks at what is there now, whichever process put it there. */
export class KernelNetwork extends UpdatableNetwork implements Network {
  readonly name: string
  readonly uuid: string
  readonly #state: State
  /** The bridge's name when it was last looked at. */
  #bridge: string

  constructor(state: State, { name, uuid, bridge }: { name: string, uuid: string, bridge: string }) {
    super()
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
      const repaired = await repairLeftovers(state, this.name, results.slice(3, 6))
      const now = repaired || config.bridge.name !== bridge
        ? await loadFacts(state, config.bridge.name) : readFacts(facts, results.slice(6))
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
      await state.run([...removeConfig(state, this.name), ...eventSteps(state, 'undefined', this)])
    })
  }

  async setAutostart(on: boolean): Promise<void> {
    check('on', on, aBoolean)
    const state = this.#state
    const path = join(state.paths.autostart, `${this.name}.xml`)
    await state.locked(readNetwork(state, this.name), async results => {
      const { autostart } = this.#persistent(this.#same(storedNetwork(state, this.name, results)), 'mark for autostart')
      if (autostart === on) return
      await state.run([on ? { op: 'writeFile', path, data: '', mode: 0o644, sync: true } : { op: 'unlink', path }])
    })
  }

  async xml(options: { inactive?: boolean } = {}): Promise<string> {
    checkEach('options', options, { inactive: aBoolean })
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
    checkEach('filter', filter, { mac: aString })
    const { mac } = filter
    const { active } = await this.#load()
    if (active === undefined) throw new VirbrError('ERR_NETWORK_INACTIVE', `network ${this.name} is not active`)
    const path = dnsmasqFiles(this.#state.paths, this.name).leases
    const [file] = await this.#state.run([{ op: 'readFile', path, mayFail: true }])
    const subnets = (this.#state.parse(active.xml).ip ?? []).map(ip => ipSubnet(ip))
    const leases = parseLeases(textOf(file, path) ?? '', active.bridge.name, subnets, Date.now() / 1000)
    return mac === undefined ? leases : leases.filter(lease => lease.mac === mac.toLowerCase())
  }

  async update(change: NetworkUpdate): Promise<void> {
    const wanted = checkUpdate(change)
    const update = readUpdate(wanted)
    const state = this.#state
    await state.locked([noteRead(state, this.name), ...readNetwork(state, this.name)], async ([note, ...files]) => {
      if (!isFailure(note)) await settleUpdate(state, this.name)
      const now = isFailure(note) ? files : await state.run(readNetwork(state, this.name))
      await updateNetwork(state, this.#same(storedNetwork(state, this.name, now)), wanted, update)
    })
  }

  async attach(port: PortSpec = {}): Promise<Port> {
    const [made] = await attachPorts(this.#portTarget(await this.#load()), [port], { alone: true })
    return made as Port
  }

  async attachMany(ports: readonly PortSpec[]): Promise<Port[]> {
    return attachPorts(this.#portTarget(await this.#load()), ports)
  }

  async detachMany(ifnames: readonly string[]): Promise<void> {
    // Also of a network that does not run: its ports are still there, in no bridge.
    await detachPorts(this.#portTarget(await this.#load(), { inactive: true }), ifnames)
  }

  async ports(): Promise<Port[]> {
    const stored = await this.#load()
    return stored.active === undefined ? [] : listPorts(this.#portTarget(stored))
  }

  #portTarget({ persistent, active }: StoredNetwork, { inactive = false } = {}): PortTarget {
    if (active === undefined && !inactive) throw new VirbrError('ERR_NETWORK_INACTIVE', `network ${this.name} is not active`)
    const config = active === undefined ? persistent?.config : this.#state.parse(active.xml)
    return {
      channel: this.#state.channel,
      network: {
        name: this.name,
        uuid: this.uuid,
        bridge: active?.bridge.name,
        config: config ?? { name: this.name },
        update: change => this.update(change),
      },
    }
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
