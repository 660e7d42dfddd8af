/** The executor that all calls with many items stand on, by routes: they need no link but lo. */
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import type { InvalidArgumentError } from '../../src/errors.ts'
import { BulkError } from '../../src/errors.ts'
import { changeMany } from '../../src/host/bulk.ts'
import type { BulkOptions } from '../../src/host/bulk.ts'
import { Channel } from '../../src/host/channel.ts'
import { openNative } from '../../src/host/netns.ts'
import { setLink } from '../../src/rtnetlink/links.ts'
import { listRoutes } from '../../src/rtnetlink/route-lists.ts'
import { deleteRoute, newRoute } from '../../src/rtnetlink/routes.ts'
import { ipJson } from '../support/lab.ts'
import { rejection } from './support.ts'

async function openChannel(): Promise<Channel> {
  const channel = new Channel(await openNative({ create: true }))
  onTestFinished(() => channel.close())
  await channel.request(setLink('lo', { up: true }))
  return channel
}

interface Item { to: string, metric?: number }

const destinations = (count: number): Item[] =>
  Array.from({ length: count }, (_, i) => ({ to: `10.${i >> 16}.${i >> 8 & 255}.${i & 255}/32` }))

const addMany = (channel: Channel, items: Item[], options: BulkOptions = {}) => changeMany(channel, {
  list: 'routes', items,
  request: item => newRoute({ ...item, index: 1 }),
  undo: item => deleteRoute({ ...item, index: 1 }),
}, { atomic: true, ...options })

const count = async (channel: Channel): Promise<number> => (await ipJson(channel.native.netnsFd, '-4', 'route')).length

test.each([0, 1, 500, 501, 1700])('%i items', async total => {
  const channel = await openChannel()
  await addMany(channel, destinations(total))
  expect(await count(channel)).toBe(total)
})

test.each([0, 499, 500, 1100])('an atomic call that fails at item %i leaves nothing, and what was there before', async at => {
  const channel = await openChannel()
  const items = destinations(1200)
  await channel.request([newRoute({ to: items[at]?.to ?? '', index: 1 })])
  const error = await rejection(addMany(channel, items)) as BulkError
  expect(error).toBeInstanceOf(BulkError)
  expect(error).toMatchObject({ code: 'ERR_BULK', done: [], failures: [{ index: at, item: items[at] }] })
  expect(error.failures[0]?.error).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'EEXIST' })
  expect(error.message).toMatch(new RegExp(`^1 of 1200 routes failed, nothing is done; routes\\[${at}\\]: .*EEXIST`))
  expect(await ipJson(channel.native.netnsFd, '-4', 'route')).toMatchObject([{ dst: items[at]?.to.replace('/32', '') }])
})

test('otherwise each item stands for itself, and has its own error', async () => {
  const channel = await openChannel()
  const items = [...destinations(3), { to: '10.0.0.1/32' }, { to: '10.9.0.0/16', metric: 3 }, { to: '10.0.0.2/32' }]
  const error = await rejection(addMany(channel, items, { atomic: false })) as BulkError
  expect(error.failures.map(({ index, error: { message } }) => [index, message.includes('EEXIST')])).toEqual([[3, true], [5, true]])
  expect(error.done).toEqual([0, 1, 2, 4])
  expect(error.message).toMatch(/^2 of 6 routes failed, the others are done; routes\[3\]: /)
  // Printed it names the first, which is its cause, and not all of them.
  expect(inspect(error)).not.toContain('routes[5]')
  expect(inspect(error)).not.toContain('failures')
  expect(await count(channel)).toBe(4)
})

test('an item of several requests is done or not done', async () => {
  const channel = await openChannel()
  // The second route of item 1 is there already, and the first of item 2.
  const items = ['10.1.0.0', '10.2.0.0', '10.3.0.0']
  await channel.request([newRoute({ to: '10.2.0.1/32', index: 1 }), newRoute({ to: '10.3.0.0/32', index: 1 })])
  const both = (item: string, make: typeof deleteRoute) =>
    [make({ to: `${item}/32`, index: 1, metric: 5 }), make({ to: `${item.slice(0, -1)}1/32`, index: 1 })]
  const error = await rejection(changeMany(channel, {
    list: 'pairs', items,
    request: item => both(item, route => newRoute(route)),
    undo: item => item === '10.2.0.0' ? [both(item, deleteRoute)[0] as never] : both(item, deleteRoute),
  }, {})) as BulkError
  expect(error.failures.map(({ index }) => index)).toEqual([1])
  expect(error.done).toEqual([0, 2])
  expect((await ipJson(channel.native.netnsFd, '-4', 'route')).map(({ dst }) => dst).sort())
    .toEqual(['10.1.0.0', '10.1.0.1', '10.2.0.1', '10.3.0.0', '10.3.0.0', '10.3.0.1'])
})

test('a bad item is refused with its place while nothing has been sent', async () => {
  const channel = await openChannel()
  const items = destinations(2000)
  items[1999] = { to: '10.0.0.0/33' }
  const error = await rejection(addMany(channel, items)) as InvalidArgumentError
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'routes[1999].to', value: '10.0.0.0/33' })
  await expect(addMany(channel, [{ to: 'default', metrik: 1 } as Item])).rejects.toThrow(/^routes\[0\]\.metrik: .*did you mean "metric"/)
  await expect(addMany(channel, 'x' as never)).rejects.toThrow(/^routes: expected an array/)
  await expect(addMany(channel, [], { atomik: true } as never)).rejects.toThrow(/^atomik: .*did you mean "atomic"/)
  await expect(addMany(channel, [], { atomic: 1 as never })).rejects.toThrow(/^atomic: expected true or false/)
  await expect(addMany(channel, [], { signal: {} as never })).rejects.toThrow(/^signal: expected an AbortSignal/)
  expect(await count(channel)).toBe(0)
})

test.each([true, false])('a signal ends it between chunks (atomic: %s)', async atomic => {
  const channel = await openChannel()
  const abort = new AbortController()
  const adding = addMany(channel, destinations(20_000), { atomic, signal: abort.signal })
  const gone = expect(adding).rejects.toThrow('enough')
  // As soon as there is a route.
  for (;;) {
    const [routes] = await channel.request([listRoutes({})])
    if (routes !== undefined && routes.length > 0) break
  }
  abort.abort(new Error('enough'))
  await gone
  const left = await count(channel)
  if (atomic) expect(left).toBe(0)
  else expect(left > 0 && left < 20_000 && left % 500 === 0, String(left)).toBe(true)
  await expect(addMany(channel, [], { signal: abort.signal })).rejects.toThrow('enough')
})

test('other requests of the same Host get in between', async () => {
  const channel = await openChannel()
  let [done, between] = [false, 0]
  const adding = addMany(channel, destinations(10_000)).then(() => { done = true })
  for (;;) {
    await channel.request(setLink('lo', { mtu: 60_000 + between }))
    if (done) break
    between++
  }
  await adding
  expect(between).toBeGreaterThan(5)
})

test('close waits for it', async () => {
  const channel = await openChannel()
  const adding = addMany(channel, destinations(3000))
  let added = false
  void adding.then(() => { added = true })
  await channel.close()
  expect(added).toBe(true)
  await expect(addMany(channel, destinations(1))).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})
