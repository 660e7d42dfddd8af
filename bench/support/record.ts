/** Records what virbr asks of the kernel, as a script for the C floor: same requests, same order, nothing of our own. */
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { loadAddon } from '../../binding/index.ts'
import type { Step } from '../../binding/index.ts'
import type { RequestStep } from '../../src/host/channel.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { NLM_F_ACK, NLM_F_DUMP } from '../../src/netlink/constants.ts'
import type { AnyRequest } from '../../src/netlink/message.ts'
import { encodeBatch } from '../../src/nftables/batch.ts'
import type { ReplayScript } from './replay.ts'

/** The steps that Hosts opened during `work` run meanwhile. */
export class Recorder {
  readonly #openHost = loadAddon().openHost
  #steps: Step[] = []

  constructor() {
    const addon = loadAddon()
    addon.openHost = async source => {
      const host = await this.#openHost.call(addon, source)
      return {
        netnsFd: host.netnsFd,
        netnsDevice: host.netnsDevice,
        netnsInode: host.netnsInode,
        close: () => host.close(),
        exec: steps => {
          this.#steps.push(...steps)
          return host.exec(steps)
        },
      }
    }
  }

  /** What has been run since the last call. */
  take(): Step[] {
    const steps = this.#steps
    this.#steps = []
    return steps
  }

  stop(): void {
    loadAddon().openHost = this.#openHost
  }
}

/**
 * Adds steps to a script. Left out is what is virbr's own business and no request to the kernel's network: its lock and
 * records. dnsmasq is started with a copy of its files in `directory`.
 */
export async function addSteps(script: ReplayScript, steps: readonly Step[], directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const step of steps) {
    const mayFail = step.mayFail === true
    if (step.op === 'netlink') addNetlink(script, step as RequestStep, mayFail)
    else if (step.op === 'readFile' && step.path.startsWith('/proc/sys/')) script.read(step.path, { mayFail })
    else if (step.op === 'writeFile' && step.path.startsWith('/proc/sys/')) script.write(step.path, String(step.data), { mayFail })
    else if (step.op === 'writeFile' && step.path.includes('/dnsmasq/')) await copyFile(step.path, String(step.data), directory)
    else if (step.op === 'spawn') script.spawn([step.file, `--conf-file=${join(directory, 'default.conf')}`])
    else if (step.op === 'terminate') script.terminate(join(directory, 'default.pid'))
  }
}

function addNetlink(script: ReplayScript, step: RequestStep, mayFail: boolean): void {
  const { protocol, requests } = step
  if (step.atomic === true) {
    // Without the generation: it is another one each time.
    script.netlink(protocol, encodeBatch(requests.slice(1, -1)).bytes)
    return
  }
  // A dump needs a sendmsg of its own; the others share one, as in the addon.
  let run: AnyRequest[] = []
  const flush = (): void => {
    if (run.length > 0) script.netlink(protocol, encodeRequests(run), { mayFail })
    run = []
  }
  for (const request of requests) {
    const isDump = (request.flags & (NLM_F_DUMP | NLM_F_ACK)) === NLM_F_DUMP
    if (isDump) flush()
    run.push(request)
    if (isDump) flush()
  }
  flush()
}

async function copyFile(path: string, text: string, directory: string): Promise<void> {
  await writeFile(join(directory, basename(path)), text.replaceAll(path.slice(0, path.lastIndexOf('/')), directory))
}
