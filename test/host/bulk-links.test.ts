/** createMany and deleteMany, by what `ip` shows afterwards. */
import { closeSync, openSync } from 'node:fs'
import { expect, test as allTest } from 'vitest'
import { BulkError } from '../../src/errors.ts'
import type { VirbrError } from '../../src/errors.ts'
import type { Host } from '../../src/host/host.ts'
import type { LinkSpec } from '../../src/host/links.ts'
import type { NetlinkError } from '../../src/netlink/error.ts'
import { ipJson, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { ipLinks, newHost, rejection } from './support.ts'

const { test } = needing(needs.netAdmin, needs.kernel('veth'), needs.kernel('bridge'))
const { test: tapTest } = needing(needs.netAdmin, needs.kernel('tap'), needs.kernel('bridge'))

const veths = (count: number, more: Partial<LinkSpec> = {}): LinkSpec[] => Array.from({ length: count }, (_, i) => ({
  name: `v${i}`, kind: 'veth', master: 'br0', up: true, veth: { peer: { name: `p${i}`, up: true } }, ...more,
}))

async function newBridge(): Promise<Host> {
  const host = await newHost()
  // IPv6 on a thousand ports that come up is its own work, done for seconds after the call.
  await host.sysctl.set('net.ipv6.conf.default.disable_ipv6', 1)
  await host.links.create({ name: 'br0', kind: 'bridge', mac: '52:54:00:12:34:56', up: true })
  return host
}

/** All that `ip` and `bridge` show, without what the kernel counts or finds out by itself. */
async function snapshot(host: Host): Promise<unknown[]> {
  return (await ipJson(host.netnsFd, 'link')).map(({ ifname, ifindex, flags, master, address, mtu, group, ifalias }) =>
    ({ ifname, ifindex, up: (flags as string[]).includes('UP'), master, address, mtu, group, ifalias }))
}

test.each([1, 100, 1000])('%i veths into a bridge, and away again', async count => {
  const host = await newBridge()
  const before = await snapshot(host)
  const made = await host.links.createMany(veths(count))
  const shown = new Map((await ipJson(host.netnsFd, 'link')).map(link => [link['ifname'], link]))
  expect(shown.size).toBe(2 + 2 * count)
  expect(made).toEqual(Array.from({ length: count }, (_, i) => ({ name: `v${i}`, index: shown.get(`v${i}`)?.['ifindex'] })))
  for (let i = 0; i < count; i++) {
    const [port, peer] = [shown.get(`v${i}`), shown.get(`p${i}`)]
    expect(port).toMatchObject({ master: 'br0', link: `p${i}`, num_tx_queues: 1 })
    expect(port?.['flags']).toContain('UP')
    expect(peer?.['flags']).toContain('UP')
  }
  await host.links.deleteMany(made.map(({ name, index }, i) => i % 2 === 0 ? name : index))
  expect(await snapshot(host)).toEqual(before)
})

test('links that depend on each other, in any order of the list', async () => {
  const host = await newHost()
  await host.links.createMany([
    ...veths(3, { master: 'br1' }),
    { name: 'br1', kind: 'bridge', up: true, alias: 'made last, needed first' },
    { name: 'down', kind: 'bridge' },
    { name: 'w0', kind: 'veth', veth: { peer: { name: 'w1' } }, master: 'down', alias: 'w', mtu: 1400, group: 7 },
  ])
  const shown = Object.fromEntries((await ipJson(host.netnsFd, 'link')).map(link => [link['ifname'], link]))
  for (const name of ['v0', 'v1', 'v2']) expect(shown[name]).toMatchObject({ master: 'br1', operstate: 'UP' })
  expect(shown['br1']).toMatchObject({ ifalias: 'made last, needed first' })
  expect(shown['br1']?.['flags']).toContain('UP')
  expect(shown['w0']).toMatchObject({ master: 'down', ifalias: 'w', mtu: 1400, group: '7' })
  expect(shown['w0']?.['flags']).not.toContain('UP')
})

test('links and peers in other namespaces', async () => {
  const [host, guest] = [await newBridge(), await newHost()]
  const there = guest.netnsFd
  const made = await host.links.createMany([
    { name: 'v0', kind: 'veth', master: 'br0', up: true, veth: { peer: { name: 'eth0', netns: there, up: true } } },
    { name: 'br9', kind: 'bridge', netns: there, up: true },
    { name: 'v9', kind: 'veth', netns: there, master: 'br9', up: true, alias: 'there', veth: { peer: { name: 'p9', up: true } } },
    // The same name in another namespace is another link.
    { name: 'v9', kind: 'veth' },
  ])
  const shown = Object.fromEntries((await ipJson(there, 'link')).map(link => [link['ifname'], link]))
  expect(Object.keys(shown).sort()).toEqual(['br9', 'eth0', 'lo', 'p9', 'v9'])
  expect(shown['v9']).toMatchObject({ master: 'br9', ifalias: 'there', ifindex: made[2]?.index })
  // The state of operation follows the carrier in its own time.
  expect(shown['v9']?.['flags']).toEqual(expect.arrayContaining(['UP', 'LOWER_UP']))
  expect(shown['eth0']?.['flags']).toContain('UP')
  expect(await ipLinks(host)).toEqual(['br0', 'lo', 'v0', 'v9', expect.stringMatching(/^veth/)])
})

/** A list that fails at a place, for reasons that show in different phases. */
const failures: Record<string, [bad: LinkSpec, message: RegExp]> = {
  'a name that is taken': [{ name: 'taken', kind: 'veth' }, /^create veth taken: EEXIST/],
  'a peer whose name is taken': [{ name: 'a', kind: 'veth', veth: { peer: { name: 'taken' } } }, /^create veth a: EEXIST/],
  'a master that is none': [{ name: 'a', kind: 'veth', master: 'lo', up: true }, /^links\[3\]\.master: expected a link that takes ports/],
  'a bridge into a bridge': [{ name: 'a', kind: 'bridge', master: 'br0', up: true }, /ELOOP/],
  'a master that is not there': [{ name: 'a', kind: 'veth', master: 'nowhere' }, /^no link nowhere$/],
}

test.each(Object.entries(failures))('%s: nothing is left, or the others are done', async (_, [bad, message]) => {
  const host = await newBridge()
  await host.links.create({ name: 'taken', kind: 'bridge', alias: 'somebody else’s' })
  const before = await snapshot(host)
  const specs = veths(6).toSpliced(3, 0, bad)
  const error = await rejection(host.links.createMany(specs)) as BulkError
  expect(error).toBeInstanceOf(BulkError)
  expect(error).toMatchObject({ code: 'ERR_BULK', done: [], failures: [{ index: 3, item: bad }] })
  expect(error.failures[0]?.error.message).toMatch(message)
  expect(await snapshot(host)).toEqual(before)

  const partly = await rejection(host.links.createMany(specs, { atomic: false })) as BulkError
  expect(partly.failures.map(({ index, error: { message: text } }) => [index, message.test(text)])).toEqual([[3, true]])
  expect(partly.done).toEqual([0, 1, 2, 4, 5, 6])
  const after = await ipJson(host.netnsFd, 'link')
  expect(after.map(({ ifname }) => ifname)).not.toContain('a')
  expect(after.filter(({ master }) => master === 'br0').map(({ ifname }) => ifname).sort()).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
  expect(after.find(({ ifname }) => ifname === 'taken')).toMatchObject({ ifalias: 'somebody else’s' })
})

test('what should stand on a link that could not be made fails with it', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br1', kind: 'veth' })
  const error = await rejection(host.links.createMany(
    [...veths(2, { master: 'br1' }), { name: 'br1', kind: 'bridge' }, { name: 'alone', kind: 'veth' }], { atomic: false },
  )) as BulkError
  expect(error.failures.map(({ index }) => index)).toEqual([0, 1, 2])
  expect(error.failures[0]?.error.message).toBe('create veth v0: links[2], br1, could not be made')
  expect(error.done).toEqual([3])
  expect(await ipLinks(host)).toEqual(['alone', 'br1', 'lo', 'veth0', 'veth1'])
})

test('bad input is refused with its place, quickly, and nothing is made', async () => {
  const host = await newBridge()
  const refused = async (specs: unknown, message: RegExp): Promise<void> => {
    await expect(host.links.createMany(specs as LinkSpec[])).rejects.toThrow(message)
  }
  await refused({}, /^links: expected an array/)
  await refused([null], /^links\[0\]: expected a link specification/)
  await refused([...veths(2), { kind: 'veth' }], /^links\[2\]\.name: expected an interface name/)
  await refused([...veths(2), { name: 'v1', kind: 'veth' }], /^links\[2\]\.name: .*links\[1\] has it/)
  await refused([...veths(2), { name: 'p1', kind: 'bridge' }], /^links\[2\]\.name: .*links\[1\] has it/)
  await refused([{ name: 'a', kind: 'veth', veth: { peer: { name: 'a' } } }], /^links\[0\]\.veth\.peer\.name: .*links\[0\] has it/)
  await refused([{ name: 'a', kind: 'briddge' }], /^links\[0\]\.kind: .*did you mean "bridge"/)
  await refused([{ name: 'a', kind: 'veth', mac: '52:54' }], /^links\[0\]\.mac: expected a MAC/)
  await refused([{ name: 'a', kind: 'bridge', bridge: { stpp: true } }], /^links\[0\]\.bridge\.stpp: .*did you mean "stp"/)
  await refused([{ name: 'a', kind: 'veth', netns: 'no-such-namespace' }], /^links\[0\]\.netns: /)
  await refused([{ name: 'a', kind: 'tap', tap: { ownr: 1 } }], /^links\[0\]\.tap\.ownr: .*did you mean "owner"/)
  await refused([{ name: 'a', kind: 'tap', mtu: -1 }], /^links\[0\]\.mtu: /)
  await refused([{ name: 'a', kind: 'bridge', master: 'b' }, { name: 'b', kind: 'bridge', master: 'a' }], /^links\[0\]\.master: .*loop/)
  const many = veths(100_000)
  many[99_999] = { name: 'v0', kind: 'veth' }
  await refused(many, /^links\[99999\]\.name: .*links\[0\] has it/)
  await expect(host.links.deleteMany(['v0', 'v1', 'v0'])).rejects.toThrow(/^links\[2\]: expected each link once; links\[0\]/)
  await expect(host.links.deleteMany(['a b'])).rejects.toThrow(/^links\[0\]: expected an interface name/)
  expect(await ipLinks(host)).toEqual(['br0', 'lo'])
})

test('deleteMany of some leaves the others, and their groups', async () => {
  const host = await newBridge()
  await host.links.createMany(veths(10, { group: 5 }))
  const before = await snapshot(host) as { ifname: string }[]
  // v3 by its peer, v4 with its peer, and a bridge that has ports.
  await host.links.deleteMany(['v1', 'p3', 'v4', 'p4', 'v9', 'br0'])
  const gone = ['v1', 'p1', 'v3', 'p3', 'v4', 'p4', 'v9', 'p9', 'br0']
  expect(await snapshot(host)).toEqual(before.filter(({ ifname }) => !gone.includes(ifname))
    .map(link => ({ ...link, master: undefined })))
})

test('what cannot be deleted is told by name before anything is deleted', async () => {
  const host = await newBridge()
  await host.links.createMany(veths(3))
  const before = await snapshot(host)
  const error = await rejection(host.links.deleteMany(['v0', 'lo', 'nowhere', 'v1'])) as BulkError
  expect(error.failures.map(({ index, error }) => [index, error.message])).toEqual([
    [1, 'delete link lo, hardware or loopback: EOPNOTSUPP, operation not supported'], [2, 'no link nowhere'],
  ])
  expect(error.done).toEqual([])
  expect(await snapshot(host)).toEqual(before)
  await expect(host.links.deleteMany(['v0', 1, (before[1] as { ifindex: number }).ifindex])).rejects.toMatchObject({ code: 'ERR_BULK' })
  const bridge = before[1] as { ifname: string, ifindex: number }
  await expect(host.links.deleteMany(['br0', bridge.ifindex])).rejects.toThrow(/^links\[1\]: expected each link once/)

  const partly = await rejection(host.links.deleteMany(['v0', 'lo', 'nowhere', 'v1'], { atomic: false })) as BulkError
  expect(partly.done).toEqual([0, 3])
  expect(await ipLinks(host)).toEqual(['br0', 'lo', 'p2', 'v2'])
  await host.links.deleteMany([])
  await host.links.deleteMany(['v2'])
  expect(await ipLinks(host)).toEqual(['br0', 'lo'])
})

tapTest('taps: made, held open, deleted; mixed with veths', async () => {
  const host = await newBridge()
  const made = await host.links.createMany([
    { name: 't0', kind: 'tap', master: 'br0', up: true, mac: '52:54:00:00:00:01', tap: { owner: 65534, vnetHeader: true } },
    ...veths(2),
    { name: 't1', kind: 'tap', master: 'br0', up: true, tap: { persist: false, queues: 2 } },
    { name: 't2', kind: 'tun', alias: 'a tun' },
  ])
  expect(made.map(({ name, fds }) => [name, fds?.length])).toEqual([['t0', undefined], ['v0', undefined], ['v1', undefined], ['t1', 2], ['t2', undefined]])
  const shown = Object.fromEntries((await ipJson(host.netnsFd, 'link')).map(link => [link['ifname'], link]))
  expect(shown['t0']).toMatchObject({ master: 'br0', address: '52:54:00:00:00:01', linkinfo: { info_data: { type: 'tap', vnet_hdr: true } } })
  expect(shown['t1']).toMatchObject({ master: 'br0', linkinfo: { info_data: { numqueues: 2 } } })
  expect(shown['t2']).toMatchObject({ ifalias: 'a tun', linkinfo: { info_data: { type: 'tun' } } })
  // t1 is held open by this process.
  await host.links.deleteMany(made.map(({ name }) => name))
  expect(await ipLinks(host)).toEqual(['br0', 'lo'])
  for (const fd of made[3]?.fds ?? []) closeSync(fd)
})

tapTest('a tap whose name is taken: the others are undone, their descriptors closed', async () => {
  const host = await newBridge()
  await host.links.create({ name: 't5', kind: 'tap' })
  const before = await snapshot(host)
  const next = openSync('/dev/null', 'r')
  closeSync(next)
  const error = await rejection(host.links.createMany(
    Array.from({ length: 8 }, (_, i) => ({ name: `t${i}`, kind: 'tap', master: 'br0', up: true, tap: { persist: false } })),
  )) as BulkError
  expect(error.failures.map(({ index, error: { message } }) => [index, message])).toEqual([[5, 'create tap t5: EEXIST, already exists']])
  expect(await snapshot(host)).toEqual(before)
  const again = openSync('/dev/null', 'r')
  closeSync(again)
  expect(again).toBe(next)
})

test('a signal ends it, and nothing is left; other requests get in between', async () => {
  const host = await newBridge()
  const abort = new AbortController()
  const creating = rejection(host.links.createMany(veths(800), { signal: abort.signal }))
  let looks = 0
  while ((await ipLinks(host)).length < 10) looks++
  await host.links.get('br0')
  abort.abort(new Error('enough'))
  expect(await creating).toMatchObject({ message: 'enough' })
  expect(looks).toBeLessThan(1000)
  expect(await ipLinks(host)).toEqual(['br0', 'lo'])
})

test('two Hosts and a process at once in one namespace', async () => {
  const host = await newBridge()
  const { Host } = await import('../../src/host/host.ts')
  await using other = await Host.open({ netns: host.netnsFd })
  const named = (letter: string): LinkSpec[] => Array.from({ length: 60 }, (_, i) => ({
    name: `${letter}${i}`, kind: 'veth', master: 'br0', up: true, veth: { peer: { name: `${letter}p${i}`, up: true } },
  }))
  const commands = Array.from({ length: 20 }, (_, i) => `link add x${i} type veth peer name xp${i}\nlink set x${i} master br0 up\n`).join('')
  const [a, b] = await Promise.all([
    host.links.createMany(named('a')), other.links.createMany(named('b')),
    tryRun('ip', ['-batch', '-'], { netns: host.netnsFd, input: commands }).then(({ status }) => expect(status).toBe(0)),
  ])
  await Promise.all([host.links.deleteMany(a.map(({ name }) => name)), other.links.deleteMany(b.map(({ index }) => index))])
  expect((await ipLinks(host)).length).toBe(2 + 40)
})

test('setMany: each as set does', async () => {
  const host = await newBridge()
  await host.links.createMany([...veths(3), { name: 'br1', kind: 'bridge' }])
  await host.links.setMany([
    { link: 'v0', mtu: 1400, alias: 'first', group: 9 }, { link: 'v1', master: 'br1', port: { cost: 5 } },
    { link: 'v2', master: null, up: false }, { link: 'p2', name: 'renamed', mac: '52:54:00:00:00:02' },
    { link: 'br1', up: true, bridge: { ageingTimeMs: 10_000 } },
  ])
  const shown = Object.fromEntries((await ipJson<Record<string, unknown>[]>(host.netnsFd, 'link')).map(link => [link['ifname'], link]))
  expect(shown['v0']).toMatchObject({ mtu: 1400, ifalias: 'first', group: '9', master: 'br0' })
  expect(shown['v1']).toMatchObject({ master: 'br1', linkinfo: { info_slave_data: { cost: 5 } } })
  expect(shown['v2']?.['master']).toBeUndefined()
  expect(shown['v2']?.['flags']).not.toContain('UP')
  expect(shown['renamed']).toMatchObject({ address: '52:54:00:00:00:02' })
  expect(shown['br1']).toMatchObject({ linkinfo: { info_data: { ageing_time: 1000 } } })
})

test('setMany that fails: with atomic all is as it was, otherwise the others are done', async () => {
  const host = await newBridge()
  await host.links.createMany([...veths(3), { name: 'br1', kind: 'bridge', mac: '52:54:00:00:00:09' }])
  await host.links.set('v1', { alias: 'before', port: { cost: 7 } })
  const before = await snapshot(host)
  const changes = [
    { link: 'v0', mtu: 1400, alias: 'x', up: false }, { link: 'v1', master: 'br1', alias: 'after' }, { link: 'p0', name: 'q0' },
    { link: 'v2', mtu: 70_000 }, { link: 'br1', bridge: { priority: 5 }, up: true }, { link: 'nowhere', mtu: 1400 },
  ]
  const atomic = await rejection(host.links.setMany(changes.slice(0, 5), { atomic: true })) as BulkError
  expect(atomic.failures.map(({ index, error }) => [index, (error as VirbrError & { errnoName: string }).errnoName])).toEqual([[3, 'EINVAL']])
  expect(atomic.done).toEqual([])
  expect(await snapshot(host)).toEqual(before)
  expect(await host.links.get('v1')).toMatchObject({ port: { cost: 7 } })
  expect((await host.links.get('br1')).bridge).toMatchObject({ priority: 32768 })

  const each = await rejection(host.links.setMany(changes)) as BulkError
  expect(each.failures.map(({ index, error: { message } }) => [index, message])).toEqual([[3, expect.stringContaining('EINVAL')], [5, 'no link nowhere']])
  expect(each.done).toEqual([0, 1, 2, 4])
  expect(await ipLinks(host)).toContain('q0')
  const refused: [unknown, RegExp][] = [
    [{ link: 'v0', mtuu: 1 }, /^changes\[0\]\.mtuu: .*did you mean "mtu"/],
    [{ link: 'v0', master: 'v1' }, /^changes\[0\]\.master: expected a link that takes ports; v1 is veth/],
    [{ link: 'v0', bridge: { stp: true } }, /^changes\[0\]\.bridge: expected no options of another kind: v0 is veth/],
    [{ link: 'p1', port: { cost: 1 } }, /^changes\[0\]\.port: expected no options of a port: p1 has no master/],
    [{ link: 'v0', netns: 'x' }, /^changes\[0\]\.netns: /], [null, /^changes\[0\]: expected an object/],
  ]
  for (const [change, message] of refused) await expect(host.links.setMany([change as never])).rejects.toThrow(message)
  await expect(host.links.setMany([{ link: 'v0' }, { link: 'v0' }])).rejects.toThrow(/^changes\[1\]\.link: expected each link once/)
})

test('setMany that would put links into each other, or one into itself: nothing is done', async () => {
  const host = await newBridge()
  await host.links.createMany([1, 2, 3].map(each => ({ name: `b${each}`, kind: 'bridge' as const })))
  const before = await snapshot(host)
  const loops: { link: string, master: string }[][] = [
    [{ link: 'b1', master: 'b1' }], [{ link: 'b1', master: 'b2' }, { link: 'b2', master: 'b1' }],
    [{ link: 'b3', master: 'b1' }, { link: 'b1', master: 'b2' }, { link: 'b2', master: 'b1' }],
  ]
  for (const changes of loops) {
    const error = await rejection(host.links.setMany(changes.map(change => ({ ...change, mtu: 1400 }))))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(/^changes\[[01]\]\.master: expected no link that is itself in this one: that is a loop/) as string })
  }
  expect(await snapshot(host)).toEqual(before)
})

test('the message about many names the place of the first once', async () => {
  const host = await newBridge()
  const error = await rejection(host.links.createMany([{ name: 'a', kind: 'veth' }, { name: 'b', kind: 'veth', master: 'a' }])) as BulkError
  expect(error.message).toMatch(/^1 of 2 links failed, nothing is done; links\[1\]\.master: expected a link that takes ports/)
})

allTest('without CAP_NET_ADMIN every item says so', async () => {
  const { Host } = await import('../../src/host/host.ts')
  await using host = await Host.open()
  if (needs.netAdmin === undefined) return
  const error = await rejection(host.links.createMany(veths(2, { master: 1 }))) as BulkError
  expect(error.failures.map(({ error }) => (error as VirbrError).code)).toEqual(['ERR_NO_PERMISSION', 'ERR_NO_PERMISSION'])
})

test('a bridge that is full: what does not go in is named, and nothing stays', async () => {
  const host = await newBridge()
  // Of BR_MAX_PORTS, 1,024, the first number is not given.
  const error = await rejection(host.links.createMany(veths(1024))) as BulkError
  expect(error.failures.map(({ index, error }) => [index, (error as NetlinkError).errnoName])).toEqual([[1023, 'EXFULL']])
  expect(error.message).toContain('1,023 ports')
  expect((await snapshot(host)).length).toBe(2)
})

test('a hundred and more, by name, by index, by another name; one that is not there fails by itself', async () => {
  const host = await newBridge()
  const made = await host.links.createMany(veths(120))
  await host.links.set('v7', { addAltNames: ['the-seventh-of-them'] })
  const refs = made.map(({ name, index }, i) => (i === 7 ? 'the-seventh-of-them' : i % 2 === 0 ? index : name))
  const error = await rejection(host.links.deleteMany([...refs, 'missing'], { atomic: false })) as BulkError
  expect(error.failures.map(({ index, error }) => [index, (error as VirbrError).code])).toEqual([[120, 'ERR_NO_LINK']])
  expect((await snapshot(host)).length).toBe(2)
  expect(await rejection(host.links.deleteMany(refs, { atomic: false }))).toMatchObject({ code: 'ERR_BULK' })
})
