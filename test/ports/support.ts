/** Networks with ports, guests in namespaces of their own, and what ip and bridge show of them. */
import { onTestFinished } from 'vitest'
import { Channel } from '../../src/host/channel.ts'
import { Host } from '../../src/host/host.ts'
import { openNative } from '../../src/host/netns.ts'
import type { Network, NetworkUpdate } from '../../src/network/connection.ts'
import type { PortTarget } from '../../src/ports/ports.ts'
import { kernelNeeds, openLab } from '../kernel/lab.ts'
import type { Lab } from '../kernel/lab.ts'
import { bridgeJson, ipJson } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

export const portNeeds = [...kernelNeeds, needs.kernel('tap'), needs.kernel('veth'), needs.tool('bridge'), needs.tool('ping')]
export const { test, describe } = needing(...portNeeds)

/** A running network `lan` with the bridge `br1`, without an address unless given: no dnsmasq, so quick. */
export async function openNetwork(rest = ''): Promise<{ lab: Lab, network: Network }> {
  const lab = await openLab()
  const network = await (await lab.connect()).networks
    .create(`<network><name>lan</name><bridge name="br1" stp="off"/>${rest}</network>`)
  return { lab, network }
}

/** A namespace for a guest, gone with the test. */
export async function openGuest(): Promise<{ host: Host, netns: string }> {
  const host = await Host.open({ netns: { create: true } })
  onTestFinished(() => host.close())
  return { host, netns: `/proc/${process.pid}/fd/${host.netnsFd}` }
}

/** The same network as the port room sees it, with an `update` of the test's own. */
export async function targetOf(
  lab: Lab, network: Network, update: (change: NetworkUpdate) => Promise<void> = () => Promise.resolve(),
): Promise<PortTarget> {
  const channel = new Channel(await openNative({ path: lab.netns }))
  onTestFinished(() => channel.close())
  const { name, uuid } = network
  const { bridge } = await network.info()
  return { channel, network: { name, uuid, bridge, config: await network.config(), update } }
}

type Shown = Json & { linkinfo: { info_kind: string, info_data: Json, info_slave_data: Json } }

/** One link as `ip -j -d link` shows it. */
export async function shown({ netns }: Pick<Lab, 'netns'>, name: string): Promise<Shown> {
  const [link] = await ipJson<Shown[]>(netns, 'link', 'show', name)
  if (link === undefined) throw new Error(`ip shows no link ${name}`)
  return link
}

/** One port as `bridge -j -d link` shows it. */
export async function bridgePort({ netns }: Lab, name: string): Promise<Json | undefined> {
  return (await bridgeJson(netns, 'link')).find(link => link['ifname'] === name)
}

/** Names of all links, sorted. */
export async function names({ netns }: Pick<Lab, 'netns'>): Promise<unknown[]> {
  return (await ipJson(netns, 'link')).map(link => link['ifname']).sort()
}
