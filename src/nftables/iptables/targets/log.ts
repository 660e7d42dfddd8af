/** Telling somebody, and handing packets on. Sources: linux/netfilter/xt_LOG.h, xt_NFLOG.h, xt_NFQUEUE.h, … */
import { be16, counter64, padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import type { ExpressionData } from '../../expressions.ts'
import { setRegister } from '../../primitives.ts'
import { inetText, toInet } from '../addresses.ts'
import { readFlags, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { extension, listSaid, option, says, saysIf } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { logLevel, rejectCodes } from '../names.ts'
import type { RejectWith } from '../names.ts'
import { address, flag, integer, interfacePattern, mark, range, text } from '../values.ts'
import type { Context, Kind } from '../values.ts'
import { fixedText, inetAddress } from '../xt.ts'

const rejectWith: Kind<RejectWith> = {
  words: 1,
  accepted: `of family ip one of ${Object.keys(rejectCodes.ip).join(', ')}; of ip6 one of ${Object.keys(rejectCodes.ip6).join(', ')}`,
  parse(value, { family }) {
    const name = otherNames[value] ?? value
    return Object.hasOwn(rejectCodes[family], name) ? name as RejectWith : undefined
  },
  format: String,
  type: String,
}
/** iptables takes these too. */
const otherNames: Readonly<Record<string, string>> = {
  'net-unreach': 'icmp-net-unreachable', 'host-unreach': 'icmp-host-unreachable', 'proto-unreach': 'icmp-proto-unreachable',
  'port-unreach': 'icmp-port-unreachable', 'net-prohib': 'icmp-net-prohibited', 'host-prohib': 'icmp-host-prohibited',
  'tcp-rst': 'tcp-reset', 'admin-prohib': 'icmp-admin-prohibited', 'no-route': 'icmp6-no-route', 'adm-prohibited': 'icmp6-adm-prohibited',
  'addr-unreach': 'icmp6-addr-unreachable', 'policy-fail': 'icmp6-policy-fail', 'reject-route': 'icmp6-reject-route',
}
const rejectOptions = { rejectWith: option(rejectWith) }

function rejectName(given: Given<typeof rejectOptions>, { family }: Context): RejectWith {
  return given.rejectWith?.value ?? (family === 'ip' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable')
}

export const REJECT: Extension<typeof rejectOptions> = extension({
  name: 'REJECT',
  options: rejectOptions,
  tables: ['filter'],
  layout: struct({ with: u32 }),
  check: (given, context) => (rejectName(given, context) === 'tcp-reset' && context.protocol !== 6
    ? ['rejectWith', 'tcp-reset only with protocol tcp'] : undefined),
  write: (given, context) => ({ with: (rejectCodes[context.family] as Readonly<Record<string, number>>)[rejectName(given, context)] }),
  read({ with: code }, { family }) {
    const name = Object.entries(rejectCodes[family]).find(([, number]) => number === code)?.[0]
    return name === undefined ? undefined : { rejectWith: says(name as RejectWith) }
  },
  list: (given, context) => `reject-with ${rejectName(given, context)}`,
})

const logFlags = {
  logTcpSequence: c.XT_LOG_TCPSEQ, logTcpOptions: c.XT_LOG_TCPOPT, logIpOptions: c.XT_LOG_IPOPT,
  logUid: c.XT_LOG_UID, logMacdecode: c.XT_LOG_MACDECODE,
} as const
const logOptions = {
  logPrefix: option(text(29)),
  logLevel: option(logLevel),
  logTcpSequence: option(flag),
  logTcpOptions: option(flag),
  logIpOptions: option(flag),
  logUid: option(flag),
  logMacdecode: option(flag),
}
const WARNING = 4

export const LOG: Extension<typeof logOptions> = extension({
  name: 'LOG',
  options: logOptions,
  layout: struct({ level: u8, flags: u8, prefix: fixedText(30) }),
  write: given => ({ level: given.logLevel?.value ?? WARNING, flags: saidBits(logFlags, given), prefix: given.logPrefix?.value }),
  read: ({ level, flags, prefix }) => ({
    logPrefix: saysIf(prefix !== '', prefix), logLevel: saysIf(level !== WARNING, level),
    ...readFlags(logFlags, flags),
  }),
  list(given) {
    const prefix = given.logPrefix === undefined ? '' : ` prefix "${given.logPrefix.value}"`
    return `LOG flags ${saidBits(logFlags, given)} level ${given.logLevel?.value ?? WARNING}${prefix}`
  },
})

const number16 = integer(0, 0xffff)
const size = integer(0, 0xffffffff)
const nflogOptions = {
  nflogPrefix: option(text(127)), nflogGroup: option(number16), nflogSize: option(size),
  // It never did anything, and is not written; older versions of the tool left it in the struct.
  nflogRange: option(size),
  nflogThreshold: option(number16),
}
type NflogData = Pick<ExpressionData<'log'>, 'prefix' | 'group' | 'snaplen' | 'qthreshold'>

/** What nf_tables' own log expression with a group says. */
export function nflogGiven({ prefix = '', group = 0, snaplen = 0, qthreshold = 0 }: NflogData): Given<typeof nflogOptions> {
  return {
    nflogPrefix: saysIf(prefix !== '', prefix), nflogGroup: saysIf(group !== 0, group), nflogSize: saysIf(snaplen !== 0, snaplen),
    nflogThreshold: saysIf(qthreshold !== 0, qthreshold),
  }
}

export const NFLOG: Extension<typeof nflogOptions> = extension({
  name: 'NFLOG',
  options: nflogOptions,
  layout: struct({ len: u32, group: u16, threshold: u16, flags: u16, _pad: padding(2), prefix: fixedText(64) }),
  native: ({ nflogPrefix, nflogGroup, nflogSize, nflogThreshold }) => [{
    name: 'log',
    data: {
      prefix: nflogPrefix?.value, group: nflogGroup?.value ?? 0, snaplen: nflogSize?.value, qthreshold: nflogThreshold?.value,
    },
  }],
  write: ({ nflogPrefix, nflogGroup, nflogSize, nflogRange, nflogThreshold }) => ({
    len: (nflogSize ?? nflogRange)?.value, group: nflogGroup?.value, threshold: nflogThreshold?.value,
    flags: nflogSize === undefined ? 0 : c.XT_NFLOG_F_COPY_LEN, prefix: nflogPrefix?.value,
  }),
  read({ len, group, threshold, flags, prefix }) {
    const sized = (flags & c.XT_NFLOG_F_COPY_LEN) !== 0
    return {
      ...nflogGiven({ prefix, group, qthreshold: threshold, snaplen: sized ? len : 0 }), nflogRange: saysIf(!sized && len !== 0, len),
    }
  },
  list: given => listSaid(nflogOptions, given),
})

const ulogOptions = {
  ulogPrefix: option(text(31)), ulogNlgroup: option(integer(1, 32)), ulogCprange: option(integer(0, 0xffffffff)),
  ulogQthreshold: option(integer(1, 50)),
}

/** NFLOG's forerunner, of IPv4. Not in Linux since 3.17. Source: linux/netfilter_ipv4/ipt_ULOG.h, which newer headers lack. */
export const ULOG: Extension<typeof ulogOptions> = extension({
  name: 'ULOG',
  options: ulogOptions,
  families: ['ip'],
  layout: struct({ groups: u32, _: padding(4), range: counter64, threshold: counter64, prefix: fixedText(32) }),
  write: ({ ulogPrefix, ulogNlgroup, ulogCprange, ulogQthreshold }) => ({
    groups: 2 ** ((ulogNlgroup?.value ?? 1) - 1), range: ulogCprange?.value, threshold: ulogQthreshold?.value ?? 1,
    prefix: ulogPrefix?.value,
  }),
  read({ groups, range: size, threshold, prefix }) {
    const group = 32 - Math.clz32(groups & -groups)
    return {
      ulogPrefix: saysIf(prefix !== '', prefix), ulogNlgroup: saysIf(group !== 1, group), ulogCprange: saysIf(size !== 0, size),
      ulogQthreshold: saysIf(threshold !== 1, threshold),
    }
  },
  list: ({ ulogPrefix, ulogNlgroup, ulogCprange, ulogQthreshold }) =>
    `ULOG copy_range ${ulogCprange?.value ?? 0} nlgroup ${ulogNlgroup?.value ?? 1}` +
    `${ulogPrefix === undefined ? '' : ` prefix "${ulogPrefix.value}"`} queue_threshold ${ulogQthreshold?.value ?? 1}`,
})

const queues = { ...range(0xffff), format: ([first, last]: readonly [number, number]) => `${first}:${last}` }
const queueOptions = { queueNum: option(number16), queueBalance: option(queues), queueBypass: option(flag), queueCpuFanout: option(flag) }

export const NFQUEUE: Extension<typeof queueOptions> = extension({
  name: 'NFQUEUE',
  revision: 3,
  options: queueOptions,
  layout: struct({ number: u16, total: u16, flags: u16 }),
  check(given) {
    if (given.queueNum !== undefined && given.queueBalance !== undefined) return ['queueBalance', 'nothing beside queueNum']
    const [first, last] = given.queueBalance?.value ?? [0, 1]
    if (first === last) return ['queueBalance', 'the first and the last of at least two queues']
    return given.queueCpuFanout !== undefined && given.queueBalance === undefined ? ['queueCpuFanout', 'queueBalance beside it'] : undefined
  },
  write(given) {
    const [first, last] = given.queueBalance?.value ?? [given.queueNum?.value ?? 0, given.queueNum?.value ?? 0]
    return {
      number: first, total: last - first + 1,
      flags: (given.queueBypass === undefined ? 0 : c.NFQ_FLAG_BYPASS) | (given.queueCpuFanout === undefined ? 0 : c.NFQ_FLAG_CPU_FANOUT),
    }
  },
  read: ({ number, total, flags }) => ({
    queueNum: saysIf(total <= 1, number), queueBalance: saysIf(total > 1, [number, number + total - 1] as const),
    queueBypass: saysIf((flags & c.NFQ_FLAG_BYPASS) !== 0, true as const),
    queueCpuFanout: saysIf((flags & c.NFQ_FLAG_CPU_FANOUT) !== 0, true as const),
  }),
  list: given => [
    `NFQUEUE ${given.queueBalance === undefined ? `num ${given.queueNum?.value ?? 0}` : `balance ${queues.format(given.queueBalance.value)}`}`,
    ...(given.queueBypass === undefined ? [] : ['bypass']), ...(given.queueCpuFanout === undefined ? [] : ['cpu-fanout']),
  ].join(' '),
})

const tproxyMark = mark({ always: true })
const tproxyOptions = { onPort: option(number16), onIp: option(address), tproxyMark: option(tproxyMark) }

export const TPROXY: Extension<typeof tproxyOptions> = extension({
  name: 'TPROXY',
  revision: 1,
  options: tproxyOptions,
  tables: ['mangle'],
  protocols: [6, 17],
  layout: struct({ mask: u32, value: u32, address: inetAddress, port: be16, _: padding(2) }),
  check: given => (given.onPort === undefined ? ['onPort', number16.accepted] : undefined),
  write: ({ onPort, onIp, tproxyMark: said }) => ({
    mask: said?.value.mask, value: said?.value.value, address: toInet(onIp?.value ?? ''), port: onPort?.value,
  }),
  read: ({ mask, value, address: bytes, port }, { family }) =>
    ({ onPort: says(port), onIp: says(inetText(bytes, family)), tproxyMark: says({ value, mask }) }),
  list: ({ onPort, onIp, tproxyMark: said }) =>
    `TPROXY redirect ${onIp?.value ?? ''}:${onPort?.value ?? 0} mark ${tproxyMark.format(said?.value ?? { value: 0, mask: 0 })}`,
})

const teeOptions = { gateway: option(address), oif: option(interfacePattern) }

export const TEE: Extension<typeof teeOptions> = extension({
  name: 'TEE',
  revision: 1,
  options: teeOptions,
  layout: struct({ gateway: inetAddress, oif: fixedText(16), _priv: padding(8) }),
  check: given => (given.gateway === undefined ? ['gateway', address.accepted] : undefined),
  write: ({ gateway, oif }) => ({ gateway: toInet(gateway?.value ?? ''), oif: oif?.value }),
  read: ({ gateway, oif }, { family }) => ({ gateway: says(inetText(gateway, family)), oif: saysIf(oif !== '', oif) }),
  list: ({ gateway, oif }) => `TEE gw:${gateway?.value ?? ''}${oif === undefined ? '' : ` oif=${oif.value}`}`,
})

const noOptions = {}
/** NFT_REG32_01. */
const TRACE_REGISTER = 9

export const TRACE: Extension<typeof noOptions> = extension({
  name: 'TRACE',
  options: noOptions,
  tables: ['raw'],
  layout: struct({}),
  native: () => [
    setRegister(TRACE_REGISTER, Uint8Array.of(1)),
    { name: 'meta', data: { key: 'nftrace', sreg: TRACE_REGISTER } },
  ],
  write: () => ({}),
  read: () => ({}),
  list: () => '',
})
