/**
 * Links as ports of a bridge, read for a few of their attributes only: a link has some 60, with 40 more of a bridge's
 * port, and a thousand links at once should not keep the JavaScript thread for tens of milliseconds.
 */
import { bool8, hardwareAddress, interfaceName, string, text, u32 } from '../netlink/codecs.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, dependent } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import { altName, byName } from './attributes.ts'
import * as c from './constants.ts'
import { tunOptions } from './kinds/tun.ts'
import { ifinfomsg } from './messages.ts'

const nothing = attributes({}, { keepsRest: false })

const linkInfo = attributes({
  kind: [c.IFLA_INFO_KIND, string(63)],
  data: [c.IFLA_INFO_DATA, dependent('kind', { tun: attributes({ type: tunOptions.entries.type }, { keepsRest: false }) }, nothing)],
  portKind: [c.IFLA_INFO_SLAVE_KIND, string(63)],
  portData: [c.IFLA_INFO_SLAVE_DATA,
    dependent('portKind', { bridge: attributes({ isolated: [c.IFLA_BRPORT_ISOLATED, bool8] }, { keepsRest: false }) }, nothing)],
}, { keepsRest: false })

const briefAttributes = attributes({
  name: [c.IFLA_IFNAME, interfaceName],
  altName: [c.IFLA_ALT_IFNAME, altName],
  mac: [c.IFLA_ADDRESS, hardwareAddress],
  mtu: [c.IFLA_MTU, u32],
  master: [c.IFLA_MASTER, u32],
  group: [c.IFLA_GROUP, u32],
  alias: [c.IFLA_IFALIAS, text(255)],
  extMask: [c.IFLA_EXT_MASK, u32],
  linkinfo: [c.IFLA_LINKINFO, linkInfo],
}, { keepsRest: false })

const briefMessage = { header: ifinfomsg, attributes: briefAttributes }

export interface BriefLink {
  index: number
  name: string
  /** As in `Link`. */
  kind: string | undefined
  mac: string
  mtu: number
  alias: string | undefined
  /** Index. */
  master: number | undefined
  /** 0 by default. */
  group: number
  /** Administratively up. */
  up: boolean
  /** As port of a bridge. */
  isolated: boolean
}

/** One link; ENODEV if there is none. */
export function getBriefLink(link: string | number): AnyRequest {
  const [header, name] = typeof link === 'number' ? [{ index: link }, {}] : [{}, byName(link)]
  return change({
    type: c.RTM_GETLINK, flags: 0, format: briefMessage, header, attributes: { ...name, extMask: c.RTEXT_FILTER_SKIP_STATS },
    operation: `get link ${link}`,
  })
}

/** The links of a master, by its index. */
export function listBriefLinks(master: number): AnyRequest {
  return dump({
    type: c.RTM_GETLINK, flags: 0, format: briefMessage, header: {}, attributes: { master, extMask: c.RTEXT_FILTER_SKIP_STATS },
    operation: 'list links',
  })
}

export function decodeBriefLink(message: Message): BriefLink {
  const { index, flags } = message.header as { index: number, flags: number }
  const { name = '', mac = '', mtu = 0, alias, master, group = 0, linkinfo = {} } = message.attributes as TableValues<typeof briefAttributes>
  const { kind, data, portData } = linkinfo
  return {
    index,
    name,
    kind: kind === 'tun' && (data as { type?: unknown } | undefined)?.type === 'tap' ? 'tap' : kind,
    mac,
    mtu,
    alias,
    master,
    group,
    up: (flags & c.IFF_UP) !== 0,
    isolated: (portData as { isolated?: boolean } | undefined)?.isolated === true,
  }
}
