/** The kinds of links: adding one is adding a file with its table, and a line here. */
import { bridgeOptions, bridgePortOptions } from './bridge.ts'
import { tunOptions } from './tun.ts'
import { vethOptions } from './veth.ts'

/** Options of a link, by kind as the kernel names it (IFLA_INFO_KIND). */
export const kinds = {
  bridge: bridgeOptions,
  veth: vethOptions,
  tun: tunOptions,
} as const

/** Options of a port, by the kind of its master (IFLA_INFO_SLAVE_KIND). */
export const portKinds = {
  bridge: bridgePortOptions,
} as const
