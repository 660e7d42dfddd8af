/** What the words of the vocabulary are made of, before a rule knows its table's family (compile.ts). */
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import type { DatatypeName } from '../datatypes.ts'
import type { WireElement } from '../elements.ts'
import type { Expression, ExpressionOf } from '../expressions.ts'

/**
 * What has to be known of a packet before the expressions behind it make sense. In a rule it becomes the comparison that
 * nft would put there, or nothing, if the family of the table or an earlier comparison says so already.
 */
export interface Need {
  name: 'need'
  data: {
    /** For errors: `tcp dport`. */
    word: string
    /** An Ethernet header. */
    link?: 'ether'
    /** A VLAN tag in it. */
    vlan?: true
    network?: 'ip' | 'ip6' | 'arp'
    /** Of what only this family has but nft compares nothing for: refused in a rule for another one. */
    within?: 'ip' | 'ip6'
    /** The number of the transport protocol. */
    transport?: number
    /** Some transport protocol with ports. */
    ports?: true
    /** The family of NAT's addresses, where the statement does not say it. */
    natFamily?: true
  }
}

/** A set without a name, made with the rule that looks into it. */
export interface AnonymousSet {
  /** Of the key, one or several. */
  key: readonly ValueType[]
  /** Of a map. */
  data?: 'verdict' | readonly ValueType[] | { object: number }
  interval: boolean
  dataInterval?: boolean
  /** As many as were named; ranges that meet are one then. */
  size: number
  elements: readonly WireElement[]
}

/** An expression that refers to a set without a name. */
export type AnonymousLookup = (ExpressionOf<'lookup'> | ExpressionOf<'objref'>) & { anonymous: AnonymousSet }
/** A look into a named set, with what it expects of it. */
export type NamedLookup = (ExpressionOf<'lookup'> | ExpressionOf<'objref'> | ExpressionOf<'dynset'>) & { expects: Expected }

export interface Expected {
  key: readonly ValueType[]
  data?: 'verdict' | readonly ValueType[] | undefined
  /** The key is loaded as sets of ranges have it. */
  inOrder: boolean
}

export type Part = Expression | Need | AnonymousLookup | NamedLookup
/** What a word says: conditions and statements, in order. */
export type Word = Part[]

/** How one value stands in a register. */
export interface ValueType {
  type: DatatypeName
  /** In bytes. */
  size: number
  order: 'big' | 'host'
}

/** Something that can be loaded into registers: a field of a packet, a property of a connection, what a map says. */
export interface Source {
  /** As nft writes it, for errors. */
  readonly word: string
  /** One, or those of a concatenation. Undefined where it depends on the use: of maps. */
  readonly types?: readonly ValueType[]
  /** Into 16-byte registers from `register` (1–4) on. `as`: what its user wants. */
  load(register: number, as?: readonly ValueType[]): Word
}

/** A source that loads several values: a register of 4 bytes begins each. */
export function slotRegister(register: number, slot: number): number {
  const index = (register - 1) * 4 + slot
  return index % 4 === 0 ? 1 + index / 4 : 8 + index
}

/** 4-byte slots that values take. */
export function slotsOf(types: readonly ValueType[]): number {
  return types.reduce((slots, { size }) => slots + ((size + 3) >> 2), 0)
}

/** In bytes: of a single value as it is, of a concatenation in whole slots. */
export function lengthOf(types: readonly ValueType[]): number {
  return types.length === 1 ? types[0]?.size ?? 0 : slotsOf(types) * 4
}

/** The first 16-byte register behind values that stand in `register` and on. */
export function registerBehind(register: number, types: readonly ValueType[]): number {
  return register + Math.max(1, (slotsOf(types) + 3) >> 2)
}

export function isSource(value: unknown): value is Source {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && 'load' in value && typeof value.load === 'function' && 'word' in value
}

/** The types of a source that has some whatever its use. */
export function typesOf(field: string, source: Source): readonly ValueType[] {
  if (!isSource(source)) throw new InvalidArgumentError(field, source, 'a selector like tcp.dport or mark')
  if (source.types === undefined) throw new InvalidArgumentError(field, source.word, 'a selector, not a map')
  return source.types
}

export function need(data: Need['data']): Need {
  return { name: 'need', data }
}

export function isNeed(part: Part): part is Need {
  return part.name === 'need'
}

/** What a name stands for. */
export function lookUp<V>(field: string, table: Readonly<Record<string, V>>, key: string): V {
  if (typeof key === 'string' && Object.hasOwn(table, key)) return table[key] as V
  const names = Object.keys(table)
  throw new InvalidArgumentError(field, key, `one of ${names.join(', ')}${didYouMean(key, names)}`)
}
