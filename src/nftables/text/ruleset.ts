/** Whole rulesets and their parts in the syntax of nft(8), as `nft -f` reads it. */
import { fieldsOf, listOf } from '../../checks.ts'
import { formatDuration } from '../datatypes.ts'
import type { Chain } from '../chains.ts'
import { expressionsOf } from '../expressions.ts'
import type { Flowtable } from '../flowtables.ts'
import type { Family } from '../messages.ts'
import type { NftObject } from '../objects.ts'
import type { Rule } from '../rules.ts'
import type { Table } from '../tables.ts'
import { decodeUserdata } from '../userdata.ts'
import { nothingKnown } from './dependencies.ts'
import { dataParts, elementsText, keyParts } from './elements.ts'
import { objectLines } from './objects.ts'
import { joined } from './operand.ts'
import type { Parts } from './operand.ts'
import { ruleText } from './rule.ts'
import type { FilledSet } from './rule.ts'
import { simpleStatement } from './simple.ts'

/** A ruleset as it was at one moment; `host.firewall.ruleset()` reads one. */
export interface Ruleset {
  tables: readonly Table[]
  chains: readonly Chain[]
  rules: readonly Rule[]
  sets: readonly FilledSet[]
  objects: readonly NftObject[]
  flowtables: readonly Flowtable[]
}

interface Scope {
  family: Family
  sets: readonly FilledSet[]
  /** By name of a set: what rules look up in it. */
  uses: Map<string, { key: Parts, data: Parts | undefined }>
}

/**
 * A ruleset in nft's own syntax. What nft's language cannot say (extensions of iptables, expressions of later kernels) stands
 * as a comment that names it: such a text, read back, lacks that rule or element.
 */
export function rulesetToNft(ruleset: Ruleset): string {
  for (const part of ['tables', 'chains', 'sets', 'objects', 'flowtables'] as const) {
    listOf(part, fieldsOf('ruleset', ruleset)[part]).forEach((each, index) => { fieldsOf(`${part}[${index}]`, each) })
  }
  listOf('rules', ruleset.rules).forEach((rule, index) => { expressionsOf(rule, `rules[${index}]`) })
  return ruleset.tables.map(table => tableToNft(ruleset, table)).join('\n')
}

/** One rule, without its chain. Undefined if nft's language cannot say it. */
export function ruleToNft(rule: Pick<Rule, 'family' | 'expressions' | 'comment'>, sets: readonly FilledSet[] = []): string | undefined {
  const expressions = expressionsOf(rule)
  listOf('sets', sets)
  const { text } = ruleText(rule.family, expressions, name => sets.find(set => set.name === name))
  return text === undefined ? undefined : withComment(text, rule.comment)
}

function tableToNft(ruleset: Ruleset, table: Table): string {
  const isOf = (each: { family: Family, table: string }): boolean => each.family === table.family && each.table === table.name
  const sets = ruleset.sets.filter(isOf)
  const scope: Scope = { family: table.family, sets, uses: new Map() }
  const rules = ruleset.rules.filter(isOf)
  // Rules first: they tell what the keys of some sets are.
  const chains = ruleset.chains.filter(isOf).map(chain => chainLines(scope, chain, rules.filter(rule => rule.chain === chain.name)))
  const named = sets.filter(set => !set.flags.includes('anonymous'))
  const blocks = [
    ...ruleset.objects.filter(isOf).map(objectLines),
    ...named.map(set => setLines(scope, set)),
    ...ruleset.flowtables.filter(isOf).map(flowtableLines),
    ...chains,
  ]
  const body = [...tableHead(table), ...blocks.flatMap((lines, index) => [...(index === 0 ? [] : ['']), ...lines])]
  return [`table ${table.family} ${table.name} {`, ...body.map(line => line === '' ? '' : `\t${line}`), '}', ''].join('\n')
}

function tableHead({ flags, userdata }: Table): string[] {
  const words = flags.filter(flag => typeof flag === 'string')
  return [...commentLine(userdata), ...(words.length === 0 ? [] : [`flags ${words.join(',')}`])]
}

function commentLine(userdata: Uint8Array | undefined): string[] {
  const comment = userdata === undefined ? undefined : decodeUserdata(userdata).comment
  return comment === undefined ? [] : [`comment "${comment}"`]
}

function chainLines(scope: Scope, chain: Chain, rules: readonly Rule[]): string[] {
  const { name, type, hook, priority, policy, devices, userdata } = chain
  const base = hook === undefined ? [] : [`type ${type} hook ${hook}${devicesText(devices)} priority ${priority ?? 0}; policy ${policy ?? 'accept'};`]
  const lines = [...commentLine(userdata), ...base, ...rules.map(rule => ruleLine(scope, rule))]
  return [`chain ${name} {`, ...lines.map(line => `\t${line}`), '}']
}

function devicesText(devices: readonly string[] | undefined): string {
  if (devices === undefined || devices.length === 0) return ''
  return devices.length === 1 ? ` device "${devices[0]}"` : ` devices = { ${devices.map(name => `"${name}"`).join(', ')} }`
}

function ruleLine(scope: Scope, rule: Rule): string {
  const find = (name: string): FilledSet | undefined => scope.sets.find(set => set.name === name)
  const { text, unknown } = ruleText(scope.family, rule.expressions, find, (set, key, data) => {
    const known = scope.uses.get(set)
    scope.uses.set(set, { key, data: data ?? known?.data })
  })
  return text === undefined ? `# a rule that nft cannot read: ${unknown}, handle ${rule.handle}` : withComment(text, rule.comment)
}

function withComment(text: string, comment: string | undefined): string {
  return comment === undefined ? text : `${text} comment "${comment}"`.trimStart()
}

function setLines(scope: Scope, set: FilledSet): string[] {
  const kind = set.map === undefined ? 'set' : 'map'
  const used = scope.uses.get(set.name)
  const own = keyParts(set)
  const key = own ?? used?.key
  if (key === undefined) return [`# ${kind} ${set.name}: its type is not known to nft's language`]
  const data = dataParts(set) ?? used?.data
  const to = mapTo(set, data)
  const lines = [
    ...(set.comment === undefined ? [] : [`comment "${set.comment}"`]),
    `${own === undefined || (to !== '' && dataParts(set) === undefined && isData(set)) ? 'typeof' : 'type'} ${joined(key)}${to}`,
    ...(set.policy === 'performance' ? [] : [`policy ${set.policy}`]),
    ...(set.size === undefined || set.size === 0 || set.flags.includes('constant') ? [] : [`size ${set.size}`]),
    ...flagsLine(set),
    ...(set.timeoutMs === undefined ? [] : [`timeout ${formatDuration(set.timeoutMs)}`]),
    ...(set.gcIntervalMs === undefined ? [] : [`gc-interval ${formatDuration(set.gcIntervalMs)}`]),
    ...(set.autoMerge === true ? ['auto-merge'] : []),
    ...(set.expressions ?? []).map(each => simpleStatement(each, nothingKnown) ?? `# ${each.name}`),
    ...elementLines(set, key, data),
  ]
  return [`${kind} ${set.name} {`, ...lines.map(line => `\t${line}`), '}']
}

function isData({ map }: FilledSet): boolean {
  return map !== undefined && map !== 'verdict' && !('object' in map)
}

function mapTo(set: FilledSet, data: Parts | undefined): string {
  const { map } = set
  if (map === undefined) return ''
  if (map === 'verdict') return ' : verdict'
  if ('object' in map) return ` : ${String(map.object)}`
  return ` : ${set.mapInterval === true ? 'interval ' : ''}${data === undefined ? '' : joined(data)}`
}

/** Those that nft writes; the others follow from the rest. */
function flagsLine({ flags }: FilledSet): string[] {
  const words = ['constant', 'dynamic', 'interval', 'timeout'].filter(flag => (flags as string[]).includes(flag))
  return words.length === 0 ? [] : [`flags ${words.join(',')}`]
}

function elementLines(set: FilledSet, key: Parts, data: Parts | undefined): string[] {
  if (set.elements === undefined || set.elements.length === 0) return []
  const texts = elementsText(set, set.elements, key, data)
  if (texts === undefined) return ['# elements that nft cannot read']
  return [`elements = { ${texts.join(',\n\t\t\t     ')} }`]
}

function flowtableLines({ name, priority, devices, flags }: Flowtable): string[] {
  const words = flags.filter(flag => flag === 'offload' || flag === 'counter')
  return [
    `flowtable ${name} {`,
    `\thook ingress priority ${priority}`,
    `\tdevices = { ${devices.map(device => `"${device}"`).join(', ')} }`,
    ...(words.includes('offload') ? ['\tflags offload'] : []),
    ...(words.includes('counter') ? ['\tcounter'] : []),
    '}',
  ]
}
