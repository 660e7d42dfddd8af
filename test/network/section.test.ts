/** Changes of one section, and libvirt's opinion on the same: test:///default, through virsh. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InvalidArgumentError, UnsupportedError, VirbrError, XmlError } from '../../src/errors.ts'
import type { NetworkUpdate } from '../../src/network/connection.ts'
import { applyUpdate, checkUpdate, readUpdate, sectionXml } from '../../src/network/section.ts'
import { validateNetwork } from '../../src/network/validate.ts'
import { formatNetworkXml, parseNetworkXml } from '../../src/network/xml.ts'
import { needing, needs } from '../support/needs.ts'

const nat = `<network>
  <name>n</name>
  <uuid>6f0c2ac4-4f8d-4e5a-9a0e-0f1d2c3b4a59</uuid>
  <forward mode='nat'/>
  <bridge name='br7' stp='on' delay='0'/>
  <mac address='52:54:00:aa:bb:cc'/>
  <dns>
    <txt name='motd' value='hello'/>
    <host ip='10.0.0.3'><hostname>three</hostname><hostname>drei</hostname></host>
    <host ip='10.0.0.4'><hostname>four</hostname></host>
    <srv service='ldap' protocol='tcp' domain='lab' target='three' port='389'/>
    <srv service='sip' protocol='udp'/>
    <srv service='sip' protocol='tcp'/>
  </dns>
  <ip address='10.0.0.1' prefix='24'>
    <dhcp>
      <range start='10.0.0.10' end='10.0.0.20'/>
      <range start='10.0.0.30' end='10.0.0.40'><lease expiry='2' unit='hours'/></range>
      <host mac='52:54:00:00:00:01' name='one' ip='10.0.0.101'/>
      <host mac='52:54:00:00:00:02' ip='10.0.0.102'/>
      <host name='three' ip='10.0.0.103'/>
    </dhcp>
  </ip>
  <ip address='10.0.1.1' prefix='24'/>
  <ip family='ipv6' address='fd00::1' prefix='64'>
    <dhcp>
      <host id='0:1:2:3' name='six' ip='fd00::6'/>
    </dhcp>
  </ip>
</network>`
const bare = `<network><name>n</name><bridge name='br7'/><ip address='10.0.0.1' prefix='24'/></network>`
const boot = `<network><name>n</name><bridge name='br7'/><ip address='10.0.0.1' prefix='24'><dhcp>
  <host mac='52:54:00:00:00:01' ip='10.0.0.5'/><bootp file='pxe.0'/></dhcp></ip></network>`
const pool = `<network><name>n</name><forward dev='eth1' mode='private'><interface dev='eth1'/><interface dev='eth2'/></forward>
  <portgroup name='a' default='yes'><vlan><tag id='5'/></vlan></portgroup><portgroup name='b'/></network>`
const isolated = `<network><name>n</name><bridge name='br7'/></network>`
const viaEth0 = `<network><name>n</name><forward mode='nat' dev='eth0'><interface dev='eth0'/></forward>
  <bridge name='br7'/><ip address='10.0.0.1' prefix='24'/></network>`

type Section = NetworkUpdate['section']
interface Case {
  network: string
  change: [command: NetworkUpdate['command'], section: Section, xml: string, parentIndex?: number]
  /** What our error says; undefined: done. */
  error?: RegExp
  /** What libvirt does, if not the same; `newer`: the same since 10.6, and refuses before. */
  libvirt?: 'accepts' | 'refuses' | 'newer'
}

const host = 'ip-dhcp-host'
const range = 'ip-dhcp-range'
const cases: Case[] = [
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:09' name='nine' ip='10.0.0.109'/>"] },
  { network: nat, change: ['add-first', host, "<host mac='52:54:00:00:00:09' ip='10.0.0.109'><lease expiry='1' unit='hours'/></host>"] },
  { network: nat, change: ['add-last', host, "<host name='nine' ip='10.0.0.109'/>", 0] },
  { network: nat, change: ['add-last', host, "<host id='0:1:2:4' name='seven' ip='fd00::7'/>", 2] },
  // libvirt does not look where the address fits.
  { network: nat, change: ['add-last', host, "<host id='0:1:2:4' name='seven' ip='fd00::7'/>"], libvirt: 'refuses' },
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:09' ip='10.0.1.9'/>", 1], error: /10\.0\.0\.1.*has DHCP/ },
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:09' ip='10.0.0.109'/>", 7], error: /parentIndex 7/ },
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:01' ip='10.0.0.109'/>"], error: /<host mac='52:54:00:00:00:01' name='one' ip='10\.0\.0\.101'\/> stands in the way/ },
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:09' name='one' ip='10.0.0.109'/>"], error: /stands in the way/ },
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:09' ip='10.0.0.101'/>"], error: /stands in the way/ },
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:09' ip='10.9.0.1'/>"], error: /ip\[0\]\.dhcp\.host\[3\]\.ip: expected an address in 10\.0\.0\.0\/24/, libvirt: 'accepts' },
  { network: nat, change: ['add-last', host, "<host mac='52:54:00:00:00:09'/>"], error: /attribute ip is required/ },
  { network: nat, change: ['add-last', host, "<host ip='10.0.0.109'/>"], error: /mac or name/ },
  { network: bare, change: ['add-last', host, "<host mac='52:54:00:00:00:09' ip='10.0.0.109'/>"] },
  { network: isolated, change: ['add-last', host, "<host mac='52:54:00:00:00:09' ip='10.0.0.109'/>"], error: /has no <ip>/ },
  { network: nat, change: ['modify', host, "<host mac='52:54:00:00:00:01' name='first' ip='10.0.0.111'/>"] },
  { network: nat, change: ['modify', host, "<host mac='52:54:00:00:00:0a' ip='10.0.0.102'/>"] },
  { network: nat, change: ['modify', host, "<host name='three' ip='10.0.0.113'/>"] },
  { network: nat, change: ['modify', host, "<host id='0:1:2:3' name='six' ip='fd00::66'/>", 2] },
  { network: nat, change: ['modify', host, "<host mac='52:54:00:00:00:09' ip='10.0.0.109'/>"], error: /there is no <host mac='52:54:00:00:00:09' ip='10\.0\.0\.109'\/> to modify/ },
  { network: nat, change: ['delete', host, "<host mac='52:54:00:00:00:01'/>"] },
  { network: nat, change: ['delete', host, "<host name='one'/>"] },
  { network: nat, change: ['delete', host, "<host ip='10.0.0.103'/>"] },
  { network: nat, change: ['delete', host, "<host mac='52:54:00:00:00:02' ip='10.0.0.102'/>"] },
  { network: nat, change: ['delete', host, "<host mac='52:54:00:00:00:01' ip='10.0.0.102'/>"], error: /there is no/ },
  // libvirt does not look for ids; takes no MAC for any; and takes an IPv6 address only with parentIndex.
  { network: nat, change: ['delete', host, "<host id='0:1:2:3'/>", 2], libvirt: 'refuses' },
  { network: nat, change: ['delete', host, "<host name='six'/>", 2] },
  { network: nat, change: ['delete', host, "<host name='six'/>"], libvirt: 'refuses' },
  { network: nat, change: ['delete', host, "<host mac='52:54:00:00:00:09'/>"], error: /there is no/, libvirt: 'accepts' },
  { network: nat, change: ['delete', host, '<host/>'], error: /one of mac, id, name, ip/ },
  { network: boot, change: ['delete', host, "<host mac='52:54:00:00:00:01'/>"] },

  { network: nat, change: ['add-last', range, "<range start='10.0.0.50' end='10.0.0.60'/>"] },
  { network: nat, change: ['add-first', range, "<range start='10.0.0.50' end='10.0.0.60'><lease expiry='0'/></range>"] },
  { network: bare, change: ['add-first', range, "<range start='10.0.0.50' end='10.0.0.60'/>"] },
  { network: nat, change: ['add-last', range, "<range start='fd00::100' end='fd00::1ff'/>", 2] },
  { network: nat, change: ['add-last', range, "<range start='10.0.0.10' end='10.0.0.20'/>"], error: /stands in the way/ },
  { network: nat, change: ['add-last', range, "<range start='10.0.0.60' end='10.0.0.50'/>"], error: /not below start/ },
  { network: nat, change: ['add-last', range, "<range start='10.0.9.1' end='10.0.9.5'/>"], error: /address in 10\.0\.0\.0\/24/ },
  { network: nat, change: ['delete', range, "<range start='10.0.0.30' end='10.0.0.40'/>"] },
  { network: nat, change: ['delete', range, "<range start='10.0.0.10' end='10.0.0.40'/>"], error: /there is no/ },
  { network: nat, change: ['delete', range, "<range start='10.0.0.10'/>"], error: /xml\.end/ },
  { network: nat, change: ['modify', range, "<range start='10.0.0.10' end='10.0.0.25'/>"], error: /only added to and deleted from/ },

  { network: pool, change: ['add-last', 'forward-interface', "<interface dev='eth3'/>"] },
  { network: pool, change: ['add-first', 'forward-interface', "<interface dev='eth3'/>"] },
  { network: pool, change: ['add-last', 'forward-interface', "<interface dev='eth1'/>"], error: /<interface dev='eth1'\/> stands in the way/ },
  { network: pool, change: ['delete', 'forward-interface', "<interface dev='eth1'/>"] },
  { network: pool, change: ['delete', 'forward-interface', "<interface dev='eth9'/>"], error: /there is no/ },
  { network: pool, change: ['delete', 'forward-interface', '<interface/>'], error: /xml\.dev/ },
  { network: pool, change: ['modify', 'forward-interface', "<interface dev='eth1'/>"], error: /cannot be modified/ },
  { network: nat, change: ['add-last', 'forward-interface', "<interface dev='eth0'/>"] },
  { network: viaEth0, change: ['delete', 'forward-interface', "<interface dev='eth0'/>"] },
  { network: viaEth0, change: ['add-last', 'forward-interface', "<interface dev='eth1'/>"], error: /at most one interface/ },
  // libvirt takes it and forgets it.
  { network: isolated, change: ['add-last', 'forward-interface', "<interface dev='eth1'/>"], error: /is isolated/, libvirt: 'accepts' },

  { network: pool, change: ['add-last', 'portgroup', "<portgroup name='c'/>"] },
  { network: pool, change: ['add-first', 'portgroup', "<portgroup name='c'><vlan><tag id='7'/></vlan></portgroup>"] },
  { network: pool, change: ['add-last', 'portgroup', "<portgroup name='a'/>"], error: /stands in the way/ },
  { network: pool, change: ['add-last', 'portgroup', "<portgroup name='c' default='yes'/>"], error: /at most one default/ },
  { network: pool, change: ['modify', 'portgroup', "<portgroup name='a' default='yes'><vlan><tag id='6'/></vlan></portgroup>"] },
  { network: pool, change: ['modify', 'portgroup', "<portgroup name='b' default='yes'/>"], error: /at most one default/ },
  { network: pool, change: ['modify', 'portgroup', "<portgroup name='c'/>"], error: /there is no/ },
  { network: pool, change: ['delete', 'portgroup', "<portgroup name='a'/>"] },
  { network: pool, change: ['delete', 'portgroup', "<portgroup name='c'/>"], error: /there is no/ },

  { network: nat, change: ['add-last', 'dns-host', "<host ip='10.0.0.5'><hostname>five</hostname></host>"] },
  { network: nat, change: ['add-first', 'dns-host', "<host ip='10.0.0.5'><hostname>three</hostname><hostname>5</hostname></host>"] },
  { network: bare, change: ['add-last', 'dns-host', "<host ip='fd00::5'><hostname>five</hostname></host>"] },
  { network: nat, change: ['add-last', 'dns-host', "<host ip='10.0.0.3'><hostname>five</hostname></host>"], error: /<host ip='10\.0\.0\.3'><hostname>three<\/hostname><hostname>drei<\/hostname><\/host> stands in the way/ },
  { network: nat, change: ['add-last', 'dns-host', "<host ip='10.0.0.5'/>"], error: /hostname/ },
  { network: nat, change: ['delete', 'dns-host', "<host ip='10.0.0.3'/>"] },
  { network: nat, change: ['delete', 'dns-host', '<host><hostname>drei</hostname></host>'] },
  { network: nat, change: ['delete', 'dns-host', '<host><hostname>drei</hostname><hostname>four</hostname></host>'], error: /means several/ },
  { network: nat, change: ['delete', 'dns-host', "<host ip='10.0.0.9'/>"], error: /there is no/ },
  { network: nat, change: ['modify', 'dns-host', "<host ip='10.0.0.3'><hostname>x</hostname><hostname>four</hostname></host>"], libvirt: 'newer' },
  { network: nat, change: ['modify', 'dns-host', "<host ip='10.0.0.9'><hostname>four</hostname></host>"], error: /there is no/ },
  { network: nat, change: ['modify', 'dns-host', "<host ip='10.0.0.3'/>"], error: /hostname/ },

  { network: nat, change: ['add-last', 'dns-txt', "<txt name='news' value='none today'/>"] },
  { network: nat, change: ['add-first', 'dns-txt', "<txt name='news' value='none'/>"] },
  { network: nat, change: ['add-last', 'dns-txt', "<txt name='motd' value='bye'/>"], error: /stands in the way/ },
  { network: nat, change: ['delete', 'dns-txt', "<txt name='motd'/>"] },
  { network: nat, change: ['delete', 'dns-txt', "<txt name='news'/>"], error: /there is no/ },
  { network: nat, change: ['modify', 'dns-txt', "<txt name='motd' value='bye'/>"], libvirt: 'newer' },
  { network: nat, change: ['modify', 'dns-txt', "<txt name='news' value='bye'/>"], error: /there is no/ },
  { network: nat, change: ['modify', 'dns-txt', "<txt name='motd'/>"], error: /value/ },

  { network: nat, change: ['add-last', 'dns-srv', "<srv service='http' protocol='tcp' target='three' port='80' priority='1' weight='2'/>"] },
  { network: nat, change: ['add-first', 'dns-srv', "<srv service='http' protocol='tcp'/>"] },
  { network: nat, change: ['add-last', 'dns-srv', "<srv service='ldap' protocol='tcp'/>"], error: /stands in the way/ },
  { network: nat, change: ['add-last', 'dns-srv', "<srv service='http' protocol='sctp'/>"], error: /tcp or udp/, libvirt: 'accepts' },
  { network: nat, change: ['delete', 'dns-srv', "<srv service='ldap' protocol='tcp'/>"] },
  { network: nat, change: ['delete', 'dns-srv', "<srv service='sip'/>"], error: /means several/ },
  { network: nat, change: ['delete', 'dns-srv', "<srv target='four'/>"], error: /there is no/ },
  { network: nat, change: ['modify', 'dns-srv', "<srv service='sip' protocol='udp' target='x'/>"], error: /cannot be modified/ },

  { network: nat, change: ['modify', 'bridge', "<bridge name='br8'/>"], error: /section bridge cannot be updated/ },
  { network: nat, change: ['modify', 'domain', "<domain name='lab'/>"], error: /section domain cannot be updated/ },
  { network: nat, change: ['add-last', 'ip', "<ip address='10.0.2.1' prefix='24'/>"], error: /section ip cannot be updated/ },
  { network: nat, change: ['modify', 'forward', "<forward mode='route'/>"], error: /section forward cannot be updated/ },
  { network: pool, change: ['add-last', 'forward-pf', "<pf dev='eth1'/>"], error: /section forward-pf cannot be updated/ },
  { network: nat, change: ['add-last', host, "<txt name='a' value='b'/>"], error: /must be <host>/ },
  { network: nat, change: ['add-last', host, '<host'], error: /line 1/ },
]

function update(xml: string, change: NetworkUpdate): string {
  const config = applyUpdate(parseNetworkXml(xml), readUpdate(checkUpdate(change)))
  validateNetwork(config)
  return formatNetworkXml(config)
}

function changeOf([command, section, xml, parentIndex]: Case['change']): NetworkUpdate {
  return { command, section, xml, ...(parentIndex === undefined ? {} : { parentIndex }) }
}

describe('a change of a section', () => {
  test.each(cases.map(one => [`${one.change.slice(0, 3).join(' ')}${one.error === undefined ? '' : ': refused'}`, one] as const))('%s', (_, one) => {
    const change = changeOf(one.change)
    if (one.error === undefined) return void update(one.network, change)
    let error: unknown
    try {
      update(one.network, change)
    } catch (reason) {
      error = reason
    }
    expect(error).toBeInstanceOf(VirbrError)
    expect((error as VirbrError).message).toMatch(one.error)
    if (/stands in the way|there is no|means several|has DHCP|has no <ip>|isolated/.test(String(one.error))) {
      expect(error).toMatchObject({ code: 'ERR_UPDATE_FAILED' })
    } else if (/cannot be|only added/.test(String(one.error))) expect(error).toBeInstanceOf(UnsupportedError)
    else expect(error instanceof InvalidArgumentError || error instanceof XmlError || one.change[3] !== undefined).toBe(true)
  })

  test('leaves the config that it was given as it was', () => {
    const config = parseNetworkXml(nat)
    const before = structuredClone(config)
    for (const one of cases.filter(({ network, error }) => network === nat && error === undefined)) {
      applyUpdate(config, readUpdate(checkUpdate(changeOf(one.change))))
    }
    expect(config).toEqual(before)
  })

  test('is the same as an object', () => {
    const element = { mac: '52:54:00:00:00:09', name: 'nine', ip: '10.0.0.109', lease: { expiry: 2, unit: 'hours' } } as const
    const xml = "<host mac='52:54:00:00:00:09' name='nine' ip='10.0.0.109'><lease expiry='2' unit='hours'/></host>"
    expect(sectionXml(host, element).replace(/\n\s*/g, '')).toBe(xml)
    expect(update(nat, { command: 'add-last', section: host, xml: element })).toBe(update(nat, { command: 'add-last', section: host, xml }))
    expect(update(nat, { command: 'delete', section: host, xml: { name: 'one' } }))
      .toBe(update(nat, { command: 'delete', section: host, xml: "<host name='one'/>" }))
  })

  test('a device that guests use is not taken away', () => {
    const used = pool.replace("<interface dev='eth1'/>", "<interface dev='eth1' connections='2'/>")
    expect(() => update(used, { command: 'delete', section: 'forward-interface', xml: { dev: 'eth1' } })).toThrow(/guests are using/)
  })
})

describe('a change of a wrong form is refused:', () => {
  const good: NetworkUpdate = { command: 'add-last', section: host, xml: { mac: '52:54:00:00:00:09', ip: '10.0.0.109' } }
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /an update/],
    ['a string', '<host/>', /an update/],
    ['a misspelled field', { ...good, comand: 'modify' }, /did you mean "command"/],
    ['an unknown command', { ...good, command: 'add-lst' }, /command: expected one of .*did you mean "add-last"/],
    ['no command', { ...good, command: undefined }, /command/],
    ['a number for a command', { ...good, command: 3 }, /command/],
    ['an unknown section', { ...good, section: 'ip-dhcp-hosts' }, /section: .*did you mean "ip-dhcp-host"/],
    ['a section of Object', { ...good, section: 'toString' }, /section/],
    ['no element', { ...good, xml: undefined }, /xml/],
    ['null', { ...good, xml: null }, /xml/],
    ['an array', { ...good, xml: [] }, /xml/],
    ['an element with a misspelled field', { ...good, xml: { mcc: '52:54:00:00:00:09', ip: '10.0.0.109' } }, /host\.mcc.*did you mean "mac"/],
    ['an element with a bad value', { ...good, xml: { mac: 'x', ip: '10.0.0.109' } }, /host\.mac/],
    ['an element without what is required', { ...good, xml: { mac: '52:54:00:00:00:09' } }, /host\.ip/],
    ['a negative parentIndex', { ...good, parentIndex: -1 }, /parentIndex/],
    ['a parentIndex of text', { ...good, parentIndex: '0' }, /parentIndex/],
    ['live of text', { ...good, live: 'yes' }, /live: expected true or false/],
    ['config of a number', { ...good, config: 1 }, /config/],
  ])('%s', (_, change, message) => {
    expect(() => checkUpdate(change as NetworkUpdate)).toThrow(InvalidArgumentError)
    expect(() => checkUpdate(change as NetworkUpdate)).toThrow(message)
  })
})

const asked = needing(needs.tool('virsh'))

asked.describe('libvirt', () => {
  let directory = ''
  beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'virbr-section-')) })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  /** What net-dumpxml says after the update; undefined if the update was refused. */
  async function theirs({ network, change: [command, section, xml, parentIndex] }: Case): Promise<string | undefined> {
    const file = join(directory, 'network.xml')
    await writeFile(file, network)
    const index = parentIndex === undefined ? '' : ` --parent-index ${parentIndex}`
    const commands = [`net-define ${file}`, `net-update n ${command} ${section} "${xml}"${index} --config`, 'net-dumpxml n']
    // Networks of test:///default live as long as its connection, so all in one go.
    const { stdout, stderr } = spawnSync('virsh', ['-q', '-c', 'test:///default', commands.join('; ')], { encoding: 'utf8' })
    return stderr === '' ? stdout.slice(stdout.indexOf('<network')).trimEnd() : undefined
  }

  asked.test.each(cases.map(one => [`${one.libvirt ?? 'agrees'}: ${one.change.slice(0, 3).join(' ')}`, one] as const))('%s', async (_, one) => {
    const dump = await theirs(one)
    if (one.libvirt === 'newer' && dump === undefined) return
    if (one.libvirt !== undefined && one.libvirt !== 'newer') return void expect(dump === undefined ? 'refuses' : 'accepts').toBe(one.libvirt)
    if (one.error !== undefined) return void expect(dump).toBeUndefined()
    // Ours in libvirt's words: it fills in what was left open, e.g. the bridge's STP.
    const ours = parseNetworkXml(update(one.network, changeOf(one.change)))
    expect(parseNetworkXml(dump ?? '')).toMatchObject({ ...ours })
    for (const field of ['dns', 'ip', 'forward', 'portgroup'] as const) expect(parseNetworkXml(dump ?? '')[field]).toEqual(ours[field])
  })
})
