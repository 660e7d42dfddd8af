/**
 * Any number of listeners for an event of a connection. libvirt itself takes a C function once an event only: "event
 * callback already tracked".
 */
import type { ConnectionHandle, DomainEventPayload, NetworkEventPayload } from '../../binding/index.ts'
import { calls } from './calls.ts'

/** Ends the listening. */
export type Stop = () => Promise<unknown>

type Listener<P> = (payload: P) => void

/** One registration with libvirt. */
interface Registration<P> {
  listeners: Set<Listener<P>>
  id: Promise<number>
  /** Nobody listens any more; another registration has to wait for this. */
  ending: Promise<unknown> | undefined
}

/** How to register for one kind of event; and what is registered, by the event's number. */
class Listeners<P> {
  readonly #register: (connection: ConnectionHandle, event: number, listener: Listener<P>) => Promise<number>
  readonly #deregister: (connection: ConnectionHandle, id: number) => Promise<unknown>
  readonly #registrations = new WeakMap<ConnectionHandle, Map<number, Registration<P>>>()

  constructor(
    register: (connection: ConnectionHandle, event: number, listener: Listener<P>) => Promise<number>,
    deregister: (connection: ConnectionHandle, id: number) => Promise<unknown>,
  ) {
    this.#register = register
    this.#deregister = deregister
  }

  /** `listener` is held until it is stopped, or the connection is closed; it should not hold the connection. */
  async add(connection: ConnectionHandle, event: number, listener: Listener<P>): Promise<Stop> {
    let registrations = this.#registrations.get(connection)
    if (registrations === undefined) this.#registrations.set(connection, registrations = new Map<number, Registration<P>>())
    while (registrations.get(event)?.ending !== undefined) await registrations.get(event)?.ending
    const registration = registrations.get(event) ?? this.#open(connection, event, registrations)
    registration.listeners.add(listener)
    await registration.id
    return () => this.#remove(connection, event, registration, listener)
  }

  #open(connection: ConnectionHandle, event: number, registrations: Map<number, Registration<P>>): Registration<P> {
    const listeners = new Set<Listener<P>>()
    const tellAll = (payload: P): void => {
      for (const listener of [...listeners]) listener(payload)
    }
    const id = this.#register(connection, event, tellAll)
    id.catch(() => { registrations.delete(event) })
    const registration = { listeners, id, ending: undefined }
    registrations.set(event, registration)
    return registration
  }

  async #remove(connection: ConnectionHandle, event: number, registration: Registration<P>, listener: Listener<P>): Promise<void> {
    const { listeners, id } = registration
    if (!listeners.delete(listener) || listeners.size > 0) return
    registration.ending = id.then(known => this.#deregister(connection, known)).catch(() => {
      // A connection that is gone has taken its listeners along.
    }).finally(() => { this.#registrations.get(connection)?.delete(event) })
    await registration.ending
  }
}

const networks = new Listeners<NetworkEventPayload>(
  (connection, event, listener) => calls.virConnectNetworkEventRegisterAny(connection, null, event, listener),
  (connection, id) => calls.virConnectNetworkEventDeregisterAny(connection, id),
)
const domains = new Listeners<DomainEventPayload>(
  (connection, event, listener) => calls.virConnectDomainEventRegisterAny(connection, null, event, listener),
  (connection, id) => calls.virConnectDomainEventDeregisterAny(connection, id),
)

/** Events of all networks. `event`: NetworkEventID. */
export function listenToNetworks(connection: ConnectionHandle, event: number, listener: Listener<NetworkEventPayload>): Promise<Stop> {
  return networks.add(connection, event, listener)
}

/** Events of all domains. `event`: DomainEventID. */
export function listenToDomains(connection: ConnectionHandle, event: number, listener: Listener<DomainEventPayload>): Promise<Stop> {
  return domains.add(connection, event, listener)
}
