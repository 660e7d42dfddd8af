/** A start that fails, at whichever step and for whatever reason, is undone as if it had never been tried. */
import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ErrorCode } from '../../src/errors.ts'
import { dnsmasqNamespace } from '../../src/network/config.ts'
import { failAt, meanwhile } from './faults.ts'
import type { Lab } from './lab.ts'
import { describe, natXml, openLab, refusal, runFiles, settled, snapshot, test } from './lab.ts'

test('a failure at any step is undone', async () => {
  const lab = await openLab()
  const definer = await lab.connect()
  await definer.networks.define(natXml(1))
  const before = await snapshot(lab)
  for (let position = 0, length = 1; position < length; position++) {
    const fault = failAt(position)
    const connection = await lab.connect()
    const network = await connection.networks.get('net1')
    const error: unknown = await network.start().then(() => 'started', (reason: unknown) => reason)
    fault.stop()
    length = fault.length
    expect(error, `step ${position} of ${length}`).toHaveProperty('code')
    expect(await snapshot(lab), `step ${position} of ${length}`).toEqual(before)
    expect(await runFiles(lab)).toEqual([])
    await connection.close()
  }
  await (await definer.networks.get('net1')).start()
})

interface Case {
  what: string
  code: ErrorCode
  message: RegExp
  /** Shell commands in the namespace. */
  before?: string
  /** A program in place of dnsmasq. */
  dnsmasq?: string
  xml?: string
  prepare?(lab: Lab): unknown
}

const refusedOption = natXml(1).replace('<network>', `<network xmlns:dnsmasq="${dnsmasqNamespace}">`)
  .replace('</network>', '<dnsmasq:options><dnsmasq:option value="no-such-option"/></dnsmasq:options></network>')

const uplink = 'ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up'

const cases: Case[] = [
  {
    what: 'a dnsmasq that fails', dnsmasq: 'echo "dnsmasq: no luck today" >&2; exit 7',
    code: 'ERR_DNSMASQ_FAILED', message: /network net1 ended with status 7: no luck today/,
  },
  {
    what: 'a dnsmasq that is killed', dnsmasq: 'kill -9 $$',
    code: 'ERR_DNSMASQ_FAILED', message: /was ended by signal 9/,
  },
  {
    what: 'no dnsmasq', prepare: lab => rm(join(lab.root, 'dnsmasq')), dnsmasq: '',
    code: 'ERR_DNSMASQ_MISSING', message: /there is no program .*\/dnsmasq/,
  },
  {
    what: 'an option that dnsmasq refuses', xml: refusedOption,
    code: 'ERR_DNSMASQ_FAILED', message: /bad option at line \d+ of .*net1\.conf/,
  },
  {
    what: 'port 53 taken', before: 'setsid nc -l -k 0.0.0.0 53 >/dev/null 2>&1 & sleep 0.1',
    code: 'ERR_DNSMASQ_FAILED', message: /192\.168\.1\.1.*Address already in use/,
  },
  {
    what: 'a link with the bridge’s name', before: 'ip link add br1 type veth peer name up1',
    code: 'ERR_BRIDGE_IN_USE', message: /start network net1: there is already a link br1 \(veth\)/,
  },
  {
    what: 'a bridge of that name made meanwhile',
    prepare: lab => { meanwhile('starting', () => lab.sh('ip link add br1 type bridge')) },
    code: 'ERR_BRIDGE_IN_USE', message: /already a link br1 \(bridge\)/,
  },
  {
    what: 'the subnet on another link', before: `${uplink}; ip addr add 192.168.1.7/25 dev up0`,
    code: 'ERR_SUBNET_IN_USE', message: /192\.168\.1\.0\/24 overlaps 192\.168\.1\.0\/25/,
  },
  {
    what: 'a route into the subnet',
    before: `${uplink}; ip addr add 10.0.0.1/24 dev up0; ip route add 192.168.1.128/25 via 10.0.0.2`,
    code: 'ERR_SUBNET_IN_USE', message: /192\.168\.1\.128\/25, which this host routes via 10\.0\.0\.2/,
  },
  {
    what: 'a table filter that a process owns',
    before: `(echo "add table ip filter { flags owner; }"; sleep 20) 2>/dev/null | setsid nft -i >/dev/null 2>&1 &
      sleep 0.2; nft list tables | grep -q filter`,
    code: 'ERR_NO_PERMISSION', message: /filter/,
  },
  {
    what: 'a chain POSTROUTING of another type',
    before: 'nft "add table ip nat; add chain ip nat POSTROUTING { type filter hook input priority 0; }"',
    code: 'ERR_NETLINK', message: /nat/,
  },
  {
    what: 'a directory of its state that became a file', prepare: async ({ root }) => {
      await rm(join(root, 'run/starting'), { recursive: true })
      await writeFile(join(root, 'run/starting'), '')
    },
    code: 'ERR_SYSTEM', message: /run\/starting\/net1\.json.*ENOTDIR/,
  },
  {
    what: 'a route that the kernel has already',
    xml: natXml(1, { extra: '<route address="10.5.0.0" prefix="16" gateway="192.168.1.9"/>'.repeat(2) }),
    code: 'ERR_NETLINK', message: /10\.5\.0\.0\/16/,
  },
]

describe('undone, and told why:', () => {
  test.each(cases)('$what', async ({ code, message, before, dnsmasq, xml = natXml(1), prepare }) => {
    const lab = await openLab()
    const program = join(lab.root, 'dnsmasq')
    if (dnsmasq !== undefined) {
      await writeFile(program, `#!/bin/sh\n${dnsmasq}\n`)
      await chmod(program, 0o755)
    }
    const setup = await lab.connect()
    await setup.networks.define(xml)
    if (before !== undefined) await lab.sh(before)
    await prepare?.(lab)
    const parameters = dnsmasq === undefined ? undefined : { dnsmasq: program }
    // What connect would find, and refuse or put right, happens to one that is there already.
    const { networks } = code === 'ERR_SYSTEM' ? setup : await lab.connect(parameters)
    await settled(lab)
    const untouched = await snapshot(lab)
    const network = await networks.get('net1')
    const { message: said } = await refusal(code, () => network.start())
    expect(said).toMatch(message)
    const after = await snapshot(lab)
    // A bridge that somebody else made meanwhile is theirs.
    if (message.source.includes('bridge')) expect(await lab.sh('ip link show br1')).toContain('br1')
    else expect(after).toEqual(untouched)
    expect((await runFiles(lab)).filter(file => file !== 'run/starting')).toEqual([])
    expect(await network.info()).toMatchObject({ active: false })
  })
})

test('a ruleset that others change meanwhile only makes a start, or a stop, look again', async () => {
  const lab = await openLab()
  let changes = 0
  const change = () => lab.sh(`nft add table ip other${changes++}`)
  meanwhile('starting', change)
  meanwhile('stopping', change)
  const { networks } = await lab.connect()
  const network = await networks.create(natXml(1, { dhcp: false }))
  await network.destroy()
  expect(changes).toBe(2)
  expect(await lab.sh('nft list ruleset')).toBe('table ip other0 {\n}\ntable ip other1 {\n}\n')
  expect(await runFiles(lab)).toEqual([])
})
