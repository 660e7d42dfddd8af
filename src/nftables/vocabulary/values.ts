/** Values as people write them, and as they stand in registers. */
import { InvalidArgumentError } from '../../errors.ts'
import { ipv4Bytes, parseIPv4, parseIp } from '../../ip.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../../netlink/codecs.ts'
import { datatypes, parseValue } from '../datatypes.ts'
import type { DatatypeName } from '../datatypes.ts'
import type { ValueType } from './parts.ts'

/** One value: a number, a name or address in nft's notation, or bytes as they stand in the packet. */
export type Scalar = string | number | bigint | boolean | Uint8Array | readonly string[]

export interface Range<S = Scalar> {
  from: S
  to: S
}

/** The values from `from` to `to`, both included; the same as `'1-9'`. */
export function range<S extends Scalar>(from: S, to: S): Range<S> {
  return { from, to }
}

export function isRange(value: unknown): value is Range {
  return typeof value === 'object' && value !== null && 'from' in value && 'to' in value
}

/** A value type of the size and order that the data type itself has. */
export function valueType(type: DatatypeName, { size = datatypes[type].size ?? 4, order = datatypes[type].order } = {}): ValueType {
  return { type, size, order }
}

/** One value or a range, in bytes; a single value has no `to`. `stem`: only so many bytes of it count, of `eth*`. */
export interface Bytes {
  from: Uint8Array
  to?: Uint8Array
  /** Bits of an address that count, of a prefix. */
  prefix?: number
  stem?: number
}

/** A value, a range or a prefix. Throws InvalidArgumentError with `field`. */
export function parseBytes(field: string, type: ValueType, value: unknown): Bytes {
  if (typeof value === 'string') {
    const parsed = parseText(field, type, value)
    if (parsed !== undefined) return parsed
  } else if (isRange(value)) {
    return between(field, value, parseScalar(`${field}.from`, type, value.from), parseScalar(`${field}.to`, type, value.to), type)
  }
  return { from: parseScalar(field, type, value) }
}

function parseText(field: string, type: ValueType, text: string): Bytes | undefined {
  const { form, symbols } = datatypes[type.type]
  if (type.type === 'ifname') return parsePattern(field, text)
  if (form === 'ip') {
    const slash = text.indexOf('/')
    if (slash >= 0) return parsePrefixBytes(field, type, text, slash)
  }
  const dash = text.indexOf('-', 1)
  if (dash < 0 || form === 'name' || form === 'quoted' || form === 'date') return undefined
  if (symbols !== undefined && Object.hasOwn(symbols, text)) return undefined
  if (form !== 'ip' && form !== 'mac' && !/^(0x[0-9a-f]+|\d+)-(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined
  const [from, to] = [text.slice(0, dash), text.slice(dash + 1)]
  return between(field, text, parseScalar(field, type, from), parseScalar(field, type, to), type)
}

function between(field: string, value: unknown, from: Uint8Array, to: Uint8Array, { order }: ValueType): Bytes {
  const backwards = order === 'big' ? Buffer.compare(from, to) > 0 : Buffer.compare(from.toReversed(), to.toReversed()) > 0
  if (backwards) throw new InvalidArgumentError(field, value, 'a range whose first value is not above its last')
  return Buffer.compare(from, to) === 0 ? { from } : { from, to }
}

/** `eth*` matches all names that begin with `eth`. */
function parsePattern(field: string, text: string): Bytes {
  const pattern = text.length > 1 && text.endsWith('*')
  const stem = pattern ? text.slice(0, -1) : text
  if (!isInterfaceName(stem)) throw new InvalidArgumentError(field, text, `${INTERFACE_NAME_RULE}; a final * matches any rest`)
  // Byte by byte, where it is ASCII: a view on the bytes for Buffer would cost more than all else.
  const from = new Uint8Array(16)
  let length = 0
  for (; length < stem.length; length++) {
    const code = stem.charCodeAt(length)
    if (code > 0x7f) {
      length = Buffer.from(from.buffer).write(stem)
      break
    }
    from[length] = code
  }
  return pattern ? { from, stem: length } : { from }
}

function parsePrefixBytes(field: string, type: ValueType, text: string, slash: number): Bytes {
  const digits = text.slice(slash + 1)
  const prefix = /^(0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : NaN
  const address = parseAddress(type.size, text.slice(0, slash))
  if (address === undefined || !(prefix <= type.size * 8)) {
    throw new InvalidArgumentError(field, text, `an IPv${type.size === 4 ? 4 : 6} address or prefix`)
  }
  const to = new Uint8Array(address)
  for (let bit = prefix; bit < type.size * 8;) {
    const at = bit >> 3
    const mask = 0xff >> (bit & 7)
    address[at] = (address[at] ?? 0) & ~mask
    to[at] = (to[at] ?? 0) | mask
    bit = (at + 1) * 8
  }
  return prefix === type.size * 8 ? { from: address } : { from: address, to, prefix }
}

/** One value. */
export function parseScalar(field: string, type: ValueType, value: unknown): Uint8Array {
  const { size, order } = type
  if (typeof value === 'number' && fits(value, size)) return numberBytes(value, size, order)
  if (datatypes[type.type].form === 'ip') {
    const bytes = typeof value === 'string' ? parseAddress(size, value) : value instanceof Uint8Array ? value : undefined
    if (bytes?.length === size) return bytes
    throw new InvalidArgumentError(field, value, `an IPv${size === 4 ? 4 : 6} address or prefix`)
  }
  if (type.type === 'ct_label' && typeof value === 'number') return labelBit(field, value)
  return parseValue(datatypes[type.type], value, field, { size, order })
}

function fits(value: number, size: number): boolean {
  return size <= 4 && Number.isInteger(value) && value >= 0 && value < 2 ** (size * 8)
}

export function numberBytes(value: number, size: number, order: 'big' | 'host'): Uint8Array {
  const bytes = new Uint8Array(size)
  putNumber(bytes, 0, value, size, order)
  return bytes
}

function putNumber(bytes: Uint8Array, start: number, value: number, size: number, order: 'big' | 'host'): void {
  for (let at = 0; at < size; at++) bytes[start + (order === 'big' ? size - 1 - at : at)] = value >>> 8 * at
}

/** Writes what needs no more than that: a number, an IPv4 address. False for anything else, right or wrong: see `parseBytes`. */
export function putPlain(bytes: Uint8Array, at: number, { type, size, order }: ValueType, value: unknown): boolean {
  const isAddress = typeof value === 'string' && size === 4 && datatypes[type].form === 'ip'
  const number = isAddress ? parseIPv4(value) : typeof value === 'number' && fits(value, size) ? value : undefined
  if (number === undefined) return false
  putNumber(bytes, at, number, size, order)
  return true
}

/** Labels of a connection are named by their bit, 0 to 127. */
function labelBit(field: string, bit: number): Uint8Array {
  if (!Number.isInteger(bit) || bit < 0 || bit > 127) throw new InvalidArgumentError(field, bit, 'the number of a label, 0 to 127')
  const bytes = new Uint8Array(16)
  bytes[bit >> 3] = 1 << (bit & 7)
  return bytes
}

/** Of the family that the size says; undefined for anything else. */
export function parseAddress(size: number, text: string): Uint8Array | undefined {
  return size === 4 ? ipv4Bytes(text) : text.includes(':') ? parseIp(text) : undefined
}

/** The value after the last of an interval; undefined behind the greatest. */
export function successor(bytes: Uint8Array): Uint8Array | undefined {
  const next = new Uint8Array(bytes)
  for (let at = next.length - 1; at >= 0; at--) {
    if (next[at] === 0xff) {
      next[at] = 0
      continue
    }
    next[at] = (next[at] ?? 0) + 1
    return next
  }
  return undefined
}
