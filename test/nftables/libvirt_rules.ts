/** The rules of libvirt's default network in both notations: what we write, and the commands that write the same. */
import { addChain } from '../../src/nftables/chains.ts'
import { iptablesRule } from '../../src/nftables/iptables/rule.ts'
import type { IptablesFamily, IptablesRule } from '../../src/nftables/iptables/rule.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { addRule } from '../../src/nftables/rules.ts'
import { addTable } from '../../src/nftables/tables.ts'

export const OWNER = 'c7a5fdbd-cdaf-9455-926a-d65c16db1809'

interface TestRule extends IptablesRule {
  table: string
  chain: string
}

const BASES = [
  ['filter', 'INPUT', 'filter', 'input', 0, ['VIRBR_INP']],
  ['filter', 'OUTPUT', 'filter', 'output', 0, ['VIRBR_OUT']],
  ['filter', 'FORWARD', 'filter', 'forward', 0, ['VIRBR_FWO', 'VIRBR_FWI', 'VIRBR_FWX']],
  ['nat', 'POSTROUTING', 'nat', 'postrouting', 100, ['VIRBR_PRT']],
  ['mangle', 'POSTROUTING', 'filter', 'postrouting', -150, ['VIRBR_PRT']],
] as const

const bridge = 'virbr0'

const LOCAL: readonly TestRule[] = ([
  ['VIRBR_INP', 'in', 'tcp', 67], ['VIRBR_INP', 'in', 'udp', 67],
  ['VIRBR_OUT', 'out', 'tcp', 68], ['VIRBR_OUT', 'out', 'udp', 68],
  ['VIRBR_INP', 'in', 'tcp', 53], ['VIRBR_INP', 'in', 'udp', 53],
  ['VIRBR_OUT', 'out', 'tcp', 53], ['VIRBR_OUT', 'out', 'udp', 53],
] as const).map(([chain, direction, protocol, dport]) =>
  ({ table: 'filter', chain, [direction]: bridge, protocol, dport, target: 'ACCEPT' }))

const CHECKSUM: TestRule =
  { table: 'mangle', chain: 'VIRBR_PRT', out: bridge, protocol: 'udp', dport: 68, target: { CHECKSUM: { checksumFill: true } } }

/** Each is inserted at the head of its chain. */
export function natRules(family: IptablesFamily, subnet: string): TestRule[] {
  const reject = family === 'ip' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'
  const nat = (rest: Omit<IptablesRule, 'source'>): TestRule =>
    ({ table: 'nat', chain: 'VIRBR_PRT', source: subnet, ...rest })
  return [
    ...LOCAL,
    { table: 'filter', chain: 'VIRBR_FWO', in: bridge, target: { REJECT: { rejectWith: reject } } },
    { table: 'filter', chain: 'VIRBR_FWI', out: bridge, target: { REJECT: { rejectWith: reject } } },
    { table: 'filter', chain: 'VIRBR_FWX', in: bridge, out: bridge, target: 'ACCEPT' },
    { table: 'filter', chain: 'VIRBR_FWO', source: subnet, in: bridge, target: 'ACCEPT' },
    {
      table: 'filter', chain: 'VIRBR_FWI', destination: subnet, out: bridge, ctState: ['RELATED', 'ESTABLISHED'],
      target: 'ACCEPT',
    },
    nat({ destination: { not: subnet }, target: 'MASQUERADE' }),
    nat({ destination: { not: subnet }, protocol: 'udp', target: { MASQUERADE: { toPorts: [1024, 65535] } } }),
    nat({ destination: { not: subnet }, protocol: 'tcp', target: { MASQUERADE: { toPorts: [1024, 65535] } } }),
    ...(family === 'ip' ? [nat({ destination: '255.255.255.255/32', target: 'RETURN' })] : []),
    nat({ destination: family === 'ip' ? '224.0.0.0/24' : 'ff02::/16', target: 'RETURN' }),
    ...(family === 'ip' ? [CHECKSUM] : []),
  ]
}

export function scaffold(family: IptablesFamily): AnyRequest[] {
  return [
    ...['filter', 'nat', 'mangle'].map(name => addTable({ family, name })),
    ...BASES.flatMap(([table, name, type, hook, priority, jumps]) => [
      addChain({ family, table, name, type, hook, priority }),
      ...jumps.map(jump => addChain({ family, table, name: jump })),
      ...jumps.map(jump =>
        addRule({ family, table, chain: name, insert: true, expressions: iptablesRule({ family, target: { jump } }) })),
    ]),
  ]
}

export function requests(family: IptablesFamily, rules: readonly TestRule[]): AnyRequest[] {
  return rules.map(({ table, chain, ...rule }) => addRule({
    family, table, chain, insert: true, expressions: iptablesRule({ family, ...rule }), owner: OWNER,
  }))
}

/** The same as a shell script. */
export function commands(family: IptablesFamily, rules: readonly TestRule[]): string {
  const tool = family === 'ip' ? 'iptables' : 'ip6tables'
  return [
    'set -e',
    ...BASES.flatMap(([table, name, , , , jumps]) => jumps.flatMap(jump =>
      [`${tool} -t ${table} -N ${jump}`, `${tool} -t ${table} -I ${name} -j ${jump}`])),
    ...rules.map(rule => `${tool} -t ${rule.table} -I ${rule.chain} ${commandOptions(rule)}`),
  ].join('\n')
}

/** Of the forms that the rules above have. */
function commandOptions(rule: IptablesRule): string {
  const { target } = rule
  const option = (name: string, value: unknown): string => {
    if (value === undefined) return ''
    return typeof value === 'object' && value !== null && 'not' in value ? ` ! ${name} ${String(value.not)}` : ` ${name} ${String(value)}`
  }
  const targetText = (): string => {
    if (typeof target === 'string') return ` -j ${target}`
    if (typeof target !== 'object') return ''
    if ('jump' in target) return ` -j ${target.jump}`
    if ('REJECT' in target) return ` -j REJECT --reject-with ${target.REJECT.rejectWith}`
    if ('MASQUERADE' in target) return ` -j MASQUERADE --to-ports ${(target.MASQUERADE.toPorts as readonly number[]).join('-')}`
    return ' -j CHECKSUM --checksum-fill'
  }
  return [
    option('-i', rule.in), option('-o', rule.out), option('-s', rule.source), option('-d', rule.destination),
    option('-p', rule.protocol), option('--dport', rule.dport),
    rule.ctState === undefined ? '' : ` -m conntrack --ctstate ${(rule.ctState as readonly string[]).join(',')}`,
    targetText(),
  ].join('').trim()
}
