/** nf_tables sets and maps as messages. Source: nft(8) "SETS", "MAPS", linux/netfilter/nf_tables.h (enum nft_set_attributes). */
import { be32, beCounter64, named, raw, string } from '../netlink/codecs.ts'
import type { Message } from '../netlink/message.ts'
import { attributes, list } from '../netlink/table.ts'
import type { Values } from '../netlink/table.ts'
import { bits, name } from './codecs.ts'
import * as c from './constants.ts'
import { datatypesOf } from './datatypes.ts'
import type { DatatypeName } from './datatypes.ts'
import { statefulExpression, statefulExpressions } from './expressions/stateful.ts'
import type { StatefulExpression } from './expressions/stateful.ts'
import { ASK, DUMP, familyOf, filterOf, nftRequest, refOf } from './messages.ts'
import type { Family, NftRequest } from './messages.ts'
import { objectTypeNames } from './objects.ts'
import type { ObjectType } from './objects.ts'
import { decodeSetUserdata } from './set_userdata.ts'

/** NFT_SET_*, by nft's words where it has one. */
export const setFlags = {
  anonymous: c.NFT_SET_ANONYMOUS,
  constant: c.NFT_SET_CONSTANT,
  interval: c.NFT_SET_INTERVAL,
  map: c.NFT_SET_MAP,
  timeout: c.NFT_SET_TIMEOUT,
  dynamic: c.NFT_SET_EVAL,
  object: c.NFT_SET_OBJECT,
  concat: c.NFT_SET_CONCAT,
  expression: c.NFT_SET_EXPR,
} as const
export type SetFlag = keyof typeof setFlags

export const setAttributes = attributes({
  table: [c.NFTA_SET_TABLE, name],
  name: [c.NFTA_SET_NAME, name],
  flags: [c.NFTA_SET_FLAGS, bits(be32, setFlags)],
  keyType: [c.NFTA_SET_KEY_TYPE, be32],
  /** In bytes. */
  keyLength: [c.NFTA_SET_KEY_LEN, be32],
  dataType: [c.NFTA_SET_DATA_TYPE, be32],
  dataLength: [c.NFTA_SET_DATA_LEN, be32],
  /** NFT_OBJECT_*. */
  objectType: [c.NFTA_SET_OBJ_TYPE, be32],
  id: [c.NFTA_SET_ID, be32],
  policy: [c.NFTA_SET_POLICY, named(be32, { performance: c.NFT_SET_POL_PERFORMANCE, memory: c.NFT_SET_POL_MEMORY })],
  desc: [c.NFTA_SET_DESC, attributes({
    size: [c.NFTA_SET_DESC_SIZE, be32],
    /** Of a concatenation: the length of each field, in bytes. */
    concat: [c.NFTA_SET_DESC_CONCAT, list(c.NFTA_LIST_ELEM, attributes({ length: [c.NFTA_SET_FIELD_LEN, be32] }))],
  })],
  timeoutMs: [c.NFTA_SET_TIMEOUT, beCounter64],
  gcIntervalMs: [c.NFTA_SET_GC_INTERVAL, be32],
  userdata: [c.NFTA_SET_USERDATA, raw],
  handle: [c.NFTA_SET_HANDLE, beCounter64],
  expression: [c.NFTA_SET_EXPR, statefulExpression],
  expressions: [c.NFTA_SET_EXPRESSIONS, statefulExpressions],
  /** Name of the kernel's data structure, since Linux 6.16. */
  backend: [c.NFTA_SET_TYPE, string(255)],
  /** Elements in it, since Linux 6.16. */
  count: [c.NFTA_SET_COUNT, be32],
})
export type SetEntries = typeof setAttributes.entries

export interface SetRef {
  family: Family
  table: string
  name: string
}

/** A set or map as the kernel has it. */
export interface NftSet extends SetRef {
  handle: number
  flags: (SetFlag | number)[]
  /** Of the key; more than one for a concatenation. Undefined if nft's number for it is not known. */
  type?: DatatypeName[] | undefined
  keyType: number
  keyLength: number
  /** Of a map: what keys are mapped to. */
  map?: 'verdict' | DatatypeName[] | { object: ObjectType | number } | undefined
  dataType?: number | undefined
  dataLength?: number | undefined
  /** The data of the map are ranges. */
  mapInterval?: boolean | undefined
  policy: 'performance' | 'memory' | number
  /** Most elements that it takes. */
  size?: number | undefined
  /** Lengths in bytes of the fields of a concatenation, of sets with intervals. */
  fields?: number[] | undefined
  /** Default lifetime of elements. */
  timeoutMs?: number | undefined
  gcIntervalMs?: number | undefined
  /** Elements that meet are made one, by nft. */
  autoMerge?: boolean | undefined
  comment?: string | undefined
  /** What elements carry. */
  expressions?: StatefulExpression[] | undefined
  backend?: string | undefined
  count?: number | undefined
  userdata?: Uint8Array | undefined
}

/** All sets, those of one family, or of a table. */
export function listSets(filter: { family?: Family, table?: string } = {}): NftRequest<SetEntries> {
  const { family, table } = filterOf(filter)
  const operation = ['list sets', family, table].filter(part => part !== undefined).join(' ')
  return nftRequest(c.NFT_MSG_GETSET, DUMP, family, setAttributes, { table }, operation)
}

/** One set; ENOENT if there is none. */
export function getSet(set: SetRef): NftRequest<SetEntries> {
  const { family, table, name } = refOf('set', set)
  return nftRequest(c.NFT_MSG_GETSET, ASK, family, setAttributes, { table, name }, `get set ${family} ${table} ${name}`)
}

export function decodeSet(message: Message): NftSet {
  const values = message.attributes as Values<SetEntries>
  const { table = '', name = '', handle = 0, flags = [], keyType = 0, keyLength = 0, dataType, dataLength, desc } = values
  const { expression, expressions = expression === undefined ? undefined : [expression], userdata } = values
  const { autoMerge, dataInterval, comment } = userdata === undefined ? {} : decodeSetUserdata(userdata)
  return {
    family: familyOf(message), table, name, handle, flags, keyType, keyLength, dataType, dataLength,
    type: typeNames(keyType),
    map: mapOf(values),
    mapInterval: dataInterval,
    policy: values.policy ?? 'performance',
    size: desc?.size,
    fields: desc?.concat?.map(({ length = 0 }) => length),
    timeoutMs: values.timeoutMs, gcIntervalMs: values.gcIntervalMs,
    autoMerge, comment, expressions, backend: values.backend, count: values.count, userdata,
  }
}

function mapOf({ dataType, objectType }: Values<SetEntries>): NftSet['map'] {
  if (objectType !== undefined) return { object: objectTypeNames.get(objectType) ?? objectType }
  if (dataType === undefined) return undefined
  return dataType === c.NFT_DATA_VERDICT ? 'verdict' : typeNames(dataType)
}

function typeNames(id: number): DatatypeName[] | undefined {
  return datatypesOf(id)?.map(({ name }) => name as DatatypeName)
}
