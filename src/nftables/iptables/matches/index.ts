/** Every match, by the name of `-m`. */
import { comment } from './comment.ts'
import { connbytes } from './connbytes.ts'
import { cluster, connlabel, helper, ipvs } from './connections.ts'
import { conntrack, state } from './conntrack.ts'
import { bpf, string, u32 } from './contents.ts'
import { dccp } from './dccp.ts'
import { hashlimit } from './hashlimit.ts'
import { addrtype, dscp, ecn, hl, iprange, length, pkttype, tcpmss, tos, ttl } from './header.ts'
import { icmp, icmp6 } from './icmp.ts'
import { dst, eui64, frag, hbh, ipv6header, mh, rt } from './ip6_headers.ts'
import { ah, esp, ipcomp } from './ipsec.ts'
import { connlimit, limit, nfacct, quota, statistic } from './limits.ts'
import { connmark, mark } from './marks.ts'
import { cgroup, devgroup, mac, osf, owner, physdev, realm, rpfilter, socket } from './origin.ts'
import { policy } from './policy.ts'
import { multiport, tcp, udp } from './ports.ts'
import { rateest } from './rateest.ts'
import { recent } from './recent.ts'
import { sctp } from './sctp.ts'
import { set } from './set.ts'
import { srh } from './srh.ts'
import { cpu, time } from './time.ts'

export const matches = {
  addrtype, ah, bpf, cgroup, cluster, comment, connbytes, connlabel, connlimit, connmark, conntrack, cpu, dccp, devgroup, dscp,
  dst, ecn, esp, eui64, frag, hashlimit, hbh, helper, hl, icmp, icmp6, ipcomp, iprange, ipv6header, ipvs, length, limit, mac,
  mark, mh, multiport, nfacct, osf, owner, physdev, pkttype, policy, quota, rateest, realm, recent, rpfilter, rt, sctp, set,
  socket, srh, state, statistic, string, tcp, tcpmss, time, tos, ttl, u32, udp,
} as const
export type Matches = typeof matches
export type MatchName = keyof Matches
