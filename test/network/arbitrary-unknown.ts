/** Random documents around a random config: unknown attributes and elements anywhere, siblings and attributes shuffled. */
import fc from 'fast-check'
import type { Element } from '@xmldom/xmldom'
import { childElements, parseXml } from '../../src/network/dom.ts'
import { formatNetworkXml } from '../../src/network/xml.ts'
import { networkConfigs } from './arbitrary.ts'

const text = fc.constantFrom('', 'x', '&lt;&amp;&gt;', '&quot;', '&apos;', 'a=&quot;b&quot;', '&#10;&#13;&#9;', 'ü 🙂', '=&#39;')
const unknownAttributes = fc.uniqueArray(fc.constantFrom(
  (value: string) => ` zz='${value}'`,
  (value: string) => ` __proto__="${value}"`,
  (value: string) => ` constructor='${value}'`,
  (value: string) => ` xml:lang='${value}'`,
  (value: string) => ` u:a='${value}' xmlns:u='urn:u'`,
  (value: string) => ` v:a='${value}' v:name='1' xmlns:v='urn:&apos;v'`,
), { maxLength: 3 })
const unknownElements = fc.array(fc.constantFrom(
  () => `<zz/>`,
  (value: string) => `<zz a='${value}'>${value}</zz>`,
  (value: string) => `<stp>\n   <a><![CDATA[<&"']]></a>${value}<!-- "a='b'" > --><?p a="b"?> a="b" </stp>`,
  (value: string) => `<u:bridge xmlns:u='urn:u' u:b="${value}"><u:c/><ip xmlns='urn:w'>${value}</ip></u:bridge>`,
  (value: string) => `<ip xmlns='urn:w' name='${value}'/>`,
  () => `<dnsmasq:else xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'/>`,
), { maxLength: 3 })
const additions = fc.record({ attributes: unknownAttributes, elements: unknownElements, value: text, seed: fc.nat() })

/** XML that libvirt would never print, but means the same network as the config. */
export const shuffledXml: fc.Arbitrary<string> = fc.tuple(networkConfigs, fc.array(additions, { minLength: 8, maxLength: 8 }))
  .map(([config, all]) => {
    let next = 0
    const rebuild = (element: Element, parent: string | undefined): string => {
      const { attributes, elements, value, seed } = all[next++ % all.length] as (typeof all)[number]
      const given = shuffle([
        ...Array.from({ length: element.attributes.length }, (_, at) => {
          const attribute = element.attributes.item(at)
          return ` ${attribute?.name}="${escape(attribute?.value ?? '')}"`
        }), ...attributes.map((make) => make(value))], seed)
      if (element.tagName === 'metadata') return element.toString()
      const isText = isTextElement(element.tagName, parent)
      const children = isText ? [escape(element.textContent ?? '')] : shuffle([
        ...childElements(element).map((child) => rebuild(child, element.tagName)),
        ...elements.map((make) => make(value))], seed >> 3)
      return `<${element.tagName}${given.join('')}>${children.join(isText ? '' : '\n')}</${element.tagName}>`
    }
    return rebuild(parseXml(formatNetworkXml(config)), undefined)
  })

export function isTextElement(name: string, parent: string | undefined): boolean {
  return name === 'hostname' || parent === 'network' && ['name', 'uuid', 'title', 'description'].includes(name)
}

function escape(value: string): string {
  return value.replace(/[^\w ]/gu, (character) => `&#${character.codePointAt(0)};`)
}

/** Seeded, so that fast-check can repeat and shrink it. */
function shuffle<T>(items: T[], seed: number): T[] {
  return items.map((item, index) => ({ item, rank: Math.imul(index + 1, (seed | 1) * 2654435761) >>> 8 }))
    .sort((a, b) => a.rank - b.rank).map(({ item }) => item)
}
