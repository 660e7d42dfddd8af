/**
 * Encapsulation by a route or next hop (light-weight tunnels). Source: ip-route(8) "encap", linux/lwtunnel.h,
 * linux/mpls_iptunnel.h, linux/seg6_iptunnel.h, RFC 8754.
 */
import { InvalidArgumentError, checkFields } from '../errors.ts'
import { be16, be32, beCounter64, ip, named, raw, s32, u16, u8 } from '../netlink/codecs.ts'
import type { Codec, FixedCodec } from '../netlink/codecs.ts'
import { attributes, dependent } from '../netlink/table.ts'
import type { Entries, Table } from '../netlink/table.ts'
import * as c from './constants.ts'
import { bitNames } from './names.ts'

/** Packets get an outer IPv4 header, by a tunnel device in external mode. CONFIG_NET_IP_TUNNEL. */
export interface IpEncap {
  type: 'ip'
  /** Key or VNI of the tunnel, to 2^53-1. */
  id?: number
  dst?: string
  src?: string
  ttl?: number
  tos?: number
  flags?: TunnelFlag[]
}
/** The same with an outer IPv6 header. CONFIG_IPV6_TUNNEL. */
export interface Ip6Encap {
  type: 'ip6'
  /** Key or VNI of the tunnel, to 2^53-1. */
  id?: number
  dst?: string
  src?: string
  hoplimit?: number
  /** Traffic class. */
  tc?: number
  flags?: TunnelFlag[]
}
/** A stack of labels, the outermost first. CONFIG_MPLS_IPTUNNEL. */
export interface MplsEncap {
  type: 'mpls'
  /** Each 0 to 1048575. */
  labels: number[]
  ttl?: number
}
/** IPv6 segment routing. CONFIG_IPV6_SEG6_LWTUNNEL. */
export interface Seg6Encap {
  type: 'seg6'
  /** Default `encap`. */
  mode?: keyof typeof seg6Modes | number
  /** In the order in which they are visited. */
  segments: string[]
}
/** Any other, as the kernel has it: what is in RTA_ENCAP. */
export interface RawEncap {
  /** LWTUNNEL_ENCAP_*, or a name of it: `seg6local`, `bpf`, … */
  type: keyof typeof encapTypes | number
  data: Uint8Array
}
export type Encap = IpEncap | Ip6Encap | MplsEncap | Seg6Encap | RawEncap

const encapTypes = {
  mpls: c.LWTUNNEL_ENCAP_MPLS, ip: c.LWTUNNEL_ENCAP_IP, ila: c.LWTUNNEL_ENCAP_ILA, ip6: c.LWTUNNEL_ENCAP_IP6,
  seg6: c.LWTUNNEL_ENCAP_SEG6, bpf: c.LWTUNNEL_ENCAP_BPF, seg6local: c.LWTUNNEL_ENCAP_SEG6_LOCAL, rpl: c.LWTUNNEL_ENCAP_RPL,
  ioam6: c.LWTUNNEL_ENCAP_IOAM6, xfrm: c.LWTUNNEL_ENCAP_XFRM,
} as const

/** linux/if_tunnel.h TUNNEL_*, as numbers in network order. */
const tunnelFlags = [[0x1, 'csum'], [0x4, 'key'], [0x8, 'seq']] as const
export type TunnelFlag = typeof tunnelFlags[number][1]

const flagList: Codec<TunnelFlag[]> = {
  size: 2,
  encode(writer, value, parent) {
    const names = tunnelFlags.map(([, name]) => name)
    if (!Array.isArray(value) || !value.every(flag => names.includes(flag))) writer.refuse(value, `an array of ${names.join(', ')}`)
    be16.encode(writer, tunnelFlags.reduce((bits, [bit, name]) => (value.includes(name) ? bits | bit : bits), 0), parent)
  },
  decode: (bytes, start, end, parent) => bitNames(tunnelFlags, be16.decode(bytes, start, end, parent)) as TunnelFlag[],
}

const ipTunnel = attributes({
  id: [c.LWTUNNEL_IP_ID, beCounter64],
  dst: [c.LWTUNNEL_IP_DST, ip],
  src: [c.LWTUNNEL_IP_SRC, ip],
  ttl: [c.LWTUNNEL_IP_TTL, u8],
  tos: [c.LWTUNNEL_IP_TOS, u8],
  flags: [c.LWTUNNEL_IP_FLAGS, flagList],
})

const ip6Tunnel = attributes({
  id: [c.LWTUNNEL_IP6_ID, beCounter64],
  dst: [c.LWTUNNEL_IP6_DST, ip],
  src: [c.LWTUNNEL_IP6_SRC, ip],
  hoplimit: [c.LWTUNNEL_IP6_HOPLIMIT, u8],
  tc: [c.LWTUNNEL_IP6_TC, u8],
  flags: [c.LWTUNNEL_IP6_FLAGS, flagList],
})

const BOTTOM_OF_STACK = 1 << 8

/** RFC 3032: a label in the upper 20 bits; the last one is marked. */
const labelStack: Codec<number[]> = {
  encode(writer, value, parent) {
    const fits = Array.isArray(value) && value.length > 0 && value.every(label => Number.isInteger(label) && label >= 0 && label < 1 << 20)
    if (!fits) writer.refuse(value, 'an array of labels from 0 to 1048575')
    value.forEach((label, position) => {
      be32.encode(writer, label * 4096 + (position === value.length - 1 ? BOTTOM_OF_STACK : 0), parent)
    })
  },
  decode(bytes, start, end) {
    const labels: number[] = []
    for (let at = start; at + 4 <= end; at += 4) labels.push(bytes.readUInt32BE(at) >>> 12)
    return labels
  },
}

const mplsTunnel = attributes({
  labels: [c.MPLS_IPTUNNEL_DST, labelStack],
  ttl: [c.MPLS_IPTUNNEL_TTL, u8],
})

const seg6Modes = {
  inline: c.SEG6_IPTUN_MODE_INLINE, encap: c.SEG6_IPTUN_MODE_ENCAP, l2encap: c.SEG6_IPTUN_MODE_L2ENCAP,
  'encap.red': c.SEG6_IPTUN_MODE_ENCAP_RED, 'l2encap.red': c.SEG6_IPTUN_MODE_L2ENCAP_RED,
} as const
const seg6Mode = named(s32, seg6Modes)

type SegmentRouting = Pick<Seg6Encap, 'mode' | 'segments'>

/** RFC 8754: type of the routing header. */
const SRH_TYPE = 4
/** An int, then struct ipv6_sr_hdr. */
const SRH_AT = 4
const SEGMENTS_AT = SRH_AT + 8

/**
 * struct seg6_iptunnel_encap: a mode, then a segment routing header, whose segments stand the last one first. Inline, the
 * kernel puts the packet's own destination into the first place, which is left free.
 */
const segmentRouting: Codec<SegmentRouting | Uint8Array> = {
  size: SEGMENTS_AT,
  encode(writer, value, parent) {
    if (value instanceof Uint8Array) return writer.bytes(value)
    const { mode = 'encap', segments } = value
    if (!Array.isArray(segments) || segments.length === 0) writer.refuse(segments, 'an array of IPv6 addresses')
    const inline = mode === 'inline' || mode === c.SEG6_IPTUN_MODE_INLINE
    const count = segments.length + (inline ? 1 : 0)
    seg6Mode.encode(writer, mode, parent)
    const at = writer.reserve(8)
    writer.buffer.set([0, count * 2, SRH_TYPE, count - 1, count - 1], at)
    if (inline) writer.reserve(16)
    for (const segment of segments.toReversed()) {
      const start = writer.length
      ip.encode(writer, segment, parent)
      if (writer.length - start !== 16) writer.refuse(segment, 'an IPv6 address')
    }
  },
  decode(bytes, start, end, parent) {
    const mode = seg6Mode.decode(bytes, start, end, parent)
    const first = mode === 'inline' ? 1 : 0
    const count = (bytes[start + SRH_AT + 4] ?? 0) + 1
    // With more behind it (an HMAC), or flags: as it is.
    if (end - start !== SEGMENTS_AT + count * 16 || bytes[start + SRH_AT + 5] !== 0) return raw.decode(bytes, start, end, parent)
    const segments: string[] = []
    for (let place = count - 1; place >= first; place--) {
      const at = start + SEGMENTS_AT + place * 16
      segments.push(ip.decode(bytes, at, at + 16, parent))
    }
    return { mode: mode as keyof typeof seg6Modes, segments }
  },
}

const seg6Tunnel = attributes({ routing: [c.SEG6_IPTUNNEL_SRH, segmentRouting] })

const encapTables: Record<string, Table<Entries>> = {
  ip: ipTunnel as unknown as Table<Entries>, ip6: ip6Tunnel as unknown as Table<Entries>,
  mpls: mplsTunnel as unknown as Table<Entries>, seg6: seg6Tunnel as unknown as Table<Entries>,
}

/** RTA_ENCAP_TYPE, NHA_ENCAP_TYPE; and what depends on it, RTA_ENCAP, NHA_ENCAP. */
export const encapType: FixedCodec<string | number> = named(u16, encapTypes)
export const encapData: Codec<object> = dependent('encapType', encapTables as Record<string, Codec<object>>)

/** What goes into a message. */
export interface WireEncap { encapType?: string | number | undefined, encap?: object | undefined }

export function encodeEncap(encap: Encap | undefined, field = 'encap'): WireEncap {
  if (encap === undefined) return {}
  if (typeof encap !== 'object' || encap === null) throw new InvalidArgumentError(field, encap, 'an object like { type, … }')
  const { type } = encap as { type: unknown }
  if ('data' in encap) {
    checkFields(encap, ['type', 'data'], 'a raw encapsulation')
    if (!(encap.data instanceof Uint8Array)) throw new InvalidArgumentError(`${field}.data`, encap.data, 'a Uint8Array')
    // The table would be taken for attributes to encode; a raw one is written as it is.
    return { encapType: encap.type, encap: encap.data }
  }
  if (typeof type !== 'string' || !Object.hasOwn(encapTables, type)) {
    throw new InvalidArgumentError(`${field}.type`, type, `one of ${Object.keys(encapTables).join(', ')}; any other with its bytes in data`)
  }
  const { type: _, ...rest } = encap
  if (type !== 'seg6') return { encapType: type, encap: rest }
  checkFields(encap, ['type', 'mode', 'segments'], 'an encapsulation by segment routing')
  return { encapType: type, encap: { routing: rest } }
}

/** The kernel writes the data in front of the type, so it comes out of a table as bytes. */
export function decodeEncap({ encapType, encap }: WireEncap): Encap | undefined {
  if (encapType === undefined || encap === undefined) return undefined
  const table = typeof encapType === 'string' && Object.hasOwn(encapTables, encapType) ? encapTables[encapType] : undefined
  const bytes = encap instanceof Uint8Array ? Buffer.from(encap.buffer, encap.byteOffset, encap.length) : undefined
  const values = bytes === undefined ? encap : table?.decode(bytes, 0, bytes.length)
  const type = encapType as RawEncap['type']
  if (values === undefined) return { type, data: encap as Uint8Array }
  if (encapType !== 'seg6') return { type, ...values } as Encap
  const { routing } = values as { routing?: SegmentRouting | Uint8Array }
  return routing === undefined || routing instanceof Uint8Array
    ? { type, data: bytes ?? new Uint8Array() }
    : { type: 'seg6', ...routing }
}
