/**
 * nft's data types: how a value stands in a register, and how nft(8) writes it. Ids are what set keys and userdata carry.
 * Source: nft(8) "DATA TYPES"; `nft describe TYPE`.
 */
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import { formatIp, parseIp } from '../ip.ts'
import { hexWithColons, isInterfaceName } from '../netlink/codecs.ts'
import { protocolName, protocolNumber } from './protocols.ts'
import type { Protocol } from './protocols.ts'

/** Names of values. Where two names have one number, the first is written. */
type Symbols = Readonly<Record<string, number>>

/** How the value is written, where it is not a plain number. */
type Form = 'ip' | 'mac' | 'name' | 'protocol' | 'hex' | 'classid' | 'duration' | 'date' | 'hour' | 'quoted'

export interface Datatype {
  name: string
  /** enum datatypes of nft; concatenations pack six bits each. */
  id: number
  /** In bytes; undefined: that of the field it is the type of. */
  size: number | undefined
  /** Order of its bytes in a register. */
  order: 'big' | 'host'
  /** Several at once, as bits. */
  bitmask: boolean
  symbols?: Symbols
  form?: Form
}

type Line = readonly [id: number, size: number | undefined, order: 'big' | 'host', form?: Form | 'bits' | undefined, symbols?: Symbols]

const lines = {
  verdict: [1, undefined, 'host'],
  nf_proto: [2, 1, 'host', undefined, { ipv4: 2, ipv6: 10 }],
  bitmask: [3, undefined, 'big'],
  integer: [4, undefined, 'big'],
  string: [5, undefined, 'host', 'name'],
  ll_addr: [6, undefined, 'big', 'mac'],
  ipv4_addr: [7, 4, 'big', 'ip'],
  ipv6_addr: [8, 16, 'big', 'ip'],
  ether_addr: [9, 6, 'big', 'mac'],
  ether_type: [10, 2, 'big', 'hex', { ip: 0x0800, arp: 0x0806, ip6: 0x86dd, '8021q': 0x8100, '8021ad': 0x88a8, vlan: 0x8100 }],
  arp_op: [11, 2, 'big', undefined, { request: 1, reply: 2, rrequest: 3, rreply: 4, inrequest: 8, inreply: 9, nak: 10 }],
  inet_proto: [12, 1, 'big', 'protocol'],
  inet_service: [13, 2, 'big'],
  icmp_type: [14, 1, 'big', undefined, {
    'echo-reply': 0, 'destination-unreachable': 3, 'source-quench': 4, redirect: 5, 'echo-request': 8, 'router-advertisement': 9,
    'router-solicitation': 10, 'time-exceeded': 11, 'parameter-problem': 12, 'timestamp-request': 13, 'timestamp-reply': 14,
    'info-request': 15, 'info-reply': 16, 'address-mask-request': 17, 'address-mask-reply': 18,
  }],
  tcp_flag: [15, 1, 'big', 'bits', { fin: 1, syn: 2, rst: 4, psh: 8, ack: 0x10, urg: 0x20, ecn: 0x40, cwr: 0x80 }],
  dccp_pkttype: [16, 1, 'big', undefined, {
    request: 0, response: 1, data: 2, ack: 3, dataack: 4, closereq: 5, close: 6, reset: 7, sync: 8, syncack: 9,
  }],
  mh_type: [17, 1, 'big', undefined, {
    'binding-refresh-request': 0, 'home-test-init': 1, 'careof-test-init': 2, 'home-test': 3, 'careof-test': 4, 'binding-update': 5,
    'binding-acknowledgement': 6, 'binding-error': 7, 'fast-binding-update': 8, 'fast-binding-acknowledgement': 9,
    'fast-binding-advertisement': 10, 'experimental-mobility-header': 11, 'home-agent-switch-message': 12,
  }],
  time: [18, 8, 'host', 'duration'],
  mark: [19, 4, 'host', 'hex'],
  iface_index: [20, 4, 'host'],
  iface_type: [21, 2, 'host', undefined, { ether: 1, ppp: 512, ipip: 768, ipip6: 769, loopback: 772, sit: 776, ipgre: 778 }],
  realm: [22, 4, 'host'],
  classid: [23, 4, 'host', 'classid', { none: 0, root: 0xffffffff }],
  uid: [24, 4, 'host'],
  gid: [25, 4, 'host'],
  ct_state: [26, 4, 'host', 'bits', { invalid: 1, established: 2, related: 4, new: 8, untracked: 0x40 }],
  ct_dir: [27, 1, 'host', undefined, { original: 0, reply: 1 }],
  ct_status: [28, 4, 'host', 'bits', {
    expected: 1, 'seen-reply': 2, assured: 4, confirmed: 8, snat: 0x10, dnat: 0x20, dying: 0x200,
  }],
  icmpv6_type: [29, 1, 'big', undefined, {
    'destination-unreachable': 1, 'packet-too-big': 2, 'time-exceeded': 3, 'parameter-problem': 4, 'echo-request': 128,
    'echo-reply': 129, 'mld-listener-query': 130, 'mld-listener-report': 131, 'mld-listener-done': 132,
    'mld-listener-reduction': 132, 'nd-router-solicit': 133, 'nd-router-advert': 134, 'nd-neighbor-solicit': 135,
    'nd-neighbor-advert': 136, 'nd-redirect': 137, 'router-renumbering': 138, 'ind-neighbor-solicit': 141,
    'ind-neighbor-advert': 142, 'mld2-listener-report': 143,
  }],
  ct_label: [30, 16, 'host'],
  pkt_type: [31, 1, 'host', undefined, { host: 0, unicast: 0, broadcast: 1, multicast: 2, other: 3 }],
  icmp_code: [32, 1, 'big', undefined, {
    'net-unreachable': 0, 'host-unreachable': 1, 'prot-unreachable': 2, 'port-unreachable': 3, 'frag-needed': 4,
    'net-prohibited': 9, 'host-prohibited': 10, 'admin-prohibited': 13,
  }],
  icmpv6_code: [33, 1, 'big', undefined, {
    'no-route': 0, 'admin-prohibited': 1, 'addr-unreachable': 3, 'port-unreachable': 4, 'policy-fail': 5, 'reject-route': 6,
  }],
  icmpx_code: [34, 1, 'big', undefined, { 'no-route': 0, 'port-unreachable': 1, 'host-unreachable': 2, 'admin-prohibited': 3 }],
  devgroup: [35, 4, 'host', undefined, { default: 0 }],
  dscp: [36, 1, 'big', 'hex', {
    cs0: 0, cs1: 8, cs2: 0x10, cs3: 0x18, cs4: 0x20, cs5: 0x28, cs6: 0x30, cs7: 0x38, df: 0, be: 0, lephb: 1, af11: 0x0a, af12: 0x0c,
    af13: 0x0e, af21: 0x12, af22: 0x14, af23: 0x16, af31: 0x1a, af32: 0x1c, af33: 0x1e, af41: 0x22, af42: 0x24, af43: 0x26, va: 0x2c,
    ef: 0x2e,
  }],
  ecn: [37, 1, 'big', undefined, { 'not-ect': 0, ect1: 1, ect0: 2, ce: 3 }],
  fib_addrtype: [38, 4, 'host', undefined, {
    unspec: 0, unicast: 1, local: 2, broadcast: 3, anycast: 4, multicast: 5, blackhole: 6, unreachable: 7, prohibit: 8,
  }],
  boolean: [39, 1, 'host', undefined, { missing: 0, exists: 1 }],
  ct_event: [40, 4, 'host', 'bits', {
    new: 1, related: 2, destroy: 4, reply: 8, assured: 0x10, protoinfo: 0x20, helper: 0x40, mark: 0x80, seqadj: 0x100,
    secmark: 0x200, label: 0x400,
  }],
  ifname: [41, 16, 'host', 'name'],
  igmp_type: [42, 1, 'big', undefined, {
    'membership-query': 17, 'membership-report-v1': 18, 'membership-report-v2': 22, 'leave-group': 23, 'membership-report-v3': 34,
  }],
  time_date: [43, 8, 'host', 'date'],
  hour: [44, 4, 'host', 'hour'],
  day: [45, 1, 'host', 'quoted', { Sunday: 0, Monday: 1, Tuesday: 2, Wednesday: 3, Thursday: 4, Friday: 5, Saturday: 6 }],
  cgroupsv2: [46, 8, 'host'],
} as const satisfies Readonly<Record<string, Line>>

export type DatatypeName = keyof typeof lines

export const datatypes: Readonly<Record<DatatypeName, Datatype>> = Object.fromEntries(
  Object.entries(lines as Record<string, Line>).map(([name, [id, size, order, form, symbols]]) => [name, {
    name, id, size, order, bitmask: form === 'bits',
    ...(symbols === undefined ? {} : { symbols }),
    ...(form === undefined || form === 'bits' ? {} : { form }),
  }]),
) as Record<DatatypeName, Datatype>

const byId = new Map(Object.values(datatypes).map(type => [type.id, type]))

/** The types of a key: one, or those of a concatenation. Undefined if one of them is not known. */
export function datatypesOf(id: number): Datatype[] | undefined {
  const types: Datatype[] = []
  // Six bits each, the last in the lowest.
  for (let rest = id; rest > 0; rest = Math.floor(rest / 64)) {
    const type = byId.get(rest & 0x3f)
    if (type === undefined) return undefined
    types.unshift(type)
  }
  return types.length === 0 ? undefined : types
}

/** The id of a key of these types. */
export function datatypeId(types: readonly Datatype[]): number {
  return types.reduce((id, type) => id * 64 + type.id, 0)
}

/** Bytes as an unsigned number. */
export function toBigInt(bytes: Uint8Array, order: 'big' | 'host'): bigint {
  let value = 0n
  for (const byte of order === 'big' ? bytes : bytes.toReversed()) value = value << 8n | BigInt(byte)
  return value
}

/** A number as so many bytes; undefined if it does not fit. */
export function fromBigInt(value: bigint, size: number, order: 'big' | 'host'): Uint8Array | undefined {
  const bytes = new Uint8Array(size)
  let rest = value
  for (let at = 0; at < size; at++) {
    bytes[order === 'big' ? size - 1 - at : at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return rest === 0n && value >= 0n ? bytes : undefined
}

/** As nft writes it. `order` and size are the field's, which for plain integers the type does not say. */
export function formatValue(type: Datatype, bytes: Uint8Array, order: 'big' | 'host' = type.order): string {
  if (type.form === 'ip') return formatIp(bytes) ?? hex(toBigInt(bytes, 'big'))
  if (type.form === 'mac') return hexWithColons(bytes, 0, bytes.length)
  if (type.form === 'name') return quote(untilNul(bytes))
  const value = toBigInt(bytes, order)
  if (type.bitmask) return formatBits(type, value)
  const symbol = symbolOf(type, value)
  if (symbol !== undefined) return type.form === 'quoted' ? quote(symbol) : symbol
  switch (type.form) {
    // A name of iptables', not of /etc/protocols.
    case 'protocol': return value === 135n ? '135' : protocolName(Number(value))
    case 'hex': return `0x${value.toString(16).padStart(bytes.length * 2, '0')}`
    case 'classid': return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
    // Connection tracking counts milliseconds.
    case 'duration': return formatDuration(Number(value))
    case 'date': return quote(localDate(Number(value / 1_000_000_000n)))
    case 'hour': return quote(localHour(Number(value)))
    default: return value.toString()
  }
}

function symbolOf({ symbols = {} }: Datatype, value: bigint): string | undefined {
  for (const name in symbols) if (BigInt(symbols[name] as number) === value) return name
  return undefined
}

/** Bits by name; those without one as one number. */
function formatBits({ symbols = {} }: Datatype, value: bigint): string {
  const names: string[] = []
  let rest = value
  for (const [name, bit] of Object.entries(symbols)) {
    if ((rest & BigInt(bit)) === 0n) continue
    names.push(name)
    rest &= ~BigInt(bit)
  }
  if (rest !== 0n || names.length === 0) names.push(hex(rest))
  return names.join(',')
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}

export function quote(text: string): string {
  return `"${text}"`
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString()
}

/** `1d2h3m4s5ms`, as nft writes durations. */
export function formatDuration(ms: number): string {
  const units: [number, string][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1000, 's'], [1, 'ms']]
  let rest = ms
  let text = ''
  for (const [length, unit] of units) {
    const count = Math.floor(rest / length)
    if (count > 0) text += `${count}${unit}`
    rest -= count * length
  }
  return text === '' ? '0s' : text
}

/** Dates and hours are the kernel's in UTC, nft's in the local time zone. */
function localDate(seconds: number): string {
  const date = new Date(seconds * 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

function localHour(secondsUtc: number): string {
  const seconds = (secondsUtc - new Date().getTimezoneOffset() * 60 + 86_400) % 86_400
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return (parts[2] === 0 ? parts.slice(0, 2) : parts).map(part => String(part).padStart(2, '0')).join(':')
}

/**
 * A value as it stands in a register, from what people write: nft's own notation, or a number. `size` and `order` are the
 * field's, for types that have none. Throws InvalidArgumentError.
 */
export function parseValue(
  type: Datatype, value: unknown, field: string, { size = type.size, order = type.order }: { size?: number | undefined, order?: 'big' | 'host' } = {},
): Uint8Array {
  if (value instanceof Uint8Array && (size === undefined || value.length === size)) return value
  if (type.form === 'ip') return parseAddress(value, field, size ?? 4)
  if (type.form === 'mac') return parseMac(value, field)
  if (type.form === 'name') return parseName(type, value, field, size ?? 16)
  const number = parseNumber(type, value)
  const bytes = number === undefined || size === undefined ? undefined : fromBigInt(number, size, order)
  if (bytes !== undefined) return bytes
  throw new InvalidArgumentError(field, value, acceptedBy(type, value, size))
}

function parseAddress(value: unknown, field: string, size: number): Uint8Array {
  const bytes = typeof value === 'string' ? parseIp(value) : undefined
  if (bytes?.length === size) return bytes
  throw new InvalidArgumentError(field, value, `an IPv${size === 4 ? 4 : 6} address`)
}

function parseMac(value: unknown, field: string): Uint8Array {
  if (typeof value === 'string' && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)) return Buffer.from(value.replaceAll(':', ''), 'hex')
  throw new InvalidArgumentError(field, value, 'a MAC address like 52:54:00:12:34:56')
}

function parseName(type: Datatype, value: unknown, field: string, size: number): Uint8Array {
  const isName = type.name === 'ifname' ? isInterfaceName(value) : typeof value === 'string' && value !== '' && !value.includes('\0')
  if (!isName || Buffer.byteLength(value as string) > size - 1) {
    throw new InvalidArgumentError(field, value, type.name === 'ifname' ? 'an interface name of at most 15 bytes' : `1 to ${size - 1} bytes`)
  }
  const bytes = Buffer.alloc(size)
  bytes.write(value as string)
  return bytes
}

function parseNumber(type: Datatype, value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
  if (typeof value === 'boolean' && (type.name === 'boolean' || type.name === 'integer')) return value ? 1n : 0n
  if (Array.isArray(value) && type.bitmask) {
    const bits = value.map(bit => parseNumber(type, bit))
    return bits.every(bit => bit !== undefined) ? bits.reduce((all, bit) => all | bit, 0n) : undefined
  }
  if (typeof value !== 'string') return undefined
  if (type.symbols !== undefined && Object.hasOwn(type.symbols, value)) return BigInt(type.symbols[value] as number)
  if (type.form === 'protocol' && !/^\d/.test(value)) return protocolOf(value)
  const classid = type.form === 'classid' ? /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(value) : null
  if (classid !== null) return BigInt(`0x${classid[1]}`) << 16n | BigInt(`0x${classid[2]}`)
  return /^(\d+|0x[0-9a-f]+)$/i.test(value) ? BigInt(value) : undefined
}

function protocolOf(name: string): bigint | undefined {
  try {
    return BigInt(protocolNumber(name as Protocol))
  } catch {
    return undefined
  }
}

function acceptedBy(type: Datatype, value: unknown, size: number | undefined): string {
  const names = Object.keys(type.symbols ?? {})
  const number = size === undefined ? 'a number' : `a number of ${size * 8} bits`
  return names.length === 0 ? number : `${number}, or one of ${names.join(', ')}${didYouMean(value, names)}`
}
