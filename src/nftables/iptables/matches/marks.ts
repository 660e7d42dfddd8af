/** The marks of packets and of connections. Sources: linux/netfilter/xt_mark.h, xt_connmark.h. */
import { bool8, padding, u32 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { applyMask, compare, littleEndian32, loadMeta } from '../../primitives.ts'
import { bang, extension, negatable, says } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { mark as markKind } from '../values.ts'

const aMark = negatable(markKind())
const markOptions = { mark: aMark }
/** struct xt_mark_mtinfo1, xt_connmark_mtinfo1. */
const markLayout = struct({ mark: u32, mask: u32, invert: bool8, _: padding(3) })
const needsMark = (given: Given<typeof markOptions>): readonly [string, string] | undefined =>
  (given.mark === undefined ? ['mark', aMark.kind.accepted] : undefined)

export const mark: Extension<typeof markOptions> = extension({
  name: 'mark',
  revision: 1,
  options: markOptions,
  layout: markLayout,
  check: needsMark,
  native({ mark: said }) {
    const { value, mask } = said?.value ?? { value: 0, mask: 0 }
    return [
      loadMeta('mark'), ...(mask === 0xffffffff ? [] : [applyMask(littleEndian32(mask))]),
      compare(said?.not === true ? 'neq' : 'eq', littleEndian32(value)),
    ]
  },
  write: ({ mark: said }) => ({ mark: said?.value.value, mask: said?.value.mask, invert: said?.not }),
  read: ({ mark: value, mask, invert }) => ({ mark: says({ value, mask }, invert) }),
  list: ({ mark: said }) => `mark match ${bang(said, ' ')}${aMark.kind.format(said?.value ?? { value: 0, mask: 0 })}`,
})

export const connmark: Extension<typeof markOptions> = extension({
  name: 'connmark',
  revision: 1,
  options: markOptions,
  layout: markLayout,
  check: needsMark,
  write: ({ mark: said }) => ({ mark: said?.value.value, mask: said?.value.mask, invert: said?.not }),
  read: ({ mark: value, mask, invert }) => ({ mark: says({ value, mask }, invert) }),
  list: ({ mark: said }) => `connmark match ${bang(said)} ${aMark.kind.format(said?.value ?? { value: 0, mask: 0 })}`,
})
