/** The vocabulary writes what nft writes for the same words. */
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { NFT_MSG_NEWRULE } from '../../src/nftables/constants.ts'
import { expand } from '../../src/nftables/expand.ts'
import { messageType } from '../../src/nftables/messages.ts'
import type { Family } from '../../src/nftables/messages.ts'
import { addRule } from '../../src/nftables/rules.ts'
import {
  accept, ah, and, arp, comp, concat, counter, ct, ctState, dccp, dnat, drop, dup, esp, ether, exthdr, fib, fwd, goto,
  gt, icmp, icmpv6, igmp, iifname, ip, ip6, ipOption, ipsec, jhash, jump, l4proto, limit, log, lt, map, mark, masked,
  masquerade, meta, nfproto, not, notrack, numgen, oifname, or, osf, payload, queue, quota, range, redirect, reject,
  ret, rt, sctp, sctpChunk, shiftLeft, shiftRight, snat, socket, symhash, synproxy, tcp, tcpOption, th, tproxy, udp,
  udplite, vlan, vmap, xor,
} from '../../src/nftables/vocabulary/index.ts'
import type { Word } from '../../src/nftables/vocabulary/index.ts'
import { needing, needs } from '../support/needs.ts'
import { captureRules, expressionBytes } from './capture.ts'

type Case = [text: string, words: Word[]]

const input: Case[] = [
  ['iifname "virbr0" accept', [iifname('virbr0'), accept()]],
  ['iifname "eth*" jump c', [iifname('eth*'), jump('c')]],
  ['oifname != "eth0" goto c', [not(oifname('eth0')), goto('c')]],
  ['ip saddr 192.168.122.0/24 ip daddr 10.0.0.0/9 counter accept',
    [ip.saddr('192.168.122.0/24'), ip.daddr('10.0.0.0/9'), counter(), accept()]],
  ['ip daddr != 10.1.1.1 drop', [not(ip.daddr('10.1.1.1')), drop()]],
  ['ip daddr != 10.128.0.0/10 drop', [not(ip.daddr('10.128.0.0/10')), drop()]],
  ['ip saddr 0.0.0.0/0', [ip.saddr('0.0.0.0/0')]],
  ['ip saddr 10.0.0.1-10.0.0.9', [ip.saddr('10.0.0.1-10.0.0.9')]],
  ['ip saddr != 10.0.0.0-10.0.0.5', [not(ip.saddr(range('10.0.0.0', '10.0.0.5')))]],
  ['ip saddr < 10.0.0.0', [ip.saddr(lt('10.0.0.0'))]],
  ['ct state established,related accept', [ctState('established', 'related'), accept()]],
  ['tcp dport 53 return', [tcp.dport(53), ret()]],
  ['tcp dport != 53 return', [not(tcp.dport(53)), ret()]],
  ['udp sport 1024-65535 accept', [udp.sport('1024-65535'), accept()]],
  ['udp dport != 67-68 drop', [not(udp.dport(range(67, 68))), drop()]],
  ['meta l4proto icmp accept', [l4proto('icmp'), accept()]],
  ['meta mark 3 accept', [mark(3), accept()]],
  ['tcp dport { 22, 80 } accept', [tcp.dport([22, 80]), accept()]],
  ['tcp sport != { 1, 2 }', [not(tcp.sport([1, 2]))]],
  ['ip saddr { 10.0.0.0/8, 192.168.1.1, 172.16.0.1-172.16.0.9 } tcp dport { 1-5, 9 } drop',
    [ip.saddr(['10.0.0.0/8', '192.168.1.1', '172.16.0.1-172.16.0.9']), tcp.dport(['1-5', 9]), drop()]],
  ['iifname { "a", "b" }', [iifname(['a', 'b'])]],
  ['iifname { "eth*", "lo" }', [iifname(['eth*', 'lo'])]],
  ['meta mark { 1-5, 7 }', [mark(['1-5', 7])]],
  ['ip dscp { ef, cs1 }', [ip.dscp(['ef', 'cs1'])]],
  ['ip saddr . tcp dport { 10.0.0.1 . 80, 10.0.0.0/24 . 1-100 }',
    [concat(ip.saddr, tcp.dport)([['10.0.0.1', 80], ['10.0.0.0/24', '1-100']])]],
  ['ip saddr . tcp dport != { 10.0.0.1 . 80 }', [not(concat(ip.saddr, tcp.dport)([['10.0.0.1', 80]]))]],
  ['iifname . ip saddr { "eth0" . 10.0.0.1 }', [concat(iifname, ip.saddr)([['eth0', '10.0.0.1']])]],
  ['meta mark . ip saddr { 1-5 . 10.0.0.1, 7 . 10.0.0.0/8 }', [concat(mark, ip.saddr)([['1-5', '10.0.0.1'], [7, '10.0.0.0/8']])]],
  ['meta mark . ct mark { 1-5 . 7-9 }', [concat(mark, ct.mark)([['1-5', '7-9']])]],
  ['ip saddr . meta mark . tcp dport { 10.0.0.1 . 1-5 . 80 }', [concat(ip.saddr, mark, tcp.dport)([['10.0.0.1', '1-5', 80]])]],
  ['iifname . ip saddr { "eth0" . 10.0.0.0/8, "eth1" . 10.0.0.1 }', [concat(iifname, ip.saddr)([['eth0', '10.0.0.0/8'], ['eth1', '10.0.0.1']])]],
  ['meta mark . ip saddr vmap { 1-5 . 10.0.0.1 : accept }', [vmap(concat(mark, ip.saddr), [[['1-5', '10.0.0.1'], 'accept']])]],
  ['ct original ip saddr 10.0.0.0/8', [ct.original.ip.saddr('10.0.0.0/8')]],
  ['ip length set 50', [ip.length.set(50)]],
  ['ip protocol set 5', [ip.protocol.set(5)]],
  ['tcp dport { 22 }', [tcp.dport([22])]],
  ['ip saddr { 10.0.0.0/8 }', [ip.saddr(['10.0.0.0/8'])]],
  ['ip saddr != { 10.0.0.1-10.0.0.5 }', [not(ip.saddr(['10.0.0.1-10.0.0.5']))]],
  ['iifname { "eth*" }', [iifname(['eth*'])]],
  ['ip dscp { 3-5, 6, 9 }', [ip.dscp(['3-5', 6, 9])]],
  ['tcp dport vmap { 22 : accept, 80 : jump c }', [vmap(tcp.dport, { 22: 'accept', 80: jump('c') })]],
  ['ip saddr vmap { 10.0.0.0/8 : drop, 11.0.0.1 : continue }', [vmap(ip.saddr, { '10.0.0.0/8': 'drop', '11.0.0.1': 'continue' })]],
  ['ip saddr . tcp dport vmap { 10.0.0.1 . 80 : accept }', [vmap(concat(ip.saddr, tcp.dport), [[['10.0.0.1', 80], 'accept']])]],
  ['tcp flags syn', [tcp.flags('syn')]],
  ['tcp flags & (fin|syn|rst|ack) == syn', [tcp.flags(masked(['fin', 'syn', 'rst', 'ack'], 'syn'))]],
  ['ip dscp ef', [ip.dscp('ef')]],
  ['ip version 4', [ip.version(4)]],
  ['ip ttl 5', [ip.ttl(5)]],
  ['ip protocol tcp tcp dport 80', [ip.protocol('tcp'), tcp.dport(80)]],
  ['tcp doff 5', [tcp.doff(5)]],
  ['ip frag-off & 0x1fff != 0', [not(ip.fragOff(masked(0x1fff, 0)))]],
  ['meta length > 100', [meta.length(gt(100))]],
  ['meta length 100-200', [meta.length('100-200')]],
  ['meta mark & 0xff == 3', [mark(masked(0xff, 3))]],
  ['meta skuid 5-10', [meta.skuid('5-10')]],
  ['meta pkttype broadcast', [meta.pkttype('broadcast')]],
  ['meta iif 1', [meta.iif(1)]],
  ['meta iiftype ether', [meta.iiftype('ether')]],
  ['meta cpu 1', [meta.cpu(1)]],
  ['meta random 5', [meta.random(5)]],
  ['meta iifkind "veth"', [meta.iifkind('veth')]],
  ['meta priority 1:2', [meta.priority('1:2')]],
  ['meta day Saturday', [meta.day('Saturday')]],
  ['meta ipsec exists', [meta.ipsec('exists')]],
  ['ct mark 5', [ct.mark(5)]],
  ['ct status assured', [ct.status('assured')]],
  ['ct direction original', [ct.direction('original')]],
  ['ct original ip saddr 10.0.0.0/9', [ct.original.ip.saddr('10.0.0.0/9')]],
  ['ct l3proto ipv4', [ct.l3proto('ipv4')]],
  ['ct helper "ftp"', [ct.helper('ftp')]],
  ['ct expiration 5s-1m', [ct.expiration(range(5000, 60_000))]],
  ['ct original zone 5', [ct.original.zone(5)]],
  ['ct bytes > 1000', [ct.bytes(gt(1000))]],
  ['ct original packets 5', [ct.original.packets(5)]],
  ['ct label 1', [ct.label(1)]],
  ['ct count over 5', [ct.count({ over: 5 })]],
  ['fib saddr . iif oif missing', [fib(['saddr', 'iif'], 'oif')('missing')]],
  ['fib daddr . mark type local', [fib(['daddr', 'mark'], 'type')('local')]],
  ['fib saddr oifname "lo"', [fib(['saddr'], 'oifname')('lo')]],
  ['rt classid 5', [rt.classid(5)]],
  ['rt ip nexthop 1.2.3.4', [rt.ip.nexthop('1.2.3.4')]],
  ['rt mtu 1400', [rt.mtu(1400)]],
  ['socket transparent 1', [socket.transparent(1)]],
  ['socket mark 5', [socket.mark(5)]],
  ['osf ttl skip version "Linux:4.20"', [osf({ ttl: 'skip', version: true })('Linux:4.20')]],
  ['numgen inc mod 2 0', [numgen({ mode: 'inc', mod: 2 })(0)]],
  ['numgen random mod 2 offset 1 1', [numgen({ mode: 'random', mod: 2, offset: 1 })(1)]],
  ['jhash ip saddr mod 2 1', [jhash(ip.saddr, { mod: 2 })(1)]],
  ['jhash ip saddr . tcp dport mod 2 seed 0x5 offset 1 1', [jhash(concat(ip.saddr, tcp.dport), { mod: 2, seed: 5, offset: 1 })(1)]],
  ['symhash mod 2 0', [symhash({ mod: 2 })(0)]],
  ['tcp option maxseg size 1400', [tcpOption.maxseg.size(1400)]],
  ['tcp option maxseg size set rt mtu', [tcpOption.maxseg.size.set(rt.mtu)]],
  ['tcp option maxseg size set 1400', [tcpOption.maxseg.size.set(1400)]],
  ['tcp option sack-perm exists', [tcpOption.sackPerm.exists()]],
  ['tcp option timestamp tsval 5', [tcpOption.timestamp.tsval(5)]],
  ['ip option rr ptr 1', [ipOption.rr.ptr(1)]],
  ['ip option lsrr missing', [ipOption.lsrr.missing()]],
  ['sctp chunk data exists', [sctpChunk.data.exists()]],
  ['sctp chunk init a-rwnd 5', [sctpChunk.init.aRwnd(5)]],
  ['ipsec in spnum 1 spi 5', [ipsec('in', { spnum: 1 }).spi(5)]],
  ['ipsec in reqid 5', [ipsec('in').reqid(5)]],
  ['th dport 53', [th.dport(53)]],
  ['@th,16,16 53', [payload('th', 16, 16)(53)]],
  ['@nh,0,4 4', [payload('nh', 0, 4)(4)]],
  ['udp length 20', [udp.length(20)]],
  ['sctp vtag 5', [sctp.vtag(5)]],
  ['dccp sport 5', [dccp.sport(5)]],
  ['esp spi 5', [esp.spi(5)]],
  ['ah sequence 5', [ah.sequence(5)]],
  ['comp cpi 5', [comp.cpi(5)]],
  ['udplite csumcov 5', [udplite.csumcov(5)]],
  ['icmp type echo-request', [icmp.type('echo-request')]],
  ['igmp type membership-query', [igmp.type('membership-query')]],
  ['ether saddr 00:01:02:03:04:05', [ether.saddr('00:01:02:03:04:05')]],
  ['vlan id 5', [vlan.id(5)]],
  ['reject with icmp port-unreachable', [reject('icmp port-unreachable')]],
  ['reject with tcp reset', [reject('tcp reset')]],
  ['limit rate 10/second burst 5 packets log prefix "hi" level debug',
    [limit({ rate: 10, per: 'second' }), log({ prefix: 'hi', level: 'debug' })]],
  ['limit rate over 5/minute burst 3 packets', [limit({ rate: 5, per: 'minute', burst: 3, over: true })]],
  ['limit rate 5 kbytes/second', [limit({ rate: 5120, per: 'second', unit: 'bytes' })]],
  ['quota over 5 mbytes', [quota({ bytes: 5 << 20, over: true })]],
  ['quota 5 kbytes used 10 bytes', [quota({ bytes: 5120, used: 10 })]],
  ['counter packets 1 bytes 2', [counter({ packets: 1, bytes: 2 })]],
  ['log flags all', [log({ flags: ['all'] })]],
  ['log flags tcp sequence,options', [log({ flags: ['tcp sequence', 'tcp options'] })]],
  ['log prefix "a" group 5 snaplen 10 queue-threshold 5', [log({ prefix: 'a', group: 5, snaplen: 10, queueThreshold: 5 })]],
  ['queue num 5-7 bypass,fanout', [queue({ num: [5, 7], bypass: true, fanout: true })]],
  ['queue to symhash mod 2', [queue({ num: symhash({ mod: 2 }) })]],
  ['synproxy mss 1460 wscale 7 timestamp sack-perm', [synproxy({ mss: 1460, wscale: 7, timestamp: true, sackPerm: true })]],
  ['notrack', [notrack()]],
  ['dup to 1.2.3.4', [dup({ address: '1.2.3.4' })]],
  ['dup to 1.2.3.4 device lo', [dup({ address: '1.2.3.4', device: 1 })]],
  ['meta l4proto tcp tproxy to 1.2.3.4:80', [l4proto('tcp'), tproxy({ address: '1.2.3.4', port: 80 })]],
  ['ip dscp set ef', [ip.dscp.set('ef')]],
  ['ip ecn set 1', [ip.ecn.set(1)]],
  ['ip ttl set 5', [ip.ttl.set(5)]],
  ['ip saddr set 1.2.3.4', [ip.saddr.set('1.2.3.4')]],
  ['ip daddr set ip saddr map { 10.0.0.1 : 1.2.3.4 }', [ip.daddr.set(map(ip.saddr, { '10.0.0.1': '1.2.3.4' }))]],
  ['tcp dport set 80', [tcp.dport.set(80)]],
  ['udp dport set 53', [udp.dport.set(53)]],
  ['tcp flags set syn', [tcp.flags.set('syn')]],
  ['@th,16,16 set 53', [payload('th', 16, 16).set(53)]],
  ['ether saddr set 00:01:02:03:04:05', [ether.saddr.set('00:01:02:03:04:05')]],
  ['meta mark set 5', [mark.set(5)]],
  ['meta mark set ct mark', [mark.set(ct.mark)]],
  ['ct mark set ct mark or 0x10', [ct.mark.set(or(ct.mark, 0x10))]],
  ['meta mark set meta mark and 0xff', [mark.set(and(mark, 0xff))]],
  ['meta mark set meta mark xor 0x10', [mark.set(xor(mark, 0x10))]],
  ['meta mark set meta mark << 2', [mark.set(shiftLeft(mark, 2))]],
  ['meta mark set meta mark >> 2', [mark.set(shiftRight(mark, 2))]],
  ['meta mark set iifname map { "lo" : 5 }', [mark.set(map(iifname, { lo: 5 }))]],
  ['meta mark set numgen inc mod 5 offset 3', [mark.set(numgen({ mode: 'inc', mod: 5, offset: 3 }))]],
  ['meta mark set jhash ip saddr mod 5', [mark.set(jhash(ip.saddr, { mod: 5 }))]],
  ['meta priority set 1:2', [meta.priority.set('1:2')]],
  ['meta pkttype set broadcast', [meta.pkttype.set('broadcast')]],
  ['meta nftrace set 1', [meta.nftrace.set(1)]],
  ['ct zone set 5', [ct.zone.set(5)]],
  ['ct original zone set 5', [ct.original.zone.set(5)]],
  ['ct event set new,destroy', [ct.event.set(['new', 'destroy'])]],
  ['ct label set 1', [ct.label.set(1)]],
  ['ct helper set "x"', [ct.helper.set('x')]],
  ['counter name "cn"', [counter('cn')]],
  ['counter name ip saddr map { 1.2.3.4 : "cn" }', [counter(map(ip.saddr, { '1.2.3.4': 'cn' }))]],
]
const postrouting: Case[] = [
  ['masquerade', [masquerade()]],
  ['masquerade fully-random', [masquerade({ fullyRandom: true })]],
  ['meta l4proto tcp masquerade to :1024-65535', [l4proto('tcp'), masquerade({ ports: [1024, 65535] })]],
  ['snat to 1.2.3.4', [snat({ address: '1.2.3.4' })]],
  ['snat to 1.2.3.4-1.2.3.9 random,persistent', [snat({ to: '1.2.3.4-1.2.3.9', random: true, persistent: true })]],
  ['snat to 10.0.0.0/24', [snat({ address: '10.0.0.0/24' })]],
  ['meta l4proto udp snat to 1.2.3.4-1.2.3.9:1024-65535',
    [l4proto('udp'), snat({ address: ['1.2.3.4', '1.2.3.9'], ports: [1024, 65535] })]],
  ['snat to ip saddr map { 10.0.0.1 : 1.2.3.4 }', [snat({ to: map(ip.saddr, { '10.0.0.1': '1.2.3.4' }) })]],
  ['snat ip to ip saddr map { 10.0.0.0/24 : 1.2.3.4-1.2.3.9 }', [snat({ to: map(ip.saddr, { '10.0.0.0/24': '1.2.3.4-1.2.3.9' }) })]],
  ['snat ip prefix to ip saddr map { 10.141.11.0/24 : 192.168.2.0/24 }',
    [snat({ to: map(ip.saddr, { '10.141.11.0/24': '192.168.2.0/24' }), netmap: true })]],
  ['meta l4proto tcp snat ip to ip saddr map { 10.0.0.1 : 1.2.3.4 . 80 }',
    [l4proto('tcp'), snat({ to: map(ip.saddr, { '10.0.0.1': ['1.2.3.4', 80] }) })]],
]
const prerouting: Case[] = [
  ['tcp dport 80 dnat to 10.0.0.1:8080', [tcp.dport(80), dnat({ address: '10.0.0.1', ports: 8080 })]],
  ['tcp dport 80 dnat to 10.0.0.1:8080-8090', [tcp.dport(80), dnat({ to: '10.0.0.1:8080-8090' })]],
  ['tcp dport 80 dnat to :81', [tcp.dport(80), dnat({ to: ':81' })]],
  ['dnat to tcp dport map { 80 : 10.0.0.1 . 8080 }', [dnat({ to: map(tcp.dport, [[80, ['10.0.0.1', 8080]]]) })]],
  ['dnat to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }',
    [dnat({ to: map(numgen({ mode: 'inc', mod: 2 }), { 0: '10.0.0.1', 1: '10.0.0.2' }) })]],
  ['tcp dport 80 dnat to 10.0.0.1:tcp dport map { 80 : 8080 }',
    [tcp.dport(80), dnat({ address: '10.0.0.1', ports: map(tcp.dport, { 80: 8080 }) })]],
  ['dnat ip prefix to 10.0.0.0/24', [dnat({ address: '10.0.0.0/24', netmap: true })]],
  ['tcp dport 80 redirect', [tcp.dport(80), redirect()]],
  ['tcp dport 80 redirect to :8080', [tcp.dport(80), redirect({ ports: 8080 })]],
]
const inet: Case[] = [
  ['ip saddr 1.2.3.4 accept', [ip.saddr('1.2.3.4'), accept()]],
  ['meta nfproto ipv4 ip saddr 1.2.3.4', [nfproto('ip'), ip.saddr('1.2.3.4')]],
  ['ip6 daddr fd00::/64 accept', [ip6.daddr('fd00::/64'), accept()]],
  ['ip6 dscp ef', [ip6.dscp('ef')]],
  ['ct l3proto ipv6 ip6 daddr fd00::1', [ct.l3proto('ipv6'), ip6.daddr('fd00::1')]],
  ['ct original l3proto ipv4 counter icmp type 8', [ct.original.l3proto('ipv4'), counter(), icmp.type(8)]],
  ['ct l3proto ipv6 meta nfproto ipv4 ip saddr 1.2.3.4', [ct.l3proto('ipv6'), nfproto('ip'), ip.saddr('1.2.3.4')]],
  ['meta iiftype 512 meta nfproto ipv4 ip saddr 1.2.3.4', [meta.iiftype(512), nfproto('ip'), ip.saddr('1.2.3.4')]],
  ['meta nfproto { ipv4, ipv6 } meta nfproto ipv4 ip saddr 1.2.3.4', [meta.nfproto(['ipv4', 'ipv6']), nfproto('ip'), ip.saddr('1.2.3.4')]],
  ['meta l4proto { tcp, udp } th dport 5', [l4proto(['tcp', 'udp']), th.dport(5)]],
  ['meta l4proto != { tcp, udp } sctp dport 5', [not(l4proto(['tcp', 'udp'])), sctp.dport(5)]],
  ['meta iiftype 512 tcp dport 5', [meta.iiftype(512), tcp.dport(5)]],
  ['ether daddr 00:01:02:03:04:05 ip saddr 1.2.3.4', [ether.daddr('00:01:02:03:04:05'), ip.saddr('1.2.3.4')]],
  ['vlan id 5 ip saddr 1.2.3.4', [vlan.id(5), ip.saddr('1.2.3.4')]],
  ['ip saddr 1.2.3.4 tcp dport 80 counter ip ttl 5 counter tcp doff 5',
    [ip.saddr('1.2.3.4'), tcp.dport(80), counter(), ip.ttl(5), counter(), tcp.doff(5)]],
  ['icmp type echo-request', [icmp.type('echo-request')]],
  ['icmpv6 type echo-request', [icmpv6.type('echo-request')]],
  ['exthdr frag exists', [exthdr.frag.exists()]],
  ['frag more-fragments 1', [exthdr.frag.moreFragments(1)]],
  ['hbh nexthdr 6', [exthdr.hbh.nexthdr(6)]],
  ['mh type 1', [exthdr.mh.type(1)]],
  ['ip6 dscp set ef', [ip6.dscp.set('ef')]],
  ['ip6 length set 5', [ip6.length.set(5)]],
  ['ip6 nexthdr set 5', [ip6.nexthdr.set(5)]],
  ['ip6 hoplimit set 5', [ip6.hoplimit.set(5)]],
  ['reject with icmpx type host-unreachable', [reject('icmpx host-unreachable')]],
  ['reject with icmp host-unreachable', [reject('icmp host-unreachable')]],
  ['reject with icmpv6 no-route', [reject('icmpv6 no-route')]],
]
const ip6Cases: Case[] = [
  ['ip6 saddr fd00::1', [ip6.saddr('fd00::1')]],
  ['ip6 saddr set fd00::1', [ip6.saddr.set('fd00::1')]],
  ['icmpv6 type set 1', [icmpv6.type.set(1)]],
  ['ip6 saddr . tcp dport { fd00::1 . 80 }', [concat(ip6.saddr, tcp.dport)([['fd00::1', 80]])]],
]
const link: Case[] = [
  ['ip saddr 1.2.3.4', [ip.saddr('1.2.3.4')]],
  ['icmp type echo-request', [icmp.type('echo-request')]],
  ['arp operation request', [arp.operation('request')]],
  ['arp saddr ip 1.2.3.4', [arp.saddrIp('1.2.3.4')]],
  ['ether saddr 00:01:02:03:04:05', [ether.saddr('00:01:02:03:04:05')]],
  ['ether type ip ip saddr 1.2.3.4', [ether.type('ip'), ip.saddr('1.2.3.4')]],
  ['vlan id 5 ip saddr 1.2.3.4', [vlan.id(5), ip.saddr('1.2.3.4')]],
  ['ip saddr 1.2.3.4 tcp dport 80', [ip.saddr('1.2.3.4'), tcp.dport(80)]],
  ['ether daddr 00:01:02:03:04:05 ip saddr 1.2.3.4', [ether.daddr('00:01:02:03:04:05'), ip.saddr('1.2.3.4')]],
  ['meta protocol ip ip saddr 1.2.3.4', [meta.protocol('ip'), ip.saddr('1.2.3.4')]],
  ['ip option lsrr exists', [ipOption.lsrr.exists()]],
  ['reject with tcp reset', [reject('tcp reset')]],
  ['reject with icmp host-unreachable', [reject('icmp host-unreachable')]],
]
/** In a bridge all have an Ethernet header, whatever its link. */
const bridgeCases: Case[] = [
  ['meta iiftype 512 ether saddr 00:01:02:03:04:05', [meta.iiftype(512), ether.saddr('00:01:02:03:04:05')]],
  ['meta iiftype 512 ip saddr 1.2.3.4', [meta.iiftype(512), ip.saddr('1.2.3.4')]],
]
const arpCases: Case[] = [
  ['arp htype 1 arp saddr ether 00:01:02:03:04:05', [arp.htype(1), arp.saddrEther('00:01:02:03:04:05')]],
]
const netdevCases: Case[] = [
  ['dup to lo', [dup({ device: 1 })]],
  ['fwd to lo', [fwd({ device: 1 })]],
  ['fwd ip to 1.2.3.4 device lo', [fwd({ device: 1, address: '1.2.3.4' })]],
]

const traced = needing(needs.tool('strace'), needs.kernel('nftNat'), needs.kernel('nftInet'))
traced.describe('against nft', () => {
  test.each([
    ['ip', 'type filter hook input priority 0;', input],
    ['ip', 'type nat hook postrouting priority 100;', postrouting],
    ['ip', 'type nat hook prerouting priority -100;', prerouting],
    ['inet', 'type filter hook prerouting priority 0;', inet],
    ['ip6', '', ip6Cases],
    ['bridge', '', link],
    ['bridge', '', bridgeCases],
    ['netdev', '', link],
    ['netdev', '', netdevCases],
    ['arp', '', arpCases],
  ] as [Family, string, Case[]][])('%s %s', async (family, hook, cases) => {
    const rules = cases.map(([text]) => text).join('\n')
    const table = `table ${family} t {\n chain c { }\n chain b { ${hook}\n${rules}\n}\n}`
    // A kernel that lacks one of them refuses all; the bytes are what counts here.
    const captured = await captureRules(`ip link set lo up; nft -f - <<'END' || true\n${table}\nEND`)
    const { messages } = expand(cases.map(([, expressions]) => addRule({ family, table: 't', chain: 'b', expressions })))
    const ours = messages.filter(({ type }) => type === messageType(NFT_MSG_NEWRULE))
      .map(message => expressionBytes(encodeRequests([message])))
    const named = (all: string[]): unknown[] => all.map((bytes, index) => [cases[index]?.[0], bytes])
    expect(named(ours)).toEqual(named(captured.map(expressionBytes)))
  })
})

describe('not', () => {
  test('twice is the condition itself', () => {
    for (const condition of [ip.saddr('10.0.0.0/9'), iifname('lo'), tcp.dport(1), ctState('new')]) {
      expect(not(not(condition))).toEqual(condition)
    }
  })
  test('refuses what is no condition', () => {
    for (const words of [accept(), counter(), []]) expect(() => not(words)).toThrow(InvalidArgumentError)
  })
})

test('names what it refuses', () => {
  const compile = (...words: Word[]) => () => expand([addRule({ family: 'inet', table: 't', chain: 'c', expressions: words })])
  expect(compile(meta.iiftype(512), ip.saddr('1.2.3.4'))).toThrow('nothing of ip in a rule for links of type 512')
  expect(compile(meta.iiftype(512), ether.saddr('00:01:02:03:04:05'))).toThrow('nothing of ether in a rule for links of type 512')
  expect(compile(l4proto(['tcp', 'udp']), tcp.dport(5))).toThrow('nothing of tcp in a rule for a list of protocols')
  expect(compile(meta.nfproto(['ipv4', 'ipv6']), ip.saddr('1.2.3.4'))).toThrow('nothing of ip in a rule for a list of protocols')
  expect(compile(meta.iiftype(['ether', 512]), ether.saddr('00:01:02:03:04:05'))).toThrow('nothing of ether in a rule for a list of protocols')
  expect(compile(ct.l3proto('ipv6'), ip.saddr('1.2.3.4'))).toThrow('nothing of ip in a rule for ip6')
  expect(() => ip.saddr('fd00::1')).toThrow('ip saddr: expected an IPv4 address or prefix')
  expect(() => ctState('establised' as 'established')).toThrow('did you mean "established"?')
  expect(() => tcp.dport('5-1')).toThrow('tcp dport: expected a range')
  expect(() => snat({ address: ['10.0.0.1', 'fd00::1'] })).toThrow('an IPv4 address')
  expect(() => snat({})).toThrow('snat.address')
})
