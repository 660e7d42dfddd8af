/** What libvirt's network XML does not have, or not in this order: read, kept, written again. */
import type { Element } from '@xmldom/xmldom'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import type { NetworkConfig } from '../../src/network/config.ts'
import { parseXml } from '../../src/network/dom.ts'
import { normalizeNetworkConfig } from '../../src/network/normalize.ts'
import { validateNetwork } from '../../src/network/validate.ts'
import { formatNetworkXml, formatSectionXml, parseNetworkXml, parseSectionXml } from '../../src/network/xml.ts'
import { isTextElement, shuffledXml } from './arbitrary-unknown.ts'

const network = (inside: string, attributes = ''): string =>
  `<network${attributes}>\n  <name>n</name>\n${inside}</network>\n`

type Tree = [name: string, attributes: [string, string][], children: (Tree | string)[]]

/** A document without what means nothing: white space between elements, prefixes, order of attributes. */
function canonical(element: Element, mixed = false): Tree {
  const attributes: [string, string][] = []
  for (let at = 0; at < element.attributes.length; at++) {
    const attribute = element.attributes.item(at)
    if (attribute === null || attribute.namespaceURI === 'http://www.w3.org/2000/xmlns/') continue
    attributes.push([`{${attribute.namespaceURI ?? ''}}${attribute.localName}`, attribute.value])
  }
  const children: (Tree | string)[] = []
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1) children.push(canonical(node as Element, mixed || !isKnown(node as Element)))
    else if (mixed || isTextElement(element.tagName, (element.parentNode as Element | null)?.tagName)) {
      const text = node.nodeType === 3 || node.nodeType === 4 ? node.nodeValue ?? '' : `${node.nodeType}${node.nodeValue}`
      const last = children.at(-1)
      if (typeof last === 'string') children[children.length - 1] = last + text
      else if (text !== '') children.push(text)
    }
  }
  const sorted = attributes.sort(([a], [b]) => (a < b ? -1 : 1))
  return [`{${element.namespaceURI ?? ''}}${element.localName}`, sorted, children]
}

function isKnown(element: Element): boolean {
  return !['zz', 'stp'].includes(element.tagName) && element.namespaceURI !== 'urn:u' && element.namespaceURI !== 'urn:w'
    && element.localName !== 'else'
}

describe('survives', () => {
  test('any document: parse, format, the same but for white space', () => {
    fc.assert(fc.property(shuffledXml, (xml) => {
      const config = parseNetworkXml(xml)
      const written = formatNetworkXml(config)
      expect(canonical(parseXml(written))).toEqual(canonical(parseXml(xml)))
      expect(formatNetworkXml(parseNetworkXml(written))).toBe(written)
      expect(normalizeNetworkConfig(config)).toEqual(config)
    }), { numRuns: 60 })
  })

  test('a copy loses the order between elements of different names, and nothing else', () => {
    fc.assert(fc.property(shuffledXml, (xml) => {
      const config = parseNetworkXml(xml)
      const copy = structuredClone(config)
      expect(copy).toEqual(config)
      expect(parseNetworkXml(formatNetworkXml(copy))).toEqual(config)
    }), { numRuns: 30 })
  })

  test('as plain data', () => {
    const xml = network(`  <uuid a='b'>71c3f6b8-9b1a-4a3f-9d0a-0a2b3c4d5e6f</uuid>
  <forward new='x' mode='nat'>
    <tunnel to='a&apos;b'>
      <peer/>
    </tunnel>
  </forward>
  <dns>
    <host ip='10.0.0.2'>
      <hostname>a</hostname>
      <hostname ttl='5'>b</hostname>
    </host>
  </dns>
  <x:watch xmlns:x='urn:x' x:on='1'/>
`, ` xmlns:y='urn:y' y:z='1'`)
    const config = parseNetworkXml(xml)
    expect(config).toEqual({
      name: 'n',
      uuid: '71c3f6b8-9b1a-4a3f-9d0a-0a2b3c4d5e6f',
      forward: {
        mode: 'nat',
        unknown: { attributes: { new: 'x' }, elements: ["<tunnel to='a&apos;b'>\n      <peer/>\n    </tunnel>"] },
      },
      dns: { host: [{ ip: '10.0.0.2', hostname: ['a', 'b'], unknown: { attributes: { 'hostname[2]/@ttl': '5' } } }] },
      unknown: {
        attributes: { 'xmlns:y': 'urn:y', 'y:z': '1', 'uuid/@a': 'b' },
        elements: ["<x:watch xmlns:x='urn:x' x:on='1'/>"],
      },
    })
    expect(formatNetworkXml(config)).toBe(xml)
  })

  test('the dnsmasq namespace, however it is declared', () => {
    const url = 'http://libvirt.org/schemas/network/dnsmasq/1.0'
    const written = formatNetworkXml(parseNetworkXml(network(
      `<q:options xmlns:q='${url}' q:new='1'><q:option value='a' q:new='2'/></q:options>`, ` xmlns:dnsmasq='${url}' dnsmasq:a='1'`)))
    expect(parseNetworkXml(written)).toMatchObject({
      dnsmasq: { option: [{ value: 'a', unknown: { attributes: { 'q:new': '2' } } }], unknown: { attributes: { 'q:new': '1' } } },
      unknown: { attributes: { 'dnsmasq:a': '1' } },
    })
    expect(() => parseNetworkXml(network('', ` xmlns:dnsmasq='urn:other' dnsmasq:a='1'`))).toThrow('the prefix dnsmasq')
  })

  test('sections too', () => {
    const xml = `<host new='1' ip='10.0.0.2' mac='52:54:00:00:00:01'>\n  <a/>\n  <lease expiry='5'/>\n</host>\n`
    const host = parseSectionXml('ip-dhcp-host', xml)
    expect(host).toEqual({
      ip: '10.0.0.2', mac: '52:54:00:00:00:01', lease: { expiry: 5 }, unknown: { attributes: { new: '1' }, elements: ['<a/>'] },
    })
    expect(formatSectionXml('ip-dhcp-host', host)).toBe(xml)
    expect(() => parseSectionXml('ip-dhcp-host', '<host ipp="10.0.0.2"/>', { partial: true, unknown: 'refuse' }))
      .toThrow('did you mean "ip"?')
  })
})

describe('order', () => {
  const xml = network(`  <ip prefix='24' address='10.0.0.1'>
    <dhcp>
      <host name='a' ip='10.0.0.2'/>
      <range start='10.0.0.9' end='10.0.0.19'/>
      <host name='b' ip='10.0.0.3'/>
    </dhcp>
  </ip>
  <route address='10.1.0.0' prefix='16' gateway='10.0.0.2'/>
  <ip address='10.9.0.1' prefix='24'>
  </ip>
  <forward mode='nat'/>
`)

  test('is that of the XML', () => {
    expect(formatNetworkXml(parseNetworkXml(xml))).toBe(xml)
  })

  test('is libvirt\'s when unknown names are refused', () => {
    const written = formatNetworkXml(parseNetworkXml(xml, { unknown: 'refuse' }))
    expect(written.match(/<(forward|ip|route|range|host)/g)).toEqual(
      ['<forward', '<ip', '<range', '<host', '<host', '<ip', '<route'])
    expect(written).toContain(`<ip address='10.0.0.1' prefix='24'>`)
  })

  test('what is added goes to its like, or to its place in libvirt\'s order', () => {
    const config = parseNetworkXml(xml)
    const dhcp = config.ip?.[0]?.dhcp
    dhcp?.host?.push({ name: 'c', ip: '10.0.0.4' })
    dhcp?.range?.push({ start: '10.0.0.20', end: '10.0.0.29' })
    config.uuid = '71c3f6b8-9b1a-4a3f-9d0a-0a2b3c4d5e6f'
    config.portgroup = [{ name: 'p' }]
    config.bridge = { name: 'b' }
    const names = formatNetworkXml(config).match(/<(name|uuid|forward|bridge|ip|route|range|host|portgroup)\b/g)
    expect(names).toEqual(['<name', '<uuid', '<ip', '<host', '<range', '<range', '<host', '<host', '<route', '<ip',
      '<forward', '<bridge', '<portgroup'])
  })

  test('what is removed is gone', () => {
    const config = parseNetworkXml(xml)
    config.ip?.shift()
    delete config.forward
    expect(formatNetworkXml(config).match(/<(forward|ip|route) ?[^ >]*/g)).toEqual(
      [`<ip address='10.9.0.1'`, `<route address='10.1.0.0'`])
  })
})

describe('refused', () => {
  const cases: [string, unknown, string, string][] = [
    ['no object', 5, 'unknown', 'an object'],
    ['another field', { attribute: {} }, 'unknown.attribute', 'only attributes and elements'],
    ['attributes in a list', { attributes: [] }, 'unknown.attributes', 'an object'],
    ['elements that are none', { elements: 'a' }, 'unknown.elements', 'an array'],
    ['a number', { attributes: { a: 5 } }, 'unknown.attributes.a', 'a string'],
    ['no name', { attributes: { 'a b': '' } }, 'unknown.attributes.a b', 'the name of an attribute'],
    ['a name that breaks out', { attributes: { 'a/><b': '' } }, 'unknown.attributes.a/><b', 'the name of an attribute'],
    ['a namespace for the element', { attributes: { xmlns: 'urn:a' } }, 'unknown.attributes.xmlns', 'the name of'],
    ['another namespace for dnsmasq', { attributes: { 'xmlns:dnsmasq': 'urn:a' } }, 'unknown.attributes.xmlns:dnsmasq', 'http'],
    ['an undeclared prefix', { attributes: { 'a:b': '1' } }, 'unknown.attributes', 'xmlns:'],
    ['a control character', { attributes: { a: '\x01' } }, 'unknown.attributes', 'well-formed'],
    ['an attribute with a field', { attributes: { ipv6: 'yes' } }, 'unknown.attributes.ipv6', 'a field of its own'],
    ['an attribute of an element', { attributes: { 'bridge/@a': '1' } }, 'unknown.attributes.bridge/@a', 'text element'],
    ['a position too many', { attributes: { 'uuid[1]/@a': '1' } }, 'unknown.attributes.uuid[1]/@a', 'no position'],
    ['an element with a field', { elements: ['<bridge/>'] }, 'unknown.elements[0]', 'a field of its own, bridge'],
    ['two elements', { elements: ['<a/><b/>'] }, 'unknown.elements[0]', 'one XML element'],
    ['text', { elements: ['<a/>', 'b'] }, 'unknown.elements[1]', 'one XML element'],
    ['an element that breaks out', { elements: ['</a><b/><a>'] }, 'unknown.elements[0]', 'one XML element'],
    ['no XML', { elements: [5] }, 'unknown.elements[0]', 'one XML element'],
  ]
  test.each(cases)('%s', (_, unknown, field, message) => {
    const config = { name: 'n', unknown } as NetworkConfig
    const error = (() => {
      try {
        return formatNetworkXml(config)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error).toMatchObject({ field })
    expect((error as Error).message).toContain(message)
  })

  const misspelled: [string, string, string][] = [
    [`<ip address='10.0.0.1' netmsak='255.0.0.0'/>`, 'ip[0].unknown.attributes.netmsak', 'did you mean "netmask"?'],
    [`<ip address='10.0.0.1'><dhpc/></ip>`, 'ip[0].unknown.elements[0]', 'did you mean "dhcp"?'],
    [`<uuid a='b'>71c3f6b8-9b1a-4a3f-9d0a-0a2b3c4d5e6f</uuid>`, 'unknown.attributes.uuid/@a', 'no attribute'],
  ]
  test.each(misspelled)('by validateNetwork: %s', (inside, field, message) => {
    const config = parseNetworkXml(network(inside))
    expect(() => validateNetwork(config)).toThrow(expect.objectContaining({ field }))
    expect(() => validateNetwork(config)).toThrow(message)
    expect(() => validateNetwork(config, { unknown: 'keep' })).not.toThrow()
  })

  test('nothing unknown is nothing to refuse', () => {
    expect(() => validateNetwork({ name: 'n', unknown: { attributes: {}, elements: [] } })).not.toThrow()
  })
})
