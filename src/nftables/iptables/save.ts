/** Tables as iptables-save and `iptables -S` print them (1.8.9). */
import { aBoolean, aText, check, checkEach, wholeNumber } from '../../checks.ts'
import { expressionsOf } from '../expressions.ts'
import type { Rule } from '../rules.ts'
import { readRule } from './read.ts'
import { checkTable, incompatibility, iptablesFamily, isBuiltin, policyOf, readRules, sortChains } from './table.ts'
import type { IptablesTable } from './table.ts'
import { ruleSave } from './text.ts'

/** One rule as a line of iptables-save: `-A FORWARD -o virbr0 -j REJECT --reject-with icmp-port-unreachable`. */
export function formatIptablesSave(rule: Pick<Rule, 'family' | 'chain' | 'expressions' | 'comment'>): string {
  expressionsOf(rule)
  check('chain', rule.chain, aText)
  const family = iptablesFamily(rule)
  return `-A ${rule.chain} ${ruleSave(family, readRule(family, rule))}`.trimEnd()
}

/**
 * A whole table as iptables-save prints it, without its comments of time and version. `counters`: as with `-c`. Above a
 * table that the iptables tools refuse to print stands why.
 */
export function formatIptablesSaveTable(given: IptablesTable, options: { counters?: boolean } = {}): string {
  const { table, chains } = checkTable(given)
  checkEach('options', options, { counters: aBoolean })
  const { counters = false } = options
  const sorted = sortChains(given)
  const lines = sorted.map(({ name, chain }) => {
    const { packets, bytes } = chain?.counters ?? { packets: 0, bytes: 0 }
    return `:${name} ${isBuiltin(table, name) ? policyOf(chain) : '-'} [${packets}:${bytes}]`
  })
  const ruleLines = sorted.flatMap(({ name }) => readRules(given, name).map(({ family, read }) => {
    const { packets, bytes } = read.counters
    return `${counters ? `[${packets}:${bytes}] ` : ''}-A ${name} ${ruleSave(family, read)}`.trimEnd()
  }))
  return [...incompatibility({ ...given, chains }), `*${table}`, ...lines, ...ruleLines, 'COMMIT', ''].join('\n')
}

export interface ListRulesOptions {
  /** Only this chain. */
  chain?: string | undefined
  /** Only this rule of the chain, counted from 1. */
  number?: number | undefined
  /** Counters of packets and bytes, as with `-v`. */
  counters?: boolean | undefined
}

/** Policies, chains and rules as `iptables -S` prints them. */
export function formatIptablesRules(given: IptablesTable, options: ListRulesOptions = {}): string {
  checkEach('options', options, { chain: aText, number: wholeNumber(1, Number.MAX_SAFE_INTEGER), counters: aBoolean })
  const { chain: only, number, counters = false } = options
  const sorted = sortChains(checkTable(given)).filter(({ name }) => only === undefined || name === only)
  // Users' chains come after the policies, all before the rules.
  const heads = number !== undefined ? [] : sorted.map(({ name, chain }) => {
    const { packets, bytes } = chain?.counters ?? { packets: 0, bytes: 0 }
    return isBuiltin(given.table, name) ? `-P ${name} ${policyOf(chain)}${counters ? ` -c ${packets} ${bytes}` : ''}` : `-N ${name}`
  })
  const lines = sorted.flatMap(({ name }) => readRules(given, name)
    .filter((_, index) => number === undefined || index + 1 === number)
    .map(({ family, read }) => `-A ${name} ${ruleSave(family, read, counters)}`.trimEnd()))
  return [...incompatibility(given), ...heads, ...lines].map(line => `${line}\n`).join('')
}
