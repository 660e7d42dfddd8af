/** Rules in nft's syntax, as a person might write them, by family: what toNft has to be able to say. */
import type { Family } from '../../src/nftables/messages.ts'

const everywhere = [
  'meta mark 5 accept', 'meta mark & 0xff == 0x5 accept', 'meta mark != 5-7', 'meta mark 5-7', 'meta mark { 1, 2 } drop',
  'meta mark set 0x10', 'meta mark set meta mark & 0xfffffff0 | 0x5', 'meta mark set meta mark ^ 0x5', 'meta mark set meta mark | 0x100',
  'meta priority 1:2', 'meta length 50-100', 'meta length > 1000', 'meta length { 20-100, 1500 }', 'meta pkttype multicast', 'meta pkttype != { host, broadcast }',
  'meta nftrace set 1', 'meta cpu 0', 'meta random < 500', 'meta protocol ip', 'meta iiftype loopback', 'meta day "Monday"',
  'meta hour "10:00"-"12:00"', 'meta hour >= "08:30"', 'meta time > "2021-01-01 00:00:00"', 'meta time "2021-12-20 11:33:20"-"2022-04-15 05:20:00"',
  'iif 1 accept', 'iif "lo"', 'oif != 99 drop', 'iifname "eth0"', 'iifname "eth*" accept', 'iifname != "virbr*"', 'oifname { "lo", "eth0" }', 'iifname { "eth*", "lo" }',
  'iifgroup 5', 'oifgroup default', 'iifname . oifname { "a" . "b", "c" . "d" } accept',
  'ether saddr 00:11:22:33:44:55', 'ether daddr != { 00:11:22:33:44:55, 00:11:22:33:44:56 }', 'ether type arp',
  'ether saddr & ff:ff:ff:00:00:00 == 00:11:22:00:00:00', 'vlan id 5', 'vlan id 1-5', 'vlan pcp 3', 'vlan id 5 vlan pcp 3',
  'counter', 'counter packets 3 bytes 180 drop', 'limit rate 5/minute burst 3 packets', 'limit rate over 10/second', 'limit rate 1/week',
  'limit rate over 10 mbytes/second burst 512 kbytes', 'limit rate 10 kbytes/second', 'limit rate 1023 bytes/hour', 'quota over 25 mbytes drop', 'quota 1000 bytes',
  'log', 'log prefix "a b: " level info', 'log prefix "x" level warn flags all', 'log group 2 snaplen 100 queue-threshold 3 prefix "y"',
  'log flags tcp sequence', 'log flags tcp sequence,options flags ip options', 'log flags skuid', 'log level audit',
  'accept', 'drop', 'continue', 'return', 'jump other', 'goto other', 'numgen inc mod 2 0', 'numgen random mod 4 offset 2 3',
  'numgen inc mod 10 vmap { 0-4 : jump other, 5-9 : accept }', 'meta mark set numgen inc mod 3 map { 0 : 0x1, 1 : 0x2, 2 : 0x3 }', 'meta mark set symhash mod 2',
  'counter comment "says \'why\'"', '@ll,96,16 0x800',
]

const ported = [
  'tcp dport 22 accept', 'tcp dport 22-25', 'tcp dport != 22', 'tcp dport { 22, 80-90, 443 } accept', 'tcp sport . tcp dport { 1 . 2, 3 . 4 }',
  'tcp flags syn', 'tcp flags ! syn accept', 'tcp flags syn,ack', 'tcp flags == syn', 'tcp flags syn / syn,ack', 'tcp flags != syn,ack / syn,ack,fin',
  'tcp flags & (fin | syn | rst | ack) == syn', 'tcp flags != syn', 'tcp doff 5', 'tcp window > 1000', 'tcp sequence 5', 'tcp urgptr 0', 'tcp dport set 80',
  'udp dport 53 accept', 'udp length > 100', 'udp checksum 0', 'udplite dport 5', 'udplite checksum 5', 'sctp dport 5', 'sctp vtag 5', 'dccp dport 5', 'dccp type request',
  'esp spi 5', 'esp sequence 5', 'ah spi 5', 'ah hdrlength 1', 'comp cpi 5', 'comp nexthdr tcp', 'th dport 53', 'meta l4proto { tcp, udp } th dport 53', 'meta l4proto tcp',
  'meta l4proto != udp', 'meta l4proto gre', 'tcp option maxseg size 1400', 'tcp option sack-perm exists', 'tcp option timestamp tsval 5', 'tcp option window missing',
  'tcp dport vmap { 22 : accept, 80 : drop, 443 : jump other }', 'tcp dport 22 ct state new', 'tcp dport 22 tcp sport 1024-65535 counter accept',
  'meta l4proto tcp counter tcp dport 22 accept', 'sctp chunk data exists',
]

const tracked = [
  'ct state established,related accept', 'ct state ! established', 'ct state == established', 'ct state != established,new', 'ct state invalid drop',
  'ct state vmap { established : accept, related : accept, invalid : drop }', 'ct state { new, untracked }', 'ct status assured', 'ct status snat / snat,dnat',
  'ct direction reply', 'ct mark 5', 'ct mark & 0xff == 5', 'ct mark set 5', 'ct mark set meta mark & 0xff', 'meta mark set ct mark', 'ct zone 5', 'ct zone set 5',
  'ct expiration 10s', 'ct expiration 30s-1m30s', 'ct helper "ftp"', 'ct label 5', 'ct event set new,destroy', 'ct count over 5 drop', 'ct count 3', 'ct bytes > 100000',
  'ct original packets > 100', 'ct avgpkt > 100', 'ct original zone 1', 'ct id 5', 'ct l3proto ipv4', 'ct original protocol tcp',
]

const routed = [
  'meta skuid 0', 'meta skgid 5-9', 'meta cgroup 5', 'rt classid 5', 'rt mtu 1500', 'fib saddr . iif oif missing drop', 'fib daddr . mark type local',
  'fib daddr oifname "eth0"', 'fib daddr type { local, broadcast }', 'fib daddr oif 1', 'socket transparent 1', 'socket mark 5', 'socket wildcard 0',
  'ipsec in reqid 5', 'ipsec out spnum 1 spi 5', 'tcp option maxseg size set rt mtu', 'tcp option maxseg size set 1400',
  'reset tcp option sack-perm', 'synproxy mss 1460 wscale 7 timestamp sack-perm', 'notrack', 'osf name "Linux"', 'osf ttl loose version "Linux:3.0"', 'meta rtclassid 5',
]

const ip4 = [
  'ip saddr 192.168.122.0/24', 'ip saddr 10.0.0.0/12', 'ip saddr != 10.0.0.0/8', 'ip saddr 1.2.3.4-1.2.3.9', 'ip saddr != 1.2.3.4-1.2.3.9', 'ip daddr { 1.2.3.4, 10.0.0.0/8, 192.168.0.1-192.168.0.7 }',
  'ip saddr != { 1.2.3.4, 5.6.7.8 }', 'ip daddr & 0.0.0.255 == 0.0.0.5', 'ip protocol tcp', 'ip protocol { tcp, udp }', 'ip protocol tcp tcp dport 5', 'ip dscp cs1',
  'ip dscp != { cs1, af11 }', 'ip ecn ce', 'ip ttl 1', 'ip ttl < 5', 'ip ttl set 5', 'ip dscp set cs1', 'ip ecn set ect0', 'ip id 5', 'ip length 100-200', 'ip version 4', 'ip hdrlength 5',
  'ip frag-off & 0x1fff != 0', 'ip checksum 5', 'ip daddr set 1.2.3.4', 'ip saddr 1.2.3.4 tcp dport 22-25 counter accept comment "abc"',
  'ip saddr . tcp dport { 1.2.3.4 . 22, 10.0.0.0/8 . 80-90 } accept', 'ip saddr . tcp dport vmap { 1.2.3.4 . 22 : accept, 10.0.0.0/8 . 80-90 : drop }',
  'ip saddr . ip daddr . meta l4proto { 1.2.3.4 . 5.6.7.8 . tcp }', 'icmp type echo-request accept', 'icmp type { echo-request, echo-reply }', 'icmp code port-unreachable',
  'icmp type destination-unreachable icmp mtu 1500', 'icmp type { echo-reply, echo-request } icmp id 5', 'icmp type redirect icmp gateway 5', 'icmp checksum 5', 'igmp type membership-query', 'igmp group 5', 'igmp mrt 5',
  'ip option lsrr type 1', 'ip option ra value 1', 'meta mark set ip saddr map { 1.2.3.4 : 0x1, 5.6.7.8 : 0x2 }', 'meta mark set jhash ip saddr . tcp dport mod 2 seed 0xdeadbeef offset 1',
  'rt ip nexthop 1.2.3.4', 'ct original ip saddr 1.2.3.4', 'ct reply ip daddr 10.0.0.0/8', 'ipsec out ip saddr 1.2.3.4', 'meta priority set ip dscp map { cs1 : 1:1, cs2 : 1:2 }',
]

const ip6 = [
  'ip6 saddr fe80::1', 'ip6 daddr fe80::/10', 'ip6 saddr fd00::/8 tcp dport 22', 'ip6 saddr fd00::1-fd00::5', 'ip6 saddr { fd00::/64, fe80::1 }', 'ip6 nexthdr tcp', 'ip6 nexthdr tcp tcp dport 5',
  'ip6 hoplimit 255', 'ip6 dscp cs1', 'ip6 flowlabel 5', 'ip6 flowlabel set 5', 'ip6 length 100', 'ip6 hoplimit set 5', 'icmpv6 type nd-neighbor-solicit accept', 'icmpv6 type { nd-router-advert, echo-request }',
  'icmpv6 code no-route', 'icmpv6 type packet-too-big icmpv6 mtu 1280', 'frag id 5', 'exthdr hbh exists', 'exthdr frag missing', 'rt type 0', 'hbh nexthdr tcp', 'dst hdrlength 1', 'mh type home-test',
  'rt ip6 nexthop fe80::1', 'ct original ip6 saddr fe80::1', 'ip6 saddr . tcp dport { fd00::1 . 22 }',
]

const rejects4 = ['reject with icmp port-unreachable', 'reject with icmp admin-prohibited', 'ip protocol tcp reject with tcp reset']
const rejects6 = ['reject with icmpv6 port-unreachable', 'reject with icmpv6 no-route', 'ip6 nexthdr tcp reject with tcp reset']
const rejects = ['reject', 'reject with tcp reset', 'tcp dport 22 reject with tcp reset']

export const corpus: Readonly<Record<Exclude<Family, 'netdev'>, readonly string[]>> = {
  ip: [...everywhere, ...ported, ...tracked, ...routed, ...ip4, ...rejects4, ...rejects, 'dup to 1.2.3.4 device "lo"', 'dup to 1.2.3.4'],
  ip6: [...everywhere, ...ported, ...tracked, ...routed, ...ip6, ...rejects6, ...rejects, 'dup to fd00::1'],
  inet: [...everywhere, ...ported, ...tracked, ...routed, ...ip4, ...ip6, ...rejects4, ...rejects6, ...rejects, 'reject with icmpx admin-prohibited', 'meta nfproto ipv4',
    'meta nfproto ipv6 tcp dport 22', 'ip protocol set 6 counter', 'ip6 nexthdr set 1 counter', 'meta nfproto { ipv4, ipv6 } meta nfproto ipv4 ip saddr 1.2.3.4',
    'ct l3proto ipv6 ip6 saddr fd00::1', 'ct l3proto ipv6 meta nfproto ipv4 ip saddr 1.2.3.4',
    'ct l3proto ipv4 meta nfproto ipv4 ip saddr 1.2.3.4', 'meta iiftype 512 meta nfproto ipv4 ip saddr 1.2.3.4', 'meta iiftype 512 meta iiftype ether ether saddr 00:11:22:33:44:55', 'ip saddr 1.2.3.4 reject with icmp host-unreachable', 'ip6 saddr fe80::1 tcp dport { 22, 80 } accept'],
  bridge: [...everywhere, ...ported, ...ip4.filter(rule => !/^(rt|ct|ipsec)/.test(rule)), ...ip6.filter(rule => !/^(rt ip6|ct|ipsec)/.test(rule)), 'arp operation request', 'arp saddr ip 1.2.3.4',
    'arp daddr ether 00:11:22:33:44:55', 'ether type ip ip saddr 1.2.3.4', 'ether type vlan vlan id 5', 'meta ibrname "br0"', 'meta obrname "br*"'],
  arp: [...everywhere.filter(rule => !/^(meta protocol|ct)/.test(rule)), 'arp operation request', 'arp saddr ip 1.2.3.4', 'arp saddr ip 10.0.0.0/8', 'arp daddr ether 00:11:22:33:44:55', 'arp htype 1', 'arp ptype ip', 'arp hlen 6'],
}

/** In nat chains, by hook. */
export const natCorpus = {
  postrouting: {
    ip: ['masquerade', 'masquerade random,persistent', 'meta l4proto tcp masquerade to :1024-65535', 'tcp dport 80 masquerade to :1024-65535 fully-random', 'snat to 1.2.3.4', 'snat to 1.2.3.4-1.2.3.9 random',
      'tcp dport 80 snat to 1.2.3.4:1024-65535', 'snat to ip saddr map { 10.0.0.1 : 1.2.3.4, 10.0.0.2 : 1.2.3.5 }', 'snat prefix to ip saddr map { 10.141.11.0/24 : 192.168.2.0/24 }', 'snat to ip saddr map { 10.0.0.0/24 : 1.2.3.4-1.2.3.9 }'],
    ip6: ['masquerade', 'snat to fd00::1', 'tcp dport 80 snat to [fd00::1]:1024-65535', 'snat to fd00::1-fd00::9'],
    inet: ['masquerade', 'ip saddr 10.0.0.0/8 snat ip to 1.2.3.4', 'ip6 saddr fd00::/8 masquerade', 'ip saddr 10.0.0.0/8 oifname != "virbr0" masquerade', 'snat ip to 1.2.3.4', 'snat ip6 to fd00::1',
      'ip saddr 10.0.0.0/8 ip daddr != 10.0.0.0/8 meta l4proto tcp masquerade to :1024-65535'],
  },
  prerouting: {
    ip: ['dnat to 10.0.0.1', 'tcp dport 80 dnat to 10.0.0.1:8080', 'tcp dport 80 dnat to 10.0.0.1-10.0.0.9:8080-8090 persistent', 'tcp dport 80 redirect to :8080', 'udp dport 53 redirect to :1053-1063 random', 'redirect',
      'dnat to tcp dport map { 80 : 10.0.0.1, 81 : 10.0.0.2 }', 'dnat to ip daddr . tcp dport map { 1.2.3.4 . 80 : 10.0.0.1 . 8080 }', 'tcp dport 80 redirect to :tcp sport map { 1 : 8080, 2 : 8081 }',
      'dnat to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }', 'tcp dport 80 dnat to jhash ip saddr mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }'],
    ip6: ['tcp dport 80 dnat to [fd00::1]:8080', 'dnat to fd00::1', 'dnat to ip6 daddr map { fd00::5 : fd00::1 }'],
    inet: ['tcp dport 80 dnat ip to 10.0.0.1:8080', 'dnat ip to tcp dport map { 80 : 10.0.0.1, 81 : 10.0.0.2 }', 'dnat ip to ip daddr . tcp dport map { 1.2.3.4 . 80 : 10.0.0.1 . 8080 }', 'tcp dport 80 redirect to :8080',
      'ip6 daddr fd00::5 tcp dport 80 dnat ip6 to [fd00::1]:8080'],
  },
} as const

/** Whole tables: sets, maps, objects and chains of every kind. */
export const tables: readonly string[] = [
  `table ip t {
    set s1 { type ipv4_addr; elements = { 1.2.3.4, 5.6.7.8 }; }
    set s2 { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8, 192.168.0.1-192.168.0.9, 1.2.3.4, 255.255.255.255 }; }
    set s3 { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80-90, 1.2.3.4 . 22 }; }
    set s4 { type inet_service; size 100; flags timeout; timeout 1h; gc-interval 30s; elements = { 80 timeout 2h, 443 }; }
    set s5 { type ipv4_addr; counter; elements = { 1.2.3.4 counter packets 5 bytes 100 comment "c" }; }
    set s6 { type ipv4_addr; size 1000; flags dynamic,timeout; timeout 10s; }
    set s7 { typeof vlan id; elements = { 5, 6 }; }
    set s8 { type ifname; elements = { "eth0", "lo" }; }
    set s9 { type mark; policy memory; elements = { 1, 0x10 }; }
    set s10 { type ether_addr; comment "a set"; elements = { 00:11:22:33:44:55 }; }
    set s11 { type inet_service; flags constant; elements = { 1 }; }
    set s12 { type ipv4_addr . ifname . inet_proto . inet_service; elements = { 1.2.3.4 . "eth0" . tcp . 80 }; }
    set s13 { type ct_state; elements = { new }; }
    set s14 { type inet_service; flags interval; elements = { 0-79, 81-65535 }; }
    set s15 { type ifname; flags interval; elements = { "eth*", "lo" }; }
    set s16 { type mark; flags interval; elements = { 5-9, 100 }; }
    map m1 { type ipv4_addr : verdict; elements = { 1.2.3.4 : accept, 5.6.7.8 : jump other, * : drop }; }
    map m2 { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.1 }; }
    map m3 { type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 1.2.3.4 . 80 : 10.0.0.1 . 8080 }; }
    map m4 { type ipv4_addr : counter; elements = { 1.2.3.4 : "c1" }; }
    map m5 { type ipv4_addr : mark; flags interval; elements = { 10.0.0.0/8 : 0x5 }; }
    map m6 { type ipv4_addr : interval ipv4_addr; flags interval; elements = { 10.0.0.0/24 : 1.2.3.4-1.2.3.9 }; }
    map m7 { type ifname : verdict; elements = { "virbr0" : goto other }; }
    map m8 { type ipv4_addr : quota; elements = { 1.2.3.4 : "q1" }; }
    counter c1 { packets 5 bytes 100; }
    counter c2 { comment "a counter"; }
    quota q1 { over 25 mbytes; }
    limit l1 { rate 5/minute burst 3 packets; }
    limit l2 { rate over 10 mbytes/second burst 512 kbytes; }
    synproxy y1 { mss 1460; wscale 7; timestamp sack-perm; }
    ct helper h1 { type "ftp" protocol tcp; }
    ct timeout t1 { protocol tcp; policy = { established: 120, close: 20 }; }
    ct expectation e1 { protocol tcp; dport 9876; timeout 2m; size 8; }
    chain other { comment "not a base chain"; ip saddr @s1 accept; ip saddr != @s2 drop; }
    chain input {
      type filter hook input priority filter - 5; policy drop;
      ip saddr . tcp dport @s3 counter
      ip saddr vmap @m1
      tcp dport @s4 accept
      add @s6 { ip saddr timeout 5s limit rate 5/second }
      update @s6 { ip saddr counter } drop
      delete @s6 { ip saddr }
      vlan id @s7
      iifname @s8
      meta mark set ip saddr map @m5
      counter name "c1"
      counter name ip saddr map @m4
      quota name "q1" drop
      limit name "l1"
      iifname vmap @m7
      ct state @s13
      synproxy name "y1"
      ct timeout set "t1"
      ct expectation set "e1"
      tcp dport 21 ct helper set "h1"
      meta mark @s16
    }
    chain pre { type nat hook prerouting priority dstnat; dnat to tcp dport map @m2; dnat to ip daddr . tcp dport map @m3; }
    chain post { type nat hook postrouting priority srcnat; policy accept; snat to ip saddr map @m6; }
    chain out { type route hook output priority mangle; meta mark set 5; }
  }`,
  'table inet d { flags dormant; chain c { type filter hook forward priority 10; accept; }; }',
  'table bridge b { chain c { type filter hook prerouting priority dstnat; ether type ip accept; }; }',
  'table netdev n { chain c { type filter hook ingress device "lo" priority -500; policy accept; ip saddr 1.2.3.4 drop; tcp dport 22 counter; fwd to "lo"; dup to "lo"; }; }',
  'table ip6 w { comment "a table"; map m { type ipv6_addr : verdict; flags interval; elements = { fd00::/8 : accept }; }; chain c { ip6 saddr vmap @m; }; }',
  'table arp a { chain c { type filter hook input priority 0; arp operation request counter; }; }',
]
