/** Network prefix translation, of IPv6 (RFC 6296). Source: linux/netfilter_ipv6/ip6t_NPT.h. */
import { padding, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { inetText, parseMasked, prefixLength, toInet } from '../addresses.ts'
import { extension, option, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import type { Kind } from '../values.ts'
import { inetAddress } from '../xt.ts'

const LONGEST = 64

const prefix: Kind<string> = {
  words: 1,
  accepted: `an IPv6 prefix of at most ${LONGEST} bits without host bits, like fd00::/64`,
  parse(value) {
    const found = parseMasked(value, 'ip6')
    const length = found === undefined ? undefined : prefixLength(found.mask)
    const whole = parseMasked(value.split('/')[0] ?? '', 'ip6')
    if (found === undefined || length === undefined || length > LONGEST || whole === undefined) return undefined
    return Buffer.compare(whole.address, found.address) === 0 ? found.text : undefined
  },
  format: String,
  type: String,
}
const options = { srcPfx: option(prefix), dstPfx: option(prefix) }

function split(text: string | undefined): { address: Uint8Array, length: number } {
  const [address = '', length = '0'] = text?.split('/') ?? []
  return { address: toInet(address), length: Number(length) }
}

function translation(name: 'DNPT' | 'SNPT'): Extension<typeof options> {
  return extension({
    name,
    options,
    families: ['ip6'],
    tables: ['mangle'],
    layout: struct({ src: inetAddress, dst: inetAddress, srcLength: u8, dstLength: u8, _adjustment: padding(2) }),
    check: ({ srcPfx, dstPfx }) => (srcPfx === undefined ? ['srcPfx', prefix.accepted] : dstPfx === undefined ? ['dstPfx', prefix.accepted] : undefined),
    write({ srcPfx, dstPfx }) {
      const [src, dst] = [split(srcPfx?.value), split(dstPfx?.value)]
      return { src: src.address, srcLength: src.length, dst: dst.address, dstLength: dst.length }
    },
    read({ src, srcLength, dst, dstLength }) {
      const said = (address: Uint8Array, length: number): ReturnType<typeof saysIf<string>> =>
        saysIf(length !== 0 || address.some(byte => byte !== 0), `${inetText(address, 'ip6')}/${length}`)
      return { srcPfx: said(src, srcLength), dstPfx: said(dst, dstLength) }
    },
    list: ({ srcPfx, dstPfx }) => `${name} src-pfx ${srcPfx?.value ?? '::/0'} dst-pfx ${dstPfx?.value ?? '::/0'}`,
  })
}

/** Back from the translated prefix, in PREROUTING and OUTPUT. */
export const DNPT: Extension<typeof options> = translation('DNPT')
/** To another prefix, in POSTROUTING and INPUT. */
export const SNPT: Extension<typeof options> = translation('SNPT')
