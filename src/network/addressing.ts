/** Rules for `<ip>`, `<dhcp>` and `<route>`: what libvirt refuses, and what it lets pass but cannot work. */
import { InvalidArgumentError } from '../errors.ts'
import { ipaddr } from '../ip.ts'
import type { DhcpConfig, DhcpHostConfig, DhcpRangeConfig, IpConfig, LeaseConfig, RouteConfig } from './config.ts'
import { type Subnet, addressFamily, hostIn, ipSubnet, rangeSize, routeSubnet, subnetsOverlap } from './subnets.ts'

/** All of a network's addresses, DHCP and routes. The config is normal: forms of single values have been checked. */
export function validateAddressing(ips: readonly IpConfig[], routes: readonly RouteConfig[]): void {
  const subnets = ips.map((ip, index) => validateIp(ip, `ip[${index}]`))
  for (const [index, subnet] of subnets.entries()) {
    const other = subnets.slice(0, index).findIndex((earlier) => subnetsOverlap(cidr(earlier), cidr(subnet)))
    if (other !== -1) {
      const accepted = `a subnet of its own, not one that overlaps ip[${other}]`
      throw new InvalidArgumentError(`ip[${index}].address`, cidr(subnet), accepted)
    }
  }
  const dhcpFamilies = new Set<number>()
  for (const [index, { dhcp }] of ips.entries()) {
    const family = subnets[index]?.family ?? 4
    if (dhcp === undefined) continue
    if (dhcpFamilies.has(family)) {
      throw new InvalidArgumentError(`ip[${index}].dhcp`, dhcp, `at most one ip with dhcp for IPv${family}`)
    }
    dhcpFamilies.add(family)
  }
  routes.forEach((route, index) => validateRoute(route, subnets, `route[${index}]`))
}

function validateIp(ip: IpConfig, path: string): Subnet {
  const subnet = ipSubnet(ip, path)
  requireFamily(ip, path)
  if (subnet.prefix === 0) throw new InvalidArgumentError(`${path}.prefix`, ip.prefix ?? ip.netmask, 'a prefix above 0')
  const range = ipaddr().parse(subnet.address).range()
  if (['unspecified', 'multicast', 'broadcast', 'loopback'].includes(range)) {
    throw new InvalidArgumentError(`${path}.address`, ip.address, `the address of a host, not a ${range} address`)
  }
  const hasNetworkAddress = subnet.prefix < (subnet.family === 4 ? 31 : 127)
  if (hasNetworkAddress && (subnet.address === subnet.network || subnet.address === subnet.broadcast)) {
    const kind = subnet.address === subnet.network ? 'network' : 'broadcast'
    const accepted = `the address of a host, not the ${kind} address of ${cidr(subnet)}`
    throw new InvalidArgumentError(`${path}.address`, ip.address, accepted)
  }
  if (ip.tftp !== undefined && !ip.tftp.root?.startsWith('/')) {
    throw new InvalidArgumentError(`${path}.tftp.root`, ip.tftp.root, 'an absolute path')
  }
  if (ip.dhcp !== undefined) validateDhcp(ip.dhcp, subnet, `${path}.dhcp`)
  return subnet
}

/** As libvirt: `family` may be left out with IPv4 only. */
function requireFamily({ family = 'ipv4', address }: Pick<IpConfig, 'family' | 'address'>, path: string): void {
  const actual = `ipv${addressFamily(address)}`
  if (family !== actual) throw new InvalidArgumentError(`${path}.family`, family, `${actual}, the family of ${address}`)
}

function validateDhcp(dhcp: DhcpConfig, subnet: Subnet, path: string): void {
  dhcp.range?.forEach((range, index) => validateRange(range, subnet, `${path}.range[${index}]`))
  dhcp.host?.forEach((host, index) => validateHost(host, subnet, `${path}.host[${index}]`))
  for (const key of ['id', 'mac', 'name', 'ip'] as const) requireUnique(dhcp.host ?? [], key, `${path}.host`)
  if (dhcp.bootp !== undefined && !dhcp.bootp.file) {
    throw new InvalidArgumentError(`${path}.bootp.file`, dhcp.bootp.file, 'the name of a boot file')
  }
}

function validateRange({ start, end, lease }: DhcpRangeConfig, subnet: Subnet, path: string): void {
  requireInSubnet(start, subnet, `${path}.start`)
  requireInSubnet(end, subnet, `${path}.end`)
  const size = rangeSize(start, end)
  if (size < 1) throw new InvalidArgumentError(`${path}.end`, end, `an address not below start, ${start}`)
  if (start === subnet.network && subnet.family === 4) {
    throw new InvalidArgumentError(`${path}.start`, start, `an address above the network address of ${cidr(subnet)}`)
  }
  if (end === subnet.broadcast) {
    throw new InvalidArgumentError(`${path}.end`, end, `an address below the broadcast address of ${cidr(subnet)}`)
  }
  // libvirt's limits: a number of leases that fits 16 bits; with IPv6 only the last 16 bits may differ.
  if (subnet.family === 4 ? size > 0xffff : !hostIn(end, `${start}/112`)) {
    throw new InvalidArgumentError(`${path}.end`, end, 'the end of a range of at most 65535 addresses')
  }
  validateLease(lease, `${path}.lease`)
}

function validateHost(host: DhcpHostConfig, subnet: Subnet, path: string): void {
  requireInSubnet(host.ip, subnet, `${path}.ip`)
  if (subnet.family === 6 && host.mac !== undefined) {
    throw new InvalidArgumentError(`${path}.mac`, host.mac, 'an id (DUID) or a name with IPv6')
  }
  const key = subnet.family === 4 ? 'mac' : 'id'
  if (host.name === undefined && host[key] === undefined) {
    throw new InvalidArgumentError(`${path}.${key}`, undefined, `${key} or name, to know the host by`)
  }
  validateLease(host.lease, `${path}.lease`)
}

const secondsIn = { seconds: 1, minutes: 60, hours: 3600 } as const

function validateLease(lease: LeaseConfig | undefined, path: string): void {
  if (lease === undefined || lease.expiry === 0) return
  if (lease.expiry * secondsIn[lease.unit ?? 'minutes'] < 120) {
    const accepted = 'two minutes at least, which is dnsmasq\'s minimum, or 0 for ever'
    throw new InvalidArgumentError(`${path}.expiry`, lease.expiry, accepted)
  }
}

function requireInSubnet(address: string, subnet: Subnet, path: string): void {
  if (addressFamily(address) !== subnet.family || !hostIn(address, cidr(subnet))) {
    throw new InvalidArgumentError(path, address, `an address in ${cidr(subnet)}`)
  }
}

function requireUnique(hosts: readonly DhcpHostConfig[], key: 'id' | 'mac' | 'name' | 'ip', path: string): void {
  const seen = new Map<string, number>()
  for (const [index, host] of hosts.entries()) {
    const value = host[key]?.toLowerCase()
    if (value === undefined) continue
    const other = seen.get(value)
    if (other !== undefined) {
      throw new InvalidArgumentError(`${path}[${index}].${key}`, host[key], `a value other than that of host[${other}]`)
    }
    seen.set(value, index)
  }
}

function validateRoute(route: RouteConfig, subnets: readonly Subnet[], path: string): void {
  const destination = routeSubnet(route, path)
  requireFamily(route, path)
  if (destination.address !== destination.network) {
    const accepted = `a network address; that of /${destination.prefix} is ${destination.network}`
    throw new InvalidArgumentError(`${path}.address`, route.address, accepted)
  }
  if (addressFamily(route.gateway) !== destination.family) {
    throw new InvalidArgumentError(`${path}.gateway`, route.gateway, `an IPv${destination.family} address`)
  }
  if (!subnets.some((subnet) => subnet.family === destination.family && hostIn(route.gateway, cidr(subnet)))) {
    const accepted = `an address in one of the network's subnets (${subnets.map(cidr).join(', ') || 'it has none'})`
    throw new InvalidArgumentError(`${path}.gateway`, route.gateway, accepted)
  }
}

function cidr({ network, prefix }: Subnet): string {
  return `${network}/${prefix}`
}
