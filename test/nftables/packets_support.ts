/** A client, a router and a server, each in a namespace of its own, and what passes between them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { Host } from '../../src/host/host.ts'
import { inNetns, run } from '../support/lab.ts'

export const CLIENT = '10.1.0.2'
export const ROUTER = '10.1.0.1'
/** The router's address on the server's side. */
export const OUTSIDE = '10.2.0.1'
export const SERVER = '10.2.0.2'
/** The same in IPv6. */
export const CLIENT6 = 'fd01::2'
export const ROUTER6 = 'fd01::1'
export const OUTSIDE6 = 'fd02::1'
export const SERVER6 = 'fd02::2'
export const PORTS = [80, 81, 82, 8080]

/** Answers with who asks and which port was asked. */
const serverSource = `
  const { createServer } = require('node:net')
  const { createSocket } = require('node:dgram')
  const ports = ${JSON.stringify(PORTS)}
  let open = 2 * ports.length
  const ready = () => { if (--open === 0) console.log('ready') }
  const asker = address => address.replace('::ffff:', '')
  for (const port of ports) {
    createServer(socket => { socket.on('error', () => {}); socket.end(asker(socket.remoteAddress) + ' ' + socket.remotePort + ' ' + port) }).listen(port, '::', ready)
    const udp = createSocket('udp6').on('message', (_, from) => udp.send(asker(from.address) + ' ' + from.port + ' ' + port, from.port, from.address))
    udp.bind(port, '::', ready)
  }`

/** Asks all at once; each answer, or the error's name, or SILENCE. */
const clientSource = `
  const { connect } = require('node:net')
  const { createSocket } = require('node:dgram')
  const ask = (protocol, host, port) => new Promise(resolve => {
    const end = text => { clearTimeout(timer); resolve(text) }
    // An ICMPv6 error that comes while connect(2) still has the socket is heard when the SYN is sent again, after a second.
    const timer = setTimeout(() => resolve('SILENCE'), 1500)
    if (protocol === 'udp') {
      const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4').on('error', error => end(error.code)).on('message', data => { udp.close(); end(String(data)) })
      udp.connect(port, host, () => udp.send('?'))
      return
    }
    let text = ''
    connect(port, host).on('error', error => end(error.code)).on('data', data => { text += data }).on('end', () => end(text))
  })
  const work = async () => {
    const answers = await Promise.all(JSON.parse(process.argv[1]).map(asked => ask(...asked)))
    console.log(JSON.stringify(answers))
    process.exit(0)
  }
  work()`

export type Asked = readonly [protocol: 'tcp' | 'udp', host: string, port: number]

export interface Lab {
  client: Host
  router: Host
  server: Host
  /** From the client; to be answered by the server, or by the router. */
  ask(...asked: readonly Asked[]): Promise<string[]>
}

export async function openNetwork(): Promise<Lab> {
  const [client, router, server] = await Promise.all([0, 1, 2].map(() => Host.open({ netns: { create: true } }))) as [Host, Host, Host]
  const listening = new Set<number>()
  onTestFinished(async () => {
    for (const pid of listening) process.kill(pid, 'SIGKILL')
    await Promise.all([client, router, server].map(host => host.close()))
  })
  // No duplicate address detection, which takes a second or two.
  for (const host of [client, router, server]) for (const which of ['all', 'default']) await host.sysctl.set(`net.ipv6.conf.${which}.accept_dad`, 0)
  for (const [name, host] of [['c0', client], ['s0', server]] as const) {
    await router.links.create({ name, kind: 'veth', up: true, veth: { peer: { name: 'eth0', netns: host.netnsFd, up: true } } })
  }
  await router.addresses.add('c0', `${ROUTER}/24`)
  await router.addresses.add('s0', `${OUTSIDE}/24`)
  await client.addresses.add('eth0', `${CLIENT}/24`)
  await server.addresses.add('eth0', `${SERVER}/24`)
  for (const [host, link, address] of [[router, 'c0', ROUTER6], [router, 's0', OUTSIDE6], [client, 'eth0', CLIENT6], [server, 'eth0', SERVER6]] as const) {
    await host.addresses.add(link, `${address}/64`)
  }
  await client.routes.add({ to: 'default', via: ROUTER6 })
  await server.routes.add({ to: 'fd01::/64', via: OUTSIDE6 })
  await router.sysctl.set('net.ipv6.conf.all.forwarding', 1)
  await router.sysctl.set('net.ipv6.icmp.ratelimit', 0)
  await client.routes.add({ to: 'default', via: ROUTER })
  await server.routes.add({ to: '10.1.0.0/24', via: OUTSIDE })
  await router.sysctl.set('net.ipv4.ip_forward', 1)
  // Else the kernel sends only the first few rejections.
  await router.sysctl.set('net.ipv4.icmp_ratelimit', 0)
  await Promise.all([server, router].map(async host => {
    const [file = '', ...args] = inNetns([process.execPath, '-e', serverSource], { netns: host.netnsFd })
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    if (child.pid !== undefined) listening.add(child.pid)
    await once(child.stdout, 'data')
  }))
  return {
    client, router, server,
    async ask(...asked) {
      return JSON.parse(await run(process.execPath, ['-e', clientSource, JSON.stringify(asked)], { netns: client.netnsFd })) as string[]
    },
  }
}
