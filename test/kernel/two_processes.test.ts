/** Processes, and connections of one process, that change the same networks at once do not get in each other's way. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { answerOf, bareXml, natXml, openLab, processes, runFiles, snapshot, startChild, test } from './lab.ts'

/** In a child: does it, and prints `ok` or the error's code. */
const report = `const tell = work =>
  work.then(() => console.log('ok'), error => console.log(error.code, error.message))`

test('ten networks are started, destroyed and started by five processes at once', async () => {
  const lab = await openLab()
  const before = await snapshot(lab)
  const { networks } = await lab.connect()
  const numbers = Array.from({ length: 10 }, (_, index) => index)
  for (const number of numbers) await networks.define(natXml(number))
  const children = Array.from({ length: 5 }, (_, child) => startChild(`${report}
    const { networks } = await virbr.connect(args.uri)
    const pair = await Promise.all(args.names.map(name => networks.get(name)))
    await tell((async () => {
      for (let round = 0; round < 2; round++) {
        await Promise.all(pair.map(network => network.start()))
        if (round === 0) await Promise.all(pair.map(network => network.destroy()))
      }
    })())
    process.exit()`, { uri: lab.uri(), names: [`net${child * 2}`, `net${child * 2 + 1}`] }))
  expect(await Promise.all(children.map(answerOf))).toEqual(children.map(() => 'ok'))

  expect(await networks.list({ active: true })).toHaveLength(10)
  expect(await processes(lab.netns)).toHaveLength(10)
  const rules = (await lab.sh('iptables-nft-save')).split('\n')
  for (const number of numbers) {
    expect(rules.filter(rule => rule.includes(`-i br${number} -o br${number} `)), `br${number}`).toHaveLength(1)
    expect(rules.filter(rule => rule.includes(`-s 192.168.${number}.0/24 ! -d`)), `br${number}`).toHaveLength(3)
  }
  expect(rules.filter(rule => rule === '-A FORWARD -j VIRBR_FWX')).toHaveLength(1)
  await Promise.all((await networks.list()).map(network => network.destroy()))
  expect(await snapshot(lab)).toEqual(before)
  expect(await runFiles(lab)).toEqual([])
})

test.each([
  ['processes', true], ['connections of one process', false],
])('of two %s that start the same network one succeeds', async (_, apart) => {
  const lab = await openLab()
  const setup = await lab.connect()
  const network = await setup.networks.define(natXml(1))
  for (let round = 0; round < 3; round++) {
    const answers = apart
      ? (await Promise.all([1, 2].map(() => answerOf(startChild(`${report}
        const { networks } = await virbr.connect(args.uri)
        await tell((await networks.get('net1')).start())
        process.exit()`, { uri: lab.uri() }))))).map(answer => answer.split(' ')[0])
      : await Promise.all([1, 2].map(async () => {
        const { networks } = await lab.connect()
        const network = await networks.get('net1')
        return network.start().then(() => 'ok', (error: unknown) => (error as { code: string }).code)
      }))
    expect(answers.sort()).toEqual(['ERR_NETWORK_ACTIVE', 'ok'])
    expect(await processes(lab.netns)).toHaveLength(1)
    await network.destroy()
  }
})

test('calls of one connection need not wait for each other', async () => {
  const lab = await openLab()
  const { networks } = await lab.connect()
  const made = await Promise.all(Array.from({ length: 8 }, (_, number) => networks.define(bareXml(`n${number}`))))
  await Promise.all(made.map(network => network.start()))
  const answers = await Promise.allSettled([...made, ...made].map(network => network.destroy()))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(8)
  // Names that the driver chooses are each given once.
  const chosen = await Promise.all(Array.from({ length: 8 }, (_, number) => networks.define({ name: `m${number}` })))
  const bridges = await Promise.all(chosen.map(async network => (await network.info()).bridge))
  expect(bridges.sort()).toEqual(Array.from({ length: 8 }, (_, number) => `virbr${number}`))
})

test('a change waits for as long as another process holds the lock; looking does not', async () => {
  const lab = await openLab()
  const network = await (await lab.connect()).networks.define(bareXml('n'))
  // Calls of one connection run in order, so what waits for the lock holds up what comes after it.
  const onlooker = (await lab.connect()).networks
  const holder = startChild(`const { spawn } = await import('node:child_process')
    spawn('flock', [args.lock, 'sh', '-c', 'echo held; cat'], { stdio: 'inherit' }).on('exit', () => process.exit())`,
  { lock: `${lab.root}/run/lock` })
  await new Promise(resolve => holder.stdout?.once('data', resolve))
  let started = false
  const starting = network.start().then(() => { started = true })
  await sleep(150)
  expect(await (await onlooker.get('n')).info()).toMatchObject({ active: false })
  expect(await onlooker.list()).toHaveLength(1)
  expect(started).toBe(false)
  holder.stdin?.end()
  await starting
  expect(await network.info()).toMatchObject({ active: true })
})
