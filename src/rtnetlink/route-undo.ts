/** Taking back changes of routes. */
import { networkOf } from '../ip.ts'
import { change } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import * as c from './constants.ts'
import type { RouteValues } from './route-message.ts'
import { listedRoute } from './routes.ts'

/** What routes of IPv6 get that have none. */
const IP6_RT_PRIO_USER = 1024

interface Header {
  family: number
  destinationLength: number
  sourceLength?: number
  tos?: number
  table: number
  scope?: number
  type?: number
  protocol?: number
}

/** What a message or request says, each thing in one form only. */
function saying({ header: fixed, attributes }: { header: unknown, attributes: unknown }): { header: Header, values: RouteValues } {
  return { header: fixed as Header, values: attributes as RouteValues }
}

function network(address: string | undefined, prefix: number): string {
  if (address === undefined || prefix === 0) return ''
  // Of IPv4 there is one form only, without host bits.
  return address.includes(':') ? networkOf({ address, prefix, family: 6 }) : address
}

/** Where a route stands: destination, source prefix, TOS, table. */
function placeKey(route: { header: unknown, attributes: unknown }): string {
  const { header: { family, destinationLength, sourceLength = 0, tos = 0, table }, values } = saying(route)
  const from = values.from === undefined ? '' : `${network(values.from, sourceLength)}/${sourceLength}`
  return `${family} ${values.table ?? table} ${network(values.destination, destinationLength)}/${destinationLength} ${from} ${tos}`
}

/** By what the kernel tells routes apart: their place, and the metric. */
export function routeKey(route: { header: unknown, attributes: unknown }): string {
  const { header, values } = saying(route)
  const { metric = 0 } = values
  return `${placeKey(route)} ${metric === 0 && header.family === c.AF_INET6 ? IP6_RT_PRIO_USER : metric}`
}

/** Deletes the route that a request has added, and no other. */
export function undoRoute(request: AnyRequest): AnyRequest {
  const { header, values } = saying(request)
  const metric = header.family === c.AF_INET6 && (values.metric ?? 0) === 0 ? IP6_RT_PRIO_USER : values.metric
  const { expires: _, ...rest } = values
  return change({ ...request, type: c.RTM_DELROUTE, flags: 0, attributes: { ...rest, metric } })
}

/** Routes as they were, and which of them items of a call change. */
export class RoutesBefore {
  readonly #byPlace = new Map<string, Message[]>()
  readonly #byItem = new Map<number, Message | undefined>()

  constructor(routes: readonly Message[]) {
    for (const route of routes) {
      const key = placeKey(route)
      const others = this.#byPlace.get(key)
      if (others === undefined) this.#byPlace.set(key, [route])
      else others.push(route)
    }
  }

  willReplace(item: number, request: AnyRequest): void {
    const key = routeKey(request)
    this.#claim(item, request, route => routeKey(route) === key)
  }

  willDelete(item: number, request: AnyRequest): void {
    this.#claim(item, request, route => isMeant(request, route))
  }

  replaced(item: number): AnyRequest | undefined {
    const route = this.#byItem.get(item)
    return route === undefined ? undefined : listedRoute(route, 'replace')
  }

  deleted(item: number): AnyRequest | undefined {
    const route = this.#byItem.get(item)
    // Undone the last one first, so that each comes before those that it stood before.
    return route === undefined ? undefined : listedRoute(route, 'prepend')
  }

  /** The first that fits is the one that the kernel takes; no other item gets it then. */
  #claim(item: number, request: AnyRequest, fits: (route: Message) => boolean): void {
    if (this.#byItem.has(item)) return
    const there = this.#byPlace.get(placeKey(request)) ?? []
    const at = there.findIndex(fits)
    this.#byItem.set(item, at < 0 ? undefined : there.splice(at, 1)[0])
  }
}

/** Whether a route has all that a deletion names. */
function isMeant(request: AnyRequest, route: Message): boolean {
  const { header: wanted, values: named } = saying(request)
  const { header, values } = saying(route)
  const { scope = c.RT_SCOPE_NOWHERE, type = c.RTN_UNSPEC, protocol = c.RTPROT_UNSPEC } = wanted
  if (header.family === c.AF_INET && scope !== c.RT_SCOPE_NOWHERE && scope !== header.scope) return false
  if (type !== c.RTN_UNSPEC && type !== header.type) return false
  if (protocol !== c.RTPROT_UNSPEC && protocol !== header.protocol) return false
  if ((named.metric ?? 0) !== 0 && named.metric !== values.metric) return false
  return (['via', 'otherVia', 'source', 'index', 'nexthopId'] as const).every(name => {
    const [one, other] = [named[name], values[name]]
    return one === undefined || one === other || (typeof one === 'string' && typeof other === 'string' && sameAddress(one, other))
  })
}

function sameAddress(one: string, other: string): boolean {
  return one.includes(':') && other.includes(':') &&
    networkOf({ address: one, prefix: 128, family: 6 }) === networkOf({ address: other, prefix: 128, family: 6 })
}
