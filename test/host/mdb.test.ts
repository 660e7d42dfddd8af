/** host.mdb, judged by bridge. */
import { expect, test } from 'vitest'
import { encodeRequests } from '../../src/netlink/message.ts'
import { newMdbEntry } from '../../src/rtnetlink/mdb.ts'
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
