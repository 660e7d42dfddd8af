/** What connection tracking keeps beside a connection's state. Source: linux/netfilter/xt_helper.h. */
import { padding, u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { bang, extension, negatable, says } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { text } from '../values.ts'
import { fixedText } from '../xt.ts'

const helperOptions = { helper: negatable(text(29)) }

export const helper: Extension<typeof helperOptions> = extension({
  name: 'helper',
  options: helperOptions,
  layout: struct({ invert: u32, name: fixedText(30), _: padding(2) }),
  check: given => (given.helper === undefined ? ['helper', helperOptions.helper.kind.accepted] : undefined),
  write: ({ helper: said }) => ({ invert: said?.not === true ? 1 : 0, name: said?.value }),
  read: ({ invert, name }) => ({ helper: says(name, invert !== 0) }),
  list: ({ helper: said }) => `helper match ${bang(said, ' ')}"${said?.value ?? ''}"`,
})
