/** Bandwidth of network ports and domain interfaces: typed parameters to and from an object. */
import type { Parameters, TypedParameters } from '../../binding/libvirt.ts'
import { anObject, anything, checkEach, wholeNumber } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { Bandwidth as parameter } from './constants.ts'

/** Limits of one direction. Source: libvirt's formatnetwork, "Quality of service". */
export interface Rates {
  /** KiB/s over time. Required, but where there is a `floor`. */
  average?: number
  /** KiB/s at most, while a burst lasts. */
  peak?: number
  /** KiB that may be sent at `peak`. */
  burst?: number
}

export interface InboundRates extends Rates {
  /** KiB/s guaranteed. Only in a network that has an inbound `average` itself. */
  floor?: number
}

/** Limits as the guest sees them: inbound is what it receives. What is left out is not limited. */
export interface Bandwidth {
  inbound?: InboundRates
  outbound?: Rates
}

/** A change: a direction that is given replaces what was there, null takes its limits away, one left out stays. */
export interface BandwidthChange {
  inbound?: InboundRates | null
  outbound?: Rates | null
}

const directions = {
  inbound: {
    average: parameter.IN_AVERAGE, peak: parameter.IN_PEAK, burst: parameter.IN_BURST, floor: parameter.IN_FLOOR,
  },
  outbound: { average: parameter.OUT_AVERAGE, peak: parameter.OUT_PEAK, burst: parameter.OUT_BURST },
} as const

const uint32 = wholeNumber(0, 0xffff_ffff)

/** Throws InvalidArgumentError unless libvirt can take it. `removable`: or null, for no limits from now on. */
export function checkBandwidth(what: string, change: unknown, { removable = false } = {}): asserts change is BandwidthChange {
  const limits = removable ? anything : anObject
  checkEach(what, change, { inbound: limits, outbound: limits })
  for (const [direction, names] of Object.entries(directions)) {
    const rates = (change as Record<string, unknown>)[direction]
    if (rates === undefined || rates === null) continue
    const field = `${what}.${direction}`
    checkEach(field, rates, Object.fromEntries(Object.keys(names).map(name => [name, uint32])))
    const { average, floor } = rates as InboundRates
    if (average === undefined && floor === undefined) {
      throw new InvalidArgumentError(`${field}.average`, average, direction === 'inbound' ? 'a number, or a floor' : 'a number')
    }
  }
}

/** Every parameter of each direction that is given. */
export function bandwidthParameters(change: BandwidthChange): TypedParameters {
  return Object.entries(directions).flatMap(([direction, names]) => {
    const rates = change[direction as keyof typeof directions]
    if (rates === undefined) return []
    return Object.entries(names).map(([name, field]) => (
      { field, type: 'uint' as const, value: (rates as Record<string, number | undefined> | null)?.[name] ?? 0 }
    ))
  })
}

/** The limits that are set: 0 stands for none. */
export function bandwidthOf(parameters: Parameters): Bandwidth {
  const bandwidth: Record<string, Record<string, number>> = {}
  for (const [direction, names] of Object.entries(directions)) {
    for (const [name, field] of Object.entries(names)) {
      const value = Number(parameters[field] ?? 0)
      if (value !== 0) (bandwidth[direction] ??= {})[name] = value
    }
  }
  return bandwidth
}
