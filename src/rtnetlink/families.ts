/** IP versions and the kernel's numbers for them. */
import { InvalidArgumentError } from '../errors.ts'
import type { Message } from '../netlink/message.ts'
import * as c from './constants.ts'

export const families = { 4: c.AF_INET, 6: c.AF_INET6 } as const

/** Undefined: both. */
export function familyNumber(family: 4 | 6 | undefined): number {
  if (family === undefined) return c.AF_UNSPEC
  if (family !== 4 && family !== 6) throw new InvalidArgumentError('family', family, '4 or 6')
  return families[family]
}

/** Whether it is of IPv4 or IPv6. Who asks for both gets others too: of multicast routing, MPLS, MCTP. */
export function isInternet({ header }: Message): boolean {
  const { family } = header as { family: number }
  return family === c.AF_INET || family === c.AF_INET6
}
