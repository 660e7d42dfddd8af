/** Text and bytes anywhere in packets. Source: linux/netfilter/xt_string.h. */
import { padding, u16, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { flag, integer, oneOf } from '../values.ts'
import type { Kind } from '../values.ts'
import { bytes, fixedText } from '../xt.ts'

/** Text of at most 128 bytes, always quoted. */
const pattern: Kind<string> = {
  words: 1,
  accepted: 'a text of 1 to 128 bytes',
  parse: text => (text !== '' && Buffer.byteLength(text) <= c.XT_STRING_MAX_PATTERN_SIZE ? text : undefined),
  format: text => `"${text.replace(/["\\]/g, character => `\\${character}`)}"`,
  type: String,
}

/** `GET |0d 0a|`: text, and bytes in hex between bars. Kept as `|0d0a|` alone. */
const hexPattern: Kind<string> = {
  words: 1,
  accepted: 'text with bytes in hex between bars, like "GET |0d0a|", of 1 to 128 bytes',
  parse(text) {
    const parts = text.split('|')
    const hex = parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part).toString('hex') : part.replace(/\s/g, '').toLowerCase())).join('')
    return parts.length % 2 === 1 && /^([0-9a-f]{2})+$/.test(hex) && hex.length <= 2 * c.XT_STRING_MAX_PATTERN_SIZE ? `|${hex}|` : undefined
  },
  format: text => `"${text}"`,
  type: String,
}

const offset = integer(0, 0xffff)
const stringOptions = {
  string: negatable(pattern), hexString: negatable(hexPattern), algo: option(oneOf('bm', 'kmp')), from: option(offset), to: option(offset),
  icase: option(flag),
}

/** Text somewhere in the packet. */
export const string: Extension<typeof stringOptions> = extension({
  name: 'string',
  revision: 1,
  options: stringOptions,
  layout: struct({
    from: u16, to: u16, algo: fixedText(16), pattern: bytes(c.XT_STRING_MAX_PATTERN_SIZE), length: u8, flags: u8,
    _: padding(2), _kernel: padding(8),
  }),
  check({ string: text, hexString, algo }) {
    if ((text === undefined) === (hexString === undefined)) return ['string', 'either string or hexString']
    return algo === undefined ? ['algo', 'bm or kmp'] : undefined
  },
  write({ string: text, hexString, algo, from, to, icase }) {
    const given = hexString === undefined ? Buffer.from(text?.value ?? '') : Buffer.from(hexString.value.slice(1, -1), 'hex')
    return {
      from: from?.value, to: to?.value ?? 0xffff, algo: algo?.value,
      pattern: Uint8Array.from({ length: c.XT_STRING_MAX_PATTERN_SIZE }, (_, at) => given[at] ?? 0), length: given.length,
      flags: ((text ?? hexString)?.not === true ? c.XT_STRING_FLAG_INVERT : 0) | (icase === undefined ? 0 : c.XT_STRING_FLAG_IGNORECASE),
    }
  },
  read({ from, to, algo, pattern: whole, length, flags }) {
    if ((algo !== 'bm' && algo !== 'kmp') || length === 0 || length > whole.length) return undefined
    const given = Buffer.from(whole.subarray(0, length))
    const inHex = given.some(byte => byte < 0x20 || byte > 0x7e) || given.at(-1) === 0x5c
    const not = (flags & c.XT_STRING_FLAG_INVERT) !== 0
    return {
      string: saysIf(!inHex, given.toString('latin1'), not), hexString: saysIf(inHex, `|${given.toString('hex')}|`, not), algo: says(algo),
      from: saysIf(from !== 0, from), to: saysIf(to !== 0xffff, to),
      icase: saysIf((flags & c.XT_STRING_FLAG_IGNORECASE) !== 0, true as const),
    }
  },
  list({ string: text, hexString, algo, from, to, icase }) {
    const said = hexString === undefined ? pattern.format(text?.value ?? '') : hexPattern.format(hexString.value)
    return [
      `STRING match ${(text ?? hexString)?.not === true ? '!' : ''}`, said, `ALGO name ${algo?.value ?? ''}`,
      ...(from === undefined ? [] : [`FROM ${from.value}`]), ...(to === undefined ? [] : [`TO ${to.value}`]), ...(icase === undefined ? [] : ['ICASE']),
    ].join(' ')
  },
})
