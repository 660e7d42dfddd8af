/** What the kernel holds of iptables' tables in a Host's namespace, and of the sets of ipset that are named there. */
import { constants } from 'node:os'
import { decodeChain, listChains } from '../nftables/chains.ts'
import { decodeGeneration, getGeneration } from '../nftables/generation.ts'
import { setIndices, setNames } from '../nftables/iptables/ipset.ts'
import { ipsetError } from '../nftables/iptables/ipset_requests.ts'
import type { IptablesCommand } from '../nftables/iptables/commands.ts'
import type { IptablesState } from '../nftables/iptables/plan.ts'
import type { IptablesFamily } from '../nftables/iptables/values.ts'
import { decodeRule, listRules } from '../nftables/rules.ts'
import { decodeTable, listTables } from '../nftables/tables.ts'
import { failure, firewallReadStep, repliesOf } from './channel.ts'
import type { Channel } from './channel.ts'
import { namedSets, numberedSets } from './ipset.ts'

export interface IptablesReading extends IptablesState {
  generation: number
}

/** How often the rules are read anew because a set that they held is gone. */
const TRIES = 20

/** All of a family, of one generation of the ruleset; and the sets of ipset that its rules and those of the commands name. */
export async function readState(
  channel: Channel, family: IptablesFamily, commands: readonly IptablesCommand[] = [],
): Promise<IptablesReading> {
  const named = await namedSets(channel, family, commands.flatMap(({ rules }) => rules.flatMap(setNames)))
  for (let tries = 1; ; tries++) {
    const ruleset = await readRuleset(channel, family)
    const { sets, error } = await numberedSets(channel, ruleset.rules.flatMap(({ expressions }) => setIndices(expressions)))
    if (error === undefined) return { ...ruleset, sets: [...named, ...sets] }
    // A rule holds its set; if that is gone, so is the rule.
    if (error.errno !== constants.errno.ENOENT || tries === TRIES) throw ipsetError(error)
  }
}

async function readRuleset(channel: Channel, family: IptablesFamily): Promise<IptablesReading> {
  const step = firewallReadStep([
    getGeneration(), listTables({ family }), listChains({ family }), listRules({ family }), getGeneration(),
  ], { mayFail: true })
  for (;;) {
    const { results, failed } = await channel.exec([step])
    if (failed !== undefined && results[0] === undefined) throw failure(step, failed)
    const { error, messages: [before = [], tables = [], chains = [], rules = [], after = []] } = repliesOf(step, results[0])
    if (error !== undefined) throw error
    const [generation, later] = [before, after].map(([message]) => (message === undefined ? 0 : decodeGeneration(message)))
    if (generation !== later) continue
    return {
      generation: generation ?? 0, tables: tables.map(decodeTable), chains: chains.map(decodeChain), rules: rules.map(decodeRule),
    }
  }
}
