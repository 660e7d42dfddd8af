/**
 * Many changes of one kind: what `addMany`, `deleteMany`, … of a Host's parts stand on.
 *
 *     await changeMany(channel, {
 *       list: 'routes', items,
 *       request: ({ link, ...wire }) => newRoute({ ...wire, index: indices.get(link) }),
 *       undo: ({ link, ...wire }) => deleteRoute({ ...wire, index: indices.get(link) }),
 *     }, bulkOptions(true, options))
 *
 * All items are encoded before the first is sent, so a bad value is refused while nothing has been done. They go out in
 * chunks, one sendmsg each; two are on their way, so that the Host's thread never waits for the JavaScript thread, and
 * other requests of the same Host get in between. The JavaScript thread works in slices of a millisecond. Of an item only
 * its bytes are kept until it is sent: `request` and `undo` are called again to name what failed, and must give the same.
 *
 * What takes several phases (links: create all, then into the bridge and up, …) uses `Bulk` itself.
 */
import { constants } from 'node:os'
import type { NetlinkStep, StepFailure } from '../../binding/index.ts'
import { fieldsOf } from '../checks.ts'
import { BulkError, InvalidArgumentError, SystemError, VirbrError, checkFields } from '../errors.ts'
import type { BulkFailure } from '../errors.ts'
import { NETLINK_ROUTE, NLMSG_HDRLEN, NLM_F_ACK } from '../netlink/constants.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { errorFromReply } from '../netlink/extack.ts'
import { encodeRequest, encodeRequests, errorsIn } from '../netlink/message.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { Writer } from '../netlink/writer.ts'
import { isFailure } from './channel.ts'
import type { Channel } from './channel.ts'
import { Turns } from './turns.ts'

/** How calls with many items go. */
export interface BulkOptions {
  /**
   * All or none: the first failure ends the call, and what was done is undone. Otherwise each item stands for itself.
   */
  atomic?: boolean
  /**
   * Ends the call between two chunks; it rejects with `signal.reason`. What was done is undone if `atomic`, else it stays.
   */
  signal?: AbortSignal
}

/** The requests of one item, sent together. An item of several is done if all of them are. */
export type RequestsOf<T> = (item: T, index: number) => AnyRequest | readonly AnyRequest[]

export interface ChangeMany<T> {
  /** Name of the list in errors: `routes` → `routes[3].to: expected …`. */
  list: string
  items: readonly T[]
  request: RequestsOf<T>
  /** Takes back what `request` did. That something is gone already does not matter. Required for `atomic`. */
  undo?: RequestsOf<T>
  explain?: Explain<T>
}

/** An item's error in other words, where there are better ones than the kernel's: the same as of the verb for one. */
export type Explain<T> = (error: NetlinkError, item: T) => Error | Promise<Error>

/**
 * Carries out one change for each item. Rejects with InvalidArgumentError, with the item's place in front, before anything
 * is sent; with BulkError if the kernel refused some.
 */
export async function changeMany<T>(
  channel: Channel, { list, items, request, undo, explain }: ChangeMany<T>, options: BulkOptions,
): Promise<void> {
  checkBulk(list, items, options)
  await channel.hold(async held => {
    const bulk = new Bulk(held, list, items, options, explain)
    const changes = await bulk.encode(request)
    await bulk.send(changes)
    await bulk.finish(undo)
  })
}

/** Throws InvalidArgumentError if a call's arguments are no list and options; what stands in the list is not looked at. */
export function checkBulk(list: string, items: readonly unknown[], options: object, others: readonly string[] = []): void {
  if (!Array.isArray(items)) throw new InvalidArgumentError(list, items, 'an array')
  checkFields(options, ['atomic', 'signal', ...others], 'options')
  const { atomic = false, signal } = options as { atomic?: unknown, signal?: unknown }
  if (typeof atomic !== 'boolean') throw new InvalidArgumentError('atomic', atomic, 'true or false')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new InvalidArgumentError('signal', signal, 'an AbortSignal')
}

/** With what is left out. */
export function bulkOptions<O extends BulkOptions>(atomic: boolean, options: O): O {
  return { atomic, ...fieldsOf('options', options) }
}

/** Items for one sendmsg: long enough for the way to the Host's thread not to matter, short enough to let others in. */
const chunkItems = 500

/** Chunks that are encoded for, or in, the Host's thread at once: one is worked on, one waits. */
const chunksAhead = 2

interface Chunk {
  /** Places of its items in the list. */
  items: number[]
  /** How many requests each item has; undefined: one each. */
  counts: number[] | undefined
  bytes: Buffer
}

/** A phase, ready to be sent. */
export interface Encoded<T> {
  requests: RequestsOf<T>
  chunks: Chunk[]
}

/** A phase, and the namespace that it is sent to. */
export type PhaseIn<T> = readonly [Channel, Encoded<T>]

/** What an undo wants, and finds done already. */
const gone: readonly number[] = ['ENODEV', 'ESRCH', 'ENOENT', 'EADDRNOTAVAIL'].map(name => constants.errno[name as 'ENOENT'])

/** One call: its items, and what has become of each. */
export class Bulk<T> {
  readonly #channel: Channel
  readonly #list: string
  readonly #items: readonly T[]
  readonly #atomic: boolean
  readonly #signal: AbortSignal | undefined
  readonly #explain: Explain<T>
  readonly #errors = new Map<number, Error>()
  /** 1: something was done for this item. */
  readonly #touched: Uint8Array
  /** Not the kernel's word on an item: a defect, or a namespace that is gone. */
  #broken: unknown

  constructor(
    channel: Channel, list: string, items: readonly T[], { atomic = false, signal }: BulkOptions,
    explain: Explain<T> = error => error,
  ) {
    signal?.throwIfAborted()
    this.#channel = channel
    this.#explain = explain
    this.#list = list
    this.#items = items
    this.#atomic = atomic
    this.#signal = signal
    this.#touched = new Uint8Array(items.length)
  }

  /** No more is to be sent: an item failed of an atomic call, or the caller has had enough. */
  get stopped(): boolean {
    return this.#broken !== undefined || this.#signal?.aborted === true || (this.#atomic && this.#errors.size > 0)
  }

  /** Something went wrong: `finish` will throw. */
  get failed(): boolean {
    return this.#broken !== undefined || this.#signal?.aborted === true || this.#errors.size > 0
  }

  isFailed(index: number): boolean {
    return this.#errors.has(index)
  }

  /** The first error of an item is its error. `touched`: something was done for it nevertheless. */
  fail(index: number, error: Error, touched = false): void {
    if (!this.#errors.has(index)) this.#errors.set(index, error)
    if (touched) this.#touched[index] = 1
  }

  /** Something was done for this item, by other means than `send`. */
  touch(index: number): void {
    this.#touched[index] = 1
  }

  /** Does a part of the call. What it throws ends the call, and is thrown by `finish` after all has been undone. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#broken ??= error
    }
  }

  /** Makes a phase ready: of all items, or of some, in the order given. Throws InvalidArgumentError: `routes[3].to: …`. */
  async encode(requests: RequestsOf<T>, some?: readonly number[]): Promise<Encoded<T>> {
    const turns = new Turns()
    const writer = new Writer(chunkItems * 128)
    const count = some?.length ?? this.#items.length
    const chunks: Chunk[] = []
    for (let start = 0; start < count; start += chunkItems) {
      const length = Math.min(chunkItems, count - start)
      const indices = Array.from({ length }, (_, i) => some?.[start + i] ?? start + i)
      chunks.push(await this.#encodeChunk(requests, indices, writer, turns))
    }
    return { requests, chunks }
  }

  async #encodeChunk(requests: RequestsOf<T>, items: number[], writer: Writer, turns: Turns): Promise<Chunk> {
    writer.reset()
    const counts: number[] = []
    let sequence = 0
    for (const index of items) {
      if (turns.over) await turns.next()
      const all = this.#requestsOf(requests, index)
      counts.push(all.length)
      try {
        // No acknowledgements: the kernel tells of what it refuses in any case, and silence is success.
        for (const request of all) encodeRequest(writer, request, sequence++, request.flags & ~NLM_F_ACK)
      } catch (error) {
        throw this.inItem(error as Error, index)
      }
    }
    return { items, counts: sequence === items.length ? undefined : counts, bytes: Buffer.from(writer.finish()) }
  }

  #requestsOf(requests: RequestsOf<T>, index: number): readonly AnyRequest[] {
    try {
      const request = requests(this.#items[index] as T, index)
      return 'operation' in request ? [request] : request
    } catch (error) {
      throw this.inItem(error as Error, index)
    }
  }

  /** The same error, with the item's place in the list in front. */
  inItem(error: Error, index: number): Error {
    const place = `${this.#list}[${index}]`
    if (error instanceof InvalidArgumentError) {
      const { field, value, accepted, code } = error
      return new InvalidArgumentError(field === '' ? place : `${place}.${field}`, value, accepted, code)
    }
    if (error instanceof VirbrError) error.message = `${place}: ${error.message}`
    return error
  }

  /** Sends a phase, leaving out items that have failed before. Does not throw for what the kernel refuses: see `finish`. */
  async send({ requests, chunks }: Encoded<T>, channel: Channel = this.#channel): Promise<void> {
    const underway: Promise<void>[] = []
    for (const chunk of chunks) {
      if (underway.length === chunksAhead) await underway.shift()
      if (this.stopped) break
      const rest = await this.#withoutFailed(requests, chunk)
      underway.push(this.attempt(async () => {
        const { results: [reply] } = await channel.exec([stepOf(rest)])
        await this.#settle(requests, rest, reply)
      }))
    }
    await Promise.all(underway)
  }

  /** Phases of an atomic call that have one chunk each, in one namespace, go in one visit to the Host's thread. */
  fitOneVisit(phases: readonly PhaseIn<T>[]): boolean {
    return this.#atomic && phases.every(([channel, { chunks }]) => channel === phases[0]?.[0] && chunks.length <= 1)
  }

  /** Sends phases one after the other, in as few visits as they need. */
  async sendAll(phases: readonly PhaseIn<T>[]): Promise<void> {
    if (!this.failed && this.fitOneVisit(phases)) return this.attempt(() => this.#sendTogether(phases))
    for (const [channel, phase] of phases) await this.send(phase, channel)
  }

  async #sendTogether(phases: readonly PhaseIn<T>[]): Promise<void> {
    const sent = phases.flatMap(([, { requests, chunks }]) => chunks.map(chunk => ({ requests, chunk })))
      .filter(({ chunk }) => chunk.bytes.length > 0)
    const [channel] = phases[0] ?? []
    if (channel === undefined || sent.length === 0) return
    // The first phase that something is refused of is the last that is carried out.
    const { results, failed } = await channel.exec(sent.map(({ chunk }) => ({ ...stepOf(chunk), mayFail: false })))
    for (const [at, { requests, chunk }] of sent.entries()) {
      const reply = results[at] ?? (failed?.step === at ? failed : undefined)
      if (reply !== undefined) await this.#settle(requests, chunk, reply)
    }
  }

  async #withoutFailed(requests: RequestsOf<T>, chunk: Chunk): Promise<Chunk> {
    if (this.#errors.size === 0) return chunk
    const items = chunk.items.filter(index => !this.#errors.has(index))
    return items.length === chunk.items.length ? chunk : this.#encodeChunk(requests, items, new Writer(), new Turns())
  }

  /** What became of the items of a chunk. */
  async #settle(requests: RequestsOf<T>, chunk: Chunk, reply: Uint8Array | StepFailure): Promise<void> {
    const { items, counts } = chunk
    const refused = refusals(chunk, reply)
    if (isFailure(refused)) {
      for (const index of items) this.fail(index, new SystemError(refused.errno, refused.call, this.#list))
      return
    }
    const turns = new Turns()
    for (const [position, index] of items.entries()) {
      const errors = refused.get(position)
      if (errors === undefined) {
        if (counts?.[position] !== 0) this.#touched[index] = 1
        continue
      }
      if (turns.over) await turns.next()
      const request = this.#requestsOf(requests, index)[errors.first.request] as AnyRequest
      const { bytes, at, length } = errors.first
      const error = errorFromReply(request, () => encodeRequests([request]), bytes, at, length)
      this.fail(index, await this.#explain(error, this.#items[index] as T), errors.count < (counts?.[position] ?? 1))
    }
  }

  /**
   * Ends the call: undoes what has to be, then throws `signal.reason`, or BulkError if an item failed. An item that failed
   * after something was done for it is undone in any case. `undo` may also be a function that undoes the given items,
   * which stand in reverse order, and returns those that it could not.
   */
  async finish(undo?: RequestsOf<T>, undoAll?: (indices: number[]) => Promise<number[]>): Promise<void> {
    if (!this.failed) return
    const stays = (index: number): boolean => !this.#atomic && !this.#errors.has(index)
    const undone = this.#indices(index => this.#touched[index] === 1 && !stays(index)).reverse()
    const left = undoAll !== undefined ? await undoAll(undone) : undo !== undefined ? await this.#undo(undo, undone) : undone
    if (this.#broken !== undefined) throw this.#broken as Error
    this.#signal?.throwIfAborted()
    const failures: BulkFailure[] = [...this.#errors].sort(([a], [b]) => a - b)
      .map(([index, error]) => ({ index, item: this.#items[index], error }))
    const done = this.#atomic ? left.filter(index => !this.#errors.has(index)).sort((a, b) => a - b)
      : this.#indices(index => this.#touched[index] === 1 && stays(index))
    throw new BulkError(this.#list, this.#items.length, failures, done)
  }

  async #undo(requests: RequestsOf<T>, indices: number[]): Promise<number[]> {
    const { chunks } = await this.encode(requests, indices)
    const left: number[] = []
    for (const chunk of chunks) {
      const { results: [reply] } = await this.#channel.exec([stepOf(chunk)])
      const refused = refusals(chunk, reply)
      if (isFailure(refused)) left.push(...chunk.items)
      else left.push(...chunk.items.filter((_, position) => refused.get(position)?.unexpected === true))
    }
    return left
  }

  #indices(which: (index: number) => boolean): number[] {
    const indices: number[] = []
    for (let index = 0; index < this.#items.length; index++) if (which(index)) indices.push(index)
    return indices
  }
}

/** What the kernel refused of one item. */
interface Refused {
  /** How many of its requests. */
  count: number
  /** The first: which of the item's requests, and where its NLMSG_ERROR stands. */
  first: { request: number, bytes: Buffer, at: number, length: number }
  /** One of them for another reason than that there is nothing to undo. */
  unexpected: boolean
}

function stepOf({ bytes }: Chunk): NetlinkStep & { mayFail: true } {
  return { op: 'netlink', protocol: NETLINK_ROUTE, messages: bytes, mayFail: true }
}

/** What was refused of a chunk, by place of the item in it. */
function refusals({ items, counts }: Chunk, reply: Uint8Array | StepFailure): Map<number, Refused> | StepFailure {
  if (isFailure(reply)) return reply
  const refused = new Map<number, Refused>()
  const answer = Buffer.from(reply.buffer, reply.byteOffset, reply.length)
  let starts: number[] | undefined
  for (const { at, length, index } of errorsIn(answer)) {
    if (counts !== undefined) starts ??= startsOf(counts)
    const position = starts === undefined ? index : placeOf(starts, index)
    if (position >= items.length) continue
    const unexpected = !gone.includes(-answer.readInt32LE(at + NLMSG_HDRLEN))
    const before = refused.get(position)
    if (before === undefined) {
      const request = starts === undefined ? 0 : index - (starts[position] ?? 0)
      refused.set(position, { count: 1, first: { request, bytes: answer, at, length }, unexpected })
    } else {
      before.count++
      before.unexpected ||= unexpected
    }
  }
  return refused
}

function startsOf(counts: readonly number[]): number[] {
  let next = 0
  return counts.map(count => (next += count) - count)
}

/** The last whose start is not after `request`: items without requests start where the next one does. */
function placeOf(starts: readonly number[], request: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= request) low = middle
    else high = middle - 1
  }
  return low
}
