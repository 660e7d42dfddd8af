/** What is written is what is read, whatever it is; and bytes of any kind are read without harm. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError, VirbrError } from '../../src/errors.ts'
import { hardwareAddress, interfaceName, ip } from '../../src/netlink/codecs.ts'
import type { Codec } from '../../src/netlink/codecs.ts'
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { decodeReplies, encodeRequests } from '../../src/netlink/message.ts'
import type { AnyRequest, Message } from '../../src/netlink/message.ts'
import type { Entries, Table } from '../../src/netlink/table.ts'
import { decodeAddress, listAddresses, newAddress } from '../../src/rtnetlink/addresses.ts'
import type { AddressOptions } from '../../src/rtnetlink/addresses.ts'
import { kinds, portKinds } from '../../src/rtnetlink/kinds/index.ts'
import { decodeLink, linkAttributes, listLinks, newLink, setLink } from '../../src/rtnetlink/links.ts'
import type { LinkSpec } from '../../src/rtnetlink/links.ts'
import { decodeRoute, listRoutes, newRoute } from '../../src/rtnetlink/routes.ts'
import type { RouteProtocol, RouteSpec, RouteType } from '../../src/rtnetlink/routes.ts'
import { attribute } from '../native/support.ts'
import { encode } from '../netlink/support.ts'

const tables: Record<string, Table<Entries>> = Object.fromEntries(Object.entries({
  link: linkAttributes, ...kinds, 'bridge port': portKinds.bridge, 'bond port': portKinds.bond, 'vrf port': portKinds.vrf,
  address: listAddresses().format.attributes, route: listRoutes().format.attributes,
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

/** A request as the kernel would show what it made. */
function reflected(request: AnyRequest | undefined): Message {
  if (request === undefined) throw new Error('no request')
  const [message] = decodeReplies([request], encodeRequests([request])).messages[0] ?? []
  if (message === undefined) throw new Error('no message')
  return message
}

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(bytes => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(':'))
const name = fc.stringMatching(/^[a-zA-Z0-9_.@-]{1,15}$/).filter(text => text !== '.' && text !== '..')
const u32 = fc.nat(0xffffffff)
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
    broadcast: v4, label: name, peer: v4, metric: u32, scope,
    validLifetimeMs: seconds,
  }, { requiredKeys: [] })
  fc.assert(fc.property(v4, fc.nat(32), u32, options, (address, prefix, index, wanted) => {
    const { peer = address, ...others } = wanted
    expect(decodeAddress(reflected(newAddress(index, `${address}/${prefix}`, wanted)))).toMatchObject({
      index, family: 4, address: `${address}/${prefix}`, peer: peer === address ? undefined : peer, ...others,
      ...(wanted.validLifetimeMs === undefined ? {} : { preferredLifetimeMs: wanted.validLifetimeMs }),
    })
  }))
})

test('any route', () => {
  const routes: fc.Arbitrary<RouteSpec> = fc.record({
    to: fc.tuple(v4, fc.integer({ min: 1, max: 32 })).map(([address, prefix]) => `${address}/${prefix}`),
    via: fc.oneof(v4, fc.constantFrom('fe80::1', 'fd00::7')), index: u32, source: v4, metric: u32,
    table: fc.integer({ min: 1, max: 0xffffffff }), scope,
    type: fc.constantFrom<RouteType[]>('unicast', 'blackhole', 'throw'), protocol: fc.constantFrom<RouteProtocol[]>('static', 'dhcp', 77), mtu: u32, advmss: u32,
  }, { requiredKeys: ['to'] })
  fc.assert(fc.property(routes, fc.boolean(), (wanted, onLink) => {
    const shown = decodeRoute(reflected(newRoute({ ...wanted, onLink })))
    expect(shown).toMatchObject({ table: 254, type: 'unicast', protocol: 'boot', family: 4, ...wanted })
    expect(shown.flags).toEqual(onLink ? ['onlink'] : [])
  }))
})

describe('garbage', () => {
  const requests = [listLinks(), listAddresses(), listRoutes()]
  const readers = [decodeLink, decodeAddress, decodeRoute]

  /** Reads a reply to all three; everything that comes of it. */
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
    const message = fc.record({ type: fc.constantFrom(2, 16, 20, 24), index: fc.nat(3), header: fc.nat(40), attributes })
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
      newRoute({ to: '10.0.0.0/8', via: 'fe80::1', metric: 5, mtu: 1300 }),
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
