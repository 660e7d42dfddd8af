/** The route that the kernel would take. Source: ip-route(8) "get", linux/rtnetlink.h. */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { parsePrefix } from '../ip.ts'
import { change } from '../netlink/message.ts'
import type { AnyRequest } from '../netlink/message.ts'
import * as c from './constants.ts'
import { families } from './families.ts'
import { ipProtocols } from './names.ts'
import type { IpProtocol } from './names.ts'
import { routeMessage } from './route-message.ts'

/** The packet whose way is asked for. */
export interface RouteLookup {
  /** Source address. With `inputIndex`, that of a packet that comes in. */
  from?: string
  /** The link that the packet comes in by: it is forwarded, or is for this host. */
  inputIndex?: number
  /** The link that it is to leave by, or a VRF. */
  index?: number
  /** Firewall mark. */
  mark?: number
  /** 0 to 252, the lower two bits 0: IPv4's TOS or DS field. IPv6 (traffic class): since Linux 6.14 with `flowLabel`. */
  tos?: number
  /** 0 to 1048575; IPv6 only, Linux 6.14. */
  flowLabel?: number
  /** Of the socket's user. */
  uid?: number
  /** `tcp`, `udp`, … or 1 to 255. */
  ipProto?: IpProtocol
  /** Source port, with `ipProto`. */
  sport?: number
  /** Destination port, with `ipProto`. */
  dport?: number
  /** The route as it stands in the table, not what comes of it for this destination. Linux 4.19 (IPv4), 5.0 (IPv6). */
  fibMatch?: boolean
}

const names = ['from', 'iif', 'oif', 'vrf', 'mark', 'tos', 'flowLabel', 'uid', 'ipProto', 'sport', 'dport', 'fibMatch', 'inputIndex', 'index']

export function getRoute(destination: string, lookup: RouteLookup = {}): AnyRequest {
  checkFields(lookup, names, 'what a route is looked up by')
  const parsed = typeof destination === 'string' ? parsePrefix(destination) : undefined
  if (parsed === undefined || destination.includes('/')) {
    throw new InvalidArgumentError('destination', destination, 'an IPv4 or IPv6 address')
  }
  const { from, inputIndex, index, mark, tos, flowLabel, uid, ipProto, sport, dport, fibMatch = false } = lookup
  const { family } = parsed
  const source = typeof from === 'string' ? parsePrefix(from) : undefined
  if (from !== undefined && (source?.family !== family || from.includes('/'))) {
    throw new InvalidArgumentError('from', from, `an IPv${family} address`)
  }
  if (tos !== undefined && !(Number.isInteger(tos) && tos >= 0 && tos <= 252 && tos % 4 === 0)) {
    throw new InvalidArgumentError('tos', tos, 'a multiple of 4 from 0 to 252')
  }
  if (flowLabel !== undefined && !(Number.isInteger(flowLabel) && flowLabel >= 0 && flowLabel < 1 << 20)) {
    throw new InvalidArgumentError('flowLabel', flowLabel, 'an integer from 0 to 1048575')
  }
  if (flowLabel !== undefined && family === 4) throw new InvalidArgumentError('flowLabel', flowLabel, 'nothing with an IPv4 address')
  if (typeof fibMatch !== 'boolean') throw new InvalidArgumentError('fibMatch', fibMatch, 'true or false')
  for (const [name, port] of [['sport', sport], ['dport', dport]] as const) {
    if (port !== undefined && ipProto === undefined) throw new InvalidArgumentError(name, port, 'nothing without ipProto')
  }
  return change({
    type: c.RTM_GETROUTE, flags: 0, format: routeMessage,
    header: {
      family: families[family], destinationLength: parsed.prefix, sourceLength: source?.prefix, tos,
      // Without it the answer for IPv4 always names the main table; that for IPv6 does not need it, nor accept it.
      flags: (family === 4 ? c.RTM_F_LOOKUP_TABLE : 0) | (fibMatch ? c.RTM_F_FIB_MATCH : 0),
    },
    attributes: {
      destination: parsed.address, from: source?.address, index, inputIndex, mark, uid, sport, dport, flowLabel,
      ipProto: ipProto === undefined ? undefined : ipProtocols.number(ipProto, 'ipProto'),
    },
    operation: `get route to ${destination}`,
  })
}
