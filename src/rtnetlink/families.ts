/** IP versions and the kernel's numbers for them. */
import { InvalidArgumentError } from '../errors.ts'
import * as c from './constants.ts'

export const families = { 4: c.AF_INET, 6: c.AF_INET6 } as const

/** Undefined: both. */
export function familyNumber(family: 4 | 6 | undefined): number {
  if (family === undefined) return c.AF_UNSPEC
  if (family !== 4 && family !== 6) throw new InvalidArgumentError('family', family, '4 or 6')
  return families[family]
}
