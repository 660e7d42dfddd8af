/** Network filters, and their bindings to guests' devices. Source: virNWFilter, virNWFilterBinding, virsh's nwfilter-*. */
import type { NwfilterBindingHandle, NwfilterHandle } from '../../binding/index.ts'
import { calls } from './calls.ts'
import { NWFilterBindingCreateFlags, NWFilterDefineFlags } from './constants.ts'
import { Held } from './held.ts'
import { byName, lookUp } from './named.ts'
import { checkText, flagsOf } from './options.ts'
import type { Session } from './session.ts'

const defineFlags = { validate: NWFilterDefineFlags.VALIDATE } as const
const bindingFlags = { validate: NWFilterBindingCreateFlags.VALIDATE } as const

/** All filters of a hypervisor: `connection.nwfilters`. */
export class Nwfilters {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** Sorted by name. */
  async list(): Promise<Nwfilter[]> {
    const handles = await this.#session.use(connection => calls.virConnectListAllNWFilters(connection, 0))
    return handles.map(handle => this.#filter(handle)).sort(byName)
  }

  /** By name, or by UUID in any spelling. Rejects with ERR_NO_NWFILTER. */
  async get(nameOrUuid: string): Promise<Nwfilter> {
    checkText('nameOrUuid', nameOrUuid)
    return this.#filter(await this.#session.use(connection => lookUp(nameOrUuid, {
      missing: 'NO_NWFILTER',
      byName: name => calls.virNWFilterLookupByName(connection, name),
      byUuid: uuid => calls.virNWFilterLookupByUUIDString(connection, uuid),
    })))
  }

  /**
   * Makes a filter; the same name with the same uuid replaces it, for guests that run too. `validate`: against libvirt's
   * schema, libvirt ≥ 7.7.
   */
  async define(xml: string, options: { validate?: boolean } = {}): Promise<Nwfilter> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, defineFlags)
    return this.#filter(await this.#session.use(connection => (
      flags === 0 ? calls.virNWFilterDefineXML(connection, xml) : calls.virNWFilterDefineXMLFlags(connection, xml, flags)
    )))
  }

  #filter(handle: NwfilterHandle): Nwfilter {
    const { name = '', uuid = '' } = handle
    const held = new Held(this.#session, handle, connection => calls.virNWFilterLookupByUUIDString(connection, uuid))
    return new Nwfilter(name, uuid, held)
  }
}

/** A network filter. */
export class Nwfilter implements AsyncDisposable {
  readonly name: string
  /** In lower case, with hyphens. */
  readonly uuid: string
  readonly #held: Held<NwfilterHandle>

  constructor(name: string, uuid: string, held: Held<NwfilterHandle>) {
    this.name = name
    this.uuid = uuid
    this.#held = held
  }

  /** `<filter>` */
  xml(): Promise<string> {
    return this.#held.use(filter => calls.virNWFilterGetXMLDesc(filter, 0))
  }

  /** Rejects with ERR_LIBVIRT if it is in use. */
  async undefine(): Promise<void> {
    await this.#held.use(filter => calls.virNWFilterUndefine(filter))
  }

  /** Frees libvirt's handle before the garbage collector does; the filter stays. */
  close(): Promise<void> {
    return this.#held.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Which filter is at work on which device: `connection.nwfilterBindings`. libvirt ≥ 4.5. */
export class NwfilterBindings {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** Sorted by device. */
  async list(): Promise<NwfilterBinding[]> {
    const bindings = await this.#session.use(async connection => {
      const handles = await calls.virConnectListAllNWFilterBindings(connection, 0)
      return Promise.all(handles.map(handle => this.#binding(handle)))
    })
    return bindings.sort((a, b) => a.portDev < b.portDev ? -1 : 1)
  }

  /** By the guest's device on the host, e.g. `vnet0`. Rejects with ERR_NO_NWFILTER. */
  async get(portDev: string): Promise<NwfilterBinding> {
    checkText('portDev', portDev)
    return this.#session.use(async connection => this.#binding(await calls.virNWFilterBindingLookupByPortDev(connection, portDev)))
  }

  /** Puts a filter to work, `<filterbinding>`, on a device that is there. `validate`: libvirt ≥ 7.8. */
  async create(xml: string, options: { validate?: boolean } = {}): Promise<NwfilterBinding> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, bindingFlags)
    return this.#session.use(async connection => this.#binding(await calls.virNWFilterBindingCreateXML(connection, xml, flags)))
  }

  async #binding(handle: NwfilterBindingHandle): Promise<NwfilterBinding> {
    const portDev = handle.name ?? ''
    const filterName = await calls.virNWFilterBindingGetFilterName(handle)
    const held = new Held(this.#session, handle, connection => calls.virNWFilterBindingLookupByPortDev(connection, portDev))
    return new NwfilterBinding(portDev, filterName, held)
  }
}

/** A filter at work on a device. */
export class NwfilterBinding implements AsyncDisposable {
  /** The guest's device on the host, e.g. `vnet0`. */
  readonly portDev: string
  readonly filterName: string
  readonly #held: Held<NwfilterBindingHandle>

  constructor(portDev: string, filterName: string, held: Held<NwfilterBindingHandle>) {
    this.portDev = portDev
    this.filterName = filterName
    this.#held = held
  }

  /** `<filterbinding>` */
  xml(): Promise<string> {
    return this.#held.use(binding => calls.virNWFilterBindingGetXMLDesc(binding, 0))
  }

  /** Takes its rules away; a guest goes on unfiltered. */
  async delete(): Promise<void> {
    await this.#held.use(binding => calls.virNWFilterBindingDelete(binding))
  }

  /** Frees libvirt's handle before the garbage collector does; the binding stays. */
  close(): Promise<void> {
    return this.#held.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
