/** Messages that nobody asked for, and those of dumps, taken apart without reading all of them. */
import { NLMSG_HDRLEN } from './constants.ts'
import { decodeBody } from './message.ts'
import type { Message, MessageFormat } from './message.ts'

/** A message as the kernel wrote it, read when it is asked for. */
export class Notice implements Message {
  readonly type: number
  /** NLM_F_*. */
  readonly flags: number
  /** What follows the nlmsghdr. */
  readonly body: Buffer
  readonly format: MessageFormat
  #decoded: Pick<Message, 'header' | 'attributes'> | undefined

  constructor(type: number, flags: number, body: Buffer, format: MessageFormat) {
    this.type = type
    this.flags = flags
    this.body = body
    this.format = format
  }

  get header(): Message['header'] {
    return this.#read().header
  }

  get attributes(): Message['attributes'] {
    return this.#read().attributes
  }

  #read(): Pick<Message, 'header' | 'attributes'> {
    this.#decoded ??= decodeBody(this.format, this.body, 0, this.body.length)
    return this.#decoded
  }
}

/** Messages that stand one behind the other, with their bodies; one that is cut short is left out. */
export function* bodies(bytes: Buffer): Generator<{ type: number, flags: number, body: Buffer }, undefined> {
  for (let at = 0; at + NLMSG_HDRLEN <= bytes.length;) {
    const length = bytes.readUInt32LE(at)
    if (length < NLMSG_HDRLEN || at + length > bytes.length) return
    yield { type: bytes.readUInt16LE(at + 4), flags: bytes.readUInt16LE(at + 6), body: bytes.subarray(at + NLMSG_HDRLEN, at + length) }
    at += (length + 3) & ~3
  }
}
