/** Expressions with a state of their own, which may stand in rules, sets, set elements and, most of them, alone as objects. */
import { be32, beCounter64, named } from '../../netlink/codecs.ts'
import type { Codec } from '../../netlink/codecs.ts'
import { attributes, dependent, list } from '../../netlink/table.ts'
import type { TableValues } from '../../netlink/table.ts'
import { enumeration, name } from '../codecs.ts'
import * as c from '../constants.ts'

export const statefulTables = {
  counter: attributes({ bytes: [c.NFTA_COUNTER_BYTES, beCounter64], packets: [c.NFTA_COUNTER_PACKETS, beCounter64] }),
  limit: attributes({
    rate: [c.NFTA_LIMIT_RATE, beCounter64],
    /** In seconds. */
    unit: [c.NFTA_LIMIT_UNIT, beCounter64],
    burst: [c.NFTA_LIMIT_BURST, be32],
    type: [c.NFTA_LIMIT_TYPE, named(be32, enumeration(['packets', 'bytes']))],
    /** NFT_LIMIT_F_*. */
    flags: [c.NFTA_LIMIT_FLAGS, be32],
  }),
  quota: attributes({
    bytes: [c.NFTA_QUOTA_BYTES, beCounter64],
    consumed: [c.NFTA_QUOTA_CONSUMED, beCounter64],
    /** NFT_QUOTA_F_*. */
    flags: [c.NFTA_QUOTA_FLAGS, be32],
  }),
  connlimit: attributes({
    count: [c.NFTA_CONNLIMIT_COUNT, be32],
    /** NFT_CONNLIMIT_F_*. */
    flags: [c.NFTA_CONNLIMIT_FLAGS, be32],
  }),
  last: attributes({
    /** 1: a packet has been seen, `msecs` ago. */
    set: [c.NFTA_LAST_SET, be32],
    msecs: [c.NFTA_LAST_MSECS, beCounter64],
  }),
} as const

type Tables = typeof statefulTables
/** What a set, an element or a dynset statement may carry. */
export type StatefulExpression = { [N in keyof Tables]: { name: N, data: TableValues<Tables[N]> } }[keyof Tables] |
  { name: string, data?: Uint8Array | undefined }

export const statefulExpression: Codec<StatefulExpression> = attributes({
  name: [c.NFTA_EXPR_NAME, name],
  data: [c.NFTA_EXPR_DATA, dependent('name', statefulTables)],
}) as unknown as Codec<StatefulExpression>

export const statefulExpressions: Codec<StatefulExpression[]> = list(c.NFTA_LIST_ELEM, statefulExpression)
