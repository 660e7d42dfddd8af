/** Routes as requests and records. Source: ip-route(8), rtnetlink(7). */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { isIPv4, isIPv6, parsePrefix } from '../ip.ts'
import { ip, raw, u32, u8 } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes } from '../netlink/table.ts'
import type { RawAttribute, TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { families, familyNumber } from './families.ts'
import { rtmsg } from './messages.ts'
import { checkNextHop, nextHops, otherFamily } from './nexthops.ts'
import type { NextHop } from './nexthops.ts'
import { scopeName, scopeNumber } from './scopes.ts'
import type { Scope } from './scopes.ts'

const routeAttributes = attributes({
  destination: [c.RTA_DST, ip],
  table: [c.RTA_TABLE, u32],
  via: [c.RTA_GATEWAY, ip],
  otherVia: [c.RTA_VIA, otherFamily],
  source: [c.RTA_PREFSRC, ip],
  index: [c.RTA_OIF, u32],
  inputIndex: [c.RTA_IIF, u32],
  metric: [c.RTA_PRIORITY, u32],
  mark: [c.RTA_MARK, u32],
  preference: [c.RTA_PREF, u8],
  nexthopId: [c.RTA_NH_ID, u32],
  metrics: [c.RTA_METRICS, attributes({ mtu: [c.RTAX_MTU, u32], advmss: [c.RTAX_ADVMSS, u32] })],
  multipath: [c.RTA_MULTIPATH, nextHops],
  cacheInfo: [c.RTA_CACHEINFO, raw],
})
export const routeMessage = { header: rtmsg, attributes: routeAttributes }
type RouteValues = TableValues<typeof routeAttributes>

const types = {
  unicast: c.RTN_UNICAST, local: c.RTN_LOCAL, broadcast: c.RTN_BROADCAST, anycast: c.RTN_ANYCAST, multicast: c.RTN_MULTICAST,
  blackhole: c.RTN_BLACKHOLE, unreachable: c.RTN_UNREACHABLE, prohibit: c.RTN_PROHIBIT, throw: c.RTN_THROW,
} as const
export type RouteType = keyof typeof types

const protocols = {
  redirect: c.RTPROT_REDIRECT, kernel: c.RTPROT_KERNEL, boot: c.RTPROT_BOOT, static: c.RTPROT_STATIC, ra: c.RTPROT_RA,
  dhcp: c.RTPROT_DHCP,
} as const
/** Who made a route: a name, or 0 to 255. */
export type RouteProtocol = keyof typeof protocols | number

const tables: Record<string, number> = { main: c.RT_TABLE_MAIN, default: c.RT_TABLE_DEFAULT, local: c.RT_TABLE_LOCAL }

/** A route as the kernel shows it. */
export interface Route {
  /** `default` or a prefix. */
  to: string
  family: 4 | 6
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
  /** RTNH_F_*: `linkdown`, `onlink`, … */
  flags: string[]
  mtu: number | undefined
  advmss: number | undefined
  nexthopId: number | undefined
  /** If there are several ways. */
  multipath: NextHop[] | undefined
  raw?: RawAttribute[] | undefined
}

export interface RouteSpec {
  /** `default`, a prefix, or an address. */
  to: string
  via?: string
  /** Of the link that packets leave by. */
  index?: number
  source?: string
  metric?: number
  /** `main`, `local`, `default`, or 1 to 2^32-1. Default: main; local for the types local, broadcast, and anycast. */
  table?: string | number
  scope?: Scope
  type?: RouteType
  /** Default: boot, as with `ip route add`. */
  protocol?: RouteProtocol
  /** The gateway is on the link, whatever the addresses say. */
  onLink?: boolean
  mtu?: number
  advmss?: number
  /** Several ways, in place of `via` and `index`. */
  multipath?: NextHop[]
  /** Needed with `to: 'default'` and no `via` for IPv6. */
  family?: 4 | 6
}

const specNames = [
  'to', 'via', 'index', 'source', 'metric', 'table', 'scope', 'type', 'protocol', 'onLink', 'mtu', 'advmss', 'multipath', 'family', 'link',
]

export function newRoute(route: RouteSpec, { replace = false }: { replace?: boolean } = {}): AnyRequest {
  return change({
    ...routeRequest(route, replace ? 'replace' : 'add'),
    type: c.RTM_NEWROUTE,
    flags: NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
  })
}

export function deleteRoute(route: RouteSpec): AnyRequest {
  const request = routeRequest(route, 'delete')
  // What is left out matches any: RT_SCOPE_NOWHERE, protocol 0, type 0.
  const { scope, type, protocol } = route
  return change({
    ...request,
    type: c.RTM_DELROUTE,
    flags: 0,
    header: {
      ...request.header,
      scope: scope === undefined ? c.RT_SCOPE_NOWHERE : scopeNumber(scope),
      type: type === undefined ? c.RTN_UNSPEC : types[type],
      protocol: protocol === undefined ? c.RTPROT_UNSPEC : protocolNumber(protocol),
    },
  })
}

function routeRequest(route: RouteSpec, verb: string): AnyRequest {
  checkFields(route, specNames, 'a route')
  const { via, index, source, metric, scope, type = 'unicast', protocol = 'boot', onLink, mtu, advmss, multipath } = route
  checkMultipath(multipath)
  const destination = parseDestination(route)
  if (!Object.hasOwn(types, type)) throw new InvalidArgumentError('type', type, `one of ${Object.keys(types).join(', ')}`)
  const table = tableNumber(route.table ?? defaultTable(type))
  return {
    type: 0,
    flags: 0,
    format: routeMessage,
    header: {
      family: families[destination.family],
      destinationLength: destination.prefix,
      // A table above 255 stands in the attribute only.
      table: table < 256 ? table : c.RT_TABLE_UNSPEC,
      protocol: protocolNumber(protocol),
      scope: scope === undefined ? defaultScope(type, via ?? multipath, destination.family) : scopeNumber(scope),
      type: types[type],
      flags: onLink === true ? c.RTNH_F_ONLINK : 0,
    },
    attributes: {
      destination: destination.prefix === 0 ? undefined : destination.address,
      table: table < 256 ? undefined : table,
      ...gateway(via, destination.family), source, index, metric,
      metrics: mtu === undefined && advmss === undefined ? undefined : { mtu, advmss },
      multipath: multipath?.map(hop => ({ ...hop, via: undefined, ...gateway(hop.via, destination.family) })),
    },
    operation: `${verb} route to ${route.to}`,
    callerNames: { 'metrics.mtu': 'mtu', 'metrics.advmss': 'advmss', otherVia: 'via' },
  }
}

function checkMultipath(hops: NextHop[] | undefined): void {
  if (hops === undefined) return
  if (!Array.isArray(hops) || hops.length === 0) throw new InvalidArgumentError('multipath', hops, 'an array of next hops')
  hops.forEach(checkNextHop)
}

function parseDestination(route: RouteSpec): { address: string, prefix: number, family: 4 | 6 } {
  const { to, multipath, via = multipath?.[0]?.via, family } = route
  if (to === 'default') return { address: '', prefix: 0, family: family ?? (typeof via === 'string' && via.includes(':') ? 6 : 4) }
  const parsed = typeof to === 'string' ? parsePrefix(to) : undefined
  if (parsed === undefined) throw new InvalidArgumentError('to', to, "'default', a prefix like 10.0.0.0/8, or an address")
  return parsed
}

/** A gateway of the other family, IPv6 for an IPv4 route, has an attribute of its own (RFC 5549). */
function gateway(via: string | undefined, family: 4 | 6): Pick<RouteValues, 'via' | 'otherVia'> {
  if (via === undefined) return {}
  const ours = typeof via === 'string' && (family === 4 ? isIPv4(via) : isIPv6(via))
  if (!ours && family === 6) throw new InvalidArgumentError('via', via, 'an IPv6 address, in a route to IPv6')
  return ours ? { via } : { otherVia: via }
}

function protocolNumber(protocol: RouteProtocol): number {
  if (typeof protocol === 'number' && Number.isInteger(protocol) && protocol >= 0 && protocol <= 255) return protocol
  if (typeof protocol === 'string' && Object.hasOwn(protocols, protocol)) return protocols[protocol]
  throw new InvalidArgumentError('protocol', protocol, `one of ${Object.keys(protocols).join(', ')}, or 0 to 255`)
}

/** As iproute2 chooses. */
function defaultTable(type: RouteType): string {
  return type === 'local' || type === 'broadcast' || type === 'anycast' ? 'local' : 'main'
}

export function tableNumber(table: string | number = 'main'): number {
  const number = typeof table === 'number' ? table : Object.hasOwn(tables, table) ? tables[table] : undefined
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > 0xffffffff) {
    throw new InvalidArgumentError('table', table, `one of ${Object.keys(tables).join(', ')}, or 1 to 4294967295`)
  }
  return number
}

/** As iproute2 chooses; IPv6 knows no scopes. */
function defaultScope(type: RouteType, gateway: unknown, family: 4 | 6): number {
  if (family === 6) return c.RT_SCOPE_UNIVERSE
  if (type === 'local') return c.RT_SCOPE_HOST
  if (type === 'broadcast' || type === 'multicast' || type === 'anycast') return c.RT_SCOPE_LINK
  return type === 'unicast' && gateway === undefined ? c.RT_SCOPE_LINK : c.RT_SCOPE_UNIVERSE
}

/** The route that the kernel would take. */
export function getRoute(destination: string): AnyRequest {
  const parsed = typeof destination === 'string' ? parsePrefix(destination) : undefined
  if (parsed === undefined || destination.includes('/')) {
    throw new InvalidArgumentError('destination', destination, 'an IPv4 or IPv6 address')
  }
  // Without the flag the answer for IPv4 always names the main table; that for IPv6 does not need it, nor accept it.
  const flags = parsed.family === 4 ? c.RTM_F_LOOKUP_TABLE : 0
  return change({
    type: c.RTM_GETROUTE, flags: 0, format: routeMessage,
    header: { family: families[parsed.family], destinationLength: parsed.prefix, flags },
    attributes: { destination: parsed.address },
    operation: `get route to ${destination}`,
  })
}

export interface RouteFilter {
  /** Default main. */
  table?: string | number
  index?: number
  family?: 4 | 6
}

export function listRoutes(filter: RouteFilter = {}): AnyRequest {
  checkFields(filter, ['table', 'index', 'family'], 'a filter of routes')
  const { table, index, family } = filter
  const number = tableNumber(table)
  return dump({
    type: c.RTM_GETROUTE, flags: 0, format: routeMessage,
    header: { family: familyNumber(family), table: number < 256 ? number : c.RT_TABLE_UNSPEC },
    attributes: { table: number, index },
    operation: 'list routes',
  })
}

const flagNames: [number, string][] = [
  [c.RTNH_F_DEAD, 'dead'], [c.RTNH_F_PERVASIVE, 'pervasive'], [c.RTNH_F_ONLINK, 'onlink'], [c.RTNH_F_LINKDOWN, 'linkdown'],
]

export function decodeRoute(message: Message): Route {
  const header = message.header as Record<'family' | 'destinationLength' | 'table' | 'protocol' | 'scope' | 'type' | 'flags', number>
  const values = message.attributes as RouteValues
  const { destination, otherVia, via = otherVia, index, source, metric, metrics, nexthopId, multipath } = values
  return {
    to: destination === undefined ? 'default' : `${destination}/${header.destinationLength}`,
    family: header.family === c.AF_INET6 ? 6 : 4,
    via, index, source, metric,
    table: values.table ?? header.table,
    protocol: (Object.keys(protocols) as (keyof typeof protocols)[]).find(name => protocols[name] === header.protocol) ?? header.protocol,
    scope: scopeName(header.scope),
    type: (Object.keys(types) as RouteType[]).find(name => types[name] === header.type) ?? header.type,
    flags: flagNames.filter(([bit]) => (header.flags & bit) !== 0).map(([, name]) => name),
    mtu: metrics?.mtu,
    advmss: metrics?.advmss,
    nexthopId, multipath,
    ...(values.raw === undefined ? {} : { raw: values.raw }),
  }
}
