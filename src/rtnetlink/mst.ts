/** States of ports in multiple spanning trees: what `bridge mst` does. Source: bridge(8), linux/if_bridge.h, net/bridge/br_mst.c. */
import { check, wholeNumber } from '../checks.ts'
import { named, ranged, u16, u32, u8 } from '../netlink/codecs.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, list } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { ifinfomsg } from './messages.ts'
import { states } from './vlans.ts'
import type { VlanOptions } from './vlans.ts'

/** The state of a port in one of the spanning trees that the VLANs of its bridge are divided among. */
export interface MstState {
  /** Of the link. */
  index: number
  /** Number of the tree: `msti` of its VLANs. */
  msti: number
  state: VlanOptions['state'] | number
}

const mstAttributes = attributes({
  extMask: [c.IFLA_EXT_MASK, u32],
  spec: [c.IFLA_AF_SPEC, attributes({
    trees: [c.IFLA_BRIDGE_MST, list(c.IFLA_BRIDGE_MST_ENTRY, attributes({
      msti: [c.IFLA_BRIDGE_MST_ENTRY_MSTI, ranged(u16, 1, 4094)], state: [c.IFLA_BRIDGE_MST_ENTRY_STATE, named(u8, states)],
    }))],
  }, { keepsRest: false })],
}, { keepsRest: false })
const mstMessage = { header: ifinfomsg, attributes: mstAttributes }

const aMsti = wholeNumber(1, 4094, 'an integer')

/** Linux 5.18. */
export function setMst(index: number, msti: number, state: NonNullable<VlanOptions['state']>): AnyRequest {
  check('msti', msti, aMsti)
  return change({
    type: c.RTM_SETLINK, flags: 0, format: mstMessage,
    header: { family: c.AF_BRIDGE, index },
    attributes: { spec: { trees: [{ msti, state }] } },
    operation: `set spanning tree ${msti} of link ${index}`,
    callerNames: { 'spec.trees[0].msti': 'msti', 'spec.trees[0].state': 'state' },
  })
}

/** Of all ports: the kernel has no filter. */
export function listMst(): AnyRequest {
  return dump({
    type: c.RTM_GETLINK, flags: 0, format: mstMessage, header: { family: c.AF_BRIDGE }, attributes: { extMask: c.RTEXT_FILTER_MST },
    operation: 'list spanning trees',
  })
}

/** All of one port. */
export function decodeMst(message: Message): MstState[] {
  const { index } = message.header as { index: number }
  const { spec } = message.attributes as TableValues<typeof mstAttributes>
  return (spec?.trees ?? []).map(({ msti = 0, state }) => ({ index, msti, state }))
}
