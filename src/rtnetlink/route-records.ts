/** Routes as the kernel shows them. */
import type { Message } from '../netlink/message.ts'
import type { RawAttribute } from '../netlink/table.ts'
import * as c from './constants.ts'
import { decodeEncap } from './encap.ts'
import type { Encap } from './encap.ts'
import { decodeHop, hopFlags } from './multipath.ts'
import type { NextHop } from './multipath.ts'
import { bitNames, protocols, routeTypes, scopes } from './names.ts'
import type { RouteProtocol, RouteType, Scope } from './names.ts'
import type { Realms } from './realms.ts'
import type { RouteValues, preferences } from './route-message.ts'
import type { RouteMetrics } from './routes.ts'

/** A route as the kernel shows it. Metrics and rarer fields are there only if the route has them. */
export interface Route extends RouteMetrics {
  /** `default` or a prefix. */
  to: string
  family: 4 | 6
  /** Prefix that packets must come from; with `get`, the address that was asked for. */
  from?: string | undefined
  /** The gateway; one of IPv6 may serve an IPv4 route. */
  via: string | undefined
  /** Of the link that packets leave by. */
  index: number | undefined
  /** Preferred source address. */
  source: string | undefined
  metric: number | undefined
  table: number
  protocol: RouteProtocol
  scope: Scope
  type: RouteType | number
  tos?: number | undefined
  /** RTNH_F_* and RTM_F_*, as ip(8) prints them: `linkdown`, `onlink`, …; `cloned`: an exception, not in the table. */
  flags: string[]
  mtu: number | undefined
  advmss: number | undefined
  nexthopId: number | undefined
  /** If there are several ways. Of a nexthop object, its ways as they are now. */
  multipath: NextHop[] | undefined
  preference?: keyof typeof preferences | number | undefined
  /** What is left of it. */
  expiresMs?: number | undefined
  realms?: Realms | undefined
  encap?: Encap | undefined
  ttlPropagate?: boolean | undefined
  /** `get`: what was asked with. */
  inputIndex?: number | undefined
  mark?: number | undefined
  uid?: number | undefined
  raw?: RawAttribute[] | undefined
  /** The same among the metrics. */
  rawMetrics?: RawAttribute[] | undefined
}

const routeFlags: typeof hopFlags = [
  ...hopFlags, [c.RTM_F_NOTIFY, 'notify'], [c.RTM_F_CLONED, 'cloned'], [c.RTM_F_OFFLOAD, 'rt_offload'], [c.RTM_F_TRAP, 'rt_trap'],
  [c.RTM_F_OFFLOAD_FAILED, 'rt_offload_failed'],
]

interface Header {
  family: number
  destinationLength: number
  sourceLength: number
  tos: number
  table: number
  protocol: number
  scope: number
  type: number
  flags: number
}

export function decodeRoute(message: Message): Route {
  const header = message.header as unknown as Header
  const values = message.attributes as RouteValues
  const { destination, otherVia, via = otherVia, multipath, encap, cacheInfo, metrics } = values
  const route: Route = {
    to: destination === undefined ? 'default' : `${destination}/${header.destinationLength}`,
    family: header.family === c.AF_INET6 ? 6 : 4,
    via,
    index: values.index,
    source: values.source,
    metric: values.metric,
    table: values.table ?? header.table,
    protocol: protocols.name(header.protocol),
    scope: scopes.name(header.scope),
    type: routeTypes.name(header.type),
    flags: header.flags === 0 ? [] : bitNames(routeFlags, header.flags),
    mtu: metrics?.mtu,
    advmss: metrics?.advmss,
    nexthopId: values.nexthopId,
    multipath: multipath?.map(decodeHop),
  }
  if (metrics !== undefined) {
    const { raw, ...known } = metrics
    Object.assign(route, known, raw === undefined ? undefined : { rawMetrics: raw })
  }
  if (header.tos !== 0) route.tos = header.tos
  if (values.from !== undefined) route.from = `${values.from}/${header.sourceLength}`
  if (encap !== undefined) route.encap = decodeEncap(values)
  const { expires = 0 } = cacheInfo ?? {}
  if (expires > 0) route.expiresMs = expires * 10
  for (const name of rarer) if (values[name] !== undefined) (route as unknown as Record<string, unknown>)[name] = values[name]
  return route
}
const rarer = ['preference', 'realms', 'ttlPropagate', 'inputIndex', 'mark', 'uid', 'raw'] as const
