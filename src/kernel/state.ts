/** What a connection's parts share: the Host's channel, the places of its state, the lock. */
import { constants } from 'node:os'
import type { Outcome, Step } from '../../binding/index.ts'
import { ClosedError, SystemError, VirbrError } from '../errors.ts'
import type { Channel} from '../host/channel.ts'
import { failure, isFailure } from '../host/channel.ts'
import type { NetworkConfig } from '../network/config.ts'
import { parseNetworkXml } from '../network/xml.ts'
import type { Paths } from './paths.ts'
import type { NetnsIdentity } from './record.ts'

/** How long one process waits for another that changes the same state. A start with dnsmasq takes tens of milliseconds. */
const lockTimeoutMs = 30_000

export class State {
  readonly channel: Channel
  readonly paths: Paths
  readonly netns: NetnsIdentity
  readonly bootId: string
  /** dnsmasq's path as asked for; undefined: search. */
  readonly dnsmasq: string | undefined
  /** In a user namespace with one user dnsmasq cannot become another. */
  readonly keepUser: boolean
  readonly #configs = new Map<string, NetworkConfig>()
  #last: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(parts: Pick<State, 'channel' | 'paths' | 'netns' | 'bootId' | 'dnsmasq' | 'keepUser'>) {
    this.channel = parts.channel
    this.paths = parts.paths
    this.netns = parts.netns
    this.bootId = parts.bootId
    this.dnsmasq = parts.dnsmasq
    this.keepUser = parts.keepUser
  }

  /**
   * Takes the lock, runs `reads` in the same visit to the Host's thread, and gives their results to `work`; holds off
   * other processes by a file lock, and other calls of this connection by a queue, since the lock is the Host's.
   */
  locked<const S extends readonly Step[], T>(reads: S, work: (results: Outcome<S>['results']) => Promise<T>): Promise<T> {
    if (this.closed) return Promise.reject(closedError())
    const turn = this.#last.then(() => this.#locked(reads, work))
    this.#last = turn.catch(() => {})
    return turn
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** A change that is under way makes several visits to the Host's thread, and is not cut off between them. */
  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => this.channel.close())
    return this.#closing
  }

  async #locked<const S extends readonly Step[], T>(reads: S, work: (results: Outcome<S>['results']) => Promise<T>): Promise<T> {
    const { lock } = this.paths
    const steps: Step[] = [{ op: 'lock', path: lock, timeoutMs: lockTimeoutMs }, ...reads]
    const { results, failed } = await this.channel.exec(steps)
    if (failed?.step === 0) throw lockError(lock, failed.errno, failed.call)
    try {
      if (failed !== undefined) throw failure(steps[failed.step] as Step, failed, results[failed.step])
      return await work(results.slice(1) as Outcome<S>['results'])
    } finally {
      // Not waited for: the Host's thread does it before anything that comes later.
      this.channel.exec([{ op: 'unlock', path: lock, mayFail: true }]).catch(() => {})
    }
  }

  /** Runs steps and throws for the one that fails. */
  async run<const S extends readonly Step[]>(steps: S): Promise<Outcome<S>['results']> {
    const { results, failed } = await this.channel.exec(steps)
    if (failed !== undefined) throw failure(steps[failed.step] as Step, failed, results[failed.step])
    return results
  }

  /** Parses a configuration of our own once for as long as its text stays the same. */
  parse(xml: string): NetworkConfig {
    let config = this.#configs.get(xml)
    if (config === undefined) {
      config = parseNetworkXml(xml, { unknown: 'refuse' })
      if (this.#configs.size >= 4096) this.#configs.clear()
      this.#configs.set(xml, config)
    }
    return config
  }
}

export function closedError(): ClosedError {
  return new ClosedError('this connection')
}

function lockError(path: string, errno: number, call: string): VirbrError {
  return errno === constants.errno.ETIMEDOUT
    ? new VirbrError('ERR_LOCK_TIMEOUT', `another process has held ${path} for ${lockTimeoutMs / 1000} s`)
    : new SystemError(errno, call, `lock ${path}`, 'ERR_STATE_DIR')
}

/** Text of a `readFile` step that may fail; undefined if the file is not there. Any other failure is thrown. */
export function textOf(result: unknown, path: string): string | undefined {
  if (!isFailure(result)) return Buffer.from(result as Uint8Array).toString()
  if (result.errno === constants.errno.ENOENT) return undefined
  throw new SystemError(result.errno, result.call, `read ${path}`, 'ERR_STATE_DIR')
}
