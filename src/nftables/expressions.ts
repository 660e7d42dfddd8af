/**
 * The expressions that rules are made of, one table each: attribute names as in linux/netfilter/nf_tables.h, enum
 * values as nft(8) writes them. A new expression is a new entry of the tables in expressions/; those without one are
 * kept as raw bytes.
 */
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

  override encode(writer: Writer, value: Values<typeof expressionEntries>): void {
    const bytes = typeof value === 'object' && value !== null ? sharedBytes.get(value) : undefined
    if (bytes) return writer.bytes(bytes)
    const start = writer.length
    if (!this.#encodeComparison(writer, value as Expression)) super.encode(writer, value)
    if (bytes === null) sharedBytes.set(value, Uint8Array.from(writer.buffer.subarray(start, writer.length)))
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

function countOf(fields: object): number {
  let count = 0
  for (const _ in fields) count++
  return count
}

export const expression: Codec<Expression> = new ExpressionTable(expressionEntries) as unknown as Codec<Expression>

/** Whether it is this expression, in decoded form. */
export function isExpression<N extends ExpressionName>(
  value: { name: string, data?: unknown } | undefined, name: N,
): value is ExpressionOf<N> {
  return value?.name === name && value.data !== undefined && !(value.data instanceof Uint8Array)
}
