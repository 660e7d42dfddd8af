/**
 * Kernels older than any that the tests meet: this one, to which the numbers of what came later are changed on their way
 * into numbers that it does not know either.
 */
import { afterEach, expect } from 'vitest'
import type { NativeHost, Step } from '../../binding/index.ts'
import { Channel } from '../../src/host/channel.ts'
import { Links } from '../../src/host/links.ts'
import { Neighbors } from '../../src/host/neighbors.ts'
import { openNative } from '../../src/host/netns.ts'
import { Nexthops } from '../../src/host/nexthops.ts'
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { walkAttributes } from '../../src/netlink/table.ts'
import * as c from '../../src/rtnetlink/constants.ts'
import { ipJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { rejection } from './support.ts'

/** No kernel has a message or an attribute of this number. */
const unknown = 250

interface Lacking {
  /** Types of messages. */
  messages?: readonly number[]
  /** Attributes of one type of message, whose header has so many bytes. */
  attributes?: { of: number, header: number, types: readonly number[] }
}

/** Passes on messages of rtnetlink without what the kernel is to lack. */
function without(messages: Uint8Array, { messages: types = [], attributes }: Lacking): Uint8Array {
  const bytes = Buffer.from(messages)
  for (let at = 0; at < bytes.length; at += (bytes.readUInt32LE(at) + 3) & ~3) {
    const type = bytes.readUInt16LE(at + 4)
    if (types.includes(type)) bytes.writeUInt16LE(unknown, at + 4)
    if (type !== attributes?.of) continue
    for (const [inner, from] of walkAttributes(bytes, at + NLMSG_HDRLEN + attributes.header, at + bytes.readUInt32LE(at))) {
      if (attributes.types.includes(inner)) bytes.writeUInt16LE(unknown, from - 2)
    }
  }
  return bytes
}

const open: NativeHost[] = []
afterEach(async () => { await Promise.all(open.splice(0).map(native => native.close())) })

async function oldKernel(lacking: Lacking): Promise<{ links: Links, neighbors: Neighbors, nexthops: Nexthops, netns: number }> {
  const native = await openNative({ create: true })
  open.push(native)
  const old = {
    exec: (steps: readonly Step[]) => native.exec(steps.map(step =>
      (step.op === 'netlink' ? { ...step, messages: without(step.messages, lacking) } : step))),
  } as unknown as NativeHost
  const channel = new Channel(old)
  const links = new Links(channel)
  return { links, neighbors: new Neighbors(channel, links), nexthops: new Nexthops(channel, links), netns: native.netnsFd }
}

const mac = '52:54:00:00:00:01'

needing(needs.netAdmin, needs.tool('ip'), needs.kernel('veth')).test('before Linux 5.16: no managed neighbours', async () => {
  const { neighbors, netns } = await oldKernel({ attributes: { of: c.RTM_NEWNEIGH, header: 12, types: [c.NDA_FLAGS_EXT] } })
  await run('sh', ['-ec', 'ip link add v0 up type veth peer name v1 && ip link set v1 up'], { netns })
  const shown = async (): Promise<unknown[]> => (await ipJson(netns, 'neighbour', 'show', 'nud', 'all')).map(({ dst }) => dst).filter(dst => String(dst).startsWith('10.')).sort()
  const lacks = (ip: string): object => ({
    code: 'ERR_UNSUPPORTED', feature: 'Linux 5.16', message: expect.stringContaining(`neighbour ${ip} of link v0: this kernel has no managed`) as string,
  })
  expect(await rejection(neighbors.add({ link: 'v0', ip: '10.0.0.1', managed: true }))).toMatchObject(lacks('10.0.0.1'))
  expect(await shown()).toEqual([])
  const entries = [{ link: 'v0', ip: '10.0.0.2', lladdr: mac }, { link: 'v0', ip: '10.0.0.3', managed: true }, { link: 'v0', ip: '10.0.0.4', managed: true }]
  const failures = [{ index: 1, error: lacks('10.0.0.3') }, { index: 2, error: lacks('10.0.0.4') }]
  expect(await rejection(neighbors.addMany(entries))).toMatchObject({ failures, done: [] })
  expect(await shown()).toEqual([])
  expect(await rejection(neighbors.addMany(entries, { atomic: false }))).toMatchObject({ failures, done: [0] })
  expect(await shown()).toEqual(['10.0.0.2'])
  // Nobody asked for it here.
  await neighbors.addMany([{ link: 'v0', ip: '10.0.0.5', lladdr: mac, managed: false }])
})

needing(needs.netAdmin).test('before Linux 5.3: no nexthop objects, of one or of many', async () => {
  const { nexthops } = await oldKernel({ messages: [c.RTM_NEWNEXTHOP, c.RTM_DELNEXTHOP, c.RTM_GETNEXTHOP] })
  const lacks = { code: 'ERR_UNSUPPORTED', feature: expect.stringContaining('Linux 5.3') as string }
  const nexthop = { id: 1, blackhole: true }
  for (const call of [() => nexthops.add(nexthop), () => nexthops.delete(1), () => nexthops.get(1)]) {
    expect(await rejection(call())).toMatchObject(lacks)
  }
  for (const call of [() => nexthops.addMany([nexthop]), () => nexthops.deleteMany([1])]) {
    expect(await rejection(call())).toMatchObject({ failures: [{ index: 0, error: lacks }] })
  }
})

needing(needs.netAdmin, needs.tool('ip'), needs.kernel('vxlan')).test('before Linux 5.18: a vxlan has one identifier', async () => {
  const { links, netns } = await oldKernel({ messages: [c.RTM_NEWTUNNEL, c.RTM_DELTUNNEL, c.RTM_GETTUNNEL] })
  await run('sh', ['-ec', 'ip link add x0 type vxlan external dstport 4789 && ip link add v0 type veth peer name v1'], { netns })
  for (const call of [() => links.addVnis('x0', [{ vni: 5 }]), () => links.deleteVnis('x0', [{ vni: 5 }]), () => links.vnis('x0')]) {
    expect(await rejection(call())).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'Linux ≥ 5.18' })
  }
  expect(await rejection(links.addVnis('v0', [{ vni: 5 }]))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'link' })
})
