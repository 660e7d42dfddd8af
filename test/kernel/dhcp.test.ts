/** A guest on the network, with a real DHCP client: address, names, the way out, and no way in. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Host } from '../../src/host/host.ts'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import type { Lab } from './lab.ts'
import { kernelNeeds, openLab } from './lab.ts'

const { test } = needing(...kernelNeeds, needs.kernel('veth'), ...['udhcpc', 'nc', 'ping'].map(needs.tool))

const xml = `<network>
  <name>lan</name>
  <forward mode="nat"/>
  <bridge name="br1" stp="off"/>
  <domain name="lab.example"/>
  <dns>
    <txt name="motd.lab.example" value="hello"/>
    <host ip="192.168.1.99"><hostname>printer</hostname></host>
  </dns>
  <ip address="192.168.1.1" prefix="24">
    <dhcp>
      <range start="192.168.1.100" end="192.168.1.199"/>
      <host mac="52:54:00:00:00:02" name="fixed" ip="192.168.1.42"/>
    </dhcp>
  </ip>
</network>`

/** Tells what the client was given, then configures it as a guest would. */
const script = `#!/bin/sh
[ "$1" = bound ] || exit 0
echo "$ip/$mask $router $dns $domain $lease" >"$0.lease"
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
`

/** A namespace with its link `eth0` on the bridge. */
async function plugGuest(lab: Lab, name: string, mac: string): Promise<Host> {
  const guest = await Host.open({ netns: { create: true } })
  await guest.links.set('lo', { up: true })
  const netns = `/proc/${process.pid}/fd/${guest.netnsFd}`
  await lab.sh(`ip link add ${name} type veth peer name eth0 address ${mac} netns ${netns}
    ip link set ${name} master br1 up`)
  await guest.links.set('eth0', { up: true })
  return guest
}

/** Address, router, name server, domain and lease time that the client was offered. */
async function takeLease(lab: Lab, guest: Host, hostname: string): Promise<string[]> {
  const file = join(lab.root, `${hostname}.sh`)
  await writeFile(file, script, { mode: 0o755 })
  const once = ['-f', '-q', '-n', '-t', '8', '-T', '1']
  await run('udhcpc', [...once, '-i', 'eth0', '-x', `hostname:${hostname}`, '-s', file], { netns: guest.netnsFd })
  return (await readFile(`${file}.lease`, 'utf8')).trim().split(' ')
}

/** Asks the network's name server. */
async function resolve(guest: Host, type: string, name: string): Promise<unknown> {
  const source = `const resolver = new (require('node:dns').promises.Resolver)({ timeout: 2000, tries: 1 })
    resolver.setServers(['192.168.1.1'])
    resolver.resolve(process.argv[2], process.argv[1]).catch(error => error.code)
      .then(answer => console.log(JSON.stringify(answer)))`
  return JSON.parse(await run(process.execPath, ['-e', source, type, name], { netns: guest.netnsFd })) as unknown
}

test('guests get addresses and names, reach the outside as the host, and are not reached from there', async () => {
  const lab = await openLab()
  await using outside = await Host.open({ netns: { create: true } })
  await lab.sh(`ip link add up0 type veth peer name eth0 netns /proc/${process.pid}/fd/${outside.netnsFd}
    ip addr add 203.0.113.1/24 dev up0; ip link set up0 up`)
  await outside.addresses.add('eth0', '203.0.113.2/24')
  for (const link of ['lo', 'eth0']) await outside.links.set(link, { up: true })
  await outside.routes.add({ to: '192.168.1.0/24', via: '203.0.113.1' })

  const network = await (await lab.connect()).networks.create(xml)
  await using any = await plugGuest(lab, 'vnet0', '52:54:00:00:00:01')
  await using fixed = await plugGuest(lab, 'vnet1', '52:54:00:00:00:02')
  const [given, ...rest] = await takeLease(lab, any, 'roamer')
  expect(given).toMatch(/^192\.168\.1\.1\d\d\/24$/)
  expect(rest).toEqual(['192.168.1.1', '192.168.1.1', 'lab.example', '3600'])
  expect((await takeLease(lab, fixed, 'whatever'))[0]).toBe('192.168.1.42/24')

  const address = given?.split('/')[0]
  const leases = await network.leases()
  expect(leases.sort((a, b) => (a.mac ?? '') < (b.mac ?? '') ? -1 : 1)).toMatchObject([
    { iface: 'br1', type: 'ipv4', mac: '52:54:00:00:00:01', ipaddr: address, prefix: 24, hostname: 'roamer' },
    { iface: 'br1', type: 'ipv4', mac: '52:54:00:00:00:02', ipaddr: '192.168.1.42', prefix: 24, hostname: 'fixed' },
  ])
  for (const { expiryTime } of leases) expect(Math.abs(expiryTime - Date.now() / 1000 - 3600)).toBeLessThan(30)
  expect(await network.leases({ mac: '52:54:00:00:00:02'.toUpperCase() })).toHaveLength(1)
  expect(await network.leases({ mac: '52:54:00:00:00:03' })).toEqual([])

  expect(await resolve(fixed, 'A', 'roamer.lab.example')).toEqual([address])
  expect(await resolve(any, 'A', 'fixed.lab.example')).toEqual(['192.168.1.42'])
  expect(await resolve(any, 'A', 'printer.lab.example')).toEqual(['192.168.1.99'])
  expect(await resolve(any, 'TXT', 'motd.lab.example')).toEqual([['hello']])

  // Guests see each other; the outside sees the host's address.
  await run('ping', ['-c', '1', '-W', '2', '192.168.1.42'], { netns: any.netnsFd })
  const listener = run('sh', ['-c', 'nc -v -n -l 203.0.113.2 8000 2>&1'], { netns: outside.netnsFd })
  const call = 'for try in $(seq 20); do echo hello | nc -N -w 2 203.0.113.2 8000 && exit; sleep 0.1; done; exit 1'
  await run('sh', ['-c', call], { netns: any.netnsFd })
  expect(await listener).toMatch(/Connection received on 203\.0\.113\.1 \d+\nhello/)

  const intrusion = await tryRun('ping', ['-c', '1', '-W', '1', '192.168.1.42'], { netns: outside.netnsFd })
  expect(intrusion.status).not.toBe(0)
  expect(intrusion.stdout).toContain('Destination Port Unreachable')

  await network.destroy()
  expect((await tryRun('ping', ['-c', '1', '-W', '1', '203.0.113.2'], { netns: any.netnsFd })).status).not.toBe(0)
})
