/** Virtual cables. Source: veth(4), linux/veth.h. */
import { attributes, prefixed } from '../../netlink/table.ts'
import { commonAttributes } from '../attributes.ts'
import * as c from '../constants.ts'
import { ifinfomsg } from '../messages.ts'

export const vethOptions = attributes({
  peer: [c.VETH_INFO_PEER, prefixed(ifinfomsg, attributes(commonAttributes))],
})
