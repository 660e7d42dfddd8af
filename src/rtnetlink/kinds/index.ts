/** The kinds of links: adding one is adding a file with its table, and a line here. */
import type { Entries, Table } from '../../netlink/table.ts'
import { bond, bondPortOptions } from './bond.ts'
import { bridge, bridgePortOptions } from './bridge.ts'
import { geneve } from './geneve.ts'
import { erspan, gre, gretap, ip6erspan, ip6gre, ip6gretap } from './gre.ts'
import { ipvlan, ipvtap } from './ipvlan.ts'
import type { LinkKind } from './kind.ts'
import { macvlan, macvtap } from './macvlan.ts'
import { netkit } from './netkit.ts'
import { dummy, ifb, nlmon, wireguard } from './plain.ts'
import { tun } from './tun.ts'
import { ip6tnl, ipip, sit } from './tunnel.ts'
import { veth } from './veth.ts'
import { vlan } from './vlan.ts'
import { vrf, vrfPortOptions } from './vrf.ts'
import { vxlan } from './vxlan.ts'

/** By the name that the kernel has for it (IFLA_INFO_KIND). */
export const linkKinds = {
  bond, bridge, dummy, erspan, geneve, gre, gretap, ifb, ip6erspan, ip6gre, ip6gretap, ip6tnl, ipip, ipvlan, ipvtap, macvlan, macvtap,
  netkit, nlmon, sit, tun, veth, vlan, vrf, vxlan, wireguard,
} as const
export type LinkKinds = typeof linkKinds
export type KindName = keyof LinkKinds

/** Undefined for a kind that virbr has no table for. */
export function kindOf(name: string): LinkKind | undefined {
  return Object.hasOwn(linkKinds, name) ? linkKinds[name as KindName] as unknown as LinkKind : undefined
}

/** Options of a link, by kind. */
export const kinds = Object.fromEntries(Object.entries(linkKinds).map(([name, { options }]) => [name, options])) as
  unknown as { [K in KindName]: LinkKinds[K]['options'] }

/** Options of a port, by the kind of its master (IFLA_INFO_SLAVE_KIND). */
export const portKinds = {
  bond: bondPortOptions,
  bridge: bridgePortOptions,
  vrf: vrfPortOptions,
} as const
export type PortKind = keyof typeof portKinds

/** Kinds that take ports, virbr's own and others. */
export const masterKinds: readonly string[] = ['bridge', 'bond', 'vrf', 'team', 'openvswitch', 'batadv', 'hsr']

export function portTable(kind: string): Table<Entries> | undefined {
  return Object.hasOwn(portKinds, kind) ? portKinds[kind as PortKind] as unknown as Table<Entries> : undefined
}
