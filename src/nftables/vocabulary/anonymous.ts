/** Sets and maps without a name: the lists and maps that stand in a rule. */
import { InvalidArgumentError } from '../../errors.ts'
import type { WireElement } from '../elements.ts'
import { NOTHING, intervalElements, parseKey, plainElements } from './keys.ts'
import type { KeyedElement } from './keys.ts'
import { shifted } from './match.ts'
import type { Matchable } from './match.ts'
import type { AnonymousSet, ValueType } from './parts.ts'

/** The set of a list. */
export function anonymousSet(source: Matchable, key: readonly ValueType[], values: readonly unknown[]): AnonymousSet {
  return build(source, key, values.map((value, index) => [`${source.word}[${index}]`, value, NOTHING]), undefined)
}

/** A map: each key with what it is mapped to. */
export function anonymousMap(
  source: Matchable, key: readonly ValueType[], entries: readonly [key: unknown, data: KeyedElement['rest']][],
  data: NonNullable<AnonymousSet['data']>,
): AnonymousSet {
  if (entries.length === 0) throw new InvalidArgumentError(source.word, entries, 'at least one entry in a map')
  return build(source, key, entries.map(([name, rest], index) => [`${source.word}[${index}]`, name, rest]), data)
}

function build(
  source: Matchable, key: readonly ValueType[], given: readonly [field: string, key: unknown, rest: KeyedElement['rest']][],
  data: AnonymousSet['data'],
): AnonymousSet {
  const parsed = given.map(([field, name, rest]) => ({ field, given: name, rest, ...parseKey(field, key, name, true) }))
  const concatenated = key.length > 1
  const interval = parsed.some(({ from, to }) => to !== undefined && Buffer.compare(from, to) !== 0)
  const elements = interval ? parsed : parsed.map((element, index) => ({ ...element, ...exact(key, given[index]) }))
  const place = (element: KeyedElement): KeyedElement => source.field === undefined ? element : shiftKey(source, element)
  const wire: WireElement[] = interval && !concatenated
    ? intervalElements(elements, { merge: data === undefined, first: true, place })
    : plainElements(elements.map(place), concatenated)
  const size = interval && !concatenated ? wire.length : given.length
  return { key, ...(data === undefined ? {} : { data }), interval, size, elements: wire }
}

/** The same key without ranges, in the kernel's own order. */
function exact(
  key: readonly ValueType[], given: readonly [string, unknown, unknown] | undefined,
): Pick<KeyedElement, 'all' | 'from' | 'to'> {
  const [field = '', name] = given ?? []
  return parseKey(field, key, name, false)
}

function shiftKey(source: Matchable, element: KeyedElement): KeyedElement {
  if (element.all) return element
  return { ...element, from: shifted(source, element.from), to: element.to === undefined ? undefined : shifted(source, element.to) }
}
