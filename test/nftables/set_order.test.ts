/** Sets of ranges whose keys are numbers of the kernel's own, which they keep in network order: bytes of nft, and its listing. */
import { expect } from 'vitest'
import { encodeRequests } from '../../src/netlink/message.ts'
import { NFT_MSG_NEWRULE } from '../../src/nftables/constants.ts'
import { expand } from '../../src/nftables/expand.ts'
import { addChain, addElements, addObject, addRule, addSet, addTable, concat, counter, ct, iifname, ip, map, mark, meta, vmap } from '../../src/nftables/index.ts'
import type { AddSet, ElementInput, Word } from '../../src/nftables/index.ts'
import { messageType } from '../../src/nftables/messages.ts'
import { newHost } from '../host/support.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { straceBytes } from '../support/strace.ts'
import { expressionBytes } from './capture.ts'

const { test } = needing(needs.kernel('nftables'), needs.tool('strace'))

const inT = { family: 'ip', table: 't' } as const
const set = (name: string, rest: Omit<AddSet, 'family' | 'table' | 'name'>): AddSet => ({ ...inT, name, flags: ['interval'], ...rest })

const sets: [text: string, set: AddSet, elements: ElementInput[]][] = [
  ['set a { type mark . ipv4_addr; flags interval; elements = { 1-5 . 10.0.0.0/8, 0x100 . 10.0.0.1 } }',
    set('a', { type: ['mark', 'ipv4_addr'] }), [['1-5', '10.0.0.0/8'], [0x100, '10.0.0.1']]],
  ['set b { type ifname . ipv4_addr; flags interval; elements = { "eth0" . 10.0.0.0/8 } }',
    set('b', { type: ['ifname', 'ipv4_addr'] }), [['eth0', '10.0.0.0/8']]],
  ['set d { type mark; flags interval; elements = { 1-5, 0x100 } }', set('d', { type: 'mark' }), ['1-5', 0x100]],
  ['set u { type uid; flags interval; elements = { 1000-2000 } }', set('u', { type: 'uid' }), ['1000-2000']],
  ['map m { type mark : verdict; flags interval; elements = { 1-5 : accept } }', set('m', { type: 'mark', map: 'verdict' }), [['1-5', 'accept']]],
  ['map n { type mark . ipv4_addr : verdict; flags interval; elements = { 1-5 . 10.0.0.1 : accept } }',
    set('n', { type: ['mark', 'ipv4_addr'], map: 'verdict' }), [[['1-5', '10.0.0.1'], 'accept']]],
  ['map o { type mark : mark; flags interval; elements = { 1-5 : 7 } }', set('o', { type: 'mark', map: 'mark' }), [['1-5', 7]]],
  ['map p { type mark . mark : counter; flags interval; elements = { 1-5 . 6 : "c" } }',
    set('p', { type: ['mark', 'mark'], map: { object: 'counter' } }), [[['1-5', 6], 'c']]],
]

/** `said`: with or without saying that the set is one of ranges, which the batch knows. */
const rules = (named: (name: string) => `@${string}` | { set: string, interval: boolean }): [text: string, word: Word][] => [
  ['meta mark . ip saddr @a', concat(mark, ip.saddr)(named('a'))],
  ['iifname . ip saddr @b', concat(iifname, ip.saddr)(named('b'))],
  ['meta mark @d', mark(named('d'))],
  ['meta skuid @u', meta.skuid(named('u'))],
  ['meta mark vmap @m', vmap(mark, named('m'))],
  ['meta mark . ip saddr vmap @n', vmap(concat(mark, ip.saddr), named('n'))],
  ['ct mark set meta mark map @o', ct.mark.set(map(mark, named('o')))],
]

test.each(['known', 'said'] as const)('rules look into them as nft’s do, %s', async how => {
  const words = rules(name => how === 'known' ? `@${name}` : { set: name, interval: true })
  const text = `table ip t {\n counter c { }\n${sets.map(([text]) => text).join('\n')}\nchain r {\n${words.map(([rule]) => rule).join('\n')}\n}\n}`
  const requests = [
    addTable({ family: 'ip', name: 't' }), addChain({ ...inT, name: 'r' }), ...sets.flatMap(([, set, elements]) => [addSet(set), addElements(set, elements)]),
    ...words.map(([, word]) => addRule({ ...inT, chain: 'r', expressions: [word] })),
  ]
  const sent = await straceBytes(['sh', '-c', `nft -f - <<'END'\n${text}\nEND`])
  const { messages } = expand(requests)
  const isRule = ({ type }: { type: number }): boolean => type === messageType(NFT_MSG_NEWRULE)
  // nft tells lookups the number that the set has in the batch, too.
  const loads = (bytes: Buffer): string[] => expressionBytes(bytes).split('\n').filter(line => !line.startsWith('0b0001006c6f6f6b7570'))
  const named = (all: string[][]): unknown[] => all.map((lines, index) => [words[index]?.[0], lines])
  expect(named(messages.filter(isRule).map(message => loads(encodeRequests([message])))))
    .toEqual(named(sent.filter(isRule).map(({ bytes }) => loads(bytes))))
})

test('nft lists them as they were meant', async () => {
  const host = await newHost()
  await host.firewall.commit([
    addTable({ family: 'ip', name: 't' }), addObject({ ...inT, name: 'c', type: 'counter' }), addChain({ ...inT, name: 'r' }),
    ...sets.flatMap(([, set, elements]) => [addSet(set), addElements(set, elements)]),
    ...rules(name => `@${name}`).map(([, word]) => addRule({ ...inT, chain: 'r', expressions: [word] })),
    addRule({ ...inT, chain: 'r', expressions: [counter(map(concat(mark, ct.mark), '@p'))] }),
  ])
  const listed = await run('nft', ['list', 'ruleset'], { netns: host.netnsFd })
  const theirs = await newHost()
  const more = [...rules(name => `@${name}`).map(([rule]) => rule), 'counter name meta mark . ct mark map @p']
  await run('nft', ['-f', '-'], { netns: theirs.netnsFd, input: `table ip t {\n counter c { }\n${sets.map(([text]) => text).join('\n')}\nchain r {\n${more.join('\n')}\n}\n}` })
  expect(listed).toBe(await run('nft', ['list', 'ruleset'], { netns: theirs.netnsFd }))
  const elements = async (from: typeof host): Promise<unknown> => (await from.firewall.ruleset()).sets
    .map(({ name, elements }) => [name, elements?.map(({ key, keyEnd, flags }) => JSON.stringify([key, keyEnd, flags])).sort()])
  expect(await elements(host)).toEqual(await elements(theirs))
})
