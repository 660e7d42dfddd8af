/** linux/netfilter/nfnetlink.h, netfilter.h, nf_tables.h: messages, families, hooks, priorities, registers, verdicts. */

// linux/netfilter/nfnetlink.h
export const NFNL_SUBSYS_IPSET = 6
export const NFNL_SUBSYS_NFTABLES = 10
export const NFNL_SUBSYS_NFT_COMPAT = 11
export const NFNLGRP_NFTABLES = 7
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
export const NF_IP_PRI_CONNTRACK = -200
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
export const NFT_MSG_NEWSET = 9
export const NFT_MSG_GETSET = 10
export const NFT_MSG_DELSET = 11
export const NFT_MSG_NEWSETELEM = 12
export const NFT_MSG_GETSETELEM = 13
export const NFT_MSG_DELSETELEM = 14
export const NFT_MSG_NEWGEN = 15
export const NFT_MSG_GETGEN = 16
export const NFT_MSG_TRACE = 17
export const NFT_MSG_NEWOBJ = 18
export const NFT_MSG_GETOBJ = 19
export const NFT_MSG_DELOBJ = 20
export const NFT_MSG_GETOBJ_RESET = 21
export const NFT_MSG_NEWFLOWTABLE = 22
export const NFT_MSG_GETFLOWTABLE = 23
export const NFT_MSG_DELFLOWTABLE = 24
export const NFT_MSG_GETRULE_RESET = 25
export const NFT_MSG_DESTROYTABLE = 26
export const NFT_MSG_DESTROYCHAIN = 27
export const NFT_MSG_DESTROYRULE = 28
export const NFT_MSG_DESTROYSET = 29
export const NFT_MSG_DESTROYSETELEM = 30
export const NFT_MSG_DESTROYOBJ = 31
export const NFT_MSG_DESTROYFLOWTABLE = 32
export const NFT_MSG_GETSETELEM_RESET = 33

// limits
export const NFT_NAME_MAXLEN = 256
export const NFT_USERDATA_MAXLEN = 256
export const NFT_DATA_VALUE_MAXLEN = 64

// registers and verdicts
export const NFT_REG_VERDICT = 0
export const NFT_REG_1 = 1
export const NFT_REG_2 = 2
export const NFT_REG_3 = 3
export const NFT_REG_4 = 4
export const NFT_REG32_00 = 8
export const NFT_REG32_15 = 23
export const NFT_CONTINUE = -1
export const NFT_BREAK = -2
export const NFT_JUMP = -3
export const NFT_GOTO = -4
export const NFT_RETURN = -5

// generation
export const NFTA_GEN_ID = 1
export const NFTA_GEN_PROC_PID = 2
export const NFTA_GEN_PROC_NAME = 3
