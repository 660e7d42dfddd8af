/**
 * From requests to messages: a rule's sets without a name come before it, long lists of elements are cut where a netlink
 * attribute ends, and what refers to something of the same batch gets the number that the kernel knows it by.
 */
import { InvalidArgumentError } from '../errors.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { NFT_MSG_DELSETELEM, NFT_MSG_NEWRULE, NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM } from './constants.ts'
import type { WireElement } from './elements.ts'
import type { Expression } from './expressions.ts'
import { messageType } from './messages.ts'
import type { NftRequest } from './messages.ts'
import { anonymousRequests } from './set_requests.ts'
import { inKeyOrder } from './vocabulary/match.ts'

export interface Messages {
  messages: AnyRequest[]
  /** For each message the index of the request that it comes from. */
  statements: number[]
}

/** nla_len has 16 bits. */
const MOST = 60_000

export function expand(requests: readonly AnyRequest[]): Messages {
  const result: Messages = { messages: [], statements: [] }
  const referred = new Map<AnyRequest, number>()
  for (const request of requests) {
    const { reference } = request as NftRequest
    if (reference !== undefined && !referred.has(reference)) referred.set(reference, referred.size + 1)
  }
  const places = new Map<AnyRequest, number>()
  if (referred.size > 0) for (const [index, request] of requests.entries()) if (referred.has(request)) places.set(request, index)
  const ranges = setsOfRanges(requests)
  let sets = 0
  requests.forEach((request, index) => {
    if (isPlain(request as NftRequest) && !referred.has(request)) {
      result.messages.push(request)
      result.statements.push(index)
      return
    }
    const add = (message: AnyRequest): void => {
      result.messages.push(message)
      result.statements.push(index)
    }
    if (isElements(request)) return splitElements(request, add)
    // The kernel wants every new set to have a number.
    if (request.type === NEW_SET) return add({ ...request, attributes: { ...request.attributes, id: ++sets } as typeof request.attributes })
    const rule = withKeysInOrder(request as NftRequest, ranges)
    const { anonymous = [], reference } = rule
    const id = referred.get(request)
    if (anonymous.length === 0 && reference === undefined && id === undefined) return add(rule)
    const ids = anonymous.map(() => ++sets)
    anonymous.forEach(({ set }, position) => {
      const made = anonymousRequests(rule, (request.attributes as { table: string }).table, set, ids[position] ?? 0)
      for (const message of made) {
        if (isElements(message)) splitElements(message, add)
        else add(message)
      }
    })
    add(numbered(rule, anonymous.map(({ at }) => at), ids, id, positionOf(places, index, reference, referred)))
  })
  return result
}

/** A rule that refers to nothing of its batch, as most of thousands are. */
function isPlain({ type, anonymous, lookups, reference }: NftRequest): boolean {
  return type === NEW_RULE && anonymous === undefined && lookups === undefined && reference === undefined
}

/** `family table name` of the sets of ranges that the batch makes. */
function setsOfRanges(requests: readonly AnyRequest[]): Set<string> {
  const found = new Set<string>()
  for (const { type, header, attributes } of requests) {
    const { table, name, flags } = attributes as { table?: string, name?: string, flags?: readonly unknown[] }
    if (type === NEW_SET && flags?.includes('interval') === true) found.add(`${familyIn(header)} ${table} ${name}`)
  }
  return found
}

function familyIn(header: object): string {
  return String((header as { family?: unknown }).family)
}

/** Sets of ranges have numbers in network order; that it is one is known only here, where the word says no more than its name. */
function withKeysInOrder(rule: NftRequest, ranges: ReadonlySet<string>): NftRequest {
  const { lookups = [], header, attributes } = rule
  const { table, expressions: given } = attributes as { table?: string, expressions?: Expression[] }
  if (lookups.length === 0 || ranges.size === 0 || given === undefined) return rule
  const expressions = [...given]
  let anonymous = rule.anonymous ?? []
  // From the last one on, so that what stands before stays where it is.
  for (const { at, expects } of lookups.toReversed()) {
    const { set, setName, sreg, setSreg } = given[at]?.data as { set?: string, setName?: string, sreg?: number, setSreg?: number }
    const register = sreg ?? setSreg
    if (expects.inOrder || register === undefined || !ranges.has(`${familyIn(header)} ${table} ${set ?? setName}`)) continue
    const before = inKeyOrder(expressions.slice(0, at), expects.key, register, true)
    anonymous = anonymous.map(each => each.at >= at ? { ...each, at: each.at + before.length - at } : each)
    expressions.splice(0, at, ...before as Expression[])
  }
  return { ...rule, anonymous, attributes: { ...attributes, expressions } as typeof attributes }
}

function positionOf(
  places: ReadonlyMap<AnyRequest, number>, index: number, reference: AnyRequest | undefined, referred: ReadonlyMap<AnyRequest, number>,
): number | undefined {
  if (reference === undefined) return undefined
  const before = places.get(reference)
  if (before === undefined || before >= index) throw new InvalidArgumentError(`requests[${index}].near`, reference.operation, 'a request before it in the same batch')
  return referred.get(reference)
}

function numbered(
  request: NftRequest, lookups: readonly number[], ids: readonly number[], id: number | undefined, positionId: number | undefined,
): AnyRequest {
  const attributes = { ...request.attributes } as { expressions?: Expression[], id?: number, positionId?: number }
  if (lookups.length > 0) {
    const expressions = [...attributes.expressions ?? []]
    lookups.forEach((at, position) => {
      const expression = expressions[at] as { name: string, data: object } | undefined
      if (expression !== undefined) expressions[at] = { ...expression, data: inOrder(expression.data, ids[position] ?? 0) } as Expression
    })
    attributes.expressions = expressions
  }
  if (id !== undefined) attributes.id = id
  if (positionId !== undefined) attributes.positionId = positionId
  return { ...request, attributes: attributes as NftRequest['attributes'] }
}

/** As nft writes it: flags behind the number. */
function inOrder(data: object, setId: number): object {
  const { flags, ...rest } = data as { flags?: number }
  return { ...rest, setId, ...(flags === undefined ? {} : { flags }) }
}

const NEW_RULE = messageType(NFT_MSG_NEWRULE)
const NEW_SET = messageType(NFT_MSG_NEWSET)
const elementMessages = new Set([messageType(NFT_MSG_NEWSETELEM), messageType(NFT_MSG_DELSETELEM)])

function isElements(request: AnyRequest): boolean {
  return elementMessages.has(request.type) && Array.isArray((request.attributes as { elements?: unknown }).elements)
}

function splitElements(request: AnyRequest, add: (message: AnyRequest) => void): void {
  const { elements } = request.attributes as { elements: WireElement[] }
  let start = 0
  let size = 0
  for (let index = 0; index < elements.length; index++) {
    const next = sizeOf(elements[index] as WireElement)
    if (size + next > MOST) {
      add(withElements(request, elements.slice(start, index)))
      start = index
      size = 0
    }
    size += next
  }
  add(start === 0 ? request : withElements(request, elements.slice(start)))
}

function withElements(request: AnyRequest, elements: WireElement[]): AnyRequest {
  return { ...request, attributes: { ...request.attributes, elements } as typeof request.attributes }
}

/** Bytes of an element, or a little more. */
function sizeOf(element: WireElement): number {
  const { key, keyEnd, data, userdata, object, expression, expressions } = element
  const value = (bytes: Uint8Array | undefined): number => bytes === undefined ? 0 : bytes.length + 12
  return 36 + value(key?.value) + value(keyEnd?.value) + value(data?.value) + value(userdata) +
    (data?.verdict === undefined ? 0 : 40 + (data.verdict.chain?.length ?? 0) * 3) + (object === undefined ? 0 : object.length * 3 + 8) +
    (expression === undefined ? 0 : 160) + (expressions?.length ?? 0) * 160
}
