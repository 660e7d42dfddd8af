/** What lists say of who filtered them: this kernel, and one that passes over what it is asked to filter by. */
import { afterEach, expect } from 'vitest'
import type { NativeHost, Step } from '../../binding/index.ts'
import { Channel } from '../../src/host/channel.ts'
import { Addresses } from '../../src/host/addresses.ts'
import { Links } from '../../src/host/links.ts'
import { Mdb } from '../../src/host/mdb.ts'
import { Neighbors } from '../../src/host/neighbors.ts'
import { openNative } from '../../src/host/netns.ts'
import { Nexthops } from '../../src/host/nexthops.ts'
import { PolicyRouting } from '../../src/host/policy.ts'
import { Routes } from '../../src/host/routes.ts'
import { Rules } from '../../src/host/rules.ts'
import { Classes, Qdiscs } from '../../src/host/tc.ts'
import { NLMSG_HDRLEN, NLM_F_DUMP } from '../../src/netlink/constants.ts'
import * as c from '../../src/rtnetlink/constants.ts'
import type { Listed } from '../../src/rtnetlink/listed.ts'
import { ipJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

const { test } = needing(needs.netAdmin, needs.tool('ip'), needs.kernel('bridge'), needs.kernel('veth'), needs.kernel('tap'))

/** Bytes of the header that a dump of this type has; nothing of it but the family filters, if that. */
const headers: Record<number, number> = {
  [c.RTM_GETLINK]: 16, [c.RTM_GETADDR]: 8, [c.RTM_GETROUTE]: 12, [c.RTM_GETNEIGH]: 12, [c.RTM_GETRULE]: 12,
}

/** Dumps without their filters: as if the kernel had passed over them. */
function unfiltered(messages: Uint8Array): Uint8Array {
  const bytes = Buffer.from(messages)
  const size = headers[bytes.readUInt16LE(4)]
  if (size === undefined || (bytes.readUInt16LE(6) & NLM_F_DUMP) !== NLM_F_DUMP) return bytes
  const family = bytes.readUInt8(NLMSG_HDRLEN)
  bytes.writeUInt32LE(NLMSG_HDRLEN + size, 0)
  // Of a family that it does not have, a kernel lists all.
  bytes.fill(0, NLMSG_HDRLEN, NLMSG_HDRLEN + size).writeUInt8(family === c.AF_BRIDGE ? family : 0, NLMSG_HDRLEN)
  return bytes.subarray(0, NLMSG_HDRLEN + size)
}

const open: NativeHost[] = []
afterEach(async () => { await Promise.all(open.splice(0).map(native => native.close())) })

function parts(native: NativeHost): ReturnType<typeof partsOf> {
  return partsOf(new Channel(native))
}

function partsOf(channel: Channel) {
  const links = new Links(channel)
  const policy = new PolicyRouting(channel)
  return {
    links, addresses: new Addresses(channel, links), routes: new Routes(channel, links, policy), rules: new Rules(channel, policy),
    neighbors: new Neighbors(channel, links), nexthops: new Nexthops(channel, links), mdb: new Mdb(channel, links),
    qdiscs: new Qdiscs(channel, links), classes: new Classes(channel, links),
  }
}
type Parts = ReturnType<typeof partsOf>

async function lab(): Promise<{ now: Parts, before: Parts }> {
  const native = await openNative({ create: true })
  open.push(native)
  await run('sh', ['-ec', [
    'ip link add br0 index 10 type bridge', 'ip link add br1 index 11 type bridge',
    'ip link add v0 index 20 master br0 type veth peer name v1 index 21', 'ip link set v1 master br1',
    'ip tuntap add t0 mode tap', 'ip tuntap add n0 mode tun',
    'for each in br0 br1 v0 v1 lo; do ip link set $each up; done',
    // A bridge has a carrier soon after its port.
    'for each in br0 br1; do until ip link show $each | grep -q LOWER_UP; do sleep 0.02; done; done',
    'ip address add 10.0.0.1/24 dev br0', 'ip address add 10.1.0.1/24 dev br1', 'ip -6 address add fd00::1/64 dev br0 nodad',
    'ip route add 10.2.0.0/24 via 10.0.0.9', 'ip route add 10.3.0.0/24 via 10.1.0.9', 'ip route add blackhole 10.4.0.0/24',
    'ip neighbour add 10.0.0.8 lladdr 52:54:00:00:00:08 dev br0', 'ip neighbour add 10.1.0.8 lladdr 52:54:00:00:00:09 dev br1',
    'ip -6 neighbour add fd00::8 lladdr 52:54:00:00:00:08 dev br0',
    'bridge fdb add 52:54:00:00:00:01 dev v0 master static', 'bridge fdb add 52:54:00:00:00:02 dev v1 master static',
    'ip nexthop add id 1 via 10.0.0.9 dev br0 protocol static', 'ip nexthop add id 2 via 10.1.0.9 dev br1',
  ].join('\n')], { netns: native.netnsFd })
  const old = { exec: (steps: readonly Step[]) => native.exec(steps.map(step =>
    (step.op === 'netlink' ? { ...step, messages: unfiltered(step.messages) } : step))) } as unknown as NativeHost
  return { now: parts(native), before: parts(old) }
}

/** What is listed, and by which fields virbr filters it: with this kernel, and with one that does not filter. */
type Case = [words: string, list: (parts: Parts) => Promise<Listed<object>>, count: number | undefined, here: string[], hereToo: string[]]
const cases: Case[] = [
  ['links by master', ({ links }) => links.list({ master: 'br0' }), 1, [], ['master']],
  ['links by kind', ({ links }) => links.list({ kind: 'bridge' }), 2, [], ['kind']],
  ['links by both, and more', ({ links }) => links.list({ kind: 'veth', master: 'br0', up: true, group: 0 }), 1, ['group', 'up'], ['group', 'up', 'kind', 'master']],
  ['taps: the kernel has one kind for taps and tuns', ({ links }) => links.list({ kind: 'tap' }), 1, ['kind'], ['kind']],
  ['a kind that is none: the kernel takes it for no filter', ({ links }) => links.list({ kind: 'nonesuch' }), 0, ['kind'], ['kind']],
  ['addresses by link', ({ addresses }) => addresses.list({ link: 'br1', family: 4 }), 1, [], ['link', 'family']],
  ['addresses by prefix', ({ addresses }) => addresses.list({ link: 'br0', to: '10.0.0.0/8' }), 1, ['to'], ['to', 'link']],
  ['routes by link', ({ routes }) => routes.list({ link: 'br0', family: 4 }), 2, [], ['link', 'family', 'table']],
  ['routes by type', ({ routes }) => routes.list({ type: 'blackhole' }), 1, [], ['type', 'table']],
  ['routes by gateway', ({ routes }) => routes.list({ via: '10.1.0.9', protocol: 'boot' }), 1, ['via'], ['via', 'protocol', 'table']],
  ['rules by family', ({ rules }) => rules.list({ family: 4 }), 3, [], ['family']],
  ['rules by table', ({ rules }) => rules.list({ family: 4, table: 'main' }), 1, ['table'], ['table', 'family']],
  ['neighbours by link and family', ({ neighbors }) => neighbors.list({ link: 'br0', family: 4, state: 'permanent' }), 1, ['state'], ['state', 'link', 'family']],
  ['neighbours by link', ({ neighbors }) => neighbors.list({ link: 'br1', state: 'permanent' }), 1, ['state'], ['state', 'link']],
  // One for each VLAN of the port, where the kernel has VLANs.
  ['forwarding entries', ({ neighbors }) => neighbors.list({ family: 'bridge', master: 'br0', link: 'v0', state: 'static' }), undefined,
    ['state'], ['state', 'link', 'master']],
  ['nexthops by protocol', ({ nexthops }) => nexthops.list({ protocol: 'static' }), 1, ['protocol'], ['protocol']],
  ['nexthops by link', ({ nexthops }) => nexthops.list({ link: 'br1' }), 1, [], []],
  ['qdiscs of a link', ({ qdiscs }) => qdiscs.list({ link: 'v0' }), 1, ['link'], ['link']],
  ['classes of a link', ({ classes }) => classes.list({ link: 'v0' }), 0, [], []],
  ['everything', ({ links }) => links.list(), 7, [], []],
]

test('who filtered a list', async () => {
  const { now, before } = await lab()
  for (const [words, list, count, here, hereToo] of cases) {
    const [listed, unfilteredToo] = [await list(now), await list(before)]
    expect([listed.length, [...listed.filteredHere].sort()], words).toEqual([count ?? listed.length, [...here].sort()])
    expect([...unfilteredToo.filteredHere].sort(), `${words}, of a kernel that does not filter`).toEqual([...hereToo].sort())
    expect(unfilteredToo.length, words).toBe(listed.length)
  }
}, 60_000)

test('rules are those of IPv4 and IPv6, and not those of multicast routing, which the kernel lists beside them', async () => {
  const { now: { rules } } = await lab()
  const shown = await Promise.all(['-4', '-6'].map(async family => (await ipJson(open.at(-1)?.netnsFd ?? -1, family, 'rule')).map(({ priority }) => priority)))
  expect((await rules.list()).map(({ priority }) => priority)).toEqual(shown.flat())
  expect((await rules.list()).map(({ family }) => family)).toEqual([4, 4, 4, 6, 6])
})

test('groups: no kernel filters them', async () => {
  const { now: { mdb } } = await lab()
  expect((await mdb.list({ bridge: 'br0', port: 'v0' })).filteredHere).toEqual(['bridge', 'port'])
  expect((await mdb.routers()).filteredHere).toEqual([])
})

test('it is a property that is not seen where an array is wanted', async () => {
  const { now: { links } } = await lab()
  const found = await links.list({ up: true, kind: 'bridge' })
  expect(Object.keys(found)).toEqual(['0', '1'])
  expect(JSON.parse(JSON.stringify(found))).toHaveLength(2)
  expect(found).toEqual([...found])
})
