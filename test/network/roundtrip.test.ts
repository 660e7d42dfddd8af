/** NetworkConfig → XML → NetworkConfig, and XML → NetworkConfig → XML. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError, VirbrError } from '../../src/errors.ts'
import type { NetworkConfig } from '../../src/network/config.ts'
import { normalizeNetworkConfig } from '../../src/network/normalize.ts'
import { validateNetwork } from '../../src/network/validate.ts'
import { formatNetworkXml, parseNetworkXml } from '../../src/network/xml.ts'
import { networkConfigs } from './arbitrary.ts'

function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
}

test('examples/default.xml', () => {
  const xml = readFileSync(new URL('../../examples/default.xml', import.meta.url), 'utf8')
  expect(parseNetworkXml(xml)).toEqual({
    name: 'default',
    bridge: { name: 'virbr0' },
    forward: {},
    ip: [{
      address: '192.168.122.1',
      netmask: '255.255.255.0',
      dhcp: { range: [{ start: '192.168.122.2', end: '192.168.122.254' }] },
    }],
  })
  expect(() => validateNetwork(parseNetworkXml(xml))).not.toThrow()
  expect(formatNetworkXml(parseNetworkXml(xml, { unknown: 'refuse' }))).toBe(`<network>
  <name>default</name>
  <forward/>
  <bridge name='virbr0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>
`)
})

const printed = ['everything.xml', 'newer.xml', 'hostdev.xml']
test.each(printed)('%s, as virsh net-dumpxml prints, comes out as it was', (name) => {
  const xml = fixture(name)
  expect(formatNetworkXml(parseNetworkXml(xml))).toBe(xml)
})

test('every config survives', () => {
  fc.assert(fc.property(networkConfigs, (config) => {
    const xml = formatNetworkXml(config)
    expect(parseNetworkXml(xml)).toEqual(config)
    expect(normalizeNetworkConfig(config)).toEqual(config)
    expect(formatNetworkXml(parseNetworkXml(xml))).toBe(xml)
  }), { numRuns: 200 })
})

test('whatever a program passes: an InvalidArgumentError, never a TypeError', () => {
  const fields = fc.constantFrom('', 'name', 'ip', 'forward', 'dns', 'metadata')
  fc.assert(fc.property(fc.anything(), fields, (junk, field) => {
    const config = (field === '' ? junk : { name: 'n', [field]: junk }) as NetworkConfig
    for (const use of [formatNetworkXml, validateNetwork]) {
      try {
        use(config)
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidArgumentError)
      }
    }
  }), { numRuns: 500 })
})

test('whatever text is parsed: an error of this package, or a config', () => {
  const mutated = fc.tuple(fc.nat(), fc.nat(40), fc.string({ unit: 'grapheme' })).map(([at, length, text]) => {
    const xml = fixture('everything.xml')
    const start = at % xml.length
    return xml.slice(0, start) + text + xml.slice(start + length)
  })
  fc.assert(fc.property(fc.oneof(fc.string(), mutated), (xml) => {
    try {
      parseNetworkXml(xml)
    } catch (error) {
      expect(error).toBeInstanceOf(VirbrError)
    }
  }), { numRuns: 500 })
})

describe('canonical form', () => {
  const cases: [string, string, unknown][] = [
    ['UUID', '<uuid>71C3F6B89B1A4A3F9D0A0A2B3C4D5E6F</uuid>', { uuid: '71c3f6b8-9b1a-4a3f-9d0a-0a2b3c4d5e6f' }],
    ['MAC', '<mac address="52:54:0:AA:BB:C"/>', { mac: { address: '52:54:00:aa:bb:0c' } }],
    ['IPv6', '<ip family="ipv6" address="FD00:0:0::0:1"/>', { ip: [{ family: 'ipv6', address: 'fd00::1' }] }],
    ['mapped IPv4', '<dns><forwarder addr="::FFFF:1.2.3.4"/></dns>',
      { dns: { forwarder: [{ addr: '::ffff:1.2.3.4' }] } }],
    ['hexadecimal', '<virtualport><parameters typeid="0x1F"/></virtualport>',
      { virtualport: { parameters: { typeid: 31 } } }],
    ['CDATA', '<title><![CDATA[a < b]]></title>', { title: 'a < b' }],
    ['comments', '<!-- a --><title>a<!-- b -->c</title><!-- d -->', { title: 'ac' }],
    ['another prefix',
      '<q:options xmlns:q="http://libvirt.org/schemas/network/dnsmasq/1.0"><q:option value="x"/></q:options>',
      { dnsmasq: { option: [{ value: 'x' }] } }],
  ]
  test.each(cases)('%s', (_, inner, config) => {
    expect(parseNetworkXml(`<network><name>n</name>${inner}</network>`)).toEqual({ name: 'n', ...config as object })
  })

  test('a byte order mark, an XML declaration and CR LF', () => {
    const xml = '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\r\n<network>\r\n  <name>n</name>\r\n</network>\r\n'
    expect(parseNetworkXml(xml)).toEqual({ name: 'n' })
  })

  test('metadata takes along a namespace that is declared above it', () => {
    const xml = '<network xmlns:a="urn:a"><name>n</name><metadata><a:b/></metadata></network>'
    expect(parseNetworkXml(xml).metadata).toBe('<a:b xmlns:a="urn:a"/>')
  })

  test('normalizeNetworkConfig does what a round trip does', () => {
    const mac = { address: '52:54:00:AA:BB:CC' }
    expect(normalizeNetworkConfig({ name: 'n', mac, ip: [], metadata: '  <a xmlns="u"/> ' }))
      .toEqual({ name: 'n', mac: { address: '52:54:00:aa:bb:cc' }, metadata: '<a xmlns="u"/>' })
  })
})
