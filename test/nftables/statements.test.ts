/** The vocabulary writes what nft writes for the same words. */
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import type { Expression } from '../../src/nftables/expressions.ts'
import type { Family } from '../../src/nftables/messages.ts'
import { addRule } from '../../src/nftables/rules.ts'
import {
  accept, counter, ctState, dnat, drop, goto, iifname, ip, ip6, jump, l4proto, limit, log, mark, masquerade, nfproto,
  not, oifname, redirect, reject, ret, snat, tcp, udp,
} from '../../src/nftables/statements.ts'
import { needing, needs } from '../support/needs.ts'
import { captureRules, expressionBytes } from './capture.ts'

type Case = [text: string, words: Expression[][]]

const filter: Case[] = [
  ['iifname "virbr0" accept', [iifname('virbr0'), accept()]],
  ['iifname "eth*" jump c', [iifname('eth*'), jump('c')]],
  ['oifname != "eth0" goto c', [not(oifname('eth0')), goto('c')]],
  ['ip saddr 192.168.122.0/24 ip daddr 10.0.0.0/9 counter accept',
    [ip.saddr('192.168.122.0/24'), ip.daddr('10.0.0.0/9'), counter(), accept()]],
  ['ip daddr != 10.1.1.1 drop', [not(ip.daddr('10.1.1.1')), drop()]],
  ['ip daddr != 10.128.0.0/10 drop', [not(ip.daddr('10.128.0.0/10')), drop()]],
  ['ct state established,related accept', [ctState('established', 'related'), accept()]],
  ['tcp dport 53 return', [tcp.dport(53), ret()]],
  ['tcp dport != 53 return', [not(tcp.dport(53)), ret()]],
  ['udp sport 1024-65535 accept', [udp.sport([1024, 65535]), accept()]],
  ['udp dport != 67-68 drop', [not(udp.dport([67, 68])), drop()]],
  ['meta l4proto icmp accept', [l4proto('icmp'), accept()]],
  ['meta mark 3 accept', [mark(3), accept()]],
  ['reject with icmp port-unreachable', [reject('icmp port-unreachable')]],
  ['meta l4proto tcp reject with tcp reset', [l4proto('tcp'), reject('tcp reset')]],
  ['limit rate 10/second burst 5 packets log prefix "hi" level debug',
    [limit({ rate: 10, per: 'second' }), log({ prefix: 'hi', level: 'debug' })]],
]
const postrouting: Case[] = [
  ['masquerade', [masquerade()]],
  ['meta l4proto tcp masquerade to :1024-65535', [l4proto('tcp'), masquerade({ ports: [1024, 65535] })]],
  ['masquerade fully-random', [masquerade({ fullyRandom: true })]],
  ['snat to 1.2.3.4', [snat({ address: '1.2.3.4' })]],
  ['meta l4proto udp snat to 1.2.3.4-1.2.3.9:1024-65535',
    [l4proto('udp'), snat({ address: ['1.2.3.4', '1.2.3.9'], ports: [1024, 65535] })]],
]
const prerouting: Case[] = [
  ['tcp dport 80 dnat to 10.0.0.1:8080', [tcp.dport(80), dnat({ address: '10.0.0.1', ports: 8080 })]],
  ['tcp dport 80 redirect to :8080', [tcp.dport(80), redirect({ ports: 8080 })]],
]
const inet: Case[] = [
  ['ip saddr 1.2.3.4 accept', [nfproto('ip'), ip.saddr('1.2.3.4'), accept()]],
  ['ip6 daddr fd00::/64 accept', [nfproto('ip6'), ip6.daddr('fd00::/64'), accept()]],
  ['reject with icmpx type host-unreachable', [reject('icmpx host-unreachable')]],
]

const traced = needing(needs.tool('strace'), needs.kernel('nftNat'), needs.kernel('nftInet'))
traced.describe('against nft', () => {
  test.each([
    ['ip', 'type filter hook input priority 0;', filter],
    ['ip', 'type nat hook postrouting priority 100;', postrouting],
    ['ip', 'type nat hook prerouting priority -100;', prerouting],
    ['inet', '', inet],
  ] as [Family, string, Case[]][])('%s %s', async (family, hook, cases) => {
    const rules = cases.map(([text]) => text).join('\n')
    const table = `table ${family} t {\n chain c { }\n chain b { ${hook}\n${rules}\n}\n}`
    const captured = await captureRules(`nft -f - <<'END'\n${table}\nEND`)
    const ours = cases.map(([, expressions]) =>
      expressionBytes(encodeRequests([addRule({ family, table: 't', chain: 'b', expressions })])))
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

test('an address that matches everything needs no expression', () => {
  expect(ip.saddr('0.0.0.0/0')).toEqual([])
})

test('names what it refuses', () => {
  expect(() => ip.saddr('fd00::1')).toThrow('ip.saddr: expected an IPv4 address or prefix')
  expect(() => ctState('establised' as 'established')).toThrow('did you mean "established"?')
  expect(() => tcp.dport([5, 1])).toThrow('tcp.dport: expected')
  expect(() => snat({ address: ['10.0.0.1', 'fd00::1'] })).toThrow('two addresses of the same family')
  expect(() => snat({ ports: 1 })).toThrow('snat.address')
})
