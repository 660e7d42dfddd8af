/**
 * C structs of iptables' extensions, as matches and targets carry them. Each ends padded to eight bytes (XT_ALIGN).
 * Sources: linux/netfilter/xt_*.h, linux/netfilter/nf_nat.h, linux/netfilter_ipv4/ipt_REJECT.h.
 */
import { be16, ip, padding, u16, u32, u8 } from '../../netlink/codecs.ts'
import type { FixedCodec } from '../../netlink/codecs.ts'
import { struct } from '../../netlink/table.ts'
import type { Fields, Struct, StructInput, StructValues } from '../../netlink/table.ts'
import { Writer } from '../../netlink/writer.ts'
import { XT_MAX_COMMENT_LEN } from '../constants.ts'

/** An address of one family, or union nf_inet_addr with `size` 16. */
function addressOf(size: 4 | 16): FixedCodec<string> {
  return {
    size,
    encode(writer, value, parent) {
      const start = writer.length
      ip.encode(writer, value, parent)
      if (writer.length - start !== size) writer.refuse(value, `an IPv${size === 4 ? 4 : 6} address`)
    },
    decode: ip.decode,
  }
}

/** Bytes up to the first NUL of a field of fixed size. */
function fixedText(size: number): FixedCodec<string> {
  return {
    size,
    encode(writer, value) {
      const bytes = Buffer.from(value)
      if (bytes.length >= size) writer.refuse(value, `at most ${size - 1} bytes`)
      const at = writer.reserve(size)
      bytes.copy(writer.buffer, at)
    },
    decode(bytes, start, end) {
      const nul = bytes.subarray(start, end).indexOf(0)
      return bytes.toString('utf8', start, nul < 0 ? end : start + nul)
    },
  }
}

/** struct xt_conntrack_mtinfo3. */
export const conntrack3 = struct({
  /** origsrc, origdst, replsrc and repldst, each with its mask. */
  _addresses: padding(8 * 16),
  expiresMin: u32,
  expiresMax: u32,
  l4proto: u16,
  /** origsrc, origdst, replsrc, repldst. */
  _ports: padding(4 * 2),
  matchFlags: u16,
  invertFlags: u16,
  stateMask: u16,
  statusMask: u16,
  _portsHigh: padding(4 * 2),
  _align: padding(6),
})

/** struct nf_nat_ipv4_multi_range_compat: MASQUERADE and SNAT of revision 0, IPv4. */
export const natRange4 = struct({
  rangesize: u32,
  flags: u32,
  minIp: addressOf(4),
  maxIp: addressOf(4),
  min: be16,
  max: be16,
  _align: padding(4),
})

/** struct nf_nat_range: MASQUERADE of revision 0 and SNAT of revision 1, IPv6. */
export const natRange6 = struct({
  flags: u32,
  minAddr: addressOf(16),
  maxAddr: addressOf(16),
  minProto: be16,
  maxProto: be16,
})

/** struct ipt_reject_info, ip6t_reject_info. */
export const rejectInfo = struct({ with: u32, _align: padding(4) })

/** struct xt_CHECKSUM_info. */
export const checksumInfo = struct({ operation: u8, _align: padding(7) })

/** struct xt_tcp; iptables before 1.8.8 writes it where later ones use nf_tables' own expressions. */
export const tcpInfo = struct({
  sportMin: u16,
  sportMax: u16,
  dportMin: u16,
  dportMax: u16,
  option: u8,
  flagMask: u8,
  flagCompare: u8,
  invflags: u8,
  _align: padding(4),
})

/** struct xt_udp. */
export const udpInfo = struct({
  sportMin: u16,
  sportMax: u16,
  dportMin: u16,
  dportMax: u16,
  invflags: u8,
  _align: padding(7),
})

/** struct ipt_icmp, ip6t_icmp. */
export const icmpInfo = struct({ type: u8, codeMin: u8, codeMax: u8, invflags: u8, _align: padding(4) })

/** struct xt_comment_info. */
export const commentInfo = struct({ comment: fixedText(XT_MAX_COMMENT_LEN) })

/** struct xt_addrtype_info_v1. */
export const addrtypeInfo = struct({ source: u16, destination: u16, flags: u32 })

/** struct nf_nat_range2 as DNAT of revision 2 uses it for IPv4: the first four bytes of each address count. */
export const natRange2v4 = struct({
  flags: u32,
  minAddr: addressOf(4),
  _minRest: padding(12),
  maxAddr: addressOf(4),
  _maxRest: padding(12),
  minProto: be16,
  maxProto: be16,
  baseProto: be16,
  _align: padding(6),
})

export function encodeInfo<F extends Fields>(layout: Struct<F>, values: StructInput<F>): Uint8Array {
  const writer = new Writer(layout.size)
  layout.encode(writer, values)
  return Uint8Array.from(writer.finish())
}

/** undefined if the bytes are too few. */
export function decodeInfo<F extends Fields>(
  layout: Struct<F>, info: Uint8Array | undefined,
): StructValues<F> | undefined {
  if (info === undefined || info.length < layout.size) return undefined
  return layout.decode(Buffer.from(info.buffer, info.byteOffset, info.length), 0)
}
