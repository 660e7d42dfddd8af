/** Bridges and their ports. Source: ip-link(8) "BRIDGE Type Support", bridge(8), linux/if_link.h. */
import { bool32, bool8, counter64, flag, hardwareAddress, ip, named, readOnly, scaled, u16, u32, u8 } from '../../netlink/codecs.ts'
import { switches } from '../../netlink/flags.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkIndex, linkKind } from './kind.ts'
import type { Requirement } from './kind.ts'
import { vlanProtocol } from './vlan-protocol.ts'

/** Timers stand in USER_HZ, hundredths of a second. */
const clock32 = scaled(u32, 10)
export const clock64 = scaled(counter64, 10)

/** struct ifla_bridge_id, as brctl prints it: `8000.525400123456`. */
const bridgeId = readOnly<string>({
  size: 8,
  encode: () => {},
  decode: (bytes, start) => `${bytes.toString('hex', start, start + 2)}.${bytes.toString('hex', start + 2, start + 8)}`,
})

/** They share one attribute, struct br_boolopt_multi. */
const switchBits = {
  noLinkLocalLearn: 1 << c.BR_BOOLOPT_NO_LL_LEARN,
  multicastVlanSnooping: 1 << c.BR_BOOLOPT_MCAST_VLAN_SNOOPING,
  mst: 1 << c.BR_BOOLOPT_MST_ENABLE,
  mdbOffloadFailNotification: 1 << c.BR_BOOLOPT_MDB_OFFLOAD_FAIL_NOTIFICATION,
  fdbLocalVlan0: 1 << c.BR_BOOLOPT_FDB_LOCAL_VLAN_0,
} as const
const allSwitches = switches(switchBits)
const bridgeSwitches: typeof allSwitches = {
  ...allSwitches,
  encode(writer, value, parent) {
    allSwitches.encode(writer, value, parent)
    // Linux 6.18 without CONFIG_BRIDGE_VLAN_FILTERING stumbles over it; that it refuses the filtering comes first.
    const filtered = (parent as { vlanFiltering?: boolean }).vlanFiltering === true
    if (value.fdbLocalVlan0 === true && !filtered) writer.refuse(value, 'fdbLocalVlan0 only beside vlanFiltering: true')
  },
}

/** The switch that a kernel speaks of as an unknown boolean option, by its number. */
export function switchOf(number: number): string | undefined {
  return Object.entries(switchBits).find(([, bit]) => bit === 1 << number)?.[0]
}

/** Another querier that the bridge has heard of, for IPv4 and IPv6. */
export const querierState = attributes({
  address: [c.BRIDGE_QUERIER_IP_ADDRESS, ip],
  port: [c.BRIDGE_QUERIER_IP_PORT, u32],
  otherTimerMs: [c.BRIDGE_QUERIER_IP_OTHER_TIMER, clock64],
  address6: [c.BRIDGE_QUERIER_IPV6_ADDRESS, ip],
  port6: [c.BRIDGE_QUERIER_IPV6_PORT, u32],
  otherTimer6Ms: [c.BRIDGE_QUERIER_IPV6_OTHER_TIMER, clock64],
})

export const bridgeOptions = attributes({
  /** With STP, how long a port listens, and then learns, before it forwards: 2000 to 30000. Default 15000. */
  forwardDelayMs: [c.IFLA_BR_FORWARD_DELAY, clock32],
  /** With STP, between hello packets: 1000 to 10000. Default 2000. */
  helloTimeMs: [c.IFLA_BR_HELLO_TIME, clock32],
  /** With STP, until a bridge that is not heard of counts as gone: 6000 to 40000. Default 20000. */
  maxAgeMs: [c.IFLA_BR_MAX_AGE, clock32],
  /** How long an FDB entry stays after its last packet. Default 300000. */
  ageingTimeMs: [c.IFLA_BR_AGEING_TIME, clock32],
  /** Spanning tree protocol. Default false. */
  stp: [c.IFLA_BR_STP_STATE, bool32],
  /** With STP, lower wins the election of the root: 0 to 65535. Default 32768. */
  priority: [c.IFLA_BR_PRIORITY, u16],
  /** Frames are looked at by VLAN. Default false. */
  vlanFiltering: [c.IFLA_BR_VLAN_FILTERING, bool8],
  /** `802.1Q` (default) or `802.1ad`. */
  vlanProtocol: [c.IFLA_BR_VLAN_PROTOCOL, vlanProtocol],
  /** Bits of link-local addresses (01:80:c2:00:00:0X) that are forwarded nevertheless. Default 0. */
  groupForwardMask: [c.IFLA_BR_GROUP_FWD_MASK, u16],
  rootId: [c.IFLA_BR_ROOT_ID, bridgeId],
  bridgeId: [c.IFLA_BR_BRIDGE_ID, bridgeId],
  rootPort: [c.IFLA_BR_ROOT_PORT, readOnly(u16)],
  rootPathCost: [c.IFLA_BR_ROOT_PATH_COST, readOnly(u32)],
  topologyChange: [c.IFLA_BR_TOPOLOGY_CHANGE, readOnly(bool8)],
  topologyChangeDetected: [c.IFLA_BR_TOPOLOGY_CHANGE_DETECTED, readOnly(bool8)],
  helloTimerMs: [c.IFLA_BR_HELLO_TIMER, readOnly(clock64)],
  tcnTimerMs: [c.IFLA_BR_TCN_TIMER, readOnly(clock64)],
  topologyChangeTimerMs: [c.IFLA_BR_TOPOLOGY_CHANGE_TIMER, readOnly(clock64)],
  gcTimerMs: [c.IFLA_BR_GC_TIMER, readOnly(clock64)],
  /** `true` flushes dynamic entries from the FDB; only said, never shown. */
  fdbFlush: [c.IFLA_BR_FDB_FLUSH, flag],
  /** Where STP packets are sent. Default 01:80:c2:00:00:00. */
  groupAddress: [c.IFLA_BR_GROUP_ADDR, hardwareAddress],
  /** Router port towards the host: 0 never, 1 if one is heard of (default), 2 always. */
  multicastRouter: [c.IFLA_BR_MCAST_ROUTER, u8],
  /** Multicasts go only where IGMP and MLD say. Default true. */
  multicastSnooping: [c.IFLA_BR_MCAST_SNOOPING, bool8],
  /** Queries have the bridge's address, not 0.0.0.0. Default false. */
  multicastQueryUseIfaddr: [c.IFLA_BR_MCAST_QUERY_USE_IFADDR, bool8],
  /** The bridge asks by IGMP and MLD. Default false. */
  multicastQuerier: [c.IFLA_BR_MCAST_QUERIER, bool8],
  /** Has had no effect since Linux 4.20. */
  multicastHashElasticity: [c.IFLA_BR_MCAST_HASH_ELASTICITY, u32],
  /** Most multicast groups. Default 4096. */
  multicastHashMax: [c.IFLA_BR_MCAST_HASH_MAX, u32],
  /** Queries after a leave before a group ends. Default 2. */
  multicastLastMemberCount: [c.IFLA_BR_MCAST_LAST_MEMBER_CNT, u32],
  /** Queries at the start. Default 2. */
  multicastStartupQueryCount: [c.IFLA_BR_MCAST_STARTUP_QUERY_CNT, u32],
  /** Between those. Default 1000. */
  multicastLastMemberIntervalMs: [c.IFLA_BR_MCAST_LAST_MEMBER_INTVL, clock64],
  /** Until a group without reports ends. Default 260000. */
  multicastMembershipIntervalMs: [c.IFLA_BR_MCAST_MEMBERSHIP_INTVL, clock64],
  /** Until another querier counts as gone. Default 255000. */
  multicastQuerierIntervalMs: [c.IFLA_BR_MCAST_QUERIER_INTVL, clock64],
  /** Between queries. Default 125000. */
  multicastQueryIntervalMs: [c.IFLA_BR_MCAST_QUERY_INTVL, clock64],
  /** Time to answer a query. Default 10000. */
  multicastQueryResponseIntervalMs: [c.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, clock64],
  /** Between queries at the start. Default 31250. */
  multicastStartupQueryIntervalMs: [c.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, clock64],
  /** Bridged IPv4 packets go through iptables too. Default false. */
  nfCallIptables: [c.IFLA_BR_NF_CALL_IPTABLES, bool8],
  /** Bridged IPv6 packets go through ip6tables too. Default false. */
  nfCallIp6tables: [c.IFLA_BR_NF_CALL_IP6TABLES, bool8],
  /** Bridged ARP packets go through arptables too. Default false. */
  nfCallArptables: [c.IFLA_BR_NF_CALL_ARPTABLES, bool8],
  /** VLAN of untagged frames on new ports; 0: none. Default 1. Changed only while `vlanFiltering` is off. */
  vlanDefaultPvid: [c.IFLA_BR_VLAN_DEFAULT_PVID, u16],
  /** Counters for each VLAN. Default false. */
  vlanStatsEnabled: [c.IFLA_BR_VLAN_STATS_ENABLED, bool8],
  /** Those also for each port. Default false; only while there are no ports with VLANs. */
  vlanStatsPerPort: [c.IFLA_BR_VLAN_STATS_PER_PORT, bool8],
  /** Counters of IGMP and MLD. Default false. */
  multicastStatsEnabled: [c.IFLA_BR_MCAST_STATS_ENABLED, bool8],
  /** 2 (default) or 3. */
  multicastIgmpVersion: [c.IFLA_BR_MCAST_IGMP_VERSION, u8],
  /** 1 (default) or 2. */
  multicastMldVersion: [c.IFLA_BR_MCAST_MLD_VERSION, u8],
  /**
   * `noLinkLocalLearn`: no FDB entries of link-local frames. `multicastVlanSnooping`: snooping for each VLAN (Linux ≥
   * 5.15). `mst`: spanning trees for groups of VLANs (Linux ≥ 5.18). `mdbOffloadFailNotification`: it is told of groups that a
   * card cannot forward by itself (Linux ≥ 6.16). `fdbLocalVlan0`: own addresses are in the FDB once, not for each VLAN; only
   * beside `vlanFiltering: true` (Linux ≥ 6.18). Default false.
   */
  switches: [c.IFLA_BR_MULTI_BOOLOPT, bridgeSwitches],
  /** The querier that the bridge has heard of. */
  multicastQuerierState: [c.IFLA_BR_MCAST_QUERIER_STATE, readOnly(querierState)],
  /** Learned entries that are in the FDB. */
  fdbLearned: [c.IFLA_BR_FDB_N_LEARNED, readOnly(u32)],
  /** Most of them; 0 (default): no limit. Linux ≥ 6.7. */
  fdbMaxLearned: [c.IFLA_BR_FDB_MAX_LEARNED, u32],
})

const vlanFiltering = { config: 'CONFIG_BRIDGE_VLAN_FILTERING' }
const multicast = { config: 'CONFIG_BRIDGE_IGMP_SNOOPING' }

export const bridge = linkKind({
  options: bridgeOptions,
  config: 'CONFIG_BRIDGE',
  needs: {
    vlanFiltering, vlanProtocol: vlanFiltering, vlanDefaultPvid: vlanFiltering, vlanStatsEnabled: vlanFiltering,
    vlanStatsPerPort: vlanFiltering,
    multicastRouter: multicast, multicastSnooping: multicast, multicastQuerier: multicast, multicastQueryUseIfaddr: multicast,
    fdbMaxLearned: { since: '6.7' },
    switches: {
      within: {
        multicastVlanSnooping: { since: '5.15' }, mst: { ...vlanFiltering, since: '5.18' }, mdbOffloadFailNotification: { since: '6.16' },
        fdbLocalVlan0: { since: '6.18' },
      },
    },
  },
})

/** BR_STATE_*, linux/if_bridge.h. */
const portStates = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

export const bridgePortOptions = attributes({
  /** `disabled`, `listening`, `learning`, `forwarding`, `blocking`; not with `stp`, and the link has to be up. */
  state: [c.IFLA_BRPORT_STATE, named(u8, portStates)],
  /** With STP, lower is rather the one that forwards: 0 to 63. Default 32. */
  priority: [c.IFLA_BRPORT_PRIORITY, u16],
  /** With STP, of the way by this port: 1 to 65535. Default by the link's speed. */
  cost: [c.IFLA_BRPORT_COST, u32],
  /** Frames may go back where they came from. Default false. */
  hairpin: [c.IFLA_BRPORT_MODE, bool8],
  /** STP packets that come in disable the port. Default false. */
  guard: [c.IFLA_BRPORT_GUARD, bool8],
  /** With STP, never the way to the root. Default false. */
  rootBlock: [c.IFLA_BRPORT_PROTECT, bool8],
  /** A leave of IGMP or MLD ends a group at once. Default false. */
  fastLeave: [c.IFLA_BRPORT_FAST_LEAVE, bool8],
  /** Senders' addresses go into the FDB. Default true. */
  learning: [c.IFLA_BRPORT_LEARNING, bool8],
  /** Takes unicasts to addresses that are not in the FDB. Default true. */
  flood: [c.IFLA_BRPORT_UNICAST_FLOOD, bool8],
  /** Answers ARP for those behind it. Default false. */
  proxyArp: [c.IFLA_BRPORT_PROXYARP, bool8],
  /** The same, as IEEE 802.11 wants it. Default false. */
  proxyArpWifi: [c.IFLA_BRPORT_PROXYARP_WIFI, bool8],
  rootId: [c.IFLA_BRPORT_ROOT_ID, bridgeId],
  bridgeId: [c.IFLA_BRPORT_BRIDGE_ID, bridgeId],
  designatedPort: [c.IFLA_BRPORT_DESIGNATED_PORT, readOnly(u16)],
  designatedCost: [c.IFLA_BRPORT_DESIGNATED_COST, readOnly(u16)],
  id: [c.IFLA_BRPORT_ID, readOnly(u16)],
  number: [c.IFLA_BRPORT_NO, readOnly(u16)],
  topologyChangeAck: [c.IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, readOnly(bool8)],
  configPending: [c.IFLA_BRPORT_CONFIG_PENDING, readOnly(bool8)],
  messageAgeTimerMs: [c.IFLA_BRPORT_MESSAGE_AGE_TIMER, readOnly(clock64)],
  forwardDelayTimerMs: [c.IFLA_BRPORT_FORWARD_DELAY_TIMER, readOnly(clock64)],
  holdTimerMs: [c.IFLA_BRPORT_HOLD_TIMER, readOnly(clock64)],
  /** `true` flushes dynamic entries of the port from the FDB; only said, never shown. */
  fdbFlush: [c.IFLA_BRPORT_FLUSH, flag],
  /** Multicast router behind it: 0 never, 1 if one is heard of (default), 2 always, 3 for a while. */
  multicastRouter: [c.IFLA_BRPORT_MULTICAST_ROUTER, u8],
  /** Takes multicasts to groups that are not in the multicast database. Default true. */
  multicastFlood: [c.IFLA_BRPORT_MCAST_FLOOD, bool8],
  /** Multicasts go to each listener as unicasts. Default false. */
  multicastToUnicast: [c.IFLA_BRPORT_MCAST_TO_UCAST, bool8],
  /** VLANs are mapped to tunnel keys, and back. Default false. */
  vlanTunnel: [c.IFLA_BRPORT_VLAN_TUNNEL, bool8],
  /** Takes broadcasts. Default true. */
  broadcastFlood: [c.IFLA_BRPORT_BCAST_FLOOD, bool8],
  /** Bits of link-local addresses (01:80:c2:00:00:0X) that are forwarded nevertheless. Default 0. */
  groupForwardMask: [c.IFLA_BRPORT_GROUP_FWD_MASK, u16],
  /** Answers ARP and NDP for neighbours that the bridge knows, and does not take them. Default false. */
  neighSuppress: [c.IFLA_BRPORT_NEIGH_SUPPRESS, bool8],
  /** Reaches ports that are not isolated, and no others. Default false. */
  isolated: [c.IFLA_BRPORT_ISOLATED, bool8],
  /** The port that frames go to while this one has no carrier: another one of the bridge; 0: none. */
  backupPort: [c.IFLA_BRPORT_BACKUP_PORT, linkIndex],
  mrpRingOpen: [c.IFLA_BRPORT_MRP_RING_OPEN, readOnly(bool8)],
  mrpInOpen: [c.IFLA_BRPORT_MRP_IN_OPEN, readOnly(bool8)],
  /** Most hosts that IGMPv3 and MLDv2 are tracked of. Default 512. Linux ≥ 5.12. */
  multicastEhtHostsLimit: [c.IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, u32],
  multicastEhtHostsCount: [c.IFLA_BRPORT_MCAST_EHT_HOSTS_CNT, readOnly(u32)],
  /** Takes frames of those senders only that the FDB has at this port. Default false. Linux ≥ 5.18. */
  locked: [c.IFLA_BRPORT_LOCKED, bool8],
  /** Others get a locked entry in the FDB, for whoever may let them in. Default false. Linux ≥ 6.2. */
  macAuthBypass: [c.IFLA_BRPORT_MAB, bool8],
  multicastGroups: [c.IFLA_BRPORT_MCAST_N_GROUPS, readOnly(u32)],
  /** Most multicast groups behind it; 0 (default): no limit. Linux ≥ 6.3. */
  multicastMaxGroups: [c.IFLA_BRPORT_MCAST_MAX_GROUPS, u32],
  /** `neighSuppress` for each VLAN. Default false. Linux ≥ 6.4. */
  neighVlanSuppress: [c.IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, bool8],
  /** The nexthop that frames go by through `backupPort`, which is a vxlan; 0 (default): none. Linux ≥ 6.6. */
  backupNexthopId: [c.IFLA_BRPORT_BACKUP_NHID, u32],
})

/** Options of ports that not every kernel has. */
export const bridgePortNeeds: { [K in keyof typeof bridgePortOptions.entries]?: Requirement } = {
  multicastRouter: multicast, multicastEhtHostsLimit: { ...multicast, since: '5.12' }, locked: { since: '5.18' },
  macAuthBypass: { since: '6.2' }, multicastMaxGroups: { ...multicast, since: '6.3' }, neighVlanSuppress: { since: '6.4' },
  backupNexthopId: { since: '6.6', hidden: 0 },
}
