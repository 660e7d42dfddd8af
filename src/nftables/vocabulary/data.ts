/** What maps map to, as bytes. */
import { InvalidArgumentError } from '../../errors.ts'
import { lengthOf } from './parts.ts'
import type { ValueType } from './parts.ts'
import { parseBytes, parseScalar } from './values.ts'
import type { Bytes } from './values.ts'

/** Values side by side; of ranges, all first values, then all last. */
export function dataBytes(field: string, types: readonly ValueType[], value: unknown, interval: boolean): Uint8Array {
  const given: unknown[] = types.length === 1 ? [value] : typeof value === 'string' ? value.split(' . ') : Array.isArray(value) ? value : []
  if (given.length !== types.length) {
    throw new InvalidArgumentError(field, value, `${types.length} values: ${types.map(({ type }) => type).join(' . ')}`)
  }
  const parsed = types.map((type, index): Bytes =>
    interval ? parseBytes(field, type, given[index]) : { from: parseScalar(field, type, given[index]) })
  const from = sideBySide(types, parsed.map(bytes => bytes.from))
  if (!interval) return from
  return Uint8Array.of(...from, ...sideBySide(types, parsed.map(bytes => bytes.to ?? bytes.from)))
}

function sideBySide(types: readonly ValueType[], values: readonly Uint8Array[]): Uint8Array {
  if (values.length === 1 && values[0] !== undefined) return values[0]
  const bytes = new Uint8Array(lengthOf(types))
  let at = 0
  types.forEach(({ size }, index) => {
    bytes.set(values[index] ?? [], at)
    at += (size + 3) & ~3
  })
  return bytes
}
