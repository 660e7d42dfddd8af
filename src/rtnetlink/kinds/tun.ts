/** Tap and tun devices as the kernel shows them; they are made by /dev/net/tun. Source: linux/if_tun.h. */
import { bool8, named, u32, u8 } from '../../netlink/codecs.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkKind } from './kind.ts'

export const tunOptions = attributes({
  owner: [c.IFLA_TUN_OWNER, u32],
  group: [c.IFLA_TUN_GROUP, u32],
  type: [c.IFLA_TUN_TYPE, named(u8, { tun: c.IFF_TUN, tap: c.IFF_TAP })],
  packetInfo: [c.IFLA_TUN_PI, bool8],
  vnetHeader: [c.IFLA_TUN_VNET_HDR, bool8],
  persist: [c.IFLA_TUN_PERSIST, bool8],
  multiQueue: [c.IFLA_TUN_MULTI_QUEUE, bool8],
  numQueues: [c.IFLA_TUN_NUM_QUEUES, u32],
  numDisabledQueues: [c.IFLA_TUN_NUM_DISABLED_QUEUES, u32],
})

export const tun = linkKind({ options: tunOptions, config: 'CONFIG_TUN' })
