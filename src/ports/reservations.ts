/** Addresses that ports have reserved in the DHCP of their network, by the network's own `update`. */
import { VirbrError } from '../errors.ts'
import type { DhcpHostConfig } from '../network/config.ts'
import type { NetworkUpdate } from '../network/connection.ts'
import { addressFamily } from '../network/subnets.ts'
import type { PortNetwork } from './target.ts'

/** Whose address it is. */
interface Guest {
  mac: string
  ip?: string | undefined
  hostname?: string | undefined
}

/** As long as the network runs: a port does not outlive it either. */
function change(command: 'add-last' | 'delete', { mac, ip = '', hostname }: Guest): NetworkUpdate {
  const xml: DhcpHostConfig = {
    // DHCPv6 knows guests by their name.
    ...(addressFamily(ip) === 4 ? { mac } : {}),
    ip,
    ...(hostname === undefined ? {} : { name: hostname }),
  }
  return { command, section: 'ip-dhcp-host', xml, live: true }
}

export function reserveAddress(network: PortNetwork, guest: Guest): Promise<void> {
  return network.update(change('add-last', guest))
}

/** What is not reserved any more, by a restart of the network or by somebody else, does not matter. */
export async function releaseAddresses(network: PortNetwork, guests: readonly Guest[]): Promise<void> {
  for (const guest of guests) {
    if (guest.ip === undefined) continue
    try {
      await network.update(change('delete', guest))
    } catch (error) {
      if (!(error instanceof VirbrError) || !gone.includes(error.code)) throw error
    }
  }
}

const gone = ['ERR_UPDATE_FAILED', 'ERR_NETWORK_INACTIVE']
