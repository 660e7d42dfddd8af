/**
 * A growing buffer that attributes are written into, in the kernel's alignment, and the place where a value that does not
 * fit is refused: the writer knows the path of the field being written.
 */
import { InvalidArgumentError } from '../errors.ts'
import { NLA_F_NESTED, NLA_HDRLEN } from './constants.ts'

export class Writer {
  buffer: Buffer
  length = 0
  /** Dotted path of the table being written, '' at the top. */
  path = ''
  /** Name of the field being written. */
  field = ''

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Makes room for `size` bytes, zeroed, and returns where they start. */
  reserve(size: number): number {
    const start = this.length
    const end = start + size
    if (end > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, this.buffer.length * 2))
      this.buffer.copy(grown, 0, 0, start)
      this.buffer = grown
    }
    // Most are a few bytes, for which a call of fill() would take longer than all else here.
    if (size <= 32) for (let at = start; at < end; at++) this.buffer[at] = 0
    else this.buffer.fill(0, start, end)
    this.length = end
    return start
  }

  bytes(data: Uint8Array): void {
    // Reserve first: it may replace `this.buffer`.
    const at = this.reserve(data.length)
    this.buffer.set(data, at)
  }

  /** Zero bytes up to the next multiple of four, as NLMSG_ALIGN and NLA_ALIGN want. */
  align(): void {
    const over = this.length & 3
    if (over !== 0) this.reserve(4 - over)
  }

  /** Starts an attribute; give what this returns to `endAttribute`. */
  beginAttribute(type: number, nested: boolean): number {
    const start = this.reserve(NLA_HDRLEN)
    this.buffer.writeUInt16LE(nested ? type | NLA_F_NESTED : type, start + 2)
    return start
  }

  endAttribute(start: number): void {
    const size = this.length - start
    // nla_len is 16 bits wide; what can grow longer (set elements) is split by its caller.
    if (size > 0xffff) this.refuse(`${size} bytes`, 'at most 65531 bytes in one netlink attribute')
    this.buffer.writeUInt16LE(size, start)
    this.align()
  }

  /** Path of the field being written. */
  where(): string {
    return this.path === '' ? this.field : this.field === '' ? this.path : `${this.path}.${this.field}`
  }

  refuse(value: unknown, accepted: string): never {
    throw new InvalidArgumentError(this.where(), value, accepted)
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length)
  }
}
