/**
 * Changing a network without restarting it. What is running is compared with what should be, so no section has code of its
 * own. A note in `run/updating` is written first; as long as it is there, whoever finds it puts everything right: back, if
 * the new record is not in its place yet, else forward.
 */
import { join } from 'node:path'
import type { ReadFileStep, Step } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import { firewallStep, repliesOf } from '../host/channel.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { NetworkConfig } from '../network/config.ts'
import { applyUpdate } from '../network/section.ts'
import type { CheckedUpdate, SectionUpdate } from '../network/section.ts'
import { validateNetwork } from '../network/validate.ts'
import { formatNetworkXml } from '../network/xml.ts'
import { liveXml } from './complete.ts'
import type { CompleteConfig } from './complete.ts'
import { needsDnsmasq, prepareDnsmasq } from './dnsmasq.ts'
import { networkRules, readRuleset, replaceRequests, rulesetStep } from './firewall.ts'
import { encodeRecord } from './record.ts'
import type { NetworkRecord } from './record.ts'
import { serve } from './serve.ts'
import { textOf } from './state.ts'
import type { State } from './state.ts'
import { readNetwork, saveConfig, storedNetwork } from './store.ts'
import type { StoredNetwork } from './store.ts'
import { checkSupported } from './supported.ts'

/** What an update of a running network is about to do. */
interface UpdateNote {
  /** The running configuration as it will be. */
  xml: string
  /** The persistent configuration. */
  config?: { before: string, after: string }
}

/** How often the rules are replaced anew when another writer changed the ruleset in between. */
const attempts = 5
const ERESTART = 85

export function noteRead({ paths }: State, name: string): ReadFileStep & { mayFail: true } {
  return { op: 'readFile', path: join(paths.updating, `${name}.json`), mayFail: true }
}

/** Carries out an update, under the lock. Undone completely if it fails. */
export async function updateNetwork(state: State, network: StoredNetwork, wanted: CheckedUpdate, update: SectionUpdate): Promise<void> {
  const { name, active, persistent } = network
  const live = wanted.live || (!wanted.config && active !== undefined)
  const config = wanted.config || (!wanted.live && active === undefined)
  if (live && active === undefined) throw new VirbrError('ERR_NETWORK_INACTIVE', `cannot update network ${name} live: it is not active`)
  if (config && persistent === undefined) {
    throw new VirbrError('ERR_NETWORK_TRANSIENT', `cannot update the persistent configuration of network ${name}: it is transient`)
  }
  const newLive = live && active !== undefined ? changed(state.parse(active.xml), update) : undefined
  const newConfig = config && persistent !== undefined ? formatNetworkXml(changed(persistent.config, update)) : undefined
  if (newLive !== undefined && active !== undefined) {
    await updateRunning(state, active, newLive, newConfig === undefined || persistent === undefined
      ? undefined : { before: persistent.xml, after: newConfig })
  } else if (newConfig !== undefined) {
    await state.run(saveConfig(state, name, newConfig))
  }
}

function changed(config: NetworkConfig, update: SectionUpdate): NetworkConfig {
  const after = applyUpdate(config, update)
  validateNetwork(after)
  checkSupported(after)
  return after
}

async function updateRunning(state: State, before: NetworkRecord, after: NetworkConfig, config: UpdateNote['config']): Promise<void> {
  const { name } = before
  const record: NetworkRecord = { ...before, xml: liveXml(after as CompleteConfig), dnsmasq: needsDnsmasq(after) }
  // What can be refused before anything is touched.
  await prepareDnsmasq(state, after)
  const note: UpdateNote = { xml: record.xml, ...(config === undefined ? {} : { config }) }
  const path = join(state.paths.updating, `${name}.json`)
  await state.run([{ op: 'writeFile', path, data: JSON.stringify(note), mode: 0o644 }])
  try {
    await makeSo(state, record, state.parse(before.xml))
    const draft = join(state.paths.updating, `${name}.draft`)
    await state.run([
      ...(config === undefined ? [] : saveConfig(state, name, config.after)),
      { op: 'writeFile', path: draft, data: encodeRecord(record), mode: 0o644 },
      { op: 'rename', from: draft, to: join(state.paths.active, `${name}.json`) },
      { op: 'unlink', path, mayFail: true },
    ])
  } catch (error) {
    // If that fails too, the note stays for the next connect.
    if (!await settleUpdate(state, name).catch(() => false)) throw error
  }
}

/** Rules and dnsmasq as the record says. `before`: what they are like now, as far as that is known for sure. */
async function makeSo(state: State, record: NetworkRecord, before?: NetworkConfig): Promise<void> {
  const config = state.parse(record.xml) as CompleteConfig
  const dnsmasq = await prepareDnsmasq(state, config)
  const rulesOf = (one: NetworkConfig): string => JSON.stringify(networkRules(one, record.bridge.name))
  if (before === undefined || rulesOf(before) !== rulesOf(config)) await replaceRules(state, config, record.bridge.name)
  await serve(state, record, config, dnsmasq, before === undefined)
}

/** In one transaction: a packet meets the old rules or the new ones. */
async function replaceRules(state: State, config: CompleteConfig, bridge: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const reads = rulesetStep()
    const [result] = await state.run([reads])
    const ruleset = readRuleset(repliesOf(reads, result).messages)
    const requests = replaceRequests(ruleset, config, bridge)
    if (requests.length === 0) return
    try {
      await state.run([firewallStep(requests, { generation: ruleset.generation })])
      return
    } catch (error) {
      if (attempt >= attempts || !(error instanceof NetlinkError) || error.errno !== ERESTART) throw error
    }
  }
}

/** Puts right what an update has left half done, under the lock: back, or, if only the rest was missing, forward (true). */
export async function settleUpdate(state: State, name: string): Promise<boolean> {
  const path = join(state.paths.updating, `${name}.json`)
  const [noteFile, ...files] = await state.run([noteRead(state, name), ...readNetwork(state, name)])
  const note = decodeNote(textOf(noteFile, path))
  const network = storedNetwork(state, name, files)
  const committed = network?.active !== undefined && network.active.xml === note?.xml
  if (note !== undefined && !committed && network?.active !== undefined) await makeSo(state, network.active)
  const drafts = [join(state.paths.updating, `${name}.draft`), join(state.paths.draft, `${name}.xml`)]
  const steps = drafts.map((draft): Step => ({ op: 'unlink', path: draft, mayFail: true }))
  if (note?.config !== undefined) {
    const { before, after } = note.config
    const [from, to] = committed ? [before, after] : [after, before]
    if (network?.persistent?.xml === from) steps.push(...saveConfig(state, name, to))
  }
  await state.run([...steps, { op: 'unlink', path, mayFail: true }])
  return committed
}

/** Undefined for what is no whole note: written by a process that was killed while writing, before it did anything. */
function decodeNote(text: string | undefined): UpdateNote | undefined {
  try {
    const note = JSON.parse(text ?? '') as UpdateNote
    return typeof note.xml === 'string' ? note : undefined
  } catch {
    return undefined
  }
}
