/** Options of TCP and IPv4, IPv6 extension headers, SCTP chunks. Source: nft(8) "EXTENSION HEADER EXPRESSIONS"; the RFCs. */
import { NFT_EXTHDR_F_PRESENT } from '../constants.ts'
import type { DatatypeName } from '../datatypes.ts'
import type { ExpressionData } from '../expressions.ts'
import { compare } from '../primitives.ts'
import { need } from './parts.ts'
import type { Need, Word } from './parts.ts'
import { maskedField, selector, settable } from './selector.ts'
import type { Selector, Settable } from './selector.ts'

type Op = NonNullable<ExpressionData<'exthdr'>['op']>
/** In bits from the start of the option or header; the type where it is no plain number. */
type Fields = Readonly<Record<string, readonly [offset: number, length: number, type?: DatatypeName]>>

/** An option or extension header: its fields, and whether it is there. */
export type OptionWords<F extends Fields, W> = { readonly [K in keyof F]: W } & {
  exists(): Word
  missing(): Word
}

function optionWords<const F extends Fields, W extends Selector | Settable>(
  op: Op, word: string, type: number, fields: F, needs: readonly Need[],
): OptionWords<F, W> {
  const present = (wanted: 0 | 1) => (): Word => [...needs, {
    name: 'exthdr', data: { dreg: 1, type, offset: 0, len: 1, op, flags: NFT_EXTHDR_F_PRESENT },
  }, compare('eq', Uint8Array.of(wanted))]
  const words = Object.fromEntries(Object.entries(fields).map(([field, place]) =>
    [field, optionField(op, `${word} ${field}`, type, place, needs)]))
  return { ...words, exists: present(1), missing: present(0) } as unknown as OptionWords<F, W>
}

function optionField(
  op: Op, word: string, type: number, [offset, length, valueType = 'integer']: Fields[string], needs: readonly Need[],
): Selector | Settable {
  const first = offset >> 3
  const len = ((offset + length + 7) >> 3) - first
  const source = {
    word,
    types: [{ type: valueType, size: len, order: 'big' }] as const,
    load: (dreg: number): Word => [...needs, { name: 'exthdr', data: { dreg, type, offset: first, len, op, flags: 0 } }],
  }
  if (offset % 8 === 0 && length % 8 === 0) {
    if (op !== 'tcp option') return selector(source)
    return settable(source, value => [...toHeader(value, len), { name: 'exthdr', data: { sreg: 1, type, offset: first, len, op } }])
  }
  const shift = (first + len) * 8 - offset - length
  const mask = new Uint8Array(len)
  for (let bit = offset; bit < offset + length; bit++) {
    const at = (bit >> 3) - first
    mask[at] = (mask[at] ?? 0) | 0x80 >> (bit & 7)
  }
  return selector(maskedField(source, mask, shift))
}

/** What the kernel holds as a number of its own (a route's MTU) is turned as the packet wants it. */
function toHeader(value: Word, len: number): Word {
  const last = value.at(-1)
  if (last?.name !== 'rt' || len < 2) return value
  return [...value, { name: 'byteorder', data: { sreg: 1, dreg: 1, op: 'hton', len, size: len } }]
}

const tcpOptionWords = <const F extends Fields>(name: string, type: number, fields: F): OptionWords<F, Settable> =>
  optionWords('tcp option', `tcp option ${name}`, type, fields, [])

const kindAndLength = { kind: [0, 8], length: [8, 8] } as const

/** `tcpOption.maxseg.size.set(rt.mtu)` fits the segments of connections to their route. */
export const tcpOption = {
  eol: tcpOptionWords('eol', 0, { kind: [0, 8] }),
  nop: tcpOptionWords('nop', 1, { kind: [0, 8] }),
  maxseg: tcpOptionWords('maxseg', 2, { ...kindAndLength, size: [16, 16] }),
  window: tcpOptionWords('window', 3, { ...kindAndLength, count: [16, 8] }),
  sackPerm: tcpOptionWords('sack-perm', 4, kindAndLength),
  sack: tcpOptionWords('sack', 5, { ...kindAndLength, left: [16, 32], right: [48, 32] }),
  timestamp: tcpOptionWords('timestamp', 8, { ...kindAndLength, tsval: [16, 32], tsecr: [48, 32] }),
  fastopen: tcpOptionWords('fastopen', 34, kindAndLength),
  md5sig: tcpOptionWords('md5sig', 19, kindAndLength),
  mptcp: tcpOptionWords('mptcp', 30, { ...kindAndLength, subtype: [16, 4] }),
} as const

const ipOptionWords = <const F extends Fields>(name: string, type: number, fields: F): OptionWords<F, Selector> =>
  optionWords('ip option', `ip option ${name}`, type, fields, [need({ word: `ip option ${name}`, network: 'ip' })])

const route = { type: [0, 8], length: [8, 8], ptr: [16, 8], addr: [24, 32] } as const

export const ipOption = {
  rr: ipOptionWords('rr', 7, route),
  lsrr: ipOptionWords('lsrr', 131, route),
  ssrr: ipOptionWords('ssrr', 137, route),
  ra: ipOptionWords('ra', 148, { type: [0, 8], length: [8, 8], value: [16, 16] }),
} as const

const ip6Header = <const F extends Fields>(name: string, type: number, fields: F): OptionWords<F, Selector> =>
  optionWords('ipv6', name, type, fields, [need({ word: `exthdr ${name}`, network: 'ip6' })])

const nextAndLength = { nexthdr: [0, 8, 'inet_proto'], hdrlength: [8, 8] } as const

/** Extension headers of IPv6. */
export const exthdr = {
  hbh: ip6Header('hbh', 0, nextAndLength),
  rt: ip6Header('rt', 43, { ...nextAndLength, type: [16, 8], segLeft: [24, 8] }),
  frag: ip6Header('frag', 44, {
    nexthdr: [0, 8, 'inet_proto'], reserved: [8, 8], fragOff: [16, 13], reserved2: [29, 2], moreFragments: [31, 1], id: [32, 32],
  }),
  dst: ip6Header('dst', 60, nextAndLength),
  mh: ip6Header('mh', 135, { ...nextAndLength, type: [16, 8, 'mh_type'], reserved: [24, 8], checksum: [32, 16] }),
} as const

const chunkHead = { type: [0, 8], flags: [8, 8], length: [16, 16] } as const

const sctpChunkWords = <const F extends Fields>(name: string, type: number, fields: F): OptionWords<F & typeof chunkHead, Selector> =>
  optionWords('sctp chunk', `sctp chunk ${name}`, type, { ...chunkHead, ...fields }, [])

const initFields = {
  initTag: [32, 32], aRwnd: [64, 32], numOutboundStreams: [96, 16], numInboundStreams: [112, 16], initialTsn: [128, 32],
} as const

export const sctpChunk = {
  data: sctpChunkWords('data', 0, { tsn: [32, 32], stream: [64, 16], ssn: [80, 16], ppid: [96, 32] }),
  init: sctpChunkWords('init', 1, initFields),
  initAck: sctpChunkWords('init-ack', 2, initFields),
  sack: sctpChunkWords('sack', 3, { cumTsnAck: [32, 32], aRwnd: [64, 32], numGapAckBlocks: [96, 16], numDupTsns: [112, 16] }),
  heartbeat: sctpChunkWords('heartbeat', 4, {}),
  heartbeatAck: sctpChunkWords('heartbeat-ack', 5, {}),
  abort: sctpChunkWords('abort', 6, {}),
  shutdown: sctpChunkWords('shutdown', 7, { cumTsnAck: [32, 32] }),
  shutdownAck: sctpChunkWords('shutdown-ack', 8, {}),
  error: sctpChunkWords('error', 9, {}),
} as const
