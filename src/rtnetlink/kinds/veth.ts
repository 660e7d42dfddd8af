/** Virtual cables. Source: veth(4), linux/veth.h. */
import { attributes, prefixed } from '../../netlink/table.ts'
import { commonTable } from '../attributes.ts'
import * as c from '../constants.ts'
import { ifinfomsg } from '../messages.ts'
import { linkKind } from './kind.ts'

export const vethOptions = attributes({
  peer: [c.VETH_INFO_PEER, prefixed(ifinfomsg, commonTable)],
})

export const veth = linkKind({ options: vethOptions, config: 'CONFIG_VETH' })
