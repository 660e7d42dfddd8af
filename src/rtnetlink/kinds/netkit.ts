/** Pairs of links for BPF programs. Source: ip-link(8) "NETKIT Type Support", linux/if_link.h. */
import { bool8, named, readOnly, u32 } from '../../netlink/codecs.ts'
import { attributes, prefixed } from '../../netlink/table.ts'
import { commonTable } from '../attributes.ts'
import * as c from '../constants.ts'
import { ifinfomsg } from '../messages.ts'
import { linkKind } from './kind.ts'

const policy = named(u32, { forward: c.NETKIT_PASS, blackhole: c.NETKIT_DROP })

export const netkitOptions = attributes({
  /** `l3` (default): IP packets; `l2`: Ethernet frames. Cannot be changed. */
  mode: [c.IFLA_NETKIT_MODE, named(u32, { l2: c.NETKIT_L2, l3: c.NETKIT_L3 })],
  /** What becomes of a packet where no program decides. Default `forward`. */
  policy: [c.IFLA_NETKIT_POLICY, policy],
  /** The same for what goes to the peer. */
  peerPolicy: [c.IFLA_NETKIT_PEER_POLICY, policy],
  /** Of the two, this is the one that programs are attached by. */
  primary: [c.IFLA_NETKIT_PRIMARY, readOnly(bool8)],
  peer: [c.IFLA_NETKIT_PEER_INFO, prefixed(ifinfomsg, commonTable)],
})

export const netkit = linkKind({ options: netkitOptions, config: 'CONFIG_NETKIT', since: '6.7' })
