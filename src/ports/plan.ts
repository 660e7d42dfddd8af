/** A call completed: names, MACs and MTUs chosen where it leaves them open, and checked against what is there. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import { hexWithColons } from '../netlink/codecs.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Channel } from '../host/channel.ts'
import { failure } from '../host/channel.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { parseAlias } from './alias.ts'
import { at } from './spec.ts'
import type { CheckedSpec } from './spec.ts'
import { bridgeLinks, findBridge } from './target.ts'
import type { PortNetwork } from './target.ts'

export interface PlannedPort extends CheckedSpec {
  ifname: string
  /** The caller left the name to us. */
  named: boolean
  mac: string
  /** Of our own end. libvirt's convention: higher than any other, so that a bridge never takes it for its own. */
  ownMac: string
  mtu: number
}

/** What is there before ports are made. */
export interface Surroundings {
  bridge: BriefLink
  ports: BriefLink[]
  /** Names of all links of the namespace. */
  names: Set<string>
}

// Of the thread, which is what is in the Host's namespace. A dump of all links takes the kernel five times as long.
const devices = { op: 'readFile', path: '/proc/thread-self/net/dev' } as const

export async function lookAround(channel: Channel, network: PortNetwork): Promise<Surroundings> {
  const [bridge, { results: [file], failed }] = await Promise.all([findBridge(channel, network), channel.exec([devices])])
  if (failed !== undefined) throw failure(devices, failed)
  const names = [...Buffer.from(file).toString().matchAll(/^ *([^\s:|]+):/gm)].map(([, name = '']) => name)
  return { bridge, ports: await bridgeLinks(channel, bridge), names: new Set(names) }
}

/** `promised`: names not to be chosen, besides those that are there. */
export function planPorts(
  specs: readonly CheckedSpec[], { bridge, ports, names }: Surroundings, promised: ReadonlySet<string>,
): PlannedPort[] {
  const owners = macOwners(bridge, ports)
  for (const { path, ifname, kind, mac, peer } of specs) {
    if (ifname !== undefined && names.has(ifname)) throw nameTaken(at(path, 'ifname'), kind, ifname)
    if (peer !== undefined && peer.netns === undefined && names.has(peer.ifname)) {
      throw nameTaken(at(path, 'peer.ifname'), kind, peer.ifname)
    }
    const owner = mac === undefined ? undefined : owners.get(mac)
    if (owner !== undefined) throw new InvalidArgumentError(at(path, 'mac'), mac, `a MAC that nobody in bridge ${bridge.name} has; ${owner} has it`)
  }
  const free = freeNames(specs, new Set([...names, ...promised]))
  const macs = new Set([...owners.keys(), ...specs.flatMap(({ mac }) => mac ?? [])].map(withoutFirst))
  return specs.map(spec => {
    const mac = spec.mac ?? chooseMac(macs)
    return {
      ...spec,
      ifname: spec.ifname ?? free(),
      named: spec.ifname === undefined,
      mac,
      ownMac: `fe:${withoutFirst(mac)}`,
      mtu: spec.mtu ?? bridge.mtu,
    }
  })
}

export function nameTaken(where: string, kind: string, name: string): NetlinkError {
  return new NetlinkError(`${where}: create ${kind} ${name}`, constants.errno.EEXIST)
}

/** Who has which MAC: a guest behind its port, or the port itself. */
function macOwners(bridge: BriefLink, ports: readonly BriefLink[]): Map<string, string> {
  const owners = new Map([[bridge.mac, bridge.name]])
  for (const { mac, alias, name } of ports) owners.set(parseAlias(alias)?.mac ?? mac, name)
  return owners
}

/** A guest of libvirt's is known by its tap, which has the same MAC but for the first byte. */
function withoutFirst(mac: string): string {
  return mac.slice(3)
}

/** Gives `vnet0`, `vnet1`, … as far as they are free. */
function freeNames(specs: readonly CheckedSpec[], names: ReadonlySet<string>): () => string {
  const taken = new Set([...names, ...specs.flatMap(({ ifname, peer }) => [ifname ?? '', peer?.ifname ?? ''])])
  let number = 0
  return () => {
    while (taken.has(`vnet${number}`)) number++
    return `vnet${number++}`
  }
}

/** libvirt's prefix for KVM, of the locally administered range. */
function chooseMac(taken: Set<string>): string {
  for (;;) {
    const mac = `52:54:00:${hexWithColons(randomBytes(3), 0, 3)}`
    if (taken.has(withoutFirst(mac))) continue
    taken.add(withoutFirst(mac))
    return mac
  }
}
