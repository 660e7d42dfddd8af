/** How often, counted for each address or port by itself. Source: linux/netfilter/xt_hashlimit.h. */
import { counter64, padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { alias, extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Given, Said } from '../extension.ts'
import { flag, positive, prefix, text, widest } from '../values.ts'
import type { Kind } from '../values.ts'
import { fixedText } from '../xt.ts'
import { DEFAULT_BURST, periodOf, rateKind, rateOf, secondsOf } from './rates.ts'
import type { Rate } from './rates.ts'

const KIB = 1024
const sizes = { m: KIB * KIB, k: KIB, '': 1 } as const

/** `10kb`, of which `suffix` is `b` or `b/s`. */
function sizeOf(value: string, suffix: string): number | undefined {
  const found = new RegExp(`^(\\d+)([km]?)${suffix}$`).exec(value)
  return found === null ? undefined : Number(found[1]) * sizes[found[2] as keyof typeof sizes]
}

const LEAST_BYTES = 2 ** c.XT_HASHLIMIT_BYTE_SHIFT
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
  accepted: `${packets.accepted}, or of bytes like 512kb/s, at least ${LEAST_BYTES}b/s`,
  parse(value, context) {
    const size = sizeOf(value, 'b/s')
    if (size !== undefined) return size >= LEAST_BYTES && costOf(size) > 0 ? formatBytesPerSecond(costOf(size)) : undefined
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

const upto = negatable(packetsOrBytes)
const hashlimitOptions = {
  hashlimitUpto: upto,
  hashlimitAbove: negatable(packetsOrBytes),
  hashlimit: alias('hashlimitUpto', upto),
  hashlimitBurst: option(burst),
  hashlimitMode: option(modeList),
  hashlimitName: option(text(254)),
  hashlimitHtableSize: option(positive),
  hashlimitHtableMax: option(positive),
  hashlimitHtableGcinterval: option(positive),
  hashlimitHtableExpire: option(positive),
  hashlimitSrcmask: option(prefix),
  hashlimitDstmask: option(prefix),
  hashlimitRateMatch: option(flag),
  hashlimitRateInterval: option(positive),
}
const GC_INTERVAL_MS = 1000
/** Of idle entries, limited by bytes without and with a burst. */
const BYTES_EXPIRE_MS = 15_000
const BYTES_BURST_EXPIRE_MS = 60_000

interface HashRate {
  average: number
  burst: number
  expire: number
  bytes: boolean
}

type Hashlimit = Given<typeof hashlimitOptions>

function hashRate(given: Hashlimit): HashRate {
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
  const period = periodOf(rate, c.XT_HASHLIMIT_SCALE_v2)
  return {
    // A rate that is matched is one of a second, over an interval.
    average: given.hashlimitRateMatch === undefined ? period : Math.floor(period / secondsOf(rate.per)),
    bytes: false, burst: Number(given.hashlimitBurst?.value ?? DEFAULT_BURST), expire: secondsOf(rate.per) * 1000,
  }
}

/** In seconds; 0 where the rate is not matched. */
function intervalOf({ hashlimitRateMatch, hashlimitRateInterval }: Hashlimit, { bytes: ofBytes, expire }: HashRate): number {
  if (hashlimitRateMatch === undefined) return 0
  return hashlimitRateInterval?.value ?? (ofBytes ? 1 : expire / 1000)
}

/** As lists say it: the packets of a whole interval. */
function overInterval(given: Hashlimit): Hashlimit {
  const field = given.hashlimitAbove === undefined ? 'hashlimitUpto' : 'hashlimitAbove'
  const said = given[field]?.value ?? ''
  const rate = sizeOf(said, 'b/s') === undefined ? packets.parse(said, { family: 'ip' }) : undefined
  if (given.hashlimitRateMatch === undefined || rate === undefined) return given
  const interval = given.hashlimitRateInterval?.value ?? 1
  const whole = rateOf(periodOf(rate, c.XT_HASHLIMIT_SCALE_v2) * interval, c.XT_HASHLIMIT_SCALE_v2)
  const expire = given.hashlimitHtableExpire?.value ?? secondsOf(rate.per) * 1000
  return { ...given, [field]: says(packets.format(whole)), hashlimitHtableExpire: saysIf(expire !== secondsOf(whole.per) * 1000, expire) }
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
    if (given.hashlimitRateInterval !== undefined && given.hashlimitRateMatch === undefined) {
      return ['hashlimitRateInterval', 'hashlimitRateMatch beside it']
    }
    const { bytes: ofBytes } = hashRate(given)
    const size = sizeOf(given.hashlimitBurst?.value ?? '', 'b')
    if (!ofBytes && size !== undefined) return ['hashlimitBurst', 'a number of packets, as the rate is one of packets']
    if (ofBytes && size !== undefined && size < bytesOf(hashRate(given).average)) return ['hashlimitBurst', 'no fewer bytes than pass in a second']
    return undefined
  },
  write(given, { family }) {
    const said = hashRate(given)
    const { average, bytes: ofBytes, burst: number, expire } = said
    const above = given.hashlimitAbove === undefined ? given.hashlimitUpto?.not === true : !given.hashlimitAbove.not
    const mode = (given.hashlimitMode?.value ?? []).reduce((bits, name) => bits | modes[name], 0)
    return {
      name: given.hashlimitName?.value, average, burst: number,
      mode: mode | (above ? c.XT_HASHLIMIT_INVERT : 0) | (ofBytes ? c.XT_HASHLIMIT_BYTES : 0) |
        (given.hashlimitRateMatch === undefined ? 0 : c.XT_HASHLIMIT_RATE_MATCH),
      interval: intervalOf(given, said),
      size: given.hashlimitHtableSize?.value, max: given.hashlimitHtableMax?.value,
      gcInterval: given.hashlimitHtableGcinterval?.value ?? GC_INTERVAL_MS, expire: given.hashlimitHtableExpire?.value ?? expire,
      srcmask: given.hashlimitSrcmask?.value ?? widest(family), dstmask: given.hashlimitDstmask?.value ?? widest(family),
    }
  },
  read(values, { family }) {
    const { mode, average, burst: number } = values
    const ofBytes = (mode & c.XT_HASHLIMIT_BYTES) !== 0
    const rateMatch = (mode & c.XT_HASHLIMIT_RATE_MATCH) !== 0
    if (average === 0 || rateMatch !== (values.interval !== 0)) return undefined
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
      hashlimitRateMatch: saysIf(rateMatch, true as const),
      hashlimitRateInterval: saysIf(rateMatch && values.interval !== 1, values.interval),
    }
  },
  list(said) {
    const given = overInterval(said)
    const labelled = (label: string, said: Said<string | number> | undefined): string[] => (said === undefined ? [] : [`${label} ${said.value}`])
    return [
      'limit:',
      ...labelled('up to', given.hashlimitUpto), ...labelled('above', given.hashlimitAbove), ...labelled('burst', given.hashlimitBurst),
      ...(given.hashlimitMode === undefined ? [] : [`mode ${given.hashlimitMode.value.join('-')}`]),
      ...labelled('htable-size', given.hashlimitHtableSize), ...labelled('htable-max', given.hashlimitHtableMax),
      ...labelled('htable-gcinterval', given.hashlimitHtableGcinterval), ...labelled('htable-expire', given.hashlimitHtableExpire),
      ...labelled('srcmask', given.hashlimitSrcmask), ...labelled('dstmask', given.hashlimitDstmask),
      ...(given.hashlimitRateMatch === undefined ? [] : ['rate-match']), ...labelled('rate-interval', given.hashlimitRateInterval),
    ].join(' ')
  },
})
