/** Links as ports of a bridge, in the messages that a bridge itself sends: what `bridge link` shows. Source: bridge(8). */
import { interfaceName, u32 } from '../netlink/codecs.ts'
import { dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { bridgePortOptions } from './kinds/bridge.ts'
import type { BridgePortOptions } from './links.ts'
import { ifinfomsg } from './messages.ts'

const portAttributes = attributes({
  name: [c.IFLA_IFNAME, interfaceName],
  master: [c.IFLA_MASTER, u32],
  port: [c.IFLA_PROTINFO, bridgePortOptions],
}, { keepsRest: false })

export const bridgePortMessage = { header: ifinfomsg, attributes: portAttributes }
type PortValues = TableValues<typeof portAttributes>

/** A port of a bridge. */
export interface BridgePort {
  /** Of the link. */
  index: number
  name: string
  /** Index of the bridge. */
  master: number
  /** Options and state: `state`, `isolated`, …; nothing, if it is a port no more. */
  port: BridgePortOptions
}

/** The ports of all bridges. */
export function listBridgePorts(): AnyRequest {
  return dump({
    type: c.RTM_GETLINK, flags: 0, format: bridgePortMessage, header: { family: c.AF_BRIDGE }, attributes: {}, operation: 'list bridge ports',
  })
}

/** Bridges send messages about themselves, too, and some network cards about their embedded switch. */
export function isBridgePort(message: Message): boolean {
  const { family, index } = message.header as { family: number, index: number }
  if (family !== c.AF_BRIDGE) return false
  const { master, port } = message.attributes as PortValues
  return master !== undefined && master !== index && (port !== undefined || message.type === c.RTM_DELLINK)
}

export function decodeBridgePort(message: Message): BridgePort {
  const { index } = message.header as { index: number }
  const { name = '', master = 0, port = {} } = message.attributes as PortValues
  return { index, name, master, port }
}
