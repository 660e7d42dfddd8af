/** What iptables calls the numbers in its structs, where more than one extension uses the names. */
import { oneOf as eitherOf } from '../../checks.ts'
import type { Check } from '../../checks.ts'
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import { mark, oneOf, parseNumber } from './values.ts'
import type { Kind, MarkValue } from './values.ts'

/** enum ipt_reject_with, enum ip6t_reject_with. */
export const rejectCodes = {
  ip: {
    'icmp-net-unreachable': 0,
    'icmp-host-unreachable': 1,
    'icmp-proto-unreachable': 2,
    'icmp-port-unreachable': 3,
    'icmp-net-prohibited': 5,
    'icmp-host-prohibited': 6,
    'tcp-reset': 7,
    'icmp-admin-prohibited': 8,
  },
  ip6: {
    'icmp6-no-route': 0,
    'icmp6-adm-prohibited': 1,
    'icmp6-addr-unreachable': 3,
    'icmp6-port-unreachable': 4,
    'tcp-reset': 6,
    'icmp6-policy-fail': 7,
    'icmp6-reject-route': 8,
  },
} as const
export type RejectWith = keyof (typeof rejectCodes)['ip'] | keyof (typeof rejectCodes)['ip6']

/** RFC 2474, 2597, 3246. */
const dscpClasses = {
  CS0: 0x00, CS1: 0x08, CS2: 0x10, CS3: 0x18, CS4: 0x20, CS5: 0x28, CS6: 0x30, CS7: 0x38, BE: 0x00,
  AF11: 0x0a, AF12: 0x0c, AF13: 0x0e, AF21: 0x12, AF22: 0x14, AF23: 0x16, AF31: 0x1a, AF32: 0x1c, AF33: 0x1e,
  AF41: 0x22, AF42: 0x24, AF43: 0x26, EF: 0x2e,
} as const
export type DscpClass = keyof typeof dscpClasses
export const dscpClass: Kind<DscpClass> = oneOf(...Object.keys(dscpClasses) as DscpClass[])

export function dscpOf(name: DscpClass): number {
  return dscpClasses[name]
}

/** IPTOS_* of linux/ip.h; a name stands for the bits of 0x3f only. */
const tosNames = {
  'minimize-delay': 0x10, 'maximize-throughput': 0x08, 'maximize-reliability': 0x04, 'minimize-cost': 0x02, 'normal-service': 0x00,
} as const

const tosNumber = mark({ bits: 8, always: true, digits: 2 })

export const tos: Kind<MarkValue, number | Partial<MarkValue> | string> = {
  ...tosNumber,
  accepted: `${tosNumber.accepted}, or one of ${Object.keys(tosNames).join(', ')}`,
  parse(text, context) {
    const name = text.toLowerCase()
    return Object.hasOwn(tosNames, name) ? { value: tosNames[name as keyof typeof tosNames], mask: 0x3f } : tosNumber.parse(text, context)
  },
}

/** syslog(3). */
export const logLevels = ['emerg', 'alert', 'crit', 'error', 'warning', 'notice', 'info', 'debug'] as const
const otherLevels: Readonly<Record<string, number>> = { panic: 0, err: 3, warn: 4 }

export const logLevel: Kind<number, number | (typeof logLevels)[number]> = {
  words: 1,
  accepted: `a number from 0 to 7 or one of ${logLevels.join(', ')}`,
  parse(text) {
    const name = text.toLowerCase()
    const level = (logLevels as readonly string[]).indexOf(name)
    const number = level >= 0 ? level : Object.hasOwn(otherLevels, name) ? otherLevels[name] ?? NaN : parseNumber(text)
    return number <= 7 ? number : undefined
  },
  format: String,
  type: String,
}

export type HookName = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'

/** The base chains of iptables' tables, in its order of printing. Priorities: linux/netfilter_ipv4.h, as nft has them. */
export interface BaseChain {
  hook: HookName
  type: 'filter' | 'nat' | 'route'
  priority: number
}

const hooks = { PREROUTING: 'prerouting', INPUT: 'input', FORWARD: 'forward', OUTPUT: 'output', POSTROUTING: 'postrouting' } as const

function bases(priority: number, ...names: readonly (keyof typeof hooks)[]): Record<string, BaseChain> {
  return Object.fromEntries(names.map(name => [name, { hook: hooks[name], type: 'filter', priority }]))
}

const nat = (priority: number, hook: HookName): BaseChain => ({ hook, type: 'nat', priority })

const tables: Readonly<Record<string, Readonly<Record<string, BaseChain>>>> = {
  filter: bases(0, 'INPUT', 'FORWARD', 'OUTPUT'),
  nat: {
    PREROUTING: nat(-100, 'prerouting'), INPUT: nat(100, 'input'), OUTPUT: nat(-100, 'output'), POSTROUTING: nat(100, 'postrouting'),
  },
  mangle: {
    ...bases(-150, 'PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'),
    OUTPUT: { hook: 'output', type: 'route', priority: -150 },
  },
  raw: bases(-300, 'PREROUTING', 'OUTPUT'),
  security: bases(150, 'INPUT', 'FORWARD', 'OUTPUT'),
}

/** Without prototypes: a user's chain may be called `constructor`. */
export const builtinChains: typeof tables = withoutPrototype(Object.fromEntries(
  Object.entries(tables).map(([table, chains]) => [table, withoutPrototype(chains)])))

function withoutPrototype<T extends object>(record: T): T {
  return Object.assign(Object.create(null) as T, record)
}

export type IptablesTableName = 'filter' | 'nat' | 'mangle' | 'raw' | 'security'

/** In the order in which iptables-save prints them. */
export const tableNames: readonly IptablesTableName[] = ['mangle', 'security', 'raw', 'filter', 'nat']

export function checkTableName(table: unknown): void {
  if ((tableNames as readonly unknown[]).includes(table)) return
  throw new InvalidArgumentError('table', table, `one of ${tableNames.join(', ')}${didYouMean(table, tableNames)}`)
}

export const aFamily: Check = eitherOf(['ip', 'ip6'])

/** What may not be the name of a user's chain. */
export const verdictNames = ['ACCEPT', 'DROP', 'QUEUE', 'RETURN'] as const
