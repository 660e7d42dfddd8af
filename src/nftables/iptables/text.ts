/** The parts of a rule in both of iptables' notations: options, as iptables-save has them, and words, as `iptables -L`. */
import { protocolName } from './protocols.ts'
import { saveOptions } from './extension.ts'
import type { Said } from './extension.ts'
import type { Part, ReadRule } from './read.ts'
import type { Context, IptablesFamily } from './values.ts'

/** `-m NAME OPTIONS`; what iptables has no words for is named only. */
export function matchSave(part: Part, context: Context): string {
  if (part.extension === undefined) return `[nft: ${part.name}]`
  return `-m ${part.name} ${saveOptions(part.extension, part.given, context)}`.trimEnd()
}

/** `-j NAME OPTIONS` or `-g CHAIN`; '' where there is none. */
export function targetSave({ target }: ReadRule, context: Context): string {
  if (target === undefined) return ''
  const { name, goto, part } = target
  const options = part === undefined ? '' : part.extension === undefined ? `[nft: ${name}]` : saveOptions(part.extension, part.given, context)
  return `${goto ? '-g' : '-j'} ${name} ${options}`.trimEnd()
}

/** As `iptables -L` has it, with the space before it; '' for nothing. */
export function partList(part: Part | undefined, context: Context): string {
  if (part === undefined) return ''
  if (part.extension === undefined) return ` [nft: ${part.name}]`
  const text = part.extension.list(part.given, context)
  return text === '' || part.extension.listGlued === true ? text : ` ${text}`
}

/** A rule's options between chain and target, each a part; `counters`: `-c PACKETS BYTES` behind them. */
export function ruleSave(family: IptablesFamily, read: ReadRule, counters = false): string {
  const option = (name: string, said: Said<string> | undefined): string =>
    (said === undefined ? '' : `${said.not ? '! ' : ''}${name} ${said.value}`)
  const { protocol, fragment } = read
  const context = { family }
  return [
    option('-s', read.source),
    option('-d', read.destination),
    option('-i', read.in),
    option('-o', read.out),
    protocol === undefined ? '' : option('-p', { not: protocol.not, value: protocolName(protocol.value) }),
    fragment === undefined ? '' : fragment.not ? '! -f' : '-f',
    ...read.matches.map(part => matchSave(part, context)),
    counters ? `-c ${read.counters.packets} ${read.counters.bytes}` : '',
    targetSave(read, context),
  ].filter(part => part !== '').join(' ')
}
