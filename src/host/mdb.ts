/** Multicast databases of bridges: what `bridge mdb` does. */
import { InvalidArgumentError, UnsupportedError, checkFields } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed, Tests } from '../rtnetlink/listed.ts'
import { decodeMdb, deleteMdbEntry, flushMdb, listMdb, newMdbEntry } from '../rtnetlink/mdb.ts'
import type { MdbEntry, MdbFlush as WireFlush, MdbKey as WireKey, MdbRouter, MdbSpec as WireSpec } from '../rtnetlink/mdb.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import type { Links } from './links.ts'

/** What identifies an entry. */
export interface MdbKey extends Omit<WireKey, 'port'> {
  bridge: LinkRef
  /** A port of it, or the bridge, for the host itself. */
  port: LinkRef
}

/** An entry to add. */
export interface MdbSpec extends Omit<WireSpec, 'port'> {
  bridge: LinkRef
  /** A port of it, or the bridge, for the host itself. */
  port: LinkRef
}

export interface MdbFilter {
  bridge?: LinkRef
  port?: LinkRef
}

export interface MdbFlush extends Omit<WireFlush, 'port'> {
  bridge: LinkRef
  port?: LinkRef
}

/**
 * Multicast groups behind the ports of bridges: `host.mdb`. A link that does not exist is ERR_NO_LINK; what the kernel
 * refuses ERR_NETLINK; a kernel without them, or too old for an option, ERR_UNSUPPORTED. Changes need CAP_NET_ADMIN, else
 * ERR_NO_PERMISSION. Source: bridge(8).
 */
export class Mdb {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  /** Groups. Left out by virbr, not by the kernel, which has no filter. */
  async list(filter: MdbFilter = {}): Promise<Listed<MdbEntry>> {
    return sift((await this.#read(filter)).flatMap(({ entries }) => entries), await this.#tests(filter))
  }

  /** Ports behind which are multicast routers. */
  async routers(filter: MdbFilter = {}): Promise<Listed<MdbRouter>> {
    return sift((await this.#read(filter)).flatMap(({ routers }) => routers), await this.#tests(filter))
  }

  /** Rejects with EEXIST if there is such an entry. */
  add(entry: MdbSpec): Promise<void> {
    return this.#change(entry, (bridge, wire) => newMdbEntry(bridge, wire))
  }

  /** Linux 6.2. */
  replace(entry: MdbSpec): Promise<void> {
    return this.#change(entry, (bridge, wire) => newMdbEntry(bridge, wire, 'replace'))
  }

  /** Takes what `add` took. Rejects with ENOENT or EINVAL if there is none. */
  delete(entry: MdbKey): Promise<void> {
    return this.#change(entry, deleteMdbEntry)
  }

  /** Deletes what matches, in the kernel. Linux 6.8, else ERR_UNSUPPORTED. */
  async flush(what: MdbFlush): Promise<void> {
    if (typeof what !== 'object' || what === null) throw new InvalidArgumentError('filter', what, 'an object with a bridge')
    const { bridge, port, ...rest } = what
    checkLinkRef(bridge, 'bridge')
    if (port !== undefined) checkLinkRef(port, 'port')
    routeStep([flushMdb(1, rest)])
    const only = port === undefined ? {} : { port: await this.#links.index(port, 'port') }
    const request = flushMdb(await this.#links.index(bridge, 'bridge'), { ...rest, ...only })
    const { error } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error === undefined) return
    const old = error.errnoName === 'EOPNOTSUPP' || /ulk delet|not multicast/.test(error.kernelMessage ?? '')
    throw old ? new UnsupportedError('Linux 6.8', `${error.message}; Linux 6.8 is needed`) : noLink(error, bridge)
  }

  async #read(filter: MdbFilter): Promise<{ entries: MdbEntry[], routers: MdbRouter[] }[]> {
    checkFields(filter, ['bridge', 'port'], 'a filter of groups')
    const { error, messages } = await this.#channel.attempt(routeStep([listMdb()], { mayFail: true }))
    if (error !== undefined) throw error.errnoName === 'EOPNOTSUPP' ? noSnooping(error) : error
    return messages.flat().map(decodeMdb)
  }

  async #tests({ bridge, port }: MdbFilter): Promise<Tests<{ bridge: number, port: number }>> {
    return {
      bridge: equals(bridge === undefined ? undefined : await this.#links.index(bridge, 'bridge'), entry => entry.bridge),
      port: equals(port === undefined ? undefined : await this.#links.index(port, 'port'), entry => entry.port),
    }
  }

  async #change(entry: MdbSpec, make: (bridge: number, wire: WireSpec) => AnyRequest): Promise<void> {
    if (typeof entry !== 'object' || entry === null) throw new InvalidArgumentError('group', entry, 'an object with bridge, port and group')
    const { bridge, port, ...rest } = entry
    checkLinkRef(bridge, 'bridge')
    checkLinkRef(port, 'port')
    routeStep([make(1, { ...rest, port: 1 })])
    const found = await this.#links.get(bridge)
    const request = make(found.index, { ...rest, port: await this.#links.index(port, 'port') })
    const { error } = await this.#channel.attempt(routeStep([request], { mayFail: true }))
    if (error === undefined) return
    if (error.errnoName === 'EOPNOTSUPP' && found.kind === 'bridge') throw noSnooping(error)
    if (/nknown attribute|nsupported attribute/.test(error.kernelMessage ?? '')) {
      throw new UnsupportedError('Linux 6.2', `${error.message}; Linux 6.2 is needed`)
    }
    throw noLink(error, bridge)
  }
}

function noSnooping(error: NetlinkError): UnsupportedError {
  return new UnsupportedError('CONFIG_BRIDGE_IGMP_SNOOPING', `${error.message}; a kernel with CONFIG_BRIDGE_IGMP_SNOOPING is needed`)
}
