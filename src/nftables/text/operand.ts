/** What stands in a register, as nft writes it, with what is needed to write the values it is compared with. */
import { datatypes, formatValue, fromBigInt, toBigInt } from '../datatypes.ts'
import type { Datatype } from '../datatypes.ts'
import type { HeaderBase, HeaderName, KeyType } from '../headers.ts'

export interface Operand {
  /** e.g. `ip saddr`. */
  text: string
  type: Datatype
  /** In bytes. */
  size: number
  order: 'big' | 'host'
  /** What nft puts before it by itself, e.g. `meta l4proto tcp`; see dependencies.ts. */
  implies: readonly string[]
  /** Where in the packet it comes from, in bits, until a mask has told which field it is. */
  place?: { base: HeaderBase, header: HeaderName | undefined, offset: number, length: number }
  /** The field at so many bits of what was loaded; it has no text of its own then. */
  partAt?(offset: number, length: number): Operand | undefined
  /** How far its values stand from the right of its bytes. */
  shift?: number
  /** `(value & mask) ^ xor`. */
  mask?: Uint8Array
  xor?: Uint8Array
  /** The value is a constant. */
  constant?: Uint8Array
  /** It comes out of a map, whose data may be several values. */
  map?: { types: readonly Datatype[], isInterval: boolean }
  /** Only its first bits are loaded: it is compared with prefixes. */
  isPrefix?: boolean
}

export function keyOperand(text: string, { type, size, order }: KeyType, implies: readonly string[] = []): Operand {
  return { text, type: datatypes[type], size, order, implies }
}

export function numberOperand(text: string, size: number, order: 'big' | 'host', implies: readonly string[] = []): Operand {
  return { text, type: datatypes.integer, size, order, implies }
}

/** One value as nft writes it beside this operand. */
export function valueText(operand: Operand, bytes: Uint8Array): string {
  const { type, order, shift = 0 } = operand
  if (shift > 0) {
    const shifted = fromBigInt(toBigInt(bytes, 'big') >> BigInt(shift), bytes.length, 'big')
    return valueText({ ...operand, shift: 0 }, shifted?.subarray(-operand.size) ?? bytes)
  }
  if (type.name === 'ifname') return nameText(bytes)
  if (type.name === 'integer' && bytes.length > 8) return `0x${toBigInt(bytes, order).toString(16)}`
  return formatValue(type, bytes, order)
}

/** The first and the last of a range. Names are written as numbers: `cs1-ef` would be one word to nft. */
export function rangeOf(operand: Operand, from: Uint8Array, to: Uint8Array): string {
  return `${numberText(operand, from)}-${numberText(operand, to)}`
}

/** A value without its name, where nft takes names for something else. */
export function numberText(operand: Operand, bytes: Uint8Array): string {
  const { type } = operand
  if (type.bitmask || type.form === 'quoted' || (type.symbols === undefined && type.form !== 'protocol')) return valueText(operand, bytes)
  const { symbols: _names, form, ...number } = type
  return valueText({ ...operand, type: form === undefined || form === 'protocol' ? number : { ...number, form } }, bytes)
}

/** A name that fills less than its field stands for all that begin so. */
export function nameText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  const name = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString()
  return end < 0 && bytes.length < 16 ? `"${name}*"` : `"${name.replace(/\*$/, '\\*')}"`
}

/** `10.0.0.0/8`. Bytes that were not loaded are zero. */
export function prefixText(type: Datatype, bytes: Uint8Array, prefix: number): string {
  const whole = new Uint8Array(type.size ?? bytes.length)
  whole.set(bytes)
  return `${formatValue(type, whole)}/${prefix}`
}

/** Length of a mask whose set bits all stand first; undefined if they do not. */
export function prefixOf(mask: Uint8Array): number | undefined {
  const bits = Array.from(mask, byte => byte.toString(2).padStart(8, '0')).join('')
  const length = bits.indexOf('0')
  if (length < 0) return bits.length
  return bits.indexOf('1', length) < 0 ? length : undefined
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte === 0)
}

/** The bits of a mask that are set, if they stand side by side: from where, and how many. */
export function bitRange(mask: Uint8Array): { offset: number, length: number } | undefined {
  const bits = Array.from(mask, byte => byte.toString(2).padStart(8, '0')).join('')
  const match = /^(0*)(1+)0*$/.exec(bits)
  return match === null ? undefined : { offset: (match[1] ?? '').length, length: (match[2] ?? '').length }
}

/** What keys or data of a set consist of, or what several registers hold. */
export type Parts = readonly Operand[]

export function joined(parts: Parts): string {
  return parts.map(({ text }) => text).join(' . ')
}

export function impliedByAll(parts: Parts): string[] {
  return parts.flatMap(({ implies }) => implies)
}
