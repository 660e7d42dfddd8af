/** Rules as iptables-save prints them (1.8.9). */
import { protocolName } from '../protocols.ts'
import type { Rule } from '../rules.ts'
import { readRule } from './read.ts'
import { iptablesFamily, isBuiltin, policyOf, rulesOf, sortChains } from './table.ts'
import type { IptablesTable } from './table.ts'

/** One rule as a line of iptables-save: `-A FORWARD -o virbr0 -j REJECT --reject-with icmp-port-unreachable`. */
export function formatIptablesSave(rule: Pick<Rule, 'family' | 'chain' | 'expressions'>): string {
  const read = readRule(iptablesFamily(rule), rule.expressions)
  const option = (name: string, field: { not: boolean, value: string } | undefined): string =>
    field === undefined ? '' : `${field.not ? '! ' : ''}${name} ${field.value}`
  const { protocol, target } = read
  return [
    `-A ${rule.chain}`,
    option('-s', read.source),
    option('-d', read.destination),
    option('-i', read.in),
    option('-o', read.out),
    protocol === undefined ? '' : option('-p', { not: protocol.not, value: protocolName(protocol.value) }),
    ...read.matches.map(({ save }) => save),
    target === undefined ? '' : `${target.goto ? '-g' : '-j'} ${target.name}`,
    target?.options.save ?? '',
  ].filter(part => part !== '').join(' ')
}

/** A whole table as iptables-save prints it, without its comments of time and version. */
export function formatIptablesSaveTable({ table, chains, rules }: IptablesTable): string {
  const sorted = sortChains(table, chains)
  const lines = sorted.map(({ name, chain }) => {
    const { packets, bytes } = chain?.counters ?? { packets: 0, bytes: 0 }
    return `:${name} ${isBuiltin(table, name) ? policyOf(chain) : '-'} [${packets}:${bytes}]`
  })
  const ruleLines = sorted.flatMap(({ name }) => rulesOf(table, name, rules).map(formatIptablesSave))
  return [`*${table}`, ...lines, ...ruleLines, 'COMMIT', ''].join('\n')
}
