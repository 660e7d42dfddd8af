import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { USERDATA_OWNER, decodeUserdata, encodeUserdata, ownerTag } from '../../src/nftables/userdata.ts'

const uuid = 'c7a5fdbd-cdaf-9455-926a-d65c16db1809'

describe('userdata', () => {
  test('a comment is written as nft writes it', () => {
    expect(encodeUserdata({ comment: 'foo' })).toEqual(Uint8Array.of(0, 4, 0x66, 0x6f, 0x6f, 0))
  })
  test('an owner is the bytes of its UUID, the same as ownerTag makes', () => {
    const tag = ownerTag(Buffer.from(uuid.replaceAll('-', ''), 'hex'))
    expect(encodeUserdata({ owner: uuid })).toEqual(tag)
    expect([...tag.subarray(0, 2)]).toEqual([USERDATA_OWNER, 16])
    expect(decodeUserdata(tag)).toEqual({ owner: uuid })
  })
  test('round trips', () => {
    const record = fc.record({ type: fc.integer({ min: 2, max: 200 }), data: fc.uint8Array({ maxLength: 40 }) })
    fc.assert(fc.property(
      fc.record({
        comment: fc.stringMatching(/^[ -~]{0,100}$/),
        owner: fc.uuid(),
        records: fc.array(record, { minLength: 1, maxLength: 2 }),
      }, { requiredKeys: [] }),
      userdata => { expect(decodeUserdata(encodeUserdata(userdata) ?? new Uint8Array())).toEqual(userdata) },
    ))
  })
  test('nothing is nothing', () => {
    expect(encodeUserdata({})).toBeUndefined()
  })
  test('any bytes are read', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), bytes => { decodeUserdata(bytes) }))
  })
  test('refuses what the kernel or nft would', () => {
    expect(() => encodeUserdata({ comment: 'x'.repeat(128) })).toThrow('comment: expected')
    expect(() => encodeUserdata({ owner: 'nobody' })).toThrow('owner: expected a UUID')
    expect(() => encodeUserdata({ records: [{ type: 9, data: new Uint8Array(255) }] })).toThrow('at most 256 bytes')
  })
})
