/** nf_tables tables. Source: nft(8) "TABLES", linux/netfilter/nf_tables.h (enum nft_table_attributes). */
import { be32, beCounter64, raw, string } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_NONREC } from '../netlink/constants.ts'
import type { Message } from '../netlink/message.ts'
import { attributes } from '../netlink/table.ts'
import type { Values } from '../netlink/table.ts'
import {
  NFTA_TABLE_FLAGS, NFTA_TABLE_HANDLE, NFTA_TABLE_NAME, NFTA_TABLE_OWNER, NFTA_TABLE_USE, NFTA_TABLE_USERDATA,
  NFT_MSG_DELTABLE, NFT_MSG_GETTABLE, NFT_MSG_NEWTABLE, NFT_NAME_MAXLEN,
} from './constants.ts'
import { DUMP, familyOf, nftRequest } from './messages.ts'
import type { Family, NftRequest } from './messages.ts'

const tableAttributes = attributes({
  name: [NFTA_TABLE_NAME, string(NFT_NAME_MAXLEN - 1)],
  flags: [NFTA_TABLE_FLAGS, be32],
  use: [NFTA_TABLE_USE, be32],
  handle: [NFTA_TABLE_HANDLE, beCounter64],
  userdata: [NFTA_TABLE_USERDATA, raw],
  owner: [NFTA_TABLE_OWNER, be32],
})
type TableEntries = typeof tableAttributes.entries

export interface Table {
  family: Family
  name: string
  handle: number
  /** NFT_TABLE_F_*. */
  flags: number
  /** Chains, sets, objects and flow tables in it. */
  use: number
  /** Port id of the netlink socket that owns it, with NFT_TABLE_F_OWNER. */
  owner?: number | undefined
  userdata?: Uint8Array | undefined
}

export interface TableRef {
  family: Family
  name: string
}

export interface AddTable extends TableRef {
  /** NFT_TABLE_F_*. */
  flags?: number
  /** Fail with EEXIST if there is such a table. */
  exclusive?: boolean
  /** Records as in userdata.ts, kept by the kernel for its user. */
  userdata?: Uint8Array
}

/** Creates a table; one that exists is left as it is. */
export function addTable({ family, name, flags, exclusive, userdata }: AddTable): NftRequest<TableEntries> {
  const create = NLM_F_CREATE | (exclusive === true ? NLM_F_EXCL : 0)
  const operation = `add table ${family} ${name}`
  return nftRequest(NFT_MSG_NEWTABLE, create, family, tableAttributes, { name, flags, userdata }, operation)
}

export interface DeleteTable extends TableRef {
  /** Fail with EBUSY if there is anything in it. */
  nonRecursive?: boolean
}

/** Deletes a table and all that is in it. */
export function deleteTable({ family, name, nonRecursive }: DeleteTable): NftRequest<TableEntries> {
  const flags = nonRecursive === true ? NLM_F_NONREC : 0
  return nftRequest(NFT_MSG_DELTABLE, flags, family, tableAttributes, { name }, `delete table ${family} ${name}`)
}

/** All tables, or those of one family. */
export function listTables({ family }: { family?: Family } = {}): NftRequest<TableEntries> {
  const operation = `list tables${family === undefined ? '' : ` ${family}`}`
  return nftRequest(NFT_MSG_GETTABLE, DUMP, family, tableAttributes, {}, operation)
}

export function decodeTable(message: Message): Table {
  const { name = '', handle = 0, flags = 0, use = 0, owner, userdata } = message.attributes as Values<TableEntries>
  return { family: familyOf(message), name, handle, flags, use, owner, userdata }
}
