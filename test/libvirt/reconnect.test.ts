/** libvirtd killed, stopped in its tracks and restarted: what is lost is told, what was asked to come back does. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { libvirtStats } from '../../src/libvirt/calls.ts'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, connectFor, failureOf, networkXml, take } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds(), needs.kernel('bridge'))

/** The loss has become known. */
async function noticed(connection: LibvirtConnection): Promise<void> {
  while (await connection.isAlive()) await sleep(5)
}

test('without reconnect everything fails once the daemon is gone, and close works', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectFor(daemon.socketUri)
  const network = await connection.networks.define(networkXml('lab'))
  await daemon.kill()
  expect(await codeOf(network.info())).toBe('ERR_CONNECTION_LOST')
  await daemon.start()
  for (const call of [() => network.info(), () => connection.networks.list(), () => connection.type()]) {
    expect(await codeOf(call)).toBe('ERR_CONNECTION_LOST')
  }
  expect(await connection.isAlive()).toBe(false)
  await connection.close()
  expect(await codeOf(() => network.info())).toBe('ERR_CLOSED')
})

test('calls in flight at the loss reject with ERR_CONNECTION_LOST', async () => {
  await using daemon = await startLibvirtd()
  for (const reconnect of [false, true]) {
    const { networks } = await connectFor(daemon.socketUri, { reconnect })
    await networks.list()
    daemon.pause()
    const calls = Array.from({ length: 20 }, () => codeOf(networks.list()))
    await sleep(100)
    await daemon.kill()
    const codes = await Promise.all(calls)
    if (!reconnect) expect(new Set(codes)).toEqual(new Set(['ERR_CONNECTION_LOST']))
    await daemon.start()
    if (reconnect) expect(await networks.list()).toEqual([])
  }
})

test('with reconnect, networks and watches go on, and the gap is told', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectFor(daemon.socketUri, { reconnect: true })
  const network = await connection.networks.define(networkXml('lab'))
  const watch = connection.networks.watch()
  await watch.ready
  await network.start()
  expect(await take(watch, 1)).toMatchObject([{ type: 'started' }])
  for (let round = 0; round < 3; round++) {
    const before = Date.now()
    await daemon.kill()
    // Handled from the start: it may reject while the daemon is still on its way up.
    const late = Promise.allSettled([network.info()])
    await sleep(50)
    await daemon.start()
    // Sent before the loss was noticed, or never: then it waited.
    const [outcome] = await late
    if (outcome.status === 'fulfilled') expect(outcome.value.active).toBe(true)
    else expect(outcome.reason).toMatchObject({ code: 'ERR_CONNECTION_LOST' })
    expect(await network.info()).toMatchObject({ active: true, persistent: true })
    expect(await connection.isAlive()).toBe(true)
    const [gap] = await take(watch, 1)
    expect(gap).toEqual({ type: 'gap', lostAt: expect.any(Number) as number, at: expect.any(Number) as number, reason: expect.stringMatching(/^(eof|error)$/) as string })
    if (gap?.type !== 'gap') throw new Error('no gap')
    expect(gap.lostAt).toBeGreaterThanOrEqual(before)
    expect(gap.at).toBeGreaterThanOrEqual(gap.lostAt)
    await network.setAutostart(round % 2 === 0)
    await network.destroy()
    await network.start()
    expect(await take(watch, 2)).toMatchObject([{ type: 'stopped', name: 'lab' }, { type: 'started', name: 'lab' }])
  }
})

test('calls wait while the daemon is away, timeoutMs at most', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectFor(daemon.socketUri, { reconnect: { minDelayMs: 20, maxDelayMs: 50, timeoutMs: 600 } })
  const patient = await connectFor(daemon.socketUri, { reconnect: { minDelayMs: 20, maxDelayMs: 50, timeoutMs: 20_000 } })
  await daemon.kill()
  await noticed(connection)
  const before = performance.now()
  const error = await failureOf(connection.type())
  expect(error).toMatchObject({ code: 'ERR_CONNECTION_LOST', cause: { code: 'ERR_NO_CONNECTION' } })
  expect(performance.now() - before).toBeGreaterThan(550)
  await noticed(patient)
  const waiting = patient.type()
  await daemon.start()
  expect(await waiting).toBe('QEMU')
})

test('close ends the wait, the watches and the attempts', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectLibvirt(daemon.socketUri, { reconnect: true })
  const { networks } = connection
  const watch = networks.watch()
  await watch.ready
  const event = watch.next()
  await daemon.kill()
  await noticed(connection)
  const waiting = codeOf(networks.list())
  const closing = connection.close()
  expect(await waiting).toBe('ERR_CLOSED')
  expect(await event).toEqual({ done: true, value: undefined })
  await closing
  await daemon.start()
  await sleep(300)
  expect(libvirtStats()).toMatchObject({ handles: 0, calls: 0, listeners: 0 })
})

test('a daemon that stays silent is lost by keepalive', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectFor(daemon.socketUri, { keepAlive: { intervalMs: 1000, count: 1 } })
  const watch = connection.networks.watch()
  await watch.ready
  daemon.pause()
  try {
    const [event, call] = await Promise.all([failureOf(watch.next()), failureOf(connection.networks.list())])
    expect(event).toMatchObject({ code: 'ERR_CONNECTION_LOST', message: expect.stringContaining('keepalive') as string })
    expect(call.code).toBe('ERR_CONNECTION_LOST')
  } finally {
    daemon.resume()
  }
})

test('the daemon may come and go while 200 calls are made', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectFor(daemon.socketUri, { reconnect: { minDelayMs: 10 } })
  const network = await connection.networks.define(networkXml('lab'))
  let done = false
  const caller = async () => {
    const codes: string[] = []
    while (!done) {
      await network.xml().then(() => codes.push('ok'), (error: unknown) => codes.push((error as { code: string }).code))
    }
    return codes
  }
  const callers = Array.from({ length: 8 }, caller)
  for (let round = 0; round < 4; round++) {
    await sleep(50)
    await daemon.restart()
  }
  done = true
  const codes = new Set((await Promise.all(callers)).flat())
  expect([...codes].filter(code => code !== 'ok' && code !== 'ERR_CONNECTION_LOST')).toEqual([])
  expect(codes).toContain('ok')
  expect(await network.xml()).toContain('lab')
  await connection.close()
  expect(libvirtStats()).toMatchObject({ handles: 0, calls: 0 })
})
