/** IP addresses of links: what `ip address` does. */
import { decodeAddress, deleteAddress, listAddresses, newAddress } from '../rtnetlink/addresses.ts'
import type { Address, AddressOptions } from '../rtnetlink/addresses.ts'
import type { Channel } from './channel.ts'
import type { LinkRef, Links } from './links.ts'

export interface AddressFilter {
  link?: LinkRef
  family?: 4 | 6
}

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

  /** `add('br0', '10.0.0.1/24')`. */
  async add(link: LinkRef, address: string, options: AddressOptions = {}): Promise<void> {
    newAddress(1, address, options)
    await this.#channel.request([newAddress(await this.#links.index(link), address, options)])
  }

  async delete(link: LinkRef, address: string): Promise<void> {
    deleteAddress(1, address)
    await this.#channel.request([deleteAddress(await this.#links.index(link), address)])
  }
}
