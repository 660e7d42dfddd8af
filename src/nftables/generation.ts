/** The number of the ruleset, which every commit in the namespace raises. Source: linux/netfilter/nf_tables.h. */
import { be32, string } from '../netlink/codecs.ts'
import type { Message } from '../netlink/message.ts'
import { attributes } from '../netlink/table.ts'
import type { Values } from '../netlink/table.ts'
import { NFTA_GEN_ID, NFTA_GEN_PROC_NAME, NFTA_GEN_PROC_PID, NFT_MSG_GETGEN } from './constants.ts'
import { ASK, nftRequest } from './messages.ts'
import type { NftRequest } from './messages.ts'

export const generationAttributes = attributes({
  id: [NFTA_GEN_ID, be32],
  pid: [NFTA_GEN_PROC_PID, be32],
  process: [NFTA_GEN_PROC_NAME, string(255)],
})
type GenerationEntries = typeof generationAttributes.entries

/** Asks for the generation of the ruleset; give it to `encodeBatch` to commit only if nobody else did meanwhile. */
export function getGeneration(): NftRequest<GenerationEntries> {
  const operation = 'get the generation of the nf_tables ruleset'
  return nftRequest(NFT_MSG_GETGEN, ASK, undefined, generationAttributes, {}, operation)
}

export function decodeGeneration(message: Message): number {
  return (message.attributes as Values<GenerationEntries>).id ?? 0
}

/** A commit: the number of the ruleset from then on, and who made it. */
export function decodeGenerationEvent(message: Message): { id: number, pid: number, process: string } {
  const { id = 0, pid = 0, process = '' } = message.attributes as Values<GenerationEntries>
  return { id, pid, process }
}
