import { expect, test } from 'vitest'
import { ipJson, iptablesSave, nftJson, run, tryRun } from './lab.ts'
import { libvirtdNeeds, startLibvirtd } from './libvirtd.ts'
import { needing, needs } from './needs.ts'
import { parseTrace, straceBytes } from './strace.ts'

const example = new URL('../../examples/default.xml', import.meta.url).pathname

test('a command that fails rejects with its stderr; tryRun gives the status', async () => {
  await expect(run('sh', ['-c', 'echo sorry >&2; exit 3'])).rejects.toThrow('exit status 3: sorry')
  expect(await tryRun('sh', ['-c', 'cat; exit 4'], { input: 'in' })).toEqual({ status: 4, stdout: 'in', stderr: '' })
})

test('only sends on netlink sockets are taken from a trace', () => {
  const trace = [
    '7 socket(AF_UNIX, SOCK_STREAM, 0) = 3',
    '7 sendto(3, "\\x01", 1, 0, NULL, 0) = 1',
    ' | 00000  01                                                .                |',
    '7 socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 4',
    '7 sendto(4, …) = 20',
    ' | 00000  14 00 00 00 12 00 01 03  53 82 04 6b 01 00 00 00  ........S..k.... |',
    ' | 00010  00 00 00 00                                       ....             |',
    '7 close(4) = 0',
  ].join('\n')
  expect(parseTrace(trace)).toEqual([
    { protocol: 0, type: 18, flags: 0x301, call: 0, bytes: Buffer.from('1400000012000103' + '00'.repeat(12), 'hex') },
  ])
})

needing(needs.netAdmin, needs.tool('strace'), needs.kernel('bridge')).test('strace shows what ip sends', async () => {
  const sent = await straceBytes(['ip', 'link', 'add', 'br0', 'type', 'bridge'])
  const create = sent.at(-1)
  expect(create).toMatchObject({ protocol: 0, type: 16 })
  expect(create?.bytes.includes('br0\0')).toBe(true)
  expect(create?.bytes.subarray(8, 16)).toEqual(Buffer.alloc(8))
})

needing(needs.netAdmin, needs.tool('strace'), needs.kernel('nftables')).test('a batch of nft is one call', async () => {
  const sent = await straceBytes(['nft', 'add table ip t; add chain ip t c'])
  const batch = sent.filter(message => message.call === sent.at(-1)?.call)
  expect(batch.map(message => message.type)).toEqual([0x10, 0xa00, 0xa03, 0x11])
})

needing(...libvirtdNeeds()).test('a libvirtd of our own runs networks and leaves nothing', async () => {
  const daemon = await startLibvirtd()
  const netns = { pid: daemon.pid }
  try {
    await daemon.virsh('net-define', example)
    await daemon.virsh('net-start', 'default')
    expect(await iptablesSave(netns, 'filter')).toContain(':LIBVIRT_FWX -')
    expect((await ipJson(netns, 'link', 'show', 'virbr0')).length).toBe(1)
    expect((await nftJson(netns)).length).toBeGreaterThan(20)
    expect(await daemon.inside('ps', '-eo', 'comm')).toContain('dnsmasq')
    expect(await run('virsh', ['-c', daemon.socketUri, 'net-list', '--name'])).toContain('default')
    await daemon.virsh('net-destroy', 'default')
    expect(await daemon.virsh('net-list', '--all')).toContain('inactive')
  } finally {
    await daemon.stop()
  }
  expect((await tryRun('ls', [`/proc/${daemon.pid}/ns/net`])).status).not.toBe(0)
})
