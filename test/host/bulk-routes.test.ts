/** Many addresses and routes at once: all or none, each failure with its own error, what was there put back. */
import { expect } from 'vitest'
import { BulkError } from '../../src/errors.ts'
import type { AddressItem } from '../../src/host/addresses.ts'
import type { Host } from '../../src/host/host.ts'
import type { RouteSpec } from '../../src/host/routes.ts'
import { ipJson, run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const { test } = needing(needs.netAdmin, needs.tool('ip'), needs.kernel('bridge'))

/** br0 and br1, up, with 10.0.0.1/24 and 10.1.0.1/24. */
async function lab(): Promise<Host> {
  const host = await newHost()
  for (const n of [0, 1]) {
    await host.links.create({ name: `br${n}`, kind: 'bridge', up: true })
    await host.addresses.add(`br${n}`, `10.${n}.0.1/24`)
  }
  return host
}

const ipRoutes = (host: Host, ...args: string[]): Promise<Json[]> => ipJson(host.netnsFd, '-4', 'route', 'show', ...args)
const countAddresses = async (host: Host): Promise<number> =>
  (await ipJson<{ addr_info: Json[] }[]>(host.netnsFd, '-4', 'address')).flatMap(link => link.addr_info).length

const routes = (count: number, metric?: number): RouteSpec[] => Array.from({ length: count }, (_, i) => ({
  to: `172.${16 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32`, via: `10.${i % 2}.0.2`, link: `br${i % 2}`, ...(metric === undefined ? {} : { metric }),
}))

test('thousands of routes over links by name, and away again', async () => {
  const host = await lab()
  await host.routes.addMany(routes(3000))
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toHaveLength(3000)
  expect(await host.routes.list({ root: '172.16.0.0/12', link: 'br1' })).toHaveLength(1500)
  await host.routes.replaceMany(routes(3000).map(route => ({ ...route, via: String(route.via).replace(/2$/, '3') })))
  expect((await ipRoutes(host, '172.16.1.1')).map(route => route['gateway'])).toEqual(['10.1.0.3'])
  await host.routes.deleteMany(routes(3000).map(({ to }) => ({ to })))
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toEqual([])
})

test('a failure in the middle leaves nothing behind, nor takes away what was there', async () => {
  const host = await lab()
  await host.routes.add({ to: '172.16.2.0/32', via: '10.0.0.9', link: 'br0', metric: 5 })
  const many = routes(1000)
  many[700] = { to: '192.0.2.0/24', via: '203.0.113.1' }
  const error = await rejection(host.routes.addMany(many))
  expect(error).toBeInstanceOf(BulkError)
  expect(error).toMatchObject({ failures: [{ index: 700, item: many[700], error: { errnoName: 'ENETUNREACH' } }], done: [] })
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toMatchObject([{ dst: '172.16.2.0', metric: 5 }])
  expect(await rejection(host.routes.addMany(many, { atomic: false }))).toMatchObject({ failures: [{ index: 700 }] })
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toHaveLength(1000)
})

test('bad items are refused before anything is sent; a link that is not there is its items’ failure', async () => {
  const host = await lab()
  const ok: RouteSpec = { to: '172.16.0.0/24', link: 'br0' }
  const refused: [unknown, string][] = [
    [[ok, { to: '172.16.1.0/24', vai: '10.0.0.2' }], 'routes[1].vai'], [[ok, ok], 'routes[1].to'], [[ok, null], 'routes[1].route'],
    [[ok, { to: '172.16.1.1/24', link: 'br0' }], 'routes[1].to'], [[ok, { to: '172.16.1.0/24', link: 'a/b' }], 'routes[1].link'], ['all', 'routes'],
    [[ok, { to: 'fd00::/8', via: '10.0.0.1' }], 'routes[1].via'],
  ]
  for (const [items, field] of refused) {
    expect(await rejection(host.routes.addMany(items as RouteSpec[]))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
  }
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toEqual([])
  const absent = [ok, { to: '172.16.1.0/24', link: 'none' }]
  expect(await rejection(host.routes.addMany(absent))).toMatchObject({ failures: [{ index: 1, error: { code: 'ERR_NO_LINK' } }] })
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toEqual([])
  expect(await rejection(host.routes.addMany(absent, { atomic: false }))).toMatchObject({ done: [0] })
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toMatchObject([{ dst: '172.16.0.0/24' }])
})

test('routes that were replaced or deleted are put back as they were', async () => {
  const host = await lab()
  await run('sh', ['-ec', [
    'ip route add 172.16.0.0/24 via 10.0.0.7 mtu 1300 proto bgp', 'ip route add 172.16.0.0/24 via 10.0.0.8 metric 9',
    'ip route append 172.16.0.0/24 via 10.0.0.9', 'ip route add 172.16.1.0/24 nexthop via 10.0.0.2 weight 3 nexthop via 10.1.0.2',
    'ip route add blackhole 172.16.2.0/24 table 77',
  ].join('\n')], { netns: host.netnsFd })
  const before = await ipRoutes(host, 'table', 'all')
  const bad: RouteSpec = { to: '192.0.2.0/24', via: '203.0.113.1' }
  const wanted: RouteSpec[] = [
    { to: '172.16.0.0/24', via: '10.1.0.9' }, { to: '172.16.1.0/24', via: '10.1.0.9' }, { to: '172.16.2.0/24', type: 'prohibit', table: 77 },
    { to: '172.16.3.0/24', via: '10.1.0.9' }, bad,
  ]
  expect(await rejection(host.routes.replaceMany(wanted, { atomic: true }))).toMatchObject({ failures: [{ index: 4 }], done: [] })
  expect(await ipRoutes(host, 'table', 'all')).toEqual(before)
  const away: RouteSpec[] = [
    { to: '172.16.0.0/24' }, { to: '172.16.0.0/24' }, { to: '172.16.1.0/24' }, { to: '172.16.2.0/24', table: 77 }, { to: '172.16.9.0/24' },
  ]
  expect(await rejection(host.routes.deleteMany(away, { atomic: true }))).toMatchObject({ failures: [{ index: 4, error: { errnoName: 'ESRCH' } }] })
  expect(await ipRoutes(host, 'table', 'all')).toEqual(before)
})

test('flush, by what the kernel filters and by what it does not', async () => {
  const host = await lab()
  await host.routes.addMany([...routes(40), ...routes(10, 7)])
  expect(await host.routes.flush({ root: '172.16.0.0/12', metric: 7 })).toBe(10)
  expect(await host.routes.flush({ link: 'br1', protocol: 'boot' })).toBe(20)
  expect(await ipRoutes(host, 'root', '172.16.0.0/12')).toHaveLength(20)
  expect(await host.routes.list({ match: '172.16.0.4', via: '10.0.0.2' })).toMatchObject([{ to: '172.16.0.4/32' }])
  expect(await host.routes.list({ to: '172.16.0.4' })).toHaveLength(1)
  expect(await rejection(host.routes.flush({}))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

test('addresses: many, one refused, deleted and put back, flushed', async () => {
  const host = await lab()
  const items = Array.from({ length: 200 }, (_, i): AddressItem => ({ link: `br${i % 2}`, address: `10.9.${i}.1/24`, label: `br${i % 2}:x` }))
  await host.addresses.addMany(items)
  expect(await countAddresses(host)).toBe(202)
  const again = [...items.map(item => ({ ...item, address: item.address.replace('10.9', '10.8') })), { link: 'br0', address: '10.0.0.1/24' }]
  expect(await rejection(host.addresses.addMany(again))).toMatchObject({ failures: [{ index: 200, error: { errnoName: 'EEXIST' } }], done: [] })
  expect(await countAddresses(host)).toBe(202)
  expect(await rejection(host.addresses.addMany([items[0], items[0]] as AddressItem[]))).toMatchObject({ field: 'addresses[1].address' })
  const away = [...items.map(({ link, address }) => ({ link, address })), { link: 'br0', address: '10.7.0.1/24' }]
  expect(await rejection(host.addresses.deleteMany(away, { atomic: true }))).toMatchObject({ failures: [{ index: 200 }], done: [] })
  expect(await host.addresses.list({ label: 'br?:x', to: '10.9.0.0/16' })).toHaveLength(200)
  expect(await host.addresses.flush({ link: 'br0', label: '*:x' })).toBe(100)
  await host.addresses.deleteMany(away.slice(0, 200).filter(({ link }) => link === 'br1'))
  expect(await countAddresses(host)).toBe(2)
})

test('one address: read, changed in what is named only', async () => {
  const host = await lab()
  await host.addresses.add('br0', '10.5.0.1/24', { validLifetimeMs: 900_000, metric: 7 })
  await host.addresses.change('br0', '10.5.0.1', { preferredLifetimeMs: 0 })
  expect(await host.addresses.get('br0', '10.5.0.1/24')).toMatchObject({ metric: 7, preferredLifetimeMs: 0, flags: ['deprecated'] })
  await host.addresses.change('br0', '10.5.0.1', { validLifetimeMs: 'forever', preferredLifetimeMs: 'forever' })
  expect(await host.addresses.get('br0', '10.5.0.1')).toMatchObject({ metric: 7, validLifetimeMs: undefined, flags: ['permanent'] })
  expect(await host.addresses.list({ flags: ['permanent', '-deprecated'], scope: 'global', family: 4 })).toHaveLength(3)
  expect(await rejection(host.addresses.change('br0', '10.6.0.1', { metric: 1 }))).toMatchObject({ errnoName: 'EADDRNOTAVAIL' })
  expect(await rejection(host.addresses.list({ flags: ['permanant' as 'permanent'] }))).toMatchObject({ field: 'flags[0]' })
})
