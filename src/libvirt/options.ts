/** Options as libvirt's flags, and checks of what libvirt takes. */
import { aBoolean, aText, check, checkEach } from '../checks.ts'
import type { Check } from '../checks.ts'
import { unicastMac, uuid } from '../network/codecs.ts'

export const aMac: Check = { accepted: unicastMac.accepted, test: value => unicastMac.format(value) !== undefined }

export const aUuid: Check = { accepted: uuid.accepted, test: value => uuid.format(value) !== undefined }

/** A name, a path, an XML document: whatever else libvirt says about it. */
export function checkText(field: string, value: unknown): asserts value is string {
  check(field, value, aText)
}

/** A flag that `true` sets; or a pair, the first set by `true`, the second by `false`. */
export type FlagTable = Readonly<Record<string, number | readonly [number, number]>>

/** Names of a table as options. */
export type FlagOptions<T extends FlagTable> = { -readonly [K in keyof T]?: boolean }

/** `({ active: false }, { active: [ACTIVE, INACTIVE] })` → INACTIVE. What is left out, or undefined, adds nothing. */
export function flagsOf<T extends FlagTable>(what: string, options: FlagOptions<T>, table: T): number {
  checkEach(what, options, Object.fromEntries(Object.keys(table).map(name => [name, aBoolean])))
  let flags = 0
  for (const [name, value] of Object.entries(options) as [string, boolean | undefined][]) {
    const flag = table[name]
    if (flag === undefined || value === undefined) continue
    if (typeof flag !== 'number') flags |= value ? flag[0] : flag[1]
    else if (value) flags |= flag
  }
  return flags
}
