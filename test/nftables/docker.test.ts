/** The rules of a host with Docker 28, as its iptables-nft makes them: read, printed, written and changed as the tools do. */
import { expect } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { tableNames } from '../../src/nftables/iptables/names.ts'
import type { IptablesFamily } from '../../src/nftables/index.ts'
import { newHost } from '../host/support.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { container, docker, dockerSets } from './docker_rules.ts'
import { listedByTool, restoreByTool, savedByTool } from './iptables_support.ts'

const withSets = needing(needs.kernel('iptablesNft'), needs.tool('ipset'), needs.kernel('iptablesSet'))
const without = needing(needs.kernel('iptablesNft'))

/** Where the kernel has no sets, the rest is compared. */
const { test } = withSets.missing === undefined ? withSets : without
const text = (family: IptablesFamily): string =>
  (withSets.missing === undefined ? docker[family] : docker[family].split('\n').filter(line => !line.includes('--match-set')).join('\n'))

async function newDockerHost(family: IptablesFamily, restore: (host: Host, text: string) => Promise<unknown>): Promise<Host> {
  const host = await newHost()
  if (withSets.missing === undefined) {
    await run('ipset', ['restore'], { netns: host.netnsFd, input: dockerSets.map(set => `create ${set}\n`).join('') })
  }
  await restore(host, text(family))
  return host
}

const byTool = (family: IptablesFamily) => (host: Host, input: string): Promise<unknown> => restoreByTool(host, family, input, '-c')
const byUs = (family: IptablesFamily) => (host: Host, input: string): Promise<unknown> =>
  host.iptables.restore(input, { family, counters: true })

async function expectAsTheTools(host: Host, family: IptablesFamily): Promise<void> {
  expect(await host.iptables.save({ family, counters: true })).toBe(await savedByTool(host, family, '-c'))
  expect(await host.iptables.save({ family })).toBe(await savedByTool(host, family))
  const tables = await host.firewall.tables({ family })
  for (const table of tableNames.filter(name => tables.some(each => each.name === name))) {
    expect(await host.iptables.listRules({ family, table })).toBe(await listedByTool(host, family, table, '-S'))
    expect(await host.iptables.listRules({ family, table, counters: true })).toBe(await listedByTool(host, family, table, '-S', '-v'))
    expect(await host.iptables.list({ family, table })).toBe(await listedByTool(host, family, table, '-L', '-nv'))
    expect(await host.iptables.list({ family, table, exact: true, lineNumbers: true })).toBe(await listedByTool(host, family, table, '-L', '-nvx', '--line-numbers'))
    expect(await host.iptables.list({ family, table, verbose: false })).toBe(await listedByTool(host, family, table, '-L', '-n'))
  }
}

test.each(['ip', 'ip6'] as const)('what Docker’s iptables wrote reads as the tools have it, and so does what we write: %s', async family => {
  const theirs = await newDockerHost(family, byTool(family))
  await expectAsTheTools(theirs, family)
  const ours = await newDockerHost(family, byUs(family))
  await expectAsTheTools(ours, family)
  expect(await savedByTool(ours, family, '-c')).toBe(await savedByTool(theirs, family, '-c'))
  expect(JSON.stringify(await theirs.iptables.save({ family }))).not.toContain('[nft:')
})

test('the name server’s rules in a container', async () => {
  const [theirs, ours] = [await newHost(), await newHost()]
  await byTool('ip')(theirs, container)
  await byUs('ip')(ours, container)
  await expectAsTheTools(theirs, 'ip')
  expect(await savedByTool(ours, 'ip', '-c')).toBe(await savedByTool(theirs, 'ip', '-c'))
})

test('every rule is found by its text and by its object, and a rule of one’s own goes into DOCKER-USER and out again', async () => {
  const host = await newDockerHost('ip', byTool('ip'))
  const before = await savedByTool(host, 'ip', '-c')
  for (const table of ['mangle', 'raw', 'filter', 'nat'] as const) {
    for (const { chain, rule, text } of await host.iptables.rules({ table })) {
      expect([text, await host.iptables.check(chain, text, { table })]).toEqual([text, true])
      expect([rule, await host.iptables.check(chain, rule, { table })]).toEqual([rule, true])
    }
  }
  await host.iptables.commit(['-I DOCKER-USER -i virbr0 -j ACCEPT', '-I DOCKER-USER -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'])
  await run('iptables-nft', ['-C', 'DOCKER-USER', '-i', 'virbr0', '-j', 'ACCEPT'], { netns: host.netnsFd })
  await host.iptables.delete('DOCKER-USER', 1)
  await host.iptables.delete('DOCKER-USER', '-i virbr0 -j ACCEPT')
  expect(await savedByTool(host, 'ip', '-c')).toBe(before)
})
