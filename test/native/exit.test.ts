/** Processes and workers that end while Hosts are open and busy: they must end, soon, and without a crash. */
import { join } from 'node:path'
import { expect } from 'vitest'
import { needing, needs } from '../support/needs.ts'
import { addonPath, runNode, temporaryFolder } from './support.ts'

const { test } = needing(needs.netAdmin)

const sleepStep = `{ op: 'spawn', file: '/bin/sleep', argv: ['sleep', '77.5'], env: [], timeoutMs: 60000 }`
const clean = (status: number, stdout = '') => ({ status, signal: null, stdout, stderr: '' })

test('a process with idle Hosts ends by itself', async () => {
  const started = performance.now()
  expect(await runNode(`
    for (let i = 0; i < 10; i++) await addon.openHost({ create: true })
    console.log('open')`)).toEqual(clean(0, 'open\n'))
  // Not even the idle time of its threads is waited out.
  expect(performance.now() - started).toBeLessThan(1900)
})

test('a call under way keeps the process alive until it is done', async () => {
  expect(await runNode(`
    const host = await addon.openHost({ create: true })
    void host.exec([{ op: 'spawn', file: '/bin/sleep', argv: ['sleep', '0.2'], env: [], timeoutMs: 5000 }])
      .then(({ results }) => console.log('status', results[0].status))`)).toEqual(clean(0, 'status 0\n'))
})

test.each([
  ['a spawn', sleepStep],
  ['a lock', `{ op: 'lock', path: process.env.LOCK ?? process.argv[1], timeoutMs: 60000 }`],
  ['a terminate', `{ op: 'terminate', pid: victim.pid, match: 'virbr-deaf', timeoutMs: 60000 }`],
])('process.exit() in the middle of %s ends the process', async (_, step) => {
  const lock = JSON.stringify(join(await temporaryFolder(), 'lock'))
  const started = performance.now()
  const ended = await runNode(`
    const victim = require('node:child_process').spawn('/bin/sh', ['-c', 'trap "" TERM; echo; while :; do sleep 0.1; done', 'virbr-deaf'])
    await new Promise(resolve => victim.stdout.once('data', resolve))
    process.on('exit', () => victim.kill('SIGKILL'))
    const [holder, host] = [await addon.openHost({}), await addon.openHost({ create: true })]
    await holder.exec([{ op: 'lock', path: ${lock}, timeoutMs: 0 }])
    process.env.LOCK = ${lock}
    void host.exec([${step}])
    await sleep(100)
    process.exit(5)`)
  expect(ended).toEqual(clean(5))
  expect(performance.now() - started).toBeLessThan(5000)
})

test('an exception nobody caught, in the middle of a call, is told as ever', async () => {
  const { status, stderr } = await runNode(`
    const host = await addon.openHost({ create: true })
    void host.exec([${sleepStep}])
    await sleep(50)
    throw new Error('mine')`)
  expect(status).toBe(1)
  expect(stderr).toContain('Error: mine')
})

test('Hosts collected without close give back descriptor and thread', async () => {
  expect(await runNode(`
    const fds = () => fs.readdirSync('/proc/self/fd').length
    const before = fds()
    const open = async () => {
      for (let i = 0; i < 50; i++) {
        const host = await addon.openHost({ create: true })
        if (i % 2) await host.exec([{ op: 'readFile', path: '/proc/net/dev' }])
      }
    }
    await open()
    for (let i = 0; i < 100 && (addon.stats().hosts > 0 || addon.stats().threads > 0); i++) {
      gc()
      await sleep(20)
    }
    console.log(addon.stats(), fds() <= before + 2)`, { args: ['--expose-gc'] })).toEqual(clean(0, '{ hosts: 0, watches: 0, threads: 0 } true\n'))
})

test('a Host that nobody holds is not collected in mid-call', async () => {
  expect(await runNode(`
    const call = (await addon.openHost({ create: true })).exec([
      { op: 'spawn', file: '/bin/sleep', argv: ['sleep', '0.3'], env: [], timeoutMs: 5000 }])
    for (let i = 0; i < 10; i++) { gc(); await sleep(20) }
    console.log((await call).results[0].status)`, { args: ['--expose-gc'] })).toEqual(clean(0, '0\n'))
})

const workerOf = (script: string): string => JSON.stringify(`
  const addon = require(${JSON.stringify(addonPath())})
  const { parentPort } = require('node:worker_threads')
  void (async () => {${script}})()`)

test.each([
  ['a spawn', sleepStep],
  ['a lock', `{ op: 'lock', path: '/proc/self/fd/2', timeoutMs: 0, mayFail: true }, ${sleepStep}`],
])('a worker terminated in the middle of %s', async (_, steps) => {
  const script = `
    const host = await addon.openHost({ create: true })
    void host.exec([${steps}])
    setTimeout(() => parentPort.postMessage('busy'), 50)`
  const started = performance.now()
  expect(await runNode(`
    for (let i = 0; i < 5; i++) {
      const one = new worker.Worker(${workerOf(script)}, { eval: true })
      await new Promise(resolve => one.once('message', resolve))
      await one.terminate()
    }
    console.log(addon.stats())`)).toEqual(clean(0, '{ hosts: 0, watches: 0, threads: 0 }\n'))
  expect(performance.now() - started).toBeLessThan(10_000)
})

test('workers terminated at any moment of a storm of calls', { timeout: 60_000 }, async () => {
  const script = `
    parentPort.postMessage('busy')
    const storm = async () => {
      for (;;) {
        const host = await addon.openHost({ create: true })
        await Promise.all(Array.from({ length: 20 }, () => host.exec([
          { op: 'readFile', path: '/proc/net/dev' },
          { op: 'spawn', file: '/bin/true', argv: ['true'], env: [], timeoutMs: 5000 },
          { op: 'unlink', path: '/none/x', mayFail: true }])))
        void host.exec([{ op: 'nonsense' }]).catch(() => {})
        if (Math.random() < 0.5) await host.close()
      }
    }
    await Promise.all([storm(), storm(), storm()])`
  expect(await runNode(`
    for (let round = 0; round < 10; round++) {
      const workers = Array.from({ length: 4 }, () => new worker.Worker(${workerOf(script)}, { eval: true }))
      for (const one of workers) one.on('error', error => { console.log(error); process.exit(1) })
      await Promise.all(workers.map(one => new Promise(resolve => one.once('message', resolve))))
      await sleep(Math.random() * 100)
      await Promise.all(workers.map(one => one.terminate()))
    }
    console.log('ended')`, { timeoutMs: 50_000 })).toEqual(clean(0, 'ended\n'))
})

test('20 workers with Hosts of their own do not see each other’s', async () => {
  const script = `
    const hosts = await Promise.all(Array.from({ length: 5 }, () => addon.openHost({ create: true })))
    const { results } = await hosts[0].exec([{ op: 'readDir', path: '/proc/sys/net/ipv4/conf' }])
    parentPort.postMessage([addon.stats().hosts, results[0].length])`
  expect(await runNode(`
    const workers = Array.from({ length: 20 }, () => new worker.Worker(${workerOf(script)}, { eval: true }))
    const ended = Promise.all(workers.map(one => new Promise(resolve => one.once('exit', resolve))))
    const seen = await Promise.all(workers.map(one => new Promise(resolve => one.once('message', resolve))))
    await ended
    console.log(new Set(seen.map(String)), addon.stats().hosts)`)).toEqual(clean(0, "Set(1) { '5,3' } 0\n"))
})
