/** Expressions that put a property of the packet, its connection, socket or route into a register, or set it from one. */
import { be32, named, u8 } from '../../netlink/codecs.ts'
import { attributes } from '../../netlink/table.ts'
import { enumeration, register } from '../codecs.ts'
import * as c from '../constants.ts'

/** enum nft_meta_keys, by nft's words. */
export const metaKeys = enumeration([
  'len', 'protocol', 'priority', 'mark', 'iif', 'oif', 'iifname', 'oifname', 'iiftype', 'oiftype', 'skuid', 'skgid',
  'nftrace', 'rtclassid', 'secmark', 'nfproto', 'l4proto', 'ibrname', 'obrname', 'pkttype', 'cpu', 'iifgroup',
  'oifgroup', 'cgroup', 'random', 'ipsec', 'iifkind', 'oifkind', 'ibrpvid', 'ibrvproto', 'time', 'day', 'hour',
  'sdif', 'sdifname', 'broute', '__iiftype', 'ibrhwaddr',
])

/** enum nft_ct_keys, by nft's words. */
export const ctKeys = enumeration([
  'state', 'direction', 'status', 'mark', 'secmark', 'expiration', 'helper', 'l3proto', 'saddr', 'daddr', 'protocol',
  'proto-src', 'proto-dst', 'label', 'packets', 'bytes', 'avgpkt', 'zone', 'event', 'ip saddr', 'ip daddr', 'ip6 saddr',
  'ip6 daddr', 'id',
])

export const loadTables = {
  meta: attributes({
    key: [c.NFTA_META_KEY, named(be32, metaKeys)],
    dreg: [c.NFTA_META_DREG, register],
    sreg: [c.NFTA_META_SREG, register],
  }),
  payload: attributes({
    dreg: [c.NFTA_PAYLOAD_DREG, register],
    base: [c.NFTA_PAYLOAD_BASE, named(be32, enumeration(['link', 'network', 'transport', 'inner', 'tunnel']))],
    /** In bytes. */
    offset: [c.NFTA_PAYLOAD_OFFSET, be32],
    /** In bytes. */
    len: [c.NFTA_PAYLOAD_LEN, be32],
    sreg: [c.NFTA_PAYLOAD_SREG, register],
    csumType: [c.NFTA_PAYLOAD_CSUM_TYPE, named(be32, enumeration(['none', 'inet', 'sctp']))],
    csumOffset: [c.NFTA_PAYLOAD_CSUM_OFFSET, be32],
    /** NFT_PAYLOAD_L4CSUM_PSEUDOHDR: the transport checksum covers the field. */
    csumFlags: [c.NFTA_PAYLOAD_CSUM_FLAGS, be32],
  }),
  exthdr: attributes({
    dreg: [c.NFTA_EXTHDR_DREG, register],
    /** Of the IPv6 extension header, or of the option. */
    type: [c.NFTA_EXTHDR_TYPE, u8],
    /** In bytes from its start. */
    offset: [c.NFTA_EXTHDR_OFFSET, be32],
    len: [c.NFTA_EXTHDR_LEN, be32],
    /** NFT_EXTHDR_F_PRESENT: 1 or 0 for whether it is there. */
    flags: [c.NFTA_EXTHDR_FLAGS, be32],
    op: [c.NFTA_EXTHDR_OP, named(be32, enumeration(['ipv6', 'tcp option', 'ip option', 'sctp chunk', 'dccp option']))],
    sreg: [c.NFTA_EXTHDR_SREG, register],
  }),
  ct: attributes({
    key: [c.NFTA_CT_KEY, named(be32, ctKeys)],
    dreg: [c.NFTA_CT_DREG, register],
    direction: [c.NFTA_CT_DIRECTION, named(u8, enumeration(['original', 'reply']))],
    sreg: [c.NFTA_CT_SREG, register],
  }),
  rt: attributes({
    key: [c.NFTA_RT_KEY, named(be32, enumeration(['classid', 'nexthop4', 'nexthop6', 'mtu', 'ipsec']))],
    dreg: [c.NFTA_RT_DREG, register],
  }),
  fib: attributes({
    dreg: [c.NFTA_FIB_DREG, register],
    result: [c.NFTA_FIB_RESULT, named(be32, enumeration(['unspec', 'oif', 'oifname', 'type']))],
    /** NFTA_FIB_F_*. */
    flags: [c.NFTA_FIB_FLAGS, be32],
  }),
  socket: attributes({
    key: [c.NFTA_SOCKET_KEY, named(be32, enumeration(['transparent', 'mark', 'wildcard', 'cgroupv2']))],
    dreg: [c.NFTA_SOCKET_DREG, register],
    /** Of the cgroup, from the root. */
    level: [c.NFTA_SOCKET_LEVEL, be32],
  }),
  osf: attributes({
    dreg: [c.NFTA_OSF_DREG, register],
    ttl: [c.NFTA_OSF_TTL, named(u8, enumeration(['exact', 'loose', 'skip']))],
    /** NFT_OSF_F_VERSION: the name with its version. */
    flags: [c.NFTA_OSF_FLAGS, be32],
  }),
  numgen: attributes({
    dreg: [c.NFTA_NG_DREG, register],
    modulus: [c.NFTA_NG_MODULUS, be32],
    type: [c.NFTA_NG_TYPE, named(be32, enumeration(['inc', 'random']))],
    offset: [c.NFTA_NG_OFFSET, be32],
  }),
  hash: attributes({
    sreg: [c.NFTA_HASH_SREG, register],
    dreg: [c.NFTA_HASH_DREG, register],
    len: [c.NFTA_HASH_LEN, be32],
    modulus: [c.NFTA_HASH_MODULUS, be32],
    seed: [c.NFTA_HASH_SEED, be32],
    offset: [c.NFTA_HASH_OFFSET, be32],
    type: [c.NFTA_HASH_TYPE, named(be32, enumeration(['jhash', 'symhash']))],
  }),
  xfrm: attributes({
    dreg: [c.NFTA_XFRM_DREG, register],
    key: [c.NFTA_XFRM_KEY, named(be32, enumeration(['unspec', 'ip daddr', 'ip6 daddr', 'ip saddr', 'ip6 saddr', 'reqid', 'spi']))],
    dir: [c.NFTA_XFRM_DIR, named(u8, enumeration(['in', 'out']))],
    /** Which of nested transformations, from 0. */
    spnum: [c.NFTA_XFRM_SPNUM, be32],
  }),
  tunnel: attributes({
    key: [c.NFTA_TUNNEL_KEY, named(be32, enumeration(['path', 'id']))],
    dreg: [c.NFTA_TUNNEL_DREG, register],
    mode: [c.NFTA_TUNNEL_MODE, named(be32, enumeration(['none', 'rx', 'tx']))],
  }),
} as const
