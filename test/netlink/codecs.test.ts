/** Values as they stand in attributes and headers: there and back, and which are refused. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatIp, parseIp } from '../../src/ip.ts'
import {
  be16, be32, be64, beCounter64, bool32, bool8, counter64, hardwareAddress, interfaceName, ip, isInterfaceName, named, padding, raw,
  s32, sbe32, scaled, string, text, u16, u32, u64, u8,
} from '../../src/netlink/codecs.ts'
import type { Codec } from '../../src/netlink/codecs.ts'
import { decode, encode, refusal } from './support.ts'

const colours = named(u8, { red: 1, green: 2 })
const hundredths = scaled(u32, 10)

const bytesOf = (codec: Codec<unknown>, value: unknown): string => encode(codec, value).toString('hex')

test.each<[string, Codec<unknown>, unknown, string]>([
  ['u8', u8, 200, 'c8'],
  ['u16', u16, 0x1234, '3412'],
  ['u32', u32, 0x12345678, '78563412'],
  ['s32', s32, -2, 'feffffff'],
  ['be16', be16, 0x1234, '1234'],
  ['be32', be32, 0x12345678, '12345678'],
  ['sbe32', sbe32, -300, 'fffffed4'],
  ['u64', u64, 0x0102030405060708n, '0807060504030201'],
  ['be64', be64, 0x0102030405060708n, '0102030405060708'],
  ['counter64', counter64, 258, '0201000000000000'],
  ['beCounter64', beCounter64, 258, '0000000000000102'],
  ['bool8', bool8, true, '01'],
  ['bool32', bool32, true, '01000000'],
  ['a name for a number', colours, 'green', '02'],
  ['a number without a name', colours, 7, '07'],
  ['milliseconds in hundredths of a second', hundredths, 2019, 'c9000000'],
  ['string', string(15), 'br0', '62723000'],
  ['an empty string', string(15), '', '00'],
  ['text', text(15), 'br0', '627230'],
  ['an interface name', interfaceName, 'virbr0', '76697262723000'],
  ['a MAC address', hardwareAddress, '52:54:00:AB:cd:ef', '525400abcdef'],
  ['an IPv4 address', ip, '192.168.122.1', 'c0a87a01'],
  ['an IPv6 address', ip, 'fe80::1', 'fe800000000000000000000000000001'],
  ['raw bytes', raw, Uint8Array.of(1, 2), '0102'],
  ['padding', padding(3), undefined, '000000'],
])('%s', (_, codec, value, hex) => {
  expect(bytesOf(codec, value)).toBe(hex)
})

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 })
  .map(bytes => Buffer.from(bytes).toString('hex').replace(/(..)(?!$)/g, '$1:'))
/** What the kernel keeps: no NUL, and no halves of characters. */
const words = fc.string({ unit: 'binary', maxLength: 40 }).filter(value => !value.includes('\0'))
const address = fc.oneof(fc.ipV4(), fc.ipV6()).map(value => formatIp(parseIp(value) ?? new Uint8Array()))
const codecs: [string, Codec<unknown>, fc.Arbitrary<unknown>][] = [
  ['u8', u8, fc.integer({ min: 0, max: 0xff })],
  ['u16', u16, fc.integer({ min: 0, max: 0xffff })],
  ['u32', u32, fc.integer({ min: 0, max: 0xffffffff })],
  ['s32', s32, fc.integer()],
  ['be16', be16, fc.integer({ min: 0, max: 0xffff })],
  ['be32', be32, fc.integer({ min: 0, max: 0xffffffff })],
  ['sbe32', sbe32, fc.integer()],
  ['u64', u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  ['be64', be64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  ['counter64', counter64, fc.maxSafeNat()],
  ['beCounter64', beCounter64, fc.maxSafeNat()],
  ['bool8', bool8, fc.boolean()],
  ['bool32', bool32, fc.boolean()],
  ['named', colours, fc.constantFrom('red', 'green', 0, 3, 255)],
  ['scaled', hundredths, fc.integer({ min: 0, max: 0xffffffff }).map(steps => steps * 10)],
  ['string', string(160), words],
  ['text', text(160), words],
  ['interface name', interfaceName, fc.string({ minLength: 1, maxLength: 15 }).filter(isInterfaceName)],
  ['MAC address', hardwareAddress, mac],
  ['IP address', ip, address],
  ['raw', raw, fc.uint8Array()],
]

test.each(codecs)('%s: what was written is read back', (_, codec, values) => {
  fc.assert(fc.property(values, value => {
    expect(decode(codec, encode(codec, value))).toEqual(value)
  }))
})

test.each(codecs)('%s: any bytes can be read, from its least size on', (_, codec) => {
  fc.assert(fc.property(fc.uint8Array({ minLength: codec.size ?? 0, maxLength: 40 }), bytes => {
    expect(() => decode(codec, bytes)).not.toThrow()
  }))
})

test.each(codecs)('%s: any value is taken or refused in words', (_, codec) => {
  fc.assert(fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withTypedArray: true, withDate: true }), value => {
    try {
      encode(codec, value)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }
  }))
})

const refused: [string, Codec<unknown>, string, unknown[]][] = [
  ['u8', u8, 'an integer from 0 to 255', [-1, 256, 1.5, NaN, Infinity, '1', 1n, true]],
  ['u16', u16, 'an integer from 0 to 65535', [-1, 65536, 1.5, '1']],
  ['u32', u32, 'an integer from 0 to 4294967295', [-1, 2 ** 32, 0.1]],
  ['s32', s32, 'an integer from -2147483648 to 2147483647', [2 ** 31, -(2 ** 31) - 1]],
  ['be16', be16, 'an integer from 0 to 65535', [-1, 65536]],
  ['be32', be32, 'an integer from 0 to 4294967295', [-1, 2 ** 32]],
  ['sbe32', sbe32, 'an integer from -2147483648 to 2147483647', [2 ** 31]],
  ['u64', u64, 'a bigint from 0 to 2^64-1', [-1n, 2n ** 64n, 5]],
  ['be64', be64, 'a bigint from 0 to 2^64-1', [-1n, 2n ** 64n, 5]],
  ['counter64', counter64, 'an integer from 0 to 2^53-1', [-1, 2 ** 53, 5n]],
  ['beCounter64', beCounter64, 'an integer from 0 to 2^53-1', [-1, 2 ** 53]],
  ['bool8', bool8, 'true or false', [0, 1, 'true']],
  ['bool32', bool32, 'true or false', [0, 1, 'true']],
  ['named', colours, 'one of red, green', ['blue', 'toString', '__proto__', true]],
  ['the number of a name', colours, 'an integer from 0 to 255', [256, -1]],
  ['scaled', hundredths, 'a number from 0 to 42949672950', [-1, 42949672951, NaN, Infinity, '5']],
  ['string', string(3), 'a string', [5]],
  ['a long string', string(3), 'at most 3 bytes without NUL', ['abcd', 'ää', 'a\0']],
  ['text', text(3), 'a string', [5]],
  ['a long text', text(3), 'at most 3 bytes without NUL', ['abcd', 'ää', 'a\0']],
  ['interface name', interfaceName,
    "an interface name: 1 to 15 bytes, no '/', ':', '%' or white space, not '.' or '..'",
    ['', '.', '..', 'a/b', 'a b', 'a\tb', 'a\0', 'eth0:1', 'tap%d', 'a234567890123456', 'ääääääää', 5]],
  ['MAC address', hardwareAddress, 'a MAC address like 52:54:00:12:34:56',
    ['', '52:54:00:12:34', '52:54:00:12:34:5g', '525400123456', '52-54-00-12-34-56', '52:54:00:12:34:56\n', 5]],
  ['IP address', ip, 'an IPv4 or IPv6 address', ['', '10.0.0', '10.0.0.1/24', '010.0.0.1', 'fe80::1%eth0', '::g', 5]],
  ['raw', raw, 'a Uint8Array', ['abc', [1, 2], 5]],
]
test.each(refused)('%s: what is refused, and how', (_, codec, accepted, values) => {
  for (const value of values) {
    const error = refusal(codec, value)
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'the.field', accepted })
    expect(error.value).toBe(value)
    expect(error.message).toMatch(/^the\.field: expected .*, got /)
  }
})

test.each(codecs)('%s: values of no use are refused', (_, codec) => {
  for (const value of [null, {}, [], Symbol('s'), () => 1, Object.create(null)]) {
    expect(refusal(codec, value).value).toBe(value)
  }
})

test('a boolean is true for any number but 0, in any of its bytes', () => {
  expect([decode(bool8, Uint8Array.of(2)), decode(bool32, Uint8Array.of(0, 0, 1, 0)), decode(bool32, Buffer.alloc(4))])
    .toEqual([true, true, false])
})

test('strings end at their NULs, or without', () => {
  expect(['627230', '62723000', '6272300000', '', '00'].map(hex => decode(string(15), Buffer.from(hex, 'hex'))))
    .toEqual(['br0', 'br0', 'br0', '', ''])
})

test('addresses of other sizes are read in hexadecimal', () => {
  expect(decode(hardwareAddress, Uint8Array.of(10, 0, 0, 1))).toBe('0a:00:00:01')
  expect(decode(hardwareAddress, new Uint8Array())).toBe('')
  expect(decode(ip, Uint8Array.of(1, 2, 3))).toBe('010203')
})

test('raw bytes are a copy', () => {
  const bytes = Buffer.of(1, 2, 3)
  const read = raw.decode(bytes, 0, 3, {})
  bytes[0] = 9
  expect(read).toEqual(Uint8Array.of(1, 2, 3))
})
