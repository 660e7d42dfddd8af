/** Checks of what callers without TypeScript may get wrong: values, and misspelled options, which are told and not ignored. */
import { InvalidArgumentError, checkFields, didYouMean } from './errors.ts'

/** What values are accepted: in words, and as a test. */
export interface Check {
  readonly accepted: string
  test(value: unknown): boolean
}

/** For what others check. */
export const anything: Check = { accepted: 'anything', test: () => true }

export const aBoolean: Check = { accepted: 'true or false', test: value => typeof value === 'boolean' }

export const aString: Check = { accepted: 'a string', test: value => typeof value === 'string' }

/** A C string that says something: an empty one is never a name, and a NUL would end it early. */
export const aText: Check = {
  accepted: 'a string that is not empty, without NUL',
  test: value => typeof value === 'string' && value !== '' && !value.includes('\0'),
}

export const aFunction: Check = { accepted: 'a function', test: value => typeof value === 'function' }

export const anObject: Check = { accepted: 'an object', test: isObject }

export const aU32: Check = wholeNumber(0, 0xffffffff)

export function oneOf(names: readonly string[]): Check {
  return { accepted: names.map(name => `'${name}'`).join(', '), test: value => names.some(name => name === value) }
}

export function wholeNumber(min: number, max: number, what = 'a whole number'): Check {
  const test = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= min && (value as number) <= max
  return { accepted: `${what} from ${min} to ${max}`, test }
}

/** The value itself, an object: for who takes it apart. `names`: of the fields that it may have; other ones are refused. */
export function fieldsOf<T extends object>(field: string, value: T, names?: ReadonlySet<string>): T {
  if (!isObject(value) || Array.isArray(value)) throw new InvalidArgumentError(field, value, 'an object')
  if (names !== undefined) checkFields(value, names, field, field)
  return value
}

/** The value itself, an array. */
export function listOf<T extends readonly unknown[]>(field: string, value: T): T {
  if (!Array.isArray(value)) throw new InvalidArgumentError(field, value, 'an array')
  return value
}

/** Whether a switch is on; left out, it is off. */
export function isOn(field: string, value: boolean | undefined): boolean {
  if (value !== undefined) check(field, value, aBoolean)
  return value === true
}

export function check(field: string, value: unknown, { accepted, test }: Check): void {
  if (!test(value)) throw new InvalidArgumentError(field, value, accepted)
}

/** The same of what may be left out. */
export function checkGiven(field: string, value: unknown, accepted: Check): void {
  if (value !== undefined) check(field, value, accepted)
}

/** Whether a table has it; what is no string never is in one. */
export function isKeyOf<T extends object>(table: T, key: unknown): key is keyof T & string {
  return typeof key === 'string' && Object.hasOwn(table, key)
}

/**
 * Refuses what is no object, or has a field of another name or value than those accepted; undefined is always.
 * `path`: stands before the fields in errors, '' for nothing.
 */
export function checkEach(path: string, values: unknown, checks: Readonly<Record<string, Check>>, what = path): void {
  const names = Object.keys(checks)
  if (!isObject(values) || Array.isArray(values)) throw new InvalidArgumentError(path === '' ? what : path, values, `an object with ${names.join(', ')}`)
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    const field = path === '' ? name : `${path}.${name}`
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (known === undefined) {
      throw new InvalidArgumentError(field, value, `only ${names.join(', ')} in ${what}${didYouMean(name, names)}`)
    }
    if (value !== undefined) check(field, value, known)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
