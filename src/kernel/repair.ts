/**
 * What a killed process, a reboot or a removed namespace has left behind: looked for, and put right, at every connect,
 * under the lock.
 */
import { join } from 'node:path'
import type { ReadFileStep, Step } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import { isFailure, repliesOf, routeStep } from '../host/channel.ts'
import { decodeLink, getLink } from '../rtnetlink/links.ts'
import { dnsmasqFiles, prepareDnsmasq } from './dnsmasq.ts'
import { decodeRecord } from './record.ts'
import type { NetworkRecord } from './record.ts'
import { endStrayDnsmasq, findDnsmasq, serve } from './serve.ts'
import type { State } from './state.ts'
import { namesIn, readDir } from './store.ts'
import { takeDown } from './teardown.ts'
import type { Phase } from './teardown.ts'
import { noteRead, settleUpdate } from './update.ts'

type MayFail<S> = S & { mayFail: true }

const phases = ['starting', 'stopping', 'active'] as const
/** What is there only for the moment. */
const leavings = ['draft', 'events'] as const

export async function repair(state: State): Promise<void> {
  const { paths } = state
  const reads = [...phases.map(phase => readDir(paths[phase])), ...leavings.map(place => readDir(paths[place])), readDir(paths.updating)]
  await state.locked(reads, async listings => {
    const files = leavings.flatMap((place, position) => filesIn(listings[phases.length + position]).map(file => join(paths[place], file)))
    if (files.length > 0) await state.run(files.map((path): Step => ({ op: 'unlink', path, mayFail: true })))
    for (const [position, phase] of phases.entries()) {
      for (const name of namesIn(listings[position], '.json')) await repairNetwork(state, phase, name)
    }
    for (const name of namesIn(listings.at(-1), '.json')) await settleUpdate(state, name)
  })
}

function filesIn(listing: unknown): string[] {
  return Array.isArray(listing) ? listing as string[] : []
}

type LeftoverReads = [MayFail<ReadFileStep>, MayFail<ReadFileStep>, MayFail<ReadFileStep>]

/** For a process that goes on while another was killed: what a start of the same network would stumble over. */
export function leftoverReads(state: State, name: string): LeftoverReads {
  const { paths } = state
  return [
    { op: 'readFile', path: join(paths.starting, `${name}.json`), mayFail: true },
    { op: 'readFile', path: join(paths.stopping, `${name}.json`), mayFail: true },
    noteRead(state, name),
  ]
}

/** Under the lock, so whoever wrote these is gone. True if there was something. */
export async function repairLeftovers(state: State, name: string, results: readonly unknown[]): Promise<boolean> {
  const found = (['starting', 'stopping'] as const).filter((_, position) => !isFailure(results[position]))
  for (const phase of found) await repairNetwork(state, phase, name)
  const updating = !isFailure(results[2])
  if (updating) await settleUpdate(state, name)
  return updating || found.length > 0
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
  if ((await findDnsmasq(state, files))?.runs === true) return
  const config = state.parse(record.xml)
  await serve(state, record, config, await prepareDnsmasq(state, config), true)
}
