/**
 * Making ports, in phases: all links, down; all into the bridge, with their record, and up; all reservations; all peers
 * up. A port that comes up sends IPv6 multicasts to all that are up already, so one by one would cost the square of
 * their number. All or none: whatever fails, everything of the call is taken away again.
 */
import { constants } from 'node:os'
import type { StepFailure, TapStep } from '../../binding/index.ts'
import { Channel, failure, repliesOf, routeStep } from '../host/channel.ts'
import { netnsSource, openNative } from '../host/netns.ts'
import type { Netns } from '../host/netns.ts'
import type { AnyRequest } from '../netlink/message.ts'
import type { Port, PortSpec } from '../network/connection.ts'
import { decodeBriefLink, getBriefLink } from '../rtnetlink/brief.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { newLink, setLink } from '../rtnetlink/links.ts'
import { formatAlias } from './alias.ts'
import { lookAround, nameTaken, planPorts } from './plan.ts'
import type { PlannedPort } from './plan.ts'
import { chunksOf, deleteLinks } from './remove.ts'
import { releaseAddresses, reserveAddress } from './reservations.ts'
import { at, checkSpecs } from './spec.ts'
import type { CheckedSpec } from './spec.ts'
import { portOf } from './target.ts'
import type { PortNetwork, PortTarget } from './target.ts'

/** How often a name is chosen again that somebody else took at the same moment. */
const attempts = 20

/** Names that calls of this process are about to make, by namespace: they would all choose the same. */
const promised = new Map<string, Set<string>>()

/**
 * Makes ports; see `Network.attach`. `alone`: errors name fields of one port, `mac`, not of a list, `ports[0].mac`.
 * Order of the result as of `specs`.
 */
export async function attachPorts(target: PortTarget, specs: readonly PortSpec[], { alone = false } = {}): Promise<Port[]> {
  const { network } = target
  const checked = checkSpecs(specs, network.config, alone)
  if (checked.length === 0) return []
  return target.channel.hold(async channel => {
    await using namespaces = new Namespaces(channel)
    await namespaces.open(checked)
    for (let attempt = 1; ; attempt++) {
      const surroundings = await lookAround(channel, network)
      const others = promisedNames(channel)
      const ports = planPorts(checked, surroundings, others)
      const chosen = ports.filter(({ named }) => named).map(({ ifname }) => ifname)
      for (const name of chosen) others.add(name)
      try {
        return await make({ channel, network }, namespaces, ports, surroundings.bridge)
      } catch (error) {
        if (!(error instanceof LostName) || attempt >= attempts) throw error instanceof LostName ? error.cause : error
      } finally {
        for (const name of chosen) others.delete(name)
      }
    }
  })
}

function promisedNames({ native: { netnsDevice, netnsInode } }: Channel): Set<string> {
  const namespace = `${netnsDevice}:${netnsInode}`
  const names = promised.get(namespace) ?? new Set()
  promised.set(namespace, names)
  return names
}

/** A name that was free a moment ago. */
class LostName extends Error {}

async function make(
  { channel, network }: PortTarget, namespaces: Namespaces, ports: readonly PlannedPort[], bridge: BriefLink,
): Promise<Port[]> {
  const made: string[] = []
  const reserved: PlannedPort[] = []
  try {
    for (const chunk of chunksOf(ports)) await create(channel, namespaces, chunk, made)
    const links: BriefLink[] = []
    for (const chunk of chunksOf(ports)) links.push(...await configure(channel, network, chunk, bridge))
    for (const port of ports) {
      if (port.ip === undefined) continue
      await reserveAddress(network, port).catch((error: Error) => { throw inItem(error, port, 'ip') })
      reserved.push(port)
    }
    await namespaces.setUp(ports)
    return links.map(link => portOf(link, network))
  } catch (error) {
    // What went wrong first is what the caller has to know.
    await releaseAddresses(network, reserved).catch(() => {})
    await deleteLinks(channel, made).catch(() => {})
    throw error
  }
}

/** Puts the names of what is there afterwards into `made`, also if it throws. */
async function create(channel: Channel, namespaces: Namespaces, ports: readonly PlannedPort[], made: string[]): Promise<void> {
  const veths = ports.filter(({ kind }) => kind === 'veth')
  const taps = ports.filter(({ kind }) => kind === 'tap')
  const vethStep = routeStep(veths.map(port => vethRequest(port, namespaces)), { mayFail: true })
  if (veths.length > 0) {
    const replies = await channel.attempt(vethStep)
    made.push(...veths.filter((_, index) => replies.errno(index) === 0).map(({ ifname }) => ifname))
    const { error } = replies
    const port = veths.find((_, index) => replies.errno(index) !== 0)
    if (error !== undefined && port?.named === true && error.errno === constants.errno.EEXIST) throw new LostName('', { cause: error })
    if (error !== undefined) throw error
  }
  if (taps.length === 0) return
  const steps = taps.map(tapStep)
  const { failed } = await channel.exec(steps)
  made.push(...taps.slice(0, failed?.step ?? taps.length).map(({ ifname }) => ifname))
  if (failed !== undefined) throw tapError(taps[failed.step] as PlannedPort, failed)
}

function vethRequest(port: PlannedPort, namespaces: Namespaces): AnyRequest {
  const { ifname, mac, ownMac, mtu, queues, peer } = port
  const common = { mtu, numTxQueues: queues, numRxQueues: queues }
  const spec = { name: ifname, kind: 'veth', mac: ownMac, ...common, veth: { peer: { name: peer?.ifname ?? '', mac, ...common } } }
  const netnsFd = namespaces.fdOf(port)
  const [request] = newLink(spec, netnsFd === undefined ? {} : { peerNetnsFd: netnsFd })
  const there = peer?.netns === undefined ? '' : ` in namespace ${peer.netns}`
  return { ...request as AnyRequest, operation: `${prefix(port)}create veth ${ifname} with peer ${peer?.ifname}${there}` }
}

function tapStep({ ifname, owner, group, vnetHeader, queues }: PlannedPort): TapStep {
  return {
    op: 'tap', name: ifname, persist: true, exclusive: true, vnetHeader,
    // Who uses it opens the queues; that it may have several is settled when it is made.
    multiQueue: queues > 1,
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
  }
}

function tapError(port: PlannedPort, failed: StepFailure): Error {
  if (failed.errno !== constants.errno.EBUSY) return inItem(failure(tapStep(port), failed), port)
  const error = nameTaken(at(port.path, 'ifname'), 'tap', port.ifname)
  return port.named ? new LostName('', { cause: error }) : error
}

/** Replies to several reads at once wait in the socket's buffer, which may be small in a user namespace. */
const readsAtOnce = 50

/** Into the bridge and up, with the record; the links as they are then. */
async function configure(
  channel: Channel, network: PortNetwork, ports: readonly PlannedPort[], bridge: BriefLink,
): Promise<BriefLink[]> {
  const change = routeStep(ports.flatMap(port => portRequests(port, network, bridge)))
  const reads = [...chunksOf(ports, readsAtOnce)].map(few => routeStep(few.map(({ ifname }) => getBriefLink(ifname))))
  const steps = [change, ...reads]
  const { results, failed } = await channel.exec(steps)
  if (failed !== undefined) throw failure(steps[failed.step] ?? change, failed, results[failed.step])
  return reads.flatMap((step, index) => repliesOf(step, results[index + 1]).messages.flatMap(messages => messages.map(decodeBriefLink)))
}

function portRequests(port: PlannedPort, { uuid }: PortNetwork, bridge: BriefLink): AnyRequest[] {
  const { ifname, kind, mac, ownMac, ip, hostname, mtu, isolated } = port
  const alias = formatAlias({ network: uuid, mac, ip, hostname })
  const settings = { alias, ...(kind === 'tap' ? { mac: ownMac, mtu } : {}) }
  const requests = isolated
    // Isolated before it is up: there is no moment in which it reaches others.
    ? [...setLink(ifname, settings, { master: bridge.index }), ...setLink(ifname, { port: { isolated } }), ...setLink(ifname, { up: true })]
    : setLink(ifname, { ...settings, up: true }, { master: bridge.index })
  const operation = `${prefix(port)}put ${ifname} into bridge ${bridge.name}`
  return requests.map(request => ({ ...request, operation }))
}

/** Where peers are born. A namespace that several have is opened once; closed with the call. */
class Namespaces implements AsyncDisposable {
  readonly #home: Channel
  readonly #opened = new Map<Netns, Channel>()

  constructor(home: Channel) {
    this.#home = home
  }

  async open(specs: readonly CheckedSpec[]): Promise<void> {
    const first = new Map<Netns, CheckedSpec>()
    for (const spec of specs) {
      const { netns } = spec.peer ?? {}
      if (netns !== undefined && !first.has(netns)) first.set(netns, spec)
    }
    const opened = await Promise.allSettled([...first].map(async ([netns, spec]) => {
      const native = await openNative(netnsSource(netns)).catch((error: Error) => { throw inItem(error, spec, 'peer.netns') })
      this.#opened.set(netns, new Channel(native))
    }))
    const failed = opened.find(result => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** For IFLA_NET_NS_FD; undefined: beside the other end. */
  fdOf({ peer }: PlannedPort): number | undefined {
    return peer?.netns === undefined ? undefined : this.#opened.get(peer.netns)?.native.netnsFd
  }

  async setUp(ports: readonly PlannedPort[]): Promise<void> {
    const byChannel = new Map<Channel, AnyRequest[]>()
    for (const port of ports) {
      if (port.peer?.up !== true) continue
      const { netns, ifname } = port.peer
      const channel = netns === undefined ? this.#home : this.#opened.get(netns) ?? this.#home
      const requests = setLink(ifname, { up: true }).map(request => ({ ...request, operation: `${prefix(port)}set peer ${ifname} up` }))
      const others = byChannel.get(channel)
      if (others === undefined) byChannel.set(channel, requests)
      else others.push(...requests)
    }
    for (const [channel, requests] of byChannel) {
      for (const chunk of chunksOf(requests)) await channel.request(chunk)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened.values()].map(channel => channel.close()))
  }
}

function prefix({ path }: CheckedSpec): string {
  return path === '' ? '' : `${path}: `
}

/** The same error, saying which port of the call it is about. */
export function inItem(error: Error, { path }: CheckedSpec, field = ''): Error {
  const where = field === '' ? path : at(path, field)
  if (where !== '') error.message = `${where}: ${error.message}`
  return error
}
