/** Every match, by the name of `-m`. */
import { comment } from './comment.ts'
import { connbytes } from './connbytes.ts'
import { helper } from './connections.ts'
import { conntrack, state } from './conntrack.ts'
import { string } from './contents.ts'
import { hashlimit } from './hashlimit.ts'
import { addrtype, dscp, ecn, hl, iprange, length, pkttype, tcpmss, tos, ttl } from './header.ts'
import { icmp, icmp6 } from './icmp.ts'
import { ah, esp } from './ipsec.ts'
import { connlimit, limit, quota, statistic } from './limits.ts'
import { cgroup, cpu, devgroup, mac, owner, physdev, realm, rpfilter, socket } from './origin.ts'
import { connmark, mark } from './marks.ts'
import { multiport, tcp, udp } from './ports.ts'
import { recent } from './recent.ts'
import { sctp } from './sctp.ts'

export const matches = {
  addrtype, ah, cgroup, comment, connbytes, connlimit, connmark, conntrack, cpu, devgroup, dscp, ecn, esp, hashlimit, helper, hl, icmp,
  icmp6, iprange, length, limit, mac, mark, multiport, owner, physdev, pkttype, quota, realm, recent, rpfilter, sctp, socket, state,
  statistic, string, tcp, tcpmss, tos, ttl, udp,
} as const
export type Matches = typeof matches
export type MatchName = keyof Matches
