/** The host's interfaces: changed in libvirt's test driver, read from a real libvirtd's udev backend. */
import { expect, onTestFinished } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { HostInterfaces } from '../../src/libvirt/interfaces.ts'
import { ipJson } from '../support/lab.ts'
import { libvirtdNeeds, startLibvirtd, testNode } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { connectFor } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))

const ethernet = (name: string, mac: string) =>
  `<interface type='ethernet' name='${name}'><start mode='none'/><mac address='${mac}'/></interface>`

/** A node with `eth1` and `eth2`, both up. */
async function connectNode(): Promise<HostInterfaces> {
  const node = await testNode(ethernet('eth2', '52:54:00:00:00:02') + ethernet('eth1', '52:54:00:00:00:01'))
  onTestFinished(() => node[Symbol.asyncDispose]())
  return (await connectFor(node.uri)).interfaces
}

const namesOf = async (interfaces: HostInterfaces, filter?: { active?: boolean }) =>
  (await interfaces.list(filter)).map(({ name }) => name)

test('are listed by name, and found by name and MAC', async () => {
  const interfaces = await connectNode()
  expect(await namesOf(interfaces)).toEqual(['eth1', 'eth2'])
  const eth1 = await interfaces.get('eth1')
  expect(await eth1.mac()).toBe('52:54:00:00:00:01')
  expect((await interfaces.getByMac('52:54:00:00:00:02')).name).toBe('eth2')
  expect(await eth1.xml()).toContain(`<interface type='ethernet' name='eth1'>`)
  expect(await eth1.isActive()).toBe(true)
})

test('are taken down and up, defined and undefined', async () => {
  const interfaces = await connectNode()
  const eth1 = await interfaces.get('eth1')
  await eth1.destroy()
  expect(await eth1.isActive()).toBe(false)
  expect(await namesOf(interfaces, { active: true })).toEqual(['eth2'])
  expect(await namesOf(interfaces, { active: false })).toEqual(['eth1'])
  await eth1.start()
  expect(await namesOf(interfaces, { active: true })).toEqual(['eth1', 'eth2'])
  await interfaces.define(ethernet('eth3', '52:54:00:00:00:03'))
  expect(await namesOf(interfaces)).toEqual(['eth1', 'eth2', 'eth3'])
  await (await interfaces.get('eth3')).undefine()
  expect(await namesOf(interfaces)).toEqual(['eth1', 'eth2'])
})

test('a change is rolled back or committed', async () => {
  const interfaces = await connectNode()
  await interfaces.begin()
  await (await interfaces.get('eth1')).undefine()
  expect(await namesOf(interfaces)).toEqual(['eth2'])
  await interfaces.rollback()
  expect(await namesOf(interfaces)).toEqual(['eth1', 'eth2'])
  await interfaces.begin()
  await expect(interfaces.begin()).rejects.toMatchObject({ code: 'ERR_LIBVIRT', libvirt: { codeName: 'VIR_ERR_OPERATION_INVALID' } })
  await (await interfaces.get('eth1')).undefine()
  await interfaces.commit()
  expect(await namesOf(interfaces)).toEqual(['eth2'])
  await expect(interfaces.rollback()).rejects.toMatchObject({ libvirt: { codeName: 'VIR_ERR_OPERATION_INVALID' } })
})

test('refusals', async () => {
  const interfaces = await connectNode()
  await expect(interfaces.get('eth9')).rejects.toMatchObject({ code: 'ERR_NO_INTERFACE' })
  await expect(interfaces.getByMac('52:54:00:00:00:09')).rejects.toMatchObject({ code: 'ERR_NO_INTERFACE' })
  await expect(interfaces.getByMac('eth1')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'mac' })
  await expect(interfaces.get('')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'name' })
  await expect(interfaces.define('<interface')).rejects.toMatchObject({ code: 'ERR_INVALID_XML' })
  await expect(interfaces.list({ activ: true } as object)).rejects.toMatchObject({ field: 'filter.activ' })
  const eth1 = await interfaces.get('eth1')
  await eth1.undefine()
  await expect(eth1.isActive()).rejects.toMatchObject({ code: 'ERR_NO_INTERFACE' })
  await eth1.close()
  await expect(eth1.mac()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})

needing(...libvirtdNeeds(), needs.library('libvirt/connection-driver/libvirt_driver_interface.so'), needs.kernel('bridge'))
  .test('a real host\'s, as ip shows them', async () => {
    await using daemon = await startLibvirtd({ setup: 'ip link add br7 type bridge; ip link set br7 address 52:54:00:00:00:77' })
    await using connection = await connectLibvirt(daemon.socketUri)
    const links = await ipJson({ pid: daemon.pid }, 'link', 'show')
    const names = links.map(link => String(link['ifname'])).sort()
    expect(names).toContain('br7')
    expect(await namesOf(connection.interfaces)).toEqual(names)
    const br7 = await connection.interfaces.get('br7')
    expect(await br7.mac()).toBe('52:54:00:00:00:77')
    expect(await br7.xml()).toContain(`<interface type='bridge' name='br7'>`)
    expect((await connection.interfaces.getByMac('52:54:00:00:00:77')).name).toBe('br7')
    // This backend only reads.
    await expect(br7.start()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
  })
