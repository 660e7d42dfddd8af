/** Message types of rtnetlink, filters of dumps, address families. */

// linux/rtnetlink.h: messages
export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_SETLINK = 19
export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22
export const RTM_NEWROUTE = 24
export const RTM_DELROUTE = 25
export const RTM_GETROUTE = 26
export const RTM_NEWRULE = 32
export const RTM_DELRULE = 33
export const RTM_GETRULE = 34
export const RTM_GETMULTICAST = 58
export const RTM_GETANYCAST = 62
export const RTM_NEWNSID = 88
export const RTM_GETNSID = 90
export const RTM_NEWNEXTHOP = 104
export const RTM_DELNEXTHOP = 105
export const RTM_GETNEXTHOP = 106
export const RTM_NEWNEXTHOPBUCKET = 116
export const RTM_GETNEXTHOPBUCKET = 118
export const RTM_NEWLINKPROP = 108
export const RTM_DELLINKPROP = 109
export const RTM_NEWTUNNEL = 120
export const RTM_DELTUNNEL = 121
export const RTM_GETTUNNEL = 122

// linux/net_namespace.h
export const NETNSA_NSID = 1
export const NETNSA_FD = 3

// linux/rtnetlink.h: filters of dumps
export const RTEXT_FILTER_VF = 1
export const RTEXT_FILTER_SKIP_STATS = 8

// linux/socket.h
export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_BRIDGE = 7
export const AF_INET6 = 10
