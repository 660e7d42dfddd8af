/** Our requests against those of bridge(8) and ip-neighbour(8): as captured, and as those of this machine send them. */
import { expect, test } from 'vitest'
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { AF_BRIDGE, RTM_GETLINK, RTM_NEWLINK, RTM_SETLINK } from '../../src/rtnetlink/constants.ts'
import { bridgePortOptions } from '../../src/rtnetlink/kinds/bridge.ts'
import { linkAttributes, setLink } from '../../src/rtnetlink/links.ts'
import { ifinfomsg } from '../../src/rtnetlink/messages.ts'
import { decode, encode } from '../netlink/support.ts'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { bridgeCommands, ofCards, portCommands } from './bridge_commands.ts'
import { compare, sentByEach } from './compare.ts'

const IFLA_PROTINFO = 12

/** `bridge link set` has in IFLA_PROTINFO, of AF_BRIDGE, what we have in the data of a port. */
function comparePort({ port, words }: typeof portCommands[number], sent: Buffer): void {
  const [request] = setLink(11, { port })
  const ours = encodeRequests(request === undefined ? [] : [request])
  const body = (message: Buffer): Buffer => message.subarray(NLMSG_HDRLEN + ifinfomsg.size)
  const [theirs, own] = [decode(linkAttributes, body(sent)), decode(linkAttributes, body(ours))]
  expect([sent.readUInt16LE(4), sent[NLMSG_HDRLEN], ours.readUInt16LE(4)], words).toEqual([RTM_SETLINK, AF_BRIDGE, RTM_NEWLINK])
  expect(own.linkinfo).toMatchObject({ portKind: 'bridge', portData: port })
  const data = theirs.raw?.find(({ type }) => (type & 0x3fff) === IFLA_PROTINFO)?.data
  expect(Buffer.from(data ?? []).toString('hex'), words).toBe(encode<object>(bridgePortOptions, port).toString('hex'))
}

test.each(bridgeCommands)('$command: as captured', command => {
  compare(command, Buffer.from(command.sent, 'hex'))
})

test.each(portCommands.filter(({ sent }) => sent !== undefined))('bridge link set dev v0 $words: as captured', command => {
  comparePort(command, Buffer.from(command.sent ?? '', 'hex'))
})

test('every captured command is compared', () => {
  expect(portCommands.filter(({ sent }) => sent !== undefined)).toHaveLength(20)
  expect(bridgeCommands.filter(({ sent }) => sent === '')).toEqual([])
})

const { test: live } = needing(
  needs.netAdmin, needs.tool('ip'), needs.tool('bridge'), needs.tool('strace'), needs.kernel('bridge'), needs.kernel('veth'))

live('neighbours, FDB, MDB and VLANs: as this machine sends them', async () => {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(await run('bridge', ['-V'])) ?? []
  const known = bridgeCommands.filter(({ newer }) => newer !== true || Number(major) > 6 || (major === '6' && Number(minor) >= 15))
  const groups = await sentByEach(known)
  known.forEach((command, place) => {
    const wanted = groups[place]?.filter(({ type }) => type === Buffer.from(command.sent, 'hex').readUInt16LE(4)).at(-1)
    if (wanted === undefined) throw new Error(`nothing is sent for ${command.command}`)
    compare(command, wanted.bytes)
  })
}, 60_000 * patience)

live('options of ports: every one that the bridge of this machine has, as it sends it', async () => {
  const { stderr: help } = await tryRun('bridge', ['link', 'help'])
  const [, usage = ''] = /set dev DEV([^]*?)bridge link show/.exec(help) ?? []
  const words = [...usage.matchAll(/\[ ([a-z_]+)/g)].map(([, word]) => word).filter(word => word !== undefined && !ofCards.includes(word))
  const known = portCommands.filter(({ words: own }) => words.includes(own.split(' ')[0]))
  expect(new Set(known.map(({ words: own }) => own.split(' ')[0]))).toEqual(new Set(words))
  const groups = await sentByEach(known.map(({ words: own }) => ({ command: `bridge link set dev v0 ${own}` })))
  known.forEach((command, place) => {
    const wanted = groups[place]?.filter(({ type }) => type === RTM_SETLINK).at(-1)
    if (wanted === undefined) throw new Error(`bridge sends nothing for ${command.words}`)
    comparePort(command, wanted.bytes)
  })
  expect(groups.flat().some(({ type }) => type === RTM_GETLINK)).toBe(true)
}, 60_000 * patience)
