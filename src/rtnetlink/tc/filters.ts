/** Filters as requests and records: u32, fw, matchall, basic. Source: tc-u32(8), tc-fw(8), tc-matchall(8), linux/pkt_cls.h. */
import { fieldsOf, isKeyOf } from '../../checks.ts'
import { InvalidArgumentError, checkFields } from '../../errors.ts'
import { be16, be32, padding, raw, s32, string, u16, u32, u8 } from '../../netlink/codecs.ts'
import type { Codec } from '../../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../netlink/constants.ts'
import { change, dump } from '../../netlink/message.ts'
import type { AnyRequest, Message } from '../../netlink/message.ts'
import { attributes, dependent, struct } from '../../netlink/table.ts'
import type { TableValues } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { actionList, actionsOf, policeAttributes, policeOf, readActions, readPolice } from './actions.ts'
import type { Action, Police, ShownAction } from './actions.ts'
import { formatHandle, parseHandle, parseParent, tcmsg } from './message.ts'
import type { Handle, TcHeader } from './message.ts'
import { checkKind } from './qdiscs.ts'
import type { TcVerb } from './qdiscs.ts'

/** A word of a packet, counted from its network header, that has to have a value. */
export interface U32Key {
  /** 32 bits as they stand in the packet. */
  value: number
  /** Of the bits that matter. */
  mask: number
  /** Bytes; a multiple of 4. */
  at?: number
}

const selectorHead = struct({
  flags: u8, offsetShift: u8, count: u8, _pad: padding(1), offsetMask: be16, offset: u16, offsetAt: u16, hashAt: u16, hashMask: be32,
})
const key = struct({ mask: be32, value: be32, at: s32, atMask: s32 })

/** struct tc_u32_sel: all of its keys have to match. */
const selector: Codec<U32Key[]> = {
  size: selectorHead.size,
  encode(writer, keys) {
    selectorHead.encode(writer, { flags: c.TC_U32_TERMINAL, count: keys.length })
    for (const { value, mask, at = 0 } of keys) key.encode(writer, { value, mask, at })
  },
  decode(bytes, start, end) {
    const { count } = selectorHead.decode(bytes, start)
    const keys: U32Key[] = []
    for (let at = start + selectorHead.size; keys.length < count && at + key.size <= end; at += key.size) {
      const { value, mask, at: place } = key.decode(bytes, at)
      keys.push({ value, mask, at: place })
    }
    return keys
  },
}

const u32Attributes = attributes({
  selector: [c.TCA_U32_SEL, selector],
  classid: [c.TCA_U32_CLASSID, u32],
  police: [c.TCA_U32_POLICE, policeAttributes],
  actions: [c.TCA_U32_ACT, actionList],
  hash: [c.TCA_U32_HASH, u32],
  divisor: [c.TCA_U32_DIVISOR, u32],
  link: [c.TCA_U32_LINK, u32],
  flags: [c.TCA_U32_FLAGS, u32],
  counters: [c.TCA_U32_PCNT, raw],
})
const fwAttributes = attributes({
  classid: [c.TCA_FW_CLASSID, u32], mask: [c.TCA_FW_MASK, u32],
  police: [c.TCA_FW_POLICE, policeAttributes], actions: [c.TCA_FW_ACT, actionList],
})
const matchallAttributes = attributes({
  classid: [c.TCA_MATCHALL_CLASSID, u32], actions: [c.TCA_MATCHALL_ACT, actionList], flags: [c.TCA_MATCHALL_FLAGS, u32],
})
const basicAttributes = attributes({
  classid: [c.TCA_BASIC_CLASSID, u32], police: [c.TCA_BASIC_POLICE, policeAttributes], actions: [c.TCA_BASIC_ACT, actionList],
})
const optionTables = { u32: u32Attributes, fw: fwAttributes, matchall: matchallAttributes, basic: basicAttributes }
const filterAttributes = attributes({
  kind: [c.TCA_KIND, string(15)],
  options: [c.TCA_OPTIONS, dependent('kind', optionTables as unknown as Record<string, Codec<object>>)],
  chain: [c.TCA_CHAIN, u32],
})
const filterMessage = { header: tcmsg, attributes: filterAttributes }

export interface FilterOptions {
  /** The class that packets go to: its handle, `:1` for minor 1 of the qdisc's own. */
  classid?: Handle
  actions?: readonly Action[]
}

const kinds = ['u32', 'fw', 'matchall', 'basic'] as const
export type FilterKind = typeof kinds[number]

/** Options stand under the kind's name. */
export interface FilterSpec {
  kind: FilterKind
  /** A qdisc or class, e.g. `1:`; or `ingress` or `egress` of clsact. Default: `ingress` is `ffff:`. */
  parent: Handle
  /** Ethernet type. Default: all. */
  protocol?: 'all' | 'ip' | 'ipv6' | 'arp' | number
  /** 1 (first) to 65535. Chosen by the kernel if left out. */
  prio?: number
  /** fw: the mark of packets. */
  handle?: number
  /** Default 0. */
  chain?: number
  /** All of `match` have to hold; none: matches everything. */
  u32?: FilterOptions & { match?: readonly U32Key[], police?: Police }
  /** By the mark that a firewall has set: `handle`, of which the bits in `mask` count. */
  fw?: FilterOptions & { mask?: number, police?: Police }
  matchall?: FilterOptions
  /** Without ematches: matches everything. */
  basic?: FilterOptions & { police?: Police }
}

/** A filter as the kernel shows it. */
export interface Filter {
  /** Of the link. */
  index: number
  kind: string
  parent: Handle
  protocol: NonNullable<FilterSpec['protocol']>
  prio: number
  /** A number; of u32 `table:bucket:node`, hexadecimal. */
  handle: number | string
  chain: number | undefined
  classid: Handle | undefined
  match?: U32Key[]
  mask?: number
  police?: Police
  actions?: ShownAction[]
}

const protocols: Record<string, number> = { all: 0x0003, ip: 0x0800, ipv6: 0x86dd, arp: 0x0806 }
const parents: Record<string, number> = { ingress: 0xfffffff2, egress: 0xfffffff3 }
const verbFlags = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE, change: 0 } as const

export function newFilter(index: number, filter: FilterSpec, verb: TcVerb = 'add'): AnyRequest {
  const kind = checkKind(filter, kinds, 'a filter')
  const { handle = 0 } = filter
  checkFields(filter, ['kind', 'parent', 'protocol', 'prio', 'handle', 'chain', kind], `a filter of kind ${kind}`)
  return change({
    type: c.RTM_NEWTFILTER, flags: verbFlags[verb], format: filterMessage,
    header: { ...placeOf(index, filter), handle },
    attributes: { kind, options: optionsOf(kind, filter), chain: filter.chain },
    operation: `${verb} ${kind} filter`,
    callerNames: { options: kind },
  })
}

/** The kernel takes the protocol in network order, in a word with the priority. */
function placeOf(index: number, { parent, protocol = 'all', prio = 0 }: Pick<FilterSpec, 'parent' | 'protocol' | 'prio'>): object {
  const number = typeof protocol === 'string' && Object.hasOwn(protocols, protocol) ? protocols[protocol] : protocol
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xffff) {
    throw new InvalidArgumentError('protocol', protocol, `one of ${Object.keys(protocols).join(', ')}, or an Ethernet type from 0 to 65535`)
  }
  if (!Number.isInteger(prio) || prio < 0 || prio > 0xffff) throw new InvalidArgumentError('prio', prio, 'an integer from 1 to 65535')
  return { index, parent: parentNumber(parent), info: prio * 0x10000 + ((number & 0xff) << 8 | number >> 8) }
}

function parentNumber(parent: Handle): number {
  return isKeyOf(parents, parent) ? parents[parent] as number : parseParent(parent)
}

function optionsOf(kind: FilterKind, filter: FilterSpec): object {
  const { [kind]: options = {} } = filter
  const own = { u32: ['match', 'police'], fw: ['mask', 'police'], matchall: [], basic: ['police'] }[kind]
  checkFields(options, ['classid', 'actions', ...own], `options of ${kind}`)
  const { match = [{ value: 0, mask: 0 }], mask, police, classid, actions } =
    options as { match?: readonly U32Key[], mask?: number, police?: Police } & FilterOptions
  return {
    ...(classid === undefined ? {} : { classid: parseHandle(classid, `${kind}.classid`) }),
    ...(kind === 'u32' ? { selector: keysOf(match) } : {}),
    ...(mask === undefined ? {} : { mask }),
    ...(police === undefined ? {} : { police: policeOf(police, `${kind}.police`) }),
    ...(actions === undefined ? {} : { actions: actionsOf(actions) }),
  }
}

function keysOf(keys: readonly U32Key[]): U32Key[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 128) throw new InvalidArgumentError('u32.match', keys, '1 to 128 keys')
  keys.forEach((given: U32Key, index) => { checkFields(fieldsOf(`u32.match[${index}]`, given), ['value', 'mask', 'at'], 'a key of u32') })
  return keys as U32Key[]
}

export interface FilterKey {
  parent: Handle
  protocol?: FilterSpec['protocol']
  /** Without it all of the parent. */
  prio?: number
  /** As listed. Without it all of the priority. */
  handle?: number | string
  kind?: string
  chain?: number
}

export function deleteFilter(index: number, filter: FilterKey): AnyRequest {
  checkFields(filter, ['parent', 'protocol', 'prio', 'handle', 'kind', 'chain'], 'what says which filter')
  // tc leaves it out as well: 0 stands for any.
  const { protocol = 0, handle, kind, chain } = filter
  return change({
    type: c.RTM_DELTFILTER, flags: 0, format: filterMessage,
    header: { ...placeOf(index, { ...filter, protocol }), handle: handle === undefined ? 0 : filterHandle(handle) },
    attributes: { kind, chain },
    operation: 'delete filter',
  })
}

function filterHandle(handle: number | string): number {
  if (typeof handle === 'number' && Number.isInteger(handle) && handle >= 0 && handle <= 0xffffffff) return handle
  const [, table, bucket = '', node = ''] = (typeof handle === 'string' ? /^([0-9a-f]{1,3}):([0-9a-f]{0,2}):?([0-9a-f]{0,3})$/i.exec(handle) : null) ?? []
  if (table === undefined) throw new InvalidArgumentError('handle', handle, 'an integer, or of u32 table:bucket:node, in hexadecimal')
  return parseInt(table, 16) * 0x100000 + parseInt(bucket || '0', 16) * 0x1000 + parseInt(node || '0', 16)
}

/** The kernel lists filters of one parent: a qdisc, a class, or `ingress` or `egress` of clsact. */
export function listFilters(index: number, parent: Handle): AnyRequest {
  return dump({
    type: c.RTM_GETTFILTER, flags: 0, format: filterMessage,
    header: { index, parent: parentNumber(parent) }, attributes: {}, operation: 'list filters',
  })
}

/** Undefined for what the kernel shows beside filters: their empty tables. */
export function decodeFilter(message: Message): Filter | undefined {
  const { index, handle, parent, info } = message.header as unknown as TcHeader
  const { kind = '', options, chain } = message.attributes as TableValues<typeof filterAttributes>
  if (options === undefined || (kind === 'u32' && (options as { divisor?: number }).divisor !== undefined)) return undefined
  const swapped = info & 0xffff
  const protocol = (swapped & 0xff) << 8 | swapped >> 8
  const { selector, classid, mask, police, actions } = (options instanceof Uint8Array ? {} : options) as
    Partial<TableValues<typeof u32Attributes>> & { mask?: number }
  return {
    index, kind,
    parent: Object.keys(parents).find(name => parents[name] === parent) ?? formatHandle(parent),
    protocol: (Object.keys(protocols) as ('all' | 'ip' | 'ipv6' | 'arp')[]).find(name => protocols[name] === protocol) ?? protocol,
    prio: info >>> 16,
    handle: kind === 'u32' ? [handle >>> 20, (handle >>> 12) & 0xff, handle & 0xfff].map((part, place) => (place > 0 && part === 0 ? '' : part.toString(16))).join(':') : handle,
    chain,
    classid: classid === undefined ? undefined : formatHandle(classid),
    ...(selector === undefined ? {} : { match: selector }),
    ...(mask === undefined ? {} : { mask }),
    ...(police === undefined ? {} : { police: readPolice(police) }),
    ...(actions === undefined ? {} : { actions: readActions(actions) }),
  }
}
