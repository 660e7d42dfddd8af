/** Every match, by the name of `-m`. */
import { connbytes } from './connbytes.ts'
import { conntrack, state } from './conntrack.ts'
import { addrtype, connmark, dscp, hl, iprange, length, mark, pkttype, tcpmss, tos, ttl } from './header.ts'
import { icmp, icmp6 } from './icmp.ts'
import { connlimit, hashlimit, limit, quota, statistic } from './limits.ts'
import { comment, cpu, helper, mac, owner, physdev, recent, rpfilter, socket } from './origin.ts'
import { ah, cgroup, devgroup, ecn, realm, string } from './others.ts'
import { esp, multiport, sctp, tcp, udp } from './ports.ts'

export const matches = {
  addrtype, ah, cgroup, comment, connbytes, connlimit, connmark, conntrack, cpu, devgroup, dscp, ecn, esp, hashlimit, helper, hl, icmp,
  icmp6, iprange, length, limit, mac, mark, multiport, owner, physdev, pkttype, quota, realm, recent, rpfilter, sctp, socket, state,
  statistic, string, tcp, tcpmss, tos, ttl, udp,
} as const
export type Matches = typeof matches
export type MatchName = keyof Matches
