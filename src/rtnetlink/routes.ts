/** Routes to add, change and delete, as requests. Source: ip-route(8), rtnetlink(7). Reading: route-records.ts, route-lists.ts. */
import { checkGiven, isKeyOf, wholeNumber } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { networkOf, parsePrefix } from '../ip.ts'
import type { Prefix } from '../ip.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import * as c from './constants.ts'
import { encodeEncap } from './encap.ts'
import type { Encap } from './encap.ts'
import { families, familyNumber } from './families.ts'
import { encodeHops, gateway } from './multipath.ts'
import type { NextHop } from './multipath.ts'
import { protocols, routeTypes, scopes, tables } from './names.ts'
import type { RouteProtocol, RouteType, Scope, TableName } from './names.ts'
import type { Realms } from './realms.ts'
import { preferences, routeMessage, routeMetrics } from './route-message.ts'
import type { LockableMetric, RouteFeature, RouteValues, WireMetrics } from './route-message.ts'

/** What TCP and others are told of a route. Source: ip-route(8). */
export interface RouteMetrics {
  /** Bytes. With `lock`, the path's MTU is not looked for. */
  mtu?: number | undefined
  /** Greatest segment that the other end may send, in bytes. */
  advmss?: number | undefined
  /** Greatest window that is advertised, in bytes. */
  window?: number | undefined
  /** Round trip time to start from. Steps of 1/8. */
  rttMs?: number | undefined
  /** Its variance to start from. Steps of 1/4. */
  rttvarMs?: number | undefined
  /** Least retransmission timeout. It is always locked: else the kernel would not heed it. */
  rtoMinMs?: number | undefined
  ssthresh?: number | undefined
  /** Greatest congestion window, in segments; only with `lock`. */
  cwnd?: number | undefined
  /** Congestion window to start with, in segments. */
  initcwnd?: number | undefined
  /** Receive window to start with, in segments. */
  initrwnd?: number | undefined
  /** Greatest reordering to start from, in packets. */
  reordering?: number | undefined
  /** 0 to 255: TTL of IPv4, hop limit of IPv6. */
  hoplimit?: number | undefined
  /** `ecn`: explicit congestion notification, whatever the sysctl says. */
  features?: RouteFeature[] | undefined
  quickack?: boolean | undefined
  /** Congestion control by name, e.g. `dctcp`. */
  congctl?: string | undefined
  /** TCP Fast Open without a cookie. */
  fastopenNoCookie?: boolean | undefined
  /** Metrics that the kernel may not change by what it learns. */
  lock?: LockableMetric[] | undefined
}

export interface RouteSpec extends RouteMetrics {
  /** `default`, a prefix, or an address. Of an IPv4 prefix all bits behind its length are 0, as the kernel demands. */
  to: string
  /** Only packets from this prefix; IPv6 only, CONFIG_IPV6_SUBTREES. */
  from?: string
  /** The gateway; one of IPv6 may serve an IPv4 route. */
  via?: string
  /** Of the link that packets leave by. */
  index?: number
  /** Preferred source address. */
  source?: string
  /** Default 0 for IPv4, 1024 for IPv6; the least wins. */
  metric?: number
  /** `main`, `local`, `default`, or 1 to 2^32-1. Default: main; local for the types local, broadcast, and anycast. */
  table?: TableName
  /** Default, as with `ip route add`: host for type local, link where there is no gateway, else global. IPv4 only. */
  scope?: Scope
  /** Default `unicast`. */
  type?: RouteType
  /** Default: boot, as with `ip route add`. */
  protocol?: RouteProtocol
  /** Only packets with this TOS: 0 to 252, the lower two bits 0; IPv4 only. */
  tos?: number
  /** The gateway is on the link, whatever the addresses say. */
  onLink?: boolean
  /** The gateway is to be looked up itself. Kept by the kernel, and not used. */
  pervasive?: boolean
  /** Among routes of routers' advertisements (RFC 4191); IPv6 only. */
  preference?: keyof typeof preferences
  /** The route goes by itself after this time: whole seconds; IPv6 only. */
  expiresMs?: number
  /** IPv4 only. */
  realms?: Realms
  encap?: Encap
  /** Of MPLS routes, which alone heed it: the TTL goes on into the packet. */
  ttlPropagate?: boolean
  /** Several ways, in place of `via` and `index`. CONFIG_IP_ROUTE_MULTIPATH for IPv4. */
  multipath?: NextHop[]
  /** A nexthop object, in place of `via`, `index` and `multipath`. Linux 5.3. */
  nexthopId?: number
  /** Needed with `to: 'default'` and no `via` for IPv6. */
  family?: 4 | 6
}

const metricNames: ReadonlySet<string> = new Set(Object.keys(routeMetrics.entries))
const callerNames = {
  ...Object.fromEntries([...metricNames].map(name => [`metrics.${name}`, name])), otherVia: 'via', 'encap.routing': 'encap', encapType: 'encap.type',
}
const specNames = new Set([
  'to', 'from', 'via', 'link', 'source', 'metric', 'table', 'scope', 'type', 'protocol', 'tos', 'onLink', 'pervasive', 'preference',
  'expiresMs', 'realms', 'encap', 'ttlPropagate', 'multipath', 'nexthopId', 'family', ...metricNames, 'index',
])

/** Flags of RTM_NEWROUTE, by the verbs of ip(8). */
const verbs = {
  add: NLM_F_CREATE | NLM_F_EXCL, append: NLM_F_CREATE | NLM_F_APPEND, prepend: NLM_F_CREATE,
  change: NLM_F_REPLACE, replace: NLM_F_CREATE | NLM_F_REPLACE,
} as const
export type RouteVerb = keyof typeof verbs

export function newRoute(route: RouteSpec, verb: RouteVerb = 'add'): AnyRequest {
  const request = routeRequest(route, verb)
  checkWay(route)
  request.type = c.RTM_NEWROUTE
  request.flags = verbs[verb]
  return change(request)
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
      scope: scope === undefined ? c.RT_SCOPE_NOWHERE : scopes.number(scope, 'scope'),
      type: type === undefined ? c.RTN_UNSPEC : routeTypes.number(type, 'type'),
      protocol: protocol === undefined ? c.RTPROT_UNSPEC : protocols.number(protocol, 'protocol'),
    },
  })
}

/** A route that was listed, to delete or to put back just as it was. */
export function listedRoute(message: Message, verb: 'delete' | 'replace' | 'prepend'): AnyRequest {
  const { cacheInfo, ...attributes } = message.attributes as RouteValues
  const { destination = 'default' } = attributes
  const { expires: left = 0 } = cacheInfo ?? {}
  const expires = left > 0 ? Math.ceil(left / 100) : undefined
  return change({
    type: verb === 'delete' ? c.RTM_DELROUTE : c.RTM_NEWROUTE,
    flags: verb === 'delete' ? 0 : verbs[verb],
    format: routeMessage,
    // Flags of the way itself; the others say what it is like at the moment.
    header: { ...message.header, flags: (message.header as { flags: number }).flags & (c.RTNH_F_ONLINK | c.RTNH_F_PERVASIVE) },
    attributes: { ...attributes, ...(verb === 'delete' ? {} : { expires }) },
    operation: `${verb} route to ${destination}`,
  })
}

const aMetric = wholeNumber(0, 0xffffffff, 'an integer')

function routeRequest(route: RouteSpec, verb: string): AnyRequest {
  checkFields(route, specNames, 'a route')
  checkGiven('metric', route.metric, aMetric)
  const { via, index, source, metric, scope, type = 'unicast', protocol = 'boot', encap, nexthopId, preference, realms, ttlPropagate } = route
  const destination = parseDestination(route)
  const { family } = destination
  const from = parseFrom(route.from, family)
  const typeNumber = routeTypes.number(type, 'type')
  const { table: wanted = defaultTable(type) } = route
  const table = tables.number(wanted, 'table')
  checkOfFamily(route, family)
  return {
    type: 0,
    flags: 0,
    format: routeMessage,
    header: {
      family: families[family],
      destinationLength: destination.prefix,
      sourceLength: from?.prefix,
      tos: tosOf(route.tos),
      // A table above 255 stands in the attribute only.
      table: table < 256 ? table : c.RT_TABLE_UNSPEC,
      protocol: protocols.number(protocol, 'protocol'),
      scope: scope === undefined ? defaultScope(type, via ?? route.multipath ?? nexthopId, family) : scopes.number(scope, 'scope'),
      type: typeNumber,
      flags: (route.onLink === true ? c.RTNH_F_ONLINK : 0) | (route.pervasive === true ? c.RTNH_F_PERVASIVE : 0),
    },
    attributes: {
      destination: destination.prefix === 0 ? undefined : destination.address,
      from: from?.address,
      table: table < 256 ? undefined : table,
      ...gateway(via, family), source, index, metric, preference, realms, ttlPropagate,
      ...encodeEncap(encap),
      metrics: metricsOf(route),
      multipath: route.multipath === undefined ? undefined : encodeHops(route.multipath, family),
      nexthopId,
      expires: expiresOf(route.expiresMs),
    },
    operation: `${verb} route to ${route.to}`,
    callerNames,
  }
}

function metricsOf(route: RouteMetrics): WireMetrics | undefined {
  if (!hasMetrics(route)) return undefined
  const metrics: Record<string, unknown> = {}
  for (const name of metricNames) {
    const value = route[name as keyof RouteMetrics]
    if (value !== undefined) metrics[name] = value
  }
  // The kernel heeds it only if it is locked; ip(8) does so too.
  if (route.rtoMinMs !== undefined && (route.lock === undefined || Array.isArray(route.lock))) {
    metrics['lock'] = [...new Set([...route.lock ?? [], 'rtoMinMs'])]
  }
  return metrics as WireMetrics
}

function hasMetrics(route: RouteMetrics): boolean {
  for (const name in route) if (metricNames.has(name) && route[name as keyof RouteMetrics] !== undefined) return true
  return false
}

function parseDestination(route: RouteSpec): Prefix {
  const { to, multipath, via = Array.isArray(multipath) ? multipath[0]?.via : undefined, family } = route
  familyNumber(family)
  if (to === 'default') return { address: '', prefix: 0, family: family ?? familyOfDefault(via, route) }
  const parsed = typeof to === 'string' ? parsePrefix(to) : undefined
  if (parsed === undefined) throw new InvalidArgumentError('to', to, "'default', a prefix like 10.0.0.0/8, or an address")
  if (family !== undefined && family !== parsed.family) throw new InvalidArgumentError('family', family, `${parsed.family}, that of ${to}`)
  // The kernel refuses host bits in IPv4, and clears them in IPv6.
  if (parsed.family === 4 && parsed.prefix < 32) {
    const network = networkOf(parsed)
    if (network !== parsed.address) throw new InvalidArgumentError('to', to, `a prefix without host bits: ${network}/${parsed.prefix}`)
  }
  return parsed
}

function familyOfDefault(via: unknown, { from, source }: RouteSpec): 4 | 6 {
  return [via, from, source].some(address => typeof address === 'string' && address.includes(':')) ? 6 : 4
}

function parseFrom(from: string | undefined, family: 4 | 6): Prefix | undefined {
  if (from === undefined) return undefined
  const parsed = typeof from === 'string' ? parsePrefix(from) : undefined
  if (family === 4) throw new InvalidArgumentError('from', from, 'nothing in a route to IPv4; host.rules select by source')
  if (parsed?.family !== 6) throw new InvalidArgumentError('from', from, 'an IPv6 prefix')
  return parsed
}

const ofOneFamily = {
  4: ['tos', 'realms'], 6: ['preference', 'expiresMs'],
} as const

function checkOfFamily(route: RouteSpec, family: 4 | 6): void {
  for (const name of ofOneFamily[family === 4 ? 6 : 4]) {
    if (route[name] !== undefined) throw new InvalidArgumentError(name, route[name], `nothing in a route to IPv${family}`)
  }
  const { source, preference } = route
  if (source !== undefined && (typeof source !== 'string' || parsePrefix(source)?.family !== family || source.includes('/'))) {
    throw new InvalidArgumentError('source', source, `an IPv${family} address`)
  }
  if (preference !== undefined && !isKeyOf(preferences, preference)) {
    throw new InvalidArgumentError('preference', preference, `one of ${Object.keys(preferences).join(', ')}`)
  }
  for (const name of ['onLink', 'pervasive', 'ttlPropagate'] as const) {
    if (route[name] !== undefined && typeof route[name] !== 'boolean') throw new InvalidArgumentError(name, route[name], 'true or false')
  }
}

/** Ways that exclude each other, or that the type of the route leaves no room for. */
function checkWay(route: RouteSpec): void {
  const { via, index, multipath, nexthopId, type = 'unicast', onLink, encap } = route
  const refuse = (name: keyof RouteSpec, accepted: string): never => {
    throw new InvalidArgumentError(name === 'index' ? 'link' : name, route[name], accepted)
  }
  if (multipath !== undefined && via !== undefined) refuse('via', 'nothing beside multipath')
  if (multipath !== undefined && index !== undefined) refuse('index', 'nothing beside multipath')
  if (nexthopId !== undefined) {
    for (const name of ['via', 'index', 'multipath', 'encap'] as const) if (route[name] !== undefined) refuse(name, 'nothing beside nexthopId')
  }
  if (goesNowhere.has(type)) {
    for (const name of ['via', 'multipath'] as const) if (route[name] !== undefined) refuse(name, `nothing in a route of type ${type}`)
    return
  }
  if (via === undefined && index === undefined && multipath === undefined && nexthopId === undefined) {
    refuse('via', `a gateway, or else a link, several ways, or a nexthop, in a route of type ${type}`)
  }
  if (via !== undefined && index === undefined && /^fe[89ab]/i.test(via)) refuse('index', 'a link, with a gateway that is known on the link only')
  if (onLink === true && (via === undefined || index === undefined)) refuse('onLink', 'a gateway and a link with it')
  if (encap !== undefined && multipath !== undefined) refuse('encap', 'nothing beside multipath: each way has its own')
}
const goesNowhere = new Set<RouteType>(['blackhole', 'unreachable', 'prohibit', 'throw'])

function tosOf(tos: number | undefined): number | undefined {
  if (tos === undefined || (Number.isInteger(tos) && tos >= 0 && tos <= 252 && tos % 4 === 0)) return tos
  throw new InvalidArgumentError('tos', tos, 'a multiple of 4 from 0 to 252')
}

function expiresOf(ms: number | undefined): number | undefined {
  if (ms === undefined) return undefined
  if (Number.isInteger(ms) && ms >= 1000 && ms % 1000 === 0 && ms / 1000 <= 0xffffffff) return ms / 1000
  throw new InvalidArgumentError('expiresMs', ms, 'whole seconds in milliseconds, at least 1000')
}

/** As iproute2 chooses. */
function defaultTable(type: RouteType): TableName {
  return type === 'local' || type === 'broadcast' || type === 'anycast' ? 'local' : 'main'
}

/** As iproute2 chooses; IPv6 knows no scopes. */
function defaultScope(type: RouteType, way: unknown, family: 4 | 6): number {
  if (family === 6) return c.RT_SCOPE_UNIVERSE
  if (type === 'local') return c.RT_SCOPE_HOST
  if (type === 'broadcast' || type === 'multicast' || type === 'anycast') return c.RT_SCOPE_LINK
  return type === 'unicast' && way === undefined ? c.RT_SCOPE_LINK : c.RT_SCOPE_UNIVERSE
}
