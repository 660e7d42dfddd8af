/** Watching networks: what virsh does arrives, in order; ends; limits; nobody is kept alive. */
import { expect } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import type { NetworkEvent, WatchOptions } from '../../src/network/connection.ts'
import { libvirtStats } from '../../src/libvirt/calls.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, connectFor, connectMock, failureOf, networkXml, take, uuidOf } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))
const withDaemon = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds(), needs.kernel('bridge'))

withDaemon.test('what virsh does to a network arrives in order', async () => {
  await using daemon = await startLibvirtd()
  const { networks } = await connectFor(daemon.socketUri)
  const watch = networks.watch()
  await watch.ready
  const lab = networkXml('lab', { uuid: uuidOf(4) })
  await daemon.inside('sh', '-c', `cat >/run/lab.xml <<'END'\n${lab}\nEND`)
  await daemon.virsh('net-define', '/run/lab.xml')
  await daemon.virsh('net-start', 'lab')
  await daemon.virsh('net-undefine', 'lab')
  await daemon.virsh('net-destroy', 'lab')
  const what = { name: 'lab', uuid: uuidOf(4) }
  expect(await take(watch, 4)).toEqual(['defined', 'started', 'undefined', 'stopped'].map(type => ({ type, ...what })))
})

test('one network, by name or UUID, can be watched', async () => {
  const { networks } = await connectMock()
  const byName = networks.watch({ network: 'two' })
  const byUuid = networks.watch({ network: uuidOf(2).toUpperCase() })
  await Promise.all([byName.ready, byUuid.ready])
  for (const [index, name] of ['one', 'two', 'three'].entries()) await networks.define(networkXml(name, { uuid: uuidOf(index + 1 === 2 ? 2 : index + 5) }))
  expect(await take(byName, 1)).toEqual([{ type: 'defined', name: 'two', uuid: uuidOf(2) }])
  expect(await take(byUuid, 1)).toEqual([{ type: 'defined', name: 'two', uuid: uuidOf(2) }])
})

test('a watch ends by close, return, signal, and with its connection', async () => {
  const connection = await connectMock()
  const { networks } = connection
  const before = libvirtStats().listeners
  const ended = { done: true, value: undefined }

  const closed = networks.watch()
  const pending = closed.next()
  await closed.ready
  expect(libvirtStats().listeners).toBeGreaterThan(before)
  await closed.close()
  expect(await pending).toEqual(ended)
  expect(await closed.next()).toEqual(ended)

  const seen: NetworkEvent[] = []
  const returned = networks.watch()
  await returned.ready
  const { uuid } = await networks.define(networkXml('x'))
  for await (const event of returned) {
    seen.push(event)
    break
  }
  expect(seen).toEqual([{ type: 'defined', name: 'x', uuid }])
  expect(await returned.next()).toEqual(ended)

  const controller = new AbortController()
  const aborted = networks.watch({ signal: controller.signal })
  await aborted.ready
  const waiting = aborted.next()
  controller.abort('enough')
  await expect(waiting).rejects.toBe('enough')
  expect(await aborted.next()).toEqual(ended)
  const never = networks.watch({ signal: AbortSignal.abort('before') })
  await expect(never.ready).rejects.toBe('before')
  await expect(never.next()).rejects.toBe('before')

  const last = networks.watch()
  await last.ready
  const open = last.next()
  await connection.close()
  expect(await open).toEqual(ended)
  await expect.poll(() => libvirtStats().listeners).toBeLessThanOrEqual(before)
})

test('a slow reader is told how much was dropped', async () => {
  const { networks } = await connectMock()
  const watch = networks.watch({ limit: 2 })
  const quick = networks.watch()
  await Promise.all([watch.ready, quick.ready])
  for (let index = 0; index < 5; index++) await networks.define(networkXml(`n${index}`))
  // Events come by another way than answers: these have all come when somebody who is quicker has seen the last.
  await take(quick, 5)
  const events = await take(watch, 3)
  expect(events.map(event => event.type === 'overrun' ? event.lost : 'name' in event ? event.name : event.type)).toEqual(['n0', 'n1', 3])
})

test('many watches see the same', async () => {
  const { networks } = await connectMock()
  const watches = Array.from({ length: 20 }, () => networks.watch())
  await Promise.all(watches.map(watch => watch.ready))
  for (let index = 0; index < 20; index++) await networks.define(networkXml(`n${index}`))
  for (const watch of watches) {
    expect((await take(watch, 20)).map(event => 'name' in event && event.name)).toEqual(Array.from({ length: 20 }, (_, index) => `n${index}`))
  }
})

test('bad options are refused', async () => {
  const { networks } = await connectMock()
  for (const options of [{ limit: 0 }, { limit: 1.5 }, { signal: 5 }, { network: '' }, { network: 7 }, { netwrk: 'x' }]) {
    expect(await failureOf(async () => { await networks.watch(options as WatchOptions).ready })).toBeInstanceOf(InvalidArgumentError)
  }
})

withDaemon.test('a watch ends with ERR_CONNECTION_LOST when the daemon dies', async () => {
  await using daemon = await startLibvirtd()
  const { networks } = await connectFor(daemon.socketUri)
  const watch = networks.watch()
  await watch.ready
  const waiting = codeOf(watch.next())
  await daemon.kill()
  expect(await waiting).toBe('ERR_CONNECTION_LOST')
  expect(await watch.next()).toEqual({ done: true, value: undefined })
  expect(await codeOf(networks.watch().ready)).toBe('ERR_CONNECTION_LOST')
})
