/** Adding to sets of ipset, deleting from them, and marking by what stands in them. Source: linux/netfilter/xt_set.h. */
import { u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { readFlags, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { extension, option, listSaid, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { NO_SET, readSet, setInfo, setUse, unknownSet, writeSet } from '../ipset.ts'
import type { SetInfo } from '../ipset.ts'
import { flag, integer } from '../values.ts'

const FOREVER = 0xffffffff
const options = {
  addSet: option(setUse),
  exist: option(flag),
  timeout: option(integer(0, FOREVER - 1)),
  delSet: option(setUse),
  mapSet: option(setUse),
  mapMark: option(flag),
  mapPrio: option(flag),
  mapQueue: option(flag),
}
const bits = {
  exist: c.IPSET_FLAG_EXIST, mapMark: c.IPSET_FLAG_MAP_SKBMARK, mapPrio: c.IPSET_FLAG_MAP_SKBPRIO, mapQueue: c.IPSET_FLAG_MAP_SKBQUEUE,
} as const
const uses = ['addSet', 'delSet', 'mapSet'] as const
const mapping = ['mapMark', 'mapPrio', 'mapQueue'] as const

export const SET: Extension<typeof options> = extension({
  name: 'SET',
  revision: 3,
  options,
  layout: struct({ add: setInfo, del: setInfo, map: setInfo, flags: u32, timeout: u32 }),
  check(given, context) {
    if (uses.every(field => given[field] === undefined)) return ['addSet', `at least one of ${uses.join(', ')}`]
    const ofAdd = (['exist', 'timeout'] as const).find(field => given[field] !== undefined)
    if (ofAdd !== undefined && given.addSet === undefined) return [ofAdd, 'addSet beside it']
    const ofMap = mapping.find(field => given[field] !== undefined)
    if (ofMap !== undefined && given.mapSet === undefined) return [ofMap, 'mapSet beside it']
    if (given.mapSet !== undefined && ofMap === undefined) return ['mapSet', `at least one of ${mapping.join(', ')} beside it`]
    if (given.mapSet !== undefined && context.table !== undefined && context.table !== 'mangle') return ['mapSet', 'it only in table mangle']
    return unknownSet(given, uses, context)
  },
  write: (given, context) => ({
    add: writeSet(given.addSet, context), del: writeSet(given.delSet, context), map: writeSet(given.mapSet, context),
    flags: saidBits(bits, given), timeout: given.timeout?.value ?? FOREVER,
  }),
  read({ add, del, map, flags, timeout }, context) {
    const read = (info: SetInfo): ReturnType<typeof readSet> => (info.index === NO_SET.index ? undefined : readSet(info, context))
    const [addSet, delSet, mapSet] = [read(add), read(del), read(map)]
    const meant = [add, del, map].filter(({ index }) => index !== NO_SET.index).length
    if ([addSet, delSet, mapSet].filter(said => said !== undefined).length !== meant) return undefined
    return { addSet, timeout: saysIf(timeout !== FOREVER, timeout), delSet, mapSet, ...readFlags(bits, flags) }
  },
  list: given => listSaid(options, given),
})
