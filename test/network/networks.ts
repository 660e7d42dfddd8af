/** Networks that libvirt takes with --validate, by hand for each forward mode and at random; and what it makes of them. */
import fc from 'fast-check'
import type { IpConfig, NetworkConfig, RateConfig } from '../../src/network/config.ts'
import { forwardMode } from '../../src/network/validate.ts'

const ip4 = (third: number, inside: Partial<IpConfig> = {}): IpConfig =>
  ({ address: `10.9.${third}.1`, prefix: 24, ...inside })
const ip6 = (third: number, inside: Partial<IpConfig> = {}): IpConfig =>
  ({ family: 'ipv6', address: `fd00:${third}::1`, prefix: 64, ...inside })
const rate = { average: 1000, peak: 5000, burst: 5120 }

const served: Omit<NetworkConfig, 'name'> = {
  uuid: '71c3f6b8-9b1a-4a3f-9d0a-0a2b3c4d5e6f',
  metadata: '<app:x xmlns:app="urn:app" a="1">t &amp; u<app:y/></app:x>\n    <b xmlns="urn:b"/>',
  bridge: { name: 'virbr9', zone: 'z', stp: false, delay: 3, macTableManager: 'libvirt' },
  mtu: { size: 9000 },
  mac: { address: '52:54:00:aa:bb:cc' },
  domain: { name: 'lab.example', localOnly: true },
  dns: {
    enable: true,
    forwardPlainNames: false,
    forwarder: [{ addr: '192.0.2.1' }, { domain: 'corp.example', addr: 'fd00::53' }, { domain: 'free.example' }],
    txt: [{ name: 'motd', value: 'hello, <there>' }],
    srv: [{ service: 'sip', protocol: 'udp' },
      { service: 'ldap', protocol: 'tcp', domain: 'd', target: 't', port: 389, priority: 10, weight: 20 }],
    host: [{ ip: '10.9.0.5', hostname: ['a', 'b.example'] }, { ip: 'fd00::5', hostname: ['six'] }],
  },
  bandwidth: { inbound: rate, outbound: { average: 1 } },
  port: { isolated: true },
  ip: [
    ip4(0, {
      localPtr: true,
      tftp: { root: '/srv/tftp' },
      dhcp: {
        range: [{ start: '10.9.0.10', end: '10.9.0.19' },
          { start: '10.9.0.20', end: '10.9.0.29', lease: { expiry: 120, unit: 'seconds' } }],
        host: [{ mac: '52:54:00:00:00:01', name: 'one', ip: '10.9.0.5', lease: { expiry: 0 } },
          { mac: '52:54:00:00:00:02', ip: '10.9.0.6' }, { name: 'three', ip: '10.9.0.7' }],
        bootp: { file: 'pxe.0', server: '10.9.0.1' },
      },
    }),
    { address: '10.8.0.1', netmask: '255.255.0.0' },
    ip6(1, {
      dhcp: { range: [{ start: 'fd00:1::10', end: 'fd00:1::ff' }],
        host: [{ id: '00:03:00:01:52:54:00:12:34:56', name: 'six', ip: 'fd00:1::5' }] },
    }),
  ],
  route: [{ address: '10.55.0.0', prefix: 16, gateway: '10.9.0.9', metric: 7 },
    { family: 'ipv6', address: 'fd01::', prefix: 32, gateway: 'fd00:1::2' }],
}
const groups: NetworkConfig['portgroup'] = [
  { name: 'a', default: true, trustGuestRxFilters: true },
  { name: 'b', virtualport: { type: '802.1Qbh', parameters: { profileid: 'p' } } },
]
const limited = groups.map((group) => ({ ...group, bandwidth: { inbound: rate } }))

/** Each mode with whatever libvirt lets it have. */
export const networks: Record<string, Omit<NetworkConfig, 'name'>> = {
  'isolated, bare': {},
  'isolated': { ...served, ipv6: true },
  'nat, bare': { forward: {}, ip: [ip4(0)] },
  'nat': { ...served, trustGuestRxFilters: true, forward: {
    mode: 'nat', dev: 'eth7',
    nat: { ipv6: true, address: { start: '1.2.3.4', end: '1.2.3.10' }, port: { start: 500, end: 1000 } },
  } },
  'nat, ports only': { forward: { mode: 'nat', nat: { port: { start: 1, end: 65535 } } }, ip: [ip4(0)] },
  'route': { ...served, forward: { mode: 'route', interface: [{ dev: 'eth7' }] } },
  'open': { ...served, forward: { mode: 'open' }, portgroup: limited },
  'bridge of the host': { forward: { mode: 'bridge' }, bridge: { name: 'br0', macTableManager: 'kernel' }, portgroup: limited,
    port: { isolated: false } },
  'bridge of Open vSwitch': {
    forward: { mode: 'bridge' }, bridge: { name: 'ovs0' },
    vlan: { trunk: true, tag: [{ id: 42, nativeMode: 'untagged' }, { id: 47 }] },
    virtualport: { type: 'openvswitch', parameters: { interfaceid: '09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f', profileid: 'p' } },
    portgroup: [{ name: 'g', vlan: { tag: [{ id: 42 }] } }],
  },
  'bridge of midonet': { forward: { mode: 'bridge' }, bridge: { name: 'm0' },
    virtualport: { type: 'midonet', parameters: { interfaceid: '09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f' } } },
  'bridge of macvtap': { forward: { mode: 'bridge', interface: [{ dev: 'eth0' }, { dev: 'eth1' }] } },
  'private': { forward: { mode: 'private', dev: 'eth0', interface: [{ dev: 'eth0' }, { dev: 'eth1' }] }, portgroup: groups },
  'vepa': { forward: { mode: 'vepa', interface: [{ dev: 'eth0' }] },
    virtualport: { type: '802.1Qbg', parameters: {
      managerid: 11, typeid: 1193047, typeidversion: 2, instanceid: '09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f' } } },
  'passthrough': { forward: { mode: 'passthrough', pf: { dev: 'eth0' } }, virtualport: { type: '802.1Qbh' } },
  'hostdev by function': { forward: { mode: 'hostdev', managed: true, driver: { name: 'vfio' }, pf: { dev: 'eth0' } },
    vlan: { tag: [{ id: 5 }] } },
  'hostdev by address': { forward: { mode: 'hostdev', managed: false, driver: { name: 'kvm' }, address: [
    { type: 'pci', domain: 0, bus: 3, slot: 10, function: 1 }, { type: 'pci', domain: 1, bus: 255, slot: 31, function: 7 }] } },
}

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
const rates: fc.Arbitrary<RateConfig> = fc.record(
  { average: fc.integer({ min: 1, max: 4294967295 }), peak: fc.integer({ min: 1, max: 4294967295 }),
    burst: fc.integer({ min: 1, max: 4294967295 }) }, { requiredKeys: ['average'] })
const bandwidth = fc.record({ inbound: rates, outbound: rates }, { requiredKeys: ['inbound'] })
const tags = fc.uniqueArray(fc.integer({ min: 0, max: 4095 }), { minLength: 1, maxLength: 3 })
  .map((ids) => ({ ...ids.length > 1 && { trunk: true }, tag: ids.map((id) => ({ id })) }))
const portgroup = { name: word, trustGuestRxFilters: fc.boolean(), vlan: tags }
const portgroups = (fields: typeof portgroup) => fc.uniqueArray(fc.record(fields, { requiredKeys: ['name'] }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 3 })
const lease = fc.record({ expiry: fc.integer({ min: 120, max: 4294967295 }), unit: fc.constantFrom('seconds', 'minutes', 'hours') })
const dhcp4 = (third: number) => fc.record({
  range: fc.array(fc.tuple(fc.integer({ min: 2, max: 100 }), fc.integer({ min: 101, max: 254 }), optional(lease))
    .map(([start, end, time]) =>
      ({ start: `10.9.${third}.${start}`, end: `10.9.${third}.${end}`, ...time && { lease: time } })), { minLength: 1, maxLength: 2 }),
  host: fc.uniqueArray(fc.integer({ min: 2, max: 254 }), { minLength: 1, maxLength: 4 }).map((hosts) => hosts.map((last) => ({
    mac: `52:54:00:00:00:${last.toString(16).padStart(2, '0')}`,
    ...last % 2 === 1 && { name: `h${last}` },
    ip: `10.9.${third}.${last}`,
  }))),
  bootp: fc.record({ file: word, server: fc.constantFrom('10.9.0.1', '192.0.2.7') }, { requiredKeys: ['file'] }),
}, { requiredKeys: ['range'] })
const ips = fc.tuple(
  fc.record({ address: fc.constant('10.9.0.1'), prefix: fc.constant(24), localPtr: fc.boolean(), dhcp: dhcp4(0),
    tftp: fc.record({ root: word.map((name) => `/${name}`) }) }, { requiredKeys: ['address', 'prefix'] }),
  optional(fc.constantFrom<IpConfig[]>({ address: '10.8.0.1', netmask: '255.255.0.0' }, ip6(1), ip4(7, { family: 'ipv4' }))),
).map(([first, second]): IpConfig[] => (second === undefined ? [first] : [first, second]))
const dns = fc.record({
  forwardPlainNames: fc.boolean(),
  forwarder: fc.array(fc.record({ domain: word, addr: fc.ipV4() }, { requiredKeys: ['addr'] }), { minLength: 1, maxLength: 3 }),
  txt: fc.uniqueArray(fc.record({ name: word, value: fc.string({ unit: fc.constantFrom(...'az <>&"\'=,é') }) }),
    { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
  srv: fc.array(fc.record({ service: word, protocol: fc.constantFrom('tcp', 'udp'), target: word, domain: word,
    port: fc.integer({ min: 1, max: 65535 }), weight: fc.integer({ min: 1, max: 65535 }) },
  { requiredKeys: ['service', 'protocol', 'target', 'port'] }), { minLength: 1, maxLength: 2 }),
  host: fc.uniqueArray(fc.record({ ip: fc.ipV4(), hostname: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }) }),
    { selector: ({ ip }) => ip, minLength: 1, maxLength: 3 }),
}, { requiredKeys: [] })

const common = { uuid: fc.uuid(), metadata: fc.constant('<a xmlns="urn:a"/>'), trustGuestRxFilters: fc.boolean() }
const onOwnBridge = fc.record({
  name: word,
  forward: optional(fc.oneof(
    fc.record({ mode: fc.constant('nat'), dev: word, nat: fc.record({ ipv6: fc.boolean(),
      port: fc.tuple(fc.integer({ min: 1, max: 30000 }), fc.integer({ min: 30000, max: 65535 }))
        .map(([start, end]) => ({ start, end })) },
    { requiredKeys: [] }) }, { requiredKeys: [] }),
    fc.record({ mode: fc.constant('route'), interface: word.map((dev) => [{ dev }]) }, { requiredKeys: ['mode'] }),
    fc.constant({ mode: 'open' }))),
  ip: ips,
  ...common,
  bridge: fc.record({ name: word, zone: word, stp: fc.boolean(), delay: fc.nat(), macTableManager: fc.constantFrom('kernel', 'libvirt') },
    { requiredKeys: [] }),
  mtu: fc.integer({ min: 68, max: 65535 }).map((size) => ({ size })),
  mac: fc.constant({ address: '52:54:00:12:34:56' }),
  domain: fc.record({ name: word, localOnly: fc.boolean() }, { requiredKeys: ['name'] }),
  dns, bandwidth,
  port: fc.record({ isolated: fc.boolean() }),
  portgroup: portgroups({ ...portgroup, bandwidth } as typeof portgroup),
  ipv6: fc.constant(true),
}, { requiredKeys: ['name', 'ip'] })
const onDevices = fc.record({
  name: word,
  forward: fc.record({ mode: fc.constantFrom('bridge', 'private', 'vepa', 'passthrough'),
    interface: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }).map((names) => names.map((dev) => ({ dev }))) }),
  portgroup: portgroups(portgroup),
  ...common,
}, { requiredKeys: ['name', 'forward'] })

/** What validateNetwork accepts, and libvirt with --validate; without what libvirt drops, such as a weight of 0. */
export const validNetworks = fc.oneof(onOwnBridge, onDevices).map((config) => withoutEmpty(config) as NetworkConfig)

/** XML as libvirt prints it, whichever version: an `<ip>` that holds nothing has an end tag in older ones. */
export function inOneForm(xml: string): string {
  return xml.trimEnd().replace(/>\s*<\/ip>/g, '/>')
}

/** What libvirt's parser makes of a network: empty elements go, devices and modes are spelled out. */
export function asLibvirtHasIt(config: NetworkConfig, printed: NetworkConfig): NetworkConfig {
  const expected = withoutEmpty(config) as NetworkConfig
  if (config.forward !== undefined) {
    const { mode = 'nat', dev, interface: interfaces } = config.forward
    const first = dev ?? interfaces?.[0]?.dev
    const listed = interfaces ?? (dev === undefined ? undefined : [{ dev }])
    expected.forward = { ...expected.forward, mode, ...first && { dev: first }, ...listed && { interface: listed } }
  }
  const mode = forwardMode(config)
  if (['isolated', 'nat', 'route', 'open'].includes(mode)) {
    expected.bridge = { stp: true, delay: 0, ...printed.bridge?.name && { name: printed.bridge.name }, ...config.bridge }
    if (printed.mac !== undefined) expected.mac ??= printed.mac
  }
  if (printed.uuid !== undefined) expected.uuid ??= printed.uuid
  return expected
}

export function withoutEmpty(config: object): object {
  const isEmpty = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && Object.keys(value).length === 0
  const prune = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(prune)
    return Object.fromEntries(Object.entries(value).map(([key, inner]): [string, unknown] => [key, prune(inner)])
      .filter(([, inner]) => inner !== undefined && !isEmpty(inner)))
  }
  return prune(config) as object
}
