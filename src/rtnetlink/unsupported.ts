/** What a kernel says to what it was built without, or is too old for. Its words: net/ipv4, net/ipv6, net/core/lwtunnel.c. */
import { UnsupportedError } from '../errors.ts'
import type { VirbrError } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'

/** [in the kernel's message, what is missing]. */
const missing: readonly (readonly [RegExp, string])[] = [
  [/multipath support not enabled/i, 'CONFIG_IP_ROUTE_MULTIPATH'],
  [/requires IPV6_SUBTREES/, 'CONFIG_IPV6_SUBTREES'],
  [/CONFIG_LWTUNNEL is not enabled/, 'CONFIG_LWTUNNEL'],
  [/Reserved fields in nexthop_grp must be 0/, 'Linux 6.12, for weights above 256'],
]

const encapOptions: Record<string, string> = {
  mpls: 'CONFIG_MPLS_IPTUNNEL', ip: 'CONFIG_NET_IP_TUNNEL', ip6: 'CONFIG_IPV6', ila: 'CONFIG_IPV6_ILA', seg6: 'CONFIG_IPV6_SEG6_LWTUNNEL',
  seg6local: 'CONFIG_IPV6_SEG6_LWTUNNEL', bpf: 'CONFIG_LWTUNNEL_BPF', rpl: 'CONFIG_IPV6_RPL_LWTUNNEL', ioam6: 'CONFIG_IPV6_IOAM6_LWTUNNEL',
  xfrm: 'CONFIG_XFRM_INTERFACE',
}

/** The error itself, or UnsupportedError in its place if the kernel lacks something. `encap`: type of encapsulation that was asked for. */
export function orUnsupported(error: NetlinkError, encap?: string | number): NetlinkError | VirbrError {
  const { kernelMessage = '', operation } = error
  const known = missing.find(([words]) => words.test(kernelMessage))?.[1]
  const feature = known ?? (/lwt encapsulation type not supported/i.test(kernelMessage) ? encapOptions[String(encap)] ?? 'CONFIG_LWTUNNEL' : undefined)
  return feature === undefined ? error : lacks(operation, feature, error)
}

export function lacks(operation: string, feature: string, cause?: Error): UnsupportedError {
  const error = new UnsupportedError(feature, `${operation}: this kernel lacks ${feature}`)
  if (cause !== undefined) error.cause = cause
  return error
}
