/** Routes to list: what the kernel filters, and what is filtered here. Source: ip-route(8), linux/rtnetlink.h. */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { networkOf, parsePrefix, prefixWithin } from '../ip.ts'
import type { Prefix } from '../ip.ts'
import { NLM_F_DUMP_FILTERED } from '../netlink/constants.ts'
import { dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import * as c from './constants.ts'
import { familyNumber } from './families.ts'
import { protocols, routeTypes, scopes, tables } from './names.ts'
import type { RouteProtocol, RouteType, Scope, TableName } from './names.ts'
import { decodeRoute } from './route-records.ts'
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

const byKernel = ['table', 'index', 'family', 'protocol', 'type', 'cache'] as const
const byUs = ['to', 'root', 'match', 'via', 'source', 'scope', 'metric', 'tos', 'nexthopId'] as const

export function listRoutes(filter: RouteFilter = {}): AnyRequest {
  checkFields(filter, [...byKernel, ...byUs, 'link'], 'a filter of routes')
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

/** Says of a message of the dump whether its route is meant. Throws for a filter that makes no sense. */
export function routeChooser(filter: RouteFilter): (message: Message) => boolean {
  const ours = ourTests(filter)
  const theirs = kernelTests(filter)
  if (ours.length + theirs.length === 0) return () => true
  return message => {
    // What a kernel without strict checking (before 4.20) leaves in.
    const tests = (message.flags & NLM_F_DUMP_FILTERED) === 0 ? [...theirs, ...ours] : ours
    if (tests.length === 0) return true
    const route = decodeRoute(message)
    return tests.every(fits => fits(route))
  }
}

type Test = (route: Route) => boolean

function kernelTests(filter: RouteFilter): Test[] {
  const { index, protocol, type, family } = filter
  const table = tableOf(filter)
  const tests: Test[] = []
  if (table !== undefined) tests.push(route => route.table === table)
  if (family !== undefined) tests.push(route => route.family === family)
  if (index !== undefined) tests.push(route => route.index === index || route.multipath?.some(hop => hop.index === index) === true)
  const wanted = protocol === undefined ? undefined : protocols.name(protocols.number(protocol, 'protocol'))
  if (wanted !== undefined) tests.push(route => route.protocol === wanted)
  if (type !== undefined) tests.push(route => route.type === type)
  return tests
}

function ourTests(filter: RouteFilter): Test[] {
  const { via, source, scope, metric, tos, nexthopId } = filter
  const tests: Test[] = []
  const [to, root, match] = (['to', 'root', 'match'] as const).map(name => prefixOf(filter, name))
  if (to !== undefined) {
    tests.push(route => destinationOf(route).prefix === to(route).prefix && prefixWithin(destinationOf(route), to(route)))
  }
  if (root !== undefined) tests.push(route => prefixWithin(destinationOf(route), root(route)))
  if (match !== undefined) tests.push(route => prefixWithin(match(route), destinationOf(route)))
  if (via !== undefined) {
    const gateway = addressOf(via, 'via')
    tests.push(route => [route, ...route.multipath ?? []].some(hop => hop.via !== undefined && addressOf(hop.via, 'via') === gateway))
  }
  if (source !== undefined) {
    const address = addressOf(source, 'source')
    tests.push(route => route.source === address)
  }
  if (scope !== undefined) {
    const number = scopes.number(scope, 'scope')
    tests.push(route => scopes.number(route.scope, 'scope') === number)
  }
  if (metric !== undefined) tests.push(route => (route.metric ?? 0) === metric)
  if (tos !== undefined) tests.push(route => (route.tos ?? 0) === tos)
  if (nexthopId !== undefined) tests.push(route => route.nexthopId === nexthopId)
  return tests
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
