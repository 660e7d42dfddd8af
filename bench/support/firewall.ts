/**
 * Contenders of the firewall jobs: each with a network namespace of its own, readied by the same bytes. Programs are started
 * there from C, so that a sample has the program's start and nothing else.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Host } from '../../src/index.ts'
import { NETLINK_NETFILTER } from '../../src/netlink/constants.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { encodeBatch } from '../../src/nftables/batch.ts'
import { accept, addChain, addRule, addTable, ctState } from '../../src/nftables/index.ts'

import { toolPath } from '../../test/support/tools.ts'
import { timeUs } from './job.ts'
import type { Contender, Contenders, Unit } from './job.ts'
import { Replay, ReplayScript } from './replay.ts'

type Requests = readonly AnyRequest[]

/** A change of the ruleset, and the way back from it. */
export interface Change {
  /** What is there before. */
  setup: Requests
  /** Timed. Called for each sample: making the requests is part of the work. */
  work(): Requests
  /** How often it is done, each time in a commit of its own; a program is started as often. Default once. */
  times?: number
  /** Back to how it was; not timed. */
  undo: Requests
  /** In the table once the work is done. */
  expects: Counts
  peers(directory: string): Promise<Record<string, Peer>>
}

export interface Counts {
  rules: number
  elements: number
}

/** Another program that does the work, with files that have been written to the directory. */
export interface Peer {
  argv: readonly string[]
  /** Where it writes, if it is another table than `inet bench`. What is in it is then counted, and not compared. */
  table?: 'ip filter'
  /** Instead of the change's own. */
  setup?: (script: ReplayScript) => unknown
  undo?: (script: ReplayScript) => unknown
}

export const nft = toolPath('nft') ?? 'nft'

/** Why the machine cannot do the firewall jobs, if it cannot. */
export const missingNft = (): string | undefined => toolPath('nft') === undefined ? 'the command nft' : undefined

/** Absolute paths; undefined if one is missing. */
export function iptables<const Names extends readonly string[]>(...names: Names): { [Index in keyof Names]: string } | undefined {
  const paths = names.map(toolPath)
  return paths.includes(undefined) ? undefined : paths as { [Index in keyof Names]: string }
}

export const bench = { family: 'inet', table: 'bench' } as const

/** As long as one rule needs it, connection tracking is on: turning it on and off is no part of any job. */
const tracking: Requests = [
  addTable({ family: 'inet', name: 'tracking' }),
  addChain({ family: 'inet', table: 'tracking', name: 'forward', hook: 'forward', priority: 'filter' }),
  addRule({ family: 'inet', table: 'tracking', chain: 'forward', expressions: [ctState('established'), accept()] }),
]

/** The kernel frees what has been deleted in the background. */
const settle = (unit: Unit): Promise<void> => sleep(unit === 'us' ? 2 : 100)

export function openDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'virbr-bench-'))
}

/** Writes a file; its path. */
export async function file(directory: string, name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

export function commitStep(script: ReplayScript, requests: Requests): ReplayScript {
  return script.netlink(NETLINK_NETFILTER, encodeBatch(requests).bytes)
}

export async function openReady(setup: Requests): Promise<Host> {
  const host = await Host.open({ netns: { create: true } })
  await host.firewall.commit(tracking)
  if (setup.length > 0) await host.firewall.commit(setup)
  return host
}

/** The section `setup` with what all namespaces have. */
export function readyScript(setup: Requests): ReplayScript {
  const script = commitStep(new ReplayScript().section('setup'), tracking)
  return setup.length > 0 ? commitStep(script, setup) : script
}

export const netnsOf = (host: Host): string => `/proc/${process.pid}/fd/${host.netnsFd}`

/** What a contender does, step by step. */
interface Actor {
  netns: string
  table: string
  /** Microseconds. */
  work(): Promise<number>
  undo(): Promise<unknown>
  close(): Promise<unknown>
}

export async function openChange(change: Change, unit: Unit): Promise<Contenders | { skip: string }> {
  const missing = missingNft()
  if (missing !== undefined) return { skip: missing }
  const directory = await openDirectory()
  const peers = await change.peers(directory)
  const actors = new Map<string, Actor>([['ours', await openOurs(change)]])
  for (const [name, peer] of [['floor', undefined] as const, ...Object.entries(peers)]) {
    actors.set(name, await openReplay(change, join(directory, String(actors.size)), peer))
  }
  await checkAlike(actors, change.expects)
  const once = async (actor: Actor): Promise<number> => {
    const time = await actor.work()
    await actor.undo()
    await settle(unit)
    return unit === 'ms' ? time / 1000 : time
  }
  // What is over in no time is done some times in a row.
  const contender = (actor: Actor): Contender => async () => {
    const times: number[] = []
    for (let i = 0; i < (unit === 'us' ? 5 : 1); i++) times.push(await once(actor))
    return times
  }
  const [ours, floor, ...others] = [...actors.values()].map(contender) as [Contender, Contender, ...Contender[]]
  return {
    ours, floor,
    peers: Object.fromEntries(Object.keys(peers).map((name, index) => [name, others[index] as Contender])),
    async close() {
      for (const actor of actors.values()) await actor.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function openOurs({ setup, work, undo, times = 1 }: Change): Promise<Actor> {
  const host = await openReady(setup)
  return {
    netns: netnsOf(host),
    table: 'inet bench',
    work: () => timeUs(async () => {
      for (let i = 0; i < times; i++) await host.firewall.commit(work())
    }),
    undo: () => host.firewall.commit(undo),
    close: () => host.close(),
  }
}

/** The C floor, or a program that it starts. */
async function openReplay(change: Change, directory: string, peer: Peer | undefined): Promise<Actor> {
  const script = readyScript(peer?.setup === undefined ? change.setup : [])
  peer?.setup?.(script)
  script.section('work')
  for (let i = 0; i < (change.times ?? 1); i++) {
    if (peer === undefined) commitStep(script, change.work())
    else script.spawn(peer.argv)
  }
  script.section('undo')
  if (peer?.undo === undefined) commitStep(script, change.undo)
  else peer.undo(script)
  const replay = await Replay.start(script.section('ready'), directory)
  await replay.run('ready')
  return {
    netns: replay.netns,
    table: peer?.table ?? 'inet bench',
    work: async () => (await replay.run('work'))['work'] ?? NaN,
    undo: () => replay.run('undo'),
    close: () => replay[Symbol.asyncDispose](),
  }
}

/** Every contender does its work once: nft must list the same in all namespaces, and after the undoing what was there before. */
async function checkAlike(actors: ReadonlyMap<string, Actor>, expects: Counts): Promise<void> {
  let ours: string | undefined
  for (const [name, { netns, table, work, undo }] of actors) {
    const before = await listTable(netns, table)
    await work()
    const done = await listTable(netns, table)
    await undo()
    const { rules, elements } = countsIn(done)
    if (rules !== expects.rules || elements !== expects.elements) {
      throw new Error(`${name} made ${rules} rules, ${elements} elements, not ${expects.rules}, ${expects.elements}`)
    }
    ours ??= done
    if (table === 'inet bench' && done !== ours) throw new Error(`${name} made another table than virbr:\n${difference(ours, done)}`)
    if (done === before || await listTable(netns, table) !== before) throw new Error(`${name} changed nothing, or did not undo it`)
  }
}

function difference(one: string, other: string): string {
  const at = [...one].findIndex((letter, index) => letter !== other[index])
  return [one, other].map(text => text.slice(Math.max(0, at - 100), at + 100)).join('\n')
}

/** By its kind: `rule`, `set`, … */
type Listed = Record<string, { family?: string, table?: string, name?: string, handle?: number, elem?: unknown[] }>

/** A table as `nft -j` lists it, without handles and counters; empty if it is not there. */
export async function listTable(netns: string, table: string): Promise<string> {
  const { stdout } = await promisify(execFile)('nsenter', [`--net=${netns}`, nft, '-s', '-j', 'list', 'ruleset'], { maxBuffer: 1 << 30 })
  const [family, name] = table.split(' ')
  const isOf = (listed: Listed): boolean => Object.entries(listed).some(([kind, object]) =>
    object.family === family && (kind === 'table' ? object.name : object.table) === name)
  const { nftables } = JSON.parse(stdout) as { nftables: Listed[] }
  return nftables.filter(isOf).map(listed => {
    for (const object of Object.values(listed)) delete object.handle
    return JSON.stringify(listed)
  }).join('\n')
}

export function countsIn(listing: string): Counts {
  const objects = listing.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Listed)
  return {
    rules: objects.filter(({ rule }) => rule !== undefined).length,
    elements: objects.flatMap(Object.values).reduce((sum, { elem = [] }) => sum + elem.length, 0),
  }
}
