/** NetworkConfig ↔ libvirt's network XML, both driven by the table in schema.ts. */
import type { Attr, Element } from '@xmldom/xmldom'
import { didYouMean, InvalidArgumentError, XmlError, show } from '../errors.ts'
import type { Codec } from './codecs.ts'
import { dnsmasqNamespace, type NetworkConfig, type SectionConfigs, type UnknownXml } from './config.ts'
import { attributesOf, childElements, escapeText, innerXml, lineOf, parseXml, textContent } from './dom.ts'
import { normalizeNetworkConfig, normalizeSection } from './normalize.ts'
import { type Entry, arrange, orderOf, rememberOrder } from './order.ts'
import {
  type ChildField, type ElementField, type Field, type Table, type TextField, attributeField, childField, networkTable,
  sectionTables, tagName,
} from './schema.ts'
import { type UnknownOptions, UnknownXmlReader, attributeHint, checkUnknownOption, elementHint } from './unknown.ts'

/**
 * Reads `<network>`. Values come out in canonical form: MACs and UUIDs in lower case, IPv6 addresses compressed.
 * Comments outside of `<metadata>` and of unknown elements are dropped. Whether the network makes sense is
 * validateNetwork's question.
 *
 * @throws XmlError with the line: malformed, another root, repeated names, missing or bad values
 * @throws InvalidArgumentError: not a string, or longer than 1 MiB
 */
export function parseNetworkXml(xml: string, options: UnknownOptions = {}): NetworkConfig {
  const root = readRoot(xml, 'network')
  return readElement(root, networkTable as Table, readOptions(options)) as unknown as NetworkConfig
}

/**
 * Reads an element that network.update() takes, e.g. `<host mac='…' ip='…'/>` of section `ip-dhcp-host`.
 *
 * @param options `partial`: required attributes may be missing, as in a fragment that says what to delete
 * @throws as parseNetworkXml
 */
export function parseSectionXml<S extends keyof SectionConfigs>(
  section: S, xml: string, options: UnknownOptions & { partial: true },
): Partial<SectionConfigs[S]>
export function parseSectionXml<S extends keyof SectionConfigs>(
  section: S, xml: string, options?: UnknownOptions & { partial?: boolean },
): SectionConfigs[S]
export function parseSectionXml<S extends keyof SectionConfigs>(
  section: S, xml: string, options: UnknownOptions & { partial?: boolean } = {},
): Partial<SectionConfigs[S]> {
  const { root, table } = tableOf(section)
  return readElement(readRoot(xml, root), table as Table, readOptions(options)) as Partial<SectionConfigs[S]>
}

function tableOf<S extends keyof SectionConfigs>(section: S): (typeof sectionTables)[S] {
  if (Object.hasOwn(sectionTables, section)) return sectionTables[section]
  const names = Object.keys(sectionTables)
  throw new InvalidArgumentError('section', section, `one of ${names.join(', ')}${didYouMean(section, names)}`)
}

function readRoot(xml: string, name: string): Element {
  const root = parseXml(xml)
  if (root.tagName !== name || root.namespaceURI !== null) {
    throw new XmlError(`the root element must be <${name}>, not <${root.tagName}>`, lineOf(root))
  }
  return root
}

type Values = Record<string, unknown>
interface ReadOptions { partial: boolean, keep: boolean }

function readOptions({ partial = false, unknown = 'keep' }: UnknownOptions & { partial?: boolean }): ReadOptions {
  return { partial, keep: checkUnknownOption(unknown) === 'keep' }
}

function readElement(element: Element, table: Table, options: ReadOptions): Values {
  const values: Values = {}
  const unknown = new UnknownXmlReader()
  const attributes: string[] = []
  for (const attribute of attributesOf(element)) {
    const { name } = attribute
    const field = attributeField(table, name)
    if (field === undefined) {
      if (!options.keep) throw unknownAttribute(element, attribute, table)
      attributes.push(...unknown.attribute(attribute))
      continue
    }
    values[name] = readValue(attribute.value, field.codec, attribute, () => `${pathOf(element)}: ${name}`)
    attributes.push(name)
  }
  const children: string[] = []
  for (const child of childElements(element)) {
    const found = childField(table, child.localName ?? child.tagName, child.namespaceURI)
    if (found === undefined) {
      if (!options.keep) throw unknownElement(element, child, table)
      unknown.element(child)
      children.push('*')
      continue
    }
    const [name, field] = found
    if (field.kind !== 'element') {
      const position = isRepeated(field) ? `[${((values[name] as unknown[] | undefined)?.length ?? 0) + 1}]` : ''
      for (const attribute of attributesOf(child)) {
        if (!options.keep) throw unknownAttribute(child, attribute, {})
        unknown.attribute(attribute, `${name}${position}/@`)
      }
    }
    const value = readChild(child, field, options)
    if (isRepeated(field)) ((values[name] ??= []) as unknown[]).push(value)
    else if (Object.hasOwn(values, name)) throw new XmlError(`${pathOf(child)}: only one is accepted`, lineOf(child))
    else values[name] = value
    children.push(name)
  }
  if (!options.partial) requireAll(element, table, values)
  if (unknown.result !== undefined) values['unknown'] = unknown.result
  if (options.keep) rememberOrder(values, attributes, children, Object.keys(table))
  return values
}

function readChild(child: Element, field: ChildField, options: ReadOptions): unknown {
  if (field.kind === 'xml') return innerXml(child)
  if (field.kind === 'element') return readElement(child, field.table, options)
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

function isRepeated(field: Field): field is Field & (ElementField | TextField) {
  return (field.kind === 'element' || field.kind === 'text') && field.repeated
}

function unknownAttribute(element: Element, attribute: Attr, table: Table): XmlError {
  const hint = attributeHint(attribute.name, table)
  return new XmlError(`${pathOf(element)}: unknown attribute ${show(attribute.name)}${hint}`, lineOf(attribute))
}

function unknownElement(parent: Element, child: Element, table: Table): XmlError {
  const foreign = child.namespaceURI === null ? '' : ` in namespace ${show(child.namespaceURI)}`
  const hint = elementHint(child.tagName, table)
  return new XmlError(`${pathOf(parent)}: unknown element <${child.tagName}>${foreign}${hint}`, lineOf(child))
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
 * Writes `<network>` with libvirt's indentation and quotes, and its order unless the config was read from XML of another
 * order: what `virsh net-dumpxml` printed comes out the same.
 *
 * @throws InvalidArgumentError with a field like `ip[0].dhcp.range[0].end`: unknown or missing fields, wrong types
 */
export function formatNetworkXml(config: NetworkConfig): string {
  const values = normalizeNetworkConfig(config)
  const declared = values.unknown?.attributes?.['xmlns:dnsmasq'] !== undefined
  const namespaces = values.dnsmasq === undefined || declared ? '' : ` xmlns:dnsmasq='${dnsmasqNamespace}'`
  return writeElement('network', values as unknown as Values, networkTable as Table, {
    indent: '', paired: true, extra: namespaces,
  })
}

/**
 * Writes an element as network.update() takes it; parseSectionXml reads it back.
 *
 * @param options `partial`: required fields may be missing
 * @throws InvalidArgumentError with a field like `host.ip`; of `section`, if there is no such section
 */
export function formatSectionXml<S extends keyof SectionConfigs>(
  section: S, element: Partial<SectionConfigs[S]>, options: { partial: boolean } = { partial: false },
): string {
  const { root, table } = tableOf(section)
  return writeElement(root, normalizeSection(section, element, options), table as Table, { indent: '', paired: false })
}

interface WriteOptions { indent: string, paired: boolean, extra?: string }

function writeElement(tag: string, values: Values, table: Table, { indent, paired, extra = '' }: WriteOptions): string {
  const { attributes: unknownAttributes = {}, elements = [] } = values['unknown'] as UnknownXml | undefined ?? {}
  const unknown = Object.entries(unknownAttributes)
  const within = `${indent}  `
  const attributes: Entry[] = []
  const children: Entry[] = []
  for (const [name, field] of Object.entries(table)) {
    const value = values[name]
    if (value === undefined) continue
    if (field.kind === 'attribute') {
      attributes.push({ key: `@${name}`, xml: attributeXml(name, field.codec.format(value) ?? '') })
    } else if (field.kind === 'element') {
      const options = { indent: within, paired: field.paired ?? false }
      for (const item of field.repeated ? value as Values[] : [value as Values]) {
        children.push({ key: name, xml: writeElement(tagName(name, field), item, field.table, options) })
      }
    } else if (field.kind === 'xml') {
      children.push({ key: name, xml: writeXml(name + attributesAt(`${name}/@`, unknown), String(value), within) })
    } else {
      (field.repeated ? value as unknown[] : [value]).forEach((item, index) => {
        const owner = field.repeated ? `${name}[${index + 1}]/@` : `${name}/@`
        const text = escapeText(field.codec.format(item) ?? '', 'text')
        children.push({ key: name, xml: `${within}<${name}${attributesAt(owner, unknown)}>${text}</${name}>\n` })
      })
    }
  }
  for (const [name, value] of unknown) {
    if (!name.includes('@')) attributes.push({ key: `@${name}`, xml: attributeXml(name, value) })
  }
  for (const xml of elements) children.push({ key: '*', xml: `${within}${xml}\n` })
  const order = orderOf(values)
  const start = `${indent}<${tag}${extra}${arrange(attributes, order).map(({ xml }) => xml).join('')}`
  if (children.length === 0 && !paired) return `${start}/>\n`
  return `${start}>\n${arrange(children, order).map(({ xml }) => xml).join('')}${indent}</${tag}>\n`
}

function attributesAt(owner: string, unknown: [string, string][]): string {
  return unknown.filter(([key]) => key.startsWith(owner))
    .map(([key, value]) => attributeXml(key.slice(owner.length), value)).join('')
}

function attributeXml(name: string, value: string): string {
  return ` ${name}='${escapeText(value)}'`
}

function writeXml(start: string, content: string, indent: string): string {
  if (content === '') return `${indent}<${start}/>\n`
  return `${indent}<${start}>\n${indent}  ${content}\n${indent}</${start.split(' ', 1)[0]}>\n`
}
