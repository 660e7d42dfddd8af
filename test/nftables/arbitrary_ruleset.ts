/** Rulesets made up at random: tables with sets, maps, objects, chains and rules of every word of the vocabulary. */
import fc from 'fast-check'
import { compileWords } from '../../src/nftables/compile.ts'
import { InvalidArgumentError } from '../../src/errors.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { addChain } from '../../src/nftables/chains.ts'
import { datatypes } from '../../src/nftables/datatypes.ts'
import { isExpression } from '../../src/nftables/expressions.ts'
import type { Expression } from '../../src/nftables/expressions.ts'
import type { Family } from '../../src/nftables/messages.ts'
import { addObject } from '../../src/nftables/objects.ts'
import { addRule } from '../../src/nftables/rules.ts'
import { addElements, addSet } from '../../src/nftables/set_requests.ts'
import type { AddSet, ElementInput } from '../../src/nftables/set_requests.ts'
import { addTable } from '../../src/nftables/tables.ts'
import * as words from '../../src/nftables/vocabulary/index.ts'
import type { Limit, Word } from '../../src/nftables/vocabulary/index.ts'
import { isSource } from '../../src/nftables/vocabulary/parts.ts'
import type { ValueType } from '../../src/nftables/vocabulary/parts.ts'
import type { Matchable } from '../../src/nftables/vocabulary/match.ts'

type Field = ((value: never) => Word) & Matchable & { types: readonly ValueType[] }
type Values = fc.Arbitrary<string | number | bigint | string[]>

/** All fields below a word, by their names: `ip.saddr`, `ct.original.bytes`. */
function fieldsIn(word: object, name: string): [string, Field][] {
  if (typeof word === 'function' && isSource(word)) return [[name, word as unknown as Field]]
  return Object.entries(word).flatMap(([part, inner]) =>
    (typeof inner === 'object' || typeof inner === 'function') && inner !== null ? fieldsIn(inner as object, `${name}.${part}`) : [])
}

const byName = (names: readonly (keyof typeof words)[]): [string, Field][] => names.flatMap(name => fieldsIn(words[name] as object, name))

const packet = byName(['ether', 'vlan', 'ip', 'ip6', 'icmp', 'icmpv6', 'igmp', 'tcp', 'udp', 'udplite', 'sctp', 'dccp', 'esp', 'ah', 'comp'])
const options = byName(['tcpOption', 'ipOption', 'exthdr'])
const known = byName(['meta'])
const tracked = byName(['ct'])
const routed: [string, Field][] = [...byName(['rt', 'socket']), ['fib type', words.fib(['daddr', 'mark'], 'type') as Field], ['fib oifname', words.fib(['saddr', 'iif'], 'oifname') as Field]]
const numbers: [string, Field][] = [
  ['numgen', words.numgen({ mode: 'inc', mod: 16 }) as Field], ['symhash', words.symhash({ mod: 8, offset: 3 }) as Field],
  ['jhash', words.jhash(words.ip.saddr, { mod: 16, seed: 5 }) as Field],
]

/** What the kernel only sets, what nft compares with nothing, and what the kernel keeps no direction of. */
const unreadable = [
  'meta.nftrace', 'meta.broute', 'meta.secmark', 'ct.event', 'ct.original.l3proto', 'ct.reply.l3proto', 'ct.original.protocol', 'ct.reply.protocol',
  // nft knows ports of connections only behind a transport protocol, and takes a list of types with one in it for that one.
  'ct.original.protoSrc', 'ct.original.protoDst', 'ct.reply.protoSrc', 'ct.reply.protoDst', 'ether.type', 'vlan.type', 'meta.protocol',
]
const ofBridges = ['meta.ibrname', 'meta.obrname', 'meta.ibrpvid', 'meta.ibrvproto']

function without(fields: readonly [string, Field][], ...names: readonly string[]): [string, Field][] {
  return fields.filter(([name]) => !unreadable.includes(name) && !names.some(each => name === each || name.startsWith(`${each}.`)))
}

export const fieldsOf: Readonly<Record<Family, [string, Field][]>> = {
  ip: without([...packet, ...options, ...known, ...tracked, ...routed, ...numbers], ...ofBridges, 'ip6', 'icmpv6', 'exthdr', 'ct.original.ip6', 'ct.reply.ip6', 'rt.ip6', 'meta.nfproto'),
  ip6: without([...packet, ...options, ...known, ...tracked, ...routed, ...numbers], ...ofBridges, 'ip', 'icmp', 'igmp', 'ipOption', 'ct.original.ip', 'ct.reply.ip', 'rt.ip', 'meta.nfproto', 'jhash'),
  inet: without([...packet, ...options, ...known, ...tracked, ...routed, ...numbers], ...ofBridges),
  bridge: without([...packet, ...options, ...known, ...numbers], ...ofBridges, 'meta.nfproto'),
  netdev: without([...packet, ...options, ...known, ...numbers], ...ofBridges, 'meta.nfproto'),
  arp: without([...byName(['arp', 'ether']), ...known], ...ofBridges, 'meta.nfproto'),
}

const hex = (length: number): fc.Arbitrary<string> => fc.nat(255).map(byte => byte.toString(16).padStart(2, '0')).chain(first =>
  fc.array(fc.nat(255), { minLength: length - 1, maxLength: length - 1 }).map(rest => [first, ...rest.map(byte => byte.toString(16).padStart(2, '0'))].join(':')))
const ipv4 = fc.tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255)).map(bytes => bytes.join('.'))
const ipv6 = fc.array(fc.nat(0xffff), { minLength: 7, maxLength: 7 }).map(groups => ['fd00', ...groups.map(group => group.toString(16))].join(':'))
const interfaceName = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,13}$/)

function bitsOf({ size }: ValueType, field: Matchable['field']): number {
  return field === undefined ? size * 8 : [...field.mask].reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0)
}

/** Fields that not all numbers of their size make sense for. */
const limits: Readonly<Record<string, readonly [least: number, most: number]>> = {
  numgen: [0, 15], jhash: [0, 15], symhash: [3, 10], 'meta.day': [0, 6], 'meta.hour': [0, 86_399], 'meta.iif': [1, 1], 'meta.oif': [1, 1], 'meta.sdif': [1, 1], 'socket.transparent': [0, 1], 'socket.wildcard': [0, 1],
}

/** Single values of a field. */
export function valuesOf(type: ValueType, field?: Matchable['field'], name = ''): Values {
  const limit = limits[name]
  if (limit !== undefined) return fc.integer({ min: limit[0], max: limit[1] })
  const { form, symbols, bitmask } = datatypes[type.type]
  const bits = bitsOf(type, field)
  switch (type.type) {
    case 'ipv4_addr': return ipv4
    case 'ipv6_addr': return ipv6
    case 'ether_addr': return hex(6)
    case 'ifname': case 'string': return interfaceName
    case 'ct_label': return fc.nat(127)
    case 'time_date': return fc.integer({ min: 0, max: 0x7fffffff }).map(seconds => BigInt(seconds) * 1_000_000_000n)
    default:
  }
  if (bitmask) return fc.oneof(fc.constantFrom(...Object.keys(symbols ?? {})), fc.subarray(Object.keys(symbols ?? {}), { minLength: 2 }))
  const names = Object.entries(symbols ?? {}).filter(([, value]) => value < 2 ** bits).map(([name]) => name)
  if (type.type === 'boolean' || type.type === 'ct_dir') return fc.constantFrom(...names)
  const numbers = bits > 32 ? fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }) : fc.integer({ min: 0, max: 2 ** bits - 1 })
  if (form === 'protocol') return fc.integer({ min: 1, max: 255 })
  return names.length === 0 ? numbers : fc.oneof(fc.constantFrom(...names), numbers)
}

/** Numbers that can be told apart by size. */
function numbersOf(type: ValueType, field: Matchable['field'], name: string): fc.Arbitrary<number> | undefined {
  const limit = limits[name]
  if (limit !== undefined) return limit[1] - limit[0] < 3 ? undefined : fc.integer({ min: limit[0], max: limit[1] })
  const { form, bitmask } = datatypes[type.type]
  const bits = bitsOf(type, field)
  if (bitmask || type.size > 4 || bits < 4 || form === 'ip' || type.type === 'boolean' || type.type === 'ct_dir') return undefined
  return fc.integer({ min: 1, max: 2 ** bits - 2 })
}

export interface Saying {
  /** For the counterexample. */
  text: string
  word: Word
}

const saying = (text: string, word: Word): Saying => ({ text, word })
const show = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => typeof each === 'bigint' ? `${each}n` : each) ?? 'undefined'

function say(name: string, field: Field, value: unknown, not = false): Saying {
  const word = field(value as never)
  return saying(`${not ? 'not ' : ''}${name}(${show(value)})`, not ? words.not(word) : word)
}

const prefix4 = fc.tuple(ipv4, fc.integer({ min: 1, max: 31 })).map(([address, length]) => `${address}/${length}`)
const prefix6 = fc.tuple(ipv6, fc.integer({ min: 1, max: 127 })).map(([address, length]) => `${address}/${length}`)

const sorted = (pair: readonly [number, number]): { from: number, to: number } => ({ from: Math.min(...pair), to: Math.max(...pair) })

/** Everything that a field may be compared with. */
export function conditions(name: string, field: Field): fc.Arbitrary<Saying> {
  const type = field.types[0] as ValueType
  const values = valuesOf(type, field.field, name)
  const numbers = numbersOf(type, field.field, name)
  const forms: fc.Arbitrary<Saying>[] = [
    fc.tuple(values, fc.boolean()).map(([value, not]) => say(name, field, value, not)),
  ]
  if (type.type !== 'ct_label' && !datatypes[type.type].bitmask && limits[name]?.[1] !== 1 && name !== 'fib oifname') {
    forms.push(fc.tuple(fc.uniqueArray(values, { minLength: 2, maxLength: 5, selector: show }), fc.boolean())
      .filter(([list]) => distinct(type, list)).map(([list, not]) => say(name, field, list, not)))
  }
  if (type.type === 'ipv4_addr' || type.type === 'ipv6_addr') {
    forms.push(fc.tuple(type.type === 'ipv4_addr' ? prefix4 : prefix6, fc.boolean()).map(([value, not]) => say(name, field, value, not)))
  }
  if (numbers !== undefined) {
    forms.push(
      fc.tuple(fc.tuple(numbers, numbers).map(sorted), fc.boolean())
        .filter(([{ from, to }]) => from < to).map(([range, not]) => say(name, field, range, not)),
      fc.tuple(fc.constantFrom('lt', 'lte', 'gt', 'gte'), numbers).map(([op, value]) => say(name, field, { op, value })),
      fc.uniqueArray(numbers, { minLength: 4, maxLength: 8 })
        .map(rangesOf).filter(list => list.length > 1).map(list => say(name, field, list)),
    )
    if (field.field === undefined && limits[name] === undefined) {
      forms.push(fc.tuple(numbers, numbers).map(([mask, value]) => say(name, field, { mask, value: (mask & value) >>> 0 })))
    }
  }
  return fc.oneof(...forms)
}

/** Ranges and single numbers with gaps between them. */
function rangesOf(list: readonly number[]): { from: number, to: number }[] {
  const inOrder = list.toSorted((a, b) => a - b)
  const ranges = Array.from({ length: inOrder.length >> 1 }, (_, at) => ({ from: inOrder[2 * at] ?? 0, to: inOrder[2 * at + 1] ?? 0 }))
  return ranges.filter(({ from }, at) => at === 0 || from > (ranges[at - 1]?.to ?? 0) + 1)
}

/** Names of one number are one key. */
function distinct(type: ValueType, list: readonly unknown[]): boolean {
  const { symbols = {} } = datatypes[type.type]
  const keys = list.map(value => typeof value === 'string' && Object.hasOwn(symbols, value) ? symbols[value] : value)
  return new Set(keys.map(show)).size === list.length
}

/* Statements. */

const counters = fc.record({ packets: fc.nat(1_000_000), bytes: fc.nat(1_000_000_000) })
const limits_ = fc.record({
  rate: fc.integer({ min: 1, max: 100_000 }), per: fc.constantFrom('second', 'minute', 'hour', 'day'), burst: fc.integer({ min: 1, max: 100 }), over: fc.boolean(),
}, { requiredKeys: ['rate', 'per'] })
const byteLimits = fc.record({
  rate: fc.integer({ min: 1, max: 1 << 24 }), per: fc.constantFrom('second', 'minute'), unit: fc.constant('bytes'), burst: fc.integer({ min: 1, max: 1 << 16 }), over: fc.boolean(),
}, { requiredKeys: ['rate', 'per', 'unit'] })
const quotas = fc.record({ bytes: fc.integer({ min: 1000, max: 2 ** 40 }), over: fc.boolean(), used: fc.nat(1000) }, { requiredKeys: ['bytes'] })
const plainText = fc.stringMatching(/^[a-zA-Z0-9 :._-]{1,40}$/)
const logs = fc.oneof(
  fc.record({ prefix: plainText, level: fc.constantFrom('debug', 'info', 'notice', 'err', 'crit'), flags: fc.subarray(['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether']) }, { requiredKeys: [] })
    .map(({ flags = [], ...rest }) => flags.length === 0 ? rest : { ...rest, flags }),
  fc.record({ group: fc.nat(0xffff), prefix: plainText, snaplen: fc.integer({ min: 1, max: 9999 }), queueThreshold: fc.integer({ min: 1, max: 99 }) }, { requiredKeys: ['group'] }),
)

const stateful: fc.Arbitrary<Saying> = fc.oneof(
  counters.map(each => saying(`counter(${show(each)})`, words.counter(each))),
  fc.oneof(limits_, byteLimits).map(each => saying(`limit(${show(each)})`, words.limit(each as Parameters<typeof words.limit>[0]))),
  quotas.map(each => saying(`quota(${show(each)})`, words.quota(each))),
)

const settables: [string, { set(value: never): Word } & Field][] = [...byName(['meta', 'ct', 'tcp', 'udp', 'ip', 'ip6', 'ether', 'th']), ['tcpOption.maxseg.size', words.tcpOption.maxseg.size as unknown as Field]]
  .filter((each): each is [string, { set(value: never): Word } & Field] => 'set' in (each[1] as object)) as never
/** What the kernel does not take of a packet, or nft writes otherwise. */
const unset = ['meta.nftrace', 'meta.broute', 'meta.pkttype', 'ct.label', 'ct.helper', 'ct.event', 'meta.secmark']

function assignments(family: Family): fc.Arbitrary<Saying> {
  const names = new Set(fieldsOf[family].map(([name]) => name))
  const own = settables.filter(([name]) => names.has(name) && !unset.includes(name))
  return fc.constantFrom(...own).chain(([name, field]) => valuesOf(field.types[0] as ValueType, field.field, name)
    .map(value => saying(`${name}.set(${show(value)})`, field.set(value as never))))
}

const verdicts = fc.constantFrom(
  saying('accept', words.accept()), saying('drop', words.drop()), saying('return', words.ret()), saying('continue', words.cont()),
  saying('jump a', words.jump('a')), saying('goto a', words.goto('a')),
)

function statements(family: Family): fc.Arbitrary<Saying> {
  const all: fc.Arbitrary<Saying>[] = [stateful, stateful, assignments(family), logs.map(each => saying(`log(${show(each)})`, words.log(each as Parameters<typeof words.log>[0])))]
  if (family === 'ip' || family === 'ip6' || family === 'inet') all.push(fc.constant(saying('notrack', words.notrack())))
  return fc.oneof(...all)
}

/** What ends a rule. */
function ends(family: Family): fc.Arbitrary<Saying> {
  const all = [verdicts]
  if (family === 'ip') all.push(fc.constantFrom('icmp net-unreachable', 'icmp admin-prohibited', 'tcp reset').map(kind => saying(kind, words.reject(kind as 'tcp reset'))))
  if (family === 'inet') all.push(fc.constantFrom('icmpx no-route', 'icmp host-unreachable', 'icmpv6 policy-fail', 'tcp reset').map(kind => saying(kind, words.reject(kind as 'tcp reset'))))
  return fc.oneof(...all)
}

/* Sets. */

const text = (n: number, type: string): string | number => {
  switch (type) {
    case 'ipv4_addr': return [10, n >> 16 & 255, n >> 8 & 255, n & 255].join('.')
    case 'ipv6_addr': return `fd00::${(n >> 16 & 0xffff).toString(16)}:${(n & 0xffff).toString(16)}`
    case 'ether_addr': return ['52', '54', '00', ...[n >> 16, n >> 8, n].map(byte => (byte & 255).toString(16).padStart(2, '0'))].join(':')
    case 'ifname': return `if${n}`
    default: return n
  }
}

interface SetField {
  type: 'ipv4_addr' | 'ipv6_addr' | 'ether_addr' | 'inet_service' | 'inet_proto' | 'mark' | 'ifname' | 'icmp_type'
  field: Field
  most: number
}

const setField = (type: SetField['type'], field: unknown, most: number): SetField => ({ type, field: field as Field, most })
const v4 = setField('ipv4_addr', words.ip.saddr, 0xffffff)
const v6 = setField('ipv6_addr', words.ip6.daddr, 0xffffff)
const mac = setField('ether_addr', words.ether.saddr, 0xffffff)
const port = setField('inet_service', words.tcp.dport, 0xffff)
const protocol = setField('inet_proto', words.l4proto, 255)
const packetMark = setField('mark', words.mark, 0x7fffffff)
const name = setField('ifname', words.iifname, 9999)

const setFields: Readonly<Record<Family, SetField[]>> = {
  ip: [v4, port, protocol, packetMark, name], ip6: [v6, port, protocol, packetMark, name], inet: [v4, v6, port, protocol, packetMark, name],
  bridge: [v4, v6, mac, port, protocol, packetMark, name], netdev: [v4, mac, port, protocol, packetMark, name],
  arp: [mac, packetMark, name],
}

interface RandomSet {
  set: AddSet
  elements: ElementInput[]
  /** A rule that looks into it. */
  use: Saying
}

const comment = fc.option(plainText, { nil: undefined })

function keys(parts: readonly SetField[], isInterval: boolean): fc.Arbitrary<unknown[]> {
  const most = Math.min(...parts.map(part => part.most))
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: most - 1 }), { minLength: 2, maxLength: 8 })
  const one = (type: string, { from, to }: { from: number, to: number }): unknown =>
    from === to || type === 'ifname' ? text(from, type) : { from: text(from, type), to: text(to, type) }
  return numbers.map(list => {
    const ranges = isInterval ? rangesOf(list.length % 2 === 0 ? list : list.slice(1)) : list.map(n => ({ from: n, to: n }))
    return ranges.map(range => parts.length === 1 ? one(parts[0]?.type ?? '', range) : parts.map(({ type }) => one(type, range)))
  })
}

function sets(family: Family, table: string, index: number): fc.Arbitrary<RandomSet> {
  const pool = setFields[family]
  const shape = fc.record({
    parts: fc.oneof(fc.constantFrom(...pool).map(part => [part]), fc.subarray(pool, { minLength: 2, maxLength: 3 }))
      .filter(parts => !(parts.includes(v4) && parts.includes(v6)) && !(parts.length > 1 && parts.includes(protocol))),
    isInterval: fc.boolean(), map: fc.constantFrom('none', 'none', 'verdict', 'mark', 'object', ...(pool.includes(v4) ? ['address'] : [])),
    timeout: fc.boolean(), counted: fc.boolean(), comment, size: fc.option(fc.integer({ min: 100, max: 9999 }), { nil: undefined }),
    memory: fc.boolean(), elementComments: fc.array(comment, { minLength: 8, maxLength: 8 }),
    numbers: fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }),
  })
  return shape.chain(shape => keys(shape.parts, shape.isInterval).map((list): RandomSet => {
    const { parts, isInterval, map, timeout, counted, comment: why, size, memory, elementComments, numbers } = shape
    const mapped = map === 'none' ? {} : { map: map === 'object' ? { object: 'counter' as const } : map === 'address' ? 'ipv4_addr' as const : map as 'verdict' | 'mark' }
    const dataOf = (n: number): unknown => map === 'verdict' ? ['accept', 'drop', 'jump a', 'goto a', 'return', 'continue'][n % 6] : map === 'mark' ? n : map === 'address' ? text(n, 'ipv4_addr') : 'named'
    const set: AddSet = {
      family, table, name: `s${index}`, type: parts.map(({ type }) => type), ...mapped,
      ...(isInterval ? { flags: ['interval'] } : {}), ...(timeout ? { timeoutMs: 3_600_000 } : {}), ...(why === undefined ? {} : { comment: why }),
      ...(counted && map === 'none' ? { statements: [words.counter()] } : {}), ...(size === undefined ? {} : { size }), // Else the kernel takes a tree that refuses most keys with EEXIST, of nft's too.
      ...(memory && (isInterval || size === undefined) ? { policy: 'memory' } : {}),
    }
    const elements = list.map((key, at): ElementInput => ({
      key, ...(map === 'none' ? {} : { data: dataOf(numbers[at] ?? 0) }),
      ...(elementComments[at] === undefined ? {} : { comment: elementComments[at] }),
      ...(timeout && (numbers[at] ?? 0) % 2 === 0 ? { timeoutMs: 7_200_000 } : {}),
      ...(counted && map === 'none' ? { statements: [words.counter({ packets: numbers[at] ?? 0, bytes: 5 })] } : {}),
    }) as ElementInput)
    return { set, elements, use: useOf(set, parts, isInterval, map) }
  }))
}

function useOf(set: AddSet, parts: readonly SetField[], interval: boolean, map: string): Saying {
  const [first] = parts
  const key = parts.length === 1 && first !== undefined ? first.field : words.concat(...parts.map(({ field }) => field)) as unknown as Field
  const named = { set: set.name, interval }
  const of = `${parts.map(({ type }) => type).join(' . ')} @${set.name}`
  switch (map) {
    case 'verdict': return saying(`vmap ${of}`, words.vmap(key, named))
    case 'mark': return saying(`mark.set(map ${of})`, words.mark.set(words.map(key, named)))
    case 'address': return saying(`ip.daddr.set(map ${of})`, words.ip.daddr.set(words.map(key, named)))
    case 'object': return saying(`counter(map ${of})`, words.counter(words.map(key, named)))
    default: return saying(of, key(named as never))
  }
}

/* Tables. */

interface RandomRule {
  sayings: Saying[]
  comment: string | undefined
}

/** Whether fields that stand side by side are compared with one value each: nft makes one comparison of them. */
function touches(expressions: readonly Expression[]): boolean {
  const fields = expressions.flatMap((each, index) => {
    const next = expressions[index + 1]
    return isExpression(each, 'payload') && isExpression(next, 'cmp') && next.data.op === 'eq' ? [each.data] : []
  })
  return fields.some(({ base, offset = 0, len = 0 }) => fields.some(other => other.base === base && other.offset === offset + len))
}

/** As many of the words as go together: no two protocols, no IPv6 in an ip table. */
function together(family: Family, sayings: readonly Saying[]): Saying[] {
  const kept: Saying[] = []
  for (const each of sayings) {
    // nft takes a VLAN tag only before it knows what is behind it.
    if (kept.length > 0 && each.text.includes('vlan.')) continue
    try {
      if (!touches(compileWords(family, [...kept, each].map(({ word }) => word)))) kept.push(each)
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
    }
  }
  return kept
}

function rules(family: Family, own: readonly RandomSet[]): fc.Arbitrary<RandomRule> {
  const condition = fc.constantFrom(...fieldsOf[family]).chain(([name, field]) => conditions(name, field))
  const use = own.length === 0 ? condition : fc.constantFrom(...own.map(each => each.use))
  const part = fc.oneof({ weight: 5, arbitrary: condition }, { weight: 3, arbitrary: statements(family) }, { weight: 2, arbitrary: use })
  const end = fc.oneof(ends(family), part)
  const sayings = fc.tuple(fc.array(part, { minLength: 1, maxLength: 5 }), end).map(([all, last]) => together(family, [...all, last]))
  return fc.record({ sayings, comment })
}

const bases: Readonly<Record<Family, readonly Omit<Parameters<typeof addChain>[0], 'family' | 'table' | 'name'>[]>> = {
  ip: [{ hook: 'forward', priority: -5, policy: 'drop' }, { hook: 'output', type: 'route', priority: 'mangle' }, { hook: 'postrouting', type: 'nat', priority: 'srcnat' }],
  ip6: [{ hook: 'input', priority: 'filter + 5' }, { hook: 'prerouting', type: 'nat', priority: 'dstnat' }],
  inet: [{ hook: 'input', policy: 'drop' }, { hook: 'output', priority: 7 }, { hook: 'ingress', devices: ['lo'] }],
  bridge: [{ hook: 'prerouting', priority: 'dstnat' }, { hook: 'forward', policy: 'drop' }],
  netdev: [{ hook: 'ingress', devices: ['lo'], priority: 3 }, { hook: 'egress', devices: ['lo'] }],
  arp: [{ hook: 'input', policy: 'drop' }, { hook: 'output' }],
}

const objects = (family: Family, table: string): fc.Arbitrary<AnyRequest[]> => fc.record({
  named: counters, quota: quotas, limit: fc.oneof(limits_, byteLimits), comment,
  timeout: fc.record({ established: fc.integer({ min: 1, max: 99_999 }), close: fc.integer({ min: 1, max: 999 }) }),
}).map(({ named, quota, limit, comment: why, timeout }) => {
  const said = why === undefined ? {} : { comment: why }
  const routed = family === 'ip' || family === 'ip6'
  return [
    addObject({ family, table, name: 'named', type: 'counter', ...named, ...said }),
    addObject({ family, table, name: 'q', type: 'quota', ...quota }),
    addObject({ family, table, name: 'l', type: 'limit', ...limit as Limit }),
    ...(routed ? [addObject({ family, table, name: 't', type: 'ct timeout', protocol: 'tcp', l3proto: family, policy: timeout })] : []),
  ]
})

export interface RandomTable {
  family: Family
  /** For the counterexample. */
  says: string[]
  requests: AnyRequest[]
  [fc.toStringMethod](): string
}

export const randomTable: fc.Arbitrary<RandomTable> = fc.record({
  family: fc.constantFrom<Family>('ip', 'ip6', 'inet', 'inet', 'bridge', 'netdev', 'arp'), number: fc.nat(3),
}).chain(({ family, number }) => {
  const table = `t${number}`
  const randomSets = fc.nat(3).chain(count => fc.tuple(...Array.from({ length: count }, (_, index) => sets(family, table, index))))
  return randomSets.chain(own => fc.record({
    objects: objects(family, table), rules: fc.array(rules(family, own), { minLength: 1, maxLength: 12 }),
    base: fc.constantFrom(...bases[family]), why: comment, dormant: fc.boolean(),
  }).map(({ objects, rules, base, why, dormant }): RandomTable => {
    const some = rules.filter(({ sayings }) => sayings.length > 0)
    const requests = [
      addTable({ family, name: table, ...(why === undefined ? {} : { comment: why }), ...(dormant ? { flags: ['dormant'] } : {}) }),
      addChain({ family, table, name: 'a', ...(why === undefined ? {} : { comment: why }) }), addChain({ family, table, name: 'r' }), addChain({ family, table, name: 'b', ...base }),
      ...objects, ...own.flatMap(({ set, elements }) => [addSet(set), addElements(set, elements)]),
      ...some.map(({ sayings, comment: said }) =>
        addRule({ family, table, chain: 'r', expressions: sayings.map(({ word }) => word), ...(said === undefined ? {} : { comment: said }) })),
    ]
    const says = some.map(({ sayings }) => sayings.map(each => each.text).join(' '))
    const own_ = own.map(({ set, elements }) => show({ ...set, elements, statements: undefined }))
    return { family, requests, says, [fc.toStringMethod]: () => [`table ${family}`, ...own_, ...says].join('\n') }
  }))
})
