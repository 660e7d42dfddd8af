/** When a process that uses libvirt ends: by itself, when nobody waits for anything. Of the package as built (scripts/test). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { libvirtdNeeds, startLibvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'

const { test } = needing(needs.library('libvirt.so.0'))
const withDaemon = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds())

const entry = JSON.stringify(new URL('../../dist/src/libvirt/index.js', import.meta.url).href)

interface Script {
  /** Its exit status, or undefined if it still runs after so long; it is killed then. */
  ended(milliseconds?: number): Promise<number | null | undefined>
  output(): string
  /** Resolves when it has printed this. */
  printed(text: string): Promise<void>
}

function start(code: string): Script {
  const child = spawn(process.execPath, ['--input-type=module', '-e', `import { connectLibvirt } from ${entry}\n${code}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const exit = once(child, 'exit').then(([status]) => status as number | null)
  return {
    output: () => output,
    ended: async (milliseconds = 10_000) => {
      const status = await Promise.race([exit, sleep(milliseconds, undefined, { ref: false })])
      if (status === undefined) {
        child.kill('SIGKILL')
        await exit
      }
      return status
    },
    printed: async text => {
      for (const deadline = Date.now() + 10_000; !output.includes(text); await sleep(10)) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`it printed: ${output}`)
      }
    },
  }
}

test.each([
  ['a connection left open', ''],
  ['a watch that nobody reads', 'const watch = c.networks.watch(); await watch.ready'],
  ['a watch that was read', "const watch = c.networks.watch(); await watch.ready; (await c.networks.create('<network><name>x</name></network>')); await watch.next()"],
  ['networks and domains that are held', 'globalThis.held = [await c.networks.list(), await c.domains.list()]'],
  ['a closed connection', 'await c.close()'],
])('%s does not keep the process alive', async (_, code) => {
  const script = start(`const c = await connectLibvirt('test:///default'); ${code}; console.log('done')`)
  expect(await script.ended()).toBe(0)
  expect(script.output()).toBe('done\n')
})

test('whoever waits for an event keeps the process alive, though nothing else holds the watch', async () => {
  const script = start(`
    {
      const c = await connectLibvirt('test:///default')
      c.networks.watch().next().then(() => console.log('event'))
    }
    const { setFlagsFromString } = await import('node:v8')
    setFlagsFromString('--expose-gc')
    const gc = (await import('node:vm')).runInNewContext('gc')
    // Another connection to the same mock brings the event, long after the first has been forgotten.
    for (let round = 0; round < 5; round++) { gc(); await new Promise(resolve => setTimeout(resolve, 20)) }
    const other = await connectLibvirt('test:///default')
    setTimeout(() => other.networks.create('<network><name>x</name></network>'), 300).unref()`)
  expect(await script.ended()).toBe(0)
  expect(script.output()).toBe('event\n')
})

test.each([
  ['in mid-call', 'for (let i = 0; i < 50; i++) c.networks.list().catch(() => {})'],
  ['with a watch being read', 'c.networks.watch().next().catch(() => {})'],
  ['while closing', 'c.close()'],
])('process.exit %s ends it cleanly', async (_, code) => {
  const script = start(`const c = await connectLibvirt('test:///default'); ${code}; process.exit(7)`)
  expect(await script.ended()).toBe(7)
  expect(script.output()).toBe('')
})

test('a worker that is terminated in mid-call takes its handles along', async () => {
  const script = start(`
    import { libvirtStats } from ${entry}
    import { Worker } from 'node:worker_threads'
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(\`
        import { parentPort } from 'node:worker_threads'
        import { connectLibvirt } from ${entry}
        const c = await connectLibvirt('test:///default')
        c.networks.watch().next().catch(() => {})
        await c.networks.list()
        parentPort.postMessage('there')
        for (;;) await Promise.all(Array.from({ length: 20 }, () => c.networks.list()))
        \`, { eval: true })
      await new Promise(resolve => worker.once('message', resolve))
      await worker.terminate()
    }
    const deadline = Date.now() + 5000
    while (libvirtStats().handles > 0 && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 20))
    const { handles, listeners } = libvirtStats()
    console.log(handles, listeners)`)
  const status = await script.ended(20_000)
  expect(script.output()).toBe('0 0\n')
  expect(status).toBe(0)
})

withDaemon.test('attempts to reconnect keep nothing alive; a call that waits does', async () => {
  await using daemon = await startLibvirtd()
  const open = `const c = await connectLibvirt(${JSON.stringify(daemon.socketUri)}, { reconnect: { timeoutMs: 1500 } }); console.log('open')
    while (await c.isAlive()) await new Promise(resolve => setTimeout(resolve, 10))`
  const idle = start(`${open}; console.log('lost')`)
  const waiting = start(`${open}; const from = Date.now(); await c.type().catch(error => console.log(error.code, Date.now() - from > 1400))`)
  const reading = start(`const c = await connectLibvirt(${JSON.stringify(daemon.socketUri)}, { reconnect: true })
    const watch = c.networks.watch(); await watch.ready; console.log('open'); console.log((await watch.next()).value.type)`)
  await Promise.all([idle, waiting, reading].map(script => script.printed('open')))
  await daemon.kill()
  expect(await idle.ended()).toBe(0)
  expect(idle.output()).toBe('open\nlost\n')
  expect(await waiting.ended()).toBe(0)
  expect(waiting.output()).toBe('open\nERR_CONNECTION_LOST true\n')
  await daemon.start()
  expect(await reading.ended()).toBe(0)
  expect(reading.output()).toBe('open\ngap\n')
})
