/** Events on their way from a source that does not wait to a reader who takes them one by one: `for await`. */
import { ClosedError, InvalidArgumentError } from './errors.ts'

/** The reader was too slow: so many events were dropped at this place. */
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
  #events: (T | OverrunEvent)[] = []
  /** How many of `#events` have been read; they are cut off now and then, as shift() of a long array is slow. */
  #read = 0
  #waiters: Deferred<Read<T>>[] = []
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

  /** Never blocks; without effect once the queue has ended. */
  push(event: T): void {
    if (this.closed) return
    const waiter = this.#waiters.shift()
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: event })
      if (this.#waiters.length === 0) this.#hooks.onIdle?.()
    } else if (this.#events.length - this.#read < this.#limit) {
      this.#events.push(event)
    } else {
      const last = this.#events.at(-1)
      if (isOverrun(last)) last.lost++
      else this.#events.push({ type: 'overrun', lost: 1 })
    }
  }

  #clear(): void {
    this.#events = []
    this.#read = 0
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
    if (this.#read < this.#events.length) return Promise.resolve({ done: false, value: this.#take() })
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

  #take(): T | OverrunEvent {
    const event = this.#events[this.#read++] as T | OverrunEvent
    if (this.#read * 2 >= this.#events.length) {
      this.#events = this.#events.slice(this.#read)
      this.#read = 0
    }
    return event
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
