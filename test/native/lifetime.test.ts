/** What stays and what ends: descriptors, threads, the JS thread's own pace. */
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test as plainTest } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import { needing, needs } from '../support/needs.ts'
import { createLink, deleteLink, dumpLinks, linkMessage, openHost, temporaryFolder } from './support.ts'

const { test } = needing(needs.netAdmin)

const fds = (): number => readdirSync('/proc/self/fd').length
const namespaceFds = (): number => readdirSync('/proc/self/fd').filter(fd => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('net:')
  } catch {
    return false
  }
}).length

test('500 times open, exec, close leave no descriptor, thread or Host', { timeout: 60_000 }, async () => {
  const addon = loadAddon()
  const before = fds()
  for (let i = 0; i < 500; i++) {
    const host = await addon.openHost({ create: true })
    await host.exec([
      { op: 'netlink', protocol: 0, messages: dumpLinks(0) },
      { op: 'readFile', path: '/proc/sys/net/ipv4/ip_forward' },
      { op: 'lock', path: '/proc/self/none', timeoutMs: 0, mayFail: true },
    ])
    await host.close()
  }
  await expect.poll(() => addon.stats().threads).toBe(0)
  expect(addon.stats().hosts).toBe(0)
  expect(fds()).toBeLessThanOrEqual(before + 2)
})

test('what fails to open leaves nothing', async () => {
  const addon = loadAddon()
  const before = fds()
  for (let i = 0; i < 200; i++) await expect(addon.openHost({ path: '/proc/self/ns/mnt' })).rejects.toThrow()
  await expect.poll(() => addon.stats()).toEqual({ hosts: 0, watches: 0, threads: 0 })
  expect(fds()).toBeLessThanOrEqual(before + 2)
})

test('1,000 idle Hosts: a descriptor each, and after a moment no thread', { timeout: 60_000 }, async () => {
  const addon = loadAddon()
  const before = namespaceFds()
  const hosts = await Promise.all(Array.from({ length: 1000 }, () => addon.openHost({ create: true })))
  expect(addon.stats().hosts).toBe(1000)
  await expect.poll(() => addon.stats().threads, { timeout: 10_000 }).toBe(0)
  expect(namespaceFds() - before).toBe(1000)
  const inodes = await Promise.all(hosts.slice(0, 20).map(async host => {
    const { results } = await host.exec([{ op: 'spawn', file: '/bin/readlink', argv: ['readlink', '/proc/self/ns/net'], env: [], timeoutMs: 5000 }])
    return Buffer.from(results[0].output).toString()
  }))
  // A thread that starts anew works in the same namespace.
  expect(inodes).toEqual(hosts.slice(0, 20).map(host => `net:[${host.netnsInode}]\n`))
  await Promise.all(hosts.map(host => host.close()))
  expect(namespaceFds()).toBe(before)
  expect(addon.stats().hosts).toBe(0)
})

plainTest('close waits for what is queued, refuses what comes later, and may be called again', async () => {
  const host = await openHost({})
  const path = join(await temporaryFolder(), 'file')
  const queued = host.exec([
    { op: 'spawn', file: '/bin/sleep', argv: ['sleep', '0.1'], env: [], timeoutMs: 5000 },
    { op: 'writeFile', path, data: 'done', mode: 0o600 },
  ])
  const closing = host.close()
  expect(host.netnsFd).toBe(-1)
  await expect(host.exec([])).rejects.toThrow('this Host is closed')
  await host.close()
  await closing
  expect((await queued).failed).toBeUndefined()
})

test('the JS thread ticks on while a Host spawns, and while the kernel takes bridges down', async () => {
  const host = await openHost()
  const names = Array.from({ length: 10 }, (_, i) => `br${i}`)
  const up = (i: number): Buffer => {
    const message = linkMessage(19, 4, i, [], i + 2)
    message.writeUInt32LE(1, 24)
    message.writeUInt32LE(1, 28)
    return message
  }
  await host.exec([
    { op: 'netlink', protocol: 0, messages: Buffer.concat(names.map((name, i) => createLink(i, name))) },
    { op: 'netlink', protocol: 0, messages: Buffer.concat(names.map((_, i) => up(i))) },
  ])
  let longest = 0
  let last = performance.now()
  let busy = true
  const tick = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (busy) setImmediate(tick)
  }
  setImmediate(tick)
  const started = performance.now()
  const { failed } = await host.exec([
    { op: 'netlink', protocol: 0, messages: Buffer.concat(names.map((name, i) => deleteLink(i, name))) },
    { op: 'spawn', file: '/bin/sleep', argv: ['sleep', '0.3'], env: [], timeoutMs: 5000 },
  ])
  busy = false
  expect(failed).toBeUndefined()
  const took = performance.now() - started
  expect(took).toBeGreaterThan(300)
  // Other processes share the processors; blocked, it would be all of the time.
  expect(longest).toBeLessThan(took / 2)
})
