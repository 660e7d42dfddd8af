/** IP arithmetic: subnets of network configs, prefixes, ranges. Addresses are read and written by ipaddr.js. */
import { InvalidArgumentError } from '../errors.ts'
import { ipaddr, isIPv4, isIPv6 } from '../ip.ts'

/** An address and the subnet it stands in. */
export interface Subnet {
  family: 4 | 6
  /** The address itself, in canonical form (IPv6: RFC 5952). */
  address: string
  prefix: number
  /** First address of the subnet. */
  network: string
  /** IPv4 only. */
  netmask?: string
  /** IPv4 with a prefix below 31 only. */
  broadcast?: string
}

/** What `<ip>` and `<route>` have in common. */
export interface AddressConfig {
  address: string
  netmask?: string
  prefix?: number
}

/** An address as a number, which is what arithmetic wants. */
interface NumericAddress {
  family: 4 | 6
  value: bigint
}

const bits = { 4: 32, 6: 128 } as const

/**
 * The canonical form of an address: `FD00::0:1` → `fd00::1`. Undefined if it is none. Stricter than inet_aton(3), which
 * reads `10.1.1` as 10.1.0.1 and `010.0.0.1` as 8.0.0.1; zones (`%eth0`) are refused.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text) || text.includes('%')) return undefined
  const address = ipaddr().IPv6.parse(text)
  return address.isIPv4MappedAddress() ? `::ffff:${address.toIPv4Address().toString()}` : address.toRFC5952String()
}

/** 4, 6, or undefined for what is no address. */
export function addressFamily(text: string): 4 | 6 | undefined {
  if (isIPv4(text)) return 4
  return isIPv6(text) && !text.includes('%') ? 6 : undefined
}

/**
 * Completes the address of an `<ip>`: without netmask and prefix, the prefix of the address's class (8, 16 or 24), as
 * libvirt does; 64 for IPv6.
 *
 * @param field where the config stands, for error messages, e.g. `ip[0]`
 * @throws InvalidArgumentError: no address, a netmask with holes, a prefix of another family, both netmask and prefix
 */
export function ipSubnet(ip: AddressConfig, field = 'ip'): Subnet {
  return subnetOf(ip, field, classPrefix)
}

/** The destination of a `<route>`: as {@link ipSubnet}, but the default prefix of `0.0.0.0` and `::` is 0. */
export function routeSubnet(route: AddressConfig, field = 'route'): Subnet {
  return subnetOf(route, field, (address) => (address.value === 0n ? 0 : classPrefix(address)))
}

function subnetOf(
  config: AddressConfig, field: string, defaultPrefix: (address: NumericAddress) => number | undefined,
): Subnet {
  const address = numeric(config.address, `${field}.address`)
  const prefix = explicitPrefix(config, address.family, field) ?? defaultPrefix(address)
  if (prefix === undefined) {
    throw new InvalidArgumentError(`${field}.prefix`, undefined, `a prefix, as ${config.address} is of no class`)
  }
  return subnet(address, prefix)
}

function explicitPrefix(config: AddressConfig, family: 4 | 6, field: string): number | undefined {
  const { netmask, prefix } = config
  if (netmask !== undefined) {
    if (prefix !== undefined) {
      throw new InvalidArgumentError(`${field}.netmask`, netmask, 'either netmask or prefix, not both')
    }
    if (family === 6) throw new InvalidArgumentError(`${field}.netmask`, netmask, 'prefix, not netmask, with IPv6')
    const fromMask = isIPv4(netmask) ? ipaddr().IPv4.parse(netmask).prefixLengthFromSubnetMask() : null
    if (fromMask === null) throw new InvalidArgumentError(`${field}.netmask`, netmask, 'an IPv4 netmask without holes')
    return fromMask
  }
  if (prefix === undefined) return undefined
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits[family]) {
    throw new InvalidArgumentError(`${field}.prefix`, prefix, `0 to ${bits[family]} for IPv${family}`)
  }
  return prefix
}

function classPrefix({ family, value }: NumericAddress): number | undefined {
  if (family === 6) return 64
  const firstByte = Number(value >> 24n)
  if (firstByte < 0x80) return 8
  if (firstByte < 0xc0) return 16
  return firstByte < 0xe0 ? 24 : undefined
}

function subnet({ family, value }: NumericAddress, prefix: number): Subnet {
  const hostMask = hostMaskOf(family, prefix)
  const network = value & ~hostMask
  const result: Subnet = { family, address: format(family, value), prefix, network: format(family, network) }
  if (family === 4) {
    result.netmask = format(4, 0xffff_ffffn & ~hostMask)
    if (prefix < 31) result.broadcast = format(4, network | hostMask)
  }
  return result
}

/** Whether two prefixes, `10.0.0.0/8` (host bits do not matter), have an address in common. */
export function subnetsOverlap(a: string, b: string): boolean {
  const first = parsePrefix(a)
  const second = parsePrefix(b)
  if (first.address.family !== second.address.family) return false
  const hostMask = hostMaskOf(first.address.family, Math.min(first.prefix, second.prefix))
  return (first.address.value & ~hostMask) === (second.address.value & ~hostMask)
}

/** Whether an address stands in a prefix: `hostIn('10.0.0.7', '10.0.0.0/24')`. */
export function hostIn(address: string, prefix: string): boolean {
  const { family } = numeric(address, 'address')
  return subnetsOverlap(`${address}/${bits[family]}`, prefix)
}

/** How many addresses a range has, both ends included; 0 or less if it is reversed. Exact up to 2^53. */
export function rangeSize(start: string, end: string): number {
  const first = numeric(start, 'start')
  const last = numeric(end, 'end')
  if (first.family !== last.family) {
    throw new InvalidArgumentError('end', end, `an IPv${first.family} address, as start is`)
  }
  return Number(last.value - first.value) + 1
}

function parsePrefix(text: string): { address: NumericAddress, prefix: number } {
  const [address = '', prefixText = '', ...rest] = text.split('/')
  const family = addressFamily(address)
  if (family === undefined || rest.length > 0 || !/^\d{1,3}$/.test(prefixText) || Number(prefixText) > bits[family]) {
    throw new InvalidArgumentError('prefix', text, 'an address and a prefix length, e.g. "192.168.122.0/24"')
  }
  return { address: numeric(address, 'prefix'), prefix: Number(prefixText) }
}

function numeric(text: string, field: string): NumericAddress {
  const family = addressFamily(text)
  if (family === undefined) throw new InvalidArgumentError(field, text, 'an IPv4 or IPv6 address')
  const bytes = ipaddr().parse(text).toByteArray()
  return { family, value: BigInt(`0x${Buffer.from(bytes).toString('hex')}`) }
}

function format(family: 4 | 6, value: bigint): string {
  const hex = value.toString(16).padStart(bits[family] / 4, '0')
  const text = ipaddr().fromByteArray([...Buffer.from(hex, 'hex')]).toString()
  return canonicalAddress(text) ?? text
}

function hostMaskOf(family: 4 | 6, prefix: number): bigint {
  return (1n << BigInt(bits[family] - prefix)) - 1n
}
