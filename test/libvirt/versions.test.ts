/**
 * libvirts that this machine has not: older ones, which lack functions, and newer ones, which have what the installed one
 * may lack. native/test/libvirt_stub.cc stands for them. Of the package as built (scripts/test).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

const { test } = needing(needs.tool('g++'))
const entry = JSON.stringify(new URL('../../dist/src/libvirt/index.js', import.meta.url).href)

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'virbr-versions-')) })
afterAll(() => rm(folder, { recursive: true }))

/** Runs code that has `connection` and `network` of that libvirt, and gives what it prints as JSON. */
async function withLibvirt(version: number, code: string): Promise<unknown> {
  const home = await mkdtemp(join(folder, `${version}-`))
  await run('g++', ['-std=c++17', '-Wall', '-Werror', '-shared', '-fPIC', `-DVERSION=${version}`,
    '-o', join(home, 'libvirt.so.0'), 'native/test/libvirt_stub.cc'])
  const source = `
    import { connectLibvirt } from ${entry}
    const codeOf = call => call.then(value => value, ({ code, message }) => code + ': ' + message)
    const connection = await connectLibvirt('test:///default', { keepAlive: false })
    const network = await connection.networks.get('stub')
    ${code}
    await connection.close()`
  const output = await run(process.execPath, ['--input-type=module', '-e', source], { env: { LD_LIBRARY_PATH: home } })
  return JSON.parse(output) as unknown
}

test('1.0 has no ports, no metadata and no events of networks: each says since when there are', async () => {
  expect(await withLibvirt(1_000_000, `console.log(JSON.stringify([network.name, ...await Promise.all([
    network.networkPorts.list(), network.metadata.get('title'), connection.networks.watch().ready].map(codeOf))]))`)).toEqual([
    'stub',
    'ERR_UNSUPPORTED: virNetworkListAllPorts needs libvirt 5.5.0 or later; 1.0.0 is installed',
    'ERR_UNSUPPORTED: virNetworkGetMetadata needs libvirt 9.7.0 or later; 1.0.0 is installed',
    'ERR_UNSUPPORTED: virConnectNetworkEventRegisterAny needs libvirt 1.2.1 or later; 1.0.0 is installed',
  ])
})

test('9.7 has metadata of networks, but no events of it', async () => {
  expect(await withLibvirt(9_007_000, `
    const watch = connection.networks.watch()
    await watch.ready
    await network.metadata.set('title', 'A title', { config: true })
    await watch.close()
    console.log(JSON.stringify(await network.metadata.get('description', { live: true })))`)).toBe('1 A title (null) (null) 2, 0 (null) 1')
})

test('the newest tells of metadata, and of MACs that guests change', async () => {
  expect(await withLibvirt(12_008_000, `
    const watch = connection.networks.watch()
    await watch.ready
    const element = { namespace: 'http://example.org/', prefix: 'e' }
    await network.metadata.set(element, '<a/>', { live: true, config: true })
    const guests = connection.domains.watch({ events: ['nic-mac-change'] })
    await guests.ready
    console.log(JSON.stringify([await network.metadata.get(element), (await watch.next()).value, (await guests.next()).value]))`)).toEqual([
    '2 <a/> e http://example.org/ 3, 2 http://example.org/ 0',
    { type: 'metadata', name: 'stub', uuid: '11111111-1111-4111-8111-111111111111', kind: 'element', namespace: 'http://example.org/' },
    { type: 'nic-mac-change', name: 'guest', uuid: '22222222-2222-4222-8222-222222222222', id: 7, alias: 'net0', oldMac: '52:54:00:00:00:01', newMac: '52:54:00:00:00:02' },
  ])
})

test('an event that the library has no number for names the libvirt that has', async () => {
  expect(await withLibvirt(11_000_000, `console.log(JSON.stringify(await codeOf(connection.domains.watch({ events: ['nic-mac-change'] }).ready)))`))
    .toMatch(/^ERR_UNSUPPORTED: events of type nic-mac-change need libvirt 11\.2 or later/)
})
