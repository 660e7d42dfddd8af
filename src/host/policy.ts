/** What the kernel has of policy routing. What it lacks it passes over without a word: better to ask before. */
import { constants } from 'node:os'
import type { Message } from '../netlink/message.ts'
import { decodeRule, deleteRule, listRules, newRule } from '../rtnetlink/rules.ts'
import type { RuleSpec } from '../rtnetlink/rules.ts'
import { lacks } from '../rtnetlink/unsupported.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'

const options = { 4: 'CONFIG_IP_MULTIPLE_TABLES', 6: 'CONFIG_IPV6_MULTIPLE_TABLES' } as const

/** Selectors that an older kernel leaves out of a rule, which then selects too much; [selector, first version, probe]. */
const selectors = [
  ['dscp', 'Linux 6.12', { dscp: 1 }],
  ['dscpMask', 'Linux 6.15', { dscp: 1, dscpMask: 1 }],
  ['flowLabel', 'Linux 6.14', { family: 6, flowLabel: 1 }],
  ['sportMask', 'Linux 6.15', { sport: 1, sportMask: 1 }],
  ['dportMask', 'Linux 6.15', { dport: 1, dportMask: 1 }],
] as const satisfies readonly (readonly [keyof RuleSpec, string, RuleSpec])[]

export class PolicyRouting {
  readonly #channel: Channel
  readonly #known = new Map<string, Promise<boolean>>()

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Rejects with UnsupportedError if there is only one table. Asks the kernel the first time. */
  async require(family: 4 | 6, operation: string): Promise<void> {
    if (!await this.#once(String(family), () => this.#hasRules(family))) throw lacks(operation, options[family])
  }

  /** Rejects with UnsupportedError if the kernel would leave out a selector of the rule. Asks the kernel the first time. */
  async requireSelectors(rule: RuleSpec): Promise<void> {
    for (const [name, version, probe] of selectors) {
      if (rule[name] === undefined) continue
      if (!await this.#once(name, () => this.#keeps(name, probe))) throw lacks(`a rule with ${name}`, version)
    }
  }

  async #once(name: string, ask: () => Promise<boolean>): Promise<boolean> {
    let known = this.#known.get(name)
    if (known === undefined) {
      known = ask()
      this.#known.set(name, known)
      // Not an answer: ask again the next time.
      known.catch(() => this.#known.delete(name))
    }
    return known
  }

  async #hasRules(family: 4 | 6): Promise<boolean> {
    const replies = await this.#channel.attempt(routeStep([listRules({ family })], { mayFail: true }))
    const errno = replies.errno(0)
    if (errno === constants.errno.EOPNOTSUPP || errno === constants.errno.EAFNOSUPPORT) return false
    if (replies.error !== undefined) throw replies.error
    return true
  }

  /** By a rule behind all others that does nothing, there for a moment. */
  async #keeps(name: keyof RuleSpec, selector: RuleSpec): Promise<boolean> {
    const rule: RuleSpec = { ...selector, priority: 0xffffffff, action: 'nop' }
    const replies = await this.#channel.attempt(routeStep([newRule(rule), deleteRule(rule)], { mayFail: true }))
    // Where it is left out of the value, it may also be refused.
    if (replies.errno(0) === constants.errno.EINVAL) return false
    if (replies.error !== undefined) throw replies.error
    const made = replies.messages[0]?.[0] as Message
    return decodeRule(made)[name as 'dscp'] !== undefined
  }
}
