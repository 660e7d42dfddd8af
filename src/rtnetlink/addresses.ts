/** IP addresses as requests and records. Source: ip-address(8), rtnetlink(7), linux/if_addr.h. */
import { isKeyOf } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { formatIp, isIPv4, parseIp, parsePrefix } from '../ip.ts'
import { ip, string, u32, u8 } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { RawAttribute, TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { families, familyNumber } from './families.ts'
import { ifaddrmsg } from './messages.ts'
import { bitNames, names, scopes } from './names.ts'
import type { Scope } from './names.ts'

const addressAttributes = attributes({
  local: [c.IFA_LOCAL, ip],
  address: [c.IFA_ADDRESS, ip],
  broadcast: [c.IFA_BROADCAST, ip],
  anycast: [c.IFA_ANYCAST, ip],
  multicast: [c.IFA_MULTICAST, ip],
  label: [c.IFA_LABEL, string(15)],
  flags: [c.IFA_FLAGS, u32],
  metric: [c.IFA_RT_PRIORITY, u32],
  protocol: [c.IFA_PROTO, u8],
  /** struct ifa_cacheinfo: seconds; all ones is for ever. */
  cacheInfo: [c.IFA_CACHEINFO, struct({ preferred: u32, valid: u32, created: u32, updated: u32 })],
})
export const addressMessage = { header: ifaddrmsg, attributes: addressAttributes }

const forever = 0xffffffff

/** A span of time in milliseconds, or `forever`. */
export type Lifetime = number | 'forever'

/** Who made an address: linux/if_addr.h IFAPROT_*, or 1 to 255. */
export const addressProtocols = names(
  { kernel_lo: c.IFAPROT_KERNEL_LO, kernel_ra: c.IFAPROT_KERNEL_RA, kernel_ll: c.IFAPROT_KERNEL_LL }, { min: 1 },
)
export type AddressProtocol = 'kernel_lo' | 'kernel_ra' | 'kernel_ll' | number

/** Names of bits, as ip(8) prints them. */
const flags = [
  [c.IFA_F_SECONDARY, 'secondary'], [c.IFA_F_NODAD, 'nodad'], [c.IFA_F_OPTIMISTIC, 'optimistic'], [c.IFA_F_DADFAILED, 'dadfailed'],
  [c.IFA_F_HOMEADDRESS, 'home'], [c.IFA_F_DEPRECATED, 'deprecated'], [c.IFA_F_TENTATIVE, 'tentative'], [c.IFA_F_PERMANENT, 'permanent'],
  [c.IFA_F_MANAGETEMPADDR, 'mngtmpaddr'], [c.IFA_F_NOPREFIXROUTE, 'noprefixroute'], [c.IFA_F_MCAUTOJOIN, 'autojoin'],
  [c.IFA_F_STABLE_PRIVACY, 'stable-privacy'],
] as const
const flags6 = flags.map(([bit, name]) => [bit, bit === c.IFA_F_SECONDARY ? 'temporary' : name] as const)
export const addressFlags: readonly string[] = [...new Set([...flags, ...flags6].map(([, name]) => name))]
export type AddressFlag = typeof flags6[number][1] | typeof flags[number][1]

/** An address as the kernel shows it. */
export interface Address {
  /** Of the link. */
  index: number
  family: 4 | 6
  /** With the prefix length, which is the peer's if there is one: `192.168.122.1/24`. */
  address: string
  /** The other end of a point-to-point link. */
  peer: string | undefined
  broadcast: string | undefined
  /** IPv4: the link's name, unless another was given. */
  label: string | undefined
  /** `global`, `link`, `host`, `site`, or a number. */
  scope: Scope
  /** IFA_F_*, as ip(8) prints them. IPv4 `secondary` and IPv6 `temporary` are one bit. */
  flags: AddressFlag[]
  /** Of the route that the kernel makes for the prefix. */
  metric: number | undefined
  /** Who made it. Linux 5.18. */
  protocol: AddressProtocol | undefined
  /** What is left of it; undefined: for ever. */
  validLifetimeMs: number | undefined
  /** 0: deprecated. */
  preferredLifetimeMs: number | undefined
  /** What virbr has no name for. */
  raw?: RawAttribute[] | undefined
}

/** What can be said of an address beside itself. */
export interface AddressOptions {
  /**
   * IPv4 only: an address; `+` or `auto`: the last one of the prefix, `-`: the first one, as ip(8) takes them, neither with
   * a prefix longer than 30. Default: none, as with `ip address add`.
   */
  broadcast?: string
  /** At most 15 bytes; IPv4 only. ifconfig(8) wants the link's name and a colon in front. */
  label?: string
  /** The other end of a point-to-point link. The prefix length may stand here or with the address, or the same with both. */
  peer?: string
  scope?: Scope
  /** Of the route that the kernel makes for the prefix. */
  metric?: number
  /** Who made it. Linux 5.18; an older kernel leaves it out. */
  protocol?: AddressProtocol
  /** No route for the prefix. */
  noPrefixRoute?: boolean
  /** No duplicate address detection; IPv6 only. */
  noDad?: boolean
  /** Used while duplicates are looked for; IPv6 only, CONFIG_IPV6_OPTIMISTIC_DAD. */
  optimistic?: boolean
  /** A home address (RFC 6275); IPv6 only. */
  home?: boolean
  /** The kernel makes temporary addresses of it (RFC 8981); IPv6 only, prefix length 64. */
  mngTmpAddr?: boolean
  /** A multicast address, whose group the kernel joins on the link. */
  autoJoin?: boolean
  /** Whole seconds, at least one; default `forever`. */
  validLifetimeMs?: Lifetime
  /** Whole seconds, at most the valid lifetime, which it is if left out; 0: deprecated from the start. */
  preferredLifetimeMs?: Lifetime
}

/** Options that are bits, and whether IPv4 has them. */
const switches = {
  noPrefixRoute: [c.IFA_F_NOPREFIXROUTE, 'noprefixroute', true], noDad: [c.IFA_F_NODAD, 'nodad', false],
  optimistic: [c.IFA_F_OPTIMISTIC, 'optimistic', false], home: [c.IFA_F_HOMEADDRESS, 'home', false],
  mngTmpAddr: [c.IFA_F_MANAGETEMPADDR, 'mngtmpaddr', false], autoJoin: [c.IFA_F_MCAUTOJOIN, 'autojoin', true],
} as const
type Switch = keyof typeof switches

const optionNames = [
  'broadcast', 'label', 'peer', 'scope', 'metric', 'protocol', ...Object.keys(switches), 'validLifetimeMs', 'preferredLifetimeMs',
]

/** `add`: there must be none; `replace`: whether there is one or not; `change`: there must be one, of IPv6. */
const modes = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE | NLM_F_REPLACE, change: NLM_F_REPLACE } as const

export function newAddress(index: number, address: string, options: AddressOptions = {}, mode: keyof typeof modes = 'add'): AnyRequest {
  checkFields(options, optionNames, 'options of an address')
  const { broadcast, label, scope, metric, protocol, validLifetimeMs, preferredLifetimeMs } = options
  const { local, peer, prefix, family } = parse(address, options.peer)
  if (label !== undefined && family === 6) throw new InvalidArgumentError('label', label, 'nothing with an IPv6 address')
  const bits = flagsOf(options, family)
  const lifetimes = validLifetimeMs === undefined && preferredLifetimeMs === undefined ? undefined
    : lifetimesOf(validLifetimeMs, preferredLifetimeMs)
  return change({
    type: c.RTM_NEWADDR,
    flags: modes[mode],
    format: addressMessage,
    header: {
      family: families[family],
      prefixLength: prefix,
      index,
      scope: scope === undefined ? defaultScope(local) : scopes.number(scope, 'scope'),
    },
    attributes: {
      local,
      address: peer,
      broadcast: broadcastOf(broadcast, peer, prefix, family),
      label, metric,
      protocol: protocol === undefined ? undefined : addressProtocols.number(protocol, 'protocol'),
      flags: bits === 0 ? undefined : bits,
      cacheInfo: lifetimes,
    },
    operation: `${mode} address ${address} ${mode === 'add' ? 'to' : 'of'} link ${index}`,
  })
}

/** The kernel finds an IPv4 address with a `peer` by both. */
export function deleteAddress(index: number, address: string, options: Pick<AddressOptions, 'peer'> = {}): AnyRequest {
  checkFields(options, ['peer'], 'what an address is found by')
  const { local, peer, prefix, family } = parse(address, options.peer)
  return change({
    type: c.RTM_DELADDR, flags: 0, format: addressMessage,
    header: { family: families[family], prefixLength: prefix, index },
    attributes: { local, address: peer },
    operation: `delete address ${address} of link ${index}`,
  })
}

/** What to give to `newAddress` for the same address again, its lifetimes as far as they are left. */
export function optionsOf(address: Address): AddressOptions {
  const { family, broadcast, label, peer, scope, metric, protocol, flags, validLifetimeMs, preferredLifetimeMs } = address
  const set = (Object.keys(switches) as Switch[]).filter(name => flags.includes(switches[name][1]))
  const given = { broadcast, label, peer, metric, protocol, ...(family === 4 ? { scope } : {}) }
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...Object.fromEntries(set.map(name => [name, true])),
    validLifetimeMs: validLifetimeMs ?? 'forever',
    preferredLifetimeMs: preferredLifetimeMs ?? 'forever',
  }
}

const dumps = { unicast: c.RTM_GETADDR, multicast: c.RTM_GETMULTICAST, anycast: c.RTM_GETANYCAST } as const

/** Which addresses to ask the kernel for. */
export interface AddressFilter {
  /** Of the link. */
  index?: number
  family?: 4 | 6
  /** Default `unicast`: what links have. `multicast`: groups joined, of IPv4 from Linux 6.15 on; `anycast`: IPv6 anycast addresses. */
  type?: keyof typeof dumps
}

export function listAddresses(filter: AddressFilter = {}): AnyRequest {
  checkFields(filter, ['index', 'family', 'type'], 'a filter of addresses')
  const { index = 0, family, type = 'unicast' } = filter
  if (!isKeyOf(dumps, type)) throw new InvalidArgumentError('type', type, `one of ${Object.keys(dumps).join(', ')}`)
  return dump({
    type: dumps[type], flags: 0, format: addressMessage,
    // Of IPv4 the kernel has no list of anycast addresses.
    header: { index, family: type === 'anycast' ? c.AF_INET6 : familyNumber(family) },
    attributes: {},
    operation: type === 'unicast' ? 'list addresses' : `list ${type} addresses`,
  })
}

export function decodeAddress(message: Message): Address {
  const header = message.header as { family: number, prefixLength: number, flags: number, scope: number, index: number }
  const values = message.attributes as TableValues<typeof addressAttributes>
  const { local, multicast, anycast, address = multicast ?? anycast ?? '', flags: bits = header.flags, cacheInfo, protocol } = values
  const lifetime = (value: number | undefined): number | undefined => (value === undefined || value === forever ? undefined : value * 1000)
  const own = local ?? address
  const family = header.family === c.AF_INET6 ? 6 : 4
  return {
    index: header.index,
    family,
    address: `${own}/${header.prefixLength}`,
    peer: address === own ? undefined : address,
    broadcast: values.broadcast,
    label: values.label,
    scope: scopes.name(header.scope),
    flags: bitNames(family === 6 ? flags6 : flags, bits) as AddressFlag[],
    metric: values.metric,
    protocol: protocol === undefined ? undefined : addressProtocols.name(protocol),
    validLifetimeMs: lifetime(cacheInfo?.valid),
    preferredLifetimeMs: lifetime(cacheInfo?.preferred),
    ...(values.raw === undefined ? {} : { raw: values.raw }),
  }
}

/** The address, its other end (itself if there is none), and the prefix length, which belongs to the latter. */
function parse(text: string, peer: string | undefined): { local: string, peer: string, prefix: number, family: 4 | 6 } {
  const own = typeof text === 'string' ? parsePrefix(text) : undefined
  if (own === undefined || (peer === undefined && !text.includes('/'))) {
    throw new InvalidArgumentError('address', text, 'an address and prefix length like 192.168.122.1/24')
  }
  const { address: local, family } = own
  if (peer === undefined) return { local, peer: local, prefix: own.prefix, family }
  const other = typeof peer === 'string' ? parsePrefix(peer) : undefined
  if (other?.family !== family) throw new InvalidArgumentError('peer', peer, `an IPv${family} address`)
  if (text.includes('/') && peer.includes('/') && own.prefix !== other.prefix) {
    throw new InvalidArgumentError('peer', peer, `the prefix length of the address, /${own.prefix}, or none`)
  }
  return { local, peer: other.address, prefix: text.includes('/') ? own.prefix : other.prefix, family }
}

function flagsOf(options: AddressOptions, family: 4 | 6): number {
  let bits = 0
  for (const name of Object.keys(switches) as Switch[]) {
    const value = options[name]
    if (value === undefined) continue
    const [bit, , ofIPv4] = switches[name]
    if (typeof value !== 'boolean') throw new InvalidArgumentError(name, value, 'true or false')
    if (value && family === 4 && !ofIPv4) throw new InvalidArgumentError(name, value, 'nothing with an IPv4 address')
    if (value) bits |= bit
  }
  return bits
}

function lifetimesOf(validMs: Lifetime = 'forever', preferredMs = validMs): { valid: number, preferred: number } {
  const valid = seconds('validLifetimeMs', validMs, 1)
  const preferred = seconds('preferredLifetimeMs', preferredMs, 0)
  if (preferred > valid) throw new InvalidArgumentError('preferredLifetimeMs', preferredMs, 'at most validLifetimeMs')
  return { valid, preferred }
}

function seconds(field: string, ms: Lifetime, least: number): number {
  if (ms === 'forever') return forever
  if (!Number.isInteger(ms) || ms % 1000 !== 0 || ms / 1000 < least || ms / 1000 >= forever) {
    throw new InvalidArgumentError(field, ms, `whole seconds in milliseconds, at least ${least * 1000}, or 'forever'`)
  }
  return ms / 1000
}

/** As iproute2 chooses: loopback addresses are the host's own. */
function defaultScope(local: string): number {
  return local.startsWith('127.') || local === '::1' ? c.RT_SCOPE_HOST : c.RT_SCOPE_UNIVERSE
}

function broadcastOf(broadcast: string | undefined, peer: string, prefix: number, family: 4 | 6): string | undefined {
  if (broadcast === undefined) return undefined
  if (family === 6) throw new InvalidArgumentError('broadcast', broadcast, 'nothing with an IPv6 address')
  if (broadcast === 'auto' || broadcast === '+' || broadcast === '-') return endOf(peer, prefix, broadcast === '-')
  if (typeof broadcast === 'string' && isIPv4(broadcast)) return broadcast
  throw new InvalidArgumentError('broadcast', broadcast, "an IPv4 address, 'auto', '+' or '-'")
}

/** The first or last address of a prefix that has room for it. */
function endOf(address: string, prefix: number, first: boolean): string | undefined {
  const bytes = parseIp(address)
  if (bytes === undefined || prefix > 30) return undefined
  return formatIp(bytes.map((byte, position) => {
    const host = 0xff >> Math.min(8, Math.max(0, prefix - position * 8))
    return first ? byte & ~host : byte | host
  }))
}
