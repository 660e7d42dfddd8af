/** What a rule does besides giving a verdict. Source: nft(8) "STATEMENTS". */
import { aText, check, fieldsOf, isOn, listOf } from '../../checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import * as c from '../constants.ts'
import { shared } from '../expressions.ts'
import type { ExpressionData } from '../expressions.ts'
import { isSource, lookUp, need } from './parts.ts'
import type { Source, Word } from './parts.ts'
import { referTo } from './references.ts'

function integer(field: string, value = 0, max: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value
  throw new InvalidArgumentError(field, value, `an integer from 0 to ${max}`)
}

function isReference(value: unknown): value is string | Source {
  return typeof value === 'string' || isSource(value)
}

const fromZero = shared({ name: 'counter', data: {} })

const counterFields: ReadonlySet<string> = new Set(['packets', 'bytes'])

/**
 * Counts the packets and bytes that come this far, from given numbers on; or in a counter of the same table, by name or
 * by a map of names.
 */
export function counter(counter: { packets?: number, bytes?: number } | string | Source = {}): Word {
  if (isReference(counter)) return referTo('counter', c.NFT_OBJECT_COUNTER, counter)
  const { packets, bytes } = fieldsOf('counter', counter, counterFields)
  if (packets === undefined && bytes === undefined) return [fromZero]
  return [{ name: 'counter', data: { bytes: integer('counter.bytes', bytes), packets: integer('counter.packets', packets) } }]
}

const second = 1
const units = { second, minute: 60 * second, hour: 3600 * second, day: 86400 * second, week: 604800 * second } as const

export interface Limit {
  rate: number
  per: keyof typeof units
  /** Default 5 packets, or no bytes. */
  burst?: number
  /** `bytes`: rate and burst count bytes. */
  unit?: 'packets' | 'bytes'
  /** Matches what is above the rate, not what is below. */
  over?: boolean
}

export function limitData(limit: Limit): ExpressionData<'limit'> {
  const { rate, per, unit = 'packets', burst = unit === 'packets' ? 5 : undefined, over } = fieldsOf('limit', limit)
  if (unit !== 'packets' && unit !== 'bytes') throw new InvalidArgumentError('limit.unit', unit, 'packets or bytes')
  if (integer('limit.rate', rate) === 0) throw new InvalidArgumentError('limit.rate', rate, 'a rate above 0')
  return {
    rate, unit: lookUp('limit.per', units, per),
    ...(burst === undefined ? {} : { burst: integer('limit.burst', burst, 0xffffffff) }), type: unit,
    flags: isOn('limit.over', over) ? c.NFT_LIMIT_F_INV : 0,
  }
}

const limitFields: ReadonlySet<string> = new Set(['rate', 'per', 'unit', 'burst', 'over'])

/** Matches up to `rate` packets or bytes a unit of time, and `burst` beyond; or a limit of the same table, by name or map. */
export function limit(limit: Limit | string | Source): Word {
  if (isReference(limit)) return referTo('limit', c.NFT_OBJECT_LIMIT, limit)
  return [{ name: 'limit', data: limitData(fieldsOf('limit', limit, limitFields)) }]
}

export interface Quota {
  bytes: number
  /** Used up already. */
  used?: number
  /** Matches what is beyond the quota, not what is within. */
  over?: boolean
}

export function quotaData(quota: Quota): ExpressionData<'quota'> {
  const { bytes, used = 0, over } = fieldsOf('quota', quota)
  return { bytes: integer('quota.bytes', bytes), consumed: integer('quota.used', used), flags: isOn('quota.over', over) ? c.NFT_QUOTA_F_INV : 0 }
}

const quotaFields: ReadonlySet<string> = new Set(['bytes', 'used', 'over'])

/** Matches until so many bytes have come; or a quota of the same table, by name or map. */
export function quota(quota: Quota | string | Source): Word {
  if (isReference(quota)) return referTo('quota', c.NFT_OBJECT_QUOTA, quota)
  return [{ name: 'quota', data: quotaData(fieldsOf('quota', quota, quotaFields)) }]
}

/** Remembers when a packet came this far last. Linux 5.14. */
export function last(): Word {
  return [{ name: 'last', data: {} }]
}

const logFlags = {
  'tcp sequence': c.NF_LOG_TCPSEQ, 'tcp options': c.NF_LOG_TCPOPT, 'ip options': c.NF_LOG_IPOPT,
  skuid: c.NF_LOG_UID, ether: c.NF_LOG_MACDECODE,
  all: c.NF_LOG_TCPSEQ | c.NF_LOG_TCPOPT | c.NF_LOG_IPOPT | c.NF_LOG_UID | c.NF_LOG_MACDECODE,
} as const

export interface Log {
  /** At most 127 bytes. */
  prefix?: string
  /** `audit`: to the audit subsystem. */
  level?: Extract<ExpressionData<'log'>['level'], string>
  flags?: readonly (keyof typeof logFlags)[]
  /** To nfnetlink_log: its group, the bytes of a packet, the packets before it wakes its reader. */
  group?: number
  snaplen?: number
  queueThreshold?: number
}

const logFields: ReadonlySet<string> = new Set(['prefix', 'level', 'flags', 'group', 'snaplen', 'queueThreshold'])

/** To the kernel log, or with `group` to nfnetlink_log. */
export function log(log: Log = {}): Word {
  const { prefix, level, flags, group, snaplen, queueThreshold } = fieldsOf('log', log, logFields)
  if (group !== undefined && (level !== undefined || flags !== undefined)) {
    throw new InvalidArgumentError('log.group', group, 'no level and flags beside it: those are for the kernel log')
  }
  if (prefix !== undefined && (typeof prefix !== 'string' || Buffer.byteLength(prefix) > 127)) {
    throw new InvalidArgumentError('log.prefix', prefix, 'a string of at most 127 bytes')
  }
  const bits = flags === undefined ? undefined : listOf('log.flags', flags).reduce((all, flag) => all | lookUp('log.flags', logFlags, flag), 0)
  return [{
    name: 'log',
    data: {
      ...(prefix === undefined ? {} : { prefix }),
      ...(group === undefined ? {} : { group: integer('log.group', group, 0xffff) }),
      ...(snaplen === undefined ? {} : { snaplen: integer('log.snaplen', snaplen, 0xffffffff) }),
      ...(queueThreshold === undefined ? {} : { qthreshold: integer('log.queueThreshold', queueThreshold, 0xffff) }),
      ...(level === undefined ? {} : { level }),
      ...(bits === undefined ? {} : { flags: bits }),
    },
  }]
}

/** ICMP codes: linux/icmp.h, linux/icmpv6.h, enum nft_reject_inet_code. */
const rejections = {
  'icmp net-unreachable': ['icmp', 0, 'ip'],
  'icmp host-unreachable': ['icmp', 1, 'ip'],
  'icmp prot-unreachable': ['icmp', 2, 'ip'],
  'icmp port-unreachable': ['icmp', 3, 'ip'],
  'icmp net-prohibited': ['icmp', 9, 'ip'],
  'icmp host-prohibited': ['icmp', 10, 'ip'],
  'icmp admin-prohibited': ['icmp', 13, 'ip'],
  'icmpv6 no-route': ['icmp', 0, 'ip6'],
  'icmpv6 admin-prohibited': ['icmp', 1, 'ip6'],
  'icmpv6 addr-unreachable': ['icmp', 3, 'ip6'],
  'icmpv6 port-unreachable': ['icmp', 4, 'ip6'],
  'icmpv6 policy-fail': ['icmp', 5, 'ip6'],
  'icmpv6 reject-route': ['icmp', 6, 'ip6'],
  'icmpx no-route': ['icmpx', 0, undefined],
  'icmpx port-unreachable': ['icmpx', 1, undefined],
  'icmpx host-unreachable': ['icmpx', 2, undefined],
  'icmpx admin-prohibited': ['icmpx', 3, undefined],
  'tcp reset': ['tcp reset', 0, undefined],
} as const
export type Rejection = keyof typeof rejections

/** Drops and answers: `icmp …` to IPv4, `icmpv6 …` to IPv6, `icmpx …` to both in inet, bridge and netdev tables. */
export function reject(answer: Rejection): Word {
  const [type, code, network] = lookUp('reject', rejections, answer)
  const word = `reject with ${answer}`
  const needs = network !== undefined ? [need({ word, network })] : type === 'tcp reset' ? [need({ word, transport: 6 })] : []
  return [...needs, { name: 'reject', data: { type, code } }]
}

/** Keeps connection tracking away from the packet; before it has seen it, at priority raw. */
export function notrack(): Word {
  return [{ name: 'notrack' }]
}

export interface Queue {
  /** One queue, the first and the last of several, or what a selector says. Default 0. */
  num?: number | readonly [first: number, last: number] | Source
  /** Accept if nobody listens. */
  bypass?: boolean
  /** By CPU, not by connection. */
  fanout?: boolean
}

const queueFields: ReadonlySet<string> = new Set(['num', 'bypass', 'fanout'])

/** To a program that decides, by nfnetlink_queue. */
export function queue(queue: Queue = {}): Word {
  const { num = 0, bypass, fanout } = fieldsOf('queue', queue, queueFields)
  const flags = (isOn('queue.bypass', bypass) ? c.NFT_QUEUE_FLAG_BYPASS : 0) | (isOn('queue.fanout', fanout) ? c.NFT_QUEUE_FLAG_CPU_FANOUT : 0)
  const flagged = flags === 0 ? {} : { flags }
  if (isSource(num)) return [...num.load(1), { name: 'queue', data: { ...flagged, sregQnum: 1 } }]
  const [first = 0, end = first] = [num].flat()
  const accepted = 'a queue from 0 to 65535, or the first and the last of several'
  if (![first, end].every(queue => Number.isInteger(queue) && queue >= 0 && queue <= 0xffff) || end < first) {
    throw new InvalidArgumentError('queue.num', num, accepted)
  }
  return [{ name: 'queue', data: { num: first, total: end - first + 1, ...flagged } }]
}

export interface Synproxy {
  mss?: number
  wscale?: number
  timestamp?: boolean
  sackPerm?: boolean
}

export function synproxyData(synproxy: Synproxy): ExpressionData<'synproxy'> {
  const { mss, wscale, timestamp, sackPerm } = fieldsOf('synproxy', synproxy)
  const flags = (mss === undefined ? 0 : c.NF_SYNPROXY_OPT_MSS) | (wscale === undefined ? 0 : c.NF_SYNPROXY_OPT_WSCALE) |
    (isOn('synproxy.timestamp', timestamp) ? c.NF_SYNPROXY_OPT_TIMESTAMP : 0) | (isOn('synproxy.sackPerm', sackPerm) ? c.NF_SYNPROXY_OPT_SACK_PERM : 0)
  if (wscale !== undefined && integer('synproxy.wscale', wscale) > 14) throw new InvalidArgumentError('synproxy.wscale', wscale, 'at most 14')
  return {
    ...(mss === undefined ? {} : { mss: integer('synproxy.mss', mss, 0xffff) }), ...(wscale === undefined ? {} : { wscale }),
    ...(flags === 0 ? {} : { flags }),
  }
}

const synproxyFields: ReadonlySet<string> = new Set(['mss', 'wscale', 'timestamp', 'sackPerm'])

/** Answers SYN packets itself until the client has shown that it is there; or as a synproxy of the same table says. */
export function synproxy(synproxy: Synproxy | string | Source = {}): Word {
  if (isReference(synproxy)) return referTo('synproxy', c.NFT_OBJECT_SYNPROXY, synproxy)
  return [{ name: 'synproxy', data: synproxyData(fieldsOf('synproxy', synproxy, synproxyFields)) }]
}

/** Puts the packet's connection into a flow table of the same table. */
export function flowAdd(flowtable: string): Word {
  check('flowAdd', flowtable, aText)
  return [{ name: 'flow_offload', data: { flowtable } }]
}
