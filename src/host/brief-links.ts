/** Many links read at once. */
import { constants } from 'node:os'
import type { NetlinkError } from '../netlink/error.ts'
import { decodeBriefLink, getBriefLink } from '../rtnetlink/brief.ts'
import type { BriefLink } from '../rtnetlink/brief.ts'
import { failure, repliesOf, routeStep } from './channel.ts'
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

/** Why there is no such link. */
export function absent(link: LinkRef): NetlinkError {
  const step = routeStep([getBriefLink(link)])
  return repliesOf(step, { errno: constants.errno.ENODEV, call: 'netlink' }).error as NetlinkError
}
