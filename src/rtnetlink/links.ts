/** Links as requests and records. Indices and namespace descriptors are found by the caller. Source: ip-link(8), rtnetlink(7). */
import { aBoolean, check, fieldsOf } from '../checks.ts'
import { InvalidArgumentError, checkFields, didYouMean } from '../errors.ts'
import { string } from '../netlink/codecs.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, dependent } from '../netlink/table.ts'
import type { RawAttribute, TableValues } from '../netlink/table.ts'
import { byName, commonAttributes } from './attributes.ts'
import * as c from './constants.ts'
import { kindOf, kinds, masterKinds, portKinds, portTable } from './kinds/index.ts'
import type { PortKind } from './kinds/index.ts'
import { checkKindOptions, optionsToWrite, portKindOf } from './kinds/given.ts'
import type { KindOptions, PortOptions, TunState } from './kinds/options.ts'
import { settingNames, sortSettings } from './link-settings.ts'
import type { LinkSettings } from './link-settings.ts'
import { ifinfomsg } from './messages.ts'

export type { BridgeOptions, BridgePortOptions, KindOptions, PortOptions, TunState } from './kinds/options.ts'
export type { LinkSettings } from './link-settings.ts'

const linkInfo = attributes({
  kind: [c.IFLA_INFO_KIND, string(63)],
  data: [c.IFLA_INFO_DATA, dependent('kind', kinds)],
  portKind: [c.IFLA_INFO_SLAVE_KIND, string(63)],
  portData: [c.IFLA_INFO_SLAVE_DATA, dependent('portKind', portKinds)],
})

export const linkAttributes = attributes({ ...commonAttributes, linkinfo: [c.IFLA_LINKINFO, linkInfo] })
export const linkMessage = { header: ifinfomsg, attributes: linkAttributes }

/**
 * For many links: passed over are what IPv4 and IPv6 keep for each, and what has no name here, which would take longer to
 * read, and more memory, than all the rest.
 */
const { afSpec: _, ...listedEntries } = linkAttributes.entries
export const listedLinkMessage: typeof linkMessage = {
  header: ifinfomsg, attributes: attributes(listedEntries, { keepsRest: false }) as unknown as typeof linkAttributes,
}

type LinkValues = TableValues<typeof linkAttributes>
type Common = Pick<LinkValues,
  'mac' | 'broadcast' | 'permanentMac' | 'mtu' | 'minMtu' | 'maxMtu' | 'link' | 'linkNetnsId' | 'master' | 'qdisc' | 'txQueueLen' |
  'operState' | 'linkMode' | 'group' | 'alias' | 'promiscuity' | 'allMulti' | 'numTxQueues' | 'numRxQueues' | 'gsoMaxSegs' | 'gsoMaxSize' |
  'groMaxSize' | 'gsoIpv4MaxSize' | 'groIpv4MaxSize' | 'tsoMaxSize' | 'tsoMaxSegs' | 'headroom' | 'tailroom' | 'netnsImmutable' | 'carrier' | 'carrierChanges' | 'carrierUpCount' |
  'carrierDownCount' | 'protoDown' | 'protoDownReason' | 'physPortId' | 'physPortName' | 'physSwitchId' | 'parentDevName' |
  'parentDevBusName' | 'altNames' | 'statistics'>
type Families = NonNullable<LinkValues['afSpec']>

/** A link as the kernel shows it. */
export interface Link extends Common, KindOptions {
  index: number
  name: string
  /** `bridge`, `veth`, `tap`, …; undefined for hardware and loopback. Its options are under this name; other links there are indices. */
  kind: string | undefined
  /** ARPHRD_*, as `ip link` names it. */
  type: string
  /** IFF_*, e.g. `UP`, `LOWER_UP`. */
  flags: string[]
  up: boolean
  tap?: TunState
  tun?: TunState
  /** Options of a kind that virbr has no table for. */
  kindData?: Uint8Array
  /** Kind of the master: `bridge`, `bond`, … */
  portKind?: string | undefined
  /** Options and state as port of the master. */
  port?: PortOptions
  /** What IPv4 keeps for the link: net.ipv4.conf. In lists only with `families`. */
  ipv4?: Families['ipv4']
  /** What IPv6 keeps for the link: how addresses are made, net.ipv6.conf. In lists only with `families`. */
  ipv6?: Families['ipv6']
  /** Attributes that virbr has no name for. In lists only with `families`. */
  raw?: RawAttribute[] | undefined
}

/** The other end of a veth or netkit. */
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

export interface LinkSpec extends LinkSettings, Omit<KindOptions, 'netkit'> {
  /** 1 to 15 bytes. */
  name: string
  kind: string
  /** Chosen by the kernel if left out. */
  index?: number
  numTxQueues?: number
  numRxQueues?: number
  /** Other names, each 1 to 127 bytes. */
  altNames?: string[]
  /** Options as port of the master. */
  port?: PortOptions
  veth?: { peer?: VethPeer }
  netkit?: KindOptions['netkit'] & { peer?: VethPeer }
}

export interface LinkChange extends LinkSettings, KindOptions {
  /** The new name. Before Linux 6.2 only of a link that is down (EBUSY). */
  name?: string
  addAltNames?: string[]
  deleteAltNames?: string[]
  /** Options as port of the master. */
  port?: PortOptions
}

/** Other links and namespaces that a request names. `master: 0` takes a link out of its master. */
export interface Resolved {
  master?: number
  /** Kind of the master, the one that `master` names or else the present one. Default: what the options in `port` are of. */
  masterKind?: string
  /** The lower link. */
  link?: number
  /** Id of the namespace that the lower link is in, if it is another. */
  linkNetnsId?: number
  netnsFd?: number
  peerNetnsFd?: number
  /** Of links that options name (`vxlan.dev`, …). One that is missing is sent as an index that no link has. */
  indices?: ReadonlyMap<string, number>
}

const specNames = ['name', 'kind', 'index', 'numTxQueues', 'numRxQueues', 'altNames', 'port', ...settingNames]
const creatable = Object.keys(kinds).filter(kind => kind !== 'tun')
/** With the options of a kind. */
const specNamesOf = new Map(Object.keys(kinds).map(kind => [kind, new Set([...specNames, kind])]))
const changeNames = new Set(['name', 'addAltNames', 'deleteAltNames', 'port', ...settingNames, ...creatable])
const pairs = ['veth', 'netkit']

/**
 * The messages that make a link: one with everything the kernel takes at creation, and then those with what it would
 * silently ignore there.
 */
export function newLink(spec: LinkSpec, resolved: Resolved): AnyRequest[] {
  checkKind(spec)
  refuseOtherKinds(spec, spec.kind)
  checkFields(spec, specNamesOf.get(spec.kind) ?? specNames, 'a link specification')
  const queues = queuesOf(spec.kind)
  const { name, kind, index = 0, numTxQueues = queues, numRxQueues = queues, altNames, port } = spec
  const { master, masterKind, netnsFd, link, linkNetnsId } = resolved
  const { flags, atOnce, afterwards } = sortSettings(spec)
  // A bond takes links that are down only, and brings them up.
  const [flagsFirst, flagsLater] = masterKind === 'bond' ? [{}, flags] : [flags, {}]
  const data = kindData(spec, resolved)
  const operation = `create ${kind} ${name}`
  const first = change({
    type: c.RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    format: linkMessage,
    header: { index, ...flagsFirst },
    attributes: {
      name, numTxQueues, numRxQueues, ...atOnce, netnsFd, link, linkNetnsId,
      linkinfo: { kind, data }, master,
    },
    operation,
    callerNames: { 'linkinfo.data': kind },
  })
  return [first, ...setOther(name, afterwards, flagsLater, operation), ...altNameRequests(name, c.RTM_NEWLINKPROP, altNames, operation),
    ...portRequests(name, port, masterKind, resolved, operation)]
}

/** Without what is undefined. */
export function given<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const found: { [K in keyof T]?: NonNullable<T[K]> } = {}
  for (const name in values) {
    const value = values[name]
    if (value !== undefined) found[name] = value as NonNullable<T[typeof name]>
  }
  return found
}

/** A queue pair for each CPU, the kernel's choice, doubles the time that a veth takes to be made. */
function queuesOf(kind: string): 1 | undefined {
  return pairs.includes(kind) ? 1 : undefined
}

function kindData(spec: LinkSpec, { peerNetnsFd, indices }: Resolved): object | undefined {
  const { kind } = spec
  const options = (spec as unknown as Record<string, object | undefined>)[kind]
  checkKindOptions(kind, options === undefined ? {} : options)
  if (options === undefined || !pairs.includes(kind)) return options && optionsToWrite(kind, options, indices)
  const { peer, ...rest } = options as { peer?: VethPeer }
  if (peer === undefined) return rest
  const queues = queuesOf(kind)
  return { ...rest, peer: { header: {}, attributes: { numTxQueues: queues, numRxQueues: queues, ...fieldsOf(`${kind}.peer`, peer), netnsFd: peerNetnsFd } } }
}

function isEmpty(values: object): boolean {
  for (const name in values) if ((values as Record<string, unknown>)[name] !== undefined) return false
  return true
}

type Change = (attributesOf: object, header?: object) => AnyRequest

const changeCallerNames = { 'linkinfo.portData': 'port', 'afSpec.ipv4': 'ipv4', 'afSpec.ipv6': 'ipv6' }

function setting(link: string | number, operation: string): Change {
  return (attributesOf, header = {}) => change({
    type: c.RTM_SETLINK,
    flags: 0,
    format: linkMessage,
    ...reference(link, attributesOf, header),
    operation,
    callerNames: changeCallerNames,
  })
}

function setOther(link: string | number, attributesOf: object, flags: object, operation: string): AnyRequest[] {
  if (isEmpty(attributesOf) && isEmpty(flags)) return []
  return [setting(link, operation)(attributesOf, flags)]
}

function altNameRequests(
  link: string | number, type: number, altNames: string[] | undefined, operation: string, field = 'altNames',
): AnyRequest[] {
  if (altNames === undefined) return []
  if (!Array.isArray(altNames) || altNames.length === 0) throw new InvalidArgumentError(field, altNames, 'an array of names')
  const flags = type === c.RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0
  const names = { ...setting(link, operation)({ altNames }), callerNames: { altNames: field } }
  return [{ ...names, type, flags: change({ flags } as AnyRequest).flags }]
}

function portRequests(
  link: string | number, port: PortOptions | undefined, masterKind: string | undefined, { indices }: Resolved, operation: string,
): AnyRequest[] {
  if (port === undefined) return []
  const portKind: PortKind = portKindOf(port, masterKind)
  const portData = optionsToWrite('port', port, indices, portTable(portKind))
  // The kernel changes options of a kind in RTM_NEWLINK only.
  return [{ ...setting(link, operation)({ linkinfo: { portKind, portData } }), type: c.RTM_NEWLINK }]
}

/** The messages that change a link: of options of its kind, of the link itself, and of options as a port. */
export function setLink(link: string | number, wanted: LinkChange, resolved: Resolved = {}): AnyRequest[] {
  checkFields(wanted, changeNames, 'a change of a link')
  const { name, port, addAltNames, deleteAltNames } = wanted
  const { master, masterKind, netnsFd } = resolved
  const operation = `set link ${link}`
  const about = setting(link, operation)
  const requests = kindRequests(link, wanted, resolved, operation)
  // The name in a request says which link is meant: a new one can only be given by index.
  if (name !== undefined && typeof link !== 'number') throw new InvalidArgumentError('link', link, 'an index, with a new name')
  const { flags, atOnce, afterwards } = sortSettings(wanted)
  const own = Object.assign(atOnce, afterwards, given({ name, netnsFd, master }))
  // A bond takes links that are down only, and brings them up.
  const afterMaster = masterKind === 'bond' && master !== undefined && ((flags.flags ?? 0) & c.IFF_UP) !== 0
  const beforeMaster = masterKind === 'bond' && master !== undefined && !afterMaster && flags.change !== undefined
  if (beforeMaster) requests.push(about({}, flags))
  requests.push(...setOther(link, own, beforeMaster || afterMaster ? {} : flags, operation))
  if (afterMaster) requests.push(about({}, flags))
  requests.push(...altNameRequests(link, c.RTM_DELLINKPROP, deleteAltNames, operation, 'deleteAltNames'))
  requests.push(...altNameRequests(link, c.RTM_NEWLINKPROP, addAltNames, operation))
  requests.push(...portRequests(link, port, masterKind, resolved, operation))
  return requests
}

/** The kind whose options are to change, if any. */
export function changedKind(wanted: LinkChange): string | undefined {
  const options = wanted as Record<string, unknown>
  let kind: string | undefined
  for (const name in options) {
    if (options[name] === undefined || !Object.hasOwn(kinds, name) || name === 'tun') continue
    if (kind !== undefined) throw new InvalidArgumentError(name, options[name], `options of one kind: there are those of ${kind}`)
    kind = name
  }
  return kind
}

function kindRequests(link: string | number, wanted: LinkChange, { indices }: Resolved, operation: string): AnyRequest[] {
  const kind = changedKind(wanted)
  if (kind === undefined) return []
  const options = (wanted as unknown as Record<string, object>)[kind] as object
  const data = optionsToWrite(kind, options, indices)
  const request = { ...setting(link, operation)({ linkinfo: { kind, data } }), type: c.RTM_NEWLINK, callerNames: { 'linkinfo.data': kind } }
  return [request]
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
  /** False: without counters of IPv6 and of each queue, a fifth of all bytes. Default true. */
  statistics?: boolean
  /** With `ipv4`, `ipv6` and `raw`, which takes several times as long to read. Default false. */
  families?: boolean
}

export function listLinks(filter: LinkFilter = {}): AnyRequest {
  checkFields(filter, ['kind', 'master', 'statistics', 'families'], 'a filter of links')
  const { kind, master, statistics = true, families = false } = filter
  check('families', families, aBoolean)
  check('statistics', statistics, aBoolean)
  return dump({
    type: c.RTM_GETLINK,
    flags: 0,
    format: families ? linkMessage : listedLinkMessage,
    header: {},
    attributes: {
      ...(statistics ? {} : { extMask: c.RTEXT_FILTER_SKIP_STATS }),
      ...(master === undefined ? {} : { master }),
      ...(kind === undefined ? {} : { linkinfo: { kind: kind === 'tap' ? 'tun' : kind } }),
    },
    operation: 'list links',
  })
}

/** A link by index, by its name, or by another of its names. */
function reference(link: string | number, rest: object = {}, header: object = {}): { header: object, attributes: object } {
  if (typeof link === 'number') return { header: { ...header, index: link }, attributes: rest }
  return { header, attributes: { ...byName(link), ...rest } }
}

function checkKind({ kind }: LinkSpec): void {
  if (creatable.includes(kind)) return
  const suggestion = typeof kind === 'string' ? didYouMean(kind, creatable) : ''
  throw new InvalidArgumentError('kind', kind, `one of ${creatable.join(', ')}${suggestion}`)
}

/** Options of another kind than the link's own. */
export function refuseOtherKinds(spec: object, kind: string): void {
  for (const other of [...Object.keys(kinds), 'tap']) {
    const value = (spec as Record<string, unknown>)[other]
    if (other !== kind && value !== undefined) throw new InvalidArgumentError(other, value, `no options of another kind than ${kind}`)
  }
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
  [c.ARPHRD_IP6GRE]: 'gre6', [c.ARPHRD_NETLINK]: 'netlink',
}

function flagsIn(flags: number): string[] {
  const names: string[] = []
  for (const [bit, name] of flagNames) if ((flags & bit) !== 0) names.push(name)
  return names
}

export function decodeLink(message: Message): Link {
  const { index, type, flags } = message.header as { index: number, type: number, flags: number }
  const values = message.attributes as LinkValues
  const { linkinfo, afSpec, name = '' } = values
  const { kind, data, portKind, portData } = linkinfo ?? {}
  const link: Link = {
    index,
    name,
    kind: kind === 'tun' ? (data as TunState | undefined)?.type === 'tap' ? 'tap' : 'tun' : kind,
    type: typeNames[type] ?? String(type),
    flags: flagsIn(flags),
    up: (flags & c.IFF_UP) !== 0,
  }
  // Not by `...rest`: thousands at once should not take so long.
  for (const field in values) {
    if (field !== 'linkinfo' && field !== 'afSpec' && field !== 'name') (link as unknown as Record<string, unknown>)[field] = values[field as keyof LinkValues]
  }
  if (link.kind !== undefined && data !== undefined) addKindOptions(link, link.kind, data)
  if (portKind !== undefined) link.portKind = portKind
  if (portKind !== undefined && portData !== undefined && portTable(portKind) !== undefined) link.port = portData
  if (afSpec?.ipv4 !== undefined) link.ipv4 = afSpec.ipv4
  if (afSpec?.ipv6 !== undefined) link.ipv6 = afSpec.ipv6
  return link
}

function addKindOptions(link: Link, kind: string, data: object): void {
  if (data instanceof Uint8Array) link.kindData = data
  else (link as unknown as Record<string, object>)[kind] = kindOf(kind)?.read?.(data) ?? data
}

/** Whether a link of this kind takes ports; of kinds that virbr does not know nobody can say. */
export function takesPorts(kind: string | undefined): boolean {
  return kind !== undefined && (masterKinds.includes(kind) || kindOf(kind) === undefined)
}
