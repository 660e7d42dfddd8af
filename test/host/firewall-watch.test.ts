/** host.firewall.watch: what nft and others do to the ruleset. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import type { FirewallEvent, FirewallWatchOptions } from '../../src/host/firewall-watch.ts'
import type { Host } from '../../src/host/host.ts'
import type { Watch } from '../../src/host/watch.ts'
import { addTable } from '../../src/nftables/tables.ts'
import { inNetns, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { toolPath, toolSearchPath } from '../support/tools.ts'
import { newHost, rejection } from './support.ts'
import { patience } from '../support/patience.ts'

const { test } = needing(needs.netAdmin, needs.tool('nft'), needs.kernel('nftables'))

const nft = (host: Host, text: string): Promise<string> => run('nft', ['-f', '-'], { netns: host.netnsFd, input: text })

/** The events of one commit, and its generation. */
async function commit(watch: Watch<FirewallEvent>): Promise<FirewallEvent[]> {
  const events: FirewallEvent[] = []
  while (events.at(-1)?.type !== 'generation') {
    const result = await Promise.race([watch.next(), sleep(5000 * patience)])
    if (result?.value === undefined) throw new Error(`no generation after ${JSON.stringify(events)}`)
    events.push(result.value)
  }
  return events
}

const kinds = (events: readonly FirewallEvent[]): string[] =>
  events.map(event => ('change' in event ? `${event.change} ${event.type}` : event.type))

test('what nft makes and deletes, in its order, each commit closed by its generation', async () => {
  const host = await newHost()
  const watch = host.firewall.watch()
  await watch.ready
  await nft(host, `table ip t {
    counter hits { }
    set s { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }; }
    chain c {
      type filter hook input priority 5; policy drop;
      ip saddr @s accept comment "friends"
    }
  }`)
  const made = await commit(watch)
  expect([...new Set(kinds(made))].sort()).toEqual(['generation', 'new chain', 'new elements', 'new object', 'new rule', 'new set', 'new table'])
  expect(made).toContainEqual(expect.objectContaining({ type: 'table', table: expect.objectContaining({ family: 'ip', name: 't' }) as unknown }))
  const rule = made.find(event => event.type === 'rule')
  expect(rule?.rule).toMatchObject({ table: 't', chain: 'c', comment: 'friends' })
  // The rule as reading gives it.
  const [read] = await host.firewall.rules({ family: 'ip', table: 't' })
  expect(rule?.rule.expressions).toEqual(read?.expressions)
  const elements = made.flatMap(event => (event.type === 'elements' && event.elements.set === 's' ? event.elements.elements : []))
  const sorted = (all: typeof elements): string[] => all.map(({ key }) => Buffer.from(key?.value ?? []).toString('hex')).sort()
  expect(sorted(elements)).toEqual(sorted(await host.firewall.elements({ family: 'ip', table: 't', name: 's' })))
  expect(sorted(elements)).toEqual(['0a000001', '0a000002'])
  const first = made.at(-1)
  expect(first).toMatchObject({ type: 'generation', generation: { process: 'nft' } })

  await nft(host, 'delete rule ip t c handle ' + String(read?.handle) + '\ndelete element ip t s { 10.0.0.1 }')
  const gone = await commit(watch)
  expect(kinds(gone).sort()).toEqual(['delete elements', 'delete rule', 'generation'])
  expect(gone.find(event => event.type === 'rule')?.rule.handle).toBe(read?.handle)
  const second = gone.at(-1)
  expect(second?.type === 'generation' && first?.type === 'generation' && second.generation.id - first.generation.id).toBe(1)

  await nft(host, 'delete table ip t')
  expect(kinds(await commit(watch))).toContain('delete table')
  await watch.close()
})

test('what this process commits, and which of its threads', async () => {
  const host = await newHost()
  const watch = host.firewall.watch()
  await watch.ready
  await host.firewall.commit([addTable({ family: 'inet', name: 'own' })])
  const events = await commit(watch)
  expect(kinds(events)).toEqual(['new table', 'generation'])
  // The Host's thread.
  expect(events[1]?.type === 'generation' && readdirSync('/proc/self/task').includes(String(events[1].generation.pid))).toBe(true)
  await watch.close()
})

test('of one family, of one table', async () => {
  const host = await newHost()
  const watches = [host.firewall.watch({ family: 'ip6' }), host.firewall.watch({ table: 'b' }), host.firewall.watch({ family: 'ip', table: 'b' })]
  await Promise.all(watches.map(watch => watch.ready))
  await nft(host, 'add table ip a; add table ip b; add chain ip b c; add table ip6 b; add chain ip6 b d')
  const told = await Promise.all(watches.map(async watch => kinds(await commit(watch))))
  expect(told).toEqual([
    ['new table', 'new chain', 'generation'],
    ['new table', 'new chain', 'new table', 'new chain', 'generation'],
    ['new table', 'new chain', 'generation'],
  ])
  await Promise.all(watches.map(watch => watch.close()))
})

test('thousands of rules and elements in one commit: all, in order; a slow reader finds an overrun', async () => {
  const host = await newHost()
  await nft(host, 'add table ip t; add chain ip t c; add set ip t s { type mark; }')
  const [whole, short] = [host.firewall.watch({ limit: 100_000 }), host.firewall.watch({ limit: 10 })]
  await Promise.all([whole.ready, short.ready])
  const lines = Array.from({ length: 2000 }, (_, i) => `add rule ip t c mark ${i} counter\nadd element ip t s { ${i} }`)
  await nft(host, lines.join('\n'))
  const events = await commit(whole)
  const handles = events.flatMap(event => (event.type === 'rule' ? [event.rule.handle] : []))
  expect(handles).toEqual((await host.firewall.rules({ family: 'ip', table: 't' })).map(({ handle }) => handle))
  expect(handles).toHaveLength(2000)
  expect(events.flatMap(event => (event.type === 'elements' ? event.elements.elements : []))).toHaveLength(2000)
  const seen: FirewallEvent[] = []
  while (seen.at(-1)?.type !== 'overrun') seen.push((await short.next()).value as FirewallEvent)
  expect(seen).toHaveLength(11)
  await nft(host, 'add table ip later')
  while (!(seen.at(-1)?.type === 'table')) seen.push((await short.next()).value as FirewallEvent)
  await Promise.all([whole.close(), short.close()])
})

test('a process that stands still: the kernel drops events, which is told', async () => {
  const host = await newHost()
  const watch = host.firewall.watch({ receiveBuffer: 4096, limit: 100_000 })
  await watch.ready
  const [file = '', ...args] = inNetns(['nft', '-f', '-'], { netns: host.netnsFd })
  const rules = Array.from({ length: 8000 }, (_, i) => `add rule ip t c mark ${i} counter`)
  const input = ['add table ip t', 'add chain ip t c', ...rules].join('\n')
  expect(spawnSync(toolPath(file) ?? file, args, { input, env: { PATH: toolSearchPath } }).status).toBe(0)
  let event = (await watch.next()).value
  let before = 0
  for (; event?.type !== 'overrun'; event = (await watch.next()).value) before++
  expect(before).toBeLessThan(8000)
  await nft(host, 'add table ip later')
  while (!(event?.type === 'table' && event.table.name === 'later')) event = (await watch.next()).value
  await watch.close()
})

test.each<[unknown, string, string]>([
  [{ family: 'ipv4' }, 'family', 'did you mean "ip"'],
  [{ table: 5 }, 'table', 'name of a table'],
  [{ tables: 'x' }, 'tables', 'did you mean "table"?'],
  [{ limit: -1 }, 'options.limit', 'events'],
  [{ receiveBuffer: 'x' }, 'receiveBuffer', 'bytes'],
])('%j is refused', async (options, field, words) => {
  const host = await newHost()
  const error = await rejection((async () => { host.firewall.watch(options as FirewallWatchOptions) })())
  expect(error).toBeInstanceOf(InvalidArgumentError)
  expect(error).toMatchObject({ field })
  expect((error as Error).message).toContain(words)
})

test('it ends with the Host', async () => {
  const host = await newHost()
  const watch = host.firewall.watch()
  await watch.ready
  const waiting = watch.next()
  await host.close()
  expect(await waiting).toEqual({ done: true, value: undefined })
})
