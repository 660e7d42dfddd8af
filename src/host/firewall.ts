/** nf_tables of the namespace: read, and commit a batch of changes atomically. Source: nft(8), linux/netfilter/nf_tables.h. */
import type { AnyRequest, Message } from '../netlink/message.ts'
import { decodeChain, listChains } from '../nftables/chains.ts'
import type { Chain } from '../nftables/chains.ts'
import { decodeRule, listRules } from '../nftables/rules.ts'
import type { Rule } from '../nftables/rules.ts'
import { decodeTable, listTables } from '../nftables/tables.ts'
import type { Table } from '../nftables/tables.ts'
import type { Family } from '../nftables/messages.ts'
import { firewallReadStep, firewallStep } from './channel.ts'
import type { Channel } from './channel.ts'

/** The nf_tables ruleset of a namespace: `host.firewall`. Needs CAP_NET_ADMIN, for reading too; else ERR_NO_PERMISSION. */
export class Firewall {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Tables, of one family or of all. */
  async tables(filter: { family?: Family } = {}): Promise<Table[]> {
    return (await this.#read(listTables(filter))).map(decodeTable)
  }

  /** Chains, base chains with their hook, priority and counters, of one family or of all. */
  async chains(filter: { family?: Family } = {}): Promise<Chain[]> {
    return (await this.#read(listChains(filter))).map(decodeChain)
  }

  /** Rules of a table or of one of its chains, in order; filtered in the kernel. */
  async rules(filter: { family: Family, table: string, chain?: string }): Promise<Rule[]> {
    return (await this.#read(listRules(filter))).map(decodeRule)
  }

  /**
   * Changes, all or nothing, in one sendmsg. An error (ERR_NETLINK) names the request that the kernel refused; refusing a
   * batch costs it far more time than committing one.
   */
  async commit(requests: readonly AnyRequest[]): Promise<void> {
    if (requests.length === 0) return
    const { error } = await this.#channel.attempt(firewallStep(requests, { mayFail: true }))
    if (error !== undefined) throw error
  }

  async #read(request: AnyRequest): Promise<Message[]> {
    const { error, messages } = await this.#channel.attempt(firewallReadStep([request], { mayFail: true }))
    if (error !== undefined) throw error
    return messages[0] ?? []
  }
}
