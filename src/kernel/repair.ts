/**
 * What a killed process, a reboot or a removed namespace has left behind: looked for, and put right, at every connect,
 * under the lock.
 */
import { join } from 'node:path'
import type { ReadFileStep, Step } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import { isFailure, repliesOf, routeStep } from '../host/channel.ts'
import { decodeLink, getLink } from '../rtnetlink/links.ts'
import { dnsmasqFiles, dnsmasqFailure, prepareDnsmasq, startDnsmasq } from './dnsmasq.ts'
import { decodeRecord } from './record.ts'
import type { NetworkRecord } from './record.ts'
import type { State } from './state.ts'
import { namesIn, readDir } from './store.ts'
import { takeDown } from './teardown.ts'
import type { Phase } from './teardown.ts'

type MayFail<S> = S & { mayFail: true }

const phases = ['starting', 'stopping', 'active'] as const

export async function repair(state: State): Promise<void> {
  const { paths } = state
  await state.locked([...phases.map(phase => readDir(paths[phase])), readDir(paths.draft)], async listings => {
    const drafts = listings[3]
    if (Array.isArray(drafts) && drafts.length > 0) {
      await state.run(drafts.map((file): Step => ({ op: 'unlink', path: join(paths.draft, file), mayFail: true })))
    }
    for (const [position, phase] of phases.entries()) {
      for (const name of namesIn(listings[position], '.json')) await repairNetwork(state, phase, name)
    }
  })
}

/** For a process that goes on while another was killed: what a start of the same network would stumble over. */
export function leftoverReads({ paths }: State, name: string): [MayFail<ReadFileStep>, MayFail<ReadFileStep>] {
  return [
    { op: 'readFile', path: join(paths.starting, `${name}.json`), mayFail: true },
    { op: 'readFile', path: join(paths.stopping, `${name}.json`), mayFail: true },
  ]
}

/** Under the lock, so whoever wrote these is gone. True if there was something. */
export async function repairLeftovers(state: State, name: string, results: readonly unknown[]): Promise<boolean> {
  const found = (['starting', 'stopping'] as const).filter((_, position) => !isFailure(results[position]))
  for (const phase of found) await repairNetwork(state, phase, name)
  return found.length > 0
}

async function repairNetwork(state: State, phase: Phase, name: string): Promise<void> {
  const path = join(state.paths[phase], `${name}.json`)
  const [bytes] = await state.run([{ op: 'readFile', path }])
  const record = decodeRecord(bytes)
  if (record === undefined) {
    await state.run([{ op: 'unlink', path }])
    return
  }
  if (isElsewhere(state, record)) {
    throw new VirbrError('ERR_STATE_DIR', `${state.paths.active} holds network ${name} of another network namespace ` +
      `(${record.netns.spec === '' ? 'the caller\'s own' : record.netns.spec}); give each namespace a root of its own`)
  }
  if (phase === 'active' && await isAlive(state, record)) return reviveDnsmasq(state, record)
  if (phase === 'starting') await endStrayDnsmasq(state, name)
  await takeDown(state, record, phase)
}

/** The record is of this boot, of a namespace that was asked for in other words, and not the same one. */
function isElsewhere({ netns, bootId }: State, record: NetworkRecord): boolean {
  return record.bootId === bootId && !sameNamespace(netns, record.netns) && record.netns.spec !== netns.spec
}

function sameNamespace(a: NetworkRecord['netns'], b: NetworkRecord['netns']): boolean {
  return a.device === b.device && a.inode === b.inode
}

/** Its bridge is there: of this boot, in this namespace, with index and MAC as recorded. */
async function isAlive(state: State, { bridge, netns, bootId }: NetworkRecord): Promise<boolean> {
  if (bootId !== state.bootId || !sameNamespace(netns, state.netns)) return false
  const step = routeStep([getLink(bridge.name)], { mayFail: true })
  const [result] = await state.run([step])
  const message = repliesOf(step, result).messages[0]?.[0]
  if (message === undefined) return false
  const { index, mac } = decodeLink(message)
  return index === bridge.index && mac === bridge.mac
}

/** A dnsmasq that has died is started again; leases are kept. */
async function reviveDnsmasq(state: State, record: NetworkRecord): Promise<void> {
  if (!record.dnsmasq) return
  const files = dnsmasqFiles(state.paths, record.name)
  const pid = await recordedPid(state, files.pid)
  if (pid !== undefined && await isDnsmasq(state, pid, files.conf)) return
  // One that is just ending keeps its port until it is gone.
  if (pid !== undefined) await state.run([{ op: 'terminate', pid, match: files.conf, timeoutMs: 1_000, mayFail: true }])
  const config = state.parse(record.xml)
  const dnsmasq = await prepareDnsmasq(state, config)
  if (dnsmasq === undefined) return
  const [, , , result] = await state.run(startDnsmasq(dnsmasq, config, record.bridge.name, files))
  if (result.status !== 0) throw dnsmasqFailure(record.name, result)
}

async function recordedPid(state: State, path: string): Promise<number | undefined> {
  const [pidFile] = await state.run([{ op: 'readFile', path, mayFail: true }])
  const pid = isFailure(pidFile) ? NaN : Number(Buffer.from(pidFile).toString())
  return pid > 0 ? pid : undefined
}

async function isDnsmasq(state: State, pid: number, conf: string): Promise<boolean> {
  const [cmdline] = await state.run([{ op: 'readFile', path: `/proc/${pid}/cmdline`, mayFail: true }])
  return !isFailure(cmdline) && Buffer.from(cmdline).toString().split('\0').includes(`--conf-file=${conf}`)
}

/** A dnsmasq whose parent was killed before it had written its pid file is known by its command line only. */
async function endStrayDnsmasq(state: State, name: string): Promise<void> {
  const { conf } = dnsmasqFiles(state.paths, name)
  const [entries] = await state.run([{ op: 'readDir', path: '/proc' }])
  for (const pid of entries.map(Number).filter(number => number > 0)) {
    if (await isDnsmasq(state, pid, conf)) await state.run([{ op: 'terminate', pid, match: conf, timeoutMs: 5_000 }])
  }
}
