/** Neighbours: what `ip neighbour` and `bridge fdb` do. */
import { constants } from 'node:os'
import { checkGiven } from '../checks.ts'
import type { Check } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { checkVlan, decodeFdbEntry, deleteFdbEntry, flushFdb, getFdbEntry, listFdb, listedState, newFdbEntry } from '../rtnetlink/fdb.ts'
import type { FdbEntry, FdbFlush as WireFlush, FdbKey as WireFdbKey, FdbLookup as WireLookup, FdbSpec as WireFdbSpec, FdbState } from '../rtnetlink/fdb.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed } from '../rtnetlink/listed.ts'
import { decodeNeighbor, deleteNeighbor, getNeighbor, listNeighbors, newNeighbor, states } from '../rtnetlink/neighbors.ts'
import type { Neighbor, NeighborKey as WireKey, NeighborSpec as WireSpec, NeighborState } from '../rtnetlink/neighbors.ts'
import { bulkOptions } from './bulk.ts'
import type { BulkOptions } from './bulk.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { Indices } from './indices.ts'
import { changeWithLinks } from './link-indices.ts'
import type { EachLink, IndexOf } from './link-indices.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import type { Links } from './links.ts'
import { bulkFlushUnsupported, managedUnsupported, vlansUnsupported } from './unsupported.ts'

/** What identifies an entry of ARP (IPv4) or NDP (IPv6). */
export interface NeighborKey extends WireKey {
  /** The link that the neighbour is on. */
  link: LinkRef
}

/** An entry of ARP or NDP to add. */
export interface NeighborSpec extends WireSpec {
  /** The link that the neighbour is on. */
  link: LinkRef
}

/** What identifies an entry of a forwarding database. */
export interface FdbKey extends Omit<WireFdbKey, 'via'> {
  /** The port, or the bridge or vxlan itself. */
  link: LinkRef
  /** vxlan: the link that the remote end is reached by. */
  via?: LinkRef
}

/** An entry of a forwarding database to add. */
export interface FdbSpec extends Omit<WireFdbSpec, 'via'> {
  /** The port, or the bridge or vxlan itself. */
  link: LinkRef
  /** vxlan: the link that the remote end is reached by. */
  via?: LinkRef
}

/** What `get` looks up in a forwarding database: that of `bridge`, of the bridge that `link` is a port of, or of `link` itself. */
export interface FdbLookup extends Omit<WireLookup, 'bridge'> {
  bridge?: LinkRef
  link?: LinkRef
}

/** Which entries of ARP and NDP to list; what is left out does not matter. */
export interface NeighborFilter {
  link?: LinkRef
  /** On links that are ports or slaves of this one. */
  master?: LinkRef
  /** Default: both. */
  family?: 4 | 6
  /** The addresses that the host answers for in place of others; they are not listed otherwise. */
  proxy?: boolean
  /** Left out by virbr, not by the kernel, which has no such filter. */
  state?: NeighborState | readonly NeighborState[]
}

/** Which forwarding entries to list; what is left out does not matter. */
export interface FdbFilter {
  family: 'bridge'
  /** A port, or a bridge or vxlan itself. */
  link?: LinkRef
  /** The bridge. */
  master?: LinkRef
  /** Left out by virbr, not by the kernel, which has no such filter. */
  vlan?: number
  /** Left out by virbr, not by the kernel, which has no such filter. */
  state?: FdbState | readonly FdbState[]
}

/** Which entries of ARP and NDP to flush. */
export interface NeighborFlush extends NeighborFilter {
  /** Default: all but `permanent` and `noarp`. */
  state?: NeighborState | readonly NeighborState[]
}

/** Which forwarding entries to flush: of a bridge (`master`), of a port (`link`), or of a vxlan (`link` and `self`). */
export interface FdbFlush extends WireFlush {
  family: 'bridge'
  link?: LinkRef
  master?: LinkRef
  /** The database of `link` itself, which is a vxlan. */
  self?: boolean
}

type Verb = 'add' | 'replace' | 'append' | 'delete'

/**
 * Neighbours of a namespace: `host.neighbors`. An entry with `ip` is one of ARP or NDP, one with `mac` one of the forwarding
 * database of a bridge, or a vxlan. Links are given by name or index; one that does not exist is ERR_NO_LINK; what the
 * kernel refuses is ERR_NETLINK, e.g. EEXIST, ENOENT. Changes need CAP_NET_ADMIN, else ERR_NO_PERMISSION.
 * Source: ip-neighbour(8), bridge(8).
 */
export class Neighbors {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  /** ARP and NDP, or with `family: 'bridge'` forwarding entries. Filtered in the kernel, but where a filter says otherwise. */
  list(filter: FdbFilter): Promise<Listed<FdbEntry>>
  list(filter?: NeighborFilter): Promise<Listed<Neighbor>>
  async list(filter: NeighborFilter | FdbFilter = {}): Promise<Listed<Neighbor> | Listed<FdbEntry>> {
    checkObject(filter, 'filter')
    checkGiven('family', filter.family, aFamily)
    const { link, master, ...rest } = filter
    if (rest.family === 'bridge') {
      checkFields(filter, ['family', 'link', 'master', 'vlan', 'state'], 'a filter of forwarding entries')
      const { family: _, vlan, state, ...wire } = rest
      checkVlan(vlan)
      const wanted: readonly (FdbState | number)[] | undefined = stateList(state)?.map(listedState)
      const indices = await this.#resolve({ index: link, master })
      return sift<FdbEntry>((await this.#dump(listFdb({ ...wire, ...indices }))).map(decodeFdbEntry), {
        vlan: equals(vlan, entry => entry.vlan), state: wanted && (entry => wanted.includes(entry.state)),
      }, {
        link: equals(indices.index, entry => entry.index),
        // Entries of the bridge itself, and those that ports have for themselves, name no master.
        master: equals(indices.master, entry => entry.master ?? indices.master),
      })
    }
    checkFields(filter, ['family', 'link', 'master', 'proxy', 'state'], 'a filter of neighbours')
    const { state, ...wire } = rest
    listNeighbors(wire)
    const wanted = stateList(state)?.map(name => states.name(states.number(name as NeighborState, 'state')))
    const indices = await this.#resolve({ index: link, master })
    // What the master of its link is, an entry does not say; kernels have long filtered by it.
    return sift<Neighbor>((await this.#dump(listNeighbors({ ...wire, ...indices }))).map(decodeNeighbor), {
      state: wanted && (entry => wanted.includes(entry.state)),
    }, {
      link: equals(indices.index, entry => entry.index), family: equals(wire.family, entry => entry.family),
      proxy: wire.proxy === true ? entry => entry.flags.includes('proxy') : undefined,
    })
  }

  /** One request, not a dump. Rejects with ENOENT (ERR_NETLINK) if there is none. */
  get(key: NeighborKey): Promise<Neighbor>
  get(key: FdbLookup): Promise<FdbEntry>
  async get(key: NeighborKey | FdbLookup): Promise<Neighbor | FdbEntry> {
    checkObject(key, 'neighbor')
    if (isOfIp(key)) {
      const { link, ...wire } = key
      routeStep([getNeighbor(1, wire)])
      return decodeNeighbor(await this.#one(getNeighbor(await this.#links.index(link), wire), link))
    }
    const { link, bridge, ...wire } = key
    routeStep([getFdbEntry(1, wire)])
    if ((link === undefined) === (bridge === undefined)) {
      throw new InvalidArgumentError('link', link, 'either a link or a bridge to look in')
    }
    const { index, ...rest } = await this.#resolve({ index: link, bridge })
    return decodeFdbEntry(await this.#one(getFdbEntry(index, { ...wire, ...rest }), link ?? bridge ?? ''))
  }

  /** Rejects with EEXIST if there is an entry for the address. */
  add(entry: NeighborSpec | FdbSpec): Promise<void> {
    return this.#send(entry, 'add')
  }

  /** Adds it, in place of the entry for the address if there is one. */
  replace(entry: NeighborSpec | FdbSpec): Promise<void> {
    return this.#send(entry, 'replace')
  }

  /** vxlan: adds a further remote end for the address. */
  append(entry: FdbSpec): Promise<void> {
    return this.#send(entry, 'append')
  }

  /** What does not identify the entry may stand there too: `delete` takes what `add` took. Rejects with ENOENT if there is none. */
  delete(entry: NeighborKey | FdbKey): Promise<void> {
    return this.#send(entry, 'delete')
  }

  /**
   * Adds entries of either sort, in chunks of one sendmsg; see docs/bulk.md. Some that the kernel refuses are one
   * ERR_BULK; `atomic` then takes away those that were added.
   * @default { atomic: true }
   */
  async addMany(entries: readonly (NeighborSpec | FdbSpec)[], options: BulkOptions = {}): Promise<void> {
    await this.#many(entries, 'add', 'delete', bulkOptions(true, options))
  }

  /**
   * Deletes entries of either sort, in chunks of one sendmsg; see docs/bulk.md. What is deleted cannot be brought back, so
   * `atomic` is not to be had.
   */
  async deleteMany(entries: readonly (NeighborKey | FdbKey)[], options: Pick<BulkOptions, 'signal'> = {}): Promise<void> {
    await this.#many(entries, 'delete', undefined, options)
  }

  /**
   * Deletes what matches. Without `state`, what was made to last stays: of ARP and NDP `permanent` and `noarp`, of
   * forwarding entries all but `dynamic`. Forwarding entries go in the kernel, in one request (Linux 5.19, vxlan 6.7, else
   * ERR_UNSUPPORTED); of ARP and NDP those listed are deleted, in one sendmsg.
   */
  async flush(filter: NeighborFlush | FdbFlush): Promise<void> {
    checkObject(filter, 'filter')
    checkGiven('family', filter.family, aFamily)
    if (filter.family === 'bridge') return this.#flushFdb(filter)
    const listed = await this.list(filter)
    const everything = filter.state !== undefined || filter.proxy === true
    const entries = everything ? listed : listed.filter(({ state }) => state !== 'permanent' && state !== 'noarp')
    const requests = entries.map(({ index, ip, flags }) => deleteNeighbor(index, { ip, proxy: flags.includes('proxy') }))
    if (requests.length === 0) return
    const replies = await this.#channel.attempt(routeStep(requests, { mayFail: true }))
    // Some may have gone by themselves meanwhile.
    const error = replies.firstError(constants.errno.ENOENT)
    if (error !== undefined) throw error
  }

  async #flushFdb({ family: _, link, master, self = false, ...what }: FdbFlush): Promise<void> {
    if (typeof self !== 'boolean') throw new InvalidArgumentError('self', self, 'true or false')
    routeStep(flushFdb(1, what, { self }))
    if (link === undefined && master === undefined) throw new InvalidArgumentError('master', master, 'a bridge, or a port as link')
    if (self && (link === undefined || master !== undefined)) throw new InvalidArgumentError('self', self, 'with a link, and no master')
    const { index, master: bridge } = await this.#resolve({ index: link, master })
    // A port stands for its whole bridge, unless it is named once more.
    const requests = flushFdb(bridge ?? index ?? 0, what, {
      self: self || bridge !== undefined, ...(self || index === undefined ? {} : { only: index }),
    })
    const { error } = await this.#channel.attempt(routeStep(requests, { mayFail: true }))
    if (error === undefined) return
    throw bulkFlushUnsupported(error, self) ?? noLink(error, link ?? master ?? '')
  }

  async #send(entry: NeighborSpec | FdbSpec, verb: Verb): Promise<void> {
    routeStep([requestFor(entry, verb, () => 1)])
    const { link } = entry
    const via = 'via' in entry ? entry.via : undefined
    const indices = await Indices.of(this.#channel, [link, via])
    const missing = indices.errorOf(link) ?? indices.errorOf(via)
    if (missing !== undefined) throw missing
    const indexOf = (found: LinkRef): number => indices.get(found)
    const request = requestFor(entry, verb, indexOf)
    const { error } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error !== undefined) throw await this.#explain(error, entry)
    if (!isManaged(entry, verb) || await this.#keepsManaged(entry, indexOf)) return
    if (verb === 'add') await this.#channel.attempt(routeStep([requestFor(entry, 'delete', indexOf)], { mayFail: true }))
    throw managedUnsupported(request)
  }

  async #explain(error: NetlinkError, entry: NeighborSpec | FdbSpec): Promise<Error> {
    const { EINVAL, EOPNOTSUPP } = constants.errno
    if ('master' in entry && entry.master === true && error.errno === EOPNOTSUPP) {
      const { name, master } = await this.#links.get(entry.link)
      if (master === undefined) return new InvalidArgumentError('link', entry.link, `a port of a bridge, with master; ${name} is none`)
    }
    const vlan = 'vlan' in entry && entry.vlan !== undefined && error.errno === EINVAL
    return (vlan ? await vlansUnsupported(this.#links, entry.link) : undefined) ?? noLink(error, entry.link)
  }

  /** A kernel that is too old passes over the flag. */
  async #keepsManaged({ ip, link }: NeighborSpec, indexOf: IndexOf): Promise<boolean> {
    const { messages } = await this.#channel.attempt(routeStep([getNeighbor(indexOf(link), { ip })], { mayFail: true }))
    const [[message] = []] = messages
    // One that has gone meanwhile says nothing.
    return message === undefined || decodeNeighbor(message).flags.includes('managed')
  }

  async #many(entries: readonly (NeighborKey | FdbKey)[], verb: Verb, undo: Verb | undefined, options: BulkOptions): Promise<void> {
    await changeWithLinks(this.#channel, {
      list: 'neighbors', items: entries as readonly (NeighborSpec | FdbSpec)[], eachLink,
      request: (entry, indexOf) => requestFor(entry, verb, indexOf),
      ...(undo === undefined ? {} : { undo: (_, place, indexOf) => requestFor(entries[place] as FdbSpec, undo, indexOf) }),
      explain: (error, entry) => this.#explain(error, entry),
      afterwards: async (bulk, indexOf) => {
        // One tells of all.
        const managed = entries.findIndex((entry, index) => isManaged(entry, verb) && !bulk.isFailed(index))
        if (managed < 0 || bulk.stopped || await this.#keepsManaged(entries[managed] as NeighborSpec, indexOf)) return
        entries.forEach((entry, index) => {
          if (isManaged(entry, verb)) bulk.fail(index, managedUnsupported(requestFor(entry, verb, indexOf)))
        })
      },
    }, options)
  }

  async #dump(request: AnyRequest): Promise<Message[]> {
    const [messages = []] = await this.#channel.request([request])
    return messages
  }

  async #one(request: AnyRequest, link: LinkRef): Promise<Message> {
    const { error, messages } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error !== undefined) throw noLink(error, link)
    return messages[0]?.[0] as Message
  }

  /** Indices of the links that are given. */
  async #resolve<K extends string>(links: Record<K, LinkRef | undefined>): Promise<{ [P in K]?: number }> {
    const found: { [P in K]?: number } = {}
    for (const [name, link] of Object.entries(links) as [K, LinkRef | undefined][]) {
      if (link !== undefined) found[name] = await this.#links.index(link, name === 'index' ? 'link' : name)
    }
    return found
  }
}

function isManaged(entry: NeighborKey | FdbKey, verb: Verb): entry is NeighborSpec {
  return verb !== 'delete' && 'managed' in entry && entry.managed === true
}

function requestFor(entry: NeighborSpec | FdbSpec, verb: Verb, indexOf: IndexOf): AnyRequest {
  checkObject(entry, 'neighbor')
  checkLinkRef(entry.link)
  if (verb === 'append' && isOfIp(entry)) throw new InvalidArgumentError('ip', entry.ip, 'nothing: only forwarding entries have several ends')
  const request = isOfIp(entry) ? ofIp(entry, verb, indexOf(entry.link)) : ofMac(entry, verb, indexOf)
  request.operation += ` of link ${entry.link}`
  return request
}

function ofIp({ link: _, ...wire }: NeighborSpec, verb: Verb, index: number): AnyRequest {
  return verb === 'delete' ? deleteNeighbor(index, wire) : newNeighbor(index, wire, verb === 'append' ? 'add' : verb)
}

function ofMac(entry: FdbSpec, verb: Verb, indexOf: IndexOf): AnyRequest {
  const { link, via, ...rest } = entry
  const wire: WireFdbSpec = rest
  if (via !== undefined) {
    checkLinkRef(via, 'via')
    wire.via = indexOf(via)
  }
  return verb === 'delete' ? deleteFdbEntry(indexOf(link), wire) : newFdbEntry(indexOf(link), wire, verb)
}

const eachLink: EachLink = (entry, show) => {
  if (typeof entry !== 'object' || entry === null) return
  const { link, via } = entry as Partial<FdbSpec>
  show(link, 'link')
  if (via !== undefined) show(via, 'via')
}

function isOfIp(entry: NeighborKey | FdbKey | FdbLookup): entry is NeighborKey {
  if ('ip' in entry) return true
  if ('mac' in entry) return false
  throw new InvalidArgumentError('neighbor', entry, 'an entry with ip, for ARP and NDP, or with mac, for a forwarding database')
}

const aFamily: Check = { accepted: "4, 6 or 'bridge'", test: value => value === 4 || value === 6 || value === 'bridge' }

function stateList<S>(state: S | readonly S[] | undefined): readonly (S | number)[] | undefined {
  return state === undefined ? undefined : Array.isArray(state) ? state as readonly S[] : [state as S]
}

function checkObject(value: unknown, field: string): asserts value is object {
  if (typeof value !== 'object' || value === null) throw new InvalidArgumentError(field, value, 'an object')
}
