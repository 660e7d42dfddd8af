/**
 * The tools of others, run inside a namespace: independent witnesses of what virbr left in the kernel.
 *
 * `netns` is a Host's `netnsFd`, a `/run/netns` name, a path to a namespace file, or `{ pid }` of a process within.
 */
import { execFile } from 'node:child_process'
import { toolPath, toolSearchPath } from './tools.ts'
import { patience } from './patience.ts'

export type LabNetns = number | string | { pid: number }

export interface RunOptions {
  /** Default: the namespace of the test process. */
  netns?: LabNetns | undefined
  /** With a /sys of that namespace, for brctl and whatever else reads /sys/class/net. */
  sysfs?: boolean
  /** Written to stdin. */
  input?: string
  env?: Record<string, string>
  /** Default 20,000 times `patience`; then the command is killed. */
  timeoutMs?: number
}

export interface RunResult {
  /** Exit status, or -1 if a signal ended it. */
  status: number
  stdout: string
  stderr: string
}

/** Path of a namespace file, for nsenter and for `Host.open({ netns })`. */
export function netnsFile(netns: LabNetns): string {
  if (typeof netns === 'object') return `/proc/${netns.pid}/ns/net`
  if (typeof netns === 'number') return `/proc/${process.pid}/fd/${netns}`
  return netns.includes('/') ? netns : `/run/netns/${netns}`
}

/** The argument vector that runs a command inside a namespace. */
export function inNetns(argv: readonly string[], options: Pick<RunOptions, 'netns' | 'sysfs'>): string[] {
  const { netns, sysfs = false } = options
  const freshSysfs = ['unshare', '--mount', 'sh', '-c', 'mount -t sysfs sysfs /sys && exec "$@"', 'sh']
  const entered = sysfs ? [...freshSysfs, ...argv] : [...argv]
  return netns === undefined ? entered : ['nsenter', `--net=${netnsFile(netns)}`, ...entered]
}

/** Runs a command and gives what came of it, whatever its exit status. */
export function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [file = command, ...rest] = inNetns([command, ...args], options)
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: toolSearchPath, LC_ALL: 'C', ...options.env }
  // scripts/asan preloads the sanitizers' library, which is for Node and our addon alone.
  if (![command, ...args].includes(process.execPath)) delete env['LD_PRELOAD']
  return new Promise((resolve, reject) => {
    const child = execFile(toolPath(file) ?? file, rest, {
      env,
      timeout: options.timeoutMs ?? 20_000 * patience,
      maxBuffer: 64 << 20,
    }, (error, stdout, stderr) => {
      // A number is an exit status; a string, e.g. ENOENT, means that it never ran.
      if (typeof error?.code === 'string') reject(new Error(`${command}: ${error.code}`, { cause: error }))
      else resolve({ status: error === null ? 0 : error.code ?? -1, stdout, stderr })
    })
    child.stdin?.on('error', () => { /* The command did not read all of it. */ })
    child.stdin?.end(options.input ?? '')
  })
}

/** Runs a command; its stdout. Rejects with its stderr if it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await tryRun(command, args, options)
  const failure = `${[command, ...args].join(' ')}: exit status ${status}: ${stderr.trim() || stdout.trim()}`
  if (status !== 0) throw new Error(failure)
  return stdout
}

async function runJson<T>(command: string, args: readonly string[], netns: LabNetns | undefined): Promise<T> {
  const output = await run(command, args, { netns })
  // `ip -j` prints nothing at all for some empty lists.
  return JSON.parse(output.trim() === '' ? '[]' : output) as T
}

export type Json = Record<string, unknown>

/** `ip -j -d …`, e.g. `ipJson(host.netnsFd, 'link', 'show', 'virbr0')`; `-4`, `-6` and `-s` may come first. */
export function ipJson<T = Json[]>(netns: LabNetns | undefined, ...args: string[]): Promise<T> {
  return runJson('ip', ['-j', '-d', ...args], netns)
}

/** `bridge -j -d …`, e.g. `bridgeJson(netns, 'fdb', 'show', 'br', 'virbr0')`. */
export function bridgeJson<T = Json[]>(netns: LabNetns | undefined, ...args: string[]): Promise<T> {
  return runJson('bridge', ['-j', '-d', ...args], netns)
}

/** The objects of `nft -j …`, default `list ruleset`, without the metainfo. */
export async function nftJson(netns: LabNetns | undefined, ...args: string[]): Promise<Json[]> {
  const command = args.length > 0 ? args : ['list', 'ruleset']
  const { nftables } = await runJson<{ nftables: Json[] }>('nft', ['-j', ...command], netns)
  return nftables.filter(object => !('metainfo' in object))
}

/** Lines of `iptables-save` without comments, and without the counters of chains, which traffic changes. */
export function iptablesSave(netns: LabNetns | undefined, table?: string): Promise<string[]> {
  return saved('iptables-nft-save', netns, table)
}

/** The same of IPv6. */
export function ip6tablesSave(netns: LabNetns | undefined, table?: string): Promise<string[]> {
  return saved('ip6tables-nft-save', netns, table)
}

async function saved(command: string, netns: LabNetns | undefined, table: string | undefined): Promise<string[]> {
  const output = await run(command, table === undefined ? [] : ['-t', table], { netns })
  return output.split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.replace(/ \[\d+:\d+\]$/, ''))
}

/** `brctl …`, which reads /sys: with a /sys of that namespace. */
export function brctl(netns: LabNetns | undefined, ...args: string[]): Promise<string> {
  return run('brctl', args, { netns, sysfs: true })
}
