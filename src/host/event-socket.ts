/** Event sockets of a Host's namespace, and the queues that they feed; what the watches of rtnetlink and nf_tables share. */
import { constants } from 'node:os'
import type { NativeWatch, WatchStep } from '../../binding/index.ts'
import { ClosedError, InvalidArgumentError, SystemError, UnsupportedError } from '../errors.ts'
import { EventQueue } from '../events.ts'
import type { QueueOptions } from '../events.ts'
import { failure } from './channel.ts'
import type { Channel } from './channel.ts'

/** Throws InvalidArgumentError. */
export function checkReceiveBuffer(bytes: number | undefined): void {
  if (bytes === undefined || (Number.isInteger(bytes) && bytes >= 4096 && bytes < 2 ** 30)) return
  throw new InvalidArgumentError('receiveBuffer', bytes, 'bytes, 4,096 to a GiB')
}

/** Events as the kernel wrote them; `lost`: some after them were. `synced`: all that was queued at a `sync` has come. */
type Take = (messages: Buffer, lost: boolean, synced: boolean) => Promise<void>

/**
 * A queue of events and the socket that they come from. The process stays alive until it is ready and while somebody waits
 * for an event; the queue ends with the Host, and the socket with the queue.
 */
export class EventFeed<T> {
  readonly queue: EventQueue<T>
  readonly #channel: Channel
  readonly #take: Take
  #native: NativeWatch | undefined
  #started = false
  #ready = false
  /** Somebody waits for an event. */
  #awaited = false
  /** A delivery is being taken; another one would get in between its events. */
  #taking = false
  /** The next is to follow it. */
  #wanted = false

  /** `take`: one delivery. `onOverrun`: the reader has come to where events were lost. */
  constructor(channel: Channel, options: QueueOptions, { take, onOverrun }: { take: Take, onOverrun: () => void }) {
    this.#channel = channel
    this.#take = take
    let forget = (): void => {}
    this.queue = new EventQueue<T>(options, {
      onWait: () => { this.#hold(true) },
      onIdle: () => { this.#hold(false) },
      onOverrun,
      onEnd: () => {
        this.#native?.close()
        forget()
      },
    })
    if (channel.closed) this.queue.fail(new ClosedError('this Host'))
    if (!this.queue.closed) forget = channel.watches.add(this.queue)
  }

  #hold(awaited: boolean): void {
    this.#awaited = awaited
    if (awaited || !this.#ready) this.#native?.ref()
    else this.#native?.unref()
  }

  /** Opens the socket; `opened` says when the watch is ready. False: the queue has ended meanwhile. Rejects as `openEvents` does. */
  async open(protocol: number, groups: readonly number[], receiveBuffer: number | undefined): Promise<boolean> {
    const native = await openEvents(this.#channel, protocol, groups, receiveBuffer)
    if (this.queue.closed) {
      native.close()
      return false
    }
    this.#native = native
    native.ref()
    return true
  }

  /** All that happens from now on is told as a change. */
  opened(): void {
    this.#ready = true
    this.#hold(this.#awaited)
    this.queue.opened()
  }

  /** Asks for one delivery: at once, or when the one that is being taken is through. */
  want(): void {
    if (this.#taking) {
      this.#wanted = true
    } else if (this.#started) {
      this.#native?.want()
    } else {
      this.#started = true
      this.#native?.start((messages, lost, synced) => { void this.#deliver(messages, lost, synced) })
    }
  }

  /** Asks for a delivery with `synced` after all that is queued by now. */
  sync(): void {
    this.#native?.sync()
    this.want()
  }

  async #deliver(...delivery: Parameters<Take>): Promise<void> {
    this.#taking = true
    try {
      await this.#take(...delivery)
    } catch (error) {
      this.queue.fail(error)
    }
    this.#taking = false
    if (!this.#wanted) return
    this.#wanted = false
    this.want()
  }
}

/** Rejects with ERR_NO_PERMISSION; ERR_UNSUPPORTED if the kernel does not have one of the groups. */
async function openEvents(
  channel: Channel, protocol: number, groups: readonly number[], receiveBuffer: number | undefined,
): Promise<NativeWatch> {
  const step: WatchStep = { op: 'watch', protocol, groups, ...(receiveBuffer === undefined ? {} : { receiveBuffer }) }
  const { results: [native], failed } = await channel.exec([step])
  if (failed === undefined) return native
  const { EPERM, EINVAL, EPROTONOSUPPORT } = constants.errno
  if (failed.errno === EPERM) throw new SystemError(failed.errno, failed.call, 'watch for changes', 'ERR_NO_PERMISSION')
  if (failed.errno === EPROTONOSUPPORT || (failed.errno === EINVAL && failed.call.includes('MEMBERSHIP'))) {
    throw new UnsupportedError('multicast group', 'this kernel does not tell of changes of all that is to be watched')
  }
  throw failure(step, failed)
}
