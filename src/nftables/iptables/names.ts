/** What iptables calls the numbers in its structs, for writing and reading. */

/** XT_CONNTRACK_STATE_* of linux/netfilter/xt_conntrack.h, in the order in which iptables prints them. */
export const conntrackStates = {
  INVALID: 1 << 0,
  NEW: 1 << 3,
  RELATED: 1 << 2,
  ESTABLISHED: 1 << 1,
  UNTRACKED: 1 << 8,
  SNAT: 1 << 6,
  DNAT: 1 << 7,
} as const
export type ConntrackState = keyof typeof conntrackStates

/** enum ipt_reject_with, enum ip6t_reject_with. */
export const rejectCodes = {
  ip: {
    'icmp-net-unreachable': 0,
    'icmp-host-unreachable': 1,
    'icmp-proto-unreachable': 2,
    'icmp-port-unreachable': 3,
    'icmp-net-prohibited': 5,
    'icmp-host-prohibited': 6,
    'tcp-reset': 7,
    'icmp-admin-prohibited': 8,
  },
  ip6: {
    'icmp6-no-route': 0,
    'icmp6-adm-prohibited': 1,
    'icmp6-addr-unreachable': 3,
    'icmp6-port-unreachable': 4,
    'tcp-reset': 6,
    'icmp6-policy-fail': 7,
    'icmp6-reject-route': 8,
  },
} as const
export type RejectWith = keyof (typeof rejectCodes)['ip'] | keyof (typeof rejectCodes)['ip6']

/** XT_ADDRTYPE_* of linux/netfilter/xt_addrtype.h by bit. */
export const addressTypes = [
  'UNSPEC', 'UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'BLACKHOLE', 'UNREACHABLE', 'PROHIBIT', 'THROW',
  'NAT', 'XRESOLVE',
] as const

/** TCP's flags by bit. */
export const tcpFlags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const

/** The base chains of iptables' tables, in its order of printing. */
export const builtinChains: Readonly<Record<string, readonly string[]>> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
}
