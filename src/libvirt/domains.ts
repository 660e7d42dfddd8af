/** Domains, as far as their networks are concerned: which there are, their life, their interfaces. */
import type { DomainHandle } from '../../binding/index.ts'
import { wholeNumber } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { calls } from './calls.ts'
import { ConnectListAllDomainsFlags as list, DomainCreateFlags, DomainDefineFlags } from './constants.ts'
import { Domain } from './domain.ts'
import { watchDomains } from './domain-events.ts'
import type { DomainWatch, DomainWatchOptions } from './domain-events.ts'
import { Held } from './held.ts'
import { byName, lookUp } from './named.ts'
import { checkText, flagsOf } from './options.ts'
import type { Session } from './session.ts'

const filterFlags = {
  active: [list.ACTIVE, list.INACTIVE],
  persistent: [list.PERSISTENT, list.TRANSIENT],
  autostart: [list.AUTOSTART, list.NO_AUTOSTART],
  managedSave: [list.MANAGEDSAVE, list.NO_MANAGEDSAVE],
  snapshot: [list.HAS_SNAPSHOT, list.NO_SNAPSHOT],
  checkpoint: [list.HAS_CHECKPOINT, list.NO_CHECKPOINT],
  // Several of these are united.
  running: list.RUNNING,
  paused: list.PAUSED,
  shutoff: list.SHUTOFF,
  other: list.OTHER,
} as const

/** Which domains to list; what is left out does not matter. */
export interface DomainFilter {
  /** Running or paused, or not. */
  active?: boolean
  /** With a persistent configuration, or transient. */
  persistent?: boolean
  autostart?: boolean
  /** With a managed save image. */
  managedSave?: boolean
  snapshot?: boolean
  checkpoint?: boolean
  /** Those in one of the states that are set; several add up. */
  running?: boolean
  paused?: boolean
  shutoff?: boolean
  other?: boolean
}

const defineFlags = { validate: DomainDefineFlags.VALIDATE } as const
const createFlags = {
  paused: DomainCreateFlags.START_PAUSED,
  autodestroy: DomainCreateFlags.START_AUTODESTROY,
  validate: DomainCreateFlags.START_VALIDATE,
  resetNvram: DomainCreateFlags.START_RESET_NVRAM,
} as const

export interface DomainCreateOptions {
  /** Its processors do not run until `resume`. */
  paused?: boolean
  /** Destroyed when this connection ends. */
  autodestroy?: boolean
  /** Against libvirt's schema. */
  validate?: boolean
  /** UEFI variables as in the template. libvirt ≥ 8.1. */
  resetNvram?: boolean
}

const anId = wholeNumber(0, 0x7fff_ffff)

/** All domains of a hypervisor: `connection.domains`. Verbs follow virsh. */
export class Domains {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  /** Sorted by name. */
  async list(filter: DomainFilter = {}): Promise<Domain[]> {
    const flags = flagsOf('filter', filter, filterFlags)
    const handles = await this.#session.use(connection => calls.virConnectListAllDomains(connection, flags))
    return handles.map(handle => this.#domain(handle)).sort(byName)
  }

  /** By name, by UUID in any spelling, or, a number, by the id of a running one. Rejects with ERR_NO_DOMAIN. */
  async get(nameOrUuidOrId: string | number): Promise<Domain> {
    const by = nameOrUuidOrId
    if (typeof by === 'number') {
      if (!anId.test(by)) throw new InvalidArgumentError('id', by, anId.accepted)
      return this.#domain(await this.#session.use(connection => calls.virDomainLookupByID(connection, by)))
    }
    checkText('nameOrUuid', by)
    return this.#domain(await this.#session.use(connection => lookUp(by, {
      missing: 'NO_DOMAIN',
      byName: name => calls.virDomainLookupByName(connection, name),
      byUuid: uuid => calls.virDomainLookupByUUIDString(connection, uuid),
    })))
  }

  /** Makes a persistent domain, or replaces its configuration; not started. `validate`: against libvirt's schema. */
  async define(xml: string, options: { validate?: boolean } = {}): Promise<Domain> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, defineFlags)
    return this.#domain(await this.#session.use(connection => calls.virDomainDefineXMLFlags(connection, xml, flags)))
  }

  /** Makes a transient domain and starts it. */
  async create(xml: string, options: DomainCreateOptions = {}): Promise<Domain> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, createFlags)
    return this.#domain(await this.#session.use(connection => calls.virDomainCreateXML(connection, xml, flags)))
  }

  /**
   * What happens to domains from now on, whoever does it. Registered once `ready` resolves; otherwise as
   * `connection.networks.watch`.
   */
  watch(options: DomainWatchOptions = {}): DomainWatch {
    return watchDomains(this.#session, options)
  }

  #domain(handle: DomainHandle): Domain {
    const { name = '', uuid = '' } = handle
    return new Domain(name, uuid, new Held(this.#session, handle, connection => calls.virDomainLookupByUUIDString(connection, uuid)))
  }
}
