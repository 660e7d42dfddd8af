/**
 * Forwarding databases: MAC addresses behind the ports of a bridge, and behind the remote ends of a vxlan. Their messages
 * are those of neighbours. Source: bridge(8) "fdb", linux/neighbour.h, net/core/rtnetlink.c, net/bridge/br_fdb.c.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { NLM_F_APPEND, NLM_F_BULK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import type { RawAttribute } from '../netlink/table.ts'
import * as c from './constants.ts'
import { protocols } from './names.ts'
import type { RouteProtocol } from './names.ts'
import { bitsOf, flagsOf, neighborMessage } from './neighbors.ts'
import type { NeighborHeader, NeighborValues } from './neighbors.ts'

/**
 * `permanent`: the bridge's own, never forwarded; `static`: never ages; `dynamic`: ages as if it had been learned; `stale`:
 * has aged, will be gone soon.
 */
export type FdbState = 'permanent' | 'static' | 'dynamic' | 'stale'

/** As `bridge fdb` writes them. */
const writtenStates = {
  permanent: c.NUD_PERMANENT | c.NUD_NOARP, static: c.NUD_NOARP | c.NUD_REACHABLE, dynamic: c.NUD_REACHABLE,
} as const
type WrittenState = keyof typeof writtenStates

/** An entry of a forwarding database as the kernel shows it. */
export interface FdbEntry {
  family: 'bridge'
  /** Of the link that packets to the address leave by: a port, or the bridge or vxlan itself. */
  index: number
  mac: string
  vlan: number | undefined
  /** Index of the bridge, if the entry is in one. */
  master: number | undefined
  state: FdbState | number
  /** NTF_*: `self`, `master`, `extern_learn`, `offload`, `sticky`, `router`, `locked`, … */
  flags: string[]
  /** vxlan: address of the remote end. */
  dst: string | undefined
  /** vxlan: UDP port, if it is not the link's own. */
  port: number | undefined
  /** vxlan: network identifier, if it is not the link's own. */
  vni: number | undefined
  srcVni: number | undefined
  /** vxlan: index of the link that the remote end is reached by. */
  via: number | undefined
  linkNetnsId: number | undefined
  nexthopId: number | undefined
  protocol: RouteProtocol | undefined
  /** Tells that it has become active or inactive; then also whether it is inactive, and keeps its age. */
  activityNotify?: boolean
  inactive?: boolean
  noRefresh?: boolean
  /** Since when, in steps of 10. */
  usedMs: number | undefined
  updatedMs: number | undefined
  raw?: RawAttribute[] | undefined
}

/** What identifies an entry of a link. */
export interface FdbKey {
  /** Six bytes, hexadecimal with colons; of a vxlan also zeros, for all that no other entry is for. */
  mac: string
  /** 1 to 4094. */
  vlan?: number
  /** In the bridge that the link is a port of. */
  master?: boolean
  /** In the link's own database: that of a bridge, of a vxlan, or of a card. Default: true without `master`. */
  self?: boolean
  /** vxlan: address of the remote end. */
  dst?: string
  /** vxlan: UDP port of the remote end. */
  port?: number
  /** vxlan: 0 to 16777215. */
  vni?: number
  srcVni?: number
  /** vxlan: index of the link that the remote end is reached by. */
  via?: number
  /** vxlan: a nexthop group of the kind fdb instead of `dst`. Linux 5.8. */
  nexthopId?: number
}

/** An entry, with the options of `bridge fdb`. */
export interface FdbSpec extends FdbKey {
  /** Default `permanent`, as with `bridge fdb add`; `local` is another word for it. */
  state?: Exclude<FdbState, 'stale'> | 'local'
  /** Stays with its port, whatever is learned. */
  sticky?: boolean
  /** Learned outside of the kernel. */
  externLearn?: boolean
  router?: boolean
  /** Has been used just now. */
  use?: boolean
  /** The kernel tells when it becomes active or inactive. Linux 5.14. */
  activityNotify?: boolean
  /** With `activityNotify`: begins as inactive. */
  inactive?: boolean
  /** A replacement does not make it younger. Linux 5.14. */
  noRefresh?: boolean
  /** Who made it: a name as of routes, or 0 to 255. */
  protocol?: RouteProtocol
}

const keyNames = ['mac', 'vlan', 'master', 'self', 'dst', 'port', 'vni', 'srcVni', 'via', 'nexthopId', 'family']
const specNames = new Set([
  ...keyNames, 'state', 'sticky', 'externLearn', 'router', 'use', 'activityNotify', 'inactive', 'noRefresh', 'protocol',
])

const keyFlags = { master: c.NTF_MASTER, self: c.NTF_SELF } as const
const specFlags = { sticky: c.NTF_STICKY, externLearn: c.NTF_EXT_LEARNED, router: c.NTF_ROUTER, use: c.NTF_USE } as const
const callerNames = { lladdr: 'mac', ifindex: 'via' }

/** `append`: beside those to other ends of a vxlan. */
export type FdbVerb = 'add' | 'replace' | 'append'
const verbFlags = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE, append: NLM_F_CREATE | NLM_F_APPEND }

export function newFdbEntry(index: number, spec: FdbSpec, verb: FdbVerb = 'add'): AnyRequest {
  checkFields(spec, specNames, 'an entry of a forwarding database')
  const { state = 'permanent', protocol } = spec
  const request = keyRequest(index, spec, verb, c.RTM_NEWNEIGH, verbFlags[verb])
  const { header } = request
  header.state = stateNumber(state)
  header.flags |= bitsOf(spec, specFlags)
  const extended = extendedOf(spec)
  if (extended !== undefined) request.attributes['extended'] = extended
  if (protocol !== undefined) request.attributes['protocol'] = protocols.number(protocol, 'protocol')
  return request
}

/** What does not identify the entry may stand there too. */
export function deleteFdbEntry(index: number, key: FdbKey | FdbSpec): AnyRequest {
  checkFields(key, specNames, 'an entry of a forwarding database')
  const request = keyRequest(index, key, 'delete', c.RTM_DELNEIGH, 0)
  // Links without a database of their own want to be told what their addresses always are; others do not look at it.
  request.header.state = writtenStates.permanent
  return request
}

/** What a lookup goes by. */
export interface FdbLookup {
  mac: string
  vlan?: number
  vni?: number
  /** The bridge to look in, by index; without it, that of the port, or the link itself with `self`. */
  bridge?: number
  self?: boolean
}

/** ENOENT if there is none. `index` undefined: the `bridge` says where. */
export function getFdbEntry(index: number | undefined, lookup: FdbLookup): AnyRequest {
  checkFields(lookup, ['mac', 'vlan', 'vni', 'bridge', 'self', 'family'], 'what identifies an entry of a forwarding database')
  const { mac, vlan, vni, bridge } = lookup
  checkKey(lookup)
  return change({
    type: c.RTM_GETNEIGH, flags: 0, format: neighborMessage,
    header: { family: c.AF_BRIDGE, index: index ?? 0, flags: bitsOf(lookup, { self: c.NTF_SELF }) },
    attributes: { lladdr: mac, vlan, vni, master: bridge },
    operation: `get forwarding entry ${mac}`,
    callerNames: { lladdr: 'mac', master: 'bridge' },
  })
}

export interface FdbFilter {
  /** Of a port, or of a bridge or vxlan itself. */
  index?: number
  /** Index of the bridge. */
  master?: number
}

/** The kernel filters by link and bridge, and by nothing else. */
export function listFdb(filter: FdbFilter = {}): AnyRequest {
  checkFields(filter, ['index', 'master'], 'a filter of forwarding entries')
  const { index, master } = filter
  return dump({
    type: c.RTM_GETNEIGH, flags: 0, format: neighborMessage,
    header: { family: c.AF_BRIDGE },
    attributes: { ifindex: index, master },
    operation: 'list forwarding entries',
  })
}

/** What to flush of a database; what is left out does not matter, but for `state`. */
export interface FdbFlush {
  vlan?: number
  /** Default `dynamic`: what was learned. `all` takes the addresses of the ports themselves away too. */
  state?: Exclude<FdbState, 'stale'> | 'local' | 'all' | readonly (Exclude<FdbState, 'stale'> | 'local')[]
  /** Only those that are, or with `false` are not. */
  sticky?: boolean
  externLearn?: boolean
  offload?: boolean
  /** Added by hand. */
  addedByUser?: boolean
  /** vxlan (Linux 6.7). */
  dst?: string
  port?: number
  vni?: number
  srcVni?: number
  nexthopId?: number
}
const flushNames = ['vlan', 'state', 'sticky', 'externLearn', 'offload', 'addedByUser', 'dst', 'port', 'vni', 'srcVni', 'nexthopId']

/** A local entry is a static one as well. */
const flushedStates: Record<WrittenState, [state: number, mask: number]> = {
  permanent: [c.NUD_PERMANENT, c.NUD_PERMANENT],
  static: [c.NUD_NOARP, c.NUD_NOARP | c.NUD_PERMANENT],
  dynamic: [0, c.NUD_NOARP | c.NUD_PERMANENT],
}

/**
 * One request for each state. `index`: a bridge or vxlan (`self`), or a port; `port`: only entries of this port, which of a
 * bridge has to be said, since a port alone stands for its whole bridge. Linux 5.19.
 */
export function flushFdb(index: number, what: FdbFlush, { self, only }: { self: boolean, only?: number }): AnyRequest[] {
  checkFields(what, flushNames, 'what to flush of a forwarding database')
  const { vlan, state = 'dynamic', dst, port, vni, srcVni, nexthopId } = what
  checkVlan(vlan)
  const bits = { sticky: c.NTF_STICKY, externLearn: c.NTF_EXT_LEARNED, offload: c.NTF_OFFLOADED, addedByUser: c.NTF_USE } as const
  const flags = bitsOf(what, bits)
  const mask = Object.entries(bits).reduce((all, [name, bit]) => (what[name as keyof typeof bits] === undefined ? all : all | bit), 0)
  return statesOf(state).map(([wanted, stateMask]) => change({
    type: c.RTM_DELNEIGH,
    flags: NLM_F_BULK,
    format: neighborMessage,
    header: { family: c.AF_BRIDGE, index, state: wanted, flags: flags | (self ? c.NTF_SELF : c.NTF_MASTER) },
    attributes: {
      ifindex: only, vlan, dst, port, vni, srcVni, nexthopId,
      stateMask: stateMask === 0 ? undefined : stateMask, flagsMask: mask === 0 ? undefined : mask,
    },
    operation: `flush forwarding entries of link ${only ?? index}`,
  }))
}

function statesOf(state: FdbFlush['state']): [state: number, mask: number][] {
  if (state === 'all') return [[0, 0]]
  const wanted = Array.isArray(state) ? state as unknown[] : [state]
  if (wanted.length === 0) throw new InvalidArgumentError('state', state, 'at least one state')
  return [...new Set(wanted.map(checkState))].map(name => flushedStates[name])
}

export function decodeFdbEntry(message: Message): FdbEntry {
  const header = message.header as unknown as NeighborHeader
  const values = message.attributes as NeighborValues
  const { lladdr = '', vlan, master, dst, port, vni, srcVni, ifindex, linkNetnsId, nexthopId, protocol, cacheInfo, extended } = values
  return {
    family: 'bridge',
    index: header.index,
    mac: lladdr,
    vlan, master,
    state: stateName(header.state),
    flags: flagsOf(header, values),
    dst, port, vni, srcVni, via: ifindex, linkNetnsId, nexthopId,
    protocol: protocol === undefined ? undefined : protocols.name(protocol),
    ...(extended?.notify === undefined ? {} : {
      activityNotify: (extended.notify & c.FDB_NOTIFY_BIT) !== 0, inactive: (extended.notify & c.FDB_NOTIFY_INACTIVE_BIT) !== 0,
    }),
    ...(extended?.noRefresh === undefined ? {} : { noRefresh: extended.noRefresh }),
    usedMs: cacheInfo?.usedMs, updatedMs: cacheInfo?.updatedMs,
    ...(values.raw === undefined ? {} : { raw: values.raw }),
  }
}

function stateName(state: number): FdbState | number {
  if ((state & c.NUD_PERMANENT) !== 0) return 'permanent'
  if ((state & c.NUD_NOARP) !== 0) return 'static'
  return state === c.NUD_REACHABLE ? 'dynamic' : state === c.NUD_STALE ? 'stale' : state
}

function stateNumber(state: unknown): number {
  return writtenStates[checkState(state)]
}

function checkState(state: unknown): WrittenState {
  const name = state === 'local' ? 'permanent' : state
  if (typeof name === 'string' && Object.hasOwn(writtenStates, name)) return name as WrittenState
  throw new InvalidArgumentError('state', state, `one of ${Object.keys(writtenStates).join(', ')}, local`)
}

/** A state that is listed: what may be written, and `stale`. */
export function listedState(state: unknown): FdbState {
  return state === 'stale' ? state : checkState(state)
}

type FdbRequest = AnyRequest & { header: { family: number, index: number, state: number, flags: number } }

function keyRequest(index: number, key: FdbKey, verb: string, type: number, messageFlags: number): FdbRequest {
  checkKey(key)
  const { mac, vlan, dst, port, vni, srcVni, via, nexthopId } = key
  const flags = bitsOf(key, keyFlags)
  if (nexthopId !== undefined && (dst ?? vni ?? port ?? via) !== undefined) {
    throw new InvalidArgumentError('nexthopId', nexthopId, 'no dst, port, vni or via beside it')
  }
  return change({
    type,
    flags: messageFlags,
    format: neighborMessage,
    header: { family: c.AF_BRIDGE, index, state: 0, flags: flags === 0 ? c.NTF_SELF : flags },
    attributes: { lladdr: mac, vlan, dst, port, vni, srcVni, ifindex: via, nexthopId },
    operation: `${verb} forwarding entry ${mac}`,
    callerNames,
  }) as FdbRequest
}

const macForm = /^[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}$/i

function checkKey({ mac, vlan, vni }: { mac: unknown, vlan?: unknown, vni?: unknown }): void {
  if (typeof mac !== 'string' || !macForm.test(mac)) {
    throw new InvalidArgumentError('mac', mac, 'a MAC address like 52:54:00:12:34:56')
  }
  checkVlan(vlan)
  if (vni !== undefined && !(Number.isInteger(vni) && (vni as number) >= 0 && (vni as number) <= 0xffffff)) {
    throw new InvalidArgumentError('vni', vni, 'an integer from 0 to 16777215')
  }
}

export function checkVlan(vlan: unknown, field = 'vlan'): void {
  if (vlan === undefined || (Number.isInteger(vlan) && (vlan as number) >= 1 && (vlan as number) <= 4094)) return
  throw new InvalidArgumentError(field, vlan, 'a VLAN id from 1 to 4094')
}

function extendedOf(spec: FdbSpec): NeighborValues['extended'] {
  const { activityNotify, inactive, noRefresh } = spec
  if (activityNotify === undefined && inactive === undefined && noRefresh === undefined) return undefined
  const notify = bitsOf(spec, { activityNotify: c.FDB_NOTIFY_BIT, inactive: c.FDB_NOTIFY_INACTIVE_BIT })
  bitsOf(spec, { noRefresh: 1 })
  if (activityNotify === undefined && inactive === undefined && noRefresh !== true) return undefined
  return {
    ...(activityNotify === undefined && inactive === undefined ? {} : { notify }),
    ...(noRefresh === true ? { noRefresh } : {}),
  }
}
