/** How much a connection has carried. Source: linux/netfilter/xt_connbytes.h. */
import { padding, u64, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { extension, negatable, option, says } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { oneOf, parseNumber } from '../values.ts'
import type { Kind, Range } from '../values.ts'

const ALL = 0xffff_ffff_ffff_ffffn

/** `10`, from ten on; `10:20`. The last number may be Infinity. */
const counts: Kind<Range, number | Range> = {
  words: 1,
  accepted: 'the least count, or least:most, each up to 2^53-1',
  parse(text) {
    const [first = '', last = '', ...rest] = text.split(':')
    const ends = [first === '' ? 0 : parseNumber(first), last === '' ? Infinity : parseNumber(last)] as const
    return rest.length === 0 && Number.isSafeInteger(ends[0]) && ends[0] <= ends[1] && text !== '' ? ends : undefined
  },
  format: ([first, last]) => (last === Infinity ? `${first}` : `${first}:${last}`),
  type: input => (typeof input === 'number' ? String(input) : counts.format(input)),
}

const modes = ['packets', 'bytes', 'avgpkt'] as const
const sides = ['original', 'reply', 'both'] as const
const options = {
  connbytes: negatable(counts),
  connbytesMode: option(oneOf(...modes)),
  connbytesDir: option(oneOf(...sides)),
}

/** A negated range is stored with its ends exchanged. */
function ends(said: Said<Range> | undefined): { from: bigint, to: bigint } {
  const [first, last] = said?.value ?? [0, Infinity]
  const [from, to] = [BigInt(first), last === Infinity ? ALL : BigInt(last)]
  return said?.not === true ? { from: to, to: from } : { from, to }
}

export const connbytes: Extension<typeof options> = extension({
  name: 'connbytes',
  options,
  layout: struct({ from: u64, to: u64, what: u8, direction: u8, _: padding(6) }),
  check(given) {
    const missing = (Object.keys(options) as (keyof typeof options)[]).find(field => given[field] === undefined)
    return missing === undefined ? undefined : [missing, options[missing].kind.accepted]
  },
  write: ({ connbytes: said, connbytesMode, connbytesDir }) => ({
    ...ends(said), what: modes.indexOf(connbytesMode?.value ?? 'packets'), direction: sides.indexOf(connbytesDir?.value ?? 'both'),
  }),
  read({ from, to, what, direction }) {
    const [mode, side] = [modes[what], sides[direction]]
    const [first, last] = from > to ? [to, from] : [from, to]
    if (mode === undefined || side === undefined || first > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
    const range = [Number(first), last === ALL ? Infinity : Number(last)] as const
    return { connbytes: says(range, from > to), connbytesMode: says(mode), connbytesDir: says(side) }
  },
  list: ({ connbytes: said, connbytesMode, connbytesDir }) =>
    `${said?.not === true ? '! ' : ''}connbytes ${counts.format(said?.value ?? [0, 0])} ` +
    `connbytes mode ${connbytesMode?.value ?? ''} connbytes direction ${connbytesDir?.value ?? ''}`,
})
