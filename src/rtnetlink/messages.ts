/** The fixed parts of rtnetlink messages. Source: rtnetlink(7), linux/rtnetlink.h. */
import { padding, s32, u16, u32, u8 } from '../netlink/codecs.ts'
import { struct } from '../netlink/table.ts'

export const ifinfomsg = struct({ family: u8, _pad: padding(1), type: u16, index: s32, flags: u32, change: u32 })

export const ifaddrmsg = struct({ family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 })

export const rtmsg = struct({
  family: u8, destinationLength: u8, sourceLength: u8, tos: u8, table: u8, protocol: u8, scope: u8, type: u8, flags: u32,
})

export const ndmsg = struct({ family: u8, _pad1: padding(1), _pad2: padding(2), index: s32, state: u16, flags: u8, type: u8 })
