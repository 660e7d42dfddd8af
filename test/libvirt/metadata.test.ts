/** Title, description and elements: of domains on any libvirt, of networks since 9.7. */
import { expect } from 'vitest'
import { calls } from '../../src/libvirt/calls.ts'
import type { Metadata, MetadataName } from '../../src/libvirt/metadata.ts'
import { needing, needs } from '../support/needs.ts'
import { codeOf, connectMock, failureOf } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))
const element = { namespace: 'http://example.org/virbr', prefix: 'v' }

async function keepsAll(metadata: Metadata): Promise<void> {
  for (const name of ['title', 'description'] as const) {
    expect(await codeOf(metadata.get(name))).toBe('ERR_NO_METADATA')
    await metadata.set(name, 'a <b> & "ü"')
    expect(await metadata.get(name)).toBe('a <b> & "ü"')
    await metadata.set(name, null)
    expect(await codeOf(metadata.get(name))).toBe('ERR_NO_METADATA')
  }
  expect(await codeOf(metadata.get(element))).toBe('ERR_NO_METADATA')
  await metadata.set(element, "<owner name='fred'/>")
  expect(await metadata.get({ namespace: element.namespace })).toContain('fred')
  expect(await metadata.get(element, { live: true })).toContain('fred')
  await metadata.set({ namespace: element.namespace, prefix: 'v' }, null)
  expect(await codeOf(metadata.get(element))).toBe('ERR_NO_METADATA')
  expect(await codeOf(metadata.set(element, '<owner'))).toMatch(/^ERR_(INVALID_XML|LIBVIRT)$/)
}

test('a domain keeps them', async () => {
  const { domains } = await connectMock("<domain type='test'><name>guest</name><memory>8192</memory><os><type>hvm</type></os></domain>")
  await keepsAll((await domains.get('guest')).metadata as Metadata)
})

test('a network keeps them, or names the libvirt that would', async () => {
  const { networks } = await connectMock()
  const { metadata } = await networks.get('default')
  if (await calls.virGetVersion() >= 9_007_000) return keepsAll(metadata as Metadata)
  expect(await failureOf(metadata.get('title'))).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'libvirt ≥ 9.7.0' })
  expect(await failureOf(metadata.set('title', 'x'))).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'libvirt ≥ 9.7.0' })
})

test.each<[unknown, unknown, object, string]>([
  ['titel', 'x', {}, 'name'],
  [null, 'x', {}, 'name'],
  [{}, 'x', {}, 'name.namespace'],
  [{ namespace: 'x' }, '<a/>', {}, 'name.prefix'],
  [{ namespace: 'x', key: 'y' }, '<a/>', {}, 'name.key'],
  ['title', 5, {}, 'value'],
  ['title', 'a\0b', {}, 'value'],
  ['title', 'x', { liv: true }, 'options.liv'],
  ['title', 'x', { live: 1 }, 'options.live'],
])('set(%j, %j, %j) is refused for %s', async (name, value, options, field) => {
  const { networks } = await connectMock()
  const { metadata } = await networks.get('default')
  expect(await failureOf(metadata.set(name as 'title', value as string, options))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
})

test('one answer is asked for', async () => {
  const { networks } = await connectMock()
  const { metadata } = await networks.get('default')
  expect(await failureOf(metadata.get('title', { live: true, config: true }))).toMatchObject({ field: 'options' })
  expect(await failureOf(metadata.get(7 as unknown as MetadataName))).toMatchObject({ field: 'name' })
})
