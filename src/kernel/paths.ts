/** Where the kernel driver keeps its state. One table of places; file names are network names. */
import { join } from 'node:path'

/**
 * `etc` survives a reboot, `run` need not. A network's record stands in exactly one of `starting`, `active` and
 * `stopping`; what a killed process leaves in the first and the last is taken down by the next connect.
 */
export interface Paths {
  lock: string
  /** Persistent configurations: `NAME.xml`, libvirt network XML. */
  networks: string
  /** Configurations being written, to be renamed into `networks`. */
  draft: string
  /** `NAME.xml`, empty: the network is marked for autostart. */
  autostart: string
  /** Records of networks in each phase: `NAME.json`. */
  starting: string
  active: string
  stopping: string
  /** What an update of a running network is about to do: `NAME.json`. Only while it is under way. */
  updating: string
  /** Where events are told; see watch.ts. */
  events: string
  /** What dnsmasq reads and writes: `NAME.conf`, `.hosts`, `.addnhosts`, `.leases`, `.pid`. */
  dnsmasq: string
  /** The value of net.ipv4.ip_forward before the first network turned it on; absent if it was on. */
  ipForward: string
}

export function statePaths(root: string | undefined): Paths {
  const run = root === undefined ? '/run/virbr' : join(root, 'run')
  const etc = root === undefined ? '/etc/virbr' : join(root, 'etc')
  return {
    lock: join(run, 'lock'),
    networks: join(etc, 'networks'),
    draft: join(etc, 'draft'),
    autostart: join(etc, 'autostart'),
    starting: join(run, 'starting'),
    active: join(run, 'active'),
    stopping: join(run, 'stopping'),
    updating: join(run, 'updating'),
    events: join(run, 'events'),
    dnsmasq: join(run, 'dnsmasq'),
    ipForward: join(run, 'ip_forward'),
  }
}

export function stateDirectories(paths: Paths): string[] {
  const { networks, draft, autostart, starting, active, stopping, updating, events, dnsmasq } = paths
  return [networks, draft, autostart, starting, active, stopping, updating, events, dnsmasq]
}
