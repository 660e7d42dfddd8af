/**
 * A real libvirtd in namespaces of its own: network, mounts, processes. It sees empty folders where it keeps its state,
 * and ends with everything that it started, dnsmasq and guests included, when its first process is killed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './lab.ts'
import { needs } from './needs.ts'
import type { Need } from './needs.ts'
import { toolPath, toolSearchPath } from './tools.ts'
import { patience } from './patience.ts'

const inside = `
set -e
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for folder in /run /var/lib /var/cache /var/log /etc/libvirt; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir /run/libvirt /run/tools
# The QEMU driver refuses to start without its user, which only a full installation makes.
cp /etc/passwd /etc/group /run
echo libvirt-qemu:x:0:0::/:/usr/sbin/nologin >>/run/passwd
printf 'libvirt-qemu:x:0:\nkvm:x:0:\n' >>/run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
printf 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n' >/run/libvirtd.conf
# Guests without what only a full installation has: another user, cgroups, AppArmor, virtlogd, /dev of their own.
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
remember_owner = 0
dynamic_ownership = 0
END
ip link set lo up
eval "$SETUP"
# The shell stays as the namespace's first process, which reaps what libvirtd leaves. It starts libvirtd at each line that
# it reads, and ends when its stdin closes because whoever started it has died; everything else here then ends with it.
PATH=/run/tools:$PATH
exec 3<&0 </dev/null
while read -r <&3; do libvirtd -f /run/libvirtd.conf 3<&- & done
`

/** Passwords by SCRAM, in a file that only these namespaces have; virsh inside finds its own in auth.conf. */
const saslSetup = `
mkdir /run/sasl2
export SASL_CONF_PATH=/run/sasl2
printf 'mech_list: scram-sha-256\nsasldb_path: /run/sasldb\n' >/run/sasl2/libvirt.conf
printf %s "$PASSWORD" | saslpasswd2 -p -c -a libvirt -f /run/sasldb -u "$(hostname)" "$USERNAME"
printf 'auth_unix_rw = "sasl"\nauth_unix_ro = "none"\n' >/run/libvirtd.conf
printf '[credentials-lab]\nauthname=%s\npassword=%s\n' "$USERNAME" "$PASSWORD" >/etc/libvirt/auth.conf
printf '[auth-libvirt-default]\ncredentials=lab\n' >>/etc/libvirt/auth.conf
`

/** HTB, which shapes, stays real. libvirt insists on sfq, policing and fw filters too, which small kernels lack. */
const lenientTcSetup = `
cat >/run/tools/tc <<END
#!/bin/sh
$(command -v tc) "\\$@" && exit
status=\\$?
case " \\$* " in *" htb "*) exit \\$status ;; *" add "*) exit 0 ;; esac
exit \\$status
END
chmod +x /run/tools/tc
`

export interface LibvirtdOptions {
  /** Shell commands to run inside before libvirtd starts; state folders are there and empty. */
  setup?: string
  /** Opening it for writing asks for this name and password (SASL, SCRAM-SHA-256); read-only asks nothing. */
  login?: { user: string, password: string }
  /** `domiftune` and `<bandwidth>` work on kernels with HTB alone; what else libvirt tells `tc` to add may fail. */
  lenientTc?: boolean
}

export interface Libvirtd extends AsyncDisposable {
  /** What to open inside its namespaces. Outside, only through `virsh` or `shell`. */
  readonly uri: 'qemu:///system'
  /** The namespaces' first process, for `nsenter` and for `netns: { pid }` of lab.ts. It outlives libvirtd. */
  readonly pid: number
  /** libvirtd itself, as this process counts; another one after a restart. */
  readonly daemonPid: number
  /** `/proc/PID/ns/net`, for `Host.open({ netns })`. */
  readonly netns: string
  /** Its socket as this process can reach it, through /proc/PID/root: `qemu+unix:///system?socket=…`. */
  readonly socketUri: string
  /** The same for a read-only connection, which has a socket of its own. */
  readonly readOnlySocketUri: string
  /** `virsh -c URI …` inside; stdout. Paths are absolute: its folder is /. */
  virsh(...args: string[]): Promise<string>
  /** Any command in all of its namespaces, in its /; stdout. */
  inside(command: string, ...args: string[]): Promise<string>
  /** Ends libvirtd alone; its networks' bridges and dnsmasq stay, and its guests. Default: SIGKILL. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Starts libvirtd again after `kill`; resolves when it answers. */
  start(): Promise<void>
  /** `kill`, then `start`; 0.5 to 1 s. */
  restart(): Promise<void>
  /** Stops libvirtd in its tracks: calls to it stay in flight until `resume`. */
  pause(): void
  resume(): void
  /** What libvirtd has said so far, and the shell before it. */
  log(): string
  /** Ends it and everything it started. */
  stop(): Promise<void>
}

/** What `startLibvirtd` needs, for `needing(…libvirtdNeeds())`. Root, since its dnsmasq changes to another user. */
export function libvirtdNeeds(options: LibvirtdOptions = {}): Need[] {
  const tools = ['libvirtd', 'virsh', 'dnsmasq', 'iptables', 'nsenter']
  if (options.login) tools.push('saslpasswd2')
  if (options.lenientTc) tools.push('tc')
  // Whatever the kernel, libvirtd does the same, and there takes minutes for it.
  const quick = patience > 1 ? 'a processor that is not emulated' : undefined
  return [needs.root, needs.netAdmin, quick, ...tools.map(needs.tool)]
}

/** Starts one; resolves when it answers, in 0.5 to 1 s. */
export async function startLibvirtd(options: LibvirtdOptions = {}): Promise<Libvirtd> {
  const { login, lenientTc = false, setup = ':' } = options
  const child = spawn(toolPath('unshare') ?? 'unshare',
    ['--net', '--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', inside], {
      env: {
        PATH: toolSearchPath,
        LC_ALL: 'C',
        SETUP: [login && saslSetup, lenientTc && lenientTcSetup, setup].filter(Boolean).join('\n'),
        USERNAME: login?.user,
        PASSWORD: login?.password,
      },
      stdio: 'pipe',
    })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { log += text })
  }
  let ended = false
  const exit = once(child, 'exit').then(() => { ended = true })
  child.stdin.on('error', () => { /* It has ended. */ })

  let shell: number | undefined
  let daemon = 0
  const nsenter = (command: string, args: string[]) =>
    run('nsenter', [`--target=${shell}`, '--net', '--mount', '--pid', command, ...args])
  const virsh = (...args: string[]) => nsenter('virsh', ['-q', '-c', 'qemu:///system', ...args])
  const stop = async () => {
    // With a namespace's first process the kernel ends all the others. unshare waits for it, then ends itself.
    if (!ended && shell !== undefined) process.kill(shell, 'SIGKILL')
    else if (!ended) child.kill('SIGKILL')
    await exit
  }
  const start = async () => {
    child.stdin.write('\n')
    daemon = 0
    let problem: unknown = 'it did not start'
    for (let deadline = Date.now() + 10_000 * patience; !ended && Date.now() < deadline; await sleep(20)) {
      shell ??= (await children(child.pid ?? 0))[0]
      if (shell === undefined) continue
      const running = await childNamed(shell, 'libvirtd')
      if (running === undefined && daemon !== 0) break
      daemon = running ?? 0
      if (daemon === 0) continue
      try {
        await virsh('net-list')
        return shell
      } catch (error) {
        problem = error
      }
    }
    throw new Error(`libvirtd did not answer: ${String(problem)}\n${log}`)
  }
  const kill = async (signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL') => {
    process.kill(daemon, signal)
    while (existsSync(`/proc/${daemon}`)) await sleep(5)
  }

  let pid: number
  try {
    pid = await start()
  } catch (error) {
    await stop()
    throw error
  }
  const sockets = `/proc/${pid}/root/run/libvirt`
  return {
    uri: 'qemu:///system',
    pid,
    get daemonPid() { return daemon },
    netns: `/proc/${pid}/ns/net`,
    socketUri: `qemu+unix:///system?socket=${sockets}/libvirt-sock`,
    readOnlySocketUri: `qemu+unix:///system?socket=${sockets}/libvirt-sock-ro`,
    virsh,
    inside: (command, ...args) => nsenter(command, args),
    kill,
    start: async () => { await start() },
    restart: async () => {
      await kill()
      await start()
    },
    pause: () => { process.kill(daemon, 'SIGSTOP') },
    resume: () => { process.kill(daemon, 'SIGCONT') },
    log: () => log,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** libvirt's own mock, `test:///…`, with a node description of ours: a few objects, perhaps names and passwords. */
export interface TestNode extends AsyncDisposable {
  /** `test:///…/node.xml`. Every opening starts from the file again, with state of its own. */
  readonly uri: string
  readonly path: string
}

/**
 * Writes a node description. `contents`: what `<node>` holds, in libvirt's XML.
 *
 * With `<auth><user password='…'>name</user></auth>` opening asks for credentials AUTHNAME (2) and PASSPHRASE (5); the
 * password only of a user who has one. Wrong ones are AUTH_FAILED (45), no callback is INVALID_ARG (8).
 */
export async function testNode(contents: string): Promise<TestNode> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-node-'))
  const path = join(folder, 'node.xml')
  await writeFile(path, `<node>${contents}</node>\n`)
  return { path, uri: `test://${path}`, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

async function children(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return list.split(' ').filter(text => text.trim() !== '').map(Number)
}

async function childNamed(pid: number, name: string): Promise<number | undefined> {
  for (const child of await children(pid)) {
    const command = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '')
    if (command.trim() === name) return child
  }
  return undefined
}
