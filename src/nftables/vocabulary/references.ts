/** Stateful objects that a rule refers to: one by name, or the one that a map finds. */
import { InvalidArgumentError } from '../../errors.ts'
import type { Source, Word } from './parts.ts'
import { isObjectMap } from './maps.ts'

/** `object`: the name of an object, or `map(…)` with names of objects. */
export function referTo(field: string, type: number, object: string | Source): Word {
  if (typeof object === 'string' && object !== '') return [{ name: 'objref', data: { type, name: object } }]
  if (isObjectMap(object)) return object.refer(type)
  throw new InvalidArgumentError(field, object, 'the name of an object, or a map of such names')
}
