/** Links by the thousand: created into one bridge and up, and deleted. */
import { closeSync } from 'node:fs'
import type { LinkSpec } from '../../src/index.ts'
import { needs } from '../../test/support/needs.ts'
import { timeUs } from '../support/job.ts'
import type { Contender, Contenders, Job } from '../support/job.ts'
import { Batch, bridgeOf, naive, openFloor, openNamespace, openNetlinkPackage, openPyroute2, phased, settle } from '../support/links.ts'
import type { Kind, Run } from '../support/links.ts'

function specs(kind: Kind, count: number): LinkSpec[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `fv${i}`, kind, up: true, ...(kind === 'vlan' ? {} : { master: bridgeOf(i) }),
    ...(kind === 'veth' ? { veth: { peer: { name: `fq${i}`, up: true } } } : {}),
    ...(kind === 'tap' ? { tap: { persist: false } } : {}),
    ...(kind === 'vxlan' ? { vxlan: { id: i + 1, dstPort: 4789 } } : {}),
    ...(kind === 'vlan' ? { link: 'fbr', vlan: { id: i % 4094 + 1 } } : {}),
  }) as LinkSpec)
}

type Verb = 'create' | 'delete'

/** Both are done in each sample; the one that the job is about is timed. */
function pair(create: () => Promise<number>, remove: () => Promise<number>, verb: Verb, count: number): Contender {
  return async () => {
    const created = await create()
    await settle(count)
    const deleted = await remove()
    await settle(count)
    return (verb === 'create' ? created : deleted) / 1000
  }
}

async function open(kind: Kind, count: number, verb: Verb): Promise<Contenders | { skip: string }> {
  const missing = needs.kernel(kind)
  if (missing !== undefined) return { skip: missing }
  const [host, floor, batch, pyroute2, netlink] =
    await Promise.all([
      openNamespace(count), openFloor(), Batch.open(count), openPyroute2(undefined, count), openNetlinkPackage(undefined, count),
    ])
  const asked = (run: Run): Contender => pair(() => run(`create ${kind} ${count}`), () => run(`delete ${count}`), verb, count)
  const wanted = specs(kind, count)
  const names = wanted.map(({ name }) => name)
  let fds: number[] = []
  const ours = pair(
    () => timeUs(async () => { fds = (await host.links.createMany(wanted)).flatMap(link => link.fds ?? []) }),
    async () => {
      const time = await timeUs(() => host.links.deleteMany(names))
      for (const fd of fds) closeSync(fd)
      return time
    }, verb, count,
  )
  const peers: Record<string, Contender> = {}
  if (batch !== undefined) {
    const script = (how: typeof naive | typeof phased): Contender =>
      pair(() => batch.run('ip', how.create(kind, count)), () => batch.run('ip', how.delete(count)), verb, count)
    peers['ip -batch, phased'] = script(phased)
    // Minutes.
    if (count <= 1000) peers['ip -batch'] = script(naive)
  }
  if (pyroute2 !== undefined) peers['pyroute2'] = asked(pyroute2.run)
  if (netlink !== undefined && kind === 'veth') peers['netlink'] = asked(netlink.run)
  return {
    ours, floor: asked(floor.run), peers,
    peerRounds: Object.fromEntries(Object.keys(peers).map(name => [name, count < 1000 ? 3 : 1])),
    async close() {
      await host.close()
      for (const opened of [floor, batch, pyroute2, netlink]) await opened?.[Symbol.asyncDispose]()
    },
  }
}

const sizes: [Kind, number[]][] = [['veth', [1, 100, 1000, 4000]], ['tap', [1, 100, 1000, 4000]], ['vxlan', [1000]], ['vlan', [1000]]]

const jobs: Job[] = sizes.flatMap(([kind, counts]) => counts.flatMap(count => (['create', 'delete'] as const).map(verb => ({
  name: `links-${verb}-${kind}-${count}`,
  about: `${verb} ${count} ${kind} ${verb === 'create' ? 'in a bridge (from 1,000 on in one for each thousand), up' : 'of a bridge'}`,
  unit: 'ms' as const,
  rounds: count === 1 ? 20 : count === 100 ? 10 : count === 1000 ? 3 : 1,
  // A process that does so all day: the first dozen calls of some links run code that V8 has not compiled yet.
  warmup: count <= 100 ? 20 : 2,
  open: () => open(kind, count, verb),
}))))

export default jobs
