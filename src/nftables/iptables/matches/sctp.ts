/** What stands in the headers of SCTP. Sources: linux/netfilter/xt_sctp.h, IANA "SCTP Parameters". */
import { u16, u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { notBits, readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable } from '../extension.ts'
import type { Extension } from '../extension.ts'
import type { Kind } from '../values.ts'
import { bytes } from '../xt.ts'
import { listPorts, noPort, portOptions } from './ports.ts'

const chunkTypes = {
  DATA: 0, INIT: 1, INIT_ACK: 2, SACK: 3, HEARTBEAT: 4, HEARTBEAT_ACK: 5, ABORT: 6, SHUTDOWN: 7, SHUTDOWN_ACK: 8, ERROR: 9,
  COOKIE_ECHO: 10, COOKIE_ACK: 11, ECN_ECNE: 12, ECN_CWR: 13, SHUTDOWN_COMPLETE: 14, I_DATA: 64, ASCONF_ACK: 128, RE_CONFIG: 130,
  PAD: 132, FORWARD_TSN: 192, ASCONF: 193, I_FORWARD_TSN: 194,
} as const
export type SctpChunk = keyof typeof chunkTypes
const chunkNames = Object.keys(chunkTypes) as SctpChunk[]

/** Bytes of the map, of which the first 32 have a bit for each type. */
const CHUNK_MAP = 256

/** Letters of flags, from bit 3 down. The tool itself mistakes the type of any other chunk with flags. */
const chunkFlags: Partial<Record<SctpChunk, string>> = { DATA: 'IUBE', ABORT: '   T', SHUTDOWN_COMPLETE: '   T' }

/** Whether any, all or only these stand in a packet. */
const quantifiers = { any: c.SCTP_CHUNK_MATCH_ANY, all: c.SCTP_CHUNK_MATCH_ALL, only: c.SCTP_CHUNK_MATCH_ONLY } as const
type Quantifier = keyof typeof quantifiers

export interface SctpChunks {
  match: Quantifier
  /** By type, each with flags or not: `DATA:Be`, of which the great letters are set and the small ones clear. */
  chunks: readonly string[] | 'ALL' | 'NONE'
}

interface ChunkFlags {
  mask: number
  set: number
}

/** `Be` of DATA. undefined: a letter that is none of the chunk's. */
function parseFlags(name: SctpChunk, letters: string): ChunkFlags | undefined {
  const flags = { mask: 0, set: 0 }
  for (const letter of letters) {
    const at = (chunkFlags[name] ?? '').indexOf(letter.toUpperCase())
    if (at < 0 || letter === ' ') return undefined
    const bit = 8 >> at
    flags.mask |= bit
    if (letter !== letter.toLowerCase()) flags.set |= bit
  }
  return flags
}

function formatFlags(name: SctpChunk, { mask, set }: ChunkFlags): string {
  const letters = [...chunkFlags[name] ?? ''].flatMap((letter, at) => {
    const bit = 8 >> at
    return (mask & bit) === 0 ? [] : [(set & bit) === 0 ? letter.toLowerCase() : letter]
  })
  return letters.length === 0 ? '' : `:${letters.join('')}`
}

/** A chunk as it is kept: its name and flags in their order. */
function parseChunk(text: string): { name: SctpChunk, flags: ChunkFlags } | undefined {
  const [given = '', letters = '', ...rest] = text.split(':')
  const name = chunkNames.find(known => known === given.toUpperCase())
  const flags = name === undefined || rest.length > 0 ? undefined : parseFlags(name, letters)
  return name === undefined || flags === undefined ? undefined : { name, flags }
}

function parseChunks(text: string): SctpChunks['chunks'] | undefined {
  const whole = text.toUpperCase()
  if (whole === 'ALL' || whole === 'NONE') return whole
  const given = text.split(',').map(parseChunk)
  if (given.some(each => each === undefined)) return undefined
  const chunks = chunkNames.flatMap(name => {
    const same = given.flatMap(each => (each?.name === name ? [each.flags] : []))
    const flags = same.reduce((all, { mask, set }) => ({ mask: all.mask | mask, set: all.set | set }), { mask: 0, set: 0 })
    return same.length === 0 ? [] : [{ name, text: name + formatFlags(name, flags), flagged: flags.mask !== 0 }]
  })
  return chunks.filter(({ flagged }) => flagged).length > c.XT_NUM_SCTP_FLAGS ? undefined : chunks.map(each => each.text)
}

const chunkList: Kind<SctpChunks> = {
  words: 2,
  accepted: `any, all or only, and ALL, NONE or some of ${chunkNames.join(', ')}, of which DATA may have flags behind a colon (IUBE), ` +
    'ABORT and SHUTDOWN_COMPLETE T',
  parse(text) {
    const [match = '', given = '', ...rest] = text.trim().split(/\s+/)
    const quantifier = match.toLowerCase()
    const chunks = parseChunks(given)
    return chunks === undefined || rest.length > 0 || !Object.hasOwn(quantifiers, quantifier) ? undefined
      : { match: quantifier as Quantifier, chunks }
  },
  format: ({ match, chunks }) => `${match} ${typeof chunks === 'string' ? chunks : chunks.join(',')}`,
  type: ({ match, chunks }) => `${match} ${typeof chunks === 'string' ? chunks : chunks.join(',')}`,
}

/** A bit a type, and types with flags: each its number, the flags that are set, and those that are looked at. */
function writeChunks({ match, chunks }: SctpChunks): { map: Uint8Array, match: number, flagInfo: number[], flagCount: number } {
  const map = new Uint8Array(CHUNK_MAP).fill(chunks === 'ALL' ? 0xff : 0)
  const flagInfo: number[] = []
  for (const text of typeof chunks === 'string' ? [] : chunks) {
    const chunk = parseChunk(text)
    if (chunk === undefined) continue
    const type = chunkTypes[chunk.name]
    map[type >> 3] = (map[type >> 3] ?? 0) | 1 << (type & 7)
    if (chunk.flags.mask !== 0) flagInfo.push(type, chunk.flags.set, chunk.flags.mask)
  }
  return { map, match: quantifiers[match], flagInfo, flagCount: flagInfo.length / 3 }
}

/** undefined: what the option cannot say. */
function readChunks(map: Uint8Array, number: number, flagInfo: Uint8Array, flagCount: number): SctpChunks | undefined {
  const match = (Object.keys(quantifiers) as Quantifier[]).find(name => quantifiers[name] === number)
  if (match === undefined || flagCount > c.XT_NUM_SCTP_FLAGS) return undefined
  if (map.every(byte => byte === 0)) return { match, chunks: 'NONE' }
  if (map.every(byte => byte === 0xff)) return { match, chunks: 'ALL' }
  const has = (type: number): boolean => ((map[type >> 3] ?? 0) & 1 << (type & 7)) !== 0
  const named = chunkNames.filter(name => has(chunkTypes[name]))
  if (named.length !== Array.from({ length: 256 }, (_, type) => type).filter(has).length) return undefined
  const flags = Array.from({ length: flagCount }, (_, index) => flagInfo.subarray(3 * index, 3 * index + 3))
  if (flags.some(([type]) => !named.some(name => chunkTypes[name] === type && chunkFlags[name] !== undefined))) return undefined
  return {
    match,
    chunks: named.map(name => {
      const [, set = 0, mask = 0] = flags.find(([type]) => type === chunkTypes[name]) ?? []
      return name + formatFlags(name, { mask, set })
    }),
  }
}

function listChunks({ match, chunks }: SctpChunks): string {
  if (typeof chunks === 'string') return `${match} ${chunks}`
  const numbered = chunks.map(text => {
    const [name = '', flags] = text.split(':')
    const number = chunkTypes[name as SctpChunk].toString(16).toUpperCase().padStart(4, '0')
    return `0x${number}${flags === undefined ? '' : `:${flags}`}`
  })
  return `${match} ${numbered.join(',')}`
}

const options = { ...portOptions, chunkTypes: negatable(chunkList) }
const bits = { sport: c.XT_SCTP_SRC_PORTS, dport: c.XT_SCTP_DEST_PORTS, chunkTypes: c.XT_SCTP_CHUNK_TYPES } as const
/** Of a type that is none: no flags. */
const NO_FLAGS = [0xff, 0, 0]

export const sctp: Extension<typeof options> = extension({
  name: 'sctp',
  options,
  protocols: [132],
  layout: struct({
    dportMin: u16, dportMax: u16, sportMin: u16, sportMax: u16, chunks: bytes(CHUNK_MAP), chunkMatch: u32,
    flagInfo: bytes(3 * c.XT_NUM_SCTP_FLAGS), flagCount: u32, flags: u32, invflags: u32,
  }),
  check: noPort,
  write(given) {
    const said = given.chunkTypes === undefined ? undefined : writeChunks(given.chunkTypes.value)
    const flagInfo = Array.from({ length: c.XT_NUM_SCTP_FLAGS }, () => NO_FLAGS).flat()
    return {
      sportMin: given.sport?.value[0], sportMax: given.sport?.value[1], dportMin: given.dport?.value[0], dportMax: given.dport?.value[1],
      chunks: said?.map, chunkMatch: said?.match, flagCount: said?.flagCount,
      flagInfo: Uint8Array.from(flagInfo, (empty, at) => said?.flagInfo[at] ?? empty),
      flags: saidBits(bits, given), invflags: notBits(bits, given),
    }
  },
  read({ sportMin, sportMax, dportMin, dportMax, chunks, chunkMatch, flagInfo, flagCount, flags, invflags }) {
    const said = readBits([bits, flags], [bits, invflags])
    const hasChunks = (flags & bits.chunkTypes) !== 0
    const read = hasChunks ? readChunks(chunks, chunkMatch, flagInfo, flagCount) : undefined
    if (hasChunks && read === undefined) return undefined
    return {
      sport: said('sport', [sportMin, sportMax]), dport: said('dport', [dportMin, dportMax]),
      chunkTypes: read === undefined ? undefined : said('chunkTypes', read),
    }
  },
  list: given => ['sctp', ...listPorts(given),
    ...(given.chunkTypes === undefined ? [] : [`${bang(given.chunkTypes, ' ')}${listChunks(given.chunkTypes.value)}`])].join(' '),
})
