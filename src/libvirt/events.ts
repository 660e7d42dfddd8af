/** Watching: libvirt's callbacks as async iterators that survive the loss of a connection, or end with it. */
import type { ConnectionHandle } from '../../binding/index.ts'
import { ClosedError, UnsupportedError } from '../errors.ts'
import { EventQueue } from '../events.ts'
import type { QueueOptions } from '../events.ts'
import { liveliness } from './calls.ts'
import { isLibvirt } from './errors.ts'
import type { Stop } from './listeners.ts'
import { isAlive } from './session.ts'
import type { Loss, Session, Watcher } from './session.ts'

/** The connection was lost and is there again: nobody was told what happened between. Milliseconds since 1970. */
export interface GapEvent {
  type: 'gap'
  lostAt: number
  at: number
  reason: string
}

/**
 * Has events pushed from now on; gives the way to stop it. Called again with the new connection after a loss. What it
 * hands to libvirt may hold `push`, which holds nothing, but neither the session nor the watch.
 */
export type Register<E> = (connection: ConnectionHandle, push: (event: E) => void) => Promise<Stop>

/** Events of libvirt, and gaps. */
export type Watch<E> = EventQueue<E | GapEvent>

/** Watches until it is closed, aborted or lost. Throws InvalidArgumentError for the options. */
export function watchEvents<E>(session: Session, register: Register<E>, options: QueueOptions = {}): Watch<E> {
  return new EventWatch(session, register, options).queue
}

/** What listens for a watch; outlives it when it is forgotten, until the garbage collector has told. */
interface Listening {
  stop: Stop | undefined
}

const forgotten = new FinalizationRegistry<Listening>(listening => {
  listening.stop?.().catch(() => {})
})

/** Watches that somebody waits for: nothing else might hold them. */
const waitedFor = new Set<object>()

class EventWatch<E> implements Watcher {
  readonly queue: Watch<E>
  readonly #register: Register<E>
  readonly #listening: Listening = { stop: undefined }
  #forget = (): void => {}

  constructor(session: Session, register: Register<E>, options: QueueOptions) {
    this.#register = register
    this.queue = new EventQueue<E | GapEvent>(options, {
      onWait: () => {
        waitedFor.add(this)
        liveliness.ref()
      },
      onIdle: () => {
        waitedFor.delete(this)
        liveliness.unref()
      },
      onEnd: () => this.#stop(),
    })
    if (this.queue.closed) return
    forgotten.register(this.queue, this.#listening, this.#listening)
    session.use(async connection => {
      await this.#listen(connection)
      if (!this.queue.closed) this.#forget = session.watch(this)
    }).then(() => {
      // `close` waited for this, when there was nothing to end yet.
      if (session.closed) this.end()
      else this.queue.opened()
    }, (error: unknown) => { this.end(error) })
  }

  /** `loss`: the gap that comes before all events of this connection. */
  async #listen(connection: ConnectionHandle, loss?: Loss): Promise<void> {
    const queue = new WeakRef(this.queue)
    let early: E[] | undefined = []
    const stop = await this.#register(connection, event => {
      if (early === undefined) queue.deref()?.push(event)
      else early.push(event)
    })
    if (this.queue.closed) return void await stop().catch(() => {})
    // Lost before the loss could be told to this watch: `use` makes the right error of it.
    if (connection.closed) throw new ClosedError('this connection')
    this.#listening.stop = stop
    if (loss !== undefined) this.queue.push({ type: 'gap', lostAt: loss.lostAt, at: Date.now(), reason: loss.reason })
    const waiting = early
    early = undefined
    for (const event of waiting) this.queue.push(event)
  }

  async resume(connection: ConnectionHandle, loss: Loss): Promise<void> {
    try {
      await this.#listen(connection, loss)
    } catch (error) {
      // Lost again: it will be resumed again.
      if (!connection.closed && await isAlive(connection)) this.end(error)
    }
  }

  end(error?: unknown): void {
    if (error === undefined) void this.queue.close()
    else this.queue.fail(error)
  }

  async #stop(): Promise<void> {
    this.#forget()
    forgotten.unregister(this.#listening)
    // A connection that is gone has taken its listeners along.
    await this.#listening.stop?.().catch(() => {})
  }
}

/** One event of several; `optional`: an older library or daemon, or a driver without it, is no error. */
export interface Source {
  listen: () => Promise<Stop>
  optional?: boolean
}

/** Listens to them all, or none. */
export async function listenToAll(connection: ConnectionHandle, sources: readonly Source[]): Promise<Stop> {
  const stops: Stop[] = []
  const stop = (): Promise<unknown> => Promise.all(stops.map(each => each()))
  try {
    for (const { listen, optional = false } of sources) {
      try {
        stops.push(await listen())
      } catch (error) {
        if (!optional || !await isMissing(error, connection)) throw error
      }
    }
    return stop
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

/** INVALID_ARG: this library has no such number. INTERNAL_ERROR: the daemon has none, or the connection is lost. */
async function isMissing(error: unknown, connection: ConnectionHandle): Promise<boolean> {
  if (isLibvirt(error, 'INVALID_ARG')) return error.libvirt.str2 === 'eventID'
  if (isLibvirt(error, 'INTERNAL_ERROR')) return isAlive(connection)
  return error instanceof UnsupportedError || isLibvirt(error, 'NO_SUPPORT', 'OPERATION_UNSUPPORTED')
}
