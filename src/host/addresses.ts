/** IP addresses of links: what `ip address` does. */
import { constants } from 'node:os'
import { aText, check, fieldsOf, isOn } from '../checks.ts'
import { InvalidArgumentError, checkFields, didYouMean } from '../errors.ts'
import { networkOf, parsePrefix, prefixWithin } from '../ip.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { addressFlags, addressProtocols, decodeAddress, deleteAddress, listAddresses, newAddress, optionsOf } from '../rtnetlink/addresses.ts'
import type { Address, AddressFlag, AddressFilter as WireFilter, AddressOptions, AddressProtocol } from '../rtnetlink/addresses.ts'
import { isInternet } from '../rtnetlink/families.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed, Tests } from '../rtnetlink/listed.ts'
import { scopes } from '../rtnetlink/names.ts'
import type { Scope } from '../rtnetlink/names.ts'
import { lacks } from '../rtnetlink/unsupported.ts'
import { bulkOptions } from './bulk.ts'
import type { BulkOptions } from './bulk.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { flush } from './flush.ts'
import { changeWithLinks } from './link-indices.ts'
import type { EachLink } from './link-indices.ts'
import type { LinkRef } from './link-ref.ts'
import type { Links } from './links.ts'

/** Which addresses to list; what is left out does not matter. The kernel filters by link, family and type, virbr by the rest. */
export interface AddressFilter extends Omit<WireFilter, 'index'> {
  link?: LinkRef
  scope?: Scope
  /** All of these flags; one with `-` in front must not be set. */
  flags?: (AddressFlag | `-${AddressFlag}`)[]
  /** With `*` and `?` as in a shell. */
  label?: string
  /** Addresses within this prefix. */
  to?: string
  protocol?: AddressProtocol
}

/** What may change of an address that is there; what is left out stays. Of IPv4 the lifetimes and the metric only. */
export type AddressChange = Pick<AddressOptions,
  'validLifetimeMs' | 'preferredLifetimeMs' | 'metric' | 'protocol' | 'noPrefixRoute' | 'noDad' | 'optimistic' | 'home' | 'mngTmpAddr'>

/** One of many. */
export interface AddressItem extends AddressOptions {
  link: LinkRef
  /** With its prefix length. */
  address: string
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

  async list(filter: AddressFilter = {}): Promise<Listed<Address>> {
    checkFields(filter, [...filterNames, 'type'], 'a filter of addresses')
    const { link, scope, flags, label, to, protocol, ...wire } = filter
    const here = addressTests({ scope, flags, label, to, protocol })
    listAddresses(wire)
    const index: { index?: number } = link === undefined ? {} : { index: await this.#links.index(link) }
    const messages = await this.#dump({ ...wire, ...index })
    return sift<Address>(messages.filter(isInternet).map(decodeAddress), here, {
      link: equals(index.index, address => address.index), family: equals(wire.family, address => address.family),
    })
  }

  /** `get('br0', '10.0.0.1/24')`, or without the prefix length. Rejects with EADDRNOTAVAIL if the link has no such address. */
  async get(link: LinkRef, address: string): Promise<Address> {
    const wanted = typeof address === 'string' ? parsePrefix(address) : undefined
    if (wanted === undefined) throw new InvalidArgumentError('address', address, 'an IPv4 or IPv6 address')
    const all = await this.list({ link, family: wanted.family })
    const found = all.find(one => {
      const { address: own, prefix } = parsePrefix(one.address) as NonNullable<typeof wanted>
      const same = prefixWithin({ ...wanted, prefix: bits[wanted.family] }, { ...wanted, address: own, prefix: bits[wanted.family] })
      return same && (!address.includes('/') || prefix === wanted.prefix)
    })
    if (found === undefined) throw new NetlinkError(`get address ${address} of link ${link}`, constants.errno.EADDRNOTAVAIL)
    return found
  }

  /** `add('br0', '10.0.0.1/24')`. Rejects with EEXIST if the link has it. */
  async add(link: LinkRef, address: string, options: AddressOptions = {}): Promise<void> {
    await this.#send(link, index => newAddress(index, address, options))
  }

  /**
   * Adds it, or gives the one that is there these lifetimes, this metric and, of IPv6, these flags. What an IPv4 address
   * has besides, the kernel leaves as it is.
   */
  async replace(link: LinkRef, address: string, options: AddressOptions = {}): Promise<void> {
    await this.#send(link, index => newAddress(index, address, options, 'replace'))
  }

  /** Changes what is named and nothing else. Rejects with EADDRNOTAVAIL if the link has no such address. */
  async change(link: LinkRef, address: string, change: AddressChange): Promise<void> {
    checkFields(change, changeable, 'a change of an address')
    check('address', address, aText)
    newAddress(1, address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}`, change, 'change')
    const now = await this.get(link, address)
    const request = newAddress(now.index, now.address, merged(now, change), 'change')
    // The first limit of a life lets Linux 6.18 end that of the prefix's route at once; said again, it is put right.
    const first = now.family === 6 && now.validLifetimeMs === undefined && change.validLifetimeMs !== undefined
    await this.#channel.request(first ? [request, request] : [request])
  }

  /**
   * `delete('br0', '10.0.0.1/24')`, prefix length included, and the `peer` of an IPv4 address that has one. Rejects with
   * EADDRNOTAVAIL if the link has no such address.
   */
  async delete(link: LinkRef, address: string, options: Pick<AddressOptions, 'peer'> = {}): Promise<void> {
    await this.#send(link, index => deleteAddress(index, address, options))
  }

  /** Deletes all that match; how many. A filter has to be given. */
  async flush(filter: AddressFilter): Promise<number> {
    checkFields(filter, filterNames, 'a filter of addresses')
    if (Object.values(filter).every(value => value === undefined)) {
      throw new InvalidArgumentError('filter', filter, 'something that chooses addresses, like { link }')
    }
    const items = await this.list(filter)
    // An address goes with the primary one of its prefix, unless the sysctl promote_secondaries says otherwise.
    return flush(this.#channel, 'addresses', items, ({ index, address, peer }) =>
      deleteAddress(index, address, peer === undefined ? {} : { peer }))
  }

  /**
   * Adds 1 to 100,000 addresses, each `{ link, address, … }`. All or none unless `atomic: false`. Rejects with BulkError
   * if the kernel refused some.
   */
  async addMany(items: readonly AddressItem[], options: BulkOptions = {}): Promise<void> {
    await changeWithLinks(this.#channel, {
      list: 'addresses', items, eachLink, key, field: 'address',
      request(item, indexOf) {
        const { link, address, ...rest } = fieldsOf('', item)
        return newAddress(indexOf(link), address, rest)
      },
      undo: deletionOf,
    }, bulkOptions(true, options))
  }

  /** Deletes many, each `{ link, address, peer? }`. `atomic`, default false: puts back what was deleted if one fails. */
  async deleteMany(items: readonly Pick<AddressItem, 'link' | 'address' | 'peer'>[], options: BulkOptions = {}): Promise<void> {
    const before = isOn('atomic', fieldsOf('options', options).atomic) ? await this.list() : []
    const known = new Map(before.map(one => [keyOf(one), one]))
    await changeWithLinks(this.#channel, {
      list: 'addresses', items, eachLink, key, field: 'address',
      request(item, indexOf) {
        const { link, address, ...rest } = fieldsOf('', item)
        return deleteAddress(indexOf(link), address, rest)
      },
      undo: request => {
        const was = known.get(key(request))
        // One that came after the list, if at all: it stays deleted, as the error then says.
        return was === undefined ? request : newAddress(was.index, was.address, optionsOf(was))
      },
    }, bulkOptions(false, options))
  }

  async #dump(filter: WireFilter): Promise<Message[]> {
    // Of multicast groups the kernel has a list for each version, and none of both.
    const both = filter.type === 'multicast' && filter.family === undefined
    const requests = both ? ([4, 6] as const).map(family => listAddresses({ ...filter, family })) : [listAddresses(filter)]
    const replies = await this.#channel.attempt(routeStep(requests, { mayFail: true }))
    const { EOPNOTSUPP } = constants.errno
    const error = replies.firstError(...both ? [EOPNOTSUPP] : [])
    if (error?.errno === EOPNOTSUPP && filter.type === 'multicast') throw lacks(error.operation, 'Linux 6.15, for groups of IPv4', error)
    if (error !== undefined) throw error
    return replies.messages.flat()
  }

  async #send(link: LinkRef, request: (index: number) => AnyRequest): Promise<void> {
    // A bad value is refused before anything is asked.
    request(1)
    await this.#channel.request([request(await this.#links.index(link))])
  }
}

const filterNames = ['link', 'family', 'scope', 'flags', 'label', 'to', 'protocol']

const bits = { 4: 32, 6: 128 } as const

const changeable = [
  'validLifetimeMs', 'preferredLifetimeMs', 'metric', 'protocol', 'noPrefixRoute', 'noDad', 'optimistic', 'home', 'mngTmpAddr',
] as const

/** A shorter life ends the preferred one too, unless that is named. */
function merged(now: Address, change: AddressChange): AddressOptions {
  const { preferredLifetimeMs: preferred = 'forever', ...was } = optionsOf(now)
  const all = { ...was, ...change }
  const { validLifetimeMs: valid = 'forever' } = all
  const least = preferred === 'forever' || (valid !== 'forever' && preferred > valid) ? valid : preferred
  return { preferredLifetimeMs: least, ...all }
}

const eachLink: EachLink = (item, show) => {
  if (typeof item === 'object' && item !== null) show((item as AddressItem).link, 'link')
}

/** What the kernel finds an address by. */
function key({ header, attributes }: AnyRequest): string {
  const { index, prefixLength } = header as { index: number, prefixLength: number }
  const { local, address } = attributes as { local: string, address: string }
  // IPv4 addresses have one form only.
  return local.includes(':') ? `${index} ${networkOf({ address: local, prefix: 128, family: 6 })}/${prefixLength}` : `${index} ${local}/${prefixLength} ${address}`
}

function keyOf(address: Address): string {
  return key(deleteAddress(address.index, address.address, address.peer === undefined ? {} : { peer: address.peer }))
}

function deletionOf({ header, attributes }: AnyRequest): AnyRequest {
  const { index, prefixLength } = header as { index: number, prefixLength: number }
  const { local, address } = attributes as { local: string, address: string }
  return deleteAddress(index, `${local}/${prefixLength}`, { peer: address })
}

type Chooser = Pick<{ [K in keyof AddressFilter]: AddressFilter[K] | undefined }, 'scope' | 'flags' | 'label' | 'to' | 'protocol'>

function addressTests({ scope, flags, label, to, protocol }: Chooser): Tests<Address> {
  const wantedScope = scope === undefined ? undefined : scopes.name(scopes.number(scope, 'scope'))
  const wantedProtocol = protocol === undefined ? undefined : addressProtocols.name(addressProtocols.number(protocol, 'protocol'))
  if (flags !== undefined) checkFlags(flags)
  return {
    scope: equals(wantedScope, address => address.scope),
    flags: flags && (address => flags.every(flag => address.flags.includes(flag.replace(/^-/, '') as AddressFlag) !== flag.startsWith('-'))),
    label: label === undefined ? undefined : labelTest(label),
    to: to === undefined ? undefined : prefixTest(to),
    protocol: equals(wantedProtocol, address => address.protocol),
  }
}

function labelTest(label: string): (address: Address) => boolean {
  if (typeof label !== 'string') throw new InvalidArgumentError('label', label, 'a string')
  const pattern = new RegExp(`^${label.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`)
  return address => pattern.test(address.label ?? '')
}

function prefixTest(to: string): (address: Address) => boolean {
  const outer = typeof to === 'string' ? parsePrefix(to) : undefined
  if (outer === undefined) throw new InvalidArgumentError('to', to, 'a prefix like 10.0.0.0/8, or an address')
  return ({ address, family }) => prefixWithin({ address: address.replace(/\/.*/, ''), prefix: bits[family], family }, outer)
}

function checkFlags(flags: readonly string[]): void {
  if (!Array.isArray(flags)) throw new InvalidArgumentError('flags', flags, 'an array of flags')
  flags.forEach((flag: unknown, position) => {
    const name = typeof flag === 'string' ? flag.replace(/^-/, '') : ''
    if (addressFlags.includes(name)) return
    throw new InvalidArgumentError(`flags[${position}]`, flag, `one of ${addressFlags.join(', ')}${didYouMean(name, addressFlags)}`)
  })
}
