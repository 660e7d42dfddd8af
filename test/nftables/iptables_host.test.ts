/** host.iptables: what it changes, iptables-nft sees; what it reads, iptables-nft prints. */
import { constants as osConstants } from 'node:os'
import { expect } from 'vitest'
import { InvalidArgumentError, UnsupportedError } from '../../src/errors.ts'
import { NetlinkError } from '../../src/netlink/error.ts'
import { refusal } from '../../src/nftables/iptables/support.ts'
import { isExpression } from '../../src/nftables/expressions.ts'
import type { Expression } from '../../src/nftables/expressions.ts'
import { iptablesRule } from '../../src/nftables/iptables/rule.ts'
import { addRule } from '../../src/nftables/rules.ts'
import { addTable } from '../../src/nftables/tables.ts'
import { newHost, rejection } from '../host/support.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { listedByTool, restoreByTool, savedByTool } from './iptables_support.ts'

const { test } = needing(needs.kernel('iptablesNft'), needs.kernel('iptablesChecksum'))
const OWNER = 'c7a5fdbd-cdaf-9455-926a-d65c16db1809'

/** What Docker, libvirt and kube-proxy write, in kind. */
const others = `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-AAAA - [0:0]
:KUBE-SEP-BBBB - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A POSTROUTING -j MASQUERADE --random-fully
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-AAAA
-A KUBE-SVC-AAAA -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-BBBB
-A KUBE-SEP-BBBB -s 10.244.0.5/32 -j KUBE-MARK-MASQ
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
`

test('changes stand among others’ rules, are found again and go without a trace', async () => {
  const host = await newHost()
  await restoreByTool(host, 'ip', others)
  const before = await savedByTool(host, 'ip')
  expect(await host.iptables.save()).toBe(before)

  await host.iptables.commit([
    '-N GUESTS', '-I FORWARD 2 -i virbr0 -j GUESTS', '-A GUESTS -s 192.168.122.0/24,192.168.123.0/24 -j ACCEPT',
    '-t nat -I POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -p tcp -j MASQUERADE --to-ports 1024-65535',
  ], { owner: OWNER })
  await host.iptables.append('INPUT', { in: 'virbr0', protocol: 'udp', dport: [67, 68], target: 'ACCEPT' })
  const saved = await savedByTool(host, 'ip')
  expect(await host.iptables.save()).toBe(saved)
  expect(await host.iptables.list()).toBe(await listedByTool(host, 'ip', 'filter', '-L', '-nv'))
  expect(await host.iptables.listRules({ table: 'nat', chain: 'POSTROUTING' })).toBe(await listedByTool(host, 'ip', 'nat', '-S', 'POSTROUTING'))
  expect((await host.iptables.rules({ chain: 'FORWARD' })).map(({ text }) => text)).toEqual([
    '-j DOCKER-USER', '-i virbr0 -j GUESTS', '-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-i docker0 ! -o docker0 -j ACCEPT',
  ])
  for (const rule of ['-i virbr0 -p udp --dport 67:68 -j ACCEPT', '-p udp -i virbr0 -m udp --dport 67:68 -j ACCEPT']) {
    expect(await host.iptables.check('INPUT', rule)).toBe(true)
  }
  await run('iptables-nft', ['-D', 'INPUT', '-i', 'virbr0', '-p', 'udp', '--dport', '67:68', '-j', 'ACCEPT'], { netns: host.netnsFd })
  expect(await host.iptables.check('INPUT', '-i virbr0 -p udp --dport 67:68 -j ACCEPT')).toBe(false)

  expect(await host.iptables.deleteOwned(OWNER)).toBe(4)
  await host.iptables.deleteChain('GUESTS')
  expect(await savedByTool(host, 'ip')).toBe(before)
})

test('a restored text is what iptables-restore makes of it, and tables are made as it makes them', async () => {
  const [ours, theirs] = [await newHost(), await newHost()]
  await ours.iptables.restore(others, { counters: true })
  await restoreByTool(theirs, 'ip', others)
  expect(await savedByTool(ours, 'ip')).toBe(await savedByTool(theirs, 'ip'))
  const noflush = '*filter\n:DOCKER-USER - [0:0]\n-I DOCKER-USER -s 10.0.0.1 -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n'
  await ours.iptables.restore(noflush, { noflush: true })
  await restoreByTool(theirs, 'ip', noflush, '--noflush')
  expect(await savedByTool(ours, 'ip')).toBe(await savedByTool(theirs, 'ip'))
})

test('a chain may be called as what every object of JavaScript has', async () => {
  const host = await newHost()
  const { iptables } = host
  await iptables.newChain('constructor')
  await iptables.append('INPUT', '-j constructor')
  const listed = await iptables.listRules()
  expect(listed).toContain('-N constructor\n-A INPUT -j constructor\n')
  expect(listed).toBe(await listedByTool(host, 'ip', 'filter', '-S'))
})

test('verbs, one after another', async () => {
  const host = await newHost()
  const { iptables } = host
  await iptables.policy('FORWARD', 'DROP')
  await iptables.newChain('A')
  await iptables.append('A', '-s 10.0.0.1 -j DROP', { counters: { packets: 3, bytes: 4 } })
  await iptables.append('A', '-s 10.0.0.2 -j DROP')
  await iptables.insert('A', '-s 10.0.0.3 -j DROP', { number: 2 })
  await iptables.replace('A', 3, '-s 10.0.0.4 -j DROP')
  await iptables.insert('INPUT', { target: { jump: 'A' } })
  expect(await iptables.listRules()).toBe(await listedByTool(host, 'ip', 'filter', '-S'))
  expect(await iptables.listRules({ counters: true, chain: 'A' })).toBe(await listedByTool(host, 'ip', 'filter', '-S', 'A', '-v'))
  await iptables.zero('A')
  await iptables.commit(['-E A B'])
  await iptables.delete('B', 1)
  await iptables.delete('B', { source: '10.0.0.3', target: 'DROP' })
  expect(await iptables.listRules()).toBe(
    '-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N B\n-A INPUT -j B\n-A B -s 10.0.0.4/32 -j DROP\n')
  expect(await iptables.legacyTables()).toEqual([])
  await iptables.flush()
  await iptables.deleteChain()
  expect(await iptables.listRules()).toBe('-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n')
})

/** A type of chunks that has no name: the kernel takes it, iptables cannot say it. */
function unnamedChunk(): Expression[] {
  const CHUNK_MAP_AT = 8
  return iptablesRule({ family: 'ip', protocol: 'sctp', matches: [{ sctp: { chunkTypes: { match: 'any', chunks: ['DATA'] } } }], target: 'DROP' })
    .map(each => {
      if (!isExpression(each, 'match')) return each
      const info = Uint8Array.from(each.data.info ?? [])
      info[CHUNK_MAP_AT + (20 >> 3)] = 1 << (20 & 7)
      return { ...each, data: { ...each.data, info } }
    })
}

needing(needs.iptablesRule('ip', 'filter INPUT -p sctp --chunk-types any DATA')).test('a match that has no words is named, and stays through every change', async () => {
  const host = await newHost()
  const { iptables } = host
  const [table, chain] = ['filter', 'A']
  await iptables.commit(['-N A', '-A A -s 10.0.0.1 -j ACCEPT', '-A INPUT -j A'])
  await host.firewall.commit([addRule({ family: 'ip', table, chain, expressions: unnamedChunk() })])
  expect(await iptables.listRules({ chain })).toBe('-N A\n-A A -s 10.0.0.1/32 -j ACCEPT\n-A A -p sctp [nft: sctp] -j DROP\n')
  expect(await iptables.list({ chain })).toMatch(/ DROP {7}132 .* {12}\[nft: sctp\]\n$/)
  const kernelRules = async (of: string): Promise<unknown[]> =>
    (await host.firewall.rules({ family: 'ip', table, chain: of })).map(({ expressions }) => expressions)
  const [, before] = await kernelRules('A')

  await iptables.insert('A', '-s 10.0.0.2 -j DROP', { number: 2 })
  await iptables.commit(['-E A B'])
  await iptables.zero('B')
  await iptables.delete('B', 1)
  expect((await kernelRules('B'))[1]).toEqual(before)
  // As an object it can be written again; as text it is refused.
  const [, info] = await iptables.rules({ chain: 'B' })
  await iptables.append('B', info?.rule ?? {})
  expect((await kernelRules('B'))[2]).toEqual(before)
  await expect(iptables.restore(await iptables.save(), { noflush: true })).rejects.toThrow('rule: expected an option')
})

test('what cannot be is refused by name, and nothing is changed', async () => {
  const host = await newHost()
  const { iptables } = host
  await iptables.commit(['-N USED', '-A INPUT -j USED'])
  const before = await savedByTool(host, 'ip')
  const refusals: [() => Promise<unknown>, string][] = [
    [() => iptables.commit(['-A INPUT -j ACCEPT', '-A USD -j DROP']), 'chain: expected a chain of table filter: INPUT, FORWARD, OUTPUT, USED; did you mean "USED"?'],
    [() => iptables.append('INPUT', '-j USD'), 'target: expected a target, or a user’s chain of table filter: USED; did you mean "USED"?'],
    [() => iptables.deleteChain('USED'), 'chain: expected a chain that no rule jumps to: one of INPUT does'],
    [() => iptables.deleteChain('INPUT'), 'chain: expected a user’s chain'],
    [() => iptables.newChain('USED'), 'chain: expected a name that no chain of table filter has'],
    [() => iptables.delete('INPUT', 2), 'number: expected a number from 1 to 1'],
    [() => iptables.delete('INPUT', '-j DROP'), 'rule: expected a rule of chain INPUT in table filter'],
    [() => iptables.list({ table: 'fliter' as 'filter' }), 'table: expected one of mangle, security, raw, filter, nat; did you mean "filter"?'],
  ]
  for (const [call, start] of refusals) {
    const error = await rejection(call())
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect((error as Error).message.slice(0, start.length)).toBe(start)
  }
  expect(await savedByTool(host, 'ip')).toBe(before)
})

test('what the kernel refuses is named: an extension that it lacks, one that it does not want there', async () => {
  const host = await newHost()
  // Not in Linux since 3.17.
  const lacks = await rejection(host.iptables.commit(['-A OUTPUT -j ACCEPT', '-A INPUT -s 10.0.0.1 -j ULOG']))
  expect(lacks).toBeInstanceOf(UnsupportedError)
  expect(lacks).toMatchObject({ feature: 'target ULOG', message: 'add rule ip filter INPUT: this kernel has no target ULOG of revision 0' })
  const chain = await rejection(host.iptables.append('FORWARD', '-j DNPT --src-pfx fd00::/64 --dst-pfx fd01::/64', { family: 'ip6', table: 'mangle' }))
  expect(chain).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'EINVAL', operation: 'add rule ip6 mangle FORWARD with target DNPT' })
  expect(await savedByTool(host, 'ip')).toBe('')
  const [{ EINVAL, ENOENT }, target] = [osConstants.errno, { kind: 'target', name: 'LOG', revision: 0 }] as const
  expect(refusal(new NetlinkError('add rule', ENOENT), target, new NetlinkError('get', EINVAL))).toMatchObject({ feature: 'CONFIG_NFT_COMPAT' })
})

test('two writers at once lose nothing', async () => {
  const host = await newHost()
  const numbers = Array.from({ length: 12 }, (_, index) => index + 1)
  const other = await newHost()
  await Promise.all(numbers.map(number => host.iptables.append('INPUT', `-s 10.0.0.${number} -j DROP`)))
  await other.firewall.commit([addTable({ family: 'ip', name: 'else' })])
  expect((await host.iptables.rules()).map(({ text }) => text).sort()).toEqual(numbers.map(number => `-s 10.0.0.${number}/32 -j DROP`).sort())
})

test('counters of policies are restored and zeroed, as the tool does', async () => {
  const [ours, theirs] = [await newHost(), await newHost()]
  const text = '*filter\n:INPUT DROP [5:600]\n:FORWARD ACCEPT [7:800]\n:OUTPUT ACCEPT [0:0]\n:X - [3:4]\n[1:2] -A INPUT -j X\nCOMMIT\n'
  await ours.iptables.restore(text, { counters: true })
  await restoreByTool(theirs, 'ip', text, '-c')
  const saved = async (host: typeof ours): Promise<string> => savedByTool(host, 'ip', '-c')
  expect(await saved(ours)).toBe(await saved(theirs))
  expect(await saved(ours)).toContain(':INPUT DROP [5:600]')
  expect(await ours.iptables.save({ counters: true })).toBe(await saved(theirs))
  await ours.iptables.zero('INPUT')
  await run('iptables-nft', ['-Z', 'INPUT'], { netns: theirs.netnsFd })
  expect(await saved(ours)).toBe(await saved(theirs))
  expect(await saved(ours)).toContain(':INPUT DROP [0:0]\n:FORWARD ACCEPT [7:800]')
  await ours.iptables.restore(text)
  await restoreByTool(theirs, 'ip', text)
  expect(await saved(ours)).toBe(await saved(theirs))
})
