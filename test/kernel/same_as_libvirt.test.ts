/** The same XML, started by a real libvirtd and by us, leaves the same kernel: each in a namespace of its own. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { dnsmasqNamespace } from '../../src/network/config.ts'
import { ip6tablesSave, ipJson, iptablesSave, run } from '../support/lab.ts'
import type { Json, LabNetns } from '../support/lab.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing } from '../support/needs.ts'
import { kernelNeeds, openLab } from './lab.ts'

const { test, describe } = needing(...kernelNeeds, ...libvirtdNeeds())

const example = await readFile(new URL('../../examples/default.xml', import.meta.url), 'utf8')
/** Both get the same, as either would otherwise choose. */
const identity = "<uuid>6f0c2ac4-4f8d-4e5a-9a0e-0f1d2c3b4a59</uuid><mac address='52:54:00:aa:bb:cc'/>"

function network(inner: string): string {
  return `<network xmlns:dnsmasq="${dnsmasqNamespace}"><name>default</name>${inner}</network>`
}

const range = '<range start="192.168.122.2" end="192.168.122.254"/>'
const ip = (inner: string) => `<ip address="192.168.122.1" netmask="255.255.255.0">${inner}</ip>`
const served = ip(`<dhcp>${range}</dhcp>`)

const networks: Record<string, string> = {
  'the default network': example,
  'routed': network(`<forward mode="route"/>${served}`),
  'routed out of one device': network(`<forward mode="route" dev="up0"/>${served}`),
  'isolated': network(served),
  'isolated, without an address': network('<bridge name="lan0" stp="off"/>'),
  'open': network(`<forward mode="open"/>${served}`),
  'nat out of one device': network(`<forward mode="nat" dev="up0"/>${served}`),
  'nat from chosen ports': network(`<forward mode="nat"><nat><port start="2000" end="3000"/></nat></forward>${served}`),
  'nat to chosen addresses': network(
    `<forward mode="nat"><nat><address start="198.51.100.1" end="198.51.100.9"/></nat></forward>${served}`),
  'nat to one address': network(
    `<forward mode="nat"><nat><address start="198.51.100.1" end="198.51.100.1"/></nat></forward>${served}`),
  'of two subnets': network(`<forward/>${served}<ip address="10.77.0.1" prefix="16"/>`),
  'with TFTP and boot': network(
    `<forward/>${ip(`<tftp root="/srv"/><dhcp>${range}<bootp file="pxe.0" server="192.168.122.9"/></dhcp>`)}`),
  'with a route': network(
    `<forward/>${served}<route address="10.55.0.0" prefix="16" gateway="192.168.122.9" metric="7"/>
    <route address="10.56.0.0" prefix="16" gateway="192.168.122.9"/>`),
  'with an MTU and a delay': network(`<forward/><mtu size="1400"/><bridge name="br7" stp="on" delay="4"/>${served}`),
  'without STP': network(`<forward/><bridge name="br7" stp="off" delay="0"/>${served}`),
  'with fixed hosts and lease times': network(`<forward/>${ip(`<dhcp>
    <range start="192.168.122.20" end="192.168.122.40"><lease expiry="2" unit="hours"/></range>
    <range start="192.168.122.50" end="192.168.122.60"/>
    <host mac="52:54:00:00:00:01" name="one" ip="192.168.122.10"/>
    <host mac="52:54:00:00:00:02" ip="192.168.122.11"><lease expiry="0"/></host>
    <host name="three" ip="192.168.122.12"/></dhcp>`)}`),
  'with fixed hosts only': network(
    `<forward/>${ip('<dhcp><host mac="52:54:00:00:00:01" name="one" ip="192.168.122.10"/></dhcp>')}`),
  'without DHCP': network(`<forward/>${ip('')}`),
  'without DNS': network(`<forward/><dns enable="no"/>${served}`),
  'without DNS and DHCP': network(`<forward/><dns enable="no"/>${ip('')}`),
  'with all of DNS': network(`<forward/><domain name="lab.example" localOnly="yes"/><dns forwardPlainNames="no">
    <forwarder addr="192.0.2.1"/><forwarder domain="corp.example" addr="192.0.2.2"/><forwarder domain="free.example"/>
    <txt name="motd" value="hello there"/>
    <srv service="ldap" protocol="tcp" domain="lab.example" target="one.lab.example" port="389"
      priority="5" weight="6"/>
    <host ip="192.168.122.3"><hostname>three</hostname><hostname>drei</hostname></host></dns>${served}`),
  'with a reverse zone': network(`<forward/><domain name="lab.example"/>
    <ip address="192.168.122.1" netmask="255.255.255.0" localPtr="yes"><dhcp>${range}</dhcp></ip>`),
  'isolated, with a forwarder': network(`<dns><forwarder addr="192.0.2.1"/></dns>${served}`),
  'with dnsmasq options': network(
    `<forward/>${served}<dnsmasq:options><dnsmasq:option value="dhcp-option=42,192.168.122.1"/></dnsmasq:options>`),
}

/** Where libvirtd keeps dnsmasq's files. */
const theirFolder = '/var/lib/libvirt/dnsmasq'

const setup = 'ip link add up0 type veth peer name up1 && ip link set up0 up'

/** Fields of `ip -j -d link` that differ from start to start. */
const fleeting = [
  'ifindex', 'hello_timer', 'tcn_timer', 'topology_change_timer', 'gc_timer', 'mcast_stats_enabled', 'qdisc',
]

function lasting(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lasting)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !fleeting.includes(name))
  return Object.fromEntries(kept.map(([name, one]) => [name, lasting(one)]))
}

const ipv6Settings = ['disable_ipv6', 'accept_ra', 'autoconf']

/** What the tools say of the network. */
async function kernelState(netns: LabNetns, bridge: string): Promise<Json> {
  const sysctl = (name: string) => run('sysctl', ['-n', name], { netns })
  return {
    link: lasting(await ipJson(netns, 'link', 'show', bridge)),
    addresses: lasting(await ipJson(netns, 'address', 'show', bridge)),
    routes: lasting(await ipJson(netns, 'route', 'show', 'table', 'all', 'dev', bridge)),
    rules: (await iptablesSave(netns)).map(line => line.replaceAll('LIBVIRT_', 'VIRBR_')),
    forwarding: await sysctl('net.ipv4.ip_forward'),
    ipv6: await Promise.all(ipv6Settings.map(name => sysctl(`net.ipv6.conf.${bridge}.${name}`))),
  }
}

/** The lines that matter, in the words of neither's folders, sorted: dnsmasq does not mind their order. */
function settings(conf: string, folder: string): string[] {
  return conf.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.replaceAll(folder, 'DIR').replaceAll('/run/libvirt/network', 'DIR'))
    .map(line => line.replace('DIR/default.hostsfile', 'DIR/default.hosts')).sort()
}

describe('a network, started by libvirtd and by us:', () => {
  test.each(Object.entries(networks))('%s', async (_, xml) => {
    const ours = await openLab()
    await ours.sh(setup)
    await using daemon = await startLibvirtd({ setup })
    const same = xml.replace('</name>', `</name>${identity}`)
    const theirFile = '/run/network.xml'
    await daemon.inside('sh', '-c', 'printf %s "$1" >"$2"', 'sh', same, theirFile)
    await daemon.virsh('net-define', theirFile)

    const { networks } = await ours.connect()
    const network = await networks.define(same)
    expect(await network.xml()).toBe(await daemon.virsh('net-dumpxml', 'default'))

    await daemon.virsh('net-start', 'default')
    await network.start()
    const { bridge } = await network.info()
    const theirs: LabNetns = { pid: daemon.pid }
    expect(await kernelState(ours.netns, bridge)).toEqual(await kernelState(theirs, bridge))
    expect(await network.xml()).toBe(await daemon.virsh('net-dumpxml', 'default'))
    // libvirt makes its chains for IPv6 too, and leaves them empty.
    expect((await ip6tablesSave(theirs)).filter(line => /^-A LIBVIRT_/.test(line))).toEqual([])
    expect(await ip6tablesSave(ours.netns)).toEqual([])

    const ourFolder = join(ours.root, 'run/dnsmasq')
    const read = async (ourSuffix: string, theirSuffix: string) => [
      await readFile(join(ourFolder, `default.${ourSuffix}`), 'utf8').catch(() => ''),
      await daemon.inside('sh', '-c', `cat ${theirFolder}/default.${theirSuffix} 2>/dev/null || true`),
    ] as const
    const [ourConf, theirConf] = await read('conf', 'conf')
    // libvirt has a helper program keep the leases, which it hands to dnsmasq on the command line.
    const leaseFile = theirConf.includes('dhcp-hostsfile') ? ['dhcp-leasefile=DIR/default.leases'] : []
    expect(settings(ourConf, ourFolder)).toEqual([...settings(theirConf, theirFolder), ...leaseFile].sort())
    for (const [ourText, theirText] of [await read('hosts', 'hostsfile'), await read('addnhosts', 'addnhosts')]) {
      expect(ourText).toBe(theirText.replace(/\t$/gm, ''))
    }
  })
})
