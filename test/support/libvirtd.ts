/**
 * A real libvirtd in namespaces of its own: network, mounts, processes. It sees empty folders where it keeps its state,
 * and ends with everything that it started, dnsmasq included, when its first process is killed.
 */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './lab.ts'
import { needs } from './needs.ts'
import type { Need } from './needs.ts'
import { toolPath, toolSearchPath } from './tools.ts'

const inside = `
set -e
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for folder in /run /var/lib /var/cache /var/log /etc/libvirt; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir /run/libvirt
# The QEMU driver refuses to start without its user, which only a full installation makes.
cp /etc/passwd /etc/group /run
echo libvirt-qemu:x:0:0::/:/usr/sbin/nologin >>/run/passwd
printf 'libvirt-qemu:x:0:\\nkvm:x:0:\\n' >>/run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
echo 'auth_unix_rw = "none"' >/run/libvirtd.conf
ip link set lo up
eval "$SETUP"
# The shell stays as the namespace's first process, which reaps the dnsmasq processes that libvirtd leaves. It ends with
# libvirtd, or when its stdin closes because whoever started it has died; everything else here then ends with it.
exec 3<&0
libvirtd -f /run/libvirtd.conf 3<&- &
cat <&3 >/dev/null &
wait -n
`

export interface Libvirtd extends AsyncDisposable {
  /** What to open inside its namespaces. Outside, only through `virsh` or `shell`. */
  readonly uri: 'qemu:///system'
  /** A process within, for `nsenter` and for `netns: { pid }` of lab.ts. */
  readonly pid: number
  /** `/proc/PID/ns/net`, for `Host.open({ netns })`. */
  readonly netns: string
  /** Its socket as this process can reach it, through /proc/PID/root: `qemu+unix:///system?socket=…`. */
  readonly socketUri: string
  /** `virsh -c URI …` inside; stdout. */
  virsh(...args: string[]): Promise<string>
  /** Any command in all of its namespaces; stdout. */
  inside(command: string, ...args: string[]): Promise<string>
  /** Ends it and everything it started. */
  stop(): Promise<void>
}

/** What `startLibvirtd` needs, for `needing(…libvirtdNeeds())`. Root, since its dnsmasq changes to another user. */
export function libvirtdNeeds(): Need[] {
  return [needs.root, needs.netAdmin, ...['libvirtd', 'virsh', 'dnsmasq', 'iptables', 'nsenter'].map(needs.tool)]
}

/** Starts one; resolves when it answers, in about 0.1 s. `setup`: shell commands to run inside before it starts. */
export async function startLibvirtd(options: { setup?: string } = {}): Promise<Libvirtd> {
  const child = spawn(toolPath('unshare') ?? 'unshare',
    ['--net', '--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', inside], {
      env: { PATH: toolSearchPath, LC_ALL: 'C', SETUP: options.setup ?? ':' },
      stdio: 'pipe',
    })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { log += text })
  }
  let ended = false
  const exit = new Promise<void>(resolve => child.once('exit', () => {
    ended = true
    resolve()
  }))
  let pid: number | undefined
  const nsenter = (command: string, args: string[]) =>
    run('nsenter', [`--target=${pid}`, '--net', '--mount', '--pid', command, ...args])
  const virsh = (...args: string[]) => nsenter('virsh', ['-q', '-c', 'qemu:///system', ...args])
  const stop = async () => {
    // With a namespace's first process the kernel ends all the others. unshare waits for it, then ends itself.
    if (!ended && pid !== undefined) process.kill(pid, 'SIGKILL')
    else if (!ended) child.kill('SIGKILL')
    await exit
  }
  let problem: unknown
  for (let deadline = Date.now() + 10_000; !ended && Date.now() < deadline; await sleep(20)) {
    try {
      pid ??= await firstChild(child.pid ?? 0)
      if (pid === undefined) continue
      await virsh('net-list')
      const first = pid
      return {
        uri: 'qemu:///system',
        pid: first,
        netns: `/proc/${first}/ns/net`,
        socketUri: `qemu+unix:///system?socket=/proc/${first}/root/run/libvirt/libvirt-sock`,
        virsh,
        inside: (command, ...args) => nsenter(command, args),
        stop,
        [Symbol.asyncDispose]: stop,
      }
    } catch (error) {
      problem = error
    }
  }
  await stop()
  throw new Error(`libvirtd did not answer: ${String(problem)}\n${log}`)
}

async function firstChild(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.trim() === '' ? undefined : Number.parseInt(children, 10)
}
