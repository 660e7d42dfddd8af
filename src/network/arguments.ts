/** Checks of what callers without TypeScript may get wrong: a misspelled option is told, not ignored. */
import { InvalidArgumentError, didYouMean } from '../errors.ts'

const accepted = { boolean: 'true or false', string: 'a string', number: 'a number', object: 'an object' } as const

type OptionType = keyof typeof accepted

/** Throws unless `options` is an object with no other names than these, each undefined or of the type given. */
export function checkOptions(what: string, options: unknown, types: Readonly<Record<string, OptionType>>): void {
  const names = Object.keys(types)
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(what, options, `an object with ${names.join(', ')}`)
  }
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const type = types[name]
    if (type === undefined) {
      throw new InvalidArgumentError(`${what}.${name}`, value, `only ${names.join(', ')} in ${what}${didYouMean(name, names)}`)
    }
    if (value !== undefined) checkType(`${what}.${name}`, value, type)
  }
}

export function checkType(what: string, value: unknown, type: OptionType): void {
  if (typeof value !== type) throw new InvalidArgumentError(what, value, accepted[type])
}
