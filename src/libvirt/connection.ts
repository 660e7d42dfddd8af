/** The libvirt driver: `qemu:///system`, `qemu+ssh://…`, `test:///default`, … */
import type { ConnectionHandle, NetnsSource } from '../../binding/index.ts'
import { ClosedError, InvalidArgumentError } from '../errors.ts'
import { Channel } from '../host/channel.ts'
import { netnsSource, openNative } from '../host/netns.ts'
import type { Connection } from '../network/connection.ts'
import { calls } from './calls.ts'
import { Domains } from './domains.ts'
import { HostInterfaces } from './interfaces.ts'
import { LibvirtNetworks } from './networks.ts'
import { NwfilterBindings, Nwfilters } from './nwfilters.ts'
import { checkOpenOptions, identityParameters } from './open.ts'
import type { Identity, LibvirtOptions } from './open.ts'
import { Session, isAlive } from './session.ts'

/**
 * A connection to libvirt. What does not need its answer to be checked goes straight to libvirt's functions, whose
 * errors are LibvirtError; a daemon that cannot be reached any more is ERR_CONNECTION_LOST.
 */
export class LibvirtConnection implements Connection {
  readonly #session: Session
  readonly #networks: LibvirtNetworks
  readonly #domains: Domains
  readonly #interfaces: HostInterfaces
  readonly #nwfilters: Nwfilters
  readonly #nwfilterBindings: NwfilterBindings
  readonly #bridges: Bridges

  /** Use `connectLibvirt`. */
  constructor(session: Session, bridges: Bridges) {
    this.#session = session
    this.#bridges = bridges
    this.#networks = new LibvirtNetworks(session, bridges)
    this.#domains = new Domains(session)
    this.#interfaces = new HostInterfaces(session)
    this.#nwfilters = new Nwfilters(session)
    this.#nwfilterBindings = new NwfilterBindings(session)
  }

  /** As it was given; see `canonicalUri`. */
  get uri(): string {
    return this.#session.uri
  }

  get networks(): LibvirtNetworks { return this.#part(this.#networks) }
  get domains(): Domains { return this.#part(this.#domains) }
  /** The host's own, as libvirt sees them. */
  get interfaces(): HostInterfaces { return this.#part(this.#interfaces) }
  get nwfilters(): Nwfilters { return this.#part(this.#nwfilters) }
  get nwfilterBindings(): NwfilterBindings { return this.#part(this.#nwfilterBindings) }

  #part<T>(part: T): T {
    if (this.#session.closed) throw new ClosedError('this connection')
    return part
  }

  /** Whether it is there, as far as libvirt's client side knows; false while it is being opened again. Asks no daemon. */
  async isAlive(): Promise<boolean> {
    if (!this.#part(this.#session).open) return false
    return this.#session.use(connection => isAlive(connection))
  }

  /** Nobody can listen in: encrypted, or a UNIX socket. */
  async isSecure(): Promise<boolean> {
    return await this.#call(connection => calls.virConnectIsSecure(connection)) === 1
  }

  async isEncrypted(): Promise<boolean> {
    return await this.#call(connection => calls.virConnectIsEncrypted(connection)) === 1
  }

  /** libvirt's own spelling of the URI, with which the same daemon can be reached. */
  canonicalUri(): Promise<string> {
    return this.#call(connection => calls.virConnectGetURI(connection))
  }

  /** The hypervisor's host. */
  hostname(): Promise<string> {
    return this.#call(connection => calls.virConnectGetHostname(connection))
  }

  /** The hypervisor driver, e.g. `QEMU`, `TEST`. */
  type(): Promise<string> {
    return this.#call(connection => calls.virConnectGetType(connection))
  }

  /** The hypervisor's version, e.g. `7.2.22`; `0.0.0` if libvirt knows of none. */
  async version(): Promise<string> {
    return versionText(await this.#call(connection => calls.virConnectGetVersion(connection)))
  }

  /** The daemon's libvirt, e.g. `9.0.0`; this process may have another. */
  async libvirtVersion(): Promise<string> {
    return versionText(await this.#call(connection => calls.virConnectGetLibVersion(connection)))
  }

  /** XML: https://libvirt.org/formatcaps.html */
  capabilities(): Promise<string> {
    return this.#call(connection => calls.virConnectGetCapabilities(connection))
  }

  /** SMBIOS of the host as XML. */
  sysinfo(): Promise<string> {
    return this.#call(connection => calls.virConnectGetSysinfo(connection, 0))
  }

  /**
   * Has the daemon's access rules apply on somebody else's behalf, as option `identity` does from the beginning. Not kept
   * over a reconnect. Rejects with ERR_NO_PERMISSION, ERR_UNSUPPORTED (libvirt < 5.8, or no daemon).
   */
  async setIdentity(identity: Identity): Promise<void> {
    const parameters = identityParameters(identity, 'identity')
    await this.#call(connection => calls.virConnectSetIdentity(connection, parameters, 0))
  }

  #call<T>(call: (connection: ConnectionHandle) => Promise<T>): Promise<T> {
    return this.#session.use(call)
  }

  /** Ends watches, waits for calls under way, gives everything back: networks, domains and filters of it reject with ERR_CLOSED. */
  async close(): Promise<void> {
    await Promise.all([this.#session.close(), this.#bridges.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** `9000000` → `9.0.0` */
function versionText(version: number): string {
  return `${Math.floor(version / 1_000_000)}.${Math.floor(version / 1000) % 1000}.${version % 1000}`
}

/** The namespace of the daemon's bridges, opened when it is first needed. */
export class Bridges {
  readonly #source: NetnsSource
  #channel: Promise<Channel> | undefined

  constructor(source: NetnsSource) {
    this.#source = source
  }

  channel(): Promise<Channel> {
    this.#channel ??= openNative(this.#source).then(native => new Channel(native)).catch((error: unknown) => {
      // Another attempt may fare better.
      this.#channel = undefined
      throw error
    })
    return this.#channel
  }

  async close(): Promise<void> {
    const channel = await this.#channel?.catch(() => undefined)
    await channel?.close()
  }
}

/**
 * Connects to libvirt, whatever the URI's driver; `connect` calls it for all but `kernel:` URIs.
 *
 * Rejects with ERR_INVALID_ARGUMENT, ERR_INVALID_URI, ERR_NO_CONNECTION (nobody there), ERR_AUTH, ERR_NO_PERMISSION,
 * ERR_LIBVIRT_MISSING, ERR_ADDON_LOAD, the signal's reason, or ERR_LIBVIRT.
 */
export async function connectLibvirt(uri: string, options: LibvirtOptions = {}): Promise<LibvirtConnection> {
  checkUri(uri)
  const checked = checkOpenOptions(options)
  const bridges = new Bridges(netnsSource(options.netns))
  return new LibvirtConnection(await Session.open(uri, checked), bridges)
}

/** All but the scheme is libvirt's business. */
function checkUri(uri: unknown): asserts uri is string {
  if (typeof uri !== 'string' || !/^[a-z][a-z0-9+.-]*:[^\0]*$/i.test(uri)) {
    throw new InvalidArgumentError('uri', uri, 'a libvirt URI like qemu:///system', 'ERR_INVALID_URI')
  }
}
