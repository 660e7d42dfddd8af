/** So many in a unit of time, as iptables says, stores and prints it. */
import type { Kind } from '../values.ts'

const SECOND = 1
const units = { day: 86400 * SECOND, hour: 3600 * SECOND, min: 60 * SECOND, sec: SECOND } as const
export type RateUnit = keyof typeof units
/** So many in a unit of time. */
export interface Rate {
  rate: number
  per: RateUnit
}

/** `10/sec`, `10/minute`, `10`: what iptables reads and prints goes through the time between two, in parts of a second. */
export function rateOf(period: number, scale: number): Rate {
  const all = Object.keys(units) as RateUnit[]
  let per: RateUnit = 'day'
  for (const next of all.slice(1)) {
    const parts = units[next] * scale
    if (period > parts || Math.floor(parts / period) < parts % period) break
    per = next
  }
  return { rate: Math.floor(units[per] * scale / period), per }
}

export function periodOf({ rate, per }: Rate, scale: number): number {
  return Math.floor(units[per] * scale / rate)
}

export const secondsOf = (per: RateUnit): number => units[per]
/** The unit of so many seconds. */
export function unitOf(seconds: number): RateUnit | undefined {
  return (Object.keys(units) as RateUnit[]).find(name => units[name] === seconds)
}

/** Packets that pass at once before a limit counts. */
export const DEFAULT_BURST = 5

/** `asSaid`: the unit counts, not only the time between two. */
export function rateKind(scale: number, asSaid = false): Kind<Rate, Rate | string> {
  return {
    words: 1,
    accepted: `a rate like 10/second, 5/minute, 3/hour or 1/day, at most ${scale}/second`,
    parse(value) {
      const found = /^(\d+)(?:\/([a-z]+))?$/i.exec(value)
      const unit = (found?.[2] ?? 'second').toLowerCase()
      const per = (['second', 'minute', 'hour', 'day'] as const).find(name => name.startsWith(unit)) ?? (unit === 'sec' || unit === 'min' ? unit : undefined)
      const rate = Number(found?.[1])
      const name = per === 'second' ? 'sec' : per === 'minute' ? 'min' : per
      if (found === null || name === undefined || !(rate > 0) || periodOf({ rate, per: name }, scale) === 0) return undefined
      return asSaid ? { rate, per: name } : rateOf(periodOf({ rate, per: name }, scale), scale)
    },
    format: ({ rate, per }) => `${rate}/${per}`,
    type: input => (typeof input === 'string' ? input : `${input.rate}/${input.per}`),
  }
}
