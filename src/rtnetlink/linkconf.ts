/**
 * What IPv4 and IPv6 keep for each link (IFLA_AF_SPEC): the sysctls below net.ipv4.conf.LINK and net.ipv6.conf.LINK, under
 * their names, in their units. IPv4's can be set here; of IPv6 the way addresses are made.
 * Source: Documentation/networking/ip-sysctl.rst, linux/ip.h, linux/ipv6.h, linux/if_link.h.
 */
import type { Codec } from '../netlink/codecs.ts'
import { ip6, named, readOnly, u32, u8 } from '../netlink/codecs.ts'
import { attributes, struct } from '../netlink/table.ts'
import * as c from './constants.ts'

const ipv4Places = {
  forwarding: c.IPV4_DEVCONF_FORWARDING, mcForwarding: c.IPV4_DEVCONF_MC_FORWARDING, proxyArp: c.IPV4_DEVCONF_PROXY_ARP,
  acceptRedirects: c.IPV4_DEVCONF_ACCEPT_REDIRECTS, secureRedirects: c.IPV4_DEVCONF_SECURE_REDIRECTS,
  sendRedirects: c.IPV4_DEVCONF_SEND_REDIRECTS, sharedMedia: c.IPV4_DEVCONF_SHARED_MEDIA, rpFilter: c.IPV4_DEVCONF_RP_FILTER,
  acceptSourceRoute: c.IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE, bootpRelay: c.IPV4_DEVCONF_BOOTP_RELAY,
  logMartians: c.IPV4_DEVCONF_LOG_MARTIANS,
  tag: c.IPV4_DEVCONF_TAG, arpFilter: c.IPV4_DEVCONF_ARPFILTER, mediumId: c.IPV4_DEVCONF_MEDIUM_ID, disableXfrm: c.IPV4_DEVCONF_NOXFRM,
  disablePolicy: c.IPV4_DEVCONF_NOPOLICY, forceIgmpVersion: c.IPV4_DEVCONF_FORCE_IGMP_VERSION, arpAnnounce: c.IPV4_DEVCONF_ARP_ANNOUNCE,
  arpIgnore: c.IPV4_DEVCONF_ARP_IGNORE, promoteSecondaries: c.IPV4_DEVCONF_PROMOTE_SECONDARIES, arpAccept: c.IPV4_DEVCONF_ARP_ACCEPT,
  arpNotify: c.IPV4_DEVCONF_ARP_NOTIFY, acceptLocal: c.IPV4_DEVCONF_ACCEPT_LOCAL, srcValidMark: c.IPV4_DEVCONF_SRC_VMARK,
  proxyArpPvlan: c.IPV4_DEVCONF_PROXY_ARP_PVLAN, routeLocalnet: c.IPV4_DEVCONF_ROUTE_LOCALNET,
  igmpv2UnsolicitedReportInterval: c.IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL,
  igmpv3UnsolicitedReportInterval: c.IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL,
  ignoreRoutesWithLinkdown: c.IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN,
  dropUnicastInL2Multicast: c.IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST, dropGratuitousArp: c.IPV4_DEVCONF_DROP_GRATUITOUS_ARP,
  bcForwarding: c.IPV4_DEVCONF_BC_FORWARDING, arpEvictNocarrier: c.IPV4_DEVCONF_ARP_EVICT_NOCARRIER,
} as const

/** `stable_secret` is no number: the kernel shows 0. */
const ipv6Places = {
  forwarding: c.DEVCONF_FORWARDING, hopLimit: c.DEVCONF_HOPLIMIT, mtu: c.DEVCONF_MTU6, acceptRa: c.DEVCONF_ACCEPT_RA,
  acceptRedirects: c.DEVCONF_ACCEPT_REDIRECTS, autoconf: c.DEVCONF_AUTOCONF, dadTransmits: c.DEVCONF_DAD_TRANSMITS,
  routerSolicitations: c.DEVCONF_RTR_SOLICITS, routerSolicitationInterval: c.DEVCONF_RTR_SOLICIT_INTERVAL,
  routerSolicitationDelay: c.DEVCONF_RTR_SOLICIT_DELAY, useTempaddr: c.DEVCONF_USE_TEMPADDR, tempValidLft: c.DEVCONF_TEMP_VALID_LFT,
  tempPreferedLft: c.DEVCONF_TEMP_PREFERED_LFT, regenMaxRetry: c.DEVCONF_REGEN_MAX_RETRY, maxDesyncFactor: c.DEVCONF_MAX_DESYNC_FACTOR,
  maxAddresses: c.DEVCONF_MAX_ADDRESSES, forceMldVersion: c.DEVCONF_FORCE_MLD_VERSION, acceptRaDefrtr: c.DEVCONF_ACCEPT_RA_DEFRTR,
  acceptRaPinfo: c.DEVCONF_ACCEPT_RA_PINFO, acceptRaRtrPref: c.DEVCONF_ACCEPT_RA_RTR_PREF,
  routerProbeInterval: c.DEVCONF_RTR_PROBE_INTERVAL,
  acceptRaRtInfoMaxPlen: c.DEVCONF_ACCEPT_RA_RT_INFO_MAX_PLEN, proxyNdp: c.DEVCONF_PROXY_NDP, optimisticDad: c.DEVCONF_OPTIMISTIC_DAD,
  acceptSourceRoute: c.DEVCONF_ACCEPT_SOURCE_ROUTE, mcForwarding: c.DEVCONF_MC_FORWARDING, disableIpv6: c.DEVCONF_DISABLE_IPV6,
  acceptDad: c.DEVCONF_ACCEPT_DAD, forceTllao: c.DEVCONF_FORCE_TLLAO, ndiscNotify: c.DEVCONF_NDISC_NOTIFY,
  mldv1UnsolicitedReportInterval: c.DEVCONF_MLDV1_UNSOLICITED_REPORT_INTERVAL,
  mldv2UnsolicitedReportInterval: c.DEVCONF_MLDV2_UNSOLICITED_REPORT_INTERVAL, suppressFragNdisc: c.DEVCONF_SUPPRESS_FRAG_NDISC,
  acceptRaFromLocal: c.DEVCONF_ACCEPT_RA_FROM_LOCAL, useOptimistic: c.DEVCONF_USE_OPTIMISTIC, acceptRaMtu: c.DEVCONF_ACCEPT_RA_MTU,
  useOifAddrsOnly: c.DEVCONF_USE_OIF_ADDRS_ONLY, acceptRaMinHopLimit: c.DEVCONF_ACCEPT_RA_MIN_HOP_LIMIT,
  ignoreRoutesWithLinkdown: c.DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN, dropUnicastInL2Multicast: c.DEVCONF_DROP_UNICAST_IN_L2_MULTICAST,
  dropUnsolicitedNa: c.DEVCONF_DROP_UNSOLICITED_NA, keepAddrOnDown: c.DEVCONF_KEEP_ADDR_ON_DOWN,
  routerSolicitationMaxInterval: c.DEVCONF_RTR_SOLICIT_MAX_INTERVAL, seg6Enabled: c.DEVCONF_SEG6_ENABLED,
  seg6RequireHmac: c.DEVCONF_SEG6_REQUIRE_HMAC, enhancedDad: c.DEVCONF_ENHANCED_DAD, addrGenMode: c.DEVCONF_ADDR_GEN_MODE,
  disablePolicy: c.DEVCONF_DISABLE_POLICY, acceptRaRtInfoMinPlen: c.DEVCONF_ACCEPT_RA_RT_INFO_MIN_PLEN,
  ndiscTclass: c.DEVCONF_NDISC_TCLASS,
  rplSegEnabled: c.DEVCONF_RPL_SEG_ENABLED, raDefrtrMetric: c.DEVCONF_RA_DEFRTR_METRIC, ioam6Enabled: c.DEVCONF_IOAM6_ENABLED,
  ioam6Id: c.DEVCONF_IOAM6_ID, ioam6IdWide: c.DEVCONF_IOAM6_ID_WIDE, ndiscEvictNocarrier: c.DEVCONF_NDISC_EVICT_NOCARRIER,
  acceptUntrackedNa: c.DEVCONF_ACCEPT_UNTRACKED_NA, acceptRaMinLft: c.DEVCONF_ACCEPT_RA_MIN_LFT,
} as const

/** Names of net.ipv4.conf.LINK, in camelCase. */
export type Ipv4Setting = keyof typeof ipv4Places
/** Names of net.ipv6.conf.LINK, in camelCase. */
export type Ipv6Setting = keyof typeof ipv6Places

/** Numbers in a row, of which newer kernels have more; the first has the place `first`. */
function readPlaces<N extends string>(
  places: [N, number][], first: number, bytes: Buffer, start: number, end: number,
): { [K in N]?: number } {
  const values: { [K in N]?: number } = {}
  for (const [name, place] of places) {
    const at = start + (place - first) * 4
    if (at + 4 <= end) values[name] = bytes.readInt32LE(at)
  }
  return values
}

const ipv4Entries = Object.entries(ipv4Places) as [Ipv4Setting, number][]
const ipv6Entries = Object.entries(ipv6Places) as [Ipv6Setting, number][]
const ipv4Request = attributes(Object.fromEntries(ipv4Entries.map(([name, place]) => [name, [place, u32] as const])))

/** Read as an array of all, written as an attribute for each that is to change. */
const ipv4Conf: Codec<{ [K in Ipv4Setting]?: number }> = {
  nested: true,
  encode: (writer, value) => { ipv4Request.encode(writer, value) },
  decode: (bytes, start, end) => readPlaces(ipv4Entries, 1, bytes, start, end),
}

const ipv6Conf: Codec<{ [K in Ipv6Setting]?: number }> = {
  encode: (writer, value) => writer.refuse(value, 'nothing: it can only be read; sysctls set it'),
  readOnly: true,
  decode: (bytes, start, end) => readPlaces(ipv6Entries, 0, bytes, start, end),
}

export const ipv4Link = attributes({
  /** net.ipv4.conf.LINK. */
  conf: [c.IFLA_INET_CONF, ipv4Conf],
})

export const ipv6Link = attributes({
  /** How link-local addresses are made. */
  addrGenMode: [c.IFLA_INET6_ADDR_GEN_MODE, named(u8, {
    eui64: c.IN6_ADDR_GEN_MODE_EUI64, none: c.IN6_ADDR_GEN_MODE_NONE, stable_secret: c.IN6_ADDR_GEN_MODE_STABLE_PRIVACY,
    random: c.IN6_ADDR_GEN_MODE_RANDOM,
  })],
  /**
   * Lower half of the addresses that are made of advertised prefixes: `::1`; `::` for none. The link must be up, and take
   * advertisements.
   */
  token: [c.IFLA_INET6_TOKEN, ip6],
  /** net.ipv6.conf.LINK. Set by `host.sysctl`. */
  conf: [c.IFLA_INET6_CONF, ipv6Conf],
  /** IF_RA_*, IF_READY (include/net/if_inet6.h). */
  flags: [c.IFLA_INET6_FLAGS, readOnly(u32)],
  /** Times in milliseconds. */
  cacheinfo: [c.IFLA_INET6_CACHEINFO, readOnly(struct({ maxReasmLen: u32, timestamp: u32, reachableTimeMs: u32, retransTimeMs: u32 }))],
  /** MTU that a router has advertised, bytes. */
  raMtu: [c.IFLA_INET6_RA_MTU, readOnly(u32)],
})

export const afSpec = attributes({
  ipv4: [c.AF_INET, ipv4Link],
  ipv6: [c.AF_INET6, ipv6Link],
})
