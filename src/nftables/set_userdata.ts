/**
 * What nft keeps beside a set, so that it can be listed as it was written: `{ u8 type, u8 length, data }` records, as in
 * userdata.ts. Types: libnftnl/udata.h (enum nftnl_udata_set_types).
 */
import { eachRecord } from './userdata.ts'

const KEY_BYTEORDER = 0
const DATA_BYTEORDER = 1
const MERGE_ELEMENTS = 2
const KEY_TYPEOF = 3
const DATA_TYPEOF = 4
const DATA_INTERVAL = 6
const COMMENT = 7

const byteOrders = { none: 0, host: 1, network: 2 } as const
export type ByteOrder = keyof typeof byteOrders

/** What nft's typeof says of a concatenation that was declared by types, not expressions: expression 13, without data. */
const CONCATENATION = Uint8Array.of(0, 4, 13, 0, 0, 0, 1, 0)

export interface SetUserdata {
  keyOrder: ByteOrder
  keyConcatenated?: boolean | undefined
  /** Of maps to values and to verdicts. */
  dataOrder?: ByteOrder | undefined
  dataConcatenated?: boolean | undefined
  /** Of maps: whether data are ranges. */
  dataInterval?: boolean | undefined
  autoMerge?: boolean | undefined
  comment?: string | undefined
}

/** In nft's order. */
export function encodeSetUserdata(set: SetUserdata): Uint8Array {
  const { keyOrder, keyConcatenated, dataOrder, dataConcatenated, dataInterval, autoMerge, comment } = set
  const records = [
    number(KEY_BYTEORDER, byteOrders[keyOrder]),
    ...(dataOrder === undefined ? [] : [number(DATA_BYTEORDER, byteOrders[dataOrder])]),
    ...(autoMerge === true ? [number(MERGE_ELEMENTS, 1)] : []),
    ...(keyConcatenated === true ? [record(KEY_TYPEOF, CONCATENATION)] : []),
    ...(dataConcatenated === true ? [record(DATA_TYPEOF, CONCATENATION)] : []),
    ...(dataInterval === undefined ? [] : [number(DATA_INTERVAL, dataInterval ? 1 : 0)]),
    ...(comment === undefined ? [] : [record(COMMENT, Buffer.from(`${comment}\0`))]),
  ]
  return Uint8Array.from(Buffer.concat(records))
}

/** A record that does not fit ends the reading; others than these are passed over. */
export function decodeSetUserdata(bytes: Uint8Array): Partial<Pick<SetUserdata, 'autoMerge' | 'dataInterval' | 'comment'>> {
  const found: Partial<SetUserdata> = {}
  for (const { type, data } of eachRecord(bytes)) {
    if (type === MERGE_ELEMENTS) found.autoMerge = data[0] === 1
    else if (type === DATA_INTERVAL && data[0] === 1) found.dataInterval = true
    else if (type === COMMENT) found.comment = Buffer.from(data.at(-1) === 0 ? data.subarray(0, -1) : data).toString()
  }
  return found
}

function number(type: number, value: number): Uint8Array {
  return Uint8Array.of(type, 4, value, 0, 0, 0)
}

function record(type: number, data: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(type, data.length), data])
}
