/** VLANs of bridges and their ports: what `bridge vlan` does. */
import { InvalidArgumentError, UnsupportedError, checkFields } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { decodeGlobalVlans, listGlobalVlans, setGlobalVlan } from '../rtnetlink/global-vlans.ts'
import type { GlobalVlan, GlobalVlanOptions } from '../rtnetlink/global-vlans.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed } from '../rtnetlink/listed.ts'
import { decodeMst, listMst, setMst } from '../rtnetlink/mst.ts'
import type { MstState } from '../rtnetlink/mst.ts'
import { lacks } from '../rtnetlink/unsupported.ts'
import { addVlans, decodeVlans, deleteVlans, listVlans, setVlan } from '../rtnetlink/vlans.ts'
import type { BridgeVlan, VlanOptions, VlanRange, VlanTarget } from '../rtnetlink/vlans.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef, Links } from './links.ts'

/** Which VLANs to list. */
export interface VlanFilter {
  /** A port, or a bridge itself. */
  link?: LinkRef
  /** With counters, which keeps VLANs from being joined to ranges. They count if the bridge has `vlanStatsEnabled`. */
  statistics?: boolean
}

/** Releases that an option of a VLAN came with. */
const since: Partial<Record<string, string>> = { multicastRouter: '5.15', multicastMaxGroups: '6.3', neighSuppress: '6.4', msti: '5.18' }

/**
 * VLANs of the bridges of a namespace: `host.vlans`. A kernel without them is ERR_UNSUPPORTED
 * (CONFIG_BRIDGE_VLAN_FILTERING); a link that does not exist ERR_NO_LINK; what the kernel refuses ERR_NETLINK. Changes need
 * CAP_NET_ADMIN, else ERR_NO_PERMISSION. Traffic is divided once the bridge has `vlanFiltering`. Source: bridge(8).
 */
export class Vlans {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  /** Ranges that have all in common are one entry, with `to`. Filtered in the kernel. Linux 5.6. */
  async list(filter: VlanFilter = {}): Promise<Listed<BridgeVlan>> {
    checkFields(filter, ['link', 'statistics'], 'a filter of VLANs')
    const { link, ...rest } = filter
    const request = listVlans({ ...rest, ...(link === undefined ? {} : { index: await this.#links.index(link) }) })
    const { error, messages } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error !== undefined) throw await this.#explain(error, link)
    return sift(messages.flat().flatMap(decodeVlans), {})
  }

  /**
   * `add('v0', 10)`, `add('v0', ['10-20', { vid: 30, pvid: true, untagged: true }])`: any number in one message. Those that
   * are there get the given switches. To a bridge, they are added to it itself (`self`). Of several the kernel carries out
   * those before the one that it refuses.
   */
  add(link: LinkRef, vlans: VlanRange | readonly VlanRange[], target: VlanTarget = {}): Promise<void> {
    return this.#change(link, vlans, target, addVlans)
  }

  /** What is not there does not matter. */
  delete(link: LinkRef, vlans: VlanRange | readonly VlanRange[], target: VlanTarget = {}): Promise<void> {
    return this.#change(link, vlans, target, deleteVlans)
  }

  /** Options of VLANs that the link has, one or a range. Linux 5.6; a newer option on an older kernel is ERR_UNSUPPORTED. */
  async set(link: LinkRef, vlans: VlanRange, options: VlanOptions): Promise<void> {
    checkLinkRef(link)
    routeStep([setVlan(1, vlans, options)])
    const request = setVlan(await this.#links.index(link), vlans, options)
    const { error } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error === undefined) return
    throw newerOption(error, options) ?? await this.#explain(error, link)
  }

  /**
   * Options that VLANs have in all of a bridge: multicast snooping of their own, and which spanning tree they belong to.
   * Filtered in the kernel. Linux 5.15, else ERR_UNSUPPORTED.
   */
  async listGlobal(filter: { bridge?: LinkRef } = {}): Promise<Listed<GlobalVlan>> {
    checkFields(filter, ['bridge'], 'a filter of VLANs of bridges')
    const { bridge } = filter
    const request = listGlobalVlans(bridge === undefined ? undefined : await this.#links.index(bridge, 'bridge'))
    const { error, messages } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error !== undefined) throw await this.#explain(error, bridge)
    return sift(messages.flat().flatMap(message => {
      const vlans = decodeGlobalVlans(message)
      if (vlans === undefined) throw lacks(request.operation, 'Linux 5.15')
      return vlans
    }), {})
  }

  /** Such options of VLANs that the bridge itself has, one or a range. Linux 5.15, `msti` 5.18, else ERR_UNSUPPORTED. */
  async setGlobal(bridge: LinkRef, vlans: VlanRange, options: GlobalVlanOptions): Promise<void> {
    checkLinkRef(bridge, 'bridge')
    routeStep([setGlobalVlan(1, vlans, options)])
    const request = setGlobalVlan(await this.#links.index(bridge, 'bridge'), vlans, options)
    const { error } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error === undefined) return
    if (error.kernelMessage === 'No vlans found to process') throw lacks(request.operation, 'Linux 5.15', error)
    throw newerOption(error, options) ?? await this.#explain(error, bridge)
  }

  /** States of ports in multiple spanning trees, of bridges with the switch `mst`. Left out by virbr: the kernel has no filter. */
  async listMst(filter: { link?: LinkRef } = {}): Promise<Listed<MstState>> {
    checkFields(filter, ['link'], 'a filter of spanning trees')
    const { link } = filter
    const index = link === undefined ? undefined : await this.#links.index(link)
    const [messages = []] = await this.#channel.request([listMst()])
    return sift<MstState>(messages.flatMap(decodeMst), { link: equals(index, tree => tree.index) })
  }

  /** The state of a port in a spanning tree that VLANs of its bridge belong to. Linux 5.18, else ERR_UNSUPPORTED. */
  async setMst(link: LinkRef, msti: number, state: NonNullable<VlanOptions['state']>): Promise<void> {
    checkLinkRef(link)
    if (state === undefined) throw new InvalidArgumentError('state', state, 'the state of the port in the spanning tree')
    routeStep([setMst(1, msti, state)])
    const request = setMst(await this.#links.index(link), msti, state)
    const { error } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error !== undefined) throw await this.#explain(error, link)
    // An older kernel passes over it.
    if ((await this.listMst({ link })).length === 0) throw lacks(request.operation, 'Linux 5.18')
  }

  async #change(
    link: LinkRef, vlans: VlanRange | readonly VlanRange[], target: VlanTarget,
    request: (index: number, ranges: readonly VlanRange[], target: VlanTarget) => AnyRequest,
  ): Promise<void> {
    checkLinkRef(link)
    const ranges = Array.isArray(vlans) ? vlans as readonly VlanRange[] : [vlans as VlanRange]
    routeStep([request(1, ranges, target)])
    const { index, kind } = await this.#links.get(link)
    const where = kind === 'bridge' && target.self === undefined && target.master === undefined ? { self: true } : target
    const { error } = await this.#channel.attempt(routeStep([request(index, ranges, where)], { mayFail: true }))
    if (error !== undefined) throw await this.#explain(error, link)
  }

  /** Kernels without VLANs in bridges do not know these messages. */
  async #explain(error: NetlinkError, link: LinkRef | undefined): Promise<Error> {
    if (error.errnoName !== 'EOPNOTSUPP') return noLink(error, link ?? '')
    const found = link === undefined ? undefined : await this.#links.get(link)
    const bridge = found?.bridge ?? (found?.master === undefined ? undefined : (await this.#links.get(found.master)).bridge)
    // Such a kernel shows no default PVID of its bridges. Whatever is no bridge and no port has no VLANs anywhere.
    if (link !== undefined && bridge?.vlanDefaultPvid !== undefined) return error
    if (link !== undefined && bridge === undefined) return error
    return new UnsupportedError('CONFIG_BRIDGE_VLAN_FILTERING',
      `${error.message}; a kernel with CONFIG_BRIDGE_VLAN_FILTERING is needed, Linux 5.6 or newer`)
  }
}

function newerOption(error: NetlinkError, options: VlanOptions | GlobalVlanOptions): UnsupportedError | undefined {
  if (error.errnoName !== 'EINVAL' || !/nknown attribute|nsupported attribute/.test(error.kernelMessage ?? '')) return undefined
  const newest = Object.keys(options).filter(name => since[name] !== undefined).map(name => since[name] ?? '').sort().at(-1)
  return newest === undefined ? undefined : new UnsupportedError(`Linux ${newest}`, `${error.message}; Linux ${newest} is needed`)
}
