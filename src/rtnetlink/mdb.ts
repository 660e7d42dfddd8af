/**
 * Multicast databases of bridges as requests and records: groups behind ports, and ports with multicast routers.
 * Source: bridge(8) "mdb", linux/if_bridge.h, net/bridge/br_mdb.c.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { formatIp, parseIp } from '../ip.ts'
import { hexWithColons, ip, named, padding, scaled, u16, u32, u8 } from '../netlink/codecs.ts'
import type { Codec, FixedCodec } from '../netlink/codecs.ts'
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

const shownEntry = prefixed(entry, attributes({
  timerMs: [c.MDBA_MDB_EATTR_TIMER, clock],
  sources: [c.MDBA_MDB_EATTR_SRC_LIST, list(c.MDBA_MDB_SRCLIST_ENTRY, attributes({
    address: [c.MDBA_MDB_SRCATTR_ADDRESS, ip], timerMs: [c.MDBA_MDB_SRCATTR_TIMER, clock],
  }))],
  filterMode: [c.MDBA_MDB_EATTR_GROUP_MODE, named(u8, modes)],
  source: [c.MDBA_MDB_EATTR_SOURCE, ip],
  protocol: [c.MDBA_MDB_EATTR_RTPROT, u8],
}))
const routerTypes = {
  disabled: c.MDB_RTR_TYPE_DISABLED, query: c.MDB_RTR_TYPE_TEMP_QUERY, permanent: c.MDB_RTR_TYPE_PERM, temp: c.MDB_RTR_TYPE_TEMP,
} as const
const routerPort = prefixed(struct({ port: u32 }), attributes({
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
const asked = { header, attributes: attributes({
  entry: [c.MDBA_SET_ENTRY, entryCodec],
  more: [c.MDBA_SET_ENTRY_ATTRS, attributes({
    source: [c.MDBE_ATTR_SOURCE, ip],
    sources: [c.MDBE_ATTR_SRC_LIST, list(c.MDBE_SRC_LIST_ENTRY, attributes({ address: [c.MDBE_SRCATTR_ADDRESS, ip] }))],
    filterMode: [c.MDBE_ATTR_GROUP_MODE, named(u8, modes)],
    protocol: [c.MDBE_ATTR_RTPROT, u8],
    stateMask: [c.MDBE_ATTR_STATE_MASK, u8],
  })],
}) }

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

/** An entry as the kernel shows it. */
export interface MdbEntry {
  /** Index of the bridge. */
  bridge: number
  /** Index of the port, or of the bridge. */
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
}

/** A port behind which is a multicast router. */
export interface MdbRouter {
  bridge: number
  port: number
  type: keyof typeof routerTypes | number | undefined
  timerMs: number | undefined
  vlan: number | undefined
}

const flagNames: [number, string][] = [
  [c.MDB_FLAGS_OFFLOAD, 'offload'], [c.MDB_FLAGS_FAST_LEAVE, 'fast_leave'], [c.MDB_FLAGS_STAR_EXCL, 'added_by_star_ex'],
  [c.MDB_FLAGS_BLOCKED, 'blocked'], [c.MDB_FLAGS_OFFLOAD_FAILED, 'offload_failed'],
]
const specNames = ['port', 'group', 'vlan', 'source', 'state', 'sources', 'filterMode', 'protocol']

export type MdbVerb = 'add' | 'replace'
const verbFlags = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE }

/** `replace` needs Linux 6.2. */
export function newMdbEntry(bridge: number, spec: MdbSpec, verb: MdbVerb = 'add'): AnyRequest {
  checkSpec(spec)
  const { state = 'temp', sources, filterMode, protocol } = spec
  if (!Object.hasOwn(states, state)) throw new InvalidArgumentError('state', state, `one of ${Object.keys(states).join(', ')}`)
  if (sources !== undefined && !Array.isArray(sources)) throw new InvalidArgumentError('sources', sources, 'an array of addresses')
  const more = {
    source: spec.source, sources: sources?.map(address => ({ address })), filterMode,
    protocol: protocol === undefined ? undefined : protocols.number(protocol, 'protocol'),
  }
  return change({ ...entryRequest(bridge, spec, state, more), type: c.RTM_NEWMDB, flags: verbFlags[verb], operation: `${verb} group ${spec.group}` })
}

/** What does not identify the entry may stand there too. */
export function deleteMdbEntry(bridge: number, spec: MdbKey | MdbSpec): AnyRequest {
  checkSpec(spec)
  return change({ ...entryRequest(bridge, spec, 'temp', { source: spec.source }), type: c.RTM_DELMDB, flags: 0, operation: `delete group ${spec.group}` })
}

function checkSpec(spec: MdbKey | MdbSpec): void {
  checkFields(spec, specNames, 'a group')
  const { group: address, vlan, source } = spec
  const bytes = typeof address === 'string' ? parseIp(address) ?? parseMac(address) : undefined
  if (bytes === undefined || !isMulticast(bytes)) throw new InvalidArgumentError('group', address, 'an IPv4, IPv6 or MAC multicast address')
  if (source !== undefined && (typeof source !== 'string' || parseIp(source)?.length !== bytes.length)) {
    throw new InvalidArgumentError('source', source, 'an address of the same family as the group')
  }
  checkVlan(vlan)
}

function isMulticast(address: Uint8Array): boolean {
  const [first = 0] = address
  return address.length === 4 ? (first & 0xf0) === 0xe0 : address.length === 16 ? first === 0xff : (first & 1) === 1
}

function entryRequest(
  bridge: number, { port, group: address, vlan }: MdbKey, state: string, more: object,
): Omit<AnyRequest, 'type' | 'flags' | 'operation'> {
  const given = Object.values(more).some(value => value !== undefined)
  return {
    format: asked,
    header: { family: c.AF_BRIDGE, index: bridge },
    attributes: { entry: { port, state, vlan: vlan ?? 0, group: address }, ...(given ? { more } : {}) },
    callerNames: { entry: '', more: '' },
  }
}

/** What to flush; what is left out does not matter. */
export interface MdbFlush {
  /** Index of a port. */
  port?: number
  vlan?: number
  state?: keyof typeof states
}

/** Linux 6.8. */
export function flushMdb(bridge: number, what: MdbFlush): AnyRequest {
  checkFields(what, ['port', 'vlan', 'state'], 'what to flush of a multicast database')
  const { port = 0, vlan, state } = what
  checkVlan(vlan)
  if (state !== undefined && !Object.hasOwn(states, state)) throw new InvalidArgumentError('state', state, `one of ${Object.keys(states).join(', ')}`)
  return change({
    type: c.RTM_DELMDB, flags: NLM_F_BULK, format: asked,
    header: { family: c.AF_BRIDGE, index: bridge },
    attributes: {
      // The kernel wants no address here, of no family.
      entry: { port, state: state ?? 'temp', vlan: vlan ?? 0 },
      ...(state === undefined ? {} : { more: { stateMask: c.MDB_PERMANENT } }),
    },
    operation: 'flush groups',
  })
}

/** Of all bridges: the kernel has no filter. */
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
    })),
    routers: routers.map(({ header: { port = 0 }, attributes: { type, timerMs, vlan } }) => ({ bridge, port, type, timerMs, vlan })),
  }
}
