/**
 * Changes of a namespace as they happen: `host.watch`.
 *
 * A socket hears of changes before what is there is listed, so nothing falls between the two; `Snapshot` says how they are
 * put together. Where events were lost, in the kernel or because the reader was slow, the same is done anew, once the
 * reader has come to that place.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import type { EventQueue, OverrunEvent, QueueOptions } from '../events.ts'
import { NETLINK_ROUTE } from '../netlink/constants.ts'
import { Notice, bodies } from '../netlink/events.ts'
import { errorFromReply } from '../netlink/extack.ts'
import { encodeRequests, errorsIn } from '../netlink/message.ts'
import type { AnyRequest } from '../netlink/message.ts'
import type { Address } from '../rtnetlink/addresses.ts'
import type { FdbEntry } from '../rtnetlink/fdb.ts'
import type { Link } from '../rtnetlink/links.ts'
import type { Neighbor } from '../rtnetlink/neighbors.ts'
import type { Nexthop } from '../rtnetlink/nexthops.ts'
import type { BridgePort } from '../rtnetlink/ports.ts'
import type { Route } from '../rtnetlink/route-records.ts'
import type { Rule } from '../rtnetlink/rules.ts'
import { Snapshot } from '../rtnetlink/snapshot.ts'
import { checkTopicFilter, isReplacement, topics } from '../rtnetlink/topics.ts'
import type { Topic, TopicFilter, TopicName } from '../rtnetlink/topics.ts'
import { failure, isFailure, routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { EventFeed, checkReceiveBuffer } from './event-socket.ts'
import { checkLinkRef } from './link-ref.ts'
import type { LinkRef, Links } from './links.ts'
import { Turns } from './turns.ts'

/** What to watch. `true`: all of that kind. A filter: those that match all that it names. */
export interface WatchTargets {
  /** `link` need not exist yet. A link that no longer matches, of which the last event told, is told once more. */
  links?: boolean | { link?: LinkRef, kind?: string, master?: LinkRef }
  /** Links as ports of bridges: options, and the state of STP. */
  bridgePorts?: boolean | { link?: LinkRef, master?: LinkRef }
  addresses?: boolean | { link?: LinkRef, family?: 4 | 6 }
  /** Of the main table, unless `table` names another, or `all`. */
  routes?: boolean | { link?: LinkRef, family?: 4 | 6, table?: string | number }
  /** ARP and NDP. */
  neighbors?: boolean | { link?: LinkRef, family?: 4 | 6 }
  /** Forwarding databases of bridges and vxlans. */
  fdb?: boolean | { link?: LinkRef, master?: LinkRef }
  /** Of policy routing. */
  rules?: boolean | { family?: 4 | 6 }
  /** Nexthop objects and their groups; Linux 5.3. */
  nexthops?: boolean | { link?: LinkRef, family?: 4 | 6 }
}

export interface WatchOptions extends QueueOptions {
  /** Begin with what is there: an event for each object, then `ready`. Default true. */
  snapshot?: boolean
  /** Bytes of events that the kernel holds for a slow process, at least 4,096. Default 8 MiB. */
  receiveBuffer?: number
}

/**
 * `present`: it is there, of the snapshot. `new`: it was made, or changed; the kernel does not tell them apart. `replace`:
 * it took the place of others (`ip route replace`). `delete`: it is gone.
 */
export type Change = 'present' | 'new' | 'replace' | 'delete'

/** What `host.watch` gives. */
export type WatchEvent =
  | { type: 'link', change: Change, link: Link }
  | { type: 'bridgePort', change: Change, bridgePort: BridgePort }
  | { type: 'address', change: Change, address: Address }
  | { type: 'route', change: Change, route: Route }
  | { type: 'neighbor', change: Change, neighbor: Neighbor }
  | { type: 'fdb', change: Change, fdb: FdbEntry }
  | { type: 'rule', change: Change, rule: Rule }
  | { type: 'nexthop', change: Change, nexthop: Nexthop }
  /** All that was there has been told; what follows are changes. */
  | { type: 'ready' }
  /** Events are missing here. With a snapshot: forget what was told; a new one follows, then `ready`. */
  | OverrunEvent

/** A stream of changes, for `for await`. It ends with `close`, with the Host, or with the signal. */
export interface Watch<E = WatchEvent> extends AsyncIterableIterator<E, undefined>, AsyncDisposable {
  /**
   * Resolves when what was there is known, and all that happens from now on is told as a change; rejects if watching is
   * impossible.
   */
  readonly ready: Promise<void>
  close(): Promise<void>
}

type Told = Exclude<WatchEvent, OverrunEvent>

interface Target {
  topic: Topic<unknown>
  filter: TopicFilter
  /** Keys of the objects that were told of, where they may stop matching the filter. */
  told: Set<string | number> | undefined
}

/** A snapshot that is still uncertain after so many dumps is told as it is. */
const mostDumps = 5

/** Throws InvalidArgumentError; everything else is the queue's failure. */
export function watchHost(channel: Channel, links: Links, what: WatchTargets, options: WatchOptions): Watch {
  const wanted = checkTargets(what)
  checkFields(options, ['limit', 'signal', 'snapshot', 'receiveBuffer'], 'options of a watch')
  const { limit, signal, snapshot = true, receiveBuffer } = options
  if (typeof snapshot !== 'boolean') throw new InvalidArgumentError('snapshot', snapshot, 'true or false')
  checkReceiveBuffer(receiveBuffer)
  const stream = new Stream(channel, wanted, { limit, signal }, snapshot)
  if (!stream.queue.closed) void stream.open(links, receiveBuffer).catch((error: unknown) => { stream.queue.fail(error) })
  return stream.queue
}

function checkTargets(what: WatchTargets): [TopicName, TopicFilter][] {
  const names = Object.keys(topics) as TopicName[]
  checkFields(what, names, 'what to watch')
  const wanted = names.flatMap(name => {
    const filter: boolean | TopicFilter | undefined = what[name] as boolean | TopicFilter | undefined
    if (filter === undefined || filter === false) return []
    if (filter !== true) {
      checkTopicFilter(name, filter, name)
      for (const field of ['link', 'master'] as const) if (filter[field] !== undefined) checkLinkRef(filter[field], `${name}.${field}`)
    }
    return [[name, filter === true ? {} : filter]] as [TopicName, TopicFilter][]
  })
  if (wanted.length === 0) throw new InvalidArgumentError('what', what, `at least one of ${names.join(', ')}`)
  return wanted
}

class Stream {
  readonly #feed: EventFeed<Told>
  readonly #channel: Channel
  readonly #wanted: readonly [TopicName, TopicFilter][]
  readonly #snapshot: boolean
  #targets: Target[] = []
  /** Events go to the reader: not while a snapshot is taken, nor from an overrun on until the reader knows of it. */
  #streaming = false
  /** What is done with events until all that were queued have come. */
  #syncing: { take: (target: Target, message: Notice) => void, done: (lost: boolean) => void, lost: boolean } | undefined

  constructor(channel: Channel, wanted: readonly [TopicName, TopicFilter][], options: QueueOptions, snapshot: boolean) {
    this.#channel = channel
    this.#wanted = wanted
    this.#snapshot = snapshot
    this.#feed = new EventFeed<Told>(channel, options, {
      take: (messages, lost, synced) => this.#receive(messages, lost, synced),
      onOverrun: () => { this.#recover() },
    })
  }

  get queue(): EventQueue<Told> {
    return this.#feed.queue
  }

  async open(links: Links, receiveBuffer: number | undefined): Promise<void> {
    this.#targets = await Promise.all(this.#wanted.map(async ([name, filter]) => ({
      topic: topics[name] as Topic<unknown>,
      filter: await resolve(links, name, filter),
      told: leavable.has(name) && Object.keys(filter).length > 0 ? new Set<string | number>() : undefined,
    })))
    const groups = [...new Set(this.#targets.flatMap(({ topic, filter }) => topic.groups(filter)))]
    if (!await this.#feed.open(NETLINK_ROUTE, groups, receiveBuffer)) return
    if (this.#snapshot) await this.#takeSnapshot()
    else this.#stream()
  }

  #stream(): void {
    this.#feed.opened()
    this.#streaming = true
    this.#feed.want()
  }

  /** The reader has come to where events were lost. */
  #recover(): void {
    if (!this.#snapshot) {
      this.#stream()
      return
    }
    const again = async (): Promise<void> => {
      // What came before the snapshot that is to be taken now, with gaps.
      await this.#sync(() => {})
      await this.#takeSnapshot()
    }
    again().catch((error: unknown) => { this.queue.fail(error) })
  }

  async #takeSnapshot(): Promise<void> {
    for (let dumps = 1; !this.queue.closed; dumps++) {
      const snapshots = await this.#dump()
      const lost = await this.#sync((target, message) => { snapshots.get(target)?.apply(message) })
      if (lost) continue
      if (dumps < mostDumps && [...snapshots.values()].some(({ uncertain }) => uncertain)) continue
      const found = [...snapshots].map(([target, snapshot]) => this.#present(target, snapshot))
      this.queue.insert((function* () {
        for (const events of found) yield* events
        yield { type: 'ready' } as const
      })())
      this.#stream()
      return
    }
  }

  async #dump(): Promise<Map<Target, Snapshot>> {
    const requests = this.#targets.map(({ topic, filter }) => topic.list(filter))
    const step = { ...routeStep(requests, { mayFail: true }), partial: true }
    const { results: [reply] } = await this.#channel.exec([step])
    if (isFailure(reply)) throw failure(step, reply)
    const bytes = Buffer.from(reply.buffer, reply.byteOffset, reply.length)
    for (const { at, length, index } of errorsIn(bytes)) {
      const request = requests[index] as AnyRequest
      const error = errorFromReply(request, () => encodeRequests([request]), bytes, at, length)
      if (this.#targets[index]?.topic.nothing?.includes(error.errnoName) !== true) throw error
    }
    const snapshots = new Map(this.#targets.map(target => [target, new Snapshot(target.topic)]))
    const turns = new Turns()
    for (const [target, message] of this.#read(bytes)) {
      snapshots.get(target)?.add(message)
      if (turns.over) await turns.next()
    }
    return snapshots
  }

  /** Takes all events that are queued by now. Resolves with whether some of them were lost, or the queue was closed. */
  #sync(take: (target: Target, message: Notice) => void): Promise<boolean> {
    return new Promise(done => {
      this.#streaming = false
      this.#syncing = { take, done, lost: false }
      this.#feed.sync()
      if (this.queue.closed) done(true)
    })
  }

  /** One delivery; the next is asked for when this one is through. */
  async #receive(messages: Buffer, lost: boolean, synced: boolean): Promise<void> {
    const turns = new Turns()
    for (const [target, message] of this.#read(messages)) {
      if (turns.over) await turns.next()
      if (this.queue.closed) return
      if (this.#syncing !== undefined) this.#syncing.take(target, message)
      else if (this.#streaming) this.#tell(target, message)
    }
    if (this.#syncing !== undefined) {
      if (lost) this.#syncing.lost = true
      if (synced) {
        const { done, lost: some } = this.#syncing
        this.#syncing = undefined
        done(some)
        return
      }
    } else if (lost && this.#streaming) {
      this.#streaming = false
      this.queue.overrun()
    }
    if (this.#streaming || this.#syncing !== undefined) this.#feed.want()
  }

  #tell(target: Target, message: Notice): void {
    const change = message.type === target.topic.deleteType ? 'delete' : isReplacement(message) ? 'replace' : 'new'
    const event = eventOf(target, message, change)
    if (event !== undefined && !this.queue.push(event)) this.#streaming = false
  }

  /** Where later events depend on which objects were told of, these are looked at now; else when they are read. */
  #present(target: Target, snapshot: Snapshot): Iterable<Told> {
    const { told } = target
    told?.clear()
    const events = function* (): Generator<Told, undefined> {
      for (const message of snapshot.messages()) {
        const event = eventOf(target, message, 'present')
        if (event !== undefined) yield event
      }
    }
    return told === undefined ? events() : [...events()]
  }

  /** Messages with the targets that they are of. */
  * #read(bytes: Buffer): Generator<[Target, Notice], undefined> {
    for (const { type, flags, body } of bodies(bytes)) {
      for (const target of this.#targets) {
        const { topic } = target
        if ((type !== topic.newType && type !== topic.deleteType) || body.length < topic.format.header.size) continue
        const message = new Notice(type, flags, body, topic.format)
        if (topic.isOurs(message)) yield [target, message]
      }
    }
  }
}

/** Those whose objects may stop matching a filter while they exist. */
const leavable = new Set<TopicName>(['links', 'bridgePorts'])

function eventOf({ topic, filter, told }: Target, message: Notice, change: Change): Told | undefined {
  const object = topic.decode(message)
  const matches = topic.accepts(object, filter)
  if (told !== undefined) {
    const key = topic.key(message)
    const before = told.delete(key)
    if (matches && change !== 'delete') told.add(key)
    if (!matches && !before) return undefined
  } else if (!matches) {
    return undefined
  }
  return { type: topic.type, change, [topic.type]: object } as unknown as Told
}

/** Names of links become indices, except that of a link that is watched itself: it need not exist. */
async function resolve(links: Links, name: TopicName, filter: TopicFilter): Promise<TopicFilter> {
  const { link, master } = filter
  return {
    ...filter,
    ...(link === undefined ? {} : { link: name === 'links' ? link : await links.index(link) }),
    ...(master === undefined ? {} : { master: await links.index(master, 'master') }),
  }
}
