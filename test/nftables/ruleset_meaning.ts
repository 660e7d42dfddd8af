/** What a ruleset means: everything but handles, and names of sets that have none of their own. */
import type { Expression } from '../../src/nftables/expressions.ts'
import type { Ruleset } from '../../src/nftables/text/ruleset.ts'

export function meaning(ruleset: Ruleset): Record<string, unknown> & { rules: unknown[] } {
  const anonymous = new Map(ruleset.sets.filter(({ flags }) => flags.includes('anonymous'))
    .map(set => [`${set.table} ${set.name}`, set]))
  const expressionOf = (table: string, each: Expression): unknown => {
    const data = each.data as Record<string, unknown> | undefined
    const set = anonymous.get(`${table} ${String(data?.['set'])}`)
    if (set === undefined) return each
    const { keyType, dataType, flags, elements = [] } = set
    return { ...each, data: { ...data, set: { keyType, dataType, flags, elements: sorted(elements) } } }
  }
  return {
    tables: ruleset.tables.map(({ family, name, flags }) => ({ family, name, flags })),
    chains: ruleset.chains.map(({ handle: _handle, use: _use, counters: _counters, userdata: _userdata, ...chain }) => chain),
    rules: ruleset.rules.map(({ family, table, chain, expressions, comment }) =>
      ({ family, table, chain, comment, expressions: expressions.map(each => expressionOf(table, each)) })),
    sets: ruleset.sets.filter(({ flags }) => !flags.includes('anonymous'))
      .map(({ handle: _handle, userdata: _userdata, count: _count, ...set }) => ({
      ...set, elements: sorted((set.elements ?? []).map(({ expirationMs: _expiration, ...element }) => element)),
    })).sort((a, b) => a.name < b.name ? -1 : 1),
    objects: ruleset.objects.map(({ handle: _handle, use: _use, userdata: _userdata, ...object }) => object)
      .sort((a, b) => a.name < b.name ? -1 : 1),
    flowtables: ruleset.flowtables,
  }
}

function sorted(elements: readonly unknown[]): string[] {
  return elements.map(element => JSON.stringify(element)).sort()
}
