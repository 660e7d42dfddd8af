/** Changing headers. Sources: linux/netfilter/xt_DSCP.h, xt_TCPMSS.h, xt_CHECKSUM.h, xt_TCPOPTSTRIP.h, ipt_TTL.h, ipt_ECN.h, ip6t_HL.h. */
import { padding, u16, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { extension, option, says, saysIf, sugar } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { dscpClass, dscpOf, tos } from '../names.ts'
import { flag, hexadecimal, integer, parseNumber } from '../values.ts'
import type { Kind } from '../values.ts'
import { bytes } from '../xt.ts'

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


const bit = integer(0, 1)
const ecnOptions = { ecnTcpRemove: option(flag), ecnTcpEce: option(bit), ecnTcpCwr: option(bit), ecnIpEct: option(integer(0, 3)) }
const ecnBits = { ecnTcpEce: c.IPT_ECN_OP_SET_ECE, ecnTcpCwr: c.IPT_ECN_OP_SET_CWR, ecnIpEct: c.IPT_ECN_OP_SET_IP } as const
const BOTH = c.IPT_ECN_OP_SET_ECE | c.IPT_ECN_OP_SET_CWR

/** Explicit congestion notification, in the IP and TCP headers. */
export const ECN: Extension<typeof ecnOptions> = extension({
  name: 'ECN',
  options: ecnOptions,
  families: ['ip'],
  tables: ['mangle'],
  layout: struct({ operation: u8, ect: u8, tcp: u8 }),
  check({ ecnTcpRemove, ecnTcpEce, ecnTcpCwr, ecnIpEct }, { protocol }) {
    const tcp = ecnTcpRemove ?? ecnTcpEce ?? ecnTcpCwr
    if ((tcp ?? ecnIpEct) === undefined) return ['ecnTcpRemove', 'at least one option of ECN']
    if (ecnTcpRemove !== undefined && (ecnTcpEce ?? ecnTcpCwr) !== undefined) return ['ecnTcpRemove', 'nothing beside ecnTcpEce and ecnTcpCwr']
    return tcp === undefined || protocol === 6 ? undefined
      : [ecnTcpRemove !== undefined ? 'ecnTcpRemove' : ecnTcpEce !== undefined ? 'ecnTcpEce' : 'ecnTcpCwr', 'it only with protocol tcp']
  },
  write: given => ({
    operation: saidBits(ecnBits, given) | (given.ecnTcpRemove === undefined ? 0 : BOTH),
    ect: given.ecnIpEct?.value,
    tcp: (given.ecnTcpEce?.value ?? 0) | (given.ecnTcpCwr?.value ?? 0) << 1,
  }),
  read({ operation, ect, tcp }) {
    if (operation === BOTH && tcp === 0) return { ecnTcpRemove: says(true as const) }
    const said = readBits([ecnBits, operation])
    return { ecnTcpEce: said('ecnTcpEce', tcp & 1), ecnTcpCwr: said('ecnTcpCwr', tcp >> 1 & 1), ecnIpEct: said('ecnIpEct', ect) }
  },
  list: ({ ecnTcpRemove, ecnTcpEce, ecnTcpCwr, ecnIpEct }) => [
    'ECN', ...(ecnTcpRemove === undefined ? [] : ['TCP remove']), ...(ecnTcpEce === undefined ? [] : [`ECE=${ecnTcpEce.value}`]),
    ...(ecnTcpCwr === undefined ? [] : [`CWR=${ecnTcpCwr.value}`]), ...(ecnIpEct === undefined ? [] : [`ECT codepoint=${ecnIpEct.value}`]),
  ].join(' '),
})

/** TCPOPT_* of netinet/tcp.h. */
const tcpOptions = { wscale: 3, mss: 2, 'sack-permitted': 4, sack: 5, timestamp: 8, md5: 19 } as const
type TcpOption = keyof typeof tcpOptions

/** Kept and printed as numbers, in order. */
const tcpOptionList: Kind<readonly number[], readonly (number | TcpOption)[] | string> = {
  words: 1,
  accepted: `some of ${Object.keys(tcpOptions).join(', ')}, or numbers from 2 to 255`,
  parse(text) {
    const numbers = text.split(',').map(word => (Object.hasOwn(tcpOptions, word) ? tcpOptions[word as TcpOption] : parseNumber(word)))
    return numbers.every(number => number >= 2 && number <= 255) ? [...new Set(numbers)].sort((a, b) => a - b) : undefined
  },
  format: numbers => numbers.join(','),
  type: input => (typeof input === 'string' ? input : [...input].join(',')),
}
const stripOptions = { stripOptions: option(tcpOptionList) }

/** Options of TCP that are overwritten with NOPs. */
export const TCPOPTSTRIP: Extension<typeof stripOptions> = extension({
  name: 'TCPOPTSTRIP',
  options: stripOptions,
  tables: ['mangle'],
  protocols: [6],
  layout: struct({ bitmap: bytes(32) }),
  write({ stripOptions: said }) {
    const bitmap = new Uint8Array(32)
    for (const number of said?.value ?? []) bitmap[number >> 3] = (bitmap[number >> 3] ?? 0) | 1 << (number & 7)
    return { bitmap }
  },
  read({ bitmap }) {
    const all = Array.from({ length: 256 }, (_, number) => number)
    const numbers = all.filter(number => ((bitmap[number >> 3] ?? 0) & 1 << (number & 7)) !== 0)
    return { stripOptions: saysIf(numbers.length > 0, numbers) }
  },
  list: ({ stripOptions: said }) => (said === undefined ? '' : `TCPOPTSTRIP options ${tcpOptionList.format(said.value)}`),
})
