/** Network interfaces of domains: read from the domain's XML, written for attaching. */
import { randomBytes } from 'node:crypto'
import { aBoolean, anObject, aText, check, checkEach, oneOf, wholeNumber } from '../checks.ts'
import type { Check } from '../checks.ts'
import type { Element } from '@xmldom/xmldom'
import { InvalidArgumentError } from '../errors.ts'
import { unicastMac } from '../network/codecs.ts'
import { outerXml, parseXml } from '../network/dom.ts'
import { checkBandwidth } from './bandwidth.ts'
import type { Bandwidth, Rates } from './bandwidth.ts'
import { element } from './markup.ts'
import { aMac } from './options.ts'

/** An `<interface>` of a domain, what a network is concerned with; all of it is in `Domain.xml()`. */
export interface DomainInterface {
  /** `network`, `bridge`, `direct`, `user`, `ethernet`, … */
  type: string
  /** Type network: its name. */
  network: string | undefined
  portgroup: string | undefined
  /** The UUID of its port of the network, while the domain runs. */
  port: string | undefined
  /** The bridge it is in: type bridge, and type network while the domain runs. */
  bridge: string | undefined
  /** Type direct: the host's device that it is on top of. */
  dev: string | undefined
  /** In lower case. */
  mac: string
  /** Its device on the host, e.g. `vnet0`. Undefined while the domain does not run, unless it was chosen. */
  target: string | undefined
  /** As which hardware the guest sees it, e.g. `virtio`. */
  model: string | undefined
  /** libvirt's name of the device, e.g. `net0`; for `detachDeviceByAlias` and in events. */
  alias: string | undefined
  /** Whether the cable is plugged in. */
  link: 'up' | 'down'
  mtu: number | undefined
  /** The network filter that it refers to. */
  filter: string | undefined
  /** All of it, as it stands in the domain's XML: for `updateDevice`. */
  xml: string
}

/** Which interface to attach. Exactly one of `network`, `bridge` and `direct`. Source: libvirt's formatdomain. */
export interface DomainInterfaceSpec {
  /** Name of a virtual network. */
  network?: string
  /** Of that network. */
  portgroup?: string
  /** A bridge of the host. */
  bridge?: string
  /** macvtap on a device of the host; mode default vepa. */
  direct?: { dev: string, mode?: 'vepa' | 'bridge' | 'private' | 'passthrough' }
  /** Unicast. Default: chosen, 52:54:00:xx:xx:xx. */
  mac?: string
  /** e.g. `virtio`. Default: the hypervisor's. */
  model?: string
  /** Its device on the host; default: libvirt's `vnetN`. Names that begin with `vnet` are libvirt's. */
  target?: string
  /** For `detachDeviceByAlias`; must begin with `ua-`. */
  alias?: string
  bandwidth?: Bandwidth
  mtu?: number
  /** Default `up`. */
  link?: 'up' | 'down'
  /** A network filter by name, and its variables. */
  filter?: { name: string, parameters?: Readonly<Record<string, string>> }
  /** Other isolated ports of the bridge cannot be reached. */
  isolated?: boolean
  /** 1 to 4094, where the bridge does VLANs (Open vSwitch; Linux since libvirt 11.0). */
  vlan?: number
  /** Place in the order of devices to boot from, from 1. */
  bootOrder?: number
  /** virtio: number of queues. */
  queues?: number
}

const specChecks: Readonly<Record<keyof DomainInterfaceSpec, Check>> = {
  network: aText,
  portgroup: aText,
  bridge: aText,
  direct: anObject,
  mac: aMac,
  model: aText,
  target: aText,
  alias: { accepted: 'a name that begins with ua-', test: value => typeof value === 'string' && /^ua-[\w-]+$/.test(value) },
  bandwidth: anObject,
  mtu: wholeNumber(68, 65535),
  link: oneOf(['up', 'down']),
  filter: anObject,
  isolated: aBoolean,
  vlan: wholeNumber(1, 4094),
  bootOrder: wholeNumber(1, 65535),
  queues: wholeNumber(1, 256),
}

function checkSpec(spec: DomainInterfaceSpec): void {
  checkEach('interface', spec, specChecks)
  const sources = (['network', 'bridge', 'direct'] as const).filter(name => spec[name] !== undefined)
  if (sources.length !== 1) {
    throw new InvalidArgumentError('interface', spec, `exactly one of network, bridge and direct${
      sources.length === 0 ? '' : `, not ${sources.join(' and ')}`}`)
  }
  if (spec.portgroup !== undefined && spec.network === undefined) {
    throw new InvalidArgumentError('interface.portgroup', spec.portgroup, 'a network that it is of')
  }
  if (spec.direct !== undefined) {
    checkEach('interface.direct', spec.direct, { dev: aText, mode: oneOf(['vepa', 'bridge', 'private', 'passthrough']) })
    check('interface.direct.dev', spec.direct.dev, aText)
  }
  if (spec.bandwidth !== undefined) checkBandwidth('interface.bandwidth', spec.bandwidth)
  if (spec.filter === undefined) return
  checkEach('interface.filter', spec.filter, { name: aText, parameters: anObject })
  check('interface.filter.name', spec.filter.name, aText)
  for (const [name, value] of Object.entries(spec.filter.parameters ?? {})) {
    check(`interface.filter.parameters.${name}`, value, aText)
  }
}

/** The MAC and the `<interface>` of a spec. Throws InvalidArgumentError. */
export function interfaceXml(spec: DomainInterfaceSpec): { mac: string, xml: string } {
  checkSpec(spec)
  const mac = unicastMac.format(spec.mac ?? randomMac()) ?? ''
  const { network, portgroup, bridge, direct, filter } = spec
  const type = network !== undefined ? 'network' : bridge !== undefined ? 'bridge' : 'direct'
  const parameters = Object.entries(filter?.parameters ?? {})
  const xml = element('interface', { type },
    element('mac', { address: mac }),
    element('source', { network, portgroup, bridge, dev: direct?.dev, mode: direct?.mode }),
    spec.target === undefined ? undefined : element('target', { dev: spec.target }),
    spec.model === undefined ? undefined : element('model', { type: spec.model }),
    spec.queues === undefined ? undefined : element('driver', { queues: spec.queues }),
    filter === undefined ? undefined
      : element('filterref', { filter: filter.name }, ...parameters.map(([name, value]) => element('parameter', { name, value }))),
    spec.bandwidth === undefined ? undefined : bandwidthXml(spec.bandwidth),
    spec.vlan === undefined ? undefined : element('vlan', {}, element('tag', { id: spec.vlan })),
    spec.isolated === undefined ? undefined : element('port', { isolated: spec.isolated }),
    spec.link === undefined ? undefined : element('link', { state: spec.link }),
    spec.mtu === undefined ? undefined : element('mtu', { size: spec.mtu }),
    spec.bootOrder === undefined ? undefined : element('boot', { order: spec.bootOrder }),
    spec.alias === undefined ? undefined : element('alias', { name: spec.alias }))
  return { mac, xml }
}

/** What the running domain's interface has that the configuration's has not, or has otherwise. */
const liveElements = ['address', 'alias']

/** The interface for a detachment from both the running domain and the configuration, found in either by its MAC. */
export function detachXml({ xml }: DomainInterface): string {
  const node = parseXml(xml)
  for (const name of liveElements) for (const one of children(node, name)) node.removeChild(one)
  return outerXml(node)
}

/** `<bandwidth>` of an interface or a network port. */
export function bandwidthXml({ inbound, outbound }: Bandwidth): string {
  const rates = (name: string, given: Rates | undefined): string | undefined => given && element(name, { ...given })
  return element('bandwidth', {}, rates('inbound', inbound), rates('outbound', outbound))
}

/** QEMU's prefix, as libvirt chooses MACs. */
function randomMac(): string {
  return ['52', '54', '00', ...randomBytes(3).toString('hex').match(/../g) ?? []].join(':')
}

/** The `<interface>` elements of a domain's XML, in their order. */
export function parseInterfaces(domainXml: string): DomainInterface[] {
  const devices = child(parseXml(domainXml), 'devices')
  if (devices === undefined) return []
  return children(devices, 'interface').map(node => {
    const source = child(node, 'source')
    const type = attribute(node, 'type') ?? ''
    return {
      type,
      network: attribute(source, 'network'),
      portgroup: attribute(source, 'portgroup'),
      port: attribute(source, 'portid'),
      bridge: attribute(source, 'bridge'),
      dev: attribute(source, 'dev'),
      mac: attribute(child(node, 'mac'), 'address')?.toLowerCase() ?? '',
      target: attribute(child(node, 'target'), 'dev'),
      model: attribute(child(node, 'model'), 'type'),
      alias: attribute(child(node, 'alias'), 'name'),
      link: attribute(child(node, 'link'), 'state') === 'down' ? 'down' : 'up',
      mtu: optionalNumber(attribute(child(node, 'mtu'), 'size')),
      filter: attribute(child(node, 'filterref'), 'filter'),
      xml: outerXml(node),
    }
  })
}

/** Domain XML is libvirt's, or passed its parser: what is not looked for is passed over, text too. */
function children(parent: Element, name: string): Element[] {
  const found: Element[] = []
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1 && node.nodeName === name) found.push(node as Element)
  }
  return found
}

function child(parent: Element, name: string): Element | undefined {
  return children(parent, name)[0]
}

function attribute(node: Element | undefined, name: string): string | undefined {
  return node?.getAttribute(name) ?? undefined
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
