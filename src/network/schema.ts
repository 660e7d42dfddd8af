/**
 * The table of libvirt's network XML: every element and attribute, in the order in which libvirt prints them. Reading,
 * writing, normalizing and the errors about unknown names all come from it; adding an element is adding a line, here
 * and in config.ts: the compiler holds the two together.
 *
 * Sources: libvirt's docs/formatnetwork.rst and network.rng; order and layout as `virsh net-dumpxml` of 9.0 prints.
 */
import {
  type Codec, anyBase, dnsName, duid, freeText, hexadecimal, integer, ip, ipv4, line, linkName, networkName, oneOf,
  onOff, unicastMac, uuid, wide, word, yesNo,
} from './codecs.ts'
import type {
  BandwidthConfig, BootpConfig, BridgeConfig, DhcpConfig, DhcpHostConfig, DhcpRangeConfig, DnsConfig,
  DnsForwarderConfig, DnsHostConfig, DnsmasqConfig, DnsmasqOptionConfig, DnsSrvConfig, DnsTxtConfig, DomainConfig,
  ForwardConfig, ForwardDeviceConfig, ForwardDriverConfig, IpConfig, LeaseConfig, MacConfig, MtuConfig,
  NatAddressConfig, NatConfig, NatPortConfig, NetworkConfig, PciAddressConfig, PortConfig, PortGroupConfig, RateConfig,
  RouteConfig, SectionConfigs, TftpConfig, VirtualPortConfig, VirtualPortParameters, VlanConfig, VlanTagConfig,
} from './config.ts'
import { dnsmasqNamespace } from './config.ts'

export type ChildField = TextField | ElementField | XmlField

/** One line of a table. `V` is the type that the field has in the config. */
export type Field<V = unknown> = { readonly type?: V } & (AttributeField | ChildField)

interface FieldBase {
  readonly required: boolean
}
/** `<… name='value'>` */
export interface AttributeField extends FieldBase { readonly kind: 'attribute', readonly codec: Codec<unknown> }
/** `<name>value</name>` */
export interface TextField extends FieldBase {
  readonly kind: 'text'
  readonly codec: Codec<unknown>
  readonly repeated: boolean
}
/** `<name …>…</name>` */
export interface ElementField extends FieldBase {
  readonly kind: 'element'
  readonly table: Table
  readonly repeated: boolean
  /** Printed as a pair of tags even if there is nothing between them. */
  readonly paired?: true
  /** In the dnsmasq namespace, under another name than the field's. */
  readonly dnsmasqName?: string
}
/** XML of others, kept as text. */
export interface XmlField extends FieldBase { readonly kind: 'xml' }

/** A table without its type, as the code that walks it sees it. */
export type Table = Readonly<Record<string, Field>>

/** The field of an attribute. */
export function attributeField(table: Table, name: string): AttributeField | undefined {
  const field = Object.hasOwn(table, name) ? table[name] : undefined
  return field?.kind === 'attribute' ? field : undefined
}

/** The field of a child element, and its name; `namespace` null for libvirt's own. */
export function childField(
  table: Table, tag: string, namespace: string | null,
): [name: string, field: ChildField] | undefined {
  const name = namespace === null ? tag : Object.keys(table).find((key) => dnsmasqName(table[key]) === tag)
  if (name === undefined || !Object.hasOwn(table, name)) return undefined
  const field = table[name]
  if (field === undefined || field.kind === 'attribute') return undefined
  const wanted = dnsmasqName(field) === undefined ? null : dnsmasqNamespace
  return wanted === namespace ? [name, field] : undefined
}

/** What a child is called in XML. */
export function tagName(name: string, field: Field): string {
  const inDnsmasq = dnsmasqName(field)
  return inDnsmasq === undefined ? name : `dnsmasq:${inDnsmasq}`
}

function dnsmasqName(field: Field | undefined): string | undefined {
  return field?.kind === 'element' ? field.dnsmasqName : undefined
}

type TableOf<T> = {
  readonly [K in Exclude<keyof T, 'unknown'>]-?: Field<Exclude<T[K], undefined>> & { readonly required: IsRequired<T, K> }
}
type IsRequired<T, K extends keyof T> = Record<never, never> extends Pick<T, K> ? false : true

type Optional<V> = Field<V> & { readonly required: false }
type Mandatory<V> = Field<V> & { readonly required: true }

function attribute<V>(codec: Codec<V>): Optional<V> {
  return { kind: 'attribute', codec, required: false }
}
function text<V>(codec: Codec<V>): Optional<V> {
  return { kind: 'text', codec, required: false, repeated: false }
}
function texts<V>(codec: Codec<V>): Optional<V[]> {
  return { kind: 'text', codec, required: false, repeated: true }
}
function element<T>(table: TableOf<T>): Optional<T> & ElementField {
  return { kind: 'element', table: table as Table, required: false, repeated: false }
}
function elements<T>(table: TableOf<T>): Optional<T[]> & ElementField {
  return { kind: 'element', table: table as Table, required: false, repeated: true }
}
function paired<V>(field: Optional<V> & ElementField): Optional<V> {
  return { ...field, paired: true }
}
function required<V>(field: Optional<V>): Mandatory<V> {
  return { ...field, required: true } as Mandatory<V>
}

const uint32 = integer(0, 0xffff_ffff)
const uint16 = integer(0, 0xffff)
/** libvirt has 64 bits for it; nothing that it is made into has. */
const upTo32Bits = wide(0xffff_ffff)
const counter = attribute(uint32)
const family = attribute(oneOf('ipv4', 'ipv6'))
const prefix = attribute(integer(0, 128))

const rate: TableOf<RateConfig> = {
  average: attribute(upTo32Bits),
  peak: attribute(upTo32Bits),
  floor: attribute(upTo32Bits),
  burst: attribute(upTo32Bits),
}

const bandwidth: TableOf<BandwidthConfig> = {
  classID: attribute(uint32),
  inbound: element(rate),
  outbound: element(rate),
}

const vlan: TableOf<VlanConfig> = {
  trunk: attribute(yesNo),
  tag: elements<VlanTagConfig>({
    id: required(attribute(integer(0, 4095))),
    nativeMode: attribute(oneOf('tagged', 'untagged')),
  }),
}

const virtualport: TableOf<VirtualPortConfig> = {
  type: attribute(oneOf('802.1Qbg', '802.1Qbh', 'openvswitch', 'midonet')),
  parameters: element<VirtualPortParameters>({
    managerid: attribute(anyBase(0xff)),
    typeid: attribute(anyBase(0xff_ffff)),
    typeidversion: attribute(anyBase(0xff)),
    instanceid: attribute(uuid),
    interfaceid: attribute(uuid),
    profileid: attribute(line),
  }),
}

const nat: TableOf<NatConfig> = {
  ipv6: attribute(yesNo),
  address: element<NatAddressConfig>({ start: required(attribute(ipv4)), end: required(attribute(ipv4)) }),
  port: element<NatPortConfig>({ start: required(attribute(uint16)), end: required(attribute(uint16)) }),
}

const pciAddress: TableOf<PciAddressConfig> = {
  type: required(attribute(oneOf('pci'))),
  domain: attribute(hexadecimal(4, 0xffff_ffff)),
  bus: attribute(hexadecimal(2, 0xff)),
  slot: attribute(hexadecimal(2, 0x1f)),
  function: attribute(hexadecimal(1, 7)),
  multifunction: attribute(onOff),
  connections: counter,
}

const forwardDevice: TableOf<ForwardDeviceConfig> = { dev: required(attribute(linkName)), connections: counter }

const forward: TableOf<ForwardConfig> = {
  dev: attribute(linkName),
  mode: attribute(oneOf('nat', 'route', 'open', 'bridge', 'private', 'vepa', 'passthrough', 'hostdev')),
  managed: attribute(yesNo),
  nat: element(nat),
  driver: element<ForwardDriverConfig>({ name: attribute(oneOf('kvm', 'vfio', 'xen')), model: attribute(word), iommufd: attribute(yesNo) }),
  pf: element(forwardDevice),
  interface: elements(forwardDevice),
  address: elements(pciAddress),
}

const bridge: TableOf<BridgeConfig> = {
  name: attribute(linkName),
  zone: attribute(word),
  stp: attribute(onOff),
  delay: attribute(upTo32Bits),
  macTableManager: attribute(oneOf('kernel', 'libvirt')),
}

const domain: TableOf<DomainConfig> = {
  name: attribute(dnsName),
  localOnly: attribute(yesNo),
  register: attribute(yesNo),
}

const srv: TableOf<DnsSrvConfig> = {
  service: required(attribute(dnsName)),
  protocol: required(attribute(dnsName)),
  domain: attribute(dnsName),
  target: attribute(line),
  port: attribute(integer(1, 0xffff)),
  priority: attribute(uint16),
  weight: attribute(uint16),
}

const dnsTxt: TableOf<DnsTxtConfig> = { name: required(attribute(dnsName)), value: required(attribute(line)) }

const dnsHost: TableOf<DnsHostConfig> = {
  ip: required(attribute(ip)),
  hostname: required(texts(dnsName)),
}

const dns: TableOf<DnsConfig> = {
  enable: attribute(yesNo),
  forwardPlainNames: attribute(yesNo),
  forwarder: elements<DnsForwarderConfig>({
    domain: attribute(dnsName),
    addr: attribute(ip),
    port: attribute(integer(1, 0xffff)),
  }),
  txt: elements(dnsTxt),
  srv: elements(srv),
  host: elements(dnsHost),
}

const lease: TableOf<LeaseConfig> = {
  expiry: required(attribute(upTo32Bits)),
  unit: attribute(oneOf('seconds', 'minutes', 'hours')),
}

const dhcpRange: TableOf<DhcpRangeConfig> = {
  start: required(attribute(ip)),
  end: required(attribute(ip)),
  lease: element(lease),
}

const dhcpHost: TableOf<DhcpHostConfig> = {
  id: attribute(duid),
  mac: attribute(unicastMac),
  name: attribute(dnsName),
  ip: required(attribute(ip)),
  lease: element(lease),
}

const dhcp: TableOf<DhcpConfig> = {
  range: elements(dhcpRange),
  host: elements(dhcpHost),
  bootp: element<BootpConfig>({ file: attribute(line), server: attribute(ip) }),
}

const ipElement: TableOf<IpConfig> = {
  family,
  address: required(attribute(ip)),
  netmask: attribute(ipv4),
  prefix,
  localPtr: attribute(yesNo),
  tftp: element<TftpConfig>({ root: attribute(line) }),
  dhcp: element(dhcp),
}

const route: TableOf<RouteConfig> = {
  family,
  address: required(attribute(ip)),
  netmask: attribute(ipv4),
  prefix,
  gateway: required(attribute(ip)),
  metric: attribute(integer(1, 0xffff_ffff)),
}

const portgroup: TableOf<PortGroupConfig> = {
  name: required(attribute(word)),
  default: attribute(yesNo),
  trustGuestRxFilters: attribute(yesNo),
  vlan: element(vlan),
  virtualport: element(virtualport),
  bandwidth: paired(element(bandwidth)),
}

const dnsmasqOptions = {
  ...element<DnsmasqConfig>({
    option: { ...elements<DnsmasqOptionConfig>({ value: required(attribute(line)) }), dnsmasqName: 'option' },
  }),
  dnsmasqName: 'options',
}

const metadata: Optional<string> = { kind: 'xml', required: false }

/** `<network>` */
export const networkTable: TableOf<NetworkConfig> = {
  connections: counter,
  ipv6: attribute(yesNo),
  trustGuestRxFilters: attribute(yesNo),
  name: required(text(networkName)),
  uuid: text(uuid),
  title: text(line),
  description: text(freeText),
  metadata,
  forward: element(forward),
  bridge: element(bridge),
  mtu: element<MtuConfig>({ size: required(attribute(uint32)) }),
  mac: element<MacConfig>({ address: required(attribute(unicastMac)) }),
  domain: element(domain),
  dns: element(dns),
  vlan: element(vlan),
  bandwidth: paired(element(bandwidth)),
  port: element<PortConfig>({ isolated: attribute(yesNo) }),
  ip: paired(elements(ipElement)),
  route: elements(route),
  virtualport: element(virtualport),
  portgroup: paired(elements(portgroup)),
  dnsmasq: dnsmasqOptions,
}

type SectionTables = { readonly [S in keyof SectionConfigs]: { root: string, table: TableOf<SectionConfigs[S]> } }

/** What virNetworkUpdate's sections take: the root element of the fragment, and its table. */
export const sectionTables: SectionTables = {
  'bridge': { root: 'bridge', table: bridge },
  'domain': { root: 'domain', table: domain },
  'ip': { root: 'ip', table: ipElement },
  'ip-dhcp-host': { root: 'host', table: dhcpHost },
  'ip-dhcp-range': { root: 'range', table: dhcpRange },
  'forward': { root: 'forward', table: forward },
  'forward-interface': { root: 'interface', table: forwardDevice },
  'forward-pf': { root: 'pf', table: forwardDevice },
  'portgroup': { root: 'portgroup', table: portgroup },
  'dns-host': { root: 'host', table: dnsHost },
  'dns-txt': { root: 'txt', table: dnsTxt },
  'dns-srv': { root: 'srv', table: srv },
}
