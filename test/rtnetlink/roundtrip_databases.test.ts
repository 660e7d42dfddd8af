/** Neighbours, forwarding and multicast databases, VLANs, traffic control: what is written is what is read, whatever it is. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Codec } from '../../src/netlink/codecs.ts'
import { decodeFdbEntry, newFdbEntry } from '../../src/rtnetlink/fdb.ts'
import type { FdbSpec } from '../../src/rtnetlink/fdb.ts'
import { decodeMdb, listMdb, newMdbEntry } from '../../src/rtnetlink/mdb.ts'
import type { MdbSpec } from '../../src/rtnetlink/mdb.ts'
import type { RouteProtocol } from '../../src/rtnetlink/names.ts'
import { decodeNeighbor, newNeighbor } from '../../src/rtnetlink/neighbors.ts'
import type { NeighborSpec, NeighborState } from '../../src/rtnetlink/neighbors.ts'
import type { Action, Verdict } from '../../src/rtnetlink/tc/actions.ts'
import { decodeClass, newClass } from '../../src/rtnetlink/tc/classes.ts'
import type { HtbClass } from '../../src/rtnetlink/tc/classes.ts'
import { decodeFilter, newFilter } from '../../src/rtnetlink/tc/filters.ts'
import type { FilterSpec } from '../../src/rtnetlink/tc/filters.ts'
import { decodeQdisc, newQdisc } from '../../src/rtnetlink/tc/qdiscs.ts'
import type { QdiscSpec } from '../../src/rtnetlink/tc/qdiscs.ts'
import { addVlans, decodeVlans, deleteVlans, setVlan } from '../../src/rtnetlink/vlans.ts'
import type { VlanOptions, VlanSpec } from '../../src/rtnetlink/vlans.ts'
import { decode, encode } from '../netlink/support.ts'
import { anyMac, anyU32, reflected } from './support.ts'

const index = fc.integer({ min: 1, max: 0x7fffffff })
const v4 = fc.ipV4()
const v6 = fc.constantFrom('fe80::1', 'fd00::7', '2001:db8::1:2', '::1')
const bit = fc.boolean()
const protocol = fc.constantFrom<RouteProtocol[]>('static', 'zebra', 77)
const vid = fc.integer({ min: 1, max: 4094 })
const vni = fc.nat(0xffffff)
const port = fc.integer({ min: 1, max: 0xffff })

/** Names of the switches that are on, as records have them. */
const on = (spec: object, names: Record<string, string>): string[] =>
  Object.entries(names).filter(([name]) => (spec as Record<string, unknown>)[name] === true).map(([, flag]) => flag).sort()

test('any neighbour', () => {
  const flags = { router: 'router', externLearn: 'extern_learn', use: 'use', managed: 'managed', proxy: 'proxy' }
  const lasting: fc.Arbitrary<NeighborSpec> = fc.record({
    ip: fc.oneof(v4, v6), lladdr: fc.oneof(anyMac, v4, v6),
    state: fc.constantFrom<NeighborState[]>('permanent', 'noarp', 'stale', 'reachable', 'delay', 'probe', 'failed', 'incomplete', 'none'),
    router: bit, externLearn: bit, use: bit, managed: bit, protocol,
  }, { requiredKeys: ['ip'] })
  const proxies: fc.Arbitrary<NeighborSpec> = fc.record({ ip: fc.oneof(v4, v6), proxy: fc.constant(true) })
  fc.assert(fc.property(index, fc.oneof(lasting, proxies), (link, wanted) => {
    const shown = decodeNeighbor(reflected(newNeighbor(link, wanted)))
    const { ip, lladdr, state = wanted.managed === true ? 'none' : 'permanent' } = wanted
    expect(shown).toMatchObject({ index: link, family: ip.includes(':') ? 6 : 4, ip, lladdr, state, protocol: wanted.protocol })
    expect([...shown.flags].sort()).toEqual(on(wanted, flags))
  }))
})

test('any entry of a forwarding database', () => {
  const flags = { self: 'self', master: 'master', sticky: 'sticky', externLearn: 'extern_learn', router: 'router', use: 'use' }
  const state = fc.constantFrom('permanent' as const, 'static' as const, 'dynamic' as const)
  const place = { master: bit, self: bit, vlan: vid }
  const more = { state, sticky: bit, externLearn: bit, router: bit, use: bit, protocol }
  const specs: fc.Arbitrary<FdbSpec> = fc.oneof<fc.Arbitrary<FdbSpec>[]>(
    fc.record({ mac: anyMac, ...place, ...more, noRefresh: bit }, { requiredKeys: ['mac'] }),
    fc.record({ mac: anyMac, ...more, dst: fc.oneof(v4, v6), port, vni, srcVni: vni, via: index }, { requiredKeys: ['mac'] }),
    fc.record({ mac: anyMac, ...more, nexthopId: index, srcVni: vni }, { requiredKeys: ['mac', 'nexthopId'] }),
    fc.record({ mac: anyMac, ...place, activityNotify: fc.constant(true), inactive: bit }, { requiredKeys: ['mac', 'activityNotify', 'inactive'] }),
  )
  fc.assert(fc.property(index, specs, (link, wanted) => {
    const shown = decodeFdbEntry(reflected(newFdbEntry(link, wanted)))
    const { master: _, self: __, sticky: ___, externLearn: ____, router: _____, use: ______, noRefresh, ...rest } = wanted
    expect(shown).toMatchObject({ family: 'bridge', index: link, state: 'permanent', ...rest })
    expect(shown.noRefresh ?? false).toBe(noRefresh ?? false)
    // Without either it is the link's own.
    const own = wanted.master === true ? {} : { self: true }
    expect([...shown.flags].sort()).toEqual(on({ ...wanted, ...own, ...(wanted.self === true ? { self: true } : {}) }, flags))
  }))
})

test('any VLANs of a port', () => {
  const range: fc.Arbitrary<VlanSpec> = fc.record({ vid, more: fc.nat(300), untagged: bit, pvid: bit, tunnelId: vni }, { requiredKeys: ['vid', 'more'] })
    .map(({ vid: from, more, pvid, ...rest }) => {
      const to = Math.min(from + more, 4094)
      return { ...rest, vid: from, to, ...(pvid === undefined ? {} : { pvid: pvid && to === from }) }
    })
  interface Wire { vlans: { vid: number, flags: number }[], tunnels?: { id: number, vid: number, flags: number }[] }
  /** linux/if_bridge.h, BRIDGE_VLAN_INFO_*. */
  const [pvidBit, untaggedBit, begin, end] = [2, 4, 8, 16]
  const spread = ({ vlans }: Wire): string[] => vlans.flatMap(({ vid: at, flags }, place) => {
    const bits = flags & (pvidBit | untaggedBit)
    if ((flags & begin) !== 0) return []
    const from = (flags & end) === 0 ? at : vlans[place - 1]?.vid ?? 0
    return Array.from({ length: at - from + 1 }, (_, i) => `${from + i} ${bits}`)
  })
  fc.assert(fc.property(index, fc.array(range, { minLength: 1, maxLength: 9 }), (link, ranges) => {
    for (const verb of [addVlans, deleteVlans]) {
      const { header, attributes } = reflected(verb(link, ranges))
      expect(header).toMatchObject({ family: 7, index: link })
      const spec = (attributes as { spec: Wire }).spec
      expect(spread(spec)).toEqual(ranges.flatMap(({ vid: from, to = from, pvid = false, untagged = false }) =>
        Array.from({ length: to - from + 1 }, (_, i) => `${from + i} ${(pvid ? pvidBit : 0) | (untagged ? untaggedBit : 0)}`)))
      const tunnels = ranges.filter(({ tunnelId }) => tunnelId !== undefined)
      expect(spec.tunnels?.filter(({ flags }) => flags !== end).map(({ id, vid: at }) => [id, at]) ?? [])
        .toEqual(tunnels.map(({ tunnelId, vid: at }) => [tunnelId, at]))
    }
  }))
})

test('any options of VLANs', () => {
  const options: fc.Arbitrary<VlanOptions> = fc.record({
    state: fc.constantFrom('disabled' as const, 'listening' as const, 'learning' as const, 'forwarding' as const, 'blocking' as const),
    multicastRouter: fc.nat(3), neighSuppress: bit, multicastMaxGroups: anyU32,
  }, { requiredKeys: [] }).filter(given => Object.keys(given).length > 0)
  fc.assert(fc.property(index, vid, fc.nat(100), options, (link, from, more, wanted) => {
    const to = Math.min(from + more, 4094)
    expect(decodeVlans(reflected(setVlan(link, { vid: from, to }, wanted)))).toMatchObject([
      { index: link, vid: from, to: to === from ? undefined : to, pvid: false, untagged: false, ...wanted },
    ])
  }))
})

const group4 = fc.tuple(fc.integer({ min: 224, max: 239 }), fc.nat(255), fc.nat(255), fc.nat(255)).map(parts => parts.join('.'))
const group6 = fc.constantFrom('ff05::1', 'ff02::1:ff00:1')
const groupMac = anyMac.map(mac => `01${mac.slice(2)}`)

test('any group to add', () => {
  const common = { port: index, vlan: vid, state: fc.constantFrom('temp' as const, 'permanent' as const) }
  const sourced = { ...common, filterMode: fc.constantFrom('include' as const, 'exclude' as const), protocol }
  const required = { requiredKeys: ['port' as const, 'group' as const] }
  const specs: fc.Arbitrary<MdbSpec> = fc.oneof<fc.Arbitrary<MdbSpec>[]>(
    fc.record({ ...sourced, group: group4, source: v4, sources: fc.array(v4, { minLength: 1, maxLength: 5 }) }, required),
    fc.record({ ...sourced, group: group6, source: v6, sources: fc.array(v6, { minLength: 1, maxLength: 5 }) }, required),
    fc.record({ ...common, group: groupMac }, required),
  )
  fc.assert(fc.property(index, specs, (bridge, wanted) => {
    const { header, attributes } = reflected(newMdbEntry(bridge, wanted))
    const { entry, more = {} } = attributes as { entry: Record<string, unknown>, more?: Record<string, unknown> }
    const { group, vlan = 0, state = 'temp', source, sources, filterMode } = wanted
    expect(header).toMatchObject({ family: 7, index: bridge })
    expect(entry).toMatchObject({ port: wanted.port, group, vlan, state })
    expect(more).toMatchObject({
      ...(source === undefined ? {} : { source }), ...(filterMode === undefined ? {} : { filterMode }),
      ...(sources === undefined ? {} : { sources: sources.map(address => ({ address })) }),
    })
    expect('protocol' in more).toBe(wanted.protocol !== undefined)
  }))
})

test('any multicast database that the kernel shows', () => {
  const timer = fc.nat(0xffffffff).map(count => count * 10)
  const entry = fc.record({
    header: fc.record({
      port: index, state: fc.constantFrom('temp', 'permanent'), flags: fc.nat(31), vlan: fc.nat(4094), group: fc.oneof(group4, group6, groupMac),
    }),
    attributes: fc.record({
      timerMs: timer, sources: fc.array(fc.record({ address: fc.oneof(v4, v6), timerMs: timer }), { maxLength: 4 }),
      filterMode: fc.constantFrom('include', 'exclude'), source: fc.oneof(v4, v6), protocol: fc.integer({ min: 1, max: 255 }),
    }, { requiredKeys: [] }),
  })
  const router = fc.record({
    header: fc.record({ port: index }),
    attributes: fc.record({ timerMs: timer, type: fc.constantFrom('temp', 'permanent', 'query', 'disabled') }),
  })
  const table = listMdb().reply?.attributes as Codec<object>
  const lists = fc.array(fc.array(entry, { minLength: 1, maxLength: 4 }), { maxLength: 4 })
  fc.assert(fc.property(index, lists, fc.array(router, { maxLength: 4 }), (bridge, groups, routers) => {
    const message = { header: { index: bridge }, attributes: decode(table, encode<object>(table, { groups, routers })) }
    const shown = decodeMdb(message as unknown as Parameters<typeof decodeMdb>[0])
    expect(shown.routers).toMatchObject(routers.map(({ header, attributes: more }) => ({ bridge, ...header, ...more })))
    expect(shown.entries).toHaveLength(groups.flat().length)
    for (const [place, { header: { flags: _, vlan, ...header }, attributes }] of groups.flat().entries()) {
      const { timerMs, protocol: __, ...more } = attributes
      expect(shown.entries[place]).toMatchObject({
        bridge, ...header, ...more, vlan: vlan === 0 ? undefined : vlan, timerMs: timerMs === 0 ? undefined : timerMs,
      })
    }
  }))
})

const minor = fc.nat(0xffff)
const hex = (number: number): string => number.toString(16)
const handle = fc.tuple(fc.integer({ min: 1, max: 0xfffe }), minor).map(([major, second]) => `${hex(major)}:${second === 0 ? '' : hex(second)}`)
const qdiscHandle = fc.integer({ min: 1, max: 0xfffe }).map(major => `${hex(major)}:`)
const rate = fc.oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 20_000_000_000 }))
const size = fc.integer({ min: 1, max: 1 << 24 })

/** The kernel counts time in ticks of 64 ns, of whole microseconds: what passes in one is as close as a size can be told. */
function expectSize(shown: number | undefined, wanted: number, perSecond: number): void {
  // More time than 32 bits of ticks hold, 274 s, is cut off.
  const told = Math.min(wanted, perSecond * (0xffffffff / 15.625) / 1e6)
  expect(Math.abs((shown ?? 0) - told)).toBeLessThanOrEqual(perSecond * 1.1e-6 + 1)
}

test('any queueing discipline', () => {
  const place = { parent: fc.oneof(fc.constant('root'), handle), handle: qdiscHandle }
  const micros = fc.nat(0xffffffff).map(count => count / 1000)
  const specs: fc.Arbitrary<QdiscSpec> = fc.oneof<fc.Arbitrary<QdiscSpec>[]>(
    fc.record({ kind: fc.constant('htb' as const), ...place, htb: fc.record({ default: minor, r2q: anyU32, directQlen: anyU32 }) }),
    fc.record({ kind: fc.constant('sfq' as const), ...place, sfq: fc.record({
      perturbMs: fc.nat(1000).map(seconds => seconds * 1000), quantum: anyU32, limit: anyU32, divisor: anyU32, flows: anyU32,
      depth: anyU32, headDrop: bit,
    }) }),
    fc.record({ kind: fc.constant('fq_codel' as const), ...place, fq_codel: fc.record({
      limit: anyU32, flows: anyU32, quantum: anyU32, intervalMs: micros, targetMs: micros, ceThresholdMs: micros, ecn: bit,
      memoryLimit: anyU32, dropBatch: anyU32,
    }, { requiredKeys: ['limit'] }) }),
    fc.record({ kind: fc.constant('pfifo' as const), ...place, pfifo: fc.record({ limit: anyU32 }) }),
    fc.record({ kind: fc.constant('bfifo' as const), ...place, bfifo: fc.record({ limit: anyU32 }) }),
    fc.record({ kind: fc.constantFrom('ingress' as const, 'clsact' as const) }),
  )
  fc.assert(fc.property(index, specs, (link, wanted) => {
    const fixed = wanted.kind === 'ingress' || wanted.kind === 'clsact' ? { parent: 'ingress', handle: 'ffff:' } : {}
    expect(decodeQdisc(reflected(newQdisc(link, wanted)))).toMatchObject({ index: link, ...wanted, ...fixed })
  }))
  const peaks = fc.option(fc.tuple(rate, fc.integer({ min: 1, max: 100_000 })), { nil: undefined })
  fc.assert(fc.property(index, rate, size, anyU32, peaks, (link, perSecond, burst, limit, peak) => {
    const more = peak === undefined ? {} : { peakrate: peak[0], mtu: peak[1] }
    const { tbf } = decodeQdisc(reflected(newQdisc(link, { kind: 'tbf', tbf: { rate: perSecond, burst, limit, ...more } })))
    expect(tbf).toMatchObject({ rate: perSecond, limit, ...(peak === undefined ? {} : { peakrate: peak[0] }) })
    expectSize(tbf?.burst, burst, Math.min(perSecond, 0xffffffff))
    if (peak !== undefined) expectSize(tbf?.mtu, peak[1], Math.min(peak[0], 0xffffffff))
  }))
})

test('any class', () => {
  const classes: fc.Arbitrary<HtbClass> = fc.record({
    rate, ceil: rate, burst: size, cburst: size, prio: fc.nat(7), quantum: anyU32, mtu: fc.integer({ min: 1, max: 0xffff }),
  }, { requiredKeys: ['rate'] })
  fc.assert(fc.property(index, handle, fc.oneof(fc.constant('root'), handle), classes, (link, classid, parent, wanted) => {
    const shown = decodeClass(reflected(newClass(link, { kind: 'htb', classid, parent, htb: wanted })))
    const { rate: low, ceil = low, prio = 0, quantum = 0, mtu: _, burst, cburst } = wanted
    expect(shown).toMatchObject({ index: link, kind: 'htb', classid, parent, htb: { rate: low, ceil, prio, quantum } })
    if (burst !== undefined) expectSize(shown.htb?.burst, burst, low)
    if (cburst !== undefined) expectSize(shown.htb?.cburst, cburst, ceil)
  }))
})

test('any filter', () => {
  const verdict = fc.constantFrom<Verdict[]>('ok', 'drop', 'pipe', 'reclassify', 'continue', 'stolen')
  const police = fc.record({
    rate, burst: size, mtu: fc.nat(0xffff), peakrate: rate, exceed: verdict, conform: verdict,
  }, { requiredKeys: ['rate', 'burst'] })
  const action: fc.Arbitrary<Action> = fc.oneof<fc.Arbitrary<Action>[]>(
    fc.record({ kind: fc.constant('gact' as const), action: verdict }),
    fc.record({
      kind: fc.constant('mirred' as const), action: fc.constantFrom('redirect' as const, 'mirror' as const),
      direction: fc.constantFrom('egress' as const, 'ingress' as const), index,
    }),
    police.map(given => ({ kind: 'police' as const, ...given })),
  )
  const options = { classid: handle, actions: fc.array(action, { minLength: 1, maxLength: 4 }) }
  const key = fc.record({ value: anyU32, mask: anyU32, at: fc.nat(100).map(words => words * 4) })
  const keys = fc.array(key, { minLength: 1, maxLength: 128 })
  const place = {
    parent: fc.oneof(fc.constantFrom('ingress', 'egress'), handle), prio: port, chain: anyU32,
    protocol: fc.constantFrom<NonNullable<FilterSpec['protocol']>[]>('all', 'ip', 'ipv6', 'arp', 0x88a8),
  }
  const required = { requiredKeys: [] as never[] }
  const specs: fc.Arbitrary<FilterSpec> = fc.oneof<fc.Arbitrary<FilterSpec>[]>(
    fc.record({ kind: fc.constant('u32' as const), ...place, u32: fc.record({ ...options, match: keys, police }, required) }),
    fc.record({ kind: fc.constant('fw' as const), ...place, handle: anyU32, fw: fc.record({ ...options, mask: anyU32, police }, required) }),
    fc.record({ kind: fc.constant('matchall' as const), ...place, matchall: fc.record(options, required) }),
    fc.record({ kind: fc.constant('basic' as const), ...place, basic: fc.record({ ...options, police }, required) }),
  )
  /** Sizes are compared by themselves. */
  const sizeless = (given: object): object => Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'burst'))
  fc.assert(fc.property(index, specs, (link, wanted) => {
    const shown = decodeFilter(reflected(newFilter(link, wanted)))
    const { kind, parent, protocol: type, prio, chain, handle: mark } = wanted
    const { classid, actions, police: limits, ...rest } = wanted[kind] as NonNullable<FilterSpec['u32'] & FilterSpec['fw']>
    const more = mark === undefined ? rest : { ...rest, handle: mark }
    expect(shown).toMatchObject({ index: link, kind, parent, protocol: type, prio, chain, classid, ...more })
    if (limits !== undefined) {
      expect(shown?.police).toMatchObject(sizeless(limits))
      expectSize(shown?.police?.burst, limits.burst ?? 0, limits.rate ?? 0)
    }
    expect(shown?.actions).toEqual(actions?.map(given => expect.objectContaining(sizeless(given)) as object))
  }))
})
