/**
 * Links with MAC addresses of their own on another link; macvtap hands its packets to /dev/tapN, N being the link's index.
 * Source: ip-link(8) "MACVLAN and MACVTAP Type Support".
 */
import { hardwareAddress, named, readOnly, s32, u16, u32 } from '../../netlink/codecs.ts'
import { flagList } from '../../netlink/flags.ts'
import { attributes, list } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkKind } from './kind.ts'

export const macvlanOptions = attributes({
  /** How links of the same lower link reach each other. Default `vepa`. */
  mode: [c.IFLA_MACVLAN_MODE, named(u32, {
    private: c.MACVLAN_MODE_PRIVATE, vepa: c.MACVLAN_MODE_VEPA, bridge: c.MACVLAN_MODE_BRIDGE, passthru: c.MACVLAN_MODE_PASSTHRU,
    source: c.MACVLAN_MODE_SOURCE,
  })],
  /** All of them: `nopromisc` (mode passthru: the lower link is not made promiscuous), `nodst` (mode source). Default none. */
  flags: [c.IFLA_MACVLAN_FLAGS, flagList(u16, { nopromisc: c.MACVLAN_FLAG_NOPROMISC, nodst: c.MACVLAN_FLAG_NODST })],
  /** Mode source: what `macaddr` and `macaddrData` are for. Only for a link that is there already. */
  macaddrMode: [c.IFLA_MACVLAN_MACADDR_MODE, named(u32, {
    add: c.MACVLAN_MACADDR_ADD, del: c.MACVLAN_MACADDR_DEL, flush: c.MACVLAN_MACADDR_FLUSH, set: c.MACVLAN_MACADDR_SET,
  })],
  /** A source address to add or delete. */
  macaddr: [c.IFLA_MACVLAN_MACADDR, hardwareAddress],
  /** All source addresses. */
  macaddrData: [c.IFLA_MACVLAN_MACADDR_DATA, list(c.IFLA_MACVLAN_MACADDR, hardwareAddress)],
  macaddrCount: [c.IFLA_MACVLAN_MACADDR_COUNT, readOnly(u32)],
  /** Wanted length of the queue of broadcasts, in packets. Default 1000. */
  bcQueueLen: [c.IFLA_MACVLAN_BC_QUEUE_LEN, u32],
  /** The length that all links of the lower link have agreed on. */
  bcQueueLenUsed: [c.IFLA_MACVLAN_BC_QUEUE_LEN_USED, readOnly(u32)],
  /** From how many receivers on broadcasts are queued; negative: never. Default 1. */
  bcCutoff: [c.IFLA_MACVLAN_BC_CUTOFF, s32],
})

const needs = { bcQueueLen: { since: '5.11' }, bcCutoff: { since: '6.4', hidden: 1 } }

export const macvlan = linkKind({ options: macvlanOptions, config: 'CONFIG_MACVLAN', link: 'required', needs })
export const macvtap = linkKind({ options: macvlanOptions, config: 'CONFIG_MACVTAP', link: 'required', needs })
