/** What the kernel leaves out of a dump by itself, counted in its reply; what it cannot leave out, Host does. */
import { constants } from 'node:os'
import { expect } from 'vitest'
import type { NativeHost } from '../../binding/index.ts'
import { Host } from '../../src/host/host.ts'
import { decodeAddress, listAddresses } from '../../src/rtnetlink/addresses.ts'
import { RTM_GETLINK } from '../../src/rtnetlink/constants.ts'
import { decodeLink, getLink, linkMessage, listLinks, setLink } from '../../src/rtnetlink/links.ts'
import { listRoutes } from '../../src/rtnetlink/route-lists.ts'
import { decodeRoute } from '../../src/rtnetlink/route-records.ts'
import { dump, encodeRequests } from '../../src/netlink/message.ts'
import { openHost } from '../native/support.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { ask, send } from './support.ts'

const { test } = needing(needs.kernel('bridge'), needs.kernel('veth'))
const withTap = needing(needs.kernel('bridge'), needs.kernel('veth'), needs.kernel('tap')).test

async function inside(...commands: string[]): Promise<NativeHost> {
  const host = await openHost()
  await run('sh', ['-ec', commands.join('\n')], { netns: host.netnsFd })
  return host
}

const links = [
  'ip link add br0 index 10 type bridge', 'ip link add br1 index 11 type bridge',
  'ip link add v0 index 20 master br0 type veth peer name v1 index 21', 'ip link set v1 master br1',
]

test('links by kind, by master and by both', async () => {
  const host = await inside(...links)
  const names = async (filter?: Parameters<typeof listLinks>[0]): Promise<string[]> =>
    (await ask(host, listLinks(filter), decodeLink)).map(({ name }) => name).sort()
  expect(await names()).toEqual(['br0', 'br1', 'lo', 'v0', 'v1'])
  expect(await names({ kind: 'bridge' })).toEqual(['br0', 'br1'])
  expect(await names({ kind: 'veth' })).toEqual(['v0', 'v1'])
  expect(await names({ master: 10 })).toEqual(['v0'])
  expect(await names({ master: 11, kind: 'veth' })).toEqual(['v1'])
  expect(await names({ master: 10, kind: 'bridge' })).toEqual([])
})

test('links without statistics of IPv6 are smaller', async () => {
  const host = await inside(...links)
  const sizeOf = async (filter: Parameters<typeof listLinks>[0]): Promise<number> => {
    const { results } = await host.exec([{ op: 'netlink', protocol: 0, messages: encodeRequests([listLinks(filter)]) }])
    return results[0].length
  }
  expect(await sizeOf({ statistics: false })).toBeLessThan(0.9 * await sizeOf({ statistics: true }))
})

withTap('a kind that the kernel knows under another name, or not at all', async () => {
  const native = await inside(...links, 'ip tuntap add t0 mode tap', 'ip tuntap add n0 mode tun')
  const host = await Host.open({ netns: native.netnsFd })
  try {
    const names = async (kind: string): Promise<string[]> => (await host.links.list({ kind })).map(({ name }) => name).sort()
    expect(await names('tap')).toEqual(['t0'])
    expect(await names('tun')).toEqual(['n0'])
    expect(await names('veth')).toEqual(['v0', 'v1'])
    expect(await names('no-such-kind')).toEqual([])
  } finally {
    await host.close()
  }
})

test('addresses by link and by family', async () => {
  const host = await inside(...links, 'ip address add 10.0.0.1/24 dev br0', 'ip address add 10.1.0.1/24 dev br1',
    'ip address add fd00::1/64 dev br0')
  const addresses = async (filter?: Parameters<typeof listAddresses>[0]): Promise<string[]> =>
    (await ask(host, listAddresses(filter), decodeAddress)).map(({ address }) => address).sort()
  expect(await addresses()).toEqual(['10.0.0.1/24', '10.1.0.1/24', 'fd00::1/64'])
  expect(await addresses({ index: 10 })).toEqual(['10.0.0.1/24', 'fd00::1/64'])
  expect(await addresses({ family: 4 })).toEqual(['10.0.0.1/24', '10.1.0.1/24'])
  expect(await addresses({ index: 11, family: 4 })).toEqual(['10.1.0.1/24'])
  expect(await addresses({ index: 11, family: 6 })).toEqual([])
})

test('routes by table, by link and by family', async () => {
  const host = await inside(...links, 'ip link set br0 up', 'ip link set br1 up', 'ip route add 10.0.0.0/24 dev br0',
    'ip route add 10.1.0.0/24 dev br1', 'ip route add 10.2.0.0/24 dev br0 table 1000', 'ip route add 10.3.0.0/24 dev br1 table 200',
    'ip route add fd01::/64 dev br0')
  const routes = async (filter?: Parameters<typeof listRoutes>[0]): Promise<string[]> =>
    (await ask(host, listRoutes(filter), decodeRoute)).map(({ to }) => to).sort()
  expect(await routes({ family: 4 })).toEqual(['10.0.0.0/24', '10.1.0.0/24'])
  expect(await routes({ index: 10, family: 4 })).toEqual(['10.0.0.0/24'])
  expect(await routes({ table: 1000 })).toEqual(['10.2.0.0/24'])
  expect(await routes({ table: 200 })).toEqual(['10.3.0.0/24'])
  expect(await routes({ table: 200, index: 10 })).toEqual([])
  expect(await routes({ family: 6, index: 10 })).toContain('fd01::/64')
  expect(await routes({ family: 6, index: 11 })).not.toContain('fd01::/64')
  expect(await routes()).toEqual(expect.arrayContaining(['10.0.0.0/24', '10.1.0.0/24', 'fd01::/64']))
  expect(await routes()).not.toContain('10.2.0.0/24')
})

test('a filter that the kernel does not have is refused, not left out: strict checking is on', async () => {
  const host = await inside(...links)
  const request = dump({
    type: RTM_GETLINK, flags: 0, format: linkMessage, header: {}, attributes: { mtu: 1500 }, operation: 'list links of MTU 1500',
  })
  expect((await send(host, [request])).error).toMatchObject({
    operation: 'list links of MTU 1500', errnoName: 'EINVAL', kernelMessage: expect.stringContaining('Unsupported attribute') as string,
  })
})

test('a link by name, by index, and one that is not there', async () => {
  const host = await inside(...links)
  expect(await ask(host, getLink('v0'), decodeLink)).toMatchObject([{ index: 20, name: 'v0', kind: 'veth', master: 10 }])
  expect(await ask(host, getLink(20), decodeLink)).toEqual(await ask(host, getLink('v0'), decodeLink))
  expect((await send(host, [getLink('none'), getLink(999), getLink('lo')])).messages.map(({ length }) => length)).toEqual([0, 0, 1])
  expect((await send(host, [getLink('none')])).errno(0)).toBe(constants.errno.ENODEV)
})

test('a new name: by index; a name in the request would say which link is meant', async () => {
  const host = await inside(...links)
  expect(() => setLink('v0', { name: 'w0' })).toThrow('link: expected an index, with a new name, got "v0"')
  expect((await send(host, setLink(20, { name: 'w0', alias: 'of old v0' }))).error).toBeUndefined()
  expect(await ask(host, getLink(20), decodeLink)).toMatchObject([{ name: 'w0', alias: 'of old v0' }])
})

test('an alias of 255 bytes, and none again', async () => {
  const host = await inside(...links)
  for (const alias of ['a'.repeat(255), 'ä'.repeat(127), '']) {
    expect((await send(host, setLink(20, { alias }))).error).toBeUndefined()
    const [link] = await ask(host, getLink(20), decodeLink)
    expect(link?.alias).toBe(alias === '' ? undefined : alias)
  }
})
