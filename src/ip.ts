/**
 * IP addresses as text and as the bytes the kernel uses. ipaddr.js and node:net do the work; both are loaded at first
 * use, since a program that imports virbr should not wait for what it may never need.
 */
import { createRequire } from 'node:module'
import type ipaddrModule from 'ipaddr.js'

let loaded: typeof ipaddrModule | undefined

export function ipaddr(): typeof ipaddrModule {
  loaded ??= createRequire(import.meta.url)('ipaddr.js') as typeof ipaddrModule
  return loaded
}

export function isIPv4(text: string): boolean {
  return parseIPv4(text) !== undefined
}

/**
 * Four numbers from 0 to 255 without leading zeros, as one number of 32 bits; anything else → undefined. The libraries'
 * regular expressions take ten times as long, and a route or an element of a set is little else.
 */
export function parseIPv4(text: string): number | undefined {
  const { length } = text
  if (length < 7 || length > 15) return undefined
  let [value, part, digits, dots] = [0, 0, 0, 0]
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e) {
      if (digits === 0 || ++dots > 3) return undefined
      value = value << 8 | part
      part = digits = 0
    } else {
      if (code < 0x30 || code > 0x39 || (digits > 0 && part === 0)) return undefined
      part = part * 10 + code - 0x30
      if (part > 255) return undefined
      digits++
    }
  }
  return dots === 3 && digits > 0 ? (value << 8 | part) >>> 0 : undefined
}

/** With or without a zone. */
export function isIPv6(text: string): boolean {
  return process.getBuiltinModule('node:net').isIPv6(text)
}

/** Four bytes; anything but an IPv4 address → undefined. */
export function ipv4Bytes(text: string): Uint8Array | undefined {
  const number = parseIPv4(text)
  if (number === undefined) return undefined
  const bytes = new Uint8Array(4)
  for (let at = 0; at < 4; at++) bytes[at] = number >>> (24 - 8 * at)
  return bytes
}

/** `'192.168.122.1'` → 4 bytes, `'fd00::1'` → 16 bytes, anything else (also a zone or a prefix) → undefined. */
export function parseIp(text: string): Uint8Array | undefined {
  const v4 = ipv4Bytes(text)
  if (v4 !== undefined) return v4
  if (isIPv6(text) && !text.includes('%')) return Uint8Array.from(ipaddr().IPv6.parse(text).toByteArray())
  return undefined
}

/** 4 or 16 bytes → text in the form of RFC 5952; any other length → undefined. */
export function formatIp(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  if (bytes.length === 16) return new (ipaddr().IPv6)([...bytes]).toRFC5952String()
  return undefined
}

export interface Prefix {
  address: string
  /** Length in bits. */
  prefix: number
  family: 4 | 6
}

/** `'10.0.0.1/24'` → its parts; an address alone counts as a whole host (/32, /128); anything else → undefined. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined
  if (family === undefined) return undefined
  const bits = family === 4 ? 32 : 128
  if (slash < 0) return { address, prefix: bits, family }
  const digits = text.slice(slash + 1)
  const prefix = /^(0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : NaN
  return prefix <= bits ? { address, prefix, family } : undefined
}

/** Whether a prefix lies within another one of its family, or is the same. */
export function prefixWithin(inner: Prefix, outer: Prefix): boolean {
  if (inner.family !== outer.family || inner.prefix < outer.prefix) return false
  const [ours, theirs] = [parseIp(inner.address), parseIp(outer.address)]
  if (ours === undefined || theirs === undefined) return false
  return ours.every((byte, position) => {
    const host = 0xff >> Math.min(8, Math.max(0, outer.prefix - position * 8))
    return (byte & ~host) === ((theirs[position] as number) & ~host)
  })
}

/** A prefix without the bits behind its length: `10.1.2.3/8` → `10.0.0.0`. */
export function networkOf({ address, prefix }: Prefix): string {
  const bytes = parseIp(address) as Uint8Array
  return formatIp(bytes.map((byte, position) => byte & ~(0xff >> Math.min(8, Math.max(0, prefix - position * 8))))) as string
}
