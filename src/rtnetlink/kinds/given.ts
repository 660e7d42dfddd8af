/** Options as callers give them: which table they are of, what is missing, and what of them stands in attributes. */
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import type { Entries, Table } from '../../netlink/table.ts'
import { isAlternativeName } from '../attributes.ts'
import { kindOf, portKinds } from './index.ts'
import type { PortKind } from './index.ts'
import { refersToLink } from './kind.ts'

/** No link has it: what the kernel is told where a name was not looked up. */
const noSuchLink = 0x7fffffff

/** Throws for options that are missing or do not go together when a link of this kind is made. */
export function checkKindOptions(kind: string, options: object): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError(kind, options, 'an object')
  kindOf(kind)?.check?.(options)
}

/** Options as the table has them: links as indices. `field`: the kind, or `port` with the table of the ports' kind. */
export function optionsToWrite(
  field: string, options: object, indices: ReadonlyMap<string, number> = new Map(), table = kindOf(field)?.options,
): object {
  if (typeof options !== 'object' || options === null || table === undefined) return options
  let result = kindOf(field)?.write?.(options) ?? options
  for (const [place, name] of linksNamed(field, options, table)) {
    if (!isAlternativeName(name)) throw new InvalidArgumentError(place, name, 'a link: its name or its index')
    result = { ...result, [place.slice(field.length + 1)]: indices.get(name) ?? noSuchLink }
  }
  return result
}

/** Links that options name, to be looked up: [field, name]. */
export function linksNamed(field: string, options: object | undefined, table = kindOf(field)?.options): [string, string][] {
  const named: [string, string][] = []
  if (typeof options !== 'object' || options === null || table === undefined) return named
  for (const name in options) {
    const value = (options as Record<string, unknown>)[name]
    if (typeof value !== 'string' || !Object.hasOwn(table.entries, name)) continue
    if (refersToLink((table.entries[name] as Entries[string])[1])) named.push([`${field}.${name}`, value])
  }
  return named
}

/**
 * A change of options in full, where the kernel takes what is not said for zero: with those that the link has at present.
 * Other kinds' changes as they are.
 */
export function completeOptions(kind: string, present: object | undefined, change: object): object {
  const { complete, options } = kindOf(kind) ?? {}
  if (complete === undefined || present === undefined || typeof change !== 'object' || change === null) return change
  const { entries } = options as Table<Entries>
  const settable = Object.entries(present).filter(([name]) => Object.hasOwn(entries, name) && entries[name]?.[1].readOnly !== true)
  return complete(Object.fromEntries(settable), change)
}

/** Which kind of port the options are of: that of the master, or the first that has them all. */
export function portKindOf(port: object, masterKind: string | undefined): PortKind {
  if (typeof port !== 'object' || port === null) throw new InvalidArgumentError('port', port, 'an object')
  const names = Object.keys(port).filter(name => name !== 'raw')
  if (masterKind !== undefined) {
    if (Object.hasOwn(portKinds, masterKind)) return masterKind as PortKind
    throw new InvalidArgumentError('port', port, `no options: a port of a ${masterKind} has none that virbr knows`)
  }
  const orders: PortKind[] = ['bridge', 'bond', 'vrf']
  const found = orders.find(kind => names.every(name => Object.hasOwn(portKinds[kind].entries, name)))
  if (found !== undefined) return found
  const all = orders.flatMap(kind => Object.keys(portKinds[kind].entries))
  const wrong = names.find(name => !all.includes(name))
  if (wrong === undefined) throw new InvalidArgumentError('port', port, 'options of one kind of port')
  const accepted = `one of the options ${[...new Set(all)].join(', ')}${didYouMean(wrong, all)}`
  throw new InvalidArgumentError(`port.${wrong}`, (port as Record<string, unknown>)[wrong], accepted)
}
