/** 10,000 calls of the facade, by libvirt's mock and by a daemon: nothing grows. */
import { readdir } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { libvirtStats } from '../../src/libvirt/calls.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, connectFor, connectMock, networkXml } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))
const withDaemon = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds())

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** 21 of libvirt's calls, with answers, errors and a watch; some handles are closed, others left to the collector. */
async function use({ networks, domains }: LibvirtConnection): Promise<void> {
  await using network = await networks.get('leaks')
  const watch = networks.watch({ network: 'leaks' })
  await watch.ready
  await Promise.all([network.info(), network.info(), network.xml(), network.config(), network.networkPorts.list().catch(() => [])])
  await network.setAutostart(true)
  await Promise.all([networks.list(), domains.list(), networks.list({ active: true })])
  expect(await codeOf(networks.get('nobody'))).toBe('ERR_NO_NETWORK')
  expect(await codeOf(networks.define('<network/>'))).toBe('ERR_INVALID_XML')
  await watch.close()
}

async function nothingGrows(connection: LibvirtConnection): Promise<void> {
  const network = await connection.networks.define(networkXml('leaks'))
  const measure = async () => {
    await expect.poll(() => {
      collect()
      return libvirtStats()
    }, { timeout: 10_000 }).toMatchObject({ handles: 2, calls: 0 })
    return { fds: (await readdir('/proc/self/fd')).length, rss: process.memoryUsage().rss, listeners: libvirtStats().listeners }
  }
  // By then the heap, compiled code and what allocators keep have come to their size, a sanitizer's quarantine too.
  for (let round = 0; round < 200; round++) await use(connection)
  const before = await measure()
  for (let round = 0; round < 500; round++) await use(connection)
  const after = await measure()
  expect(after.fds).toBeLessThanOrEqual(before.fds)
  expect(after.listeners).toBeLessThanOrEqual(before.listeners)
  // Less than a page of each call.
  expect(after.rss - before.rss).toBeLessThan(40 << 20)
  await network.undefine()
  await network.close()
}

test('by the mock', async () => {
  const connection = await connectMock()
  await nothingGrows(connection)
}, 60_000)

withDaemon.test('by a daemon', async () => {
  await using daemon = await startLibvirtd()
  const connection = await connectFor(daemon.socketUri)
  await nothingGrows(connection)
}, 60_000)
