/** Every kind of link and every option: what we send against what ip(8) sends, whether or not this kernel has the kind. */
import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import { NLMSG_HDRLEN, NLA_F_NESTED } from '../../src/netlink/constants.ts'
import { NetlinkError } from '../../src/netlink/error.ts'
import { decodeReplies, encodeRequests } from '../../src/netlink/message.ts'
import { walkAttributes } from '../../src/netlink/table.ts'
import * as c from '../../src/rtnetlink/constants.ts'
import { kinds, linkKinds } from '../../src/rtnetlink/kinds/index.ts'
import type { LinkKind } from '../../src/rtnetlink/kinds/kind.ts'
import { explainKind } from '../../src/rtnetlink/kinds/support.ts'
import { linkAttributes, newLink } from '../../src/rtnetlink/links.ts'
import type { LinkSpec } from '../../src/rtnetlink/links.ts'
import { ifinfomsg } from '../../src/rtnetlink/messages.ts'
import { decode } from '../netlink/support.ts'
import { needing, needs } from '../support/needs.ts'
import { straceBytes } from '../support/strace.ts'
import { setup } from './ip_commands.ts'
import { linkCommands } from './ip_link_commands.ts'
import type { LinkCommand } from './ip_link_commands.ts'
import { patience } from '../support/patience.ts'

const attributesAt = NLMSG_HDRLEN + ifinfomsg.size

/** Attributes one level down, each in hex without the bit that marks a nest, sorted: ip has an order of its own. */
function sorted(bytes: Buffer, start: number, end: number): string[] {
  return [...walkAttributes(bytes, start, end)].map(([type, from, to]) => `${type}: ${unmarked(bytes, from, to)}`).sort()
}

/** In hex; of what are attributes themselves, without the bits that mark nests. */
function unmarked(bytes: Buffer, from: number, to: number): string {
  const copy = Buffer.from(bytes.subarray(from, to))
  for (const [, start] of walkAttributes(copy, 0, copy.length)) {
    copy.writeUInt16LE(copy.readUInt16LE(start - 2) & ~NLA_F_NESTED, start - 2)
  }
  return copy.toString('hex')
}

/** IFLA_INFO_DATA of a message, attribute by attribute; undefined if there is none. */
function dataOf(message: Buffer): string[] | undefined {
  for (const [type, from, to] of walkAttributes(message, attributesAt, message.length)) {
    if (type !== c.IFLA_LINKINFO) continue
    for (const [inner, start, end] of walkAttributes(message, from, to)) if (inner === c.IFLA_INFO_DATA) return sorted(message, start, end)
  }
  return undefined
}

function compare({ spec, resolved }: LinkCommand, sent: Buffer): void {
  const [request] = newLink(spec, resolved)
  if (request === undefined) throw new Error('no request')
  const ours = encodeRequests([request])
  const [message] = decodeReplies([request], sent).messages[0] ?? []
  const attributes = decode(linkAttributes, ours.subarray(attributesAt))
  // What we say beyond ip: nothing. Empty data, which ip writes for some kinds, is none.
  expect(message?.attributes).toMatchObject({ ...attributes, linkinfo: { kind: spec.kind } })
  expect(dataOf(ours) ?? []).toEqual(dataOf(sent) ?? [])
  expect(ours.readUInt16LE(4)).toBe(sent.readUInt16LE(4))
  expect(ours.readUInt16LE(6)).toBe(sent.readUInt16LE(6))
}

test.each(linkCommands)('$command: as captured', command => {
  compare(command, Buffer.from(command.sent, 'hex'))
})

needing(needs.netAdmin, needs.tool('ip'), needs.tool('strace'), needs.kernel('bridge'), needs.kernel('veth'))
  .test('as the ip of this machine sends them', async () => {
    const script = linkCommands.map(({ command }) => `${command} 2>/dev/null || true`).join('; ')
    const sent = await straceBytes(['sh', '-c', script], { setup })
    const byName = new Map(sent.filter(({ type }) => type === c.RTM_NEWLINK)
      .map(({ bytes }) => [decode(linkAttributes, bytes.subarray(attributesAt)).name, bytes]))
    for (const command of linkCommands) compare(command, byName.get(command.spec.name) ?? Buffer.alloc(0))
  }, 60_000 * patience)

describe('completeness', () => {
  /** Options that ip 6.1 does not know, or that it cannot say when a link is made; other tests have them. */
  const others: Record<string, string[]> = {
    bond: ['adInfo', 'coupledControl', 'broadcastNeighbor'],
    geneve: ['srcPort'],
    // Of version 2, which ip6erspan has a command of.
    gre: ['erspanDir', 'erspanHwid'],
    macvlan: ['macaddrMode', 'macaddr', 'macaddrData', 'macaddrCount', 'bcQueueLenUsed', 'bcCutoff'],
    vxlan: ['remCsumNoPartial', 'labelPolicy', 'localBypass', 'reservedBits', 'mcRoute'],
  }
  const families = { erspan: 'gre', gretap: 'gre', ip6gretap: 'ip6gre', ip6erspan: 'ip6gre', macvtap: 'macvlan', ipvtap: 'ipvlan' } as Record<string, string>
  const familyOf = (kind: string): string => families[kind] ?? kind
  const used = new Map<string, Set<string>>()
  for (const { spec } of linkCommands) {
    const names = used.get(familyOf(spec.kind)) ?? new Set()
    used.set(familyOf(spec.kind), names)
    for (const name of Object.keys((spec as unknown as Record<string, object>)[spec.kind] ?? {})) names.add(name)
  }

  test.each(Object.keys(kinds).filter(kind => !['bridge', 'veth', 'tun', 'netkit'].includes(kind) && families[kind] === undefined))(
    '%s: each option stands in a command', kind => {
      const known = [...(used.get(kind) ?? []), ...(others[kind] ?? [])]
      expect(Object.keys(kinds[kind as keyof typeof kinds].entries).filter(name => !known.includes(name))).toEqual([])
    })

  test.each(Object.entries(linkKinds))('%s: what only some kernels have are options of it', (_, kind) => {
    const { options, needs, config } = kind as unknown as LinkKind
    expect(config).toMatch(/^CONFIG_[A-Z0-9_]+$/)
    expect(Object.keys(options.entries)).toEqual(expect.arrayContaining(Object.keys(needs ?? {})))
  })
})

test('a netkit and its peer', () => {
  const spec: LinkSpec = { name: 'n0', kind: 'netkit', netkit: { mode: 'l2', policy: 'blackhole', peerPolicy: 'forward', peer: { name: 'n1' } } }
  const [request] = newLink(spec, { peerNetnsFd: 7 })
  // linux/if_link.h of 6.7: IFLA_NETKIT_PEER_INFO 1, POLICY 3, PEER_POLICY 4, MODE 5 (l2 is 0), all u32.
  const queues = '08001f0001000000' + '0800200001000000'
  expect(dataOf(encodeRequests(request === undefined ? [] : [request]))).toEqual([
    `1: ${'00'.repeat(16)}${queues}070003006e310000${'08001c0007000000'}`, '3: 02000000', '4: 00000000', '5: 00000000',
  ])
})

/** Sizes and numbers of linux/if_link.h and linux/if_bridge.h of Linux 6.18. */
test.each<[string, LinkSpec, string[]]>([
  ['6.13, 6.14: netkit', { name: 'n0', kind: 'netkit', netkit: { scrub: 'none', peerScrub: 'default', headroom: 32, tailroom: 8 } },
    ['6: 00000000', '7: 01000000', '8: 2000', '9: 0800']],
  ['6.14, 6.17: vxlan', { name: 'x0', kind: 'vxlan', vxlan: { id: 1, reservedBits: '0xf7ffffff000000ff', mcRoute: true } },
    ['1: 01000000', '33: f7ffffff000000ff', '34: 01']],
  ['6.15: geneve', { name: 'g0', kind: 'geneve', geneve: { external: true, srcPort: { low: 1000, high: 2000 } } }, ['15: 03e807d0', '6: ']],
  ['6.17: bond', { name: 'b0', kind: 'bond', bond: { broadcastNeighbor: true } }, ['33: 01']],
  ['6.16, 6.18: bridge', { name: 'br0', kind: 'bridge', bridge: { switches: { mdbOffloadFailNotification: true, fdbLocalVlan0: false } } },
    ['46: 0800000018000000']],
])('options of releases after this machine’s headers: %s', (_, spec, data) => {
  const [request] = newLink(spec, {})
  expect(dataOf(encodeRequests(request === undefined ? [] : [request]))).toEqual(data)
})

test('what they refuse', () => {
  const encode = (spec: LinkSpec): Buffer => encodeRequests(newLink(spec, {}))
  expect(() => encode({ name: 'x0', kind: 'vxlan', vxlan: { id: 1, reservedBits: 'all' } })).toThrow('vxlan.reservedBits: expected a number of at most 64 bits')
  expect(() => encode({ name: 'g0', kind: 'geneve', geneve: { external: true, srcPort: { low: 2, high: 1 } } })).toThrow('geneve.srcPort: expected low and high')
  expect(() => encode({ name: 'b0', kind: 'bridge', bridge: { switches: { fdbLocalVlan0: true } } })).toThrow('bridge.switches: expected fdbLocalVlan0 only beside vlanFiltering: true')
  expect(() => encode({ name: 'b0', kind: 'bridge', bridge: { vlanFiltering: true, switches: { fdbLocalVlan0: true } } })).not.toThrow()
  expect(() => encode({ name: 'n0', kind: 'netkit', netkit: { headroom: 65536 } })).toThrow('netkit.headroom: expected')
})

test('a switch of a bridge that the kernel refuses by its number', () => {
  const refused = new NetlinkError('create bridge br0', constants.errno.EINVAL, 'bridge: Unknown boolean option 3')
  expect(explainKind(refused, 'bridge', { switches: { mdbOffloadFailNotification: true } })).toMatchObject({
    code: 'ERR_UNSUPPORTED', feature: 'Linux ≥ 6.16',
    message: 'create bridge br0: this kernel has no bridge.switches.mdbOffloadFailNotification (Linux ≥ 6.16)',
  })
  const other = new NetlinkError('create bridge br0', constants.errno.EINVAL, 'bridge: Unknown boolean option 30')
  expect(explainKind(other, 'bridge', {})).toBe(other)
})
