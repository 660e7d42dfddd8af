/**
 * Queueing disciplines as requests and records: htb, tbf, sfq, fq_codel, pfifo, bfifo, ingress, clsact; others are read with
 * their options raw. Source: tc(8), tc-htb(8), tc-tbf(8), tc-sfq(8), tc-fq_codel(8), linux/pkt_sched.h.
 */
import { aText, checkGiven } from '../../checks.ts'
import { InvalidArgumentError, checkFields, didYouMean } from '../../errors.ts'
import { bool32, raw, scaled, string, u32, u64, u8 } from '../../netlink/codecs.ts'
import type { Codec } from '../../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../../netlink/constants.ts'
import { change, dump } from '../../netlink/message.ts'
import type { AnyRequest, Message } from '../../netlink/message.ts'
import { attributes, dependent, struct } from '../../netlink/table.ts'
import type { TableValues } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { formatHandle, formatParent, parseHandle, parseParent, statisticsAttributes, statisticsOf, structCodec, tcmsg } from './message.ts'
import type { Handle, TcHeader, TcStatistics } from './message.ts'
import { checkBytes, rateOf, ratespec, sizeOf, ticksOf } from './rates.ts'

const spec = structCodec(ratespec)
const rateField = { ...spec, size: ratespec.size }

const htbGlobal = structCodec(struct({ version: u32, r2q: u32, default: u32, debug: u32, directPackets: u32 }))
const htbClass = structCodec(struct({
  rate: rateField, ceil: rateField, buffer: u32, cbuffer: u32, quantum: u32, level: u32, prio: u32,
}))
export const htbAttributes = attributes({
  parameters: [c.TCA_HTB_PARMS, htbClass],
  init: [c.TCA_HTB_INIT, htbGlobal],
  rate64: [c.TCA_HTB_RATE64, u64],
  ceil64: [c.TCA_HTB_CEIL64, u64],
  rateTable: [c.TCA_HTB_RTAB, raw],
  ceilTable: [c.TCA_HTB_CTAB, raw],
  directQlen: [c.TCA_HTB_DIRECT_QLEN, u32],
})

const tbfAttributes = attributes({
  parameters: [c.TCA_TBF_PARMS, structCodec(struct({ rate: rateField, peakrate: rateField, limit: u32, buffer: u32, mtu: u32 }))],
  burst: [c.TCA_TBF_BURST, u32],
  rate64: [c.TCA_TBF_RATE64, u64],
  rateTable: [c.TCA_TBF_RTAB, raw],
  peakrate64: [c.TCA_TBF_PRATE64, u64],
  peakBurst: [c.TCA_TBF_PBURST, u32],
  peakTable: [c.TCA_TBF_PTAB, raw],
})

const sfqOptions = structCodec(struct({
  quantum: u32, perturbMs: scaled(u32, 1000), limit: u32, divisor: u32, flows: u32,
  depth: u32, headDrop: bool32,
  redLimit: u32, redMin: u32, redMax: u32, redWlog: u8, redPlog: u8, redScellLog: u8, redFlags: u8, redMaxP: u32,
  probDrop: u32, forcedDrop: u32, probMark: u32, forcedMark: u32, probMarkHead: u32, forcedMarkHead: u32,
}))

/** Microseconds. */
const micros = scaled(u32, 0.001)
const fqCodelAttributes = attributes({
  limit: [c.TCA_FQ_CODEL_LIMIT, u32],
  flows: [c.TCA_FQ_CODEL_FLOWS, u32],
  quantum: [c.TCA_FQ_CODEL_QUANTUM, u32],
  intervalMs: [c.TCA_FQ_CODEL_INTERVAL, micros],
  targetMs: [c.TCA_FQ_CODEL_TARGET, micros],
  ceThresholdMs: [c.TCA_FQ_CODEL_CE_THRESHOLD, micros],
  ecn: [c.TCA_FQ_CODEL_ECN, bool32],
  memoryLimit: [c.TCA_FQ_CODEL_MEMORY_LIMIT, u32],
  dropBatch: [c.TCA_FQ_CODEL_DROP_BATCH_SIZE, u32],
})
const fifoOptions = structCodec(struct({ limit: u32 }))

const optionTables = {
  htb: htbAttributes, tbf: tbfAttributes, sfq: sfqOptions, fq_codel: fqCodelAttributes, pfifo: fifoOptions, bfifo: fifoOptions,
}
const qdiscAttributes = attributes({
  kind: [c.TCA_KIND, string(15)],
  options: [c.TCA_OPTIONS, dependent('kind', optionTables as Record<string, Codec<object>>)],
  statistics: [c.TCA_STATS2, statisticsAttributes],
})
const qdiscMessage = { header: tcmsg, attributes: qdiscAttributes }

/** Hierarchical token bucket: rates are those of its classes. */
export interface HtbQdisc {
  /** Minor number of the class for packets that no filter classifies; 0: none, they are not shaped. */
  default?: number | undefined
  /** By which a class's rate is divided to have its quantum. Default 10. */
  r2q?: number | undefined
  directQlen?: number | undefined
}

/** Token bucket filter. Rates in bytes a second, sizes in bytes. */
export interface TbfQdisc {
  rate: number
  burst: number
  /** What may wait. Either this or `latencyMs`. */
  limit?: number | undefined
  /** How long a packet may wait. */
  latencyMs?: number | undefined
  /** With `mtu`. */
  peakrate?: number | undefined
  mtu?: number | undefined
}

/** Stochastic fairness. */
export interface SfqQdisc {
  /** How often the hash changes; whole seconds, 0: never. */
  perturbMs?: number | undefined
  /** Bytes. */
  quantum?: number | undefined
  /** Packets. */
  limit?: number | undefined
  divisor?: number | undefined
  flows?: number | undefined
  depth?: number | undefined
  headDrop?: boolean | undefined
}

/** Fair queueing with controlled delay; see tc-fq_codel(8). Sizes in bytes, but `limit` in packets. */
export type FqCodelQdisc = Omit<TableValues<typeof fqCodelAttributes>, 'raw'>

export interface QdiscOptions {
  htb?: HtbQdisc
  tbf?: TbfQdisc
  sfq?: SfqQdisc
  fq_codel?: FqCodelQdisc
  /** `limit` in packets. */
  pfifo?: { limit?: number | undefined }
  /** `limit` in bytes. */
  bfifo?: { limit?: number | undefined }
}

const kinds = ['htb', 'tbf', 'sfq', 'fq_codel', 'pfifo', 'bfifo', 'ingress', 'clsact'] as const
export type QdiscKind = typeof kinds[number]

/** Options stand under the kind's name. */
export interface QdiscSpec extends QdiscOptions {
  kind: QdiscKind
  /** `root` (the default) or a class, e.g. `1:2`. Of ingress and clsact none. */
  parent?: Handle
  /** e.g. `1:`. Chosen by the kernel if left out. */
  handle?: Handle
}

/** A queueing discipline as the kernel shows it. */
export interface Qdisc extends QdiscOptions {
  /** Of the link. */
  index: number
  kind: string
  handle: Handle
  /** `root`, `ingress`, or a class. */
  parent: Handle
  statistics: TcStatistics | undefined
  /** Options of a kind that virbr does not know. */
  rawOptions?: Uint8Array
}

/** `add`: none but the default one is there. `replace`: in place of another. `change`: of the same kind, kept. */
export type TcVerb = 'add' | 'replace' | 'change'
export const verbFlags = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE, change: 0 } as const

export function newQdisc(index: number, qdisc: QdiscSpec, verb: TcVerb = 'add'): AnyRequest {
  const kind = checkKind(qdisc, kinds, 'a queueing discipline')
  checkFields(qdisc, ['kind', 'parent', 'handle', ...(kind === 'ingress' || kind === 'clsact' ? [] : [kind])], `a queueing discipline of kind ${kind}`)
  return change({
    type: c.RTM_NEWQDISC, flags: verbFlags[verb], format: qdiscMessage,
    header: placeOf(index, qdisc),
    attributes: { kind, options: optionsOf(kind, qdisc) },
    operation: `${verb} ${kind} qdisc`,
    callerNames: { 'options.init': kind, options: kind },
  })
}

export function checkKind<K extends string>(given: { kind: unknown }, known: readonly K[], what: string): K {
  if (typeof given !== 'object' || given === null) throw new InvalidArgumentError(what.replace(/^an? /, ''), given, what)
  const { kind } = given
  if (known.includes(kind as K)) return kind as K
  throw new InvalidArgumentError('kind', kind, `one of ${known.join(', ')}${typeof kind === 'string' ? didYouMean(kind, known) : ''}`)
}

function placeOf(index: number, { kind, parent, handle }: { kind?: string | undefined, parent?: unknown, handle?: unknown }): object {
  checkGiven('kind', kind, aText)
  if (kind === 'ingress' || kind === 'clsact') {
    if (parent !== undefined && parent !== 'ingress') throw new InvalidArgumentError('parent', parent, `nothing with ${kind}`)
    return { index, handle: 0xffff0000, parent: c.TC_H_INGRESS }
  }
  return {
    index,
    handle: handle === undefined ? 0 : parseHandle(handle, 'handle'),
    parent: parent === 'ingress' ? c.TC_H_INGRESS : parseParent(parent === undefined ? 'root' : parent),
  }
}

function optionsOf(kind: QdiscKind, qdisc: QdiscSpec): object | undefined {
  if (kind === 'htb') return htbOptions(qdisc.htb)
  if (kind === 'tbf') return tbfOptions(qdisc.tbf)
  if (kind === 'sfq') return sfqSpec(qdisc.sfq)
  if (kind === 'ingress' || kind === 'clsact') return undefined
  return qdisc[kind]
}

function htbOptions(htb: HtbQdisc = {}): object {
  checkFields(htb, ['default', 'r2q', 'directQlen'], 'options of htb')
  const { default: fallback = 0, r2q = 10, directQlen } = htb
  checkBytes('htb.default', fallback, { min: 0, max: 0xffff })
  return { init: { version: c.TC_HTB_PROTOVER, r2q, default: fallback }, directQlen }
}

function sfqSpec(sfq: SfqQdisc | undefined): object | undefined {
  if (sfq === undefined) return undefined
  checkFields(sfq, ['perturbMs', 'quantum', 'limit', 'divisor', 'flows', 'depth', 'headDrop'], 'options of sfq')
  return sfq
}

function tbfOptions(tbf: TbfQdisc | undefined): object {
  if (tbf === undefined) throw new InvalidArgumentError('tbf', tbf, 'options with rate and burst')
  checkFields(tbf, ['rate', 'burst', 'limit', 'latencyMs', 'peakrate', 'mtu'], 'options of tbf')
  const { rate, burst, limit, latencyMs, peakrate, mtu } = tbf
  checkBytes('tbf.rate', rate)
  checkBytes('tbf.burst', burst, { max: 0xffffffff })
  if ((limit === undefined) === (latencyMs === undefined)) throw new InvalidArgumentError('tbf.limit', limit, 'either limit or latencyMs')
  if (peakrate !== undefined) {
    checkBytes('tbf.peakrate', peakrate)
    checkBytes('tbf.mtu', mtu, { max: 0xffffffff })
  } else if (mtu !== undefined) throw new InvalidArgumentError('tbf.mtu', mtu, 'a peakrate beside it')
  const waiting = limit ?? queueOf(tbf, latencyMs ?? 0)
  checkBytes('tbf.limit', waiting, { min: 0, max: 0xffffffff })
  const of = rateOf(rate, 2047)
  const peak = peakrate === undefined ? undefined : rateOf(peakrate, mtu ?? 0)
  return {
    parameters: {
      rate: of.spec, ...(peak === undefined ? {} : { peakrate: peak.spec }), limit: waiting, buffer: ticksOf(of.spec.rate, burst),
      ...(peak === undefined ? {} : { mtu: ticksOf(peak.spec.rate, mtu ?? 0) }),
    },
    burst, rate64: of.rate64, rateTable: of.table,
    ...(peak === undefined ? {} : { peakrate64: peak.rate64, peakBurst: mtu, peakTable: peak.table }),
  }
}

function queueOf({ rate, burst, peakrate, mtu = 0 }: TbfQdisc, latencyMs: number): number {
  if (typeof latencyMs !== 'number' || !(latencyMs > 0)) throw new InvalidArgumentError('tbf.latencyMs', latencyMs, 'a number above 0')
  const limit = Math.trunc(rate * latencyMs / 1000 + burst)
  return peakrate === undefined ? limit : Math.min(limit, Math.trunc(peakrate * latencyMs / 1000 + mtu))
}

/** What says which one: `parent`, default `root`; or `handle`; or `kind` ingress or clsact. */
export function deleteQdisc(index: number, which: { kind?: string | undefined, parent?: Handle, handle?: Handle } = {}): AnyRequest {
  checkFields(which, ['kind', 'parent', 'handle'], 'what says which queueing discipline')
  return change({
    type: c.RTM_DELQDISC, flags: 0, format: qdiscMessage, header: placeOf(index, which), attributes: {}, operation: 'delete qdisc',
  })
}

/** Of all links: the kernel has no filter, though tc names a link. */
export function listQdiscs(index = 0): AnyRequest {
  return dump({ type: c.RTM_GETQDISC, flags: 0, format: qdiscMessage, header: { index }, attributes: {}, operation: 'list qdiscs' })
}

export function decodeQdisc(message: Message): Qdisc {
  const { index, handle, parent } = message.header as unknown as TcHeader
  const { kind = '', options, statistics } = message.attributes as TableValues<typeof qdiscAttributes>
  return {
    index, kind, handle: formatHandle(handle), parent: formatParent(parent),
    ...(options === undefined ? {} : readOptions(kind, options)),
    statistics: statisticsOf(statistics),
  }
}

function readOptions(kind: string, options: object): Partial<Qdisc> {
  if (options instanceof Uint8Array) return options.length === 0 ? {} : { rawOptions: options }
  if (kind === 'htb') {
    const { init, directQlen } = options as TableValues<typeof htbAttributes>
    return { htb: { default: init?.default ?? 0, r2q: init?.r2q ?? 0, directQlen } }
  }
  if (kind === 'tbf') return { tbf: readTbf(options as TableValues<typeof tbfAttributes>) }
  if (kind === 'sfq') {
    const { quantum, perturbMs, limit, divisor, flows, depth, headDrop } = options as SfqQdisc
    return { sfq: { quantum, perturbMs, limit, divisor, flows, depth, headDrop } }
  }
  return { [kind]: options }
}

function readTbf({ parameters, rate64, peakrate64 }: TableValues<typeof tbfAttributes>): TbfQdisc {
  const rate = rate64 === undefined ? parameters?.rate?.rate ?? 0 : Number(rate64)
  const peakrate = peakrate64 === undefined ? parameters?.peakrate?.rate ?? 0 : Number(peakrate64)
  return {
    // The kernel tells times at the rate as far as 32 bits hold it.
    rate, burst: sizeOf(parameters?.rate?.rate ?? rate, parameters?.buffer ?? 0), limit: parameters?.limit,
    ...(peakrate === 0 ? {} : { peakrate, mtu: sizeOf(parameters?.peakrate?.rate ?? peakrate, parameters?.mtu ?? 0) }),
  }
}
