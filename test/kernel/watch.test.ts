/** Events of networks, from whichever process does something: the same as libvirtd tells. */
import { spawn } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { ClosedError, InvalidArgumentError } from '../../src/errors.ts'
import type { Connection, NetworkEvent, NetworkWatch } from '../../src/network/connection.ts'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing } from '../support/needs.ts'
import { toolPath } from '../support/tools.ts'
import { answerOf, bareXml, describe, kernelNeeds, openLab, refusal, startChild, test } from './lab.ts'
import { patience } from '../support/patience.ts'

/** The next events, which must come within a second each. */
async function take(watch: NetworkWatch, count: number): Promise<NetworkEvent[]> {
  const events: NetworkEvent[] = []
  while (events.length < count) {
    const result = await Promise.race([watch.next(), sleep(1000 * patience)])
    if (result?.value === undefined) throw new Error(`only ${events.length} of ${count} events: ${JSON.stringify(events)}`)
    events.push(result.value as NetworkEvent)
  }
  return events
}

/** `TYPE NAME` */
const told = (events: NetworkEvent[]): string[] => events.map(event => ('name' in event ? `${event.type} ${event.name}` : event.type))

async function expectNothing(watch: NetworkWatch): Promise<void> {
  const waiting = watch.next()
  expect(await Promise.race([waiting, sleep(100)])).toBeUndefined()
  await watch.close()
  expect(await waiting).toEqual({ done: true, value: undefined })
}

test('what another connection does is told, with name and UUID, in order', async () => {
  const lab = await openLab()
  const [one, other] = [await lab.connect(), await lab.connect()]
  await one.networks.define(bareXml('old'))
  const watch = one.networks.watch()
  await watch.ready
  const network = await other.networks.define(bareXml('lan'))
  await network.start()
  await network.destroy()
  await network.undefine()
  const { uuid } = network
  expect(await take(watch, 4)).toEqual(['defined', 'started', 'stopped', 'undefined'].map(type => ({ type, name: 'lan', uuid })))
  await expectNothing(watch)
})

test('another process, as fast as it can: nothing is missed, while this one sleeps or not', async () => {
  const lab = await openLab()
  const watch = (await lab.connect()).networks.watch()
  await watch.ready
  const rounds = 60
  const child = startChild(`const { networks } = await virbr.connect(args.uri)
    for (let round = 0; round < args.rounds; round++) {
      const network = await networks.define(args.xml)
      await network.start()
      await network.destroy()
      await network.undefine()
    }
    process.exit()`, { uri: lab.uri(), xml: bareXml('lan'), rounds })
  const answer = answerOf(child)
  // This thread does nothing at all for a while.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
  await answer
  const events = await take(watch, rounds * 4)
  expect(told(events)).toEqual(Array.from({ length: rounds }, () => ['defined lan', 'started lan', 'stopped lan', 'undefined lan']).flat())
  await expectNothing(watch)
})

test('from the moment of ready on: an event that follows at once is not missed', async () => {
  const lab = await openLab()
  const [one, other] = [await lab.connect(), await lab.connect()]
  for (let round = 0; round < 20; round++) {
    const watch = one.networks.watch()
    await watch.ready
    const network = await other.networks.define(bareXml('lan'))
    expect(told(await take(watch, 1))).toEqual(['defined lan'])
    await watch.close()
    await network.undefine()
  }
})

test('only one network, by name or UUID, whether it is there already or not', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const uuid = '6f0c2ac4-4f8d-4e5a-9a0e-0f1d2c3b4a59'
  const byName = networks.watch({ network: 'lan' })
  const byUuid = networks.watch({ network: uuid.replaceAll('-', '').toUpperCase() })
  await networks.define(bareXml('other'))
  await networks.define(bareXml('lan').replace('</name>', `</name><uuid>${uuid}</uuid>`))
  await networks.define(bareXml('last'))
  for (const watch of [byName, byUuid]) {
    expect(await take(watch, 1)).toEqual([{ type: 'defined', name: 'lan', uuid }])
    await expectNothing(watch)
  }
})

test('a name as long and strange as names may be', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const watch = networks.watch()
  const name = `started.6f0c2ac4-4f8d-4e5a-9a0e-0f1d2c3b4a59.ä ${'x'.repeat(153)}`
  expect(Buffer.byteLength(name)).toBe(201)
  const shorter = name.slice(0, -1)
  const { uuid } = await networks.define(bareXml(shorter, 'br7'))
  expect(await take(watch, 1)).toEqual([{ type: 'defined', name: shorter, uuid }])
})

test('a network that was found dead is told as stopped by the connect that finds it, and what was left is tidied up', async () => {
  const lab = await openLab()
  const one = await lab.connect()
  const network = await one.networks.define(bareXml('lan'))
  await network.start()
  const watch = one.networks.watch()
  await lab.sh('ip link delete lan')
  await lab.connect()
  expect(told(await take(watch, 1))).toEqual(['stopped lan'])
  await expectNothing(watch)
  expect(await readdir(join(lab.root, 'run/events'))).toEqual([])
})

test('what fails is not told', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const network = await networks.define(bareXml('lan'))
  const watch = networks.watch()
  await lab.sh('ip link add lan type bridge')
  await refusal('ERR_BRIDGE_IN_USE', () => network.start())
  await refusal('ERR_NETWORK_INACTIVE', () => network.destroy())
  await refusal('ERR_NETWORK_EXISTS', () => networks.create(bareXml('lan')))
  await expectNothing(watch)
})

const withLibvirt = needing(...kernelNeeds, ...libvirtdNeeds())

withLibvirt.test('libvirtd tells the same of the same', async () => {
  const lab = await openLab()
  await using daemon = await startLibvirtd()
  const uuid = '6f0c2ac4-4f8d-4e5a-9a0e-0f1d2c3b4a59'
  const xml = `<network><name>lan</name><uuid>${uuid}</uuid><bridge name="br1" stp="off"/>
    <ip address="192.168.1.1" prefix="24"><dhcp><range start="192.168.1.2" end="192.168.1.9"/></dhcp></ip></network>`
  await daemon.inside('sh', '-c', 'printf %s "$1" >/run/network.xml', 'sh', xml)
  const nsenter = [`--target=${daemon.pid}`, '--net', '--mount', '--pid', 'virsh', '-c', 'qemu:///system']
  const child = spawn(toolPath('nsenter') ?? 'nsenter', [...nsenter, 'net-event', '--loop', '--event', 'lifecycle'])
  let theirs = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { theirs += text })

  const { networks } = await lab.connect()
  const watch = networks.watch()
  const get = () => networks.get('lan')
  const host = { mac: '52:54:00:00:00:01', ip: '192.168.1.5' }
  const steps: [virsh: string[], ours: () => Promise<unknown>][] = [
    [['net-define', '/run/network.xml'], () => networks.define(xml)],
    [['net-define', '/run/network.xml'], () => networks.define(xml)],
    [['net-start', 'lan'], async () => (await get()).start()],
    [['net-define', '/run/network.xml'], () => networks.define(xml)],
    [['net-update', 'lan', 'add', 'ip-dhcp-host', `<host mac='${host.mac}' ip='${host.ip}'/>`, '--live', '--config'],
      async () => (await get()).addDhcpHost(host, { live: true, config: true })],
    [['net-autostart', 'lan'], async () => (await get()).setAutostart(true)],
    [['net-undefine', 'lan'], async () => (await get()).undefine()],
    [['net-destroy', 'lan'], async () => (await get()).destroy()],
    [['net-create', '/run/network.xml'], () => networks.create(xml)],
    [['net-define', '/run/network.xml'], () => networks.define(xml)],
    [['net-destroy', 'lan'], async () => (await get()).destroy()],
    [['net-undefine', 'lan'], async () => (await get()).undefine()],
  ]
  // virsh says nothing of when it has begun to listen.
  await sleep(500)
  for (const [virsh, ours] of steps) {
    await daemon.virsh(...virsh)
    await ours()
  }
  const expected = () => theirs.split('\n').flatMap(line => /network (\S+): (\w+)/.exec(line)?.slice(1, 3).reverse().join(' ').toLowerCase() ?? [])
  await expect.poll(expected).toHaveLength(10)
  child.kill()
  expect(told(await take(watch, 10))).toEqual(expected())
  await expectNothing(watch)
})

describe('a watch ends', () => {
  const ends: [string, (connection: Connection, watch: NetworkWatch, abort: AbortController) => unknown, unknown][] = [
    ['by close', (_, watch) => watch.close(), undefined],
    ['by return', (_, watch) => watch.return?.(), undefined],
    ['by its signal', (_, __, abort) => { abort.abort(new Error('enough')) }, /^Error: enough$/],
    ['with its connection', connection => connection.close(), undefined],
  ]
  test.each(ends)('%s', async (_, end, reason) => {
    const lab = await openLab()
    const connection = await lab.connect()
    const abort = new AbortController()
    const watch = connection.networks.watch({ signal: abort.signal })
    await watch.ready
    const next = watch.next().then(result => result.done, String)
    await end(connection, watch, abort)
    expect(await next).toEqual(reason === undefined ? true : expect.stringMatching(reason as RegExp))
    expect(await watch.next()).toEqual({ done: true, value: undefined })
  })

  test('with the folder that it watches', async () => {
    const lab = await openLab()
    const watch = (await lab.connect()).networks.watch()
    const next = refusal('ERR_STATE_DIR', () => watch.next())
    await rm(join(lab.root, 'run/events'), { recursive: true })
    expect((await next).message).toContain('run/events')
    const another = (await lab.connect()).networks
    await rm(join(lab.root, 'run/events'), { recursive: true })
    const vain = another.watch()
    await refusal('ERR_STATE_DIR', () => vain.ready)
    await refusal('ERR_STATE_DIR', () => vain.next())
  })

  test('before it has begun, on a closed connection or with an aborted signal', async () => {
    const lab = await openLab()
    const connection = await lab.connect()
    const { networks } = connection
    const aborted = networks.watch({ signal: AbortSignal.abort(new Error('enough')) })
    await expect(aborted.ready).rejects.toThrow('enough')
    await connection.close()
    await expect(networks.watch().ready).rejects.toBeInstanceOf(ClosedError)
    await expect(networks.watch().next()).rejects.toBeInstanceOf(ClosedError)
  })
})

test('a reader who is too slow is told how many events were dropped', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const watch = networks.watch({ limit: 2 })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await networks.define(bareXml(name))
  await sleep(100)
  const events = await take(watch, 3)
  expect(told(events)).toEqual(['defined a', 'defined b', 'overrun'])
  expect(events[2]).toEqual({ type: 'overrun', lost: 3 })
})

test.each<[string, object]>([
  ['a misspelled option', { netwrok: 'lan' }], ['a number for a network', { network: 5 }], ['no room', { limit: 0 }],
  ['null for a signal', { signal: null }], ['text for a signal', { signal: 'abort' }], ['text for a limit', { limit: '5' }],
])('%s is refused', async (_, options) => {
  const { networks } = await (await openLab()).connect()
  expect(() => networks.watch(options)).toThrow(InvalidArgumentError)
})

test('a process that waits for an event stays; one that only watches ends', async () => {
  const lab = await openLab()
  const idle = startChild(`const { networks } = await virbr.connect(args.uri)
    const watch = networks.watch()
    await watch.ready
    console.log('idle')`, { uri: lab.uri() })
  expect(await answerOf(idle)).toBe('idle')
  const waiting = startChild(`const { networks } = await virbr.connect(args.uri)
    const watch = networks.watch()
    await watch.ready
    console.log('waiting')
    const { value } = await watch.next()
    console.log(value.type)`, { uri: lab.uri() })
  const answer = answerOf(waiting)
  await new Promise(resolve => waiting.stdout?.once('data', resolve))
  await sleep(200)
  expect(waiting.exitCode).toBeNull()
  await (await lab.connect()).networks.define(bareXml('lan'))
  expect(await answer).toBe('waiting\ndefined')
})
