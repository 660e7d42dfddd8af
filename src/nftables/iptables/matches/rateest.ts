/** How fast packets come, by the estimators of the target RATEEST. Source: linux/netfilter/xt_rateest.h. */
import { padding, u16, u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { alias, bang, extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Given, Said } from '../extension.ts'
import { flag, parseNumber, text } from '../values.ts'
import type { Kind } from '../values.ts'
import { fixedText } from '../xt.ts'

/** Bits in a second, in the tool's words. */
const units: Readonly<Record<string, number>> = {
  bit: 1, kibit: 2 ** 10, kbit: 1e3, mibit: 2 ** 20, mbit: 1e6, gibit: 2 ** 30, gbit: 1e9, tibit: 2 ** 40, tbit: 1e12,
  bps: 8, kibps: 8 * 2 ** 10, kbps: 8e3, mibps: 8 * 2 ** 20, mbps: 8e6, gibps: 8 * 2 ** 30, gbps: 8e9, tibps: 8 * 2 ** 40, tbps: 8e12,
}

/** As printf(3) rounds: a half to the even side. */
function rounded(value: number): number {
  const whole = Math.floor(value)
  return value - whole === 0.5 ? whole + whole % 2 : Math.round(value)
}

/** `true`: of the estimators, not a rate of its own. */
const bitRate: Kind<number | true, number | string | true> = {
  words: '0-1',
  accepted: 'nothing, or bits in a second, up to 2^35, alone or like 5kbit, 10mbit, 1MBps (bytes)',
  parse(value) {
    if (value === '' || value === 'true') return true
    const [, digits = '', unit = ''] = /^(\d+\.?\d*|\.\d+)([a-z]*)$/i.exec(value) ?? []
    const scale = unit === '' ? 1 : units[unit.toLowerCase()]
    const bytes = digits === '' || scale === undefined ? NaN : Math.floor(Number(digits) * scale / 8)
    return bytes <= 0xffffffff ? bytes * 8 : undefined
  },
  format(value) {
    if (value === true) return ''
    if (value >= 1e9) return `${rounded(value / 1e6)}Mbit`
    return value >= 1e6 ? `${rounded(value / 1e3)}Kbit` : `${value}bit`
  },
  type: String,
}

const packetRate: Kind<number | true> = {
  words: '0-1',
  accepted: 'nothing, or packets in a second, up to 2^32-1',
  parse: value => (value === '' || value === 'true' ? true : parseNumber(value) <= 0xffffffff ? parseNumber(value) : undefined),
  format: value => (value === true ? '' : String(value)),
  type: String,
}

const name = option({ ...text(15), format: String })
const [bps2, pps2] = [option(bitRate), option(packetRate)]
const options = {
  rateest1: name, rateest: alias('rateest1', name), rateest2: name, rateestDelta: option(flag),
  rateestBps1: option(bitRate), rateestPps1: option(packetRate), rateestBps2: bps2, rateestPps2: pps2,
  rateestBps: alias('rateestBps2', bps2), rateestPps: alias('rateestPps2', pps2),
  rateestLt: negatable(flag), rateestGt: negatable(flag), rateestEq: negatable(flag),
}
type Rateest = Given<typeof options>

const modes = { rateestEq: c.XT_RATEEST_MATCH_EQ, rateestLt: c.XT_RATEEST_MATCH_LT, rateestGt: c.XT_RATEEST_MATCH_GT } as const
const modeFields = Object.keys(modes) as (keyof typeof modes)[]
const modeOf = (given: Rateest): keyof typeof modes => modeFields.find(field => given[field] !== undefined) ?? 'rateestEq'

const rate = (said: Said<number | true> | undefined): number => (typeof said?.value === 'number' ? said.value : 0)
const hasBps = (given: Rateest): boolean => (given.rateestBps1 ?? given.rateestBps2) !== undefined
const hasPps = (given: Rateest): boolean => (given.rateestPps1 ?? given.rateestPps2) !== undefined

export const rateest: Extension<typeof options> = extension({
  name: 'rateest',
  options,
  layout: struct({
    name1: fixedText(16), name2: fixedText(16), flags: u16, mode: u16, bps1: u32, pps1: u32, bps2: u32, pps2: u32, _: padding(4),
    _estimators: padding(16),
  }),
  check(given) {
    if (given.rateest1 === undefined) return ['rateest1', 'the name of an estimator']
    if (modeFields.filter(field => given[field] !== undefined).length !== 1) return ['rateestLt', 'exactly one of rateestLt, rateestGt and rateestEq']
    return hasBps(given) || hasPps(given) ? undefined : ['rateestBps', 'rateestBps or rateestPps']
  },
  write(given) {
    const mode = modeOf(given)
    return {
      name1: given.rateest1?.value, name2: given.rateest2?.value, mode: modes[mode],
      flags: (given[mode]?.not === true ? c.XT_RATEEST_MATCH_INVERT : 0) |
        (given.rateest2 === undefined ? c.XT_RATEEST_MATCH_ABS : c.XT_RATEEST_MATCH_REL) |
        (given.rateestDelta === undefined ? 0 : c.XT_RATEEST_MATCH_DELTA) |
        (hasBps(given) ? c.XT_RATEEST_MATCH_BPS : 0) | (hasPps(given) ? c.XT_RATEEST_MATCH_PPS : 0),
      bps1: rate(given.rateestBps1) / 8, bps2: rate(given.rateestBps2) / 8, pps1: rate(given.rateestPps1), pps2: rate(given.rateestPps2),
    }
  },
  read({ name1, name2, flags, mode, ...rates }) {
    const field = modeFields.find(each => modes[each] === mode)
    if (field === undefined) return undefined
    const has = (bit: number): boolean => (flags & bit) !== 0
    const [delta, relative] = [has(c.XT_RATEEST_MATCH_DELTA), has(c.XT_RATEEST_MATCH_REL)]
    const [bps, pps] = [has(c.XT_RATEEST_MATCH_BPS), has(c.XT_RATEEST_MATCH_PPS)]
    const ofEstimators = relative && !delta
    return {
      rateest1: says(name1), rateest2: saysIf(relative, name2), rateestDelta: saysIf(delta, true as const),
      rateestBps1: saysIf(bps && delta, rates.bps1 * 8), rateestPps1: saysIf(pps && delta, rates.pps1),
      rateestBps2: saysIf(bps, ofEstimators ? true as const : rates.bps2 * 8),
      rateestPps2: saysIf(pps, ofEstimators ? true as const : rates.pps2),
      [field]: says(true as const, has(c.XT_RATEEST_MATCH_INVERT)),
    }
  },
  list(given) {
    const delta = given.rateestDelta !== undefined
    const mode = modeOf(given)
    const compared = `${bang(given[mode], ' ')}${mode.slice('rateest'.length).toLowerCase()}`
    const relative = given.rateest2
    const of = (first: number, second: number, unit: string): string[] => [
      unit, ...(delta ? [`${first}`] : []), ...(relative === undefined ? unit === 'bps' ? [`${second}`, compared] : [compared, `${second}`] : []),
    ]
    const [bps, pps] = [rate(given.rateestBps2) / 8, rate(given.rateestPps2)]
    return [
      `rateest match ${given.rateest1?.value ?? ''}`, ...(delta ? ['delta'] : []),
      ...(hasBps(given) ? of(rate(given.rateestBps1) / 8, bps, 'bps') : []), ...(hasPps(given) ? of(rate(given.rateestPps1), pps, 'pps') : []),
      ...(relative === undefined ? [] : [
        compared, relative.value,
        ...(hasBps(given) ? ['bps', ...(delta ? [`${bps}`] : [])] : []), ...(hasPps(given) ? ['pps', ...(delta ? [`${pps}`] : [])] : []),
      ]),
    ].join(' ')
  },
  save(given) {
    const delta = given.rateestDelta !== undefined
    const mode = modeOf(given)
    const compared = `${bang(given[mode], ' ')}--rateest-${mode.slice('rateest'.length).toLowerCase()}`
    const of = (unit: string, first: string, second: string): string[] => [
      ...(delta ? [`--rateest-${unit}1 ${first} ${compared} --rateest-${unit}2`] : [`${compared} --rateest-${unit}`]),
      ...(delta || given.rateest2 === undefined ? [second] : []),
    ]
    return [
      ...(delta ? ['--rateest-delta'] : []), `--rateest${given.rateest2 === undefined ? '' : '1'} ${given.rateest1?.value ?? ''}`,
      ...(hasBps(given) ? of('bps', bitRate.format(rate(given.rateestBps1)), bitRate.format(rate(given.rateestBps2))) : []),
      ...(hasPps(given) ? of('pps', String(rate(given.rateestPps1)), String(rate(given.rateestPps2))) : []),
      ...(given.rateest2 === undefined ? [] : [`--rateest2 ${given.rateest2.value}`]),
    ].join(' ')
  },
})
