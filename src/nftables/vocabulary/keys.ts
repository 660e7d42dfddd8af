/** Keys of sets and maps, from what people write to elements as the kernel takes them: ranges, merged or refused if they overlap. */
import { InvalidArgumentError, show } from '../../errors.ts'
import { INTERVAL_END } from '../elements.ts'
import type { WireElement } from '../elements.ts'
import { slotsOf } from './parts.ts'
import type { ValueType } from './parts.ts'
import { isRange, parseBytes, putPlain, successor } from './values.ts'
import type { Bytes } from './values.ts'

/** An element with what hangs on it, before ranges are sorted out. */
export interface KeyedElement {
  /** Where it stands, for errors. */
  field: string
  /** As it was written, for errors. */
  given: unknown
  /** `*`. */
  all: boolean
  from: Uint8Array
  /** Undefined: that of one value. */
  to: Uint8Array | undefined
  rest: Omit<WireElement, 'key' | 'keyEnd' | 'flags'>
}

/** The field of keys whose errors nobody sees. */
export const UNNAMED = ''

/** `[a, b]` is the key of a concatenation, in order; `*` what no other element matches. */
export function parseKey(
  field: string, types: readonly ValueType[], key: unknown, interval: boolean,
): Pick<KeyedElement, 'all' | 'from' | 'to'> {
  if (key === '*') return { all: true, from: new Uint8Array(), to: undefined }
  const [first] = types
  if (types.length === 1 && first !== undefined) {
    const bytes = inKeyOrder(parseBytes(field, first, key), first, interval)
    if (!interval && (bytes.to !== undefined || bytes.stem !== undefined)) {
      throw new InvalidArgumentError(field, key, 'a single value: the set has no flag interval')
    }
    return { all: false, from: bytes.from, to: bytes.stem === undefined ? bytes.to : lastOfStem(bytes.from, bytes.stem) }
  }
  const parts = typeof key === 'string' ? key.split(' . ') : key
  if (!Array.isArray(parts) || parts.length !== types.length) {
    throw new InvalidArgumentError(field, key, `an array of ${types.length} values: ${types.map(({ type }) => type).join(' . ')}`)
  }
  return concatenate(field, types, parts as unknown[], interval)
}

function concatenate(
  field: string, types: readonly ValueType[], parts: readonly unknown[], interval: boolean,
): { all: false, from: Uint8Array, to: Uint8Array | undefined } {
  const length = slotsOf(types) * 4
  const from = new Uint8Array(length)
  const to = interval ? new Uint8Array(length) : undefined
  let at = 0
  for (let index = 0; index < types.length; index++) {
    const type = types[index] as ValueType
    const start = at
    at += (type.size + 3) & ~3
    if (!interval && putPlain(from, start, type, parts[index])) continue
    const part = field === UNNAMED ? field : `${field}[${index}]`
    const bytes = inKeyOrder(parseBytes(part, type, parts[index]), type, interval)
    if (!interval && (bytes.to !== undefined || bytes.stem !== undefined)) {
      throw new InvalidArgumentError(part, parts[index], 'a single value: the set has no flag interval')
    }
    put(from, start, bytes.from)
    if (to !== undefined) put(to, start, bytes.stem === undefined ? bytes.to ?? bytes.from : lastOfStem(bytes.from, bytes.stem))
  }
  return { all: false, from, to }
}

/** As `set` does, which is slow for a few bytes. */
function put(target: Uint8Array, at: number, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) target[at + i] = bytes[i] as number
}

/** Ranges are compared from the first byte on, so sets of ranges keep numbers in network order. */
function inKeyOrder(bytes: Bytes, { order, type }: ValueType, interval: boolean): Bytes {
  if (!interval || order === 'big' || type === 'ifname') return bytes
  return { ...bytes, from: bytes.from.toReversed(), ...(bytes.to === undefined ? {} : { to: bytes.to.toReversed() }) }
}

function lastOfStem(from: Uint8Array, stem: number): Uint8Array {
  return new Uint8Array(from).fill(0xff, stem)
}

/** Elements of a set without ranges, or of a concatenation with some: each by itself. */
export function plainElements(elements: readonly KeyedElement[], concatenated: boolean): WireElement[] {
  const seen = new Map<string | number, KeyedElement>()
  return elements.map(element => {
    const { all, from, to, rest } = element
    const name = all ? '*' : to === undefined ? keyName(from) : `${textOf(from)}${textOf(to)}`
    const earlier = seen.get(name)
    if (earlier !== undefined) throw repeated(element, earlier)
    seen.set(name, element)
    if (all) return catchAll(element)
    const keyed = { key: { value: from }, ...(concatenated && to !== undefined ? { keyEnd: { value: to } } : {}) }
    return rest === NOTHING ? keyed : arrange(keyed, rest)
  })
}

/** Another one for each key of a set; a number where it fits. */
export function keyName(bytes: Uint8Array): string | number {
  if (bytes.length > 4) return textOf(bytes)
  let number = 0
  for (let at = 0; at < bytes.length; at++) number = number << 8 | (bytes[at] ?? 0)
  return number
}

/** Not by way of a Buffer: to ask a small array for its buffer costs more than all the rest. */
function textOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8) {
    text += String.fromCharCode(pair(bytes, at), pair(bytes, at + 2), pair(bytes, at + 4), pair(bytes, at + 6))
  }
  return text
}

function pair(bytes: Uint8Array, at: number): number {
  return at + 1 < bytes.length ? (bytes[at] as number) << 8 | (bytes[at + 1] as number) : at < bytes.length ? (bytes[at] as number) << 8 : 0
}

/** What an element without data, lifetime or comment carries; compared by identity, since most are. */
export const NOTHING: KeyedElement['rest'] = {}

function catchAll({ rest }: KeyedElement): WireElement {
  return arrange({ flags: ['catch all'] }, rest)
}

/** In nft's order of attributes. */
function arrange(key: Pick<WireElement, 'key' | 'keyEnd' | 'flags'>, rest: KeyedElement['rest']): WireElement {
  const { flags, ...keys } = key
  const { timeoutMs, expirationMs, ...others } = rest
  return {
    ...(flags === undefined ? {} : { flags }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(expirationMs === undefined ? {} : { expirationMs }),
    ...keys,
    ...others,
  }
}

export interface IntervalOptions {
  /** Ranges that overlap or touch become one. Those with data or comments never do. */
  merge: boolean
  /** The set is new: begin with an end at 0, as nft does. */
  first: boolean
  /** Where a key stands in what is compared with it, after ranges have been merged. */
  place?: (element: KeyedElement) => KeyedElement
}

/** The last range goes to the end of all values: NFTNL_UDATA_SET_ELEM_FLAGS, of nft. */
const OPEN = Uint8Array.of(1, 4, 1, 0, 0, 0)

/** Elements of a set of ranges: the first of each and the one behind its last, in order. */
export function intervalElements(elements: readonly KeyedElement[], { merge, first, place }: IntervalOptions): WireElement[] {
  const every = elements.filter(({ all }) => all)
  if (every[1] !== undefined && every[0] !== undefined) throw repeated(every[1], every[0])
  const sorted = elements.filter(({ all }) => !all).sort((a, b) => compare(a.from, b.from))
  const whole = merge ? merged(sorted) : distinct(sorted)
  const ranges = place === undefined ? whole : whole.map(place)
  const result: WireElement[] = []
  const [lowest] = ranges
  if (first && lowest !== undefined && lowest.from.some(byte => byte !== 0)) {
    result.push({ flags: INTERVAL_END, key: { value: new Uint8Array(lowest.from.length) } })
  }
  for (const { from, to = from, rest } of ranges) {
    const end = successor(to)
    const start: WireElement = rest === NOTHING ? { key: { value: from } } : arrange({ key: { value: from } }, rest)
    result.push(end === undefined && start.userdata === undefined ? { ...start, userdata: OPEN } : start)
    if (end !== undefined) result.push({ flags: INTERVAL_END, key: { value: end } })
  }
  return [...result, ...every.map(catchAll)]
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function distinct(sorted: readonly KeyedElement[]): readonly KeyedElement[] {
  let last: KeyedElement | undefined
  for (const element of sorted) {
    if (last !== undefined && compare(element.from, last.to ?? last.from) <= 0) throw overlapping(element, last)
    last = element
  }
  return sorted
}

function merged(sorted: readonly KeyedElement[]): KeyedElement[] {
  const result: KeyedElement[] = []
  for (const element of sorted) {
    const last = result.at(-1)
    const lastEnd = last === undefined ? undefined : last.to ?? last.from
    const behind = lastEnd === undefined ? undefined : successor(lastEnd)
    const apart = lastEnd === undefined || (behind !== undefined && compare(element.from, behind) > 0)
    if (last === undefined || lastEnd === undefined || apart) {
      result.push(element)
      continue
    }
    if (last.rest !== NOTHING || element.rest !== NOTHING) {
      if (compare(element.from, lastEnd) > 0) {
        result.push(element)
        continue
      }
      throw overlapping(element, last)
    }
    const end = element.to ?? element.from
    if (compare(end, lastEnd) > 0) result[result.length - 1] = { ...last, to: end }
  }
  return result
}

function repeated({ field, given }: KeyedElement, earlier: KeyedElement): InvalidArgumentError {
  return new InvalidArgumentError(field, given, `a key that ${earlier.field} is not already`)
}

function overlapping({ field, given }: KeyedElement, other: KeyedElement): InvalidArgumentError {
  const what = isRange(other.given) ? `${show(other.given.from)} to ${show(other.given.to)}` : show(other.given)
  return new InvalidArgumentError(field, given, `no overlap with ${other.field} (${what}), or a set with autoMerge`)
}
