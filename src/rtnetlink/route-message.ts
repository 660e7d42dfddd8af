/** Route messages: the fixed part, attributes, metrics. Source: rtnetlink(7), linux/rtnetlink.h. */
import { be16, be32, bool32, bool8, ip, named, s32, scaled, string, u32, u8 } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { encapData, encapType } from './encap.ts'
import { rtmsg } from './messages.ts'
import { otherFamily, wireHops } from './multipath.ts'
import { bitNames } from './names.ts'
import { realms } from './realms.ts'

const featureBits = [
  [c.RTAX_FEATURE_ECN, 'ecn'], [c.RTAX_FEATURE_SACK, 'sack'], [c.RTAX_FEATURE_TIMESTAMP, 'timestamp'],
  [c.RTAX_FEATURE_ALLFRAG, 'allfrag'], [c.RTAX_FEATURE_TCP_USEC_TS, 'tcp_usec_ts'],
] as const
export type RouteFeature = typeof featureBits[number][1]

const lockable = [
  [1 << c.RTAX_MTU, 'mtu'], [1 << c.RTAX_WINDOW, 'window'], [1 << c.RTAX_RTT, 'rttMs'], [1 << c.RTAX_RTTVAR, 'rttvarMs'],
  [1 << c.RTAX_SSTHRESH, 'ssthresh'], [1 << c.RTAX_CWND, 'cwnd'], [1 << c.RTAX_ADVMSS, 'advmss'],
  [1 << c.RTAX_REORDERING, 'reordering'], [1 << c.RTAX_HOPLIMIT, 'hoplimit'], [1 << c.RTAX_RTO_MIN, 'rtoMinMs'],
  [1 << c.RTAX_CC_ALGO, 'congctl'],
] as const
export type LockableMetric = typeof lockable[number][1]

/** A u32 of bits as an array of their names. */
function bitSet<N extends string>(bits: readonly (readonly [number, N])[]): Codec<N[]> {
  const known = bits.map(([, name]) => name)
  return {
    size: 4,
    encode(writer, value, parent) {
      if (!Array.isArray(value) || !value.every(name => known.includes(name))) writer.refuse(value, `an array of ${known.join(', ')}`)
      u32.encode(writer, bits.reduce((sum, [bit, name]) => (value.includes(name) ? sum | bit : sum), 0), parent)
    },
    decode: (bytes, start, end, parent) => bitNames(bits, u32.decode(bytes, start, end, parent)) as N[],
  }
}

export const routeMetrics = attributes({
  lock: [c.RTAX_LOCK, bitSet(lockable)],
  mtu: [c.RTAX_MTU, u32],
  window: [c.RTAX_WINDOW, u32],
  // The kernel counts in eighths, and quarters, of a millisecond.
  rttMs: [c.RTAX_RTT, scaled(u32, 1 / 8)],
  rttvarMs: [c.RTAX_RTTVAR, scaled(u32, 1 / 4)],
  ssthresh: [c.RTAX_SSTHRESH, u32],
  cwnd: [c.RTAX_CWND, u32],
  advmss: [c.RTAX_ADVMSS, u32],
  reordering: [c.RTAX_REORDERING, u32],
  hoplimit: [c.RTAX_HOPLIMIT, u32],
  initcwnd: [c.RTAX_INITCWND, u32],
  features: [c.RTAX_FEATURES, bitSet(featureBits)],
  rtoMinMs: [c.RTAX_RTO_MIN, u32],
  initrwnd: [c.RTAX_INITRWND, u32],
  quickack: [c.RTAX_QUICKACK, bool32],
  congctl: [c.RTAX_CC_ALGO, string(15)],
  fastopenNoCookie: [c.RTAX_FASTOPEN_NO_COOKIE, bool32],
})
export type WireMetrics = TableValues<typeof routeMetrics>

export const preferences = {
  low: c.ICMPV6_ROUTER_PREF_LOW, medium: c.ICMPV6_ROUTER_PREF_MEDIUM, high: c.ICMPV6_ROUTER_PREF_HIGH,
} as const

export const routeAttributes = attributes({
  destination: [c.RTA_DST, ip],
  from: [c.RTA_SRC, ip],
  table: [c.RTA_TABLE, u32],
  via: [c.RTA_GATEWAY, ip],
  otherVia: [c.RTA_VIA, otherFamily],
  source: [c.RTA_PREFSRC, ip],
  index: [c.RTA_OIF, u32],
  inputIndex: [c.RTA_IIF, u32],
  metric: [c.RTA_PRIORITY, u32],
  mark: [c.RTA_MARK, u32],
  preference: [c.RTA_PREF, named(u8, preferences)],
  nexthopId: [c.RTA_NH_ID, u32],
  metrics: [c.RTA_METRICS, routeMetrics],
  multipath: [c.RTA_MULTIPATH, wireHops],
  realms: [c.RTA_FLOW, realms],
  encapType: [c.RTA_ENCAP_TYPE, encapType],
  encap: [c.RTA_ENCAP, encapData],
  /** Seconds; only written. It is read as `cacheInfo.expires`. */
  expires: [c.RTA_EXPIRES, u32],
  ttlPropagate: [c.RTA_TTL_PROPAGATE, bool8],
  uid: [c.RTA_UID, u32],
  ipProto: [c.RTA_IP_PROTO, u8],
  sport: [c.RTA_SPORT, be16],
  dport: [c.RTA_DPORT, be16],
  flowLabel: [c.RTA_FLOWLABEL, be32],
  /** struct rta_cacheinfo; `expires` in hundredths of a second. */
  cacheInfo: [c.RTA_CACHEINFO, struct({
    users: u32, lastUse: u32, expires: s32, error: s32, used: u32, id: u32, timestamp: u32, timestampAge: u32,
  })],
})
export const routeMessage = { header: rtmsg, attributes: routeAttributes }
export type RouteValues = TableValues<typeof routeAttributes>
