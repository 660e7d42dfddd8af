/** Lists, lookups, define and create: libvirt's mock, and a real daemon where the mock differs. */
import { expect } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { LibvirtError } from '../../src/libvirt/errors.ts'
import type { NetworkConfig } from '../../src/network/config.ts'
import type { NetworkFilter } from '../../src/network/connection.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, connectFor, connectMock, failureOf, networkXml, uuidOf } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))
const withDaemon = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds(), needs.kernel('bridge'))

test('are listed by name, each filter with its opposite', async () => {
  const { networks } = await connectMock()
  await (await networks.define(networkXml('beta', { subnet: 6 }))).setAutostart(true)
  await networks.create(networkXml('alpha', { subnet: 7 }))
  const names = async (filter?: NetworkFilter) => (await networks.list(filter)).map(({ name }) => name)
  expect(await names()).toEqual(['alpha', 'beta', 'default'])
  expect(await names({ active: true })).toEqual(['alpha', 'default'])
  expect(await names({ active: false })).toEqual(['beta'])
  expect(await names({ persistent: true })).toEqual(['beta', 'default'])
  expect(await names({ persistent: false })).toEqual(['alpha'])
  expect(await names({ autostart: true })).toEqual(['beta'])
  expect(await names({ active: true, persistent: true, autostart: false })).toEqual(['default'])
  expect(await failureOf(networks.list({ activ: true } as NetworkFilter))).toMatchObject({ field: 'filter.activ' })
})

test('are looked up by name, and by UUID in any spelling', async () => {
  const { networks } = await connectMock()
  const { uuid } = await networks.get('default')
  expect(uuid).toBe(uuidOf(1))
  for (const spelling of [uuid, uuid.toUpperCase(), uuid.replaceAll('-', '')]) expect((await networks.get(spelling)).name).toBe('default')
  for (const unknown of ['nowhere', 'Default', uuidOf(9), 'x'.repeat(5000), '☃', '<&>']) {
    expect(await codeOf(networks.get(unknown))).toBe('ERR_NO_NETWORK')
  }
  for (const wrong of ['', 'a\0b', 5, null, undefined, {}]) {
    expect(await failureOf(networks.get(wrong as string))).toBeInstanceOf(InvalidArgumentError)
  }
})

test('an object is checked before libvirt is asked; XML is libvirt’s to judge', async () => {
  const { networks } = await connectMock()
  expect(await failureOf(networks.define({ name: 'lab', ip: [{ address: '10.1.1.0', prefix: 24 }] }))).toMatchObject({
    code: 'ERR_INVALID_ARGUMENT', field: 'ip[0].address',
  })
  expect(await failureOf(networks.define({ nam: 'lab' } as unknown as NetworkConfig))).toBeInstanceOf(InvalidArgumentError)
  for (const xml of ['<network', '<domain/>', '<network/>', 'text']) {
    const error = await failureOf(networks.define(xml))
    expect(error).toBeInstanceOf(LibvirtError)
    expect(error.code).toBe('ERR_INVALID_XML')
  }
  // Unknown to all: passed over, unless it is to be validated.
  const odd = networkXml('odd', { inside: '<nonsense/>' })
  expect((await networks.define(odd)).name).toBe('odd')
  expect(await codeOf(networks.define(odd, { validate: true }))).toBe('ERR_INVALID_XML')
  expect(await codeOf(networks.create(odd.replaceAll('odd', 'even'), { validate: true }))).toBe('ERR_INVALID_XML')
  expect(await codeOf(networks.define(odd, { validat: true } as object))).toBe('ERR_INVALID_ARGUMENT')
  expect((await networks.list()).map(({ name }) => name)).toEqual(['default', 'odd'])
})

test('autostart starts those that are marked', async () => {
  const { networks } = await connectMock()
  for (const name of ['b', 'a', 'c']) await (await networks.define(networkXml(name))).setAutostart(name !== 'c')
  expect((await networks.autostart()).map(({ name }) => name)).toEqual(['a', 'b'])
  expect(await networks.autostart()).toEqual([])
  expect((await networks.list({ active: false })).map(({ name }) => name)).toEqual(['c'])
})

withDaemon.test('names, UUIDs and bridges that are taken have codes of their own', async () => {
  await using daemon = await startLibvirtd()
  const { networks } = await connectFor(daemon.socketUri)
  const lab = await networks.define(networkXml('lab', { uuid: uuidOf(2) }))
  expect(await codeOf(networks.define(networkXml('lab', { uuid: uuidOf(3) })))).toBe('ERR_NETWORK_EXISTS')
  expect(await codeOf(networks.define(networkXml('other', { uuid: uuidOf(2) })))).toBe('ERR_NETWORK_EXISTS')
  expect(await codeOf(networks.create(networkXml('lab', { uuid: uuidOf(3) })))).toBe('ERR_NETWORK_EXISTS')
  expect(await codeOf(networks.define(networkXml('other').replace('other-br', 'lab-br')))).toBe('ERR_BRIDGE_IN_USE')
  // The same name and UUID: replaced.
  expect((await networks.define(networkXml('lab', { uuid: uuidOf(2), subnet: 9 }))).uuid).toBe(lab.uuid)
  expect(await daemon.virsh('net-dumpxml', 'lab')).toContain('10.77.9.1')

  await lab.start()
  expect(await codeOf(networks.create(networkXml('lab', { uuid: uuidOf(2) })))).toBe('ERR_NETWORK_EXISTS')
  const same = await networks.define(networkXml('same', { subnet: 9 }))
  expect(await codeOf(same.start())).toBe('ERR_SUBNET_IN_USE')
  await daemon.inside('ip', 'link', 'add', 'free-br', 'type', 'bridge')
  const taken = await networks.define(networkXml('free'))
  expect(await codeOf(taken.start())).toBe('ERR_BRIDGE_IN_USE')
})

const ip: NetworkConfig['ip'] = [{ address: '10.77.9.1', prefix: 24 }]
const modes: [string, Omit<NetworkConfig, 'name'>, string][] = [
  ['nat', { forward: { mode: 'nat' }, bridge: { name: 'mode-br' }, ip }, 'mode-br'],
  ['route', { forward: { mode: 'route' }, bridge: { name: 'mode-br' }, ip }, 'mode-br'],
  ['open', { forward: { mode: 'open' }, bridge: { name: 'mode-br' }, ip }, 'mode-br'],
  ['isolated', { bridge: { name: 'mode-br' }, ip }, 'mode-br'],
  ['bridge', { forward: { mode: 'bridge' }, bridge: { name: 'host-br' } }, 'host-br'],
  ['private', { forward: { mode: 'private', interface: [{ dev: 'e0' }] } }, ''],
  ['vepa', { forward: { mode: 'vepa', interface: [{ dev: 'e0' }] } }, ''],
  ['passthrough', { forward: { mode: 'passthrough', interface: [{ dev: 'e0' }, { dev: 'e1' }] } }, ''],
]

needing(withDaemon.missing, needs.kernel('veth'), needs.kernel('iptablesNft')).test('every forward mode is started and stopped', async () => {
  await using daemon = await startLibvirtd({ setup: 'ip link add host-br type bridge; ip link add e0 type veth peer name e1' })
  const { networks } = await connectFor(daemon.socketUri)
  for (const [name, config, bridge] of modes) {
    const network = await networks.define({ name, ...config })
    await network.start()
    expect(await daemon.virsh('net-info', name)).toMatch(/^Active: +yes$/m)
    expect(await network.info()).toEqual({ active: true, persistent: true, autostart: false, bridge })
    const shown = await network.config()
    expect(shown.forward?.mode ?? 'isolated').toBe(name)
    expect(await networks.define(shown).then(({ uuid }) => uuid)).toBe(network.uuid)
    await network.destroy()
    await network.undefine()
  }
  // Its devices are PCI; without one it can still be kept.
  const hostdev = await networks.define({ name: 'hostdev', forward: { mode: 'hostdev', managed: true, pf: { dev: 'e0' } } })
  expect(await daemon.virsh('net-dumpxml', '--inactive', 'hostdev')).toContain("mode='hostdev' managed='yes'")
  await hostdev.undefine()
}, 60_000)

withDaemon.test('50 are made and taken away at once', async () => {
  await using daemon = await startLibvirtd()
  const { networks } = await connectFor(daemon.socketUri)
  const subnets = Array.from({ length: 50 }, (_, index) => index)
  // Without a firewall or dnsmasq: of each network libvirtd would start 30 programs, which is nothing to us.
  const bare = (subnet: number) => networkXml(`n${subnet}`, { subnet, inside: "<forward mode='open'/><dns enable='no'/>" })
  const made = await Promise.all(subnets.map(subnet => networks.create(bare(subnet))))
  expect(new Set(made.map(({ uuid }) => uuid)).size).toBe(50)
  expect((await daemon.virsh('net-list', '--name')).trim().split('\n').sort()).toEqual(subnets.map(subnet => `n${subnet}`).sort())
  await Promise.all(made.map(network => network.destroy()))
  expect((await daemon.virsh('net-list', '--all', '--name')).trim()).toBe('')
  expect(await daemon.inside('ip', '-br', 'link', 'show', 'type', 'bridge')).toBe('')
}, 60_000)
