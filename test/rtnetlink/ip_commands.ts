/**
 * Commands of ip(8), what they send (captured from iproute2 6.1), and our requests for the same. A request of ours may
 * differ in ways that the kernel does not care about: `as` says how.
 */
import type { Codec } from '../../src/netlink/codecs.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { deleteAddress, listAddresses, newAddress } from '../../src/rtnetlink/addresses.ts'
import * as c from '../../src/rtnetlink/constants.ts'
import { bondPortOptions } from '../../src/rtnetlink/kinds/bond.ts'
import { bridgePortOptions } from '../../src/rtnetlink/kinds/bridge.ts'
import { deleteLink, getLink, listLinks, newLink, setLink } from '../../src/rtnetlink/links.ts'
import { listRoutes } from '../../src/rtnetlink/route-lists.ts'
import { getRoute } from '../../src/rtnetlink/route-lookup.ts'
import { deleteRoute, newRoute } from '../../src/rtnetlink/routes.ts'

/** A request or a message, without what only the transport needs. */
export interface Said {
  type: number
  flags: number
  header: Record<string, number>
  attributes: Record<string, unknown>
}

export interface IpCommand {
  /**
   * Run by a shell in a namespace that has the bridge br0 (index 10, up, 10.0.0.1/24), the veth v0 (index 11), v1, and the
   * vxlan x0 (index 13) where the kernel has it.
   */
  command: string
  /** What it sends to change or ask: its last message, in hex, nlmsg_seq and nlmsg_pid zero. */
  sent: string
  ours: AnyRequest
  /** Theirs, as ours says it. */
  as?: (theirs: Said) => Said
  /** Byte for byte the same. */
  exact?: true
  /** iproute2 6.1 does not know it; 6.15 does. */
  newer?: true
}

export const setup = [
  'ip link add br0 index 10 up type bridge', 'ip address add 10.0.0.1/24 dev br0',
  'ip link add v0 index 11 type veth peer name v1 index 12',
  '(ip link add x0 index 13 type vxlan external dstport 4789 || true)',
].join(' && ')

/** ip changes links with RTM_NEWLINK, which RTM_SETLINK is a narrower form of: it cannot create by mistake. */
const setting = (theirs: Said): Said => ({ ...theirs, type: c.RTM_SETLINK })
/** ip asks for virtual functions, and for packet sockets' view, which is everybody's. */
const plain = (theirs: Said): Said => {
  const { extMask: _, ...attributes } = theirs.attributes
  return { ...theirs, header: { ...theirs.header, family: c.AF_UNSPEC }, attributes }
}
/** ip writes out the address of a default route of IPv6, `::`. */
const withoutDestination = (theirs: Said): Said => {
  const { destination: _, ...attributes } = theirs.attributes
  return { ...theirs, attributes }
}
const withAck = (theirs: Said): Said => ({ ...theirs, flags: theirs.flags | 0x4 })

const one = (requests: AnyRequest[]): AnyRequest => {
  const [request, ...more] = requests
  if (request === undefined || more.length > 0) throw new Error(`${requests.length} requests`)
  return request
}

export const commands: IpCommand[] = [
  {
    command: 'ip link add b1 index 20 type bridge',
    sent: '38000000100005060000000000000000000000001400000000000000000000000700030062310000100012000a000100' +
      '6272696467650000',
    ours: one(newLink({ name: 'b1', kind: 'bridge', index: 20 }, {})),
  },
  {
    command: 'ip link add b1 address 52:54:00:00:00:01 mtu 1400 group 7 txqueuelen 99 up type bridge ' +
      'forward_delay 400 hello_time 300 max_age 1000 ageing_time 6000 stp_state 1 priority 4096 group_fwd_mask 0x4000 ' +
      'group_address 01:80:c2:00:00:05 mcast_snooping 0 mcast_querier 1 mcast_router 2 mcast_query_interval 2000 ' +
      'mcast_last_member_count 3 mcast_igmp_version 3 mcast_hash_max 512 nf_call_iptables 1 nf_call_ip6tables 0 nf_call_arptables 1',
    sent: 'f8000000100005060000000000000000000000000000000001000000010000000a000100525400000001000008000400' +
      '7805000008001b000700000008000d00630000000700030062310000ac0012000a00010062726964676500009c000200' +
      '0800010090010000080002002c01000008000300e8030000080004007017000008000500010000000600060000100000' +
      '06000900004000000a0014000180c200000500000500170000000000050019000100000005001600020000000c002100' +
      'd00700000000000008001c000300000005002b000300000008001b000002000005002400010000000500250000000000' +
      '0500260001000000',
    ours: one(newLink({
      name: 'b1', kind: 'bridge', mac: '52:54:00:00:00:01', mtu: 1400, group: 7, txQueueLen: 99, up: true,
      bridge: {
        forwardDelayMs: 4000, helloTimeMs: 3000, maxAgeMs: 10_000, ageingTimeMs: 60_000, stp: true, priority: 4096,
        groupForwardMask: 0x4000, groupAddress: '01:80:c2:00:00:05', multicastSnooping: false, multicastQuerier: true,
        multicastRouter: 2, multicastQueryIntervalMs: 20_000, multicastLastMemberCount: 3, multicastIgmpVersion: 3,
        multicastHashMax: 512, nfCallIptables: true, nfCallIp6tables: false, nfCallArptables: true,
      },
    }, {})),
  },
  {
    command: 'ip link add v8 master br0 numtxqueues 1 numrxqueues 1 type veth peer name v9 numtxqueues 1 numrxqueues 1 netns $$',
    sent: '840000001000050600000000000000000000000000000000000000000000000008000a000a00000008001f0001000000' +
      '080020000100000007000300763800004400120008000100766574683800020034000100000000000000000000000000' +
      '0000000008001f00010000000800200001000000080013009e4b00000700030076390000',
    ours: one(newLink({ name: 'v8', kind: 'veth', veth: { peer: { name: 'v9' } } }, { master: 10, peerNetnsFd: 9 })),
    as: theirs => patch(theirs, ['linkinfo', 'data', 'peer', 'attributes'], ({ netnsPid: _, ...rest }) => ({ ...rest, netnsFd: 9 })),
  },
  {
    command: 'ip link add v8 numtxqueues 2 numrxqueues 3 type veth peer name v9 address 52:54:00:00:00:02 mtu 1300 ' +
      'txqueuelen 5 numtxqueues 4 numrxqueues 5',
    sent: '900000001000050600000000000000000000000000000000000000000000000008001f00020000000800200003000000' +
      '07000300763800005800120008000100766574684c00020048000100000000000000000000000000000000000a000100' +
      '5254000000020000080004001405000008000d000500000008001f000400000008002000050000000700030076390000',
    ours: one(newLink({
      name: 'v8', kind: 'veth', numTxQueues: 2, numRxQueues: 3,
      veth: { peer: { name: 'v9', mac: '52:54:00:00:00:02', mtu: 1300, txQueueLen: 5, numTxQueues: 4, numRxQueues: 5 } },
    }, {})),
  },
  { command: 'ip link set v0 master br0 up mtu 1400',
    sent: '30000000100005000000000000000000000000000b000000010000000100000008000a000a0000000800040078050000', ours: one(setLink(11, { up: true, mtu: 1400 }, { master: 10 })), as: setting },
  { command: 'ip link set v0 nomaster down', sent: '28000000100005000000000000000000000000000b000000000000000100000008000a0000000000', ours: one(setLink(11, { up: false }, { master: 0 })), as: setting },
  { command: 'ip link set v0 name v7', sent: '28000000100005000000000000000000000000000b00000000000000000000000700030076370000', ours: one(setLink(11, { name: 'v7' })), as: setting },
  { command: 'ip link set v0 alias "a veth"', sent: '2c000000100005000000000000000000000000000b00000000000000000000000a0014006120766574680000', ours: one(setLink(11, { alias: 'a veth' })), as: setting, exact: true },
  { command: 'ip link set v0 address 52:54:00:00:00:03 group 7 txqueuelen 5', sent: '3c000000100005000000000000000000000000000b00000000000000000000000a000100525400000003000008001b00' +
      '0700000008000d0005000000',
    ours: one(setLink(11, { mac: '52:54:00:00:00:03', group: 7, txQueueLen: 5 })), as: setting },
  { command: 'ip link set br0 type bridge stp_state 1 forward_delay 200', sent: '44000000100005000000000000000000000000000a0000000000000000000000240012000a0001006272696467650000' +
      '14000200080005000100000008000100c8000000',
    ours: one(setLink(10, { bridge: { stp: true, forwardDelayMs: 2000 } })) },
  {
    command: 'ip link set v0 master br0 && ip link set v0 type bridge_slave isolated on learning off cost 7 priority 5 hairpin on',
    sent: '60000000100005000000000000000000000000000b000000000000000000000040001200100001006272696467655f73' +
      '6c6176652c00050005002100010000000500080000000000080003000700000006000200050000000500040001000000',
    ours: one(setLink(11, { port: { isolated: true, learning: false, cost: 7, priority: 5, hairpin: true } })),
    // The kernel takes the options by the kind of the master; ip has the kind under another name, which it skips.
    as: theirs => patch(theirs, ['linkinfo'], ({ kind: _, portData }) => ({ portKind: 'bridge', portData: portOptions(bridgePortOptions, portData) })),
  },
  { command: 'ip link delete v0', sent: '20000000110005000000000000000000000000000b0000000000000000000000', ours: deleteLink(11), exact: true },
  { command: 'ip link show dev br0', sent: '3000000012000100000000000000000011000000000000000000000000000000080003006272300008001d0001000000', ours: getLink('br0'), as: theirs => withAck(plain(theirs)) },
  { command: 'ip link show', sent: '280000001200010300000000000000001100000000000000000000000000000008001d0001000000', ours: listLinks(), as: plain },
  { command: 'ip link show type bridge', sent: '380000001200010300000000000000001100000000000000000000000000000008001d0001000000100012000a000100' +
      '6272696467650000', ours: listLinks({ kind: 'bridge' }), as: plain },
  { command: 'ip link show master br0', sent: '300000001200010300000000000000001100000000000000000000000000000008001d000100000008000a000a000000', ours: listLinks({ master: 10 }), as: plain },

  // Settings of any link.
  { command: 'ip link set v0 promisc on allmulticast on multicast off arp off dynamic on trailers off', sent: '20000000100005000000000000000000000000000b000000a0830000a0930000',
    ours: one(setLink(11, { promisc: true, allMulticast: true, multicast: false, arp: false, dynamic: true, trailers: false })),
    as: setting },
  { command: 'ip link set v0 multicast on arp on promisc off', sent: '20000000100005000000000000000000000000000b0000000010000080110000',
    ours: one(setLink(11, { multicast: true, arp: true, promisc: false })), as: setting },
  { command: 'ip link property add dev v0 altname one altname two-is-a-longer-name', sent: '480000006c00050e0000000000000000000000000b000000000000000000000028003480080035006f6e65001900350074776f2d69732d612d6c6f6e6765722d6e616d6500000000',
    ours: one(setLink(11, { addAltNames: ['one', 'two-is-a-longer-name'] })), exact: true },
  { command: 'ip link property add dev v0 altname one && ip link property del dev v0 altname one', sent: '2c0000006d0005000000000000000000000000000b00000000000000000000000c003480080035006f6e6500',
    ours: one(setLink(11, { deleteAltNames: ['one'] })), exact: true },
  { command: 'ip link set v0 gso_max_size 60000 gso_max_segs 100 gro_max_size 50000', sent: '38000000100005000000000000000000000000000b00000000000000000000000800290060ea0000080028006400000008003a0050c30000',
    ours: one(setLink(11, { gsoMaxSize: 60_000, gsoMaxSegs: 100, groMaxSize: 50_000 })), as: setting },
  { command: 'ip link set v0 addrgenmode none', sent: '30000000100005000000000000000000000000000b000000000000000000000010001a000c000a000500080001000000',
    ours: one(setLink(11, { ipv6: { addrGenMode: 'none' } })), as: setting, exact: true },
  { command: 'ip link set v0 up; ip token set ::1 dev v0', sent: '3c0000001300050000000000000000000a0000000b00000000000000000000001c001a0018000a001400070000000000000000000000000000000001',
    ours: one(setLink(11, { ipv6: { token: '::1' } })), as: plain },
  { command: 'ip link set v0 mode dormant', sent: '28000000100005000000000000000000000000000b00000000000000000000000500110001000000', ours: one(setLink(11, { linkMode: 'dormant' })), as: setting, exact: true },
  { command: 'ip link set v0 state dormant', sent: '28000000100005000000000000000000000000000b00000000000000000000000500100005000000', ours: one(setLink(11, { operState: 'dormant' })), as: setting, exact: true },
  { command: 'ip link set v0 protodown on', sent: '28000000100005000000000000000000000000000b00000000000000000000000500270001000000', ours: one(setLink(11, { protoDown: true })), as: setting, exact: true },
  { command: 'ip link set v0 protodown_reason 3 on', sent: '34000000100005000000000000000000000000000b00000000000000000000001400378008000100080000000800020008000000',
    ours: one(setLink(11, { protoDownReason: { mask: 8, value: 8 } })), as: setting, exact: true },
  { command: 'ip link set v0 carrier off', sent: '28000000100005000000000000000000000000000b00000000000000000000000500210000000000', ours: one(setLink(11, { carrier: false })), as: setting, exact: true },
  { command: 'ip link set v0 broadcast ff:ff:ff:ff:ff:f0', sent: '2c000000100005000000000000000000000000000b00000000000000000000000a000200fffffffffff00000', ours: one(setLink(11, { broadcast: 'ff:ff:ff:ff:ff:f0' })), as: setting, exact: true },
  { command: 'ip link set v0 type bond_slave queue_id 3 prio 5', sent: '48000000100005000000000000000000000000000b0000000000000000000000280012000e000100626f6e645f736c61766500001400050006000500030000000800090005000000',
    ours: one(setLink(11, { port: { queueId: 3, prio: 5 } })),
    as: theirs => patch(theirs, ['linkinfo'], ({ kind: _, portData }) => ({ portKind: 'bond', portData: portOptions(bondPortOptions, portData) })) },
  { command: 'ip link set v0 type macvlan macaddr set 52:54:00:00:00:01 52:54:00:00:00:02',
    sent: '58000000100005000000000000000000000000000b0000000000000000000000380012000b0001006d6163766c616e002800020008000300030000001c0005000a00040052540000000100000a0004005254000000020000',
    ours: one(setLink(11, { macvlan: { macaddrMode: 'set', macaddrData: ['52:54:00:00:00:01', '52:54:00:00:00:02'] } })) },
  { command: 'ip link set v0 type vxlan ageing 5 nolearning', sent: '44000000100005000000000000000000000000000b0000000000000000000000240012000900010076786c616e0000001400020008000800050000000500070000000000',
    ours: one(setLink(11, { vxlan: { ageingMs: 5000, learning: false } })) },

  { command: 'ip address add 10.1.0.1/24 dev br0', sent: '28000000140005060000000000000000021800000a000000080002000a010001080001000a010001', ours: newAddress(10, '10.1.0.1/24'), exact: true },
  { command: 'ip address add 10.1.0.1/24 dev br0 broadcast + label br0:1 metric 7', sent: '44000000140005060000000000000000021800000a000000080002000a0100010a0003006272303a3100000008000900' +
      '07000000080001000a010001080004000a0100ff',
    ours: newAddress(10, '10.1.0.1/24', { broadcast: 'auto', label: 'br0:1', metric: 7 }) },
  { command: 'ip address add 10.1.0.1/20 dev br0 broadcast 10.1.9.9 scope link', sent: '30000000140005060000000000000000021400fd0a000000080002000a010001080004000a010909080001000a010001',
    ours: newAddress(10, '10.1.0.1/20', { broadcast: '10.1.9.9', scope: 'link' }) },
  { command: 'ip address add 10.1.0.1/24 dev br0 noprefixroute valid_lft 100 preferred_lft 50', sent: '44000000140005060000000000000000021800000a000000080002000a0100010800080000020000080001000a010001' +
      '1400060032000000640000000000000000000000',
    ours: newAddress(10, '10.1.0.1/24', { noPrefixRoute: true, validLifetimeMs: 100_000, preferredLifetimeMs: 50_000 }) },
  { command: 'ip address replace 10.0.0.1/24 dev br0 preferred_lft 0', sent: '3c000000140005050000000000000000021800000a000000080002000a000001080001000a0000011400060000000000' +
      'ffffffff0000000000000000',
    ours: newAddress(10, '10.0.0.1/24', { preferredLifetimeMs: 0 }, 'replace') },
  { command: 'ip address add 10.1.0.1 peer 10.1.0.2/32 dev v0', sent: '28000000140005060000000000000000022000000b000000080002000a010001080001000a010002', ours: newAddress(11, '10.1.0.1/32', { peer: '10.1.0.2' }) },
  { command: 'ip address add 127.1.2.3/8 dev br0', sent: '28000000140005060000000000000000020800fe0a000000080002007f010203080001007f010203', ours: newAddress(10, '127.1.2.3/8') },
  { command: 'ip address add fd00::1/64 dev br0', sent: '400000001400050600000000000000000a4000000a00000014000200fd00000000000000000000000000000114000100' +
      'fd000000000000000000000000000001', ours: newAddress(10, 'fd00::1/64'), exact: true },
  { command: 'ip address delete 10.0.0.1/24 dev br0', sent: '28000000150005000000000000000000021800000a000000080002000a000001080001000a000001', ours: deleteAddress(10, '10.0.0.1/24'), exact: true },
  {
    command: 'ip address add 10.1.0.1 peer 10.1.0.2/32 dev v0 && ip address delete 10.1.0.1 peer 10.1.0.2/32 dev v0',
    sent: '28000000150005000000000000000000022000000b000000080002000a010001080001000a010002',
    ours: deleteAddress(11, '10.1.0.1/32', { peer: '10.1.0.2' }),
  },
  { command: 'ip address show dev br0', sent: '18000000160001030000000000000000000000000a000000', ours: listAddresses({ index: 10 }), exact: true },
  { command: 'ip -6 address show dev br0', sent: '180000001600010300000000000000000a0000000a000000', ours: listAddresses({ index: 10, family: 6 }), exact: true },

  { command: 'ip route add default via 10.0.0.2', sent: '2400000018000506000000000000000002000000fe03000100000000080005000a000002', ours: newRoute({ to: 'default', via: '10.0.0.2' }), exact: true },
  { command: 'ip route add 10.1.0.0/16 via 10.0.0.2 metric 5 table 1000 mtu 1400 advmss 1300 src 10.0.0.1', sent: '58000000180005060000000000000000021000000003000100000000080001000a010000080005000a00000208000600' +
      '0500000008000f00e8030000080007000a0000011400080008000200780500000800080014050000',
    ours: newRoute({ to: '10.1.0.0/16', via: '10.0.0.2', metric: 5, table: 1000, mtu: 1400, advmss: 1300, source: '10.0.0.1' }) },
  { command: 'ip route add 10.1.0.0/16 via 10.9.0.2 dev br0 onlink proto static', sent: '3400000018000506000000000000000002100000fe04000104000000080001000a010000080005000a09000208000400' +
      '0a000000',
    ours: newRoute({ to: '10.1.0.0/16', via: '10.9.0.2', index: 10, onLink: true, protocol: 'static' }) },
  { command: 'ip route add 10.1.0.0/16 dev br0', sent: '2c00000018000506000000000000000002100000fe03fd0100000000080001000a010000080004000a000000', ours: newRoute({ to: '10.1.0.0/16', index: 10 }), exact: true },
  { command: 'ip route add 10.1.0.0/16 dev br0 scope host table local', sent: '2c00000018000506000000000000000002100000ff03fe0100000000080001000a010000080004000a000000',
    ours: newRoute({ to: '10.1.0.0/16', index: 10, scope: 'host', table: 'local' }), exact: true },
  { command: 'ip route add local 10.2.0.1 dev br0', sent: '2c00000018000506000000000000000002200000ff03fe0200000000080001000a020001080004000a000000', ours: newRoute({ to: '10.2.0.1', type: 'local', index: 10 }), exact: true },
  { command: 'ip route add broadcast 10.2.0.255 dev br0', sent: '2c00000018000506000000000000000002200000ff03fd0300000000080001000a0200ff080004000a000000',
    ours: newRoute({ to: '10.2.0.255', type: 'broadcast', index: 10 }), exact: true },
  { command: 'ip route add blackhole 10.3.0.0/16', sent: '2400000018000506000000000000000002100000fe03000600000000080001000a030000', ours: newRoute({ to: '10.3.0.0/16', type: 'blackhole' }), exact: true },
  { command: 'ip route add 10.1.0.0/16 via inet6 fe80::1 dev br0', sent: '4400000018000506000000000000000002100000fe03000100000000080001000a010000160012000a00fe8000000000' +
      '000000000000000000010000080004000a000000',
    ours: newRoute({ to: '10.1.0.0/16', via: 'fe80::1', index: 10 }), exact: true },
  { command: 'ip -6 route add default via fe80::1 dev br0', sent: '4c0000001800050600000000000000000a000000fe030001000000001400010000000000000000000000000000000000' +
      '14000500fe800000000000000000000000000001080004000a000000',
    ours: newRoute({ to: 'default', via: 'fe80::1', index: 10 }), as: withoutDestination },
  { command: 'ip route add fd01::/64 dev br0 metric 5', sent: '400000001800050600000000000000000a400000fe0300010000000014000100fd010000000000000000000000000000' +
      '0800060005000000080004000a000000', ours: newRoute({ to: 'fd01::/64', index: 10, metric: 5 }) },
  { command: 'ip route replace 10.1.0.0/16 dev br0', sent: '2c00000018000505000000000000000002100000fe03fd0100000000080001000a010000080004000a000000',
    ours: newRoute({ to: '10.1.0.0/16', index: 10 }, 'replace'), exact: true },
  { command: 'ip route add 10.1.0.0/16 dev br0 && ip route delete 10.1.0.0/16', sent: '2400000019000500000000000000000002100000fe00ff0000000000080001000a010000',
    ours: deleteRoute({ to: '10.1.0.0/16' }), exact: true },
  { command: 'ip route add 10.1.0.0/16 nexthop via 10.0.0.2 dev br0 weight 3 nexthop via 10.9.0.2 dev br0 onlink',
    sent: '4800000018000506000000000000000002100000fe03000100000000080001000a01000024000900100000020a000000' +
      '080005000a000002100004000a000000080005000a090002',
    ours: newRoute({ to: '10.1.0.0/16', multipath: [
      { via: '10.0.0.2', index: 10, weight: 3 }, { via: '10.9.0.2', index: 10, onLink: true },
    ] }), exact: true },
  { command: 'ip route get 10.0.0.7', sent: '240000001a0001000000000000000000022000000000000000100000080001000a000007', ours: getRoute('10.0.0.7'), as: withAck },
  { command: 'ip -4 route show', sent: '240000001a000103000000000000000002000000000000000000000008000f00fe000000', ours: listRoutes({ family: 4 }),
    as: theirs => ({ ...theirs, header: { ...theirs.header, table: c.RT_TABLE_MAIN } }) },
  { command: 'ip -6 route show table 1000 dev br0', sent: '2c0000001a00010300000000000000000a000000000000000000000008000f00e8030000080004000a000000', ours: listRoutes({ family: 6, table: 1000, index: 10 }) },
]

function portOptions(table: Codec<object>, bytes: unknown): object {
  const buffer = Buffer.from(bytes as Uint8Array)
  return table.decode(buffer, 0, buffer.length, {})
}

/** Changes the object at a path. */
function patch(said: Said, path: string[], to: (value: Record<string, unknown>) => object): Said {
  const at = (value: Record<string, unknown>, [name, ...rest]: string[]): object =>
    name === undefined ? to(value) : { ...value, [name]: at(value[name] as Record<string, unknown>, rest) }
  return { ...said, attributes: at(said.attributes, path) as Record<string, unknown> }
}
