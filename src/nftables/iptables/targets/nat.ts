/** Changing addresses and ports. Source: linux/netfilter/nf_nat.h. */
import { be16, padding, u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import type { Struct } from '../../../netlink/table.ts'
import {
  NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PERSISTENT, NF_NAT_RANGE_PROTO_RANDOM, NF_NAT_RANGE_PROTO_RANDOM_FULLY,
  NF_NAT_RANGE_PROTO_SPECIFIED,
} from '../../constants.ts'
import { fromInet, inetText, parseMasked, toInet, withMask } from '../addresses.ts'
import { NF_NAT_RANGE_NETMAP, NF_NAT_RANGE_PROTO_OFFSET } from '../constants.ts'
import { extension, option, says, saysIf } from '../extension.ts'
import type { Extension, Given, Said } from '../extension.ts'
import { addressRange, flag, masked, port, range } from '../values.ts'
import type { Context, IptablesFamily, Kind, Range } from '../values.ts'
import { bytes, inetAddress } from '../xt.ts'

/** Where to: an address or a range, ports or a range, or both. */
export interface NatTo {
  addresses?: readonly [first: string, last: string] | undefined
  ports?: Range | undefined
  /** With ports: the port of the rule that the first of them stands for; those after it follow. */
  basePort?: number | undefined
}
export interface NatToInput {
  addresses?: string | readonly [first: string, last: string] | undefined
  ports?: number | Range | undefined
  basePort?: number | undefined
}

const portRange = range(0xffff, '-', 'port')

function formatTo({ addresses, ports, basePort }: NatTo): string {
  const where = addresses === undefined ? '' : addresses[0] === addresses[1] ? addresses[0] : addresses.join('-')
  if (ports === undefined) return where
  return `${where.includes(':') ? `[${where}]` : where}:${portRange.format(ports)}${basePort === undefined ? '' : `/${basePort}`}`
}

/** What stands before and behind the colon of the ports; an IPv6 address has colons of its own, and brackets. */
function splitTo(text: string, family: IptablesFamily): { where: string, rest: string | undefined } | undefined {
  if (family === 'ip6' && /^[^[:]|^::/.test(text)) return { where: text, rest: undefined }
  const found = (family === 'ip6' ? /^(?:\[([^\]]+)\])?(?::(.+))?$/ : /^([^:]*)(?::(.+))?$/).exec(text)
  return found === null ? undefined : { where: found[1] ?? '', rest: found[2] }
}

/** `1.2.3.4`, `1.2.3.4-1.2.3.9:80-90`, `:80`, `[fd00::1]:80`; where `shifted`, with `/port` behind. */
function natTo(shifted: boolean): Kind<NatTo, string | NatToInput> {
  return {
    words: 1,
    accepted: `an address or a range of addresses of the rule’s family, ports behind a colon, or both, like 10.0.0.1:80-90${shifted ? ' or 10.0.0.1:80-90/8000' : ''} or [fd00::1]:80`,
    parse(text, context) {
      const { where, rest } = splitTo(text, context.family) ?? { where: '', rest: undefined }
      const [ports, base, ...more] = rest?.split('/') ?? []
      const addresses = where === '' ? undefined : addressRange.parse(where, context)
      const numbers = ports === undefined ? undefined : portRange.parse(ports, context)
      const basePort = base === undefined ? undefined : port.parse(base, context)?.[0]
      if (where === '' ? numbers === undefined : addresses === undefined) return undefined
      const badBase = base !== undefined && (basePort === undefined || !shifted)
      if ((ports !== undefined && numbers === undefined) || badBase || more.length > 0) return undefined
      return { addresses, ports: numbers, basePort }
    },
    format: formatTo,
    type(input) {
      if (typeof input === 'string') return input
      const { addresses, ports, basePort } = input
      return formatTo({
        addresses: typeof addresses === 'string' ? [addresses, addresses] : addresses,
        ports: typeof ports === 'number' ? [ports, ports] : ports,
        basePort,
      })
    },
  }
}

/** Fields that both families' structs have. `rangesize` is IPv4's alone. */
const range4 = struct({ rangesize: u32, flags: u32, minAddr: bytes(4), maxAddr: bytes(4), minProto: be16, maxProto: be16 })
/** struct nf_nat_ipv4_multi_range_compat; struct nf_nat_range. */
const layouts: Readonly<Record<IptablesFamily, typeof range4>> = {
  ip: range4,
  ip6: struct({ flags: u32, minAddr: inetAddress, maxAddr: inetAddress, minProto: be16, maxProto: be16 }) as Struct<never> as typeof range4,
}
/** struct nf_nat_range2. */
const range2 = struct({
  flags: u32, minAddr: inetAddress, maxAddr: inetAddress, minProto: be16, maxProto: be16, baseProto: be16, _: padding(2),
})

interface NatStruct {
  flags: number
  minAddr: Uint8Array
  maxAddr: Uint8Array
  minProto: number
  maxProto: number
}

const RANDOM = {
  random: NF_NAT_RANGE_PROTO_RANDOM, randomFully: NF_NAT_RANGE_PROTO_RANDOM_FULLY, persistent: NF_NAT_RANGE_PERSISTENT,
} as const
type RandomGiven = Partial<Record<keyof typeof RANDOM, Said<true> | undefined>>
const randomNames = Object.keys(RANDOM) as (keyof typeof RANDOM)[]
const randomLabels = { random: 'random', randomFully: 'random-fully', persistent: 'persistent' } as const

function randomBits(given: RandomGiven): number {
  return randomNames.reduce((bits, name) => (given[name] === undefined ? bits : bits | RANDOM[name]), 0)
}

function randomGiven(flags: number): RandomGiven {
  return Object.fromEntries(randomNames.map(name => [name, saysIf((flags & RANDOM[name]) !== 0, true as const)]))
}

function listWith(text: string, given: RandomGiven): string {
  return [text, ...randomNames.filter(name => given[name] !== undefined).map(name => randomLabels[name])].filter(part => part !== '').join(' ')
}

const KNOWN = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED | NF_NAT_RANGE_PROTO_RANDOM |
  NF_NAT_RANGE_PROTO_RANDOM_FULLY | NF_NAT_RANGE_PERSISTENT

function writeRange(to: NatTo, family: IptablesFamily, more: number): NatStruct & { rangesize: number } {
  const { addresses, ports } = to
  const [first, last] = (addresses ?? ['', '']).map(address => fromInet(toInet(address), family)) as [Uint8Array, Uint8Array]
  return {
    rangesize: 1,
    flags: more | (addresses === undefined ? 0 : NF_NAT_RANGE_MAP_IPS) | (ports === undefined ? 0 : NF_NAT_RANGE_PROTO_SPECIFIED),
    minAddr: first, maxAddr: last, minProto: ports?.[0] ?? 0, maxProto: ports?.[1] ?? 0,
  }
}

function readRange({ flags, minAddr, maxAddr, minProto, maxProto }: NatStruct, family: IptablesFamily): NatTo {
  return {
    addresses: (flags & NF_NAT_RANGE_MAP_IPS) === 0 ? undefined : [inetText(minAddr, family), inetText(maxAddr, family)],
    ports: (flags & NF_NAT_RANGE_PROTO_SPECIFIED) === 0 ? undefined : [minProto, maxProto],
  }
}

/** Ports are those of these protocols (and ICMP ids, which iptables takes too). */
const PORT_PROTOCOLS = [1, 6, 17, 33, 58, 132]

function portsNeedProtocol(field: string, ports: boolean, { protocol }: Context): readonly [string, string] | undefined {
  return ports && (protocol === undefined || !PORT_PROTOCOLS.includes(protocol))
    ? [field, 'ports only with protocol tcp, udp, sctp, dccp or icmp'] : undefined
}

const toPorts = option(portRange)
const random = option(flag)
const masqueradeOptions = { toPorts, random, randomFully: random }

export const MASQUERADE: Extension<typeof masqueradeOptions> = extension({
  name: 'MASQUERADE',
  options: masqueradeOptions,
  tables: ['nat'],
  layout: family => layouts[family],
  check: (given, context) => portsNeedProtocol('toPorts', given.toPorts !== undefined, context),
  write: (given, { family }) => writeRange({ ports: given.toPorts?.value }, family, randomBits(given)),
  read(values, { family }) {
    if ((values.flags & ~KNOWN) !== 0) return undefined
    const { ports } = readRange(values, family)
    const { random: any, randomFully } = randomGiven(values.flags)
    return { toPorts: ports && says(ports), random: any, randomFully }
  },
  list: given => listWith(given.toPorts === undefined ? '' : `masq ports: ${portRange.format(given.toPorts.value)}`, given),
})

const redirectOptions = { toPorts, random }

export const REDIRECT: Extension<typeof redirectOptions> = extension({
  name: 'REDIRECT',
  options: redirectOptions,
  tables: ['nat'],
  layout: family => layouts[family],
  check: (given, context) => portsNeedProtocol('toPorts', given.toPorts !== undefined, context),
  write: (given, { family }) => writeRange({ ports: given.toPorts?.value }, family, randomBits(given)),
  read(values, { family }) {
    if ((values.flags & ~KNOWN) !== 0) return undefined
    const { ports } = readRange(values, family)
    return { toPorts: ports && says(ports), random: randomGiven(values.flags).random }
  },
  list: given => listWith(given.toPorts === undefined ? '' : `redir ports ${portRange.format(given.toPorts.value)}`, given),
})

const toSource = natTo(false)
const snatOptions = { toSource: option(toSource), random, randomFully: random, persistent: random }

export const SNAT: Extension<typeof snatOptions> = extension({
  name: 'SNAT',
  revision: { ip: 0, ip6: 1 },
  options: snatOptions,
  tables: ['nat'],
  layout: family => layouts[family],
  check: (given, context) => (given.toSource === undefined ? ['toSource', toSource.accepted]
    : portsNeedProtocol('toSource', given.toSource.value.ports !== undefined, context)),
  write: (given, { family }) => writeRange(given.toSource?.value ?? {}, family, randomBits(given)),
  read: (values, { family }) => ((values.flags & ~KNOWN) !== 0 ? undefined
    : { toSource: says(readRange(values, family)), ...randomGiven(values.flags) }),
  list: given => listWith(`to:${formatTo(given.toSource?.value ?? {})}`, given),
})

const toDestination = natTo(true)
const dnatOptions = { toDestination: option(toDestination), random, persistent: random }

export const DNAT: Extension<typeof dnatOptions> = extension({
  name: 'DNAT',
  revision: 2,
  options: dnatOptions,
  tables: ['nat'],
  layout: range2,
  check: (given, context) => (given.toDestination === undefined ? ['toDestination', toDestination.accepted]
    : portsNeedProtocol('toDestination', given.toDestination.value.ports !== undefined, context)),
  write(given, { family }) {
    const to = given.toDestination?.value ?? {}
    const shift = to.basePort === undefined ? 0 : NF_NAT_RANGE_PROTO_OFFSET
    const { flags, minAddr, maxAddr, minProto, maxProto } = writeRange(to, family, randomBits(given) | shift)
    return { flags, minAddr, maxAddr, minProto, maxProto, baseProto: to.basePort }
  },
  read(values, { family }) {
    if ((values.flags & ~(KNOWN | NF_NAT_RANGE_PROTO_OFFSET)) !== 0) return undefined
    const basePort = (values.flags & NF_NAT_RANGE_PROTO_OFFSET) === 0 ? undefined : values.baseProto
    const { random: any, persistent } = randomGiven(values.flags)
    return { toDestination: says({ ...readRange(values, family), basePort }), random: any, persistent }
  },
  list: given => listWith(`to:${formatTo(given.toDestination?.value ?? {})}`, given),
})

const to = masked({ whole: true })
const netmapOptions = { to: option(to) }

export const NETMAP: Extension<typeof netmapOptions> = extension({
  name: 'NETMAP',
  options: netmapOptions,
  tables: ['nat'],
  layout: family => layouts[family],
  check: given => (given.to === undefined ? ['to', to.accepted] : undefined),
  write(given: Given<typeof netmapOptions>, { family }) {
    const { address, mask } = parseMasked(given.to?.value ?? '', family) ?? { address: new Uint8Array(), mask: new Uint8Array() }
    const last = address.map((byte, index) => byte | ~(mask[index] ?? 0) & 0xff)
    return { rangesize: 1, flags: NF_NAT_RANGE_MAP_IPS, minAddr: address, maxAddr: last }
  },
  read({ minAddr, maxAddr, flags }, { family }) {
    if ((flags & ~(NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_NETMAP)) !== 0) return undefined
    const [first, last] = [fromInet(minAddr, family), fromInet(maxAddr, family)]
    const { text } = withMask(first, first.map((byte, index) => ~(byte ^ (last[index] ?? 0)) & 0xff))
    return { to: says(text) }
  },
  list: given => `to:${given.to?.value ?? ''}`,
})
