/** Traffic control: our requests against those of tc(8), as captured from iproute2 6.1 and as the tc of this machine sends them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { encodeRequests, decodeReplies } from '../../src/netlink/message.ts'
import type { AnyRequest, Message } from '../../src/netlink/message.ts'
import { deleteClass, listClasses, newClass } from '../../src/rtnetlink/tc/classes.ts'
import { deleteFilter, listFilters, newFilter } from '../../src/rtnetlink/tc/filters.ts'
import { deleteQdisc, listQdiscs, newQdisc } from '../../src/rtnetlink/tc/qdiscs.ts'
import { needing, needs } from '../support/needs.ts'
import { straceBytes } from '../support/strace.ts'
import { patience } from '../support/patience.ts'

const captured = JSON.parse(readFileSync(new URL('tc_captured.json', import.meta.url), 'utf8')) as Record<string, string>

const kbps = 1000
const mbit = 125_000
/** v0 has index 11, v1 12, ifb0 13. */
const commands: [string, AnyRequest][] = [
  ['tc qdisc add dev v0 root handle 1: htb default 2', newQdisc(11, { kind: 'htb', handle: '1:', htb: { default: 2 } })],
  ['tc class add dev v0 parent 1: classid 1:1 htb rate 1000kbps ceil 2000kbps burst 15kb quantum 1500', newClass(11, {
    kind: 'htb', parent: '1:', classid: '1:1', htb: { rate: 1000 * kbps, ceil: 2000 * kbps, burst: 15 * 1024, quantum: 1500 },
  })],
  ['tc class add dev v0 parent 1:1 classid 1:2 htb rate 1kbps ceil 2000kbps prio 3 cburst 20k mtu 9000', newClass(11, {
    kind: 'htb', parent: '1:1', classid: '1:2', htb: { rate: kbps, ceil: 2000 * kbps, prio: 3, cburst: 20 * 1024, mtu: 9000 },
  })],
  ['tc class add dev v0 parent 1:1 classid 1:3 htb rate 50gbit ceil 60gbit', newClass(11, {
    kind: 'htb', parent: '1:1', classid: '1:3', htb: { rate: 50_000 * mbit, ceil: 60_000 * mbit },
  })],
  ['tc class change dev v0 parent 1:1 classid 1:2 htb rate 5kbps', newClass(11, { kind: 'htb', parent: '1:1', classid: '1:2', htb: { rate: 5 * kbps } }, 'change')],
  ['tc class del dev v0 classid 1:2', deleteClass(11, { classid: '1:2' })],
  ['tc class show dev v0', listClasses(11)],
  ['tc qdisc add dev v0 parent 1:2 handle 2: sfq perturb 10', newQdisc(11, { kind: 'sfq', parent: '1:2', handle: '2:', sfq: { perturbMs: 10_000 } })],
  ['tc qdisc add dev v0 parent 1:2 handle 2: fq_codel limit 1000 target 5ms interval 100ms noecn quantum 300', newQdisc(11, {
    kind: 'fq_codel', parent: '1:2', handle: '2:', fq_codel: { limit: 1000, targetMs: 5, intervalMs: 100, ecn: false, quantum: 300 },
  })],
  ['tc qdisc replace dev v1 root tbf rate 1mbit burst 10k latency 50ms', newQdisc(12, { kind: 'tbf', tbf: { rate: mbit, burst: 10_240, latencyMs: 50 } }, 'replace')],
  ['tc qdisc replace dev v1 root tbf rate 1mbit burst 10k limit 30000 peakrate 2mbit mtu 1500', newQdisc(12, {
    kind: 'tbf', tbf: { rate: mbit, burst: 10_240, limit: 30_000, peakrate: 2 * mbit, mtu: 1500 },
  }, 'replace')],
  ['tc qdisc replace dev v1 root tbf rate 50gbit burst 10m limit 30000', newQdisc(12, {
    kind: 'tbf', tbf: { rate: 50_000 * mbit, burst: 10 << 20, limit: 30_000 },
  }, 'replace')],
  ['tc qdisc replace dev v1 root pfifo limit 50', newQdisc(12, { kind: 'pfifo', pfifo: { limit: 50 } }, 'replace')],
  ['tc qdisc add dev v1 ingress', newQdisc(12, { kind: 'ingress' })],
  ['tc qdisc add dev v1 clsact', newQdisc(12, { kind: 'clsact' })],
  ['tc qdisc del dev v1 root', deleteQdisc(12)],
  ['tc qdisc show dev v1', listQdiscs(12)],
  ['tc filter add dev v1 parent ffff: protocol all u32 match u32 0 0 police rate 1000kbps burst 1000kb mtu 64kb drop flowid :1', newFilter(12, {
    kind: 'u32', parent: 'ffff:', u32: { classid: ':1', police: { rate: 1000 * kbps, burst: 1000 * 1024, mtu: 65_536, exceed: 'drop' } },
  })],
  ['tc filter add dev v0 parent 1:0 protocol all prio 1 handle 1 fw flowid 1', newFilter(11, { kind: 'fw', parent: '1:', prio: 1, handle: 1, fw: { classid: ':1' } })],
  ['tc filter add dev v0 parent 1:0 protocol all prio 2 u32 match ip dst 10.0.0.0/8 flowid 1:3', newFilter(11, {
    kind: 'u32', parent: '1:', prio: 2, u32: { classid: '1:3', match: [{ value: 0x0a000000, mask: 0xff000000, at: 16 }] },
  })],
  ['tc filter add dev v1 parent ffff: protocol ip prio 7 u32 match u32 0 0 action mirred egress redirect dev ifb0', newFilter(12, {
    kind: 'u32', parent: 'ffff:', protocol: 'ip', prio: 7, u32: { actions: [{ kind: 'mirred', action: 'redirect', index: 13 }] },
  })],
  ['tc filter add dev v1 ingress protocol all prio 8 matchall action police rate 1mbit burst 10k conform-exceed drop/continue', newFilter(12, {
    kind: 'matchall', parent: 'ingress', prio: 8,
    matchall: { actions: [{ kind: 'police', rate: mbit, burst: 10_240, exceed: 'drop', conform: 'continue' }] },
  })],
  ['tc filter add dev v1 egress protocol all matchall action gact drop', newFilter(12, {
    kind: 'matchall', parent: 'egress', matchall: { actions: [{ kind: 'gact', action: 'drop' }] },
  })],
  ['tc filter del dev v1 parent ffff: prio 7', deleteFilter(12, { parent: 'ffff:', prio: 7 })],
  ['tc filter show dev v1 parent ffff:', listFilters(12, 'ffff:')],
]

/** What a message says, whatever the order of its attributes and the marks of its nests; unknown ones would stand as raw. */
function said(ours: AnyRequest, bytes: Buffer): Message {
  const [message] = decodeReplies([ours], bytes).messages[0] ?? []
  if (message === undefined) throw new Error('no message')
  return message
}

function compare(ours: AnyRequest, sent: Buffer): void {
  const bytes = encodeRequests([ours])
  expect(said(ours, bytes)).toEqual(said(ours, sent))
  expect(bytes.length).toBe(sent.length)
}

test.each(commands)('%s: as captured', (command, ours) => {
  compare(ours, Buffer.from(captured[command] ?? '', 'hex'))
})

const { test: live } = needing(needs.netAdmin, needs.tool('tc'), needs.tool('strace'), needs.kernel('bridge'), needs.kernel('veth'), needs.kernel('ifb'))

live('as the tc of this machine sends them', async () => {
  const script = commands.map(([command]) => `${command} || true`).join('\n')
  const setup = ['ip link add v0 index 11 type veth peer name v1 index 12', 'ip link add ifb0 index 13 type ifb'].join(' && ')
  const sent = (await straceBytes(['sh', '-c', script], { setup })).filter(({ type }) => type >= 36 && type <= 46)
  expect(sent.length).toBe(commands.length)
  commands.forEach(([, ours], position) => { compare(ours, sent[position]?.bytes ?? Buffer.alloc(0)) })
}, 60_000 * patience)

test.each<[string, () => AnyRequest, string]>([
  ['an unknown kind', () => newQdisc(1, { kind: 'hbt' } as never), 'did you mean "htb"?'],
  ['options of another kind', () => newQdisc(1, { kind: 'htb', tbf: {} } as never), 'tbf: expected only the fields'],
  ['a misspelled option', () => newQdisc(1, { kind: 'htb', htb: { defalt: 1 } } as never), 'did you mean "default"?'],
  ['a handle of five digits', () => newQdisc(1, { kind: 'htb', handle: '12345:' }), 'handle: expected a handle like 1:'],
  ['a parent of ingress', () => newQdisc(1, { kind: 'ingress', parent: 'root' }), 'parent: expected nothing with ingress'],
  ['tbf without a rate', () => newQdisc(1, { kind: 'tbf', tbf: { burst: 1 } } as never), 'tbf.rate: expected an integer'],
  ['tbf without options', () => newQdisc(1, { kind: 'tbf' }), 'tbf: expected options with rate and burst'],
  ['tbf with limit and latency', () => newQdisc(1, { kind: 'tbf', tbf: { rate: 1, burst: 1, limit: 1, latencyMs: 1 } }), 'tbf.limit: expected either limit or latencyMs'],
  ['tbf with a peakrate alone', () => newQdisc(1, { kind: 'tbf', tbf: { rate: 1, burst: 1, limit: 1, peakrate: 2 } }), 'tbf.mtu: expected an integer'],
  ['a class without a rate', () => newClass(1, { kind: 'htb', parent: '1:', classid: '1:1', htb: {} as never }), 'htb.rate: expected an integer'],
  ['a class without classid', () => newClass(1, { kind: 'htb', parent: '1:', htb: { rate: 1 } } as never), 'classid: expected a handle'],
  ['a priority of 8', () => newClass(1, { kind: 'htb', parent: '1:', classid: '1:1', htb: { rate: 1, prio: 8 } }), 'htb.prio: expected an integer from 0 to 7'],
  ['a protocol that is none', () => newFilter(1, { kind: 'u32', parent: '1:', protocol: 'ipx' as never }), 'protocol: expected one of all, ip'],
  ['a prio of 17 bits', () => newFilter(1, { kind: 'u32', parent: '1:', prio: 65_536 }), 'prio: expected an integer'],
  ['police without a burst', () => newFilter(1, { kind: 'u32', parent: '1:', u32: { police: { rate: 1 } } }), 'u32.police.burst: expected an integer'],
  ['a verdict that is none', () => newFilter(1, { kind: 'u32', parent: '1:', u32: { actions: [{ kind: 'gact', action: 'deny' as never }] } }), 'action: expected one of ok'],
  ['an action that is none', () => newFilter(1, { kind: 'u32', parent: '1:', u32: { actions: [{ kind: 'gat' } as never] } }), 'did you mean "gact"?'],
  ['no key', () => newFilter(1, { kind: 'u32', parent: '1:', u32: { match: [] } }), 'u32.match: expected 1 to 128 keys'],
])('refused before anything is sent: %s', (_, make, message) => {
  expect(() => encodeRequests([make()])).toThrow(message)
})
