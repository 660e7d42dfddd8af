/** toNft: what nft wrote is read, written in nft's syntax, and read by nft to the same expressions. */
import { expect } from 'vitest'
import { Host } from '../../src/index.ts'
import type { Family } from '../../src/nftables/messages.ts'
import { ruleToNft, rulesetToNft } from '../../src/nftables/text/ruleset.ts'
import type { Ruleset } from '../../src/nftables/text/ruleset.ts'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { meaning } from './ruleset_meaning.ts'
import { corpus, natCorpus, tables } from './text_corpus.ts'
import { patience } from '../support/patience.ts'

const { test } = needing(needs.kernel('nftables'), needs.kernel('nftInet'), needs.kernel('nftNat'))

/** Loads texts one by one; those that this kernel or nft refuses are left out. */
async function load(host: Host, text: string): Promise<void> {
  await run('nft', ['-f', '-'], { netns: host.netnsFd, input: text })
}

/** A chain each, so that one that is refused takes no other along. */
function chainsOf(family: Family, rules: readonly string[], head = ''): string {
  return [`add table ${family} t`, `add chain ${family} t other`,
    ...rules.map((_, index) => `add chain ${family} t c${index} ${head}`),
    ...rules.map((rule, index) => `add rule ${family} t c${index} ${rule}`)].join('\n')
}

/** The rules that nft and the kernel take here, found by halving. */
async function accepted(family: Family, rules: readonly string[], head = ''): Promise<string[]> {
  const { status } = await tryRun('unshare', ['--net', 'nft', '-f', '-'], { input: chainsOf(family, rules, head) })
  if (status === 0) return [...rules]
  if (rules.length === 1) return []
  const half = rules.length >> 1
  return [...await accepted(family, rules.slice(0, half), head), ...await accepted(family, rules.slice(half), head)]
}

/** What nft makes of our text, next to what it was made from. */
async function reread(original: Ruleset): Promise<{ text: string, again: Ruleset }> {
  const text = rulesetToNft(original)
  await using other = await Host.open({ netns: { create: true } })
  await load(other, text).catch((error: unknown) => { throw new Error(`${String(error)}\n${text}`) })
  return { text, again: await other.firewall.ruleset() }
}

/** Rule by rule, so that a difference names the rule. */
async function sameRules(original: Ruleset, rules: readonly string[], said: readonly (string | undefined)[]): Promise<void> {
  const { again } = await reread(original)
  const [before, after] = [meaning(original), meaning(again)]
  const different = rules.flatMap((rule, index) => {
    const [was, is] = [JSON.stringify(before.rules[index]), JSON.stringify(after.rules[index])]
    return was === is ? [] : [{ rule, said: said[index], was, is }]
  })
  expect(different).toEqual([])
  expect(after).toEqual(before)
}

test.each(Object.keys(corpus) as (keyof typeof corpus)[])('every rule of family %s, in nft’s words', async family => {
  const rules = await accepted(family, corpus[family])
  expect(rules.length).toBeGreaterThan(corpus[family].length * 0.8)
  await using host = await Host.open({ netns: { create: true } })
  await load(host, chainsOf(family, rules))
  const original = await host.firewall.ruleset()
  const said = original.rules.map(rule => ruleToNft(rule, original.sets))
  expect(rules.filter((_, index) => said[index] === undefined)).toEqual([])
  await sameRules(original, rules, said)
}, 60_000 * patience)

test.each(['postrouting', 'prerouting'] as const)('every kind of NAT at %s, in nft’s words', async hook => {
  for (const [family, rules] of Object.entries(natCorpus[hook]) as [Family, readonly string[]][]) {
    const head = `{ type nat hook ${hook} priority 0; }`
    const taken = await accepted(family, rules, head)
    expect(taken).toEqual(rules)
    await using host = await Host.open({ netns: { create: true } })
    await load(host, chainsOf(family, taken, head))
    const original = await host.firewall.ruleset()
    expect(meaning((await reread(original)).again)).toEqual(meaning(original))
  }
})

test.each(tables)('whole tables: %#', async text => {
  await using host = await Host.open({ netns: { create: true } })
  await load(host, text)
  const original = await host.firewall.ruleset()
  const { text: ours, again } = await reread(original)
  expect(ours).not.toContain('#')
  expect(meaning(again)).toEqual(meaning(original))
})

test('what nft’s language has no words for is a comment that names it', async () => {
  await using host = await Host.open({ netns: { create: true } })
  await run('iptables-nft', ['-A', 'INPUT', '-m', 'statistic', '--mode', 'random', '--probability', '0.5', '-j', 'DROP'], { netns: host.netnsFd })
  const ruleset = await host.firewall.ruleset({ family: 'ip' })
  expect(ruleset.rules.map(rule => ruleToNft(rule, ruleset.sets))).toEqual([undefined])
  const text = rulesetToNft(ruleset)
  expect(text).toMatch(/# a rule that nft cannot read: match, handle \d+\n/)
  await using other = await Host.open({ netns: { create: true } })
  await load(other, text)
  expect((await other.firewall.ruleset()).rules).toEqual([])
})

test('the ruleset is read of one moment while another process changes it', async () => {
  await using host = await Host.open({ netns: { create: true } })
  // Each change keeps the number of rules of both chains equal.
  const change = (n: number): string => `add table ip t; flush table ip t; ${['a', 'b'].map(name =>
    `add chain ip t ${name}; ${Array.from({ length: n }, () => `add rule ip t ${name} counter`).join('; ')}`).join('; ')}`
  const script = Array.from({ length: 60 }, (_, index) => `nft '${change(1 + index % 7)}'`).join('\n')
  let ended = false
  const changes = run('sh', ['-ec', script], { netns: host.netnsFd }).finally(() => { ended = true })
  let reads = 0
  while (!ended) {
    const { rules } = await host.firewall.ruleset({ family: 'ip', table: 't' })
    const [a, b] = ['a', 'b'].map(name => rules.filter(({ chain }) => chain === name).length)
    expect(a).toBe(b)
    reads++
  }
  await changes
  expect(reads).toBeGreaterThan(5)
})

test('of a table that is not there nothing is read', async () => {
  await using host = await Host.open({ netns: { create: true } })
  await load(host, 'table ip t { chain c { counter\n}\n}')
  const nothing = { tables: [], chains: [], rules: [], sets: [], objects: [], flowtables: [] }
  expect(await host.firewall.ruleset({ family: 'ip', table: 'nowhere' })).toMatchObject(nothing)
  expect(await host.firewall.ruleset({ family: 'ip6' })).toMatchObject(nothing)
})

test('counters are read and reset', async () => {
  await using host = await Host.open({ netns: { create: true } })
  await load(host, 'table ip t {\n counter c { packets 5 bytes 100\n}\n set s { type ipv4_addr\n counter\n elements = { 1.2.3.4 counter packets 3 bytes 30 }\n}\n' +
    'chain x { counter packets 7 bytes 70\n}\n}')
  const table = { family: 'ip', table: 't' } as const
  const counts = async (reset: boolean): Promise<unknown> => ({
    objects: (await host.firewall.objects({ ...table, type: 'counter', reset })).map(({ data }) => data),
    rules: (await host.firewall.rules({ ...table, chain: 'x', reset })).flatMap(({ expressions }) => expressions.map(({ data }) => data)),
  })
  const before = { objects: [{ packets: 5, bytes: 100 }], rules: [{ packets: 7, bytes: 70 }] }
  expect(await counts(false)).toEqual(before)
  expect(await counts(true)).toEqual(before)
  expect(await counts(false)).toEqual({ objects: [{ packets: 0, bytes: 0 }], rules: [{ packets: 0, bytes: 0 }] })
  const [element] = await host.firewall.elements({ ...table, name: 's' })
  expect(element?.expressions ?? [element?.expression]).toEqual([{ name: 'counter', data: { packets: 3, bytes: 30 } }])
})
