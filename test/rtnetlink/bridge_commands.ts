/**
 * Commands of bridge(8) and ip-neighbour(8), and our requests for the same: see ip_commands.ts. What iproute2 6.1 sends for
 * them is in bridge_captured.json; what only 6.15 knows, as that sends it.
 */
import { readFileSync } from 'node:fs'
import { deleteFdbEntry, flushFdb, getFdbEntry, listFdb, newFdbEntry } from '../../src/rtnetlink/fdb.ts'
import { listGlobalVlans, setGlobalVlan } from '../../src/rtnetlink/global-vlans.ts'
import {
  deleteMdbEntry, deleteVxlanMdbEntry, flushMdb, flushVxlanMdb, getMdbEntry, listMdb, newMdbEntry, newVxlanMdbEntry,
} from '../../src/rtnetlink/mdb.ts'
import { setMst } from '../../src/rtnetlink/mst.ts'
import { deleteNeighbor, getNeighbor, listNeighbors, newNeighbor } from '../../src/rtnetlink/neighbors.ts'
import { addVlans, deleteVlans, setVlan } from '../../src/rtnetlink/vlans.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import type { BridgePortOptions } from '../../src/rtnetlink/links.ts'
import type { IpCommand, Said } from './ip_commands.ts'

const captured = JSON.parse(readFileSync(new URL('bridge_captured.json', import.meta.url), 'utf8')) as Record<string, string>

const command = (words: string, ours: AnyRequest | undefined, more: Partial<IpCommand> = { exact: true }): IpCommand => {
  if (ours === undefined) throw new Error(words)
  return { command: words, sent: captured[words] ?? '', ours, ...more }
}
const inOtherOrder = {}
/** The bridge of iproute2 6.1 does not know it. */
const newer = (words: string, ours: AnyRequest, more: Partial<IpCommand> = { exact: true }): IpCommand =>
  command(words, ours, { newer: true, ...more })
/** ip and bridge ask without an acknowledgement, since the answer is one. */
const withAck = (theirs: Said): Said => ({ ...theirs, flags: theirs.flags | 0x4 })
/** ip says a state there, which the kernel does not look at. */
const withoutState = (theirs: Said): Said => ({ ...theirs, header: { ...theirs.header, state: 0 } })
const withoutStateMask = (theirs: Said): Said => {
  const { entry, more } = theirs.attributes as { entry: object, more: object }
  return { ...theirs, attributes: { entry: { ...entry, state: 'temp' }, more: { ...more, stateMask: undefined } } }
}

const mac = '52:54:00:00:00:01'
const fdb = (words: string, ours: AnyRequest, more?: Partial<IpCommand>): IpCommand => command(`bridge fdb ${words}`, ours, more)
const neigh = (words: string, ours: AnyRequest, more?: Partial<IpCommand>): IpCommand => command(`ip neighbour ${words}`, ours, more)

/** In a namespace that has the bridge br0 (index 10) and the veth v0 (index 11), v1 (index 12). */
export const bridgeCommands: IpCommand[] = [
  neigh(`add 10.0.0.9 lladdr ${mac} dev br0`, newNeighbor(10, { ip: '10.0.0.9', lladdr: mac })),
  neigh(`add 10.0.0.9 lladdr ${mac} dev br0 nud reachable router extern_learn protocol static`,
    newNeighbor(10, { ip: '10.0.0.9', lladdr: mac, state: 'reachable', router: true, externLearn: true, protocol: 'static' }), inOtherOrder),
  ...(['permanent', 'stale', 'noarp', 'probe', 'delay', 'incomplete', 'failed'] as const).map(state =>
    neigh(`replace fd00::9 lladdr ${mac} dev br0 nud ${state}`, newNeighbor(10, { ip: 'fd00::9', lladdr: mac, state }, 'replace'))),
  neigh('add 10.0.0.9 dev br0 use', newNeighbor(10, { ip: '10.0.0.9', use: true })),
  neigh('add 10.0.0.9 dev br0 managed', newNeighbor(10, { ip: '10.0.0.9', managed: true })),
  neigh('add proxy 10.0.0.9 dev br0', newNeighbor(10, { ip: '10.0.0.9', proxy: true })),
  neigh('add proxy fd00::9 dev br0', newNeighbor(10, { ip: 'fd00::9', proxy: true })),
  neigh('del 10.0.0.9 dev br0', deleteNeighbor(10, { ip: '10.0.0.9' }), { as: withoutState }),
  neigh('del proxy 10.0.0.9 dev br0', deleteNeighbor(10, { ip: '10.0.0.9', proxy: true }), { as: withoutState }),
  neigh('get 10.0.0.9 dev br0', getNeighbor(10, { ip: '10.0.0.9' }), { as: withAck }),
  neigh('get proxy 10.0.0.9 dev br0', getNeighbor(10, { ip: '10.0.0.9', proxy: true }), { as: withAck }),
  neigh('show dev br0', listNeighbors({ index: 10 })),
  command('ip -6 neighbour show proxy dev br0', listNeighbors({ index: 10, family: 6, proxy: true })),

  fdb(`add ${mac} dev v0`, newFdbEntry(11, { mac })),
  fdb(`add ${mac} dev v0 master`, newFdbEntry(11, { mac, master: true })),
  fdb(`add ${mac} dev v0 self master`, newFdbEntry(11, { mac, self: true, master: true })),
  fdb(`add ${mac} dev v0 master local`, newFdbEntry(11, { mac, master: true, state: 'local' })),
  fdb(`replace ${mac} dev v0 master static sticky`, newFdbEntry(11, { mac, master: true, state: 'static', sticky: true }, 'replace')),
  fdb(`replace ${mac} dev v0 master dynamic extern_learn`, newFdbEntry(11, { mac, master: true, state: 'dynamic', externLearn: true }, 'replace')),
  fdb(`add ${mac} dev v0 master vlan 5 use`, newFdbEntry(11, { mac, master: true, vlan: 5, use: true })),
  fdb(`append ${mac} dev v0 dst 10.0.0.9 port 4790 vni 77 via br0 src_vni 5 router`,
    newFdbEntry(11, { mac, dst: '10.0.0.9', port: 4790, vni: 77, via: 10, srcVni: 5, router: true }, 'append')),
  fdb(`add ${mac} dev v0 dst fd00::9`, newFdbEntry(11, { mac, dst: 'fd00::9' })),
  fdb(`add ${mac} dev v0 nhid 7`, newFdbEntry(11, { mac, nexthopId: 7 })),
  fdb(`del ${mac} dev v0`, deleteFdbEntry(11, { mac })),
  fdb(`del ${mac} dev v0 master vlan 5`, deleteFdbEntry(11, { mac, master: true, vlan: 5 })),
  fdb(`del ${mac} dev v0 dst 10.0.0.9 vni 77`, deleteFdbEntry(11, { mac, dst: '10.0.0.9', vni: 77 })),
  fdb(`get ${mac} br br0`, getFdbEntry(undefined, { mac, bridge: 10 }), { as: withAck }),
  fdb(`get ${mac} dev v0 self vlan 5 vni 77`, getFdbEntry(11, { mac, self: true, vlan: 5, vni: 77 }), { as: withAck }),
  // bridge names the port as the kernel has it without strict checking.
  fdb('show br br0 brport v0', listFdb({ index: 11, master: 10 }),
    { as: theirs => ({ ...theirs, header: { ...theirs.header, index: 0 }, attributes: { ...theirs.attributes, ifindex: 11 } }) }),
  ...flush('dev br0 permanent', 10, { state: 'permanent' }),
  ...flush('dev br0 brport v0 static nopermanent vlan 5', 10, { state: 'static', vlan: 5 }, 11),
  ...flush('dev br0 nostatic nopermanent extern_learn nosticky added_by_user nooffloaded', 10,
    { state: 'dynamic', externLearn: true, sticky: false, addedByUser: true, offload: false }, undefined, inOtherOrder),
  ...flush('dev br0', 10, { state: 'all' }),

  command('bridge mdb add dev br0 port v0 grp 239.1.1.1', newMdbEntry(10, { port: 11, group: '239.1.1.1' })),
  command('bridge mdb add dev br0 port v0 grp ff05::1 permanent vid 3', newMdbEntry(10, { port: 11, group: 'ff05::1', state: 'permanent', vlan: 3 })),
  command('bridge mdb add dev br0 port v0 grp 239.1.1.1 src 10.0.0.1 permanent',
    newMdbEntry(10, { port: 11, group: '239.1.1.1', source: '10.0.0.1', state: 'permanent' })),
  command('bridge mdb add dev br0 port v0 grp ff05::1 src fd00::1', newMdbEntry(10, { port: 11, group: 'ff05::1', source: 'fd00::1' })),
  command('bridge mdb add dev br0 port br0 grp 01:00:5e:00:00:09 permanent', newMdbEntry(10, { port: 10, group: '01:00:5e:00:00:09', state: 'permanent' })),
  command('bridge mdb del dev br0 port v0 grp 239.1.1.1', deleteMdbEntry(10, { port: 11, group: '239.1.1.1' })),
  command('bridge mdb del dev br0 port v0 grp 239.1.1.1 src 10.0.0.1 vid 3', deleteMdbEntry(10, { port: 11, group: '239.1.1.1', source: '10.0.0.1', vlan: 3 })),
  command('bridge mdb show dev br0', listMdb()),
  newer('bridge mdb add dev br0 port v0 grp 239.1.1.1 permanent filter_mode include source_list 10.0.0.1,10.0.0.2 proto static',
    newMdbEntry(10, { port: 11, group: '239.1.1.1', state: 'permanent', filterMode: 'include', sources: ['10.0.0.1', '10.0.0.2'], protocol: 'static' })),
  newer('bridge mdb replace dev br0 port v0 grp 239.1.1.1 permanent filter_mode exclude proto zebra vid 3',
    newMdbEntry(10, { port: 11, group: '239.1.1.1', state: 'permanent', filterMode: 'exclude', protocol: 'zebra', vlan: 3 }, 'replace')),
  newer('bridge mdb get dev br0 grp 239.1.1.1 vid 3', getMdbEntry(10, { group: '239.1.1.1', vlan: 3 }), { as: withAck }),
  newer('bridge mdb flush dev br0 port v0 vid 3', flushMdb(10, { port: 11, vlan: 3 })),
  newer('bridge mdb flush dev br0 proto static', flushMdb(10, { protocol: 'static' })),
  newer('bridge mdb flush dev br0', flushMdb(10, {})),

  newer('bridge mdb add dev x0 port x0 grp 239.1.1.1 permanent dst 198.51.100.1', newVxlanMdbEntry(13, { group: '239.1.1.1', dst: '198.51.100.1' })),
  newer('bridge mdb add dev x0 port x0 grp ff0e::1 permanent dst 2001:db8::1 dst_port 1234 vni 10020 src_vni 10010 via br0 src 2001:db8::5',
    newVxlanMdbEntry(13, { group: 'ff0e::1', dst: '2001:db8::1', dstPort: 1234, vni: 10020, srcVni: 10010, via: 10, source: '2001:db8::5' })),
  newer('bridge mdb replace dev x0 port x0 grp 239.1.1.1 permanent filter_mode include source_list 192.0.2.1,192.0.2.2 proto static dst 198.51.100.1 src_vni 10010',
    newVxlanMdbEntry(13, { group: '239.1.1.1', filterMode: 'include', sources: ['192.0.2.1', '192.0.2.2'], protocol: 'static', dst: '198.51.100.1', srcVni: 10010 }, 'replace'), inOtherOrder),
  ...['0.0.0.0', '::'].map(group => newer(`bridge mdb add dev x0 port x0 grp ${group} permanent dst 198.51.100.1 src_vni 10010`,
    newVxlanMdbEntry(13, { group, dst: '198.51.100.1', srcVni: 10010 }))),
  newer('bridge mdb del dev x0 port x0 grp 239.1.1.1 permanent dst 198.51.100.1 src_vni 10010',
    deleteVxlanMdbEntry(13, { group: '239.1.1.1', dst: '198.51.100.1', srcVni: 10010 })),
  newer('bridge mdb get dev x0 grp 239.1.1.1 src 192.0.2.1 src_vni 10010', getMdbEntry(13, { group: '239.1.1.1', source: '192.0.2.1', srcVni: 10010 }), { as: withAck }),
  newer('bridge mdb flush dev x0', flushVxlanMdb(13, {})),
  // A vxlan has no entries of another state.
  newer('bridge mdb flush dev x0 src_vni 10010 vni 10020 dst 198.51.100.1 dst_port 1234 proto static permanent',
    flushVxlanMdb(13, { srcVni: 10010, vni: 10020, dst: '198.51.100.1', dstPort: 1234, protocol: 'static' }), { as: withoutStateMask }),

  command('bridge vlan add vid 10 dev v0', addVlans(11, [10])),
  command('bridge vlan add vid 10-20 dev v0 untagged', addVlans(11, [{ vid: 10, to: 20, untagged: true }])),
  command('bridge vlan add vid 10 dev v0 pvid untagged master', addVlans(11, [{ vid: 10, pvid: true, untagged: true }], { master: true })),
  command('bridge vlan add vid 10 dev br0 self', addVlans(10, ['10'], { self: true })),
  command('bridge vlan del vid 10 dev v0', deleteVlans(11, [10])),
  command('bridge vlan del vid 30-4094 dev br0 self', deleteVlans(10, ['30-4094'], { self: true })),
  command('bridge vlan set vid 10-12 dev v0 state learning', setVlan(11, '10-12', { state: 'learning' })),
  command('bridge vlan set vid 10 dev v0 state blocking mcast_router 2', setVlan(11, 10, { state: 'blocking', multicastRouter: 2 })),
  newer('bridge vlan set vid 10 dev v0 mcast_max_groups 5 neigh_suppress on', setVlan(11, 10, { multicastMaxGroups: 5, neighSuppress: true })),
  command('bridge vlan global set vid 10 dev br0 mcast_snooping 0', setGlobalVlan(10, 10, { multicastSnooping: false })),
  command('bridge vlan global set vid 10-20 dev br0 mcast_snooping 1 mcast_querier 1 mcast_igmp_version 3 mcast_mld_version 2',
    setGlobalVlan(10, '10-20', { multicastSnooping: true, multicastQuerier: true, multicastIgmpVersion: 3, multicastMldVersion: 2 })),
  command('bridge vlan global set vid 10 dev br0 mcast_last_member_count 3 mcast_last_member_interval 150 mcast_startup_query_count 4 mcast_startup_query_interval 2000',
    setGlobalVlan(10, 10, {
      multicastLastMemberCount: 3, multicastLastMemberIntervalMs: 1500, multicastStartupQueryCount: 4,
      multicastStartupQueryIntervalMs: 20_000,
    })),
  command('bridge vlan global set vid 10 dev br0 mcast_membership_interval 25000 mcast_querier_interval 26000 mcast_query_interval 12000 mcast_query_response_interval 900',
    setGlobalVlan(10, 10, {
      multicastMembershipIntervalMs: 250_000, multicastQuerierIntervalMs: 260_000, multicastQueryIntervalMs: 120_000,
      multicastQueryResponseIntervalMs: 9000,
    })),
  newer('bridge vlan global set vid 10-12 dev br0 msti 7', setGlobalVlan(10, '10-12', { msti: 7 })),
  command('bridge vlan global show dev br0', listGlobalVlans()),
  newer('bridge mst set dev v0 msti 5 state forwarding', setMst(11, 5, 'forwarding')),
]

function flush(words: string, index: number, what: Parameters<typeof flushFdb>[1], only?: number, more?: Partial<IpCommand>): IpCommand[] {
  const [ours] = flushFdb(index, what, { self: true, ...(only === undefined ? {} : { only }) })
  return [command(`bridge fdb flush ${words}`, ours, more)]
}

/** Options of a port in words of `bridge link set dev v0 …`, and ours. Those of later releases than 6.1 are not captured. */
export const portCommands: { words: string, port: BridgePortOptions, sent: string | undefined }[] = Object.entries<BridgePortOptions>({
  'cost 5': { cost: 5 }, 'priority 6': { priority: 6 }, 'state listening': { state: 'listening' }, 'state 4': { state: 'blocking' },
  'guard on': { guard: true }, 'hairpin on': { hairpin: true }, 'fastleave on': { fastLeave: true }, 'root_block on': { rootBlock: true },
  'learning off': { learning: false }, 'flood off': { flood: false }, 'mcast_router 2': { multicastRouter: 2 },
  'mcast_flood off': { multicastFlood: false }, 'bcast_flood off': { broadcastFlood: false }, 'mcast_to_unicast on': { multicastToUnicast: true },
  'neigh_suppress on': { neighSuppress: true }, 'vlan_tunnel on': { vlanTunnel: true }, 'isolated on': { isolated: true }, 'locked on': { locked: true },
  'backup_port v1': { backupPort: 12 }, nobackup_port: { backupPort: 0 },
  'mab on': { macAuthBypass: true }, 'mcast_max_groups 9': { multicastMaxGroups: 9 }, 'neigh_vlan_suppress on': { neighVlanSuppress: true },
  'backup_nhid 7': { backupNexthopId: 7 },
}).map(([words, port]) => ({ words, port, sent: captured[`bridge link set dev v0 ${words}`] }))

/** What `bridge link set` has for cards that forward by themselves, and no bridge looks at. */
export const ofCards = ['learning_sync', 'hwmode', 'self', 'master']

