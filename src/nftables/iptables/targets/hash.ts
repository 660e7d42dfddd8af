/** Marks made by hashing what a packet is addressed with. Source: linux/netfilter/xt_HMARK.h. */
import { be16, padding, u16, u32 } from '../../../netlink/codecs.ts'
import type { FixedCodec } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { prefixMask } from '../../primitives.ts'
import { fromInet, prefixLength } from '../addresses.ts'
import { readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { extension, option, sugar } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { hex, hexadecimal, integer, parseNumber } from '../values.ts'
import type { IptablesFamily, Kind } from '../values.ts'
import { inetAddress, inner } from '../xt.ts'

const LONGEST: Readonly<Record<IptablesFamily, number>> = { ip: 32, ip6: 128 }

const prefix: Kind<number> = {
  ...integer(0, LONGEST.ip6),
  accepted: 'the length of a prefix: 0 to 32, of family ip6 0 to 128',
  parse: (text, { family }) => (parseNumber(text) <= LONGEST[family] ? parseNumber(text) : undefined),
}
const number = integer(0, 0xffffffff)
const [hex16, hex32] = [hexadecimal(0xffff, 4), hexadecimal(0xffffffff, 8)]

type TupleField = 'hmarkSrcPrefix' | 'hmarkDstPrefix' | 'hmarkSportMask' | 'hmarkDportMask' | 'hmarkSpiMask' | 'hmarkProtoMask' | 'hmarkTuple'
/** What a word of the tuple stands for: all bits. The tool fills the whole address, of IPv4 too. */
const tuple: Readonly<Record<string, readonly [TupleField, unknown]>> = {
  src: ['hmarkSrcPrefix', LONGEST.ip6],
  dst: ['hmarkDstPrefix', LONGEST.ip6],
  sport: ['hmarkSportMask', 0xffff],
  dport: ['hmarkDportMask', 0xffff],
  spi: ['hmarkSpiMask', 0xffffffff],
  proto: ['hmarkProtoMask', 0xffff],
  ct: ['hmarkTuple', 'ct'],
}

const tupleKind: Kind<string, string | readonly string[]> = {
  words: 1,
  accepted: `some of ${Object.keys(tuple).join(', ')}`,
  parse: text => (text.split(',').every(word => Object.hasOwn(tuple, word)) ? text : undefined),
  format: String,
  type: input => (typeof input === 'string' ? input : input.join(',')),
}

const options = {
  hmarkSrcPrefix: option(prefix),
  hmarkDstPrefix: option(prefix),
  hmarkSportMask: option(hex16),
  hmarkDportMask: option(hex16),
  hmarkSpiMask: option(hex32),
  hmarkSport: option(hex16),
  hmarkDport: option(hex16),
  hmarkSpi: option(hex32),
  hmarkProtoMask: option(hexadecimal(0xffff, 2)),
  hmarkRnd: option(hex32),
  hmarkMod: option(integer(1, 0xffffffff)),
  hmarkOffset: option(number),
  hmarkTuple: sugar(tupleKind, text => Object.fromEntries(text.split(',').map(word => tuple[word] ?? []))),
}
type Field = keyof typeof options

const numbers: Readonly<Record<Field, number>> = {
  hmarkSrcPrefix: c.XT_HMARK_SADDR_MASK, hmarkDstPrefix: c.XT_HMARK_DADDR_MASK, hmarkSportMask: c.XT_HMARK_SPORT_MASK,
  hmarkDportMask: c.XT_HMARK_DPORT_MASK, hmarkSpiMask: c.XT_HMARK_SPI_MASK, hmarkSport: c.XT_HMARK_SPORT, hmarkDport: c.XT_HMARK_DPORT,
  hmarkSpi: c.XT_HMARK_SPI, hmarkProtoMask: c.XT_HMARK_PROTO_MASK, hmarkRnd: c.XT_HMARK_RND, hmarkMod: c.XT_HMARK_MODULUS,
  hmarkOffset: c.XT_HMARK_OFFSET, hmarkTuple: c.XT_HMARK_CT,
}
const bits = Object.fromEntries(Object.entries(numbers).map(([field, number]) => [field, 1 << number])) as Record<Field, number>
const fields = Object.keys(options) as Field[]

/** The tool finds no words for a whole address of IPv6. */
const prefixWords = (value: number): string => (value === LONGEST.ip6 ? '' : String(value))

/** How `iptables -L` says each, in its order. */
const labels: readonly (readonly [Field, (value: number) => string])[] = [
  ['hmarkMod', value => `mod ${value}`],
  ['hmarkOffset', value => `+ ${hex(value)}`],
  ['hmarkTuple', () => 'ct,'],
  ['hmarkSrcPrefix', value => `src-prefix ${prefixWords(value)}`],
  ['hmarkDstPrefix', value => `dst-prefix ${prefixWords(value)}`],
  ['hmarkSportMask', value => `sport-mask ${hex(value)}`],
  ['hmarkDportMask', value => `dport-mask ${hex(value)}`],
  ['hmarkSpiMask', value => `spi-mask ${hex(value)}`],
  ['hmarkSport', value => `sport ${hex(value)}`],
  ['hmarkDport', value => `dport ${hex(value)}`],
  ['hmarkSpi', value => `spi ${hex(value)}`],
  ['hmarkProtoMask', value => `proto-mask ${hex(value)}`],
  ['hmarkRnd', value => `rnd ${hex(value)}`],
]

/** Two ports or an SPI in the same four bytes. */
const ports = struct({ source: be16, destination: be16 })
interface Ports { source: number, destination: number }
const portsCodec: FixedCodec<Ports> = inner(ports)

function writePorts(source: number | undefined, destination: number | undefined, spi: number | undefined): Ports {
  return spi === undefined ? { source: source ?? 0, destination: destination ?? 0 } : { source: spi >>> 16, destination: spi & 0xffff }
}

const spiOf = ({ source, destination }: Ports): number => source * 0x10000 + destination

export const HMARK: Extension<typeof options> = extension({
  name: 'HMARK',
  options,
  tables: ['mangle'],
  layout: struct({
    src: inetAddress, dst: inetAddress, mask: portsCodec, set: portsCodec, flags: u32, proto: u16, _: padding(2),
    random: u32, modulus: u32, offset: u32,
  }),
  check(given) {
    const { hmarkMod, hmarkRnd, hmarkSpiMask, hmarkSportMask, hmarkDportMask, hmarkSpi, hmarkSport, hmarkDport } = given
    if (hmarkMod === undefined) return ['hmarkMod', options.hmarkMod.kind.accepted]
    if (hmarkRnd === undefined) return ['hmarkRnd', hex32.accepted]
    if (hmarkSpiMask !== undefined && (hmarkSportMask ?? hmarkDportMask) !== undefined) return ['hmarkSpiMask', 'nothing beside masks of ports']
    if (hmarkSpi !== undefined && (hmarkSport ?? hmarkDport) !== undefined) return ['hmarkSpi', 'nothing beside ports']
    const some = fields.some(field => !['hmarkMod', 'hmarkRnd', 'hmarkOffset'].includes(field) && given[field] !== undefined)
    return some ? undefined : ['hmarkTuple', tupleKind.accepted]
  },
  write: given => ({
    src: prefixMask(16, given.hmarkSrcPrefix?.value ?? 0),
    dst: prefixMask(16, given.hmarkDstPrefix?.value ?? 0),
    mask: writePorts(given.hmarkSportMask?.value, given.hmarkDportMask?.value, given.hmarkSpiMask?.value),
    set: writePorts(given.hmarkSport?.value, given.hmarkDport?.value, given.hmarkSpi?.value),
    flags: saidBits(bits, given),
    proto: given.hmarkProtoMask?.value,
    random: given.hmarkRnd?.value,
    modulus: given.hmarkMod?.value,
    offset: given.hmarkOffset?.value,
  }),
  read({ src, dst, mask, set, flags, proto, random, modulus, offset }, { family }) {
    const lengths = [src, dst].map(bytes => prefixLength(fromInet(bytes, family)))
    if (lengths.includes(undefined)) return undefined
    const values: Record<Field, unknown> = {
      hmarkSrcPrefix: lengths[0], hmarkDstPrefix: lengths[1], hmarkSportMask: mask.source, hmarkDportMask: mask.destination,
      hmarkSpiMask: spiOf(mask), hmarkSport: set.source, hmarkDport: set.destination, hmarkSpi: spiOf(set), hmarkProtoMask: proto,
      hmarkRnd: random, hmarkMod: modulus, hmarkOffset: offset, hmarkTuple: 'ct',
    }
    const said = readBits([bits, flags])
    return Object.fromEntries(fields.map(field => [field, said(field, values[field])])) as Given<typeof options>
  },
  list: given => `HMARK ${labels.flatMap(([field, label]) => (given[field] === undefined ? [] : [`${label(given[field].value as number)} `])).join('')}`,
})
