/** Links of every kind, and every option that ip shows. */
import { closeSync, openSync } from 'node:fs'
import { expect } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import type { LinkSpec } from '../../src/host/links.ts'
import { bridgeJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { ipLink, ipLinks, newHost, rejection } from './support.ts'

const { test } = needing(needs.kernel('bridge'), needs.kernel('veth'))
const withTap = needing(needs.kernel('tap')).test

test('a bridge with all that ip can show of it', async () => {
  const host = await newHost()
  const link = await host.links.create({
    name: 'br0', kind: 'bridge', mac: '52:54:00:12:34:56', mtu: 1400, up: true, group: 7, txQueueLen: 333, alias: 'of a test',
    bridge: {
      stp: true, forwardDelayMs: 4000, helloTimeMs: 3000, maxAgeMs: 10_000, ageingTimeMs: 60_000, priority: 4096,
      groupForwardMask: 16_384,
      groupAddress: '01:80:c2:00:00:05', multicastSnooping: true, multicastQuerier: true, multicastRouter: 2,
      multicastQueryIntervalMs: 20_000, multicastLastMemberCount: 3, multicastIgmpVersion: 3,
    },
  })
  expect(await ipLink(host, 'br0')).toMatchObject({
    ifname: 'br0', address: '52:54:00:12:34:56', mtu: 1400, group: '7', txqlen: 333, ifalias: 'of a test',
    linkinfo: { info_kind: 'bridge', info_data: {
      stp_state: 1, forward_delay: 400, hello_time: 300, max_age: 1000, ageing_time: 6000, priority: 4096,
      group_fwd_mask: '0x4000',
      group_addr: '01:80:c2:00:00:05', mcast_snooping: 1, mcast_querier: 1, mcast_router: 2,
      mcast_query_intvl: 2000, mcast_last_member_cnt: 3, mcast_igmp_version: 3,
    } },
  })
  expect(link).toMatchObject({
    name: 'br0', kind: 'bridge', type: 'ether', mac: '52:54:00:12:34:56', mtu: 1400, up: true, alias: 'of a test', group: 7,
    bridge: { stp: true, forwardDelayMs: 4000, ageingTimeMs: 60_000, priority: 4096, groupForwardMask: 16_384 },
  })
  expect(link.flags).toContain('UP')
})

needing(needs.kernel('bridgeVlanFiltering')).test('a bridge that filters VLANs', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', bridge: {
    vlanFiltering: true, vlanProtocol: '802.1ad', vlanDefaultPvid: 5, vlanStatsEnabled: true,
  } })
  expect((await ipLink(host, 'br0')).linkinfo.info_data).toMatchObject({
    vlan_filtering: 1, vlan_protocol: '802.1ad', vlan_default_pvid: 5, vlan_stats_enabled: 1,
  })
})

test('a link is down unless asked for', async () => {
  const host = await newHost()
  expect(await host.links.create({ name: 'br0', kind: 'bridge' })).toMatchObject({ up: false })
  expect((await ipLink(host, 'br0'))['flags']).not.toContain('UP')
})

test('options of a bridge change one by one; the others stay', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', bridge: { priority: 8192, forwardDelayMs: 3000 } })
  const link = await host.links.set('br0', { up: true, mtu: 1300, bridge: { stp: true } })
  expect(link).toMatchObject({ up: true, mtu: 1300, bridge: { stp: true, priority: 8192, forwardDelayMs: 3000 } })
  expect((await ipLink(host, 'br0')).linkinfo.info_data).toMatchObject({ stp_state: 1, priority: 8192, forward_delay: 300 })
})

test('a veth pair with both ends here, one of them in a bridge', async () => {
  const host = await newHost()
  const bridge = await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  const link = await host.links.create({
    name: 'v0', kind: 'veth', master: 'br0', up: true, mac: '52:54:00:00:00:01',
    veth: { peer: { name: 'v1', mac: '52:54:00:00:00:02', mtu: 1450, up: true } },
  })
  expect(link).toMatchObject({ kind: 'veth', master: bridge.index, up: true })
  expect(await ipLink(host, 'v0')).toMatchObject({ master: 'br0', address: '52:54:00:00:00:01', link: 'v1', operstate: 'UP' })
  expect(await ipLink(host, 'v1')).toMatchObject({ address: '52:54:00:00:00:02', mtu: 1450, operstate: 'UP' })
})

test.each(['fd', 'path', 'name'] as const)('the peer of a veth is born in its own namespace, by %s', async way => {
  const [host, other] = [await newHost(), await newHost()]
  const path = `/proc/${process.pid}/fd/${other.netnsFd}`
  const name = `virbr-test-${process.pid}`
  if (way === 'name') {
    // `ip netns` names are in /run, which scripts/private keeps apart.
    await run('mkdir', ['-p', '/run/netns'])
    await run('touch', [`/run/netns/${name}`])
    await run('mount', ['--bind', path, `/run/netns/${name}`])
  }
  try {
    const netns = way === 'fd' ? other.netnsFd : way === 'path' ? path : name
    await host.links.create({ name: 'v0', kind: 'veth', up: true, veth: { peer: { name: 'eth0', netns, up: true } } })
    expect(await ipLinks(host)).toEqual(['lo', 'v0'])
    expect(await ipLinks(other)).toEqual(['eth0', 'lo'])
    expect(await ipLink(other, 'eth0')).toMatchObject({ operstate: 'UP' })
  } finally {
    if (way === 'name') {
      await run('umount', [`/run/netns/${name}`])
      await run('rm', [`/run/netns/${name}`])
    }
  }
})

test('a link born in, and moved to, another namespace', async () => {
  const [host, other] = [await newHost(), await newHost()]
  expect(await host.links.create({ name: 'br0', kind: 'bridge', netns: other.netnsFd, up: true })).toMatchObject({ name: 'br0', up: true })
  await host.links.create({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1' } } })
  expect(await host.links.set('v1', { netns: other.netnsFd })).toMatchObject({ name: 'v1' })
  expect(await ipLinks(host)).toEqual(['lo', 'v0'])
  expect(await ipLinks(other)).toEqual(['br0', 'lo', 'v1'])
})

withTap('a tap that stays, with all options', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  const link = await host.links.create({
    name: 'tap0', kind: 'tap', mac: 'fe:54:00:12:34:56', mtu: 1400, master: 'br0', up: true, alias: 'guest one',
    tap: { owner: 54321, group: 54322, vnetHeader: true, multiQueue: true },
  })
  expect(link.fds).toBeUndefined()
  expect(link).toMatchObject({ kind: 'tap', up: true, tap: { owner: 54321, group: 54322, vnetHeader: true, multiQueue: true, persist: true } })
  expect(await ipLink(host, 'tap0')).toMatchObject({
    address: 'fe:54:00:12:34:56', mtu: 1400, master: 'br0', ifalias: 'guest one',
    linkinfo: { info_data: { type: 'tap', user: 54321, group: 54322, vnet_hdr: true, multi_queue: true, persist: true } },
  })
})

withTap('a tap that does not stay brings its queues', async () => {
  const host = await newHost()
  const { fds = [] } = await host.links.create({ name: 'tap0', kind: 'tap', tap: { persist: false, queues: 2 } })
  expect(fds.length).toBe(2)
  expect((await ipLink(host, 'tap0')).linkinfo.info_data).toMatchObject({ persist: false, numqueues: 2 })
  for (const fd of fds) closeSync(fd)
  expect(await ipLinks(host)).toEqual(['lo'])
})

withTap('a tun, and a tap in another namespace', async () => {
  const [host, other] = [await newHost(), await newHost()]
  expect(await host.links.create({ name: 'tun0', kind: 'tun', tun: { owner: 5 } })).toMatchObject({ kind: 'tun', tun: { type: 'tun', owner: 5 } })
  await host.links.create({ name: 'tap0', kind: 'tap', netns: other.netnsFd })
  expect([await ipLinks(host), await ipLinks(other)]).toEqual([['lo', 'tun0'], ['lo', 'tap0']])
})

test('get by name and by index; ERR_NO_LINK', async () => {
  const host = await newHost()
  const { index } = await host.links.create({ name: 'br0', kind: 'bridge' })
  expect(await host.links.get(index)).toEqual(await host.links.get('br0'))
  expect(await host.links.get('lo')).toMatchObject({ index: 1, type: 'loopback', kind: undefined })
  for (const attempt of [host.links.get('none'), host.links.get(4711), host.links.delete('none'), host.links.set('none', { up: true }),
    host.addresses.add('none', '10.0.0.1/24'), host.links.create({ name: 'v0', kind: 'veth', master: 'none', veth: { peer: { name: 'v1' } } })]) {
    expect(await rejection(attempt)).toMatchObject({ code: 'ERR_NO_LINK' })
  }
  expect(await ipLinks(host)).toEqual(['br0', 'lo'])
})

withTap('lists, filtered in the kernel', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  await host.links.create({ name: 'v0', kind: 'veth', master: 'br0', veth: { peer: { name: 'v1' } } })
  await host.links.create({ name: 'tap0', kind: 'tap', master: 'br0' })
  const names = async (filter?: Parameters<Host['links']['list']>[0]): Promise<string[]> =>
    (await host.links.list(filter)).map(link => link.name).sort()
  expect(await names()).toEqual(await ipLinks(host))
  expect(await names({ kind: 'bridge' })).toEqual(['br0'])
  expect(await names({ kind: 'tap' })).toEqual(['tap0'])
  expect(await names({ master: 'br0' })).toEqual(['tap0', 'v0'])
  expect(await names({ master: 'br0', kind: 'veth' })).toEqual(['v0'])
  expect((await host.links.list({ statistics: false })).map(link => link.name).sort()).toEqual(await ipLinks(host))
  expect((await host.links.list())[0]?.statistics).toMatchObject({ rxPackets: 0 })
})

test('set: a new name, an alias, a master and none, down', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  const { index } = await host.links.create({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1' } } })
  expect(await host.links.set('v0', { name: 'uplink', master: 'br0', alias: 'to the world', up: true })).toMatchObject({ index, name: 'uplink' })
  expect(await ipLink(host, 'uplink')).toMatchObject({ master: 'br0', ifalias: 'to the world' })
  await host.links.set(index, { master: null, up: false, mac: '52:54:00:aa:bb:cc' })
  const now = await ipLink(host, 'uplink')
  expect(now['master']).toBeUndefined()
  expect(now).toMatchObject({ address: '52:54:00:aa:bb:cc', operstate: 'DOWN' })
})

test('options of a port, as bridge shows them', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  await host.links.create({ name: 'v0', kind: 'veth', master: 'br0', up: true, veth: { peer: { name: 'v1', up: true } } })
  const link = await host.links.set('v0', { port: {
    hairpin: true, isolated: true, learning: false, flood: false, multicastFlood: false, broadcastFlood: false, cost: 7, priority: 5,
    guard: true, rootBlock: true, fastLeave: true, neighSuppress: true,
  } })
  expect(link.port).toMatchObject({ hairpin: true, isolated: true, learning: false, cost: 7, priority: 5 })
  const ports = await bridgeJson(host.netnsFd, 'link', 'show', 'dev', 'v0')
  expect(ports[0]).toMatchObject({
    master: 'br0', hairpin: true, isolated: true, learning: false, flood: false, mcast_flood: false, bcast_flood: false,
    cost: 7, priority: 5, guard: true, root_block: true, fastleave: true, neigh_suppress: true,
  })
})

test('delete by name and by index; the peer of a veth goes too', async () => {
  const host = await newHost()
  await host.links.create({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1' } } })
  const { index } = await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  await host.links.delete('v1')
  await host.links.delete(index)
  expect(await ipLinks(host)).toEqual(['lo'])
})

const bad: [string, unknown, string | RegExp][] = [
  ['nothing', undefined, /spec: expected a link specification/],
  ['an unknown kind', { name: 'x', kind: 'brigde' }, /kind: expected one of .*; did you mean "bridge"\?/],
  ['no kind', { name: 'x' }, /kind: expected one of/],
  ['a misspelled field', { name: 'x', kind: 'bridge', mtuu: 1500 }, /mtuu: .*did you mean "mtu"\?/],
  ['a misspelled option', { name: 'x', kind: 'bridge', bridge: { forwardDelay: 2 } }, /did you mean "forwardDelayMs"\?/],
  ['a misspelled option of a peer', { name: 'x', kind: 'veth', veth: { peer: { name: 'y', mtuu: 3 } } }, /did you mean "mtu"\?/],
  ['options of another kind', { name: 'x', kind: 'bridge', veth: { peer: { name: 'y' } } }, /veth/],
  ['options of a bridge on a tap', { name: 'x', kind: 'tap', bridge: { stp: true } }, /bridge/],
  ['options of a tap on a bridge', { name: 'x', kind: 'bridge', tap: {} }, /tap/],
  ['no name', { kind: 'bridge' }, /name/],
  ['an empty name', { name: '', kind: 'bridge' }, /name: expected an interface name/],
  ['a name of 16 bytes', { name: 'a234567890123456', kind: 'bridge' }, /name: expected an interface name/],
  ['a name of 8 letters and 16 bytes', { name: 'ääääääää', kind: 'bridge' }, /name: expected an interface name/],
  ['a name with a slash', { name: 'a/b', kind: 'bridge' }, /name: expected an interface name/],
  ['a name with a space', { name: 'a b', kind: 'tap' }, /name: expected an interface name/],
  ['a name that is a pattern', { name: 'br%d', kind: 'bridge' }, /name: expected an interface name/],
  ['a name that is a pattern, of a tap', { name: 'tap%d', kind: 'tap' }, /name: expected an interface name/],
  ['a name ..', { name: '..', kind: 'bridge' }, /name: expected an interface name/],
  ['a short MAC address', { name: 'x', kind: 'bridge', mac: '52:54:00:12:34' }, /mac: expected a MAC address/],
  ['an MTU that is text', { name: 'x', kind: 'bridge', mtu: '1500' }, /mtu/],
  ['a negative MTU', { name: 'x', kind: 'tap', mtu: -1 }, /mtu/],
  ['an alias of 256 bytes', { name: 'x', kind: 'bridge', alias: 'a'.repeat(256) }, /alias: expected at most 255 bytes/],
  ['up that is no boolean', { name: 'x', kind: 'bridge', up: 1 }, /up: expected true or false/],
  ['a master that is no name', { name: 'x', kind: 'bridge', master: {} }, /master/],
  ['a namespace that is no name', { name: 'x', kind: 'bridge', netns: '' }, /netns/],
  ['an unknown option of a tap', { name: 'x', kind: 'tap', tap: { vnetHeadr: true } }, /vnetHeadr.*did you mean "vnetHeader"\?/],
  ['queues of a tap out of range', { name: 'x', kind: 'tap', tap: { queues: 0 } }, /queues/],
  ['an owner that is a name', { name: 'x', kind: 'tap', tap: { owner: 'root' } }, /owner/],
]
test.each(bad)('refused before anything is done: %s', async (_, spec, message) => {
  const host = await newHost()
  const error = await rejection(host.links.create(spec as LinkSpec)) as Error
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  expect(error.message).toMatch(message)
  expect(await ipLinks(host)).toEqual(['lo'])
})

test('what the kernel refuses leaves nothing, and says why', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  const fails: [LinkSpec, object][] = [
    [{ name: 'br0', kind: 'bridge' }, { code: 'ERR_NETLINK', errnoName: 'EEXIST' }],
    [{ name: 'x', kind: 'bridge', mtu: 70_000 }, { errnoName: 'EINVAL', kernelMessage: 'mtu greater than device maximum' }],
    [{ name: 'x', kind: 'bridge', mac: '01:00:00:00:00:01' }, { errnoName: 'EADDRNOTAVAIL' }],
    [{ name: 'x', kind: 'bridge', bridge: { helloTimeMs: 100_000 } }, { errnoName: 'ERANGE' }],
    // The second step fails: the peer is there already.
    [{ name: 'x', kind: 'veth', veth: { peer: { name: 'br0' } } }, { errnoName: 'EEXIST' }],
    [{ name: 'x', kind: 'bridge', master: 'lo' }, { code: 'ERR_INVALID_ARGUMENT', field: 'master' }],
  ]
  await allFail(host, fails)
})

needing(needs.kernel('tap')).test('what the kernel refuses of a tap leaves nothing, and says why', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  await allFail(host, [
    [{ name: 'br0', kind: 'tap' }, { code: 'ERR_NETLINK', message: expect.stringContaining('EEXIST') as string }],
    [{ name: 'x', kind: 'tap', mtu: 70_000 }, { errnoName: 'EINVAL' }],
    [{ name: 'x', kind: 'tap', mac: '01:00:00:00:00:01', tap: { persist: false } }, { errnoName: 'EADDRNOTAVAIL' }],
  ])
})

async function allFail(host: Host, fails: [LinkSpec, object][]): Promise<void> {
  for (const [spec, error] of fails) {
    expect(await rejection(host.links.create(spec)), JSON.stringify(spec)).toMatchObject(error)
    expect(await ipLinks(host), JSON.stringify(spec)).toEqual(['br0', 'lo'])
  }
}

test('a namespace that is not there: ERR_NO_NETNS, and nothing made', async () => {
  const host = await newHost()
  const fd = openSync('/dev/null', 'r')
  try {
    for (const netns of ['no-such-namespace', '/etc/hostname', fd]) {
      const attempt = host.links.create({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1', netns } } })
      expect(await rejection(attempt)).toMatchObject({ code: 'ERR_NO_NETNS' })
    }
  } finally {
    closeSync(fd)
  }
  expect(await ipLinks(host)).toEqual(['lo'])
})

test('a filter and a change that are none', async () => {
  const host = await newHost()
  expect(await rejection(host.links.list({ gruop: 5 } as never))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining('did you mean "group"?') as string })
  for (const change of [undefined, null, 5]) {
    expect(await rejection(host.links.set('lo', change as never))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'change' })
  }
})
