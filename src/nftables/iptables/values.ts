/**
 * The kinds of values that iptables' options take: how each is read from a command line, and how iptables-save prints
 * it. A value that a program gives goes the same way, as the text that a person would have typed, so that there is one
 * place where a value is refused.
 */
import { formatIp, parseIp } from '../../ip.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../../netlink/codecs.ts'
import { parseMasked, parseWhole } from './addresses.ts'

export type IptablesFamily = 'ip' | 'ip6'

/** A set of ipset. */
export interface IpSet {
  name: string
  /** Its number in the network namespace, which is what rules hold. */
  index: number
  /** Whose addresses it may hold; undefined: any. */
  family?: IptablesFamily | undefined
}

/** What a value may depend on. */
export interface Context {
  family: IptablesFamily
  /** As far as they are known. */
  sets?: readonly IpSet[] | undefined
  /** Number of `-p`; undefined for any, or for `! -p`. */
  protocol?: number | undefined
  /** Where the rule will stand, as far as it is known. */
  table?: string | undefined
  chain?: string | undefined
}

/** `Input`: what a program may give. `Value`: what is read back, one of the inputs. */
export interface Kind<Value, Input = Value> {
  /** Words of a command line that it takes: 0 for an option that says all by itself, '0-1' for one that may. */
  words: 0 | 1 | 2 | '0-1'
  /** What is accepted, in words. */
  accepted: string
  /** undefined: the text is no such value. */
  parse(text: string, context: Context): Value | undefined
  format(value: Value): string
  /** What a program gave, as a person would have typed it. */
  type(input: Input): string
}

export type Range = readonly [first: number, last: number]
export interface MarkValue {
  value: number
  mask: number
}

/** An option without a value. */
export const flag: Kind<true> = {
  words: 0,
  accepted: 'true',
  parse: text => (text === 'true' ? true : undefined),
  format: () => '',
  type: String,
}

/** Decimal, with 0x hexadecimal, or with a leading 0 octal, as strtoul(3) has them; NaN for anything else. */
export function parseNumber(text: string): number {
  if (/^0[0-7]+$/.test(text)) return parseInt(text, 8)
  return /^(0|[1-9]\d*|0x[\da-f]+)$/i.test(text) ? Number(text) : NaN
}

function within(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max
}

export function integer(min: number, max: number): Kind<number> {
  return {
    words: 1,
    accepted: `an integer from ${min} to ${max}`,
    parse: text => (within(parseNumber(text), min, max) ? parseNumber(text) : undefined),
    format: String,
    type: String,
  }
}

export const positive: Kind<number> = integer(1, 0xffffffff)

/** Of a prefix, in bits; `widest` is the whole address. */
export const prefix: Kind<number> = integer(0, 128)
export const widest = (family: IptablesFamily): number => (family === 'ip' ? 32 : 128)

/** Printed as 0x…, in at least `digits` digits. */
export function hexadecimal(max: number, digits: number): Kind<number> {
  return { ...integer(0, max), format: value => hex(value, digits) }
}

export function hex(value: number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** A number or the first and the last of a range, as `5`, `5:9`, `5:` or `:9` (with another `separator`: `5-9`). */
export function range(max: number, separator: ':' | '-' = ':', what = 'number'): Kind<Range, number | Range> {
  const open = separator === ':'
  return {
    words: 1,
    accepted: `a ${what} from 0 to ${max}, or the first and the last of a range`,
    parse(text) {
      const [first = '', last = first, ...rest] = text.split(separator)
      if (rest.length > 0 || (!open && (first === '' || last === ''))) return undefined
      if (first === '' && last === '') return undefined
      const ends = [first === '' ? 0 : parseNumber(first), last === '' ? max : parseNumber(last)] as const
      return within(ends[0], 0, max) && within(ends[1], ends[0], max) ? ends : undefined
    },
    format: ([first, last]) => (first === last ? `${first}` : `${first}${separator}${last}`),
    type: input => (Array.isArray(input) ? input.map(String).join(separator) : String(input)),
  }
}

export const port: Kind<Range, number | Range> = range(0xffff, ':', 'port')

/** `80,443,1000:2000`. */
export function portList(max: number): Kind<readonly Range[], number | readonly (number | Range)[]> {
  return {
    words: 1,
    accepted: `up to ${max} ports from 0 to 65535, of which a range counts as two`,
    parse(text, context) {
      const ranges = text.split(',').map(part => port.parse(part, context))
      const taken = ranges.reduce((sum, each) => sum + (each !== undefined && each[0] !== each[1] ? 2 : 1), 0)
      return taken <= max && ranges.every(each => each !== undefined) ? ranges : undefined
    },
    format: ranges => ranges.map(each => port.format(each)).join(','),
    type: input => (typeof input === 'number' ? [input] : [...input]).map(each => port.type(each)).join(','),
  }
}

/** Some of `names`, in their order when printed. `all`: a word for all of them, `none`: for none. */
export function nameList<const N extends string>(
  names: readonly N[], words: { all?: string, none?: string } = {},
): Kind<readonly N[]> {
  return {
    words: 1,
    accepted: `some of ${names.join(', ')}`,
    parse(text) {
      if (text === words.all) return names
      if (text === words.none) return []
      const given = text.split(',').map(name => names.find(known => known.toLowerCase() === name.toLowerCase()))
      return given.every(name => name !== undefined) ? names.filter(name => given.includes(name)) : undefined
    },
    format: given => (given.length === 0 ? words.none ?? '' : given.join(',')),
    type: given => (given.length === 0 ? words.none ?? '' : [...given].join(',')),
  }
}

/** Bits of names that are numbered from 0. */
export function bitsOf<N extends string>(names: readonly N[], given: readonly N[]): number {
  return names.reduce((bits, name, bit) => (given.includes(name) ? bits | 1 << bit : bits), 0)
}

export function namesOf<N extends string>(names: readonly N[], bits: number): N[] {
  return names.filter((_, bit) => (bits & 1 << bit) !== 0)
}

/** One of some names, or where `numbers` says so, a number in their place. */
export function oneOf<const N extends string>(...names: readonly N[]): Kind<N> {
  return {
    words: 1,
    accepted: `one of ${names.join(', ')}`,
    parse: text => names.find(name => name.toLowerCase() === text.toLowerCase()),
    format: String,
    type: String,
  }
}

/** Text of at most `max` bytes; printed in quotes where a shell would want them. */
export function text(max: number): Kind<string> {
  return {
    words: 1,
    accepted: `a text of 1 to ${max} bytes in one line`,
    parse: value => (value !== '' && Buffer.byteLength(value) <= max && !/[\0\n\r]/.test(value) ? value : undefined),
    format: quote,
    type: String,
  }
}

/** As iptables-save quotes: only where a shell would need it. */
export function quote(value: string): string {
  return /^[\w-]+$/.test(value) ? value : `"${value.replace(/["'\\]/g, '\\$&')}"`
}

/** The name of an interface; with `+` at its end, all that start with it. */
export const interfacePattern: Kind<string> = {
  words: 1,
  accepted: `${INTERFACE_NAME_RULE}; a final + matches any rest`,
  parse: name => (isInterfaceName(name.endsWith('+') && name !== '+' ? name.slice(0, -1) : name) && Buffer.byteLength(name) <= 15
    ? name : undefined),
  format: String,
  type: String,
}

/** `a.b.c.d`, of the rule's family. */
export const address: Kind<string> = {
  words: 1,
  accepted: 'an address of the rule’s family',
  parse(value, { family }) {
    const bytes = parseIp(value)
    return bytes?.length === (family === 'ip' ? 4 : 16) ? formatIp(bytes) : undefined
  },
  format: String,
  type: String,
}

/** `10.0.0.1-10.0.0.9`; a single address is a range too, and `written` in full. */
export const addressRange: Kind<readonly [string, string], string | readonly [string, string]> = {
  words: 1,
  accepted: 'an address of the rule’s family, or the first and the last of a range',
  parse(value, context) {
    const [first = '', last = first, ...rest] = value.split('-')
    const ends = [address.parse(first, context), address.parse(last, context)] as const
    return rest.length > 0 || ends[0] === undefined || ends[1] === undefined || !inOrder(ends[0], ends[1])
      ? undefined : [ends[0], ends[1]]
  },
  format: ([first, last]) => `${first}-${last}`,
  type: input => (typeof input === 'string' ? input : Array.from(input).join('-')),
}

export function inOrder(first: string, last: string): boolean {
  const [a, b] = [parseIp(first), parseIp(last)]
  return a !== undefined && b !== undefined && Buffer.compare(a, b) <= 0
}

/** An address, prefix or `address/netmask`; host bits are cut off. `whole`: /32 and /128 are printed. */
export function masked({ whole }: { whole: boolean }): Kind<string> {
  return {
    words: 1,
    accepted: 'an address, a prefix or address/netmask of the rule’s family',
    parse(value, { family }) {
      const found = whole ? parseMasked(value, family) : parseWhole(value, family)
      if (found === undefined) return undefined
      return whole || value.includes('/') ? found.text : formatIp(found.address)
    },
    format: String,
    type: String,
  }
}

/** `0x1` or `0x1/0xf`. `always`: the mask is printed even if it has all bits. */
export function mark({ bits = 32, always = false, digits = 1 } = {}): Kind<MarkValue, number | Partial<MarkValue> | string> {
  const max = 2 ** bits - 1
  return {
    words: 1,
    accepted: `a number of ${bits} bits, alone or as value/mask`,
    parse(input) {
      const [value = '', mask, ...rest] = input.split('/')
      const found = { value: parseNumber(value), mask: mask === undefined ? max : parseNumber(mask) }
      return rest.length === 0 && within(found.value, 0, max) && within(found.mask, 0, max) ? found : undefined
    },
    format: ({ value, mask }) => (mask === max && !always ? hex(value, digits) : `${hex(value, digits)}/${hex(mask, digits)}`),
    type(input) {
      if (typeof input !== 'object') return String(input)
      const { value = 0, mask = max } = input
      return `${value}/${mask}`
    },
  }
}

/** `52:54:00:12:34:56`. */
export const macAddress: Kind<string> = {
  words: 1,
  accepted: 'a MAC address like 52:54:00:12:34:56',
  parse: value => (/^([\da-f]{2}:){5}[\da-f]{2}$/i.test(value) ? value.toLowerCase() : undefined),
  format: String,
  type: String,
}
