/** Statistics beyond the counters that every link has (RTM_GETSTATS). */

// linux/rtnetlink.h
export const RTM_NEWSTATS = 92
export const RTM_GETSTATS = 94

// linux/if_link.h
export const IFLA_STATS_LINK_64 = 1
export const IFLA_STATS_LINK_XSTATS = 2
export const IFLA_STATS_LINK_XSTATS_SLAVE = 3
export const LINK_XSTATS_TYPE_BRIDGE = 1
export const LINK_XSTATS_TYPE_BOND = 2

// linux/if_bridge.h
export const BRIDGE_XSTATS_VLAN = 1
export const BRIDGE_XSTATS_MCAST = 2
export const BRIDGE_XSTATS_STP = 4

// linux/if_bonding.h
export const BOND_XSTATS_3AD = 1
export const BOND_3AD_STAT_LACPDU_RX = 0
export const BOND_3AD_STAT_LACPDU_TX = 1
export const BOND_3AD_STAT_LACPDU_UNKNOWN_RX = 2
export const BOND_3AD_STAT_LACPDU_ILLEGAL_RX = 3
export const BOND_3AD_STAT_MARKER_RX = 4
export const BOND_3AD_STAT_MARKER_TX = 5
export const BOND_3AD_STAT_MARKER_RESP_RX = 6
export const BOND_3AD_STAT_MARKER_RESP_TX = 7
export const BOND_3AD_STAT_MARKER_UNKNOWN_RX = 8
