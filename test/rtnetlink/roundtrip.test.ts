/** What is written is what is read, whatever it is; and bytes of any kind are read without harm. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError, VirbrError } from '../../src/errors.ts'
import { flag, hardwareAddress, interfaceName, ip } from '../../src/netlink/codecs.ts'
import type { Codec } from '../../src/netlink/codecs.ts'
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { decodeReplies, encodeRequests } from '../../src/netlink/message.ts'
import type { AnyRequest, Message } from '../../src/netlink/message.ts'
import type { Entries, Table } from '../../src/netlink/table.ts'
import { decodeAddress, listAddresses, newAddress, optionsOf } from '../../src/rtnetlink/addresses.ts'
import type { AddressOptions, AddressProtocol } from '../../src/rtnetlink/addresses.ts'
import { kinds, portKinds } from '../../src/rtnetlink/kinds/index.ts'
import { decodeLink, linkAttributes, listLinks, newLink, setLink } from '../../src/rtnetlink/links.ts'
import type { LinkSpec } from '../../src/rtnetlink/links.ts'
import { listRoutes } from '../../src/rtnetlink/route-lists.ts'
import { decodeRoute } from '../../src/rtnetlink/route-records.ts'
import { listedRoute, newRoute } from '../../src/rtnetlink/routes.ts'
import { networkOf } from '../../src/ip.ts'
import type { Encap, TunnelFlag } from '../../src/rtnetlink/encap.ts'
import type { NextHop } from '../../src/rtnetlink/multipath.ts'
import { decodeNexthop, listNexthops, newNexthop } from '../../src/rtnetlink/nexthops.ts'
import type { NexthopSpec } from '../../src/rtnetlink/nexthops.ts'
import type { Realms } from '../../src/rtnetlink/realms.ts'
import type { LockableMetric, RouteFeature } from '../../src/rtnetlink/route-message.ts'
import { decodeFdbEntry, listFdb, newFdbEntry } from '../../src/rtnetlink/fdb.ts'
import { decodeMdb, listMdb, newMdbEntry } from '../../src/rtnetlink/mdb.ts'
import { decodeNeighbor, listNeighbors, neighborMessage, newNeighbor } from '../../src/rtnetlink/neighbors.ts'
import { decodeClass, listClasses } from '../../src/rtnetlink/tc/classes.ts'
import { decodeFilter, listFilters, newFilter } from '../../src/rtnetlink/tc/filters.ts'
import { decodeQdisc, listQdiscs } from '../../src/rtnetlink/tc/qdiscs.ts'
import { decodeVlans, listVlans, setVlan, vlanMessage } from '../../src/rtnetlink/vlans.ts'
import { decodeRule, listRules, newRule } from '../../src/rtnetlink/rules.ts'
import type { RuleSpec } from '../../src/rtnetlink/rules.ts'
import type { IpProtocol, RouteProtocol, RouteType } from '../../src/rtnetlink/names.ts'
import type { RouteSpec } from '../../src/rtnetlink/routes.ts'
import { attribute } from '../native/support.ts'
import { encode } from '../netlink/support.ts'
import { anyMac as mac, anyU32 as u32, reflected } from './support.ts'

const tables: Record<string, Table<Entries>> = Object.fromEntries(Object.entries({
  link: linkAttributes, ...kinds, 'bridge port': portKinds.bridge, 'bond port': portKinds.bond, 'vrf port': portKinds.vrf,
  address: listAddresses().format.attributes, route: listRoutes().format.attributes, nexthop: listNexthops().format.attributes,
  rule: listRules().format.attributes, neighbor: neighborMessage.attributes, vlan: vlanMessage.attributes, 'group to add': listMdb().format.attributes,
  group: listMdb().reply?.attributes, qdisc: listQdiscs().format.attributes, class: listClasses(1).format.attributes,
  filter: listFilters(1, 'ingress').format.attributes,
}).map(([name, table]) => [name, table as unknown as Table<Entries>]))

const bytes = (length: number, max = length): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: max }).map(array => Buffer.from(array))

/** Of attributes that bytes at random would hardly ever make sense of. */
const forms: Record<string, fc.Arbitrary<Buffer>> = {
  /** struct rtvia: AF_INET6, and an address. */
  otherVia: bytes(16).map(address => Buffer.concat([Buffer.of(10, 0), address])),
  /** struct rtnexthop of one gateway. */
  multipath: fc.tuple(bytes(6), bytes(4)).map(([rest, via]) => {
    rest[0] = (rest[0] ?? 0) & 4
    return Buffer.concat([Buffer.of(16, 0), rest, attribute(5, via)])
  }),
  /** ETH_P_8021Q, ETH_P_8021AD. */
  vlanProtocol: fc.constantFrom(Buffer.of(0x81, 0), Buffer.of(0x88, 0xa8)),
  protocol: fc.constantFrom(Buffer.of(0x81, 0), Buffer.of(0x88, 0xa8)),
}

/** Payloads of a form that a codec could have written. */
function payloads(name: string, codec: Codec<unknown>): fc.Arbitrary<Buffer> {
  const form = forms[name]
  if (form !== undefined) return form
  if (codec.nested === true) return bytes(0, 40)
  if (codec === ip) return fc.oneof(bytes(4), bytes(16))
  if (codec === hardwareAddress) return bytes(6)
  // False is said by leaving it out.
  if (codec === flag) return fc.constantFrom(Buffer.alloc(0), Buffer.of(1))
  if (codec === interfaceName) return fc.stringMatching(/^[a-z]{1,15}$/).map(name => Buffer.from(`${name}\0`))
  // Numbers mostly small: names, flags and milliseconds do not go over the whole of a word.
  const { size = 0 } = codec
  if (size > 0) return fc.oneof(bytes(size), fc.nat(3).map(first => Buffer.alloc(size).fill(first, 0, 1)))
  return fc.string({ unit: 'grapheme-ascii', maxLength: 15 }).map(text => Buffer.from(`${text}\0`))
}

/** Only the kernel tells these. */
const readOnly = (codec: Codec<unknown>): boolean => {
  try {
    encode(codec, undefined)
  } catch (error) {
    return error instanceof InvalidArgumentError && error.accepted.includes('only be read')
  }
  return false
}

describe.each(Object.entries(tables))('%s', (_, table) => {
  test.each(Object.entries(table.entries))('%s: what is read can be written, and is read again', (name, [type, codec]) => {
    let written = 0
    fc.assert(fc.property(payloads(name, codec), payload => {
      const bytes = attribute(type, payload)
      const values = table.decode(bytes, 0, bytes.length)
      try {
        const again = encode(table, values)
        expect(table.decode(again, 0, again.length)).toEqual(values)
        written++
      } catch (error) {
        // Larger than a number of ours, or a string with a NUL within.
        if (!(error instanceof InvalidArgumentError)) throw error
      }
    }))
    expect(written > 0).toBe(!readOnly(codec))
  })

  test('attributes without a name in the table survive', () => {
    const named = new Set(Object.values(table.entries).flatMap(([type, , type6]) => [type, type6]))
    const unknown = fc.record({ type: fc.integer({ min: 0, max: 0x3fff }).filter(type => !named.has(type)), data: fc.uint8Array() })
    fc.assert(fc.property(fc.array(unknown, { minLength: 1 }), raw => {
      const bytes = encode(table, { raw })
      expect(table.decode(bytes, 0, bytes.length)).toEqual({ raw })
    }))
  })
})

const name = fc.stringMatching(/^[a-zA-Z0-9_.@-]{1,15}$/).filter(text => text !== '.' && text !== '..')
const centiseconds = fc.nat(0xffffffff).map(count => count * 10)

const spec: fc.Arbitrary<LinkSpec> = fc.record({
  name,
  kind: fc.constant('bridge'),
  index: fc.integer({ min: 1, max: 0x7fffffff }), mac, mtu: u32, up: fc.boolean(), group: u32, txQueueLen: u32,
  numTxQueues: u32, numRxQueues: u32, gsoMaxSegs: u32, gsoMaxSize: u32, groMaxSize: u32,
  bridge: fc.record({
    stp: fc.boolean(), forwardDelayMs: centiseconds, multicastQuerierIntervalMs: centiseconds, priority: fc.nat(0xffff), groupAddress: mac,
    vlanProtocol: fc.constantFrom('802.1Q', '802.1ad'), nfCallIptables: fc.boolean(),
    switches: fc.record({ noLinkLocalLearn: fc.boolean(), mst: fc.boolean() }, { requiredKeys: [] }),
  }, { requiredKeys: [] }),
}, { requiredKeys: ['name', 'kind'] })

test('any bridge', () => {
  fc.assert(fc.property(spec, fc.option(u32, { nil: undefined }), (wanted, master) => {
    const [request] = newLink(wanted, master === undefined ? {} : { master })
    expect(decodeLink(reflected(request))).toMatchObject({ ...wanted, ...(master === undefined ? {} : { master }) })
  }))
})

test('any veth and its peer', () => {
  const peers = fc.record({ name, mac, mtu: u32, txQueueLen: u32, numTxQueues: u32, numRxQueues: u32 }, { requiredKeys: ['name'] })
  fc.assert(fc.property(spec, peers, u32, ({ bridge: _, ...wanted }, peer, peerNetnsFd) => {
    const [request] = newLink({ ...wanted, kind: 'veth', veth: { peer } }, { peerNetnsFd })
    const message = reflected(request)
    expect(decodeLink(message)).toMatchObject({ ...wanted, kind: 'veth' })
    expect(message.attributes).toMatchObject({ linkinfo: { data: { peer: { attributes: { ...peer, netnsFd: peerNetnsFd } } } } })
  }))
})

test('any change of a link', () => {
  fc.assert(fc.property(spec, u32, fc.boolean(), (wanted, master, isolated) => {
    const { kind: _, index: __, numTxQueues: ___, numRxQueues: ____, ...change } = wanted
    const requests = setLink(7, { ...change, port: { isolated } }, { master })
    const shown = requests.map(request => decodeLink(reflected(request)))
    expect(shown.every(({ index }) => index === 7)).toBe(true)
    const { bridge, ...rest } = change
    expect(shown.find(link => link.name !== '')).toMatchObject({ ...rest, master })
    expect(shown.at(-1)).toMatchObject({ port: { isolated } })
    if (bridge !== undefined) expect(shown[0]).toMatchObject({ bridge })
  }))
})

const v4 = fc.ipV4()
const scope = fc.constantFrom<('global' | 'link' | 'host' | number)[]>('global', 'link', 'host', 7)
const seconds = fc.integer({ min: 1, max: 4_000_000 }).map(count => count * 1000)

test('any address', () => {
  const options: fc.Arbitrary<AddressOptions> = fc.record({
    broadcast: v4, label: name, peer: v4, metric: u32, scope, protocol: fc.constantFrom<AddressProtocol[]>('kernel_ra', 77),
    validLifetimeMs: seconds,
  }, { requiredKeys: [] })
  fc.assert(fc.property(v4, fc.nat(32), u32, options, (address, prefix, index, wanted) => {
    const { peer = address, ...others } = wanted
    const shown = decodeAddress(reflected(newAddress(index, `${address}/${prefix}`, wanted)))
    expect(shown).toMatchObject({
      index, family: 4, address: `${address}/${prefix}`, peer: peer === address ? undefined : peer, ...others,
      ...(wanted.validLifetimeMs === undefined ? {} : { preferredLifetimeMs: wanted.validLifetimeMs }),
    })
    const again = decodeAddress(reflected(newAddress(shown.index, shown.address, optionsOf(shown))))
    expect(again).toEqual(shown)
  }))
})

test('any address of IPv6', () => {
  const bit = fc.boolean()
  const options: fc.Arbitrary<AddressOptions> = fc.record({
    noPrefixRoute: bit, noDad: bit, optimistic: bit, home: bit, mngTmpAddr: bit, autoJoin: bit, peer: fc.constant('fd00::9'),
    preferredLifetimeMs: seconds, validLifetimeMs: fc.constant('forever' as const),
  }, { requiredKeys: [] })
  const names = { noPrefixRoute: 'noprefixroute', noDad: 'nodad', optimistic: 'optimistic', home: 'home', mngTmpAddr: 'mngtmpaddr', autoJoin: 'autojoin' }
  fc.assert(fc.property(options, wanted => {
    const shown = decodeAddress(reflected(newAddress(3, 'fd00::1/64', wanted)))
    const set = Object.entries(names).filter(([name]) => wanted[name as keyof AddressOptions] === true).map(([, flag]) => flag)
    expect([...shown.flags].sort()).toEqual(set.sort())
    expect(shown).toMatchObject({ peer: wanted.peer, validLifetimeMs: undefined, preferredLifetimeMs: wanted.preferredLifetimeMs })
    expect(decodeAddress(reflected(newAddress(3, shown.address, optionsOf(shown))))).toEqual(shown)
  }))
})

const u16 = fc.integer({ min: 1, max: 0xffff })
/** IPv4 without host bits, which the kernel refuses. */
const v4Prefix = fc.tuple(v4, fc.integer({ min: 1, max: 32 }))
  .map(([address, prefix]) => `${networkOf({ address, prefix, family: 4 })}/${prefix}`)
const v6 = fc.constantFrom('fe80::1', 'fd00::7', '2001:db8::1:2')
const realm: fc.Arbitrary<Realms> = fc.record({ from: u16, to: fc.nat(0xffff) }, { requiredKeys: ['to'] })
const encap: fc.Arbitrary<Encap> = fc.oneof<fc.Arbitrary<Encap>[]>(
  fc.record({
    type: fc.constant('ip' as const), id: fc.nat(), dst: v4, src: v4, ttl: fc.nat(255), tos: fc.nat(255),
    flags: fc.subarray<TunnelFlag>(['csum', 'key', 'seq']),
  }, { requiredKeys: ['type'] }),
  fc.record({
    type: fc.constant('ip6' as const), id: fc.nat(), dst: v6, src: v6, hoplimit: fc.nat(255), tc: fc.nat(255),
  }, { requiredKeys: ['type'] }),
  fc.record({ type: fc.constant('mpls' as const), labels: fc.array(fc.nat(0xfffff), { minLength: 1 }) }),
  fc.record({
    type: fc.constant('seg6' as const), mode: fc.constantFrom('inline' as const, 'encap' as const, 'l2encap.red' as const),
    segments: fc.array(v6, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ type: fc.constantFrom('bpf' as const, 77), data: fc.uint8Array({ minLength: 1 }) }),
)
const metrics = {
  mtu: u32, advmss: u32, window: u32, ssthresh: u32, cwnd: u32, initcwnd: u32, initrwnd: u32, reordering: u32, hoplimit: fc.nat(255),
  rttMs: fc.nat(0xffffffff).map(eighths => eighths / 8), rttvarMs: fc.nat(0xffffffff).map(quarters => quarters / 4),
  features: fc.subarray<RouteFeature>(['ecn', 'tcp_usec_ts']), quickack: fc.boolean(), fastopenNoCookie: fc.boolean(),
  congctl: fc.constantFrom('cubic', 'dctcp'), lock: fc.subarray<LockableMetric>(['mtu', 'rttMs', 'hoplimit', 'congctl']),
}
const common = {
  metric: u32, table: fc.integer({ min: 1, max: 0xffffffff }), protocol: fc.constantFrom<RouteProtocol[]>('static', 'bgp', 77), encap, ...metrics,
}

/** What is shown only where it is something. */
const shownOf = (wanted: object): object => Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== 0))

test('any route of IPv4', () => {
  const routes: fc.Arbitrary<RouteSpec> = fc.record({
    ...common, to: v4Prefix, index: u32, via: fc.oneof(v4, v6), source: v4, scope, onLink: fc.boolean(),
    tos: fc.nat(63).map(dscp => dscp * 4), realms: realm,
  }, { requiredKeys: ['to', 'index', 'via'] })
  fc.assert(fc.property(routes, ({ onLink, ...wanted }) => {
    const shown = decodeRoute(reflected(newRoute({ ...wanted, ...(onLink === undefined ? {} : { onLink }) })))
    const { tos = 0, ...rest } = wanted
    expect(shown).toMatchObject({ table: 254, type: 'unicast', protocol: 'boot', family: 4, ...rest, ...shownOf({ tos }) })
    expect(shown.flags).toEqual(onLink === true ? ['onlink'] : [])
  }))
})

test('any route of IPv6', () => {
  const routes: fc.Arbitrary<RouteSpec> = fc.record({
    ...common, to: fc.constantFrom('fd00::/8', '2001:db8::7/128'), from: fc.constantFrom('fd01::/16', '::/0'), index: u32, via: v6, source: v6,
    preference: fc.constantFrom('low', 'medium', 'high'),
  }, { requiredKeys: ['to', 'index'] })
  fc.assert(fc.property(routes, wanted => {
    expect(decodeRoute(reflected(newRoute(wanted)))).toMatchObject({ table: 254, scope: 'global', family: 6, ...wanted })
  }))
})

test('any route that goes nowhere, and any with several ways', () => {
  const types = fc.constantFrom<RouteType[]>('blackhole', 'unreachable', 'prohibit', 'throw')
  fc.assert(fc.property(v4Prefix, types, (to, type) => {
    expect(decodeRoute(reflected(newRoute({ to, type })))).toMatchObject({ to, type, via: undefined, index: undefined })
  }))
  const hop: fc.Arbitrary<NextHop> = fc.record({
    via: fc.oneof(v4, v6), index: u32.map(index => index >>> 1), weight: fc.integer({ min: 1, max: 256 }), onLink: fc.boolean(),
    pervasive: fc.constant(true), realms: realm, encap,
  }, { requiredKeys: ['via', 'index', 'weight', 'onLink'] })
  fc.assert(fc.property(v4Prefix, fc.array(hop, { minLength: 1, maxLength: 9 }), (to, multipath) => {
    expect(decodeRoute(reflected(newRoute({ to, multipath }))).multipath).toEqual(multipath)
  }))
})

test('a listed route, written again, is the same route', () => {
  const message = reflected(newRoute({
    to: 'fd00::/8', via: 'fe80::1', index: 3, metric: 7, mtu: 1300, lock: ['mtu'], table: 1000, protocol: 'bgp', encap: { type: 'mpls', labels: [16, 17] },
  }))
  expect(decodeRoute(reflected(listedRoute(message, 'replace')))).toEqual(decodeRoute(message))
})

test('any nexthop', () => {
  const id = fc.integer({ min: 1, max: 0xffffffff })
  const member = fc.record({ id, weight: fc.integer({ min: 1, max: 0xffff }) })
  const members = fc.uniqueArray(member, { minLength: 1, maxLength: 9, selector: member => member.id })
  const specs: fc.Arbitrary<NexthopSpec> = fc.oneof<fc.Arbitrary<NexthopSpec>[]>(
    fc.record({
      id, via: fc.oneof(v4, v6), index: u32, onLink: fc.boolean(), encap, protocol: fc.constantFrom<RouteProtocol[]>('bgp', 77),
    }, { requiredKeys: ['via', 'index'] }),
    fc.record({ id, blackhole: fc.constant(true), family: fc.constantFrom(4 as const, 6 as const) }),
    fc.record({ id, via: v4, fdb: fc.constant(true) }),
    fc.record({ id, group: members, groupType: fc.constant('mpath' as const) }, { requiredKeys: ['group'] }),
    fc.record({
      group: members, groupType: fc.constant('resilient' as const),
      resilient: fc.record({ buckets: u16, idleTimerMs: centiseconds, unbalancedTimerMs: centiseconds }, { requiredKeys: ['buckets'] }),
    }),
  )
  fc.assert(fc.property(specs, ({ onLink, ...wanted }) => {
    const shown = decodeNexthop(reflected(newNexthop({ ...wanted, ...(onLink === undefined ? {} : { onLink }) })))
    expect(shown).toMatchObject(wanted)
    expect(shown.flags).toEqual(onLink === true ? ['onlink'] : [])
  }))
})

test('any rule', () => {
  const range = fc.tuple(u16, u16).map(([a, b]): [number, number] => (a < b ? [a, b] : [b, a + 1])).filter(([, last]) => last <= 0xffff)
  const port = fc.oneof(u16, range)
  const rules: fc.Arbitrary<RuleSpec> = fc.record({
    priority: u32, not: fc.boolean(), from: v4Prefix, to: v4Prefix, iif: name, oif: name, fwmark: u32, fwmask: u32, dscp: fc.nat(63),
    uidRange: range, ipProto: fc.constantFrom<IpProtocol[]>('tcp', 'sctp', 99), sport: port, dport: port,
    tunId: fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }),
    table: fc.integer({ min: 1, max: 0xffffffff }), suppressPrefixLength: fc.nat(32), suppressIfgroup: fc.nat(0xfffffffe), realms: realm,
    protocol: fc.constantFrom<RouteProtocol[]>('static', 77),
  }, { requiredKeys: ['fwmark', 'table'] })
  fc.assert(fc.property(rules, wanted => {
    expect(decodeRule(reflected(newRule(wanted)))).toMatchObject({ family: 4, action: 'table', ...wanted })
  }))
})

describe('garbage', () => {
  const requests = [
    listLinks(), listAddresses(), listRoutes(), listNexthops(), listRules(), listNeighbors(), listFdb(), listVlans(), listMdb(),
    listQdiscs(), listClasses(1), listFilters(1, 'ingress'),
  ]
  const readers: ((message: Message) => unknown)[] = [
    decodeLink, decodeAddress, decodeRoute, decodeNexthop, decodeRule, decodeNeighbor, decodeFdbEntry, decodeVlans, decodeMdb, decodeQdisc,
    decodeClass, decodeFilter,
  ]

  /** Reads a reply to all of them; everything that comes of it. */
  function read(bytes: Buffer): void {
    const replies = decodeReplies(requests, bytes)
    replies.messages.forEach((messages, index) => { messages.forEach(message => readers[index]?.(message)) })
    requests.forEach((_, index) => replies.errorOf(index))
    if (replies.error !== undefined) expect(replies.error).toBeInstanceOf(VirbrError)
  }

  test('bytes at random', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), bytes => { read(Buffer.from(bytes)) }), { numRuns: 2000 })
  })

  test('attributes at random in messages that are framed well', () => {
    const attributes = fc.array(fc.tuple(fc.nat(70), fc.uint8Array({ maxLength: 40 })).map(([type, data]) => attribute(type, data)))
    const type = fc.constantFrom(2, 16, 20, 24, 28, 32, 36, 40, 44, 84, 104, 112)
    const message = fc.record({ type, index: fc.nat(requests.length), header: fc.nat(40), attributes })
    fc.assert(fc.property(fc.array(message), messages => {
      read(Buffer.concat(messages.map(({ type, index, header, attributes }) => {
        const bytes = Buffer.concat([Buffer.alloc(NLMSG_HDRLEN + header, 3), ...attributes])
        bytes.writeUInt32LE(bytes.length, 0)
        bytes.writeUInt16LE(type, 4)
        bytes.writeUInt32LE(index, 8)
        return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
      })))
    }), { numRuns: 2000 })
  })

  test('good messages, cut off or with wrong bytes', () => {
    const good = encodeRequests([
      newLink({ name: 'br0', kind: 'bridge', mac: '52:54:00:00:00:01', bridge: { stp: true, forwardDelayMs: 100, vlanProtocol: '802.1Q' } }, {})[0],
      newAddress(1, '10.0.0.1/24', { broadcast: 'auto', label: 'x', validLifetimeMs: 1000 }),
      newRoute({ to: '10.0.0.0/8', via: 'fe80::1', index: 3, metric: 5, mtu: 1300 }), listNexthops(), listRules(),
      newNeighbor(1, { ip: '10.0.0.1', lladdr: '52:54:00:00:00:01', managed: true }),
      newFdbEntry(1, { mac: '52:54:00:00:00:01', vlan: 5, dst: 'fd00::1', vni: 7, activityNotify: true }),
      setVlan(1, '10-20', { state: 'learning', neighSuppress: true }), newMdbEntry(1, { port: 2, group: 'ff05::1', sources: ['fd00::1'] }),
      listQdiscs(), listClasses(1),
      newFilter(1, { kind: 'u32', parent: '1:', u32: { match: [{ value: 1, mask: 2 }], actions: [{ kind: 'gact', action: 'drop' }] } }),
    ] as AnyRequest[])
    const flips = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 })
    fc.assert(fc.property(flips, fc.nat(good.length), (changes, length) => {
      const bytes = Buffer.from(good)
      for (const [at, byte] of changes) bytes[at] = byte
      read(bytes.subarray(0, length))
      read(bytes)
    }), { numRuns: 3000 })
  })
})
