/** The few forms of expression that statements and iptables rules are put together from. All load into register 1. */
import { NFT_REG_1, NFT_REG_VERDICT } from './constants.ts'
import { shared } from './expressions.ts'
import type { Expression, ExpressionData } from './expressions.ts'

type MetaKey = NonNullable<ExpressionData<'meta'>['key']>
const metaLoads = new Map<MetaKey, Expression>()

export function loadMeta(key: MetaKey): Expression {
  let load = metaLoads.get(key)
  if (load === undefined) metaLoads.set(key, load = shared({ name: 'meta', data: { key, dreg: NFT_REG_1 } }))
  return load
}

/** `offset` and `len` in bytes. */
export function loadPayload(base: 'link' | 'network' | 'transport', offset: number, len: number): Expression {
  return { name: 'payload', data: { dreg: NFT_REG_1, base, offset, len } }
}

const transports = Array.from({ length: 256 }, (): [Expression, Expression] | undefined => undefined)

/** That the packet is of a transport protocol. */
export function matchTransport(number: number): [load: Expression, comparison: Expression] {
  return transports[number] ??= [loadMeta('l4proto'), shared(compare('eq', Uint8Array.of(number)))]
}

export function compare(op: 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte', value: Uint8Array): Expression {
  return { name: 'cmp', data: { sreg: NFT_REG_1, op, data: { value } } }
}

export function compareRange(op: 'eq' | 'neq', from: Uint8Array, to: Uint8Array): Expression {
  return { name: 'range', data: { sreg: NFT_REG_1, op, from: { value: from }, to: { value: to } } }
}

/** Keeps the bits of `mask`. */
export function applyMask(mask: Uint8Array): Expression {
  const { length } = mask
  const xor = new Uint8Array(length)
  const data = { sreg: NFT_REG_1, dreg: NFT_REG_1, len: length, mask: { value: mask }, xor: { value: xor } }
  return { name: 'bitwise', data }
}

/** Puts a constant into a register. */
export function setRegister(dreg: number, value: Uint8Array): Expression {
  return { name: 'immediate', data: { dreg, data: { value } } }
}

export type VerdictCode = 'accept' | 'drop' | 'return' | 'continue' | 'jump' | 'goto'

const plainVerdicts = new Map<VerdictCode, Expression>()

export function giveVerdict(code: VerdictCode, chain?: string): Expression {
  const give = (): Expression => ({ name: 'immediate', data: { dreg: NFT_REG_VERDICT, data: { verdict: { code, chain } } } })
  if (chain !== undefined) return give()
  let verdict = plainVerdicts.get(code)
  if (verdict === undefined) plainVerdicts.set(code, verdict = shared(give()))
  return verdict
}

/** Where an address stands in its header. */
export interface AddressField {
  /** In bytes from the start of the network header. */
  offset: number
  /** In bytes. */
  length: number
}
export const ADDRESS_FIELDS = {
  ip: { saddr: { offset: 12, length: 4 }, daddr: { offset: 16, length: 4 } },
  ip6: { saddr: { offset: 8, length: 16 }, daddr: { offset: 24, length: 16 } },
} as const

/**
 * An address field compared with a prefix, as both nft and iptables encode it: a prefix of whole bytes loads only those
 * bytes, another one loads all and masks, and /0, which every address matches, is no expression at all.
 */
export function matchPrefix(field: AddressField, op: 'eq' | 'neq', address: Uint8Array, prefix: number): Expression[] {
  if (prefix === 0 && op === 'eq') return []
  const network = maskAddress(address, prefix)
  if (prefix > 0 && prefix % 8 === 0) {
    const length = prefix / 8
    return [loadPayload('network', field.offset, length), compare(op, network.subarray(0, length))]
  }
  const mask = prefixMask(field.length, prefix)
  return [loadPayload('network', field.offset, field.length), applyMask(mask), compare(op, network)]
}

/** A netmask of `length` bytes. */
export function prefixMask(length: number, prefix: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => 0xff00 >> Math.min(8, Math.max(0, prefix - index * 8)) & 0xff)
}

function maskAddress(address: Uint8Array, prefix: number): Uint8Array {
  const mask = prefixMask(address.length, prefix)
  return address.map((byte, index) => byte & (mask[index] ?? 0))
}

/** A number in network order. */
export function bigEndian16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8 & 0xff, value & 0xff)
}

/** A number in host order, as the kernel's own values (marks, connection states) stand in registers. */
export function littleEndian32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return Uint8Array.from(bytes)
}
