/** The commands of iptables(8), and its options that belong to no extension. */
import type { Counters, IptablesRule } from './rule.ts'

export type CommandName =
  | 'append' | 'insert' | 'replace' | 'delete' | 'check' | 'newChain' | 'deleteChain' | 'renameChain' | 'flush' | 'policy' | 'zero'

export interface IptablesCommand {
  command: CommandName
  table: string
  /** Left out for `-F`, `-X` and `-Z` of all chains. */
  chain?: string | undefined
  /** Of a rule, from 1. */
  number?: number | undefined
  /** More than one where `-s` or `-d` list addresses. */
  rules: IptablesRule[]
  counters?: Counters | undefined
  policy?: 'ACCEPT' | 'DROP' | undefined
  newName?: string | undefined
}

/** Letters and names of commands, and what follows: `C` a chain, `c` perhaps one, `n` perhaps a number, `N` a number, `p`, `e`. */
export const commands: Readonly<Record<string, readonly [CommandName, string]>> = {
  '-A': ['append', 'C'], '--append': ['append', 'C'],
  '-I': ['insert', 'Cn'], '--insert': ['insert', 'Cn'],
  '-R': ['replace', 'CN'], '--replace': ['replace', 'CN'],
  '-D': ['delete', 'Cn'], '--delete': ['delete', 'Cn'],
  '-C': ['check', 'C'], '--check': ['check', 'C'],
  '-N': ['newChain', 'C'], '--new-chain': ['newChain', 'C'], '--new': ['newChain', 'C'],
  '-X': ['deleteChain', 'c'], '--delete-chain': ['deleteChain', 'c'],
  '-E': ['renameChain', 'Ce'], '--rename-chain': ['renameChain', 'Ce'],
  '-F': ['flush', 'c'], '--flush': ['flush', 'c'],
  '-P': ['policy', 'Cp'], '--policy': ['policy', 'Cp'],
  '-Z': ['zero', 'cn'], '--zero': ['zero', 'cn'],
}

/** Options of the rule itself. */
export const general: Readonly<Record<string, string>> = {
  '-p': 'protocol', '--protocol': 'protocol', '--proto': 'protocol',
  '-s': 'source', '--source': 'source', '--src': 'source',
  '-d': 'destination', '--destination': 'destination', '--dst': 'destination',
  '-i': 'in', '--in-interface': 'in', '-o': 'out', '--out-interface': 'out',
}
/** Options that change how iptables works, not what it does. */
export const ignored = ['-w', '--wait', '-v', '--verbose', '-n', '--numeric', '-4', '--ipv4', '-6', '--ipv6']
