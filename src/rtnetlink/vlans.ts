/**
 * VLANs of bridges and their ports as requests and records. Source: bridge(8) "vlan", linux/if_bridge.h,
 * net/bridge/br_netlink.c, net/bridge/br_vlan.c.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { bool8, counter64, named, padding, readOnly, u16, u32, u8 } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct, walkAttributes } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import type { Writer } from '../netlink/writer.ts'
import * as c from './constants.ts'
import { ifinfomsg } from './messages.ts'
import { bitsOf } from './neighbors.ts'

/** One VLAN or a range, as `bridge vlan add` takes it: `10`, `'10'`, `'10-20'`, or an object. */
export type VlanRange = number | string | VlanSpec

export interface VlanSpec {
  /** 1 to 4094. */
  vid: number
  /** Last of a range; default: `vid` alone. */
  to?: number
  /** Packets that come in untagged belong to it. One VLAN of a link, no range. */
  pvid?: boolean
  /** Packets go out without a tag. */
  untagged?: boolean
  /** Of a port with `vlanTunnel`: the tunnel key, e.g. VNI, of `vid`; those of a range follow one another. */
  tunnelId?: number
}

/** Where a request goes, as `bridge vlan` has it. Default: the bridge that the link is a port of, as with `master`. */
export interface VlanTarget {
  /** The link itself: a bridge, or a card with VLANs of its own. */
  self?: boolean
  /** The bridge that the link is a port of. */
  master?: boolean
}

/** Options of a VLAN of a link, as `bridge vlan set` has them. */
export interface VlanOptions {
  /** STP state of the VLAN on the port. */
  state?: 'disabled' | 'listening' | 'learning' | 'forwarding' | 'blocking' | undefined
  /** 0 never, 1 if queries are heard, 2 always, 3 for a while. Linux 5.15. */
  multicastRouter?: number | undefined
  /** With the port's `neighVlanSuppress`: answers ARP and NDP for known neighbours. Linux 6.4. */
  neighSuppress?: boolean | undefined
  /** 0: no limit. Linux 6.3. */
  multicastMaxGroups?: number | undefined
}

/** A VLAN, or a range of VLANs that have all in common, as the kernel shows it. */
export interface BridgeVlan {
  /** Of the link. */
  index: number
  vid: number
  /** Last of the range, if it is one. */
  to: number | undefined
  pvid: boolean
  untagged: boolean
  state: VlanOptions['state'] | number
  multicastRouter: number | undefined
  multicastGroups: number | undefined
  multicastMaxGroups: number | undefined
  neighSuppress: boolean | undefined
  /** Of `vid`; those of a range follow one another. */
  tunnelId: number | undefined
  statistics?: { rxBytes: number, rxPackets: number, txBytes: number, txPackets: number }
}

const vlanInfo = struct({ flags: u16, vid: u16 })
interface TunnelInfo { id: number, vid: number, flags: number }
const tunnelInfo = attributes({
  id: [c.IFLA_BRIDGE_VLAN_TUNNEL_ID, u32], vid: [c.IFLA_BRIDGE_VLAN_TUNNEL_VID, u16], flags: [c.IFLA_BRIDGE_VLAN_TUNNEL_FLAGS, u16],
})

interface BridgeSpec {
  flags?: number | undefined
  vlans: { flags: number, vid: number }[]
  tunnels?: TunnelInfo[] | undefined
}

function attribute(writer: Writer, type: number, nested: boolean, body: () => void): void {
  const start = writer.beginAttribute(type, nested)
  body()
  writer.endAttribute(start)
}

/** IFLA_AF_SPEC of AF_BRIDGE, in which attributes of one type follow one another. */
const bridgeSpec: Codec<BridgeSpec> = {
  nested: true,
  encode(writer, { flags, vlans, tunnels = [] }, parent) {
    if (flags !== undefined) attribute(writer, c.IFLA_BRIDGE_FLAGS, false, () => { u16.encode(writer, flags, parent) })
    for (const info of vlans) attribute(writer, c.IFLA_BRIDGE_VLAN_INFO, false, () => { vlanInfo.encode(writer, info) })
    for (const info of tunnels) attribute(writer, c.IFLA_BRIDGE_VLAN_TUNNEL_INFO, true, () => { tunnelInfo.encode(writer, info) })
  },
  decode(bytes, start, end) {
    const spec: BridgeSpec = { vlans: [] }
    for (const [type, from, to] of walkAttributes(bytes, start, end)) {
      if (type === c.IFLA_BRIDGE_FLAGS && to - from >= 2) spec.flags = bytes.readUInt16LE(from)
      else if (type === c.IFLA_BRIDGE_VLAN_INFO && to - from >= vlanInfo.size) spec.vlans.push(vlanInfo.decode(bytes, from))
      else if (type === c.IFLA_BRIDGE_VLAN_TUNNEL_INFO) {
        const { id = 0, vid = 0, flags = 0 } = tunnelInfo.decode(bytes, from, to);
        (spec.tunnels ??= []).push({ id, vid, flags })
      }
    }
    return spec
  },
}
const bridgeLinkMessage = { header: ifinfomsg, attributes: attributes({ spec: [c.IFLA_AF_SPEC, bridgeSpec] }) }

/** BR_STATE_*, linux/if_bridge.h. */
export const states = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const

const statistics = attributes({
  rxBytes: [c.BRIDGE_VLANDB_STATS_RX_BYTES, counter64], rxPackets: [c.BRIDGE_VLANDB_STATS_RX_PACKETS, counter64],
  txBytes: [c.BRIDGE_VLANDB_STATS_TX_BYTES, counter64], txPackets: [c.BRIDGE_VLANDB_STATS_TX_PACKETS, counter64],
})

const vlanInfoCodec: Codec<{ flags: number, vid: number }> = {
  size: vlanInfo.size,
  encode: (writer, value) => { vlanInfo.encode(writer, value) },
  decode: (bytes, start) => vlanInfo.decode(bytes, start),
}

const entryAttributes = attributes({
  info: [c.BRIDGE_VLANDB_ENTRY_INFO, vlanInfoCodec],
  to: [c.BRIDGE_VLANDB_ENTRY_RANGE, u16],
  state: [c.BRIDGE_VLANDB_ENTRY_STATE, named(u8, states)],
  tunnel: [c.BRIDGE_VLANDB_ENTRY_TUNNEL_INFO, attributes({ id: [c.BRIDGE_VLANDB_TINFO_ID, u32] })],
  statistics: [c.BRIDGE_VLANDB_ENTRY_STATS, statistics],
  multicastRouter: [c.BRIDGE_VLANDB_ENTRY_MCAST_ROUTER, u8],
  multicastGroups: [c.BRIDGE_VLANDB_ENTRY_MCAST_N_GROUPS, readOnly(u32)],
  multicastMaxGroups: [c.BRIDGE_VLANDB_ENTRY_MCAST_MAX_GROUPS, u32],
  neighSuppress: [c.BRIDGE_VLANDB_ENTRY_NEIGH_SUPPRESS, bool8],
})
type EntryValues = TableValues<typeof entryAttributes>

/**
 * What a message of the kernel's has many of, under `name`: each reading adds to those before it. One is written at a time.
 */
export function repeated<T>(name: string, codec: Codec<T>): Codec<T[]> {
  return {
    nested: true,
    encode(writer, [entry], parent) {
      if (entry !== undefined) codec.encode(writer, entry, parent)
    },
    decode(bytes, start, end, parent) {
      const { [name]: entries = [] } = parent as Record<string, T[] | undefined>
      entries.push(codec.decode(bytes, start, end, parent))
      return entries
    },
  }
}

export const vlanHeader = struct({ family: u8, _reserved1: padding(1), _reserved2: padding(2), index: u32 })
export const vlanMessage = { header: vlanHeader, attributes: attributes({ entries: [c.BRIDGE_VLANDB_ENTRY, repeated('entries', entryAttributes)] }) }
export const vlanDump = { header: vlanHeader, attributes: attributes({ flags: [c.BRIDGE_VLANDB_DUMP_FLAGS, u32] }) }

const specNames = ['vid', 'to', 'pvid', 'untagged', 'tunnelId']

/** Reads `10`, `'10-20'`, `{ vid, to }`; `field` is where it stands. */
export function parseVlans(range: VlanRange, field = 'vid'): Required<Pick<VlanSpec, 'vid' | 'to'>> & VlanSpec {
  const given = typeof range === 'object' && range !== null ? range : rangeOf(range, field)
  checkFields(given, specNames, 'a VLAN')
  const { vid, to = vid, pvid, tunnelId } = given
  checkVid(vid, field)
  checkVid(to, 'to')
  if (to < vid) throw new InvalidArgumentError('to', to, `the last of a range that begins with ${vid}`)
  if (pvid === true && to !== vid) throw new InvalidArgumentError('pvid', pvid, 'false, or one VLAN and no range')
  if (tunnelId !== undefined && !(Number.isInteger(tunnelId) && tunnelId >= 0 && tunnelId + to - vid <= 0xffffffff)) {
    throw new InvalidArgumentError('tunnelId', tunnelId, 'an integer from 0 to 4294967295')
  }
  return { ...given, to }
}

function rangeOf(range: unknown, field: string): VlanSpec {
  if (typeof range === 'number') return { vid: range }
  const [, first, last = first] = (typeof range === 'string' ? /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(range) : null) ?? []
  if (first === undefined) throw new InvalidArgumentError(field, range, 'a VLAN id from 1 to 4094, a range like 10-20, or { vid, to }')
  return { vid: Number(first), to: Number(last) }
}

function checkVid(vid: unknown, field: string): void {
  if (Number.isInteger(vid) && (vid as number) >= 1 && (vid as number) <= 4094) return
  throw new InvalidArgumentError(field, vid, 'a VLAN id from 1 to 4094')
}

/** All in one message. Ranges are two marks each, so that 4,094 VLANs are as short as two. */
export function addVlans(index: number, ranges: readonly VlanRange[], target: VlanTarget = {}): AnyRequest {
  return { ...vlansRequest(index, ranges, target, 'add'), type: c.RTM_SETLINK }
}

export function deleteVlans(index: number, ranges: readonly VlanRange[], target: VlanTarget = {}): AnyRequest {
  return { ...vlansRequest(index, ranges, target, 'delete'), type: c.RTM_DELLINK }
}

function vlansRequest(index: number, ranges: readonly VlanRange[], target: VlanTarget, verb: string): AnyRequest {
  if (!Array.isArray(ranges) || ranges.length === 0) throw new InvalidArgumentError('vid', ranges, 'at least one VLAN')
  checkFields(target, ['self', 'master'], 'where VLANs are')
  const flags = bitsOf(target, { self: c.BRIDGE_FLAGS_SELF, master: c.BRIDGE_FLAGS_MASTER })
  const spec: BridgeSpec = { flags: flags === 0 ? undefined : flags, vlans: [] }
  const tunnels: TunnelInfo[] = []
  for (const range of ranges.map(range => parseVlans(range as VlanRange))) {
    const { vid, to, tunnelId } = range
    const bits = bitsOf(range, { pvid: c.BRIDGE_VLAN_INFO_PVID, untagged: c.BRIDGE_VLAN_INFO_UNTAGGED })
    for (const [mark, at] of marks(vid, to)) {
      spec.vlans.push({ flags: bits | mark, vid: at })
      if (tunnelId !== undefined) tunnels.push({ id: tunnelId + at - vid, vid: at, flags: mark })
    }
  }
  return change({
    type: 0, flags: 0, format: bridgeLinkMessage,
    header: { family: c.AF_BRIDGE, index },
    attributes: { spec: { ...spec, ...(tunnels.length === 0 ? {} : { tunnels }) } },
    operation: `${verb} VLANs of link ${index}`,
  })
}

function marks(vid: number, to: number): [mark: number, vid: number][] {
  return vid === to ? [[0, vid]] : [[c.BRIDGE_VLAN_INFO_RANGE_BEGIN, vid], [c.BRIDGE_VLAN_INFO_RANGE_END, to]]
}

const optionNames = ['state', 'multicastRouter', 'neighSuppress', 'multicastMaxGroups']

/** Options of VLANs that are there. */
export function setVlan(index: number, range: VlanRange, options: VlanOptions): AnyRequest {
  checkFields(options, optionNames, 'options of a VLAN')
  const { vid, to } = parseVlans(range)
  if (Object.values(options).every(value => value === undefined)) {
    throw new InvalidArgumentError('options', options, `at least one of ${optionNames.join(', ')}`)
  }
  return change({
    type: c.RTM_NEWVLAN, flags: 0, format: vlanMessage,
    header: { family: c.AF_BRIDGE, index },
    attributes: { entries: [{ info: { flags: c.BRIDGE_VLAN_INFO_ONLY_OPTS, vid }, ...(to === vid ? {} : { to }), ...options }] },
    operation: `set VLANs ${to === vid ? vid : `${vid}-${to}`} of link ${index}`,
    callerNames: { entries: 'options' },
  })
}

/** The kernel joins VLANs that have all in common to ranges, unless statistics are asked for. Linux 5.6. */
export function listVlans({ index, statistics }: { index?: number, statistics?: boolean } = {}): AnyRequest {
  if (statistics !== undefined && typeof statistics !== 'boolean') throw new InvalidArgumentError('statistics', statistics, 'true or false')
  return dump({
    type: c.RTM_GETVLAN, flags: 0, format: vlanDump, reply: vlanMessage,
    header: { family: c.AF_BRIDGE, index: index ?? 0 },
    attributes: statistics === true ? { flags: c.BRIDGE_VLANDB_DUMPF_STATS } : {},
    operation: 'list VLANs',
  })
}

/** All VLANs of one link. */
export function decodeVlans(message: Message): BridgeVlan[] {
  const { index } = message.header as unknown as { index: number }
  const { entries = [] } = message.attributes as { entries?: EntryValues[] }
  return entries.map(entry => {
    const { info = { flags: 0, vid: 0 }, to, state, multicastRouter, multicastGroups, multicastMaxGroups, neighSuppress, tunnel } = entry
    const { rxBytes = 0, rxPackets = 0, txBytes = 0, txPackets = 0 } = entry.statistics ?? {}
    return {
      index,
      vid: info.vid,
      to: to === info.vid ? undefined : to,
      pvid: (info.flags & c.BRIDGE_VLAN_INFO_PVID) !== 0,
      untagged: (info.flags & c.BRIDGE_VLAN_INFO_UNTAGGED) !== 0,
      state, multicastRouter, multicastGroups, multicastMaxGroups, neighSuppress,
      tunnelId: tunnel?.id,
      ...(entry.statistics === undefined ? {} : { statistics: { rxBytes, rxPackets, txBytes, txPackets } }),
    }
  })
}
