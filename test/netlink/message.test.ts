/** Batches of requests, and replies sorted by request. */
import { expect, test } from 'vitest'
import { u16, u32, u8 } from '../../src/netlink/codecs.ts'
import { NLMSG_DONE, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from '../../src/netlink/constants.ts'
import { Replies, change, decodeReplies, dump, encodeRequests } from '../../src/netlink/message.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { attributes, struct } from '../../src/netlink/table.ts'

const format = { header: struct({ family: u8, flags: u8, size: u32 }), attributes: attributes({ a: [1, u16], b: [2, u32] }) }
const request = (values: object, header: object = {}): AnyRequest =>
  ({ type: 77, flags: 0, format, header, attributes: values, operation: 'ask' })

test('a header of six bytes is padded; the number is the index; length without the padding of what follows', () => {
  const bytes = encodeRequests([change(request({ a: 7 }, { family: 2 })), dump(request({}, { size: 5 }))], 10)
  expect(bytes.toString('hex')).toBe([
    '20000000', '4d00', '0500', '0a000000', '00000000', '020000000000', '0000', '06000100', '0700', '0000',
    '18000000', '4d00', '0103', '0b000000', '00000000', '000005000000', '0000',
  ].join(''))
})

test('a change is acknowledged, a dump is a dump, both keep their flags', () => {
  expect(change({ ...request({}), flags: 0x400 }).flags).toBe(0x400 | NLM_F_ACK)
  expect(dump({ ...request({}), flags: 0x20 }).flags).toBe(0x20 | NLM_F_DUMP)
  expect(encodeRequests([request({})]).readUInt16LE(6)).toBe(NLM_F_REQUEST)
})

test('ten thousand requests are one buffer', () => {
  const bytes = encodeRequests(Array.from({ length: 10_000 }, () => request({ a: 1, b: 2 })))
  expect(bytes.length).toBe(400_000)
  expect(bytes.readUInt32LE(bytes.length - 40 + 8)).toBe(9999)
})

test('a value that does not fit: nothing is encoded, the path has no number of the request', () => {
  expect(() => encodeRequests([request({ a: 1 }), request({ a: 99_999 })])).toThrow('a: expected an integer from 0 to 65535, got 99999')
  expect(() => encodeRequests([request({}, { family: 256 })])).toThrow('family: expected an integer from 0 to 255, got 256')
})

test('replies by request, in order; what is of no request or too short is passed over', () => {
  const requests = [request({}), request({}), request({})]
  const reply = Buffer.concat([
    encodeRequests([request({ a: 1 }, { family: 9 })], 2), encodeRequests([request({ a: 2 })], 0), encodeRequests([request({ a: 3 })], 2),
    encodeRequests([request({ a: 4 })], 3), encodeRequests([{ ...request({ a: 5 }), type: NLMSG_DONE }], 1),
    Buffer.from('14000000' + '4d000000' + '01000000' + '00000000' + '00000000', 'hex'),
  ])
  const { messages, error } = decodeReplies(requests, reply)
  expect(error).toBeUndefined()
  expect(messages.map(list => list.map(message => message.attributes))).toEqual([[{ a: 2 }], [], [{ a: 1 }, { a: 3 }]])
  expect(messages[2]?.[0]).toEqual({ type: 77, flags: NLM_F_REQUEST, header: { family: 9, flags: 0, size: 0 }, attributes: { a: 1 } })
})

test('a reply may stand anywhere in its memory', () => {
  const bytes = encodeRequests([request({ b: 5 })])
  const shifted = new Uint8Array(bytes.length + 3)
  shifted.set(bytes, 3)
  expect(decodeReplies([request({})], shifted.subarray(3)).messages[0]?.[0]?.attributes).toEqual({ b: 5 })
})

test('no reply at all is an error of the first request', () => {
  const replies = Replies.none([request({}), request({})], 105)
  expect([replies.errno(0), replies.errno(1), replies.error?.errnoName, replies.messages]).toEqual([105, 0, 'ENOBUFS', [[], []]])
})
