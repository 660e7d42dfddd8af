/** host.vlans, judged by bridge. */
import { expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { setGlobalVlan } from '../../src/rtnetlink/global-vlans.ts'
import { setMst } from '../../src/rtnetlink/mst.ts'
import { addVlans, listVlans, setVlan } from '../../src/rtnetlink/vlans.ts'
import { bridgeJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const bridges = [needs.netAdmin, needs.tool('ip'), needs.tool('bridge'), needs.kernel('bridge'), needs.kernel('veth')]
const { test: live } = needing(...bridges, needs.kernel('bridgeVlanFiltering'))

async function lab(filtering: '0' | '1' = '1'): Promise<Host> {
  const host = await newHost()
  const options = filtering === '1' ? 'vlan_filtering 1 vlan_stats_enabled 1' : ''
  await run('sh', ['-ec', [`ip link add br0 index 10 up type bridge ${options}`,
    'ip link add v0 index 11 master br0 up type veth peer name v1 index 12', 'ip link set v1 up'].join('\n')], { netns: host.netnsFd })
  return host
}

interface Shown { vlan: number, vlanEnd?: number, flags?: string[] }

live('what is added is what bridge shows; ranges, PVID, untagged, the bridge itself', async () => {
  const host = await lab()
  // bridge 6.1 shows ranges also where it is not asked to.
  const shown = async (link: string): Promise<number[]> => {
    const [found] = await bridgeJson<{ vlans: Shown[] }[]>(host.netnsFd, 'vlan', 'show', 'dev', link)
    return (found?.vlans ?? []).flatMap(({ vlan, vlanEnd = vlan }) => Array.from({ length: vlanEnd - vlan + 1 }, (_, more) => vlan + more))
  }
  await host.vlans.delete('v0', 1)
  await host.vlans.add('v0', ['10-20', 30, { vid: 40, pvid: true, untagged: true }, { vid: 50, to: 52, untagged: true }])
  await host.vlans.add('br0', '10-12')
  const wanted = [
    { vid: 10, to: 20, pvid: false, untagged: false }, { vid: 30, to: undefined }, { vid: 40, pvid: true, untagged: true },
    { vid: 50, to: 52, untagged: true, pvid: false },
  ]
  expect(await host.vlans.list({ link: 'v0' })).toMatchObject(wanted.map(vlan => ({ index: 11, state: 'forwarding', ...vlan })))
  const compressed = await bridgeJson<{ vlans: Shown[] }[]>(host.netnsFd, '-c', 'vlan', 'show', 'dev', 'v0')
  expect(compressed[0]?.vlans).toMatchObject([
    { vlan: 10, vlanEnd: 20 }, { vlan: 30 }, { vlan: 40, flags: ['PVID', 'Egress Untagged'] }, { vlan: 50, vlanEnd: 52, flags: ['Egress Untagged'] },
  ])
  expect(await shown('br0')).toEqual([1, 10, 11, 12])
  await host.vlans.delete('v0', ['10-20', 40])
  expect(await shown('v0')).toEqual([30, 50, 51, 52])
  await host.vlans.delete('br0', '10-12')
  expect(await shown('br0')).toEqual([1])
})

live('options and counters of VLANs', async () => {
  const host = await lab()
  await host.vlans.add('v0', '10-12')
  await host.vlans.set('v0', '10-11', { state: 'learning' })
  expect(await host.vlans.list({ link: 'v0' })).toMatchObject([{ vid: 1 }, { vid: 10, to: 11, state: 'learning' }, { vid: 12, state: 'forwarding' }])
  const counted = await host.vlans.list({ link: 'v0', statistics: true })
  expect(counted.map(({ vid }) => vid)).toEqual([1, 10, 11, 12])
  expect(counted[0]?.statistics).toMatchObject({ rxPackets: expect.any(Number) as number, txBytes: expect.any(Number) as number })
  expect(await rejection(host.vlans.set('v0', 99, { state: 'learning' }))).toMatchObject({ code: 'ERR_NETLINK' })
})

/** Intervals in hundredths of a second. */
interface ShownGlobal extends Record<string, unknown> { vlan: number, vlanEnd?: number }

needing(...bridges, needs.kernel('bridgeVlanFiltering'), needs.kernelRelease(5, 15)).test('options in all of a bridge', async () => {
  const host = await lab()
  await host.links.set('br0', { bridge: { switches: { multicastVlanSnooping: true } } })
  await host.vlans.add('br0', '10-14')
  await host.vlans.setGlobal('br0', 10, { multicastSnooping: false })
  await host.vlans.setGlobal('br0', '11-12', {
    multicastQuerier: true, multicastIgmpVersion: 3, multicastMldVersion: 2, multicastLastMemberCount: 3,
    multicastLastMemberIntervalMs: 1500, multicastStartupQueryCount: 4, multicastStartupQueryIntervalMs: 20_000,
    multicastMembershipIntervalMs: 250_000, multicastQuerierIntervalMs: 260_000, multicastQueryIntervalMs: 120_000,
    multicastQueryResponseIntervalMs: 9000,
  })
  const [shown] = await bridgeJson<{ vlans: ShownGlobal[] }[]>(host.netnsFd, 'vlan', 'global', 'show', 'dev', 'br0')
  expect(shown?.vlans).toMatchObject([
    { vlan: 1 }, { vlan: 10, mcast_snooping: 0 },
    { vlan: 11, vlanEnd: 12, mcast_snooping: 1, mcast_querier: 1, mcast_igmp_version: 3, mcast_mld_version: 2, mcast_last_member_count: 3,
      mcast_last_member_interval: 150, mcast_startup_query_count: 4, mcast_startup_query_interval: 2000, mcast_membership_interval: 25_000,
      mcast_querier_interval: 26_000, mcast_query_interval: 12_000, mcast_query_response_interval: 900 },
    { vlan: 13, vlanEnd: 14, mcast_snooping: 1, mcast_querier: 0 },
  ])
  const listed = await host.vlans.listGlobal({ bridge: 'br0' })
  expect(listed.map(({ vid, to, multicastSnooping }) => [vid, to, multicastSnooping])).toEqual(
    shown?.vlans.map(({ vlan, vlanEnd, mcast_snooping: snooping }) => [vlan, vlanEnd, snooping === 1]))
  expect(listed[2]).toMatchObject({
    bridge: 10, vid: 11, to: 12, multicastQuerier: true, multicastIgmpVersion: 3, multicastMldVersion: 2, multicastLastMemberCount: 3,
    multicastLastMemberIntervalMs: 1500, multicastStartupQueryCount: 4, multicastStartupQueryIntervalMs: 20_000,
    multicastMembershipIntervalMs: 250_000, multicastQuerierIntervalMs: 260_000, multicastQueryIntervalMs: 120_000,
    multicastQueryResponseIntervalMs: 9000,
  })
  expect(listed.filteredHere).toEqual([])
  expect(await host.vlans.listGlobal()).toEqual(listed)

  expect(await rejection(host.vlans.setGlobal('br0', 99, { multicastSnooping: true }))).toMatchObject({ code: 'ERR_NETLINK' })
  expect(await rejection(host.vlans.setGlobal('v0', 1, { multicastSnooping: true }))).toMatchObject({ code: 'ERR_NETLINK' })
  expect(await rejection(host.vlans.setGlobal('none', 1, { multicastSnooping: true }))).toMatchObject({ code: 'ERR_NO_LINK' })
})

needing(...bridges, needs.kernel('bridgeVlanFiltering'), needs.kernelRelease(5, 18)).test('spanning trees for groups of VLANs', async () => {
  const host = await newHost()
  // Only a bridge without VLANs can be told to have several trees.
  await host.links.create({ name: 'br0', kind: 'bridge', up: true, bridge: { vlanFiltering: true, vlanDefaultPvid: 0, switches: { mst: true } } })
  await host.links.create({ name: 'v0', kind: 'veth', master: 'br0', up: true, veth: { peer: { name: 'v1', up: true } } })
  const { index } = await host.links.get('v0')
  await host.vlans.add('br0', '10-20')
  await host.vlans.add('v0', '10-20')
  await host.vlans.setGlobal('br0', '10-12', { msti: 7 })
  expect((await host.vlans.listGlobal()).map(({ vid, to, msti }) => [vid, to, msti])).toEqual([[10, 12, 7], [13, 20, 0]])
  await host.vlans.setMst('v0', 7, 'learning')
  expect(await host.vlans.listMst({ link: 'v0' })).toContainEqual({ index, msti: 7, state: 'learning' })
  // The kernel moves the VLANs of the tree, as bridge shows.
  const [shown] = await bridgeJson<{ vlans: { vlan: number, state: string }[] }[]>(host.netnsFd, '-d', 'vlan', 'show', 'dev', 'v0')
  expect(shown?.vlans.find(({ vlan }) => vlan === 10)).toMatchObject({ state: 'learning' })
  expect(shown?.vlans.find(({ vlan }) => vlan === 13)).toMatchObject({ state: 'forwarding' })
})

live('what is refused of the kernel', async () => {
  const host = await lab()
  expect(await rejection(host.vlans.add('v1', 10))).toMatchObject({ code: 'ERR_NETLINK' })
  expect(await rejection(host.vlans.add('none', 10))).toMatchObject({ code: 'ERR_NO_LINK' })
})

if (needs.kernel('bridgeVlanFiltering') !== undefined) {
  needing(...bridges).test('a kernel without VLANs in bridges says so', async () => {
    const host = await lab('0')
    const calls = [
      () => host.vlans.add('v0', 10), () => host.vlans.add('br0', 10), () => host.vlans.set('v0', 10, { state: 'learning' }), () => host.vlans.list(),
      () => host.vlans.list({ link: 'br0' }), () => host.vlans.listGlobal(), () => host.vlans.listGlobal({ bridge: 'br0' }),
      () => host.vlans.setGlobal('br0', 1, { multicastSnooping: true }), () => host.vlans.setMst('v0', 1, 'learning'),
    ]
    for (const call of calls) {
      expect(await rejection(call())).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'CONFIG_BRIDGE_VLAN_FILTERING' })
    }
  })
}

const hex = (...requests: Parameters<typeof encodeRequests>[0]): string => encodeRequests(requests).toString('hex')

/** Captured from bridge(8) of iproute2 6.1, which sends the mapping alone; the rest is compared in test/rtnetlink/bridge.test.ts. */
test('VLANs mapped to tunnels: the bytes of bridge vlan', () => {
  const { length } = hex(addVlans(11, ['10-12']))
  const tunnels = hex(addVlans(11, [{ vid: 10, to: 12, tunnelId: 1000 }]))
  expect(tunnels.slice(length)).toBe('1c00038008000100e8030000060002000a00000006000300080000001c00038008000100ea030000060002000c0000000600030010000000')
})

test.each<[string, () => unknown, string]>([
  ['no VLAN', () => addVlans(1, []), 'vid: expected at least one VLAN'],
  ['VLAN 0', () => addVlans(1, [0]), 'vid: expected a VLAN id from 1 to 4094'],
  ['VLAN 4095', () => addVlans(1, ['4000-4095']), 'to: expected a VLAN id from 1 to 4094'],
  ['a range backwards', () => addVlans(1, ['20-10']), 'to: expected the last of a range that begins with 20'],
  ['text', () => addVlans(1, ['all']), 'vid: expected a VLAN id'],
  ['null', () => addVlans(1, [null as never]), 'vid: expected a VLAN id'],
  ['the PVID of a range', () => addVlans(1, [{ vid: 10, to: 20, pvid: true }]), 'pvid: expected false, or one VLAN'],
  ['a misspelled switch', () => addVlans(1, [{ vid: 10, untaged: true } as never]), 'did you mean "untagged"?'],
  ['a switch that is no boolean', () => addVlans(1, [{ vid: 10, untagged: 1 } as never]), 'untagged: expected true or false'],
  ['a target that is none', () => addVlans(1, [10], { slef: true } as never), 'did you mean "self"?'],
  ['no option', () => setVlan(1, 10, {}), 'options: expected at least one of state'],
  ['an option that is none', () => setVlan(1, 10, { stat: 'learning' } as never), 'did you mean "state"?'],
  ['a state that is none', () => encodeRequests([setVlan(1, 10, { state: 'up' as never })]), 'one of disabled, listening'],
  ['no option of all of a bridge', () => setGlobalVlan(1, 10, {}), 'options: expected at least one of multicastSnooping'],
  ['a misspelled one', () => setGlobalVlan(1, 10, { multicastSnoping: true } as never), 'did you mean "multicastSnooping"?'],
  ['one that is only read', () => setGlobalVlan(1, 10, { multicastRouters: [] } as never), 'multicastRouters'],
  ['an interval that is none', () => encodeRequests([setGlobalVlan(1, 10, { multicastQueryIntervalMs: -1 })]), 'options.multicastQueryIntervalMs: expected'],
  ['a spanning tree that is none', () => encodeRequests([setMst(1, 4095, 'learning')]), 'msti: expected an integer from 1 to 4094'],
  ['a state in one that is none', () => encodeRequests([setMst(1, 7, 'up' as never)]), 'state: expected one of disabled, listening'],
  ['statistics that are no boolean', () => listVlans({ statistics: 1 as never }), 'statistics: expected true or false'],
])('refused before anything is sent: %s', (_, make, message) => {
  expect(make).toThrow(message)
})
