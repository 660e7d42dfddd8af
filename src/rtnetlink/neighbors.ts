/**
 * Neighbours as requests and records: entries of ARP and NDP. Entries of bridges' and vxlans' forwarding databases, which
 * share their messages, are in fdb.ts. Source: ip-neighbour(8), linux/neighbour.h, net/core/neighbour.c.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { formatIp, isIPv4, isIPv6, parseIp } from '../ip.ts'
import { be16, flag, hexWithColons, ip, scaled, s32, u16, u32, u8, writeMac } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { RawAttribute, TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { families, familyNumber } from './families.ts'
import { ndmsg } from './messages.ts'
import { bitNames, onlyNames, protocols } from './names.ts'
import type { RouteProtocol } from './names.ts'

/**
 * A link-layer address: of Ethernet 6 bytes, of IEEE 802.15.4 8, of InfiniBand 20, `52:54:00:12:34:56`; of tunnels an IPv4 or IPv6
 * address.
 */
export const linkLayerAddress: Codec<string> = {
  encode(writer, value) {
    const start = writer.length
    if (typeof value === 'string' && value.length === 17) {
      if (writeMac(writer, value)) return
      // It may be an IPv6 address.
      writer.length = start
    }
    // Eight groups of two digits are rather an address of eight bytes, as the kernel shows it, than an IPv6 address.
    if (typeof value === 'string' && /^([0-9a-f]{2}:){7}(([0-9a-f]{2}:){12})?[0-9a-f]{2}$/i.test(value)) {
      return writer.bytes(Buffer.from(value.replaceAll(':', ''), 'hex'))
    }
    const address = typeof value === 'string' ? parseIp(value) : undefined
    if (address === undefined) return writer.refuse(value, 'a MAC address like 52:54:00:12:34:56, or an IP address')
    writer.bytes(address)
  },
  decode: (bytes, start, end) =>
    formatIp(bytes.subarray(start, end)) ?? hexWithColons(bytes, start, end),
}

/** Times stand in USER_HZ, hundredths of a second. */
const clock = scaled(u32, 10)

export const neighborAttributes = attributes({
  dst: [c.NDA_DST, ip],
  lladdr: [c.NDA_LLADDR, linkLayerAddress],
  /** struct nda_cacheinfo: times since. */
  cacheInfo: [c.NDA_CACHEINFO, struct({ confirmedMs: clock, usedMs: clock, updatedMs: clock, references: u32 })],
  probes: [c.NDA_PROBES, u32],
  vlan: [c.NDA_VLAN, u16],
  port: [c.NDA_PORT, be16],
  vni: [c.NDA_VNI, u32],
  ifindex: [c.NDA_IFINDEX, u32],
  master: [c.NDA_MASTER, u32],
  linkNetnsId: [c.NDA_LINK_NETNSID, s32],
  srcVni: [c.NDA_SRC_VNI, u32],
  protocol: [c.NDA_PROTOCOL, u8],
  nexthopId: [c.NDA_NH_ID, u32],
  extended: [c.NDA_FDB_EXT_ATTRS, attributes({ notify: [c.NFEA_ACTIVITY_NOTIFY, u8], noRefresh: [c.NFEA_DONT_REFRESH, flag] })],
  flags: [c.NDA_FLAGS_EXT, u32],
  stateMask: [c.NDA_NDM_STATE_MASK, u16],
  flagsMask: [c.NDA_NDM_FLAGS_MASK, u8],
})
export const neighborMessage = { header: ndmsg, attributes: neighborAttributes }
export type NeighborValues = TableValues<typeof neighborAttributes>
export interface NeighborHeader { family: number, index: number, state: number, flags: number, type: number }

/** NUD_*, as `ip neighbour … nud` names them. */
export const states = onlyNames({
  none: c.NUD_NONE, incomplete: c.NUD_INCOMPLETE, reachable: c.NUD_REACHABLE, stale: c.NUD_STALE, delay: c.NUD_DELAY,
  probe: c.NUD_PROBE, failed: c.NUD_FAILED, noarp: c.NUD_NOARP, permanent: c.NUD_PERMANENT,
})
export type NeighborState =
  'none' | 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'failed' | 'noarp' | 'permanent'

/** Names of bits, as ip(8) and bridge(8) print them. */
const flagNames: [number, string][] = [
  [c.NTF_USE, 'use'], [c.NTF_SELF, 'self'], [c.NTF_MASTER, 'master'], [c.NTF_PROXY, 'proxy'], [c.NTF_EXT_LEARNED, 'extern_learn'],
  [c.NTF_OFFLOADED, 'offload'], [c.NTF_STICKY, 'sticky'], [c.NTF_ROUTER, 'router'],
]
const extendedFlagNames: [number, string][] = [[c.NTF_EXT_MANAGED, 'managed'], [c.NTF_EXT_LOCKED, 'locked']]

export function flagsOf(header: NeighborHeader, { flags: extended = 0 }: NeighborValues): string[] {
  return [...bitNames(flagNames, header.flags), ...bitNames(extendedFlagNames, extended)]
}

/** An entry of ARP (IPv4) or NDP (IPv6) as the kernel shows it. */
export interface Neighbor {
  /** Of the link. */
  index: number
  family: 4 | 6
  ip: string
  /** Link-layer address: six bytes, hexadecimal with colons, on Ethernet. */
  lladdr: string | undefined
  /** Of proxy entries `none`; a number where several bits are set. */
  state: NeighborState | number
  /** NTF_*: `router`, `proxy`, `extern_learn`, `offload`, `managed`, … */
  flags: string[]
  /** Who made it, if that was said. */
  protocol: RouteProtocol | undefined
  /** Questions sent that have had no answer. */
  probes: number | undefined
  /** Since when, in steps of 10. */
  confirmedMs: number | undefined
  usedMs: number | undefined
  updatedMs: number | undefined
  raw?: RawAttribute[] | undefined
}

/** What identifies an entry on a link. */
export interface NeighborKey {
  /** IPv4 or IPv6 address. */
  ip: string
  /** An entry that makes this host answer for the address (ip neighbour … proxy), which has no link-layer address. */
  proxy?: boolean
}

/** An entry of ARP or NDP, with the options of `ip neighbour`. */
export interface NeighborSpec extends NeighborKey {
  /** Link-layer address: a MAC address, of 6, 8 or 20 bytes; on tunnels an IP address. */
  lladdr?: string
  /** Default `permanent`; with `managed` `none`. */
  state?: NeighborState
  /** The neighbour is a router (NDP). */
  router?: boolean
  /** Learned outside of the kernel, which then does not collect it. */
  externLearn?: boolean
  /** The kernel keeps it resolved. Linux 5.16. */
  managed?: boolean
  /** Has the kernel resolve it as though it had been used. */
  use?: boolean
  /** Who made it: a name as of routes, or 0 to 255. Linux 5.0. */
  protocol?: RouteProtocol
}

const keyNames = ['ip', 'proxy', 'family']
const specNames = [...keyNames, 'lladdr', 'state', 'router', 'externLearn', 'managed', 'use', 'protocol']

const verbFlags = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE }

export function newNeighbor(index: number, spec: NeighborSpec, verb: keyof typeof verbFlags = 'add'): AnyRequest {
  checkFields(spec, specNames, 'a neighbour')
  const { ip: address, lladdr, managed, state = managed === true ? 'none' : 'permanent', protocol } = spec
  const family = familyOf(address)
  const bits = bitsOf(spec, { router: c.NTF_ROUTER, proxy: c.NTF_PROXY, externLearn: c.NTF_EXT_LEARNED, use: c.NTF_USE })
  if (spec.proxy === true && lladdr !== undefined) throw new InvalidArgumentError('lladdr', lladdr, 'nothing in a proxy entry')
  const extended = bitsOf(spec, { managed: c.NTF_EXT_MANAGED })
  return change({
    type: c.RTM_NEWNEIGH,
    flags: verbFlags[verb],
    format: neighborMessage,
    header: { family: families[family], index, state: states.number(state, 'state'), flags: bits },
    attributes: {
      dst: address, lladdr,
      flags: extended === 0 ? undefined : extended,
      protocol: protocol === undefined ? undefined : protocols.number(protocol, 'protocol'),
    },
    operation: `${verb} neighbour ${address}`,
    callerNames: { dst: 'ip' },
  })
}

/** What does not identify the entry may stand there too. */
export function deleteNeighbor(index: number, key: NeighborKey | NeighborSpec): AnyRequest {
  checkFields(key, specNames, 'a neighbour')
  return change({ ...keyRequest(index, key, 'delete'), type: c.RTM_DELNEIGH })
}

/** ENOENT if there is none. */
export function getNeighbor(index: number, key: NeighborKey): AnyRequest {
  checkFields(key, keyNames, 'what identifies a neighbour')
  return change({ ...keyRequest(index, key, 'get'), type: c.RTM_GETNEIGH })
}

function keyRequest(index: number, key: NeighborKey, verb: string): AnyRequest {
  const { ip: address } = key
  return {
    type: 0,
    flags: 0,
    format: neighborMessage,
    header: { family: families[familyOf(address)], index, flags: bitsOf(key, { proxy: c.NTF_PROXY }) },
    attributes: { dst: address },
    operation: `${verb} neighbour ${address}`,
    callerNames: { dst: 'ip' },
  }
}

export interface NeighborFilter {
  /** Of the link. */
  index?: number
  /** Index of a bridge, bond or VRF: entries of its ports' own. */
  master?: number
  /** Default: both. */
  family?: 4 | 6
  /** Entries that the host answers for, which are not listed otherwise. */
  proxy?: boolean
}

/** The kernel filters by link, master, family and proxy; it has no filter by state. */
export function listNeighbors(filter: NeighborFilter = {}): AnyRequest {
  checkFields(filter, ['index', 'master', 'family', 'proxy'], 'a filter of neighbours')
  const { index, master, family } = filter
  return dump({
    type: c.RTM_GETNEIGH, flags: 0, format: neighborMessage,
    header: { family: familyNumber(family), flags: bitsOf(filter, { proxy: c.NTF_PROXY }) },
    attributes: { ifindex: index, master },
    operation: 'list neighbours',
  })
}

export function decodeNeighbor(message: Message): Neighbor {
  const header = message.header as unknown as NeighborHeader
  const values = message.attributes as NeighborValues
  const { dst = '', lladdr, cacheInfo, probes, protocol } = values
  return {
    index: header.index,
    family: header.family === c.AF_INET6 ? 6 : 4,
    ip: dst,
    lladdr,
    state: states.name(header.state),
    flags: flagsOf(header, values),
    protocol: protocol === undefined ? undefined : protocols.name(protocol),
    probes,
    confirmedMs: cacheInfo?.confirmedMs, usedMs: cacheInfo?.usedMs, updatedMs: cacheInfo?.updatedMs,
    ...(values.raw === undefined ? {} : { raw: values.raw }),
  }
}

function familyOf(address: unknown): 4 | 6 {
  if (typeof address === 'string' && isIPv4(address)) return 4
  if (typeof address === 'string' && isIPv6(address) && !address.includes('%')) return 6
  throw new InvalidArgumentError('ip', address, 'an IPv4 or IPv6 address')
}

/** The bits of switches that are on; one that is no boolean is refused. */
export function bitsOf<B extends Record<string, number>>(given: { [K in keyof B]?: unknown }, bits: B): number {
  let set = 0
  for (const name in bits) {
    const on: unknown = given[name]
    const bit = bits[name] as number
    if (on === undefined) continue
    if (typeof on !== 'boolean') throw new InvalidArgumentError(name, on, 'true or false')
    if (on) set |= bit
  }
  return set
}
