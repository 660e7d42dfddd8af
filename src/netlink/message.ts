/** Requests as plain data, a batch of them as one Buffer, and the replies back as plain data. */
import { InvalidArgumentError } from '../errors.ts'
import { NLMSG_DONE, NLMSG_ERROR, NLMSG_HDRLEN, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from './constants.ts'
import type { NetlinkError } from './error.ts'
import { errorFromReply } from './extack.ts'
import type { Entries, Fields, Struct, StructInput, StructValues, Table, Values } from './table.ts'
import { Writer, setU16, setU32 } from './writer.ts'

/** What follows the nlmsghdr: a struct, then attributes. */
export interface MessageFormat<F extends Fields = Fields, E extends Entries = Entries> {
  header: Struct<F>
  attributes: Table<E>
}

export interface Request<F extends Fields = Fields, E extends Entries = Entries> {
  /** e.g. RTM_NEWLINK. */
  type: number
  /** Besides NLM_F_REQUEST. */
  flags: number
  format: MessageFormat<F, E>
  /** Of the messages that answer it, if that is another. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  reply?: MessageFormat<any, any>
  header: StructInput<F>
  attributes: Values<E>
  /** What it does, in words, for errors: `create bridge virbr0`. */
  operation: string
  /** Where the caller's names differ from the paths of the attributes: `linkinfo.data` → `bridge`. For InvalidArgumentError. */
  callerNames?: Record<string, string>
}

/** A request of any format. The codecs check the values when it is encoded. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyRequest = Request<any, any>

export interface Message<F extends Fields = Fields, E extends Entries = Entries> {
  type: number
  flags: number
  header: StructValues<F>
  attributes: Values<E>
}

/** A change: acknowledged. The request itself, which has just been made. */
export function change<F extends Fields, E extends Entries>(request: Request<F, E>): Request<F, E> {
  request.flags |= NLM_F_ACK
  return request
}

/** Everything that matches. The request itself, which has just been made. */
export function dump<F extends Fields, E extends Entries>(request: Request<F, E>): Request<F, E> {
  request.flags |= NLM_F_DUMP
  return request
}

/**
 * One Buffer for many requests, as the native side takes them: `nlmsg_seq` is the index of the request.
 * Throws InvalidArgumentError for a value that does not fit; nothing has been sent then.
 */
export function encodeRequests(requests: readonly AnyRequest[], firstIndex = 0): Buffer {
  const writer = scratch ?? new Writer(1 << 16)
  scratch = undefined
  writer.reset()
  for (const [index, request] of requests.entries()) encodeRequest(writer, request, firstIndex + index)
  if (writer.buffer.length <= mostScratch) scratch = writer
  return Buffer.from(writer.finish())
}

/** What requests are written into, to be copied in their true size: to let each call grow a buffer would cost several copies. */
let scratch: Writer | undefined
const mostScratch = 4 << 20

/** Appends one request. Throws InvalidArgumentError; what the writer then holds is of no use. `flags`: in place of the request's. */
export function encodeRequest(writer: Writer, request: AnyRequest, sequence: number, flags: number = request.flags): void {
  const start = writer.reserve(NLMSG_HDRLEN)
  try {
    request.format.header.encode(writer, request.header)
    writer.align()
    request.format.attributes.encode(writer, request.attributes)
  } catch (error) {
    throw error instanceof InvalidArgumentError ? inCallersWords(error, request.callerNames) : error
  }
  const { buffer } = writer
  setU32(buffer, writer.length - start, start)
  setU16(buffer, request.type, start + 4)
  setU16(buffer, flags | NLM_F_REQUEST, start + 6)
  setU32(buffer, sequence, start + 8)
}

function inCallersWords(error: InvalidArgumentError, names: Record<string, string> = {}): InvalidArgumentError {
  const { field, value, accepted } = error
  const path = Object.keys(names).find(path => field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`))
  return path === undefined ? error : new InvalidArgumentError(`${names[path]}${field.slice(path.length)}`, value, accepted)
}

/** What the kernel answered, by index of the request. */
export class Replies {
  readonly messages: Message[][]
  readonly #requests: readonly AnyRequest[]
  /** Where each request's NLMSG_ERROR stands; sparse. */
  readonly #errorsAt: number[] = []
  readonly #bytes: Buffer

  constructor(requests: readonly AnyRequest[], bytes: Buffer) {
    this.#requests = requests
    this.#bytes = bytes
    this.messages = requests.map(() => [])
  }

  /** No reply at all: the first request has failed with a positive errno. */
  static none(requests: readonly AnyRequest[], errno: number): Replies {
    const bytes = Buffer.alloc(NLMSG_HDRLEN + 4)
    bytes.writeUInt32LE(bytes.length)
    bytes.writeInt32LE(-errno, NLMSG_HDRLEN)
    const replies = new Replies(requests, bytes)
    replies.addError(0, 0)
    return replies
  }

  addError(index: number, at: number): void {
    this.#errorsAt[index] ??= at
  }

  /** Positive errno of a request that was refused, 0 of one that was not. */
  errno(index: number): number {
    const at = this.#errorsAt[index]
    return at === undefined ? 0 : -this.#bytes.readInt32LE(at + NLMSG_HDRLEN)
  }

  /** The error of one request. Made when it is asked for: many are expected, and a stack trace is not free. */
  errorOf(index: number): NetlinkError | undefined {
    const request = this.#requests[index]
    const at = this.#errorsAt[index]
    if (request === undefined || at === undefined) return undefined
    return errorFromReply(request, () => encodeRequests([request]), this.#bytes, at, this.#bytes.readUInt32LE(at))
  }

  /** The first error in order of the requests, leaving out those with an errno that is `expected`. */
  firstError(...expected: number[]): NetlinkError | undefined {
    const index = this.#errorsAt.findIndex((at, position) => at !== undefined && !expected.includes(this.errno(position)))
    return this.errorOf(index)
  }

  get error(): NetlinkError | undefined {
    return this.firstError()
  }
}

/** Sorts a native reply by request and decodes it; `nlmsg_seq` is the index of the request. */
export function decodeReplies(requests: readonly AnyRequest[], reply: Uint8Array): Replies {
  const bytes = Buffer.from(reply.buffer, reply.byteOffset, reply.length)
  const replies = new Replies(requests, bytes)
  for (let at = 0; at + NLMSG_HDRLEN <= bytes.length;) {
    const length = bytes.readUInt32LE(at)
    if (length < NLMSG_HDRLEN || at + length > bytes.length) break
    const type = bytes.readUInt16LE(at + 4)
    const flags = bytes.readUInt16LE(at + 6)
    const index = bytes.readUInt32LE(at + 8)
    const request = requests[index]
    // One that ends before its own header says nothing that could be read.
    const readable = request !== undefined && length >= NLMSG_HDRLEN + (type === NLMSG_ERROR ? 4 : replyFormat(request).header.size)
    if (readable && type === NLMSG_ERROR) {
      replies.addError(index, at)
    } else if (readable && type !== NLMSG_DONE) {
      const { header, attributes } = decodeBody(replyFormat(request), bytes, at + NLMSG_HDRLEN, at + length)
      replies.messages[index]?.push({ type, flags, header, attributes })
    }
    at += (length + 3) & ~3
  }
  return replies
}

/** Where each NLMSG_ERROR of a native reply stands, with the index of its request, in order of arrival. */
export function* errorsIn(bytes: Buffer): Generator<{ at: number, length: number, index: number }> {
  for (let at = 0; at + NLMSG_HDRLEN <= bytes.length;) {
    const length = bytes.readUInt32LE(at)
    if (length < NLMSG_HDRLEN || at + length > bytes.length) return
    const isError = bytes.readUInt16LE(at + 4) === NLMSG_ERROR && length >= NLMSG_HDRLEN + 4
    if (isError) yield { at, length, index: bytes.readUInt32LE(at + 8) }
    at += (length + 3) & ~3
  }
}

function replyFormat({ format, reply = format }: AnyRequest): MessageFormat {
  return reply as MessageFormat
}

/** What follows the nlmsghdr, from `start` to `end`. */
export function decodeBody(format: MessageFormat, bytes: Buffer, start: number, end: number): Pick<Message, 'header' | 'attributes'> {
  const attributesAt = start + ((format.header.size + 3) & ~3)
  return { header: format.header.decode(bytes, start), attributes: format.attributes.decode(bytes, attributesAt, end) }
}
