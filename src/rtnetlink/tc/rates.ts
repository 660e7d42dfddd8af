/**
 * Rates and the time that packets take at them, as tc(8) computes both: the kernel's clock ticks every 64 ns, and programs
 * tell it times, and tables of times, instead of sizes. Source: linux/pkt_sched.h, tc-htb(8), tc-tbf(8).
 */
import { InvalidArgumentError } from '../../errors.ts'
import { u16, u32, u8 } from '../../netlink/codecs.ts'
import { struct } from '../../netlink/table.ts'
import * as c from '../constants.ts'

/** struct tc_ratespec. `rate` is in bytes a second, all ones where it does not fit. */
export const ratespec = struct({ cellLog: u8, linkLayer: u8, overhead: u16, cellAlign: u16, mpu: u16, rate: u32 })

const ticksPerMicrosecond = 15.625
const full = 0xffffffff

/** The time that `size` bytes take, in ticks; whole microseconds first, of a fraction of a second, as with tc. */
export function ticksOf(rate: number, size: number): number {
  return Math.min(full, Math.trunc(Math.trunc(1e6 * (size / rate)) * ticksPerMicrosecond))
}

/** The bytes that pass in so many ticks. */
export function sizeOf(rate: number, ticks: number): number {
  return Math.round(rate * (ticks / ticksPerMicrosecond) / 1e6)
}

/** A rate in the three forms that messages carry: the spec, the table of times by size, and in full if 32 bits do not hold it. */
export interface Rate {
  spec: { cellLog: number, linkLayer: number, cellAlign: number, rate: number }
  table: Buffer
  rate64: bigint | undefined
}

/** `mtu`: the largest packet that the table has to tell apart. */
export function rateOf(rate: number, mtu: number): Rate {
  let cellLog = 0
  while (mtu >> cellLog > 255) cellLog++
  const table = Buffer.alloc(1024)
  for (let cell = 0; cell < 256; cell++) table.writeUInt32LE(ticksOf(rate, (cell + 1) << cellLog), cell * 4)
  return {
    spec: { cellLog, linkLayer: c.TC_LINKLAYER_ETHERNET, cellAlign: 0xffff, rate: Math.min(rate, full) },
    table,
    rate64: rate > full ? BigInt(rate) : undefined,
  }
}

/** A whole number of bytes, or of bytes a second. */
export function checkBytes(field: string, value: unknown, { min = 1, max = Number.MAX_SAFE_INTEGER } = {}): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return
  throw new InvalidArgumentError(field, value, `an integer from ${min} to ${max}`)
}
