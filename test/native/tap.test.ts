/** Taps and tuns, as ip sees them. */
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { expect } from 'vitest'
import type { NativeHost, TapStep } from '../../binding/index.ts'
import { ipJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { createLink, openHost } from './support.ts'

const { test } = needing(needs.kernel('tap'))

async function tap(host: NativeHost, options: Omit<TapStep, 'op'>): Promise<number[]> {
  const { results, failed } = await host.exec([{ op: 'tap', ...options }])
  expect(failed).toBeUndefined()
  return results[0]
}

/** `ip tuntap` reads /sys. */
async function tuntap(host: NativeHost): Promise<unknown[]> {
  const output = await run('ip', ['-j', 'tuntap', 'show'], { netns: host.netnsFd, sysfs: true })
  return JSON.parse(output.trim() === '' ? '[]' : output) as unknown[]
}

async function info(host: NativeHost, name: string): Promise<unknown> {
  const [link] = await ipJson<{ linkinfo: { info_data: unknown } }[]>(host.netnsFd, 'link', 'show', name)
  return link?.linkinfo.info_data
}

test('a tap is gone with its last descriptor', async () => {
  const host = await openHost()
  const fds = await tap(host, { name: 'tap0' })
  expect(fds.length).toBe(1)
  expect(existsSync(`/proc/self/fd/${fds[0]}`)).toBe(true)
  expect(await info(host, 'tap0')).toMatchObject({ type: 'tap', pi: false, vnet_hdr: false, multi_queue: false, persist: false })
  expect((await host.exec([{ op: 'closeFds', fds }])).failed).toBeUndefined()
  expect(await tuntap(host)).toEqual([])
  expect(existsSync(`/proc/self/fd/${fds[0]}`)).toBe(false)
})

test('a persistent tap has no descriptors and stays, with owner and group', async () => {
  const host = await openHost()
  expect(await tap(host, { name: 'tap0', persist: true, owner: 54321, group: 54322, vnetHeader: true })).toEqual([])
  expect(await info(host, 'tap0')).toMatchObject({ type: 'tap', persist: true, vnet_hdr: true, user: 54321, group: 54322 })
  expect(await tuntap(host)).toMatchObject([{ ifname: 'tap0', flags: ['tap', 'vnet_hdr', 'persist'] }])
})

test('one descriptor a queue', async () => {
  const host = await openHost()
  const fds = await tap(host, { name: 'tap0', queues: 4 })
  expect(fds.length).toBe(4)
  expect(await info(host, 'tap0')).toMatchObject({ multi_queue: true, numqueues: 4 })
  await host.exec([{ op: 'closeFds', fds: fds.slice(0, 3) }])
  expect(await info(host, 'tap0')).toMatchObject({ numqueues: 1 })
  await host.exec([{ op: 'closeFds', fds: fds.slice(3) }])
})

test('multi-queue with one queue; another may attach', async () => {
  const host = await openHost()
  await tap(host, { name: 'tap0', persist: true, multiQueue: true })
  expect(await info(host, 'tap0')).toMatchObject({ multi_queue: true, persist: true })
  const fds = await tap(host, { name: 'tap0', multiQueue: true })
  expect(await info(host, 'tap0')).toMatchObject({ numqueues: 1, persist: true })
  await host.exec([{ op: 'closeFds', fds }])
  expect((await tuntap(host)).length).toBe(1)
})

test('a tun has no Ethernet', async () => {
  const host = await openHost()
  await tap(host, { name: 'tun0', mode: 'tun', persist: true })
  expect(await ipJson(host.netnsFd, 'link', 'show', 'tun0')).toMatchObject([{ link_type: 'none', linkinfo: { info_data: { type: 'tun' } } }])
})

test('a tap of the other mode, or a link of another kind, by that name fails and leaves no descriptor', async () => {
  const host = await openHost()
  await tap(host, { name: 'tap0', persist: true })
  await host.exec([{ op: 'netlink', protocol: 0, messages: createLink(0, 'br0') }])
  const fails = async (options: Omit<TapStep, 'op'>): Promise<unknown> => (await host.exec([{ op: 'tap', ...options }])).failed
  expect(await fails({ name: 'tap0', mode: 'tun' })).toEqual({ step: 0, errno: constants.errno.EINVAL, call: 'ioctl(TUNSETIFF)' })
  expect(await fails({ name: 'br0' })).toEqual({ step: 0, errno: constants.errno.EINVAL, call: 'ioctl(TUNSETIFF)' })
  expect(await fails({ name: 'tap0', queues: 2 })).toMatchObject({ call: 'ioctl(TUNSETIFF)' })
})

test('the name of a longest interface', async () => {
  const host = await openHost()
  await tap(host, { name: 'a23456789012345', persist: true })
  expect(await tuntap(host)).toMatchObject([{ ifname: 'a23456789012345' }])
})
