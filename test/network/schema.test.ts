/** schema.ts against the RELAX NG schema of the installed libvirt: every element, attribute and enumerated value. */
import { readFileSync } from 'node:fs'
import type { Element } from '@xmldom/xmldom'
import { describe, expect } from 'vitest'
import { dnsmasqNamespace } from '../../src/network/config.ts'
import { childElements, parseXml } from '../../src/network/dom.ts'
import { type Table, networkTable, tagName } from '../../src/network/schema.ts'
import { needing, needs } from '../support/needs.ts'

const folder = '/usr/share/libvirt/schemas/'

/** What we have and the installed schema may lack, and why. */
const ours: Record<string, string> = {
  'network/title': 'libvirt 9.7',
  'network/description': 'libvirt 9.7',
  'network/domain/@register': 'libvirt 10.1',
  'network/forward/driver/@model': 'libvirt 10.0',
  'network/forward/driver/@iommufd': 'libvirt 12.1',
  'network/forward/pf/@connections': 'printed for a running network, and not in any schema',
  'network/dns/forwarder/@port': 'libvirt 12.0',
}

/** Path → values, where the schema lists them. `network/ip/@family` for an attribute. */
type Paths = Map<string, Set<string>>

function readSchema(): Paths {
  const defines = new Map<string, Element>()
  const load = (file: string): void => {
    for (const child of childElements(parseXml(readFileSync(folder + file, 'utf8')))) {
      if (child.tagName === 'include') load(child.getAttribute('href') ?? '')
      else defines.set(child.getAttribute('name') ?? child.tagName, child)
    }
  }
  load('network.rng')
  const paths: Paths = new Map()
  const walk = (node: Element, path: string, namespace: string): void => {
    const name = node.getAttribute('name')
    if (node.tagName === 'ref') {
      const define = defines.get(name ?? '')
      if (define === undefined) throw new Error(`no definition of ${name}`)
      return walkAll(define, path, namespace)
    }
    if (node.tagName === 'value') return void paths.get(path)?.add(node.textContent ?? '')
    if (node.tagName !== 'element' && node.tagName !== 'attribute') return walkAll(node, path, namespace)
    if (name === null) return // <anyName>: what is in <metadata>
    const ns = node.getAttribute('ns') ?? namespace
    const step = node.tagName === 'attribute' ? `@${name}` : ns === dnsmasqNamespace ? `dnsmasq:${name}` : name
    const here = path === '' ? step : `${path}/${step}`
    if (!paths.has(here)) paths.set(here, new Set())
    walkAll(node, here, ns)
  }
  const walkAll = (node: Element, path: string, namespace: string): void => {
    for (const child of childElements(node)) if (!['param', 'data'].includes(child.tagName)) walk(child, path, namespace)
  }
  walkAll(defines.get('start') as Element, '', '')
  return paths
}

function ourPaths(table: Table, path: string): Map<string, ((text: string) => unknown) | undefined> {
  const paths = new Map<string, ((text: string) => unknown) | undefined>([[path, undefined]])
  for (const [name, field] of Object.entries(table)) {
    if (field.kind === 'attribute') paths.set(`${path}/@${name}`, (text) => field.codec.parse(text))
    else if (field.kind !== 'element') paths.set(`${path}/${name}`, undefined)
    else for (const [inner, parse] of ourPaths(field.table, `${path}/${tagName(name, field)}`)) paths.set(inner, parse)
  }
  return paths
}

const { describe: withSchema, test } = needing(needs.file(`${folder}network.rng`))
withSchema('network.rng', () => {
  const theirs = needs.file(`${folder}network.rng`) === undefined ? readSchema() : new Map<string, Set<string>>()
  const table = ourPaths(networkTable as Table, 'network')

  test('is read', () => {
    expect(theirs.size).toBeGreaterThan(110)
    expect([...theirs.get('network/forward/@mode') ?? []]).toContain('hostdev')
    expect(theirs.has('network/dnsmasq:options/dnsmasq:option/@value')).toBe(true)
  })

  test('has nothing that we lack', () => {
    expect([...theirs.keys()].filter((path) => !table.has(path))).toEqual([])
  })

  test('lacks only what we know that it lacks', () => {
    expect([...table.keys()].filter((path) => !theirs.has(path) && ours[path] === undefined)).toEqual([])
  })

  test('lists no value that we refuse', () => {
    const refused = [...theirs].flatMap(([path, values]) =>
      [...values].filter((value) => table.get(path)?.(value) === undefined).map((value) => `${path}=${value}`))
    expect(refused).toEqual([])
  })
})

describe('the list of what schemas lack', () => {
  const table = ourPaths(networkTable as Table, 'network')
  needing().test('names what we have', () => {
    expect(Object.keys(ours).filter((path) => !table.has(path))).toEqual([])
  })
})
