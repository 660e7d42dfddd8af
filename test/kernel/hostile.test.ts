/** Whatever the kernel driver is given, it answers, or rejects with a VirbrError; and nothing hangs. */
import { expect } from 'vitest'
import { connect } from '../../src/connect.ts'
import { Complaints, methodsOf, neverRight, someWrongValues, spoiled, wrongArguments, wrongValues } from '../support/hostile.ts'
import { patience } from '../support/patience.ts'
import { bareXml, natXml, openLab, test } from './lab.ts'

const where = { live: false, config: true, parentIndex: 0 }
const host = { mac: '52:54:00:00:00:01', ip: '192.168.9.5', name: 'a' }
const record = { name: 'a', value: 'b' }
const service = { service: 'sip', protocol: 'tcp', domain: 'a.b', target: 'c', port: 1, priority: 1, weight: 1 }

/** Of each method of a network arguments that are right, with every field that it documents. */
const valid: Record<string, readonly (readonly unknown[])[]> = {
  info: [], start: [], destroy: [], undefine: [], ports: [],
  setAutostart: [[false]], xml: [[{ inactive: true }]], config: [[{ inactive: true }]], leases: [[{ mac: '52:54:00:00:00:01' }]],
  update: [[{ command: 'add-last', section: 'dns-txt', xml: record, ...where }], [{ command: 'delete', section: 'dns-txt', xml: '<txt name="x"/>' }]],
  attach: [
    [{ ifname: 'x', kind: 'tap', mac: host.mac, ip: host.ip, hostname: 'a', owner: 0, group: 0, queues: 1, vnetHeader: true, isolated: true, mtu: 1400 }],
    [{ kind: 'veth', peer: { ifname: 'y', netns: '/none', up: true } }],
  ],
  attachMany: [[[{ ifname: 'x' }]]], detachMany: [[['x']]],
  addDhcpHost: [[host, { ...where, first: true }]], modifyDhcpHost: [[host, where]], removeDhcpHost: [[host, where]],
  addDhcpRange: [[{ start: '192.168.9.2', end: '192.168.9.3' }, { ...where, first: true }]],
  removeDhcpRange: [[{ start: '192.168.9.2', end: '192.168.9.3' }, where]],
  addForwardInterface: [[{ dev: 'eth0' }, where]], removeForwardInterface: [[{ dev: 'eth0' }, where]],
  addPortGroup: [[{ name: 'p', default: true }, where]], modifyPortGroup: [[{ name: 'p' }, where]], removePortGroup: [[{ name: 'p' }, where]],
  addDnsHost: [[{ ip: '10.0.0.1', hostname: ['a'] }, where]], modifyDnsHost: [[{ ip: '10.0.0.1', hostname: ['a'] }, where]],
  removeDnsHost: [[{ ip: '10.0.0.1' }, where]],
  addDnsTxt: [[record, where]], modifyDnsTxt: [[record, where]], removeDnsTxt: [[{ name: 'a' }, where]],
  addDnsSrv: [[service, where]], removeDnsSrv: [[service, where]],
}

test('connect, a connection and its networks, with wrong values for all of their arguments', async () => {
  const lab = await openLab()
  const connection = await lab.connect()
  const complaints = new Complaints()
  for (const [name, method] of [...methodsOf(connection), ...methodsOf(connection.networks)]) {
    if (name === 'close' || name === 'endWatches') continue
    for (const given of wrongArguments(someWrongValues, [])) await complaints.try(name, () => method(...given), given)
  }
  for (const value of wrongValues) {
    // Left out, it would be the machine's own.
    if (value !== undefined) await complaints.try('connect', () => connect(value as string), [value])
    await complaints.try('connect', () => connect(lab.uri(), value as object), [value])
  }
  expect(complaints.list).toEqual([])
})

test('a network, with wrong values for all of its arguments, and in each field of what is right', async () => {
  const connection = await (await openLab()).connect()
  const network = await connection.networks.define(natXml(9))
  const running = await connection.networks.create(bareXml('runs'))
  const complaints = new Complaints()
  expect(Object.keys(valid).sort()).toEqual(methodsOf(network).map(([name]) => name).sort())
  for (const [name, method] of methodsOf(network)) {
    const ofPorts = /^(at|de)tach|^leases/.test(name)
    const call = ofPorts ? methodsOf(running).find(([other]) => other === name)?.[1] ?? method : method
    if (valid[name]?.length === 0) continue
    for (const given of wrongArguments(someWrongValues, [])) await complaints.try(name, () => call(...given), given)
    for (const arguments_ of valid[name] ?? []) {
      for (const [path, given] of spoiled(arguments_, neverRight)) {
        await complaints.refused(name, path, () => call(...given), given)
      }
      for (const [path, given] of spoiled(arguments_, wrongValues)) await complaints.try(`${name}${path}`, () => call(...given), given)
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)
