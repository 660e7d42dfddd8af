/** What parseNetworkXml and formatNetworkXml say about what they refuse. */
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError, XmlError } from '../../src/errors.ts'
import type { NetworkConfig } from '../../src/network/config.ts'
import { formatNetworkXml, parseNetworkXml, parseSectionXml } from '../../src/network/xml.ts'

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('parseNetworkXml', () => {
  // XML, line, parts of the message. Lines of the XML are separated by |.
  const inNetwork = (lines: string): string => `<network>|<name>n</name>|${lines}|</network>`
  const cases: [string, string, number, string[]][] = [
    ['nothing', '', 1, ['root element']],
    ['no XML', 'default', 1, ['not well-formed']],
    ['an end tag of another name', '<network>|  <name>x</nam>|</network>', 2, ['not well-formed', 'name']],
    ['an unclosed element', '<network>|<name>x</name>|<ip>', 3, ['not well-formed', 'ip']],
    ['an attribute without quotes', inNetwork('|<bridge name=virbr0/>'), 4, ['not well-formed']],
    ['an attribute twice', inNetwork('<bridge name="a" name="b"/>'), 3, ['not well-formed', 'name']],
    ['a bare ampersand', inNetwork('|<title>|A & B</title>'), 5, ['not well-formed', '&amp;']],
    ['the ampersand after comments', '<network>|<!-- & --><name><![CDATA[&]]>|&</name></network>', 3, ['&amp;']],
    ['an unknown entity', inNetwork('|<title>&nbsp;</title>'), 4, ['not well-formed', '&nbsp;']],
    ['two roots', '<network><name>n</name></network>|<network/>', 2, ['not well-formed']],
    ['an undeclared prefix', inNetwork('<dnsmasq:options/>'), 3, ['not well-formed', 'prefix']],
    ['a DOCTYPE', '<?xml version="1.0"?>|<!DOCTYPE network [<!ENTITY a "b">]>|<network><name>n</name></network>', 2,
      ['DOCTYPE']],
    ['an entity of its own', '<!DOCTYPE n [<!ENTITY a "b">]>|<network><name>&a;</name></network>', 2, ['&a;']],
    ['another root', '|<domain type="kvm"/>', 2, ['<network>', '<domain>']],
    ['a root in a namespace', '<network xmlns="urn:a"/>', 1, ['root element']],
    ['no name', '|<network>|</network>', 2, ['network', '<name>', 'required']],
    ['an empty name', '<network>|<name/>|</network>', 2, ['network/name', 'expected a name']],
    ['a misspelled element', inNetwork('<foward mode="nat"/>'), 3,
      ['unknown element <foward>', 'did you mean "forward"?', 'portgroup']],
    ['a misspelled attribute', inNetwork('<bridge|  nmae="virbr0"/>'), 4,
      ['network/bridge', 'unknown attribute "nmae"', 'did you mean "name"?', 'macTableManager']],
    ['an attribute of Object', inNetwork('<bridge constructor="x"/>'), 3, ['unknown attribute "constructor"']],
    ['an element of Object', inNetwork('<constructor/>'), 3, ['unknown element <constructor>']],
    ['an attribute of a text', inNetwork('<uuid a="b"/>'), 3, ['unknown attribute "a"', 'accepted: none']],
    ['the dnsmasq field by its name', inNetwork('<dnsmasq/>'), 3, ['unknown element <dnsmasq>', 'dnsmasq:options']],
    ['dnsmasq options without a namespace', inNetwork('<options/>'), 3, ['unknown element <options>']],
    ['an element in a foreign namespace', inNetwork('<a xmlns="urn:a"/>'), 3, ['unknown element <a>', '"urn:a"']],
    ['an element twice', inNetwork('<bridge/>||<bridge/>'), 5, ['network/bridge[2]', 'only one']],
    ['an unknown mode', inNetwork('<forward mode="nta"/>'), 3,
      ['network/forward: mode', '"nat", "route"', 'got "nta"', 'did you mean "nat"?']],
    ['an address that is none', inNetwork('<ip address="10.0.0.256"/>'), 3,
      ['network/ip: address', 'an IPv4 or IPv6 address', '"10.0.0.256"']],
    ['which of several',
      inNetwork('<ip address="10.0.0.1"/>|<ip address="10.0.1.1"><dhcp>|<range start="a" end="b"/></dhcp></ip>'),
      5, ['network/ip[2]/dhcp/range: start']],
    ['half a range', inNetwork('<ip address="10.0.0.1"><dhcp>|<range start="10.0.0.2"/></dhcp></ip>'), 4,
      ['network/ip/dhcp/range', 'attribute end is required']],
    ['a DNS host without names', inNetwork('<dns><host ip="10.0.0.1"/></dns>'), 3,
      ['dns/host', '<hostname>', 'required']],
    ['a flag', inNetwork('<bridge stp="yes"/>'), 3, ['stp', 'on or off', '"yes"']],
    ['a number', inNetwork('<mtu size="9k"/>'), 3, ['network/mtu: size', 'whole number', '"9k"']],
    ['a number out of range', inNetwork('<vlan><tag id="4096"/></vlan>'), 3, ['0 to 4095']],
    ['a multicast MAC', inNetwork('<mac address="53:54:00:00:00:01"/>'), 3, ['unicast MAC']],
    ['a UUID', inNetwork('<uuid>71c3</uuid>'), 3, ['network/uuid', 'UUID']],
    ['a control character', inNetwork('<title>|&#1;</title>'), 4, ['not well-formed', '&#1;']],
    ['a raw control character', inNetwork('<title>|\x01</title>'), 4, ['not well-formed', 'no character']],
    ['a replacement character', inNetwork('<title>&#xfffd;</title>'), 3, ['network/title']],
    ['text among elements', inNetwork('<forward>||nat</forward>'), 5, ['<forward>', 'no text', '"nat"']],
    ['an element in a text', inNetwork('<uuid>|<b/></uuid>'), 4, ['<uuid>', 'only text', '<b>']],
  ]
  test.each(cases)('%s', (_, xml, line, parts) => {
    const error = thrownBy(() => parseNetworkXml(xml.replaceAll('|', '\n'), { unknown: 'refuse' }))
    expect(error).toBeInstanceOf(XmlError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_XML', line })
    for (const part of parts) expect((error as Error).message).toContain(part)
  })

  test('without unknown names, keep and refuse say the same', () => {
    for (const [, xml, , parts] of cases) {
      if (parts.some((part) => part.startsWith('unknown'))) continue
      const [kept, refused] = (['keep', 'refuse'] as const)
        .map((unknown) => thrownBy(() => parseNetworkXml(xml.replaceAll('|', '\n'), { unknown })))
      expect(kept).toEqual(refused)
    }
  })

  test('another option', () => {
    expect(thrownBy(() => parseNetworkXml('<network/>', { unknown: 'kep' as 'keep' })))
      .toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'unknown' })
  })

  test.each([
    ['no string', 42],
    ['undefined', undefined],
    ['a Buffer', Buffer.from('<network/>')],
    ['more than 1 MiB', ' '.repeat(1024 * 1024 + 1)],
    ['a bomb of namespaces', '<a xmlns:x="u">'.repeat(30_000)],
  ])('%s is an InvalidArgumentError', (_, xml) => {
    expect(thrownBy(() => parseNetworkXml(xml as string))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'xml' })
  })

  test('thousands of hosts, and deep metadata, in reasonable time', () => {
    const hosts = Array.from({ length: 5000 }, (_, index) => `<host name='h' ip='10.${index >> 8}.${index & 255}.1'/>`)
    const deep = '<a xmlns="u">'.concat('<b>'.repeat(20_000), '</b>'.repeat(20_000), '</a>')
    const xml = `<network><name>n</name><metadata>${deep}</metadata>
      <ip address='10.0.0.1'><dhcp>${hosts.join('')}</dhcp></ip></network>`
    const started = performance.now()
    expect(parseNetworkXml(xml).ip?.[0]?.dhcp?.host).toHaveLength(5000)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('formatNetworkXml', () => {
  const cases: [string, unknown, string, string][] = [
    ['nothing', undefined, 'config', 'an object'],
    ['an array', [], 'config', 'an object'],
    ['no name', {}, 'name', 'required'],
    ['a misspelled field', { name: 'n', foward: {} }, 'foward', 'did you mean "forward"?'],
    ['a misspelled field inside', { name: 'n', ip: [{ address: '10.0.0.1', netmsak: '' }] },
      'ip[0].netmsak', '"netmask"'],
    ['an object for an array', { name: 'n', ip: { address: '10.0.0.1' } }, 'ip', 'an array'],
    ['a hole', { name: 'n', ip: new Array(1) }, 'ip[0]', 'an object'],
    ['a bad end of a range',
      { name: 'n', ip: [{ address: '10.0.0.1', dhcp: { range: [{ start: '10.0.0.2', end: '10.0.0' }] } }] },
      'ip[0].dhcp.range[0].end', 'an IPv4 or IPv6 address'],
    ['a missing end of a range', { name: 'n', ip: [{ address: '10.0.0.1', dhcp: { range: [{ start: '10.0.0.2' }] } }] },
      'ip[0].dhcp.range[0].end', 'required'],
    ['a word for a flag', { name: 'n', bridge: { stp: 'on' } }, 'bridge.stp', 'true or false'],
    ['text for a number', { name: 'n', mtu: { size: '9000' } }, 'mtu.size', 'a whole number'],
    ['a fraction', { name: 'n', mtu: { size: 1.5 } }, 'mtu.size', 'a whole number'],
    ['an unknown mode', { name: 'n', forward: { mode: 'NAT' } }, 'forward.mode', 'did you mean "nat"?'],
    ['a lone surrogate', { name: 'n\ud800' }, 'name', 'a name'],
    ['no host names', { name: 'n', dns: { host: [{ ip: '10.0.0.1', hostname: [] }] } },
      'dns.host[0].hostname', 'non-empty'],
    ['broken metadata', { name: 'n', metadata: '<a>' }, 'metadata', 'well-formed XML'],
    ['metadata that breaks out', { name: 'n', metadata: '</metadata><name>m</name><metadata>' },
      'metadata', 'well-formed'],
    ['metadata that is none', { name: 'n', metadata: {} }, 'metadata', 'XML text'],
  ]
  test.each(cases)('%s', (_, config, field, part) => {
    const error = thrownBy(() => formatNetworkXml(config as NetworkConfig))
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
    expect((error as Error).message).toContain(part)
  })

  test('undefined fields and empty arrays are left out', () => {
    const config = { name: 'n', bridge: undefined, ip: [], dns: { host: [] } } as unknown as NetworkConfig
    expect(formatNetworkXml(config)).toBe('<network>\n  <name>n</name>\n  <dns/>\n</network>\n')
  })
})

describe('parseSectionXml', () => {
  test('reads what network.update() takes', () => {
    expect(parseSectionXml('ip-dhcp-host', '<host mac="52:54:00:AA:BB:CC" ip="10.0.0.2"/>'))
      .toEqual({ mac: '52:54:00:aa:bb:cc', ip: '10.0.0.2' })
    expect(parseSectionXml('dns-host', '<host ip="10.0.0.2"><hostname>a</hostname></host>'))
      .toEqual({ ip: '10.0.0.2', hostname: ['a'] })
    expect(parseSectionXml('portgroup', '<portgroup name="p"/>')).toEqual({ name: 'p' })
  })

  test('partial: what to delete need not be complete', () => {
    expect(parseSectionXml('ip-dhcp-host', '<host name="a"/>', { partial: true })).toEqual({ name: 'a' })
    expect(() => parseSectionXml('ip-dhcp-host', '<host name="a"/>')).toThrow('attribute ip is required')
  })

  test('another element, another section', () => {
    expect(() => parseSectionXml('ip-dhcp-host', '<range/>')).toThrow('must be <host>, not <range>')
    expect(() => parseSectionXml('ip-dhcp-hots' as 'ip-dhcp-host', '<host/>')).toThrow('did you mean "ip-dhcp-host"?')
  })
})
