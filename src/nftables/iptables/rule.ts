/**
 * Rules as iptables-nft writes them (observed in 1.8.9): interfaces, addresses, protocol, ports, marks, limits and plain
 * verdicts as nf_tables' own expressions, everything else as iptables' extensions, a counter before the target. iptables
 * takes rules of this form for its own, and calls tables with any other form incompatible.
 */
import { aBoolean, aString, check, fieldsOf, listOf } from '../../checks.ts'
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../../netlink/codecs.ts'
import { NFT_NAME_MAXLEN } from '../constants.ts'
import { expressionsOf } from '../expressions.ts'
import type { Expression } from '../expressions.ts'
import { ADDRESS_FIELDS, applyMask, compare, giveVerdict, loadMeta, loadPayload } from '../primitives.ts'
import { protocolNumber } from './protocols.ts'
import type { Protocol } from '../protocols.ts'
import { parseMasked, prefixLength } from './addresses.ts'
import { readInput } from './extension.ts'
import type { Extension, Given, OptionInput, Options } from './extension.ts'
import type { ConntrackState } from './matches/conntrack.ts'
import { matches } from './matches/index.ts'
import type { MatchName, Matches } from './matches/index.ts'
import { aFamily, builtinChains, verdictNames } from './names.ts'
import { targets } from './targets/index.ts'
import type { TargetName, Targets } from './targets/index.ts'
import type { Context, IpSet, IptablesFamily } from './values.ts'

export type { IptablesFamily } from './values.ts'

/** A value, or `! ` and a value. */
export type OrNot<T> = T | { not: T }

/** One port, or the first and the last of a range. */
export type PortMatch = number | readonly [first: number, last: number]

/** What iptables has no words for, as nf_tables has it. */
export interface UnknownPart {
  unknown: { name: string, expressions: readonly Expression[] }
}

/** One `-m NAME` with its options, named as in iptables-extensions(8), in camelCase. */
export type IptablesMatch = { [N in MatchName]: Record<N, OptionInput<Matches[N]['options']>> }[MatchName] | UnknownPart

export type IptablesTarget = 'ACCEPT' | 'DROP' | 'RETURN' | TargetName
  /** `-j` to a chain of the same table. */
  | { jump: string }
  /** `-g`: without coming back. */
  | { goto: string }
  /** `-j NAME` with its options. */
  | { [N in TargetName]: Record<N, OptionInput<Targets[N]['options']>> }[TargetName]
  | UnknownPart

/** Named as iptables' options; see iptables(8), iptables-extensions(8). */
export interface IptablesRule {
  /** `-i`; `eth+` stands for all that start with `eth`. */
  in?: OrNot<string> | undefined
  /** `-o`. */
  out?: OrNot<string> | undefined
  /** `-s`: an address, a prefix, or address/netmask. */
  source?: OrNot<string> | undefined
  /** `-d`. */
  destination?: OrNot<string> | undefined
  /** `-p`. */
  protocol?: OrNot<Protocol> | undefined
  /** `-f`: second and further fragments; IPv4 only. */
  fragment?: OrNot<true> | undefined
  /** Short for a match `tcp` or `udp` with `sport`. */
  sport?: OrNot<PortMatch> | undefined
  dport?: OrNot<PortMatch> | undefined
  /** Short for a match `conntrack` with `ctstate`. */
  ctState?: OrNot<readonly ConntrackState[]> | undefined
  /** In this order, behind those of the short forms. */
  matches?: readonly IptablesMatch[] | undefined
  /** Short for a match `comment`, behind the others. */
  comment?: string | undefined
  /** Left out: the rule only counts. */
  target?: IptablesTarget | undefined
}

/** Where a rule will stand. With table and chain, what does not belong there is refused too. */
export interface IptablesPlace {
  family: IptablesFamily
  /** filter, nat, mangle, raw or security. */
  table?: string | undefined
  chain?: string | undefined
  /** The sets of ipset that the rule names: it will hold their numbers. `host.iptables` asks the kernel for them. */
  sets?: readonly IpSet[] | undefined
}

export interface Counters {
  packets: number
  bytes: number
}

const fields = [
  'in', 'out', 'source', 'destination', 'protocol', 'fragment', 'sport', 'dport', 'ctState', 'matches', 'comment', 'target',
  'family', 'table', 'chain', 'sets', 'counters',
]

/** The expressions of a rule, for `addRule`. Throws InvalidArgumentError, which names the field. */
export function iptablesRule(rule: IptablesRule & IptablesPlace & { counters?: Counters | undefined }): Expression[] {
  for (const [name, value] of Object.entries(fieldsOf('rule', rule))) {
    if (!fields.includes(name)) throw new InvalidArgumentError(name, value, `one of the fields ${fields.join(', ')}${didYouMean(name, fields)}`)
  }
  const { family, table, chain, sets, matches: said = [], counters = { packets: 0, bytes: 0 } } = rule
  check('family', family, aFamily)
  if (table !== undefined) check('table', table, aString)
  if (chain !== undefined) check('chain', chain, aString)
  const { packets, bytes } = fieldsOf('counters', counters)
  const protocol = split(rule.protocol)
  const number = protocol === undefined ? undefined : protocolNumber(protocol.value)
  const context: Context = { family, table, chain, sets, protocol: protocol?.not === false ? number : undefined }
  checkDirections(rule)
  return [
    ...interfaceMatch('iifname', 'in', rule.in),
    ...interfaceMatch('oifname', 'out', rule.out),
    ...(number === undefined ? [] : [loadMeta('l4proto'), compare(protocol?.not === true ? 'neq' : 'eq', Uint8Array.of(number))]),
    ...addressMatch(family, 'saddr', 'source', rule.source),
    ...addressMatch(family, 'daddr', 'destination', rule.destination),
    ...fragmentMatch(family, rule.fragment),
    ...shortMatches(rule, context),
    ...listOf('matches', said).flatMap((match, index) => matchExpressions(match, `matches[${index}]`, context)),
    ...(rule.comment === undefined ? [] : part(matches.comment, 'match', { comment: rule.comment }, '', context)),
    { name: 'counter', data: { bytes, packets } },
    ...(rule.target === undefined ? [] : targetExpressions(rule.target, context)),
  ]
}

function split<T>(said: OrNot<T> | undefined): { not: boolean, value: T } | undefined {
  if (said === undefined) return undefined
  return typeof said === 'object' && said !== null && 'not' in said ? { not: true, value: said.not } : { not: false, value: said as T }
}

/** A packet has no outgoing interface yet in PREROUTING and INPUT, and no incoming one in OUTPUT and POSTROUTING. */
function checkDirections({ table, chain, ...rule }: IptablesRule & IptablesPlace): void {
  const hook = builtinChains[table ?? '']?.[chain ?? '']?.hook
  if (rule.out !== undefined && (hook === 'prerouting' || hook === 'input')) {
    throw new InvalidArgumentError('out', rule.out, `nothing in ${chain}, where packets have no outgoing interface`)
  }
  if (rule.in !== undefined && (hook === 'output' || hook === 'postrouting')) {
    throw new InvalidArgumentError('in', rule.in, `nothing in ${chain}, where packets have no incoming interface`)
  }
}

/** iptables compares a name with its final NUL, and a pattern only as far as it goes. */
function interfaceMatch(key: 'iifname' | 'oifname', field: string, said: OrNot<string> | undefined): Expression[] {
  const { not = false, value: name } = split(said) ?? {}
  if (name === undefined || (name === '+' && !not)) return []
  const pattern = typeof name === 'string' && name.endsWith('+')
  const stem = pattern ? name.slice(0, -1) : name
  if (!isInterfaceName(stem)) throw new InvalidArgumentError(field, name, `${INTERFACE_NAME_RULE}; a final + matches any rest`)
  return [loadMeta(key), compare(not ? 'neq' : 'eq', Uint8Array.from(Buffer.from(pattern ? stem : `${stem}\0`)))]
}

function addressMatch(family: IptablesFamily, which: 'saddr' | 'daddr', name: string, said: OrNot<string> | undefined): Expression[] {
  const { not = false, value } = split(said) ?? {}
  if (value === undefined) return []
  const found = typeof value === 'string' ? parseMasked(value, family) : undefined
  const nothing = found?.mask.every(byte => byte === 0) === true
  if (found === undefined || (nothing && not)) {
    const accepted = `an IPv${family === 'ip' ? 4 : 6} address, prefix or address/netmask`
    throw new InvalidArgumentError(name, value, nothing ? `${accepted} that leaves something to match` : accepted)
  }
  if (nothing) return []
  const { offset, length } = ADDRESS_FIELDS[family][which]
  const op = not ? 'neq' : 'eq'
  const prefix = prefixLength(found.mask)
  // A prefix of whole bytes is a shorter load.
  if (prefix !== undefined && prefix % 8 === 0) {
    return [loadPayload('network', offset, prefix / 8), compare(op, found.address.subarray(0, prefix / 8))]
  }
  return [loadPayload('network', offset, length), applyMask(found.mask), compare(op, found.address)]
}

/** The offset of a fragment, 13 bits, is not zero. */
function fragmentMatch(family: IptablesFamily, said: OrNot<true> | undefined): Expression[] {
  const { not = false, value } = split<boolean>(said) ?? {}
  if (value !== undefined) check('fragment', value, aBoolean)
  if (value !== true) return []
  if (family !== 'ip') throw new InvalidArgumentError('fragment', value, 'nothing in family ip6')
  return [loadPayload('network', 6, 2), applyMask(Uint8Array.of(0x1f, 0xff)), compare(not ? 'eq' : 'neq', Uint8Array.of(0, 0))]
}

function shortMatches({ sport, dport, ctState }: IptablesRule, context: Context): Expression[] {
  const ports = sport === undefined && dport === undefined ? undefined
    : context.protocol === 6 ? matches.tcp : context.protocol === 17 ? matches.udp : undefined
  if (ports === undefined && (sport ?? dport) !== undefined) {
    throw new InvalidArgumentError(sport === undefined ? 'dport' : 'sport', sport ?? dport, 'ports only with protocol tcp or udp')
  }
  return [
    ...(ports === undefined ? [] : part(ports as Extension, 'match', { sport, dport }, '', context)),
    ...(ctState === undefined ? [] : stateMatch(ctState, context)),
  ]
}

function stateMatch(ctState: OrNot<readonly ConntrackState[]>, context: Context): Expression[] {
  try {
    return part(matches.conntrack, 'match', { ctstate: ctState }, '', context)
  } catch (error) {
    throw error instanceof InvalidArgumentError ? new InvalidArgumentError('ctState', ctState, error.accepted) : error
  }
}

function matchExpressions(match: IptablesMatch, path: string, context: Context): Expression[] {
  const [name, input, ...rest] = typeof match === 'object' && match !== null ? Object.entries(match).flat() as [string, object] : ['', match]
  if (name === 'unknown' && rest.length === 0) return unknownExpressions(`${path}.unknown`, input)
  const found = Object.hasOwn(matches, name) ? matches[name as MatchName] : undefined
  if (found === undefined || rest.length > 0) {
    const names = Object.keys(matches)
    throw new InvalidArgumentError(path, name === '' ? match : name, `one match, like { conntrack: { … } }, of ${names.join(', ')}${didYouMean(name, names)}`)
  }
  return part(found as unknown as Extension, 'match', input, `${path}.${name}`, context)
}

function targetExpressions(target: IptablesTarget, context: Context): Expression[] {
  if (target === 'ACCEPT') return [giveVerdict('accept')]
  if (target === 'DROP') return [giveVerdict('drop')]
  if (target === 'RETURN') return [giveVerdict('return')]
  const [name, input, ...rest] = typeof target === 'string' ? [target, {}]
    : typeof target === 'object' && target !== null ? Object.entries(target).flat() as [string, unknown] : ['', target]
  if (rest.length === 0) {
    if (name === 'jump' || name === 'goto') return [giveVerdict(name, checkChainName(`target.${name}`, input))]
    if (name === 'unknown') return unknownExpressions('target.unknown', input)
    if (Object.hasOwn(targets, name)) {
      const path = typeof target === 'string' ? 'target' : `target.${name}`
      return part(targets[name as TargetName] as unknown as Extension, 'target', input as object, path, context)
    }
  }
  const names = ['ACCEPT', 'DROP', 'RETURN', ...Object.keys(targets), 'jump', 'goto']
  throw new InvalidArgumentError('target', name === '' ? target : name, `one target, like 'ACCEPT', { MASQUERADE: { … } } or { jump: 'CHAIN' }, of ${names.join(', ')}${didYouMean(name, names)}`)
}

function unknownExpressions(field: string, unknown: unknown): Expression[] {
  const { name } = fieldsOf(field, unknown as UnknownPart['unknown'])
  check(`${field}.name`, name, aString)
  return [...expressionsOf(unknown as UnknownPart['unknown'], field)]
}

/** iptables' rule for names of chains (28 bytes), which nf_tables would let be longer. */
export function checkChainName(field: string, name: unknown): string {
  const valid = typeof name === 'string' && /^[^\s!-][^\s]*$/.test(name) && Buffer.byteLength(name) < Math.min(29, NFT_NAME_MAXLEN) &&
    !(verdictNames as readonly string[]).includes(name)
  if (!valid) {
    throw new InvalidArgumentError(field, name, `the name of a chain: 1 to 28 bytes without white space, not starting with - or !, none of ${verdictNames.join(', ')}`)
  }
  return name
}

function part<O extends Options>(extension: Extension<O>, kind: 'match' | 'target', input: object, path: string, context: Context): Expression[] {
  return partExpressions(extension, kind, readInput(extension, input, path, context), context)
}

export function partExpressions<O extends Options>(extension: Extension<O>, kind: 'match' | 'target', given: Given<O>, context: Context): Expression[] {
  const native = extension.native?.(given, context)
  if (native !== undefined) return native
  const data = { name: extension.xt, revision: extension.revision(context.family), info: extension.encode(given, context) }
  return [kind === 'match' ? { name: 'match', data } : { name: 'target', data }]
}
