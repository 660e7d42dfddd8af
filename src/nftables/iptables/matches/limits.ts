/** How often, how many. Sources: linux/netfilter/xt_limit.h, xt_hashlimit.h, xt_connlimit.h, xt_statistic.h, xt_quota.h, xt_connbytes.h. */
import { counter64, padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { prefixMask } from '../../primitives.ts'
import { fromInet, prefixLength, toInet } from '../addresses.ts'
import * as c from '../constants.ts'
import { alias, extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Given, Said } from '../extension.ts'
import { flag, integer, oneOf, text } from '../values.ts'
import type { Kind } from '../values.ts'
import { bytes, fixedText, inetAddress } from '../xt.ts'

const SECOND = 1
const units = { day: 86400 * SECOND, hour: 3600 * SECOND, min: 60 * SECOND, sec: SECOND } as const
export type RateUnit = keyof typeof units
/** So many in a unit of time. */
export interface Rate {
  rate: number
  per: RateUnit
}

/** `10/sec`, `10/minute`, `10`: what iptables reads and prints goes through the time between two, in parts of a second. */
export function rateOf(period: number, scale: number): Rate {
  const all = Object.keys(units) as RateUnit[]
  let per: RateUnit = 'day'
  for (const next of all.slice(1)) {
    const parts = units[next] * scale
    if (period > parts || Math.floor(parts / period) < parts % period) break
    per = next
  }
  return { rate: Math.floor(units[per] * scale / period), per }
}

export function periodOf({ rate, per }: Rate, scale: number): number {
  return Math.floor(units[per] * scale / rate)
}

export const secondsOf = (per: RateUnit): number => units[per]
/** The unit of so many seconds. */
export function unitOf(seconds: number): RateUnit | undefined {
  return (Object.keys(units) as RateUnit[]).find(name => units[name] === seconds)
}

/** `asSaid`: the unit counts, not only the time between two. */
function rateKind(scale: number, asSaid = false): Kind<Rate, Rate | string> {
  return {
    words: 1,
    accepted: `a rate like 10/second, 5/minute, 3/hour or 1/day, at most ${scale}/second`,
    parse(value) {
      const found = /^(\d+)(?:\/([a-z]+))?$/i.exec(value)
      const unit = (found?.[2] ?? 'second').toLowerCase()
      const per = (['second', 'minute', 'hour', 'day'] as const).find(name => name.startsWith(unit)) ?? (unit === 'sec' || unit === 'min' ? unit : undefined)
      const rate = Number(found?.[1])
      const name = per === 'second' ? 'sec' : per === 'minute' ? 'min' : per
      if (found === null || name === undefined || !(rate > 0) || periodOf({ rate, per: name }, scale) === 0) return undefined
      return asSaid ? { rate, per: name } : rateOf(periodOf({ rate, per: name }, scale), scale)
    },
    format: ({ rate, per }) => `${rate}/${per}`,
    type: input => (typeof input === 'string' ? input : `${input.rate}/${input.per}`),
  }
}

export const LIMIT_DEFAULT: Rate = { rate: 3, per: 'hour' }
export const LIMIT_BURST = 5
const limitOptions = { limit: option(rateKind(c.XT_LIMIT_SCALE)), limitBurst: option(integer(1, 10000)) }

/** The defaults filled in: 3/hour; a burst of 5 is not printed. */
export function limitGiven(period: number, burst: number): Given<typeof limitOptions> {
  return { limit: says(rateOf(period, c.XT_LIMIT_SCALE)), limitBurst: saysIf(burst !== LIMIT_BURST, burst) }
}

export const limit: Extension<typeof limitOptions> = extension({
  name: 'limit',
  options: limitOptions,
  layout: struct({ average: u32, burst: u32, _kernel: bytes(32) }),
  native(given) {
    const { rate, per } = given.limit?.value ?? LIMIT_DEFAULT
    const burst = given.limitBurst?.value ?? LIMIT_BURST
    return [{ name: 'limit', data: { rate, unit: secondsOf(per), burst, type: 'packets', flags: 0 } }]
  },
  write: given => ({
    average: periodOf(given.limit?.value ?? LIMIT_DEFAULT, c.XT_LIMIT_SCALE), burst: given.limitBurst?.value ?? LIMIT_BURST,
  }),
  read: ({ average, burst }) => (average === 0 ? undefined : limitGiven(average, burst)),
  list(given) {
    const { rate, per } = given.limit?.value ?? LIMIT_DEFAULT
    return `limit: avg ${rate}/${per} burst ${given.limitBurst?.value ?? LIMIT_BURST}`
  },
})

const KIB = 1024
const sizes = { m: KIB * KIB, k: KIB, '': 1 } as const

/** `10kb`, of which `suffix` is `b` or `b/s`. */
function sizeOf(value: string, suffix: string): number | undefined {
  const found = new RegExp(`^(\\d+)([km]?)${suffix}$`).exec(value)
  return found === null ? undefined : Number(found[1]) * sizes[found[2] as keyof typeof sizes]
}

/** Bytes a second are kept as the cost of sixteen of them. */
const costOf = (size: number): number => Math.floor(0xffffffff / (Math.floor(size / 2 ** c.XT_HASHLIMIT_BYTE_SHIFT) + 1))
const bytesOf = (cost: number): number => (Math.floor(0xffffffff / cost) - 1) * 2 ** c.XT_HASHLIMIT_BYTE_SHIFT

function formatBytesPerSecond(cost: number): string {
  const size = bytesOf(cost)
  const unit = (['m', 'k'] as const).find(name => size >= sizes[name] && costOf(size - size % sizes[name]) === cost) ?? ''
  return `${Math.floor(size / sizes[unit])}${unit}b/s`
}

function formatBurstBytes(size: number): string {
  const unit = (['m', 'k'] as const).find(name => size >= sizes[name]) ?? ''
  return `${Math.floor(size / sizes[unit])}${unit}b`
}

const packets = rateKind(c.XT_HASHLIMIT_SCALE_v2, true)

/** Packets, `10/sec`, or bytes, `512kb/s`. */
const packetsOrBytes: Kind<string, string | Rate> = {
  words: 1,
  accepted: `${packets.accepted}, or of bytes like 512kb/s`,
  parse(value, context) {
    const size = sizeOf(value, 'b/s')
    if (size !== undefined) return size > 0 && costOf(size) > 0 ? formatBytesPerSecond(costOf(size)) : undefined
    const rate = packets.parse(value, context)
    return rate === undefined ? undefined : packets.format(rate)
  },
  format: String,
  type: input => (typeof input === 'string' ? input : packets.type(input)),
}

const burst: Kind<string, number | string> = {
  words: 1,
  accepted: 'a number of packets from 1 to 1000000, or of bytes like 1mb',
  parse: value => (sizeOf(value, 'b') !== undefined || (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 1000000) ? value : undefined),
  format: String,
  type: String,
}

const modes = {
  srcip: c.XT_HASHLIMIT_HASH_SIP, srcport: c.XT_HASHLIMIT_HASH_SPT, dstip: c.XT_HASHLIMIT_HASH_DIP, dstport: c.XT_HASHLIMIT_HASH_DPT,
} as const
const modeNames = Object.keys(modes) as (keyof typeof modes)[]
const modeList: Kind<readonly (keyof typeof modes)[]> = {
  words: 1,
  accepted: `some of ${modeNames.join(', ')}`,
  parse(value) {
    const given = value.split(',')
    return given.every(name => Object.hasOwn(modes, name)) ? modeNames.filter(name => given.includes(name)) : undefined
  },
  format: given => given.join(','),
  type: given => [...given].join(','),
}

const number32 = integer(1, 0xffffffff)
const prefix = integer(0, 128)
const upto = negatable(packetsOrBytes)
const hashlimitOptions = {
  hashlimitUpto: upto,
  hashlimitAbove: negatable(packetsOrBytes),
  hashlimit: alias('hashlimitUpto', upto),
  hashlimitBurst: option(burst),
  hashlimitMode: option(modeList),
  hashlimitName: option(text(254)),
  hashlimitHtableSize: option(number32),
  hashlimitHtableMax: option(number32),
  hashlimitHtableGcinterval: option(number32),
  hashlimitHtableExpire: option(number32),
  hashlimitSrcmask: option(prefix),
  hashlimitDstmask: option(prefix),
}
const GC_INTERVAL_MS = 1000
/** Of idle entries, limited by bytes without and with a burst. */
const BYTES_EXPIRE_MS = 15_000
const BYTES_BURST_EXPIRE_MS = 60_000
const widest = (family: 'ip' | 'ip6'): number => (family === 'ip' ? 32 : 128)

interface HashRate {
  average: number
  burst: number
  expire: number
  bytes: boolean
}

function hashRate(given: Given<typeof hashlimitOptions>): HashRate {
  const said = (given.hashlimitUpto ?? given.hashlimitAbove)?.value ?? '1/sec'
  const size = sizeOf(said, 'b/s')
  if (size !== undefined) {
    const average = costOf(size)
    const wanted = sizeOf(given.hashlimitBurst?.value ?? '', 'b') ?? Number(given.hashlimitBurst?.value ?? 0)
    return {
      average, bytes: true, burst: Math.ceil(wanted / bytesOf(average)), expire: wanted === 0 ? BYTES_EXPIRE_MS : BYTES_BURST_EXPIRE_MS,
    }
  }
  const rate = packets.parse(said, { family: 'ip' }) ?? { rate: 1, per: 'sec' }
  return {
    average: periodOf(rate, c.XT_HASHLIMIT_SCALE_v2), bytes: false, burst: Number(given.hashlimitBurst?.value ?? LIMIT_BURST),
    expire: secondsOf(rate.per) * 1000,
  }
}

export const hashlimit: Extension<typeof hashlimitOptions> = extension({
  name: 'hashlimit',
  revision: 3,
  options: hashlimitOptions,
  layout: struct({
    name: fixedText(255), _name: padding(1), average: counter64, burst: counter64, mode: u32, size: u32, max: u32,
    gcInterval: u32, expire: u32, interval: u32, srcmask: u8, dstmask: u8, _: padding(6), _hinfo: padding(8),
  }),
  check(given, { family }) {
    if ((given.hashlimitUpto === undefined) === (given.hashlimitAbove === undefined)) return ['hashlimitUpto', 'exactly one of hashlimitUpto and hashlimitAbove']
    if (given.hashlimitName === undefined) return ['hashlimitName', 'a name for the table of what is counted']
    for (const field of ['hashlimitSrcmask', 'hashlimitDstmask'] as const) {
      if ((given[field]?.value ?? 0) > widest(family)) return [field, `a length from 0 to ${widest(family)}`]
    }
    const { bytes: ofBytes } = hashRate(given)
    const size = sizeOf(given.hashlimitBurst?.value ?? '', 'b')
    if (!ofBytes && size !== undefined) return ['hashlimitBurst', 'a number of packets, as the rate is one of packets']
    if (ofBytes && size !== undefined && size < bytesOf(hashRate(given).average)) return ['hashlimitBurst', 'no fewer bytes than pass in a second']
    return undefined
  },
  write(given, { family }) {
    const { average, bytes: ofBytes, burst: number, expire } = hashRate(given)
    const above = given.hashlimitAbove === undefined ? given.hashlimitUpto?.not === true : !given.hashlimitAbove.not
    const mode = (given.hashlimitMode?.value ?? []).reduce((bits, name) => bits | modes[name], 0)
    return {
      name: given.hashlimitName?.value, average, burst: number,
      mode: mode | (above ? c.XT_HASHLIMIT_INVERT : 0) | (ofBytes ? c.XT_HASHLIMIT_BYTES : 0),
      size: given.hashlimitHtableSize?.value, max: given.hashlimitHtableMax?.value,
      gcInterval: given.hashlimitHtableGcinterval?.value ?? GC_INTERVAL_MS, expire: given.hashlimitHtableExpire?.value ?? expire,
      srcmask: given.hashlimitSrcmask?.value ?? widest(family), dstmask: given.hashlimitDstmask?.value ?? widest(family),
    }
  },
  read(values, { family }) {
    const { mode, average, burst: number } = values
    const ofBytes = (mode & c.XT_HASHLIMIT_BYTES) !== 0
    // Rate matching changes what the average means.
    if (average === 0 || values.interval !== 0 || (mode & c.XT_HASHLIMIT_RATE_MATCH) !== 0) return undefined
    const rate = rateOf(average, c.XT_HASHLIMIT_SCALE_v2)
    const said = ofBytes ? formatBytesPerSecond(average) : packets.format(rate)
    const quantum = !ofBytes ? secondsOf(rate.per) * 1000 : number === 0 ? BYTES_EXPIRE_MS : BYTES_BURST_EXPIRE_MS
    const above = (mode & c.XT_HASHLIMIT_INVERT) !== 0
    return {
      hashlimitUpto: saysIf(!above, said),
      hashlimitAbove: saysIf(above, said),
      hashlimitBurst: saysIf(!ofBytes || number !== 0, ofBytes ? formatBurstBytes(number * bytesOf(average)) : String(number)),
      hashlimitMode: saysIf(modeNames.some(name => (mode & modes[name]) !== 0), modeNames.filter(name => (mode & modes[name]) !== 0)),
      hashlimitName: says(values.name),
      hashlimitHtableSize: saysIf(values.size !== 0, values.size),
      hashlimitHtableMax: saysIf(values.max !== 0, values.max),
      hashlimitHtableGcinterval: saysIf(values.gcInterval !== GC_INTERVAL_MS, values.gcInterval),
      hashlimitHtableExpire: saysIf(values.expire !== quantum, values.expire),
      hashlimitSrcmask: saysIf(values.srcmask !== widest(family), values.srcmask),
      hashlimitDstmask: saysIf(values.dstmask !== widest(family), values.dstmask),
    }
  },
  list(given) {
    const labelled = (label: string, said: Said<string | number> | undefined): string[] => (said === undefined ? [] : [`${label} ${said.value}`])
    return [
      'limit:',
      ...labelled('up to', given.hashlimitUpto), ...labelled('above', given.hashlimitAbove), ...labelled('burst', given.hashlimitBurst),
      ...(given.hashlimitMode === undefined ? [] : [`mode ${given.hashlimitMode.value.join('-')}`]),
      ...labelled('htable-size', given.hashlimitHtableSize), ...labelled('htable-max', given.hashlimitHtableMax),
      ...labelled('htable-gcinterval', given.hashlimitHtableGcinterval), ...labelled('htable-expire', given.hashlimitHtableExpire),
      ...labelled('srcmask', given.hashlimitSrcmask), ...labelled('dstmask', given.hashlimitDstmask),
    ].join(' ')
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
  every: negatable(number32),
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
