/** Ports of a real libvirtd's network, and what tc shows of their bandwidth. */
import { afterAll, beforeAll, expect } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import type { LibvirtNetwork } from '../../src/libvirt/network.ts'
import type { NetworkPortConfig, NetworkPortCreateOptions } from '../../src/libvirt/ports.ts'
import { quickNetworkXml } from '../support/guest.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import type { Libvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'

const { describe, test } = needing(...libvirtdNeeds({ lenientTc: true }), needs.kernel('htb'))

const owner = { name: `guest & 'friends' <1>`, uuid: 'D54DF46F1AB54A2286184560EF5FAC2C' }
const nobody = 'd54df46f-1ab5-4a22-8618-000000000000'

/** 10,000 KiB/s to its guests. */
const networkXml = quickNetworkXml('quick', 'virbr5').replace('<ip ',
  `<bandwidth><inbound average='10000'/><outbound average='10000'/></bandwidth><portgroup name='pg'/><ip `)

describe('ports of a network', () => {
  let daemon: Libvirtd
  let connection: LibvirtConnection
  let network: LibvirtNetwork
  let macs = 0
  const make = (more: Partial<NetworkPortConfig> = {}, options?: NetworkPortCreateOptions) =>
    network.networkPorts.create({ owner, mac: `52:54:00:00:00:${(++macs).toString(16).padStart(2, '0')}`, ...more }, options)
  /** Guaranteed rates of the classes that are not the network's own. */
  const guarantees = async () => {
    const classes = await daemon.inside('tc', 'class', 'show', 'dev', 'virbr5')
    return [...classes.matchAll(/class htb 1:(\d+) .*?rate (\w+)/g)].filter(([, id]) => Number(id) > 2).map(([, , rate]) => rate)
  }
  beforeAll(async () => {
    daemon = await startLibvirtd({ lenientTc: true })
    connection = await connectLibvirt(daemon.socketUri, { reconnect: true })
    network = await connection.networks.define(networkXml)
    await network.start()
  })
  afterAll(async () => {
    await connection?.close()
    await daemon?.stop()
  })

  test('are made from an object, listed, found, deleted', async () => {
    const port = await make({
      mac: '52:54:00:AA:00:01', group: 'pg', isolated: true, trustGuestRxFilters: true,
      bandwidth: { inbound: { average: 1000, peak: 2000, burst: 64, floor: 500 }, outbound: { average: 300 } },
    }, { validate: true })
    const xml = await port.xml()
    for (const part of [
      `<uuid>${port.uuid}</uuid>`, '<name>guest &amp; &apos;friends&apos; &lt;1&gt;</name>', '<uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid>',
      `<group>pg</group>`, `<mac address='52:54:00:aa:00:01'/>`, `<inbound average='1000' peak='2000' floor='500' burst='64'/>`,
      `<outbound average='300'/>`, `<rxfilters trustGuest='yes'/>`, `<port isolated='yes'/>`, `<plug type='network' bridge='virbr5'/>`,
    ]) expect(xml.replaceAll('\'friends\'', '&apos;friends&apos;')).toContain(part)
    const other = await make({ uuid: 'D54DF46F1AB54A22861800000000ABCD' })
    expect(other.uuid).toBe('d54df46f-1ab5-4a22-8618-00000000abcd')
    expect((await network.networkPorts.list()).map(({ uuid }) => uuid).sort()).toEqual([port.uuid, other.uuid].sort())
    expect(await network.xml()).toContain(`<network connections='2'`)
    expect((await network.networkPorts.get(port.uuid.toUpperCase())).uuid).toBe(port.uuid)
    await port.delete()
    await other.delete()
    expect(await network.networkPorts.list()).toEqual([])
    await expect(port.xml()).rejects.toMatchObject({ code: 'ERR_NO_PORT', libvirt: { codeName: 'VIR_ERR_NO_NETWORK_PORT' } })
    await expect(port.delete()).rejects.toMatchObject({ code: 'ERR_NO_PORT' })
  })

  test('bandwidth: what is given replaces a direction, null takes it away, the other stays', async () => {
    const port = await make({ bandwidth: { inbound: { average: 1000, peak: 2000, burst: 64, floor: 500 }, outbound: { average: 300 } } })
    const before = { inbound: { average: 1000, peak: 2000, burst: 64, floor: 500 }, outbound: { average: 300 } }
    expect(await port.bandwidth()).toEqual(before)
    expect(await guarantees()).toEqual(['4Mbit'])
    await port.setBandwidth({ inbound: { average: 800, floor: 700 } })
    expect(await port.bandwidth()).toEqual({ inbound: { average: 800, floor: 700 }, outbound: { average: 300 } })
    expect(await guarantees()).toEqual(['5600Kbit'])
    await port.setBandwidth({ outbound: { average: 9, peak: 10, burst: 11 } })
    expect(await port.bandwidth()).toEqual({ inbound: { average: 800, floor: 700 }, outbound: { average: 9, peak: 10, burst: 11 } })
    expect(await guarantees()).toEqual(['5600Kbit'])
    await port.setBandwidth({ outbound: null })
    expect(await port.bandwidth()).toEqual({ inbound: { average: 800, floor: 700 } })
    await port.setBandwidth({})
    expect(await port.bandwidth()).toEqual({ inbound: { average: 800, floor: 700 } })
    await port.setBandwidth({ inbound: null })
    expect(await port.bandwidth()).toEqual({})
    expect(await guarantees()).toEqual([])
    await port.delete()
  })

  test('a guarantee that the network cannot give is refused', async () => {
    const port = await make()
    const refused = { code: 'ERR_LIBVIRT', libvirt: { codeName: 'VIR_ERR_OPERATION_INVALID' }, message: expect.stringContaining('overcommit') as string }
    await expect(port.setBandwidth({ inbound: { floor: 70_000 } })).rejects.toMatchObject(refused)
    await expect(make({ bandwidth: { inbound: { floor: 70_000 } } })).rejects.toMatchObject(refused)
    expect(await port.bandwidth()).toEqual({})
    await port.delete()
  })

  test('from XML, and again for a guest that runs', async () => {
    const port = await make()
    const xml = await port.xml()
    const twice = network.networkPorts.create(xml.replace(/<plug .*?>/, ''))
    await expect(twice).rejects.toMatchObject({ code: 'ERR_LIBVIRT', libvirt: { codeName: 'VIR_ERR_NETWORK_PORT_EXIST' } })
    await port.delete()
    const again = await network.networkPorts.create(xml, { reclaim: true, validate: true })
    expect(again.uuid).toBe(port.uuid)
    expect(await again.xml()).toBe(xml)
    await again.delete()
  })

  test('are refused with a reason', async () => {
    const { networkPorts } = network
    await expect(networkPorts.create('<networkport')).rejects.toMatchObject({ code: 'ERR_INVALID_XML' })
    await expect(networkPorts.create('<networkport/>', { validate: true })).rejects.toMatchObject({ code: 'ERR_INVALID_XML' })
    await expect(networkPorts.get(nobody)).rejects.toMatchObject({ code: 'ERR_NO_PORT' })
    const bad: [string, () => Promise<unknown>][] = [
      ['uuid', () => networkPorts.get('vnet0')],
      ['xml', () => networkPorts.create('')],
      ['port', () => networkPorts.create(null as never)],
      ['port.mac', () => networkPorts.create({ owner } as NetworkPortConfig)],
      ['port.mac', () => make({ mac: 'x' })],
      ['port.owner', () => networkPorts.create({ mac: '52:54:00:00:00:01' } as NetworkPortConfig)],
      ['port.owner.uuid', () => make({ owner: { name: 'x', uuid: 'y' } })],
      ['port.groop', () => make({ groop: 'pg' } as object)],
      ['port.bandwidth.inbound.average', () => make({ bandwidth: { inbound: { burst: 1 } } })],
      ['options.reclaimed', () => make({}, { reclaimed: true } as object)],
    ]
    for (const [field, call] of bad) await expect(call(), field).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
    const idle = await connection.networks.define(quickNetworkXml('idle', 'virbr6', '192.168.151'))
    await expect(idle.networkPorts.list()).rejects.toMatchObject({ libvirt: { codeName: 'VIR_ERR_OPERATION_INVALID' } })
    await idle.undefine()
    expect(await networkPorts.list()).toEqual([])
  })

  test('are known again after libvirtd was killed and started', async () => {
    const port = await make({ bandwidth: { outbound: { average: 300 } } })
    await daemon.restart()
    await expect.poll(() => port.bandwidth().catch(() => undefined), { timeout: 20_000 }).toEqual({ outbound: { average: 300 } })
    expect((await network.networkPorts.list()).map(({ uuid }) => uuid)).toEqual([port.uuid])
    await port.delete()
    await port.close()
    await expect(port.xml()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})
