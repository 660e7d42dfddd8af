/**
 * Commands that make links of every kind, with every option that ip(8) of iproute2 6.1 knows, what they send (captured),
 * and our specification of the same. In a namespace that has the bridge br0 (index 10) and the veth v0 (index 11), v1.
 */
import type { LinkSpec, Resolved } from '../../src/rtnetlink/links.ts'

export interface LinkCommand {
  /** Run by a shell; makes a link with a name of its own, or would if the kernel had the kind. */
  command: string
  /** Its RTM_NEWLINK in hex, nlmsg_seq and nlmsg_pid zero. */
  sent: string
  spec: LinkSpec
  resolved: Resolved
}

/** What ip says of any tunnel, if nothing else is said. */
const encap = { encapType: 'none' as const, encapSport: 0, encapDport: 0, fwmark: 0 }
const noKeys = { iflags: [], oflags: [], ikey: 0, okey: 0 }
const gre4 = { ...encap, ...noKeys, encapFlags: [], pmtudisc: true, tos: 0, ttl: 0 }
const gre6 = { ...encap, ...noKeys, encapFlags: ['csum6' as const], ttl: 64, encapLimit: 4, flowInfo: 0, flags: [] }
const ip4 = { ...encap, encapFlags: [], dev: 0, pmtudisc: true, tos: 0, ttl: 0 }
const ip6 = { ...encap, encapFlags: ['csum6' as const], ttl: 64, encapLimit: 4, flowInfo: 0 }

export const linkCommands: LinkCommand[] = [
  {
    command: 'ip link add link v0 name k0 type vlan id 5',
    sent: '4800000010000506000000000000000000000000000000000000000000000000080005000b000000070003006b30000018001200080001' +
      '00766c616e0c0002000600010005000000',
    spec: { name: 'k0', kind: 'vlan', vlan: { id: 5 } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k1 type vlan protocol 802.1ad id 4094 reorder_hdr off gvrp on mvrp on loose_binding on bridge_binding on egress-qos-map 1:2 3:4 ingress-qos-map 5:6',
    sent: '8800000010000506000000000000000000000000000000000000000000000000080005000b000000070003006b31000058001200080001' +
      '00766c616e4c0002000600050088a8000006000100fe0f00001c0003000c00010001000000020000000c00010003000000040000001000' +
      '04000c00010005000000060000000c0002001e0000001f000000',
    spec: { name: 'k1', kind: 'vlan', vlan: { protocol: '802.1ad', id: 4094, flags: { reorderHeader: false, gvrp: true, mvrp: true, looseBinding: true, bridgeBinding: true }, egressQosMap: [{ from: 1, to: 2 }, { from: 3, to: 4 }], ingressQosMap: [{ from: 5, to: 6 }] } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add k2 type vxlan id 5 dstport 4789',
    sent: '5400000010000506000000000000000000000000000000000000000000000000070003006b3200002c0012000900010076786c616e0000' +
      '001c0002000800010005000000050007000100000006000f0012b50000',
    spec: { name: 'k2', kind: 'vxlan', vxlan: { id: 5, dstPort: 4789, learning: true } },
    resolved: {},
  },
  {
    command: 'ip link add k3 type vxlan id 16777215 group 239.1.1.1 dev v0 local 10.0.0.1 ttl 7 tos 8 df set flowlabel 1000 srcport 1000 2000 dstport 4790 nolearning ageing 100 maxaddress 99 proxy rsc l2miss l3miss noudpcsum udp6zerocsumtx udp6zerocsumrx remcsumtx remcsumrx gbp',
    sent: 'f000000010000506000000000000000000000000000000000000000000000000070003006b330000c80012000900010076786c616e0000' +
      '00b8000200080003000b0000000500050007000000050006000800000005001d000100000008001a00000003e808000a0003e807d00800' +
      '080064000000080009006300000005000b000100000005000c000100000005000d000100000005000e0001000000050012000000000005' +
      '001300010000000500140001000000050015000100000005001600010000000400170008000100ffffff00080004000a00000108000200' +
      'ef010101050007000000000006000f0012b60000',
    spec: { name: 'k3', kind: 'vxlan', vxlan: { id: 0xffffff, group: '239.1.1.1', dev: 11, local: '10.0.0.1', ttl: 7, tos: 8, df: 'set', flowLabel: 1000, srcPort: { low: 1000, high: 2000 }, dstPort: 4790, learning: false, ageingMs: 100_000, maxAddresses: 99, proxy: true, rsc: true, l2miss: true, l3miss: true, udpCsum: false, udp6ZeroCsumTx: true, udp6ZeroCsumRx: true, remCsumTx: true, remCsumRx: true, gbp: true } },
    resolved: {},
  },
  {
    command: 'ip link add k4 type vxlan id 6 remote fd00::1 local fd00::2 dev v0 ttl inherit df inherit learning udpcsum noudp6zerocsumtx noudp6zerocsumrx',
    sent: 'a000000010000506000000000000000000000000000000000000000000000000070003006b340000780012000900010076786c616e0000' +
      '0068000200080003000b00000004001c0005001d0002000000050012000100000005001300000000000500140000000000080001000600' +
      '000014001100fd00000000000000000000000000000214001000fd0000000000000000000000000000010500070001000000',
    spec: { name: 'k4', kind: 'vxlan', vxlan: { id: 6, remote: 'fd00::1', local: 'fd00::2', dev: 11, ttlInherit: true, df: 'inherit', learning: true, udpCsum: true, udp6ZeroCsumTx: false, udp6ZeroCsumRx: false } },
    resolved: {},
  },
  {
    command: 'ip link add k5 type vxlan id 6 group ff05::1 dev v0',
    sent: '6800000010000506000000000000000000000000000000000000000000000000070003006b350000400012000900010076786c616e0000' +
      '0030000200080003000b000000080001000600000014001000ff0500000000000000000000000000010500070001000000',
    spec: { name: 'k5', kind: 'vxlan', vxlan: { id: 6, group: 'ff05::1', dev: 11, learning: true } },
    resolved: {},
  },
  {
    command: 'ip link add k6 type vxlan external dstport 4789 gpe vnifilter',
    sent: '6000000010000506000000000000000000000000000000000000000000000000070003006b360000380012000900010076786c616e0000' +
      '0028000200050019000100000004001b0005001e0001000000050007000000000006000f0012b50000',
    spec: { name: 'k6', kind: 'vxlan', vxlan: { external: true, learning: false, dstPort: 4789, gpe: true, vnifilter: true } },
    resolved: {},
  },
  {
    command: 'ip link add link v0 name k7 type macvlan mode private',
    sent: '4c00000010000506000000000000000000000000000000000000000000000000080005000b000000070003006b3700001c0012000b0001' +
      '006d6163766c616e000c0002000800010001000000',
    spec: { name: 'k7', kind: 'macvlan', macvlan: { mode: 'private' } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k8 type macvlan mode vepa bcqueuelen 77',
    sent: '5400000010000506000000000000000000000000000000000000000000000000080005000b000000070003006b380000240012000b0001' +
      '006d6163766c616e0014000200080007004d0000000800010002000000',
    spec: { name: 'k8', kind: 'macvlan', macvlan: { mode: 'vepa', bcQueueLen: 77 } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k9 type macvlan mode bridge',
    sent: '4c00000010000506000000000000000000000000000000000000000000000000080005000b000000070003006b3900001c0012000b0001' +
      '006d6163766c616e000c0002000800010004000000',
    spec: { name: 'k9', kind: 'macvlan', macvlan: { mode: 'bridge' } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k10 type macvlan mode passthru nopromisc',
    sent: '5400000010000506000000000000000000000000000000000000000000000000080005000b000000080003006b313000240012000b0001' +
      '006d6163766c616e001400020008000100080000000600020001000000',
    spec: { name: 'k10', kind: 'macvlan', macvlan: { mode: 'passthru', flags: ['nopromisc'] } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k11 type macvlan mode source nodst',
    sent: '5400000010000506000000000000000000000000000000000000000000000000080005000b000000080003006b313100240012000b0001' +
      '006d6163766c616e001400020008000100100000000600020002000000',
    spec: { name: 'k11', kind: 'macvlan', macvlan: { mode: 'source', flags: ['nodst'] } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k12 type macvtap mode bridge',
    sent: '4c00000010000506000000000000000000000000000000000000000000000000080005000b000000080003006b3132001c0012000b0001' +
      '006d616376746170000c0002000800010004000000',
    spec: { name: 'k12', kind: 'macvtap', macvtap: { mode: 'bridge' } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k13 type ipvlan mode l2 bridge',
    sent: '5400000010000506000000000000000000000000000000000000000000000000080005000b000000080003006b313300240012000a0001' +
      '006970766c616e00001400020006000100000000000600020000000000',
    spec: { name: 'k13', kind: 'ipvlan', ipvlan: { mode: 'l2', flags: 'bridge' } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k14 type ipvlan mode l3 private',
    sent: '5400000010000506000000000000000000000000000000000000000000000000080005000b000000080003006b313400240012000a0001' +
      '006970766c616e00001400020006000100010000000600020001000000',
    spec: { name: 'k14', kind: 'ipvlan', ipvlan: { mode: 'l3', flags: 'private' } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add link v0 name k15 type ipvtap mode l3s vepa',
    sent: '5400000010000506000000000000000000000000000000000000000000000000080005000b000000080003006b313500240012000a0001' +
      '0069707674617000001400020006000100020000000600020002000000',
    spec: { name: 'k15', kind: 'ipvtap', ipvtap: { mode: 'l3s', flags: 'vepa' } },
    resolved: { link: 11 },
  },
  {
    command: 'ip link add k16 type dummy',
    sent: '3800000010000506000000000000000000000000000000000000000000000000080003006b313600100012000900010064756d6d790000' +
      '00',
    spec: { name: 'k16', kind: 'dummy' },
    resolved: {},
  },
  {
    command: 'ip link add k17 type ifb',
    sent: '3400000010000506000000000000000000000000000000000000000000000000080003006b3137000c0012000700010069666200',
    spec: { name: 'k17', kind: 'ifb' },
    resolved: {},
  },
  {
    command: 'ip link add k18 type nlmon',
    sent: '3800000010000506000000000000000000000000000000000000000000000000080003006b31380010001200090001006e6c6d6f6e0000' +
      '00',
    spec: { name: 'k18', kind: 'nlmon' },
    resolved: {},
  },
  {
    command: 'ip link add k19 type wireguard',
    sent: '3c00000010000506000000000000000000000000000000000000000000000000080003006b313900140012000d00010077697265677561' +
      '7264000000',
    spec: { name: 'k19', kind: 'wireguard' },
    resolved: {},
  },
  {
    command: 'ip link add k20 type bond',
    sent: '3400000010000506000000000000000000000000000000000000000000000000080003006b3230000c00120008000100626f6e64',
    spec: { name: 'k20', kind: 'bond' },
    resolved: {},
  },
  {
    command: 'ip link add k21 type bond mode 802.3ad miimon 100 updelay 200 downdelay 300 peer_notify_delay 400 use_carrier 1 xmit_hash_policy layer3+4 lacp_rate fast lacp_active off ad_select bandwidth ad_user_port_key 1000 ad_actor_sys_prio 5 ad_actor_system 52:54:00:00:00:09 min_links 2 all_slaves_active 1 tlb_dynamic_lb 0 resend_igmp 3 num_grat_arp 4 packets_per_slave 5 lp_interval 6',
    sent: 'dc00000010000506000000000000000000000000000000000000000000000000080003006b323100b400120008000100626f6e64a80002' +
      '000500010004000000080003006400000008000400c8000000080005002c01000008001c0090010000050006000100000005000e000100' +
      '0000050015000100000005001d0000000000050016000100000006001900e803000006001800050000000a001a00525400000009000008' +
      '00120002000000050011000100000005001b000000000008000f0003000000050010000400000008001400050000000800130006000000',
    spec: { name: 'k21', kind: 'bond', bond: { mode: '802.3ad', miimonMs: 100, updelayMs: 200, downdelayMs: 300, peerNotifyDelayMs: 400, useCarrier: true, xmitHashPolicy: 'layer3+4', lacpRate: 'fast', lacpActive: false, adSelect: 'bandwidth', adUserPortKey: 1000, adActorSysPrio: 5, adActorSystem: '52:54:00:00:00:09', minLinks: 2, allSlavesActive: true, tlbDynamicLb: false, resendIgmp: 3, numPeerNotify: 4, packetsPerSlave: 5, lpIntervalMs: 6000 } },
    resolved: {},
  },
  {
    command: 'ip link add k22 type bond mode active-backup arp_interval 1000 arp_ip_target 10.0.0.1,10.0.0.2 arp_validate filter_active arp_all_targets all primary_reselect better fail_over_mac follow arp_missed_max 3 ns_ip6_target fd00::1,fd00::2 primary v0 active_slave v0',
    sent: 'c000000010000506000000000000000000000000000000000000000000000000080003006b3232009800120008000100626f6e648c0002' +
      '00050001000100000008000700e803000014000800080000000a000001080001000a000002080009000500000008000a00010000000500' +
      '0c000100000005000d000200000005001e00030000002c001f0014000000fd00000000000000000000000000000114000100fd00000000' +
      '000000000000000000000208000b000b000000080002000b000000',
    spec: { name: 'k22', kind: 'bond', bond: { mode: 'active-backup', arpIntervalMs: 1000, arpIpTarget: ['10.0.0.1', '10.0.0.2'], arpValidate: 'filter_active', arpAllTargets: 'all', primaryReselect: 'better', failOverMac: 'follow', arpMissedMax: 3, nsIp6Target: ['fd00::1', 'fd00::2'], primary: 11, activeSlave: 11 } },
    resolved: {},
  },
  {
    command: 'ip link add k23 type bond mode balance-rr',
    sent: '4000000010000506000000000000000000000000000000000000000000000000080003006b3233001800120008000100626f6e640c0002' +
      '000500010000000000',
    spec: { name: 'k23', kind: 'bond', bond: { mode: 'balance-rr' } },
    resolved: {},
  },
  {
    command: 'ip link add k24 type bond mode balance-xor xmit_hash_policy vlan+srcmac',
    sent: '4800000010000506000000000000000000000000000000000000000000000000080003006b3234002000120008000100626f6e64140002' +
      '00050001000200000005000e0005000000',
    spec: { name: 'k24', kind: 'bond', bond: { mode: 'balance-xor', xmitHashPolicy: 'vlan+srcmac' } },
    resolved: {},
  },
  {
    command: 'ip link add k25 type bond mode broadcast',
    sent: '4000000010000506000000000000000000000000000000000000000000000000080003006b3235001800120008000100626f6e640c0002' +
      '000500010003000000',
    spec: { name: 'k25', kind: 'bond', bond: { mode: 'broadcast' } },
    resolved: {},
  },
  {
    command: 'ip link add k26 type bond mode balance-tlb xmit_hash_policy encap2+3',
    sent: '4800000010000506000000000000000000000000000000000000000000000000080003006b3236002000120008000100626f6e64140002' +
      '00050001000500000005000e0003000000',
    spec: { name: 'k26', kind: 'bond', bond: { mode: 'balance-tlb', xmitHashPolicy: 'encap2+3' } },
    resolved: {},
  },
  {
    command: 'ip link add k27 type bond mode balance-alb xmit_hash_policy layer2+3',
    sent: '4800000010000506000000000000000000000000000000000000000000000000080003006b3237002000120008000100626f6e64140002' +
      '00050001000600000005000e0002000000',
    spec: { name: 'k27', kind: 'bond', bond: { mode: 'balance-alb', xmitHashPolicy: 'layer2+3' } },
    resolved: {},
  },
  {
    command: 'ip link add k28 type vrf table 1000',
    sent: '4000000010000506000000000000000000000000000000000000000000000000080003006b3238001800120007000100767266000c0002' +
      '0008000100e8030000',
    spec: { name: 'k28', kind: 'vrf', vrf: { table: 1000 } },
    resolved: {},
  },
  {
    command: 'ip link add k29 type gre local 10.0.0.1 remote 10.0.0.2',
    sent: 'a800000010000506000000000000000000000000000000000000000000000000080003006b323900800012000700010067726500740002' +
      '000800040000000000080005000000000006000200000000000600030000000000080006000a000001080007000a00000205000a000100' +
      '000005000900000000000500080000000000080014000000000006000e000000000006000f000000000006001000000000000600110000' +
      '000000',
    spec: { name: 'k29', kind: 'gre', gre: { ...gre4, local: '10.0.0.1', remote: '10.0.0.2' } },
    resolved: {},
  },
  {
    command: 'ip link add k30 type gre local 10.0.0.1 remote 10.0.0.2 ttl 9 tos 8 ikey 5 okey 6 csum seq dev v0 fwmark 7 encap gue encap-sport 1000 encap-dport 2000 encap-csum encap-remcsum',
    sent: 'b000000010000506000000000000000000000000000000000000000000000000080003006b3330008800120007000100677265007c0002' +
      '000800040000000005080005000000000606000200b000000006000300b0000000080006000a000001080007000a00000205000a000100' +
      '00000500090008000000080001000b0000000500080009000000080014000700000006000e000200000006000f00050000000600100003' +
      'e800000600110007d00000',
    spec: { name: 'k30', kind: 'gre', gre: { ...gre4, local: '10.0.0.1', remote: '10.0.0.2', ttl: 9, tos: 8, ikey: 5, okey: 6, iflags: ['csum', 'key', 'seq'], oflags: ['csum', 'key', 'seq'], dev: 11, fwmark: 7, encapType: 'gue', encapSport: 1000, encapDport: 2000, encapFlags: ['csum', 'remcsum'] } },
    resolved: {},
  },
  {
    command: 'ip link add k31 type gretap local 10.0.0.1 remote 10.0.0.2 key 5 nopmtudisc ignore-df',
    sent: 'b400000010000506000000000000000000000000000000000000000000000000080003006b3331008c0012000a00010067726574617000' +
      '007c0002000800040000000005080005000000000506000200200000000600030020000000080006000a000001080007000a0000020500' +
      '0a0000000000050013000100000005000900000000000500080000000000080014000000000006000e000000000006000f000000000006' +
      '001000000000000600110000000000',
    spec: { name: 'k31', kind: 'gretap', gretap: { ...gre4, local: '10.0.0.1', remote: '10.0.0.2', ikey: 5, okey: 5, iflags: ['key'], oflags: ['key'], pmtudisc: false, ignoreDf: true } },
    resolved: {},
  },
  {
    command: 'ip link add k32 type gretap external',
    sent: '4000000010000506000000000000000000000000000000000000000000000000080003006b333200180012000a00010067726574617000' +
      '000800020004001200',
    spec: { name: 'k32', kind: 'gretap', gretap: { external: true } },
    resolved: {},
  },
  {
    command: 'ip link add k33 type erspan local 10.0.0.1 remote 10.0.0.2 key 5 seq erspan_ver 1 erspan 99',
    sent: 'bc00000010000506000000000000000000000000000000000000000000000000080003006b333300940012000a00010065727370616e00' +
      '00840002000800040000000005080005000000000506000200300000000600030030000000080006000a000001080007000a0000020500' +
      '0a00010000000500090000000000050008000000000008001400000000000500160001000000080015006300000006000e000000000006' +
      '000f000000000006001000000000000600110000000000',
    spec: { name: 'k33', kind: 'erspan', erspan: { ...gre4, local: '10.0.0.1', remote: '10.0.0.2', ikey: 5, okey: 5, iflags: ['key', 'seq'], oflags: ['key', 'seq'], erspanVersion: 1, erspanIndex: 99 } },
    resolved: {},
  },
  {
    command: 'ip link add k34 type ip6gre local fd00::1 remote fd00::2',
    sent: 'd400000010000506000000000000000000000000000000000000000000000000080003006b333400ac0012000a00010069703667726500' +
      '009c000200080004000000000008000500000000000600020000000000060003000000000014000600fd00000000000000000000000000' +
      '000114000700fd000000000000000000000000000002050008004000000005000b000400000008000c000000000008000d000000000008' +
      '00140000000000050016000100000006000e000000000006000f000200000006001000000000000600110000000000',
    spec: { name: 'k34', kind: 'ip6gre', ip6gre: { ...gre6, erspanVersion: 1, local: 'fd00::1', remote: 'fd00::2' } },
    resolved: {},
  },
  {
    command: 'ip link add k35 type ip6gretap local fd00::1 remote fd00::2 ttl 9 key 5 encaplimit 7 tclass 0x12 flowlabel 0x345 dev v0 dscp inherit allow-localremote',
    sent: 'e000000010000506000000000000000000000000000000000000000000000000080003006b333500b80012000d00010069703667726574' +
      '6170000000a4000200080004000000000508000500000000050600020020000000060003002000000014000600fd000000000000000000' +
      '00000000000114000700fd000000000000000000000000000002080001000b000000050008000900000005000b000700000008000c0001' +
      '20034508000d00500000000800140000000000050016000100000006000e000000000006000f0002000000060010000000000006001100' +
      '00000000',
    spec: { name: 'k35', kind: 'ip6gretap', ip6gretap: { ...gre6, erspanVersion: 1, local: 'fd00::1', remote: 'fd00::2', ttl: 9, ikey: 5, okey: 5, iflags: ['key'], oflags: ['key'], encapLimit: 7, flowInfo: 0x1200345, dev: 11, flags: ['rcvDscpCopy', 'allowLocalRemote'] } },
    resolved: {},
  },
  {
    command: 'ip link add k36 type ip6erspan local fd00::1 remote fd00::2 key 5 seq erspan_ver 2 erspan_dir egress erspan_hwid 7',
    sent: 'e800000010000506000000000000000000000000000000000000000000000000080003006b333600c00012000d00010069703665727370' +
      '616e000000ac000200080004000000000508000500000000050600020030000000060003003000000014000600fd000000000000000000' +
      '00000000000114000700fd000000000000000000000000000002050008004000000005000b000400000008000c000000000008000d0000' +
      '000000080014000000000005001600020000000500170001000000060018000700000006000e000000000006000f000200000006001000' +
      '000000000600110000000000',
    spec: { name: 'k36', kind: 'ip6erspan', ip6erspan: { ...gre6, local: 'fd00::1', remote: 'fd00::2', ikey: 5, okey: 5, iflags: ['key', 'seq'], oflags: ['key', 'seq'], erspanVersion: 2, erspanDir: 'egress', erspanHwid: 7 } },
    resolved: {},
  },
  {
    command: 'ip link add k37 type ipip local 10.0.0.1 remote 10.0.0.2',
    sent: '9800000010000506000000000000000000000000000000000000000000000000080003006b333700700012000800010069706970640002' +
      '000500090000000000080002000a000001080003000a00000205000a000100000005000500000000000500040000000000080001000000' +
      '0000080014000000000006000f0000000000060010000000000006001100000000000600120000000000',
    spec: { name: 'k37', kind: 'ipip', ipip: { ...ip4, local: '10.0.0.1', remote: '10.0.0.2', mode: 'any' } },
    resolved: {},
  },
  {
    command: 'ip link add k38 type ipip local 10.0.0.1 remote 10.0.0.2 ttl 9 tos 8 dev v0 mode any encap fou encap-sport auto encap-dport 5555 fwmark 3',
    sent: '9800000010000506000000000000000000000000000000000000000000000000080003006b333800700012000800010069706970640002' +
      '000500090000000000080002000a000001080003000a00000205000a000100000005000500080000000500040009000000080001000b00' +
      '0000080014000300000006000f0001000000060010000000000006001100000000000600120015b30000',
    spec: { name: 'k38', kind: 'ipip', ipip: { ...ip4, local: '10.0.0.1', remote: '10.0.0.2', ttl: 9, tos: 8, dev: 11, mode: 'any', encapType: 'fou', encapDport: 5555, fwmark: 3 } },
    resolved: {},
  },
  {
    command: 'ip link add k39 type sit local 10.0.0.1 remote 10.0.0.2 mode ip6ip isatap',
    sent: 'a000000010000506000000000000000000000000000000000000000000000000080003006b3339007800120007000100736974006c0002' +
      '000500090029000000080002000a000001080003000a00000205000a000100000005000500000000000500040000000000080001000000' +
      '0000080014000000000006000f00000000000600100000000000060011000000000006001200000000000600080001000000',
    spec: { name: 'k39', kind: 'sit', sit: { ...ip4, local: '10.0.0.1', remote: '10.0.0.2', mode: 'ip6ip', flags: ['isatap'] } },
    resolved: {},
  },
  {
    command: 'ip link add k40 type sit local 10.0.0.1 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8',
    sent: 'c400000010000506000000000000000000000000000000000000000000000000080003006b3430009c0012000700010073697400900002' +
      '000500090000000000080002000a00000105000a0001000000050005000000000005000400000000000800010000000000080014000000' +
      '000006000f0000000000060010000000000006001100000000000600120000000000060008000000000014000b0020010db80000000000' +
      '0000000000000006000d002000000008000c000a00000006000e0008000000',
    spec: { name: 'k40', kind: 'sit', sit: { ...ip4, mode: 'any', flags: [], local: '10.0.0.1', sixrdPrefix: '2001:db8::', sixrdPrefixLen: 32, sixrdRelayPrefix: '10.0.0.0', sixrdRelayPrefixLen: 8 } },
    resolved: {},
  },
  {
    command: 'ip link add k41 type ip6tnl local fd00::1 remote fd00::2 mode ipip6 encaplimit none hoplimit 9 tclass inherit flowlabel inherit dev v0',
    sent: 'bc00000010000506000000000000000000000000000000000000000000000000080003006b343100940012000a000100697036746e6c00' +
      '0084000200050009000400000014000200fd00000000000000000000000000000114000300fd0000000000000000000000000000020500' +
      '040009000000050006000400000008000700000000000800080007000000080001000b000000080014000000000006000f000000000006' +
      '0010000200000006001100000000000600120000000000',
    spec: { name: 'k41', kind: 'ip6tnl', ip6tnl: { ...ip6, local: 'fd00::1', remote: 'fd00::2', mode: 'ipip6', flags: ['ignoreEncapLimit', 'useOrigTclass', 'useOrigFlowlabel'], ttl: 9, dev: 11 } },
    resolved: {},
  },
  {
    command: 'ip link add k42 type ip6tnl external',
    sent: '4800000010000506000000000000000000000000000000000000000000000000080003006b343200200012000a000100697036746e6c00' +
      '0010000200050009000000000004001300',
    spec: { name: 'k42', kind: 'ip6tnl', ip6tnl: { external: true, mode: 'any' } },
    resolved: {},
  },
  {
    command: 'ip link add k43 type geneve id 5 remote 10.0.0.2',
    sent: '6400000010000506000000000000000000000000000000000000000000000000080003006b3433003c0012000a00010067656e65766500' +
      '002c0002000800010005000000080002000a00000208000b000000000005000300000000000500040000000000',
    spec: { name: 'k43', kind: 'geneve', geneve: { ttl: 0, tos: 0, flowLabel: 0, id: 5, remote: '10.0.0.2' } },
    resolved: {},
  },
  {
    command: 'ip link add k44 type geneve id 16777215 remote fd00::2 ttl 9 tos 8 flowlabel 1000 dstport 7000 udp6zerocsumtx udp6zerocsumrx df inherit',
    sent: '9000000010000506000000000000000000000000000000000000000000000000080003006b343400680012000a00010067656e65766500' +
      '005800020005000d000200000008000100ffffff0014000700fd00000000000000000000000000000208000b00000003e8050003000900' +
      '00000500040008000000060005001b580000050009000100000005000a0001000000',
    spec: { name: 'k44', kind: 'geneve', geneve: { id: 0xffffff, remote: 'fd00::2', ttl: 9, tos: 8, flowLabel: 1000, dstPort: 7000, udp6ZeroCsumTx: true, udp6ZeroCsumRx: true, df: 'inherit' } },
    resolved: {},
  },
  {
    command: 'ip link add k45 type geneve id 7 remote 10.0.0.2 ttl inherit noudpcsum df set innerprotoinherit',
    sent: '8000000010000506000000000000000000000000000000000000000000000000080003006b343500580012000a00010067656e65766500' +
      '004800020005000c000100000005000d00010000000800010007000000080002000a00000208000b000000000005000300000000000500' +
      '04000000000004000e000500080000000000',
    spec: { name: 'k45', kind: 'geneve', geneve: { ttl: 0, tos: 0, flowLabel: 0, id: 7, remote: '10.0.0.2', ttlInherit: true, udpCsum: false, df: 'set', innerProtoInherit: true } },
    resolved: {},
  },
  {
    command: 'ip link add k46 type geneve external dstport 6081',
    sent: '6800000010000506000000000000000000000000000000000000000000000000080003006b343600400012000a00010067656e65766500' +
      '0030000200080001000000000008000b0000000000050003000000000005000400000000000600050017c1000004000600',
    spec: { name: 'k46', kind: 'geneve', geneve: { ttl: 0, tos: 0, flowLabel: 0, id: 0, external: true, dstPort: 6081 } },
    resolved: {},
  },
  {
    command: 'ip link add k47 type ip6gre external',
    sent: '4000000010000506000000000000000000000000000000000000000000000000080003006b343700180012000a00010069703667726500' +
      '000800020004001200',
    spec: { name: 'k47', kind: 'ip6gre', ip6gre: { external: true } },
    resolved: {},
  },
  {
    command: 'ip link add k48 type ipip external',
    sent: '4400000010000506000000000000000000000000000000000000000000000000080003006b3438001c0012000800010069706970100002' +
      '00050009000000000004001300',
    spec: { name: 'k48', kind: 'ipip', ipip: { external: true, mode: 'any' } },
    resolved: {},
  },
  {
    command: 'ip link add k49 type sit external dev v0',
    sent: '4400000010000506000000000000000000000000000000000000000000000000080003006b3439001c0012000700010073697400100002' +
      '00050009000000000004001300',
    spec: { name: 'k49', kind: 'sit', sit: { external: true, mode: 'any' } },
    resolved: {},
  },
  {
    command: 'ip link add k50 type ip6erspan local fd00::1 remote fd00::2 key 5 erspan_ver 1 erspan 7',
    sent: 'e000000010000506000000000000000000000000000000000000000000000000080003006b353000b80012000d00010069703665727370' +
      '616e000000a4000200080004000000000508000500000000050600020020000000060003002000000014000600fd000000000000000000' +
      '00000000000114000700fd000000000000000000000000000002050008004000000005000b000400000008000c000000000008000d0000' +
      '00000008001400000000000500160001000000080015000700000006000e000000000006000f0002000000060010000000000006001100' +
      '00000000',
    spec: { name: 'k50', kind: 'ip6erspan', ip6erspan: { ...gre6, local: 'fd00::1', remote: 'fd00::2', ikey: 5, okey: 5, iflags: ['key'], oflags: ['key'], erspanVersion: 1, erspanIndex: 7 } },
    resolved: {},
  },
]
