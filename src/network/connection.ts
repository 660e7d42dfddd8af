/** What both drivers offer. Verbs follow virsh: define, create, start, destroy, undefine. */
import type { NetworkConfig, SectionConfigs } from './config.ts'
import type { NetworkUpdates } from './updates.ts'

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
  /**
   * What happens to networks from now on, whoever does it. Registered once `ready` resolves; events wait in a queue of
   * `limit` (default 1,024), after which the newest are dropped and an `overrun` event stands for them. Ends when
   * `signal` is aborted (rejecting with its reason), and without an error by `return()`, by `close()` and with the
   * connection's own `close`; rejects if the connection is lost.
   */
  watch(options?: WatchOptions): NetworkWatch
}

export interface WatchOptions {
  /** Only events of the network with this name or UUID. */
  network?: string
  /** Events that may wait to be read, 1 to 1,000,000. */
  limit?: number
  signal?: AbortSignal
}

/** Events in the order in which they happened. The process is kept alive while somebody waits for the next one. */
export interface NetworkWatch extends AsyncIterableIterator<NetworkEvent>, AsyncDisposable {
  /** Resolves when no event can be missed any more; rejects if watching is impossible. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

/** Something that happened. Source of the names: virNetworkEventLifecycleType. */
export type NetworkEvent =
  | { type: 'defined' | 'undefined' | 'started' | 'stopped', name: string, uuid: string }
  /** Title, description or metadata were changed. libvirt ≥ 9.8. */
  | { type: 'metadata', name: string, uuid: string, kind: 'description' | 'title' | 'element', namespace: string | undefined }
  /** The reader was too slow: so many events were dropped here. List the networks again. */
  | { type: 'overrun', lost: number }
  /**
   * The connection was lost and is there again (`reconnect: true`); nobody was told what happened between `lostAt` and
   * `at`, milliseconds since 1970. List the networks again.
   */
  | { type: 'gap', lostAt: number, at: number, reason: string }

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
export interface Network extends NetworkUpdates {
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
  /**
   * Changes one section of the network without restarting it, as virNetworkUpdate does; the typed helpers (`addDhcpHost`,
   * …) call it. Rejects with ERR_INVALID_ARGUMENT or ERR_INVALID_XML for what cannot be, ERR_UNSUPPORTED for a section
   * that cannot be updated, ERR_UPDATE_FAILED if there is no such element (delete, modify) or already one (add), and
   * ERR_NETWORK_INACTIVE or ERR_NETWORK_TRANSIENT if what is to be changed is not there. Nothing is changed then.
   */
  update(change: NetworkUpdate): Promise<void>
  /**
   * Makes a guest's port: a tap or a veth in the network's bridge, over netlink. Rejects with ERR_NETWORK_INACTIVE,
   * ERR_NO_BRIDGE if the bridge is not on this machine, ERR_INVALID_ARGUMENT, ERR_NO_PERMISSION, ERR_NETLINK. All or
   * nothing. Source of the conventions: libvirt's names `vnet0`…, first byte 0xFE of a tap's own MAC.
   */
  attach(port?: PortSpec): Promise<Port>
  /** The same for many at once, in phases whose cost stays linear; all or none. */
  attachMany(ports: readonly PortSpec[]): Promise<Port[]>
  /** Takes ports that `attach` made away, with what was reserved for them. All names are checked first. */
  detachMany(ifnames: readonly string[]): Promise<void>
  /** The links in the network's bridge, in order of their index; [] if it does not run. */
  ports(): Promise<Port[]>
}

/** Which element of a network to change, and how. Source: virNetworkUpdate. */
export interface NetworkUpdate<S extends keyof SectionConfigs = keyof SectionConfigs> {
  command: 'modify' | 'delete' | 'add-last' | 'add-first'
  section: S
  /** The element, as XML or as an object of the section's type. */
  xml: string | Partial<SectionConfigs[S]>
  /** Which `<ip>` the element is in, from 0; default: the one that fits. */
  parentIndex?: number
  /** Change the running network. Neither this nor `config`: only this if the network runs, else only `config`. */
  live?: boolean
  /** Change the persistent configuration. */
  config?: boolean
}

/** A port to make; `{}` is a tap `vnetN` with a MAC of its own. */
export interface PortSpec {
  /** 1 to 15 bytes. Default: the first free `vnetN`. */
  ifname?: string
  /** Default `tap`, for a virtual machine; `veth` for a container. */
  kind?: 'tap' | 'veth'
  /** The guest's MAC. Default: chosen, 52:54:00:xx:xx:xx. */
  mac?: string
  /** Reserves this address for the guest in the network's DHCP until the port is detached. */
  ip?: string
  /** The guest's name in DHCP and DNS; needs `ip`. */
  hostname?: string
  /** Numeric ids that may open the tap. */
  owner?: number
  group?: number
  /** Queues of the tap or veth, default 1. */
  queues?: number
  /** Frames carry a virtio_net_hdr. Default true for taps. */
  vnetHeader?: boolean
  /** Other isolated ports of the bridge cannot be reached. Default: the network's `<port isolated>`. */
  isolated?: boolean
  /** Default: the bridge's. */
  mtu?: number
  /** veth: its other end, which becomes the guest's; required there. `netns`: where it is born. */
  peer?: { ifname: string, netns?: string | number, up?: boolean }
}

/** A guest's port. */
export interface Port {
  ifname: string
  index: number
  kind: string | undefined
  /** The guest's MAC where `attach` made the port, else the link's own. */
  mac: string
  ip: string | undefined
  hostname: string | undefined
  isolated: boolean
  /** Made by `attach`. */
  ours: boolean
  /** Administratively up. */
  up: boolean
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
