/** Who does the jobs of bench/jobs/libvirt.ts, each in its own way. All times in microseconds. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { loadAddon } from '../../binding/index.ts'
import { connect } from '../../src/index.ts'
import { toolPath } from '../../test/support/tools.ts'
import { timeUs } from './job.ts'
import { Program, floorProgram, peerProgram } from './program.ts'

/** What is timed; libvirt.c says the same of its commands. */
export interface Worker {
  /** Lists all networks and dumps each. */
  list(times: number): Promise<number[]>
  /** Creates a transient network and destroys it. `xmlFile`: its XML. */
  create(times: number, xmlFile: string): Promise<number[]>
  /** From the call that starts a network until whoever watches has its event. The network runs before and after. */
  event(times: number, name: string): Promise<number[]>
  /** Dumps a network again and again, `inFlight` at a time: the time of all, divided by `times`. */
  calls(times: number, inFlight: number, name: string): Promise<number[]>
  close(): Promise<void>
}

/** One after the other, each timed. */
async function repeat(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const durations: number[] = []
  for (let i = 0; i < times; i++) durations.push(await timeUs(work))
  return durations
}

async function spread(times: number, inFlight: number, work: () => Promise<unknown>): Promise<number[]> {
  const share = Math.floor(times / inFlight)
  const one = async (): Promise<void> => {
    for (let i = 0; i < share; i++) await work()
  }
  const duration = await timeUs(() => Promise.all(Array.from({ length: inFlight }, one)))
  return [duration / (share * inFlight)]
}

/** virbr as its users write it. */
export async function openFacade(uri: string): Promise<Worker> {
  const connection = await connect(uri)
  const { networks } = connection
  return {
    list: times => repeat(times, async () => {
      await Promise.all((await networks.list()).map(network => network.xml()))
    }),
    async create(times, xmlFile) {
      const xml = await readFile(xmlFile, 'utf8')
      return repeat(times, async () => {
        const network = await networks.create(xml)
        await network.destroy()
      })
    },
    async event(times, name) {
      const network = await networks.get(name)
      const watch = networks.watch()
      await watch.ready
      const durations: number[] = []
      for (let i = 0; i < times; i++) {
        const stopped = watch.next()
        await network.destroy()
        await stopped
        let done: Promise<void> | undefined
        durations.push(await timeUs(() => {
          const started = watch.next()
          done = network.start()
          return started
        }))
        await done
      }
      await watch.close()
      return durations
    },
    async calls(times, inFlight, name) {
      const network = await networks.get(name)
      return spread(times, inFlight, () => network.xml())
    },
    close: () => connection.close(),
  }
}

/** The addon without src/libvirt: the difference is what the facade costs. */
export async function openAddon(uri: string): Promise<Worker> {
  const calls = loadAddon().libvirt.functions
  const connection = await calls.virConnectOpenAuth(uri, undefined, 0)
  return {
    list: times => repeat(times, async () => {
      await Promise.all((await calls.virConnectListAllNetworks(connection, 0)).map(network => calls.virNetworkGetXMLDesc(network, 0)))
    }),
    async create(times, xmlFile) {
      const xml = await readFile(xmlFile, 'utf8')
      return repeat(times, async () => { await calls.virNetworkDestroy(await calls.virNetworkCreateXML(connection, xml)) })
    },
    async event(times, name) {
      let onEvent = (): void => {}
      const watch = await calls.virConnectNetworkEventRegisterAny(connection, null, 0, () => { onEvent() })
      const network = await calls.virNetworkLookupByName(connection, name)
      const next = (): Promise<void> => new Promise(resolve => { onEvent = resolve })
      const durations: number[] = []
      for (let i = 0; i < times; i++) {
        const stopped = next()
        await calls.virNetworkDestroy(network)
        await stopped
        let done: Promise<unknown> | undefined
        durations.push(await timeUs(() => {
          const started = next()
          done = calls.virNetworkCreate(network)
          return started
        }))
        await done
      }
      await calls.virConnectNetworkEventDeregisterAny(connection, watch)
      return durations
    },
    async calls(times, inFlight, name) {
      const network = await calls.virNetworkLookupByName(connection, name)
      return spread(times, inFlight, () => calls.virNetworkGetXMLDesc(network, 0))
    },
    close: () => connection.close(),
  }
}

function openProgram(program: Program): Worker {
  const ask = async (...command: (string | number)[]): Promise<number[]> => await program.ask(command.join(' ')) as number[]
  return {
    list: times => ask('list', times),
    create: (times, xmlFile) => ask('create', times, xmlFile),
    event: (times, name) => ask('event', times, name),
    calls: (times, inFlight, name) => ask('calls', times, inFlight, name),
    close: () => program[Symbol.asyncDispose](),
  }
}

/** C. */
export async function openFloor(uri: string): Promise<Worker> {
  return openProgram(new Program(await floorProgram('libvirt'), [uri]))
}

/** Debian puts libvirt-python where only Debian's own Python looks. */
const python = '/usr/bin/python3'

/** libvirt-python, if it is installed. */
export async function openPython(uri: string): Promise<Worker | undefined> {
  const isThere = await promisify(execFile)(python, ['-c', 'import libvirt']).then(() => true, () => false)
  return isThere ? openProgram(new Program(python, [await peerProgram('libvirt-python.py'), uri])) : undefined
}

/**
 * virsh as scripts use it: a process each time, with all commands on its command line; its start is part of the time.
 * Neither has it several calls in flight, nor can its events be timed.
 */
export function openVirsh(uri: string, names: readonly string[]): Pick<Worker, 'list' | 'create' | 'calls'> | undefined {
  const virsh = toolPath('virsh')
  if (virsh === undefined) return undefined
  const all = (commands: readonly string[]): Promise<number[]> => repeat(1, () =>
    promisify(execFile)(virsh, ['-q', '-c', uri, commands.join('; ')], { maxBuffer: 1 << 26 }))
  return {
    list: () => all(['net-list --all', ...names.map(name => `net-dumpxml ${name}`)]),
    create: async (_, xmlFile) => {
      const name = /<name>(.*)<\/name>/.exec(await readFile(xmlFile, 'utf8'))?.[1] ?? ''
      return all([`net-create ${xmlFile}`, `net-destroy ${name}`])
    },
    calls: async (times, _, name) => (await all(Array.from({ length: times }, () => `net-dumpxml ${name}`))).map(time => time / times),
  }
}
