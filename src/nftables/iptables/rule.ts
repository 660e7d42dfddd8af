/**
 * Rules as iptables-nft writes them (observed in 1.8.9): interfaces, addresses, protocol, ports and plain verdicts as
 * nf_tables' own expressions, everything else as iptables' extensions, a counter before the target. iptables takes
 * rules of this form for its own, and calls tables with any other form incompatible.
 */
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import { parseIp, parsePrefix } from '../../ip.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../../netlink/codecs.ts'
import type { Fields, Struct, StructInput } from '../../netlink/table.ts'
import {
  NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PROTO_SPECIFIED, XT_CHECKSUM_OP_FILL, XT_CONNTRACK_STATE,
} from '../constants.ts'
import type { Expression } from '../expressions.ts'
import {
  ADDRESS_FIELDS, bigEndian16, compare, compareRange, giveVerdict, loadMeta, loadPayload, matchPrefix,
} from '../primitives.ts'
import { protocolNumber } from '../protocols.ts'
import type { Protocol } from '../protocols.ts'
import { conntrackStates, rejectCodes } from './names.ts'
import type { ConntrackState, RejectWith } from './names.ts'
import { checksumInfo, conntrack3, encodeInfo, natRange4, natRange6, rejectInfo } from './xt.ts'

export type IptablesFamily = 'ip' | 'ip6'

/** One port, or the first and the last of a range. */
export type PortMatch = number | readonly [first: number, last: number]

/** Named as iptables' options; see iptables(8), iptables-extensions(8). */
export interface IptablesRule {
  /** `-i`; `eth+` stands for all that start with `eth`. */
  in?: string
  /** `-o`. */
  out?: string
  /** `-s`: an address or prefix. */
  source?: string
  /** `-d`. */
  destination?: string
  /** `! -d`. */
  notDestination?: string
  /** `-p`. */
  protocol?: Protocol
  /** `--dport`; with protocol tcp or udp. */
  dport?: PortMatch
  /** `--sport`. */
  sport?: PortMatch
  /** `-m conntrack --ctstate`. */
  ctState?: readonly ConntrackState[] | undefined
  target: IptablesTarget
}

export type IptablesTarget = 'ACCEPT' | 'DROP' | 'RETURN'
  /** `-j REJECT --reject-with`. */
  | { reject: RejectWith }
  /** `-j MASQUERADE --to-ports`. */
  | { masquerade: { ports?: readonly [first: number, last: number] } }
  /** `-j SNAT --to-source`. */
  | { snat: { addresses: readonly [first: string, last: string], ports?: readonly [first: number, last: number] } }
  /** `-j CHECKSUM --checksum-fill`. */
  | { checksumFill: true }
  /** `-j` to a chain of the same table. */
  | { jump: string }

/** The expressions of a rule, for `addRule`. Throws InvalidArgumentError. */
export function iptablesRule({ family, ...rule }: IptablesRule & { family: IptablesFamily }): Expression[] {
  const { source, destination, notDestination, protocol, sport, dport, ctState } = rule
  if (destination !== undefined && notDestination !== undefined) {
    throw new InvalidArgumentError('notDestination', notDestination, 'nothing beside destination')
  }
  return [
    ...interfaceMatch('iifname', 'in', rule.in),
    ...interfaceMatch('oifname', 'out', rule.out),
    ...(protocol === undefined ? [] : [loadMeta('l4proto'), compare('eq', Uint8Array.of(protocolNumber(protocol)))]),
    ...addressMatch(family, 'saddr', 'eq', 'source', source),
    ...addressMatch(family, 'daddr', 'eq', 'destination', destination),
    ...addressMatch(family, 'daddr', 'neq', 'notDestination', notDestination),
    ...portMatch(0, 'sport', sport, protocol),
    ...portMatch(2, 'dport', dport, protocol),
    ...(ctState === undefined ? [] : [conntrackMatch(ctState)]),
    { name: 'counter', data: { bytes: 0, packets: 0 } },
    target(family, rule.target),
  ]
}

/** iptables compares a name with its final NUL, and a pattern only as far as it goes. */
function interfaceMatch(key: 'iifname' | 'oifname', field: string, name: string | undefined): Expression[] {
  if (name === undefined || name === '+') return []
  const pattern = typeof name === 'string' && name.endsWith('+')
  const stem = pattern ? name.slice(0, -1) : name
  if (!isInterfaceName(stem)) {
    throw new InvalidArgumentError(field, name, `${INTERFACE_NAME_RULE}; a final + matches any rest`)
  }
  return [loadMeta(key), compare('eq', Uint8Array.from(Buffer.from(pattern ? stem : `${stem}\0`)))]
}

function addressMatch(
  family: IptablesFamily, which: 'saddr' | 'daddr', op: 'eq' | 'neq', field: string, text: string | undefined,
): Expression[] {
  if (text === undefined) return []
  const prefix = typeof text === 'string' ? parsePrefix(text) : undefined
  const bytes = prefix === undefined ? undefined : parseIp(prefix.address)
  if (prefix === undefined || bytes === undefined || prefix.family !== (family === 'ip' ? 4 : 6)) {
    throw new InvalidArgumentError(field, text, `an IPv${family === 'ip' ? 4 : 6} address or prefix`)
  }
  return matchPrefix(ADDRESS_FIELDS[family][which], op, bytes, prefix.prefix)
}

function portMatch(
  offset: number, field: string, ports: PortMatch | undefined, protocol: Protocol | undefined,
): Expression[] {
  if (ports === undefined) return []
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 6 && protocol !== 17) {
    throw new InvalidArgumentError(field, ports, 'ports only with protocol tcp or udp')
  }
  const range = checkPorts(field, ports)
  const [first, last] = range.map(bigEndian16) as [Uint8Array, Uint8Array]
  const load = loadPayload('transport', offset, 2)
  return [load, range[0] === range[1] ? compare('eq', first) : compareRange('eq', first, last)]
}

function checkPorts(field: string, ports: PortMatch): readonly [first: number, last: number] {
  const [first, last] = typeof ports === 'number' ? [ports, ports] : Array.isArray(ports) ? ports : [NaN, NaN]
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 0xffff
  if (isPort(first) && isPort(last) && first <= last) return [first, last]
  throw new InvalidArgumentError(field, ports, 'a port from 0 to 65535, or the first and the last of a range')
}

function conntrackMatch(states: readonly ConntrackState[]): Expression {
  let stateMask = 0
  for (const state of states) stateMask |= lookUp('ctState', conntrackStates, state)
  const info = encodeInfo(conntrack3, { matchFlags: XT_CONNTRACK_STATE, stateMask })
  return { name: 'match', data: { name: 'conntrack', revision: 3, info } }
}

function target(family: IptablesFamily, target: IptablesTarget): Expression {
  if (target === 'ACCEPT') return giveVerdict('accept')
  if (target === 'DROP') return giveVerdict('drop')
  if (target === 'RETURN') return giveVerdict('return')
  if (typeof target === 'object' && target !== null) {
    if ('jump' in target) return giveVerdict('jump', target.jump)
    if ('reject' in target) {
      return xtTarget('REJECT', 0, rejectInfo, { with: lookUp('target.reject', rejectCodes[family], target.reject) })
    }
    if ('masquerade' in target) return natTarget('MASQUERADE', family, undefined, target.masquerade.ports)
    if ('snat' in target) return natTarget('SNAT', family, target.snat.addresses, target.snat.ports)
    if ('checksumFill' in target) return xtTarget('CHECKSUM', 0, checksumInfo, { operation: XT_CHECKSUM_OP_FILL })
  }
  throw new InvalidArgumentError('target', target,
    "'ACCEPT', 'DROP', 'RETURN', or an object with reject, masquerade, snat, checksumFill or jump")
}

function natTarget(
  name: 'MASQUERADE' | 'SNAT', family: IptablesFamily,
  addresses: readonly [string, string] | undefined, ports: readonly [number, number] | undefined,
): Expression {
  const flags = (addresses === undefined ? 0 : NF_NAT_RANGE_MAP_IPS) |
    (ports === undefined ? 0 : NF_NAT_RANGE_PROTO_SPECIFIED)
  const [first, last] = ports === undefined ? [0, 0] : checkPorts('target.ports', ports)
  if (family === 'ip') {
    const range = { rangesize: 1, flags, minIp: addresses?.[0], maxIp: addresses?.[1], min: first, max: last }
    return xtTarget(name, 0, natRange4, range)
  }
  const range = { flags, minAddr: addresses?.[0], maxAddr: addresses?.[1], minProto: first, maxProto: last }
  return xtTarget(name, name === 'SNAT' ? 1 : 0, natRange6, range)
}

function xtTarget<F extends Fields>(
  name: string, revision: number, layout: Struct<F>, info: StructInput<F>,
): Expression {
  return { name: 'target', data: { name, revision, info: encodeInfo(layout, info) } }
}

function lookUp<V>(field: string, table: Readonly<Record<string, V>>, key: string): V {
  if (Object.hasOwn(table, key)) return table[key] as V
  const names = Object.keys(table)
  throw new InvalidArgumentError(field, key, `one of ${names.join(', ')}${didYouMean(String(key), names)}`)
}
