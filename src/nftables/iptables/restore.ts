/** The format of iptables-save, read: tables with their chains and rules, for `host.iptables.restore`. */
import { InvalidArgumentError } from '../../errors.ts'
import { parseIptablesCommand } from './parse.ts'
import type { IptablesCommand } from './commands.ts'
import type { IptablesFamily } from './values.ts'

export interface RestoreTable {
  table: string
  chains: { name: string, policy: 'ACCEPT' | 'DROP' | undefined, counters?: { packets: number, bytes: number } }[]
  commands: IptablesCommand[]
}

/** `counters`: those of rules and of built-in chains count, as with `iptables-restore -c`. Errors name the line. */
export function parseIptablesRestore(
  text: string, { family = 'ip', counters = false }: { family?: IptablesFamily | undefined, counters?: boolean | undefined } = {},
): RestoreTable[] {
  if (typeof text !== 'string') throw new InvalidArgumentError('text', text, 'a text in the format of iptables-save')
  const tables: RestoreTable[] = []
  let open: RestoreTable | undefined
  for (const [index, whole] of text.split('\n').entries()) {
    const line = whole.trim()
    const where = `line ${index + 1}`
    if (line === '' || line.startsWith('#')) continue
    const table = /^\*(\S+)$/.exec(line)?.[1]
    if (table !== undefined) {
      if (open !== undefined) throw new InvalidArgumentError(where, line, `COMMIT before the next table`)
      tables.push(open = { table, chains: [], commands: [] })
    } else if (open === undefined) throw new InvalidArgumentError(where, line, 'a table, like *filter')
    else if (line === 'COMMIT') open = undefined
    else if (line.startsWith(':')) open.chains.push(parseChain(line, where, counters))
    else open.commands.push(parseLine(line, where, open.table, family, counters))
  }
  if (open !== undefined) throw new InvalidArgumentError('text', `*${open.table}`, 'COMMIT at the end of every table')
  return tables
}

function parseChain(line: string, where: string, counters: boolean): RestoreTable['chains'][number] {
  const [, name = '', policy = '', packets, bytes] = /^:(\S+) (ACCEPT|DROP|-)(?: \[(\d+):(\d+)\])?$/.exec(line) ?? []
  if (name === '') throw new InvalidArgumentError(where, line, 'a chain like :INPUT ACCEPT [0:0] or :NAME - [0:0]')
  const counted = counters && packets !== undefined ? { counters: { packets: Number(packets), bytes: Number(bytes) } } : {}
  return { name, policy: policy === '-' ? undefined : policy as 'ACCEPT' | 'DROP', ...counted }
}

function parseLine(line: string, where: string, table: string, family: IptablesFamily, counters: boolean): IptablesCommand {
  const counted = /^\[(\d+):(\d+)\]\s+(.*)$/s.exec(line)
  try {
    const command = parseIptablesCommand(counted?.[3] ?? line, { family, table })
    if (command.table !== table) throw new InvalidArgumentError('-t', command.table, `no other table than ${table}`)
    return counters && counted !== null ? { ...command, counters: { packets: Number(counted[1]), bytes: Number(counted[2]) } } : command
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new InvalidArgumentError(`${where}: ${error.field}`, error.value, error.accepted)
  }
}
