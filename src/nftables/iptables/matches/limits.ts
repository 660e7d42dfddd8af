/** How often, how many. Sources: linux/netfilter/xt_limit.h, xt_connlimit.h, xt_statistic.h, xt_quota.h, xt_nfacct.h. */
import { counter64, padding, u16, u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { prefixMask } from '../../primitives.ts'
import { fromInet, prefixLength, toInet } from '../addresses.ts'
import * as c from '../constants.ts'
import { extension, negatable, listSaid, option, says, saysIf } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { flag, integer, oneOf, positive, prefix, quote, text, widest } from '../values.ts'
import type { Kind } from '../values.ts'
import { bytes, fixedText, inetAddress } from '../xt.ts'
import { DEFAULT_BURST, periodOf, rateKind, rateOf, secondsOf } from './rates.ts'
import type { Rate } from './rates.ts'

const LIMIT_DEFAULT: Rate = { rate: 3, per: 'hour' }
const limitOptions = { limit: option(rateKind(c.XT_LIMIT_SCALE)), limitBurst: option(integer(1, 10000)) }

/** The defaults filled in: 3/hour; a burst of 5 is not printed. */
export function limitGiven(period: number, burst: number): Given<typeof limitOptions> {
  return { limit: says(rateOf(period, c.XT_LIMIT_SCALE)), limitBurst: saysIf(burst !== DEFAULT_BURST, burst) }
}

export const limit: Extension<typeof limitOptions> = extension({
  name: 'limit',
  options: limitOptions,
  layout: struct({ average: u32, burst: u32, _kernel: bytes(32) }),
  native(given) {
    const { rate, per } = given.limit?.value ?? LIMIT_DEFAULT
    const burst = given.limitBurst?.value ?? DEFAULT_BURST
    return [{ name: 'limit', data: { rate, unit: secondsOf(per), burst, type: 'packets', flags: 0 } }]
  },
  write: given => ({
    average: periodOf(given.limit?.value ?? LIMIT_DEFAULT, c.XT_LIMIT_SCALE), burst: given.limitBurst?.value ?? DEFAULT_BURST,
  }),
  read: ({ average, burst }) => (average === 0 ? undefined : limitGiven(average, burst)),
  list(given) {
    const { rate, per } = given.limit?.value ?? LIMIT_DEFAULT
    return `limit: avg ${rate}/${per} burst ${given.limitBurst?.value ?? DEFAULT_BURST}`
  },
})

const connlimitOptions = {
  connlimitUpto: negatable(integer(0, 0xffffffff)),
  connlimitAbove: negatable(integer(0, 0xffffffff)),
  connlimitMask: option(prefix),
  connlimitSaddr: option(flag),
  connlimitDaddr: option(flag),
}

export const connlimit: Extension<typeof connlimitOptions> = extension({
  name: 'connlimit',
  revision: 1,
  options: connlimitOptions,
  layout: struct({ mask: inetAddress, limit: u32, flags: u32, _data: padding(8) }),
  check(given, { family }) {
    if ((given.connlimitUpto === undefined) === (given.connlimitAbove === undefined)) return ['connlimitAbove', 'exactly one of connlimitUpto and connlimitAbove']
    if (given.connlimitSaddr !== undefined && given.connlimitDaddr !== undefined) return ['connlimitDaddr', 'nothing beside connlimitSaddr']
    return (given.connlimitMask?.value ?? 0) > widest(family) ? ['connlimitMask', `a length from 0 to ${widest(family)}`] : undefined
  },
  write(given, { family }) {
    const { connlimitUpto, connlimitAbove } = given
    const upToIt = connlimitUpto === undefined ? connlimitAbove?.not === true : !connlimitUpto.not
    return {
      // Without a mask the tool fills the whole union.
      mask: given.connlimitMask === undefined ? prefixMask(16, 128) : toInet(prefixMask(widest(family) / 8, given.connlimitMask.value)),
      limit: (connlimitUpto ?? connlimitAbove)?.value,
      flags: (upToIt ? c.XT_CONNLIMIT_INVERT : 0) | (given.connlimitDaddr === undefined ? 0 : c.XT_CONNLIMIT_DADDR),
    }
  },
  read({ mask, limit: number, flags }, { family }) {
    const length = prefixLength(fromInet(mask, family))
    const daddr = (flags & c.XT_CONNLIMIT_DADDR) !== 0
    const upToIt = (flags & c.XT_CONNLIMIT_INVERT) !== 0
    return length === undefined ? undefined : {
      connlimitUpto: saysIf(upToIt, number), connlimitAbove: saysIf(!upToIt, number), connlimitMask: says(length),
      connlimitSaddr: saysIf(!daddr, true as const), connlimitDaddr: saysIf(daddr, true as const),
    }
  },
  list({ connlimitUpto, connlimitAbove, connlimitMask, connlimitDaddr }) {
    const side = connlimitDaddr === undefined ? 'src' : 'dst'
    return `#conn ${side}/${connlimitMask?.value ?? 0} ${connlimitUpto === undefined ? '>' : '<='} ${(connlimitUpto ?? connlimitAbove)?.value ?? 0}`
  },
})

const ONE = 0x80000000
const probability: Kind<number> = {
  words: 1,
  accepted: 'a number from 0 to 1',
  parse: value => (/^\d*\.?\d+$/.test(value) && Number(value) <= 1 ? Math.round(Number(value) * ONE) / ONE : undefined),
  format: value => value.toFixed(11),
  type: String,
}
const statisticOptions = {
  mode: option(oneOf('random', 'nth')),
  probability: negatable(probability),
  every: negatable(positive),
  packet: option(integer(0, 0xffffffff)),
}

export const statistic: Extension<typeof statisticOptions> = extension({
  name: 'statistic',
  options: statisticOptions,
  layout: struct({ mode: u16, flags: u16, first: u32, packet: u32, count: u32, _master: padding(8) }),
  check({ mode, probability: chance, every, packet }) {
    if (mode?.value === 'random') return chance === undefined || every !== undefined || packet !== undefined ? ['probability', 'probability, and nothing of nth'] : undefined
    if (mode?.value !== 'nth') return ['mode', statisticOptions.mode.kind.accepted]
    if (every === undefined || chance !== undefined) return ['every', 'every, and nothing of random']
    return packet !== undefined && packet.value < every.value ? undefined : ['packet', `a number below ${every.value}`]
  },
  write({ mode, probability: chance, every, packet }) {
    const first = every === undefined ? Math.round((chance?.value ?? 0) * ONE) : every.value - 1
    return {
      mode: mode?.value === 'nth' ? c.XT_STATISTIC_MODE_NTH : c.XT_STATISTIC_MODE_RANDOM,
      flags: (chance ?? every)?.not === true ? c.XT_STATISTIC_INVERT : 0,
      first, packet: packet?.value,
      // Unused by the kernel, but the tool sets it and compares it.
      count: first - (packet?.value ?? 0),
    }
  },
  read({ mode, flags, first, packet }) {
    const not = (flags & c.XT_STATISTIC_INVERT) !== 0
    if (mode === c.XT_STATISTIC_MODE_RANDOM) return { mode: says('random' as const), probability: says(first / ONE, not) }
    return mode === c.XT_STATISTIC_MODE_NTH ? { mode: says('nth' as const), every: says(first + 1, not), packet: says(packet) } : undefined
  },
  list({ mode, probability: chance, every, packet }) {
    const bang = (chance ?? every)?.not === true ? '! ' : ''
    return mode?.value === 'random' ? `statistic mode random ${bang}probability ${probability.format(chance?.value ?? 0)}`
      : `statistic mode nth ${bang}every ${every?.value ?? 0}${(packet?.value ?? 0) === 0 ? '' : ` packet ${packet?.value ?? 0}`}`
  },
})

const quotaOptions = { quota: negatable(integer(0, Number.MAX_SAFE_INTEGER)) }

export const quota: Extension<typeof quotaOptions> = extension({
  name: 'quota',
  options: quotaOptions,
  layout: struct({ flags: u32, _pad: padding(4), quota: counter64, _master: padding(8) }),
  check: given => (given.quota === undefined ? ['quota', quotaOptions.quota.kind.accepted] : undefined),
  write: ({ quota: said }) => ({ flags: said?.not === true ? c.XT_QUOTA_INVERT : 0, quota: said?.value }),
  read: ({ flags, quota: size }) => ({ quota: says(size, (flags & c.XT_QUOTA_INVERT) !== 0) }),
  list: ({ quota: said }) => `quota: ${said?.value ?? 0} bytes`,
})

const nfacctOptions = { nfacctName: option({ ...text(c.NFACCT_NAME_MAX - 1), format: (name: string) => ` ${quote(name)}` }) }

/** Counts what passes in an object of nfacct(8), and is always met. */
export const nfacct: Extension<typeof nfacctOptions> = extension({
  name: 'nfacct',
  revision: 1,
  options: nfacctOptions,
  layout: struct({ name: fixedText(c.NFACCT_NAME_MAX), _object: padding(8) }),
  check: given => (given.nfacctName === undefined ? ['nfacctName', nfacctOptions.nfacctName.kind.accepted] : undefined),
  write: ({ nfacctName }) => ({ name: nfacctName?.value }),
  read: ({ name }) => ({ nfacctName: says(name) }),
  list: given => listSaid(nfacctOptions, given),
})
