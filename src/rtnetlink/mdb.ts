/**
 * Multicast databases of bridges and vxlans as requests and records: groups behind ports or remote ends, and ports with
 * multicast routers. Source: bridge(8) "mdb", linux/if_bridge.h, net/bridge/br_mdb.c, drivers/net/vxlan/vxlan_mdb.c.
 */
import { isKeyOf } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { formatIp, parseIp } from '../ip.ts'
import { hexWithColons, ip, named, padding, ranged, scaled, u16, u32, u8 } from '../netlink/codecs.ts'
import type { Codec, CodecValue, FixedCodec } from '../netlink/codecs.ts'
import { NLM_F_BULK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, list, prefixed, struct } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { checkVlan } from './fdb.ts'
import { bitNames, protocols } from './names.ts'
import type { RouteProtocol } from './names.ts'

/** Times stand in USER_HZ, hundredths of a second. */
const clock = scaled(u32, 10)

/** The union and `proto` of struct br_mdb_entry: an IPv4, IPv6 or MAC address, by Ethernet type; that of a MAC address is 0. */
const group: FixedCodec<string> = {
  size: 20,
  encode(writer, value) {
    const address = typeof value === 'string' ? parseIp(value) ?? parseMac(value) : undefined
    if (address === undefined) return writer.refuse(value, 'an IPv4, IPv6 or MAC address')
    const at = writer.reserve(20)
    writer.buffer.set(address, at)
    writer.buffer.writeUInt16BE(address.length === 4 ? 0x0800 : address.length === 16 ? 0x86dd : 0, at + 16)
  },
  decode(bytes, start) {
    const protocol = bytes.readUInt16BE(start + 16)
    const size = protocol === 0x0800 ? 4 : protocol === 0x86dd ? 16 : 6
    const address = bytes.subarray(start, start + size)
    return formatIp(address) ?? hexWithColons(address, 0, address.length)
  },
}

function parseMac(text: string): Uint8Array | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? Buffer.from(text.replaceAll(':', ''), 'hex') : undefined
}

const states = { temp: c.MDB_TEMPORARY, permanent: c.MDB_PERMANENT } as const
/** MCAST_EXCLUDE, MCAST_INCLUDE, linux/in.h. */
const modes = { exclude: 0, include: 1 } as const
const entry = struct({ port: u32, state: named(u8, states), flags: u8, vlan: u16, group })
type EntryInput = Parameters<typeof entry.encode>[1]
const entryCodec: Codec<EntryInput> = {
  size: entry.size,
  encode: (writer, value) => { entry.encode(writer, value) },
  decode: (bytes, start) => entry.decode(bytes, start),
}

const shownAttributes = attributes({
  timerMs: [c.MDBA_MDB_EATTR_TIMER, clock],
  sources: [c.MDBA_MDB_EATTR_SRC_LIST, list(c.MDBA_MDB_SRCLIST_ENTRY, attributes({
    address: [c.MDBA_MDB_SRCATTR_ADDRESS, ip], timerMs: [c.MDBA_MDB_SRCATTR_TIMER, clock],
  }))],
  filterMode: [c.MDBA_MDB_EATTR_GROUP_MODE, named(u8, modes)],
  source: [c.MDBA_MDB_EATTR_SOURCE, ip],
  protocol: [c.MDBA_MDB_EATTR_RTPROT, u8],
  dst: [c.MDBA_MDB_EATTR_DST, ip],
  dstPort: [c.MDBA_MDB_EATTR_DST_PORT, u16],
  vni: [c.MDBA_MDB_EATTR_VNI, u32],
  via: [c.MDBA_MDB_EATTR_IFINDEX, u32],
  srcVni: [c.MDBA_MDB_EATTR_SRC_VNI, u32],
})
const shownEntry = prefixed(entry, shownAttributes)
const routerTypes = {
  disabled: c.MDB_RTR_TYPE_DISABLED, query: c.MDB_RTR_TYPE_TEMP_QUERY, permanent: c.MDB_RTR_TYPE_PERM, temp: c.MDB_RTR_TYPE_TEMP,
} as const
export const routerPort = prefixed(struct({ port: u32 }), attributes({
  timerMs: [c.MDBA_ROUTER_PATTR_TIMER, clock],
  type: [c.MDBA_ROUTER_PATTR_TYPE, named(u8, routerTypes)],
  timer4Ms: [c.MDBA_ROUTER_PATTR_INET_TIMER, clock],
  timer6Ms: [c.MDBA_ROUTER_PATTR_INET6_TIMER, clock],
  vlan: [c.MDBA_ROUTER_PATTR_VID, u16],
}))

const header = struct({ family: u8, _pad1: padding(1), _pad2: padding(2), index: u32 })
const shown = { header, attributes: attributes({
  groups: [c.MDBA_MDB, list(c.MDBA_MDB_ENTRY, list(c.MDBA_MDB_ENTRY_INFO, shownEntry))],
  routers: [c.MDBA_ROUTER, list(c.MDBA_ROUTER_PORT, routerPort)],
}) }
const vni = ranged(u32, 0, 0xffffff)
const more = attributes({
  source: [c.MDBE_ATTR_SOURCE, ip],
  filterMode: [c.MDBE_ATTR_GROUP_MODE, named(u8, modes)],
  sources: [c.MDBE_ATTR_SRC_LIST, list(c.MDBE_SRC_LIST_ENTRY, attributes({ address: [c.MDBE_SRCATTR_ADDRESS, ip] }))],
  protocol: [c.MDBE_ATTR_RTPROT, u8],
  dst: [c.MDBE_ATTR_DST, ip],
  dstPort: [c.MDBE_ATTR_DST_PORT, u16],
  vni: [c.MDBE_ATTR_VNI, vni],
  srcVni: [c.MDBE_ATTR_SRC_VNI, vni],
  via: [c.MDBE_ATTR_IFINDEX, u32],
  stateMask: [c.MDBE_ATTR_STATE_MASK, u8],
})
const asked = { header, attributes: attributes({ entry: [c.MDBA_SET_ENTRY, entryCodec], more: [c.MDBA_SET_ENTRY_ATTRS, more] }) }
const askedFor = { header, attributes: attributes({ entry: [c.MDBA_GET_ENTRY, entryCodec], more: [c.MDBA_GET_ENTRY_ATTRS, more] }) }
const callerNames = { entry: '', more: '' }

/** What identifies an entry of a bridge. */
export interface MdbKey {
  /** Index of the port, or of the bridge for the host itself. */
  port: number
  /** IPv4 or IPv6 multicast address, or a MAC address (Linux 5.10). */
  group: string
  /** 1 to 4094. */
  vlan?: number
  /** Only packets from this address: (S, G). */
  source?: string
}

export interface MdbSpec extends MdbKey {
  /** `temp`, the default as with `bridge mdb add`: goes by itself if nobody asks for the group. */
  state?: keyof typeof states
  /** Addresses that packets are, or with `exclude` are not, taken from. Linux 6.2. */
  sources?: readonly string[]
  /** Default: exclude. Linux 6.2. */
  filterMode?: keyof typeof modes
  /** Who made it: a name as of routes, or 0 to 255. Linux 6.2. */
  protocol?: RouteProtocol
}

/** What identifies an entry of a vxlan. */
export interface VxlanMdbKey {
  /** IPv4 or IPv6 multicast address; `0.0.0.0` or `::`: all that no other entry is for. */
  group: string
  /** Only packets from this address: (S, G). */
  source?: string
  /** VNI that packets come in with, of a vxlan with `external`: 0 to 16777215. Default: the link's own, or 0. */
  srcVni?: number
  /** Address of the remote end, IPv4 or IPv6. */
  dst: string
  /** UDP port of the remote end. Default: the link's. */
  dstPort?: number
  /** VNI that packets go out with: 0 to 16777215. Default: that which they came in with. */
  vni?: number
  /** Index of the link that the remote end is reached by. */
  via?: number
}

/** They do not go by themselves. */
export interface VxlanMdbSpec extends VxlanMdbKey, Pick<MdbSpec, 'sources' | 'filterMode' | 'protocol'> {}

/** An entry as the kernel shows it. What is of vxlans is there only if the entry is. */
export interface MdbEntry {
  /** Index of the bridge, or of the vxlan. */
  bridge: number
  /** Index of the port, or of the bridge or vxlan. */
  port: number
  group: string
  vlan: number | undefined
  source: string | undefined
  state: keyof typeof states | number
  /** `offload`, `fast_leave`, `added_by_star_ex`, `blocked`, … */
  flags: string[]
  filterMode: keyof typeof modes | number | undefined
  sources: { address: string, timerMs: number }[] | undefined
  protocol: RouteProtocol | undefined
  /** What is left until it goes. */
  timerMs: number | undefined
  /** vxlan: address of the remote end. */
  dst?: string
  /** vxlan: UDP port of the remote end, if it is not the link's own. */
  dstPort?: number
  /** vxlan: VNI that packets go out with, if it is not that which they came in with. */
  vni?: number
  /** vxlan: VNI that packets come in with. */
  srcVni?: number
  /** vxlan: index of the link that the remote end is reached by. */
  via?: number
}

/** A port behind which is a multicast router. */
export interface MdbRouter extends MdbRouterPort {
  bridge: number
}

export interface MdbRouterPort {
  /** Index of the port. */
  port: number
  type: keyof typeof routerTypes | number | undefined
  timerMs: number | undefined
  vlan: number | undefined
}

const flagNames: [number, string][] = [
  [c.MDB_FLAGS_OFFLOAD, 'offload'], [c.MDB_FLAGS_FAST_LEAVE, 'fast_leave'], [c.MDB_FLAGS_STAR_EXCL, 'added_by_star_ex'],
  [c.MDB_FLAGS_BLOCKED, 'blocked'], [c.MDB_FLAGS_OFFLOAD_FAILED, 'offload_failed'],
]
const keyNames = ['port', 'group', 'vlan', 'source']
const vxlanKeyNames = ['group', 'source', 'srcVni', 'dst', 'dstPort', 'vni', 'via']
const ofBoth = ['sources', 'filterMode', 'protocol']

export type MdbVerb = 'add' | 'replace'
const verbFlags = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE }

/** `replace` needs Linux 6.2. */
export function newMdbEntry(bridge: number, spec: MdbSpec, verb: MdbVerb = 'add'): AnyRequest {
  checkKey(spec, [...keyNames, ...ofBoth, 'state'])
  checkVlan(spec.vlan)
  const { port, group: address, vlan = 0, state = 'temp', source } = spec
  checkState(state)
  return change({
    ...request(bridge, { port, state, vlan, group: address }, { source, ...sourcesOf(spec) }),
    type: c.RTM_NEWMDB, flags: verbFlags[verb], operation: `${verb} group ${address}`,
  })
}

/** What does not identify the entry may stand there too. */
export function deleteMdbEntry(bridge: number, spec: MdbKey | MdbSpec): AnyRequest {
  checkKey(spec, [...keyNames, ...ofBoth, 'state'])
  checkVlan(spec.vlan)
  const { port, group: address, vlan = 0, source } = spec
  return change({
    ...request(bridge, { port, state: 'temp', vlan, group: address }, { source }),
    type: c.RTM_DELMDB, flags: 0, operation: `delete group ${address}`,
  })
}

/** Linux 6.4. */
export function newVxlanMdbEntry(vxlan: number, spec: VxlanMdbSpec, verb: MdbVerb = 'add'): AnyRequest {
  checkVxlanKey(spec)
  const { group: address } = spec
  return change({
    ...request(vxlan, { port: vxlan, state: 'permanent', group: address }, { ...remoteOf(spec), ...sourcesOf(spec) }),
    type: c.RTM_NEWMDB, flags: verbFlags[verb], operation: `${verb} group ${address}`,
  })
}

/** What does not identify the entry may stand there too. */
export function deleteVxlanMdbEntry(vxlan: number, spec: VxlanMdbKey | VxlanMdbSpec): AnyRequest {
  checkVxlanKey(spec)
  const { group: address } = spec
  return change({
    ...request(vxlan, { port: vxlan, state: 'temp', group: address }, remoteOf(spec)),
    type: c.RTM_DELMDB, flags: 0, operation: `delete group ${address}`,
  })
}

/** What is looked up: all ports or remote ends of a group. */
export interface MdbLookup extends Pick<MdbKey, 'group' | 'vlan' | 'source'> {
  /** vxlan: VNI that packets come in with. */
  srcVni?: number
}

/** ENOENT if there is none. Linux 6.7. */
export function getMdbEntry(bridge: number, lookup: MdbLookup): AnyRequest {
  checkKey(lookup, ['group', 'vlan', 'source', 'srcVni'], true)
  checkVlan(lookup.vlan)
  const { group: address, vlan = 0, source, srcVni } = lookup
  return change({
    ...request(bridge, { state: 'temp', vlan, group: address }, { source, srcVni }),
    format: askedFor, reply: shown, type: c.RTM_GETMDB, flags: 0, operation: `get group ${address}`,
  })
}

type Key = Pick<MdbKey, 'group' | 'source'>

/** `ofAll`: an address that is none stands for all groups. */
function checkKey(spec: Key, names: readonly string[], ofAll = false): void {
  checkFields(spec, names, 'a group')
  const { group: address, source } = spec
  const bytes = typeof address === 'string' ? parseIp(address) ?? parseMac(address) : undefined
  if (bytes === undefined || !(isMulticast(bytes) || (ofAll && bytes.every(byte => byte === 0)))) {
    throw new InvalidArgumentError('group', address, 'an IPv4, IPv6 or MAC multicast address')
  }
  if (source !== undefined && (typeof source !== 'string' || parseIp(source)?.length !== bytes.length)) {
    throw new InvalidArgumentError('source', source, 'an address of the same family as the group')
  }
}

function checkVxlanKey(spec: VxlanMdbKey | VxlanMdbSpec): void {
  checkKey(spec, [...vxlanKeyNames, ...ofBoth], true)
  const { group: address, dst } = spec
  if (parseIp(address) === undefined) throw new InvalidArgumentError('group', address, 'an IPv4 or IPv6 multicast address, 0.0.0.0 or ::')
  if (dst === undefined) throw new InvalidArgumentError('dst', dst, 'the IPv4 or IPv6 address of the remote end')
}

function checkState(state: keyof typeof states | undefined): void {
  if (isKeyOf(states, state)) return
  throw new InvalidArgumentError('state', state, `one of ${Object.keys(states).join(', ')}`)
}

function isMulticast(address: Uint8Array): boolean {
  const [first = 0] = address
  return address.length === 4 ? (first & 0xf0) === 0xe0 : address.length === 16 ? first === 0xff : (first & 1) === 1
}

type More = TableValues<typeof more>

function sourcesOf({ sources, filterMode, protocol }: Pick<MdbSpec, 'sources' | 'filterMode' | 'protocol'>): More {
  if (sources !== undefined && !Array.isArray(sources)) throw new InvalidArgumentError('sources', sources, 'an array of addresses')
  return { filterMode, sources: sources?.map((address: string) => ({ address })), protocol: numberOf(protocol) }
}

function numberOf(protocol: RouteProtocol | undefined): number | undefined {
  return protocol === undefined ? undefined : protocols.number(protocol, 'protocol')
}

function remoteOf({ source, dst, dstPort, vni, srcVni, via }: VxlanMdbKey): More {
  return { source, dst, dstPort, vni, srcVni, via }
}

function request(bridge: number, entry: EntryInput, more: More): Omit<AnyRequest, 'type' | 'flags' | 'operation'> {
  const given = Object.values(more).some(value => value !== undefined)
  return { format: asked, header: { family: c.AF_BRIDGE, index: bridge }, attributes: { entry, ...(given ? { more } : {}) }, callerNames }
}

/** What to flush; what is left out does not matter. */
export interface MdbFlush {
  /** Index of a port. */
  port?: number
  vlan?: number
  state?: keyof typeof states
  protocol?: RouteProtocol
}

/** What to flush of a vxlan; what is left out does not matter. */
export type VxlanMdbFlush = Partial<Pick<VxlanMdbKey, 'srcVni' | 'dst' | 'dstPort' | 'vni'>> & Pick<MdbFlush, 'protocol'>

/** Linux 6.8. */
export function flushMdb(bridge: number, what: MdbFlush): AnyRequest {
  checkFields(what, ['port', 'vlan', 'state', 'protocol'], 'what to flush of a multicast database')
  const { port = 0, vlan = 0, state, protocol } = what
  checkVlan(what.vlan)
  if (state !== undefined) checkState(state)
  return flush(bridge, { port, state: state ?? 'temp', vlan }, {
    protocol: numberOf(protocol), stateMask: state === undefined ? undefined : c.MDB_PERMANENT,
  })
}

/** Linux 6.8. */
export function flushVxlanMdb(vxlan: number, what: VxlanMdbFlush): AnyRequest {
  checkFields(what, ['srcVni', 'dst', 'dstPort', 'vni', 'protocol'], 'what to flush of the multicast database of a vxlan')
  const { protocol, dst, dstPort, vni, srcVni } = what
  return flush(vxlan, { state: 'temp' }, { protocol: numberOf(protocol), dst, dstPort, vni, srcVni })
}

/** The kernel wants no address here, of no family. */
function flush(bridge: number, entry: EntryInput, more: More): AnyRequest {
  return change({ ...request(bridge, entry, more), type: c.RTM_DELMDB, flags: NLM_F_BULK, operation: 'flush groups' })
}

/** Of all bridges and vxlans: the kernel has no filter. */
export function listMdb(): AnyRequest {
  return dump({
    type: c.RTM_GETMDB, flags: 0, format: asked, reply: shown, header: { family: c.AF_BRIDGE }, attributes: {}, operation: 'list groups',
  })
}

export function decodeMdb(message: Message): { entries: MdbEntry[], routers: MdbRouter[] } {
  const { index: bridge } = message.header as unknown as { index: number }
  const { groups = [], routers = [] } = message.attributes as TableValues<typeof shown.attributes>
  return {
    entries: groups.flat().map(({ header: { port = 0, state = 'temp', flags = 0, vlan = 0, group: address = '' }, attributes: more }) => ({
      bridge, port, group: address, vlan: vlan === 0 ? undefined : vlan, source: more.source, state, flags: bitNames(flagNames, flags),
      filterMode: more.filterMode,
      sources: more.sources?.map(({ address: from = '', timerMs = 0 }) => ({ address: from, timerMs })),
      protocol: more.protocol === undefined ? undefined : protocols.name(more.protocol),
      timerMs: more.timerMs === 0 ? undefined : more.timerMs,
      ...remoteEnd(more),
    })),
    routers: routers.map(router => ({ bridge, ...decodeRouterPort(router) })),
  }
}

export function decodeRouterPort({ header, attributes: { type, timerMs, vlan } }: CodecValue<typeof routerPort>): MdbRouterPort {
  return { port: header.port ?? 0, type, timerMs, vlan }
}

function remoteEnd({ dst, dstPort, vni, srcVni, via }: TableValues<typeof shownAttributes>): Partial<MdbEntry> {
  const given = Object.entries({ dst, dstPort, vni, srcVni, via }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as Partial<MdbEntry>
}
