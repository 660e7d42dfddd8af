/**
 * What stands in IPsec's headers. Sources: linux/netfilter_ipv4/ipt_ah.h, linux/netfilter_ipv6/ip6t_ah.h,
 * linux/netfilter/xt_esp.h, xt_ipcomp.h.
 */
import { bool8, padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { notBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable, option, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { flag, integer, range } from '../values.ts'
import { absent } from '../xt.ts'
import { listRange, nothingLeft, saidRange } from './ranges.ts'

const MAX = 0xffffffff
const spi = negatable(range(MAX))

const ahOptions = { ahspi: spi, ahlen: negatable(integer(0, MAX)), ahres: option(flag) }
/** struct ipt_ah has only the first and the last of the numbers. */
const ahLayouts = {
  ip: struct({ first: u32, last: u32, length: absent(0), reserved: absent(false), invflags: u8, _: padding(3) }),
  ip6: struct({ first: u32, last: u32, length: u32, reserved: bool8, invflags: u8, _: padding(2) }),
} as const
const ahInversions = { ahspi: c.IP6T_AH_INV_SPI, ahlen: c.IP6T_AH_INV_LEN } as const

/** The authentication header. */
export const ah: Extension<typeof ahOptions> = extension({
  name: 'ah',
  options: ahOptions,
  layout: family => ahLayouts[family] as typeof ahLayouts.ip6,
  check(given, { family, protocol }) {
    if (family === 'ip' && protocol !== 51) return ['ahspi', 'ah only with protocol ah']
    const ofIp6 = family === 'ip' ? (['ahlen', 'ahres'] as const).find(field => given[field] !== undefined) : undefined
    return ofIp6 === undefined ? nothingLeft(given, MAX, 'ahspi') : [ofIp6, 'nothing in family ip']
  },
  write: given => ({
    first: given.ahspi?.value[0], last: given.ahspi?.value[1] ?? MAX, length: given.ahlen?.value, reserved: given.ahres?.value,
    invflags: notBits(ahInversions, given),
  }),
  read({ first, last, length, reserved, invflags }) {
    const notLength = (invflags & ahInversions.ahlen) !== 0
    return {
      ahspi: saidRange(first, last, MAX, (invflags & ahInversions.ahspi) !== 0),
      ahlen: saysIf(length !== 0 || notLength, length, notLength), ahres: saysIf(reserved, true as const),
    }
  },
  // The tool has no space between both numbers.
  list: ({ ahspi, ahlen, ahres }) => `ah ${listRange('spi', ahspi, MAX).join('')}` +
    `${ahlen === undefined ? '' : `length:${bang(ahlen)}${ahlen.value}`}${ahres === undefined ? '' : ' reserved'}`,
})

const espOptions = { espspi: spi }

/** The encapsulating security payload. */
export const esp: Extension<typeof espOptions> = extension({
  name: 'esp',
  options: espOptions,
  protocols: [50],
  layout: struct({ first: u32, last: u32, invflags: u8, _: padding(3) }),
  check: given => nothingLeft(given, MAX, 'espspi'),
  write: ({ espspi }) => ({
    first: espspi?.value[0], last: espspi?.value[1] ?? MAX, invflags: espspi?.not === true ? c.XT_ESP_INV_SPI : 0,
  }),
  read: ({ first, last, invflags }) => ({ espspi: saidRange(first, last, MAX, (invflags & c.XT_ESP_INV_SPI) !== 0) }),
  list: ({ espspi }) => ['esp', ...listRange('spi', espspi, MAX)].join(' '),
})

const ipcompOptions = { ipcompspi: spi, compres: option(flag) }

/** Compressed payload. */
export const ipcomp: Extension<typeof ipcompOptions> = extension({
  name: 'ipcomp',
  options: ipcompOptions,
  protocols: [108],
  layout: struct({ first: u32, last: u32, invflags: u8, reserved: bool8, _: padding(2) }),
  check: given => nothingLeft(given, MAX, 'ipcompspi'),
  // Without a number the tool looks for number 0.
  write: ({ ipcompspi, compres }) => ({
    first: ipcompspi?.value[0], last: ipcompspi?.value[1], invflags: ipcompspi?.not === true ? c.XT_IPCOMP_INV_SPI : 0,
    reserved: compres?.value,
  }),
  read: ({ first, last, invflags, reserved }) => ({
    ipcompspi: saidRange(first, last, MAX, (invflags & c.XT_IPCOMP_INV_SPI) !== 0), compres: saysIf(reserved, true as const),
  }),
  list: ({ ipcompspi, compres }) =>
    `comp ${listRange('spi', ipcompspi, MAX).join('')}${compres === undefined ? '' : ' reserved'}`,
})
