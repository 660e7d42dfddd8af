/** A real DHCP client, udhcpc, for a guest. What the server offers is applied through virbr. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from './lab.ts'

export interface Offer {
  ip: string
  /** Prefix length. */
  mask: number
  router: string
  dns: string
}

/** udhcpc calls a script with the lease in its environment; this one keeps what `bound` brings. */
const bound = `#!/bin/sh
[ "$1" = bound ] && printf '{"ip":"%s","mask":%s,"router":"%s","dns":"%s"}' "$ip" "$mask" "$router" "$dns" > "$0.lease"
exit 0
`

export async function takeAddress(guest: Machine, link: string, directory: string): Promise<Offer> {
  const script = join(directory, `${guest.name}.sh`)
  await writeFile(script, bound, { mode: 0o755 })
  const { status, output } = await guest.run(
    ['udhcpc', '-f', '-q', '-n', '-t', '10', '-T', '4', '-i', link, '-x', `hostname:${guest.name}`, '-s', script])
  if (status !== 0) throw new Error(`${guest.name} got no address: ${output}`)
  const offer = JSON.parse(await readFile(`${script}.lease`, 'utf8')) as Offer
  await guest.host.addresses.add(link, `${offer.ip}/${offer.mask}`)
  await guest.host.routes.add({ to: 'default', via: offer.router })
  return offer
}
