import type { NetworkHandle } from '../../binding/index.ts'
import { aBoolean, aText, check, checkEach } from '../checks.ts'
import type { NetworkConfig } from '../network/config.ts'
import type { Lease, Network, NetworkInfo, NetworkUpdate, Port, PortSpec } from '../network/connection.ts'
import { checkUpdate, updateCommands, updateSections } from '../network/section.ts'
import { UpdatableNetwork } from '../network/updates.ts'
import { parseNetworkXml } from '../network/xml.ts'
import { attachPorts, detachPorts, listPorts } from '../ports/ports.ts'
import type { PortTarget } from '../ports/ports.ts'
import { calls } from './calls.ts'
import type { Bridges } from './connection.ts'
import { IPAddrType, NetworkUpdateFlags, NetworkXMLFlags, label } from './constants.ts'
import { isLibvirt } from './errors.ts'
import { explainStart, inactiveError, networkState, stateRules, transientError, updateRules, withState } from './explain.ts'
import { Held } from './held.ts'
import { Metadata, networkMetadata } from './metadata.ts'
import { flagsOf } from './options.ts'
import { NetworkPorts } from './ports.ts'
import type { Session } from './session.ts'

/** A network of libvirt's, by its UUID: it survives a reconnect. Errors of libvirt's that no code fits are ERR_LIBVIRT. */
export class LibvirtNetwork extends UpdatableNetwork implements Network, AsyncDisposable {
  readonly name: string
  readonly uuid: string
  /** Title, description, and elements of other programs. */
  readonly metadata: Metadata<NetworkHandle>
  /** What libvirt keeps of each guest's interface in it; `ports()` are the links of its bridge. */
  readonly networkPorts: NetworkPorts
  readonly #held: Held<NetworkHandle>
  readonly #bridges: Bridges

  constructor(session: Session, handle: NetworkHandle, bridges: Bridges) {
    super()
    const { name = '', uuid = '' } = handle
    this.name = name
    this.uuid = uuid
    this.#bridges = bridges
    this.#held = new Held(session, handle, connection => calls.virNetworkLookupByUUIDString(connection, uuid))
    this.metadata = new Metadata(this.#held, networkMetadata)
    this.networkPorts = new NetworkPorts(session, this.#held, uuid)
  }

  info(): Promise<NetworkInfo> {
    return this.#held.use(async network => {
      const [{ active, persistent }, autostart, bridge] = await Promise.all([
        networkState(network), calls.virNetworkGetAutostart(network), bridgeName(network),
      ])
      return { active, persistent, autostart: autostart === 1, bridge }
    })
  }

  async start(): Promise<void> {
    await this.#held.use(network => withState(network, stateRules.start, () => calls.virNetworkCreate(network))
      .catch((error: unknown) => { throw explainStart(error) }))
  }

  async destroy(): Promise<void> {
    await this.#held.use(network => withState(network, stateRules.destroy, () => calls.virNetworkDestroy(network)))
  }

  async undefine(): Promise<void> {
    await this.#held.use(network => withState(network, stateRules.undefine, () => calls.virNetworkUndefine(network)))
  }

  async setAutostart(on: boolean): Promise<void> {
    check('on', on, aBoolean)
    await this.#held.use(network => withState(network, stateRules.setAutostart,
      () => calls.virNetworkSetAutostart(network, on ? 1 : 0)))
  }

  async xml(options: { inactive?: boolean } = {}): Promise<string> {
    const flags = flagsOf('options', options, { inactive: NetworkXMLFlags.INACTIVE })
    return this.#held.use(async network => {
      if (flags === 0) return calls.virNetworkGetXMLDesc(network, 0)
      // libvirt would give the running configuration of a transient one.
      const [persistent, xml] = await Promise.all([calls.virNetworkIsPersistent(network), calls.virNetworkGetXMLDesc(network, flags)])
      if (persistent === 0) throw transientError(this.name, 'show the persistent configuration of')
      return xml
    })
  }

  async config(options: { inactive?: boolean } = {}): Promise<NetworkConfig> {
    return parseNetworkXml(await this.xml(options))
  }

  async leases(filter: { mac?: string } = {}): Promise<Lease[]> {
    checkEach('filter', filter, { mac: aText })
    const { mac } = filter
    return this.#held.use(network => withState(network, stateRules.leases, async () => {
      const leases = await calls.virNetworkGetDHCPLeases(network, mac ?? null, 0)
      // Drivers without an active network may say so with an empty list.
      if (leases.length === 0 && await calls.virNetworkIsActive(network) === 0) throw inactiveError(this.name)
      return leases.map(({ expirytime, type, mac: address, ...lease }) =>
        ({ ...lease, mac: address?.toLowerCase(), expiryTime: expirytime, type: label(IPAddrType, type) === 'ipv6' ? 'ipv6' : 'ipv4' }))
    }))
  }

  async update(change: NetworkUpdate): Promise<void> {
    const { command, section, xml, parentIndex = -1, live, config } = checkUpdate(change)
    const flags = (live ? NetworkUpdateFlags.LIVE : 0) | (config ? NetworkUpdateFlags.CONFIG : 0)
    await this.#held.use(network => withState(network, updateRules(live, config), () =>
      calls.virNetworkUpdate(network, updateCommands[command], updateSections[section], parentIndex, xml, flags)))
  }

  async attach(port: PortSpec = {}): Promise<Port> {
    const [made] = await attachPorts(await this.#target(), [port], { alone: true })
    return made as Port
  }

  async attachMany(ports: readonly PortSpec[]): Promise<Port[]> {
    return attachPorts(await this.#target(), ports)
  }

  async detachMany(ifnames: readonly string[]): Promise<void> {
    await detachPorts(await this.#target(), ifnames)
  }

  async ports(): Promise<Port[]> {
    const { active } = await this.#held.use(networkState)
    return active ? listPorts(await this.#target()) : []
  }

  /** Where ports go. The calls that `src/ports` makes are each a `use` of their own. */
  async #target(): Promise<PortTarget> {
    const { state, bridge, xml } = await this.#held.use(async network => {
      const [found, name, text] = await Promise.all([
        networkState(network), bridgeName(network), calls.virNetworkGetXMLDesc(network, 0),
      ])
      return { state: found, bridge: name, xml: text }
    })
    const channel = await this.#bridges.channel()
    if (!state.active) throw inactiveError(this.name)
    const { name, uuid } = this
    return { channel, network: { name, uuid, bridge, config: parseNetworkXml(xml), update: change => this.update(change) } }
  }

  /** Gives the handle back before the garbage collector would; later calls reject with ERR_CLOSED. The network stays. */
  close(): Promise<void> {
    return this.#held.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** '' for networks that have no bridge: those of macvtap and hostdev. */
async function bridgeName(network: NetworkHandle): Promise<string> {
  try {
    return await calls.virNetworkGetBridgeName(network)
  } catch (error) {
    if (isLibvirt(error, 'INTERNAL_ERROR')) return ''
    throw error
  }
}
