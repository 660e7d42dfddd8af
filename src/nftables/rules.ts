/** nf_tables rules. Source: nft(8) "RULES", linux/netfilter/nf_tables.h (enum nft_rule_attributes). */
import { check, fieldsOf, isOn } from '../checks.ts'
import { be32, beCounter64, raw, string } from '../netlink/codecs.ts'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE } from '../netlink/constants.ts'
import type { Message } from '../netlink/message.ts'
import { attributes, list } from '../netlink/table.ts'
import type { Values } from '../netlink/table.ts'
import { aHandle } from './codecs.ts'
import {
  NFTA_LIST_ELEM, NFTA_RULE_CHAIN, NFTA_RULE_CHAIN_ID, NFTA_RULE_COMPAT, NFTA_RULE_COMPAT_FLAGS, NFTA_RULE_COMPAT_PROTO,
  NFTA_RULE_EXPRESSIONS, NFTA_RULE_HANDLE, NFTA_RULE_ID, NFTA_RULE_POSITION, NFTA_RULE_POSITION_ID, NFTA_RULE_TABLE,
  NFTA_RULE_USERDATA, NFT_MSG_DELRULE, NFT_MSG_GETRULE, NFT_MSG_NEWRULE, NFT_NAME_MAXLEN, NFT_RULE_COMPAT_F_INV,
} from './constants.ts'
import { compileWords } from './compile.ts'
import type { RuleWords } from './compile.ts'
import { expression, expressionsOf, isExpression } from './expressions.ts'
import type { Expression } from './expressions.ts'
import { DUMP, familyOf, filterOf, nftRequest, refOf } from './messages.ts'
import type { Family, NftRequest } from './messages.ts'
import { decodeUserdata, encodeUserdata } from './userdata.ts'
import type { Userdata } from './userdata.ts'
import type { AnonymousSet, Expected } from './vocabulary/parts.ts'

const name = string(NFT_NAME_MAXLEN - 1)

export const ruleAttributes = attributes({
  table: [NFTA_RULE_TABLE, name],
  chain: [NFTA_RULE_CHAIN, name],
  handle: [NFTA_RULE_HANDLE, beCounter64],
  expressions: [NFTA_RULE_EXPRESSIONS, list(NFTA_LIST_ELEM, expression)],
  compat: [NFTA_RULE_COMPAT, attributes({
    protocol: [NFTA_RULE_COMPAT_PROTO, be32],
    flags: [NFTA_RULE_COMPAT_FLAGS, be32],
  })],
  position: [NFTA_RULE_POSITION, beCounter64],
  userdata: [NFTA_RULE_USERDATA, raw],
  id: [NFTA_RULE_ID, be32],
  positionId: [NFTA_RULE_POSITION_ID, be32],
  chainId: [NFTA_RULE_CHAIN_ID, be32],
})
export type RuleEntries = typeof ruleAttributes.entries

export interface Rule extends Userdata {
  family: Family
  table: string
  chain: string
  handle: number
  /** Handle of the rule before it. */
  position?: number | undefined
  expressions: Expression[]
  /** All records, of which `comment`, `owner` and `records` are the reading. */
  userdata?: Uint8Array | undefined
}

export interface RuleChain {
  family: Family
  table: string
  chain: string
}

export interface AddRule extends RuleChain, Userdata {
  /** In order: the words of the vocabulary, and single expressions. */
  expressions: RuleWords
  /** At the head of the chain, or with `position` or `near` before that rule. Default: at the end, or behind that rule. */
  insert?: boolean
  /** Handle of a rule of the same chain. */
  position?: number
  /** A rule of the same batch, in the same chain, instead of `position`: the request that adds it. */
  near?: NftRequest
  /** Records already encoded, instead of `comment`, `owner` and `records`. */
  userdata?: Uint8Array
}

const ruleFields: ReadonlySet<string> = new Set([
  'family', 'table', 'chain', 'expressions', 'insert', 'position', 'near', 'comment', 'owner', 'records', 'userdata', 'handle',
])

/** Adds a rule. */
export function addRule(rule: AddRule): NftRequest<RuleEntries> {
  const { family, table, chain, insert, position, near } = refOf('rule', rule, ruleFields)
  const before = isOn('insert', insert)
  const flags = NLM_F_CREATE | (before ? 0 : NLM_F_APPEND)
  return ruleRequest(rule, flags, { position }, `${before ? 'insert' : 'add'} rule ${family} ${table} ${chain}`, near)
}

export interface ReplaceRule extends Omit<AddRule, 'insert' | 'position' | 'near'> {
  handle: number
}

/** Puts a rule in the place of another. It has a handle of its own. */
export function replaceRule(rule: ReplaceRule): NftRequest<RuleEntries> {
  const { family, table, chain, handle } = refOf('rule', rule, ruleFields)
  check('handle', handle, aHandle)
  return ruleRequest(rule, NLM_F_REPLACE, { handle }, `replace rule ${family} ${table} ${chain} handle ${handle}`)
}

function ruleRequest(
  rule: Omit<AddRule, 'insert' | 'position'>, flags: number, place: { handle?: number, position?: number | undefined },
  operation: string, near?: NftRequest,
): NftRequest<RuleEntries> {
  const { family, table, chain } = rule
  const compiled = compileWords(family, rule.expressions)
  const anonymous: { at: number, set: AnonymousSet }[] = []
  const lookups: { at: number, expects: Expected }[] = []
  const expressions = compiled.map((each, at): Expression => {
    // Only these have more than an expression.
    if (each.name !== 'lookup' && each.name !== 'objref' && each.name !== 'dynset') return each
    const { anonymous: set, expects, ...expression } = each as Expression & { anonymous?: AnonymousSet, expects?: Expected }
    if (set !== undefined) anonymous.push({ at, set })
    else if (expects !== undefined) lookups.push({ at, expects })
    else return each
    return expression as Expression
  })
  const { userdata = encodeUserdata(rule) } = rule
  const values = { table, chain, ...place, expressions, compat: compatOf(expressions), userdata }
  const request = nftRequest(NFT_MSG_NEWRULE, flags, family, ruleAttributes, values, operation)
  if (anonymous.length > 0) request.anonymous = anonymous
  if (lookups.length > 0) request.lookups = lookups
  if (near !== undefined) request.reference = fieldsOf('near', near)
  return request
}

export interface RuleRef extends RuleChain {
  handle: number
}

/** Deletes one rule. */
export function deleteRule(rule: RuleRef): NftRequest<RuleEntries> {
  const { family, table, chain, handle } = refOf('rule', rule)
  check('handle', handle, aHandle)
  const operation = `delete rule ${family} ${table} ${chain} handle ${handle}`
  return nftRequest(NFT_MSG_DELRULE, 0, family, ruleAttributes, { table, chain, handle }, operation)
}

/** Rules of a family, table or chain; the kernel filters. */
export function listRules(filter: Partial<RuleChain>): NftRequest<RuleEntries> {
  const { family, table, chain } = filterOf(filter)
  const operation = ['list rules', family, table, chain].filter(part => part !== undefined).join(' ')
  return nftRequest(NFT_MSG_GETRULE, DUMP, family, ruleAttributes, { table, chain }, operation)
}

export function decodeRule(message: Message): Rule {
  const attributes = message.attributes as Values<RuleEntries>
  const { table = '', chain = '', handle = 0, position, expressions = [], userdata } = attributes
  const rule: Rule = { family: familyOf(message), table, chain, handle, position, expressions }
  return userdata === undefined ? rule : { ...rule, userdata, ...decodeUserdata(userdata) }
}

/** The chain that a rule jumps to (not: goes to), if it does. */
export function jumpTarget(rule: Pick<Rule, 'expressions'>): string | undefined {
  for (const each of expressionsOf(rule)) {
    const verdict = isExpression(each, 'immediate') ? each.data.data?.verdict : undefined
    if (verdict?.code === 'jump') return verdict.chain
  }
  return undefined
}

/**
 * What iptables' extensions in a rule are told about it: some (REJECT --reject-with tcp-reset, the tcp and udp matches)
 * refuse a rule that is not for their protocol, and the kernel does not look for it among the expressions.
 */
function compatOf(expressions: readonly Expression[]): { protocol: number, flags: number } | undefined {
  if (!expressions.some(({ name }) => name === 'match' || name === 'target')) return undefined
  const load = expressions.findIndex(each => isExpression(each, 'meta') && each.data.key === 'l4proto')
  const comparison = load < 0 ? undefined : expressions[load + 1]
  if (!isExpression(comparison, 'cmp')) return { protocol: 0, flags: 0 }
  const protocol = comparison.data.data?.value?.[0] ?? 0
  return { protocol, flags: comparison.data.op === 'neq' ? NFT_RULE_COMPAT_F_INV : 0 }
}
