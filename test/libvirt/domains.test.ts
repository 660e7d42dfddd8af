/** Domains of libvirt's test driver: lists, life, interfaces, refusals. */
import { expect, onTestFinished } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { libvirtStats } from '../../src/libvirt/calls.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import { interfaceXml, parseInterfaces } from '../../src/libvirt/domain-interfaces.ts'
import type { DomainInterfaceSpec } from '../../src/libvirt/domain-interfaces.ts'
import { LibvirtError } from '../../src/libvirt/errors.ts'
import { testNode } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { connectFor, failureOf, uuidOf } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))

function domainXml(name: string, { uuid, devices = '' }: { uuid?: string, devices?: string } = {}): string {
  return `<domain type='test'><name>${name}</name>${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}<memory>8192</memory>` +
    `<os><type>hvm</type></os><devices>${devices}</devices></domain>`
}

/** A node with `alpha`, which runs, and `beta`, which does not. */
async function connectNode(): Promise<LibvirtConnection> {
  const shutoff = `<test:runstate xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>5</test:runstate>`
  const node = await testNode([
    domainXml('beta', { uuid: uuidOf(2) }).replace('</domain>', `${shutoff}</domain>`),
    domainXml('alpha', {
      uuid: uuidOf(1),
      devices: `<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/><target dev='t0'/></interface>`,
    }),
    `<network><name>default</name><bridge name='virbr0'/><ip address='192.168.122.1' netmask='255.255.255.0'/></network>`,
  ].join(''))
  onTestFinished(() => node[Symbol.asyncDispose]())
  return connectFor(node.uri)
}

test('are listed by name, each filter with its opposite', async () => {
  const { domains } = await connectNode()
  await (await domains.get('beta')).setAutostart(true)
  await (await domains.create(domainXml('gamma'))).suspend()
  const names = async (filter?: Parameters<typeof domains.list>[0]) => (await domains.list(filter)).map(({ name }) => name)
  expect(await names()).toEqual(['alpha', 'beta', 'gamma'])
  expect(await names({ active: true })).toEqual(['alpha', 'gamma'])
  expect(await names({ active: false })).toEqual(['beta'])
  expect(await names({ persistent: true })).toEqual(['alpha', 'beta'])
  expect(await names({ persistent: false })).toEqual(['gamma'])
  expect(await names({ autostart: true })).toEqual(['beta'])
  expect(await names({ autostart: false })).toEqual(['alpha', 'gamma'])
  expect(await names({ running: true })).toEqual(['alpha'])
  expect(await names({ running: true, shutoff: true })).toEqual(['alpha', 'beta'])
  expect(await names({ paused: true })).toEqual(['gamma'])
  expect(await names({ managedSave: true })).toEqual([])
  expect(await names({ snapshot: false, checkpoint: false, active: true, persistent: true })).toEqual(['alpha'])
})

test('are found by name, UUID in any spelling, and id', async () => {
  const { domains } = await connectNode()
  const beta = await domains.get('beta')
  expect(beta).toMatchObject({ name: 'beta', uuid: uuidOf(2) })
  expect((await domains.get(uuidOf(2).toUpperCase().replaceAll('-', ''))).name).toBe('beta')
  const alpha = await domains.get('alpha')
  const id = await alpha.id()
  expect(id).toBeGreaterThan(0)
  expect((await domains.get(id ?? -1)).name).toBe('alpha')
  expect(await beta.id()).toBeUndefined()
  for (const nobody of ['delta', uuidOf(9), 4711]) {
    const error = await failureOf(domains.get(nobody))
    expect(error).toMatchObject({ code: 'ERR_NO_DOMAIN', libvirt: { codeName: 'VIR_ERR_NO_DOMAIN' } })
  }
})

test('a name that looks like a UUID is looked for as a name first', async () => {
  const { domains } = await connectNode()
  await domains.define(domainXml(uuidOf(1)))
  expect((await domains.get(uuidOf(1))).name).toBe(uuidOf(1))
})

test('live: defined, started, paused, resumed, shut down, undefined', async () => {
  const { domains } = await connectNode()
  const domain = await domains.define(domainXml('delta', { uuid: uuidOf(4) }), { validate: true })
  expect(domain.uuid).toBe(uuidOf(4))
  const off = { active: false, persistent: true, autostart: false, state: 'shutoff' }
  expect(await domain.info()).toMatchObject(off)
  await domain.start()
  expect(await domain.info()).toMatchObject({ active: true, state: 'running', reason: 'booted' })
  const first = await domain.id()
  await domain.suspend()
  expect(await domain.info()).toMatchObject({ active: true, state: 'paused', reason: 'user' })
  await domain.resume()
  expect(await domain.info()).toMatchObject({ active: true, state: 'running', reason: 'unpaused' })
  await domain.reboot()
  await domain.shutdown()
  expect(await domain.info()).toMatchObject({ ...off, reason: 'shutdown' })
  await domain.start()
  // The handle that was looked up before knows the old one.
  expect(await domain.id()).toBeGreaterThan(first ?? 0)
  await domain.setAutostart(true)
  await domain.undefine()
  expect(await domain.info()).toMatchObject({ active: true, persistent: false })
  await domain.destroy({ graceful: true }).catch((error: unknown) => {
    if (!(error instanceof LibvirtError)) throw error
  })
  if ((await domains.list()).some(({ name }) => name === 'delta')) await domain.destroy()
  expect(await failureOf(domain.info())).toMatchObject({ code: 'ERR_NO_DOMAIN' })
})

test('what is not possible in a state says so', async () => {
  const { domains } = await connectNode()
  const [alpha, beta] = [await domains.get('alpha'), await domains.get('beta')]
  const invalid = { code: 'ERR_LIBVIRT', libvirt: { codeName: 'VIR_ERR_OPERATION_INVALID' } }
  expect(await failureOf(beta.destroy())).toMatchObject(invalid)
  // This driver calls it an internal error.
  expect(await failureOf(alpha.start())).toMatchObject({ code: 'ERR_LIBVIRT', message: expect.stringMatching(/already running/) as string })
  expect(await failureOf(domains.define('<domain'))).toMatchObject({ code: 'ERR_INVALID_XML' })
  const unknown = domainXml('delta').replace('<memory>', '<memori/><memory>')
  expect(await failureOf(domains.define(unknown, { validate: true }))).toMatchObject({ code: 'ERR_INVALID_XML' })
  expect((await domains.define(unknown)).name).toBe('delta')
})

test('the XML, also as it will be started next', async () => {
  const { domains } = await connectNode()
  const alpha = await domains.get('alpha')
  expect(await alpha.xml()).toMatch(/<domain type='test' id='\d+'>/)
  expect(await alpha.xml({ inactive: true })).toMatch(/<domain type='test'>/)
  expect((await alpha.interfaces())[0]).toMatchObject({
    type: 'network', network: 'default', mac: '52:54:00:00:00:01', target: 't0', link: 'up',
  })
})

test('statistics, addresses and bandwidth of an interface', async () => {
  const { domains } = await connectNode()
  const alpha = await domains.get('alpha')
  const stats = await alpha.interfaceStats('t0')
  expect(Object.keys(stats).sort()).toEqual(['rxBytes', 'rxDrop', 'rxErrs', 'rxPackets', 'txBytes', 'txDrop', 'txErrs', 'txPackets'])
  expect(stats.rxBytes).toBeGreaterThan(0)
  expect(await alpha.interfaceAddresses()).toEqual([
    { name: 't0', mac: '52:54:00:00:00:01', addresses: [{ type: 'ipv4', address: '192.168.122.2', prefix: 24 }] },
  ])
  expect(await alpha.bandwidth('t0')).toEqual({})
  await alpha.setBandwidth('t0', { inbound: { average: 5, peak: 7, burst: 9, floor: 3 }, outbound: { average: 4_294_967_295 } })
  expect(await alpha.bandwidth('t0')).toEqual({
    inbound: { average: 5, peak: 7, burst: 9, floor: 3 }, outbound: { average: 4_294_967_295 },
  })
  expect(await failureOf(alpha.interfaceStats('t9'))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

test('title, description and elements, of the running domain and of its configuration', async () => {
  const { domains } = await connectNode()
  const alpha = await domains.get('alpha')
  const { metadata } = alpha
  const gone = { code: 'ERR_NO_METADATA', libvirt: { codeName: 'VIR_ERR_NO_DOMAIN_METADATA' } }
  expect(await failureOf(metadata.get('title'))).toMatchObject(gone)
  await metadata.set('title', `A 'title' & more`, { live: true, config: true })
  expect(await metadata.get('title', { config: true })).toBe(`A 'title' & more`)
  expect(await alpha.xml()).toContain(`<title>A &apos;title&apos; &amp; more</title>`)
  await metadata.set('description', 'two\nlines')
  expect(await metadata.get('description', { live: true })).toBe('two\nlines')
  expect(await failureOf(metadata.get('description', { config: true }))).toMatchObject(gone)
  const namespace = 'urn:example:owner'
  await metadata.set({ namespace, prefix: 'o' }, `<owner team='net'>ops</owner>`)
  expect(await metadata.get({ namespace })).toBe(`<owner team="net">ops</owner>`)
  expect(await alpha.xml()).toContain(`<o:owner xmlns:o="${namespace}" team="net">ops</o:owner>`)
  await metadata.set({ namespace, prefix: 'o' }, null)
  await metadata.set('title', null)
  expect(await failureOf(metadata.get({ namespace }))).toMatchObject(gone)
  expect(await failureOf(metadata.get('title'))).toMatchObject(gone)
  expect(await metadata.get('title', { config: true })).toBe(`A 'title' & more`)
  for (const [field, call] of [
    ['name', () => metadata.get('titel' as 'title')],
    ['name.namespace', () => metadata.get({} as { namespace: string })],
    ['name.prefix', () => metadata.set({ namespace } as never, '<x/>')],
    ['value', () => metadata.set('title', 5 as never)],
    ['options', () => metadata.get('title', { live: true, config: true })],
    ['options.lively', () => metadata.get('title', { lively: true } as object)],
  ] as const) expect(await failureOf(call), field).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
  expect(await failureOf(metadata.set({ namespace, prefix: 'o' }, '<x'))).toMatchObject({ code: 'ERR_INVALID_XML' })
})

test('a driver that cannot attach says so', async () => {
  const { domains } = await connectNode()
  const alpha = await domains.get('alpha')
  expect(await failureOf(alpha.attachInterface({ network: 'default' }))).toMatchObject({ code: 'ERR_UNSUPPORTED' })
  expect(await failureOf(alpha.detachInterface('t7'))).toMatchObject({ code: 'ERR_NO_INTERFACE' })
})

test('handles are given back, by themselves and with the connection', async () => {
  const before = libvirtStats().handles
  const connection = await connectNode()
  const domains = await connection.domains.list()
  expect(libvirtStats().handles).toBe(before + 1 + domains.length)
  // Looks it up anew, which must leave nothing.
  for (const domain of domains) await domain.id()
  expect(libvirtStats().handles).toBe(before + 1 + domains.length)
  await domains[0]?.close()
  expect(libvirtStats().handles).toBe(before + domains.length)
  await connection.close()
  expect(libvirtStats().handles).toBe(before)
})

test('after close everything is ERR_CLOSED, and closing twice is no error', async () => {
  const connection = await connectNode()
  const { domains } = connection
  const [alpha, beta] = [await domains.get('alpha'), await domains.get('beta')]
  await alpha.close()
  await alpha.close()
  expect(await failureOf(alpha.info())).toMatchObject({ code: 'ERR_CLOSED' })
  expect(await beta.info()).toMatchObject({ active: false })
  await connection.close()
  expect(await failureOf(beta.info())).toMatchObject({ code: 'ERR_CLOSED' })
  expect(await failureOf(domains.list())).toMatchObject({ code: 'ERR_CLOSED' })
})

test('bad arguments are refused before anything is called, naming the field', async () => {
  const { domains } = await connectNode()
  const alpha = await domains.get('alpha')
  const bad = <T>(value: unknown) => value as T
  const cases: [string, () => Promise<unknown>][] = [
    ['filter.activ', () => domains.list(bad({ activ: true }))],
    ['filter.active', () => domains.list(bad({ active: 1 }))],
    ['filter', () => domains.list(bad('all'))],
    ['nameOrUuid', () => domains.get('')],
    ['nameOrUuid', () => domains.get('a\0b')],
    ['nameOrUuid', () => domains.get(bad(undefined))],
    ['id', () => domains.get(-1)],
    ['id', () => domains.get(1.5)],
    ['xml', () => domains.define(bad(5))],
    ['options.validat', () => domains.define('<domain/>', bad({ validat: true }))],
    ['options.pause', () => domains.create('<domain/>', bad({ pause: true }))],
    ['options.paused', () => alpha.start(bad({ paused: 'yes' }))],
    ['options.mode', () => alpha.shutdown(bad({ mode: 'apci' }))],
    ['options.force', () => alpha.attachDevice('<interface/>', bad({ force: true }))],
    ['options.toString', () => alpha.destroy(bad({ toString: true }))],
    ['on', () => alpha.setAutostart(bad(1))],
    ['device', () => alpha.interfaceStats(bad(undefined))],
    ['options.source', () => alpha.interfaceAddresses(bad({ source: 'dns' }))],
    ['bandwidth.inbound.average', () => alpha.setBandwidth('t0', { inbound: { peak: 5 } })],
    ['bandwidth.inbound.average', () => alpha.setBandwidth('t0', { inbound: { average: 2 ** 32 } })],
    ['bandwidth.outbound.floor', () => alpha.setBandwidth('t0', bad({ outbound: { average: 1, floor: 1 } }))],
    ['bandwidth', () => alpha.setBandwidth('t0', bad(null))],
    ['interface', () => alpha.attachInterface({})],
    ['interface', () => alpha.attachInterface({ network: 'default', bridge: 'br0' })],
    ['interface.mac', () => alpha.attachInterface({ network: 'default', mac: '01:00:00:00:00:01' })],
    ['interface.alias', () => alpha.attachInterface({ network: 'default', alias: 'net7' })],
    ['interface.vlan', () => alpha.attachInterface({ network: 'default', vlan: 4095 })],
    ['interface.portgroup', () => alpha.attachInterface({ bridge: 'br0', portgroup: 'x' })],
    ['interface.direct.dev', () => alpha.attachInterface(bad({ direct: { mode: 'bridge' } }))],
    ['interface.filter.name', () => alpha.attachInterface(bad({ network: 'default', filter: {} }))],
    ['xml', () => alpha.attachInterface({ network: 'a\u0001b' })],
    ['interface.networ', () => alpha.attachInterface(bad({ networ: 'default' }))],
  ]
  for (const [field, call] of cases) {
    const error = await failureOf(call)
    expect(error, field).toBeInstanceOf(InvalidArgumentError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
  }
  expect((await failureOf(domains.list({ activ: true } as object))).message).toContain('did you mean "active"?')
  expect((await alpha.info()).active).toBe(true)
})

test('interfaces are read from XML as far as they say something', () => {
  expect(parseInterfaces('<domain/>')).toEqual([])
  const nothing = {
    network: undefined, portgroup: undefined, port: undefined, bridge: undefined, dev: undefined, target: undefined,
    model: undefined, alias: undefined, mtu: undefined, filter: undefined, link: 'up',
  }
  const read = parseInterfaces(`<domain><devices><disk/>text
    <interface type='user'><mac address='52:54:00:AA:BB:CC'/></interface>
    <interface type='direct'><mac address='52:54:00:00:00:02'/><source dev='eth0' mode='bridge'/><target dev='macvtap0'/></interface>
    <interface type='network'><mac address='52:54:00:00:00:03'/>
      <source network='n &amp; m' portgroup='pg' portid='${uuidOf(1)}' bridge='virbr0'/>
      <target dev='vnet0'/><model type='virtio'/><alias name='net0'/><link state='down'/><mtu size='1400'/>
      <filterref filter='clean-traffic'><parameter name='IP' value='10.0.0.1'/></filterref>
    </interface>
    <!-- <interface type='bridge'/> --></devices></domain>`)
  expect(read.map(({ xml, ...rest }) => rest)).toEqual([
    { ...nothing, type: 'user', mac: '52:54:00:aa:bb:cc' },
    { ...nothing, type: 'direct', mac: '52:54:00:00:00:02', dev: 'eth0', target: 'macvtap0' },
    {
      ...nothing, type: 'network', mac: '52:54:00:00:00:03', network: 'n & m', portgroup: 'pg', port: uuidOf(1), bridge: 'virbr0',
      target: 'vnet0', model: 'virtio', alias: 'net0', link: 'down', mtu: 1400, filter: 'clean-traffic',
    },
  ])
  expect(read.map(({ xml }) => xml)[0]).toBe(`<interface type='user'><mac address='52:54:00:AA:BB:CC'/></interface>`)
  expect(read[2]?.xml).toContain(`<source network='n &amp; m' portgroup='pg'`)
})

const specs: [string, DomainInterfaceSpec][] = [
  ['of a network, with everything', {
    network: `a'b"<&>`, portgroup: 'pg', mac: '52:54:00:00:00:AA', model: 'virtio', target: 'tap7', alias: 'ua-x_1', mtu: 1400,
    link: 'down', filter: { name: 'no-mac-spoofing', parameters: { IP: '10.0.0.1' } }, isolated: true, bootOrder: 2, queues: 4,
    bandwidth: { inbound: { average: 1, peak: 2, burst: 3, floor: 4 }, outbound: { average: 5, peak: 6, burst: 7 } },
  }],
  ['of a bridge', { bridge: 'br0', vlan: 42 }],
  ['on a device', { direct: { dev: 'eth0', mode: 'private' }, model: 'e1000' }],
]
test.each(specs)('an interface %s passes libvirt\'s schema and reads back the same', async (_, spec) => {
  const { domains } = await connectNode()
  const { mac, xml } = interfaceXml(spec)
  expect(mac).toMatch(/^52:54:00(:[\da-f]{2}){3}$/)
  const domain = await domains.define(domainXml('delta', { devices: xml }), { validate: true })
  const [read] = await domain.interfaces()
  // The driver gives targets of its own.
  const { network, bridge, direct, model, target = 'testnet0', alias, mtu, portgroup, link = 'up', filter } = spec
  expect(read).toMatchObject({ mac, network, bridge, dev: direct?.dev, model, target, alias, mtu, portgroup, link, filter: filter?.name })
  const written = await domain.xml()
  if (spec.bandwidth !== undefined) {
    expect(written).toContain(`<inbound average='1' peak='2' floor='4' burst='3'/>`)
    expect(written).toContain(`<outbound average='5' peak='6' burst='7'/>`)
    expect(written).toContain(`<parameter name='IP' value='10.0.0.1'/>`)
    expect(written).toContain(`<port isolated='yes'/>`)
    expect(written).toContain(`<driver queues='4'/>`)
    expect(written).toContain(`<boot order='2'/>`)
  }
  if (spec.vlan !== undefined) expect(written).toContain(`<tag id='42'/>`)
  if (direct?.mode !== undefined) expect(written).toContain(`mode='${direct.mode}'`)
})
