import type { NativeHost } from '../../binding/index.ts'
import { Addresses } from './addresses.ts'
import { Channel } from './channel.ts'
import { Firewall } from './firewall.ts'
import { Links } from './links.ts'
import { netnsSource, openNative } from './netns.ts'
import type { Netns } from './netns.ts'
import { Routes } from './routes.ts'
import { Sysctl } from './sysctl.ts'

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
  readonly routes: Routes
  readonly sysctl: Sysctl
  readonly firewall: Firewall
  readonly #channel: Channel

  /** Rejects with ERR_NO_NETNS if there is no such namespace. */
  static async open(options: HostOptions = {}): Promise<Host> {
    const { netns } = options
    return new Host(await openNative(typeof netns === 'object' ? { create: true } : netnsSource(netns)))
  }

  constructor(native: NativeHost) {
    const channel = new Channel(native)
    this.#channel = channel
    this.links = new Links(channel)
    this.addresses = new Addresses(channel, this.links)
    this.routes = new Routes(channel, this.links)
    this.sysctl = new Sysctl(channel)
    this.firewall = new Firewall(channel)
  }

  /**
   * The namespace, held open: `/proc/PID/fd/N` for `nsenter --net=…`, or the `netns` of another call. Valid until `close`.
   */
  get netnsFd(): number {
    return this.#channel.native.netnsFd
  }

  /** Waits for what is under way, then gives everything back. A namespace without a name ends with its last user. */
  close(): Promise<void> {
    return this.#channel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** For drivers, which run plans of their own on the Host's thread. */
  static channel(host: Host): Channel {
    return host.#channel
  }
}
