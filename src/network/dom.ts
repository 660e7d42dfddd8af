/** XML text to DOM and back, by xmldom, made strict: whatever it would repair or warn about is an XmlError here. */
import { createRequire } from 'node:module'
import type * as Xmldom from '@xmldom/xmldom'
import type { Attr, Element, Node } from '@xmldom/xmldom'
import { InvalidArgumentError, XmlError, show } from '../errors.ts'

type XmldomModule = typeof Xmldom
let xmldomModule: XmldomModule | undefined

/** Loaded at first use: it would cost each import of this package 16 ms. */
function xmldom(): XmldomModule {
  xmldomModule ??= createRequire(import.meta.url)('@xmldom/xmldom') as XmldomModule
  return xmldomModule
}

const maxLength = 1024 * 1024
// xmldom copies all namespaces in scope at each declaration: without a limit, 600 KiB of nested ones take 4 GiB.
const maxNamespaces = 1000

/**
 * The root element of a document.
 *
 * @throws InvalidArgumentError if it is no string, or is longer than 1 MiB
 * @throws XmlError if it is not well-formed, or has a DOCTYPE
 */
export function parseXml(xml: unknown): Element {
  if (typeof xml !== 'string') throw new InvalidArgumentError('xml', xml, 'a string')
  if (xml.length > maxLength) throw new InvalidArgumentError('xml', xml, 'at most 1 MiB of XML')
  if (xml.split('xmlns', maxNamespaces + 2).length > maxNamespaces + 1) {
    throw new InvalidArgumentError('xml', xml, `at most ${maxNamespaces} namespace declarations`)
  }
  const text = xml.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  refuseBadReferences(text)
  let fault: XmlError | undefined
  const parser = new (xmldom().DOMParser)({
    // The default also takes U+0085 and U+2028 for line ends, as XML 1.1 does.
    normalizeLineEndings: (source) => source,
    onError: (_level, message, context: unknown) => {
      fault ??= notWellFormed(message, (context as { locator?: Position }).locator)
      throw fault
    },
  })
  try {
    const document = parser.parseFromString(text, 'application/xml')
    if (document.doctype !== null) {
      throw new XmlError('a DOCTYPE is not accepted', lineAt(text, text.search(/<!DOCTYPE/i)))
    }
    if (document.documentElement !== null) return document.documentElement
    throw new XmlError('no root element', 1)
  } catch (error) {
    if (error instanceof XmlError) throw error
    throw fault ?? notWellFormed(String(error), undefined)
  }
}

interface Position {
  lineNumber?: number
  columnNumber?: number
}

function notWellFormed(message: string, position: Position | undefined): XmlError {
  const what = `not well-formed XML: ${message.length > 160 ? `${message.slice(0, 157)}…` : message}`
  return new XmlError(what, Math.max(position?.lineNumber ?? 1, 1), position?.columnNumber)
}

const unparsed: Record<string, string> = { '<!--': '-->', '<![CDATA[': ']]>', '<?': '?>' }
// XML 1.0, 2.2 Characters
const notCharacter = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u

/** xmldom lets `A & B` and control characters pass, and of `&nbsp;` it knows only the line of the tag before. */
function refuseBadReferences(text: string): void {
  const bad = notCharacter.exec(text)
  if (bad !== null) {
    throw new XmlError(`not well-formed XML: ${show(bad[0])} is no character of XML`, lineAt(text, bad.index))
  }
  const ampersand = /<!--|<!\[CDATA\[|<\?|&(?!(?:amp|lt|gt|quot|apos);)(?:#(\d+|x[\da-f]+);)?/gi
  for (let match = ampersand.exec(text); match !== null; match = ampersand.exec(text)) {
    if (match[1] !== undefined) {
      refuseBadCharacter(match[1], text, match.index)
      continue
    }
    const end = unparsed[match[0].toUpperCase()]
    if (end === undefined) {
      const reference = /^&[^\s;<]{0,32};?/.exec(text.slice(match.index, match.index + 40))?.[0] ?? '&'
      const accepted = '&amp; for an ampersand, &lt; &gt; &quot; &apos; or a number'
      throw new XmlError(`not well-formed XML: ${show(reference)}; write ${accepted}`, lineAt(text, match.index))
    }
    const close = text.indexOf(end, match.index)
    if (close === -1) return // for the parser to refuse
    ampersand.lastIndex = close
  }
}

function refuseBadCharacter(number: string, text: string, at: number): void {
  const code = Number(number.replace(/^x/i, '0x'))
  if (code <= 0x10ffff && !notCharacter.test(String.fromCodePoint(code))) return
  throw new XmlError(`not well-formed XML: &#${number.slice(0, 32)}; is no character of XML`, lineAt(text, at))
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, Math.max(offset, 0)).split('\n').length
}

/** 1-based line of a node. */
export function lineOf(node: Node): number {
  return (node as Position).lineNumber ?? 1
}

/** The child elements. Comments and processing instructions are passed over; text in between is an XmlError. */
export function childElements(element: Element): Element[] {
  const children: Element[] = []
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (isElement(node)) children.push(node)
    else if (isText(node)) refuseText(element, node)
  }
  return children
}

function refuseText(element: Element, node: Node): void {
  const text = node.nodeValue?.trim() ?? ''
  if (text === '') return
  const blankLines = /^\s*/.exec(node.nodeValue ?? '')?.[0].match(/\n/g)?.length ?? 0
  throw new XmlError(`<${element.tagName}>: no text is accepted here, got ${show(text)}`, lineOf(node) + blankLines)
}

/** The text of an element that has no child elements. */
export function textContent(element: Element): string {
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (isElement(node)) {
      throw new XmlError(`<${element.tagName}>: only text is accepted, not <${node.tagName}>`, lineOf(node))
    }
  }
  return element.textContent ?? ''
}

/** All attributes that are not namespace declarations. */
export function attributesOf(element: Element): Attr[] {
  const attributes: Attr[] = []
  for (let index = 0; index < element.attributes.length; index++) {
    const attribute = element.attributes.item(index)
    if (attribute !== null && attribute.namespaceURI !== 'http://www.w3.org/2000/xmlns/') attributes.push(attribute)
  }
  return attributes
}

/** The children of an element as XML text, with the namespaces that they use declared on them. */
export function innerXml(element: Element): string {
  const serializer = new (xmldom().XMLSerializer)()
  let text = ''
  for (let node = element.firstChild; node !== null; node = node.nextSibling) text += serializer.serializeToString(node)
  return text.trim().replaceAll('\r', '&#13;')
}

const markup = /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|<[^/](?:[^"'>]|"[^"]*"|'[^']*')*>/g

/** An element as XML text, with the namespaces that it uses declared on it. Attributes are quoted as libvirt does. */
export function outerXml(element: Element): string {
  const text = new (xmldom().XMLSerializer)().serializeToString(element).replaceAll('\r', '&#13;')
  return text.replace(markup, (tag) => (/^<[!?]/.test(tag) ? tag : tag.replace(/="([^"]*)"/g,
    (_, value: string) => `='${value.replaceAll('\'', '&apos;').replaceAll('>', '&gt;')}'`)))
}

const escapes: Record<string, string> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&apos;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;',
}

/** Line ends in attributes would be read back as spaces, carriage returns anywhere as line ends. */
export function escapeText(text: string, place: 'attribute' | 'text' = 'attribute'): string {
  const special = place === 'text' ? /[&<>"'\r]/g : /[&<>"'\t\n\r]/g
  return text.replace(special, (character) => escapes[character] ?? character)
}

function isElement(node: Node): node is Element {
  return node.nodeType === 1
}

function isText(node: Node): boolean {
  return node.nodeType === 3 || node.nodeType === 4
}
