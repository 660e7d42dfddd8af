/** Encapsulation by routes (light-weight tunnels). */

// linux/lwtunnel.h
export const LWTUNNEL_ENCAP_MPLS = 1
export const LWTUNNEL_ENCAP_IP = 2
export const LWTUNNEL_ENCAP_ILA = 3
export const LWTUNNEL_ENCAP_IP6 = 4
export const LWTUNNEL_ENCAP_SEG6 = 5
export const LWTUNNEL_ENCAP_BPF = 6
export const LWTUNNEL_ENCAP_SEG6_LOCAL = 7
export const LWTUNNEL_ENCAP_RPL = 8
export const LWTUNNEL_ENCAP_IOAM6 = 9
export const LWTUNNEL_ENCAP_XFRM = 10
export const LWTUNNEL_IP_ID = 1
export const LWTUNNEL_IP_DST = 2
export const LWTUNNEL_IP_SRC = 3
export const LWTUNNEL_IP_TTL = 4
export const LWTUNNEL_IP_TOS = 5
export const LWTUNNEL_IP_FLAGS = 6
export const LWTUNNEL_IP6_ID = 1
export const LWTUNNEL_IP6_DST = 2
export const LWTUNNEL_IP6_SRC = 3
export const LWTUNNEL_IP6_HOPLIMIT = 4
export const LWTUNNEL_IP6_TC = 5
export const LWTUNNEL_IP6_FLAGS = 6

// linux/mpls_iptunnel.h
export const MPLS_IPTUNNEL_DST = 1
export const MPLS_IPTUNNEL_TTL = 2

// linux/seg6_iptunnel.h
export const SEG6_IPTUNNEL_SRH = 1
export const SEG6_IPTUN_MODE_INLINE = 0
export const SEG6_IPTUN_MODE_ENCAP = 1
export const SEG6_IPTUN_MODE_L2ENCAP = 2
export const SEG6_IPTUN_MODE_ENCAP_RED = 3
export const SEG6_IPTUN_MODE_L2ENCAP_RED = 4
