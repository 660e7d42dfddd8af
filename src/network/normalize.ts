/** A config object of a program → the same config as parseNetworkXml would have given it, or an error with a field. */
import { didYouMean, InvalidArgumentError, XmlError } from '../errors.ts'
import type { Codec } from './codecs.ts'
import type { NetworkConfig, SectionConfigs } from './config.ts'
import { innerXml, parseXml } from './dom.ts'
import { orderOf, setOrder } from './order.ts'
import { type Field, type Table, networkTable, sectionTables } from './schema.ts'
import { normalizeUnknown } from './unknown.ts'

/**
 * A copy in canonical form: addresses, MACs and UUIDs as libvirt prints them; undefined fields and empty arrays left
 * out.
 *
 * @param strict refuse values that can be read and written, but that no network can be built from; and forget what order
 * the XML was in
 * @param unknown what happens to what has no field; `refuse`: an error
 * @throws InvalidArgumentError with a field like `ip[0].dhcp.range[0].end`: unknown or missing fields, wrong types
 */
export function normalizeNetworkConfig(
  config: NetworkConfig, strict = false, unknown: 'keep' | 'refuse' = strict ? 'refuse' : 'keep',
): NetworkConfig {
  const rules = { strict, keepUnknown: unknown === 'keep', partial: false }
  return normalizeElement(config, networkTable as Table, '', rules) as unknown as NetworkConfig
}

/**
 * The same for an element that network.update() takes.
 *
 * @param options `partial`: required fields may be missing, as in an element that says what to delete
 * @throws as normalizeNetworkConfig, with a field like `host.ip`
 */
export function normalizeSection(
  section: keyof SectionConfigs, element: unknown, options: { partial: boolean },
): Record<string, unknown> {
  const { root, table } = sectionTables[section]
  return normalizeElement(element, table as Table, root, { strict: false, keepUnknown: true, partial: options.partial })
}

type Values = Record<string, unknown>
interface Rules { strict: boolean, keepUnknown: boolean, partial: boolean }

function normalizeElement(value: unknown, table: Table, path: string, rules: Rules): Values {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(path || 'config', value, `an object with ${Object.keys(table).join(', ')}`)
  }
  const given = value as Values
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(table, name) && name !== 'unknown') {
      const names = Object.keys(table)
      const accepted = `one of the fields ${names.join(', ')}${didYouMean(name, names)}`
      throw new InvalidArgumentError(join(path, name), given[name], accepted)
    }
  }
  const result: Values = {}
  for (const [name, field] of Object.entries(table)) {
    const fieldPath = join(path, name)
    const content = given[name]
    const normal = content === undefined ? undefined : normalizeField(content, field, fieldPath, rules)
    if (normal !== undefined) result[name] = normal
    else if (field.required && !rules.partial) {
      throw new InvalidArgumentError(fieldPath, content, `${expected(field)}, as it is required`)
    }
  }
  const unknown = normalizeUnknown(given['unknown'], table, join(path, 'unknown'), !rules.keepUnknown)
  if (unknown !== undefined) result['unknown'] = unknown
  const order = orderOf(given)
  if (order !== undefined && !rules.strict) setOrder(result, order)
  return result
}

function normalizeField(value: unknown, field: Field, path: string, rules: Rules): unknown {
  const { strict } = rules
  if (field.kind === 'attribute') return normalizeValue(value, field.codec, path, strict)
  if (field.kind === 'xml') return normalizeXml(value, path)
  const one = (item: unknown, itemPath: string): unknown => (field.kind === 'text'
    ? normalizeValue(item, field.codec, itemPath, strict)
    : normalizeElement(item, field.table, itemPath, { ...rules, partial: false }))
  if (!field.repeated) return one(value, path)
  if (!Array.isArray(value)) throw new InvalidArgumentError(path, value, 'an array')
  // Array.from, as map() would pass over the holes of a sparse array.
  const items = Array.from(value as unknown[], (item, index) => one(item, `${path}[${index}]`))
  return items.length === 0 ? undefined : items
}

function normalizeValue(value: unknown, codec: Codec<unknown>, path: string, strict: boolean): unknown {
  const text = codec.format(value)
  if (text === undefined) {
    const suggestion = typeof value === 'string' ? didYouMean(value, codec.names ?? []) : ''
    throw new InvalidArgumentError(path, value, codecAccepts(codec) + suggestion)
  }
  if (strict && codec.usable?.test(text) === false) throw new InvalidArgumentError(path, value, codec.usable.accepted)
  return codec.parse(text)
}

/** Children of `<metadata>`, which must be well-formed by themselves. */
function normalizeXml(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(path, value, 'XML text')
  if (value.trim() === '') return ''
  try {
    return innerXml(parseXml(`<metadata>${value}</metadata>`))
  } catch (error) {
    const reason = error instanceof XmlError ? error.message : 'too long'
    throw new InvalidArgumentError(path, value, `well-formed XML elements (${reason})`)
  }
}

function expected(field: Field): string {
  if (field.kind === 'xml') return 'XML text'
  if (field.kind !== 'attribute' && field.repeated) return 'a non-empty array'
  return field.kind === 'element' ? 'an object' : codecAccepts(field.codec)
}

/** A flag is `yes` or `no` in XML, but a boolean here. */
function codecAccepts(codec: Codec<unknown>): string {
  return codec.format(true) === undefined ? codec.accepted : 'true or false'
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
