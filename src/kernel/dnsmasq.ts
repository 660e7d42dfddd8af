/** DHCP and DNS for a network: the files that dnsmasq reads, as libvirt writes them, and its leases. Source: dnsmasq(8). */
import { constants as fsConstants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { SpawnResult, SpawnStep, Step } from '../../binding/index.ts'
import { VirbrError } from '../errors.ts'
import type { DhcpConfig, DnsConfig, LeaseConfig, NetworkConfig } from '../network/config.ts'
import type { Lease } from '../network/connection.ts'
import { ipSubnet, rangeSize } from '../network/subnets.ts'
import type { Paths } from './paths.ts'
import type { State } from './state.ts'

/** Longer than dnsmasq needs even on a host whose name server does not answer; it does no look-ups before it is up. */
const startTimeoutMs = 15_000

export interface DnsmasqFiles {
  conf: string
  hosts: string
  addnhosts: string
  leases: string
  pid: string
}

export function dnsmasqFiles(paths: Paths, name: string): DnsmasqFiles {
  const file = (suffix: string): string => join(paths.dnsmasq, `${name}.${suffix}`)
  return { conf: file('conf'), hosts: file('hosts'), addnhosts: file('addnhosts'), leases: file('leases'), pid: file('pid') }
}

/** An address to serve, unless DNS is off and there is neither DHCP nor TFTP. */
export function needsDnsmasq(config: NetworkConfig): boolean {
  const ips = config.ip ?? []
  return ips.length > 0 && (config.dns?.enable !== false || ips.some(ip => ip.dhcp !== undefined || ip.tftp !== undefined))
}

/** In a user namespace that maps one user only, dnsmasq must not try to become another. */
export interface DnsmasqOptions {
  keepUser: boolean
}

export function dnsmasqConf(config: NetworkConfig, bridge: string, files: DnsmasqFiles, options: DnsmasqOptions): string {
  const dhcp = (config.ip ?? []).some(ip => ip.dhcp !== undefined)
  const lines = [
    '# Made by virbr; overwritten at the next start of the network.',
    'strict-order',
    ...(options.keepUser ? ['user=', 'group='] : []),
    ...dnsLines(config),
    `pid-file=${files.pid}`,
    'except-interface=lo',
    'bind-dynamic',
    `interface=${bridge}`,
    ...(config.forward === undefined ? isolatedLines : []),
    ...ipLines(config),
    // libvirt has a helper program keep the leases; here dnsmasq's own file does.
    ...(dhcp ? [`dhcp-leasefile=${files.leases}`, `dhcp-hostsfile=${files.hosts}`] : []),
    ...(config.dns?.enable === false ? [] : [`addn-hosts=${files.addnhosts}`]),
    ...(config.mtu === undefined ? [] : [`dhcp-option=option:mtu,${config.mtu.size}`]),
    ...(config.dnsmasq?.option ?? []).map(({ value }) => value),
  ]
  return `${lines.join('\n')}\n`
}

/**
 * Without a route to the outside there is no default gateway to announce, and the host's own name servers, which would be
 * a way out, are not asked.
 */
const isolatedLines = ['dhcp-option=3', 'no-resolv', 'ra-param=*,0,0']

function dnsLines({ dns = {}, domain }: NetworkConfig): string[] {
  const lines: string[] = []
  if (dns.enable === false) lines.push('port=0')
  if (domain?.name !== undefined) {
    lines.push(...(domain.localOnly === true ? [`local=/${domain.name}/`] : []), `domain=${domain.name}`, 'expand-hosts')
  }
  if (dns.forwardPlainNames === false) {
    lines.push('domain-needed', 'local=//')
  }
  lines.push(...forwarderLines(dns))
  for (const { name, value } of dns.txt ?? []) lines.push(`txt-record=${name},${value}`)
  for (const { service, protocol, domain: within, target, port, priority, weight } of dns.srv ?? []) {
    const record = [`_${service}._${protocol}${within === undefined ? '' : `.${within}`}`, target, port, priority, weight]
    while (record.at(-1) === undefined) record.pop()
    lines.push(`srv-host=${record.map(part => part ?? '').join(',')}`)
  }
  return lines
}

function forwarderLines({ forwarder = [] }: DnsConfig): string[] {
  const servers = forwarder.map(({ domain, addr, port }) =>
    `server=${domain === undefined ? '' : `/${domain}/`}${addr ?? '#'}${port === undefined ? '' : `#${port}`}`)
  return forwarder.some(({ domain }) => domain === undefined) ? ['no-resolv', ...servers] : servers
}

function ipLines(config: NetworkConfig): string[] {
  const lines: string[] = []
  let leases = 0
  for (const ip of config.ip ?? []) {
    const { address, network, netmask, prefix } = ipSubnet(ip)
    for (const { start, end, lease } of ip.dhcp?.range ?? []) {
      lines.push(`dhcp-range=${[start, end, netmask ?? prefix, leaseTime(lease)].filter(part => part !== undefined).join(',')}`)
      leases += rangeSize(start, end)
    }
    if (ip.dhcp !== undefined && (ip.dhcp.range ?? []).length === 0) lines.push(`dhcp-range=${address},static`)
    if (ip.dhcp !== undefined) lines.push('dhcp-no-override', 'dhcp-authoritative')
    if (ip.tftp !== undefined) lines.push('enable-tftp', ...(ip.tftp.root === undefined ? [] : [`tftp-root=${ip.tftp.root}`]))
    if (ip.dhcp?.bootp !== undefined) lines.push(bootLine(ip.dhcp.bootp))
    if (ip.localPtr === true) lines.push(`local=/${reverseZone(network, prefix)}/`)
  }
  if (leases > 0) lines.push(`dhcp-lease-max=${leases}`)
  return lines
}

function bootLine({ file, server }: NonNullable<DhcpConfig['bootp']>): string {
  return `dhcp-boot=${file ?? ''}${server === undefined ? '' : `,,${server}`}`
}

/** `192.168.122.0`, 24 → `122.168.192.in-addr.arpa`; validation lets only whole bytes through. */
function reverseZone(network: string, prefix: number): string {
  return `${network.split('.').slice(0, prefix / 8).reverse().join('.')}.in-addr.arpa`
}

function leaseTime(lease: LeaseConfig | undefined): string | undefined {
  if (lease === undefined) return undefined
  if (lease.expiry === 0) return 'infinite'
  return `${lease.expiry}${{ seconds: 's', minutes: 'm', hours: 'h' }[lease.unit ?? 'minutes']}`
}

/** Fixed leases: dhcp-hostsfile. */
export function dnsmasqHosts(config: NetworkConfig): string {
  const hosts = (config.ip ?? []).flatMap(ip => ip.dhcp?.host ?? [])
  return hosts.map(({ mac, ip, name, lease }) => {
    const parts = [...(mac === undefined ? [name, ip] : [mac, ip, name]), leaseTime(lease)]
    return `${parts.filter(part => part !== undefined).join(',')}\n`
  }).join('')
}

/** Names besides the guests' own: addn-hosts. */
export function dnsmasqAddnHosts(config: NetworkConfig): string {
  return (config.dns?.host ?? []).map(({ ip, hostname }) => `${[ip, ...hostname].join('\t')}\n`).join('')
}

const serverDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Absolute path of dnsmasq. Rejects with ERR_DNSMASQ_MISSING. */
async function findDnsmasq(wanted: string | undefined): Promise<string> {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...serverDirectories].filter(directory => directory.startsWith('/'))
  for (const path of wanted === undefined ? directories.map(directory => join(directory, 'dnsmasq')) : [wanted]) {
    try {
      await access(path, fsConstants.X_OK)
      return path
    } catch {
      continue
    }
  }
  throw new VirbrError('ERR_DNSMASQ_MISSING', wanted === undefined
    ? 'this network needs dnsmasq for DHCP and DNS, and there is none in PATH; install dnsmasq-base (Debian, Ubuntu) or dnsmasq (Fedora)'
    : `there is no program ${wanted}, which was asked for as dnsmasq`)
}

export interface Dnsmasq {
  program: string
  options: DnsmasqOptions
}

/**
 * How to start dnsmasq for a network; undefined if it needs none. Rejects with ERR_DNSMASQ_MISSING, or with ERR_STATE_DIR
 * if dnsmasq, which becomes another user, could not read the names and fixed addresses that it is given: it would serve
 * without them and say nothing.
 */
export async function prepareDnsmasq(state: Pick<State, 'dnsmasq' | 'keepUser' | 'paths'>, config: NetworkConfig): Promise<Dnsmasq | undefined> {
  if (!needsDnsmasq(config)) return undefined
  const { keepUser, paths } = state
  if (!keepUser && dnsmasqHosts(config) + dnsmasqAddnHosts(config) !== '') await checkSearchable(paths.dnsmasq)
  return { program: await findDnsmasq(state.dnsmasq), options: { keepUser } }
}

async function checkSearchable(path: string): Promise<void> {
  for (let directory = path; directory !== dirname(directory); directory = dirname(directory)) {
    if (((await stat(directory)).mode & 0o001) !== 0) continue
    throw new VirbrError('ERR_STATE_DIR',
      `dnsmasq runs as another user and cannot read in ${directory}; allow it (chmod o+x), or name another place with ?root=DIRECTORY`)
  }
}

/** Writes dnsmasq's files and starts it. It forks once it serves, so the step ends when guests can be answered. */
export function startDnsmasq(
  { program, options }: Dnsmasq, config: NetworkConfig, bridge: string, files: DnsmasqFiles,
): [Step, Step, Step, SpawnStep] {
  return [
    { op: 'writeFile', path: files.conf, data: dnsmasqConf(config, bridge, files, options), mode: 0o644 },
    { op: 'writeFile', path: files.hosts, data: dnsmasqHosts(config), mode: 0o644 },
    { op: 'writeFile', path: files.addnhosts, data: dnsmasqAddnHosts(config), mode: 0o644 },
    {
      op: 'spawn',
      file: program,
      argv: [program, `--conf-file=${files.conf}`],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C'],
      timeoutMs: startTimeoutMs,
    },
  ]
}

export function dnsmasqFailure(network: string, { status, output }: SpawnResult): VirbrError {
  const said = Buffer.from(output).toString().trim().replace(/^dnsmasq: /gm, '')
  const how = status < 0 ? `was ended by signal ${-status}` : `ended with status ${status}`
  return new VirbrError('ERR_DNSMASQ_FAILED', `dnsmasq for network ${network} ${how}${said === '' ? '' : `: ${said}`}`)
}

/** Lines of dnsmasq's lease file: `expiry mac address hostname client-id`, `*` for what is not known. */
export function parseLeases(text: string, iface: string, subnets: readonly { address: string, prefix: number }[], now: number): Lease[] {
  const known = (field: string | undefined): string | undefined => (field === undefined || field === '*' ? undefined : field)
  return text.split('\n').flatMap((line): Lease[] => {
    const [expiry, mac, ipaddr, hostname, clientid] = line.split(' ')
    const expiryTime = Number(expiry)
    if (ipaddr === undefined || ipaddr.includes(':') || !Number.isInteger(expiryTime)) return []
    if (expiryTime !== 0 && expiryTime <= now) return []
    return [{
      iface,
      expiryTime,
      type: 'ipv4',
      mac: known(mac),
      iaid: undefined,
      ipaddr,
      prefix: subnets.find(subnet => sameSubnet(subnet, ipaddr))?.prefix ?? 32,
      hostname: known(hostname),
      clientid: known(clientid),
    }]
  })
}

function sameSubnet({ address, prefix }: { address: string, prefix: number }, ipaddr: string): boolean {
  return ipSubnet({ address, prefix }).network === ipSubnet({ address: ipaddr, prefix }).network
}
