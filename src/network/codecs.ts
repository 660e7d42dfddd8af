/**
 * How single values stand in network XML: one codec a value type. A codec accepts what libvirt's own parser accepts, so
 * that whatever libvirtd prints can be read. `usable`, stricter, says what a network can really be built from; only
 * validateNetwork asks it.
 */
import { addressFamily, canonicalAddress } from './subnets.ts'

export interface Codec<V> {
  /** What is accepted, in words. */
  readonly accepted: string
  /** From XML. Undefined: refused. */
  parse(text: string): V | undefined
  /** To XML, from a value that a program gave. Undefined: refused. `parse(format(value))` is the canonical value. */
  format(value: unknown): string | undefined
  /** Names to suggest for a misspelled value. */
  readonly names?: readonly string[]
  readonly usable?: Usable
}

export interface Usable {
  readonly accepted: string
  test(text: string): boolean
}

// XML 1.0, 2.2 Characters; and no U+FFFD, which only says that some text was decoded wrongly.
const notXml = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFC\u{10000}-\u{10FFFF}]/u

function text(accepted: string, canonical: (text: string) => string | undefined, usable?: Usable): Codec<string> {
  const parse = (value: string): string | undefined => (notXml.test(value) ? undefined : canonical(value))
  return {
    accepted,
    parse,
    format: (value) => (typeof value === 'string' ? parse(value) : undefined),
    ...(usable === undefined ? {} : { usable }),
  }
}

/** Any text, of any number of lines. */
export const freeText = text('text without control characters', (value) => value)

/** Text that ends up in a line of a configuration file. */
export const line = text('a string', (value) => value, {
  accepted: 'text of one line',
  // eslint-disable-next-line no-control-regex -- control characters are what it is for
  test: (value) => !/[\x00-\x1f\x7f\u2028\u2029]/.test(value),
})

const nonEmpty = (value: string): string | undefined => (value === '' ? undefined : value)

/** A name of a link. `%d` stands for a number to be found. */
export const linkName = text('the name of a network device', nonEmpty, {
  accepted: 'the name of a network device: 1 to 15 bytes without "/", ":" or white space, not "." or ".."',
  // The kernel's dev_valid_name().
  test: (value) => Buffer.byteLength(value) <= 15 && !/[/:\s]/.test(value) && !/^\.{1,2}$/.test(value),
})

/** A name of a network: it becomes a name of files. */
export const networkName = text('a name', nonEmpty, {
  accepted: 'a name of 1 to 200 bytes without "/" or control characters, not "." or ".."',
  test: (value) => Buffer.byteLength(value) <= 200 && !/^\.{1,2}$/.test(value)
    // eslint-disable-next-line no-control-regex -- control characters are what it is for
    && !/[/\x00-\x1f\x7f\u2028\u2029]/.test(value) && value.trim() !== '',
})

/** A domain or host name. `_` is not in RFC 952, but is in DNS. */
export const dnsName = text('a DNS name', nonEmpty, {
  accepted: 'a DNS name: labels of 1 to 63 letters, digits, "-" and "_", separated by dots, 253 bytes at most',
  test: (value) => value.length <= 253 && /^(?!-)[\w-]{1,63}(?:\.(?!-)[\w-]{1,63})*\.?$/.test(value),
})

/** A name for people and for the rest of the XML: a port group, a firewalld zone. */
export const word = text('a name', nonEmpty, {
  accepted: 'a name of letters, digits, "_", "-", "." and ":"',
  test: (value) => /^[\w.:-]+$/.test(value),
})

/** DHCPv6 unique identifier. */
export const duid = text(
  'hexadecimal bytes separated by colons',
  (value) => (/^[\da-f:]+$/i.test(value) ? value : undefined),
  {
    accepted: 'hexadecimal bytes separated by colons, e.g. "00:03:00:01:52:54:00:12:34:56"',
    test: (value) => /^[\da-f]{1,2}(?::[\da-f]{1,2}){2,129}$/i.test(value),
  },
)

export const ip = text('an IPv4 or IPv6 address', canonicalAddress)

export const ipv4 = text('an IPv4 address', (value) => (addressFamily(value) === 4 ? value : undefined))

/** `0:16:3E:…` → `00:16:3e:…`. */
export const unicastMac = text('a unicast MAC address, e.g. "52:54:00:12:34:56"', (value) => {
  if (!/^[\da-f]{1,2}(?::[\da-f]{1,2}){5}$/i.test(value)) return undefined
  const bytes = value.toLowerCase().split(':').map((byte) => byte.padStart(2, '0'))
  return Number.parseInt(bytes[0] ?? '', 16) % 2 === 0 ? bytes.join(':') : undefined
})

/** With or without dashes → lower case, with dashes. */
export const uuid = text('a UUID', (value) => {
  const digits = value.trim().toLowerCase()
  const match = /^([\da-f]{8})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{12})$/.exec(digits)
  return match === null ? undefined : match.slice(1).join('-')
})

/** One of a few words. */
export function oneOf<const V extends string>(...values: readonly V[]): Codec<V> {
  const find = (value: unknown): V | undefined => values.find((candidate) => candidate === value)
  return { accepted: values.map((value) => JSON.stringify(value)).join(', '), names: values, parse: find, format: find }
}

function flag(on: string, off: string): Codec<boolean> {
  return {
    accepted: `${on} or ${off}`,
    parse: (value) => (value === on ? true : value === off ? false : undefined),
    format: (value) => (value === true ? on : value === false ? off : undefined),
  }
}
export const yesNo = flag('yes', 'no')
export const onOff = flag('on', 'off')

/** A decimal number. */
export function integer(min: number, max: number): Codec<number> {
  return number(min, max, /^\d+$/, String)
}

/** A decimal number that may be as large as you like, but is of use up to `max` only. */
export function wide(max: number): Codec<number> {
  return {
    ...integer(0, Number.MAX_SAFE_INTEGER),
    usable: { accepted: `a whole number, 0 to ${max}`, test: (value) => Number(value) <= max },
  }
}

/** A number that may also be given as `0x…`; written in decimal. */
export function anyBase(max: number): Codec<number> {
  return number(0, max, /^(?:\d+|0x[\da-f]+)$/i, String)
}

/** A number that may also be given as `0x…`; written so, with this many digits. */
export function hexadecimal(digits: number, max: number): Codec<number> {
  return number(0, max, /^(?:\d+|0x[\da-f]+)$/i, (value) => `0x${value.toString(16).padStart(digits, '0')}`)
}

function number(min: number, max: number, form: RegExp, write: (value: number) => string): Codec<number> {
  const within = (value: number): boolean => Number.isInteger(value) && value >= min && value <= max
  return {
    accepted: `a whole number, ${min} to ${max}`,
    parse: (value) => (form.test(value) && within(Number(value)) ? Number(value) : undefined),
    format: (value) => (typeof value === 'number' && within(value) ? write(value) : undefined),
  }
}
