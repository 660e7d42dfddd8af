/**
 * How one value stands in a netlink attribute or header: typed both ways, and strict when writing. Numbers are in host
 * order unless the name says `be`; virbr runs on little-endian machines only (x64, arm64).
 */
import { formatIp, parseIPv4, parseIp } from '../ip.ts'
import { setBe16, setBe32, setU16, setU32 } from './writer.ts'
import type { Writer } from './writer.ts'

/** `parent` is the object that the value belongs to: some attributes' form depends on a sibling (link kinds). */
export interface Codec<T> {
  /** Carries attributes: written with NLA_F_NESTED. */
  readonly nested?: boolean
  /** Fewest bytes that it can be read from; an attribute with less is kept raw. */
  readonly size?: number
  /** What only the kernel sets: `readOnly`. */
  readonly readOnly?: boolean
  /** Values that are said by leaving the attribute out. */
  omits?(value: T): boolean
  encode(writer: Writer, value: T, parent: object): void
  decode(bytes: Buffer, start: number, end: number, parent: object): T
}

/** A codec whose values all have the same size, so that it can stand in a header. */
export interface FixedCodec<T> extends Codec<T> {
  readonly size: number
}

/** A number of fixed size. */
export interface NumberCodec extends FixedCodec<number> {
  /** The greatest that it holds. */
  readonly max: number
}

export type CodecValue<C> = C extends Codec<infer T> ? T : never

function integer(
  size: number, min: number, max: number,
  write: (buffer: Buffer, value: number, at: number) => void,
  read: (buffer: Buffer, at: number) => number,
): NumberCodec {
  return {
    size,
    max,
    encode(writer, value) {
      if (!Number.isInteger(value) || value < min || value > max) writer.refuse(value, `an integer from ${min} to ${max}`)
      // Advance first: it may replace `writer.buffer`.
      const at = writer.advance(size)
      write(writer.buffer, value, at)
    },
    decode: (bytes, start) => read(bytes, start),
  }
}

export const u8: NumberCodec = integer(1, 0, 0xff, (b, v, at) => { b[at] = v }, (b, at) => b.readUInt8(at))
export const u16: NumberCodec = integer(2, 0, 0xffff, setU16, (b, at) => b.readUInt16LE(at))
export const u32: NumberCodec = integer(4, 0, 0xffffffff, setU32, (b, at) => b.readUInt32LE(at))
export const s32: NumberCodec = integer(4, -0x80000000, 0x7fffffff, setU32, (b, at) => b.readInt32LE(at))
export const be16: NumberCodec = integer(2, 0, 0xffff, setBe16, (b, at) => b.readUInt16BE(at))
export const be32: NumberCodec = integer(4, 0, 0xffffffff, setBe32, (b, at) => b.readUInt32BE(at))
/** A signed 32-bit number in network order (nf_tables chain priorities). */
export const sbe32: NumberCodec = integer(4, -0x80000000, 0x7fffffff, setBe32, (b, at) => b.readInt32BE(at))

function integer64(
  write: (buffer: Buffer, value: bigint, at: number) => void,
  read: (buffer: Buffer, at: number) => bigint,
): FixedCodec<bigint> {
  return {
    size: 8,
    encode(writer, value) {
      if (typeof value !== 'bigint' || value < 0n || value > 0xffffffffffffffffn) writer.refuse(value, 'a bigint from 0 to 2^64-1')
      const at = writer.reserve(8)
      write(writer.buffer, value, at)
    },
    decode: (bytes, start) => read(bytes, start),
  }
}
export const u64: FixedCodec<bigint> = integer64((b, v, at) => b.writeBigUInt64LE(v, at), (b, at) => b.readBigUInt64LE(at))
export const be64: FixedCodec<bigint> = integer64((b, v, at) => b.writeBigUInt64BE(v, at), (b, at) => b.readBigUInt64BE(at))

function counter(codec: FixedCodec<bigint>, highAt: 0 | 4, read: (buffer: Buffer, at: number) => number): NumberCodec {
  return {
    size: 8,
    max: Number.MAX_SAFE_INTEGER,
    encode(writer, value, parent) {
      if (!Number.isSafeInteger(value) || value < 0) writer.refuse(value, 'an integer from 0 to 2^53-1')
      codec.encode(writer, BigInt(value), parent)
    },
    // Halves, not a bigint that would live for a moment only: a link has 23 counters.
    decode: (bytes, start) => read(bytes, start + highAt) * 2 ** 32 + read(bytes, start + 4 - highAt),
  }
}
/** A 64-bit count of packets or bytes as a plain number, exact to 2^53 (nine petabytes). */
export const counter64: NumberCodec = counter(u64, 4, (b, at) => b.readUInt32LE(at))
export const beCounter64: NumberCodec = counter(be64, 0, (b, at) => b.readUInt32BE(at))

/** `size` bytes that mean nothing: written as zeros, read as undefined. Fields of headers named `_…`. */
export function padding(size: number): FixedCodec<undefined> {
  return { size, encode: writer => { writer.reserve(size) }, decode: () => undefined }
}

/** A u8 that is 0 or 1. */
export const bool8: FixedCodec<boolean> = {
  size: 1,
  encode(writer, value) {
    if (typeof value !== 'boolean') writer.refuse(value, 'true or false')
    const at = writer.reserve(1)
    writer.buffer[at] = value ? 1 : 0
  },
  decode: (bytes, start) => bytes[start] !== 0,
}

/** A u32 that is 0 or 1. */
export const bool32: FixedCodec<boolean> = {
  size: 4,
  encode(writer, value) {
    if (typeof value !== 'boolean') writer.refuse(value, 'true or false')
    const at = writer.reserve(4)
    writer.buffer[at] = value ? 1 : 0
  },
  decode: (bytes, start) => bytes.readUInt32LE(start) !== 0,
}

/** NLA_FLAG: true by being there. Some are read with a byte that says it (IFLA_VXLAN_TTL_INHERIT). */
export const flag: Codec<boolean> = {
  omits: value => value === false,
  encode(writer, value) {
    if (typeof value !== 'boolean') writer.refuse(value, 'true or false')
  },
  decode: (bytes, start, end) => start === end || bytes[start] !== 0,
}

/** A number that is to lie between `min` and `max` when written. */
export function ranged(codec: NumberCodec, min: number, max: number): NumberCodec {
  return {
    size: codec.size,
    max,
    encode(writer, value, parent) {
      if (!Number.isInteger(value) || value < min || value > max) writer.refuse(value, `an integer from ${min} to ${max}`)
      codec.encode(writer, value, parent)
    },
    decode: (bytes, start, end, parent) => codec.decode(bytes, start, end, parent),
  }
}

/** Names for small numbers; an unknown number is read as itself, so nothing is lost. */
export function named<const N extends Record<string, number>>(codec: FixedCodec<number>, names: N): FixedCodec<keyof N & string | number> {
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name as keyof N & string]))
  return {
    size: codec.size,
    encode(writer, value, parent) {
      const number = typeof value === 'number' ? value
        : typeof value === 'string' && Object.hasOwn(names, value) ? names[value] : undefined
      if (number === undefined) return writer.refuse(value, `one of ${Object.keys(names).join(', ')}`)
      codec.encode(writer, number, parent)
    },
    decode(bytes, start, end, parent) {
      const number = codec.decode(bytes, start, end, parent)
      return byNumber.get(number) ?? number
    },
  }
}

/** A number in another unit: the wire counts in steps of `unit`, rounded down, e.g. milliseconds in hundredths of a second. */
export function scaled(codec: NumberCodec, unit: number): NumberCodec {
  const { size } = codec
  const max = Math.min(codec.max * unit, Number.MAX_SAFE_INTEGER)
  // A thousandth is exact as a quotient only, and 0.003 times 1000 may be a little less than 3.
  const [times, by] = unit < 1 ? [Math.round(1 / unit), 1] : [1, unit]
  return {
    size,
    max,
    encode(writer, value, parent) {
      if (typeof value !== 'number' || !(value >= 0 && value <= max)) writer.refuse(value, `a number from 0 to ${max}`)
      codec.encode(writer, Math.floor(value * times / by + 1e-5), parent)
    },
    decode: (bytes, start, end, parent) => codec.decode(bytes, start, end, parent) * by / times,
  }
}

/** What only the kernel sets. It would ignore the attribute in silence. */
export function readOnly<T>(codec: Codec<T>): Codec<T> {
  return {
    size: codec.size ?? 0,
    readOnly: true,
    encode: (writer, value) => writer.refuse(value, 'nothing: it can only be read'),
    decode: (bytes, start, end, parent) => codec.decode(bytes, start, end, parent),
  }
}

/** Names, nearly all of them: without the way through Node's C++. False: nothing has been written. */
function writeAscii(writer: Writer, value: string, max: number, terminators: 0 | 1): boolean {
  const { length } = value
  if (length > max || length > 64) return false
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code === 0 || code > 0x7f) return false
  }
  const at = writer.advance(length + terminators)
  const { buffer } = writer
  for (let i = 0; i < length; i++) buffer[at + i] = value.charCodeAt(i)
  if (terminators === 1) buffer[at + length] = 0
  return true
}

function writeText(writer: Writer, value: string, max: number, terminators: 0 | 1): void {
  const length = Buffer.byteLength(value)
  if (length > max || value.includes('\0')) writer.refuse(value, `at most ${max} bytes without NUL`)
  const at = writer.reserve(length + terminators)
  writer.buffer.write(value, at)
}

/** A NUL-terminated string of at most `max` bytes, NUL not counted. */
export function string(max: number): Codec<string> {
  let last = ''
  return {
    encode(writer, value) {
      if (typeof value !== 'string') writer.refuse(value, 'a string')
      if (!writeAscii(writer, value, max, 1)) writeText(writer, value, max, 1)
    },
    decode(bytes, start, end) {
      while (end > start && bytes[end - 1] === 0) end--
      // In long lists the same names come again and again: of the table, the chain, the master's kind.
      if (last.length === end - start && isText(bytes, start, last)) return last
      last = bytes.toString('utf8', start, end)
      return last
    },
  }
}

function isText(bytes: Uint8Array, start: number, ascii: string): boolean {
  for (let i = 0; i < ascii.length; i++) {
    const code = ascii.charCodeAt(i)
    if (code > 0x7f || bytes[start + i] !== code) return false
  }
  return true
}

/**
 * The kernel's rule for interface names (net/core/dev.c, dev_valid_name). Refused too: `:`, as iproute2 does, and `%`,
 * which no name contains, since it lets the kernel choose a number (`tap%d`).
 */
export function isInterfaceName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name !== '.' && name !== '..' &&
    name.length <= 15 && (/^[\w.-]+$/.test(name) || (Buffer.byteLength(name) <= 15 && !/[/:%\s\0]/.test(name)))
}
export const INTERFACE_NAME_RULE = "an interface name: 1 to 15 bytes, no '/', ':', '%' or white space, not '.' or '..'"

const shortString = string(15)

export const interfaceName: Codec<string> = {
  encode(writer, value, parent) {
    if (!isInterfaceName(value)) writer.refuse(value, INTERFACE_NAME_RULE)
    shortString.encode(writer, value, parent)
  },
  decode: shortString.decode,
}

/** Six bytes from `aa:bb:cc:dd:ee:ff`. False: it is something else, and what has been written is of no use. */
export function writeMac(writer: Writer, text: string): boolean {
  const at = writer.advance(6)
  const { buffer } = writer
  for (let i = 0; i < 6; i++) {
    const [high, low] = [hexDigit(text.charCodeAt(3 * i)), hexDigit(text.charCodeAt(3 * i + 1))]
    if (high < 0 || low < 0 || (i < 5 && text.charCodeAt(3 * i + 2) !== 0x3a)) return false
    buffer[at + i] = high << 4 | low
  }
  return true
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** A hardware address of any length as `aa:bb:cc:dd:ee:ff`; six bytes when written. */
export const hardwareAddress: Codec<string> = {
  encode(writer, value) {
    if (typeof value !== 'string' || value.length !== 17 || !writeMac(writer, value)) writer.refuse(value, 'a MAC address like 52:54:00:12:34:56')
  },
  decode: (bytes, start, end) => hexWithColons(bytes, start, end),
}

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** `aa:bb:cc`. */
export function hexWithColons(bytes: Uint8Array, start: number, end: number): string {
  let text = start < end ? hexOf[bytes[start] as number] as string : ''
  for (let at = start + 1; at < end; at++) text += `:${hexOf[bytes[at] as number] as string}`
  return text
}

/** An IPv4 or IPv6 address. */
export const ip: Codec<string> = {
  encode(writer, value) {
    if (typeof value === 'string' && writeIPv4(writer, value)) return
    const bytes = typeof value === 'string' ? parseIp(value) : undefined
    if (bytes === undefined) return writer.refuse(value, 'an IPv4 or IPv6 address')
    writer.bytes(bytes)
  },
  decode: (bytes, start, end) => formatIp(bytes.subarray(start, end)) ?? bytes.toString('hex', start, end),
}

/** False: it is no IPv4 address, and nothing has been written. */
function writeIPv4(writer: Writer, text: string): boolean {
  const number = parseIPv4(text)
  if (number === undefined) return false
  const at = writer.advance(4)
  setBe32(writer.buffer, number, at)
  return true
}

function ipOf(size: 4 | 16, accepted: string): FixedCodec<string> {
  return {
    size,
    encode(writer, value) {
      if (size === 4 && typeof value === 'string' && writeIPv4(writer, value)) return
      const bytes = typeof value === 'string' ? parseIp(value) : undefined
      if (bytes?.length !== size) return writer.refuse(value, accepted)
      writer.bytes(bytes)
    },
    decode: (bytes, start) => formatIp(bytes.subarray(start, start + size)) ?? '',
  }
}
export const ip4 = ipOf(4, 'an IPv4 address')
export const ip6 = ipOf(16, 'an IPv6 address')

/** A copy of some bytes: the reply that they stand in may be large, and would live as long as a view of it. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start)
  // A view, to copy from, is a larger object than most of these.
  if (end - start <= 64) for (let i = start; i < end; i++) copy[i - start] = bytes[i] as number
  else copy.set(bytes.subarray(start, end))
  return copy
}

export const raw: Codec<Uint8Array> = {
  encode(writer, value) {
    if (!(value instanceof Uint8Array)) writer.refuse(value, 'a Uint8Array')
    writer.bytes(value)
  },
  decode: copyOf,
}

/** A string of at most `max` bytes without a terminator. */
export function text(max: number): Codec<string> {
  return {
    encode(writer, value) {
      if (typeof value !== 'string') writer.refuse(value, 'a string')
      if (!writeAscii(writer, value, max, 0)) writeText(writer, value, max, 0)
    },
    decode: string(max).decode,
  }
}
