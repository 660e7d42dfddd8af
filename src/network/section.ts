/**
 * Changing one section of a network, as virNetworkUpdate does: pure, from a config to a config. Rules of libvirt's
 * virNetworkDefUpdateSection (src/conf/network_conf.c), except that an element to delete has to match in everything that
 * is given; libvirt takes an entry without a MAC for one with any MAC.
 */
import { aBoolean, check } from '../checks.ts'
import { checkFields, didYouMean, InvalidArgumentError, UnsupportedError, VirbrError } from '../errors.ts'
import type { IpConfig, NetworkConfig, SectionConfigs } from './config.ts'
import type { NetworkUpdate } from './connection.ts'
import { addressFamily, hostIn, ipSubnet } from './subnets.ts'
import { formatSectionXml, parseSectionXml } from './xml.ts'

type Section = keyof SectionConfigs
type Command = NetworkUpdate['command']

/** virNetworkUpdateCommand */
export const updateCommands: Readonly<Record<Command, number>> = { 'modify': 1, 'delete': 2, 'add-last': 3, 'add-first': 4 }

/** virNetworkUpdateSection */
export const updateSections: Readonly<Record<Section, number>> = {
  'bridge': 1,
  'domain': 2,
  'ip': 3,
  'ip-dhcp-host': 4,
  'ip-dhcp-range': 5,
  'forward': 6,
  'forward-interface': 7,
  'forward-pf': 8,
  'portgroup': 9,
  'dns-host': 10,
  'dns-txt': 11,
  'dns-srv': 12,
}

/** A NetworkUpdate whose form has been checked. */
export interface CheckedUpdate {
  command: Command
  section: Section
  /** Text that was given is as it was, not yet read. */
  xml: string
  parentIndex: number | undefined
  live: boolean
  config: boolean
}

/**
 * Checks what can be checked without the network.
 *
 * @throws InvalidArgumentError naming the field: `command`, `host.ip` of an element that is an object, …
 */
export function checkUpdate(change: NetworkUpdate): CheckedUpdate {
  checkFields(change, ['command', 'section', 'xml', 'parentIndex', 'live', 'config'], 'an update')
  const { command, section, xml, parentIndex, live = false, config = false } = change
  checkName('command', command, Object.keys(updateCommands))
  checkName('section', section, Object.keys(updateSections))
  check('live', live, aBoolean)
  check('config', config, aBoolean)
  if (parentIndex !== undefined && !(Number.isInteger(parentIndex) && parentIndex >= 0)) {
    throw new InvalidArgumentError('parentIndex', parentIndex, 'the number of an <ip>, from 0')
  }
  return { command, section, xml: sectionXml(section, xml, { partial: command === 'delete' }), parentIndex, live, config }
}

function checkName(field: string, value: unknown, names: readonly string[]): void {
  if (typeof value === 'string' && names.includes(value)) return
  const suggestion = typeof value === 'string' ? didYouMean(value, names) : ''
  throw new InvalidArgumentError(field, value, `one of ${names.join(', ')}${suggestion}`)
}

/**
 * An element as XML; text stays as it is.
 *
 * @param options `partial`: required fields may be missing, as in an element that says what to delete
 */
export function sectionXml(
  section: Section, element: NetworkUpdate['xml'], options: { partial: boolean } = { partial: false },
): string {
  if (typeof element === 'string') return element
  if (typeof element !== 'object' || element === null || Array.isArray(element)) {
    throw new InvalidArgumentError('xml', element, 'an element, as XML or as an object')
  }
  return formatSectionXml(section, element, options)
}

type Element = Record<string, unknown>

/** An update that has been read: all but the network that it is for. */
export interface SectionUpdate {
  command: Command
  section: ListSection
  element: Element
  parentIndex: number | undefined
}

/** Sections that hold a list of elements; no others can be updated. */
type ListSection = Exclude<Section, 'bridge' | 'domain' | 'ip' | 'forward' | 'forward-pf'>

interface ListRules<E> {
  canModify: boolean
  /** An existing element that stands in the way of a new one, or that a modified one replaces. */
  clashes: (given: E, existing: E) => boolean
  /** What an element to delete must say: one of these fields, or all of them. */
  known: { by: 'one' | 'all', fields: readonly (keyof E & string)[] }
  /** An existing element that is meant by one to delete. */
  isMeant: (given: Partial<E>, existing: E) => boolean
}

const hostKeys = ['mac', 'id', 'name', 'ip'] as const
const srvKeys = ['service', 'protocol', 'domain', 'target'] as const

/** Whether they agree in every one of these fields that is given. */
function agrees<E>(fields: readonly (keyof E)[], given: Partial<E>, existing: E): boolean {
  return fields.every(field => given[field] === undefined || sameValue(given[field], existing[field]))
}

/** Names of hosts and MACs know no case; config values come in one form otherwise. */
function sameValue(a: unknown, b: unknown): boolean {
  return typeof a === 'string' && typeof b === 'string' ? a.toLowerCase() === b.toLowerCase() : a === b
}

/** Rules for elements that are known by these fields, all of them. */
function known<E>(fields: readonly (keyof E & string)[]): Pick<ListRules<E>, 'clashes' | 'known' | 'isMeant'> {
  const same = (given: Partial<E>, existing: E): boolean => agrees(fields, given, existing)
  return { clashes: same, known: { by: 'all', fields }, isMeant: same }
}

const listRules: { [S in ListSection]: ListRules<SectionConfigs[S]> } = {
  'ip-dhcp-host': {
    canModify: true,
    clashes: (given, existing) => hostKeys.some(key => given[key] !== undefined && sameValue(given[key], existing[key])),
    known: { by: 'one', fields: hostKeys },
    isMeant: (given, existing) => agrees(hostKeys, given, existing),
  },
  'ip-dhcp-range': { canModify: false, ...known(['start', 'end']) },
  'forward-interface': { canModify: false, ...known(['dev']) },
  'portgroup': { canModify: true, ...known(['name']) },
  'dns-host': {
    canModify: true,
    // One name may have several addresses.
    clashes: (given, existing) => given.ip === existing.ip,
    known: { by: 'one', fields: ['ip', 'hostname'] },
    isMeant: (given, existing) => given.ip === existing.ip ||
      (given.hostname ?? []).some(name => existing.hostname.some(other => sameValue(name, other))),
  },
  'dns-txt': { canModify: true, ...known(['name']) },
  'dns-srv': {
    canModify: false,
    clashes: (given, existing) => agrees(srvKeys, given, existing),
    known: { by: 'one', fields: srvKeys },
    isMeant: (given, existing) => agrees(srvKeys, given, existing),
  },
}

function rulesOf(section: ListSection): ListRules<Element> {
  return listRules[section] as unknown as ListRules<Element>
}

/**
 * Reads the element.
 *
 * @throws UnsupportedError: a section that cannot be updated, or whose elements cannot be modified
 * @throws XmlError
 * @throws InvalidArgumentError: an element to delete that does not say which one
 */
export function readUpdate({ command, section, xml, parentIndex }: CheckedUpdate): SectionUpdate {
  if (!isListSection(section)) {
    throw new UnsupportedError(`update of section ${section}`,
      `section ${section} cannot be updated; define the network anew, and restart it`)
  }
  const rules = rulesOf(section)
  if (command === 'modify' && !rules.canModify) {
    throw new UnsupportedError(`modify in section ${section}`, `section ${section} cannot be modified, only added to and deleted from`)
  }
  const element: Element = { ...parseSectionXml(section, xml, { partial: command === 'delete', unknown: 'refuse' }) }
  const { by, fields } = rules.known
  const missing = fields.filter(field => element[field] === undefined)
  if (by === 'one' ? missing.length === fields.length : missing.length > 0) {
    const [field = ''] = missing
    const accepted = by === 'one' ? `one of ${fields.join(', ')}, to know it by` : 'a value, to know it by'
    throw new InvalidArgumentError(`xml.${field}`, undefined, accepted)
  }
  return { command, section, element, parentIndex }
}

function isListSection(section: Section): section is ListSection {
  return Object.hasOwn(listRules, section)
}

/**
 * A new config with the change. Whether a network can be built from it is validateNetwork's question.
 *
 * @throws VirbrError ERR_UPDATE_FAILED: no such element, or several (delete); already one (add)
 */
export function applyUpdate(config: NetworkConfig, update: SectionUpdate): NetworkConfig {
  const { command, section, element } = update
  const rules = rulesOf(section)
  const place = placeOf(config, update, rules)
  const list = place.read(config)
  const shown = show(section, element)
  const positions = positionsOf(list, command, element, rules)
  const [position] = positions
  const failed = (why: string): VirbrError => new VirbrError('ERR_UPDATE_FAILED', `network ${config.name}: ${why}`)

  if (command === 'add-first' || command === 'add-last') {
    if (position !== undefined) throw failed(`${show(section, list[position])} stands in the way of ${shown}`)
    place.checkAdd?.()
    return place.write(config, command === 'add-first' ? [element, ...list] : [...list, element])
  }
  if (position === undefined) throw failed(`there is no ${shown} to ${command}`)
  if (command === 'modify') return place.write(config, list.with(position, element))
  if (positions.length > 1) {
    throw failed(`${shown} means several: ${positions.map(one => show(section, list[one])).join(', ')}`)
  }
  if (Number(list[position]?.['connections'] ?? 0) > 0) throw failed(`guests are using ${shown}`)
  return place.write(config, list.toSpliced(position, 1))
}

function positionsOf(list: readonly Element[], command: Command, element: Element, rules: ListRules<Element>): number[] {
  const matches = command === 'delete' ? rules.isMeant : rules.clashes
  return [...list.keys()].filter(position => matches(element, list[position] as Element))
}

/** On one line. */
function show(section: Section, element: Element | undefined): string {
  return formatSectionXml(section, element ?? {}, { partial: true }).replace(/\n\s*/g, '')
}

/** Where in a config the list is. */
interface Place {
  read(config: NetworkConfig): readonly Element[]
  write(config: NetworkConfig, list: readonly Element[]): NetworkConfig
  /** Throws if nothing may be added here. */
  checkAdd?(): void
}

function placeOf(config: NetworkConfig, update: SectionUpdate, rules: ListRules<Element>): Place {
  switch (update.section) {
    case 'ip-dhcp-host': return dhcpPlace(config, 'host', update, rules)
    case 'ip-dhcp-range': return dhcpPlace(config, 'range', update, rules)
    case 'dns-host': return dnsPlace('host')
    case 'dns-txt': return dnsPlace('txt')
    case 'dns-srv': return dnsPlace('srv')
    case 'forward-interface': return forwardPlace
    case 'portgroup': return { read: ({ portgroup }) => asElements(portgroup), write: (all, list) => withList(all, 'portgroup', list) }
  }
}

function asElements(list: readonly object[] | undefined): readonly Element[] {
  return (list ?? []) as readonly Element[]
}

/** The object with this list, or, if it is empty, without the field. */
function withList<T extends object>(object: T, field: keyof T, list: readonly unknown[]): T {
  const { [field]: _, ...rest } = object
  return (list.length === 0 ? rest : { ...rest, [field]: list }) as T
}

/** The object with this field, or without if there is nothing in it. */
function withObject<T extends object>(object: T, field: keyof T, value: object): T {
  const { [field]: _, ...rest } = object
  return (Object.keys(value).length === 0 ? rest : { ...rest, [field]: value }) as T
}

function dnsPlace(field: 'host' | 'txt' | 'srv'): Place {
  return {
    read: ({ dns }) => asElements(dns?.[field]),
    write: (config, list) => withObject(config, 'dns', withList(config.dns ?? {}, field, list)),
  }
}

/** libvirt prints the first interface in the attribute too. */
const forwardPlace: Place = {
  read: ({ forward }) => asElements(forward?.interface ?? (forward?.dev === undefined ? [] : [{ dev: forward.dev }])),
  write: (config, list) => {
    if (config.forward === undefined) {
      throw new VirbrError('ERR_UPDATE_FAILED', `network ${config.name} is isolated: it has no <forward> to put an interface into`)
    }
    const { dev: _, ...forward } = config.forward
    const [first] = list
    return { ...config, forward: withList({ ...forward, ...(first === undefined ? {} : { dev: first['dev'] as string }) }, 'interface', list) }
  },
}

function dhcpPlace(config: NetworkConfig, field: 'host' | 'range', update: SectionUpdate, rules: ListRules<Element>): Place {
  const ips = config.ip ?? []
  const index = ipIndex(config, field, update, rules)
  return {
    read: () => asElements(ips[index]?.dhcp?.[field]),
    write: (all, list) => {
      const { dhcp: before = {}, ...ip } = ips[index] as IpConfig
      const dhcp = withList(before, field, list)
      // As libvirt has it: without ranges and hosts there is no DHCP, whatever else stands there.
      return { ...all, ip: ips.with(index, hasDhcp({ dhcp }) ? { ...ip, dhcp } : ip) }
    },
    checkAdd: () => {
      const family = addressFamily(ips[index]?.address ?? '')
      const other = ips.find((ip, position) => position !== index && addressFamily(ip.address) === family && hasDhcp(ip))
      if (other === undefined) return
      throw new VirbrError('ERR_UPDATE_FAILED', `network ${config.name}: <ip address='${other.address}'> has DHCP, and only one of a family may`)
    },
  }
}

function hasDhcp({ dhcp }: Pick<IpConfig, 'dhcp'>): boolean {
  return (dhcp?.range ?? dhcp?.host) !== undefined
}

/** The one asked for, else the one that the address is in, else the one with the element, else as libvirt chooses. */
function ipIndex(config: NetworkConfig, field: 'host' | 'range', update: SectionUpdate, rules: ListRules<Element>): number {
  const ips = config.ip ?? []
  const { command, element, parentIndex } = update
  const noIp = (which: string): VirbrError => new VirbrError('ERR_UPDATE_FAILED', `network ${config.name} has no <ip>${which}`)
  if (parentIndex !== undefined) {
    if (parentIndex >= ips.length) throw noIp(` with parentIndex ${parentIndex}`)
    return parentIndex
  }
  const address = (element['ip'] ?? element['start']) as string | undefined
  const choices: ((ip: IpConfig) => boolean)[] = [
    ip => address !== undefined && isInside(address, ip),
    ip => !command.startsWith('add') && positionsOf(asElements(ip.dhcp?.[field]), command, element, rules).length > 0,
    hasDhcp,
    ip => addressFamily(ip.address) === 4,
    () => true,
  ]
  for (const choice of choices) {
    const index = ips.findIndex(choice)
    if (index !== -1) return index
  }
  throw noIp('')
}

function isInside(address: string, ip: IpConfig): boolean {
  const { family, network, prefix } = ipSubnet(ip)
  return addressFamily(address) === family && hostIn(address, `${network}/${prefix}`)
}
