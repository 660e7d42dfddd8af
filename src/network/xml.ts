/** NetworkConfig ↔ libvirt's network XML, both driven by the table in schema.ts. */
import type { Attr, Element } from '@xmldom/xmldom'
import { didYouMean, InvalidArgumentError, XmlError, show } from '../errors.ts'
import type { Codec } from './codecs.ts'
import { dnsmasqNamespace, type NetworkConfig, type SectionConfigs } from './config.ts'
import { attributesOf, childElements, innerXml, lineOf, parseXml, textContent } from './dom.ts'
import { normalizeNetworkConfig } from './normalize.ts'
import { type ElementField, type Field, type Table, type TextField, networkTable, sectionTables } from './schema.ts'

/**
 * Reads `<network>`. Values come out in canonical form: MACs and UUIDs in lower case, IPv6 addresses compressed.
 * Comments outside of `<metadata>` are dropped. Whether the network makes sense is validateNetwork's question.
 *
 * Unlike libvirt, which passes over elements and attributes that it does not know, this refuses them: nearly all are
 * misspelled.
 *
 * @throws XmlError with the line: malformed, another root, unknown or repeated names, missing or bad values
 * @throws InvalidArgumentError: not a string, or longer than 1 MiB
 */
export function parseNetworkXml(xml: string): NetworkConfig {
  return readElement(readRoot(xml, 'network'), networkTable as Table, { partial: false }) as unknown as NetworkConfig
}

/**
 * Reads an element that network.update() takes, e.g. `<host mac='…' ip='…'/>` of section `ip-dhcp-host`.
 *
 * @param options `partial`: required attributes may be missing, as in a fragment that says what to delete
 * @throws as parseNetworkXml
 */
export function parseSectionXml<S extends keyof SectionConfigs>(
  section: S, xml: string, options: { partial: true },
): Partial<SectionConfigs[S]>
export function parseSectionXml<S extends keyof SectionConfigs>(section: S, xml: string): SectionConfigs[S]
export function parseSectionXml<S extends keyof SectionConfigs>(
  section: S, xml: string, options: { partial: boolean } = { partial: false },
): Partial<SectionConfigs[S]> {
  if (!Object.hasOwn(sectionTables, section)) {
    const names = Object.keys(sectionTables)
    const suggestion = didYouMean(String(section), names)
    throw new InvalidArgumentError('section', section, `one of ${names.join(', ')}${suggestion}`)
  }
  const { root, table } = sectionTables[section]
  return readElement(readRoot(xml, root), table as Table, options) as Partial<SectionConfigs[S]>
}

function readRoot(xml: string, name: string): Element {
  const root = parseXml(xml)
  if (root.tagName !== name || root.namespaceURI !== null) {
    throw new XmlError(`the root element must be <${name}>, not <${root.tagName}>`, lineOf(root))
  }
  return root
}

type Values = Record<string, unknown>
type ChildField = Exclude<Field, { kind: 'attribute' }>
interface ReadOptions { partial: boolean }

function readElement(element: Element, table: Table, options: ReadOptions): Values {
  const values: Values = {}
  for (const attribute of attributesOf(element)) {
    const field = table[attribute.name]
    if (field?.kind !== 'attribute') throw unknownAttribute(element, attribute, table)
    const path = (): string => `${pathOf(element)}: ${attribute.name}`
    values[attribute.name] = readValue(attribute.value, field.codec, attribute, path)
  }
  for (const child of childElements(element)) {
    const name = fieldName(child, table)
    const field = name === undefined ? undefined : table[name]
    if (name === undefined || field === undefined || field.kind === 'attribute') {
      throw unknownElement(element, child, table)
    }
    const value = readChild(child, field, options)
    if (isRepeated(field)) ((values[name] ??= []) as unknown[]).push(value)
    else if (Object.hasOwn(values, name)) throw new XmlError(`${pathOf(child)}: only one is accepted`, lineOf(child))
    else values[name] = value
  }
  if (!options.partial) requireAll(element, table, values)
  return values
}

function readChild(child: Element, field: ChildField, options: ReadOptions): unknown {
  if (field.kind === 'xml') return innerXml(child)
  if (field.kind === 'element') return readElement(child, field.table, options)
  const [attribute] = attributesOf(child)
  if (attribute !== undefined) throw unknownAttribute(child, attribute, {})
  return readValue(textContent(child), field.codec, child, () => pathOf(child))
}

function readValue(text: string, codec: Codec<unknown>, node: Attr | Element, path: () => string): unknown {
  const value = codec.parse(text)
  if (value !== undefined) return value
  const suggestion = didYouMean(text, codec.names ?? [])
  throw new XmlError(`${path()}: expected ${codec.accepted}, got ${show(text)}${suggestion}`, lineOf(node))
}

function requireAll(element: Element, table: Table, values: Values): void {
  for (const [name, field] of Object.entries(table)) {
    if (!field.required || Object.hasOwn(values, name)) continue
    const what = field.kind === 'attribute' ? `attribute ${name}` : `element <${name}>`
    throw new XmlError(`${pathOf(element)}: the ${what} is required`, lineOf(element))
  }
}

/** The field that a child element belongs to, if any. */
function fieldName(child: Element, table: Table): string | undefined {
  const name = child.tagName
  if (child.namespaceURI === null) {
    return Object.hasOwn(table, name) && dnsmasqName(table[name]) === undefined ? name : undefined
  }
  if (child.namespaceURI !== dnsmasqNamespace) return undefined
  return Object.keys(table).find((key) => dnsmasqName(table[key]) === child.localName)
}

function dnsmasqName(field: Field | undefined): string | undefined {
  return field?.kind === 'element' ? field.dnsmasqName : undefined
}

function tagName(name: string, field: Field): string {
  const inDnsmasq = dnsmasqName(field)
  return inDnsmasq === undefined ? name : `dnsmasq:${inDnsmasq}`
}

function isRepeated(field: Field): field is Field & (ElementField | TextField) {
  return (field.kind === 'element' || field.kind === 'text') && field.repeated
}

function unknownAttribute(element: Element, attribute: Attr, table: Table): XmlError {
  const names = Object.entries(table).filter(([, field]) => field.kind === 'attribute').map(([name]) => name)
  const hint = didYouMean(attribute.name, names) + accepted(names)
  return new XmlError(`${pathOf(element)}: unknown attribute ${show(attribute.name)}${hint}`, lineOf(attribute))
}

function unknownElement(parent: Element, child: Element, table: Table): XmlError {
  const names = Object.entries(table).filter(([, field]) => field.kind !== 'attribute')
    .map(([name, field]) => tagName(name, field))
  const foreign = child.namespaceURI === null ? '' : ` in namespace ${show(child.namespaceURI)}`
  const hint = didYouMean(child.tagName, names) + accepted(names)
  return new XmlError(`${pathOf(parent)}: unknown element <${child.tagName}>${foreign}${hint}`, lineOf(child))
}

function accepted(names: string[]): string {
  return ` (accepted: ${names.join(', ') || 'none'})`
}

/** `network/ip/dhcp/range`, with a position where there are several: `network/ip[2]/dhcp`. */
function pathOf(element: Element): string {
  const parent = element.parentNode
  if (parent === null || parent.nodeType !== 1) return element.tagName
  const siblings = childrenNamed(parent as Element, element.tagName)
  const position = siblings.length > 1 ? `[${siblings.indexOf(element) + 1}]` : ''
  return `${pathOf(parent as Element)}/${element.tagName}${position}`
}

function childrenNamed(parent: Element, name: string): Element[] {
  const children: Element[] = []
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1 && node.nodeName === name) children.push(node as Element)
  }
  return children
}

/**
 * Writes `<network>` with libvirt's order, indentation and quotes: what `virsh net-dumpxml` printed comes out the same.
 *
 * @throws InvalidArgumentError with a field like `ip[0].dhcp.range[0].end`: unknown or missing fields, wrong types
 */
export function formatNetworkXml(config: NetworkConfig): string {
  const values = normalizeNetworkConfig(config) as unknown as Values
  const namespaces = config.dnsmasq === undefined ? '' : ` xmlns:dnsmasq='${dnsmasqNamespace}'`
  return writeElement('network', values, networkTable as Table, { indent: '', paired: true, extra: namespaces })
}

interface WriteOptions { indent: string, paired: boolean, extra?: string }

function writeElement(tag: string, values: Values, table: Table, { indent, paired, extra = '' }: WriteOptions): string {
  let attributes = extra
  let children = ''
  for (const [name, field] of Object.entries(table)) {
    const value = values[name]
    if (value === undefined) continue
    if (field.kind === 'attribute') attributes += ` ${name}='${escapeText(field.codec.format(value) ?? '')}'`
    else {
      const items = isRepeated(field) ? value as unknown[] : [value]
      for (const item of items) children += writeChild(name, item, field, `${indent}  `)
    }
  }
  if (children === '' && !paired) return `${indent}<${tag}${attributes}/>\n`
  return `${indent}<${tag}${attributes}>\n${children}${indent}</${tag}>\n`
}

function writeChild(name: string, value: unknown, field: ChildField, indent: string): string {
  if (field.kind === 'text') {
    return `${indent}<${name}>${escapeText(field.codec.format(value) ?? '', 'text')}</${name}>\n`
  }
  if (field.kind === 'xml') {
    if (value === '') return `${indent}<${name}/>\n`
    return `${indent}<${name}>\n${indent}  ${String(value)}\n${indent}</${name}>\n`
  }
  return writeElement(tagName(name, field), value as Values, field.table, { indent, paired: field.paired ?? false })
}

const escapes: Record<string, string> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&apos;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;',
}

/** Line ends in attributes would be read back as spaces, carriage returns anywhere as line ends. */
function escapeText(text: string, place: 'attribute' | 'text' = 'attribute'): string {
  const special = place === 'text' ? /[&<>"'\r]/g : /[&<>"'\t\n\r]/g
  return text.replace(special, (character) => escapes[character] ?? character)
}
