/** Many links read at once. */
import { constants } from 'node:os'
import type { NetlinkError } from '../netlink/error.ts'
import { Notice, bodies } from '../netlink/events.ts'
import type { MessageFormat } from '../netlink/message.ts'
import { decodeBriefLink, getBriefLink, listBriefLinks } from '../rtnetlink/brief.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { RTM_NEWLINK } from '../rtnetlink/constants.ts'
import { failure, isFailure, repliesOf, routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import type { LinkRef } from './link-ref.ts'
import { Turns } from './turns.ts'

/** Replies to several reads at once wait in the socket's buffer, which may be small in a user namespace. */
const readsAtOnce = 50

/** Links for one visit to the Host's thread. */
const linksAtOnce = 500

export function* chunksOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

/**
 * In the order asked for; undefined where there is no such link. A request each, never a dump: that costs the kernel as
 * much a link, and is of all links of the namespace. About 10 µs a link.
 */
export async function briefLinks(channel: Channel, links: readonly LinkRef[]): Promise<(BriefLink | undefined)[]> {
  const found: (BriefLink | undefined)[] = []
  await eachBriefLink(channel, links, link => { found.push(link) })
  return found
}

/** The same, one after the other: for those who need little of each. */
export async function eachBriefLink(
  channel: Channel, links: readonly LinkRef[], take: (link: BriefLink | undefined, position: number) => void,
): Promise<void> {
  const turns = new Turns()
  let position = 0
  for (const chunk of chunksOf(links, linksAtOnce)) {
    const steps = []
    for (const few of chunksOf(chunk, readsAtOnce)) {
      steps.push(routeStep(few.map(getBriefLink), { mayFail: true }))
      if (turns.over) await turns.next()
    }
    const { results, failed } = await channel.exec(steps)
    if (failed !== undefined) throw failure(steps[failed.step] as never, failed)
    for (const [at, step] of steps.entries()) {
      const replies = repliesOf(step, results[at])
      const error = replies.firstError(constants.errno.ENODEV)
      if (error !== undefined) throw error
      for (const [message] of replies.messages) take(message === undefined ? undefined : decodeBriefLink(message), position++)
      if (turns.over) await turns.next()
    }
  }
}

/** From so many on, links are looked for in a list of all, unless that is so many times as long. */
const manyLinks = 100
const mostTimes = 20

/**
 * The same for many links, perhaps just made: each question would wait for the kernel's lock, which its own work on new
 * links holds most of the time; a list takes it once for some twenty. In any order, each position once.
 */
export async function eachOfManyLinks(
  channel: Channel, links: readonly LinkRef[], take: (link: BriefLink | undefined, position: number) => void,
): Promise<void> {
  if (links.length < manyLinks || await countLinks(channel) > links.length * mostTimes) return eachBriefLink(channel, links, take)
  const known = new Map<LinkRef, BriefLink>()
  const turns = new Turns()
  const request = listBriefLinks()
  const step = { ...routeStep([request], { mayFail: true }), partial: true }
  const { results: [reply] } = await channel.exec([step])
  if (isFailure(reply)) throw failure(step, reply)
  for (const { type, flags, body } of bodies(Buffer.from(reply.buffer, reply.byteOffset, reply.length))) {
    if (type !== RTM_NEWLINK) continue
    const link = decodeBriefLink(new Notice(type, flags, body, request.format as MessageFormat))
    known.set(link.name, link)
    known.set(link.index, link)
    if (turns.over) await turns.next()
  }
  // Those that are not there, and those that are given by another of their names.
  const others: number[] = []
  for (const [position, ref] of links.entries()) {
    const link = known.get(ref)
    if (link === undefined) others.push(position)
    else take(link, position)
    if (turns.over) await turns.next()
  }
  await eachBriefLink(channel, others.map(position => links[position] as LinkRef), (link, at) => { take(link, others[at] as number) })
}

/** Of the namespace; a line each, behind two of headings. The kernel takes no lock for them. */
async function countLinks(channel: Channel): Promise<number> {
  const step = { op: 'readFile', path: '/proc/thread-self/net/dev', mayFail: true } as const
  const { results: [lines] } = await channel.exec([step])
  if (isFailure(lines)) return Infinity
  let count = -2
  for (const byte of lines) if (byte === 0x0a) count++
  return count
}

/** Why there is no such link. */
export function absent(link: LinkRef): NetlinkError {
  const step = routeStep([getBriefLink(link)])
  return repliesOf(step, { errno: constants.errno.ENODEV, call: 'netlink' }).error as NetlinkError
}
