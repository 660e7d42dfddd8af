/**
 * iptables' matches and targets as text, twice: as options (iptables-save) and as iptables -L says them. One entry an
 * extension; undefined where its struct says more than the entry can tell, so that nothing is shown wrong.
 */
import {
  NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PERSISTENT, NF_NAT_RANGE_PROTO_RANDOM, NF_NAT_RANGE_PROTO_RANDOM_FULLY,
  NF_NAT_RANGE_PROTO_SPECIFIED, XT_CHECKSUM_OP_FILL, XT_CONNTRACK_STATE, XT_CONNTRACK_STATE_ALIAS, XT_TCP_INV_DSTPT,
  XT_TCP_INV_FLAGS, XT_TCP_INV_SRCPT,
} from '../constants.ts'
import { addressTypes, conntrackStates, rejectCodes, tcpFlags } from './names.ts'
import type { IptablesFamily } from './rule.ts'
import {
  addrtypeInfo, checksumInfo, commentInfo, conntrack3, decodeInfo, icmpInfo, natRange2v4, natRange4, natRange6,
  rejectInfo, tcpInfo, udpInfo,
} from './xt.ts'

/** One piece of a rule in both of iptables' notations. */
export interface Text {
  save: string
  list: string
}

type Reader = (info: Uint8Array, family: IptablesFamily, revision: number) => Text | undefined

/** Ports of a tcp or udp match; `not` by field. */
export interface PortsText {
  protocol: 'tcp' | 'udp'
  sport?: PortRange
  dport?: PortRange
  /** TCP flags, mask and comparison. */
  flags?: { not: boolean, mask: number, value: number }
}
export interface PortRange {
  not: boolean
  first: number
  last: number
}

export function portsText({ protocol, sport, dport, flags }: PortsText): Text {
  const save: string[] = [`-m ${protocol}`]
  const list: string[] = [protocol]
  for (const [option, label, range] of [['--sport', 'spt', sport], ['--dport', 'dpt', dport]] as const) {
    if (range === undefined) continue
    const text = range.first === range.last ? `${range.first}` : `${range.first}:${range.last}`
    save.push(`${range.not ? '! ' : ''}${option} ${text}`)
    list.push(`${label}${range.first === range.last ? '' : 's'}:${range.not ? '!' : ''}${text}`)
  }
  if (flags !== undefined) {
    const names = (bits: number): string => tcpFlags.filter((_, bit) => (bits & 1 << bit) !== 0).join(',') || 'NONE'
    const hex = (bits: number): string => `0x${bits.toString(16).padStart(2, '0')}`
    save.push(`${flags.not ? '! ' : ''}--tcp-flags ${names(flags.mask)} ${names(flags.value)}`)
    list.push(`flags:${flags.not ? '!' : ''}${hex(flags.mask)}/${hex(flags.value)}`)
  }
  return { save: save.join(' '), list: list.join(' ') }
}

export const matches: Readonly<Record<string, Reader>> = {
  conntrack(info, _family, revision) {
    const values = revision === 3 ? decodeInfo(conntrack3, info) : undefined
    // libvirt and Docker ask for the state only; `-m state` is the same with another flag.
    if (values === undefined || (values.matchFlags & ~XT_CONNTRACK_STATE_ALIAS) !== XT_CONNTRACK_STATE) return undefined
    const set = Object.entries(conntrackStates).filter(([, bit]) => (values.stateMask & bit) !== 0)
    const states = set.map(([name]) => name).join(',')
    const not = (values.invertFlags & XT_CONNTRACK_STATE) === 0 ? '' : '! '
    const alias = (values.matchFlags & XT_CONNTRACK_STATE_ALIAS) !== 0
    return alias
      ? { save: `-m state ${not}--state ${states}`, list: `${not}state ${states}` }
      : { save: `-m conntrack ${not}--ctstate ${states}`, list: `${not}ctstate ${states}` }
  },
  tcp(info) {
    const values = decodeInfo(tcpInfo, info)
    if (values === undefined || values.option !== 0) return undefined
    const flags = values.flagMask === 0 ? undefined
      : { not: (values.invflags & XT_TCP_INV_FLAGS) !== 0, mask: values.flagMask, value: values.flagCompare }
    return portsText({ protocol: 'tcp', ...structPorts(values), ...(flags === undefined ? {} : { flags }) })
  },
  udp(info) {
    const values = decodeInfo(udpInfo, info)
    return values === undefined ? undefined : portsText({ protocol: 'udp', ...structPorts(values) })
  },
  icmp: info => icmpText('icmp', '--icmp-type', 'icmp', info),
  icmp6: info => icmpText('icmp6', '--icmpv6-type', 'ipv6-icmp', info),
  comment(info) {
    const comment = decodeInfo(commentInfo, info)?.comment
    if (comment === undefined) return undefined
    return { save: `-m comment --comment ${quote(comment)}`, list: `/* ${comment} */` }
  },
  addrtype(info, _family, revision) {
    const values = revision === 1 ? decodeInfo(addrtypeInfo, info) : undefined
    if (values === undefined) return undefined
    const save = ['-m addrtype']
    const list = ['ADDRTYPE match']
    for (const [which, bits, invert] of [['src', values.source, 1], ['dst', values.destination, 2]] as const) {
      if (bits === 0) continue
      const types = addressTypes.filter((_, bit) => (bits & 1 << bit) !== 0).join(',')
      const not = (values.flags & invert) !== 0
      save.push(`${not ? '! ' : ''}--${which}-type ${types}`)
      list.push(`${which}-type ${not ? '!' : ''}${types}`)
    }
    for (const [which, bit] of [['in', 4], ['out', 8]] as const) {
      if ((values.flags & bit) === 0) continue
      save.push(`--limit-iface-${which}`)
      list.push(`limit-${which}`)
    }
    return { save: save.join(' '), list: list.join(' ') }
  },
}

/** `save` and `list` are what follows `-j NAME` and the match texts; '' for nothing. */
export const targets: Readonly<Record<string, Reader>> = {
  REJECT(info, family) {
    const code = decodeInfo(rejectInfo, info)?.with
    const name = Object.entries(rejectCodes[family]).find(([, number]) => number === code)?.[0]
    return name === undefined ? undefined : { save: `--reject-with ${name}`, list: `reject-with ${name}` }
  },
  CHECKSUM(info) {
    const operation = decodeInfo(checksumInfo, info)?.operation
    return operation === XT_CHECKSUM_OP_FILL ? { save: '--checksum-fill', list: 'CHECKSUM fill' } : undefined
  },
  MASQUERADE(info, family) {
    const range = natRange(info, family)
    if (range === undefined) return undefined
    const { ports, options } = rangeText(range)
    return {
      save: join(ports && `--to-ports ${ports}`, ...options.map(option => `--${option}`)),
      list: join(ports && `masq ports: ${ports}`, ...options),
    }
  },
  SNAT(info, family, revision) {
    return revision === (family === 'ip' ? 0 : 1) ? translation('source', family, natRange(info, family)) : undefined
  },
  DNAT(info, family, revision) {
    const values = revision === 2 && family === 'ip' ? decodeInfo(natRange2v4, info) : undefined
    return values && translation('destination', family, rangeOf6(values))
  },
}

interface NatRange {
  flags: number
  first: string
  last: string
  firstPort: number
  lastPort: number
}

function natRange(info: Uint8Array, family: IptablesFamily): NatRange | undefined {
  if (family === 'ip') {
    const values = decodeInfo(natRange4, info)
    if (values === undefined) return undefined
    const { flags, minIp: first, maxIp: last, min: firstPort, max: lastPort } = values
    return { flags, first, last, firstPort, lastPort }
  }
  const values = decodeInfo(natRange6, info)
  return values && rangeOf6(values)
}

interface NatRange6 {
  flags: number
  minAddr: string
  maxAddr: string
  minProto: number
  maxProto: number
}

function rangeOf6({ flags, minAddr, maxAddr, minProto, maxProto }: NatRange6): NatRange {
  return { flags, first: minAddr, last: maxAddr, firstPort: minProto, lastPort: maxProto }
}

function translation(
  side: 'source' | 'destination', family: IptablesFamily, range: NatRange | undefined,
): Text | undefined {
  if (range === undefined) return undefined
  const { addresses, ports, options } = rangeText(range)
  const bracketed = family === 'ip6' && addresses !== '' ? `[${addresses}]` : addresses
  const to = ports === '' ? addresses : `${bracketed}:${ports}`
  return {
    save: join(`--to-${side} ${to}`, ...options.map(option => `--${option}`)),
    list: join(`to:${to}`, ...options),
  }
}

const rangeOptions = [
  [NF_NAT_RANGE_PROTO_RANDOM, 'random'],
  [NF_NAT_RANGE_PROTO_RANDOM_FULLY, 'random-fully'],
  [NF_NAT_RANGE_PERSISTENT, 'persistent'],
] as const

function rangeText(range: NatRange): { addresses: string, ports: string, options: string[] } {
  const { flags, first, last, firstPort, lastPort } = range
  const text = (has: number, from: string | number, to: string | number): string =>
    (flags & has) === 0 ? '' : from === to ? `${from}` : `${from}-${to}`
  return {
    addresses: text(NF_NAT_RANGE_MAP_IPS, first, last),
    ports: text(NF_NAT_RANGE_PROTO_SPECIFIED, firstPort, lastPort),
    options: rangeOptions.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name),
  }
}

interface StructPorts {
  sportMin: number
  sportMax: number
  dportMin: number
  dportMax: number
  invflags: number
}

function structPorts(ports: StructPorts): Pick<PortsText, 'sport' | 'dport'> {
  const { sportMin, sportMax, dportMin, dportMax, invflags } = ports
  const range = (first: number, last: number, inverted: number): PortRange | undefined => {
    const not = (invflags & inverted) !== 0
    return first === 0 && last === 0xffff && !not ? undefined : { not, first, last }
  }
  const sport = range(sportMin, sportMax, XT_TCP_INV_SRCPT)
  const dport = range(dportMin, dportMax, XT_TCP_INV_DSTPT)
  return { ...(sport === undefined ? {} : { sport }), ...(dport === undefined ? {} : { dport }) }
}

function icmpText(match: string, option: string, label: string, info: Uint8Array): Text | undefined {
  const values = decodeInfo(icmpInfo, info)
  if (values === undefined) return undefined
  const { type, codeMin, codeMax } = values
  const not = (values.invflags & 1) !== 0
  const anyCode = codeMin === 0 && codeMax === 0xff
  if (type === 0xff || (!anyCode && codeMin !== codeMax)) return undefined
  const code = anyCode ? '' : ` code ${codeMin}`
  return {
    save: `-m ${match} ${not ? '! ' : ''}${option} ${type}${anyCode ? '' : `/${codeMin}`}`,
    list: not ? `${label} !type ${type}${code}` : `${label}type ${type}${code}`,
  }
}

/** As iptables-save quotes: only where a shell would need it. */
function quote(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, '\\$&')}"`
}

function join(...parts: string[]): string {
  return parts.filter(part => part !== '').join(' ')
}
