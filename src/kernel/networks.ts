import { aBoolean, checkEach } from '../checks.ts'
import { InvalidArgumentError, VirbrError } from '../errors.ts'
import type { NetworkConfig } from '../network/config.ts'
import type { Network, NetworkEvent, NetworkFilter, Networks, NetworkWatch, WatchOptions } from '../network/connection.ts'
import type { EventQueue } from '../events.ts'
import { normalizeNetworkConfig } from '../network/normalize.ts'
import { validateNetwork } from '../network/validate.ts'
import { formatNetworkXml, parseNetworkXml } from '../network/xml.ts'
import { checkNetworks } from './collisions.ts'
import { completeConfig } from './complete.ts'
import type { CompleteConfig } from './complete.ts'
import { linkNamesStep, linksOf, loadFacts } from './facts.ts'
import { KernelNetwork } from './network.ts'
import { leftoverReads, repairLeftovers } from './repair.ts'
import { startNetwork } from './start.ts'
import type { State } from './state.ts'
import { loadNetworks, noNetwork, readNetwork, saveConfig, storedNetwork } from './store.ts'
import type { StoredNetwork } from './store.ts'
import { checkSupported } from './supported.ts'
import { eventSteps, watchNetworks } from './watch.ts'

const uuidForm = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

export class KernelNetworks implements Networks {
  readonly #state: State
  readonly #watches = new Set<EventQueue<NetworkEvent>>()

  constructor(state: State) {
    this.#state = state
  }

  async list(filter: NetworkFilter = {}): Promise<Network[]> {
    checkEach('filter', filter, { active: aBoolean, persistent: aBoolean, autostart: aBoolean })
    const { active, persistent, autostart } = filter
    const matches = (wanted: boolean | undefined, is: boolean): boolean => wanted === undefined || wanted === is
    return (await loadNetworks(this.#state))
      .filter(network => matches(active, network.active !== undefined) &&
        matches(persistent, network.persistent !== undefined) && matches(autostart, network.autostart))
      .map(network => this.#handle(network))
  }

  async get(nameOrUuid: string): Promise<Network> {
    checkName(nameOrUuid)
    const state = this.#state
    const byName = storedNetwork(state, nameOrUuid, await state.run(readNetwork(state, nameOrUuid)))
    if (byName !== undefined) return this.#handle(byName)
    if (uuidForm.test(nameOrUuid)) {
      const wanted = plainUuid(nameOrUuid)
      const byUuid = (await loadNetworks(state)).find(({ uuid }) => plainUuid(uuid) === wanted)
      if (byUuid !== undefined) return this.#handle(byUuid)
    }
    throw noNetwork(nameOrUuid)
  }

  async define(xmlOrConfig: string | NetworkConfig): Promise<Network> {
    const wanted = readConfig(xmlOrConfig)
    const state = this.#state
    return state.locked([linkNamesStep()], async ([links]) => {
      const config = await this.#complete(wanted, links)
      await state.run([...saveConfig(state, config.name, formatNetworkXml(config)), ...eventSteps(state, 'defined', config)])
      return new KernelNetwork(state, { name: config.name, uuid: config.uuid, bridge: config.bridge.name })
    })
  }

  async create(xmlOrConfig: string | NetworkConfig): Promise<Network> {
    const wanted = readConfig(xmlOrConfig)
    const state = this.#state
    return state.locked([linkNamesStep()], async ([links]) => {
      const config = await this.#complete(wanted, links, { create: true })
      await repairLeftovers(state, config.name, await state.run(leftoverReads(state, config.name)))
      await startNetwork(state, config, await loadFacts(state, config.bridge.name))
      return new KernelNetwork(state, { name: config.name, uuid: config.uuid, bridge: config.bridge.name })
    })
  }

  async autostart(): Promise<Network[]> {
    const started: Network[] = []
    for (const network of await this.list({ active: false, autostart: true })) {
      await network.start()
      started.push(network)
    }
    return started
  }

  watch(options: WatchOptions = {}): NetworkWatch {
    return watchNetworks(this.#state, options, this.#watches)
  }

  /** The connection is being closed. */
  endWatches(): void {
    for (const queue of this.#watches) void queue.close()
  }

  /** Checks a configuration against the other networks and fills in what it leaves open. Under the lock. */
  async #complete(wanted: NetworkConfig, links: Uint8Array, { create = false } = {}): Promise<CompleteConfig> {
    const networks = await loadNetworks(this.#state)
    const same = networks.find(({ name }) => name === wanted.name)
    if (create && same !== undefined) {
      throw new VirbrError('ERR_NETWORK_EXISTS', `network ${wanted.name} already exists with uuid ${same.uuid}`)
    }
    checkNetworks(wanted, networks, xml => this.#state.parse(xml))
    const redefined = same?.persistent?.config
    const taken = new Set([
      ...linksOf(linkNamesStep(), links).map(({ name }) => name),
      ...networks.flatMap(({ persistent, active }) => [persistent?.config.bridge?.name ?? '', active?.bridge.name ?? '']),
    ])
    // A configuration that is replaced hands down what the new one leaves open.
    const config = completeConfig({
      ...wanted,
      ...(wanted.mac === undefined && redefined?.mac !== undefined ? { mac: redefined.mac } : {}),
      ...(wanted.bridge?.name === undefined && redefined?.bridge?.name !== undefined
        ? { bridge: { ...wanted.bridge, name: redefined.bridge.name } } : {}),
    }, taken)
    checkNetworks(config, networks.filter(other => other !== same), xml => this.#state.parse(xml))
    return config
  }

  #handle({ name, uuid, persistent, active }: StoredNetwork): Network {
    return new KernelNetwork(this.#state, { name, uuid, bridge: active?.bridge.name ?? persistent?.config.bridge?.name ?? '' })
  }
}

/** Everything that can be said of a configuration without looking at the host. */
function readConfig(xmlOrConfig: string | NetworkConfig): NetworkConfig {
  const config = typeof xmlOrConfig === 'string' ? parseNetworkXml(xmlOrConfig, { unknown: 'refuse' }) : normalizeNetworkConfig(xmlOrConfig, true)
  validateNetwork(config)
  checkSupported(config)
  return config
}

function checkName(nameOrUuid: unknown): void {
  if (typeof nameOrUuid !== 'string' || nameOrUuid === '' || /[/\0]/.test(nameOrUuid) || nameOrUuid === '.' || nameOrUuid === '..') {
    throw new InvalidArgumentError('nameOrUuid', nameOrUuid, 'the name or UUID of a network')
  }
}

function plainUuid(uuid: string): string {
  return uuid.replaceAll('-', '').toLowerCase()
}
