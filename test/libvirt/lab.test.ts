/** The laboratory itself, by virsh alone: what the other tests here may count on. Nothing of virbr is asked. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import { guestFile, guestNeeds, interfaceXml, quickNetworkXml } from '../support/guest.ts'
import { ipJson, run, tryRun } from '../support/lab.ts'
import { libvirtdNeeds, startLibvirtd, testNode } from '../support/libvirtd.ts'
import type { Libvirtd } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { toolPath } from '../support/tools.ts'

const login = { user: 'fred', password: 'open sesame' }
const mac = '52:54:00:00:00:22'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'virbr-lab-')) })
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, contents: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, contents)
  return path
}

/** Calls until the answer passes; the answer. */
async function eventually(ask: () => Promise<string>, pattern: RegExp, milliseconds = 5_000): Promise<string> {
  let answer = ''
  for (const deadline = Date.now() + milliseconds; Date.now() < deadline; await sleep(50)) {
    answer = await ask()
    if (pattern.test(answer)) return answer
  }
  throw new Error(`no ${pattern} within ${milliseconds} ms in: ${answer}`)
}

/** `virsh event --all`, from outside the namespaces; what it prints. */
async function watchEvents(daemon: Libvirtd): Promise<{ seen: () => Promise<string>, stop: () => void }> {
  const child = spawn(toolPath('virsh') ?? 'virsh', ['-c', daemon.socketUri, 'event', '--all', '--loop'])
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text })
  // It says nothing once it has subscribed.
  await sleep(300)
  return { seen: () => Promise.resolve(output), stop: () => child.kill() }
}

async function startNetwork(daemon: Libvirtd): Promise<void> {
  await daemon.virsh('net-define', await file('quick.xml', quickNetworkXml('quick', 'virbr5')))
  await daemon.virsh('net-start', 'quick')
}

const guests = needing(...guestNeeds({ lenientTc: true }), needs.kernel('htb'))
guests.describe('a guest', () => {
  let daemon: Libvirtd
  const virsh = (...args: string[]) => daemon.virsh(...args)
  beforeAll(async () => {
    daemon = await startLibvirtd({ lenientTc: true })
    await startNetwork(daemon)
    await virsh('create', await guestFile(folder, { name: 'g', network: 'quick' }))
  })
  afterAll(() => daemon?.stop())

  guests.test('has a tap on the bridge of its network', async () => {
    const [tap] = await ipJson({ pid: daemon.pid }, 'link', 'show', 'master', 'virbr5')
    expect(tap).toMatchObject({ ifname: 'vnet0', linkinfo: { info_kind: 'tun' } })
    expect(await virsh('domifstat', 'g', 'vnet0')).toContain('vnet0 rx_bytes')
  })

  guests.test('takes and gives back a usb-net interface, with events', async () => {
    const events = await watchEvents(daemon)
    const device = await file('usb.xml', interfaceXml({ network: 'quick', mac, alias: 'ua-usb0' }))
    await virsh('attach-device', 'g', device, '--live')
    expect(await virsh('domiflist', 'g')).toMatch(RegExp(`vnet1 +network +quick +usb-net +${mac}`))
    await eventually(events.seen, /'device-added' for domain 'g': ua-usb0/)
    await virsh('detach-device-alias', 'g', 'ua-usb0', '--live')
    await eventually(events.seen, /'device-removed' for domain 'g': ua-usb0/)
    events.stop()
    expect(await virsh('domiflist', 'g')).not.toContain(mac)
  })

  guests.test('keeps a PCI interface, since it does not answer', async () => {
    const device = await file('pci.xml', interfaceXml({ network: 'quick', mac, model: 'virtio' }))
    await virsh('attach-device', 'g', device, '--live')
    await virsh('detach-device', 'g', device, '--live')
    expect(await virsh('domiflist', 'g')).toContain(mac)
  })

  guests.test('has the state of its link and its bandwidth changed', async () => {
    await virsh('domif-setlink', 'g', 'vnet0', 'down')
    expect(await virsh('domif-getlink', 'g', 'vnet0')).toContain('vnet0 down')
    await virsh('domif-setlink', 'g', 'vnet0', 'up')
    await virsh('domiftune', 'g', 'vnet0', '--inbound', '1000,2000,64', '--outbound', '500', '--live')
    expect(await virsh('domiftune', 'g', 'vnet0')).toMatch(/inbound.average: 1000\n[^]*outbound.average: 500/)
    expect(await daemon.inside('tc', 'class', 'show', 'dev', 'vnet0')).toMatch(/htb 1:1 .*rate 8Mbit ceil 16Mbit/)
  })

  guests.test('stays when libvirtd is killed, and is known to the next one', async () => {
    const before = daemon.daemonPid
    await daemon.kill()
    const refused = await tryRun('virsh', ['-c', daemon.socketUri, 'list'])
    expect(refused.stderr).toContain('Connection refused')
    expect((await ipJson({ pid: daemon.pid }, 'link', 'show', 'vnet0')).length).toBe(1)
    await daemon.start()
    expect(daemon.daemonPid).not.toBe(before)
    expect((await virsh('list', '--name')).trim()).toBe('g')
    expect((await virsh('net-list', '--name')).trim()).toBe('quick')
    expect(await daemon.inside('ps', '-eo', 'stat,comm')).not.toMatch(/^Z/m)
    await virsh('destroy', 'g')
    expect((await virsh('list', '--name')).trim()).toBe('')
  })
})

const booting = needing(...guestNeeds())
booting.test('a guest that boots from its network gets a lease', async () => {
  await using daemon = await startLibvirtd()
  await startNetwork(daemon)
  const guest = { name: 'pxe', network: 'quick', mac, bootFromNetwork: true }
  await daemon.virsh('create', await guestFile(folder, guest))
  await eventually(() => daemon.virsh('net-dhcp-leases', 'quick'), RegExp(mac), 20_000)
  expect(await daemon.virsh('domifaddr', 'pxe', '--source', 'lease')).toMatch(/vnet0 .*192\.168\.150\.\d+\/24/)
})

const filters = needing(...guestNeeds(), needs.tool('ebtables'))
filters.test('nwfilters, their bindings and host interfaces are there too', async () => {
  await using daemon = await startLibvirtd()
  await startNetwork(daemon)
  await daemon.virsh('nwfilter-define', await file('filter.xml', `<filter name='own-mac' chain='root'>
    <rule action='drop' direction='out'><mac match='no' srcmacaddr='$MAC'/></rule></filter>`))
  const more = `<filterref filter='own-mac'/>`
  const filtered = interfaceXml({ network: 'quick', mac, model: 'virtio', more })
  await daemon.virsh('create', await guestFile(folder, { name: 'g', interfaces: [filtered] }))
  expect(await daemon.virsh('nwfilter-binding-list')).toMatch(/vnet0 +own-mac/)
  expect(await daemon.inside('ebtables', '-t', 'nat', '-L')).toMatch(RegExp(`(-s !|! -s) ${mac} -j DROP`))
  expect(await daemon.virsh('iface-list', '--all')).toMatch(/virbr5 +active/)
})

const plain = needing(...libvirtdNeeds())
plain.test('a call to a libvirtd that is paused waits until it is resumed', async () => {
  await using daemon = await startLibvirtd()
  daemon.pause()
  let answered = false
  const call = run('virsh', ['-c', daemon.readOnlySocketUri, 'uri']).finally(() => { answered = true })
  await sleep(300)
  expect(answered).toBe(false)
  daemon.resume()
  expect(await call).toContain('qemu+unix:///system')
})

const guarded = needing(...libvirtdNeeds({ login }))
guarded.test('a libvirtd with a login refuses others, except to read', async () => {
  await using daemon = await startLibvirtd({ login })
  await expect(run('virsh', ['-c', daemon.socketUri, 'net-list'])).rejects.toThrow('authentication failed')
  expect(await run('virsh', ['-c', daemon.readOnlySocketUri, 'net-list'])).toContain('Name')
  const loginFile = async (password: string) => {
    const path = await file('auth.conf', [
      '[credentials-lab]', `authname=${login.user}`, `password=${password}`,
      '[auth-libvirt-default]', 'credentials=lab', '',
    ].join('\n'))
    return { env: { LIBVIRT_AUTH_FILE: path } }
  }
  const list = ['-c', daemon.socketUri, 'net-list']
  expect(await run('virsh', list, await loginFile(login.password))).toContain('Name')
  await expect(run('virsh', list, await loginFile('guess'))).rejects.toThrow('authentication failed')
})

needing(needs.tool('virsh')).test('a node of the test driver has what its file says, and may ask for a name', async () => {
  const network = `<network><name>n1</name><ip address='10.1.0.1' netmask='255.255.255.0'/></network>`
  await using open = await testNode(network)
  expect(await run('virsh', ['-c', open.uri, 'net-list', '--name'])).toBe('n1\n\n')
  await using closed = await testNode(`<auth><user password='x'>fred</user></auth>${network}`)
  await expect(run('virsh', ['-c', closed.uri, 'net-list'])).rejects.toThrow('authentication failed')
})
