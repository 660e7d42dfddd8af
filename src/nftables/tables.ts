/** nf_tables tables. Source: nft(8) "TABLES", linux/netfilter/nf_tables.h (enum nft_table_attributes). */
import { isOn, listOf } from '../checks.ts'
import { be32, beCounter64, raw } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_NONREC } from '../netlink/constants.ts'
import type { Message } from '../netlink/message.ts'
import { attributes } from '../netlink/table.ts'
import type { Values } from '../netlink/table.ts'
import {
  NFTA_TABLE_FLAGS, NFTA_TABLE_HANDLE, NFTA_TABLE_NAME, NFTA_TABLE_OWNER, NFTA_TABLE_USE, NFTA_TABLE_USERDATA,
  NFT_MSG_DELTABLE, NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE, NFT_TABLE_F_DORMANT, NFT_TABLE_F_OWNER, NFT_TABLE_F_PERSIST,
} from './constants.ts'
import { bits, name } from './codecs.ts'
import { DUMP, familyOf, filterOf, nftRequest, refOf } from './messages.ts'
import type { Family, NftRequest } from './messages.ts'
import { decodeUserdata, encodeUserdata } from './userdata.ts'

/**
 * `dormant`: its rules see no packets. `owner`: it goes with the socket that made it; `persist` (Linux 6.9): it stays,
 * for the next owner.
 */
export const tableFlags = { dormant: NFT_TABLE_F_DORMANT, owner: NFT_TABLE_F_OWNER, persist: NFT_TABLE_F_PERSIST } as const
export type TableFlag = keyof typeof tableFlags

export const tableAttributes = attributes({
  name: [NFTA_TABLE_NAME, name],
  flags: [NFTA_TABLE_FLAGS, bits(be32, tableFlags)],
  use: [NFTA_TABLE_USE, be32],
  handle: [NFTA_TABLE_HANDLE, beCounter64],
  userdata: [NFTA_TABLE_USERDATA, raw],
  owner: [NFTA_TABLE_OWNER, be32],
})
export type TableEntries = typeof tableAttributes.entries

export interface Table {
  family: Family
  name: string
  handle: number
  flags: (TableFlag | number)[]
  /** Chains, sets, objects and flow tables in it. */
  use: number
  /** Port id of the netlink socket that owns it, with NFT_TABLE_F_OWNER. */
  owner?: number | undefined
  comment?: string | undefined
  userdata?: Uint8Array | undefined
}

export interface TableRef {
  family: Family
  name: string
}

export interface AddTable extends TableRef {
  /** `owner` only by `host.firewall.own`. A table that exists wakes up without `dormant`, if flags are given. */
  flags?: readonly TableFlag[]
  /** Printed by nft; at most 127 bytes. */
  comment?: string
  /** Fail with EEXIST if there is such a table. */
  exclusive?: boolean
  /** Records as in userdata.ts, kept by the kernel for its user. */
  userdata?: Uint8Array
}

const tableFields: ReadonlySet<string> = new Set(['family', 'name', 'flags', 'comment', 'exclusive', 'userdata', 'handle', 'use', 'owner'])

/** Creates a table; one that exists is left as it is. */
export function addTable(table: AddTable): NftRequest<TableEntries> {
  const { family, name, flags, comment, exclusive, userdata = encodeUserdata({ comment }) } = refOf('table', table, tableFields)
  const create = NLM_F_CREATE | (isOn('exclusive', exclusive) ? NLM_F_EXCL : 0)
  const operation = `add table ${family} ${name}`
  const values = { name, flags: flags === undefined ? undefined : [...listOf('flags', flags)], userdata }
  return nftRequest(NFT_MSG_NEWTABLE, create, family, tableAttributes, values, operation)
}

export interface DeleteTable extends TableRef {
  /** Fail with EBUSY if there is anything in it. */
  nonRecursive?: boolean
}

/** Deletes a table and all that is in it. */
export function deleteTable(table: DeleteTable): NftRequest<TableEntries> {
  const { family, name, nonRecursive } = refOf('table', table)
  const flags = isOn('nonRecursive', nonRecursive) ? NLM_F_NONREC : 0
  return nftRequest(NFT_MSG_DELTABLE, flags, family, tableAttributes, { name }, `delete table ${family} ${name}`)
}

/** All tables, or those of one family. */
export function listTables(filter: { family?: Family } = {}): NftRequest<TableEntries> {
  const { family } = filterOf(filter)
  const operation = `list tables${family === undefined ? '' : ` ${family}`}`
  return nftRequest(NFT_MSG_GETTABLE, DUMP, family, tableAttributes, {}, operation)
}

export function decodeTable(message: Message): Table {
  const { name = '', handle = 0, flags = [], use = 0, owner, userdata } = message.attributes as Values<TableEntries>
  const comment = userdata === undefined ? undefined : decodeUserdata(userdata).comment
  return { family: familyOf(message), name, handle, flags, use, owner, comment, userdata }
}
