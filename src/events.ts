/** Events on their way from a source that does not wait to a reader who takes them one by one: `for await`. */
import { ClosedError, InvalidArgumentError } from './errors.ts'

/**
 * Events were dropped at this place: so many, at least, because the reader was too slow. What a kernel dropped before is
 * not counted.
 */
export interface OverrunEvent {
  type: 'overrun'
  lost: number
}

export interface QueueOptions {
  /** Events that may wait to be read, 1 to 1,000,000; default 1,024. */
  limit?: number | undefined
  /** Ends the queue when aborted: what waits is dropped, and the reader gets the signal's reason. */
  signal?: AbortSignal | undefined
}

/** What the owner of a queue is told, each synchronously. */
export interface QueueHooks {
  /** Somebody waits for an event now: keep the process alive. */
  onWait?: () => void
  /** Nobody does any more. */
  onIdle?: () => void
  /** The reader has got an OverrunEvent. */
  onOverrun?: () => void
  /**
   * Once, when it has ended, whatever the reason: stop watching. `close` waits for it. Not called for a queue whose signal
   * was aborted before it was made: it is `closed` from the beginning.
   */
  onEnd?: () => void | Promise<void>
}

const maxLimit = 1_000_000
const defaultLimit = 1_024

interface Deferred<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

/** Promise.withResolvers, which Node 20 lacks. */
function defer<T>(): Deferred<T> {
  const deferred = {} as Deferred<T>
  deferred.promise = new Promise<T>((resolve, reject) => Object.assign(deferred, { resolve, reject }))
  return deferred
}

type Read<T> = IteratorResult<T | OverrunEvent, undefined>

/** Events that are made when they are read. */
class Later<T> {
  readonly source: Iterator<T>

  constructor(source: Iterator<T>) {
    this.source = source
  }
}

/** So many of them are read at once; then others of the process have their turn. */
const eventsPerTurn = 50

/** Throws InvalidArgumentError for a limit that is none, or a signal that is none. */
export function checkQueueOptions({ limit, signal }: QueueOptions): void {
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= maxLimit)) {
    throw new InvalidArgumentError('options.limit', limit, `1 to ${maxLimit} events`)
  }
  // Not instanceof: a signal of another realm is one, too.
  if (signal !== undefined && !(typeof signal === 'object' && signal !== null && 'aborted' in signal)) {
    throw new InvalidArgumentError('options.signal', signal, 'an AbortSignal')
  }
}

/**
 * Holds `limit` events; an OverrunEvent at its end counts those that did not fit. Ends once, by `close` or `return`
 * (`done`), by `fail` (what waits is still read, then the error, then `done`), or by the signal.
 */
export class EventQueue<T> implements AsyncIterableIterator<T | OverrunEvent, undefined>, AsyncDisposable {
  /** Resolves with `opened`; rejects if the queue ends before. */
  readonly ready: Promise<void>
  readonly #limit: number
  readonly #hooks: QueueHooks
  readonly #readiness = defer<undefined>()
  #events: (T | OverrunEvent | Later<T>)[] = []
  /** How many of `#events` have been read; they are cut off now and then, as shift() of a long array is slow. */
  #read = 0
  #waiters: Deferred<Read<T>>[] = []
  /** Those among `#events` that stand for many. */
  #inserted = 0
  /** Events made in this turn of the event loop. */
  #made = 0
  #ended: Promise<void> | undefined
  /** For the reader, after the last event. */
  #failure: { error: unknown } | undefined
  #forgetSignal: (() => void) | undefined

  constructor(options: QueueOptions = {}, hooks: QueueHooks = {}) {
    checkQueueOptions(options)
    const { limit = defaultLimit, signal } = options
    this.#limit = limit
    this.#hooks = signal?.aborted === true ? {} : hooks
    this.ready = this.#readiness.promise
    // Nobody has to ask: the reader learns of a failure anyway.
    this.ready.catch(() => {})
    if (signal === undefined) return
    const abort = (): void => {
      this.#clear()
      this.fail(signal.reason)
    }
    if (signal.aborted) {
      abort()
    } else {
      signal.addEventListener('abort', abort, { once: true })
      this.#forgetSignal = () => { signal.removeEventListener('abort', abort) }
    }
  }

  get closed(): boolean {
    return this.#ended !== undefined
  }

  /** No event can be missed any more. */
  opened(): void {
    this.#readiness.resolve(undefined)
  }

  /** Never blocks. False if the event was dropped: the reader is told, or the queue has ended. */
  push(event: T): boolean {
    if (this.closed) return false
    if (this.#waiters.length > 0 || this.#events.length - this.#read - this.#inserted < this.#limit) {
      this.#append(event)
      return true
    }
    const last = this.#events.at(-1)
    if (isOverrun(last)) last.lost++
    else this.#append({ type: 'overrun', lost: 1 })
    return false
  }

  /** The source has lost events of its own. */
  overrun(): void {
    if (!this.closed && !isOverrun(this.#events.at(-1))) this.#append({ type: 'overrun', lost: 0 })
  }

  /** Events that are there already, each made when it is read. They are not counted, however many they are. */
  insert(source: Iterable<T>): void {
    if (this.closed) return
    this.#inserted++
    this.#append(new Later(source[Symbol.iterator]()))
  }

  /** Gives to those who wait what there is. */
  #append(event: T | OverrunEvent | Later<T>): void {
    this.#events.push(event)
    if (this.#waiters.length === 0) return
    while (this.#waiters.length > 0) {
      const taken = this.#take()
      if (taken === undefined) return
      this.#waiters.shift()?.resolve({ done: false, value: taken.event })
    }
    this.#hooks.onIdle?.()
  }

  #clear(): void {
    this.#events = []
    this.#read = 0
    this.#inserted = 0
  }

  /** Ends it with an error, which the reader gets once, after what waits. */
  fail(error: unknown): void {
    if (this.closed) return
    this.#failure = { error }
    this.#readiness.reject(error)
    const first = this.#waiters.shift()
    if (first !== undefined) {
      this.#failure = undefined
      first.reject(error)
      if (this.#waiters.length === 0) this.#hooks.onIdle?.()
    }
    this.#end()
  }

  /** Ends it; what waits is dropped. Resolves when the owner has stopped watching. */
  async close(): Promise<void> {
    if (!this.closed) this.#readiness.reject(new ClosedError('this watch'))
    this.#clear()
    this.#failure = undefined
    this.#end()
    await this.#ended
  }

  #end(): void {
    if (this.closed) return
    this.#forgetSignal?.()
    const waiters = this.#waiters
    this.#waiters = []
    for (const { resolve } of waiters) resolve({ done: true, value: undefined })
    if (waiters.length > 0) this.#hooks.onIdle?.()
    this.#ended = (async () => this.#hooks.onEnd?.())()
    // Whoever closes is told; who only reads has nothing to do with it.
    this.#ended.catch(() => {})
  }

  next(): Promise<Read<T>> {
    const taken = this.#take()
    if (taken !== undefined) {
      const result = { done: false as const, value: taken.event }
      if (this.#made < eventsPerTurn) return Promise.resolve(result)
      this.#made = 0
      return new Promise(resolve => { setImmediate(resolve, result) })
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error as Error)
    }
    if (this.closed) return Promise.resolve({ done: true, value: undefined })
    const waiter = defer<Read<T>>()
    this.#waiters.push(waiter)
    if (this.#waiters.length === 1) this.#hooks.onWait?.()
    return waiter.promise
  }

  #take(): { event: T | OverrunEvent } | undefined {
    while (this.#read < this.#events.length) {
      const first = this.#events[this.#read]
      if (first instanceof Later) {
        const { done, value } = first.source.next()
        if (done !== true) {
          this.#made++
          return { event: value }
        }
        this.#inserted--
        this.#drop()
      } else {
        this.#drop()
        if (isOverrun(first)) this.#hooks.onOverrun?.()
        return { event: first as T | OverrunEvent }
      }
    }
    return undefined
  }

  #drop(): void {
    this.#read++
    if (this.#read * 2 < this.#events.length) return
    this.#events = this.#events.slice(this.#read)
    this.#read = 0
  }

  async return(): Promise<Read<T>> {
    await this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function isOverrun(event: unknown): event is OverrunEvent {
  return typeof event === 'object' && event !== null && (event as OverrunEvent).type === 'overrun'
}
