/** What stands in the headers of TCP and UDP. Sources: linux/netfilter/xt_tcpudp.h, xt_multiport.h. */
import { padding, u16, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import type { Expression } from '../../expressions.ts'
import { applyMask, bigEndian16, compare, compareRange, loadPayload } from '../../primitives.ts'
import * as c from '../constants.ts'
import { alias, extension, negatable, says, saysIf } from '../extension.ts'
import type { Extension, Given, Said } from '../extension.ts'
import { bitsOf, flag, integer, namesOf, port, portList } from '../values.ts'
import type { Kind, Range } from '../values.ts'
import { array, bytes } from '../xt.ts'
import { isWhole, listRange, nothingLeft, saidRange } from './ranges.ts'

const tcpFlagNames = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'] as const
export type TcpFlag = (typeof tcpFlagNames)[number]
/** Of these flags, those that are set. */
export interface TcpFlags {
  mask: readonly TcpFlag[]
  set: readonly TcpFlag[]
}

function parseFlags(text: string): TcpFlag[] | undefined {
  if (text === 'ALL') return [...tcpFlagNames]
  if (text === 'NONE') return []
  const given = text.split(',')
  return given.every(name => (tcpFlagNames as readonly string[]).includes(name))
    ? tcpFlagNames.filter(name => given.includes(name)) : undefined
}

const tcpFlags: Kind<TcpFlags> = {
  words: 2,
  accepted: `flags to look at and flags that are set, each some of ${tcpFlagNames.join(', ')}, or ALL or NONE`,
  parse(text) {
    const [mask, set, ...rest] = text.split(/\s+/).map(parseFlags)
    return mask === undefined || set === undefined || rest.length > 0 ? undefined : { mask, set }
  },
  format: ({ mask, set }) => `${mask.join(',') || 'NONE'} ${set.join(',') || 'NONE'}`,
  type: ({ mask, set }) => `${[...mask].join(',') || 'NONE'} ${[...set].join(',') || 'NONE'}`,
}

const sport = negatable(port)
const dport = negatable(port)
export const portOptions = {
  sport, dport, sourcePort: alias('sport', sport), destinationPort: alias('dport', dport),
}

const tcpOptions = {
  ...portOptions,
  tcpOption: negatable(integer(1, 255)),
  tcpFlags: negatable(tcpFlags),
  syn: {
    ...negatable(flag),
    means: ({ not }: Said<true>) => ({ tcpFlags: says({ mask: ['FIN', 'SYN', 'RST', 'ACK'], set: ['SYN'] }, not) }),
  },
}

const MAX = 0xffff
const ANY: Range = [0, MAX]

export function noPort(given: Given<typeof portOptions>): readonly [string, string] | undefined {
  return nothingLeft(given, MAX, 'sport', 'dport')
}

/** A port field compared as iptables-nft 1.8.9 does it. */
function portExpressions(offset: number, said: Said<Range> | undefined): Expression[] {
  if (said === undefined || isWhole(said.value, MAX)) return []
  const { not, value: [first, last] } = said
  const load = loadPayload('transport', offset, 2)
  if (first === last) return [load, compare(not ? 'neq' : 'eq', bigEndian16(first))]
  if (first === 0) return [load, compare(not ? 'gt' : 'lte', bigEndian16(last))]
  return [load, compareRange(not ? 'neq' : 'eq', bigEndian16(first), bigEndian16(last))]
}

/**
 * Two single ports are compared in one. Not where both are negated: the tool does so there too, and such a rule of its matches
 * all packets but those of just these two ports.
 */
function bothPorts({ sport, dport }: Given<typeof portOptions>): Expression[] {
  const [from, to] = [singlePort(sport), singlePort(dport)]
  if (from === undefined || to === undefined) return [...portExpressions(0, sport), ...portExpressions(2, dport)]
  return [loadPayload('transport', 0, 4), compare('eq', Uint8Array.of(...bigEndian16(from), ...bigEndian16(to)))]
}

function singlePort(said: Said<Range> | undefined): number | undefined {
  const [first, last] = said?.not === false ? said.value : []
  return first === last && first !== 0 ? first : undefined
}

function flagExpressions(said: Said<TcpFlags> | undefined): Expression[] {
  if (said === undefined) return []
  const { not, value: { mask, set } } = said
  return [
    loadPayload('transport', 13, 1), applyMask(Uint8Array.of(bitsOf(tcpFlagNames, mask))),
    compare(not ? 'neq' : 'eq', Uint8Array.of(bitsOf(tcpFlagNames, set))),
  ]
}

export function listPorts(given: Given<typeof portOptions>): string[] {
  return [...listRange('spt', given.sport, MAX), ...listRange('dpt', given.dport, MAX)]
}

/** From the bytes of nf_tables' own expressions. */
export function tcpFlagsOf(mask: number, set: number): TcpFlags {
  return { mask: namesOf(tcpFlagNames, mask), set: namesOf(tcpFlagNames, set) }
}

export const tcp: Extension<typeof tcpOptions> = extension({
  name: 'tcp',
  options: tcpOptions,
  protocols: [6],
  layout: struct({
    sportMin: u16, sportMax: u16, dportMin: u16, dportMax: u16, option: u8, flagMask: u8, flagCompare: u8, invflags: u8,
  }),
  check: noPort,
  native(given) {
    if (given.tcpOption !== undefined) return undefined
    const all = [...flagExpressions(given.tcpFlags), ...bothPorts(given)]
    return all.length === 0 ? undefined : all
  },
  write: given => ({
    sportMin: (given.sport?.value ?? ANY)[0],
    sportMax: (given.sport?.value ?? ANY)[1],
    dportMin: (given.dport?.value ?? ANY)[0],
    dportMax: (given.dport?.value ?? ANY)[1],
    option: given.tcpOption?.value,
    flagMask: bitsOf(tcpFlagNames, given.tcpFlags?.value.mask ?? []),
    flagCompare: bitsOf(tcpFlagNames, given.tcpFlags?.value.set ?? []),
    invflags: (given.sport?.not === true ? c.XT_TCP_INV_SRCPT : 0) | (given.dport?.not === true ? c.XT_TCP_INV_DSTPT : 0) |
      (given.tcpFlags?.not === true ? c.XT_TCP_INV_FLAGS : 0) | (given.tcpOption?.not === true ? c.XT_TCP_INV_OPTION : 0),
  }),
  read({ sportMin, sportMax, dportMin, dportMax, option: number, flagMask, flagCompare, invflags }) {
    const inverted = (bit: number): boolean => (invflags & bit) !== 0
    return {
      sport: saidRange(sportMin, sportMax, MAX, inverted(c.XT_TCP_INV_SRCPT)),
      dport: saidRange(dportMin, dportMax, MAX, inverted(c.XT_TCP_INV_DSTPT)),
      tcpOption: saysIf(number !== 0, number, inverted(c.XT_TCP_INV_OPTION)),
      tcpFlags: saysIf(flagMask !== 0 || inverted(c.XT_TCP_INV_FLAGS), tcpFlagsOf(flagMask, flagCompare), inverted(c.XT_TCP_INV_FLAGS)),
    }
  },
  list(given) {
    const { tcpOption: option, tcpFlags: flags } = given
    const bits = (names: readonly TcpFlag[]): string => bitsOf(tcpFlagNames, names).toString(16).toUpperCase().padStart(2, '0')
    return [
      'tcp', ...listPorts(given),
      ...(option === undefined ? [] : [`option=${option.not ? '!' : ''}${option.value}`]),
      ...(flags === undefined ? [] : [`flags:${flags.not ? '!' : ''}0x${bits(flags.value.mask)}/0x${bits(flags.value.set)}`]),
    ].join(' ')
  },
})

export const udp: Extension<typeof portOptions> = extension({
  name: 'udp',
  options: portOptions,
  protocols: [17],
  layout: struct({ sportMin: u16, sportMax: u16, dportMin: u16, dportMax: u16, invflags: u8, _: padding(1) }),
  check: noPort,
  native(given) {
    const all = [...bothPorts(given)]
    return all.length === 0 ? undefined : all
  },
  write: given => ({
    sportMin: (given.sport?.value ?? ANY)[0],
    sportMax: (given.sport?.value ?? ANY)[1],
    dportMin: (given.dport?.value ?? ANY)[0],
    dportMax: (given.dport?.value ?? ANY)[1],
    invflags: (given.sport?.not === true ? c.XT_UDP_INV_SRCPT : 0) | (given.dport?.not === true ? c.XT_UDP_INV_DSTPT : 0),
  }),
  read: ({ sportMin, sportMax, dportMin, dportMax, invflags }) => ({
    sport: saidRange(sportMin, sportMax, MAX, (invflags & c.XT_UDP_INV_SRCPT) !== 0),
    dport: saidRange(dportMin, dportMax, MAX, (invflags & c.XT_UDP_INV_DSTPT) !== 0),
  }),
  list: given => ['udp', ...listPorts(given)].join(' '),
})

const ports = negatable(portList(c.XT_MULTI_PORTS))
const multiportOptions = {
  sports: ports, dports: ports, ports, sourcePorts: alias('sports', ports), destinationPorts: alias('dports', ports),
}
const multiportFields = ['sports', 'dports', 'ports'] as const

export const multiport: Extension<typeof multiportOptions> = extension({
  name: 'multiport',
  revision: 1,
  options: multiportOptions,
  protocols: [6, 17, 33, 132, 136],
  layout: struct({ flags: u8, count: u8, ports: array(u16, c.XT_MULTI_PORTS), pflags: bytes(c.XT_MULTI_PORTS), invert: u8 }),
  check: given => (multiportFields.filter(field => given[field] !== undefined).length === 1 ? undefined
    : ['ports', 'exactly one of sports, dports and ports']),
  write(given) {
    const field = multiportFields.find(name => given[name] !== undefined) ?? 'ports'
    const said = given[field]
    const numbers = (said?.value ?? []).map(([first, last]) => (first === last ? [first] : [first, last]))
    return {
      flags: multiportFields.indexOf(field),
      count: numbers.flat().length,
      ports: numbers.flat(),
      pflags: Uint8Array.from(numbers.flatMap(each => (each.length === 1 ? [0] : [1, 0]))),
      invert: said?.not === true ? 1 : 0,
    }
  },
  read({ flags, count, ports: numbers, pflags, invert }) {
    const field = multiportFields[flags]
    if (field === undefined || count > c.XT_MULTI_PORTS) return undefined
    const ranges: Range[] = []
    for (let index = 0; index < count; index++) {
      const first = numbers[index] ?? 0
      ranges.push([first, pflags[index] === 1 ? numbers[++index] ?? 0 : first])
    }
    return { [field]: says(ranges, invert !== 0) }
  },
  list(given) {
    const field = multiportFields.find(name => given[name] !== undefined) ?? 'ports'
    const said = given[field]
    return `multiport ${field} ${said?.not === true ? ' !' : ''}${ports.kind.format(said?.value ?? [])}`
  },
})
