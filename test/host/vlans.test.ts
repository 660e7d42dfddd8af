/** host.vlans, judged by bridge. */
import { expect, test } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
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
      () => host.vlans.list({ link: 'br0' }),
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
  ['statistics that are no boolean', () => listVlans({ statistics: 1 as never }), 'statistics: expected true or false'],
])('refused before anything is sent: %s', (_, make, message) => {
  expect(make).toThrow(message)
})
