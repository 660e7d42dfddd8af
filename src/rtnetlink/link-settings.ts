/** What can be set of any link: when it is made, later, or both. Source: ip-link(8). */
import { InvalidArgumentError } from '../errors.ts'
import type { TableValues } from '../netlink/table.ts'
import type { commonTable } from './attributes.ts'
import * as c from './constants.ts'
import type { ipv4Link, ipv6Link } from './linkconf.ts'

/** The named kind of a link's own numbers, e.g. for `operState`. */
type Common = TableValues<typeof commonTable>

/** What can be set when a link is made, and later. */
export interface LinkSettings {
  /** Six bytes, hexadecimal with colons. */
  mac?: string
  /** Link-layer broadcast address, like `mac`. */
  broadcast?: string
  /** Bytes, at least 68 for IPv4 and 1280 for IPv6. */
  mtu?: number
  up?: boolean
  /** Takes packets for any MAC address. */
  promisc?: boolean
  /** Takes packets for any multicast address. */
  allMulticast?: boolean
  /** Sends and takes multicasts. */
  multicast?: boolean
  /** Asks by ARP and NDP, and answers. */
  arp?: boolean
  /** Only a mark. */
  dynamic?: boolean
  /** Only a mark. */
  trailers?: boolean
  /** A number by which links are handled together (ip link … group). */
  group?: number
  /** Packets. */
  txQueueLen?: number
  /** At most 255 bytes, for people. */
  alias?: string
  /** Packets that a packet may be made of, on the way out. */
  gsoMaxSegs?: number
  /** Bytes that the stack may hand over in one, over IPv6; above 65536: BIG TCP. */
  gsoMaxSize?: number
  /** Bytes that may be put together in one on the way in, over IPv6. */
  groMaxSize?: number
  /** Like `gsoMaxSize`, over IPv4. Linux ≥ 6.3. */
  gsoIpv4MaxSize?: number
  /** Like `groMaxSize`, over IPv4. Linux ≥ 6.3. */
  groIpv4MaxSize?: number
  /** RFC 2863: `up`, `dormant`, `testing`, for whoever supervises the link. */
  operState?: Common['operState']
  /** `dormant`: the link is not up before `operState` says so. Default `default`. */
  linkMode?: Common['linkMode']
  /** Of links that can pretend: dummy, bridge, team, tun, … */
  carrier?: boolean
  /** Held down by a protocol, of links that can be: vxlan, macvlan, … */
  protoDown?: boolean
  /** Bits, of which those in `mask` are meant. */
  protoDownReason?: { mask?: number, value?: number }
  /** net.ipv4.conf.LINK: `{ conf: { rpFilter: 0 } }`. The link's MTU must be large enough for IPv4. */
  ipv4?: Pick<TableValues<typeof ipv4Link>, 'conf'>
  /** How addresses are made. Other sysctls of IPv6 are set by `host.sysctl`. */
  ipv6?: Pick<TableValues<typeof ipv6Link>, 'addrGenMode' | 'token'>
}

/** Settings that are bits of the header, and whether true sets or clears the bit. */
const flagSettings = {
  up: [c.IFF_UP, true],
  promisc: [c.IFF_PROMISC, true],
  allMulticast: [c.IFF_ALLMULTI, true],
  multicast: [c.IFF_MULTICAST, true],
  dynamic: [c.IFF_DYNAMIC, true],
  arp: [c.IFF_NOARP, false],
  trailers: [c.IFF_NOTRAILERS, false],
} as const

/** Settings that are attributes, and which the kernel takes when the link is made. */
const atOnce = [
  'mac', 'broadcast', 'mtu', 'group', 'txQueueLen', 'gsoMaxSegs', 'gsoMaxSize', 'groMaxSize', 'gsoIpv4MaxSize', 'groIpv4MaxSize', 'operState',
  'linkMode',
] as const
/** Those that it passes over in silence there. */
const afterwards = ['alias', 'carrier', 'protoDown', 'protoDownReason', 'ipv4', 'ipv6'] as const

export const settingNames: readonly string[] = [...Object.keys(flagSettings), ...atOnce, ...afterwards]

/** How each setting is said: as a bit of the header, or in an attribute. */
const places = new Map<string, readonly [bit: number, sets: boolean] | 'atOnce' | 'afterwards' | 'afSpec'>([
  ...Object.entries(flagSettings),
  ...atOnce.map(name => [name, 'atOnce'] as const),
  ...afterwards.map(name => [name, name === 'ipv4' || name === 'ipv6' ? 'afSpec' : 'afterwards'] as const),
])

export interface SortedSettings {
  /** For the header. */
  flags: { flags?: number, change?: number }
  atOnce: object
  afterwards: object
}

/** Sorts settings by how they are said to the kernel. Throws InvalidArgumentError for flags that are not true or false. */
export function sortSettings(settings: LinkSettings): SortedSettings {
  const sorted: { flags: SortedSettings['flags'], atOnce: Record<string, unknown>, afterwards: Record<string, unknown> } =
    { flags: {}, atOnce: {}, afterwards: {} }
  let [flags, change] = [0, 0]
  for (const name in settings) {
    const value = settings[name as keyof LinkSettings]
    const place = places.get(name)
    if (value === undefined || place === undefined) continue
    if (place === 'atOnce') {
      sorted.atOnce[name] = value
    } else if (place === 'afterwards') {
      sorted.afterwards[name] = value
    } else if (place === 'afSpec') {
      sorted.afterwards['afSpec'] = { ...sorted.afterwards['afSpec'] as object, [name]: value }
    } else {
      if (typeof value !== 'boolean') throw new InvalidArgumentError(name, value, 'true or false')
      const [bit, sets] = place
      change |= bit
      if (value === sets) flags |= bit
    }
  }
  if (change !== 0) sorted.flags = { flags, change }
  return sorted
}

/** Those settings that cannot be made with the link. */
export function laterSettings(settings: LinkSettings): LinkSettings {
  return pick(settings, afterwards)
}

function pick(settings: LinkSettings, names: readonly (keyof LinkSettings)[]): object {
  const picked: Record<string, unknown> = {}
  for (const name of names) if (settings[name] !== undefined) picked[name] = settings[name]
  return picked
}
