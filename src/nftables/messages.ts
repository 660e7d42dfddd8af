/** What all nf_tables messages share: header and families. */
import { aText, check, fieldsOf } from '../checks.ts'
import { InvalidArgumentError, UnsupportedError, didYouMean } from '../errors.ts'
import { be16, named, u8 } from '../netlink/codecs.ts'
import { NLM_F_ACK, NLM_F_DUMP } from '../netlink/constants.ts'
import type { Message, MessageFormat, Request } from '../netlink/message.ts'
import { struct } from '../netlink/table.ts'
import type { Entries, Struct, Table, Values } from '../netlink/table.ts'
import type { AnonymousSet, Expected } from './vocabulary/parts.ts'
import {
  NFNL_SUBSYS_NFTABLES, NFPROTO_ARP, NFPROTO_BRIDGE, NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_NETDEV,
} from './constants.ts'

/** The names that nft(8) gives to address families. */
export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev'

export const families: Readonly<Record<Family, number>> = {
  ip: NFPROTO_IPV4,
  ip6: NFPROTO_IPV6,
  inet: NFPROTO_INET,
  arp: NFPROTO_ARP,
  bridge: NFPROTO_BRIDGE,
  netdev: NFPROTO_NETDEV,
}

const headerFields = { family: named(u8, families), version: u8, resourceId: be16 } as const
type HeaderFields = typeof headerFields

/** struct nfgenmsg. A family left out is NFPROTO_UNSPEC: in dumps, all families. */
export const nfgenmsg: Struct<HeaderFields> = struct(headerFields)

export interface NftRequest<E extends Entries = Entries> extends Request<HeaderFields, E> {
  /** Of a rule: sets without a name that its expressions look into, by the index of the expression. */
  anonymous?: readonly { at: number, set: AnonymousSet }[]
  /** Of a rule: what its expressions expect of named sets, by the index of the expression. */
  lookups?: readonly { at: number, expects: Expected }[]
  /** A number in the batch by which later requests refer to what this one makes: `addRule`'s `after`. */
  reference?: NftRequest
}

/** One of the NFT_MSG_* as a message type of its netlink family. */
export function messageType(message: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | message
}

/**
 * What a request is about, with its names: without one the kernel would take a deletion for that of all there are, tables
 * of the family or rules of the table. `names`: of the fields that it may have.
 */
export function refOf<T extends { family: Family }>(
  what: 'table' | 'chain' | 'rule' | 'set' | 'object' | 'flowtable', ref: T, names?: ReadonlySet<string>,
): T {
  checkFamily(fieldsOf(what, ref, names).family)
  const { table, chain, name }: { family: Family, table?: unknown, chain?: unknown, name?: unknown } = ref
  if (what !== 'table') checkName('table', table)
  if (what === 'rule') checkName('chain', chain)
  else checkName('name', name)
  return ref
}

function checkName(field: string, name: unknown): void {
  // Once for each of thousands of rules: whether there is a NUL in it is looked at when it is written.
  if (typeof name !== 'string' || name === '') check(field, name, aText)
}

/** What to list; everything, of what is left out. */
export function filterOf<T extends { family?: Family, table?: string, chain?: string }>(filter: T): T {
  const { family, table, chain } = fieldsOf('filter', filter)
  if (family !== undefined) checkFamily(family)
  if (table !== undefined) check('table', table, aText)
  if (chain !== undefined) check('chain', chain, aText)
  return filter
}

const familyNames: ReadonlySet<unknown> = new Set(Object.keys(families))

function checkFamily(family: unknown): void {
  if (familyNames.has(family)) return
  const names = Object.keys(families)
  throw new InvalidArgumentError('family', family, `one of ${names.join(', ')}${didYouMean(family, names)}`)
}

/** A message of nf_tables. Without a family it is about all of them. */
export function nftRequest<E extends Entries>(
  message: number, flags: number, family: Family | undefined, table: Table<E>, values: Values<E>, operation: string,
): NftRequest<E> {
  const format: MessageFormat<HeaderFields, E> = { header: nfgenmsg, attributes: table }
  return { type: messageType(message), flags, format, header: { family }, attributes: values, operation }
}

/** A question that is answered by one message, or by none and an error. */
export const ASK: number = NLM_F_ACK
/** A question that is answered by all that matches. */
export const DUMP: number = NLM_F_DUMP

/** Throws UnsupportedError for a family that this version does not know. */
export function familyOf(message: Message): Family {
  const { family } = message.header as { family?: unknown }
  if (typeof family === 'string') return family as Family
  throw new UnsupportedError('nf_tables family', `this version does not know the nf_tables family ${String(family)}`)
}
