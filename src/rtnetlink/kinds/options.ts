/** Types of the options of each kind, for callers and in records. */
import type { TableValues } from '../../netlink/table.ts'
import type { bondOptions, bondPortOptions } from './bond.ts'
import type { bridgeOptions, bridgePortOptions } from './bridge.ts'
import type { geneveOptions } from './geneve.ts'
import type { greOptions, ip6greOptions } from './gre.ts'
import type { ipvlanOptions } from './ipvlan.ts'
import type { Options } from './kind.ts'
import type { macvlanOptions } from './macvlan.ts'
import type { netkitOptions } from './netkit.ts'
import type { tunOptions } from './tun.ts'
import type { ip6tnlOptions, ipipOptions, sitOptions } from './tunnel.ts'
import type { vlanOptions } from './vlan.ts'
import type { vrfOptions, vrfPortOptions } from './vrf.ts'
import type { vxlanOptions } from './vxlan.ts'

/** Options of a bridge, as `ip link … type bridge` has them. Ids and running timers are the kernel's own state. */
export type BridgeOptions = Options<typeof bridgeOptions>
export type VlanLinkOptions = Options<typeof vlanOptions>
export type VxlanOptions = Options<typeof vxlanOptions>
export type MacvlanOptions = Options<typeof macvlanOptions>
export type IpvlanOptions = Options<typeof ipvlanOptions>
export type BondOptions = Options<typeof bondOptions>
export type VrfOptions = Options<typeof vrfOptions>
export type GreOptions = Options<typeof greOptions>
export type Ip6greOptions = Options<typeof ip6greOptions>
export type IpipOptions = Options<typeof ipipOptions>
export type SitOptions = Options<typeof sitOptions>
export type Ip6tnlOptions = Options<typeof ip6tnlOptions>
export type GeneveOptions = Options<typeof geneveOptions>
export type NetkitOptions = Omit<Options<typeof netkitOptions>, 'peer'>
/** What the kernel tells of a tap or tun. */
export type TunState = TableValues<typeof tunOptions>

/** Options and state of a port of a bridge, as `bridge -d link` has them. */
export type BridgePortOptions = Options<typeof bridgePortOptions>
/** Options and state of a port of a bond, as `ip -d link` has them. */
export type BondPortOptions = Options<typeof bondPortOptions>
export type VrfPortOptions = Options<typeof vrfPortOptions>

type StateOfPorts = TableValues<typeof bridgePortOptions>['state'] | TableValues<typeof bondPortOptions>['state']
/** Options of a port, of those that its master's kind has. Records have other links as indices. */
export interface PortOptions extends Omit<BridgePortOptions, 'state'>, Omit<BondPortOptions, 'state'>, VrfPortOptions {
  state?: StateOfPorts
}

/** Options of one kind, under its name; all kinds that can be made by a request. */
export interface KindOptions {
  bridge?: BridgeOptions
  vlan?: VlanLinkOptions
  vxlan?: VxlanOptions
  macvlan?: MacvlanOptions
  macvtap?: MacvlanOptions
  ipvlan?: IpvlanOptions
  ipvtap?: IpvlanOptions
  bond?: BondOptions
  vrf?: VrfOptions
  gre?: GreOptions
  gretap?: GreOptions
  erspan?: GreOptions
  ip6gre?: Ip6greOptions
  ip6gretap?: Ip6greOptions
  ip6erspan?: Ip6greOptions
  ipip?: IpipOptions
  sit?: SitOptions
  ip6tnl?: Ip6tnlOptions
  geneve?: GeneveOptions
  netkit?: NetkitOptions
  /** No options. */
  dummy?: Record<string, never>
  /** No options. */
  ifb?: Record<string, never>
  /** No options. */
  nlmon?: Record<string, never>
  /** No options. */
  wireguard?: Record<string, never>
}
