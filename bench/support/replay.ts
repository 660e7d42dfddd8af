/** Scripts for bench/floor/replay.c, which documents their format. */
import { mkdir, writeFile } from 'node:fs/promises'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { Program, floorProgram } from './program.ts'

const kinds = { section: 1, netlink: 2, write: 3, read: 4, spawn: 5, terminate: 6 } as const

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

  /** Starts a program and waits for it; it must end with status 0. `output`: it prints something, which is read; else it must not. */
  spawn(argv: readonly string[], options: { output?: boolean } = {}): this {
    return this.#add(kinds.spawn, Buffer.from(argv.map(argument => `${argument}\0`).join('')), options.output === true ? 1 : 0)
  }

  /** SIGTERM to the process whose pid stands in a file, and waits until it is gone. */
  terminate(pidFile: string): this {
    return this.#add(kinds.terminate, Buffer.from(`${pidFile}\0`))
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

/** A C process that runs a script, or one section of it, in a namespace of its own, once for each call of `run`. */
export class Replay implements AsyncDisposable {
  readonly #program: Program

  static async start(script: ReplayScript, directory: string): Promise<Replay> {
    await mkdir(directory, { recursive: true })
    const file = join(directory, 'script')
    await writeFile(file, script.toBuffer())
    return new Replay(new Program(await floorProgram('replay'), [file]))
  }

  constructor(program: Program) {
    this.#program = program
  }

  /** Path of its network namespace. */
  get netns(): string {
    return `/proc/${this.#program.pid}/ns/net`
  }

  /** Microseconds of each section, or of the one named. */
  async run(section = ''): Promise<Record<string, number>> {
    return await this.#program.ask(section) as Record<string, number>
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]()
  }
}
