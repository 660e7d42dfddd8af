/** Network interfaces: what `ip link` and `bridge link` do. */
import type { Step } from '../../binding/index.ts'
import { InvalidArgumentError, VirbrError } from '../errors.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { decodeLink, deleteLink, getLink, listLinks, newLink, setLink } from '../rtnetlink/links.ts'
import type { Link, LinkChange as WireChange, LinkFilter as WireFilter, LinkSpec as WireSpec, VethPeer } from '../rtnetlink/links.ts'
import type { BulkOptions } from './bulk.ts'
import { Channel, failure, repliesOf, routeStep } from './channel.ts'
import { createMany } from './create-links.ts'
import type { MadeLink } from './create-links.ts'
import { deleteMany } from './delete-links.ts'
import { checkLinkName, checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import { netnsSource, openNative } from './netns.ts'
import type { Netns } from './netns.ts'
import { checkTapSpec, refuseOptions, tapChange } from './taps.ts'
import type { TapOptions } from './taps.ts'

export type { MadeLink } from './create-links.ts'
export type { LinkRef } from './link-ref.ts'
export type { TapOptions } from './taps.ts'

/** The other end of a veth. */
export interface PeerSpec extends VethPeer {
  /** Where the peer is born; default: beside its other end. */
  netns?: Netns
  /** Default false. */
  up?: boolean
}

/** A link to make: what every kind has, and the options of its kind under the kind's name. Source: ip-link(8). */
export interface LinkSpec extends Omit<WireSpec, 'veth'> {
  /** The bridge (or other master) that the link is put into. */
  master?: LinkRef
  /** Where the link is born; default: here. */
  netns?: Netns
  /** kind veth. Without a peer the kernel names and makes one. */
  veth?: { peer?: PeerSpec }
  /** kind tap. */
  tap?: TapOptions
  /** kind tun. */
  tun?: TapOptions
}

/** What to change of a link; what is left out stays. */
export interface LinkChange extends WireChange {
  /** `null` takes the link out of its master. */
  master?: LinkRef | null
  /** Moves the link; its addresses and master are lost, as with `ip link set … netns …`. */
  netns?: Netns
}

/** Which links to list; what is left out does not matter. */
export interface LinkFilter extends Omit<WireFilter, 'master'> {
  /** Ports of this bridge. */
  master?: LinkRef
}

/** A created link; a tap without `persist` brings its queues, one open descriptor each, which the caller closes. */
export type CreatedLink = Link & { fds?: number[] }

/**
 * Links of a namespace: `host.links`. A link that is not there is ERR_NO_LINK; what the kernel refuses ERR_NETLINK, with
 * its words where it has some; an unknown or wrong option ERR_INVALID_ARGUMENT, before anything is sent. Changes need
 * CAP_NET_ADMIN, else ERR_NO_PERMISSION; a link or peer in another namespace also CAP_SYS_ADMIN.
 */
export class Links {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /**
   * Filtered in the kernel. `statistics: false` lets it leave out what it must add up over all processors: a fifth of the
   * bytes and more of the time.
   */
  async list(filter: LinkFilter = {}): Promise<Link[]> {
    const { master, ...rest } = filter
    const index = master === undefined ? {} : { master: await this.index(master, 'master') }
    const [messages = []] = await this.#channel.request([listLinks({ ...rest, ...index })])
    const links = messages.map(decodeLink)
    // The kernel has one kind for taps and tuns, and takes one that it does not know for no filter.
    return rest.kind === undefined ? links : links.filter(({ kind }) => kind === rest.kind)
  }

  /** One request, not a dump. Rejects with ERR_NO_LINK. */
  async get(link: LinkRef): Promise<Link> {
    checkLinkRef(link)
    const { messages, error } = await this.#channel.attempt(routeStep([getLink(link)], { mayFail: true }))
    if (error !== undefined) throw noLink(error, link)
    return decodeLink(messages[0]?.[0] as Message)
  }

  /**
   * Creates one link of any kind: one sendmsg, all or nothing. A veth's peer is born in its own namespace.
   * The link is up only with `up: true`.
   */
  async create(spec: LinkSpec): Promise<CreatedLink> {
    if (typeof spec !== 'object' || spec === null) throw new InvalidArgumentError('spec', spec, 'a link specification')
    // Without a name the kernel would choose one.
    checkLinkName(spec.name, 'name')
    if (spec.kind === 'tap' || spec.kind === 'tun') return this.#createTap(spec, spec.kind)
    const { master, netns, veth, tap, tun, ...rest } = spec
    if (tap !== undefined || tun !== undefined) refuseOptions(spec)
    const { peer, ...others } = veth ?? {}
    const { netns: peerNetns, up: peerUp = false, ...peerRest } = peer ?? {}
    const wireVeth = { ...others, ...(peer === undefined ? {} : { peer: peerRest }) }
    const wire = { ...rest, ...(veth === undefined ? {} : { veth: wireVeth }) } as WireSpec
    // Encodes once without what has to be looked up, so that a bad value is refused before anything is done.
    routeStep(newLink(wire, {}))
    if (master !== undefined) checkLinkRef(master, 'master')

    await using there = netns === undefined ? undefined : await openChannel(netns)
    await using peerThere = peerNetns === undefined ? undefined : await openChannel(peerNetns)
    const [make, ...later] = newLink(wire, {
      ...(master === undefined ? {} : { master: await this.index(master, 'master') }),
      ...(there === undefined ? {} : { netnsFd: there.channel.native.netnsFd }),
      ...(peerThere === undefined ? {} : { peerNetnsFd: peerThere.channel.native.netnsFd }),
    })
    const home = there?.channel ?? this.#channel
    const setPeerUp = peerUp && peer !== undefined ? setLink(peer.name, { up: true }) : []
    const changes = [...later, ...(peerThere === undefined ? setPeerUp : [])]
    if (there === undefined && changes.length === 0 && setPeerUp.length === 0) {
      const [, found] = await this.#channel.request([make as AnyRequest, getLink(spec.name)])
      return decodeLink(found?.[0] as Message)
    }
    // Not in one go: if the name is taken, what comes after must not befall the link that has it.
    await this.#channel.request([make as AnyRequest])
    try {
      const replies = await home.request([...changes, getLink(spec.name)])
      await peerThere?.channel.request(setPeerUp)
      return decodeLink(replies.at(-1)?.[0] as Message)
    } catch (error) {
      await home.attempt(routeStep([deleteLink(spec.name)], { mayFail: true }))
      throw error
    }
  }

  /** Changes what is named and nothing else; the link as it is afterwards. Rejects with ERR_NO_LINK. */
  async set(link: LinkRef, change: LinkChange): Promise<Link> {
    checkLinkRef(link)
    const { master, netns, ...wire } = change
    routeStep(setLink(1, wire, {}))
    await using there = netns === undefined ? undefined : await openChannel(netns)
    // A new name can be given by index only, and in another namespace the index may be another.
    const before = wire.name === undefined && there === undefined ? undefined : await this.get(link)
    const requests = setLink(before?.index ?? link, wire, {
      ...(master === undefined ? {} : { master: master === null ? 0 : await this.index(master, 'master') }),
      ...(there === undefined ? {} : { netnsFd: there.channel.native.netnsFd }),
    })
    const { error } = await this.#channel.attempt(routeStep(requests, { mayFail: true }))
    if (error !== undefined) throw noLink(error, link)
    const now = getLink(before === undefined ? link : wire.name ?? before.name)
    const [messages] = await (there?.channel ?? this.#channel).request([now])
    return decodeLink(messages?.[0] as Message)
  }

  /** A bridge that was up takes 30 to 60 ms in the kernel. Rejects with ERR_NO_LINK. */
  async delete(link: LinkRef): Promise<void> {
    checkLinkRef(link)
    const { error } = await this.#channel.attempt(routeStep([deleteLink(link)], { mayFail: true }))
    if (error !== undefined) throw noLink(error, link)
  }

  /**
   * Creates many links, of any kinds, in the order that costs least. With `atomic` (default) all or none, otherwise each
   * stands for itself. Links may be put into, or stand on, others of the same call. Records are light: `list` has the whole.
   * Rejects with ERR_INVALID_ARGUMENT before anything is done, ERR_BULK. About 0.8 ms a veth that is up in a bridge.
   */
  createMany(specs: readonly LinkSpec[], options: BulkOptions = {}): Promise<MadeLink[]> {
    return createMany(this.#channel, specs, options)
  }

  /**
   * Deletes many links, for one wait of the kernel a few hundred: about 0.6 ms each, where one by one takes 20 to 60. Also
   * taps that somebody has open. With `atomic` (default) none if one is not there or cannot be deleted, as hardware; what
   * has been deleted cannot be undone. Rejects with ERR_BULK.
   */
  deleteMany(links: readonly LinkRef[], options: BulkOptions = {}): Promise<void> {
    return deleteMany(this.#channel, links, options)
  }

  /** The index behind a name. Rejects with ERR_NO_LINK. */
  async index(link: LinkRef, field = 'link'): Promise<number> {
    checkLinkRef(link, field)
    return typeof link === 'number' ? link : (await this.get(link)).index
  }

  async #createTap(spec: LinkSpec, mode: 'tap' | 'tun'): Promise<CreatedLink> {
    const { name, master, netns } = spec
    const { persist = true, ...options } = checkTapSpec(spec)
    const change = tapChange(spec)
    if (netns !== undefined) {
      await using there = await openChannel(netns)
      const { netns: _netns, ...here } = spec
      return await new Links(there.channel).#createTap(here, mode)
    }
    routeStep(setLink(name, change))
    const requests = setLink(name, change, master === undefined ? {} : { master: await this.index(master, 'master') })
    // TUNSETIFF attaches to a device that is there already; a create must not.
    const free = routeStep([getLink(name)], { mayFail: true })
    const { error } = await this.#channel.attempt(free)
    if (error === undefined) throw new VirbrError('ERR_NETLINK', `create ${mode} ${name}: EEXIST, already exists`)
    const set = routeStep([...requests, getLink(name)])
    const make: Step = { op: 'tap', name, persist, ...options }
    const { results, failed } = await this.#channel.exec([make, set])
    const fds = (results[0] ?? []) as number[]
    if (failed !== undefined) {
      if (failed.step === 1) {
        const undo: Step[] = [{ ...routeStep([deleteLink(name)]), mayFail: true }, { op: 'closeFds', fds, mayFail: true }]
        await this.#channel.exec(undo)
      }
      throw failure(failed.step === 0 ? make : set, failed, results[failed.step])
    }
    const link = decodeLink(repliesOf(set, results[1]).messages.at(-1)?.[0] as Message)
    return persist ? link : { ...link, fds }
  }
}

async function openChannel(netns: Netns): Promise<AsyncDisposable & { channel: Channel }> {
  const channel = new Channel(await openNative(netnsSource(netns)))
  return { channel, [Symbol.asyncDispose]: () => channel.close() }
}
