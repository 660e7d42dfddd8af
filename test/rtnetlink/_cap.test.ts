import { test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { straceBytes } from '/work/main/test/support/strace.ts'
import { commands, setup } from '/work/main/test/rtnetlink/ip_commands.ts'
import * as c from '/work/main/src/rtnetlink/constants.ts'
test('capture', async () => {
  const out: Record<string, string> = {}
  for (const { command, ours } of commands) {
    const type = ours.type === c.RTM_SETLINK ? c.RTM_NEWLINK : ours.type
    try {
      const sent = await straceBytes(['sh', '-c', `${command} || true`], { setup })
      // ip asks for the names of links that it shows
      const all = sent.filter(m => m.type === type)
      out[command] = all.map(m => m.bytes.toString('hex')).join(' ')
    } catch (e) { out[command] = String(e) }
  }
  writeFileSync('/tmp/rtnl_cap.json', JSON.stringify(out, null, 1))
}, 300000)
