/** Addresses and routes, as ip shows them. */
import { expect } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import type { RouteSpec } from '../../src/host/routes.ts'
import type { AddressOptions } from '../../src/rtnetlink/addresses.ts'
import { ipJson } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const { test } = needing(needs.kernel('bridge'))
const ipv6 = needing(needs.kernel('bridge'), needs.kernel('ipv6')).test

/** A Host with a bridge that is up. */
async function withBridge(): Promise<Host> {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  return host
}

async function ipAddresses(host: Host, family: '-4' | '-6' = '-4'): Promise<Json[]> {
  const links = await ipJson<{ addr_info: Json[] }[]>(host.netnsFd, family, 'address', 'show', 'dev', 'br0')
  return links.flatMap(link => link.addr_info).filter(({ local }) => !String(local).startsWith('fe80:'))
}

const ipRoutes = (host: Host, ...args: string[]): Promise<Json[]> => ipJson(host.netnsFd, '-4', 'route', 'show', ...args)

test('an address with every option', async () => {
  const host = await withBridge()
  await host.addresses.add('br0', '10.1.0.1/24', { broadcast: 'auto', label: 'br0:one', metric: 77 })
  await host.addresses.add('br0', '10.2.0.1/16', { noPrefixRoute: true, scope: 'link', validLifetimeMs: 600_000, preferredLifetimeMs: 300_000 })
  await host.addresses.add('br0', '10.3.0.1/32', { peer: '10.3.0.2' })
  // ip shows the narrower scope first.
  expect(await ipAddresses(host)).toMatchObject([
    { local: '10.2.0.1', prefixlen: 16, scope: 'link', noprefixroute: true, valid_life_time: 600, preferred_life_time: 300 },
    { local: '10.1.0.1', prefixlen: 24, broadcast: '10.1.0.255', label: 'br0:one', metric: 77, scope: 'global' },
    { local: '10.3.0.1', address: '10.3.0.2', prefixlen: 32 },
  ])
  expect((await ipRoutes(host)).map(route => [route['dst'], route['metric']])).toEqual([['10.1.0.0/24', 77], ['10.3.0.2', undefined]])
})

test('addresses are listed by link and by family, as ip lists them', async () => {
  const host = await withBridge()
  await host.addresses.add('br0', '10.1.0.1/24')
  await host.addresses.add('lo', '127.0.0.1/8')
  const all = await host.addresses.list({ family: 4 })
  expect(all.map(({ address, scope }) => [address, scope])).toEqual([['127.0.0.1/8', 'host'], ['10.1.0.1/24', 'global']])
  const [one] = await host.addresses.list({ link: 'br0', family: 4 })
  expect(one).toMatchObject({ address: '10.1.0.1/24', family: 4, label: 'br0', flags: ['permanent'], broadcast: undefined, validLifetimeMs: undefined })
  expect(one?.index).toBe((await host.links.get('br0')).index)
})

ipv6('IPv6 addresses, without waiting for duplicates', async () => {
  const host = await withBridge()
  await host.addresses.add('br0', 'fd00:122::1/64', { noDad: true })
  expect(await ipAddresses(host, '-6')).toMatchObject([{ local: 'fd00:122::1', prefixlen: 64, nodad: true }])
  const listed = await host.addresses.list({ link: 'br0', family: 6 })
  expect(listed.map(({ address }) => address)).toContain('fd00:122::1/64')
  await host.addresses.delete('br0', 'fd00:122::1/64')
  expect(await ipAddresses(host, '-6')).toEqual([])
})

ipv6('an address that lived for ever gets a limit: so does the route of its prefix', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  await host.addresses.add('br0', 'fd00::1/64', { noDad: true })
  await host.addresses.change('br0', 'fd00::1', { validLifetimeMs: 1_000_000 })
  const [route] = await ipJson(host.netnsFd, '-6', 'route', 'show', 'fd00::/64')
  expect(route?.['expires']).toBeGreaterThan(900)
  await host.routes.add({ to: 'fd01::/64', via: 'fd00::2' })
})

ipv6('multicast groups are those that ip lists, from /proc; of IPv4 where the kernel tells', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  await host.addresses.add('br0', '10.0.0.1/24')
  const shown = async (...family: string[]): Promise<unknown[]> => {
    const links = await ipJson<{ maddr: { family?: string, address?: string }[] }[]>(host.netnsFd, ...family, 'maddress', 'show', 'dev', 'br0')
    return links.flatMap(({ maddr }) => maddr.flatMap(({ address }) => address ?? [])).sort()
  }
  const listed = async (family?: 4 | 6): Promise<unknown[]> =>
    (await host.addresses.list({ link: 'br0', type: 'multicast', ...(family === undefined ? {} : { family }) })).map(({ address }) => address.replace(/\/.*/, '')).sort()
  expect(await listed(6)).toEqual(await shown('-6'))
  if (needs.kernelRelease(6, 15) === undefined) {
    expect(await listed(4)).toEqual(await shown('-4'))
    expect(await listed()).toEqual([...await shown('-4'), ...await shown('-6')].sort())
  } else {
    expect(await rejection(listed(4))).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'Linux 6.15, for groups of IPv4' })
    expect(await listed()).toEqual(await shown('-6'))
  }
})

test('twice is EEXIST, replace is not; delete takes away what is there', async () => {
  const host = await withBridge()
  await host.addresses.add('br0', '10.1.0.1/24')
  expect(await rejection(host.addresses.add('br0', '10.1.0.1/24'))).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'EEXIST' })
  await host.addresses.replace('br0', '10.1.0.1/24', { validLifetimeMs: 60_000 })
  expect(await ipAddresses(host)).toMatchObject([{ local: '10.1.0.1', valid_life_time: 60 }])
  await host.addresses.delete('br0', '10.1.0.1/24')
  expect(await ipAddresses(host)).toEqual([])
  expect(await rejection(host.addresses.delete('br0', '10.1.0.1/24'))).toMatchObject({ errnoName: 'EADDRNOTAVAIL' })
})

test.each([
  ['10.0.0.1', {}], ['10.0.0.1/33', {}], ['10.0.0.256/24', {}], ['fd00::1/129', {}], ['', {}], ['10.0.0.1/24', { metrik: 3 }],
  ['10.0.0.1/24', { label: 'a'.repeat(16) }], ['10.0.0.1/24', { validLifetimeMs: 1500 }], ['10.0.0.1/24', { broadcast: 'x' }],
])('refused before anything is done: address %s with %o', async (address, options) => {
  const host = await withBridge()
  expect(await rejection(host.addresses.add('br0', address, options as AddressOptions))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  expect(await ipAddresses(host)).toEqual([])
})

test('routes: add, list, get, replace, delete', async () => {
  const host = await withBridge()
  await host.addresses.add('br0', '10.1.0.1/24')
  await host.routes.add({ to: 'default', via: '10.1.0.254' })
  await host.routes.add({ to: '10.9.0.0/16', via: '10.1.0.2', metric: 50, source: '10.1.0.1', mtu: 1300 })
  await host.routes.add({ to: '10.8.0.0/16', link: 'br0', scope: 'link', protocol: 4 })
  expect(await ipRoutes(host)).toMatchObject([
    { dst: 'default', gateway: '10.1.0.254', dev: 'br0', protocol: 'boot' },
    { dst: '10.1.0.0/24', protocol: 'kernel', scope: 'link', prefsrc: '10.1.0.1' },
    { dst: '10.8.0.0/16', protocol: 'static', scope: 'link' },
    { dst: '10.9.0.0/16', gateway: '10.1.0.2', metric: 50, prefsrc: '10.1.0.1', metrics: [{ mtu: 1300 }] },
  ])
  const { index } = await host.links.get('br0')
  const listed = await host.routes.list({ family: 4 })
  expect(listed.map(route => route.to).sort()).toEqual(['10.1.0.0/24', '10.8.0.0/16', '10.9.0.0/16', 'default'])
  expect(listed.find(route => route.to === '10.9.0.0/16')).toMatchObject({ via: '10.1.0.2', index, metric: 50, source: '10.1.0.1', mtu: 1300 })
  expect(await host.routes.get('10.9.3.4')).toMatchObject({ via: '10.1.0.2', source: '10.1.0.1', index })

  expect(await rejection(host.routes.add({ to: 'default', via: '10.1.0.3' }))).toMatchObject({ errnoName: 'EEXIST' })
  await host.routes.replace({ to: 'default', via: '10.1.0.3' })
  expect((await ipRoutes(host, 'default'))[0]).toMatchObject({ gateway: '10.1.0.3' })
  await host.routes.delete({ to: 'default' })
  await host.routes.delete({ to: '10.9.0.0/16', metric: 50 })
  expect((await ipRoutes(host)).map(route => route['dst'])).toEqual(['10.1.0.0/24', '10.8.0.0/16'])
  expect(await rejection(host.routes.delete({ to: 'default' }))).toMatchObject({ errnoName: 'ESRCH' })
})

test.each([200, 70_000])('routes of table %s', async table => {
  const host = await withBridge()
  await host.addresses.add('br0', '10.1.0.1/24')
  expect(await host.routes.list({ table })).toEqual([])
  await host.routes.add({ to: '10.7.0.0/16', via: '10.1.0.2', table })
  expect(await ipRoutes(host, 'table', String(table))).toMatchObject([{ dst: '10.7.0.0/16', gateway: '10.1.0.2' }])
  expect(await host.routes.list({ table, link: 'br0' })).toMatchObject([{ to: '10.7.0.0/16', table }])
  expect((await host.routes.list({ family: 4 })).map(route => route.to)).toEqual(['10.1.0.0/24'])
  await host.routes.delete({ to: '10.7.0.0/16', table })
  expect(await host.routes.list({ table })).toEqual([])
})

test('routes that go nowhere, and one through a gateway that no prefix knows', async () => {
  const host = await withBridge()
  await host.addresses.add('br0', '10.1.0.1/32')
  await host.routes.add({ to: '10.5.0.0/16', type: 'unreachable' })
  await host.routes.add({ to: '10.6.0.0/16', type: 'blackhole' })
  await host.routes.add({ to: '10.4.0.0/16', via: '172.16.0.1', link: 'br0', onLink: true })
  expect(await ipRoutes(host)).toMatchObject([
    { dst: '10.4.0.0/16', gateway: '172.16.0.1', flags: ['onlink'] },
    { type: 'unreachable', dst: '10.5.0.0/16' },
    { type: 'blackhole', dst: '10.6.0.0/16' },
  ])
  expect((await host.routes.list({ family: 4 })).map(route => route.type)).toEqual(['unicast', 'unreachable', 'blackhole'])
})

test('a local route comes from the address it names', async () => {
  const host = await withBridge()
  await host.routes.add({ to: '10.7.0.0/24', type: 'local', link: 'lo', table: 'local' })
  expect(await ipRoutes(host, 'table', 'local')).toContainEqual(expect.objectContaining({ type: 'local', dst: '10.7.0.0/24', scope: 'host' }))
})

ipv6('IPv6 routes', async () => {
  const host = await withBridge()
  await host.addresses.add('br0', 'fd00:1::1/64', { noDad: true })
  await host.routes.add({ to: 'default', via: 'fd00:1::2' })
  await host.routes.add({ to: 'fd00:9::/48', link: 'br0', metric: 5 })
  const routes = await ipJson(host.netnsFd, '-6', 'route', 'show')
  expect(routes).toContainEqual(expect.objectContaining({ dst: 'default', gateway: 'fd00:1::2', dev: 'br0' }))
  expect(routes).toContainEqual(expect.objectContaining({ dst: 'fd00:9::/48', metric: 5 }))
  expect(await host.routes.get('fd00:9::5')).toMatchObject({ family: 6 })
  await host.routes.delete({ to: 'default', via: 'fd00:1::2' })
})

test.each([
  [undefined], [{}], [{ to: 'defualt' }], [{ to: '10.0.0.0/40' }], [{ to: 'default', vai: '10.0.0.1' }], [{ to: 'default', via: 'gateway' }],
  [{ to: 'default', table: 0 }], [{ to: 'default', table: 'mine' }], [{ to: 'default', type: 'toString' }], [{ to: 'default', scope: 'x' }],
])('refused before anything is done: route %o', async route => {
  const host = await withBridge()
  expect(await rejection(host.routes.add(route as unknown as RouteSpec))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

test('a gateway that cannot be reached: the kernel’s own words', async () => {
  const host = await withBridge()
  expect(await rejection(host.routes.add({ to: 'default', via: '203.0.113.1' }))).toMatchObject({
    code: 'ERR_NETLINK', errnoName: 'ENETUNREACH', kernelMessage: 'Nexthop has invalid gateway',
  })
  expect(await rejection(host.routes.add({ to: 'default', link: 'none' }))).toMatchObject({ code: 'ERR_NO_LINK' })
  expect(await rejection(host.routes.get('10.0.0'))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})
