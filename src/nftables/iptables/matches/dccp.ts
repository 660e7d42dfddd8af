/** What stands in the headers of DCCP. Sources: linux/netfilter/xt_dccp.h, linux/dccp.h (enum dccp_pkt_type). */
import { u16, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { notBits, readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { bitsOf, integer, nameList, namesOf } from '../values.ts'
import { listPorts, noPort, portOptions } from './ports.ts'

/** By number. INVALID stands for all that follow. */
const types = ['REQUEST', 'RESPONSE', 'DATA', 'ACK', 'DATAACK', 'CLOSEREQ', 'CLOSE', 'RESET', 'SYNC', 'SYNCACK', 'INVALID'] as const
export type DccpType = (typeof types)[number]
const INVALID_MASK = 0xfc00

const options = { ...portOptions, dccpTypes: negatable(nameList(types)), dccpOption: negatable(integer(1, 255)) }
const bits = {
  sport: c.XT_DCCP_SRC_PORTS, dport: c.XT_DCCP_DEST_PORTS, dccpTypes: c.XT_DCCP_TYPE, dccpOption: c.XT_DCCP_OPTION,
} as const

const maskOf = (given: readonly DccpType[]): number => bitsOf(types, given) | (given.includes('INVALID') ? INVALID_MASK : 0)

export const dccp: Extension<typeof options> = extension({
  name: 'dccp',
  options,
  protocols: [33],
  layout: struct({
    dportMin: u16, dportMax: u16, sportMin: u16, sportMax: u16, flags: u16, invflags: u16, types: u16, option: u8,
  }),
  check: noPort,
  write: given => ({
    sportMin: given.sport?.value[0], sportMax: given.sport?.value[1], dportMin: given.dport?.value[0], dportMax: given.dport?.value[1],
    flags: saidBits(bits, given), invflags: notBits(bits, given),
    types: maskOf(given.dccpTypes?.value ?? []), option: given.dccpOption?.value,
  }),
  read({ sportMin, sportMax, dportMin, dportMax, flags, invflags, types: mask, option: number }) {
    const said = readBits([bits, flags], [bits, invflags])
    const names = namesOf(types, mask)
    if (mask !== maskOf(names)) return undefined
    return {
      sport: said('sport', [sportMin, sportMax]), dport: said('dport', [dportMin, dportMax]),
      dccpTypes: said('dccpTypes', names), dccpOption: said('dccpOption', number),
    }
  },
  list({ dccpTypes, dccpOption, ...given }) {
    const mask = maskOf(dccpTypes?.value ?? [])
    const numbers = Array.from({ length: 16 }, (_, number) => number).filter(number => (mask & 1 << number) !== 0)
    return [
      'dccp', ...listPorts(given),
      ...(dccpTypes === undefined ? [] : [`${bang(dccpTypes, ' ')}${numbers.join(',')}`]),
      ...(dccpOption === undefined ? [] : [`option=${bang(dccpOption)}${dccpOption.value}`]),
    ].join(' ')
  },
})
