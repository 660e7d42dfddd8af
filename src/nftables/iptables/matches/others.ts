/** Routes, groups of links, cgroups, ECN, AH, and text in packets. Sources: linux/netfilter/xt_realm.h, xt_devgroup.h, xt_cgroup.h, … */
import { bool8, padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { flag, integer, mark, oneOf, range } from '../values.ts'
import type { Kind } from '../values.ts'
import { bytes, fixedText } from '../xt.ts'

const bang = (said: Said<unknown> | undefined): string => (said?.not === true ? '! ' : '')

const number = mark()
const realmOptions = { realm: negatable(number) }

/** The realm of the packet's route. */
export const realm: Extension<typeof realmOptions> = extension({
  name: 'realm',
  options: realmOptions,
  layout: struct({ id: u32, mask: u32, invert: bool8, _: padding(3) }),
  check: given => (given.realm === undefined ? ['realm', number.accepted] : undefined),
  write: ({ realm: said }) => ({ id: said?.value.value, mask: said?.value.mask, invert: said?.not }),
  read: ({ id, mask, invert }) => ({ realm: says({ value: id, mask }, invert) }),
  list: ({ realm: said }) => `${bang(said)}realm ${number.format(said?.value ?? { value: 0, mask: 0 })}`,
})

const groupOptions = { srcGroup: negatable(number), dstGroup: negatable(number) }

/** The groups of the links that a packet came in by and leaves by. */
export const devgroup: Extension<typeof groupOptions> = extension({
  name: 'devgroup',
  options: groupOptions,
  layout: struct({ flags: u32, src: u32, srcMask: u32, dst: u32, dstMask: u32 }),
  check: ({ srcGroup, dstGroup }) => (srcGroup === undefined && dstGroup === undefined ? ['srcGroup', 'srcGroup or dstGroup'] : undefined),
  write: ({ srcGroup, dstGroup }) => ({
    flags: (srcGroup === undefined ? 0 : c.XT_DEVGROUP_MATCH_SRC) | (srcGroup?.not === true ? c.XT_DEVGROUP_INVERT_SRC : 0) |
      (dstGroup === undefined ? 0 : c.XT_DEVGROUP_MATCH_DST) | (dstGroup?.not === true ? c.XT_DEVGROUP_INVERT_DST : 0),
    src: srcGroup?.value.value, srcMask: srcGroup?.value.mask, dst: dstGroup?.value.value, dstMask: dstGroup?.value.mask,
  }),
  read: ({ flags, src, srcMask, dst, dstMask }) => ({
    srcGroup: saysIf((flags & c.XT_DEVGROUP_MATCH_SRC) !== 0, { value: src, mask: srcMask }, (flags & c.XT_DEVGROUP_INVERT_SRC) !== 0),
    dstGroup: saysIf((flags & c.XT_DEVGROUP_MATCH_DST) !== 0, { value: dst, mask: dstMask }, (flags & c.XT_DEVGROUP_INVERT_DST) !== 0),
  }),
  list: ({ srcGroup, dstGroup }) => ([['src-group', srcGroup], ['dst-group', dstGroup]] as const)
    .flatMap(([name, said]) => (said === undefined ? [] : [`${bang(said)}${name} ${number.format(said.value)}`])).join(' '),
})

const cgroupOptions = { cgroup: negatable(integer(0, 0xffffffff)) }

/** The net_cls class of the sender's cgroup. Paths of cgroups are left to the kernel's bytes. */
export const cgroup: Extension<typeof cgroupOptions> = extension({
  name: 'cgroup',
  revision: 2,
  options: cgroupOptions,
  layout: struct({ hasPath: u8, hasClass: u8, invertPath: u8, invertClass: bool8, class: u32, _path: padding(512), _kernel: padding(8) }),
  check: given => (given.cgroup === undefined ? ['cgroup', cgroupOptions.cgroup.kind.accepted] : undefined),
  write: ({ cgroup: said }) => ({ hasClass: 1, class: said?.value, invertClass: said?.not }),
  read: ({ hasPath, class: id, invertClass }) => (hasPath === 0 ? { cgroup: says(id, invertClass) } : undefined),
  list: ({ cgroup: said }) => `cgroup ${bang(said)}${said?.value ?? 0}`,
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
  write: given => ({
    operation: ecnFields.reduce((bits, field) => (given[field] === undefined ? bits : bits | ecnBits[field]), 0),
    invert: ecnFields.reduce((bits, field) => (given[field]?.not === true ? bits | ecnBits[field] : bits), 0),
    ect: given.ecnIpEct?.value,
  }),
  read({ operation, invert, ect }) {
    const said = <V>(field: keyof typeof ecnBits, value: V): Said<V> | undefined =>
      saysIf((operation & ecnBits[field]) !== 0, value, (invert & ecnBits[field]) !== 0)
    return { ecnTcpEce: said('ecnTcpEce', true as const), ecnTcpCwr: said('ecnTcpCwr', true as const), ecnIpEct: said('ecnIpEct', ect) }
  },
  list: given => ['ECN match', ...ecnFields.flatMap(field => {
    const said = given[field]
    return said === undefined ? [] : [`${said.not ? '!' : ''}${ecnWords[field]}${field === 'ecnIpEct' ? String(said.value) : ''}`]
  })].join(' '),
})

const ahOptions = { ahspi: negatable(range(0xffffffff)) }

/** IPsec's authentication header, of IPv4. */
export const ah: Extension<typeof ahOptions> = extension({
  name: 'ah',
  options: ahOptions,
  families: ['ip'],
  protocols: [51],
  layout: struct({ first: u32, last: u32, invflags: u8, _: padding(3) }),
  write: ({ ahspi }) => ({
    first: ahspi?.value[0], last: ahspi?.value[1] ?? 0xffffffff, invflags: ahspi?.not === true ? c.IPT_AH_INV_SPI : 0,
  }),
  read: ({ first, last, invflags }) =>
    ({ ahspi: saysIf(first !== 0 || last !== 0xffffffff || invflags !== 0, [first, last] as const, invflags !== 0) }),
  list({ ahspi }) {
    if (ahspi === undefined) return 'ah '
    const [first, last] = ahspi.value
    return `ah ${first === last ? 'spi' : 'spis'}:${ahspi.not ? '!' : ''}${ahOptions.ahspi.kind.format(ahspi.value)}`
  },
})

/** Text of at most 128 bytes, always quoted. */
const pattern: Kind<string> = {
  words: 1,
  accepted: 'a text of 1 to 128 bytes',
  parse: text => (text !== '' && Buffer.byteLength(text) <= c.XT_STRING_MAX_PATTERN_SIZE ? text : undefined),
  format: text => `"${text.replace(/["\\]/g, character => `\\${character}`)}"`,
  type: String,
}

/** `GET |0d 0a|`: text, and bytes in hex between bars. Kept as `|0d0a|` alone. */
const hexPattern: Kind<string> = {
  words: 1,
  accepted: 'text with bytes in hex between bars, like "GET |0d0a|", of 1 to 128 bytes',
  parse(text) {
    const parts = text.split('|')
    const hex = parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part).toString('hex') : part.replace(/\s/g, '').toLowerCase())).join('')
    return parts.length % 2 === 1 && /^([0-9a-f]{2})+$/.test(hex) && hex.length <= 2 * c.XT_STRING_MAX_PATTERN_SIZE ? `|${hex}|` : undefined
  },
  format: text => `"${text}"`,
  type: String,
}

const offset = integer(0, 0xffff)
const stringOptions = {
  string: negatable(pattern), hexString: negatable(hexPattern), algo: option(oneOf('bm', 'kmp')), from: option(offset), to: option(offset),
  icase: option(flag),
}

/** Text somewhere in the packet. */
export const string: Extension<typeof stringOptions> = extension({
  name: 'string',
  revision: 1,
  options: stringOptions,
  layout: struct({
    from: u16, to: u16, algo: fixedText(16), pattern: bytes(c.XT_STRING_MAX_PATTERN_SIZE), length: u8, flags: u8,
    _: padding(2), _kernel: padding(8),
  }),
  check({ string: text, hexString, algo }) {
    if ((text === undefined) === (hexString === undefined)) return ['string', 'either string or hexString']
    return algo === undefined ? ['algo', 'bm or kmp'] : undefined
  },
  write({ string: text, hexString, algo, from, to, icase }) {
    const given = hexString === undefined ? Buffer.from(text?.value ?? '') : Buffer.from(hexString.value.slice(1, -1), 'hex')
    return {
      from: from?.value, to: to?.value ?? 0xffff, algo: algo?.value,
      pattern: Uint8Array.from({ length: c.XT_STRING_MAX_PATTERN_SIZE }, (_, at) => given[at] ?? 0), length: given.length,
      flags: ((text ?? hexString)?.not === true ? c.XT_STRING_FLAG_INVERT : 0) | (icase === undefined ? 0 : c.XT_STRING_FLAG_IGNORECASE),
    }
  },
  read({ from, to, algo, pattern: whole, length, flags }) {
    if ((algo !== 'bm' && algo !== 'kmp') || length === 0 || length > whole.length) return undefined
    const given = Buffer.from(whole.subarray(0, length))
    const inHex = given.some(byte => byte < 0x20 || byte > 0x7e) || given.at(-1) === 0x5c
    const not = (flags & c.XT_STRING_FLAG_INVERT) !== 0
    return {
      string: saysIf(!inHex, given.toString('latin1'), not), hexString: saysIf(inHex, `|${given.toString('hex')}|`, not), algo: says(algo),
      from: saysIf(from !== 0, from), to: saysIf(to !== 0xffff, to),
      icase: saysIf((flags & c.XT_STRING_FLAG_IGNORECASE) !== 0, true as const),
    }
  },
  list({ string: text, hexString, algo, from, to, icase }) {
    const said = hexString === undefined ? pattern.format(text?.value ?? '') : hexPattern.format(hexString.value)
    return [
      `STRING match ${(text ?? hexString)?.not === true ? '!' : ''}`, said, `ALGO name ${algo?.value ?? ''}`,
      ...(from === undefined ? [] : [`FROM ${from.value}`]), ...(to === undefined ? [] : [`TO ${to.value}`]), ...(icase === undefined ? [] : ['ICASE']),
    ].join(' ')
  },
})
