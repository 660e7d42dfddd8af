/** What rules mean for packets, in iptables' form and in nft's. */
import { expect } from 'vitest'
import { addChain, addRule, addTable, counter, dnat, iifname, map, tcp, vmap } from '../../src/nftables/index.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { CLIENT, OUTSIDE, ROUTER, SERVER, openNetwork } from './packets_support.ts'

const { test } = needing(needs.kernel('iptablesNft'), needs.kernel('veth'), needs.tool('ping'))

const withoutPorts = (answers: readonly string[]): string[] => answers.map(answer => answer.replace(/ \d+ /, ' '))

test('source NAT: by interface, to an address, to a range of ports', async () => {
  const { router, ask } = await openNetwork()
  expect(withoutPorts(await ask(['tcp', SERVER, 80], ['udp', SERVER, 80]))).toEqual([`${CLIENT} 80`, `${CLIENT} 80`])
  await router.iptables.commit(['-t nat -A POSTROUTING -s 10.1.0.0/24 -o s0 -p tcp -j MASQUERADE --to-ports 40000-40009'])
  const [tcp = '', udp = ''] = await ask(['tcp', SERVER, 80], ['udp', SERVER, 80])
  expect(tcp).toMatch(new RegExp(`^${OUTSIDE} 4000\\d 80$`))
  expect(udp).toMatch(new RegExp(`^${CLIENT} `))
  await router.addresses.add('s0', '10.2.0.77/24')
  await router.iptables.commit(['-t nat -F POSTROUTING', '-t nat -A POSTROUTING -s 10.1.0.0/24 -j SNAT --to-source 10.2.0.77'])
  expect(withoutPorts(await ask(['tcp', SERVER, 81], ['udp', SERVER, 81]))).toEqual(['10.2.0.77 81', '10.2.0.77 81'])
})

test('destination NAT: address and port, a range shifted, redirected to the router', async () => {
  const { router, ask } = await openNetwork()
  await router.iptables.commit([
    `-t nat -A PREROUTING -i c0 -d ${ROUTER} -p tcp --dport 7000:7002 -j DNAT --to-destination ${SERVER}:80-82/7000`,
    `-t nat -A PREROUTING -i c0 -d ${ROUTER} -p udp --dport 53 -j DNAT --to-destination ${SERVER}:8080`,
    '-t nat -A PREROUTING -i c0 -d 10.9.9.9 -p tcp -j REDIRECT --to-ports 82',
  ])
  expect(withoutPorts(await ask(
    ['tcp', ROUTER, 7000], ['tcp', ROUTER, 7002], ['udp', ROUTER, 53], ['tcp', '10.9.9.9', 5], ['tcp', ROUTER, 7003],
  ))).toEqual([`${CLIENT} 80`, `${CLIENT} 82`, `${CLIENT} 8080`, `${CLIENT} 82`, 'ECONNREFUSED'])
})

test('kinds of rejection, as the client sees them', async () => {
  const { router, ask } = await openNetwork()
  const kinds = [
    ['icmp-net-unreachable', 'ENETUNREACH'], ['icmp-host-unreachable', 'EHOSTUNREACH'], ['icmp-proto-unreachable', 'ENOPROTOOPT'],
    ['icmp-port-unreachable', 'ECONNREFUSED'], ['icmp-net-prohibited', 'ENETUNREACH'], ['icmp-host-prohibited', 'EHOSTUNREACH'],
    ['icmp-admin-prohibited', 'EHOSTUNREACH'], ['tcp-reset', 'ECONNREFUSED'],
  ] as const
  await router.iptables.commit(kinds.map(([kind], index) => `-A FORWARD -p tcp --dport ${5000 + index} -j REJECT --reject-with ${kind}`))
  expect(await ask(...kinds.map((_, index) => ['tcp', SERVER, 5000 + index] as const))).toEqual(kinds.map(([, error]) => error))
  await router.iptables.commit(['-I FORWARD -p tcp --dport 80 -j DROP'])
  expect(await ask(['tcp', SERVER, 80])).toEqual(['SILENCE'])
  expect((await router.iptables.rules({ chain: 'FORWARD' })).every(({ counters }) => counters.packets > 0)).toBe(true)
})

test('connection states: answers come in, beginnings do not', async () => {
  const { client, router, server, ask } = await openNetwork()
  await router.iptables.commit([
    '-P FORWARD DROP', '-A FORWARD -i s0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-A FORWARD -i c0 -s 10.1.0.0/24 -j ACCEPT',
  ])
  expect(withoutPorts(await ask(['tcp', SERVER, 80]))).toEqual([`${CLIENT} 80`])
  await expect(run('ping', ['-c', '1', '-W', '1', CLIENT], { netns: server.netnsFd })).rejects.toThrow('100% packet loss')
  await run('ping', ['-c', '1', '-W', '1', SERVER], { netns: client.netnsFd })
})

test('limits and marks: so many packets and no more', async () => {
  const { client, router } = await openNetwork()
  await router.iptables.commit([
    '-A FORWARD -i c0 -p icmp -m limit --limit 1/hour --limit-burst 3 -j ACCEPT', '-A FORWARD -i c0 -p icmp -m comment --comment "too many" -j DROP',
    '-t mangle -A PREROUTING -i c0 -j MARK --set-mark 0x10/0xf0', '-A FORWARD -m mark --mark 0x10/0xf0',
  ])
  const output = await run('sh', ['-c', `ping -c 5 -i 0.01 -W 1 ${SERVER} || true`], { netns: client.netnsFd })
  expect(output).toContain('5 packets transmitted, 3 received')
  const [limited, dropped] = await router.iptables.rules({ chain: 'FORWARD' })
  expect([limited?.counters.packets, dropped?.counters.packets]).toEqual([3, 2])
})

test('verdict maps and maps of addresses', async () => {
  const { router, ask } = await openNetwork()
  const lab = { family: 'ip', table: 'lab' } as const
  await router.firewall.commit([
    addTable({ family: 'ip', name: 'lab' }),
    addChain({ ...lab, name: 'pre', type: 'nat', hook: 'prerouting', priority: -100 }),
    addChain({ ...lab, name: 'forward', type: 'filter', hook: 'forward', priority: 0 }),
    addRule({ ...lab, chain: 'pre', expressions: [iifname('c0'), dnat({ to: map(tcp.dport, { 80: SERVER, 81: ROUTER }), family: 'ip' })] }),
    addRule({ ...lab, chain: 'forward', expressions: [iifname('c0'), counter(), vmap(tcp.dport, { 80: 'accept', 8080: 'drop' })] }),
  ])
  expect(withoutPorts(await ask(['tcp', '10.9.9.9', 80], ['tcp', '10.9.9.9', 81], ['tcp', SERVER, 8080], ['tcp', SERVER, 82])))
    .toEqual([`${CLIENT} 80`, `${CLIENT} 81`, 'SILENCE', `${CLIENT} 82`])
})
