/**
 * Many changes, all or none: nf_tables takes them between two messages in one sendmsg.
 * Source: linux/netfilter/nfnetlink.h, net/netfilter/nfnetlink.c (nfnetlink_rcv_batch).
 */
import { be32 } from '../netlink/codecs.ts'
import { NLM_F_ACK } from '../netlink/constants.ts'
import { NetlinkError } from '../netlink/error.ts'
import { encodeRequests } from '../netlink/message.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { attributes } from '../netlink/table.ts'
import { NFNL_BATCH_GENID, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFNL_SUBSYS_NFTABLES } from './constants.ts'
import { nfgenmsg } from './messages.ts'

const batchAttributes = attributes({ generation: [NFNL_BATCH_GENID, be32] })

export interface BatchOptions {
  /** Commit only if the ruleset is still this one (`getGeneration`); else the kernel answers ERESTART. */
  generation?: number | undefined
}

export interface EncodedBatch {
  /** What the bytes hold, for `decodeReplies`: begin, the requests given, end. */
  requests: readonly AnyRequest[]
  bytes: Buffer
}

/** Changes encoded once, to be committed many times. */
export interface PreparedBatch {
  /** The requests given, and the end. */
  requests: readonly AnyRequest[]
  body: Buffer
}

/**
 * Frames changes as one batch. The bytes must go out in one sendmsg (NetlinkStep `atomic`). The kernel runs every
 * message even after one failed and answers each failure under its own number, then commits all or nothing; failures
 * of the commit itself, and ERESTART, stand under the number of the first message.
 */
export function encodeBatch(requests: readonly AnyRequest[], options: BatchOptions = {}): EncodedBatch {
  return commitBatch(prepareBatch(requests), options)
}

/** All of a batch but its beginning, which names the generation. */
export function prepareBatch(requests: readonly AnyRequest[]): PreparedBatch {
  const last = requests.length - 1
  const all = [
    // One acknowledgement says it all: thousands would overflow the receive buffer.
    ...requests.map((request, index) => ({ ...request, flags: acknowledged(request.flags, index === last) })),
    boundary(NFNL_MSG_BATCH_END, 'end the nf_tables batch'),
  ]
  return { requests: all, body: encodeRequests(all, 1) }
}

export function commitBatch({ requests, body }: PreparedBatch, { generation }: BatchOptions = {}): EncodedBatch {
  const begin = boundary(NFNL_MSG_BATCH_BEGIN, commitOperation(generation), generation)
  return { requests: [begin, ...requests], bytes: Buffer.concat([encodeRequests([begin]), body]) }
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
