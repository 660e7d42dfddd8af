/**
 * Taking a network down: what `destroy`, a start that failed, and the repair after a killed process have in common. Works
 * from the record alone and from what is really there; every part may be gone already.
 */
import { constants } from 'node:os'
import { join } from 'node:path'
import type { ReadDirStep, ReadFileStep, Step } from '../../binding/index.ts'
import { NetlinkError } from '../netlink/error.ts'
import { failure, firewallStep, isFailure, repliesOf, routeStep } from '../host/channel.ts'
import type { RequestStep } from '../host/channel.ts'
import { setSysctlStep } from '../host/sysctl.ts'
import { decodeLink, deleteLink, listLinks } from '../rtnetlink/links.ts'
import { dnsmasqFiles } from './dnsmasq.ts'
import { readRuleset, removeRequests, rulesetStep } from './firewall.ts'
import type { NetworkRecord } from './record.ts'
import { dnsmasqEndMs } from './serve.ts'
import type { State } from './state.ts'
import { namesIn, readDir } from './store.ts'
import { eventSteps } from './watch.ts'

const attempts = 5

export type Phase = 'starting' | 'active' | 'stopping'

type MayFail<S> = S & { mayFail: true }
export type TakeDownReads = readonly [MayFail<ReadFileStep>, MayFail<RequestStep>, MayFail<RequestStep>, ReadDirStep, MayFail<ReadFileStep>]

/** What there is to be taken down. */
export function takeDownReads({ paths }: State, name: string): TakeDownReads {
  return [
    { op: 'readFile', path: dnsmasqFiles(paths, name).pid, mayFail: true },
    bridgesStep(),
    rulesetStep(),
    readDir(paths.active),
    { op: 'readFile', path: paths.ipForward, mayFail: true },
  ]
}

let encodedBridges: MayFail<RequestStep> | undefined

function bridgesStep(): MayFail<RequestStep> {
  encodedBridges ??= { ...routeStep([listLinks({ kind: 'bridge', statistics: false })]), mayFail: true }
  return encodedBridges
}

/** Under the lock. `phase`: where the record stands now. `found`: results of `takeDownReads`, if they are at hand. */
export async function takeDown(state: State, record: NetworkRecord, phase: Phase, found?: readonly unknown[]): Promise<void> {
  const { paths } = state
  const file = `${record.name}.json`
  const files = dnsmasqFiles(paths, record.name)
  for (let attempt = 1; ; attempt++) {
    const reads = takeDownReads(state, record.name)
    const [pid, links, ruleset, active, ipForward] = attempt === 1 && found !== undefined ? found : await state.run(reads)
    const bridges = (repliesOf(reads[1], links).messages[0] ?? []).map(decodeLink)
    const ours = bridges.find(({ name, index, mac }) =>
      name === record.bridge.name && index === record.bridge.index && mac === record.bridge.mac)
    const last = namesIn(active, '.json').every(name => name === record.name)
    const otherBridges = bridges.some(bridge => bridge !== ours)
    const rules = readRuleset(repliesOf(reads[2], ruleset).messages)
    const removals = removeRequests(rules, record.uuid)
    const pidNumber = isFailure(pid) ? NaN : Number(Buffer.from(pid as Uint8Array).toString())

    const steps: Step[] = [
      ...(phase === 'active'
        ? [{ op: 'rename', from: join(paths.active, file), to: join(paths.stopping, file), mayFail: true } as const] : []),
      ...(pidNumber > 0 ? [{ op: 'terminate', pid: pidNumber, match: files.conf, timeoutMs: dnsmasqEndMs } as const] : []),
      ...(ours !== undefined ? [routeStep([deleteLink(record.bridge.index)])] : []),
      // After the bridge: until it is gone the rules are what keeps the outside away from guests.
      ...(removals.length > 0 ? [firewallStep(removals, { generation: rules.generation })] : []),
      ...(last && !isFailure(ipForward) ? forwardingSteps(paths.ipForward, otherBridges) : []),
      ...Object.values(files).map((path): Step => ({ op: 'unlink', path, mayFail: true })),
      { op: 'unlink', path: join(paths[phase === 'active' ? 'stopping' : phase], file), mayFail: true },
      ...(phase === 'starting' ? [] : eventSteps(state, 'stopped', record)),
    ]
    const { results, failed } = await state.channel.exec(steps)
    if (failed === undefined) return
    const error = failure(steps[failed.step] as Step, failed, results[failed.step])
    if (attempt >= attempts || !(error instanceof NetlinkError) || !isRace(error)) throw error
    if (phase === 'active') return takeDown(state, record, 'stopping')
  }
}

/** Puts ip_forward back, unless another bridge is there that may have come to rely on it. */
function forwardingSteps(path: string, otherBridges: boolean): Step[] {
  return [
    ...(otherBridges ? [] : [setSysctlStep('net.ipv4.ip_forward', 0)]),
    { op: 'unlink', path, mayFail: true },
  ]
}

/** Somebody else changed what we read a moment ago, or removed it first. */
function isRace({ errno }: NetlinkError): boolean {
  const { ENOENT, ENODEV, EBUSY } = constants.errno
  return [85, ENOENT, ENODEV, EBUSY].includes(errno)
}
