/** Every table of nf_tables messages: whatever it can say is read back as it was said, and any bytes are read. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Codec } from '../../src/netlink/codecs.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { Table } from '../../src/netlink/table.ts'
import { listChains } from '../../src/nftables/chains.ts'
import { listElements } from '../../src/nftables/elements.ts'
import { listFlowtables } from '../../src/nftables/flowtables.ts'
import { getGeneration } from '../../src/nftables/generation.ts'
import { listObjects } from '../../src/nftables/objects.ts'
import { listRules } from '../../src/nftables/rules.ts'
import { listSets } from '../../src/nftables/sets.ts'
import { listTables } from '../../src/nftables/tables.ts'
import { decode, encode } from '../netlink/support.ts'

const tableOf = (request: AnyRequest): Table<never> => request.format.attributes as Table<never>
const tables: [string, Table<never>][] = [
  ['tables', tableOf(listTables())], ['chains', tableOf(listChains())], ['rules', tableOf(listRules({ family: 'ip' }))],
  ['sets', tableOf(listSets())], ['elements', tableOf(listElements({ family: 'ip', table: 't', name: 's' }))],
  ['objects', tableOf(listObjects())], ['flow tables', tableOf(listFlowtables())], ['the generation', tableOf(getGeneration())],
]

/** What payloads are made of: letters, which are parts of any name, and in what is longer than a word small numbers. */
const payload = (size: number): fc.Arbitrary<Buffer> => fc.nat(25).map(letter => {
  const bytes = Buffer.alloc(size, 97 + letter)
  return size < 8 ? bytes : bytes.map((byte, index) => (index % 8 < 2 || index % 8 > 5 ? 0 : byte)) as Buffer
})

/** What can be said of an attribute: what some payload is read as, if that can be written. Undefined: it is only read. */
function valuesOf(codec: Codec<unknown>): fc.Arbitrary<unknown> | undefined {
  if (codec instanceof Table) {
    const fields = Object.entries(codec.entries as Record<string, [number, Codec<unknown>]>)
      .flatMap(([name, [, inner]]) => {
        const values = valuesOf(inner)
        return values === undefined ? [] : [[name, values] as const]
      })
    return fc.record(Object.fromEntries(fields), { requiredKeys: [], noNullPrototype: true })
  }
  const values = payload(codec.size ?? 6).map(bytes => decode(codec, bytes))
  // One of few that are only read, or depend on others, which test/netlink/table.test.ts is about.
  return fc.sample(values, { numRuns: 20, seed: 1 }).every(value => writes(codec, value)) ? values : undefined
}

function writes(codec: Codec<unknown>, value: unknown): boolean {
  try {
    return encode(codec, value).length >= 0
  } catch {
    return false
  }
}

test.each(tables)('%s', (_, table) => {
  fc.assert(fc.property(valuesOf(table) ?? fc.constant({}), values => {
    const bytes = encode<object>(table, values as object)
    const read = decode<object>(table, bytes)
    expect(read).toEqual(values)
    expect(encode<object>(table, read).equals(bytes)).toBe(true)
  }))
})

test.each(tables)('%s: any bytes are read', (_, table) => {
  const types = Object.values(table.entries as Record<string, [number, unknown]>).map(([type]) => type)
  const attribute = fc.tuple(fc.constantFrom(...types), fc.uint8Array({ maxLength: 60 })).map(([type, payload]) => {
    const bytes = Buffer.alloc((4 + payload.length + 3) & ~3)
    bytes.writeUInt16LE(4 + payload.length, 0)
    bytes.writeUInt16LE(type, 2)
    bytes.set(payload, 4)
    return bytes
  })
  fc.assert(fc.property(fc.array(attribute, { maxLength: 8 }), attributes => {
    expect(() => decode<object>(table, Buffer.concat(attributes))).not.toThrow()
  }), { numRuns: 500 })
})
