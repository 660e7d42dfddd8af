/** Geneve tunnels. Source: ip-link(8) "GENEVE Type Support", linux/if_link.h. */
import { InvalidArgumentError } from '../../errors.ts'
import { be16, be32, bool8, flag, ip, named, ranged, u32, u8 } from '../../netlink/codecs.ts'
import { attributes, struct } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkKind } from './kind.ts'

export const geneveOptions = attributes({
  /** 0 to 16777215. Required unless `external`. */
  id: [c.IFLA_GENEVE_ID, ranged(u32, 0, 0xffffff)],
  /** Destination, IPv4 or IPv6. Required unless `external`. */
  remote: [c.IFLA_GENEVE_REMOTE, ip, c.IFLA_GENEVE_REMOTE6],
  /** 0: chosen by the route. */
  ttl: [c.IFLA_GENEVE_TTL, u8],
  /** Taken from the inner packet. */
  ttlInherit: [c.IFLA_GENEVE_TTL_INHERIT, bool8],
  /** 1: taken from the inner packet. */
  tos: [c.IFLA_GENEVE_TOS, u8],
  /** Of outer IPv4 packets. Default `unset`. */
  df: [c.IFLA_GENEVE_DF, named(u8, { unset: c.GENEVE_DF_UNSET, set: c.GENEVE_DF_SET, inherit: c.GENEVE_DF_INHERIT })],
  /** Flow label of outer IPv6 packets, 0 to 1048575. */
  flowLabel: [c.IFLA_GENEVE_LABEL, ranged(be32, 0, 0xfffff)],
  /** UDP port. Default 6081. */
  dstPort: [c.IFLA_GENEVE_PORT, be16],
  /** Destination and id come with each packet (routes with encapsulation, tc, BPF). */
  external: [c.IFLA_GENEVE_COLLECT_METADATA, flag],
  /** UDP checksums over IPv4. Default false. */
  udpCsum: [c.IFLA_GENEVE_UDP_CSUM, bool8],
  /** No UDP checksums over IPv6. Default false. */
  udp6ZeroCsumTx: [c.IFLA_GENEVE_UDP_ZERO_CSUM6_TX, bool8],
  /** Packets without a UDP checksum are taken over IPv6. Default false. */
  udp6ZeroCsumRx: [c.IFLA_GENEVE_UDP_ZERO_CSUM6_RX, bool8],
  /** The inner packets are IP, not Ethernet. Cannot be changed. */
  innerProtoInherit: [c.IFLA_GENEVE_INNER_PROTO_INHERIT, flag],
  /** Source ports that flows are spread over. Default 1 to 65535. */
  srcPort: [c.IFLA_GENEVE_PORT_RANGE, struct({ low: be16, high: be16 })],
})

export const geneve = linkKind({
  options: geneveOptions,
  config: 'CONFIG_GENEVE',
  needs: { innerProtoInherit: { since: '5.18' }, srcPort: { since: '6.15' } },
  check({ id, remote, external, srcPort }) {
    const { low = 0, high = 0 } = (srcPort ?? {}) as { low?: number, high?: number }
    if (low > high) throw new InvalidArgumentError('geneve.srcPort', srcPort, 'low and high, low not above high')
    if (external === true) return
    if (id === undefined) throw new InvalidArgumentError('geneve.id', id, 'an id from 0 to 16777215, or external: true')
    if (remote === undefined) throw new InvalidArgumentError('geneve.remote', remote, 'an IPv4 or IPv6 address, or external: true')
  },
})
