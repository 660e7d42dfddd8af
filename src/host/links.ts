/** Network interfaces: what `ip link` and `bridge link` do. */
import type { Step } from '../../binding/index.ts'
import { aBoolean, aString, aU32, anything, checkEach, fieldsOf, isOn } from '../checks.ts'
import { InvalidArgumentError, UnsupportedError, VirbrError } from '../errors.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { completeOptions, linksNamed } from '../rtnetlink/kinds/given.ts'
import { portTable } from '../rtnetlink/kinds/index.ts'
import { explainLink, overlooked } from '../rtnetlink/kinds/support.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed } from '../rtnetlink/listed.ts'
import { changedKind, decodeLink, deleteLink, getLink, given, listLinks, newLink, setLink } from '../rtnetlink/links.ts'
import type {
  KindOptions, Link, LinkChange as WireChange, LinkFilter as WireFilter, LinkSpec as WireSpec, Resolved, VethPeer,
} from '../rtnetlink/links.ts'
import { decodeStatistics, getStatistics } from '../rtnetlink/statistics.ts'
import type { LinkStatistics } from '../rtnetlink/statistics.ts'
import { decodeVnis, deleteVni, listVnis, newVni } from '../rtnetlink/vnis.ts'
import type { Vni, VniSpec } from '../rtnetlink/vnis.ts'
import type { BulkOptions } from './bulk.ts'
import { Channel, failure, repliesOf, routeStep } from './channel.ts'
import { createMany } from './create-links.ts'
import type { MadeLink } from './create-links.ts'
import { deleteMany } from './delete-links.ts'
import { checkMaster, lookUp, lookUpEach, lookUpNames } from './link-lookup.ts'
import { checkLinkName, checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import { checkReferences, peerOf, wireSpec } from './link-spec.ts'
import { netnsSource, openNative } from './netns.ts'
import type { Netns } from './netns.ts'
import { nsidOf } from './nsid.ts'
import { setMany } from './set-links.ts'
import type { LinkChangeOf } from './set-links.ts'
import { checkTapSpec, tapChange } from './taps.ts'
import type { TapOptions } from './taps.ts'

export type { MadeLink } from './create-links.ts'
export type { LinkChangeOf } from './set-links.ts'
export type { LinkRef } from './link-ref.ts'
export type { TapOptions } from './taps.ts'

/** The other end of a veth or netkit. */
export interface PeerSpec extends VethPeer {
  /** Where the peer is born; default: beside its other end. */
  netns?: Netns
  /** Default false. */
  up?: boolean
}

/** A link to make: what every kind has, and the options of its kind under the kind's name. Source: ip-link(8). */
export interface LinkSpec extends Omit<WireSpec, 'veth' | 'netkit'> {
  /** The bridge (or other master) that the link is put into. */
  master?: LinkRef
  /** The link that this one stands on. Kinds vlan, macvlan, macvtap, ipvlan and ipvtap need one, others have none. */
  link?: LinkRef
  /** Where `link` is; default: here, also for a link that is born elsewhere. */
  linkNetns?: Netns
  /** Where the link is born; default: here. */
  netns?: Netns
  /** kind veth. Without a peer the kernel names and makes one. */
  veth?: { peer?: PeerSpec }
  /** kind netkit. Without a peer the kernel names and makes one. */
  netkit?: KindOptions['netkit'] & { peer?: PeerSpec }
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
  /** Links of this group. Looked at here: the kernel does not filter by it. */
  group?: number
  /** Links that are up, or not. Looked at here. */
  up?: boolean
  /** As in `Link`, e.g. `ether`. Looked at here. */
  type?: string
}

/** A created link; a tap without `persist` brings its queues, one open descriptor each, which the caller closes. */
export type CreatedLink = Link & { fds?: number[] }

type Opened = AsyncDisposable & { channel: Channel }

/**
 * Links of a namespace: `host.links`. A link that is not there is ERR_NO_LINK; what the kernel refuses ERR_NETLINK, with
 * its words where it has some; what this kernel lacks ERR_UNSUPPORTED, with the build option or release; an unknown or wrong
 * option ERR_INVALID_ARGUMENT, before anything is changed. Changes need CAP_NET_ADMIN, else ERR_NO_PERMISSION; a link or
 * peer in another namespace also CAP_SYS_ADMIN.
 */
export class Links {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /**
   * Filtered in the kernel by `kind` and `master`, here by the rest. `statistics: false` lets it leave out what it must add
   * up over all processors: a fifth of the bytes and more of the time.
   */
  async list(filter: LinkFilter = {}): Promise<Listed<Link>> {
    checkEach('', filter, {
      kind: aString, master: anything, group: aU32, up: aBoolean, type: aString, statistics: aBoolean, families: aBoolean,
    }, 'a filter of links')
    const { master, group, up, type, ...rest } = filter
    const index: { master?: number } = master === undefined ? {} : { master: await this.index(master, 'master') }
    const [messages = []] = await this.#channel.request([listLinks({ ...rest, ...index })])
    return sift<Link>(messages.map(decodeLink), {
      group: equals(group, link => link.group), up: equals(up, link => link.up), type: equals(type, link => link.type),
    }, {
      // The kernel has one kind for taps and tuns, and takes one that it does not know for no filter.
      kind: equals(rest.kind, link => link.kind), master: equals(index.master, link => link.master),
    })
  }

  /** One request, not a dump, by any of the link's names or by index. Rejects with ERR_NO_LINK. */
  async get(link: LinkRef): Promise<Link> {
    const [found] = await lookUp(this.#channel, [link])
    return found as Link
  }

  /**
   * Creates one link of any kind, all or nothing. A veth's peer is born in its own namespace.
   * The link is up only with `up: true`.
   */
  async create(spec: LinkSpec): Promise<CreatedLink> {
    if (typeof spec !== 'object' || spec === null) throw new InvalidArgumentError('spec', spec, 'a link specification')
    // Without a name the kernel would choose one.
    checkLinkName(spec.name, 'name')
    if (spec.kind === 'tap' || spec.kind === 'tun') return this.#createTap(spec, spec.kind)
    const { netns, linkNetns } = spec
    const wire = wireSpec(spec)
    const peer = peerOf(spec)
    // Encodes once without what has to be looked up, so that a bad value is refused before anything is done.
    routeStep(newLink(wire, {}))
    checkReferences(spec)

    await using there = netns === undefined ? undefined : await openChannel(netns)
    await using peerThere = peer?.netns === undefined ? undefined : await openChannel(peer.netns)
    await using lowerThere = linkNetns === undefined ? undefined : await openChannel(linkNetns)
    const [make, ...later] = newLink(wire, {
      ...await this.#resolve(spec, there?.channel, lowerThere?.channel),
      ...given({ netnsFd: there?.channel.native.netnsFd, peerNetnsFd: peerThere?.channel.native.netnsFd }),
    })
    const peerUp = peer?.up === true ? setLink(peer.name, { up: true }) : []
    return await this.#make(spec, make as AnyRequest, later, peerUp, there, peerThere)
  }

  /** What a specification names, looked up, and whether it fits together. The master is where the link is born. */
  async #resolve(
    { kind, master, link, port, ...spec }: LinkSpec, home: Channel | undefined, linkChannel: Channel | undefined,
  ): Promise<Resolved> {
    const named = linksNamed(kind, (spec as Record<string, unknown>)[kind] as object | undefined)
    const ofPort = linksNamed('port', port, portTable('bridge'))
    const asked: [Channel, string, LinkRef | undefined][] = [
      [home ?? this.#channel, 'master', master], [linkChannel ?? this.#channel, 'link', link],
      ...named.map(([field, name]) => [this.#channel, field, name] as [Channel, string, LinkRef]),
      ...ofPort.map(([field, name]) => [home ?? this.#channel, field, name] as [Channel, string, LinkRef]),
    ]
    const [into, lower, ...others] = await lookUpEach(asked)
    if (into !== undefined) await checkMaster(home ?? this.#channel, into, master as LinkRef, home === linkChannel ? lower : undefined)
    return {
      ...(into === undefined ? {} : { master: into.index, ...given({ masterKind: into.kind }) }),
      ...(lower === undefined ? {} : { link: lower.index }),
      ...(linkChannel === undefined ? {} : { linkNetnsId: await nsidOf(this.#channel, linkChannel.native.netnsFd) }),
      indices: new Map([...named, ...ofPort].map(([, name], index) => [name, (others[index] as Link).index])),
    }
  }

  async #make(
    spec: LinkSpec, make: AnyRequest, later: AnyRequest[], peerUp: AnyRequest[], there: Opened | undefined, peerThere: Opened | undefined,
  ): Promise<Link> {
    const { name, kind } = spec
    const options = (spec as unknown as Record<string, object | undefined>)[kind]
    const home = there?.channel ?? this.#channel
    const changes = [...later, ...(peerThere === undefined ? peerUp : [])]
    const atOnce = there === undefined && changes.length === 0 && peerUp.length === 0
    const { messages, error } = await this.#channel.attempt(routeStep(atOnce ? [make, getLink(name)] : [make], { mayFail: true }))
    if (error !== undefined) throw explainLink(error, spec, kind)
    try {
      // Not in one go: if the name is taken, what comes after must not befall the link that has it.
      const replies = atOnce ? messages : await home.request([...changes, getLink(name)])
      await peerThere?.channel.request(peerUp)
      const link = decodeLink(replies.at(-1)?.[0] as Message)
      const asked = { settings: spec, kind, options, portKind: link.portKind, port: spec.port }
      const lacking = overlooked(make.operation, asked, link)
      if (lacking !== undefined) throw lacking
      return link
    } catch (error) {
      await home.attempt(routeStep([deleteLink(name)], { mayFail: true }))
      throw error instanceof NetlinkError ? explainLink(error, spec, kind) : error
    }
  }

  /** Changes what is named and nothing else; the link as it is afterwards. Rejects with ERR_NO_LINK. */
  async set(link: LinkRef, change: LinkChange): Promise<Link> {
    checkLinkRef(link)
    if (typeof change !== 'object' || change === null) throw new InvalidArgumentError('change', change, 'an object like { mtu }')
    const { master, netns, ...wire } = change
    routeStep(setLink(1, wire, {}))
    const kind = changedKind(wire)
    await using there = netns === undefined ? undefined : await openChannel(netns)
    // A new name can be given by index only, in another namespace the index may be another, and a name may be deleted.
    // Options must be of the link's kind.
    const { name, deleteAltNames, port } = wire
    const asks = [name, deleteAltNames, there, kind, port, master ?? undefined].some(asked => asked !== undefined)
    const [before, resolved, full] = asks ? await this.#resolveChange(link, change, kind, there?.channel)
      : [undefined, master === null ? { master: 0 } : {}, wire]
    const requests = setLink(before?.index ?? link, full, { ...resolved, ...given({ netnsFd: there?.channel.native.netnsFd }) })
    const now = getLink(before === undefined ? link : wire.name ?? before.name)
    const step = routeStep(there === undefined ? [...requests, now] : requests, { mayFail: true })
    const { messages, error } = await this.#channel.attempt(step)
    if (error !== undefined) throw noLink(explainLink(error, wire, kind), link)
    const [found] = there === undefined ? messages.at(-1) as Message[] : (await there.channel.request([now]))[0] as Message[]
    const after = decodeLink(found as Message)
    const options = kind === undefined ? undefined : (wire as Record<string, object | undefined>)[kind]
    const asked = { settings: wire, kind, options, portKind: after.portKind, port: wire.port }
    const lacking = overlooked(`set link ${link}`, asked, after)
    if (lacking !== undefined) throw lacking
    return after
  }

  /** The link as it is, what the change names, and the change with options in full. A link that moves has its master there. */
  async #resolveChange(
    link: LinkRef, { master, netns: _, ...wire }: LinkChange, kind: string | undefined, there: Channel | undefined,
  ): Promise<[Link, Resolved, WireChange]> {
    const options = wire as Record<string, object | undefined>
    const home = there ?? this.#channel
    const [before, into] = await lookUpEach([[this.#channel, 'link', link], [home, 'master', master ?? undefined]]) as [Link, Link?]
    if (into !== undefined) await checkMaster(home, into, master as LinkRef, there === undefined ? before : undefined)
    const masterKind = into?.kind ?? (master === null ? undefined : before.portKind)
    if (wire.port !== undefined && masterKind === undefined) {
      throw new InvalidArgumentError('port', wire.port, `no options of a port: ${before.name} has no master`)
    }
    if (kind !== undefined && kind !== before.kind) {
      throw new InvalidArgumentError(kind, options[kind], `no options of another kind: ${before.name} is ${before.kind ?? 'a link without a kind'}`)
    }
    const named = [
      ...(kind === undefined ? [] : linksNamed(kind, options[kind])), ...linksNamed('port', wire.port, portTable(masterKind ?? '')),
    ]
    const present = (before as unknown as typeof options)[kind ?? '']
    const full = kind === undefined ? wire : { ...wire, [kind]: completeOptions(kind, present, options[kind] as object) }
    const indices = await lookUpNames(this.#channel, named)
    return [before, { ...(master === undefined ? {} : { master: into?.index ?? 0 }), ...given({ masterKind }), indices }, full]
  }

  /**
   * Counters of a link: what every link has, and what a bridge, a bond, or one of their ports counts besides: per VLAN,
   * multicast, STP, LACP. Rejects with ERR_NO_LINK.
   */
  async statistics(link: LinkRef): Promise<LinkStatistics> {
    const { messages, error } = await this.#channel.attempt(routeStep([getStatistics(await this.index(link))], { mayFail: true }))
    if (error !== undefined) throw noLink(error, link)
    return decodeStatistics(messages[0]?.[0] as Message)
  }

  /** Which network identifiers a vxlan with `vnifilter` takes: ranges, or one by one with `statistics`. Rejects with ERR_NO_LINK. */
  async vnis(link: LinkRef, options: { statistics?: boolean } = {}): Promise<Vni[]> {
    const statistics = isOn('statistics', fieldsOf('options', options).statistics)
    const { messages, error } = await this.#channel.attempt(routeStep([listVnis(await this.index(link), statistics)], { mayFail: true }))
    if (error !== undefined) throw error.errnoName === 'EOPNOTSUPP' ? await this.#noVnis(error, link) : noLink(error, link)
    return messages.flat().flatMap(decodeVnis)
  }

  /**
   * `bridge vni add`: `addVnis('vx0', [{ vni: 10, to: 20, remote: '192.0.2.7' }])`. Those that are there get the remote. In one
   * sendmsg; if the kernel refuses one, the others stand. The vxlan has to have `vnifilter`. Kernels before 5.18: ERR_UNSUPPORTED.
   */
  addVnis(link: LinkRef, vnis: readonly VniSpec[]): Promise<void> {
    return this.#changeVnis(link, vnis, newVni)
  }

  /** `bridge vni delete`. */
  deleteVnis(link: LinkRef, vnis: readonly VniSpec[]): Promise<void> {
    return this.#changeVnis(link, vnis, deleteVni)
  }

  async #changeVnis(link: LinkRef, vnis: readonly VniSpec[], request: (index: number, spec: VniSpec) => AnyRequest): Promise<void> {
    checkLinkRef(link)
    if (!Array.isArray(vnis)) throw new InvalidArgumentError('vnis', vnis, 'an array like [{ vni: 10, to: 20 }]')
    routeStep(vnis.map(spec => request(1, spec)))
    const index = await this.index(link)
    const { error } = await this.#channel.attempt(routeStep(vnis.map(spec => request(index, spec)), { mayFail: true }))
    if (error?.errnoName === 'EOPNOTSUPP') throw await this.#noVnis(error, link)
    if (error !== undefined) throw noLink(error, link)
  }

  /** The kernel says the same if it has no such messages, and if the link takes no identifiers. */
  async #noVnis(error: NetlinkError, link: LinkRef): Promise<Error> {
    const { kind } = await this.get(link)
    const { error: unknown } = await this.#channel.attempt(routeStep([listVnis(0)], { mayFail: true }))
    if (kind === 'vxlan' && unknown?.errnoName === 'EOPNOTSUPP') {
      return new UnsupportedError('Linux ≥ 5.18', `${error.message}; Linux 5.18 is needed`, { cause: error })
    }
    const refused = new InvalidArgumentError('link', link, 'a vxlan that was made with external and vnifilter')
    refused.cause = error
    return refused
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

  /**
   * Changes many links, each as `set` does, without reading them afterwards: `setMany([{ link: 'v0', mtu: 1400 }, …])`. Ports
   * come up before others. Each stands for itself, unless `atomic`: then what was changed is set back to what the kernel
   * showed before. Rejects with ERR_INVALID_ARGUMENT before anything is changed, ERR_BULK.
   */
  setMany(changes: readonly LinkChangeOf[], options: BulkOptions = {}): Promise<void> {
    return setMany(this.#channel, changes, options)
  }

  /** The index behind a name. Rejects with ERR_NO_LINK. */
  async index(link: LinkRef, field = 'link'): Promise<number> {
    checkLinkRef(link, field)
    return typeof link === 'number' ? link : (await this.get(link)).index
  }

  async #createTap(spec: LinkSpec, mode: 'tap' | 'tun'): Promise<CreatedLink> {
    const { name, netns } = spec
    const { persist = true, ...options } = checkTapSpec(spec)
    const change = tapChange(spec)
    if (netns !== undefined) {
      await using there = await openChannel(netns)
      const { netns: _netns, ...here } = spec
      return await new Links(there.channel).#createTap(here, mode)
    }
    checkReferences(spec)
    routeStep(setLink(name, change))
    const requests = setLink(name, change, await this.#resolve(spec, undefined, undefined))
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
      const error = failure(failed.step === 0 ? make : set, failed, results[failed.step])
      throw error instanceof NetlinkError ? explainLink(error, spec, mode) : error
    }
    const made = decodeLink(repliesOf(set, results[1]).messages.at(-1)?.[0] as Message)
    return persist ? made : { ...made, fds }
  }
}

async function openChannel(netns: Netns): Promise<Opened> {
  const channel = new Channel(await openNative(netnsSource(netns)))
  return { channel, [Symbol.asyncDispose]: () => channel.close() }
}
