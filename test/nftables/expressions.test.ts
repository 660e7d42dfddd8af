import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirbrError } from '../../src/errors.ts'
import { decodeReplies, encodeRequests } from '../../src/netlink/message.ts'
import type { AnyRequest, Message } from '../../src/netlink/message.ts'
import { decodeChain, listChains } from '../../src/nftables/chains.ts'
import { isExpression } from '../../src/nftables/expressions.ts'
import type { Expression } from '../../src/nftables/expressions.ts'
import { formatIptablesList } from '../../src/nftables/iptables/list.ts'
import { formatIptablesSave } from '../../src/nftables/iptables/save.ts'
import { addRule, decodeRule, listRules } from '../../src/nftables/rules.ts'
import { decodeTable, listTables } from '../../src/nftables/tables.ts'

function roundTrip(expressions: Expression[]): Expression[] {
  const request = addRule({ family: 'ip', table: 't', chain: 'c', expressions })
  const [message] = decodeReplies([request], encodeRequests([request])).messages[0] as [Message]
  return decodeRule(message).expressions
}

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const u8 = fc.integer({ min: 0, max: 0xff })
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const name = fc.stringMatching(/^[a-zA-Z0-9_./-]{1,32}$/)
const value = fc.record({ value: bytes(64) })
const verdict = fc.record({
  verdict: fc.record(
    { code: fc.constantFrom('accept', 'drop', 'jump', 'goto', 'return', 'continue'), chain: name },
    { requiredKeys: ['code'] },
  ),
})

/** One kind of expression and the fields of its data. */
function kind(name: string, data: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> {
  return fc.record({ name: fc.constant(name), data: fc.record(data) })
}

const arbitraryExpression: fc.Arbitrary<Expression> = fc.oneof(
  kind('immediate', { dreg: u32, data: fc.oneof(value, verdict) }),
  kind('meta', { key: fc.constantFrom('iifname', 'l4proto', 'mark'), dreg: u32 }),
  kind('payload', { dreg: u32, base: fc.constantFrom('link', 'network', 'transport'), offset: u32, len: u32 }),
  kind('cmp', { sreg: u32, op: fc.constantFrom('eq', 'neq', 'lt', 'gte'), data: value }),
  kind('range', { sreg: u32, op: fc.constantFrom('eq', 'neq'), from: value, to: value }),
  kind('bitwise', { sreg: u32, dreg: u32, len: u32, mask: value, xor: value }),
  kind('counter', { bytes: count, packets: count }),
  kind('reject', { type: fc.constantFrom('icmp', 'icmpx', 'tcp reset'), code: u8 }),
  kind('masq', { flags: u32, regProtoMin: u32, regProtoMax: u32 }),
  kind('masq', {}),
  kind('lookup', { set: name, sreg: u32, setId: u32, flags: u32 }),
  kind('match', { name: fc.constant('conntrack'), revision: u8, info: bytes(200) }),
  fc.record({ name: fc.constant('of a later kernel'), data: bytes(40) }),
) as fc.Arbitrary<Expression>

describe('round trips', () => {
  test('of known and unknown expressions', () => {
    fc.assert(fc.property(fc.array(arbitraryExpression, { maxLength: 12 }), expressions => {
      expect(roundTrip(expressions)).toEqual(expressions)
    }))
  })
  test('attributes and numbers without a name are kept', () => {
    const expressions: Expression[] = [
      { name: 'meta', data: { key: 4711, dreg: 1, raw: [{ type: 200, data: Uint8Array.of(1, 2, 3) }] } },
    ]
    expect(roundTrip(expressions)).toEqual(expressions)
  })
})

test('isExpression tells decoded expressions from raw ones', () => {
  expect(isExpression({ name: 'meta', data: { key: 'mark' } }, 'meta')).toBe(true)
  expect(isExpression({ name: 'meta', data: Uint8Array.of(1) }, 'meta')).toBe(false)
  expect(isExpression(undefined, 'meta')).toBe(false)
})

describe('whatever bytes come', () => {
  const calmly = (read: () => unknown): void => {
    try {
      read()
    } catch (error) {
      if (!(error instanceof VirbrError)) throw error
    }
  }
  const use = (request: AnyRequest, reply: Buffer): void => {
    for (const message of decodeReplies([request], reply).messages[0] ?? []) {
      calmly(() => decodeTable(message))
      calmly(() => {
        const chain = decodeChain(message)
        formatIptablesList({ table: chain.table, chains: [chain], rules: [] })
      })
      calmly(() => {
        const rule = decodeRule(message)
        formatIptablesSave(rule)
        formatIptablesList({ table: rule.table, chains: [], rules: [rule] })
      })
    }
  }

  test('random replies', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), noise => {
      for (const request of [listTables(), listChains(), listRules({})]) {
        calmly(() => { use(request, Buffer.from(noise)) })
        const framed = Buffer.concat([Buffer.alloc(16), noise])
        framed.writeUInt32LE(framed.length, 0)
        framed.writeUInt16LE(0xa06, 4)
        calmly(() => { use(request, framed) })
      }
    }), { numRuns: 300 })
  })

  test('real rules with bytes changed or cut off', () => {
    fc.assert(fc.property(
      fc.array(arbitraryExpression, { maxLength: 6 }), fc.array(fc.tuple(fc.nat(), u8), { maxLength: 8 }), fc.nat(),
      (expressions, changes, cut) => {
        const request = addRule({ family: 'ip', table: 'filter', chain: 'INPUT', expressions, comment: 'x' })
        const reply = Buffer.from(encodeRequests([request]))
        for (const [at, byte] of changes) reply[20 + at % (reply.length - 20)] = byte
        calmly(() => { use(listRules({}), reply) })
        const short = Buffer.from(reply.subarray(0, 16 + cut % (reply.length - 15)))
        short.writeUInt32LE(short.length, 0)
        calmly(() => { use(listRules({}), short) })
      },
    ), { numRuns: 500 })
  })
})
