/** Multicast databases of bridges and vxlans: what `bridge mdb` does. */
import { InvalidArgumentError, UnsupportedError, checkFields } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed, Tests } from '../rtnetlink/listed.ts'
import type { Link } from '../rtnetlink/links.ts'
import {
  decodeMdb, deleteMdbEntry, deleteVxlanMdbEntry, flushMdb, flushVxlanMdb, getMdbEntry, listMdb, newMdbEntry, newVxlanMdbEntry,
} from '../rtnetlink/mdb.ts'
import type {
  MdbEntry, MdbFlush as WireFlush, MdbKey as WireKey, MdbLookup as WireLookup, MdbRouter, MdbSpec as WireSpec, MdbVerb,
  VxlanMdbFlush as WireVxlanFlush, VxlanMdbKey as WireVxlanKey, VxlanMdbSpec as WireVxlanSpec,
} from '../rtnetlink/mdb.ts'
import { lacks } from '../rtnetlink/unsupported.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import type { Links } from './links.ts'

/** What identifies an entry. */
export interface MdbKey extends Omit<WireKey, 'port'> {
  bridge: LinkRef
  /** A port of it, or the bridge, for the host itself. */
  port: LinkRef
}

/** An entry to add. */
export interface MdbSpec extends Omit<WireSpec, 'port'> {
  bridge: LinkRef
  /** A port of it, or the bridge, for the host itself. */
  port: LinkRef
}

/** What identifies an entry of a vxlan. Linux 6.4. */
export interface VxlanMdbKey extends Omit<WireVxlanKey, 'via'> {
  vxlan: LinkRef
  /** The link that the remote end is reached by. */
  via?: LinkRef
}

/** An entry of a vxlan to add. Linux 6.4. */
export interface VxlanMdbSpec extends Omit<WireVxlanSpec, 'via'> {
  vxlan: LinkRef
  /** The link that the remote end is reached by. */
  via?: LinkRef
}

/** A group of a bridge (`vlan`) or of a vxlan (`srcVni`). */
export type MdbLookup = { bridge: LinkRef } & Omit<WireLookup, 'srcVni'> | { vxlan: LinkRef } & Omit<WireLookup, 'vlan'>

export interface MdbFilter {
  bridge?: LinkRef
  port?: LinkRef
  /** In place of a bridge. */
  vxlan?: LinkRef
}

export interface MdbFlush extends Omit<WireFlush, 'port'> {
  bridge: LinkRef
  port?: LinkRef
}

export interface VxlanMdbFlush extends WireVxlanFlush {
  vxlan: LinkRef
}

/**
 * Multicast groups behind the ports of bridges, and the remote ends of vxlans: `host.mdb`. A link that does not exist is
 * ERR_NO_LINK; what the kernel refuses ERR_NETLINK; a kernel without them, or too old for an option, ERR_UNSUPPORTED.
 * Changes need CAP_NET_ADMIN, else ERR_NO_PERMISSION. Source: bridge(8).
 */
export class Mdb {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  /** Groups. Left out by virbr, not by the kernel, which has no filter. */
  async list(filter: MdbFilter = {}): Promise<Listed<MdbEntry>> {
    return sift((await this.#read(filter)).flatMap(({ entries }) => entries), await this.#tests(filter))
  }

  /** Ports behind which are multicast routers. */
  async routers(filter: MdbFilter = {}): Promise<Listed<MdbRouter>> {
    return sift((await this.#read(filter)).flatMap(({ routers }) => routers), await this.#tests(filter))
  }

  /**
   * The entries of one group, of each port or remote end. One request, not a dump. Rejects with ENOENT if there is none.
   * Linux 6.7.
   */
  async get(lookup: MdbLookup): Promise<MdbEntry[]> {
    const [field, ref, rest] = owner<WireLookup>(lookup)
    routeStep([getMdbEntry(1, rest)])
    const found = await this.#owner(field, ref)
    const { error, messages } = await this.#channel.attempt(routeStep([getMdbEntry(found.index, rest)], { mayFail: true }))
    if (error === undefined) return messages.flat().flatMap(message => decodeMdb(message).entries)
    // Messages of unknown types are refused without a word.
    throw error.errnoName === 'EOPNOTSUPP' && error.kernelMessage === undefined ? lacks(error.operation, 'Linux 6.7', error)
      : explain(error, found, ref)
  }

  /** Rejects with EEXIST if there is such an entry. */
  add(entry: MdbSpec | VxlanMdbSpec): Promise<void> {
    return this.#change(entry, adding('add'))
  }

  /** Linux 6.2. */
  replace(entry: MdbSpec | VxlanMdbSpec): Promise<void> {
    return this.#change(entry, adding('replace'))
  }

  /** Takes what `add` took. Rejects with ENOENT or EINVAL if there is none. */
  delete(entry: MdbKey | VxlanMdbKey): Promise<void> {
    return this.#change(entry, deletion)
  }

  /** Deletes what matches, in the kernel. Linux 6.8, else ERR_UNSUPPORTED. */
  async flush(what: MdbFlush | VxlanMdbFlush): Promise<void> {
    const [field, ref, { port, ...rest }] = owner<WireFlush & WireVxlanFlush, 'port'>(what)
    if (port !== undefined) checkLinkRef(port, 'port')
    const make = field === 'vxlan' ? flushVxlanMdb : flushMdb
    routeStep([make(1, { ...rest, ...(port === undefined ? {} : { port: 1 }) })])
    const only = port === undefined ? {} : { port: await this.#links.index(port, 'port') }
    const { index } = await this.#owner(field, ref)
    const { error } = await this.#channel.attempt(routeStep([make(index, { ...rest, ...only })], { mayFail: true }))
    if (error === undefined) return
    const old = error.errnoName === 'EOPNOTSUPP' || /ulk delet|not multicast/.test(error.kernelMessage ?? '')
    throw old ? new UnsupportedError('Linux 6.8', `${error.message}; Linux 6.8 is needed`) : noLink(error, ref)
  }

  async #read(filter: MdbFilter): Promise<{ entries: MdbEntry[], routers: MdbRouter[] }[]> {
    checkFields(filter, ['bridge', 'port', 'vxlan'], 'a filter of groups')
    const { error, messages } = await this.#channel.attempt(routeStep([listMdb()], { mayFail: true }))
    if (error !== undefined) throw error.errnoName === 'EOPNOTSUPP' ? noSnooping(error) : error
    return messages.flat().map(decodeMdb)
  }

  async #tests(filter: MdbFilter): Promise<Tests<{ bridge: number, port: number }>> {
    const tests = Object.entries(filter).filter(([, ref]) => ref !== undefined).map(async ([field, ref]) => {
      const index = await this.#links.index(ref as LinkRef, field)
      return [field, equals(index, (entry: { bridge: number, port: number }) => (field === 'port' ? entry.port : entry.bridge))] as const
    })
    return Object.fromEntries(await Promise.all(tests))
  }

  async #change(entry: MdbKey | VxlanMdbKey, make: Maker): Promise<void> {
    const [field, ref, { port, via, ...rest }] = owner<Wire, 'port' | 'via'>(entry)
    if (field === 'bridge') checkLinkRef(port, 'port')
    else if (via !== undefined) checkLinkRef(via, 'via')
    const given = { ...rest, ...(port === undefined ? {} : { port: 1 }), ...(via === undefined ? {} : { via: 1 }) }
    routeStep([make[field](1, given as Wire)])
    const found = await this.#owner(field, ref)
    if (port !== undefined) given.port = await this.#links.index(port, 'port')
    if (via !== undefined) given.via = await this.#links.index(via, 'via')
    const { error } = await this.#channel.attempt(routeStep([make[field](found.index, given as Wire)], { mayFail: true }))
    if (error !== undefined) throw explain(error, found, ref)
  }

  async #owner(field: Owner, ref: LinkRef): Promise<Link> {
    const found = await this.#links.get(ref)
    if (field === 'vxlan' && found.kind !== 'vxlan') {
      throw new InvalidArgumentError('vxlan', ref, `a vxlan; ${found.name} is ${found.kind === undefined ? 'none' : `a ${found.kind}`}`)
    }
    return found
  }
}

type Owner = 'bridge' | 'vxlan'
type Wire = WireSpec & WireVxlanSpec
type Maker = Readonly<Record<Owner, (index: number, wire: Wire) => AnyRequest>>

const adding = (verb: MdbVerb): Maker => ({
  bridge: (index, wire) => newMdbEntry(index, wire, verb), vxlan: (index, wire) => newVxlanMdbEntry(index, wire, verb),
})
const deletion: Maker = { bridge: deleteMdbEntry, vxlan: deleteVxlanMdbEntry }

/** Whose database it is, and the rest, in which some fields are links. */
function owner<W extends object, L extends keyof W = never>(
  what: { bridge: LinkRef } | { vxlan: LinkRef },
): [Owner, LinkRef, Omit<W, L> & { [F in L]?: LinkRef }] {
  const { bridge, vxlan, ...rest } = (typeof what === 'object' && what !== null ? what : {}) as { bridge?: LinkRef, vxlan?: LinkRef }
  if ((bridge === undefined) === (vxlan === undefined)) throw new InvalidArgumentError('bridge', bridge, 'a bridge, or in its place a vxlan')
  const field = bridge === undefined ? 'vxlan' : 'bridge'
  const ref = bridge ?? vxlan as LinkRef
  checkLinkRef(ref, field)
  return [field, ref, rest as Omit<W, L> & { [F in L]?: LinkRef }]
}

function explain(error: NetlinkError, { kind }: Link, ref: LinkRef): Error {
  const { errnoName, kernelMessage = '' } = error
  const isNone = errnoName === 'EOPNOTSUPP' || /not a bridge/i.test(kernelMessage)
  if (isNone && kind === 'vxlan') return lacks(error.operation, 'Linux 6.4, for groups of vxlans', error)
  if (isNone && kind === 'bridge') return noSnooping(error)
  if (/nknown attribute|nsupported attribute/.test(kernelMessage)) {
    return new UnsupportedError('Linux 6.2', `${error.message}; Linux 6.2 is needed`)
  }
  return noLink(error, ref)
}

function noSnooping(error: NetlinkError): UnsupportedError {
  return new UnsupportedError('CONFIG_BRIDGE_IGMP_SNOOPING', `${error.message}; a kernel with CONFIG_BRIDGE_IGMP_SNOOPING is needed`)
}
