/** Pairs of links for BPF programs. Source: ip-link(8) "NETKIT Type Support", linux/if_link.h. */
import { bool8, named, readOnly, u16, u32 } from '../../netlink/codecs.ts'
import { attributes, prefixed } from '../../netlink/table.ts'
import { commonTable } from '../attributes.ts'
import * as c from '../constants.ts'
import { ifinfomsg } from '../messages.ts'
import { linkKind } from './kind.ts'

const policy = named(u32, { forward: c.NETKIT_PASS, blackhole: c.NETKIT_DROP })
const scrub = named(u32, { none: c.NETKIT_SCRUB_NONE, default: c.NETKIT_SCRUB_DEFAULT })

export const netkitOptions = attributes({
  /** `l3` (default): IP packets; `l2`: Ethernet frames. Cannot be changed. */
  mode: [c.IFLA_NETKIT_MODE, named(u32, { l2: c.NETKIT_L2, l3: c.NETKIT_L3 })],
  /** What becomes of a packet where no program decides. Default `forward`. */
  policy: [c.IFLA_NETKIT_POLICY, policy],
  /** The same for what goes to the peer. */
  peerPolicy: [c.IFLA_NETKIT_PEER_POLICY, policy],
  /** Whether mark and priority of packets from another namespace are cleared: `default` (default) or `none`. Cannot be changed. */
  scrub: [c.IFLA_NETKIT_SCRUB, scrub],
  /** The same for what goes to the peer. */
  peerScrub: [c.IFLA_NETKIT_PEER_SCRUB, scrub],
  /** Bytes to keep free before and behind packets, of both ends. Default 0; cannot be changed. */
  headroom: [c.IFLA_NETKIT_HEADROOM, u16],
  /** See `headroom`. */
  tailroom: [c.IFLA_NETKIT_TAILROOM, u16],
  /** Of the two, this is the one that programs are attached by. */
  primary: [c.IFLA_NETKIT_PRIMARY, readOnly(bool8)],
  peer: [c.IFLA_NETKIT_PEER_INFO, prefixed(ifinfomsg, commonTable)],
})

export const netkit = linkKind({
  options: netkitOptions, config: 'CONFIG_NETKIT', since: '6.7',
  needs: {
    scrub: { since: '6.13' }, peerScrub: { since: '6.13' }, headroom: { since: '6.14', hidden: 0 }, tailroom: { since: '6.14', hidden: 0 },
  },
})
