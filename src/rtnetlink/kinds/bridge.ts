/** Bridges and their ports. Source: ip-link(8) "BRIDGE Type Support", bridge(8), linux/if_link.h. */
import { bool32, bool8, counter64, hardwareAddress, ip, named, readOnly, scaled, u16, u32, u8 } from '../../netlink/codecs.ts'
import { switches } from '../../netlink/flags.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkIndex, linkKind } from './kind.ts'
import { vlanProtocol } from './vlan-protocol.ts'

/** Timers stand in USER_HZ, hundredths of a second. */
const clock32 = scaled(u32, 10)
const clock64 = scaled(counter64, 10)

/** struct ifla_bridge_id, as brctl prints it: `8000.525400123456`. */
const bridgeId = readOnly<string>({
  size: 8,
  encode: () => {},
  decode: (bytes, start) => `${bytes.toString('hex', start, start + 2)}.${bytes.toString('hex', start + 2, start + 8)}`,
})

/** They share one attribute, struct br_boolopt_multi. */
const bridgeSwitches = switches({
  noLinkLocalLearn: 1 << c.BR_BOOLOPT_NO_LL_LEARN,
  multicastVlanSnooping: 1 << c.BR_BOOLOPT_MCAST_VLAN_SNOOPING,
  mst: 1 << c.BR_BOOLOPT_MST_ENABLE,
})

/** Another querier that the bridge has heard of, for IPv4 and IPv6. */
const querierState = attributes({
  address: [c.BRIDGE_QUERIER_IP_ADDRESS, ip],
  port: [c.BRIDGE_QUERIER_IP_PORT, u32],
  otherTimerMs: [c.BRIDGE_QUERIER_IP_OTHER_TIMER, clock64],
  address6: [c.BRIDGE_QUERIER_IPV6_ADDRESS, ip],
  port6: [c.BRIDGE_QUERIER_IPV6_PORT, u32],
  otherTimer6Ms: [c.BRIDGE_QUERIER_IPV6_OTHER_TIMER, clock64],
})

export const bridgeOptions = attributes({
  forwardDelayMs: [c.IFLA_BR_FORWARD_DELAY, clock32],
  helloTimeMs: [c.IFLA_BR_HELLO_TIME, clock32],
  maxAgeMs: [c.IFLA_BR_MAX_AGE, clock32],
  ageingTimeMs: [c.IFLA_BR_AGEING_TIME, clock32],
  stp: [c.IFLA_BR_STP_STATE, bool32],
  priority: [c.IFLA_BR_PRIORITY, u16],
  vlanFiltering: [c.IFLA_BR_VLAN_FILTERING, bool8],
  vlanProtocol: [c.IFLA_BR_VLAN_PROTOCOL, vlanProtocol],
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
  groupAddress: [c.IFLA_BR_GROUP_ADDR, hardwareAddress],
  multicastRouter: [c.IFLA_BR_MCAST_ROUTER, u8],
  multicastSnooping: [c.IFLA_BR_MCAST_SNOOPING, bool8],
  multicastQueryUseIfaddr: [c.IFLA_BR_MCAST_QUERY_USE_IFADDR, bool8],
  multicastQuerier: [c.IFLA_BR_MCAST_QUERIER, bool8],
  multicastHashElasticity: [c.IFLA_BR_MCAST_HASH_ELASTICITY, u32],
  multicastHashMax: [c.IFLA_BR_MCAST_HASH_MAX, u32],
  multicastLastMemberCount: [c.IFLA_BR_MCAST_LAST_MEMBER_CNT, u32],
  multicastStartupQueryCount: [c.IFLA_BR_MCAST_STARTUP_QUERY_CNT, u32],
  multicastLastMemberIntervalMs: [c.IFLA_BR_MCAST_LAST_MEMBER_INTVL, clock64],
  multicastMembershipIntervalMs: [c.IFLA_BR_MCAST_MEMBERSHIP_INTVL, clock64],
  multicastQuerierIntervalMs: [c.IFLA_BR_MCAST_QUERIER_INTVL, clock64],
  multicastQueryIntervalMs: [c.IFLA_BR_MCAST_QUERY_INTVL, clock64],
  multicastQueryResponseIntervalMs: [c.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, clock64],
  multicastStartupQueryIntervalMs: [c.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, clock64],
  nfCallIptables: [c.IFLA_BR_NF_CALL_IPTABLES, bool8],
  nfCallIp6tables: [c.IFLA_BR_NF_CALL_IP6TABLES, bool8],
  nfCallArptables: [c.IFLA_BR_NF_CALL_ARPTABLES, bool8],
  vlanDefaultPvid: [c.IFLA_BR_VLAN_DEFAULT_PVID, u16],
  vlanStatsEnabled: [c.IFLA_BR_VLAN_STATS_ENABLED, bool8],
  vlanStatsPerPort: [c.IFLA_BR_VLAN_STATS_PER_PORT, bool8],
  multicastStatsEnabled: [c.IFLA_BR_MCAST_STATS_ENABLED, bool8],
  multicastIgmpVersion: [c.IFLA_BR_MCAST_IGMP_VERSION, u8],
  multicastMldVersion: [c.IFLA_BR_MCAST_MLD_VERSION, u8],
  switches: [c.IFLA_BR_MULTI_BOOLOPT, bridgeSwitches],
  multicastQuerierState: [c.IFLA_BR_MCAST_QUERIER_STATE, readOnly(querierState)],
  fdbLearned: [c.IFLA_BR_FDB_N_LEARNED, readOnly(u32)],
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
  },
})

/** BR_STATE_*, linux/if_bridge.h. */
const portStates = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

export const bridgePortOptions = attributes({
  state: [c.IFLA_BRPORT_STATE, named(u8, portStates)],
  priority: [c.IFLA_BRPORT_PRIORITY, u16],
  cost: [c.IFLA_BRPORT_COST, u32],
  hairpin: [c.IFLA_BRPORT_MODE, bool8],
  guard: [c.IFLA_BRPORT_GUARD, bool8],
  rootBlock: [c.IFLA_BRPORT_PROTECT, bool8],
  fastLeave: [c.IFLA_BRPORT_FAST_LEAVE, bool8],
  learning: [c.IFLA_BRPORT_LEARNING, bool8],
  flood: [c.IFLA_BRPORT_UNICAST_FLOOD, bool8],
  proxyArp: [c.IFLA_BRPORT_PROXYARP, bool8],
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
  multicastRouter: [c.IFLA_BRPORT_MULTICAST_ROUTER, u8],
  multicastFlood: [c.IFLA_BRPORT_MCAST_FLOOD, bool8],
  multicastToUnicast: [c.IFLA_BRPORT_MCAST_TO_UCAST, bool8],
  vlanTunnel: [c.IFLA_BRPORT_VLAN_TUNNEL, bool8],
  broadcastFlood: [c.IFLA_BRPORT_BCAST_FLOOD, bool8],
  groupForwardMask: [c.IFLA_BRPORT_GROUP_FWD_MASK, u16],
  neighSuppress: [c.IFLA_BRPORT_NEIGH_SUPPRESS, bool8],
  isolated: [c.IFLA_BRPORT_ISOLATED, bool8],
  backupPort: [c.IFLA_BRPORT_BACKUP_PORT, linkIndex],
  mrpRingOpen: [c.IFLA_BRPORT_MRP_RING_OPEN, readOnly(bool8)],
  mrpInOpen: [c.IFLA_BRPORT_MRP_IN_OPEN, readOnly(bool8)],
  multicastEhtHostsLimit: [c.IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, u32],
  multicastEhtHostsCount: [c.IFLA_BRPORT_MCAST_EHT_HOSTS_CNT, readOnly(u32)],
  locked: [c.IFLA_BRPORT_LOCKED, bool8],
  macAuthBypass: [c.IFLA_BRPORT_MAB, bool8],
  multicastGroups: [c.IFLA_BRPORT_MCAST_N_GROUPS, readOnly(u32)],
  multicastMaxGroups: [c.IFLA_BRPORT_MCAST_MAX_GROUPS, u32],
  neighVlanSuppress: [c.IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, bool8],
  backupNexthopId: [c.IFLA_BRPORT_BACKUP_NHID, u32],
})
