/**
 * Everything native, typed: the only file that loads the addon, and the only description of what it offers.
 *
 * The addon holds mechanism: sockets, threads, namespaces, taps, files and processes inside a namespace. It knows how a
 * netlink message is framed, never what it says; contents are written and read in src/. libvirt's part is in libvirt.ts.
 */
import type { LibvirtBinding } from './libvirt.ts'

/** Where a Host lives. Exactly one of the three; `{}` is the caller's own network namespace. */
export interface NetnsSource {
  /** A namespace file, e.g. `/run/netns/lab` or `/proc/4711/ns/net`. */
  path?: string
  /** An open namespace file descriptor; duplicated, the caller keeps its own. */
  fd?: number
  /** A new namespace, which lives as long as this Host (or a process, bind mount or fd of somebody else's) holds it. */
  create?: boolean
}

/**
 * One thing for a Host's thread to do. The steps of one `exec` run in order, in the Host's namespace, off the JS thread,
 * and stop at the first that fails, unless that step has `mayFail`.
 */
export type Step = NetlinkStep | ReadFileStep | ReadDirStep | WriteFileStep | RenameStep | UnlinkStep | LockStep | UnlockStep
  | TapStep | LinkIndicesStep | CloseFdsStep | SpawnStep | TerminateStep | BindNetnsStep | UnbindNetnsStep | WatchStep

interface StepBase {
  /**
   * Go on after a failure of this step; its result is then a `StepFailure` (for `netlink`: the reply, errors within,
   * unless there is none).
   */
  mayFail?: boolean
}

/**
 * Sends netlink messages and gathers all replies. The messages are numbered in the order given: `nlmsg_seq` of the
 * message at index i must be i; the native side maps it to a number of its own and back.
 *
 * Runs of messages without NLM_F_DUMP go out in one sendmsg each (split only where socket buffers force it; with
 * `atomic` never split, as nf_tables batches need). A message with NLM_F_DUMP goes alone; its whole dump is read, and
 * repeated, at most 10 times, when the kernel says that it was interrupted (NLM_F_DUMP_INTR).
 *
 * The result holds, back to back, every reply message as the kernel wrote it (nlmsg_seq = the index of the request),
 * without successful acknowledgements and NLMSG_DONE. Failures are the kernel's NLMSG_ERROR messages, extack attributes
 * included; they come for messages without NLM_F_ACK as well, so that many changes need none: silence is success, since
 * the kernel has answered before sendmsg returns. A request whose acknowledgement was lost gets a made NLMSG_ERROR with
 * -ENOBUFS; where answers were lost, so does each without NLM_F_ACK that has none (but of an `atomic` batch).
 * The step fails, with the first negative error's errno and call 'netlink', if there is one; the reply is still there.
 */
export interface NetlinkStep extends StepBase {
  op: 'netlink'
  /** NETLINK_ROUTE 0 or NETLINK_NETFILTER 12. */
  protocol: number
  messages: Uint8Array
  atomic?: boolean
  /**
   * `take`: the socket of this protocol stays open, the thread may idle or not, until as many steps have said `give`: what
   * a socket owns goes with it (nf_tables tables with the flag owner). Counted even if the step fails.
   */
  hold?: 'take' | 'give'
  /** A dump that is interrupted all 10 times is no failure: the result has what all of them gave together. */
  partial?: boolean
}

/** Reads a whole file (at most 16 MiB), as the Host's namespace sees it: `/proc/sys/net/…` is the namespace's own. */
export interface ReadFileStep extends StepBase { op: 'readFile', path: string }

/** Names in a directory, without `.` and `..`, unsorted. */
export interface ReadDirStep extends StepBase { op: 'readDir', path: string }

/**
 * Writes a whole file in one write(2). Without `mode` the file must exist (a sysctl) and is not truncated; with `mode` it
 * is created or truncated. `sync`: fsync before close.
 */
export interface WriteFileStep extends StepBase { op: 'writeFile', path: string, data: string | Uint8Array, mode?: number, sync?: boolean }

/** rename(2). `sync`: fsync the directory of `to` afterwards. */
export interface RenameStep extends StepBase { op: 'rename', from: string, to: string, sync?: boolean }

/** unlink(2). */
export interface UnlinkStep extends StepBase { op: 'unlink', path: string }

/**
 * Takes an exclusive flock(2) on a file, created (0600) if missing; waits at most `timeoutMs`, then fails with
 * ETIMEDOUT. Held by the Host until `unlock`, `close` or the end of the process.
 */
export interface LockStep extends StepBase { op: 'lock', path: string, timeoutMs: number }
export interface UnlockStep extends StepBase { op: 'unlock', path: string }

/**
 * Creates (or attaches to) a tap or tun device: TUNSETIFF on /dev/net/tun. Result: `queues` open file descriptors that
 * the caller owns, or none with `persist`. Close them with `closeFds`: closing the last one of a non-persistent tap
 * waits tens of milliseconds for the kernel.
 */
export interface TapStep extends StepBase {
  op: 'tap'
  name: string
  mode?: 'tap' | 'tun'
  /** TUNSETPERSIST: the device stays after the last descriptor is closed. */
  persist?: boolean
  /** TUNSETOWNER / TUNSETGROUP: numeric ids that may attach without CAP_NET_ADMIN. */
  owner?: number
  group?: number
  /** IFF_VNET_HDR: frames carry a virtio_net_hdr, as qemu wants. */
  vnetHeader?: boolean
  /** Number of queues, default 1; more sets IFF_MULTI_QUEUE. */
  queues?: number
  /** IFF_MULTI_QUEUE even with one queue. */
  multiQueue?: boolean
  /** IFF_TUN_EXCL: EBUSY if a link has the name, where otherwise a tap that is there would be attached to. */
  exclusive?: boolean
}
/**
 * Indices of links by name, each of at most 15 bytes: SIOCGIFINDEX, which unlike RTM_GETLINK does not wait for RTNL. Result:
 * 32 bits each, in host order, 0 for a name that no link has. For such a one the kernel may look for a module: ask for
 * links that should be there.
 */
export interface LinkIndicesStep extends StepBase { op: 'linkIndices', names: readonly string[] }

export interface CloseFdsStep extends StepBase { op: 'closeFds', fds: readonly number[] }

/**
 * Starts a program in the Host's namespace and waits for that process (not for what it leaves in the background) to end.
 * stdin is /dev/null, every other inherited descriptor is closed, it gets a session of its own. stdout and stderr are
 * collected together, 64 KiB at most. A program that cannot be started fails with its errno and call 'spawn'; one that
 * outlives `timeoutMs` is killed and the step fails with ETIMEDOUT. A non-zero exit status is not a failure of the step.
 */
export interface SpawnStep extends StepBase {
  op: 'spawn'
  /** Absolute path. */
  file: string
  /** Including argv[0]. */
  argv: readonly string[]
  /** `NAME=value`; nothing else is passed on. */
  env: readonly string[]
  timeoutMs: number
}
export interface SpawnResult {
  /** Exit status, or the negative number of the signal that ended it. */
  status: number
  output: Uint8Array
}

/**
 * Ends a process, by pidfd: SIGTERM, then SIGKILL after `timeoutMs`. Only if `/proc/PID/cmdline` (NULs as spaces)
 * contains `match`, since a pid found in a file may meanwhile be somebody else's. Returns when the process is gone.
 */
export interface TerminateStep extends StepBase { op: 'terminate', pid: number, match: string, timeoutMs: number }
export type TerminateResult = 'absent' | 'mismatch' | 'terminated' | 'killed'

/** Gives the Host's namespace a name: a bind mount on `path`, made as `ip netns add` does. Fails with EEXIST. */
export interface BindNetnsStep extends StepBase { op: 'bindNetns', path: string }
/** Takes the name away: lazy unmount, then unlink. */
export interface UnbindNetnsStep extends StepBase { op: 'unbindNetns', path: string }

/**
 * Opens a socket of its own that hears of changes. From then on the kernel queues events in `receiveBuffer` bytes (default
 * 8 MiB; above the system's maximum needs CAP_NET_ADMIN), so that what a later step reads and the events together leave
 * nothing out. EINVAL for a group that the kernel does not have.
 */
export interface WatchStep extends StepBase {
  op: 'watch'
  /** NETLINK_ROUTE 0 or NETLINK_NETFILTER 12. */
  protocol: number
  /** Multicast groups: RTNLGRP_*, NFNLGRP_*. */
  groups: readonly number[]
  receiveBuffer?: number
}

/**
 * An event socket, read by a thread that all watches of this environment share. Its events wait: up to half a MiB beside
 * the thread, then in the kernel, which drops what does not fit and says so. Collected, and closed, when nobody holds it.
 */
export interface NativeWatch {
  /**
   * Sets the function that gets events, and asks for the first. It is called once for each `start` and `want`, as soon as
   * there is anything: `messages` are whole netlink messages, each in a multiple of four bytes, in the kernel's order;
   * `lost` says that after them events were dropped; `synced` answers `sync`, after the messages.
   */
  start(listener: (messages: Buffer, lost: boolean, synced: boolean) => void): void
  /** Asks for the next events. */
  want(): void
  /** Asks to be told when everything that was queued by now has been delivered. */
  sync(): void
  /** Keeps the process alive, and the watch and its listener from being collected, until `unref` or `close`. */
  ref(): void
  unref(): void
  /** Idempotent. */
  close(): void
}

/** A step that failed. */
export interface StepFailure {
  /** Positive errno. */
  errno: number
  /** The system call, e.g. `open`. */
  call: string
}

export type ResultOf<S extends Step> =
  (S extends NetlinkStep | ReadFileStep | LinkIndicesStep ? Uint8Array
    : S extends ReadDirStep ? string[]
    : S extends TapStep ? number[]
    : S extends SpawnStep ? SpawnResult
    : S extends TerminateStep ? TerminateResult
    : S extends WatchStep ? NativeWatch
    : null) | (S extends NetlinkStep ? never : S extends { mayFail: true } ? StepFailure : never)

export interface Outcome<S extends readonly Step[]> {
  /** One a step that ran. */
  results: { [K in keyof S]: ResultOf<S[K]> }
  /** The step that stopped the run. Its own result, if it has one (a netlink reply), is the last of `results`. */
  failed?: StepFailure & { step: number }
}

/** A network namespace and the thread that works in it. The thread exists only while there is work (and a moment after). */
export interface NativeHost {
  /**
   * Runs steps after all earlier ones of this Host. Rejects only for steps of a wrong form (TypeError; nothing was run) or
   * a Host that is closed. Keeps the process alive until done.
   */
  exec<const S extends readonly Step[]>(steps: S): Promise<Outcome<S>>
  /** Waits for what is queued, then gives back thread, sockets, locks and namespace. Idempotent. */
  close(): Promise<void>
  /** The namespace, held open; for IFLA_NET_NS_FD. -1 when closed. */
  readonly netnsFd: number
  /** Identity of the namespace: device and inode of its nsfs file. */
  readonly netnsDevice: number
  readonly netnsInode: number
}

export interface Addon {
  /** libvirt, which need not be installed. */
  readonly libvirt: LibvirtBinding
  /** Rejects with an Error with `errno` and `call` if the namespace cannot be opened, created or entered. */
  openHost(source: NetnsSource): Promise<NativeHost>
  /** Open Hosts and watches, and live threads, of this environment, for leak tests. */
  stats(): { hosts: number, watches: number, threads: number }
}

export type * from './libvirt.ts'
export { loadAddon } from './load.ts'
