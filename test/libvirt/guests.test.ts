/** Small QEMU guests of a real libvirtd: their interfaces plugged and unplugged, limited and counted, and what is told of it. */
import { afterAll, beforeAll, expect } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import type { DomainEvent, DomainWatch } from '../../src/libvirt/domain-events.ts'
import type { Domain } from '../../src/libvirt/domain.ts'
import type { LibvirtNetwork } from '../../src/libvirt/network.ts'
import { guestNeeds, guestXml, interfaceXml, quickNetworkXml } from '../support/guest.ts'
import { ipJson } from '../support/lab.ts'
import { startLibvirtd } from '../support/libvirtd.ts'
import type { Libvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'

const { describe, test } = needing(...guestNeeds({ lenientTc: true }), needs.kernel('htb'))

const [card, usb, second] = ['52:54:00:00:00:01', '52:54:00:00:00:02', '52:54:00:00:00:03'] as const

describe('guests', () => {
  let daemon: Libvirtd
  let connection: LibvirtConnection
  let network: LibvirtNetwork
  let guest: Domain

  beforeAll(async () => {
    daemon = await startLibvirtd({ lenientTc: true })
    connection = await connectLibvirt(daemon.socketUri, { reconnect: true })
    network = await connection.networks.define(quickNetworkXml('quick', 'virbr5'))
    await network.start()
    guest = await connection.domains.define(guestXml({ name: 'guest', network: 'quick', mac: card }), { validate: true })
    await guest.start()
  })
  afterAll(async () => {
    await connection?.close()
    await daemon?.stop()
  })

  const portsOf = async (bridge: string) => (await ipJson({ pid: daemon.pid }, 'link', 'show', 'master', bridge)).map(link => link['ifname'])
  /** Events up to the first that passes. */
  async function until(watch: DomainWatch, passes: (event: DomainEvent) => boolean): Promise<string[]> {
    const seen: string[] = []
    for await (const event of watch) {
      if (event.type === 'gap' || event.type === 'overrun') throw new Error(JSON.stringify(event))
      seen.push(event.type === 'lifecycle' ? `${event.event} ${event.detail}` : `${event.type} ${'alias' in event ? event.alias : event.state}`)
      if (passes(event)) break
    }
    return seen
  }

  test('are described as virsh describes them', async () => {
    expect(await guest.info()).toEqual({ active: true, persistent: true, autostart: false, state: 'running', reason: 'booted' })
    expect(await guest.id()).toBe(Number(await daemon.virsh('domid', 'guest')))
    expect((await daemon.virsh('domuuid', 'guest')).trim()).toBe(guest.uuid)
    const [only, ...others] = await guest.interfaces()
    expect(others).toEqual([])
    expect(only).toMatchObject({ type: 'network', network: 'quick', bridge: 'virbr5', mac: card, target: 'vnet0', model: 'virtio', alias: 'net0' })
    expect(await daemon.virsh('domiflist', 'guest')).toMatch(RegExp(`vnet0 +network +quick +virtio +${card}`))
    const ports = await network.networkPorts.list()
    expect(ports.map(({ uuid }) => uuid)).toEqual([only?.port])
    expect(await guest.interfaces({ inactive: true })).toMatchObject([{ mac: card, target: undefined, bridge: undefined }])
  })

  test('an interface is plugged and unplugged while the guest runs, with events', async () => {
    const watch = connection.domains.watch({ domain: 'guest' })
    await watch.ready
    const attached = await guest.attachInterface({
      network: 'quick', model: 'usb-net', mac: usb, target: 'tap7', alias: 'ua-seven', link: 'down', isolated: true,
      bandwidth: { inbound: { average: 500 } },
    }, { live: true })
    expect(attached).toMatchObject({ network: 'quick', mac: usb, target: 'tap7', model: 'usb-net', alias: 'ua-seven', link: 'down' })
    expect(await daemon.virsh('domiflist', 'guest')).toMatch(RegExp(`tap7 +network +quick +usb-net +${usb}`))
    expect(await portsOf('virbr5')).toContain('tap7')
    expect(await guest.interfaces({ inactive: true })).toHaveLength(1)
    expect(await guest.bandwidth(usb)).toEqual({ inbound: { average: 500 } })

    await guest.detachInterface(usb, { live: true })
    const seen = await until(watch, ({ type }) => type === 'device-removed')
    expect(seen).toEqual(['device-added ua-seven', 'device-removed ua-seven'])
    expect(await portsOf('virbr5')).toEqual(['vnet0'])
    await expect(guest.detachInterface(usb)).rejects.toMatchObject({ code: 'ERR_NO_INTERFACE' })
  })

  test('a device is unplugged by its alias, attached by its XML', async () => {
    const watch = connection.domains.watch({ domain: guest.uuid, events: ['device-removed'] })
    await watch.ready
    await guest.attachDevice(interfaceXml({ network: 'quick', mac: usb, alias: 'ua-usb' }))
    await guest.detachDeviceByAlias('ua-usb')
    expect(await until(watch, () => true)).toEqual(['device-removed ua-usb'])
    await expect(guest.detachDeviceByAlias('ua-usb')).rejects.toMatchObject({ code: 'ERR_LIBVIRT', message: expect.stringContaining('ua-usb') as string })
    await guest.attachDevice(interfaceXml({ network: 'quick', mac: usb, alias: 'ua-usb' }))
    await guest.detachDevice(`<interface type='network'><mac address='${usb}'/><source network='quick'/></interface>`)
    await expect.poll(() => guest.interfaces()).toHaveLength(1)
  })

  test('of the configuration, not of the running guest', async () => {
    const attached = await guest.attachInterface({ bridge: 'virbr5', model: 'e1000', filter: { name: 'none' } }, { config: true })
      .catch((error: unknown) => error)
    // The filter is looked for when the guest starts.
    expect(attached).toMatchObject({ type: 'bridge', bridge: 'virbr5', model: 'e1000', filter: 'none' })
    const { mac } = attached as { mac: string }
    expect(mac).toMatch(/^52:54:00:/)
    expect(await daemon.virsh('domiflist', 'guest', '--inactive')).toMatch(RegExp(`bridge +virbr5 +e1000 +${mac}`))
    expect(await guest.interfaces()).toHaveLength(1)
    await guest.detachInterface(mac, { config: true })
    expect(await guest.interfaces({ inactive: true })).toHaveLength(1)
  })

  test('of both at once; a guest that does not let go keeps it, and libvirt says no more than that', async () => {
    const watch = connection.domains.watch({ domain: 'guest', events: ['device-added'] })
    await watch.ready
    const both = { live: true, config: true }
    const attached = await guest.attachInterface({ bridge: 'virbr5', model: 'virtio', target: 'tap8', mac: second }, both)
    expect(await until(watch, () => true)).toEqual([`device-added ${attached.alias}`])
    const inactive = async () => (await guest.interfaces({ inactive: true })).map(({ mac, target }) => [mac, target])
    expect(await inactive()).toEqual([[card, undefined], [second, 'tap8']])
    await guest.detachInterface('tap8', both)
    expect(await inactive()).toEqual([[card, undefined]])
    // It runs no operating system that could.
    expect((await guest.interfaces()).map(({ mac }) => mac)).toEqual([card, second])
    await guest.destroy()
    await guest.start()
    expect(await guest.interfaces()).toHaveLength(1)
  })

  test('an update pulls the cable', async () => {
    const [up] = await guest.interfaces()
    const tap = up?.target ?? ''
    await guest.updateDevice(up?.xml.replace('</interface>', `<link state='down'/></interface>`) ?? '', { live: true })
    expect((await daemon.virsh('domif-getlink', 'guest', tap)).trim()).toBe(`${tap} down`)
    expect((await guest.interfaces())[0]?.link).toBe('down')
    expect((await guest.interfaces({ inactive: true }))[0]?.link).toBe('up')
    await guest.updateDevice(up?.xml ?? '')
    expect((await daemon.virsh('domif-getlink', 'guest', tap)).trim()).toBe(`${tap} up`)
  })

  test('bandwidth is shaped on the device, live and in the configuration apart', async () => {
    const tap = (await guest.interfaces())[0]?.target ?? ''
    const shaped = async () => (await daemon.inside('tc', 'class', 'show', 'dev', tap)).trim()
    await guest.setBandwidth(tap, { inbound: { average: 800, peak: 1000, burst: 32 }, outbound: { average: 200 } })
    expect(await guest.bandwidth(tap)).toEqual({ inbound: { average: 800, peak: 1000, burst: 32 }, outbound: { average: 200 } })
    expect(await shaped()).toMatch(/rate 6400Kbit ceil 8Mbit burst 32Kb/)
    const virsh = await daemon.virsh('domiftune', 'guest', tap)
    expect(virsh).toMatch(/inbound\.average: 800\ninbound\.peak *: 1000\ninbound\.burst *: 32\n/)
    expect(virsh).toMatch(/outbound\.average: 200\n/)
    expect(await guest.bandwidth(card, { config: true })).toEqual({})

    await guest.setBandwidth(tap, { inbound: { average: 700 } })
    expect(await guest.bandwidth(tap)).toEqual({ inbound: { average: 700 }, outbound: { average: 200 } })
    await guest.setBandwidth(tap, { inbound: null, outbound: null })
    expect(await guest.bandwidth(tap)).toEqual({})
    expect(await shaped()).toBe('')

    await guest.setBandwidth(card, { outbound: { average: 77 } }, { config: true })
    expect(await guest.bandwidth(card, { config: true })).toEqual({ outbound: { average: 77 } })
    expect(await guest.bandwidth(tap, { live: true })).toEqual({})
    await guest.setBandwidth(card, { outbound: null }, { config: true })
    expect(await guest.bandwidth(card, { config: true })).toEqual({})
  })

  test('a guest that boots from the network: its lease, and its traffic as the guest sees it', async () => {
    const boots = await connection.domains.create(guestXml({ name: 'boots', network: 'quick', mac: second, bootFromNetwork: true }))
    const [{ target = '' } = {}] = await boots.interfaces()
    await expect.poll(() => boots.interfaceAddresses(), { timeout: 60_000 }).toEqual([{
      name: target, mac: second, addresses: [{ type: 'ipv4', address: expect.stringMatching(/^192\.168\.150\./) as string, prefix: 24 }],
    }])
    expect(await daemon.virsh('domifaddr', 'boots')).toContain((await boots.interfaceAddresses())[0]?.addresses[0]?.address ?? '-')
    await boots.suspend()
    const stats = await boots.interfaceStats(target)
    const [link] = await ipJson({ pid: daemon.pid }, '-s', 'link', 'show', target)
    const { rx, tx } = link?.['stats64'] as Record<'rx' | 'tx', { bytes: number, packets: number }>
    expect(stats.txPackets).toBeGreaterThan(0)
    // The host's device sends what the guest receives.
    expect([stats.txBytes, stats.txPackets]).toEqual([rx.bytes, rx.packets])
    expect(stats.rxBytes).toBeGreaterThan(0)
    expect(stats.rxBytes).toBeLessThanOrEqual(tx.bytes)
    await boots.destroy()
    await expect(boots.info()).rejects.toMatchObject({ code: 'ERR_NO_DOMAIN' })
  })

  test('one that is made paused, and ends with the connection that made it', async () => {
    const watch = connection.domains.watch({ domain: 'brief', events: ['lifecycle'] })
    await watch.ready
    {
      await using other = await connectLibvirt(daemon.socketUri)
      const brief = await other.domains.create(guestXml({ name: 'brief' }), { paused: true, autodestroy: true, validate: true })
      expect(await brief.info()).toMatchObject({ active: true, persistent: false, state: 'paused', reason: 'user' })
      expect(await brief.interfaces()).toEqual([])
      await brief.resume()
      expect(await brief.info()).toMatchObject({ state: 'running' })
    }
    const seen = await until(watch, event => event.type === 'lifecycle' && event.event === 'stopped')
    expect(seen.at(0)).toBe('started booted')
    expect(seen.at(-1)).toBe('stopped destroyed')
    expect(await daemon.virsh('list', '--name')).not.toContain('brief')
  })

  test('what a guest cannot do, or libvirt cannot find, is refused with a reason', async () => {
    await expect(guest.interfaceAddresses({ source: 'agent' })).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
    await expect(guest.reboot({ mode: 'agent' })).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
    await expect(guest.interfaceStats('vnet77')).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT', libvirt: { codeName: 'VIR_ERR_INVALID_ARG' } })
    await expect(guest.attachInterface({ network: 'nosuch' })).rejects.toMatchObject({ code: 'ERR_NO_NETWORK' })
    await expect(guest.attachDevice(`<interface type='nosuch'/>`)).rejects.toMatchObject({ libvirt: { domainName: 'VIR_FROM_XML' } })
    await expect(guest.attachDevice('<interface')).rejects.toMatchObject({ code: 'ERR_INVALID_XML' })
    expect(await guest.interfaces()).toHaveLength(1)
    expect(await network.networkPorts.list()).toHaveLength(1)
  })

  test('ARP: the answer, or the refusal, of virsh', async () => {
    const virsh = await daemon.virsh('domifaddr', 'guest', '--source', 'arp').catch((error: unknown) => String(error))
    const ours = await guest.interfaceAddresses({ source: 'arp' }).catch((error: unknown) => String(error))
    if (typeof ours === 'string') expect(virsh).toContain(ours.split(': ').at(-1))
    else for (const { addresses } of ours) for (const { address } of addresses) expect(virsh).toContain(address)
  })

  test('outlive libvirtd; watches tell of the gap, handles find them again', async () => {
    const watch = connection.domains.watch()
    await watch.ready
    const id = await guest.id()
    await daemon.restart()
    expect((await watch.next()).value).toMatchObject({ type: 'gap', reason: 'eof' })
    expect(await guest.id()).toBe(id)
    expect(await guest.info()).toMatchObject({ active: true, state: 'running' })
    await guest.suspend()
    expect((await watch.next()).value).toMatchObject({ type: 'lifecycle', name: 'guest', event: 'suspended', detail: 'paused' })
    await watch.close()
    await guest.resume()
  })

  test('end', async () => {
    const watch = connection.domains.watch({ events: ['lifecycle'] })
    await watch.ready
    await guest.undefine({ nvram: true, managedSave: true })
    expect(await guest.info()).toMatchObject({ active: true, persistent: false })
    await guest.destroy({ graceful: true })
    const seen = await until(watch, event => event.type === 'lifecycle' && event.event === 'stopped')
    expect(seen.at(0)).toBe('undefined removed')
    expect(seen.at(-1)).toBe('stopped destroyed')
    expect((await daemon.virsh('list', '--all', '--name')).trim()).toBe('')
    await expect(guest.info()).rejects.toMatchObject({ code: 'ERR_NO_DOMAIN' })
  })
})
