/** What stands in the way of a network: other networks' names and subnets, the host's links and routes. */
import { VirbrError } from '../errors.ts'
import type { NetworkConfig } from '../network/config.ts'
import { hostIn, ipSubnet, subnetsOverlap } from '../network/subnets.ts'
import type { Route } from '../rtnetlink/route-records.ts'
import type { StoredNetwork } from './store.ts'

const subnets = new WeakMap<NetworkConfig, string[]>()

export function subnetsOf(config: NetworkConfig): string[] {
  let known = subnets.get(config)
  if (known === undefined) {
    known = (config.ip ?? []).map(ip => {
      const { network, prefix } = ipSubnet(ip)
      return `${network}/${prefix}`
    })
    subnets.set(config, known)
  }
  return known
}

/** Every configuration of a network: the persistent one and the running one may differ. */
function configsOf(network: StoredNetwork, parse: (xml: string) => NetworkConfig): NetworkConfig[] {
  return [
    ...(network.persistent === undefined ? [] : [network.persistent.config]),
    ...(network.active === undefined ? [] : [parse(network.active.xml)]),
  ]
}

/**
 * Throws if another network has this one's name, UUID, bridge or a subnet in common with it. `config.uuid` is the wanted
 * UUID, undefined if one is still to be chosen.
 */
export function checkNetworks(config: NetworkConfig, others: readonly StoredNetwork[], parse: (xml: string) => NetworkConfig): void {
  for (const other of others) {
    if (other.name === config.name && other.uuid === config.uuid) continue
    if (other.name === config.name) {
      throw new VirbrError('ERR_NETWORK_EXISTS',
        `network ${config.name} already exists with uuid ${other.uuid}; give the same uuid to redefine it`)
    }
    if (other.uuid === config.uuid) {
      throw new VirbrError('ERR_NETWORK_EXISTS', `uuid ${other.uuid} already belongs to network ${other.name}`)
    }
    for (const theirs of configsOf(other, parse)) {
      if (config.bridge?.name !== undefined && config.bridge.name === theirs.bridge?.name) {
        throw new VirbrError('ERR_BRIDGE_IN_USE', `bridge ${config.bridge.name} already belongs to network ${other.name}`)
      }
      for (const ours of subnetsOf(config)) {
        const theirSubnet = subnetsOf(theirs).find(subnet => subnetsOverlap(ours, subnet))
        if (theirSubnet !== undefined) {
          throw new VirbrError('ERR_SUBNET_IN_USE', `subnet ${ours} overlaps ${theirSubnet} of network ${other.name}`)
        }
      }
    }
  }
}

/**
 * Throws if the host already routes one of the network's subnets: a link has an address in it or around it, or a route
 * leads into it. A wider route through a gateway (a VPN's 10.0.0.0/8) is no collision: the network is more specific.
 */
export function checkRoutes(config: NetworkConfig, routes: readonly Route[], linkName: (index: number | undefined) => string): void {
  for (const subnet of subnetsOf(config)) {
    for (const route of routes) {
      if (route.to === 'default' || route.type !== 'unicast' || !subnetsOverlap(subnet, route.to)) continue
      const inside = hostIn(route.to.split('/')[0] as string, subnet) && prefixOf(route.to) >= prefixOf(subnet)
      if (!inside && route.via !== undefined) continue
      const via = route.via === undefined ? '' : `via ${route.via} `
      throw new VirbrError('ERR_SUBNET_IN_USE',
        `subnet ${subnet} overlaps ${route.to}, which this host routes ${via}through ${linkName(route.index)}`)
    }
  }
}

function prefixOf(subnet: string): number {
  const [, prefix] = subnet.split('/')
  return prefix === undefined ? 32 : Number(prefix)
}
