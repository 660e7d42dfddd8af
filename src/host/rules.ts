/** Policy rules: what `ip rule` does. */
import { checkFields } from '../errors.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { isInternet } from '../rtnetlink/families.ts'
import { sift } from '../rtnetlink/listed.ts'
import type { Listed } from '../rtnetlink/listed.ts'
import { decodeRule, deleteListedRule, deleteRule, listRules, newRule, ruleTests } from '../rtnetlink/rules.ts'
import type { Rule, RuleFilter, RuleSpec } from '../rtnetlink/rules.ts'
import { bulkOptions, changeMany, checkBulk } from './bulk.ts'
import type { BulkOptions } from './bulk.ts'
import type { Channel } from './channel.ts'
import { flush } from './flush.ts'
import type { PolicyRouting } from './policy.ts'

/**
 * Policy rules of a namespace: `host.rules`. They are looked at in order of their priorities, the lowest first; each
 * family has its own. What the kernel refuses is ERR_NETLINK, what it lacks (CONFIG_IP_MULTIPLE_TABLES,
 * CONFIG_IPV6_MULTIPLE_TABLES, a selector of a newer version) ERR_UNSUPPORTED. Changes need CAP_NET_ADMIN, else
 * ERR_NO_PERMISSION.
 */
export class Rules {
  readonly #channel: Channel
  readonly #policy: PolicyRouting

  constructor(channel: Channel, policy: PolicyRouting) {
    this.#channel = channel
    this.#policy = policy
  }

  /** In the order in which they are looked at, those of IPv4 first. The kernel filters by family, virbr by the rest. */
  async list(filter: RuleFilter = {}): Promise<Listed<Rule>> {
    const request = listRules(filter)
    const { here, kernel } = ruleTests(filter)
    return sift((await this.#dump(request)).map(decodeRule), here, kernel)
  }

  /** The rule as the kernel has it, with the priority that it gave. Rejects with EEXIST if there is one just like it. */
  async add(rule: RuleSpec): Promise<Rule> {
    const request = newRule(rule)
    await this.#policy.requireSelectors(rule)
    const [messages] = await this.#channel.request([request])
    return decodeRule(messages?.[0] as Message)
  }

  /** The first rule that has all of what is named. Rejects with ENOENT if there is none. */
  async delete(rule: RuleSpec): Promise<void> {
    const request = deleteRule(rule)
    await this.#policy.requireSelectors(rule)
    await this.#channel.request([request])
  }

  /**
   * Deletes all that match; how many. The kernel's own (the look-ups in local, main and default) stay, unless
   * `protocol: 'kernel'` is asked for.
   */
  async flush(filter: RuleFilter = {}): Promise<number> {
    const request = listRules(filter)
    const { here, kernel } = ruleTests(filter)
    const kept = filter.protocol === undefined ? (rule: Rule) => rule.protocol !== 'kernel' : undefined
    const items = sift(await this.#dump(request), { ...here, protocol: kept ?? here.protocol }, kernel, decodeRule)
    return flush(this.#channel, 'rules', items, deleteListedRule)
  }

  /**
   * Adds 1 to 100,000 rules. All or none unless `atomic: false`. Rejects with BulkError if the kernel refused some. Each
   * new one is compared with all there are: 10,000 take seconds, so that sets of addresses are better kept in nf_tables,
   * which marks the packets that one rule then selects.
   */
  async addMany(rules: readonly RuleSpec[], options: BulkOptions = {}): Promise<void> {
    checkBulk('rules', rules, options)
    // What the kernel lacks, once for all; a bad rule is refused below, with its place.
    for (const rule of rules) if (typeof rule === 'object' && rule !== null) await this.#policy.requireSelectors(rule)
    await changeMany(this.#channel, {
      list: 'rules', items: rules, request: rule => newRule(rule, { echo: false }), undo: rule => deleteRule(rule),
    }, bulkOptions(true, options))
  }

  /** Deletes many, each the first that has all of what is named. Not `atomic`. */
  async deleteMany(rules: readonly RuleSpec[], options: Pick<BulkOptions, 'signal'> = {}): Promise<void> {
    checkFields(options, ['signal'], 'options')
    await changeMany(this.#channel, { list: 'rules', items: rules, request: deleteRule }, bulkOptions(false, options))
  }

  async #dump(request: AnyRequest): Promise<Message[]> {
    const [messages = []] = await this.#channel.request([request])
    return messages.filter(isInternet)
  }
}
