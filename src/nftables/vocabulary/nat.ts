/**
 * Network address translation, transparent proxies, copies and redirections of packets. Source: nft(8) "NAT
 * STATEMENTS", "TPROXY", "DUP", "FWD".
 */
import { fieldsOf, isOn } from '../../checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import {
  NF_NAT_RANGE_NETMAP, NF_NAT_RANGE_PERSISTENT, NF_NAT_RANGE_PROTO_RANDOM, NF_NAT_RANGE_PROTO_RANDOM_FULLY, NF_NAT_RANGE_PROTO_SPECIFIED,
} from '../constants.ts'
import type { ExpressionData } from '../expressions.ts'
import { setRegister } from '../primitives.ts'
import type { MapSource } from './maps.ts'
import { isNeed, isSource, lookUp, need, slotRegister } from './parts.ts'
import type { Need, Source, ValueType, Word } from './parts.ts'
import { parseBytes, parseScalar } from './values.ts'

/** One port, or the first and the last of a range. */
export type Ports = number | readonly [first: number, last: number]

export interface NatFlags {
  /** A random port; `fullyRandom` without the hash that makes it guessable. */
  random?: boolean
  fullyRandom?: boolean
  /** The same address for every connection of a client. */
  persistent?: boolean
}

export interface NatTarget extends NatFlags {
  /** One address, the first and the last of a range, `'a-b'`, or a prefix; all of one family. */
  address?: string | readonly [first: string, last: string] | Source
  ports?: Ports | Source
  /**
   * All in one: `'10.0.0.1:8080'`, `'[fd00::1]:8080'`, `'10.0.0.1-10.0.0.9'`, `':80-90'`; or a map, to addresses or with
   * `withPorts` to addresses and ports.
   */
  to?: string | Source
  /** Of the addresses, where neither they nor the table say it. */
  family?: 'ip' | 'ip6'
  /** The map of `to` has addresses and ports: `['10.0.0.1', 8080]`. Found out by itself where the map stands in the rule. */
  withPorts?: boolean
  /** A prefix maps to a prefix of the same length, host by host. */
  netmap?: boolean
}

const portType: ValueType = { type: 'inet_service', size: 2, order: 'big' }
const addressTypes = {
  ip: { type: 'ipv4_addr', size: 4, order: 'big' },
  ip6: { type: 'ipv6_addr', size: 16, order: 'big' },
} as const satisfies Record<string, ValueType>

const portFields: ReadonlySet<string> = new Set(['ports', 'random', 'fullyRandom', 'persistent'])

/** Source NAT to the address of the interface that the packet leaves by. Ports need a transport protocol before. */
export function masquerade(options: { ports?: Ports | Source } & NatFlags = {}): Word {
  const { ports, ...flags } = fieldsOf('masquerade', options, portFields)
  const loaded = loadPorts('masquerade', ports, 1)
  return [...loaded.parts, { name: 'masq', data: { ...flagsOf('masquerade', flags, loaded.specified), ...loaded.registers } }]
}

/** Source NAT. `ports` need a transport protocol before. */
export function snat(target: NatTarget): Word {
  return nat('snat', target)
}

/** Destination NAT. */
export function dnat(target: NatTarget): Word {
  return nat('dnat', target)
}

/** Destination NAT to the host itself. */
export function redirect(options: { ports?: Ports | Source } & NatFlags = {}): Word {
  const { ports, ...flags } = fieldsOf('redirect', options, portFields)
  const loaded = loadPorts('redirect', ports, 1)
  return [...loaded.parts, { name: 'redir', data: { ...loaded.registers, ...flagsOf('redirect', flags, loaded.specified) } }]
}

interface Loaded<R> {
  parts: Word
  registers: R
  /** Registers that are taken. */
  used: number
}
type PortRegisters = { regProtoMin?: number, regProtoMax?: number }
type AddressRegisters = { regAddrMin?: number, regAddrMax?: number }

function loadPorts(word: string, ports: Ports | Source | undefined, register: number): Loaded<PortRegisters> & { specified: boolean } {
  if (ports === undefined) return { parts: [], registers: {}, used: 0, specified: false }
  const needed: Need = need({ word: `${word} to a port`, ports: true })
  if (isSource(ports)) {
    return { parts: [needed, ...ports.load(register, [portType])], registers: { regProtoMin: register }, used: 1, specified: true }
  }
  const [first, last] = portBytes(`${word}.ports`, ports)
  if (first === undefined) throw new InvalidArgumentError(`${word}.ports`, ports, 'a port or a pair of ports')
  const parts: Word = [needed, setRegister(register, first)]
  if (last === undefined) return { parts, registers: { regProtoMin: register }, used: 1, specified: true }
  return {
    parts: [...parts, setRegister(register + 1, last)], registers: { regProtoMin: register, regProtoMax: register + 1 }, used: 2,
    specified: true,
  }
}

export function portBytes(field: string, ports: Ports): Uint8Array[] {
  const all = [ports].flat()
  const fit = all.every(number => Number.isInteger(number) && number >= 0 && number <= 0xffff)
  if (all.length > 2 || !fit || (all[1] ?? 0xffff) < (all[0] ?? 0)) {
    throw new InvalidArgumentError(field, ports, 'a port from 0 to 65535, or the first and the last of a range')
  }
  return all.map(number => parseScalar(field, portType, number))
}

const natFields: ReadonlySet<string> = new Set([
  'address', 'ports', 'to', 'family', 'withPorts', 'netmap', 'random', 'fullyRandom', 'persistent',
])

function nat(type: 'snat' | 'dnat', target: NatTarget): Word {
  const { to, ...rest } = fieldsOf(type, target, natFields)
  if (rest.family !== undefined) lookUp(`${type}.family`, addressTypes, rest.family)
  if (isSource(to)) return natByMap(type, to, rest)
  const { address, ports, netmap, family: given, ...flags } = { ...rest, ...(to === undefined ? {} : parseTo(`${type}.to`, to)) }
  if (address === undefined && ports === undefined) {
    throw new InvalidArgumentError(`${type}.address`, address, 'an address, a range, a prefix or a map; or ports')
  }
  const family = given ?? (address === undefined || isSource(address) ? undefined : familyOf(address))
  const loaded = loadAddress(type, address, family)
  const withPorts = loadPorts(type, ports, 1 + loaded.used)
  return [
    ...(family === undefined ? [need({ word: type, natFamily: true })] : []),
    ...loaded.parts, ...withPorts.parts,
    { name: 'nat', data: { type, family, ...loaded.registers, ...withPorts.registers, ...flagsOf(type, flags, withPorts.specified, netmap) } },
  ]
}

function familyOf(address: string | readonly string[]): 'ip' | 'ip6' {
  const [first] = [address].flat()
  return typeof first === 'string' && first.includes(':') ? 'ip6' : 'ip'
}

function loadAddress(type: string, address: NatTarget['address'], family: 'ip' | 'ip6' | undefined): Loaded<AddressRegisters> {
  const field = `${type}.address`
  if (address === undefined) return { parts: [], registers: {}, used: 0 }
  if (isSource(address)) return { parts: address.load(1, [addressTypes[family ?? 'ip']]), registers: { regAddrMin: 1 }, used: 1 }
  const value = typeof address === 'string' ? address : Array.isArray(address) ? { from: address[0] as unknown, to: address[1] as unknown } : address
  const { from, to } = parseBytes(field, addressTypes[family ?? 'ip'], value)
  const parts: Word = [setRegister(1, from)]
  if (to === undefined) return { parts, registers: { regAddrMin: 1 }, used: 1 }
  return { parts: [...parts, setRegister(2, to)], registers: { regAddrMin: 1, regAddrMax: 2 }, used: 2 }
}

/** A map to addresses, to addresses and ports, to ranges of either: side by side in registers of four bytes. */
function natByMap(
  type: 'snat' | 'dnat', to: Source, { ports, netmap, family = 'ip', withPorts, address, ...flags }: Omit<NatTarget, 'to'>,
): Word {
  if (address !== undefined || ports !== undefined) throw new InvalidArgumentError(`${type}.to`, to.word, 'no address and ports beside it')
  const source = to as Partial<MapSource> & Source
  const both = withPorts === undefined ? source.hasPairs === true : isOn(`${type}.withPorts`, withPorts)
  const types = both ? [addressTypes[family], portType] : [addressTypes[family]]
  const slots = family === 'ip' ? 1 : 4
  const width = slots + (both ? 1 : 0)
  const interval = source.dataInterval === true
  return [
    ...to.load(1, types),
    ...(both ? [need({ word: `${type} to a port`, ports: true })] : []),
    {
      name: 'nat',
      data: {
        type, family, regAddrMin: 1,
        ...(interval ? { regAddrMax: slotRegister(1, width) } : {}),
        ...(both ? { regProtoMin: slotRegister(1, slots) } : {}),
        ...(both && interval ? { regProtoMax: slotRegister(1, width + slots) } : {}),
        ...flagsOf(type, flags, false, netmap),
      },
    },
  ]
}

/** In brackets, from first to last; IPv4; IPv6, whose colons leave no room for ports; then ports. */
const TARGET = /^(?:\[([^\]]+)\](?:-\[([^\]]+)\])?|([\d./-]+)|([\da-f]*:[\da-f.]*:[-\da-f:./]*))?(?::(\d+)(?:-(\d+))?)?$/i

/** `'10.0.0.1:80'`, `'10.0.0.1-10.0.0.9:80-90'`, `'[fd00::1]:80'`, `':80'`. */
function parseTo(field: string, text: string): Pick<NatTarget, 'address' | 'ports'> {
  const match = typeof text === 'string' ? TARGET.exec(text) : null
  if (match === null || text === '') {
    throw new InvalidArgumentError(field, text, 'an address, a range or a prefix, with ports behind a colon: "10.0.0.1:8080", "[fd00::1]:80-90", ":80"')
  }
  const [, first, last, ipv4, ipv6, port, lastPort] = match
  const address = first === undefined ? ipv4 ?? ipv6 : last === undefined ? first : `${first}-${last}`
  return {
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { ports: lastPort === undefined ? Number(port) : [Number(port), Number(lastPort)] as const }),
  }
}

function flagsOf(word: string, { random, fullyRandom, persistent }: NatFlags, ports: boolean, netmap?: boolean): { flags?: number } {
  const flags = (ports ? NF_NAT_RANGE_PROTO_SPECIFIED : 0) |
    (isOn(`${word}.random`, random) ? NF_NAT_RANGE_PROTO_RANDOM : 0) |
    (isOn(`${word}.fullyRandom`, fullyRandom) ? NF_NAT_RANGE_PROTO_RANDOM_FULLY : 0) |
    (isOn(`${word}.persistent`, persistent) ? NF_NAT_RANGE_PERSISTENT : 0) |
    (isOn(`${word}.netmap`, netmap) ? NF_NAT_RANGE_NETMAP : 0)
  return flags === 0 ? {} : { flags }
}

const tproxyFields: ReadonlySet<string> = new Set(['address', 'port'])

/** To a socket of this host, without changing the packet; needs a transport protocol before, and a route. */
export function tproxy(target: { address?: string | Source, port?: number | Source }): Word {
  const { address, port } = fieldsOf('tproxy', target, tproxyFields)
  const family = address === undefined ? 'unspec' as const : isSource(address) ? 'ip' as const : familyOf(address)
  const needed = need({ word: 'tproxy', ports: true })
  const parts: Word = [needed]
  const data: ExpressionData<'tproxy'>[] = []
  let register = 1
  if (address !== undefined) {
    const type = addressTypes[family === 'ip6' ? 'ip6' : 'ip']
    parts.push(...(isSource(address) ? address.load(register, [type]) : [setRegister(register, parseScalar('tproxy.address', type, address))]))
    data.push({ regAddr: register++ })
  }
  if (port !== undefined) {
    parts.push(...(isSource(port) ? port.load(register, [portType]) : [setRegister(register, parseScalar('tproxy.port', portType, port))]))
    data.push({ regPort: register })
  }
  if (data.length === 0) throw new InvalidArgumentError('tproxy', {}, 'an address or a port')
  const loaded = [...parts.filter(isNeed), ...parts.filter(part => !isNeed(part))]
  return [...loaded, { name: 'tproxy', data: Object.assign({ family }, ...data) as ExpressionData<'tproxy'> }]
}

/** The number of an interface in a register. */
function loadDevice(field: string, device: number | Source, register: number): Word {
  const type: ValueType = { type: 'iface_index', size: 4, order: 'host' }
  return isSource(device) ? device.load(register, [type]) : [setRegister(register, parseScalar(field, type, device))]
}

const dupFields: ReadonlySet<string> = new Set(['address', 'device'])

/**
 * Sends a copy of the packet: in ip and ip6 tables to an address, out of an interface if given; in netdev ones to an
 * interface. Interfaces by number.
 */
export function dup(target: { address?: string | Source, device?: number | Source }): Word {
  const { address, device } = fieldsOf('dup', target, dupFields)
  if (address === undefined) {
    if (device === undefined) throw new InvalidArgumentError('dup', {}, 'an address, an interface, or both')
    return [...loadDevice('dup.device', device, 1), { name: 'dup', data: { sregDev: 1 } }]
  }
  const family = isSource(address) ? 'ip' : familyOf(address)
  const type = addressTypes[family]
  const parts: Word = isSource(address) ? address.load(1, [type]) : [setRegister(1, parseScalar('dup.address', type, address))]
  if (device === undefined) return [...parts, { name: 'dup', data: { sregAddr: 1 } }]
  return [...parts, ...loadDevice('dup.device', device, 2), { name: 'dup', data: { sregAddr: 1, sregDev: 2 } }]
}

/** Sends the packet out of another interface, in netdev tables; with an address to that neighbour. Interfaces by number. */
export function fwd(target: { device: number | Source, address?: string }): Word {
  const { device, address } = fieldsOf('fwd', target, dupFields)
  const parts = loadDevice('fwd.device', device, 1)
  if (address === undefined) return [...parts, { name: 'fwd', data: { sregDev: 1 } }]
  const nfproto = familyOf(address)
  return [
    ...parts, setRegister(2, parseScalar('fwd.address', addressTypes[nfproto], address)),
    { name: 'fwd', data: { sregDev: 1, sregAddr: 2, nfproto } },
  ]
}
