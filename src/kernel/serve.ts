/** dnsmasq as a process: finding a network's, bringing it up to date, starting it again. */
import { readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadFileStep, Step } from '../../binding/index.ts'
import { SystemError } from '../errors.ts'
import { isFailure } from '../host/channel.ts'
import type { NetworkConfig } from '../network/config.ts'
import { dnsmasqAddnHosts, dnsmasqConf, dnsmasqFailure, dnsmasqFiles, dnsmasqHosts, startDnsmasq } from './dnsmasq.ts'
import type { Dnsmasq, DnsmasqFiles } from './dnsmasq.ts'
import type { NetworkRecord } from './record.ts'
import { textOf } from './state.ts'
import type { State } from './state.ts'

/** dnsmasq ends at once on SIGTERM; past this it is killed. */
export const dnsmasqEndMs = 5_000

/** It reads its files again within a millisecond; past this nobody waits for it. */
const reloadMs = 500

function readStep(path: string): ReadFileStep & { mayFail: true } {
  return { op: 'readFile', path, mayFail: true }
}

/** The process in the pid file, and whether it is this network's dnsmasq. */
export async function findDnsmasq(state: State, files: DnsmasqFiles): Promise<{ pid: number, runs: boolean } | undefined> {
  const [file] = await state.run([readStep(files.pid)])
  const pid = isFailure(file) ? NaN : Number(Buffer.from(file).toString())
  return pid > 0 ? { pid, runs: await isDnsmasq(state, pid, files.conf) } : undefined
}

async function isDnsmasq(state: State, pid: number, conf: string): Promise<boolean> {
  const [cmdline] = await state.run([readStep(`/proc/${pid}/cmdline`)])
  return !isFailure(cmdline) && Buffer.from(cmdline).toString().split('\0').includes(`--conf-file=${conf}`)
}

/** A dnsmasq whose parent was killed before it had written its pid file is known by its command line only. */
export async function endStrayDnsmasq(state: State, name: string): Promise<void> {
  const { conf } = dnsmasqFiles(state.paths, name)
  const [entries] = await state.run([{ op: 'readDir', path: '/proc' }])
  for (const pid of entries.map(Number).filter(number => number > 0)) {
    if (await isDnsmasq(state, pid, conf)) await state.run([{ op: 'terminate', pid, match: conf, timeoutMs: dnsmasqEndMs }])
  }
}

/**
 * Makes dnsmasq serve a configuration: it reads its files again if only those have changed, is started anew, leases kept,
 * if its own configuration has, and ended if there is nothing to serve (`dnsmasq` undefined). `unsure`: what runs may have
 * read something else than what its files say.
 */
export async function serve(
  state: State, record: NetworkRecord, config: NetworkConfig, dnsmasq: Dnsmasq | undefined, unsure: boolean,
): Promise<void> {
  const files = dnsmasqFiles(state.paths, record.name)
  const found = await findDnsmasq(state, files)
  if (found?.runs !== true && unsure) await endStrayDnsmasq(state, record.name)
  // Also one that is just ending: it keeps its port until it is gone.
  const end: Step[] = found === undefined ? [] : [{ op: 'terminate', pid: found.pid, match: files.conf, timeoutMs: dnsmasqEndMs }]
  if (dnsmasq === undefined) {
    await state.run(end)
    return
  }
  const [conf, hosts, addnhosts] = (await state.run([readStep(files.conf), readStep(files.hosts), readStep(files.addnhosts)]))
    .map((result, index) => textOf(result, [files.conf, files.hosts, files.addnhosts][index] as string))
  if (found?.runs !== true || conf !== dnsmasqConf(config, record.bridge.name, files, dnsmasq.options)) {
    // Its files are never newer than what it has read: they are written when it has ended.
    await state.run(end)
    const [, , , result] = await state.run(startDnsmasq(dnsmasq, config, record.bridge.name, files))
    if (result.status !== 0) throw dnsmasqFailure(record.name, result)
    return
  }
  const [, ...lists] = startDnsmasq(dnsmasq, config, record.bridge.name, files)
  if (!unsure && hosts === dnsmasqHosts(config) && addnhosts === dnsmasqAddnHosts(config)) return
  await state.run(lists.slice(0, 2))
  await reload(found.pid)
}

/** SIGHUP: fixed leases and names are read again. Resolves when they have been, as far as that can be seen. */
async function reload(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGHUP')
  } catch (error) {
    const { errno = constants.errno.ESRCH } = error as NodeJS.ErrnoException
    throw new SystemError(Math.abs(errno), 'kill', `tell dnsmasq, process ${pid}, to read its files again`)
  }
  for (const deadline = Date.now() + reloadMs; Date.now() < deadline; await sleep(1)) {
    const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')
    if (!isBusy(status)) return
  }
}

/** With a SIGHUP (bit 0) still to be taken, or not back in its sleep. Source: proc(5). */
function isBusy(status: string): boolean {
  const pending = (set: string): boolean => Number.parseInt(new RegExp(`^${set}:\\s*[0-9a-f]*([0-9a-f])$`, 'm').exec(status)?.[1] ?? '0', 16) % 2 === 1
  return pending('ShdPnd') || pending('SigPnd') || /^State:\s*[RD]/m.test(status)
}
