/**
 * What stands in the extension headers of IPv6. Sources: linux/netfilter_ipv6/ip6t_opts.h, ip6t_frag.h, ip6t_rt.h, ip6t_mh.h,
 * ip6t_ipv6header.h; IANA "Mobility Header Types".
 */
import { padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { inetText, toInet } from '../addresses.ts'
import { notBits, readBits, readFlags, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { address, flag, hex, integer, parseNumber, range } from '../values.ts'
import type { Kind, Range } from '../values.ts'
import { array, inetAddress } from '../xt.ts'
import { listRange, nothingLeft, saidRange } from './ranges.ts'

const MAX = 0xffffffff
const length = negatable(integer(0, MAX))

const listLength = (said: Said<number> | undefined): string[] => (said === undefined ? [] : [`length:${bang(said)}${said.value}`])
const listFlags = (given: object, words: Readonly<Record<string, string>>): string[] =>
  Object.entries(words).flatMap(([field, word]) => ((given as Record<string, unknown>)[field] === undefined ? [] : [word]))

/** An option of any length; or type and length in bytes. */
type HeaderOption = number | readonly [type: number, length: number]
const ANY_LENGTH = 0xff

const headerOptions: Kind<readonly HeaderOption[]> = {
  words: 1,
  accepted: `up to ${c.IP6T_OPTS_OPTSNR} options like 149:92,12: a type from 0 to 255, and the length, from 0 to 254, of any type but 0`,
  parse(text) {
    const given = text.split(',').map((part): HeaderOption | undefined => {
      const [type = NaN, size, ...rest] = part.split(':').map(parseNumber)
      if (!(type <= 0xff) || rest.length > 0) return undefined
      return size === undefined ? type : type > 0 && size < ANY_LENGTH ? [type, size] : undefined
    })
    return given.length <= c.IP6T_OPTS_OPTSNR && given.every(each => each !== undefined) ? given : undefined
  },
  format: given => given.map(each => (typeof each === 'number' ? each : each.join(':'))).join(','),
  type: given => headerOptions.format(given),
}

type Length = Said<number> | undefined
type HeaderOptions = Said<readonly HeaderOption[]> | undefined

const optsLayout = struct({ length: u32, flags: u8, invflags: u8, options: array(u16, c.IP6T_OPTS_OPTSNR), count: u8, _: padding(1) })
const optsBits = { len: c.IP6T_OPTS_LEN, opts: c.IP6T_OPTS_OPTS } as const

interface OptsInfo {
  length: number
  flags: number
  invflags: number
  options: readonly number[]
  count: number
}

function writeOpts(len: Length, opts: HeaderOptions): OptsInfo {
  const options = (opts?.value ?? []).map(each => (typeof each === 'number' ? each << 8 | ANY_LENGTH : each[0] << 8 | each[1]))
  return {
    length: len?.value ?? 0, flags: saidBits(optsBits, { len, opts }), invflags: len?.not === true ? c.IP6T_OPTS_INV_LEN : 0,
    options, count: options.length,
  }
}

function readOpts({ length: size, flags, invflags, options, count }: OptsInfo): { len: Length, opts: HeaderOptions } | undefined {
  if (count > options.length || (count > 0) !== ((flags & optsBits.opts) !== 0)) return undefined
  const said = readBits([optsBits, flags], [{ len: c.IP6T_OPTS_INV_LEN }, invflags])
  const read = options.slice(0, count)
    .map((each): HeaderOption => ((each & ANY_LENGTH) === ANY_LENGTH ? each >> 8 : [each >> 8, each & ANY_LENGTH]))
  return { len: said('len', size), opts: said('opts', read) }
}

function listOpts(name: string, len: Length, opts: HeaderOptions): string {
  return [name, ...listLength(len), ...(opts === undefined ? [] : [`opts ${headerOptions.format(opts.value)}`])].join(' ')
}

const dstOptions = { dstLen: length, dstOpts: option(headerOptions) }

/** Destination options. */
export const dst: Extension<typeof dstOptions> = extension({
  name: 'dst',
  options: dstOptions,
  families: ['ip6'],
  layout: optsLayout,
  write: ({ dstLen, dstOpts }) => writeOpts(dstLen, dstOpts),
  read(values) {
    const read = readOpts(values)
    return read === undefined ? undefined : { dstLen: read.len, dstOpts: read.opts }
  },
  list: ({ dstLen, dstOpts }) => listOpts('dst', dstLen, dstOpts),
})

const hbhOptions = { hbhLen: length, hbhOpts: option(headerOptions) }

/** Hop-by-hop options. */
export const hbh: Extension<typeof hbhOptions> = extension({
  name: 'hbh',
  options: hbhOptions,
  families: ['ip6'],
  layout: optsLayout,
  write: ({ hbhLen, hbhOpts }) => writeOpts(hbhLen, hbhOpts),
  read(values) {
    const read = readOpts(values)
    return read === undefined ? undefined : { hbhLen: read.len, hbhOpts: read.opts }
  },
  list: ({ hbhLen, hbhOpts }) => listOpts('hbh', hbhLen, hbhOpts),
})

const fragOptions = {
  fragid: negatable(range(MAX)), fraglen: length, fragres: option(flag), fragfirst: option(flag), fragmore: option(flag),
  fraglast: option(flag),
}
const fragBits = {
  fragid: c.IP6T_FRAG_IDS, fraglen: c.IP6T_FRAG_LEN, fragres: c.IP6T_FRAG_RES, fragfirst: c.IP6T_FRAG_FST, fragmore: c.IP6T_FRAG_MF,
  fraglast: c.IP6T_FRAG_NMF,
} as const
const fragNotBits = { fragid: c.IP6T_FRAG_INV_IDS, fraglen: c.IP6T_FRAG_INV_LEN } as const

/** Fragments. */
export const frag: Extension<typeof fragOptions> = extension({
  name: 'frag',
  options: fragOptions,
  families: ['ip6'],
  layout: struct({ first: u32, last: u32, length: u32, flags: u8, invflags: u8, _: padding(2) }),
  check: given => (given.fragmore !== undefined && given.fraglast !== undefined ? ['fraglast', 'nothing beside fragmore']
    : nothingLeft(given, MAX, 'fragid')),
  write: given => ({
    first: given.fragid?.value[0], last: given.fragid?.value[1] ?? MAX, length: given.fraglen?.value,
    flags: saidBits(fragBits, given), invflags: notBits(fragNotBits, given),
  }),
  read({ first, last, length: size, flags, invflags }) {
    const { fragid: _id, fraglen: _length, ...flagBits } = fragBits
    return {
      fragid: saidRange(first, last, MAX, (invflags & fragNotBits.fragid) !== 0),
      fraglen: readBits([fragBits, flags], [fragNotBits, invflags])('fraglen', size), ...readFlags(flagBits, flags),
    }
  },
  list: given => [
    `frag ${listRange('id', given.fragid, MAX).join('')}`, ...listLength(given.fraglen),
    ...listFlags(given, { fragres: 'reserved', fragfirst: 'first', fragmore: 'more', fraglast: 'last' }),
  ].join(' '),
})

/** From bit 7 down, each as it is printed and as else it may be said. */
const headers = [
  ['hop-by-hop', 'hop', '0'], ['ipv6-opts', 'dst', '60'], ['ipv6-route', 'route', '43'], ['ipv6-frag', 'frag', '44'], ['ah', 'auth', '51'],
  ['esp', '50'], ['ipv6-nonxt', 'none', '59'], ['protocol', 'prot', '255'],
] as const
type HeaderName = (typeof headers)[number][0]

const headerList: Kind<readonly HeaderName[]> = {
  words: 1,
  accepted: `some of ${headers.map(([name, ...others]) => `${name} (${others.join(', ')})`).join(', ')}`,
  parse(text) {
    const given = text.toLowerCase().split(',')
    return given.every(name => headers.some(known => (known as readonly string[]).includes(name)))
      ? headers.filter(known => known.some(name => given.includes(name))).map(([name]) => name) : undefined
  },
  format: given => given.join(','),
  type: given => [...given].join(','),
}
const headerMask = (given: readonly HeaderName[]): number =>
  headers.reduce((mask, [name], at) => (given.includes(name) ? mask | 0x80 >> at : mask), 0)
const ipv6headerOptions = { header: negatable(headerList), soft: option(flag) }

/** Which headers there are: just these, or with `soft` these among others. */
export const ipv6header: Extension<typeof ipv6headerOptions> = extension({
  name: 'ipv6header',
  options: ipv6headerOptions,
  families: ['ip6'],
  layout: struct({ mask: u8, invflags: u8, soft: u8 }),
  check: given => (given.header === undefined ? ['header', headerList.accepted] : undefined),
  write: ({ header, soft }) => ({
    mask: headerMask(header?.value ?? []), invflags: header?.not === true ? 0xff : 0, soft: soft === undefined ? 0 : 0xff,
  }),
  read: ({ mask, invflags, soft }) => (mask === 0 ? undefined : {
    header: says(headers.filter((_, at) => (mask & 0x80 >> at) !== 0).map(([name]) => name), invflags !== 0),
    soft: saysIf(soft !== 0, true as const),
  }),
  list: ({ header, soft }) =>
    `ipv6header flags:${bang(header)}${hex(headerMask(header?.value ?? []), 2).replace(/[a-f]/g, digit => digit.toUpperCase())}` +
    (soft === undefined ? '' : ' soft'),
})

/** By number. */
const mhTypes = [
  ['binding-refresh-request', 'brr'], ['home-test-init', 'hoti'], ['careof-test-init', 'coti'], ['home-test', 'hot'], ['careof-test', 'cot'],
  ['binding-update', 'bu'], ['binding-acknowledgement', 'ba'], ['binding-error', 'be'],
] as const
const MH_MAX = 0xff
const mhRange = range(MH_MAX)

const mhType: Kind<Range, number | Range | string> = {
  ...mhRange,
  accepted: `a type from 0 to ${MH_MAX}, one of ${mhTypes.flat().join(', ')}, or the first and the last of a range`,
  parse(text, context) {
    const numbers = text.toLowerCase().split(':').map(part => {
      const number = mhTypes.findIndex(names => (names as readonly string[]).includes(part))
      return number < 0 ? part : String(number)
    })
    return mhRange.parse(numbers.join(':'), context)
  },
  type: input => (typeof input === 'string' ? input : mhRange.type(input)),
}
const mhOptions = { mhType: negatable(mhType) }

/** The header of Mobile IPv6. */
export const mh: Extension<typeof mhOptions> = extension({
  name: 'mh',
  options: mhOptions,
  families: ['ip6'],
  protocols: [135],
  layout: struct({ first: u8, last: u8, invflags: u8 }),
  check: given => nothingLeft({ mhType: given.mhType }, MH_MAX, 'mhType'),
  write: ({ mhType: said }) => ({
    first: said?.value[0], last: said?.value[1] ?? MH_MAX, invflags: said?.not === true ? c.IP6T_MH_INV_TYPE : 0,
  }),
  read: ({ first, last, invflags }) => ({ mhType: saidRange(first, last, MH_MAX, (invflags & c.IP6T_MH_INV_TYPE) !== 0) }),
  list: ({ mhType: said }) => (said === undefined ? 'mh' : `mh ${bang(said)}${mhRange.format(said.value)}`),
})

/** The way of a packet of routing type 0. */
const hops: Kind<readonly string[]> = {
  words: 1,
  accepted: `1 to ${c.IP6T_RT_HOPS} IPv6 addresses`,
  parse(text, context) {
    const given = text.split(',').map(part => address.parse(part, context))
    return given.length <= c.IP6T_RT_HOPS && given.every(each => each !== undefined) ? given : undefined
  },
  format: given => given.join(','),
  type: given => [...given].join(','),
}
const rtOptions = {
  rtType: length, rtSegsleft: negatable(range(MAX)), rtLen: length, rt0Res: option(flag), rt0Addrs: option(hops),
  rt0NotStrict: option(flag),
}
const rtBits = {
  rtType: c.IP6T_RT_TYP, rtSegsleft: c.IP6T_RT_SGS, rtLen: c.IP6T_RT_LEN, rt0Res: c.IP6T_RT_RES, rt0Addrs: c.IP6T_RT_FST,
  rt0NotStrict: c.IP6T_RT_FST_NSTRICT,
} as const
const rtNotBits = { rtType: c.IP6T_RT_INV_TYP, rtSegsleft: c.IP6T_RT_INV_SGS, rtLen: c.IP6T_RT_INV_LEN } as const

/** The routing header. */
export const rt: Extension<typeof rtOptions> = extension({
  name: 'rt',
  options: rtOptions,
  families: ['ip6'],
  layout: struct({
    type: u32, first: u32, last: u32, length: u32, flags: u8, invflags: u8, _: padding(2), hops: array(inetAddress, c.IP6T_RT_HOPS),
    count: u8, _end: padding(3),
  }),
  check(given) {
    const ofType0 = (['rt0Res', 'rt0Addrs', 'rt0NotStrict'] as const).find(field => given[field] !== undefined)
    if (ofType0 !== undefined && (given.rtType?.value !== 0 || given.rtType.not)) return [ofType0, 'rtType 0 beside it']
    return given.rt0NotStrict !== undefined && given.rt0Addrs === undefined ? ['rt0NotStrict', 'rt0Addrs beside it']
      : nothingLeft(given, MAX, 'rtSegsleft')
  },
  write: given => ({
    type: given.rtType?.value, first: given.rtSegsleft?.value[0], last: given.rtSegsleft?.value[1] ?? MAX, length: given.rtLen?.value,
    flags: saidBits(rtBits, given), invflags: notBits(rtNotBits, given),
    hops: (given.rt0Addrs?.value ?? []).map(toInet), count: given.rt0Addrs?.value.length,
  }),
  read({ type, first, last, length: size, flags, invflags, hops: all, count }, { family }) {
    const said = readBits([rtBits, flags], [rtNotBits, invflags])
    if ((count > 0) !== ((flags & rtBits.rt0Addrs) !== 0)) return undefined
    return {
      rtType: said('rtType', type), rtSegsleft: saidRange(first, last, MAX, (invflags & rtNotBits.rtSegsleft) !== 0),
      rtLen: said('rtLen', size), rt0Res: said('rt0Res', true),
      rt0Addrs: said('rt0Addrs', all.slice(0, count).map(each => inetText(each, family))), rt0NotStrict: said('rt0NotStrict', true),
    }
  },
  list: given => [
    // The tool lists it as a number with a sign.
    'rt', ...(given.rtType === undefined ? [] : [`type:${bang(given.rtType)}${given.rtType.value | 0}`]),
    ...listRange('segsleft', given.rtSegsleft, MAX), ...listLength(given.rtLen), ...listFlags(given, { rt0Res: 'reserved' }),
    ...(given.rt0Addrs === undefined ? [] : [`0-addrs ${hops.format(given.rt0Addrs.value)}`]),
    ...listFlags(given, { rt0NotStrict: '0-not-strict' }),
  ].join(' '),
})

/** The address ends as the link's address says. */
export const eui64: Extension<Record<never, never>> = extension({
  name: 'eui64',
  options: {},
  families: ['ip6'],
  layout: struct({ _: padding(4) }),
  write: () => ({}),
  read: () => ({}),
  list: () => '',
})
