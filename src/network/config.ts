/**
 * A virtual network as data: libvirt's network XML (https://libvirt.org/formatnetwork.html), elements and attributes
 * under the names they have there.
 *
 * An element is an object, an element that may be repeated is an array, a text element or an attribute is a value:
 * `yes`/`no` and `on`/`off` are booleans, numbers are numbers, everything else is a string. What the XML leaves out is
 * left out here: a missing `stp` and `stp: false` are two things. schema.ts holds the table that maps one to the other.
 * What has no field here, such as an element of a newer libvirt, is kept under `unknown`.
 */
export interface NetworkConfig extends ElementConfig {
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
  mtu?: MtuConfig
  /** MAC of the bridge. */
  mac?: MacConfig
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
  dnsmasq?: DnsmasqConfig
}

/** What every element may have beside its fields. */
export interface ElementConfig {
  unknown?: UnknownXml
}

/** Attributes and elements that have no field: parseNetworkXml keeps them, formatNetworkXml writes them again. */
export interface UnknownXml {
  /**
   * By name, `xmlns:…` for the prefixes in them included. One of a text element is under the way to it: `uuid/@name`,
   * `hostname[2]/@name`.
   */
  attributes?: Record<string, string>
  /** XML text, one element each. */
  elements?: string[]
}

export interface MtuConfig extends ElementConfig {
  size: number
}

export interface MacConfig extends ElementConfig {
  address: string
}

export interface PortConfig extends ElementConfig {
  /** Guests see the bridge's own address and the outside, but not each other. */
  isolated?: boolean
}

export type ForwardMode = 'nat' | 'route' | 'open' | 'bridge' | 'private' | 'vepa' | 'passthrough' | 'hostdev'

export interface ForwardConfig extends ElementConfig {
  /** The only device that traffic may leave by. */
  dev?: string
  /** Default `nat`. */
  mode?: ForwardMode
  /** hostdev: the host's driver is unbound and rebound by libvirt. */
  managed?: boolean
  nat?: NatConfig
  driver?: ForwardDriverConfig
  /** An SR-IOV physical function, whose virtual functions form the pool. */
  pf?: ForwardDeviceConfig
  interface?: ForwardDeviceConfig[]
  /** hostdev: virtual functions by PCI address. */
  address?: PciAddressConfig[]
}

export interface ForwardDeviceConfig extends ElementConfig {
  dev: string
  /** Guests using it; only in the XML of a running network. */
  connections?: number
}

export interface NatConfig extends ElementConfig {
  ipv6?: boolean
  /** Source addresses to use in place of the outgoing interface's own. IPv4. */
  address?: NatAddressConfig
  /** Source ports to use; libvirt's default is 1024 to 65535. */
  port?: NatPortConfig
}

export interface NatAddressConfig extends ElementConfig {
  start: string
  end: string
}

export interface NatPortConfig extends ElementConfig {
  start: number
  end: number
}

/** At least one of the three. */
export interface ForwardDriverConfig extends ElementConfig {
  name?: 'kvm' | 'vfio' | 'xen'
  /** A variant of vfio-pci, e.g. `mlx5_vfio_pci`. libvirt ≥ 10.0. */
  model?: string
  /** The devices are opened by IOMMUFD. libvirt ≥ 12.1. */
  iommufd?: boolean
}

export interface PciAddressConfig extends ElementConfig {
  type: 'pci'
  domain?: number
  bus?: number
  slot?: number
  function?: number
  multifunction?: boolean
  connections?: number
}

export interface BridgeConfig extends ElementConfig {
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

export interface DomainConfig extends ElementConfig {
  name?: string
  /** Questions about this domain are never passed to the host's DNS servers. */
  localOnly?: boolean
  /** systemd-resolved is told of the domain. libvirt ≥ 10.1. */
  register?: boolean
}

export interface DnsConfig extends ElementConfig {
  enable?: boolean
  forwardPlainNames?: boolean
  forwarder?: DnsForwarderConfig[]
  txt?: DnsTxtConfig[]
  srv?: DnsSrvConfig[]
  host?: DnsHostConfig[]
}

/** At least one of `domain` and `addr`. */
export interface DnsForwarderConfig extends ElementConfig {
  domain?: string
  addr?: string
  /** libvirt ≥ 12.0; older ones pass over it. */
  port?: number
}

export interface DnsTxtConfig extends ElementConfig {
  name: string
  value: string
}

export interface DnsSrvConfig extends ElementConfig {
  service: string
  protocol: string
  domain?: string
  target?: string
  port?: number
  priority?: number
  weight?: number
}

export interface DnsHostConfig extends ElementConfig {
  ip: string
  hostname: string[]
}

export interface VlanConfig extends ElementConfig {
  trunk?: boolean
  tag?: VlanTagConfig[]
}

export interface VlanTagConfig extends ElementConfig {
  id: number
  nativeMode?: 'tagged' | 'untagged'
}

export interface BandwidthConfig extends ElementConfig {
  classID?: number
  inbound?: RateConfig
  outbound?: RateConfig
}

/** `average`, `peak`, `floor` in KiB/s; `burst` in KiB. */
export interface RateConfig extends ElementConfig {
  average?: number
  peak?: number
  floor?: number
  burst?: number
}

export interface IpConfig extends ElementConfig {
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

export interface DhcpConfig extends ElementConfig {
  range?: DhcpRangeConfig[]
  host?: DhcpHostConfig[]
  bootp?: BootpConfig
}

export interface TftpConfig extends ElementConfig {
  root?: string
}

export interface BootpConfig extends ElementConfig {
  file?: string
  /** An address. */
  server?: string
}

export interface DhcpRangeConfig extends ElementConfig {
  start: string
  end: string
  lease?: LeaseConfig
}

export interface DhcpHostConfig extends ElementConfig {
  /** IPv6: a DUID, hexadecimal bytes with colons. */
  id?: string
  mac?: string
  name?: string
  ip: string
  lease?: LeaseConfig
}

export interface LeaseConfig extends ElementConfig {
  /** 0 is for ever; at least two minutes otherwise. */
  expiry: number
  /** Default `minutes`. */
  unit?: 'seconds' | 'minutes' | 'hours'
}

export interface RouteConfig extends ElementConfig {
  /** Default `ipv4`; an IPv6 route needs `ipv6`. */
  family?: 'ipv4' | 'ipv6'
  /** A network address. */
  address: string
  netmask?: string
  prefix?: number
  gateway: string
  metric?: number
}

export interface VirtualPortConfig extends ElementConfig {
  type?: '802.1Qbg' | '802.1Qbh' | 'openvswitch' | 'midonet'
  parameters?: VirtualPortParameters
}

export interface VirtualPortParameters extends ElementConfig {
  managerid?: number
  typeid?: number
  typeidversion?: number
  instanceid?: string
  interfaceid?: string
  profileid?: string
}

export interface PortGroupConfig extends ElementConfig {
  name: string
  default?: boolean
  trustGuestRxFilters?: boolean
  vlan?: VlanConfig
  virtualport?: VirtualPortConfig
  bandwidth?: BandwidthConfig
}

export interface DnsmasqConfig extends ElementConfig {
  option?: DnsmasqOptionConfig[]
}

export interface DnsmasqOptionConfig extends ElementConfig {
  value: string
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
