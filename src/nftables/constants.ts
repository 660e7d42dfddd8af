/** Constants of nf_tables, named as in the kernel headers and checked against them by a test. */

// linux/netfilter/nfnetlink.h
export const NFNL_SUBSYS_NFTABLES = 10
export const NFNL_MSG_BATCH_BEGIN = 0x10
export const NFNL_MSG_BATCH_END = 0x11
export const NFNL_BATCH_GENID = 1
export const NFNETLINK_V0 = 0

// linux/netfilter.h
export const NFPROTO_INET = 1
export const NFPROTO_IPV4 = 2
export const NFPROTO_ARP = 3
export const NFPROTO_NETDEV = 5
export const NFPROTO_BRIDGE = 7
export const NFPROTO_IPV6 = 10
export const NF_INET_PRE_ROUTING = 0
export const NF_INET_LOCAL_IN = 1
export const NF_INET_FORWARD = 2
export const NF_INET_LOCAL_OUT = 3
export const NF_INET_POST_ROUTING = 4
export const NF_INET_INGRESS = 5
export const NF_DROP = 0
export const NF_ACCEPT = 1
export const NF_STOLEN = 2
export const NF_QUEUE = 3
export const NF_REPEAT = 4

// linux/netfilter_ipv4.h: what priority a base chain of iptables has; lower runs earlier
export const NF_IP_PRI_RAW = -300
export const NF_IP_PRI_MANGLE = -150
export const NF_IP_PRI_NAT_DST = -100
export const NF_IP_PRI_FILTER = 0
export const NF_IP_PRI_SECURITY = 50
export const NF_IP_PRI_NAT_SRC = 100

// linux/netfilter/nf_tables.h: messages
export const NFT_MSG_NEWTABLE = 0
export const NFT_MSG_GETTABLE = 1
export const NFT_MSG_DELTABLE = 2
export const NFT_MSG_NEWCHAIN = 3
export const NFT_MSG_GETCHAIN = 4
export const NFT_MSG_DELCHAIN = 5
export const NFT_MSG_NEWRULE = 6
export const NFT_MSG_GETRULE = 7
export const NFT_MSG_DELRULE = 8
export const NFT_MSG_NEWGEN = 15
export const NFT_MSG_GETGEN = 16

// limits
export const NFT_NAME_MAXLEN = 256
export const NFT_USERDATA_MAXLEN = 256

// registers and verdicts
export const NFT_REG_VERDICT = 0
export const NFT_REG_1 = 1
export const NFT_REG_2 = 2
export const NFT_REG_3 = 3
export const NFT_REG_4 = 4
export const NFT_CONTINUE = -1
export const NFT_BREAK = -2
export const NFT_JUMP = -3
export const NFT_GOTO = -4
export const NFT_RETURN = -5

// generation
export const NFTA_GEN_ID = 1
export const NFTA_GEN_PROC_PID = 2
export const NFTA_GEN_PROC_NAME = 3

// tables
export const NFTA_TABLE_NAME = 1
export const NFTA_TABLE_FLAGS = 2
export const NFTA_TABLE_USE = 3
export const NFTA_TABLE_HANDLE = 4
export const NFTA_TABLE_USERDATA = 6
export const NFTA_TABLE_OWNER = 7
export const NFT_TABLE_F_DORMANT = 0x1
export const NFT_TABLE_F_OWNER = 0x2

// chains
export const NFTA_CHAIN_TABLE = 1
export const NFTA_CHAIN_HANDLE = 2
export const NFTA_CHAIN_NAME = 3
export const NFTA_CHAIN_HOOK = 4
export const NFTA_CHAIN_POLICY = 5
export const NFTA_CHAIN_USE = 6
export const NFTA_CHAIN_TYPE = 7
export const NFTA_CHAIN_COUNTERS = 8
export const NFTA_CHAIN_FLAGS = 10
export const NFTA_CHAIN_ID = 11
export const NFTA_CHAIN_USERDATA = 12
export const NFT_CHAIN_BASE = 0x1
export const NFT_CHAIN_HW_OFFLOAD = 0x2
export const NFT_CHAIN_BINDING = 0x4
export const NFTA_HOOK_HOOKNUM = 1
export const NFTA_HOOK_PRIORITY = 2
export const NFTA_HOOK_DEV = 3
export const NFTA_HOOK_DEVS = 4
export const NFTA_DEVICE_NAME = 1

// rules
export const NFTA_LIST_ELEM = 1
export const NFTA_RULE_TABLE = 1
export const NFTA_RULE_CHAIN = 2
export const NFTA_RULE_HANDLE = 3
export const NFTA_RULE_EXPRESSIONS = 4
export const NFTA_RULE_COMPAT = 5
export const NFTA_RULE_POSITION = 6
export const NFTA_RULE_USERDATA = 7
export const NFTA_RULE_ID = 9
export const NFTA_RULE_POSITION_ID = 10
export const NFTA_RULE_CHAIN_ID = 11
export const NFTA_RULE_COMPAT_PROTO = 1
export const NFTA_RULE_COMPAT_FLAGS = 2
export const NFT_RULE_COMPAT_F_INV = 0x2

// expressions
export const NFTA_EXPR_NAME = 1
export const NFTA_EXPR_DATA = 2
export const NFTA_DATA_VALUE = 1
export const NFTA_DATA_VERDICT = 2
export const NFTA_VERDICT_CODE = 1
export const NFTA_VERDICT_CHAIN = 2
export const NFTA_VERDICT_CHAIN_ID = 3
export const NFTA_IMMEDIATE_DREG = 1
export const NFTA_IMMEDIATE_DATA = 2
export const NFTA_META_DREG = 1
export const NFTA_META_KEY = 2
export const NFTA_META_SREG = 3
export const NFTA_PAYLOAD_DREG = 1
export const NFTA_PAYLOAD_BASE = 2
export const NFTA_PAYLOAD_OFFSET = 3
export const NFTA_PAYLOAD_LEN = 4
export const NFTA_PAYLOAD_SREG = 5
export const NFTA_PAYLOAD_CSUM_TYPE = 6
export const NFTA_PAYLOAD_CSUM_OFFSET = 7
export const NFTA_PAYLOAD_CSUM_FLAGS = 8
export const NFTA_CMP_SREG = 1
export const NFTA_CMP_OP = 2
export const NFTA_CMP_DATA = 3
export const NFTA_RANGE_SREG = 1
export const NFTA_RANGE_OP = 2
export const NFTA_RANGE_FROM_DATA = 3
export const NFTA_RANGE_TO_DATA = 4
export const NFTA_BITWISE_SREG = 1
export const NFTA_BITWISE_DREG = 2
export const NFTA_BITWISE_LEN = 3
export const NFTA_BITWISE_MASK = 4
export const NFTA_BITWISE_XOR = 5
export const NFTA_BITWISE_OP = 6
export const NFTA_BITWISE_DATA = 7
export const NFTA_BYTEORDER_SREG = 1
export const NFTA_BYTEORDER_DREG = 2
export const NFTA_BYTEORDER_OP = 3
export const NFTA_BYTEORDER_LEN = 4
export const NFTA_BYTEORDER_SIZE = 5
export const NFTA_LOOKUP_SET = 1
export const NFTA_LOOKUP_SREG = 2
export const NFTA_LOOKUP_DREG = 3
export const NFTA_LOOKUP_SET_ID = 4
export const NFTA_LOOKUP_FLAGS = 5
export const NFT_LOOKUP_F_INV = 0x1
export const NFTA_CT_DREG = 1
export const NFTA_CT_KEY = 2
export const NFTA_CT_DIRECTION = 3
export const NFTA_CT_SREG = 4
export const NFTA_COUNTER_BYTES = 1
export const NFTA_COUNTER_PACKETS = 2
export const NFTA_LIMIT_RATE = 1
export const NFTA_LIMIT_UNIT = 2
export const NFTA_LIMIT_BURST = 3
export const NFTA_LIMIT_TYPE = 4
export const NFTA_LIMIT_FLAGS = 5
export const NFT_LIMIT_F_INV = 0x1
export const NFTA_LOG_GROUP = 1
export const NFTA_LOG_PREFIX = 2
export const NFTA_LOG_SNAPLEN = 3
export const NFTA_LOG_QTHRESHOLD = 4
export const NFTA_LOG_LEVEL = 5
export const NFTA_LOG_FLAGS = 6
export const NFTA_REJECT_TYPE = 1
export const NFTA_REJECT_ICMP_CODE = 2
export const NFTA_NAT_TYPE = 1
export const NFTA_NAT_FAMILY = 2
export const NFTA_NAT_REG_ADDR_MIN = 3
export const NFTA_NAT_REG_ADDR_MAX = 4
export const NFTA_NAT_REG_PROTO_MIN = 5
export const NFTA_NAT_REG_PROTO_MAX = 6
export const NFTA_NAT_FLAGS = 7
export const NFTA_MASQ_FLAGS = 1
export const NFTA_MASQ_REG_PROTO_MIN = 2
export const NFTA_MASQ_REG_PROTO_MAX = 3
export const NFTA_REDIR_REG_PROTO_MIN = 1
export const NFTA_REDIR_REG_PROTO_MAX = 2
export const NFTA_REDIR_FLAGS = 3
export const NFTA_QUEUE_NUM = 1
export const NFTA_QUEUE_TOTAL = 2
export const NFTA_QUEUE_FLAGS = 3
export const NFTA_OBJREF_IMM_TYPE = 1
export const NFTA_OBJREF_IMM_NAME = 2
export const NFTA_OBJREF_SET_SREG = 3
export const NFTA_OBJREF_SET_NAME = 4
export const NFTA_OBJREF_SET_ID = 5
export const NFTA_FIB_DREG = 1
export const NFTA_FIB_RESULT = 2
export const NFTA_FIB_FLAGS = 3
export const NFTA_RT_DREG = 1
export const NFTA_RT_KEY = 2
export const NFTA_FLOW_TABLE_NAME = 1

// linux/netfilter/nf_tables_compat.h: iptables' extensions inside nf_tables
export const NFTA_TARGET_NAME = 1
export const NFTA_TARGET_REV = 2
export const NFTA_TARGET_INFO = 3
export const NFTA_MATCH_NAME = 1
export const NFTA_MATCH_REV = 2
export const NFTA_MATCH_INFO = 3

// linux/netfilter/nf_nat.h
export const NF_NAT_RANGE_MAP_IPS = 0x1
export const NF_NAT_RANGE_PROTO_SPECIFIED = 0x2
export const NF_NAT_RANGE_PROTO_RANDOM = 0x4
export const NF_NAT_RANGE_PERSISTENT = 0x8
export const NF_NAT_RANGE_PROTO_RANDOM_FULLY = 0x10

// linux/netfilter/xt_*.h
export const XT_CONNTRACK_STATE = 1
export const XT_CONNTRACK_STATE_ALIAS = 8192
export const XT_CHECKSUM_OP_FILL = 1
export const XT_TCP_INV_SRCPT = 0x1
export const XT_TCP_INV_DSTPT = 0x2
export const XT_TCP_INV_FLAGS = 0x4
export const XT_TCP_INV_OPTION = 0x8
export const XT_UDP_INV_SRCPT = 0x1
export const XT_UDP_INV_DSTPT = 0x2
export const XT_MAX_COMMENT_LEN = 256
