/** Opening, asking, closing; bad URIs and options. */
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, expectTypeOf, onTestFinished, test as plainTest } from 'vitest'
import { connect } from '../../src/connect.ts'
import { calls, libvirtStats } from '../../src/libvirt/calls.ts'
import { LibvirtConnection, connectLibvirt } from '../../src/libvirt/connection.ts'
import { LibvirtError } from '../../src/libvirt/errors.ts'
import type { LibvirtOptions } from '../../src/libvirt/open.ts'
import { LibvirtNetwork } from '../../src/libvirt/network.ts'
import type { Connection } from '../../src/network/connection.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, connectFor, connectMock, failureOf, networkXml } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))
const withDaemon = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds())

test('connect gives the libvirt driver for every URI but kernel:', async () => {
  const connection = await connect('test:///default')
  onTestFinished(() => connection.close())
  expectTypeOf(connection).toEqualTypeOf<LibvirtConnection>()
  expectTypeOf(connect('kernel:///system')).resolves.toEqualTypeOf<Connection>()
  expect(connection).toBeInstanceOf(LibvirtConnection)
  expect(connection.uri).toBe('test:///default')
  expect(await connection.networks.get('default')).toBeInstanceOf(LibvirtNetwork)
})

test('it tells what it is connected to', async () => {
  const connection = await connectFor('test:///default')
  expect(await connection.type()).toBe('TEST')
  expect(await connection.canonicalUri()).toBe('test:///default')
  expect(await connection.hostname()).not.toBe('')
  expect(await connection.version()).toBe('0.0.2')
  expect(await connection.libvirtVersion()).toMatch(/^\d+\.\d+\.\d+$/)
  expect(await connection.capabilities()).toMatch(/^<capabilities>/)
  expect(await connection.isAlive()).toBe(true)
  expect(await connection.isSecure()).toBe(true)
  expect(await connection.isEncrypted()).toBe(false)
  expect(await codeOf(connection.setIdentity({ userName: 'fred' }))).toBe('ERR_UNSUPPORTED')
})

withDaemon.test('a daemon is asked through its socket, read-only too', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectFor(daemon.socketUri)
  expect(await connection.type()).toBe('QEMU')
  expect(await connection.canonicalUri()).toBe(daemon.socketUri)
  expect(await connection.hostname()).toBe((await daemon.virsh('hostname')).trim())
  const versions = await daemon.virsh('version', '--daemon')
  expect(versions).toContain(`Running against daemon: ${await connection.libvirtVersion()}`)
  expect(versions).toContain(`Running hypervisor: QEMU ${await connection.version()}`)
  expect((await connection.capabilities()).trim()).toBe((await daemon.virsh('capabilities')).trim())
  await connection.setIdentity({ userName: 'root', unixUserId: 0n, processId: process.pid })

  const reader = await connectFor(daemon.readOnlySocketUri, { readOnly: true, keepAlive: false })
  expect(await reader.networks.list()).toEqual([])
  const error = await failureOf(reader.networks.define(networkXml('lab')))
  expect(error).toBeInstanceOf(LibvirtError)
  expect(error.code).toBe('ERR_NO_PERMISSION')
})

plainTest.each([undefined, null, 5, '', 'default', ':///system', '/system', 'qemu', 'qemu:///\0'])('%j is no URI', async uri => {
  expect(await codeOf(connectLibvirt(uri as string))).toBe('ERR_INVALID_URI')
  if (uri !== undefined) expect(await codeOf(connect(uri as string))).toBe('ERR_INVALID_URI')
})

// What libvirt says to them is found out there.
test.each([
  ['qemu:///system', 'ERR_NO_CONNECTION'],
  ['foo:///bar', 'ERR_NO_CONNECTION'],
  ['qemu+unix:///system?socket=/no/such', 'ERR_NO_CONNECTION'],
  ['qemu+tcp://127.0.0.1:1/system', 'ERR_NO_CONNECTION'],
  ['qemu+ext:///system?command=/bin/false', 'ERR_NO_CONNECTION'],
  ['qemu+foo:///system', 'ERR_INVALID_URI'],
  ['qemu://[::/system', 'ERR_INVALID_URI'],
  // XML that cannot be read, or, in newer libvirts, a file that is not there.
  ['test:///no/such/file.xml', /^ERR_(INVALID_XML|NO_CONNECTION)$/],
])('%s is %s', async (uri, code) => {
  const error = await failureOf(connectLibvirt(uri))
  expect(error).toBeInstanceOf(LibvirtError)
  expect(error.code).toMatch(code)
})

withDaemon.test('what the daemon does not have is an invalid URI', async () => {
  await using daemon = await startLibvirtd()
  const socket = new URL(daemon.socketUri).search
  expect(await codeOf(connectLibvirt(`foo+unix:///bar${socket}`))).toBe('ERR_INVALID_URI')
  expect(await codeOf(connectLibvirt(`qemu+unix:///nosuch${socket}`))).toBe('ERR_INVALID_URI')
})

plainTest.each<[unknown, string]>([
  [{ readonly: true }, 'readonly'],
  [{ readOnly: 1 }, 'options.readOnly'],
  [{ auth: 'secret' }, 'options.auth'],
  [{ keepAlive: true }, 'options.keepAlive'],
  [{ keepAlive: { intervalMs: 1500, count: 1 } }, 'options.keepAlive.intervalMs'],
  [{ keepAlive: { intervalMs: 1000 } }, 'options.keepAlive.count'],
  [{ reconnect: 'yes' }, 'options.reconnect'],
  [{ reconnect: { minDelay: 5 } }, 'minDelay'],
  [{ reconnect: { minDelayMs: 0 } }, 'options.reconnect.minDelayMs'],
  [{ reconnect: { minDelayMs: 10_000 } }, 'options.reconnect.minDelayMs'],
  [{ identity: { user: 'x' } }, 'user'],
  [{ identity: { userName: 5 } }, 'options.identity.userName'],
  [{ identity: { unixUserId: -1 } }, 'options.identity.unixUserId'],
  [{ identity: { processTime: 1n << 64n } }, 'options.identity.processTime'],
  [{ netns: 1.5 }, 'netns'],
  [{ signal: {} }, 'options.signal'],
  [null, 'the options of connect'],
])('options %o are refused for %s', async (options, field) => {
  expect(await failureOf(connectLibvirt('test:///default', options as LibvirtOptions))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
})

plainTest('options for libvirt are refused by kernel:', async () => {
  for (const options of [{ readOnly: true }, { reconnect: true }, { netns: 'lab' }, { nonsense: 1 }]) {
    const [name] = Object.keys(options)
    expect(await failureOf(connect('kernel:///system', options))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: `options.${name}` })
  }
})

test('every call after close rejects with ERR_CLOSED', async () => {
  const connection = await connectMock()
  const { networks } = connection
  const network = await networks.get('default')
  const watch = networks.watch()
  await connection.close()
  await connection.close()
  expect(() => connection.networks).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
  const all = [
    () => networks.list(), () => networks.get('default'), () => network.info(), () => network.xml(), () => connection.type(),
    () => connection.isAlive(),
  ]
  for (const call of all) {
    expect(await codeOf(call)).toBe('ERR_CLOSED')
  }
  expect(await codeOf(networks.watch().ready)).toBe('ERR_CLOSED')
  expect(await watch.next()).toEqual({ done: true, value: undefined })
  // Gives nothing back twice.
  await network.close()
})

test('close waits for the calls under way', async () => {
  const connection = await connectMock()
  const under = Array.from({ length: 50 }, () => connection.networks.list())
  const closing = connection.close()
  for (const networks of await Promise.all(under)) expect(networks.map(({ name }) => name)).toEqual(['default'])
  await closing
})

withDaemon.test('files and names do not wait for calls that hang, nor do other connections', async () => {
  await using daemon = await startLibvirtd()
  const connections = await Promise.all(Array.from({ length: 4 }, () => connectFor(daemon.socketUri)))
  const other = await connectMock()
  daemon.pause()
  let answered = 0
  const hanging = connections.flatMap(connection => Array.from({ length: 20 }, () => connection.networks.list().then(() => { answered++ })))
  try {
    await Promise.all(Array.from({ length: 20 }, async () => {
      await Promise.all([readFile('package.json'), lookup('localhost'), other.networks.list()])
    }))
    expect(answered).toBe(0)
  } finally {
    daemon.resume()
  }
  await Promise.all(hanging)
  expect(answered).toBe(80)
})

test('a closed network rejects, and its connection goes on', async () => {
  const connection = await connectMock()
  const network = await connection.networks.get('default')
  await network.close()
  await network.close()
  expect(await codeOf(network.info())).toBe('ERR_CLOSED')
  await using again = await connection.networks.get('default')
  expect(await again.info()).toMatchObject({ active: true })
})

withDaemon.test('an aborted signal ends the wait for a daemon that does not answer', async () => {
  await using daemon = await startLibvirtd()
  expect(await connectLibvirt(daemon.socketUri, { signal: AbortSignal.abort('early') }).catch((error: unknown) => error)).toBe('early')
  daemon.pause()
  const controller = new AbortController()
  const opening = connectLibvirt(daemon.socketUri, { signal: controller.signal })
  await sleep(50)
  controller.abort('late')
  expect(await opening.catch((error: unknown) => error)).toBe('late')
  daemon.resume()
  // What came after all is given back.
  for (const deadline = Date.now() + 5_000; libvirtStats().handles + libvirtStats().calls > 0 && Date.now() < deadline;) await sleep(10)
  expect(libvirtStats()).toMatchObject({ handles: 0, calls: 0 })
})

test('a forgotten connection is collected, with its handles and listeners', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const before = libvirtStats()
  const use = async () => {
    const connection = await connectLibvirt('test:///default')
    await connection.networks.watch().ready
    await connection.networks.list()
  }
  for (let round = 0; round < 5; round++) await use()
  expect(libvirtStats().handles).toBeGreaterThan(before.handles)
  for (const deadline = Date.now() + 5_000; libvirtStats().handles > before.handles && Date.now() < deadline;) {
    collect()
    await sleep(20)
  }
  expect(libvirtStats()).toMatchObject({ handles: before.handles, listeners: before.listeners })
  expect(await calls.virGetVersion()).toBeGreaterThan(0)
})
