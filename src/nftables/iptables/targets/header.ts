/** Changing headers. Sources: linux/netfilter/xt_DSCP.h, xt_TCPMSS.h, xt_CHECKSUM.h, ipt_TTL.h, ip6t_HL.h. */
import { padding, u16, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, option, says, saysIf, sugar } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { dscpClass, dscpOf, tos } from '../names.ts'
import { flag, hexadecimal, integer } from '../values.ts'

const checksumOptions = { checksumFill: option(flag) }

export const CHECKSUM: Extension<typeof checksumOptions> = extension({
  name: 'CHECKSUM',
  options: checksumOptions,
  tables: ['mangle'],
  layout: struct({ operation: u8 }),
  check: given => (given.checksumFill === undefined ? ['checksumFill', 'true'] : undefined),
  write: () => ({ operation: c.XT_CHECKSUM_OP_FILL }),
  read: ({ operation }) => (operation === c.XT_CHECKSUM_OP_FILL ? { checksumFill: says(true as const) } : undefined),
  list: () => 'CHECKSUM fill',
})

const setDscp = hexadecimal(0x3f, 2)
const dscpOptions = { setDscp: option(setDscp), setDscpClass: sugar(dscpClass, value => ({ setDscp: dscpOf(value) })) }

export const DSCP: Extension<typeof dscpOptions> = extension({
  name: 'DSCP',
  options: dscpOptions,
  tables: ['mangle'],
  layout: struct({ dscp: u8 }),
  check: given => (given.setDscp === undefined ? ['setDscp', setDscp.accepted] : undefined),
  write: ({ setDscp: said }) => ({ dscp: said?.value }),
  read: ({ dscp }) => ({ setDscp: says(dscp) }),
  list: ({ setDscp: said }) => `DSCP set ${setDscp.format(said?.value ?? 0)}`,
})

const byte = integer(0, 255)
const tosOptions = {
  setTos: option(tos),
  andTos: sugar(byte, value => ({ setTos: { value: 0, mask: ~value & 0xff } })),
  orTos: sugar(byte, value => ({ setTos: { value, mask: value } })),
  xorTos: sugar(byte, value => ({ setTos: { value, mask: 0 } })),
}

export const TOS: Extension<typeof tosOptions> = extension({
  name: 'TOS',
  revision: 1,
  options: tosOptions,
  tables: ['mangle'],
  layout: struct({ value: u8, mask: u8 }),
  check: given => (given.setTos === undefined ? ['setTos', 'one of setTos, andTos, orTos and xorTos'] : undefined),
  write: ({ setTos }) => ({ value: setTos?.value.value, mask: setTos?.value.mask }),
  read: ({ value, mask }) => ({ setTos: says({ value, mask }) }),
  list: ({ setTos }) => `TOS set ${tos.format(setTos?.value ?? { value: 0, mask: 0 })}`,
})

/** struct ipt_TTL_info, ip6t_HL_info: modes set, increment, decrement. */
const lifeLayout = struct({ mode: u8, value: u8, _: padding(2) })
const step = integer(1, 255)

function listLife(label: string, set: Said<number> | undefined, inc: Said<number> | undefined, dec: Said<number> | undefined): string {
  return `${label} ${set !== undefined ? 'set to' : inc !== undefined ? 'increment by' : 'decrement by'} ${(set ?? inc ?? dec)?.value ?? 0}`
}

function writeLife(
  set: Said<number> | undefined, inc: Said<number> | undefined, dec: Said<number> | undefined,
): { mode: number, value: number } {
  return { mode: set !== undefined ? 0 : inc !== undefined ? 1 : 2, value: (set ?? inc ?? dec)?.value ?? 0 }
}

const one = (...said: readonly unknown[]): boolean => said.filter(each => each !== undefined).length === 1

const ttlOptions = { ttlSet: option(byte), ttlInc: option(step), ttlDec: option(step) }

export const TTL: Extension<typeof ttlOptions> = extension({
  name: 'TTL',
  options: ttlOptions,
  families: ['ip'],
  tables: ['mangle'],
  layout: lifeLayout,
  check: ({ ttlSet, ttlInc, ttlDec }) => (one(ttlSet, ttlInc, ttlDec) ? undefined : ['ttlSet', 'exactly one of ttlSet, ttlInc and ttlDec']),
  write: ({ ttlSet, ttlInc, ttlDec }) => writeLife(ttlSet, ttlInc, ttlDec),
  read: ({ mode, value }) => ({ ttlSet: saysIf(mode === 0, value), ttlInc: saysIf(mode === 1, value), ttlDec: saysIf(mode === 2, value) }),
  list: ({ ttlSet, ttlInc, ttlDec }) => listLife('TTL', ttlSet, ttlInc, ttlDec),
})

const hlOptions = { hlSet: option(byte), hlInc: option(step), hlDec: option(step) }

export const HL: Extension<typeof hlOptions> = extension({
  name: 'HL',
  options: hlOptions,
  families: ['ip6'],
  tables: ['mangle'],
  layout: lifeLayout,
  check: ({ hlSet, hlInc, hlDec }) => (one(hlSet, hlInc, hlDec) ? undefined : ['hlSet', 'exactly one of hlSet, hlInc and hlDec']),
  write: ({ hlSet, hlInc, hlDec }) => writeLife(hlSet, hlInc, hlDec),
  read: ({ mode, value }) => ({ hlSet: saysIf(mode === 0, value), hlInc: saysIf(mode === 1, value), hlDec: saysIf(mode === 2, value) }),
  list: ({ hlSet, hlInc, hlDec }) => listLife('HL', hlSet, hlInc, hlDec),
})

const tcpmssOptions = { setMss: option(integer(0, 0xfffe)), clampMssToPmtu: option(flag) }

export const TCPMSS: Extension<typeof tcpmssOptions> = extension({
  name: 'TCPMSS',
  options: tcpmssOptions,
  protocols: [6],
  layout: struct({ mss: u16 }),
  check: ({ setMss, clampMssToPmtu }) => (one(setMss, clampMssToPmtu) ? undefined : ['setMss', 'exactly one of setMss and clampMssToPmtu']),
  write: ({ setMss }) => ({ mss: setMss?.value ?? c.XT_TCPMSS_CLAMP_PMTU }),
  read: ({ mss }) => (mss === c.XT_TCPMSS_CLAMP_PMTU ? { clampMssToPmtu: says(true as const) } : { setMss: says(mss) }),
  list: ({ setMss }) => (setMss === undefined ? 'TCPMSS clamp to PMTU' : `TCPMSS set ${setMss.value}`),
})

