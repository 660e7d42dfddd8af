/** GRE tunnels, of IP packets and of Ethernet frames, over IPv4 and IPv6. Source: ip-link(8) "GRE", linux/if_tunnel.h. */
import { be16, be32, bool8, flag, ip4, ip6, named, ranged, u16, u32, u8 } from '../../netlink/codecs.ts'
import { flagList } from '../../netlink/flags.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkIndex, linkKind } from './kind.ts'
import { encapFlags, encapTypes, ip6TunnelFlags } from './tunnel.ts'

/** GRE_CSUM, GRE_KEY, GRE_SEQ (linux/if_tunnel.h), in network order. */
const greFlags = flagList(be16, { csum: 0x8000, key: 0x2000, seq: 0x1000 })

/** What GRE has over either IP version. */
const shared = {
  /** The link that tunnel packets go out by: name or index. */
  dev: [c.IFLA_GRE_LINK, linkIndex],
  /** Of packets that come in: `csum`, `seq`, `key` (which `ikey` implies). Default none. */
  iflags: [c.IFLA_GRE_IFLAGS, greFlags],
  /** Of packets that go out. Default none. */
  oflags: [c.IFLA_GRE_OFLAGS, greFlags],
  /** Key of packets that come in; 0 to 4294967295. */
  ikey: [c.IFLA_GRE_IKEY, be32],
  /** Key of packets that go out. */
  okey: [c.IFLA_GRE_OKEY, be32],
  /** Of tunnel packets; 0 (default over IPv4): taken from the inner packet. */
  ttl: [c.IFLA_GRE_TTL, u8],
  /** In UDP, so that flows spread: `fou`, `gue`. Default `none`. */
  encapType: [c.IFLA_GRE_ENCAP_TYPE, named(u16, encapTypes)],
  /** Of that: checksums over IPv4 and IPv6, remote checksum offload. */
  encapFlags: [c.IFLA_GRE_ENCAP_FLAGS, flagList(u16, encapFlags)],
  /** UDP port; 0: chosen by the flow. */
  encapSport: [c.IFLA_GRE_ENCAP_SPORT, be16],
  /** UDP port of the other end. */
  encapDport: [c.IFLA_GRE_ENCAP_DPORT, be16],
  /** The other end comes with each packet. */
  external: [c.IFLA_GRE_COLLECT_METADATA, flag],
  /** Mark by which routes of tunnel packets are looked up. */
  fwmark: [c.IFLA_GRE_FWMARK, u32],
  /** Kinds erspan and ip6erspan: 0 to 1048575. */
  erspanIndex: [c.IFLA_GRE_ERSPAN_INDEX, ranged(u32, 0, 0xfffff)],
  /** Kinds erspan and ip6erspan: header. Default 1. */
  erspanVersion: [c.IFLA_GRE_ERSPAN_VER, ranged(u8, 0, 2)],
  /** Version 2: of mirrored packets. */
  erspanDir: [c.IFLA_GRE_ERSPAN_DIR, named(u8, { ingress: 0, egress: 1 })],
  /** Version 2: of the mirroring engine. */
  erspanHwid: [c.IFLA_GRE_ERSPAN_HWID, ranged(u16, 0, 0x3f)],
} as const

export const greOptions = attributes({
  ...shared,
  /** IPv4 address. */
  local: [c.IFLA_GRE_LOCAL, ip4],
  /** IPv4 address. */
  remote: [c.IFLA_GRE_REMOTE, ip4],
  /** 1: taken from the inner packet. */
  tos: [c.IFLA_GRE_TOS, u8],
  /** Tunnel packets must not be fragmented. Default true; needs `ttl` 0 if false. */
  pmtudisc: [c.IFLA_GRE_PMTUDISC, bool8],
  /** Inner packets may be fragmented though they say no. Needs `pmtudisc: false`. */
  ignoreDf: [c.IFLA_GRE_IGNORE_DF, bool8],
})

export const ip6greOptions = attributes({
  ...shared,
  /** IPv6 address. */
  local: [c.IFLA_GRE_LOCAL, ip6],
  /** IPv6 address. */
  remote: [c.IFLA_GRE_REMOTE, ip6],
  /** How often a packet may be wrapped again. Default 4. */
  encapLimit: [c.IFLA_GRE_ENCAP_LIMIT, u8],
  /** Traffic class and flow label of tunnel packets, 28 bits. */
  flowInfo: [c.IFLA_GRE_FLOWINFO, ranged(be32, 0, 0x0fffffff)],
  /** All of them. */
  flags: [c.IFLA_GRE_FLAGS, flagList(u32, ip6TunnelFlags)],
})

interface Keys {
  ikey?: unknown
  okey?: unknown
  iflags?: unknown
  oflags?: unknown
}

/** A key counts only with its flag: it is set with the key, beside the flags that there are, unless the flags are said too. */
function withKeyFlags(options: Keys, { iflags = [], oflags = [] }: Keys = {}): object {
  const flagged = (flags: unknown): unknown[] => [...(flags as unknown[]).filter(flag => flag !== 'key'), 'key']
  return {
    ...options,
    ...(options.ikey !== undefined && options.iflags === undefined ? { iflags: flagged(iflags) } : {}),
    ...(options.okey !== undefined && options.oflags === undefined ? { oflags: flagged(oflags) } : {}),
  }
}

const write = (options: object): object => withKeyFlags(options)
const complete = (present: object, change: object): object => ({ ...present, ...withKeyFlags(change, present) })

const over4 = linkKind({ options: greOptions, config: 'CONFIG_NET_IPGRE', write, complete })
const over6 = linkKind({ options: ip6greOptions, config: 'CONFIG_IPV6_GRE', write, complete })

export const gre = over4
export const gretap = over4
export const erspan = over4
export const ip6gre = over6
export const ip6gretap = over6
export const ip6erspan = over6
