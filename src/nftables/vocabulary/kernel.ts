/** What the kernel looks up or makes up for a packet: routes, sockets, systems, numbers, IPsec. Source: nft(8) "PRIMARY EXPRESSIONS". */
import { fieldsOf, isOn } from '../../checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import * as c from '../constants.ts'
import { fibResults, rtKeys, socketKeys } from '../headers.ts'
import type { ExpressionData } from '../expressions.ts'
import type { Match } from './match.ts'
import { isNeed, lengthOf, lookUp, need, typesOf } from './parts.ts'
import type { Source, ValueType, Word } from './parts.ts'
import { selector } from './selector.ts'
import type { Selector } from './selector.ts'
import type { Scalar } from './values.ts'

const fibFlags = {
  saddr: c.NFTA_FIB_F_SADDR, daddr: c.NFTA_FIB_F_DADDR, mark: c.NFTA_FIB_F_MARK, iif: c.NFTA_FIB_F_IIF, oif: c.NFTA_FIB_F_OIF,
} as const
export type FibKey = keyof typeof fibFlags

/**
 * What the routing table says: `fib(['saddr', 'iif'], 'oif')('missing')` is a packet from an address that is not routed to
 * where it came from; `fib(['daddr'], 'type')('local')` one for the host itself.
 */
export function fib(keys: readonly FibKey[], result: keyof typeof fibResults): Selector {
  let flags = 0
  if (!Array.isArray(keys) || keys.length === 0) throw new InvalidArgumentError('fib', keys, 'at least one of saddr, daddr, mark, iif, oif')
  for (const key of keys as FibKey[]) flags |= lookUp('fib', fibFlags, key)
  const { type, size, order } = lookUp('fib', fibResults, result)
  const word = `fib ${keys.join(' . ')} ${result}`
  const plain = selector({
    word, types: [{ type, size, order }],
    load: dreg => [{ name: 'fib', data: { flags, result, dreg } }],
  })
  // Whether there is a route at all is another question to the kernel.
  const present = selector({
    word, types: [{ type: 'boolean', size: 4, order: 'host' }],
    load: dreg => [{ name: 'fib', data: { flags: flags | c.NFTA_FIB_F_PRESENT, result, dreg } }],
  })
  const call = (value: Match): Word => result !== 'type' && (value === 'exists' || value === 'missing') ? present(value) : plain(value)
  return Object.assign(call, { word, types: plain.types, load: plain.load })
}

function rtSource<S = Scalar>(key: keyof typeof rtKeys, within?: 'ip' | 'ip6'): Selector<S> {
  const word = `rt ${key}`
  const needs = within === undefined ? [] : [need({ word, within })]
  return selector<S>({ word, types: [rtKeys[key]], load: dreg => [...needs, { name: 'rt', data: { key, dreg } }] })
}

/** The route of a packet that leaves. */
export const rt = {
  classid: rtSource('classid'),
  /** The MTU of the route less headers: what a TCP segment may hold. */
  mtu: rtSource<number>('mtu'),
  ipsec: rtSource('ipsec'),
  ip: { nexthop: rtSource<string>('nexthop4', 'ip') },
  ip6: { nexthop: rtSource<string>('nexthop6', 'ip6') },
} as const

function socketSource<S = Scalar>(key: keyof typeof socketKeys, level?: number): Selector<S> {
  return selector<S>({
    word: `socket ${key}`, types: [socketKeys[key]],
    load: dreg => [{ name: 'socket', data: { key, dreg, level: level ?? 0 } }],
  })
}

/** The socket that a packet belongs to. */
export const socket = {
  transparent: socketSource<0 | 1 | boolean>('transparent'),
  wildcard: socketSource<0 | 1 | boolean>('wildcard'),
  mark: socketSource<number | string>('mark'),
  /** The number of its cgroup at a level of the tree: the inode of the folder. */
  cgroupv2: (level: number): Selector => socketSource('cgroupv2', level),
} as const

const osfFields: ReadonlySet<string> = new Set(['ttl', 'version'])

/**
 * The operating system that a SYN looks like, by the database that nfnl_osf loads: `osf()('Linux')`, `osf({ version:
 * true })('Linux:4.20')`.
 */
export function osf(options: { ttl?: 'exact' | 'loose' | 'skip', version?: boolean } = {}): Selector<string> {
  const { ttl = 'exact', version } = fieldsOf('osf', options, osfFields)
  const flags = isOn('osf.version', version) ? c.NFT_OSF_F_VERSION : 0
  return selector<string>({
    word: 'osf name', types: [{ type: 'string', size: 16, order: 'host' }],
    load: dreg => [{ name: 'osf', data: { dreg, ttl, flags } }],
  })
}

function positive(field: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 0xffffffff) return value
  throw new InvalidArgumentError(field, value, `an integer from ${least} to 4294967295`)
}

const numgenFields: ReadonlySet<string> = new Set(['mode', 'mod', 'offset'])

/** A number from `offset` to `offset + mod - 1`: one after the other, or by chance. */
export function numgen(options: { mode: 'inc' | 'random', mod: number, offset?: number }): Selector<number> {
  const { mode, mod, offset = 0 } = fieldsOf('numgen', options, numgenFields)
  if (mode !== 'inc' && mode !== 'random') throw new InvalidArgumentError('numgen.mode', mode, 'inc or random')
  const data = { modulus: positive('numgen.mod', mod, 1), type: mode, offset: positive('numgen.offset', offset, 0) } as const
  const types: readonly ValueType[] = [{ type: 'integer', size: 4, order: 'host' }]
  return selector<number>({ word: `numgen ${mode} mod ${mod}`, types, load: dreg => [{ name: 'numgen', data: { dreg, ...data } }] })
}

const jhashFields: ReadonlySet<string> = new Set(['mod', 'seed', 'offset'])

/** A number below `mod` (plus `offset`) that is the same for the same key: `jhash(ip.saddr, { mod: 2 })`. */
export function jhash(key: Source, options: { mod: number, seed?: number, offset?: number }): Selector<number> {
  const { mod, seed, offset = 0 } = fieldsOf('jhash', options, jhashFields)
  const length = lengthOf(typesOf('jhash', key))
  const modulus = positive('jhash.mod', mod, 1)
  const word = `jhash ${key.word} mod ${mod}`
  const given = seed === undefined ? {} : { seed: positive('jhash.seed', seed, 0) }
  const data = { len: length, modulus, ...given, offset: positive('jhash.offset', offset, 0), type: 'jhash' } as const
  return selector<number>({
    word, types: [{ type: 'integer', size: 4, order: 'host' }],
    load: dreg => {
      const parts = key.load(dreg + 1)
      return [...parts.filter(isNeed), ...parts.filter(part => !isNeed(part)), { name: 'hash', data: { sreg: dreg + 1, dreg, ...data } }]
    },
  })
}

const symhashFields: ReadonlySet<string> = new Set(['mod', 'offset'])

/** The same of the packet's connection, in both directions. */
export function symhash(options: { mod: number, offset?: number }): Selector<number> {
  const { mod, offset = 0 } = fieldsOf('symhash', options, symhashFields)
  const data = { modulus: positive('symhash.mod', mod, 1), offset: positive('symhash.offset', offset, 0), type: 'symhash' } as const
  return selector<number>({
    word: `symhash mod ${mod}`, types: [{ type: 'integer', size: 4, order: 'host' }],
    load: dreg => [{ name: 'hash', data: { dreg, ...data } }],
  })
}

type XfrmKey = NonNullable<ExpressionData<'xfrm'>['key']>
interface IpsecWords {
  readonly reqid: Selector<number>
  readonly spi: Selector<number>
  readonly ip: { readonly saddr: Selector<string>, readonly daddr: Selector<string> }
  readonly ip6: { readonly saddr: Selector<string>, readonly daddr: Selector<string> }
}

const ipsecFields: ReadonlySet<string> = new Set(['spnum'])

/** The IPsec transformation that a packet has been through (`in`) or will go through (`out`); `spnum` of nested ones, from 0. */
export function ipsec(dir: 'in' | 'out', options: { spnum?: number } = {}): IpsecWords {
  const { spnum = 0 } = fieldsOf('ipsec', options, ipsecFields)
  if (dir !== 'in' && dir !== 'out') throw new InvalidArgumentError('ipsec', dir, 'in or out')
  positive('ipsec.spnum', spnum, 0)
  const field = <S>(key: XfrmKey, type: ValueType): Selector<S> => selector<S>({
    word: `ipsec ${dir} ${key}`, types: [type],
    load: dreg => [{ name: 'xfrm', data: { key, dir, spnum, dreg } }],
  })
  const ip4: ValueType = { type: 'ipv4_addr', size: 4, order: 'big' }
  const ip6: ValueType = { type: 'ipv6_addr', size: 16, order: 'big' }
  return {
    reqid: field('reqid', { type: 'integer', size: 4, order: 'host' }),
    spi: field('spi', { type: 'integer', size: 4, order: 'big' }),
    ip: { saddr: field('ip saddr', ip4), daddr: field('ip daddr', ip4) },
    ip6: { saddr: field('ip6 saddr', ip6), daddr: field('ip6 daddr', ip6) },
  }
}
