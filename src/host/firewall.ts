/** nf_tables of the namespace: read, and commit a batch of changes atomically. Source: nft(8), linux/netfilter/nf_tables.h. */
import { aBoolean, aFunction, check, fieldsOf } from '../checks.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { decodeChain, listChains } from '../nftables/chains.ts'
import type { Chain } from '../nftables/chains.ts'
import { NFT_MSG_GETRULE_RESET } from '../nftables/constants.ts'
import { decodeElements, listElements } from '../nftables/elements.ts'
import type { WireElement } from '../nftables/elements.ts'
import { decodeFlowtable, listFlowtables } from '../nftables/flowtables.ts'
import type { Flowtable } from '../nftables/flowtables.ts'
import { messageType } from '../nftables/messages.ts'
import { decodeObject, listObjects } from '../nftables/objects.ts'
import type { NftObject, ObjectType } from '../nftables/objects.ts'
import { decodeRule, listRules } from '../nftables/rules.ts'
import type { Rule } from '../nftables/rules.ts'
import { decodeTable, listTables } from '../nftables/tables.ts'
import { decodeSet, listSets } from '../nftables/sets.ts'
import type { NftSet, SetRef } from '../nftables/sets.ts'
import type { AddTable, Table } from '../nftables/tables.ts'
import type { Family } from '../nftables/messages.ts'
import { firewallReadStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { commitRequests, ownTable, updateRuleset } from './commit.ts'
import type { CommitOptions, Committed, OwnedTable } from './commit.ts'
import { watchFirewall } from './firewall-watch.ts'
import type { FirewallEvent, FirewallWatchOptions } from './firewall-watch.ts'
import { readRuleset } from './ruleset.ts'
import type { ReadRuleset, RulesetFilter } from './ruleset.ts'
import type { Watch } from './watch.ts'

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

  /**
   * Rules of a table or of one of its chains, in order; filtered in the kernel. `reset`: counters and quotas of these rules
   * begin anew, and what they were is in the answer; Linux 6.2.
   */
  async rules(filter: { family: Family, table: string, chain?: string, reset?: boolean }): Promise<Rule[]> {
    const { reset = false, ...which } = fieldsOf('filter', filter)
    check('reset', reset, aBoolean)
    const request = listRules(which)
    if (reset) request.type = messageType(NFT_MSG_GETRULE_RESET)
    return (await this.#read(request)).map(decodeRule)
  }

  /** Sets and maps, without their elements; of one family or table, or of all. Anonymous ones belong to the rules that use them. */
  async sets(filter: { family?: Family, table?: string } = {}): Promise<NftSet[]> {
    return (await this.#read(listSets(filter))).map(decodeSet)
  }

  /**
   * What is in a set or map, as the kernel has it: see `WireElement`. `reset`: counters and quotas of elements begin anew;
   * Linux 6.5. Rejects with ENOENT if there is no such set.
   */
  async elements(set: SetRef & { reset?: boolean }): Promise<WireElement[]> {
    return (await this.#read(listElements(set))).flatMap(decodeElements)
  }

  /** Counters, quotas and other objects with a name. `reset`: they begin anew, and what they were is in the answer. */
  async objects(filter: { family?: Family, table?: string, type?: ObjectType, reset?: boolean } = {}): Promise<NftObject[]> {
    return (await this.#read(listObjects(filter))).map(decodeObject)
  }

  /** Flow tables. Rejects with EOPNOTSUPP or EINVAL on a kernel without CONFIG_NF_FLOW_TABLE. */
  async flowtables(filter: { family?: Family, table?: string } = {}): Promise<Flowtable[]> {
    return (await this.#read(listFlowtables(filter))).map(decodeFlowtable)
  }

  /**
   * Changes of the ruleset as they happen, whoever makes them: what each commit made, changed or deleted, then its
   * generation. What is there already is not told: take `ruleset` once the watch is `ready`. Throws InvalidArgumentError;
   * `ready` and the reader's `next` reject with ERR_NO_PERMISSION, ERR_UNSUPPORTED.
   */
  watch(options: FirewallWatchOptions = {}): Watch<FirewallEvent> {
    return watchFirewall(this.#channel, options)
  }

  /**
   * Everything, or all of a family or table, as it was at one moment: read again, 20 times at most, if others change it
   * meanwhile; then ERR_FIREWALL_BUSY. `rulesetToNft` of `virbr/nftables` writes it in nft's syntax.
   */
  ruleset(filter: RulesetFilter = {}): Promise<ReadRuleset> {
    return readRuleset(this.#channel, filter)
  }

  /**
   * Changes, all or nothing, in one sendmsg. What is wrong by itself is refused before it is sent (InvalidArgumentError, the
   * path beginning with `requests[…]`); a FirewallError names the request that the kernel refused, an UnsupportedError what
   * the kernel lacks. Refusing costs the kernel far more time than committing.
   */
  commit(requests: readonly AnyRequest[], options: CommitOptions = {}): Promise<Committed> {
    return commitRequests(this.#channel, requests, options)
  }

  /** Whether the kernel would take the changes: rejects as `commit` would, and changes nothing. About 10 ms. */
  async check(requests: readonly AnyRequest[]): Promise<void> {
    await commitRequests(this.#channel, requests, { dryRun: true })
  }

  /**
   * Changes made from what is there: `build` reads (`firewall.ruleset()`, `rules`, …) and returns requests. If somebody else
   * changes the ruleset before they are committed, it is called again, 20 times at most; then ERR_FIREWALL_BUSY.
   */
  async update(
    build: (firewall: this) => Promise<readonly AnyRequest[]> | readonly AnyRequest[], options: Omit<CommitOptions, 'generation'> = {},
  ): Promise<Committed> {
    check('build', build, aFunction)
    return updateRuleset(this.#channel, () => build(this), options)
  }

  /**
   * Makes a table that nobody else can change (Linux 5.12), with what `requests` put into it. It lives until its handle or
   * the Host is closed or the process ends; with the flag `persist` (Linux 6.9) it stays then, without an owner. EPERM
   * if another process owns it.
   */
  async own(table: AddTable, requests: readonly AnyRequest[] = []): Promise<OwnedTable> {
    return ownTable(this.#channel, table, requests)
  }

  async #read(request: AnyRequest): Promise<Message[]> {
    const { error, messages } = await this.#channel.attempt(firewallReadStep([request], { mayFail: true }))
    if (error !== undefined) throw error
    return messages[0] ?? []
  }
}
