/** Names for numbers, as ip(8) has them in /etc/iproute2: scopes, routing tables, protocols, types. */
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import * as c from './constants.ts'

/** Both ways between names and numbers. A number without a name stands for itself. */
export interface Names<N extends string> {
  /** `field` is what an error names. */
  number(value: N | number, field: string): number
  name(number: number): N | number
}

export function names<const N extends Record<string, number>>(
  numbers: N, { min = 0, max = 255 }: { min?: number, max?: number } = {},
): Names<keyof N & string> {
  const byNumber = new Map(Object.entries(numbers).map(([name, number]) => [number, name as keyof N & string]))
  return {
    number(value, field) {
      if (typeof value === 'string' && Object.hasOwn(numbers, value)) return numbers[value] as number
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
      const all = Object.keys(numbers)
      const suggestion = typeof value === 'string' ? didYouMean(value, all) : ''
      throw new InvalidArgumentError(field, value, `one of ${all.join(', ')}, or ${min} to ${max}${suggestion}`)
    },
    name: number => byNumber.get(number) ?? number,
  }
}

/** Names only: the kernel takes no other numbers. */
export function onlyNames<const N extends Record<string, number>>(numbers: N): Names<keyof N & string> {
  const { name } = names(numbers)
  return {
    name,
    number(value, field) {
      if (typeof value === 'string' && Object.hasOwn(numbers, value)) return numbers[value] as number
      const all = Object.keys(numbers)
      throw new InvalidArgumentError(field, value, `one of ${all.join(', ')}${typeof value === 'string' ? didYouMean(value, all) : ''}`)
    },
  }
}

/** rt_scopes. */
export const scopes = names({
  global: c.RT_SCOPE_UNIVERSE, site: c.RT_SCOPE_SITE, link: c.RT_SCOPE_LINK, host: c.RT_SCOPE_HOST, nowhere: c.RT_SCOPE_NOWHERE,
})
/** How far an address or route reaches: a name, or 0 to 255. */
export type Scope = NameOf<typeof scopes>

/** rt_tables, as far as every host has them. */
export const tables = names({ main: c.RT_TABLE_MAIN, default: c.RT_TABLE_DEFAULT, local: c.RT_TABLE_LOCAL }, { min: 1, max: 0xffffffff })
export type TableName = NameOf<typeof tables>

/** rt_protos. */
export const protocols = names({
  redirect: c.RTPROT_REDIRECT, kernel: c.RTPROT_KERNEL, boot: c.RTPROT_BOOT, static: c.RTPROT_STATIC, gated: c.RTPROT_GATED,
  ra: c.RTPROT_RA, mrt: c.RTPROT_MRT, zebra: c.RTPROT_ZEBRA, bird: c.RTPROT_BIRD, dnrouted: c.RTPROT_DNROUTED, xorp: c.RTPROT_XORP,
  ntk: c.RTPROT_NTK, dhcp: c.RTPROT_DHCP, mrouted: c.RTPROT_MROUTED, keepalived: c.RTPROT_KEEPALIVED, babel: c.RTPROT_BABEL,
  ovn: c.RTPROT_OVN, openr: c.RTPROT_OPENR, bgp: c.RTPROT_BGP, isis: c.RTPROT_ISIS, ospf: c.RTPROT_OSPF, rip: c.RTPROT_RIP,
  eigrp: c.RTPROT_EIGRP,
})
/** Who made a route, rule or nexthop: a name, or 0 to 255. */
export type RouteProtocol = NameOf<typeof protocols>

export const routeTypes = onlyNames({
  unicast: c.RTN_UNICAST, local: c.RTN_LOCAL, broadcast: c.RTN_BROADCAST, anycast: c.RTN_ANYCAST, multicast: c.RTN_MULTICAST,
  blackhole: c.RTN_BLACKHOLE, unreachable: c.RTN_UNREACHABLE, prohibit: c.RTN_PROHIBIT, throw: c.RTN_THROW,
})
export type RouteType = Exclude<NameOf<typeof routeTypes>, number>

/** /etc/protocols, the usual ones. */
export const ipProtocols = names({
  icmp: c.IPPROTO_ICMP, tcp: c.IPPROTO_TCP, udp: c.IPPROTO_UDP, dccp: c.IPPROTO_DCCP, gre: c.IPPROTO_GRE, esp: c.IPPROTO_ESP,
  ah: c.IPPROTO_AH, 'ipv6-icmp': c.IPPROTO_ICMPV6, sctp: c.IPPROTO_SCTP, udplite: c.IPPROTO_UDPLITE,
}, { min: 1 })
/** A protocol above IP: a name, or 1 to 255. */
export type IpProtocol = NameOf<typeof ipProtocols>

type NameOf<T> = T extends Names<infer N> ? N | number : never

/** Names of bits, in the order given. */
export function bitNames(bits: readonly (readonly [bit: number, name: string])[], value: number): string[] {
  const found: string[] = []
  for (const [bit, name] of bits) if ((value & bit) !== 0) found.push(name)
  return found
}
