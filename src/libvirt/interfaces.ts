/**
 * The host's own interfaces as libvirt's interface driver shows them. With the udev backend, the one of most
 * distributions since 2022, they can only be read: what changes something is ERR_UNSUPPORTED there.
 */
import type { InterfaceHandle } from '../../binding/index.ts'
import { check } from '../checks.ts'
import { calls } from './calls.ts'
import { ConnectListAllInterfacesFlags, InterfaceDefineFlags, InterfaceXMLFlags } from './constants.ts'
import { Held } from './held.ts'
import { byName } from './named.ts'
import { aMac, checkText, flagsOf } from './options.ts'
import type { Session } from './session.ts'

const listFlags = { active: [ConnectListAllInterfacesFlags.ACTIVE, ConnectListAllInterfacesFlags.INACTIVE] } as const
const defineFlags = { validate: InterfaceDefineFlags.VALIDATE } as const
const xmlFlags = { inactive: InterfaceXMLFlags.INACTIVE } as const

/** All interfaces of the host: `connection.interfaces`. Verbs follow virsh's iface-*. */
export class HostInterfaces {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** Sorted by name. */
  async list(filter: { active?: boolean } = {}): Promise<HostInterface[]> {
    const flags = flagsOf('filter', filter, listFlags)
    const handles = await this.#session.use(connection => calls.virConnectListAllInterfaces(connection, flags))
    return handles.map(handle => this.#interface(handle)).sort(byName)
  }

  /** Rejects with ERR_NO_INTERFACE. */
  async get(name: string): Promise<HostInterface> {
    checkText('name', name)
    return this.#interface(await this.#session.use(connection => calls.virInterfaceLookupByName(connection, name)))
  }

  /** Rejects with ERR_NO_INTERFACE; with ERR_LIBVIRT (MULTIPLE_INTERFACES) if several have the MAC, as a bridge and its port. */
  async getByMac(mac: string): Promise<HostInterface> {
    check('mac', mac, aMac)
    return this.#interface(await this.#session.use(connection => calls.virInterfaceLookupByMACString(connection, mac)))
  }

  /** Makes or replaces a configuration, `<interface>`; not started. `validate`: against libvirt's schema. */
  async define(xml: string, options: { validate?: boolean } = {}): Promise<HostInterface> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, defineFlags)
    return this.#interface(await this.#session.use(connection => calls.virInterfaceDefineXML(connection, xml, flags)))
  }

  /** Remembers the configuration as it is, for `rollback`. */
  async begin(): Promise<void> {
    await this.#session.use(connection => calls.virInterfaceChangeBegin(connection, 0))
  }

  /** Keeps what was changed since `begin`. */
  async commit(): Promise<void> {
    await this.#session.use(connection => calls.virInterfaceChangeCommit(connection, 0))
  }

  /** Goes back to what was remembered. */
  async rollback(): Promise<void> {
    await this.#session.use(connection => calls.virInterfaceChangeRollback(connection, 0))
  }

  #interface(handle: InterfaceHandle): HostInterface {
    const name = handle.name ?? ''
    return new HostInterface(name, new Held(this.#session, handle, connection => calls.virInterfaceLookupByName(connection, name)))
  }
}

/** An interface of the host. */
export class HostInterface implements AsyncDisposable {
  readonly name: string
  readonly #held: Held<InterfaceHandle>

  constructor(name: string, held: Held<InterfaceHandle>) {
    this.name = name
    this.#held = held
  }

  /** As libvirt has it: in lower case, with colons; '' for one without. */
  mac(): Promise<string> {
    return this.#held.use(handle => calls.virInterfaceGetMACString(handle))
  }

  /** As it is, or, `inactive`, as it is configured. */
  async xml(options: { inactive?: boolean } = {}): Promise<string> {
    const flags = flagsOf('options', options, xmlFlags)
    return this.#held.use(handle => calls.virInterfaceGetXMLDesc(handle, flags))
  }

  async isActive(): Promise<boolean> {
    return await this.#held.use(handle => calls.virInterfaceIsActive(handle)) === 1
  }

  /** `ifup`. */
  async start(): Promise<void> {
    await this.#held.use(handle => calls.virInterfaceCreate(handle, 0))
  }

  /** `ifdown`; the configuration stays. */
  async destroy(): Promise<void> {
    await this.#held.use(handle => calls.virInterfaceDestroy(handle, 0))
  }

  /** Forgets the configuration. */
  async undefine(): Promise<void> {
    await this.#held.use(handle => calls.virInterfaceUndefine(handle))
  }

  /** Frees libvirt's handle before the garbage collector does. */
  close(): Promise<void> {
    return this.#held.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
