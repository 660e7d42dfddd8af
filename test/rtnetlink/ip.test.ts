/** Our requests against those of ip(8): as captured, and as the ip of this machine sends them. */
import { test } from 'vitest'
import { needing, needs } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { straceBytes } from '../support/strace.ts'
import { compare, said, sentByEach } from './compare.ts'
import { commands, setup } from './ip_commands.ts'
import { routeCommands } from './ip_route_commands.ts'

test.each([...commands, ...routeCommands])('$command: as captured', command => {
  compare(command, Buffer.from(command.sent, 'hex'))
})

const { test: live } = needing(needs.netAdmin, needs.tool('ip'), needs.tool('strace'), needs.kernel('bridge'), needs.kernel('veth'))

live.each(commands)('$command: as this machine sends it', async command => {
  const { type } = said(command, Buffer.from(command.sent, 'hex'))
  const sent = await straceBytes(['sh', '-c', `${command.command} || true`], { setup })
  const wanted = sent.filter(message => message.type === type).at(-1)
  compare(command, wanted?.bytes ?? Buffer.alloc(0))
}, 60_000 * patience)

live('addresses, routes, nexthops and rules: as this machine sends them', async () => {
  const groups = await sentByEach(routeCommands)
  routeCommands.forEach((command, place) => {
    const { type } = said(command, Buffer.from(command.sent, 'hex'))
    const wanted = groups[place]?.filter(message => message.type === type).at(-1)
    if (wanted === undefined) throw new Error(`ip sends nothing for ${command.command}`)
    compare(command, wanted.bytes)
  })
}, 60_000 * patience)
