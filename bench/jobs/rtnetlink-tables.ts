/** Entries of tables by the thousand, a dump of links, the way of an event, and what a long call costs the event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host, LinkSpec } from '../../src/index.ts'
import { timeMs, timeUs } from '../support/job.ts'
import type { Contender, Contenders, Job } from '../support/job.ts'
import { Batch, openFloor, openNamespace, openNetlinkPackage, openPyroute2, settle } from '../support/links.ts'

const entries = 10_000
const macOf = (i: number): string => `52:54:00:${[i >> 16, i >> 8 & 255, i & 255].map(byte => byte.toString(16).padStart(2, '0')).join(':')}`
const ipOf = (i: number): string => `10.${i >> 16}.${i >> 8 & 255}.${i & 255}`
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** A table that is filled, which is timed, and emptied. */
interface Table {
  /** The command of the programs, of bench/floor/links.c. */
  command: string
  /** As lines of a batch: `bridge -batch`, `ip -batch`. */
  tool: 'bridge' | 'ip'
  add(i: number): string
  remove(i: number): string
  open(host: Host): { add(): Promise<unknown>, remove(): Promise<unknown> }
}

const fdb: Table = {
  command: `fdb ${entries}`,
  tool: 'bridge',
  add: i => `fdb add ${macOf(i)} dev fp0 master static`,
  remove: i => `fdb del ${macOf(i)} dev fp0 master`,
  open({ neighbors }) {
    const wanted = numbers(entries).map(i => ({ link: 'fp0', mac: macOf(i), master: true }))
    return { add: () => neighbors.addMany(wanted), remove: () => neighbors.deleteMany(wanted) }
  },
}

const routes: Table = {
  command: `routes ${entries}`,
  tool: 'ip',
  add: i => `route add ${ipOf(i)}/32 dev fp0 proto static scope link`,
  remove: i => `route del ${ipOf(i)}/32 dev fp0`,
  open({ routes }) {
    const wanted = numbers(entries).map(i => ({ to: `${ipOf(i)}/32`, link: 'fp0', protocol: 'static' as const, scope: 'link' as const }))
    return { add: () => routes.addMany(wanted), remove: () => routes.deleteMany(wanted) }
  },
}

async function table(of: Table): Promise<Contenders> {
  const [host, floor, batch, pyroute2, netlink] =
    await Promise.all([openNamespace(), openFloor(), Batch.open(), openPyroute2(), of === routes ? openNetlinkPackage() : undefined])
  const ours = of.open(host)
  const peers: Record<string, Contender> = {}
  if (batch !== undefined) {
    peers[`${of.tool} -batch`] = async () => {
      const time = await batch.run(of.tool, numbers(entries).map(of.add))
      await batch.run(of.tool, numbers(entries).map(of.remove))
      return time / 1000
    }
  }
  if (pyroute2 !== undefined) peers['pyroute2'] = async () => await pyroute2.run(of.command) / 1000
  if (netlink !== undefined) peers['netlink'] = async () => await netlink.run(of.command) / 1000
  return {
    ours: async () => {
      const time = await timeMs(ours.add)
      await ours.remove()
      return time
    },
    floor: async () => await floor.run(of.command) / 1000,
    peers,
    peerRounds: { 'ip -batch': 5, 'bridge -batch': 5, 'pyroute2': 1, 'netlink': 1 },
    async close() {
      await host.close()
      for (const opened of [floor, batch, pyroute2, netlink]) await opened?.[Symbol.asyncDispose]()
    },
  }
}

const veths = (count: number): LinkSpec[] => numbers(count).map(i => ({
  name: `fv${i}`, kind: 'veth', master: 'fbr', up: true, veth: { peer: { name: `fq${i}`, up: true } },
}))

async function list(): Promise<Contenders> {
  const host = await openNamespace()
  const [floor, pyroute2, netlink] = await Promise.all([openFloor(), openPyroute2(host), openNetlinkPackage(host)])
  await host.links.createMany(veths(1000))
  await floor.run('create veth 1000')
  await settle(4000)
  const peers: Record<string, Contender> = {}
  if (pyroute2 !== undefined) peers['pyroute2'] = async () => await pyroute2.run('list') / 1000
  if (netlink !== undefined) peers['netlink'] = async () => await netlink.run('list') / 1000
  return {
    ours: () => timeMs(() => host.links.list({ statistics: false })),
    floor: async () => await floor.run('list') / 1000,
    peers,
    async close() {
      for (const opened of [floor, pyroute2, netlink]) await opened?.[Symbol.asyncDispose]()
      await host.close()
    },
  }
}

/** From the call that changes a link to the value of `for await`, some times in a row. */
async function event(times: number): Promise<Contenders> {
  const [host, floor] = await Promise.all([openNamespace(), openFloor()])
  const watch = host.watch({ links: { link: 'fp0' } }, { snapshot: false })
  await watch.ready
  let mtu = 1400
  const once = async (): Promise<void> => {
    mtu ^= 4
    const changed = host.links.set('fp0', { mtu })
    for await (const told of { [Symbol.asyncIterator]: () => ({ next: () => watch.next() }) }) {
      if (told.type === 'link' && told.link.mtu === mtu) break
    }
    await changed
  }
  return {
    ours: () => timeUs(async () => {
      for (let i = 0; i < times; i++) await once()
    }),
    floor: () => floor.run(`event ${times}`),
    async close() {
      await watch.close()
      await host.close()
      await floor[Symbol.asyncDispose]()
    },
  }
}

/** The 99th percentile of the event loop's delay while something is under way; in milliseconds. */
async function loopDelay(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  return delay.percentile(99) / 1e6
}

/**
 * The floor is a loop that has nothing to do while the C program deletes them: what the machine itself leaves of it. The links
 * are without IPv6, as libvirt has its ports: its multicasts between a thousand would take both processors for seconds.
 */
async function deleteDelay(): Promise<Contenders> {
  const [host, floor] = await Promise.all([openNamespace(), openFloor()])
  await host.sysctl.set('net.ipv6.conf.default.disable_ipv6', 1)
  await floor.run('without-ipv6')
  const names = veths(1000).map(({ name }) => name)
  return {
    ours: async () => {
      await host.links.createMany(veths(1000))
      await sleep(600)
      return loopDelay(() => host.links.deleteMany(names))
    },
    floor: async () => {
      await floor.run('create veth 1000')
      await sleep(600)
      return loopDelay(() => floor.run('delete 1000'))
    },
    async close() {
      await host.close()
      await floor[Symbol.asyncDispose]()
    },
  }
}

const jobs: Job[] = [
  { name: 'fdb-add-10000', about: 'add 10,000 entries to the forwarding database of a bridge', unit: 'ms', rounds: 10, warmup: 10, open: () => table(fdb) },
  { name: 'routes-add-10000', about: 'add 10,000 routes by way of a link', unit: 'ms', rounds: 10, warmup: 10, open: () => table(routes) },
  { name: 'links-list-2000', about: 'dump 2,000 links, without statistics', unit: 'ms', rounds: 10, warmup: 10, open: list },
  { name: 'links-event', about: 'from a change of a link to the watcher', unit: 'us', rounds: 100, warmup: 20, open: () => event(1) },
  { name: 'links-event-100', about: 'from a change of a link to the watcher, 100 times in a row', unit: 'us', rounds: 20, warmup: 20, open: () => event(100) },
  { name: 'links-delete-loop-delay', about: 'p99 of the event loop’s delay while 1,000 veths are deleted', unit: 'ms', rounds: 5, warmup: 3, open: deleteDelay },
]

export default jobs
