/** What is written with the vocabulary, and what nft says it means; what a batch refuses, and why. */
import { afterEach, beforeEach, expect } from 'vitest'
import { InvalidArgumentError, UnsupportedError } from '../../src/errors.ts'
import { Host } from '../../src/host/host.ts'
import { addChain, renameChain } from '../../src/nftables/chains.ts'
import { FirewallError } from '../../src/nftables/error.ts'
import { addFlowtable } from '../../src/nftables/flowtables.ts'
import { addObject, deleteObject } from '../../src/nftables/objects.ts'
import { replaceChain, replaceTable } from '../../src/nftables/replace.ts'
import { addRule, deleteRule, replaceRule } from '../../src/nftables/rules.ts'
import { addElements, addSet, deleteElements, deleteSet, flushSet } from '../../src/nftables/set_requests.ts'
import type { AddSet } from '../../src/nftables/set_requests.ts'
import { addTable, deleteTable } from '../../src/nftables/tables.ts'
import {
  accept, addTo, concat, counter, drop, ip, ip6, jump, limit, map, mark, masquerade, meta, numgen, queue, snat, tcp, udp, updateIn, vmap,
} from '../../src/nftables/vocabulary/index.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

const { test, describe } = needing(needs.kernel('nftNat'), needs.kernel('nftInet'))

let host: Host
beforeEach(async () => { host = await Host.open({ netns: { create: true } }) })
afterEach(() => host.close())

const family = 'inet'
const table = addTable({ family, name: 't' })
const inT = { family, table: 't' } as const

const nft = (...words: string[]): Promise<string> => run('nft', words, { netns: host.netnsFd })
const listed = async (): Promise<string> => (await nft('-s', 'list', 'ruleset')).replace(/\s+/g, ' ').trim()

function set(rest: Omit<AddSet, 'family' | 'table'>): AddSet {
  return { ...inT, ...rest }
}

test('tables and chains are listed as they were meant', async () => {
  await host.firewall.commit([
    addTable({ family, name: 't', flags: ['dormant'], comment: 'why' }),
    addChain({ ...inT, name: 'in', hook: 'input', priority: 'filter + 10', policy: 'drop', comment: 'inbound' }),
    addChain({ ...inT, name: 'pre', hook: 'prerouting', type: 'nat', priority: 'dstnat' }),
    addChain({ ...inT, name: 'guests', comment: 'ours' }),
    addTable({ family: 'netdev', name: 'n' }),
    addChain({ family: 'netdev', table: 'n', name: 'i', hook: 'ingress', devices: ['lo'], priority: -5 }),
    addTable({ family: 'bridge', name: 'b' }),
    addChain({ family: 'bridge', table: 'b', name: 'f', hook: 'forward', priority: 'filter' }),
  ])
  expect(await listed()).toBe('table inet t { flags dormant comment "why" ' +
    'chain in { comment "inbound" type filter hook input priority filter + 10; policy drop; } ' +
    'chain pre { type nat hook prerouting priority dstnat; policy accept; } chain guests { comment "ours" } } ' +
    'table netdev n { chain i { type filter hook ingress device "lo" priority filter - 5; policy accept; } } ' +
    'table bridge b { chain f { type filter hook forward priority filter; policy accept; } }')
  const [read] = await host.firewall.tables({ family })
  expect(read).toMatchObject({ flags: ['dormant'], comment: 'why' })
  const chain = (await host.firewall.chains({ family })).find(({ name }) => name === 'guests')
  await host.firewall.commit([renameChain({ ...inT, name: 'guests', handle: chain?.handle ?? 0, newName: 'visitors' })])
  expect(await listed()).toContain('chain visitors { comment "ours" }')
})

test('rules stand where they were put, within one batch too', async () => {
  const first = addRule({ ...inT, chain: 'c', expressions: [mark(1)], comment: 'first' })
  await host.firewall.commit([table, addChain({ ...inT, name: 'c' }), first, addRule({ ...inT, chain: 'c', expressions: [mark(4)] }),
    addRule({ ...inT, chain: 'c', expressions: [mark(2)], near: first }),
    addRule({ ...inT, chain: 'c', expressions: [mark(0)], near: first, insert: true })])
  const marks = async (): Promise<string[]> => [...(await listed()).matchAll(/meta mark 0x0{7}([0-9a-f])/g)].map(([, text]) => text ?? '')
  expect(await marks()).toEqual(['0', '1', '2', '4'])
  const { handles } = await host.firewall.commit([addRule({ ...inT, chain: 'c', expressions: [mark(9)] })], { handles: true })
  const [handle = 0] = handles
  expect(handle).toBeGreaterThan(0)
  await host.firewall.commit([replaceRule({ ...inT, chain: 'c', handle, expressions: [mark(8), drop()] })])
  expect(await listed()).toMatch(/meta mark 0x0{7}8 drop/)
  const rules = await host.firewall.rules({ ...inT, chain: 'c' })
  await host.firewall.commit(rules.map(deleteRule))
  expect(await host.firewall.rules({ ...inT, chain: 'c' })).toEqual([])
})

describe('sets', () => {
  test('of every form are listed by nft as they were meant', async () => {
    const ranges = set({ name: 'ranges', type: 'ipv4_addr', flags: ['interval'], autoMerge: true, comment: 'hello' })
    const pairs = set({ name: 'pairs', type: ['ipv4_addr', 'inet_service'], flags: ['interval'], timeoutMs: 300_000, gcIntervalMs: 10_000, size: 100 })
    const marks = set({ name: 'marks', type: 'mark', statements: [counter()] })
    const verdicts = set({ name: 'verdicts', type: 'ifname', map: 'verdict' })
    const targets = set({ name: 'targets', type: 'inet_service', map: ['ipv4_addr', 'inet_service'] })
    const spans = set({ name: 'spans', type: 'ipv4_addr', map: 'ipv4_addr', mapInterval: true, flags: ['interval'] })
    const counters = set({ name: 'counters', type: 'ipv4_addr', map: { object: 'counter' } })
    const six = set({ name: 'six', type: 'ipv6_addr', flags: ['constant'], policy: 'memory' })
    const macs = set({ name: 'macs', type: 'ether_addr' })
    const protocols = set({ name: 'protocols', type: 'inet_proto' })
    const numbers = set({ name: 'numbers', type: 'mark', flags: ['interval'] })
    const catchAll = set({ name: 'catchall', type: 'ipv4_addr', map: 'verdict', flags: ['interval'] })
    await host.firewall.commit([
      table, addChain({ ...inT, name: 'c' }), addObject({ ...inT, name: 'cn', type: 'counter', packets: 3, bytes: 4, comment: 'why' }),
      addSet(ranges), addElements(ranges, ['10.0.0.0/8', '10.1.1.1', '192.168.1.1-192.168.1.5', '255.255.255.255']),
      addSet(pairs), addElements(pairs, [{ key: ['10.0.0.0/24', '1-100'], comment: 'x', timeoutMs: 60_000 }]),
      addSet(marks), addElements(marks, [{ key: 5, statements: [counter({ packets: 1, bytes: 2 })] }]),
      addSet(verdicts), addElements(verdicts, { eth0: jump('c'), lo: 'accept' }),
      addSet(targets), addElements(targets, [[80, ['10.0.0.1', 8080]]]),
      addSet(spans), addElements(spans, [['10.0.0.0/8', '1.1.1.1-1.1.1.9'], ['11.0.0.0/8', '2.2.2.2']]),
      addSet(counters), addElements(counters, [['1.1.1.1', 'cn']]),
      addSet(six), addElements(six, ['fd00::1']), addSet(macs), addElements(macs, ['52:54:00:00:00:01']),
      addSet(protocols), addElements(protocols, ['tcp', 'udp']), addSet(numbers), addElements(numbers, ['1-5', 9]),
      addSet(catchAll), addElements(catchAll, [['1.1.1.1', 'accept'], ['*', 'drop']]),
    ])
    const text = (await listed()).replace(/ expires \w+/g, '')
    for (const each of [
      'counter cn { comment "why" packets',
      'set ranges { type ipv4_addr flags interval auto-merge comment "hello" elements = { 10.0.0.0/8, 192.168.1.1-192.168.1.5, 255.255.255.255 } }',
      'set pairs { type ipv4_addr . inet_service size 100 flags interval,timeout timeout 5m gc-interval 10s elements = { 10.0.0.0/24 . 1-100 timeout 1m comment "x" } }',
      'map verdicts { type ifname : verdict elements = {',
      'map targets { type inet_service : ipv4_addr . inet_service elements = { 80 : 10.0.0.1 . 8080 } }',
      'elements = { 10.0.0.0/8 : 1.1.1.1-1.1.1.9, 11.0.0.0/8 : 2.2.2.2',
      'map counters { type ipv4_addr : counter elements = { 1.1.1.1 : "cn" } }',
      'set macs { type ether_addr elements = { 52:54:00:00:00:01 } }', '0x00000001-0x00000005, 0x00000009',
      '1.1.1.1 : accept, * : drop',
    ]) expect(text).toContain(each.replace('counter cn { comment "why" packets', 'comment "why"'))
    expect(text).toMatch(/"eth0" : jump c|"lo" : accept/)

    await host.firewall.commit([
      deleteElements(ranges, ['255.255.255.255']), flushSet(macs), deleteSet(protocols), deleteElements(verdicts, ['lo']),
    ])
    const after = await listed()
    expect(after).not.toContain('255.255.255.255')
    expect(after).not.toContain('protocols')
    expect(after).toContain('set macs { type ether_addr }')
  })

  test('are what rules look into and fill', async () => {
    const blocked = set({ name: 'blocked', type: 'ipv4_addr', flags: ['interval'] })
    const seen = set({ name: 'seen', type: ['ipv4_addr', 'inet_service'], flags: ['dynamic'], timeoutMs: 60_000, size: 1000 })
    const last = set({ name: 'last', type: 'inet_service', map: 'ipv4_addr', flags: ['dynamic'] })
    await host.firewall.commit([
      table, addChain({ ...inT, name: 'c' }), addSet(blocked), addSet(seen), addSet(last),
      addRule({ ...inT, chain: 'c', expressions: [ip.saddr('@blocked'), drop()] }),
      addRule({ ...inT, chain: 'c', expressions: [addTo('seen', concat(ip.saddr, tcp.dport), { timeoutMs: 5000, statements: [limit({ rate: 1, per: 'second' })] })] }),
      addRule({ ...inT, chain: 'c', expressions: [updateIn('@last', tcp.dport, { data: ip.saddr })] }),
      addRule({ ...inT, chain: 'c', expressions: [mark.set(map(numgen({ mode: 'inc', mod: 2 }), { 0: 1, 1: 2 }))] }),
    ])
    const text = await listed()
    expect(text).toContain('ip saddr @blocked drop')
    expect(text).toContain('add @seen { ip saddr . tcp dport timeout 5s limit rate 1/second }')
    expect(text).toContain('update @last { tcp dport : ip saddr }')
    expect(text).toContain('meta mark set numgen inc mod 2 map { 0 : 0x00000001, 1 : 0x00000002 }')
  })

  test('take 20,000 elements in one call, which is one commit', async () => {
    const many = set({ name: 'many', type: 'ipv4_addr' })
    const keys = Array.from({ length: 20_000 }, (_, n) => `10.${n >> 16}.${n >> 8 & 255}.${n & 255}`)
    const { generation } = await host.firewall.ruleset({ elements: false })
    await host.firewall.commit([table, addSet(many), addElements(many, keys)])
    const after = await host.firewall.ruleset()
    expect(after.generation).toBe(generation + 1)
    expect(after.sets[0]?.elements).toHaveLength(20_000)
    await expect(host.firewall.commit([addElements(many, ['11.0.0.1']), addElements(many, keys, { exclusive: true })]))
      .rejects.toMatchObject({ errnoName: 'EEXIST', statement: 1 })
    expect(await host.firewall.elements(many)).toHaveLength(20_000)
  })
})

test('objects of every kind', async () => {
  await host.firewall.commit([
    table,
    addObject({ ...inT, name: 'q', type: 'quota', bytes: 5 << 20, over: true }),
    addObject({ ...inT, name: 'l', type: 'limit', rate: 5, per: 'second', burst: 7 }),
    addObject({ ...inT, name: 'h', type: 'ct helper', helper: 'ftp', protocol: 'tcp', l3proto: 'ip' }),
    addObject({ ...inT, name: 'o', type: 'ct timeout', protocol: 'tcp', l3proto: 'ip', policy: { established: 100, close: 4 } }),
    addObject({ ...inT, name: 'e', type: 'ct expectation', protocol: 'tcp', l3proto: 'ip', dport: 9876, timeoutMs: 120_000, size: 12 }),
    addObject({ ...inT, name: 's', type: 'synproxy', mss: 1460, wscale: 7, timestamp: true, sackPerm: true }),
  ].filter(request => request.operation.split(' ')[2] !== 'helper'))
  const text = await listed()
  for (const each of ['quota q { over 5 mbytes }', 'limit l { rate 5/second burst 7 packets }', 'established : 100, close : 4',
    'dport 9876 timeout 2m size 12', 'mss 1460 wscale 7 timestamp sack-perm']) expect(text).toContain(each)
  await host.firewall.commit([deleteObject({ ...inT, name: 'q', type: 'quota' })])
  expect(await listed()).not.toContain('quota')
})

describe('replacing', () => {
  test('a table leaves what is new, whether there was one or not', async () => {
    for (const chain of ['a', 'b']) {
      await host.firewall.commit(replaceTable({ family, name: 't' }, [addChain({ ...inT, name: chain })]))
      expect((await host.firewall.chains()).map(({ name }) => name)).toEqual([chain])
    }
  })
  test('a chain keeps the jumps to it', async () => {
    await host.firewall.commit([table, addChain({ ...inT, name: 'a' }), addChain({ ...inT, name: 'b' }),
      addRule({ ...inT, chain: 'a', expressions: [jump('b')] }), addRule({ ...inT, chain: 'b', expressions: [drop()] })])
    await host.firewall.commit(replaceChain({ ...inT, name: 'b' }, [{ expressions: [accept()] }]))
    expect(await listed()).toBe('table inet t { chain a { jump b } chain b { accept } }')
  })
})

test('5,000 rules in one batch', async () => {
  const rules = Array.from({ length: 5000 }, (_, n) => addRule({ ...inT, chain: 'c', expressions: [ip.saddr(`10.0.${n >> 8}.${n & 255}`), counter(), accept()] }))
  await host.firewall.commit(replaceTable({ family, name: 't' }, [addChain({ ...inT, name: 'c' }), ...rules]))
  expect(await host.firewall.rules(inT)).toHaveLength(5000)
})

test('a dry run says what the kernel would, and changes nothing', async () => {
  await host.firewall.check([table, addChain({ ...inT, name: 'c' })])
  await expect(host.firewall.check([table, deleteTable({ family, name: 'other' })])).rejects.toMatchObject({ errnoName: 'ENOENT', statement: 1 })
  expect(await host.firewall.tables()).toEqual([])
})

test('an update is built again when others have changed the ruleset', async () => {
  let builds = 0
  await host.firewall.update(async firewall => {
    const { tables } = await firewall.ruleset()
    if (builds++ < 2) await nft('add', 'table', 'ip', `other${builds}`)
    return [addTable({ family, name: `beside_${tables.map(({ name }) => name).join('_')}` })]
  })
  expect(builds).toBe(3)
  expect((await host.firewall.tables({ family })).map(({ name }) => name)).toEqual(['beside_other1_other2'])
  await expect(host.firewall.update(async () => {
    await nft('add', 'table', 'ip', `again${builds++}`)
    return [table]
  })).rejects.toMatchObject({ code: 'ERR_FIREWALL_BUSY' })
})

test('a table of its own is safe from others, and goes with its handle', async () => {
  const owned = await host.firewall.own({ family, name: 'mine' }, [addChain({ family, table: 'mine', name: 'c' })])
  await expect(nft('add', 'chain', 'inet', 'mine', 'x')).rejects.toThrow('not permitted')
  const other = await Host.open({ netns: host.netnsFd })
  await expect(other.firewall.commit([deleteTable({ family, name: 'mine' })])).rejects.toMatchObject({ code: 'ERR_NO_PERMISSION', errnoName: 'EPERM' })
  await other.close()
  // Longer than a Host's thread keeps sockets that nobody needs.
  await new Promise(resolve => setTimeout(resolve, 2500))
  await owned.commit([addRule({ family, table: 'mine', chain: 'c', expressions: [drop()] })])
  expect(await host.firewall.rules({ family, table: 'mine' })).toHaveLength(1)
  await owned.close()
  await owned.close()
  expect(await host.firewall.tables()).toEqual([])
})

describe('refused before it is sent', () => {
  const chain = addChain({ ...inT, name: 'c' })
  const refused: [string, RegExp, () => unknown][] = [
    ['a port without a protocol', /masquerade to a port: expected a transport protocol/, () => addRule({ ...inT, chain: 'c', expressions: [masquerade({ ports: 5 })] })],
    ['IPv6 in an ip table', /ip6 saddr: expected nothing of ip6 in a rule for ip \(the table\)/,
      () => addRule({ family: 'ip', table: 't', chain: 'c', expressions: [ip6.saddr('fd00::1')] })],
    ['two families', /ip6 saddr: expected nothing of ip6 in a rule for ip/, () => addRule({ ...inT, chain: 'c', expressions: [ip.saddr('1.1.1.1'), ip6.saddr('fd00::1')] })],
    ['two protocols', /udp dport: expected nothing of udp in a rule for tcp/, () => addRule({ ...inT, chain: 'c', expressions: [tcp.dport(1), udp.dport(1)] })],
    ['NAT below connection tracking', /priority: expected above -200/, () => addChain({ ...inT, name: 'c', hook: 'prerouting', type: 'nat', priority: 'raw' })],
    ['a hook of another family', /hook: expected one of input, output, forward/, () => addChain({ family: 'arp', table: 't', name: 'c', hook: 'prerouting' })],
    ['a type of another hook', /type: expected filter at hook forward/, () => addChain({ ...inT, name: 'c', hook: 'forward', type: 'nat' })],
    ['a chain for a device without one', /devices: expected at least one/, () => addChain({ family: 'netdev', table: 't', name: 'c', hook: 'ingress' })],
    ['ranges that overlap', /elements\[1\]: expected no overlap with elements\[0\] \("10.0.0.0\/8"\)/,
      () => addElements(set({ name: 's', type: 'ipv4_addr', flags: ['interval'] }), ['10.0.0.0/8', '10.1.0.0/16'])],
    ['an element twice', /elements\[1\]: expected a key that elements\[0\] is not already/, () => addElements(set({ name: 's', type: 'inet_service' }), [80, 80])],
    ['a range in a set without', /a single value: the set has no flag interval/, () => addElements(set({ name: 's', type: 'inet_service' }), ['80-81'])],
    ['a key of another type', /elements\[0\]: expected an IPv4 address/, () => addElements(set({ name: 's', type: 'ipv4_addr' }), ['fd00::1'])],
    ['an unknown type', /did you mean "ipv4_addr"/, () => addSet(set({ name: 's', type: 'ipv4_adr' as 'ipv4_addr' }))],
    ['a comment that is too long', /comment: expected a string of at most 127 bytes/, () => addChain({ ...inT, name: 'c', comment: 'x'.repeat(128) })],
    ['values of different sizes', /meta mark: expected mark, of 4 bytes/, () => mark.set(ip6.saddr)],
  ]
  test.each(refused)('%s', (_, message, call) => {
    expect(call).toThrow(InvalidArgumentError)
    expect(call).toThrow(message)
  })

  const batches: [string, RegExp, () => Parameters<Host['firewall']['commit']>[0]][] = [
    ['a name that is too long', /^requests\[1\]\.name: expected at most 255 bytes/, () => [table, addChain({ ...inT, name: 'x'.repeat(256) })]],
    ['NAT outside a nat chain', /^requests\[2\]\.expressions\[0\]: expected a chain of type nat for masquerade, not filter/,
      () => [table, addChain({ ...inT, name: 'p', hook: 'postrouting' }), addRule({ ...inT, chain: 'p', expressions: [masquerade()] })]],
    ['NAT where it is jumped to', /a chain of type nat for snat/, () => [table, chain, addChain({ ...inT, name: 'p', hook: 'postrouting' }),
      addRule({ ...inT, chain: 'c', expressions: [snat({ address: '1.1.1.1' })] }), addRule({ ...inT, chain: 'p', expressions: [jump('c')] })]],
    ['source NAT on the way in', /masquerade at hook postrouting, not prerouting/, () => [table,
      addChain({ ...inT, name: 'p', hook: 'prerouting', type: 'nat' }), addRule({ ...inT, chain: 'p', expressions: [masquerade()] })]],
    ['a jump to nowhere', /^requests\[4\]\.expressions\[0\]: expected a chain of the table inet t: c; did you mean "c"\?/, () =>
      replaceTable({ family, name: 't' }, [chain, addRule({ ...inT, chain: 'c', expressions: [jump('d')] })])],
    ['a loop', /no way back to where it came from: c → d → c/, () => [table, chain, addChain({ ...inT, name: 'd' }),
      addRule({ ...inT, chain: 'c', expressions: [jump('d')] }), addRule({ ...inT, chain: 'd', expressions: [vmap(tcp.dport, { 80: jump('c') })] })]],
    ['a jump to a base chain', /a regular chain/, () => [table, chain, addChain({ ...inT, name: 'i', hook: 'input' }), addRule({ ...inT, chain: 'c', expressions: [jump('i')] })]],
    ['a set of another type', /@s: expected|a set whose key has 2 bytes, for inet_service, not 4/, () => [table, chain, addSet(set({ name: 's', type: 'ipv4_addr' })),
      addRule({ ...inT, chain: 'c', expressions: [tcp.dport('@s')] })]],
  ]
  test.each(batches)('%s', async (_, message, requests) => {
    await expect((async () => host.firewall.commit(requests()))()).rejects.toThrow(message)
    expect(await host.firewall.tables()).toEqual([])
  })
})

describe('refused by the kernel', () => {
  test('names the request, and nothing is committed', async () => {
    const failing = host.firewall.commit([table, addRule({ ...inT, chain: 'nowhere', expressions: [meta.cpu(1)] }), addChain({ ...inT, name: 'x' })])
    await expect(failing).rejects.toBeInstanceOf(FirewallError)
    await expect(failing).rejects.toMatchObject({ statement: 1, errnoName: 'ENOENT', operation: 'add rule inet t nowhere' })
    expect(await host.firewall.tables()).toEqual([])
  })
  test('a set in use is busy', async () => {
    const used = set({ name: 's', type: 'ipv4_addr' })
    await host.firewall.commit([table, addChain({ ...inT, name: 'c' }), addSet(used), addRule({ ...inT, chain: 'c', expressions: [ip.saddr('@s')] })])
    await expect(host.firewall.commit([deleteSet(used)])).rejects.toThrow('delete set inet t s: EBUSY')
  })
  needing(needs.kernel('nftFlowtable') === undefined ? 'a kernel without flow tables' : undefined).test('what it lacks is named', async () => {
    const flow = host.firewall.commit([table, addFlowtable({ ...inT, name: 'f', devices: ['lo'] })])
    await expect(flow).rejects.toBeInstanceOf(UnsupportedError)
    await expect(flow).rejects.toThrow('CONFIG_NF_FLOW_TABLE')
    const queued = host.firewall.commit([table, addChain({ ...inT, name: 'c' }), addRule({ ...inT, chain: 'c', expressions: [queue({ num: 1 })] })])
    await expect(queued).rejects.toThrow('CONFIG_NFT_QUEUE')
    expect(await host.firewall.tables()).toEqual([])
  })
})
