/**
 * A growing buffer that attributes are written into, in the kernel's alignment, and the place where a value that does not
 * fit is refused: the writer knows the path of the field being written.
 */
import { InvalidArgumentError } from '../errors.ts'
import { NLA_F_NESTED, NLA_HDRLEN } from './constants.ts'

export class Writer {
  buffer: Buffer
  length = 0
  /** From the top down to the field being written: names of fields, and places in lists. */
  readonly #path: (string | number)[] = ['']
  #depth = 0

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Empty again, whatever it was in the middle of: a value that was refused leaves its path behind. */
  reset(): void {
    this.length = 0
    this.#depth = 0
    this.#path[0] = ''
  }

  /** The field being written: its name, or its place in a list. */
  set field(name: string | number) {
    this.#path[this.#depth] = name
  }

  /** What is written from now on are parts of the field. Bytes tell nothing of it: it is for errors alone. */
  enter(): void {
    this.#path[++this.#depth] = ''
  }

  leave(): void {
    this.#depth--
  }

  /** Path of the field being written: `linkinfo.data.id`, `ways[2].via`. */
  where(): string {
    let path = ''
    for (const name of this.#path.slice(0, this.#depth + 1)) {
      if (typeof name === 'number') path += `[${name}]`
      else if (name !== '') path += path === '' || name.startsWith('[') ? name : `.${name}`
    }
    return path
  }

  refuse(value: unknown, accepted: string): never {
    throw new InvalidArgumentError(this.where(), value, accepted)
  }

  /** Makes room for `size` bytes, all of which the caller writes, and returns where they start. It may replace `buffer`. */
  advance(size: number): number {
    const start = this.length
    const end = start + size
    if (end > this.buffer.length) this.#grow(end)
    this.length = end
    return start
  }

  #grow(end: number): void {
    const grown = Buffer.allocUnsafe(Math.max(end, this.buffer.length * 2))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }

  /** Makes room for `size` bytes, zeroed, and returns where they start. It may replace `buffer`. */
  reserve(size: number): number {
    const start = this.advance(size)
    const { buffer } = this
    // Most are a few bytes, for which a call of fill() would take longer than all else here.
    if (size <= 32) for (let at = start; at < start + size; at++) buffer[at] = 0
    else buffer.fill(0, start, start + size)
    return start
  }

  bytes(data: Uint8Array): void {
    const at = this.advance(data.length)
    const { buffer } = this
    if (data.length <= 32) for (let i = 0; i < data.length; i++) buffer[at + i] = data[i] as number
    else buffer.set(data, at)
  }

  /** Zero bytes up to the next multiple of four, as NLMSG_ALIGN and NLA_ALIGN want. */
  align(): void {
    const over = this.length & 3
    if (over !== 0) this.reserve(4 - over)
  }

  /** Starts an attribute; give what this returns to `endAttribute`. */
  beginAttribute(type: number, nested: boolean): number {
    const start = this.advance(NLA_HDRLEN)
    setU16(this.buffer, nested ? type | NLA_F_NESTED : type, start + 2)
    return start
  }

  endAttribute(start: number): void {
    const size = this.length - start
    // nla_len is 16 bits wide; what can grow longer (set elements) is split by its caller.
    if (size > 0xffff) this.refuse(`${size} bytes`, 'at most 65531 bytes in one netlink attribute')
    setU16(this.buffer, size, start)
    if ((size & 3) !== 0) this.align()
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}

/** As Buffer's writeUInt16LE and writeUInt32LE, which check what is known to fit, a few times as fast. */
export function setU16(buffer: Uint8Array, value: number, at: number): void {
  buffer[at] = value
  buffer[at + 1] = value >>> 8
}

export function setU32(buffer: Uint8Array, value: number, at: number): void {
  buffer[at] = value
  buffer[at + 1] = value >>> 8
  buffer[at + 2] = value >>> 16
  buffer[at + 3] = value >>> 24
}

export function setBe16(buffer: Uint8Array, value: number, at: number): void {
  buffer[at] = value >>> 8
  buffer[at + 1] = value
}

export function setBe32(buffer: Uint8Array, value: number, at: number): void {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
}
