/**
 * Base chains: hooks, types and priorities that each family has. Source: nft(8) "CHAINS", linux/netfilter_*.h,
 * net/netfilter/nft_chain_*.c.
 */
import { InvalidArgumentError, didYouMean, show } from '../errors.ts'
import type { Family } from './messages.ts'

const inetHooks = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress'] as const
/** Names of the hooks by number (enum nf_inet_hooks, nf_dev_hooks; linux/netfilter_arp.h). */
export const hooks: Readonly<Record<Family, readonly Hook[]>> = {
  ip: inetHooks.slice(0, 5),
  ip6: inetHooks.slice(0, 5),
  inet: inetHooks,
  bridge: inetHooks.slice(0, 5),
  arp: ['input', 'output', 'forward'],
  netdev: ['ingress', 'egress'],
}
export type Hook = (typeof inetHooks)[number] | 'egress'
export type ChainType = 'filter' | 'nat' | 'route'

const named = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 } as const
/** NF_BR_PRI_* of linux/netfilter_bridge.h. */
const bridgeNamed = { dstnat: -300, filter: -200, out: 100, srcnat: 300 } as const
export type PriorityName = keyof typeof named | keyof typeof bridgeNamed

/** Lower runs earlier: a number, a name, or a name with an offset: `'filter + 10'`. */
export type Priority = number | PriorityName | `${PriorityName} ${'+' | '-'} ${number}`

export function parsePriority(family: Family, priority: Priority): number {
  if (typeof priority === 'number') {
    if (Number.isInteger(priority) && priority >= -0x80000000 && priority <= 0x7fffffff) return priority
    throw new InvalidArgumentError('priority', priority, 'an integer of 32 bits')
  }
  const names: Readonly<Record<string, number>> = family === 'bridge' ? bridgeNamed : family === 'arp' || family === 'netdev' ? { filter: 0 } : named
  const [, name = '', sign, offset = '0'] = /^(\w+)(?:\s*([+-])\s*(\d+))?$/.exec(typeof priority === 'string' ? priority : '') ?? []
  const base = Object.hasOwn(names, name) ? names[name] : undefined
  if (base !== undefined) return base + (sign === '-' ? -1 : 1) * Number(offset)
  const accepted = `a number, or one of ${Object.keys(names).join(', ')} with an offset like "filter + 10"`
  throw new InvalidArgumentError('priority', priority, `${accepted}${didYouMean(name, Object.keys(names))}`)
}

/** NF_IP_PRI_CONNTRACK: NAT has to come after connection tracking. */
const AFTER_CONNTRACK = -200

export interface BaseHook {
  family: Family
  hook: Hook
  type: ChainType
  priority: number
  devices?: readonly string[] | undefined
}

/** Refuses what the kernel would: a hook that the family does not have, a type that does not go with it, a priority too low for NAT. */
export function checkHook({ family, hook, type, priority, devices }: BaseHook): number {
  const names = Object.hasOwn(hooks, family) ? hooks[family] : []
  const number = names.indexOf(hook)
  if (number < 0) {
    throw new InvalidArgumentError('hook', hook, `one of ${names.join(', ')} in family ${family}${didYouMean(hook, names)}`)
  }
  const types: readonly ChainType[] = typesOf(family, hook)
  if (!types.includes(type)) {
    throw new InvalidArgumentError('type', type, `${types.join(' or ')} at hook ${hook} of family ${family}${didYouMean(type, types)}`)
  }
  if (type === 'nat' && priority <= AFTER_CONNTRACK) {
    throw new InvalidArgumentError('priority', priority, `above ${AFTER_CONNTRACK} for a chain of type nat: connection tracking comes first`)
  }
  const wantsDevices = family === 'netdev' || hook === 'ingress'
  if (wantsDevices && (devices === undefined || devices.length === 0)) throw new InvalidArgumentError('devices', devices, `at least one at hook ${hook}`)
  if (!wantsDevices && devices !== undefined) throw new InvalidArgumentError('devices', show(devices), `none at hook ${hook} of family ${family}`)
  return number
}

function typesOf(family: Family, hook: Hook): readonly ChainType[] {
  if (family === 'arp' || family === 'bridge' || family === 'netdev' || hook === 'ingress') return ['filter']
  if (hook === 'output') return ['filter', 'nat', 'route']
  return hook === 'forward' ? ['filter'] : ['filter', 'nat']
}
