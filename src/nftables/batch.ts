/**
 * Many changes, all or none: nf_tables takes them between two messages in one sendmsg.
 * Source: linux/netfilter/nfnetlink.h, net/netfilter/nfnetlink.c (nfnetlink_rcv_batch).
 */
import { InvalidArgumentError } from '../errors.ts'
import { be32 } from '../netlink/codecs.ts'
import { NLM_F_ACK, NLM_F_ECHO } from '../netlink/constants.ts'
import { NetlinkError } from '../netlink/error.ts'
import { encodeRequest, encodeRequests } from '../netlink/message.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { attributes } from '../netlink/table.ts'
import { Writer } from '../netlink/writer.ts'
import { NFNL_BATCH_GENID, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFNL_SUBSYS_NFTABLES } from './constants.ts'
import { expand } from './expand.ts'
import { nfgenmsg } from './messages.ts'

const batchAttributes = attributes({ generation: [NFNL_BATCH_GENID, be32] })

export interface BatchOptions {
  /** Commit only if the ruleset is still this one (`getGeneration`); else the kernel answers ERESTART. */
  generation?: number | undefined
  /** Ask the kernel whether it would take the batch, and change nothing. */
  dryRun?: boolean | undefined
  /** Have the kernel tell the handles of what it makes. */
  handles?: boolean | undefined
}

export interface EncodedBatch {
  /** What the bytes hold, for `decodeReplies`: begin, the requests given, end. */
  requests: readonly AnyRequest[]
  /** For each message the index of the request it comes from; −1 for none. */
  statements: readonly number[]
  bytes: Buffer
}

/** Changes encoded once, to be committed many times. */
export interface PreparedBatch {
  /** The messages, and the end. A request may have become several: its sets without a name, parts of a long list. */
  requests: readonly AnyRequest[]
  /** As of an EncodedBatch: with that of the beginning. */
  statements: readonly number[]
  body: Buffer
}

/**
 * Frames changes as one batch. The bytes must go out in one sendmsg (NetlinkStep `atomic`). The kernel runs every
 * message even after one failed and answers each failure under its own number, then commits all or nothing; failures
 * of the commit itself, and ERESTART, stand under the number of the first message.
 * `writer`: the bytes stand in it, until it is written into again. Throws InvalidArgumentError, the path beginning with
 * `requests[…]`.
 */
export function encodeBatch(requests: readonly AnyRequest[], options: BatchOptions = {}, writer: Writer = new Writer()): EncodedBatch {
  const { generation } = options
  const begin = boundary(NFNL_MSG_BATCH_BEGIN, commitOperation(generation), generation)
  writer.reset()
  encodeRequest(writer, begin, 0)
  const { messages, statements } = encodeBody(writer, requests, options)
  return { requests: [begin, ...messages], statements, bytes: writer.finish() }
}

/** All of a batch but its beginning, which names the generation. Throws as `encodeBatch`. */
export function prepareBatch(requests: readonly AnyRequest[], options: Pick<BatchOptions, 'dryRun' | 'handles'> = {}): PreparedBatch {
  const writer = new Writer()
  const { messages, statements } = encodeBody(writer, requests, options)
  return { requests: messages, statements, body: writer.finish() }
}

function encodeBody(
  writer: Writer, requests: readonly AnyRequest[], { dryRun, handles }: Pick<BatchOptions, 'dryRun' | 'handles'>,
): { messages: AnyRequest[], statements: number[] } {
  const { messages, statements } = expand(requests)
  const last = messages.length - 1
  const echo = handles === true ? NLM_F_ECHO : 0
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as AnyRequest
    try {
      // One acknowledgement says it all: thousands would overflow the receive buffer.
      encodeRequest(writer, message, index + 1, acknowledged(message.flags, index === last) | echo)
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
      throw new InvalidArgumentError(`requests[${statements[index] ?? index}].${error.field}`, error.value, error.accepted)
    }
  }
  const end = dryRun === true ? [] : [boundary(NFNL_MSG_BATCH_END, 'end the nf_tables batch')]
  for (const message of end) encodeRequest(writer, message, messages.length + 1)
  return { messages: [...messages, ...end], statements: [-1, ...statements, -1] }
}

export function commitBatch({ requests, statements, body }: PreparedBatch, { generation }: BatchOptions = {}): EncodedBatch {
  const begin = boundary(NFNL_MSG_BATCH_BEGIN, commitOperation(generation), generation)
  return { requests: [begin, ...requests], statements, bytes: Buffer.concat([encodeRequests([begin]), body]) }
}

/** Somebody else changed the ruleset after the generation that the batch was made for: read again, and retry. */
export function isGenerationConflict(error: unknown): boolean {
  return error instanceof NetlinkError && error.errnoName === 'ERESTART'
}

function commitOperation(generation: number | undefined): string {
  return generation === undefined
    ? 'commit the nf_tables batch'
    : `commit the nf_tables batch made for generation ${generation} of the ruleset`
}

function acknowledged(flags: number, wanted: boolean): number {
  return wanted ? flags | NLM_F_ACK : flags & ~NLM_F_ACK
}

function boundary(type: number, operation: string, generation?: number): AnyRequest {
  return {
    type,
    flags: 0,
    format: { header: nfgenmsg, attributes: batchAttributes },
    header: { resourceId: NFNL_SUBSYS_NFTABLES },
    attributes: { generation },
    operation,
  }
}
