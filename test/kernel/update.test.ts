/** Networks are changed while they run: as a real libvirtd changes them, seen by guests, and not half. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Host } from '../../src/host/host.ts'
import type { Network, NetworkUpdate } from '../../src/network/connection.ts'
import { iptablesSave, run } from '../support/lab.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import type { Libvirtd } from '../support/libvirtd.ts'
import { patience } from '../support/patience.ts'
import { needing, needs } from '../support/needs.ts'
import { endAtStep, failAtStep } from './faults.ts'
import type { Lab } from './lab.ts'
import { describe, kernelNeeds, openLab, processes, refusal, test } from './lab.ts'

const uuid = '6f0c2ac4-4f8d-4e5a-9a0e-0f1d2c3b4a59'
const xml = (inside: string, forward = '<forward mode="nat"/>', dns = ''): string => `<network>
  <name>lan</name><uuid>${uuid}</uuid>${forward}<bridge name="br1" stp="off"/><mac address="52:54:00:aa:bb:cc"/>
  <domain name="lab.example" localOnly="yes"/>${dns}
  <ip address="192.168.1.1" prefix="24">${inside}</ip>
</network>`
const range = '<range start="192.168.1.100" end="192.168.1.199"/>'
const fixed = '<host mac="52:54:00:00:00:02" name="fixed" ip="192.168.1.42"/>'
const served = `<dhcp>${range}${fixed}</dhcp>`
const names = `<dns><txt name="motd" value="hello"/><srv service="ldap" protocol="tcp" domain="lab.example"/>
  <host ip="192.168.1.99"><hostname>printer</hostname></host></dns>`

const both = { live: true, config: true }
const newHost = { mac: '52:54:00:00:00:03', name: 'new', ip: '192.168.1.43' }

interface Step { command: NetworkUpdate['command'], section: NetworkUpdate['section'], xml: string, network?: string }
const steps: Record<string, Step> = {
  'a host first': { command: 'add-first', section: 'ip-dhcp-host', xml: "<host mac='52:54:00:00:00:03' ip='192.168.1.43'/>" },
  'a host last': { command: 'add-last', section: 'ip-dhcp-host', xml: "<host name='three' ip='192.168.1.43'><lease expiry='1' unit='hours'/></host>" },
  'the first host': { command: 'add-last', section: 'ip-dhcp-host', xml: "<host mac='52:54:00:00:00:03' ip='192.168.1.43'/>", network: xml('') },
  'another address': { command: 'modify', section: 'ip-dhcp-host', xml: "<host mac='52:54:00:00:00:02' ip='192.168.1.43'/>" },
  'no host': { command: 'delete', section: 'ip-dhcp-host', xml: "<host name='fixed'/>" },
  'no DHCP': { command: 'delete', section: 'ip-dhcp-host', xml: "<host name='fixed'/>", network: xml(`<dhcp>${fixed}</dhcp>`) },
  'a range first': { command: 'add-first', section: 'ip-dhcp-range', xml: "<range start='192.168.1.50' end='192.168.1.59'/>" },
  'a range last': { command: 'add-last', section: 'ip-dhcp-range', xml: "<range start='192.168.1.50' end='192.168.1.59'/>" },
  'no range': { command: 'delete', section: 'ip-dhcp-range', xml: "<range start='192.168.1.100' end='192.168.1.199'/>" },
  'the last range': { command: 'delete', section: 'ip-dhcp-range', xml: "<range start='192.168.1.100' end='192.168.1.199'/>", network: xml(`<dhcp>${range}</dhcp>`) },
  'an interface': { command: 'add-last', section: 'forward-interface', xml: "<interface dev='up0'/>" },
  'an interface first': { command: 'add-first', section: 'forward-interface', xml: "<interface dev='up0'/>", network: xml(served, '<forward mode="route"/>') },
  'no interface': { command: 'delete', section: 'forward-interface', xml: "<interface dev='up0'/>", network: xml(served, '<forward mode="nat" dev="up0"/>') },
  'a name first': { command: 'add-first', section: 'dns-host', xml: "<host ip='192.168.1.98'><hostname>scanner</hostname><hostname>scan</hostname></host>" },
  'a name last': { command: 'add-last', section: 'dns-host', xml: "<host ip='192.168.1.98'><hostname>printer</hostname></host>" },
  'no name': { command: 'delete', section: 'dns-host', xml: '<host><hostname>printer</hostname></host>' },
  'a text first': { command: 'add-first', section: 'dns-txt', xml: "<txt name='news' value='none'/>" },
  'a text last': { command: 'add-last', section: 'dns-txt', xml: "<txt name='news' value='none'/>" },
  'no text': { command: 'delete', section: 'dns-txt', xml: "<txt name='motd'/>" },
  'a service first': { command: 'add-first', section: 'dns-srv', xml: "<srv service='http' protocol='tcp' target='fixed' port='80'/>" },
  'a service last': { command: 'add-last', section: 'dns-srv', xml: "<srv service='http' protocol='tcp'/>" },
  'no service': { command: 'delete', section: 'dns-srv', xml: "<srv service='ldap' protocol='tcp'/>" },
}

const theirFolder = '/var/lib/libvirt/dnsmasq'

async function theirs(daemon: Libvirtd, flags: string[], { command, section, xml: element }: Step): Promise<void> {
  await daemon.virsh('net-update', 'lan', command, section, element, ...flags)
}

/** What dnsmasq reads: ours and libvirt's, in the same words. */
async function lists(lab: Lab, daemon: Libvirtd): Promise<{ ours: string[], theirs: string[] }> {
  const ours = (suffix: string): Promise<string> => readFile(join(lab.root, 'run/dnsmasq', `lan.${suffix}`), 'utf8').catch(() => '')
  const read = (suffix: string): Promise<string> => daemon.inside('sh', '-c', `cat ${theirFolder}/lan.${suffix} 2>/dev/null || true`)
  return {
    ours: await Promise.all(['hosts', 'addnhosts'].map(ours)),
    theirs: (await Promise.all(['hostsfile', 'addnhosts'].map(read))).map(text => text.replace(/\t$/gm, '')),
  }
}

/** Lines of dnsmasq's configuration without the places of files. */
const settings = (conf: string): string[] => conf.split('\n').filter(line => !/^#|file=|hosts=|^$/.test(line)).sort()

const withLibvirt = needing(...kernelNeeds, ...libvirtdNeeds())

withLibvirt.describe('libvirtd and we, given the same change:', () => {
  withLibvirt.test.each(Object.entries(steps))('%s', async (_, step) => {
    const lab = await openLab()
    await using daemon = await startLibvirtd()
    const { network: start = xml(served, undefined, names), command, section, xml: element } = step
    await daemon.inside('sh', '-c', 'printf %s "$1" >/run/network.xml', 'sh', start)
    await daemon.virsh('net-define', '/run/network.xml')
    const network = await (await lab.connect()).networks.define(start)
    const dumps = async (inactive = false) => [
      await network.xml({ inactive }), await daemon.virsh('net-dumpxml', 'lan', ...(inactive ? ['--inactive'] : [])),
    ] as const

    // An inactive network: the persistent configuration.
    await network.update({ command, section, xml: element })
    await theirs(daemon, ['--current'], step)
    const [oursOnce, theirsOnce] = await dumps()
    expect(oursOnce).toBe(theirsOnce)
    await network.undefine()
    await daemon.virsh('net-undefine', 'lan')

    // A running one: only the running configuration, then what dnsmasq and the firewall do.
    await daemon.virsh('net-define', '/run/network.xml')
    await daemon.virsh('net-start', 'lan')
    const running = await (await lab.connect()).networks.define(start)
    await running.start()
    const servers = async () => [await dnsmasqPid(lab), await daemon.inside('pgrep', '--oldest', 'dnsmasq')] as const
    const before = await servers()
    await running.update({ command, section, xml: element })
    await theirs(daemon, ['--current'], step)
    const now = await servers()
    expect(now[0] === before[0] ? 'goes on' : 'anew').toBe(now[1] === before[1] ? 'goes on' : 'anew')
    const live = await dumps()
    expect(live[0]).toBe(live[1])
    const persistent = await dumps(true)
    expect(persistent[0]).toBe(persistent[1])
    const files = await lists(lab, daemon)
    if (live[0].includes('<dhcp>')) expect(files.ours).toEqual(files.theirs)
    expect((await iptablesSave(lab.netns)).sort())
      .toEqual((await iptablesSave({ pid: daemon.pid })).map(line => line.replaceAll('LIBVIRT_', 'VIRBR_')).sort())
    expect(settings(await readFile(join(lab.root, 'run/dnsmasq/lan.conf'), 'utf8')))
      .toEqual(settings(await daemon.inside('cat', `${theirFolder}/lan.conf`)))
    expect(persistent[0]).not.toBe(live[0])
  })
})

/** Who serves, for telling whether dnsmasq was started anew. */
async function dnsmasqPid(lab: Lab): Promise<number> {
  const found = await processes(lab.netns)
  expect(found).toHaveLength(1)
  return found[0]?.pid ?? 0
}

async function openNetwork(definition = xml(served, undefined, names)): Promise<{ lab: Lab, network: Network }> {
  const lab = await openLab()
  const network = await (await lab.connect()).networks.define(definition)
  await network.start()
  return { lab, network }
}

describe('where a change goes', () => {
  test('neither live nor config: to the running network, or else to the persistent configuration', async () => {
    const { lab, network } = await openNetwork()
    await network.addDhcpHost(newHost)
    expect(await network.xml()).toContain(newHost.mac)
    expect(await network.xml({ inactive: true })).not.toContain(newHost.mac)
    await network.destroy()
    expect(await network.xml()).not.toContain(newHost.mac)
    await network.addDhcpHost(newHost)
    expect(await network.xml()).toContain(newHost.mac)
    // Seen by another connection too.
    expect(await (await (await lab.connect()).networks.get('lan')).xml()).toContain(newHost.mac)
  })

  test('config: only to the persistent one; both: to both, or to none', async () => {
    const { network } = await openNetwork()
    await network.addDhcpHost(newHost, { config: true })
    expect(await network.xml()).not.toContain(newHost.mac)
    expect(await network.xml({ inactive: true })).toContain(newHost.mac)
    expect(await refusal('ERR_UPDATE_FAILED', () => network.addDhcpHost(newHost, both)))
      .toMatchObject({ message: expect.stringContaining('stands in the way') as string })
    expect(await network.xml()).not.toContain(newHost.mac)
    await network.removeDhcpHost({ name: 'new' }, { config: true })
    await network.addDhcpHost(newHost, both)
    expect(await network.xml()).toContain(newHost.mac)
    expect(await network.xml({ inactive: true })).toContain(newHost.mac)
  })

  test('is refused where there is no such state', async () => {
    const { lab, network } = await openNetwork()
    await network.undefine()
    await refusal('ERR_NETWORK_TRANSIENT', () => network.addDhcpHost(newHost, { config: true }))
    await refusal('ERR_NETWORK_TRANSIENT', () => network.addDhcpHost(newHost, both))
    await network.addDhcpHost(newHost, { live: true })
    await network.destroy()
    await refusal('ERR_NO_NETWORK', () => network.addDhcpHost(newHost))
    const idle = await (await lab.connect()).networks.define(xml(served))
    await refusal('ERR_NETWORK_INACTIVE', () => idle.addDhcpHost(newHost, { live: true }))
    await refusal('ERR_NETWORK_INACTIVE', () => idle.addDhcpHost(newHost, both))
  })

  test('what this driver does not do is refused, and nothing is touched', async () => {
    const { lab, network } = await openNetwork()
    const before = await everything(lab, network)
    await refusal('ERR_UNSUPPORTED', () => network.addPortGroup({ name: 'a' }, both))
    await refusal('ERR_UNSUPPORTED', () => network.update({ command: 'modify', section: 'bridge', xml: { stp: true } }))
    await refusal('ERR_INVALID_ARGUMENT', () => network.addDhcpHost({ ...newHost, ip: '10.0.0.1' }))
    await refusal('ERR_INVALID_ARGUMENT', () => network.addDhcpHost({ ...newHost, mcc: 'x' } as unknown as typeof newHost))
    await refusal('ERR_INVALID_XML', () => network.update({ command: 'add-last', section: 'dns-txt', xml: '<txt nam="a" value="b"/>' }))
    await refusal('ERR_UPDATE_FAILED', () => network.removeDnsTxt({ name: 'nothing' }))
    await refusal('ERR_UPDATE_FAILED', () => network.removePortGroup({ name: 'nothing' }))
    expect(await everything(lab, network)).toEqual(before)
  })
})

const guests = needing(...kernelNeeds, needs.kernel('veth'), ...['udhcpc', 'ping'].map(needs.tool))

/** A namespace with its link `eth0` on the bridge. */
async function plugGuest(lab: Lab, mac: string): Promise<Host> {
  const guest = await Host.open({ netns: { create: true } })
  await lab.sh(`ip link add vnet0 type veth peer name eth0 address ${mac} netns /proc/${process.pid}/fd/${guest.netnsFd}
    ip link set vnet0 master br1 up`)
  for (const link of ['lo', 'eth0']) await guest.links.set(link, { up: true })
  return guest
}

/** The address that a DHCP client is given. */
async function leaseOf(lab: Lab, guest: Host): Promise<string> {
  const script = join(lab.root, 'client.sh')
  await writeFile(script, '#!/bin/sh\n[ "$1" = bound ] && echo "$ip" >"$0.lease" || exit 0\n', { mode: 0o755 })
  await run('udhcpc', ['-f', '-q', '-n', '-t', '8', '-T', '1', '-i', 'eth0', '-s', script], { netns: guest.netnsFd })
  return (await readFile(`${script}.lease`, 'utf8')).trim()
}

/** Asks the network's name server, from the guest. */
async function resolve(guest: Host, type: string, name: string): Promise<unknown> {
  const source = `const resolver = new (require('node:dns').promises.Resolver)({ timeout: 2000, tries: 1 })
    resolver.setServers(['192.168.1.1'])
    resolver.resolve(process.argv[2], process.argv[1]).catch(error => error.code)
      .then(answer => console.log(JSON.stringify(answer)))`
  return JSON.parse(await run(process.execPath, ['-e', source, type, name], { netns: guest.netnsFd })) as unknown
}

guests.describe('a guest', () => {
  guests.test('gets the address that is reserved for it, and another once it no longer is; dnsmasq goes on', async () => {
    const { lab, network } = await openNetwork()
    await using guest = await plugGuest(lab, newHost.mac)
    const pid = await dnsmasqPid(lab)
    await network.addDhcpHost(newHost)
    expect(await leaseOf(lab, guest)).toBe('192.168.1.43')
    expect(await network.leases({ mac: newHost.mac })).toMatchObject([{ ipaddr: '192.168.1.43', hostname: 'new' }])
    await network.modifyDhcpHost({ ...newHost, ip: '192.168.1.44' })
    expect(await leaseOf(lab, guest)).toBe('192.168.1.44')
    await network.removeDhcpHost({ mac: newHost.mac })
    expect(await leaseOf(lab, guest)).toMatch(/^192\.168\.1\.1\d\d$/)
    expect(await dnsmasqPid(lab)).toBe(pid)
  })

  guests.test('is told names, texts and services as they come and go', async () => {
    const { lab, network } = await openNetwork()
    await using guest = await plugGuest(lab, newHost.mac)
    await guest.addresses.add('eth0', '192.168.1.77/24')
    const pid = await dnsmasqPid(lab)
    expect(await resolve(guest, 'A', 'scanner.lab.example')).toBe('ENOTFOUND')
    await network.addDnsHost({ ip: '192.168.1.98', hostname: ['scanner'] })
    expect(await resolve(guest, 'A', 'scanner.lab.example')).toEqual(['192.168.1.98'])
    await network.modifyDnsHost({ ip: '192.168.1.98', hostname: ['copier'] })
    expect(await resolve(guest, 'A', 'copier.lab.example')).toEqual(['192.168.1.98'])
    expect(await resolve(guest, 'A', 'scanner.lab.example')).toBe('ENOTFOUND')
    await network.removeDnsHost({ hostname: ['copier'] })
    expect(await resolve(guest, 'A', 'copier.lab.example')).toBe('ENOTFOUND')
    expect(await dnsmasqPid(lab)).toBe(pid)

    await network.addDnsTxt({ name: 'news.lab.example', value: 'none' })
    expect(await resolve(guest, 'TXT', 'news.lab.example')).toEqual([['none']])
    await network.modifyDnsTxt({ name: 'news.lab.example', value: 'some' })
    expect(await resolve(guest, 'TXT', 'news.lab.example')).toEqual([['some']])
    await network.removeDnsTxt({ name: 'news.lab.example' })
    expect(await resolve(guest, 'TXT', 'news.lab.example')).toMatch(/ENOTFOUND|ENODATA/)
    await network.addDnsSrv({ service: 'http', protocol: 'tcp', domain: 'lab.example', target: 'printer.lab.example', port: 80 })
    expect(await resolve(guest, 'SRV', '_http._tcp.lab.example')).toMatchObject([{ name: 'printer.lab.example', port: 80 }])
    expect(await dnsmasqPid(lab)).not.toBe(pid)
  })

  guests.test('gets an address of a new range, and its lease outlives the restart of dnsmasq', async () => {
    const { lab, network } = await openNetwork(xml(`<dhcp>${fixed}</dhcp>`))
    await using guest = await plugGuest(lab, newHost.mac)
    await network.addDhcpRange({ start: '192.168.1.60', end: '192.168.1.60' })
    expect(await leaseOf(lab, guest)).toBe('192.168.1.60')
    await network.addDhcpRange({ start: '192.168.1.70', end: '192.168.1.79' }, { first: true })
    expect(await network.leases()).toMatchObject([{ mac: newHost.mac, ipaddr: '192.168.1.60' }])
    expect(await leaseOf(lab, guest)).toBe('192.168.1.60')
  })

  guests.test('gets an address of a network that had no DHCP, and no dnsmasq, before', async () => {
    const { lab, network } = await openNetwork(xml('', undefined, '<dns enable="no"/>'))
    expect(await processes(lab.netns)).toEqual([])
    await using guest = await plugGuest(lab, newHost.mac)
    await network.addDhcpHost(newHost, both)
    expect(await leaseOf(lab, guest)).toBe('192.168.1.43')
    expect((await iptablesSave(lab.netns)).filter(line => line.includes('CHECKSUM'))).toHaveLength(1)
    await network.removeDhcpHost(newHost, both)
    expect(await processes(lab.netns)).toEqual([])
    await network.destroy()
  })

  guests.test('loses no packet while the way out changes: rules are replaced in one transaction', async () => {
    const { lab, network } = await openNetwork()
    await using outside = await Host.open({ netns: { create: true } })
    await lab.sh(`ip link add up0 type veth peer name eth0 netns /proc/${process.pid}/fd/${outside.netnsFd}
      ip addr add 203.0.113.1/24 dev up0; ip link set up0 up`)
    await outside.addresses.add('eth0', '203.0.113.2/24')
    for (const link of ['lo', 'eth0']) await outside.links.set(link, { up: true })
    await using guest = await plugGuest(lab, newHost.mac)
    await guest.addresses.add('eth0', '192.168.1.77/24')
    await guest.routes.add({ to: 'default', via: '192.168.1.1' })
    const before = (await iptablesSave(lab.netns)).sort()
    const ping = run('ping', ['-q', '-i', '0.002', '-c', '1000', '203.0.113.2'], { netns: guest.netnsFd })
    let ended = false
    void ping.finally(() => { ended = true }).catch(() => {})
    let changes = 0
    for (; !ended; changes += 2) {
      await network.addForwardInterface({ dev: 'up0' })
      await network.removeForwardInterface({ dev: 'up0' })
    }
    expect(changes).toBeGreaterThan(20 / patience)
    expect(await ping).toMatch(/1000 packets transmitted, 1000 received, 0% packet loss/)
    expect((await iptablesSave(lab.netns)).sort()).toEqual(before)
  })
})

/** All that a change may touch, in files and in the kernel. */
async function everything(lab: Lab, network: Network): Promise<unknown> {
  const folder = join(lab.root, 'run/dnsmasq')
  const read = async (suffix: string): Promise<string> => readFile(join(folder, `lan.${suffix}`), 'utf8').catch(() => '')
  return {
    live: await network.xml(),
    config: await network.xml({ inactive: true }),
    files: await Promise.all(['conf', 'hosts', 'addnhosts'].map(read)),
    rules: (await iptablesSave(lab.netns)).sort(),
    serving: (await processes(lab.netns)).map(({ command }) => command),
    notes: await readdir(join(lab.root, 'run/updating')),
    drafts: await readdir(join(lab.root, 'etc/draft')),
  }
}

/** A change of every kind: files only, dnsmasq's configuration, dnsmasq and firewall at once, and firewall only. */
const changes: Record<string, { network: string, change: (network: Network) => Promise<void> }> = {
  'a reservation': { network: xml(served), change: network => network.addDhcpHost(newHost, both) },
  'a text': { network: xml(served), change: network => network.addDnsTxt({ name: 'news', value: 'none' }, both) },
  'DHCP': { network: xml(''), change: network => network.addDhcpHost(newHost, both) },
  'no dnsmasq': {
    network: xml(`<dhcp>${fixed}</dhcp>`, undefined, '<dns enable="no"/>'),
    change: network => network.removeDhcpHost({ name: 'fixed' }, both),
  },
  'the way out': { network: xml(served), change: network => network.addForwardInterface({ dev: 'up0' }, both) },
}

describe('a change that fails at any step is undone:', () => {
  test.each(Object.entries(changes))('%s', async (_, { network: definition, change }) => {
    const { lab } = await openNetwork(definition)
    const viewer = await (await lab.connect()).networks.get('lan')
    const before = await everything(lab, viewer)
    for (let position = 0; ; position++) {
      const fault = failAtStep(position, isUpdating)
      const connection = await lab.connect()
      const error: unknown = await change(await connection.networks.get('lan')).then(() => 'done', (reason: unknown) => reason)
      fault.stop()
      await connection.close()
      if (error === 'done') {
        // The last step only tidies up: it may fail.
        expect(fault.length).toBe(1)
        expect(position).toBeGreaterThan(5)
        break
      }
      expect(error, `step ${position}`).toHaveProperty('code')
      expect(await everything(lab, viewer), `step ${position}`).toEqual(before)
    }
    const after = await everything(lab, viewer)
    expect(after).not.toEqual(before)
    expect(after).toMatchObject({ notes: [], drafts: [] })
  })
})

const isUpdating = (step: { op: string, path?: string }): boolean => step.op === 'writeFile' && step.path?.includes('/updating/') === true

describe('a process that ends before any step of a change leaves what the next connect puts right:', () => {
  test.each(Object.entries(changes))('%s', async (_, { network: definition, change }) => {
    const { lab } = await openNetwork(definition)
    const viewer = await (await lab.connect()).networks.get('lan')
    const before = await everything(lab, viewer)
    let after: unknown
    for (let position = 0, ended = true; ended; position++) {
      const fault = endAtStep(position, isUpdating)
      const killed = await lab.connect()
      const error: unknown = await change(await killed.networks.get('lan')).then(() => 'done', (reason: unknown) => reason)
      fault.stop()
      await fault.end()
      ended = error !== 'done'
      await lab.connect()
      const found = await everything(lab, viewer)
      if (ended && JSON.stringify(found) !== JSON.stringify(before)) {
        // It had come to the end but for tidying up.
        after ??= found
        expect(found, `before step ${position}`).toEqual(after)
        break
      }
      if (ended) expect(found, `before step ${position}`).toEqual(before)
      else after = found
    }
    expect(after).not.toEqual(before)
    expect(after).toMatchObject({ notes: [], drafts: [] })
  })
})

describe('dnsmasq', () => {
  test('that refuses its new configuration is given back the old one', async () => {
    const lab = await openLab()
    const dnsmasq = join(lab.root, 'dnsmasq')
    await writeFile(dnsmasq, `#!/bin/sh
      grep -q news "\${1#--conf-file=}" && { echo "dnsmasq: no news today" >&2; exit 1; }
      exec "$(PATH=$PATH:/usr/sbin command -v dnsmasq)" "$@"`, { mode: 0o755 })
    const network = await (await lab.connect({ dnsmasq })).networks.define(xml(served))
    await network.start()
    const before = await everything(lab, network)
    const error = await refusal('ERR_DNSMASQ_FAILED', () => network.addDnsTxt({ name: 'news', value: 'none' }, both))
    expect(error.message).toContain('no news today')
    expect(await everything(lab, network)).toEqual(before)
  })

  test('that has died is started with the change', async () => {
    const { lab, network } = await openNetwork()
    process.kill(await dnsmasqPid(lab), 'SIGKILL')
    await expect.poll(() => processes(lab.netns)).toEqual([])
    await network.addDnsHost({ ip: '192.168.1.98', hostname: ['scanner'] })
    await dnsmasqPid(lab)
  })
})

test('changes of two connections at once all stay', async () => {
  const { lab } = await openNetwork()
  const connections = await Promise.all([1, 2].map(async () => (await lab.connect()).networks.get('lan')))
  await Promise.all(Array.from({ length: 20 }, (_, index) => (connections[index % 2] as Network).addDhcpHost(
    { mac: `52:54:00:00:01:${String(index + 10)}`, ip: `192.168.1.${index + 10}` }, both)))
  const network = connections[0] as Network
  for (const inactive of [false, true]) {
    expect((await network.config({ inactive })).ip?.[0]?.dhcp?.host).toHaveLength(21)
  }
  expect((await readFile(join(lab.root, 'run/dnsmasq/lan.hosts'), 'utf8')).trim().split('\n')).toHaveLength(21)
})

test('close waits for a change that is under way', async () => {
  const { lab } = await openNetwork()
  const connection = await lab.connect()
  const network = await connection.networks.get('lan')
  const change = network.addDnsTxt({ name: 'news', value: 'none' }, both)
  await connection.close()
  await change
  await refusal('ERR_CLOSED', () => network.removeDnsTxt({ name: 'news' }))
  expect(await (await (await lab.connect()).networks.get('lan')).xml()).toContain('news')
})
