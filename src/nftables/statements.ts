/**
 * A vocabulary that reads like nft(8): each word is a list of expressions, and a rule is the words in order.
 *
 *   const expressions = [iifname('virbr0'), tcp.dport(53), counter(), accept()]
 *   addRule({ family: 'ip', table: 't', chain: 'c', expressions })
 *
 * In tables of the families inet, bridge and netdev say `nfproto('ip')` before `ip.…` and `nfproto('ip6')` before
 * `ip6.…`: the words look at fixed places of the header and do not know the table they stand in.
 */
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import { parseIp, parsePrefix } from '../ip.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../netlink/codecs.ts'
import {
  NFT_LOOKUP_F_INV, NF_NAT_RANGE_PERSISTENT, NF_NAT_RANGE_PROTO_RANDOM, NF_NAT_RANGE_PROTO_RANDOM_FULLY,
  NF_NAT_RANGE_PROTO_SPECIFIED,
} from './constants.ts'
import { isExpression } from './expressions.ts'
import type { Expression, ExpressionData } from './expressions.ts'
import { families } from './messages.ts'
import {
  ADDRESS_FIELDS, applyMask, bigEndian16, compare, compareRange, giveVerdict, littleEndian32, loadMeta,
  loadPayload, matchPrefix, setRegister,
} from './primitives.ts'
import { protocolNumber } from './protocols.ts'
import type { Protocol } from './protocols.ts'

/** One port, or the first and the last of a range. */
export type Ports = number | readonly [first: number, last: number]

/** The name of the interface that a packet came in by; `eth*` stands for all that start with `eth`. */
export function iifname(name: string): Expression[] {
  return [loadMeta('iifname'), compare('eq', interfaceBytes('iifname', name))]
}

/** The name of the interface that a packet leaves by. */
export function oifname(name: string): Expression[] {
  return [loadMeta('oifname'), compare('eq', interfaceBytes('oifname', name))]
}

/** The packet's address family, in tables that see more than one. */
export function nfproto(family: 'ip' | 'ip6'): Expression[] {
  return [loadMeta('nfproto'), compare('eq', Uint8Array.of(families[family]))]
}

/** The transport protocol, behind IPv6 extension headers too. */
export function l4proto(protocol: Protocol): Expression[] {
  return [loadMeta('l4proto'), compare('eq', Uint8Array.of(protocolNumber(protocol)))]
}

/** The packet's mark. */
export function mark(value: number): Expression[] {
  return [loadMeta('mark'), compare('eq', littleEndian32(value))]
}

interface AddressWords {
  /** An address or prefix. */
  saddr(prefix: string): Expression[]
  daddr(prefix: string): Expression[]
}

export const ip: AddressWords = {
  saddr: prefix => address('ip', 'saddr', prefix),
  daddr: prefix => address('ip', 'daddr', prefix),
}

export const ip6: AddressWords = {
  saddr: prefix => address('ip6', 'saddr', prefix),
  daddr: prefix => address('ip6', 'daddr', prefix),
}

interface PortWords {
  sport(ports: Ports): Expression[]
  dport(ports: Ports): Expression[]
}

export const tcp: PortWords = {
  sport: value => [...l4proto('tcp'), ...port('tcp.sport', 0, value)],
  dport: value => [...l4proto('tcp'), ...port('tcp.dport', 2, value)],
}

export const udp: PortWords = {
  sport: value => [...l4proto('udp'), ...port('udp.sport', 0, value)],
  dport: value => [...l4proto('udp'), ...port('udp.dport', 2, value)],
}

/** NF_CT_STATE_BIT of linux/netfilter/nf_conntrack_common.h. */
const ctStates = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const
export type CtState = keyof typeof ctStates

/** Any of these states of connection tracking. */
export function ctState(...states: readonly [CtState, ...CtState[]]): Expression[] {
  let bits = 0
  for (const state of states) bits |= lookUp('ctState', ctStates, state)
  const load: Expression = { name: 'ct', data: { key: 'state', dreg: 1 } }
  return [load, applyMask(littleEndian32(bits)), compare('neq', littleEndian32(0))]
}

/** The opposite of a condition, e.g. `not(ip.daddr('10.0.0.0/8'))`; of one with a protocol, only what follows it. */
export function not(condition: readonly Expression[]): Expression[] {
  const before = condition.slice(0, -1)
  const last = condition.at(-1)
  if (isExpression(last, 'cmp')) {
    const { op, data } = last.data
    const low = before.at(-1)
    // A range is two comparisons; its opposite has an expression of its own.
    if (op === 'lte' && isExpression(low, 'cmp') && low.data.op === 'gte') {
      const [from, to] = [low.data.data?.value, data?.value]
      if (from !== undefined && to !== undefined) return [...before.slice(0, -1), compareRange('neq', from, to)]
    }
    if (op === 'eq' || op === 'neq') {
      return [...before, { name: 'cmp', data: { ...last.data, op: op === 'eq' ? 'neq' : 'eq' } }]
    }
  }
  if (isExpression(last, 'range')) {
    return [...before, { name: 'range', data: { ...last.data, op: last.data.op === 'eq' ? 'neq' : 'eq' } }]
  }
  if (isExpression(last, 'lookup')) {
    return [...before, { name: 'lookup', data: { ...last.data, flags: (last.data.flags ?? 0) ^ NFT_LOOKUP_F_INV } }]
  }
  throw new InvalidArgumentError('not', condition, 'a condition that ends in a comparison')
}

/** Counts the packets and bytes that come this far. */
export function counter(): Expression[] {
  return [{ name: 'counter', data: {} }]
}

export function accept(): Expression[] {
  return [giveVerdict('accept')]
}

export function drop(): Expression[] {
  return [giveVerdict('drop')]
}

/** Back to the chain that jumped here; in a base chain, the policy. */
export function ret(): Expression[] {
  return [giveVerdict('return')]
}

/** Into a chain of the same table, and back behind this rule. */
export function jump(chain: string): Expression[] {
  return [giveVerdict('jump', chain)]
}

/** Into a chain of the same table, without coming back. */
export function goto(chain: string): Expression[] {
  return [giveVerdict('goto', chain)]
}

const second = 1
const units = { second, minute: 60 * second, hour: 3600 * second, day: 86400 * second, week: 604800 * second } as const

/** Matches up to `rate` packets a unit of time, and `burst` (default 5) beyond. */
export function limit(options: { rate: number, per: keyof typeof units, burst?: number }): Expression[] {
  const { rate, per, burst = 5 } = options
  return [{ name: 'limit', data: { rate, unit: lookUp('limit.per', units, per), burst, type: 'packets', flags: 0 } }]
}

/** To the kernel log, or with `group` to nfnetlink_log. */
export function log(options: Pick<ExpressionData<'log'>, 'prefix' | 'level' | 'group' | 'snaplen'> = {}): Expression[] {
  return [{ name: 'log', data: options }]
}

/** ICMP codes: linux/icmp.h, linux/icmpv6.h, enum nft_reject_inet_code. */
const rejections = {
  'icmp net-unreachable': ['icmp', 0],
  'icmp host-unreachable': ['icmp', 1],
  'icmp prot-unreachable': ['icmp', 2],
  'icmp port-unreachable': ['icmp', 3],
  'icmp net-prohibited': ['icmp', 9],
  'icmp host-prohibited': ['icmp', 10],
  'icmp admin-prohibited': ['icmp', 13],
  'icmpv6 no-route': ['icmp', 0],
  'icmpv6 admin-prohibited': ['icmp', 1],
  'icmpv6 addr-unreachable': ['icmp', 3],
  'icmpv6 port-unreachable': ['icmp', 4],
  'icmpx no-route': ['icmpx', 0],
  'icmpx port-unreachable': ['icmpx', 1],
  'icmpx host-unreachable': ['icmpx', 2],
  'icmpx admin-prohibited': ['icmpx', 3],
  'tcp reset': ['tcp reset', 0],
} as const
export type Rejection = keyof typeof rejections

/** Drops and answers: `icmp …` in ip tables, `icmpv6 …` in ip6 ones, `icmpx …` in inet and bridge ones. */
export function reject(answer: Rejection): Expression[] {
  const [type, code] = lookUp('reject', rejections, answer)
  return [{ name: 'reject', data: { type, code } }]
}

export interface NatFlags {
  /** A random port; `fullyRandom` without the hash that makes it guessable. */
  random?: boolean
  fullyRandom?: boolean
  /** The same address for every connection of a client. */
  persistent?: boolean
}

export interface NatTarget extends NatFlags {
  /** One address, or the first and the last of a range; all of one family. */
  address?: string | readonly [first: string, last: string]
  ports?: Ports
}

/** Source NAT to the address of the interface that the packet leaves by. Ports need a transport protocol before. */
export function masquerade({ ports, ...flags }: { ports?: Ports } & NatFlags = {}): Expression[] {
  const { set, regProtoMin, regProtoMax } = natRegisters({ ...(ports === undefined ? {} : { ports }) })
  return [...set, { name: 'masq', data: { flags: natFlags(ports, flags), regProtoMin, regProtoMax } }]
}

/** Source NAT. `ports` need a transport protocol before. */
export function snat(target: NatTarget): Expression[] {
  return nat('snat', target)
}

/** Destination NAT. */
export function dnat(target: NatTarget): Expression[] {
  return nat('dnat', target)
}

/** Destination NAT to the host itself. */
export function redirect({ ports, ...flags }: { ports?: Ports } & NatFlags = {}): Expression[] {
  const { set, regProtoMin, regProtoMax } = natRegisters({ ...(ports === undefined ? {} : { ports }) })
  return [...set, { name: 'redir', data: { regProtoMin, regProtoMax, flags: natFlags(ports, flags) } }]
}

function nat(type: 'snat' | 'dnat', target: NatTarget): Expression[] {
  const { ports, ...flags } = target
  const { set, family, ...registers } = natRegisters(target)
  if (family === undefined) {
    throw new InvalidArgumentError(`${type}.address`, target.address, 'an address or a pair of addresses')
  }
  return [...set, { name: 'nat', data: { type, family, ...registers, flags: natFlags(ports, flags) } }]
}

/** Loads addresses and ports into registers from 1 on, in nft's order. */
function natRegisters({ address, ports }: Pick<NatTarget, 'address' | 'ports'>): {
  set: Expression[]
  family?: 'ip' | 'ip6'
} & Pick<ExpressionData<'nat'>, 'regAddrMin' | 'regAddrMax' | 'regProtoMin' | 'regProtoMax'> {
  const set: Expression[] = []
  const load = (value: Uint8Array): number => {
    set.push(setRegister(set.length + 1, value))
    return set.length
  }
  const addresses = (address === undefined ? [] : [address].flat()).map(text => {
    const bytes = parseIp(String(text))
    if (bytes === undefined) throw new InvalidArgumentError('address', text, 'an IPv4 or IPv6 address')
    return bytes
  })
  if (addresses[1] !== undefined && addresses[1].length !== addresses[0]?.length) {
    throw new InvalidArgumentError('address', address, 'two addresses of the same family')
  }
  const [regAddrMin, regAddrMax] = addresses.map(load)
  const [regProtoMin, regProtoMax] = portBytes('ports', ports).map(load)
  const registers = { set, regAddrMin, regAddrMax, regProtoMin, regProtoMax }
  return addresses[0] === undefined ? registers : { ...registers, family: addresses[0].length === 4 ? 'ip' : 'ip6' }
}

function natFlags(ports: Ports | undefined, { random, fullyRandom, persistent }: NatFlags): number | undefined {
  const flags = (ports === undefined ? 0 : NF_NAT_RANGE_PROTO_SPECIFIED) |
    (random === true ? NF_NAT_RANGE_PROTO_RANDOM : 0) |
    (fullyRandom === true ? NF_NAT_RANGE_PROTO_RANDOM_FULLY : 0) |
    (persistent === true ? NF_NAT_RANGE_PERSISTENT : 0)
  return flags === 0 ? undefined : flags
}

/** A whole name is compared with its NULs, all 16 bytes; a pattern only as far as it goes. */
function interfaceBytes(field: string, name: string): Uint8Array {
  const pattern = typeof name === 'string' && name.length > 1 && name.endsWith('*')
  const stem = pattern ? name.slice(0, -1) : name
  if (!isInterfaceName(stem)) {
    throw new InvalidArgumentError(field, name, `${INTERFACE_NAME_RULE}; a final * matches any rest`)
  }
  const bytes = Buffer.from(stem)
  return Uint8Array.from(pattern ? bytes : Buffer.concat([bytes], 16))
}

function address(family: 'ip' | 'ip6', field: 'saddr' | 'daddr', text: string): Expression[] {
  const prefix = typeof text === 'string' ? parsePrefix(text) : undefined
  const bytes = prefix === undefined ? undefined : parseIp(prefix.address)
  if (prefix === undefined || bytes === undefined || prefix.family !== (family === 'ip' ? 4 : 6)) {
    throw new InvalidArgumentError(`${family}.${field}`, text, `an IPv${family === 'ip' ? 4 : 6} address or prefix`)
  }
  return matchPrefix(ADDRESS_FIELDS[family][field], 'eq', bytes, prefix.prefix)
}

function port(field: string, offset: number, ports: Ports): Expression[] {
  const [first, last] = portBytes(field, ports)
  if (first === undefined) throw new InvalidArgumentError(field, ports, 'a port or a pair of ports')
  const load = loadPayload('transport', offset, 2)
  return last === undefined ? [load, compare('eq', first)] : [load, compare('gte', first), compare('lte', last)]
}

function portBytes(field: string, ports: Ports | undefined): Uint8Array[] {
  const all = ports === undefined ? [] : [ports].flat()
  if (all.length > 2 || !all.every(number => Number.isInteger(number) && number >= 0 && number <= 0xffff) ||
    (all[1] !== undefined && all[1] < (all[0] ?? 0))) {
    throw new InvalidArgumentError(field, ports, 'a port from 0 to 65535, or the first and the last of a range')
  }
  return all.map(bigEndian16)
}

function lookUp<V>(field: string, table: Readonly<Record<string, V>>, key: string): V {
  if (Object.hasOwn(table, key)) return table[key] as V
  const names = Object.keys(table)
  throw new InvalidArgumentError(field, key, `one of ${names.join(', ')}${didYouMean(String(key), names)}`)
}
