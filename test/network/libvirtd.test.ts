/** Round trips through libvirt: format, `virsh net-define --validate`, net-dumpxml says the same, and we print it so. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'
import type { NetworkConfig } from '../../src/network/config.ts'
import { validateNetwork } from '../../src/network/validate.ts'
import { formatNetworkXml, parseNetworkXml } from '../../src/network/xml.ts'
import { type Libvirtd, libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { asLibvirtHasIt, inOneForm, networks, validNetworks } from './networks.ts'

const testDriver = needing(needs.tool('virsh'))
const daemon = needing(...libvirtdNeeds())
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'virbr-libvirtd-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function expectSame(config: NetworkConfig, dump: string, hint?: string): void {
  const printed = parseNetworkXml(dump)
  expect(printed, hint).toEqual(asLibvirtHasIt(config, printed))
  expect(inOneForm(formatNetworkXml(printed))).toBe(inOneForm(dump))
}

daemon.describe('libvirtd', () => {
  let libvirtd: Libvirtd
  beforeAll(async () => {
    libvirtd = await startLibvirtd()
  })
  afterAll(() => libvirtd?.stop())

  // Whether it is a virtual function of SR-IOV is looked up at once.
  daemon.test.each(Object.entries(networks).filter(([name]) => name !== 'hostdev by address'))('%s', async (_, network) => {
    const config: NetworkConfig = { name: 'n', ...network, ...network.ip && { dnsmasq: { option: [{ value: 'cname=a,b' }] } } }
    validateNetwork(config)
    expect(parseNetworkXml(formatNetworkXml(config))).toEqual(config)
    const path = join(folder, 'network.xml')
    await writeFile(path, formatNetworkXml(config))
    await libvirtd.virsh('net-define', path, '--validate')
    try {
      expectSame(config, await libvirtd.virsh('net-dumpxml', 'n', '--inactive'))
    } finally {
      await libvirtd.virsh('net-undefine', 'n')
    }
  })

  daemon.test('a running network', async () => {
    const config: NetworkConfig = { name: 'n', forward: {}, ip: [{ address: '10.9.0.1', prefix: 24 }] }
    const path = join(folder, 'network.xml')
    await writeFile(path, formatNetworkXml(config))
    await libvirtd.virsh('net-create', path, '--validate')
    const dump = await libvirtd.virsh('net-dumpxml', 'n')
    expect(inOneForm(formatNetworkXml(parseNetworkXml(dump)))).toBe(inOneForm(dump))
    expect(parseNetworkXml(dump).forward?.nat?.port).toEqual({ start: 1024, end: 65535 })
    await libvirtd.virsh('net-destroy', 'n')
  })
})

/** Networks of test:///default live as long as its connection, so all in one go. */
function expectSameOfTestDriver(configs: readonly NetworkConfig[], hint?: string): void {
  const named = configs.map((config, index) => ({ ...config, name: `n${index}` }))
  const commands = named.flatMap((config) => {
    validateNetwork(config)
    const path = join(folder, `${config.name}.xml`)
    writeFileSync(path, formatNetworkXml(config))
    // Undefined again, as no two may have the same UUID or bridge.
    return [`net-define ${path} --validate`, `net-dumpxml ${config.name}`, `net-undefine ${config.name}`]
  })
  const input = commands.join('\n')
  const { stdout, stderr } = spawnSync('virsh', ['-q', '-c', 'test:///default'], { encoding: 'utf8', input })
  expect(stderr, hint).toBe('')
  const dumps = stdout.match(/^<network[^]*?^<\/network>\n/gm) ?? []
  expect(dumps).toHaveLength(named.length)
  named.forEach((config, index) => expectSame(config, dumps[index] ?? '', hint))
}

testDriver.test('all modes, by the test driver', () => {
  expectSameOfTestDriver(Object.values(networks).map((network) => ({ name: '', ...network })))
})

testDriver.test('networks at random', () => {
  // Not fc.assert: what it prints of so many is beyond reading.
  const [seed] = fc.sample(fc.nat(), 1)
  expectSameOfTestDriver(fc.sample(validNetworks, { numRuns: 150, ...seed !== undefined && { seed } }), `seed ${seed}`)
})
