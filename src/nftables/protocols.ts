/** Names of IP protocols, as /etc/protocols and iptables write them. Source: IANA "Protocol Numbers". */
import { InvalidArgumentError, didYouMean } from '../errors.ts'

export const protocolNumbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  sctp: 132,
  'ipv6-mh': 135,
  udplite: 136,
}
const names = new Map(Object.entries(protocolNumbers).map(([name, number]) => [number, name]))

export type Protocol = 'tcp' | 'udp' | 'icmp' | 'ipv6-icmp' | 'sctp' | 'gre' | 'esp' | 'ah' | 'igmp' | number

export function protocolNumber(protocol: Protocol): number {
  if (typeof protocol === 'number' && Number.isInteger(protocol) && protocol > 0 && protocol < 256) return protocol
  if (typeof protocol === 'string' && Object.hasOwn(protocolNumbers, protocol)) return protocolNumbers[protocol] as number
  const accepted = Object.keys(protocolNumbers)
  throw new InvalidArgumentError('protocol', protocol,
    `a number from 1 to 255 or one of ${accepted.join(', ')}${didYouMean(protocol, accepted)}`)
}

/** Its name, or its number as text. */
export function protocolName(number: number): string {
  return names.get(number) ?? String(number)
}
