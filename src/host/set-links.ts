/** Many links changed: what is not up first, then ports that come up, then everything else that does. */
import { InvalidArgumentError } from '../errors.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import type { Entries } from '../netlink/table.ts'
import { completeOptions, linksNamed } from '../rtnetlink/kinds/given.ts'
import { portTable } from '../rtnetlink/kinds/index.ts'
import { explainLink } from '../rtnetlink/kinds/support.ts'
import { changedKind, decodeLink, getLink, setLink, takesPorts } from '../rtnetlink/links.ts'
import type { Link, LinkChange as WireChange, Resolved } from '../rtnetlink/links.ts'
import { absent, briefLinks, chunksOf } from './brief-links.ts'
import { Bulk, checkBulk } from './bulk.ts'
import type { BulkOptions } from './bulk.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import type { LinkChange } from './links.ts'
import { Turns } from './turns.ts'

/** A change of `setMany`: which link, and what of it. Moves to another namespace are `set`'s. */
export interface LinkChangeOf extends Omit<LinkChange, 'netns'> {
  link: LinkRef
}

/** What is to be sent for an item, and to undo it; kept instead of the link's whole record. */
interface Planned {
  index: number
  change: WireChange
  resolved: Resolved
  before: { change: WireChange, resolved: Resolved }
  /** Order: 0 does not come up, 1 a port that does, 2 any other that does. */
  rank: number
}

/** Whole records for one visit: their replies wait in the socket's buffer, which may be small in a user namespace. */
const readsAtOnce = 50

/** `host.links.setMany`. */
export async function setMany(channel: Channel, changes: readonly LinkChangeOf[], options: BulkOptions): Promise<void> {
  checkBulk('changes', changes, options)
  await checkChanges(changes)
  await channel.hold(async held => {
    const bulk = new Bulk(held, 'changes', changes, options, (error, change) => explainLink(error, change, changedKind(wireOf(change))))
    const planned = await plan(held, bulk, changes)
    checkLoops(changes, planned)
    const order = [...changes.keys()].filter(place => planned[place] !== undefined)
      .sort((a, b) => (planned[a]?.rank ?? 0) - (planned[b]?.rank ?? 0) || a - b)
    const request = (place: number): AnyRequest[] => {
      const { index, change, resolved } = planned[place] as Planned
      return setLink(index, change, resolved)
    }
    const encoded = await bulk.encode((_, place) => request(place), order)
    await bulk.send(encoded)
    await bulk.finish((_, place) => {
      const { index, before } = planned[place] as Planned
      return setLink(index, before.change, before.resolved)
    })
  })
}

function wireOf({ link: _link, master: _master, ...wire }: LinkChangeOf): WireChange {
  return wire
}

/** Everything that can be refused without looking at the links. */
async function checkChanges(changes: readonly LinkChangeOf[]): Promise<void> {
  const turns = new Turns()
  const seen = new Map<LinkRef, number>()
  for (const [place, item] of changes.entries()) {
    if (turns.over) await turns.next()
    const at = (field: string): string => `changes[${place}]${field === '' ? '' : `.${field}`}`
    if (typeof item !== 'object' || item === null) throw new InvalidArgumentError(at(''), item, 'an object like { link, mtu }')
    checkLinkRef(item.link, at('link'))
    const first = seen.get(item.link)
    if (first !== undefined) throw new InvalidArgumentError(at('link'), item.link, `each link once; changes[${first}] is the same`)
    seen.set(item.link, place)
    if (item.master !== undefined && item.master !== null) checkLinkRef(item.master, at('master'))
    try {
      routeStep(setLink(1, wireOf(item), {}))
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
      throw new InvalidArgumentError(at(error.field), error.value, error.accepted, error.code)
    }
  }
}

/** By place; an item whose link, or master, is not there has failed. */
async function plan(channel: Channel, bulk: Bulk<LinkChangeOf>, changes: readonly LinkChangeOf[]): Promise<(Planned | undefined)[]> {
  const found = await findNamed(channel, changes)
  const planned: (Planned | undefined)[] = []
  const byIndex = new Map<number, number>()
  const turns = new Turns()
  for (const places of chunksOf([...changes.keys()], readsAtOnce)) {
    const replies = await channel.attempt(routeStep(places.map(place => getLink((changes[place] as LinkChangeOf).link)), { mayFail: true }))
    for (const [at, place] of places.entries()) {
      if (turns.over) await turns.next()
      const item = changes[place] as LinkChangeOf
      const error = replies.errorOf(at)
      if (error !== undefined) {
        bulk.fail(place, noLink(error, item.link))
        continue
      }
      const link = decodeLink(replies.messages[at]?.[0] as Message)
      const first = byIndex.get(link.index)
      if (first !== undefined) throw new InvalidArgumentError(`changes[${place}].link`, item.link, `each link once; changes[${first}] is the same`)
      byIndex.set(link.index, place)
      const missing = namesIn(item, link).find(([, name]) => found.get(name) === undefined)
      if (missing !== undefined) bulk.fail(place, noLink(absent(missing[1]), missing[1]))
      else planned[place] = planOne(item, link, found, place)
    }
  }
  return planned
}

/** Throws if changes put links into each other, all of them together, or one into itself. */
function checkLoops(changes: readonly LinkChangeOf[], planned: readonly (Planned | undefined)[]): void {
  const placeOf = new Map(planned.map((one, place) => [one?.index, place]))
  const next = (place: number): number | undefined => {
    const master = planned[place]?.resolved.master
    return master === undefined || master === 0 ? undefined : placeOf.get(master)
  }
  // Each is walked over once: what has been seen by an earlier walk leads into no loop.
  const seenBy = new Map<number, number>()
  for (const start of changes.keys()) {
    for (let place: number | undefined = start; place !== undefined; place = next(place)) {
      const walk = seenBy.get(place)
      if (walk !== undefined && walk !== start) break
      if (walk === start) {
        throw new InvalidArgumentError(`changes[${place}].master`, changes[place]?.master, 'no link that is itself in this one: that is a loop')
      }
      seenBy.set(place, start)
    }
  }
}

/** Other links that a change names, with the field. */
function namesIn(item: LinkChangeOf, link?: Link): [string, LinkRef][] {
  const kind = changedKind(wireOf(item))
  const options = kind === undefined ? [] : linksNamed(kind, (item as unknown as Record<string, object>)[kind])
  const port = linksNamed('port', item.port, portTable(link?.portKind ?? 'bridge'))
  return [...item.master === undefined || item.master === null ? [] : [['master', item.master] as [string, LinkRef]], ...options, ...port]
}

type Found = ReadonlyMap<LinkRef, { index: number, kind: string | undefined } | undefined>

/** Each of them looked up once. */
async function findNamed(channel: Channel, changes: readonly LinkChangeOf[]): Promise<Found> {
  const names = [...new Set(changes.flatMap(item => namesIn(item).map(([, name]) => name)))]
  const links = await briefLinks(channel, names)
  return new Map(names.map((name, at) => [name, links[at]]))
}

function planOne(item: LinkChangeOf, link: Link, found: Found, place: number): Planned {
  const refuse = (field: string, value: unknown, accepted: string): never => {
    throw new InvalidArgumentError(`changes[${place}].${field}`, value, accepted)
  }
  const wire = wireOf(item)
  const kind = changedKind(wire)
  const given = wire as Record<string, object | undefined>
  const into = item.master === undefined || item.master === null ? undefined : found.get(item.master)
  if (into !== undefined && !takesPorts(into.kind)) {
    refuse('master', item.master, `a link that takes ports; ${item.master} is ${into.kind ?? 'none'}`)
  }
  if (kind !== undefined && kind !== link.kind) {
    refuse(kind, given[kind], `no options of another kind: ${link.name} is ${link.kind ?? 'a link without a kind'}`)
  }
  const masterKind = into?.kind ?? (item.master === null ? undefined : link.portKind)
  if (wire.port !== undefined && masterKind === undefined) refuse('port', wire.port, `no options of a port: ${link.name} has no master`)
  const present = kind === undefined ? undefined : (link as unknown as typeof given)[kind]
  const change = kind === undefined ? wire : { ...wire, [kind]: completeOptions(kind, present, given[kind] as object) }
  const named = namesIn(item, link).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
  const indices = new Map(named.map(([, name]) => [name, found.get(name)?.index ?? 0]))
  const isPort = into !== undefined || (item.master === undefined && link.master !== undefined)
  return {
    index: link.index,
    change,
    resolved: {
      ...(item.master === undefined ? {} : { master: into?.index ?? 0 }), ...(masterKind === undefined ? {} : { masterKind }), indices,
    },
    before: {
      change: before(item, link),
      resolved: {
        ...(item.master === undefined ? {} : { master: link.master ?? 0 }),
        ...(link.portKind === undefined ? {} : { masterKind: link.portKind }),
      },
    },
    rank: wire.up === true ? isPort ? 1 : 2 : 0,
  }
}

/** The change that brings back what a change takes away, as far as the kernel shows it. */
function before(item: LinkChangeOf, link: Link): WireChange {
  const back: Record<string, unknown> = {}
  const kind = changedKind(wireOf(item))
  const present = link as unknown as Record<string, Record<string, unknown> | undefined>
  for (const name of Object.keys(wireOf(item))) {
    if (name === 'port') back['port'] = pick(link.port, item.port as object)
    else if (name === kind) back[name] = pick(present[name], (item as unknown as Record<string, object>)[name] as object)
    else if (name === 'alias') back['alias'] = link.alias ?? ''
    else if (name === 'addAltNames') back['deleteAltNames'] = item.addAltNames
    else if (name === 'deleteAltNames') back['addAltNames'] = item.deleteAltNames
    else back[name] = present[name]
  }
  // Options as a port are lost with the master.
  if (item.master !== undefined && link.port !== undefined) back['port'] = settable(link.port, link.portKind)
  return Object.fromEntries(Object.entries(back).filter(([, value]) => value !== undefined))
}

function pick(values: object | undefined, names: object): object {
  const all = (values ?? {}) as Record<string, unknown>
  return Object.fromEntries(Object.keys(names).filter(name => all[name] !== undefined).map(name => [name, all[name]]))
}

function settable(port: object, portKind: string | undefined): object | undefined {
  const entries: Entries | undefined = portTable(portKind ?? '')?.entries
  if (entries === undefined) return undefined
  // The state is the bridge's business, as soon as the port is up.
  return Object.fromEntries(Object.entries(port).filter(([name]) => name !== 'state' && name in entries && entries[name]?.[1].readOnly !== true))
}
