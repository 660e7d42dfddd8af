/**
 * A vocabulary that reads like nft(8): each word is a list of conditions and statements, and a rule is the words in order.
 *
 *   const expressions = [iifname('virbr0'), tcp.dport([53, 67]), counter(), accept()]
 *   addRule({ family: 'inet', table: 't', chain: 'c', expressions })
 *
 * Fields see to it that the packet has them: in an inet table `ip.saddr(…)` looks at the packet's family first, and
 * `tcp.dport(…)` at the transport protocol, unless an earlier word of the rule has.
 */
export * from './ct.ts'
export { ah, arp, comp, dccp, esp, ether, icmp, icmpv6, igmp, ip, ip6, payload, sctp, tcp, th, udp, udplite, vlan } from './headers.ts'
export { fib, ipsec, jhash, numgen, osf, rt, socket, symhash } from './kernel.ts'
export type { FibKey } from './kernel.ts'
export { addTo, deleteFrom, map, updateIn, vmap } from './maps.ts'
export type { DynamicOptions, Entries, MapSource } from './maps.ts'
export { gt, gte, lt, lte, masked, not } from './match.ts'
export type { Comparison, Masked, Match, NamedSet } from './match.ts'
export { iif, iifname, l4proto, mark, meta, nfproto, oif, oifname } from './meta.ts'
export { dnat, dup, fwd, masquerade, redirect, snat, tproxy } from './nat.ts'
export type { NatFlags, NatTarget, Ports } from './nat.ts'
export { exthdr, ipOption, sctpChunk, tcpOption } from './options.ts'
export type { Part, Source, Word } from './parts.ts'
export { and, concat, or, shiftLeft, shiftRight, xor } from './selector.ts'
export type { Selector, Settable } from './selector.ts'
export { counter, flowAdd, last, limit, log, notrack, queue, quota, reject, synproxy } from './statements.ts'
export type { Limit, Log, Queue, Quota, Rejection, Synproxy } from './statements.ts'
export { range } from './values.ts'
export type { Range, Scalar } from './values.ts'
export { accept, cont, drop, goto, jump, ret } from './verdicts.ts'
export type { Verdict } from './verdicts.ts'
