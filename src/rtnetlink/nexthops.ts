/** Nexthop objects as requests and records. Source: ip-nexthop(8), linux/nexthop.h. Linux 5.3. */
import { aBoolean, checkGiven, isKeyOf } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { isIPv6 } from '../ip.ts'
import { counter64, flag, ip, named, readOnly, scaled, u16, u32, u8 } from '../netlink/codecs.ts'
import type { Codec, NumberCodec } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, list, struct } from '../netlink/table.ts'
import type { RawAttribute, TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { decodeEncap, encapData, encapType, encodeEncap } from './encap.ts'
import type { Encap } from './encap.ts'
import { families, familyNumber } from './families.ts'
import { gateway, hopFlags } from './multipath.ts'
import { bitNames, protocols, scopes } from './names.ts'
import type { RouteProtocol, Scope } from './names.ts'

/** One of a group. */
export interface NexthopMember {
  id: number
  /** Share of the packets, 1 (the default) to 256; to 65535 from Linux 6.12 on. */
  weight?: number | undefined
}

/** struct nexthop_grp; the upper half of the weight stands in what was reserved before Linux 6.12. */
const nexthopGroup = struct({ id: u32, weight: u8, weightHigh: u8, _reserved: u16 })

const members: Codec<NexthopMember[]> = {
  encode(writer, value) {
    if (!Array.isArray(value) || value.length === 0) writer.refuse(value, 'an array of nexthops like [{ id: 1 }, { id: 2, weight: 3 }]')
    const seen = new Set<number>()
    value.forEach((member, position) => {
      const at = `group[${position}]`
      checkFields(member, ['id', 'weight'], `a nexthop, at ${at}`)
      const { id, weight = 1 } = member
      if (!isId(id)) throw new InvalidArgumentError(`${at}.id`, id, 'an id from 1 to 4294967295')
      if (seen.has(id)) throw new InvalidArgumentError(`${at}.id`, id, 'each nexthop once; its share is its weight')
      if (!Number.isInteger(weight) || weight < 1 || weight > 0xffff) throw new InvalidArgumentError(`${at}.weight`, weight, '1 to 65535')
      seen.add(id)
      nexthopGroup.encode(writer, { id, weight: (weight - 1) & 0xff, weightHigh: (weight - 1) >> 8 })
    })
  },
  decode(bytes, start, end) {
    const found: NexthopMember[] = []
    for (let at = start; at + nexthopGroup.size <= end; at += nexthopGroup.size) {
      const { id, weight, weightHigh } = nexthopGroup.decode(bytes, at)
      found.push({ id, weight: weightHigh * 256 + weight + 1 })
    }
    return found
  },
}

/** The kernel counts in hundredths of a second. */
const centiseconds: NumberCodec = scaled(u32, 10)
const centiseconds64: NumberCodec = scaled(counter64, 10)

const resilient = attributes({
  buckets: [c.NHA_RES_GROUP_BUCKETS, u16],
  idleTimerMs: [c.NHA_RES_GROUP_IDLE_TIMER, centiseconds],
  unbalancedTimerMs: [c.NHA_RES_GROUP_UNBALANCED_TIMER, centiseconds],
  unbalancedTimeMs: [c.NHA_RES_GROUP_UNBALANCED_TIME, readOnly(centiseconds64)],
})

const bucket = attributes({
  index: [c.NHA_RES_BUCKET_INDEX, u16],
  idleTimeMs: [c.NHA_RES_BUCKET_IDLE_TIME, centiseconds64],
  nexthopId: [c.NHA_RES_BUCKET_NH_ID, u32],
})

/** u64 or, from an older kernel, u32. */
const packets: Codec<number> = {
  size: 4,
  encode: (writer, value) => writer.refuse(value, 'nothing: it can only be read'),
  decode: (bytes, start, end, parent) => (end - start >= 8 ? counter64 : u32).decode(bytes, start, end, parent),
}

const memberStatistics = attributes({
  id: [c.NHA_GROUP_STATS_ENTRY_ID, u32],
  packets: [c.NHA_GROUP_STATS_ENTRY_PACKETS, packets],
  hardwarePackets: [c.NHA_GROUP_STATS_ENTRY_PACKETS_HW, packets],
})

const groupTypes = { mpath: c.NEXTHOP_GRP_TYPE_MPATH, resilient: c.NEXTHOP_GRP_TYPE_RES } as const

const nexthopAttributes = attributes({
  id: [c.NHA_ID, u32],
  group: [c.NHA_GROUP, members],
  groupType: [c.NHA_GROUP_TYPE, named(u16, groupTypes)],
  blackhole: [c.NHA_BLACKHOLE, flag],
  index: [c.NHA_OIF, u32],
  via: [c.NHA_GATEWAY, ip],
  encapType: [c.NHA_ENCAP_TYPE, encapType],
  encap: [c.NHA_ENCAP, encapData],
  groupsOnly: [c.NHA_GROUPS, flag],
  master: [c.NHA_MASTER, u32],
  fdb: [c.NHA_FDB, flag],
  resilient: [c.NHA_RES_GROUP, resilient],
  bucket: [c.NHA_RES_BUCKET, bucket],
  operationFlags: [c.NHA_OP_FLAGS, u32],
  statistics: [c.NHA_GROUP_STATS, list(c.NHA_GROUP_STATS_ENTRY, memberStatistics)],
  hardwareStatistics: [c.NHA_HW_STATS_ENABLE, u32],
  hardwareStatisticsUsed: [c.NHA_HW_STATS_USED, u32],
})
const nhmsg = struct({ family: u8, scope: u8, protocol: u8, _reserved: u8, flags: u32 })
export const nexthopMessage = { header: nhmsg, attributes: nexthopAttributes }

/** Options of a resilient group: packets of a flow keep their way while they come often enough. Linux 5.13. */
export interface ResilientOptions {
  /** How many buckets flows are spread over, 1 to 65535. */
  buckets?: number | undefined
  /** A bucket without packets for this long may move to another nexthop. Steps of 10; default 120,000. */
  idleTimerMs?: number | undefined
  /** After this long out of balance, buckets move all the same. Steps of 10; 0, the default: never. */
  unbalancedTimerMs?: number | undefined
}

/** A nexthop: one way, a hole, or a group of others. */
export interface NexthopSpec {
  /** 1 to 2^32-1. Default: the kernel chooses. */
  id?: number
  /** The gateway. */
  via?: string
  /** Of the link that packets leave by. */
  index?: number
  /** Packets are dropped. */
  blackhole?: boolean
  /** The gateway is on the link, whatever the addresses say. */
  onLink?: boolean
  encap?: Encap
  /** For entries of a bridge's FDB that vxlan forwards: no link. With `group`: of such nexthops. Linux 5.8. */
  fdb?: boolean
  /** Nexthops that flows are spread over. */
  group?: NexthopMember[]
  /** Default `mpath`: by hash. */
  groupType?: keyof typeof groupTypes
  /** With groupType `resilient`. */
  resilient?: ResilientOptions
  /** Group: count packets in hardware too. Linux 6.9. */
  hardwareStatistics?: boolean
  /** Default: none, as with `ip nexthop add`. */
  protocol?: RouteProtocol
  /** Default: that of the gateway, else 4. */
  family?: 4 | 6
}

const specNames = [
  'id', 'via', 'link', 'blackhole', 'onLink', 'encap', 'fdb', 'group', 'groupType', 'resilient', 'hardwareStatistics', 'protocol', 'family', 'index',
]

/** The kernel sends back what it has made, with the id. */
export function newNexthop(spec: NexthopSpec, { replace = false, echo = true }: { replace?: boolean, echo?: boolean } = {}): AnyRequest {
  checkFields(spec, specNames, 'a nexthop')
  const { id, via, index, blackhole, onLink, encap, fdb, group, groupType, resilient, hardwareStatistics, protocol, family } = spec
  checkSpec(spec)
  if (replace && id === undefined) throw new InvalidArgumentError('id', id, 'the id of the nexthop to replace')
  const { via: ours } = gateway(via, typeof via === 'string' && isIPv6(via) ? 6 : 4)
  return change({
    type: c.RTM_NEWNEXTHOP,
    flags: NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL) | (echo ? NLM_F_ECHO : 0),
    format: nexthopMessage,
    header: {
      family: group !== undefined ? c.AF_UNSPEC : families[family ?? (via?.includes(':') === true ? 6 : 4)],
      protocol: protocol === undefined ? c.RTPROT_UNSPEC : protocols.number(protocol, 'protocol'),
      flags: onLink === true ? c.RTNH_F_ONLINK : 0,
    },
    attributes: {
      id, via: ours, index, group, resilient,
      groupType: group === undefined ? undefined : groupType,
      blackhole: blackhole === true ? true : undefined,
      fdb: fdb === true ? true : undefined,
      hardwareStatistics: hardwareStatistics === undefined ? undefined : Number(hardwareStatistics),
      ...encodeEncap(encap),
    },
    operation: `${replace ? 'replace' : 'add'} nexthop${id === undefined ? '' : ` ${id}`}`,
    callerNames: { 'encap.routing': 'encap', encapType: 'encap.type' },
  })
}

function isId(id: unknown): id is number {
  return typeof id === 'number' && Number.isInteger(id) && id >= 1 && id <= 0xffffffff
}

function checkId(id: unknown, field = 'id'): void {
  if (!isId(id)) throw new InvalidArgumentError(field, id, 'an id from 1 to 4294967295')
}

/** What a group, a blackhole, and an entry for an FDB have no room for. */
const excluded = {
  group: ['via', 'index', 'blackhole', 'onLink', 'encap', 'family'], blackhole: ['via', 'index', 'onLink', 'encap', 'fdb'],
  fdb: ['index', 'onLink', 'encap'],
} as const

function checkSpec(spec: NexthopSpec): void {
  const { id, via, index, blackhole, onLink, fdb, group, groupType, resilient, hardwareStatistics, family } = spec
  const refuse = (name: keyof NexthopSpec, accepted: string): never => {
    throw new InvalidArgumentError(name === 'index' ? 'link' : name, spec[name], accepted)
  }
  if (id !== undefined) checkId(id)
  familyNumber(family)
  for (const name of ['blackhole', 'onLink', 'fdb', 'hardwareStatistics'] as const) {
    if (spec[name] !== undefined && typeof spec[name] !== 'boolean') refuse(name, 'true or false')
  }
  for (const [reason, names] of Object.entries(excluded) as [keyof typeof excluded, readonly (keyof NexthopSpec)[]][]) {
    if (spec[reason] === undefined || spec[reason] === false) continue
    for (const name of names) if (spec[name] !== undefined && spec[name] !== false) refuse(name, `nothing with ${reason}`)
  }
  if (group === undefined) {
    for (const name of ['groupType', 'resilient', 'hardwareStatistics'] as const) if (spec[name] !== undefined) refuse(name, 'nothing without group')
    if (via === undefined && index === undefined && blackhole !== true) refuse('via', 'a gateway, or else a link, a group or blackhole')
    if (fdb === true && via === undefined) refuse('via', 'a gateway, with fdb')
    if (via !== undefined && fdb !== true && index === undefined) refuse('index', 'a link, with a gateway')
    if (onLink === true && via === undefined) refuse('onLink', 'a gateway with it')
    if (family !== undefined && via !== undefined && family !== (via.includes(':') ? 6 : 4)) refuse('family', 'that of the gateway')
  }
  if (groupType !== undefined && !isKeyOf(groupTypes, groupType)) refuse('groupType', `one of ${Object.keys(groupTypes).join(', ')}`)
  if (resilient !== undefined && groupType !== 'resilient') refuse('resilient', "nothing without groupType: 'resilient'")
  if (groupType === 'resilient' && resilient?.buckets === undefined) {
    throw new InvalidArgumentError('resilient.buckets', resilient?.buckets, 'how many buckets, 1 to 65535')
  }
  if (hardwareStatistics !== undefined && group === undefined) refuse('hardwareStatistics', 'nothing without group')
}

/** With it go the routes that use it, and its places in groups. */
export function deleteNexthop(id: number): AnyRequest {
  checkId(id)
  return change({
    type: c.RTM_DELNEXTHOP, flags: 0, format: nexthopMessage, header: {}, attributes: { id }, operation: `delete nexthop ${id}`,
  })
}

/** `statistics`: also how many packets went which way of a group. Linux 6.9. */
export function getNexthop(id: number, { statistics = false }: { statistics?: boolean } = {}): AnyRequest {
  checkId(id)
  return change({
    type: c.RTM_GETNEXTHOP, flags: 0, format: nexthopMessage, header: {},
    attributes: { id, ...wantedStatistics(statistics) },
    operation: `get nexthop ${id}`,
  })
}

function wantedStatistics(wanted: boolean): { operationFlags?: number } {
  if (typeof wanted !== 'boolean') throw new InvalidArgumentError('statistics', wanted, 'true or false')
  return wanted ? { operationFlags: c.NHA_OP_FLAG_DUMP_STATS | c.NHA_OP_FLAG_DUMP_HW_STATS } : {}
}

/** Which nexthops to list; the kernel filters. */
export interface NexthopFilter {
  /** Of a link that packets leave by. */
  index?: number
  /** Of the links of this VRF or bridge. */
  master?: number
  /** Groups only. */
  groups?: boolean
  /** Those for entries of an FDB only. */
  fdb?: boolean
  family?: 4 | 6
  /** Filtered by virbr: the kernel cannot. */
  protocol?: RouteProtocol
  /** Also how many packets went which way of a group. Linux 6.9. */
  statistics?: boolean
}

export function listNexthops(filter: NexthopFilter = {}): AnyRequest {
  checkFields(filter, ['link', 'master', 'groups', 'fdb', 'family', 'protocol', 'statistics', 'index'], 'a filter of nexthops')
  const { index, master, groups, fdb, family, statistics = false } = filter
  checkGiven('groups', groups, aBoolean)
  checkGiven('fdb', fdb, aBoolean)
  return dump({
    type: c.RTM_GETNEXTHOP, flags: 0, format: nexthopMessage,
    header: { family: familyNumber(family) },
    attributes: {
      index, master, groupsOnly: groups === true ? true : undefined, fdb: fdb === true ? true : undefined, ...wantedStatistics(statistics),
    },
    operation: 'list nexthops',
  })
}

/** Which buckets to list; the kernel filters. */
export interface BucketFilter {
  /** Of the group. */
  id?: number
  /** The nexthop that they lead to. */
  nexthopId?: number
  /** Of a link that packets leave by. */
  index?: number
  master?: number
}

export function listBuckets(filter: BucketFilter = {}): AnyRequest {
  checkFields(filter, ['id', 'nexthopId', 'link', 'master', 'index'], 'a filter of buckets')
  const { id, nexthopId, index, master } = filter
  if (id !== undefined) checkId(id)
  if (nexthopId !== undefined) checkId(nexthopId, 'nexthopId')
  return dump({
    type: c.RTM_GETNEXTHOPBUCKET, flags: 0, format: nexthopMessage, header: {},
    attributes: { id, index, master, bucket: nexthopId === undefined ? undefined : { nexthopId } },
    operation: 'list buckets of nexthops',
  })
}

/** A nexthop as the kernel shows it. */
export interface Nexthop {
  id: number
  /** Undefined: a group. */
  family: 4 | 6 | undefined
  via: string | undefined
  /** Of the link that packets leave by. */
  index: number | undefined
  blackhole: boolean
  fdb: boolean
  scope: Scope
  /** 0: none was given. */
  protocol: RouteProtocol
  /** RTNH_F_*, as ip(8) prints them. */
  flags: string[]
  encap?: Encap | undefined
  group?: NexthopMember[] | undefined
  groupType?: keyof typeof groupTypes | number | undefined
  /** `unbalancedTimeMs`: for how long it has been out of balance. */
  resilient?: ResilientOptions & { unbalancedTimeMs?: number | undefined } | undefined
  /** Packets by way of a group, if asked for. */
  statistics?: { id?: number | undefined, packets?: number | undefined, hardwarePackets?: number | undefined }[] | undefined
  raw?: RawAttribute[] | undefined
}

export function decodeNexthop(message: Message): Nexthop {
  const header = message.header as { family: number, scope: number, protocol: number, flags: number }
  const values = message.attributes as TableValues<typeof nexthopAttributes>
  const { id = 0, group, groupType, resilient, statistics, encap, raw } = values
  return {
    id,
    family: header.family === c.AF_INET6 ? 6 : header.family === c.AF_INET ? 4 : undefined,
    via: values.via,
    index: values.index,
    blackhole: values.blackhole === true,
    fdb: values.fdb === true,
    scope: scopes.name(header.scope),
    protocol: protocols.name(header.protocol),
    flags: bitNames(hopFlags, header.flags),
    ...(encap === undefined ? {} : { encap: decodeEncap(values) }),
    ...(group === undefined ? {} : { group, groupType }),
    ...(resilient === undefined ? {} : { resilient }),
    ...(statistics === undefined ? {} : { statistics }),
    ...(raw === undefined ? {} : { raw }),
  }
}

/** A bucket of a resilient group. */
export interface NexthopBucket {
  /** Of the group. */
  id: number
  /** Place in the group. */
  bucket: number
  /** The nexthop that its flows take. */
  nexthopId: number
  /** Since its last packet. */
  idleTimeMs: number
  flags: string[]
}

export function decodeBucket(message: Message): NexthopBucket {
  const { id = 0, bucket: { index = 0, nexthopId = 0, idleTimeMs = 0 } = {} } = message.attributes as TableValues<typeof nexthopAttributes>
  return { id, bucket: index, nexthopId, idleTimeMs, flags: bitNames(hopFlags, (message.header as { flags: number }).flags) }
}
