/** Network filters of a real libvirtd: what virsh and nft see of them. */
import { afterAll, beforeAll, expect } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import type { Libvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'

const { describe, test } = needing(...libvirtdNeeds(), needs.tool('nft'), needs.tool('ebtables'), needs.kernel('tap'),
  needs.library('libvirt/connection-driver/libvirt_driver_nwfilter.so'))

const filterXml = (name: string, source: string, uuid?: string) => `<filter name='${name}' chain='root'>
  ${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}<rule action='drop' direction='in' priority='500'><ip srcipaddr='${source}'/></rule></filter>`

const bindingXml = (device: string, filter: string) => `<filterbinding>
  <owner><name>guest</name><uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid></owner>
  <portdev name='${device}'/><mac address='52:54:00:7b:35:93'/><filterref filter='${filter}'/></filterbinding>`

describe('network filters', () => {
  let daemon: Libvirtd
  let connection: LibvirtConnection
  const rules = () => daemon.inside('nft', 'list', 'ruleset')
  beforeAll(async () => {
    daemon = await startLibvirtd({ setup: 'for tap in tap0 tap1; do ip tuntap add dev $tap mode tap; ip link set $tap up; done' })
    connection = await connectLibvirt(daemon.socketUri, { reconnect: true })
  })
  afterAll(async () => {
    await connection?.close()
    await daemon?.stop()
  })

  test('are defined, listed, found, replaced, undefined', async () => {
    const { nwfilters } = connection
    const zulu = await nwfilters.define(filterXml('zulu', '10.0.0.1'))
    await nwfilters.define(filterXml('alpha', '10.0.0.2'), { validate: true })
    const listed = await nwfilters.list()
    expect(listed.map(({ name }) => name)).toEqual(['alpha', 'zulu'])
    const virsh = await daemon.virsh('nwfilter-list')
    for (const { name, uuid } of listed) expect(virsh).toMatch(RegExp(`${uuid} +${name}`))
    expect((await nwfilters.get('zulu')).uuid).toBe(zulu.uuid)
    expect((await nwfilters.get(zulu.uuid.toUpperCase().replaceAll('-', ''))).name).toBe('zulu')
    expect((await zulu.xml()).trim()).toBe((await daemon.virsh('nwfilter-dumpxml', 'zulu')).trim())
    await nwfilters.define(filterXml('zulu', '10.9.9.9', zulu.uuid))
    expect(await zulu.xml()).toContain('10.9.9.9')
    await zulu.undefine()
    expect(await daemon.virsh('nwfilter-list')).not.toContain('zulu')
    await expect(zulu.xml()).rejects.toMatchObject({ code: 'ERR_NO_NWFILTER' })
    await (await nwfilters.get('alpha')).undefine()
    expect(await nwfilters.list()).toEqual([])
  })

  test('are refused with a reason', async () => {
    const { nwfilters, nwfilterBindings } = connection
    const invalid = { code: 'ERR_INVALID_XML' }
    await expect(nwfilters.define('<filter')).rejects.toMatchObject(invalid)
    await expect(nwfilters.define(`<filter name='x' chain='root'><rule/></filter>`, { validate: true })).rejects.toMatchObject(invalid)
    const missing = { code: 'ERR_NO_NWFILTER', libvirt: { codeName: 'VIR_ERR_NO_NWFILTER' } }
    await expect(nwfilters.get('nobody')).rejects.toMatchObject(missing)
    await expect(nwfilters.get('d54df46f-1ab5-4a22-8618-4560ef5fac2c')).rejects.toMatchObject(missing)
    await expect(nwfilterBindings.get('tap7')).rejects.toMatchObject({ code: 'ERR_NO_NWFILTER' })
    await expect(nwfilters.get('')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'nameOrUuid' })
    await expect(nwfilters.define(5 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'xml' })
    await expect(nwfilters.define('<filter/>', { valid: true } as object)).rejects.toMatchObject({ field: 'options.valid' })
  })

  test('filter a device while bound to it', async () => {
    const { nwfilters, nwfilterBindings } = connection
    const filter = await nwfilters.define(filterXml('spoof', '10.1.2.3'))
    const [second, first] = [
      await nwfilterBindings.create(bindingXml('tap1', 'spoof'), { validate: true }), await nwfilterBindings.create(bindingXml('tap0', 'spoof')),
    ]
    expect(second).toMatchObject({ portDev: 'tap1', filterName: 'spoof' })
    expect((await nwfilterBindings.list()).map(({ portDev, filterName }) => [portDev, filterName])).toEqual([['tap0', 'spoof'], ['tap1', 'spoof']])
    expect(await rules()).toMatch(/chain libvirt-O-tap0 \{\s+ether type ip ip saddr 10\.1\.2\.3 counter packets 0 bytes 0 drop/)
    // Bound devices follow a changed filter.
    await nwfilters.define(filterXml('spoof', '10.4.5.6', filter.uuid))
    expect(await rules()).toContain('ip saddr 10.4.5.6')
    await expect(filter.undefine()).rejects.toMatchObject({ code: 'ERR_LIBVIRT', libvirt: { codeName: 'VIR_ERR_OPERATION_INVALID' } })
    await first.delete()
    expect(await rules()).not.toContain('tap0')
    const found = await nwfilterBindings.get('tap1')
    expect((await found.xml()).trim()).toBe((await daemon.virsh('nwfilter-binding-dumpxml', 'tap1')).trim())
    await found.delete()
    await expect(second.xml()).rejects.toMatchObject({ code: 'ERR_NO_NWFILTER' })
    await filter.undefine()
    expect(await rules()).not.toContain('10.4.5.6')
  })

  test('are known again after libvirtd was killed and started', async () => {
    const { nwfilters, nwfilterBindings } = connection
    const filter = await nwfilters.define(filterXml('again', '10.1.2.3'))
    const binding = await nwfilterBindings.create(bindingXml('tap0', 'again'))
    await daemon.restart()
    await expect.poll(() => filter.xml().catch(() => ''), { timeout: 20_000 }).toContain('10.1.2.3')
    expect(await binding.xml()).toContain(`<filterref filter='again'>`)
    await binding.delete()
    await filter.undefine()
  })
})
