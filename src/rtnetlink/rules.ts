/** Policy rules as requests and records. Source: ip-rule(8), linux/fib_rules.h. */
import { aString, aU32, anything, checkEach, fieldsOf } from '../checks.ts'
import type { Check } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { parsePrefix } from '../ip.ts'
import type { Prefix } from '../ip.ts'
import { be32, be64, interfaceName, ip, u16, u32, u8 } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { RawAttribute, TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { families, familyNumber } from './families.ts'
import { equals } from './listed.ts'
import type { Tests } from './listed.ts'
import { bitNames, ipProtocols, onlyNames, protocols, tables } from './names.ts'
import type { IpProtocol, RouteProtocol, TableName } from './names.ts'
import { realms } from './realms.ts'
import type { Realms } from './realms.ts'

const ruleAttributes = attributes({
  to: [c.FRA_DST, ip],
  from: [c.FRA_SRC, ip],
  iif: [c.FRA_IIFNAME, interfaceName],
  oif: [c.FRA_OIFNAME, interfaceName],
  goto: [c.FRA_GOTO, u32],
  priority: [c.FRA_PRIORITY, u32],
  fwmark: [c.FRA_FWMARK, u32],
  fwmask: [c.FRA_FWMASK, u32],
  realms: [c.FRA_FLOW, realms],
  tunId: [c.FRA_TUN_ID, be64],
  suppressIfgroup: [c.FRA_SUPPRESS_IFGROUP, u32],
  suppressPrefixLength: [c.FRA_SUPPRESS_PREFIXLEN, u32],
  table: [c.FRA_TABLE, u32],
  l3mdev: [c.FRA_L3MDEV, u8],
  uidRange: [c.FRA_UID_RANGE, struct({ start: u32, end: u32 })],
  protocol: [c.FRA_PROTOCOL, u8],
  ipProto: [c.FRA_IP_PROTO, u8],
  sport: [c.FRA_SPORT_RANGE, struct({ start: u16, end: u16 })],
  dport: [c.FRA_DPORT_RANGE, struct({ start: u16, end: u16 })],
  sportMask: [c.FRA_SPORT_MASK, u16],
  dportMask: [c.FRA_DPORT_MASK, u16],
  dscp: [c.FRA_DSCP, u8],
  dscpMask: [c.FRA_DSCP_MASK, u8],
  flowLabel: [c.FRA_FLOWLABEL, be32],
  flowLabelMask: [c.FRA_FLOWLABEL_MASK, be32],
})
const fibRuleHeader = struct({
  family: u8, toLength: u8, fromLength: u8, tos: u8, table: u8, _reserved1: u8, _reserved2: u8, action: u8, flags: u32,
})
export const ruleMessage = { header: fibRuleHeader, attributes: ruleAttributes }

const actions = onlyNames({
  table: c.FR_ACT_TO_TBL, goto: c.FR_ACT_GOTO, nop: c.FR_ACT_NOP, blackhole: c.FR_ACT_BLACKHOLE, unreachable: c.FR_ACT_UNREACHABLE,
  prohibit: c.FR_ACT_PROHIBIT,
})
/** `table`: routes are looked up there; the others as `ip rule` names them. */
export type RuleAction = 'table' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit'

/** A port, or a range of them: `22`, `[1024, 65535]`. */
export type PortRange = number | readonly [first: number, last: number]

/** What selects packets and sockets, and what is done then. What is left out does not matter. */
export interface RuleSpec {
  /** Needed only where no prefix tells it. Default 4. */
  family?: 4 | 6
  /** The lowest comes first. Default: the kernel takes one less than the first rule behind 0. */
  priority?: number
  /** Everything that the rest does not select. */
  not?: boolean
  /** Source prefix, or `all`. */
  from?: string
  /** Destination prefix, or `all`. */
  to?: string
  /** Name of the link that packets come in by; `lo`: those of this host. It need not exist yet. */
  iif?: string
  /** Name of the link that a socket is bound to. */
  oif?: string
  /** Firewall mark, under `fwmask`. */
  fwmark?: number
  /** Bits of the mark that count. Default: all. */
  fwmask?: number
  /** IPv4's TOS, as ip(8) has it: a multiple of 4 from 0 to 28 there, 0 to 252 for IPv6. Better: `dscp`. */
  tos?: number
  /** 0 to 63, under `dscpMask`. Linux 6.12. */
  dscp?: number
  /** Linux 6.15. */
  dscpMask?: number
  /** 0 to 1048575, under `flowLabelMask`; IPv6 only. Linux 6.14. */
  flowLabel?: number
  flowLabelMask?: number
  /** Users of sockets. Linux 4.10. */
  uidRange?: readonly [first: number, last: number]
  /** `tcp`, `udp`, … or 1 to 255. Linux 4.17. */
  ipProto?: IpProtocol
  /** Source ports. Linux 4.17. */
  sport?: PortRange
  /** Destination ports. Linux 4.17. */
  dport?: PortRange
  /** Bits of one source port that count. Linux 6.15. */
  sportMask?: number
  /** Bits of one destination port that count. Linux 6.15. */
  dportMask?: number
  /** Id of the tunnel that packets came by. */
  tunId?: number | bigint

  /** Default: `table`; with `goto`: that. */
  action?: RuleAction
  /** Where routes are looked up: `main`, `local`, `default`, or 1 to 2^32-1. Default main. */
  table?: TableName
  /** Look up in the table of the VRF that the link belongs to. CONFIG_NET_L3_MASTER_DEV. */
  l3mdev?: boolean
  /** The priority of the rule to go on with, a later one. */
  goto?: number
  /** Routes found with this prefix length or less do not count. */
  suppressPrefixLength?: number
  /** Routes found by a link of this group do not count. */
  suppressIfgroup?: number
  /** IPv4 only. CONFIG_IP_ROUTE_CLASSID. */
  realms?: Realms
  /** Who made it. Default: nobody in particular, as with `ip rule add`. Linux 4.17. */
  protocol?: RouteProtocol
}

const specNames = [
  'family', 'priority', 'not', 'from', 'to', 'iif', 'oif', 'fwmark', 'fwmask', 'tos', 'dscp', 'dscpMask', 'flowLabel', 'flowLabelMask',
  'uidRange', 'ipProto', 'sport', 'dport', 'sportMask', 'dportMask', 'tunId', 'action', 'table', 'l3mdev', 'goto', 'suppressPrefixLength',
  'suppressIfgroup', 'realms', 'protocol',
]

/** The kernel sends back what it has made, with the priority. */
export function newRule(rule: RuleSpec, { echo = true }: { echo?: boolean } = {}): AnyRequest {
  const request = ruleRequest(rule, 'add')
  const { table = 'main', l3mdev, goto } = rule
  const { action: does = goto === undefined ? 'table' : 'goto' } = rule
  const actionNumber = actions.number(does, 'action')
  if ((does === 'goto') !== (goto !== undefined)) throw new InvalidArgumentError('goto', goto, "a priority, with action 'goto' and no other")
  if (does !== 'table') {
    for (const name of ['table', 'l3mdev'] as const) {
      if (rule[name] !== undefined) throw new InvalidArgumentError(name, rule[name], `nothing with action '${does}'`)
    }
  }
  if (l3mdev === true && rule.table !== undefined) throw new InvalidArgumentError('table', table, 'nothing with l3mdev, which names the table')
  if (goto !== undefined && goto <= (rule.priority ?? -1)) throw new InvalidArgumentError('goto', goto, 'the priority of a later rule')
  const number = does !== 'table' || l3mdev === true ? c.RT_TABLE_UNSPEC : tables.number(table, 'table')
  return change({
    ...request,
    type: c.RTM_NEWRULE,
    flags: NLM_F_CREATE | NLM_F_EXCL | (echo ? NLM_F_ECHO : 0),
    header: { ...request.header, table: inHeader(number), action: actionNumber },
    attributes: {
      ...request.attributes,
      table: inHeader(number) === number ? undefined : number,
      protocol: rule.protocol === undefined ? undefined : protocols.number(rule.protocol, 'protocol'),
    },
  })
}

/** The first rule that has all of what is named. */
export function deleteRule(rule: RuleSpec): AnyRequest {
  const request = ruleRequest(rule, 'delete')
  const { action, table, protocol } = rule
  if (Object.keys(rule).every(name => name === 'family')) {
    throw new InvalidArgumentError('rule', rule, 'something that the rule is found by, like its priority')
  }
  const number = table === undefined ? c.RT_TABLE_UNSPEC : tables.number(table, 'table')
  return change({
    ...request,
    type: c.RTM_DELRULE,
    flags: 0,
    header: { ...request.header, table: inHeader(number), action: action === undefined ? c.FR_ACT_UNSPEC : actions.number(action, 'action') },
    attributes: {
      ...request.attributes,
      table: inHeader(number) === number ? undefined : number,
      protocol: protocol === undefined ? undefined : protocols.number(protocol, 'protocol'),
    },
  })
}

/** A rule that was listed, to delete. */
export function deleteListedRule(message: Message): AnyRequest {
  const { priority = 0 } = message.attributes as TableValues<typeof ruleAttributes>
  const header = message.header as { flags: number }
  return change({
    type: c.RTM_DELRULE, flags: 0, format: ruleMessage,
    header: { ...header, flags: header.flags & c.FIB_RULE_INVERT },
    attributes: message.attributes,
    operation: `delete rule ${priority}`,
  })
}

/** A table above 255 stands in the attribute only. */
function inHeader(table: number): number {
  return table < 256 ? table : c.RT_TABLE_UNSPEC
}

function ruleRequest(rule: RuleSpec, verb: string): AnyRequest {
  checkFields(rule, specNames, 'a rule')
  const { priority, not, iif, oif, fwmark, fwmask, tos = 0, dscp, dscpMask, flowLabel, flowLabelMask, ipProto, tunId, l3mdev, goto } = rule
  const [from, to] = [prefixOf(rule, 'from'), prefixOf(rule, 'to')]
  const family = familyOf(rule, from, to)
  checkRule(rule, family)
  return {
    type: 0, flags: 0, format: ruleMessage,
    header: {
      family: families[family], fromLength: from?.prefix, toLength: to?.prefix, tos, flags: not === true ? c.FIB_RULE_INVERT : 0,
    },
    attributes: {
      to: to?.address, from: from?.address, iif, oif, goto, priority, fwmark, fwmask, realms: rule.realms,
      tunId: tunId === undefined ? undefined : BigInt(tunId),
      suppressPrefixLength: rule.suppressPrefixLength, suppressIfgroup: rule.suppressIfgroup,
      l3mdev: l3mdev === true ? 1 : undefined,
      uidRange: rangeOf(rule.uidRange, 'uidRange', 0, 0xfffffffe),
      ipProto: ipProto === undefined ? undefined : ipProtocols.number(ipProto, 'ipProto'),
      sport: rangeOf(rule.sport, 'sport', 1, 0xffff), dport: rangeOf(rule.dport, 'dport', 1, 0xffff),
      sportMask: rule.sportMask, dportMask: rule.dportMask,
      dscp, dscpMask, flowLabel, flowLabelMask: flowLabel === undefined ? flowLabelMask : flowLabelMask ?? 0xfffff,
    },
    operation: `${verb} rule${priority === undefined ? '' : ` ${priority}`}`,
  }
}

/** A prefix, or undefined for everything. */
function prefixOf(rule: RuleSpec, name: 'from' | 'to'): Prefix | undefined {
  const text = rule[name]
  if (text === undefined || text === 'all') return undefined
  const parsed = typeof text === 'string' ? parsePrefix(text) : undefined
  if (parsed === undefined) throw new InvalidArgumentError(name, text, "'all', a prefix like 10.0.0.0/8, or an address")
  return parsed.prefix === 0 ? { ...parsed, address: parsed.family === 4 ? '0.0.0.0' : '::' } : parsed
}

function familyOf({ family, to: toText }: RuleSpec, from: Prefix | undefined, to: Prefix | undefined): 4 | 6 {
  familyNumber(family)
  if (from !== undefined && to !== undefined && from.family !== to.family) {
    throw new InvalidArgumentError('to', toText, `an IPv${from.family} prefix, as from is one`)
  }
  const told = from?.family ?? to?.family
  if (told !== undefined && family !== undefined && told !== family) throw new InvalidArgumentError('family', family, `${told}, that of the prefix`)
  return told ?? family ?? 4
}

/** [name, least, greatest]. */
const ranges = [
  ['priority', 0, 0xffffffff], ['fwmark', 0, 0xffffffff], ['fwmask', 0, 0xffffffff], ['dscp', 0, 63], ['dscpMask', 1, 63],
  ['flowLabel', 0, 0xfffff], ['flowLabelMask', 1, 0xfffff], ['goto', 1, 0xffffffff], ['suppressPrefixLength', 0, 128],
  ['suppressIfgroup', 0, 0xffffffff], ['sportMask', 1, 0xffff], ['dportMask', 1, 0xffff],
] as const

/** [name, what it needs]. */
const needs = [
  ['fwmask', 'fwmark'], ['dscpMask', 'dscp'], ['flowLabelMask', 'flowLabel'], ['sportMask', 'sport'], ['dportMask', 'dport'],
] as const

function checkRule(rule: RuleSpec, family: 4 | 6): void {
  const refuse = (name: keyof RuleSpec, accepted: string): never => { throw new InvalidArgumentError(name, rule[name], accepted) }
  for (const [name, least, greatest] of ranges) {
    const value = rule[name]
    const fits = value === undefined || (Number.isInteger(value) && value >= least && value <= greatest)
    if (!fits) refuse(name, `an integer from ${least} to ${greatest}`)
  }
  for (const [name, needed] of needs) if (rule[name] !== undefined && rule[needed] === undefined) refuse(name, `nothing without ${needed}`)
  for (const name of ['not', 'l3mdev'] as const) if (rule[name] !== undefined && typeof rule[name] !== 'boolean') refuse(name, 'true or false')
  for (const [name, mask] of [['sport', 'sportMask'], ['dport', 'dportMask']] as const) {
    if (rule[mask] !== undefined && typeof rule[name] !== 'number') refuse(name, `one port, with ${mask}`)
  }
  const { tos, tunId, suppressPrefixLength } = rule
  const greatest = family === 4 ? 28 : 252
  if (tos !== undefined && !(Number.isInteger(tos) && tos >= 0 && tos <= greatest && tos % 4 === 0)) refuse('tos', `a multiple of 4 from 0 to ${greatest}`)
  if (tos !== undefined && rule.dscp !== undefined) refuse('tos', 'nothing with dscp')
  const fits = tunId === undefined || (typeof tunId === 'bigint' ? tunId > 0n && tunId < 1n << 64n : Number.isSafeInteger(tunId) && tunId > 0)
  if (!fits) refuse('tunId', 'an id from 1 to 2^64-1 (a bigint above 2^53-1)')
  if (suppressPrefixLength !== undefined && family === 4 && suppressPrefixLength > 32) refuse('suppressPrefixLength', 'an integer from 0 to 32')
  if (family === 6 && rule.realms !== undefined) refuse('realms', 'nothing in a rule of IPv6')
  if (family === 4 && rule.flowLabel !== undefined) refuse('flowLabel', 'nothing in a rule of IPv4')
}

function rangeOf(value: unknown, field: string, least: number, greatest: number): { start: number, end: number } | undefined {
  if (value === undefined) return undefined
  const [start, end] = (Array.isArray(value) ? value : [value, value]) as number[]
  const isNumber = (number: unknown): number is number =>
    Number.isInteger(number) && (number as number) >= least && (number as number) <= greatest
  const fits = isNumber(start) && isNumber(end) && start <= end && (!Array.isArray(value) || value.length === 2)
  if (!fits) throw new InvalidArgumentError(field, value, `a number from ${least} to ${greatest}, or a range of them like [${least}, ${greatest}]`)
  return { start, end }
}

/** Which rules to list. The kernel filters by family, virbr by the rest. */
export interface RuleFilter {
  family?: 4 | 6
  priority?: number
  table?: TableName
  action?: RuleAction
  protocol?: RouteProtocol
  /** This prefix and no other; `all`: rules that do not look at it. */
  from?: string
  to?: string
  iif?: string
  oif?: string
  fwmark?: number
}

/** What says anything is checked where it is read. */
const filterChecks: Record<keyof RuleFilter, Check> = {
  family: anything, priority: aU32, table: anything, action: anything, protocol: anything, from: anything, to: anything,
  iif: aString, oif: aString, fwmark: aU32,
}

export function listRules(filter: RuleFilter = {}): AnyRequest {
  checkEach('', filter, filterChecks, 'a filter of rules')
  return dump({
    type: c.RTM_GETRULE, flags: 0, format: ruleMessage,
    header: { family: familyNumber(filter.family) },
    attributes: {},
    operation: 'list rules',
  })
}

/** Whether a rule is one that is asked for. Throws for a filter that makes no sense. */
export function ruleTests(given: RuleFilter): { here: Tests<Rule>, kernel: Tests<Rule> } {
  const { family, ...filter } = fieldsOf('filter', given)
  const { table, protocol, action, ...rest } = filter
  const wanted: Partial<Rule> = { ...rest }
  if (table !== undefined) wanted.table = tables.number(table, 'table')
  if (protocol !== undefined) wanted.protocol = protocols.name(protocols.number(protocol, 'protocol'))
  if (action !== undefined) wanted.action = actions.name(actions.number(action, 'action'))
  for (const name of ['from', 'to'] as const) {
    const prefix = prefixOf(filter, name)
    if (filter[name] !== undefined) wanted[name] = prefix === undefined ? 'all' : `${prefix.address}/${prefix.prefix}`
  }
  const tests = Object.entries(wanted).map(([name, value]) => [name, equals<Rule, unknown>(value, rule => rule[name as keyof Rule])])
  return { here: Object.fromEntries(tests) as Tests<Rule>, kernel: { family: equals(family, rule => rule.family) } }
}

/** A rule as the kernel shows it. What selects is there only if the rule has it. */
export interface Rule {
  family: 4 | 6
  priority: number
  not: boolean
  /** A prefix, or `all`. */
  from: string
  to: string
  action: RuleAction | number
  /** Undefined: the action needs none, or `l3mdev` names it. */
  table: number | undefined
  protocol: RouteProtocol | undefined
  /** `unresolved`: there is no rule to go to; `iif-detached`, `oif-detached`: there is no such link now. */
  flags: string[]
  iif?: string
  oif?: string
  fwmark?: number
  fwmask?: number
  tos?: number
  dscp?: number
  dscpMask?: number
  flowLabel?: number
  flowLabelMask?: number
  uidRange?: [first: number, last: number]
  ipProto?: IpProtocol
  sport?: PortRange
  dport?: PortRange
  sportMask?: number
  dportMask?: number
  tunId?: bigint
  l3mdev?: boolean
  goto?: number
  suppressPrefixLength?: number
  suppressIfgroup?: number
  realms?: Realms
  raw?: RawAttribute[]
}

const ruleFlags = [
  [c.FIB_RULE_PERMANENT, 'permanent'], [c.FIB_RULE_UNRESOLVED, 'unresolved'], [c.FIB_RULE_IIF_DETACHED, 'iif-detached'],
  [c.FIB_RULE_OIF_DETACHED, 'oif-detached'],
] as const

interface Header { family: number, toLength: number, fromLength: number, tos: number, table: number, action: number, flags: number }

export function decodeRule(message: Message): Rule {
  const header = message.header as unknown as Header
  const values = message.attributes as TableValues<typeof ruleAttributes>
  const { from, to, priority = 0, table = header.table, protocol, uidRange, sport, dport, ipProto, l3mdev } = values
  const given: Partial<Rule> = {}
  for (const name of asTheyAre) if (values[name] !== undefined) (given as Record<string, unknown>)[name] = values[name]
  // The kernel says of the suppressors that there are none.
  for (const name of ['suppressPrefixLength', 'suppressIfgroup'] as const) {
    const value = values[name]
    if (value !== undefined && value !== 0xffffffff) given[name] = value
  }
  if (header.tos !== 0) given.tos = header.tos
  if (uidRange !== undefined) given.uidRange = [uidRange.start ?? 0, uidRange.end ?? 0]
  if (sport !== undefined) given.sport = portsOf(sport)
  if (dport !== undefined) given.dport = portsOf(dport)
  if (ipProto !== undefined) given.ipProto = ipProtocols.name(ipProto)
  if (l3mdev !== undefined && l3mdev !== 0) given.l3mdev = true
  return {
    family: header.family === c.AF_INET6 ? 6 : 4,
    priority,
    not: (header.flags & c.FIB_RULE_INVERT) !== 0,
    from: from === undefined ? 'all' : `${from}/${header.fromLength}`,
    to: to === undefined ? 'all' : `${to}/${header.toLength}`,
    action: actions.name(header.action) as RuleAction | number,
    table: table === c.RT_TABLE_UNSPEC ? undefined : table,
    protocol: protocol === undefined ? undefined : protocols.name(protocol),
    flags: bitNames(ruleFlags, header.flags),
    ...given,
  }
}
const asTheyAre = [
  'iif', 'oif', 'fwmark', 'fwmask', 'dscp', 'dscpMask', 'flowLabel', 'flowLabelMask', 'sportMask', 'dportMask', 'tunId', 'goto', 'realms', 'raw',
] as const

function portsOf({ start = 0, end = 0 }: { start?: number | undefined, end?: number | undefined }): PortRange {
  return start === end ? start : [start, end]
}
