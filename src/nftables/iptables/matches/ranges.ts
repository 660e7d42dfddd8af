/** Ranges of numbers in headers: ports, SPIs, identifications. The range of all of them says nothing. */
import { bang, saysIf } from '../extension.ts'
import type { Said } from '../extension.ts'
import type { Range } from '../values.ts'

export function isWhole([first, last]: Range, max: number): boolean {
  return first === 0 && last === max
}

export function saidRange(first: number, last: number, max: number, not: boolean): Said<Range> | undefined {
  return saysIf(!isWhole([first, last], max) || not, [first, last] as const, not)
}

/** `spt:5`, `spts:!5:9`. */
export function listRange(label: string, said: Said<Range> | undefined, max: number): string[] {
  if (said === undefined || (isWhole(said.value, max) && !said.not)) return []
  const [first, last] = said.value
  return [`${label}${first === last ? '' : 's'}:${bang(said)}${first === last ? first : `${first}:${last}`}`]
}

/** What is wrong with a range of which all is negated. */
export function nothingLeft<K extends string>(
  given: { readonly [F in K]?: Said<Range> | undefined }, max: number, ...fields: readonly K[]
): readonly [field: K, accepted: string] | undefined {
  const field = fields.find(name => given[name]?.not === true && isWhole(given[name].value, max))
  return field === undefined ? undefined : [field, 'a range that leaves something to match']
}
