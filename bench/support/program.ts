/** Programs that stay, do work when they are told to, and time it themselves. */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Reads a command a line, and answers each with a line of JSON. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  readonly #file: string

  constructor(file: string, args: readonly string[]) {
    this.#file = file
    this.#child = spawn(file, args)
    this.#child.stderr.pipe(process.stderr)
    this.#child.stdin.on('error', () => { /* It has ended: there will be no answer. */ })
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  async ask(command: string): Promise<unknown> {
    this.#child.stdin.write(`${command}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`${this.#file} has ended at: ${command}`)
    return JSON.parse(value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'close')
    this.#child.stdin.end()
    await ended
  }
}

/** `build/bench/NAME`, compiled from `bench/floor/NAME.c`. */
export function floorProgram(name: string): Promise<string> {
  return find(`build/bench/${name}`, 'scripts/bench compiles it')
}

/** `bench/peers/NAME`. */
export function peerProgram(name: string): Promise<string> {
  return find(`bench/peers/${name}`, 'it is part of the sources')
}

/** From `bench/support` and from `dist/bench/support` alike. */
async function find(path: string, hint: string): Promise<string> {
  for (const up of ['../..', '../../..']) {
    const file = fileURLToPath(new URL(`${up}/${path}`, import.meta.url))
    if (await access(file).then(() => true, () => false)) return file
  }
  throw new Error(`${path} is not there: ${hint}`)
}
