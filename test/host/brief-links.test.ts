import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { briefLinks } from '../../src/host/brief-links.ts'
import type { Channel, RequestStep } from '../../src/host/channel.ts'
import type { NetlinkError } from '../../src/netlink/error.ts'
import { Replies } from '../../src/netlink/message.ts'
import type { Message } from '../../src/netlink/message.ts'

/** Answers in the order asked, but for what does not fit into a buffer of so many replies, and links of odd index. */
class SmallChannel {
  readonly asked: number[] = []
  readonly room: number

  constructor(room: number) {
    this.room = room
  }

  attempt({ requests }: RequestStep): Promise<Replies> {
    this.asked.push(requests.length)
    const errors = Buffer.alloc(requests.length * 20)
    const replies = new Replies(requests, errors)
    requests.forEach(({ header }, at) => {
      const { index } = header as { index: number }
      const errno = at >= this.room ? constants.errno.ENOBUFS : index % 2 === 1 ? constants.errno.ENODEV : 0
      errors.writeUInt32LE(20, at * 20)
      errors.writeInt32LE(-errno, at * 20 + 16)
      if (errno !== 0) replies.addError(at, at * 20)
      else replies.messages[at]?.push({ type: 16, flags: 0, header: { index, flags: 0 }, attributes: { name: `l${index}` } } as unknown as Message)
    })
    return Promise.resolve(replies)
  }
}

test('what did not fit into the socket’s buffer is asked for again, a few at a time', async () => {
  const channel = new SmallChannel(77)
  const links = Array.from({ length: 700 }, (_, i) => i + 1)
  const found = await briefLinks(channel as unknown as Channel, links)
  expect(found.map(link => link?.index)).toEqual(links.map(index => (index % 2 === 0 ? index : undefined)))
  expect(Math.max(...channel.asked.slice(1).filter(length => length !== 200))).toBe(50)
})

test('a buffer that holds not even a few is an error', async () => {
  const links = Array.from({ length: 11 }, (_, i) => 2 * i + 2)
  const error = await briefLinks(new SmallChannel(10) as unknown as Channel, links).catch((caught: unknown) => caught)
  expect((error as NetlinkError).errnoName).toBe('ENOBUFS')
})
