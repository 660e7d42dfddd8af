/** A network namespace and a state directory for each test of the kernel driver, and what can be seen in them. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { connect } from '../../src/connect.ts'
import { VirbrError } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { Host } from '../../src/host/host.ts'
import type { Connection } from '../../src/network/connection.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { toolPath, toolSearchPath } from '../support/tools.ts'

export const kernelNeeds = [
  needs.netAdmin, needs.kernel('bridge'), needs.kernel('iptablesNft'), needs.kernel('iptablesChecksum'),
  ...['dnsmasq', 'ip', 'nft', 'iptables-nft-save', 'nsenter'].map(needs.tool),
]
export const { test, describe } = needing(...kernelNeeds)

export interface Lab {
  host: Host
  /** Path of its namespace, which any process may open. */
  netns: string
  /** Where state is kept; `${root}/run` and `${root}/etc`. */
  root: string
  uri(parameters?: Record<string, string>): string
  /** Closed with the test. */
  connect(parameters?: Record<string, string>): Promise<Connection>
  /** Runs a shell script in the namespace; its stdout. */
  sh(script: string): Promise<string>
}

/** Gone, with every process in it, when the test ends. */
export async function openLab(): Promise<Lab> {
  const host = await Host.open({ netns: { create: true } })
  const root = await mkdtemp(join(tmpdir(), 'virbr-kernel-'))
  // dnsmasq reads its list of fixed hosts as a user of its own.
  await chmod(root, 0o755)
  const netns = `/proc/${process.pid}/fd/${host.netnsFd}`
  const connections: Connection[] = []
  const uri = (parameters: Record<string, string> = {}) =>
    `kernel:///system?${new URLSearchParams({ netns, root, ...parameters }).toString()}`
  onTestFinished(async () => {
    await Promise.all(connections.map(connection => connection.close()))
    for (const { pid } of await processes(netns)) process.kill(pid, 'SIGKILL')
    await host.close()
    await rm(root, { recursive: true, force: true })
  })
  await host.links.set('lo', { up: true })
  return {
    host,
    netns,
    root,
    uri,
    sh: script => run('sh', ['-ec', script], { netns }),
    async connect(parameters) {
      const connection = await connect(uri(parameters))
      connections.push(connection)
      return connection
    },
  }
}

/** XML of a network 192.168.N.0/24. STP off: its ports forward at once. */
export function natXml(
  number: number, { dhcp = true, name = `net${number}`, bridge = `br${number}`, extra = '' } = {},
): string {
  return `<network>
    <name>${name}</name>
    <forward mode="nat"/>
    <bridge name="${bridge}" stp="off"/>
    ${extra}
    <ip address="192.168.${number}.1" prefix="24">
      ${dhcp ? `<dhcp><range start="192.168.${number}.2" end="192.168.${number}.254"/></dhcp>` : ''}
    </ip>
  </network>`
}

/** The same without an address: no dnsmasq, so quick. */
export function bareXml(name: string, bridge = name): string {
  return `<network><name>${name}</name><bridge name="${bridge}" stp="off"/></network>`
}

export interface SeenProcess {
  pid: number
  command: string
}

/** Processes whose network namespace it is. */
export async function processes(netns: string): Promise<SeenProcess[]> {
  const { ino } = await stat(netns)
  const found = await Promise.all((await readdir('/proc')).filter(entry => /^\d+$/.test(entry)).map(async pid => {
    const namespace = await readlink(`/proc/${pid}/ns/net`).catch(() => '')
    if (namespace !== `net:[${ino}]`) return []
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
    return command === '' ? [] : [{ pid: Number(pid), command }]
  }))
  return found.flat()
}

/** Counters of what goes on at the moment, and settings of the whole machine. */
const restless = /nf_conntrack_count|nf_conntrack_buckets|\/net\/core\/(?!somaxconn)|tcp_fastopen_key/

/** All that virbr could have changed in the namespace, by the words of the tools, one section each. */
export async function snapshot({ netns, sh }: Lab): Promise<Record<string, string[]>> {
  const output = await sh(`
    for command in 'ip -d link' 'ip -d address' 'ip -d route show table all' 'ip rule' 'nft --stateless list ruleset' \\
        iptables-nft-save ip6tables-nft-save 'bridge -d fdb' 'grep -rs "" /proc/sys/net'; do
      echo "== $command"
      eval "$command" || true
    done`)
  const sections: Record<string, string[]> = {}
  for (const section of output.split(/^== /m).slice(1)) {
    const [title = '', ...lines] = section.split('\n')
    // iptables-save's comments hold the time, its brackets counters of packets.
    sections[title] = lines.filter(line => line !== '' && !line.startsWith('#') && !restless.test(line))
      .map(line => line.replace(/ \[\d+:\d+\]$/, '').replace(/ \w+_timer +[\d.]+/g, ''))
    if (title.startsWith('grep')) sections[title]?.sort()
  }
  sections['processes'] = (await processes(netns)).map(({ command }) => command).sort()
  return sections
}

/** Carrier and link-local addresses of veths settle on their own, within seconds: either not before the end of a test, or now. */
export async function settled({ sh }: Lab): Promise<void> {
  await sh(`sleep ${patience > 1 ? 5 : 0.1}`)
}

/** Files under run/, without the lock: what virbr takes for there. */
export async function runFiles({ root }: Lab): Promise<string[]> {
  const entries = await readdir(join(root, 'run'), { withFileTypes: true, recursive: true })
  return entries.filter(entry => entry.isFile() && entry.name !== 'lock')
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1)).sort()
}

/** Runs it in vain; the error, of the given code. */
export async function refusal(code: ErrorCode, work: () => Promise<unknown>): Promise<VirbrError> {
  const error: unknown = await work().then(() => undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(VirbrError)
  expect(error).toMatchObject({ code })
  return error as VirbrError
}

/** The package as built, for children: they run JavaScript. scripts/test keeps it up to date. */
const built = new URL('../../dist/src/index.js', import.meta.url).href

/**
 * Another process, which runs the body of an async function of `virbr` and `args`. What it prints is its answer.
 * `as`: a command in front, like setpriv.
 */
export function startChild(body: string, args: Record<string, unknown> = {}, as: string[] = [], flags: string[] = []): ChildProcess {
  const source = `const virbr = await import(${JSON.stringify(built)})
    const args = ${JSON.stringify(args)}
    ${body}`
  const [file = '', ...rest] = [...as, process.execPath, ...flags, '--input-type=module', '-e', source]
  const env = { ...process.env, PATH: toolSearchPath }
  return spawn(toolPath(file) ?? file, rest, { stdio: ['pipe', 'pipe', 'inherit'], env })
}

/** Its stdout, once it has ended. */
export async function answerOf(child: ChildProcess): Promise<string> {
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { output += text })
  await new Promise(resolve => child.once('close', resolve))
  return output.trim()
}
