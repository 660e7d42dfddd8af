/** What ports are made for: a network of either driver, and its bridge in the namespace of a Host. */
import { constants } from 'node:os'
import { VirbrError } from '../errors.ts'
import type { Channel } from '../host/channel.ts'
import { routeStep } from '../host/channel.ts'
import type { NetworkConfig } from '../network/config.ts'
import type { NetworkUpdate, Port } from '../network/connection.ts'
import { decodeBriefLink, getBriefLink, listBriefLinks } from '../rtnetlink/brief.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { parseAlias } from './alias.ts'

/** What a driver says of a running network. */
export interface PortNetwork {
  name: string
  /** In lower case, with hyphens. */
  uuid: string
  /** Name of the bridge; undefined where the forward mode has none. */
  bridge: string | undefined
  /** The running configuration. */
  config: NetworkConfig
  update(change: NetworkUpdate): Promise<void>
}

export interface PortTarget {
  /** A Host in the namespace that should have the bridge. */
  channel: Channel
  network: PortNetwork
}

/** The network's bridge. Rejects with ERR_NO_BRIDGE if it is not in this namespace. */
export async function findBridge(channel: Channel, { name, bridge, config }: PortNetwork): Promise<BriefLink> {
  const none = (why: string): VirbrError => new VirbrError('ERR_NO_BRIDGE', `network ${name}: ${why}`)
  if (bridge === undefined || bridge === '') throw none('it has no bridge')
  const { error, messages: [[message] = []] } = await channel.attempt(routeStep([getBriefLink(bridge)], { mayFail: true }))
  if (error !== undefined && error.errno !== constants.errno.ENODEV) throw error
  const elsewhere = 'the network is on another machine, or in another network namespace (name it with ?netns=)'
  if (message === undefined) throw none(`there is no link ${bridge} here: ${elsewhere}`)
  const link = decodeBriefLink(message)
  if (link.kind !== 'bridge') throw none(`link ${bridge} is no bridge but ${link.kind ?? 'hardware'}`)
  // A bridge of the host's own has the MAC of whoever made it.
  const mac = config.forward?.mode === 'bridge' ? undefined : config.mac?.address.toLowerCase()
  if (mac !== undefined && mac !== link.mac) {
    throw none(`bridge ${bridge} here has the MAC ${link.mac}, that of the network is ${mac}: ${elsewhere}`)
  }
  return link
}

/** The links in a bridge, in order of their index. */
export async function bridgeLinks(channel: Channel, bridge: BriefLink): Promise<BriefLink[]> {
  const [messages = []] = await channel.request([listBriefLinks(bridge.index)])
  return messages.map(decodeBriefLink).sort((a, b) => a.index - b.index)
}

export function portOf(link: BriefLink, { uuid }: PortNetwork): Port {
  const record = parseAlias(link.alias)
  return {
    ifname: link.name,
    index: link.index,
    kind: link.kind,
    mac: record?.mac ?? link.mac,
    ip: record?.ip,
    hostname: record?.hostname,
    isolated: link.isolated,
    ours: record?.network === uuid,
    up: link.up,
  }
}
