/** What `ip link set` does to any link: set by us, shown by ip; and counters beyond those that every link has. */
import { expect } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import type { LinkChange } from '../../src/host/links.ts'
import { ipJson, run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { ipLink, ipLinks, newHost, rejection } from './support.ts'
import { patience } from '../support/patience.ts'

const { test } = needing(needs.kernel('bridge'), needs.kernel('veth'))
const vxlan = needing(needs.kernel('vxlan'))

async function lab(): Promise<Host> {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', up: true, bridge: { stp: true, multicastStatsEnabled: true } })
  await host.links.create({ name: 'v0', kind: 'veth', master: 'br0', up: true, veth: { peer: { name: 'v1', up: true } } })
  return host
}

const flags = (names: string[]): unknown => expect.arrayContaining(names) as unknown
const without = (name: string): unknown => expect.not.arrayContaining([name]) as unknown

const settings: [Omit<LinkChange, 'master'>, Json][] = [
  [{ promisc: true, allMulticast: true }, { flags: flags(['PROMISC', 'ALLMULTI']) }],
  [{ promisc: false }, { flags: without('PROMISC') }],
  [{ multicast: false }, { flags: without('MULTICAST') }],
  [{ arp: false }, { flags: flags(['NOARP']) }],
  [{ dynamic: true, trailers: false }, { flags: flags(['DYNAMIC', 'NOTRAILERS']) }],
  [{ broadcast: 'ff:ff:ff:ff:ff:f0' }, { broadcast: 'ff:ff:ff:ff:ff:f0' }],
  [{ gsoMaxSegs: 100, gsoMaxSize: 60_000, groMaxSize: 50_000 }, { gso_max_segs: 100, gso_max_size: 60_000, gro_max_size: 50_000 }],
  [{ linkMode: 'dormant' }, { linkmode: 'DORMANT' }],
  [{ ipv6: { addrGenMode: 'none' } }, { inet6_addr_gen_mode: 'none' }],
  [{ addAltNames: ['one', 'two-is-a-much-longer-name'] }, { altnames: ['one', 'two-is-a-much-longer-name'] }],
  [{ txQueueLen: 7, group: 9, mtu: 1300, mac: '52:54:00:00:00:09', alias: 'x' },
    { txqlen: 7, group: '9', mtu: 1300, address: '52:54:00:00:00:09', ifalias: 'x' }],
]

test.each(settings)('%j, as ip shows it; and the same when the link is made', async (change, shown) => {
  const host = await lab()
  await host.links.set('v0', change)
  expect(await ipLink(host, 'v0')).toMatchObject(shown)
  const { addAltNames, ...rest } = change
  const altNames = addAltNames?.map(name => `${name}-2`)
  await host.links.create({ name: 'w0', kind: 'veth', ...rest, ...(altNames === undefined ? {} : { altNames }) })
  expect(await ipLink(host, 'w0')).toMatchObject(altNames === undefined ? shown : { altnames: altNames })
})

test('sysctls of IPv4, one by one; IPv6\'s are read', async () => {
  const host = await lab()
  const link = await host.links.set('v0', { ipv4: { conf: { rpFilter: 2, arpIgnore: 1, forwarding: 1 } } })
  expect(link.ipv4?.conf).toMatchObject({ rpFilter: 2, arpIgnore: 1, forwarding: 1, acceptLocal: 0 })
  for (const [name, value] of [['rp_filter', '2'], ['arp_ignore', '1'], ['forwarding', '1'], ['accept_local', '0']] as const) {
    expect(await host.sysctl.get(`net.ipv4.conf.v0.${name}`)).toBe(value)
  }
  await host.sysctl.set('net.ipv6.conf.v0.disable_ipv6', 1)
  expect((await host.links.get('v0')).ipv6?.conf).toMatchObject({ disableIpv6: 1, hopLimit: 64 })
  expect((await host.links.list({ master: 'br0' }))[0]).not.toHaveProperty('ipv6')
  expect((await host.links.list({ master: 'br0', families: true }))[0]?.ipv6?.conf).toMatchObject({ disableIpv6: 1 })
})

test('the kernel\'s own limits over IPv4, where it has them', async () => {
  const host = await lab()
  const known = (await host.links.get('v0')).gsoIpv4MaxSize !== undefined
  const attempt = host.links.set('v0', { gsoIpv4MaxSize: 50_000, groIpv4MaxSize: 40_000 })
  if (known) expect(await attempt).toMatchObject({ gsoIpv4MaxSize: 50_000, groIpv4MaxSize: 40_000 })
  else expect(await rejection(attempt)).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'Linux ≥ 6.3' })
})

test('a link by any of its names', async () => {
  const host = await lab()
  const [long, short] = ['two-is-a-much-longer-name', 'one']
  const { index } = await host.links.set('v0', { addAltNames: [long, short] })
  for (const name of [long, short, 'v0', index]) {
    expect(await host.links.get(name)).toMatchObject({ index, name: 'v0', altNames: [long, short] })
  }
  await host.links.set(long, { mtu: 1400, up: false })
  expect(await ipLink(host, 'v0')).toMatchObject({ mtu: 1400 })
  expect(await host.links.set(short, { deleteAltNames: [short], name: 'v9' })).toMatchObject({ index, name: 'v9', altNames: [long] })
  await host.links.create({ name: 'w0', kind: 'veth', master: 'br0' })
  await host.links.set('w0', { addAltNames: ['another-of-more-than-15'] })
  await host.links.deleteMany([long, 'another-of-more-than-15'])
  expect((await ipLinks(host)).filter(name => !String(name).startsWith('veth'))).toEqual(['br0', 'lo'])
})

vxlan.test('protodown and its reasons', async () => {
  const host = await newHost()
  await host.links.create({ name: 'x0', kind: 'vxlan', protoDown: true, vxlan: { id: 5, dstPort: 4789 } })
  const link = await host.links.set('x0', { protoDownReason: { mask: 3, value: 1 } })
  expect(link).toMatchObject({ protoDown: true, protoDownReason: { value: 1 } })
  expect(await ipLink(host, 'x0')).toMatchObject({ proto_down: true })
})

test('lists by group, state and type', async () => {
  const host = await lab()
  await host.links.set('v1', { group: 7, up: false })
  const names = async (filter: Parameters<Host['links']['list']>[0]): Promise<string[]> =>
    (await host.links.list(filter)).map(({ name }) => name)
  expect(await names({ group: 7 })).toEqual(['v1'])
  expect(await names({ kind: 'veth', up: true })).toEqual(['v0'])
  expect(await names({ type: 'loopback' })).toEqual(['lo'])
})

interface Suite extends Json {
  suite: string
  multicast: Record<string, Record<string, number>>
  stp: Record<string, number>
}

test('counters of a bridge and its port, as ip shows them', async () => {
  const host = await lab()
  for (const link of ['v0', 'v1', 'br0']) await host.sysctl.set(`net.ipv6.conf.${link}.disable_ipv6`, 1)
  await host.addresses.add('v1', '10.0.0.1/24')
  await run('ping', ['-c', '2', '-i', '0.01', '-W', '1', '10.0.0.2'], { netns: host.netnsFd }).catch(() => '')
  const xstats = async (): Promise<[Suite, Suite, Json]> => {
    const port = await ipJson<Suite[]>(host.netnsFd, 'stats', 'show', 'dev', 'v0', 'group', 'xstats_slave')
    const [plain] = await ipJson<{ stats64: Json }[]>(host.netnsFd, 'stats', 'show', 'dev', 'v0', 'group', 'link')
    return [port.find(({ suite }) => suite === 'stp') as Suite, port.find(({ suite }) => suite === 'mcast') as Suite, plain?.stats64 as Json]
  }
  // STP goes on meanwhile: what is the same before and after is what ours must be.
  let [before, ours, after] = [await xstats(), await host.links.statistics('v0'), await xstats()]
  for (let attempt = 0; attempt < 5 && JSON.stringify(before) !== JSON.stringify(after); attempt++) {
    [before, ours, after] = [await xstats(), await host.links.statistics('v0'), await xstats()]
  }
  const [stp, multicast, plain] = before as [Suite, Suite, { rx: Json, tx: Json }]
  const { port, counters, index } = ours
  expect(port?.bridge?.stp).toEqual({
    transitionsToBlocking: stp.stp['transition_blk'], transitionsToForwarding: stp.stp['transition_fwd'], rxBpdu: stp.stp['rx_bpdu'],
    txBpdu: stp.stp['tx_bpdu'], rxTcn: stp.stp['rx_tcn'], txTcn: stp.stp['tx_tcn'],
  })
  const { igmp_reports: reports, mld_queries: queries } = multicast.multicast
  expect(port?.bridge?.multicast).toMatchObject({
    rxIgmpV3Reports: reports?.['rx_v3'], txIgmpV3Reports: reports?.['tx_v3'], rxMldV1Queries: queries?.['rx_v1'],
    igmpParseErrors: multicast.multicast['igmp_parse_errors'],
  })
  expect(plain).toMatchObject({
    rx: { bytes: counters.rxBytes, packets: counters.rxPackets }, tx: { bytes: counters.txBytes, packets: counters.txPackets },
  })
  expect(index).toBe((await host.links.get('v0')).index)
  expect((await host.links.statistics('br0')).bridge?.multicast).toBeDefined()
  expect(await host.links.statistics('lo')).toEqual({ index: 1, counters: expect.objectContaining({ rxPackets: 0 }) as object })
  expect(await rejection(host.links.statistics('nowhere'))).toMatchObject({ code: 'ERR_NO_LINK' })
  expect(await rejection(host.links.statistics(4711))).toMatchObject({ code: 'ERR_NO_LINK' })
}, 30_000 * patience)

needing(needs.kernel('bridgeVlanFiltering'), needs.kernel('veth')).test('counters of VLANs', async () => {
  const host = await newHost()
  const bridge = { vlanFiltering: true, vlanDefaultPvid: 7, vlanStatsEnabled: true, vlanStatsPerPort: true }
  await host.links.create({ name: 'br0', kind: 'bridge', up: true, bridge })
  await host.links.create({ name: 'v0', kind: 'veth', master: 'br0', up: true, veth: { peer: { name: 'v1', up: true } } })
  const { port } = await host.links.statistics('v0')
  expect(port?.bridge?.vlans).toMatchObject([{ vlan: 7 }])
  expect((await host.links.statistics('br0')).bridge?.vlans).toMatchObject([{ vlan: 7 }])
})
