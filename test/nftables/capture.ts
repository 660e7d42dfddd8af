/** What the real tools send to nf_tables: the rules that a shell script adds, in a namespace of its own. */
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { NFTA_RULE_EXPRESSIONS, NFT_MSG_NEWRULE } from '../../src/nftables/constants.ts'
import { messageType, nfgenmsg } from '../../src/nftables/messages.ts'
import { walkAttributes } from '../../src/netlink/table.ts'
import { straceBytes } from '../support/strace.ts'

/** NFT_MSG_NEWRULE messages in order, with nlmsg_seq and nlmsg_pid zero. Rejects if the script fails. */
export async function captureRules(script: string): Promise<Buffer[]> {
  const messages = await straceBytes(['sh', '-ec', script])
  return messages.filter(({ type }) => type === messageType(NFT_MSG_NEWRULE)).map(({ bytes }) => bytes)
}

/** The expressions of a rule message in hex, one a line. */
export function expressionBytes(message: Buffer): string {
  for (const [type, start, end] of walkAttributes(message, NLMSG_HDRLEN + nfgenmsg.size, message.length)) {
    if (type !== NFTA_RULE_EXPRESSIONS) continue
    return [...walkAttributes(message, start, end)].map(([, from, to]) => message.toString('hex', from, to)).join('\n')
  }
  return ''
}
