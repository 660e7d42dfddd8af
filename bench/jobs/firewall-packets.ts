/** What a guest's packet costs on its way out and back, with the rules of few and of many networks. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, Host } from '../../src/index.ts'
import type { NetworkConfig } from '../../src/index.ts'
import { networkRules } from '../../src/kernel/firewall.ts'
import { addRule, iptablesRule } from '../../src/nftables/index.ts'
import { needs } from '../../test/support/needs.ts'
import { countsIn, listTable, missingNft, netnsOf } from '../support/firewall.ts'
import type { Contender, Contenders, Job } from '../support/job.ts'
import { floorProgram, Program } from '../support/program.ts'

const packets = 4096
const bridge = 'virbr0'
const gateway = '192.168.122.1'
const guestAddress = '192.168.122.2'
const router = '198.51.100.1'
const outside = '198.51.100.2'

/** Network 0 is the guest's. */
const networkOf = (i: number): NetworkConfig => {
  const subnet = i === 0 ? '192.168.122' : `10.${i >> 8}.${i & 255}`
  return {
    name: `net${i}`, bridge: { name: `virbr${i}`, stp: false }, forward: { mode: 'nat' },
    ip: [{ address: `${subnet}.1`, prefix: 24, dhcp: { range: [{ start: `${subnet}.2`, end: `${subnet}.254` }] } }],
  }
}

/** Rules of networks that are not started, written as a start writes them. */
async function addRulesOf(host: Host, networks: readonly number[]): Promise<void> {
  const requests = networks.flatMap(i => networkRules(networkOf(i), `virbr${i}`).map(({ table, chain, ...rule }) =>
    addRule({ family: 'ip', table, chain, insert: true, expressions: iptablesRule({ family: 'ip', ...rule }) })))
  if (requests.length > 0) await host.firewall.commit(requests)
}

/** A guest, its router and the world outside, each in a namespace of its own. */
class Path implements AsyncDisposable {
  readonly host: Host
  readonly #guest: Host
  readonly #outside: Host
  #program: Program | undefined

  private constructor(host: Host, guest: Host, world: Host) {
    this.host = host
    this.#guest = guest
    this.#outside = world
  }

  static async open(): Promise<Path> {
    const [host, guest, world] = await Promise.all([0, 1, 2].map(() => Host.open({ netns: { create: true } }))) as [Host, Host, Host]
    await host.links.create({ name: 'out0', kind: 'veth', up: true, veth: { peer: { name: 'eth0', netns: world.netnsFd, up: true } } })
    await host.addresses.add('out0', `${router}/24`)
    await world.addresses.add('eth0', `${outside}/24`)
    await world.routes.add({ to: 'default', via: router })
    return new Path(host, guest, world)
  }

  /** Once there is a bridge. */
  async addGuest(): Promise<void> {
    const peer = { name: 'eth0', netns: this.#guest.netnsFd, up: true }
    await this.host.links.create({ name: 'vnet0', kind: 'veth', master: bridge, up: true, veth: { peer } })
    await this.#guest.addresses.add('eth0', `${guestAddress}/24`)
    await this.#guest.routes.add({ to: 'default', via: gateway })
    this.#program = new Program(await floorProgram('packets'), [netnsOf(this.#guest), netnsOf(this.#outside), outside])
  }

  async send(): Promise<{ us: number, from: string }> {
    return await this.#program?.ask(String(packets)) as { us: number, from: string }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]()
    for (const each of [this.#guest, this.#outside, this.host]) await each.close()
  }
}

async function openBare(): Promise<Path> {
  const path = await Path.open()
  await path.host.links.create({ name: bridge, kind: 'bridge', up: true, bridge: { stp: false } })
  await path.host.addresses.add(bridge, `${gateway}/24`)
  await path.host.sysctl.set('net.ipv4.ip_forward', 1)
  await path.addGuest()
  return path
}

/** Of the table filter: a network's rules, and the jumps to them. */
async function checkRules(netns: string, count: number): Promise<void> {
  const { rules } = countsIn(await listTable(netns, 'ip filter'))
  const expected = networkRules(networkOf(0), bridge).filter(({ table }) => table === 'filter').length * count + 5
  if (rules !== expected) throw new Error(`the table filter has ${rules} rules, not ${expected}`)
}

type Age = 'oldest' | 'newest'

/** One network is started, before the others or after them; of the others there are the rules. */
async function openNetworks(count: number, age: Age, root: string): Promise<{ path: Path, close(): Promise<void> }> {
  const path = await Path.open()
  const netns = netnsOf(path.host)
  const connection = await connect(`kernel:///system?netns=${netns}&root=${root}`)
  const others = Array.from({ length: count - 1 }, (_, i) => i + 1)
  let network = await connection.networks.create(networkOf(0))
  await addRulesOf(path.host, others)
  if (age === 'newest') {
    await network.destroy()
    network = await connection.networks.create(networkOf(0))
  }
  await checkRules(netns, count)
  await path.addGuest()
  return {
    path,
    async close() {
      await network.destroy()
      await connection.close()
      await path[Symbol.asyncDispose]()
    },
  }
}

async function open(count: number, age: Age): Promise<Contenders | { skip: string }> {
  const missing = missingNft() ?? needs.kernel('iptablesNft') ?? needs.kernel('iptablesChecksum') ?? needs.tool('dnsmasq') ?? needs.kernel('veth')
  if (missing !== undefined) return { skip: missing }
  const root = await mkdtemp('/dev/shm/virbr-bench-')
  const [bare, networks] = [await openBare(), await openNetworks(count, age, root)]
  const contender = (path: Path, sender: string): Contender => async () => {
    const { us, from } = await path.send()
    if (from !== sender) throw new Error(`packets came from ${from}, not from ${sender}`)
    return us
  }
  return {
    ours: contender(networks.path, router),
    floor: contender(bare, guestAddress),
    async close() {
      await networks.close()
      await bare[Symbol.asyncDispose]()
      await rm(root, { recursive: true, force: true })
    },
  }
}

const job = (count: number, age: Age): Job => ({
  name: `firewall-packets-${count}${count > 1 && age === 'newest' ? '-newest' : ''}`,
  about: `a packet to or from a guest, with the rules of ${count === 1 ? 'its network' : `${count} networks; its own is the ${age}`}`,
  unit: 'us', rounds: 15, open: () => open(count, age),
})

export default [job(1, 'oldest'), job(100, 'oldest'), job(100, 'newest'), job(1000, 'oldest'), job(1000, 'newest')]
