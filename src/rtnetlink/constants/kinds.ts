/** Kinds of links other than bridges: src/rtnetlink/kinds/ has a table for each. */

// linux/if_link.h: vlan
export const IFLA_VLAN_ID = 1
export const IFLA_VLAN_FLAGS = 2
export const IFLA_VLAN_EGRESS_QOS = 3
export const IFLA_VLAN_INGRESS_QOS = 4
export const IFLA_VLAN_PROTOCOL = 5
export const IFLA_VLAN_QOS_MAPPING = 1

// linux/if_vlan.h
export const VLAN_FLAG_REORDER_HDR = 0x1
export const VLAN_FLAG_GVRP = 0x2
export const VLAN_FLAG_LOOSE_BINDING = 0x4
export const VLAN_FLAG_MVRP = 0x8
export const VLAN_FLAG_BRIDGE_BINDING = 0x10

// linux/if_link.h: macvlan
export const IFLA_MACVLAN_MODE = 1
export const IFLA_MACVLAN_FLAGS = 2
export const IFLA_MACVLAN_MACADDR_MODE = 3
export const IFLA_MACVLAN_MACADDR = 4
export const IFLA_MACVLAN_MACADDR_DATA = 5
export const IFLA_MACVLAN_MACADDR_COUNT = 6
export const IFLA_MACVLAN_BC_QUEUE_LEN = 7
export const IFLA_MACVLAN_BC_QUEUE_LEN_USED = 8
export const IFLA_MACVLAN_BC_CUTOFF = 9
export const MACVLAN_MODE_PRIVATE = 1
export const MACVLAN_MODE_VEPA = 2
export const MACVLAN_MODE_BRIDGE = 4
export const MACVLAN_MODE_PASSTHRU = 8
export const MACVLAN_MODE_SOURCE = 16
export const MACVLAN_MACADDR_ADD = 0
export const MACVLAN_MACADDR_DEL = 1
export const MACVLAN_MACADDR_FLUSH = 2
export const MACVLAN_MACADDR_SET = 3
export const MACVLAN_FLAG_NOPROMISC = 1
export const MACVLAN_FLAG_NODST = 2

// linux/if_link.h: ipvlan
export const IFLA_IPVLAN_MODE = 1
export const IFLA_IPVLAN_FLAGS = 2
export const IPVLAN_MODE_L2 = 0
export const IPVLAN_MODE_L3 = 1
export const IPVLAN_MODE_L3S = 2
export const IPVLAN_F_PRIVATE = 1
export const IPVLAN_F_VEPA = 2

// linux/if_link.h: vxlan
export const IFLA_VXLAN_ID = 1
export const IFLA_VXLAN_GROUP = 2
export const IFLA_VXLAN_LINK = 3
export const IFLA_VXLAN_LOCAL = 4
export const IFLA_VXLAN_TTL = 5
export const IFLA_VXLAN_TOS = 6
export const IFLA_VXLAN_LEARNING = 7
export const IFLA_VXLAN_AGEING = 8
export const IFLA_VXLAN_LIMIT = 9
export const IFLA_VXLAN_PORT_RANGE = 10
export const IFLA_VXLAN_PROXY = 11
export const IFLA_VXLAN_RSC = 12
export const IFLA_VXLAN_L2MISS = 13
export const IFLA_VXLAN_L3MISS = 14
export const IFLA_VXLAN_PORT = 15
export const IFLA_VXLAN_GROUP6 = 16
export const IFLA_VXLAN_LOCAL6 = 17
export const IFLA_VXLAN_UDP_CSUM = 18
export const IFLA_VXLAN_UDP_ZERO_CSUM6_TX = 19
export const IFLA_VXLAN_UDP_ZERO_CSUM6_RX = 20
export const IFLA_VXLAN_REMCSUM_TX = 21
export const IFLA_VXLAN_REMCSUM_RX = 22
export const IFLA_VXLAN_GBP = 23
export const IFLA_VXLAN_REMCSUM_NOPARTIAL = 24
export const IFLA_VXLAN_COLLECT_METADATA = 25
export const IFLA_VXLAN_LABEL = 26
export const IFLA_VXLAN_GPE = 27
export const IFLA_VXLAN_TTL_INHERIT = 28
export const IFLA_VXLAN_DF = 29
export const IFLA_VXLAN_VNIFILTER = 30
export const IFLA_VXLAN_LOCALBYPASS = 31
export const IFLA_VXLAN_LABEL_POLICY = 32
export const VXLAN_DF_UNSET = 0
export const VXLAN_DF_SET = 1
export const VXLAN_DF_INHERIT = 2
export const VXLAN_LABEL_FIXED = 0
export const VXLAN_LABEL_INHERIT = 1
export const VXLAN_VNIFILTER_ENTRY = 1
export const VXLAN_VNIFILTER_ENTRY_START = 1
export const VXLAN_VNIFILTER_ENTRY_END = 2
export const VXLAN_VNIFILTER_ENTRY_GROUP = 3
export const VXLAN_VNIFILTER_ENTRY_GROUP6 = 4
export const VXLAN_VNIFILTER_ENTRY_STATS = 5
export const VNIFILTER_ENTRY_STATS_RX_BYTES = 1
export const VNIFILTER_ENTRY_STATS_RX_PKTS = 2
export const VNIFILTER_ENTRY_STATS_RX_DROPS = 3
export const VNIFILTER_ENTRY_STATS_RX_ERRORS = 4
export const VNIFILTER_ENTRY_STATS_TX_BYTES = 5
export const VNIFILTER_ENTRY_STATS_TX_PKTS = 6
export const VNIFILTER_ENTRY_STATS_TX_DROPS = 7
export const VNIFILTER_ENTRY_STATS_TX_ERRORS = 8
export const TUNNEL_MSG_FLAG_STATS = 1

// linux/if_link.h: geneve
export const IFLA_GENEVE_ID = 1
export const IFLA_GENEVE_REMOTE = 2
export const IFLA_GENEVE_TTL = 3
export const IFLA_GENEVE_TOS = 4
export const IFLA_GENEVE_PORT = 5
export const IFLA_GENEVE_COLLECT_METADATA = 6
export const IFLA_GENEVE_REMOTE6 = 7
export const IFLA_GENEVE_UDP_CSUM = 8
export const IFLA_GENEVE_UDP_ZERO_CSUM6_TX = 9
export const IFLA_GENEVE_UDP_ZERO_CSUM6_RX = 10
export const IFLA_GENEVE_LABEL = 11
export const IFLA_GENEVE_TTL_INHERIT = 12
export const IFLA_GENEVE_DF = 13
export const IFLA_GENEVE_INNER_PROTO_INHERIT = 14
export const GENEVE_DF_UNSET = 0
export const GENEVE_DF_SET = 1
export const GENEVE_DF_INHERIT = 2

// linux/if_link.h: bond
export const IFLA_BOND_MODE = 1
export const IFLA_BOND_ACTIVE_SLAVE = 2
export const IFLA_BOND_MIIMON = 3
export const IFLA_BOND_UPDELAY = 4
export const IFLA_BOND_DOWNDELAY = 5
export const IFLA_BOND_USE_CARRIER = 6
export const IFLA_BOND_ARP_INTERVAL = 7
export const IFLA_BOND_ARP_IP_TARGET = 8
export const IFLA_BOND_ARP_VALIDATE = 9
export const IFLA_BOND_ARP_ALL_TARGETS = 10
export const IFLA_BOND_PRIMARY = 11
export const IFLA_BOND_PRIMARY_RESELECT = 12
export const IFLA_BOND_FAIL_OVER_MAC = 13
export const IFLA_BOND_XMIT_HASH_POLICY = 14
export const IFLA_BOND_RESEND_IGMP = 15
export const IFLA_BOND_NUM_PEER_NOTIF = 16
export const IFLA_BOND_ALL_SLAVES_ACTIVE = 17
export const IFLA_BOND_MIN_LINKS = 18
export const IFLA_BOND_LP_INTERVAL = 19
export const IFLA_BOND_PACKETS_PER_SLAVE = 20
export const IFLA_BOND_AD_LACP_RATE = 21
export const IFLA_BOND_AD_SELECT = 22
export const IFLA_BOND_AD_INFO = 23
export const IFLA_BOND_AD_ACTOR_SYS_PRIO = 24
export const IFLA_BOND_AD_USER_PORT_KEY = 25
export const IFLA_BOND_AD_ACTOR_SYSTEM = 26
export const IFLA_BOND_TLB_DYNAMIC_LB = 27
export const IFLA_BOND_PEER_NOTIF_DELAY = 28
export const IFLA_BOND_AD_LACP_ACTIVE = 29
export const IFLA_BOND_MISSED_MAX = 30
export const IFLA_BOND_NS_IP6_TARGET = 31
export const IFLA_BOND_COUPLED_CONTROL = 32
export const IFLA_BOND_AD_INFO_AGGREGATOR = 1
export const IFLA_BOND_AD_INFO_NUM_PORTS = 2
export const IFLA_BOND_AD_INFO_ACTOR_KEY = 3
export const IFLA_BOND_AD_INFO_PARTNER_KEY = 4
export const IFLA_BOND_AD_INFO_PARTNER_MAC = 5
export const IFLA_BOND_SLAVE_STATE = 1
export const IFLA_BOND_SLAVE_MII_STATUS = 2
export const IFLA_BOND_SLAVE_LINK_FAILURE_COUNT = 3
export const IFLA_BOND_SLAVE_PERM_HWADDR = 4
export const IFLA_BOND_SLAVE_QUEUE_ID = 5
export const IFLA_BOND_SLAVE_AD_AGGREGATOR_ID = 6
export const IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE = 7
export const IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE = 8
export const IFLA_BOND_SLAVE_PRIO = 9

// linux/if_bonding.h
export const BOND_MODE_ROUNDROBIN = 0
export const BOND_MODE_ACTIVEBACKUP = 1
export const BOND_MODE_XOR = 2
export const BOND_MODE_BROADCAST = 3
export const BOND_MODE_8023AD = 4
export const BOND_MODE_TLB = 5
export const BOND_MODE_ALB = 6
export const BOND_LINK_UP = 0
export const BOND_LINK_FAIL = 1
export const BOND_LINK_DOWN = 2
export const BOND_LINK_BACK = 3
export const BOND_STATE_ACTIVE = 0
export const BOND_STATE_BACKUP = 1
export const BOND_XMIT_POLICY_LAYER2 = 0
export const BOND_XMIT_POLICY_LAYER34 = 1
export const BOND_XMIT_POLICY_LAYER23 = 2
export const BOND_XMIT_POLICY_ENCAP23 = 3
export const BOND_XMIT_POLICY_ENCAP34 = 4
export const BOND_XMIT_POLICY_VLAN_SRCMAC = 5
export const LACP_STATE_LACP_ACTIVITY = 0x1
export const LACP_STATE_LACP_TIMEOUT = 0x2
export const LACP_STATE_AGGREGATION = 0x4
export const LACP_STATE_SYNCHRONIZATION = 0x8
export const LACP_STATE_COLLECTING = 0x10
export const LACP_STATE_DISTRIBUTING = 0x20
export const LACP_STATE_DEFAULTED = 0x40
export const LACP_STATE_EXPIRED = 0x80

// linux/if_link.h: vrf
export const IFLA_VRF_TABLE = 1
export const IFLA_VRF_PORT_TABLE = 1

// linux/if_link.h: netkit
export const IFLA_NETKIT_PEER_INFO = 1
export const IFLA_NETKIT_PRIMARY = 2
export const IFLA_NETKIT_POLICY = 3
export const IFLA_NETKIT_PEER_POLICY = 4
export const IFLA_NETKIT_MODE = 5
export const NETKIT_L2 = 0
export const NETKIT_L3 = 1
export const NETKIT_PASS = 0
export const NETKIT_DROP = 2
