/** The namespace's own sysctls, by /proc/sys/net as seen from inside. Source: sysctl(8), Documentation/networking/ip-sysctl. */
import { constants } from 'node:os'
import type { WriteFileStep } from '../../binding/index.ts'
import { InvalidArgumentError, SystemError, UnsupportedError } from '../errors.ts'
import { failure } from './channel.ts'
import type { Channel } from './channel.ts'

/**
 * `net.ipv4.ip_forward` → `/proc/sys/net/ipv4/ip_forward`. As sysctl(8) has it, the first separator decides: after a `/`
 * dots are part of a name (`net/ipv4/conf/eth0.5/forwarding`), after a `.` slashes stand for dots
 * (`net.ipv4.conf.eth0/5.forwarding`).
 */
export function sysctlPath(name: string): string {
  const accepted = 'a sysctl of the network namespace, like net.ipv4.ip_forward'
  if (typeof name !== 'string' || !/^net[./]/.test(name)) throw new InvalidArgumentError('sysctl', name, accepted)
  const path = name[3] === '.' ? name.replace(/[./]/g, mark => (mark === '.' ? '/' : '.')) : name
  if (/[^\x21-\x7e]|\/\/|\/$/.test(path) || path.split('/').some(part => part === '.' || part === '..')) {
    throw new InvalidArgumentError('sysctl', name, accepted)
  }
  return `/proc/sys/${path}`
}

export function setSysctlStep(name: string, value: string | number | boolean): WriteFileStep {
  const path = sysctlPath(name)
  if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isInteger(value)) {
    throw new InvalidArgumentError(name, value, 'an integer, a string or a boolean')
  }
  const text = typeof value === 'boolean' ? (value ? '1' : '0') : String(value)
  if (/[\n\0]/.test(text)) throw new InvalidArgumentError(name, value, 'one line')
  return { op: 'writeFile', path, data: `${text}\n` }
}

/** Sysctls of a namespace: `host.sysctl`. One that this kernel does not have is ERR_UNSUPPORTED. */
export class Sysctl {
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** The value as text, without the newline; several values are separated by tabs, as the kernel prints them. */
  async get(name: string): Promise<string> {
    const step = { op: 'readFile', path: sysctlPath(name) } as const
    const { results, failed } = await this.#channel.exec([step])
    if (failed !== undefined) throw missing(name, failed.errno) ?? failure(step, failed)
    return Buffer.from(results[0]).toString().trimEnd()
  }

  /**
   * Needs CAP_NET_ADMIN, else ERR_NO_PERMISSION. A value that the kernel does not take is ERR_INVALID_ARGUMENT. Not kept
   * over a reboot.
   */
  async set(name: string, value: string | number | boolean): Promise<void> {
    const step = setSysctlStep(name, value)
    const { failed } = await this.#channel.exec([step])
    if (failed === undefined) return
    const { EPERM, EACCES, EINVAL } = constants.errno
    if (failed.errno === EPERM || failed.errno === EACCES) {
      throw new SystemError(failed.errno, failed.call, `set ${name}`, 'ERR_NO_PERMISSION')
    }
    if (failed.errno === EINVAL) throw new InvalidArgumentError(name, value, 'a value that the kernel takes for it')
    throw missing(name, failed.errno) ?? failure(step, failed)
  }
}

function missing(name: string, errno: number): Error | undefined {
  return errno === constants.errno.ENOENT ? new UnsupportedError(name, `this kernel (or namespace) has no sysctl ${name}`) : undefined
}
