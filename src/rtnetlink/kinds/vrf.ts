/** Routing tables of their own for the links in them. Source: ip-link(8) "VRF Type Support", linux/if_link.h. */
import { ranged, readOnly, u32 } from '../../netlink/codecs.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkKind, need } from './kind.ts'

export const vrfOptions = attributes({
  /** Number of the routing table. Required; cannot be changed. */
  table: [c.IFLA_VRF_TABLE, ranged(u32, 1, 0xffffffff)],
})

export const vrfPortOptions = attributes({
  table: [c.IFLA_VRF_PORT_TABLE, readOnly(u32)],
})

export const vrf = linkKind({
  options: vrfOptions,
  config: 'CONFIG_NET_VRF',
  check: options => need(options.table, 'vrf.table', 'the number of a routing table, 1 to 4294967295'),
})
