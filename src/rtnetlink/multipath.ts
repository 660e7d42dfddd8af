/** Gateways, and the next hops of a route that has several. Source: ip-route(8) "nexthop", rtnetlink(7), linux/rtnetlink.h. */
import { isOn } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { isIPv4, isIPv6 } from '../ip.ts'
import { ip, s32, u16, u8 } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { decodeEncap, encapData, encapType, encodeEncap } from './encap.ts'
import type { Encap } from './encap.ts'
import { bitNames } from './names.ts'
import { realms } from './realms.ts'
import type { Realms } from './realms.ts'

/** One way of several. */
export interface NextHop {
  /** The gateway; one of IPv6 may serve an IPv4 route. */
  via?: string | undefined
  /** Of the link that packets leave by. */
  index?: number | undefined
  /** Share of the packets, 1 (the default) to 256. */
  weight?: number | undefined
  /** The gateway is on the link, whatever the addresses say. */
  onLink?: boolean | undefined
  /** The gateway is to be looked up itself. Kept by the kernel, and not used. */
  pervasive?: boolean | undefined
  /** IPv4 only. */
  realms?: Realms | undefined
  encap?: Encap | undefined
  /** `dead`, `linkdown`, …: only read. Given back, it is passed over. */
  flags?: string[] | undefined
}

const hopNames = ['via', 'index', 'link', 'weight', 'onLink', 'pervasive', 'realms', 'encap', 'flags']

/** RTNH_F_*, as ip(8) prints them. */
export const hopFlags: readonly (readonly [number, string])[] = [
  [c.RTNH_F_DEAD, 'dead'], [c.RTNH_F_ONLINK, 'onlink'], [c.RTNH_F_PERVASIVE, 'pervasive'], [c.RTNH_F_OFFLOAD, 'offload'],
  [c.RTNH_F_TRAP, 'trap'], [c.RTNH_F_LINKDOWN, 'linkdown'], [c.RTNH_F_UNRESOLVED, 'unresolved'],
]
const stateFlags = hopFlags.filter(([bit]) => bit !== c.RTNH_F_ONLINK && bit !== c.RTNH_F_PERVASIVE)

/** struct rtvia, a gateway of another family than the route's: a family, then an address of that family. */
export const otherFamily: Codec<string> = {
  size: 2,
  encode(writer, value, parent) {
    const at = writer.reserve(2)
    ip.encode(writer, value, parent)
    writer.buffer.writeUInt16LE(writer.length - at === 6 ? c.AF_INET : c.AF_INET6, at)
  },
  decode: (bytes, start, end, parent) => ip.decode(bytes, start + 2, end, parent),
}

const rtnexthop = struct({ length: u16, flags: u8, hops: u8, index: s32 })
const hopAttributes = attributes({
  via: [c.RTA_GATEWAY, ip],
  otherVia: [c.RTA_VIA, otherFamily],
  realms: [c.RTA_FLOW, realms],
  encapType: [c.RTA_ENCAP_TYPE, encapType],
  encap: [c.RTA_ENCAP, encapData],
})

/** One of RTA_MULTIPATH: a struct rtnexthop with attributes of its own behind it. */
export interface WireHop {
  flags: number
  weight: number
  index: number
  attributes: TableValues<typeof hopAttributes>
}

export const wireHops: Codec<WireHop[]> = {
  encode(writer, hops) {
    for (const { flags, weight, index, attributes } of hops) {
      const start = writer.length
      rtnexthop.encode(writer, { flags, hops: weight - 1, index })
      hopAttributes.encode(writer, attributes)
      writer.buffer.writeUInt16LE(writer.length - start, start)
    }
  },
  decode(bytes, start, end) {
    const hops: WireHop[] = []
    for (let at = start; at + rtnexthop.size <= end;) {
      const { length, flags, hops: others, index } = rtnexthop.decode(bytes, at)
      if (length < rtnexthop.size || at + length > end) break
      hops.push({ flags, weight: others + 1, index, attributes: hopAttributes.decode(bytes, at + rtnexthop.size, at + length) })
      at += (length + 3) & ~3
    }
    return hops
  },
}

/** `family` is the route's. Throws for what makes no sense; `field` is where the hops stand. */
export function encodeHops(hops: readonly NextHop[], family: 4 | 6, field = 'multipath'): WireHop[] {
  if (!Array.isArray(hops) || hops.length === 0) throw new InvalidArgumentError(field, hops, 'an array of next hops')
  return hops.map((hop: NextHop, position) => {
    const at = `${field}[${position}]`
    checkFields(hop, hopNames, `a next hop, at ${at}`)
    const { via, index = 0, weight = 1, onLink, pervasive, realms, encap } = hop
    if (!Number.isInteger(weight) || weight < 1 || weight > 256) throw new InvalidArgumentError(`${at}.weight`, weight, 'weights from 1 to 256')
    if (realms !== undefined && family === 6) throw new InvalidArgumentError(`${at}.realms`, realms, 'nothing in a route to IPv6')
    return {
      flags: (isOn(`${at}.onLink`, onLink) ? c.RTNH_F_ONLINK : 0) | (isOn(`${at}.pervasive`, pervasive) ? c.RTNH_F_PERVASIVE : 0),
      weight, index,
      attributes: { ...gateway(via, family, `${at}.via`), realms, ...encodeEncap(encap, `${at}.encap`) },
    }
  })
}

export function decodeHop({ flags, weight, index, attributes }: WireHop): NextHop {
  const { otherVia, via = otherVia, realms, encapType, encap } = attributes
  const states = bitNames(stateFlags, flags)
  return {
    via, index, weight,
    onLink: (flags & c.RTNH_F_ONLINK) !== 0,
    ...((flags & c.RTNH_F_PERVASIVE) !== 0 ? { pervasive: true } : {}),
    ...(realms === undefined ? {} : { realms }),
    ...(encap === undefined ? {} : { encap: decodeEncap({ encapType, encap }) }),
    ...(states.length > 0 ? { flags: states } : {}),
  }
}

/** A gateway of the other family, IPv6 for an IPv4 route, has an attribute of its own (RFC 5549). */
export function gateway(via: string | undefined, family: 4 | 6, field = 'via'): { via?: string, otherVia?: string } {
  if (via === undefined) return {}
  const is4 = typeof via === 'string' && isIPv4(via)
  const is6 = !is4 && typeof via === 'string' && isIPv6(via) && !via.includes('%')
  if (family === 6 && !is6) throw new InvalidArgumentError(field, via, 'an IPv6 address, in a route to IPv6')
  if (!is4 && !is6) throw new InvalidArgumentError(field, via, 'an IPv4 or IPv6 address')
  return (family === 4) === is4 ? { via } : { otherVia: via }
}
