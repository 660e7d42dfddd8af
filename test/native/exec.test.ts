/** Steps: their order, their failures, and what is refused before anything runs. */
import { constants } from 'node:os'
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test as plainTest } from 'vitest'
import type { Step } from '../../binding/index.ts'
import { ipJson, run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { createLink, openHost, temporaryFolder } from './support.ts'

const { test } = needing(needs.netAdmin)
const { ENOENT, ENOTDIR, EFBIG, ENXIO } = constants.errno

plainTest('steps run in order and stop at the first that fails', async () => {
  const host = await openHost({})
  const folder = await temporaryFolder()
  const outcome = await host.exec([
    { op: 'writeFile', path: join(folder, 'a'), data: 'one', mode: 0o640 },
    { op: 'rename', from: join(folder, 'a'), to: join(folder, 'b'), sync: true },
    { op: 'readFile', path: join(folder, 'b') },
    { op: 'unlink', path: join(folder, 'missing') },
    { op: 'unlink', path: join(folder, 'b') },
  ])
  expect(outcome.failed).toEqual({ step: 3, errno: ENOENT, call: 'unlink' })
  expect(outcome.results.slice(0, 2)).toEqual([null, null])
  expect(Buffer.from(outcome.results[2]).toString()).toBe('one')
  expect(outcome.results.length).toBe(3)
  expect(await readdir(folder)).toEqual(['b'])
})

plainTest('a step that may fail says how, and the run goes on', async () => {
  const host = await openHost({})
  const folder = await temporaryFolder()
  const { results, failed } = await host.exec([
    { op: 'unlink', path: join(folder, 'missing'), mayFail: true },
    { op: 'readDir', path: join(folder, 'missing'), mayFail: true },
    { op: 'writeFile', path: join(folder, 'a'), data: Buffer.from([0, 255]), mode: 0o600, sync: true },
    { op: 'readDir', path: folder },
  ])
  expect(failed).toBeUndefined()
  expect(results).toEqual([{ errno: ENOENT, call: 'unlink' }, { errno: ENOENT, call: 'opendir' }, null, ['a']])
  expect([...await readFile(join(folder, 'a'))]).toEqual([0, 255])
})

plainTest('no steps are no work', async () => {
  expect(await (await openHost({})).exec([])).toEqual({ results: [] })
})

plainTest('calls of one Host run one after another', async () => {
  const host = await openHost({})
  const path = join(await temporaryFolder(), 'n')
  const calls = Array.from({ length: 200 }, (_, index) => host.exec([
    { op: 'writeFile', path, data: String(index), mode: 0o600 },
    { op: 'readFile', path },
  ]))
  const read = (await Promise.all(calls)).map(({ results }) => Buffer.from(results[1]).toString())
  expect(read).toEqual(Array.from({ length: 200 }, (_, index) => String(index)))
})

plainTest('a write without mode neither creates nor truncates', async () => {
  const host = await openHost({})
  const path = join(await temporaryFolder(), 'file')
  expect((await host.exec([{ op: 'writeFile', path, data: 'x' }])).failed).toEqual({ step: 0, errno: ENOENT, call: 'open' })
  await writeFile(path, 'abcdef')
  await host.exec([{ op: 'writeFile', path, data: 'xyz' }])
  expect(await readFile(path, 'utf8')).toBe('xyzdef')
  await host.exec([{ op: 'writeFile', path, data: '', mode: 0o600 }])
  expect(await readFile(path, 'utf8')).toBe('')
})

plainTest('files: large, too large, a directory, a loop of links, a pipe that nobody reads', async () => {
  const host = await openHost({})
  const folder = await temporaryFolder()
  const path = join(folder, 'large')
  const data = Buffer.alloc((16 << 20) - 1, 'abc')
  await writeFile(path, data)
  expect(data.equals((await host.exec([{ op: 'readFile', path }])).results[0])).toBe(true)
  await writeFile(path, Buffer.alloc((16 << 20) + 1))
  await symlink('loop', join(folder, 'loop'))
  await mkdir(join(folder, 'directory'))
  await run('mkfifo', [join(folder, 'pipe')])
  const fails = async (step: Step): Promise<number | undefined> => (await host.exec([step])).failed?.errno
  expect(await fails({ op: 'readFile', path })).toBe(EFBIG)
  expect(await fails({ op: 'readFile', path: join(folder, 'directory') })).toBe(constants.errno.EISDIR)
  expect(await fails({ op: 'readFile', path: join(folder, 'loop') })).toBe(constants.errno.ELOOP)
  expect(await fails({ op: 'readDir', path })).toBe(ENOTDIR)
  expect(await fails({ op: 'writeFile', path: join(folder, 'pipe'), data: 'x' })).toBe(ENXIO)
})

const wrong: [string, unknown, RegExp][] = [
  ['no array', { op: 'unlink', path: '/x' }, /steps must be an array/],
  ['no object', [7], /a step must be an object/],
  ['no op', [{}], /op must be a string/],
  ['an unknown op', [{ op: 'erase' }], /step\.op/],
  ['a missing field', [{ op: 'unlink' }], /step\.path must be a string/],
  ['a NUL in a path', [{ op: 'unlink', path: '/tmp/a\0b' }], /step\.path must be a string without NUL/],
  ['a number for a path', [{ op: 'readFile', path: 3 }], /step\.path/],
  ['messages that are no bytes', [{ op: 'netlink', protocol: 0, messages: [1, 2] }], /step\.messages must be a Uint8Array/],
  ['another typed array', [{ op: 'netlink', protocol: 0, messages: new Uint16Array(8) }], /step\.messages must be a Uint8Array/],
  ['a protocol out of range', [{ op: 'netlink', protocol: 99, messages: new Uint8Array() }], /step\.protocol/],
  ['mayFail that is no boolean', [{ op: 'unlink', path: '/x', mayFail: 1 }], /step\.mayFail must be true or false/],
  ['a mode out of range', [{ op: 'writeFile', path: '/x', data: '', mode: 0o10000 }], /step\.mode/],
  ['a fraction of a second', [{ op: 'lock', path: '/x', timeoutMs: 0.5 }], /step\.timeoutMs/],
  ['a time that is no number', [{ op: 'lock', path: '/x', timeoutMs: NaN }], /step\.timeoutMs/],
  ['a tap without name', [{ op: 'tap', name: '' }], /step\.name must be an interface name/],
  ['a tap name of 16 bytes', [{ op: 'tap', name: 'a234567890123456' }], /step\.name/],
  ['a tap name that is a pattern', [{ op: 'tap', name: 'tap%d' }], /step\.name/],
  ['an unknown mode of a tap', [{ op: 'tap', name: 't0', mode: 'Tun' }], /step\.mode must be tap or tun/],
  ['no queues', [{ op: 'tap', name: 't0', queues: 0 }], /step\.queues/],
  ['an owner that is a name', [{ op: 'tap', name: 't0', owner: 'root' }], /step\.owner/],
  ['names of links that are no list', [{ op: 'linkIndices', names: 'br0' }], /step\.names must be an array/],
  ['a link name of 16 bytes', [{ op: 'linkIndices', names: ['a', 'a234567890123456'] }], /step\.names must be an array of interface names/],
  ['a negative descriptor', [{ op: 'closeFds', fds: [-1] }], /step\.fds/],
  ['a descriptor of more than 32 bits', [{ op: 'closeFds', fds: [2 ** 32 + 1] }], /step\.fds/],
  ['arguments that are no strings', [{ op: 'spawn', file: '/bin/true', argv: [1], env: [], timeoutMs: 1 }], /step\.argv/],
  ['a NUL in an argument', [{ op: 'spawn', file: '/bin/true', argv: ['a\0b'], env: [], timeoutMs: 1 }], /step\.argv/],
  ['a pid that would be init', [{ op: 'terminate', pid: 1, match: 'x', timeoutMs: 1 }], /step\.pid/],
  ['a negative pid, a group of processes', [{ op: 'terminate', pid: -5, match: 'x', timeoutMs: 1 }], /step\.pid/],
]

plainTest.each(wrong)('a wrong form is a TypeError: %s', async (_, steps, message) => {
  const host = await openHost({})
  const rejected = await host.exec(steps as Step[]).then(() => undefined, (error: unknown) => error)
  expect(rejected).toBeInstanceOf(TypeError)
  expect((rejected as Error).message).toMatch(message)
})

plainTest('a wrong form anywhere: nothing is run', async () => {
  const host = await openHost({})
  const folder = await temporaryFolder()
  const steps = [{ op: 'writeFile', path: join(folder, 'a'), data: 'x', mode: 0o600 }, { op: 'unlink' }] as Step[]
  await expect(host.exec(steps)).rejects.toThrow(TypeError)
  expect(await readdir(folder)).toEqual([])
})

plainTest('an error thrown by a getter of a step comes through', async () => {
  const host = await openHost({})
  const step = { op: 'unlink', get path(): string { throw new RangeError('mine') } } as const
  await expect(host.exec([step])).rejects.toThrow(new RangeError('mine'))
})

test('every Host has sysctls and links of its own', async () => {
  const [one, two] = [await openHost(), await openHost()]
  const path = '/proc/sys/net/ipv4/conf/lo/forwarding'
  const set = (value: string): Step => ({ op: 'writeFile', path, data: value })
  await one.exec([set('1\n')])
  await two.exec([set('0\n')])
  const get = async (host: typeof one): Promise<string> =>
    Buffer.from((await host.exec([{ op: 'readFile', path }])).results[0]).toString()
  expect([await get(one), await get(two)]).toEqual(['1\n', '0\n'])
  expect(await run('cat', [path], { netns: one.netnsFd })).toBe('1\n')

  await one.exec([{ op: 'netlink', protocol: 0, messages: createLink(0, 'only-one') }])
  expect((await ipJson(one.netnsFd, 'link')).map(link => link['ifname'])).toContain('only-one')
  expect((await ipJson(two.netnsFd, 'link')).map(link => link['ifname'])).not.toContain('only-one')
  expect((await one.exec([{ op: 'readDir', path: '/proc/sys/net/ipv4/conf' }])).results[0]).toContain('only-one')
})

test('indices of links by name, in the Host’s namespace; 0 for one that is not there', async () => {
  const [one, two] = [await openHost(), await openHost()]
  await one.exec([{ op: 'netlink', protocol: 0, messages: createLink(0, 'a23456789012345') }])
  const names = ['lo', 'a23456789012345', 'missing']
  const { results: [bytes] } = await one.exec([{ op: 'linkIndices', names }])
  const shown = new Map((await ipJson(one.netnsFd, 'link')).map(link => [link['ifname'], link['ifindex']]))
  expect([...new Uint32Array(bytes.buffer, bytes.byteOffset, 3)]).toEqual([1, shown.get('a23456789012345'), 0])
  const { results: [elsewhere] } = await two.exec([{ op: 'linkIndices', names }])
  expect([...new Uint32Array(elsewhere.buffer, elsewhere.byteOffset, 3)]).toEqual([1, 0, 0])
})
