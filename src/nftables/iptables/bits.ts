/** Options that a struct has a bit each for: those that were said, and those that `!` stood before. */
import { saysIf } from './extension.ts'
import type { Said } from './extension.ts'

type Bits<K extends string> = Readonly<Record<K, number>>
type Some<K extends string> = Readonly<Partial<Record<K, Said<unknown> | undefined>>>

const fieldsOf = <K extends string>(bits: Bits<K>): K[] => Object.keys(bits) as K[]

export function saidBits<K extends string>(bits: Bits<K>, given: Some<NoInfer<K>>): number {
  return fieldsOf(bits).reduce((all, field) => (given[field] === undefined ? all : all | bits[field]), 0)
}

export function notBits<K extends string>(bits: Bits<K>, given: Some<NoInfer<K>>): number {
  return fieldsOf(bits).reduce((all, field) => (given[field]?.not === true ? all | bits[field] : all), 0)
}

/** What was said of a field, from the bits of all; undefined where its bit is not set. */
export function readBits<K extends string>(
  said: readonly [Bits<K>, number], not?: readonly [Partial<Bits<K>>, number],
): <const V>(field: K, value: V) => Said<V> | undefined {
  const [bits, set] = said
  const [notBits, notSet]: readonly [Partial<Bits<K>>, number] = not ?? [{}, 0]
  return (field, value) => saysIf((set & bits[field]) !== 0, value, (notSet & (notBits[field] ?? 0)) !== 0)
}

/** Options without values. */
export function readFlags<K extends string>(bits: Bits<K>, said: number): Record<K, Said<true> | undefined> {
  const read = readBits([bits, said])
  return Object.fromEntries(fieldsOf(bits).map(field => [field, read(field, true)])) as Record<K, Said<true> | undefined>
}
