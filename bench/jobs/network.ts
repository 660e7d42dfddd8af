/** Starting and destroying the how-to's network: virbr, the same requests from C, and virsh with a real libvirtd. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Host, connect } from '../../src/index.ts'
import type { Connection, Network } from '../../src/index.ts'
import { libvirtdNeeds, startLibvirtd } from '../../test/support/libvirtd.ts'
import { addSteps, Recorder } from '../support/record.ts'
import { Replay, ReplayScript } from '../support/replay.ts'
import { timeUs } from '../support/job.ts'
import type { Contender, Contenders, Job } from '../support/job.ts'

const defaultXml = fileURLToPath(new URL('../../../examples/default.xml', import.meta.url))

/** State lives on a tmpfs, as /run is; the /run of libvirtd's namespace is another. */
const stateFolder = '/dev/shm'

interface Variant {
  suffix: string
  what: string
  edit(xml: string): string
}
const variants: Variant[] = [
  { suffix: '', what: 'default.xml, with dnsmasq', edit: xml => xml },
  {
    suffix: '-no-dnsmasq',
    what: 'default.xml without DHCP and DNS',
    edit: xml => xml.replace(/<dhcp>[^]*<\/dhcp>\s*/, '').replace('<forward/>', '<forward/><dns enable="no"/>'),
  },
]

interface Lab {
  network: Network
  close(): Promise<void>
}

async function openLab(directory: string, xml: string): Promise<Lab> {
  const host = await Host.open({ netns: { create: true } })
  const connection: Connection = await connect(`kernel:///system?netns=/proc/${process.pid}/fd/${host.netnsFd}&root=${directory}`)
  const network = await connection.networks.define(xml)
  return {
    network,
    async close() {
      if ((await network.info()).active) await network.destroy()
      await connection.close()
      await host.close()
    },
  }
}

/** What one start and one destroy ask of the kernel. */
async function recordFloor(directory: string, xml: string): Promise<ReplayScript> {
  const recorder = new Recorder()
  try {
    const { network, close } = await openLab(join(directory, 'recorded'), xml)
    const script = new ReplayScript()
    for (const section of ['start', 'destroy'] as const) {
      recorder.take()
      await network[section]()
      await addSteps(script.section(section), recorder.take(), join(directory, 'floor'))
    }
    await close()
    return script
  } finally {
    recorder.stop()
  }
}

type Verb = 'start' | 'destroy'

/** The same contender for start and destroy: one round does both, and gives the time of the one that is asked for. */
function pair(verb: Verb, start: () => Promise<unknown>, destroy: () => Promise<unknown>): Contender {
  return async () => {
    const started = await timeUs(start)
    const destroyed = await timeUs(destroy)
    return verb === 'start' ? started : destroyed
  }
}

async function open(verb: Verb, variant: Variant): Promise<Contenders> {
  const directory = await mkdtemp(join(stateFolder, 'virbr-bench-'))
  const xml = variant.edit(await readFile(defaultXml, 'utf8'))
  const floor = await Replay.start(await recordFloor(directory, xml), directory)
  const lab = await openLab(join(directory, 'ours'), xml)
  // Compiled code, as in an agent that runs for a while.
  for (let i = 0; i < 100; i++) {
    await lab.network.start()
    await lab.network.destroy()
  }
  const missing = libvirtdNeeds().filter(need => need !== undefined)
  const libvirtd = missing.length === 0 ? await startLibvirtd() : undefined
  if (libvirtd === undefined) console.error(`  no virsh: ${missing.join(', ')}`)
  else {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'default.xml'), xml)
    await libvirtd.virsh('net-define', join(directory, 'default.xml'))
  }
  return {
    ours: pair(verb, () => lab.network.start(), () => lab.network.destroy()),
    floor: async () => (await floor.run())[verb] ?? [],
    peers: libvirtd === undefined ? {} : {
      virsh: pair(verb, () => libvirtd.virsh('net-start', 'default'), () => libvirtd.virsh('net-destroy', 'default')),
    },
    async close() {
      await lab.close()
      await floor[Symbol.asyncDispose]()
      await libvirtd?.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const jobs: Job[] = variants.flatMap(variant => (['start', 'destroy'] as const).map((verb): Job => ({
  name: `network-${verb}${variant.suffix}`,
  about: `${verb === 'start' ? 'start' : 'destroy'} a network: ${variant.what}`,
  unit: 'us',
  rounds: 25,
  open: () => open(verb, variant),
})))

export default jobs
