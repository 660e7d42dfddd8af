/** Constants of iptables' extensions inside nf_tables. */

// linux/netfilter/nf_tables_compat.h
export const NFTA_TARGET_NAME = 1
export const NFTA_TARGET_REV = 2
export const NFTA_TARGET_INFO = 3
export const NFTA_MATCH_NAME = 1
export const NFTA_MATCH_REV = 2
export const NFTA_MATCH_INFO = 3

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
