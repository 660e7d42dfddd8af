/** Whatever a Host and its parts are given, they answer, or reject with a VirbrError; and nothing hangs. */
import { expect } from 'vitest'
import { Host } from '../../src/host/host.ts'
import { netns } from '../../src/host/netns.ts'
import { Complaints, methodsOf, neverRight, someWrongValues, spoiled, wrongArguments, wrongValues } from '../support/hostile.ts'
import { needing, needs } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { newHost } from './support.ts'

const { test } = needing(needs.netAdmin, needs.kernel('bridge'))

const parts = [
  'links', 'addresses', 'routes', 'neighbors', 'rules', 'nexthops', 'vlans', 'mdb', 'qdiscs', 'classes', 'filters', 'bandwidth', 'sysctl',
  'firewall', 'iptables',
] as const

/** Protected in TypeScript. */
const internal = new Set(['send', 'dump'])

test('every method of every part, with wrong values for all of its arguments', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  const complaints = new Complaints()
  for (const part of parts) {
    for (const [name, method] of methodsOf(host[part]).filter(([name]) => !internal.has(name))) {
      for (const given of wrongArguments(someWrongValues, [])) await complaints.try(`${part}.${name}`, () => method(...given), given)
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)

test('a Host itself, and namespaces by name', async () => {
  const complaints = new Complaints()
  const host = await newHost()
  for (const given of wrongArguments(someWrongValues, [])) {
    await complaints.try('host.watch', () => host.watch(...given as [object]), given)
  }
  for (const given of wrongArguments([], [])) {
    // A name that is right would be one for all.
    if (typeof given[0] === 'string' && given[0] !== '' && !given[0].includes('\0')) continue
    await complaints.try('Host.open', () => Host.open(...given as []), given)
    for (const [name, method] of methodsOf(netns)) if (name !== 'list') await complaints.try(`netns.${name}`, () => method(...given), given)
  }
  for (const value of wrongValues) await complaints.try('Host.open', () => Host.open({ netns: value as number }), [value])
  expect(complaints.list).toEqual([])
})

const bulk = { atomic: true, signal: new AbortController().signal }
const place = { link: 'br0' }
const metrics = {
  mtu: 1400, advmss: 1300, window: 1, rttMs: 1, rttvarMs: 1, rtoMinMs: 1, ssthresh: 1, cwnd: 1, initcwnd: 1, initrwnd: 1, reordering: 1,
  hoplimit: 1, features: ['ecn'], quickack: true, congctl: 'cubic', fastopenNoCookie: true, lock: ['mtu'],
}
const route = {
  to: '10.0.0.0/8', link: 'br0', via: '10.0.0.1', source: '10.0.0.2', metric: 1, table: 'main', scope: 'global', type: 'unicast', protocol: 'boot',
  tos: 4, onLink: true, realms: { from: 1, to: 2 }, ...metrics,
}
const route6 = { to: 'fd00::/64', from: 'fd01::/64', link: 'br0', preference: 'high', expiresMs: 1000, family: 6 }
const encaps = [
  { type: 'ip', id: 1, dst: '10.0.0.1', src: '10.0.0.2', ttl: 1, tos: 4, flags: ['key'] }, { type: 'ip6', id: 1, dst: 'fd00::1', src: 'fd00::2', hoplimit: 1, tc: 4 },
  { type: 'mpls', labels: [16], ttl: 1 }, { type: 'seg6', mode: 'encap', segments: ['fd00::1'] }, { type: 'bpf', data: Uint8Array.of(1) },
]
const rule = {
  family: 4, priority: 5, not: true, from: '10.0.0.0/8', to: '11.0.0.0/8', iif: 'br0', oif: 'br0', fwmark: 1, fwmask: 1, tos: 4, uidRange: [1, 2],
  ipProto: 'tcp', sport: 80, dport: [1, 2], sportMask: 1, tunId: 1, table: 'main', suppressPrefixLength: 1, suppressIfgroup: 1, realms: { to: 1 }, protocol: 'boot',
}
const nexthop = { id: 1, via: '10.0.0.1', link: 'br0', onLink: true, protocol: 'boot' }
const neighbor = {
  link: 'br0', ip: '10.0.0.9', lladdr: '02:00:00:00:00:01', state: 'permanent', router: true, externLearn: true, use: true, protocol: 'boot',
}
const fdb = {
  link: 'p0', mac: '02:00:00:00:00:01', vlan: 1, master: true, state: 'static', sticky: true, externLearn: true, use: true, activityNotify: true, inactive: true,
  noRefresh: true, protocol: 'boot',
}
const group = { bridge: 'br0', port: 'p0', group: '239.1.1.1', vlan: 1, state: 'permanent', sources: ['10.0.0.1'], filterMode: 'include', protocol: 'boot' }
const address = {
  label: 'br0:1', broadcast: '10.0.0.255', scope: 'global', metric: 1, protocol: 5, noPrefixRoute: true, validLifetimeMs: 5000, preferredLifetimeMs: 1000,
}
const police = { rate: 1000, burst: 1000, mtu: 1500, peakrate: 2000, exceed: 'drop', conform: 'ok' }
const settings = {
  mac: '02:00:00:00:00:02', broadcast: 'ff:ff:ff:ff:ff:ff', mtu: 1400, up: true, promisc: true, allMulticast: true, multicast: true, arp: true, dynamic: true,
  trailers: true, group: 1, txQueueLen: 1, alias: 'a', gsoMaxSegs: 1, gsoMaxSize: 2000, groMaxSize: 2000, gsoIpv4MaxSize: 2000, groIpv4MaxSize: 2000,
  operState: 'up', linkMode: 'default', carrier: true, protoDown: true, protoDownReason: { mask: 1, value: 1 },
}

/** Of each method arguments that are right, with every field that it documents. */
const valid: Record<string, Record<string, readonly (readonly unknown[])[]>> = {
  links: {
    list: [[{ kind: 'bridge', master: 'br0', group: 1, up: true, type: 'ether', statistics: false, families: true }]],
    get: [['br0']],
    create: [
      [{ name: 'x', kind: 'dummy', index: 77, numTxQueues: 1, numRxQueues: 1, altNames: ['y'], ...settings }],
      [{ name: 'x', kind: 'veth', veth: { peer: { name: 'y', mac: '02:00:00:00:00:03', mtu: 1400, txQueueLen: 1, numTxQueues: 1, numRxQueues: 1, up: true } } }],
      [{ name: 'x', kind: 'veth', master: 'br0', port: { isolated: true } }],
      [{ name: 'x', kind: 'tap', tap: { owner: 0, group: 0, vnetHeader: true, queues: 1, multiQueue: true, persist: true } }],
    ],
    set: [['br0', { ...settings, name: 'br0', deleteAltNames: ['z'] }], ['p0', { port: { isolated: true } }]],
    statistics: [['br0']], vnis: [['br0', { statistics: true }]],
    addVnis: [['br0', [{ vni: 1, to: 2, remote: '10.0.0.1' }]]], deleteVnis: [['br0', [{ vni: 1, to: 2 }]]],
    delete: [['none']],
    createMany: [[[{ name: 'x', kind: 'dummy', master: 'br0', ...settings }], bulk]],
    deleteMany: [[['none'], bulk]],
    setMany: [[[{ link: 'br0', mtu: 1400 }], bulk]],
    index: [['br0']],
  },
  addresses: {
    list: [[{ link: 'br0', family: 4, type: 'unicast', scope: 'global', flags: ['permanent'], label: 'br0', to: '10.0.0.0/8', protocol: 5 }]],
    get: [['br0', '10.0.0.1/24']],
    add: [['br0', '10.0.0.1/24', address], ['br0', 'fd00::1/64', { noDad: true, optimistic: true, home: true, mngTmpAddr: true, autoJoin: true }]],
    replace: [['br0', '10.0.0.1/24', address], ['br0', '10.0.0.1/24', { peer: '10.0.0.2' }]],
    change: [['br0', 'fd00::1/64', { metric: 1, protocol: 5, noPrefixRoute: true, noDad: true, validLifetimeMs: 5000, preferredLifetimeMs: 1000 }]],
    delete: [['br0', '10.0.0.1/32', { peer: '10.0.0.2' }]],
    flush: [[{ link: 'br0', family: 4, scope: 'global', flags: ['permanent'], label: 'br0', to: '10.0.0.0/8', protocol: 5 }]],
    addMany: [[[{ link: 'br0', address: '10.0.0.1/24', ...address }], bulk]],
    deleteMany: [[[{ link: 'br0', address: '10.0.0.1/24' }], bulk]],
  },
  routes: {
    list: [[{
      table: 'main', link: 'br0', family: 4, protocol: 'boot', type: 'unicast', cache: false, to: '10.0.0.0/8', via: '10.0.0.1', source: '10.0.0.2', scope: 'global',
      metric: 1, tos: 4, nexthopId: 1,
    }], [{ root: '10.0.0.0/8' }], [{ match: '10.0.0.0/8' }]],
    get: [['10.0.0.9', { from: '10.0.0.1', iif: 'br0', oif: 'br0', mark: 1, tos: 4, uid: 1, ipProto: 'tcp', sport: 1, dport: 2, fibMatch: true }], ['10.0.0.9', { vrf: 'br0' }]],
    add: [
      [route], [route6], ...encaps.map(encap => [{ ...place, to: '10.0.0.0/8', encap }]), [{ to: '10.0.0.0/8', nexthopId: 1, ttlPropagate: true }],
      [{ to: '10.0.0.0/8', multipath: [{ link: 'br0', via: '10.0.0.1', weight: 1, onLink: true, pervasive: true, realms: { to: 1 }, encap: encaps[0] }, { link: 'br0' }] }],
    ],
    append: [[route]], prepend: [[route]], change: [[route]], replace: [[route]], delete: [[route]],
    flush: [[{ table: 'main', link: 'br0', family: 4, protocol: 'boot', type: 'unicast', to: '10.0.0.0/8', scope: 'global', metric: 1 }]],
    addMany: [[[route, route6], bulk]], replaceMany: [[[route], bulk]], deleteMany: [[[route], bulk]],
  },
  neighbors: {
    list: [[{ link: 'br0', master: 'br0', family: 4, proxy: true }], [{ state: ['permanent'] }], [{ family: 'bridge', link: 'p0', master: 'br0', vlan: 1, state: 'static' }]],
    get: [[{ link: 'br0', ip: '10.0.0.9', proxy: true }], [{ bridge: 'br0', mac: '02:00:00:00:00:01', vlan: 1, self: true }]],
    add: [[neighbor], [fdb]], replace: [[neighbor], [fdb]],
    append: [[{ link: 'br0', mac: '02:00:00:00:00:01', dst: '10.0.0.1', port: 1, vni: 1, srcVni: 1, via: 'br0', self: true }]],
    delete: [[{ link: 'br0', ip: '10.0.0.9', proxy: true }], [{ link: 'p0', mac: '02:00:00:00:00:01', vlan: 1, master: true }]],
    addMany: [[[neighbor, fdb], bulk]],
    deleteMany: [[[{ link: 'br0', ip: '10.0.0.9' }], { signal: bulk.signal }]],
    flush: [[{ link: 'br0', family: 4, state: 'stale' }], [{
      family: 'bridge', link: 'p0', master: 'br0', vlan: 1, state: 'static', sticky: true, externLearn: true, offload: true, addedByUser: true,
    }]],
  },
  rules: {
    list: [[{
      family: 4, priority: 1, table: 'main', action: 'table', protocol: 'boot', from: '10.0.0.0/8', to: 'all', iif: 'a', oif: 'b', fwmark: 1,
    }]],
    add: [[rule], [{ family: 6, dscp: 1, dscpMask: 1, flowLabel: 1, flowLabelMask: 1, l3mdev: true }], [{ goto: 9, priority: 1, action: 'goto' }]],
    delete: [[rule]],
    flush: [[{ family: 4, priority: 1, table: 'main', action: 'table', protocol: 'boot', from: '10.0.0.0/8' }]],
    addMany: [[[rule], bulk]], deleteMany: [[[rule], { signal: bulk.signal }]],
  },
  nexthops: {
    list: [[{ link: 'br0', master: 'br0', family: 4, protocol: 'boot' }], [{ groups: true, statistics: true }], [{ fdb: true }]],
    get: [[1, { statistics: true }]],
    add: [
      [nexthop], [{ id: 1, blackhole: true, family: 4 }], [{ id: 1, via: '10.0.0.1', fdb: true }], [{ ...nexthop, encap: encaps[0] }],
      [{ id: 9, group: [{ id: 1, weight: 1 }], groupType: 'resilient', resilient: { buckets: 8, idleTimerMs: 1000, unbalancedTimerMs: 1000 }, hardwareStatistics: true }],
    ],
    replace: [[nexthop]], delete: [[1]], flush: [[{ link: 'br0', master: 'br0', family: 4, protocol: 'boot' }]],
    buckets: [[{ link: 'br0', master: 'br0', id: 1, nexthopId: 1 }]],
    addMany: [[[nexthop], bulk]], deleteMany: [[[1], { signal: bulk.signal }]],
  },
  vlans: {
    list: [[{ link: 'br0', statistics: true }]],
    add: [['p0', [{ vid: 2, to: 3, pvid: false, untagged: true, tunnelId: 1 }], { self: true, master: true }], ['p0', { vid: 2 }]],
    delete: [['p0', [{ vid: 2, to: 3 }], { self: true, master: true }]],
    set: [['p0', { vid: 1, to: 2 }, { state: 'forwarding', multicastRouter: 1, neighSuppress: true, multicastMaxGroups: 1 }]],
    listGlobal: [[{ bridge: 'br0' }]],
    setGlobal: [['br0', { vid: 1, to: 2 }, {
      multicastSnooping: true, multicastQuerier: true, multicastIgmpVersion: 2, multicastMldVersion: 1, multicastLastMemberCount: 1,
      multicastLastMemberIntervalMs: 100, multicastStartupQueryCount: 1, multicastStartupQueryIntervalMs: 1000,
      multicastMembershipIntervalMs: 1000, multicastQuerierIntervalMs: 1000,
      multicastQueryIntervalMs: 1000, multicastQueryResponseIntervalMs: 1000, msti: 1,
    }]],
    listMst: [[{ link: 'p0' }]], setMst: [['p0', 1, 'forwarding']],
  },
  mdb: {
    list: [[{ bridge: 'br0', port: 'p0' }], [{ vxlan: 'br0' }]], routers: [[{ bridge: 'br0', port: 'p0' }]],
    get: [[{ bridge: 'br0', group: '239.1.1.1', vlan: 1, source: '10.0.0.1' }]],
    add: [[group], [{
      vxlan: 'br0', group: '239.1.1.1', sources: ['10.0.0.1'], filterMode: 'include', protocol: 'boot', srcVni: 1, dst: '10.0.0.1', dstPort: 1, vni: 1, via: 'br0',
    }]],
    replace: [[group]], delete: [[{ bridge: 'br0', port: 'p0', group: '239.1.1.1', vlan: 1, source: '10.0.0.1' }]],
    flush: [[{ bridge: 'br0', port: 'p0', vlan: 1, state: 'permanent', protocol: 'boot' }], [{ vxlan: 'br0', srcVni: 1, dst: '10.0.0.1', dstPort: 1, vni: 1, protocol: 'boot' }]],
  },
  qdiscs: {
    list: [[place]],
    add: [
      ['br0', { kind: 'htb', parent: 'root', handle: '1:', htb: { default: 2, r2q: 10, directQlen: 5 } }],
      ['br0', { kind: 'tbf', tbf: { rate: 1000, burst: 1000, limit: 1000, peakrate: 2000, mtu: 1500 } }], ['br0', { kind: 'tbf', tbf: { rate: 1000, burst: 1000, latencyMs: 5 } }],
      ['br0', { kind: 'sfq', sfq: { perturbMs: 1000, quantum: 1500, limit: 10, divisor: 128, flows: 5, depth: 5, headDrop: true } }],
      ['br0', { kind: 'pfifo', pfifo: { limit: 5 } }], ['br0', { kind: 'bfifo', bfifo: { limit: 5 } }], ['br0', { kind: 'ingress' }],
    ],
    replace: [['br0', { kind: 'pfifo', pfifo: { limit: 5 } }]], change: [['br0', { kind: 'pfifo', pfifo: { limit: 5 } }]],
    delete: [['br0', { kind: 'htb', parent: 'root', handle: '1:' }]],
  },
  classes: {
    list: [[{ link: 'br0', parent: '1:' }]],
    add: [['br0', { kind: 'htb', parent: '1:', classid: '1:1', htb: { rate: 1000, ceil: 2000, burst: 1000, cburst: 1000, prio: 1, quantum: 1500, mtu: 1500 } }]],
    replace: [['br0', { kind: 'htb', parent: '1:', classid: '1:1', htb: { rate: 1000 } }]],
    change: [['br0', { kind: 'htb', parent: '1:', classid: '1:1', htb: { rate: 1000 } }]],
    delete: [['br0', { classid: '1:1' }]],
  },
  filters: {
    list: [[{ link: 'br0', parent: '1:' }]],
    add: [
      ['br0', { kind: 'u32', parent: '1:', protocol: 'ip', prio: 1, u32: { match: [{ value: 1, mask: 1, at: 4 }], classid: '1:1', police } }],
      ['br0', { kind: 'fw', parent: '1:', handle: 1, fw: { classid: '1:1', mask: 1, police } }], ['br0', { kind: 'basic', parent: '1:', basic: { classid: '1:1', police } }],
      ['br0', { kind: 'matchall', parent: '1:', matchall: { classid: '1:1', actions: [
        { kind: 'police', ...police }, { kind: 'mirred', action: 'redirect', direction: 'egress', link: 'br0' }, { kind: 'gact', action: 'drop' },
      ] } }],
    ],
    replace: [['br0', { kind: 'fw', parent: '1:', handle: 1, fw: { classid: '1:1' } }]], change: [['br0', { kind: 'fw', parent: '1:', handle: 1, fw: { classid: '1:1' } }]],
    delete: [['br0', { parent: '1:', protocol: 'ip', prio: 1, handle: 1, kind: 'fw' }]],
  },
  bandwidth: {
    set: [['br0', { inbound: { average: 100, peak: 200, burst: 50 }, outbound: { average: 100, peak: 200, burst: 50 } }, { hierarchical: false }]],
    get: [['br0']], clear: [['br0']],
  },
  sysctl: { get: [['net.ipv4.ip_forward']], set: [['net.ipv4.ip_forward', 0]] },
  firewall: {
    tables: [[{ family: 'ip' }]], chains: [[{ family: 'ip' }]], rules: [[{ family: 'ip', table: 't', chain: 'c', reset: false }]],
    sets: [[{ family: 'ip', table: 't' }]], elements: [[{ family: 'ip', table: 't', name: 's', reset: false }]],
    objects: [[{ family: 'ip', table: 't', type: 'counter', reset: false }]], flowtables: [[{ family: 'ip', table: 't' }]],
    watch: [[{ family: 'ip', table: 't', limit: 5, receiveBuffer: 100_000, signal: bulk.signal }]], ruleset: [[{ family: 'ip', table: 't', elements: false }]],
    commit: [[[], { generation: 1, handles: true, dryRun: true }]], check: [[[]]], update: [[() => [], { handles: true, dryRun: true }]],
    own: [[{ family: 'ip', name: 'o', flags: [], comment: 'c' }, []]],
  },
  iptables: {
    list: [[{ family: 'ip', table: 'filter', chain: 'INPUT', verbose: true, exact: true, lineNumbers: true }]],
    listRules: [[{ family: 'ip', table: 'filter', chain: 'INPUT', number: 1, counters: true }]], save: [[{ family: 'ip', table: 'filter', counters: true }]],
    rules: [[{ family: 'ip', table: 'filter', chain: 'INPUT' }]], chains: [[{ family: 'ip', table: 'filter' }]],
    append: [['INPUT', { source: '10.0.0.1', target: 'DROP' }, { family: 'ip', table: 'filter', owner: 'c7a5fdbd-cdaf-9455-926a-d65c16db1809', counters: { packets: 1, bytes: 1 } }]],
    insert: [['INPUT', '-j DROP', { family: 'ip', table: 'filter', number: 1 }]], replace: [['INPUT', 1, '-j DROP', { family: 'ip', table: 'filter' }]],
    delete: [['INPUT', '-j LOG', { family: 'ip', table: 'filter' }], ['INPUT', 99]], check: [['INPUT', '-j DROP', { family: 'ip', table: 'filter' }]],
    newChain: [['X', { family: 'ip', table: 'filter' }]], deleteChain: [['Y', { family: 'ip', table: 'filter' }]], flush: [['INPUT', { family: 'ip', table: 'filter' }]],
    zero: [['INPUT', { family: 'ip', table: 'filter' }]], policy: [['INPUT', 'ACCEPT', { family: 'ip', table: 'filter' }]],
    deleteOwned: [['c7a5fdbd-cdaf-9455-926a-d65c16db1809', { family: 'ip' }]], commit: [[['-A INPUT -j DROP'], { family: 'ip', table: 'filter', owner: 'c7a5fdbd-cdaf-9455-926a-d65c16db1809' }]],
    restore: [['*filter\nCOMMIT\n', { family: 'ip', noflush: true, counters: true }]], legacyTables: [[{ family: 'ip' }]],
  },
}

test('every field of what is right, with each wrong value in its place, and none takes what is right nowhere', async () => {
  const host = await newHost()
  const complaints = new Complaints()
  for (const part of parts) {
    const methods = methodsOf(host[part]).filter(([name]) => !internal.has(name))
    expect(Object.keys(valid[part] ?? {}).sort()).toEqual(methods.map(([name]) => name).sort())
    for (const [name, method] of methods) {
      for (const arguments_ of valid[part]?.[name] ?? []) {
        await restore(host)
        for (const [path, given] of spoiled(arguments_, neverRight)) {
          await complaints.refused(`${part}.${name}`, path, () => method(...given), given)
        }
        for (const [path, given] of spoiled(arguments_, wrongValues)) await complaints.try(`${part}.${name}${path}`, () => method(...given), given)
      }
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)

/** A wrong value in one place may be right in another: links may have gone, or have other names. */
async function restore(host: Host): Promise<void> {
  const names = (await host.links.list()).map(({ name }) => name)
  if (names.includes('br0') && names.includes('p0')) return
  await host.links.deleteMany(names.filter(name => name !== 'lo'))
  await host.links.create({ name: 'br0', kind: 'bridge' })
  await host.links.create({ name: 'p0', kind: 'veth', master: 'br0' })
}
