/** Elements of sets and maps as messages. Source: linux/netfilter/nf_tables.h (enum nft_set_elem_attributes). */
import { isOn } from '../checks.ts'
import { be32, beCounter64, raw } from '../netlink/codecs.ts'
import type { Codec } from '../netlink/codecs.ts'
import type { Message } from '../netlink/message.ts'
import { attributes, walkAttributes } from '../netlink/table.ts'
import type { TableValues, Values, Walkable } from '../netlink/table.ts'
import { bits, data, name } from './codecs.ts'
import * as c from './constants.ts'
import { statefulExpression, statefulExpressions } from './expressions/stateful.ts'
import { ASK, DUMP, nftRequest, refOf } from './messages.ts'
import type { NftRequest } from './messages.ts'
import type { Writer } from '../netlink/writer.ts'
import type { SetRef } from './sets.ts'

/** One element. Those of sets with plain intervals come in pairs: the first of a range, and the one after its last. */
export const elementAttributes = attributes({
  flags: [c.NFTA_SET_ELEM_FLAGS, bits(be32, {
    /** Ends the interval that began before it; is no element itself. */
    'interval end': c.NFT_SET_ELEM_INTERVAL_END,
    /** All that no other element matches: `*`. */
    'catch all': c.NFT_SET_ELEM_CATCHALL,
  })],
  timeoutMs: [c.NFTA_SET_ELEM_TIMEOUT, beCounter64],
  /** Until it goes. */
  expirationMs: [c.NFTA_SET_ELEM_EXPIRATION, beCounter64],
  key: [c.NFTA_SET_ELEM_KEY, data],
  /** Last of a range, of concatenations. */
  keyEnd: [c.NFTA_SET_ELEM_KEY_END, data],
  data: [c.NFTA_SET_ELEM_DATA, data],
  userdata: [c.NFTA_SET_ELEM_USERDATA, raw],
  expression: [c.NFTA_SET_ELEM_EXPR, statefulExpression],
  /** Name of a stateful object. */
  object: [c.NFTA_SET_ELEM_OBJREF, name],
  expressions: [c.NFTA_SET_ELEM_EXPRESSIONS, statefulExpressions],
})
export type WireElement = TableValues<typeof elementAttributes>

/** The flags of all ends of intervals, compared by identity. */
export const INTERVAL_END: WireElement['flags'] = ['interval end']

/** Like a list, but nft numbers the attributes from 1, and the kernel writes all with 1: types say nothing. */
const elementList: Codec<WireElement[]> & Walkable = {
  nested: true,
  encode(writer, elements) {
    if (!Array.isArray(elements)) writer.refuse(elements, 'an array')
    writer.enter()
    for (const [index, element] of elements.entries()) {
      writer.field = index
      const start = writer.beginAttribute(c.NFTA_LIST_ELEM, true)
      if (!writePlainly(writer, element as WireElement)) elementAttributes.encode(writer, element as WireElement)
      writer.endAttribute(start)
    }
    writer.leave()
  },
  decode(bytes, start, end) {
    const elements: WireElement[] = []
    for (const [, from, to] of walkAttributes(bytes, start, end)) elements.push(elementAttributes.decode(bytes, from, to))
    return elements
  },
  nameOf: (_, position) => `[${position}]`,
  inner: () => elementAttributes as Codec<unknown>,
}

/**
 * Nearly all elements are a key, the end of an interval, or a key with a value: written without the table, several times
 * as fast. False: it is another, and nothing has been written.
 */
function writePlainly(writer: Writer, element: WireElement): boolean {
  for (const name in element) if (name !== 'key' && name !== 'flags' && name !== 'data') return false
  const { key, data: mapped, flags } = element
  const value = key?.value
  const mappedTo = mapped?.value
  if (!(value instanceof Uint8Array) || (flags !== undefined && flags !== INTERVAL_END)) return false
  if (mapped !== undefined && (!(mappedTo instanceof Uint8Array) || mapped.verdict !== undefined)) return false
  if (flags !== undefined) {
    const start = writer.beginAttribute(c.NFTA_SET_ELEM_FLAGS, false)
    const at = writer.reserve(4)
    writer.buffer[at + 3] = c.NFT_SET_ELEM_INTERVAL_END
    writer.endAttribute(start)
  }
  writeData(writer, c.NFTA_SET_ELEM_KEY, value)
  if (mappedTo !== undefined) writeData(writer, c.NFTA_SET_ELEM_DATA, mappedTo)
  return true
}

function writeData(writer: Writer, type: number, value: Uint8Array): void {
  const outer = writer.beginAttribute(type, true)
  const inner = writer.beginAttribute(c.NFTA_DATA_VALUE, false)
  writer.bytes(value)
  writer.endAttribute(inner)
  writer.endAttribute(outer)
}

export const elementListAttributes = attributes({
  table: [c.NFTA_SET_ELEM_LIST_TABLE, name],
  set: [c.NFTA_SET_ELEM_LIST_SET, name],
  setId: [c.NFTA_SET_ELEM_LIST_SET_ID, be32],
  elements: [c.NFTA_SET_ELEM_LIST_ELEMENTS, elementList],
})
export type ElementListEntries = typeof elementListAttributes.entries

/** All elements of a set. `reset` (Linux 6.5): counters and quotas of elements begin anew. */
export function listElements(set: SetRef & { reset?: boolean }): NftRequest<ElementListEntries> {
  const { family, table, name, reset } = refOf('set', set)
  const message = isOn('reset', reset) ? c.NFT_MSG_GETSETELEM_RESET : c.NFT_MSG_GETSETELEM
  const operation = `${isOn('reset', reset) ? 'reset' : 'list'} elements ${family} ${table} ${name}`
  return nftRequest(message, DUMP, family, elementListAttributes, { table, set: name }, operation)
}

/** The elements with these keys, as they are in the set; ENOENT if one is not. */
export function getElements({ family, table, name }: SetRef, elements: readonly WireElement[]): NftRequest<ElementListEntries> {
  const values = { table, set: name, elements: [...elements] }
  return nftRequest(c.NFT_MSG_GETSETELEM, ASK, family, elementListAttributes, values, `get element ${family} ${table} ${name}`)
}

/** The part of a set that one message holds. */
export function decodeElements(message: Message): WireElement[] {
  return (message.attributes as Values<ElementListEntries>).elements ?? []
}
