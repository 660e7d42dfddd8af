/**
 * The expressions that rules are made of, one table each: attribute names as in linux/netfilter/nf_tables.h, enum
 * values as nft(8) writes them. A new expression is a new entry of the tables in expressions/; those without one are
 * kept as raw bytes.
 */
import type { Codec } from '../netlink/codecs.ts'
import { attributes, dependent } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
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

export const expression: Codec<Expression> = attributes({
  name: [c.NFTA_EXPR_NAME, name],
  data: [c.NFTA_EXPR_DATA, dependent('name', expressionTables)],
}) as unknown as Codec<Expression>

/** Whether it is this expression, in decoded form. */
export function isExpression<N extends ExpressionName>(
  value: { name: string, data?: unknown } | undefined, name: N,
): value is ExpressionOf<N> {
  return value?.name === name && value.data !== undefined && !(value.data instanceof Uint8Array)
}
