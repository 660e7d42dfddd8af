/** Many links read at once. */
import { constants } from 'node:os'
import type { NetlinkError } from '../netlink/error.ts'
import type { Message } from '../netlink/message.ts'
import { decodeBriefLink, getBriefLink } from '../rtnetlink/brief.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { repliesOf, routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import type { LinkRef } from './link-ref.ts'
import { Turns } from './turns.ts'

/**
 * Links asked for in one sendmsg. The kernel takes its lock for each: one after the other it gets it at once, though others
 * wait for it as well; whoever asks again later waits behind all that the kernel has to do for new links.
 */
const linksAtOnce = 500

/** The same where the socket's buffer is small, as in a user namespace: replies wait in it. */
const fewAtOnce = 50

const { ENODEV, ENOBUFS } = constants.errno

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
    for (const message of await ask(channel, chunk)) {
      take(message === undefined ? undefined : decodeBriefLink(message), position++)
      if (turns.over) await turns.next()
    }
  }
}

async function ask(channel: Channel, links: readonly LinkRef[]): Promise<(Message | undefined)[]> {
  const replies = await channel.attempt(routeStep(links.map(getBriefLink), { mayFail: true }))
  const found = replies.messages.map(([message]) => message)
  if (replies.firstError(ENODEV) === undefined) return found
  const error = replies.firstError(ENODEV, ENOBUFS)
  if (error !== undefined || links.length <= fewAtOnce) throw error ?? replies.error as NetlinkError
  const lost = links.map((_, at) => at).filter(at => replies.errno(at) === ENOBUFS)
  for (const some of chunksOf(lost, fewAtOnce)) {
    const again = await ask(channel, some.map(at => links[at] as LinkRef))
    again.forEach((message, at) => { found[some[at] as number] = message })
  }
  return found
}

/** Why there is no such link. */
export function absent(link: LinkRef): NetlinkError {
  const step = routeStep([getBriefLink(link)])
  return repliesOf(step, { errno: ENODEV, call: 'netlink' }).error as NetlinkError
}
