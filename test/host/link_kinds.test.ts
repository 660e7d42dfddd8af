/** Links of every kind that the kernel has: made, shown by ip, changed; and what a kernel that has not says. */
import { describe, expect, test } from 'vitest'
import { UnsupportedError } from '../../src/errors.ts'
import type { BulkError } from '../../src/errors.ts'
import type { Host } from '../../src/host/host.ts'
import type { LinkChange, LinkSpec } from '../../src/host/links.ts'
import type { VniSpec } from '../../src/rtnetlink/vnis.ts'
import { bridgeJson } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import type { KernelFeature } from '../support/needs.ts'
import { ipLink, ipLinks, newHost, rejection } from './support.ts'

interface Case {
  need: KernelFeature
  spec: Omit<LinkSpec, 'name'>
  /** What `ip -j -d link` says of its options. */
  shown: Json
  change?: LinkChange
  changed?: Json
}

/** v0 is the lower link, where one is needed. */
const cases: Case[] = [
  { need: 'vlan', spec: { kind: 'vlan', link: 'v0', vlan: { id: 5, flags: { gvrp: true, looseBinding: true }, egressQosMap: [{ from: 1, to: 2 }] } },
    shown: { protocol: '802.1Q', id: 5, flags: ['REORDER_HDR', 'GVRP', 'LOOSE_BINDING'], egress_qos: [{ from: 1, to: 2 }] },
    change: { vlan: { flags: { gvrp: false }, ingressQosMap: [{ from: 3, to: 4 }] } },
    changed: { flags: ['REORDER_HDR', 'LOOSE_BINDING'], ingress_qos: [{ from: 3, to: 4 }], egress_qos: [{ from: 1, to: 2 }] } },
  { need: 'vlan', spec: { kind: 'vlan', link: 'v0', vlan: { id: 4094, protocol: '802.1ad' } }, shown: { protocol: '802.1ad', id: 4094 } },
  { need: 'vxlan', spec: { kind: 'vxlan', vxlan: {
    id: 5, group: '239.1.1.1', dev: 'v0', local: '10.0.0.1', dstPort: 4789, srcPort: { low: 1000, high: 2000 }, ttl: 7, learning: false,
    ageingMs: 100_000, maxAddresses: 9, proxy: true, gbp: true,
  } },
    shown: { id: 5, group: '239.1.1.1', link: 'v0', local: '10.0.0.1', port: 4789, port_range: { low: 1000, high: 2000 }, ttl: 7,
      learning: false, ageing: 100, limit: 9, proxy: true, gbp: true },
    change: { vxlan: { ageingMs: 50_000, learning: true } },
    changed: { id: 5, group: '239.1.1.1', link: 'v0', port: 4789, ageing: 50, learning: true, limit: 9 } },
  { need: 'vxlan', spec: { kind: 'vxlan', vxlan: { id: 6, remote: 'fd00::1', local: 'fd00::2', dstPort: 0 } },
    shown: { id: 6, remote6: 'fd00::1', local6: 'fd00::2', port: 8472 } },
  { need: 'macvlan', spec: { kind: 'macvlan', link: 'v0', macvlan: { mode: 'bridge' } }, shown: { mode: 'bridge' },
    change: { macvlan: { mode: 'private' } }, changed: { mode: 'private' } },
  { need: 'macvlan', spec: { kind: 'macvlan', link: 'v0', macvlan: { mode: 'source', bcQueueLen: 77 } },
    shown: { mode: 'source', bcqueuelen: 77 },
    change: { macvlan: { macaddrMode: 'set', macaddrData: ['52:54:00:00:00:01', '52:54:00:00:00:02'] } },
    changed: { macaddr_count: 2 } },
  { need: 'macvtap', spec: { kind: 'macvtap', link: 'v0', macvtap: { mode: 'passthru', flags: ['nopromisc'] } },
    shown: { mode: 'passthru', nopromisc: true } },
  { need: 'ipvlan', spec: { kind: 'ipvlan', link: 'v0', ipvlan: { mode: 'l2', flags: 'vepa' } }, shown: { mode: 'l2' },
    change: { ipvlan: { mode: 'l3' } }, changed: { mode: 'l3' } },
  { need: 'dummy', spec: { kind: 'dummy', numTxQueues: 3 }, shown: {} },
  { need: 'ifb', spec: { kind: 'ifb' }, shown: {} },
  { need: 'nlmon', spec: { kind: 'nlmon' }, shown: {} },
  { need: 'wireguard', spec: { kind: 'wireguard' }, shown: {} },
  { need: 'netkit', spec: { kind: 'netkit', netkit: { mode: 'l2', policy: 'blackhole', peer: { name: 'x1', up: true } } }, shown: {} },
  { need: 'bond', spec: { kind: 'bond', bond: {
    mode: '802.3ad', miimonMs: 100, updelayMs: 200, xmitHashPolicy: 'layer3+4', lacpRate: 'fast', adSelect: 'bandwidth', minLinks: 2,
    adActorSysPrio: 5, adUserPortKey: 9, resendIgmp: 3, numPeerNotify: 4, lpIntervalMs: 2000,
  } },
    shown: { mode: '802.3ad', miimon: 100, updelay: 200, xmit_hash_policy: 'layer3+4', ad_lacp_rate: 'fast', ad_select: 'bandwidth', min_links: 2,
      ad_actor_sys_prio: 5, ad_user_port_key: 9, resend_igmp: 3, num_peer_notif: 4, lp_interval: 2 },
    change: { bond: { minLinks: 1, lpIntervalMs: 3000 } }, changed: { mode: '802.3ad', min_links: 1, lp_interval: 3, resend_igmp: 3 } },
  { need: 'bond', spec: { kind: 'bond', bond: {
    mode: 'active-backup', arpIntervalMs: 1000, arpIpTarget: ['10.0.0.1', '10.0.0.2'], arpValidate: 'active', arpAllTargets: 'all', failOverMac: 'active',
  } },
    shown: { mode: 'active-backup', arp_interval: 1000, arp_ip_target: ['10.0.0.1', '10.0.0.2'], arp_validate: 'active', arp_all_targets: 'all',
      fail_over_mac: 'active' },
    change: { bond: { arpIpTarget: ['10.0.0.3'] } }, changed: { arp_ip_target: ['10.0.0.3'] } },
  { need: 'vrf', spec: { kind: 'vrf', vrf: { table: 1000 } }, shown: { table: 1000 } },
  { need: 'gre', spec: { kind: 'gre', gre: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 9, ikey: 5, okey: 6, iflags: ['csum', 'key'] } },
    shown: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 9, ikey: '0.0.0.5', okey: '0.0.0.6', icsum: true },
    change: { gre: { ttl: 8 } }, changed: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 8, ikey: '0.0.0.5', okey: '0.0.0.6', icsum: true } },
  { need: 'gre', spec: { kind: 'gretap', gretap: { local: '10.0.0.1', remote: '10.0.0.2' } }, shown: { local: '10.0.0.1', remote: '10.0.0.2' },
    change: { gretap: { okey: 7 } }, changed: { local: '10.0.0.1', remote: '10.0.0.2', okey: '0.0.0.7' } },
  { need: 'ip6gre', spec: { kind: 'ip6gre', ip6gre: { local: 'fd00::1', remote: 'fd00::2', ttl: 9 } },
    shown: { local: 'fd00::1', remote: 'fd00::2', ttl: 9 },
    change: { ip6gre: { ttl: 8 } }, changed: { local: 'fd00::1', remote: 'fd00::2', ttl: 8 } },
  { need: 'ipip', spec: { kind: 'ipip', ipip: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 9 } },
    shown: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 9 },
    change: { ipip: { remote: '10.0.0.3' } }, changed: { local: '10.0.0.1', remote: '10.0.0.3', ttl: 9 } },
  { need: 'sit', spec: { kind: 'sit', sit: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 9 } },
    shown: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 9 },
    change: { sit: { ttl: 8 } }, changed: { local: '10.0.0.1', remote: '10.0.0.2', ttl: 8 } },
  { need: 'ip6tnl', spec: { kind: 'ip6tnl', ip6tnl: { local: 'fd00::1', remote: 'fd00::2', ttl: 9, mode: 'ip6ip6' } },
    shown: { local: 'fd00::1', remote: 'fd00::2', ttl: 9 },
    change: { ip6tnl: { ttl: 8 } }, changed: { local: 'fd00::1', remote: 'fd00::2', ttl: 8 } },
  { need: 'geneve', spec: { kind: 'geneve', geneve: { id: 5, remote: '10.0.0.2', ttl: 9, dstPort: 7000 } },
    shown: { id: 5, remote: '10.0.0.2', ttl: 9, port: 7000 },
    change: { geneve: { ttl: 8 } }, changed: { id: 5, remote: '10.0.0.2', ttl: 8, port: 7000 } },
]

async function lab(): Promise<Host> {
  const host = await newHost()
  await host.links.create({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1' } } })
  return host
}

/** What was said, as the link then has it: names of links as indices. */
async function said(host: Host, options: object | undefined): Promise<object> {
  const { index } = await host.links.get('v0')
  return Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => name !== 'peer' && name !== 'macaddrMode')
    .map(([name, value]) => [name, value === 'v0' ? index : value as unknown]))
}
const optionsOf = (kind: string, of: object): object | undefined => (of as Record<string, object | undefined>)[kind]
/** Ports of the kernel's choice are shown as such. */
const settled = (options: object): object => ('dstPort' in options && options.dstPort === 0 ? { ...options, dstPort: 8472 } : options)

describe.each(cases)('$spec.kind: $shown', ({ need, spec, shown, change, changed }) => {
  const { test } = needing(needs.kernel(need), needs.kernel('veth'))

  test('made, as ip shows it', async () => {
    const host = await lab()
    const { kind } = spec
    const link = await host.links.create({ ...spec, name: 'x0', alias: 'of a test' })
    expect(link).toMatchObject({ name: 'x0', kind, up: false, alias: 'of a test' })
    expect(optionsOf(kind, link) ?? {}).toMatchObject(settled(await said(host, optionsOf(kind, spec))))
    const ip = await ipLink(host, 'x0')
    expect(ip.linkinfo).toMatchObject({ info_kind: kind })
    expect(ip.linkinfo.info_data ?? {}).toMatchObject(shown)
    if (spec.link !== undefined) expect(ip).toMatchObject({ link: spec.link })
    if (spec.numTxQueues !== undefined) expect(ip).toMatchObject({ num_tx_queues: spec.numTxQueues })
    // Kernels with tunnels have one of each kind in every namespace.
    const listed = await host.links.list({ kind })
    expect(listed.every(link => link.kind === kind) && listed.some(({ name }) => name === 'x0')).toBe(true)
  })

  if (change === undefined) return
  test('changed: what is not named stays', async () => {
    const host = await lab()
    const { kind } = spec
    const before = optionsOf(kind, await host.links.create({ ...spec, name: 'x0' }))
    const link = await host.links.set('x0', change)
    expect((await ipLink(host, 'x0')).linkinfo.info_data).toMatchObject(changed ?? {})
    const after = optionsOf(kind, link) as Record<string, unknown>
    // Linux 6.18 forgets the reserved bits of a vxlan at any change, and refuses to be told of them then.
    const touched = [...Object.keys(optionsOf(kind, change) ?? {}), 'raw', 'oflags', 'macaddrCount', 'flags', 'reservedBits']
    const others = Object.entries(before ?? {}).filter(([name]) => !touched.includes(name))
    for (const [name, value] of others) expect([name, after[name]]).toEqual([name, value])
  })
})

needing(needs.kernel('bond'), needs.kernel('veth')).test('ports of a bond: up and into it in one, their options, and out', async () => {
  const host = await lab()
  await host.links.create({ name: 'bond0', kind: 'bond', up: true, bond: { mode: 'active-backup', miimonMs: 100 } })
  const veth = { peer: { name: 'p1', up: true } }
  await host.links.create({ name: 'p0', kind: 'veth', up: true, master: 'bond0', port: { queueId: 3 }, veth })
  await host.links.set('v0', { master: 'bond0', up: true })
  expect(await ipLink(host, 'p0')).toMatchObject({ master: 'bond0', linkinfo: { info_slave_kind: 'bond', info_slave_data: { queue_id: 3 } } })
  const port = await host.links.set('v0', { port: { queueId: 2 } })
  expect(port).toMatchObject({ up: true, portKind: 'bond', port: { queueId: 2 } })
  expect((await host.links.set('bond0', { bond: { primary: 'p0' } })).bond).toMatchObject({ primary: (await host.links.get('p0')).index })
  expect((await ipLink(host, 'bond0')).linkinfo.info_data).toMatchObject({ primary: 'p0' })
  const refused = await rejection(host.links.set('v0', { port: { isolated: true } as never }))
  expect(refused).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'port.isolated' })
  expect(await host.links.set('v0', { master: null })).not.toHaveProperty('master')
  const many = await host.links.createMany([
    { name: 'bond1', kind: 'bond', up: true, bond: { mode: 'balance-rr' } },
    { name: 'q0', kind: 'veth', master: 'bond1', up: true, port: { queueId: 1 } },
  ])
  expect(many).toHaveLength(2)
  expect(await ipLink(host, 'q0')).toMatchObject({ master: 'bond1', linkinfo: { info_slave_data: { queue_id: 1 } } })
})

needing(needs.kernel('vrf'), needs.kernel('veth')).test('ports of a vrf', async () => {
  const host = await lab()
  await host.links.create({ name: 'vrf0', kind: 'vrf', up: true, vrf: { table: 1000 } })
  expect(await host.links.set('v0', { master: 'vrf0' })).toMatchObject({ portKind: 'vrf', port: { table: 1000 } })
})

needing(needs.kernel('vlan'), needs.kernel('bridge'), needs.kernel('veth')).test('a loop of masters and lower links', async () => {
  const host = await lab()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  await host.links.create({ name: 'vlan5', kind: 'vlan', link: 'br0', vlan: { id: 5 } })
  const error = { code: 'ERR_INVALID_ARGUMENT', field: 'master' }
  expect(await rejection(host.links.set('vlan5', { master: 'br0' }))).toMatchObject(error)
  expect(await rejection(host.links.create({ name: 'vlan6', kind: 'vlan', link: 'vlan5', master: 'br0', vlan: { id: 6 } }))).toMatchObject(error)
  expect(await ipLinks(host)).toEqual(['br0', 'lo', 'v0', 'v1', 'vlan5'])
})

needing(needs.kernel('macvlan'), needs.kernel('veth')).test('a lower link in another namespace, either way', async () => {
  const [host, other] = [await lab(), await newHost()]
  const { index } = await host.links.get('v0')
  expect(await other.links.create({ name: 'm0', kind: 'macvlan', link: 'v0', linkNetns: host.netnsFd })).toMatchObject({ link: index, linkNetnsId: 0 })
  await host.links.create({ name: 'm1', kind: 'macvlan', link: 'v0', netns: other.netnsFd })
  await other.links.createMany([{ name: 'm2', kind: 'macvlan', link: 'v0', linkNetns: host.netnsFd }])
  expect(await ipLinks(other)).toEqual(['lo', 'm0', 'm1', 'm2'])
  expect(await rejection(other.links.create({ name: 'm3', kind: 'macvlan', link: 'v9', linkNetns: host.netnsFd }))).toMatchObject({ code: 'ERR_NO_LINK' })
})

/** Kinds that this kernel may lack, and the option that would bring them. */
const lacking: [KernelFeature, LinkSpec, string][] = [
  ['dummy', { name: 'x0', kind: 'dummy' }, 'CONFIG_DUMMY'],
  ['vlan', { name: 'x0', kind: 'vlan', link: 'v0', vlan: { id: 5 } }, 'CONFIG_VLAN_8021Q'],
  ['bond', { name: 'x0', kind: 'bond' }, 'CONFIG_BONDING'],
  ['vrf', { name: 'x0', kind: 'vrf', vrf: { table: 5 } }, 'CONFIG_NET_VRF'],
  ['netkit', { name: 'x0', kind: 'netkit' }, 'CONFIG_NETKIT, Linux ≥ 6.7'],
  ['bridgeVlanFiltering', { name: 'x0', kind: 'bridge', bridge: { vlanFiltering: true } }, 'CONFIG_BRIDGE_VLAN_FILTERING'],
  // This one a kernel without it passes over in silence.
  ['bridgeVlanFiltering', { name: 'x0', kind: 'bridge', bridge: { vlanDefaultPvid: 7 } }, 'CONFIG_BRIDGE_VLAN_FILTERING'],
]
const inVeth = needing(needs.kernel('veth'))
inVeth.test.each(lacking)('a kernel without %s says what it lacks, and nothing is made: %j', async (feature, spec, option) => {
  const host = await lab()
  const attempt = host.links.create(spec)
  if (needs.kernel(feature) === undefined) {
    expect(await attempt).toMatchObject({ name: 'x0' })
    return
  }
  const error = await rejection(attempt)
  expect(error).toBeInstanceOf(UnsupportedError)
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: option })
  const inBulk = await rejection(host.links.createMany([{ name: 'b0', kind: 'bridge' }, spec]))
  expect((inBulk as BulkError).failures).toMatchObject([{ index: 1, error: { code: 'ERR_UNSUPPORTED', feature: option } }])
  expect(await ipLinks(host)).toEqual(['lo', 'v0', 'v1'])
})

const wrong: [string, unknown, string, RegExp][] = [
  ['a VLAN without a lower link', { kind: 'vlan', vlan: { id: 5 } }, 'link', /the link that a vlan stands on/],
  ['a VLAN without an id', { kind: 'vlan', link: 'v0' }, 'vlan.id', /id of the VLAN/],
  ['a VLAN id of 4095', { kind: 'vlan', link: 'v0', vlan: { id: 4095 } }, 'vlan.id', /from 1 to 4094/],
  ['a VLAN id of 0', { kind: 'vlan', link: 'v0', vlan: { id: 0 } }, 'vlan.id', /from 1 to 4094/],
  ['a VXLAN id of 2^24', { kind: 'vxlan', vxlan: { id: 0x1000000 } }, 'vxlan.id', /from 0 to 16777215/],
  ['a VXLAN without an id', { kind: 'vxlan', vxlan: { dstPort: 4789 } }, 'vxlan.id', /or external: true/],
  ['a VXLAN group that is none', { kind: 'vxlan', vxlan: { id: 5, dev: 'v0', group: '10.0.0.1' } }, 'vxlan.group', /multicast group/],
  ['a VXLAN group without a link', { kind: 'vxlan', vxlan: { id: 5, group: '239.0.0.1' } }, 'vxlan.dev', /on which the group is joined/],
  ['a VXLAN remote that is a group', { kind: 'vxlan', vxlan: { id: 5, remote: 'ff02::1' } }, 'vxlan.remote', /no multicast group/],
  ['a malformed address', { kind: 'vxlan', vxlan: { id: 5, remote: '10.0.0.256' } }, 'vxlan.remote', /IPv4 or IPv6 address/],
  ['a misspelled option', { kind: 'vxlan', vxlan: { id: 5, dstport: 4789 } }, 'vxlan.dstport', /did you mean "dstPort"/],
  ['source ports the wrong way round', { kind: 'vxlan', vxlan: { id: 5, srcPort: { low: 2, high: 1 } } }, 'vxlan.srcPort', /low not above high/],
  ['an IPv6 address in a tunnel over IPv4', { kind: 'gre', gre: { local: 'fd00::1' } }, 'gre.local', /an IPv4 address/],
  ['an IPv4 address in a tunnel over IPv6', { kind: 'ip6gre', ip6gre: { local: '10.0.0.1' } }, 'ip6gre.local', /an IPv6 address/],
  ['a mode of a bond that is none', { kind: 'bond', bond: { mode: 'lacp' } }, 'bond.mode', /802\.3ad/],
  ['a macvlan without a lower link', { kind: 'macvlan' }, 'link', /the link that a macvlan stands on/],
  ['a macvlan flag that is none', { kind: 'macvlan', link: 'v0', macvlan: { flags: ['nopromisk'] } }, 'macvlan.flags', /did you mean "nopromisc"/],
  ['a lower link for a kind without', { kind: 'dummy', link: 'v0' }, 'link', /stands on no other link/],
  ['a vrf without a table', { kind: 'vrf' }, 'vrf.table', /number of a routing table/],
  ['a geneve without a remote', { kind: 'geneve', geneve: { id: 5 } }, 'geneve.remote', /or external: true/],
  ['options of another kind', { kind: 'vlan', link: 'v0', vlan: { id: 5 }, vxlan: { id: 5 } }, 'vxlan', /another kind than vlan/],
  ['an option that only the kernel sets', { kind: 'bond', bond: { adInfo: {} } }, 'bond.adInfo', /only be read/],
  ['a link in an option that is no name', { kind: 'vxlan', vxlan: { id: 5, dev: 'a b' } }, 'vxlan.dev', /name or its index/],
  ['a flag that is no boolean', { kind: 'bridge', promisc: 1 }, 'promisc', /true or false/],
  ['an alternative name with a space', { kind: 'bridge', altNames: ['a b'] }, 'altNames[0]', /alternative name/],
]
inVeth.test.each(wrong)('refused before anything is done: %s', async (_, spec, field, message) => {
  const host = await lab()
  const error = await rejection(host.links.create({ name: 'x0', ...spec as object } as LinkSpec))
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
  expect((error as Error).message).toMatch(message)
  const many = await rejection(host.links.createMany([{ name: 'x0', ...spec as object } as LinkSpec]))
  expect(many).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: `links[0].${field}` })
  expect(await ipLinks(host)).toEqual(['lo', 'v0', 'v1'])
})

inVeth.test('options of another kind than the link is, and options of a port of what is none', async () => {
  const host = await lab()
  expect(await rejection(host.links.set('v0', { vlan: { flags: { gvrp: true } } }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'vlan' })
  expect(await rejection(host.links.set('v0', { port: { cost: 5 } }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'port' })
  expect(await rejection(host.links.set('v0', { master: 'v1' }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'master' })
  expect(await rejection(host.links.set('v0', { bridge: {}, vxlan: {} }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'vxlan' })
})

needing(needs.kernel('vxlan'), needs.kernelRelease(6, 14)).test('bits of a VXLAN header that must be zero', async () => {
  const host = await newHost()
  expect((await host.links.create({ name: 'x0', kind: 'vxlan', vxlan: { id: 1 } })).vxlan).toMatchObject({ reservedBits: '0xf7ffffff000000ff' })
  expect((await host.links.create({ name: 'x1', kind: 'vxlan', vxlan: { id: 2, reservedBits: '0xff' } })).vxlan).toMatchObject({ reservedBits: '0xff' })
})

needing(needs.kernel('bridge')).test('switches of bridges: those that the kernel has, and one that it has not', async () => {
  const host = await newHost()
  const { switches = {} } = (await host.links.create({ name: 'br0', kind: 'bridge' })).bridge ?? {}
  for (const [place, name] of (['mst', 'mdbOffloadFailNotification'] as const).entries()) {
    const create = host.links.create({ name: `b${place}`, kind: 'bridge', bridge: { switches: { [name]: true } } })
    if (name === 'mst' && needs.kernel('bridgeVlanFiltering') !== undefined) {
      expect(await rejection(create)).toMatchObject({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining('bridge.switches.mst (CONFIG_BRIDGE_VLAN_FILTERING') as string })
    } else if (switches[name] !== undefined) expect((await create).bridge?.switches).toMatchObject({ [name]: true })
    else expect(await rejection(create)).toMatchObject({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining(`bridge.switches.${name} (Linux`) as string })
  }
})

test('a link that is not there, named in an option', async () => {
  const host = await newHost()
  const error = await rejection(host.links.create({ name: 'x0', kind: 'vxlan', vxlan: { id: 5, dev: 'nowhere' } }))
  expect(error).toMatchObject({ code: 'ERR_NO_LINK', message: 'no link nowhere' })
})

needing(needs.kernel('vxlanVnifilter')).test('identifiers of a vxlan, as bridge shows them', async () => {
  const host = await newHost()
  const { index } = await host.links.create({ name: 'x0', kind: 'vxlan', vxlan: { external: true, vnifilter: true, dstPort: 4789 } })
  await host.links.addVnis('x0', [{ vni: 10, to: 20, remote: '10.0.0.9' }, { vni: 30 }, { vni: 40, remote: 'fd00::9' }])
  await host.links.deleteVnis('x0', [{ vni: 12, to: 20 }])
  expect(await host.links.vnis('x0')).toEqual([
    { index, vni: 10, to: 11, remote: '10.0.0.9' }, { index, vni: 30 }, { index, vni: 40, remote: 'fd00::9' },
  ])
  expect(await bridgeJson(host.netnsFd, 'vni', 'show')).toMatchObject([
    { ifname: 'x0', vnis: [{ vni: 10, vniEnd: 11, remote: '10.0.0.9' }, { vni: 30 }, { vni: 40 }] },
  ])
  const counted = await host.links.vnis('x0', { statistics: true })
  expect(counted.map(({ vni }) => vni)).toEqual([10, 11, 30, 40])
  expect(counted[0]?.statistics).toMatchObject({ rxBytes: 0, txErrors: 0 })
  const wrong: [VniSpec, RegExp][] = [
    [{ vni: 0x1000000 }, /vnis\.vni: expected an integer from 0 to 16777215/], [{ vni: 5, to: 4 }, /to: expected the last of the range/],
    [{ vni: 5, remot: 'x' } as never, /did you mean "remote"/], [{ vni: 5, remote: '10.0.0' }, /vnis\.remote/],
  ]
  for (const [spec, message] of wrong) {
    const error = await rejection(host.links.addVnis('x0', [spec])) as Error
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(error.message).toMatch(message)
  }
  expect(await rejection(host.links.addVnis('nowhere', [{ vni: 5 }]))).toMatchObject({ code: 'ERR_NO_LINK' })
  await host.links.create({ name: 'x1', kind: 'vxlan', vxlan: { id: 5, dstPort: 4790 } })
  const plain = { code: 'ERR_INVALID_ARGUMENT', field: 'link', message: 'link: expected a vxlan that was made with external and vnifilter, got "x1"' }
  expect(await rejection(host.links.addVnis('x1', [{ vni: 5 }]))).toMatchObject(plain)
})
