/** host.neighbors, judged by ip and bridge. */
import { expect } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import type { FdbEntry } from '../../src/rtnetlink/fdb.ts'
import type { Neighbor } from '../../src/rtnetlink/neighbors.ts'
import { bridgeJson, ipJson, run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const common = [needs.netAdmin, needs.tool('ip'), needs.tool('bridge'), needs.kernel('bridge'), needs.kernel('veth')]
const { test } = needing(...common)

/** v0 (index 11) in the bridge br0 (index 10), all up, and w0 (index 13), which is in none. */
async function lab(): Promise<Host> {
  const host = await newHost()
  // Otherwise each entry is there once more, for the VLAN that ports begin with.
  const vlans = needs.kernel('bridgeVlanFiltering') === undefined ? 'vlan_default_pvid 0' : ''
  await run('sh', ['-ec', [
    `ip link add br0 index 10 up type bridge ${vlans}`, 'ip link add v0 index 11 master br0 up type veth peer name v1 index 12',
    'ip link set v0 type bridge_slave learning off', 'ip link set v1 up', 'ip link add w0 index 13 up type veth peer name w1 index 14', 'ip link set w1 up',
  ].join('\n')], { netns: host.netnsFd })
  return host
}

const mac = (number: number): string => `52:54:00:00:00:${number.toString(16).padStart(2, '0')}`
const json = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json

/** An entry of ARP or NDP in the words of `ip -j neighbour`. */
function asIp(entry: Neighbor): Json {
  const flag = (name: string): null | undefined => (entry.flags.includes(name) ? null : undefined)
  return json({
    dst: entry.ip, lladdr: entry.lladdr, dev: { 11: 'v0', 13: 'w0' }[entry.index],
    router: flag('router'), proxy: flag('proxy'), extern_learn: flag('extern_learn'), managed: flag('managed'),
    state: entry.flags.includes('proxy') ? undefined : [String(entry.state).toUpperCase()],
    protocol: entry.protocol === undefined || entry.flags.includes('proxy') ? undefined : String(entry.protocol),
  })
}

const neighborsOfIp = async (host: Host, ...args: string[]): Promise<Json[]> =>
  (await ipJson(host.netnsFd, 'neighbour', 'show', ...args)).sort(byText('dst'))
const byText = (key: string) => (a: Json, b: Json): number => (String(a[key]) < String(b[key]) ? -1 : 1)

test('ARP and NDP: what is added is what ip shows', async () => {
  const host = await lab()
  await host.neighbors.add({ link: 'w0', ip: '10.0.0.1', lladdr: mac(1) })
  await host.neighbors.add({ link: 13, ip: '10.0.0.2', lladdr: mac(2), state: 'reachable', protocol: 'static' })
  await host.neighbors.add({ link: 'w0', ip: '10.0.0.3', state: 'noarp', lladdr: mac(3), externLearn: true })
  await host.neighbors.add({ link: 'w0', ip: 'fd00::4', lladdr: mac(4), state: 'stale', router: true })
  await host.neighbors.add({ link: 'w0', ip: 'fd00::5', state: 'failed' })
  const ours = (await host.neighbors.list({ link: 'w0' })).filter(({ ip }) => !ip.startsWith('ff') && !ip.startsWith('224.'))
  expect(ours.map(({ ip }) => ip).sort()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::4', 'fd00::5'])
  const shown = (await neighborsOfIp(host, 'dev', 'w0', 'nud', 'all')).filter(({ dst }) => ours.some(({ ip }) => ip === dst))
  expect(ours.map(asIp).sort(byText('dst')).map(({ dev: _, ...entry }) => entry)).toEqual(shown)

  expect(await rejection(host.neighbors.add({ link: 'w0', ip: '10.0.0.1', lladdr: mac(9) }))).toMatchObject({
    code: 'ERR_NETLINK', errnoName: 'EEXIST', operation: 'add neighbour 10.0.0.1 of link w0',
  })
  await host.neighbors.replace({ link: 'w0', ip: '10.0.0.1', lladdr: mac(9) })
  expect(await host.neighbors.get({ link: 'w0', ip: '10.0.0.1' })).toMatchObject({ index: 13, family: 4, lladdr: mac(9), state: 'permanent' })
  await host.neighbors.delete({ link: 'w0', ip: '10.0.0.1' })
  expect(await rejection(host.neighbors.get({ link: 'w0', ip: '10.0.0.1' }))).toMatchObject({ errnoName: 'ENOENT' })
  expect(await rejection(host.neighbors.delete({ link: 'w0', ip: '10.0.0.1' }))).toMatchObject({ errnoName: 'ENOENT' })
})

needing(...common, needs.kernelRelease(5, 16)).test('ARP and NDP: neighbours that the kernel keeps resolved', async () => {
  const host = await lab()
  await host.neighbors.add({ link: 'w0', ip: '10.0.0.1', managed: true })
  await host.neighbors.addMany([{ link: 'w0', ip: '10.0.0.2', managed: true }, { link: 'w0', ip: '10.0.0.3', lladdr: mac(3) }])
  await host.neighbors.replace({ link: 'w0', ip: '10.0.0.3', lladdr: mac(3), managed: true, state: 'reachable' })
  expect((await host.neighbors.list({ link: 'w0', family: 4 })).filter(({ flags }) => flags.includes('managed')).map(({ ip }) => ip).sort())
    .toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  expect((await neighborsOfIp(host, 'dev', 'w0', 'nud', 'all')).filter(({ managed }) => managed === null).map(({ dst }) => dst))
    .toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
})

test('ARP and NDP: lists by link, master, family, state, proxy', async () => {
  const host = await lab()
  await host.neighbors.addMany([
    { link: 'w0', ip: '10.0.0.1', lladdr: mac(1) }, { link: 'w0', ip: 'fd00::1', lladdr: mac(1), state: 'stale' },
    { link: 'v0', ip: '10.0.0.2', lladdr: mac(2) }, { link: 'w0', ip: '10.0.0.3', proxy: true }, { link: 'w0', ip: 'fd00::3', proxy: true },
  ])
  const ips = async (filter: Parameters<Host['neighbors']['list']>[0]): Promise<string[]> =>
    (await host.neighbors.list(filter as object)).map(({ ip }) => ip).filter(ip => /^(10\.|fd)/.test(ip)).sort()
  expect(await ips({})).toEqual(['10.0.0.1', '10.0.0.2', 'fd00::1'])
  expect(await ips({ link: 'w0' })).toEqual(['10.0.0.1', 'fd00::1'])
  expect(await ips({ link: 'w0', family: 6 })).toEqual(['fd00::1'])
  expect(await ips({ master: 'br0' })).toEqual(['10.0.0.2'])
  expect(await ips({ state: ['stale', 'failed'] })).toEqual(['fd00::1'])
  expect(await ips({ state: 'permanent', link: 'w0' })).toEqual(['10.0.0.1'])
  expect(await ips({ proxy: true })).toEqual(['10.0.0.3', 'fd00::3'])
  expect(await neighborsOfIp(host, 'proxy', 'dev', 'w0')).toMatchObject([{ dst: '10.0.0.3' }, { dst: 'fd00::3' }])
  expect(await host.neighbors.get({ link: 'w0', ip: '10.0.0.3', proxy: true })).toMatchObject({ flags: ['proxy'], lladdr: undefined })
  await host.neighbors.delete({ link: 'w0', ip: '10.0.0.3', proxy: true })
  expect(await ips({ proxy: true })).toEqual(['fd00::3'])
})

test('ARP and NDP: flush leaves what was made to last, unless it is named', async () => {
  const host = await lab()
  await host.neighbors.addMany([
    { link: 'w0', ip: '10.0.0.1', lladdr: mac(1) }, { link: 'w0', ip: '10.0.0.2', lladdr: mac(1), state: 'stale' },
    { link: 'w0', ip: '10.0.0.3', lladdr: mac(1), state: 'noarp' }, { link: 'v0', ip: '10.0.0.4', lladdr: mac(1), state: 'stale' },
  ])
  const ips = async (): Promise<unknown[]> => (await neighborsOfIp(host, 'nud', 'all')).map(({ dst }) => dst).filter(ip => String(ip).startsWith('10.'))
  await host.neighbors.flush({ link: 'w0' })
  expect(await ips()).toEqual(['10.0.0.1', '10.0.0.3', '10.0.0.4'])
  await host.neighbors.flush({ state: ['permanent', 'noarp'], family: 4, link: 'w0' })
  expect(await ips()).toEqual(['10.0.0.4'])
  await host.neighbors.flush({ family: 4 })
  expect(await ips()).toEqual([])
})

/** A forwarding entry in the words of `bridge -j fdb`. */
function asBridge(entry: FdbEntry): Json {
  const shown = ['self', 'master', 'extern_learn', 'offload', 'sticky', 'router']
  const names: Record<number, string> = { 10: 'br0', 11: 'v0', 12: 'v1', 13: 'w0', 14: 'w1', 20: 'vx0' }
  return json({
    mac: entry.mac, ifname: names[entry.index], vlan: entry.vlan, flags: entry.flags.filter(flag => shown.includes(flag)).sort(),
    master: entry.master === undefined ? undefined : names[entry.master],
    state: entry.state === 'dynamic' ? '' : entry.state, dst: entry.dst, port: entry.port, vni: entry.vni, src_vni: entry.srcVni,
    viaIf: entry.via === undefined ? undefined : names[entry.via], nhid: entry.nexthopId,
  })
}

const fdbOfBridge = async (host: Host, ...args: string[]): Promise<Json[]> =>
  (await bridgeJson(host.netnsFd, 'fdb', 'show', ...args)).map(entry => {
    const { flags, used: _, updated: __, ...rest } = entry as { flags: string[], used?: number, updated?: number }
    return { ...rest, flags: flags.sort() }
  })
const sorted = (entries: Json[]): string[] => entries.map(entry => JSON.stringify(Object.entries(entry).sort())).sort()

test('FDB of a bridge: what is added is what bridge shows', async () => {
  const host = await lab()
  await host.neighbors.add({ link: 'v0', mac: mac(1), master: true, state: 'static', sticky: true })
  await host.neighbors.add({ link: 'v0', mac: mac(2), master: true, state: 'dynamic', externLearn: true })
  await host.neighbors.add({ link: 'v0', mac: mac(3), master: true, state: 'local' })
  await host.neighbors.add({ link: 'br0', mac: mac(4), self: true })
  await host.neighbors.add({ link: 'v0', mac: mac(5) })
  const listed = await host.neighbors.list({ family: 'bridge' })
  expect(sorted(listed.map(asBridge))).toEqual(sorted(await fdbOfBridge(host)))
  expect(sorted((await host.neighbors.list({ family: 'bridge', master: 'br0', link: 'v0' })).map(asBridge)))
    .toEqual(sorted((await fdbOfBridge(host, 'br', 'br0', 'brport', 'v0')).map(entry => ({ ...entry, ifname: 'v0' }))))
  expect((await host.neighbors.list({ family: 'bridge', state: ['static', 'dynamic'] })).map(entry => entry.mac).sort()).toEqual([mac(1), mac(2)])
  expect(listed.find(entry => entry.mac === mac(1))).toMatchObject({ state: 'static', flags: ['sticky'] })
  expect(listed.find(entry => entry.mac === mac(2))).toMatchObject({
    family: 'bridge', index: 11, master: 10, state: 'dynamic', flags: ['extern_learn'], usedMs: expect.any(Number) as number,
  })

  expect(await rejection(host.neighbors.add({ link: 'v0', mac: mac(1), master: true }))).toMatchObject({ errnoName: 'EEXIST' })
  await host.neighbors.replace({ link: 'v0', mac: mac(1), master: true, state: 'dynamic' })
  for (const lookup of [{ link: 'v0' }, { bridge: 'br0' }]) {
    expect(await host.neighbors.get({ mac: mac(1), ...lookup })).toMatchObject({ mac: mac(1), index: 11, master: 10, state: 'dynamic' })
  }
  await host.neighbors.delete({ link: 'v0', mac: mac(1), master: true })
  expect(await rejection(host.neighbors.get({ mac: mac(1), bridge: 'br0' }))).toMatchObject({ errnoName: 'ENOENT' })
})

test('FDB: the kernel tells when an entry becomes inactive', async () => {
  const host = await lab()
  await host.neighbors.add({ link: 'v0', mac: mac(1), master: true, state: 'static', activityNotify: true, inactive: true })
  expect(await host.neighbors.get({ mac: mac(1), bridge: 'br0' })).toMatchObject({ activityNotify: true, inactive: true })
  await host.neighbors.replace({ link: 'v0', mac: mac(1), master: true, state: 'static', activityNotify: false, noRefresh: true })
  expect((await host.neighbors.get({ mac: mac(1), bridge: 'br0' })).activityNotify).toBeFalsy()
})

needing(...common, needs.kernel('bridgeVlanFiltering'), needs.kernel('bridgeFlush')).test('FDB: entries of VLANs', async () => {
  const host = await lab()
  await run('ip', ['link', 'set', 'br0', 'type', 'bridge', 'vlan_filtering', '1'], { netns: host.netnsFd })
  await run('bridge', ['vlan', 'add', 'dev', 'v0', 'vid', '10'], { netns: host.netnsFd })
  await host.neighbors.add({ link: 'v0', mac: mac(1), master: true, vlan: 10, state: 'static' })
  expect(await host.neighbors.list({ family: 'bridge', link: 'v0', vlan: 10, state: 'static' })).toMatchObject([{ mac: mac(1), vlan: 10 }])
  expect(sorted((await host.neighbors.list({ family: 'bridge' })).map(asBridge))).toEqual(sorted(await fdbOfBridge(host)))
  expect(await host.neighbors.get({ mac: mac(1), bridge: 'br0', vlan: 10 })).toMatchObject({ vlan: 10 })
  // Without a VLAN it is one for each of the port's, and is deleted from all.
  await host.neighbors.add({ link: 'v0', mac: mac(2), master: true })
  const vlansOf = async (address: string): Promise<unknown[]> =>
    (await fdbOfBridge(host)).filter(({ mac }) => mac === address).map(({ vlan }) => vlan)
  expect((await vlansOf(mac(2))).sort()).toEqual([10, undefined])
  await host.neighbors.delete({ link: 'v0', mac: mac(2), master: true })
  expect(await vlansOf(mac(2))).toEqual([])
  expect(await vlansOf(mac(1))).toEqual([10])
  await host.neighbors.flush({ family: 'bridge', master: 'br0', vlan: 11, state: 'all' })
  expect(await vlansOf(mac(1))).toEqual([10])
  await host.neighbors.flush({ family: 'bridge', master: 'br0', vlan: 10, state: 'static' })
  expect(await vlansOf(mac(1))).toEqual([])
})

if (needs.kernel('bridgeVlanFiltering') !== undefined) {
  test('FDB: an entry of a VLAN needs a kernel with VLANs in bridges', async () => {
    const host = await lab()
    expect(await rejection(host.neighbors.add({ link: 'v0', mac: mac(1), master: true, vlan: 10 }))).toMatchObject({
      code: 'ERR_UNSUPPORTED', feature: 'CONFIG_BRIDGE_VLAN_FILTERING',
    })
    const entries = [{ link: 'v0', mac: mac(2), master: true }, { link: 'v0', mac: mac(1), master: true, vlan: 10 }, { link: 4711, mac: mac(1) }]
    expect(await rejection(host.neighbors.addMany(entries, { atomic: false }))).toMatchObject({
      failures: [{ index: 1, error: { code: 'ERR_UNSUPPORTED', feature: 'CONFIG_BRIDGE_VLAN_FILTERING' } }, { index: 2, error: { code: 'ERR_NO_LINK' } }],
      done: [0],
    })
  })
}

needing(...common, needs.kernel('bridgeFlush')).test('FDB: flush of a port, of a bridge, by state and by flags', async () => {
  const host = await lab()
  const entries = [
    { link: 'v0', mac: mac(1), master: true, state: 'dynamic' }, { link: 'v0', mac: mac(2), master: true, state: 'static' },
    { link: 'v0', mac: mac(3), master: true, state: 'permanent' }, { link: 'v0', mac: mac(4), master: true, state: 'dynamic', externLearn: true },
    { link: 'w0', mac: mac(5), master: true, state: 'dynamic' },
  ] as const
  await host.links.set('w0', { master: 'br0' })
  const left = async (): Promise<string[]> =>
    (await host.neighbors.list({ family: 'bridge' })).map(entry => entry.mac).filter(address => address.startsWith('52:54:00:00:00')).sort()
  const after = async (filter: Parameters<Host['neighbors']['flush']>[0]): Promise<string[]> => {
    for (const entry of entries) await host.neighbors.replace(entry)
    await host.neighbors.flush(filter)
    return left()
  }
  expect(await after({ family: 'bridge', link: 'v0' })).toEqual([mac(2), mac(3), mac(5)])
  expect(await after({ family: 'bridge', master: 'br0', link: 'v0' })).toEqual([mac(2), mac(3), mac(5)])
  expect(await after({ family: 'bridge', master: 'br0' })).toEqual([mac(2), mac(3)])
  expect(await after({ family: 'bridge', link: 'v0', state: 'static' })).toEqual([mac(1), mac(3), mac(4), mac(5)])
  expect(await after({ family: 'bridge', link: 'v0', state: ['static', 'dynamic'] })).toEqual([mac(3), mac(5)])
  expect(await after({ family: 'bridge', link: 'v0', state: 'local' })).toEqual([mac(1), mac(2), mac(4), mac(5)])
  expect(await after({ family: 'bridge', master: 'br0', externLearn: true })).toEqual([mac(1), mac(2), mac(3), mac(5)])
  expect(await after({ family: 'bridge', master: 'br0', externLearn: false })).toEqual([mac(2), mac(3), mac(4)])
  expect(await after({ family: 'bridge', master: 'br0', state: 'all' })).toEqual([])
  expect(await rejection(host.neighbors.flush({ family: 'bridge', link: 'w1' }))).toMatchObject({ code: 'ERR_NETLINK' })
})

needing(...common, needs.kernel('vxlan')).test('FDB of a vxlan: remote ends', async () => {
  const host = await lab()
  await run('ip', ['link', 'add', 'vx0', 'index', '20', 'type', 'vxlan', 'id', '5', 'dstport', '4789'], { netns: host.netnsFd })
  await host.neighbors.add({ link: 'vx0', mac: '00:00:00:00:00:00', dst: '10.0.0.1' })
  await host.neighbors.append({ link: 'vx0', mac: '00:00:00:00:00:00', dst: '10.0.0.2' })
  await host.neighbors.add({ link: 'vx0', mac: mac(1), dst: '10.0.0.3', port: 4790, vni: 7, via: 'w0', router: true, state: 'dynamic' })
  const listed = await host.neighbors.list({ family: 'bridge', link: 'vx0' })
  expect(sorted(listed.map(asBridge))).toEqual(sorted((await fdbOfBridge(host, 'dev', 'vx0')).map(entry => ({ ...entry, ifname: 'vx0' }))))
  expect(listed.map(entry => entry.dst)).toEqual(expect.arrayContaining(['10.0.0.1', '10.0.0.2', '10.0.0.3']))
  expect(await host.neighbors.get({ link: 'vx0', mac: mac(1), self: true })).toMatchObject({ dst: '10.0.0.3', port: 4790, vni: 7, via: 13 })
  await host.neighbors.delete({ link: 'vx0', mac: '00:00:00:00:00:00', dst: '10.0.0.1' })
  expect((await host.neighbors.list({ family: 'bridge', link: 'vx0' })).map(entry => entry.dst).sort()).toEqual(['10.0.0.2', '10.0.0.3'])
})

test('what was added is deleted in the same words, wherever it is', async () => {
  const host = await lab()
  const where = [
    { link: 'v0' }, { link: 'v0', self: true }, { link: 'v0', master: true }, { link: 'v0', self: true, master: true }, { link: 'br0' },
    { link: 'v0', master: true, state: 'static' }, { link: 'v0', master: true, state: 'dynamic', sticky: true, externLearn: true },
  ] as const
  const ours = /^(52:54:00:00:00|33:33:00:00:00:ab)/
  const addresses = async (): Promise<unknown[]> => (await fdbOfBridge(host)).map(({ mac }) => mac).filter(mac => ours.test(String(mac)))
  for (const place of where) {
    const entry = { ...place, mac: mac(1) }
    await host.neighbors.add(entry)
    expect(await addresses()).toContain(mac(1))
    await host.neighbors.delete(entry)
    expect([place, await addresses()]).toEqual([place, []])
  }
  // A multicast address of a card.
  const many = [{ link: 'v0', mac: mac(1) }, { link: 'w0', mac: '33:33:00:00:00:ab' }, { link: 'v0', mac: mac(2), master: true }]
  await host.neighbors.addMany(many)
  expect(new Set(await addresses())).toEqual(new Set([mac(1), '33:33:00:00:00:ab', mac(2)]))
  await host.neighbors.deleteMany(many)
  expect(await addresses()).toEqual([])
  const again = await rejection(host.neighbors.addMany([...many, { link: 'w0', mac: mac(3), state: 'static' }]))
  expect(again).toMatchObject({ failures: [{ index: 3, error: { errnoName: 'EINVAL' } }], done: [] })
  expect(await addresses()).toEqual([])
})

test('many of both sorts, and none of them if one is refused', async () => {
  const host = await lab()
  const macs = Array.from({ length: 1200 }, (_, i) => `52:54:01:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`)
  const entries = macs.map(mac => ({ link: 'v0', mac, master: true, state: 'static' as const }))
  const count = async (): Promise<number> =>
    (await fdbOfBridge(host, 'br', 'br0')).filter(({ mac }) => String(mac).startsWith('52:54:01')).length
  await host.neighbors.addMany([...entries, { link: 'w0', ip: '10.0.0.1', lladdr: mac(1) }])
  expect(await count()).toBe(1200)
  await host.neighbors.deleteMany(entries)
  expect(await count()).toBe(0)

  await host.neighbors.add({ ...entries[700] as typeof entries[0] })
  const refused = await rejection(host.neighbors.addMany(entries))
  expect(refused).toMatchObject({ code: 'ERR_BULK', failures: [{ index: 700, error: { errnoName: 'EEXIST' } }] })
  expect(await count()).toBe(1)
  const some = await rejection(host.neighbors.addMany([...entries, { link: 'nowhere', mac: mac(1) }], { atomic: false }))
  expect(some).toMatchObject({ code: 'ERR_BULK', failures: [{ index: 700 }, { index: 1200, error: { code: 'ERR_NO_LINK' } }] })
  expect(await count()).toBe(1200)
})

const bad: [string, unknown, string][] = [
  ['nothing', undefined, 'neighbor: expected an object'],
  ['neither ip nor mac', { link: 'v0' }, 'neighbor: expected an entry with ip'],
  ['no link', { ip: '10.0.0.1', lladdr: mac(1) }, 'link: expected an interface name'],
  ['a prefix', { link: 'v0', ip: '10.0.0.0/8' }, 'ip: expected an IPv4 or IPv6 address'],
  ['a short MAC address', { link: 'v0', ip: '10.0.0.1', lladdr: '52:54:00' }, 'lladdr: expected a MAC address'],
  ['a misspelled state', { link: 'v0', ip: '10.0.0.1', state: 'permament' }, 'did you mean "permanent"?'],
  ['a misspelled option', { link: 'v0', ip: '10.0.0.1', lladr: mac(1) }, 'did you mean "lladdr"?'],
  ['an address for a proxy', { link: 'v0', ip: '10.0.0.1', proxy: true, lladdr: mac(1) }, 'lladdr: expected nothing in a proxy entry'],
  ['a switch that is text', { link: 'v0', ip: '10.0.0.1', router: 'yes' }, 'router: expected true or false'],
  ['a MAC address of 5 bytes', { link: 'v0', mac: '52:54:00:00:00' }, 'mac: expected a MAC address'],
  ['an IP address as MAC', { link: 'v0', mac: '10.0.0.1' }, 'mac: expected a MAC address'],
  ['a VLAN of 4095', { link: 'v0', mac: mac(1), vlan: 4095 }, 'vlan: expected a VLAN id from 1 to 4094'],
  ['a VNI of 25 bits', { link: 'v0', mac: mac(1), vni: 1 << 24 }, 'vni: expected an integer from 0 to 16777215'],
  ['a port of 17 bits', { link: 'v0', mac: mac(1), port: 65_536 }, 'port: expected an integer from 0 to 65535'],
  ['a remote end that is a name', { link: 'v0', mac: mac(1), dst: 'there' }, 'dst: expected an IPv4 or IPv6 address'],
  ['a state of ARP in a bridge', { link: 'v0', mac: mac(1), state: 'reachable' }, 'state: expected one of permanent, static, dynamic, local'],
  ['a nexthop and an address', { link: 'v0', mac: mac(1), nexthopId: 1, dst: '10.0.0.1' }, 'nexthopId: expected no dst'],
  ['a link that is an object', { link: {}, mac: mac(1) }, 'link: expected an interface name'],
  ['a via that is no name', { link: 'v0', mac: mac(1), via: '' }, 'via: expected an interface name'],
  ['a protocol of 9 bits', { link: 'v0', mac: mac(1), protocol: 256 }, 'protocol: expected one of'],
]
test.each(bad)('refused before anything is sent: %s', async (_, entry, message) => {
  const host = await newHost()
  for (const verb of ['add', 'replace'] as const) {
    const error = await rejection(host.neighbors[verb](entry as never)) as Error
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(error.message).toContain(message)
  }
  const error = await rejection(host.neighbors.addMany([{ link: 'lo', mac: mac(1) }, entry as never])) as Error
  expect(error.message).toContain(`neighbors[1]${message.startsWith('neighbor:') || !message.includes(':') ? '' : `.${message.split(' ')[0] ?? ''}`}`)
})

test('what filters and lookups refuse', async () => {
  const host = await newHost()
  const cases: [() => Promise<unknown>, string][] = [
    [() => host.neighbors.list({ family: 5 } as never), 'family: expected 4, 6 or '],
    [() => host.neighbors.list({ lnk: 'v0' } as never), 'did you mean "link"?'],
    [() => host.neighbors.list({ state: 'stal' } as never), 'did you mean "stale"?'],
    [() => host.neighbors.list(null as never), 'filter: expected an object'],
    [() => host.neighbors.get({ mac: mac(1) }), 'link: expected either a link or a bridge'],
    [() => host.neighbors.get({ mac: mac(1), link: 'v0', bridge: 'br0' }), 'link: expected either a link or a bridge'],
    [() => host.neighbors.flush({ family: 'bridge' }), 'master: expected a bridge, or a port as link'],
    [() => host.neighbors.flush({ family: 'bridge', link: 'v0', state: [] }), 'state: expected at least one state'],
    [() => host.neighbors.flush({ family: 'bridge', link: 'v0', vln: 3 } as never), 'did you mean "vlan"?'],
    [() => host.neighbors.append({ link: 'v0', ip: '10.0.0.1' } as never), 'ip: expected nothing'],
    [() => host.neighbors.delete({ link: 'v0', mac: mac(1), stat: 'static' } as never), 'did you mean "state"?'],
  ]
  for (const [attempt, message] of cases) {
    const error = await rejection(attempt()) as Error
    expect(error, message).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(error.message).toContain(message)
  }
  const absent = [() => host.neighbors.list({ link: 'none' }), ...[{ link: 'none' }, { link: 4711 }, { link: 'lo', via: 'none' }]
    .map(links => () => host.neighbors.add({ ...links, mac: mac(1) }))]
  for (const attempt of absent) {
    expect(await rejection(attempt())).toMatchObject({ code: 'ERR_NO_LINK' })
  }
})

test('FDB: what is no port of a bridge has no entries in one', async () => {
  const host = await newHost()
  await host.links.create({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1' } } })
  const entry = { link: 'v0', mac: '52:54:00:00:00:01', master: true }
  const refused = { code: 'ERR_INVALID_ARGUMENT', field: 'link', message: expect.stringContaining('a port of a bridge, with master; v0 is none') as string }
  expect(await rejection(host.neighbors.add(entry))).toMatchObject(refused)
  expect(await rejection(host.neighbors.addMany([entry]))).toMatchObject({ failures: [{ index: 0, error: refused }] })
})
