/** Marks, and what connection tracking is told. Sources: linux/netfilter/xt_mark.h, xt_connmark.h, xt_CT.h, xt_CLASSIFY.h. */
import { padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, option, listSaid, says, saysIf, sugar } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { bitsOf, flag, hex, integer, mark, nameList, namesOf, parseNumber, text } from '../values.ts'
import type { Kind, MarkValue } from '../values.ts'
import { bytes, fixedText } from '../xt.ts'

const xmark = mark({ always: true })
const bits = mark()
const ALL = 0xffffffff

/** Options that are other words for `--set-xmark VALUE/MASK`: clear the bits of the mask, then flip those of the value. */
const setOptions = {
  setXmark: option(xmark),
  setMark: sugar(bits, ({ value, mask }) => ({ setXmark: { value, mask: (value | mask) >>> 0 } })),
  andMark: sugar(integer(0, ALL), value => ({ setXmark: { value: 0, mask: ~value >>> 0 } })),
  orMark: sugar(integer(0, ALL), value => ({ setXmark: { value, mask: value } })),
  xorMark: sugar(integer(0, ALL), value => ({ setXmark: { value, mask: 0 } })),
}

/** The shortest of those words, as `iptables -L` picks it. */
function listSet({ value, mask }: MarkValue): string {
  if (value === 0) return `and ${hex(~mask >>> 0)}`
  if (value === mask) return `or ${hex(value)}`
  if (mask === 0) return `xor ${hex(value)}`
  return mask === ALL ? `set ${hex(value)}` : `xset ${hex(value)}/${hex(mask)}`
}

const needsSet = (given: Given<typeof setOptions>): readonly [string, string] | undefined =>
  (given.setXmark === undefined ? ['setMark', 'one of setMark, setXmark, andMark, orMark and xorMark'] : undefined)

export const MARK: Extension<typeof setOptions> = extension({
  name: 'MARK',
  revision: 2,
  options: setOptions,
  layout: struct({ mark: u32, mask: u32 }),
  check: needsSet,
  write: ({ setXmark }) => ({ mark: setXmark?.value.value, mask: setXmark?.value.mask }),
  read: ({ mark: value, mask }) => ({ setXmark: says({ value, mask }) }),
  list: ({ setXmark }) => `MARK ${listSet(setXmark?.value ?? { value: 0, mask: 0 })}`,
})

const maskBits = { ...integer(0, ALL), format: (value: number) => hex(value) }
const shift = integer(1, 32)
const connmarkOptions = {
  ...setOptions,
  saveMark: option(flag),
  restoreMark: option(flag),
  nfmask: option(maskBits),
  ctmask: option(maskBits),
  mask: sugar(integer(0, ALL), value => ({ nfmask: value, ctmask: value })),
  leftShiftMark: option(shift),
  rightShiftMark: option(shift),
}

export const CONNMARK: Extension<typeof connmarkOptions> = extension({
  name: 'CONNMARK',
  revision: 2,
  options: connmarkOptions,
  layout: struct({ ctmark: u32, ctmask: u32, nfmask: u32, shiftRight: u8, shiftBits: u8, mode: u8, _: padding(1) }),
  check(given) {
    const { setXmark, saveMark, restoreMark, nfmask, ctmask, leftShiftMark, rightShiftMark } = given
    if ([setXmark, saveMark, restoreMark].filter(said => said !== undefined).length !== 1) {
      return ['setMark', 'exactly one of setMark (or setXmark, andMark, orMark, xorMark), saveMark and restoreMark']
    }
    if (setXmark !== undefined && (nfmask ?? ctmask) !== undefined) return ['nfmask', 'saveMark or restoreMark beside it']
    return leftShiftMark !== undefined && rightShiftMark !== undefined ? ['leftShiftMark', 'nothing beside rightShiftMark'] : undefined
  },
  write({ setXmark, saveMark, nfmask, ctmask, leftShiftMark, rightShiftMark }) {
    return {
      ctmark: setXmark?.value.value,
      ctmask: setXmark?.value.mask ?? ctmask?.value ?? ALL,
      nfmask: nfmask?.value ?? ALL,
      shiftRight: rightShiftMark === undefined ? 0 : 1,
      shiftBits: (leftShiftMark ?? rightShiftMark)?.value,
      mode: setXmark !== undefined ? c.XT_CONNMARK_SET : saveMark !== undefined ? c.XT_CONNMARK_SAVE : c.XT_CONNMARK_RESTORE,
    }
  },
  read({ ctmark, ctmask, nfmask, shiftRight, shiftBits, mode }) {
    if (mode > c.XT_CONNMARK_RESTORE) return undefined
    const set = mode === c.XT_CONNMARK_SET
    return {
      setXmark: saysIf(set, { value: ctmark, mask: ctmask }),
      saveMark: saysIf(mode === c.XT_CONNMARK_SAVE, true as const),
      restoreMark: saysIf(mode === c.XT_CONNMARK_RESTORE, true as const),
      nfmask: saysIf(!set, nfmask),
      ctmask: saysIf(!set, ctmask),
      leftShiftMark: saysIf(shiftBits !== 0 && shiftRight === 0, shiftBits),
      rightShiftMark: saysIf(shiftBits !== 0 && shiftRight !== 0, shiftBits),
    }
  },
  list({ setXmark, saveMark, nfmask, ctmask, leftShiftMark, rightShiftMark }) {
    const [of, ct] = [nfmask?.value ?? ALL, ctmask?.value ?? ALL]
    const masks = of === ALL && ct === ALL ? '' : of === ct ? ` mask ${hex(of)}`
      : saveMark === undefined ? ` ctmask ${hex(ct)} nfmask ~${hex(of)}` : ` nfmask ${hex(of)} ctmask ~${hex(ct)}`
    const shifted = leftShiftMark !== undefined ? ` left-shift-mark ${leftShiftMark.value}`
      : rightShiftMark !== undefined ? ` right-shift-mark ${rightShiftMark.value}` : ''
    const action = setXmark === undefined ? `${saveMark === undefined ? 'restore' : 'save'}${masks}` : listSet(setXmark.value)
    return `CONNMARK ${action}${shifted}`
  },
})

/** IPCT_* by bit, as iptables calls those that it can name (linux/netfilter/nf_conntrack_common.h). */
const ctEvents = ['new', 'related', 'destroy', 'reply', 'assured', 'protoinfo', 'helper', 'mark', 'natseqinfo', 'secmark'] as const

const zone: Kind<number | 'mark'> = {
  words: 1,
  accepted: 'a number from 0 to 65535, or mark',
  parse: value => (value === 'mark' ? value : parseNumber(value) <= 0xffff ? parseNumber(value) : undefined),
  format: String,
  type: String,
}
const ctOptions = {
  notrack: option(flag),
  helper: option({ ...text(15), format: String }),
  timeout: option({ ...text(31), format: String }),
  ctevents: option(nameList(ctEvents)),
  expevents: option(nameList(['new'])),
  zoneOrig: option(zone),
  zoneReply: option(zone),
  zone: option(zone),
}
/** struct xt_ct_target_info_v1. */
const ctLayout = struct({
  flags: u16, zone: u16, ctEvents: u32, expEvents: u32, helper: fixedText(16), timeout: fixedText(32), _: padding(4), _ct: bytes(8),
})
const zoneFlags = { zone: 0, zoneOrig: c.XT_CT_ZONE_DIR_ORIG, zoneReply: c.XT_CT_ZONE_DIR_REPL } as const

export const CT: Extension<typeof ctOptions> = extension({
  name: 'CT',
  revision: 2,
  options: ctOptions,
  tables: ['raw'],
  layout: ctLayout,
  check(given, { protocol }) {
    if (given.helper !== undefined && protocol === undefined) return ['helper', 'a protocol for which the helper is']
    const zones = [given.zone, given.zoneOrig, given.zoneReply].filter(said => said !== undefined)
    return zones.length > 1 ? ['zone', 'only one of zone, zoneOrig and zoneReply'] : undefined
  },
  write(given) {
    const which = (Object.keys(zoneFlags) as (keyof typeof zoneFlags)[]).find(name => given[name] !== undefined)
    const said = which === undefined ? undefined : given[which]?.value
    return {
      flags: (given.notrack === undefined ? 0 : c.XT_CT_NOTRACK) | (which === undefined ? 0 : zoneFlags[which]) |
        (said === 'mark' ? c.XT_CT_ZONE_MARK : 0),
      zone: typeof said === 'number' ? said : 0,
      ctEvents: bitsOf(ctEvents, given.ctevents?.value ?? []),
      expEvents: bitsOf(['new'], given.expevents?.value ?? []),
      helper: given.helper?.value,
      timeout: given.timeout?.value,
    }
  },
  read({ flags, zone: number, ctEvents: events, expEvents, helper, timeout }) {
    if ((flags & c.XT_CT_NOTRACK_ALIAS) !== 0) return undefined
    const direction = flags & (c.XT_CT_ZONE_DIR_ORIG | c.XT_CT_ZONE_DIR_REPL)
    const said = (flags & c.XT_CT_ZONE_MARK) === 0 ? number : 'mark' as const
    const zoned = (wanted: number): ReturnType<typeof saysIf<number | 'mark'>> => saysIf(said !== 0 && direction === wanted, said)
    return {
      notrack: saysIf((flags & c.XT_CT_NOTRACK) !== 0, true as const),
      helper: saysIf(helper !== '', helper),
      timeout: saysIf(timeout !== '', timeout),
      ctevents: saysIf(events !== 0, namesOf(ctEvents, events)),
      expevents: saysIf(expEvents !== 0, namesOf(['new'] as const, expEvents)),
      zoneOrig: zoned(c.XT_CT_ZONE_DIR_ORIG),
      zoneReply: zoned(c.XT_CT_ZONE_DIR_REPL),
      zone: zoned(0),
    }
  },
  list: given => `CT ${listSaid(ctOptions, given)}`.trimEnd(),
})

const noOptions = {}

/** Short for `CT --notrack`: the same struct with a flag. */
export const NOTRACK: Extension<typeof noOptions> = extension({
  name: 'NOTRACK',
  xt: 'CT',
  revision: 2,
  options: noOptions,
  tables: ['raw'],
  layout: ctLayout,
  write: () => ({ flags: c.XT_CT_NOTRACK | c.XT_CT_NOTRACK_ALIAS }),
  read: ({ flags }) => ((flags & c.XT_CT_NOTRACK_ALIAS) === 0 ? undefined : {}),
  list: () => 'NOTRACK',
})

/** `major:minor`, in hexadecimal, as tc(8) writes it. */
const classId: Kind<string> = {
  words: 1,
  accepted: 'a class like 1:10, both parts hexadecimal, up to ffff',
  parse: value => (/^[\da-f]{1,4}:[\da-f]{1,4}$/i.test(value) ? value.split(':').map(part => parseInt(part, 16).toString(16)).join(':') : undefined),
  format: value => value.split(':').map(part => part.padStart(4, '0')).join(':'),
  type: String,
}
const classifyOptions = { setClass: option(classId) }

export const CLASSIFY: Extension<typeof classifyOptions> = extension({
  name: 'CLASSIFY',
  options: classifyOptions,
  layout: struct({ minor: u16, major: u16 }),
  check: given => (given.setClass === undefined ? ['setClass', classId.accepted] : undefined),
  write({ setClass }) {
    const [major, minor] = (setClass?.value ?? '0:0').split(':').map(part => parseInt(part, 16))
    return { major, minor }
  },
  read: ({ major, minor }) => ({ setClass: says(`${major.toString(16)}:${minor.toString(16)}`) }),
  list: ({ setClass }) => `CLASSIFY set ${setClass?.value ?? ''}`,
})
