/**
 * What some tests need of the machine: probed, never assumed. A test whose need is missing is skipped by name, and the
 * reporter prints the need.
 *
 *     const { test, describe } = needing(needs.netAdmin, needs.tool('nft'))
 *     test('…', async () => { … })
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { release } from 'node:os'
import { describe as allDescribe, test as allTest } from 'vitest'
import { toolPath } from './tools.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** What was missing of the machine, for the skip reporter. */
    needs?: string
  }
}

/** Undefined if met, otherwise what is missing, e.g. `the command nft`. */
export type Need = string | undefined

/** Kernel features by the command that works, in a new network namespace, only where the feature is there. */
const kernelProbes = {
  bridge: 'ip link add p0 type bridge',
  mdb: 'ip link add p0 up type bridge && ip link add p1 master p0 type veth peer name p2 && bridge mdb add dev p0 port p1 grp 239.1.1.1 permanent',
  bridgeFlush: 'ip link add p0 type bridge && bridge fdb flush dev p0',
  bridgeVlanFiltering: 'ip link add p0 type bridge vlan_filtering 1',
  veth: 'ip link add p0 type veth peer name p1',
  dummy: 'ip link add p0 type dummy',
  vlan: 'ip link add p0 type veth peer name p1 && ip link add link p0 name v0 type vlan id 5',
  vxlan: 'ip link add p0 type vxlan id 5 dstport 4789',
  vxlanVnifilter: 'ip link add p0 type vxlan external vnifilter dstport 4789 && bridge vni add dev p0 vni 5 && bridge vni show | grep -q 5',
  gre: 'ip link add p0 type gre local 127.0.0.1 remote 127.0.0.2',
  ip6gre: 'ip link add p0 type ip6gre local ::1 remote ::2',
  ipip: 'ip link add p0 type ipip local 127.0.0.1 remote 127.0.0.2',
  sit: 'ip link add p0 type sit local 127.0.0.1 remote 127.0.0.2',
  ip6tnl: 'ip link add p0 type ip6tnl local ::1 remote ::2',
  geneve: 'ip link add p0 type geneve id 5 remote 127.0.0.2',
  netkit: 'ip link add p0 type netkit',
  ifb: 'ip link add p0 type ifb',
  nlmon: 'ip link add p0 type nlmon',
  bond: 'ip link add p0 type bond',
  vrf: 'ip link add p0 type vrf table 5',
  macvlan: 'ip link add p0 type veth peer name p1 && ip link add link p0 name m0 type macvlan',
  macvtap: 'ip link add p0 type veth peer name p1 && ip link add link p0 name m0 type macvtap',
  ipvlan: 'ip link add p0 type veth peer name p1 && ip link add link p0 name i0 type ipvlan',
  wireguard: 'ip link add p0 type wireguard',
  tap: 'ip tuntap add dev p0 mode tap',
  ipv6: 'test -e /proc/sys/net/ipv6',
  policyRouting: 'ip rule add to 10.0.0.1 table 5',
  tbf: 'ip link add p0 type bridge && tc qdisc add dev p0 root tbf rate 1mbit burst 10k limit 30k',
  sfq: 'ip link add p0 type bridge && tc qdisc add dev p0 root sfq',
  mirred: 'ip link add p0 type bridge && tc actions add action mirred egress redirect dev p0',
  bandwidth: 'ip link add p0 type bridge && tc qdisc add dev p0 root handle 1: htb && tc qdisc add dev p0 handle ffff: ingress && tc filter add dev p0 parent 1: handle 1 fw flowid 1 && tc filter add dev p0 parent ffff: u32 match u32 0 0 police rate 1mbit burst 10k drop flowid :1 && tc qdisc replace dev p0 root sfq',
  nexthops: 'ip link set lo up && ip nexthop add id 1 blackhole',
  htb: 'ip link add p0 type bridge && tc qdisc add dev p0 root htb',
  nftables: 'nft add table ip p0',
  nftNat: "nft 'add table ip n; add chain ip n c { type nat hook postrouting priority 100; }; add rule ip n c masquerade'",
  nftInet: 'nft add table inet p0',
  nftSynproxy: "nft 'add table ip p0; add chain ip p0 c; add rule ip p0 c tcp dport 80 synproxy mss 1460 wscale 7'",
  nftFlowtable: "nft 'add table ip p0; add flowtable ip p0 f { hook ingress priority 0; devices = { lo }; }'",
  iptablesNft: 'iptables-nft -t nat -A POSTROUTING -j MASQUERADE',
  iptablesLegacy: 'iptables-legacy -t mangle -A INPUT -j ACCEPT',
  iptablesSet: 'ipset create p0 hash:ip && iptables-nft -A INPUT -m set --match-set p0 src',
  iptablesChecksum: 'iptables-nft -t mangle -A POSTROUTING -p udp -j CHECKSUM --checksum-fill',
} as const

export type KernelFeature = keyof typeof kernelProbes

const kernelAnswers = new Map<KernelFeature, Need>()

export const needs = {
  /** Root of the machine, not merely of a user namespace: other owners' files, ids that are not mapped. */
  get root(): Need {
    return process.getuid?.() === 0 && /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))
      ? undefined : 'root outside a user namespace'
  },

  /** CAP_NET_ADMIN and CAP_SYS_ADMIN, of the machine or of a user namespace: enough for network namespaces. */
  get netAdmin(): Need {
    const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`)
    const wanted = (1n << 12n) | (1n << 21n)
    if ((effective & wanted) === wanted) return undefined
    return 'CAP_NET_ADMIN and CAP_SYS_ADMIN (scripts/test gives them, where the machine allows)'
  },

  /** A command in PATH or in one of the sbin folders. */
  tool(name: string): Need {
    return toolPath(name) === undefined ? `the command ${name}` : undefined
  },

  file(path: string): Need {
    return existsSync(path) ? undefined : `the file ${path}`
  },

  /** A file below any of the library folders, e.g. /usr/lib/x86_64-linux-gnu. */
  library(path: string): Need {
    const folders = ['/usr/lib64', '/usr/lib', ...readdirSync('/usr/lib').map(name => `/usr/lib/${name}`)]
    return folders.some(folder => existsSync(`${folder}/${path}`)) ? undefined : `the library ${path}`
  },

  /** A kernel of this release or a newer one: of what only a release says, e.g. that an attribute is not passed over. */
  kernelRelease(major: number, minor: number): Need {
    const [ours = 0, oursMinor = 0] = release().split('.').map(part => parseInt(part, 10))
    return ours > major || (ours === major && oursMinor >= minor) ? undefined : `Linux ${major}.${minor}`
  },

  /** That the kernel has the matches and the target of a rule. `line`: table, chain and options. */
  iptablesRule(family: 'ip' | 'ip6', line: string): Need {
    if (needs.netAdmin !== undefined) return needs.netAdmin
    return probe(`iptables rules like this (\`${line}\``, `${family === 'ip' ? 'iptables' : 'ip6tables'}-nft -t ${line.replace(' ', ' -A ')}`)
  },

  /** Something that a kernel may be built without. About 5 ms the first time. */
  kernel(feature: KernelFeature): Need {
    if (needs.netAdmin !== undefined) return needs.netAdmin
    if (!kernelAnswers.has(feature)) kernelAnswers.set(feature, probeKernel(feature))
    return kernelAnswers.get(feature)
  },
}

function probeKernel(feature: KernelFeature): Need {
  return probe(`${feature} (\`${kernelProbes[feature]}\``, kernelProbes[feature])
}

function probe(what: string, command: string): Need {
  const unshare = toolPath('unshare')
  if (unshare === undefined) return 'the command unshare'
  const { status, stderr } = spawnSync(unshare, ['--net', 'sh', '-c', command], { encoding: 'utf8' })
  return status === 0 ? undefined : `a kernel with ${what}: ${stderr.trim().split('\n')[0] ?? ''})`
}

/** `test` and `describe` which skip, naming the first need that is not met. */
export function needing(...all: Need[]): { test: typeof allTest, describe: typeof allDescribe, missing: Need } {
  const missing = all.find(need => need !== undefined)
  if (missing === undefined) return { test: allTest, describe: allDescribe, missing }
  return { test: skipping(allTest, missing), describe: skipping(allDescribe, missing), missing }
}

/** Adds `{ skip, meta }` to the options of a call; vitest's own variants (`each`, `skipIf`, …) stay within reach. */
function skipping<T extends typeof allTest | typeof allDescribe>(api: T, missing: string): T {
  const skip = { skip: true, meta: { needs: missing } }
  return new Proxy(api, {
    apply(target, self, [name, ...rest]: unknown[]) {
      const [options, body] = typeof rest[0] === 'object' ? [rest[0], rest[1]] : [{}, rest[0]]
      return Reflect.apply(target, self, [name, { ...options, ...skip }, body]) as unknown
    },
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (key !== 'each' && key !== 'for') return value
      // Both look at `this`.
      return (cases: unknown) => skipping((value as (cases: unknown) => T).call(target, cases), missing)
    },
  })
}
