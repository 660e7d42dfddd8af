/** Locks between Hosts, between processes, and after a process was killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { NativeHost, StepFailure } from '../../binding/index.ts'
import { addonPath, openHost, temporaryFolder } from './support.ts'

const { EDEADLK, ENOENT, ENOLCK, ETIMEDOUT } = constants.errno

async function lock(host: NativeHost, path: string, timeoutMs = 0): Promise<StepFailure | undefined> {
  return (await host.exec([{ op: 'lock', path, timeoutMs }])).failed
}
const unlock = async (host: NativeHost, path: string): Promise<StepFailure | undefined> =>
  (await host.exec([{ op: 'unlock', path }])).failed

test('one Host at a time; the other gets ETIMEDOUT, after the time it was willing to wait', async () => {
  const [one, two] = [await openHost({}), await openHost({})]
  const path = join(await temporaryFolder(), 'lock')
  expect(await lock(one, path)).toBeUndefined()
  const started = performance.now()
  expect(await lock(two, path, 120)).toEqual({ step: 0, errno: ETIMEDOUT, call: 'lock' })
  expect(performance.now() - started).toBeGreaterThan(115)
  expect(await unlock(one, path)).toBeUndefined()
  expect(await lock(two, path)).toBeUndefined()
})

test('who waits gets it as soon as it is free', async () => {
  const [one, two] = [await openHost({}), await openHost({})]
  const path = join(await temporaryFolder(), 'lock')
  await lock(one, path)
  const waiting = lock(two, path, 10_000)
  await unlock(one, path)
  expect(await waiting).toBeUndefined()
})

test('only root reads the file', async () => {
  const host = await openHost({})
  const path = join(await temporaryFolder(), 'lock')
  await lock(host, path)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('close gives it back', async () => {
  const [one, two] = [await openHost({}), await openHost({})]
  const path = join(await temporaryFolder(), 'lock')
  await lock(one, path)
  await one.close()
  expect(await lock(two, path)).toBeUndefined()
})

test('it is held over the idle time of the Host’s thread', { timeout: 10_000 }, async () => {
  const [one, two] = [await openHost({}), await openHost({})]
  const path = join(await temporaryFolder(), 'lock')
  await lock(one, path)
  await new Promise(resolve => { setTimeout(resolve, 2500) })
  expect((await lock(two, path))?.errno).toBe(ETIMEDOUT)
  expect(await unlock(one, path)).toBeUndefined()
})

test('twice by one Host is a fault, not a wait for ever; so is an unlock of what is not held', async () => {
  const host = await openHost({})
  const path = join(await temporaryFolder(), 'lock')
  await lock(host, path)
  expect((await lock(host, path, 10_000))?.errno).toBe(EDEADLK)
  expect((await unlock(host, `${path}2`))?.errno).toBe(ENOLCK)
})

test('a lock in a folder that is not there', async () => {
  expect(await lock(await openHost({}), join(await temporaryFolder(), 'none/lock'))).toMatchObject({ errno: ENOENT, call: 'open' })
})

test('a killed process holds nothing', async () => {
  const host = await openHost({})
  const path = join(await temporaryFolder(), 'lock')
  const script = `
    require(${JSON.stringify(addonPath())}).openHost({}).then(host =>
      host.exec([{ op: 'lock', path: ${JSON.stringify(path)}, timeoutMs: 0 }])).then(() => console.log('held'))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(child.stdout, 'data')
    expect((await lock(host, path, 50))?.errno).toBe(ETIMEDOUT)
    const waiting = lock(host, path, 10_000)
    child.kill('SIGKILL')
    expect(await waiting).toBeUndefined()
  } finally {
    child.kill('SIGKILL')
  }
})

test('8 Hosts count with one file and lose no step', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'lock')
  const counter = join(folder, 'counter')
  const hosts = await Promise.all(Array.from({ length: 8 }, () => openHost({})))
  await hosts[0]?.exec([{ op: 'writeFile', path: counter, data: '0', mode: 0o600 }])
  await Promise.all(hosts.map(async host => {
    for (let i = 0; i < 20; i++) {
      const { results } = await host.exec([{ op: 'lock', path, timeoutMs: 20_000 }, { op: 'readFile', path: counter }])
      const next = Number(Buffer.from(results[1]).toString()) + 1
      const data = String(next)
      await host.exec([{ op: 'writeFile', path: counter, data, mode: 0o600 }, { op: 'unlock', path }])
    }
  }))
  const { results } = await (hosts[0] as NativeHost).exec([{ op: 'readFile', path: counter }])
  expect(Buffer.from(results[0]).toString()).toBe('160')
})
