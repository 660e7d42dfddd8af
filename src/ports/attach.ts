/**
 * Making ports, in phases: all links, down; all into the bridge, with their record, and up; all reservations; all peers
 * up. A port that comes up sends IPv6 multicasts to all that are up already, so one by one would cost the square of
 * their number. All or none: whatever fails, everything of the call is taken away again.
 */
import { constants } from 'node:os'
import type { StepFailure, TapStep } from '../../binding/index.ts'
import { failure, routeStep } from '../host/channel.ts'
import type { Channel } from '../host/channel.ts'
import { deleteLinks } from '../host/delete-links.ts'
import { chunksOf, briefLinks } from '../host/brief-links.ts'
import { Namespaces } from '../host/namespaces.ts'
import type { AnyRequest } from '../netlink/message.ts'
import type { Port, PortSpec } from '../network/connection.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { newLink, setLink } from '../rtnetlink/links.ts'
import { formatAlias } from './alias.ts'
import { lookAround, nameTaken, planPorts } from './plan.ts'
import type { PlannedPort } from './plan.ts'
import { releaseAddresses, reserveAddress } from './reservations.ts'
import { at, checkSpecs } from './spec.ts'
import type { CheckedSpec } from './spec.ts'
import { portOf } from './target.ts'
import type { PortNetwork, PortTarget } from './target.ts'

/** How often a name is chosen again that somebody else took at the same moment. */
const attempts = 20

/** How many ports go into one visit to the Host's thread: other requests of the Host wait meanwhile. */
const portsAtOnce = 500

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
    for (const spec of checked) {
      const { netns } = spec.peer ?? {}
      if (netns !== undefined) await namespaces.open(netns, error => inItem(error, spec, 'peer.netns'))
    }
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
    for (const chunk of chunksOf(ports, portsAtOnce)) await create(channel, namespaces, chunk, made)
    const links: BriefLink[] = []
    for (const chunk of chunksOf(ports, portsAtOnce)) links.push(...await configure(channel, network, chunk, bridge))
    for (const port of ports) {
      if (port.ip === undefined) continue
      await reserveAddress(network, port).catch((error: Error) => { throw inItem(error, port, 'ip') })
      reserved.push(port)
    }
    await setUp(namespaces, ports)
    return links.map(link => portOf(link, network))
  } catch (error) {
    // What went wrong first is what the caller has to know.
    await releaseAddresses(network, reserved).catch(() => {})
    await deleteLinks(channel, made.map(link => ({ link, group: 0 }))).catch(() => {})
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
  const netnsFd = namespaces.fdOf(peer?.netns)
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

/** Into the bridge and up, with the record; the links as they are then. */
async function configure(
  channel: Channel, network: PortNetwork, ports: readonly PlannedPort[], bridge: BriefLink,
): Promise<BriefLink[]> {
  await channel.request(ports.flatMap(port => portRequests(port, network, bridge)))
  const links = await briefLinks(channel, ports.map(({ ifname }) => ifname))
  return links.filter(link => link !== undefined)
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

async function setUp(namespaces: Namespaces, ports: readonly PlannedPort[]): Promise<void> {
  const byChannel = new Map<Channel, AnyRequest[]>()
  for (const port of ports) {
    if (port.peer?.up !== true) continue
    const { netns, ifname } = port.peer
    const channel = namespaces.channelOf(netns)
    const requests = setLink(ifname, { up: true }).map(request => ({ ...request, operation: `${prefix(port)}set peer ${ifname} up` }))
    const others = byChannel.get(channel)
    if (others === undefined) byChannel.set(channel, requests)
    else others.push(...requests)
  }
  for (const [channel, requests] of byChannel) {
    for (const chunk of chunksOf(requests, portsAtOnce)) await channel.request(chunk)
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
