/** What an error of libvirt's network driver means. libvirt has one number for most states that do not fit. */
import { constants } from 'node:os'
import type { ConnectionHandle, NetworkHandle } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { NetworkConfig } from '../network/config.ts'
import { parseNetworkXml } from '../network/xml.ts'
import { calls } from './calls.ts'
import { isLibvirt, withCode } from './errors.ts'
import type { LibvirtError } from './errors.ts'

export interface NetworkState {
  active: boolean
  persistent: boolean
}

export async function networkState(network: NetworkHandle): Promise<NetworkState> {
  const [active, persistent] = await Promise.all([calls.virNetworkIsActive(network), calls.virNetworkIsPersistent(network)])
  return { active: active === 1, persistent: persistent === 1 }
}

/** A rule that holds if a call says VIR_ERR_OPERATION_INVALID in this state. */
export type StateRule = readonly [code: ErrorCode, applies: (state: NetworkState) => boolean]

const isActive: StateRule = ['ERR_NETWORK_ACTIVE', ({ active }) => active]
const isInactive: StateRule = ['ERR_NETWORK_INACTIVE', ({ active }) => !active]
const isTransient: StateRule = ['ERR_NETWORK_TRANSIENT', ({ persistent }) => !persistent]

export const stateRules = {
  start: [isActive, isTransient],
  destroy: [isInactive],
  // Some drivers, unlike that of libvirtd, refuse to undefine a network that runs.
  undefine: [isTransient, isActive],
  setAutostart: [isTransient],
  leases: [isInactive],
} as const satisfies Record<string, readonly StateRule[]>

/** No such element, or one already, has no number of its own either: it is what remains. */
export function updateRules(live: boolean, config: boolean): readonly StateRule[] {
  return [...(live ? [isInactive] : []), ...(config ? [isTransient] : []), ['ERR_UPDATE_FAILED', () => true]]
}

/** Makes a call; if libvirt says that it is not valid now, looks at the network to tell why. */
export async function withState<T>(network: NetworkHandle, rules: readonly StateRule[], call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (!isLibvirt(error, 'OPERATION_INVALID')) throw error
    const state = await networkState(network).catch(() => undefined)
    const rule = state === undefined ? undefined : rules.find(([, applies]) => applies(state))
    throw rule === undefined ? error : withCode(error, rule[0])
  }
}

/** What stands in the way of a start, by libvirt's message where it has no number for it. */
export function explainStart(error: unknown): unknown {
  if (isLibvirt(error, 'SYSTEM_ERROR') && error.libvirt.int1 === constants.errno.EEXIST) return withCode(error, 'ERR_BRIDGE_IN_USE')
  if (isLibvirt(error, 'INTERNAL_ERROR', 'OPERATION_FAILED') && /^.*already in use by interface/.test(error.libvirt.message)) {
    return withCode(error, 'ERR_SUBNET_IN_USE')
  }
  return error
}

/**
 * libvirt has one number for a name or UUID that is taken (OPERATION_FAILED), and one for everything else
 * (INTERNAL_ERROR), a bridge that is taken among it. So look at what is there.
 */
export async function explainDefine(error: unknown, connection: ConnectionHandle, xml: string): Promise<unknown> {
  if (!isLibvirt(error, 'OPERATION_FAILED', 'INTERNAL_ERROR', 'OPERATION_INVALID')) return explainStart(error)
  try {
    const wanted = parseNetworkXml(xml)
    return await takenBy(error, connection, wanted) ?? explainStart(error)
  } catch {
    return explainStart(error)
  }
}

async function takenBy(error: LibvirtError, connection: ConnectionHandle, wanted: NetworkConfig): Promise<LibvirtError | undefined> {
  const others = await calls.virConnectListAllNetworks(connection, 0)
  if (!isLibvirt(error, 'INTERNAL_ERROR')) {
    const taken = others.some(({ name, uuid }) => name === wanted.name || uuid === wanted.uuid)
    return taken ? withCode(error, 'ERR_NETWORK_EXISTS') : undefined
  }
  const bridge = wanted.bridge?.name
  if (bridge === undefined) return undefined
  const bridges = await Promise.all(others.filter(({ name }) => name !== wanted.name)
    .map(other => calls.virNetworkGetBridgeName(other).catch(() => undefined)))
  return bridges.includes(bridge) ? withCode(error, 'ERR_BRIDGE_IN_USE') : undefined
}

export function transientError(name: string, what: string): VirbrError {
  return new VirbrError('ERR_NETWORK_TRANSIENT', `cannot ${what} network ${name}: it is transient`)
}

export function inactiveError(name: string): VirbrError {
  return new VirbrError('ERR_NETWORK_INACTIVE', `network ${name} is not active`)
}
