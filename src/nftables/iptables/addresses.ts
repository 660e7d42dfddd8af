/** Addresses with masks, as iptables writes them: `10.0.0.0/8`, `10.0.0.0/255.0.255.0`. */
import { formatIp, parseIp } from '../../ip.ts'
import { prefixMask } from '../primitives.ts'

export interface Masked {
  /** Without the bits that the mask leaves out. */
  address: Uint8Array
  mask: Uint8Array
  /** With the length of the prefix, or with the netmask where that is none. */
  text: string
}

/** undefined: no address, prefix or address/netmask of that family. */
export function parseMasked(text: string, family: 'ip' | 'ip6'): Masked | undefined {
  const size = family === 'ip' ? 4 : 16
  const [address = '', suffix, ...rest] = text.split('/')
  const bytes = parseIp(address)
  const mask = suffix === undefined ? prefixMask(size, size * 8)
    : /^(0|[1-9]\d{0,2})$/.test(suffix) ? maskOf(size, Number(suffix)) : parseIp(suffix)
  if (bytes?.length !== size || mask?.length !== size || rest.length > 0) return undefined
  return withMask(bytes, mask)
}

function maskOf(size: number, prefix: number): Uint8Array | undefined {
  return prefix <= size * 8 ? prefixMask(size, prefix) : undefined
}

/** As `-m conntrack` has it: with the bits that the mask leaves out. */
export function parseWhole(text: string, family: 'ip' | 'ip6'): Masked | undefined {
  const found = parseMasked(text, family)
  const bytes = parseIp(text.split('/')[0] ?? '')
  if (found === undefined || bytes === undefined) return found
  return { ...found, address: bytes, text: wholeText(bytes, found.mask) }
}

export function wholeText(address: Uint8Array, mask: Uint8Array): string {
  return `${formatIp(address) ?? ''}/${prefixLength(mask) ?? formatIp(mask) ?? ''}`
}

export function withMask(bytes: Uint8Array, mask: Uint8Array): Masked {
  const address = bytes.map((byte, index) => byte & (mask[index] ?? 0))
  return { address, mask, text: wholeText(address, mask) }
}

/** undefined: the mask is not ones and then zeros. */
export function prefixLength(mask: Uint8Array): number | undefined {
  const bits = mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  return Buffer.compare(mask, prefixMask(mask.length, bits)) === 0 ? bits : undefined
}

/** union nf_inet_addr: an address in front of 16 bytes. */
export function toInet(address: string | Uint8Array): Uint8Array {
  const bytes = typeof address === 'string' ? parseIp(address) ?? new Uint8Array() : address
  return Uint8Array.from({ length: 16 }, (_, index) => bytes[index] ?? 0)
}

/** As extensions keep an address or prefix, host bits and all: a union for it and one for its mask. */
export function toHost(text: string, family: 'ip' | 'ip6'): { address: Uint8Array, mask: Uint8Array } | undefined {
  const found = parseWhole(text, family)
  if (found === undefined) return undefined
  // Of an address without a mask the tool fills the mask's whole union.
  return { address: toInet(found.address), mask: text.includes('/') ? toInet(found.mask) : new Uint8Array(16).fill(0xff) }
}

/** `always`: with the length of its mask even if that is the whole address. */
export function hostText(address: Uint8Array, mask: Uint8Array, family: 'ip' | 'ip6', always = false): string {
  const bits = fromInet(mask, family)
  return bits.every(byte => byte === 0xff) && !always ? inetText(address, family) : wholeText(fromInet(address, family), bits)
}

export function fromInet(bytes: Uint8Array, family: 'ip' | 'ip6'): Uint8Array {
  return bytes.subarray(0, family === 'ip' ? 4 : 16)
}

export function inetText(bytes: Uint8Array, family: 'ip' | 'ip6'): string {
  return formatIp(fromInet(bytes, family)) ?? ''
}
