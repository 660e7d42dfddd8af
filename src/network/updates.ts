/** The sections of virNetworkUpdate as verbs, the same for both drivers: each is one `update`. */
import { fieldsOf, isOn } from '../checks.ts'
import type {
  DhcpHostConfig, DhcpRangeConfig, DnsHostConfig, DnsSrvConfig, DnsTxtConfig, ForwardDeviceConfig, PortGroupConfig, SectionConfigs,
} from './config.ts'
import type { NetworkUpdate } from './connection.ts'

/** Where a change goes; see `NetworkUpdate`. */
export type UpdateOptions = Pick<NetworkUpdate, 'live' | 'config' | 'parentIndex'> & {
  /** Before all others of its kind, not after. Of `add…` only. */
  first?: boolean
}

/** What every network can do with `update`. An element to remove is given by as many of its fields as tell it from others. */
export interface NetworkUpdates {
  /** Reserves an address. By `mac` (IPv4), `id` (IPv6) or `name`. */
  addDhcpHost(host: DhcpHostConfig, options?: UpdateOptions): Promise<void>
  /** Replaces the reservation with the same `mac`, `id` or `name`. */
  modifyDhcpHost(host: DhcpHostConfig, options?: UpdateOptions): Promise<void>
  removeDhcpHost(host: Partial<DhcpHostConfig>, options?: UpdateOptions): Promise<void>
  addDhcpRange(range: DhcpRangeConfig, options?: UpdateOptions): Promise<void>
  removeDhcpRange(range: DhcpRangeConfig, options?: UpdateOptions): Promise<void>
  addForwardInterface(device: ForwardDeviceConfig, options?: UpdateOptions): Promise<void>
  removeForwardInterface(device: ForwardDeviceConfig, options?: UpdateOptions): Promise<void>
  addPortGroup(group: PortGroupConfig, options?: UpdateOptions): Promise<void>
  /** Replaces the portgroup of the same name. */
  modifyPortGroup(group: PortGroupConfig, options?: UpdateOptions): Promise<void>
  removePortGroup(group: Partial<PortGroupConfig> & { name: string }, options?: UpdateOptions): Promise<void>
  addDnsHost(host: DnsHostConfig, options?: UpdateOptions): Promise<void>
  /** Replaces the names of the host with the same `ip`. libvirt ≥ 10.6. */
  modifyDnsHost(host: DnsHostConfig, options?: UpdateOptions): Promise<void>
  /** By `ip`, or by one of the `hostname`s. */
  removeDnsHost(host: Partial<DnsHostConfig>, options?: UpdateOptions): Promise<void>
  addDnsTxt(record: DnsTxtConfig, options?: UpdateOptions): Promise<void>
  /** Replaces the value of the record with the same `name`. libvirt ≥ 10.6. */
  modifyDnsTxt(record: DnsTxtConfig, options?: UpdateOptions): Promise<void>
  removeDnsTxt(record: Partial<DnsTxtConfig> & { name: string }, options?: UpdateOptions): Promise<void>
  addDnsSrv(record: DnsSrvConfig, options?: UpdateOptions): Promise<void>
  removeDnsSrv(record: Partial<DnsSrvConfig>, options?: UpdateOptions): Promise<void>
}

/** The verbs, over the one method that a driver's network has to bring. */
export abstract class UpdatableNetwork implements NetworkUpdates {
  abstract update(change: NetworkUpdate): Promise<void>

  addDhcpHost(host: DhcpHostConfig, options?: UpdateOptions): Promise<void> { return this.#add('ip-dhcp-host', host, options) }
  modifyDhcpHost(host: DhcpHostConfig, options?: UpdateOptions): Promise<void> { return this.#change('modify', 'ip-dhcp-host', host, options) }
  removeDhcpHost(host: Partial<DhcpHostConfig>, options?: UpdateOptions): Promise<void> { return this.#change('delete', 'ip-dhcp-host', host, options) }
  addDhcpRange(range: DhcpRangeConfig, options?: UpdateOptions): Promise<void> { return this.#add('ip-dhcp-range', range, options) }
  removeDhcpRange(range: DhcpRangeConfig, options?: UpdateOptions): Promise<void> { return this.#change('delete', 'ip-dhcp-range', range, options) }
  addForwardInterface(device: ForwardDeviceConfig, options?: UpdateOptions): Promise<void> { return this.#add('forward-interface', device, options) }
  removeForwardInterface(device: ForwardDeviceConfig, options?: UpdateOptions): Promise<void> { return this.#change('delete', 'forward-interface', device, options) }
  addPortGroup(group: PortGroupConfig, options?: UpdateOptions): Promise<void> { return this.#add('portgroup', group, options) }
  modifyPortGroup(group: PortGroupConfig, options?: UpdateOptions): Promise<void> { return this.#change('modify', 'portgroup', group, options) }
  removePortGroup(group: Partial<PortGroupConfig> & { name: string }, options?: UpdateOptions): Promise<void> { return this.#change('delete', 'portgroup', group, options) }
  addDnsHost(host: DnsHostConfig, options?: UpdateOptions): Promise<void> { return this.#add('dns-host', host, options) }
  modifyDnsHost(host: DnsHostConfig, options?: UpdateOptions): Promise<void> { return this.#change('modify', 'dns-host', host, options) }
  removeDnsHost(host: Partial<DnsHostConfig>, options?: UpdateOptions): Promise<void> { return this.#change('delete', 'dns-host', host, options) }
  addDnsTxt(record: DnsTxtConfig, options?: UpdateOptions): Promise<void> { return this.#add('dns-txt', record, options) }
  modifyDnsTxt(record: DnsTxtConfig, options?: UpdateOptions): Promise<void> { return this.#change('modify', 'dns-txt', record, options) }
  removeDnsTxt(record: Partial<DnsTxtConfig> & { name: string }, options?: UpdateOptions): Promise<void> { return this.#change('delete', 'dns-txt', record, options) }
  addDnsSrv(record: DnsSrvConfig, options?: UpdateOptions): Promise<void> { return this.#add('dns-srv', record, options) }
  removeDnsSrv(record: Partial<DnsSrvConfig>, options?: UpdateOptions): Promise<void> { return this.#change('delete', 'dns-srv', record, options) }

  async #add<S extends keyof SectionConfigs>(section: S, xml: SectionConfigs[S], options: UpdateOptions = {}): Promise<void> {
    const { first, ...rest } = fieldsOf('options', options)
    return this.update({ command: isOn('first', first) ? 'add-first' : 'add-last', section, xml, ...rest } as NetworkUpdate)
  }

  async #change<S extends keyof SectionConfigs>(
    command: 'modify' | 'delete', section: S, xml: Partial<SectionConfigs[S]>, options: UpdateOptions = {},
  ): Promise<void> {
    return this.update({ command, section, xml, ...fieldsOf('options', options) } as NetworkUpdate)
  }
}
