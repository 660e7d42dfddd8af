/** Expressions that do something with the packet or its connection. */
import { be16, be32, named, raw, string, text, u8 } from '../../netlink/codecs.ts'
import { attributes } from '../../netlink/table.ts'
import { enumeration, name, register } from '../codecs.ts'
import * as c from '../constants.ts'
import { families } from '../messages.ts'

/** nft sends these without a NUL. */
const objectName = text(c.NFT_NAME_MAXLEN - 1)
const addressFamily = named(be32, { ip: families.ip, ip6: families.ip6 })

export const statementTables = {
  log: attributes({
    group: [c.NFTA_LOG_GROUP, be16],
    prefix: [c.NFTA_LOG_PREFIX, string(127)],
    snaplen: [c.NFTA_LOG_SNAPLEN, be32],
    qthreshold: [c.NFTA_LOG_QTHRESHOLD, be16],
    level: [
      c.NFTA_LOG_LEVEL,
      named(be32, enumeration(['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'])),
    ],
    /** NF_LOG_*. */
    flags: [c.NFTA_LOG_FLAGS, be32],
  }),
  reject: attributes({
    type: [c.NFTA_REJECT_TYPE, named(be32, enumeration(['icmp', 'tcp reset', 'icmpx']))],
    code: [c.NFTA_REJECT_ICMP_CODE, u8],
  }),
  nat: attributes({
    type: [c.NFTA_NAT_TYPE, named(be32, enumeration(['snat', 'dnat']))],
    family: [c.NFTA_NAT_FAMILY, addressFamily],
    regAddrMin: [c.NFTA_NAT_REG_ADDR_MIN, register],
    regAddrMax: [c.NFTA_NAT_REG_ADDR_MAX, register],
    regProtoMin: [c.NFTA_NAT_REG_PROTO_MIN, register],
    regProtoMax: [c.NFTA_NAT_REG_PROTO_MAX, register],
    /** NF_NAT_RANGE_*. */
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
  tproxy: attributes({
    family: [c.NFTA_TPROXY_FAMILY, named(be32, { unspec: 0, ip: families.ip, ip6: families.ip6 })],
    regAddr: [c.NFTA_TPROXY_REG_ADDR, register],
    regPort: [c.NFTA_TPROXY_REG_PORT, register],
  }),
  dup: attributes({
    sregAddr: [c.NFTA_DUP_SREG_ADDR, register],
    sregDev: [c.NFTA_DUP_SREG_DEV, register],
  }),
  fwd: attributes({
    sregDev: [c.NFTA_FWD_SREG_DEV, register],
    sregAddr: [c.NFTA_FWD_SREG_ADDR, register],
    nfproto: [c.NFTA_FWD_NFPROTO, addressFamily],
  }),
  queue: attributes({
    num: [c.NFTA_QUEUE_NUM, be16],
    total: [c.NFTA_QUEUE_TOTAL, be16],
    /** NFT_QUEUE_FLAG_*. */
    flags: [c.NFTA_QUEUE_FLAGS, be16],
    sregQnum: [c.NFTA_QUEUE_SREG_QNUM, register],
  }),
  objref: attributes({
    /** NFT_OBJECT_*. */
    type: [c.NFTA_OBJREF_IMM_TYPE, be32],
    name: [c.NFTA_OBJREF_IMM_NAME, objectName],
    setSreg: [c.NFTA_OBJREF_SET_SREG, register],
    setName: [c.NFTA_OBJREF_SET_NAME, objectName],
    setId: [c.NFTA_OBJREF_SET_ID, be32],
  }),
  flow_offload: attributes({ flowtable: [c.NFTA_FLOW_TABLE_NAME, name] }),
  notrack: attributes({}),
  synproxy: attributes({
    mss: [c.NFTA_SYNPROXY_MSS, be16],
    wscale: [c.NFTA_SYNPROXY_WSCALE, u8],
    /** NF_SYNPROXY_OPT_*. */
    flags: [c.NFTA_SYNPROXY_FLAGS, be32],
  }),
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
