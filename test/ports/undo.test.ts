/** All or none: whatever fails, and whenever, nothing of the call stays. */
import { expect } from 'vitest'
import { VirbrError } from '../../src/errors.ts'
import { Channel } from '../../src/host/channel.ts'
import type { NetworkUpdate, PortSpec } from '../../src/network/connection.ts'
import { attachPorts, detachPorts, listPorts } from '../../src/ports/ports.ts'
import { answerOf, startChild } from '../kernel/lab.ts'
import { names, openGuest, openNetwork, shown, targetOf, test } from './support.ts'

const served = '<ip address="10.7.0.1" prefix="24"><dhcp><range start="10.7.0.100" end="10.7.0.199"/></dhcp></ip>'

async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(() => { throw new Error('it was not rejected') }, (error: unknown) => error as Error)
}

test('one of 300 that fails, whatever it fails of', async () => {
  const { lab, network } = await openNetwork()
  const guest = await openGuest()
  await guest.host.links.create({ name: 'taken', kind: 'bridge' })
  const before = await names(lab)
  const mixed = (bad: PortSpec): PortSpec[] => Array.from({ length: 300 }, (_, index) => index === 150 ? bad : index % 2 === 0 ? {}
    : { kind: 'veth', peer: { ifname: `eth${index}`, netns: guest.netns, up: true } })
  const cases: [PortSpec, RegExp][] = [
    // At its creation; when it is configured: more than a tap can carry.
    [{ kind: 'veth', peer: { ifname: 'taken', netns: guest.netns } }, /^ports\[150\]: create veth vnet150 with peer taken in namespace .*: EEXIST/],
    [{ mtu: 65535 }, /^ports\[150\]: put vnet150 into bridge br1: EINVAL/],
  ]
  for (const [bad, message] of cases) {
    expect((await rejection(network.attachMany(mixed(bad)))).message).toMatch(message)
    expect(await names(lab)).toEqual(before)
    expect(await names(guest)).toEqual(['lo', 'taken'])
    expect(await network.ports()).toEqual([])
  }
})

test('a reservation that fails takes links and earlier reservations with it', async () => {
  const { lab, network } = await openNetwork(served)
  const changes: NetworkUpdate[] = []
  const target = await targetOf(lab, network, change => {
    changes.push(change)
    return changes.length === 3 ? Promise.reject(new VirbrError('ERR_UPDATE_FAILED', 'no')) : Promise.resolve()
  })
  const ports = [2, 3, 4].map(number => ({ ip: `10.7.0.${number}`, mac: `52:54:00:00:00:0${number}` }))
  const error = await rejection(attachPorts(target, ports))
  expect(error).toMatchObject({ code: 'ERR_UPDATE_FAILED', message: 'ports[2].ip: no' })
  const [first, second, third] = ports.map(({ ip, mac }) => ({ section: 'ip-dhcp-host', live: true, xml: { mac, ip } }))
  expect(changes).toEqual([
    { ...first, command: 'add-last' }, { ...second, command: 'add-last' }, { ...third, command: 'add-last' },
    { ...first, command: 'delete' }, { ...second, command: 'delete' },
  ])
  expect(await names(lab)).toEqual(['br1', 'lo'])
})

test('a detach that cannot take a reservation back leaves the port; one that is gone does not matter', async () => {
  const { lab, network } = await openNetwork(served)
  let answer: VirbrError | undefined
  const target = await targetOf(lab, network, () => answer === undefined ? Promise.resolve() : Promise.reject(answer))
  await attachPorts(target, [{ ip: '10.7.0.2' }])
  answer = new VirbrError('ERR_LOCK_TIMEOUT', 'busy')
  expect(await rejection(detachPorts(target, ['vnet0']))).toBe(answer)
  expect(await listPorts(target)).toMatchObject([{ ifname: 'vnet0', ip: '10.7.0.2' }])
  answer = new VirbrError('ERR_UPDATE_FAILED', 'no such host')
  await detachPorts(target, ['vnet0'])
  expect(await listPorts(target)).toEqual([])
})

/** Does something between the look at what is there and the first tap that is made. */
function interrupted({ native }: Channel, meanwhile: () => Promise<unknown>): Channel {
  let done = false
  const { netnsDevice, netnsInode } = native
  const exec = async (steps: readonly { op: string }[]): Promise<unknown> => {
    if (!done && steps.some(({ op }) => op === 'tap')) {
      done = true
      await meanwhile()
    }
    return native.exec(steps as never)
  }
  return new Channel({ exec, netnsDevice, netnsInode } as Channel['native'])
}

test('a tap that somebody else makes at the same moment is not taken over', async () => {
  const { lab, network } = await openNetwork()
  const target = await targetOf(lab, network)
  const meanwhile = (): Promise<string> => lab.sh('ip tuntap add vnet1 mode tap vnet_hdr')
  const channel = interrupted(target.channel, meanwhile)
  // A name that was chosen is chosen again.
  expect((await attachPorts({ ...target, channel }, [{}, {}])).map(({ ifname }) => ifname)).toEqual(['vnet0', 'vnet2'])
  expect(await shown(lab, 'vnet1')).not.toHaveProperty('master')
  expect(await names(lab)).toEqual(['br1', 'lo', 'vnet0', 'vnet1', 'vnet2'])
  // One that was asked for is not.
  const again = interrupted(target.channel, () => lab.sh('ip tuntap add web1 mode tap vnet_hdr'))
  const error = await rejection(attachPorts({ ...target, channel: again }, [{}, { ifname: 'web1' }]))
  expect(error).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'EEXIST', message: expect.stringMatching(/^ports\[1\]\.ifname: create tap web1/) as string })
  expect(await names(lab)).toEqual(['br1', 'lo', 'vnet0', 'vnet1', 'vnet2', 'web1'])
})

test('close waits for a call that is under way', async () => {
  const { lab } = await openNetwork()
  const connection = await lab.connect()
  const network = await connection.networks.get('lan')
  const good = network.attachMany(Array.from({ length: 600 }, () => ({})))
  const bad = rejection(network.attachMany([...Array.from({ length: 10 }, (_, index) => ({ ifname: `b${index}` })), { mtu: 65535 }]))
  // Far enough to have begun.
  while ((await names(lab)).length < 10);
  await connection.close()
  expect((await good).length).toBe(600)
  expect((await bad).message).toMatch(/EINVAL/)
  expect((await names(lab)).length).toBe(2 + 600)
})

test('a process that is killed leaves ports that the next one knows', async () => {
  const { lab, network } = await openNetwork()
  const child = startChild(`const { networks } = await virbr.connect(args.uri)
    const network = await networks.get('lan')
    console.log(JSON.stringify(await network.attachMany([{ mac: '52:54:00:00:00:01' }, { kind: 'veth', peer: { ifname: 'eth0' } }])))
    process.kill(process.pid, 'SIGKILL')`, { uri: lab.uri() })
  const made = JSON.parse(await answerOf(child)) as object[]
  expect(child.signalCode).toBe('SIGKILL')
  expect(made).toMatchObject([{ ifname: 'vnet0', mac: '52:54:00:00:00:01' }, { ifname: 'vnet1' }])
  const known = await network.ports()
  expect(known).toMatchObject([...made].sort((a, b) => (a as { index: number }).index - (b as { index: number }).index))
  await network.detachMany(known.map(({ ifname }) => ifname))
  expect(await names(lab)).toEqual(['br1', 'lo'])
})
