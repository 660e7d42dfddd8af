/**
 * Taking a network down: what `destroy`, a start that failed, and the repair after a killed process have in common. Works
 * from the record alone and from what is really there; every part may be gone already.
 */
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Step } from '../../binding/index.ts'
import { NetlinkError } from '../netlink/error.ts'
import { failure, firewallReadStep, firewallStep, isFailure, repliesOf, routeStep } from '../host/channel.ts'
import { setSysctlStep } from '../host/sysctl.ts'
import { decodeLink, deleteLink, getLink, listLinks } from '../rtnetlink/links.ts'
import { dnsmasqFiles } from './dnsmasq.ts'
import { readRuleset, removeRequests, rulesetRequests } from './firewall.ts'
import type { NetworkRecord } from './record.ts'
import type { State } from './state.ts'
import { namesIn, readDir } from './store.ts'

/** dnsmasq ends at once on SIGTERM; past this it is killed. */
const dnsmasqEndMs = 5_000
const attempts = 5

/** Under the lock. `phase`: where the record stands now. */
export async function takeDown(state: State, record: NetworkRecord, phase: 'starting' | 'active' | 'stopping'): Promise<void> {
  const { paths } = state
  const file = `${record.name}.json`
  const record_ = join(paths[phase], file)
  const files = dnsmasqFiles(paths, record.name)
  for (let attempt = 1; ; attempt++) {
    const reads = [
      { op: 'readFile', path: files.pid, mayFail: true },
      routeStep([getLink(record.bridge.name), listLinks({ kind: 'bridge', statistics: false })], { mayFail: true }),
      firewallReadStep(rulesetRequests(), { mayFail: true }),
      readDir(paths.active),
      { op: 'readFile', path: paths.ipForward, mayFail: true },
    ] as const
    const [pid, links, ruleset, active, ipForward] = await state.run(reads)
    const [found, bridges = []] = repliesOf(reads[1], links).messages
    const bridge = found?.[0] === undefined ? undefined : decodeLink(found[0])
    const ours = bridge !== undefined && bridge.index === record.bridge.index && bridge.mac === record.bridge.mac
    const last = namesIn(active, '.json').every(name => name === record.name)
    const otherBridges = bridges.map(decodeLink).some(({ index }) => index !== record.bridge.index)
    const rules = readRuleset(repliesOf(reads[2], ruleset).messages)
    const removals = removeRequests(rules, record.uuid)
    const pidNumber = isFailure(pid) ? NaN : Number(Buffer.from(pid).toString())

    const steps: Step[] = [
      ...(phase === 'active' ? [{ op: 'rename', from: record_, to: join(paths.stopping, file), mayFail: true } as const] : []),
      ...(pidNumber > 0 ? [{ op: 'terminate', pid: pidNumber, match: files.conf, timeoutMs: dnsmasqEndMs } as const] : []),
      ...(ours ? [routeStep([deleteLink(record.bridge.index)])] : []),
      // After the bridge: until it is gone the rules are what keeps the outside away from guests.
      ...(removals.length > 0 ? [firewallStep(removals, { generation: rules.generation })] : []),
      ...(last && !isFailure(ipForward) ? forwardingSteps(paths.ipForward, otherBridges) : []),
      ...Object.values(files).map((path): Step => ({ op: 'unlink', path, mayFail: true })),
      { op: 'unlink', path: join(paths[phase === 'active' ? 'stopping' : phase], file), mayFail: true },
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
