/** The same ruleset by iptables' tools and by us. */
import type { Host } from '../../src/host/host.ts'
import type { IptablesFamily } from '../../src/nftables/iptables/values.ts'
import { run } from '../support/lab.ts'

export const tools = { ip: 'iptables-nft', ip6: 'ip6tables-nft' } as const

/** Without comments, which hold the time. */
export async function savedByTool(host: Host, family: IptablesFamily, ...options: string[]): Promise<string> {
  const output = await run(`${tools[family]}-save`, options, { netns: host.netnsFd })
  return output.replace(/^# (Generated|Completed).*\n/gm, '')
}

/** Without the NUL that the match bpf prints behind a program. */
export async function listedByTool(host: Host, family: IptablesFamily, table: string, ...options: string[]): Promise<string> {
  const output = await run(tools[family], ['-t', table, ...options], { netns: host.netnsFd })
  return output.replaceAll('\0', '')
}

export async function restoreByTool(host: Host, family: IptablesFamily, text: string, ...options: string[]): Promise<void> {
  await run(`${tools[family]}-restore`, options, { netns: host.netnsFd, input: text })
}

/** A text for iptables-restore. `lines`: table, chain, options. */
export function restoreText(lines: readonly string[]): string {
  return [...groupBy(lines)].map(([table, rules]) => [
    `*${table}`, ...(table === 'filter' ? [':USER - [0:0]'] : []), ...rules, 'COMMIT', '',
  ].join('\n')).join('')
}

function groupBy(lines: readonly string[]): Map<string, string[]> {
  const tables = new Map<string, string[]>()
  for (const line of lines) {
    const [table = '', chain = '', ...options] = line.split(' ')
    tables.set(table, [...tables.get(table) ?? [], `-A ${chain} ${options.join(' ')}`])
  }
  return tables
}
