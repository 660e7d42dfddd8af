/** host.watch: what is there, what changes, what is lost; replayed, it must give what ip shows. */
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import { ClosedError, InvalidArgumentError } from '../../src/errors.ts'
import { Host } from '../../src/host/host.ts'
import { netns } from '../../src/host/netns.ts'
import type { Watch, WatchEvent, WatchOptions, WatchTargets } from '../../src/host/watch.ts'
import { answerOf, startChild } from '../kernel/lab.ts'
import { inNetns, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { toolPath, toolSearchPath } from '../support/tools.ts'
import { newHost, rejection } from './support.ts'
import { Model, shownByIp } from './watch_model.ts'
import { patience } from '../support/patience.ts'

const { test } = needing(needs.netAdmin, needs.kernel('bridge'), needs.kernel('veth'))
const policy = needing(needs.netAdmin, needs.kernel('bridge'), needs.kernel('policyRouting'))

const batch = (host: Host, lines: readonly string[]): Promise<string> =>
  run('ip', ['-force', '-batch', '-'], { netns: host.netnsFd, input: lines.join('\n'), timeoutMs: 60_000 * patience }).catch(String)

/** The next events, which must come within some seconds. */
async function take(watch: Watch, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = []
  while (events.length < count) {
    const result = await Promise.race([watch.next(), sleep(5000 * patience)])
    if (result?.value === undefined) throw new Error(`only ${events.length} of ${count} events: ${JSON.stringify(events)}`)
    events.push(result.value)
  }
  return events
}

async function untilReady(watch: Watch): Promise<WatchEvent[]> {
  const events: WatchEvent[] = []
  while (events.at(-1)?.type !== 'ready') events.push(...await take(watch, 1))
  return events.slice(0, -1)
}

/** `TYPE CHANGE NAME`; only of links. */
const told = (events: readonly WatchEvent[]): string[] =>
  events.map(event => (event.type === 'link' ? `${event.change} ${event.link.name}` : event.type))

async function expectNothing(watch: Watch): Promise<void> {
  const waiting = watch.next()
  expect(await Promise.race([waiting, sleep(50)])).toBeUndefined()
  await watch.close()
  expect(await waiting).toEqual({ done: true, value: undefined })
}

/** A generator of numbers that gives the same ones each time. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor(state / 65536) % below
  }
}

/** Changes of all kinds, many of them of the same few objects. */
function disorder(seed: number, count: number): string[] {
  const next = random(seed)
  const lines: (() => string)[] = [
    () => `address replace 10.${next(4)}.${next(4)}.1/24 dev br${next(3)}`,
    () => `address del 10.${next(4)}.${next(4)}.1/24 dev br${next(3)}`,
    // Not nodad: those the kernel tells of later, when a worker of its own has the time.
    () => `address add 2001:db8:${next(9)}::1/64 dev br${next(3)}`,
    () => `address del 2001:db8:${next(9)}::1/64 dev br${next(3)}`,
    () => `route add 172.16.${next(20)}.0/24 dev br${next(3)} table 100 metric ${next(2)}`,
    () => `route replace 172.16.${next(20)}.0/24 dev br${next(3)} table 100 metric ${next(2)}`,
    () => `route del 172.16.${next(20)}.0/24 table 100 metric ${next(2)}`,
    () => `route replace 2001:db8:f${next(9)}::/48 dev br${next(3)} table 100 metric 7`,
    () => `route del 2001:db8:f${next(9)}::/48 table 100`,
    () => `link set br${next(3)} mtu ${1400 + next(90)}`,
    () => `link set v${next(6)} mtu ${1300 + next(90)}`,
    // These wait for other processors: fewer of them.
    () => (next(8) === 0 ? `link set v${next(6)} master br${next(3)}` : `link set v${next(6)} mtu ${1300 + next(90)}`),
    () => (next(8) === 0 ? `link set v${next(6)} nomaster` : `link set br${next(3)} mtu ${1400 + next(90)}`),
    () => (next(8) === 0 ? `link set v${next(6)} up` : `link set br${next(3)} txqueuelen ${next(1000)}`),
    () => (next(8) === 0 ? `link set v${next(6)} down` : `link set br${next(3)} txqueuelen ${next(1000)}`),
    () => (next(8) === 0 ? `link add t${next(4)} type bridge` : `link set br${next(3)} txqueuelen ${next(1000)}`),
    () => (next(8) === 0 ? `link del t${next(4)}` : `link set br${next(3)} txqueuelen ${next(1000)}`),
  ]
  return Array.from({ length: count }, () => lines[next(lines.length)]?.() ?? '')
}

async function newLab(): Promise<Host> {
  const host = await newHost()
  for (const i of [0, 1, 2]) await host.links.create({ name: `br${i}`, kind: 'bridge', up: true })
  for (const i of [0, 2, 4]) await host.links.create({ name: `v${i}`, kind: 'veth', veth: { peer: { name: `v${i + 1}` } } })
  return host
}

const everything: WatchTargets = { links: true, addresses: true, routes: { table: 100 } }

test('what is there comes first, as ip shows it', async () => {
  const host = await newLab()
  await batch(host, disorder(1, 300))
  const watch = host.watch(everything)
  const model = new Model()
  await model.read(watch, () => model.ready)
  expect(model.sorted()).toEqual(await shownByIp(host.netnsFd))
  expect(model.routes.size).toBeGreaterThan(3)
  await watch.close()
})

test('thousands of changes by two other processes, from any moment on: replayed, they give what ip shows', { timeout: 60_000 * patience }, async () => {
  const host = await newLab()
  const changes = Promise.all([batch(host, disorder(2, 2000)), batch(host, disorder(3, 2000))])
  const readers: { model: Model, watch: Watch, read: Promise<void> }[] = []
  let made = false
  void changes.then(async () => {
    await run('ip', ['link', 'add', 'last', 'type', 'bridge'], { netns: host.netnsFd })
    made = true
  })
  while (!made) {
    const watch = host.watch(everything, { limit: 100_000 })
    const model = new Model()
    const read = model.read(watch, () => model.ready && [...model.links.values()].some(link => link.startsWith('last ')))
    readers.push({ model, watch, read })
    await sleep(50)
    if (readers.length > 12) await changes
  }
  const shown = await shownByIp(host.netnsFd)
  for (const { model, watch, read } of readers) {
    await read
    expect(model.sorted()).toEqual(shown)
    expect(model.overruns).toBe(0)
    await watch.close()
  }
  expect(readers.length).toBeGreaterThan(3)
})

const last = (model: Model) => (): boolean => model.ready && [...model.links.values()].some(link => link.startsWith('last '))

test('a reader that is too slow: an overrun where events are missing, then what is there by then', { timeout: 60_000 * patience }, async () => {
  const host = await newLab()
  const watch = host.watch(everything, { limit: 10 })
  const model = new Model()
  await model.read(watch, () => model.ready)
  await batch(host, disorder(4, 500))
  const events = await take(watch, 11)
  expect(events.slice(0, 10).every(({ type }) => type !== 'overrun')).toBe(true)
  expect(events[10]).toMatchObject({ type: 'overrun', lost: expect.any(Number) as number })
  expect((events[10] as { lost: number }).lost).toBeGreaterThan(0)
  for (const event of events) model.apply(event)
  await model.read(watch, () => model.ready)
  expect(model.sorted()).toEqual(await shownByIp(host.netnsFd))
  // Read slowly while things change: overrun upon overrun.
  const changes = batch(host, disorder(5, 1000)).then(() => batch(host, ['link add last type bridge']))
  await model.read(watch, last(model), () => sleep(Math.random() < 0.05 ? 5 : 0))
  await changes
  expect(model.sorted()).toEqual(await shownByIp(host.netnsFd))
  expect(model.overruns).toBeGreaterThan(1)
  await watch.close()
})

test('a process that is too slow: the kernel drops events, which is told, and what is there follows', { timeout: 60_000 * patience }, async () => {
  const host = await newLab()
  const watch = host.watch(everything, { receiveBuffer: 4096 })
  const model = new Model()
  await model.read(watch, () => model.ready)
  // The JavaScript thread stands still meanwhile.
  const [file = '', ...args] = inNetns(['ip', '-force', '-batch', '-'], { netns: host.netnsFd })
  const lines = [...disorder(6, 1500), 'link add last type bridge']
  spawnSync(toolPath(file) ?? file, args, { input: lines.join('\n'), env: { PATH: toolSearchPath } })
  await model.read(watch, last(model))
  expect(model.sorted()).toEqual(await shownByIp(host.netnsFd))
  expect(model.overruns).toBeGreaterThan(0)
  await watch.close()
})

test('without a snapshot: changes only, and after an overrun what comes later', async () => {
  const host = await newLab()
  const watch = host.watch({ links: true }, { snapshot: false, limit: 3 })
  await watch.ready
  await batch(host, ['link set br0 mtu 1400'])
  expect(await take(watch, 1)).toMatchObject([{ type: 'link', change: 'new', link: { name: 'br0', mtu: 1400 } }])
  await batch(host, Array.from({ length: 20 }, (_, i) => `link set br1 mtu ${1300 + i}`))
  await expect.poll(async () => (await take(watch, 1))[0]?.type).toBe('overrun')
  await batch(host, ['link set br2 mtu 1234'])
  for (;;) {
    const [event] = await take(watch, 1)
    if (event?.type === 'link' && event.link.mtu === 1234) break
    // What was left of the twenty has filled the queue once more, and this may be lost with it.
    if (event?.type === 'overrun') await batch(host, ['link set br2 mtu 1233', 'link set br2 mtu 1234'])
  }
  await watch.close()
})

test('what happens once it is ready is a change, however late the events of before come', async () => {
  const host = await newHost()
  for (let i = 0; i < 20; i++) {
    const watch = host.watch({ links: true })
    await watch.ready
    const made = host.links.create({ name: `br${i}`, kind: 'bridge' })
    const stop = performance.now() + 3
    while (performance.now() < stop);
    await made
    const events = await untilReady(watch)
    expect(told(events)).not.toContain(`present br${i}`)
    await watch.close()
  }
})

test('a filter for a link by name: before it is there, renamed away, deleted', async () => {
  const host = await newHost()
  const watch = host.watch({ links: { link: 'vnet7' } })
  expect(await untilReady(watch)).toEqual([])
  await batch(host, ['link add other type bridge', 'link add vnet7 type bridge'])
  expect(told(await take(watch, 1))).toEqual(['new vnet7'])
  await batch(host, ['link set vnet7 name away', 'link set away mtu 1300'])
  let events = await take(watch, 1)
  while (told(events).at(-1) !== 'new away') events = await take(watch, 1)
  await batch(host, ['link set other name vnet7', 'link del vnet7', 'link del away'])
  events = []
  while (told(events).at(-1) !== 'delete vnet7') events.push(...await take(watch, 1))
  expect(told(events).every(text => /^(new|delete) vnet7$/.test(text))).toBe(true)
  await expectNothing(watch)
})

test('a filter for links of a kind or a master: one that leaves is told once more', async () => {
  const host = await newLab()
  await host.links.set('v0', { master: 'br0' })
  const watch = host.watch({ links: { master: 'br0', kind: 'veth' } })
  expect(told(await untilReady(watch))).toEqual(['present v0'])
  await batch(host, ['link set v2 master br0', 'link set v4 master br1', 'link set v2 nomaster', 'link set v2 mtu 1301', 'link set v0 mtu 1302'])
  const events: WatchEvent[] = []
  while (!events.some(event => event.type === 'link' && event.link.mtu === 1302)) events.push(...await take(watch, 1))
  expect(told(events)).toContain('new v2')
  expect(told(events)).not.toContain('new v4')
  expect(events.some(event => event.type === 'link' && event.link.mtu === 1301)).toBe(false)
  await watch.close()
})

test('filters for addresses and routes', async () => {
  const host = await newLab()
  const watch = host.watch({ addresses: { link: 'br1', family: 4 }, routes: { link: 'br1', family: 4 } })
  expect(await untilReady(watch)).toEqual([])
  await batch(host, [
    'address add 10.0.0.1/24 dev br0', 'address add 2001:db8::1/64 dev br1', 'address add 10.0.1.1/24 dev br1',
    'route add 10.9.0.0/16 via 10.0.0.2', 'route add 10.8.0.0/16 via 10.0.1.2', 'route replace 10.8.0.0/16 via 10.0.1.3',
    'address del 10.0.1.1/24 dev br1',
  ])
  const events = await take(watch, 6)
  expect(events.map(event => (event.type === 'address' ? `${event.change} ${event.address.address}`
    : event.type === 'route' ? `${event.change} ${event.route.to} ${event.route.via ?? ''}` : event.type))).toEqual([
    'new 10.0.1.1/24', 'new 10.0.1.0/24 ', 'new 10.8.0.0/16 10.0.1.2', 'replace 10.8.0.0/16 10.0.1.3',
    ...events.slice(4).map(event => (event.type === 'address' ? 'delete 10.0.1.1/24' : 'delete 10.0.1.0/24 ')),
  ])
  await watch.close()
})

test('ports of bridges: options, state, and that they leave; a bridge that lets go is no link that is gone', async () => {
  const host = await newLab()
  await batch(host, ['link set v0 master br0', 'link set v0 up', 'link set v1 up'])
  const watch = host.watch({ bridgePorts: true, links: { link: 'v0' } })
  const { index } = await host.links.get('v0')
  const bridge = await host.links.get('br0')
  expect(await untilReady(watch)).toMatchObject([
    { type: 'link', change: 'present' },
    { type: 'bridgePort', change: 'present', bridgePort: { index, name: 'v0', master: bridge.index, port: { state: 'forwarding' } } },
  ])
  await run('bridge', ['link', 'set', 'dev', 'v0', 'isolated', 'on', 'cost', '77'], { netns: host.netnsFd })
  const isolated = (event: WatchEvent | undefined): boolean =>
    event?.type === 'bridgePort' && event.bridgePort.port.isolated === true && event.bridgePort.port.cost === 77
  let [event] = await take(watch, 1)
  while (!isolated(event)) [event] = await take(watch, 1)
  await batch(host, ['link set v0 nomaster'])
  while (!(event?.type === 'bridgePort' && event.change === 'delete')) {
    if (event?.type === 'link') expect(event.change).not.toBe('delete')
    ;[event] = await take(watch, 1)
  }
  expect(event.bridgePort).toMatchObject({ index, master: bridge.index, name: 'v0', port: {} })
  await watch.close()
})

test('events of other namespaces are not told; a namespace whose name is taken away goes on', async () => {
  const [host, other] = [await newHost(), await newHost()]
  await netns.add('watched')
  await using named = await Host.open({ netns: 'watched' })
  const [watch, namedWatch] = [host.watch({ links: true }), named.watch({ links: true })]
  await untilReady(watch)
  await untilReady(namedWatch)
  await netns.delete('watched')
  await other.links.create({ name: 'br0', kind: 'bridge' })
  await named.links.create({ name: 'br1', kind: 'bridge' })
  expect(told(await take(namedWatch, 1))).toEqual(['new br1'])
  await expectNothing(watch)
})

test.each<[unknown, unknown, string, string]>([
  [{}, {}, 'what', 'at least one of'],
  [undefined, {}, 'what to watch', 'what to watch'],
  [{ links: false }, {}, 'what', 'at least one of'],
  [{ link: true }, {}, 'link', 'did you mean "links"?'],
  [{ links: 1 }, {}, 'filter of links', 'a filter of links'],
  [{ links: { lnk: 'br0' } }, {}, 'lnk', 'did you mean "link"?'],
  [{ links: { link: 0 } }, {}, 'links.link', 'index'],
  [{ links: { link: 'a/b' } }, {}, 'links.link', 'name'],
  [{ links: { kind: 5 } }, {}, 'links.kind', 'kind'],
  [{ links: { family: 4 } }, {}, 'family', 'only the fields link, kind, master'],
  [{ addresses: { family: 5 } }, {}, 'family', '4 or 6'],
  [{ routes: { table: 'mian' } }, {}, 'table', 'main'],
  [{ routes: { table: 0 } }, {}, 'table', 'main'],
  [{ links: true }, { snapshot: 1 }, 'snapshot', 'true or false'],
  [{ links: true }, { limit: 0 }, 'options.limit', '1 to 1000000 events'],
  [{ links: true }, { signal: 5 }, 'options.signal', 'an AbortSignal'],
  [{ links: true }, { receiveBuffer: 1 }, 'receiveBuffer', 'bytes'],
  [{ links: true }, { snapshots: true }, 'snapshots', 'did you mean "snapshot"?'],
])('%j with %j is refused', async (what, options, field, words) => {
  const host = await newHost()
  const error = await rejection((async () => { host.watch(what as WatchTargets, options as WatchOptions) })())
  expect(error).toBeInstanceOf(InvalidArgumentError)
  expect(error).toMatchObject({ field })
  expect((error as Error).message).toContain(words)
})

test('a filter with a link that does not exist: ready and the reader are told', async () => {
  const host = await newHost()
  const watch = host.watch({ addresses: { link: 'nosuch' } })
  await expect(watch.ready).rejects.toMatchObject({ code: 'ERR_NO_LINK' })
  await expect(watch.next()).rejects.toMatchObject({ code: 'ERR_NO_LINK' })
  expect(await watch.next()).toEqual({ done: true, value: undefined })
})

test('the signal: its reason, at once, whatever is under way', async () => {
  const host = await newHost()
  const reason = new Error('enough')
  const controller = new AbortController()
  const { signal } = controller
  const [watch, early] = [host.watch({ links: true }, { signal }), host.watch({ links: true }, { signal })]
  await untilReady(watch)
  const waiting = watch.next()
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(early.next()).rejects.toBe(reason)
  await expect(host.watch({ links: true }, { signal }).next()).rejects.toBe(reason)
  await expect.poll(() => loadAddon().stats().watches).toBe(0)
})

test('the Host ends its watches; break and await using end them too', async () => {
  const host = await newHost()
  const [opening, waited] = [host.watch({ links: true }), host.watch({ links: true })]
  await untilReady(waited)
  const waiting = waited.next()
  for await (const event of host.watch({ links: true })) {
    expect(event.type).toBe('link')
    break
  }
  {
    await using watch = host.watch({ links: true })
    await watch.ready
  }
  expect(loadAddon().stats().watches).toBeLessThanOrEqual(2)
  const late = host.watch({ links: true })
  const closing = host.close()
  expect(await waiting).toEqual({ done: true, value: undefined })
  await opening.next()
  expect(await late.next()).toEqual({ done: true, value: undefined })
  await closing
  await expect(host.watch({ links: true }).next()).rejects.toBeInstanceOf(ClosedError)
  expect(loadAddon().stats().watches).toBe(0)
})

test('a watch nobody awaits keeps no process alive, and one that is forgotten is collected', async () => {
  const script = `
    const host = await virbr.Host.open({ netns: { create: true } })
    const { loadAddon } = await import(new URL('../binding/index.js', args.built))
    const forget = async () => {
      for (let i = 0; i < 20; i++) await host.watch({ links: true }).ready
    }
    await forget()
    const kept = host.watch({ links: true })
    const reader = (async () => { for await (const event of kept) if (event.type === 'link' && event.link.name === 'br0') return 'br0' })()
    for (let i = 0; i < 200 && loadAddon().stats().watches > 1; i++) { gc(); await new Promise(resolve => setTimeout(resolve, 10)) }
    const left = loadAddon().stats().watches
    await host.links.create({ name: 'br0', kind: 'bridge' })
    console.log(left, await reader)
    const idle = host.watch({ links: true })
    await idle.ready`
  const child = startChild(script.replace('args.built', JSON.stringify(new URL('../../dist/src/', import.meta.url).href)), {}, [], ['--expose-gc'])
  expect(await answerOf(child)).toBe('1 br0')
  expect(child.exitCode).toBe(0)
})

test('neighbours, and entries of forwarding databases', async () => {
  const host = await newLab()
  await batch(host, ['link set v0 master br0', 'address add 10.0.0.1/24 dev br0', 'neigh add 10.0.0.9 lladdr 52:54:00:00:00:09 dev br0'])
  const watch = host.watch({ neighbors: { family: 4 }, fdb: { master: 'br0' } })
  const there = await untilReady(watch)
  expect(there).toContainEqual(expect.objectContaining({
    change: 'present', neighbor: expect.objectContaining({ ip: '10.0.0.9', lladdr: '52:54:00:00:00:09', state: 'permanent' }) as unknown,
  }))
  expect(there.some(event => event.type === 'fdb')).toBe(true)
  await run('bridge', ['fdb', 'add', '52:54:00:00:00:77', 'dev', 'v0', 'master', 'static'], { netns: host.netnsFd })
  await run('bridge', ['fdb', 'del', '52:54:00:00:00:77', 'dev', 'v0', 'master'], { netns: host.netnsFd })
  await batch(host, ['neigh del 10.0.0.9 dev br0'])
  const events: WatchEvent[] = []
  while (!events.some(event => event.type === 'neighbor' && event.change === 'delete')) events.push(...await take(watch, 1))
  // With VLANs the kernel makes one entry more for each VLAN of the port.
  const fdb = events.flatMap(event => (event.type === 'fdb' && event.fdb.vlan === undefined ? [`${event.change} ${event.fdb.mac} ${event.fdb.state}`] : []))
  expect(fdb).toEqual(['new 52:54:00:00:00:77 static', 'delete 52:54:00:00:00:77 static'])
  await watch.close()
})

policy.test('rules, and nexthop objects', async () => {
  const host = await newLab()
  await batch(host, ['link set lo up', 'nexthop add id 5 dev lo'])
  const watch = host.watch({ rules: { family: 4 }, nexthops: true })
  const there = await untilReady(watch)
  expect(there.flatMap(event => (event.type === 'rule' ? [event.rule.priority] : [])).sort()).toEqual([0, 32766, 32767])
  expect(there).toContainEqual(expect.objectContaining({ change: 'present', nexthop: expect.objectContaining({ id: 5, index: 1 }) as unknown }))
  await batch(host, [
    'rule add from 10.9.0.0/16 table 77 priority 500', 'rule del priority 500', '-6 rule add from all table 5 priority 9',
    'nexthop replace id 5 blackhole', 'nexthop del id 5',
  ])
  const events: WatchEvent[] = []
  while (!events.some(event => event.type === 'nexthop' && event.change === 'delete')) events.push(...await take(watch, 1))
  expect(events.map(event => (event.type === 'rule' ? `${event.change} rule ${event.rule.from} ${String(event.rule.table)}`
    : event.type === 'nexthop' ? `${event.change} nexthop ${event.nexthop.blackhole}` : event.type))).toEqual([
    'new rule 10.9.0.0/16 77', 'delete rule 10.9.0.0/16 77', 'replace nexthop true', 'delete nexthop true',
  ])
  await watch.close()
})
