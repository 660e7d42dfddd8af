/** Addresses that were seen before. Source: linux/netfilter/xt_recent.h. */
import { padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { prefixMask } from '../../primitives.ts'
import { inetText, toInet } from '../addresses.ts'
import * as c from '../constants.ts'
import { extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { address, flag, positive, text } from '../values.ts'
import { bytes, inetAddress } from '../xt.ts'

const recentOptions = {
  set: negatable(flag),
  rcheck: negatable(flag),
  update: negatable(flag),
  remove: negatable(flag),
  seconds: option(positive),
  reap: option(flag),
  hitcount: option(positive),
  rttl: option(flag),
  name: option({ ...text(c.XT_RECENT_NAME_LEN - 1), format: String }),
  mask: option(address),
  rsource: option(flag),
  rdest: option(flag),
}
const recentActions = { set: c.XT_RECENT_SET, rcheck: c.XT_RECENT_CHECK, update: c.XT_RECENT_UPDATE, remove: c.XT_RECENT_REMOVE } as const
const recentActionNames = Object.keys(recentActions) as (keyof typeof recentActions)[]
const recentWords = { set: 'SET', rcheck: 'CHECK', update: 'UPDATE', remove: 'REMOVE' } as const

/** The tool writes a name over its default, and compares all bytes when it looks for a rule. */
function overDefault(name: string): Uint8Array {
  const encoded = Buffer.from(`${name}\0`)
  const before = Buffer.from('DEFAULT')
  return Buffer.concat([encoded, before.subarray(Math.min(encoded.length, before.length))])
}

export const recent: Extension<typeof recentOptions> = extension({
  name: 'recent',
  revision: 1,
  options: recentOptions,
  layout: struct({
    seconds: u32, hitCount: u32, checkSet: u8, invert: u8, name: bytes(c.XT_RECENT_NAME_LEN), side: u8, _: padding(1), mask: inetAddress,
  }),
  check(given) {
    if (recentActionNames.filter(name => given[name] !== undefined).length !== 1) return ['set', 'exactly one of set, rcheck, update and remove']
    if ((given.hitcount !== undefined || given.rttl !== undefined) && (given.set !== undefined || given.remove !== undefined)) {
      return [given.hitcount === undefined ? 'rttl' : 'hitcount', 'rcheck or update beside it']
    }
    return given.reap !== undefined && given.seconds === undefined ? ['reap', 'seconds beside it'] : undefined
  },
  write(given) {
    const action = recentActionNames.find(name => given[name] !== undefined) ?? 'set'
    return {
      seconds: given.seconds?.value, hitCount: given.hitcount?.value,
      checkSet: recentActions[action] | (given.rttl === undefined ? 0 : c.XT_RECENT_TTL) |
        (given.reap === undefined ? 0 : c.XT_RECENT_REAP),
      invert: given[action]?.not === true ? 1 : 0, name: overDefault(given.name?.value ?? 'DEFAULT'),
      side: given.rdest === undefined ? c.XT_RECENT_SOURCE : c.XT_RECENT_DEST,
      mask: given.mask === undefined ? prefixMask(16, 128) : toInet(given.mask.value),
    }
  },
  read({ seconds, hitCount, checkSet, invert, name, side, mask }, { family }) {
    const actions = recentActionNames.filter(action => (checkSet & recentActions[action]) !== 0)
    const [action] = actions
    if (actions.length !== 1 || action === undefined) return undefined
    return {
      [action]: says(true as const, invert !== 0),
      seconds: saysIf(seconds !== 0, seconds),
      reap: saysIf((checkSet & c.XT_RECENT_REAP) !== 0, true as const),
      hitcount: saysIf(hitCount !== 0, hitCount),
      rttl: saysIf((checkSet & c.XT_RECENT_TTL) !== 0, true as const),
      name: says(Buffer.from(name).toString().split('\0')[0] ?? ''),
      mask: says(inetText(mask, family)),
      rsource: saysIf(side === c.XT_RECENT_SOURCE, true as const),
      rdest: saysIf(side === c.XT_RECENT_DEST, true as const),
    }
  },
  list(given) {
    const action = recentActionNames.find(name => given[name] !== undefined) ?? 'set'
    return [
      `${given[action]?.not === true ? '! ' : ''}recent: ${recentWords[action]}`,
      ...(given.seconds === undefined ? [] : [`seconds: ${given.seconds.value}`]),
      ...(given.reap === undefined ? [] : ['reap']),
      ...(given.hitcount === undefined ? [] : [`hit_count: ${given.hitcount.value}`]),
      ...(given.rttl === undefined ? [] : ['TTL-Match']),
      `name: ${given.name?.value ?? ''} side: ${given.rdest === undefined ? 'source' : 'dest'} mask: ${given.mask?.value ?? ''}`,
    ].join(' ')
  },
})
