/** Stateful objects: counters, quotas and the like with a name. Source: nft(8) "STATEFUL OBJECTS", linux/netfilter/nf_tables.h. */
import { isOn } from '../checks.ts'
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import { be16, be32, beCounter64, ip, named, raw, string, u32, u8 } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../netlink/constants.ts'
import type { Message } from '../netlink/message.ts'
import { attributes, dependent } from '../netlink/table.ts'
import type { TableValues, Values } from '../netlink/table.ts'
import { bits, name } from './codecs.ts'
import * as c from './constants.ts'
import { statefulTables } from './expressions/stateful.ts'
import { statementTables } from './expressions/statements.ts'
import { ASK, DUMP, families, familyOf, filterOf, nftRequest, refOf } from './messages.ts'
import type { Family, NftRequest } from './messages.ts'
import { protocolNumbers } from './protocols.ts'
import { timeoutTables } from './timeouts.ts'
import { decodeUserdata, encodeUserdata } from './userdata.ts'
import { limitData, quotaData, synproxyData } from './vocabulary/statements.ts'
import type { Limit, Quota, Synproxy } from './vocabulary/statements.ts'

/** Kinds of objects, by nft's words. */
export const objectTypes = {
  'counter': c.NFT_OBJECT_COUNTER,
  'quota': c.NFT_OBJECT_QUOTA,
  'ct helper': c.NFT_OBJECT_CT_HELPER,
  'limit': c.NFT_OBJECT_LIMIT,
  'connlimit': c.NFT_OBJECT_CONNLIMIT,
  'tunnel': c.NFT_OBJECT_TUNNEL,
  'ct timeout': c.NFT_OBJECT_CT_TIMEOUT,
  'secmark': c.NFT_OBJECT_SECMARK,
  'ct expectation': c.NFT_OBJECT_CT_EXPECT,
  'synproxy': c.NFT_OBJECT_SYNPROXY,
} as const
export type ObjectType = keyof typeof objectTypes

export const objectTypeNames: ReadonlyMap<number, ObjectType> =
  new Map(Object.entries(objectTypes).map(([name, number]) => [number, name as ObjectType]))

const l3proto = named(be16, { ip: families.ip, ip6: families.ip6, inet: families.inet })
const l4proto = named(u8, protocolNumbers)

const objectTables = {
  'counter': statefulTables.counter,
  'quota': statefulTables.quota,
  'limit': statefulTables.limit,
  'connlimit': statefulTables.connlimit,
  'synproxy': statementTables.synproxy,
  'secmark': attributes({ context: [c.NFTA_SECMARK_CTX, string(c.NFT_SECMARK_CTX_MAXLEN - 1)] }),
  'ct helper': attributes({
    /** Of the kernel's helper: ftp, sip, … */
    name: [c.NFTA_CT_HELPER_NAME, string(15)],
    l3proto: [c.NFTA_CT_HELPER_L3PROTO, l3proto],
    l4proto: [c.NFTA_CT_HELPER_L4PROTO, l4proto],
  }),
  'ct timeout': attributes({
    l3proto: [c.NFTA_CT_TIMEOUT_L3PROTO, l3proto],
    l4proto: [c.NFTA_CT_TIMEOUT_L4PROTO, l4proto],
    /** By state of the connection, in seconds. */
    policy: [c.NFTA_CT_TIMEOUT_DATA, dependent('l4proto', timeoutTables)],
  }),
  'ct expectation': attributes({
    l3proto: [c.NFTA_CT_EXPECT_L3PROTO, l3proto],
    l4proto: [c.NFTA_CT_EXPECT_L4PROTO, l4proto],
    dport: [c.NFTA_CT_EXPECT_DPORT, be16],
    timeoutMs: [c.NFTA_CT_EXPECT_TIMEOUT, u32],
    /** Most expectations at a time. */
    size: [c.NFTA_CT_EXPECT_SIZE, u8],
  }),
  'tunnel': attributes({
    id: [c.NFTA_TUNNEL_KEY_ID, be32],
    ip: [c.NFTA_TUNNEL_KEY_IP, attributes({ src: [c.NFTA_TUNNEL_KEY_IP_SRC, ip], dst: [c.NFTA_TUNNEL_KEY_IP_DST, ip] })],
    ip6: [c.NFTA_TUNNEL_KEY_IP6, attributes({
      src: [c.NFTA_TUNNEL_KEY_IP6_SRC, ip],
      dst: [c.NFTA_TUNNEL_KEY_IP6_DST, ip],
      flowlabel: [c.NFTA_TUNNEL_KEY_IP6_FLOWLABEL, be32],
    })],
    flags: [c.NFTA_TUNNEL_KEY_FLAGS, bits(be32, {
      'zero-csum-tx': c.NFT_TUNNEL_F_ZERO_CSUM_TX,
      'dont-fragment': c.NFT_TUNNEL_F_DONT_FRAGMENT,
      'seq-number': c.NFT_TUNNEL_F_SEQ_NUMBER,
    })],
    tos: [c.NFTA_TUNNEL_KEY_TOS, u8],
    ttl: [c.NFTA_TUNNEL_KEY_TTL, u8],
    sport: [c.NFTA_TUNNEL_KEY_SPORT, be16],
    dport: [c.NFTA_TUNNEL_KEY_DPORT, be16],
    options: [c.NFTA_TUNNEL_KEY_OPTS, attributes({
      vxlan: [c.NFTA_TUNNEL_KEY_OPTS_VXLAN, attributes({ gbp: [c.NFTA_TUNNEL_KEY_VXLAN_GBP, be32] })],
      erspan: [c.NFTA_TUNNEL_KEY_OPTS_ERSPAN, attributes({
        version: [c.NFTA_TUNNEL_KEY_ERSPAN_VERSION, be32],
        index: [c.NFTA_TUNNEL_KEY_ERSPAN_V1_INDEX, be32],
        direction: [c.NFTA_TUNNEL_KEY_ERSPAN_V2_DIR, u8],
        hwid: [c.NFTA_TUNNEL_KEY_ERSPAN_V2_HWID, u8],
      })],
      geneve: [c.NFTA_TUNNEL_KEY_OPTS_GENEVE, attributes({
        class: [c.NFTA_TUNNEL_KEY_GENEVE_CLASS, be16],
        type: [c.NFTA_TUNNEL_KEY_GENEVE_TYPE, u8],
        data: [c.NFTA_TUNNEL_KEY_GENEVE_DATA, raw],
      })],
    })],
  }),
} as const
type ObjectTables = typeof objectTables
export type ObjectData<T extends ObjectType> = TableValues<ObjectTables[T]>

export const objectAttributes = attributes({
  table: [c.NFTA_OBJ_TABLE, name],
  name: [c.NFTA_OBJ_NAME, name],
  type: [c.NFTA_OBJ_TYPE, named(be32, objectTypes)],
  userdata: [c.NFTA_OBJ_USERDATA, raw],
  data: [c.NFTA_OBJ_DATA, dependent('type', objectTables) as Codec<ObjectData<ObjectType> | Uint8Array>],
  use: [c.NFTA_OBJ_USE, be32],
  handle: [c.NFTA_OBJ_HANDLE, beCounter64],
})
export type ObjectEntries = typeof objectAttributes.entries

export interface ObjectRef {
  family: Family
  table: string
  name: string
  type: ObjectType
}

interface AnyObject extends Omit<ObjectRef, 'type'> {
  handle: number
  /** Rules and elements that refer to it. */
  use: number
  comment?: string | undefined
  userdata?: Uint8Array | undefined
}
/** An object as the kernel has it; of a kind that no table describes, `type` is its number and `data` the kernel's bytes. */
export type NftObject = AnyObject & (
  { [T in ObjectType]: { type: T, data: ObjectData<T> } }[ObjectType] | { type: number, data: Uint8Array }
)

export type AddObject = Omit<ObjectRef, 'type'> & {
  /** Printed by nft; at most 127 bytes. */
  comment?: string
  /** Fail with EEXIST if there is such an object. */
  exclusive?: boolean
} & (
  | { type: 'counter', packets?: number, bytes?: number }
  | { type: 'quota' } & Quota
  | { type: 'limit' } & Limit
  | { type: 'connlimit', count: number, over?: boolean }
  | { type: 'synproxy' } & Synproxy
  | { type: 'secmark', context: string }
  | { type: 'ct helper', helper: string, protocol: 'tcp' | 'udp', l3proto?: 'ip' | 'ip6' | 'inet' }
  | { type: 'ct timeout', protocol: string, l3proto?: 'ip' | 'ip6' | 'inet', policy: Readonly<Record<string, number>> }
  | { type: 'ct expectation', protocol: 'tcp' | 'udp', l3proto?: 'ip' | 'ip6' | 'inet', dport: number, timeoutMs: number, size: number }
  | { type: 'tunnel' } & ObjectData<'tunnel'>
)

/** Of every kind; those of another kind than the object's are left out. */
const objectFields: ReadonlySet<string> = new Set([
  'family', 'table', 'name', 'type', 'comment', 'exclusive', 'handle', 'use', 'userdata', 'data', 'packets', 'bytes', 'used', 'over', 'rate', 'per', 'unit',
  'burst', 'count', 'mss', 'wscale', 'timestamp', 'sackPerm', 'context', 'helper', 'protocol', 'l3proto', 'policy', 'dport', 'timeoutMs', 'size',
  'id', 'ip', 'ip6', 'flags', 'tos', 'ttl', 'sport', 'options',
])

/** Creates an object; one that exists is left as it is, but for a quota or limit, which is set. Timeouts of `policy` in seconds. */
export function addObject(object: AddObject): NftRequest<ObjectEntries> {
  const { family, table, name, type, comment, exclusive } = refOf('object', object, objectFields)
  checkType(type)
  const flags = NLM_F_CREATE | (isOn('exclusive', exclusive) ? NLM_F_EXCL : 0)
  const userdata = encodeUserdata({ comment })
  const values = { table, name, type, ...(userdata === undefined ? {} : { userdata }), data: objectData(object) }
  return nftRequest(c.NFT_MSG_NEWOBJ, flags, family, objectAttributes, values, `add ${type} ${family} ${table} ${name}`)
}

function objectData(object: AddObject): ObjectData<ObjectType> {
  const l3proto = 'l3proto' in object && object.l3proto !== undefined ? object.l3proto : object.family as 'ip'
  switch (object.type) {
    case 'counter': {
      const { bytes = 0, packets = 0 } = object
      return { bytes, packets }
    }
    case 'quota': return quotaData(object)
    case 'limit': return limitData(object)
    case 'connlimit': return { count: object.count, flags: isOn('over', object.over) ? c.NFT_CONNLIMIT_F_INV : 0 }
    case 'synproxy': return synproxyData(object)
    case 'secmark': return { context: object.context }
    case 'ct helper': return { name: object.helper, l3proto, l4proto: object.protocol }
    case 'ct timeout': return { l3proto, l4proto: object.protocol, policy: object.policy }
    case 'ct expectation': return { l3proto, l4proto: object.protocol, dport: object.dport, timeoutMs: object.timeoutMs, size: object.size }
    case 'tunnel': {
      if (object.family !== 'netdev') throw new InvalidArgumentError('family', object.family, 'netdev: the kernel has tunnels only in its tables')
      const { id, ip, ip6, flags, tos, ttl, sport, dport, options } = object
      return { id, ip, ip6, flags, tos, ttl, sport, dport, options }
    }
  }
}

function checkType(type: unknown): void {
  if (typeof type === 'string' && Object.hasOwn(objectTypes, type)) return
  const names = Object.keys(objectTypes)
  throw new InvalidArgumentError('type', type, `one of ${names.join(', ')}${didYouMean(type, names)}`)
}

/** Deletes an object; EBUSY while a rule or element refers to it. */
export function deleteObject(object: ObjectRef): NftRequest<ObjectEntries> {
  const { family, table, name, type } = refOf('object', object)
  checkType(type)
  return nftRequest(c.NFT_MSG_DELOBJ, 0, family, objectAttributes, { table, name, type }, `delete ${type} ${family} ${table} ${name}`)
}

/** All objects, of one family, table, kind. `reset`: counters and quotas begin anew; the answer holds what they were. */
export function listObjects(
  filter: { family?: Family, table?: string, type?: ObjectType, reset?: boolean } = {},
): NftRequest<ObjectEntries> {
  const { family, table, type, reset } = filterOf(filter)
  if (type !== undefined) checkType(type)
  const message = isOn('reset', reset) ? c.NFT_MSG_GETOBJ_RESET : c.NFT_MSG_GETOBJ
  const operation = [isOn('reset', reset) ? 'reset' : 'list', type ?? 'object', family, table].filter(part => part !== undefined).join(' ')
  return nftRequest(message, DUMP, family, objectAttributes, { table, type }, operation)
}

/** One object; ENOENT if there is none. */
export function getObject(object: ObjectRef & { reset?: boolean }): NftRequest<ObjectEntries> {
  const { family, table, name, type, reset } = refOf('object', object)
  checkType(type)
  const message = isOn('reset', reset) ? c.NFT_MSG_GETOBJ_RESET : c.NFT_MSG_GETOBJ
  const operation = `${isOn('reset', reset) ? 'reset' : 'get'} ${type} ${family} ${table} ${name}`
  return nftRequest(message, ASK, family, objectAttributes, { table, name, type }, operation)
}

export function decodeObject(message: Message): NftObject {
  const values = message.attributes as Values<ObjectEntries>
  const { table = '', name = '', handle = 0, use = 0, type = 0, data = new Uint8Array(), userdata } = values
  const comment = userdata === undefined ? undefined : decodeUserdata(userdata).comment
  return { family: familyOf(message), table, name, handle, use, type, data, comment, userdata } as NftObject
}
