/** virNetworkUpdate: every section and command on a real daemon, by the witness of virsh. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import type { LibvirtNetwork } from '../../src/libvirt/network.ts'
import type { NetworkUpdate } from '../../src/network/connection.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import type { Libvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, failureOf } from './support.ts'

const { describe, test } = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds(), needs.kernel('bridge'), needs.kernel('iptablesNft'))

const xml = `<network>
  <name>upd</name>
  <forward mode='nat'/>
  <bridge name='upd-br' stp='off' delay='0'/>
  <dns>
    <txt name='example' value='old'/>
    <host ip='10.77.8.9'><hostname>old</hostname></host>
    <srv service='old' protocol='tcp' target='old.example' port='80'/>
  </dns>
  <ip address='10.77.8.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='10.77.8.100' end='10.77.8.110'/>
      <host mac='52:54:00:00:08:01' ip='10.77.8.11' name='old'/>
    </dhcp>
  </ip>
  <portgroup name='old'/>
</network>`

/** Each: what is done, and what is in the XML then, or not. */
const changes: [NetworkUpdate, { has?: RegExp, hasNot?: RegExp }][] = [
  [{ command: 'add-last', section: 'ip-dhcp-host', xml: "<host mac='52:54:00:00:08:02' ip='10.77.8.12'/>" }, { has: /08:01'.*\n.*08:02'/ }],
  [{ command: 'add-first', section: 'ip-dhcp-host', xml: { mac: '52:54:00:00:08:02', ip: '10.77.8.12' } }, { has: /08:02'.*\n.*08:01'/ }],
  [{ command: 'modify', section: 'ip-dhcp-host', xml: { mac: '52:54:00:00:08:01', ip: '10.77.8.13', name: 'new' } }, { has: /name='new' ip='10.77.8.13'/, hasNot: /'old' ip/ }],
  [{ command: 'delete', section: 'ip-dhcp-host', xml: { mac: '52:54:00:00:08:01' } }, { hasNot: /08:01/ }],
  [{ command: 'add-last', section: 'ip-dhcp-range', xml: { start: '10.77.8.120', end: '10.77.8.130' }, parentIndex: 0 }, { has: /110'\/>\n.*130'/ }],
  [{ command: 'delete', section: 'ip-dhcp-range', xml: { start: '10.77.8.100', end: '10.77.8.110' } }, { hasNot: /8\.100/ }],
  [{ command: 'add-last', section: 'portgroup', xml: { name: 'new', default: true } }, { has: /<portgroup name='new' default='yes'>/ }],
  [{ command: 'modify', section: 'portgroup', xml: { name: 'old', default: true } }, { has: /<portgroup name='old' default='yes'>/ }],
  [{ command: 'delete', section: 'portgroup', xml: { name: 'old' } }, { hasNot: /portgroup/ }],
  [{ command: 'add-last', section: 'dns-host', xml: { ip: '10.77.8.10', hostname: ['new', 'newer'] } }, { has: /<hostname>newer<\/hostname>/ }],
  [{ command: 'delete', section: 'dns-host', xml: { ip: '10.77.8.9' } }, { hasNot: /8\.9'/ }],
  [{ command: 'add-first', section: 'dns-txt', xml: { name: 'first', value: 'a <b> & "c"' } }, { has: /<txt name='first' value='a &lt;b&gt; &amp; &quot;c&quot;'\/>\n\s*<txt name='example'/ }],
  [{ command: 'delete', section: 'dns-txt', xml: { name: 'example' } }, { hasNot: /<txt/ }],
  [{ command: 'add-last', section: 'dns-srv', xml: { service: 'new', protocol: 'udp' } }, { has: /<srv service='new' protocol='udp'\/>/ }],
  [{ command: 'delete', section: 'dns-srv', xml: { service: 'old', protocol: 'tcp' } }, { hasNot: /<srv/ }],
]

describe('update', () => {
  let daemon: Libvirtd
  let connection: LibvirtConnection
  let network: LibvirtNetwork
  const shown = (...options: string[]) => daemon.virsh('net-dumpxml', ...options, 'upd')
  beforeAll(async () => {
    daemon = await startLibvirtd()
    connection = await connectLibvirt(daemon.socketUri)
  })
  afterAll(async () => {
    await connection.close()
    await daemon.stop()
  })
  beforeEach(async () => { network = await connection.networks.define(xml) })
  afterEach(async () => {
    if ((await network.info()).active) await network.destroy()
    await network.undefine().catch(() => 'transient')
  })

  test.each(changes)('%o', async (change, { has, hasNot }) => {
    await network.start()
    const both = { ...change, live: true, config: true }
    const before = [await shown(), await shown('--inactive')]
    if (has !== undefined) for (const text of before) expect(text).not.toMatch(has)
    if (hasNot !== undefined) for (const text of before) expect(text).toMatch(hasNot)
    await network.update(both)
    for (const text of [await shown(), await shown('--inactive')]) {
      if (has !== undefined) expect(text).toMatch(has)
      if (hasNot !== undefined) expect(text).not.toMatch(hasNot)
    }
    // Once more: it is there, or gone, already.
    if (change.command !== 'modify') expect(await codeOf(network.update(both))).toBe('ERR_UPDATE_FAILED')
  })

  test('live and config reach what they name', async () => {
    const host = (digit: number) => ({ mac: `52:54:00:00:08:1${digit}`, ip: `10.77.8.2${digit}` })
    await network.addDhcpHost(host(1))
    expect(await shown('--inactive')).toContain('08:11')
    expect(await codeOf(network.addDhcpHost(host(2), { live: true }))).toBe('ERR_NETWORK_INACTIVE')
    await network.start()
    await network.addDhcpHost(host(3), { live: true })
    await network.addDhcpHost(host(4), { config: true })
    await network.addDhcpHost(host(5), { live: true, config: true })
    await network.addDhcpHost(host(8))
    const macs = (text: string) => [...text.matchAll(/08:1(\d)/g)].map(([, digit]) => digit)
    expect(macs(await shown())).toEqual(['1', '3', '5', '8'])
    expect(macs(await shown('--inactive'))).toEqual(['1', '4', '5'])
    await network.undefine()
    expect(await codeOf(network.addDhcpHost(host(6), { config: true }))).toBe('ERR_NETWORK_TRANSIENT')
    expect(await codeOf(network.addDhcpHost(host(6), { live: true, config: true }))).toBe('ERR_NETWORK_TRANSIENT')
    // Neither: the state that it is in.
    await network.addDhcpHost(host(7))
    expect(macs(await shown())).toEqual(['1', '3', '5', '8', '7'])
  })

  test('the running DHCP and DNS server knows at once', async () => {
    await network.start()
    await network.addDhcpHost({ mac: '52:54:00:00:08:31', ip: '10.77.8.31', name: 'fred' })
    await network.addDnsHost({ ip: '10.77.8.32', hostname: ['barney'] })
    const files = await daemon.inside('sh', '-c', 'cat /var/lib/libvirt/dnsmasq/upd.hostsfile /var/lib/libvirt/dnsmasq/upd.addnhosts')
    expect(files).toContain('52:54:00:00:08:31,10.77.8.31,fred')
    expect(files).toMatch(/10\.77\.8\.32\tbarney/)
  })

  test('sections that libvirt cannot update are ERR_UNSUPPORTED', async () => {
    const elements = {
      'bridge': "<bridge name='x'/>", 'domain': "<domain name='x'/>", 'ip': "<ip address='10.1.1.1' prefix='24'/>", 'forward': "<forward mode='nat'/>",
      'forward-pf': "<pf dev='eth0'/>",
    } as const
    for (const [section, element] of Object.entries(elements)) {
      expect(await codeOf(network.update({ command: 'add-last', section: section as keyof typeof elements, xml: element }))).toBe('ERR_UNSUPPORTED')
    }
    expect(await codeOf(network.update({ command: 'modify', section: 'dns-srv', xml: { service: 'old', protocol: 'tcp', target: 'new' } }))).toBe('ERR_UNSUPPORTED')
  })

  test('what cannot be is refused, and nothing is changed', async () => {
    await network.start()
    const before = await shown()
    const refused: [unknown, string][] = [
      [{ command: 'add', section: 'dns-txt', xml: '<txt/>' }, 'command'],
      [{ command: 'delete', section: 'dns-text', xml: '<txt/>' }, 'section'],
      [{ command: 'delete', section: 'dns-txt', xml: 5 }, 'xml'],
      [{ command: 'delete', section: 'dns-txt', xml: { name: 'a' }, parentIndex: -1 }, 'parentIndex'],
      [{ command: 'delete', section: 'dns-txt', xml: { name: 'a' }, live: 1 }, 'live'],
    ]
    for (const [change, field] of refused) {
      expect(await failureOf(network.update(change as NetworkUpdate))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
    }
    for (const text of ['', '<txt', '<host/>', 'nonsense']) {
      expect(await codeOf(network.update({ command: 'add-last', section: 'dns-txt', xml: text }))).toMatch(/^ERR_INVALID_(XML|ARGUMENT)$/)
    }
    expect(await codeOf(network.addDhcpHost({ mac: '52:54:00:00:08:40', ip: '10.77.8.40' }, { parentIndex: 7 }))).toMatch(/^ERR_/)
    expect(await shown()).toBe(before)
  })
})

/** Of each section: an element that the network has, and one that it has not. */
const elements: Readonly<Record<NetworkUpdate['section'], readonly [there: string, fresh: string]>> = {
  'bridge': ["<bridge name='mine'/>", "<bridge name='other'/>"],
  'domain': ["<domain name='old.example'/>", "<domain name='new.example'/>"],
  'ip': ["<ip address='10.77.8.1' netmask='255.255.255.0'/>", "<ip address='10.77.9.1' netmask='255.255.255.0'/>"],
  'ip-dhcp-host': ["<host mac='52:54:00:00:08:01' ip='10.77.8.11' name='old'/>", "<host mac='52:54:00:00:08:02' ip='10.77.8.12'/>"],
  'ip-dhcp-range': ["<range start='10.77.8.100' end='10.77.8.110'/>", "<range start='10.77.8.120' end='10.77.8.130'/>"],
  'forward': ["<forward mode='nat'/>", "<forward mode='route'/>"],
  'forward-interface': ["<interface dev='up0'/>", "<interface dev='up1'/>"],
  'forward-pf': ["<pf dev='up0'/>", "<pf dev='up1'/>"],
  'portgroup': ["<portgroup name='old' default='yes'/>", "<portgroup name='new'/>"],
  'dns-host': ["<host ip='10.77.8.9'><hostname>old</hostname></host>", "<host ip='10.77.8.10'><hostname>new</hostname></host>"],
  'dns-txt': ["<txt name='example' value='old'/>", "<txt name='new' value='x'/>"],
  'dns-srv': ["<srv service='old' protocol='tcp' target='old.example' port='80'/>", "<srv service='new' protocol='udp'/>"],
}

test('each section by each command: what virsh net-update does, or refuses to do', async () => {
  await using daemon = await startLibvirtd()
  await using connection = await connectLibvirt(daemon.socketUri)
  const pool = "<network><name>upd</name><forward mode='private'><interface dev='up0'/></forward></network>"
  const define = (name: string, section: string) => connection.networks.define((section.startsWith('forward-') ? pool : xml)
    .replace('<name>upd<', `<name>${name}<`).replace("name='upd-br'", `name='${name}-br'`).replace('<dns>', "<domain name='old.example'/><dns>"))
  // All that tells the two networks apart.
  const inside = (text: string) => text.replace(/<(name|uuid)>.*|<(bridge|mac) .*/g, '')
  const done: string[] = []
  for (const [section, [there, fresh]] of Object.entries(elements) as [NetworkUpdate['section'], readonly [string, string]][]) {
    for (const command of ['add-first', 'add-last', 'modify', 'delete'] as const) {
      const [mine, theirs] = [await define('mine', section), await define('theirs', section)]
      const before = await mine.xml()
      const element = command.startsWith('add') ? fresh : there
      const virsh = await daemon.virsh('net-update', 'theirs', command, section, element, '--config').then(() => 'done', () => 'refused')
      const ours = await mine.update({ command, section, xml: element, config: true }).then(() => 'done', (error: { code: string }) => error.code)
      const what = `${command} ${section}`
      if (ours === 'done') done.push(what)
      else expect(ours, what).toMatch(/^ERR_(UNSUPPORTED|UPDATE_FAILED)$/)
      expect(ours === 'done', what).toBe(virsh === 'done')
      const after = await mine.xml()
      expect(inside(after), what).toBe(inside(await theirs.xml()))
      if (command !== 'modify') expect(after === before, what).toBe(ours !== 'done')
      await Promise.all([mine.undefine(), theirs.undefine()])
    }
  }
  const lists = ['ip-dhcp-host', 'ip-dhcp-range', 'forward-interface', 'portgroup', 'dns-host', 'dns-txt', 'dns-srv']
  const modified = ['ip-dhcp-host', 'portgroup']
  // Since libvirt 10.6.
  const newer = ['modify dns-host', 'modify dns-txt']
  expect(done.filter(what => !newer.includes(what))).toEqual(lists.flatMap(section => ['add-first', 'add-last', ...modified.includes(section) ? ['modify'] : [], 'delete']
    .map(command => `${command} ${section}`)))
}, 60_000)

needing(needs.library('libvirt.so.0'), ...libvirtdNeeds(), needs.kernel('veth')).test('interfaces of a pool of devices are added and removed', async () => {
  await using daemon = await startLibvirtd({ setup: 'ip link add d0 type veth peer name d1' })
  await using connection = await connectLibvirt(daemon.socketUri)
  const network = await connection.networks.define("<network><name>pool</name><forward mode='private'><interface dev='d0'/></forward></network>")
  await network.addForwardInterface({ dev: 'd1' })
  const shown = () => daemon.virsh('net-dumpxml', '--inactive', 'pool')
  expect(await shown()).toMatch(/dev='d0'\/>\n.*dev='d1'/)
  await network.removeForwardInterface({ dev: 'd0' })
  expect(await shown()).not.toContain("<interface dev='d0'")
})
