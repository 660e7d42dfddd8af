/** Contenders of the rtnetlink jobs: each in a network namespace of its own, with the bridge `fbr` and its port `fp0`. */
import { execFile } from 'node:child_process'
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Host } from '../../src/index.ts'
import { toolPath } from '../../test/support/tools.ts'
import { Program, floorProgram, peerProgram } from './program.ts'

export type Kind = 'veth' | 'tap' | 'vxlan' | 'vlan'

/** Does a command of bench/floor/links.c; microseconds. */
export type Run = (command: string) => Promise<number>

/**
 * What others leave behind in the kernel's background should not hit whoever comes next. IPv6 looks for duplicates of its
 * addresses on new ports for seconds: what is done meanwhile takes up to five times as long, depending on the moment.
 */
export function settle(links: number): Promise<void> {
  return sleep(links < 10 ? 5 : links < 1000 ? 100 + links / 2 : 9000)
}

/** A bridge has at most 1,023 ports: each thousand links go into one of their own. */
export function bridgeOf(i: number): string {
  return i < 1000 ? 'fbr' : `fbr${Math.floor(i / 1000)}`
}

/** With bridges for so many links. */
export async function openNamespace(links = 1): Promise<Host> {
  const host = await Host.open({ netns: { create: true } })
  for (let i = 0; i < links; i += 1000) await host.links.create({ name: bridgeOf(i), kind: 'bridge', up: true })
  await host.links.create({ name: 'fp0', kind: 'veth', master: 'fbr', up: true, veth: { peer: { name: 'fp1' } } })
  return host
}

/** A program that takes commands as bench/floor/links.c does. */
class Asked implements AsyncDisposable {
  readonly #program: Program
  readonly #host: Host | undefined

  constructor(program: Program, host?: Host) {
    this.#program = program
    this.#host = host
  }

  run: Run = async command => (await this.#program.ask(command) as { us: number }).us

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]()
    await this.#host?.close()
  }
}

export async function openFloor(): Promise<Asked> {
  return new Asked(new Program(await floorProgram('links'), []))
}

const inside = (host: Host): string => `--net=/proc/${process.pid}/fd/${host.netnsFd}`

/** pyroute2, in a namespace of its own or in the one given, unless it is not installed. */
export async function openPyroute2(shared?: Host, links = 1): Promise<Asked | undefined> {
  const found = await readdir('/usr/lib/python3/dist-packages').then(names => names.includes('pyroute2'), () => false)
  if (!found) return undefined
  const host = shared ?? await openNamespace(links)
  const program = new Program('nsenter', [inside(host), '/usr/bin/python3', await peerProgram('pyroute2-links.py')])
  return new Asked(program, shared === undefined ? host : undefined)
}

/** The npm package netlink, unless it is not installed. */
export async function openNetlinkPackage(shared?: Host, links = 1): Promise<Asked | undefined> {
  const script = await peerProgram('netlink-links.js')
  const found = await access(join(script, '../../../node_modules/netlink')).then(() => true, () => false)
  if (!found) return undefined
  const host = shared ?? await openNamespace(links)
  return new Asked(new Program('nsenter', [inside(host), process.execPath, script]), shared === undefined ? host : undefined)
}

/** `ip -batch`, and for entries of bridges `bridge -batch`, with a file; its start is part of the time. */
export class Batch implements AsyncDisposable {
  readonly #host: Host
  readonly #directory: string

  constructor(host: Host, directory: string) {
    this.#host = host
    this.#directory = directory
  }

  static async open(links = 1): Promise<Batch | undefined> {
    if (toolPath('ip') === undefined || toolPath('bridge') === undefined) return undefined
    return new Batch(await openNamespace(links), await mkdtemp(join(tmpdir(), 'virbr-bench-')))
  }

  async run(tool: 'ip' | 'bridge', lines: readonly string[]): Promise<number> {
    const file = join(this.#directory, 'batch')
    await writeFile(file, `${lines.join('\n')}\n`)
    const start = process.hrtime.bigint()
    await promisify(execFile)('nsenter', [inside(this.#host), toolPath(tool) ?? tool, '-batch', file], { maxBuffer: 256 << 20 })
    return Number(process.hrtime.bigint() - start) / 1000
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.close()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

const addLine = (kind: Kind, i: number, queues = ''): string => ({
  veth: `link add fv${i} ${queues} type veth peer name fq${i} ${queues}`,
  tap: `tuntap add dev fv${i} mode tap`,
  vxlan: `link add fv${i} type vxlan id ${i + 1} dstport 4789`,
  vlan: `link add link fbr name fv${i} type vlan id ${i % 4094 + 1}`,
})[kind]
const joinLine = (kind: Kind, i: number): string => `link set fv${i} ${kind === 'vlan' ? '' : `master ${bridgeOf(i)} `}up`

/** As a script does it: link after link. */
export const naive = {
  create: (kind: Kind, count: number): string[] => numbers(count).flatMap(i =>
    [addLine(kind, i), joinLine(kind, i), ...(kind === 'veth' ? [`link set fq${i} up`] : [])]),
  delete: (count: number): string[] => numbers(count).map(i => `link del fv${i}`),
}

/** In the order that the kernel does fastest. */
export const phased = {
  create: (kind: Kind, count: number): string[] => [
    ...numbers(count).map(i => addLine(kind, i, 'numtxqueues 1 numrxqueues 1')),
    ...numbers(count).map(i => joinLine(kind, i)),
    ...(kind === 'veth' ? numbers(count).map(i => `link set fq${i} up`) : []),
  ],
  delete: (count: number): string[] => [...numbers(count).map(i => `link set fv${i} group 4711`), 'link del group 4711'],
}
