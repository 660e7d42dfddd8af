import { anything, checkEach } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Addresses } from './addresses.ts'
import type { BandwidthControl } from './bandwidth.ts'
import type { Channel } from './channel.ts'
import type { Firewall } from './firewall.ts'
import type { Iptables } from './iptables.ts'
import type { Links } from './links.ts'
import type { Mdb } from './mdb.ts'
import type { Neighbors } from './neighbors.ts'
import { netnsSource } from './netns.ts'
import type { Netns } from './netns.ts'
import type { HostParts } from './parts.ts'
import type { Nexthops } from './nexthops.ts'
import type { Routes } from './routes.ts'
import type { Rules } from './rules.ts'
import type { Sysctl } from './sysctl.ts'
import type { Classes, Filters, Qdiscs } from './tc.ts'
import type { Vlans } from './vlans.ts'
import type { Watch, WatchOptions, WatchTargets } from './watch.ts'

/** What `Host.open` takes. */
export interface HostOptions {
  /** A namespace's name, path or open descriptor; default: the caller's own. `{ create: true }`: a new one without a name. */
  netns?: Netns | { create: true } | undefined
}

/**
 * One network namespace and all that can be done in it. Requests of one Host run in order on a thread of its own, which
 * exists only while there is work: a Host that is idle costs one file descriptor.
 */
export class Host implements AsyncDisposable {
  readonly links: Links
  readonly addresses: Addresses
  readonly neighbors: Neighbors
  readonly vlans: Vlans
  readonly mdb: Mdb
  readonly qdiscs: Qdiscs
  readonly classes: Classes
  readonly filters: Filters
  readonly bandwidth: BandwidthControl
  readonly routes: Routes
  readonly nexthops: Nexthops
  readonly rules: Rules
  readonly sysctl: Sysctl
  readonly firewall: Firewall
  readonly iptables: Iptables
  readonly #channel: Channel
  readonly #watch: HostParts['watch']

  /**
   * Rejects with ERR_NO_NETNS if there is no such namespace, ERR_NO_PERMISSION if it may not be entered or made: any but
   * the caller's own needs CAP_SYS_ADMIN; ERR_ADDON_LOAD.
   */
  static async open(options: HostOptions = {}): Promise<Host> {
    checkEach('options', options, { netns: anything })
    const { netns } = options
    const creates = typeof netns === 'object'
    if (creates && netns?.create !== true) throw new InvalidArgumentError('netns', netns, 'a namespace name, path or open file descriptor, or { create: true }')
    const source = creates ? { create: true } : netnsSource(netns)
    const { openParts } = await import('./parts.ts')
    return new Host(await openParts(source))
  }

  private constructor(parts: HostParts) {
    this.#channel = parts.channel
    this.#watch = parts.watch
    this.links = parts.links
    this.addresses = parts.addresses
    this.neighbors = parts.neighbors
    this.vlans = parts.vlans
    this.mdb = parts.mdb
    this.qdiscs = parts.qdiscs
    this.classes = parts.classes
    this.filters = parts.filters
    this.bandwidth = parts.bandwidth
    this.routes = parts.routes
    this.nexthops = parts.nexthops
    this.rules = parts.rules
    this.sysctl = parts.sysctl
    this.firewall = parts.firewall
    this.iptables = parts.iptables
  }

  /**
   * The namespace, held open: `/proc/PID/fd/N` for `nsenter --net=…`, or the `netns` of another call. Valid until `close`.
   */
  get netnsFd(): number {
    return this.#channel.native.netnsFd
  }

  /**
   * Changes as they happen, whoever makes them: `for await (const event of host.watch({ links: true }))`. First comes what is
   * there (`present`, then `ready`), unless `snapshot` is false. Throws InvalidArgumentError; all else rejects `ready` and
   * the reader's `next`: ERR_NO_LINK, ERR_NO_PERMISSION, ERR_UNSUPPORTED.
   */
  watch(what: WatchTargets, options: WatchOptions = {}): Watch {
    return this.#watch(what, options)
  }

  /**
   * Waits for what is under way, then gives everything back. A namespace without a name ends with its last user.
   * Idempotent; later calls reject with ERR_CLOSED.
   */
  close(): Promise<void> {
    return this.#channel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
