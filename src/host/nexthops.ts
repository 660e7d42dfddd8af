/** Nexthop objects: what `ip nexthop` does. */
import { constants } from 'node:os'
import { aBoolean, anything, checkEach, fieldsOf } from '../checks.ts'
import type { Check } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed } from '../rtnetlink/listed.ts'
import { protocols } from '../rtnetlink/names.ts'
import { decodeBucket, decodeNexthop, deleteNexthop, getNexthop, listBuckets, listNexthops, newNexthop } from '../rtnetlink/nexthops.ts'
import type {
  BucketFilter as WireBucketFilter, Nexthop, NexthopBucket, NexthopFilter as WireFilter, NexthopSpec as WireSpec,
} from '../rtnetlink/nexthops.ts'
import { lacks, orUnsupported } from '../rtnetlink/unsupported.ts'
import type { BulkOptions } from './bulk.ts'
import { bulkOptions, changeMany } from './bulk.ts'
import type { Channel } from './channel.ts'
import { flush } from './flush.ts'
import { changeWithLinks } from './link-indices.ts'
import type { EachLink } from './link-indices.ts'
import type { LinkRef } from './link-ref.ts'
import type { Links } from './links.ts'

/** A nexthop to add or replace. */
export interface NexthopSpec extends WireSpec {
  /** The link that packets leave by. */
  link?: LinkRef
}

/** Which nexthops to list. The kernel filters, but by protocol, which virbr does. */
export interface NexthopFilter extends Omit<WireFilter, 'index' | 'master'> {
  /** The link that packets leave by. */
  link?: LinkRef
  /** The VRF or bridge of that link. */
  master?: LinkRef
}

/** Which buckets of resilient groups to list; the kernel filters. */
export interface BucketFilter extends Omit<WireBucketFilter, 'index' | 'master'> {
  link?: LinkRef
  master?: LinkRef
}

/**
 * Nexthop objects of a namespace: `host.nexthops`. Routes name them by `nexthopId`, so that one change moves many routes.
 * Linux 5.3, else ERR_UNSUPPORTED. What the kernel refuses is ERR_NETLINK. Changes need CAP_NET_ADMIN, else
 * ERR_NO_PERMISSION.
 */
export class Nexthops {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  async list(filter: NexthopFilter = {}): Promise<Listed<Nexthop>> {
    checkEach('', filter, filterChecks, 'a filter of nexthops')
    const { protocol } = filter
    const number = protocol === undefined ? undefined : protocols.number(protocol, 'protocol')
    const messages = await this.#dump(filter, listNexthops)
    // Every kernel that has nexthops filters, or refuses.
    return sift<Nexthop>(messages.map(decodeNexthop), { protocol: equals(number, nexthop => protocols.number(nexthop.protocol, 'protocol')) })
  }

  /** Rejects with ENOENT if there is none. */
  async get(id: number, options: { statistics?: boolean } = {}): Promise<Nexthop> {
    checkFields(options, ['statistics'], 'options')
    return decodeNexthop(await this.#ask(getNexthop(id, options)))
  }

  /** The nexthop as the kernel has it, with the id that it gave. Rejects with EEXIST if there is one of that id. */
  async add(nexthop: NexthopSpec): Promise<Nexthop> {
    return this.#make(nexthop, false)
  }

  /** Adds it, or puts it in the place of the one of its id, for all routes and groups that use that. */
  async replace(nexthop: NexthopSpec): Promise<Nexthop> {
    return this.#make(nexthop, true)
  }

  /** With it go the routes that use it, and its place in groups. Rejects with ENOENT if there is none. */
  async delete(id: number): Promise<void> {
    await this.#send(deleteNexthop(id))
  }

  /** Deletes all that match, groups first; how many. Without a filter: all. */
  async flush(filter: NexthopFilter = {}): Promise<number> {
    const items = await this.list(filter)
    const groupsFirst = [...items.filter(({ group }) => group !== undefined), ...items.filter(({ group }) => group === undefined)]
    return flush(this.#channel, 'nexthops', groupsFirst, ({ id }) => deleteNexthop(id))
  }

  /** Buckets of resilient groups: which nexthop each leads to, and how long it has been idle. Linux 5.13. */
  async buckets(filter: BucketFilter = {}): Promise<Listed<NexthopBucket>> {
    return sift((await this.#dump(filter, listBuckets)).map(decodeBucket), {})
  }

  /**
   * Adds 1 to 100,000 nexthops, in order: groups behind their members. Each has to have an id. All or none unless
   * `atomic: false`. Rejects with BulkError if the kernel refused some.
   */
  async addMany(nexthops: readonly NexthopSpec[], options: BulkOptions = {}): Promise<void> {
    await changeWithLinks(this.#channel, {
      list: 'nexthops', items: nexthops, eachLink, key: request => String(idOf(request)), field: 'id',
      request: (spec, indexOf) => {
        checkFields(spec, Object.keys(spec ?? {}), 'a nexthop')
        if (spec.id === undefined) throw new InvalidArgumentError('id', spec.id, 'an id, in a call with many')
        return newNexthop(toWire(spec, indexOf), { echo: false })
      },
      undo: request => deleteNexthop(idOf(request)),
      explain: (error, { encap }) => explain(error, encap?.type),
    }, bulkOptions(true, options))
  }

  /** Deletes many by their ids, in order. Not `atomic`: routes go with their nexthops. */
  async deleteMany(ids: readonly number[], options: Pick<BulkOptions, 'signal'> = {}): Promise<void> {
    checkFields(options, ['signal'], 'options')
    await changeMany(this.#channel, { list: 'nexthops', items: ids, request: deleteNexthop, explain: error => explain(error) }, bulkOptions(false, options))
  }

  async #make(spec: NexthopSpec, replace: boolean): Promise<Nexthop> {
    checkFields(spec, Object.keys(spec ?? {}), 'a nexthop')
    newNexthop(toWire(spec, () => 1), { replace })
    const index = spec.link === undefined ? 0 : await this.#links.index(spec.link)
    return decodeNexthop(await this.#ask(newNexthop(toWire(spec, () => index), { replace }), spec.encap?.type))
  }

  async #dump(
    filter: { link?: LinkRef, master?: LinkRef }, request: (wire: { index?: number, master?: number }) => AnyRequest,
  ): Promise<Message[]> {
    const { link, master, ...rest } = fieldsOf('filter', filter)
    request({ ...rest, ...(link === undefined ? {} : { index: 1 }), ...(master === undefined ? {} : { master: 1 }) })
    return this.#send(request({
      ...rest,
      ...(link === undefined ? {} : { index: await this.#links.index(link) }),
      ...(master === undefined ? {} : { master: await this.#links.index(master, 'master') }),
    }))
  }

  async #ask(request: AnyRequest, encap?: string | number): Promise<Message> {
    return (await this.#send(request, encap))[0] as Message
  }

  async #send(request: AnyRequest, encap?: string | number): Promise<Message[]> {
    try {
      return (await this.#channel.request([request]))[0] ?? []
    } catch (error) {
      throw error instanceof NetlinkError ? explain(error, encap) : error
    }
  }
}

/** What says anything is checked where it is read. */
const filterChecks: Record<keyof NexthopFilter, Check> = {
  link: anything, master: anything, groups: aBoolean, fdb: aBoolean, family: anything, protocol: anything, statistics: aBoolean,
}

function explain(error: NetlinkError, encap?: string | number): Error {
  // Messages of unknown types are refused without a word.
  const unknown = error.errno === constants.errno.EOPNOTSUPP && error.kernelMessage === undefined
  return unknown ? lacks(error.operation, 'Linux 5.3, for nexthop objects; 5.13, for buckets', error) : orUnsupported(error, encap)
}

const eachLink: EachLink = (spec, show) => {
  const { link } = (typeof spec === 'object' && spec !== null ? spec : {}) as Partial<NexthopSpec>
  if (link !== undefined) show(link, 'link')
}

function toWire({ link, ...rest }: NexthopSpec, indexOf: (link: LinkRef) => number): WireSpec {
  return link === undefined ? rest : { ...rest, index: indexOf(link) }
}

function idOf({ attributes }: AnyRequest): number {
  return (attributes as { id: number }).id
}
