/** Our iptables rules are, byte for byte, those that iptables-nft sends. */
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { iptablesRule } from '../../src/nftables/iptables/rule.ts'
import type { IptablesFamily, IptablesRule } from '../../src/nftables/iptables/rule.ts'
import { addRule } from '../../src/nftables/rules.ts'
import { needing, needs } from '../support/needs.ts'
import { captureRules, expressionBytes } from './capture.ts'
import { commandOptions, commands, natRules, requests } from './libvirt_rules.ts'

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

  const cases: [IptablesFamily, string, string, IptablesRule][] = [
    ['ip', 'filter', 'FORWARD', { in: 'eth+', out: 'virbr0', target: 'DROP' }],
    ['ip', 'filter', 'FORWARD', { source: '10.1.2.3', destination: '10.0.0.0/9', target: 'RETURN' }],
    ['ip', 'filter', 'FORWARD', { source: '10.1.2.3/8', notDestination: '10.0.0.0/31', target: 'ACCEPT' }],
    ['ip', 'filter', 'INPUT', { protocol: 'udp', sport: 5, dport: [67, 69], target: 'ACCEPT' }],
    ['ip', 'filter', 'INPUT', { protocol: 47, target: 'DROP' }],
    ['ip', 'filter', 'INPUT', { protocol: 'tcp', target: { reject: 'tcp-reset' } }],
    ['ip', 'filter', 'INPUT', { ctState: ['INVALID', 'NEW', 'UNTRACKED'], target: { reject: 'icmp-host-prohibited' } }],
    ['ip', 'nat', 'POSTROUTING',
      { protocol: 'tcp', target: { snat: { addresses: ['1.2.3.4', '1.2.3.9'], ports: [1, 2] } } }],
    ['ip', 'nat', 'POSTROUTING', { target: { snat: { addresses: ['1.2.3.4', '1.2.3.4'] } } }],
    ['ip6', 'filter', 'FORWARD',
      { source: 'fd00::1', destination: 'fd00::/61', target: { reject: 'icmp6-adm-prohibited' } }],
    ['ip6', 'nat', 'POSTROUTING',
      { protocol: 'udp', target: { snat: { addresses: ['fd00::1', 'fd00::9'], ports: [1024, 65535] } } }],
    ['ip6', 'nat', 'POSTROUTING', { protocol: 'udp', target: { masquerade: { ports: [1, 9] } } }],
  ]
  test('one by one', async () => {
    const script = cases.map(([family, table, chain, rule]) =>
      `${family === 'ip' ? 'iptables' : 'ip6tables'} -t ${table} -A ${chain} ${commandOptions(rule)}`).join('\n')
    const captured = await captureRules(script)
    expect(cases.map(([family, , , rule]) => ruleBytes(family, rule))).toEqual(captured.map(expressionBytes))
  })

  test('the whole message of a rule with an extension', async () => {
    const options = '-s 10.0.0.0/8 -p tcp -j MASQUERADE --to-ports 1-2'
    const captured = await captureRules(`iptables -t nat -A POSTROUTING ${options}`)
    const rule: IptablesRule = { source: '10.0.0.0/8', protocol: 'tcp', target: { masquerade: { ports: [1, 2] } } }
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
    ['notDestination', { destination: '10.0.0.0/8', notDestination: '10.0.0.0/8', target: 'ACCEPT' }],
    ['target.reject', { target: { reject: 'icmp6-no-route' } }],
    ['target.ports', { target: { masquerade: { ports: [2, 1] } } }],
    ['ctState', { ctState: ['OLD' as 'NEW'], target: 'ACCEPT' }],
    ['target', { target: 'QUEUE' as 'DROP' }],
  ]
  test.each(refused)('%s: %j', (field, rule) => {
    expect(() => iptablesRule({ family: 'ip', ...rule })).toThrow(InvalidArgumentError)
    expect(() => iptablesRule({ family: 'ip', ...rule })).toThrow(new RegExp(`^${field.replace('.', '\\.')}: expected`))
  })
})
