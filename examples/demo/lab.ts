/** The demo's stage: machines as network namespaces without names, and programs run inside them. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Host } from '../../src/index.ts'

/** A machine: a namespace of its own, which is gone once it is closed and its programs have ended. */
export class Machine implements AsyncDisposable {
  readonly name: string
  readonly host: Host
  readonly #children = new Set<ChildProcess>()

  static async make(name: string): Promise<Machine> {
    const host = await Host.open({ netns: { create: true } })
    await host.links.set('lo', { up: true })
    return new Machine(name, host)
  }

  constructor(name: string, host: Host) {
    this.name = name
    this.host = host
  }

  /** A path by which others find the namespace. */
  get netns(): string {
    return `/proc/${process.pid}/fd/${this.host.netnsFd}`
  }

  /** Runs a program on this machine to its end. */
  run(command: readonly string[], timeoutMs = 60_000): Promise<{ status: number, output: string }> {
    const child = this.#spawn(command)
    let output = ''
    child.stdout?.on('data', chunk => { output += String(chunk) })
    child.stderr?.on('data', chunk => { output += String(chunk) })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', code => {
        clearTimeout(timer)
        resolve({ status: code ?? 1, output: output.trim() })
      })
    })
  }

  /** Runs JavaScript on this machine; its first line of output is the answer. */
  async script(source: string, ...args: string[]): Promise<string> {
    const { status, output } = await this.run([process.execPath, '-e', source, ...args])
    if (status !== 0) throw new Error(`${this.name}: ${output.split('\n').at(-1)}`)
    return output
  }

  /** Starts a TCP server that tells each client the address that it came from. Resolves when it listens. */
  serve(port: number): Promise<void> {
    const source = `require('node:net').createServer(socket => socket.end(socket.remoteAddress))
      .listen(${port}, '0.0.0.0', () => console.log('listening'))`
    const child = this.#spawn([process.execPath, '-e', source])
    return new Promise((resolve, reject) => {
      child.stdout?.once('data', () => { resolve() })
      child.once('close', () => { reject(new Error(`${this.name}: the server on port ${port} did not start`)) })
    })
  }

  /** Connects to such a server; its answer, or the error's code. */
  connect(address: string, port: number): Promise<string> {
    return this.script(`const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]), timeout: 3000 })
      socket.on('data', data => console.log(String(data)))
      socket.on('timeout', () => { console.log('ETIMEDOUT'); process.exit() })
      socket.on('error', error => console.log(error.code))`, address, String(port))
  }

  async ping(address: string): Promise<boolean> {
    const { status } = await this.run(['ping', '-n', '-c', '1', '-W', '3', address])
    return status === 0
  }

  #spawn(command: readonly string[]): ChildProcess {
    const child = spawn('nsenter', [`--net=${this.netns}`, '--', ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.add(child)
    child.on('close', () => this.#children.delete(child))
    return child
  }

  async endPrograms(): Promise<void> {
    await Promise.all([...this.#children].map(child => new Promise(resolve => {
      child.once('close', resolve)
      child.kill('SIGKILL')
    })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endPrograms()
    await this.host.close()
  }
}
