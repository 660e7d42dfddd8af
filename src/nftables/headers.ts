/**
 * Where the fields of packets' headers stand, and of what data type they and the kernel's own values are.
 * Source: nft(8) "PAYLOAD EXPRESSIONS", "META EXPRESSIONS", "CONNTRACK EXPRESSIONS"; the RFCs of the protocols.
 */
import { datatypes } from './datatypes.ts'
import type { DatatypeName } from './datatypes.ts'

/** Where offsets count from: NFT_PAYLOAD_LINK_HEADER, …_NETWORK_HEADER, …_TRANSPORT_HEADER. */
export type HeaderBase = 'link' | 'network' | 'transport'

export interface HeaderField {
  /** In bits from the base. */
  offset: number
  /** In bits. */
  length: number
  type: DatatypeName
}

export interface Header {
  base: HeaderBase
  fields: Readonly<Record<string, HeaderField>>
}

function header<const F extends Record<string, readonly [offset: number, length: number, type: DatatypeName]>>(
  base: HeaderBase, fields: F,
): { base: HeaderBase, fields: { [K in keyof F]: HeaderField } } {
  const entries = Object.entries(fields).map(([name, [offset, length, type]]) => [name, { offset, length, type }])
  return { base, fields: Object.fromEntries(entries) as { [K in keyof F]: HeaderField } }
}

const ports = { sport: [0, 16, 'inet_service'], dport: [16, 16, 'inet_service'] } as const

/** By nft's names, of protocols and of fields. */
export const headers = {
  ether: header('link', {
    daddr: [0, 48, 'ether_addr'], saddr: [48, 48, 'ether_addr'], type: [96, 16, 'ether_type'],
  }),
  vlan: header('link', {
    pcp: [112, 3, 'integer'], dei: [115, 1, 'integer'], id: [116, 12, 'integer'], type: [128, 16, 'ether_type'],
  }),
  arp: header('network', {
    htype: [0, 16, 'integer'], ptype: [16, 16, 'ether_type'], hlen: [32, 8, 'integer'], plen: [40, 8, 'integer'],
    operation: [48, 16, 'arp_op'], 'saddr ether': [64, 48, 'ether_addr'], 'saddr ip': [112, 32, 'ipv4_addr'],
    'daddr ether': [144, 48, 'ether_addr'], 'daddr ip': [192, 32, 'ipv4_addr'],
  }),
  ip: header('network', {
    version: [0, 4, 'integer'], hdrlength: [4, 4, 'integer'], dscp: [8, 6, 'dscp'], ecn: [14, 2, 'ecn'],
    length: [16, 16, 'integer'], id: [32, 16, 'integer'], 'frag-off': [48, 16, 'integer'], ttl: [64, 8, 'integer'],
    protocol: [72, 8, 'inet_proto'], checksum: [80, 16, 'integer'], saddr: [96, 32, 'ipv4_addr'], daddr: [128, 32, 'ipv4_addr'],
  }),
  ip6: header('network', {
    version: [0, 4, 'integer'], dscp: [4, 6, 'dscp'], ecn: [10, 2, 'ecn'], flowlabel: [12, 20, 'integer'],
    length: [32, 16, 'integer'], nexthdr: [48, 8, 'inet_proto'], hoplimit: [56, 8, 'integer'],
    saddr: [64, 128, 'ipv6_addr'], daddr: [192, 128, 'ipv6_addr'],
  }),
  icmp: header('transport', {
    type: [0, 8, 'icmp_type'], code: [8, 8, 'icmp_code'], checksum: [16, 16, 'integer'], id: [32, 16, 'integer'],
    sequence: [48, 16, 'integer'], gateway: [32, 32, 'integer'], mtu: [48, 16, 'integer'],
  }),
  icmpv6: header('transport', {
    type: [0, 8, 'icmpv6_type'], code: [8, 8, 'icmpv6_code'], checksum: [16, 16, 'integer'], id: [32, 16, 'integer'],
    sequence: [48, 16, 'integer'], 'parameter-problem': [32, 32, 'integer'], mtu: [32, 32, 'integer'], 'max-delay': [32, 16, 'integer'],
  }),
  igmp: header('transport', {
    type: [0, 8, 'igmp_type'], mrt: [8, 8, 'integer'], checksum: [16, 16, 'integer'], group: [32, 32, 'integer'],
  }),
  tcp: header('transport', {
    ...ports, sequence: [32, 32, 'integer'], ackseq: [64, 32, 'integer'], doff: [96, 4, 'integer'], reserved: [100, 4, 'integer'],
    flags: [104, 8, 'tcp_flag'], window: [112, 16, 'integer'], checksum: [128, 16, 'integer'], urgptr: [144, 16, 'integer'],
  }),
  udp: header('transport', { ...ports, length: [32, 16, 'integer'], checksum: [48, 16, 'integer'] }),
  udplite: header('transport', { ...ports, csumcov: [32, 16, 'integer'], checksum: [48, 16, 'integer'] }),
  sctp: header('transport', { ...ports, vtag: [32, 32, 'integer'], checksum: [64, 32, 'integer'] }),
  dccp: header('transport', { ...ports, type: [67, 4, 'dccp_pkttype'] }),
  esp: header('transport', { spi: [0, 32, 'integer'], sequence: [32, 32, 'integer'] }),
  ah: header('transport', {
    nexthdr: [0, 8, 'inet_proto'], hdrlength: [8, 8, 'integer'], reserved: [16, 16, 'integer'], spi: [32, 32, 'integer'],
    sequence: [64, 32, 'integer'],
  }),
  comp: header('transport', { nexthdr: [0, 8, 'inet_proto'], flags: [8, 8, 'bitmask'], cpi: [16, 16, 'integer'] }),
  /** Ports, whatever the protocol. */
  th: header('transport', ports),
} as const

export type HeaderName = keyof typeof headers

/** The number in IPv4's protocol and IPv6's next header field of each transport header. */
export const transportProtocols: Readonly<Partial<Record<HeaderName, number>>> = {
  icmp: 1, igmp: 2, tcp: 6, udp: 17, dccp: 33, esp: 50, ah: 51, icmpv6: 58, comp: 108, sctp: 132, udplite: 136,
}

/** A value that the kernel itself loads: plain integers are in its own order, while those of packets are in network order. */
export interface KeyType {
  type: DatatypeName
  /** In bytes. */
  size: number
  order: 'big' | 'host'
}

function keys<const K extends Record<string, readonly [type: DatatypeName, size: number]>>(entries: K): { [N in keyof K]: KeyType } {
  // nft takes these two as they would stand in a packet.
  const order = (name: string, type: DatatypeName): KeyType['order'] =>
    type !== 'integer' ? datatypes[type].order : name === 'random' || name === 'id' ? 'big' : 'host'
  return Object.fromEntries(Object.entries(entries)
    .map(([name, [type, size]]) => [name, { type, size, order: order(name, type) }])) as { [N in keyof K]: KeyType }
}

/** enum nft_meta_keys. */
export const metaKeys = keys({
  len: ['integer', 4], protocol: ['ether_type', 2], priority: ['classid', 4], mark: ['mark', 4], iif: ['iface_index', 4],
  oif: ['iface_index', 4], iifname: ['ifname', 16], oifname: ['ifname', 16], iiftype: ['iface_type', 2], oiftype: ['iface_type', 2],
  skuid: ['uid', 4], skgid: ['gid', 4], nftrace: ['integer', 1], rtclassid: ['realm', 4], secmark: ['integer', 4],
  nfproto: ['nf_proto', 1], l4proto: ['inet_proto', 1], ibrname: ['ifname', 16], obrname: ['ifname', 16], pkttype: ['pkt_type', 1],
  cpu: ['integer', 4], iifgroup: ['devgroup', 4], oifgroup: ['devgroup', 4], cgroup: ['integer', 4], random: ['integer', 4],
  ipsec: ['boolean', 1], iifkind: ['ifname', 16], oifkind: ['ifname', 16], ibrpvid: ['integer', 2], ibrvproto: ['ether_type', 2],
  time: ['time_date', 8], day: ['day', 1], hour: ['hour', 4], sdif: ['iface_index', 4], sdifname: ['ifname', 16], broute: ['boolean', 1],
})

/** enum nft_ct_keys. */
export const ctKeys = keys({
  state: ['ct_state', 4], direction: ['ct_dir', 1], status: ['ct_status', 4], mark: ['mark', 4], secmark: ['integer', 4],
  expiration: ['time', 4], helper: ['string', 16], l3proto: ['nf_proto', 1], protocol: ['inet_proto', 1],
  'proto-src': ['inet_service', 2], 'proto-dst': ['inet_service', 2], label: ['ct_label', 16], packets: ['integer', 8],
  bytes: ['integer', 8], avgpkt: ['integer', 8], zone: ['integer', 2], event: ['ct_event', 4], 'ip saddr': ['ipv4_addr', 4],
  'ip daddr': ['ipv4_addr', 4], 'ip6 saddr': ['ipv6_addr', 16], 'ip6 daddr': ['ipv6_addr', 16], id: ['integer', 4],
})

/** enum nft_rt_keys. */
export const rtKeys = keys({
  classid: ['realm', 4], nexthop4: ['ipv4_addr', 4], nexthop6: ['ipv6_addr', 16], mtu: ['integer', 2], ipsec: ['boolean', 1],
})

/** enum nft_socket_keys. */
export const socketKeys = keys({ transparent: ['integer', 1], mark: ['mark', 4], wildcard: ['integer', 1], cgroupv2: ['cgroupsv2', 8] })

/** enum nft_fib_result. */
export const fibResults = keys({ oif: ['iface_index', 4], oifname: ['ifname', 16], type: ['fib_addrtype', 4] })
