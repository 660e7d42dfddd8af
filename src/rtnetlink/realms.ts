/** Realms of routes and rules, what tc(8) classifies by. Source: ip-route(8), linux/rtnetlink.h RTA_FLOW. CONFIG_IP_ROUTE_CLASSID. */
import { u32 } from '../netlink/codecs.ts'
import type { FixedCodec } from '../netlink/codecs.ts'

export interface Realms {
  /** Of the source, 1 to 65535; left out: none. */
  from?: number | undefined
  /** Of the destination, 0 to 65535. */
  to: number
}

const fits = (realm: unknown): boolean => Number.isInteger(realm) && (realm as number) >= 0 && (realm as number) <= 0xffff

export const realms: FixedCodec<Realms> = {
  size: 4,
  encode(writer, value, parent) {
    const { from = 0, to = 0 } = (value ?? {}) as Partial<Realms>
    const known = typeof value === 'object' && value !== null && Object.keys(value).every(name => name === 'from' || name === 'to')
    if (!known || !fits(from) || !fits(to)) writer.refuse(value, 'realms like { from: 1, to: 2 }, each 0 to 65535')
    u32.encode(writer, from * 65_536 + to, parent)
  },
  decode(bytes, start) {
    const value = bytes.readUInt32LE(start)
    return { ...(value > 0xffff ? { from: value >>> 16 } : {}), to: value & 0xffff }
  },
}
