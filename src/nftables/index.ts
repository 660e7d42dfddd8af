/**
 * `virbr/nftables`: what `host.firewall.commit` takes. Tables, chains and rules as requests; statements that read like
 * nft's; rules in the form of iptables-nft, and its listings. An entry of its own, so that `import 'virbr'` stays quick.
 */
export { addChain, deleteChain, flushChain } from './chains.ts'
export type { AddChain, Chain, ChainRef, DeleteChain, Hook, Policy } from './chains.ts'
export type { Expression, KnownExpression, RawExpression } from './expressions.ts'
export { formatIptablesList } from './iptables/list.ts'
export { iptablesRule } from './iptables/rule.ts'
export type { IptablesFamily, IptablesRule, IptablesTarget } from './iptables/rule.ts'
export { formatIptablesSave, formatIptablesSaveTable } from './iptables/save.ts'
export type { IptablesTable } from './iptables/table.ts'
export type { Family, NftRequest } from './messages.ts'
export { addRule, deleteRule, jumpTarget } from './rules.ts'
export type { AddRule, Rule, RuleChain, RuleRef } from './rules.ts'
export * from './vocabulary/index.ts'
export { addTable, deleteTable } from './tables.ts'
export type { AddTable, DeleteTable, Table, TableRef } from './tables.ts'
export { ruleToNft, rulesetToNft } from './text/ruleset.ts'
export type { Ruleset } from './text/ruleset.ts'
export type { FilledSet } from './text/rule.ts'
