/** Calls in no order at all, with handles and connections closed beneath them: an answer or an error of ours, never a crash. */
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'vitest'
import { VirbrError } from '../../src/errors.ts'
import { libvirtStats } from '../../src/libvirt/calls.ts'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import type { LibvirtNetwork } from '../../src/libvirt/network.ts'
import { needing, needs } from '../support/needs.ts'
import { networkXml } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))

/** A linear congruential generator: a run can be repeated. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
}

test.each([1, 2, 3, 4, 5])('seed %i', async seed => {
  const below = randomNumbers(seed)
  const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)]
  const connections: LibvirtConnection[] = []
  const networks: LibvirtNetwork[] = []
  const results: Promise<unknown>[] = []
  const name = (): string => `n${below(4)}`
  const keep = (found: Promise<LibvirtNetwork>): Promise<unknown> => found.then(network => networks.push(network))
  const onConnection: ((connection: LibvirtConnection) => Promise<unknown>)[] = [
    ({ networks: all }) => all.list().then(found => networks.push(...found)),
    ({ networks: all }) => keep(all.get(name())),
    ({ networks: all }) => keep(all.define(networkXml(name(), { subnet: below(4) }))),
    ({ networks: all }) => keep(all.create(networkXml(name(), { subnet: below(4) }))),
    ({ networks: all }) => all.autostart(),
    async ({ networks: all }) => {
      const watch = all.watch({ limit: 1 + below(3) })
      if (below(2) === 0) await watch.ready
      await Promise.all([below(2) === 0 ? watch.next() : undefined, turn().then(() => watch.close())])
    },
    connection => connection.type(),
    connection => connection.isAlive(),
    ({ domains }) => domains.list(),
  ]
  const onNetwork: ((network: LibvirtNetwork) => Promise<unknown>)[] = [
    network => network.info(), network => network.start(), network => network.destroy(), network => network.undefine(),
    network => network.xml(), network => network.config({ inactive: true }), network => network.setAutostart(below(2) === 0),
    network => network.addDnsTxt({ name: name(), value: 'x' }), network => network.networkPorts.list(), network => network.leases(),
    network => network.metadata.get('title'), network => network.close(),
  ]
  for (let step = 0; step < 400; step++) {
    const connection = pick(connections)
    const network = pick(networks)
    if (connection === undefined || below(40) === 0) connections.push(await connectLibvirt('test:///default'))
    else if (below(60) === 0) results.push(connection.close())
    else if (network === undefined || below(3) === 0) {
      const call = pick(onConnection)
      // A closed connection throws where it is asked for its parts.
      results.push(Promise.resolve().then(() => call?.(connection)))
    } else results.push((pick(onNetwork) as (typeof onNetwork)[number])(network))
    results.at(-1)?.catch(() => { /* Looked at below. */ })
    if (below(5) === 0) await turn()
  }
  const settled = await Promise.allSettled(results)
  const odd = settled.flatMap(result => result.status === 'rejected' && !(result.reason instanceof VirbrError) ? [result.reason as unknown] : [])
  expect(odd).toEqual([])
  expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(50)
  await Promise.all(connections.map(connection => connection.close()))
  expect(libvirtStats()).toMatchObject({ handles: 0, calls: 0 })
  // libvirt gives listeners back from its event loop, a moment after they were deregistered.
  await expect.poll(() => libvirtStats().listeners).toBe(0)
})
