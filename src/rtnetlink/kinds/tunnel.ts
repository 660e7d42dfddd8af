/** Tunnels of IP packets in IP packets. Source: ip-link(8) "IPIP, SIT Type Support", linux/if_tunnel.h, linux/ip6_tunnel.h. */
import { be16, bool8, flag, ip4, ip6, named, ranged, u16, u32, u8, be32 } from '../../netlink/codecs.ts'
import { flagList } from '../../netlink/flags.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkIndex, linkKind } from './kind.ts'

export const encapTypes = { none: c.TUNNEL_ENCAP_NONE, fou: c.TUNNEL_ENCAP_FOU, gue: c.TUNNEL_ENCAP_GUE } as const
export const encapFlags = {
  csum: c.TUNNEL_ENCAP_FLAG_CSUM, csum6: c.TUNNEL_ENCAP_FLAG_CSUM6, remcsum: c.TUNNEL_ENCAP_FLAG_REMCSUM,
} as const
export const ip6TunnelFlags = {
  ignoreEncapLimit: c.IP6_TNL_F_IGN_ENCAP_LIMIT, useOrigTclass: c.IP6_TNL_F_USE_ORIG_TCLASS,
  useOrigFlowlabel: c.IP6_TNL_F_USE_ORIG_FLOWLABEL, mip6: c.IP6_TNL_F_MIP6_DEV, rcvDscpCopy: c.IP6_TNL_F_RCV_DSCP_COPY,
  useOrigFwmark: c.IP6_TNL_F_USE_ORIG_FWMARK, allowLocalRemote: c.IP6_TNL_F_ALLOW_LOCAL_REMOTE,
} as const

/** What all have. */
const shared = {
  /** The link that tunnel packets go out by: name or index. */
  dev: [c.IFLA_IPTUN_LINK, linkIndex],
  /** Of tunnel packets; 0 (default over IPv4): taken from the inner packet. */
  ttl: [c.IFLA_IPTUN_TTL, u8],
  /** In UDP, so that flows spread: `fou`, `gue`. Default `none`. */
  encapType: [c.IFLA_IPTUN_ENCAP_TYPE, named(u16, encapTypes)],
  /** Of that: checksums over IPv4 and IPv6, remote checksum offload. */
  encapFlags: [c.IFLA_IPTUN_ENCAP_FLAGS, flagList(u16, encapFlags)],
  /** UDP port; 0: chosen by the flow. */
  encapSport: [c.IFLA_IPTUN_ENCAP_SPORT, be16],
  /** UDP port of the other end. */
  encapDport: [c.IFLA_IPTUN_ENCAP_DPORT, be16],
  /** The other end comes with each packet. */
  external: [c.IFLA_IPTUN_COLLECT_METADATA, flag],
  /** Mark by which routes of tunnel packets are looked up. */
  fwmark: [c.IFLA_IPTUN_FWMARK, u32],
} as const

const over4 = {
  ...shared,
  /** IPv4 address. */
  local: [c.IFLA_IPTUN_LOCAL, ip4],
  /** IPv4 address. */
  remote: [c.IFLA_IPTUN_REMOTE, ip4],
  /** 1: taken from the inner packet. */
  tos: [c.IFLA_IPTUN_TOS, u8],
  /** Tunnel packets must not be fragmented. Default true; needs `ttl` 0 if false. */
  pmtudisc: [c.IFLA_IPTUN_PMTUDISC, bool8],
} as const

/** IPPROTO_*; 0: any. */
const protocols = { any: 0, ipip: 4, ip6ip: 41, mplsip: 137 } as const

export const ipipOptions = attributes({
  ...over4,
  /** What is inside: `ipip` (default), `mplsip`, `any`. */
  mode: [c.IFLA_IPTUN_PROTO, named(u8, protocols)],
})

export const sitOptions = attributes({
  ...over4,
  /** What is inside: `ip6ip` (default), `ipip`, `mplsip`, `any`. */
  mode: [c.IFLA_IPTUN_PROTO, named(u8, protocols)],
  /** All of them. */
  flags: [c.IFLA_IPTUN_FLAGS, flagList(u16, { isatap: c.SIT_ISATAP })],
  /** 6rd: addresses by which the other end is found. */
  sixrdPrefix: [c.IFLA_IPTUN_6RD_PREFIX, ip6],
  /** Bits of it. */
  sixrdPrefixLen: [c.IFLA_IPTUN_6RD_PREFIXLEN, ranged(u16, 0, 128)],
  /** What the addresses of all relays have in common. */
  sixrdRelayPrefix: [c.IFLA_IPTUN_6RD_RELAY_PREFIX, ip4],
  /** Bits of it. */
  sixrdRelayPrefixLen: [c.IFLA_IPTUN_6RD_RELAY_PREFIXLEN, ranged(u16, 0, 32)],
})

export const ip6tnlOptions = attributes({
  ...shared,
  /** IPv6 address. */
  local: [c.IFLA_IPTUN_LOCAL, ip6],
  /** IPv6 address. */
  remote: [c.IFLA_IPTUN_REMOTE, ip6],
  /** What is inside: `ip6ip6` (default), `ipip6`, `any`. */
  mode: [c.IFLA_IPTUN_PROTO, named(u8, { any: 0, ipip6: 4, ip6ip6: 41 })],
  /** How often a packet may be wrapped again. Default 4. */
  encapLimit: [c.IFLA_IPTUN_ENCAP_LIMIT, u8],
  /** Traffic class and flow label of tunnel packets, 28 bits. */
  flowInfo: [c.IFLA_IPTUN_FLOWINFO, ranged(be32, 0, 0x0fffffff)],
  /** All of them. */
  flags: [c.IFLA_IPTUN_FLAGS, flagList(u32, ip6TunnelFlags)],
})

const complete = (present: object, change: object): object => ({ ...present, ...change })

export const ipip = linkKind({ options: ipipOptions, config: 'CONFIG_NET_IPIP', complete })
export const sit = linkKind({ options: sitOptions, config: 'CONFIG_IPV6_SIT', complete })
export const ip6tnl = linkKind({ options: ip6tnlOptions, config: 'CONFIG_IPV6_TUNNEL', complete })
