/** What stands in the headers of IP and TCP. Sources: linux/netfilter/xt_length.h, xt_dscp.h, xt_ecn.h, … */
import { bool8, padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { inetText, toInet } from '../addresses.ts'
import { notBits, readBits, readFlags, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { dscpClass, dscpOf, tos as tosKind } from '../names.ts'
import type { DscpClass } from '../names.ts'
import { addressRange, bitsOf, flag, hexadecimal, integer, namesOf, nameList, oneOf, range } from '../values.ts'
import { inetAddress } from '../xt.ts'

const lengthOptions = { length: negatable(range(0xffff)) }

export const length: Extension<typeof lengthOptions> = extension({
  name: 'length',
  options: lengthOptions,
  layout: struct({ min: u16, max: u16, invert: bool8, _: padding(1) }),
  check: given => (given.length === undefined ? ['length', lengthOptions.length.kind.accepted] : undefined),
  write: ({ length: said }) => ({ min: said?.value[0], max: said?.value[1], invert: said?.not }),
  read: ({ min, max, invert }) => ({ length: says([min, max] as const, invert) }),
  list: ({ length: said }) => `length ${bang(said)}${lengthOptions.length.kind.format(said?.value ?? [0, 0])}`,
})

/** struct ipt_ttl_info, struct ip6t_hl_info. */
const lifeLayout = struct({ mode: u8, value: u8, _: padding(2) })
const byte = integer(0, 255)
/** IPT_TTL_EQ, _NE, _LT, _GT by number. */
const relations = ['==', '!=', '<', '>'] as const

function writeLife(
  eq: Said<number> | undefined, lt: Said<number> | undefined, gt: Said<number> | undefined,
): { mode: number, value: number } {
  const mode = lt !== undefined ? 2 : gt !== undefined ? 3 : eq?.not === true ? 1 : 0
  return { mode, value: (eq ?? lt ?? gt)?.value ?? 0 }
}

function listLife(label: string, { mode, value }: { mode: number, value: number }): string {
  return `${label} match ${label} ${relations[mode] ?? ''} ${value}`
}

function exactlyOne(...said: readonly unknown[]): boolean {
  return said.filter(each => each !== undefined).length === 1
}

const ttlOptions = { ttlEq: negatable(byte), ttlLt: option(byte), ttlGt: option(byte) }

export const ttl: Extension<typeof ttlOptions> = extension({
  name: 'ttl',
  options: ttlOptions,
  families: ['ip'],
  layout: lifeLayout,
  check: ({ ttlEq, ttlLt, ttlGt }) => (exactlyOne(ttlEq, ttlLt, ttlGt) ? undefined : ['ttlEq', 'exactly one of ttlEq, ttlLt and ttlGt']),
  write: ({ ttlEq, ttlLt, ttlGt }) => writeLife(ttlEq, ttlLt, ttlGt),
  read: ({ mode, value }) =>
    ({ ttlEq: saysIf(mode < 2, value, mode === 1), ttlLt: saysIf(mode === 2, value), ttlGt: saysIf(mode === 3, value) }),
  list: ({ ttlEq, ttlLt, ttlGt }) => listLife('TTL', writeLife(ttlEq, ttlLt, ttlGt)),
})

const hlOptions = { hlEq: negatable(byte), hlLt: option(byte), hlGt: option(byte) }

export const hl: Extension<typeof hlOptions> = extension({
  name: 'hl',
  options: hlOptions,
  families: ['ip6'],
  layout: lifeLayout,
  check: ({ hlEq, hlLt, hlGt }) => (exactlyOne(hlEq, hlLt, hlGt) ? undefined : ['hlEq', 'exactly one of hlEq, hlLt and hlGt']),
  write: ({ hlEq, hlLt, hlGt }) => writeLife(hlEq, hlLt, hlGt),
  read: ({ mode, value }) =>
    ({ hlEq: saysIf(mode < 2, value, mode === 1), hlLt: saysIf(mode === 2, value), hlGt: saysIf(mode === 3, value) }),
  list: ({ hlEq, hlLt, hlGt }) => listLife('HL', writeLife(hlEq, hlLt, hlGt)),
})

const dscpOptions = {
  dscp: negatable(hexadecimal(0x3f, 2)),
  dscpClass: { ...negatable(dscpClass), means: ({ not, value }: Said<DscpClass>) => ({ dscp: says(dscpOf(value), not) }) },
}

export const dscp: Extension<typeof dscpOptions> = extension({
  name: 'dscp',
  options: dscpOptions,
  layout: struct({ dscp: u8, invert: bool8, _: padding(2) }),
  check: given => (given.dscp === undefined ? ['dscp', dscpOptions.dscp.kind.accepted] : undefined),
  write: ({ dscp: said }) => ({ dscp: said?.value, invert: said?.not }),
  read: ({ dscp: value, invert }) => ({ dscp: says(value, invert) }),
  list: ({ dscp: said }) => `DSCP match ${bang(said)}${dscpOptions.dscp.kind.format(said?.value ?? 0)}`,
})

const tosOptions = { tos: negatable(tosKind) }

export const tos: Extension<typeof tosOptions> = extension({
  name: 'tos',
  revision: 1,
  options: tosOptions,
  layout: struct({ mask: u8, value: u8, invert: bool8, _: padding(1) }),
  check: given => (given.tos === undefined ? ['tos', tosKind.accepted] : undefined),
  write: ({ tos: said }) => ({ mask: said?.value.mask, value: said?.value.value, invert: said?.not }),
  read: ({ mask, value, invert }) => ({ tos: says({ value, mask }, invert) }),
  // The tool puts no space there.
  list: ({ tos: said }) => `tos match${bang(said)}${tosKind.format(said?.value ?? { value: 0, mask: 0 })}`,
})

/** XT_ADDRTYPE_* by bit. */
const addressTypes = [
  'UNSPEC', 'UNICAST', 'LOCAL', 'BROADCAST', 'ANYCAST', 'MULTICAST', 'BLACKHOLE', 'UNREACHABLE', 'PROHIBIT', 'THROW',
  'NAT', 'XRESOLVE',
] as const
const someTypes = negatable(nameList(addressTypes))
const addrtypeOptions = {
  srcType: someTypes,
  dstType: someTypes,
  limitIfaceIn: option(flag),
  limitIfaceOut: option(flag),
}

const typeNotBits = { srcType: c.XT_ADDRTYPE_INVERT_SOURCE, dstType: c.XT_ADDRTYPE_INVERT_DEST } as const
const limitBits = { limitIfaceIn: c.XT_ADDRTYPE_LIMIT_IFACE_IN, limitIfaceOut: c.XT_ADDRTYPE_LIMIT_IFACE_OUT } as const

export const addrtype: Extension<typeof addrtypeOptions> = extension({
  name: 'addrtype',
  revision: 1,
  options: addrtypeOptions,
  layout: struct({ source: u16, destination: u16, flags: u32 }),
  check: ({ srcType, dstType }) => (srcType === undefined && dstType === undefined ? ['dstType', 'srcType or dstType'] : undefined),
  write: ({ srcType, dstType, limitIfaceIn, limitIfaceOut }) => ({
    source: bitsOf(addressTypes, srcType?.value ?? []),
    destination: bitsOf(addressTypes, dstType?.value ?? []),
    flags: notBits(typeNotBits, { srcType, dstType }) | saidBits(limitBits, { limitIfaceIn, limitIfaceOut }),
  }),
  read: ({ source, destination, flags }) => ({
    srcType: saysIf(source !== 0, namesOf(addressTypes, source), (flags & typeNotBits.srcType) !== 0),
    dstType: saysIf(destination !== 0, namesOf(addressTypes, destination), (flags & typeNotBits.dstType) !== 0),
    ...readFlags(limitBits, flags),
  }),
  list: ({ srcType, dstType, limitIfaceIn, limitIfaceOut }) => [
    'ADDRTYPE match',
    ...(srcType === undefined ? [] : [`src-type ${bang(srcType)}${srcType.value.join(',')}`]),
    ...(dstType === undefined ? [] : [`dst-type ${bang(dstType)}${dstType.value.join(',')}`]),
    ...(limitIfaceIn === undefined ? [] : ['limit-in']),
    ...(limitIfaceOut === undefined ? [] : ['limit-out']),
  ].join(' '),
})

const someRange = negatable(addressRange)
const iprangeOptions = { srcRange: someRange, dstRange: someRange }
const rangeBits = { srcRange: c.IPRANGE_SRC, dstRange: c.IPRANGE_DST } as const
const rangeNotBits = { srcRange: c.IPRANGE_SRC_INV, dstRange: c.IPRANGE_DST_INV } as const

export const iprange: Extension<typeof iprangeOptions> = extension({
  name: 'iprange',
  revision: 1,
  options: iprangeOptions,
  layout: struct({ srcMin: inetAddress, srcMax: inetAddress, dstMin: inetAddress, dstMax: inetAddress, flags: u8, _: padding(3) }),
  check: ({ srcRange, dstRange }) => (srcRange === undefined && dstRange === undefined ? ['srcRange', 'srcRange or dstRange'] : undefined),
  write: ({ srcRange, dstRange }) => ({
    ...(srcRange === undefined ? {} : { srcMin: toInet(srcRange.value[0]), srcMax: toInet(srcRange.value[1]) }),
    ...(dstRange === undefined ? {} : { dstMin: toInet(dstRange.value[0]), dstMax: toInet(dstRange.value[1]) }),
    flags: saidBits(rangeBits, { srcRange, dstRange }) | notBits(rangeNotBits, { srcRange, dstRange }),
  }),
  read({ srcMin, srcMax, dstMin, dstMax, flags }, { family }) {
    const said = readBits([rangeBits, flags], [rangeNotBits, flags])
    return {
      srcRange: said('srcRange', [inetText(srcMin, family), inetText(srcMax, family)]),
      dstRange: said('dstRange', [inetText(dstMin, family), inetText(dstMax, family)]),
    }
  },
  list: ({ srcRange, dstRange }) => ([['source', srcRange], ['destination', dstRange]] as const).flatMap(([label, said]) =>
    (said === undefined ? [] : [`${label} IP range ${bang(said, ' ')}${said.value.join('-')}`])).join(' '),
})

const pkttypes = ['unicast', 'broadcast', 'multicast'] as const
const pkttypeOptions = { pktType: negatable(oneOf(...pkttypes)) }

export const pkttype: Extension<typeof pkttypeOptions> = extension({
  name: 'pkttype',
  options: pkttypeOptions,
  layout: struct({ type: u32, invert: u32 }),
  check: given => (given.pktType === undefined ? ['pktType', pkttypeOptions.pktType.kind.accepted] : undefined),
  write: ({ pktType }) => ({ type: pkttypes.indexOf(pktType?.value ?? 'unicast'), invert: pktType?.not === true ? 1 : 0 }),
  read({ type, invert }) {
    const name = pkttypes[type]
    return name === undefined ? undefined : { pktType: says(name, invert !== 0) }
  },
  list: ({ pktType }) => `PKTTYPE ${pktType?.not === true ? '!=' : '='} ${pktType?.value ?? ''}`,
})

const tcpmssOptions = { mss: negatable(range(0xffff)) }

export const tcpmss: Extension<typeof tcpmssOptions> = extension({
  name: 'tcpmss',
  options: tcpmssOptions,
  protocols: [6],
  layout: struct({ min: u16, max: u16, invert: bool8, _: padding(1) }),
  check: given => (given.mss === undefined ? ['mss', tcpmssOptions.mss.kind.accepted] : undefined),
  write: ({ mss }) => ({ min: mss?.value[0], max: mss?.value[1], invert: mss?.not }),
  read: ({ min, max, invert }) => ({ mss: says([min, max] as const, invert) }),
  list: ({ mss }) => `tcpmss match ${bang(mss)}${tcpmssOptions.mss.kind.format(mss?.value ?? [0, 0])}`,
})

const ecnOptions = { ecnTcpEce: negatable(flag), ecnTcpCwr: negatable(flag), ecnIpEct: negatable(integer(0, 3)) }
const ecnBits = { ecnTcpEce: c.IPT_ECN_OP_MATCH_ECE, ecnTcpCwr: c.IPT_ECN_OP_MATCH_CWR, ecnIpEct: c.IPT_ECN_OP_MATCH_IP } as const
const ecnFields = Object.keys(ecnBits) as (keyof typeof ecnBits)[]
const ecnWords = { ecnTcpEce: 'ECE', ecnTcpCwr: 'CWR', ecnIpEct: 'ECT=' } as const

/** Explicit congestion notification, in the IP and TCP headers. */
export const ecn: Extension<typeof ecnOptions> = extension({
  name: 'ecn',
  options: ecnOptions,
  layout: struct({ operation: u8, invert: u8, ect: u8, _: padding(1) }),
  check(given, { protocol }) {
    if (ecnFields.every(field => given[field] === undefined)) return ['ecnIpEct', 'at least one option of ecn']
    const ofTcp = (['ecnTcpEce', 'ecnTcpCwr'] as const).find(field => given[field] !== undefined)
    return ofTcp === undefined || protocol === 6 ? undefined : [ofTcp, 'it only with protocol tcp']
  },
  write: given => ({ operation: saidBits(ecnBits, given), invert: notBits(ecnBits, given), ect: given.ecnIpEct?.value }),
  read({ operation, invert, ect }) {
    const said = readBits([ecnBits, operation], [ecnBits, invert])
    return { ecnTcpEce: said('ecnTcpEce', true), ecnTcpCwr: said('ecnTcpCwr', true), ecnIpEct: said('ecnIpEct', ect) }
  },
  list: given => ['ECN match', ...ecnFields.flatMap(field => {
    const said = given[field]
    return said === undefined ? [] : [`${bang(said)}${ecnWords[field]}${field === 'ecnIpEct' ? String(said.value) : ''}`]
  })].join(' '),
})
