/** Maps in rules: from a field to a value, a verdict, an object; and sets that rules fill. Source: nft(8) "MAPS", "SET STATEMENT". */
import { fieldsOf, isOn, listOf } from '../../checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { NFT_DYNSET_F_EXPR } from '../constants.ts'
import type { ExpressionData, StatefulExpression } from '../expressions.ts'
import { anonymousMap } from './anonymous.ts'
import type { KeyedElement } from './keys.ts'
import { inKeyOrder, loadKey, setName } from './match.ts'
import type { Matchable, NamedSet } from './match.ts'
import { isNeed, isSource, registerBehind, typesOf } from './parts.ts'
import type { AnonymousSet, Expected, Part, Source, ValueType, Word } from './parts.ts'
import { valueOf } from './selector.ts'
import { dataBytes } from './data.ts'
import { parseVerdict } from './verdicts.ts'
import type { Verdict } from './verdicts.ts'

/** `{ 80: '10.0.0.1' }`, or pairs where keys are no strings or numbers: `[[['10.0.0.1', 80], 'accept']]`. */
export type Entries<V> = Readonly<Record<string | number, V>> | readonly (readonly [key: unknown, value: V])[]

function pairsOf<V>(field: string, entries: Entries<V>): [unknown, V][] {
  if (typeof entries !== 'object' || entries === null) throw new InvalidArgumentError(field, entries, 'entries, or the name of a map as "@name"')
  if (!Array.isArray(entries)) return Object.entries(entries as Record<string, V>)
  return (entries as unknown[]).map((pair, index) => {
    if (Array.isArray(pair) && pair.length === 2) return pair as [unknown, V]
    throw new InvalidArgumentError(`${field}[${index}]`, pair, 'a pair of a key and what it is mapped to')
  })
}

/** A map as a value. */
export interface MapSource extends Source {
  /** For NAT: whether data are ranges. */
  readonly dataInterval: boolean
  /** Whether data are pairs: `['10.0.0.1', 8080]`, `'10.0.0.1 . 8080'`. */
  readonly hasPairs: boolean
  /** Of a map to objects. */
  refer(type: number): Word
}

export function isObjectMap(value: unknown): value is MapSource {
  return typeof value === 'object' && value !== null && 'refer' in value
}

/**
 * What a field is mapped to: `mark.set(map(iifname, { eth0: 1, eth1: 2 }))`, `dnat({ to: map(tcp.dport, { 80: '10.0.0.1' }) })`.
 * `entries`: the map itself, or `'@name'` of one. The value's type is what its user wants.
 */
export function map(key: Matchable, entries: Entries<unknown> | `@${string}` | NamedSet): MapSource {
  const keyTypes = typesOf('map', key)
  const named = setName(entries)
  const interval = isInterval(entries)
  const word = `${key.word} map ${named === undefined ? '{ … }' : `@${named}`}`
  const pairs = named === undefined ? pairsOf(word, entries as Entries<unknown>) : []
  const dataInterval = pairs.some(([, value]) => Array.isArray(value) ? value.some(isRangeText) : isRangeText(value))
  const load = (register: number, as?: readonly ValueType[]): Word => {
    if (named !== undefined) {
      const expects = { key: keyTypes, inOrder: interval, ...(as === undefined ? {} : { data: as }) }
      return lookUp(key, register, register, { data: { set: named }, expects })
    }
    if (as === undefined) throw new InvalidArgumentError(word, entries, 'a use that says the type of its values')
    const anonymous = anonymousMap(key, keyTypes, pairs.map(([name, value]) =>
      [name, { data: { value: dataBytes(word, as, value, dataInterval) } }]), as)
    const set = dataInterval ? { ...anonymous, dataInterval } : anonymous
    return lookUp(key, register, register, { data: { set: '__map%d' }, anonymous: set })
  }
  const refer = (type: number): Word => {
    if (named !== undefined) {
      return [
        ...loadKey(key, keyTypes, 1, interval),
        { name: 'objref', data: { setSreg: 1, setName: named }, expects: { key: keyTypes, inOrder: interval } },
      ]
    }
    const anonymous = anonymousMap(key, keyTypes, pairs.map(([name, value]): [unknown, KeyedElement['rest']] => {
      if (typeof value !== 'string') throw new InvalidArgumentError(word, value, 'the name of an object')
      return [name, { object: value }]
    }), { object: type })
    const parts = inKeyOrder(key.load(1), keyTypes, 1, anonymous.interval)
    return [...parts, { name: 'objref', data: { setSreg: 1, setName: '__objmap%d' }, anonymous }]
  }
  const hasPairs = pairs.some(([, value]) => Array.isArray(value) || (typeof value === 'string' && value.includes(' . ')))
  return { word, dataInterval, hasPairs, load, refer }
}

function isRangeText(value: unknown): boolean {
  if (typeof value === 'object' && value !== null && 'from' in value) return true
  return typeof value === 'string' && (/^[\d.]+[-/][\d.]+$/.test(value) || /^[\da-f:.]*:[\da-f:.]*(-[\da-f:.]+|\/\d+)$/i.test(value))
}

interface Found {
  data: { set: string }
  anonymous?: AnonymousSet
  expects?: Expected
}

function lookUp(key: Matchable, register: number, dreg: number, { data, ...rest }: Found): Word {
  const part = { name: 'lookup', data: { sreg: register, dreg, ...data }, ...rest } as Part
  const types = typesOf('map', key)
  if (rest.expects !== undefined) return [...loadKey(key, types, register, rest.expects.inOrder), part]
  return [...inKeyOrder(key.load(register), types, register, rest.anonymous?.interval ?? false), part]
}

function isInterval(entries: unknown): boolean {
  return typeof entries === 'object' && entries !== null && 'interval' in entries && isOn('interval', entries.interval as boolean)
}

/** Does what the entry of a field says: `vmap(tcp.dport, { 22: 'accept', 80: jump('web') })`, `vmap(iifname, '@zones')`. */
export function vmap(key: Matchable, entries: Entries<Verdict> | `@${string}` | NamedSet): Word {
  const keyTypes = typesOf('vmap', key)
  const named = setName(entries)
  if (named !== undefined) {
    const inOrder = isInterval(entries)
    const part = { name: 'lookup', data: { sreg: 1, dreg: 0, set: named }, expects: { key: keyTypes, data: 'verdict', inOrder } } as Part
    return [...loadKey(key, keyTypes, 1, inOrder), part]
  }
  const word = `${key.word} vmap`
  const anonymous = anonymousMap(key, keyTypes, pairsOf(word, entries as Entries<Verdict>).map(([name, verdict], index) =>
    [name, { data: { verdict: parseVerdict(`${word}[${typeof name === 'object' ? index : String(name)}]`, verdict) } }]), 'verdict')
  return lookUp(key, 1, 0, { data: { set: '__map%d' }, anonymous })
}

export interface DynamicOptions {
  /** How long the element stays; default: that of the set. */
  timeoutMs?: number
  /** Of a map: what the key is mapped to. */
  data?: Source | string | number
  /** What the element does: `counter()`, `limit(…)`, `quota(…)`, `connectionCount(…)`. */
  statements?: readonly Word[]
}

const dynamicFields: ReadonlySet<string> = new Set(['timeoutMs', 'data', 'statements'])

function dynamic(op: 'add' | 'update' | 'delete', set: string, key: Matchable, options: DynamicOptions): Word {
  const named = typeof set === 'string' && set.startsWith('@') ? set.slice(1) : set
  if (typeof named !== 'string' || named === '') throw new InvalidArgumentError(op, set, 'the name of a set')
  const types = typesOf(op, key)
  const keyed = key.loadKey?.(1) ?? key.load(1)
  const dataRegister = registerBehind(1, types)
  const { timeoutMs, data, statements = [] } = fieldsOf('options', options, dynamicFields)
  const loaded = data === undefined ? [] : dynamicData(op, data, dataRegister)
  const expressions = listOf('options.statements', statements).flat().map(part => part as StatefulExpression)
  const [only, second] = expressions
  const values: ExpressionData<'dynset'> = {
    sregKey: 1,
    ...(data === undefined ? {} : { sregData: dataRegister }),
    op,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    set: named,
    ...(only === undefined ? {} : second === undefined ? { expression: only } : { expressions, flags: NFT_DYNSET_F_EXPR }),
  }
  const parts = [...keyed, ...loaded]
  return [
    ...parts.filter(isNeed), ...parts.filter(part => !isNeed(part)),
    { name: 'dynset', data: values, expects: { key: types, inOrder: false } },
  ]
}

function dynamicData(op: string, data: Source | string | number, register: number): Word {
  if (isSource(data)) return data.load(register)
  if (typeof data !== 'number' && typeof data !== 'string') throw new InvalidArgumentError(`${op}.data`, data, 'a number, an address or a selector')
  const type: ValueType = typeof data === 'number' ? { type: 'mark', size: 4, order: 'host' }
    : { type: data.includes(':') ? 'ipv6_addr' : 'ipv4_addr', size: data.includes(':') ? 16 : 4, order: 'big' }
  return valueOf(`${op}.data`, [type], data, register)
}

/** Puts the packet's key into a set with the flag dynamic; one that is there stays as it is: nft's `add @set { ip saddr }`. */
export function addTo(set: string, key: Matchable, options: DynamicOptions = {}): Word {
  return dynamic('add', set, key, options)
}

/** The same, and one that is there lives on for its whole timeout. */
export function updateIn(set: string, key: Matchable, options: DynamicOptions = {}): Word {
  return dynamic('update', set, key, options)
}

/** Takes the packet's key out of a set. */
export function deleteFrom(set: string, key: Matchable): Word {
  return dynamic('delete', set, key, {})
}
