/** What a configuration leaves to the driver is chosen once and kept: UUID, MAC, bridge name. */
import { randomBytes, randomUUID } from 'node:crypto'
import { hexWithColons } from '../netlink/codecs.ts'
import type { ForwardConfig, NetworkConfig } from '../network/config.ts'
import { formatNetworkXml } from '../network/xml.ts'

/** A configuration that says everything the driver needs. */
export interface CompleteConfig extends NetworkConfig {
  uuid: string
  mac: { address: string }
  bridge: NonNullable<NetworkConfig['bridge']> & { name: string, stp: boolean, delay: number }
}

/** `taken`: names of bridges that are spoken for. */
export function completeConfig(config: NetworkConfig, taken: ReadonlySet<string>): CompleteConfig {
  const { forward } = config
  return {
    ...config,
    uuid: config.uuid ?? randomUUID(),
    ...(forward === undefined ? {} : { forward: completeForward(forward) }),
    bridge: { stp: true, delay: 0, ...config.bridge, name: bridgeName(config.bridge?.name, taken) },
    // libvirt's prefix for KVM, of the locally administered range.
    mac: config.mac ?? { address: `52:54:00:${hexWithColons(randomBytes(3), 0, 3)}` },
  }
}

/** As libvirt has it, the device stands both in the attribute and in an `<interface>`, whichever was given. */
function completeForward(forward: ForwardConfig): ForwardConfig {
  const dev = forward.dev ?? forward.interface?.[0]?.dev
  return { ...forward, mode: forward.mode ?? 'nat', ...(dev === undefined ? {} : { dev, interface: [{ dev }] }) }
}

/** The wanted name; a pattern with `%d`, by default `virbr%d`, takes the first free number. */
function bridgeName(wanted: string | undefined, taken: ReadonlySet<string>): string {
  const pattern = wanted ?? 'virbr%d'
  if (!pattern.includes('%d')) return pattern
  for (let number = 0; ; number++) {
    const name = pattern.replace('%d', String(number))
    if (!taken.has(name)) return name
  }
}

/** The running configuration says what libvirt's does: the ports that masquerading uses, even if nobody chose them. */
function liveConfig(config: CompleteConfig): CompleteConfig {
  const { forward } = config
  if (forward?.mode !== 'nat') return config
  return { ...config, forward: { ...forward, nat: { ...forward.nat, port: forward.nat?.port ?? { start: 1024, end: 65535 } } } }
}

const formatted = new WeakMap<CompleteConfig, string>()

/** XML of the running configuration. */
export function liveXml(config: CompleteConfig): string {
  let xml = formatted.get(config)
  if (xml === undefined) formatted.set(config, xml = formatNetworkXml(liveConfig(config)))
  return xml
}
