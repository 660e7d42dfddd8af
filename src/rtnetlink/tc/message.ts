/** What messages about queueing disciplines, classes and filters have in common. Source: tc(8), linux/rtnetlink.h. */
import { InvalidArgumentError } from '../../errors.ts'
import { counter64, padding, readOnly, s32, u32, u8 } from '../../netlink/codecs.ts'
import type { Codec } from '../../netlink/codecs.ts'
import { attributes, struct } from '../../netlink/table.ts'
import type { Fields, Struct, StructInput, TableValues } from '../../netlink/table.ts'
import * as c from '../constants.ts'

/** A C struct as the whole of an attribute; one that is longer, of a newer kernel, is read as far as known. */
export function structCodec<F extends Fields>(inner: Struct<F>): Codec<StructInput<F>> {
  return {
    size: inner.size,
    encode: (writer, value) => { inner.encode(writer, value) },
    decode: (bytes, start) => inner.decode(bytes, start) as unknown as StructInput<F>,
  }
}

export const tcmsg = struct({ family: u8, _pad1: padding(1), _pad2: padding(2), index: s32, handle: u32, parent: u32, info: u32 })
export interface TcHeader { index: number, handle: number, parent: number, info: number }

const basic = struct({ bytes: counter64, packets: u32 })
const queue = struct({ qlen: u32, backlog: u32, drops: u32, requeues: u32, overlimits: u32 })

/** struct gnet_stats_basic, whose end is padded or not; struct gnet_stats_queue. */
export const statisticsAttributes = attributes({
  basic: [c.TCA_STATS_BASIC, readOnly(structCodec(basic))],
  queue: [c.TCA_STATS_QUEUE, readOnly(structCodec(queue))],
  packets: [c.TCA_STATS_PKT64, counter64],
})

/** What has passed, and what waits. */
export interface TcStatistics {
  bytes: number
  packets: number
  drops: number
  overlimits: number
  requeues: number
  /** Bytes that wait. */
  backlog: number
  /** Packets that wait. */
  qlen: number
}

export function statisticsOf(values: TableValues<typeof statisticsAttributes> | undefined): TcStatistics | undefined {
  if (values === undefined) return undefined
  const { basic, queue, packets } = values
  return {
    bytes: basic?.bytes ?? 0, packets: packets ?? basic?.packets ?? 0, drops: queue?.drops ?? 0, overlimits: queue?.overlimits ?? 0,
    requeues: queue?.requeues ?? 0, backlog: queue?.backlog ?? 0, qlen: queue?.qlen ?? 0,
  }
}

/** `1:2`, hexadecimal as tc(8) has it; `1:` is `1:0`, `:1` is `0:1`. */
export type Handle = string

export function parseHandle(handle: unknown, field: string): number {
  const [, major = '', minor = ''] = (typeof handle === 'string' ? /^([0-9a-f]{0,4}):([0-9a-f]{0,4})$/i.exec(handle) : null) ?? []
  if (major === '' && minor === '') throw new InvalidArgumentError(field, handle, 'a handle like 1: or 1:2, in hexadecimal')
  return (parseInt(major || '0', 16) * 0x10000) + parseInt(minor || '0', 16)
}

const places = { root: c.TC_H_ROOT, ingress: c.TC_H_INGRESS, clsact: c.TC_H_INGRESS } as const

/** A handle, or `root`. */
export function parseParent(parent: unknown, field = 'parent'): number {
  return parent === 'root' ? places.root : parseHandle(parent, field)
}

export function formatHandle(handle: number): Handle {
  const [major, minor] = [handle >>> 16, handle & 0xffff]
  return `${major === 0 ? '' : major.toString(16)}:${minor === 0 ? '' : minor.toString(16)}`
}

export function formatParent(parent: number): Handle {
  return parent === c.TC_H_ROOT ? 'root' : parent === c.TC_H_INGRESS ? 'ingress' : formatHandle(parent)
}
