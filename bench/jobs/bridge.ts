/** A bridge that is up, with an address: what a host does while a VM boots. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Host } from '../../src/index.ts'
import { toolPath } from '../../test/support/tools.ts'
import { addSteps, Recorder } from '../support/record.ts'
import { Replay, ReplayScript } from '../support/replay.ts'
import { timeUs } from '../support/job.ts'
import type { Contenders, Job } from '../support/job.ts'

const name = 'br0'
/** The same each time, so that the recorded requests can be replayed. */
const chosenIndex = 4711

async function create(host: Host): Promise<void> {
  const { index } = await host.links.create({
    name, kind: 'bridge', index: chosenIndex, up: true, mac: '52:54:00:12:34:56', bridge: { stp: true, forwardDelayMs: 0 },
  })
  await host.addresses.add(index, '10.9.8.1/24')
}

async function recordFloor(directory: string): Promise<ReplayScript> {
  const recorder = new Recorder()
  try {
    const host = await Host.open({ netns: { create: true } })
    const script = new ReplayScript().section('create')
    recorder.take()
    await create(host)
    await addSteps(script, recorder.take(), directory)
    script.section('delete')
    await host.links.delete(name)
    await addSteps(script, recorder.take(), directory)
    await host.close()
    return script
  } finally {
    recorder.stop()
  }
}

async function open(): Promise<Contenders> {
  const directory = await mkdtemp(join(tmpdir(), 'virbr-bench-'))
  const floor = await Replay.start(await recordFloor(directory), directory)
  const host = await Host.open({ netns: { create: true } })
  const ours = async (): Promise<number> => {
    const time = await timeUs(() => create(host))
    await host.links.delete(name)
    return time
  }
  for (let i = 0; i < 50; i++) await ours()
  const batch = join(directory, 'batch')
  await writeFile(batch, [
    `link add ${name} address 52:54:00:12:34:56 up type bridge stp_state 1 forward_delay 0`, `address add 10.9.8.1/24 dev ${name}`, '',
  ].join('\n'))
  const ip = toolPath('ip')
  const inside = (...args: string[]): Promise<unknown> =>
    promisify(execFile)('nsenter', [`--net=/proc/${process.pid}/fd/${host.netnsFd}`, ip ?? 'ip', ...args])
  return {
    ours,
    floor: async () => (await floor.run()).create ?? [],
    peers: ip === undefined ? {} : {
      'ip -batch': async () => {
        const time = await timeUs(() => inside('-batch', batch))
        await host.links.delete(name)
        return time
      },
    },
    async close() {
      await host.close()
      await floor[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const job: Job = { name: 'bridge-create', about: 'create a bridge, up, with an address', unit: 'us', rounds: 30, open }

export default job
