/** A network that was started and destroyed leaves the namespace as it was, whatever else is in it. */
import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { parseNetworkXml } from '../../src/network/xml.ts'
import { bareXml, describe, natXml, openLab, runFiles, settled, snapshot, test } from './lab.ts'

const example = await readFile(new URL('../../examples/default.xml', import.meta.url), 'utf8')

test('the default network leaves nothing of all that the tools can see', async () => {
  const lab = await openLab()
  const before = await snapshot(lab)
  const { networks } = await lab.connect()
  const network = await networks.define(example)
  expect(await snapshot(lab)).toEqual(before)
  await network.start()
  const during = await snapshot(lab)
  // The snapshot sees what a network changes.
  const changed = ['ip -d link', 'ip -d address', 'iptables-nft-save', 'processes', 'grep -rs "" /proc/sys/net']
  for (const section of changed) {
    expect(during[section], section).not.toEqual(before[section])
  }
  await network.destroy()
  expect(await snapshot(lab)).toEqual(before)
  expect(await runFiles(lab)).toEqual([])
})

/** What others have set up: the network's own chains must come and go around it. */
const neighbours: Record<string, string> = {
  'a policy of DROP': 'iptables -P FORWARD DROP; iptables -P INPUT DROP',
  'rules in the same chains': `iptables -A FORWARD -s 10.0.0.0/8 -j DROP; iptables -A INPUT -p tcp --dport 22 -j ACCEPT
    iptables -t nat -A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE`,
  'chains as Docker makes them': `iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -N DOCKER
    iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -o docker0 -j DOCKER; iptables -A DOCKER-USER -j RETURN
    iptables -t nat -N DOCKER; iptables -t nat -A PREROUTING -j DOCKER
    iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE`,
  'chains as libvirtd makes them': `iptables -N LIBVIRT_FWX; iptables -A FORWARD -j LIBVIRT_FWX
    iptables -A LIBVIRT_FWX -j ACCEPT
    iptables -t nat -N LIBVIRT_PRT; iptables -t nat -A POSTROUTING -j LIBVIRT_PRT`,
  'empty tables of iptables': `iptables -A INPUT -j ACCEPT; iptables -F
    iptables -t nat -A POSTROUTING -j ACCEPT; iptables -t nat -F`,
  'tables of nft': `nft 'add table inet lan; add chain inet lan c { type filter hook forward priority 10; policy drop; }
    add set inet lan s { type ipv4_addr; elements = { 10.0.0.1 }; }; add rule inet lan c ip saddr @s accept'
    nft 'add table ip libvirt_network; add chain ip libvirt_network c'`,
  'another’s chain in the table filter': `nft 'add table ip filter
    add chain ip filter c
    add rule ip filter c accept'`,
  'another bridge': 'ip link add other0 type bridge; ip addr add 10.44.0.1/24 dev other0; ip link set other0 up',
  'routes and rules': `ip link add up0 type veth peer name up1; ip addr add 10.3.0.1/24 dev up0
    ip link set up0 up; ip link set up1 up
    ip route add default via 10.3.0.9; ip route add 192.168.0.0/16 via 10.3.0.9; ip rule add to 10.0.0.1 table 5`,
  'forwarding already on': 'sysctl -qw net.ipv4.ip_forward=1',
}

test.each(Object.entries(neighbours))('beside %s', async (_, script) => {
  const lab = await openLab()
  await lab.sh(script)
  const { networks } = await lab.connect()
  const network = await networks.define(example)
  await settled(lab)
  const before = await snapshot(lab)
  await network.start()
  if (script.includes('other0')) await lab.sh('sysctl -qw net.ipv4.ip_forward=0')
  await network.destroy()
  expect(await snapshot(lab)).toEqual(before)
})

describe('of two networks', () => {
  test.each([['the first', [0, 1]], ['the last', [1, 0]]] as const)('%s may go first', async (_, order) => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const pair = [await networks.define(natXml(1)), await networks.define(natXml(2))] as const
    const alone = []
    const before = await snapshot(lab)
    await pair[order[1]].start()
    alone.push(await snapshot(lab))
    await pair[order[1]].destroy()

    for (const network of pair) await network.start()
    await pair[order[0]].destroy()
    const left = await snapshot(lab)
    // The bridge's index is another, the rest is as if the other network had never been.
    expect(left['iptables-nft-save']).toEqual(alone[0]?.['iptables-nft-save'])
    expect(left['processes']).toEqual(alone[0]?.['processes'])
    await pair[order[1]].destroy()
    expect(await snapshot(lab)).toEqual(before)
  })
})

describe('forwarding', () => {
  test('is put back with the last network that needs it, not before', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const forwarding = () => lab.sh('sysctl -n net.ipv4.ip_forward').then(Number)
    const all = [await networks.create(natXml(1, { dhcp: false })), await networks.create(natXml(2, { dhcp: false }))]
    const seen = [await forwarding()]
    for (const network of all) {
      await network.destroy()
      seen.push(await forwarding())
    }
    expect(seen).toEqual([1, 1, 0])
  })

  test('stays on where another bridge may have come to rely on it', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const network = await networks.create(natXml(1, { dhcp: false }))
    await lab.sh('ip link add other0 type bridge')
    await network.destroy()
    expect(await lab.sh('sysctl -n net.ipv4.ip_forward')).toBe('1\n')
    expect(await runFiles(lab)).toEqual([])
  })

  test('is not touched for an isolated network', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    await networks.create(bareXml('wire'))
    expect(await lab.sh('sysctl -n net.ipv4.ip_forward')).toBe('0\n')
  })
})

test('rules that others have put behind the network’s own stay where they are', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const network = await networks.create(natXml(1, { dhcp: false }))
  await lab.sh('iptables -A FORWARD -s 10.0.0.0/8 -j DROP; iptables -I INPUT -i lo -j ACCEPT')
  await network.destroy()
  expect((await lab.sh('iptables-nft-save')).split('\n').filter(line => line.startsWith('-A'))).toEqual([
    '-A INPUT -i lo -j ACCEPT', '-A FORWARD -s 10.0.0.0/8 -j DROP',
  ])
})

test('a configuration object does the same as its XML', async () => {
  const lab = await openLab()
  const before = await snapshot(lab)
  const { networks } = await lab.connect()
  const network = await networks.create(parseNetworkXml(example))
  await network.destroy()
  expect(await snapshot(lab)).toEqual(before)
})
