/** The same questions, put to libvirt itself: test:///default, which needs no libvirtd, no root and no network. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatNetworkXml, parseNetworkXml } from '../../src/network/xml.ts'
import { accepted, refused } from './cases.ts'
import { inOneForm } from './networks.ts'

const probe = spawnSync('virsh', ['-c', 'test:///default', 'version'], { encoding: 'utf8' })
const missing = probe.error?.message ?? (probe.status === 0 ? undefined : probe.stderr)

describe.skipIf(missing !== undefined)(`libvirt agrees${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'virbr-virsh-'))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  function file(name: string, content: string): string {
    const path = join(directory, name)
    writeFileSync(path, content)
    return path
  }

  /** Networks of test:///default live as long as its connection, so all in one go. Failing commands are passed over. */
  function virsh(commands: string[]): string {
    return spawnSync('virsh', ['-q', '-c', 'test:///default', commands.join('; ')], { encoding: 'utf8' }).stdout
  }

  const named = (xml: string, name: string): string =>
    `<network>${xml.includes('<name') ? xml : `<name>${name}</name>${xml}`}</network>`

  test.each(accepted.map((xml) => [xml]))('takes, as we write it: %s', (xml) => {
    const config = parseNetworkXml(named(xml, 'n'))
    const path = file('accepted.xml', formatNetworkXml(config))
    const dump = virsh([`net-define ${path} --validate`, 'net-dumpxml n']).replace(/^[^<]*/, '')
    expect(dump).toContain('<name>n</name>')
    const back = parseNetworkXml(dump)
    // Exactly as libvirt prints it.
    expect(inOneForm(formatNetworkXml(back))).toBe(inOneForm(dump))
    expect(back).toMatchObject(withoutEmpty(config))
  })

  test('prints everything.xml, our fixture, as we do', () => {
    const path = new URL('fixtures/everything.xml', import.meta.url)
    const dump = virsh([`net-define ${path.pathname} --validate`, 'net-dumpxml all']).replace(/^[^<]*/, '')
    expect(inOneForm(dump)).toBe(inOneForm(formatNetworkXml(parseNetworkXml(readFileSync(path, 'utf8')))))
  })

  test('refuses what we say that it refuses, and only that', () => {
    const networks = refused.filter(({ xml, libvirt }) => libvirt !== undefined && !xml.includes('<name'))
    const defines = networks.map(({ xml }, index) => `net-define ${file(`r${index}.xml`, named(xml, `r${index}`))}`)
    const defined = new Set(virsh([...defines, 'net-list --all --name']).split('\n').map((line) => line.trim()))
    expect(defined).toContain('default')
    const opinions = networks.map(({ xml }, index) => ({ xml, libvirt: !defined.has(`r${index}`) }))
    expect(opinions).toEqual(networks.map(({ xml, libvirt }) => ({ xml, libvirt })))
  })
})

/** libvirt fills in defaults and leaves out elements with nothing in them; all else comes back as it was given. */
function withoutEmpty(config: object): object {
  const isEmpty = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return JSON.parse(JSON.stringify(config), (_, value: unknown) => (isEmpty(value) ? undefined : value)) as object
}
