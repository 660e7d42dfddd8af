/** What the kernel knows of a packet beside its bytes. Source: nft(8) "META EXPRESSIONS". */
import { NFT_OBJECT_SECMARK } from '../constants.ts'
import { metaKeys } from '../headers.ts'
import type { ExpressionData } from '../expressions.ts'
import { families } from '../messages.ts'
import { compare } from '../primitives.ts'
import { lookUp } from './parts.ts'
import { referTo } from './references.ts'
import type { Source, Word } from './parts.ts'
import { constantLoad, selector, settable } from './selector.ts'
import type { Selector, Settable } from './selector.ts'
import type { Scalar } from './values.ts'

type Key = keyof typeof metaKeys
type MetaKey = NonNullable<ExpressionData<'meta'>['key']>

function metaSource(key: Key): Parameters<typeof selector>[0] {
  const { type, size, order } = metaKeys[key]
  // A random number has no order; nft compares it in the packet's.
  const types = [{ type, size, order: key === 'random' ? 'big' as const : order }]
  return { word: `meta ${key}`, types, load: constantLoad(register => [{ name: 'meta', data: { key: key as MetaKey, dreg: register } }]) }
}

function read<S = Scalar>(key: Key): Selector<S> {
  return selector<S>(metaSource(key))
}

function write<S = Scalar>(key: Key): Settable<S> {
  return settable<S>(metaSource(key), value => [...value, { name: 'meta', data: { key: key as MetaKey, sreg: 1 } }])
}

const secmark = Object.assign(read('secmark'), {
  /** A secmark object of the same table, or an object map. */
  set: (object: string | Source): Word => referTo('meta secmark set', NFT_OBJECT_SECMARK, object),
})

/** By nft's names. Numbers of interfaces (`iif`, `oif`, `sdif`) stay valid only as long as the interface. */
export const meta = {
  length: read<number | string>('len'),
  protocol: read('protocol'),
  nfproto: read('nfproto'),
  l4proto: read('l4proto'),
  priority: write('priority'),
  mark: write('mark'),
  iif: read<number>('iif'),
  oif: read<number>('oif'),
  iifname: read<string>('iifname'),
  oifname: read<string>('oifname'),
  iiftype: read('iiftype'),
  oiftype: read('oiftype'),
  iifkind: read<string>('iifkind'),
  oifkind: read<string>('oifkind'),
  iifgroup: read('iifgroup'),
  oifgroup: read('oifgroup'),
  sdif: read<number>('sdif'),
  sdifname: read<string>('sdifname'),
  /** Names of the bridge whose port the packet came in by, or leaves by. */
  ibrname: read<string>('ibrname'),
  obrname: read<string>('obrname'),
  ibrpvid: read<number>('ibrpvid'),
  ibrvproto: read('ibrvproto'),
  skuid: read<number | string>('skuid'),
  skgid: read<number | string>('skgid'),
  cgroup: read('cgroup'),
  rtclassid: read('rtclassid'),
  secmark,
  pkttype: write('pkttype'),
  cpu: read<number | string>('cpu'),
  random: read('random'),
  ipsec: read('ipsec'),
  nftrace: write('nftrace'),
  broute: write('broute'),
  /** In nanoseconds since 1970; seconds of the day in UTC; 0 is Sunday. */
  time: read('time'),
  hour: read('hour'),
  day: read('day'),
} as const

/** The name of the interface that a packet came in by; `eth*` stands for all that start with `eth`. */
export const iifname = meta.iifname
/** The name of the interface that a packet leaves by. */
export const oifname = meta.oifname
/** Its number, which is compared faster, and stays valid only as long as the interface. */
export const iif = meta.iif
export const oif = meta.oif
/** The packet's mark. */
export const mark = meta.mark
/** The transport protocol, behind IPv6 extension headers too. */
export const l4proto = meta.l4proto

const networks = { ip: families.ip, ip6: families.ip6 } as const

/** The packet's address family. The fields of `ip`, `ip6`, `icmp`, … see to it by themselves. */
export function nfproto(family: 'ip' | 'ip6'): Word {
  return [{ name: 'meta', data: { key: 'nfproto', dreg: 1 } }, compare('eq', Uint8Array.of(lookUp('nfproto', networks, family)))]
}
