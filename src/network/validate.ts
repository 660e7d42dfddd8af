/** Whether a network can be built as configured: asked before anything is touched. */
import { fieldsOf } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { validateAddressing } from './addressing.ts'
import type {
  BandwidthConfig, DnsConfig, ForwardMode, NatConfig, NetworkConfig, PortGroupConfig, VirtualPortConfig, VlanConfig,
} from './config.ts'
import { normalizeNetworkConfig } from './normalize.ts'
import { rangeSize } from './subnets.ts'
import { type UnknownOptions, checkUnknownOption } from './unknown.ts'

/** What a forward mode may have beside it. Modes with `ownBridge` make a bridge; the others use what the host has. */
interface ModeRules {
  ownBridge: boolean
  needsIp: boolean
  /** `<forward dev>` and `<interface>`. */
  devices: 'none' | 'one' | 'many'
  /** Fields that make no sense in this mode. */
  refused: readonly (keyof NetworkConfig)[]
}

const hostOnly = ['mac', 'mtu', 'domain', 'dns', 'ip', 'route'] as const
const pool: ModeRules = {
  ownBridge: false, needsIp: false, devices: 'many', refused: [...hostOnly, 'bridge', 'bandwidth'],
}

const modes: Record<ForwardMode | 'isolated', ModeRules> = {
  isolated: { ownBridge: true, needsIp: false, devices: 'none', refused: [] },
  nat: { ownBridge: true, needsIp: true, devices: 'one', refused: [] },
  route: { ownBridge: true, needsIp: true, devices: 'one', refused: [] },
  // Older libvirts want an ip here too, and say so themselves.
  open: { ownBridge: true, needsIp: false, devices: 'none', refused: [] },
  bridge: { ownBridge: false, needsIp: false, devices: 'many', refused: hostOnly },
  private: pool,
  vepa: pool,
  passthrough: pool,
  hostdev: pool,
}

/** The mode of a network: `isolated` without `<forward>`, `nat` for a bare one. */
export function forwardMode(config: NetworkConfig): ForwardMode | 'isolated' {
  return config.forward === undefined ? 'isolated' : config.forward.mode ?? 'nat'
}

/**
 * Refuses what libvirt refuses, and what it would only find out when the network starts: overlapping subnets, an own
 * address that is no host's, reservations outside of the subnet, names that are none.
 *
 * @param options `unknown: 'keep'` accepts attributes and elements that have no field, as libvirt does
 * @throws InvalidArgumentError naming the field, e.g. `ip[0].dhcp.range[0].end`
 */
export function validateNetwork(config: NetworkConfig, options: UnknownOptions = {}): void {
  const { unknown = 'refuse' } = fieldsOf('options', options)
  const normal = normalizeNetworkConfig(config, true, checkUnknownOption(unknown))
  validateMode(normal)
  validateForward(normal)
  validateBridge(normal)
  validateAddressing(normal.ip ?? [], normal.route ?? [])
  if (normal.mtu !== undefined && (normal.mtu.size < 68 || normal.mtu.size > 65535)) {
    // ETH_MIN_MTU and ETH_MAX_MTU in linux/if_ether.h.
    throw new InvalidArgumentError('mtu.size', normal.mtu.size, '68 to 65535')
  }
  if (normal.dns !== undefined) validateDns(normal.dns)
  if (normal.domain?.localOnly === true && normal.domain.name === undefined) {
    throw new InvalidArgumentError('domain.name', undefined, 'a name, if localOnly is set')
  }
  if (normal.vlan !== undefined) validateVlan(normal.vlan, 'vlan')
  if (normal.bandwidth !== undefined) validateBandwidth(normal.bandwidth, 'bandwidth')
  if (normal.virtualport !== undefined) {
    validateVirtualPort(normal.virtualport, 'virtualport')
    if (normal.virtualport.type === undefined) {
      throw new InvalidArgumentError('virtualport.type', undefined, Object.keys(portParameters).join(', '))
    }
  }
  validatePortGroups(normal.portgroup ?? [])
}

function validateMode(config: NetworkConfig): void {
  const mode = forwardMode(config)
  const rules = modes[mode]
  if (rules.needsIp && config.ip === undefined) {
    throw new InvalidArgumentError('ip', undefined, `at least one ip with forward mode ${mode}`)
  }
  const refused = rules.refused.find((field) => config[field] !== undefined)
  if (refused !== undefined) {
    throw new InvalidArgumentError(refused, config[refused], `no ${refused} with forward mode ${mode}`)
  }
}

function validateForward({ forward }: NetworkConfig): void {
  if (forward === undefined) return
  const { mode = 'nat', dev, nat } = forward
  const interfaces = forward.interface ?? []
  const { devices } = modes[mode]
  if (devices === 'none') {
    if (dev !== undefined) throw new InvalidArgumentError('forward.dev', dev, `no dev with mode ${mode}`)
    if (interfaces.length > 0) {
      throw new InvalidArgumentError('forward.interface', interfaces, `no interface with mode ${mode}`)
    }
  }
  if (devices === 'one' && interfaces.length > 1) {
    throw new InvalidArgumentError('forward.interface', interfaces, `at most one interface with mode ${mode}`)
  }
  if (dev !== undefined && interfaces[0] !== undefined && interfaces[0].dev !== dev) {
    throw new InvalidArgumentError('forward.dev', dev, `the device of the first interface, ${interfaces[0].dev}`)
  }
  const again = interfaces.findIndex((one, index) => interfaces.findIndex((other) => other.dev === one.dev) < index)
  if (again !== -1) {
    throw new InvalidArgumentError(`forward.interface[${again}].dev`, interfaces[again]?.dev, 'each device once')
  }
  if (nat === undefined) return
  if (mode !== 'nat') throw new InvalidArgumentError('forward.nat', nat, `no nat with mode ${mode}`)
  validateNat(nat)
}

function validateNat({ address, port }: NatConfig): void {
  if (address !== undefined && rangeSize(address.start, address.end) < 1) {
    throw new InvalidArgumentError('forward.nat.address.end', address.end, `an address not below ${address.start}`)
  }
  if (port === undefined) return
  if (port.start < 1) throw new InvalidArgumentError('forward.nat.port.start', port.start, '1 to 65535')
  if (port.end < port.start) {
    throw new InvalidArgumentError('forward.nat.port.end', port.end, `a port not below start, ${port.start}`)
  }
}

function validateBridge(config: NetworkConfig): void {
  const { bridge, forward } = config
  const mode = forwardMode(config)
  if (bridge === undefined || modes[mode].ownBridge) return
  for (const field of ['stp', 'delay', 'zone'] as const) {
    if (bridge[field] !== undefined) {
      throw new InvalidArgumentError(`bridge.${field}`, bridge[field], `no ${field} with forward mode ${mode}`)
    }
  }
  if (bridge.name !== undefined && (forward?.dev !== undefined || forward?.interface !== undefined)) {
    throw new InvalidArgumentError('bridge.name', bridge.name, 'either a bridge or forward devices, not both')
  }
}

function validateDns({ enable, forwarder = [], txt = [], srv = [], host = [] }: DnsConfig): void {
  const entries = { forwarder, txt, srv, host }
  for (const [name, list] of Object.entries(entries)) {
    if (enable === false && list.length > 0) {
      throw new InvalidArgumentError(`dns.${name}`, list, `no ${name} with enable no`)
    }
  }
  forwarder.forEach((one, index) => {
    if (one.addr === undefined && one.domain === undefined) {
      throw new InvalidArgumentError(`dns.forwarder[${index}].addr`, undefined, 'addr, domain, or both')
    }
  })
  srv.forEach((record, index) => {
    if (!['tcp', 'udp'].includes(record.protocol)) {
      throw new InvalidArgumentError(`dns.srv[${index}].protocol`, record.protocol, 'tcp or udp')
    }
    const orphan = (['port', 'priority', 'weight'] as const).find((field) => record[field] !== undefined)
    if (orphan !== undefined && record.target === undefined) {
      throw new InvalidArgumentError(`dns.srv[${index}].${orphan}`, record[orphan], `no ${orphan} without target`)
    }
  })
}

function validateVlan({ trunk, tag = [] }: VlanConfig, path: string): void {
  if (tag.length === 0) throw new InvalidArgumentError(`${path}.tag`, undefined, 'at least one tag')
  const native = tag.filter(({ nativeMode }) => nativeMode !== undefined)
  if (native[1] !== undefined) {
    const field = `${path}.tag[${tag.indexOf(native[1])}].nativeMode`
    throw new InvalidArgumentError(field, native[1].nativeMode, 'at most one native tag')
  }
  if (trunk === false && (tag.length > 1 || native.length > 0)) {
    throw new InvalidArgumentError(`${path}.trunk`, trunk, 'true with several tags or a native one')
  }
}

function validateBandwidth(bandwidth: BandwidthConfig, path: string): void {
  for (const direction of ['inbound', 'outbound'] as const) {
    const rate = bandwidth[direction]
    if (rate === undefined) continue
    if (!rate.average) throw new InvalidArgumentError(`${path}.${direction}.average`, rate.average, 'KiB/s, 1 or more')
    if (rate.floor !== undefined) {
      // libvirt knows it for a guest's own interface only.
      throw new InvalidArgumentError(`${path}.${direction}.floor`, rate.floor, 'no floor for a network or port group')
    }
  }
}

/** The parameters that each type takes. A port group may leave the type to the network that it is part of. */
const portParameters: Record<NonNullable<VirtualPortConfig['type']>, readonly string[]> = {
  '802.1Qbg': ['managerid', 'typeid', 'typeidversion', 'instanceid'],
  '802.1Qbh': ['profileid'],
  'openvswitch': ['interfaceid', 'profileid'],
  'midonet': ['interfaceid'],
}

function validateVirtualPort({ type, parameters = {} }: VirtualPortConfig, path: string): void {
  if (type === undefined) return
  const accepted = portParameters[type]
  for (const [name, value] of Object.entries(parameters)) {
    if (name !== 'unknown' && !accepted.includes(name)) {
      throw new InvalidArgumentError(`${path}.parameters.${name}`, value, `${accepted.join(', ')} with type ${type}`)
    }
  }
}

function validatePortGroups(groups: readonly PortGroupConfig[]): void {
  groups.forEach((group, index) => {
    const path = `portgroup[${index}]`
    const earlier = groups.slice(0, index)
    if (earlier.some(({ name }) => name === group.name)) {
      throw new InvalidArgumentError(`${path}.name`, group.name, 'a name that no other port group has')
    }
    if (group.default === true && earlier.some((other) => other.default === true)) {
      throw new InvalidArgumentError(`${path}.default`, true, 'at most one default port group')
    }
    if (group.vlan !== undefined) validateVlan(group.vlan, `${path}.vlan`)
    if (group.virtualport !== undefined) validateVirtualPort(group.virtualport, `${path}.virtualport`)
    if (group.bandwidth !== undefined) validateBandwidth(group.bandwidth, `${path}.bandwidth`)
  })
}
