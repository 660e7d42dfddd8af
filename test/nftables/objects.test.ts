/** Objects, tables and chains of the rarer kinds: written here, seen by nft where nft knows them, and read again. */
import { expect } from 'vitest'
import { Host } from '../../src/host/host.ts'
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { NFT_MSG_NEWFLOWTABLE } from '../../src/nftables/constants.ts'
import { addChain, addFlowtable, addObject, addRule, addTable, ct, deleteTable, synproxy, tcp } from '../../src/nftables/index.ts'
import type { AddObject, NftObject } from '../../src/nftables/index.ts'
import { messageType } from '../../src/nftables/messages.ts'
import { rulesetToNft } from '../../src/nftables/text/ruleset.ts'
import { newHost, rejection } from '../host/support.ts'
import { nftJson, run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { straceBytes } from '../support/strace.ts'

const { test } = needing(needs.kernel('nftables'))
const inT = { family: 'ip', table: 't' } as const
const chain = addChain({ ...inT, name: 'c', hook: 'prerouting', priority: 'raw + 100' })

/** An object, what `nft -j` calls it and shows of it, and the request of nft that is refused where the kernel lacks it. */
const kinds: [object: AddObject, word: string, shown: object, probe: string][] = [
  [{ ...inT, name: 'h', type: 'ct helper', helper: 'ftp', protocol: 'tcp', l3proto: 'ip', comment: 'why' },
    'ct helper', { name: 'h', type: 'ftp', protocol: 'tcp', l3proto: 'ip' }, 'ct helper h { type "ftp" protocol tcp; }'],
  [{ ...inT, name: 'o', type: 'ct timeout', protocol: 'udp', l3proto: 'ip', policy: { unreplied: 10, replied: 300 } },
    'ct timeout', { name: 'o', protocol: 'udp', l3proto: 'ip', policy: { unreplied: 10, replied: 300 } }, 'ct timeout o { protocol udp; policy = { replied: 300 }; }'],
  [{ ...inT, name: 'e', type: 'ct expectation', protocol: 'tcp', l3proto: 'ip', dport: 9876, timeoutMs: 120_000, size: 12 },
    'ct expectation', { name: 'e', protocol: 'tcp', dport: 9876, timeout: 120_000, size: 12, l3proto: 'ip' },
    'ct expectation e { protocol tcp; dport 9876; timeout 2m; size 12; }'],
  [{ ...inT, name: 'y', type: 'synproxy', mss: 1460, wscale: 7, timestamp: true, sackPerm: true },
    'synproxy', { name: 'y', mss: 1460, wscale: 7, flags: ['timestamp', 'sack-perm'] }, 'synproxy y { mss 1460; wscale 7; }'],
  [{ ...inT, name: 's', type: 'secmark', context: 'system_u:object_r:ssh_server_packet_t:s0' },
    'secmark', { name: 's', context: 'system_u:object_r:ssh_server_packet_t:s0' }, 'secmark s { "system_u:object_r:ssh_server_packet_t:s0" }'],
]

test.each(kinds)('$type', async (object, word, shown, probe) => {
  const host = await newHost()
  const other = await newHost()
  const { status, stderr } = await tryRun('nft', ['-f', '-'], { netns: other.netnsFd, input: `table ip t { ${probe} ; }` })
  const committed = host.firewall.commit([addTable({ family: 'ip', name: 't' }), addObject(object)])
  if (status !== 0) {
    // What nft is refused here (a context without SELinux, an object that was not built) so are we, by name.
    expect(stderr).toMatch(/Could not process rule/)
    expect(await rejection(committed)).toMatchObject({ message: expect.stringMatching(new RegExp(`add ${object.type} ip t ${object.name}|${object.type}`)) as string })
    expect(await host.firewall.tables()).toEqual([])
    return
  }
  await committed
  const listed = (await nftJson(host.netnsFd)).find(each => word in each)?.[word]
  expect(listed).toMatchObject({ family: 'ip', table: 't', ...shown })
  await run('nft', ['flush', 'ruleset'], { netns: other.netnsFd })
  const ruleset = await host.firewall.ruleset()
  await run('nft', ['-f', '-'], { netns: other.netnsFd, input: rulesetToNft(ruleset) })
  const data = (objects: readonly NftObject[]): unknown[] => objects.map(({ type, name, comment, data }) => ({ type, name, comment, data }))
  expect(data((await other.firewall.ruleset()).objects)).toEqual(data(ruleset.objects))
})

test('rules refer to them, and nft says so', async () => {
  const host = await newHost()
  await host.firewall.commit([
    addTable({ family: 'ip', name: 't' }), chain,
    ...kinds.filter(([{ type }]) => type === 'ct timeout' || type === 'ct expectation').map(([object]) => addObject(object)),
    addRule({ ...inT, chain: 'c', expressions: [ct.timeout.set('o')] }), addRule({ ...inT, chain: 'c', expressions: [ct.expectation.set('e')] }),
  ])
  expect(await run('nft', ['list', 'chain', 'ip', 't', 'c'], { netns: host.netnsFd })).toMatch(/ct timeout set "o"\s+ct expectation set "e"/)
})

const synproxied = needing(needs.kernel('nftSynproxy'))
synproxied.test('a synproxy in a rule', async () => {
  const host = await newHost()
  await host.firewall.commit([
    addTable({ family: 'ip', name: 't' }), addChain({ ...inT, name: 'c', hook: 'forward' }),
    addRule({ ...inT, chain: 'c', expressions: [tcp.dport(80), synproxy({ mss: 1460, wscale: 7, timestamp: true, sackPerm: true })] }),
  ])
  expect(await run('nft', ['list', 'ruleset'], { netns: host.netnsFd })).toContain('tcp dport 80 synproxy mss 1460 wscale 7 timestamp sack-perm')
})

/** nft 1.0.6 has no words for these: what the kernel holds is what was said. */
const unspoken: AddObject[] = [
  { ...inT, name: 'l', type: 'connlimit', count: 5, over: true },
  { family: 'netdev', table: 't', name: 'u', type: 'tunnel', id: 5, ip: { src: '10.0.0.1', dst: '10.0.0.2' }, ttl: 64, tos: 8, sport: 1000, dport: 4789, flags: ['dont-fragment'],
    options: { vxlan: { gbp: 7 } } },
]
test.each(unspoken)('$type, read as it was written', async object => {
  const host = await newHost()
  const { family } = object
  const answer = await host.firewall.commit([addTable({ family, name: 't' }), addObject(object)]).catch((error: unknown) => error as Error)
  if (answer instanceof Error) {
    // A kernel without CONFIG_NFT_CONNLIMIT or CONFIG_NFT_TUNNEL.
    expect(answer).toMatchObject({ code: 'ERR_UNSUPPORTED' })
    return
  }
  const { family: _family, table: _table, name, type, ...said } = object as AddObject & Record<string, unknown>
  const [read] = await host.firewall.objects({ family, table: 't' })
  expect(read).toMatchObject({ name, type, data: type === 'connlimit' ? { count: 5, flags: 1 } : said })
  expect(rulesetToNft(await host.firewall.ruleset())).toContain(`# ${type} ${name}: not in nft's language`)
})

test('a tunnel stands only in tables of family netdev', () => {
  expect(() => addObject({ ...inT, name: 'u', type: 'tunnel', id: 5 })).toThrow('family: expected netdev')
})

test('a tunnel’s key, as an expression by itself', async () => {
  const host = await newHost()
  const expressions = [
    { name: 'tunnel', data: { key: 'id', dreg: 1, mode: 'rx' } } as const,
    { name: 'cmp', data: { sreg: 1, op: 'eq', data: { value: Uint8Array.of(5, 0, 0, 0) } } } as const,
  ]
  const netdev = { family: 'netdev', table: 'n' } as const
  const written = host.firewall.commit([addTable({ family: 'netdev', name: 'n' }), addChain({ ...netdev, name: 'c' }), addRule({ ...netdev, chain: 'c', expressions: [...expressions] })])
  const error = await written.then(() => undefined, (error: unknown) => error)
  if (error !== undefined) return expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED' })
  expect((await host.firewall.rules(netdev))[0]?.expressions).toEqual(expressions)
})

const persistent = needing(needs.kernel('nftables'), needs.kernelRelease(6, 9))
persistent.test('a table that persists outlives its owner, and is anybody’s then', async () => {
  const host = await newHost()
  const owned = await host.firewall.own({ family: 'ip', name: 't', flags: ['persist'] }, [addChain({ ...inT, name: 'c' })])
  expect((await host.firewall.tables())[0]?.flags).toEqual(expect.arrayContaining(['owner', 'persist']))
  await expect(run('nft', ['add', 'chain', 'ip', 't', 'x'], { netns: host.netnsFd })).rejects.toThrow('not permitted')
  await owned.close()
  expect((await host.firewall.chains()).map(({ name }) => name)).toEqual(['c'])
  await run('nft', ['add', 'chain', 'ip', 't', 'x'], { netns: host.netnsFd })
  const again = await host.firewall.own({ family: 'ip', name: 't', flags: ['persist'] })
  const other = await Host.open({ netns: host.netnsFd })
  await expect(other.firewall.commit([deleteTable({ family: 'ip', name: 't' })])).rejects.toMatchObject({ code: 'ERR_NO_PERMISSION', errnoName: 'EPERM' })
  await other.close()
  await again.close()
  await host.firewall.commit([deleteTable({ family: 'ip', name: 't' })])
})

test('a chain that the network card cannot do is refused by name', async () => {
  const host = await newHost()
  await host.links.create({ name: 'v0', kind: 'veth', veth: { peer: { name: 'v1' } } })
  const netdev = { family: 'netdev', table: 'n' } as const
  const requests = [
    addTable({ family: 'netdev', name: 'n' }),
    addChain({ ...netdev, name: 'c', hook: 'ingress', devices: ['v0'], offload: true, policy: 'accept' }),
    addRule({ ...netdev, chain: 'c', expressions: [tcp.dport(80)] }),
  ]
  await expect(host.firewall.commit(requests)).rejects.toThrow(/EOPNOTSUPP/)
  expect(await host.firewall.tables()).toEqual([])
})

const traced = needing(needs.kernel('nftInet'), needs.tool('strace'))
traced.test('flow tables are sent as nft sends them, whether the kernel has them or not', async () => {
  const spelled = [
    'flowtable a { hook ingress priority 0; devices = { lo }; }',
    'flowtable b { hook ingress priority filter - 5; devices = { lo, eth0 }; counter; }',
    'flowtable d { hook ingress priority 10; devices = { lo }; flags offload; }',
  ]
  const table = { family: 'inet', table: 't' } as const
  const ours = [
    addFlowtable({ ...table, name: 'a', devices: ['lo'] }),
    addFlowtable({ ...table, name: 'b', priority: 'filter - 5', devices: ['eth0', 'lo'], flags: ['counter'] }),
    addFlowtable({ ...table, name: 'd', priority: 10, devices: ['lo'], flags: ['offload'] }),
  ]
  const sent = await straceBytes(['sh', '-c', `nft -f - <<'END' || true\ntable inet t {\n${spelled.join('\n')}\n}\nEND`])
  const body = (message: Buffer): string => message.toString('hex', NLMSG_HDRLEN)
  expect(ours.map(request => body(encodeRequests([request]))))
    .toEqual(sent.filter(({ type }) => type === messageType(NFT_MSG_NEWFLOWTABLE)).map(({ bytes }) => body(bytes)))
})
