/** Whatever an option of a kind of links or ports is given, a request can be encoded, or an InvalidArgumentError names the option. */
import { expect, test } from 'vitest'
import { encodeRequests } from '../../src/netlink/message.ts'
import { linkKinds, portKinds } from '../../src/rtnetlink/kinds/index.ts'
import { newLink, setLink } from '../../src/rtnetlink/links.ts'
import type { LinkChange, LinkSpec, Resolved } from '../../src/rtnetlink/links.ts'
import { Complaints, neverRight, wrongValues } from '../support/hostile.ts'

/** Options without which a kind is refused. */
const least: Record<string, object> = { vlan: { id: 5 }, vxlan: { id: 5 }, vrf: { table: 5 }, geneve: { id: 5 } }

async function tryAll(what: string, options: readonly string[], encode: (option: string, value: unknown) => void): Promise<string[]> {
  const complaints = new Complaints()
  for (const option of options) {
    const path = `.${what}.${option}`
    for (const value of wrongValues) await complaints.try(path, () => { encode(option, value) }, [value])
    for (const value of neverRight) await complaints.refused('', path, () => { encode(option, value) }, [value])
  }
  return complaints.list
}

test.each(Object.keys(linkKinds).filter(kind => kind !== 'tun'))('options of %s', async kind => {
  const { options } = linkKinds[kind as 'bridge']
  const names = Object.keys(options.entries)
  expect(await tryAll(kind, names, (option, value) => {
    encodeRequests(newLink({ name: 'x', kind, [kind]: { ...least[kind], [option]: value } } as unknown as LinkSpec, { link: 1 }))
  })).toEqual([])
  expect(await tryAll(kind, names, (option, value) => {
    encodeRequests(setLink('x', { [kind]: { ...least[kind], [option]: value } } as unknown as LinkChange))
  })).toEqual([])
})

test.each(Object.entries(portKinds))('options of ports of a %s', async (masterKind, { entries }) => {
  expect(await tryAll('port', Object.keys(entries), (option, value) => {
    encodeRequests(setLink('x', { port: { [option]: value } } as LinkChange, { masterKind } as Resolved))
  })).toEqual([])
})
