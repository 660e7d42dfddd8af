/** Netlink steps, with messages framed by hand: what goes out, and which reply finds which request. */
import { constants } from 'node:os'
import { expect } from 'vitest'
import { Channel, firewallReadStep, firewallStep } from '../../src/host/channel.ts'
import { encodeBatch } from '../../src/nftables/batch.ts'
import type { EncodedBatch } from '../../src/nftables/batch.ts'
import { addTable, deleteTable, listTables } from '../../src/nftables/tables.ts'
import { ipJson, nftJson } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import {
  NLM_F_ACK, NLM_F_DUMP, NLMSG_ERROR, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, createLink, deleteLink, dumpLinks, linkKind, linkMessage,
  linkName, nameOf, openHost, parseReplies, vethPeer,
} from './support.ts'
import type { Reply } from './support.ts'

const { test } = needing(needs.kernel('bridge'), needs.kernel('veth'))
const { EBADMSG, EEXIST, ENODEV, EOPNOTSUPP } = constants.errno
const NLM_F_ACK_TLVS = 0x200

async function request(messages: readonly Buffer[], options: { protocol?: number, atomic?: boolean } = {}) {
  const host = await openHost()
  const step = { op: 'netlink', protocol: 0, messages: Buffer.concat(messages), ...options } as const
  const { results, failed } = await host.exec([step])
  return { host, failed, replies: parseReplies(results[0]) }
}

const errors = (replies: Reply[]) => replies.filter(reply => reply.type === NLMSG_ERROR).map(({ sequence, errno }) => [sequence, errno])
const namesIn = (replies: Reply[], sequence: number) =>
  replies.filter(reply => reply.type === RTM_NEWLINK && reply.sequence === sequence).map(nameOf)

test('what succeeds leaves no reply', async () => {
  const { host, failed, replies } = await request([createLink(0, 'br0')])
  expect(failed).toBeUndefined()
  expect(replies).toEqual([])
  expect(await ipJson(host.netnsFd, 'link', 'show', 'br0')).toMatchObject([{ linkinfo: { info_kind: 'bridge' } }])
})

test('a refusal comes back under the index of its request, with the kernel’s own words', async () => {
  const { failed, replies } = await request([createLink(0, 'br0'), createLink(1, 'br1', 'nosuchkind'), createLink(2, 'br0')])
  expect(failed).toEqual({ step: 0, errno: EOPNOTSUPP, call: 'netlink' })
  expect(errors(replies)).toEqual([[1, EOPNOTSUPP], [2, EEXIST]])
  expect(replies[0]?.bytes.readUInt16LE(6)).toSatisfy(flags => (Number(flags) & NLM_F_ACK_TLVS) !== 0)
  expect(replies[0]?.bytes.toString('latin1')).toContain('Unknown device type')
})

test('a step that may fail gives the reply, and the run goes on', async () => {
  const host = await openHost()
  const { results, failed } = await host.exec([
    { op: 'netlink', protocol: 0, messages: deleteLink(0, 'none'), mayFail: true },
    { op: 'netlink', protocol: 0, messages: createLink(0, 'br0') },
  ])
  expect(failed).toBeUndefined()
  expect(errors(parseReplies(results[0]))).toEqual([[0, ENODEV]])
  expect(results[1].length).toBe(0)
})

test('a step that fails stops the run, and its reply is the last result', async () => {
  const host = await openHost()
  const { results, failed } = await host.exec([
    { op: 'netlink', protocol: 0, messages: deleteLink(0, 'none') },
    { op: 'netlink', protocol: 0, messages: createLink(0, 'br0') },
  ])
  expect(failed).toEqual({ step: 0, errno: ENODEV, call: 'netlink' })
  expect(results.length).toBe(1)
  expect((await ipJson(host.netnsFd, 'link')).length).toBe(1)
})

test('a get answers with its one message', async () => {
  const { replies } = await request([createLink(0, 'br0'), linkMessage(RTM_GETLINK, NLM_F_ACK, 1, [linkName('br0')])])
  expect(namesIn(replies, 1)).toEqual(['br0'])
  expect(replies.length).toBe(1)
})

test('a dump in the middle of a batch sees what came before, and not what comes after', async () => {
  const { replies } = await request([createLink(0, 'a0'), dumpLinks(1), createLink(2, 'b0'), dumpLinks(3), deleteLink(4, 'none')])
  expect(namesIn(replies, 1).sort()).toEqual(['a0', 'lo'])
  expect(namesIn(replies, 3).sort()).toEqual(['a0', 'b0', 'lo'])
  expect(errors(replies)).toEqual([[4, ENODEV]])
})

test('1,000 links from one batch; their dump is read whole', { timeout: 60_000 }, async () => {
  const pairs = Array.from({ length: 500 }, (_, i) => createLink(i, `v${i}`, 'veth', vethPeer(`p${i}`)))
  const { host, failed } = await request(pairs)
  expect(failed).toBeUndefined()
  const { results } = await host.exec([{ op: 'netlink', protocol: 0, messages: dumpLinks(0) }])
  expect(results[0].length).toBeGreaterThan(64 << 10)
  const names = namesIn(parseReplies(results[0]), 0)
  const theirs = (await ipJson(host.netnsFd, 'link')).map(link => link['ifname'])
  expect(names.length).toBe(1001)
  expect([...names].sort()).toEqual(theirs.sort())
})

test('5,000 messages with 5,000 refusals: none is lost', async () => {
  const { failed, replies } = await request(Array.from({ length: 5000 }, (_, i) => deleteLink(i, `none${i}`)))
  expect(failed?.errno).toBe(ENODEV)
  expect(errors(replies)).toEqual(Array.from({ length: 5000 }, (_, i) => [i, ENODEV]))
})

test.each([['each acknowledged', NLM_F_ACK], ['none', 0]])('20,000 messages, %s, of which one in a thousand is refused', async (_, flags) => {
  const get = (i: number): Buffer => linkMessage(17 + 2, flags, i, [], 1) // RTM_SETLINK that changes nothing
  const refused = (i: number): Buffer => linkMessage(RTM_DELLINK, flags, i, [linkName('none')])
  const messages = Array.from({ length: 20_000 }, (_, i) => (i % 1000 === 999 ? refused(i) : get(i)))
  const { replies } = await request(messages)
  expect(errors(replies)).toEqual(Array.from({ length: 20 }, (_, i) => [i * 1000 + 999, ENODEV]))
})

test('a message without NLM_F_ACK is not waited for', async () => {
  const quiet = linkMessage(RTM_NEWLINK, 0x600, 0, [linkName('br0'), linkKind('bridge')])
  const { host, failed, replies } = await request([quiet])
  expect([failed, replies]).toEqual([undefined, []])
  expect((await ipJson(host.netnsFd, 'link')).length).toBe(2)
})

test('nothing to send, nothing to read', async () => {
  expect((await request([])).replies).toEqual([])
})

const cut = (bytes: Buffer, change: (bytes: Buffer) => void): Buffer => {
  change(bytes)
  return bytes
}
test.each([
  ['shorter than a header', Buffer.alloc(15)],
  ['a length below the header’s', cut(createLink(0, 'br0'), bytes => bytes.writeUInt32LE(15, 0))],
  ['a length of zero', cut(createLink(0, 'br0'), bytes => bytes.writeUInt32LE(0, 0))],
  ['a length beyond the end', cut(createLink(0, 'br0'), bytes => bytes.writeUInt32LE(bytes.length + 1, 0))],
  ['a length near 2^32', cut(createLink(0, 'br0'), bytes => bytes.writeUInt32LE(0xfffffffe, 0))],
  ['a wrong number', createLink(1, 'br0')],
  ['a rest', Buffer.concat([createLink(0, 'br0'), Buffer.alloc(4)])],
])('bad framing is EBADMSG, and nothing is sent: %s', async (_, bytes) => {
  const { host, failed } = await request([bytes])
  expect(failed).toEqual({ step: 0, errno: EBADMSG, call: 'netlink' })
  expect((await ipJson(host.netnsFd, 'link')).length).toBe(1)
})

test('a reply is the caller’s own memory, small or large', async () => {
  const host = await openHost()
  const read = async (): Promise<Uint8Array> => (await host.exec([{ op: 'netlink', protocol: 0, messages: dumpLinks(0) }])).results[0]
  const [one, two] = [await read(), await read()]
  one.fill(0)
  expect(nameOf(parseReplies(two)[0] as Reply)).toBe('lo')
})

test('an unknown protocol fails as a call', async () => {
  const { failed } = await request([dumpLinks(0)], { protocol: 31 })
  expect(failed).toEqual({ step: 0, errno: constants.errno.EPROTONOSUPPORT, call: 'socket' })
})

const nftables = needing(needs.kernel('nftables'), needs.tool('nft'))

/** The same batch with every message acknowledged, not the last one only. */
function acknowledgeAll({ bytes, requests }: EncodedBatch): Buffer {
  const all = Buffer.from(bytes)
  for (let at = 0, i = 0; at < all.length; at += (all.readUInt32LE(at) + 3) & ~3, i++) {
    if (i > 0 && i < requests.length - 1) all.writeUInt16LE(all.readUInt16LE(at + 6) | NLM_F_ACK, at + 6)
  }
  return all
}

nftables.test('an atomic batch is one batch however many acknowledgements it brings', async () => {
  const host = await openHost()
  const tables = Array.from({ length: 8000 }, (_, i) => addTable({ family: 'ip', name: `t${i}` }))
  const batch = acknowledgeAll(encodeBatch([...tables, deleteTable({ family: 'ip', name: 't7' })]))
  const { failed, results } = await host.exec([{ op: 'netlink', protocol: 12, messages: batch, atomic: true }])
  expect([failed, results[0].length]).toEqual([undefined, 0])
  const { messages } = await new Channel(host).attempt(firewallReadStep([listTables()]))
  expect(messages[0]?.length).toBe(7999)
})

nftables.test('a refusal anywhere in an atomic batch undoes all of it', async () => {
  const host = await openHost()
  const tables = Array.from({ length: 2000 }, (_, i) => addTable({ family: 'ip', name: `t${i}` }))
  const { failed } = await host.exec([firewallStep([...tables, deleteTable({ family: 'ip', name: 'none' })])])
  expect(failed?.errno).toBe(constants.errno.ENOENT)
  expect(await nftJson(host.netnsFd, 'list', 'tables')).toEqual([])
})

test('a dump that keeps being disturbed is repeated until it is whole', { timeout: 60_000 }, async () => {
  const [reader, writer] = [await openHost(), await openHost()]
  const there = await openHost({ fd: reader.netnsFd })
  await reader.exec([{ op: 'netlink', protocol: 0, messages: Buffer.concat(Array.from({ length: 200 }, (_, i) => createLink(i, `b${i}`))) }])
  let busy = true
  const disturb = (async () => {
    while (busy) await there.exec([{ op: 'netlink', protocol: 0, messages: Buffer.concat([createLink(0, 'x'), deleteLink(1, 'x')]) }])
  })()
  for (let i = 0; i < 20; i++) {
    const { results, failed } = await reader.exec([{ op: 'netlink', protocol: 0, messages: linkMessage(RTM_GETLINK, NLM_F_DUMP, 0) }])
    // EINTR: ten times in a row, which the contract allows.
    if (failed !== undefined) expect(failed.errno).toBe(constants.errno.EINTR)
    else expect(namesIn(parseReplies(results[0]), 0).filter(name => name !== 'x').length).toBe(201)
  }
  busy = false
  await disturb
  expect(writer.netnsInode).not.toBe(reader.netnsInode)
})
