/** What stands in IPsec's headers. Sources: linux/netfilter_ipv4/ipt_ah.h, linux/netfilter/xt_esp.h. */
import { padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, negatable, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { range } from '../values.ts'

const ahOptions = { ahspi: negatable(range(0xffffffff)) }

/** IPsec's authentication header, of IPv4. */
export const ah: Extension<typeof ahOptions> = extension({
  name: 'ah',
  options: ahOptions,
  families: ['ip'],
  protocols: [51],
  layout: struct({ first: u32, last: u32, invflags: u8, _: padding(3) }),
  write: ({ ahspi }) => ({
    first: ahspi?.value[0], last: ahspi?.value[1] ?? 0xffffffff, invflags: ahspi?.not === true ? c.IPT_AH_INV_SPI : 0,
  }),
  read: ({ first, last, invflags }) =>
    ({ ahspi: saysIf(first !== 0 || last !== 0xffffffff || invflags !== 0, [first, last] as const, invflags !== 0) }),
  list({ ahspi }) {
    if (ahspi === undefined) return 'ah '
    const [first, last] = ahspi.value
    return `ah ${first === last ? 'spi' : 'spis'}:${ahspi.not ? '!' : ''}${ahOptions.ahspi.kind.format(ahspi.value)}`
  },
})

const spiOptions = { espspi: negatable(range(0xffffffff)) }

export const esp: Extension<typeof spiOptions> = extension({
  name: 'esp',
  options: spiOptions,
  protocols: [50],
  layout: struct({ first: u32, last: u32, invflags: u8, _: padding(3) }),
  write: ({ espspi }) => ({
    first: espspi?.value[0], last: espspi?.value[1] ?? 0xffffffff, invflags: espspi?.not === true ? c.XT_ESP_INV_SPI : 0,
  }),
  read: ({ first, last, invflags }) =>
    ({ espspi: saysIf(first !== 0 || last !== 0xffffffff || invflags !== 0, [first, last] as const, invflags !== 0) }),
  list({ espspi }) {
    if (espspi === undefined) return 'esp'
    const [first, last] = espspi.value
    return `esp ${first === last ? 'spi' : 'spis'}:${espspi.not ? '!' : ''}${spiOptions.espspi.kind.format(espspi.value)}`
  },
})
