/** IP addresses as requests and records. Source: ip-address(8), rtnetlink(7), linux/if_addr.h. */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { formatIp, isIPv4, isIPv6, parseIp, parsePrefix } from '../ip.ts'
import { ip, string, u32 } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../netlink/constants.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { families, familyNumber } from './families.ts'
import { ifaddrmsg } from './messages.ts'
import { scopeName, scopeNumber } from './scopes.ts'

const addressAttributes = attributes({
  local: [c.IFA_LOCAL, ip],
  address: [c.IFA_ADDRESS, ip],
  broadcast: [c.IFA_BROADCAST, ip],
  label: [c.IFA_LABEL, string(15)],
  flags: [c.IFA_FLAGS, u32],
  metric: [c.IFA_RT_PRIORITY, u32],
  /** struct ifa_cacheinfo: seconds; all ones is for ever. */
  cacheInfo: [c.IFA_CACHEINFO, struct({ preferred: u32, valid: u32, created: u32, updated: u32 })],
})
export const addressMessage = { header: ifaddrmsg, attributes: addressAttributes }

const forever = 0xffffffff

/** An address as the kernel shows it. */
export interface Address {
  /** Of the link. */
  index: number
  family: 4 | 6
  /** With its prefix: `192.168.122.1/24`. */
  address: string
  /** The other end of a point-to-point link. */
  peer: string | undefined
  broadcast: string | undefined
  label: string | undefined
  /** `global`, `link`, `host`, `site`, or a number. */
  scope: string | number
  /** IFA_F_*, e.g. `permanent`, `tentative`. */
  flags: string[]
  /** Of the route that the kernel makes for the prefix. */
  metric: number | undefined
  /** Undefined: for ever. */
  validLifetimeMs: number | undefined
  preferredLifetimeMs: number | undefined
}

/** What can be said of an address beside itself. */
export interface AddressOptions {
  /** An address, or `auto` for the last one of the prefix. Default: none, as with `ip address add`. */
  broadcast?: string
  /** At most 15 bytes; IPv4 only. */
  label?: string
  /** The other end of a point-to-point link. */
  peer?: string
  scope?: 'global' | 'site' | 'link' | 'host' | number
  /** Of the route that the kernel makes for the prefix. */
  metric?: number
  /** No route for the prefix. */
  noPrefixRoute?: boolean
  /** No duplicate address detection; IPv6 only. */
  noDad?: boolean
  /** Whole seconds, at least one; left out: for ever. */
  validLifetimeMs?: number
  /** Whole seconds, at most the valid lifetime, which it is if left out; 0: deprecated from the start. */
  preferredLifetimeMs?: number
  /** Change an address that is there already instead of refusing. */
  replace?: boolean
}

const optionNames = [
  'broadcast', 'label', 'peer', 'scope', 'metric', 'noPrefixRoute', 'noDad', 'validLifetimeMs', 'preferredLifetimeMs', 'replace',
]

export function newAddress(index: number, address: string, options: AddressOptions = {}): AnyRequest {
  checkFields(options, optionNames, 'options of an address')
  const { local, prefix, family } = parse(address)
  const { broadcast, label, peer, scope, metric, noPrefixRoute, noDad, validLifetimeMs, preferredLifetimeMs, replace } = options
  checkFamily('peer', peer, family)
  if (broadcast !== undefined && family === 6) throw new InvalidArgumentError('broadcast', broadcast, 'nothing with an IPv6 address')
  if (broadcast !== 'auto') checkFamily('broadcast', broadcast, family)
  const flags = (noPrefixRoute === true ? c.IFA_F_NOPREFIXROUTE : 0) | (noDad === true ? c.IFA_F_NODAD : 0)
  const lifetimes = validLifetimeMs === undefined && preferredLifetimeMs === undefined ? undefined
    : lifetimesOf(validLifetimeMs, preferredLifetimeMs)
  return change({
    type: c.RTM_NEWADDR,
    flags: NLM_F_CREATE | (replace === true ? NLM_F_REPLACE : NLM_F_EXCL),
    format: addressMessage,
    header: {
      family: families[family],
      prefixLength: prefix,
      index,
      scope: scope === undefined ? defaultScope(local) : scopeNumber(scope),
    },
    attributes: {
      local,
      address: peer ?? local,
      broadcast: broadcast === 'auto' ? lastOf(local, prefix) : broadcast,
      label, metric,
      flags: flags === 0 ? undefined : flags,
      cacheInfo: lifetimes,
    },
    operation: `add address ${address} to link ${index}`,
  })
}

/** The kernel finds an IPv4 address with a `peer` by both. */
export function deleteAddress(index: number, address: string, { peer }: Pick<AddressOptions, 'peer'> = {}): AnyRequest {
  const { local, prefix, family } = parse(address)
  checkFamily('peer', peer, family)
  return change({
    type: c.RTM_DELADDR, flags: 0, format: addressMessage,
    header: { family: families[family], prefixLength: prefix, index },
    attributes: { local, address: peer ?? local },
    operation: `delete address ${address} of link ${index}`,
  })
}

export interface AddressFilter {
  /** Of the link. */
  index?: number
  family?: 4 | 6
}

export function listAddresses(filter: AddressFilter = {}): AnyRequest {
  checkFields(filter, ['index', 'family'], 'a filter of addresses')
  const { index = 0, family } = filter
  return dump({
    type: c.RTM_GETADDR, flags: 0, format: addressMessage,
    header: { index, family: familyNumber(family) },
    attributes: {},
    operation: 'list addresses',
  })
}

/** Names of bits, as ip(8) prints them. */
const flagNames: [number, string][] = [
  [c.IFA_F_SECONDARY, 'secondary'], [c.IFA_F_NODAD, 'nodad'], [c.IFA_F_OPTIMISTIC, 'optimistic'], [c.IFA_F_DADFAILED, 'dadfailed'],
  [c.IFA_F_HOMEADDRESS, 'home'], [c.IFA_F_DEPRECATED, 'deprecated'], [c.IFA_F_TENTATIVE, 'tentative'], [c.IFA_F_PERMANENT, 'permanent'],
  [c.IFA_F_MANAGETEMPADDR, 'mngtmpaddr'], [c.IFA_F_NOPREFIXROUTE, 'noprefixroute'], [c.IFA_F_MCAUTOJOIN, 'autojoin'],
  [c.IFA_F_STABLE_PRIVACY, 'stable-privacy'],
]

export function decodeAddress(message: Message): Address {
  const header = message.header as { family: number, prefixLength: number, flags: number, scope: number, index: number }
  const values = message.attributes as TableValues<typeof addressAttributes>
  const { local, address = '', broadcast, label, flags = header.flags, metric, cacheInfo } = values
  const lifetime = (value: number | undefined): number | undefined => (value === undefined || value === forever ? undefined : value * 1000)
  const own = local ?? address
  return {
    index: header.index,
    family: header.family === c.AF_INET6 ? 6 : 4,
    address: `${own}/${header.prefixLength}`,
    peer: address === own ? undefined : address,
    broadcast, label,
    scope: scopeName(header.scope),
    flags: flagNames.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name),
    metric,
    validLifetimeMs: lifetime(cacheInfo?.valid),
    preferredLifetimeMs: lifetime(cacheInfo?.preferred),
  }
}

function parse(text: string): { local: string, prefix: number, family: 4 | 6 } {
  const parsed = typeof text === 'string' && text.includes('/') ? parsePrefix(text) : undefined
  if (parsed === undefined) throw new InvalidArgumentError('address', text, 'an address and prefix length like 192.168.122.1/24')
  return { local: parsed.address, prefix: parsed.prefix, family: parsed.family }
}

function checkFamily(field: string, address: string | undefined, family: 4 | 6): void {
  if (address === undefined) return
  const fits = typeof address === 'string' && (family === 4 ? isIPv4(address) : isIPv6(address))
  if (!fits) throw new InvalidArgumentError(field, address, `an IPv${family} address`)
}

function lifetimesOf(validMs: number | undefined, preferredMs = validMs): { valid: number, preferred: number } {
  const valid = seconds('validLifetimeMs', validMs, 1)
  const preferred = seconds('preferredLifetimeMs', preferredMs, 0)
  if (preferred > valid) throw new InvalidArgumentError('preferredLifetimeMs', preferredMs, 'at most validLifetimeMs')
  return { valid, preferred }
}

function seconds(field: string, ms: number | undefined, least: number): number {
  if (ms === undefined) return forever
  if (!Number.isInteger(ms) || ms % 1000 !== 0 || ms / 1000 < least || ms / 1000 >= forever) {
    throw new InvalidArgumentError(field, ms, `whole seconds in milliseconds, at least ${least * 1000}`)
  }
  return ms / 1000
}

/** As iproute2 chooses: loopback addresses are the host's own. */
function defaultScope(local: string): number {
  return local.startsWith('127.') || local === '::1' ? c.RT_SCOPE_HOST : c.RT_SCOPE_UNIVERSE
}

function lastOf(local: string, prefix: number): string | undefined {
  const bytes = parseIp(local)
  if (bytes?.length !== 4) return undefined
  return formatIp(bytes.map((byte, position) => byte | (0xff >> Math.min(8, Math.max(0, prefix - position * 8)))))
}
