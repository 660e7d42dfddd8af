/** The way from typed requests to a Host's thread and back. Everything a Host does goes through here. */
import { constants } from 'node:os'
import type { NativeHost, NetlinkStep, Outcome, Step, StepFailure } from '../../binding/index.ts'
import { ClosedError, SystemError } from '../errors.ts'
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../netlink/constants.ts'
import { decodeReplies, encodeRequests, Replies } from '../netlink/message.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { commitBatch, prepareBatch } from '../nftables/batch.ts'
import type { PreparedBatch } from '../nftables/batch.ts'
import { Watches } from './watches.ts'

/** A netlink step that remembers what it asked, so that its reply can be read. */
export interface RequestStep extends NetlinkStep {
  requests: readonly AnyRequest[]
}

/** rtnetlink requests: one sendmsg for what is no dump. Throws InvalidArgumentError before anything is sent. */
export function routeStep(requests: readonly AnyRequest[], options: { mayFail?: boolean } = {}): RequestStep {
  return { op: 'netlink', protocol: NETLINK_ROUTE, messages: encodeRequests(requests), requests, ...options }
}

/** nf_tables reads. */
export function firewallReadStep(requests: readonly AnyRequest[], options: { mayFail?: boolean } = {}): RequestStep {
  return { op: 'netlink', protocol: NETLINK_NETFILTER, messages: encodeRequests(requests), requests, ...options }
}

/** nf_tables changes: all or none; with `generation`, none (ERESTART) if the ruleset has changed since. */
export function firewallStep(
  changes: readonly AnyRequest[] | PreparedBatch, options: { generation?: number, mayFail?: boolean } = {},
): RequestStep {
  const { generation, ...rest } = options
  const batch = commitBatch('body' in changes ? changes : prepareBatch(changes), { generation })
  return { op: 'netlink', protocol: NETLINK_NETFILTER, messages: batch.bytes, requests: batch.requests, atomic: true, ...rest }
}

/** A `mayFail` step whose socket failed, or whose dump changed all the time, has no reply: an error like the kernel's. */
export function repliesOf(step: RequestStep, result: unknown): Replies {
  if (!isFailure(result)) return decodeReplies(step.requests, result as Uint8Array)
  return Replies.none(step.requests, result.errno)
}

export function isFailure(result: unknown): result is StepFailure {
  return typeof result === 'object' && result !== null && 'errno' in result && 'call' in result
}

export class Channel {
  readonly native: NativeHost
  readonly watches: Watches = new Watches()
  readonly #held = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(native: NativeHost) {
    this.native = native
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** Runs steps; does not throw for one that fails, since its caller has to undo. */
  async exec<const S extends readonly Step[]>(steps: S): Promise<Outcome<S>> {
    if (this.closed) throw new ClosedError('this Host')
    return this.native.exec(steps)
  }

  /** Runs rtnetlink requests and throws the first error; messages by index of the request. */
  async request(requests: readonly AnyRequest[]): Promise<Message[][]> {
    const { error, messages } = await this.attempt(routeStep(requests, { mayFail: true }))
    if (error !== undefined) throw error
    return messages
  }

  /** Runs one netlink step and returns its replies, errors included. */
  async attempt(step: RequestStep): Promise<Replies> {
    const { results, failed } = await this.exec([step])
    if (failed !== undefined && results[0] === undefined) throw failure(step, failed)
    return repliesOf(step, results[0])
  }

  /** Runs work of several visits to the thread, which `close` waits for: it has to be able to undo. */
  async hold<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    if (this.closed) throw new ClosedError('this Host')
    const held = work(new Channel(this.native))
    this.#held.add(held)
    try {
      return await held
    } finally {
      this.#held.delete(held)
    }
  }

  close(): Promise<void> {
    this.watches.close()
    this.#closing ??= this.#held.size === 0 ? this.native.close() : Promise.allSettled(this.#held).then(() => this.native.close())
    return this.#closing
  }
}

/** The error of a step that stopped a run: the kernel's own for a netlink step, else that of the system call. */
export function failure(step: Step | RequestStep, failed: StepFailure, result?: unknown): Error {
  if (step.op === 'netlink') {
    const { error } = 'requests' in step && result instanceof Uint8Array ? repliesOf(step, result) : { error: undefined }
    return error ?? new SystemError(failed.errno, failed.call, 'requests' in step ? step.requests[0]?.operation ?? 'netlink' : 'netlink')
  }
  const { EPERM, EACCES } = constants.errno
  const denied = failed.errno === EPERM || failed.errno === EACCES
  return new SystemError(failed.errno, failed.call, describe(step), denied ? 'ERR_NO_PERMISSION' : 'ERR_SYSTEM')
}

function describe(step: Exclude<Step, NetlinkStep>): string {
  switch (step.op) {
    case 'readFile': case 'readDir': return `read ${step.path}`
    case 'writeFile': return `write ${step.path}`
    case 'rename': return `rename ${step.from} to ${step.to}`
    case 'unlink': return `remove ${step.path}`
    case 'lock': case 'unlock': return `${step.op} ${step.path}`
    case 'tap': return `create tap ${step.name}`
    case 'linkIndices': return 'look up links'
    case 'closeFds': return 'close descriptors'
    case 'spawn': return `start ${step.file}`
    case 'terminate': return `end process ${step.pid}`
    case 'watch': return 'watch for changes'
    case 'bindNetns': return `mount namespace on ${step.path}`
    case 'unbindNetns': return `unmount namespace ${step.path}`
  }
}
