/**
 * What nft inserts by itself before a match, and leaves out again when it lists: `tcp dport 22` is in the kernel
 * `meta l4proto tcp`, then the port. Source: seen with `nft --debug=netlink` (1.0.6) in each family.
 */
import { transportProtocols } from '../headers.ts'
import type { HeaderName } from '../headers.ts'
import type { Family } from '../messages.ts'

type Layer = 'link' | 'network'

/** What is known of the packet at a place of a rule, from the family and from the matches before. */
export interface Known {
  /** It has an Ethernet header. */
  ether: boolean
  network: 'ip' | 'ip6' | 'arp' | undefined
  /** Number of the transport protocol. */
  transport: number | undefined
  vlan: boolean
  /** Its link is said to be another than Ethernet. */
  otherLink?: boolean
  /** Lists of protocols that were said: after one nft inserts nothing of its layer. */
  listed?: Layer[]
  /** Type of an ICMP or ICMPv6 message: what stands behind its checksum depends on it. */
  icmpType?: number
}

export function knownOf(family: Family): Known {
  const network = family === 'ip' || family === 'ip6' || family === 'arp' ? family : undefined
  return { ether: family === 'bridge', network, transport: undefined, vlan: false }
}

/** Outside of rules. */
export const nothingKnown: Known = { ether: false, network: undefined, transport: undefined, vlan: false }

const etherTypes = { ip: 0x0800, ip6: 0x86dd, arp: 0x0806 } as const
const nfprotos = { ip: 2, ip6: 10 } as const
const networkOf: Partial<Record<HeaderName, 'ip' | 'ip6'>> = { icmp: 'ip', igmp: 'ip', icmpv6: 'ip6' }

/** Fields of ICMP messages that nft takes for a message of these types only. */
const icmpFields: Readonly<Record<string, readonly number[]>> = {
  'icmp id': [0, 8], 'icmp sequence': [0, 8], 'icmp gateway': [5], 'icmp mtu': [3],
  'icmpv6 id': [128, 129], 'icmpv6 sequence': [128, 129], 'icmpv6 mtu': [2], 'icmpv6 max-delay': [130], 'icmpv6 parameter-problem': [],
}

/** Whether nft would take the field without a further match. */
export function isSayable({ icmpType }: Known, field: string): boolean {
  const types = icmpFields[field]
  return types === undefined || (icmpType !== undefined && types.includes(icmpType))
}

export const isEther = 'iiftype ether'
export const l4proto = (number: number): string => `l4proto ${number}`
export const nfproto = (number: number): string => `nfproto ${number}`
export const protocol = (number: number): string => `protocol ${number}`
export const etherType = (number: number): string => `ether type ${number}`

/** Dependencies of a header's fields in a family. */
export function impliedBy(family: Family, header: HeaderName): string[] {
  const number = transportProtocols[header]
  if (number !== undefined) {
    const network = networkOf[header]
    // Ethernet's own type where nft looks for the network header of a transport protocol only.
    return [l4proto(number), ...(network === undefined ? [] : impliedNetwork(family, network, 'ether'))]
  }
  switch (header) {
    case 'ip': case 'ip6': case 'arp': return impliedNetwork(family, header, header === 'arp' ? 'ether' : 'meta')
    case 'vlan': return [etherType(0x8100), ...linkOf(family)]
    case 'ether': return linkOf(family)
    default: return []
  }
}

/**
 * Dependencies that nft puts at the head of a rule, not before what needs them: they can be left out only where they stand
 * there, since statements before them would else see other packets.
 */
export function atHead(names: readonly string[]): string[] {
  return names.map(name => `^${name}`)
}

/** Dependencies of what only packets of one network protocol have, e.g. IPv6 extension headers. */
export function impliedNetwork(family: Family, network: 'ip' | 'ip6' | 'arp', inBridge: 'ether' | 'meta' = 'meta'): string[] {
  if (family === 'inet' && network !== 'arp') return [nfproto(nfprotos[network])]
  if (family === 'netdev' || (family === 'bridge' && inBridge === 'meta')) return [protocol(etherTypes[network])]
  return family === 'bridge' ? [etherType(etherTypes[network])] : []
}

function linkOf(family: Family): string[] {
  return family === 'bridge' ? [] : [isEther]
}

/** What a comparison of an operand with a number says of the packet. */
export function learn(family: Family, known: Known, text: string, value: number): void {
  const byEtherType = Object.entries(etherTypes).find(([, number]) => number === value)?.[0] as Known['network']
  switch (text) {
    case 'meta l4proto': case 'ip protocol': case 'ip6 nexthdr': known.transport = value; break
    case 'meta nfproto': known.network = networkOfFamily(value) ?? known.network; break
    case 'ct l3proto': case 'ct original l3proto': case 'ct reply l3proto':
      if (family === 'inet') known.network = networkOfFamily(value) ?? known.network
      break
    case 'meta protocol': case 'vlan type': known.network = byEtherType ?? known.network; break
    case 'icmp type': case 'icmpv6 type': known.icmpType = value; break
    case 'meta iiftype':
      if (family === 'bridge') break
      known.ether = value === 1
      known.otherLink = value !== 1
      break
    case 'ether type':
      known.vlan = value === 0x8100 || value === 0x88a8
      known.network = byEtherType ?? known.network
      break
    default:
  }
}

const layers: Readonly<Record<string, Layer>> = {
  'meta iiftype': 'link', 'meta nfproto': 'network', 'meta protocol': 'network', 'ether type': 'network', 'vlan type': 'network',
  'ct l3proto': 'network', 'ct original l3proto': 'network', 'ct reply l3proto': 'network',
}

/** What a list of values of an operand says. */
export function learnList(known: Known, text: string): void {
  const layer = layers[text]
  if (layer !== undefined) known.listed = [...known.listed ?? [], layer]
}

function networkOfFamily(number: number): 'ip' | 'ip6' | undefined {
  return number === nfprotos.ip ? 'ip' : number === nfprotos.ip6 ? 'ip6' : undefined
}

/** The name under which `impliedBy` has a match, if nft might insert it by itself after what is known `before` it. */
export function dependencyOf(before: Known, text: string, value: number): string | undefined {
  const { listed = [] } = before
  const noLink = before.otherLink === true || listed.includes('link')
  const noNetwork = noLink || listed.includes('network') || before.network !== undefined
  switch (text) {
    case 'meta l4proto': return before.transport === undefined ? l4proto(value) : undefined
    case 'meta nfproto': return noNetwork ? undefined : nfproto(value)
    case 'meta protocol': return noNetwork ? undefined : protocol(value)
    case 'ether type': return etherType(value)
    case 'meta iiftype': return value === 1 && !noLink && !before.ether ? isEther : undefined
    default: return undefined
  }
}
