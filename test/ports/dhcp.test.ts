/** Addresses that ports reserve, as a real DHCP client gets them. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Lab } from '../kernel/lab.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { openGuest, openNetwork, portNeeds, shown } from './support.ts'

const { test } = needing(...portNeeds, needs.tool('udhcpc'))

const served = '<ip address="10.7.0.1" prefix="24"><dhcp><range start="10.7.0.100" end="10.7.0.199"/></dhcp></ip>'

/** The address that the guest's client is given. */
async function takeLease(lab: Lab, netns: string): Promise<string> {
  const file = join(lab.root, 'client.sh')
  await writeFile(file, '#!/bin/sh\n[ "$1" = bound ] && echo "$ip" >"$0.lease"\nexit 0\n', { mode: 0o755 })
  await run('udhcpc', ['-f', '-q', '-n', '-t', '8', '-T', '1', '-i', 'eth0', '-s', file], { netns })
  return (await readFile(`${file}.lease`, 'utf8')).trim()
}

test('the reserved address and name while the port is there, another one afterwards', async () => {
  const { lab, network } = await openNetwork(served)
  const [guest, other] = [await openGuest(), await openGuest()]
  const plug = (netns: string) => ({ kind: 'veth', peer: { ifname: 'eth0', netns, up: true } } as const)
  const [port] = await network.attachMany([
    { ...plug(guest.netns), ip: '10.7.0.42', hostname: 'web1', mac: '52:54:00:00:00:42' },
    plug(other.netns),
  ])
  expect(port).toMatchObject({ ip: '10.7.0.42', hostname: 'web1', mac: '52:54:00:00:00:42' })
  expect(await shown(lab, 'vnet0')).toMatchObject({ ifalias: `virbr network=${network.uuid} mac=52:54:00:00:00:42 ip=10.7.0.42 hostname=web1` })
  expect((await network.config()).ip?.[0]?.dhcp?.host).toEqual([{ mac: '52:54:00:00:00:42', name: 'web1', ip: '10.7.0.42' }])
  expect(await takeLease(lab, guest.netns)).toBe('10.7.0.42')
  expect(await takeLease(lab, other.netns)).toMatch(/^10\.7\.0\.1\d\d$/)

  await network.detachMany(['vnet0'])
  expect((await network.config()).ip?.[0]?.dhcp?.host ?? []).toEqual([])
  expect(await network.ports()).toMatchObject([{ ifname: 'vnet1', ip: undefined }])
  await network.attach({ ...plug(guest.netns), mac: '52:54:00:00:00:43' })
  expect(await takeLease(lab, guest.netns)).toMatch(/^10\.7\.0\.1\d\d$/)
  // It may be reserved again.
  expect(await network.attach({ ip: '10.7.0.42', hostname: 'web1' })).toMatchObject({ ip: '10.7.0.42' })
})
