/** The queue between a source of events and their reader. */
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { EventQueue } from '../../src/events.ts'

const drain = async <T>(queue: AsyncIterable<T>): Promise<T[]> => {
  const events: T[] = []
  for await (const event of queue) events.push(event)
  return events
}

describe('events', () => {
  test('are read in the order of their coming, before or after they were asked for', async () => {
    const queue = new EventQueue<number>()
    queue.push(1)
    const [first, second, third] = [queue.next(), queue.next(), queue.next()]
    queue.push(2)
    queue.push(3)
    expect(await Promise.all([first, second, third])).toEqual([1, 2, 3].map(value => ({ done: false, value })))
  })

  test('beyond the limit are counted where they are missing', async () => {
    const queue = new EventQueue<number>({ limit: 2 })
    for (const event of [1, 2, 3, 4, 5]) queue.push(event)
    expect(await queue.next()).toEqual({ done: false, value: 1 })
    queue.push(6)
    expect(await queue.next()).toEqual({ done: false, value: 2 })
    queue.push(7)
    queue.fail(new Error('over'))
    expect(await queue.next()).toEqual({ done: false, value: { type: 'overrun', lost: 4 } })
    expect(await queue.next()).toEqual({ done: false, value: 7 })
    await expect(queue.next()).rejects.toThrow('over')
  })

  test('are as many as a limit of a million lets in, and read without the cost growing with their number', async () => {
    const queue = new EventQueue<number>({ limit: 1_000_000 })
    for (let event = 0; event <= 1_000_000; event++) queue.push(event)
    const began = Date.now()
    let inOrder = 0
    for (let event = 0; event < 1_000_000; event++) if ((await queue.next()).value === event) inOrder++
    expect(inOrder).toBe(1_000_000)
    expect(await queue.next()).toEqual({ done: false, value: { type: 'overrun', lost: 1 } })
    // 0.2 s; minutes, if each read moved all the others.
    expect(Date.now() - began).toBeLessThan(10_000)
  })
})

describe('the end', () => {
  test.each(['close', 'return'] as const)('by %s: what waits is dropped, readers are told, later events have no effect', async how => {
    const queue = new EventQueue<number>()
    const waiting = [queue.next(), queue.next()]
    await queue[how]()
    queue.push(1)
    const done = { done: true, value: undefined }
    expect(await Promise.all([...waiting, queue.next()])).toEqual([done, done, done])
    const full = new EventQueue<number>()
    full.push(1)
    await full[how]()
    expect(await full.next()).toEqual(done)
  })

  test('by break of a loop', async () => {
    const onEnd = vi.fn()
    const queue = new EventQueue<number>({}, { onEnd })
    queue.push(1)
    for await (const event of queue) {
      expect(event).toBe(1)
      break
    }
    expect(onEnd).toHaveBeenCalledOnce()
    expect(queue.closed).toBe(true)
  })

  test('by await using', async () => {
    const onEnd = vi.fn()
    {
      await using queue = new EventQueue<number>({}, { onEnd })
      queue.push(1)
    }
    expect(onEnd).toHaveBeenCalledOnce()
  })

  test('by an error: what waits is read first, the error once', async () => {
    const queue = new EventQueue<number>()
    queue.push(1)
    queue.fail(new Error('lost'))
    queue.fail(new Error('lost again'))
    expect(await queue.next()).toEqual({ done: false, value: 1 })
    await expect(queue.next()).rejects.toThrow(/^lost$/)
    expect(await queue.next()).toEqual({ done: true, value: undefined })
  })

  test('by an error goes to the first of those who wait', async () => {
    const queue = new EventQueue<number>()
    const [first, second] = [queue.next(), queue.next()]
    queue.fail(new Error('lost'))
    await expect(first).rejects.toThrow('lost')
    expect(await second).toEqual({ done: true, value: undefined })
  })

  test('by a signal: its reason, and nothing that waits', async () => {
    const controller = new AbortController()
    const queue = new EventQueue<number>({ signal: controller.signal })
    const reason = new Error('enough')
    const read = drain(queue)
    controller.abort(reason)
    await expect(read).rejects.toBe(reason)

    const full = new EventQueue<number>({ signal: AbortSignal.abort(reason) })
    expect(full.closed).toBe(true)
    await expect(full.ready).rejects.toBe(reason)
    await expect(full.next()).rejects.toBe(reason)

    const later = new AbortController()
    const waiting = new EventQueue<number>({ signal: later.signal })
    waiting.push(1)
    later.abort(reason)
    await expect(waiting.next()).rejects.toBe(reason)
  })

  test('forgets the signal', async () => {
    const { signal } = new AbortController()
    const remove = vi.spyOn(signal, 'removeEventListener')
    await new EventQueue({ signal }).close()
    expect(remove).toHaveBeenCalledOnce()
  })

  test('waits for the owner, whose failure is told to who closes', async () => {
    let stopped = false
    const queue = new EventQueue({}, {
      onEnd: async () => {
        await turn()
        stopped = true
      },
    })
    await queue.close()
    expect(stopped).toBe(true)
    const broken = new EventQueue({}, { onEnd: () => Promise.reject(new Error('cannot stop')) })
    await expect(broken.close()).rejects.toThrow('cannot stop')
  })
})

describe('ready', () => {
  test('resolves once no event can be missed', async () => {
    const queue = new EventQueue()
    const told = vi.fn()
    void queue.ready.then(told)
    await turn()
    expect(told).not.toHaveBeenCalled()
    queue.opened()
    await turn()
    expect(told).toHaveBeenCalled()
  })

  test('rejects with the reason, which nobody has to ask for', async () => {
    const queue = new EventQueue()
    queue.fail(new Error('no inotify'))
    await turn()
    await expect(queue.ready).rejects.toThrow('no inotify')
    const closed = new EventQueue()
    await closed.close()
    await expect(closed.ready).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

test('the owner knows whether somebody waits', async () => {
  const calls: string[] = []
  const queue = new EventQueue<number>({}, { onWait: () => calls.push('wait'), onIdle: () => calls.push('idle') })
  queue.push(1)
  await queue.next()
  expect(calls).toEqual([])
  const reads = [queue.next(), queue.next()]
  expect(calls).toEqual(['wait'])
  queue.push(2)
  expect(calls).toEqual(['wait'])
  queue.push(3)
  expect(calls).toEqual(['wait', 'idle'])
  await Promise.all(reads)
  const last = queue.next()
  await queue.close()
  await last
  expect(calls).toEqual(['wait', 'idle', 'wait', 'idle'])
  const failing = new EventQueue<number>({}, { onWait: () => calls.push('wait'), onIdle: () => calls.push('idle') })
  const read = failing.next()
  failing.fail(new Error('lost'))
  await expect(read).rejects.toThrow('lost')
  expect(calls.slice(4)).toEqual(['wait', 'idle'])
})

test.each([0, -1, 1.5, 1_000_001, Infinity, NaN, '5', null])('a limit of %s is refused', limit => {
  expect(() => new EventQueue({ limit: limit as number })).toThrow(InvalidArgumentError)
})

test.each([null, 'abort', {}])('a signal of %s is refused', signal => {
  expect(() => new EventQueue({ signal: signal as AbortSignal })).toThrow(InvalidArgumentError)
})

describe('events that are made when they are read', () => {
  function* source(from: number, to: number): Generator<number> {
    for (let event = from; event < to; event++) yield event
  }

  test('come in their place, however many, and do not count', async () => {
    const queue = new EventQueue<number>({ limit: 2 })
    queue.push(-1)
    queue.insert(source(0, 1000))
    expect(queue.push(1000)).toBe(true)
    expect(queue.push(1001)).toBe(false)
    queue.fail(new Error('over'))
    const events: unknown[] = []
    await expect((async () => { for await (const event of queue) events.push(event) })()).rejects.toThrow('over')
    expect(events).toEqual([...source(-1, 1001), { type: 'overrun', lost: 1 }])
  })

  test('go to those who wait; none at all is no event', async () => {
    const onIdle = vi.fn()
    const queue = new EventQueue<number>({}, { onIdle })
    const reads = [queue.next(), queue.next(), queue.next()]
    queue.insert(source(0, 0))
    queue.insert(source(5, 7))
    expect(onIdle).not.toHaveBeenCalled()
    queue.insert(source(8, 10))
    expect(onIdle).toHaveBeenCalledOnce()
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual([5, 6, 8])
    expect(await queue.next()).toEqual({ done: false, value: 9 })
  })

  test('leave others of the process their turn', async () => {
    const queue = new EventQueue<number>()
    queue.insert(source(0, 1000))
    let turns = 0
    let over = false
    const count = (): void => {
      turns++
      if (!over) setImmediate(count)
    }
    setImmediate(count)
    for (let i = 0; i < 1000; i++) await queue.next()
    over = true
    expect(turns).toBeGreaterThan(10)
  })
})

describe('a loss of the source', () => {
  test('is told in its place, once, and the owner hears when the reader comes to it', async () => {
    const onOverrun = vi.fn()
    const queue = new EventQueue<number>({}, { onOverrun })
    queue.push(1)
    queue.overrun()
    queue.overrun()
    await queue.next()
    expect(onOverrun).not.toHaveBeenCalled()
    expect(await queue.next()).toEqual({ done: false, value: { type: 'overrun', lost: 0 } })
    expect(onOverrun).toHaveBeenCalledOnce()
    const waiting = queue.next()
    queue.overrun()
    expect(await waiting).toEqual({ done: false, value: { type: 'overrun', lost: 0 } })
    expect(onOverrun).toHaveBeenCalledTimes(2)
  })
})
