/**
 * A network's rules: those of libvirt's iptables backend, in iptables-nft's own tables, so that an accept is final for
 * whoever drops forwarded packets there (Docker, ufw), and the iptables tools show them. Chains are our own; libvirt's are
 * never touched. Every rule carries the network's UUID in its userdata, by which it is found again exactly.
 */
import { firewallReadStep } from '../host/channel.ts'
import type { RequestStep } from '../host/channel.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { prepareBatch } from '../nftables/batch.ts'
import type { PreparedBatch } from '../nftables/batch.ts'
import { addChain, decodeChain, deleteChain, listChains } from '../nftables/chains.ts'
import type { Chain } from '../nftables/chains.ts'
import { decodeGeneration, getGeneration } from '../nftables/generation.ts'
import { iptablesRule } from '../nftables/iptables/rule.ts'
import type { IptablesRule } from '../nftables/iptables/rule.ts'
import { addRule, decodeRule, deleteRule, jumpTarget, listRules } from '../nftables/rules.ts'
import type { Rule } from '../nftables/rules.ts'
import { addTable, decodeTable, deleteTable, listTables } from '../nftables/tables.ts'
import { ownerTag } from '../nftables/userdata.ts'
import type { NetworkConfig } from '../network/config.ts'
import { ipSubnet } from '../network/subnets.ts'
import type { CompleteConfig } from './complete.ts'

const family = 'ip'

interface BaseChain {
  table: string
  name: string
  type: 'filter' | 'nat'
  hook: 'input' | 'output' | 'forward' | 'postrouting'
  priority: number
  /** Our chains that it jumps to, in this order. */
  jumps: readonly string[]
}

/** iptables' base chains and what hangs below them. Priorities: linux/netfilter_ipv4.h. */
const baseChains: readonly BaseChain[] = [
  { table: 'filter', name: 'INPUT', type: 'filter', hook: 'input', priority: 0, jumps: ['VIRBR_INP'] },
  { table: 'filter', name: 'OUTPUT', type: 'filter', hook: 'output', priority: 0, jumps: ['VIRBR_OUT'] },
  { table: 'filter', name: 'FORWARD', type: 'filter', hook: 'forward', priority: 0, jumps: ['VIRBR_FWX', 'VIRBR_FWI', 'VIRBR_FWO'] },
  { table: 'nat', name: 'POSTROUTING', type: 'nat', hook: 'postrouting', priority: 100, jumps: ['VIRBR_PRT'] },
  { table: 'mangle', name: 'POSTROUTING', type: 'filter', hook: 'postrouting', priority: -150, jumps: ['VIRBR_PRT'] },
]
const tables = [...new Set(baseChains.map(({ table }) => table))]
const ourChains = baseChains.flatMap(({ table, jumps }) => jumps.map(name => ({ table, name })))

/** Marks tables and base chains that this driver made, so that it can take them away again with the last network. */
const madeHere = ownerTag(Buffer.from('virbr made this.'))

export interface NetworkRule extends IptablesRule {
  table: string
  chain: string
}

/** A network's rules in the order of insertion, each at the head of its chain: the last one inserted matches first. */
export function networkRules(config: NetworkConfig, bridge: string): NetworkRule[] {
  const mode = config.forward === undefined ? 'isolated' : config.forward.mode ?? 'nat'
  if (mode === 'open') return []
  const ips = config.ip ?? []
  return [
    ...(ips.some(({ dhcp }) => dhcp !== undefined) ? [checksumRule(bridge)] : []),
    ...serviceRules(bridge, ips.some(({ tftp }) => tftp !== undefined)),
    { table: 'filter', chain: 'VIRBR_FWO', in: bridge, target: { REJECT: { rejectWith: 'icmp-port-unreachable' } } },
    { table: 'filter', chain: 'VIRBR_FWI', out: bridge, target: { REJECT: { rejectWith: 'icmp-port-unreachable' } } },
    { table: 'filter', chain: 'VIRBR_FWX', in: bridge, out: bridge, target: 'ACCEPT' },
    ...ips.flatMap((ip): NetworkRule[] => {
      const { network, prefix } = ipSubnet(ip)
      const subnet = `${network}/${prefix}`
      if (mode === 'nat') return [...forwardRules(config, bridge, subnet, ['RELATED', 'ESTABLISHED']), ...natRules(config, subnet)]
      return mode === 'route' ? forwardRules(config, bridge, subnet, undefined) : []
    }),
  ]
}

/** Some DHCP clients drop replies whose UDP checksum the host left to its network card. */
function checksumRule(bridge: string): NetworkRule {
  return { table: 'mangle', chain: 'VIRBR_PRT', out: bridge, protocol: 'udp', dport: 68, target: { CHECKSUM: { checksumFill: true } } }
}

/** DHCP, DNS and, if wanted, TFTP between guests and the host. */
function serviceRules(bridge: string, tftp: boolean): NetworkRule[] {
  const rule = (direction: 'in' | 'out', protocol: 'tcp' | 'udp', dport: number): NetworkRule => ({
    table: 'filter', chain: direction === 'in' ? 'VIRBR_INP' : 'VIRBR_OUT', [direction]: bridge, protocol, dport, target: 'ACCEPT',
  })
  return [
    rule('in', 'tcp', 67), rule('in', 'udp', 67), rule('out', 'tcp', 68), rule('out', 'udp', 68),
    rule('in', 'tcp', 53), rule('in', 'udp', 53), rule('out', 'tcp', 53), rule('out', 'udp', 53),
    ...(tftp ? [rule('in', 'udp', 69), rule('out', 'udp', 69)] : []),
  ]
}

function forwardRules(config: NetworkConfig, bridge: string, subnet: string, ctState: IptablesRule['ctState']): NetworkRule[] {
  const dev = config.forward?.dev
  return [
    { table: 'filter', chain: 'VIRBR_FWO', source: subnet, in: bridge, ...(dev === undefined ? {} : { out: dev }), target: 'ACCEPT' },
    {
      table: 'filter', chain: 'VIRBR_FWI', destination: subnet, ...(dev === undefined ? {} : { in: dev }), out: bridge,
      ...(ctState === undefined ? {} : { ctState }), target: 'ACCEPT',
    },
  ]
}

/** Masquerading, except to the subnet itself, its multicast and its broadcast. */
function natRules(config: NetworkConfig, subnet: string): NetworkRule[] {
  const { nat, dev } = config.forward ?? {}
  const { start, end } = nat?.port ?? { start: 1024, end: 65535 }
  const target = (ports?: [number, number]): IptablesRule['target'] => nat?.address === undefined
    ? { MASQUERADE: { toPorts: ports } }
    : { SNAT: { toSource: { addresses: [nat.address.start, nat.address.end], ports } } }
  const rule = (rest: Omit<IptablesRule, 'source' | 'out' | 'family'>): NetworkRule => ({
    table: 'nat', chain: 'VIRBR_PRT', source: subnet, ...(dev === undefined ? {} : { out: dev }), ...rest,
  })
  return [
    rule({ destination: { not: subnet }, target: target() }),
    rule({ destination: { not: subnet }, protocol: 'udp', target: target([start, end]) }),
    rule({ destination: { not: subnet }, protocol: 'tcp', target: target([start, end]) }),
    rule({ destination: '255.255.255.255', target: 'RETURN' }),
    rule({ destination: '224.0.0.0/24', target: 'RETURN' }),
  ]
}

/** What the tables hold that matters here, of one generation of the ruleset. */
export interface Ruleset {
  generation: number
  tables: { name: string, madeHere: boolean }[]
  chains: Chain[]
  /** Of base chains and of our chains. */
  rules: Rule[]
}

let encodedReads: (RequestStep & { mayFail: true }) | undefined

/** The reads behind a `Ruleset`. Chains that are not there answer ENOENT. */
export function rulesetStep(): RequestStep & { mayFail: true } {
  encodedReads ??= { ...firewallReadStep([
    getGeneration(),
    listTables({ family }),
    listChains({ family }),
    ...[...baseChains, ...ourChains].map(({ table, name }) => listRules({ family, table, chain: name })),
  ]), mayFail: true }
  return encodedReads
}

export function readRuleset([generation = [], foundTables = [], chains = [], ...rules]: Message[][]): Ruleset {
  return {
    generation: generation[0] === undefined ? 0 : decodeGeneration(generation[0]),
    tables: foundTables.map(decodeTable).map(({ name, userdata }) => ({ name, madeHere: isMadeHere(userdata) })),
    chains: chains.map(decodeChain).filter(({ table }) => tables.includes(table)),
    rules: rules.flat().map(decodeRule),
  }
}

function isMadeHere(userdata: Uint8Array | undefined): boolean {
  return userdata !== undefined && Buffer.compare(userdata, madeHere) === 0
}

interface Missing {
  tables: string[]
  bases: BaseChain[]
  chains: { table: string, name: string }[]
  jumps: { base: BaseChain, target: string }[]
}

function missingFrom({ tables: found, chains, rules }: Ruleset): Missing {
  const hasChain = ({ table, name }: { table: string, name: string }): boolean =>
    chains.some(chain => chain.table === table && chain.name === name)
  const hasJump = (base: BaseChain, target: string): boolean => rules.some(rule =>
    rule.table === base.table && rule.chain === base.name && jumpTarget(rule) === target)
  return {
    tables: tables.filter(name => !found.some(table => table.name === name)),
    bases: baseChains.filter(base => !hasChain(base)),
    chains: ourChains.filter(chain => !hasChain(chain)),
    jumps: baseChains.flatMap(base => base.jumps.toReversed().filter(target => !hasJump(base, target)).map(target => ({ base, target }))),
  }
}

/** What decides the batch besides the configuration. */
export function missingKey(ruleset: Ruleset): string {
  const { tables: missingTables, bases, chains, jumps } = missingFrom(ruleset)
  return [
    ...missingTables,
    ...[...bases, ...chains].map(({ table, name }) => `${table} ${name}`),
    ...jumps.map(({ base, target }) => `${base.table} ${base.name} ${target}`),
  ].join(',')
}

/** Tables, chains, jumps as far as they are missing, then the network's rules: one batch. Undefined if there are none. */
export function installBatch(ruleset: Ruleset, config: CompleteConfig, bridge: string): PreparedBatch | undefined {
  const rules = networkRules(config, bridge)
  if (rules.length === 0) return undefined
  return prepareBatch(installRequests(missingFrom(ruleset), rules, config.uuid))
}

function installRequests(missing: Missing, rules: readonly NetworkRule[], uuid: string): AnyRequest[] {
  const owner = ownerTag(uuidBytes(uuid))
  return [
    ...missing.tables.map(name => addTable({ family, name, userdata: madeHere })),
    ...missing.bases.map(({ table, name, type, hook, priority }) =>
      addChain({ family, table, name, type, hook, priority, userdata: madeHere })),
    ...missing.chains.map(({ table, name }) => addChain({ family, table, name })),
    ...missing.jumps.map(({ base: { table, name }, target }) => addRule({
      family, table, chain: name, insert: true, expressions: iptablesRule({ family, target: { jump: target } }),
    })),
    ...rules.map(({ table, chain, ...rule }) => addRule({
      family, table, chain, insert: true, expressions: iptablesRule({ family, ...rule }), userdata: owner,
    })),
  ]
}

/** A network's rules anew, at the head of their chains, in place of those that it has: one batch. Empty if it has none. */
export function replaceRequests(ruleset: Ruleset, config: CompleteConfig, bridge: string): AnyRequest[] {
  const rules = networkRules(config, bridge)
  return [
    ...rulesOf(ruleset, config.uuid).map(deleteOf),
    ...(rules.length === 0 ? [] : installRequests(missingFrom(ruleset), rules, config.uuid)),
  ]
}

/**
 * Takes a network's rules away, and with the last network the chains, and tables and base chains that this driver made
 * and nobody else uses.
 */
export function removeRequests(ruleset: Ruleset, uuid: string): AnyRequest[] {
  const going = rulesOf(ruleset, uuid)
  const requests = going.map(deleteOf)
  if (going.length < ruleset.rules.filter(isInOurChains).length) return requests

  const jumps = ruleset.rules.filter(rule => baseChains.some(base => isJumpOf(base, rule)))
  const chains = ruleset.chains.filter(({ table, name }) => ourChains.some(ours => ours.table === table && ours.name === name))
  const bases = ruleset.chains.filter(chain => isMadeHere(chain.userdata) && chain.policy === 'accept' &&
    ruleset.rules.every(rule => rule.table !== chain.table || rule.chain !== chain.name || jumps.includes(rule)))
  const gone = [...chains, ...bases]
  const emptied = ruleset.tables.filter(({ name, madeHere: ours }) => ours &&
    ruleset.chains.every(chain => chain.table !== name || gone.includes(chain)))
  return [
    ...requests,
    ...jumps.map(deleteOf),
    ...gone.map(({ table, name }) => deleteChain({ family, table, name, nonRecursive: true })),
    ...emptied.map(({ name }) => deleteTable({ family, name, nonRecursive: true })),
  ]
}

function isInOurChains(rule: Rule): boolean {
  return ourChains.some(({ table, name }) => rule.table === table && rule.chain === name)
}

/** A network's own. */
function rulesOf({ rules }: Ruleset, uuid: string): Rule[] {
  const owner = ownerTag(uuidBytes(uuid))
  return rules.filter(rule => isInOurChains(rule) && rule.userdata !== undefined && Buffer.compare(rule.userdata, owner) === 0)
}

function isJumpOf(base: BaseChain, rule: Rule): boolean {
  return rule.table === base.table && rule.chain === base.name && base.jumps.includes(jumpTarget(rule) ?? '')
}

function deleteOf({ table, chain, handle }: Rule): AnyRequest {
  return deleteRule({ family, table, chain, handle })
}

function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}
