/** What rules mean for packets, in iptables' form and in nft's. */
import { expect } from 'vitest'
import {
  accept, addChain, addElements, addRule, addSet, addTable, counter, deleteRule, dnat, drop, icmp, iifname, ip6, limit, map,
  masked, masquerade, not, quota, redirect,
  reject, rt, snat, tcp, tcpOption, udp, vmap,
} from '../../src/nftables/index.ts'
import type { Rejection, Word } from '../../src/nftables/index.ts'
import type { Host } from '../../src/host/host.ts'
import { nftJson, run } from '../support/lab.ts'
import type { LabNetns } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { CLIENT, CLIENT6, OUTSIDE, ROUTER, ROUTER6, SERVER, SERVER6, openNetwork } from './packets_support.ts'

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

const lab = { family: 'inet', table: 'lab' } as const

/** A table of the router with chains for NAT and for what it forwards, and rules in them. */
async function rules(router: Host, given: { pre?: Word[][], post?: Word[][], forward?: Word[][] }): Promise<void> {
  const { pre = [], post = [], forward = [] } = given
  const add = (chain: string, all: Word[][]) => all.map(expressions => addRule({ ...lab, chain, expressions }))
  await router.firewall.commit([
    addTable({ family: 'inet', name: 'lab' }),
    addChain({ ...lab, name: 'pre', type: 'nat', hook: 'prerouting', priority: 'dstnat' }),
    addChain({ ...lab, name: 'post', type: 'nat', hook: 'postrouting', priority: 'srcnat' }),
    addChain({ ...lab, name: 'forward', hook: 'forward', priority: 'filter' }),
    ...add('pre', pre), ...add('post', post), ...add('forward', forward),
  ])
}

const ipv6 = needing(needs.kernel('nftNat'), needs.kernel('nftInet'), needs.kernel('veth'), needs.kernel('ipv6'), needs.tool('ping'))

ipv6.test('IPv6: NAT both ways, ranges of ports, redirection', async () => {
  const { router, ask } = await openNetwork()
  expect(withoutPorts(await ask(['tcp', SERVER6, 80], ['udp', SERVER6, 80]))).toEqual([`${CLIENT6} 80`, `${CLIENT6} 80`])
  await router.addresses.add('s0', 'fd02::77/64')
  await rules(router, {
    pre: [
      [ip6.daddr(ROUTER6), tcp.dport(7000), dnat({ to: `[${SERVER6}]:81-82` })],
      [ip6.daddr(ROUTER6), udp.dport(53), dnat({ address: SERVER6, ports: 8080 })],
      [ip6.daddr('fd09::9'), tcp.dport(5), redirect({ ports: 82 })],
    ],
    post: [[ip6.saddr('fd01::/64'), tcp.dport(80), snat({ address: 'fd02::77' })], [ip6.saddr('fd01::/64'), udp.dport(80), masquerade({ ports: [40000, 40009] })]],
  })
  const [source, masqueraded = '', range = '', ...rest] = await ask(
    ['tcp', SERVER6, 80], ['udp', SERVER6, 80], ['tcp', ROUTER6, 7000], ['udp', ROUTER6, 53], ['tcp', 'fd09::9', 5])
  expect(withoutPorts([source ?? '', ...rest])).toEqual(['fd02::77 80', `${CLIENT6} 8080`, `${CLIENT6} 82`])
  expect(masqueraded).toMatch(new RegExp(`^fd02::(1|77) 4000\\d 80$`))
  expect(range).toMatch(new RegExp(`^${CLIENT6} \\d+ 8[12]$`))
})

ipv6.test('IPv6: maps of addresses, of verdicts, and to addresses with ports', async () => {
  const { router, ask } = await openNetwork()
  const targets = { ...lab, name: 'targets', type: 'inet_service', map: ['ipv6_addr', 'inet_service'] } as const
  await rules(router, { forward: [[iifname('c0'), vmap(tcp.dport, { 81: 'drop', 82: 'accept' })]] })
  await router.firewall.commit([
    addSet(targets), addElements(targets, [[7000, [SERVER6, 80]], [7001, [SERVER6, 82]]]),
    addRule({ ...lab, chain: 'pre', expressions: [ip6.daddr(ROUTER6), dnat({ to: map(tcp.dport, '@targets'), family: 'ip6', withPorts: true })] }),
    addRule({ ...lab, chain: 'pre', expressions: [ip6.daddr('fd09::9'), dnat({ to: map(tcp.dport, { 8080: SERVER6, 80: ROUTER6 }), family: 'ip6' })] }),
  ])
  expect(withoutPorts(await ask(
    ['tcp', ROUTER6, 7000], ['tcp', ROUTER6, 7001], ['tcp', 'fd09::9', 8080], ['tcp', 'fd09::9', 80], ['tcp', SERVER6, 81],
  ))).toEqual([`${CLIENT6} 80`, `${CLIENT6} 82`, `${CLIENT6} 8080`, `${CLIENT6} 80`, 'SILENCE'])
})

ipv6.test('IPv6: kinds of rejection, as the client sees them', async () => {
  const { router, ask } = await openNetwork()
  const kinds: [Rejection, string][] = [
    ['icmpv6 no-route', 'ENETUNREACH'], ['icmpv6 admin-prohibited', 'EACCES'], ['icmpv6 addr-unreachable', 'EHOSTUNREACH'],
    ['icmpv6 port-unreachable', 'ECONNREFUSED'], ['icmpv6 policy-fail', 'EACCES'], ['icmpv6 reject-route', 'EACCES'],
    ['icmpx no-route', 'ENETUNREACH'], ['icmpx admin-prohibited', 'EACCES'], ['icmpx host-unreachable', 'EHOSTUNREACH'], ['tcp reset', 'ECONNREFUSED'],
  ]
  await rules(router, { forward: kinds.map(([kind], index) => [ip6.saddr(CLIENT6), tcp.dport(5000 + index), reject(kind)]) })
  const answers = await ask(...kinds.map((_, index) => ['tcp', SERVER6, 5000 + index] as const))
  expect(answers.map((answer, index) => [kinds[index]?.[0], answer])).toEqual(kinds)
})

/** Packets of the one rule of a chain with a counter. */
async function counted(netns: LabNetns): Promise<number> {
  const rule = (await nftJson(netns, 'list', 'table', 'inet', 'witness')).find(object => 'rule' in object) as { rule: { expr: { counter?: { packets: number } }[] } }
  return rule.rule.expr.find(each => each.counter !== undefined)?.counter?.packets ?? -1
}

test('segments fit: a size that is set, and that of the route', async () => {
  const { router, server, ask } = await openNetwork()
  const syn = tcp.flags(masked(['syn', 'rst'], 'syn'))
  // nft of the server counts the SYNs that come with that size.
  const witness = (size: number): Promise<string> => run('nft', ['-f', '-'], {
    netns: server.netnsFd,
    input: `table inet witness\ndelete table inet witness\ntable inet witness { chain i { type filter hook input priority 0; tcp flags syn tcp option maxseg size ${size} counter; }; }`,
  })
  await rules(router, { forward: [[syn, tcpOption.maxseg.size.set(1000)]] })
  await witness(1000)
  await ask(['tcp', SERVER, 80], ['tcp', SERVER6, 80])
  expect(await counted(server.netnsFd)).toBe(2)

  await router.links.set('s0', { mtu: 1300 })
  await router.firewall.commit([addChain({ ...lab, name: 'clamp', hook: 'forward', priority: 'mangle' })])
  for (const rule of await router.firewall.rules({ ...lab, chain: 'forward' })) await run('nft', ['delete', 'rule', 'inet', 'lab', 'forward', 'handle', String(rule.handle)], { netns: router.netnsFd })
  await router.firewall.commit([addRule({ ...lab, chain: 'clamp', expressions: [syn, tcpOption.maxseg.size.set(rt.mtu)] })])
  await witness(1260)
  await ask(['tcp', SERVER, 80])
  expect(await counted(server.netnsFd)).toBe(1)
})

test('quotas and limits: so many bytes or packets, and no more', async () => {
  const { client, router } = await openNetwork()
  const ping = (): Promise<string> => run('sh', ['-c', `ping -c 5 -i 0.01 -W 1 -s 972 ${SERVER} || true`], { netns: client.netnsFd })
  // Of 1,000 bytes each, headers included.
  await rules(router, { forward: [[iifname('c0'), icmp.type('echo-request'), quota({ bytes: 3500 }), accept()], [iifname('c0'), icmp.type('echo-request'), drop()]] })
  expect(await ping()).toContain('5 packets transmitted, 3 received')
  await router.firewall.commit([
    ...(await router.firewall.rules({ ...lab, chain: 'forward' })).map(deleteRule),
    addRule({ ...lab, chain: 'forward', expressions: [icmp.type('echo-request'), limit({ rate: 1, per: 'hour', burst: 2, over: true }), counter(), drop()] }),
  ])
  expect(await ping()).toContain('5 packets transmitted, 2 received')
  await router.firewall.commit([
    ...(await router.firewall.rules({ ...lab, chain: 'forward' })).map(deleteRule),
    addRule({ ...lab, chain: 'forward', expressions: [icmp.type('echo-request'), quota({ bytes: 1500, over: true }), drop()] }),
    addRule({ ...lab, chain: 'forward', expressions: [not(icmp.type('echo-request')), counter()] }),
  ])
  expect(await ping()).toContain('5 packets transmitted, 1 received')
})

test('ranges of ports: shifted by the kernel, and each kept where it may be', async () => {
  const { router, ask } = await openNetwork()
  await rules(router, { pre: [[tcp.dport('7000-7009'), dnat({ to: `${SERVER}:80-82`, family: 'ip' })], [udp.dport(9), dnat({ to: ':8080-8080', family: 'ip' })]] })
  const answers = await ask(['tcp', ROUTER, 7000], ['tcp', ROUTER, 7009], ['tcp', SERVER, 81])
  expect(answers.map(answer => /^10\.1\.0\.2 \d+ 8[0-2]$/.test(answer))).toEqual([true, true, true])
  expect(answers[2]).toMatch(/ 81$/)
  expect(withoutPorts(await ask(['udp', SERVER, 9]))).toEqual([`${CLIENT} 8080`])
})
