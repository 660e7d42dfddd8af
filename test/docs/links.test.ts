/** docs/links.md has every kind of link and every option, docs/bridge.md every option of ports. */
import { expect, test } from 'vitest'
import { bridgePortOptions } from '../../src/rtnetlink/kinds/bridge.ts'
import { kinds, linkKinds } from '../../src/rtnetlink/kinds/index.ts'
import { page } from './markdown.ts'

const { text } = page('docs/links.md')

/** Kinds that have the options of another. */
const others: Record<string, string> = {
  macvtap: 'macvlan', ipvtap: 'ipvlan', gretap: 'gre', erspan: 'gre', ip6gretap: 'ip6gre', ip6erspan: 'ip6gre', tun: 'tap and tun',
}

test.each(Object.entries(linkKinds))('%s stands in the list with what the kernel must have', (kind, { config }) => {
  expect(text).toMatch(new RegExp(`^\\| \`${kind}\` \\| .* \\| ${config}`, 'm'))
})

test.each(Object.keys(kinds).filter(kind => kind !== 'tun'))('%s: every option', kind => {
  const names = Object.keys(kinds[kind as keyof typeof kinds].entries)
  if (names.length === 0) return
  const section = text.split(/^### /m).find(section => section.startsWith(`${others[kind] ?? kind}\n`)) ?? ''
  expect(names.filter(name => !section.includes(`\`${name}\``) && !section.includes(`${name}: {`))).toEqual([])
})

test('ports of bridges: every option that can be set', () => {
  const settable = Object.entries(bridgePortOptions.entries).filter(([, [, codec]]) => !('readOnly' in codec)).map(([name]) => name)
  const ports = page('docs/bridge.md').text.split(/^## /m).find(section => section.startsWith('Ports\n')) ?? ''
  expect(settable.length).toBeGreaterThan(20)
  expect(settable.filter(name => !ports.includes(`| \`${name}\` |`))).toEqual([])
})
