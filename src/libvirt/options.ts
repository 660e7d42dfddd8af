/** Options as libvirt's flags, and checks of what callers without TypeScript may get wrong. */
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import { unicastMac, uuid } from '../network/codecs.ts'

/** What values are accepted: in words, and as a test. */
export interface Check {
  readonly accepted: string
  test(value: unknown): boolean
}

/** For what others check. */
export const anything: Check = { accepted: 'anything', test: () => true }

export const aBoolean: Check = { accepted: 'true or false', test: value => typeof value === 'boolean' }

/** A C string that says something: an empty one is never a name, and a NUL would end it early. */
export const aText: Check = {
  accepted: 'a string that is not empty, without NUL',
  test: value => typeof value === 'string' && value !== '' && !value.includes('\0'),
}

export const anObject: Check = { accepted: 'an object', test: value => typeof value === 'object' && value !== null }

export const aMac: Check = { accepted: unicastMac.accepted, test: value => unicastMac.format(value) !== undefined }

export const aUuid: Check = { accepted: uuid.accepted, test: value => uuid.format(value) !== undefined }

export function oneOf(names: readonly string[]): Check {
  return { accepted: names.map(name => `'${name}'`).join(', '), test: value => names.some(name => name === value) }
}

export function wholeNumber(min: number, max: number): Check {
  const test = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= min && (value as number) <= max
  return { accepted: `a whole number, ${min} to ${max}`, test }
}

export function check(field: string, value: unknown, { accepted, test }: Check): void {
  if (!test(value)) throw new InvalidArgumentError(field, value, accepted)
}

/** A name, a path, an XML document: whatever else libvirt says about it. */
export function checkText(field: string, value: unknown): asserts value is string {
  check(field, value, aText)
}

/** Refuses options that are no object, have another name or another value than those accepted; undefined is always. */
export function checkOptions(what: string, options: unknown, checks: Readonly<Record<string, Check>>): void {
  const names = Object.keys(checks)
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(what, options, `an object with ${names.join(', ')}`)
  }
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (known === undefined) {
      throw new InvalidArgumentError(`${what}.${name}`, value, `only ${names.join(', ')} in ${what}${didYouMean(name, names)}`)
    }
    if (value !== undefined) check(`${what}.${name}`, value, known)
  }
}

/** A flag that `true` sets; or a pair, the first set by `true`, the second by `false`. */
export type FlagTable = Readonly<Record<string, number | readonly [number, number]>>

/** Names of a table as options. */
export type FlagOptions<T extends FlagTable> = { -readonly [K in keyof T]?: boolean }

/** `({ active: false }, { active: [ACTIVE, INACTIVE] })` → INACTIVE. What is left out, or undefined, adds nothing. */
export function flagsOf<T extends FlagTable>(what: string, options: FlagOptions<T>, table: T): number {
  checkOptions(what, options, Object.fromEntries(Object.keys(table).map(name => [name, aBoolean])))
  let flags = 0
  for (const [name, value] of Object.entries(options) as [string, boolean | undefined][]) {
    const flag = table[name]
    if (flag === undefined || value === undefined) continue
    if (typeof flag !== 'number') flags |= value ? flag[0] : flag[1]
    else if (value) flags |= flag
  }
  return flags
}
