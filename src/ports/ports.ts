/** Guests' ports of a network, for either driver: what `Network.attachMany`, `detachMany` and `ports` do. */
import { InvalidArgumentError, VirbrError } from '../errors.ts'
import type { Channel } from '../host/channel.ts'
import { deleteLinks } from '../host/delete-links.ts'
import { briefLinks } from '../host/brief-links.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../netlink/codecs.ts'
import type { Port } from '../network/connection.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { parseAlias } from './alias.ts'
import type { PortRecord } from './alias.ts'
import { releaseAddresses } from './reservations.ts'
import { bridgeLinks, findBridge, portOf } from './target.ts'
import type { PortTarget } from './target.ts'

export { attachPorts } from './attach.ts'
export type { PortNetwork, PortTarget } from './target.ts'

/** The links in the network's bridge, in order of their index. Rejects with ERR_NO_BRIDGE. */
export async function listPorts({ channel, network }: PortTarget): Promise<Port[]> {
  const links = await bridgeLinks(channel, await findBridge(channel, network))
  return links.map(link => portOf(link, network))
}

/**
 * Takes ports away, with what was reserved for them; see `Network.detachMany`. By the record of each, wherever it is by
 * now: a port stays when its network, and so its bridge, is destroyed.
 */
export async function detachPorts({ channel, network }: PortTarget, ifnames: readonly string[]): Promise<void> {
  checkNames(ifnames)
  await channel.hold(async held => {
    const found = await findPorts(held, ifnames)
    const ports = ifnames.map((ifname, index) => {
      const port = found[index]
      if (port?.record.network === network.uuid) return port
      throw new VirbrError('ERR_NO_PORT', `network ${network.name} has no port ${ifname} that was made by attach`)
    })
    // First, so that a call that is cut off can be repeated: the record goes with the link.
    await releaseAddresses(network, ports.map(({ record }) => record))
    await deleteLinks(held, ports.map(({ link: { index, group } }) => ({ link: index, group })))
  })
}

function checkNames(ifnames: readonly string[]): void {
  if (!Array.isArray(ifnames)) throw new InvalidArgumentError('ifnames', ifnames, 'an array of names of ports')
  const seen = new Set<unknown>()
  for (const [index, ifname] of ifnames.entries() as IterableIterator<[number, unknown]>) {
    if (!isInterfaceName(ifname)) throw new InvalidArgumentError(`ifnames[${index}]`, ifname, INTERFACE_NAME_RULE)
    if (seen.has(ifname)) throw new InvalidArgumentError(`ifnames[${index}]`, ifname, 'each name once')
    seen.add(ifname)
  }
}

/** What there is by these names, of links that `attach` made. */
async function findPorts(channel: Channel, ifnames: readonly string[]): Promise<({ link: BriefLink, record: PortRecord } | undefined)[]> {
  return (await briefLinks(channel, ifnames)).map(link => {
    const record = parseAlias(link?.alias)
    return link === undefined || record === undefined ? undefined : { link, record }
  })
}
