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

export class Firewall {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  async tables(filter: { family?: Family } = {}): Promise<Table[]> {
    return (await this.#read(listTables(filter))).map(decodeTable)
  }

  async chains(filter: { family?: Family } = {}): Promise<Chain[]> {
    return (await this.#read(listChains(filter))).map(decodeChain)
  }

  /** Filtered in the kernel. */
  async rules(filter: { family: Family, table: string, chain?: string }): Promise<Rule[]> {
    return (await this.#read(listRules(filter))).map(decodeRule)
  }

  /** All or nothing; an error names the request that the kernel refused. */
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
