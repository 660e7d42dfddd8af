/** Random configs, made from the schema's own table: a new element is tested as soon as it is in there. */
import fc from 'fast-check'
import {
  type Codec, dnsName, duid, freeText, ip, ipv4, line, linkName, networkName, unicastMac, uuid, word,
} from '../../src/network/codecs.ts'
import type { NetworkConfig } from '../../src/network/config.ts'
import { type Field, type Table, networkTable } from '../../src/network/schema.ts'
import { canonicalAddress } from '../../src/network/subnets.ts'

const xmlText = fc.string({ unit: 'binary', maxLength: 12 })
  .filter((text) => freeText.parse(text) !== undefined)
  .chain((text) => fc.constantFrom(text, `${text}&<>"'\t\n\r${text}`))
const name = xmlText.filter((text) => text !== '')
const canonicalIp = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => canonicalAddress(text) ?? text)
const hexByte = fc.integer({ min: 0, max: 255 }).map((byte) => byte.toString(16).padStart(2, '0'))
const mac = fc.tuple(fc.integer({ min: 0, max: 127 }), fc.array(hexByte, { minLength: 5, maxLength: 5 }))
  .map(([first, rest]) => [(first * 2).toString(16).padStart(2, '0'), ...rest].join(':'))

const valuesOf = new Map<Codec<unknown>, fc.Arbitrary<unknown>>([
  [freeText, xmlText], [line, xmlText],
  [linkName, name], [networkName, name], [dnsName, name], [word, name],
  [duid, fc.array(hexByte, { minLength: 1, maxLength: 8 }).map((bytes) => bytes.join(':'))],
  [ip, canonicalIp], [ipv4, fc.ipV4()], [unicastMac, mac], [uuid, fc.uuid()],
])

function value(codec: Codec<unknown>): fc.Arbitrary<unknown> {
  const known = valuesOf.get(codec)
  if (known !== undefined) return known
  if (codec.names !== undefined) return fc.constantFrom(...codec.names)
  if (codec.format(true) !== undefined) return fc.boolean()
  const bounds = /(\d+) to (\d+)$/.exec(codec.accepted)
  if (bounds === null) throw new Error(`no arbitrary for ${codec.accepted}`)
  return fc.integer({ min: Number(bounds[1]), max: Number(bounds[2]) })
}

const foreignXml = fc.constantFrom(
  '', '<a xmlns="urn:a"/>', '<x:a xmlns:x="urn:x" b="&quot;&#10;">&lt;t&amp;</x:a>\n<c xmlns="urn:c"><!-- kept --></c>')

function content(field: Field): fc.Arbitrary<unknown> {
  if (field.kind === 'attribute') return value(field.codec)
  if (field.kind === 'xml') return foreignXml
  const one = field.kind === 'text' ? value(field.codec) : values(field.table)
  return field.repeated ? fc.array(one, { minLength: 1, maxLength: 3 }) : one
}

function values(table: Table): fc.Arbitrary<unknown> {
  const fields = Object.entries(table)
  const required = fields.filter(([, field]) => field.required).map(([key]) => key)
  return fc.record(Object.fromEntries(fields.map(([key, field]) => [key, content(field)])),
    { requiredKeys: required, noNullPrototype: true })
}

export const networkConfigs = values(networkTable as Table) as fc.Arbitrary<NetworkConfig>
