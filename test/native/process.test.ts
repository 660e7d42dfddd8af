/** Programs started by a Host, and processes ended by it. */
import { spawn as spawnChild } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { NativeHost, SpawnResult, SpawnStep, TerminateResult } from '../../binding/index.ts'
import { needing, needs } from '../support/needs.ts'
import { openHost, temporaryFolder } from './support.ts'

const { EACCES, ENOENT, ETIMEDOUT } = constants.errno

const children: ChildProcess[] = []
afterEach(() => { for (const child of children.splice(0)) child.kill('SIGKILL') })

const shell = (script: string, options: Partial<SpawnStep> = {}): SpawnStep =>
  ({ op: 'spawn', file: '/bin/sh', argv: ['sh', '-c', script], env: [], timeoutMs: 10_000, ...options })

async function run(host: NativeHost, script: string, options: Partial<SpawnStep> = {}): Promise<{ status: number, output: string }> {
  const { results, failed } = await host.exec([shell(script, options)])
  expect(failed).toBeUndefined()
  const { status, output } = results[0]
  return { status, output: Buffer.from(output).toString() }
}

test('status and output, both of them in the order written', async () => {
  const host = await openHost({})
  expect(await run(host, 'echo one; echo two >&2; echo three; exit 3')).toEqual({ status: 3, output: 'one\ntwo\nthree\n' })
  expect(await run(host, 'kill -TERM $$')).toEqual({ status: -15, output: '' })
})

test('arguments and environment as given and nothing else', async () => {
  const host = await openHost({})
  const { results } = await host.exec([
    { op: 'spawn', file: '/usr/bin/env', argv: ['env'], env: ['A=1', 'B=two words'], timeoutMs: 5000 },
    shell('printf "%s|" "$0" "$@"', { argv: ['sh', '-c', 'printf "%s|" "$0" "$@"', 'zero', 'a b', ''] }),
  ])
  const text = (result: SpawnResult): string => Buffer.from(result.output).toString()
  expect([text(results[0]), text(results[1])]).toEqual(['A=1\nB=two words\n', 'zero|a b||'])
})

test('no descriptors but the three, no terminal, a session of its own, no blocked signals', async () => {
  const host = await openHost({})
  const program = (file: string, ...args: string[]): SpawnStep =>
    ({ op: 'spawn', file, argv: [file, ...args], env: [], timeoutMs: 5000 })
  const { results } = await host.exec([
    program('/bin/ls', '/proc/self/fd'),
    program('/bin/readlink', '/proc/self/fd/0', '/proc/self/fd/1', '/proc/self/fd/2'),
    program('/bin/cat', '/proc/self/stat'),
    program('/bin/grep', '-E', 'Sig(Blk|Ign)', '/proc/self/status'),
  ])
  const [descriptors, links, stat, signals] = results.map(({ output }) => Buffer.from(output).toString())
  // 3 is the folder that ls reads.
  expect(descriptors).toBe('0\n1\n2\n3\n')
  expect(links).toMatch(/^\/dev\/null\n(pipe:\[\d+\]\n)\1$/)
  const [pid, , , , group, session] = stat?.split(' ') ?? []
  expect([group, session]).toEqual([pid, pid])
  const masks = signals?.matchAll(/\t(\w+)/g) ?? []
  // 32 and 33 are glibc's own, which its posix_spawn ignores.
  expect(Array.from(masks, ([, mask]) => BigInt(`0x${mask}`) & ~0x1_8000_0000n)).toEqual([0n, 0n])
})

needing(needs.netAdmin).test('it runs in the Host’s namespace', async () => {
  const host = await openHost()
  expect((await run(host, 'readlink /proc/self/ns/net')).output).toBe(`net:[${host.netnsInode}]\n`)
  expect(await readlink('/proc/self/ns/net')).not.toBe(`net:[${host.netnsInode}]`)
})

test('the thread lets the JavaScript thread go first; the programs that it starts are as any other', async () => {
  const host = await openHost({})
  // proc(5): the 41st field is the scheduling policy; 3 is SCHED_BATCH, 0 SCHED_OTHER.
  const policyIn = (stat: string): string | undefined => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3]
  expect(policyIn((await run(host, 'cat /proc/self/stat')).output)).toBe('0')
  const threads = readdirSync('/proc/self/task').map(thread => readFileSync(`/proc/self/task/${thread}/stat`, 'utf8'))
  expect(policyIn(readFileSync('/proc/self/stat', 'utf8'))).toBe('0')
  expect(threads.map(policyIn)).toContain('3')
})

test('a program that is not there, or not one, fails with its errno', async () => {
  const host = await openHost({})
  const fails = async (file: string): Promise<unknown> => (await host.exec([shell('', { file })])).failed
  expect(await fails('/nowhere/program')).toEqual({ step: 0, errno: ENOENT, call: 'spawn' })
  expect(await fails('/etc/passwd')).toEqual({ step: 0, errno: EACCES, call: 'spawn' })
})

test.each([
  ['one that sleeps', 'sleep 60'],
  ['one that ignores SIGTERM', 'trap "" TERM; sleep 60 & wait'],
  ['one that writes without end', 'exec yes'],
])('%s is killed when its time is up', async (_, script) => {
  const host = await openHost({})
  const started = performance.now()
  const { failed } = await host.exec([shell(script, { timeoutMs: 200 })])
  expect(failed).toEqual({ step: 0, errno: ETIMEDOUT, call: 'spawn' })
  expect(performance.now() - started).toBeLessThan(3000)
})

test('output beyond 64 KiB is read and dropped', async () => {
  const host = await openHost({})
  const { results } = await host.exec([shell('head -c 1000000 /dev/zero | tr "\\0" x; echo end')])
  expect(results[0].status).toBe(0)
  expect(results[0].output.length).toBe(65_536)
})

test('a child in the background that holds the output does not hold us', async () => {
  const host = await openHost({})
  const started = performance.now()
  const { output } = await run(host, 'sleep 30 & echo $!')
  expect(performance.now() - started).toBeLessThan(5000)
  process.kill(Number(output), 'SIGKILL')
})

test('many programs at once, of several Hosts', async () => {
  const hosts = await Promise.all(Array.from({ length: 8 }, () => openHost({})))
  const runs = hosts.flatMap((host, h) => Array.from({ length: 10 }, (_, i) => run(host, `echo ${h}.${i}; exit ${i}`)))
  const expected = hosts.flatMap((_, h) => Array.from({ length: 10 }, (_, i) => ({ status: i, output: `${h}.${i}\n` })))
  expect(await Promise.all(runs)).toEqual(expected)
})

/** A child of the test process that has begun; its command line holds `virbr-victim`. */
async function victim(script: string): Promise<ChildProcess & { pid: number }> {
  const child = spawnChild('/bin/sh', ['-c', `${script}`, 'virbr-victim'], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  await once(child.stdout, 'data')
  return child as unknown as ChildProcess & { pid: number }
}

async function terminate(host: NativeHost, pid: number, match: string, timeoutMs = 5000): Promise<TerminateResult> {
  const { results, failed } = await host.exec([{ op: 'terminate', pid, match, timeoutMs }])
  expect(failed).toBeUndefined()
  return results[0]
}

test('terminate: SIGTERM is enough for most', async () => {
  const host = await openHost({})
  const child = await victim('trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done')
  const ended = once(child, 'exit')
  expect(await terminate(host, child.pid, 'virbr-victim')).toBe('terminated')
  expect(await ended).toEqual([7, null])
})

test.each([300, 0])('terminate: who ignores it is killed after %s ms', async timeoutMs => {
  const host = await openHost({})
  const child = await victim('trap "" TERM; echo ready; while :; do sleep 0.05; done')
  const ended = once(child, 'exit')
  expect(await terminate(host, child.pid, 'virbr-victim', timeoutMs)).toBe('killed')
  expect(await ended).toEqual([null, 'SIGKILL'])
})

test('terminate: another process by that pid is left alone', async () => {
  const host = await openHost({})
  const child = await victim('echo ready; while :; do sleep 0.05; done')
  expect(await terminate(host, child.pid, 'dnsmasq')).toBe('mismatch')
  expect(existsSync(`/proc/${child.pid}`)).toBe(true)
  // As virbr looks for its own: a whole argument, NULs read as spaces.
  expect(await terminate(host, child.pid, 'virbr-victim ')).toMatch(/terminated|killed/)
})

test('terminate: one that is gone already, or has ended and is not yet waited for', async () => {
  const host = await openHost({})
  const child = await victim('echo ready')
  if (child.exitCode === null) await once(child, 'exit')
  expect(await terminate(host, child.pid, 'virbr-victim')).toBe('absent')
  const none = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8')) - 1
  expect(await terminate(host, none, 'virbr-victim')).toBe('absent')

  const pidFile = join(await temporaryFolder(), 'pid')
  // exec: the parent of the zombie is then a program that does not wait for it.
  const parent = await victim(`sleep 0.2 & echo $! > ${pidFile}; echo ready; exec sleep 30`)
  const zombie = Number(readFileSync(pidFile, 'utf8'))
  await expect.poll(() => readFileSync(`/proc/${zombie}/stat`, 'utf8')).toMatch(/\) Z /)
  expect(await terminate(host, zombie, '')).toBe('absent')
  parent.kill('SIGKILL')
})
