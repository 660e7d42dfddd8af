/** Every option of a bridge and of its ports: set by us, shown by ip; and the kernel's own state, read by both. */
import { expect, test as always } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import type { Host } from '../../src/host/host.ts'
import { decode, encode } from '../netlink/support.ts'
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import type { Table } from '../../src/netlink/table.ts'
import { bridgeOptions, bridgePortOptions } from '../../src/rtnetlink/kinds/bridge.ts'
import { linkAttributes } from '../../src/rtnetlink/links.ts'
import type { BridgeOptions, BridgePortOptions } from '../../src/rtnetlink/links.ts'
import { ifinfomsg } from '../../src/rtnetlink/messages.ts'
import { ipLink, newHost, rejection } from '../host/support.ts'
import { bridgeJson, run } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { straceBytes } from '../support/strace.ts'

const bridges = needing(needs.kernel('bridge'))
const vlanFiltering = needing(needs.kernel('bridge'), needs.kernel('bridgeVlanFiltering'))
const ports = needing(needs.kernel('bridge'), needs.kernel('veth'))

/** [option, value, ip's key, what ip shows, ip's argument if it is not its key]. */
type Option<T> = { [K in keyof T & string]: readonly [K, T[K], string, unknown, string?] }[keyof T & string]

const bridgeSettings: Option<BridgeOptions>[] = [
  ['forwardDelayMs', 4000, 'forward_delay', 400],
  ['helloTimeMs', 3000, 'hello_time', 300],
  ['maxAgeMs', 10_000, 'max_age', 1000],
  ['ageingTimeMs', 60_000, 'ageing_time', 6000],
  ['stp', true, 'stp_state', 1],
  ['priority', 4096, 'priority', 4096],
  ['groupForwardMask', 0x4000, 'group_fwd_mask', '0x4000'],
  ['groupAddress', '01:80:c2:00:00:05', 'group_addr', '01:80:c2:00:00:05', 'group_address'],
  ['multicastRouter', 2, 'mcast_router', 2],
  ['multicastSnooping', false, 'mcast_snooping', 0],
  ['multicastQueryUseIfaddr', true, 'mcast_query_use_ifaddr', 1],
  ['multicastQuerier', true, 'mcast_querier', 1],
  ['multicastHashMax', 512, 'mcast_hash_max', 512],
  ['multicastLastMemberCount', 3, 'mcast_last_member_cnt', 3, 'mcast_last_member_count'],
  ['multicastStartupQueryCount', 4, 'mcast_startup_query_cnt', 4, 'mcast_startup_query_count'],
  ['multicastLastMemberIntervalMs', 2000, 'mcast_last_member_intvl', 200, 'mcast_last_member_interval'],
  ['multicastMembershipIntervalMs', 270_000, 'mcast_membership_intvl', 27_000, 'mcast_membership_interval'],
  ['multicastQuerierIntervalMs', 256_000, 'mcast_querier_intvl', 25_600, 'mcast_querier_interval'],
  ['multicastQueryIntervalMs', 126_000, 'mcast_query_intvl', 12_600, 'mcast_query_interval'],
  ['multicastQueryResponseIntervalMs', 11_000, 'mcast_query_response_intvl', 1100, 'mcast_query_response_interval'],
  ['multicastStartupQueryIntervalMs', 32_000, 'mcast_startup_query_intvl', 3200, 'mcast_startup_query_interval'],
  ['multicastStatsEnabled', true, 'mcast_stats_enabled', 1],
  ['multicastIgmpVersion', 3, 'mcast_igmp_version', 3],
  ['multicastMldVersion', 2, 'mcast_mld_version', 2],
  ['nfCallIptables', true, 'nf_call_iptables', 1],
  ['nfCallIp6tables', true, 'nf_call_ip6tables', 1],
  ['nfCallArptables', true, 'nf_call_arptables', 1],
]
const vlanSettings: Option<BridgeOptions>[] = [
  ['vlanFiltering', true, 'vlan_filtering', 1],
  ['vlanProtocol', '802.1ad', 'vlan_protocol', '802.1ad'],
  ['vlanDefaultPvid', 5, 'vlan_default_pvid', 5],
  ['vlanStatsEnabled', true, 'vlan_stats_enabled', 1],
  ['vlanStatsPerPort', true, 'vlan_stats_per_port', 1],
]
/** Since Linux 4.20 always 16, whatever is said: only the bytes can be compared. */
const ignored: Option<BridgeOptions>[] = [['multicastHashElasticity', 4, 'mcast_hash_elasticity', 16]]

const portSettings: Option<BridgePortOptions>[] = [
  ['priority', 5, 'priority', 5],
  ['cost', 7, 'cost', 7],
  ['hairpin', true, 'hairpin', true],
  ['guard', true, 'guard', true],
  ['rootBlock', true, 'root_block', true],
  ['fastLeave', true, 'fastleave', true],
  ['learning', false, 'learning', false],
  ['flood', false, 'flood', false],
  ['proxyArp', true, 'proxy_arp', true],
  ['proxyArpWifi', true, 'proxy_arp_wifi', true],
  ['multicastRouter', 2, 'multicast_router', 2],
  ['multicastFlood', false, 'mcast_flood', false],
  ['multicastToUnicast', true, 'mcast_to_unicast', true],
  ['vlanTunnel', true, 'vlan_tunnel', true],
  ['broadcastFlood', false, 'bcast_flood', false],
  ['groupForwardMask', 0x4000, 'group_fwd_mask', '0x4000'],
  ['neighSuppress', true, 'neigh_suppress', true],
  ['isolated', true, 'isolated', true],
  ['locked', true, 'locked', true],
  // Without spanning tree the bridge makes disabled and blocking ports forwarding at once.
  ['state', 'listening', 'state', 'listening'],
]

/** What ip 6.1 does not show: [option, value]. The kernel says it again, or is too old to know it. */
const unseenBridgeSettings = [['switches', { noLinkLocalLearn: true }], ['fdbMaxLearned', 99]] as const
const unseenPortSettings = [
  ['multicastEhtHostsLimit', 99], ['macAuthBypass', true], ['multicastMaxGroups', 99], ['neighVlanSuppress', true],
] as const

/** [option, ip's key, what ip shows as we read it]. */
type State<T> = readonly [keyof T & string, string, (shown: unknown) => unknown]
const bridgeId = (shown: unknown): string => {
  const [priority = '', ...mac] = String(shown).split(/[.:]/)
  return `${priority}.${mac.map(byte => byte.padStart(2, '0')).join('')}`
}
const same = (shown: unknown): unknown => shown
const bool = (shown: unknown): boolean => shown === 1
const hex = (shown: unknown): number => Number(shown)
/** Seconds, shortly after ours: it runs down, and between the two looks it may have come to its end and begun anew. */
const timer = (shown: unknown): unknown => ({ asymmetricMatch: (ms: number) => ms <= 1000 || Math.abs(ms - Number(shown) * 1000) <= 1000 })

const bridgeState: State<BridgeOptions>[] = [
  ['rootId', 'root_id', bridgeId],
  ['bridgeId', 'bridge_id', bridgeId],
  ['rootPort', 'root_port', same],
  ['rootPathCost', 'root_path_cost', same],
  ['topologyChange', 'topology_change', bool],
  ['topologyChangeDetected', 'topology_change_detected', bool],
  ['helloTimerMs', 'hello_timer', timer],
  ['tcnTimerMs', 'tcn_timer', timer],
  ['topologyChangeTimerMs', 'topology_change_timer', timer],
  ['gcTimerMs', 'gc_timer', timer],
]
const portStates: State<BridgePortOptions>[] = [
  ['rootId', 'root_id', bridgeId],
  ['bridgeId', 'bridge_id', bridgeId],
  ['designatedPort', 'designated_port', same],
  ['designatedCost', 'designated_cost', same],
  ['id', 'id', hex],
  ['number', 'no', hex],
  ['topologyChangeAck', 'topology_change_ack', bool],
  ['configPending', 'config_pending', bool],
  ['messageAgeTimerMs', 'message_age_timer', timer],
  ['forwardDelayTimerMs', 'forward_delay_timer', timer],
  ['holdTimerMs', 'hold_timer', timer],
]
/** State that ip 6.1 does not show. */
const unseenBridgeState = ['fdbLearned', 'multicastQuerierState'] as const
const unseenPortState = ['mrpRingOpen', 'mrpInOpen', 'multicastEhtHostsCount', 'multicastGroups'] as const

/** `{ option: value }` of some settings. */
const valuesOf = (settings: readonly (readonly [string, unknown, ...unknown[]])[]): object =>
  Object.fromEntries(settings.map(([option, value]) => [option, value]))

always('every option is here', () => {
  const names = (table: object): string[] => Object.keys((table as Table<Record<string, never>>).entries).sort()
  const covered = (...lists: (readonly (readonly [string, ...unknown[]])[])[]): string[] => lists.flat().map(([option]) => option)
  expect([...covered(bridgeSettings, vlanSettings, ignored, bridgeState, unseenBridgeSettings), ...unseenBridgeState, 'fdbFlush'].sort())
    .toEqual(names(bridgeOptions))
  expect([...covered(portSettings, portStates, unseenPortSettings), ...unseenPortState, 'backupPort', 'backupNexthopId', 'fdbFlush'].sort())
    .toEqual(names(bridgePortOptions))
})

always.each([
  ['bridge', bridgeOptions, [...bridgeState.map(([option]) => option), ...unseenBridgeState]],
  ['port', bridgePortOptions, [...portStates.map(([option]) => option), ...unseenPortState]],
])('what only the kernel sets of a %s is refused', (_, table, options) => {
  for (const option of options) {
    const given = { [option]: 1 }
    expect(() => encode<object>(table, given)).toThrow(InvalidArgumentError)
    expect(() => encode<object>(table, given)).toThrow(`${option}: expected nothing: it can only be read, got 1`)
  }
})

async function withPort(): Promise<Host> {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge', up: true })
  await host.links.create({ name: 'v0', kind: 'veth', master: 'br0', up: true, veth: { peer: { name: 'v1', up: true } } })
  return host
}

bridges.test('options of a bridge, one by one: the kernel has what was said, and not before', async () => {
  const host = await newHost()
  await host.links.create({ name: 'br0', kind: 'bridge' })
  for (const [option, value, key, shown] of bridgeSettings) {
    const before = (await ipLink(host, 'br0')).linkinfo.info_data
    const { bridge } = await host.links.set('br0', { bridge: { [option]: value } })
    const after = (await ipLink(host, 'br0')).linkinfo.info_data
    expect([option, before[key]]).not.toEqual([option, shown])
    expect([option, after[key], bridge?.[option]]).toEqual([option, shown, value])
  }
})

bridges.test('options of a bridge, all at its creation', async () => {
  const host = await newHost()
  const values = valuesOf(bridgeSettings)
  const { bridge } = await host.links.create({ name: 'br0', kind: 'bridge', bridge: values })
  expect(bridge).toMatchObject(values)
  expect((await ipLink(host, 'br0')).linkinfo.info_data)
    .toMatchObject(Object.fromEntries(bridgeSettings.map(([, , key, shown]) => [key, shown])))
})

vlanFiltering.test('options of a bridge that filters VLANs', async () => {
  const host = await newHost()
  const { bridge } = await host.links.create({ name: 'br0', kind: 'bridge', bridge: valuesOf(vlanSettings) })
  expect(bridge).toMatchObject(valuesOf(vlanSettings))
  expect((await ipLink(host, 'br0')).linkinfo.info_data)
    .toMatchObject(Object.fromEntries(vlanSettings.map(([, , key, shown]) => [key, shown])))
})

needing(needs.netAdmin, needs.tool('strace'), needs.kernel('bridge'))
  .test('options of a bridge are the bytes that ip sends, also where this kernel refuses them', async () => {
    const settings = [...bridgeSettings, ...vlanSettings, ...ignored]
    const words = settings.flatMap(([option, value, key, shown, argument = key]) =>
      [argument, option === 'multicastHashElasticity' ? String(value) : String(shown)])
    const sent = await straceBytes(['sh', '-c', `ip link add br0 type bridge ${words.join(' ')} || true`])
    const bytes = sent.at(-1)?.bytes ?? Buffer.alloc(0)
    const { linkinfo } = decode(linkAttributes, bytes.subarray(NLMSG_HDRLEN + ifinfomsg.size))
    // Also in the order given: byte for byte.
    expect(linkinfo?.data).toEqual(valuesOf(settings))
    const ours = encode<object>(bridgeOptions, linkinfo?.data as object)
    expect(bytes.subarray(-ours.length).toString('hex')).toBe(ours.toString('hex'))
  })

ports.test('options of a port, one by one: the kernel has what was said, and not before', async () => {
  const host = await withPort()
  for (const [option, value, key, shown] of portSettings) {
    const show = async (): Promise<Json> => (await ipLink(host, 'v0')).linkinfo.info_slave_data
    const before = await show()
    const { port } = await host.links.set('v0', { port: { [option]: value } })
    const after = await show()
    expect([option, port?.[option]]).toEqual([option, value])
    expect([option, before[key]]).not.toEqual([option, shown])
    expect([option, after[key]]).toEqual([option, shown])
  }
})

ports.test('options that ip does not show: the kernel says them again', async () => {
  const host = await withPort()
  await host.links.set('v0', { port: { locked: true } })
  for (const [option, value] of unseenBridgeSettings) {
    const known = option in ((await host.links.get('br0')).bridge ?? {})
    const change = host.links.set('br0', { bridge: { [option]: value } })
    if (known) expect((await change).bridge).toMatchObject({ [option]: value })
    else expect(await rejection(change)).toMatchObject({ code: 'ERR_UNSUPPORTED' })
  }
  for (const [option, value] of unseenPortSettings) {
    const known = option in ((await host.links.get('v0')).port ?? {})
    const change = host.links.set('v0', { port: { [option]: value } })
    if (known) expect((await change).port).toMatchObject({ [option]: value })
    else expect(await rejection(change)).toMatchObject({ code: 'ERR_UNSUPPORTED' })
  }
})

const backup = (host: Host): Promise<unknown> => ipLink(host, 'v0').then(link => link.linkinfo.info_slave_data['backup_port'])

ports.test('the port that takes over for another, by index, by name, none', async () => {
  const host = await withPort()
  const { index } = await host.links.create({ name: 'v2', kind: 'veth', master: 'br0', altNames: ['another'], veth: { peer: { name: 'v3' } } })
  for (const backupPort of [index, 'v2', 'another']) {
    expect((await host.links.set('v0', { port: { backupPort } })).port).toMatchObject({ backupPort: index })
    expect(await backup(host)).toBe('v2')
    expect((await host.links.set('v0', { port: { backupPort: 0 } })).port?.backupPort).toBeUndefined()
    expect(await backup(host)).toBeUndefined()
  }
  await host.links.setMany([{ link: 'v0', port: { backupPort: 'another' } }])
  expect(await backup(host)).toBe('v2')
})

ports.test('the port that takes over, of new links', async () => {
  const host = await withPort()
  const port = { backupPort: 'v0' }
  const made = await host.links.create({ name: 'v2', kind: 'veth', master: 'br0', port, veth: { peer: { name: 'v3' } } })
  const tap = await host.links.create({ name: 'tap0', kind: 'tap', master: 'br0', port })
  // In any order: v4 is behind v6 here.
  await host.links.createMany([
    { name: 'v4', kind: 'veth', master: 'br0', port: { backupPort: 'v6' } }, { name: 'v6', kind: 'veth', master: 'br0', port },
  ])
  const { index } = await host.links.get('v0')
  expect([made.port?.backupPort, tap.port?.backupPort, (await host.links.get('v6')).port?.backupPort]).toEqual([index, index, index])
  expect((await ipLink(host, 'v4')).linkinfo.info_slave_data).toMatchObject({ backup_port: 'v6' })
})

ports.test('what cannot take over for a port', async () => {
  const host = await withPort()
  await host.links.create({ name: 'br1', kind: 'bridge' })
  await host.links.create({ name: 'v2', kind: 'veth', master: 'br1', veth: { peer: { name: 'v3' } } })
  const { index } = await host.links.get('v3')
  // Itself, a link that is no port, the bridge, a port of another bridge.
  for (const backupPort of ['v0', 'v3', index, 'br0', 'v2', 4711]) {
    const refused = { code: 'ERR_INVALID_ARGUMENT', field: 'port.backupPort', value: backupPort }
    expect(await rejection(host.links.set('v0', { port: { backupPort } }))).toMatchObject(refused)
    expect(await rejection(host.links.setMany([{ link: 'v0', port: { backupPort } }]))).toMatchObject({ failures: [{ error: refused }] })
    if (backupPort === 'v0') continue
    const spec = { name: 'v4', kind: 'veth', master: 'br0', port: { backupPort } }
    expect(await rejection(host.links.create(spec))).toMatchObject(refused)
    expect(await rejection(host.links.createMany([spec]))).toMatchObject({ failures: [{ error: refused }] })
    expect(await rejection(host.links.create({ name: 'tap0', kind: 'tap', master: 'br0', port: { backupPort } }))).toMatchObject(refused)
  }
  expect(await backup(host)).toBeUndefined()
  const nowhere = { port: { backupPort: 'nowhere' } }
  expect(await rejection(host.links.set('v0', nowhere))).toMatchObject({ code: 'ERR_NO_LINK', message: 'no link nowhere' })
  expect(await rejection(host.links.create({ name: 'v4', kind: 'veth', master: 'br0', ...nowhere }))).toMatchObject({ code: 'ERR_NO_LINK' })
  expect(await rejection(host.links.createMany([{ name: 'v4', kind: 'veth', master: 'br0', ...nowhere }])))
    .toMatchObject({ failures: [{ error: { code: 'ERR_NO_LINK' } }] })
  expect(await rejection(host.links.set('v0', { port: { backupPort: '' } }))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'port.backupPort' })
  expect(await rejection(host.links.get('v4'))).toMatchObject({ code: 'ERR_NO_LINK' })
})

needing(needs.tool('bridge'), needs.kernel('bridge'), needs.kernel('veth'))
  .test('a flush of what was learned at a port, and of a whole bridge, leaves what was not', async () => {
    const host = await withPort()
    await host.links.create({ name: 'v2', kind: 'veth', master: 'br0', up: true, veth: { peer: { name: 'v3', up: true } } })
    const learn = async (): Promise<void> => {
      for (const [number, port] of ['v0', 'v2'].entries()) {
        await run('bridge', ['fdb', 'replace', `52:54:00:00:00:1${number}`, 'dev', port, 'master', 'dynamic'], { netns: host.netnsFd })
        await run('bridge', ['fdb', 'replace', `52:54:00:00:00:2${number}`, 'dev', port, 'master', 'static'], { netns: host.netnsFd })
      }
    }
    const left = async (): Promise<string[]> => {
      const entries = (await bridgeJson(host.netnsFd, 'fdb', 'show', 'br', 'br0')).map(({ mac }) => String(mac))
      return [...new Set(entries)].filter(mac => /^52:54:00:00:00:[12]/.test(mac)).map(mac => mac.slice(-2)).sort()
    }
    await learn()
    expect(await left()).toEqual(['10', '11', '20', '21'])
    expect((await host.links.set('v0', { port: { fdbFlush: false } })).port).not.toHaveProperty('fdbFlush')
    expect(await left()).toEqual(['10', '11', '20', '21'])
    await host.links.set('v0', { port: { fdbFlush: true } })
    expect(await left()).toEqual(['11', '20', '21'])
    await learn()
    await host.links.setMany([{ link: 'v2', port: { fdbFlush: true } }])
    expect(await left()).toEqual(['10', '20', '21'])
    await learn()
    await host.links.set('br0', { bridge: { fdbFlush: true } })
    expect(await left()).toEqual(['20', '21'])
  })

ports.test.each([[false], [true]])('state of a bridge and of a port, as ip shows it, with spanning tree %s', async stp => {
  const host = await withPort()
  await host.links.set('br0', { bridge: { stp } })
  const [bridge, port] = [await host.links.get('br0'), await host.links.get('v0')]
  const [shownBridge, shownPort] = [await ipLink(host, 'br0'), await ipLink(host, 'v0')]
  for (const [option, key, read] of bridgeState) {
    expect([option, bridge.bridge?.[option]]).toEqual([option, read(shownBridge.linkinfo.info_data[key])])
  }
  for (const [option, key, read] of portStates) {
    expect([option, port.port?.[option]]).toEqual([option, read(shownPort.linkinfo.info_slave_data[key])])
  }
})
