/** Event sockets: what comes, in which order, what is lost, what stays. */
import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import type { NativeHost, NativeWatch } from '../../binding/index.ts'
import { needing, needs } from '../support/needs.ts'
import {
  NLM_F_ACK, RTM_NEWLINK, addonPath, attribute, createLink, linkMessage, linkName, nameOf, openHost, parseReplies, payloadOf, runNode,
} from './support.ts'

const { test } = needing(needs.netAdmin)

const RTNLGRP_LINK = 1
const links = { op: 'watch', protocol: 0, groups: [RTNLGRP_LINK] } as const
const clean = (status: number, stdout = '') => ({ status, signal: null, stdout, stderr: '' })

async function openWatch(host: NativeHost, options: { receiveBuffer?: number } = {}): Promise<NativeWatch> {
  const { results } = await host.exec([{ ...links, ...options }])
  return results[0]
}

interface Delivery { messages: Buffer, lost: boolean, synced: boolean }

/** One delivery after the other. */
function deliveries(watch: NativeWatch): () => Promise<Delivery> {
  const came: Delivery[] = []
  let wake = (): void => {}
  let started = false
  const listener = (messages: Buffer, lost: boolean, synced: boolean): void => {
    came.push({ messages, lost, synced })
    wake()
  }
  return async () => {
    if (started) watch.want()
    else watch.start(listener)
    started = true
    while (came.length === 0) await new Promise<void>(resolve => { wake = resolve })
    return came.shift() as Delivery
  }
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `l${i}`)
const step = (messages: Buffer[]) => ({ op: 'netlink', protocol: 0, messages: Buffer.concat(messages) }) as const

const [RTM_SETLINK, IFLA_MTU] = [19, 4]

/** A change of the MTU of the loopback link: an event. */
function mtuChange(sequence: number, mtu: number): Buffer {
  const value = Buffer.alloc(4)
  value.writeUInt32LE(mtu)
  return linkMessage(RTM_SETLINK, NLM_F_ACK, sequence, [linkName('lo'), attribute(IFLA_MTU, value)])
}

/** An event each: the MTU becomes 1000 + first, … */
async function changes(host: NativeHost, first: number, count: number): Promise<void> {
  const { failed } = await host.exec([step(Array.from({ length: count }, (_, i) => mtuChange(i, 1000 + first + i)))])
  expect(failed).toBeUndefined()
}

/** What `changes` changed it to. */
const changed = (messages: Buffer): number[] =>
  parseReplies(messages).map(({ bytes }) => (payloadOf(bytes, IFLA_MTU)?.readUInt32LE() ?? 0) - 1000)
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i)

test('changes come as the kernel wrote them, all and in order', async () => {
  const host = await openHost()
  const watch = await openWatch(host)
  const next = deliveries(watch)
  await host.exec([step(names(50).map((name, i) => createLink(i, name)))])
  const seen: string[] = []
  while (seen.length < 50) {
    const { messages, lost } = await next()
    expect(lost).toBe(false)
    for (const message of parseReplies(messages)) {
      expect(message.type).toBe(RTM_NEWLINK)
      if (!seen.includes(nameOf(message))) seen.push(nameOf(message))
    }
  }
  expect(seen).toEqual(names(50))
  watch.close()
})

test('what changes after the socket was opened is heard, though nobody has asked yet', async () => {
  const host = await openHost()
  const { results } = await host.exec([links, step([createLink(0, 'early')])])
  const { messages } = await deliveries(results[0])()
  expect(parseReplies(messages).map(nameOf)).toContain('early')
  results[0].close()
})

test('sync is answered after all that was queued, and also if nothing was', async () => {
  const host = await openHost()
  const watch = await openWatch(host)
  const next = deliveries(watch)
  watch.sync()
  expect(await next()).toEqual({ messages: Buffer.alloc(0), lost: false, synced: true })
  await changes(host, 0, 200)
  watch.sync()
  const seen: number[] = []
  for (let synced = false; !synced;) {
    const delivery = await next()
    synced = delivery.synced
    seen.push(...changed(delivery.messages))
  }
  expect(seen).toEqual(from(0, 200))
  watch.close()
})

test('a slow listener: half a MiB waits here, the rest in the kernel, and nothing is lost', async () => {
  const host = await openHost()
  const watch = await openWatch(host)
  await changes(host, 0, 2000)
  watch.sync()
  const next = deliveries(watch)
  const sizes: number[] = []
  const seen: number[] = []
  for (let synced = false; !synced;) {
    const { messages, ...delivery } = await next()
    expect(delivery.lost).toBe(false)
    synced = delivery.synced
    sizes.push(messages.length)
    seen.push(...changed(messages))
  }
  expect(seen).toEqual(from(0, 2000))
  expect(sizes.length).toBeGreaterThan(2)
  expect(Math.max(...sizes)).toBeLessThan((512 << 10) + (64 << 10))
  watch.close()
})

test('a full queue of the kernel: what it held comes first, then the loss, then what happened later', async () => {
  const host = await openHost()
  const watch = await openWatch(host, { receiveBuffer: 256 << 10 })
  // The thread reads half a MiB by itself; the kernel holds some hundred more.
  await changes(host, 0, 3000)
  const next = deliveries(watch)
  const seen: number[] = []
  for (let lost = false; !lost;) {
    const delivery = await next()
    lost = delivery.lost
    seen.push(...changed(delivery.messages))
  }
  expect(seen).toEqual(from(0, seen.length))
  expect(seen.length).toBeLessThan(3000)
  await changes(host, 5000, 10)
  const later: number[] = []
  while (later.length < 10) {
    const { messages, lost } = await next()
    expect(lost).toBe(false)
    later.push(...changed(messages))
  }
  expect(later).toEqual(from(5000, 10))
  watch.close()
})

test('a group that the kernel does not have is a failure of the step; what is none is refused', async () => {
  const host = await openHost()
  const before = loadAddon().stats().watches
  const { failed } = await host.exec([{ ...links, groups: [1, 1000] }])
  expect(failed).toEqual({ step: 0, errno: 22, call: 'setsockopt(NETLINK_ADD_MEMBERSHIP)' })
  for (const groups of [[0], [-1], [1.5], ['1'], [1025], 1]) {
    await expect(host.exec([{ ...links, groups: groups as number[] }])).rejects.toThrow('step.groups')
  }
  expect(loadAddon().stats().watches).toBe(before)
  const watch = await openWatch(host)
  expect(() => { watch.start('listener' as never) }).toThrow('listener must be a function')
  watch.close()
})

test('after close nothing comes, and calls do nothing', async () => {
  const host = await openHost()
  const watch = await openWatch(host)
  let calls = 0
  watch.start(() => { calls++ })
  watch.ref()
  watch.close()
  watch.close()
  watch.sync()
  watch.want()
  watch.ref()
  await changes(host, 0, 5)
  await new Promise(resolve => setTimeout(resolve, 20))
  expect(calls).toBe(0)
})

test('the thread begins with the first watch and ends with the last; descriptors go with it', async () => {
  const addon = loadAddon()
  const fds = (): number => readdirSync('/proc/self/fd').length
  const host = await openHost()
  await host.exec([])
  const before = { fds: fds(), threads: addon.stats().threads }
  for (let round = 0; round < 20; round++) {
    const watches = await Promise.all(Array.from({ length: 10 }, () => openWatch(host)))
    // The thread of the round before may still be on its way out.
    await expect.poll(() => addon.stats()).toMatchObject({ watches: 10, threads: before.threads + 1 })
    for (const watch of watches) watch.close()
    expect(addon.stats().watches).toBe(0)
    if (round % 5 === 0) await expect.poll(() => addon.stats().threads).toBe(before.threads)
  }
  await expect.poll(() => ({ fds: fds(), threads: addon.stats().threads })).toEqual(before)
})

test('1,000 Hosts with three watches each: one thread, and each hears of its own namespace', { timeout: 60_000 }, async () => {
  const addon = loadAddon()
  const hosts = await Promise.all(Array.from({ length: 1000 }, () => openHost()))
  const all = await Promise.all(hosts.map(async host => (await host.exec(Array.from({ length: 3 }, () => links))).results))
  expect(addon.stats().watches).toBe(3000)
  await expect.poll(() => addon.stats().threads, { timeout: 10_000 }).toBe(1)
  const heard = new Set<number>()
  for (const [i, watches] of all.entries()) for (const watch of watches) watch.start(() => { heard.add(i) })
  for (const i of [0, 499, 999]) await changes(hosts[i] as NativeHost, 0, 1)
  await expect.poll(() => [...heard].sort((a, b) => a - b)).toEqual([0, 499, 999])
  for (const watch of all.flat()) watch.close()
  await expect.poll(() => addon.stats().threads, { timeout: 20_000 }).toBe(0)
})

const opened = `
  const host = await addon.openHost({ create: true })
  const { results: [watch] } = await host.exec([{ op: 'watch', protocol: 0, groups: [1] }])`

test('a process with a watch ends by itself, unless the watch is held', async () => {
  expect(await runNode(`${opened}
    watch.start(() => {})
    watch.ref()
    watch.unref()
    console.log('open')`)).toEqual(clean(0, 'open\n'))
  expect(await runNode(`${opened}
    watch.start(() => { console.log('heard'); watch.unref() })
    watch.ref()
    void host.exec([{ op: 'spawn', file: '/bin/sh', argv: ['sh', '-c', 'sleep 0.2; PATH=$PATH:/usr/sbin:/sbin ip link set lo up'], env: ['PATH=/usr/bin:/bin'], timeoutMs: 5000 }])
  `)).toEqual(clean(0, 'heard\n'))
})

test('watches that nobody holds are collected, though their listeners hold them; held ones are not', async () => {
  expect(await runNode(`
    const host = await addon.openHost({ create: true })
    const open = async () => {
      for (let i = 0; i < 20; i++) {
        const { results: [watch] } = await host.exec([{ op: 'watch', protocol: 0, groups: [1] }])
        watch.start(() => watch)
        if (i < 3) watch.ref()
      }
    }
    await open()
    for (let i = 0; i < 100 && addon.stats().watches > 3; i++) { gc(); await sleep(10) }
    for (let i = 0; i < 5; i++) { gc(); await sleep(10) }
    console.log(addon.stats().watches)
    process.exit()`, { args: ['--expose-gc'] })).toEqual(clean(0, '3\n'))
})

test('workers terminated, and processes that exit, while events come', { timeout: 60_000 }, async () => {
  const storm = Buffer.concat([...from(0, 200)].map(i => mtuChange(i, 1000 + i))).toString('base64')
  const script = `
    const messages = Buffer.from(${JSON.stringify(storm)}, 'base64')
    for (let i = 0; i < 3; i++) {
      const host = await addon.openHost({ create: true })
      const { results: watches } = await host.exec([1, 2, 3].map(() => ({ op: 'watch', protocol: 0, groups: [1], receiveBuffer: 8192 })))
      for (const watch of watches) {
        watch.start(messages => { watch.sync(); watch.want(); void messages.length })
        watch.ref()
      }
      void (async () => { for (;;) await host.exec([{ op: 'netlink', protocol: 0, messages }]) })()
    }`
  const worker = JSON.stringify(`
    const addon = require(${JSON.stringify(addonPath())})
    const { parentPort } = require('node:worker_threads')
    void (async () => {${script}; parentPort.postMessage('busy')})()`)
  expect(await runNode(`
    for (let round = 0; round < 5; round++) {
      const workers = Array.from({ length: 2 }, () => new worker.Worker(${worker}, { eval: true }))
      await Promise.all(workers.map(one => new Promise(resolve => one.once('message', resolve))))
      await sleep(Math.random() * 50)
      await Promise.all(workers.map(one => one.terminate()))
    }
    console.log(addon.stats())`, { timeoutMs: 50_000 })).toEqual(clean(0, '{ hosts: 0, watches: 0, threads: 0 }\n'))
  expect(await runNode(`${script}; await sleep(50); process.exit(4)`)).toEqual(clean(4))
})
