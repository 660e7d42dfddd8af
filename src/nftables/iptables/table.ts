/** What both of iptables' listings of a table are made from. */
import type { Chain } from '../chains.ts'
import type { Rule } from '../rules.ts'
import { fieldsOf, listOf } from '../../checks.ts'
import { expressionsOf } from '../expressions.ts'
import { builtinChains, checkTableName } from './names.ts'
import { readRule } from './read.ts'
import type { ReadRule } from './read.ts'
import type { IpSet, IptablesFamily } from './values.ts'

export interface IptablesTable {
  /** filter, nat, mangle, raw or security. */
  table: string
  /** At least those of this table; others are passed over. */
  chains: readonly Chain[]
  rules: readonly Rule[]
  /** The sets of ipset that the rules hold by number; a part whose set is not among them is printed as unknown. */
  sets?: readonly IpSet[] | undefined
}

/** The same, looked through: what `formatIptables…` are given. */
export function checkTable(given: IptablesTable): IptablesTable {
  const { table, chains, rules } = fieldsOf('table', given)
  checkTableName(table)
  listOf('chains', chains).forEach((chain, index) => { fieldsOf(`chains[${index}]`, chain) })
  listOf('rules', rules).forEach((rule, index) => { expressionsOf(rule, `rules[${index}]`) })
  return given
}

/** The table's own chains in their order, there or not, then the users' by name. */
export function sortChains({ table, chains }: Pick<IptablesTable, 'table' | 'chains'>): { name: string, chain: Chain | undefined }[] {
  const builtin = Object.keys(builtinChains[table] ?? {})
  // iptables knows no base chains but its own, and those only where they hang as it hangs them.
  const ours = chains.filter(chain => chain.table === table && isIptablesChain(chain))
  const byName = new Map(ours.map(chain => [chain.name, chain]))
  const users = [...byName.keys()].filter(name => !builtin.includes(name)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return [...builtin, ...users].map(name => ({ name, chain: byName.get(name) }))
}

/** A user's chain, or a base chain just as iptables makes it. */
export function isIptablesChain({ table, name, hook, priority, type }: Chain): boolean {
  const base = builtinChains[table]?.[name]
  return base === undefined ? hook === undefined : base.hook === hook && base.priority === priority && base.type === type
}

export function readRules(
  { table, chains, rules, sets }: IptablesTable, chain: string,
): { rule: Rule, family: IptablesFamily, read: ReadRule }[] {
  const found = chains.find(each => each.table === table && each.name === chain)
  if (found !== undefined && !isIptablesChain(found)) return []
  return rules.filter(rule => rule.table === table && rule.chain === chain).map(rule => {
    const family = iptablesFamily(rule)
    return { rule, family, read: readRule(family, rule, sets) }
  })
}

/** The comment that the iptables tools print in place of, or above, such a table; none for theirs. */
export function incompatibility(given: IptablesTable): string[] {
  const { table, chains } = given
  if (sortChains(given).some(({ name }) => readRules(given, name).some(({ read }) => read.foreign))) {
    return [`# Table \`${table}' is incompatible, use 'nft' tool.`]
  }
  const strange = chains.some(chain => chain.table === table && !isIptablesChain(chain))
  return strange ? [`# Table \`${table}' contains incompatible base-chains, use 'nft' tool to list them.`] : []
}

export function isBuiltin(table: string, name: string): boolean {
  return Object.hasOwn(builtinChains[table] ?? {}, name)
}

export function policyOf(chain: Chain | undefined): 'ACCEPT' | 'DROP' {
  return chain?.policy === 'drop' ? 'DROP' : 'ACCEPT'
}

export function iptablesFamily({ family }: { family: string }): IptablesFamily {
  return family === 'ip6' ? 'ip6' : 'ip'
}
