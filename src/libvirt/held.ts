import type { ConnectionHandle, Handle } from '../../binding/index.ts'
import { ClosedError } from '../errors.ts'
import type { Session } from './session.ts'

/**
 * A libvirt object that outlives its connection: looked up anew, by what never changes of it, when the connection was
 * lost and is there again.
 */
export class Held<H extends Handle> {
  readonly session: Session
  #handle: H
  readonly #lookup: (connection: ConnectionHandle) => Promise<H>
  /** The lookup under way. */
  #renewal: { connection: ConnectionHandle, handle: Promise<H> } | undefined
  #closed = false

  /** `lookup` must not hold anything that holds this. */
  constructor(session: Session, handle: H, lookup: (connection: ConnectionHandle) => Promise<H>) {
    this.session = session
    this.#handle = handle
    this.#lookup = lookup
  }

  /** Makes calls with the object, as `Session.use` does with the connection. */
  use<T>(call: (handle: H, connection: ConnectionHandle) => Promise<T>): Promise<T> {
    return this.session.use(async connection => {
      if (this.#closed) throw new ClosedError(`this ${this.#handle.kind}`)
      return call(this.#handle.closed ? await this.#renew(connection) : this.#handle, connection)
    })
  }

  /** Its connection was lost: that alone closes a handle behind our back. */
  async #renew(connection: ConnectionHandle): Promise<H> {
    if (this.#renewal?.connection !== connection) this.#renewal = { connection, handle: this.#lookup(connection) }
    const renewal = this.#renewal
    try {
      const handle = await renewal.handle
      if (this.#closed) await handle.close()
      else if (this.#renewal === renewal) this.#handle = handle
      return handle
    } finally {
      if (this.#renewal === renewal) this.#renewal = undefined
    }
  }

  /** Gives the handle back after the calls under way; later ones reject with ERR_CLOSED. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#handle.close()
  }
}
