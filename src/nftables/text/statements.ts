/** Statements that use registers: setting values, NAT, queues, copies, and elements added from the packet path. */
import { datatypes, formatDuration } from '../datatypes.ts'
import { isExpression } from '../expressions.ts'
import type { Expression, ExpressionData } from '../expressions.ts'
import { ctKeys, metaKeys } from '../headers.ts'
import type { KeyType } from '../headers.ts'
import { formatIp } from '../../ip.ts'
import { binaryText } from './compare.ts'
import { exthdrName, exthdrOperand } from './exthdr.ts'
import { fieldOperand, metaText, payloadOperand } from './loads.ts'
import { bitRange, impliedByAll, joined, keyOperand, valueText } from './operand.ts'
import type { Operand } from './operand.ts'
import type { Reader } from './rule.ts'
import { simpleStatement } from './simple.ts'

/** A statement in words; `unsaid` if nft has none for it. */
export interface Sentence {
  text: string
  /** What nft inserts before it by itself. */
  implies?: readonly string[]
}
export const unsaid = Symbol('no words for it')

/** A statement that reads registers; undefined for an expression that is none. */
export function registerStatement(reader: Reader, each: Expression): Sentence | typeof unsaid | undefined {
  const words = wordsOf(reader, each)
  if (words === undefined) return unsaid
  if (words === none) return undefined
  return typeof words === 'string' ? { text: words } : words
}

const none = Symbol('no statement')

function wordsOf(reader: Reader, each: Expression): string | Sentence | typeof none | undefined {
  if (isExpression(each, 'meta') && each.data.sreg !== undefined) return keyedSet(reader, metaText(String(each.data.key)), each.data, metaKeys)
  if (isExpression(each, 'ct') && each.data.sreg !== undefined) {
    const { direction, key } = each.data
    return keyedSet(reader, `ct ${direction === undefined ? '' : `${direction} `}${key}`, each.data, ctKeys)
  }
  if (isExpression(each, 'payload') && each.data.sreg !== undefined) return payloadSet(reader, each.data)
  if (isExpression(each, 'exthdr') && each.data.sreg !== undefined) return exthdrSet(reader, each.data)
  if (isExpression(each, 'nat')) return natText(reader, each.data)
  if (isExpression(each, 'masq')) return portsText(reader, 'masquerade', each.data)
  if (isExpression(each, 'redir')) return portsText(reader, 'redirect', each.data)
  if (isExpression(each, 'tproxy')) return tproxyText(reader, each.data)
  if (isExpression(each, 'queue')) return queueText(reader, each.data)
  if (isExpression(each, 'dup')) return dupText(reader, each.data)
  if (isExpression(each, 'fwd')) return fwdText(reader, each.data)
  if (isExpression(each, 'dynset')) return dynsetText(reader, each.data)
  return none
}

function keyedSet(
  reader: Reader, text: string, { key, sreg }: ExpressionData<'meta'> | ExpressionData<'ct'>, types: Record<string, KeyType>,
): Sentence | undefined {
  const type = types[String(key)]
  const value = type === undefined ? undefined : assigned(reader, sreg, keyOperand(text, type))
  return value === undefined ? undefined : { text: `${text} set ${value}`, implies: reader.operand(sreg)?.implies ?? [] }
}

/** The right side of a `set`: a constant in the target's own notation, or what else the register holds. */
function assigned(reader: Reader, register: number | undefined, target: Operand): string | undefined {
  const operand = reader.operand(register)
  if (operand?.constant !== undefined) return writtenText(target, operand.constant.subarray(0, target.size))
  return operand === undefined ? undefined : binaryText(operand)
}

/** Protocols as numbers: their names nft would here take for the beginnings of their fields. */
function writtenText(target: Operand, bytes: Uint8Array): string {
  return valueText(target.type.form === 'protocol' ? { ...target, type: datatypes.integer } : target, bytes)
}

/**
 * A field that does not fill its bytes, or stands at an odd place of the checksum, is read, masked and written back; others
 * are written as they are.
 */
function payloadSet(reader: Reader, { base, offset = 0, len = 0, sreg }: ExpressionData<'payload'>): Sentence | undefined {
  const operand = reader.operand(sreg)
  if (operand === undefined || (base !== 'link' && base !== 'network' && base !== 'transport')) return undefined
  const { mask, xor, place } = operand
  if (mask !== undefined && xor !== undefined && place?.base === base && place.offset === offset * 8 && place.header !== undefined) {
    const bits = bitRange(mask.map(byte => ~byte))
    const field = bits === undefined ? undefined : fieldOperand(reader.family, place.header, place.offset + bits.offset, bits.length)
    if (bits === undefined || field === undefined) return undefined
    const written = writtenText({ ...field, shift: place.length - bits.offset - bits.length }, xor)
    return { text: `${field.text} set ${written}`, implies: field.implies }
  }
  const target = payloadOperand({ base, offset, len }, reader.family, reader.known)
  const value = target === undefined ? undefined : assigned(reader, sreg, target)
  return target === undefined || value === undefined ? undefined : { text: `${target.text} set ${value}`, implies: target.implies }
}

function exthdrSet(reader: Reader, data: ExpressionData<'exthdr'>): string | undefined {
  const target = exthdrName(data) === undefined ? undefined : exthdrOperand(data, [])
  const value = target === undefined ? undefined : assigned(reader, data.sreg, target)
  return target === undefined || value === undefined ? undefined : `${target.text} set ${value}`
}

/** NF_NAT_RANGE_*. */
const natFlags: [number, string][] = [[4, 'random'], [16, 'fully-random'], [8, 'persistent']]
const NETMAP = 64

function natFlagsText(flags: number): string {
  const words = natFlags.filter(([bit]) => (flags & bit) !== 0).map(([, word]) => word)
  return words.length === 0 ? '' : ` ${words.join(',')}`
}

function natText(reader: Reader, data: ExpressionData<'nat'>): string | Sentence | undefined {
  const { type, family, regAddrMin, regAddrMax, regProtoMin, regProtoMax, flags = 0 } = data
  if (typeof type !== 'string') return undefined
  const address = reader.operand(regAddrMin)
  const spelled = reader.family === 'inet' && family !== undefined && regAddrMin !== undefined ? ` ${family}` : ''
  const head = `${type}${spelled}${(flags & NETMAP) === 0 ? '' : ' prefix'} to`
  if (address?.map !== undefined) {
    const target = `${head} ${address.text}`
    // Of a map to addresses with ports, or to ranges, the text says all.
    const ports = address.map.types.length > 1 || regProtoMin === undefined ? '' : `:${rangeOf(reader, regProtoMin, regProtoMax, portText)}`
    return { text: `${target}${ports}${natFlagsText(flags)}`, implies: address.implies }
  }
  const addresses = regAddrMin === undefined ? '' : (flags & NETMAP) === 0
    ? rangeOf(reader, regAddrMin, regAddrMax, addressText) : prefixRange(reader, regAddrMin, regAddrMax)
  const ports = regProtoMin === undefined ? '' : `:${rangeOf(reader, regProtoMin, regProtoMax, portText)}`
  if (addresses === undefined || ports.includes('undefined')) return undefined
  return `${head} ${bracketed(addresses, ports)}${ports}${natFlagsText(flags)}`
}

function bracketed(addresses: string, ports: string): string {
  return ports !== '' && addresses.includes(':') ? addresses.split('-').map(address => `[${address}]`).join('-') : addresses
}

function addressText(bytes: Uint8Array): string {
  return formatIp(bytes) ?? ''
}

function portText(bytes: Uint8Array): string {
  return String((bytes[0] ?? 0) << 8 | (bytes[1] ?? 0))
}

/** One value, or a range of constants. */
function rangeOf(reader: Reader, min: number, max: number | undefined, text: (bytes: Uint8Array) => string): string | undefined {
  const first = reader.operand(min)
  if (first?.constant === undefined) return first === undefined ? undefined : binaryText(first)
  const last = max === undefined || max === min ? undefined : reader.operand(max)?.constant
  return last === undefined ? text(first.constant) : `${text(first.constant)}-${text(last)}`
}

function prefixRange(reader: Reader, min: number, max: number | undefined): string | undefined {
  const [from, to] = [reader.operand(min)?.constant, max === undefined ? undefined : reader.operand(max)?.constant]
  if (from === undefined || to === undefined) return undefined
  let same = 0
  while (same < from.length * 8 && ((from[same >> 3] ?? 0) ^ (to[same >> 3] ?? 0)) >> 7 - (same & 7) === 0) same++
  return `${addressText(from)}/${same}`
}

function portsText(
  reader: Reader, word: string, { flags = 0, regProtoMin, regProtoMax }: ExpressionData<'masq'> | ExpressionData<'redir'>,
): string | undefined {
  const ports = regProtoMin === undefined ? '' : rangeOf(reader, regProtoMin, regProtoMax, portText)
  return ports === undefined ? undefined : `${word}${ports === '' ? '' : ` to :${ports}`}${natFlagsText(flags)}`
}

function tproxyText(reader: Reader, { family, regAddr, regPort }: ExpressionData<'tproxy'>): string | undefined {
  const address = regAddr === undefined ? '' : rangeOf(reader, regAddr, undefined, addressText)
  const port = regPort === undefined ? '' : rangeOf(reader, regPort, undefined, portText)
  if (address === undefined || port === undefined) return undefined
  const spelled = reader.family === 'inet' && family !== undefined && family !== 'unspec' ? ` ${family}` : ''
  return `tproxy${spelled} to ${bracketed(address, port)}${port === '' ? '' : `:${port}`}`
}

function queueText(reader: Reader, { num = 0, total = 1, flags = 0, sregQnum }: ExpressionData<'queue'>): string | undefined {
  const words = [[1, 'bypass'], [2, 'fanout']].filter(([bit]) => (flags & Number(bit)) !== 0).map(([, word]) => word).join(',')
  const number = sregQnum === undefined ? undefined : reader.operand(sregQnum)
  if (sregQnum !== undefined && number === undefined) return undefined
  const to = number === undefined ? total > 1 ? `${num}-${num + total - 1}` : `${num}` : number.text
  return `queue${words === '' ? '' : ` flags ${words}`} to ${to}`
}

function device(operand: Operand | undefined): string | undefined {
  if (operand?.constant === undefined) return operand?.text
  return valueText(keyOperand('', { type: 'iface_index', size: 4, order: 'host' }), operand.constant)
}

function dupText(reader: Reader, { sregAddr, sregDev }: ExpressionData<'dup'>): string | undefined {
  const address = sregAddr === undefined ? undefined : rangeOf(reader, sregAddr, undefined, addressText)
  const through = sregDev === undefined ? undefined : device(reader.operand(sregDev))
  if (address === undefined) return through === undefined ? undefined : `dup to ${through}`
  return `dup to ${address}${through === undefined ? '' : ` device ${through}`}`
}

function fwdText(reader: Reader, { sregDev, sregAddr, nfproto }: ExpressionData<'fwd'>): string | undefined {
  const through = device(reader.operand(sregDev))
  if (through === undefined) return undefined
  if (sregAddr === undefined) return `fwd to ${through}`
  return `fwd ${nfproto ?? 'ip'} to ${rangeOf(reader, sregAddr, undefined, addressText)} device ${through}`
}

function dynsetText(reader: Reader, data: ExpressionData<'dynset'>): Sentence | undefined {
  const { set: name = '', op = 'add', sregKey, sregData, timeoutMs, expression } = data
  const { expressions = expression === undefined ? [] : [expression] } = data
  const set = reader.findSet(name)
  const key = set === undefined ? undefined : reader.operands(sregKey, set.keyLength)
  const value = sregData === undefined ? undefined : reader.operands(sregData, set?.dataLength ?? 4)
  if (set === undefined || key === undefined || (sregData !== undefined && value === undefined)) return undefined
  reader.onUse(name, key, value)
  const words = [joined(key)]
  if (timeoutMs !== undefined && timeoutMs !== 0) words.push(`timeout ${formatDuration(timeoutMs)}`)
  for (const each of expressions) {
    const text = simpleStatement(each, reader.known)
    if (text === undefined) return undefined
    words.push(text)
  }
  const mapped = value?.map(part => part.constant === undefined ? part.text : constantText(part, set.dataType))
  return {
    text: `${op} @${name} { ${words.join(' ')}${mapped === undefined ? '' : ` : ${mapped.join(' . ')}`} }`,
    implies: impliedByAll([...key, ...value ?? []]),
  }
}

function constantText({ constant = new Uint8Array() }: Operand, dataType: number | undefined): string {
  const type = Object.values(datatypes).find(({ id }) => id === dataType) ?? datatypes.integer
  return valueText({ text: '', type, size: constant.length, order: type.order, implies: [] }, constant)
}
