/** Constants of iptables' extensions inside nf_tables. */

// linux/netfilter/nf_tables_compat.h
export const NFNL_MSG_COMPAT_GET = 0
export const NFT_COMPAT_NAME_MAX = 32
export const NFTA_COMPAT_NAME = 1
export const NFTA_COMPAT_REV = 2
export const NFTA_COMPAT_TYPE = 3
export const NFTA_TARGET_NAME = 1
export const NFTA_TARGET_REV = 2
export const NFTA_TARGET_INFO = 3
export const NFTA_MATCH_NAME = 1
export const NFTA_MATCH_REV = 2
export const NFTA_MATCH_INFO = 3
