/** host.mdb, judged by bridge. */
import { expect, test } from 'vitest'
import { encodeRequests } from '../../src/netlink/message.ts'
import { newMdbEntry, newVxlanMdbEntry } from '../../src/rtnetlink/mdb.ts'
import type { Host } from '../../src/host/host.ts'
import { bridgeJson, run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const common = [needs.netAdmin, needs.tool('ip'), needs.tool('bridge'), needs.kernel('bridge'), needs.kernel('veth'), needs.kernel('mdb')]
const { test: live } = needing(...common)

/** v0 (index 11) in br0 (index 10), up. */
async function lab(): Promise<Host> {
  const host = await newHost()
  await run('sh', ['-ec', ['ip link add br0 index 10 type bridge', 'ip link add v0 index 11 master br0 up type veth peer name v1 index 12',
    'ip link set v1 up', 'ip link set br0 up'].join('\n')], { netns: host.netnsFd })
  return host
}

interface Shown { mdb: Json[], router: Record<string, Json[]> }

live('what is added is what bridge shows', async () => {
  const host = await lab()
  await host.mdb.add({ bridge: 'br0', port: 'v0', group: '239.1.1.1', state: 'permanent' })
  await host.mdb.add({ bridge: 'br0', port: 'v0', group: '239.1.1.2', source: '10.0.0.1', state: 'permanent' })
  await host.mdb.add({ bridge: 10, port: 11, group: 'ff05::1', state: 'permanent' })
  await host.mdb.add({ bridge: 'br0', port: 'v0', group: '01:02:03:04:05:06', state: 'permanent' })
  await run('ip', ['link', 'set', 'v0', 'type', 'bridge_slave', 'mcast_router', '2'], { netns: host.netnsFd })
  const [shown] = await bridgeJson<Shown[]>(host.netnsFd, 'mdb', 'show', 'dev', 'br0')
  const listed = (await host.mdb.list({ bridge: 'br0', port: 'v0' })).filter(({ state }) => state === 'permanent')
  expect(listed.map(({ group, source, state }) => ({ group, source, state })).sort((a, b) => (a.group < b.group ? -1 : 1))).toEqual([
    { group: '01:02:03:04:05:06', source: undefined, state: 'permanent' }, { group: '239.1.1.1', source: undefined, state: 'permanent' },
    { group: '239.1.1.2', source: '10.0.0.1', state: 'permanent' }, { group: 'ff05::1', source: undefined, state: 'permanent' },
  ])
  const theirs = (shown?.mdb ?? []).filter(entry => entry['port'] === 'v0' && entry['state'] === 'permanent')
  expect(theirs.map(({ grp, src }) => [grp, src]).sort()).toEqual(listed.map(({ group, source }) => [group, source]).sort())
  expect(await host.mdb.routers({ bridge: 'br0' })).toMatchObject([{ bridge: 10, port: 11, type: 'permanent' }])

  expect(await rejection(host.mdb.add({ bridge: 'br0', port: 'v0', group: '239.1.1.1', state: 'permanent' }))).toMatchObject({ errnoName: 'EEXIST' })
  await host.mdb.delete({ bridge: 'br0', port: 'v0', group: '239.1.1.1' })
  await host.mdb.delete({ bridge: 'br0', port: 'v0', group: '239.1.1.2', source: '10.0.0.1' })
  expect((await host.mdb.list({ port: 'v0' })).map(({ group }) => group)).not.toContain('239.1.1.1')
  expect(await rejection(host.mdb.delete({ bridge: 'br0', port: 'v0', group: '239.1.1.1' }))).toMatchObject({ code: 'ERR_NETLINK' })
  expect(await rejection(host.mdb.add({ bridge: 'v1', port: 'v0', group: '239.1.1.1' }))).toMatchObject({ code: 'ERR_NETLINK' })
  expect(await rejection(host.mdb.add({ bridge: 'none', port: 'v0', group: '239.1.1.1' }))).toMatchObject({ code: 'ERR_NO_LINK' })
})

needing(...common, needs.kernelRelease(6, 2)).test('source lists, filter mode, protocol; replace', async () => {
  const host = await lab()
  // With version 2 the kernel keeps them, and does not show them.
  await host.links.set('br0', { bridge: { multicastIgmpVersion: 3 } })
  const entry = { bridge: 'br0', port: 'v0', group: '239.1.1.3', state: 'permanent' } as const
  await host.mdb.add({ ...entry, sources: ['10.0.0.1', '10.0.0.2'], filterMode: 'include', protocol: 'static' })
  const found = async () => (await host.mdb.list({ bridge: 'br0', port: 'v0' })).find(({ group, source }) => group === '239.1.1.3' && source === undefined)
  expect(await found()).toMatchObject({ filterMode: 'include', protocol: 'static', sources: expect.arrayContaining([{ address: '10.0.0.1', timerMs: 0 }, { address: '10.0.0.2', timerMs: 0 }]) as object[] })
  await host.mdb.replace({ ...entry, filterMode: 'exclude' })
  expect(await found()).toMatchObject({ filterMode: 'exclude' })
})

needing(...common, needs.kernelRelease(6, 8)).test('flush by port and by state', async () => {
  const host = await lab()
  const groups = async (): Promise<string[]> => (await host.mdb.list({ port: 'v0' })).map(({ group }) => group).filter(group => group.startsWith('239.')).sort()
  await host.mdb.add({ bridge: 'br0', port: 'v0', group: '239.1.1.1', state: 'permanent' })
  await host.mdb.flush({ bridge: 'br0', port: 'v0', state: 'temp' })
  expect(await groups()).toEqual(['239.1.1.1'])
  await host.mdb.flush({ bridge: 'br0', port: 'v0' })
  expect(await groups()).toEqual([])
})

needing(...common, needs.kernelRelease(6, 7)).test('one group: of every port', async () => {
  const host = await lab()
  await host.mdb.add({ bridge: 'br0', port: 'v0', group: '239.1.1.1', state: 'permanent' })
  await host.mdb.add({ bridge: 'br0', port: 'br0', group: '239.1.1.1' })
  expect((await host.mdb.get({ bridge: 'br0', group: '239.1.1.1' })).map(({ bridge, port, group }) => [bridge, port, group]).sort()).toEqual([
    [10, 10, '239.1.1.1'], [10, 11, '239.1.1.1'],
  ])
  expect(await rejection(host.mdb.get({ bridge: 'br0', group: '239.1.1.2' }))).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'ENOENT' })
  expect(await rejection(host.mdb.get({ bridge: 'none', group: '239.1.1.2' }))).toMatchObject({ code: 'ERR_NO_LINK' })
})

/** x0 (index 20) at 10.0.0.1, and another of the same VNI at 10.0.0.2, in a namespace of its own, that counts what comes. */
async function tunnel(): Promise<{ host: Host, received: () => Promise<number> }> {
  const host = await newHost()
  const there = await newHost()
  const link = { kind: 'vxlan', up: true, mtu: 1400, vxlan: { id: 7, dstPort: 4789 } } as const
  await host.links.create({ name: 'u0', kind: 'veth', up: true, veth: { peer: { name: 'u1', netns: there.netnsFd, up: true } } })
  for (const [end, uplink, address, index] of [[host, 'u0', '10.0.0.1', 20], [there, 'u1', '10.0.0.2', 21]] as const) {
    await end.addresses.add(uplink, `${address}/24`)
    await end.links.create({ ...link, name: 'x0', index, vxlan: { ...link.vxlan, local: address } })
    await end.addresses.add('x0', `10.9.0.${index}/24`)
  }
  const received = async (): Promise<number> => {
    await run('ping', ['-c', '1', '-W', '1', '-I', 'x0', '239.1.1.1'], { netns: host.netnsFd }).catch(() => {})
    return (await there.links.get('x0')).statistics?.rxPackets ?? 0
  }
  return { host, received }
}

const vxlans = needing(needs.netAdmin, needs.tool('ping'), needs.kernel('vxlan'), needs.kernel('veth'), needs.kernelRelease(6, 4)).test

vxlans('of a vxlan: multicasts go to the remote ends of their group, and no others', async () => {
  const { host, received } = await tunnel()
  const before = await received()
  const entry = { vxlan: 'x0', group: '239.1.1.1', dst: '10.0.0.2' }
  await host.mdb.add({ ...entry, group: '239.1.1.2' })
  expect(await received()).toBe(before)
  await host.mdb.add(entry)
  expect(await received()).toBeGreaterThan(before)
  expect(await host.mdb.list({ vxlan: 'x0' })).toMatchObject([
    { bridge: 20, port: 20, group: '239.1.1.1', state: 'permanent', dst: '10.0.0.2' }, { group: '239.1.1.2' },
  ])
  expect(await rejection(host.mdb.add(entry))).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'EEXIST' })
  await host.mdb.delete(entry)
  const after = await received()
  expect(await received()).toBe(after)
  expect(await rejection(host.mdb.delete(entry))).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'ENOENT' })
})

vxlans('of a vxlan: every option, as it is given', async () => {
  const { host } = await tunnel()
  const { index: via } = await host.links.get('u0')
  await host.mdb.add({
    vxlan: 20, group: 'ff0e::1', dst: '10.0.0.9', dstPort: 1234, vni: 10020, via: 'u0', sources: ['fd00::1', 'fd00::2'],
    filterMode: 'include', protocol: 'static',
  })
  await host.mdb.add({ vxlan: 'x0', group: '0.0.0.0', dst: '10.0.0.8' })
  const [any] = await host.mdb.list().then(all => all.filter(({ group }) => group === '0.0.0.0'))
  expect(any).toMatchObject({ group: '0.0.0.0', dst: '10.0.0.8' })
  const [found] = (await host.mdb.list()).filter(({ group, source }) => group === 'ff0e::1' && source === undefined)
  expect(found).toMatchObject({
    dst: '10.0.0.9', dstPort: 1234, vni: 10020, via, filterMode: 'include', protocol: 'static', state: 'permanent',
    sources: expect.arrayContaining([{ address: 'fd00::1', timerMs: 0 }, { address: 'fd00::2', timerMs: 0 }]) as object[],
  })
  await host.mdb.replace({ vxlan: 'x0', group: 'ff0e::1', dst: '10.0.0.9', dstPort: 1234, vni: 10020, via: 'u0', filterMode: 'exclude' })
  expect((await host.mdb.list({ vxlan: 'x0' })).find(({ group }) => group === 'ff0e::1')).toMatchObject({ filterMode: 'exclude' })

  expect(await rejection(host.mdb.add({ vxlan: 'u0', group: '239.1.1.1', dst: '10.0.0.2' }))).toMatchObject({
    code: 'ERR_INVALID_ARGUMENT', message: 'vxlan: expected a vxlan; u0 is a veth, got "u0"',
  })
  expect(await rejection(host.mdb.add({ vxlan: 'none', group: '239.1.1.1', dst: '10.0.0.2' }))).toMatchObject({ code: 'ERR_NO_LINK' })
  expect(await rejection(host.mdb.add({ vxlan: 'x0', group: '239.1.1.1', dst: '10.0.0.2', via: 'none' }))).toMatchObject({ code: 'ERR_NO_LINK' })
})

needing(needs.netAdmin, needs.tool('ping'), needs.kernel('vxlan'), needs.kernel('veth'), needs.kernelRelease(6, 8)).test('of a vxlan: one group, flush', async () => {
  const { host } = await tunnel()
  for (const dst of ['10.0.0.2', '10.0.0.3']) {
    await host.mdb.add({ vxlan: 'x0', group: '239.1.1.1', dst, protocol: 'zebra' })
    await host.mdb.add({ vxlan: 'x0', group: '239.1.1.2', dst })
  }
  const shown = async (): Promise<unknown[]> => (await host.mdb.list({ vxlan: 'x0' })).map(({ group, dst }) => `${group} ${dst}`).sort()
  expect((await host.mdb.get({ vxlan: 'x0', group: '239.1.1.1' })).map(({ dst }) => dst).sort()).toEqual(['10.0.0.2', '10.0.0.3'])
  await host.mdb.flush({ vxlan: 'x0', protocol: 'zebra' })
  expect(await shown()).toEqual(['239.1.1.2 10.0.0.2', '239.1.1.2 10.0.0.3'])
  await host.mdb.flush({ vxlan: 'x0', dst: '10.0.0.3' })
  expect(await shown()).toEqual(['239.1.1.2 10.0.0.2'])
  await host.mdb.flush({ vxlan: 'x0' })
  expect(await shown()).toEqual([])
})

test.each<[string, object, string]>([
  ['no remote end', { group: '239.1.1.1' }, 'dst: expected the IPv4 or IPv6 address of the remote end'],
  ['one that is none', { group: '239.1.1.1', dst: 'x1' }, 'dst: expected'],
  ['a MAC address as group', { group: '01:02:03:04:05:06', dst: '10.0.0.2' }, 'group: expected an IPv4 or IPv6 multicast address'],
  ['an address that is no group', { group: '10.0.0.1', dst: '10.0.0.2' }, 'group: expected'],
  ['a VNI of 25 bits', { group: '239.1.1.1', dst: '10.0.0.2', vni: 1 << 24 }, 'vni: expected an integer from 0 to 16777215'],
  ['a port of 17 bits', { group: '239.1.1.1', dst: '10.0.0.2', dstPort: 1 << 16 }, 'dstPort: expected'],
  ['a state: they have none', { group: '239.1.1.1', dst: '10.0.0.2', state: 'permanent' }, 'state'],
  ['a misspelled field', { group: '239.1.1.1', dst: '10.0.0.2', srcVin: 3 }, 'did you mean "srcVni"?'],
])('of a vxlan, refused before anything is sent: %s', (_, spec, message) => {
  expect(() => encodeRequests([newVxlanMdbEntry(1, spec as never)])).toThrow(message)
})

live('neither bridge nor vxlan, or both', async () => {
  const host = await lab()
  const of = (what: object): Promise<unknown> => rejection(host.mdb.add({ port: 'v0', group: '239.1.1.1', dst: '10.0.0.1', ...what } as never))
  expect(await of({})).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'bridge' })
  expect(await of({ bridge: 'br0', vxlan: 'br0' })).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'bridge' })
  expect(await rejection(host.mdb.flush(undefined as never))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'bridge' })
})

const key = { port: 1, group: '239.1.1.1' }
test.each<[string, object, string]>([
  ['a group that is none', { ...key, group: '10.0.0.1' }, 'group: expected an IPv4, IPv6 or MAC multicast address'],
  ['a MAC address of one', { ...key, group: '52:54:00:00:00:01' }, 'group: expected'],
  ['a source of another family', { ...key, source: 'fd00::1' }, 'source: expected an address of the same family'],
  ['a state that is none', { ...key, state: 'static' }, 'state: expected one of temp, permanent'],
  ['a misspelled field', { ...key, vlna: 3 }, 'did you mean "vlan"?'],
  ['VLAN 4095', { ...key, vlan: 4095 }, 'vlan: expected a VLAN id'],
  ['a mode that is none', { ...key, filterMode: 'in' }, 'one of exclude, include'],
  ['sources that are no list', { ...key, sources: '10.0.0.1' }, 'sources: expected an array'],
])('refused before anything is sent: %s', (_, spec, message) => {
  expect(() => encodeRequests([newMdbEntry(1, spec as never)])).toThrow(message)
})
