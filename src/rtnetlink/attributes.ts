/** What every link has, whatever its kind. Source: rtnetlink(7), linux/if_link.h. */
import { bool8, counter64, hardwareAddress, interfaceName, named, s32, string, text, u32, u8 } from '../netlink/codecs.ts'
import { list, struct } from '../netlink/table.ts'
import * as c from './constants.ts'

/** RFC 2863 operational states, linux/if.h. */
const operStates = { unknown: 0, notpresent: 1, down: 2, lowerlayerdown: 3, testing: 4, dormant: 5, up: 6 } as const

/** struct rtnl_link_stats64, as far as every kernel has it. */
const statistics = struct({
  rxPackets: counter64, txPackets: counter64, rxBytes: counter64, txBytes: counter64,
  rxErrors: counter64, txErrors: counter64, rxDropped: counter64, txDropped: counter64,
  multicast: counter64, collisions: counter64,
  rxLengthErrors: counter64, rxOverErrors: counter64, rxCrcErrors: counter64, rxFrameErrors: counter64,
  rxFifoErrors: counter64, rxMissedErrors: counter64,
  txAbortedErrors: counter64, txCarrierErrors: counter64, txFifoErrors: counter64, txHeartbeatErrors: counter64,
  txWindowErrors: counter64, rxCompressed: counter64, txCompressed: counter64,
})

export const commonAttributes = {
  name: [c.IFLA_IFNAME, interfaceName],
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
  linkMode: [c.IFLA_LINKMODE, u8],
  group: [c.IFLA_GROUP, u32],
  alias: [c.IFLA_IFALIAS, text(255)],
  netnsFd: [c.IFLA_NET_NS_FD, u32],
  netnsPid: [c.IFLA_NET_NS_PID, u32],
  extMask: [c.IFLA_EXT_MASK, u32],
  promiscuity: [c.IFLA_PROMISCUITY, u32],
  allMulticast: [c.IFLA_ALLMULTI, u32],
  numTxQueues: [c.IFLA_NUM_TX_QUEUES, u32],
  numRxQueues: [c.IFLA_NUM_RX_QUEUES, u32],
  gsoMaxSegs: [c.IFLA_GSO_MAX_SEGS, u32],
  gsoMaxSize: [c.IFLA_GSO_MAX_SIZE, u32],
  groMaxSize: [c.IFLA_GRO_MAX_SIZE, u32],
  tsoMaxSize: [c.IFLA_TSO_MAX_SIZE, u32],
  tsoMaxSegs: [c.IFLA_TSO_MAX_SEGS, u32],
  carrier: [c.IFLA_CARRIER, bool8],
  carrierChanges: [c.IFLA_CARRIER_CHANGES, u32],
  carrierUpCount: [c.IFLA_CARRIER_UP_COUNT, u32],
  carrierDownCount: [c.IFLA_CARRIER_DOWN_COUNT, u32],
  protoDown: [c.IFLA_PROTO_DOWN, bool8],
  parentDevName: [c.IFLA_PARENT_DEV_NAME, string(255)],
  parentDevBusName: [c.IFLA_PARENT_DEV_BUS_NAME, string(255)],
  altNames: [c.IFLA_PROP_LIST, list(c.IFLA_ALT_IFNAME, string(127))],
  statistics: [c.IFLA_STATS64, statistics],
} as const
