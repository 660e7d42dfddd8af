/**
 * The expressions that rules are made of, one table each: attribute names as in linux/netfilter/nf_tables.h, enum
 * values as nft(8) writes them. A new expression is a new entry of the tables in expressions/; those without one are
 * kept as raw bytes.
 */
import { fieldsOf, listOf } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { copyOf } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { Table, dependent } from '../netlink/table.ts'
import type { TableValues, Values } from '../netlink/table.ts'
import { Writer } from '../netlink/writer.ts'
import { name } from './codecs.ts'
import * as c from './constants.ts'
import { loadTables } from './expressions/loads.ts'
import { operationTables } from './expressions/operations.ts'
import { statefulTables } from './expressions/stateful.ts'
import { statementTables } from './expressions/statements.ts'

export { verdicts } from './codecs.ts'
export type { StatefulExpression } from './expressions/stateful.ts'

const expressionTables = { ...operationTables, ...loadTables, ...statefulTables, ...statementTables } as const

type Tables = typeof expressionTables
export type ExpressionName = keyof Tables
export type ExpressionData<N extends ExpressionName> = TableValues<Tables[N]>

/** An expression that a table describes. */
export type KnownExpression = { [N in ExpressionName]: { name: N, data: ExpressionData<N> } }[ExpressionName]
export type ExpressionOf<N extends ExpressionName> = Extract<KnownExpression, { name: N }>
/** Any other, as the kernel wrote it. */
export interface RawExpression {
  name: string
  data?: Uint8Array | undefined
}
/** Rules may share one, and those that many have are frozen: to change it, copy it. */
export type Expression = KnownExpression | RawExpression

const expressionEntries = {
  name: [c.NFTA_EXPR_NAME, name],
  data: [c.NFTA_EXPR_DATA, dependent('name', expressionTables)],
} as const

/** Expressions that are shared, and their bytes once they have been needed. */
const sharedBytes = new WeakMap<object, Uint8Array | null>()

/**
 * An expression that stands in rule after rule just as it is (`meta iifname => reg 1`, `accept`): made once, frozen, and
 * encoded once. Rules by the thousand consist of such, for the most part.
 */
export function shared<E extends Expression>(expression: E): E {
  freeze(expression)
  sharedBytes.set(expression, null)
  return expression
}

function freeze(value: object): void {
  // Bytes cannot be frozen.
  if (value instanceof Uint8Array) return
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part as object)
  Object.freeze(value)
}

class ExpressionTable extends Table<typeof expressionEntries> {
  /** Comparisons of register 1 with zeros, by the length of these. */
  readonly #comparisons = new Map<number, Uint8Array>()
  /** Expressions that have been read, and are likely to be read again, by a hash of their bytes. */
  readonly #readComparisons = new Map<number, { head: Uint8Array, length: number } & Pick<ExpressionData<'cmp'>, 'sreg' | 'op'>>()
  readonly #read = new Map<number, { bytes: Uint8Array, value: Values<typeof expressionEntries> }>()

  override encode(writer: Writer, value: Values<typeof expressionEntries>): void {
    const bytes = typeof value === 'object' && value !== null ? sharedBytes.get(value) : undefined
    if (bytes) return writer.bytes(bytes)
    const start = writer.length
    if (!this.#encodeComparison(writer, value as Expression)) super.encode(writer, value)
    if (bytes === null) sharedBytes.set(value, Uint8Array.from(writer.buffer.subarray(start, writer.length)))
  }

  override decode(bytes: Buffer, start: number, end: number): Values<typeof expressionEntries> {
    const comparison = this.#readComparison(bytes, start, end)
    if (comparison !== undefined) return comparison
    const hash = hashOf(bytes, start, end)
    const known = this.#read.get(hash)
    if (known !== undefined && areSame(bytes, start, end, known.bytes)) return known.value
    const value = super.decode(bytes, start, end)
    if (isExpression(value as Expression, 'cmp')) this.#learnComparison(bytes, start, end, value as ExpressionOf<'cmp'>)
    else if (known === undefined && this.#read.size < mostRead && isCommon(value as Expression)) {
      freeze(value)
      this.#read.set(hash, { bytes: copyOf(bytes, start, end), value })
    }
    return value
  }

  /** A comparison of which all but the value has been read before. */
  #readComparison(bytes: Buffer, start: number, end: number): ExpressionOf<'cmp'> | undefined {
    // The name stands first: `cmp`.
    if (end - start <= comparisonHead || bytes[start + 4] !== 0x63 || bytes[start + 5] !== 0x6d) return undefined
    const valueAt = start + comparisonHead
    const known = this.#readComparisons.get(hashOf(bytes, start, valueAt))
    if (known === undefined || !areSame(bytes, start, valueAt, known.head)) return undefined
    const { sreg, op, length } = known
    if (valueAt + ((length + 3) & ~3) !== end) return undefined
    return { name: 'cmp', data: { sreg, op, data: { value: copyOf(bytes, valueAt, valueAt + length) } } }
  }

  #learnComparison(bytes: Buffer, start: number, end: number, { data: { sreg, op, data } }: ExpressionOf<'cmp'>): void {
    const valueAt = start + comparisonHead
    const length = data?.value?.length
    if (length === undefined || valueAt + ((length + 3) & ~3) !== end || this.#readComparisons.size >= mostRead) return
    this.#readComparisons.set(hashOf(bytes, start, valueAt), { head: copyOf(bytes, start, valueAt), sreg, op, length })
  }

  /** What is not shared of most rules: `cmp eq reg 1 VALUE`, which differs in its last bytes only. False: it is something else. */
  #encodeComparison(writer: Writer, value: Expression): boolean {
    if (!isExpression(value, 'cmp')) return false
    const { sreg, op, data } = value.data
    const bytes = data?.value
    if (sreg !== c.NFT_REG_1 || op !== 'eq' || !(bytes instanceof Uint8Array)) return false
    if (countOf(value) !== 2 || countOf(value.data) !== 3 || countOf(data as object) !== 1) return false
    const { length } = bytes
    let template = this.#comparisons.get(length)
    if (template === undefined) {
      const zeros = new Writer()
      super.encode(zeros, { name: 'cmp', data: { sreg, op, data: { value: new Uint8Array(length) } } })
      template = Uint8Array.from(zeros.finish())
      this.#comparisons.set(length, template)
    }
    writer.bytes(template)
    const at = writer.length - ((length + 3) & ~3)
    for (let i = 0; i < length; i++) writer.buffer[at + i] = bytes[i] as number
    return true
  }
}

const mostRead = 1000

/** Bytes of a comparison before its value: the attributes of its name, register and operator, and what the value stands in. */
const comparisonHead = 36

/** Loads, masks and verdicts come again in rule after rule; what they are compared with, and counters, do not. */
function isCommon(value: Expression): boolean {
  if (isExpression(value, 'immediate')) return value.data.dreg === c.NFT_REG_VERDICT && value.data.data?.verdict?.chain === undefined
  return commonNames.has(value.name)
}
const commonNames = new Set(['meta', 'payload', 'ct', 'bitwise', 'byteorder', 'fib', 'rt', 'masq', 'notrack'])

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let at = start; at < end; at++) hash = Math.imul(hash, 31) + (bytes[at] as number) | 0
  return hash
}

function areSame(bytes: Uint8Array, start: number, end: number, others: Uint8Array): boolean {
  if (others.length !== end - start) return false
  for (let at = start; at < end; at++) if (bytes[at] !== others[at - start]) return false
  return true
}

function countOf(fields: object): number {
  let count = 0
  for (const _ in fields) count++
  return count
}

export const expression: Codec<Expression> = new ExpressionTable(expressionEntries) as unknown as Codec<Expression>

/** Whether it is this expression, in decoded form. */
export function isExpression<N extends ExpressionName>(
  value: { name: string, data?: unknown } | null | undefined, name: N,
): value is ExpressionOf<N> {
  return value?.name === name && typeof value.data === 'object' && value.data !== null && !(value.data instanceof Uint8Array)
}

/** Those of a rule, each an object with a name. */
export function expressionsOf<E extends { name: string }>(rule: { expressions: readonly E[] }, field = 'rule'): readonly E[] {
  const { expressions } = fieldsOf(field, rule)
  listOf(`${field}.expressions`, expressions).forEach((each, index) => { checkExpression(`${field}.expressions[${index}]`, each) })
  return expressions
}

export function checkExpression(field: string, value: { name: string } | null | undefined): void {
  if (typeof value?.name !== 'string') throw new InvalidArgumentError(field, value, 'an expression: an object with a name and data')
}
