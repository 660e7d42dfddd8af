/** Scripts for bench/floor/replay.c, which documents their format. */
import { execFile } from 'node:child_process'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { endianness, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const kinds = { section: 1, netlink: 2, write: 3, read: 4 } as const

/** Requests to be replayed from C: `new ReplayScript().section('start').netlink(0, bytes).write(path, '1')…` */
export class ReplayScript {
  readonly #records: Uint8Array[] = [Buffer.from('VBRREPL1')]

  /** Later steps belong to it. `setup` runs once and untimed; all others in turn, once an iteration. */
  section(name: string): this {
    return this.#add(kinds.section, Buffer.from(name))
  }

  /** One sendmsg of one or more messages, and all replies. `mayFail`: errors among these do not end the replay. */
  netlink(protocol: number, messages: Uint8Array, options: { mayFail?: boolean } = {}): this {
    return this.#add(kinds.netlink, messages, protocol, options.mayFail)
  }

  /** Opens a file, writes, closes. */
  write(path: string, text: string, options: { mayFail?: boolean } = {}): this {
    return this.#add(kinds.write, Buffer.from(`${path}\0${text}`), 0, options.mayFail)
  }

  /** Opens a file, reads it to the end, closes. */
  read(path: string, options: { mayFail?: boolean } = {}): this {
    return this.#add(kinds.read, Buffer.from(path), 0, options.mayFail)
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#records)
  }

  #add(kind: number, data: Uint8Array, argument = 0, mayFail = false): this {
    const header = new Uint32Array([kind, argument, mayFail ? 1 : 0, data.length])
    this.#records.push(new Uint8Array(header.buffer), data, new Uint8Array(-data.length & 3))
    return this
  }
}

if (endianness() !== 'LE') throw new Error('recorded netlink messages are little-endian here')

/** `build/bench/NAME`, from `bench/support` and from `dist/bench/support` alike. */
async function floorProgram(name: string): Promise<string> {
  for (const up of ['../..', '../../..']) {
    const path = fileURLToPath(new URL(`${up}/build/bench/${name}`, import.meta.url))
    if (await access(path).then(() => true, () => false)) return path
  }
  throw new Error(`build/bench/${name} is not there: scripts/bench compiles it`)
}

/** Runs a script in a new namespace; microseconds of each iteration, by section. */
export async function replay(
  script: ReplayScript,
  options: { iterations: number, warmup?: number },
): Promise<Record<string, number[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-replay-'))
  try {
    const file = join(folder, 'script')
    await writeFile(file, script.toBuffer())
    const { stdout } = await promisify(execFile)(await floorProgram('replay'),
      [file, String(options.iterations), String(options.warmup ?? 1)], { maxBuffer: 64 << 20 })
    const printed = JSON.parse(stdout) as Record<string, number[]>
    return Object.fromEntries(Object.entries(printed).map(([name, samples]) => [name.replace(/_us$/, ''), samples]))
  } finally {
    await rm(folder, { recursive: true })
  }
}
