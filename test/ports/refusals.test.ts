/** What is refused, and that nothing has been touched then. */
import { expect } from 'vitest'
import type { PortSpec } from '../../src/network/connection.ts'
import { attachPorts, listPorts } from '../../src/ports/ports.ts'
import { answerOf, refusal, startChild } from '../kernel/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { names, openNetwork, portNeeds, targetOf, test } from './support.ts'

const peer = { ifname: 'eth0' }
const served = '<ip address="10.7.0.1" prefix="24"><dhcp><range start="10.7.0.100" end="10.7.0.199"/><host mac="52:54:00:00:00:01" name="one" ip="10.7.0.11"/></dhcp></ip>'

/** [what, ports of one call, message] */
const badInput: [string, unknown, RegExp][] = [
  ['a list that is none', {}, /^ports: expected an array/],
  ['a port that is none', [{}, 'vnet0'], /^ports\[1\]: expected an object with ifname, kind, .*, got "vnet0"/],
  ['a misspelled option', [{ ifnam: 'a' }], /^ports\[0\]\.ifnam: .*did you mean "ifname"\?/],
  ['a misspelled option of a peer', [{ kind: 'veth', peer: { ifname: 'a', ns: 'b' } }], /^ports\[0\]\.peer\.ns: expected only ifname, netns, up in ports\[0\]\.peer/],
  ['a name too long', [{ ifname: 'a234567890123456' }], /^ports\[0\]\.ifname: expected an interface name/],
  ['a name that lets the kernel choose', [{ ifname: 'tap%d' }], /^ports\[0\]\.ifname/],
  ['another kind', [{ kind: 'macvtap' }], /^ports\[0\]\.kind: expected tap or veth, got "macvtap"/],
  ['a MAC that is none', [{ mac: '52:54:00:12:34' }], /^ports\[0\]\.mac: expected the MAC address of a guest/],
  ['a multicast MAC', [{ mac: '01:54:00:12:34:56' }], /^ports\[0\]\.mac/],
  ['a MAC of zeros', [{ mac: '00:00:00:00:00:00' }], /^ports\[0\]\.mac/],
  ['the MAC of a host\'s end', [{ mac: 'FE:54:00:12:34:56' }], /^ports\[0\]\.mac: .*first byte not fe/],
  ['an owner by name', [{ owner: 'qemu' }], /^ports\[0\]\.owner: expected a numeric id/],
  ['an owner who is nobody', [{ owner: 0xffffffff }], /^ports\[0\]\.owner/],
  ['no queue', [{ queues: 0 }], /^ports\[0\]\.queues: expected a whole number from 1 to 256/],
  ['a number for a flag', [{ isolated: 1 }], /^ports\[0\]\.isolated: expected true or false, got 1/],
  ['an MTU too small', [{ mtu: 67 }], /^ports\[0\]\.mtu: expected a whole number from 68/],
  ['a veth without a peer', [{ kind: 'veth' }], /^ports\[0\]\.peer: expected the name of the other end/],
  ['a peer without a name', [{ kind: 'veth', peer: {} }], /^ports\[0\]\.peer\.ifname: expected the name of the other end/],
  ['a tap with a peer', [{ peer }], /^ports\[0\]\.peer: expected no peer/],
  ['an owner of a veth', [{ kind: 'veth', peer, owner: 0 }], /^ports\[0\]\.owner: expected no owner, which is of taps/],
  ['a namespace that can be none', [{ kind: 'veth', peer: { ...peer, netns: -1 } }], /^ports\[0\]\.peer\.netns: expected a namespace/],
  ['a hostname without an address', [{ hostname: 'a' }], /^ports\[0\]\.hostname: expected no hostname without ip/],
  ['a hostname that is none', [{ ip: '10.7.0.2', hostname: 'a b' }], /^ports\[0\]\.hostname: expected a DNS name/],
  ['an address that is none', [{ ip: '10.7.0' }], /^ports\[0\]\.ip: expected an IPv4 or IPv6 address/],
  ['an address of elsewhere', [{ ip: '10.8.0.2' }], /^ports\[0\]\.ip: expected an address in 10\.7\.0\.0\/24, where network lan has <dhcp>/],
  ['an address of another family', [{ ip: 'fd00::2' }], /^ports\[0\]\.ip: expected an address in 10\.7\.0\.0\/24/],
  ['the bridge\'s own address', [{ ip: '10.7.0.1' }], /^ports\[0\]\.ip: expected an address other than that of the bridge/],
  ['the broadcast address', [{ ip: '10.7.0.255' }], /^ports\[0\]\.ip: expected the address of a host/],
  ['an address that is reserved', [{ ip: '10.7.0.11' }], /^ports\[0\]\.ip: .* not reserved yet; it has 52:54:00:00:00:01 one 10\.7\.0\.11/],
  ['a MAC that has a reservation', [{ mac: '52:54:00:00:00:01', ip: '10.7.0.12' }], /^ports\[0\]\.mac: .*not reserved yet/],
  ['a name that has one', [{ ip: '10.7.0.12', hostname: 'one' }], /^ports\[0\]\.hostname: .*not reserved yet/],
  ['a name twice', [{ ifname: 'a' }, {}, { ifname: 'a' }], /^ports\[2\]\.ifname: expected another than ports\[0\]\.ifname has, got "a"/],
  ['a MAC twice', [{ mac: '52:54:00:AA:00:01' }, { mac: '52:54:00:aa:00:01' }], /^ports\[1\]\.mac: expected another than ports\[0\]\.mac has/],
  ['an address twice', [{ ip: '10.7.0.2' }, { ip: '10.7.0.2' }], /^ports\[1\]\.ip: expected another/],
  ['a hostname twice', [{ ip: '10.7.0.2', hostname: 'a' }, { ip: '10.7.0.3', hostname: 'A' }], /^ports\[1\]\.hostname: expected another/],
  ['a peer of the same name in the same namespace', [{ kind: 'veth', peer: { ifname: 'a', netns: 'n' } }, { kind: 'veth', peer: { ifname: 'a', netns: 'n' } }],
    /^ports\[1\]\.peer\.ifname: expected another than ports\[0\]\.peer\.ifname has/],
  ['a peer that is called like its other end', [{ kind: 'veth', ifname: 'a', peer: { ifname: 'a' } }], /^ports\[0\]\.peer\.ifname: expected another/],
]

test('bad input is told with its place, and nothing is made', async () => {
  const { lab, network } = await openNetwork(served)
  const before = await names(lab)
  for (const [what, ports, message] of badInput) {
    const error = await refusal('ERR_INVALID_ARGUMENT', () => network.attachMany(ports as PortSpec[]))
    expect(error.message, what).toMatch(message)
  }
  expect((await refusal('ERR_INVALID_ARGUMENT', () => network.attach({ mtu: 1 }))).message).toMatch(/^mtu: expected/)
  expect((await refusal('ERR_INVALID_ARGUMENT', () => network.attach('vnet0' as PortSpec))).message).toMatch(/^port: expected/)
  expect(await names(lab)).toEqual(before)
})

test('an address where nothing serves it', async () => {
  const { network } = await openNetwork('<ip address="10.7.0.1" prefix="24"/>')
  const error = await refusal('ERR_INVALID_ARGUMENT', () => network.attach({ ip: '10.7.0.2' }))
  expect(error.message).toMatch(/^ip: expected no ip, since network lan has no <dhcp>/)
})

test('names and MACs that somebody has', async () => {
  const { lab, network } = await openNetwork()
  await network.attach({ ifname: 'web1', mac: '52:54:00:00:00:01' })
  // As libvirtd makes them: the guest's MAC shows in all but the first byte.
  await lab.sh('ip link add strange type veth peer name stranger; ip link set strange address 02:00:00:00:00:05 master br1')
  const before = await names(lab)
  const cases: [PortSpec, RegExp][] = [
    [{ ifname: 'web1' }, /^ports\[1\]\.ifname: create tap web1: EEXIST/],
    [{ ifname: 'br1', kind: 'veth', peer }, /^ports\[1\]\.ifname: create veth br1: EEXIST/],
    [{ kind: 'veth', peer: { ifname: 'lo' } }, /^ports\[1\]\.peer\.ifname: create veth lo: EEXIST/],
    [{ mac: '52:54:00:00:00:01' }, /^ports\[1\]\.mac: .*web1 has it/],
    [{ mac: '02:00:00:00:00:05' }, /^ports\[1\]\.mac: .*strange has it/],
  ]
  for (const [port, message] of cases) {
    const error = await network.attachMany([{}, port]).then(() => undefined, (reason: unknown) => reason as Error)
    expect(error?.message).toMatch(message)
  }
  expect(await network.attach({ ifname: 'web1' }).catch((error: unknown) => error)).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'EEXIST' })
  expect(await names(lab)).toEqual(before)
})

test('a namespace that is not there is told with the port that wants it', async () => {
  const { lab, network } = await openNetwork()
  const veth = (netns: string): PortSpec => ({ kind: 'veth', peer: { ifname: 'eth0', netns } })
  const error = await refusal('ERR_NO_NETNS', () => network.attachMany([veth(lab.netns), veth('nowhere')]))
  expect(error.message).toMatch(/^ports\[1\]\.peer\.netns: open network namespace \/run\/netns\/nowhere: ENOENT/)
  expect(await names(lab)).toEqual(['br1', 'lo'])
})

test('a bridge that is not here, not a bridge, or not that of the network', async () => {
  const { lab, network } = await openNetwork()
  const target = await targetOf(lab, network)
  const as = (change: object) => ({ ...target, network: { ...target.network, ...change } })
  const cases: [object, RegExp][] = [
    [{ bridge: 'br9' }, /^network lan: there is no link br9 here: the network is on another machine, .*netns/],
    [{ bridge: 'lo' }, /^network lan: link lo is no bridge but hardware/],
    [{ bridge: undefined }, /^network lan: it has no bridge/],
    [{ config: { name: 'lan', mac: { address: '52:54:00:99:99:99' } } }, /has the MAC 52:54:00.*, that of the network is 52:54:00:99:99:99: .*netns/],
  ]
  for (const [change, message] of cases) {
    expect((await refusal('ERR_NO_BRIDGE', () => attachPorts(as(change), [{}]))).message).toMatch(message)
    expect((await refusal('ERR_NO_BRIDGE', () => listPorts(as(change)))).message).toMatch(message)
  }
  expect(await names(lab)).toEqual(['br1', 'lo'])
})

test('a network that does not run', async () => {
  const { lab, network } = await openNetwork()
  await (await lab.connect()).networks.define(await network.xml())
  await network.destroy()
  await refusal('ERR_NETWORK_INACTIVE', () => network.attach())
  await refusal('ERR_NETWORK_INACTIVE', () => network.attachMany([]))
  expect(await network.ports()).toEqual([])
  await network.undefine()
  for (const use of [() => network.attach(), () => network.ports(), () => network.detachMany([])]) await refusal('ERR_NO_NETWORK', use)
})

test('only ports of the network are detached: all of a call, or none', async () => {
  const { lab, network } = await openNetwork()
  const { networks } = await lab.connect()
  const other = await networks.create('<network><name>wan</name><bridge name="br2" stp="off"/></network>')
  await network.attachMany([{}, {}])
  await other.attach({ ifname: 'theirs' })
  await lab.sh('ip tuntap add plain mode tap; ip link set plain master br1')
  for (const name of ['theirs', 'plain', 'br1', 'nowhere']) {
    const error = await refusal('ERR_NO_PORT', () => network.detachMany(['vnet0', name]))
    expect(error.message).toBe(`network lan has no port ${name} that was made by attach`)
  }
  const bad: [unknown, RegExp][] = [
    ['vnet0', /^ifnames: expected an array/],
    [['vnet0', 7], /^ifnames\[1\]: expected an interface name/],
    [['vnet0', 'vnet1', 'vnet0'], /^ifnames\[2\]: expected each name once/],
  ]
  for (const [ifnames, message] of bad) {
    expect((await refusal('ERR_INVALID_ARGUMENT', () => network.detachMany(ifnames as string[]))).message).toMatch(message)
  }
  expect(await names(lab)).toEqual(['br1', 'br2', 'lo', 'plain', 'theirs', 'vnet0', 'vnet1'])
})

test('after close', async () => {
  const { lab } = await openNetwork()
  const connection = await lab.connect()
  const network = await connection.networks.get('lan')
  await connection.close()
  for (const use of [() => network.attach(), () => network.attachMany([{}]), () => network.detachMany([]), () => network.ports()]) {
    await refusal('ERR_CLOSED', use)
  }
})

needing(...portNeeds, needs.root, needs.tool('setpriv')).test('without CAP_NET_ADMIN nothing is made or taken away', async () => {
  const { lab, network } = await openNetwork()
  await network.attach({ ifname: 'there' })
  const before = await names(lab)
  const child = startChild(`const { networks } = await virbr.connect(args.uri)
    const network = await networks.get('lan')
    console.log((await network.ports()).map(port => port.ifname).join())
    const tell = error => console.log(error.code, error.message)
    await network.attach().catch(tell)
    await network.attachMany([{ kind: 'veth', peer: { ifname: 'eth0' } }]).catch(tell)
    await network.detachMany(['there']).catch(tell)
    process.exit()`, { uri: lab.uri().replace(/netns=[^&]*&/, '') },
  ['nsenter', `--net=${lab.netns}`, 'setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'])
  expect((await answerOf(child)).split('\n')).toEqual([
    'there',
    expect.stringMatching(/^ERR_NO_PERMISSION create tap vnet0: EPERM/),
    expect.stringMatching(/^ERR_NO_PERMISSION ports\[0\]: create veth vnet0 with peer eth0: EPERM.*CAP_NET_ADMIN/),
    expect.stringMatching(/^ERR_NO_PERMISSION .*EPERM.*CAP_NET_ADMIN/),
  ])
  expect(await names(lab)).toEqual(before)
})
