/** A comparison of a register with constants, as nft writes it. */
import type { Datatype } from '../datatypes.ts'
import type { Family } from '../messages.ts'
import { bitRange, isZero, nameText, numberText, prefixOf, prefixText, rangeOf, valueText } from './operand.ts'
import type { Operand } from './operand.ts'
import { fieldOperand } from './loads.ts'

export type Comparison = 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte'

const symbols: Record<Comparison, string> = { eq: '', neq: '!= ', lt: '< ', lte: '<= ', gt: '> ', gte: '>= ' }

/** The field that a masked load is about. */
export function maskedField(family: Family, { place, partAt, size, mask, xor }: Operand): Operand | undefined {
  const bits = mask === undefined || (xor !== undefined && !isZero(xor)) ? undefined : bitRange(mask)
  if (partAt !== undefined) {
    const part = bits === undefined ? undefined : partAt(bits.offset, bits.length)
    return part === undefined || bits === undefined ? undefined : { ...part, shift: size * 8 - bits.offset - bits.length }
  }
  if (place?.header === undefined || bits === undefined) return undefined
  const field = fieldOperand(family, place.header, place.offset + bits.offset, bits.length)
  // The first bits of an address are compared with prefixes.
  if (field === undefined || field.isPrefix === true) return undefined
  return { ...field, shift: place.length - bits.offset - bits.length }
}

interface Sides {
  left: string
  /** What values on the right side are of. */
  right: Operand
  implies: readonly string[]
}

export function sides(family: Family, operand: Operand): Sides {
  if (operand.mask === undefined) return { left: operand.text, right: operand, implies: operand.implies }
  const field = maskedField(family, operand)
  if (field !== undefined) return { left: field.text, right: field, implies: field.implies }
  return { left: binaryText(operand), right: operand, implies: operand.implies }
}

export function compareText(family: Family, operand: Operand, op: Comparison, bytes: Uint8Array): string | undefined {
  const { type, mask, isPrefix = false } = operand
  if (sides(family, operand).left === '') return undefined
  if (mask === undefined && (isPrefix || (type.form === 'ip' && bytes.length < operand.size))) {
    return op === 'eq' || op === 'neq' ? `${operand.text} ${symbols[op]}${prefixText(type, bytes, bytes.length * 8)}` : undefined
  }
  if (mask !== undefined && maskedField(family, operand) === undefined) return maskedText(operand, op, bytes, mask)
  const all = sides(family, operand)
  if (type.bitmask && mask === undefined) return `${all.left} ${op === 'eq' ? '== ' : symbols[op]}${valueText(all.right, bytes).replaceAll(',', ' | ')}`
  if (type.name === 'string' || type.name === 'ifname') return `${all.left} ${symbols[op]}${nameText(bytes)}`
  return `${all.left} ${symbols[op]}${valueText(all.right, bytes)}`
}

/** `(value & mask) op bytes`, where the mask makes no field of a header. */
function maskedText(operand: Operand, op: Comparison, bytes: Uint8Array, mask: Uint8Array): string | undefined {
  const { type, text, xor } = operand
  const plain = xor === undefined || isZero(xor)
  if (plain && (op === 'eq' || op === 'neq')) {
    if (type.name === 'ct_label') return labelText(text, op, bytes, mask)
    if (type.bitmask) return flagsText(text, type, op, bytes, mask, operand)
    const prefix = type.form === 'ip' ? prefixOf(mask) : undefined
    if (prefix !== undefined) return `${text} ${symbols[op]}${prefixText(type, bytes, prefix)}`
  }
  return `${binaryText(operand)} ${op === 'eq' ? '== ' : symbols[op]}${numberText(operand, bytes)}`
}

/** Flags, any of which, none of which, or exactly which of some are set. */
function flagsText(text: string, type: Datatype, op: 'eq' | 'neq', bytes: Uint8Array, mask: Uint8Array, operand: Operand): string {
  const all = valueText({ ...operand, type }, mask)
  if (isZero(bytes)) return op === 'neq' ? `${text} ${all}` : `${text} ! ${all}`
  return `${text} ${symbols[op]}${valueText({ ...operand, type }, bytes)} / ${all}`
}

/** Labels are bits by number. */
function labelText(text: string, op: 'eq' | 'neq', bytes: Uint8Array, mask: Uint8Array): string | undefined {
  const bits = Array.from({ length: mask.length * 8 }, (_, bit) => bit).filter(bit => ((mask[bit >> 3] ?? 0) & 1 << (bit & 7)) !== 0)
  if (!isZero(bytes) || bits.length !== 1) return undefined
  return op === 'neq' ? `${text} ${bits[0]}` : `${text} ! ${bits[0]}`
}

/** `meta mark & 0xff | 0x100`: what a mask and an exclusive or make of a value. */
export function binaryText(operand: Operand): string {
  const { text, mask, xor = new Uint8Array(mask?.length ?? 0) } = operand
  if (mask === undefined) return text
  const or = xor.map((byte, at) => byte & ~(mask[at] ?? 0))
  const exclusive = xor.map((byte, at) => byte & (mask[at] ?? 0))
  const and = mask.map((byte, at) => byte | (or[at] ?? 0))
  const write = (bytes: Uint8Array): string => operandBits(operand, bytes)
  let written = text
  if (!and.every(byte => byte === 0xff)) written += ` & ${write(and)}`
  if (!isZero(exclusive)) written += ` ^ ${write(exclusive)}`
  if (!isZero(or)) written += ` | ${write(or)}`
  return written
}

function operandBits(operand: Operand, bytes: Uint8Array): string {
  return operand.type.bitmask ? `(${valueText(operand, bytes).replaceAll(',', ' | ')})` : valueText(operand, bytes)
}

export function rangeText(family: Family, operand: Operand, op: 'eq' | 'neq', from: Uint8Array, to: Uint8Array): string | undefined {
  const all = sides(family, operand)
  if (operand.type.bitmask || operand.isPrefix === true || all.left === '') return undefined
  return `${all.left} ${symbols[op]}${rangeOf(all.right, from, to)}`
}
