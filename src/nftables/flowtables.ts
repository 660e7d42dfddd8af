/**
 * Flow tables: connections whose packets take the short way from the ingress of one device to another. Source: nft(8)
 * "FLOWTABLES", linux/netfilter/nf_tables.h (enum nft_flowtable_attributes). The kernel needs CONFIG_NF_FLOW_TABLE.
 */
import { isOn, listOf } from '../checks.ts'
import { be32, beCounter64, interfaceName, sbe32 } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts'
import type { Message } from '../netlink/message.ts'
import { attributes, list } from '../netlink/table.ts'
import type { Values } from '../netlink/table.ts'
import { bits, name } from './codecs.ts'
import * as c from './constants.ts'
import { ASK, DUMP, familyOf, filterOf, nftRequest, refOf } from './messages.ts'
import type { Family, NftRequest } from './messages.ts'
import { parsePriority } from './priorities.ts'
import type { Priority } from './priorities.ts'

/** NF_NETDEV_INGRESS. */
const INGRESS = 0

export const flowtableFlags = { offload: c.NFT_FLOWTABLE_HW_OFFLOAD, counter: c.NFT_FLOWTABLE_COUNTER } as const
export type FlowtableFlag = keyof typeof flowtableFlags

export const flowtableAttributes = attributes({
  table: [c.NFTA_FLOWTABLE_TABLE, name],
  name: [c.NFTA_FLOWTABLE_NAME, name],
  hook: [c.NFTA_FLOWTABLE_HOOK, attributes({
    number: [c.NFTA_FLOWTABLE_HOOK_NUM, be32],
    priority: [c.NFTA_FLOWTABLE_HOOK_PRIORITY, sbe32],
    devices: [c.NFTA_FLOWTABLE_HOOK_DEVS, list(c.NFTA_DEVICE_NAME, interfaceName)],
  })],
  flags: [c.NFTA_FLOWTABLE_FLAGS, bits(be32, flowtableFlags)],
  use: [c.NFTA_FLOWTABLE_USE, be32],
  handle: [c.NFTA_FLOWTABLE_HANDLE, beCounter64],
})
export type FlowtableEntries = typeof flowtableAttributes.entries

export interface FlowtableRef {
  family: Family
  table: string
  name: string
}

export interface Flowtable extends FlowtableRef {
  handle: number
  /** Rules that refer to it. */
  use: number
  /** Of its ingress hook; lower runs earlier. */
  priority: number
  devices: string[]
  flags: (FlowtableFlag | number)[]
}

export interface AddFlowtable extends FlowtableRef {
  /** Of its ingress hook; default 0. */
  priority?: Priority
  devices: readonly string[]
  /** `counter`: rules go on to count offloaded connections; `offload`: to the network card. */
  flags?: readonly FlowtableFlag[]
  /** Fail with EEXIST if there is such a flow table. */
  exclusive?: boolean
}

const flowtableFields: ReadonlySet<string> = new Set(['family', 'table', 'name', 'priority', 'devices', 'flags', 'exclusive', 'handle', 'use'])

/** Creates a flow table; devices are added to one that exists. */
export function addFlowtable(flowtable: AddFlowtable): NftRequest<FlowtableEntries> {
  const { family, table, name, priority = 0, devices, flags = [], exclusive } = refOf('flowtable', flowtable, flowtableFields)
  const hook = { number: INGRESS, priority: parsePriority('netdev', priority), devices: [...listOf('devices', devices)] }
  const values = { table, name, hook, flags: [...listOf('flags', flags)] }
  const create = NLM_F_CREATE | (isOn('exclusive', exclusive) ? NLM_F_EXCL : 0)
  return nftRequest(c.NFT_MSG_NEWFLOWTABLE, create, family, flowtableAttributes, values, `add flowtable ${family} ${table} ${name}`)
}

/** Deletes a flow table; EBUSY while a rule refers to it. */
export function deleteFlowtable(flowtable: FlowtableRef): NftRequest<FlowtableEntries> {
  const { family, table, name } = refOf('flowtable', flowtable)
  return nftRequest(c.NFT_MSG_DELFLOWTABLE, 0, family, flowtableAttributes, { table, name }, `delete flowtable ${family} ${table} ${name}`)
}

/** All flow tables, of one family or table. */
export function listFlowtables(filter: { family?: Family, table?: string } = {}): NftRequest<FlowtableEntries> {
  const { family, table } = filterOf(filter)
  const operation = ['list flowtables', family, table].filter(part => part !== undefined).join(' ')
  return nftRequest(c.NFT_MSG_GETFLOWTABLE, DUMP, family, flowtableAttributes, { table }, operation)
}

/** One flow table; ENOENT if there is none. */
export function getFlowtable(flowtable: FlowtableRef): NftRequest<FlowtableEntries> {
  const { family, table, name } = refOf('flowtable', flowtable)
  const operation = `get flowtable ${family} ${table} ${name}`
  return nftRequest(c.NFT_MSG_GETFLOWTABLE, ASK, family, flowtableAttributes, { table, name }, operation)
}

export function decodeFlowtable(message: Message): Flowtable {
  const { table = '', name = '', handle = 0, use = 0, hook, flags = [] } = message.attributes as Values<FlowtableEntries>
  const { priority = 0, devices = [] } = hook ?? {}
  return { family: familyOf(message), table, name, handle, use, priority, devices, flags }
}
