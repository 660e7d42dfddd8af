/** Which network identifiers a vxlan with `vnifilter` takes. Source: bridge(8) "vni", linux/if_link.h. Linux 5.18. */
import { check, wholeNumber } from '../checks.ts'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import type { Codec } from '../netlink/codecs.ts'
import { counter64, ip, padding, ranged, readOnly, u32, u8 } from '../netlink/codecs.ts'
import { change, dump } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { attributes, struct } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'

/** struct tunnel_msg. */
const tunnelHeader = struct({ family: u8, flags: u8, _pad: padding(2), index: u32 })

const vniCounters = attributes({
  rxBytes: [c.VNIFILTER_ENTRY_STATS_RX_BYTES, counter64], rxPackets: [c.VNIFILTER_ENTRY_STATS_RX_PKTS, counter64],
  rxDropped: [c.VNIFILTER_ENTRY_STATS_RX_DROPS, counter64], rxErrors: [c.VNIFILTER_ENTRY_STATS_RX_ERRORS, counter64],
  txBytes: [c.VNIFILTER_ENTRY_STATS_TX_BYTES, counter64], txPackets: [c.VNIFILTER_ENTRY_STATS_TX_PKTS, counter64],
  txDropped: [c.VNIFILTER_ENTRY_STATS_TX_DROPS, counter64], txErrors: [c.VNIFILTER_ENTRY_STATS_TX_ERRORS, counter64],
})

const vni = ranged(u32, 0, 0xffffff)

const vniEntry = attributes({
  /** 0 to 16777215. */
  vni: [c.VXLAN_VNIFILTER_ENTRY_START, vni],
  /** Last of a range. */
  to: [c.VXLAN_VNIFILTER_ENTRY_END, vni],
  /** Where its frames go whose destination is not in the FDB: an address or multicast group, IPv4 or IPv6. */
  remote: [c.VXLAN_VNIFILTER_ENTRY_GROUP, ip, c.VXLAN_VNIFILTER_ENTRY_GROUP6],
  statistics: [c.VXLAN_VNIFILTER_ENTRY_STATS, readOnly(vniCounters)],
})
type EntryValues = TableValues<typeof vniEntry>

/** A message of the kernel's has many: each reading adds to those before it. One is written at a time. */
const vniEntries: Codec<EntryValues[]> = {
  nested: true,
  encode(writer, [entry]) {
    vniEntry.encode(writer, entry ?? {})
  },
  decode(bytes, start, end, parent) {
    const before = (parent as { entries?: EntryValues[] }).entries ?? []
    before.push(vniEntry.decode(bytes, start, end))
    return before
  },
}
const vniMessage = { header: tunnelHeader, attributes: attributes({ entries: [c.VXLAN_VNIFILTER_ENTRY, vniEntries] }) }

export interface VniSpec {
  /** 0 to 16777215. */
  vni: number
  /** Last of a range; default: `vni` alone. */
  to?: number
  /** Where its frames go whose destination is not in the FDB: an address or multicast group, IPv4 or IPv6. */
  remote?: string
}

/** An identifier, or a range of them with the same remote, as the kernel shows it. */
export interface Vni extends VniSpec {
  /** Of the vxlan. */
  index: number
  statistics?: NonNullable<EntryValues['statistics']>
}

const aVni = wholeNumber(0, 0xffffff, 'an integer')

function request(type: number, index: number, spec: VniSpec, operation: (vni: number) => string): AnyRequest {
  checkFields(spec, ['vni', 'to', 'remote'], 'an identifier of a vxlan')
  const { vni, to } = spec
  check('vnis.vni', vni, aVni)
  if (to !== undefined && !(aVni.test(to) && to >= vni)) throw new InvalidArgumentError('vnis.to', to, `the last of the range, ${vni} or more`)
  return change({
    type, flags: 0, format: vniMessage, header: { family: c.AF_BRIDGE, index }, attributes: { entries: [spec] }, operation: operation(vni),
    callerNames: { entries: 'vnis' },
  })
}

export function newVni(index: number, spec: VniSpec): AnyRequest {
  return request(c.RTM_NEWTUNNEL, index, spec, vni => `add vni ${vni} to link ${index}`)
}

export function deleteVni(index: number, spec: VniSpec): AnyRequest {
  return request(c.RTM_DELTUNNEL, index, spec, vni => `delete vni ${vni} of link ${index}`)
}

/** Identifiers of one vxlan. With counters each stands by itself. */
export function listVnis(index: number, statistics = false): AnyRequest {
  const flags = statistics ? c.TUNNEL_MSG_FLAG_STATS : 0
  return dump({
    type: c.RTM_GETTUNNEL, flags: 0, format: vniMessage, header: { family: c.AF_BRIDGE, flags, index }, attributes: {},
    operation: `list vnis of link ${index}`,
  })
}

export function decodeVnis(message: Message): Vni[] {
  const { index } = message.header as { index: number }
  const { entries = [] } = message.attributes as { entries?: EntryValues[] }
  return entries.map(({ vni = 0, ...rest }) => ({ index, vni, ...rest }) as Vni)
}
