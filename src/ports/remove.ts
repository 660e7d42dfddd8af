/** Many links deleted at once. */
import { randomInt } from 'node:crypto'
import { constants } from 'node:os'
import type { Channel } from '../host/channel.ts'
import { routeStep } from '../host/channel.ts'
import { deleteGroup, setLink } from '../rtnetlink/links.ts'

/**
 * How many ports go into one visit to the Host's thread: other requests of the Host wait meanwhile, and those of other
 * programs for the kernel's lock.
 */
export const chunkSize = 500

export function* chunksOf<T>(items: readonly T[], size = chunkSize): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

/**
 * Deletes links by a group that they are put into: one wait of the kernel for all of a chunk, where single deletes wait
 * one by one. Links that are gone already do not matter.
 */
export async function deleteLinks(channel: Channel, links: readonly (string | number)[]): Promise<void> {
  for (const chunk of chunksOf(links)) {
    // Nobody else's: people give small numbers.
    const group = randomInt(0x40000000, 0x80000000)
    const requests = [...chunk.flatMap(link => setLink(link, { group })), deleteGroup(group)]
    const replies = await channel.attempt(routeStep(requests, { mayFail: true }))
    const error = replies.firstError(constants.errno.ENODEV)
    if (error !== undefined) throw error
  }
}
