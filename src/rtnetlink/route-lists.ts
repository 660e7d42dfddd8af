/** Routes to list: what the kernel filters, and what is filtered here. Source: ip-route(8), linux/rtnetlink.h. */
import { aBoolean, aU32, anything, checkEach, wholeNumber } from '../checks.ts'
import type { Check } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { networkOf, parsePrefix, prefixWithin } from '../ip.ts'
import type { Prefix } from '../ip.ts'
import { dump } from '../netlink/message.ts'
import type { AnyRequest } from '../netlink/message.ts'
import * as c from './constants.ts'
import { familyNumber } from './families.ts'
import { equals } from './listed.ts'
import type { Tests } from './listed.ts'
import { protocols, routeTypes, scopes, tables } from './names.ts'
import type { RouteProtocol, RouteType, Scope, TableName } from './names.ts'
import type { Route } from './route-records.ts'
import { routeMessage } from './route-message.ts'

/** Which routes to list. What is left out does not matter. */
export interface RouteFilter {
  /** Default main. `all`: every table. */
  table?: TableName | 'all'
  /** Of a link that packets leave by. */
  index?: number
  family?: 4 | 6
  protocol?: RouteProtocol
  type?: RouteType
  /** Not the tables but what was learnt about single destinations: redirects, path MTUs. */
  cache?: boolean

  /** This destination and no other: `default` or a prefix. ip(8): `exact`. */
  to?: string
  /** Destinations within this prefix. ip(8): `root`. */
  root?: string
  /** Destinations that hold all of this prefix or address. ip(8): `match`. */
  match?: string
  /** The gateway, or one of several. */
  via?: string
  /** Preferred source address. */
  source?: string
  scope?: Scope
  metric?: number
  tos?: number
  nexthopId?: number
}

/** What says anything is checked where it is read. */
const filterChecks: Record<keyof RouteFilter | 'link', Check> = {
  table: anything, index: anything, link: anything, family: anything, protocol: anything, type: anything, cache: aBoolean,
  to: anything, root: anything, match: anything, via: anything, source: anything, scope: anything,
  metric: aU32, tos: wholeNumber(0, 255), nexthopId: aU32,
}

export function listRoutes(filter: RouteFilter = {}): AnyRequest {
  checkEach('', filter, filterChecks, 'a filter of routes')
  const { index, family, protocol, type, cache } = filter
  const table = tableOf(filter)
  return dump({
    type: c.RTM_GETROUTE, flags: 0, format: routeMessage,
    header: {
      family: familyNumber(family),
      table: table !== undefined && table < 256 ? table : c.RT_TABLE_UNSPEC,
      protocol: protocol === undefined ? c.RTPROT_UNSPEC : protocols.number(protocol, 'protocol'),
      type: type === undefined ? c.RTN_UNSPEC : routeTypes.number(type, 'type'),
      flags: cache === true ? c.RTM_F_CLONED : 0,
    },
    attributes: { table, index },
    operation: 'list routes',
  })
}

function tableOf({ table = 'main' }: RouteFilter): number | undefined {
  return table === 'all' ? undefined : tables.number(table, 'table')
}

/** Whether a route is one that is asked for. Throws for a filter that makes no sense. */
export function routeTests(filter: RouteFilter): { here: Tests<Route>, kernel: Tests<Route> } {
  return { here: ourTests(filter), kernel: kernelTests(filter) }
}

/** The kernel looks at the table's entry, of which an exception does not tell all. */
function kernelTests(filter: RouteFilter): Tests<Route> {
  const { index, protocol, type, family, cache } = filter
  const isException = ({ flags }: Route): boolean => flags.includes('cloned')
  const orException = (test: ((route: Route) => boolean) | undefined) => test && ((route: Route) => isException(route) || test(route))
  const wantedProtocol = protocol === undefined ? undefined : protocols.name(protocols.number(protocol, 'protocol'))
  return {
    table: equals(tableOf(filter), route => route.table),
    family: equals(family, route => route.family),
    link: index === undefined ? undefined : route => mayLeaveBy(route, index),
    protocol: orException(equals(wantedProtocol, route => route.protocol)),
    type: orException(equals(type, route => route.type)),
    cache: cache === true ? isException : undefined,
  }
}

/** Of a nexthop object the route may name no link (sysctl nexthop_compat_mode). */
function mayLeaveBy({ index, multipath, nexthopId }: Route, wanted: number): boolean {
  if (index === undefined && multipath === undefined) return nexthopId !== undefined
  return index === wanted || multipath?.some(hop => hop.index === wanted) === true
}

function ourTests(filter: RouteFilter): Tests<Route> {
  const { via, source, scope, metric, tos, nexthopId } = filter
  const [to, root, match] = (['to', 'root', 'match'] as const).map(name => prefixOf(filter, name))
  const gateway = via === undefined ? undefined : addressOf(via, 'via')
  const wantedScope = scope === undefined ? undefined : scopes.number(scope, 'scope')
  return {
    to: to && (route => destinationOf(route).prefix === to(route).prefix && prefixWithin(destinationOf(route), to(route))),
    root: root && (route => prefixWithin(destinationOf(route), root(route))),
    match: match && (route => prefixWithin(match(route), destinationOf(route))),
    via: gateway === undefined ? undefined
      : route => [route, ...route.multipath ?? []].some(hop => hop.via !== undefined && addressOf(hop.via, 'via') === gateway),
    source: equals(source === undefined ? undefined : addressOf(source, 'source'), route => route.source),
    scope: equals(wantedScope, route => scopes.number(route.scope, 'scope')),
    metric: equals(metric, route => route.metric ?? 0),
    tos: equals(tos, route => route.tos ?? 0),
    nexthopId: equals(nexthopId, route => route.nexthopId),
  }
}

/** `default` is that of either family. */
function prefixOf(filter: RouteFilter, name: 'to' | 'root' | 'match'): ((route: Route) => Prefix) | undefined {
  const text = filter[name]
  if (text === undefined) return undefined
  if (text === 'default') return ({ family }) => everything[family]
  const parsed = typeof text === 'string' ? parsePrefix(text) : undefined
  if (parsed === undefined) throw new InvalidArgumentError(name, text, "'default', a prefix like 10.0.0.0/8, or an address")
  return () => parsed
}
const everything = { 4: { address: '0.0.0.0', prefix: 0, family: 4 }, 6: { address: '::', prefix: 0, family: 6 } } as const

function destinationOf({ to, family }: Route): Prefix {
  return to === 'default' ? everything[family] : parsePrefix(to) as Prefix
}

/** In the form that the kernel's are written in. */
function addressOf(text: string, field: string): string {
  const parsed = typeof text === 'string' && !text.includes('/') ? parsePrefix(text) : undefined
  if (parsed === undefined) throw new InvalidArgumentError(field, text, 'an IPv4 or IPv6 address')
  return networkOf(parsed)
}
