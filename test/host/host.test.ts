/** Host itself, its sysctls and firewall, and named namespaces. */
import { closeSync, openSync, readFileSync } from 'node:fs'
import { afterEach, expect, test as plainTest } from 'vitest'
import { ClosedError, Host, netns } from '../../src/index.ts'
import { accept, counter, iifname } from '../../src/nftables/vocabulary/index.ts'
import { addChain } from '../../src/nftables/chains.ts'
import { addRule } from '../../src/nftables/rules.ts'
import { addTable, deleteTable } from '../../src/nftables/tables.ts'
import { nftJson, run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'
import { patience } from '../support/patience.ts'

const { test } = needing(needs.kernel('bridge'))

test('close is idempotent; then everything is ERR_CLOSED', async () => {
  const host = await Host.open({ netns: { create: true } })
  await Promise.all([host.close(), host.close()])
  await host.close()
  expect(host.netnsFd).toBe(-1)
  for (const call of [
    () => host.links.list(), () => host.links.get('lo'), () => host.links.create({ name: 'br0', kind: 'bridge' }), () => host.links.delete('lo'),
    () => host.links.create({ name: 'tap0', kind: 'tap' }), () => host.addresses.list(), () => host.routes.list(),
    () => host.sysctl.get('net.ipv4.ip_forward'), () => host.sysctl.set('net.ipv4.ip_forward', 1), () => host.firewall.tables(),
  ]) {
    const error = await rejection(call())
    expect(error).toBeInstanceOf(ClosedError)
    expect(error).toMatchObject({ code: 'ERR_CLOSED' })
  }
})

test('close lets what is under way finish', async () => {
  const host = await Host.open({ netns: { create: true } })
  const list = host.links.list()
  await host.close()
  expect((await list).map(link => link.name)).toEqual(['lo'])
})

test('await using closes', async () => {
  let fd: number
  {
    await using host = await Host.open({ netns: { create: true } })
    fd = host.netnsFd
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toContain('flags')
  }
  expect(() => readFileSync(`/proc/self/fdinfo/${fd}`)).toThrow('ENOENT')
})

test('two Hosts of one namespace see the same; of two, not', async () => {
  const [one, other] = [await newHost(), await newHost()]
  const fd = openSync(`/proc/self/fd/${one.netnsFd}`, 'r')
  await using same = await Host.open({ netns: fd })
  closeSync(fd)
  await one.links.create({ name: 'br0', kind: 'bridge' })
  expect(await same.links.get('br0')).toEqual(await one.links.get('br0'))
  expect(await rejection(other.links.get('br0'))).toMatchObject({ code: 'ERR_NO_LINK' })
})

plainTest('a namespace that is not there: ERR_NO_NETNS; one that cannot be: ERR_INVALID_ARGUMENT', async () => {
  for (const wanted of ['no-such-namespace', '/no/such/file', '/etc/hostname', 123_456]) {
    expect(await rejection(Host.open({ netns: wanted })), String(wanted)).toMatchObject({ code: 'ERR_NO_NETNS' })
  }
  for (const wanted of ['', '..', 'a\0b', -1, 1.5, NaN]) {
    expect(await rejection(Host.open({ netns: wanted })), String(wanted)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  }
})

const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']
const index = new URL('../../src/index.ts', import.meta.url).href

needing(needs.root, needs.tool('setpriv'), needs.kernel('bridge')).test('without CAP_NET_ADMIN: reads work, changes are ERR_NO_PERMISSION', { timeout: 60_000 * patience }, async () => {
  const host = await newHost()
  const script = `
    import { createServer } from 'vite'
    const vite = await createServer({ configFile: false, oxc: { target: 'node20' }, server: { middlewareMode: true }, logLevel: 'error', cacheDir: process.env.TMPDIR ?? '/tmp' })
    const { Host } = await vite.ssrLoadModule(${JSON.stringify(index)})
    const told = async call => { try { await call(); return 'done' } catch (error) { return error.code } }
    const host = await Host.open()
    console.log(JSON.stringify([
      (await host.links.list()).map(link => link.name),
      await told(() => host.links.create({ name: 'br0', kind: 'bridge' })),
      await told(() => host.links.create({ name: 'tap0', kind: 'tap' })),
      await told(() => host.links.set('lo', { up: true })),
      await told(() => host.addresses.add('lo', '10.0.0.1/8')),
      await told(() => host.sysctl.set('net.ipv4.ip_forward', 1)),
      await told(() => Host.open({ netns: { create: true } })),
      await told(() => Host.open({ netns: '/proc/1/ns/net' })),
    ]))
    process.exit()`
  const output = await run('setpriv', [...asNobody, process.execPath, '--input-type=module', '-e', script], { netns: host.netnsFd, timeoutMs: 50_000 * patience })
  expect(JSON.parse(output)).toEqual([['lo'], ...Array<string>(7).fill('ERR_NO_PERMISSION')])
})

test('sysctls: get, set, names with dots', async () => {
  const host = await newHost()
  await host.sysctl.set('net.ipv4.ip_forward', true)
  expect(await host.sysctl.get('net.ipv4.ip_forward')).toBe('1')
  expect((await run('sysctl', ['-n', 'net.ipv4.ip_forward'], { netns: host.netnsFd })).trim()).toBe('1')
  await host.sysctl.set('net/ipv4/ip_forward', 0)
  expect(await host.sysctl.get('net.ipv4.ip_forward')).toBe('0')
  await host.sysctl.set('net.ipv4.ip_local_port_range', '20000 30000')
  expect(await host.sysctl.get('net.ipv4.ip_local_port_range')).toBe('20000\t30000')

  await host.links.create({ name: 'br0.5', kind: 'bridge' })
  await host.sysctl.set('net/ipv4/conf/br0.5/rp_filter', 2)
  expect(await host.sysctl.get('net.ipv4.conf.br0/5.rp_filter')).toBe('2')
  expect((await run('cat', ['/proc/sys/net/ipv4/conf/br0.5/rp_filter'], { netns: host.netnsFd })).trim()).toBe('2')
})

test('sysctls of one Host are not another’s, nor the machine’s', async () => {
  const [one, two] = [await newHost(), await newHost()]
  const before = readFileSync('/proc/sys/net/ipv4/conf/lo/rp_filter', 'utf8')
  await one.sysctl.set('net.ipv4.conf.lo.rp_filter', 1)
  await two.sysctl.set('net.ipv4.conf.lo.rp_filter', 2)
  expect([await one.sysctl.get('net.ipv4.conf.lo.rp_filter'), await two.sysctl.get('net.ipv4.conf.lo.rp_filter')]).toEqual(['1', '2'])
  expect(readFileSync('/proc/sys/net/ipv4/conf/lo/rp_filter', 'utf8')).toBe(before)
})

test('a sysctl that is not there: ERR_UNSUPPORTED; a bad value or name: ERR_INVALID_ARGUMENT', async () => {
  const host = await newHost()
  expect(await rejection(host.sysctl.get('net.ipv4.no_such_thing'))).toMatchObject({ code: 'ERR_UNSUPPORTED', feature: 'net.ipv4.no_such_thing' })
  expect(await rejection(host.sysctl.set('net.ipv4.conf.none.forwarding', 1))).toMatchObject({ code: 'ERR_UNSUPPORTED' })
  expect(await rejection(host.sysctl.set('net.ipv4.ip_forward', 'yes'))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field: 'net.ipv4.ip_forward' })
  for (const name of ['kernel.pid_max', 'net', 'net.', 'net.ipv4..x', 'net/../kernel/pid_max', 'net.ipv4.a b', '', 'net/ipv4/']) {
    expect(await rejection(host.sysctl.set(name, 1)), name).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  }
  expect(await rejection(host.sysctl.set('net.ipv4.ip_forward', '1\n2'))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  expect(await rejection(host.sysctl.set('net.ipv4.ip_forward', 1.5))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})

const table = { family: 'ip', name: 'lab' } as const
needing(needs.kernel('nftables'), needs.tool('nft')).test('the firewall: commit, tables, chains, rules; all or nothing', async () => {
  const host = await newHost()
  await host.firewall.commit([])
  await host.firewall.commit([
    addTable(table),
    addChain({ family: 'ip', table: 'lab', name: 'in', type: 'filter', hook: 'input', priority: 0, policy: 'accept' }),
    addChain({ family: 'ip', table: 'lab', name: 'mine' }),
    addRule({ family: 'ip', table: 'lab', chain: 'in', expressions: [...iifname('br0'), counter(), accept()] }),
  ])
  const shown = await nftJson(host.netnsFd)
  expect(shown).toMatchObject([
    { table: { family: 'ip', name: 'lab' } },
    { chain: { name: 'in', hook: 'input', prio: 0, policy: 'accept' } },
    { chain: { name: 'mine' } },
    { rule: { chain: 'in', expr: [{ match: { right: 'br0' } }, { counter: { packets: 0 } }, { accept: null }] } },
  ])
  expect(await host.firewall.tables()).toMatchObject([{ name: 'lab' }])
  expect((await host.firewall.tables({ family: 'ip6' })).length).toBe(0)
  expect((await host.firewall.chains({ family: 'ip' })).map(chain => chain.name)).toEqual(['in', 'mine'])
  expect((await host.firewall.rules({ family: 'ip', table: 'lab', chain: 'in' })).length).toBe(1)
  expect((await host.firewall.rules({ family: 'ip', table: 'lab', chain: 'mine' })).length).toBe(0)

  const refused = await rejection(host.firewall.commit([
    addTable({ family: 'ip', name: 'second' }), deleteTable({ family: 'ip', name: 'none' }),
  ]))
  expect(refused).toMatchObject({ code: 'ERR_NETLINK', errnoName: 'ENOENT' })
  expect((refused as Error).message).toContain('none')
  expect(await nftJson(host.netnsFd)).toEqual(shown)
})

const name = `virbr-host-test-${process.pid}`
afterEach(async () => { await tryRun('ip', ['netns', 'delete', name]) })

needing(needs.root).test('netns: add, list, delete, as ip netns does', async () => {
  await netns.add(name)
  expect(await netns.list()).toContain(name)
  expect(await run('ip', ['netns', 'list'])).toContain(name)
  expect(await run('ip', ['-n', name, '-br', 'link'])).toMatch(/^lo /)
  expect(await rejection(netns.add(name))).toMatchObject({ code: 'ERR_SYSTEM', errnoName: 'EEXIST' })
  {
    await using host = await Host.open({ netns: name })
    await host.links.create({ name: 'br0', kind: 'bridge' })
  }
  expect(await run('ip', ['-n', name, '-br', 'link'])).toContain('br0')
  await netns.delete(name)
  expect(await netns.list()).not.toContain(name)
  expect(await rejection(netns.delete(name))).toMatchObject({ code: 'ERR_NO_NETNS' })
})

needing(needs.root).test('netns: one made by ip is opened and deleted by us', async () => {
  await run('ip', ['netns', 'add', name])
  await using host = await Host.open({ netns: name })
  await netns.delete(name)
  expect(await run('ip', ['netns', 'list'])).not.toContain(name)
  expect((await host.links.list()).length).toBe(1)
})

plainTest.each(['', '.', '..', 'a/b', 'a\0b', 'x'.repeat(256), 7])('netns: %o is no name', async wanted => {
  expect(await rejection(netns.add(wanted as string))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  expect(await rejection(netns.delete(wanted as string))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
})
