/** What the running kernel lacks of kinds of links and their options, by build option or release. */
import { constants } from 'node:os'
import { InvalidArgumentError, UnsupportedError } from '../../errors.ts'
import type { NetlinkError } from '../../netlink/error.ts'
import { bridgePortNeeds, switchOf } from './bridge.ts'
import { kindOf } from './index.ts'
import type { Requirement } from './kind.ts'

/** Settings of any link, and options of ports, that not every kernel has. */
const settingNeeds: Record<string, Requirement> = { gsoIpv4MaxSize: { since: '6.3' }, groIpv4MaxSize: { since: '6.3' } }
const portNeeds: Record<string, Record<string, Requirement | undefined>> = { bridge: bridgePortNeeds, bond: { prio: { since: '6.0' }, actorPortPrio: { since: '6.18' } } }

/** `CONFIG_NETKIT, Linux ≥ 6.7`. */
function words({ config, since }: Requirement): string {
  return [config, since === undefined ? undefined : `Linux ≥ ${since}`].filter(word => word !== undefined).join(', ')
}

/**
 * The kernel's refusal of a kind that it does not have, or of options that it was built without, said as UnsupportedError;
 * any other error as it is.
 */
export function explainKind(error: NetlinkError, kind: string, options: object = {}): Error {
  const known = kindOf(kind)
  // Kernels since 6.16, and their like, refuse a switch that they do not know, which others pass over.
  const [, number] = /Unknown boolean option (\d+)/.exec(error.kernelMessage ?? '') ?? []
  const name = number === undefined ? undefined : switchOf(Number(number))
  const need = name === undefined ? undefined : known?.needs?.['switches']?.within?.[name]
  if (need !== undefined) return lacking(error, `${kind}.switches.${name}`, need)
  if (error.errno !== constants.errno.EOPNOTSUPP) return error
  if (known === undefined) return error
  if (error.kernelMessage?.startsWith('Unknown device type') === true) {
    const feature = words({ config: known.config, ...(known.since === undefined ? {} : { since: known.since }) })
    return new UnsupportedError(feature, `${error.operation}: this kernel has no links of kind ${kind} (${feature})`, { cause: error })
  }
  const [option, missed] = builtFor(options, known.needs ?? {}) ?? []
  return option === undefined || missed === undefined ? error : lacking(error, `${kind}.${option}`, missed)
}

function lacking(error: NetlinkError, option: string, need: Requirement): UnsupportedError {
  const feature = words(need)
  return new UnsupportedError(feature, `${error.operation}: this kernel has no ${option} (${feature})`, { cause: error })
}

/** The first of some options that needs a build option, by its path. */
function builtFor(options: object, needs: Record<string, Requirement | undefined>, place = ''): [string, Requirement] | undefined {
  for (const [name, need] of Object.entries(needs)) {
    const value = (options as Record<string, unknown>)[name]
    if (need === undefined || value === undefined) continue
    if (need.config !== undefined) return [place + name, need]
    const inner = need.within === undefined ? undefined : builtFor(value as object, need.within, `${place}${name}.`)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** The kernel's refusal of a link as it was asked for, of its `kind` or as a port, in better words; any other error as it is. */
export function explainLink(error: NetlinkError, asked: object, kind: string | undefined): Error {
  const { port, ...rest } = asked as Record<string, object | undefined>
  return refusedBackup(error, port) ?? (kind === undefined ? error : explainKind(error, kind, rest[kind]))
}

/** Other options of ports that the kernel refuses with EINVAL. */
const otherwiseInvalid = ['multicastRouter', 'groupForwardMask']

function refusedBackup(error: NetlinkError, port: object = {}): InvalidArgumentError | undefined {
  const { backupPort } = port as { backupPort?: unknown }
  const { ENOENT, EINVAL } = constants.errno
  const meant = error.errno === ENOENT || (error.errno === EINVAL && !otherwiseInvalid.some(name => name in port))
  if (backupPort === undefined || !meant) return undefined
  const refused = new InvalidArgumentError('port.backupPort', backupPort, 'another port of the same bridge, or 0')
  refused.cause = error
  return refused
}

export interface Asked {
  /** Of any link. */
  settings: object
  kind?: string | undefined
  /** Of the kind. */
  options?: object | undefined
  portKind?: string | undefined
  port?: object | undefined
}

/** Whether anything is asked that not every kernel has, so that the link must be looked at afterwards. */
export function mayBeOverlooked({ settings, kind = '', options, portKind = '', port }: Asked): boolean {
  const some = (asked: object | undefined, needs: object | undefined): boolean =>
    asked !== undefined && needs !== undefined && Object.keys(needs).some(name => name in asked)
  return some(settings, settingNeeds) || some(options, kindOf(kind)?.needs) || some(port, portNeeds[portKind])
}

/**
 * A kernel passes over attributes that it does not know. Of those that not every kernel has, one that it does not show
 * afterwards is one that it does not know.
 */
export function overlooked(operation: string, asked: Asked, shown: object): UnsupportedError | undefined {
  const { settings, kind = '', options, portKind = '', port } = asked
  const state = shown as Record<string, object | undefined>
  return missing(operation, '', settings, shown, settingNeeds) ??
    missing(operation, `${kind}.`, options, state[kind], kindOf(kind)?.needs ?? {}) ??
    missing(operation, 'port.', port, state['port'], portNeeds[portKind] ?? {})
}

function missing(
  operation: string, place: string, asked: object | undefined, shown: object | undefined, needs: Record<string, Requirement | undefined>,
): UnsupportedError | undefined {
  const wanted = (asked ?? {}) as Record<string, unknown>
  for (const [name, need] of Object.entries(needs)) {
    const value = wanted[name]
    const now = (shown as Record<string, unknown> | undefined)?.[name]
    if (need?.within !== undefined) {
      const inner = missing(operation, `${place}${name}.`, value as object | undefined, now as object | undefined, need.within)
      if (inner !== undefined) return inner
    }
    if (need === undefined || value === undefined || now !== undefined) continue
    // A flag that is not set is not shown either.
    if (value === false || (need.hidden !== undefined && need.hidden === value)) continue
    return new UnsupportedError(words(need), `${operation}: this kernel has no ${place}${name} (${words(need)})`)
  }
  return undefined
}
