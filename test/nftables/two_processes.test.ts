/** Processes that change the same ruleset at once: nothing is lost, and what another one owns stays as it is. */
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'
import { addChain, addRule, addTable, drop } from '../../src/nftables/index.ts'
import { newHost, rejection } from '../host/support.ts'
import { answerOf, startChild } from '../kernel/lab.ts'
import { netnsFile, nftJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

const { test } = needing(needs.kernel('nftables'))

/** In a child: the words of nftables, from the same build as `virbr`. */
const vocabulary = `const nft = await import(${JSON.stringify(new URL('../../dist/src/nftables/index.js', import.meta.url).href)})
  const host = await virbr.Host.open({ netns: args.netns })`

const ROUNDS = 25
/** One process may be done before the other has started: each goes on until they have met, for so many rounds at most. */
const MOST = 2000

test('updates of two processes and changes of nft are all there at the end', async () => {
  const host = await newHost()
  const shared = { family: 'ip', table: 'shared' } as const
  await host.firewall.commit([
    addTable({ family: 'ip', name: 'shared' }), addChain({ ...shared, name: 'c' }), addRule({ ...shared, chain: 'c', comment: '0', expressions: [drop()] }),
  ])
  // Each update reads a number and writes the next: one that was built from an old read would lose another.
  const children = [0, 1].map(() => startChild(`${vocabulary}
    let [builds, rounds] = [0, 0]
    for (; rounds < ${ROUNDS} || (builds === rounds && rounds < ${MOST}); rounds++) {
      await host.firewall.update(async firewall => {
        builds++
        const [rule] = await firewall.rules({ family: 'ip', table: 'shared', chain: 'c' })
        return [nft.replaceRule({ ...rule, userdata: undefined, comment: String(Number(rule.comment) + 1), expressions: [nft.drop()] })]
      })
    }
    await host.close()
    console.log(JSON.stringify([builds, rounds]))`, { netns: netnsFile(host.netnsFd) }))
  const answers = Promise.all(children.map(answerOf))
  const script = Array.from({ length: ROUNDS }, (_, number) => `nft add table ip beside${number}`).join('\n')
  await run('sh', ['-ec', script], { netns: host.netnsFd })
  const [[builds = 0, rounds = 0] = [], [otherBuilds = 0, otherRounds = 0] = []] = (await answers).map(text => JSON.parse(text) as number[])
  const rules = await host.firewall.rules(shared)
  expect(rules.map(({ comment }) => comment)).toEqual([String(rounds + otherRounds)])
  expect((await nftJson(host.netnsFd, 'list', 'tables')).length).toBe(ROUNDS + 1)
  // They met: some were built again.
  expect(builds + otherBuilds).toBeGreaterThan(rounds + otherRounds)
}, 60_000)

test('a table that another process owns is refused by name, and nothing of the batch is committed', async () => {
  const host = await newHost()
  const owner = startChild(`${vocabulary}
    const mine = { family: 'ip', table: 'mine' }
    await host.firewall.own({ family: 'ip', name: 'mine' }, [nft.addChain({ ...mine, name: 'c' })])
    console.log('ready')
    setInterval(() => {}, 1000)`, { netns: netnsFile(host.netnsFd) })
  onTestFinished(() => { owner.kill('SIGKILL') })
  await once(owner.stdout as NodeJS.EventEmitter, 'data')

  const mine = { family: 'ip', table: 'mine' } as const
  const requests = [addTable({ family: 'ip', name: 'beside' }), addRule({ ...mine, chain: 'c', expressions: [drop()] })]
  expect(await rejection(host.firewall.commit(requests))).toMatchObject({
    code: 'ERR_NO_PERMISSION', errnoName: 'EPERM', statement: 1, operation: 'add rule ip mine c',
  })
  expect(await rejection(host.firewall.own({ family: 'ip', name: 'mine' }))).toMatchObject({ code: 'ERR_NO_PERMISSION', errnoName: 'EPERM' })
  expect((await host.firewall.tables()).map(({ name }) => name)).toEqual(['mine'])
  expect(await host.firewall.rules(mine)).toEqual([])

  owner.kill('SIGKILL')
  await once(owner, 'close')
  await expect.poll(async () => (await host.firewall.tables()).length).toBe(0)
  await host.firewall.commit([addTable({ family: 'ip', name: 'mine' })])
})

const legacy = needing(needs.kernel('iptablesNft'), needs.tool('iptables-legacy'), needs.kernel('iptablesLegacy'))
legacy.test('legacy tables are found and named, also beside a change', async () => {
  const host = await newHost()
  expect(await host.iptables.legacyTables()).toEqual([])
  await run('iptables-legacy', ['-t', 'mangle', '-A', 'INPUT', '-j', 'ACCEPT'], { netns: host.netnsFd })
  expect(await host.iptables.legacyTables()).toEqual(['mangle'])
  expect(await host.iptables.legacyTables({ family: 'ip6' })).toEqual([])
  expect(await host.iptables.append('INPUT', '-s 10.0.0.1 -j DROP')).toEqual({ legacyTables: ['mangle'] })
  expect(await host.iptables.listRules({ table: 'filter' })).toContain('-A INPUT -s 10.0.0.1/32 -j DROP')
})
