/** Sets of ipset in rules: names going in, numbers in the kernel, names coming out, as iptables-nft has it. */
import { afterEach, expect } from 'vitest'
import type { NativeHost, Step } from '../../binding/index.ts'
import { InvalidArgumentError } from '../../src/errors.ts'
import { Channel } from '../../src/host/channel.ts'
import type { Host } from '../../src/host/host.ts'
import { Iptables } from '../../src/host/iptables.ts'
import { openNative } from '../../src/host/netns.ts'
import { NFNL_SUBSYS_IPSET } from '../../src/nftables/constants.ts'
import { IPSET_CMD_GET_BYINDEX } from '../../src/nftables/iptables/constants.ts'
import { formatIptablesRules, iptablesRule, parseIptablesRule } from '../../src/nftables/index.ts'
import type { IptablesFamily } from '../../src/nftables/index.ts'
import { newHost, rejection } from '../host/support.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { listedByTool, restoreByTool, restoreText, savedByTool } from './iptables_support.ts'

const { test } = needing(needs.kernel('iptablesNft'), needs.tool('ipset'), needs.kernel('iptablesSet'))

const sets: Readonly<Record<IptablesFamily, readonly string[]>> = {
  ip: ['hosts hash:ip', 'docker-ext-bridges-v4 hash:net', 'counted hash:ip counters', 'three hash:ip,port,ip', 'timed hash:ip timeout 60', 'marked hash:ip skbinfo', 'a,b bitmap:port range 1-100', 'any list:set'],
  ip6: ['hosts hash:ip family inet6', 'docker-ext-bridges-v6 hash:net family inet6', 'three hash:ip,port,net family inet6', 'any list:set'],
}

/** Every option of both, as a person types them: table, chain, options. */
const corpus: Readonly<Record<IptablesFamily, readonly string[]>> = {
  ip: [
    'filter FORWARD -m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    'filter INPUT -m set --match-set hosts src',
    'filter INPUT -m set ! --match-set hosts dst',
    'filter INPUT -m set --match-set three src,dst,src -j DROP',
    'filter INPUT -m set ! --match-set three dst,dst,src',
    'filter INPUT -m set --match-set a,b dst',
    'filter INPUT -m set --match-set any src,dst,src,dst,src,dst',
    'filter INPUT -m set --match-set hosts src --return-nomatch',
    'filter INPUT -m set --match-set counted src --update-counters ! --update-subcounters',
    'filter INPUT -m set --match-set counted src ! --update-counters --packets-eq 5 --bytes-gt 1000',
    'filter INPUT -m set --match-set counted src ! --packets-eq 0 ! --bytes-eq 9007199254740991',
    'filter INPUT -m set ! --match-set counted src --packets-lt 4294967296 --bytes-lt 1',
    'filter INPUT -m set --match-set counted src --packets-gt 7',
    'filter INPUT -m set --match-set hosts src -m set ! --match-set any dst -j ACCEPT',
    'filter INPUT -j SET --add-set hosts src',
    'filter INPUT -j SET --add-set timed src --exist --timeout 0',
    'filter INPUT -j SET --add-set timed dst --timeout 4294967',
    'filter FORWARD -j SET --del-set three src,src,dst',
    'filter FORWARD -m set --match-set hosts src -j SET --add-set hosts dst --exist --del-set three src,dst,dst',
    'mangle FORWARD -j SET --map-set marked src --map-mark',
    'mangle FORWARD -j SET --map-set marked dst --map-prio --map-queue --map-mark',
    'mangle POSTROUTING -j SET --add-set hosts src --map-set marked dst --map-queue --del-set hosts dst',
  ],
  ip6: [
    'filter FORWARD -m set --match-set docker-ext-bridges-v6 dst -j ACCEPT',
    'raw PREROUTING -m set ! --match-set three src,dst,dst -j DROP',
    'filter INPUT -m set --match-set any src -j SET --add-set hosts src --exist',
  ],
}

async function makeSets(host: Host, family: IptablesFamily): Promise<void> {
  await run('ipset', ['restore'], { netns: host.netnsFd, input: sets[family].map(set => `create ${set}\n`).join('') })
}

async function expectSameText(host: Host, family: IptablesFamily): Promise<void> {
  expect(await host.iptables.save({ family })).toBe(await savedByTool(host, family))
  for (const table of ['filter', 'mangle', 'raw'] as const) {
    expect(await host.iptables.listRules({ family, table })).toBe(await listedByTool(host, family, table, '-S'))
    expect(await host.iptables.list({ family, table })).toBe(await listedByTool(host, family, table, '-L', '-nv'))
  }
}

const expressionsOf = async (host: Host, family: IptablesFamily): Promise<unknown[]> =>
  (await host.firewall.ruleset({ family })).rules.map(({ table, chain, expressions }) => [table, chain, expressions])

test.each(['ip', 'ip6'] as const)('what we write and what iptables writes is the same, and reads the same: %s', async family => {
  const [ours, theirs] = [await newHost(), await newHost()]
  await Promise.all([makeSets(ours, family), makeSets(theirs, family)])
  await ours.iptables.restore(restoreText(corpus[family]), { family })
  await restoreByTool(theirs, family, restoreText(corpus[family]))
  // The numbers of the sets are the same too: they were made in the same order.
  expect(await expressionsOf(ours, family)).toEqual(await expressionsOf(theirs, family))
  await expectSameText(theirs, family)
  await expectSameText(ours, family)
})

test('rules are found, deleted and written again by name, as text and as objects', async () => {
  const host = await newHost()
  await makeSets(host, 'ip')
  await restoreByTool(host, 'ip', restoreText(corpus.ip))
  for (const { chain, rule, text } of await host.iptables.rules()) {
    expect(await host.iptables.check(chain, text)).toBe(true)
    expect(await host.iptables.check(chain, rule)).toBe(true)
  }
  const before = await savedByTool(host, 'ip')
  const use = { set: 'docker-ext-bridges-v4', dirs: ['dst'] } as const
  await host.iptables.insert('OUTPUT', { matches: [{ set: { matchSet: { not: use } } }], target: { SET: { addSet: 'hosts src', exist: true } } })
  expect(await listedByTool(host, 'ip', 'filter', '-S', 'OUTPUT')).toBe(
    '-P OUTPUT ACCEPT\n-A OUTPUT -m set ! --match-set docker-ext-bridges-v4 dst -j SET --add-set hosts src --exist\n')
  await run('iptables-nft', ['-C', 'OUTPUT', '-m', 'set', '!', '--match-set', use.set, 'dst', '-j', 'SET', '--add-set', 'hosts', 'src', '--exist'], { netns: host.netnsFd })
  await host.iptables.delete('OUTPUT', `-m set ! --match-set ${use.set} dst -j SET --add-set hosts src --exist`)
  expect(await savedByTool(host, 'ip')).toBe(before)
})

test('a set that is renamed, or swapped with another, is called as iptables calls it then', async () => {
  const host = await newHost()
  await makeSets(host, 'ip')
  await host.iptables.commit(['-A INPUT -m set --match-set hosts src', '-A INPUT -m set --match-set timed src'])
  await run('ipset', ['create', 'other', 'hash:ip'], { netns: host.netnsFd })
  await run('ipset', ['swap', 'other', 'hosts'], { netns: host.netnsFd })
  await expectSameText(host, 'ip')
  await run('ipset', ['restore'], { netns: host.netnsFd, input: 'create wide hash:ip\n' })
  await host.iptables.append('INPUT', '-m set --match-set wide src')
  await run('iptables-nft', ['-D', 'INPUT', '3'], { netns: host.netnsFd })
  await run('ipset', ['rename', 'wide', 'thin'], { netns: host.netnsFd })
  await host.iptables.append('INPUT', '-m set --match-set thin src')
  await expectSameText(host, 'ip')
})

test('what cannot be is refused by name, and nothing is changed', async () => {
  const host = await newHost()
  await makeSets(host, 'ip')
  await host.iptables.append('INPUT', '-m set --match-set hosts src')
  const before = await savedByTool(host, 'ip')
  const refusals: [Promise<unknown>, string][] = [
    [host.iptables.commit(['-A INPUT -j ACCEPT', '-A INPUT -m set --match-set hotss src']), 'set: expected a set that is there (`ipset list -n`), got "hotss"'],
    [host.iptables.check('INPUT', '-m set --match-set nosuch src'), 'set: expected a set that is there'],
    [host.iptables.append('INPUT', { target: { SET: { addSet: 'nosuch src' } } }), 'set: expected a set that is there'],
    [host.iptables.append('INPUT', '-m set --match-set hosts src', { family: 'ip6' }), 'set: expected a set of family ip6, as the rule is; this one is of ip, got "hosts"'],
    [host.iptables.append('INPUT', { matches: [{ set: { matchSet: 'hosts' } }] }), 'matches[0].set.matchSet: expected the name of a set'],
    [host.iptables.append('INPUT', { matches: [{ set: { matchSet: 'hosts source' } }] }), 'matches[0].set.matchSet: expected the name of a set'],
    [host.iptables.append('INPUT', { matches: [{ set: {} }] }), 'matches[0].set.matchSet: expected the name of a set'],
  ]
  for (const [promise, start] of refusals) {
    const error = await rejection(promise)
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect((error as Error).message.slice(0, start.length)).toBe(start)
  }
  const words: [text: string, start: string][] = [
    ['-m set --match-set hosts', '--match-set: expected a value'],
    ['-m set --match-set a-name-of-more-than-thirty-one-bytes src', '--match-set: expected the name of a set'],
    ['-m set --match-set a src,dst,src,dst,src,dst,src', '--match-set: expected the name of a set'],
    ['-m set --match-set a src --packets-eq 1 --packets-gt 1', '--packets-eq: expected only one of'],
    ['-m set --return-nomatch', '--match-set: expected the name of a set'],
    ['-j SET', '--add-set: expected at least one of'],
    ['-j SET --del-set a src --exist', '--exist: expected addSet beside it'],
    ['-j SET --add-set a src --map-mark', '--map-mark: expected mapSet beside it'],
    ['-j SET --map-set a src', '--map-set: expected at least one of mapMark'],
    ['-A INPUT -j SET --map-set a src --map-mark', '--map-set: expected it only in table mangle'],
  ]
  for (const [text, start] of words) expect(() => parseIptablesRule(text)).toThrow(start)
  expect(await savedByTool(host, 'ip')).toBe(before)
})

test('without a Host, numbers are given by hand', async () => {
  const host = await newHost()
  await makeSets(host, 'ip')
  await host.iptables.append('INPUT', '-m set --match-set docker-ext-bridges-v4 src')
  const rule = parseIptablesRule('-m set --match-set docker-ext-bridges-v4 src')
  expect(() => iptablesRule({ family: 'ip', ...rule })).toThrow('matches[0].set.matchSet: expected one of `sets`')
  expect(() => iptablesRule({ family: 'ip', ...rule, sets: 5 as never })).toThrow('sets: expected an array')
  expect(() => iptablesRule({ family: 'ip', ...rule, sets: [null as never] })).toThrow('sets[0]: expected an object')
  expect(() => iptablesRule({ family: 'ip', ...rule, sets: [{ name: 'docker-ext-bridges-v4', index: 65536 }] })).toThrow('set.index: expected an integer')
  const known = [{ name: 'docker-ext-bridges-v4', index: 1 }]
  const rules = await host.firewall.rules({ family: 'ip', table: 'filter' })
  expect(iptablesRule({ family: 'ip', sets: known, ...rule })).toEqual(rules[0]?.expressions)
  const given = { table: 'filter', chains: await host.firewall.chains({ family: 'ip' }), rules }
  expect(formatIptablesRules({ ...given, sets: known })).toContain('-A INPUT -m set --match-set docker-ext-bridges-v4 src\n')
  expect(formatIptablesRules(given)).toContain('-A INPUT [nft: set]\n')
})

/** host.iptables whose steps `before` sees, and may change, on their way to the kernel. */
async function tapped(host: Host, before: (messages: Buffer) => Promise<Uint8Array>): Promise<Iptables> {
  const native = await openNative({ path: `/proc/self/fd/${host.netnsFd}` })
  opened.push(native)
  const exec = async (steps: readonly Step[]): Promise<unknown> => native.exec(await Promise.all(steps.map(async step =>
    (step.op === 'netlink' ? { ...step, messages: await before(Buffer.from(step.messages)) } : step))))
  return new Iptables(new Channel({ exec } as unknown as NativeHost))
}

const opened: NativeHost[] = []
afterEach(async () => { await Promise.all(opened.splice(0).map(native => native.close())) })

const typeOf = (command: number): number => NFNL_SUBSYS_IPSET << 8 | command

test('a set that goes while the rules are read goes with its rule; one that cannot be had is an error', async () => {
  const host = await newHost()
  await makeSets(host, 'ip')
  await host.iptables.commit(['-A INPUT -m set --match-set hosts src', '-A INPUT -m set --match-set timed src'])
  let asked = 0
  const racing = await tapped(host, async messages => {
    if (messages.readUInt16LE(4) === typeOf(IPSET_CMD_GET_BYINDEX) && asked++ === 0) {
      await run('iptables-nft', ['-D', 'INPUT', '1'], { netns: host.netnsFd })
      await run('ipset', ['destroy', 'hosts'], { netns: host.netnsFd })
    }
    return messages
  })
  expect(await racing.listRules({ chain: 'INPUT' })).toBe('-P INPUT ACCEPT\n-A INPUT -m set --match-set timed src\n')
  expect(asked).toBe(2)
  const lacking = await tapped(host, async messages => {
    // The number stands at the end, behind header, nfgenmsg and the version of the protocol.
    if (messages.readUInt16LE(4) === typeOf(IPSET_CMD_GET_BYINDEX)) messages.writeUInt16BE(999, 32)
    return Promise.resolve(messages)
  })
  expect(await rejection(lacking.save())).toMatchObject({ code: 'ERR_NETLINK', message: "get the name of ipset's set 4: ENOENT, no such file or object" })
})

test('a kernel without ipset', async () => {
  const host = await newHost()
  const lacking = await tapped(host, messages => {
    // No part of nfnetlink has this number.
    if (messages.readUInt16LE(4) >> 8 === NFNL_SUBSYS_IPSET) messages.writeUInt8(63, 5)
    return Promise.resolve(messages)
  })
  await lacking.append('INPUT', '-j ACCEPT')
  const error = await rejection(lacking.append('INPUT', '-m set --match-set hosts src'))
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'CONFIG_IP_SET' })
  expect((error as Error).message).toContain("get the number of ipset's set hosts: this kernel has no ipset")
})

test('packets are looked up in the set, and added to it', async () => {
  const host = await newHost()
  await makeSets(host, 'ip')
  await host.links.set('lo', { up: true })
  await host.iptables.commit(['-A OUTPUT -m set ! --match-set hosts dst -p icmp -j SET --add-set hosts dst', '-A OUTPUT -m set --match-set hosts dst -j DROP'])
  const ping = rejection(run('ping', ['-c', '1', '-W', '1', '127.0.0.9'], { netns: host.netnsFd }))
  expect(String(await ping)).toContain('100% packet loss')
  expect(await run('ipset', ['list', 'hosts'], { netns: host.netnsFd })).toMatch(/\n127\.0\.0\.9\n/)
})
