/** Hosts in namespaces of their own, closed after each test. */
import { afterEach } from 'vitest'
import { Host } from '../../src/host/host.ts'
import { ipJson } from '../support/lab.ts'
import type { Json } from '../support/lab.ts'

const hosts: Host[] = []
afterEach(async () => { await Promise.all(hosts.splice(0).map(host => host.close())) })

export async function newHost(): Promise<Host> {
  const host = await Host.open({ netns: { create: true } })
  hosts.push(host)
  return host
}

/** One link as `ip -j -d link` shows it. */
export async function ipLink(host: Host, name: string): Promise<Json & { linkinfo: { info_data: Json, info_slave_data: Json } }> {
  const [link] = await ipJson<(Json & { linkinfo: { info_data: Json, info_slave_data: Json } })[]>(host.netnsFd, 'link', 'show', name)
  if (link === undefined) throw new Error(`ip shows no link ${name}`)
  return link
}

/** What kernels with tunnels put into each new namespace. */
const ofTheKernel = ['erspan0', 'gre0', 'gretap0', 'ip6_vti0', 'ip6gre0', 'ip6tnl0', 'ip_vti0', 'sit0', 'tunl0']

/** Names of all links but those, sorted. */
export async function ipLinks(host: Host): Promise<unknown[]> {
  return (await ipJson(host.netnsFd, 'link')).map(link => link['ifname']).filter(name => !ofTheKernel.includes(String(name))).sort()
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => { throw new Error('it was not rejected') }, (error: unknown) => error)
}
