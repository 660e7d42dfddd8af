/** Changes of sets, maps and their elements. Source: nft(8) "SETS", "MAPS", "ELEMENT STATEMENT"; the bytes that nft sends. */
import { check, fieldsOf, isOn, listOf, wholeNumber } from '../checks.ts'
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts'
import * as c from './constants.ts'
import { datatypeId, datatypes } from './datatypes.ts'
import type { DatatypeName } from './datatypes.ts'
import { elementListAttributes, getElements as getWireElements } from './elements.ts'
import type { ElementListEntries, WireElement } from './elements.ts'
import { nftRequest, refOf } from './messages.ts'
import type { NftRequest } from './messages.ts'
import { objectTypes } from './objects.ts'
import type { ObjectType } from './objects.ts'
import { encodeSetUserdata } from './set_userdata.ts'
import { setAttributes } from './sets.ts'
import type { SetEntries, SetFlag, SetRef } from './sets.ts'
import { encodeUserdata } from './userdata.ts'
import { dataBytes } from './vocabulary/data.ts'
import { NOTHING, UNNAMED, intervalElements, keyName, parseKey, plainElements } from './vocabulary/keys.ts'
import type { KeyedElement } from './vocabulary/keys.ts'
import { lengthOf } from './vocabulary/parts.ts'
import type { AnonymousSet, Part, ValueType } from './vocabulary/parts.ts'
import { isRange } from './vocabulary/values.ts'
import type { Range, Scalar } from './vocabulary/values.ts'
import { parseVerdict } from './vocabulary/verdicts.ts'
import type { Verdict } from './vocabulary/verdicts.ts'

/** A data type; of those without a size of their own (integer, string, …) with one, in bytes. */
export type KeyType = DatatypeName | { type: DatatypeName, size: number }

/** What a set is: enough to write its elements. */
export interface SetType extends SetRef {
  /** Of the key, or of its parts. */
  type: KeyType | readonly KeyType[]
  /** Makes it a map: what keys are mapped to. */
  map?: KeyType | readonly KeyType[] | 'verdict' | { object: ObjectType } | undefined
  /** `interval`: keys may be ranges and prefixes. `dynamic`: rules may add elements. `constant`: nothing changes once it is used. */
  flags?: readonly (SetFlag | number)[]
  /** Of a map: data are ranges. */
  mapInterval?: boolean | undefined
  /** Of a set of ranges: those that overlap or touch become one, instead of being refused. */
  autoMerge?: boolean | undefined
}

export interface AddSet extends SetType {
  /** Lifetime of elements that have none of their own. */
  timeoutMs?: number
  /** How often the kernel looks for elements that are over. */
  gcIntervalMs?: number
  /** Most elements. Of dynamic sets 65,535 if left out. */
  size?: number
  /** `memory` with `size`, without ranges: Linux (6.18) keeps such a set in a tree that refuses most keys with EEXIST. */
  policy?: 'performance' | 'memory'
  /** Printed by nft; at most 127 bytes. */
  comment?: string
  /** What each element carries: `counter()`, `limit(…)`, `quota(…)`. */
  statements?: readonly (readonly Part[])[]
  /** Fail with EEXIST if there is such a set. */
  exclusive?: boolean
}

const aSize = wholeNumber(1, c.NFT_DATA_VALUE_MAXLEN, 'bytes')

export function valueTypes(field: string, type: SetType['type']): ValueType[] {
  const all = (Array.isArray(type) ? type : [type]) as (KeyType | null | undefined)[]
  return all.map((each, index): ValueType => {
    const [name, given] = typeof each === 'object' && each !== null ? [each.type, each.size] : [each as DatatypeName, undefined]
    const path = all.length === 1 ? field : `${field}[${index}]`
    const found = typeof name === 'string' && Object.hasOwn(datatypes, name) ? datatypes[name] : undefined
    if (found === undefined) {
      const names = Object.keys(datatypes)
      throw new InvalidArgumentError(path, each, `a data type: ${names.join(', ')}${didYouMean(name, names)}`)
    }
    const size = given ?? found.size
    if (size === undefined) throw new InvalidArgumentError(path, name, `the size too, as ${found.name} has none: { type: "${found.name}", size: 4 }`)
    check(`${path}.size`, size, aSize)
    return { type: name, size, order: found.order }
  })
}

interface Shape {
  key: ValueType[]
  data: ValueType[] | undefined
  object: number | undefined
  interval: boolean
}

function shapeOf({ type, map, flags = [] }: SetType): Shape {
  const key = valueTypes('type', type)
  if (key.length > 1 && lengthOf(key) > c.NFT_DATA_VALUE_MAXLEN) throw new InvalidArgumentError('type', type, 'a key of at most 64 bytes')
  const object = isObjectMap(map) && typeof map.object === 'string' && Object.hasOwn(objectTypes, map.object) ? objectTypes[map.object] : undefined
  if (isObjectMap(map) && object === undefined) throw new InvalidArgumentError('map.object', map.object, `one of ${Object.keys(objectTypes).join(', ')}`)
  const data = map === undefined || map === 'verdict' || isObjectMap(map) ? undefined : valueTypes('map', map)
  return { key, data, object, interval: listOf('flags', flags).includes('interval') }
}

function isObjectMap(map: SetType['map']): map is { object: ObjectType } {
  return typeof map === 'object' && map !== null && 'object' in map
}

const setFields: ReadonlySet<string> = new Set([
  'family', 'table', 'name', 'type', 'map', 'flags', 'mapInterval', 'autoMerge', 'timeoutMs', 'gcIntervalMs', 'size', 'policy',
  'comment', 'statements', 'exclusive', 'handle', 'keyType', 'keyLength', 'dataType', 'dataLength', 'fields', 'expressions',
  'backend', 'count', 'userdata', 'elements',
])

/** Creates a set or map; one of the same type that exists is left as it is. */
export function addSet(set: AddSet): NftRequest<SetEntries> {
  const { family, table, name, exclusive, map } = refOf('set', set, setFields)
  const flags = NLM_F_CREATE | (isOn('exclusive', exclusive) ? NLM_F_EXCL : 0)
  return nftRequest(c.NFT_MSG_NEWSET, flags, family, setAttributes, setValues(set), `add ${map === undefined ? 'set' : 'map'} ${family} ${table} ${name}`)
}

function setValues(set: AddSet): NftRequest<SetEntries>['attributes'] {
  const { table, name, map, size, policy, timeoutMs, gcIntervalMs, statements = [], comment } = set
  if (comment !== undefined && (typeof comment !== 'string' || Buffer.byteLength(comment) > 127)) {
    throw new InvalidArgumentError('comment', comment, 'a string of at most 127 bytes without NUL')
  }
  const shape = shapeOf(set)
  const { key, data, object, interval } = shape
  const expressions = listOf('statements', statements).flat() as NonNullable<NftRequest<SetEntries>['attributes']['expressions']>
  const [only, second] = expressions
  const fields = interval && key.length > 1 ? key.map(({ size: length }) => ({ length })) : undefined
  return {
    table, name,
    flags: flagsOf(set, shape, second !== undefined),
    keyType: datatypeId(key.map(({ type }) => datatypes[type])),
    keyLength: lengthOf(key),
    ...(map === 'verdict' ? { dataType: c.NFT_DATA_VERDICT, dataLength: 0 } : {}),
    ...(data === undefined ? {} : {
      dataType: datatypeId(data.map(({ type }) => datatypes[type])), dataLength: lengthOf(data) * (isOn('mapInterval', set.mapInterval) ? 2 : 1),
    }),
    ...(object === undefined ? {} : { objectType: object }),
    ...(policy === undefined ? {} : { policy }),
    ...(size === undefined && fields === undefined ? {} : { desc: { size, concat: fields } }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(gcIntervalMs === undefined ? {} : { gcIntervalMs }),
    userdata: userdataOf(set, shape),
    ...(only === undefined ? {} : second === undefined ? { expression: only } : { expressions }),
  }
}

function flagsOf({ flags = [], map, timeoutMs }: AddSet, { key, object }: Shape, expressions: boolean): (SetFlag | number)[] {
  const all = new Set(flags)
  if (map !== undefined) all.add(object === undefined ? 'map' : 'object')
  if (timeoutMs !== undefined) all.add('timeout')
  if (all.has('interval') && key.length > 1) all.add('concat')
  if (expressions) all.add('expression')
  return [...all]
}

function userdataOf({ map, mapInterval, autoMerge, comment }: AddSet, { key, data }: Shape): Uint8Array {
  return encodeSetUserdata({
    keyOrder: orderOf(key), keyConcatenated: key.length > 1,
    dataOrder: data === undefined ? map === 'verdict' ? 'none' : undefined : orderOf(data), dataConcatenated: (data?.length ?? 0) > 1,
    dataInterval: map === undefined ? undefined : isOn('mapInterval', mapInterval), autoMerge: isOn('autoMerge', autoMerge), comment,
  })
}

function orderOf(types: readonly ValueType[]): 'none' | 'host' | 'network' {
  const [only, second] = types
  return second !== undefined || only === undefined ? 'none' : only.order === 'big' ? 'network' : 'host'
}

/** What a set without a name is called in the batch: the kernel numbers it. */
export const anonymousNames = { set: '__set%d', map: '__map%d', objmap: '__objmap%d' } as const

/** Requests that make a set without a name, for a rule of the same batch. */
export function anonymousRequests(rule: NftRequest, table: string, set: AnonymousSet, id: number): NftRequest[] {
  const { key, data, interval, dataInterval, size, elements } = set
  const family = rule.header.family as SetRef['family']
  const values = isVerdictOrNone(data) ? undefined : data
  const object = typeof data === 'object' && 'object' in data ? data.object : undefined
  const name = object !== undefined ? anonymousNames.objmap : data === undefined ? anonymousNames.set : anonymousNames.map
  const flags: SetFlag[] = ['anonymous', 'constant']
  if (interval) flags.push('interval')
  if (data !== undefined) flags.push(object === undefined ? 'map' : 'object')
  if (interval && key.length > 1) flags.push('concat')
  const dataTypes = Array.isArray(values) ? values as ValueType[] : undefined
  const attributes: NftRequest<SetEntries>['attributes'] = {
    table, name, flags, keyType: datatypeId(key.map(({ type }) => datatypes[type])), keyLength: lengthOf(key),
    ...(data === 'verdict' ? { dataType: c.NFT_DATA_VERDICT, dataLength: 0 } : {}),
    ...(dataTypes === undefined ? {} : {
      dataType: datatypeId(dataTypes.map(({ type }) => datatypes[type])), dataLength: lengthOf(dataTypes) * (dataInterval === true ? 2 : 1),
    }),
    ...(object === undefined ? {} : { objectType: object }),
    id,
    desc: { size, ...(interval && key.length > 1 ? { concat: key.map(({ size: length }) => ({ length })) } : {}) },
    userdata: encodeSetUserdata({
      keyOrder: orderOf(key), keyConcatenated: key.length > 1, autoMerge: interval && key.length === 1 && data === undefined,
      dataOrder: data === 'verdict' ? 'none' : dataTypes === undefined ? undefined : orderOf(dataTypes),
      dataConcatenated: (dataTypes?.length ?? 0) > 1,
      dataInterval: data === undefined ? undefined : dataInterval === true,
    }),
  }
  const list = { table, set: name, setId: id, elements: [...elements] }
  const operation = `${rule.operation}: its ${data === undefined ? 'set' : 'map'}`
  return [
    nftRequest(c.NFT_MSG_NEWSET, NLM_F_CREATE, family, setAttributes, attributes, operation) as unknown as NftRequest,
    nftRequest(c.NFT_MSG_NEWSETELEM, NLM_F_CREATE, family, elementListAttributes, list, operation) as unknown as NftRequest,
  ]
}

function isVerdictOrNone(data: AnonymousSet['data']): boolean {
  return data === undefined || data === 'verdict'
}

/** Deletes a set and its elements; EBUSY while a rule refers to it. */
export function deleteSet(set: SetRef): NftRequest<SetEntries> {
  const { family, table, name } = refOf('set', set)
  return nftRequest(c.NFT_MSG_DELSET, 0, family, setAttributes, { table, name }, `delete set ${family} ${table} ${name}`)
}

/** Deletes all elements of a set. */
export function flushSet(set: SetRef): NftRequest<ElementListEntries> {
  const { family, table, name } = refOf('set', set)
  const operation = `flush set ${family} ${table} ${name}`
  return nftRequest(c.NFT_MSG_DELSETELEM, 0, family, elementListAttributes, { table, set: name }, operation)
}

type One = Scalar | Range
/** One key: a value, a range, a prefix, `*` for all others; an array of those for a concatenation. */
export type ElementKey = One | readonly One[]

export interface ElementOptions {
  /** Lifetime; 0: none, in a set that has one. */
  timeoutMs?: number
  /** What is left of it. */
  expirationMs?: number
  /** Printed by nft; at most 127 bytes. */
  comment?: string
  /** What it carries, e.g. `counter({ packets: 1, bytes: 40 })`; has to be what the set says. */
  statements?: readonly (readonly Part[])[]
}

/** A key, or with more said of it `{ key, … }`; in maps `[key, data]` or `{ key, data, … }`. Data: a verdict, a value, an object's name. */
export type ElementInput = ElementKey | readonly [key: ElementKey, data: unknown] | { key: ElementKey, data?: unknown } & ElementOptions

export interface ElementsOptions {
  /** Fail with EEXIST if one is there already. */
  exclusive?: boolean
}

/**
 * Adds elements. `set`: what the set is, as `addSet` takes it or `host.firewall` reads it. Any number: lists longer than a
 * message holds are split, within the batch. Ranges that overlap are refused, or joined if the set has `autoMerge`.
 */
export function addElements(
  set: SetType, elements: readonly ElementInput[] | Readonly<Record<string, Verdict | Scalar>>, options: ElementsOptions = {},
): NftRequest<ElementListEntries> {
  const flags = NLM_F_CREATE | (isOn('exclusive', fieldsOf('options', options).exclusive) ? NLM_F_EXCL : 0)
  return elementsRequest(c.NFT_MSG_NEWSETELEM, flags, set, wireElements(set, elements, true), 'add')
}

/** Deletes elements by their keys; ENOENT if one is not there. */
export function deleteElements(set: SetType, elements: readonly ElementInput[]): NftRequest<ElementListEntries> {
  return elementsRequest(c.NFT_MSG_DELSETELEM, 0, set, wireElements(set, elements, false), 'delete')
}

/** Asks for elements by their keys; ENOENT if one is not there. */
export function getElements(set: SetType, elements: readonly ElementInput[]): NftRequest<ElementListEntries> {
  return getWireElements(set, wireElements(set, elements, false))
}

function elementsRequest(
  message: number, flags: number, { family, table, name }: SetRef, elements: WireElement[], verb: string,
): NftRequest<ElementListEntries> {
  const operation = `${verb} element ${family} ${table} ${name}`
  return nftRequest(message, flags, family, elementListAttributes, { table, set: name, elements }, operation)
}

function wireElements(set: SetType, given: readonly ElementInput[] | Readonly<Record<string, unknown>>, whole: boolean): WireElement[] {
  const shape = shapeOf(refOf('set', set))
  const list: readonly unknown[] = Array.isArray(given) ? given : Object.entries(fieldsOf('elements', given))
  if (list.length === 0) throw new InvalidArgumentError('elements', given, 'at least one element')
  const plain = set.map === undefined && !shape.interval ? plainKeys(shape.key, list) : undefined
  if (plain !== undefined) return plain
  const elements = list.map((each, index) => parseElement(set, shape, `elements[${index}]`, each, whole))
  if (!shape.interval || shape.key.length > 1) return plainElements(elements, shape.interval)
  return intervalElements(elements, { merge: isOn('autoMerge', set.autoMerge), first: whole })
}

/**
 * What nearly all long lists are: keys, of which nothing more is said. Undefined: there is something else among
 * them, or something wrong, which the long way names.
 */
function plainKeys(types: readonly ValueType[], list: readonly unknown[]): WireElement[] | undefined {
  const seen = new Set<string | number>()
  const elements: WireElement[] = []
  try {
    for (const each of list) {
      if ((typeof each !== 'string' && typeof each !== 'number' && !Array.isArray(each)) || each === '*') return undefined
      const { from } = parseKey(UNNAMED, types, each, false)
      elements.push({ key: { value: from } })
      seen.add(keyName(from))
    }
  } catch (error) {
    if (error instanceof InvalidArgumentError) return undefined
    throw error
  }
  return seen.size === elements.length ? elements : undefined
}

function parseElement(set: SetType, shape: Shape, field: string, given: unknown, whole: boolean): KeyedElement {
  if (set.map === undefined && (typeof given === 'string' || typeof given === 'number')) {
    const { all, from, to } = parseKey(field, shape.key, given, shape.interval)
    return { field, given, all, from, to, rest: NOTHING }
  }
  const described = typeof given === 'object' && given !== null && !Array.isArray(given) && !(given instanceof Uint8Array) && !isRange(given)
  const isPair = !described && whole && set.map !== undefined
  if (isPair && (!Array.isArray(given) || given.length !== 2)) throw new InvalidArgumentError(field, given, 'a pair of a key and what it is mapped to')
  const { key, data, ...options } = described ? given as { key: unknown, data?: unknown } & ElementOptions
    : isPair ? { key: (given as unknown[])[0], data: (given as unknown[])[1] } : { key: given, data: undefined }
  const named = described || isPair ? `${field}.key` : field
  const rest = described || isPair ? restOf(set, shape, field, data, options, whole) : NOTHING
  return { field, given: key, rest, ...parseKey(named, shape.key, key, shape.interval) }
}

function restOf(set: SetType, shape: Shape, field: string, data: unknown, options: ElementOptions, whole: boolean): KeyedElement['rest'] {
  const { timeoutMs, expirationMs, comment, statements = [], ...unknown } = options
  const [odd] = Object.keys(unknown)
  if (odd !== undefined) {
    const names = ['key', 'data', 'timeoutMs', 'expirationMs', 'comment', 'statements']
    throw new InvalidArgumentError(`${field}.${odd}`, (unknown as Record<string, unknown>)[odd], `only the fields ${names.join(', ')} in an element${didYouMean(odd, names)}`)
  }
  if (set.map === undefined && data !== undefined) throw new InvalidArgumentError(`${field}.data`, data, 'no data: the set is no map')
  const expressions = listOf(`${field}.statements`, statements).flat() as NonNullable<WireElement['expressions']>
  const [only, second] = expressions
  const userdata = comment === undefined ? undefined : encodeUserdata({ comment })
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(expirationMs === undefined ? {} : { expirationMs }),
    ...(whole && set.map !== undefined ? mappedTo(set, shape, `${field}.data`, data) : {}),
    ...(userdata === undefined ? {} : { userdata }),
    ...(only === undefined ? {} : second === undefined ? { expression: only } : { expressions }),
  }
}

function mappedTo(
  { map, mapInterval }: SetType, { data: types, object }: Shape, field: string, data: unknown,
): Pick<WireElement, 'data' | 'object'> {
  if (map === 'verdict') return { data: { verdict: parseVerdict(field, data) } }
  if (object !== undefined) {
    if (typeof data !== 'string' || data === '') throw new InvalidArgumentError(field, data, 'the name of an object')
    return { object: data }
  }
  return { data: { value: dataBytes(field, types ?? [], data, isOn('mapInterval', mapInterval)) } }
}
