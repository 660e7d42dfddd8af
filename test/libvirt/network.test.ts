/** One network: life, state errors, XML, leases, ports, on a real daemon, by the witness of virsh, ip and a DHCP client. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import { LibvirtError } from '../../src/libvirt/errors.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import type { Libvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, connectFor, connectMock, failureOf, networkXml } from './support.ts'

const mock = needing(needs.library('libvirt.so.0'))
const { describe, test } = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds(), needs.kernel('bridge'), needs.kernel('veth'))
const dhcp = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds(), needs.kernel('veth'), needs.tool('udhcpc'))

mock.test('the mock does what it can, and says what it cannot', async () => {
  const { networks } = await connectMock()
  const network = await networks.get('default')
  expect(await network.info()).toEqual({ active: true, persistent: true, autostart: false, bridge: 'virbr0' })
  expect(await codeOf(network.start())).toBe('ERR_NETWORK_ACTIVE')
  expect(await codeOf(network.undefine())).toBe('ERR_NETWORK_ACTIVE')
  expect(await codeOf(network.leases())).toBe('ERR_UNSUPPORTED')
  await network.destroy()
  await network.undefine()
  for (const call of [() => network.info(), () => network.start(), () => network.xml(), () => network.setAutostart(true)]) {
    expect(await codeOf(call)).toBe('ERR_NO_NETWORK')
  }
})

describe('a network', () => {
  let daemon: Libvirtd
  let connection: LibvirtConnection
  beforeAll(async () => {
    daemon = await startLibvirtd()
    connection = await connectLibvirt(daemon.socketUri, { netns: daemon.netns })
  })
  afterAll(async () => {
    await connection.close()
    await daemon.stop()
  })

  test('is defined, started, marked, stopped and forgotten, as virsh sees it', async () => {
    const network = await connection.networks.define(networkXml('life', { subnet: 1 }))
    const info = async () => Object.fromEntries((await daemon.virsh('net-info', 'life')).trim().split('\n').map(line => line.split(/:\s*/)))
    expect(await info()).toMatchObject({ UUID: network.uuid, Active: 'no', Persistent: 'yes', Autostart: 'no', Bridge: 'life-br' })
    await network.start()
    expect(await info()).toMatchObject({ Active: 'yes' })
    expect(await daemon.inside('ip', '-br', 'addr', 'show', 'life-br')).toContain('10.77.1.1/24')
    await network.setAutostart(true)
    expect(await info()).toMatchObject({ Autostart: 'yes' })
    expect(await network.info()).toEqual({ active: true, persistent: true, autostart: true, bridge: 'life-br' })
    await network.setAutostart(false)
    await network.undefine()
    expect(await info()).toMatchObject({ Active: 'yes', Persistent: 'no' })
    await network.destroy()
    expect(await daemon.virsh('net-list', '--all', '--name')).not.toContain('life')
    expect(await codeOf(network.info())).toBe('ERR_NO_NETWORK')
  })

  test('has a code for every state that does not fit', async () => {
    const network = await connection.networks.define(networkXml('state', { subnet: 2 }))
    expect(await codeOf(network.destroy())).toBe('ERR_NETWORK_INACTIVE')
    expect(await codeOf(network.leases())).toBe('ERR_NETWORK_INACTIVE')
    expect(await codeOf(network.attach())).toBe('ERR_NETWORK_INACTIVE')
    expect(await network.ports()).toEqual([])
    await network.start()
    const error = await failureOf(network.start())
    expect(error).toBeInstanceOf(LibvirtError)
    expect(error).toMatchObject({ code: 'ERR_NETWORK_ACTIVE', libvirt: { codeName: 'VIR_ERR_OPERATION_INVALID', domainName: 'VIR_FROM_NETWORK' } })
    await network.undefine()
    const onlyPersistent = [
      () => network.undefine(), () => network.setAutostart(true), () => network.xml({ inactive: true }),
      () => network.config({ inactive: true }),
    ]
    for (const call of onlyPersistent) {
      expect(await codeOf(call)).toBe('ERR_NETWORK_TRANSIENT')
    }
    await network.destroy()
    expect(await codeOf(network.setAutostart('yes' as unknown as boolean))).toBe('ERR_INVALID_ARGUMENT')
  })

  test('shows its running and its persistent configuration', async () => {
    const network = await connection.networks.define({ name: 'shown', bridge: { name: 'shown-br' }, forward: { mode: 'nat' }, ip: [{ address: '10.77.3.1', prefix: 24 }] })
    await network.start()
    await connection.networks.define((await network.xml({ inactive: true })).replace('<network>', '<network ipv6=\'yes\'>'))
    expect(await network.xml()).toBe(await daemon.virsh('net-dumpxml', 'shown'))
    expect(await network.xml({ inactive: true })).toBe(await daemon.virsh('net-dumpxml', '--inactive', 'shown'))
    expect((await network.config()).ipv6).toBeUndefined()
    expect(await network.config({ inactive: true })).toMatchObject({ name: 'shown', ipv6: true, forward: { mode: 'nat' } })
    await network.destroy()
    await network.undefine()
  })

  test('without a bridge has none in its info', async () => {
    const network = await connection.networks.define('<network><name>tap</name><forward mode="passthrough"><interface dev="eth7"/></forward></network>')
    expect(await network.info()).toMatchObject({ bridge: '' })
    await network.undefine()
  })

  test('takes guests’ ports through netlink', async () => {
    const network = await connection.networks.create(networkXml('ports', { subnet: 4, inside: '<mac address="52:54:00:00:77:04"/>' }))
    const [one, two] = await network.attachMany([{}, { kind: 'veth', ifname: 'v0', peer: { ifname: 'v0-guest' } }])
    expect(one).toMatchObject({ ifname: 'vnet0', kind: 'tap', ours: true })
    expect(two).toMatchObject({ ifname: 'v0', kind: 'veth' })
    const links = await daemon.inside('ip', '-br', 'link', 'show', 'master', 'ports-br')
    expect(links.trim().split('\n').map(line => line.split(/[ @]/)[0]).sort()).toEqual(['v0', 'vnet0'])
    expect((await network.ports()).map(({ ifname }) => ifname).sort()).toEqual(['v0', 'vnet0'])
    await network.detachMany(['vnet0', 'v0'])
    expect(await network.ports()).toEqual([])
    await network.destroy()
  })

  test('whose bridge is elsewhere takes none', async () => {
    const here = await connectFor(daemon.socketUri)
    const network = await here.networks.create(networkXml('far', { subnet: 5 }))
    expect(await codeOf(network.attach())).toBe('ERR_NO_BRIDGE')
    await network.destroy()
  })
})

dhcp.test('leases are what a DHCP client got', async () => {
  await using daemon = await startLibvirtd()
  const { networks } = await connectFor(daemon.socketUri, { netns: daemon.netns })
  const network = await networks.create({
    name: 'leases', bridge: { name: 'leases-br', stp: false },
    ip: [{ address: '10.77.6.1', prefix: 24, dhcp: { range: [{ start: '10.77.6.10', end: '10.77.6.10' }] } }],
  })
  expect(await network.leases()).toEqual([])
  const mac = '52:54:00:00:00:66'
  await daemon.inside('ip', 'netns', 'add', 'guest')
  await network.attach({ kind: 'veth', ifname: 'p0', mac, peer: { ifname: 'g0' } })
  await daemon.inside('ip', 'link', 'set', 'g0', 'netns', 'guest')
  const guest = (...command: string[]) => daemon.inside('ip', 'netns', 'exec', 'guest', ...command)
  await guest('ip', 'link', 'set', 'g0', 'address', mac, 'up')
  await sleep(100)
  await guest('udhcpc', '-i', 'g0', '-n', '-q', '-f', '-t', '10', '-T', '1', '-x', 'hostname:fred', '-s', '/bin/true')
  const before = Date.now() / 1000
  // dnsmasq tells libvirt of it a moment later.
  while ((await network.leases()).length === 0) await sleep(20)
  const [lease, ...rest] = await network.leases()
  expect(rest).toEqual([])
  expect(lease).toEqual({
    iface: 'leases-br', type: 'ipv4', mac, iaid: undefined, ipaddr: '10.77.6.10', prefix: 24, hostname: 'fred',
    clientid: `01:${mac}`, expiryTime: expect.any(Number) as number,
  })
  expect(lease?.expiryTime).toBeGreaterThan(before + 3000)
  expect(await daemon.virsh('net-dhcp-leases', 'leases')).toContain('10.77.6.10/24')
  expect(await network.leases({ mac: mac.toUpperCase() })).toHaveLength(1)
  expect(await network.leases({ mac: '52:54:00:00:00:67' })).toEqual([])
  expect(await codeOf(network.leases({ mac: 'x\0' }))).toBe('ERR_INVALID_ARGUMENT')
})
