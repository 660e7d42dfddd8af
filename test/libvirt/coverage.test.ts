/** Every function for networks and their ports, that the installed libvirt has, is bound or superseded. */
import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import { needing, needs } from '../support/needs.ts'

const api = '/usr/share/libvirt/api/libvirt-api.xml'
const { test } = needing(needs.file(api))

/** What is not bound, and what does the same better. */
const superseded: Record<string, string> = {
  virConnectListNetworks: 'names only, and the list may change between NumOf and List: virConnectListAllNetworks',
  virConnectNumOfNetworks: 'virConnectListAllNetworks',
  virConnectListDefinedNetworks: 'virConnectListAllNetworks',
  virConnectNumOfDefinedNetworks: 'virConnectListAllNetworks',
  virNetworkGetConnect: 'a handle is made by a connection, which its caller has; it would bring no reference',
  virNetworkGetUUID: 'the same 16 bytes as text: virNetworkGetUUIDString',
  virNetworkLookupByUUID: 'the same by text: virNetworkLookupByUUIDString',
  virNetworkPortGetUUID: 'virNetworkPortGetUUIDString',
  virNetworkPortLookupByUUID: 'virNetworkPortLookupByUUIDString',
}

/** In libvirts newer than the one that the test may find. */
const newer = ['virNetworkGetMetadata', 'virNetworkSetMetadata']

const text = await readFile(api, 'utf8').catch(() => '')
const all = [...text.matchAll(/<function name='(\w+)'/g)].map(([, name]) => name as string)
const ofNetworks = all.filter(name => /^virNetwork|^virConnect\w*Network/.test(name))

test('all of virNetwork* and virNetworkPort*', () => {
  const bound = new Set(loadAddon().libvirt.table.map(({ name }) => name))
  expect(ofNetworks.length).toBeGreaterThanOrEqual(44)
  expect(ofNetworks.filter(name => !bound.has(name) && !(name in superseded))).toEqual([])
  expect(newer.filter(name => !bound.has(name))).toEqual([])
})

test('nothing is called superseded that is bound, or that there is not', () => {
  const bound = new Set(loadAddon().libvirt.table.map(({ name }) => name))
  for (const name of Object.keys(superseded)) {
    expect(bound.has(name), name).toBe(false)
    expect(all, name).toContain(name)
  }
})

test('what is bound is in the library, under that name, from the version that is told', async () => {
  const { libvirt } = loadAddon()
  const installed = await libvirt.functions.virGetVersion()
  for (const { name, since } of libvirt.table) {
    const [major = 0, minor = 0, release = 0] = since.split('.').map(Number)
    expect(all.includes(name), `${name} (${since})`).toBe(major * 1_000_000 + minor * 1_000 + release <= installed)
  }
})

test('the functions that binding/libvirt.ts declares are those that the addon has', async () => {
  const declared = await readFile('binding/libvirt.ts', 'utf8')
  const names = [...declared.matchAll(/^ {2}(vir\w+)\(/gm)].map(([, name]) => name)
  expect(names.sort()).toEqual(Object.keys(loadAddon().libvirt.functions).sort())
})
