/**
 * The record of a port is in the kernel, as the alias of its link: it outlives the process, goes with the link, is the
 * same for every driver, and `ip link` shows it.
 *
 *     virbr network=6ed0…2c mac=52:54:00:12:34:56 ip=192.168.122.7 hostname=web1
 */

export interface PortRecord {
  /** UUID of the network. */
  network: string
  /** The guest's. */
  mac: string
  ip?: string | undefined
  hostname?: string | undefined
}

/** So long that the alias, of 255 bytes at most (IFALIASZ, linux/if.h), has room for it in any case. */
export const longestHostname = 128

export function formatAlias({ network, mac, ip, hostname }: PortRecord): string {
  const fields = Object.entries({ network, mac, ip, hostname }).filter(([, value]) => value !== undefined)
  return ['virbr', ...fields.map(([name, value]) => `${name}=${value}`)].join(' ')
}

/** Undefined for the alias of somebody else's link. Fields of a later version are passed over. */
export function parseAlias(alias: string | undefined): PortRecord | undefined {
  if (alias?.startsWith('virbr ') !== true) return undefined
  const fields = new Map(alias.split(' ').slice(1).map(field => field.split('=', 2) as [string, string]))
  const network = fields.get('network')
  const mac = fields.get('mac')
  return network === undefined || mac === undefined ? undefined
    : { network, mac, ip: fields.get('ip'), hostname: fields.get('hostname') }
}
