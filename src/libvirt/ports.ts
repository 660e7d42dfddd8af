/** Ports of a libvirt network: what libvirt keeps of each guest's interface in it. Source: virNetworkPort. */
import { randomUUID } from 'node:crypto'
import type { ConnectionHandle, NetworkHandle, NetworkPortHandle } from '../../binding/index.ts'
import { aBoolean, anObject, aText, check, checkEach } from '../checks.ts'
import type { Check } from '../checks.ts'
import { bandwidthOf, bandwidthParameters, checkBandwidth } from './bandwidth.ts'
import type { Bandwidth, BandwidthChange } from './bandwidth.ts'
import { calls } from './calls.ts'
import { NetworkPortCreateFlags } from './constants.ts'
import { bandwidthXml } from './domain-interfaces.ts'
import { Held } from './held.ts'
import { element, textElement } from './markup.ts'
import { aMac, aUuid, checkText, flagsOf } from './options.ts'
import type { Session } from './session.ts'

/** A port to make. Source: libvirt's formatnetworkport. */
export interface NetworkPortConfig {
  /** Default: chosen; the XML must have one. */
  uuid?: string
  /** The guest that it is for. */
  owner: { name: string, uuid: string }
  /** The guest's MAC. */
  mac: string
  /** Portgroup of the network. */
  group?: string
  bandwidth?: Bandwidth
  /** Other isolated ports of the bridge cannot be reached. */
  isolated?: boolean
  trustGuestRxFilters?: boolean
}

const createFlags = { reclaim: NetworkPortCreateFlags.RECLAIM, validate: NetworkPortCreateFlags.VALIDATE } as const

/** `reclaim`: for a guest that runs already; `validate`: against libvirt's schema. */
export interface NetworkPortCreateOptions {
  reclaim?: boolean
  validate?: boolean
}

const configChecks: Readonly<Record<keyof NetworkPortConfig, Check>> = {
  uuid: aUuid, owner: anObject, mac: aMac, group: aText, bandwidth: anObject, isolated: aBoolean, trustGuestRxFilters: aBoolean,
}

function portXml(config: NetworkPortConfig): string {
  checkEach('port', config, configChecks)
  check('port.owner', config.owner, anObject)
  checkEach('port.owner', config.owner, { name: aText, uuid: aUuid })
  check('port.owner.name', config.owner.name, aText)
  check('port.owner.uuid', config.owner.uuid, aUuid)
  check('port.mac', config.mac, aMac)
  if (config.bandwidth !== undefined) checkBandwidth('port.bandwidth', config.bandwidth)
  const { uuid, owner, mac, group, bandwidth, isolated, trustGuestRxFilters: trustGuest } = config
  return element('networkport', {},
    textElement('uuid', uuid ?? randomUUID()),
    element('owner', {}, textElement('name', owner.name), textElement('uuid', owner.uuid)),
    textElement('group', group),
    element('mac', { address: mac }),
    bandwidth === undefined ? undefined : bandwidthXml(bandwidth),
    trustGuest === undefined ? undefined : element('rxfilters', { trustGuest }),
    isolated === undefined ? undefined : element('port', { isolated }))
}

/**
 * Ports of one network: `network.networkPorts`. The network must run, or calls reject with ERR_LIBVIRT (OPERATION_INVALID);
 * libvirt ≥ 5.5.
 */
export class NetworkPorts {
  readonly #session: Session
  readonly #network: Held<NetworkHandle>
  readonly #networkUuid: string

  constructor(session: Session, network: Held<NetworkHandle>, networkUuid: string) {
    this.#session = session
    this.#network = network
    this.#networkUuid = networkUuid
  }

  /** All, in no order. */
  async list(): Promise<NetworkPort[]> {
    const handles = await this.#network.use(network => calls.virNetworkListAllPorts(network, 0))
    return handles.map(handle => this.#port(handle))
  }

  /** Rejects with ERR_NO_PORT. */
  async get(uuid: string): Promise<NetworkPort> {
    check('uuid', uuid, aUuid)
    return this.#port(await this.#network.use(network => calls.virNetworkPortLookupByUUIDString(network, uuid)))
  }

  /**
   * Makes a port in libvirt's books, bandwidth of its network included; no device. Rejects with ERR_INVALID_XML, or
   * ERR_LIBVIRT, e.g. if the network cannot guarantee a `floor`.
   */
  async create(xmlOrConfig: string | NetworkPortConfig, options: NetworkPortCreateOptions = {}): Promise<NetworkPort> {
    const flags = flagsOf('options', options, createFlags)
    if (typeof xmlOrConfig === 'string') checkText('xml', xmlOrConfig)
    const xml = typeof xmlOrConfig === 'string' ? xmlOrConfig : portXml(xmlOrConfig)
    return this.#port(await this.#network.use(network => calls.virNetworkPortCreateXML(network, xml, flags)))
  }

  #port(handle: NetworkPortHandle): NetworkPort {
    const { uuid = '' } = handle
    const lookUp = async (connection: ConnectionHandle): Promise<NetworkPortHandle> => {
      const network = await calls.virNetworkLookupByUUIDString(connection, this.#networkUuid)
      try {
        return await calls.virNetworkPortLookupByUUIDString(network, uuid)
      } finally {
        await network.close()
      }
    }
    return new NetworkPort(uuid, new Held(this.#session, handle, lookUp))
  }
}

/** A port of a network. Calls reject with ERR_NO_PORT once it is gone. */
export class NetworkPort implements AsyncDisposable {
  /** In lower case, with hyphens. */
  readonly uuid: string
  readonly #held: Held<NetworkPortHandle>

  constructor(uuid: string, held: Held<NetworkPortHandle>) {
    this.uuid = uuid
    this.#held = held
  }

  /** `<networkport>` */
  xml(): Promise<string> {
    return this.#held.use(port => calls.virNetworkPortGetXMLDesc(port, 0))
  }

  async bandwidth(): Promise<Bandwidth> {
    return bandwidthOf(await this.#held.use(port => calls.virNetworkPortGetParameters(port, 0)))
  }

  /**
   * Changes it at once, for a guest that runs too. Rejects with ERR_LIBVIRT if the network cannot guarantee the `floor`.
   * Not with another change of the same port at a time.
   */
  async setBandwidth(change: BandwidthChange): Promise<void> {
    checkBandwidth('bandwidth', change, { removable: true })
    if (Object.keys(change).length === 0) return
    await this.#held.use(async port => {
      // libvirt takes away whatever a call leaves out.
      const now = bandwidthOf(await calls.virNetworkPortGetParameters(port, 0))
      const { inbound = now.inbound ?? null, outbound = now.outbound ?? null } = change
      await calls.virNetworkPortSetParameters(port, bandwidthParameters({ inbound, outbound }), 0)
    })
  }

  /** Gives back what it reserved. A running guest keeps its device. */
  async delete(): Promise<void> {
    await this.#held.use(port => calls.virNetworkPortDelete(port, 0))
  }

  /** Frees libvirt's handle before the garbage collector does; the port stays. */
  close(): Promise<void> {
    return this.#held.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
