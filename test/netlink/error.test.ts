/** What the kernel refuses, in words: errno, its own message, and the attribute that it points at. */
import { constants } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirbrError } from '../../src/errors.ts'
import { string, u32, u8 } from '../../src/netlink/codecs.ts'
import {
  NLMSGERR_ATTR_MISS_NEST, NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS, NLMSG_ERROR, NLMSG_HDRLEN,
  NLM_F_ACK_TLVS, NLM_F_CAPPED,
} from '../../src/netlink/constants.ts'
import { NetlinkError } from '../../src/netlink/error.ts'
import { change, decodeReplies, dump, encodeRequests } from '../../src/netlink/message.ts'
import type { AnyRequest, Replies } from '../../src/netlink/message.ts'
import { attributes } from '../../src/netlink/table.ts'
import { IFLA_BR_FORWARD_DELAY, IFLA_BR_HELLO_TIME, IFLA_IFNAME, IFLA_INFO_KIND } from '../../src/rtnetlink/constants.ts'
import { deleteLink, getLink, listLinks, newLink } from '../../src/rtnetlink/links.ts'
import { Writer } from '../../src/netlink/writer.ts'
import { newHost, rejection } from '../host/support.ts'
import { needing, needs } from '../support/needs.ts'

const { EPERM, EACCES, EEXIST, EINVAL, ENOBUFS, ENODEV } = constants.errno

const tlvs = attributes({
  message: [NLMSGERR_ATTR_MSG, string(200)],
  offset: [NLMSGERR_ATTR_OFFS, u32],
  cookie: [3, u8],
  missing: [NLMSGERR_ATTR_MISS_TYPE, u32],
  missingNest: [NLMSGERR_ATTR_MISS_NEST, u32],
})

/** An NLMSG_ERROR for request `index`, with its header only (as NETLINK_CAP_ACK asks for) or all of it. */
function errorMessage(request: AnyRequest, index: number, errno: number, extack: object, capped = true): Buffer {
  const writer = new Writer()
  writer.reserve(NLMSG_HDRLEN + 4)
  const encoded = encodeRequests([request], index)
  writer.bytes(capped ? encoded.subarray(0, NLMSG_HDRLEN) : encoded)
  writer.align()
  tlvs.encode(writer, extack)
  const bytes = writer.finish()
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(NLMSG_ERROR, 4)
  bytes.writeUInt16LE((capped ? NLM_F_CAPPED : 0) | (Object.keys(extack).length > 0 ? NLM_F_ACK_TLVS : 0), 6)
  bytes.writeUInt32LE(index, 8)
  bytes.writeInt32LE(-errno, NLMSG_HDRLEN)
  return bytes
}

function replyTo(request: AnyRequest, errno: number, extack: object = {}, capped?: boolean): Replies {
  return decodeReplies([request], errorMessage(request, 0, errno, extack, capped))
}

const [create] = newLink({ name: 'br0', kind: 'bridge', mtu: 9000, bridge: { stp: true, forwardDelayMs: 2000 } }, {}) as [AnyRequest]
const [veth] = newLink({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1', mtu: 70_000 } } }, {}) as [AnyRequest]

/** Where the attribute of some type and value stands in a request. */
const offsetOf = (request: AnyRequest, hex: string): number => {
  const at = encodeRequests([request]).indexOf(Buffer.from(hex, 'hex'))
  expect(at).toBeGreaterThan(NLMSG_HDRLEN)
  return at
}
const mtuAttribute = '0800040028230000'
const delayAttribute = '08000100c8000000'
const peerMtuAttribute = '0800040070110100'
const linkinfoAttribute = offsetOf(create, '0b00010062726964676500') - 4

describe.each([['header', true], ['whole request', false]])('with the %s echoed', (_, capped) => {
  test.each([
    ['an attribute', create, { offset: offsetOf(create, mtuAttribute) }, 'mtu'],
    ['an attribute in a nest', create, { offset: offsetOf(create, delayAttribute) }, 'linkinfo.data.forwardDelayMs'],
    ['the value of an attribute', create, { offset: offsetOf(create, delayAttribute) + 4 }, 'linkinfo.data.forwardDelayMs'],
    ['an attribute behind a header', veth, { offset: offsetOf(veth, peerMtuAttribute) }, 'linkinfo.data.peer.mtu'],
    ['a nest', create, { offset: linkinfoAttribute }, 'linkinfo'],
    ['the header', create, { offset: NLMSG_HDRLEN + 4 }, undefined],
    ['nothing within', create, { offset: 100_000 }, undefined],
    ['a missing attribute', create, { missing: 3 }, 'missing name'],
    ['a missing attribute of a nest', create, { missing: IFLA_INFO_KIND, missingNest: linkinfoAttribute }, 'missing linkinfo.kind'],
    ['a missing attribute of an inner nest', create,
      { missing: IFLA_BR_HELLO_TIME, missingNest: offsetOf(create, delayAttribute) - 12 }, 'missing linkinfo.data.helloTimeMs'],
    ['a missing attribute without a name', create, { missing: 999 }, 'missing attribute 999'],
  ])('%s is named', (_name, request, extack, attribute) => {
    const { error } = replyTo(request, EINVAL, { message: 'No good', ...extack }, capped)
    expect(error).toBeInstanceOf(NetlinkError)
    expect(error).toMatchObject({
      code: 'ERR_NETLINK', errno: EINVAL, errnoName: 'EINVAL', operation: request.operation, kernelMessage: 'No good', attribute,
    })
    expect(error?.message).toBe(
      `${request.operation}: EINVAL, invalid argument: No good${attribute === undefined ? '' : ` (${attribute})`}`)
  })
})

test('an errno alone', () => {
  expect(replyTo(create, EEXIST).error).toMatchObject({
    message: 'create bridge br0: EEXIST, already exists', kernelMessage: undefined, attribute: undefined,
  })
})

test('a message with and without its NUL, and among attributes of other types', () => {
  expect(replyTo(create, EINVAL, { cookie: 1, message: 'Why', raw: [{ type: 99, data: Uint8Array.of(1) }] }).error?.kernelMessage).toBe('Why')
  const bare = { raw: [{ type: NLMSGERR_ATTR_MSG, data: Buffer.from('Why') }] }
  expect(replyTo(create, EINVAL, bare).error?.kernelMessage).toBe('Why')
})

test.each([['EPERM', EPERM], ['EACCES', EACCES]])('%s is ERR_NO_PERMISSION and names the capability', (name, errno) => {
  const { error } = replyTo(create, errno)
  expect(error).toMatchObject({ code: 'ERR_NO_PERMISSION', errnoName: name })
  expect(error?.message).toMatch(/^create bridge br0: .*; CAP_NET_ADMIN in the network namespace is needed$/)
})

test('a lost acknowledgement, which the native side makes an error of', () => {
  const made = Buffer.alloc(NLMSG_HDRLEN + 4)
  made.writeUInt32LE(made.length, 0)
  made.writeUInt16LE(NLMSG_ERROR, 4)
  made.writeInt32LE(-ENOBUFS, NLMSG_HDRLEN)
  expect(decodeReplies([create], made).error).toMatchObject({
    code: 'ERR_NETLINK', errnoName: 'ENOBUFS', message: 'create bridge br0: ENOBUFS, no buffer space; the outcome is unknown',
  })
})

test('errors go to the request that they are about, the first of each; the expected ones can be left out', () => {
  const requests = [getLink('lo'), deleteLink('a'), deleteLink('b'), deleteLink('c')]
  const reply = Buffer.concat([
    errorMessage(deleteLink('c'), 3, EPERM, {}), errorMessage(deleteLink('b'), 2, ENODEV, {}), errorMessage(deleteLink('b'), 2, EPERM, {}),
    errorMessage(deleteLink('x'), 4, EPERM, {}),
  ])
  const replies = decodeReplies(requests, reply)
  expect([0, 1, 2, 3, 4].map(index => replies.errno(index))).toEqual([0, 0, ENODEV, EPERM, 0])
  expect(replies.error?.operation).toBe('delete link b')
  expect(replies.firstError(ENODEV)?.operation).toBe('delete link c')
  expect(replies.firstError(ENODEV, EPERM)).toBeUndefined()
  expect([replies.errorOf(0), replies.errorOf(4), replies.errorOf(-1)]).toEqual([undefined, undefined, undefined])
})

test('any bytes are read as a reply: never an error but of ours', () => {
  const requests = [create, getLink('lo'), dump(listLinks())]
  const whole = Buffer.concat([
    encodeRequests([change(veth)]), errorMessage(create, 0, EINVAL, { message: 'Why', offset: 40, missing: 3, missingNest: 60 }, false),
    errorMessage(create, 1, EINVAL, { offset: 60 }),
  ])
  const changed = fc.tuple(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 12 }), fc.nat(whole.length))
    .map(([changes, cut]) => {
      const bytes = Buffer.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      return bytes.subarray(0, bytes.length - cut)
    })
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed, changed), bytes => {
    const replies = decodeReplies(requests, bytes)
    for (const index of requests.keys()) {
      const error = replies.errorOf(index)
      if (error !== undefined) expect(error).toBeInstanceOf(VirbrError)
    }
  }), { numRuns: 5000 })
})

test('an echo that says it is 4 GiB long', () => {
  for (const length of [0xffffffff, 0x80000000, 0x7fffffff]) {
    const bytes = errorMessage(create, 0, EINVAL, { message: 'Why' }, false)
    bytes.writeUInt32LE(length, NLMSG_HDRLEN + 4)
    expect(decodeReplies([create], bytes).error).toMatchObject({ errnoName: 'EINVAL', kernelMessage: undefined })
  }
})

const live = needing(needs.kernel('bridge'), needs.kernel('veth'))
live.test('the kernel itself points at attributes', async () => {
  const host = await newHost()
  const short = { raw: [{ type: IFLA_BR_FORWARD_DELAY, data: Uint8Array.of(1) }] }
  expect(await rejection(host.links.create({ name: 'b', kind: 'bridge', bridge: short }))).toMatchObject({
    code: 'ERR_NETLINK', operation: 'create bridge b', attribute: 'linkinfo.data.forwardDelayMs', kernelMessage: expect.any(String) as string,
  })
  const tooLong = { raw: [{ type: IFLA_IFNAME, data: Buffer.alloc(20, 'x') }] }
  expect(await rejection(host.links.create({ name: 'v', kind: 'veth', veth: { peer: { name: 'w', ...tooLong } } }))).toMatchObject({
    attribute: 'linkinfo.data.peer.name',
  })
})
