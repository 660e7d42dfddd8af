/** Where Hosts live: sources, names, and what cannot be opened. */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test as plainTest } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import type { NetnsSource } from '../../binding/index.ts'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { openHost, temporaryFolder } from './support.ts'

const { test } = needing(needs.netAdmin)
const { EBADF, EEXIST, EINVAL, ENOENT } = constants.errno
const own = '/proc/self/ns/net'

plainTest('no source is the caller’s own namespace, entered without any capability', async () => {
  const host = await openHost({})
  const { dev, ino } = statSync(own)
  expect([host.netnsDevice, host.netnsInode]).toEqual([dev, ino])
})

test('a new namespace is another; it has one link', async () => {
  const host = await openHost()
  expect(host.netnsInode).not.toBe(statSync(own).ino)
  expect((await host.exec([{ op: 'readDir', path: '/proc/sys/net/ipv4/conf' }])).results[0].sort()).toEqual(['all', 'default', 'lo'])
})

test('by descriptor, which stays the caller’s, and by path', async () => {
  const first = await openHost()
  const path = `/proc/self/fd/${first.netnsFd}`
  const fd = openSync(path, 'r')
  const [byFd, byPath] = [await openHost({ fd }), await openHost({ path })]
  expect([byFd.netnsInode, byPath.netnsInode]).toEqual([first.netnsInode, first.netnsInode])
  closeSync(fd)
  await first.close()
  expect((await byFd.exec([{ op: 'readFile', path: '/proc/net/dev' }])).failed).toBeUndefined()
  expect(readFileSync(`/proc/self/fdinfo/${byPath.netnsFd}`, 'utf8')).toMatch(/^flags:\s+02/m) // O_CLOEXEC
})

async function refusal(source: unknown): Promise<{ errno?: number, call?: string, message: string }> {
  const result = await loadAddon().openHost(source as NetnsSource).then(() => undefined, (error: unknown) => error)
  expect(result).toBeInstanceOf(Error)
  return result as Error
}

plainTest('a namespace that cannot be opened: errno and call', { timeout: 10_000 }, async () => {
  const folder = await temporaryFolder()
  await run('mkfifo', [join(folder, 'pipe')])
  const fd = openSync('/dev/null', 'r')
  closeSync(fd)
  expect(await refusal({ path: join(folder, 'none') })).toMatchObject({ errno: ENOENT, call: 'open' })
  expect(await refusal({ path: '/etc/hostname' })).toMatchObject({ call: 'ioctl(NS_GET_NSTYPE)' })
  expect(await refusal({ path: join(folder, 'pipe') })).toMatchObject({ call: 'ioctl(NS_GET_NSTYPE)' })
  expect(await refusal({ path: '/proc/self/ns/mnt' })).toMatchObject({ errno: EINVAL, call: 'ioctl(NS_GET_NSTYPE)' })
  expect(await refusal({ fd })).toMatchObject({ errno: EBADF, call: 'fcntl' })
})

plainTest.each([
  [undefined, /source must be an object/],
  [{ path: 7 }, /source\.path must be a string/],
  [{ path: '/a\0b' }, /source\.path must be a string without NUL/],
  [{ fd: '3' }, /source\.fd must be a descriptor/],
  [{ fd: -1 }, /source\.fd/],
  [{ fd: 3.5 }, /source\.fd/],
  [{ create: 'yes' }, /source\.create must be true or false/],
  [{ create: true, path: own }, /source must be a path, an fd or a create/],
])('a source of a wrong form is never taken for one’s own namespace: %o', async (source, message) => {
  const error = await refusal(source)
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toMatch(message)
})

plainTest('a Host cannot be made by its constructor', async () => {
  const host = await openHost({})
  const made = new (host.constructor as new () => typeof host)()
  expect([made.netnsFd, made.netnsDevice, made.netnsInode]).toEqual([-1, 0, 0])
  await expect(made.exec([])).rejects.toThrow('closed')
  await made.close()
})

/** bindNetns makes the folder a shared mount, as ip does; it must not stay. */
const mounted: string[] = []
afterEach(async () => { for (const folder of mounted.splice(0)) await tryRun('umount', ['-l', folder]) })

async function namesFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), 'names')
  await mkdir(folder)
  mounted.push(folder)
  return folder
}

needing(needs.root).test('a name holds the namespace after its Host is closed, and is given back', async () => {
  const folder = await namesFolder()
  const path = join(folder, 'lab')
  const host = await openHost()
  const inode = host.netnsInode
  expect((await host.exec([{ op: 'bindNetns', path }])).failed).toBeUndefined()
  expect((await host.exec([{ op: 'bindNetns', path }])).failed).toEqual({ step: 0, errno: EEXIST, call: 'open' })
  await host.close()

  const again = await openHost({ path })
  expect(again.netnsInode).toBe(inode)
  expect(await run('ip', ['-br', 'link'], { netns: path })).toMatch(/^lo /)
  expect((await again.exec([{ op: 'unbindNetns', path }])).failed).toBeUndefined()
  expect((await again.exec([{ op: 'unbindNetns', path }])).failed).toMatchObject({ errno: ENOENT })
  expect((await again.exec([{ op: 'readDir', path: folder }])).results[0]).toEqual([])
})

needing(needs.root).test('a leftover file without its mount can be removed', async () => {
  const path = join(await namesFolder(), 'left')
  const host = await openHost()
  await host.exec([{ op: 'writeFile', path, data: '', mode: 0o444 }])
  expect((await host.exec([{ op: 'unbindNetns', path }])).failed).toBeUndefined()
})
