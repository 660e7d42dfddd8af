/** The libvirt driver: virbr, the same calls from C, libvirt-python and virsh; libvirt's mock, and a real libvirtd. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { libvirtdNeeds, startLibvirtd } from '../../test/support/libvirtd.ts'
import { openAddon, openFacade, openFloor, openPython, openVirsh } from '../support/libvirt.ts'
import type { Worker } from '../support/libvirt.ts'
import type { Contender, Contenders, Job } from '../support/job.ts'

/** Where libvirt is: in the process itself, or behind a socket. */
type Driver = 'test' | 'libvirtd'

interface Task {
  name: string
  about: string
  driver: Driver
  /** Networks that are there; the work is done with the first. Default 1. */
  networks?: number
  rounds: number
  run(worker: Worker, lab: Lab): Promise<number[]>
  /** The same with virsh. */
  virsh?: (virsh: NonNullable<ReturnType<typeof openVirsh>>, lab: Lab) => Promise<number[]>
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `net${i}`)

const lists: Task[] = [1, 100, 1000].map(networks => ({
  name: `libvirt-list-${networks}`,
  about: `list and dump ${networks} network${networks === 1 ? '' : 's'} (test driver)`,
  driver: 'test',
  networks,
  rounds: networks === 1000 ? 9 : 15,
  run: worker => worker.list(networks === 1 ? 200 : networks === 100 ? 10 : 2),
  virsh: virsh => virsh.list(1),
}))

/** [driver, how often a round]: a real libvirtd takes 0.1 s for a network, and milliseconds for what touches no kernel. */
const creates = ([['test', 100], ['libvirtd', 1]] as const).map(([driver, times]): Task => ({
  name: `libvirt-create-${driver}`,
  about: `create and destroy a transient network (${driver})`,
  driver,
  rounds: 15,
  run: (worker, { createXml }) => worker.create(times, createXml),
  virsh: (virsh, { createXml }) => virsh.create(1, createXml),
}))

const events = ([['test', 100], ['libvirtd', 20]] as const).map(([driver, times]): Task => ({
  name: `libvirt-event-${driver}`,
  about: `from the start of a network until its event is there (${driver})`,
  driver,
  rounds: 15,
  run: worker => worker.event(times, 'net0'),
}))

const calls = (['test', 'libvirtd'] as const).flatMap(driver => [1, 16].map((inFlight): Task => ({
  name: `libvirt-calls-${inFlight}-${driver}`,
  about: `a call of many, ${inFlight} in flight: virNetworkGetXMLDesc (${driver})`,
  driver,
  rounds: 15,
  run: worker => worker.calls(1600, inFlight, 'net0'),
  ...inFlight === 1 ? { virsh: virsh => virsh.calls(1600, 1, 'net0') } : {},
})))

interface Lab {
  uri: string
  /** A file. */
  createXml: string
  close(): Promise<void>
}

/** Numbered, so that bridges and addresses of many do not collide. */
function networkXml(name: string, number: number): string {
  const address = `10.${number >> 8}.${number & 255}`
  return `<network><name>${name}</name><forward mode='nat'/><bridge name='virbr${number}' stp='on' delay='0'/>` +
    `<ip address='${address}.1' netmask='255.255.255.0'>` +
    `<dhcp><range start='${address}.2' end='${address}.254'/></dhcp></ip></network>`
}

/** Nothing of the kernel's is made for it. */
const nothingXml = '<network><name>net0</name><forward mode="bridge"/><bridge name="br0"/></network>'

/** An isolated network, a bridge and its firewall, but no dnsmasq. */
const createdXml = '<network><name>created</name><bridge name="virbr9999"/></network>'

async function openLab(driver: Driver, count: number): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-bench-'))
  const createXml = join(folder, 'created.xml')
  await writeFile(createXml, createdXml)
  const remove = (): Promise<void> => rm(folder, { recursive: true })
  if (driver === 'test') {
    const node = join(folder, 'node.xml')
    await writeFile(node, `<node>${names(count).map(networkXml).join('\n')}</node>\n`)
    return { uri: `test://${node}`, createXml, close: remove }
  }
  const libvirtd = await startLibvirtd({ setup: `echo '${nothingXml}' >/run/net0.xml` })
  await libvirtd.virsh('net-define /run/net0.xml; net-start net0')
  return {
    uri: libvirtd.socketUri,
    createXml,
    async close() {
      await libvirtd.stop()
      await remove()
    },
  }
}

/** `addon`: ours is the addon alone, which shows what the facade costs. */
async function open(task: Task, addon: boolean): Promise<Contenders | { skip: string }> {
  const missing = task.driver === 'libvirtd' ? libvirtdNeeds().filter(need => need !== undefined) : []
  if (missing.length > 0) return { skip: missing.join(', ') }
  const lab = await openLab(task.driver, task.networks ?? 1)
  const ours = await (addon ? openAddon : openFacade)(lab.uri)
  const floor = await openFloor(lab.uri)
  const python = addon ? undefined : await openPython(lab.uri)
  const virsh = addon || task.virsh === undefined ? undefined : openVirsh(lab.uri, names(task.networks ?? 1))
  // Compiled code, as in a program that runs for a while.
  for (let i = 0; i < 5; i++) await task.run(ours, lab)
  const peers: Record<string, Contender> = {}
  if (python !== undefined) peers['libvirt-python'] = () => task.run(python, lab)
  if (virsh !== undefined) peers.virsh = async () => await task.virsh?.(virsh, lab) ?? []
  return {
    ours: () => task.run(ours, lab),
    floor: () => task.run(floor, lab),
    peers,
    async close() {
      for (const worker of [ours, floor, python]) await worker?.close()
      await lab.close()
    },
  }
}

const jobs: Job[] = [...lists, ...creates, ...events, ...calls].flatMap(task => [false, true].map((addon): Job => ({
  name: addon ? `${task.name}-addon` : task.name,
  about: addon ? `${task.about}; ours is the addon without the facade` : task.about,
  unit: 'us',
  rounds: task.rounds,
  open: () => open(task, addon),
})))

export default jobs
