/** Links as requests and records. Indices and namespace descriptors are found by the caller. Source: ip-link(8), rtnetlink(7). */
import { InvalidArgumentError, checkFields, didYouMean } from '../errors.ts'
import { string } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, dependent } from '../netlink/table.ts'
import type { RawAttribute, TableValues } from '../netlink/table.ts'
import { commonAttributes } from './attributes.ts'
import * as c from './constants.ts'
import type { bridgeOptions, bridgePortOptions } from './kinds/bridge.ts'
import { kinds, portKinds } from './kinds/index.ts'
import type { tunOptions } from './kinds/tun.ts'
import { ifinfomsg } from './messages.ts'

const linkInfo = attributes({
  kind: [c.IFLA_INFO_KIND, string(63)],
  data: [c.IFLA_INFO_DATA, dependent('kind', kinds)],
  portKind: [c.IFLA_INFO_SLAVE_KIND, string(63)],
  portData: [c.IFLA_INFO_SLAVE_DATA, dependent('portKind', portKinds)],
})

export const linkAttributes = attributes({ ...commonAttributes, linkinfo: [c.IFLA_LINKINFO, linkInfo] })
export const linkMessage = { header: ifinfomsg, attributes: linkAttributes }

type LinkValues = TableValues<typeof linkAttributes>
type Common = Pick<LinkValues,
  'mac' | 'broadcast' | 'permanentMac' | 'mtu' | 'minMtu' | 'maxMtu' | 'link' | 'linkNetnsId' | 'master' | 'qdisc' | 'txQueueLen' |
  'operState' | 'group' | 'alias' | 'promiscuity' | 'numTxQueues' | 'numRxQueues' | 'gsoMaxSegs' | 'gsoMaxSize' | 'groMaxSize' |
  'carrier' | 'carrierChanges' | 'altNames' | 'statistics'>
/** Options of a bridge, as `ip link … type bridge` has them. Ids and running timers are the kernel's own state. */
export type BridgeOptions = TableValues<typeof bridgeOptions>
/** Options and state of a port of a bridge, as `bridge -d link` has them. */
export type BridgePortOptions = TableValues<typeof bridgePortOptions>
/** What the kernel tells of a tap or tun. */
export type TunState = TableValues<typeof tunOptions>

/** A link as the kernel shows it. */
export interface Link extends Common {
  index: number
  name: string
  /** `bridge`, `veth`, `tap`, …; undefined for hardware and loopback. */
  kind: string | undefined
  /** ARPHRD_*, as `ip link` names it. */
  type: string
  /** IFF_*, e.g. `UP`, `LOWER_UP`. */
  flags: string[]
  up: boolean
  bridge?: BridgeOptions
  tap?: TunState
  tun?: TunState
  /** Options as port of a bridge. */
  port?: BridgePortOptions
  /** Attributes that virbr has no name for. */
  raw?: RawAttribute[] | undefined
}

/** What can be set when a link is made, and later. */
export interface LinkSettings {
  /** Six bytes, hexadecimal with colons. */
  mac?: string
  /** Bytes. */
  mtu?: number
  up?: boolean
  /** A number by which links are handled together (ip link … group). */
  group?: number
  /** Packets. */
  txQueueLen?: number
  /** At most 255 bytes, for people. */
  alias?: string
  gsoMaxSegs?: number
  /** Bytes. */
  gsoMaxSize?: number
  /** Bytes. */
  groMaxSize?: number
  /** kind bridge; those that say `Ms` in milliseconds, in steps of 10. */
  bridge?: BridgeOptions
}

/** The other end of a veth. */
export interface VethPeer {
  /** 1 to 15 bytes. */
  name: string
  mac?: string
  /** Bytes. */
  mtu?: number
  /** Packets. */
  txQueueLen?: number
  /** Default 1. */
  numTxQueues?: number
  numRxQueues?: number
}

export interface LinkSpec extends LinkSettings {
  /** 1 to 15 bytes. */
  name: string
  kind: string
  /** Chosen by the kernel if left out. */
  index?: number
  numTxQueues?: number
  numRxQueues?: number
  veth?: { peer?: VethPeer }
}

export interface LinkChange extends LinkSettings {
  /** The new name. */
  name?: string
  /** Options as port of a bridge. */
  port?: BridgePortOptions
}

/** Other links and namespaces that a request names. `master: 0` takes a link out of its master. */
export interface Resolved {
  master?: number
  netnsFd?: number
  peerNetnsFd?: number
}

const settingNames = ['mac', 'mtu', 'up', 'group', 'txQueueLen', 'alias', 'gsoMaxSegs', 'gsoMaxSize', 'groMaxSize']
const specNames = ['name', 'kind', 'index', 'numTxQueues', 'numRxQueues', ...settingNames]
const changeNames = ['name', 'port', ...settingNames]
const creatable = Object.keys(kinds).filter(kind => kind !== 'tun')

/**
 * The messages that make a link: one with everything the kernel takes at creation, and one with what it would silently
 * ignore there.
 */
export function newLink(spec: LinkSpec, resolved: Resolved): AnyRequest[] {
  checkKind(spec)
  checkFields(spec, [...specNames, spec.kind], 'a link specification')
  const { name, kind, index = 0, up, alias, bridge, veth, ...settings } = spec
  const { master, netnsFd, peerNetnsFd } = resolved
  const operation = `create ${kind} ${name}`
  // A queue pair for each CPU, the kernel's choice, doubles the time that a veth takes to be made.
  const queues = kind === 'veth' ? { numTxQueues: 1, numRxQueues: 1 } : {}
  const data = kind === 'bridge' ? bridge : kind === 'veth' ? vethData(veth, peerNetnsFd) : undefined
  const first = change({
    type: c.RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    format: linkMessage,
    header: { index, ...upFlag(up) },
    attributes: { name, ...queues, ...settings, ...(netnsFd === undefined ? {} : { netnsFd }),
      linkinfo: { kind, ...(data === undefined ? {} : { data }) }, ...(master === undefined ? {} : { master }) },
    operation,
    callerNames: { 'linkinfo.data': kind },
  })
  if (alias === undefined) return [first]
  return [first, change({ type: c.RTM_SETLINK, flags: 0, format: linkMessage, header: {}, attributes: { name, alias }, operation })]
}

function vethData(veth: LinkSpec['veth'], netnsFd: number | undefined): object | undefined {
  if (veth === undefined) return undefined
  const { peer, ...rest } = veth
  if (peer === undefined) return rest
  return { ...rest, peer: {
    header: {},
    attributes: { numTxQueues: 1, numRxQueues: 1, ...peer, ...(netnsFd === undefined ? {} : { netnsFd }) },
  } }
}

/** The messages that change a link: of options of the link itself, and of options as a port. */
export function setLink(link: string | number, wanted: LinkChange, { master, netnsFd }: Resolved = {}): AnyRequest[] {
  checkFields(wanted, [...changeNames, 'bridge'], 'a change of a link')
  const { name, up, bridge, port, ...settings } = wanted
  const operation = `set link ${link}`
  const about = (attributesOf: object, header: object = {}): AnyRequest => change({
    type: c.RTM_SETLINK,
    flags: 0,
    format: linkMessage,
    ...reference(link, attributesOf, header),
    operation,
    callerNames: { 'linkinfo.data': 'bridge', 'linkinfo.portData': 'port' },
  })
  const requests: AnyRequest[] = []
  // The kernel changes options of a kind in RTM_NEWLINK only.
  if (bridge !== undefined) requests.push({ ...about({ linkinfo: { kind: 'bridge', data: bridge } }), type: c.RTM_NEWLINK })
  // The name in a request says which link is meant: a new one can only be given by index.
  if (name !== undefined && typeof link !== 'number') throw new InvalidArgumentError('link', link, 'an index, with a new name')
  const own = {
    ...settings,
    ...(name === undefined ? {} : { name }),
    ...(master === undefined ? {} : { master }),
    ...(netnsFd === undefined ? {} : { netnsFd }),
  }
  if (Object.keys(own).length > 0 || up !== undefined) requests.push(about(own, upFlag(up)))
  if (port !== undefined) requests.push({ ...about({ linkinfo: { portKind: 'bridge', portData: port } }), type: c.RTM_NEWLINK })
  return requests
}

export function deleteLink(link: string | number): AnyRequest {
  return change({ type: c.RTM_DELLINK, flags: 0, format: linkMessage, ...reference(link), operation: `delete link ${link}` })
}

/**
 * All links of a group, other than 0, for one wait of the kernel, where single deletes wait one by one. ENODEV if there
 * are none.
 */
export function deleteGroup(group: number): AnyRequest {
  return change({
    type: c.RTM_DELLINK, flags: 0, format: linkMessage, header: {}, attributes: { group }, operation: `delete links of group ${group}`,
  })
}

/**
 * Is a group, other than 0, in use? Refused if it is (EINVAL: the address is too short for any of its links), and then
 * nothing has been changed; carried out for no link if it is not.
 */
export function probeGroup(group: number): AnyRequest {
  return change({
    type: c.RTM_NEWLINK, flags: 0, format: linkMessage, header: {},
    attributes: { group, raw: [{ type: c.IFLA_ADDRESS, data: new Uint8Array(0) }] }, operation: `look for links of group ${group}`,
  })
}

/** One link; ENODEV if there is none. */
export function getLink(link: string | number): AnyRequest {
  return change({
    type: c.RTM_GETLINK, flags: 0, format: linkMessage, ...reference(link), operation: `get link ${link}`,
  })
}

export interface LinkFilter {
  kind?: string
  /** Index. */
  master?: number
  /** False: without the counters of IPv6, which virbr keeps raw, and which are a fifth of all bytes. Default true. */
  statistics?: boolean
}

export function listLinks(filter: LinkFilter = {}): AnyRequest {
  checkFields(filter, ['kind', 'master', 'statistics'], 'a filter of links')
  const { kind, master, statistics = true } = filter
  return dump({
    type: c.RTM_GETLINK,
    flags: 0,
    format: linkMessage,
    header: {},
    attributes: {
      ...(statistics ? {} : { extMask: c.RTEXT_FILTER_SKIP_STATS }),
      ...(master === undefined ? {} : { master }),
      ...(kind === undefined ? {} : { linkinfo: { kind: kind === 'tap' ? 'tun' : kind } }),
    },
    operation: 'list links',
  })
}

function reference(link: string | number, rest: object = {}, header: object = {}): { header: object, attributes: object } {
  return typeof link === 'number'
    ? { header: { ...header, index: link }, attributes: rest }
    : { header, attributes: { name: link, ...rest } }
}

function upFlag(up: boolean | undefined): { flags?: number, change?: number } {
  if (up === undefined) return {}
  if (typeof up !== 'boolean') throw new InvalidArgumentError('up', up, 'true or false')
  return { flags: up ? c.IFF_UP : 0, change: c.IFF_UP }
}

function checkKind({ kind }: LinkSpec): void {
  if (creatable.includes(kind)) return
  const suggestion = typeof kind === 'string' ? didYouMean(kind, creatable) : ''
  throw new InvalidArgumentError('kind', kind, `one of ${creatable.join(', ')}${suggestion}`)
}

/** Names of bits, as ip(8) prints them. */
const flagNames: [number, string][] = [
  [c.IFF_UP, 'UP'], [c.IFF_BROADCAST, 'BROADCAST'], [c.IFF_DEBUG, 'DEBUG'], [c.IFF_LOOPBACK, 'LOOPBACK'],
  [c.IFF_POINTOPOINT, 'POINTOPOINT'], [c.IFF_NOTRAILERS, 'NOTRAILERS'], [c.IFF_RUNNING, 'RUNNING'], [c.IFF_NOARP, 'NOARP'],
  [c.IFF_PROMISC, 'PROMISC'], [c.IFF_ALLMULTI, 'ALLMULTI'], [c.IFF_MASTER, 'MASTER'], [c.IFF_SLAVE, 'SLAVE'],
  [c.IFF_MULTICAST, 'MULTICAST'], [c.IFF_PORTSEL, 'PORTSEL'], [c.IFF_AUTOMEDIA, 'AUTOMEDIA'], [c.IFF_DYNAMIC, 'DYNAMIC'],
  [c.IFF_LOWER_UP, 'LOWER_UP'], [c.IFF_DORMANT, 'DORMANT'], [c.IFF_ECHO, 'ECHO'],
]

const typeNames: Record<number, string> = {
  [c.ARPHRD_ETHER]: 'ether', [c.ARPHRD_LOOPBACK]: 'loopback', [c.ARPHRD_NONE]: 'none', [c.ARPHRD_TUNNEL]: 'ipip',
  [c.ARPHRD_TUNNEL6]: 'tunnel6', [c.ARPHRD_SIT]: 'sit', [c.ARPHRD_IPGRE]: 'gre', [c.ARPHRD_INFINIBAND]: 'infiniband',
}

export function decodeLink(message: Message): Link {
  const { index, type, flags } = message.header as { index: number, type: number, flags: number }
  const { linkinfo, name = '', ...rest } = message.attributes as LinkValues
  const { kind, data, portKind, portData } = linkinfo ?? {}
  const link: Link = {
    index,
    name,
    kind: kind === 'tun' ? (data as TunState | undefined)?.type === 'tap' ? 'tap' : 'tun' : kind,
    type: typeNames[type] ?? String(type),
    flags: flagNames.filter(([bit]) => (flags & bit) !== 0).map(([, flag]) => flag),
    up: (flags & c.IFF_UP) !== 0,
    ...rest,
  }
  if (link.kind === 'bridge' || link.kind === 'tap' || link.kind === 'tun') link[link.kind] = data as never
  if (portKind === 'bridge') link.port = portData as BridgePortOptions
  return link
}
