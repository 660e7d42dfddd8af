/** Links that a request names, looked up before it is sent; and what cannot be put into what. */
import { InvalidArgumentError } from '../errors.ts'
import type { Message } from '../netlink/message.ts'
import { decodeBriefLink, listBriefLinks } from '../rtnetlink/brief.ts'
import { decodeLink, getLink, takesPorts } from '../rtnetlink/links.ts'
import type { Link } from '../rtnetlink/links.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'

/** One visit for all. Rejects with ERR_NO_LINK for the first that is not there. `fields` are the callers' names of them. */
export async function lookUp(channel: Channel, refs: readonly LinkRef[], fields: readonly string[] = []): Promise<Link[]> {
  refs.forEach((ref, index) => { checkLinkRef(ref, fields[index]) })
  if (refs.length === 0) return []
  const replies = await channel.attempt(routeStep(refs.map(getLink), { mayFail: true }))
  return refs.map((ref, index) => {
    const error = replies.errorOf(index)
    if (error !== undefined) throw noLink(error, ref)
    return decodeLink(replies.messages[index]?.[0] as Message)
  })
}

/** Those that are given, each in its namespace: one visit for each namespace. */
export async function lookUpEach(asked: readonly [Channel, string, LinkRef | undefined][]): Promise<(Link | undefined)[]> {
  const found: (Link | undefined)[] = asked.map(() => undefined)
  for (const channel of new Set(asked.map(([channel]) => channel))) {
    const here = asked.flatMap(([where, field, ref], index) => (where === channel && ref !== undefined ? [{ field, ref, index }] : []))
    const links = await lookUp(channel, here.map(({ ref }) => ref), here.map(({ field }) => field))
    here.forEach(({ index }, position) => { found[index] = links[position] })
  }
  return found
}

/** Indices of links that options name. */
export async function lookUpNames(channel: Channel, named: readonly [string, string][]): Promise<ReadonlyMap<string, number>> {
  const links = await lookUp(channel, named.map(([, name]) => name), named.map(([field]) => field))
  return new Map(named.map(([, name], index) => [name, (links[index] as Link).index]))
}

/**
 * Throws for a master that takes no ports, that is the link itself, or that stands on it. `link`: what is to be put in, or
 * the link that a new one stands on.
 */
export async function checkMaster(channel: Channel, master: Link, given: LinkRef, link: Link | undefined): Promise<void> {
  if (!takesPorts(master.kind)) {
    throw new InvalidArgumentError('master', given, `a link that takes ports, a bridge, bond, vrf or the like; ${master.name} is ${
      master.kind === undefined ? 'none' : `a ${master.kind}`}`)
  }
  if (link !== undefined && await standsOn(channel, link, master.index, new Set())) {
    throw new InvalidArgumentError('master', given, 'a link that is not below the one that is to be put into it')
  }
}

/** Kinds whose IFLA_LINK is the other end, not a link below. */
const pairs = ['veth', 'netkit']

/** Whether a link is, or is above, the one with the index `below`. Asks for what is below it only where there can be something. */
async function standsOn(channel: Channel, link: Link, below: number, seen: Set<number>): Promise<boolean> {
  if (link.index === below) return true
  if (seen.has(link.index)) return false
  seen.add(link.index)
  const { kind, link: lower = 0, linkNetnsId } = link
  if (kind === undefined) return false
  if (lower > 0 && linkNetnsId === undefined && !pairs.includes(kind)) {
    const [found] = await lookUp(channel, [lower])
    if (found !== undefined && await standsOn(channel, found, below, seen)) return true
  }
  if (!takesPorts(kind)) return false
  const [ports = []] = await channel.request([listBriefLinks(link.index)])
  for (const port of ports.map(decodeBriefLink)) {
    if (port.index === below) return true
    if (port.kind === undefined || port.kind === 'tap' || port.kind === 'tun' || pairs.includes(port.kind)) continue
    const [found] = await lookUp(channel, [port.index])
    if (found !== undefined && await standsOn(channel, found, below, seen)) return true
  }
  return false
}
