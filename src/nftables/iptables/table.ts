/** What both of iptables' listings of a table are made from. */
import type { Chain } from '../chains.ts'
import type { Rule } from '../rules.ts'
import { builtinChains } from './names.ts'
import type { IptablesFamily } from './rule.ts'

export interface IptablesTable {
  /** filter, nat, mangle, raw or security. */
  table: string
  /** At least those of this table; others are passed over. */
  chains: readonly Chain[]
  rules: readonly Rule[]
}

/** The table's own chains in their order, there or not, then the users' by name. */
export function sortChains(table: string, chains: readonly Chain[]): { name: string, chain: Chain | undefined }[] {
  const builtin = builtinChains[table] ?? []
  const byName = new Map(chains.filter(chain => chain.table === table).map(chain => [chain.name, chain]))
  const users = [...byName.keys()].filter(name => !builtin.includes(name)).sort()
  return [...builtin, ...users].map(name => ({ name, chain: byName.get(name) }))
}

export function rulesOf(table: string, chain: string, rules: readonly Rule[]): Rule[] {
  return rules.filter(rule => rule.table === table && rule.chain === chain)
}

export function isBuiltin(table: string, name: string): boolean {
  return builtinChains[table]?.includes(name) === true
}

export function policyOf(chain: Chain | undefined): string {
  return chain?.policy === 'drop' ? 'DROP' : 'ACCEPT'
}

export function iptablesFamily({ family }: { family: string }): IptablesFamily {
  return family === 'ip6' ? 'ip6' : 'ip'
}
