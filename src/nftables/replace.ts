/** Whole tables and chains anew, in one batch: every packet meets the old rules or the new ones. */
import { fieldsOf, listOf } from '../checks.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { addChain, flushChain } from './chains.ts'
import type { AddChain } from './chains.ts'
import { refOf } from './messages.ts'
import { addRule } from './rules.ts'
import type { AddRule } from './rules.ts'
import { addTable, deleteTable } from './tables.ts'
import type { AddTable } from './tables.ts'

/** A table with what `requests` put into it, and nothing that was in it before. Whether there was one does not matter. */
export function replaceTable(table: AddTable, requests: readonly AnyRequest[]): AnyRequest[] {
  const { family, name } = refOf('table', table)
  // Deleting a table that is not there fails, so there is one first.
  return [addTable({ family, name }), deleteTable({ family, name }), addTable(table), ...listOf('requests', requests)]
}

/** A chain with these rules alone. The chain itself stays, so jumps to it do, and its handle. */
export function replaceChain(chain: AddChain, rules: readonly Omit<AddRule, 'family' | 'table' | 'chain'>[]): AnyRequest[] {
  const { family, table, name } = refOf('chain', chain)
  return [addChain(chain), flushChain(chain), ...listOf('rules', rules).map(rule => addRule({ family, table, chain: name, ...fieldsOf('rule', rule) }))]
}
