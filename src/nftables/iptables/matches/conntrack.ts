/** What connection tracking knows: `-m conntrack`, and its short form `-m state`. Source: linux/netfilter/xt_conntrack.h. */
import { u16, u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { hostText, toHost } from '../addresses.ts'
import { notBits, readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { extension, negatable, listSaid, option, says } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { protocol } from '../protocols.ts'
import { masked, nameList, oneOf, port, range } from '../values.ts'
import type { Context, Range } from '../values.ts'
import { inetAddress } from '../xt.ts'

/** struct xt_conntrack_mtinfo3. */
const layout = struct({
  origsrc: inetAddress,
  origsrcMask: inetAddress,
  origdst: inetAddress,
  origdstMask: inetAddress,
  replsrc: inetAddress,
  replsrcMask: inetAddress,
  repldst: inetAddress,
  repldstMask: inetAddress,
  expiresMin: u32,
  expiresMax: u32,
  l4proto: u16,
  origsrcPort: u16,
  origdstPort: u16,
  replsrcPort: u16,
  repldstPort: u16,
  matchFlags: u16,
  invertFlags: u16,
  stateMask: u16,
  statusMask: u16,
  origsrcPortHigh: u16,
  origdstPortHigh: u16,
  replsrcPortHigh: u16,
  repldstPortHigh: u16,
})

/** XT_CONNTRACK_STATE_*, in the order in which iptables prints them. */
const stateBits = {
  INVALID: 1 << 0, NEW: 1 << 3, RELATED: 1 << 2, ESTABLISHED: 1 << 1, UNTRACKED: 1 << 8, SNAT: 1 << 6, DNAT: 1 << 7,
} as const
export type ConntrackState = keyof typeof stateBits
const states = Object.keys(stateBits) as ConntrackState[]

/** IPS_* of linux/netfilter/nf_conntrack_common.h. */
const statusBits = { EXPECTED: 1, SEEN_REPLY: 2, ASSURED: 4, CONFIRMED: 8 } as const
const statuses = Object.keys(statusBits) as (keyof typeof statusBits)[]

const maskOf = <N extends string>(bits: Readonly<Record<N, number>>, given: readonly N[]): number =>
  given.reduce((mask, name) => mask | bits[name], 0)
const namesIn = <N extends string>(bits: Readonly<Record<N, number>>, mask: number): N[] =>
  (Object.keys(bits) as N[]).filter(name => (mask & bits[name]) !== 0)

const options = {
  ctstate: negatable(nameList(states)),
  ctproto: negatable(protocol),
  ctorigsrc: negatable(masked({ whole: false })),
  ctorigdst: negatable(masked({ whole: false })),
  ctreplsrc: negatable(masked({ whole: false })),
  ctrepldst: negatable(masked({ whole: false })),
  ctorigsrcport: negatable(port),
  ctorigdstport: negatable(port),
  ctreplsrcport: negatable(port),
  ctrepldstport: negatable(port),
  ctstatus: negatable(nameList(statuses, { none: 'NONE' })),
  ctexpire: negatable(range(0xffffffff)),
  ctdir: option(oneOf('ORIGINAL', 'REPLY')),
}
type ConntrackOptions = typeof options

const flags: Readonly<Record<keyof ConntrackOptions, number>> = {
  ctstate: c.XT_CONNTRACK_STATE,
  ctproto: c.XT_CONNTRACK_PROTO,
  ctorigsrc: c.XT_CONNTRACK_ORIGSRC,
  ctorigdst: c.XT_CONNTRACK_ORIGDST,
  ctreplsrc: c.XT_CONNTRACK_REPLSRC,
  ctrepldst: c.XT_CONNTRACK_REPLDST,
  ctorigsrcport: c.XT_CONNTRACK_ORIGSRC_PORT,
  ctorigdstport: c.XT_CONNTRACK_ORIGDST_PORT,
  ctreplsrcport: c.XT_CONNTRACK_REPLSRC_PORT,
  ctrepldstport: c.XT_CONNTRACK_REPLDST_PORT,
  ctstatus: c.XT_CONNTRACK_STATUS,
  ctexpire: c.XT_CONNTRACK_EXPIRES,
  ctdir: c.XT_CONNTRACK_DIRECTION,
}
/** An inverted direction is the other one, not a negated one. */
const { ctdir: _direction, ...inverses } = flags
const fields = Object.keys(flags) as (keyof ConntrackOptions)[]

const addresses = ['origsrc', 'origdst', 'replsrc', 'repldst'] as const

export const conntrack: Extension<ConntrackOptions> = extension({
  name: 'conntrack',
  revision: 3,
  options,
  layout,
  check: given => (fields.some(field => given[field] !== undefined) ? undefined : ['ctstate', 'at least one option of conntrack']),
  write(given, context) {
    const reply = given.ctdir?.value === 'REPLY' ? c.XT_CONNTRACK_DIRECTION : 0
    return {
      ...Object.assign({}, ...addresses.flatMap(which => [
        addressFields(which, given[`ct${which}`], context), portFields(which, given[`ct${which}port`]),
      ])) as object,
      expiresMin: given.ctexpire?.value[0],
      expiresMax: given.ctexpire?.value[1],
      l4proto: given.ctproto?.value,
      matchFlags: saidBits(flags, given),
      invertFlags: notBits(flags, given) | reply,
      stateMask: maskOf(stateBits, given.ctstate?.value ?? []),
      statusMask: maskOf(statusBits, given.ctstatus?.value ?? []),
    }
  },
  read(values, { family }) {
    if ((values.matchFlags & c.XT_CONNTRACK_STATE_ALIAS) !== 0) return undefined
    const said = readBits([flags, values.matchFlags], [inverses, values.invertFlags])
    const addressOf = (which: typeof addresses[number]): string => hostText(values[which], values[`${which}Mask`], family)
    const portOf = (which: typeof addresses[number]): Range => [values[`${which}Port`], values[`${which}PortHigh`]]
    return {
      ctstate: said('ctstate', namesIn(stateBits, values.stateMask)),
      ctproto: said('ctproto', values.l4proto),
      ctorigsrc: said('ctorigsrc', addressOf('origsrc')),
      ctorigdst: said('ctorigdst', addressOf('origdst')),
      ctreplsrc: said('ctreplsrc', addressOf('replsrc')),
      ctrepldst: said('ctrepldst', addressOf('repldst')),
      ctorigsrcport: said('ctorigsrcport', portOf('origsrc')),
      ctorigdstport: said('ctorigdstport', portOf('origdst')),
      ctreplsrcport: said('ctreplsrcport', portOf('replsrc')),
      ctrepldstport: said('ctrepldstport', portOf('repldst')),
      ctstatus: said('ctstatus', namesIn(statusBits, values.statusMask)),
      ctexpire: said('ctexpire', [values.expiresMin, values.expiresMax]),
      ctdir: said('ctdir', (values.invertFlags & flags.ctdir) === 0 ? 'ORIGINAL' : 'REPLY'),
    }
  },
  list: given => listSaid(options, given),
})

function addressFields(which: typeof addresses[number], said: Said<string> | undefined, { family }: Context): object {
  const found = said === undefined ? undefined : toHost(said.value, family)
  return found === undefined ? {} : { [which]: found.address, [`${which}Mask`]: found.mask }
}

function portFields(which: typeof addresses[number], said: Said<Range> | undefined): object {
  return said === undefined ? {} : { [`${which}Port`]: said.value[0], [`${which}PortHigh`]: said.value[1] }
}

const stateOptions = { state: negatable(nameList(states)) }

/** The older way to say `conntrack --ctstate`: the same struct with a flag. */
export const state: Extension<typeof stateOptions> = extension({
  name: 'state',
  xt: 'conntrack',
  revision: 3,
  options: stateOptions,
  layout,
  check: given => (given.state === undefined ? ['state', `some of ${states.join(', ')}`] : undefined),
  write: ({ state: said }) => ({
    matchFlags: c.XT_CONNTRACK_STATE | c.XT_CONNTRACK_STATE_ALIAS,
    invertFlags: said?.not === true ? c.XT_CONNTRACK_STATE : 0,
    stateMask: maskOf(stateBits, said?.value ?? []),
  }),
  read: ({ matchFlags, invertFlags, stateMask }) =>
    (matchFlags === (c.XT_CONNTRACK_STATE | c.XT_CONNTRACK_STATE_ALIAS)
      ? { state: says(namesIn(stateBits, stateMask), (invertFlags & c.XT_CONNTRACK_STATE) !== 0) } : undefined),
  list: given => listSaid(stateOptions, given),
})

