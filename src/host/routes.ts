/** Routes: what `ip route` does. */
import { constants } from 'node:os'
import { InvalidArgumentError } from '../errors.ts'
import { decodeRoute, deleteRoute, getRoute, listRoutes, newRoute } from '../rtnetlink/routes.ts'
import type { Route, RouteFilter as WireFilter, RouteSpec as WireSpec } from '../rtnetlink/routes.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import type { LinkRef, Links } from './links.ts'

/** A route to add, replace or delete. With `delete`, what is left out matches any. */
export interface RouteSpec extends Omit<WireSpec, 'index'> {
  /** The link that packets leave by. */
  link?: LinkRef
}

/** Which routes to list. */
export interface RouteFilter extends Omit<WireFilter, 'index'> {
  /** The link that packets leave by. */
  link?: LinkRef
}

/**
 * Routes of a namespace: `host.routes`. What the kernel refuses is ERR_NETLINK, with its words where it has some. Changes
 * need CAP_NET_ADMIN, else ERR_NO_PERMISSION.
 */
export class Routes {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  /** Filtered in the kernel. The main table, as `ip route` shows it, unless `table` says otherwise. */
  async list(filter: RouteFilter = {}): Promise<Route[]> {
    const { link, ...rest } = filter
    const index = link === undefined ? {} : { index: await this.#links.index(link) }
    const { messages, error } = await this.#channel.attempt(routeStep([listRoutes({ ...rest, ...index })], { mayFail: true }))
    // A table exists from its first route on.
    if (error !== undefined && error.errno !== constants.errno.ENOENT) throw error
    return messages.flat().map(decodeRoute)
  }

  /** The route that the kernel would take to an address (not a prefix). Rejects with ENETUNREACH if there is none. */
  async get(destination: string): Promise<Route> {
    const [messages] = await this.#channel.request([getRoute(destination)])
    return decodeRoute(messages?.[0] as Message)
  }

  /** Rejects with EEXIST if there is one to the same destination with the same metric. */
  async add(route: RouteSpec): Promise<void> {
    await this.#send(route, wire => newRoute(wire))
  }

  /** Adds it, in place of one to the same destination with the same metric if there is one. */
  async replace(route: RouteSpec): Promise<void> {
    await this.#send(route, wire => newRoute(wire, { replace: true }))
  }

  /** The first that matches. Rejects with ESRCH if there is none. */
  async delete(route: RouteSpec): Promise<void> {
    await this.#send(route, deleteRoute)
  }

  async #send(route: RouteSpec, request: (wire: WireSpec) => AnyRequest): Promise<void> {
    if (typeof route !== 'object' || route === null) throw new InvalidArgumentError('route', route, 'a route like { to, via }')
    const { link, ...wire } = route
    request(wire)
    const index = link === undefined ? {} : { index: await this.#links.index(link) }
    await this.#channel.request([request({ ...wire, ...index })])
  }
}
