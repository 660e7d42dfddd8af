/** Tables as `iptables -L -nv` prints them (1.8.9). */
import type { Chain } from '../chains.ts'
import { readRule } from './read.ts'
import type { ReadRule } from './read.ts'
import type { IptablesFamily } from './rule.ts'
import { iptablesFamily, isBuiltin, policyOf, rulesOf, sortChains } from './table.ts'
import type { IptablesTable } from './table.ts'

const HEADER = ' pkts bytes target     prot opt in     out     source               destination         '

/** A table as `iptables -t TABLE -L -nv` prints it. */
export function formatIptablesList({ table, chains, rules }: IptablesTable): string {
  return sortChains(table, chains).map(({ name, chain }) => {
    const ofChain = rulesOf(table, name, rules)
    const lines = ofChain.map(rule => listLine(iptablesFamily(rule), readRule(iptablesFamily(rule), rule.expressions)))
    return `${[chainLine(table, name, chain, ofChain.length), HEADER, ...lines].join('\n')}\n`
  }).join('\n')
}

function chainLine(table: string, name: string, chain: Chain | undefined, rules: number): string {
  if (!isBuiltin(table, name)) return `Chain ${name} (${(chain?.use ?? 0) - rules} references)`
  const { packets, bytes } = chain?.counters ?? { packets: 0, bytes: 0 }
  return `Chain ${name} (policy ${policyOf(chain)} ${shortNumber(packets, 0)} packets, ${shortNumber(bytes, 0)} bytes)`
}

function listLine(family: IptablesFamily, rule: ReadRule): string {
  const anywhere = family === 'ip' ? '0.0.0.0/0' : '::/0'
  const whole = family === 'ip' ? '/32' : '/128'
  const mark = (field: { not: boolean } | undefined): string => field?.not === true ? '!' : ' '
  const address = (field: { not: boolean, value: string } | undefined): string => {
    const text = field?.value ?? anywhere
    return mark(field) + (text.endsWith(whole) ? text.slice(0, -whole.length) : text).padEnd(19)
  }
  const device = (field: { not: boolean, value: string } | undefined): string =>
    (field === undefined ? '*' : `${field.not ? '!' : ''}${field.value}`).padEnd(6)
  const { target } = rule
  const columns = [
    shortNumber(rule.counters.packets),
    shortNumber(rule.counters.bytes),
    (target?.name ?? '').padEnd(9),
    `${mark(rule.protocol)}${String(rule.protocol?.value ?? 0).padEnd(4)}`,
    '-- ',
    device(rule.in),
    device(rule.out),
    address(rule.source),
    address(rule.destination),
  ].join(' ')
  const rest = [...rule.matches.map(({ list }) => list), target?.options.list ?? ''].filter(text => text !== '')
  return `${columns} ${target?.goto === true ? '[goto] ' : ''}${rest.map(text => ` ${text}`).join('')}`
}

/** Five columns wide: exact to 99999, then in thousands, rounded, as K, M, G or T. */
function shortNumber(value: number, width = 5): string {
  if (value <= 99999) return String(value).padStart(width)
  let rest = value
  for (const unit of ['K', 'M', 'G', 'T']) {
    rest = Math.floor((rest + 500) / 1000)
    if (rest <= 9999 || unit === 'T') return `${String(rest).padStart(Math.max(0, width - 1))}${unit}`
  }
  return String(value)
}
