/** Networks come and go as with virsh: define, start, destroy, undefine, and what stays over processes. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseNetworkXml } from '../../src/network/xml.ts'
import type { Network } from '../../src/network/connection.ts'
import { ipJson } from '../support/lab.ts'
import { answerOf, bareXml, describe, natXml, openLab, processes, refusal, runFiles, startChild, test } from './lab.ts'

const example = await readFile(new URL('../../examples/default.xml', import.meta.url), 'utf8')
const names = (networks: Network[]) => networks.map(({ name }) => name)

test('libvirt’s default network is defined, started, seen by ip, destroyed and undefined', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const network = await networks.define(example)
  expect(network.name).toBe('default')
  expect(await network.info()).toEqual({ active: false, persistent: true, autostart: false, bridge: 'virbr0' })

  await network.start()
  expect(await network.info()).toMatchObject({ active: true })
  const [link] = await ipJson(lab.netns, 'address', 'show', 'virbr0')
  expect(link).toMatchObject({ address: (await network.config()).mac?.address, linkinfo: { info_kind: 'bridge' } })
  expect(link?.['addr_info']).toMatchObject([{ local: '192.168.122.1', prefixlen: 24, broadcast: '192.168.122.255' }])
  expect((await processes(lab.netns)).map(({ command }) => command)).toEqual([expect.stringContaining('default.conf')])

  await network.destroy()
  expect(await network.info()).toMatchObject({ active: false })
  expect(names(await networks.list())).toEqual(['default'])
  await network.undefine()
  expect(await networks.list()).toEqual([])
  expect(await runFiles(lab)).toEqual([])
})

test('UUID, MAC and bridge name are chosen once, and kept from start to start', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const network = await networks.define('<network><name>n</name><ip address="10.9.0.1" prefix="24"/></network>')
  expect(network.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const { mac, bridge, uuid } = await network.config()
  expect(mac?.address).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/)
  expect([bridge, uuid]).toEqual([{ name: 'virbr0', stp: true, delay: 0 }, network.uuid])
  for (let round = 0; round < 2; round++) {
    await network.start()
    expect((await ipJson(lab.netns, 'link', 'show', 'virbr0'))[0]).toMatchObject({ address: mac?.address })
    await network.destroy()
  }
})

test('an open network may be a bridge without an address', async () => {
  const lab = await openLab()
  const network = await (await lab.connect()).networks.create('<network><name>n</name><forward mode="open"/></network>')
  expect((await ipJson(lab.netns, 'link', 'show', 'virbr0'))[0]).toMatchObject({ linkinfo: { info_kind: 'bridge' } })
  expect(await processes(lab.netns)).toEqual([])
  await network.destroy()
})

test('a bridge without a name takes the first number that neither a link nor a network has', async () => {
  const lab = await openLab()
  await lab.sh('ip link add virbr0 type bridge')
  const { networks } = await lab.connect()
  const bridges = []
  for (const name of ['a', 'b', 'c']) {
    const bridge = name === 'c' ? '<bridge name="lan%d"/>' : ''
    bridges.push((await (await networks.define(`<network><name>${name}</name>${bridge}</network>`)).info()).bridge)
  }
  expect(bridges).toEqual(['virbr1', 'virbr2', 'lan0'])
})

test('another process finds the same networks, and the same bytes of XML', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const network = await networks.define(example)
  await network.start()
  const wanted = [await network.xml(), await network.xml({ inactive: true })]
  const answer = await answerOf(startChild(`
    const connection = await virbr.connect(args.uri)
    const network = await connection.networks.get('default')
    const { active } = await network.info()
    console.log(JSON.stringify([network.uuid, active, await network.xml(), await network.xml({ inactive: true })]))
    await connection.close()`, { uri: lab.uri() }))
  expect(JSON.parse(answer)).toEqual([network.uuid, true, ...wanted])
  expect(await network.config()).toEqual(parseNetworkXml(wanted[0] ?? ''))
  // Only the running one names the ports of masquerading.
  expect(wanted.map(xml => xml.includes("<port start='1024' end='65535'/>"))).toEqual([true, false])
  expect(await readFile(join(lab.root, 'etc/networks/default.xml'), 'utf8')).toBe(wanted[1])
  await network.destroy()
  expect(await network.xml()).toBe(wanted[1])
})

test('list filters by each property; get finds by name and by UUID in any spelling', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const [a, b] = [await networks.define(bareXml('a')), await networks.define(bareXml('b'))]
  await networks.create(bareXml('c'))
  await a.start()
  await b.setAutostart(true)
  const list = async (filter: Parameters<typeof networks.list>[0]) => names(await networks.list(filter)).join('')
  expect(await list({})).toBe('abc')
  expect([await list({ active: true }), await list({ active: false })]).toEqual(['ac', 'b'])
  expect([await list({ persistent: true }), await list({ persistent: false })]).toEqual(['ab', 'c'])
  expect([await list({ autostart: true }), await list({ autostart: false })]).toEqual(['b', 'ac'])
  expect(await list({ active: true, persistent: false })).toBe('c')
  for (const key of ['a', a.uuid, a.uuid.toUpperCase(), a.uuid.replaceAll('-', '')]) {
    expect((await networks.get(key)).uuid).toBe(a.uuid)
  }
  for (const key of ['d', '00000000-0000-4000-8000-000000000000', a.uuid.slice(1)]) {
    expect((await refusal('ERR_NO_NETWORK', () => networks.get(key))).message).toContain(key)
  }
})

test('autostart starts what is marked and does not run, in order of names', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  for (const name of ['c', 'a', 'b', 'd']) {
    const network = await networks.define(bareXml(name))
    if (name !== 'd') await network.setAutostart(true)
    if (name === 'b') await network.start()
  }
  expect(names(await networks.autostart())).toEqual(['a', 'c'])
  expect(names(await networks.autostart())).toEqual([])
  const a = await networks.get('a')
  await a.setAutostart(true)
  await a.setAutostart(false)
  expect((await a.info()).autostart).toBe(false)
  await a.setAutostart(true)
  await a.undefine()
  expect((await a.info()).autostart).toBe(false)
})

describe('a transient network', () => {
  test('runs from create, and is gone with destroy', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const network = await networks.create(natXml(5, { dhcp: false }))
    expect(await network.info()).toEqual({ active: true, persistent: false, autostart: false, bridge: 'br5' })
    await refusal('ERR_NETWORK_TRANSIENT', () => network.undefine())
    await refusal('ERR_NETWORK_TRANSIENT', () => network.setAutostart(true))
    await refusal('ERR_NETWORK_TRANSIENT', () => network.xml({ inactive: true }))
    await network.destroy()
    await refusal('ERR_NO_NETWORK', () => network.info())
    await refusal('ERR_NO_NETWORK', () => network.start())
    expect(await networks.list()).toEqual([])
  })

  test('is what undefine makes of a running one, and becomes persistent by define', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const network = await networks.define(bareXml('n'))
    await network.start()
    const xml = await network.xml()
    await network.undefine()
    expect(await network.info()).toMatchObject({ active: true, persistent: false })
    expect(await network.xml()).toBe(xml)
    await networks.define(xml)
    expect(await network.info()).toMatchObject({ active: true, persistent: true })
    await network.destroy()
    expect(await network.info()).toMatchObject({ active: false, persistent: true })
  })
})

test('a network defined again keeps what is left open, and takes up the rest at its next start', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const network = await networks.define('<network><name>n</name><ip address="10.1.0.1" prefix="24"/></network>')
  const before = await network.config()
  await network.start()
  const again = await networks.define({ name: 'n', uuid: network.uuid, ip: [{ address: '10.2.0.1', prefix: 24 }] })
  expect(again.uuid).toBe(network.uuid)
  expect((await network.config()).ip).toEqual(before.ip)
  const next = await network.config({ inactive: true })
  expect(next).toEqual({ ...before, ip: [{ address: '10.2.0.1', prefix: 24 }] })
  await network.destroy()
  await network.start()
  const [link] = await ipJson(lab.netns, 'address', 'show', 'virbr0')
  expect(link?.['addr_info']).toMatchObject([{ local: '10.2.0.1' }])
})

test('what does not fit the state of a network is refused by name', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const network = await networks.define(bareXml('n'))
  expect((await refusal('ERR_NETWORK_INACTIVE', () => network.destroy())).message).toContain('network n')
  await refusal('ERR_NETWORK_INACTIVE', () => network.leases())
  await network.start()
  expect((await refusal('ERR_NETWORK_ACTIVE', () => network.start())).message).toContain('network n')
  expect(await network.leases()).toEqual([])
  await refusal('ERR_NETWORK_EXISTS', () => networks.define(bareXml('n')))
  await refusal('ERR_NETWORK_EXISTS', () => networks.create(bareXml('n')))
  await refusal('ERR_NETWORK_EXISTS', () => networks.define({ name: 'm', uuid: network.uuid }))
  await network.destroy()
  await network.undefine()
  for (const verb of ['start', 'destroy', 'undefine', 'xml', 'config', 'info', 'leases'] as const) {
    await refusal('ERR_NO_NETWORK', () => network[verb]())
  }
  // The name's next owner is another network.
  await networks.define(bareXml('n'))
  await refusal('ERR_NO_NETWORK', () => network.start())
})

test('an isolated network without an address is a bridge and nothing else', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  await networks.create({ name: 'wire', bridge: { name: 'wire0' } })
  expect(await processes(lab.netns)).toEqual([])
  expect((await ipJson(lab.netns, 'address', 'show', 'wire0'))[0]).toMatchObject({ addr_info: [] })
  expect(await lab.sh('sysctl -n net.ipv4.ip_forward')).toBe('0\n')
})
