/** What a start has to know of the kernel before it touches it, read in one visit to the Host's thread. */
import { constants } from 'node:os'
import type { ReadFileStep } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import { firewallReadStep, repliesOf, routeStep } from '../host/channel.ts'
import type { RequestStep } from '../host/channel.ts'
import { sysctlPath } from '../host/sysctl.ts'
import { getLink, listLinks, setLink } from '../rtnetlink/links.ts'
import { decodeLink } from '../rtnetlink/links.ts'
import { decodeRoute, listRoutes } from '../rtnetlink/routes.ts'
import type { Link } from '../rtnetlink/links.ts'
import type { Route } from '../rtnetlink/routes.ts'
import { readRuleset, rulesetRequests } from './firewall.ts'
import type { Ruleset } from './firewall.ts'

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

export function factSteps(bridge: string): FactSteps {
  const mayFail = { mayFail: true } as const
  return [
    // A change of a link that does not exist: EPERM without the capability, else ENODEV, and nothing happens either way.
    { ...routeStep(setLink(noIndex, { up: true }, {})), ...mayFail },
    { ...routeStep([getLink(bridge), listRoutes({ family: 4 })]), ...mayFail },
    { ...firewallReadStep(rulesetRequests()), ...mayFail },
    { op: 'readFile', path: sysctlPath('net.ipv4.ip_forward') },
  ]
}

export function readFacts(steps: FactSteps, results: readonly unknown[]): Facts {
  const probe = repliesOf(steps[0], results[0])
  const route = repliesOf(steps[1], results[1])
  const [links = [], routes = []] = route.messages
  const ruleset = repliesOf(steps[2], results[2])
  // ENOENT: chains that are not there, and a main table in which nothing has stood yet.
  const unreadable = [...ruleset.errors, route.errors[1]]
    .find(error => error !== undefined && error.errno !== constants.errno.ENOENT)
  if (unreadable !== undefined && probe.error?.errno !== constants.errno.EPERM) throw unreadable
  return {
    capable: probe.error?.errno !== constants.errno.EPERM,
    bridge: links[0] === undefined ? undefined : decodeLink(links[0]),
    routes: routes.map(decodeRoute),
    ruleset: readRuleset(ruleset.messages),
    ipForward: Buffer.from(results[3] as Uint8Array).toString().trim() !== '0',
  }
}

export function checkCapable(facts: Pick<Facts, 'capable'>, what: string): void {
  if (!facts.capable) {
    throw new VirbrError('ERR_NO_PERMISSION', `${what}: CAP_NET_ADMIN in the network namespace is needed; run as root, or in a user namespace (unshare -Urn)`)
  }
}

/** Names of all links, for choosing a free one. */
export function linkNamesStep(): RequestStep {
  return routeStep([listLinks({ statistics: false })])
}

export function linksOf(step: RequestStep, result: unknown): Link[] {
  return (repliesOf(step, result).messages[0] ?? []).map(decodeLink)
}
