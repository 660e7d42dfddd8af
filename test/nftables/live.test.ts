/** Rules of libvirt's default network in real namespaces, seen by the real tools. */
import { afterEach, beforeEach, expect } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import type { NativeHost } from '../../binding/index.ts'
import { Channel, firewallReadStep, firewallStep } from '../../src/host/channel.ts'
import { NetlinkError } from '../../src/netlink/error.ts'
import type { AnyRequest, Message } from '../../src/netlink/message.ts'
import { isGenerationConflict } from '../../src/nftables/batch.ts'
import { addChain, decodeChain, deleteChain, getChain, listChains } from '../../src/nftables/chains.ts'
import type { Expression } from '../../src/nftables/expressions.ts'
import { decodeGeneration, getGeneration } from '../../src/nftables/generation.ts'
import { formatIptablesList } from '../../src/nftables/iptables/list.ts'
import { iptablesRule } from '../../src/nftables/iptables/rule.ts'
import { formatIptablesSaveTable } from '../../src/nftables/iptables/save.ts'
import { addRule, decodeRule, deleteRule, jumpTarget, listRules } from '../../src/nftables/rules.ts'
import type { Rule } from '../../src/nftables/rules.ts'
import { accept, counter, ctState, drop, iifname, ip, jump, tcp } from '../../src/nftables/vocabulary/index.ts'
import { addTable, decodeTable, deleteTable, listTables } from '../../src/nftables/tables.ts'
import { ownerTag } from '../../src/nftables/userdata.ts'
import { nftJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { OWNER, commands, natRules, requests, scaffold } from './libvirt_rules.ts'

const { test, describe } = needing(needs.kernel('iptablesNft'), needs.kernel('iptablesChecksum'))

let hosts: NativeHost[]
beforeEach(() => { hosts = [] })
afterEach(async () => { await Promise.all(hosts.map(host => host.close())) })

async function namespace(): Promise<Channel> {
  const native = await loadAddon().openHost({ create: true })
  hosts.push(native)
  return new Channel(native)
}

async function commit(channel: Channel, changes: readonly AnyRequest[], generation?: number): Promise<void> {
  const options = { mayFail: true, ...(generation === undefined ? {} : { generation }) }
  const { error } = await channel.attempt(firewallStep(changes, options))
  if (error !== undefined) throw error
}

async function read(channel: Channel, request: AnyRequest): Promise<Message[]> {
  const { error, messages } = await channel.attempt(firewallReadStep([request], { mayFail: true }))
  if (error !== undefined) throw error
  return messages[0] ?? []
}

function shell(channel: Channel, script: string): Promise<string> {
  return run('sh', ['-ec', script], { netns: channel.native.netnsFd })
}

/** Without comments, which hold the time. */
async function saved(channel: Channel, tool: string): Promise<string> {
  return (await shell(channel, tool)).replace(/^#.*\n/gm, '')
}

async function dumpRules(channel: Channel, family: 'ip' | 'ip6'): Promise<Rule[]> {
  return (await read(channel, listRules({ family }))).map(decodeRule)
}

describe.each([
  ['ip', 'iptables', '192.168.122.0/24'],
  ['ip6', 'ip6tables', 'fd00:122::/64'],
] as const)('libvirt’s rules, %s', (family, tool, subnet) => {
  test('are to the tools as if iptables had written them', async () => {
    const [ours, theirs] = [await namespace(), await namespace()]
    const rules = natRules(family, subnet)
    await commit(ours, [...scaffold(family), ...requests(family, rules)])
    await shell(theirs, commands(family, rules))

    expect(await saved(ours, `${tool}-save`)).toBe(await saved(theirs, `${tool}-save`))
    expect(await shell(ours, `${tool} -S`)).toBe(await shell(theirs, `${tool} -S`))
    for (const table of ['filter', 'nat', 'mangle']) {
      expect(await shell(ours, `${tool} -t ${table} -L -nv`)).toBe(await shell(theirs, `${tool} -t ${table} -L -nv`))
    }
    expect(await nftJson(ours.native.netnsFd)).not.toEqual([])
    const expressions = (all: Rule[]): unknown[] => all.map(rule => [rule.table, rule.chain, rule.expressions]).sort()
    expect(expressions(await dumpRules(ours, family))).toEqual(expressions(await dumpRules(theirs, family)))
  })

  test('are listed by us as by iptables', async () => {
    const channel = await namespace()
    await shell(channel, commands(family, natRules(family, subnet)))
    const chains = (await read(channel, listChains({ family }))).map(decodeChain)
    const rules = await dumpRules(channel, family)
    for (const table of ['filter', 'nat', 'mangle']) {
      expect(formatIptablesList({ table, chains, rules })).toBe(await shell(channel, `${tool} -t ${table} -L -nv`))
      expect(formatIptablesSaveTable({ table, chains, rules })).toBe(await saved(channel, `${tool}-save -t ${table}`))
    }
  })

  test('carry their network, and can be deleted by it or by iptables', async () => {
    const channel = await namespace()
    await commit(channel, [...scaffold(family), ...requests(family, natRules(family, subnet))])
    const ours = (await dumpRules(channel, family)).filter(({ owner }) => owner === OWNER)
    expect(ours).toHaveLength(natRules(family, subnet).length)
    await shell(channel, `${tool} -D VIRBR_FWX -i virbr0 -o virbr0 -j ACCEPT`)
    const left = (await dumpRules(channel, family)).filter(({ owner }) => owner === OWNER)
    expect(left).toHaveLength(ours.length - 1)
    await commit(channel, left.map(deleteRule))
    expect((await dumpRules(channel, family)).every(rule => jumpTarget(rule)?.startsWith('VIRBR_'))).toBe(true)
  })
})

test('listings hold what other rules say, and name what they cannot', async () => {
  const channel = await namespace()
  await shell(channel, `
    iptables -N F
    iptables -P FORWARD DROP
    iptables -A INPUT -m conntrack ! --ctstate INVALID,NEW -j ACCEPT
    iptables -A INPUT -p tcp -j REJECT --reject-with tcp-reset
    iptables -A INPUT -s 10.0.0.0/255.0.255.0 ! -i lo -g F
    iptables -A INPUT ! -p udp -m comment --comment 'say "hi"' -j DROP
    iptables -A INPUT -m addrtype ! --dst-type LOCAL,BROADCAST ! --src-type MULTICAST --limit-iface-in -j F
    iptables -A INPUT -p icmp ! --icmp-type 3/1 -j ACCEPT
    iptables -A INPUT -p tcp --sport 5: --dport 6 --syn
    iptables -A INPUT -p udp ! --dport 67:68
    iptables -A INPUT -c 99999 12345678901234 -d 10.1.2.3
    iptables -t nat -A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 1.2.3.4-1.2.3.9:80-90
    iptables -t nat -A POSTROUTING -p tcp -j MASQUERADE --random-fully
    iptables -t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.2.3.4 --random --persistent`)
  const reading = async (): Promise<{ chains: ReturnType<typeof decodeChain>[], rules: Rule[] }> => ({
    chains: (await read(channel, listChains({ family: 'ip' }))).map(decodeChain), rules: await dumpRules(channel, 'ip'),
  })
  const before = await reading()
  for (const table of ['filter', 'nat']) {
    expect(formatIptablesList({ table, ...before })).toBe(await shell(channel, `iptables -t ${table} -L -nv`))
    expect(formatIptablesSaveTable({ table, ...before })).toBe(await saved(channel, `iptables-save -t ${table}`))
  }
  // Revisions that iptables has long ceased to write.
  const old: Expression[] = [
    { name: 'match', data: { name: 'conntrack', revision: 1, info: new Uint8Array(152) } },
    { name: 'target', data: { name: 'NFQUEUE', revision: 1, info: Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0) } },
  ]
  await commit(channel, [addRule({ family: 'ip', table: 'filter', chain: 'INPUT', expressions: [...iptablesRule({ family: 'ip', fragment: true }), ...old] })])
  const lines = formatIptablesSaveTable({ table: 'filter', ...await reading() })
  expect(lines).toContain('-A INPUT -f [nft: conntrack] -j NFQUEUE [nft: NFQUEUE]\n')
})

describe('a batch', () => {
  test('commits nothing if one change fails, and names that change', async () => {
    const channel = await namespace()
    const bad = addRule({ family: 'ip', table: 'filter', chain: 'NOWHERE', expressions: [accept()] })
    const failing = commit(channel, [...scaffold('ip'), bad, ...requests('ip', natRules('ip', '10.0.0.0/8'))])
    await expect(failing).rejects.toThrow(/^add rule ip filter NOWHERE: ENOENT/)
    await expect(failing).rejects.toBeInstanceOf(NetlinkError)
    expect(await read(channel, listTables())).toEqual([])
  })

  test('for another generation is refused with ERESTART', async () => {
    const channel = await namespace()
    const generation = decodeGeneration((await read(channel, getGeneration()))[0] as Message)
    await commit(channel, [addTable({ family: 'ip', name: 'first' })], generation)
    const late = commit(channel, [addTable({ family: 'ip', name: 'second' })], generation)
    await expect(late).rejects.toThrow(/^commit the nf_tables batch made for generation \d+ of the ruleset: ERESTART/)
    await expect(late).rejects.toSatisfy(isGenerationConflict)
    expect((await read(channel, listTables())).map(decodeTable).map(({ name }) => name)).toEqual(['first'])
  })
})

test('our vocabulary reads back from nft as it was said', async () => {
  const channel = await namespace()
  const base = { family: 'ip', table: 't', name: 'b' } as const
  const tag = ownerTag(Buffer.alloc(16, 7))
  await commit(channel, [
    addTable({ family: 'ip', name: 't', userdata: tag }),
    addChain({ family: 'ip', table: 't', name: 'c' }),
    addChain({ ...base, hook: 'forward', priority: -5, policy: 'drop', userdata: tag }),
    addRule({
      family: 'ip', table: 't', chain: 'b', comment: 'why', owner: OWNER,
      expressions: [
        iifname('virbr*'), ip.saddr('10.0.0.0/8'), ctState('established', 'related'), tcp.dport('1-9'),
        counter(), jump('c'),
      ],
    }),
    addRule({ family: 'ip', table: 't', chain: 'b', insert: true, expressions: [drop()] }),
  ])
  expect((await shell(channel, 'nft list table ip t')).replace(/\s+/g, ' ')).toBe(
    'table ip t { chain c { } chain b { type filter hook forward priority filter - 5; policy drop; drop ' +
    'iifname "virbr*" ip saddr 10.0.0.0/8 ct state established,related tcp dport 1-9 ' +
    'counter packets 0 bytes 0 jump c comment "why" } } ')

  const [chain] = (await read(channel, getChain(base))).map(decodeChain)
  expect(chain).toMatchObject({ type: 'filter', hook: 'forward', priority: -5, policy: 'drop', use: 2, userdata: tag })
  const rules = (await read(channel, listRules({ family: 'ip', table: 't', chain: 'b' }))).map(decodeRule)
  expect(rules[1]).toMatchObject({ comment: 'why', owner: OWNER, position: rules[0]?.handle })
  expect(await read(channel, listRules({ family: 'ip', table: 't', chain: 'c' }))).toEqual([])

  const busy = commit(channel, [deleteTable({ family: 'ip', name: 't', nonRecursive: true })])
  await expect(busy).rejects.toThrow('delete table ip t: EBUSY')
  await expect(commit(channel, [deleteChain({ ...base, nonRecursive: true })])).rejects.toThrow('EBUSY')
  await commit(channel, [...rules.map(deleteRule), deleteChain({ ...base, nonRecursive: true })])
})

test('an existing base chain keeps its policy', async () => {
  const channel = await namespace()
  await shell(channel, 'iptables -P FORWARD DROP')
  await commit(channel, scaffold('ip'))
  expect(await saved(channel, 'iptables-save -t filter')).toContain(':FORWARD DROP')
})
