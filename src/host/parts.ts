/** What a Host is made of; loaded when the first one is opened, since most of the package hangs on it. */
import type { NetnsSource } from '../../binding/index.ts'
import { Addresses } from './addresses.ts'
import { BandwidthControl } from './bandwidth.ts'
import { Channel } from './channel.ts'
import { Firewall } from './firewall.ts'
import { Iptables } from './iptables.ts'
import { Links } from './links.ts'
import { Mdb } from './mdb.ts'
import { Neighbors } from './neighbors.ts'
import { openNative } from './netns.ts'
import { Nexthops } from './nexthops.ts'
import { PolicyRouting } from './policy.ts'
import { Routes } from './routes.ts'
import { Rules } from './rules.ts'
import { Sysctl } from './sysctl.ts'
import { Classes, Filters, Qdiscs } from './tc.ts'
import { Vlans } from './vlans.ts'
import { watchHost } from './watch.ts'
import type { Watch, WatchOptions, WatchTargets } from './watch.ts'

export interface HostParts {
  channel: Channel
  links: Links
  addresses: Addresses
  neighbors: Neighbors
  vlans: Vlans
  mdb: Mdb
  qdiscs: Qdiscs
  classes: Classes
  filters: Filters
  bandwidth: BandwidthControl
  routes: Routes
  nexthops: Nexthops
  rules: Rules
  sysctl: Sysctl
  firewall: Firewall
  watch: (what: WatchTargets, options: WatchOptions) => Watch
  iptables: Iptables
}

export async function openParts(source: NetnsSource): Promise<HostParts> {
  const channel = new Channel(await openNative(source))
  const links = new Links(channel)
  const policy = new PolicyRouting(channel)
  return {
    channel,
    links,
    addresses: new Addresses(channel, links),
    neighbors: new Neighbors(channel, links),
    vlans: new Vlans(channel, links),
    mdb: new Mdb(channel, links),
    qdiscs: new Qdiscs(channel, links),
    classes: new Classes(channel, links),
    filters: new Filters(channel, links),
    bandwidth: new BandwidthControl(channel, links),
    routes: new Routes(channel, links, policy),
    nexthops: new Nexthops(channel, links),
    rules: new Rules(channel, policy),
    sysctl: new Sysctl(channel),
    firewall: new Firewall(channel),
    watch: (what, options) => watchHost(channel, links, what, options),
    iptables: new Iptables(channel),
  }
}
