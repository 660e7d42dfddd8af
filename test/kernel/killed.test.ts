/** What a killed process leaves is repaired by the next connect; a running network outlives who started it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { netns } from '../../src/host/netns.ts'
import { ipJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { endAt } from './faults.ts'
import type { Lab } from './lab.ts'
import {
  answerOf, bareXml, describe, kernelNeeds, natXml, openLab, processes, refusal, runFiles, snapshot, startChild, test,
} from './lab.ts'

const commandsIn = async (lab: Lab) => (await processes(lab.netns)).map(({ command }) => command)

describe('the end of the process before any step of', () => {
  test.each(['starting', 'stopping'] as const)('%s is repaired by the next connect', async phase => {
    const lab = await openLab()
    const before = await snapshot(lab)
    for (let position = 0, length = 0; position <= length; position++) {
      const at = `before step ${position} of ${length}`
      const process = endAt(phase, position)
      const killed = await lab.connect()
      const network = await killed.networks.define(natXml(1))
      await expect(network.start().then(() => network.destroy()), at).rejects.toThrow('this process has ended')
      process.stop()
      await process.end()
      length = process.length

      const { networks } = await lab.connect()
      const found = await networks.get('net1')
      // A stop that has not begun when the process ends never happens.
      if ((await found.info()).active) await found.destroy()
      expect(await snapshot(lab), at).toEqual(before)
      expect(await runFiles(lab), at).toEqual([])
      await found.undefine()
    }
  })
})

test('a process killed at any moment leaves what the next one can use', async () => {
  const lab = await openLab()
  const before = await snapshot(lab)
  const { networks } = await lab.connect()
  await networks.define(natXml(1))
  for (let round = 0; round < 12; round++) {
    const child = startChild(`const { networks } = await virbr.connect(args.uri)
      const network = await networks.get('net1')
      console.log('ready')
      for (;;) {
        await network.start()
        await network.destroy()
      }`, { uri: lab.uri() })
    await new Promise(resolve => child.stdout?.once('data', resolve))
    await sleep(round * 9)
    const ended = answerOf(child)
    child.kill('SIGKILL')
    await ended
    const connection = await lab.connect()
    const network = await connection.networks.get('net1')
    if (!(await network.info()).active) await network.start()
    expect(await commandsIn(lab)).toHaveLength(1)
    await network.destroy()
    await connection.close()
    expect(await snapshot(lab), `round ${round}`).toEqual(before)
    expect(await runFiles(lab)).toEqual([])
  }
})

describe('an active network', () => {
  test('outlives the process that started it, with its dnsmasq', async () => {
    const lab = await openLab()
    const child = startChild(`const { networks } = await virbr.connect(args.uri)
      await networks.create(args.xml)
      console.log('started')
      setInterval(() => {}, 1000)`, { uri: lab.uri(), xml: natXml(1) })
    await new Promise(resolve => child.stdout?.once('data', resolve))
    child.kill('SIGKILL')
    await answerOf(child)
    const started = await processes(lab.netns)
    expect(started).toHaveLength(1)
    const { networks } = await lab.connect()
    const network = await networks.get('net1')
    expect(await network.info()).toMatchObject({ active: true, persistent: false })
    expect(await processes(lab.netns)).toEqual(started)
    expect(await readFile(join(lab.root, 'run/dnsmasq/net1.pid'), 'utf8')).toBe(`${started[0]?.pid}\n`)
    await network.destroy()
    expect(await processes(lab.netns)).toEqual([])
  })

  test('gets its dnsmasq back at the next connect, with the leases', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const network = await networks.create(natXml(1))
    const [first] = await processes(lab.netns)
    process.kill(first?.pid ?? 0, 'SIGKILL')
    // Its sockets close a moment after it.
    await sleep(100)
    const expiry = Math.floor(Date.now() / 1000) + 600
    await writeFile(join(lab.root, 'run/dnsmasq/net1.leases'), `${expiry} 52:54:00:00:00:07 192.168.1.7 seven *\n`)
    await lab.connect()
    const [second, ...more] = await processes(lab.netns)
    expect(more).toEqual([])
    expect(second?.command).toBe(first?.command)
    expect(second?.pid).not.toBe(first?.pid)
    expect(await network.leases()).toMatchObject([{ ipaddr: '192.168.1.7', hostname: 'seven' }])
  })

  test('whose bridge somebody deleted is inactive, and can be started again', async () => {
    const lab = await openLab()
    const before = await snapshot(lab)
    const setup = await lab.connect()
    await (await setup.networks.define(natXml(1))).start()
    await lab.sh('ip link delete br1')
    const { networks } = await lab.connect()
    const network = await networks.get('net1')
    expect(await network.info()).toMatchObject({ active: false })
    expect(await snapshot(lab)).toEqual(before)
    await network.start()
    await lab.sh('ip link delete br1; ip link add br1 type bridge')
    await lab.connect()
    expect(await ipJson(lab.netns, 'link', 'show', 'br1'), 'another’s bridge of that name stays').toHaveLength(1)
    expect(await network.info()).toMatchObject({ active: false })
  })

  test('can be destroyed whatever is already gone of it', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const files = `${lab.root}/run/dnsmasq`
    for (const damage of [
      'ip link delete br1', 'nft flush ruleset', 'iptables -F VIRBR_FWO', 'sysctl -qw net.ipv4.ip_forward=0',
      `kill $(cat ${files}/net1.pid)`, `rm ${files}/*`,
    ]) {
      const network = await networks.create(natXml(1))
      await lab.sh(damage)
      await network.destroy()
      expect(await runFiles(lab), damage).toEqual([])
      expect(await ipJson(lab.netns, 'link', 'show', 'type', 'bridge'), damage).toEqual([])
      // A dnsmasq whose pid file somebody took away is not ours to find any more.
      if (!damage.startsWith('rm')) expect(await processes(lab.netns), damage).toEqual([])
      for (const { pid } of await processes(lab.netns)) process.kill(pid, 'SIGKILL')
    }
  })
})

/** Changes the record of an active network. */
async function rewriteRecord({ root }: Lab, change: (text: string) => string): Promise<void> {
  const path = join(root, 'run/active/net1.json')
  await writeFile(path, change(await readFile(path, 'utf8')))
}

describe('a record', () => {
  test('of another boot is of no network, and touches nothing that has the same names now', async () => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    const network = await networks.define(natXml(1))
    await network.start()
    await lab.sh('ip link delete br1; ip link add br1 type bridge')
    await rewriteRecord(lab, text => text.replace(/"bootId": "[^"]*"/, '"bootId": "0"'))
    await lab.connect()
    expect(await network.info()).toMatchObject({ active: false })
    expect(await ipJson(lab.netns, 'link', 'show', 'br1')).toHaveLength(1)
    expect(await runFiles(lab)).toEqual([])
  })

  test.each([
    ['nothing', ''], ['half of one', '{"version": 1, "name": "net1"'], ['something else', '[1, 2]'], ['null', 'null'],
    ['fields of other types', '{"version": 1, "name": 7}'], ['a later version', '{"version": 99}'],
  ])('that holds %s does not keep connect from working', async (_, text) => {
    const lab = await openLab()
    const setup = await lab.connect()
    await setup.networks.define(bareXml('net1'))
    for (const phase of ['starting', 'stopping', 'active']) {
      await writeFile(join(lab.root, 'run', phase, 'net1.json'), text)
    }
    const { networks } = await lab.connect()
    const network = await networks.get('net1')
    await network.start()
    await network.destroy()
    expect(await runFiles(lab)).toEqual([])
  })

  test('of another namespace keeps its root from being used for this one', async () => {
    const [lab, other] = [await openLab(), await openLab()]
    const { networks } = await lab.connect()
    await networks.create(natXml(1))
    const { message } = await refusal('ERR_STATE_DIR', () => other.connect({ root: lab.root }))
    expect(message).toContain('net1')
    expect(message).toContain(lab.netns)
    expect((await networks.get('net1')).name).toBe('net1')
  })
})

needing(...kernelNeeds, needs.root).test('a namespace made again under its name starts without networks', async () => {
  const lab = await openLab()
  const name = `virbr-test-${process.pid}`
  await netns.add(name)
  try {
    const first = await lab.connect({ netns: name })
    await (await first.networks.define(natXml(1))).start()
    const dnsmasq = await processes(`/run/netns/${name}`)
    expect(dnsmasq).toHaveLength(1)
    await first.close()
    await netns.delete(name)
    await netns.add(name)
    const second = await lab.connect({ netns: name })
    const network = await second.networks.get('net1')
    expect(await network.info()).toMatchObject({ active: false })
    expect(await runFiles(lab)).toEqual([])
    expect(await readFile(`/proc/${dnsmasq[0]?.pid}/cmdline`, 'utf8').catch(() => ''), 'its dnsmasq').toBe('')
    await network.start()
    expect(await run('ip', ['link', 'show', 'br1'], { netns: name })).toContain('br1')
    await network.destroy()
    await second.close()
  } finally {
    await netns.delete(name)
  }
})
