/** Comparing what other programs send with our requests for the same. */
import { expect } from 'vitest'
import { RTM_GETLINK } from '../../src/rtnetlink/constants.ts'
import { NLA_F_NESTED, NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { decodeReplies, encodeRequests } from '../../src/netlink/message.ts'
import { isWalkable, walkAttributes } from '../../src/netlink/table.ts'
import type { Codec } from '../../src/netlink/codecs.ts'
import { straceBytes } from '../support/strace.ts'
import type { SentMessage } from '../support/strace.ts'
import { setup } from './ip_commands.ts'
import type { IpCommand, Said } from './ip_commands.ts'

/** What a message says, whatever the order of its attributes. `ours` knows the format. */
export function said({ ours }: IpCommand, bytes: Buffer): Said {
  const [message] = decodeReplies([ours], bytes).messages[0] ?? []
  if (message === undefined) throw new Error('no message')
  return message as unknown as Said
}

/** In hex, with the bits cleared that tell a nest, which ip sets on some only. */
function unmarked(codec: Codec<unknown>, bytes: Buffer, start: number): string {
  const parent = codec.decode(bytes, start, bytes.length, {}) as object
  for (const [type, from, to] of walkAttributes(bytes, start, bytes.length)) {
    bytes.writeUInt16LE(bytes.readUInt16LE(from - 2) & ~NLA_F_NESTED, from - 2)
    const inner = isWalkable(codec) ? codec.inner(type, parent) : undefined
    if (inner !== undefined && isWalkable(inner)) unmarked(inner, bytes.subarray(0, to), from + (inner.attributesAt ?? 0))
  }
  return bytes.toString('hex')
}

export function compare(command: IpCommand, sent: Buffer): void {
  const bytes = encodeRequests([command.ours])
  const { as = (theirs: Said) => theirs } = command
  expect(said(command, bytes)).toEqual(as(said(command, sent)))
  if (command.exact !== true) return
  const { header, attributes } = command.ours.format
  const [ours, theirs] = [bytes, Buffer.from(sent)].map(message => {
    // as() may change the type.
    message.writeUInt16LE(0, 4)
    return unmarked(attributes, message, NLMSG_HDRLEN + header.size)
  })
  expect(ours).toEqual(theirs)
}

/** Messages of each of many commands, run one after the other: behind each ip asks for a link of its number. */
export async function sentByEach(all: readonly Pick<IpCommand, 'command'>[]): Promise<SentMessage[][]> {
  const script = all.map(({ command }, place) => `${command}; ip link show dev mark${place}`).join('\n')
  const sent = await straceBytes(['sh', '-c', `${script}\ntrue`], { setup })
  const groups: SentMessage[][] = all.map(() => [])
  let place = 0
  for (const message of sent) {
    const mark = message.type === RTM_GETLINK ? /mark(\d+)\0/.exec(message.bytes.toString('latin1')) : null
    if (mark === null) groups[place]?.push(message)
    else place = Number(mark[1]) + 1
  }
  return groups
}
