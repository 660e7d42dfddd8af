/** Expressions that work on registers: constants, comparisons, arithmetic, sets. */
import { be32, beCounter64, named } from '../../netlink/codecs.ts'
import { attributes } from '../../netlink/table.ts'
import { data, enumeration, name, register } from '../codecs.ts'
import * as c from '../constants.ts'
import { statefulExpression, statefulExpressions } from './stateful.ts'

export const operationTables = {
  immediate: attributes({ dreg: [c.NFTA_IMMEDIATE_DREG, register], data: [c.NFTA_IMMEDIATE_DATA, data] }),
  cmp: attributes({
    sreg: [c.NFTA_CMP_SREG, register],
    op: [c.NFTA_CMP_OP, named(be32, enumeration(['eq', 'neq', 'lt', 'lte', 'gt', 'gte']))],
    data: [c.NFTA_CMP_DATA, data],
  }),
  range: attributes({
    sreg: [c.NFTA_RANGE_SREG, register],
    op: [c.NFTA_RANGE_OP, named(be32, enumeration(['eq', 'neq']))],
    from: [c.NFTA_RANGE_FROM_DATA, data],
    to: [c.NFTA_RANGE_TO_DATA, data],
  }),
  bitwise: attributes({
    sreg: [c.NFTA_BITWISE_SREG, register],
    dreg: [c.NFTA_BITWISE_DREG, register],
    len: [c.NFTA_BITWISE_LEN, be32],
    /** `bool`: and `mask`, then xor; the last three, of two registers or of one and `data`, since Linux 6.13. */
    op: [c.NFTA_BITWISE_OP, named(be32, enumeration(['bool', 'lshift', 'rshift', 'and', 'or', 'xor']))],
    mask: [c.NFTA_BITWISE_MASK, data],
    xor: [c.NFTA_BITWISE_XOR, data],
    data: [c.NFTA_BITWISE_DATA, data],
    sreg2: [c.NFTA_BITWISE_SREG2, register],
  }),
  byteorder: attributes({
    sreg: [c.NFTA_BYTEORDER_SREG, register],
    dreg: [c.NFTA_BYTEORDER_DREG, register],
    op: [c.NFTA_BYTEORDER_OP, named(be32, enumeration(['ntoh', 'hton']))],
    len: [c.NFTA_BYTEORDER_LEN, be32],
    size: [c.NFTA_BYTEORDER_SIZE, be32],
  }),
  lookup: attributes({
    set: [c.NFTA_LOOKUP_SET, name],
    sreg: [c.NFTA_LOOKUP_SREG, register],
    dreg: [c.NFTA_LOOKUP_DREG, register],
    setId: [c.NFTA_LOOKUP_SET_ID, be32],
    /** NFT_LOOKUP_F_*. */
    flags: [c.NFTA_LOOKUP_FLAGS, be32],
  }),
  dynset: attributes({
    set: [c.NFTA_DYNSET_SET_NAME, name],
    setId: [c.NFTA_DYNSET_SET_ID, be32],
    op: [c.NFTA_DYNSET_OP, named(be32, enumeration(['add', 'update', 'delete']))],
    sregKey: [c.NFTA_DYNSET_SREG_KEY, register],
    sregData: [c.NFTA_DYNSET_SREG_DATA, register],
    timeoutMs: [c.NFTA_DYNSET_TIMEOUT, beCounter64],
    expression: [c.NFTA_DYNSET_EXPR, statefulExpression],
    /** NFT_DYNSET_F_*. */
    flags: [c.NFTA_DYNSET_FLAGS, be32],
    expressions: [c.NFTA_DYNSET_EXPRESSIONS, statefulExpressions],
  }),
} as const
