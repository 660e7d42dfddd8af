/** Changes of the ruleset: checked, sent as one batch, retried if they were made from a read that is out of date. */
import { aBoolean, check, checkGiven, fieldsOf, listOf, wholeNumber } from '../checks.ts'
import { ClosedError, VirbrError } from '../errors.ts'
import { NETLINK_NETFILTER } from '../netlink/constants.ts'
import type { AnyRequest, Replies } from '../netlink/message.ts'
import { Writer } from '../netlink/writer.ts'
import { encodeBatch, isGenerationConflict } from '../nftables/batch.ts'
import type { BatchOptions } from '../nftables/batch.ts'
import { decodeChain, listChains } from '../nftables/chains.ts'
import { checkBatch } from '../nftables/check.ts'
import type { KnownChains } from '../nftables/check.ts'
import { batchError } from '../nftables/error.ts'
import { decodeGeneration, getGeneration } from '../nftables/generation.ts'
import { refOf } from '../nftables/messages.ts'
import { addTable, decodeTable, deleteTable, listTables } from '../nftables/tables.ts'
import type { AddTable, TableRef } from '../nftables/tables.ts'
import { firewallReadStep } from './channel.ts'
import type { Channel, RequestStep } from './channel.ts'

export interface CommitOptions {
  /** Only if the ruleset is still this one (`ruleset().generation`); else ERESTART. `update` does this by itself. */
  generation?: number
  /** Ask for the handles of what is made. */
  handles?: boolean
  /** The kernel tries it all and changes nothing. About 10 ms: it waits for a grace period. */
  dryRun?: boolean
}

export interface Committed {
  /** With `handles`: for each request the handle of the table, chain, rule, set or object that it made; else empty. */
  handles: (number | undefined)[]
}

/** Throws InvalidArgumentError, FirewallError or UnsupportedError; nothing has been changed then. */
export async function commitRequests(
  channel: Channel, requests: readonly AnyRequest[], options: CommitOptions & Pick<RequestStep, 'hold'> = {}, known?: KnownChains,
): Promise<Committed> {
  const { handles = false, dryRun = false, generation } = fieldsOf('options', options)
  checkGiven('generation', generation, wholeNumber(0, 0xffffffff))
  check('handles', handles, aBoolean)
  check('dryRun', dryRun, aBoolean)
  if (listOf('requests', requests).length === 0) return { handles: [] }
  checkBatch(requests, known)
  const { step, statements } = batchStep(requests, options)
  const replies = await channel.attempt(step)
  const error = batchError(step.requests, statements, replies)
  if (error !== undefined) throw error
  return { handles: handles ? handlesOf(requests, statements, replies) : [] }
}

/** Batches are written into the same memory each time; what they hold is copied when they are sent, which is at once. */
let writer = new Writer()
const mostKept = 8 << 20

function batchStep(
  requests: readonly AnyRequest[], { hold, generation, handles, dryRun }: CommitOptions & Pick<RequestStep, 'hold'>,
): { step: RequestStep, statements: readonly number[] } {
  const options: BatchOptions = { generation, handles, dryRun }
  const { bytes, requests: messages, statements } = encodeBatch(requests, options, writer)
  if (writer.buffer.length > mostKept) writer = new Writer()
  const step: RequestStep = { op: 'netlink', protocol: NETLINK_NETFILTER, messages: bytes, requests: messages, atomic: true, mayFail: true }
  return { step: hold === undefined ? step : { ...step, hold }, statements }
}

/** What the kernel echoes of a request itself, not of the sets that came before a rule. */
function handlesOf(requests: readonly AnyRequest[], statements: readonly number[], { messages }: Replies): (number | undefined)[] {
  const handles = new Array<number | undefined>(requests.length).fill(undefined)
  statements.forEach((statement, index) => {
    const request = requests[statement]
    const echoed = messages[index]?.find(({ type }) => type === request?.type)
    if (echoed !== undefined) handles[statement] = (echoed.attributes as { handle?: number }).handle
  })
  return handles
}

/** Somebody who commits all the time could keep others busy for ever. */
const attempts = 20

/** Reads, builds and commits until nobody else has changed the ruleset in between. */
export async function updateRuleset(
  channel: Channel, build: () => Promise<readonly AnyRequest[]> | readonly AnyRequest[], options: Omit<CommitOptions, 'generation'>,
): Promise<Committed> {
  fieldsOf('options', options)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const generation = await generationOf(channel)
    const requests = await build()
    try {
      return await commitRequests(channel, requests, { ...options, generation }, await knownChains(channel))
    } catch (error) {
      if (!isGenerationConflict(error) && await generationOf(channel) === generation) throw error
      // Else it was built from what is no longer there, whatever the complaint.
    }
  }
  throw new VirbrError('ERR_FIREWALL_BUSY', `update the ruleset: others changed it between read and commit, ${attempts} times in a row`)
}

async function generationOf(channel: Channel): Promise<number> {
  const { error, messages } = await channel.attempt(firewallReadStep([getGeneration()], { mayFail: true }))
  if (error !== undefined) throw error
  const [answer] = messages[0] ?? []
  return answer === undefined ? 0 : decodeGeneration(answer)
}

async function knownChains(channel: Channel): Promise<KnownChains> {
  const { error, messages } = await channel.attempt(firewallReadStep([listTables(), listChains()], { mayFail: true }))
  if (error !== undefined) throw error
  const known = new Map<string, Set<string>>()
  for (const { family, name } of (messages[0] ?? []).map(decodeTable)) known.set(`${family} ${name}`, new Set())
  for (const { family, table, name } of (messages[1] ?? []).map(decodeChain)) known.get(`${family} ${table}`)?.add(name)
  return known
}

/** A table that only this Host may change, and that goes with it, however the process ends. */
export class OwnedTable implements AsyncDisposable {
  readonly family: TableRef['family']
  readonly name: string
  readonly #channel: Channel
  readonly #persist: boolean
  #closing: Promise<void> | undefined

  constructor(channel: Channel, { family, name, flags = [] }: AddTable) {
    this.#channel = channel
    this.family = family
    this.name = name
    this.#persist = flags.includes('persist')
  }

  /** Changes, as `host.firewall.commit`, which may change the table too: all requests of one Host come from the owner. */
  commit(requests: readonly AnyRequest[], options: CommitOptions = {}): Promise<Committed> {
    if (this.#closing !== undefined) return Promise.reject(new ClosedError(`the table ${this.family} ${this.name}`))
    return commitRequests(this.#channel, requests, options)
  }

  /** Deletes the table; with the flag `persist` it stays, without an owner. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#release()
    return this.#closing
  }

  async #release(): Promise<void> {
    if (this.#channel.closed) return
    const { family, name } = this
    // The socket is given back in any case, and with it goes the table.
    const requests = this.#persist ? [addTable({ family, name })] : [deleteTable({ family, name })]
    try {
      await commitRequests(this.#channel, requests, { hold: 'give' })
    } catch (error) {
      if (!(error instanceof VirbrError) || !('errnoName' in error) || error.errnoName !== 'ENOENT') throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export async function ownTable(channel: Channel, table: AddTable, requests: readonly AnyRequest[]): Promise<OwnedTable> {
  const { flags: given = [] } = refOf('table', table)
  const flags = [...new Set([...listOf('flags', given), 'owner' as const])]
  const all = [addTable({ ...table, flags }), ...listOf('requests', requests)]
  try {
    await commitRequests(channel, all, { hold: 'take' })
  } catch (error) {
    await channel.attempt({ ...firewallReadStep([getGeneration()], { mayFail: true }), hold: 'give' })
    throw error
  }
  return new OwnedTable(channel, { ...table, flags })
}
