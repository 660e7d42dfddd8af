import type { FixedCodec } from '../../netlink/codecs.ts'

/** ETH_P_8021Q, ETH_P_8021AD in network order. */
export const vlanProtocol: FixedCodec<string | number> = {
  size: 2,
  encode(writer, value) {
    const number = value === '802.1Q' ? 0x8100 : value === '802.1ad' ? 0x88a8 : undefined
    if (number === undefined) return writer.refuse(value, '802.1Q or 802.1ad')
    const at = writer.reserve(2)
    writer.buffer.writeUInt16BE(number, at)
  },
  decode(bytes, start) {
    const number = bytes.readUInt16BE(start)
    return number === 0x8100 ? '802.1Q' : number === 0x88a8 ? '802.1ad' : number
  },
}
