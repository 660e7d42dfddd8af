/** One connection as its users see it: it may be lost, and opened again. */
import type { ConnectionHandle } from '../../binding/index.ts'
import { ClosedError, VirbrError } from '../errors.ts'
import { calls } from './calls.ts'
import { ConnectCloseReason, label } from './constants.ts'
import { isTransportError } from './errors.ts'
import { openConnection } from './open.ts'
import type { OpenOptions } from './open.ts'

/** When and why a connection was lost. */
export interface Loss {
  /** Milliseconds since 1970. */
  lostAt: number
  /** `eof`, `keepalive`, `error`. Source: virConnectCloseReason. */
  reason: string
  /** Why it could not be opened again, so far. */
  cause?: unknown
}

/** Somebody who has to do something about a connection that ends or comes back: a watch. */
export interface Watcher {
  /** The connection is there again; may not throw. Calls wait until it resolves. */
  resume(connection: ConnectionHandle, loss: Loss): Promise<void>
  /** Nothing will come any more: closed, or, with an error, lost. */
  end(error?: unknown): void
}

export class Session {
  readonly uri: string
  readonly #options: OpenOptions
  /** The newest; those before it are lost and closed. */
  #connection: ConnectionHandle | undefined
  /** Undefined once the connection may be used. */
  #loss: Loss | undefined
  #waiting = new Set<{ go: (connection: ConnectionHandle) => void, fail: (error: unknown) => void }>()
  /** Weakly: a watch that is forgotten should not live as long as the session. */
  readonly #watchers = new Set<WeakRef<Watcher>>()
  readonly #underWay = new Set<Promise<unknown>>()
  #retry: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  /** Rejects with `signal`'s reason, and as `openConnection` does. */
  static async open(uri: string, options: OpenOptions): Promise<Session> {
    options.signal?.throwIfAborted()
    const session = new Session(uri, options)
    await abortable(session.#open(), options.signal)
    return session
  }

  private constructor(uri: string, options: OpenOptions) {
    this.uri = uri
    this.#options = options
  }

  async #open(): Promise<ConnectionHandle> {
    const connection = await openConnection(this.uri, this.#options)
    this.#connection = connection
    await this.#listen(connection)
    return connection
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** The connection is there, as far as is known without asking. */
  get open(): boolean {
    return !this.closed && this.#loss === undefined
  }

  /**
   * Makes calls with the connection; waits for it where it is being opened again. Never within another `use`: `close`
   * waits for those under way, and refuses new ones. Rejects with ERR_CONNECTION_LOST if it is lost meanwhile.
   */
  async use<T>(call: (connection: ConnectionHandle) => Promise<T>): Promise<T> {
    if (this.closed) throw new ClosedError('this connection')
    const run = this.#run(call)
    this.#underWay.add(run)
    try {
      return await run
    } finally {
      this.#underWay.delete(run)
    }
  }

  async #run<T>(call: (connection: ConnectionHandle) => Promise<T>): Promise<T> {
    const connection = this.#loss === undefined && this.#connection !== undefined ? this.#connection : await this.#reopened()
    try {
      return await call(connection)
    } catch (error) {
      throw await this.#explain(error, connection)
    }
  }

  /** An error of the socket, or of a handle that went with it, is a loss if the connection is one. */
  async #explain(error: unknown, connection: ConnectionHandle): Promise<unknown> {
    const isLate = error instanceof ClosedError && connection.closed && !this.closed
    if (!isLate && !isTransportError(error)) return error
    if (!connection.closed) {
      if (await isAlive(connection)) return error
      this.#lose(connection, 'error')
    }
    return lostError(this.uri, 'while a call was under way; whether it was done is not known', this.#loss, error)
  }

  #reopened(): Promise<ConnectionHandle> {
    const { reconnect } = this.#options
    const what = (): VirbrError => lostError(this.uri, 'nothing was sent', this.#loss)
    if (reconnect === undefined) return Promise.reject(what())
    return new Promise((resolve, reject) => {
      // Keeps process and session alive, unlike the timer for the next attempt.
      const timer = setTimeout(() => { waiter.fail(what()) }, reconnect.timeoutMs)
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiter)
      }
      const waiter = {
        go: (connection: ConnectionHandle) => {
          done()
          resolve(connection)
        },
        fail: (error: unknown) => {
          done()
          reject(error as Error)
        },
      }
      this.#waiting.add(waiter)
    })
  }

  /** Asks to be told when it is lost. The listener must not keep a forgotten session alive. */
  async #listen(connection: ConnectionHandle): Promise<void> {
    const listener = closeListener(new WeakRef(this), new WeakRef(connection))
    try {
      await calls.virConnectRegisterCloseCallback(connection, listener)
    } catch (error) {
      if (isTransportError(error)) this.#lose(connection, 'error')
      else {
        await connection.close()
        throw error
      }
    }
  }

  /** Called by the listener, and by calls that find the connection dead. */
  lost(connection: ConnectionHandle, reason: number): void {
    if (reason !== ConnectCloseReason.CLIENT) this.#lose(connection, label(ConnectCloseReason, reason))
  }

  #lose(connection: ConnectionHandle, reason: string): void {
    if (this.closed || connection !== this.#connection || connection.closed) return
    // Lost again before the watchers were told: for them it is one gap.
    this.#loss ??= { lostAt: Date.now(), reason }
    // With it go all its handles.
    connection.close().catch(() => {})
    if (this.#options.reconnect !== undefined) return this.#reopenIn(this.#options.reconnect.minDelayMs)
    for (const watcher of this.#liveWatchers()) watcher.end(lostError(this.uri, 'watching ends', this.#loss))
    this.#watchers.clear()
  }

  /** Neither the process nor a forgotten session lives for it. */
  #reopenIn(delayMs: number): void {
    const weak = new WeakRef(this)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      const session = weak.deref()
      if (session !== undefined) void session.#reopen(delayMs)
    }, delayMs).unref()
  }

  async #reopen(delayMs: number): Promise<void> {
    const loss = this.#loss
    if (this.closed || loss === undefined) return
    try {
      const connection = await openConnection(this.uri, this.#options)
      if (this.closed as boolean) return await connection.close()
      this.#connection = connection
      await this.#listen(connection)
      await Promise.all(this.#liveWatchers().map(watcher => watcher.resume(connection, loss)))
      // Lost once more, or closed: others see to that.
      if (connection.closed) return
      this.#loss = undefined
      for (const waiter of [...this.#waiting]) waiter.go(connection)
    } catch (error) {
      loss.cause = error
      if (!this.closed) this.#reopenIn(Math.min(delayMs * 2, this.#options.reconnect?.maxDelayMs ?? delayMs))
    }
  }

  /** Tells it of what becomes of the connection, until it is forgotten. */
  watch(watcher: Watcher): () => void {
    const weak = new WeakRef(watcher)
    this.#watchers.add(weak)
    return () => { this.#watchers.delete(weak) }
  }

  #liveWatchers(): Watcher[] {
    const live: Watcher[] = []
    for (const weak of this.#watchers) {
      const watcher = weak.deref()
      if (watcher === undefined) this.#watchers.delete(weak)
      else live.push(watcher)
    }
    return live
  }

  /** Ends watches, waits for calls under way, gives everything back. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= Promise.resolve().then(() => this.#close())
    return this.#closing
  }

  async #close(): Promise<void> {
    clearTimeout(this.#retry)
    for (const watcher of this.#liveWatchers()) watcher.end()
    this.#watchers.clear()
    for (const waiter of [...this.#waiting]) waiter.fail(new ClosedError('this connection'))
    await Promise.allSettled(this.#underWay)
    await this.#connection?.close()
  }
}

/** Asks libvirt's side of it only, not the daemon. */
export async function isAlive(connection: ConnectionHandle): Promise<boolean> {
  return await calls.virConnectIsAlive(connection).catch(() => 0) === 1
}

function closeListener(session: WeakRef<Session>, connection: WeakRef<ConnectionHandle>): (reason: number) => void {
  return reason => {
    const of = connection.deref()
    if (of !== undefined) session.deref()?.lost(of, reason)
  }
}

function lostError(uri: string, what: string, loss: Loss | undefined, cause = loss?.cause): VirbrError {
  const when = loss === undefined ? '' : ` (${loss.reason}, ${new Date(loss.lostAt).toISOString()})`
  const because = cause instanceof Error ? `: ${cause.message}` : ''
  return new VirbrError('ERR_CONNECTION_LOST', `the connection to ${uri} was lost${when}: ${what}${because}`, { cause })
}

/** Rejects at once when the signal is aborted; a connection that comes later is closed. */
async function abortable(opening: Promise<ConnectionHandle>, signal: AbortSignal | undefined): Promise<ConnectionHandle> {
  if (signal === undefined) return opening
  let forget = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => {
      opening.then(connection => connection.close()).catch(() => {})
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort, { once: true })
    forget = () => { signal.removeEventListener('abort', abort) }
  })
  try {
    return await Promise.race([opening, aborted])
  } finally {
    forget()
  }
}
