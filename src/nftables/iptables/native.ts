/** What comparisons of nf_tables say in iptables' words. */
import type { ExpressionOf } from '../expressions.ts'
import type { Said } from './extension.ts'
import type { Range } from './values.ts'

export type Comparison = ExpressionOf<'cmp'> | ExpressionOf<'range'>

/** `==` or `!=` a value; undefined for any other comparison. */
export function equalityOf(comparison: Comparison): Said<Uint8Array> | undefined {
  if (comparison.name !== 'cmp') return undefined
  const { op, data } = comparison.data
  if (data?.value === undefined || (op !== 'eq' && op !== 'neq')) return undefined
  return { not: op === 'neq', value: data.value }
}

/** nft may write a range as two comparisons; `earlier` is what the first of them said. */
export function portRange(comparison: Comparison, earlier: Said<Range> | undefined): Said<Range> | undefined {
  if (comparison.name === 'range') {
    const first = portOf(comparison.data.from?.value)
    const last = portOf(comparison.data.to?.value)
    if (earlier !== undefined || first === undefined || last === undefined) return undefined
    return { not: comparison.data.op === 'neq', value: [first, last] }
  }
  const { op, data } = comparison.data
  const port = portOf(data?.value)
  if (port === undefined) return undefined
  const open = earlier !== undefined && !earlier.not && earlier.value[1] === 0xffff
  if (op === 'lte' && open) return { not: false, value: [earlier.value[0], port] }
  return earlier === undefined ? singlePort(op, port) : undefined
}

function singlePort(op: ExpressionOf<'cmp'>['data']['op'], port: number): Said<Range> | undefined {
  switch (op) {
    case 'eq': case 'neq': return { not: op === 'neq', value: [port, port] }
    case 'gte': return { not: false, value: [port, 0xffff] }
    case 'gt': return { not: false, value: [Math.min(port + 1, 0xffff), 0xffff] }
    case 'lte': return { not: false, value: [0, port] }
    case 'lt': return { not: false, value: [0, Math.max(port - 1, 1)] }
    default: return undefined
  }
}

function portOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 2 ? (bytes[0] ?? 0) << 8 | (bytes[1] ?? 0) : undefined
}

/** A comparison that ends before the NUL matches any rest of the name. */
export function interfaceText(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0)
  return nul < 0 ? `${Buffer.from(bytes).toString()}+` : Buffer.from(bytes.subarray(0, nul)).toString()
}

export function hostNumber(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 4 ? Buffer.from(bytes).readUInt32LE() : undefined
}
