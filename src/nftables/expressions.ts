/**
 * The expressions that rules are made of, one table each: attribute names as in linux/netfilter/nf_tables.h, enum
 * values as nft(8) writes them. A new expression is a new entry of `expressionTables`; those without one are kept as
 * raw bytes.
 */
import { be16, be32, beCounter64, named, raw, sbe32, string, u8 } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import { attributes, dependent } from '../netlink/table.ts'
import type { TableValues } from '../netlink/table.ts'
import * as c from './constants.ts'
import { families } from './messages.ts'

/** Numbers names from 0, as a C enum does. */
function enumeration<const N extends readonly string[]>(...names: N): { [K in N[number]]: number } {
  return Object.fromEntries(names.map((name, index) => [name, index])) as { [K in N[number]]: number }
}

const name = string(c.NFT_NAME_MAXLEN - 1)
/** Number of a register: 0 the verdict, 1–4 of 16 bytes, 8–23 of 4 bytes. */
const register = be32

export const verdicts = {
  accept: c.NF_ACCEPT,
  drop: c.NF_DROP,
  queue: c.NF_QUEUE,
  continue: c.NFT_CONTINUE,
  break: c.NFT_BREAK,
  jump: c.NFT_JUMP,
  goto: c.NFT_GOTO,
  return: c.NFT_RETURN,
} as const

const verdict = attributes({
  code: [c.NFTA_VERDICT_CODE, named(sbe32, verdicts)],
  chain: [c.NFTA_VERDICT_CHAIN, name],
  chainId: [c.NFTA_VERDICT_CHAIN_ID, be32],
})

/** A value as the packet or the kernel holds it, or a verdict. */
const data = attributes({
  value: [c.NFTA_DATA_VALUE, raw],
  verdict: [c.NFTA_DATA_VERDICT, verdict],
})

const metaKey = named(be32, enumeration(
  'len', 'protocol', 'priority', 'mark', 'iif', 'oif', 'iifname', 'oifname', 'iiftype', 'oiftype', 'skuid', 'skgid',
  'nftrace', 'rtclassid', 'secmark', 'nfproto', 'l4proto', 'ibrname', 'obrname', 'pkttype', 'cpu', 'iifgroup',
  'oifgroup', 'cgroup', 'random', 'ipsec', 'iifkind', 'oifkind', 'ibrpvid', 'ibrvproto', 'time', 'day', 'hour',
  'sdif', 'sdifname',
))

const ctKey = named(be32, enumeration(
  'state', 'direction', 'status', 'mark', 'secmark', 'expiration', 'helper', 'l3proto', 'saddr', 'daddr', 'protocol',
  'proto-src', 'proto-dst', 'label', 'packets', 'bytes', 'avgpkt', 'zone', 'event', 'ip saddr', 'ip daddr', 'ip6 saddr',
  'ip6 daddr', 'id',
))

const natFamily = named(be32, { ip: families.ip, ip6: families.ip6 })

const expressionTables = {
  immediate: attributes({ dreg: [c.NFTA_IMMEDIATE_DREG, register], data: [c.NFTA_IMMEDIATE_DATA, data] }),
  meta: attributes({
    key: [c.NFTA_META_KEY, metaKey],
    dreg: [c.NFTA_META_DREG, register],
    sreg: [c.NFTA_META_SREG, register],
  }),
  payload: attributes({
    dreg: [c.NFTA_PAYLOAD_DREG, register],
    base: [c.NFTA_PAYLOAD_BASE, named(be32, enumeration('link', 'network', 'transport', 'inner'))],
    /** In bytes. */
    offset: [c.NFTA_PAYLOAD_OFFSET, be32],
    /** In bytes. */
    len: [c.NFTA_PAYLOAD_LEN, be32],
    sreg: [c.NFTA_PAYLOAD_SREG, register],
    csumType: [c.NFTA_PAYLOAD_CSUM_TYPE, named(be32, enumeration('none', 'inet', 'sctp'))],
    csumOffset: [c.NFTA_PAYLOAD_CSUM_OFFSET, be32],
    csumFlags: [c.NFTA_PAYLOAD_CSUM_FLAGS, be32],
  }),
  cmp: attributes({
    sreg: [c.NFTA_CMP_SREG, register],
    op: [c.NFTA_CMP_OP, named(be32, enumeration('eq', 'neq', 'lt', 'lte', 'gt', 'gte'))],
    data: [c.NFTA_CMP_DATA, data],
  }),
  range: attributes({
    sreg: [c.NFTA_RANGE_SREG, register],
    op: [c.NFTA_RANGE_OP, named(be32, enumeration('eq', 'neq'))],
    from: [c.NFTA_RANGE_FROM_DATA, data],
    to: [c.NFTA_RANGE_TO_DATA, data],
  }),
  bitwise: attributes({
    sreg: [c.NFTA_BITWISE_SREG, register],
    dreg: [c.NFTA_BITWISE_DREG, register],
    len: [c.NFTA_BITWISE_LEN, be32],
    op: [c.NFTA_BITWISE_OP, named(be32, enumeration('bool', 'lshift', 'rshift'))],
    mask: [c.NFTA_BITWISE_MASK, data],
    xor: [c.NFTA_BITWISE_XOR, data],
    data: [c.NFTA_BITWISE_DATA, data],
  }),
  byteorder: attributes({
    sreg: [c.NFTA_BYTEORDER_SREG, register],
    dreg: [c.NFTA_BYTEORDER_DREG, register],
    op: [c.NFTA_BYTEORDER_OP, named(be32, enumeration('ntoh', 'hton'))],
    len: [c.NFTA_BYTEORDER_LEN, be32],
    size: [c.NFTA_BYTEORDER_SIZE, be32],
  }),
  lookup: attributes({
    set: [c.NFTA_LOOKUP_SET, name],
    sreg: [c.NFTA_LOOKUP_SREG, register],
    dreg: [c.NFTA_LOOKUP_DREG, register],
    setId: [c.NFTA_LOOKUP_SET_ID, be32],
    flags: [c.NFTA_LOOKUP_FLAGS, be32],
  }),
  ct: attributes({
    key: [c.NFTA_CT_KEY, ctKey],
    dreg: [c.NFTA_CT_DREG, register],
    direction: [c.NFTA_CT_DIRECTION, named(u8, enumeration('original', 'reply'))],
    sreg: [c.NFTA_CT_SREG, register],
  }),
  rt: attributes({
    key: [c.NFTA_RT_KEY, named(be32, enumeration('classid', 'nexthop4', 'nexthop6', 'mtu', 'ipsec'))],
    dreg: [c.NFTA_RT_DREG, register],
  }),
  fib: attributes({
    dreg: [c.NFTA_FIB_DREG, register],
    result: [c.NFTA_FIB_RESULT, named(be32, enumeration('unspec', 'oif', 'oifname', 'type'))],
    flags: [c.NFTA_FIB_FLAGS, be32],
  }),
  counter: attributes({ bytes: [c.NFTA_COUNTER_BYTES, beCounter64], packets: [c.NFTA_COUNTER_PACKETS, beCounter64] }),
  limit: attributes({
    rate: [c.NFTA_LIMIT_RATE, beCounter64],
    /** In seconds. */
    unit: [c.NFTA_LIMIT_UNIT, beCounter64],
    burst: [c.NFTA_LIMIT_BURST, be32],
    type: [c.NFTA_LIMIT_TYPE, named(be32, enumeration('packets', 'bytes'))],
    flags: [c.NFTA_LIMIT_FLAGS, be32],
  }),
  log: attributes({
    group: [c.NFTA_LOG_GROUP, be16],
    prefix: [c.NFTA_LOG_PREFIX, string(127)],
    snaplen: [c.NFTA_LOG_SNAPLEN, be32],
    qthreshold: [c.NFTA_LOG_QTHRESHOLD, be16],
    level: [
      c.NFTA_LOG_LEVEL,
      named(be32, enumeration('emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit')),
    ],
    flags: [c.NFTA_LOG_FLAGS, be32],
  }),
  reject: attributes({
    type: [c.NFTA_REJECT_TYPE, named(be32, enumeration('icmp', 'tcp reset', 'icmpx'))],
    code: [c.NFTA_REJECT_ICMP_CODE, u8],
  }),
  nat: attributes({
    type: [c.NFTA_NAT_TYPE, named(be32, enumeration('snat', 'dnat'))],
    family: [c.NFTA_NAT_FAMILY, natFamily],
    regAddrMin: [c.NFTA_NAT_REG_ADDR_MIN, register],
    regAddrMax: [c.NFTA_NAT_REG_ADDR_MAX, register],
    regProtoMin: [c.NFTA_NAT_REG_PROTO_MIN, register],
    regProtoMax: [c.NFTA_NAT_REG_PROTO_MAX, register],
    flags: [c.NFTA_NAT_FLAGS, be32],
  }),
  masq: attributes({
    flags: [c.NFTA_MASQ_FLAGS, be32],
    regProtoMin: [c.NFTA_MASQ_REG_PROTO_MIN, register],
    regProtoMax: [c.NFTA_MASQ_REG_PROTO_MAX, register],
  }),
  redir: attributes({
    regProtoMin: [c.NFTA_REDIR_REG_PROTO_MIN, register],
    regProtoMax: [c.NFTA_REDIR_REG_PROTO_MAX, register],
    flags: [c.NFTA_REDIR_FLAGS, be32],
  }),
  queue: attributes({
    num: [c.NFTA_QUEUE_NUM, be16],
    total: [c.NFTA_QUEUE_TOTAL, be16],
    flags: [c.NFTA_QUEUE_FLAGS, be16],
  }),
  objref: attributes({
    type: [c.NFTA_OBJREF_IMM_TYPE, be32],
    name: [c.NFTA_OBJREF_IMM_NAME, name],
    setSreg: [c.NFTA_OBJREF_SET_SREG, register],
    setName: [c.NFTA_OBJREF_SET_NAME, name],
    setId: [c.NFTA_OBJREF_SET_ID, be32],
  }),
  flow_offload: attributes({ flowtable: [c.NFTA_FLOW_TABLE_NAME, name] }),
  notrack: attributes({}),
  /** An iptables match or target; `info` is its C struct, see iptables/xt.ts. */
  match: attributes({
    name: [c.NFTA_MATCH_NAME, string(28)],
    revision: [c.NFTA_MATCH_REV, be32],
    info: [c.NFTA_MATCH_INFO, raw],
  }),
  target: attributes({
    name: [c.NFTA_TARGET_NAME, string(28)],
    revision: [c.NFTA_TARGET_REV, be32],
    info: [c.NFTA_TARGET_INFO, raw],
  }),
} as const

type Tables = typeof expressionTables
export type ExpressionName = keyof Tables
export type ExpressionData<N extends ExpressionName> = TableValues<Tables[N]>

/** An expression that a table describes. */
export type KnownExpression = { [N in ExpressionName]: { name: N, data: ExpressionData<N> } }[ExpressionName]
export type ExpressionOf<N extends ExpressionName> = Extract<KnownExpression, { name: N }>
/** Any other, as the kernel wrote it. */
export interface RawExpression {
  name: string
  data?: Uint8Array | undefined
}
export type Expression = KnownExpression | RawExpression

export const expression: Codec<Expression> = attributes({
  name: [c.NFTA_EXPR_NAME, name],
  data: [c.NFTA_EXPR_DATA, dependent('name', expressionTables)],
}) as unknown as Codec<Expression>

/** Whether it is this expression, in decoded form. */
export function isExpression<N extends ExpressionName>(
  value: Expression | undefined, name: N,
): value is ExpressionOf<N> {
  return value?.name === name && value.data !== undefined && !(value.data instanceof Uint8Array)
}
