/** What a port may be asked to be: everything that can be said of a call before the kernel is looked at. */
import { aBoolean, checkEach, wholeNumber } from '../checks.ts'
import type { Check } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { netnsSource } from '../host/netns.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../netlink/codecs.ts'
import { dnsName } from '../network/codecs.ts'
import type { DhcpHostConfig, NetworkConfig } from '../network/config.ts'
import type { PortSpec } from '../network/connection.ts'
import { addressFamily, canonicalAddress, hostIn, ipSubnet } from '../network/subnets.ts'
import type { Subnet } from '../network/subnets.ts'
import { longestHostname } from './alias.ts'

/** A port of a call, checked. What is undefined is chosen once the kernel has been looked at. */
export interface CheckedSpec {
  /** Where it stands in the call, for errors: `ports[3]`; '' if it stands alone. */
  path: string
  ifname: string | undefined
  kind: 'tap' | 'veth'
  /** In lower case. */
  mac: string | undefined
  /** In canonical form. */
  ip: string | undefined
  hostname: string | undefined
  owner: number | undefined
  group: number | undefined
  queues: number
  vnetHeader: boolean
  isolated: boolean
  mtu: number | undefined
  peer: { ifname: string, netns: string | number | undefined, up: boolean } | undefined
}

const ifname: Check = { test: isInterfaceName, accepted: INTERFACE_NAME_RULE }
// All ones is the kernel's "nobody".
const id = wholeNumber(0, 0xfffffffe, 'a numeric id')

const portChecks: Record<keyof PortSpec, Check> = {
  ifname,
  kind: { test: value => value === 'tap' || value === 'veth', accepted: 'tap or veth' },
  mac: {
    // 0xFE is the first byte of the host's end: the same address on both sides of a tap would not work.
    test: value => typeof value === 'string' && /^(?!fe)[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(value) && !/^[0:]+$/.test(value),
    accepted: 'the MAC address of a guest, like 52:54:00:12:34:56: no multicast address, not zero, first byte not fe',
  },
  ip: { test: value => typeof value === 'string' && addressFamily(value) !== undefined, accepted: 'an IPv4 or IPv6 address' },
  hostname: {
    test: value => typeof value === 'string' && value.length <= longestHostname && dnsName.usable?.test(value) === true,
    accepted: `a DNS name: labels of 1 to 63 letters, digits, "-" and "_", separated by dots, ${longestHostname} bytes at most`,
  },
  owner: id,
  group: id,
  // MAX_TAP_QUEUES, linux/if_tap.h.
  queues: wholeNumber(1, 256),
  vnetHeader: aBoolean,
  isolated: aBoolean,
  mtu: wholeNumber(68, 65535),
  peer: { test: value => typeof value === 'object' && value !== null && !Array.isArray(value), accepted: 'an object with ifname' },
}

const peerChecks: Record<keyof NonNullable<PortSpec['peer']>, Check> = {
  ifname,
  netns: {
    test: isNetns,
    accepted: 'a namespace name, path or open file descriptor',
  },
  up: aBoolean,
}

/** Options of one kind of port only. */
const tapOnly = ['owner', 'group', 'vnetHeader'] as const

/**
 * Throws InvalidArgumentError for the first fault. `alone`: the error's field is `mac`, not `ports[0].mac`.
 */
export function checkSpecs(specs: readonly PortSpec[], config: NetworkConfig, alone: boolean): CheckedSpec[] {
  if (!Array.isArray(specs)) throw new InvalidArgumentError('ports', specs, 'an array of ports')
  const dhcp = (config.ip ?? []).filter(ip => ip.dhcp !== undefined)
    .map(ip => ({ subnet: ipSubnet(ip), hosts: ip.dhcp?.host ?? [] }))
  const taken = new Map<string, string>()
  return specs.map((spec: PortSpec, index) => {
    const checked = checkSpec(spec, alone ? '' : `ports[${index}]`, config)
    if (checked.ip !== undefined) checkReservation(checked, dhcp, config)
    checkTwice(checked, taken)
    return checked
  })
}

function checkSpec(spec: PortSpec, path: string, config: NetworkConfig): CheckedSpec {
  checkEach(path, spec, portChecks, 'port')
  const { kind = 'tap', ip, hostname, peer } = spec
  if (hostname !== undefined && ip === undefined) {
    throw new InvalidArgumentError(at(path, 'hostname'), hostname, 'no hostname without ip, the address that it stands for')
  }
  if (peer !== undefined) checkEach(at(path, 'peer'), peer, peerChecks)
  if (kind === 'veth') {
    const other = tapOnly.find(name => spec[name] !== undefined)
    if (other !== undefined) throw new InvalidArgumentError(at(path, other), spec[other], `no ${other}, which is of taps`)
    if (peer?.ifname === undefined) {
      throw new InvalidArgumentError(at(path, peer === undefined ? 'peer' : 'peer.ifname'), undefined, 'the name of the other end of a veth')
    }
  } else if (peer !== undefined) {
    throw new InvalidArgumentError(at(path, 'peer'), peer, 'no peer, which is of veths')
  }
  return {
    path,
    ifname: spec.ifname,
    kind,
    mac: spec.mac?.toLowerCase(),
    ip: ip === undefined ? undefined : canonicalAddress(ip),
    hostname,
    owner: spec.owner,
    group: spec.group,
    queues: spec.queues ?? 1,
    vnetHeader: spec.vnetHeader ?? true,
    isolated: spec.isolated ?? config.port?.isolated ?? false,
    mtu: spec.mtu,
    peer: peer === undefined ? undefined : { ifname: peer.ifname, netns: peer.netns, up: peer.up ?? false },
  }
}

/** netnsSource, which knows what a namespace's name may be, says so by throwing. */
function isNetns(value: unknown): boolean {
  try {
    netnsSource(value as string | number)
    return true
  } catch {
    return false
  }
}

/** An address that the network's DHCP can give, and has not promised yet. */
function checkReservation(
  { path, ip = '', mac, hostname }: CheckedSpec, dhcp: readonly { subnet: Subnet, hosts: readonly DhcpHostConfig[] }[],
  config: NetworkConfig,
): void {
  const field = at(path, 'ip')
  if (dhcp.length === 0) throw new InvalidArgumentError(field, ip, `no ip, since network ${config.name} has no <dhcp>`)
  const family = addressFamily(ip)
  const found = dhcp.find(({ subnet }) => subnet.family === family && hostIn(ip, cidr(subnet)))
  if (found === undefined) {
    const subnets = dhcp.map(({ subnet }) => cidr(subnet)).join(' or ')
    throw new InvalidArgumentError(field, ip, `an address in ${subnets}, where network ${config.name} has <dhcp>`)
  }
  const { subnet: { address, network, broadcast }, hosts } = found
  if (ip === address) throw new InvalidArgumentError(field, ip, 'an address other than that of the bridge')
  if (family === 4 && (ip === network || ip === broadcast)) {
    throw new InvalidArgumentError(field, ip, 'the address of a host, not that of the network or for broadcasts')
  }
  // libvirt's rule: DHCPv6 does not know guests by their MAC.
  if (family === 6 && hostname === undefined) {
    throw new InvalidArgumentError(at(path, 'hostname'), hostname, 'a hostname with an IPv6 address, by which DHCPv6 knows the guest')
  }
  for (const host of hosts) {
    const same = host.ip === ip ? 'ip' : mac !== undefined && host.mac?.toLowerCase() === mac ? 'mac'
      : hostname !== undefined && host.name === hostname ? 'hostname' : undefined
    if (same === undefined) continue
    throw new InvalidArgumentError(at(path, same), same === 'ip' ? ip : same === 'mac' ? mac : hostname,
      `one that network ${config.name} has not reserved yet; it has ${[host.mac, host.name, host.ip].filter(Boolean).join(' ')}`)
  }
}

/** The same in two ports of a call. `taken`: what it was, and where. */
function checkTwice({ path, ifname, mac, ip, hostname, peer }: CheckedSpec, taken: Map<string, string>): void {
  const peerPlace = peer?.netns === undefined ? '' : `${typeof peer.netns} ${peer.netns} `
  const unique: [string, string | undefined, string][] = [
    ['ifname', ifname, 'link '],
    ['mac', mac, 'mac '],
    ['ip', ip, 'ip '],
    ['hostname', hostname?.toLowerCase(), 'hostname '],
    ['peer.ifname', peer?.ifname, `${peerPlace}link `],
  ]
  for (const [name, value, what] of unique) {
    if (value === undefined) continue
    const field = at(path, name)
    const earlier = taken.get(what + value)
    if (earlier !== undefined) throw new InvalidArgumentError(field, value, `another than ${earlier} has`)
    taken.set(what + value, field)
  }
}

export function at(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`
}

function cidr({ network, prefix }: Subnet): string {
  return `${network}/${prefix}`
}
