/** Every match, by the name of `-m`. */
import { comment } from './comment.ts'
import { connbytes } from './connbytes.ts'
import { helper } from './connections.ts'
import { conntrack, state } from './conntrack.ts'
import { bpf, string, u32 } from './contents.ts'
import { dccp } from './dccp.ts'
import { hashlimit } from './hashlimit.ts'
import { addrtype, dscp, ecn, hl, iprange, length, pkttype, tcpmss, tos, ttl } from './header.ts'
import { icmp, icmp6 } from './icmp.ts'
import { ah, esp, ipcomp } from './ipsec.ts'
import { connlimit, limit, quota, statistic } from './limits.ts'
import { cgroup, devgroup, mac, osf, owner, physdev, realm, rpfilter, socket } from './origin.ts'
import { connmark, mark } from './marks.ts'
import { multiport, tcp, udp } from './ports.ts'
import { recent } from './recent.ts'
import { sctp } from './sctp.ts'
import { set } from './set.ts'
import { cpu, time } from './time.ts'

export const matches = {
  addrtype, ah, bpf, cgroup, comment, connbytes, connlimit, connmark, conntrack, cpu, dccp, devgroup, dscp, ecn, esp, hashlimit,
  helper, hl, icmp, icmp6, ipcomp, iprange, length, limit, mac, mark, multiport, osf, owner, physdev, pkttype, quota, realm,
  recent, rpfilter, sctp, set, socket, state, statistic, string, tcp, tcpmss, time, tos, ttl, u32, udp,
} as const
export type Matches = typeof matches
export type MatchName = keyof Matches
