/** What both drivers offer. Verbs follow virsh: define, create, start, destroy, undefine. */
import type { NetworkConfig } from './config.ts'

export interface Connection extends AsyncDisposable {
  /** The URI that was connected to, as completed with its defaults. */
  readonly uri: string
  readonly networks: Networks
  /** Gives everything back; networks keep running. Idempotent. */
  close(): Promise<void>
}

export interface NetworkFilter {
  active?: boolean
  persistent?: boolean
  autostart?: boolean
}

export interface Networks {
  /** Networks that match, sorted by name. */
  list(filter?: NetworkFilter): Promise<Network[]>
  /** Rejects with ERR_NO_NETWORK. */
  get(nameOrUuid: string): Promise<Network>
  /**
   * Makes a persistent network, not started. A uuid, a MAC and a bridge name are chosen, and kept, where the
   * configuration has none. The same name with the same uuid replaces the persistent configuration; a running network
   * takes it up at its next start.
   */
  define(xmlOrConfig: string | NetworkConfig): Promise<Network>
  /** Makes a transient network and starts it; it is gone once it is destroyed. */
  create(xmlOrConfig: string | NetworkConfig): Promise<Network>
  /** Starts every inactive network that is marked for autostart, in order of names: for the host's boot. */
  autostart(): Promise<Network[]>
}

export interface NetworkInfo {
  active: boolean
  persistent: boolean
  autostart: boolean
  /** Name of the bridge, e.g. `virbr0`. */
  bridge: string
}

export interface Network {
  readonly name: string
  readonly uuid: string
  info(): Promise<NetworkInfo>
  /** Rejects with ERR_NETWORK_ACTIVE if it runs already. Undone completely if any step fails. */
  start(): Promise<void>
  /** Stops it. Rejects with ERR_NETWORK_INACTIVE if it does not run. */
  destroy(): Promise<void>
  /** Forgets the persistent configuration; a running network goes on as a transient one. */
  undefine(): Promise<void>
  setAutostart(on: boolean): Promise<void>
  /** The running configuration, or, inactive or with `inactive`, the persistent one, as libvirt network XML. */
  xml(options?: { inactive?: boolean }): Promise<string>
  config(options?: { inactive?: boolean }): Promise<NetworkConfig>
  /** DHCP leases that have not expired. */
  leases(filter?: { mac?: string }): Promise<Lease[]>
}

/** Fields as in libvirt's virNetworkDHCPLease. */
export interface Lease {
  /** The bridge. */
  iface: string
  /** Seconds since 1970; 0: never expires. */
  expiryTime: number
  type: 'ipv4' | 'ipv6'
  mac: string | undefined
  /** IAID, DHCPv6 only. */
  iaid: string | undefined
  ipaddr: string
  prefix: number
  hostname: string | undefined
  clientid: string | undefined
}
