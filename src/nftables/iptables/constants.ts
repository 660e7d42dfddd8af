/** Constants of iptables' extensions, named as in the kernel headers and checked against them by a test. */

// linux/netfilter/nf_nat.h: beyond those in ../constants.ts
export const NF_NAT_RANGE_PROTO_OFFSET = 0x20
export const NF_NAT_RANGE_NETMAP = 0x40

// linux/netfilter/xt_conntrack.h
export const XT_CONNTRACK_STATE = 0x1
export const XT_CONNTRACK_PROTO = 0x2
export const XT_CONNTRACK_ORIGSRC = 0x4
export const XT_CONNTRACK_ORIGDST = 0x8
export const XT_CONNTRACK_REPLSRC = 0x10
export const XT_CONNTRACK_REPLDST = 0x20
export const XT_CONNTRACK_STATUS = 0x40
export const XT_CONNTRACK_EXPIRES = 0x80
export const XT_CONNTRACK_ORIGSRC_PORT = 0x100
export const XT_CONNTRACK_ORIGDST_PORT = 0x200
export const XT_CONNTRACK_REPLSRC_PORT = 0x400
export const XT_CONNTRACK_REPLDST_PORT = 0x800
export const XT_CONNTRACK_DIRECTION = 0x1000
export const XT_CONNTRACK_STATE_ALIAS = 0x2000

// linux/netfilter/xt_CHECKSUM.h, xt_comment.h
export const XT_CHECKSUM_OP_FILL = 1
export const XT_MAX_COMMENT_LEN = 256

// linux/netfilter/xt_tcpudp.h, xt_sctp.h, xt_multiport.h, xt_esp.h
export const XT_TCP_INV_SRCPT = 0x1
export const XT_TCP_INV_DSTPT = 0x2
export const XT_TCP_INV_FLAGS = 0x4
export const XT_TCP_INV_OPTION = 0x8
export const XT_UDP_INV_SRCPT = 0x1
export const XT_UDP_INV_DSTPT = 0x2
export const XT_SCTP_SRC_PORTS = 0x1
export const XT_SCTP_DEST_PORTS = 0x2
export const XT_SCTP_CHUNK_TYPES = 0x4
export const XT_NUM_SCTP_FLAGS = 4
export const SCTP_CHUNK_MATCH_ANY = 0x1
export const SCTP_CHUNK_MATCH_ALL = 0x2
export const SCTP_CHUNK_MATCH_ONLY = 0x4
export const XT_MULTIPORT_SOURCE = 0
export const XT_MULTIPORT_DESTINATION = 1
export const XT_MULTIPORT_EITHER = 2
export const XT_MULTI_PORTS = 15
export const XT_ESP_INV_SPI = 0x1

// linux/netfilter/xt_addrtype.h
export const XT_ADDRTYPE_INVERT_SOURCE = 0x1
export const XT_ADDRTYPE_INVERT_DEST = 0x2
export const XT_ADDRTYPE_LIMIT_IFACE_IN = 0x4
export const XT_ADDRTYPE_LIMIT_IFACE_OUT = 0x8

// linux/netfilter/xt_limit.h, xt_hashlimit.h, xt_connlimit.h, xt_statistic.h, xt_quota.h
export const XT_LIMIT_SCALE = 10000
export const XT_HASHLIMIT_SCALE_v2 = 1000000
export const XT_HASHLIMIT_BYTE_SHIFT = 4
export const XT_HASHLIMIT_HASH_DIP = 0x1
export const XT_HASHLIMIT_HASH_DPT = 0x2
export const XT_HASHLIMIT_HASH_SIP = 0x4
export const XT_HASHLIMIT_HASH_SPT = 0x8
export const XT_HASHLIMIT_INVERT = 0x10
export const XT_HASHLIMIT_BYTES = 0x20
export const XT_HASHLIMIT_RATE_MATCH = 0x40
export const XT_CONNLIMIT_INVERT = 0x1
export const XT_CONNLIMIT_DADDR = 0x2
export const XT_STATISTIC_MODE_RANDOM = 0
export const XT_STATISTIC_MODE_NTH = 1
export const XT_STATISTIC_INVERT = 0x1
export const XT_QUOTA_INVERT = 0x1

// linux/netfilter/xt_recent.h
export const XT_RECENT_CHECK = 0x1
export const XT_RECENT_SET = 0x2
export const XT_RECENT_UPDATE = 0x4
export const XT_RECENT_REMOVE = 0x8
export const XT_RECENT_TTL = 0x10
export const XT_RECENT_REAP = 0x20
export const XT_RECENT_SOURCE = 0
export const XT_RECENT_DEST = 1
export const XT_RECENT_NAME_LEN = 200

// linux/netfilter/xt_iprange.h, xt_owner.h, xt_physdev.h, xt_socket.h, xt_rpfilter.h
export const IPRANGE_SRC = 0x1
export const IPRANGE_DST = 0x2
export const IPRANGE_SRC_INV = 0x10
export const IPRANGE_DST_INV = 0x20
export const XT_OWNER_UID = 0x1
export const XT_OWNER_GID = 0x2
export const XT_OWNER_SOCKET = 0x4
export const XT_OWNER_SUPPL_GROUPS = 0x8
export const XT_PHYSDEV_OP_IN = 0x1
export const XT_PHYSDEV_OP_OUT = 0x2
export const XT_PHYSDEV_OP_BRIDGED = 0x4
export const XT_PHYSDEV_OP_ISIN = 0x8
export const XT_PHYSDEV_OP_ISOUT = 0x10
export const XT_SOCKET_TRANSPARENT = 0x1
export const XT_SOCKET_NOWILDCARD = 0x2
export const XT_SOCKET_RESTORESKMARK = 0x4
export const XT_RPFILTER_LOOSE = 0x1
export const XT_RPFILTER_VALID_MARK = 0x2
export const XT_RPFILTER_ACCEPT_LOCAL = 0x4
export const XT_RPFILTER_INVERT = 0x8

// linux/netfilter/xt_devgroup.h, xt_string.h, xt_ecn.h
export const XT_DEVGROUP_MATCH_SRC = 0x1
export const XT_DEVGROUP_INVERT_SRC = 0x2
export const XT_DEVGROUP_MATCH_DST = 0x4
export const XT_DEVGROUP_INVERT_DST = 0x8
export const XT_STRING_MAX_PATTERN_SIZE = 128
export const XT_STRING_FLAG_INVERT = 0x1
export const XT_STRING_FLAG_IGNORECASE = 0x2
export const IPT_ECN_OP_MATCH_IP = 0x1
export const IPT_ECN_OP_MATCH_ECE = 0x10
export const IPT_ECN_OP_MATCH_CWR = 0x20

// linux/netfilter_ipv6/ip6t_ah.h, whose first is that of ipt_ah.h too; linux/netfilter/xt_ipcomp.h
export const IP6T_AH_INV_SPI = 0x1
export const IP6T_AH_INV_LEN = 0x2
export const XT_IPCOMP_INV_SPI = 0x1

// linux/netfilter_ipv6/ip6t_opts.h, ip6t_frag.h, ip6t_rt.h, ip6t_mh.h, ip6t_srh.h
export const IP6T_OPTS_OPTSNR = 16
export const IP6T_OPTS_LEN = 0x1
export const IP6T_OPTS_OPTS = 0x2
export const IP6T_OPTS_INV_LEN = 0x1
export const IP6T_FRAG_IDS = 0x1
export const IP6T_FRAG_LEN = 0x2
export const IP6T_FRAG_RES = 0x4
export const IP6T_FRAG_FST = 0x8
export const IP6T_FRAG_MF = 0x10
export const IP6T_FRAG_NMF = 0x20
export const IP6T_FRAG_INV_IDS = 0x1
export const IP6T_FRAG_INV_LEN = 0x2
export const IP6T_RT_HOPS = 16
export const IP6T_RT_TYP = 0x1
export const IP6T_RT_SGS = 0x2
export const IP6T_RT_LEN = 0x4
export const IP6T_RT_RES = 0x8
export const IP6T_RT_FST = 0x10
export const IP6T_RT_FST_NSTRICT = 0x20
export const IP6T_RT_INV_TYP = 0x1
export const IP6T_RT_INV_SGS = 0x2
export const IP6T_RT_INV_LEN = 0x4
export const IP6T_MH_INV_TYPE = 0x1
export const IP6T_SRH_NEXTHDR = 0x1
export const IP6T_SRH_LEN_EQ = 0x2
export const IP6T_SRH_LEN_GT = 0x4
export const IP6T_SRH_LEN_LT = 0x8
export const IP6T_SRH_SEGS_EQ = 0x10
export const IP6T_SRH_SEGS_GT = 0x20
export const IP6T_SRH_SEGS_LT = 0x40
export const IP6T_SRH_LAST_EQ = 0x80
export const IP6T_SRH_LAST_GT = 0x100
export const IP6T_SRH_LAST_LT = 0x200
export const IP6T_SRH_TAG = 0x400
export const IP6T_SRH_PSID = 0x800
export const IP6T_SRH_NSID = 0x1000
export const IP6T_SRH_LSID = 0x2000

// linux/netfilter/xt_policy.h, xt_rateest.h
export const XT_POLICY_MAX_ELEM = 4
export const XT_POLICY_MATCH_IN = 0x1
export const XT_POLICY_MATCH_OUT = 0x2
export const XT_POLICY_MATCH_NONE = 0x4
export const XT_POLICY_MATCH_STRICT = 0x8
export const XT_RATEEST_MATCH_EQ = 1
export const XT_RATEEST_MATCH_LT = 2
export const XT_RATEEST_MATCH_GT = 3
export const XT_RATEEST_MATCH_INVERT = 0x1
export const XT_RATEEST_MATCH_ABS = 0x2
export const XT_RATEEST_MATCH_REL = 0x4
export const XT_RATEEST_MATCH_DELTA = 0x8
export const XT_RATEEST_MATCH_BPS = 0x10
export const XT_RATEEST_MATCH_PPS = 0x20

// linux/netfilter/xt_connlabel.h, xt_cluster.h, xt_ipvs.h, nfnetlink_acct.h
export const XT_CONNLABEL_MAXBIT = 127
export const XT_CONNLABEL_OP_INVERT = 0x1
export const XT_CONNLABEL_OP_SET = 0x2
export const XT_CLUSTER_F_INV = 0x1
export const XT_CLUSTER_NODES_MAX = 32
export const XT_IPVS_IPVS_PROPERTY = 0x1
export const XT_IPVS_PROTO = 0x2
export const XT_IPVS_VADDR = 0x4
export const XT_IPVS_VPORT = 0x8
export const XT_IPVS_DIR = 0x10
export const XT_IPVS_METHOD = 0x20
export const XT_IPVS_VPORTCTL = 0x40
export const NFACCT_NAME_MAX = 32

// linux/netfilter/xt_dccp.h
export const XT_DCCP_SRC_PORTS = 0x1
export const XT_DCCP_DEST_PORTS = 0x2
export const XT_DCCP_TYPE = 0x4
export const XT_DCCP_OPTION = 0x8

// linux/netfilter/xt_time.h
export const XT_TIME_LOCAL_TZ = 0x1
export const XT_TIME_CONTIGUOUS = 0x2
export const XT_TIME_ALL_MONTHDAYS = 0xfffffffe
export const XT_TIME_ALL_WEEKDAYS = 0xfe
export const XT_TIME_MIN_DAYTIME = 0
export const XT_TIME_MAX_DAYTIME = 86399

// linux/netfilter/xt_u32.h, xt_bpf.h
export const XT_U32_MAXSIZE = 10
export const XT_BPF_MAX_NUM_INSTR = 64
export const XT_BPF_MODE_BYTECODE = 0
export const XT_BPF_MODE_PATH_PINNED = 1

// linux/netfilter/xt_cgroup.h, nfnetlink_osf.h
export const XT_CGROUP_PATH_MAX = 512
export const MAXGENRELEN = 32
export const NF_OSF_TTL = 0x2
export const NF_OSF_LOG = 0x4
export const NF_OSF_INVERT = 0x8

// linux/netfilter/xt_connmark.h
export const XT_CONNMARK_SET = 0
export const XT_CONNMARK_SAVE = 1
export const XT_CONNMARK_RESTORE = 2

// linux/netfilter/xt_CT.h
export const XT_CT_NOTRACK = 0x1
export const XT_CT_NOTRACK_ALIAS = 0x2
export const XT_CT_ZONE_DIR_ORIG = 0x4
export const XT_CT_ZONE_DIR_REPL = 0x8
export const XT_CT_ZONE_MARK = 0x10

// linux/netfilter/xt_LOG.h, xt_NFLOG.h, xt_NFQUEUE.h, xt_TCPMSS.h
export const XT_LOG_TCPSEQ = 0x1
export const XT_LOG_TCPOPT = 0x2
export const XT_LOG_IPOPT = 0x4
export const XT_LOG_UID = 0x8
export const XT_LOG_MACDECODE = 0x20
export const XT_NFLOG_F_COPY_LEN = 0x1
export const NFQ_FLAG_BYPASS = 0x1
export const NFQ_FLAG_CPU_FANOUT = 0x2
export const XT_TCPMSS_CLAMP_PMTU = 0xffff

// linux/netfilter/xt_CONNSECMARK.h, xt_SECMARK.h, xt_AUDIT.h
export const CONNSECMARK_SAVE = 1
export const CONNSECMARK_RESTORE = 2
export const SECMARK_MODE_SEL = 0x1
export const SECMARK_SECCTX_MAX = 256
export const XT_AUDIT_TYPE_ACCEPT = 0
export const XT_AUDIT_TYPE_DROP = 1
export const XT_AUDIT_TYPE_REJECT = 2

// linux/netfilter/xt_HMARK.h: numbers of bits
export const XT_HMARK_SADDR_MASK = 0
export const XT_HMARK_DADDR_MASK = 1
export const XT_HMARK_SPI = 2
export const XT_HMARK_SPI_MASK = 3
export const XT_HMARK_SPORT = 4
export const XT_HMARK_DPORT = 5
export const XT_HMARK_SPORT_MASK = 6
export const XT_HMARK_DPORT_MASK = 7
export const XT_HMARK_PROTO_MASK = 8
export const XT_HMARK_RND = 9
export const XT_HMARK_MODULUS = 10
export const XT_HMARK_OFFSET = 11
export const XT_HMARK_CT = 12

// linux/netfilter/xt_IDLETIMER.h, xt_SYNPROXY.h
export const MAX_IDLETIMER_LABEL_SIZE = 28
export const XT_IDLETIMER_ALARM = 0x1
export const XT_SYNPROXY_OPT_MSS = 0x1
export const XT_SYNPROXY_OPT_WSCALE = 0x2
export const XT_SYNPROXY_OPT_SACK_PERM = 0x4
export const XT_SYNPROXY_OPT_TIMESTAMP = 0x8
export const XT_SYNPROXY_OPT_ECN = 0x10

// linux/netfilter_ipv4/ipt_ECN.h, ipt_CLUSTERIP.h
export const IPT_ECN_OP_SET_IP = 0x1
export const IPT_ECN_OP_SET_ECE = 0x10
export const IPT_ECN_OP_SET_CWR = 0x20
export const CLUSTERIP_MAX_NODES = 16
export const CLUSTERIP_FLAG_NEW = 0x1

// linux/netfilter/ipset/ip_set.h
export const IPSET_PROTOCOL = 7
export const IPSET_MAXNAMELEN = 32
export const IPSET_CMD_GET_BYNAME = 14
export const IPSET_CMD_GET_BYINDEX = 15
export const IPSET_ATTR_PROTOCOL = 1
export const IPSET_ATTR_SETNAME = 2
export const IPSET_ATTR_FAMILY = 5
export const IPSET_ATTR_INDEX = 11
export const IPSET_INVALID_ID = 65535
export const IPSET_DIM_MAX = 6
export const IPSET_INV_MATCH = 0x1
export const IPSET_FLAG_EXIST = 0x1
export const IPSET_FLAG_SKIP_COUNTER_UPDATE = 0x8
export const IPSET_FLAG_SKIP_SUBCOUNTER_UPDATE = 0x10
export const IPSET_FLAG_RETURN_NOMATCH = 0x80
export const IPSET_FLAG_MAP_SKBMARK = 0x100
export const IPSET_FLAG_MAP_SKBPRIO = 0x200
export const IPSET_FLAG_MAP_SKBQUEUE = 0x400
export const IPSET_COUNTER_NONE = 0
export const IPSET_COUNTER_EQ = 1
export const IPSET_COUNTER_NE = 2
export const IPSET_COUNTER_LT = 3
export const IPSET_COUNTER_GT = 4
