/** What IPsec did with a packet, or will do. Source: linux/netfilter/xt_policy.h. */
import { u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { hostText, toHost } from '../addresses.ts'
import { notBits, readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, further, negatable, option, optionName, says, saysIf } from '../extension.ts'
import type { Extension, Given, Said } from '../extension.ts'
import { protocolName, protocolNumberOf } from '../protocols.ts'
import { flag, hexadecimal, integer, masked, oneOf } from '../values.ts'
import type { Context, Kind } from '../values.ts'
import { array, inetAddress, inner } from '../xt.ts'

const protocols = [51, 50, 108]

const protocol: Kind<number, number | string> = {
  words: 1,
  accepted: `one of ${protocols.map(protocolName).join(', ')}`,
  parse(text) {
    const number = protocolNumberOf(text)
    return number !== undefined && protocols.includes(number) ? number : undefined
  },
  format: protocolName,
  type: String,
}

/** By number. */
const modes = ['transport', 'tunnel'] as const
const host = masked({ whole: false })
const elementOptions = {
  reqid: negatable(integer(0, 0xffffffff)), spi: negatable(hexadecimal(0xffffffff, 1)), proto: negatable(protocol),
  mode: negatable(oneOf(...modes)), tunnelDst: negatable(host), tunnelSrc: negatable(host),
}
const options = {
  dir: option(oneOf('in', 'out')), pol: option(oneOf('none', 'ipsec')), strict: option(flag), ...elementOptions,
  next: further(elementOptions, c.XT_POLICY_MAX_ELEM - 1),
}
type Element = Given<typeof elementOptions>

/** struct xt_policy_spec, a byte of bits. */
const specBits = { tunnelSrc: 0x1, tunnelDst: 0x2, proto: 0x4, mode: 0x8, spi: 0x10, reqid: 0x20 } as const
const elementFields = Object.keys(elementOptions) as (keyof Element)[]

const elementLayout = struct({
  saddr: inetAddress, smask: inetAddress, daddr: inetAddress, dmask: inetAddress, spi: u32, reqid: u32, proto: u8, mode: u8,
  match: u8, invert: u8,
})
const NOWHERE: { address: Uint8Array, mask: Uint8Array } = { address: new Uint8Array(16), mask: new Uint8Array(16) }

function elementsOf({ next, ...first }: Given<typeof options>): Element[] {
  const { dir: _dir, pol: _pol, strict: _strict, ...element } = first
  return [element, ...next?.value ?? []]
}

function writeElement(element: Element, { family }: Context): ReturnType<typeof elementLayout.decode> {
  const { spi, reqid, proto, mode, tunnelSrc, tunnelDst } = element
  const of = (said: Said<string> | undefined): typeof NOWHERE => (said === undefined ? undefined : toHost(said.value, family)) ?? NOWHERE
  const [from, to] = [of(tunnelSrc), of(tunnelDst)]
  return {
    saddr: from.address, smask: from.mask, daddr: to.address, dmask: to.mask,
    spi: spi?.value ?? 0, reqid: reqid?.value ?? 0, proto: proto?.value ?? 0, mode: mode === undefined ? 0 : modes.indexOf(mode.value),
    match: saidBits(specBits, element), invert: notBits(specBits, element),
  }
}

const isTunnel = (mode: Said<(typeof modes)[number]> | undefined): boolean => mode !== undefined && (mode.value === 'tunnel') !== mode.not

export const policy: Extension<typeof options> = extension({
  name: 'policy',
  options,
  layout: struct({ elements: array(inner(elementLayout), c.XT_POLICY_MAX_ELEM), flags: u16, count: u16 }),
  check(given) {
    const { dir, pol, strict } = given
    if (dir === undefined) return ['dir', options.dir.kind.accepted]
    const elements = elementsOf(given)
    const says = (element: Element): boolean => elementFields.some(field => element[field] !== undefined)
    if (pol?.value === 'none') {
      if (strict !== undefined) return ['strict', 'nothing with pol none']
      const said = elementFields.find(field => given[field] !== undefined)
      if (said !== undefined || elements.length > 1) return [said ?? 'next', 'nothing with pol none']
    }
    if (elements.length > 1 && strict === undefined) return ['next', 'strict beside it']
    if (strict !== undefined && !elements.every(says)) return ['strict', 'something of each element: reqid, spi, proto, mode, tunnelDst or tunnelSrc']
    const outside = elements.find(({ tunnelDst, tunnelSrc, mode }) => (tunnelDst ?? tunnelSrc) !== undefined && !isTunnel(mode))
    return outside === undefined ? undefined : [outside.tunnelDst === undefined ? 'tunnelSrc' : 'tunnelDst', 'it only with mode tunnel']
  },
  write(given, context) {
    const none = given.pol?.value === 'none'
    const elements = none ? [] : elementsOf(given).map(element => writeElement(element, context))
    return {
      elements, count: elements.length,
      flags: (given.dir?.value === 'out' ? c.XT_POLICY_MATCH_OUT : c.XT_POLICY_MATCH_IN) | (none ? c.XT_POLICY_MATCH_NONE : 0) |
        (given.strict === undefined ? 0 : c.XT_POLICY_MATCH_STRICT),
    }
  },
  read({ elements, flags, count }, { family }) {
    if (count > elements.length) return undefined
    const [first, ...others] = elements.slice(0, count).map((element): Element => {
      const said = readBits([specBits, element.match], [specBits, element.invert])
      return {
        reqid: said('reqid', element.reqid), spi: said('spi', element.spi), proto: said('proto', element.proto),
        mode: said('mode', modes[element.mode] ?? 'transport'),
        tunnelDst: said('tunnelDst', hostText(element.daddr, element.dmask, family)),
        tunnelSrc: said('tunnelSrc', hostText(element.saddr, element.smask, family)),
      }
    })
    return {
      dir: says((flags & c.XT_POLICY_MATCH_IN) !== 0 ? 'in' : 'out'), pol: says((flags & c.XT_POLICY_MATCH_NONE) !== 0 ? 'none' : 'ipsec'),
      strict: saysIf((flags & c.XT_POLICY_MATCH_STRICT) !== 0, true as const), ...first, next: saysIf(others.length > 0, others),
    }
  },
  list(given) {
    const elements = given.pol?.value === 'none' ? [] : elementsOf(given)
    return [
      `policy match dir ${given.dir?.value ?? ''} pol ${given.pol?.value ?? 'ipsec'}`, ...(given.strict === undefined ? [] : ['strict']),
      ...elements.flatMap((element, index) => [...(elements.length > 1 ? [`[${index}]`] : []), ...listElement(element)]),
    ].join(' ')
  },
})

/** As the options, but for the protocol, which is a number. */
function listElement(element: Element): string[] {
  return elementFields.flatMap(field => {
    const said = element[field] as Said<never> | undefined
    const value = said === undefined ? '' : field === 'proto' ? String(said.value) : elementOptions[field].kind.format(said.value)
    return said === undefined ? [] : [`${bang(said, ' ')}${optionName(field)} ${value}`]
  })
}
