/** Starting a network: the plan as data, then one visit to the Host's thread that carries it out. */
import { randomInt } from 'node:crypto'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { SpawnResult, Step } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import { failure, firewallStep, routeStep } from '../host/channel.ts'
import { setSysctlStep } from '../host/sysctl.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { PreparedBatch } from '../nftables/batch.ts'
import type { NetworkConfig } from '../network/config.ts'
import { ipSubnet, routeSubnet } from '../network/subnets.ts'
import { newAddress } from '../rtnetlink/addresses.ts'
import { newLink, setLink } from '../rtnetlink/links.ts'
import { newRoute } from '../rtnetlink/routes.ts'
import { checkRoutes } from './collisions.ts'
import type { CompleteConfig } from './complete.ts'
import { liveXml } from './complete.ts'
import { dnsmasqFailure, dnsmasqFiles, needsDnsmasq, prepareDnsmasq, startDnsmasq } from './dnsmasq.ts'
import type { Dnsmasq } from './dnsmasq.ts'
import { checkCapable, loadFacts } from './facts.ts'
import type { Facts } from './facts.ts'
import { installBatch, missingKey } from './firewall.ts'
import { encodeRecord } from './record.ts'
import type { NetworkRecord } from './record.ts'
import type { State } from './state.ts'
import { takeDown } from './teardown.ts'
import { eventSteps } from './watch.ts'

/**
 * Bridges get an index of our choice, so that link, address and routes need no round trip in between, and a bridge that
 * somebody else made under our name is told from ours. Above what kernels hand out, within 16 bits for old tools.
 */
const bridgeIndices = [10_000, 65_535] as const

/** How often a start begins anew when another writer changed the ruleset, or took the index, in between. */
const attempts = 5

/** What can be refused before anything is touched. */
export function checkStart(config: CompleteConfig, facts: Facts): void {
  const what = `start network ${config.name}`
  checkCapable(facts, what)
  const { bridge, routes } = facts
  if (bridge !== undefined) {
    const kind = bridge.kind === undefined ? '' : ` (${bridge.kind})`
    throw new VirbrError('ERR_BRIDGE_IN_USE', `${what}: there is already a link ${bridge.name}${kind}`)
  }
  checkRoutes(config, routes, index => (index === undefined ? 'no link' : `link ${index}`))
}

/** A start as steps. Everything but the ruleset's generation is the same each time, so plans are kept. */
interface StartPlan {
  /** What the plan was made for; another key, another plan. */
  key: string
  record: NetworkRecord
  steps: Step[]
  /** Rules, and the position of the step that commits them. */
  rules: { batch: PreparedBatch, position: number } | undefined
  /** Position of the step that starts dnsmasq. */
  spawn: number | undefined
}

/** What a start does, in order. The record is written before the kernel is touched, and moved when all is done. */
function makePlan(state: State, config: CompleteConfig, facts: Facts, dnsmasq: Dnsmasq | undefined, key: string): StartPlan {
  const { paths } = state
  const record = newRecord(state, config)
  const { bridge } = record
  const batch = installBatch(facts.ruleset, config, bridge.name)
  const forwarding = config.forward !== undefined && !facts.ipForward
  const before: Step[] = [
    { op: 'writeFile', path: join(paths.starting, `${config.name}.json`), data: encodeRecord(record), mode: 0o644 },
    ...(forwarding ? [{ op: 'writeFile', path: paths.ipForward, data: '0\n', mode: 0o644 } as const] : []),
    routeStep(newLink({
      name: bridge.name, kind: 'bridge', index: bridge.index, mac: bridge.mac,
      ...(config.mtu === undefined ? {} : { mtu: config.mtu.size }),
      bridge: { forwardDelayMs: config.bridge.delay * 1000, stp: config.bridge.stp },
    }, {})),
    ...ipv6Steps(bridge.name),
  ]
  const after: Step[] = [
    routeStep([
      ...addressRequests(config, bridge.index),
      ...setLink(bridge.index, { up: true }),
      ...routeRequests(config, bridge.index),
    ]),
    ...(forwarding ? [setSysctlStep('net.ipv4.ip_forward', 1)] : []),
    ...(dnsmasq === undefined ? [] : startDnsmasq(dnsmasq, config, bridge.name, dnsmasqFiles(paths, config.name))),
  ]
  const steps = [...before, ...(batch === undefined ? [] : [firewallStep(batch)]), ...after]
  const spawn = dnsmasq === undefined ? undefined : steps.length - 1
  // A dnsmasq that failed ends with a status, which is no failure of the step: the record is moved once it is looked at.
  if (spawn === undefined) steps.push(activate(state, config.name))
  return { key, record, steps, rules: batch === undefined ? undefined : { batch, position: before.length }, spawn }
}

const plans = new WeakMap<State, WeakMap<CompleteConfig, StartPlan>>()

/** The last plan for a configuration, if nothing that it depends on has changed. */
function planFor(state: State, config: CompleteConfig, facts: Facts, dnsmasq: Dnsmasq | undefined): StartPlan {
  const key = `${missingKey(facts.ruleset)} ${facts.ipForward} ${dnsmasq?.program}`
  let known = plans.get(state)
  if (known === undefined) plans.set(state, known = new WeakMap())
  const last = known.get(config)
  if (last?.key === key) return last
  const plan = makePlan(state, config, facts, dnsmasq, key)
  known.set(config, plan)
  return plan
}

function activate({ paths }: State, name: string): Step {
  return { op: 'rename', from: join(paths.starting, `${name}.json`), to: join(paths.active, `${name}.json`) }
}

/** Without an IPv6 address the bridge takes no part in IPv6, and never learns routes from guests. */
function ipv6Steps(bridge: string): Step[] {
  const conf = (name: string): string => `net/ipv6/conf/${bridge}/${name}`
  return [
    // A kernel without IPv6 has none of the three.
    { ...setSysctlStep(conf('disable_ipv6'), 1), mayFail: true },
    { ...setSysctlStep(conf('accept_ra'), 0), mayFail: true },
    { ...setSysctlStep(conf('autoconf'), 0), mayFail: true },
  ]
}

function addressRequests(config: NetworkConfig, index: number): ReturnType<typeof newAddress>[] {
  return (config.ip ?? []).map(ip => {
    const { address, prefix, broadcast } = ipSubnet(ip)
    return newAddress(index, `${address}/${prefix}`, broadcast === undefined ? {} : { broadcast })
  })
}

function routeRequests(config: NetworkConfig, index: number): ReturnType<typeof newRoute>[] {
  return (config.route ?? []).map(route => {
    const { network, prefix } = routeSubnet(route)
    // libvirt's default metric, where the kernel's would be 0.
    return newRoute({ to: `${network}/${prefix}`, via: route.gateway, index, metric: route.metric ?? 1 })
  })
}

function newRecord(state: State, config: CompleteConfig): NetworkRecord {
  return {
    version: 1,
    name: config.name,
    uuid: config.uuid,
    xml: liveXml(config),
    bridge: { name: config.bridge.name, index: randomInt(...bridgeIndices), mac: config.mac.address },
    netns: state.netns,
    bootId: state.bootId,
    dnsmasq: needsDnsmasq(config),
  }
}

/** Carries out a start, under the lock. Undone completely if it fails. */
export async function startNetwork(state: State, config: CompleteConfig, facts: Facts): Promise<void> {
  for (let attempt = 1, now = facts; ; attempt++) {
    checkStart(config, now)
    const plan = planFor(state, config, now, await prepareDnsmasq(state, config))
    const error = await carryOut(state, plan, now.ruleset.generation)
    if (error === undefined) return
    plans.get(state)?.delete(config)
    await takeDown(state, plan.record, 'starting')
    if (attempt >= attempts || !isRace(error)) throw error
    now = await loadFacts(state, config.bridge.name)
  }
}

async function carryOut(state: State, plan: StartPlan, generation: number): Promise<Error | undefined> {
  const { rules, spawn, record } = plan
  const steps = rules === undefined ? plan.steps : plan.steps.with(rules.position, firewallStep(rules.batch, { generation }))
  const { results, failed } = await state.channel.exec(steps)
  if (failed !== undefined) return failure(steps[failed.step] as Step, failed, results[failed.step])
  const events = eventSteps(state, 'started', record)
  if (spawn === undefined) {
    await state.run(events)
    return undefined
  }
  const result = results[spawn] as unknown as SpawnResult
  if (result.status !== 0) return dnsmasqFailure(record.name, result)
  await state.run([activate(state, record.name), ...events])
  return undefined
}

/** Another writer was faster: the ruleset's generation is another, the index or the name is taken. */
function isRace(error: Error): boolean {
  const { ERESTART, EBUSY, EEXIST } = { ERESTART: 85, ...constants.errno }
  return error instanceof NetlinkError && [ERESTART, EBUSY, EEXIST].includes(error.errno)
}
