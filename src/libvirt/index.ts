/**
 * `virbr/libvirt`: the libvirt driver with all that it has beside networks, libvirt's numbers, and its C functions
 * themselves (`libvirt.virNetworkLookupByName(…)`) for what has no method.
 */
export { connectLibvirt } from './connection.ts'
export type { LibvirtConnection } from './connection.ts'
export type { AuthAnswers, AuthFunction, AuthRequest, CredentialType, Identity, LibvirtOptions, ReconnectOptions } from './open.ts'
export { LibvirtError } from './errors.ts'
export type { LibvirtErrorInfo } from './errors.ts'
export type { GapEvent, Watch } from './events.ts'
export type { OverrunEvent } from '../events.ts'

export type { DefineOptions, LibvirtNetworks } from './networks.ts'
export type { LibvirtNetwork } from './network.ts'
export type { Metadata, MetadataName, MetadataOptions } from './metadata.ts'
export type { NetworkPort, NetworkPortConfig, NetworkPortCreateOptions, NetworkPorts } from './ports.ts'
export type { Bandwidth, BandwidthChange, InboundRates, Rates } from './bandwidth.ts'

export type { DomainCreateOptions, DomainFilter, Domains } from './domains.ts'
export type {
  AddressSource, Domain, DomainAddresses, DomainChangeOptions, DomainInfo, DomainInterfaceStats, DomainState, ShutdownMode,
} from './domain.ts'
export type { DomainEvent, DomainEventType, DomainWatch, DomainWatchOptions } from './domain-events.ts'
export type { DomainInterface, DomainInterfaceSpec } from './domain-interfaces.ts'

export type { HostInterface, HostInterfaces } from './interfaces.ts'
export type { Nwfilter, NwfilterBinding, NwfilterBindings, Nwfilters } from './nwfilters.ts'

export { calls as libvirt, libvirtStats } from './calls.ts'
export * as constants from './constants.ts'
export type { ConnectionHandle, Handle, HandleKind, LibvirtFunction, LibvirtFunctions } from '../../binding/index.ts'
