/** What is told about domains, by libvirt's test driver; devices are in guests.test.ts. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { calls as libvirt } from '../../src/libvirt/calls.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import type { DomainWatch, DomainWatchOptions } from '../../src/libvirt/domain-events.ts'
import { testNode } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { connectFor, take } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))

const domainXml = (name: string) => `<domain type='test'><name>${name}</name><memory>8192</memory><os><type>hvm</type></os></domain>`

async function connectNode(): Promise<LibvirtConnection> {
  const node = await testNode(domainXml('alpha') + domainXml('beta'))
  onTestFinished(() => node[Symbol.asyncDispose]())
  return connectFor(node.uri)
}

async function watching(connection: LibvirtConnection, options: DomainWatchOptions = {}): Promise<DomainWatch> {
  const watch = connection.domains.watch(options)
  await watch.ready
  return watch
}

/** The next few events: `alpha started booted`. */
async function lives(watch: DomainWatch, count: number): Promise<string[]> {
  return (await take(watch, count)).map(event => (
    event.type === 'lifecycle' ? `${event.name} ${event.event} ${event.detail}` : JSON.stringify(event)
  ))
}

test('a domain\'s life, in order, with reasons', async () => {
  const connection = await connectNode()
  const watch = await watching(connection)
  const domain = await connection.domains.define(domainXml('gamma'))
  await domain.start()
  const id = await domain.id()
  await domain.suspend()
  await domain.resume()
  await domain.shutdown()
  await domain.start()
  await domain.destroy()
  await domain.undefine()
  expect(await take(watch, 2)).toEqual([
    { type: 'lifecycle', name: 'gamma', uuid: domain.uuid, id: undefined, event: 'defined', detail: 'added' },
    { type: 'lifecycle', name: 'gamma', uuid: domain.uuid, id, event: 'started', detail: 'booted' },
  ])
  expect(await lives(watch, 6)).toEqual([
    'gamma suspended paused', 'gamma resumed unpaused', 'gamma stopped shutdown',
    'gamma started booted', 'gamma stopped destroyed', 'gamma undefined removed',
  ])
})

test('of one domain, by name or UUID, only', async () => {
  const connection = await connectNode()
  const [alpha, beta] = [await connection.domains.get('alpha'), await connection.domains.get('beta')]
  const [byName, byUuid] = [
    await watching(connection, { domain: 'beta' }),
    await watching(connection, { domain: beta.uuid.toUpperCase().replaceAll('-', '') }),
  ]
  for (const domain of [alpha, beta]) {
    await domain.suspend()
    await domain.resume()
  }
  for (const watch of [byName, byUuid]) {
    expect(await lives(watch, 2)).toEqual(['beta suspended paused', 'beta resumed unpaused'])
  }
})

test('of some types only', async () => {
  const connection = await connectNode()
  const [devices, all] = [
    await watching(connection, { events: ['device-added', 'device-removed', 'device-removal-failed', 'agent-lifecycle'] }),
    await watching(connection, { events: ['lifecycle'] }),
  ]
  await (await connection.domains.get('alpha')).suspend()
  expect(await lives(all, 1)).toEqual(['alpha suspended paused'])
  const none = devices.next()
  await turn()
  await devices.close()
  expect(await none).toEqual({ done: true, value: undefined })
})

test('a reader who is too slow is told how much is missing', async () => {
  const connection = await connectNode()
  const [slow, witness] = [await watching(connection, { limit: 2 }), await watching(connection)]
  const alpha = await connection.domains.get('alpha')
  for (let turns = 0; turns < 3; turns++) {
    await alpha.suspend()
    await alpha.resume()
  }
  await lives(witness, 6)
  expect(await lives(slow, 3)).toEqual(['alpha suspended paused', 'alpha resumed unpaused', '{"type":"overrun","lost":4}'])
})

test('ends by close, by leaving the loop, by the signal, with the connection', async () => {
  const connection = await connectNode()
  const alpha = await connection.domains.get('alpha')
  const abort = new AbortController()
  const [left, aborted, closed, orphan] = [
    await watching(connection), await watching(connection, { signal: abort.signal }),
    await watching(connection), await watching(connection),
  ]
  await alpha.suspend()
  for await (const event of left) {
    expect(event).toMatchObject({ event: 'suspended' })
    break
  }
  expect(await left.next()).toEqual({ done: true, value: undefined })
  const reason = new Error('enough')
  abort.abort(reason)
  await expect(aborted.next()).rejects.toBe(reason)
  await closed.close()
  expect(await closed.next()).toMatchObject({ done: true })
  await lives(orphan, 1)
  const waiting = orphan.next()
  await connection.close()
  expect(await waiting).toMatchObject({ done: true })
})

test('what the library does not have is no loss, unless it was asked for', async () => {
  const connection = await connectNode()
  const library = await libvirt.virGetVersion()
  const watch = connection.domains.watch({ events: ['lifecycle', 'nic-mac-change'] })
  if (library >= 11_002_000) await watch.ready
  else {
    await expect(watch.ready).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' })
    await expect(watch.next()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining('11.2') as string })
    expect(await watch.next()).toMatchObject({ done: true })
  }
})

test('bad options are refused at once', async () => {
  const connection = await connectNode()
  const watch = (options: unknown) => () => connection.domains.watch(options as DomainWatchOptions)
  expect(watch({ events: ['lifecycl'] })).toThrow(/options\.events: expected an array of 'lifecycle'/)
  expect(watch({ events: [] })).toThrow(/options\.events/)
  expect(watch({ domains: 'x' })).toThrow(/did you mean "domain"/)
  expect(watch({ limit: 0 })).toThrow(/options\.limit/)
  expect(watch({ signal: 5 })).toThrow(/options\.signal/)
  expect(watch(null)).toThrow(/options/)
})
