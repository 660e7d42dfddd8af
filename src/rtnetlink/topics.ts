/**
 * What can be watched, a topic an entry: which groups to join, what their messages mean, how to list what is there, and
 * which object a message is about. Source: rtnetlink(7), linux/rtnetlink.h.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { NLM_F_REPLACE } from '../netlink/constants.ts'
import type { Notice } from '../netlink/events.ts'
import type { AnyRequest, MessageFormat } from '../netlink/message.ts'
import { dump } from '../netlink/message.ts'
import { walkAttributes } from '../netlink/table.ts'
import { addressMessage, decodeAddress, listAddresses } from './addresses.ts'
import type { Address } from './addresses.ts'
import * as c from './constants.ts'
import { familyNumber } from './families.ts'
import { decodeFdbEntry, listFdb } from './fdb.ts'
import type { FdbEntry } from './fdb.ts'
import { decodeLink, listLinks, listedLinkMessage } from './links.ts'
import type { Link } from './links.ts'
import { tables } from './names.ts'
import type { TableName } from './names.ts'
import { decodeNeighbor, listNeighbors, neighborMessage } from './neighbors.ts'
import type { Neighbor } from './neighbors.ts'
import { decodeNexthop, listNexthops, nexthopMessage } from './nexthops.ts'
import type { Nexthop } from './nexthops.ts'
import { bridgePortMessage, decodeBridgePort, isBridgePort, listBridgePorts } from './ports.ts'
import type { BridgePort } from './ports.ts'
import { routeMessage } from './route-message.ts'
import { decodeRoute } from './route-records.ts'
import type { Route } from './route-records.ts'
import { decodeRule, listRules, ruleMessage } from './rules.ts'
import type { Rule } from './rules.ts'

/** Which objects of a topic are meant; each topic takes some of these. Links are indices, except in `links`. */
export interface TopicFilter {
  link?: string | number
  master?: number
  kind?: string
  family?: 4 | 6
  table?: TableName | 'all'
}

export interface Topic<T> {
  /** Of its events, and the name of the object in them. */
  type: string
  filters: readonly (keyof TopicFilter)[]
  groups(filter: TopicFilter): number[]
  newType: number
  deleteType: number
  format: MessageFormat
  /** Types of messages are shared with other topics. */
  isOurs(message: Notice): boolean
  list(filter: TopicFilter): AnyRequest
  /** What the kernel answers where there is nothing to list: names of errnos. */
  nothing?: readonly string[]
  /** The same for all messages about one object. */
  key(message: Notice): string | number
  /** What tells objects with the same key apart. One with NLM_F_REPLACE takes the place of all of them. */
  variant?(message: Notice): string
  decode(message: Notice): T
  /** Beyond what `list` filters. */
  accepts(object: T, filter: TopicFilter): boolean
}

const byFamily = (ipv4: number, ipv6: number) => ({ family }: TopicFilter): number[] =>
  [...(family === 6 ? [] : [ipv4]), ...(family === 4 ? [] : [ipv6])]

const matches = <V>(wanted: V | undefined, value: V | undefined): boolean => wanted === undefined || wanted === value

const links: Topic<Link> = {
  type: 'link',
  filters: ['link', 'kind', 'master'],
  groups: () => [c.RTNLGRP_LINK],
  newType: c.RTM_NEWLINK,
  deleteType: c.RTM_DELLINK,
  format: listedLinkMessage,
  // A bridge tells of its ports by the same type of message, with AF_BRIDGE; it deletes no link then.
  isOurs: message => familyOf(message) === c.AF_UNSPEC,
  list: ({ kind, master }) => listLinks({ ...(kind === undefined ? {} : { kind }), ...(master === undefined ? {} : { master }) }),
  key: message => message.body.readInt32LE(4),
  decode: decodeLink,
  accepts: (found, { link, kind, master }) => matches(kind, found.kind) && matches(master, found.master) &&
    (typeof link === 'string' ? found.name === link || found.altNames?.includes(link) === true : matches(link, found.index)),
}

const bridgePorts: Topic<BridgePort> = {
  type: 'bridgePort',
  filters: ['link', 'master'],
  groups: () => [c.RTNLGRP_LINK],
  newType: c.RTM_NEWLINK,
  deleteType: c.RTM_DELLINK,
  format: bridgePortMessage,
  isOurs: isBridgePort,
  list: () => listBridgePorts(),
  key: message => message.body.readInt32LE(4),
  decode: decodeBridgePort,
  accepts: (found, { link, master }) => matches(link, found.index) && matches(master, found.master),
}

const addresses: Topic<Address> = {
  type: 'address',
  filters: ['link', 'family'],
  groups: byFamily(c.RTNLGRP_IPV4_IFADDR, c.RTNLGRP_IPV6_IFADDR),
  newType: c.RTM_NEWADDR,
  deleteType: c.RTM_DELADDR,
  format: addressMessage,
  isOurs: isInternet,
  list: ({ link, family }) => listAddresses({
    ...(family === undefined ? {} : { family }), ...(typeof link === 'number' ? { index: link } : {}),
  }),
  // Lifetimes and flags change; what an address is does not.
  key: message => keyOf(message, [[0, 2], [4, 8]], [c.IFA_LOCAL, c.IFA_ADDRESS]),
  decode: decodeAddress,
  accepts: (found, { link, family }) => matches(link, found.index) && matches(family, found.family),
}

const routes: Topic<Route> = {
  type: 'route',
  filters: ['link', 'family', 'table'],
  groups: byFamily(c.RTNLGRP_IPV4_ROUTE, c.RTNLGRP_IPV6_ROUTE),
  newType: c.RTM_NEWROUTE,
  deleteType: c.RTM_DELROUTE,
  format: routeMessage,
  isOurs: isInternet,
  list({ link, family, table = 'main' }) {
    const number = table === 'all' ? c.RT_TABLE_UNSPEC : tables.number(table, 'table')
    return dump({
      type: c.RTM_GETROUTE, flags: 0, format: routeMessage,
      header: { family: familyNumber(family), table: number < 256 ? number : c.RT_TABLE_UNSPEC },
      attributes: { ...(number === 0 ? {} : { table: number }), ...(typeof link === 'number' ? { index: link } : {}) },
      operation: 'list routes',
    })
  },
  // A table exists from its first route on.
  nothing: ['ENOENT'],
  key: message => keyOf(message, [[0, 5]], [c.RTA_DST, c.RTA_SRC, c.RTA_TABLE, c.RTA_PRIORITY]),
  variant: message => keyOf(message, [[5, 8]], [c.RTA_GATEWAY, c.RTA_VIA, c.RTA_OIF, c.RTA_PREFSRC, c.RTA_MULTIPATH, c.RTA_NH_ID]),
  decode: decodeRoute,
  accepts: (found, { link, family, table = 'main' }) =>
    matches(family, found.family) && (table === 'all' || tables.number(table, 'table') === found.table) &&
    (link === undefined || found.index === link || found.multipath?.some(({ index }) => index === link) === true),
}

const neighbors: Topic<Neighbor> = {
  type: 'neighbor',
  filters: ['link', 'family'],
  groups: () => [c.RTNLGRP_NEIGH],
  newType: c.RTM_NEWNEIGH,
  deleteType: c.RTM_DELNEIGH,
  format: neighborMessage,
  isOurs: isInternet,
  list: ({ link, family }) => listNeighbors({
    ...(family === undefined ? {} : { family }), ...(typeof link === 'number' ? { index: link } : {}),
  }),
  key: message => keyOf(message, [[0, 1], [4, 8]], [c.NDA_DST]),
  decode: decodeNeighbor,
  accepts: (found, { link, family }) => matches(link, found.index) && matches(family, found.family),
}

const fdbKey = [
  c.NDA_LLADDR, c.NDA_VLAN, c.NDA_MASTER, c.NDA_DST, c.NDA_PORT, c.NDA_VNI, c.NDA_SRC_VNI, c.NDA_IFINDEX,
]

const fdb: Topic<FdbEntry> = {
  type: 'fdb',
  filters: ['link', 'master'],
  groups: () => [c.RTNLGRP_NEIGH],
  newType: c.RTM_NEWNEIGH,
  deleteType: c.RTM_DELNEIGH,
  format: neighborMessage,
  isOurs: message => familyOf(message) === c.AF_BRIDGE,
  list: ({ link, master }) => listFdb({
    ...(master === undefined ? {} : { master }), ...(typeof link === 'number' ? { index: link } : {}),
  }),
  key: message => keyOf(message, [[4, 8]], fdbKey),
  decode: decodeFdbEntry,
  // Entries of the bridge itself name no master.
  accepts: (found, { link, master }) =>
    matches(link, found.index) && (master === undefined || found.master === master || found.index === master),
}

const rules: Topic<Rule> = {
  type: 'rule',
  filters: ['family'],
  groups: byFamily(c.RTNLGRP_IPV4_RULE, c.RTNLGRP_IPV6_RULE),
  newType: c.RTM_NEWRULE,
  deleteType: c.RTM_DELRULE,
  format: ruleMessage,
  // Rules of multicast routing have families of their own.
  isOurs: isInternet,
  list: ({ family }) => listRules(family === undefined ? {} : { family }),
  // A rule is all that it says, but for the flags of struct fib_rule_hdr: they tell whether its links and its target are there.
  key: ({ body }) => body.toString('latin1', 0, 8) + body.toString('latin1', 12),
  decode: decodeRule,
  accepts: (found, { family }) => matches(family, found.family),
}

const nexthops: Topic<Nexthop> = {
  type: 'nexthop',
  filters: ['link', 'family'],
  groups: () => [c.RTNLGRP_NEXTHOP],
  newType: c.RTM_NEWNEXTHOP,
  deleteType: c.RTM_DELNEXTHOP,
  format: nexthopMessage,
  isOurs: () => true,
  list: () => listNexthops(),
  key: message => keyOf(message, [], [c.NHA_ID]),
  decode: decodeNexthop,
  accepts: (found, { link, family }) => matches(link, found.index) && matches(family, found.family),
}

export const topics = { links, bridgePorts, addresses, routes, neighbors, fdb, rules, nexthops } as const
export type TopicName = keyof typeof topics

function familyOf(message: Notice): number {
  return message.body.readUInt8(0)
}

function isInternet(message: Notice): boolean {
  return familyOf(message) === c.AF_INET || familyOf(message) === c.AF_INET6
}

/** Bytes of the header, each part given by its start and end, and the attributes of some types, in the kernel's order. */
function keyOf({ body, format }: Notice, parts: readonly (readonly [number, number])[], types: readonly number[]): string {
  let key = parts.map(([start, end]) => body.toString('latin1', start, end)).join('')
  for (const [type, start, end] of walkAttributes(body, (format.header.size + 3) & ~3, body.length)) {
    if (types.includes(type)) key += `,${type}=${body.toString('latin1', start, end)}`
  }
  return key
}

/** Whether a new object stands in the place of others (`ip route replace`). */
export function isReplacement(message: Notice): boolean {
  return (message.flags & NLM_F_REPLACE) !== 0
}

/** Throws InvalidArgumentError; nothing has been done then. `field`: `routes`. */
export function checkTopicFilter(name: TopicName, filter: TopicFilter, field: string): void {
  const { filters, list } = topics[name]
  checkFields(filter, filters, `a filter of ${field}`)
  const { link, kind } = filter
  if (kind !== undefined && typeof kind !== 'string') throw new InvalidArgumentError(`${field}.kind`, kind, 'a kind of link, like veth')
  if (link !== undefined && typeof link !== 'string' && !(Number.isInteger(link) && link > 0)) {
    throw new InvalidArgumentError(`${field}.link`, link, "a link's name or index")
  }
  // What the request refuses is said in its words.
  list({ ...filter, ...(typeof link === 'string' ? { link: 1 } : {}) })
  familyNumber(filter.family)
}
