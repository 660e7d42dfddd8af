/**
 * What is wrong with a batch by itself, before the kernel is asked: refusing a batch costs the kernel milliseconds, and its
 * reasons are short. What the batch does not make is left to the kernel, unless it is known (`KnownChains`).
 */
import { listOf } from '../checks.ts'
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import { NLM_F_EXCL } from '../netlink/constants.ts'
import type { AnyRequest } from '../netlink/message.ts'
import * as c from './constants.ts'
import { isExpression } from './expressions.ts'
import type { Expression } from './expressions.ts'
import { messageType, nfgenmsg } from './messages.ts'
import type { NftRequest } from './messages.ts'
import { lengthOf } from './vocabulary/parts.ts'

/** Chains that exist, by `family table`: what a read has found. Jumps to others are refused then. */
export type KnownChains = ReadonlyMap<string, ReadonlySet<string>>

interface Chain {
  /** Of a base chain. */
  type: string | undefined
  hook: number | undefined
  jumps: { to: string, path: string }[]
  nat: { name: string, path: string }[]
}

interface KnownSet {
  keyLength: number
  data: 'none' | 'verdict' | 'object' | number
}

interface TableState {
  chains: Map<string, Chain>
  sets: Map<string, KnownSet>
  /** Everything in it is made by this batch. */
  whole: boolean
  /** Chains that are there already, where known. */
  others: ReadonlySet<string>
}

const is = Object.fromEntries(Object.entries({
  newTable: c.NFT_MSG_NEWTABLE, delTable: c.NFT_MSG_DELTABLE, newChain: c.NFT_MSG_NEWCHAIN, delChain: c.NFT_MSG_DELCHAIN,
  newRule: c.NFT_MSG_NEWRULE,
  newSet: c.NFT_MSG_NEWSET, delSet: c.NFT_MSG_DELSET, newElement: c.NFT_MSG_NEWSETELEM,
}).map(([name, message]) => [name, messageType(message)]))

type Attributes = Record<string, unknown> & { table?: string, name?: string }

/** Throws InvalidArgumentError for the first thing that cannot be; paths begin with `requests[…]`. */
export function checkBatch(requests: readonly AnyRequest[], known?: KnownChains): void {
  const tables = new Map<string, TableState>()
  listOf('requests', requests).forEach((request, index) => { look(tables, checkRequest(request as NftRequest, index), `requests[${index}]`, known) })
  for (const [key, table] of tables) {
    checkJumps(key, table, known !== undefined)
    checkLoops(table)
    checkNat(table)
  }
}

function checkRequest(request: NftRequest | null | undefined, index: number): NftRequest {
  if (request?.format?.header === nfgenmsg && typeof request.operation === 'string') return request
  throw new InvalidArgumentError(`requests[${index}]`, request, 'a request of nf_tables, as addRule and the like return it')
}

function look(tables: Map<string, TableState>, request: NftRequest, path: string, known: KnownChains | undefined): void {
  const attributes = request.attributes as Attributes
  const isTable = request.type === is.newTable || request.type === is.delTable
  const name = isTable ? attributes.name : attributes.table
  if (typeof name !== 'string') return
  const key = `${String((request.header as { family?: unknown }).family)} ${name}`
  if (request.type === is.delTable) {
    tables.set(key, { chains: new Map(), sets: new Map(), whole: true, others: new Set() })
    return
  }
  let table = tables.get(key)
  if (table === undefined) {
    table = { chains: new Map(), sets: new Map(), whole: known !== undefined && !known.has(key), others: known?.get(key) ?? new Set() }
    tables.set(key, table)
  }
  if (request.type === is.newTable && (request.flags & NLM_F_EXCL) !== 0) table.whole = true
  else if (request.type === is.newChain) lookChain(table, attributes)
  else if (request.type === is.delChain) table.chains.delete(attributes.name ?? '')
  else if (request.type === is.newSet) lookSet(table, attributes)
  else if (request.type === is.delSet) table.sets.delete(attributes.name ?? '')
  else if (request.type === is.newElement) lookElements(table, attributes, path)
  else if (request.type === is.newRule) lookRule(table, request, attributes, path)
}

function chainOf(table: TableState, name: string): Chain {
  let chain = table.chains.get(name)
  if (chain === undefined) {
    chain = { type: undefined, hook: undefined, jumps: [], nat: [] }
    table.chains.set(name, chain)
  }
  return chain
}

/** Chains that rules are added to but that the batch does not make. */
const made = new WeakSet<Chain>()

function lookChain(table: TableState, { name = '', type, hook }: Attributes): void {
  const chain = chainOf(table, name)
  made.add(chain)
  if (hook === undefined) return
  chain.type = String(type)
  chain.hook = (hook as { number?: number }).number
}

function lookSet(table: TableState, { name = '', keyLength, dataType, dataLength, objectType }: Attributes): void {
  const data = objectType !== undefined ? 'object' : dataType === c.NFT_DATA_VERDICT ? 'verdict' : dataType === undefined ? 'none' : Number(dataLength)
  table.sets.set(name, { keyLength: Number(keyLength), data })
}

type ElementList = { key?: { value?: Uint8Array }, data?: { verdict?: { code?: unknown, chain?: string } } }[]

function lookElements(table: TableState, { set, elements }: Attributes, path: string): void {
  if (!Array.isArray(elements)) return
  const found = table.sets.get(String(set))
  const chain = chainOf(table, `@${String(set)}`)
  made.add(chain)
  ;(elements as ElementList).forEach(({ key, data }, index) => {
    const length = key?.value?.length
    if (found !== undefined && length !== undefined && length !== found.keyLength) {
      throw new InvalidArgumentError(`${path}.elements[${index}]`, `${length} bytes`, `a key of ${found.keyLength} bytes, as the set ${String(set)} has`)
    }
    const target = data?.verdict?.chain
    if (typeof target === 'string') chain.jumps.push({ to: target, path: `${path}.elements[${index}]` })
  })
}

const natNames = new Set(['nat', 'masq', 'redir'])

function lookRule(table: TableState, request: NftRequest, attributes: Attributes, path: string): void {
  const chain = chainOf(table, String(attributes.chain))
  const expressions = attributes.expressions as Expression[]
  if (expressions.length > 128) throw new InvalidArgumentError(`${path}.expressions`, expressions.length, 'at most 128 expressions in a rule')
  expressions.forEach((expression, at) => {
    const { name: kind } = expression
    if (kind !== 'immediate' && kind !== 'lookup' && !natNames.has(kind)) return
    const here = `${path}.expressions[${at}]`
    if (natNames.has(kind)) {
      const name = isExpression(expression, 'nat') ? String(expression.data.type) : expression.name === 'masq' ? 'masquerade' : 'redirect'
      chain.nat.push({ name, path: here })
    }
    const verdict = isExpression(expression, 'immediate') ? expression.data.data?.verdict : undefined
    if (typeof verdict?.chain === 'string') chain.jumps.push({ to: verdict.chain, path: here })
    if (isExpression(expression, 'lookup') && expression.data.dreg === 0) chain.jumps.push({ to: `@${expression.data.set ?? ''}`, path: here })
  })
  for (const { at, set } of request.anonymous ?? []) {
    for (const { data } of set.elements) {
      if (typeof data?.verdict?.chain === 'string') chain.jumps.push({ to: data.verdict.chain, path: `${path}.expressions[${at}]` })
    }
  }
  for (const { at, expects } of request.lookups ?? []) checkLookup(table, expressions[at], expects, `${path}.expressions[${at}]`)
}

function checkLookup(
  table: TableState, expression: Expression | undefined, expects: NonNullable<NftRequest['lookups']>[number]['expects'], path: string,
): void {
  const data = expression?.data as { set?: string, setName?: string } | undefined
  const name = data?.set ?? data?.setName
  const set = name === undefined ? undefined : table.sets.get(name)
  if (set === undefined) return
  const wanted = lengthOf(expects.key)
  const types = expects.key.map(({ type }) => type).join(' . ')
  if (set.keyLength !== wanted) throw new InvalidArgumentError(path, `@${name ?? ''}`, `a set whose key has ${wanted} bytes, for ${types}, not ${set.keyLength}`)
  if (isExpression(expression, 'objref')) {
    if (set.data !== 'object') throw new InvalidArgumentError(path, `@${name ?? ''}`, 'a map to objects')
    return
  }
  if (isExpression(expression, 'dynset')) return
  if (expects.data === undefined && isExpression(expression, 'lookup') && expression.data.dreg === undefined) return
  if (expects.data === 'verdict' && set.data !== 'verdict') throw new InvalidArgumentError(path, `@${name ?? ''}`, 'a map to verdicts')
  if (Array.isArray(expects.data) && set.data === 'verdict') throw new InvalidArgumentError(path, `@${name ?? ''}`, 'a map to values, not verdicts')
}

function checkJumps(key: string, { chains, whole, others }: TableState, known: boolean): void {
  for (const { jumps } of chains.values()) {
    for (const { to, path } of jumps) {
      if (to.startsWith('@')) continue
      const target = chains.get(to)
      if (target !== undefined && made.has(target)) {
        if (target.hook !== undefined) throw new InvalidArgumentError(path, to, 'a regular chain: packets enter base chains by their hook')
        continue
      }
      if (others.has(to) || (!whole && !known)) continue
      const names = [...others, ...[...chains].filter(([name, chain]) => made.has(chain) && !name.startsWith('@')).map(([name]) => name)]
      throw new InvalidArgumentError(path, to, `a chain of the table ${key}: ${names.join(', ') || 'it has none'}${didYouMean(to, names)}`)
    }
  }
}

/** The kernel's NFT_JUMP_STACK_SIZE. */
const DEEPEST = 16

function checkLoops({ chains }: TableState): void {
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[], path: string): void => {
    const named = name.startsWith('@') ? trail : [...trail, name]
    if (trail.includes(name)) throw new InvalidArgumentError(path, name, `no way back to where it came from: ${named.join(' → ')}`)
    if (named.length > DEEPEST + 1) throw new InvalidArgumentError(path, name, `at most ${DEEPEST} jumps one inside the other`)
    if (done.has(name)) return
    for (const { to, path: next } of chains.get(name)?.jumps ?? []) visit(to, named, next)
    done.add(name)
  }
  for (const name of chains.keys()) visit(name, [], '')
}

const natHooks: Readonly<Record<string, readonly number[]>> = {
  masquerade: [c.NF_INET_POST_ROUTING],
  snat: [c.NF_INET_POST_ROUTING, c.NF_INET_LOCAL_IN],
  dnat: [c.NF_INET_PRE_ROUTING, c.NF_INET_LOCAL_OUT],
  redirect: [c.NF_INET_PRE_ROUTING, c.NF_INET_LOCAL_OUT],
}
const hookNames = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress']

/** NAT statements stand in chains of type nat, or in chains that only those jump to. */
function checkNat({ chains }: TableState): void {
  for (const base of chains.values()) {
    if (base.hook === undefined) continue
    const seen = new Set<Chain>()
    const visit = (chain: Chain): void => {
      if (seen.has(chain)) return
      seen.add(chain)
      for (const { name, path } of chain.nat) checkNatAt(base, name, path)
      for (const { to } of chain.jumps) {
        const next = chains.get(to)
        if (next !== undefined) visit(next)
      }
    }
    visit(base)
  }
}

function checkNatAt({ type, hook = 0 }: Chain, name: string, path: string): void {
  if (type !== 'nat') throw new InvalidArgumentError(path, name, `a chain of type nat for ${name}, not ${String(type)}`)
  const accepted = natHooks[name] ?? []
  if (accepted.includes(hook)) return
  const at = hookNames[hook] ?? String(hook)
  throw new InvalidArgumentError(path, name, `${name} at hook ${accepted.map(number => hookNames[number]).join(' or ')}, not ${at}`)
}
