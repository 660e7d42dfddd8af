import type { ConnectionHandle, NetworkEventPayload, NetworkHandle } from '../../binding/index.ts'
import { anything, aText, checkEach } from '../checks.ts'
import type { NetworkConfig } from '../network/config.ts'
import type { Network, NetworkEvent, NetworkFilter, Networks, WatchOptions } from '../network/connection.ts'
import { validateNetwork } from '../network/validate.ts'
import { formatNetworkXml, parseNetworkXml } from '../network/xml.ts'
import { calls } from './calls.ts'
import type { Bridges } from './connection.ts'
import {
  ConnectListAllNetworksFlags as ListFlags, NetworkCreateFlags, NetworkDefineFlags, NetworkEventID, NetworkEventLifecycleType,
  NetworkMetadataType, label,
} from './constants.ts'
import { listenToAll, watchEvents } from './events.ts'
import type { Watch } from './events.ts'
import { explainDefine } from './explain.ts'
import { listenToNetworks } from './listeners.ts'
import type { Stop } from './listeners.ts'
import { LibvirtNetwork } from './network.ts'
import { byName, isMeant, lookUp } from './named.ts'
import { checkText, flagsOf } from './options.ts'
import type { Session } from './session.ts'

const listFlags = {
  active: [ListFlags.ACTIVE, ListFlags.INACTIVE],
  persistent: [ListFlags.PERSISTENT, ListFlags.TRANSIENT],
  autostart: [ListFlags.AUTOSTART, ListFlags.NO_AUTOSTART],
} as const

export interface DefineOptions {
  /** Have libvirt check the XML against its schema first, which refuses what it would pass over. libvirt ≥ 7.8. */
  validate?: boolean
}

export class LibvirtNetworks implements Networks {
  readonly #session: Session
  readonly #bridges: Bridges

  constructor(session: Session, bridges: Bridges) {
    this.#session = session
    this.#bridges = bridges
  }

  async list(filter: NetworkFilter = {}): Promise<LibvirtNetwork[]> {
    const flags = flagsOf('filter', filter, listFlags)
    const handles = await this.#session.use(connection => calls.virConnectListAllNetworks(connection, flags))
    return handles.map(handle => this.#network(handle)).sort(byName)
  }

  async get(nameOrUuid: string): Promise<LibvirtNetwork> {
    checkText('nameOrUuid', nameOrUuid)
    return this.#network(await this.#session.use(connection => lookUp(nameOrUuid, {
      missing: 'NO_NETWORK',
      byName: name => calls.virNetworkLookupByName(connection, name),
      byUuid: uuid => calls.virNetworkLookupByUUIDString(connection, uuid),
    })))
  }

  /** XML is given to libvirt as it is; an object is checked with validateNetwork first. */
  async define(xmlOrConfig: string | NetworkConfig, options: DefineOptions = {}): Promise<LibvirtNetwork> {
    const flags = flagsOf('options', options, { validate: NetworkDefineFlags.VALIDATE })
    return this.#make(xmlOrConfig, (connection, xml) => flags === 0 ? calls.virNetworkDefineXML(connection, xml)
      : calls.virNetworkDefineXMLFlags(connection, xml, flags))
  }

  /** As `define`. libvirt takes a network that is defined, but does not run, for the same if the UUID is the same: it starts it so. */
  async create(xmlOrConfig: string | NetworkConfig, options: DefineOptions = {}): Promise<LibvirtNetwork> {
    const flags = flagsOf('options', options, { validate: NetworkCreateFlags.VALIDATE })
    return this.#make(xmlOrConfig, (connection, xml) => flags === 0 ? calls.virNetworkCreateXML(connection, xml)
      : calls.virNetworkCreateXMLFlags(connection, xml, flags))
  }

  async #make(
    xmlOrConfig: string | NetworkConfig, call: (connection: ConnectionHandle, xml: string) => Promise<NetworkHandle>,
  ): Promise<LibvirtNetwork> {
    const xml = readXml(xmlOrConfig)
    return this.#network(await this.#session.use(async connection => {
      try {
        return await call(connection, xml)
      } catch (error) {
        throw await explainDefine(error, connection, xml)
      }
    }))
  }

  async autostart(): Promise<Network[]> {
    const started: Network[] = []
    for (const network of await this.list({ active: false, autostart: true })) {
      await network.start()
      started.push(network)
    }
    return started
  }

  watch(options: WatchOptions = {}): Watch<NetworkEvent> {
    checkEach('options', options, { network: aText, limit: anything, signal: anything })
    const { network, ...queueOptions } = options
    const isWanted = isMeant(network)
    return watchEvents<NetworkEvent>(this.#session, (connection, push) => listen(connection, event => {
      if (isWanted(event)) push(event)
    }), queueOptions)
  }

  #network(handle: NetworkHandle): LibvirtNetwork {
    return new LibvirtNetwork(this.#session, handle, this.#bridges)
  }
}

type NamedEvent = Extract<NetworkEvent, { uuid: string }>

function listen(connection: ConnectionHandle, push: (event: NamedEvent) => void): Promise<Stop> {
  const decoded = (event: number, decode: (payload: NetworkEventPayload) => NamedEvent | undefined) => () =>
    listenToNetworks(connection, event, payload => {
      const known = decode(payload)
      if (known !== undefined) push(known)
    })
  return listenToAll(connection, [
    { listen: decoded(NetworkEventID.LIFECYCLE, lifecycleEvent) },
    { listen: decoded(NetworkEventID.METADATA_CHANGE, metadataEvent), optional: true },
  ])
}

function lifecycleEvent({ name, uuid, event = -1 }: NetworkEventPayload): NamedEvent | undefined {
  const type = label(NetworkEventLifecycleType, event)
  return type === 'unknown' ? undefined : { type, name, uuid }
}

function metadataEvent({ name, uuid, type = -1, nsuri }: NetworkEventPayload): NamedEvent | undefined {
  const kind = label(NetworkMetadataType, type)
  return kind === 'unknown' ? undefined : { type: 'metadata', name, uuid, kind, namespace: nsuri }
}

function readXml(xmlOrConfig: string | NetworkConfig): string {
  if (typeof xmlOrConfig === 'string') {
    checkText('xml', xmlOrConfig)
    return xmlOrConfig
  }
  const xml = formatNetworkXml(xmlOrConfig)
  // What a newer libvirt printed may go back to it.
  validateNetwork(parseNetworkXml(xml), { unknown: 'keep' })
  return xml
}

