/** Reads rulesets as they were at one moment, though others change them meanwhile. */
import { aBoolean, checkGiven } from '../checks.ts'
import { VirbrError } from '../errors.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { decodeChain, listChains } from '../nftables/chains.ts'
import { decodeElements, listElements } from '../nftables/elements.ts'
import { decodeFlowtable, listFlowtables } from '../nftables/flowtables.ts'
import { decodeGeneration, getGeneration } from '../nftables/generation.ts'
import { filterOf } from '../nftables/messages.ts'
import type { Family } from '../nftables/messages.ts'
import { decodeObject, listObjects } from '../nftables/objects.ts'
import { decodeRule, listRules } from '../nftables/rules.ts'
import { decodeSet, listSets } from '../nftables/sets.ts'
import { decodeTable, listTables } from '../nftables/tables.ts'
import type { FilledSet } from '../nftables/text/rule.ts'
import type { Ruleset } from '../nftables/text/ruleset.ts'
import { failure, firewallReadStep, firewallStep, repliesOf } from './channel.ts'
import type { Channel, RequestStep } from './channel.ts'

/** Of which tables; what is left out does not matter. */
export interface RulesetFilter {
  family?: Family
  /** Only this table; with `family`. */
  table?: string
  /** False: sets without what is in them, which is most of the work where they are large. Default true. */
  elements?: boolean
}

export interface ReadRuleset extends Ruleset {
  sets: FilledSet[]
  /** Number of the ruleset: give it to `commit` to change only what was read. */
  generation: number
}

/** Somebody who commits all the time could keep a reader busy for ever. */
const attempts = 20

/** Rejects with ERR_FIREWALL_BUSY if the ruleset changes at every attempt. */
export async function readRuleset(channel: Channel, filter: RulesetFilter): Promise<ReadRuleset> {
  checkGiven('elements', filterOf(filter).elements, aBoolean)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await readOnce(channel, filter)
    if (found !== undefined) return found
  }
  throw new VirbrError('ERR_FIREWALL_BUSY', `read the ruleset: it was changed by others while it was read, ${attempts} times in a row`)
}

/** Undefined if it has changed meanwhile. */
async function readOnce(channel: Channel, { family, table, elements = true }: RulesetFilter): Promise<ReadRuleset | undefined> {
  const scope = { ...(family === undefined ? {} : { family }), ...(table === undefined ? {} : { table }) }
  const isWanted = (each: { table: string }): boolean => table === undefined || each.table === table
  const generation = await settledGeneration(channel)
  const answers = await ask(channel, [
    listTables(scope), listChains(scope), listRules(scope), listSets(scope), listObjects(scope), listFlowtables(scope),
  ])
  if (answers === undefined || await generationAfter(channel) !== generation) return undefined
  const [tables, chains, rules, sets, objects, flowtables] = answers as Answers
  const found: FilledSet[] = sets.map(decodeSet).filter(isWanted)
  if (elements && found.length > 0) {
    const filled = await ask(channel, found.map(set => listElements(set)))
    if (filled === undefined || await generationAfter(channel) !== generation) return undefined
    found.forEach((set, index) => { set.elements = (filled[index] ?? []).flatMap(decodeElements) })
  }
  return {
    generation,
    tables: tables.map(decodeTable).filter(({ name }) => table === undefined || name === table),
    chains: chains.map(decodeChain).filter(isWanted),
    rules: rules.map(decodeRule).filter(isWanted),
    sets: found,
    objects: objects.map(decodeObject).filter(isWanted),
    flowtables: flowtables.map(decodeFlowtable).filter(isWanted),
  }
}

/** ENOENT of a table or set; the others of a kernel that does not know the message. */
const absent = ['ENOENT', 'EOPNOTSUPP', 'EINVAL', 'EPROTONOSUPPORT']

type Answers = [Message[], Message[], Message[], Message[], Message[], Message[]]

/**
 * A commit raises the number of the ruleset and puts its changes in force at two moments, in an order that depends on the
 * kernel. A batch without changes waits for the commit under way, and changes nothing: whatever is read between these two is
 * all of one number.
 */
async function settledGeneration(channel: Channel): Promise<number> {
  const [asked, waited] = [firewallReadStep([getGeneration()]), firewallStep([])]
  const { results, failed } = await channel.exec([asked, waited])
  if (failed !== undefined) throw failure(failed.step === 0 ? asked : waited, failed, results[failed.step])
  return generationIn(asked, results[0])
}

async function generationAfter(channel: Channel): Promise<number> {
  const [waited, asked] = [firewallStep([]), firewallReadStep([getGeneration()])]
  const { results, failed } = await channel.exec([waited, asked])
  if (failed !== undefined) throw failure(failed.step === 0 ? waited : asked, failed, results[failed.step])
  return generationIn(asked, results[1])
}

function generationIn(step: RequestStep, result: unknown): number {
  return decodeGeneration(repliesOf(step, result).messages[0]?.[0] as Message)
}

/**
 * What is not there (the table, a set that has gone since, flow tables of a kernel without them) has no messages; whether
 * others had their hands in it, the generation tells. Undefined if a dump changed all the time.
 */
async function ask(channel: Channel, requests: readonly AnyRequest[]): Promise<Message[][] | undefined> {
  const step: RequestStep & { mayFail: true } = { ...firewallReadStep(requests), mayFail: true }
  const { results } = await channel.exec([step])
  const replies = repliesOf(step, results[0])
  for (let index = 0; index < requests.length; index++) {
    const error = replies.errno(index) === 0 ? undefined : replies.errorOf(index)
    if (error === undefined || absent.includes(error.errnoName)) continue
    if (error.errnoName === 'EINTR') return undefined
    throw error
  }
  return replies.messages
}
