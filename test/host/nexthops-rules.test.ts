/** Nexthop objects and policy rules, as ip shows them and as packets take them. */
import { expect } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import type { NexthopSpec } from '../../src/host/nexthops.ts'
import type { RuleSpec } from '../../src/rtnetlink/rules.ts'
import { ipJson, run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const nexthops = needing(needs.netAdmin, needs.tool('ip'), needs.kernel('bridge'), needs.kernel('nexthops'))
const rules = needing(needs.netAdmin, needs.tool('ip'), needs.kernel('bridge'), needs.kernel('policyRouting'))
const newRules = needing(needs.netAdmin, needs.kernel('bridge'), needs.kernel('policyRouting'), needs.kernelRelease(6, 15))

/** A Host with a bridge br0, 10.0.0.1/24 and fd00::1/64. */
async function withBridge(): Promise<Host> {
  const host = await newHost()
  // Blackholes stand on lo.
  await host.links.set('lo', { up: true })
  await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  await host.addresses.add('br0', '10.0.0.1/24')
  return host
}

const ipNexthops = (host: Host, ...args: string[]): Promise<Json[]> => ipJson(host.netnsFd, 'nexthop', 'show', ...args)

nexthops.test('nexthops of every kind, as ip shows them', async () => {
  const host = await withBridge()
  const { index } = await host.links.get('br0')
  expect(await host.nexthops.add({ id: 1, via: '10.0.0.2', link: 'br0', protocol: 'bgp' })).toMatchObject({
    id: 1, family: 4, via: '10.0.0.2', index, blackhole: false, protocol: 'bgp', scope: 'link', flags: [],
  })
  await host.nexthops.add({ id: 2, via: '172.16.0.1', link: 'br0', onLink: true })
  await host.nexthops.add({ id: 3, blackhole: true })
  await host.nexthops.add({ id: 4, link: 'br0', encap: { type: 'ip', id: 7, dst: '10.0.0.9' } })
  await host.nexthops.add({ id: 10, group: [{ id: 1 }, { id: 2, weight: 5 }] })
  await host.nexthops.add({
    id: 11, group: [{ id: 1, weight: 3 }, { id: 2 }], groupType: 'resilient',
    resilient: { buckets: 8, idleTimerMs: 10_000, unbalancedTimerMs: 20_000 },
  })
  // ip writes the tunnel's id under the name of the nexthop's own.
  expect(await ipNexthops(host)).toMatchObject([
    { id: 1, gateway: '10.0.0.2', dev: 'br0', protocol: 'bgp' }, { id: 2, gateway: '172.16.0.1', flags: ['onlink'] },
    { id: 3, blackhole: null }, { id: 7, encap: 'ip', dev: 'br0' }, { id: 10, group: [{ id: 1 }, { id: 2, weight: 5 }] },
    { id: 11, type: 'resilient', resilient_args: { buckets: 8, idle_timer: 10, unbalanced_timer: 20 } },
  ])
  const listed = await host.nexthops.list()
  expect(listed).toMatchObject([
    { id: 1, protocol: 'bgp' }, { id: 2, flags: ['onlink'] }, { id: 3, blackhole: true }, { id: 4, encap: { type: 'ip', id: 7, dst: '10.0.0.9' } },
    { id: 10, group: [{ id: 1, weight: 1 }, { id: 2, weight: 5 }], groupType: 'mpath' },
    { id: 11, groupType: 'resilient', resilient: { buckets: 8, idleTimerMs: 10_000, unbalancedTimerMs: 20_000 } },
  ])
  const buckets = await host.nexthops.buckets({ id: 11 })
  expect(buckets.map(({ bucket }) => bucket)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(buckets.filter(({ nexthopId }) => nexthopId === 1)).toHaveLength(6)
  expect(await host.nexthops.buckets({ id: 11, nexthopId: 2 })).toHaveLength(2)
  const shown = (await host.nexthops.list({ groups: true })).map(({ id }) => id)
  expect(shown).toEqual([10, 11])
  expect((await host.nexthops.list({ link: 'br0' })).map(({ id }) => id)).toEqual([1, 2, 4])
  expect((await host.nexthops.list({ protocol: 'bgp' })).map(({ id }) => id)).toEqual([1])
  expect(await host.nexthops.get(10, { statistics: true })).toMatchObject({ id: 10, group: [{ id: 1 }, { id: 2 }] })
})

nexthops.test('nexthops for FDB entries; an id of the kernel’s own choice', async () => {
  const host = await withBridge()
  const { id } = await host.nexthops.add({ via: '10.0.0.7', fdb: true })
  expect(id).toBeGreaterThan(0)
  await host.nexthops.add({ id: 77, group: [{ id }], fdb: true })
  expect((await host.nexthops.list({ fdb: true })).map(nexthop => nexthop.id)).toEqual([77, id].sort((a, b) => a - b))
  expect(await ipNexthops(host, 'fdb')).toHaveLength(2)
})

nexthops.test('routes by a nexthop: replacing it moves them all, deleting it takes them away', async () => {
  const host = await withBridge()
  await host.nexthops.add({ id: 5, via: '10.0.0.2', link: 'br0' })
  await host.routes.add({ to: '10.5.0.0/16', nexthopId: 5 })
  await host.routes.add({ to: '10.6.0.0/16', nexthopId: 5, metric: 7 })
  const routes = (await host.routes.list({ nexthopId: 5 })).map(({ to, via }) => [to, via])
  expect(routes).toEqual([['10.5.0.0/16', '10.0.0.2'], ['10.6.0.0/16', '10.0.0.2']])
  await host.nexthops.replace({ id: 5, via: '10.0.0.3', link: 'br0' })
  expect(await run('ip', ['route', 'get', '10.6.1.1'], { netns: host.netnsFd })).toContain('via 10.0.0.3')
  expect(await rejection(host.nexthops.add({ id: 5, via: '10.0.0.3', link: 'br0' }))).toMatchObject({ errnoName: 'EEXIST' })
  await host.nexthops.delete(5)
  expect(await host.routes.list({ nexthopId: 5 })).toEqual([])
  expect(await rejection(host.nexthops.get(5))).toMatchObject({ errnoName: 'ENOENT' })
  expect(await rejection(host.nexthops.delete(5))).toMatchObject({ errnoName: 'ENOENT' })
})

nexthops.test('many nexthops: all or none, each error its own; flush', async () => {
  const host = await withBridge()
  const many = Array.from({ length: 300 }, (_, i): NexthopSpec => ({ id: i + 1, via: `10.0.0.${2 + i % 200}`, link: 'br0' }))
  await host.nexthops.addMany([...many, { id: 1000, group: [{ id: 1 }, { id: 2 }] }])
  expect(await host.nexthops.list()).toHaveLength(301)
  const failed = await rejection(host.nexthops.addMany([{ id: 2000, blackhole: true }, { id: 1, blackhole: true }]))
  expect(failed).toMatchObject({ code: 'ERR_BULK', failures: [{ index: 1, error: { errnoName: 'EEXIST' } }], done: [] })
  expect(await host.nexthops.list()).toHaveLength(301)
  const twice = host.nexthops.addMany([{ id: 7, blackhole: true }, { id: 7, blackhole: true }])
  expect(await rejection(twice)).toMatchObject({ field: 'nexthops[1].id' })
  expect(await rejection(host.nexthops.addMany([{ blackhole: true }]))).toMatchObject({ field: 'nexthops[0].id' })
  await host.nexthops.deleteMany([1, 2])
  expect(await host.nexthops.flush()).toBe(298)
  expect(await ipNexthops(host)).toEqual([])
})

nexthops.test.each<[unknown, string]>([
  [{ id: 0, blackhole: true }, 'id'], [{ id: 1 }, 'via'], [{ id: 1, via: '10.0.0.2' }, 'link'], [{ id: 1, group: [] }, 'group'],
  [{ id: 1, group: [{ id: 2 }, { id: 2 }] }, 'group[1].id'], [{ id: 1, group: [{ id: 2, weight: 0 }] }, 'group[0].weight'],
  [{ id: 1, group: [{ id: 2 }], via: '10.0.0.2' }, 'via'], [{ id: 1, blackhole: true, link: 'br0' }, 'link'], [{ id: 1, blackhol: true }, 'blackhol'],
  [{ id: 1, group: [{ id: 2 }], groupType: 'resilient' }, 'resilient.buckets'], [{ id: 1, blackhole: true, resilient: {} }, 'resilient'],
  [{ id: 1, via: 'here', link: 'br0' }, 'via'], [{ id: 1, link: 'br0', onLink: true }, 'onLink'], [{ id: 1, via: '10.0.0.2', fdb: true, link: 'br0' }, 'link'],
])('the nexthop %j is refused before anything is sent', async (spec, field) => {
  const host = await withBridge()
  expect(await rejection(host.nexthops.add(spec as NexthopSpec))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
})

const ipRules = async (host: Host, family: '-4' | '-6' = '-4'): Promise<Json[]> =>
  (await ipJson(host.netnsFd, family, 'rule')).filter(rule => rule['protocol'] !== 'kernel')

rules.test('rules with every selector and action, as ip shows them', async () => {
  const host = await withBridge()
  const all: RuleSpec[] = [
    { priority: 100, from: '10.1.0.0/16', to: '10.2.0.0/16', table: 1000, protocol: 'static' },
    { priority: 101, not: true, iif: 'br0', fwmark: 0x10, fwmask: 0xf0, table: 5 },
    { priority: 102, oif: 'later', action: 'unreachable' }, { priority: 103, action: 'goto', goto: 200, tos: 16 },
    { priority: 104, uidRange: [1000, 2000], ipProto: 'tcp', sport: 22, dport: [80, 90], action: 'prohibit' },
    { priority: 105, l3mdev: true }, { priority: 106, table: 'main', suppressPrefixLength: 0, suppressIfgroup: 7 },
    { priority: 107, tunId: 99, action: 'blackhole' }, { priority: 108, realms: { from: 3, to: 4 }, table: 'default' },
    { priority: 200, action: 'nop' },
  ]
  for (const rule of all) expect(await host.rules.add(rule)).toMatchObject({ priority: rule.priority })
  expect(await ipRules(host)).toMatchObject([
    { priority: 100, src: '10.1.0.0', srclen: 16, dst: '10.2.0.0', dstlen: 16, table: '1000', protocol: 'static' },
    { priority: 101, not: null, iif: 'br0', fwmark: '0x10', fwmask: '0xf0', table: '5' },
    { priority: 102, oif: 'later', oif_detached: null, action: 'unreachable' }, { priority: 103, goto: 200, tos: expect.anything() },
    { priority: 104, uid_start: 1000, uid_end: 2000, ipproto: 'tcp', sport: 22, dport_start: 80, dport_end: 90, action: 'prohibit' },
    { priority: 105, l3mdev: null }, { priority: 106, suppress_prefixlen: 0, suppress_ifgroup: '7' },
    { priority: 107, tun_id: 99, action: 'blackhole' }, { priority: 108, flow_from: '3', flow_to: '4', table: 'default' },
    { priority: 200 },
  ])
  const listed = await host.rules.list({ family: 4 })
  const wanted = all.map(({ tunId, table, ...rest }) => ({
    ...rest, ...(tunId === undefined ? {} : { tunId: BigInt(tunId) }),
    ...(table === undefined ? {} : { table: { main: 254, default: 253 }[String(table)] ?? table }),
  }))
  expect(listed.filter(({ protocol }) => protocol !== 'kernel')).toMatchObject(wanted)
  for (const rule of all) await host.rules.delete(rule)
  expect(await ipRules(host)).toEqual([])
})

rules.test('what ip adds is read; a priority of the kernel’s choice; twice is EEXIST', async () => {
  const host = await withBridge()
  const words = '-6 rule add from fd01::/16 ipproto udp dport 53 table 70000 pref 9'
  await run('ip', words.split(' '), { netns: host.netnsFd })
  expect(await host.rules.list({ family: 6, priority: 9 })).toMatchObject([
    { family: 6, from: 'fd01::/16', to: 'all', ipProto: 'udp', dport: 53, table: 70_000, not: false, action: 'table' },
  ])
  const { priority } = await host.rules.add({ from: '10.0.0.7', table: 7 })
  expect(priority).toBe(32_765)
  expect(await rejection(host.rules.add({ from: '10.0.0.7', table: 7, priority }))).toMatchObject({ errnoName: 'EEXIST' })
  expect(await rejection(host.rules.delete({ priority: 77 }))).toMatchObject({ errnoName: 'ENOENT' })
  expect((await host.rules.list({ from: '10.0.0.7/32' })).map(rule => rule.priority)).toEqual([priority])
})

rules.test('packets take the table that a rule says', async () => {
  const host = await withBridge()
  await host.routes.add({ to: 'default', via: '10.0.0.2' })
  await host.routes.add({ to: 'default', via: '10.0.0.3', table: 7 })
  await host.rules.add({ fwmark: 7, table: 7 })
  await host.rules.add({ ipProto: 'tcp', dport: 25, action: 'prohibit' })
  expect(await host.routes.get('192.0.2.1')).toMatchObject({ via: '10.0.0.2', table: 254 })
  expect(await host.routes.get('192.0.2.1', { mark: 7 })).toMatchObject({ via: '10.0.0.3', table: 7, mark: 7 })
  expect(await host.routes.get('192.0.2.1', { ipProto: 'tcp', dport: 443 })).toMatchObject({ via: '10.0.0.2' })
  expect(await rejection(host.routes.get('192.0.2.1', { ipProto: 'tcp', dport: 25 }))).toMatchObject({ errnoName: 'EACCES' })
})

rules.test('many rules: all or none; flush leaves the kernel’s own', async () => {
  const host = await withBridge()
  const many = Array.from({ length: 200 }, (_, i): RuleSpec => ({ priority: 1000 + i, from: `10.9.0.${i}`, table: 9 }))
  await host.rules.addMany(many)
  expect(await ipRules(host)).toHaveLength(200)
  expect(await rejection(host.rules.addMany([{ priority: 1, table: 5 }, many[0] as RuleSpec]))).toMatchObject({
    code: 'ERR_BULK', failures: [{ index: 1, error: { errnoName: 'EEXIST' } }], done: [],
  })
  expect(await ipRules(host)).toHaveLength(200)
  await host.rules.deleteMany(many.slice(0, 50))
  expect(await host.rules.flush({ table: 9 })).toBe(150)
  expect((await host.rules.list({ family: 4 })).map(({ priority }) => priority)).toEqual([0, 32_766, 32_767])
  expect(await host.rules.flush()).toBe(0)
})

newRules.test('selectors that only newer kernels have', async () => {
  const host = await withBridge()
  const all: RuleSpec[] = [
    { priority: 1, dscp: 10, table: 5 }, { priority: 2, dscp: 8, dscpMask: 56, table: 5 },
    { priority: 3, sport: 256, sportMask: 0xff00, table: 5 },
    { priority: 4, family: 6, flowLabel: 5, flowLabelMask: 0xf, table: 5 },
  ]
  for (const rule of all) expect(await host.rules.add(rule)).toMatchObject(rule)
  // What was asked of the kernel has left nothing.
  expect((await host.rules.list()).filter(({ action }) => action === 'nop')).toEqual([])
})

rules.test.each<[unknown, string]>([
  [{ from: '10.0.0.0/8', to: 'fd00::/8' }, 'to'], [{ from: '10.0.0.0/8', family: 6 }, 'family'], [{ from: 'here' }, 'from'],
  [{ table: 'mian' }, 'table'], [{ table: 0 }, 'table'], [{ tabel: 7 }, 'tabel'], [{ action: 'drop' }, 'action'], [{ action: 'goto' }, 'goto'],
  [{ goto: 5, priority: 9 }, 'goto'], [{ action: 'blackhole', table: 5 }, 'table'], [{ l3mdev: true, table: 5 }, 'table'],
  [{ sport: [9, 5] }, 'sport'], [{ dport: 70_000 }, 'dport'], [{ ipProto: 'tpc' }, 'ipProto'], [{ fwmask: 1 }, 'fwmask'], [{ tos: 3 }, 'tos'],
  [{ uidRange: [5] }, 'uidRange'], [{ suppressPrefixLength: 33 }, 'suppressPrefixLength'], [{ priority: -1 }, 'priority'], [{ iif: 'a/b' }, 'iif'],
  [{ family: 6, from: 'fd00::/8', realms: { to: 1 } }, 'realms'], [{ flowLabel: 3 }, 'flowLabel'], [{ not: 1 }, 'not'], [null, 'rule'],
])('the rule %j is refused before anything is sent', async (rule, field) => {
  const host = await withBridge()
  expect(await rejection(host.rules.add(rule as RuleSpec))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
})
