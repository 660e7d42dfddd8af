/** What a rule is for. Source: linux/netfilter/xt_comment.h. */
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, option, says } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { text } from '../values.ts'
import { fixedText } from '../xt.ts'

const commentOptions = { comment: option(text(c.XT_MAX_COMMENT_LEN - 1)) }

export const comment: Extension<typeof commentOptions> = extension({
  name: 'comment',
  options: commentOptions,
  layout: struct({ comment: fixedText(c.XT_MAX_COMMENT_LEN) }),
  check: given => (given.comment === undefined ? ['comment', commentOptions.comment.kind.accepted] : undefined),
  write: ({ comment: said }) => ({ comment: said?.value }),
  read: ({ comment: value }) => ({ comment: says(value) }),
  list: ({ comment: said }) => `/* ${said?.value ?? ''} */`,
})
