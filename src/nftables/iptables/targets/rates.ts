/** What packets set going: timers, LEDs, rate estimators. Sources: linux/netfilter/xt_IDLETIMER.h, xt_LED.h, xt_RATEEST.h. */
import { padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, option, says, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { flag, integer, parseNumber, text } from '../values.ts'
import type { Kind } from '../values.ts'
import { fixedText } from '../xt.ts'

/** The tool prints these as they are. */
const label = { ...text(c.MAX_IDLETIMER_LABEL_SIZE - 1), format: String }
const timerOptions = { timeout: option(integer(1, 0xffffffff)), label: option(label), alarm: option(flag) }

/** Tells by sysfs when no packet has come for `timeout` seconds. Revision 1: since Linux 5.7. */
export const IDLETIMER: Extension<typeof timerOptions> = extension({
  name: 'IDLETIMER',
  revision: 1,
  options: timerOptions,
  layout: struct({
    timeout: u32, label: fixedText(c.MAX_IDLETIMER_LABEL_SIZE), netlink: u8, type: u8, _: padding(6), _timer: padding(8),
  }),
  check: given => (['timeout', 'label'] as const)
    .flatMap(field => (given[field] === undefined ? [[field, timerOptions[field].kind.accepted] as const] : []))[0],
  write: ({ timeout, label: said, alarm }) =>
    ({ timeout: timeout?.value, label: said?.value, type: alarm === undefined ? 0 : c.XT_IDLETIMER_ALARM }),
  // Messages over netlink are Android's, whose iptables has an option for them.
  read: ({ timeout, label: value, netlink, type }) => (netlink !== 0 ? undefined
    : { timeout: says(timeout), label: says(value), alarm: saysIf(type === c.XT_IDLETIMER_ALARM, true as const) }),
  list: ({ timeout, label: said, alarm }) =>
    `timeout:${timeout?.value ?? 0} label:${said?.value ?? ''}${alarm === undefined ? '' : ' alarm'}`,
})

/** The trigger's name in the kernel is this and the id. */
const TRIGGER = 'netfilter-'
const NEVER = 0xffffffff

/** Always in quotes. */
const trigger = { ...text(26 - TRIGGER.length), format: (id: string) => `"${id.replace(/["\\]/g, '\\$&')}"` }
/** iptables-save writes -1, which the tool itself does not read. */
const delay: Kind<number | 'inf'> = {
  words: 1,
  accepted: 'milliseconds from 0 to 2^31-1, or inf',
  parse: value => (/^(inf|-1)$/i.test(value) ? 'inf' : parseNumber(value) <= 0x7fffffff ? parseNumber(value) : undefined),
  format: value => (value === 'inf' ? '-1' : String(value)),
  type: String,
}
const ledOptions = { ledTriggerId: option(trigger), ledDelay: option(delay), ledAlwaysBlink: option(flag) }

/** Triggers an LED, which stays lit for `ledDelay`. */
export const LED: Extension<typeof ledOptions> = extension({
  name: 'LED',
  options: ledOptions,
  layout: struct({ id: fixedText(27), blink: u8, delay: u32, _data: padding(8) }),
  check: given => (given.ledTriggerId === undefined ? ['ledTriggerId', trigger.accepted] : undefined),
  write: ({ ledTriggerId, ledDelay, ledAlwaysBlink }) => ({
    id: `${TRIGGER}${ledTriggerId?.value ?? ''}`, blink: ledAlwaysBlink === undefined ? 0 : 1,
    delay: ledDelay?.value === 'inf' ? NEVER : ledDelay?.value,
  }),
  read: ({ id, blink, delay: value }) => (!id.startsWith(TRIGGER) ? undefined : {
    ledTriggerId: says(id.slice(TRIGGER.length)), ledDelay: saysIf(value !== 0, value === NEVER ? 'inf' as const : value),
    ledAlwaysBlink: saysIf(blink !== 0, true as const),
  }),
  list: ({ ledTriggerId, ledDelay, ledAlwaysBlink }) => [
    `led-trigger-id:${trigger.format(ledTriggerId?.value ?? '')}`,
    `led-delay:${ledDelay?.value === 'inf' ? 'inf' : `${ledDelay?.value ?? 0}ms`}`,
    ...(ledAlwaysBlink === undefined ? [] : ['led-always-blink']),
  ].join(' '),
})

const SECOND = 1_000_000
const timeUnits: Readonly<Record<string, number>> = {
  '': 1, s: SECOND, sec: SECOND, secs: SECOND, ms: 1000, msec: 1000, msecs: 1000, us: 1, usec: 1, usecs: 1,
}

/** Microseconds; also as `250ms` or `0.5s`. */
const time: Kind<number, number | string> = {
  words: 1,
  accepted: 'a time like 250ms or 0.5s; a number without a unit counts microseconds',
  parse(value) {
    const [, digits, unit = ''] = /^(\d+(?:\.\d*)?)([a-z]*)$/i.exec(value) ?? []
    const scale = Object.hasOwn(timeUnits, unit.toLowerCase()) ? timeUnits[unit.toLowerCase()] : undefined
    const found = digits === undefined || scale === undefined ? NaN : Math.floor(Number(digits) * scale)
    return found <= 0xffffffff ? found : undefined
  },
  format: value => (value >= SECOND ? `${(value / SECOND).toFixed(1)}s` : value >= 1000 ? `${(value / 1000).toFixed(1)}ms` : `${value}us`),
  type: String,
}
const rateOptions = { rateestName: option({ ...text(15), format: String }), rateestInterval: option(time), rateestEwmalog: option(time) }

/** The kernel counts from -2: 250 ms, 500 ms, up to 8 s. */
const LONGEST_INTERVAL = 5
const shortest = SECOND / 4

/** The interval's number, from 0, which lasts at least this long; 6 if none does. */
function intervalOf(microseconds: number): number {
  const found = [0, 1, 2, 3, 4, 5].find(number => microseconds <= shortest * 2 ** number)
  return found ?? LONGEST_INTERVAL + 1
}

/** Logarithm of the weight with which an average goes back as far as this, as the tool reckons it. */
function ewmaLog(microseconds: number, interval: number): number {
  let log = 1
  while (log < 32 && interval / -Math.log(1 - 1 / 2 ** log) <= microseconds) log++
  return log - 1
}

/** Gathers the rate of the packets, for `-m rateest`. */
export const RATEEST: Extension<typeof rateOptions> = extension({
  name: 'RATEEST',
  options: rateOptions,
  layout: struct({ name: fixedText(16), interval: u8, ewmaLog: u8, _: padding(6), _est: padding(8) }),
  check(given) {
    const { rateestInterval, rateestEwmalog } = given
    const missing = (['rateestName', 'rateestInterval', 'rateestEwmalog'] as const).find(field => given[field] === undefined)
    if (missing !== undefined) return [missing, rateOptions[missing].kind.accepted]
    const [interval = 0, back = 0] = [rateestInterval?.value, rateestEwmalog?.value]
    if (intervalOf(interval) > LONGEST_INTERVAL) return ['rateestInterval', 'a time of at most 8s']
    const log = ewmaLog(back, interval)
    return log < 1 || log >= 31 ? ['rateestEwmalog', 'a time of more than 1.5 intervals, within 32 bits of microseconds'] : undefined
  },
  write: ({ rateestName, rateestInterval, rateestEwmalog }) => ({
    name: rateestName?.value,
    interval: (intervalOf(rateestInterval?.value ?? 0) - 2) & 0xff,
    ewmaLog: ewmaLog(rateestEwmalog?.value ?? 0, rateestInterval?.value ?? 0),
  }),
  read({ name, interval: number, ewmaLog: log }) {
    const at = (number + 2) & 0xff
    if (at > LONGEST_INTERVAL) return undefined
    const interval = shortest * 2 ** at
    return { rateestName: says(name), rateestInterval: says(interval), rateestEwmalog: says(interval * 2 ** log % 2 ** 32) }
  },
  list: ({ rateestName, rateestInterval, rateestEwmalog }) =>
    `name ${rateestName?.value ?? ''} interval ${time.format(rateestInterval?.value ?? 0)} ewmalog ${time.format(rateestEwmalog?.value ?? 0)}`,
})
