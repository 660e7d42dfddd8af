/** Reading and writing of persistent configurations and of records. Steps for the Host's thread; no file access here. */
import { join } from 'node:path'
import type { ReadDirStep, ReadFileStep, Step } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import { isFailure } from '../host/channel.ts'
import type { NetworkConfig } from '../network/config.ts'
import { decodeRecord } from './record.ts'
import type { NetworkRecord } from './record.ts'
import { textOf } from './state.ts'
import type { State } from './state.ts'

/** Everything that is written down of one network. */
export interface StoredNetwork {
  name: string
  uuid: string
  /** The persistent configuration, as text and parsed. */
  persistent: { xml: string, config: NetworkConfig } | undefined
  /** The running network. */
  active: NetworkRecord | undefined
  autostart: boolean
}

type MayFail<S> = S & { mayFail: true }

function readFile(path: string): MayFail<ReadFileStep> {
  return { op: 'readFile', path, mayFail: true }
}

export function readDir(path: string): MayFail<ReadDirStep> {
  return { op: 'readDir', path, mayFail: true }
}

type ReadNetwork = readonly [MayFail<ReadFileStep>, MayFail<ReadFileStep>, MayFail<ReadFileStep>]

/** What to read for one network; `storedNetwork` makes sense of the results. */
export function readNetwork({ paths }: State, name: string): ReadNetwork {
  return [
    readFile(join(paths.networks, `${name}.xml`)),
    readFile(join(paths.active, `${name}.json`)),
    readFile(join(paths.autostart, `${name}.xml`)),
  ]
}

export function storedNetwork(state: State, name: string, results: readonly unknown[]): StoredNetwork | undefined {
  const [configFile, recordFile, autostartFile] = results
  const xml = textOf(configFile, join(state.paths.networks, `${name}.xml`))
  const record = textOf(recordFile, join(state.paths.active, `${name}.json`))
  const persistent = xml === undefined ? undefined : { xml, config: state.parse(xml) }
  const active = record === undefined ? undefined : decodeRecord(Buffer.from(record))
  const uuid = persistent?.config.uuid ?? active?.uuid
  if (uuid === undefined) return undefined
  return { name, uuid, persistent, active, autostart: !isFailure(autostartFile) }
}

export function noNetwork(name: string): VirbrError {
  return new VirbrError('ERR_NO_NETWORK', `no network with name or UUID ${JSON.stringify(name)}`)
}

/** One network by name. Rejects with ERR_NO_NETWORK. */
export async function loadNetwork(state: State, name: string): Promise<StoredNetwork> {
  const stored = storedNetwork(state, name, await state.run(readNetwork(state, name)))
  if (stored === undefined) throw noNetwork(name)
  return stored
}

/** All networks, sorted by name. Two visits to the Host's thread however many there are. */
export async function loadNetworks(state: State): Promise<StoredNetwork[]> {
  const listings = await state.run([readDir(state.paths.networks), readDir(state.paths.active)])
  const names = new Set<string>()
  for (const file of namesIn(listings[0], '.xml')) names.add(file)
  for (const file of namesIn(listings[1], '.json')) names.add(file)
  const sorted = [...names].sort()
  const results = await state.run(sorted.flatMap((name): Step[] => [...readNetwork(state, name)]))
  return sorted.flatMap((name, index) => storedNetwork(state, name, results.slice(index * 3, index * 3 + 3)) ?? [])
}

/** Names of a listing that end in `suffix`, without it; none for a directory that is not there. */
export function namesIn(listing: unknown, suffix: string): string[] {
  if (!Array.isArray(listing)) return []
  return (listing as string[]).filter(file => file.endsWith(suffix)).map(file => file.slice(0, -suffix.length))
}

/** Writes a persistent configuration so that a reader, or a crash, finds the old one or the new one. */
export function saveConfig({ paths }: State, name: string, xml: string): Step[] {
  const draft = join(paths.draft, `${name}.xml`)
  return [
    { op: 'writeFile', path: draft, data: xml, mode: 0o644, sync: true },
    { op: 'rename', from: draft, to: join(paths.networks, `${name}.xml`), sync: true },
  ]
}

export function removeConfig({ paths }: State, name: string): Step[] {
  return [
    { op: 'unlink', path: join(paths.autostart, `${name}.xml`), mayFail: true },
    { op: 'unlink', path: join(paths.networks, `${name}.xml`) },
  ]
}
