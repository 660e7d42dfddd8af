/** What both drivers offer. Verbs follow virsh: define, create, start, destroy, undefine. */
import type { NetworkConfig } from './config.ts'

/**
 * A driver of networks, connected to: what `connect` gives. Any call after `close` rejects with ERR_CLOSED.
 * Source of names and meanings: libvirt's virNetwork API, virsh(1).
 */
export interface Connection extends AsyncDisposable {
  /** The URI that was connected to: the one given, else $VIRBR_URI, else the default. */
  readonly uri: string
  readonly networks: Networks
  /** Waits for what is under way and gives everything back; networks keep running. Idempotent. */
  close(): Promise<void>
}

/** Which networks to list; what is left out does not matter. */
export interface NetworkFilter {
  /** Running, or not. */
  active?: boolean
  /** With a persistent configuration, or transient. */
  persistent?: boolean
  /** Marked for autostart, or not. */
  autostart?: boolean
}

/**
 * All networks of a driver. Calls reject with ERR_STATE_DIR if state cannot be read or written; those that change
 * something also with ERR_LOCK_TIMEOUT, if another process holds the lock for 30 s.
 */
export interface Networks {
  /** Networks that match, sorted by name. Takes no lock. */
  list(filter?: NetworkFilter): Promise<Network[]>
  /** By name, or by UUID in any spelling. Rejects with ERR_NO_NETWORK. Takes no lock. */
  get(nameOrUuid: string): Promise<Network>
  /**
   * Makes a persistent network, not started. A uuid, a MAC and a bridge name are chosen, and kept, where the
   * configuration has none. The same name with the same uuid replaces the persistent configuration; a running network
   * takes it up at its next start.
   *
   * Rejects, before anything is touched, with ERR_INVALID_XML, ERR_INVALID_ARGUMENT (see validateNetwork),
   * ERR_UNSUPPORTED (an element that the driver does not do), ERR_NETWORK_EXISTS, and ERR_BRIDGE_IN_USE or
   * ERR_SUBNET_IN_USE if another network has them.
   */
  define(xmlOrConfig: string | NetworkConfig): Promise<Network>
  /**
   * Makes a transient network and starts it; it is gone once it is destroyed. Rejects as `define` and `Network.start` do,
   * with ERR_NETWORK_EXISTS for any network of that name.
   */
  create(xmlOrConfig: string | NetworkConfig): Promise<Network>
  /**
   * Starts every inactive network that is marked for autostart, in order of names: for the host's boot. Gives those that
   * it started. Rejects with the error of the first that fails; those before it run.
   */
  autostart(): Promise<Network[]>
}

/** What `virsh net-info` tells. */
export interface NetworkInfo {
  /** It runs. */
  active: boolean
  /** It has a persistent configuration. */
  persistent: boolean
  /** It is marked for autostart. */
  autostart: boolean
  /** Name of the bridge, e.g. `virbr0`. */
  bridge: string
}

/**
 * One network, by name and UUID. Each call looks at what is there now, whichever process put it there, and rejects with
 * ERR_NO_NETWORK if the network is gone or another one has its name.
 */
export interface Network {
  readonly name: string
  /** In lower case, with hyphens. */
  readonly uuid: string
  info(): Promise<NetworkInfo>
  /**
   * Starts it: bridge, firewall, addresses, routes, forwarding, DHCP and DNS. Resolves when guests can be answered.
   *
   * Rejects with ERR_NETWORK_ACTIVE if it runs already, ERR_NETWORK_TRANSIENT if it has no persistent configuration,
   * ERR_NO_PERMISSION without CAP_NET_ADMIN, ERR_BRIDGE_IN_USE if a link has the bridge's name, ERR_SUBNET_IN_USE if the
   * host routes its subnet, ERR_DNSMASQ_MISSING, ERR_DNSMASQ_FAILED, ERR_STATE_DIR if dnsmasq could not read its files, or
   * what the kernel answers (ERR_NETLINK). Undone completely if any step fails.
   */
  start(): Promise<void>
  /**
   * Stops it and takes everything of it away, leases included; a transient network is gone then. Rejects with
   * ERR_NETWORK_INACTIVE if it does not run. Most of its time is the kernel's, for the bridge and for dnsmasq's end.
   */
  destroy(): Promise<void>
  /**
   * Forgets the persistent configuration and the mark for autostart; a running network goes on as a transient one.
   * Rejects with ERR_NETWORK_TRANSIENT.
   */
  undefine(): Promise<void>
  /** Marks it for `Networks.autostart`, or takes the mark away. Rejects with ERR_NETWORK_TRANSIENT. */
  setAutostart(on: boolean): Promise<void>
  /**
   * The running configuration, or, inactive or with `inactive`, the persistent one, as libvirt network XML. Rejects with
   * ERR_NETWORK_TRANSIENT if the persistent one is asked for and there is none.
   */
  xml(options?: { inactive?: boolean }): Promise<string>
  /** The same as an object; the caller's own copy. */
  config(options?: { inactive?: boolean }): Promise<NetworkConfig>
  /** DHCP leases that have not expired, `mac` in any case. Rejects with ERR_NETWORK_INACTIVE if it does not run. */
  leases(filter?: { mac?: string }): Promise<Lease[]>
}

/** A DHCP lease. Fields as in libvirt's virNetworkDHCPLease. */
export interface Lease {
  /** The bridge. */
  iface: string
  /** Seconds since 1970; 0: never expires. */
  expiryTime: number
  type: 'ipv4' | 'ipv6'
  /** In lower case, with colons. */
  mac: string | undefined
  /** IAID, DHCPv6 only. */
  iaid: string | undefined
  ipaddr: string
  /** Length in bits of the subnet's prefix. */
  prefix: number
  /** As the guest calls itself. */
  hostname: string | undefined
  /** DHCP client identifier, hexadecimal with colons. */
  clientid: string | undefined
}
