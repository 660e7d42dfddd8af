/** What happens to domains, as events. Source: virDomainEventID. */
import type { ConnectionHandle, DomainEventPayload } from '../../binding/index.ts'
import { anything, aText, checkEach } from '../checks.ts'
import type { Check } from '../checks.ts'
import { UnsupportedError } from '../errors.ts'
import type { EventQueue, OverrunEvent } from '../events.ts'
import * as c from './constants.ts'
import { domainId } from './domain.ts'
import { isLibvirt } from './errors.ts'
import { listenToAll, watchEvents } from './events.ts'
import type { GapEvent } from './events.ts'
import { listenToDomains } from './listeners.ts'
import type { Stop } from './listeners.ts'
import { isMeant } from './named.ts'
import type { Session } from './session.ts'

interface OfDomain {
  name: string
  /** In lower case, with hyphens. */
  uuid: string
  /** Undefined if it does not run. */
  id: number | undefined
}

/** Something that happened to a domain. */
export type DomainEvent =
  /** `detail` says why, e.g. `booted`, `destroyed`. Source: virDomainEventType, virDomainEvent*DetailType. */
  | OfDomain & { type: 'lifecycle', event: c.Label<typeof c.DomainEventType> | 'unknown', detail: string }
  /** A device was attached, is gone, or the guest would not let it go; `alias` as in the domain's XML. */
  | OfDomain & { type: 'device-added' | 'device-removed' | 'device-removal-failed', alias: string }
  /** The guest changed the MAC of an interface. libvirt ≥ 11.2. */
  | OfDomain & { type: 'nic-mac-change', alias: string, oldMac: string, newMac: string }
  /** The guest agent. Source: virConnectDomainEventAgentLifecycleState. */
  | OfDomain & { type: 'agent-lifecycle', state: 'connected' | 'disconnected' | 'unknown', reason: string }

export type DomainEventType = DomainEvent['type']

export interface DomainWatchOptions {
  /** Only events of the domain with this name or UUID. */
  domain?: string
  /** Only events of these types. Default: all that the hypervisor has. */
  events?: readonly DomainEventType[]
  /** Events that may wait to be read, 1 to 1,000,000; default 1,024. */
  limit?: number
  signal?: AbortSignal
}

/** Events in the order in which they happened. The process is kept alive while somebody waits for the next one. */
export type DomainWatch = EventQueue<DomainEvent | GapEvent>

export type { GapEvent, OverrunEvent }

/** Names of `detail`, by event. */
const details: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [c.DomainEventType.DEFINED]: c.DomainEventDefinedDetailType,
  [c.DomainEventType.UNDEFINED]: c.DomainEventUndefinedDetailType,
  [c.DomainEventType.STARTED]: c.DomainEventStartedDetailType,
  [c.DomainEventType.SUSPENDED]: c.DomainEventSuspendedDetailType,
  [c.DomainEventType.RESUMED]: c.DomainEventResumedDetailType,
  [c.DomainEventType.STOPPED]: c.DomainEventStoppedDetailType,
  [c.DomainEventType.SHUTDOWN]: c.DomainEventShutdownDetailType,
  [c.DomainEventType.PMSUSPENDED]: c.DomainEventPMSuspendedDetailType,
  [c.DomainEventType.CRASHED]: c.DomainEventCrashedDetailType,
}

type Decode = (domain: OfDomain, payload: DomainEventPayload) => DomainEvent

const ofDevice = (type: 'device-added' | 'device-removed' | 'device-removal-failed'): Decode =>
  (domain, { devAlias = '' }) => ({ type, ...domain, alias: devAlias })

/** Each type: libvirt's number, how it is read, and which libvirt is needed. */
const types: Readonly<Record<DomainEventType, { id: number, decode: Decode, since?: string }>> = {
  'lifecycle': {
    id: c.DomainEventID.LIFECYCLE,
    decode: (domain, { event = -1, detail = -1 }) => (
      { type: 'lifecycle', ...domain, event: c.label(c.DomainEventType, event), detail: c.label(details[event] ?? {}, detail) }
    ),
  },
  'device-added': { id: c.DomainEventID.DEVICE_ADDED, decode: ofDevice('device-added') },
  'device-removed': { id: c.DomainEventID.DEVICE_REMOVED, decode: ofDevice('device-removed') },
  'device-removal-failed': { id: c.DomainEventID.DEVICE_REMOVAL_FAILED, decode: ofDevice('device-removal-failed') },
  'nic-mac-change': {
    id: c.DomainEventID.NIC_MAC_CHANGE,
    since: '11.2',
    decode: (domain, { devAlias = '', oldMac = '', newMac = '' }) => (
      { type: 'nic-mac-change', ...domain, alias: devAlias, oldMac, newMac }
    ),
  },
  'agent-lifecycle': {
    id: c.DomainEventID.AGENT_LIFECYCLE,
    decode: (domain, { event = -1, detail = -1 }) => ({
      type: 'agent-lifecycle',
      ...domain,
      state: c.label(c.ConnectDomainEventAgentLifecycleState, event),
      reason: c.label(c.ConnectDomainEventAgentLifecycleReason, detail),
    }),
  },
}

const names = Object.keys(types) as DomainEventType[]

const someTypes: Check = {
  accepted: `an array of ${names.map(name => `'${name}'`).join(', ')}`,
  test: value => Array.isArray(value) && value.length > 0 && value.every(name => names.includes(name as DomainEventType)),
}

/** Throws InvalidArgumentError. */
export function watchDomains(session: Session, options: DomainWatchOptions): DomainWatch {
  checkEach('options', options, { domain: aText, events: someTypes, limit: anything, signal: anything })
  const { domain, events, limit, signal } = options
  const isWanted = isMeant(domain)
  const register = (connection: ConnectionHandle, push: (event: DomainEvent) => void): Promise<Stop> =>
    listenToAll(connection, (events ?? names).map(type => ({
      listen: () => listenTo(connection, type, listener(type, isWanted, push)),
      // Asked for by name, it must be there.
      optional: events === undefined,
    })))
  return watchEvents(session, register, { limit, signal })
}

async function listenTo(
  connection: ConnectionHandle, type: DomainEventType, listener: (payload: DomainEventPayload) => void,
): Promise<Stop> {
  const { id, since } = types[type]
  try {
    return await listenToDomains(connection, id, listener)
  } catch (error) {
    // An event that this library has no number for.
    if (since === undefined || !isLibvirt(error, 'INVALID_ARG') || error.libvirt.str2 !== 'eventID') throw error
    throw new UnsupportedError(`libvirt ≥ ${since}`, `events of type ${type} need libvirt ${since} or later: ${error.message}`)
  }
}

function listener(
  type: DomainEventType, isWanted: (payload: DomainEventPayload) => boolean, push: (event: DomainEvent) => void,
): (payload: DomainEventPayload) => void {
  const { decode } = types[type]
  return payload => {
    if (isWanted(payload)) push(decode({ name: payload.name, uuid: payload.uuid, id: domainId(payload.id) }, payload))
  }
}
