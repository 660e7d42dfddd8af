/** Expressions that load something into a register, in nft's words. */
import { isExpression } from '../expressions.ts'
import type { Expression, ExpressionData } from '../expressions.ts'
import { ctKeys, fibResults, headers, metaKeys, rtKeys, socketKeys, transportProtocols } from '../headers.ts'
import type { Header, HeaderName, KeyType } from '../headers.ts'
import type { Family } from '../messages.ts'
import { atHead, impliedBy, impliedNetwork, isSayable } from './dependencies.ts'
import type { Known } from './dependencies.ts'
import { exthdrOperand } from './exthdr.ts'
import { keyOperand, numberOperand } from './operand.ts'
import type { Operand } from './operand.ts'

/** Undefined for an expression that loads nothing, or that cannot be said. */
export function loadOperand(each: Expression, family: Family, known: Known): Operand | undefined {
  if (isExpression(each, 'payload')) return payloadOperand(each.data, family, known)
  if (isExpression(each, 'meta')) return metaOperand(each.data, family)
  if (isExpression(each, 'ct')) return ctOperand(each.data, known)
  if (isExpression(each, 'rt')) return rtOperand(each.data)
  if (isExpression(each, 'fib')) return fibOperand(each.data)
  if (isExpression(each, 'socket')) return socketOperand(each.data)
  if (isExpression(each, 'osf')) return osfOperand(each.data)
  if (isExpression(each, 'numgen')) return numgenOperand(each.data)
  if (isExpression(each, 'xfrm')) return xfrmOperand(each.data)
  if (isExpression(each, 'exthdr')) return exthdrOperand(each.data, atHead(impliedNetwork(family, each.data.op === 'ip option' ? 'ip' : 'ip6', 'ether')))
  return undefined
}

/** Those that nft writes without `meta`. */
const bareKeys = ['iif', 'iifname', 'iifgroup', 'oif', 'oifname', 'oifgroup']

export function metaText(key: string): string {
  return bareKeys.includes(key) ? key : `meta ${key === 'len' ? 'length' : key}`
}

function metaOperand({ key }: ExpressionData<'meta'>, family: Family): Operand | undefined {
  // nft takes it where the table leaves it open.
  if (key === 'nfproto' && family !== 'inet') return undefined
  const type = typeof key === 'string' ? (metaKeys as Record<string, KeyType>)[key] : undefined
  return type === undefined || typeof key !== 'string' ? undefined : keyOperand(metaText(key), type)
}

function ctOperand({ key, direction }: ExpressionData<'ct'>, { transport }: Known): Operand | undefined {
  // nft knows what a port is only behind a match of the transport protocol.
  if ((key === 'proto-src' || key === 'proto-dst') && transport === undefined) return undefined
  const type = typeof key === 'string' ? (ctKeys as Record<string, KeyType>)[key] : undefined
  if (type === undefined) return undefined
  return keyOperand(['ct', ...(direction === undefined ? [] : [direction]), key].join(' '), type)
}

function rtOperand({ key }: ExpressionData<'rt'>): Operand | undefined {
  if (typeof key !== 'string') return undefined
  const words = { classid: 'rt classid', nexthop4: 'rt ip nexthop', nexthop6: 'rt ip6 nexthop', mtu: 'rt mtu', ipsec: 'rt ipsec' }
  return keyOperand(words[key], rtKeys[key])
}

/** NFTA_FIB_F_*, in nft's order. */
const fibFlags: [number, string][] = [[1, 'saddr'], [2, 'daddr'], [4, 'mark'], [8, 'iif'], [16, 'oif']]
const FIB_PRESENT = 32

function fibOperand({ result, flags = 0 }: ExpressionData<'fib'>): Operand | undefined {
  if (typeof result !== 'string' || result === 'unspec') return undefined
  const words = fibFlags.filter(([bit]) => (flags & bit) !== 0).map(([, word]) => word)
  const text = `fib ${words.join(' . ')} ${result}`
  return (flags & FIB_PRESENT) === 0 ? keyOperand(text, fibResults[result]) : keyOperand(text, { type: 'boolean', size: 1, order: 'host' })
}

function socketOperand({ key, level }: ExpressionData<'socket'>): Operand | undefined {
  if (typeof key !== 'string') return undefined
  return keyOperand(`socket ${key}${level === undefined ? '' : ` level ${level}`}`, socketKeys[key])
}

const OSF_VERSION = 1

function osfOperand({ ttl, flags = 0 }: ExpressionData<'osf'>): Operand {
  const how = ttl === undefined || ttl === 'exact' ? '' : `ttl ${ttl} `
  return keyOperand(`osf ${how}${(flags & OSF_VERSION) === 0 ? 'name' : 'version'}`, { type: 'string', size: 16, order: 'host' })
}

function numgenOperand({ type = 'inc', modulus = 0, offset = 0 }: ExpressionData<'numgen'>): Operand {
  return numberOperand(`numgen ${type} mod ${modulus}${offsetText(offset)}`, 4, 'host')
}

export function offsetText(offset: number): string {
  return offset === 0 ? '' : ` offset ${offset}`
}

function xfrmOperand({ key, dir = 'in', spnum = 0 }: ExpressionData<'xfrm'>): Operand | undefined {
  if (typeof key !== 'string' || key === 'unspec') return undefined
  const types: Record<string, KeyType> = {
    'ip saddr': ctKeys['ip saddr'], 'ip daddr': ctKeys['ip daddr'], 'ip6 saddr': ctKeys['ip6 saddr'], 'ip6 daddr': ctKeys['ip6 daddr'],
  }
  const text = `ipsec ${dir} ${spnum === 0 ? '' : `spnum ${spnum} `}${key}`
  return types[key] === undefined ? numberOperand(text, 4, key === 'spi' ? 'big' : 'host') : keyOperand(text, types[key])
}

/** Headers that may stand at a base, in the order in which their fields are tried. */
function headersAt(base: string | number | undefined, known: Known): HeaderName[] {
  if (base === 'link') return known.ether ? known.vlan ? ['vlan', 'ether'] : ['ether'] : []
  if (base === 'network') return known.network === undefined ? [] : [known.network]
  const transport = Object.entries(transportProtocols).find(([, number]) => number === known.transport)?.[0] as HeaderName | undefined
  return transport === undefined ? ['th'] : [transport]
}

/** What stands at a place of the packet, as far as is known what the packet is. */
export function payloadOperand({ base, offset = 0, len = 0 }: ExpressionData<'payload'>, family: Family, known: Known): Operand | undefined {
  if (base !== 'link' && base !== 'network' && base !== 'transport') return rawPayload(base, offset * 8, len * 8)
  const at = { base, offset: offset * 8, length: len * 8 }
  for (const header of headersAt(base, known)) {
    const operand = fieldOperand(family, header, at.offset, at.length, known)
    if (operand !== undefined) return { ...operand, place: { ...at, header } }
  }
  const raw = rawPayload(base, at.offset, at.length)
  return raw === undefined ? undefined : { ...raw, place: { ...at, header: headersAt(base, known)[0] } }
}

/** The field of a header at a place; of addresses also their first bytes. Bits count from the base. */
export function fieldOperand(
  family: Family, header: HeaderName, offset: number, length: number, known?: Known,
): Operand | undefined {
  const { fields }: Header = headers[header]
  for (const [name, field] of Object.entries(fields)) {
    const isAddress = field.type === 'ipv4_addr' || field.type === 'ipv6_addr'
    const isPrefix = isAddress && length < field.length
    if (field.offset !== offset || (field.length !== length && !isPrefix)) continue
    if (known !== undefined && !isSayable(known, `${header} ${name}`)) continue
    const key = { type: field.type, size: Math.ceil(field.length / 8), order: 'big' } as const
    const operand = keyOperand(`${header} ${name}`, key, impliedBy(family, header))
    return isPrefix ? { ...operand, isPrefix } : operand
  }
  return undefined
}

const rawBases: Record<string, string> = { link: 'll', network: 'nh', transport: 'th', inner: 'ih' }

/** `@th,16,16`: offset and length in bits. */
export function rawPayload(base: string | number | undefined, offset: number, length: number): Operand | undefined {
  const word = rawBases[String(base)]
  return word === undefined ? undefined : numberOperand(`@${word},${offset},${length}`, Math.ceil(length / 8), 'big')
}
