/** `kernel:///system`: libvirt's network driver, in-process, over netlink. */
import { access, constants as fsConstants, mkdir, readFile } from 'node:fs/promises'
import { VirbrError } from '../errors.ts'
import { Channel } from '../host/channel.ts'
import { netnsSource, openNative } from '../host/netns.ts'
import type { Connection, Networks } from '../network/connection.ts'
import { KernelNetworks } from './networks.ts'
import { stateDirectories, statePaths } from './paths.ts'
import type { Paths } from './paths.ts'
import { repair } from './repair.ts'
import { closedError, State } from './state.ts'

export interface KernelOptions {
  /** Name or path of the network namespace; default: the caller's own. */
  netns?: string
  /** State under ROOT/run and ROOT/etc; default /run/virbr and /etc/virbr. */
  root?: string
  /** Path of dnsmasq; default: search PATH and the sbin directories. */
  dnsmasq?: string
}

export async function connectKernel(uri: string, options: KernelOptions): Promise<Connection> {
  const channel = new Channel(await openNative(netnsSource(options.netns)))
  try {
    const paths = statePaths(options.root)
    await makeDirectories(paths)
    const { netnsDevice: device, netnsInode: inode } = channel.native
    const state = new State({
      channel,
      paths,
      netns: { spec: options.netns ?? '', device, inode },
      bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
      dnsmasq: options.dnsmasq,
      keepUser: await isSetgroupsDenied(),
    })
    await repair(state)
    return new KernelConnection(uri, state)
  } catch (error) {
    await channel.close()
    throw error
  }
}

class KernelConnection implements Connection {
  readonly uri: string
  readonly #state: State
  readonly #networks: KernelNetworks

  constructor(uri: string, state: State) {
    this.uri = uri
    this.#state = state
    this.#networks = new KernelNetworks(state)
  }

  get networks(): Networks {
    if (this.#state.closed) throw closedError()
    return this.#networks
  }

  close(): Promise<void> {
    this.#networks.endWatches()
    return this.#state.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function makeDirectories(paths: Paths): Promise<void> {
  for (const directory of stateDirectories(paths)) {
    try {
      await mkdir(directory, { recursive: true, mode: 0o755 })
      await access(directory, fsConstants.W_OK | fsConstants.X_OK)
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException
      throw new VirbrError('ERR_STATE_DIR',
        `cannot write to ${directory}: ${code}; run as a user who can, or name another place with ?root=DIRECTORY`, { cause: error })
    }
  }
}

/** True in a user namespace that an ordinary user made: setgroups(2) is denied there, and dnsmasq would fail on it. */
async function isSetgroupsDenied(): Promise<boolean> {
  return (await readFile('/proc/self/setgroups', 'utf8').catch(() => 'allow')).trim() === 'deny'
}
