/** Handles and calls of the addon itself: references, threads, events, the end of a process. On libvirt's test driver. */
import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import type { ConnectionHandle, LibvirtFailure, NetworkEventPayload } from '../../binding/index.ts'
import { needing, needs } from '../support/needs.ts'
import { addonPath, runNode } from '../native/support.ts'
import { run } from '../support/lab.ts'

const { libvirt } = loadAddon()
const { functions } = libvirt
const installed = await functions.virGetVersion().then(() => undefined, (error: Error) => `libvirt.so.0 (${error.message})`)
const { test } = needing(installed)
const hiding = needing(needs.netAdmin, needs.tool('unshare'))

const open = (): Promise<ConnectionHandle> => functions.virConnectOpenAuth('test:///default', undefined, 0)
const failure = (promise: Promise<unknown>): Promise<LibvirtFailure> =>
  promise.then(() => { throw new Error('it did not fail') }, (error: unknown) => error as LibvirtFailure)

/** Waits until everything of a test is given back, which happens in a worker and in libvirt's event loop. */
async function settled(): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const { handles, calls, listeners } = libvirt.stats()
    if (handles === 0 && calls === 0 && listeners === 0) return
    await sleep(10)
  }
  expect(libvirt.stats()).toMatchObject({ handles: 0, calls: 0, listeners: 0 })
}

test('a connection closes its handles, after the calls under way', async () => {
  const connection = await open()
  const [network] = await functions.virConnectListAllNetworks(connection, 0)
  if (network === undefined) throw new Error('the test driver has a network')
  const calls = Array.from({ length: 100 }, () => functions.virNetworkGetXMLDesc(network, 0))
  const late = functions.virNetworkLookupByName(connection, 'default')
  const [first, second] = [connection.close(), connection.close()]
  expect(connection.closed).toBe(true)
  expect(network.closed).toBe(true)
  expect(await failure(functions.virNetworkGetXMLDesc(network, 0))).toMatchObject({ failure: 'closed', kind: 'network' })
  let done = 0
  for (const call of calls) void call.then(() => { done++ })
  await Promise.all([first, second])
  expect(done).toBe(100)
  // What was found by a call under way is closed with the rest.
  expect((await late).closed).toBe(true)
  await network.close()
  expect(await failure(functions.virConnectGetHostname(connection))).toMatchObject({ failure: 'closed', kind: 'connection' })
  await settled()
})

test('a handle is given back after its last call, and never twice', async () => {
  const connection = await open()
  const network = await functions.virNetworkLookupByName(connection, 'default')
  expect(libvirt.stats().handles).toBe(2)
  const call = functions.virNetworkGetXMLDesc(network, 0)
  await Promise.all([network.close(), network.close(), network.close()])
  expect(await call).toContain('<name>default</name>')
  expect(libvirt.stats().handles).toBe(1)
  await network.close()
  // The connection is not affected.
  expect(await functions.virConnectIsAlive(connection)).toBe(1)
  await connection.close()
  await settled()
})

test('giving back many handles takes no more threads than calls do', async () => {
  expect(await runNode(`
    const { functions, stats } = addon.libvirt
    const connection = await functions.virConnectOpenAuth('test:///default', undefined, 0)
    await Promise.all(Array.from({ length: 500 }, () => functions.virNetworkLookupByName(connection, 'default')))
    const closed = connection.close()
    console.log(stats().threads <= 10)
    await closed
    console.log(stats().handles)`)).toEqual({ status: 0, signal: null, stdout: 'true\n0\n', stderr: '' })
})

test('10,000 calls leave no handle, descriptor or memory behind', { timeout: 60_000 }, async () => {
  const once = async (): Promise<void> => {
    const connection = await open()
    await functions.virConnectNetworkEventRegisterAny(connection, null, 0, () => undefined)
    for (let i = 0; i < 10; i++) {
      const networks = await functions.virConnectListAllNetworks(connection, 0)
      await Promise.all(networks.map(async network => {
        await functions.virNetworkGetXMLDesc(network, 0)
        await functions.virNetworkGetBridgeName(network)
        await functions.virNetworkGetAutostart(network)
        await network.close()
      }))
      const failed = Array.from({ length: 20 }, () => failure(functions.virNetworkLookupByName(connection, 'nobody')))
      await Promise.all(failed)
    }
    await connection.close()
  }
  // 240 calls a round. The first rounds fill caches and arenas.
  for (let i = 0; i < 10; i++) await once()
  await settled()
  const fds = (await readdir('/proc/self/fd')).length
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  for (let i = 0; i < 42; i++) await once()
  await settled()
  expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(fds)
  // A leak of a call's 310 bytes of XML alone would be 3 MB; of a handle or a promise, more.
  expect(process.memoryUsage().rss - before).toBeLessThan(40 << 20)
})

test('handles that nobody holds are collected', async () => {
  expect(await runNode(`
    const { functions, stats } = addon.libvirt
    let connection = await functions.virConnectOpenAuth('test:///default', undefined, 0)
    await functions.virConnectNetworkEventRegisterAny(connection, null, 0, () => {})
    await functions.virConnectRegisterCloseCallback(connection, () => {})
    let networks = await functions.virConnectListAllNetworks(connection, 0)
    connection = networks = undefined
    for (let i = 0; i < 100 && (stats().handles > 0 || stats().listeners > 0); i++) { gc(); await sleep(10) }
    console.log(JSON.stringify(stats()).replace(/"threads":\\d+,/, ''))`, { args: ['--expose-gc'] }))
    .toEqual({ status: 0, signal: null, stdout: '{"handles":0,"calls":0,"listeners":0}\n', stderr: '' })
})

test('a process with open connections and listeners ends by itself', async () => {
  expect(await runNode(`
    const { functions } = addon.libvirt
    for (let i = 0; i < 3; i++) {
      const connection = await functions.virConnectOpenAuth('test:///default', undefined, 0)
      await functions.virConnectNetworkEventRegisterAny(connection, null, 0, () => {})
    }
    console.log('open')`)).toEqual({ status: 0, signal: null, stdout: 'open\n', stderr: '' })
})

test('ref keeps the process alive until unref', async () => {
  expect(await runNode(`
    addon.libvirt.ref()
    setTimeout(() => { console.log('later'); addon.libvirt.unref() }, 50).unref()
    process.on('exit', () => console.log('exit'))`)).toMatchObject({ status: 0, stdout: 'later\nexit\n' })
})

test('process.exit() in the middle of calls', async () => {
  expect(await runNode(`
    const { functions } = addon.libvirt
    const connection = await functions.virConnectOpenAuth('test:///default', undefined, 0)
    for (let i = 0; i < 1000; i++) void functions.virConnectListAllNetworks(connection, 0)
    void connection.close()
    process.exit(3)`)).toEqual({ status: 3, signal: null, stdout: '', stderr: '' })
})

test('workers with connections of their own, ended at any moment', { timeout: 60_000 }, async () => {
  expect(await runNode(`
    const source = ${JSON.stringify(`
      const { workerData } = require('node:worker_threads')
      const { functions } = require(workerData).libvirt
      void (async () => {
        for (;;) {
          const connection = await functions.virConnectOpenAuth('test:///default', undefined, 0)
          await functions.virConnectNetworkEventRegisterAny(connection, null, 0, () => {})
          for (let i = 0; i < 50; i++) void functions.virConnectListAllNetworks(connection, 0)
          if (Math.random() < 0.5) await connection.close()
        }
      })()`)}
    const path = Object.values(require.cache).find(module => module.exports === addon).filename
    for (let round = 0; round < 10; round++) {
      const workers = Array.from({ length: 4 }, () => new worker.Worker(source, { eval: true, workerData: path }))
      await sleep(Math.random() * 150)
      await Promise.all(workers.map(each => each.terminate()))
    }
    for (let i = 0; i < 300 && addon.libvirt.stats().handles > 0; i++) await sleep(10)
    console.log(addon.libvirt.stats().handles)`, { timeoutMs: 50_000 }))
    .toEqual({ status: 0, signal: null, stdout: '0\n', stderr: '' })
})

test('a handle of another worker is refused', async () => {
  // Objects do not cross; what is structured-cloned of a handle is an empty object.
  const connection = await open()
  expect(await failure(functions.virConnectIsAlive(structuredClone({}) as ConnectionHandle)))
    .toMatchObject({ failure: 'argument', name: 'virConnectIsAlive', index: 0 })
  await connection.close()
})

test('events come in order, until the listener is deregistered', async () => {
  const connection = await open()
  const events: NetworkEventPayload[] = []
  const id = await functions.virConnectNetworkEventRegisterAny(connection, null, 0, event => { events.push(event) })
  const xml = `<network><name>native-events</name><bridge name='virbr88'/></network>`
  const network = await functions.virNetworkDefineXML(connection, xml)
  await functions.virNetworkCreate(network)
  await functions.virNetworkDestroy(network)
  await functions.virNetworkUndefine(network)
  while (events.length < 4) await sleep(5)
  expect(events.map(({ name, uuid, event }) => [name, uuid, event])).toEqual([0, 2, 3, 1]
    .map(event => ['native-events', network.uuid, event]))
  await functions.virConnectNetworkEventDeregisterAny(connection, id)
  await functions.virNetworkUndefine(await functions.virNetworkDefineXML(connection, xml))
  await sleep(100)
  expect(events).toHaveLength(4)
  await connection.close()
  await settled()
})

test('what a listener throws is an uncaught exception, as in any other callback', async () => {
  const { status, stderr } = await runNode(`
    const { functions } = addon.libvirt
    const connection = await functions.virConnectOpenAuth('test:///default', undefined, 0)
    await functions.virConnectNetworkEventRegisterAny(connection, null, 0, () => { throw new Error('mine') })
    await functions.virNetworkDefineXML(connection, '<network><name>x</name><bridge name="virbr89"/></network>')
    await sleep(1000)`)
  expect(status).toBe(1)
  expect(stderr).toContain('Error: mine')
})

test('calls do not wait for libuv’s pool, nor it for them', async () => {
  expect(await runNode(`
    const { functions } = addon.libvirt
    // Four threads of the pool are busy for as long as the test lasts.
    const busy = require('node:crypto')
    let idle = false
    for (let i = 0; i < 4; i++) busy.pbkdf2('a', 'b', 4e5, 64, 'sha512', () => { idle = true })
    const connection = await functions.virConnectOpenAuth('test:///default', undefined, 0)
    await Promise.all(Array.from({ length: 100 }, () => functions.virConnectListAllNetworks(connection, 0)))
    console.log(idle)
    process.exit()`)).toMatchObject({ status: 0, stdout: 'false\n' })
})

test('whatever is given as arguments is refused or answered, never a crash', { timeout: 60_000 }, async () => {
  const connection = await open()
  const network = await functions.virNetworkLookupByName(connection, 'default')
  const closed = await functions.virNetworkLookupByName(connection, 'default')
  await closed.close()
  const harmful = /Open|Close|Destroy|Undefine|SetIdentity|Shutdown|Reboot|Suspend|GetVersion$/
  const harmless = Object.keys(functions).filter(name => !harmful.test(name))
  const ours = fc.constantFrom<unknown>(connection, network, closed, null, undefined)
  const value = fc.oneof(fc.anything(), fc.string(), fc.integer(), ours)
  await fc.assert(fc.asyncProperty(fc.constantFrom(...harmless), fc.array(value, { maxLength: 6 }), async (name, values) => {
    const call = (functions as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[name]
    try {
      await call?.(...values)
    } catch (error) {
      expect(error).toMatchObject({ failure: expect.stringMatching(/^(argument|closed|libvirt|function)$/) as string })
    }
  }), { numRuns: 2000 })
  expect(await functions.virConnectIsAlive(connection)).toBe(1)
  await connection.close()
})

hiding.test('the addon loads without libvirt, and says what is missing', async () => {
  // A mount namespace in which the library is an empty file.
  const script = `
    const addon = require(${JSON.stringify(addonPath())})
    addon.libvirt.functions.virConnectOpenAuth('test:///default', undefined, 0)
      .catch(error => console.log(error.failure, /libvirt.so.0/.test(error.message)))`
  const hide = 'for file in /usr/lib*/libvirt.so.0 /usr/lib*/*/libvirt.so.0; do [ -e "$file" ] && mount --bind /dev/null "$file"; done; exec "$0" -e "$1"'
  expect(await run('unshare', ['--mount', 'sh', '-c', hide, process.execPath, script])).toBe('library true\n')
})
