/** What is refused before anything is sent: the field in the caller's words, and what would have been accepted. */
import { expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { deleteAddress, listAddresses, newAddress } from '../../src/rtnetlink/addresses.ts'
import { listLinks, newLink, setLink } from '../../src/rtnetlink/links.ts'
import { listRoutes } from '../../src/rtnetlink/route-lists.ts'
import { getRoute } from '../../src/rtnetlink/route-lookup.ts'
import { deleteRoute, newRoute } from '../../src/rtnetlink/routes.ts'

// Programs in JavaScript hand in anything.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const wrong = <T>(value: any): T => value as T

/** [given, field, in the message]. */
type Case = [given: unknown, field: string, said: string]

function refused(make: () => AnyRequest | AnyRequest[]): InvalidArgumentError {
  try {
    encodeRequests([make()].flat())
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError)
    return error as InvalidArgumentError
  }
  throw new Error('it was taken')
}

function check(make: () => AnyRequest | AnyRequest[], field: string, said: string): void {
  const error = refused(make)
  expect(error.field).toBe(field)
  expect(error.message).toContain(said)
  expect(error.code).toBe('ERR_INVALID_ARGUMENT')
}

const bridge = { name: 'br0', kind: 'bridge' }

test.each<Case>([
  [{ name: 'x', kind: 'brige' }, 'kind', 'wireguard; did you mean "bridge"?, got "brige"'],
  [{ name: 'x', kind: 7 }, 'kind', 'expected one of bond, bridge, '],
  [{ name: 'x', kind: 'tun' }, 'kind', 'expected one of bond, bridge, '],
  [{ ...bridge, mtuu: 1400 }, 'mtuu', 'did you mean "mtu"?'],
  [{ ...bridge, veth: {} }, 'veth', 'no options of another kind than bridge'],
  [{ name: 'v0', kind: 'veth', bridge: {} }, 'bridge', 'no options of another kind than veth'],
  [{ ...bridge, name: 'a/b' }, 'name', 'an interface name'],
  [{ ...bridge, name: 'a'.repeat(16) }, 'name', '1 to 15 bytes'],
  [{ ...bridge, name: '' }, 'name', 'an interface name'],
  [{ ...bridge, mac: '52:54:00' }, 'mac', 'a MAC address'],
  [{ ...bridge, mtu: -1 }, 'mtu', 'an integer from 0 to 4294967295'],
  [{ ...bridge, mtu: '1400' }, 'mtu', 'an integer'],
  [{ ...bridge, up: 1 }, 'up', 'true or false'],
  [{ ...bridge, index: 2 ** 31 }, 'index', 'an integer'],
  [{ ...bridge, alias: 'a'.repeat(256) }, 'alias', 'at most 255 bytes'],
  [{ ...bridge, bridge: 7 }, 'bridge', 'an object'],
  [{ ...bridge, bridge: { forwardDelay: 4 } }, 'bridge.forwardDelay', 'did you mean "forwardDelayMs"?'],
  [{ ...bridge, bridge: { stp: 1 } }, 'bridge.stp', 'true or false'],
  [{ ...bridge, bridge: { forwardDelayMs: -10 } }, 'bridge.forwardDelayMs', 'a number from 0'],
  [{ ...bridge, bridge: { priority: 65_536 } }, 'bridge.priority', 'an integer from 0 to 65535'],
  [{ ...bridge, bridge: { vlanProtocol: '802.1q' } }, 'bridge.vlanProtocol', '802.1Q or 802.1ad'],
  [{ ...bridge, bridge: { bridgeId: '8000.525400000001' } }, 'bridge.bridgeId', 'only be read'],
  [{ name: 'v0', kind: 'veth', veth: { peer: { name: 'a b' } } }, 'veth.peer.name', 'an interface name'],
  [{ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1', mtuu: 7 } } }, 'veth.peer.mtuu', 'did you mean "mtu"?'],
  [{ name: 'v0', kind: 'veth', veth: { peers: {} } }, 'veth.peers', 'did you mean "peer"?'],
])('the link %j', (given, field, said) => {
  check(() => newLink(wrong(given), {}), field, said)
})

test.each<Case>([
  [{ bridge: { stpp: true } }, 'bridge.stpp', 'did you mean "stp"?'],
  [{ port: { isolate: true } }, 'port.isolate', 'did you mean "isolated"?'],
  [{ port: { state: 'sleeping' } }, 'port.state', 'one of disabled, listening, learning, forwarding, blocking'],
  [{ name: 'a b' }, 'name', 'an interface name'],
  [{ numTxQueues: 4 }, 'numTxQueues', 'only the fields'],
  [{ up: 'yes' }, 'up', 'true or false'],
  [null, 'change of a link', 'a change of a link'],
])('the change %j of a link', (given, field, said) => {
  check(() => setLink(7, wrong(given)), field, said)
})

test('a new name for a link that is given by its old one', () => {
  check(() => setLink('v0', { name: 'v1' }), 'link', 'an index')
})

test.each<Case>([
  [['10.0.0.1'], 'address', 'an address and prefix length'],
  [['10.0.0.1/33'], 'address', 'an address and prefix length'],
  [['fe80::1%eth0/64'], 'address', 'an address and prefix length'],
  [['10.0.0.1/24', { brodcast: 'auto' }], 'brodcast', 'did you mean "broadcast"?'],
  [['10.0.0.1/24', { broadcast: 'fd00::1' }], 'broadcast', 'an IPv4 address'],
  [['fd00::1/64', { broadcast: 'auto' }], 'broadcast', 'nothing with an IPv6 address'],
  [['10.0.0.1/24', { peer: 'fd00::1' }], 'peer', 'an IPv4 address'],
  [['fd00::1/64', { peer: '10.0.0.1' }], 'peer', 'an IPv6 address'],
  [['10.0.0.1/24', { scope: 'world' }], 'scope', 'one of global'],
  [['10.0.0.1/24', { scope: 256 }], 'scope', '0 to 255'],
  [['10.0.0.1/24', { label: 'a'.repeat(16) }], 'label', 'at most 15 bytes'],
  [['10.0.0.1/24', { validLifetimeMs: 500 }], 'validLifetimeMs', 'whole seconds'],
  [['10.0.0.1/24', { validLifetimeMs: 0 }], 'validLifetimeMs', 'at least 1000'],
  [['10.0.0.1/24', { validLifetimeMs: 1000, preferredLifetimeMs: 2000 }], 'preferredLifetimeMs', 'at most validLifetimeMs'],
  [['10.0.0.1/24', { metric: -1 }], 'metric', 'an integer'],
])('the address %j', (given, field, said) => {
  const [address, options] = given as [string, object?]
  check(() => newAddress(1, address, wrong(options)), field, said)
})

test.each<Case>([
  [{ to: '10.0.0.0/33' }, 'to', "'default', a prefix"],
  [{ to: 'defualt' }, 'to', "'default'"],
  [{}, 'to', "'default'"],
  [{ to: 'default', gateway: '10.0.0.1' }, 'gateway', 'only the fields'],
  [{ to: 'default', via: '10.0.0' }, 'via', 'an IPv4 or IPv6 address'],
  [{ to: 'default', via: 7 }, 'via', 'an IPv4 or IPv6 address'],
  [{ to: 'fd00::/64', via: '10.0.0.1' }, 'via', 'an IPv6 address'],
  [{ to: 'default', table: 'mian' }, 'table', 'one of main, default, local'],
  [{ to: 'default', table: 0 }, 'table', '1 to 4294967295'],
  [{ to: 'default', type: 'black' }, 'type', 'one of unicast'],
  [{ to: 'default', protocol: 'me' }, 'protocol', 'one of redirect'],
  [{ to: 'default', protocol: 256 }, 'protocol', '0 to 255'],
  [{ to: 'default', scope: 'me' }, 'scope', 'one of global'],
  [{ to: 'default', via: '10.0.0.1', mtu: -1 }, 'mtu', 'an integer'],
  [{ to: 'default', via: '10.0.0.1', advmss: '1' }, 'advmss', 'an integer'],
  [{ to: 'default', via: '10.0.0.1', metric: 1.5 }, 'metric', 'an integer'],
  [{ to: 'default', source: 'x' }, 'source', 'an IPv4 address'],
  [{ to: 'default', multipath: [] }, 'multipath', 'an array of next hops'],
  [{ to: 'default', multipath: [{ gateway: '10.0.0.1' }] }, 'gateway', 'only the fields via, index'],
  [{ to: 'default', multipath: [{ via: '10.0.0.1', weight: 257 }] }, 'multipath[0].weight', 'weights from 1 to 256'],
  [null, 'route', 'a route'],
])('the route %j', (given, field, said) => {
  check(() => newRoute(wrong(given)), field, said)
  check(() => deleteRoute(wrong(given)), field, said)
})

test.each<[string, () => AnyRequest, string, string]>([
  ['links', () => listLinks(wrong({ knd: 'bridge' })), 'knd', 'did you mean "kind"?'],
  ['links', () => listLinks(wrong({ master: 'br0' })), 'master', 'an integer'],
  ['addresses', () => listAddresses(wrong({ link: 7 })), 'link', 'only the fields index, family'],
  ['addresses', () => listAddresses(wrong({ family: 'inet' })), 'family', '4 or 6'],
  ['routes', () => listRoutes(wrong({ tabel: 7 })), 'tabel', 'did you mean "table"?'],
  ['routes', () => listRoutes(wrong({ family: 5 })), 'family', '4 or 6'],
  ['addresses to delete', () => deleteAddress(1, '10.0.0.1'), 'address', 'prefix length'],
  ['destinations', () => getRoute('10.0.0.0/8'), 'destination', 'an IPv4 or IPv6 address'],
  ['destinations', () => getRoute(wrong(undefined)), 'destination', 'an IPv4 or IPv6 address'],
])('a filter of %s, or what stands for one (%s)', (_, make, field, said) => {
  check(make, field, said)
})

test('what the messages are for, in words', () => {
  const words = [
    newLink({ name: 'virbr0', kind: 'bridge' }, {}), setLink('virbr0', { up: true }), setLink(7, { up: true }),
    newAddress(7, '10.0.0.1/24'), deleteAddress(7, '10.0.0.1/24'), newRoute({ to: 'default', index: 7 }), newRoute({ to: 'default', index: 7 }, 'replace'),
    deleteRoute({ to: '10.0.0.0/8' }), getRoute('10.0.0.1'), listLinks(),
  ].flat().map(({ operation }) => operation)
  expect(words).toEqual([
    'create bridge virbr0', 'set link virbr0', 'set link 7', 'add address 10.0.0.1/24 to link 7', 'delete address 10.0.0.1/24 of link 7',
    'add route to default', 'replace route to default', 'delete route to 10.0.0.0/8', 'get route to 10.0.0.1', 'list links',
  ])
})

test('what the kernel ignores when it makes a link is said again', () => {
  const [create, later] = newLink({ ...bridge, up: true, mtu: 1400, alias: 'of a test' }, { master: 7 })
  expect(create?.attributes).toEqual({ name: 'br0', mtu: 1400, master: 7, linkinfo: { kind: 'bridge' } })
  expect(later?.attributes).toEqual({ name: 'br0', alias: 'of a test' })
  expect(newLink({ ...bridge, mtu: 1400 }, {})).toHaveLength(1)
})
