/** Netlink requests of other programs, byte for byte, as strace saw them go into the kernel. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './lab.ts'
import type { LabNetns } from './lab.ts'

export interface SentMessage {
  /** NETLINK_ROUTE 0, NETLINK_NETFILTER 12, … */
  protocol: number
  /** `nlmsg_type`. */
  type: number
  /** `nlmsg_flags`. */
  flags: number
  /** Index of the sendmsg or sendto that carried it: messages of one batch share it. */
  call: number
  /** The message, header included, `nlmsg_seq` and `nlmsg_pid` zeroed so that runs compare. */
  bytes: Buffer
}

/**
 * Runs a program in a namespace (default: a new one) under strace; every netlink message that it sent, in order.
 * `setup` commands of a shell run before it, in the same namespace, unrecorded.
 */
export async function straceBytes(
  argv: readonly string[],
  options: { netns?: LabNetns, setup?: string } = {},
): Promise<SentMessage[]> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-strace-'))
  try {
    const output = join(folder, 'trace')
    // `write=all` dumps in hex what sendmsg sends, however much of it strace can also decode.
    const traced = ['strace', '-f', '-o', output, '-e', 'trace=socket,close,sendmsg,sendto', '-e', 'write=all', ...argv]
    const shell = ['sh', '-c', `${options.setup ?? ':'} && exec "$@"`, 'sh', ...traced]
    if (options.netns === undefined) await run('unshare', ['--net', ...shell])
    else await run('sh', shell.slice(1), { netns: options.netns })
    return parseTrace(await readFile(output, 'latin1'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

const netlinkProtocols: Record<string, number> = {
  NETLINK_ROUTE: 0,
  NETLINK_SOCK_DIAG: 4,
  NETLINK_XFRM: 6,
  NETLINK_NETFILTER: 12,
  NETLINK_KOBJECT_UEVENT: 15,
  NETLINK_GENERIC: 16,
}

/** Reads strace's log: which descriptors are netlink sockets, and the hex dumps after each send on one of them. */
export function parseTrace(trace: string): SentMessage[] {
  const protocols = new Map<string, number>()
  const messages: SentMessage[] = []
  let call = -1
  let protocol: number | undefined
  let chunks: Buffer[] = []
  const finish = () => {
    if (protocol !== undefined) messages.push(...splitMessages(Buffer.concat(chunks), protocol, call))
    protocol = undefined
    chunks = []
  }
  for (const line of trace.split('\n')) {
    const dump = /^ \| [0-9a-f]{5,}  ((?:[0-9a-f]{2} {1,2})+)/.exec(line)
    if (dump !== null) {
      chunks.push(Buffer.from((dump[1] ?? '').replaceAll(' ', ''), 'hex'))
      continue
    }
    if (line.startsWith(' * ')) continue
    finish()
    const opened = /\bsocket\(AF_NETLINK, [^,]+, (\w+)\)\s+= (\d+)/.exec(line)
    const closed = /\bclose\((\d+)\)/.exec(line)
    const sent = /\b(?:sendmsg|sendto)\((\d+),/.exec(line)
    if (opened !== null) protocols.set(opened[2] ?? '', netlinkProtocols[opened[1] ?? ''] ?? Number(opened[1]))
    else if (closed !== null) protocols.delete(closed[1] ?? '')
    else if (sent !== null) {
      protocol = protocols.get(sent[1] ?? '')
      if (protocol !== undefined) call++
    }
  }
  finish()
  return messages
}

function splitMessages(bytes: Buffer, protocol: number, call: number): SentMessage[] {
  const messages: SentMessage[] = []
  for (let offset = 0; offset + 16 <= bytes.length;) {
    const length = bytes.readUInt32LE(offset)
    // As in the kernel, what does not frame ends the walk: ip sends the unused rest of its request buffer along.
    if (length < 16 || offset + length > bytes.length) break
    const message = Buffer.from(bytes.subarray(offset, offset + length)).fill(0, 8, 16)
    messages.push({ protocol, type: message.readUInt16LE(4), flags: message.readUInt16LE(6), call, bytes: message })
    offset += (length + 3) & ~3
  }
  return messages
}
