/** Gateways, and the next hops of a route that has several. Source: ip-route(8) "nexthop", rtnetlink(7), linux/rtnetlink.h. */
import { checkFields } from '../errors.ts'
import { ip, s32, u16, u8 } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { attributes, struct } from '../netlink/table.ts'
import * as c from './constants.ts'

export interface NextHop {
  /** The gateway. */
  via?: string | undefined
  /** Of the link that packets leave by. */
  index?: number | undefined
  /** Share of the packets, 1 (the default) to 256. */
  weight?: number | undefined
  /** The gateway is on the link, whatever the addresses say. */
  onLink?: boolean | undefined
}

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
const gateways = attributes({ via: [c.RTA_GATEWAY, ip], otherVia: [c.RTA_VIA, otherFamily] })

/** RTA_MULTIPATH: for each, a struct rtnexthop with attributes of its own behind it. */
export const nextHops: Codec<(NextHop & { otherVia?: string | undefined })[]> = {
  encode(writer, hops) {
    for (const { via, otherVia, index, weight = 1, onLink } of hops) {
      if (!Number.isInteger(weight) || weight < 1 || weight > 256) writer.refuse(weight, 'weights from 1 to 256')
      const start = writer.length
      rtnexthop.encode(writer, { flags: onLink === true ? c.RTNH_F_ONLINK : 0, hops: weight - 1, index })
      gateways.encode(writer, { via, otherVia })
      writer.buffer.writeUInt16LE(writer.length - start, start)
    }
  },
  decode(bytes, start, end) {
    const hops: NextHop[] = []
    for (let at = start; at + rtnexthop.size <= end;) {
      const { length, flags, hops: others, index } = rtnexthop.decode(bytes, at)
      if (length < rtnexthop.size || at + length > end) break
      const { otherVia, via = otherVia } = gateways.decode(bytes, at + rtnexthop.size, at + length)
      hops.push({ via, index, weight: others + 1, onLink: (flags & c.RTNH_F_ONLINK) !== 0 })
      at += (length + 3) & ~3
    }
    return hops
  },
}

export function checkNextHop(hop: NextHop): void {
  checkFields(hop, ['via', 'index', 'weight', 'onLink'], 'a next hop')
}
