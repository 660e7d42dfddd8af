/** Elements of sets and maps, and their keys and data, as nft writes them. */
import { datatypesOf, formatDuration, toBigInt } from '../datatypes.ts'
import type { Datatype, DatatypeName } from '../datatypes.ts'
import type { WireElement } from '../elements.ts'
import type { NftSet } from '../sets.ts'
import { decodeUserdata } from '../userdata.ts'
import { nothingKnown } from './dependencies.ts'
import { keyOperand, prefixText, rangeOf, valueText } from './operand.ts'
import type { Operand, Parts } from './operand.ts'
import { simpleStatement } from './simple.ts'

/** The parts of a set's key by its own type; undefined if a type says nothing of its length or order (integer, string). */
export function keyParts({ keyType }: NftSet): Parts | undefined {
  return typeParts(keyType)
}

/** The parts of a map's data. */
export function dataParts({ dataType }: NftSet): Parts | undefined {
  return dataType === undefined ? undefined : typeParts(dataType)
}

function typeParts(id: number): Parts | undefined {
  const types = datatypesOf(id)
  return types?.every(({ size }) => size !== undefined) === true ? types.map(partOf) : undefined
}

function partOf(type: Datatype): Operand {
  return keyOperand(type.name, { type: type.name as DatatypeName, size: type.size ?? 0, order: type.order })
}

/** `{ 22, 80-90 }`; undefined if there is an element that cannot be said. */
export function elementsText(set: NftSet, elements: readonly WireElement[], parts: Parts, data: Parts | undefined): string[] | undefined {
  const isInterval = set.flags.includes('interval')
  const isPlainInterval = isInterval && !set.flags.includes('concat') && parts.length === 1
  const entries = isPlainInterval
    ? intervals(elements, parts[0] as Operand)
    : elements.map(element => ({ element, last: element.keyEnd?.value }))
  const texts = entries.map(({ element, last }) => elementText(set, element, last, parts, data))
  return texts.every(text => text !== undefined) ? texts : undefined
}

interface Entry {
  element: WireElement
  /** Last key of a range. */
  last: Uint8Array | undefined
}

/** Elements of plain intervals: each begins a range, which goes up to before the next element. Keys are in network order. */
function intervals(elements: readonly WireElement[], part: Operand): Entry[] {
  const isEnd = (element: WireElement): boolean => element.flags?.includes('interval end') === true
  const keyOf = (element: WireElement): Buffer => Buffer.from(element.key?.value ?? [])
  const catchAll = elements.filter(element => element.flags?.includes('catch all') === true)
  const sorted = elements.filter(element => !catchAll.includes(element))
    .sort((a, b) => Buffer.compare(keyOf(a), keyOf(b)) || Number(isEnd(b)) - Number(isEnd(a)))
  const entries: Entry[] = []
  sorted.forEach((element, index) => {
    if (isEnd(element)) return
    const next = sorted[index + 1]
    const length = keyOf(element).length || part.size
    entries.push({ element, last: next === undefined ? new Uint8Array(length).fill(0xff) : before(keyOf(next)) })
  })
  return [...entries, ...catchAll.map(element => ({ element, last: undefined }))]
}

function before(key: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(key)
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at] ?? 0
    bytes[at] = byte === 0 ? 0xff : byte - 1
    if (byte !== 0) break
  }
  return bytes
}

function elementText(
  set: NftSet, element: WireElement, last: Uint8Array | undefined, parts: Parts, data: Parts | undefined,
): string | undefined {
  const { flags, key, timeoutMs, expirationMs, userdata, expression, expressions = expression === undefined ? [] : [expression] } = element
  const first = key?.value ?? new Uint8Array()
  const isInterval = set.flags.includes('interval')
  const words = [flags?.includes('catch all') === true ? '*' : keyText(parts, first, last, isInterval)]
  for (const each of expressions) {
    const text = simpleStatement(each, nothingKnown)
    if (text === undefined) return undefined
    words.push(text)
  }
  if (timeoutMs !== undefined && timeoutMs !== set.timeoutMs) words.push(`timeout ${formatDuration(timeoutMs)}`)
  if (expirationMs !== undefined) words.push(`expires ${formatDuration(expirationMs)}`)
  const comment = userdata === undefined ? undefined : decodeUserdata(userdata).comment
  if (comment !== undefined) words.push(`comment "${comment}"`)
  const mapped = dataText(set, element, data)
  return mapped === '' ? undefined : [...words, ...(mapped === undefined ? [] : [':', mapped])].join(' ')
}

/** Undefined for sets; empty for data that cannot be said. */
function dataText(set: NftSet, { data, object }: WireElement, parts: Parts | undefined): string | undefined {
  if (object !== undefined) return `"${object}"`
  if (data?.verdict !== undefined) return verdictText(data.verdict)
  if (data?.value === undefined) return undefined
  if (parts === undefined) return ''
  if (set.mapInterval !== true) return keyText(parts, data.value, undefined, false)
  const half = data.value.length / 2
  return keyText(parts, data.value.subarray(0, half), data.value.subarray(half), true)
}

export function verdictText({ code, chain }: { code?: string | number | undefined, chain?: string | undefined }): string {
  return chain === undefined ? String(code) : `${code} ${chain}`
}

/** A key, or the range up to `last`. Fields of concatenations start at every fourth byte. */
export function keyText(parts: Parts, first: Uint8Array, last: Uint8Array | undefined, isInterval: boolean): string {
  let at = 0
  const texts = parts.map(part => {
    const size = parts.length === 1 ? first.length : part.size
    const [from, to] = [first.subarray(at, at + size), (last ?? first).subarray(at, at + size)]
    at += size + 3 & ~3
    return partText(part, from, to, isInterval)
  })
  return texts.join(' . ')
}

function partText(part: Operand, from: Uint8Array, to: Uint8Array, isInterval: boolean): string {
  if (!isInterval) return valueText(part, from)
  // Keys of intervals are in network order, whatever the type's own.
  const operand = { ...part, order: 'big' as const }
  if (part.type.name === 'ifname') return nameRange(operand, from, to)
  if (Buffer.compare(from, to) === 0) return valueText(operand, from)
  const prefix = part.type.form === 'ip' ? prefixLength(from, to) : undefined
  return prefix === undefined ? rangeOf(operand, from, to) : prefixText(part.type, from, prefix)
}

/** `"eth*"` is the range of all names that begin so. */
function nameRange(operand: Operand, from: Uint8Array, to: Uint8Array): string {
  if (Buffer.compare(from, to) === 0) return valueText(operand, from)
  const end = from.indexOf(0)
  return valueText(operand, from.subarray(0, end < 0 ? from.length : end))
}

/** If a range is all addresses of a prefix: its length. */
function prefixLength(from: Uint8Array, to: Uint8Array): number | undefined {
  const bits = from.length * 8
  const size = toBigInt(to, 'big') - toBigInt(from, 'big') + 1n
  if (size <= 0n || (size & (size - 1n)) !== 0n || toBigInt(from, 'big') % size !== 0n) return undefined
  return bits - (size.toString(2).length - 1)
}
