/** Classes of htb as requests and records. Source: tc-htb(8), linux/pkt_sched.h. */
import { InvalidArgumentError, checkFields } from '../../errors.ts'
import { string } from '../../netlink/codecs.ts'
import type { Codec } from '../../netlink/codecs.ts'
import { change, dump } from '../../netlink/message.ts'
import type { AnyRequest, Message } from '../../netlink/message.ts'
import { attributes, dependent } from '../../netlink/table.ts'
import type { TableValues } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { formatHandle, formatParent, parseHandle, parseParent, statisticsAttributes, statisticsOf, tcmsg } from './message.ts'
import type { Handle, TcHeader, TcStatistics } from './message.ts'
import { checkKind, htbAttributes, verbFlags } from './qdiscs.ts'
import type { TcVerb } from './qdiscs.ts'
import { checkBytes, rateOf, sizeOf, ticksOf } from './rates.ts'

const classAttributes = attributes({
  kind: [c.TCA_KIND, string(15)],
  options: [c.TCA_OPTIONS, dependent('kind', { htb: htbAttributes as unknown as Codec<object> })],
  statistics: [c.TCA_STATS2, statisticsAttributes],
})
const classMessage = { header: tcmsg, attributes: classAttributes }

/** Rates in bytes a second, sizes in bytes. */
export interface HtbClass {
  /** What the class gets in any case. */
  rate: number
  /** What it may borrow up to. Default: `rate`. */
  ceil?: number | undefined
  /** What may be sent at once beyond `rate`. Default: `mtu`. */
  burst?: number | undefined
  /** What may be sent at once beyond `ceil`. Default: `mtu`. */
  cburst?: number | undefined
  /** 0 (the default), served first, to 7. */
  prio?: number | undefined
  /** What is served before it is another's turn. Default: `rate` / r2q of the qdisc. */
  quantum?: number | undefined
  /** Largest packet. Default 1600. Not shown again. */
  mtu?: number | undefined
}

export interface ClassSpec {
  kind: 'htb'
  /** A qdisc, `1:`, or a class of it, `1:1`. */
  parent: Handle
  /** e.g. `1:2`. */
  classid: Handle
  htb: HtbClass
}

/** A class as the kernel shows it. */
export interface TcClass {
  /** Of the link. */
  index: number
  kind: string
  classid: Handle
  /** `root`: of the qdisc itself. */
  parent: Handle
  htb?: HtbClass & { level: number }
  /** Of the qdisc within, e.g. `2:`. */
  leaf: Handle | undefined
  statistics: TcStatistics | undefined
}

export function newClass(index: number, given: ClassSpec, verb: TcVerb = 'add'): AnyRequest {
  const kind = checkKind(given, ['htb'], 'a class')
  checkFields(given, ['kind', 'parent', 'classid', kind], 'a class')
  return change({
    type: c.RTM_NEWTCLASS, flags: verbFlags[verb], format: classMessage,
    header: { index, handle: parseHandle(given.classid, 'classid'), parent: parseParent(given.parent) },
    attributes: { kind, options: htbOptions(given.htb) },
    operation: `${verb} class ${given.classid}`,
    callerNames: { 'options.parameters': kind, options: kind },
  })
}

function htbOptions(htb: HtbClass): object {
  if (typeof htb !== 'object' || htb === null) throw new InvalidArgumentError('htb', htb, 'options with a rate')
  checkFields(htb, ['rate', 'ceil', 'burst', 'cburst', 'prio', 'quantum', 'mtu', 'level'], 'options of a class of htb')
  const { rate, ceil = rate, prio = 0, quantum = 0, mtu = 1600 } = htb
  checkBytes('htb.rate', rate)
  checkBytes('htb.ceil', ceil)
  checkBytes('htb.mtu', mtu, { max: 0xffffff })
  checkBytes('htb.prio', prio, { min: 0, max: 7 })
  // As tc has it: what passes in a tick of the kernel's timer, a nanosecond, and a packet.
  const { burst = Math.trunc(rate / 1e9) + mtu, cburst = Math.trunc(ceil / 1e9) + mtu } = htb
  checkBytes('htb.burst', burst)
  checkBytes('htb.cburst', cburst)
  const [low, high] = [rateOf(rate, mtu), rateOf(ceil, mtu)]
  return {
    rate64: low.rate64, ceil64: high.rate64,
    parameters: { rate: low.spec, ceil: high.spec, buffer: ticksOf(rate, burst), cbuffer: ticksOf(ceil, cburst), quantum, prio },
    rateTable: low.table, ceilTable: high.table,
  }
}

export function deleteClass(index: number, { classid }: { classid: Handle }): AnyRequest {
  return change({
    type: c.RTM_DELTCLASS, flags: 0, format: classMessage, header: { index, handle: parseHandle(classid, 'classid') }, attributes: {},
    operation: `delete class ${classid}`,
  })
}

/** The kernel lists classes of one link, of all of its qdiscs or of one. */
export function listClasses(index: number, parent?: Handle): AnyRequest {
  return dump({
    type: c.RTM_GETTCLASS, flags: 0, format: classMessage,
    header: { index, parent: parent === undefined ? 0 : parseParent(parent) }, attributes: {}, operation: 'list classes',
  })
}

export function decodeClass(message: Message): TcClass {
  const { index, handle, parent, info } = message.header as unknown as TcHeader
  const { kind = '', options, statistics } = message.attributes as TableValues<typeof classAttributes>
  const { parameters, rate64, ceil64 } = (kind === 'htb' ? options ?? {} : {}) as TableValues<typeof htbAttributes>
  const rate = rate64 === undefined ? parameters?.rate?.rate ?? 0 : Number(rate64)
  const ceil = ceil64 === undefined ? parameters?.ceil?.rate ?? 0 : Number(ceil64)
  return {
    index, kind, classid: formatHandle(handle), parent: formatParent(parent),
    ...(parameters === undefined ? {} : { htb: {
      rate, ceil, burst: sizeOf(rate, parameters.buffer ?? 0), cburst: sizeOf(ceil, parameters.cbuffer ?? 0),
      prio: parameters.prio, quantum: parameters.quantum, level: parameters.level ?? 0,
    } }),
    leaf: info === 0 ? undefined : formatHandle(info),
    statistics: statisticsOf(statistics),
  }
}
