/** Deleting all that a filter chooses. */
import { constants } from 'node:os'
import { BulkError } from '../errors.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { changeMany } from './bulk.ts'
import type { Channel } from './channel.ts'

const { EADDRNOTAVAIL, ENOENT, ESRCH, ENODEV } = constants.errno

/** Deletes what was listed; how many. What has gone meanwhile counts as deleted. */
export async function flush<T>(channel: Channel, list: string, items: readonly T[], request: (item: T) => AnyRequest): Promise<number> {
  try {
    await changeMany(channel, { list, items, request }, { atomic: false })
  } catch (error) {
    if (!(error instanceof BulkError)) throw error
    const others = error.failures.filter(({ error }) => !isGone(error))
    if (others.length > 0) throw new BulkError(list, items.length, others, error.done)
  }
  return items.length
}

function isGone(error: Error): boolean {
  return error instanceof NetlinkError && [EADDRNOTAVAIL, ENOENT, ESRCH, ENODEV].includes(error.errno)
}
