/**
 * The how-to's NAT network, with real guests, from nothing to nothing: `npm run demo`.
 *
 * A host with an uplink, a machine outside, and two guests, each in a network namespace of its own. Every claim that is
 * printed has been checked; the first that fails ends the demo with status 1. The machine's own network is not touched.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { styleText } from 'node:util'
import { connect, parseNetworkXml } from '../src/index.ts'
import type { Connection, Network } from '../src/index.ts'
import { takeAddress } from './demo/dhcp.ts'
import { Machine } from './demo/lab.ts'
import { Cleanup } from './demo/cleanup.ts'
import * as views from './demo/views.ts'

const gateway = '192.168.122.1'
const uplink = { host: '203.0.113.2', outside: '203.0.113.1' }

const interrupted = new AbortController()
// Not once: an impatient second Ctrl-C must not cut the clean-up short.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { interrupted.abort(new Error(signal)) })
const interruption = new Promise<never>((_, reject) => {
  interrupted.signal.addEventListener('abort', () => { reject(interrupted.signal.reason as Error) }, { once: true })
})
interruption.catch(() => {})
/** The step that is under way; cleaning up waits for it. */
let underWay: Promise<unknown> = Promise.resolve()

/** Does a step, prints it with its time, and fails if the claim does not hold. */
async function step<T>(claim: string, work: () => Promise<T>, holds: (result: T) => boolean = () => true): Promise<T> {
  interrupted.signal.throwIfAborted()
  const start = performance.now()
  const working = work()
  underWay = working.catch(() => {})
  const result = await Promise.race([working, interruption])
  const ms = performance.now() - start
  const time = ms < 100 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`
  if (!holds(result)) throw new Error(`${claim}: does not hold, got ${JSON.stringify(result)}`)
  console.log(`${styleText('green', '✓')} ${claim} ${styleText('dim', `(${time})`)}`)
  return result
}

async function show(title: string, text: Promise<string>): Promise<void> {
  console.log(`\n${styleText('bold', title)}\n${(await text).replace(/^(?=.)/gm, '  ').trimEnd()}`)
}

/** host – outside: one cable, eth0 at both ends. */
async function plugUplink(host: Machine, outside: Machine): Promise<void> {
  await host.host.links.create({ name: 'eth0', kind: 'veth', up: true, veth: { peer: { name: 'eth0', netns: outside.netns, up: true } } })
  await host.host.addresses.add('eth0', `${uplink.host}/24`)
  await host.host.routes.add({ to: 'default', via: uplink.outside })
  await outside.host.addresses.add('eth0', `${uplink.outside}/24`)
  // So that an attempt from outside really reaches the host: only the firewall can refuse it.
  await outside.host.routes.add({ to: '192.168.122.0/24', via: uplink.host })
}

async function plugGuest(host: Machine, guest: Machine, port: string): Promise<void> {
  const peer = { name: 'eth0', netns: guest.netns, up: true }
  await host.host.links.create({ name: port, kind: 'veth', master: 'virbr0', up: true, veth: { peer } })
}

async function forwarding({ host: { links } }: Machine): Promise<void> {
  while ((await links.list({ master: 'virbr0' })).some(({ port }) => port?.state !== 'forwarding')) {
    interrupted.signal.throwIfAborted()
    await setTimeout(50)
  }
}

async function tour(connection: Connection, network: Network, { host, outside, guests, directory }: Stage): Promise<void> {
  const [first, second] = guests
  await step('network default is started: bridge, address, firewall, DHCP and DNS', () => network.start())
  await step('  it is active, and forwarding is on', async () =>
    (await network.info()).active && await host.host.sysctl.get('net.ipv4.ip_forward') === '1', Boolean)
  await step('two guests are plugged into virbr0', () => Promise.all(guests.map((guest, index) => plugGuest(host, guest, `vnet${index}`))))
  await step('their ports forward (STP is on, as in libvirt: a new port first listens and learns, 2 s each)', () => forwarding(host))
  const [a, b] = await step('both take an address by DHCP (dnsmasq first tries for 3 s if an address is in use)',
    () => Promise.all([takeAddress(first, 'eth0', directory), takeAddress(second, 'eth0', directory)]),
    offers => offers.every(({ ip, router, dns }) => ip.startsWith('192.168.122.') && router === gateway && dns === gateway))
  await step(`guest1 has ${a.ip}, guest2 has ${b.ip}: both are in the network's leases`, () => network.leases(),
    leases => [a, b].every(({ ip }) => leases.some(({ ipaddr }) => ipaddr === ip)))
  await step('guest1 finds guest2 by name through the network\'s DNS', () => first.script(
    `const resolver = new (require('node:dns').promises.Resolver)(); resolver.setServers([process.argv[1]])
     resolver.resolve4('guest2').then(([address]) => console.log(address))`, gateway), address => address === b.ip)
  await step('guest1 pings guest2', () => first.ping(b.ip), Boolean)
  await step('guest1 pings the host', () => first.ping(gateway), Boolean)
  await step('guest1 pings the machine outside', () => first.ping(uplink.outside), Boolean)
  await Promise.all([outside.serve(8080), second.serve(8080)])
  await step(`guest1 connects to the outside, which sees the uplink's address ${uplink.host}`,
    () => first.connect(uplink.outside, 8080), seen => seen === uplink.host)
  await step('guest1 connects to a server on guest2, which sees guest1\'s own address',
    () => first.connect(b.ip, 8080), seen => seen === a.ip)
  await step('the outside cannot connect to that server', () => outside.connect(b.ip, 8080), seen => seen === 'ECONNREFUSED')

  await show('virsh net-list --all', views.networkList(connection))
  await show('brctl show', views.bridges(host.host))
  await show('ip address', views.addresses(host.host))
  await show('route -n', views.routes(host.host))
  await show('iptables -t nat -L -nv', views.rules(host.host, 'nat'))
  await show('iptables -L -nv', views.rules(host.host, 'filter'))
  await show('virsh net-dhcp-leases default', views.leases(connection, 'default'))
  console.log()
}

interface Stage {
  host: Machine
  outside: Machine
  guests: [Machine, Machine]
  directory: string
}

async function traces({ host: { host } }: Stage): Promise<string[]> {
  const links = (await host.links.list({ kind: 'bridge' })).map(({ name }) => `link ${name}`)
  const tables = (await host.firewall.tables()).map(({ family, name }) => `table ${family} ${name}`)
  const forward = await host.sysctl.get('net.ipv4.ip_forward') === '0' ? [] : ['net.ipv4.ip_forward']
  return [...links, ...tables, ...forward]
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'virbr-demo-'))
  await using cleanup = new Cleanup()
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  const make = async (name: string): Promise<Machine> => cleanup.use(await Machine.make(name))
  const stage = await step('four machines: a host, the outside, two guests', async (): Promise<Stage> =>
    ({ host: await make('host'), outside: await make('outside'), guests: [await make('guest1'), await make('guest2')], directory }))
  await step(`the host has an uplink, eth0 ${uplink.host}, to the outside`, () => plugUplink(stage.host, stage.outside))

  const connection = cleanup.use(await connect(`kernel:///system?netns=${stage.host.netns}&root=${directory}`))
  const xml = await readFile(new URL('../../examples/default.xml', import.meta.url), 'utf8')
  const network = await step('examples/default.xml is defined', () => connection.networks.define(parseNetworkXml(xml)))
  cleanup.defer(async () => {
    if ((await network.info()).active) await network.destroy()
  })
  cleanup.defer(async () => {
    for (const machine of [stage.outside, ...stage.guests]) await machine.endPrograms()
    await underWay
  })
  await tour(connection, network, stage)
  await step('network default is destroyed', () => network.destroy())
  await step('nothing of it is left: no bridge, no rules, forwarding as it was', () => traces(stage), left => left.length === 0)
}

try {
  await main()
  console.log(styleText('green', 'Everything that was claimed holds, and everything is removed.'))
} catch (error) {
  const { aborted } = interrupted.signal
  const { message } = error as Error
  console.error(`${styleText('red', '✗')} ${aborted ? `stopped by ${message}; everything is removed` : message}`)
  process.exitCode = aborted ? 130 : 1
}
