/**
 * Options that a VLAN has in all of a bridge: multicast snooping of its own, and its spanning tree. Source: bridge(8) "vlan
 * global", linux/if_bridge.h, net/bridge/br_vlan_options.c.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { bool8, readOnly, u16, u32, u8 } from '../netlink/codecs.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, list } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { clock64, querierState } from './kinds/bridge.ts'
import { decodeRouterPort, routerPort } from './mdb.ts'
import type { MdbRouterPort } from './mdb.ts'
import { parseVlans, repeated, vlanDump, vlanHeader } from './vlans.ts'
import type { VlanRange } from './vlans.ts'

/**
 * Options of a VLAN in all of a bridge. Those of multicast are as of bridges, and count if the bridge has the switch
 * `multicastVlanSnooping`. Linux 5.15, but for `msti`.
 */
export interface GlobalVlanOptions {
  /** Multicasts go only where IGMP and MLD say. Default true. */
  multicastSnooping?: boolean | undefined
  /** The bridge asks by IGMP and MLD. Default false. */
  multicastQuerier?: boolean | undefined
  /** 2 (default) or 3. */
  multicastIgmpVersion?: number | undefined
  /** 1 (default) or 2. */
  multicastMldVersion?: number | undefined
  /** Queries after a leave before a group ends. Default 2. */
  multicastLastMemberCount?: number | undefined
  /** Between those. Default 1000. */
  multicastLastMemberIntervalMs?: number | undefined
  /** Queries at the start. Default 2. */
  multicastStartupQueryCount?: number | undefined
  /** Between those. Default 31250. */
  multicastStartupQueryIntervalMs?: number | undefined
  /** Until a group without reports ends. Default 260000. */
  multicastMembershipIntervalMs?: number | undefined
  /** Until another querier counts as gone. Default 255000. */
  multicastQuerierIntervalMs?: number | undefined
  /** Between queries. Default 125000. */
  multicastQueryIntervalMs?: number | undefined
  /** Time to answer a query. Default 10000. */
  multicastQueryResponseIntervalMs?: number | undefined
  /** The spanning tree that it belongs to, of a bridge with the switch `mst`: 0 (default) to 4094. Linux 5.18. */
  msti?: number | undefined
}

/** A VLAN, or a range of VLANs that have all in common, of a bridge. */
export interface GlobalVlan extends GlobalVlanOptions {
  /** Index of the bridge. */
  bridge: number
  vid: number
  /** Last of the range, if it is one. */
  to: number | undefined
  /** Another querier that the bridge has heard of. */
  multicastQuerierState?: TableValues<typeof querierState> | undefined
  /** Ports behind which are multicast routers. */
  multicastRouters?: MdbRouterPort[] | undefined
}

const globalAttributes = attributes({
  vid: [c.BRIDGE_VLANDB_GOPTS_ID, u16],
  to: [c.BRIDGE_VLANDB_GOPTS_RANGE, u16],
  multicastSnooping: [c.BRIDGE_VLANDB_GOPTS_MCAST_SNOOPING, bool8],
  multicastQuerier: [c.BRIDGE_VLANDB_GOPTS_MCAST_QUERIER, bool8],
  multicastIgmpVersion: [c.BRIDGE_VLANDB_GOPTS_MCAST_IGMP_VERSION, u8],
  multicastMldVersion: [c.BRIDGE_VLANDB_GOPTS_MCAST_MLD_VERSION, u8],
  multicastLastMemberCount: [c.BRIDGE_VLANDB_GOPTS_MCAST_LAST_MEMBER_CNT, u32],
  multicastLastMemberIntervalMs: [c.BRIDGE_VLANDB_GOPTS_MCAST_LAST_MEMBER_INTVL, clock64],
  multicastStartupQueryCount: [c.BRIDGE_VLANDB_GOPTS_MCAST_STARTUP_QUERY_CNT, u32],
  multicastStartupQueryIntervalMs: [c.BRIDGE_VLANDB_GOPTS_MCAST_STARTUP_QUERY_INTVL, clock64],
  multicastMembershipIntervalMs: [c.BRIDGE_VLANDB_GOPTS_MCAST_MEMBERSHIP_INTVL, clock64],
  multicastQuerierIntervalMs: [c.BRIDGE_VLANDB_GOPTS_MCAST_QUERIER_INTVL, clock64],
  multicastQueryIntervalMs: [c.BRIDGE_VLANDB_GOPTS_MCAST_QUERY_INTVL, clock64],
  multicastQueryResponseIntervalMs: [c.BRIDGE_VLANDB_GOPTS_MCAST_QUERY_RESPONSE_INTVL, clock64],
  msti: [c.BRIDGE_VLANDB_GOPTS_MSTI, u16],
  multicastQuerierState: [c.BRIDGE_VLANDB_GOPTS_MCAST_QUERIER_STATE, readOnly(querierState)],
  multicastRouters: [c.BRIDGE_VLANDB_GOPTS_MCAST_ROUTER_PORTS, readOnly(list(c.MDBA_ROUTER_PORT, routerPort))],
})
type GlobalValues = TableValues<typeof globalAttributes>

const globalMessage = {
  header: vlanHeader, attributes: attributes({ globals: [c.BRIDGE_VLANDB_GLOBAL_OPTIONS, repeated('globals', globalAttributes)] }),
}

const optionNames = Object.keys(globalAttributes.entries).filter(name =>
  !['vid', 'to', 'multicastQuerierState', 'multicastRouters'].includes(name))

/** Linux 5.15. */
export function setGlobalVlan(bridge: number, range: VlanRange, options: GlobalVlanOptions): AnyRequest {
  checkFields(options, optionNames, 'options of a VLAN in all of a bridge')
  const { vid, to } = parseVlans(range)
  if (Object.values(options).every(value => value === undefined)) {
    throw new InvalidArgumentError('options', options, `at least one of ${optionNames.join(', ')}`)
  }
  return change({
    type: c.RTM_NEWVLAN, flags: 0, format: globalMessage,
    header: { family: c.AF_BRIDGE, index: bridge },
    attributes: { globals: [{ vid, ...(to === vid ? {} : { to }), ...options }] },
    operation: `set VLANs ${to === vid ? vid : `${vid}-${to}`} in all of bridge ${bridge}`,
    callerNames: { globals: 'options' },
  })
}

/** Of one bridge, or of all. The kernel joins VLANs that have all in common to ranges. Linux 5.15. */
export function listGlobalVlans(bridge?: number): AnyRequest {
  return dump({
    type: c.RTM_GETVLAN, flags: 0, format: vlanDump, reply: globalMessage,
    header: { family: c.AF_BRIDGE, index: bridge ?? 0 },
    attributes: { flags: c.BRIDGE_VLANDB_DUMPF_GLOBAL },
    operation: 'list VLANs of bridges',
  })
}

/** All of one bridge. Undefined: an older kernel, which has passed over what was asked for and lists VLANs of links. */
export function decodeGlobalVlans(message: Message): GlobalVlan[] | undefined {
  const { index: bridge } = message.header as unknown as { index: number }
  const { globals, raw } = message.attributes as { globals?: GlobalValues[], raw?: unknown }
  if (globals === undefined) return raw === undefined ? [] : undefined
  return globals.map(({ vid = 0, to, multicastRouters, raw: _, ...options }) => ({
    bridge, vid, to: to === vid ? undefined : to, ...options,
    ...(multicastRouters === undefined ? {} : { multicastRouters: multicastRouters.map(decodeRouterPort) }),
  }))
}
