/** Every name of an IP protocol that iptables takes and prints: more than nft has. Source: IANA "Protocol Numbers". */
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import type { Protocol } from '../protocols.ts'
import { parseNumber } from './values.ts'
import type { Kind } from './values.ts'

/** As Debian's /etc/protocols has them, which is what iptables prints there. The first name of a number is printed. */
const numbers: Readonly<Record<string, number>> = {
  icmp: 1, igmp: 2, ggp: 3, ipencap: 4, st: 5, tcp: 6, egp: 8, igp: 9, pup: 12, udp: 17, hmp: 20, 'xns-idp': 22, rdp: 27,
  'iso-tp4': 29, dccp: 33, xtp: 36, ddp: 37, 'idpr-cmtp': 38, ipv6: 41, 'ipv6-route': 43, 'ipv6-frag': 44, idrp: 45, rsvp: 46,
  gre: 47, esp: 50, ah: 51, skip: 57, 'ipv6-icmp': 58, icmpv6: 58, 'ipv6-nonxt': 59, 'ipv6-opts': 60, rspf: 73, vmtp: 81,
  eigrp: 88, ospf: 89, 'ax.25': 93, ipip: 94, etherip: 97, encap: 98, pim: 103, ipcomp: 108, vrrp: 112, l2tp: 115, isis: 124,
  sctp: 132, fc: 133, 'mobility-header': 135, 'ipv6-mh': 135, mh: 135, udplite: 136, 'mpls-in-ip': 137, manet: 138, hip: 139,
  shim6: 140, wesp: 141, rohc: 142, ethernet: 143,
}
const names = new Map(Object.entries(numbers).reverse().map(([name, number]) => [number, name]))

export function protocolNumber(protocol: Protocol): number {
  if (typeof protocol === 'number' && Number.isInteger(protocol) && protocol > 0 && protocol < 256) return protocol
  const number = typeof protocol === 'string' ? protocolNumberOf(protocol) : undefined
  if (number !== undefined) return number
  const accepted = Object.keys(numbers)
  throw new InvalidArgumentError('protocol', protocol,
    `a number from 1 to 255 or one of ${accepted.join(', ')}${didYouMean(protocol, accepted)}`)
}

/** From a name or the digits of a number from 1 to 255. */
export function protocolNumberOf(text: string): number | undefined {
  const name = text.toLowerCase()
  if (Object.hasOwn(numbers, name)) return numbers[name]
  const number = parseNumber(text)
  return number > 0 && number < 256 ? number : undefined
}

/** Printed as its number. */
export const protocol: Kind<number, number | string> = {
  words: 1,
  accepted: 'a number from 1 to 255 or the name of a protocol',
  parse: protocolNumberOf,
  format: String,
  type: String,
}

/** Its name, or its number as text. */
export function protocolName(number: number): string {
  return names.get(number) ?? String(number)
}
