/** What is wrong is refused by name, with the field or line at fault, before anything is touched. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { connect } from '../../src/connect.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { VirbrError } from '../../src/errors.ts'
import type { Networks } from '../../src/network/connection.ts'
import { needing, needs } from '../support/needs.ts'
import type { Lab } from './lab.ts'
import {
  answerOf, bareXml, describe, kernelNeeds, natXml, openLab, refusal, snapshot, startChild, test,
} from './lab.ts'

interface Case {
  what: string
  run(networks: Networks, lab: Lab): Promise<unknown>
  code: ErrorCode
  says: RegExp
}

/** A network of one subnet, with something about it changed. */
const define = (from: string, to: string): Case['run'] => networks => {
  const xml = natXml(9).replace(from, to)
  expect(xml).not.toBe(natXml(9))
  return networks.define(xml)
}
/** With an element more. */
const having = (extra: string): Case['run'] => networks => networks.define(natXml(9, { extra }))
const any = (value: unknown) => value as never
type Use = (networks: Networks, value: never) => Promise<unknown>
/** A case for each of some values that the types would not let through. */
const of = (what: string, values: unknown[], says: RegExp, run: Use) =>
  values.map((value, index): Case =>
    ({ what: `${what} (${index})`, run: networks => run(networks, any(value)), code: 'ERR_INVALID_ARGUMENT', says }))

const cases: Case[] = [
  { what: 'XML cut off', run: define('</network>', ''), code: 'ERR_INVALID_XML', says: /^line \d+/ },
  {
    what: 'a tag that is not closed',
    run: define('<forward mode="nat"/>', '<forward mode="nat">'),
    code: 'ERR_INVALID_XML', says: /^line \d+/,
  },
  { what: 'no XML', run: networks => networks.define('hello'), code: 'ERR_INVALID_XML', says: /^line 1/ },
  { what: 'an empty string', run: networks => networks.create(''), code: 'ERR_INVALID_XML', says: /^line 1/ },
  { what: 'another document', run: networks => networks.define('<domain/>'), code: 'ERR_INVALID_XML', says: /network/ },
  {
    what: 'a forward mode that there is not',
    run: define('mode="nat"', 'mode="nut"'),
    code: 'ERR_INVALID_XML', says: /nut.*did you mean "nat"/,
  },
  { what: 'no name', run: define('<name>net9</name>', ''), code: 'ERR_INVALID_XML', says: /name/ },
  {
    what: 'a name with a slash',
    run: define('net9', '../net9'),
    code: 'ERR_INVALID_ARGUMENT', says: /^name: .*\.\.\/net9/,
  },
  { what: 'a name that is a folder', run: define('net9', '..'), code: 'ERR_INVALID_ARGUMENT', says: /^name: / },
  {
    what: 'a name too long for a file',
    run: define('net9', 'n'.repeat(252)),
    code: 'ERR_INVALID_ARGUMENT', says: /^name: /,
  },
  {
    what: 'a bridge name too long',
    run: define('br9', 'b'.repeat(16)),
    code: 'ERR_INVALID_ARGUMENT', says: /^bridge\.name: .*15/,
  },
  {
    what: 'a bridge name with a slash',
    run: define('br9', 'b/r'),
    code: 'ERR_INVALID_ARGUMENT', says: /^bridge\.name: /,
  },
  {
    what: 'an address that is none',
    run: define('192.168.9.1"', '192.168.9.256"'),
    code: 'ERR_INVALID_XML', says: /192\.168\.9\.256/,
  },
  {
    what: 'the subnet’s own address',
    run: define('192.168.9.1"', '192.168.9.0"'),
    code: 'ERR_INVALID_ARGUMENT', says: /^ip\[0\]\.address: /,
  },
  {
    what: 'a prefix too long',
    run: define('prefix="24"', 'prefix="33"'),
    code: 'ERR_INVALID_ARGUMENT', says: /^ip\[0\]\.prefix: /,
  },
  {
    what: 'a range outside of the subnet',
    run: define('192.168.9.254', '192.168.10.4'),
    code: 'ERR_INVALID_ARGUMENT', says: /^ip\[0\]\.dhcp\.range\[0\]\.end: /,
  },
  {
    what: 'a range the wrong way',
    run: define('end="192.168.9.254"', 'end="192.168.9.1"'),
    code: 'ERR_INVALID_ARGUMENT', says: /^ip\[0\]\.dhcp\.range\[0\]/,
  },
  { what: 'a MAC that is none', run: having('<mac address="52:54:00"/>'), code: 'ERR_INVALID_XML', says: /52:54:00/ },
  {
    what: 'a route by a gateway out of reach',
    run: having('<route address="10.0.0.0" prefix="8" gateway="10.9.9.9"/>'),
    code: 'ERR_INVALID_ARGUMENT', says: /^route\[0\]\.gateway: /,
  },
  { what: 'an MTU too small', run: having('<mtu size="67"/>'), code: 'ERR_INVALID_ARGUMENT', says: /^mtu\.size: .*68/ },
  {
    what: 'the name of another network',
    run: define('net9', 'taken'),
    code: 'ERR_NETWORK_EXISTS', says: /network taken already exists/,
  },
  {
    what: 'the bridge of another',
    run: define('br9', 'br1'),
    code: 'ERR_BRIDGE_IN_USE', says: /bridge br1 already belongs to network taken/,
  },
  {
    what: 'the subnet of another',
    run: networks => networks.define(natXml(1, { name: 'n', bridge: 'b' })),
    code: 'ERR_SUBNET_IN_USE', says: /192\.168\.1\.0\/24 of network taken/,
  },
  {
    what: 'a subnet around that of another',
    run: networks => networks.create(any({ name: 'n', ip: [{ address: '192.168.200.1', prefix: 16 }] })),
    code: 'ERR_SUBNET_IN_USE', says: /192\.168\.0\.0\/16 overlaps 192\.168\.1\.0\/24/,
  },
  {
    what: 'the UUID of another',
    run: async networks => having(`<uuid>${(await networks.get('taken')).uuid}</uuid>`)(networks, any(undefined)),
    code: 'ERR_NETWORK_EXISTS', says: /already belongs to network taken/,
  },
  {
    what: 'IPv6',
    run: networks => networks.define({ name: 'n', ip: [{ family: 'ipv6', address: 'fd00::1', prefix: 64 }] }),
    code: 'ERR_UNSUPPORTED', says: /<ip family="ipv6">/,
  },
  {
    what: 'a bandwidth',
    run: having('<bandwidth><inbound average="1000"/></bandwidth>'),
    code: 'ERR_UNSUPPORTED', says: /<bandwidth>/,
  },
  { what: 'a port group', run: having('<portgroup name="p"/>'), code: 'ERR_UNSUPPORTED', says: /<portgroup>/ },
  {
    what: 'a host’s bridge',
    run: networks => networks.define('<network><name>n</name><forward mode="bridge"/><bridge name="br0"/></network>'),
    code: 'ERR_UNSUPPORTED', says: /<forward mode="bridge">/,
  },
  {
    what: 'a config with a misspelled field',
    run: networks => networks.define(any({ name: 'n', brigde: {} })),
    code: 'ERR_INVALID_ARGUMENT', says: /^brigde: .*did you mean "bridge"/,
  },
  {
    what: 'a config of wrong types',
    run: networks => networks.define(any({ name: 'n', ip: [{ address: 7 }] })),
    code: 'ERR_INVALID_ARGUMENT', says: /^ip\[0\]\.address: .*got 7/,
  },
  ...of('no configuration', [undefined, null, 7, [], new Map(), () => 1], /./, (all, value) => all.define(value)),
  ...of('no name', [undefined, null, 7, {}, '', 'a/b', 'a\0b', '..'], /^nameOrUuid: /, (all, value) => all.get(value)),
  ...of('no filter', [null, 7, 'active'], /^filter: /, (all, value) => all.list(value)),
  {
    what: 'a filter of a wrong name',
    run: networks => networks.list(any({ activ: true })),
    code: 'ERR_INVALID_ARGUMENT', says: /did you mean "active"/,
  },
  {
    what: 'a filter of a wrong type',
    run: networks => networks.list(any({ active: 'yes' })),
    code: 'ERR_INVALID_ARGUMENT', says: /active: .*got "yes"/,
  },
  {
    what: 'autostart neither on nor off',
    run: async networks => (await networks.get('taken')).setAutostart(any('no')),
    code: 'ERR_INVALID_ARGUMENT', says: /got "no"/,
  },
  {
    what: 'options of xml that are none',
    run: async networks => (await networks.get('taken')).xml(any(null)),
    code: 'ERR_INVALID_ARGUMENT', says: /options/,
  },
  {
    what: 'a MAC of leases that is none',
    run: async networks => (await networks.get('taken')).leases(any({ mac: 7 })),
    code: 'ERR_INVALID_ARGUMENT', says: /mac: /,
  },
]

describe('refused, and nothing touched:', () => {
  test.each(cases)('$what', async ({ run, code, says }) => {
    const lab = await openLab()
    const { networks } = await lab.connect()
    await networks.define(natXml(1, { name: 'taken' }))
    const files = await lab.sh(`cd ${lab.root} && find . -type f -exec sha256sum {} +`)
    const links = await lab.sh('ip link; nft list ruleset')
    expect((await refusal(code, () => run(networks, lab))).message).toMatch(says)
    expect(await lab.sh(`cd ${lab.root} && find . -type f -exec sha256sum {} +`)).toBe(files)
    expect(await lab.sh('ip link; nft list ruleset')).toBe(links)
  })
})

interface UriCase {
  uri: unknown
  code: ErrorCode
  says: RegExp
}

const uris: UriCase[] = [
  { uri: 'kernel:///session', code: 'ERR_INVALID_URI', says: /kernel:\/\/\/system/ },
  { uri: 'kernel://host/system', code: 'ERR_INVALID_URI', says: /kernel:\/\/\/system/ },
  { uri: 'kernel:///system?nets=x', code: 'ERR_INVALID_URI', says: /did you mean "netns"/ },
  { uri: 'kernel:///system?root=var', code: 'ERR_INVALID_URI', says: /absolute path for root/ },
  { uri: 'kernel:///system?root=', code: 'ERR_INVALID_URI', says: /one value for root/ },
  { uri: 'kernel:///system?root=/a&root=/b', code: 'ERR_INVALID_URI', says: /one value for root/ },
  { uri: 'kernel:///system?dnsmasq=dnsmasq', code: 'ERR_INVALID_URI', says: /absolute path for dnsmasq/ },
  { uri: 'system', code: 'ERR_INVALID_URI', says: /"system"/ },
  { uri: 7, code: 'ERR_INVALID_URI', says: /got 7/ },
  { uri: null, code: 'ERR_INVALID_URI', says: /got null/ },
  { uri: 'kernel:///system?netns=virbr-nowhere', code: 'ERR_NO_NETNS', says: /\/run\/netns\/virbr-nowhere: ENOENT/ },
  { uri: 'kernel:///system?netns=/etc/hostname', code: 'ERR_NO_NETNS', says: /\/etc\/hostname/ },
  { uri: 'kernel:///system?netns=..', code: 'ERR_INVALID_ARGUMENT', says: /netns/ },
]

test.each(uris)('connect to $uri is refused', async ({ uri, code, says }) => {
  expect((await refusal(code, () => connect(uri as string))).message).toMatch(says)
})

describe('refused, by name:', () => {
  test('a root that is a file', async () => {
    const lab = await openLab()
    const root = join(lab.root, 'file')
    await writeFile(root, '')
    expect((await refusal('ERR_STATE_DIR', () => lab.connect({ root }))).message).toContain(`${root}/`)
  })

  needing(...kernelNeeds, needs.root).test('a root that cannot be written to', async () => {
    const lab = await openLab()
    await lab.connect()
    const child = startChild(`await virbr.connect(args.uri).catch(error => console.log(error.code, error.message))
      process.exit()`, { uri: lab.uri() },
    ['unshare', '--mount', 'sh', '-c', 'mount --bind $0 $0 && mount -o remount,bind,ro $0 && exec "$@"', lab.root])
    expect(await answerOf(child)).toMatch(/^ERR_STATE_DIR cannot write to .*EROFS; .*\?root=/)
  })

  needing(...kernelNeeds, needs.root, needs.tool('setpriv')).test('a start without CAP_NET_ADMIN', async () => {
    const lab = await openLab()
    await (await lab.connect()).networks.define(natXml(1))
    const before = await snapshot(lab)
    const child = startChild(`const { networks } = await virbr.connect(args.uri)
      const network = await networks.get('net1')
      await network.start().catch(error => console.log(error.code, error.message))
      process.exit()`, { uri: lab.uri().replace(/netns=[^&]*&/, '') },
    ['nsenter', `--net=${lab.netns}`, 'setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'])
    expect(await answerOf(child)).toMatch(/^ERR_NO_PERMISSION start network net1: CAP_NET_ADMIN/)
    expect(await snapshot(lab)).toEqual(before)
  })
})

test('a connection that is closed says so, however it is used, and closes once more', async () => {
  const lab = await openLab()
  const connection = await lab.connect()
  const { networks } = connection
  const network = await networks.define(bareXml('n'))
  await connection.close()
  await connection.close()
  for (const use of [
    () => networks.list(), () => networks.get('n'), () => networks.define(bareXml('m')), () => networks.autostart(),
    () => network.info(), () => network.start(), () => network.destroy(), () => network.xml(), () => network.undefine(),
  ]) await refusal('ERR_CLOSED', use)
  expect(() => connection.networks).toThrow(VirbrError)
})
