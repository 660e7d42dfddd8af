/** When and where a packet is handled. Sources: linux/netfilter/xt_time.h, xt_cpu.h. */
import { u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { readFlags, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { alias, bang, extension, negatable, option, saveSaid, says, saysIf } from '../extension.ts'
import type { Extension, Given, Said } from '../extension.ts'
import { bitsOf, flag, integer, namesOf } from '../values.ts'
import type { Kind } from '../values.ts'

const LAST_DATE = 0x7fffffff

const dateText = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19)
const secondsOf = (date: string): number => Date.parse(`${date}Z`) / 1000

/** `2026`, `2026-11-27T18` and so on: what is left out is the first. Kept in full. */
const date: Kind<string, string | Date> = {
  words: 1,
  accepted: 'a time from 1970 to 2038 like 2026-11-27T18:30:00, or the beginning of one, or a Date; in UTC unless kerneltz is said',
  parse(text) {
    const [, year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00'] =
      /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:T(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?)?)?)?$/.exec(text) ?? []
    const full = [[year, month, day].map(part => part.padStart(2, '0')).join('-'), [hour, minute, second].map(part => part.padStart(2, '0')).join(':')].join('T')
    const seconds = secondsOf(full)
    // What is no day, like the 31st of April, would become another.
    return Number(year) >= 1970 && Number(year) <= 2038 && dateText(Number.isNaN(seconds) ? 0 : seconds) === full ? full : undefined
  },
  format: String,
  type: input => (input instanceof Date ? dateText(Math.floor(input.getTime() / 1000)) : input),
}

/** `9:30` or `09:30:00`; kept in full. */
const daytime: Kind<string> = {
  words: 1,
  accepted: 'a time of the day from 00:00 to 23:59:59',
  parse(text) {
    const [, hour = '', minute = '', second = '00'] = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(text) ?? []
    const parts = [hour, minute, second]
    return hour !== '' && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
      ? parts.map(part => part.padStart(2, '0')).join(':') : undefined
  },
  format: String,
  type: String,
}

function daytimeText(seconds: number): string {
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(part => String(part).padStart(2, '0')).join(':')
}

function daySeconds(text: string): number {
  const [hour = 0, minute = 0, second = 0] = text.split(':').map(Number)
  return 3600 * hour + 60 * minute + second
}

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const
export type Weekday = (typeof dayNames)[number]

/** Names, of which two letters are enough, or numbers from Monday, 1. */
const weekdays: Kind<readonly Weekday[], readonly (Weekday | number)[]> = {
  words: 1,
  accepted: `some of ${dayNames.join(', ')}, or 1 for Monday to 7 for Sunday`,
  parse(text) {
    const given = text.split(',').map(part => (/^[1-7]$/.test(part) ? dayNames[Number(part) - 1]
      : part.length < 2 ? undefined : dayNames.find(name => name.startsWith(part.slice(0, 2)))))
    return given.every(name => name !== undefined) ? dayNames.filter(name => given.includes(name)) : undefined
  },
  format: given => given.join(','),
  type: given => [...given].join(','),
}

const allDays = Array.from({ length: 31 }, (_, index) => index + 1)

const monthdays: Kind<readonly number[]> = {
  words: 1,
  accepted: 'some days of the month, from 1 to 31',
  parse(text) {
    const given = text.split(',').map(part => (/^\d{1,2}$/.test(part) ? Number(part) : NaN))
    return given.every(day => day >= 1 && day <= 31) ? allDays.filter(day => given.includes(day)) : undefined
  },
  format: given => given.join(','),
  type: given => [...given].join(','),
}

/** All other days are kept in place of days that are negated. */
function days<V, I>(field: string, kind: Kind<readonly V[], I>, all: readonly V[]): ReturnType<typeof negatable<readonly V[], I>> {
  return {
    ...negatable(kind),
    means: ({ not, value }: Said<readonly V[]>) => ({ [field]: says(not ? all.filter(each => !value.includes(each)) : value) }),
  }
}

const kerneltz = option(flag)
const timeOptions = {
  timestart: option(daytime), timestop: option(daytime), monthdays: days('monthdays', monthdays, allDays),
  weekdays: days('weekdays', weekdays, dayNames), datestart: option(date), datestop: option(date),
  kerneltz, localtz: alias('kerneltz', kerneltz), utc: option(flag), contiguous: option(flag),
}
const timeBits = { kerneltz: c.XT_TIME_LOCAL_TZ, contiguous: c.XT_TIME_CONTIGUOUS } as const

type Time = Given<typeof timeOptions>

function daytimes({ timestart, timestop }: Time): readonly [start: number, stop: number] {
  return [daySeconds(timestart?.value ?? '0:0'), timestop === undefined ? c.XT_TIME_MAX_DAYTIME : daySeconds(timestop.value)]
}

function ordinal(day: number): string {
  return `${day}${['th', 'st', 'nd', 'rd'][day % 10] ?? 'th'}`
}

export const time: Extension<typeof timeOptions> = extension({
  name: 'time',
  options: timeOptions,
  layout: struct({ dateStart: u32, dateStop: u32, start: u32, stop: u32, monthdays: u32, weekdays: u8, flags: u8 }),
  check(given) {
    if (given.utc !== undefined && given.kerneltz !== undefined) return ['utc', 'nothing beside kerneltz']
    const none = (['monthdays', 'weekdays'] as const).find(field => given[field]?.value.length === 0)
    if (none !== undefined) return [none, 'days that leave some to match']
    const [start, stop] = daytimes(given)
    return given.contiguous !== undefined && start < stop ? ['contiguous', 'a timestop that is before timestart'] : undefined
  },
  write(given) {
    const [start, stop] = daytimes(given)
    return {
      dateStart: given.datestart === undefined ? 0 : secondsOf(given.datestart.value),
      dateStop: given.datestop === undefined ? LAST_DATE : secondsOf(given.datestop.value), start, stop,
      monthdays: given.monthdays?.value.reduce((mask, day) => (mask | 1 << day) >>> 0, 0) ?? c.XT_TIME_ALL_MONTHDAYS,
      weekdays: given.weekdays === undefined ? c.XT_TIME_ALL_WEEKDAYS : bitsOf(dayNames, given.weekdays.value) << 1,
      flags: saidBits(timeBits, given),
    }
  },
  read({ dateStart, dateStop, start, stop, monthdays: inMonth, weekdays: inWeek, flags }) {
    const timed = start !== c.XT_TIME_MIN_DAYTIME || stop !== c.XT_TIME_MAX_DAYTIME
    return {
      timestart: saysIf(timed, daytimeText(start)), timestop: saysIf(timed, daytimeText(stop)),
      monthdays: saysIf(inMonth !== c.XT_TIME_ALL_MONTHDAYS, allDays.filter(day => (inMonth & 1 << day) !== 0)),
      weekdays: saysIf(inWeek !== c.XT_TIME_ALL_WEEKDAYS, namesOf(dayNames, inWeek >> 1)),
      datestart: saysIf(dateStart !== 0, dateText(dateStart)), datestop: saysIf(dateStop !== LAST_DATE, dateText(dateStop)),
      ...readFlags(timeBits, flags),
    }
  },
  // The tool prints the last of all dates too.
  save: given => saveSaid(timeOptions, { ...given, datestop: given.datestop ?? says(dateText(LAST_DATE)) }),
  list({ timestart, timestop, monthdays: inMonth, weekdays: inWeek, datestart, datestop, kerneltz: ofKernel, contiguous }) {
    const dated = (said: Said<string>): string => said.value.replace('T', ' ')
    return [
      'TIME', ...(timestart === undefined ? [] : [`from ${timestart.value} to ${timestop?.value ?? ''}`]),
      ...(inWeek === undefined ? [] : [`on ${inWeek.value.join(',')}`]),
      ...(inMonth === undefined ? [] : [`on ${inMonth.value.map(ordinal).join(',')}`]),
      ...(datestart === undefined ? [] : [`starting from ${dated(datestart)}`]),
      ...(datestop === undefined ? [] : [`until date ${dated(datestop)}`]),
      ...(ofKernel === undefined ? ['UTC'] : []), ...(contiguous === undefined ? [] : ['contiguous']),
    ].join(' ')
  },
})

const cpuOptions = { cpu: negatable(integer(0, 0xffffffff)) }

export const cpu: Extension<typeof cpuOptions> = extension({
  name: 'cpu',
  options: cpuOptions,
  layout: struct({ cpu: u32, invert: u32 }),
  check: given => (given.cpu === undefined ? ['cpu', cpuOptions.cpu.kind.accepted] : undefined),
  write: ({ cpu: said }) => ({ cpu: said?.value, invert: said?.not === true ? 1 : 0 }),
  read: ({ cpu: number, invert }) => ({ cpu: says(number, invert !== 0) }),
  list: ({ cpu: said }) => `cpu ${bang(said, ' ')}${said?.value ?? 0}`,
})
