/** VLANs on another link, 802.1Q and 802.1ad. Source: ip-link(8) "VLAN Type Support", linux/if_link.h, linux/if_vlan.h. */
import { ranged, u16, u32 } from '../../netlink/codecs.ts'
import { switches } from '../../netlink/flags.ts'
import { attributes, list, struct } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkKind, need } from './kind.ts'
import { vlanProtocol } from './vlan-protocol.ts'

/** struct ifla_vlan_qos_mapping. */
const qosMap = list(c.IFLA_VLAN_QOS_MAPPING, struct({ from: u32, to: u32 }))

export const vlanOptions = attributes({
  /** The tag, 1 to 4094. Required; cannot be changed. */
  id: [c.IFLA_VLAN_ID, ranged(u16, 1, 4094)],
  /** `802.1Q` (default) or `802.1ad`. Cannot be changed. */
  protocol: [c.IFLA_VLAN_PROTOCOL, vlanProtocol],
  /**
   * `reorderHeader`: tags are out of sight of packet sockets (default true). `gvrp`, `mvrp`: the switch is told of the VLAN.
   * `looseBinding`: the state does not follow the lower link's. `bridgeBinding`: it follows that of the bridge's ports in
   * this VLAN. Default false.
   */
  flags: [c.IFLA_VLAN_FLAGS, switches({
    reorderHeader: c.VLAN_FLAG_REORDER_HDR, gvrp: c.VLAN_FLAG_GVRP, looseBinding: c.VLAN_FLAG_LOOSE_BINDING, mvrp: c.VLAN_FLAG_MVRP,
    bridgeBinding: c.VLAN_FLAG_BRIDGE_BINDING,
  })],
  /** From a packet's priority to the tag's, 0 to 7, on the way out. Entries are added to those that are there; 0 takes one away. */
  egressQosMap: [c.IFLA_VLAN_EGRESS_QOS, qosMap],
  /** From the tag's priority, 0 to 7, to the packet's, on the way in. */
  ingressQosMap: [c.IFLA_VLAN_INGRESS_QOS, qosMap],
})

export const vlan = linkKind({
  options: vlanOptions,
  config: 'CONFIG_VLAN_8021Q',
  link: 'required',
  check: options => need(options.id, 'vlan.id', 'the id of the VLAN, 1 to 4094'),
})
