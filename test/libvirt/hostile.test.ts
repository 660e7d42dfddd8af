/** Whatever the libvirt driver is given, it answers, or rejects with a VirbrError; and nothing hangs. libvirt's mock. */
import { expect } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import { Complaints, methodsOf, neverRight, someWrongValues, spoiled, wrongArguments, wrongValues } from '../support/hostile.ts'
import { needing, needs } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { connectFor, connectMock, networkXml, uuidOf } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))

/** Handles of one connection, by what they are; each time as if nothing had befallen them. */
async function handlesOf(connection: LibvirtConnection): Promise<Record<string, object>> {
  const { networks, domains, interfaces, nwfilters, nwfilterBindings } = connection
  const network = await networks.get('default')
  return { connection, networks, network, networkPorts: network.networkPorts, domains, domain: await domains.get('guest'), interfaces, nwfilters, nwfilterBindings }
}

const guest = `<domain type='test'><name>guest</name><memory>8192</memory><os><type>hvm</type></os><devices>` +
  `<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/><target dev='t0'/></interface></devices></domain>`

test('every method of every part, with wrong values for all of its arguments', async () => {
  const complaints = new Complaints()
  for (const part of Object.keys(await handlesOf(await connectMock(guest)))) {
    const handle = (await handlesOf(await connectMock(guest)))[part] ?? {}
    for (const [name, method] of methodsOf(handle)) {
      // A handle that is closed, or a domain that is gone, would answer all others with that.
      if (/^(close|undefine|delete|destroy|endWatches)$/.test(name)) continue
      for (const given of wrongArguments(someWrongValues, [])) await complaints.try(`${part}.${name}`, () => method(...given), given)
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)

const rates = { average: 1, peak: 2, burst: 3 }
const change = { inbound: { ...rates, floor: 1 }, outbound: rates }
const affected = { live: true, config: true }

/** Of these null takes a limit away. */
const nullable = /setBandwidth\[1\]\.(in|out)bound$/

/** Arguments that are right, with every field that is documented. */
const valid: Record<string, Record<string, readonly (readonly unknown[])[]>> = {
  networks: {
    list: [[{ active: true, persistent: true, autostart: true }]], define: [[networkXml('a'), { validate: true }]],
    create: [[networkXml('b'), { validate: true }]],
    watch: [[{ network: 'default', limit: 5 }]],
  },
  network: {
    xml: [[{ inactive: true }]], config: [[{ inactive: true }]], leases: [[{ mac: '52:54:00:00:00:01' }]], setAutostart: [[true]],
    addDnsTxt: [[{ name: 'a', value: 'b' }, { live: true, config: true, parentIndex: 0, first: true }]],
  },
  networkPorts: {
    create: [[{
      uuid: uuidOf(5), owner: { name: 'guest', uuid: uuidOf(6) }, mac: '52:54:00:00:00:05', group: 'g', bandwidth: change,
    }]],
  },
  domains: {
    list: [[{ active: true, persistent: true, autostart: true }]], define: [[guest, { validate: true }]],
    create: [[guest, { validate: true, paused: true }]],
    watch: [[{ domain: 'guest', limit: 5 }]],
  },
  domain: {
    xml: [[{ inactive: true, secure: true, updateCpu: true, migratable: true }]], shutdown: [[{ mode: 'acpi' }]], interfaces: [[{ inactive: true }]],
    attachInterface: [[{
      network: 'default', portgroup: 'g', mac: '52:54:00:00:00:09', model: 'virtio', target: 't9', alias: 'ua-9', bandwidth: change, mtu: 1400, link: 'up',
      filter: { name: 'f', parameters: { A: 'b' } }, isolated: true, vlan: 5, bootOrder: 1, queues: 2,
    }, affected], [{ direct: { dev: 'eth0', mode: 'vepa' } }], [{ bridge: 'br0' }]],
    interfaceAddresses: [[{ source: 'lease' }]], bandwidth: [['t0', affected]], setBandwidth: [['t0', { inbound: rates, outbound: rates }, affected]],
    detachInterface: [['t9', affected]], attachDevice: [['<interface/>', affected]], updateDevice: [['<interface/>', { ...affected, force: true }]],
  },
  interfaces: { list: [[{ active: true }]], define: [['<interface/>', { validate: true }]] },
  nwfilters: { define: [['<filter/>', { validate: true }]] },
}

test('every field of what is right, with each wrong value in its place, and none takes what is right nowhere', async () => {
  const handles = await handlesOf(await connectMock(guest))
  const complaints = new Complaints()
  for (const [part, calls] of Object.entries(valid)) {
    for (const [name, method] of methodsOf(handles[part] ?? {})) {
      for (const arguments_ of calls[name] ?? []) {
        for (const [path, given] of spoiled(arguments_, neverRight)) {
          if (nullable.test(`${name}${path}`)) continue
          await complaints.refused(`${part}.${name}`, path, () => method(...given), given)
        }
        for (const [path, given] of spoiled(arguments_, wrongValues)) await complaints.try(`${part}.${name}${path}`, () => method(...given), given)
      }
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)

test('options of connect', async () => {
  const complaints = new Complaints()
  const { uri } = await connectMock()
  const options = [
    { readonly: false, keepAlive: { intervalMs: 5000, count: 5 }, reconnect: { attempts: 1 }, signal: new AbortController().signal }, { auth: { username: 'a' } },
  ]
  for (const value of wrongValues) await complaints.try('connect', async () => (await connectLibvirt(uri, value as object)).close(), [value])
  for (const [path, [spoilt]] of options.flatMap(each => [...spoiled([each], wrongValues)])) {
    await complaints.try(`connect${path}`, async () => (await connectLibvirt(uri, spoilt as object)).close(), [spoilt])
  }
  expect(complaints.list).toEqual([])
  await connectFor(uri)
})
