/** What every link has, whatever its kind. Source: rtnetlink(7), linux/if_link.h. */
import type { Codec } from '../netlink/codecs.ts'
import { bool8, counter64, hardwareAddress, interfaceName, named, readOnly, s32, string, text, u16, u32, u8 } from '../netlink/codecs.ts'
import { attributes, list, struct } from '../netlink/table.ts'
import type { StructValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { afSpec } from './linkconf.ts'

/** RFC 2863 operational states, linux/if.h. */
const operStates = { unknown: 0, notpresent: 1, down: 2, lowerlayerdown: 3, testing: 4, dormant: 5, up: 6 } as const

/** IF_LINK_MODE_*, linux/if.h. */
const linkModes = { default: 0, dormant: 1, testing: 2 } as const

const counters = {
  rxPackets: counter64, txPackets: counter64, rxBytes: counter64, txBytes: counter64,
  rxErrors: counter64, txErrors: counter64, rxDropped: counter64, txDropped: counter64,
  multicast: counter64, collisions: counter64,
  rxLengthErrors: counter64, rxOverErrors: counter64, rxCrcErrors: counter64, rxFrameErrors: counter64,
  rxFifoErrors: counter64, rxMissedErrors: counter64,
  txAbortedErrors: counter64, txCarrierErrors: counter64, txFifoErrors: counter64, txHeartbeatErrors: counter64,
  txWindowErrors: counter64, rxCompressed: counter64, txCompressed: counter64,
} as const

/** 64 bits each, exact to 2^53. */
export interface LinkCounters extends StructValues<typeof counters> {
  /** Packets that nobody wanted. */
  rxNohandler?: number
  /** Packets for other hosts. Linux ≥ 5.19. */
  rxOtherhostDropped?: number
}

const oldest = struct(counters)

/** struct rtnl_link_stats64: newer kernels have more of it. */
export const statistics: Codec<LinkCounters> = {
  size: oldest.size,
  encode: (writer, value) => { oldest.encode(writer, value) },
  decode(bytes, start, end) {
    const values: LinkCounters = oldest.decode(bytes, start)
    if (end - start >= 24 * 8) values.rxNohandler = counter64.decode(bytes, start + 23 * 8, end, values)
    if (end - start >= 25 * 8) values.rxOtherhostDropped = counter64.decode(bytes, start + 24 * 8, end, values)
    return values
  },
}

/** Names beside the first, up to ALTIFNAMSIZ. */
export function isAlternativeName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= 127 && !/[/\s\0]/.test(name)
}

/** How a request names a link: the kernel takes any of its names for IFLA_IFNAME, if it is short enough. */
export function byName(link: string): { name: string } | { altName: string } {
  return Buffer.byteLength(link) > 15 && isAlternativeName(link) ? { altName: link } : { name: link }
}

export const altName: Codec<string> = {
  encode(writer, value, parent) {
    if (!isAlternativeName(value)) writer.refuse(value, "an alternative name: 1 to 127 bytes, no '/' or white space")
    string(127).encode(writer, value, parent)
  },
  decode: string(127).decode,
}

/** An identifier of bytes, as hexadecimal digits. */
const hex: Codec<string> = {
  encode: (writer, value) => writer.refuse(value, 'nothing: it can only be read'),
  readOnly: true,
  decode: (bytes, start, end) => bytes.toString('hex', start, end),
}

export const commonAttributes = {
  name: [c.IFLA_IFNAME, interfaceName],
  /** Says which link is meant, where `name` would be too long. */
  altName: [c.IFLA_ALT_IFNAME, altName],
  mac: [c.IFLA_ADDRESS, hardwareAddress],
  broadcast: [c.IFLA_BROADCAST, hardwareAddress],
  permanentMac: [c.IFLA_PERM_ADDRESS, hardwareAddress],
  mtu: [c.IFLA_MTU, u32],
  minMtu: [c.IFLA_MIN_MTU, u32],
  maxMtu: [c.IFLA_MAX_MTU, u32],
  link: [c.IFLA_LINK, s32],
  linkNetnsId: [c.IFLA_LINK_NETNSID, s32],
  master: [c.IFLA_MASTER, u32],
  qdisc: [c.IFLA_QDISC, string(31)],
  txQueueLen: [c.IFLA_TXQLEN, u32],
  operState: [c.IFLA_OPERSTATE, named(u8, operStates)],
  linkMode: [c.IFLA_LINKMODE, named(u8, linkModes)],
  group: [c.IFLA_GROUP, u32],
  alias: [c.IFLA_IFALIAS, text(255)],
  netnsFd: [c.IFLA_NET_NS_FD, u32],
  netnsPid: [c.IFLA_NET_NS_PID, u32],
  extMask: [c.IFLA_EXT_MASK, u32],
  promiscuity: [c.IFLA_PROMISCUITY, u32],
  allMulti: [c.IFLA_ALLMULTI, u32],
  numTxQueues: [c.IFLA_NUM_TX_QUEUES, u32],
  numRxQueues: [c.IFLA_NUM_RX_QUEUES, u32],
  gsoMaxSegs: [c.IFLA_GSO_MAX_SEGS, u32],
  gsoMaxSize: [c.IFLA_GSO_MAX_SIZE, u32],
  groMaxSize: [c.IFLA_GRO_MAX_SIZE, u32],
  gsoIpv4MaxSize: [c.IFLA_GSO_IPV4_MAX_SIZE, u32],
  groIpv4MaxSize: [c.IFLA_GRO_IPV4_MAX_SIZE, u32],
  tsoMaxSize: [c.IFLA_TSO_MAX_SIZE, readOnly(u32)],
  tsoMaxSegs: [c.IFLA_TSO_MAX_SEGS, readOnly(u32)],
  /** Bytes that drivers below need before and behind a packet. */
  headroom: [c.IFLA_HEADROOM, readOnly(u16)],
  tailroom: [c.IFLA_TAILROOM, readOnly(u16)],
  /** It cannot move to another namespace. */
  netnsImmutable: [c.IFLA_NETNS_IMMUTABLE, readOnly(bool8)],
  carrier: [c.IFLA_CARRIER, bool8],
  carrierChanges: [c.IFLA_CARRIER_CHANGES, u32],
  carrierUpCount: [c.IFLA_CARRIER_UP_COUNT, u32],
  carrierDownCount: [c.IFLA_CARRIER_DOWN_COUNT, u32],
  protoDown: [c.IFLA_PROTO_DOWN, bool8],
  protoDownReason: [c.IFLA_PROTO_DOWN_REASON, attributes({
    mask: [c.IFLA_PROTO_DOWN_REASON_MASK, u32],
    value: [c.IFLA_PROTO_DOWN_REASON_VALUE, u32],
  })],
  physPortId: [c.IFLA_PHYS_PORT_ID, hex],
  physPortName: [c.IFLA_PHYS_PORT_NAME, readOnly(string(255))],
  physSwitchId: [c.IFLA_PHYS_SWITCH_ID, hex],
  parentDevName: [c.IFLA_PARENT_DEV_NAME, string(255)],
  parentDevBusName: [c.IFLA_PARENT_DEV_BUS_NAME, string(255)],
  altNames: [c.IFLA_PROP_LIST, list(c.IFLA_ALT_IFNAME, altName)],
  afSpec: [c.IFLA_AF_SPEC, afSpec],
  statistics: [c.IFLA_STATS64, statistics],
} as const

export const commonTable = attributes(commonAttributes)
