/**
 * Many links made, in phases, each over all links before the next begins:
 *
 *   1. all are created, down, those that stand on others of the call after them; a veth's peer is born where it belongs
 *   2. all into their masters, and up; what stands on others after them, bridges of the call after their ports
 *   3. all peers up
 *
 * A port that comes up sends IPv6 multicasts to all that are up already: one after the other, a thousand ports would cost
 * the square of their number. Nothing of a link is touched by name before its creation has succeeded: the name may be
 * another's.
 */
import { constants } from 'node:os'
import type { StepFailure, TapStep } from '../../binding/index.ts'
import { aBoolean, aString, check, checkGiven } from '../checks.ts'
import { InvalidArgumentError, VirbrError } from '../errors.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { laterSettings } from '../rtnetlink/link-settings.ts'
import { explainLink, mayBeOverlooked, overlooked } from '../rtnetlink/kinds/support.ts'
import type { Asked } from '../rtnetlink/kinds/support.ts'
import { given, newLink, setLink, takesPorts } from '../rtnetlink/links.ts'
import type { Link, Resolved } from '../rtnetlink/links.ts'
import { Bulk, bulkOptions, checkBulk } from './bulk.ts'
import type { BulkOptions, Encoded, PhaseIn } from './bulk.ts'
import { failure, isFailure } from './channel.ts'
import type { Channel } from './channel.ts'
import { deleteLinks } from './delete-links.ts'
import { absent, chunksOf, briefLinks } from './brief-links.ts'
import { orderLinks } from './link-order.ts'
import type { Dependency, LinkOrder } from './link-order.ts'
import { lookUp } from './link-lookup.ts'
import { checkLinkName, checkLinkRef, noLink } from './link-ref.ts'
import { checkReferences, peerOf, referencesOf, wireSpec } from './link-spec.ts'
import type { LinkRef } from './link-ref.ts'
import type { LinkSpec } from './links.ts'
import { eachIndex } from './indices.ts'
import { Namespaces } from './namespaces.ts'
import type { Netns } from './netns.ts'
import { nsidOf } from './nsid.ts'
import { checkTapSpec, tapChange } from './taps.ts'
import { Turns } from './turns.ts'

/** A link that `createMany` has made. */
export interface MadeLink {
  index: number
  name: string
  /** Of a tap or tun without `persist`: its queues, one open descriptor each, which the caller closes. */
  fds?: number[]
}

/** Whole links for one visit: replies wait in the socket's buffer. */
const linksRead = 50

/** Taps for one visit to the Host's thread, about 10 ms. */
const tapsAtOnce = 100

/** `host.links.createMany`. */
export async function createMany(channel: Channel, specs: readonly LinkSpec[], options: BulkOptions): Promise<MadeLink[]> {
  checkBulk('links', specs, options)
  return channel.hold(async held => {
    await using creation = new Creation(held, specs, bulkOptions(true, options))
    return await creation.run()
  })
}

/** Encoded for each namespace. */
type EncodedByChannel = Map<Channel, Encoded<LinkSpec>>

class Creation implements AsyncDisposable {
  readonly #home: Channel
  readonly #specs: readonly LinkSpec[]
  readonly #bulk: Bulk<LinkSpec>
  readonly #namespaces: Namespaces
  /** Places in the list of what the call makes, peers included, by `keyOf`. */
  readonly #places = new Map<string, number>()
  /** Indices of links that others are to stand on or be put into, by `keyOf`. */
  readonly #indices = new Map<string, number>()
  /** Kinds of links that others are put into and that the call does not make, by `keyOf`. */
  readonly #kinds = new Map<string, string | undefined>()
  /** How the caller's namespace knows others. */
  readonly #nsids = new Map<Netns, number>()
  readonly #fds = new Map<number, number[]>()

  constructor(channel: Channel, specs: readonly LinkSpec[], options: BulkOptions) {
    this.#home = channel
    this.#specs = specs
    this.#bulk = new Bulk(channel, 'links', specs, options, (error, spec) => explainLink(error, spec, spec.kind))
    this.#namespaces = new Namespaces(channel)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#namespaces[Symbol.asyncDispose]()
  }

  async run(): Promise<MadeLink[]> {
    await this.#check()
    const { rounds, bottomUp, inner } = await this.#order()
    await this.#findOthers()
    this.#checkMasters()
    // All is encoded before anything is done. What refers to links of the call is encoded again when they are there.
    const creates: Encoded<LinkSpec>[] = []
    for (const round of rounds) creates.push(await this.#encodeCreates(round))
    const joins = await this.#encodeJoins(bottomUp)
    const raises = await this.#encodeRaises()
    const made: MadeLink[] = []
    await this.#bulk.attempt(async () => {
      const all = [...creates.map((phase): PhaseIn<LinkSpec> => [this.#home, phase]), ...joins, ...raises]
      const atOnce = !inner && !this.#specs.some(isTap) && this.#bulk.fitOneVisit(all)
      if (!atOnce) for (const [number, round] of rounds.entries()) {
        await this.#create(round, (number === 0 ? creates[0] : undefined) ?? await this.#encodeCreates(round))
        if (inner) await this.#findMade(round)
      }
      // Indices are read behind the last phase, or beside it: they are known by then.
      const rest = atOnce ? all : [...inner ? await this.#encodeJoins(bottomUp) : joins, ...raises]
      await Promise.all([this.#bulk.sendAll(rest), this.#read(made)])
      if (!this.#bulk.failed) this.#failAbsent(made)
      if (!this.#bulk.failed) await this.#checkSupport()
    })
    await this.#bulk.finish(undefined, places => this.#undo(places))
    return made
  }

  /** What can be seen without encoding: names that are given twice. Opens the namespaces. */
  async #check(): Promise<void> {
    const turns = new Turns()
    for (const [place, spec] of this.#specs.entries()) {
      if (turns.over) await turns.next()
      try {
        if (typeof spec !== 'object' || spec === null) throw new InvalidArgumentError('', spec, 'a link specification')
        checkLinkName(spec.name, 'name')
        check('kind', spec.kind, aString)
        checkGiven('up', spec.up, aBoolean)
        const { netns, peer } = homesOf(spec)
        this.#claim(spec.name, netns, place, 'name')
        if (spec.index !== undefined) this.#claim(spec.index, netns, place, 'index')
        if (peer !== undefined) this.#claim(peer.name, peer.netns, place, `${spec.kind}.peer.name`)
        checkReferences(spec)
        for (const { ref, field } of referencesOf(spec)) checkLinkRef(ref, field)
        await this.#open(netns, 'netns', place)
        await this.#open(peer?.netns, `${spec.kind}.peer.netns`, place)
        await this.#open(spec.linkNetns, 'linkNetns', place)
      } catch (error) {
        throw error instanceof InvalidArgumentError ? this.#bulk.inItem(error, place) : error
      }
    }
  }

  #claim(name: LinkRef, netns: Netns | undefined, place: number, field: string): void {
    const key = keyOf(name, netns)
    const other = this.#places.get(key)
    if (other !== undefined) throw new InvalidArgumentError(field, name, `what no other link of the call has; links[${other}] has it`)
    this.#places.set(key, place)
  }

  async #open(netns: Netns | undefined, field: string, place: number): Promise<void> {
    if (netns === undefined) return
    await this.#namespaces.open(netns, error => {
      if (!(error instanceof InvalidArgumentError)) error.message = `links[${place}].${field}: ${error.message}`
      return error
    })
    if (field !== 'linkNetns' || this.#nsids.has(netns)) return
    this.#nsids.set(netns, await nsidOf(this.#home, this.#namespaces.fdOf(netns) as number))
  }

  /** `inner`: some links of the call stand on others, or are put into others. */
  async #order(): Promise<LinkOrder & { inner: boolean }> {
    const turns = new Turns()
    const dependencies: Dependency[] = []
    for (const [place, spec] of this.#specs.entries()) {
      if (turns.over) await turns.next()
      for (const { ref, netns, stands } of referencesOf(spec)) {
        const other = this.#places.get(keyOf(ref, netns))
        if (other !== undefined) dependencies.push(stands ? { lower: other, upper: place, stands } : { lower: place, upper: other, stands })
      }
    }
    const order = orderLinks(this.#specs.length, dependencies)
    const [first] = order.loop
    if (first !== undefined) {
      const { field, ref } = referencesOf(this.#specs[first] as LinkSpec)
        .find(({ ref, netns }) => order.loop.includes(this.#places.get(keyOf(ref, netns)) ?? -1)) ?? { field: 'master', ref: undefined }
      throw new InvalidArgumentError(`links[${first}].${field}`, ref, 'no link that is itself in or on this one: that is a loop')
    }
    return { ...order, inner: dependencies.length > 0 }
  }

  /** Looks for the links that the call refers to and does not make. */
  async #findOthers(): Promise<void> {
    const wanted = new Map<Channel, Map<LinkRef, { key: string, places: number[] }>>()
    for (const [place, spec] of this.#specs.entries()) {
      for (const { ref, netns } of referencesOf(spec)) {
        const key = keyOf(ref, netns)
        if (this.#places.has(key)) continue
        const channel = this.#namespaces.channelOf(netns)
        const links = wanted.get(channel) ?? new Map<LinkRef, { key: string, places: number[] }>()
        wanted.set(channel, links)
        const places = links.get(ref)?.places
        if (places === undefined) links.set(ref, { key, places: [place] })
        else places.push(place)
      }
    }
    for (const [channel, links] of wanted) {
      const found = await briefLinks(channel, [...links.keys()])
      for (const [at, [ref, { key, places }]] of [...links].entries()) {
        const link = found[at]
        if (link !== undefined) {
          this.#indices.set(key, link.index)
          this.#kinds.set(key, link.kind)
        } else for (const place of places) this.#bulk.fail(place, noLink(absent(ref), ref))
      }
    }
  }

  /** Whether what links are to be put into takes any. */
  #checkMasters(): void {
    for (const [place, { master, netns }] of this.#specs.entries()) {
      if (master === undefined || this.#bulk.isFailed(place)) continue
      const kind = this.#kindOf(master, netns)
      if (takesPorts(kind)) continue
      const accepted = `a link that takes ports, a bridge, bond, vrf or the like; it is ${kind === undefined ? 'none' : `a ${kind}`}`
      this.#bulk.fail(place, new InvalidArgumentError(`links[${place}].master`, master, accepted))
    }
  }

  #kindOf(link: LinkRef, netns: Netns | undefined): string | undefined {
    const key = keyOf(link, netns)
    const place = this.#places.get(key)
    return place === undefined ? this.#kinds.get(key) : this.#specs[place]?.kind
  }

  async #findMade(round: readonly number[]): Promise<void> {
    const inRound = new Set(round)
    const wanted = new Map<Channel, Map<string, string>>()
    for (const spec of this.#specs) {
      for (const { ref, netns } of referencesOf(spec)) {
        const key = keyOf(ref, netns)
        const place = this.#places.get(key)
        if (place === undefined || !inRound.has(place) || this.#bulk.isFailed(place)) continue
        if (typeof ref === 'number') {
          this.#indices.set(key, ref)
          continue
        }
        const channel = this.#namespaces.channelOf(netns)
        const names = wanted.get(channel) ?? new Map<string, string>()
        wanted.set(channel, names.set(key, ref))
      }
    }
    for (const [channel, names] of wanted) {
      const keys = [...names.keys()]
      await eachIndex(channel, [...names.values()], (index, at) => { if (index !== 0) this.#indices.set(keys[at] as string, index) })
    }
    this.#failOrphans()
  }

  /** Links that should stand on, or be put into, one that could not be made. */
  #failOrphans(): void {
    for (const [place, spec] of this.#specs.entries()) {
      for (const { ref, netns } of referencesOf(spec)) {
        const other = this.#places.get(keyOf(ref, netns))
        if (other === undefined || !this.#bulk.isFailed(other)) continue
        this.#bulk.fail(place, new VirbrError('ERR_NO_LINK', `create ${spec.kind} ${spec.name}: links[${other}], ${ref}, could not be made`))
      }
    }
  }

  /** The index of a link; 1, as any other would do, as long as it is only for the sake of encoding. */
  #index(ref: LinkRef, netns: Netns | undefined): number {
    return this.#indices.get(keyOf(ref, netns)) ?? 1
  }

  /** Phase 1, of what is no tap. */
  async #encodeCreates(round: readonly number[]): Promise<Encoded<LinkSpec>> {
    for (const place of round) {
      const spec = this.#specs[place] as LinkSpec
      if (isTap(spec)) this.#tapStep(spec, place)
    }
    return this.#bulk.encode(spec => this.#newLink(spec), round.filter(place => !isTap(this.#specs[place] as LinkSpec)))
  }

  #newLink(spec: LinkSpec): AnyRequest {
    const { netns, link, linkNetns } = spec
    const { up: _up, ...wire } = wireSpec(spec)
    const [request] = newLink(wire, {
      ...given({
        netnsFd: this.#namespaces.fdOf(netns),
        peerNetnsFd: this.#namespaces.fdOf(homesOf(spec).peer?.netns),
        link: link === undefined ? undefined : this.#index(link, linkNetns),
        linkNetnsId: linkNetns === undefined ? undefined : this.#nsids.get(linkNetns) ?? 0,
      }),
      indices: this.#named(spec),
    })
    return request as AnyRequest
  }

  /** Indices of the links that options name. */
  #named(spec: LinkSpec): ReadonlyMap<string, number> {
    return new Map(referencesOf(spec).filter(({ field }) => field.includes('.')).map(({ ref, netns }) => [String(ref), this.#index(ref, netns)]))
  }

  #tapStep(spec: LinkSpec, place: number): TapStep & { mayFail: true } {
    try {
      const { mode, persist = true, ...options } = checkTapSpec(spec)
      return { op: 'tap', name: spec.name, mode, persist, ...options, exclusive: true, mayFail: true }
    } catch (error) {
      throw this.#bulk.inItem(error as Error, place)
    }
  }

  async #create(round: readonly number[], creates: Encoded<LinkSpec>): Promise<void> {
    await this.#bulk.send(creates)
    const taps = round.filter(place => isTap(this.#specs[place] as LinkSpec))
    for (const [channel, places] of this.#byChannel(taps, spec => spec.netns)) {
      for (const chunk of chunksOf(places, tapsAtOnce)) {
        if (this.#bulk.stopped) return
        await this.#createTaps(channel, chunk.filter(place => !this.#bulk.isFailed(place)))
      }
    }
  }

  async #createTaps(channel: Channel, places: readonly number[]): Promise<void> {
    const steps = places.map(place => this.#tapStep(this.#specs[place] as LinkSpec, place))
    const { results } = await channel.exec(steps)
    for (const [at, place] of places.entries()) {
      const result = results[at]
      if (result !== undefined && isFailure(result)) {
        this.#bulk.fail(place, tapError(steps[at] as TapStep, result))
      } else {
        this.#bulk.touch(place)
        if (steps[at]?.persist === false) this.#fds.set(place, result as number[])
      }
    }
  }

  /** Phase 2, with what the kernel would pass over in silence when a link is made. */
  #encodeJoins(bottomUp: readonly number[]): Promise<EncodedByChannel> {
    return this.#encode(bottomUp, spec => spec.netns, spec => {
      const { name, master, netns, up, port, altNames } = spec
      const resolved: Resolved = master === undefined ? {}
        : { master: this.#index(master, netns), ...given({ masterKind: this.#kindOf(master, netns) }) }
      if (port !== undefined) resolved.indices = this.#named(spec)
      if (isTap(spec)) return setLink(name, tapChange(spec), resolved)
      const own = given({ port, addAltNames: altNames, ...(up === true ? { up } : {}) })
      return setLink(name, { ...laterSettings(spec), ...own }, resolved)
    })
  }

  /** Phase 3. */
  #encodeRaises(): Promise<EncodedByChannel> {
    const places: number[] = []
    for (const [place, spec] of this.#specs.entries()) if (peerOf(spec)?.up === true) places.push(place)
    return this.#encode(places, spec => homesOf(spec).peer?.netns, spec => setLink(peerOf(spec)?.name ?? '', { up: true }))
  }

  async #encode(
    places: readonly number[], netnsOf: (spec: LinkSpec) => Netns | undefined, requests: (spec: LinkSpec) => AnyRequest[],
  ): Promise<EncodedByChannel> {
    const encoded: EncodedByChannel = new Map()
    for (const [channel, some] of this.#byChannel(places, netnsOf)) encoded.set(channel, await this.#bulk.encode(requests, some))
    return encoded
  }

  #byChannel(places: readonly number[], netnsOf: (spec: LinkSpec) => Netns | undefined): Map<Channel, number[]> {
    const byChannel = new Map<Channel, number[]>()
    for (const place of places) {
      const channel = this.#namespaces.channelOf(netnsOf(this.#specs[place] as LinkSpec))
      const others = byChannel.get(channel)
      if (others === undefined) byChannel.set(channel, [place])
      else others.push(place)
    }
    return byChannel
  }

  /** What the caller gets. Not the record of each link: for that it would have to wait for the kernel's own work on the new links. */
  async #read(made: MadeLink[]): Promise<void> {
    if (this.#bulk.failed) return
    for (const [channel, places] of this.#byChannel([...this.#specs.keys()], spec => spec.netns)) {
      const names = places.map(place => (this.#specs[place] as LinkSpec).name)
      await eachIndex(channel, names, (index, at) => {
        const place = places[at] as number
        const fds = this.#fds.get(place)
        if (index !== 0) made[place] = { index, name: names[at] as string, ...(fds === undefined ? {} : { fds }) }
      })
    }
  }

  /** Somebody else has deleted it already. */
  #failAbsent(made: readonly MadeLink[]): void {
    for (const [place, { name }] of this.#specs.entries()) {
      if (made[place] === undefined) this.#bulk.fail(place, noLink(absent(name), name))
    }
  }

  /** Options that not every kernel has, and which one that has not passes over in silence: what has become of them is looked at. */
  async #checkSupport(): Promise<void> {
    const asked = (place: number): Asked => askedOf(this.#specs[place] as LinkSpec, this.#specs[place]?.master === undefined
      ? undefined : this.#kindOf(this.#specs[place].master, this.#specs[place].netns))
    const places = [...this.#specs.keys()].filter(place => mayBeOverlooked(asked(place)))
    for (const [channel, some] of this.#byChannel(places, spec => spec.netns)) {
      for (const few of chunksOf(some, linksRead)) {
        const links = await lookUp(channel, few.map(place => (this.#specs[place] as LinkSpec).name))
        for (const [at, place] of few.entries()) {
          const { kind, name } = this.#specs[place] as LinkSpec
          const lacking = overlooked(`create ${kind} ${name}`, asked(place), links[at] as Link)
          if (lacking !== undefined) this.#bulk.fail(place, lacking, true)
        }
      }
    }
  }

  async #undo(places: readonly number[]): Promise<number[]> {
    const left: number[] = []
    for (const [channel, some] of this.#byChannel(places, spec => spec.netns)) {
      const links = some.map(place => ({ link: (this.#specs[place] as LinkSpec).name, group: 0 }))
      try {
        await deleteLinks(channel, links)
      } catch {
        // What went wrong first is what the caller has to know; and what is there nevertheless.
        const found = await briefLinks(channel, links.map(({ link }) => link)).catch(() => [])
        left.push(...some.filter((_, at) => found[at] !== undefined))
      }
    }
    const fds = places.flatMap(place => this.#fds.get(place) ?? [])
    if (fds.length > 0) await this.#home.exec([{ op: 'closeFds', fds }])
    return left
  }
}

/** What of a specification may be asked in vain. */
function askedOf(spec: LinkSpec, portKind: string | undefined): Asked {
  const { kind, port } = spec
  return { settings: spec, kind, options: (spec as unknown as Record<string, object | undefined>)[kind], portKind, port }
}

function isTap({ kind }: LinkSpec): boolean {
  return kind === 'tap' || kind === 'tun'
}

/** One name in one namespace; an index cannot be taken for a name, which has no slash. */
function keyOf(link: LinkRef, netns: Netns | undefined): string {
  const name = typeof link === 'number' ? `/${link}` : link
  return netns === undefined ? name : `${name}/${typeof netns}/${netns}`
}

/** Where a link and its peer are born; a peer without a namespace of its own beside its other end. */
function homesOf(spec: LinkSpec): { netns: Netns | undefined, peer?: { name: string, netns: Netns | undefined } } {
  const { netns } = spec
  const peer = peerOf(spec)
  if (peer === undefined) return { netns }
  const { name, netns: there = netns } = peer
  return { netns, peer: { name, netns: there } }
}

function tapError(step: TapStep, failed: StepFailure): Error {
  if (failed.errno !== constants.errno.EBUSY) return failure(step, failed)
  return new NetlinkError(`create ${step.mode} ${step.name}`, constants.errno.EEXIST)
}
