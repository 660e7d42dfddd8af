/**
 * What user space keeps beside a rule: `{ u8 type, u8 length, data }` records, at most 256 bytes in all. The kernel
 * does not look at them. Types 0 (comment) and 1 (ebtables policy) are libnftnl's (libnftnl/udata.h), which skips
 * those it does not know.
 */
import { listOf } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { NFT_USERDATA_MAXLEN } from './constants.ts'

/** A comment, NUL-terminated: NFTNL_UDATA_RULE_COMMENT. */
export const USERDATA_COMMENT = 0
/** virbr's own: the UUID of the network that the rule serves, 16 bytes. 'v' with the top bit set. */
export const USERDATA_OWNER = 0xf6

/** nft(8): a comment has at most 128 bytes with its NUL. */
const COMMENT_MAXLEN = 127

export interface UserdataRecord {
  type: number
  data: Uint8Array
}

export interface Userdata {
  comment?: string | undefined
  /** UUID of a network, in lower case with hyphens. */
  owner?: string | undefined
  /** Records of other types. */
  records?: readonly UserdataRecord[] | undefined
}

/** Userdata that says whose a rule, chain or table is: 16 bytes, compared as they are. */
export function ownerTag(owner: Uint8Array): Uint8Array {
  if (owner.length !== 16) throw new InvalidArgumentError('owner', owner, '16 bytes, as a UUID has')
  return Uint8Array.of(USERDATA_OWNER, owner.length, ...owner)
}

const none: readonly UserdataRecord[] = []

/** undefined if there is nothing to say. */
export function encodeUserdata({ comment, owner, records = none }: Userdata): Uint8Array | undefined {
  if (comment === undefined && owner === undefined && records.length === 0) return undefined
  const all: UserdataRecord[] = []
  if (comment !== undefined) all.push({ type: USERDATA_COMMENT, data: encodeComment(comment) })
  if (owner !== undefined) all.push({ type: USERDATA_OWNER, data: encodeUuid(owner) })
  all.push(...listOf('records', records).map(checkRecord))
  const bytes = Buffer.concat(all.flatMap(({ type, data }) => [Uint8Array.of(type, data.length), data]))
  const oversized = all.find(record => record.data.length > 0xff)
  if (oversized !== undefined || bytes.length > NFT_USERDATA_MAXLEN) {
    const accepted = `at most ${NFT_USERDATA_MAXLEN} bytes, 255 a record`
    throw new InvalidArgumentError('userdata', `${bytes.length} bytes`, accepted)
  }
  return Uint8Array.from(bytes)
}

/** A record that does not fit ends the reading; what cannot be a comment or owner stays a plain record. */
export function decodeUserdata(bytes: Uint8Array): Userdata {
  const userdata: { comment?: string, owner?: string } = {}
  const records: UserdataRecord[] = []
  for (const { type, data } of eachRecord(bytes)) {
    if (type === USERDATA_COMMENT && data.at(-1) === 0) userdata.comment = Buffer.from(data.subarray(0, -1)).toString()
    else if (type === USERDATA_OWNER && data.length === 16) userdata.owner = formatUuid(data)
    else records.push({ type, data })
  }
  return records.length === 0 ? userdata : { ...userdata, records }
}

/** The records of any userdata; one that does not fit ends them. */
export function* eachRecord(bytes: Uint8Array): Generator<UserdataRecord> {
  for (let at = 0; at + 2 <= bytes.length;) {
    const end = at + 2 + (bytes[at + 1] ?? 0)
    if (end > bytes.length) return
    yield { type: bytes[at] ?? 0, data: Uint8Array.from(bytes.subarray(at + 2, end)) }
    at = end
  }
}

function checkRecord(record: UserdataRecord, index: number): UserdataRecord {
  const fits = Number.isInteger(record?.type) && record.type >= 0 && record.type <= 0xff && record.data instanceof Uint8Array
  if (!fits) throw new InvalidArgumentError(`records[${index}]`, record, 'a record like { type, data }: a type from 0 to 255, a Uint8Array')
  return record
}

function encodeComment(comment: string): Uint8Array {
  if (typeof comment !== 'string' || comment.includes('\0') || Buffer.byteLength(comment) > COMMENT_MAXLEN) {
    throw new InvalidArgumentError('comment', comment, `a string of at most ${COMMENT_MAXLEN} bytes without NUL`)
  }
  return Buffer.from(`${comment}\0`)
}

function encodeUuid(uuid: string): Uint8Array {
  if (typeof uuid !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) {
    throw new InvalidArgumentError('owner', uuid, 'a UUID like c7a5fdbd-cdaf-9455-926a-d65c16db1809')
  }
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

function formatUuid(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
