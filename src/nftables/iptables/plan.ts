/**
 * Commands of iptables carried out on a ruleset that was read: what they come to is one batch. Rules that stay are not
 * touched, so others' rules keep their handles, order and counters.
 */
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import type { AnyRequest } from '../../netlink/message.ts'
import { addChain, deleteChain, flushChain } from '../chains.ts'
import type { Chain } from '../chains.ts'
import { addRule, deleteRule } from '../rules.ts'
import type { Rule } from '../rules.ts'
import { addTable, deleteTable } from '../tables.ts'
import type { Table } from '../tables.ts'
import { builtinChains, checkTableName } from './names.ts'
import type { IptablesCommand } from './commands.ts'
import { readRule } from './read.ts'
import { checkChainName, iptablesRule } from './rule.ts'
import type { Counters, IptablesRule } from './rule.ts'
import { isIptablesChain } from './table.ts'
import { ruleSave } from './text.ts'
import type { IpSet, IptablesFamily } from './values.ts'

/** What the kernel holds of one family. */
export interface IptablesState {
  tables: readonly Table[]
  chains: readonly Chain[]
  rules: readonly Rule[]
  /** The sets of ipset that rules name, those to be written and those that are there. */
  sets?: readonly IpSet[]
}

/** A rule that stays, or a new one. */
interface Item {
  rule?: Rule
  expressions: Rule['expressions']
  owner?: string | undefined
}

interface ModelChain {
  /** As it is in the kernel. */
  chain?: Chain
  /** Set by this batch. */
  policy?: 'ACCEPT' | 'DROP'
  counters?: Counters | undefined
  items: Item[]
}

interface ModelTable {
  existing: boolean
  chains: Map<string, ModelChain>
  /** Chains of the kernel that go. */
  gone: Chain[]
  /** The table is made anew. */
  replaced: boolean
}

export interface PlanOptions {
  /** UUID that new rules carry. */
  owner?: string | undefined
}

export class Plan {
  readonly #family: IptablesFamily
  readonly #state: IptablesState
  readonly #tables = new Map<string, ModelTable>()

  constructor(family: IptablesFamily, state: IptablesState) {
    this.#family = family
    this.#state = state
  }

  apply(command: IptablesCommand, { owner }: PlanOptions = {}): void {
    const { table, chain: name = '', number, rules, policy, newName = '' } = command
    const items = (): Item[] => rules.map(rule => this.#item(rule, command, owner))
    switch (command.command) {
      case 'append': return void this.#builtOrOwn(table, name).items.push(...items())
      case 'insert': {
        const chain = this.#builtOrOwn(table, name)
        return void chain.items.splice(this.#place(number ?? 1, chain.items.length + 1), 0, ...items())
      }
      case 'replace': return void this.#chain(table, name).items.splice(this.#indexOf(table, name, number), 1, ...items())
      case 'delete': return number === undefined ? this.#deleteAll(table, name, items()) : void this.#chain(table, name).items.splice(this.#indexOf(table, name, number), 1)
      case 'check': return items().forEach(item => { this.#find(table, name, item) })
      case 'newChain': return this.#newChain(table, name)
      case 'deleteChain': return command.chain === undefined ? this.#deleteUsersChains(table) : this.#deleteChain(table, name)
      case 'renameChain': return this.#rename(table, name, newName)
      case 'flush': return this.#each(table, command.chain, chain => { chain.items = [] })
      case 'zero': return this.#each(table, command.chain, chain => { zeroChain(chain, number) })
      case 'policy': {
        if (builtinChains[table]?.[name] === undefined) throw new InvalidArgumentError('chain', name, `a built-in chain of ${table}: ${Object.keys(builtinChains[table] ?? {}).join(', ')}`)
        this.#builtOrOwn(table, name).policy = policy ?? 'ACCEPT'
      }
    }
  }

  /** Takes all rules with this owner out of the table; how many. */
  deleteOwned(table: string, owner: string): number {
    let deleted = 0
    this.#each(table, undefined, chain => {
      const kept = chain.items.filter(item => (item.rule?.owner ?? item.owner) !== owner.toLowerCase())
      deleted += chain.items.length - kept.length
      chain.items = kept
    })
    return deleted
  }

  /** An empty table in its place, as iptables-restore begins. */
  replaceTable(table: string): void {
    const model = this.#table(table)
    Object.assign(model, { replaced: model.existing, chains: new Map(), gone: [] })
  }

  /** `:NAME POLICY` of iptables-restore: made if it is missing, a user's chain emptied. */
  declareChain(table: string, name: string, policy: 'ACCEPT' | 'DROP' | undefined, counters?: Counters): void {
    if (builtinChains[table]?.[name] === undefined) {
      if (!this.#table(table).chains.has(name)) this.#newChain(table, name)
      this.#chain(table, name).items = []
    } else Object.assign(this.#builtOrOwn(table, name), { policy: policy ?? 'ACCEPT', counters })
  }

  /** The batch; empty if nothing changes. Throws InvalidArgumentError for a jump to a chain that is not there. */
  requests(): AnyRequest[] {
    return [...this.#tables].flatMap(([name, model]) => this.#tableRequests(name, model))
  }

  #tableRequests(table: string, model: ModelTable): AnyRequest[] {
    const family = this.#family
    const chains = [...model.chains]
    for (const [, { items }] of chains) for (const item of items) this.#checkJump(table, model, item)
    const existing = (chain: ModelChain): Chain | undefined => (model.replaced ? undefined : chain.chain)
    const requests: AnyRequest[] = [
      ...(model.replaced ? [deleteTable({ family, name: table })] : []),
      ...chains.flatMap(([name, chain]) => this.#chainRequests(table, name, chain, existing(chain))),
      ...chains.flatMap(([name, chain]) => this.#ruleRequests(table, name, chain, model)),
      ...model.gone.flatMap(({ name }) => [flushChain({ family, table, name })]),
      ...model.gone.map(({ name }) => deleteChain({ family, table, name })),
    ]
    const makesTable = !model.existing || model.replaced
    if (!makesTable || (requests.length === 0 && chains.length === 0)) return requests
    const at = model.replaced ? 1 : 0
    return [...requests.slice(0, at), addTable({ family, name: table }), ...requests.slice(at)]
  }

  #chainRequests(table: string, name: string, { policy, counters }: ModelChain, existing: Chain | undefined): AnyRequest[] {
    const family = this.#family
    const base = builtinChains[table]?.[name]
    const said = {
      ...(counters === undefined || base === undefined ? {} : { counters }),
      ...(policy === undefined && existing !== undefined ? {} : { policy: policy === 'DROP' ? 'drop' as const : 'accept' as const }),
    }
    if (existing !== undefined) {
      const changed = counters !== undefined || (policy !== undefined && (existing.policy === 'drop' ? 'DROP' : 'ACCEPT') !== policy)
      return changed && base !== undefined ? [addChain({ family, table, name, ...base, ...said })] : []
    }
    return [addChain({ family, table, name, ...base, ...(base === undefined ? {} : said) })]
  }

  /** New rules before the next one that stays, or at the end; then those that go. */
  #ruleRequests(table: string, chain: string, { items }: ModelChain, model: ModelTable): AnyRequest[] {
    const family = this.#family
    const before = model.replaced ? [] : this.#rulesOf(table, chain)
    const kept = new Set(items.flatMap(({ rule }) => (rule === undefined ? [] : [rule])))
    const requests: AnyRequest[] = before.filter(rule => !kept.has(rule)).map(({ handle }) => deleteRule({ family, table, chain, handle }))
    items.forEach(({ rule, expressions, owner }, index) => {
      if (rule !== undefined) return
      const next = items.slice(index).find(item => item.rule !== undefined)?.rule
      const place = next === undefined ? {} : { insert: true, position: next.handle }
      requests.push(addRule({ family, table, chain, expressions, ...place, ...(owner === undefined ? {} : { owner }) }))
    })
    // New ones refer to rules that stay, never to those that go: the order between both does not matter.
    return requests
  }

  #rulesOf(table: string, chain: string): Rule[] {
    return this.#state.rules.filter(rule => rule.table === table && rule.chain === chain)
  }

  #table(name: string): ModelTable {
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    checkTableName(name)
    const table = this.#state.tables.find(each => each.name === name)
    if (table?.owner !== undefined) {
      throw new InvalidArgumentError('table', name, `a table that is not owned by another process (netlink port ${table.owner})`)
    }
    const chains = this.#state.chains.filter(chain => chain.table === name)
    const strange = chains.find(chain => builtinChains[name]?.[chain.name] !== undefined && !isIptablesChain(chain))
    if (strange !== undefined) {
      throw new InvalidArgumentError('table', name, `a table whose chain ${strange.name} is as iptables makes it (somebody gave it another hook, type or priority)`)
    }
    const model: ModelTable = {
      existing: table !== undefined,
      chains: new Map(chains.filter(isIptablesChain).map(chain => [chain.name, {
        chain, items: this.#rulesOf(name, chain.name).map(rule => ({ rule, expressions: rule.expressions })),
      }])),
      gone: [],
      replaced: false,
    }
    this.#tables.set(name, model)
    return model
  }

  #chain(table: string, name: string): ModelChain {
    const { chains } = this.#table(table)
    const found = chains.get(name)
    if (found !== undefined) return found
    if (builtinChains[table]?.[name] !== undefined) return { items: [] }
    const names = [...new Set([...Object.keys(builtinChains[table] ?? {}), ...chains.keys()])]
    throw new InvalidArgumentError('chain', name, `a chain of table ${table}: ${names.join(', ')}${didYouMean(name, names)}`)
  }

  /** A built-in chain is made when it is first needed. */
  #builtOrOwn(table: string, name: string): ModelChain {
    const chain = this.#chain(table, name)
    this.#table(table).chains.set(name, chain)
    return chain
  }

  #each(table: string, name: string | undefined, change: (chain: ModelChain) => void): void {
    const chains = name === undefined ? [...this.#table(table).chains.values()] : [this.#chain(table, name)]
    chains.forEach(change)
  }

  #newChain(table: string, name: string): void {
    const { chains } = this.#table(table)
    if (chains.has(checkChainName('chain', name)) || builtinChains[table]?.[name] !== undefined) {
      throw new InvalidArgumentError('chain', name, `a name that no chain of table ${table} has`)
    }
    chains.set(name, { items: [] })
  }

  #usersOf(table: string): [string, ModelChain][] {
    return [...this.#table(table).chains].filter(([name]) => builtinChains[table]?.[name] === undefined)
  }

  #deleteChain(table: string, name: string): void {
    const chain = this.#chain(table, name)
    const { chains, gone } = this.#table(table)
    if (builtinChains[table]?.[name] !== undefined) throw new InvalidArgumentError('chain', name, 'a user’s chain: built-in ones stay')
    if (chain.items.length > 0) throw new InvalidArgumentError('chain', name, `an empty chain: it has ${chain.items.length} rules`)
    const user = [...chains].find(([, { items }]) => items.some(item => jumpOf(item.expressions) === name))
    if (user !== undefined) throw new InvalidArgumentError('chain', name, `a chain that no rule jumps to: one of ${user[0]} does`)
    chains.delete(name)
    if (chain.chain !== undefined) gone.push(chain.chain)
  }

  #deleteUsersChains(table: string): void {
    for (const [name] of this.#usersOf(table)) this.#deleteChain(table, name)
  }

  /** A chain of the new name with the same rules; jumps follow. */
  #rename(table: string, name: string, newName: string): void {
    const chain = this.#chain(table, name)
    if (builtinChains[table]?.[name] !== undefined) throw new InvalidArgumentError('chain', name, 'a user’s chain')
    this.#newChain(table, newName)
    const { chains, gone } = this.#table(table)
    chains.set(newName, { items: chain.items.map(({ rule, expressions, owner }) => ({ expressions, owner: rule?.owner ?? owner })) })
    chains.delete(name)
    if (chain.chain !== undefined) gone.push(chain.chain)
    for (const other of chains.values()) {
      other.items = other.items.map(item => (jumpOf(item.expressions) === name ? {
        expressions: renamed(item.expressions, newName), owner: item.rule?.owner ?? item.owner,
      } : item))
    }
  }

  #item(rule: IptablesRule, { table, chain, counters }: IptablesCommand, owner: string | undefined): Item {
    const expressions = iptablesRule({ ...rule, family: this.#family, table, chain, sets: this.#state.sets, counters })
    return { expressions, owner: owner?.toLowerCase() }
  }

  /** From a number that counts from 1. */
  #place(number: number | undefined, last: number): number {
    if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= last) return number - 1
    throw new InvalidArgumentError('number', number, last < 1 ? 'no number: the chain has no rules' : `a number from 1 to ${last}`)
  }

  #indexOf(table: string, name: string, number: number | undefined): number {
    return this.#place(number, this.#chain(table, name).items.length)
  }

  #deleteAll(table: string, name: string, items: readonly Item[]): void {
    for (const item of items) this.#chain(table, name).items.splice(this.#find(table, name, item), 1)
  }

  /** The first rule that says the same, whoever wrote it. */
  #find(table: string, name: string, wanted: Item): number {
    const text = this.#text(wanted)
    const index = this.#chain(table, name).items.findIndex(item => this.#text(item) === text)
    if (index < 0) throw new InvalidArgumentError('rule', text, `a rule of chain ${name} in table ${table}`, 'ERR_NO_RULE')
    return index
  }

  #text({ expressions }: Item): string {
    return ruleSave(this.#family, readRule(this.#family, { expressions }, this.#state.sets))
  }

  #checkJump(table: string, { chains }: ModelTable, { rule, expressions }: Item): void {
    const target = rule === undefined ? jumpOf(expressions) : undefined
    if (target === undefined || (chains.has(target) && builtinChains[table]?.[target] === undefined)) return
    const names = [...chains.keys()].filter(name => builtinChains[table]?.[name] === undefined)
    throw new InvalidArgumentError('target', target, `a target, or a user’s chain of table ${table}${names.length === 0 ? '' : `: ${names.join(', ')}`}${didYouMean(target, [...names, 'ACCEPT', 'DROP', 'RETURN', 'REJECT', 'MASQUERADE', 'SNAT', 'DNAT'])}`)
  }
}

function jumpOf(expressions: Rule['expressions']): string | undefined {
  const { target } = readRule('ip', { expressions })
  return target?.jump === true ? target.name : undefined
}

function renamed(expressions: Rule['expressions'], chain: string): Rule['expressions'] {
  return expressions.map(each => {
    const data = each.name === 'immediate' ? each.data as { data?: { verdict?: object } } | undefined : undefined
    if (data?.data?.verdict === undefined) return each
    return { ...each, data: { ...data, data: { verdict: { ...data.data.verdict, chain } } } } as typeof each
  })
}

/** Of a built-in chain the policy's own counters too, where the kernel keeps some. */
function zeroChain(chain: ModelChain, number: number | undefined): void {
  chain.items = chain.items.map((item, index) => (number === undefined || index + 1 === number ? withoutCounters(item) : item))
  if (number === undefined && chain.chain?.counters !== undefined) chain.counters = { packets: 0, bytes: 0 }
}

function withoutCounters({ rule, expressions, owner }: Item): Item {
  const zero: Counters = { packets: 0, bytes: 0 }
  const zeroed = expressions.map(each => (each.name === 'counter' ? { name: 'counter' as const, data: { bytes: zero.bytes, packets: zero.packets } } : each))
  return { expressions: zeroed, owner: rule?.owner ?? owner }
}
