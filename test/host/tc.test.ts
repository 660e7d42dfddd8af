/** host.qdiscs, classes, filters and bandwidth, judged by tc, and by a real libvirtd. */
import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { bandwidthRequests } from '../../src/host/bandwidth.ts'
import type { Host } from '../../src/host/host.ts'
import { openHost } from '../native/support.ts'
import { send } from '../rtnetlink/support.ts'
import { run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const common = [needs.netAdmin, needs.tool('ip'), needs.tool('tc'), needs.kernel('bridge'), needs.kernel('veth')]
const { test } = needing(...common, needs.kernel('htb'))

async function lab(): Promise<Host> {
  const host = await newHost()
  await run('sh', ['-ec', 'ip link add v0 up type veth peer name v1\nip link set v1 up'], { netns: host.netnsFd })
  return host
}

const tc = async (netns: Parameters<typeof run>[2], ...args: string[]): Promise<Json[]> =>
  JSON.parse(await run('tc', ['-j', '-s', ...args], netns) || '[]') as Json[]

test('htb: qdisc and classes, as tc shows them', async () => {
  const host = await lab()
  await host.qdiscs.add('v0', { kind: 'htb', handle: '1:', htb: { default: 2 } })
  await host.classes.add('v0', { kind: 'htb', parent: '1:', classid: '1:1', htb: { rate: 1_000_000, ceil: 2_000_000, burst: 15_360, quantum: 1500 } })
  await host.classes.add('v0', { kind: 'htb', parent: '1:1', classid: '1:2', htb: { rate: 10_000_000_000, prio: 3, quantum: 3000 } })
  const netns = { netns: host.netnsFd }
  expect(await tc(netns, 'qdisc', 'show', 'dev', 'v0')).toMatchObject([{ kind: 'htb', handle: '1:', root: true, options: { r2q: 10, default: '0x2' } }])
  // tc writes classes as text only: rates in bits a second.
  expect((await run('tc', ['class', 'show', 'dev', 'v0'], netns)).trim().split('\n').map(line => line.trim()).sort()).toEqual([
    'class htb 1:1 root rate 8Mbit ceil 16Mbit burst 15Kb cburst 1600b', expect.stringMatching(/^class htb 1:2 parent 1:1 prio 3 rate 80Gbit ceil 80Gbit /) as string,
  ])
  const [inner, outer] = (await host.classes.list({ link: 'v0' })).sort((a, b) => (a.classid < b.classid ? 1 : -1))
  expect(outer).toMatchObject({ kind: 'htb', classid: '1:1', parent: 'root', htb: { rate: 1_000_000, ceil: 2_000_000, burst: 15_360, quantum: 1500, prio: 0 } })
  expect(inner).toMatchObject({ classid: '1:2', parent: '1:1', htb: { rate: 10_000_000_000, ceil: 10_000_000_000, prio: 3 }, statistics: { packets: expect.any(Number) as number } })
  expect(await host.qdiscs.list({ link: 'v0' })).toMatchObject([{ kind: 'htb', handle: '1:', parent: 'root', htb: { default: 2, r2q: 10 } }])
  await run('ping', ['-c', '1', '-W', '1', '-I', 'v0', '192.0.2.1'], netns).catch(() => { /* Nobody answers. */ })
  await host.classes.change('v0', { kind: 'htb', parent: '1:1', classid: '1:2', htb: { rate: 5000, quantum: 1500 } })
  expect((await host.classes.list({ link: 'v0' })).find(({ classid }) => classid === '1:2')?.htb).toMatchObject({ rate: 5000 })
  await host.classes.delete('v0', { classid: '1:2' })
  expect((await host.classes.list({ link: 'v0' })).map(({ classid }) => classid)).toEqual(['1:1'])
  expect(await rejection(host.qdiscs.add('v0', { kind: 'htb' }))).toMatchObject({ errnoName: 'EEXIST' })
  await host.qdiscs.delete('v0')
  expect((await host.qdiscs.list({ link: 'v0' })).map(({ kind }) => kind)).toEqual(['noqueue'])
  expect(await rejection(host.qdiscs.delete('none'))).toMatchObject({ code: 'ERR_NO_LINK' })
})

needing(...common, needs.kernel('tbf')).test('tbf and pfifo, as tc shows them', async () => {
  const host = await lab()
  await host.qdiscs.replace('v0', { kind: 'tbf', handle: '9:', tbf: { rate: 125_000, burst: 10_240, latencyMs: 50 } })
  const [shown] = await tc({ netns: host.netnsFd }, 'qdisc', 'show', 'dev', 'v0')
  expect(shown).toMatchObject({ kind: 'tbf', handle: '9:', options: { rate: 125_000, burst: 10_240 } })
  expect(await host.qdiscs.list({ link: 'v0' })).toMatchObject([{ kind: 'tbf', tbf: { rate: 125_000, burst: 10_240, limit: 16_490 }, statistics: { drops: 0 } }])
  await host.qdiscs.replace('v0', { kind: 'pfifo', pfifo: { limit: 50 } })
  expect(await host.qdiscs.list({ link: 'v0' })).toMatchObject([{ kind: 'pfifo', pfifo: { limit: 50 } }])
})

needing(...common, needs.kernel('ifb'), needs.kernel('mirred')).test('ingress redirected to an ifb, as tc shows it', async () => {
  const host = await lab()
  await run('ip', ['link', 'add', 'ifb0', 'type', 'ifb'], { netns: host.netnsFd })
  await host.qdiscs.add('v0', { kind: 'ingress' })
  await host.filters.add('v0', { kind: 'u32', parent: 'ffff:', prio: 7, protocol: 'ip', u32: { actions: [{ kind: 'mirred', action: 'redirect', link: 'ifb0' }] } })
  const shown = await tc({ netns: host.netnsFd }, 'filter', 'show', 'dev', 'v0', 'parent', 'ffff:')
  expect(JSON.stringify(shown)).toContain('"to_dev":"ifb0"')
  const { index } = await host.links.get('ifb0')
  const [filter] = await host.filters.list({ link: 'v0', parent: 'ffff:' })
  expect(filter).toMatchObject({
    kind: 'u32', protocol: 'ip', prio: 7, handle: '800::800', match: [{ value: 0, mask: 0, at: 0 }],
    actions: [{ kind: 'mirred', action: 'redirect', direction: 'egress', index }],
  })
  await host.filters.delete('v0', { parent: 'ffff:', prio: 7 })
  expect(await host.filters.list({ link: 'v0', parent: 'ffff:' })).toEqual([])
})

needing(...common, needs.kernel('bandwidth')).test('bandwidth is set, read, and taken away', async () => {
  const host = await lab()
  const wanted = { inbound: { average: 1000, peak: 5000, burst: 1024 }, outbound: { average: 128, burst: 256 } }
  await host.bandwidth.set('v0', wanted)
  await host.bandwidth.set('v0', wanted)
  expect(await host.bandwidth.get('v0')).toEqual(wanted)
  expect((await host.qdiscs.list({ link: 'v0' })).map(({ kind }) => kind).sort()).toEqual(['htb', 'ingress', 'sfq'])
  expect(await host.filters.list({ link: 'v0', parent: '1:' })).toMatchObject([{ kind: 'fw', handle: 1, classid: ':1' }])
  await host.bandwidth.clear('v0')
  await host.bandwidth.clear('v0')
  expect(await host.bandwidth.get('v0')).toEqual({})
})

if (needs.kernel('sfq') !== undefined) {
  test('a kernel without a part of it names the option, and nothing is left', async () => {
    const host = await lab()
    expect(await rejection(host.bandwidth.set('v0', { inbound: { average: 1000 } }))).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'CONFIG_NET_SCH_SFQ' })
    expect((await host.qdiscs.list({ link: 'v0' })).map(({ kind }) => kind)).toEqual(['noqueue'])
    expect(await rejection(host.qdiscs.add('v0', { kind: 'sfq' }))).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'CONFIG_NET_SCH_SFQ' })
  })
}

test('what a bandwidth refuses', async () => {
  const host = await lab()
  for (const [bandwidth, message] of [
    [{ inbound: {} }, 'inbound.average: expected an integer'], [{ inbond: { average: 1 } }, 'did you mean "inbound"?'],
    [{ outbound: { average: 1, burst: 2 ** 32 } }, 'outbound.burst: expected an integer'], [{ inbound: { average: 1, peek: 2 } }, 'did you mean "peak"?'],
  ] as const) {
    const error = await rejection(host.bandwidth.set('v0', bandwidth as never)) as Error
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(error.message).toContain(message)
  }
})

needing(...common, needs.kernel('htb'), ...libvirtdNeeds({ lenientTc: true })).test('a network\'s classes are those that libvirtd makes', async () => {
  const rates = { inbound: { average: 1000, peak: 5000, burst: 1024 }, outbound: { average: 128, peak: 256, burst: 256 } }
  const folder = await mkdtemp(join(tmpdir(), 'virbr-tc-'))
  await using daemon = await startLibvirtd({ lenientTc: true })
  await writeFile(join(folder, 'n.xml'), `<network><name>n</name><bridge name='br0'/><bandwidth>
    <inbound average='1000' peak='5000' burst='1024'/><outbound average='128' peak='256' burst='256'/></bandwidth></network>`)
  await daemon.virsh('net-create', join(folder, 'n.xml'))
  await rm(folder, { recursive: true })
  const ours = await openHost()
  await run('sh', ['-ec', 'ip link add br0 index 10 up type bridge'], { netns: ours.netnsFd })
  // One by one: this kernel may lack all but htb, which libvirtd is told nothing of.
  for (const [, request] of bandwidthRequests(10, rates, { hierarchical: true })) await send(ours, [request])
  const state = async (netns: Parameters<typeof run>[2]): Promise<string[]> =>
    (await Promise.all(['qdisc', 'class'].map(what => run('tc', ['-d', what, 'show', 'dev', 'br0'], netns)))).join('\n').split('\n')
      .map(line => line.trim().replace(/direct_packets_stat \d+/, '')).filter(line => line.includes('htb')).sort()
  const theirs = await state({ netns: { pid: daemon.pid } })
  expect(theirs.filter(line => line.startsWith('class htb'))).toHaveLength(2)
  expect(await state({ netns: ours.netnsFd })).toEqual(theirs)
})
