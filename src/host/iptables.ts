/** The tables of iptables-nft, as iptables(8) reads and changes them, in this process. */
import { constants } from 'node:os'
import type { ReadFileStep } from '../../binding/index.ts'
import { aBoolean, aString, aText, check, checkGiven, fieldsOf, isOn, listOf, wholeNumber } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { Replies } from '../netlink/message.ts'
import { isGenerationConflict } from '../nftables/batch.ts'
import type { Chain } from '../nftables/chains.ts'
import { formatIptablesList } from '../nftables/iptables/list.ts'
import type { IptablesListOptions } from '../nftables/iptables/list.ts'
import { aFamily, checkTableName, tableNames } from '../nftables/iptables/names.ts'
import type { IptablesTableName } from '../nftables/iptables/names.ts'
import { parseIptablesCommand, parseIptablesRule } from '../nftables/iptables/parse.ts'
import type { IptablesCommand } from '../nftables/iptables/commands.ts'
import { Plan } from '../nftables/iptables/plan.ts'
import { ruleOf } from '../nftables/iptables/read.ts'
import { parseIptablesRestore } from '../nftables/iptables/restore.ts'
import type { Counters, IptablesRule } from '../nftables/iptables/rule.ts'
import { formatIptablesRules, formatIptablesSaveTable } from '../nftables/iptables/save.ts'
import type { ListRulesOptions } from '../nftables/iptables/save.ts'
import { getExtension, refusal, refusedExtension } from '../nftables/iptables/support.ts'
import { readRules, sortChains } from '../nftables/iptables/table.ts'
import { ruleSave } from '../nftables/iptables/text.ts'
import type { IptablesFamily } from '../nftables/iptables/values.ts'
import { failure, firewallReadStep, firewallStep } from './channel.ts'
import type { Channel, RequestStep } from './channel.ts'
import { readState } from './iptables-state.ts'
import type { IptablesReading } from './iptables-state.ts'

export interface IptablesWhere {
  /** Default ip. */
  family?: IptablesFamily | undefined
  /** Default filter. */
  table?: IptablesTableName | undefined
}

export interface IptablesWrite extends IptablesWhere {
  /** UUID that the rule carries beside its expressions, for `deleteOwned`. */
  owner?: string | undefined
  counters?: Counters | undefined
}

export interface IptablesRuleInfo {
  chain: string
  /** Its place in the chain, from 1. */
  number: number
  handle: number
  rule: IptablesRule
  /** As iptables-save prints it, behind the chain. */
  text: string
  counters: Counters
  owner?: string | undefined
}

/** What a write came to. */
export interface IptablesResult {
  /** Tables of the older, setsockopt iptables in this namespace: their rules apply too, and are not shown here. */
  legacyTables: string[]
}

/** How often a batch is made anew because somebody else changed the ruleset meanwhile. */
const TRIES = 20

/** `host.iptables`. Needs CAP_NET_ADMIN, for reading too. Rules are text as on a command line, or objects. */
export class Iptables {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** A table as `iptables -L -nv` prints it. */
  async list(where: IptablesWhere & IptablesListOptions = {}): Promise<string> {
    const { family, table, ...options } = whereOf(where)
    const state = await this.#readTable(family, table, options.chain)
    return formatIptablesList({ table, ...state }, options)
  }

  /** A table as `iptables -S` prints it. */
  async listRules(where: IptablesWhere & ListRulesOptions = {}): Promise<string> {
    const { family, table, ...options } = whereOf(where)
    const state = await this.#readTable(family, table, options.chain)
    return formatIptablesRules({ table, ...state }, options)
  }

  /** As iptables-save prints them, without its comments: one table, or all that there are. */
  async save(where: IptablesWhere & { counters?: boolean } = {}): Promise<string> {
    const { family, ...options } = whereOf(where)
    const counters = isOn('counters', options.counters)
    const { table } = where
    const state = await readState(this.#channel, family)
    return tableNames.filter(name => (table ?? name) === name && state.tables.some(each => each.name === name))
      .map(name => formatIptablesSaveTable({ table: name, ...state }, { counters })).join('')
  }

  /** Rules of a table or of one of its chains, in order. */
  async rules(where: IptablesWhere & { chain?: string | undefined } = {}): Promise<IptablesRuleInfo[]> {
    const { family, table, chain } = whereOf(where)
    const given = { table, ...await this.#readTable(family, table, chain) }
    return sortChains(given).filter(({ name }) => chain === undefined || name === chain).flatMap(({ name }) =>
      readRules(given, name).map(({ rule, read }, index) => ({
        chain: name, number: index + 1, handle: rule.handle, rule: ruleOf(read), text: ruleSave(family, read),
        counters: read.counters, owner: rule.owner,
      })))
  }

  /** Chains of a table: the built-in ones that there are, then the users' by name. */
  async chains(where: IptablesWhere = {}): Promise<Chain[]> {
    const { family, table } = whereOf(where)
    const { chains } = await this.#readTable(family, table, undefined)
    return sortChains({ table, chains }).flatMap(({ chain }) => (chain === undefined ? [] : [chain]))
  }

  append(chain: string, rule: IptablesRule | string, where: IptablesWrite = {}): Promise<IptablesResult> {
    return this.#one('append', chain, rule, where)
  }

  /** Before the rule with this number; default 1, the head of the chain. */
  insert(chain: string, rule: IptablesRule | string, where: IptablesWrite & { number?: number } = {}): Promise<IptablesResult> {
    return this.#one('insert', chain, rule, where)
  }

  async replace(chain: string, number: number, rule: IptablesRule | string, where: IptablesWrite = {}): Promise<IptablesResult> {
    return this.#one('replace', chain, rule, { ...fieldsOf('options', where), number })
  }

  /** By number, or the first rule that says the same: ERR_NO_RULE if none does. */
  async delete(chain: string, rule: IptablesRule | string | number, where: IptablesWhere = {}): Promise<IptablesResult> {
    if (typeof rule !== 'number') return this.#one('delete', chain, rule, where)
    const { family, table } = whereOf(where)
    check('chain', chain, aText)
    return this.#commands(family, [{ command: 'delete', table, chain, number: rule, rules: [] }], {})
  }

  /** Whether the chain has a rule that says this. */
  async check(chain: string, rule: IptablesRule | string, where: IptablesWhere = {}): Promise<boolean> {
    const { family, table } = whereOf(where)
    check('chain', chain, aText)
    const command: IptablesCommand = { command: 'check', table, chain, rules: [parsed(rule, family, table, chain)] }
    const state = await readState(this.#channel, family, [command])
    try {
      new Plan(family, state).apply(command)
      return true
    } catch (error) {
      if (error instanceof InvalidArgumentError && error.code === 'ERR_NO_RULE') return false
      throw error
    }
  }

  newChain(chain: string, where: IptablesWhere = {}): Promise<IptablesResult> {
    return this.#simple('newChain', chain, where)
  }

  /** An empty chain that nothing jumps to; left out: all such that users made. */
  deleteChain(chain?: string, where: IptablesWhere = {}): Promise<IptablesResult> {
    return this.#simple('deleteChain', chain, where)
  }

  /** All rules of a chain, or of every chain of the table. */
  flush(chain?: string, where: IptablesWhere = {}): Promise<IptablesResult> {
    return this.#simple('flush', chain, where)
  }

  /** Sets the counters of a chain's rules and policy, or of every chain's, to zero. */
  zero(chain?: string, where: IptablesWhere = {}): Promise<IptablesResult> {
    return this.#simple('zero', chain, where)
  }

  async policy(chain: string, policy: 'ACCEPT' | 'DROP', where: IptablesWhere = {}): Promise<IptablesResult> {
    const { family, table } = whereOf(where)
    check('chain', chain, aText)
    if (policy !== 'ACCEPT' && policy !== 'DROP') throw new InvalidArgumentError('policy', policy, 'ACCEPT or DROP')
    return this.#commands(family, [{ command: 'policy', table, chain, policy, rules: [] }], {})
  }

  /** Every rule with this owner, in all tables of the family; how many there were. */
  async deleteOwned(owner: string, where: Pick<IptablesWhere, 'family'> = {}): Promise<number> {
    const { family } = whereOf(where)
    check('owner', owner, aString)
    let deleted = 0
    await this.#change(family, [], (plan, { tables }) => {
      const names = tableNames.filter(name => tables.some(table => table.name === name))
      deleted = names.reduce((sum, name) => sum + plan.deleteOwned(name, owner), 0)
    })
    return deleted
  }

  /** Commands as on a command line (`-t nat -A POSTROUTING …`), in order, all or none. */
  async commit(commands: readonly string[], where: IptablesWrite = {}): Promise<IptablesResult> {
    const { family, table, owner } = whereOf(where)
    return this.#commands(family, listOf('commands', commands).map(text => parseIptablesCommand(text, { family, table })), { owner })
  }

  /** A text of iptables-save, all or none. Its tables are replaced, others' rules too; with `noflush` added to. */
  async restore(text: string, options: { family?: IptablesFamily, noflush?: boolean, counters?: boolean } = {}): Promise<IptablesResult> {
    const { family, noflush = false, counters } = whereOf(options)
    const tables = parseIptablesRestore(text, { family, counters: isOn('counters', counters) })
    return this.#change(family, tables.flatMap(({ commands }) => commands), plan => {
      for (const { table, chains, commands } of tables) {
        if (!noflush) plan.replaceTable(table)
        for (const { name, policy, counters: counted } of chains) plan.declareChain(table, name, policy, counted)
        for (const command of commands) plan.apply(command)
      }
    })
  }

  /** Tables of the older, setsockopt iptables that are in use in this namespace. They are not read or written here. */
  async legacyTables(where: Pick<IptablesWhere, 'family'> = {}): Promise<string[]> {
    const { family } = whereOf(where)
    const step: ReadFileStep & { mayFail: true } = { op: 'readFile', path: `/proc/thread-self/net/${family}_tables_names`, mayFail: true }
    const { results, failed } = await this.#channel.exec([step])
    const [names] = results as readonly unknown[]
    if (names instanceof Uint8Array) return Buffer.from(names).toString().split('\n').filter(name => name !== '')
    if (failed !== undefined && failed.errno !== constants.errno.ENOENT) throw failure(step, failed)
    return []
  }

  async #one(command: 'append' | 'insert' | 'replace' | 'delete', chain: string, rule: IptablesRule | string, where: IptablesWrite & { number?: number }): Promise<IptablesResult> {
    const { family, table, owner, counters, number } = whereOf(where)
    check('chain', chain, aText)
    return this.#commands(family, [{ command, table, chain, number, counters, rules: [parsed(rule, family, table, chain)] }], { owner })
  }

  async #simple(command: 'newChain' | 'deleteChain' | 'flush' | 'zero', chain: string | undefined, where: IptablesWhere): Promise<IptablesResult> {
    const { family, table } = whereOf(where)
    if (chain !== undefined) check('chain', chain, aText)
    return this.#commands(family, [{ command, table, chain, rules: [] }], {})
  }

  #commands(
    family: IptablesFamily, commands: readonly IptablesCommand[], { owner }: { owner?: string | undefined },
  ): Promise<IptablesResult> {
    return this.#change(family, commands, plan => { for (const command of commands) plan.apply(command, { owner }) })
  }

  /** Reads, plans, commits; again from the start if somebody else changed the ruleset between. */
  async #change(
    family: IptablesFamily, commands: readonly IptablesCommand[], work: (plan: Plan, state: IptablesReading) => void,
  ): Promise<IptablesResult> {
    for (let tries = 1; ; tries++) {
      const state = await readState(this.#channel, family, commands)
      const plan = new Plan(family, state)
      work(plan, state)
      const requests = plan.requests()
      if (requests.length > 0) {
        const step = firewallStep(requests, { generation: state.generation, mayFail: true })
        const replies = await this.#channel.attempt(step)
        if (replies.error !== undefined && tries < TRIES && isGenerationConflict(replies.error)) continue
        if (replies.error !== undefined) throw await this.#refusal(family, step, replies)
      }
      return { legacyTables: await this.legacyTables({ family }) }
    }
  }

  /** The error of a batch, with the match or target that it is about; one that the kernel lacks is an UnsupportedError. */
  async #refusal(family: IptablesFamily, { requests }: RequestStep, replies: Replies): Promise<Error> {
    const at = requests.findIndex((_, index) => replies.errno(index) !== 0)
    const error = replies.errorOf(at) as NetlinkError
    const extension = refusedExtension(requests[at], error)
    if (extension === undefined) return error
    const { error: missing } = await this.#channel.attempt(firewallReadStep([getExtension(family, extension)], { mayFail: true }))
    return refusal(error, extension, missing)
  }

  async #readTable(family: IptablesFamily, table: string, chain: string | undefined): Promise<IptablesReading> {
    const state = await readState(this.#channel, family)
    // Says by name what is wrong with the chain.
    if (chain !== undefined) new Plan(family, state).apply({ command: 'flush', table, chain, rules: [] })
    return state
  }
}

const whereChecks = {
  chain: aText, owner: aString, number: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  verbose: aBoolean, exact: aBoolean, lineNumbers: aBoolean, noflush: aBoolean,
}

/** With what was left out. `counters` is a switch where it is read, an object where a rule is written. */
function whereOf<T extends IptablesWhere>(where: T): Omit<T, 'family' | 'table'> & Required<{ [K in keyof IptablesWhere]: NonNullable<IptablesWhere[K]> }> {
  const { family = 'ip', table = 'filter' } = fieldsOf('options', where)
  check('family', family, aFamily)
  checkTableName(table)
  for (const [name, accepted] of Object.entries(whereChecks)) checkGiven(name, (where as Record<string, unknown>)[name], accepted)
  return { ...where, family, table }
}

function parsed(rule: IptablesRule | string, family: IptablesFamily, table: string, chain: string): IptablesRule {
  return typeof rule === 'string' ? parseIptablesRule(`-A ${chain} ${rule}`, { family, table }) : fieldsOf('rule', rule)
}
