/** Attributes and elements that schema.ts has no field for: what a config keeps of them, and the words to refuse. */
import type { Attr, Element } from '@xmldom/xmldom'
import { didYouMean, InvalidArgumentError, XmlError } from '../errors.ts'
import { dnsmasqNamespace, type UnknownXml } from './config.ts'
import { attributesOf, childElements, escapeText, lineOf, outerXml, parseXml } from './dom.ts'
import { attributeField, childField, type Table, tagName } from './schema.ts'

export interface UnknownOptions {
  /**
   * What happens to attributes and elements that have no field in the config.
   * `keep`, parseNetworkXml's default: they go into `unknown`, and formatNetworkXml writes all in the order of the XML.
   * `refuse`, validateNetwork's: an error, since nearly all are misspelled; the order is then libvirt's.
   */
  unknown?: 'keep' | 'refuse'
}

export function checkUnknownOption(unknown: NonNullable<UnknownOptions['unknown']>): 'keep' | 'refuse' {
  const accepted = ['keep', 'refuse']
  if (accepted.includes(unknown)) return unknown
  throw new InvalidArgumentError('unknown', unknown, `"keep" or "refuse"${didYouMean(unknown, accepted)}`)
}

/** Collects what one element has. */
export class UnknownXmlReader {
  readonly #attributes: [string, string][] = []
  readonly #elements: string[] = []

  /** `owner`: the way to a text element, `uuid/@`. Returns the keys that it is kept under. */
  attribute(attribute: Attr, owner = ''): string[] {
    const { prefix, namespaceURI: namespace, name, value } = attribute
    const kept: [string, string][] = [[`${owner}${name}`, value]]
    if (prefix && namespace !== null && prefix !== 'xml') {
      if (prefix === 'dnsmasq' && namespace !== dnsmasqNamespace) {
        throw new XmlError(`the prefix dnsmasq stands for ${dnsmasqNamespace}`, lineOf(attribute))
      }
      const declaration = `${owner}xmlns:${prefix}`
      if (!this.#attributes.some(([key]) => key === declaration)) kept.unshift([declaration, namespace])
    }
    this.#attributes.push(...kept)
    return kept.map(([key]) => key)
  }

  element(element: Element): void {
    this.#elements.push(outerXml(element))
  }

  get result(): UnknownXml | undefined {
    return unlessEmpty(this.#attributes, this.#elements)
  }
}

function unlessEmpty(attributes: [string, string][], elements: string[]): UnknownXml | undefined {
  if (attributes.length === 0 && elements.length === 0) return undefined
  return {
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
    ...(elements.length === 0 ? {} : { elements }),
  }
}

/** ` (did you mean "name"?)` if one comes close, and all that are accepted. */
export function attributeHint(name: string, table: Table): string {
  return hint(name, attributeNames(table))
}

export function elementHint(name: string, table: Table): string {
  return hint(name, elementNames(table))
}

function hint(name: string, accepted: string[]): string {
  return `${didYouMean(name, accepted)} (accepted: ${accepted.join(', ') || 'none'})`
}

function attributeNames(table: Table): string[] {
  return Object.entries(table).filter(([, field]) => field.kind === 'attribute').map(([name]) => name)
}

function elementNames(table: Table): string[] {
  return Object.entries(table).filter(([, field]) => field.kind !== 'attribute')
    .map(([name, field]) => tagName(name, field))
}

/**
 * A checked copy of `unknown` of a config.
 *
 * @param refuse nothing is accepted in it
 * @throws InvalidArgumentError: not of the type, not well-formed, or something that has a field of its own
 */
export function normalizeUnknown(given: unknown, table: Table, path: string, refuse: boolean): UnknownXml | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidArgumentError(path, given, 'an object with attributes and elements')
  }
  const other = Object.keys(given).find((name) => name !== 'attributes' && name !== 'elements')
  if (other !== undefined) {
    throw new InvalidArgumentError(`${path}.${other}`, undefined, 'only attributes and elements')
  }
  const { attributes = {}, elements = [] } = given as UnknownXml
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw new InvalidArgumentError(`${path}.attributes`, attributes, 'an object with strings')
  }
  if (!Array.isArray(elements)) throw new InvalidArgumentError(`${path}.elements`, elements, 'an array')
  const pairs = Object.entries(attributes).filter(([, value]) => value !== undefined)
  checkAttributes(pairs, table, `${path}.attributes`, refuse)
  return unlessEmpty(pairs, Array.from(elements as unknown[],
    (xml, index) => normalizeUnknownElement(xml, table, `${path}.elements[${index}]`, refuse)))
}

const nameStart = 'A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F'
  + '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}'
const xmlName = `[${nameStart}][${nameStart}.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040-]*`
/** `name`, `prefix:name`, `text-element/@name`, `repeated[2]/@name` */
const attributeKey = new RegExp(`^(?:(?<child>${xmlName})(?:\\[(?<position>[1-9]\\d*)\\])?/@)?(?<name>(?:${xmlName}:)?${xmlName})$`, 'u')

function checkAttributes(pairs: [string, unknown][], table: Table, path: string, refuse: boolean): void {
  const written = new Map<string, string>()
  for (const [key, value] of pairs) {
    const field = `${path}.${key}`
    const { child, position, name = '' } = attributeKey.exec(key)?.groups ?? {}
    if (typeof value !== 'string') throw new InvalidArgumentError(field, value, 'a string')
    if (name === '' || name === 'xmlns') {
      throw new InvalidArgumentError(field, value, 'the name of an attribute, or child/@name for one of a text element')
    }
    if (refuse && !name.startsWith('xmlns:')) {
      const hint = child === undefined ? attributeHint(name, table) : ''
      throw new InvalidArgumentError(field, value, `no attribute that is unknown${hint}`)
    }
    if (child === undefined && attributeField(table, name) !== undefined) {
      throw new InvalidArgumentError(field, value, `no attribute that has a field of its own, ${name}`)
    }
    if (name === 'xmlns:dnsmasq' && value !== dnsmasqNamespace) {
      throw new InvalidArgumentError(field, value, dnsmasqNamespace)
    }
    if (child !== undefined) checkTextChild(child, position, table, field, value)
    const owner = key.slice(0, -name.length)
    written.set(owner, `${written.get(owner) ?? ''} ${name}='${escapeText(value)}'`)
  }
  for (const [owner, xml] of written) {
    try {
      attributesOf(parseXml(`<a${xml}/>`))
    } catch (error) {
      throw new InvalidArgumentError(path, owner + xml, `well-formed attributes, with an xmlns:… for each prefix (${reason(error)})`)
    }
  }
}

function checkTextChild(child: string, position: string | undefined, table: Table, path: string, value: string): void {
  const field = childField(table, child, null)?.[1]
  if (field === undefined || field.kind === 'element') {
    throw new InvalidArgumentError(path, value, `the attribute of a text element, not of <${child}>`)
  }
  const repeated = field.kind === 'text' && field.repeated
  if (repeated !== (position !== undefined)) {
    throw new InvalidArgumentError(path, value, repeated ? `a position: ${child}[1]/@…` : `no position: ${child}/@…`)
  }
}

function normalizeUnknownElement(xml: unknown, table: Table, path: string, refuse: boolean): string {
  const element = parseElement(xml, path)
  const { namespaceURI: namespace, tagName: tag } = element
  const name = namespace === null ? tag : element.localName ?? tag
  if (refuse) throw new InvalidArgumentError(path, xml, `no element that is unknown${elementHint(tag, table)}`)
  const known = childField(table, name, namespace)
  if (known !== undefined) {
    throw new InvalidArgumentError(path, xml, `no element that has a field of its own, ${known[0]}`)
  }
  return outerXml(element)
}

function parseElement(xml: unknown, path: string): Element {
  const accepted = 'one XML element'
  if (typeof xml !== 'string') throw new InvalidArgumentError(path, xml, accepted)
  let elements: Element[]
  try {
    elements = childElements(parseXml(`<a>${xml.trim()}</a>`))
  } catch (error) {
    throw new InvalidArgumentError(path, xml, `${accepted} (${reason(error)})`)
  }
  const [element, ...others] = elements
  if (element === undefined || others.length > 0 || element.nextSibling !== null || element.previousSibling !== null) {
    throw new InvalidArgumentError(path, xml, accepted)
  }
  return element
}

function reason(error: unknown): string {
  return error instanceof XmlError ? error.message : 'too long'
}
