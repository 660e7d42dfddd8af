/** What the how-to looks at, read in-process: network list, bridge, addresses, routes, rules, leases. */
import type { Connection, Host } from '../../src/index.ts'
import { formatIptablesList } from '../../src/nftables/index.ts'

/** Columns, aligned, with a heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map(row => (row[column] ?? '').length)))
  return all.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no')

export async function networkList({ networks }: Connection): Promise<string> {
  const rows = await Promise.all((await networks.list()).map(async network => {
    const { active, autostart, persistent } = await network.info()
    return [network.name, active ? 'active' : 'inactive', yesNo(autostart), yesNo(persistent)]
  }))
  return table(['Name', 'State', 'Autostart', 'Persistent'], rows)
}

export async function bridges({ links }: Host): Promise<string> {
  const all = await links.list()
  return table(['bridge name', 'bridge id', 'STP enabled', 'interfaces'], all.filter(({ kind }) => kind === 'bridge').map(bridge => [
    bridge.name,
    String(bridge.bridge?.bridgeId ?? ''),
    yesNo(bridge.bridge?.stp === true),
    all.filter(({ master }) => master === bridge.index).map(({ name }) => name).join(' '),
  ]))
}

export async function addresses({ links, addresses: addressList }: Host): Promise<string> {
  const found = await addressList.list({ family: 4 })
  return table(['link', 'state', 'MAC', 'address', 'RX bytes', 'TX bytes'], (await links.list()).map(link => [
    link.name,
    link.up ? 'up' : 'down',
    link.mac ?? '',
    found.filter(({ index }) => index === link.index).map(({ address }) => address).join(' '),
    String(link.statistics?.rxBytes ?? ''),
    String(link.statistics?.txBytes ?? ''),
  ]))
}

export async function routes({ links, routes: routeList }: Host): Promise<string> {
  const names = new Map((await links.list()).map(({ index, name }) => [index, name]))
  return table(['destination', 'gateway', 'link'], (await routeList.list({ family: 4 })).map(({ to, via, index }) =>
    [to, via ?? '-', names.get(index ?? 0) ?? '-']))
}

/** As `iptables -t TABLE -L -nv` prints it. */
export async function rules({ firewall }: Host, name: 'nat' | 'filter'): Promise<string> {
  const chains = (await firewall.chains({ family: 'ip' })).filter(chain => chain.table === name)
  return formatIptablesList({ table: name, chains, rules: await firewall.rules({ family: 'ip', table: name }) })
}

export async function leases({ networks }: Connection, name: string): Promise<string> {
  const found = await (await networks.get(name)).leases()
  return table(['Expiry Time', 'MAC address', 'IP address', 'Hostname'], found.map(({ expiryTime, mac, ipaddr, prefix, hostname }) =>
    [new Date(expiryTime * 1000).toISOString(), mac ?? '-', `${ipaddr}/${prefix}`, hostname ?? '-']))
}
