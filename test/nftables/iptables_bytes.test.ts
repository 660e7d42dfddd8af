/** Our iptables rules are, byte for byte, those that iptables-nft sends. */
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { iptablesRule } from '../../src/nftables/iptables/rule.ts'
import type { IptablesFamily, IptablesRule } from '../../src/nftables/iptables/rule.ts'
import { addRule } from '../../src/nftables/rules.ts'
import { needing, needs } from '../support/needs.ts'
import { captureRules, expressionBytes } from './capture.ts'
import { commands, natRules, requests } from './libvirt_rules.ts'

function ruleBytes(family: IptablesFamily, rule: IptablesRule): string {
  const expressions = iptablesRule({ family, ...rule })
  return expressionBytes(encodeRequests([addRule({ family, table: 'filter', chain: 'c', expressions })]))
}

const traced = needing(needs.tool('strace'), needs.kernel('iptablesNft'), needs.kernel('iptablesChecksum'))
traced.describe('against iptables-nft', () => {
  test.each([
    ['ip', '192.168.122.0/24'],
    ['ip6', 'fd00:122::/64'],
  ] as const)('libvirt’s rules, %s', async (family, subnet) => {
    const rules = natRules(family, subnet)
    const captured = (await captureRules(commands(family, rules))).slice(-rules.length).map(expressionBytes)
    const ours = requests(family, rules).map(request => expressionBytes(encodeRequests([request])))
    expect(ours).toEqual(captured)
  })

  const cases: [IptablesFamily, string, string, string, IptablesRule][] = [
    ['ip', 'filter', 'FORWARD', '-i eth+ -o virbr0 -j DROP', { in: 'eth+', out: 'virbr0', target: 'DROP' }],
    ['ip', 'filter', 'FORWARD', '! -i eth0 ! -o eth+', { in: { not: 'eth0' }, out: { not: 'eth+' } }],
    ['ip', 'filter', 'FORWARD', '-s 10.1.2.3 -d 10.0.0.0/9 -j RETURN', { source: '10.1.2.3', destination: '10.0.0.0/9', target: 'RETURN' }],
    ['ip', 'filter', 'FORWARD', '-s 10.1.2.3/8 ! -d 10.0.0.0/31 -j ACCEPT',
      { source: '10.1.2.3/8', destination: { not: '10.0.0.0/31' }, target: 'ACCEPT' }],
    ['ip', 'filter', 'FORWARD', '-s 10.0.0.0/255.0.255.0 ! -f', { source: '10.0.0.0/255.0.255.0', fragment: { not: true } }],
    ['ip', 'filter', 'INPUT', '-p udp --sport 5 --dport 67:69 -j ACCEPT', { protocol: 'udp', sport: 5, dport: [67, 69], target: 'ACCEPT' }],
    ['ip', 'filter', 'INPUT', '-p 47 -j DROP', { protocol: 47, target: 'DROP' }],
    ['ip', 'filter', 'INPUT', '-p tcp -j REJECT --reject-with tcp-reset', { protocol: 'tcp', target: { REJECT: { rejectWith: 'tcp-reset' } } }],
    ['ip', 'filter', 'INPUT', '-m conntrack --ctstate INVALID,NEW,UNTRACKED -m comment --comment why -g F',
      { ctState: ['INVALID', 'NEW', 'UNTRACKED'], comment: 'why', target: { goto: 'F' } }],
    ['ip', 'nat', 'POSTROUTING', '-p tcp -j SNAT --to-source 1.2.3.4-1.2.3.9:1-2',
      { protocol: 'tcp', target: { SNAT: { toSource: { addresses: ['1.2.3.4', '1.2.3.9'], ports: [1, 2] } } } }],
    ['ip6', 'filter', 'FORWARD', '-s fd00::1 -d fd00::/61 -j REJECT --reject-with icmp6-adm-prohibited',
      { source: 'fd00::1', destination: 'fd00::/61', target: { REJECT: { rejectWith: 'icmp6-adm-prohibited' } } }],
    ['ip6', 'nat', 'POSTROUTING', '-p udp -j SNAT --to-source [fd00::1-fd00::9]:1024-65535',
      { protocol: 'udp', target: { SNAT: { toSource: { addresses: ['fd00::1', 'fd00::9'], ports: [1024, 65535] } } } }],
  ]
  test('one by one', async () => {
    const commands = cases.map(([family, table, chain, options]) =>
      `${family === 'ip' ? 'iptables' : 'ip6tables'} -t ${table} -A ${chain} ${options}`)
    const captured = await captureRules(['iptables -N F', ...commands].join('\n'))
    expect(cases.map(([family, , , , rule]) => ruleBytes(family, rule))).toEqual(captured.map(expressionBytes))
  })

  test('the whole message of a rule with an extension', async () => {
    const options = '-s 10.0.0.0/8 -p tcp -j MASQUERADE --to-ports 1-2'
    const captured = await captureRules(`iptables -t nat -A POSTROUTING ${options}`)
    const rule: IptablesRule = { source: '10.0.0.0/8', protocol: 'tcp', target: { MASQUERADE: { toPorts: [1, 2] } } }
    const expressions = iptablesRule({ family: 'ip', ...rule })
    const ours = encodeRequests([addRule({ family: 'ip', table: 'nat', chain: 'POSTROUTING', expressions })])
    expect([ours.toString('hex')]).toEqual(captured.map(bytes => bytes.toString('hex')))
  })
})

describe('refuses', () => {
  const refused: [string, IptablesRule][] = [
    ['in', { in: 'a name', target: 'ACCEPT' }],
    ['source', { source: 'fd00::1', target: 'ACCEPT' }],
    ['source', { source: '10.0.0.0/33', target: 'ACCEPT' }],
    ['dport', { dport: 53, target: 'ACCEPT' }],
    ['dport', { protocol: 'udp', dport: 65536, target: 'ACCEPT' }],
    ['dport', { protocol: 'udp', dport: [9, 1], target: 'ACCEPT' }],
    ['protocol', { protocol: 'upd' as 'udp', target: 'ACCEPT' }],
    ['destination', { destination: { not: '0.0.0.0/0' }, target: 'ACCEPT' }],
    ['target.REJECT.rejectWith', { target: { REJECT: { rejectWith: 'icmp6-no-route' } } }],
    ['target.MASQUERADE.toPorts', { target: { MASQUERADE: { toPorts: [2, 1] } } }],
    ['ctState', { ctState: ['OLD' as 'NEW'], target: 'ACCEPT' }],
    ['target', { target: 'QUEUE' as 'DROP' }],
  ]
  test.each(refused)('%s: %j', (field, rule) => {
    expect(() => iptablesRule({ family: 'ip', ...rule })).toThrow(InvalidArgumentError)
    expect(() => iptablesRule({ family: 'ip', ...rule })).toThrow(new RegExp(`^${field.replaceAll('.', '\\.')}: expected`))
  })
})
