/** Links with IP addresses of their own, but the lower link's MAC address. Source: ip-link(8) "IPVLAN Type Support". */
import { named, u16 } from '../../netlink/codecs.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkKind } from './kind.ts'

export const ipvlanOptions = attributes({
  /** What is looked at to find the receiver. Default `l3`. */
  mode: [c.IFLA_IPVLAN_MODE, named(u16, { l2: c.IPVLAN_MODE_L2, l3: c.IPVLAN_MODE_L3, l3s: c.IPVLAN_MODE_L3S })],
  /** How links of the same lower link reach each other. Default `bridge`. */
  flags: [c.IFLA_IPVLAN_FLAGS, named(u16, { bridge: 0, private: c.IPVLAN_F_PRIVATE, vepa: c.IPVLAN_F_VEPA })],
})

export const ipvlan = linkKind({ options: ipvlanOptions, config: 'CONFIG_IPVLAN', link: 'required' })
export const ipvtap = linkKind({ options: ipvlanOptions, config: 'CONFIG_IPVTAP', link: 'required' })
