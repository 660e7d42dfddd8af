/**
 * Counters of a link, with those of bridges, their ports and bonds (xstats).
 * Source: ip-stats(8), linux/if_link.h, linux/if_bridge.h, linux/if_bonding.h.
 */
import type { Codec } from '../netlink/codecs.ts'
import { counter64, padding, u16, u32, u8 } from '../netlink/codecs.ts'
import { change } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct, walkAttributes } from '../netlink/table.ts'
import type { Struct, StructValues, TableValues } from '../netlink/table.ts'
import { statistics } from './attributes.ts'
import type { LinkCounters } from './attributes.ts'
import * as c from './constants.ts'

/** struct if_stats_msg. */
const statsHeader = struct({ family: u8, _pad: padding(3), index: u32, filterMask: u32 })

/** struct bridge_vlan_xstats. */
const vlanCounters = struct({
  rxBytes: counter64, rxPackets: counter64, txBytes: counter64, txPackets: counter64, vlan: u16, flags: u16, _pad: padding(4),
})

/** struct bridge_stp_xstats. */
const stpCounters = struct({
  transitionsToBlocking: counter64, transitionsToForwarding: counter64, rxBpdu: counter64, txBpdu: counter64,
  rxTcn: counter64, txTcn: counter64,
})

/** struct br_mcast_stats: received, sent. */
const multicastCounters = struct({
  rxIgmpV1Queries: counter64, txIgmpV1Queries: counter64, rxIgmpV2Queries: counter64, txIgmpV2Queries: counter64,
  rxIgmpV3Queries: counter64, txIgmpV3Queries: counter64, rxIgmpLeaves: counter64, txIgmpLeaves: counter64,
  rxIgmpV1Reports: counter64, txIgmpV1Reports: counter64, rxIgmpV2Reports: counter64, txIgmpV2Reports: counter64,
  rxIgmpV3Reports: counter64, txIgmpV3Reports: counter64, igmpParseErrors: counter64,
  rxMldV1Queries: counter64, txMldV1Queries: counter64, rxMldV2Queries: counter64, txMldV2Queries: counter64,
  rxMldLeaves: counter64, txMldLeaves: counter64, rxMldV1Reports: counter64, txMldV1Reports: counter64,
  rxMldV2Reports: counter64, txMldV2Reports: counter64, mldParseErrors: counter64,
  rxBytes: counter64, txBytes: counter64, rxPackets: counter64, txPackets: counter64,
})

type CountersOf<S> = S extends Struct<infer F> ? StructValues<F> : never

/** Counters of a bridge or of one of its ports. */
export interface BridgeStatistics {
  /** One for each VLAN, where `vlanStatsEnabled` (of a port: `vlanStatsPerPort`). */
  vlans: CountersOf<typeof vlanCounters>[]
  /** IGMP and MLD, where `multicastStatsEnabled`; and multicast data packets. */
  multicast?: CountersOf<typeof multicastCounters>
  /** Of a port. Linux ≥ 5.6. */
  stp?: CountersOf<typeof stpCounters>
}

/** VLANs stand side by side in attributes of one type. */
const bridgeStatistics: Codec<BridgeStatistics> = {
  nested: true,
  readOnly: true,
  encode: (writer, value) => writer.refuse(value, 'nothing: it can only be read'),
  decode(bytes, start, end) {
    const found: BridgeStatistics = { vlans: [] }
    for (const [type, from, to] of walkAttributes(bytes, start, end)) {
      const is = (wanted: number, { size }: { size: number }): boolean => type === wanted && to - from >= size
      if (is(c.BRIDGE_XSTATS_VLAN, vlanCounters)) found.vlans.push(vlanCounters.decode(bytes, from))
      else if (is(c.BRIDGE_XSTATS_MCAST, multicastCounters)) found.multicast = multicastCounters.decode(bytes, from)
      else if (is(c.BRIDGE_XSTATS_STP, stpCounters)) found.stp = stpCounters.decode(bytes, from)
    }
    return found
  },
}

/** LACP packets, of a bond in mode 802.3ad, or of one of its ports. */
const lacpCounters = attributes({
  rxLacpdu: [c.BOND_3AD_STAT_LACPDU_RX, counter64],
  txLacpdu: [c.BOND_3AD_STAT_LACPDU_TX, counter64],
  rxLacpduUnknown: [c.BOND_3AD_STAT_LACPDU_UNKNOWN_RX, counter64],
  rxLacpduIllegal: [c.BOND_3AD_STAT_LACPDU_ILLEGAL_RX, counter64],
  rxMarker: [c.BOND_3AD_STAT_MARKER_RX, counter64],
  txMarker: [c.BOND_3AD_STAT_MARKER_TX, counter64],
  rxMarkerResponse: [c.BOND_3AD_STAT_MARKER_RESP_RX, counter64],
  txMarkerResponse: [c.BOND_3AD_STAT_MARKER_RESP_TX, counter64],
  rxMarkerUnknown: [c.BOND_3AD_STAT_MARKER_UNKNOWN_RX, counter64],
})

const extended = attributes({
  bridge: [c.LINK_XSTATS_TYPE_BRIDGE, bridgeStatistics],
  bond: [c.LINK_XSTATS_TYPE_BOND, attributes({ lacp: [c.BOND_XSTATS_3AD, lacpCounters] })],
})

const statisticsAttributes = attributes({
  counters: [c.IFLA_STATS_LINK_64, statistics],
  own: [c.IFLA_STATS_LINK_XSTATS, extended],
  asPort: [c.IFLA_STATS_LINK_XSTATS_SLAVE, extended],
})
const statisticsMessage = { header: statsHeader, attributes: statisticsAttributes }

export type LacpStatistics = TableValues<typeof lacpCounters>

export interface LinkStatistics {
  index: number
  /** What every link counts. */
  counters: LinkCounters
  /** Of a bridge. */
  bridge?: BridgeStatistics
  /** Of a bond in mode 802.3ad. */
  lacp?: LacpStatistics
  /** Of a port, what its bridge or bond counts there. */
  port?: { bridge?: BridgeStatistics, lacp?: LacpStatistics }
}

/** Counters of one link by index; ENODEV if there is none. */
export function getStatistics(index: number): AnyRequest {
  const bits = [c.IFLA_STATS_LINK_64, c.IFLA_STATS_LINK_XSTATS, c.IFLA_STATS_LINK_XSTATS_SLAVE]
  return change({
    type: c.RTM_GETSTATS, flags: 0, format: statisticsMessage,
    header: { index, filterMask: bits.reduce((mask, type) => mask | 1 << (type - 1), 0) },
    attributes: {}, operation: `get statistics of link ${index}`,
  })
}

export function decodeStatistics(message: Message): LinkStatistics {
  const { index } = message.header as { index: number }
  const { counters, own, asPort } = message.attributes as TableValues<typeof statisticsAttributes>
  const parts = ({ bridge, bond }: NonNullable<typeof own>): { bridge?: BridgeStatistics, lacp?: LacpStatistics } => ({
    ...(bridge === undefined ? {} : { bridge }), ...(bond?.lacp === undefined ? {} : { lacp: bond.lacp }),
  })
  return {
    index, counters: counters as LinkCounters, ...parts(own ?? {}), ...(asPort === undefined ? {} : { port: parts(asPort) }),
  }
}
