/** Tables as `iptables -L -n` prints them, with and without -v (1.8.9). */
import { aBoolean, aText, checkEach } from '../../checks.ts'
import type { Chain } from '../chains.ts'
import type { ReadRule } from './read.ts'
import { checkTable, incompatibility, isBuiltin, policyOf, readRules, sortChains } from './table.ts'
import type { IptablesTable } from './table.ts'
import { partList } from './text.ts'
import type { IptablesFamily } from './values.ts'

export interface IptablesListOptions {
  /** Only this chain. */
  chain?: string | undefined
  /** Counters and interfaces, as with `-v`; default true. */
  verbose?: boolean | undefined
  /** Counters in full instead of as K, M, G and T, as with `-x`. */
  exact?: boolean | undefined
  /** `--line-numbers`. */
  lineNumbers?: boolean | undefined
}

/** A table as `iptables -t TABLE -L -nv` prints it. Above one that the iptables tools refuse to print stands why. */
export function formatIptablesList(given: IptablesTable, options: IptablesListOptions = {}): string {
  const { table } = checkTable(given)
  checkEach('options', options, { chain: aText, verbose: aBoolean, exact: aBoolean, lineNumbers: aBoolean })
  const { verbose = true, lineNumbers = false } = options
  const numbered = (text: string, number: string): string => (lineNumbers ? `${number.padEnd(4)} ${text}` : text)
  const note = incompatibility(given).map(line => `${line}\n`).join('')
  const blocks = sortChains(given).filter(({ name }) => options.chain === undefined || name === options.chain).map(({ name, chain }) => {
    const rules = readRules(given, name)
    const lines = rules.map(({ family, read }, index) => numbered(listLine(family, read, options), String(index + 1)))
    const head = numbered(header(options), 'num')
    return `${[chainLine(table, name, chain, rules.length, options, verbose), head, ...lines].join('\n')}\n`
  })
  return note + blocks.join('\n')
}

function header({ verbose = true, exact = false }: IptablesListOptions): string {
  if (!verbose) return 'target     prot opt source               destination         '
  return `${exact ? '    pkts      bytes' : ' pkts bytes'} target     prot opt in     out     source               destination         `
}

function chainLine(
  table: string, name: string, chain: Chain | undefined, rules: number, { exact = false }: IptablesListOptions, verbose: boolean,
): string {
  if (!isBuiltin(table, name)) return `Chain ${name} (${(chain?.use ?? 0) - rules} references)`
  const { packets, bytes } = chain?.counters ?? { packets: 0, bytes: 0 }
  const number = (value: number): string => (exact ? String(value) : shortNumber(value, 0))
  return `Chain ${name} (policy ${policyOf(chain)}${verbose ? ` ${number(packets)} packets, ${number(bytes)} bytes` : ''})`
}

function listLine(family: IptablesFamily, rule: ReadRule, { verbose = true, exact = false }: IptablesListOptions): string {
  const anywhere = family === 'ip' ? '0.0.0.0/0' : '::/0'
  const whole = family === 'ip' ? '/32' : '/128'
  const mark = (field: { not: boolean } | undefined): string => (field?.not === true ? '!' : ' ')
  const address = (field: { not: boolean, value: string } | undefined): string => {
    const text = field?.value ?? anywhere
    return mark(field) + (text.endsWith(whole) ? text.slice(0, -whole.length) : text).padEnd(19)
  }
  const device = (field: { not: boolean, value: string } | undefined): string =>
    (field === undefined ? '*' : `${field.not ? '!' : ''}${field.value}`).padEnd(6)
  const counter = (value: number): string => (exact ? String(value).padStart(8) : shortNumber(value))
  const { target, fragment } = rule
  const columns = [
    ...(verbose ? [counter(rule.counters.packets), counter(rule.counters.bytes)] : []),
    // NOTRACK is listed as what it is: CT.
    (target?.part?.extension?.xt ?? target?.name ?? '').padEnd(9),
    `${mark(rule.protocol)}${String(rule.protocol?.value ?? 0).padEnd(4)}`,
    `${fragment === undefined ? '--' : fragment.not ? '!f' : '-f'}${verbose ? ' ' : ''}`,
    ...(verbose ? [device(rule.in), device(rule.out)] : []),
    address(rule.source),
    address(rule.destination),
  ].join(' ')
  const context = { family }
  const rest = [...rule.matches.map(part => partList(part, context)), partList(target?.part, context)]
  return `${columns} ${target?.goto === true ? '[goto] ' : ''}${rest.join('')}`
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
