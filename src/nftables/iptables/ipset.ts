/**
 * Sets of ipset in rules: a rule holds a set's number, people say its name, and the kernel knows both. Source:
 * linux/netfilter/xt_set.h.
 */
import { fieldsOf, listOf } from '../../checks.ts'
import { u16, u8 } from '../../netlink/codecs.ts'
import type { FixedCodec } from '../../netlink/codecs.ts'
import { struct } from '../../netlink/table.ts'
import { isExpression } from '../expressions.ts'
import type { Expression } from '../expressions.ts'
import * as c from './constants.ts'
import type { Said } from './extension.ts'
import type { IptablesRule } from './rule.ts'
import type { Context, IpSet, Kind } from './values.ts'
import { inner } from './xt.ts'

const directions = ['src', 'dst'] as const
type Direction = (typeof directions)[number]

/** A set, and which of a packet's addresses and ports are looked up in it, one for each of its dimensions. */
export interface SetUse {
  set: string
  dirs: readonly Direction[]
}

/** `NAME src,dst`. */
export const setUse: Kind<SetUse, SetUse | string> = {
  words: 2,
  accepted: `the name of a set, of 1 to ${c.IPSET_MAXNAMELEN - 1} bytes, and up to ${c.IPSET_DIM_MAX} of src and dst, like "blocked src,dst"`,
  parse(text) {
    const [, set = '', said = ''] = /^(.+) (\S+)$/s.exec(text) ?? []
    const dirs = said.split(',').map(word => directions.find(each => each === word)).filter(dir => dir !== undefined)
    if (set === '' || Buffer.byteLength(set) >= c.IPSET_MAXNAMELEN || dirs.length !== said.split(',').length) return undefined
    return dirs.length <= c.IPSET_DIM_MAX ? { set, dirs } : undefined
  },
  format: ({ set, dirs }) => `${set} ${dirs.join(',')}`,
  type: input => (typeof input === 'string' ? input : setUse.format(input)),
}

/** struct xt_set_info. The lowest bit of its flags stands for `!`, the next for the first dimension. */
const layout = struct({ index: u16, dimensions: u8, flags: u8 })
export interface SetInfo {
  index: number
  dimensions: number
  flags: number
}
export const setInfo: FixedCodec<SetInfo> = inner(layout)

/** What stands where no set is meant. */
export const NO_SET: SetInfo = { index: c.IPSET_INVALID_ID, dimensions: 0, flags: 0 }

/** As a program may give them. */
function setsOf({ sets = [] }: Context): IpSet[] {
  return listOf('sets', sets).map((set, index) => fieldsOf(`sets[${index}]`, set))
}

export function writeSet(said: Said<SetUse> | undefined, context: Context): SetInfo {
  const index = setsOf(context).find(({ name }) => name === said?.value.set)?.index
  if (said === undefined || index === undefined) return NO_SET
  const { dirs } = said.value
  const sources = dirs.reduce((bits, dir, at) => (dir === 'src' ? bits | 2 << at : bits), 0)
  return { index, dimensions: dirs.length, flags: sources | (said.not ? c.IPSET_INV_MATCH : 0) }
}

/** undefined: there is none of this number. */
export function readSet({ index, dimensions, flags }: SetInfo, context: Context): Said<SetUse> | undefined {
  const set = setsOf(context).find(each => each.index === index)?.name
  if (set === undefined) return undefined
  const dirs = Array.from({ length: dimensions }, (_, at) => ((flags & 2 << at) === 0 ? 'dst' as const : 'src' as const))
  return { not: (flags & c.IPSET_INV_MATCH) !== 0, value: { set, dirs } }
}

/** What to say of the first of the fields whose set has no number in the context. */
export function unknownSet<const F extends string>(
  given: { readonly [K in NoInfer<F>]?: Said<SetUse> | undefined }, fields: readonly F[], context: Context,
): readonly [F, string] | undefined {
  const sets = setsOf(context)
  const field = fields.find(each => given[each] !== undefined && !sets.some(({ name }) => name === given[each]?.value.set))
  const known = sets.map(({ name }) => name).join(', ')
  return field === undefined ? undefined : [field, `one of \`sets\`, which say the numbers of ipset’s sets: ${known || 'none is given'}`]
}

/** Which options of which part of a rule name a set. */
const naming = new Map<string, readonly string[]>([['set', ['matchSet']], ['SET', ['addSet', 'delSet', 'mapSet']]])

/** The sets that a rule names, as far as it can be read; `iptablesRule` says what is wrong with the rest. */
export function setNames({ matches, target }: IptablesRule): string[] {
  const parts = [...(Array.isArray(matches) ? matches as readonly unknown[] : []), target]
  return parts.filter(isRecord).flatMap(part => Object.entries(part)).flatMap(([name, input]) =>
    (naming.get(name) ?? []).flatMap(field => (isRecord(input) ? nameIn(input[field]) : [])))
}

function nameIn(said: unknown): string[] {
  if (typeof said === 'string') return nameIn(setUse.parse(said, { family: 'ip' }))
  if (!isRecord(said)) return []
  if ('not' in said) return nameIn(said['not'])
  return typeof said['set'] === 'string' ? [said['set']] : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** The numbers of the sets that a rule holds. */
export function setIndices(expressions: readonly Expression[]): number[] {
  return expressions.flatMap(each => {
    if (isExpression(each, 'match') && each.data.name === 'set') return indicesIn(each.data.info, 1)
    return isExpression(each, 'target') && each.data.name === 'SET' ? indicesIn(each.data.info, 3) : []
  })
}

/** Of some struct xt_set_info, one behind another: both structs begin with theirs. */
function indicesIn(info: Uint8Array = new Uint8Array(), count: number): number[] {
  const bytes = Buffer.from(info.buffer, info.byteOffset, info.length)
  const whole = Array.from({ length: count }, (_, at) => at * layout.size).filter(at => at + layout.size <= bytes.length)
  return whole.map(at => layout.decode(bytes, at).index).filter(index => index !== c.IPSET_INVALID_ID)
}
