/** What the kernel answers, read by us and by ip(8), field for field. Options of bridges: bridge_options.test.ts. */
import { expect, vi } from 'vitest'
import type { NativeHost } from '../../binding/index.ts'
import { decodeAddress, deleteAddress, listAddresses, newAddress } from '../../src/rtnetlink/addresses.ts'
import type { Address } from '../../src/rtnetlink/addresses.ts'
import { decodeLink, getLink, listLinks, newLink, setLink } from '../../src/rtnetlink/links.ts'
import type { Link } from '../../src/rtnetlink/links.ts'
import { listRoutes } from '../../src/rtnetlink/route-lists.ts'
import { getRoute } from '../../src/rtnetlink/route-lookup.ts'
import { decodeRoute } from '../../src/rtnetlink/route-records.ts'
import { newRoute } from '../../src/rtnetlink/routes.ts'
import type { Route } from '../../src/rtnetlink/route-records.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { openHost } from '../native/support.ts'
import { ipJson, run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { ask, send } from './support.ts'

const { test } = needing(needs.netAdmin, needs.tool('ip'), needs.kernel('bridge'), needs.kernel('veth'))

const policyRouting = needing(needs.netAdmin, needs.tool('ip'), needs.kernel('bridge'), needs.kernel('veth'), needs.kernel('policyRouting'))

/** A namespace with lo, br0 with a port v0 that has a peer v1. */
async function lab(...more: AnyRequest[]): Promise<NativeHost> {
  const host = await openHost()
  const { error } = await send(host, [
    ...setLink('lo', { up: true }),
    ...newLink({ name: 'br0', kind: 'bridge', index: 10, mac: '52:54:00:00:00:01', up: true, alias: 'of a test', group: 7 }, {}),
    ...newLink({ name: 'v0', kind: 'veth', index: 11, mtu: 1400, up: true, txQueueLen: 99, veth: { peer: { name: 'v1' } } }, { master: 10 }),
    ...setLink('v1', { up: true }),
    newAddress(10, '10.0.0.1/24', { broadcast: 'auto' }),
    ...more,
  ])
  if (error !== undefined) throw error
  return host
}

/** Without fields that are undefined, which ip leaves out. */
const json = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json

/** A link in the words of `ip -j -d -s link`. */
function linkAsIp(link: Link, all: Link[]): Json {
  const nameOf = (index?: number): string | undefined => all.find(other => other.index === index)?.name
  const { statistics, tap } = link
  return json({
    ifindex: link.index, ifname: link.name, flags: link.flags, mtu: link.mtu, min_mtu: link.minMtu, max_mtu: link.maxMtu,
    qdisc: link.qdisc, operstate: String(link.operState).toUpperCase(), group: link.group === 0 ? 'default' : String(link.group),
    txqlen: link.txQueueLen, link_type: link.type, address: link.mac, broadcast: link.broadcast, promiscuity: link.promiscuity,
    num_tx_queues: link.numTxQueues, num_rx_queues: link.numRxQueues, gso_max_size: link.gsoMaxSize, gso_max_segs: link.gsoMaxSegs,
    gro_max_size: link.groMaxSize, master: nameOf(link.master), ifalias: link.alias, altnames: link.altNames,
    link: link.kind === 'veth' ? nameOf(link.link) : undefined,
    linkinfo: link.kind === undefined ? undefined : {
      info_kind: link.kind === 'tap' ? 'tun' : link.kind,
      info_data: tap === undefined ? undefined : {
        type: tap.type, pi: tap.packetInfo, vnet_hdr: tap.vnetHeader, multi_queue: tap.multiQueue, persist: tap.persist,
        numqueues: tap.numQueues, numdisabled: tap.numDisabledQueues,
      },
      info_slave_kind: link.port === undefined ? undefined : 'bridge',
    },
    stats64: statistics === undefined ? undefined : {
      rx: {
        bytes: statistics.rxBytes, packets: statistics.rxPackets, errors: statistics.rxErrors, dropped: statistics.rxDropped,
        over_errors: statistics.rxOverErrors, multicast: statistics.multicast,
      },
      tx: {
        bytes: statistics.txBytes, packets: statistics.txPackets, errors: statistics.txErrors, dropped: statistics.txDropped,
        carrier_errors: statistics.txCarrierErrors, collisions: statistics.collisions,
      },
    },
  })
}

test('links, as ip shows them', async () => {
  const host = await lab()
  await run('ip', ['link', 'property', 'add', 'dev', 'br0', 'altname', 'a-much-longer-name-of-it'], { netns: host.netnsFd })
  await run('ip', ['link', 'set', 'v1', 'arp', 'off', 'promisc', 'on'], { netns: host.netnsFd })
  await run('ip', ['link', 'set', 'lo', 'down'], { netns: host.netnsFd })
  const links = await ask(host, listLinks(), decodeLink)
  const shown = await ipJson(host.netnsFd, 'link', 'show')
  expect(links.map(({ name }) => name).sort()).toEqual(['br0', 'lo', 'v0', 'v1'])
  expect(shown.map(comparable)).toMatchObject(links.map(link => comparable(linkAsIp({ ...link, statistics: undefined }, links))))
})

/** ip leaves RUNNING out, and has words of its own for its absence. */
function comparable(link: Json): Json {
  const own = ['RUNNING', 'NO-CARRIER', 'M-DOWN']
  return { ...link, flags: (link['flags'] as string[]).filter(flag => !own.includes(flag)).sort() }
}

test('statistics, between two readings of ip', async () => {
  const host = await lab()
  await run('ping', ['-c', '2', '-i', '0.01', '127.0.0.1'], { netns: host.netnsFd })
  const counts = async (): Promise<Record<string, number>> => {
    const [lo] = await ipJson<{ stats64: Record<'rx' | 'tx', Record<string, number>> }[]>(host.netnsFd, '-s', 'link', 'show', 'lo')
    return Object.fromEntries(Object.entries(lo?.stats64 ?? {}).flatMap(([way, values]) =>
      Object.entries(values).map(([name, value]) => [`${way} ${name}`, value])))
  }
  const before = await counts()
  const links = await ask(host, getLink('lo'), decodeLink)
  const after = await counts()
  const { stats64 } = linkAsIp(links[0] as Link, links) as { stats64: Record<'rx' | 'tx', Record<string, number>> }
  expect(before['rx packets']).toBeGreaterThanOrEqual(4)
  for (const [name, least] of Object.entries(before)) {
    const [way, counter] = name.split(' ') as ['rx' | 'tx', string]
    expect([name, stats64[way][counter]]).toEqual([name, expect.toSatisfy((ours: number) => ours >= least && ours <= (after[name] ?? 0))])
  }
})

test('one link is the same, however asked for', async () => {
  const host = await lab()
  // The timer of the garbage collector runs; lists are without what IPv4 and IPv6 keep.
  const quiet = ({ statistics: _, raw: __, ipv4: ___, ipv6: ____, bridge, ...link }: Link): object =>
    ({ ...link, bridge: { ...bridge, gcTimerMs: 0 } })
  const [byName] = await ask(host, getLink('br0'), decodeLink)
  const [byIndex] = await ask(host, getLink(10), decodeLink)
  const [listed] = await ask(host, listLinks({ kind: 'bridge' }), decodeLink)
  expect(quiet(byName as Link)).toEqual(quiet(byIndex as Link))
  expect(quiet(byName as Link)).toEqual(quiet(listed as Link))
})

needing(needs.netAdmin, needs.tool('ip'), needs.kernel('tap')).test('taps and tuns, as ip shows them', async () => {
  const host = await openHost()
  await run('ip', ['tuntap', 'add', 'dev', 'tap0', 'mode', 'tap', 'vnet_hdr', 'multi_queue'], { netns: host.netnsFd })
  await run('ip', ['tuntap', 'add', 'dev', 'tun0', 'mode', 'tun', 'pi', 'user', '0', 'group', '0'], { netns: host.netnsFd })
  const links = await ask(host, listLinks({ kind: 'tap' }), decodeLink)
  const shown = await ipJson(host.netnsFd, '-s', 'link', 'show', 'tap0')
  expect(shown).toMatchObject([linkAsIp(links.find(({ name }) => name === 'tap0') as Link, links)])
  expect(links.find(({ name }) => name === 'tun0')).toMatchObject({
    kind: 'tun', type: 'none', tun: { type: 'tun', packetInfo: true, vnetHeader: false, persist: true, owner: 0, group: 0 },
  })
})

/** An address in the words of `ip -j -d address`. */
function addressAsIp(address: Address): Json {
  const [local, prefix] = address.address.split('/')
  const flags = address.flags.filter(flag => flag !== 'permanent')
  const lifetime = (ms: number | undefined): number => (ms === undefined ? 0xffffffff : ms / 1000)
  return json({
    family: address.family === 4 ? 'inet' : 'inet6', local, address: address.peer, prefixlen: Number(prefix), broadcast: address.broadcast,
    label: address.label, scope: address.scope, metric: address.metric,
    dynamic: address.flags.includes('permanent') ? undefined : true,
    ...Object.fromEntries(flags.map(flag => [flag, true])),
    valid_life_time: lifetime(address.validLifetimeMs), preferred_life_time: lifetime(address.preferredLifetimeMs),
  })
}

test('addresses, as ip shows them', async () => {
  const host = await lab(
    newAddress(10, '10.0.0.2/24'), newAddress(10, '10.1.0.1/24', { label: 'br0:1', metric: 7, scope: 'link', noPrefixRoute: true }),
    newAddress(10, '10.2.0.1/24', { validLifetimeMs: 9_000_000, preferredLifetimeMs: 0 }),
    newAddress(11, '10.3.0.1/32', { peer: '10.3.0.2' }),
    newAddress(10, 'fd00::1/64', { noDad: true, noPrefixRoute: true }), newAddress(10, 'fd00::2/128', { noDad: true, peer: 'fd00::3' }),
  )
  // The kernel's own of IPv6 may change from one reading to the next.
  const lasting = (address: Json): boolean => !String(address['local']).startsWith('fe80:')
  for (const [index, name] of [[10, 'br0'], [11, 'v0']] as const) {
    const addresses = await ask(host, listAddresses({ index }), decodeAddress)
    const [shown] = await ipJson<{ addr_info: Json[] }[]>(host.netnsFd, 'address', 'show', 'dev', name)
    expect(shown?.addr_info.filter(lasting)).toMatchObject(addresses.map(addressAsIp).filter(lasting))
  }
  expect((await ask(host, listAddresses({ family: 6 }), decodeAddress)).every(({ family }) => family === 6)).toBe(true)
})

test('an address with a peer is found by both', async () => {
  const host = await lab(newAddress(11, '10.3.0.1/32', { peer: '10.3.0.2' }))
  const { error } = await send(host, [deleteAddress(11, '10.3.0.1/32', { peer: '10.3.0.9' })])
  expect(error).toMatchObject({ errnoName: 'EADDRNOTAVAIL' })
  expect((await send(host, [deleteAddress(11, '10.3.0.1/32', { peer: '10.3.0.2' })])).error).toBeUndefined()
  expect(await ask(host, listAddresses({ index: 11, family: 4 }), decodeAddress)).toEqual([])
})

/** A route in the words of `ip -j -d route show table all`. */
function routeAsIp(route: Route, links: Link[]): Json {
  const host = route.family === 4 ? '/32' : '/128'
  const table: Record<number, string> = { 255: 'local', 254: 'main' }
  return json({
    type: route.type, dst: route.to.endsWith(host) ? route.to.slice(0, -host.length) : route.to,
    gateway: route.via?.includes(':') === true && route.family === 4 ? undefined : route.via,
    via: route.via?.includes(':') === true && route.family === 4 ? { family: 'inet6', host: route.via } : undefined,
    dev: links.find(({ index }) => index === route.index)?.name,
    protocol: String(route.protocol), scope: route.scope, prefsrc: route.source,
    metric: route.metric, flags: route.flags,
    table: route.table === 254 ? undefined : table[route.table] ?? String(route.table),
    metrics: route.mtu === undefined ? undefined : [json({ mtu: route.mtu, advmss: route.advmss })],
  })
}

test('routes of every kind, as ip shows them', async () => {
  const host = await lab(
    newRoute({ to: 'default', via: '10.0.0.9' }),
    newRoute({ to: '10.1.0.0/16', via: '10.0.0.9', metric: 5, mtu: 1300, advmss: 1200, source: '10.0.0.1', protocol: 'static' }),
    newRoute({ to: '10.2.0.0/16', via: '10.99.0.1', index: 10, onLink: true, protocol: 'dhcp' }),
    newRoute({ to: '10.3.0.0/16', via: 'fe80::1', index: 10 }),
    newRoute({ to: '10.4.0.0/16', type: 'blackhole' }), newRoute({ to: '10.5.0.0/16', type: 'unreachable', metric: 9 }),
    newRoute({ to: '10.6.0.1', type: 'local', index: 10 }), newRoute({ to: '10.7.0.0/16', index: 10, table: 1000, protocol: 77 }),
    newRoute({ to: '10.8.0.0/16', index: 10, scope: 'host' }), newRoute({ to: '0.0.0.0/8', index: 10 }),
    newRoute({ to: 'fd01::/64', index: 10, metric: 5 }), newRoute({ to: 'default', via: 'fe80::1', index: 10 }),
    newRoute({ to: 'fd02::/64', type: 'prohibit' }),
  )
  const links = await ask(host, listLinks(), decodeLink)
  for (const [family, table] of [[4, 'main'], [4, 'local'], [4, 1000], [6, 'main']] as const) {
    // Both anew if they differ: that a bridge has no carrier becomes known a moment after it is up.
    const routes = await vi.waitFor(async () => {
      const found = await ask(host, listRoutes({ family, table }), decodeRoute)
      const shown = await ipJson(host.netnsFd, `-${family}`, 'route', 'show', 'table', String(table))
      expect(shown.length).toBeGreaterThan(0)
      // Of one table, ip does not repeat it.
      expect(shown).toMatchObject(found.map(route => routeAsIp({ ...route, table: 254 }, links)))
      return found
    })
    const wanted = { main: 254, local: 255, 1000: 1000 }[table]
    expect(new Set(routes.map(route => route.table))).toEqual(new Set([wanted]))
  }
  expect((await ask(host, listRoutes({ index: 11, family: 4 }), decodeRoute))).toEqual([])
})

test('a route with several ways is read, and can be written again', async () => {
  const multipath = [
    { via: '10.0.0.8', index: 10, weight: 3, onLink: false }, { via: '10.9.0.9', index: 10, weight: 1, onLink: true },
    { via: 'fe80::1', index: 10, weight: 256, onLink: false },
  ]
  const host = await lab(newRoute({ to: '10.1.0.0/16', multipath }))
  const [shown] = await ipJson<{ nexthops: Json[] }[]>(host.netnsFd, 'route', 'show', '10.1.0.0/16')
  expect(shown?.nexthops).toMatchObject([
    { gateway: '10.0.0.8', dev: 'br0', weight: 3 }, { gateway: '10.9.0.9', weight: 1, flags: expect.arrayContaining(['onlink']) },
    { via: { host: 'fe80::1' }, weight: 256 },
  ])
  const route = (await ask(host, listRoutes({ family: 4 }), decodeRoute)).find(({ to }) => to === '10.1.0.0/16')
  expect(route?.multipath).toEqual(multipath)
  expect((await send(host, [newRoute({ to: '10.2.0.0/16', multipath: route?.multipath ?? [] })])).error).toBeUndefined()
})

policyRouting.test('the route that the kernel would take, with the table that it is in', async () => {
  const host = await lab(newRoute({ to: '10.1.0.0/16', via: '10.0.0.9' }), newRoute({ to: '10.2.0.0/16', index: 10, table: 1000 }))
  await run('ip', ['rule', 'add', 'to', '10.2.0.0/16', 'table', '1000'], { netns: host.netnsFd })
  expect(await ask(host, getRoute('10.1.2.3'), decodeRoute)).toMatchObject([
    { to: '10.1.2.3/32', via: '10.0.0.9', index: 10, source: '10.0.0.1', table: 254, type: 'unicast' },
  ])
  expect(await ask(host, getRoute('10.2.0.1'), decodeRoute)).toMatchObject([{ to: '10.2.0.1/32', table: 1000, via: undefined }])
  expect(await ask(host, getRoute('10.0.0.1'), decodeRoute)).toMatchObject([{ to: '10.0.0.1/32', table: 255, type: 'local' }])
  await expect(ask(host, getRoute('192.0.2.1'), decodeRoute)).rejects.toMatchObject({ errnoName: 'ENETUNREACH' })
})
