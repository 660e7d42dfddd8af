/**
 * A virtual network as data: libvirt's network XML (https://libvirt.org/formatnetwork.html), elements and attributes
 * under the names they have there.
 *
 * An element is an object, an element that may be repeated is an array, a text element or an attribute is a value:
 * `yes`/`no` and `on`/`off` are booleans, numbers are numbers, everything else is a string. What the XML leaves out is
 * left out here: a missing `stp` and `stp: false` are two things. schema.ts holds the table that maps one to the other.
 */
export interface NetworkConfig {
  /** Guests using the network. Only in the XML of a running network; without effect when given. */
  connections?: number
  /** Lets guests talk IPv6 to each other on a network that has no IPv6 address. */
  ipv6?: boolean
  trustGuestRxFilters?: boolean
  /** 1 to 200 bytes, without `/`. */
  name: string
  uuid?: string
  /** One line for people. libvirt ≥ 9.7. */
  title?: string
  /** Any text for people. libvirt ≥ 9.7. */
  description?: string
  /** The children of `<metadata>` as XML text. Each stands in a namespace, of its own, or libvirt drops it. */
  metadata?: string
  /** Absent: an isolated network. `{}`: nat. */
  forward?: ForwardConfig
  bridge?: BridgeConfig
  mtu?: { size: number }
  /** MAC of the bridge. */
  mac?: { address: string }
  domain?: DomainConfig
  dns?: DnsConfig
  vlan?: VlanConfig
  bandwidth?: BandwidthConfig
  port?: PortConfig
  ip?: IpConfig[]
  route?: RouteConfig[]
  virtualport?: VirtualPortConfig
  portgroup?: PortGroupConfig[]
  /** Lines for dnsmasq's configuration, unchecked: `<dnsmasq:options>` of namespace {@link dnsmasqNamespace}. */
  dnsmasq?: { option?: { value: string }[] }
}

export interface PortConfig {
  /** Guests see the bridge's own address and the outside, but not each other. */
  isolated?: boolean
}

export type ForwardMode = 'nat' | 'route' | 'open' | 'bridge' | 'private' | 'vepa' | 'passthrough' | 'hostdev'

export interface ForwardConfig {
  /** The only device that traffic may leave by. */
  dev?: string
  /** Default `nat`. */
  mode?: ForwardMode
  /** hostdev: the host's driver is unbound and rebound by libvirt. */
  managed?: boolean
  nat?: NatConfig
  driver?: { name: 'kvm' | 'vfio' }
  /** An SR-IOV physical function, whose virtual functions form the pool. */
  pf?: ForwardDeviceConfig
  interface?: ForwardDeviceConfig[]
  /** hostdev: virtual functions by PCI address. */
  address?: PciAddressConfig[]
}

export interface ForwardDeviceConfig {
  dev: string
  /** Guests using it; only in the XML of a running network. */
  connections?: number
}

export interface NatConfig {
  ipv6?: boolean
  /** Source addresses to use in place of the outgoing interface's own. IPv4. */
  address?: { start: string, end: string }
  /** Source ports to use; libvirt's default is 1024 to 65535. */
  port?: { start: number, end: number }
}

export interface PciAddressConfig {
  type: 'pci'
  domain?: number
  bus?: number
  slot?: number
  function?: number
  multifunction?: boolean
  connections?: number
}

export interface BridgeConfig {
  /** 1 to 15 bytes. Absent, or with `%d` in it: the driver finds a free one. */
  name?: string
  /** firewalld zone. */
  zone?: string
  /** Default on. */
  stp?: boolean
  /** Forward delay in seconds, default 0. */
  delay?: number
  macTableManager?: 'kernel' | 'libvirt'
}

export interface DomainConfig {
  name?: string
  /** Questions about this domain are never passed to the host's DNS servers. */
  localOnly?: boolean
  /** systemd-resolved is told of the domain. libvirt ≥ 10.1. */
  register?: boolean
}

export interface DnsConfig {
  enable?: boolean
  forwardPlainNames?: boolean
  forwarder?: DnsForwarderConfig[]
  txt?: DnsTxtConfig[]
  srv?: DnsSrvConfig[]
  host?: DnsHostConfig[]
}

/** At least one of `domain` and `addr`. */
export interface DnsForwarderConfig {
  domain?: string
  addr?: string
  port?: number
}

export interface DnsTxtConfig {
  name: string
  value: string
}

export interface DnsSrvConfig {
  service: string
  protocol: string
  domain?: string
  target?: string
  port?: number
  priority?: number
  weight?: number
}

export interface DnsHostConfig {
  ip: string
  hostname: string[]
}

export interface VlanConfig {
  trunk?: boolean
  tag?: VlanTagConfig[]
}

export interface VlanTagConfig {
  id: number
  nativeMode?: 'tagged' | 'untagged'
}

export interface BandwidthConfig {
  classID?: number
  inbound?: RateConfig
  outbound?: RateConfig
}

/** `average`, `peak`, `floor` in KiB/s; `burst` in KiB. */
export interface RateConfig {
  average?: number
  peak?: number
  floor?: number
  burst?: number
}

export interface IpConfig {
  /** Default `ipv4`; an IPv6 address needs `ipv6`. */
  family?: 'ipv4' | 'ipv6'
  /** The bridge's own address in the subnet. */
  address: string
  /** Not together with `prefix`. Neither: the prefix of the address's class, 64 for IPv6. */
  netmask?: string
  prefix?: number
  localPtr?: boolean
  tftp?: TftpConfig
  dhcp?: DhcpConfig
}

export interface DhcpConfig {
  range?: DhcpRangeConfig[]
  host?: DhcpHostConfig[]
  bootp?: BootpConfig
}

export interface TftpConfig {
  root?: string
}

export interface BootpConfig {
  file?: string
  /** An address. */
  server?: string
}

export interface DhcpRangeConfig {
  start: string
  end: string
  lease?: LeaseConfig
}

export interface DhcpHostConfig {
  /** IPv6: a DUID, hexadecimal bytes with colons. */
  id?: string
  mac?: string
  name?: string
  ip: string
  lease?: LeaseConfig
}

export interface LeaseConfig {
  /** 0 is for ever; at least two minutes otherwise. */
  expiry: number
  /** Default `minutes`. */
  unit?: 'seconds' | 'minutes' | 'hours'
}

export interface RouteConfig {
  /** Default `ipv4`; an IPv6 route needs `ipv6`. */
  family?: 'ipv4' | 'ipv6'
  /** A network address. */
  address: string
  netmask?: string
  prefix?: number
  gateway: string
  metric?: number
}

export interface VirtualPortConfig {
  type?: '802.1Qbg' | '802.1Qbh' | 'openvswitch' | 'midonet'
  parameters?: VirtualPortParameters
}

export interface VirtualPortParameters {
  managerid?: number
  typeid?: number
  typeidversion?: number
  instanceid?: string
  interfaceid?: string
  profileid?: string
}

export interface PortGroupConfig {
  name: string
  default?: boolean
  trustGuestRxFilters?: boolean
  vlan?: VlanConfig
  virtualport?: VirtualPortConfig
  bandwidth?: BandwidthConfig
}

/** The sections of virNetworkUpdate, and what an element of each is. */
export interface SectionConfigs {
  'bridge': BridgeConfig
  'domain': DomainConfig
  'ip': IpConfig
  'ip-dhcp-host': DhcpHostConfig
  'ip-dhcp-range': DhcpRangeConfig
  'forward': ForwardConfig
  'forward-interface': ForwardDeviceConfig
  'forward-pf': ForwardDeviceConfig
  'portgroup': PortGroupConfig
  'dns-host': DnsHostConfig
  'dns-txt': DnsTxtConfig
  'dns-srv': DnsSrvConfig
}

/** Namespace of `<dnsmasq:options>`. */
export const dnsmasqNamespace = 'http://libvirt.org/schemas/network/dnsmasq/1.0'
