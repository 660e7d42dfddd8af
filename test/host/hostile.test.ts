/** Whatever a Host and its parts are given, they answer, or reject with a VirbrError; and nothing hangs. */
import { expect } from 'vitest'
import { Host } from '../../src/host/host.ts'
import { netns } from '../../src/host/netns.ts'
import { Complaints, methodsOf, someWrongValues, wrongArguments, wrongValues } from '../support/hostile.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost } from './support.ts'

const { test } = needing(needs.netAdmin, needs.kernel('bridge'))

const parts = [
  'links', 'addresses', 'routes', 'neighbors', 'rules', 'nexthops', 'vlans', 'mdb', 'qdiscs', 'classes', 'filters', 'bandwidth', 'sysctl',
  'firewall', 'iptables',
] as const

/** Protected in TypeScript. */
const internal = new Set(['send', 'dump'])

test('every method of every part, with wrong values for all of its arguments', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  const complaints = new Complaints()
  for (const part of parts) {
    for (const [name, method] of methodsOf(host[part]).filter(([name]) => !internal.has(name))) {
      for (const given of wrongArguments(someWrongValues, [])) await complaints.try(`${part}.${name}`, () => method(...given), given)
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000)

test('a Host itself, and namespaces by name', async () => {
  const complaints = new Complaints()
  const host = await newHost()
  for (const given of wrongArguments(someWrongValues, [])) {
    await complaints.try('host.watch', () => host.watch(...given as [object]), given)
  }
  for (const given of wrongArguments([], [])) {
    // A name that is right would be one for all.
    if (typeof given[0] === 'string' && given[0] !== '' && !given[0].includes('\0')) continue
    await complaints.try('Host.open', () => Host.open(...given as []), given)
    for (const [name, method] of methodsOf(netns)) if (name !== 'list') await complaints.try(`netns.${name}`, () => method(...given), given)
  }
  for (const value of wrongValues) await complaints.try('Host.open', () => Host.open({ netns: value as number }), [value])
  expect(complaints.list).toEqual([])
})
