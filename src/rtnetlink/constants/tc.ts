/** Traffic control: queueing disciplines, classes, filters, actions. */

// linux/rtnetlink.h
export const RTM_NEWQDISC = 36
export const RTM_DELQDISC = 37
export const RTM_GETQDISC = 38
export const RTM_NEWTCLASS = 40
export const RTM_DELTCLASS = 41
export const RTM_GETTCLASS = 42
export const RTM_NEWTFILTER = 44
export const RTM_DELTFILTER = 45
export const RTM_GETTFILTER = 46
export const TCA_KIND = 1
export const TCA_OPTIONS = 2
export const TCA_STATS = 3
export const TCA_XSTATS = 4
export const TCA_FCNT = 6
export const TCA_STATS2 = 7
export const TCA_STAB = 8
export const TCA_DUMP_INVISIBLE = 10
export const TCA_CHAIN = 11
export const TCA_HW_OFFLOAD = 12
export const TCA_INGRESS_BLOCK = 13
export const TCA_EGRESS_BLOCK = 14

// linux/pkt_sched.h
export const TC_H_UNSPEC = 0
export const TC_H_ROOT = 0xffffffff
export const TC_H_INGRESS = 0xfffffff1
export const TC_H_MIN_INGRESS = 0xfff2
export const TC_H_MIN_EGRESS = 0xfff3
export const TC_LINKLAYER_ETHERNET = 1
export const TCA_TBF_PARMS = 1
export const TCA_TBF_RTAB = 2
export const TCA_TBF_PTAB = 3
export const TCA_TBF_RATE64 = 4
export const TCA_TBF_PRATE64 = 5
export const TCA_TBF_BURST = 6
export const TCA_TBF_PBURST = 7
export const TC_HTB_PROTOVER = 3
export const TCA_HTB_PARMS = 1
export const TCA_HTB_INIT = 2
export const TCA_HTB_CTAB = 3
export const TCA_HTB_RTAB = 4
export const TCA_HTB_DIRECT_QLEN = 5
export const TCA_HTB_RATE64 = 6
export const TCA_HTB_CEIL64 = 7
export const TCA_HTB_OFFLOAD = 9
export const TCA_FQ_CODEL_TARGET = 1
export const TCA_FQ_CODEL_LIMIT = 2
export const TCA_FQ_CODEL_INTERVAL = 3
export const TCA_FQ_CODEL_ECN = 4
export const TCA_FQ_CODEL_FLOWS = 5
export const TCA_FQ_CODEL_QUANTUM = 6
export const TCA_FQ_CODEL_CE_THRESHOLD = 7
export const TCA_FQ_CODEL_DROP_BATCH_SIZE = 8
export const TCA_FQ_CODEL_MEMORY_LIMIT = 9
export const TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR = 10
export const TCA_FQ_CODEL_CE_THRESHOLD_MASK = 11

// linux/gen_stats.h
export const TCA_STATS_BASIC = 1
export const TCA_STATS_RATE_EST = 2
export const TCA_STATS_QUEUE = 3
export const TCA_STATS_APP = 4
export const TCA_STATS_RATE_EST64 = 5
export const TCA_STATS_BASIC_HW = 7
export const TCA_STATS_PKT64 = 8

// linux/pkt_cls.h: actions
export const TCA_ACT_KIND = 1
export const TCA_ACT_OPTIONS = 2
export const TCA_ACT_INDEX = 3
export const TCA_ACT_STATS = 4
export const TCA_ACT_COOKIE = 6
export const TC_ACT_UNSPEC = -1
export const TC_ACT_OK = 0
export const TC_ACT_RECLASSIFY = 1
export const TC_ACT_SHOT = 2
export const TC_ACT_PIPE = 3
export const TC_ACT_STOLEN = 4
export const TC_ACT_QUEUED = 5
export const TC_ACT_REPEAT = 6
export const TC_ACT_REDIRECT = 7
export const TC_ACT_TRAP = 8
export const TCA_POLICE_TBF = 1
export const TCA_POLICE_RATE = 2
export const TCA_POLICE_PEAKRATE = 3
export const TCA_POLICE_AVRATE = 4
export const TCA_POLICE_RESULT = 5
export const TCA_POLICE_TM = 6
export const TCA_POLICE_RATE64 = 8
export const TCA_POLICE_PEAKRATE64 = 9
export const TCA_POLICE_PKTRATE64 = 10
export const TCA_POLICE_PKTBURST64 = 11

// linux/tc_act/tc_mirred.h, linux/tc_act/tc_gact.h
export const TCA_MIRRED_TM = 1
export const TCA_MIRRED_PARMS = 2
export const TCA_EGRESS_REDIR = 1
export const TCA_EGRESS_MIRROR = 2
export const TCA_INGRESS_REDIR = 3
export const TCA_INGRESS_MIRROR = 4
export const TCA_GACT_TM = 1
export const TCA_GACT_PARMS = 2
export const TCA_GACT_PROB = 3

// linux/pkt_cls.h: filters
export const TCA_U32_CLASSID = 1
export const TCA_U32_HASH = 2
export const TCA_U32_LINK = 3
export const TCA_U32_DIVISOR = 4
export const TCA_U32_SEL = 5
export const TCA_U32_POLICE = 6
export const TCA_U32_ACT = 7
export const TCA_U32_INDEV = 8
export const TCA_U32_PCNT = 9
export const TCA_U32_MARK = 10
export const TCA_U32_FLAGS = 11
export const TC_U32_TERMINAL = 1
export const TCA_FW_CLASSID = 1
export const TCA_FW_POLICE = 2
export const TCA_FW_INDEV = 3
export const TCA_FW_ACT = 4
export const TCA_FW_MASK = 5
export const TCA_BASIC_CLASSID = 1
export const TCA_BASIC_EMATCHES = 2
export const TCA_BASIC_ACT = 3
export const TCA_BASIC_POLICE = 4
export const TCA_MATCHALL_CLASSID = 1
export const TCA_MATCHALL_ACT = 2
export const TCA_MATCHALL_FLAGS = 3
