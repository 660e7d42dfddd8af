/** Conditions: a source compared with a value, a range, a mask, a list, a set. */
import { isOn, listOf } from '../../checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { NFT_LOOKUP_F_INV } from '../constants.ts'
import { datatypes } from '../datatypes.ts'
import { isExpression } from '../expressions.ts'
import type { Expression } from '../expressions.ts'
import { compare, compareRange } from '../primitives.ts'
import { anonymousSet } from './anonymous.ts'
import type { Part, Source, ValueType, Word } from './parts.ts'
import { slotRegister, slotsOf, typesOf } from './parts.ts'
import { parseBytes, parseScalar } from './values.ts'
import type { Range, Scalar } from './values.ts'

export interface Comparison<S = Scalar> {
  op: 'lt' | 'lte' | 'gt' | 'gte'
  value: S
}

export interface Masked<S = Scalar> {
  mask: S
  value: S
}

/**
 * A set of the same table. `interval`: it has that flag, and part of its key is a number of the kernel's own (a mark, an id).
 * Of sets that the same batch makes that is known.
 */
export interface NamedSet {
  set: string
  interval?: boolean
}

/** What a field may be compared with. A list is a set without a name; `'@name'` one with. */
export type Match<S = Scalar> =
  S | Range<S> | Comparison<S> | Masked<S> | NamedSet | `@${string}` | `${string}-${string}` | readonly (S | Range<S> | string)[]

const comparison = (op: Comparison['op']) => <S extends Scalar>(value: S): Comparison<S> => ({ op, value })
/** Below, at most, above, at least: `ip.ttl(lt(5))`. */
export const lt: <S extends Scalar>(value: S) => Comparison<S> = comparison('lt')
export const lte: <S extends Scalar>(value: S) => Comparison<S> = comparison('lte')
export const gt: <S extends Scalar>(value: S) => Comparison<S> = comparison('gt')
export const gte: <S extends Scalar>(value: S) => Comparison<S> = comparison('gte')

/** The bits of `mask` are those of `value`: `mark(masked(0xff, 1))`, `tcp.flags(masked(['syn', 'ack'], 'syn'))`. */
export function masked<S extends Scalar>(mask: S, value: NoInfer<S> | Scalar): Masked<Scalar> {
  return { mask, value }
}

function has<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && key in value
}

/** The name in `'@name'`, or undefined. */
export function setName(value: unknown): string | undefined {
  if (typeof value === 'string') return value.length > 1 && value.startsWith('@') ? value.slice(1) : undefined
  return has(value, 'set') && typeof value.set === 'string' ? value.set : undefined
}

/** A source with what only some have: fields of less than a byte, ways to load only part of it. */
export interface Matchable extends Source {
  /** For lookups into named sets: numbers in the form of their type. Default: `load`. */
  loadKey?(register: number): Word
  /** Bits of a field that does not fill its bytes. */
  field?: { mask: Uint8Array, shift: number }
  /** A field of a packet, which may be loaded in part. */
  loadPart?(register: number, length: number): Word
}

/** A comparison of a source. */
export function match(source: Matchable, value: unknown): Word {
  const types = typesOf('match', source)
  const named = setName(value)
  if (named !== undefined) return lookInto(source, types, named, has(value, 'interval') && isOn('interval', value.interval as boolean))
  const list: unknown = value
  const isConcatenation = types.length > 1
  if (Array.isArray(list) && (isConcatenation ? list.every(Array.isArray) : true)) return lookIntoList(source, types, list as unknown[])
  if (isConcatenation) return lookIntoList(source, types, [value])
  return compareWith(source, types[0] as ValueType, value)
}

function lookInto(source: Matchable, types: readonly ValueType[], set: string, interval: boolean): Word {
  return [...loadKey(source, types, 1, interval), { name: 'lookup', data: { sreg: 1, set }, expects: { key: types, inOrder: interval } }]
}

function lookIntoList(source: Matchable, types: readonly ValueType[], values: readonly unknown[]): Word {
  const [only] = values
  if (values.length === 0) throw new InvalidArgumentError(source.word, values, 'at least one value in a list')
  const [type] = types
  // As nft has it. Of bits a list means all of these and no others, which a comparison by itself does not.
  if (values.length === 1 && types.length === 1 && type !== undefined && isPlain(type, only)) return compareWith(source, type, only)
  const anonymous = anonymousSet(source, types, values)
  return [...inKeyOrder(source.load(1), types, 1, anonymous.interval), { name: 'lookup', data: { sreg: 1, set: '__set%d' }, anonymous }]
}

function isPlain(type: ValueType, value: unknown): boolean {
  return !datatypes[type.type].bitmask && type.type !== 'ct_label' && value !== '*' && !has(value, 'op') && !has(value, 'mask')
}

/** Loads a source as the key of a named set. */
export function loadKey(source: Matchable, types: readonly ValueType[], register: number, interval: boolean): Word {
  return inKeyOrder(source.loadKey?.(register) ?? source.load(register), types, register, interval)
}

/** Sets of ranges compare by size: numbers of the kernel's own order are turned, each as soon as it is loaded. */
export function inKeyOrder<P extends Part>(
  loads: readonly P[], types: readonly ValueType[], register: number, interval: boolean,
): (P | Expression)[] {
  const result: (P | Expression)[] = [...loads]
  if (!interval) return result
  let slot = 0
  for (const type of types) {
    const part = slotRegister(register, slot)
    if (isHostNumber(type)) {
      const at = result.findLastIndex(({ data }) => (data as { dreg?: number } | undefined)?.dreg === part)
      result.splice(at + 1, 0, turn(part, type.size))
    }
    slot += slotsOf([type])
  }
  return result
}

export function isHostNumber({ order, type, size }: ValueType): boolean {
  return order === 'host' && size > 1 && datatypes[type].form !== 'name'
}

export function turn(register: number, size: number): Expression {
  // nft's 64-bit numbers are turned in one piece, others too: the length of an item is the value's.
  return { name: 'byteorder', data: { sreg: register, dreg: register, op: 'hton', len: size, size } }
}

function compareWith(source: Matchable, type: ValueType, value: unknown): Word {
  const { word } = source
  if (has(value, 'op')) return relation(source, type, value as unknown as Comparison)
  if (has(value, 'mask')) {
    const { mask, value: wanted } = value as unknown as Masked
    const bytes = parseScalar(`${word}.value`, type, wanted)
    return [...source.load(1), maskWith(parseScalar(`${word}.mask`, type, mask)), compare('eq', bytes)]
  }
  const bitmask = datatypes[type.type].bitmask || type.type === 'ct_label'
  const { from, to, prefix, stem } = parseBytes(word, type, value)
  if (to === undefined) {
    if (stem !== undefined) return [...source.load(1), compare('eq', from.slice(0, stem))]
    if (bitmask && from.some(byte => byte !== 0)) return [...source.load(1), andMask(from), compare('neq', new Uint8Array(from.length))]
    return [...source.load(1), compare('eq', shifted(source, from))]
  }
  if (prefix !== undefined) return matchPrefix(source, from, prefix)
  if (isHostNumber(type)) {
    return [...source.load(1), turn(1, type.size), compare('gte', from.toReversed()), compare('lte', to.toReversed())]
  }
  return [...source.load(1), compare('gte', shifted(source, from)), compare('lte', shifted(source, to))]
}

function relation(source: Matchable, type: ValueType, { op, value }: Comparison): Word {
  const bytes = parseScalar(source.word, type, value)
  if (isHostNumber(type)) return [...source.load(1), turn(1, type.size), compare(op, bytes.toReversed())]
  return [...source.load(1), compare(op, shifted(source, bytes))]
}

/** A prefix of whole bytes loads only those, of a packet, and compares only those; another one loads all, and masks. */
function matchPrefix(source: Matchable, network: Uint8Array, prefix: number): Word {
  if (prefix > 0 && prefix % 8 === 0) {
    return [...source.loadPart?.(1, prefix / 8) ?? source.load(1), compare('eq', network.slice(0, prefix / 8))]
  }
  const mask = Uint8Array.from(network, (_, index) => 0xff00 >> Math.min(8, Math.max(0, prefix - index * 8)) & 0xff)
  return [...source.load(1), andMask(mask), compare('eq', network)]
}

/** As the field stands among its neighbours in the bytes that were loaded. */
export function shifted({ field }: Matchable, bytes: Uint8Array): Uint8Array {
  if (field === undefined) return bytes
  let number = 0n
  for (const byte of bytes) number = number << 8n | BigInt(byte)
  number <<= BigInt(field.shift)
  const result = new Uint8Array(field.mask.length)
  for (let at = result.length - 1; at >= 0; at--, number >>= 8n) result[at] = Number(number & 0xffn)
  return result
}

/** Keeps the bits of a mask. */
export function andMask(mask: Uint8Array, register = 1): Expression {
  return {
    name: 'bitwise',
    data: { sreg: register, dreg: register, len: mask.length, mask: { value: mask }, xor: { value: new Uint8Array(mask.length) } },
  }
}

/** The same as nft writes it for a mask that was said: with the name of the operation. */
export function maskWith(mask: Uint8Array, xor: Uint8Array = new Uint8Array(mask.length), register = 1): Expression {
  return {
    name: 'bitwise',
    data: { sreg: register, dreg: register, op: 'bool', len: mask.length, mask: { value: mask }, xor: { value: xor } },
  }
}

/** The opposite of a condition, e.g. `not(ip.daddr('10.0.0.0/8'))`; of one with a protocol, only what follows it. */
export function not(condition: Word): Word {
  const before = listOf('not', condition).slice(0, -1)
  const last = condition.at(-1) as Expression | undefined
  if (isExpression(last, 'cmp')) {
    const { op, data } = last.data
    const low = before.at(-1) as Expression | undefined
    // A range is two comparisons; its opposite has an expression of its own.
    if (op === 'lte' && isExpression(low, 'cmp') && low.data.op === 'gte') {
      const [from, to] = [low.data.data?.value, data?.value]
      if (from !== undefined && to !== undefined) return [...before.slice(0, -1), compareRange('neq', from, to)]
    }
    const opposite = typeof op === 'string' ? opposites[op] : undefined
    if (opposite !== undefined) return [...before, { name: 'cmp', data: { ...last.data, op: opposite } }]
  }
  if (isExpression(last, 'range')) {
    return [...before, { name: 'range', data: { ...last.data, op: last.data.op === 'eq' ? 'neq' : 'eq' } }]
  }
  if (isExpression(last, 'lookup') && last.data.dreg === undefined) {
    const flags = (last.data.flags ?? 0) ^ NFT_LOOKUP_F_INV
    return [...before, { ...last, data: { ...last.data, flags: flags === 0 ? undefined : flags } }]
  }
  throw new InvalidArgumentError('not', condition, 'a condition that ends in a comparison')
}

const opposites: Readonly<Record<string, 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte'>> = {
  eq: 'neq', neq: 'eq', lt: 'gte', lte: 'gt', gt: 'lte', gte: 'lt',
}
