/** IP addresses of links: what `ip address` does. */
import { decodeAddress, deleteAddress, listAddresses, newAddress } from '../rtnetlink/addresses.ts'
import type { Address, AddressOptions } from '../rtnetlink/addresses.ts'
import type { Channel } from './channel.ts'
import type { LinkRef, Links } from './links.ts'

/** Which addresses to list; what is left out does not matter. */
export interface AddressFilter {
  link?: LinkRef
  family?: 4 | 6
}

/**
 * Addresses of a namespace: `host.addresses`. Links are given by name or index; what does not exist is ERR_NO_LINK, what
 * the kernel refuses ERR_NETLINK (e.g. EEXIST, EADDRNOTAVAIL). Changes need CAP_NET_ADMIN, else ERR_NO_PERMISSION.
 */
export class Addresses {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  /** Filtered in the kernel. */
  async list(filter: AddressFilter = {}): Promise<Address[]> {
    const { link, family } = filter
    const [messages = []] = await this.#channel.request([listAddresses({
      ...(family === undefined ? {} : { family }),
      ...(link === undefined ? {} : { index: await this.#links.index(link) }),
    })])
    return messages.map(decodeAddress)
  }

  /** `add('br0', '10.0.0.1/24')`. Rejects with EEXIST if the link has it, unless `replace`. */
  async add(link: LinkRef, address: string, options: AddressOptions = {}): Promise<void> {
    newAddress(1, address, options)
    await this.#channel.request([newAddress(await this.#links.index(link), address, options)])
  }

  /**
   * `delete('br0', '10.0.0.1/24')`, prefix length included, and the `peer` of an IPv4 address that has one. Rejects with
   * EADDRNOTAVAIL if the link has no such address.
   */
  async delete(link: LinkRef, address: string, options: Pick<AddressOptions, 'peer'> = {}): Promise<void> {
    deleteAddress(1, address, options)
    await this.#channel.request([deleteAddress(await this.#links.index(link), address, options)])
  }
}
