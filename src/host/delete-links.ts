/**
 * Many links deleted: each is put into a scratch group, then the group is deleted. The kernel then waits once for all
 * that still look at them (a grace period), where single deletes wait one by one, 20 to 60 ms each.
 */
import { randomInt } from 'node:crypto'
import { constants } from 'node:os'
import { InvalidArgumentError, VirbrError } from '../errors.ts'
import { NETLINK_ROUTE, NLM_F_ACK } from '../netlink/constants.ts'
import { NetlinkError } from '../netlink/error.ts'
import { encodeRequest } from '../netlink/message.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { Writer } from '../netlink/writer.ts'
import { deleteGroup, deleteLink, probeGroup, setLink } from '../rtnetlink/links.ts'
import { Bulk, bulkOptions, checkBulk } from './bulk.ts'
import type { BulkOptions } from './bulk.ts'
import { routeStep } from './channel.ts'
import type { Channel, RequestStep } from './channel.ts'
import { absent, chunksOf, eachBriefLink } from './brief-links.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'
import { Turns } from './turns.ts'

/**
 * The kernel's lock is held for about half a millisecond a link while a group is deleted. Fewer at once would leave others up,
 * whose IPv6 then floods the bridges that the next ones are to leave.
 */
const groupSize = 1000

const { ENODEV, EOPNOTSUPP } = constants.errno

/** `host.links.deleteMany`. */
export async function deleteMany(channel: Channel, links: readonly LinkRef[], options: BulkOptions): Promise<void> {
  checkBulk('links', links, options)
  const turns = new Turns()
  const seen = new Map<LinkRef, number>()
  for (const [position, link] of links.entries()) {
    checkLinkRef(link, `links[${position}]`)
    checkOnce(seen, link, position, link)
    if (turns.over) await turns.next()
  }
  await channel.hold(async held => {
    const bulk = new Bulk(held, 'links', links, bulkOptions(true, options))
    const [doomed, group] = await Promise.all([choose(held, bulk, links), links.length > 1 ? scratchGroup(held) : 0])
    for (const chunk of chunksOf(doomed, groupSize)) {
      if (bulk.stopped) break
      await deleteChunk(held, group, chunk, (position, error) => error === undefined ? bulk.touch(position) : bulk.fail(position, error))
    }
    await bulk.finish()
  })
}

interface Doomed {
  link: LinkRef
  /** What it was in before. */
  group: number
  /** Its place in the caller's list. */
  position: number
}

/** Those that can be deleted; the others have failed. Throws InvalidArgumentError if one stands in the list twice. */
async function choose(channel: Channel, bulk: Bulk<LinkRef>, links: readonly LinkRef[]): Promise<Doomed[]> {
  const doomed: Doomed[] = []
  const byIndex = new Map<LinkRef, number>()
  await eachBriefLink(channel, links, (brief, position) => {
    const link = links[position] as LinkRef
    if (brief === undefined) return bulk.fail(position, noLink(absent(link), link))
    // The kernel would refuse the whole group for it.
    if (brief.kind === undefined) return bulk.fail(position, new NetlinkError(`delete link ${link}, hardware or loopback`, EOPNOTSUPP))
    checkOnce(byIndex, brief.index, position, link)
    doomed.push({ link: brief.index, group: brief.group, position })
  })
  return doomed
}

function checkOnce(seen: Map<LinkRef, number>, key: LinkRef, position: number, link: LinkRef): void {
  const first = seen.get(key)
  if (first !== undefined) throw new InvalidArgumentError(`links[${position}]`, link, `each link once; links[${first}] is the same`)
  seen.set(key, position)
}

/** What became of one. */
type Settle = (position: number, error: Error | undefined) => void

/** Links that are gone already do not matter: some go with others, as a veth with its peer. */
async function deleteChunk(channel: Channel, group: number, links: readonly Doomed[], settle: Settle): Promise<void> {
  if (links.length === 1) return deleteOne(channel, links[0] as Doomed, settle)
  const replies = await channel.attempt(await groupStep(links, group))
  const refused = replies.errno(links.length)
  const error = refused === 0 || refused === ENODEV ? undefined : replies.errorOf(links.length)
  for (const [at, { position }] of links.entries()) {
    const own = replies.errno(at)
    settle(position, own === ENODEV ? undefined : own !== 0 ? replies.errorOf(at) : error)
  }
  if (error === undefined) return
  await channel.attempt(routeStep(links.flatMap(({ link, group: before }) => setLink(link, { group: before })), { mayFail: true }))
}

/** All into the group, then the group away: one sendmsg. Encoded in slices: five hundred would take some milliseconds. */
async function groupStep(links: readonly Doomed[], group: number): Promise<RequestStep> {
  const turns = new Turns()
  const writer = new Writer(links.length * 64)
  const requests: AnyRequest[] = []
  // Only the last is acknowledged: the kernel tells of what it refuses in any case.
  const add = (request: AnyRequest, flags = request.flags & ~NLM_F_ACK): void => {
    encodeRequest(writer, request, requests.length, flags)
    requests.push(request)
  }
  for (const { link } of links) {
    if (turns.over) await turns.next()
    setLink(link, { group }).forEach(request => { add(request) })
  }
  const last = deleteGroup(group)
  add(last, last.flags)
  return { op: 'netlink', protocol: NETLINK_ROUTE, messages: writer.finish(), requests, mayFail: true }
}

async function deleteOne(channel: Channel, { link, position }: Doomed, settle: Settle): Promise<void> {
  const replies = await channel.attempt(routeStep([deleteLink(link)], { mayFail: true }))
  settle(position, replies.firstError(ENODEV))
}

/**
 * A group that nobody uses: people give small numbers, and of what is left one is chosen at random, so that other
 * processes that do the same choose another; and the kernel is asked.
 */
async function scratchGroup(channel: Channel): Promise<number> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const group = randomInt(0x40000000, 0x80000000)
    const replies = await channel.attempt(routeStep([probeGroup(group)], { mayFail: true }))
    if (replies.errno(0) === constants.errno.EPERM) throw replies.error as NetlinkError
    if (replies.errno(0) === 0) return group
  }
  throw new VirbrError('ERR_NETLINK', 'no free group of links was found in ten attempts')
}

/** Takes away links with the groups that they are in; throws the first error, after all have been tried. */
export async function deleteLinks(channel: Channel, links: readonly { link: LinkRef, group: number }[]): Promise<void> {
  let first: Error | undefined
  const group = links.length > 1 ? await scratchGroup(channel) : 0
  for (const chunk of chunksOf(links, groupSize)) {
    const doomed = chunk.map((link, position) => ({ ...link, position }))
    await deleteChunk(channel, group, doomed, (_, error) => { first ??= error })
  }
  if (first !== undefined) throw first
}
