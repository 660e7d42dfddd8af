/** What a start has to know of the kernel before it touches it, read in one visit to the Host's thread. */
import { constants } from 'node:os'
import type { ReadFileStep } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import { repliesOf, routeStep } from '../host/channel.ts'
import type { RequestStep } from '../host/channel.ts'
import { sysctlPath } from '../host/sysctl.ts'
import { getLink, listLinks, setLink } from '../rtnetlink/links.ts'
import { decodeLink } from '../rtnetlink/links.ts'
import { listRoutes } from '../rtnetlink/route-lists.ts'
import { decodeRoute } from '../rtnetlink/route-records.ts'
import type { Link } from '../rtnetlink/links.ts'
import type { Route } from '../rtnetlink/route-records.ts'
import { readRuleset, rulesetStep } from './firewall.ts'
import type { Ruleset } from './firewall.ts'
import type { State } from './state.ts'

export interface Facts {
  /** CAP_NET_ADMIN in the namespace. */
  capable: boolean
  /** The link that has the bridge's name, if there is one. */
  bridge: Link | undefined
  routes: Route[]
  ruleset: Ruleset
  /** net.ipv4.ip_forward */
  ipForward: boolean
}

type FactSteps = readonly [RequestStep & { mayFail: true }, RequestStep & { mayFail: true }, RequestStep & { mayFail: true }, ReadFileStep]

/** An index that no link has. */
const noIndex = 0x7fffffff

/** By bridge: the same bytes every time. */
const encoded = new Map<string, FactSteps>()

export function factSteps(bridge: string): FactSteps {
  let steps = encoded.get(bridge)
  if (steps === undefined) {
    if (encoded.size >= 4096) encoded.clear()
    encoded.set(bridge, steps = encodeFactSteps(bridge))
  }
  return steps
}

function encodeFactSteps(bridge: string): FactSteps {
  const mayFail = { mayFail: true } as const
  return [
    // A change of a link that does not exist: EPERM without the capability, else ENODEV, and nothing happens either way.
    { ...routeStep(setLink(noIndex, { up: true }, {})), ...mayFail },
    { ...routeStep([getLink(bridge), listRoutes({ family: 4 })]), ...mayFail },
    rulesetStep(),
    { op: 'readFile', path: sysctlPath('net.ipv4.ip_forward') },
  ]
}

export function readFacts(steps: FactSteps, results: readonly unknown[]): Facts {
  const probe = repliesOf(steps[0], results[0])
  const route = repliesOf(steps[1], results[1])
  const [links = [], routes = []] = route.messages
  const ruleset = repliesOf(steps[2], results[2])
  // Not there: chains, the bridge, and a main table in which nothing has stood yet.
  const { EPERM, ENOENT, ENODEV } = constants.errno
  const capable = probe.errno(0) !== EPERM
  const unreadable = ruleset.firstError(ENOENT) ?? route.firstError(ENOENT, ENODEV)
  if (unreadable !== undefined && capable) throw unreadable
  return {
    capable,
    bridge: links[0] === undefined ? undefined : decodeLink(links[0]),
    routes: routes.map(decodeRoute),
    ruleset: readRuleset(ruleset.messages),
    ipForward: Buffer.from(results[3] as Uint8Array).toString().trim() !== '0',
  }
}

export async function loadFacts(state: State, bridge: string): Promise<Facts> {
  const steps = factSteps(bridge)
  return readFacts(steps, await state.run(steps))
}

export function checkCapable(facts: Pick<Facts, 'capable'>, what: string): void {
  if (!facts.capable) {
    throw new VirbrError('ERR_NO_PERMISSION',
      `${what}: CAP_NET_ADMIN in the network namespace is needed; run as root, or in a user namespace (unshare -Urn)`)
  }
}

/** Names of all links, for choosing a free one. */
export function linkNamesStep(): RequestStep {
  return routeStep([listLinks({ statistics: false })])
}

export function linksOf(step: RequestStep, result: unknown): Link[] {
  return (repliesOf(step, result).messages[0] ?? []).map(decodeLink)
}
