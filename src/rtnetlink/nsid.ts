/** The number by which one namespace knows another. Source: ip-netns(8), linux/net_namespace.h. */
import { s32, u32, u8 } from '../netlink/codecs.ts'
import { change } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'

const nsidAttributes = attributes({
  id: [c.NETNSA_NSID, s32],
  fd: [c.NETNSA_FD, u32],
})
const nsidMessage = { header: struct({ family: u8 }), attributes: nsidAttributes }

/** The namespace by an open descriptor. */
export function getNsid(fd: number): AnyRequest {
  return change({ type: c.RTM_GETNSID, flags: 0, format: nsidMessage, header: {}, attributes: { fd }, operation: 'get the id of a namespace' })
}

/** Lets the kernel choose an id; EEXIST if there is one. */
export function newNsid(fd: number): AnyRequest {
  return change({ type: c.RTM_NEWNSID, flags: 0, format: nsidMessage, header: {}, attributes: { id: -1, fd }, operation: 'give a namespace an id' })
}

/** Undefined: none yet. */
export function decodeNsid(message: Message): number | undefined {
  const { id = -1 } = message.attributes as TableValues<typeof nsidAttributes>
  return id < 0 ? undefined : id
}
