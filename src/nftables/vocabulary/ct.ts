/** What connection tracking knows of a packet's connection. Source: nft(8) "CONNTRACK EXPRESSIONS", "CONNTRACK STATEMENT". */
import { fieldsOf } from '../../checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { NFT_CONNLIMIT_F_INV, NFT_OBJECT_CT_EXPECT, NFT_OBJECT_CT_HELPER, NFT_OBJECT_CT_TIMEOUT } from '../constants.ts'
import { datatypes } from '../datatypes.ts'
import { ctKeys } from '../headers.ts'
import { shared } from '../expressions.ts'
import type { Expression, ExpressionData } from '../expressions.ts'
import { compare } from '../primitives.ts'
import { andMask } from './match.ts'
import { lookUp, need } from './parts.ts'
import type { Source, Word } from './parts.ts'
import { referTo } from './references.ts'
import { constantLoad, selector, settable } from './selector.ts'
import type { Selector, Settable } from './selector.ts'
import { numberBytes } from './values.ts'
import type { Scalar } from './values.ts'

type Key = keyof typeof ctKeys
type Direction = 'original' | 'reply'

function ctSource(key: Key, direction?: Direction): Parameters<typeof selector>[0] {
  const { type, size, order } = ctKeys[key]
  const types = [{ type, size, order: key === 'id' ? 'big' as const : order }]
  const word = ['ct', direction, key].filter(part => part !== undefined).join(' ')
  const data = (dreg: number): ExpressionData<'ct'> => ({ key, dreg, ...(direction === undefined ? {} : { direction }) })
  const within = key.startsWith('ip ') ? 'ip' : key.startsWith('ip6 ') ? 'ip6' : undefined
  const needs = within === undefined ? [] : [need({ word, within })]
  return { word, types, load: constantLoad(register => [...needs, { name: 'ct', data: data(register) }]) }
}

function read<S = Scalar>(key: Key, direction?: Direction): Selector<S> {
  return selector<S>(ctSource(key, direction))
}

function write<S = Scalar>(key: Key, direction?: Direction): Settable<S> {
  return settable<S>(ctSource(key, direction), value => [
    ...value, { name: 'ct', data: { key, ...(direction === undefined ? {} : { direction }), sreg: 1 } },
  ])
}

/** What is known of one direction of a connection. */
interface DirectionWords {
  readonly ip: { readonly saddr: Selector<string>, readonly daddr: Selector<string> }
  readonly ip6: { readonly saddr: Selector<string>, readonly daddr: Selector<string> }
  readonly protoSrc: Selector<number | string>
  readonly protoDst: Selector<number | string>
  readonly l3proto: Selector
  readonly protocol: Selector
  readonly zone: Settable<number>
  readonly bytes: Selector
  readonly packets: Selector
  readonly avgpkt: Selector
}

function directionWords(direction: Direction): DirectionWords {
  return {
    ip: { saddr: read<string>('ip saddr', direction), daddr: read<string>('ip daddr', direction) },
    ip6: { saddr: read<string>('ip6 saddr', direction), daddr: read<string>('ip6 daddr', direction) },
    protoSrc: read<number | string>('proto-src', direction),
    protoDst: read<number | string>('proto-dst', direction),
    l3proto: read('l3proto', direction),
    protocol: read('protocol', direction),
    zone: write<number>('zone', direction),
    bytes: read('bytes', direction),
    packets: read('packets', direction),
    avgpkt: read('avgpkt', direction),
  }
}

/** Stateful objects of the same table that a connection is given, by name or by map. */
const assigned = (what: string, type: number) => (object: string | Source): Word => referTo(`ct ${what} set`, type, object)

/** Lifetimes in milliseconds. */
export const ct = {
  state: read('state'),
  direction: read('direction'),
  status: read('status'),
  mark: write('mark'),
  expiration: read('expiration'),
  helper: Object.assign(read<string>('helper'), { set: assigned('helper', NFT_OBJECT_CT_HELPER) }),
  timeout: { set: assigned('timeout', NFT_OBJECT_CT_TIMEOUT) },
  expectation: { set: assigned('expectation', NFT_OBJECT_CT_EXPECT) },
  l3proto: read('l3proto'),
  protocol: read('protocol'),
  /** By the number of the bit, 0 to 127. */
  label: write<number | readonly number[]>('label'),
  zone: write<number>('zone'),
  /** Which events ctnetlink tells of the connection. */
  event: write('event'),
  bytes: read('bytes'),
  packets: read('packets'),
  avgpkt: read('avgpkt'),
  id: read('id'),
  original: directionWords('original'),
  reply: directionWords('reply'),
  count: connectionCount,
} as const

const ctStates = datatypes.ct_state.symbols ?? {}
export type CtState = 'invalid' | 'established' | 'related' | 'new' | 'untracked'

/** Any of these states of connection tracking. */
export function ctState(...states: readonly [CtState, ...CtState[]]): Word {
  let bits = 0
  for (const state of states) {
    bits |= lookUp('ctState', ctStates, state)
  }
  let tests = stateTests.get(bits)
  if (tests === undefined) {
    tests = [shared(andMask(numberBytes(bits, 4, 'host'))), shared(compare('neq', new Uint8Array(4)))]
    stateTests.set(bits, tests)
  }
  return [...ct.state.load(1), ...tests]
}

/** By the bits that they look for: a rule without states is rare. */
const stateTests = new Map<number, Expression[]>()

/** Matches while at most so many connections are under way, or with `over` while there are more; in a dynamic set, for each key. */
export function connectionCount(count: number | { over: number }): Word {
  const number = typeof count === 'object' ? fieldsOf('ct.count', count).over : count
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('ct.count', count, 'a number of connections, or { over: number }')
  return [{ name: 'connlimit', data: { count: number, flags: typeof count === 'object' ? NFT_CONNLIMIT_F_INV : 0 } }]
}
