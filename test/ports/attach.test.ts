/** Ports as ip and bridge show them, and as guests use them. */
import { constants } from 'node:os'
import { expect } from 'vitest'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import type { PortSpec } from '../../src/network/connection.ts'
import { attachPorts, listPorts } from '../../src/ports/ports.ts'
import { bridgePort, names, openGuest, openNetwork, portNeeds, shown, targetOf, test } from './support.ts'

test('a tap of defaults: persistent, in the bridge, up, with a MAC that is not the guest\'s, and a record', async () => {
  const { lab, network } = await openNetwork('<mtu size="1400"/>')
  const bridge = await shown(lab, 'br1')
  const port = await network.attach()
  expect(port).toEqual({
    ifname: 'vnet0', index: expect.any(Number) as number, kind: 'tap', mac: expect.stringMatching(/^52:54:00(:[0-9a-f]{2}){3}$/) as string,
    ip: undefined, hostname: undefined, isolated: false, ours: true, up: true,
  })
  expect(await shown(lab, 'vnet0')).toMatchObject({
    ifindex: port.index, master: 'br1', mtu: 1400, address: `fe${port.mac.slice(2)}`,
    ifalias: `virbr network=${network.uuid} mac=${port.mac}`, group: 'default',
    linkinfo: { info_kind: 'tun', info_data: { type: 'tap', pi: false, vnet_hdr: true, multi_queue: false, persist: true } },
  })
  expect((await shown(lab, 'vnet0'))['flags']).toContain('UP')
  expect((await shown(lab, 'vnet0')).linkinfo.info_data).not.toHaveProperty('user')
  // The bridge keeps its own MAC.
  expect((await shown(lab, 'br1'))['address']).toBe(bridge['address'])
  expect(await network.ports()).toEqual([port])
  expect((await network.attach({})).ifname).toBe('vnet1')
})

test('a tap of everything that can be asked for', async () => {
  const { lab, network } = await openNetwork()
  const port = await network.attach({
    ifname: 'web1', mac: '52:54:00:AA:bb:01', owner: 1234, group: 4321, queues: 4, vnetHeader: false, isolated: true, mtu: 1300,
  })
  expect(port).toMatchObject({ ifname: 'web1', kind: 'tap', mac: '52:54:00:aa:bb:01', isolated: true, up: true })
  const link = await shown(lab, 'web1')
  expect(link).toMatchObject({
    master: 'br1', mtu: 1300, address: 'fe:54:00:aa:bb:01', ifalias: `virbr network=${network.uuid} mac=52:54:00:aa:bb:01`,
    linkinfo: { info_data: { vnet_hdr: false, multi_queue: true, persist: true, user: 1234, group: 4321 } },
  })
  expect(await bridgePort(lab, 'web1')).toMatchObject({ master: 'br1', isolated: true, flags: expect.arrayContaining(['UP']) as unknown })
})

test('a veth: the peer is born in the guest\'s namespace with its MAC and MTU, and answers through the bridge', async () => {
  const { lab, network } = await openNetwork('<ip address="10.7.0.1" prefix="24"/>')
  const guest = await openGuest()
  const port = await network.attach({
    kind: 'veth', mac: '52:54:00:00:00:07', mtu: 1280, queues: 2, peer: { ifname: 'eth0', netns: guest.netns, up: true },
  })
  expect(port).toMatchObject({ ifname: 'vnet0', kind: 'veth', mac: '52:54:00:00:00:07', ours: true, up: true })
  expect(await shown(lab, 'vnet0')).toMatchObject({ master: 'br1', mtu: 1280, address: 'fe:54:00:00:00:07', num_tx_queues: 2, num_rx_queues: 2 })
  expect(await shown(guest, 'eth0')).toMatchObject({ mtu: 1280, address: '52:54:00:00:00:07', operstate: 'UP', num_tx_queues: 2, num_rx_queues: 2 })
  expect(await names(guest)).toEqual(['eth0', 'lo'])
  await guest.host.addresses.add('eth0', '10.7.0.2/24')
  await run('ping', ['-c', '1', '-W', '5', '10.7.0.1'], { netns: guest.netns })
})

test('a veth with its peer beside it, down unless asked, with one queue', async () => {
  const { lab, network } = await openNetwork()
  await network.attach({ kind: 'veth', ifname: 'host0', peer: { ifname: 'guest0' } })
  expect(await shown(lab, 'guest0')).toMatchObject({ link: 'host0', operstate: 'DOWN', num_tx_queues: 1, num_rx_queues: 1 })
  expect((await shown(lab, 'guest0'))['flags']).not.toContain('UP')
  expect(await shown(lab, 'guest0')).not.toHaveProperty('master')
  expect(await shown(lab, 'host0')).toMatchObject({ num_tx_queues: 1, num_rx_queues: 1 })
})

test('isolated ports reach the bridge, and others, but not each other', async () => {
  const { lab, network } = await openNetwork('<port isolated="yes"/><ip address="10.7.0.1" prefix="24"/>')
  const guests = await Promise.all([openGuest(), openGuest(), openGuest()])
  const ports = await network.attachMany(guests.map(({ netns }, index) => ({
    kind: 'veth', peer: { ifname: 'eth0', netns, up: true }, ...(index === 2 ? { isolated: false } : {}),
  })))
  expect(ports.map(({ isolated }) => isolated)).toEqual([true, true, false])
  for (const [index, { host }] of guests.entries()) await host.addresses.add('eth0', `10.7.0.${index + 2}/24`)
  const ping = (from: number, to: string) => tryRun('ping', ['-c', '1', '-W', '2', to], { netns: guests[from]?.netns })
  expect((await ping(0, '10.7.0.1')).status).toBe(0)
  expect((await ping(0, '10.7.0.4')).status).toBe(0)
  expect((await ping(0, '10.7.0.3')).status).not.toBe(0)
  expect(await bridgePort(lab, 'vnet0')).toMatchObject({ isolated: true })
  expect(await bridgePort(lab, 'vnet2')).toMatchObject({ isolated: false })
})

test('many of both kinds: results in order of the call, names around those that are taken, MACs all different', async () => {
  const { lab, network } = await openNetwork()
  await lab.sh('ip link add vnet1 type bridge')
  const guest = await openGuest()
  const specs = Array.from({ length: 40 }, (_, index): PortSpec => index % 3 === 0 ? {}
    : { kind: 'veth', peer: { ifname: `eth${index}`, netns: guest.netns, up: true }, ...(index === 4 ? { ifname: 'vnet3' } : {}) })
  const ports = await network.attachMany(specs)
  expect(ports.map(({ kind }) => kind)).toEqual(specs.map(({ kind }) => kind ?? 'tap'))
  expect(ports.slice(0, 6).map(({ ifname }) => ifname)).toEqual(['vnet0', 'vnet2', 'vnet4', 'vnet5', 'vnet3', 'vnet6'])
  expect(new Set(ports.map(({ mac }) => mac)).size).toBe(40)
  expect(await network.ports()).toEqual(ports.toSorted((a, b) => a.index - b.index))
  for (const { ifname, index } of ports) expect(await shown(lab, ifname)).toMatchObject({ ifindex: index, master: 'br1' })
  expect((await names(guest)).length).toBe(1 + specs.filter(({ kind }) => kind === 'veth').length)
})

test('links that others put into the bridge are shown, as not ours', async () => {
  const { lab, network } = await openNetwork()
  await lab.sh('ip link add other type veth peer name elsewhere; ip link set other address 02:00:00:00:00:05 master br1 alias mine')
  await network.attach()
  expect(await network.ports()).toMatchObject([
    { ifname: 'other', kind: 'veth', mac: '02:00:00:00:00:05', ours: false, up: false },
    { ifname: 'vnet0', ours: true },
  ])
})

test('a bridge of the host, with its own MAC', async () => {
  const { lab, network } = await openNetwork()
  await lab.sh('ip link add br0 type bridge; ip link set br0 up')
  const target = await targetOf(lab, network)
  const hostBridge = { ...target, network: { ...target.network, bridge: 'br0',
    config: { name: 'lan', forward: { mode: 'bridge' as const }, bridge: { name: 'br0' }, mac: { address: '52:54:00:00:00:99' } } } }
  await attachPorts(hostBridge, [{}])
  expect(await shown(lab, 'vnet0')).toMatchObject({ master: 'br0' })
  expect(await listPorts(hostBridge)).toMatchObject([{ ifname: 'vnet0', ours: true }])
})

test('detached ports are gone, with their peers, and the others are not', async () => {
  const { lab, network } = await openNetwork()
  const guest = await openGuest()
  await lab.sh('ip link add other type veth peer name elsewhere; ip link set other master br1')
  const ports = await network.attachMany([{}, {}, { kind: 'veth', peer: { ifname: 'eth0', netns: guest.netns } }, {}])
  await network.detachMany(ports.slice(1, 3).map(({ ifname }) => ifname))
  expect(await names(lab)).toEqual(['br1', 'elsewhere', 'lo', 'other', 'vnet0', 'vnet3'])
  expect(await names(guest)).toEqual(['lo'])
  await network.detachMany([])
  expect((await network.ports()).map(({ ifname }) => ifname)).toEqual(['other', 'vnet0', 'vnet3'])
})

test('ports stay when the network is destroyed, and can be detached then', async () => {
  const { lab, network } = await openNetwork()
  await (await lab.connect()).networks.define(await network.xml())
  await network.attachMany([{}, {}])
  await network.destroy()
  expect(await network.ports()).toEqual([])
  expect(await names(lab)).toEqual(['lo', 'vnet0', 'vnet1'])
  await network.detachMany(['vnet0', 'vnet1'])
  expect(await names(lab)).toEqual(['lo'])
})

test('two connections that attach at the same time', async () => {
  const { lab, network } = await openNetwork()
  const other = await (await lab.connect()).networks.get('lan')
  const both = await Promise.all([network, other].flatMap(one => Array.from({ length: 4 }, () => one.attach())))
  expect(new Set(both.map(({ ifname }) => ifname)).size).toBe(8)
  expect((await network.ports()).length).toBe(8)
})

/** TUNSETIFF as nobody, with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR, by a program that is no part of virbr. */
const openTap = `
import fcntl, os, struct, sys
tun = open('/dev/net/tun', 'r+b', buffering=0)
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH22x', sys.argv[1].encode(), 0x5002))
`

needing(...portNeeds, needs.root, needs.tool('python3')).test('its owner may open a tap, and nobody else', async () => {
  const { lab, network } = await openNetwork()
  await network.attach({ ifname: 'mine', owner: 65534 })
  await network.attach({ ifname: 'theirs', owner: 1 })
  const asNobody = (name: string) => tryRun('python3', ['-c', openTap, name], { netns: lab.netns })
  expect(await asNobody('mine')).toMatchObject({ status: 0, stderr: '' })
  expect((await asNobody('theirs')).stderr).toContain(`Errno ${constants.errno.EPERM}`)
})
