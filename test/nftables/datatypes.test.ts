import fc from 'fast-check'
import { expect } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { datatypeId, datatypes, datatypesOf, formatDuration, formatValue, fromBigInt, parseValue, toBigInt } from '../../src/nftables/datatypes.ts'
import type { Datatype } from '../../src/nftables/datatypes.ts'
import { ctKeys, headers, metaKeys } from '../../src/nftables/headers.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { patience } from '../support/patience.ts'

const { test } = needing()
const { test: nftTest } = needing(needs.netAdmin, needs.tool('nft'))

/** What `nft describe` says of an expression or type: bits, and names with their numbers. */
async function describeByNft(words: string): Promise<{ bits: number, type: string, symbols: Record<string, number> }> {
  const output = await run('nft', ['describe', ...words.split(' ')])
  const symbols: Record<string, number> = {}
  for (const [, name, number] of output.matchAll(/^\t(\S+)\s+(0x[0-9a-f]+|\d+)$/gm)) symbols[name as string] = Number(number)
  return { bits: Number(/(\d+) (?:bits|characters)/.exec(output)?.[1]), type: /datatype (\w+)/.exec(output)?.[1] ?? '', symbols }
}

/** nft prints numbers of more than one byte in network order byte by byte. */
function asDescribed(type: Datatype, value: number): number {
  if (type.order === 'host') return value
  return Number(toBigInt(fromBigInt(BigInt(value), type.size ?? 1, 'big') as Uint8Array, 'host'))
}

nftTest.each(Object.values(datatypes).filter(({ symbols, name }) => symbols !== undefined && !['ecn', 'ct_event', 'classid', 'devgroup'].includes(name)))(
  'the names of $name are nft’s', async type => {
    const { symbols } = await describeByNft(type.name === 'day' ? 'meta day' : type.name)
    const ours = Object.fromEntries(Object.entries(type.symbols ?? {}).map(([name, value]) => [name, asDescribed(type, value)]))
    expect(symbols).toMatchObject(ours)
    expect(Object.keys(symbols).sort()).toEqual(Object.keys(ours).sort())
  })

nftTest('fields have nft’s lengths and types', async () => {
  for (const [protocol, { fields }] of Object.entries(headers)) {
    for (const [field, { length, type }] of Object.entries(fields)) {
      if (field === 'parameter-problem') continue
      expect({ field: `${protocol} ${field}`, ...await describeByNft(`${protocol} ${field}`) })
        .toMatchObject({ field: `${protocol} ${field}`, bits: length, type })
    }
  }
}, 60_000 * patience)

nftTest('keys have nft’s types', async () => {
  for (const [key, { type, size }] of Object.entries(metaKeys)) {
    // nft 1.0.6 does not know the first, and calls the second's type `time`, as another.
    if (key === 'broute' || key === 'time' || key === 'secmark') continue
    const described = await describeByNft(`meta ${key === 'len' ? 'length' : key}`)
    expect({ key, type: described.type }).toEqual({ key, type })
    // A flag of one bit fills a byte.
    if (type !== 'ifname') expect({ key, size: Math.ceil(described.bits / 8) }).toEqual({ key, size })
  }
  for (const key of ['state', 'status', 'mark', 'zone', 'direction', 'l3proto', 'label'] as const) {
    const { type, size } = ctKeys[key]
    expect(await describeByNft(`ct ${key}`)).toMatchObject({ type, bits: size * 8 })
  }
}, 60_000 * patience)

test('ids of concatenations are packed and unpacked', () => {
  const types = [datatypes.ipv4_addr, datatypes.inet_service, datatypes.mark]
  expect(datatypeId(types)).toBe(7 << 12 | 13 << 6 | 19)
  expect(datatypesOf(datatypeId(types))).toEqual(types)
  expect(datatypesOf(63)).toBeUndefined()
  expect(datatypesOf(0)).toBeUndefined()
})

test('what is formatted is parsed', () => {
  for (const type of Object.values(datatypes)) {
    if (type.size === undefined || ['duration', 'date', 'hour', 'quoted', 'name'].includes(type.form ?? '') || type.bitmask) continue
    fc.assert(fc.property(fc.uint8Array({ minLength: type.size, maxLength: type.size }), bytes => {
      expect([...parseValue(type, formatValue(type, bytes), 'value')]).toEqual([...bytes])
    }), { numRuns: 30 })
  }
})

test.each([
  ['inet_service', 80, '80'], ['inet_proto', 'tcp', 'tcp'], ['mark', 5, '0x00000005'], ['ct_state', ['new', 'established'], 'established,new'],
  ['icmp_type', 'echo-request', 'echo-request'], ['ifname', 'virbr0', '"virbr0"'], ['ether_addr', '52:54:00:12:34:56', '52:54:00:12:34:56'],
  ['classid', '1:a', '1:a'], ['pkt_type', 'multicast', 'multicast'], ['ipv6_addr', 'fe80::1', 'fe80::1'], ['day', 'Monday', '"Monday"'],
] as const)('%s %j is written %s', (name, value, text) => {
  expect(formatValue(datatypes[name], parseValue(datatypes[name], value, 'value'))).toBe(text)
})

test.each([
  ['inet_service', 65536, /16 bits/], ['inet_service', -1, /16 bits/], ['inet_service', 'http', /16 bits/], ['ct_state', 'establisched', /did you mean/i],
  ['ipv4_addr', 'fe80::1', /an IPv4 address/], ['ifname', 'a-name-that-is-too-long', /at most 15 bytes/], ['ether_addr', '52:54:00', /MAC/],
  ['icmp_type', {}, /echo-request/], ['inet_proto', 'tpc', /8 bits/],
] as const)('%s refuses %j', (name, value, message) => {
  expect(() => parseValue(datatypes[name], value, 'f')).toThrow(InvalidArgumentError)
  expect(() => parseValue(datatypes[name], value, 'f')).toThrow(message)
})

test('durations are written as nft writes them', () => {
  expect([0, 1, 1500, 60_000, 90_061_000].map(formatDuration)).toEqual(['0s', '1ms', '1s500ms', '1m', '1d1h1m1s'])
})
