/** One domain. Source: virDomain, virsh(1). */
import type { DomainHandle, InterfaceStats } from '../../binding/index.ts'
import { checkEach, oneOf } from '../checks.ts'
import { InvalidArgumentError, VirbrError, show } from '../errors.ts'
import { unicastMac } from '../network/codecs.ts'
import { bandwidthOf, bandwidthParameters, checkBandwidth } from './bandwidth.ts'
import type { Bandwidth, BandwidthChange } from './bandwidth.ts'
import { calls } from './calls.ts'
import * as c from './constants.ts'
import { detachXml, interfaceXml, parseInterfaces } from './domain-interfaces.ts'
import type { DomainInterface, DomainInterfaceSpec } from './domain-interfaces.ts'
import type { Held } from './held.ts'
import { Metadata, domainMetadata } from './metadata.ts'
import { checkText, flagsOf } from './options.ts'

export type DomainState = c.Label<typeof c.DomainState> | 'unknown'

/** What `virsh dominfo` tells of its life. */
export interface DomainInfo {
  /** It runs, or is paused. */
  active: boolean
  /** It has a persistent configuration. */
  persistent: boolean
  autostart: boolean
  /** e.g. `running`, `paused`, `shutoff`. */
  state: DomainState
  /** Why it is in that state, e.g. `booted`, `user`, `destroyed`. Source: virDomain*Reason. */
  reason: string
}

/** Where a change goes. Neither given: to the running domain if it runs, else to its configuration. */
export interface DomainChangeOptions {
  /** The running domain. */
  live?: boolean
  /** The persistent configuration. */
  config?: boolean
}

/** Traffic of an interface, as its guest sees it: rx is what it received. Undefined: not counted. */
export type DomainInterfaceStats = { [K in keyof InterfaceStats]: number | undefined }

/** Addresses of one of the guest's devices. */
export interface DomainAddresses {
  /** Source `lease` and `arp`: the host's device, e.g. `vnet0`; `agent`: the guest's, e.g. `eth0`. */
  name: string
  mac: string | undefined
  addresses: { type: 'ipv4' | 'ipv6', address: string, prefix: number }[]
}

const impact = { live: c.DomainModificationImpact.LIVE, config: c.DomainModificationImpact.CONFIG } as const
const updateFlags = { ...impact, force: c.DomainDeviceModifyFlags.FORCE } as const
const xmlFlags = {
  inactive: c.DomainXMLFlags.INACTIVE,
  secure: c.DomainXMLFlags.SECURE,
  updateCpu: c.DomainXMLFlags.UPDATE_CPU,
  migratable: c.DomainXMLFlags.MIGRATABLE,
} as const
const startFlags = {
  paused: c.DomainCreateFlags.START_PAUSED,
  autodestroy: c.DomainCreateFlags.START_AUTODESTROY,
  bypassCache: c.DomainCreateFlags.START_BYPASS_CACHE,
  forceBoot: c.DomainCreateFlags.START_FORCE_BOOT,
  resetNvram: c.DomainCreateFlags.START_RESET_NVRAM,
} as const
const destroyFlags = { graceful: c.DomainDestroyFlags.GRACEFUL, removeLogs: c.DomainDestroyFlags.REMOVE_LOGS } as const
const undefineFlags = {
  managedSave: c.DomainUndefineFlags.MANAGED_SAVE,
  snapshotsMetadata: c.DomainUndefineFlags.SNAPSHOTS_METADATA,
  checkpointsMetadata: c.DomainUndefineFlags.CHECKPOINTS_METADATA,
  nvram: [c.DomainUndefineFlags.NVRAM, c.DomainUndefineFlags.KEEP_NVRAM],
  tpm: [c.DomainUndefineFlags.TPM, c.DomainUndefineFlags.KEEP_TPM],
} as const

/** How the guest is asked; each hypervisor knows some of them. */
export type ShutdownMode = 'acpi' | 'agent' | 'initctl' | 'signal' | 'paravirt'
const shutdownModes: Readonly<Record<ShutdownMode, number>> = {
  acpi: c.DomainShutdownFlags.ACPI_POWER_BTN,
  agent: c.DomainShutdownFlags.GUEST_AGENT,
  initctl: c.DomainShutdownFlags.INITCTL,
  signal: c.DomainShutdownFlags.SIGNAL,
  paravirt: c.DomainShutdownFlags.PARAVIRT,
}

export type AddressSource = 'lease' | 'agent' | 'arp'
const addressSources: Readonly<Record<AddressSource, number>> = {
  lease: c.DomainInterfaceAddressesSource.LEASE,
  agent: c.DomainInterfaceAddressesSource.AGENT,
  arp: c.DomainInterfaceAddressesSource.ARP,
}

/** The reasons of each state. */
const reasons: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [c.DomainState.NOSTATE]: c.DomainNostateReason,
  [c.DomainState.RUNNING]: c.DomainRunningReason,
  [c.DomainState.BLOCKED]: c.DomainBlockedReason,
  [c.DomainState.PAUSED]: c.DomainPausedReason,
  [c.DomainState.SHUTDOWN]: c.DomainShutdownReason,
  [c.DomainState.SHUTOFF]: c.DomainShutoffReason,
  [c.DomainState.CRASHED]: c.DomainCrashedReason,
  [c.DomainState.PMSUSPENDED]: c.DomainPMSuspendedReason,
}

/** libvirt's (unsigned)-1 stands for a domain that does not run. */
export function domainId(id: number): number | undefined {
  return id === 0xffff_ffff ? undefined : id
}

/**
 * A virtual machine or container. Calls reject with ERR_NO_DOMAIN once it is gone, and with ERR_LIBVIRT
 * (OPERATION_INVALID) if it must run, or must not.
 */
export class Domain implements AsyncDisposable {
  readonly name: string
  /** In lower case, with hyphens. */
  readonly uuid: string
  /** Title, description, and elements of namespaces. */
  readonly metadata: Metadata<DomainHandle>
  readonly #held: Held<DomainHandle>

  constructor(name: string, uuid: string, held: Held<DomainHandle>) {
    this.name = name
    this.uuid = uuid
    this.#held = held
    this.metadata = new Metadata(held, domainMetadata)
  }

  /** The hypervisor's number of it, undefined if it does not run. */
  async id(): Promise<number | undefined> {
    // A handle remembers the id that the domain had when it was looked up.
    return this.#held.use(async (_, connection) => {
      const fresh = await calls.virDomainLookupByUUIDString(connection, this.uuid)
      try {
        return domainId(await calls.virDomainGetID(fresh))
      } finally {
        await fresh.close()
      }
    })
  }

  async info(): Promise<DomainInfo> {
    const [active, persistent, autostart, { state, reason }] = await this.#held.use(domain => Promise.all([
      calls.virDomainIsActive(domain), calls.virDomainIsPersistent(domain),
      calls.virDomainGetAutostart(domain), calls.virDomainGetState(domain, 0),
    ]))
    return {
      active: active === 1,
      persistent: persistent === 1,
      autostart: autostart === 1,
      state: c.label(c.DomainState, state),
      reason: c.label(reasons[state] ?? {}, reason),
    }
  }

  /**
   * As it runs, or, `inactive`, as it will be started next. `secure`: with passwords, not on a read-only connection;
   * `updateCpu`: the CPU as the host would provide it; `migratable`: for a host with an older libvirt.
   */
  async xml(options: { inactive?: boolean, secure?: boolean, updateCpu?: boolean, migratable?: boolean } = {}): Promise<string> {
    const flags = flagsOf('options', options, xmlFlags)
    return this.#held.use(domain => calls.virDomainGetXMLDesc(domain, flags))
  }

  /**
   * `paused`: its processors do not run until `resume`; `autodestroy`: destroyed when this connection ends; `bypassCache`:
   * of a managed save image; `forceBoot`: without that image; `resetNvram`: libvirt ≥ 8.1.
   */
  async start(options: {
    paused?: boolean, autodestroy?: boolean, bypassCache?: boolean, forceBoot?: boolean, resetNvram?: boolean,
  } = {}): Promise<void> {
    const flags = flagsOf('options', options, startFlags)
    await this.#held.use(domain => calls.virDomainCreateWithFlags(domain, flags))
  }

  /** Asks the guest to shut down; it may take its time, or not listen. Default mode: the hypervisor's choice. */
  async shutdown(options: { mode?: ShutdownMode } = {}): Promise<void> {
    const flags = shutdownFlags(options)
    await this.#held.use(domain => calls.virDomainShutdownFlags(domain, flags))
  }

  /** Asks the guest to reboot. */
  async reboot(options: { mode?: ShutdownMode } = {}): Promise<void> {
    const flags = shutdownFlags(options)
    await this.#held.use(domain => calls.virDomainReboot(domain, flags))
  }

  /** Stops its processors; memory and devices stay. */
  async suspend(): Promise<void> {
    await this.#held.use(domain => calls.virDomainSuspend(domain))
  }

  async resume(): Promise<void> {
    await this.#held.use(domain => calls.virDomainResume(domain))
  }

  /** Ends it at once; a transient one is gone then. `graceful`: fails rather than kill it; `removeLogs`: libvirt ≥ 8.3. */
  async destroy(options: { graceful?: boolean, removeLogs?: boolean } = {}): Promise<void> {
    const flags = flagsOf('options', options, destroyFlags)
    await this.#held.use(domain => calls.virDomainDestroyFlags(domain, flags))
  }

  /**
   * Forgets the persistent configuration, and what is named beside it; `nvram`, `tpm`: removed (true) or kept (false),
   * one of which libvirt wants if there is any. A running domain goes on as a transient one.
   */
  async undefine(options: {
    managedSave?: boolean, snapshotsMetadata?: boolean, checkpointsMetadata?: boolean, nvram?: boolean, tpm?: boolean,
  } = {}): Promise<void> {
    const flags = flagsOf('options', options, undefineFlags)
    await this.#held.use(domain => calls.virDomainUndefineFlags(domain, flags))
  }

  /** Whether it is started with the host. */
  async setAutostart(on: boolean): Promise<void> {
    if (typeof on !== 'boolean') throw new InvalidArgumentError('on', on, 'true or false')
    await this.#held.use(domain => calls.virDomainSetAutostart(domain, on ? 1 : 0))
  }

  /** Its network interfaces, as it runs, or, `inactive`, as it will be started next. */
  async interfaces(options: { inactive?: boolean } = {}): Promise<DomainInterface[]> {
    return parseInterfaces(await this.xml(options))
  }

  /** Attaches an interface; gives it as libvirt completed it. A guest may need seconds to see it. */
  async attachInterface(spec: DomainInterfaceSpec, options: DomainChangeOptions = {}): Promise<DomainInterface> {
    const { mac, xml } = interfaceXml(spec)
    await this.attachDevice(xml, options)
    const inactive = options.config === true && options.live !== true
    const attached = (await this.interfaces({ inactive })).findLast(candidate => candidate.mac === mac)
    if (attached === undefined) throw new VirbrError('ERR_LIBVIRT', `domain ${this.name}: the new interface ${mac} is gone already`)
    return attached
  }

  /**
   * Detaches the interface with this MAC, or with this `target` or `alias`. A running guest must agree: libvirt waits 5 s
   * for it, then resolves all the same; event `device-removed` says when it is gone.
   */
  async detachInterface(which: string, options: DomainChangeOptions = {}): Promise<void> {
    checkText('interface', which)
    flagsOf('options', options, impact)
    const mac = unicastMac.parse(which)
    const inactive = options.config === true && options.live !== true
    const found = (await this.interfaces({ inactive }))
      .filter(given => given.target === which || given.alias === which || (mac !== undefined && given.mac === mac))
    const [one] = found
    if (one === undefined) throw new VirbrError('ERR_NO_INTERFACE', `domain ${this.name} has no interface ${show(which)}`)
    if (found.length > 1) throw new InvalidArgumentError('interface', which, `one of ${found.length} with this MAC, by target or alias`)
    const both = options.live === true && options.config === true
    await this.detachDevice(both ? detachXml(one) : one.xml, options)
  }

  /** Adds a device, given as in the domain's XML. */
  async attachDevice(xml: string, options: DomainChangeOptions = {}): Promise<void> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, impact)
    await this.#held.use(domain => calls.virDomainAttachDeviceFlags(domain, xml, flags))
  }

  /** Takes a device away, given by as much of its XML as tells it from others. See `detachInterface` for running guests. */
  async detachDevice(xml: string, options: DomainChangeOptions = {}): Promise<void> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, impact)
    await this.#held.use(domain => calls.virDomainDetachDeviceFlags(domain, xml, flags))
  }

  /** Takes a device away; a running guest's is gone only with the event `device-removed`. libvirt ≥ 4.4. */
  async detachDeviceByAlias(alias: string, options: DomainChangeOptions = {}): Promise<void> {
    checkText('alias', alias)
    const flags = flagsOf('options', options, impact)
    await this.#held.use(domain => calls.virDomainDetachDeviceAlias(domain, alias, flags))
  }

  /** Changes a device to the XML given; an interface is found by its MAC. `force`: whatever the guest says. */
  async updateDevice(xml: string, options: DomainChangeOptions & { force?: boolean } = {}): Promise<void> {
    checkText('xml', xml)
    const flags = flagsOf('options', options, updateFlags)
    await this.#held.use(domain => calls.virDomainUpdateDeviceFlags(domain, xml, flags))
  }

  /** Traffic of the interface with this `target` or MAC. */
  async interfaceStats(device: string): Promise<DomainInterfaceStats> {
    checkText('device', device)
    const stats = await this.#held.use(domain => calls.virDomainInterfaceStats(domain, device))
    const entries = Object.entries(stats).map(([name, value]) => [name, value === -1 ? undefined : value as number])
    return Object.fromEntries(entries) as DomainInterfaceStats
  }

  /** Addresses by DHCP `lease` of libvirt's networks (the default), of the guest's `agent`, or of the host's `arp` table. */
  async interfaceAddresses(options: { source?: AddressSource } = {}): Promise<DomainAddresses[]> {
    checkEach('options', options, { source: oneOf(Object.keys(addressSources)) })
    const source = addressSources[options.source ?? 'lease']
    const found = await this.#held.use(domain => calls.virDomainInterfaceAddresses(domain, source, 0))
    return found.map(({ name, hwaddr, addrs }) => ({
      name,
      mac: hwaddr?.toLowerCase(),
      addresses: addrs.map(({ type, addr, prefix }) => (
        { type: type === c.IPAddrType.IPV6 ? 'ipv6' : 'ipv4', address: addr, prefix }
      )),
    }))
  }

  /** Limits of the interface with this `target` or MAC, as it runs, or those of `live` or `config`. */
  async bandwidth(device: string, options: DomainChangeOptions = {}): Promise<Bandwidth> {
    checkText('device', device)
    const flags = flagsOf('options', options, impact)
    return bandwidthOf(await this.#held.use(domain => calls.virDomainGetInterfaceParameters(domain, device, flags)))
  }

  async setBandwidth(device: string, change: BandwidthChange, options: DomainChangeOptions = {}): Promise<void> {
    checkText('device', device)
    checkBandwidth('bandwidth', change, { removable: true })
    const flags = flagsOf('options', options, impact)
    const parameters = bandwidthParameters(change)
    if (parameters.length === 0) return
    await this.#held.use(domain => calls.virDomainSetInterfaceParameters(domain, device, parameters, flags))
  }

  /** Frees libvirt's handle before the garbage collector does; the domain goes on. */
  close(): Promise<void> {
    return this.#held.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function shutdownFlags(options: { mode?: ShutdownMode }): number {
  checkEach('options', options, { mode: oneOf(Object.keys(shutdownModes)) })
  return options.mode === undefined ? c.DomainShutdownFlags.DEFAULT : shutdownModes[options.mode]
}
