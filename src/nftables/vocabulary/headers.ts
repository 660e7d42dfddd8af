/** Fields of packets' headers: `ip.saddr`, `tcp.dport`, `ether.type`, … Source: nft(8) "PAYLOAD EXPRESSIONS". */
import { check, wholeNumber } from '../../checks.ts'
import { InvalidArgumentError, UnsupportedError } from '../../errors.ts'
import { NFT_PAYLOAD_L4CSUM_PSEUDOHDR } from '../constants.ts'
import type { DatatypeName } from '../datatypes.ts'
import type { Expression } from '../expressions.ts'
import { isExpression } from '../expressions.ts'
import { headers, transportProtocols } from '../headers.ts'
import type { HeaderBase, HeaderField, HeaderName } from '../headers.ts'
import { maskWith } from './match.ts'
import { isNeed, need } from './parts.ts'
import type { Need, Source, ValueType, Word } from './parts.ts'
import { constantLoad, maskedField, settable } from './selector.ts'
import type { Settable } from './selector.ts'
import type { Scalar } from './values.ts'

type Camel<S extends string> = S extends `${infer A}-${infer B}` | `${infer A} ${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S
type ScalarOf<T extends DatatypeName> = T extends 'ipv4_addr' | 'ipv6_addr' | 'ether_addr' ? string : Scalar
type FieldsOf<H extends HeaderName> = (typeof headers)[H]['fields']
type Words<H extends HeaderName> = {
  readonly [F in keyof FieldsOf<H> & string as Camel<F>]: Settable<ScalarOf<DatatypeName>>
}

function camel(name: string): string {
  return name.replace(/[- ](\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** Where the checksum stands that covers a header, in bytes from its start. Of UDP 0 means none, which the kernel keeps. */
const checksums: Partial<Record<HeaderName, { offset: number, type: 'inet' | 'sctp' }>> = {
  ip: { offset: 10, type: 'inet' },
  icmp: { offset: 2, type: 'inet' },
  icmpv6: { offset: 2, type: 'inet' },
  igmp: { offset: 2, type: 'inet' },
  tcp: { offset: 16, type: 'inet' },
  udp: { offset: 6, type: 'inet' },
  udplite: { offset: 6, type: 'inet' },
  sctp: { offset: 8, type: 'sctp' },
}

function needsOf(name: HeaderName, word: string): Need[] {
  switch (name) {
    case 'ether': return [need({ word, link: 'ether' })]
    case 'vlan': return [need({ word, link: 'ether', vlan: true })]
    case 'ip': case 'ip6': case 'arp': return [need({ word, network: name })]
    case 'th': return []
    default: {
      const transport = transportProtocols[name]
      const network = name === 'icmp' || name === 'igmp' ? 'ip' : name === 'icmpv6' ? 'ip6' : undefined
      return transport === undefined ? [] : [need({ word, ...(network === undefined ? {} : { network }), transport })]
    }
  }
}

function headerWords<H extends HeaderName>(name: H): Words<H> {
  const { base, fields } = headers[name] as { base: HeaderBase, fields: Readonly<Record<string, HeaderField>> }
  return Object.fromEntries(Object.entries(fields).map(([field, place]) => {
    const word = `${name} ${field}`
    return [camel(field), payloadField(word, base, place, needsOf(name, word), name)]
  })) as unknown as Words<H>
}

interface Span {
  /** In bytes. */
  offset: number
  length: number
  mask: Uint8Array
  /** Bits behind the field in its last byte. */
  shift: number
  whole: boolean
}

function spanOf({ offset, length }: Pick<HeaderField, 'offset' | 'length'>): Span {
  const first = offset >> 3
  const bytes = ((offset + length + 7) >> 3) - first
  const mask = new Uint8Array(bytes)
  for (let bit = offset; bit < offset + length; bit++) {
    const at = (bit >> 3) - first
    mask[at] = (mask[at] ?? 0) | 0x80 >> (bit & 7)
  }
  return { offset: first, length: bytes, mask, shift: (first + bytes) * 8 - offset - length, whole: offset % 8 === 0 && length % 8 === 0 }
}

function payloadField(word: string, base: HeaderBase, field: HeaderField, needs: readonly Need[], header?: HeaderName): Settable {
  const span = spanOf(field)
  const types: readonly ValueType[] = [{ type: field.type, size: span.length, order: 'big' }]
  const loadBytes = constantLoad((register: number, length: number): Word =>
    [...needs, { name: 'payload', data: { dreg: register, base, offset: span.offset, len: length } }])
  const source: Source & { types: readonly ValueType[] } = { word, types, load: register => loadBytes(register, span.length) }
  const matchable = span.whole ? { ...source, loadPart: loadBytes } : maskedField(source, span.mask, span.shift)
  return settable(matchable, value => [...needs, ...writeField(word, base, span, value, header)])
}

function writeField(word: string, base: HeaderBase, span: Span, value: Word, header: HeaderName | undefined): Word {
  const checksum = header === undefined ? undefined : checksums[header]
  const needs = value.filter(isNeed)
  // Checksums are mended in words of two bytes, so that is what has to be written.
  const uneven = checksum !== undefined && (span.offset % 2 !== 0 || span.length % 2 !== 0)
  if (span.whole && !uneven) return [...value, write(base, span.offset, span.length, checksum, covered(word, header))]
  const constant = value.filter(part => !isNeed(part)) as Expression[]
  const bytes = constant.length === 1 && isExpression(constant[0], 'immediate') ? constant[0].data.data?.value : undefined
  if (bytes === undefined) throw new UnsupportedError(word, `${word} can only be set to a constant: it fills no whole words of the packet`)
  const start = checksum === undefined ? span.offset : span.offset & ~1
  const end = checksum === undefined ? span.offset + span.length : (span.offset + span.length + 1) & ~1
  const mask = new Uint8Array(end - start).fill(0xff)
  const xor = new Uint8Array(end - start)
  placeBits(bytes, span).forEach((byte, at) => {
    const field = span.mask[at] ?? 0
    if ((byte & ~field) !== 0) throw new InvalidArgumentError(word, bytes, 'a value that fits the field')
    mask[span.offset - start + at] = ~field & 0xff
    xor[span.offset - start + at] = byte
  })
  return [
    ...needs,
    { name: 'payload', data: { dreg: 1, base, offset: start, len: end - start } },
    maskWith(mask, xor),
    write(base, start, end - start, checksum, covered(word, header)),
  ]
}

/** Moved to where the field stands in its bytes. */
function placeBits(bytes: Uint8Array, { length, shift }: Span): Uint8Array {
  let number = 0n
  for (const byte of bytes) number = number << 8n | BigInt(byte)
  number <<= BigInt(shift)
  const placed = new Uint8Array(length)
  for (let at = length - 1; at >= 0; at--, number >>= 8n) placed[at] = Number(number & 0xffn)
  return placed
}

/** What is part of the pseudo header that transport checksums cover. */
function covered(word: string, header: HeaderName | undefined): boolean {
  return (header === 'ip' || header === 'ip6') && / (saddr|daddr|protocol|nexthdr|length)$/.test(word)
}

function write(
  base: HeaderBase, offset: number, len: number, checksum: { offset: number, type: 'inet' | 'sctp' } | undefined, pseudo: boolean,
): Expression {
  return {
    name: 'payload',
    data: {
      sreg: 1, base, offset, len,
      ...(checksum === undefined ? {} : { csumType: checksum.type, csumOffset: checksum.offset }),
      ...(pseudo ? { csumFlags: NFT_PAYLOAD_L4CSUM_PSEUDOHDR } : {}),
    },
  }
}

export const ether: Words<'ether'> = headerWords('ether')
export const vlan: Words<'vlan'> = headerWords('vlan')
export const arp: Words<'arp'> = headerWords('arp')
export const ip: Words<'ip'> = headerWords('ip')
export const ip6: Words<'ip6'> = headerWords('ip6')
export const icmp: Words<'icmp'> = headerWords('icmp')
export const icmpv6: Words<'icmpv6'> = headerWords('icmpv6')
export const igmp: Words<'igmp'> = headerWords('igmp')
export const tcp: Words<'tcp'> = headerWords('tcp')
export const udp: Words<'udp'> = headerWords('udp')
export const udplite: Words<'udplite'> = headerWords('udplite')
export const sctp: Words<'sctp'> = headerWords('sctp')
export const dccp: Words<'dccp'> = headerWords('dccp')
export const esp: Words<'esp'> = headerWords('esp')
export const ah: Words<'ah'> = headerWords('ah')
export const comp: Words<'comp'> = headerWords('comp')
/** The ports of whatever transport protocol: say which before. */
export const th: Words<'th'> = headerWords('th')

const anOffset = wholeNumber(0, 0xffff * 8, 'bits')
const aLength = wholeNumber(1, 128, 'bits')
const rawBases = { ll: 'link', nh: 'network', th: 'transport' } as const

/** Bits of the packet wherever they are: nft's `@th,16,16`. Offset and length in bits. */
export function payload(base: keyof typeof rawBases, offset: number, length: number): Settable {
  if (typeof base !== 'string' || !Object.hasOwn(rawBases, base)) throw new InvalidArgumentError('base', base, 'll, nh or th')
  check('offset', offset, anOffset)
  check('length', length, aLength)
  const word = `@${base},${offset},${length}`
  return payloadField(word, rawBases[base], { offset, length, type: 'integer' }, [])
}
