/** Network namespaces by name, as `ip netns` keeps them: bind mounts under /run/netns. Source: ip-netns(8). */
import { loadAddon } from '../../binding/index.ts'
import type { NativeHost, NetnsSource } from '../../binding/index.ts'
import { InvalidArgumentError, SystemError } from '../errors.ts'
import { constants } from 'node:os'

const directory = '/run/netns'

/** A network namespace: a name under /run/netns, a path (anything with a `/`), or an open file descriptor. */
export type Netns = string | number

export function netnsPath(netns: string): string {
  if (netns.includes('/')) return netns
  checkNetnsName(netns)
  return `${directory}/${netns}`
}

function checkNetnsName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || Buffer.byteLength(name) > 255) {
    throw new InvalidArgumentError('netns', name, "a namespace name: 1 to 255 bytes without '/', not '.' or '..'")
  }
}

export function netnsSource(netns: Netns | undefined): NetnsSource {
  if (netns === undefined) return {}
  if (typeof netns === 'string') return { path: netnsPath(netns) }
  if (Number.isInteger(netns) && netns >= 0) return { fd: netns }
  throw new InvalidArgumentError('netns', netns, 'a namespace name, path or open file descriptor')
}

/** Opens the native side of a namespace; what goes wrong is told in terms of what was asked. */
export async function openNative(source: NetnsSource): Promise<NativeHost> {
  const addon = loadAddon()
  try {
    return await addon.openHost(source)
  } catch (error) {
    const { errno, call } = error as { errno?: number, call?: string }
    if (errno === undefined || call === undefined) throw error
    const { EPERM, EACCES } = constants.errno
    const denied = errno === EPERM || errno === EACCES
    const what = source.create === true ? 'create a network namespace'
      : `open network namespace ${source.path ?? `of descriptor ${source.fd}`}`
    throw new SystemError(errno, call, `${what}${denied ? ' (CAP_SYS_ADMIN is needed)' : ''}`,
      denied ? 'ERR_NO_PERMISSION' : 'ERR_NO_NETNS')
  }
}

/** `ip netns`, in-process. A name that is none is ERR_INVALID_ARGUMENT. Source: ip-netns(8). */
export const netns = {
  /** Creates a namespace with a name. Needs CAP_SYS_ADMIN, else ERR_NO_PERMISSION. ERR_SYSTEM with EEXIST if the name is taken. */
  async add(name: string): Promise<void> {
    checkNetnsName(name)
    const host = await openNative({ create: true })
    try {
      const { failed } = await host.exec([{ op: 'bindNetns', path: netnsPath(name) }])
      if (failed !== undefined) throw new SystemError(failed.errno, failed.call, `add network namespace ${name}`)
    } finally {
      await host.close()
    }
  },

  /** Takes the name away; the namespace ends with its last user. Rejects with ERR_NO_NETNS. */
  async delete(name: string): Promise<void> {
    checkNetnsName(name)
    const host = await openNative({})
    try {
      const { failed } = await host.exec([{ op: 'unbindNetns', path: netnsPath(name) }])
      if (failed !== undefined) {
        throw new SystemError(failed.errno, failed.call, `delete network namespace ${name}`,
          failed.errno === constants.errno.ENOENT ? 'ERR_NO_NETNS' : 'ERR_SYSTEM')
      }
    } finally {
      await host.close()
    }
  },

  /** Names under /run/netns, sorted. */
  async list(): Promise<string[]> {
    const host = await openNative({})
    try {
      const { results, failed } = await host.exec([{ op: 'readDir', path: directory }])
      if (failed?.errno === constants.errno.ENOENT) return []
      if (failed !== undefined) throw new SystemError(failed.errno, failed.call, `list ${directory}`)
      return results[0].sort()
    } finally {
      await host.close()
    }
  },
}
