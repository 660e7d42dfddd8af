/**
 * What the kernel tells of changes of the ruleset: after each commit a message for each thing that was made, changed or
 * deleted, and one with the new generation. Source: linux/netfilter/nf_tables.h, nft(8) "MONITOR".
 */
import type { Message, MessageFormat } from '../netlink/message.ts'
import type { Notice } from '../netlink/events.ts'
import type { Entries, Table as AttributeTable } from '../netlink/table.ts'
import { chainAttributes, decodeChain } from './chains.ts'
import type { Chain } from './chains.ts'
import * as c from './constants.ts'
import { decodeElements, elementListAttributes } from './elements.ts'
import type { WireElement } from './elements.ts'
import { decodeFlowtable, flowtableAttributes } from './flowtables.ts'
import type { Flowtable } from './flowtables.ts'
import { decodeGenerationEvent, generationAttributes } from './generation.ts'
import { familyOf, messageType, nfgenmsg } from './messages.ts'
import type { Family } from './messages.ts'
import { decodeObject, objectAttributes } from './objects.ts'
import type { NftObject } from './objects.ts'
import { decodeRule, ruleAttributes } from './rules.ts'
import type { Rule } from './rules.ts'
import { decodeSet, setAttributes } from './sets.ts'
import type { NftSet } from './sets.ts'
import { decodeTable, tableAttributes } from './tables.ts'
import type { Table } from './tables.ts'

/** `new`: it was made, or changed. Of what is deleted the kernel may tell no more than what identifies it. */
export type FirewallChange = 'new' | 'delete'

/** A change of the ruleset. */
export type FirewallChangeEvent =
  | { type: 'table', change: FirewallChange, table: Table }
  | { type: 'chain', change: FirewallChange, chain: Chain }
  | { type: 'rule', change: FirewallChange, rule: Rule }
  | { type: 'set', change: FirewallChange, set: NftSet }
  /** Of a set or map. Many at once come in several events. */
  | { type: 'elements', change: FirewallChange, elements: { family: Family, table: string, set: string, elements: WireElement[] } }
  | { type: 'object', change: FirewallChange, object: NftObject }
  | { type: 'flowtable', change: FirewallChange, flowtable: Flowtable }
  /** A commit, after all that it changed: the number of the ruleset from now on, and who made it. */
  | { type: 'generation', generation: Generation }

export interface Generation {
  id: number
  /** Of the thread that made it, which is that of a process with one thread, such as nft; in the machine's first PID namespace. */
  pid: number
  /** The name of that thread, at most 15 bytes. */
  process: string
}

interface Topic {
  type: FirewallChangeEvent['type']
  change?: FirewallChange
  format: MessageFormat
  decode(message: Message): unknown
}

const byMessage = new Map<number, Topic>()

function tell<E extends Entries>(
  type: Topic['type'], made: number, deleted: number | undefined, attributes: AttributeTable<E>, decode: Topic['decode'],
): void {
  const format = { header: nfgenmsg, attributes } as unknown as MessageFormat
  byMessage.set(messageType(made), { type, change: 'new', format, decode })
  if (deleted !== undefined) byMessage.set(messageType(deleted), { type, change: 'delete', format, decode })
}

tell('table', c.NFT_MSG_NEWTABLE, c.NFT_MSG_DELTABLE, tableAttributes, decodeTable)
tell('chain', c.NFT_MSG_NEWCHAIN, c.NFT_MSG_DELCHAIN, chainAttributes, decodeChain)
tell('rule', c.NFT_MSG_NEWRULE, c.NFT_MSG_DELRULE, ruleAttributes, decodeRule)
tell('set', c.NFT_MSG_NEWSET, c.NFT_MSG_DELSET, setAttributes, decodeSet)
tell('elements', c.NFT_MSG_NEWSETELEM, c.NFT_MSG_DELSETELEM, elementListAttributes, message => {
  const { table = '', set = '' } = message.attributes as { table?: string, set?: string }
  return { family: familyOf(message), table, set, elements: decodeElements(message) }
})
tell('object', c.NFT_MSG_NEWOBJ, c.NFT_MSG_DELOBJ, objectAttributes, decodeObject)
tell('flowtable', c.NFT_MSG_NEWFLOWTABLE, c.NFT_MSG_DELFLOWTABLE, flowtableAttributes, decodeFlowtable)
tell('generation', c.NFT_MSG_NEWGEN, undefined, generationAttributes, decodeGenerationEvent)

/** How a message of this type is read; undefined for one that tells of no change. */
export function firewallFormat(type: number): MessageFormat | undefined {
  return byMessage.get(type)?.format
}

/** What a message tells; undefined if it is of a family that this version does not know. */
export function decodeFirewallEvent(message: Notice): FirewallChangeEvent | undefined {
  const topic = byMessage.get(message.type)
  if (topic === undefined) return undefined
  const { type, change } = topic
  if (type !== 'generation' && typeof (message.header as { family?: unknown }).family !== 'string') return undefined
  const told = topic.decode(message)
  return { type, ...(type === 'generation' ? {} : { change }), [type]: told } as unknown as FirewallChangeEvent
}
