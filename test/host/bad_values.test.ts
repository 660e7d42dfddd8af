/** Values that make no sense: each is refused by the name of its field, before anything is sent. */
import { describe, expect, test as always } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { setMst } from '../../src/rtnetlink/mst.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { needing, needs } from '../support/needs.ts'
import { newHost, rejection } from './support.ts'

const { test } = needing(needs.netAdmin, needs.kernel('bridge'), needs.kernel('veth'))

type Anything = Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>
type Call = [words: string, call: (host: Anything) => Promise<unknown> | undefined, field: string]

const filters: Call[] = [
  ['neighbours by a state that is none', host => host['neighbors']?.['list']?.({ state: 'reachble' }), 'state'],
  ['forwarding entries by a state that is none', host => host['neighbors']?.['list']?.({ family: 'bridge', state: 'foo' }), 'state'],
  ['forwarding entries by VLAN 9999', host => host['neighbors']?.['list']?.({ family: 'bridge', vlan: 9999 }), 'vlan'],
  ['links by a kind that is no text', host => host['links']?.['list']?.({ kind: 5 }), 'kind'],
  ['links by up: yes', host => host['links']?.['list']?.({ up: 'yes' }), 'up'],
  ['links by a group by name', host => host['links']?.['list']?.({ group: 'x' }), 'group'],
  ['links by a number as type', host => host['links']?.['list']?.({ type: 1 }), 'type'],
  ['addresses by a misspelled link', host => host['addresses']?.['list']?.({ lnk: 5 }), 'lnk'],
  ['addresses by a protocol that is none', host => host['addresses']?.['list']?.({ protocol: 'nope' }), 'protocol'],
  ['routes by a metric that is text', host => host['routes']?.['list']?.({ metric: 'x' }), 'metric'],
  ['routes by TOS 256', host => host['routes']?.['list']?.({ tos: 256 }), 'tos'],
  ['routes by cache: 1', host => host['routes']?.['list']?.({ cache: 1 }), 'cache'],
  ['rules by a priority that is text', host => host['rules']?.['list']?.({ priority: 'a' }), 'priority'],
  ['rules by the index of a link', host => host['rules']?.['list']?.({ iif: 1 }), 'iif'],
  ['nexthops by groups: yes', host => host['nexthops']?.['list']?.({ groups: 'yes' }), 'groups'],
  ['groups by a misspelled bridge', host => host['mdb']?.['list']?.({ brdge: 'br0' }), 'brdge'],
]

const specifications: Call[] = [
  ['options as a port without a master', host => host['links']?.['create']?.({ name: 'w', kind: 'veth', port: { cost: 3 } }), 'port'],
  ['a peer of the same name', host => host['links']?.['create']?.({ name: 'w', kind: 'veth', veth: { peer: { name: 'w' } } }), 'veth.peer.name'],
  ['veth: null', host => host['links']?.['create']?.({ name: 'w', kind: 'veth', veth: null }), 'veth'],
  ['bridge: null', host => host['links']?.['create']?.({ name: 'w', kind: 'bridge', bridge: null }), 'bridge'],
  ['one of many without a master', host => host['links']?.['createMany']?.([{ name: 'w', kind: 'veth', port: { cost: 3 } }]), 'links[0].port'],
  ['no state of a spanning tree', host => host['vlans']?.['setMst']?.('lo', 10), 'state'],
]

const opened = async (): Promise<Anything> => await newHost() as Host & Anything

describe('refused by the name of the field', () => {
  test.each([...filters, ...specifications])('%s', async (_, call, field) => {
    expect(await rejection(call(await opened()) ?? Promise.resolve())).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', field })
  })
})

always('the number of a spanning tree', () => {
  expect(() => encodeRequests([setMst(1, 0, 'learning')])).toThrow('msti: expected an integer from 1 to 4094, got 0')
})
