/** Attribute tables: nesting, what is unknown, what is refused, and bytes from anybody. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bool8, named, raw, string, u16, u32, u8 } from '../../src/netlink/codecs.ts'
import { attributeAt, attributes, dependent, list, prefixed, struct, walkAttributes } from '../../src/netlink/table.ts'
import { decode, encode, refusal } from './support.ts'

const times = struct({ valid: u32, preferred: u32 })
const inner = attributes({ mtu: [1, u32], name: [2, string(15)] })
const table = attributes({
  small: [1, u8],
  wide: [2, u16],
  state: [3, named(u8, { up: 1, down: 2 })],
  flag: [4, bool8],
  label: [5, string(300)],
  bytes: [6, raw],
  nest: [7, inner],
  times: [8, times],
  names: [9, list(1, string(15))],
  rules: [10, list(3, inner)],
  peer: [11, prefixed(struct({ family: u16, flags: u16 }), inner)],
  kind: [12, string(15)],
  data: [13, dependent('kind', { a: inner, b: attributes({ other: [1, u8] }) })],
})
type TableInput = Parameters<typeof table.encode>[1]

const word = fc.stringMatching(/^[a-z]{0,15}$/)
const number = (bits: 8 | 16 | 32): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 })
/** Any of the fields, in any order. */
const some = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc.record(fields, { requiredKeys: [], noNullPrototype: true })
    .chain(values => fc.shuffledSubarray(Object.entries(values), { minLength: Object.keys(values).length }))
    .map(entries => Object.fromEntries(entries))
const unknown = fc.array(fc.record({ type: fc.integer({ min: 100, max: 0x3fff }), data: fc.uint8Array() }), { minLength: 1, maxLength: 3 })
const inners = some({ mtu: number(32), name: word })
const inputs = some({
  small: number(8), wide: number(16), state: fc.constantFrom('up', 'down', 9), flag: fc.boolean(), label: word, bytes: fc.uint8Array(),
  nest: some({ mtu: number(32), name: word, raw: unknown }),
  times: fc.record({ valid: number(32), preferred: number(32) }, { noNullPrototype: true }),
  names: fc.array(word), rules: fc.array(inners), raw: unknown,
  peer: fc.record({
    header: fc.record({ family: number(16), flags: number(16) }, { noNullPrototype: true }), attributes: inners,
  }, { noNullPrototype: true }),
}) as fc.Arbitrary<TableInput>

test('what was written is read back, the unknown included', () => {
  fc.assert(fc.property(inputs, input => {
    const bytes = encode(table, input)
    expect(bytes.length % 4).toBe(0)
    expect(decode(table, bytes)).toEqual(input)
    expect(encode(table, decode(table, bytes)).length).toBe(bytes.length)
  }))
})

test('an attribute is its length, its type and its value, padded to four bytes; nests say that they are', () => {
  expect(encode(table, { wide: 7, nest: { name: 'br0' }, names: ['a'] }).toString('hex')).toBe([
    '0600', '0200', '0700', '0000',
    '0c00', '0780', '0800', '0200', '62723000',
    '0c00', '0980', '0600', '0100', '61000000',
  ].join(''))
  expect(encode(table, {}).length).toBe(0)
  expect(encode(table, { small: undefined }).length).toBe(0)
})

test('flags in the type of an attribute do not hide it', () => {
  expect(decode(table, Buffer.from('05000180aa000000' + '0600024007000000', 'hex'))).toEqual({ small: 0xaa, wide: 7 })
})

test('unknown attributes, and known ones that are too short, are kept as they are', () => {
  const hex = '06000200beef0000' + '05000200aa000000' + '0800fe3f01020304' + '04000300'
  const values = decode(table, Buffer.from(hex, 'hex'))
  expect(values).toEqual({ wide: 0xefbe, raw: [
    { type: 2, data: Uint8Array.of(0xaa) }, { type: 0x3ffe, data: Uint8Array.of(1, 2, 3, 4) }, { type: 3, data: new Uint8Array() },
  ] })
  expect(encode(table, values).toString('hex')).toBe(hex)
})

test('a short struct, and a short header before attributes, are kept raw', () => {
  expect(decode(table, Buffer.from('08000800ffffffff' + '05000b0001000000', 'hex'))).toEqual({ raw: [
    { type: 8, data: Uint8Array.of(255, 255, 255, 255) }, { type: 11, data: Uint8Array.of(1) },
  ] })
})

test('a list leaves out what is of another type or too short', () => {
  const numbers = list(1, u16)
  expect(decode(numbers, Buffer.from('0600010007000000' + '0600020008000000' + '0500010009000000', 'hex'))).toEqual([7])
})

test('the table of an attribute is chosen by its sibling', () => {
  const values = { kind: 'b', data: { other: 5 } }
  const bytes = encode(table, values)
  expect(decode(table, bytes)).toEqual(values)
  expect(encode(table, { data: { other: 5 }, kind: 'b' }).length).toBe(bytes.length)
  const unknownKind = { kind: 'c', data: Uint8Array.of(8, 0, 1, 0, 1, 0, 0, 0) }
  expect(decode(table, encode(table, unknownKind))).toEqual(unknownKind)
})

test('fields left out of a struct, and its padding, are zero', () => {
  expect(encode(table, { times: { preferred: 1 } as never }).toString('hex')).toBe('0c000800' + '0000000001000000')
})

test.each<[string, object, string, string]>([
  ['a value', { small: 256 }, 'small', 'small: expected an integer from 0 to 255, got 256'],
  ['a value in a nest', { nest: { mtu: -1 } }, 'nest.mtu', 'nest.mtu: expected an integer from 0 to 4294967295, got -1'],
  ['a value after a nest', { nest: { mtu: 1 }, small: -1 }, 'small', 'small: expected an integer from 0 to 255, got -1'],
  ['a value in a struct', { times: { valid: -1 } }, 'times.valid', 'times.valid: expected an integer'],
  ['an element of a list', { names: ['a', 5] }, 'names[1]', 'names[1]: expected a string, got 5'],
  ['a value in an element of a list', { rules: [{}, { mtu: 'x' }] }, 'rules[1].mtu', 'rules[1].mtu: expected an integer'],
  ['a value in a header', { peer: { header: { family: 70_000 }, attributes: {} } }, 'peer.family', 'peer.family: expected an integer'],
  ['a value behind a header', { peer: { header: {}, attributes: { mtu: 'x' } } }, 'peer.mtu', 'peer.mtu: expected an integer'],
  ['a value by its sibling', { kind: 'b', data: { other: 256 } }, 'data.other', 'data.other: expected an integer'],
  ['a misspelled name', { smal: 1 }, 'smal', 'one of the options small, wide, state, flag, label, bytes, nest, times, names, rules, ' +
    'peer, kind, data; did you mean "small"?, got 1'],
  ['a misspelled name in a nest', { nest: { mtuu: 1 } }, 'nest.mtuu', 'one of the options mtu, name; did you mean "mtu"?'],
  ['a name like no other', { nest: { colour: 1 } }, 'nest.colour', 'one of the options mtu, name, got 1'],
  ['the name of a method', { nest: { toString: 1 } }, 'nest.toString', 'one of the options mtu, name'],
  ['a nest that is none', { nest: 5 }, 'nest', 'nest: expected an object, got 5'],
  ['a nest that is null', { nest: null }, 'nest', 'nest: expected an object, got null'],
  ['a nest that is a list', { nest: [1] }, 'nest', 'nest: expected an object, got an array of 1'],
  ['a nest that is bytes', { nest: Uint8Array.of(1) }, 'nest.0', 'one of the options mtu, name'],
  ['a struct that is none', { times: null }, 'times', 'times: expected an object, got null'],
  ['a list that is none', { names: 'a' }, 'names', 'names: expected an array, got "a"'],
  ['a peer that is none', { peer: null }, 'peer', 'peer: expected an object with header and attributes, got null'],
  ['options of an unknown kind', { kind: 'c', data: {} }, 'data', 'data: expected no options, or a Uint8Array: the options of "c" are not known'],
  ['options without a kind', { data: {} }, 'data', 'the options of undefined are not known'],
  ['options of an inherited kind', { kind: 'toString', data: {} }, 'data', 'the options of "toString" are not known'],
  ['raw attributes that are none', { raw: 5 }, 'raw', 'raw: expected an array of raw attributes, got 5'],
  ['a raw attribute that is none', { raw: [null] }, 'raw', 'raw: expected raw attributes like { type, data }'],
  ['a raw attribute with flags', { raw: [{ type: 0x8001, data: Uint8Array.of() }] }, 'raw', 'a type from 0 to 16383'],
  ['a raw attribute without bytes', { nest: { raw: [{ type: 1 }] } }, 'nest.raw', 'nest.raw: expected raw attributes'],
])('%s is refused by its path', (_, input, field, message) => {
  const error = refusal(table, input)
  const path = `the.field.${field}`
  expect(error.field).toBe(path)
  expect(error.message).toContain(message.startsWith(`${field}:`) ? `the.field.${message}` : message)
})

test('an attribute holds 65,531 bytes and not one more', () => {
  expect(encode(table, { bytes: new Uint8Array(65_531) }).readUInt16LE(0)).toBe(65_535)
  expect(refusal(table, { nest: {}, bytes: new Uint8Array(65_532) }).message)
    .toBe('the.field.bytes: expected at most 65531 bytes in one netlink attribute, got "65536 bytes"')
  const rules = Array.from({ length: 4096 }, () => ({ mtu: 1, name: 'x' }))
  expect(refusal(table, { rules }).field).toBe('the.field.rules')
})

const noise = fc.uint8Array({ maxLength: 200 })
/** Almost right: a message with some bytes changed, cut somewhere. */
const mutilated = fc.tuple(inputs, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }), fc.nat())
  .map(([input, changes, cut]) => {
    const bytes = Buffer.from(encode(table, input))
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
    return bytes.subarray(0, bytes.length - cut % (bytes.length + 1))
  })

test('any bytes are read without an error', () => {
  fc.assert(fc.property(fc.oneof(noise, mutilated), bytes => {
    expect(() => decode(table, bytes)).not.toThrow()
    for (const [, from, to] of walkAttributes(Buffer.from(bytes), 0, bytes.length)) expect(from <= to && to <= bytes.length).toBe(true)
  }), { numRuns: 2000 })
})

test('what was read from any bytes can be written again, and is then the same', () => {
  fc.assert(fc.property(mutilated, bytes => {
    const values = decode(table, bytes)
    let again: Buffer
    try {
      again = encode(table, values)
    } catch (error) {
      // Strings that are no UTF-8, or have NULs in them.
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
      return
    }
    expect(decode(table, again)).toEqual(values)
  }), { numRuns: 1000 })
})

test('any offset of any bytes has a path, if a short one', () => {
  fc.assert(fc.property(fc.oneof(noise, mutilated), fc.nat(210), (bytes, offset) => {
    expect(typeof attributeAt(table, Buffer.from(bytes), 0, bytes.length, offset).path).toBe('string')
  }), { numRuns: 1000 })
})

test('an offset is named down to the attribute that holds it', () => {
  const bytes = encode(table, { small: 1, peer: { header: {}, attributes: { mtu: 5 } }, rules: [{}, { name: 'x' }], kind: 'b', data: { other: 1 } })
  const paths = Array.from({ length: bytes.length }, (_, offset) => attributeAt(table, bytes, 0, bytes.length, offset).path)
  expect([...new Set(paths)]).toEqual(
    ['small', '', 'peer', 'peer.mtu', 'rules', 'rules[0]', 'rules[1]', 'rules[1].name', 'kind', 'data', 'data.other'])
})
