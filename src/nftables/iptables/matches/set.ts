/** Addresses and ports that stand in a set of ipset. Source: linux/netfilter/xt_set.h. */
import { counter64, padding, u32, u8 } from '../../../netlink/codecs.ts'
import type { FixedCodec } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, negatable, listSaid, option, saysIf } from '../extension.ts'
import type { Extension, Option, Said } from '../extension.ts'
import { readSet, setInfo, setUse, unknownSet, writeSet } from '../ipset.ts'
import { flag, integer } from '../values.ts'
import { inner } from '../xt.ts'

/** That counters are counted is what happens anyway: only its negation says something. */
const counting = (name: string): Option<true, true, true> => ({ ...negatable(flag), means: said => (said.not ? { [name]: said } : {}) })
const count = integer(0, Number.MAX_SAFE_INTEGER)

const options = {
  matchSet: negatable(setUse),
  returnNomatch: option(flag),
  updateCounters: counting('updateCounters'),
  updateSubcounters: counting('updateSubcounters'),
  packetsEq: negatable(count),
  packetsLt: option(count),
  packetsGt: option(count),
  bytesEq: negatable(count),
  bytesLt: option(count),
  bytesGt: option(count),
}

/** struct ip_set_counter_match. */
const counterMatch = struct({ value: counter64, operation: u8, _: padding(7) })
interface CounterMatch { value: number, operation: number }
const counterCodec: FixedCodec<CounterMatch> = inner(counterMatch)
type Compared = readonly [eq: Said<number> | undefined, lt: Said<number> | undefined, gt: Said<number> | undefined]

function writeCounter([eq, lt, gt]: Compared): CounterMatch {
  const operation = eq !== undefined ? (eq.not ? c.IPSET_COUNTER_NE : c.IPSET_COUNTER_EQ)
    : lt !== undefined ? c.IPSET_COUNTER_LT : gt !== undefined ? c.IPSET_COUNTER_GT : c.IPSET_COUNTER_NONE
  return { operation, value: (eq ?? lt ?? gt)?.value ?? 0 }
}

function readCounter({ operation, value }: CounterMatch): Compared {
  const not = operation === c.IPSET_COUNTER_NE
  return [
    saysIf(not || operation === c.IPSET_COUNTER_EQ, value, not), saysIf(operation === c.IPSET_COUNTER_LT, value),
    saysIf(operation === c.IPSET_COUNTER_GT, value),
  ]
}

const several = (compared: Compared): boolean => compared.filter(said => said !== undefined).length > 1

export const set: Extension<typeof options> = extension({
  name: 'set',
  revision: 4,
  options,
  layout: struct({ set: setInfo, _: padding(4), packets: counterCodec, bytes: counterCodec, flags: u32, _end: padding(4) }),
  check(given, context) {
    if (given.matchSet === undefined) return ['matchSet', setUse.accepted]
    if (several([given.packetsEq, given.packetsLt, given.packetsGt])) return ['packetsEq', 'only one of packetsEq, packetsLt and packetsGt']
    if (several([given.bytesEq, given.bytesLt, given.bytesGt])) return ['bytesEq', 'only one of bytesEq, bytesLt and bytesGt']
    return unknownSet(given, ['matchSet'], context)
  },
  write: (given, context) => ({
    set: writeSet(given.matchSet, context),
    packets: writeCounter([given.packetsEq, given.packetsLt, given.packetsGt]),
    bytes: writeCounter([given.bytesEq, given.bytesLt, given.bytesGt]),
    flags: (given.returnNomatch === undefined ? 0 : c.IPSET_FLAG_RETURN_NOMATCH) |
      (given.updateCounters === undefined ? 0 : c.IPSET_FLAG_SKIP_COUNTER_UPDATE) |
      (given.updateSubcounters === undefined ? 0 : c.IPSET_FLAG_SKIP_SUBCOUNTER_UPDATE),
  }),
  read({ set: info, packets, bytes, flags }, context) {
    const matchSet = readSet(info, context)
    if (matchSet === undefined) return undefined
    const [packetsEq, packetsLt, packetsGt] = readCounter(packets)
    const [bytesEq, bytesLt, bytesGt] = readCounter(bytes)
    return {
      matchSet, returnNomatch: saysIf((flags & c.IPSET_FLAG_RETURN_NOMATCH) !== 0, true as const),
      updateCounters: saysIf((flags & c.IPSET_FLAG_SKIP_COUNTER_UPDATE) !== 0, true as const, true),
      updateSubcounters: saysIf((flags & c.IPSET_FLAG_SKIP_SUBCOUNTER_UPDATE) !== 0, true as const, true),
      packetsEq, packetsLt, packetsGt, bytesEq, bytesLt, bytesGt,
    }
  },
  list: given => listSaid(options, given),
})
