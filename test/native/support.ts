/** Hosts that are closed after each test, netlink messages framed by hand, and Node processes that die as told. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import type { NativeHost, NetnsSource } from '../../binding/index.ts'

export const NLM_F_REQUEST = 0x01
export const NLM_F_ACK = 0x04
export const NLM_F_DUMP = 0x300
export const NLM_F_CREATE_EXCL = 0x600
export const NLMSG_ERROR = 2
export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18

const hosts: NativeHost[] = []
const folders: string[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map(host => host.close()))
  await Promise.all(folders.splice(0).map(folder => rm(folder, { recursive: true, force: true })))
})

export async function openHost(source: NetnsSource = { create: true }): Promise<NativeHost> {
  const host = await loadAddon().openHost(source)
  hosts.push(host)
  return host
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-native-'))
  folders.push(folder)
  return folder
}

export function attribute(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc((4 + payload.length + 3) & ~3)
  bytes.writeUInt16LE(4 + payload.length, 0)
  bytes.writeUInt16LE(type, 2)
  bytes.set(payload, 4)
  return bytes
}

/** One message: nlmsghdr, ifinfomsg, attributes. */
export function linkMessage(type: number, flags: number, sequence: number, attributes: readonly Buffer[] = [], index = 0): Buffer {
  const header = Buffer.alloc(32)
  header.writeUInt16LE(type, 4)
  header.writeUInt16LE(flags | NLM_F_REQUEST, 6)
  header.writeUInt32LE(sequence, 8)
  header.writeInt32LE(index, 20)
  const bytes = Buffer.concat([header, ...attributes])
  bytes.writeUInt32LE(bytes.length, 0)
  return bytes
}

export const linkName = (name: string): Buffer => attribute(3, Buffer.from(`${name}\0`))
/** IFLA_LINKINFO with IFLA_INFO_KIND, and IFLA_INFO_DATA. */
export const linkKind = (kind: string, data?: Buffer): Buffer =>
  attribute(18, Buffer.concat([attribute(1, Buffer.from(kind)), ...(data === undefined ? [] : [attribute(2, data)])]))
/** VETH_INFO_PEER: an ifinfomsg and the attributes of the peer. */
export const vethPeer = (name: string): Buffer => attribute(1, Buffer.concat([Buffer.alloc(16), linkName(name)]))

export function createLink(sequence: number, name: string, kind = 'bridge', data?: Buffer): Buffer {
  return linkMessage(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE_EXCL, sequence, [linkName(name), linkKind(kind, data)])
}
export const deleteLink = (sequence: number, name: string): Buffer => linkMessage(RTM_DELLINK, NLM_F_ACK, sequence, [linkName(name)])
export const dumpLinks = (sequence: number): Buffer => linkMessage(RTM_GETLINK, NLM_F_DUMP, sequence)

export interface Reply {
  type: number
  sequence: number
  bytes: Buffer
  /** Positive errno of an NLMSG_ERROR. */
  errno: number | undefined
}

export function parseReplies(result: Uint8Array | undefined): Reply[] {
  const bytes = Buffer.from(result ?? [])
  const replies: Reply[] = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at)
    const type = bytes.readUInt16LE(at + 4)
    const errno = type === NLMSG_ERROR ? -bytes.readInt32LE(at + 16) : undefined
    replies.push({ type, sequence: bytes.readUInt32LE(at + 8), bytes: bytes.subarray(at, at + length), errno })
    at += (length + 3) & ~3
  }
  return replies
}

/** An attribute of an RTM_NEWLINK. */
export function payloadOf(link: Buffer, type: number): Buffer | undefined {
  for (let at = 32; at < link.length; at += (link.readUInt16LE(at) + 3) & ~3) {
    if (link.readUInt16LE(at + 2) === type) return link.subarray(at + 4, at + link.readUInt16LE(at))
  }
  return undefined
}

/** IFLA_IFNAME of an RTM_NEWLINK. */
export const nameOf = (link: Reply): string => payloadOf(link.bytes, 3)?.toString('utf8').slice(0, -1) ?? ''

export interface Ended {
  /** Exit status; null if a signal ended it. */
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** What children begin with: the addon, by its path, so that they need no loader of TypeScript. */
const preamble = (addon: string): string => `
  const addon = require(${JSON.stringify(addon)})
  const { setTimeout: sleep } = require('node:timers/promises')
  const worker = require('node:worker_threads')
  const fs = require('node:fs')
`

/** Path of the addon that the tests use. */
export function addonPath(): string {
  const addon = loadAddon()
  const found = Object.values(createRequire(import.meta.url).cache).find(module => module?.exports === addon)
  if (found === undefined) throw new Error('the addon is not in the cache of require')
  return found.filename
}

/** Runs a script (the body of an async function) in a Node of its own. */
export function runNode(script: string, options: { args?: string[], timeoutMs?: number } = {}): Promise<Ended> {
  const { args = [], timeoutMs = 20_000 } = options
  const source = `${preamble(addonPath())}\nvoid (async () => {${script}})()`
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [...args, '-e', source], { timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (typeof error?.code === 'string') reject(new Error(`node: ${error.code}`, { cause: error }))
      else resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr })
    })
  })
}
