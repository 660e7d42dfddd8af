/** Routes: what `ip route` does. */
import { constants } from 'node:os'
import { fieldsOf, isOn } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import type { Encap } from '../rtnetlink/encap.ts'
import type { NextHop as WireHop } from '../rtnetlink/multipath.ts'
import { isInternet } from '../rtnetlink/families.ts'
import { sift } from '../rtnetlink/listed.ts'
import type { Listed } from '../rtnetlink/listed.ts'
import { listRoutes, routeTests } from '../rtnetlink/route-lists.ts'
import type { RouteFilter as WireFilter } from '../rtnetlink/route-lists.ts'
import { getRoute } from '../rtnetlink/route-lookup.ts'
import type { RouteLookup as WireLookup } from '../rtnetlink/route-lookup.ts'
import { RoutesBefore, routeKey, undoRoute } from '../rtnetlink/route-undo.ts'
import { decodeRoute } from '../rtnetlink/route-records.ts'
import type { Route } from '../rtnetlink/route-records.ts'
import { deleteRoute, listedRoute, newRoute } from '../rtnetlink/routes.ts'
import type { RouteSpec as WireSpec } from '../rtnetlink/routes.ts'
import { orUnsupported } from '../rtnetlink/unsupported.ts'
import { bulkOptions } from './bulk.ts'
import type { BulkOptions } from './bulk.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { flush } from './flush.ts'
import { changeWithLinks } from './link-indices.ts'
import type { EachLink, IndexOf } from './link-indices.ts'
import { checkLinkRef } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import type { Links } from './links.ts'
import type { PolicyRouting } from './policy.ts'

/** One way of several. */
export interface NextHop extends WireHop {
  /** The link that packets leave by. */
  link?: LinkRef | undefined
}

/** A route to add, replace or delete. With `delete`, what is left out matches any. */
export interface RouteSpec extends Omit<WireSpec, 'multipath'> {
  /** The link that packets leave by. */
  link?: LinkRef
  multipath?: NextHop[]
}

/** Which routes to list. The kernel filters by table, link, family, protocol, type and `cache`, virbr by the rest. */
export interface RouteFilter extends WireFilter {
  /** A link that packets leave by. */
  link?: LinkRef
}

/** The packet whose way is asked for; IPv4 and IPv6. */
export interface RouteLookup extends Omit<WireLookup, 'index' | 'inputIndex'> {
  /** The link that the packet comes in by: it is forwarded, or is for this host. */
  iif?: LinkRef
  /** The link that it is to leave by. */
  oif?: LinkRef
  /** The VRF that it is to leave by. */
  vrf?: LinkRef
}

/**
 * Routes of a namespace: `host.routes`. What the kernel refuses is ERR_NETLINK, with its words where it has some, or
 * ERR_UNSUPPORTED if it lacks what is needed. Changes need CAP_NET_ADMIN, else ERR_NO_PERMISSION.
 */
export class Routes {
  readonly #channel: Channel
  readonly #links: Links
  readonly #policy: PolicyRouting

  constructor(channel: Channel, links: Links, policy: PolicyRouting) {
    this.#channel = channel
    this.#links = links
    this.#policy = policy
  }

  /** The main table, as `ip route` shows it, unless `table` says otherwise. */
  async list(filter: RouteFilter = {}): Promise<Listed<Route>> {
    const { messages, here, kernel } = await this.#dump(filter)
    return sift(messages.map(decodeRoute), here, kernel)
  }

  /**
   * The route that the kernel would take to an address (not a prefix). Rejects with ENETUNREACH if there is none, with
   * EHOSTUNREACH, EACCES or EINVAL if it is of type unreachable, prohibit or blackhole.
   */
  async get(destination: string, lookup: RouteLookup = {}): Promise<Route> {
    const { iif, oif, vrf, ...wire } = fieldsOf('lookup', lookup)
    if (oif !== undefined && vrf !== undefined) throw new InvalidArgumentError('vrf', vrf, 'nothing beside oif')
    getRoute(destination, wire)
    const [inputIndex, index] = [await this.#index(iif, 'iif'), await (vrf === undefined ? this.#index(oif, 'oif') : this.#index(vrf, 'vrf'))]
    const [messages] = await this.#channel.request([getRoute(destination, {
      ...wire, ...(inputIndex === undefined ? {} : { inputIndex }), ...(index === undefined ? {} : { index }),
    })])
    return decodeRoute(messages?.[0] as Message)
  }

  /** Rejects with EEXIST if there is one to the same destination with the same metric and TOS. */
  async add(route: RouteSpec): Promise<void> {
    await this.#send(route, wire => newRoute(wire))
  }

  /** Adds it behind others to the same destination with the same metric; for IPv6, as one more way of theirs. */
  async append(route: RouteSpec): Promise<void> {
    await this.#send(route, wire => newRoute(wire, 'append'))
  }

  /** Adds it before others to the same destination with the same metric. */
  async prepend(route: RouteSpec): Promise<void> {
    await this.#send(route, wire => newRoute(wire, 'prepend'))
  }

  /** Puts it in place of one to the same destination with the same metric. Rejects with ENOENT if there is none. */
  async change(route: RouteSpec): Promise<void> {
    await this.#send(route, wire => newRoute(wire, 'change'))
  }

  /** Adds it, in place of one to the same destination with the same metric if there is one. */
  async replace(route: RouteSpec): Promise<void> {
    await this.#send(route, wire => newRoute(wire, 'replace'))
  }

  /** The first that matches. Rejects with ESRCH if there is none. */
  async delete(route: RouteSpec): Promise<void> {
    await this.#send(route, deleteRoute)
  }

  /**
   * Deletes all that match; how many. Without `table` those of the main table. A filter has to be given; `{ table: 'main' }`
   * is all of that table, the kernel's own routes included, as with `ip route flush`.
   */
  async flush(filter: RouteFilter): Promise<number> {
    checkFields(filter, flushNames, 'a filter of routes')
    if (Object.values(filter).every(value => value === undefined)) {
      throw new InvalidArgumentError('filter', filter, 'something that chooses routes, like { link }')
    }
    const items = await this.#listed(filter)
    return flush(this.#channel, 'routes', items, message => listedRoute(message, 'delete'))
  }

  /**
   * Adds 1 to 100,000 routes. All or none unless `atomic: false`. Rejects with BulkError if the kernel refused some. Where
   * there are many links, give the one that packets leave by an IPv4 address first: without one the kernel looks through
   * all links for a source address, for each route.
   */
  async addMany(routes: readonly RouteSpec[], options: BulkOptions = {}): Promise<void> {
    await this.#changeMany(routes, wire => newRoute(wire), { undo: undoRoute, once: true }, bulkOptions(true, options))
  }

  /**
   * Adds many, each in place of one to the same destination with the same metric. `atomic`, default false: puts back what
   * was replaced if one fails; all routes are read first for that.
   */
  async replaceMany(routes: readonly RouteSpec[], options: BulkOptions = {}): Promise<void> {
    const before = isOn('atomic', fieldsOf('options', options).atomic) ? new RoutesBefore(await this.#listed({ table: 'all' })) : undefined
    const how: ManyRoutes = { once: true, undo: (request, place) => before?.replaced(place) ?? undoRoute(request) }
    if (before !== undefined) how.made = (request, place) => { before.willReplace(place, request) }
    await this.#changeMany(routes, wire => newRoute(wire, 'replace'), how, bulkOptions(false, options))
  }

  /**
   * Deletes many, each the first that matches. `atomic`, default false: puts back what was deleted if one fails; all routes
   * are read first for that.
   */
  async deleteMany(routes: readonly RouteSpec[], options: BulkOptions = {}): Promise<void> {
    const before = isOn('atomic', fieldsOf('options', options).atomic) ? new RoutesBefore(await this.#listed({ table: 'all' })) : undefined
    const how: ManyRoutes = { once: false, undo: (_, place) => before?.deleted(place) ?? [] }
    if (before !== undefined) how.made = (request, place) => { before.willDelete(place, request) }
    await this.#changeMany(routes, deleteRoute, how, bulkOptions(false, options))
  }

  async #listed(filter: RouteFilter): Promise<Message[]> {
    const { messages, here, kernel } = await this.#dump(filter)
    return sift(messages, here, kernel, decodeRoute)
  }

  async #dump(filter: RouteFilter): Promise<ReturnType<typeof routeTests> & { messages: Message[] }> {
    const { link, ...wire } = fieldsOf('filter', filter)
    const index = link === undefined ? {} : { index: 1 }
    listRoutes({ ...wire, ...index })
    if (link !== undefined) index.index = await this.#links.index(link)
    const request = listRoutes({ ...wire, ...index })
    const tests = routeTests({ ...wire, ...index })
    const { messages, error } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    // A table exists from its first route on.
    if (error !== undefined && error.errno !== constants.errno.ENOENT) throw error
    return { messages: messages.flat().filter(isInternet), ...tests }
  }

  async #index(link: LinkRef | undefined, field: string): Promise<number | undefined> {
    return link === undefined ? undefined : this.#links.index(link, field)
  }

  async #send(route: RouteSpec, request: (wire: WireSpec) => AnyRequest): Promise<void> {
    if (typeof route !== 'object' || route === null) throw new InvalidArgumentError('route', route, 'a route like { to, via }')
    const names = new Set<LinkRef>()
    eachLink(route, (link, field) => {
      checkLinkRef(link, field)
      names.add(link)
    })
    request(toWire(route, () => 1))
    await this.#requireTables([route])
    const indices = new Map<LinkRef, number>()
    for (const link of names) indices.set(link, await this.#links.index(link))
    try {
      await this.#channel.request([request(toWire(route, link => indices.get(link) ?? 0))])
    } catch (error) {
      throw error instanceof NetlinkError ? explain(error, route) : error
    }
  }

  async #changeMany(
    routes: readonly RouteSpec[], request: (wire: WireSpec) => AnyRequest, { once, undo, made }: ManyRoutes, options: BulkOptions,
  ): Promise<void> {
    if (Array.isArray(routes)) await this.#requireTables(routes)
    await changeWithLinks(this.#channel, {
      list: 'routes', items: routes, eachLink, undo,
      ...(once ? { key: routeKey, field: 'to' } : {}),
      request: (route, indexOf, place) => {
        const change = request(toWire(route, indexOf))
        made?.(change, place)
        return change
      },
      explain,
    }, options)
  }

  /** Tables other than the two that every kernel has need policy routing. */
  async #requireTables(routes: readonly RouteSpec[]): Promise<void> {
    const families = new Set<4 | 6>()
    for (const route of routes) {
      const { table, to, family } = (route ?? {}) as Partial<RouteSpec>
      if (table === undefined || table === 'main' || table === 'local') continue
      families.add(family === 6 || String(to).includes(':') ? 6 : 4)
    }
    for (const family of families) await this.#policy.require(family, 'a route in a table of its own')
  }
}

function explain(error: NetlinkError, route: RouteSpec): Error {
  return orUnsupported(error, encapOf(route)?.type)
}

interface ManyRoutes {
  /** Each destination once in a call. */
  once: boolean
  undo(request: AnyRequest, place: number): AnyRequest | readonly AnyRequest[]
  /** Sees each request, in order, perhaps more than once. */
  made?: (request: AnyRequest, place: number) => void
}

const flushNames = [
  'table', 'link', 'index', 'family', 'protocol', 'type', 'cache', 'to', 'root', 'match', 'via', 'source', 'scope', 'metric', 'tos', 'nexthopId',
]

const eachLink: EachLink = (route, show) => {
  const { link, multipath } = (typeof route === 'object' && route !== null ? route : {}) as Partial<RouteSpec>
  if (link !== undefined) show(link, 'link')
  if (!Array.isArray(multipath)) return
  multipath.forEach((hop: NextHop | null, position) => {
    if (hop?.link !== undefined) show(hop.link, `multipath[${position}].link`)
  })
}

function toWire(route: RouteSpec, indexOf: IndexOf): WireSpec {
  // What is no route is refused by its request.
  if (typeof route !== 'object' || route === null) return route
  const { link, multipath, ...rest } = route
  const wire: WireSpec = rest
  if (link !== undefined) wire.index = indexOf(link)
  if (multipath !== undefined) wire.multipath = !Array.isArray(multipath) ? multipath : multipath.map(hop => hopToWire(hop, indexOf))
  return wire
}

function hopToWire(hop: NextHop, indexOf: IndexOf): WireHop {
  if (hop?.link === undefined) return hop
  const { link, ...rest } = hop
  return { ...rest, index: indexOf(link) }
}

function encapOf({ encap, multipath }: RouteSpec): Encap | undefined {
  return encap ?? multipath?.find(hop => hop.encap !== undefined)?.encap
}
