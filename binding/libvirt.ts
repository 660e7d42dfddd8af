/**
 * libvirt's C functions, under their own names: what native/libvirt offers.
 *
 * libvirt.so.0 is loaded at the first call. Every call runs on a worker thread of the addon's own, never on libuv's, at
 * most 8 at a time a connection. All functions return promises; a call rejects with a `LibvirtFailure`.
 *
 * Source of all meanings: https://libvirt.org/html/index.html. Flags and enums are the C ones; src/libvirt/constants.ts
 * names them.
 */

export type HandleKind = 'connection' | 'domain' | 'network' | 'networkPort' | 'interface' | 'nwfilter' | 'nwfilterBinding'

/**
 * A libvirt object. It holds one reference, given back once: by `close`, or when it is collected. A handle in use by a
 * call is given back after that call. Handles belong to the environment (main thread, worker) that made them.
 */
export interface Handle<K extends HandleKind = HandleKind> {
  readonly kind: K
  readonly closed: boolean
  /** Name, or port device of a binding; undefined for connections and network ports. */
  readonly name: string | undefined
  /** In lower case, with hyphens; undefined for connections, interfaces and bindings. */
  readonly uuid: string | undefined
  /**
   * Waits for the calls under way, then gives the reference back; a connection: for the calls with any of its handles,
   * all of which it closes too. Later calls with it reject with `closed`. Idempotent.
   */
  close(): Promise<void>
}
export type ConnectionHandle = Handle<'connection'>
export type DomainHandle = Handle<'domain'>
export type NetworkHandle = Handle<'network'>
export type NetworkPortHandle = Handle<'networkPort'>
export type InterfaceHandle = Handle<'interface'>
export type NwfilterHandle = Handle<'nwfilter'>
export type NwfilterBindingHandle = Handle<'nwfilterBinding'>

/** What a call rejects with: an Error with these fields, by which src/libvirt/errors.ts makes a VirbrError. */
export type LibvirtFailure = Error & (
  /** libvirt's own error, copied in the thread that made the call. Fields as in virError. */
  | { failure: 'libvirt', libvirt: LibvirtErrorFields }
  /** libvirt.so.0 is there, but too old for this function. */
  | { failure: 'function', name: string, since: string, installed: string }
  /** No libvirt.so.0; `message` is dlerror's. */
  | { failure: 'library' }
  /** The handle, or its connection, is closed. */
  | { failure: 'closed', kind: HandleKind }
  /** An argument of a wrong type, nothing was called: its position from 0 and what is accepted. */
  | { failure: 'argument', name: string, index: number, accepted: string }
)

export interface LibvirtErrorFields {
  /** virErrorNumber */
  code: number
  /** virErrorDomain */
  domain: number
  message: string
  /** virErrorLevel */
  level: number
  str1: string | undefined
  str2: string | undefined
  str3: string | undefined
  int1: number
  int2: number
}

/** virConnectCredential */
export interface Credential {
  type: number
  prompt: string
  challenge: string | undefined
  defaultResult: string | undefined
}

/**
 * Asked while a connection is being opened. Must call `respond` once, with an answer a credential, or null to give up.
 * If it throws or forgets, the open fails with VIR_ERR_AUTH_CANCELLED or VIR_ERR_AUTH_FAILED.
 */
export type AuthCallback = (credentials: Credential[], respond: (answers: readonly string[] | null) => void) => void

export interface DhcpLease {
  iface: string
  expirytime: number
  type: number
  mac: string | undefined
  iaid: string | undefined
  ipaddr: string
  prefix: number
  hostname: string | undefined
  clientid: string | undefined
}

export interface DomainInterface {
  name: string
  hwaddr: string | undefined
  addrs: { type: number, addr: string, prefix: number }[]
}

/** virDomainInterfaceStatsStruct; -1: not known. */
export interface InterfaceStats {
  rxBytes: number
  rxPackets: number
  rxErrs: number
  rxDrop: number
  txBytes: number
  txPackets: number
  txErrs: number
  txDrop: number
}

/** virTypedParameter values: numbers for INT, UINT, DOUBLE, LLONG and ULLONG (bigint beyond 2^53), boolean, string. */
export type ParameterValue = number | bigint | boolean | string
export type Parameters = Record<string, ParameterValue>
/** VIR_TYPED_PARAM_* by name: how each value is to be passed. */
export type ParameterType = 'int' | 'uint' | 'llong' | 'ullong' | 'double' | 'boolean' | 'string'
export type TypedParameters = readonly { field: string, type: ParameterType, value: ParameterValue }[]

export interface NetworkEventPayload {
  name: string
  uuid: string
  /** LIFECYCLE: virNetworkEventLifecycleType. */
  event?: number
  detail?: number
  /** METADATA_CHANGE: virNetworkMetadataType, and the namespace of an element. */
  type?: number
  nsuri?: string | undefined
}

export interface DomainEventPayload {
  name: string
  uuid: string
  id: number
  /** LIFECYCLE; AGENT_LIFECYCLE's state and reason come so too. */
  event?: number
  detail?: number
  /** DEVICE_ADDED, DEVICE_REMOVED, DEVICE_REMOVAL_FAILED, NIC_MAC_CHANGE. */
  devAlias?: string
  oldMac?: string
  newMac?: string
}

type N = NetworkHandle
type D = DomainHandle
type C = ConnectionHandle
type Text = string | null

/** 0, or a number with a meaning; a negative result is a rejection. */
type Status = Promise<number>

export interface LibvirtFunctions {
  // Library
  /** major × 1,000,000 + minor × 1,000 + release. */
  virGetVersion(): Promise<number>

  // Connection
  /** `auth`: undefined answers no credentials. Flags: 1 read-only, 2 no aliases. */
  virConnectOpenAuth(uri: Text, auth: { types: readonly number[], callback: AuthCallback } | undefined, flags: number): Promise<C>
  virConnectSetKeepAlive(connection: C, intervalSeconds: number, count: number): Status
  virConnectIsAlive(connection: C): Status
  virConnectIsEncrypted(connection: C): Status
  virConnectIsSecure(connection: C): Status
  virConnectGetURI(connection: C): Promise<string>
  virConnectGetHostname(connection: C): Promise<string>
  virConnectGetType(connection: C): Promise<string>
  virConnectGetVersion(connection: C): Promise<number>
  virConnectGetLibVersion(connection: C): Promise<number>
  virConnectGetCapabilities(connection: C): Promise<string>
  virConnectGetSysinfo(connection: C, flags: number): Promise<string>
  virConnectSetIdentity(connection: C, parameters: TypedParameters, flags: number): Status
  /** One a connection. Called once, with virConnectCloseReason. Does not keep the process alive. */
  virConnectRegisterCloseCallback(connection: C, listener: (reason: number) => void): Status
  virConnectUnregisterCloseCallback(connection: C): Status

  // Networks
  virConnectListAllNetworks(connection: C, flags: number): Promise<N[]>
  virNetworkLookupByName(connection: C, name: Text): Promise<N>
  virNetworkLookupByUUIDString(connection: C, uuid: Text): Promise<N>
  virNetworkDefineXML(connection: C, xml: Text): Promise<N>
  virNetworkDefineXMLFlags(connection: C, xml: Text, flags: number): Promise<N>
  virNetworkCreateXML(connection: C, xml: Text): Promise<N>
  virNetworkCreateXMLFlags(connection: C, xml: Text, flags: number): Promise<N>
  virNetworkCreate(network: N): Status
  virNetworkDestroy(network: N): Status
  virNetworkUndefine(network: N): Status
  virNetworkUpdate(network: N, command: number, section: number, parentIndex: number, xml: Text, flags: number): Status
  virNetworkIsActive(network: N): Status
  virNetworkIsPersistent(network: N): Status
  virNetworkGetAutostart(network: N): Promise<number>
  virNetworkSetAutostart(network: N, on: number): Status
  virNetworkGetBridgeName(network: N): Promise<string>
  virNetworkGetName(network: N): Promise<string>
  virNetworkGetUUIDString(network: N): Promise<string>
  virNetworkGetXMLDesc(network: N, flags: number): Promise<string>
  virNetworkGetDHCPLeases(network: N, mac: Text, flags: number): Promise<DhcpLease[]>
  /** libvirt ≥ 9.7 */
  virNetworkGetMetadata(network: N, type: number, uri: Text, flags: number): Promise<string>
  /** libvirt ≥ 9.7 */
  virNetworkSetMetadata(network: N, type: number, metadata: Text, key: Text, uri: Text, flags: number): Status
  /**
   * `network` null: all. Event 0 LIFECYCLE, 1 METADATA_CHANGE. The listener does not keep the process alive. libvirt takes one
   * listener a connection, event and network; a second is VIR_ERR_INVALID_ARG.
   */
  virConnectNetworkEventRegisterAny(connection: C, network: N | null, event: number, listener: (event: NetworkEventPayload) => void): Status
  virConnectNetworkEventDeregisterAny(connection: C, id: number): Status

  // Network ports
  virNetworkListAllPorts(network: N, flags: number): Promise<NetworkPortHandle[]>
  virNetworkPortLookupByUUIDString(network: N, uuid: Text): Promise<NetworkPortHandle>
  virNetworkPortCreateXML(network: N, xml: Text, flags: number): Promise<NetworkPortHandle>
  virNetworkPortGetNetwork(port: NetworkPortHandle): Promise<N>
  virNetworkPortGetUUIDString(port: NetworkPortHandle): Promise<string>
  virNetworkPortGetXMLDesc(port: NetworkPortHandle, flags: number): Promise<string>
  virNetworkPortGetParameters(port: NetworkPortHandle, flags: number): Promise<Parameters>
  virNetworkPortSetParameters(port: NetworkPortHandle, parameters: TypedParameters, flags: number): Status
  virNetworkPortDelete(port: NetworkPortHandle, flags: number): Status

  // Domains
  virConnectListAllDomains(connection: C, flags: number): Promise<D[]>
  virDomainLookupByName(connection: C, name: Text): Promise<D>
  virDomainLookupByUUIDString(connection: C, uuid: Text): Promise<D>
  virDomainLookupByID(connection: C, id: number): Promise<D>
  virDomainDefineXMLFlags(connection: C, xml: Text, flags: number): Promise<D>
  virDomainCreateXML(connection: C, xml: Text, flags: number): Promise<D>
  virDomainCreateWithFlags(domain: D, flags: number): Status
  virDomainDestroyFlags(domain: D, flags: number): Status
  virDomainShutdownFlags(domain: D, flags: number): Status
  virDomainReboot(domain: D, flags: number): Status
  virDomainSuspend(domain: D): Status
  virDomainResume(domain: D): Status
  virDomainUndefineFlags(domain: D, flags: number): Status
  virDomainGetName(domain: D): Promise<string>
  virDomainGetUUIDString(domain: D): Promise<string>
  /** 4294967295 if it does not run. */
  virDomainGetID(domain: D): Promise<number>
  virDomainGetXMLDesc(domain: D, flags: number): Promise<string>
  virDomainGetState(domain: D, flags: number): Promise<{ state: number, reason: number }>
  virDomainIsActive(domain: D): Status
  virDomainIsPersistent(domain: D): Status
  virDomainGetAutostart(domain: D): Promise<number>
  virDomainSetAutostart(domain: D, on: number): Status
  virDomainGetMetadata(domain: D, type: number, uri: Text, flags: number): Promise<string>
  virDomainSetMetadata(domain: D, type: number, metadata: Text, key: Text, uri: Text, flags: number): Status
  virDomainAttachDeviceFlags(domain: D, xml: Text, flags: number): Status
  virDomainDetachDeviceFlags(domain: D, xml: Text, flags: number): Status
  virDomainDetachDeviceAlias(domain: D, alias: Text, flags: number): Status
  virDomainUpdateDeviceFlags(domain: D, xml: Text, flags: number): Status
  virDomainInterfaceStats(domain: D, device: Text): Promise<InterfaceStats>
  virDomainInterfaceAddresses(domain: D, source: number, flags: number): Promise<DomainInterface[]>
  virDomainGetInterfaceParameters(domain: D, device: Text, flags: number): Promise<Parameters>
  virDomainSetInterfaceParameters(domain: D, device: Text, parameters: TypedParameters, flags: number): Status
  /** `domain` null: all. Events 0, 15, 18, 19, 22; 27 (libvirt ≥ 11.2). Otherwise as for networks. */
  virConnectDomainEventRegisterAny(connection: C, domain: D | null, event: number, listener: (event: DomainEventPayload) => void): Status
  virConnectDomainEventDeregisterAny(connection: C, id: number): Status

  // Host interfaces
  virConnectListAllInterfaces(connection: C, flags: number): Promise<InterfaceHandle[]>
  virInterfaceLookupByName(connection: C, name: Text): Promise<InterfaceHandle>
  virInterfaceLookupByMACString(connection: C, mac: Text): Promise<InterfaceHandle>
  virInterfaceDefineXML(connection: C, xml: Text, flags: number): Promise<InterfaceHandle>
  virInterfaceUndefine(handle: InterfaceHandle): Status
  virInterfaceCreate(handle: InterfaceHandle, flags: number): Status
  virInterfaceDestroy(handle: InterfaceHandle, flags: number): Status
  virInterfaceIsActive(handle: InterfaceHandle): Status
  virInterfaceGetName(handle: InterfaceHandle): Promise<string>
  virInterfaceGetMACString(handle: InterfaceHandle): Promise<string>
  virInterfaceGetXMLDesc(handle: InterfaceHandle, flags: number): Promise<string>
  virInterfaceChangeBegin(connection: C, flags: number): Status
  virInterfaceChangeCommit(connection: C, flags: number): Status
  virInterfaceChangeRollback(connection: C, flags: number): Status

  // Network filters and their bindings
  virConnectListAllNWFilters(connection: C, flags: number): Promise<NwfilterHandle[]>
  virNWFilterLookupByName(connection: C, name: Text): Promise<NwfilterHandle>
  virNWFilterLookupByUUIDString(connection: C, uuid: Text): Promise<NwfilterHandle>
  virNWFilterDefineXML(connection: C, xml: Text): Promise<NwfilterHandle>
  virNWFilterDefineXMLFlags(connection: C, xml: Text, flags: number): Promise<NwfilterHandle>
  virNWFilterUndefine(filter: NwfilterHandle): Status
  virNWFilterGetName(filter: NwfilterHandle): Promise<string>
  virNWFilterGetUUIDString(filter: NwfilterHandle): Promise<string>
  virNWFilterGetXMLDesc(filter: NwfilterHandle, flags: number): Promise<string>
  virConnectListAllNWFilterBindings(connection: C, flags: number): Promise<NwfilterBindingHandle[]>
  virNWFilterBindingLookupByPortDev(connection: C, device: Text): Promise<NwfilterBindingHandle>
  virNWFilterBindingCreateXML(connection: C, xml: Text, flags: number): Promise<NwfilterBindingHandle>
  virNWFilterBindingDelete(binding: NwfilterBindingHandle): Status
  virNWFilterBindingGetPortDev(binding: NwfilterBindingHandle): Promise<string>
  virNWFilterBindingGetFilterName(binding: NwfilterBindingHandle): Promise<string>
  virNWFilterBindingGetXMLDesc(binding: NwfilterBindingHandle, flags: number): Promise<string>
}

export type LibvirtFunction = keyof LibvirtFunctions

/** `addon.libvirt` */
export interface LibvirtBinding {
  readonly functions: LibvirtFunctions
  /** Every function bound, in the order of the C table, with the libvirt version that brought it. */
  readonly table: readonly { name: string, since: string }[]
  /**
   * Counts those who wait for an event: while it is above 0 the process stays alive. Calls under way keep it alive by
   * themselves; registered listeners do not.
   */
  ref(): void
  unref(): void
  /** Handles not yet given back, threads, calls under way and registered listeners, of the whole process: for leak tests. */
  stats(): { handles: number, threads: number, calls: number, listeners: number }
}
