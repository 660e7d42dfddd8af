/** Ethernet over UDP. Source: ip-link(8) "VXLAN Type Support", linux/if_link.h. */
import { InvalidArgumentError } from '../../errors.ts'
import { be16, be32, bool8, flag, ip, named, ranged, scaled, u32, u8 } from '../../netlink/codecs.ts'
import type { Codec, FixedCodec } from '../../netlink/codecs.ts'
import { attributes, struct } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkIndex, linkKind } from './kind.ts'

/** 224.0.0.0/4, ff00::/8. */
function isMulticast(address: unknown): boolean {
  return typeof address === 'string' && (/^2(2[4-9]|3\d)\./.test(address) || /^ff[0-9a-f]{2}:/i.test(address))
}

const ipWhere = (accepts: (address: unknown) => boolean, accepted: string): Codec<string> => ({
  ...ip,
  encode(writer, value, parent) {
    if (!accepts(value)) writer.refuse(value, accepted)
    ip.encode(writer, value, parent)
  },
})
const unicast = ipWhere(value => !isMulticast(value), 'an IPv4 or IPv6 address that is no multicast group')
const group = ipWhere(isMulticast, 'a multicast group, IPv4 or IPv6')

/** 64 bits, most significant first. A bigint would keep records out of JSON. */
const hex64: FixedCodec<string> = {
  size: 8,
  encode(writer, value) {
    if (typeof value !== 'string' || !/^0x[0-9a-f]{1,16}$/i.test(value)) return writer.refuse(value, 'a number of at most 64 bits like 0xff')
    const at = writer.reserve(8)
    writer.buffer.writeBigUInt64BE(BigInt(value), at)
  },
  decode: (bytes, start) => `0x${bytes.readBigUInt64BE(start).toString(16)}`,
}

export const vxlanOptions = attributes({
  /** Network identifier (VNI), 0 to 16777215. Required unless `external`; cannot be changed. */
  id: [c.IFLA_VXLAN_ID, ranged(u32, 0, 0xffffff)],
  /** Where frames go whose destination is not in the FDB: an address, IPv4 or IPv6; or `group`. */
  remote: [c.IFLA_VXLAN_GROUP, unicast, c.IFLA_VXLAN_GROUP6],
  /** The same for a multicast group, which is joined; needs `dev`. */
  group: [c.IFLA_VXLAN_GROUP, group, c.IFLA_VXLAN_GROUP6],
  /** Source address, IPv4 or IPv6. */
  local: [c.IFLA_VXLAN_LOCAL, ip, c.IFLA_VXLAN_LOCAL6],
  /** The link that tunnel packets go out by: name or index. */
  dev: [c.IFLA_VXLAN_LINK, linkIndex],
  /** Of tunnel packets; 0: chosen by the route. */
  ttl: [c.IFLA_VXLAN_TTL, u8],
  /** Taken from the inner packet. */
  ttlInherit: [c.IFLA_VXLAN_TTL_INHERIT, flag],
  /** 1: taken from the inner packet. */
  tos: [c.IFLA_VXLAN_TOS, u8],
  /** Of outer IPv4 packets. Default `unset`. */
  df: [c.IFLA_VXLAN_DF, named(u8, { unset: c.VXLAN_DF_UNSET, set: c.VXLAN_DF_SET, inherit: c.VXLAN_DF_INHERIT })],
  /** Flow label of outer IPv6 packets, 0 to 1048575. */
  flowLabel: [c.IFLA_VXLAN_LABEL, ranged(be32, 0, 0xfffff)],
  /** `inherit`: the flow label is taken from the inner packet. Default `fixed`. */
  labelPolicy: [c.IFLA_VXLAN_LABEL_POLICY, named(u32, { fixed: c.VXLAN_LABEL_FIXED, inherit: c.VXLAN_LABEL_INHERIT })],
  /** Source ports that flows are spread over. */
  srcPort: [c.IFLA_VXLAN_PORT_RANGE, struct({ low: be16, high: be16 })],
  /** UDP port. Default, also for 0: 8472, the kernel's own; the standard's is 4789. */
  dstPort: [c.IFLA_VXLAN_PORT, be16],
  /** Addresses of frames that come in are entered into the FDB. Default true, also with `external`, where ip says false. */
  learning: [c.IFLA_VXLAN_LEARNING, bool8],
  /** How long they stay there, whole seconds in milliseconds. Default 300000. */
  ageingMs: [c.IFLA_VXLAN_AGEING, scaled(u32, 1000)],
  /** Most entries of the FDB; 0 (default): no limit. */
  maxAddresses: [c.IFLA_VXLAN_LIMIT, u32],
  /** ARP and neighbour requests are answered. Default false. */
  proxy: [c.IFLA_VXLAN_PROXY, bool8],
  /** Route short circuit. Default false. */
  rsc: [c.IFLA_VXLAN_RSC, bool8],
  /** Destinations without an FDB entry are told of by netlink. Default false. */
  l2miss: [c.IFLA_VXLAN_L2MISS, bool8],
  /** IP addresses without a neighbour entry are told of by netlink. Default false. */
  l3miss: [c.IFLA_VXLAN_L3MISS, bool8],
  /** UDP checksums over IPv4. Default true. */
  udpCsum: [c.IFLA_VXLAN_UDP_CSUM, bool8],
  /** No UDP checksums over IPv6. Default false. */
  udp6ZeroCsumTx: [c.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, bool8],
  /** Packets without a UDP checksum are taken over IPv6. Default false. */
  udp6ZeroCsumRx: [c.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, bool8],
  /** Remote checksum offload of what is sent. Default false. */
  remCsumTx: [c.IFLA_VXLAN_REMCSUM_TX, bool8],
  /** Remote checksum offload of what comes in. Default false. */
  remCsumRx: [c.IFLA_VXLAN_REMCSUM_RX, bool8],
  /** The inner checksum of such packets is worked out at once. Default false; cannot be changed. */
  remCsumNoPartial: [c.IFLA_VXLAN_REMCSUM_NOPARTIAL, flag],
  /** Group policy extension. Cannot be changed. */
  gbp: [c.IFLA_VXLAN_GBP, flag],
  /** Generic protocol extension; needs `external`. Cannot be changed. */
  gpe: [c.IFLA_VXLAN_GPE, flag],
  /** Destination and id come with each packet, or from FDB entries. Default false; cannot be changed. */
  external: [c.IFLA_VXLAN_COLLECT_METADATA, bool8],
  /** Only the ids that are entered are taken (`host.links.addVnis`). Needs `external`; cannot be changed. */
  vnifilter: [c.IFLA_VXLAN_VNIFILTER, bool8],
  /** Packets to an own address go to the VXLAN there without UDP. Default true. */
  localBypass: [c.IFLA_VXLAN_LOCALBYPASS, bool8],
  /**
   * Bits of the VXLAN header that must be zero, as a number in hexadecimal like `0xf7ffffff000000ff`; a packet in which one is
   * set is dropped. Default: all that no other option uses. Cannot be changed.
   */
  reservedBits: [c.IFLA_VXLAN_RESERVED_BITS, hex64],
  /** Tunnel packets to a multicast group go by multicast routing. Default false; cannot be changed, and is not shown. Linux ≥ 6.17. */
  mcRoute: [c.IFLA_VXLAN_MC_ROUTE, bool8],
})

export const vxlan = linkKind({
  options: vxlanOptions,
  config: 'CONFIG_VXLAN',
  needs: {
    vnifilter: { since: '5.18' }, localBypass: { since: '6.5' }, labelPolicy: { since: '6.8' }, reservedBits: { since: '6.14' },
  },
  check({ id, external, remote, group, dev, gpe, gbp, vnifilter, srcPort }) {
    if (id === undefined && external !== true) throw new InvalidArgumentError('vxlan.id', id, 'an id from 0 to 16777215, or external: true')
    if (remote !== undefined && group !== undefined) throw new InvalidArgumentError('vxlan.group', group, 'remote or group, not both')
    if (group !== undefined && dev === undefined) throw new InvalidArgumentError('vxlan.dev', dev, 'the link on which the group is joined')
    if (gpe === true && gbp === true) throw new InvalidArgumentError('vxlan.gpe', gpe, 'gbp or gpe, not both')
    if (gpe === true && external !== true) throw new InvalidArgumentError('vxlan.external', external, 'true, with gpe')
    if (vnifilter === true && external !== true) throw new InvalidArgumentError('vxlan.external', external, 'true, with vnifilter')
    const { low = 0, high = 0 } = (srcPort ?? {}) as { low?: number, high?: number }
    if (low > high) throw new InvalidArgumentError('vxlan.srcPort', srcPort, 'low and high, low not above high')
  },
  read(options) {
    const { remote, ...rest } = options as { remote?: string }
    return isMulticast(remote) ? { ...rest, group: remote } : options
  },
})
