/** Links by name in calls with many items: each name is looked up once, before anything is sent. */
import { InvalidArgumentError } from '../errors.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { Bulk, checkBulk } from './bulk.ts'
import type { BulkOptions, Explain } from './bulk.ts'
import type { Channel } from './channel.ts'
import { Indices } from './indices.ts'
import { checkLinkRef } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'

/** The index of a link that a call names. */
export type IndexOf = (link: LinkRef) => number

/** Shows each link that an item names, with its field. Of anything at all: items are not checked yet. */
export type EachLink = (item: unknown, show: (link: unknown, field: string) => void) => void

export interface ChangeWithLinks<T> {
  /** Name of the list in errors. */
  list: string
  items: readonly T[]
  eachLink: EachLink
  request(item: T, indexOf: IndexOf, place: number): AnyRequest
  /** Takes back a request that the kernel has carried out. */
  undo?(request: AnyRequest, place: number, indexOf: IndexOf): AnyRequest | readonly AnyRequest[]
  /** Two items with the same key cannot both be meant; `field` is what the error names. */
  key?(request: AnyRequest): string
  field?: string
  explain?: Explain<T>
  /** What is left to do when all has been sent. It is done for calls that have failed too. */
  afterwards?(bulk: Bulk<T>, indexOf: IndexOf): Promise<void>
}

/** `changeMany` for items that name links. A link that is not there is the failure, ERR_NO_LINK, of its items. */
export async function changeWithLinks<T>(channel: Channel, change: ChangeWithLinks<T>, options: BulkOptions): Promise<void> {
  const { list, items, request, undo, key, explain, afterwards } = change
  checkBulk(list, items, options)
  await channel.hold(async held => {
    const bulk = new Bulk(held, list, items, options, explain)
    const indices = await Indices.of(held, namedLinks(change, bulk))
    const indexOf: IndexOf = link => indices.get(link)
    const places = new Map<string, number>()
    const wire = (item: T, place: number): AnyRequest => request(item, indexOf, place)
    const changes = await bulk.encode(key === undefined ? wire : (item, place) => {
      const made = wire(item, place)
      const keyed = key(made)
      const same = places.get(keyed)
      if (same === undefined) places.set(keyed, place)
      else if (same !== place) refuseTwice(change, items, place, same)
      return made
    })
    failAbsent(change, bulk, indices)
    await bulk.send(changes)
    await afterwards?.(bulk, indexOf)
    await bulk.finish(undo === undefined ? undefined : (item, place) => undo(wire(item, place), place, indexOf))
  })
}

function refuseTwice<T>({ list, field = '' }: ChangeWithLinks<T>, items: readonly T[], place: number, same: number): never {
  const value = (items[place] as Record<string, unknown>)[field]
  throw new InvalidArgumentError(field, value, `each once in a call; ${list}[${same}] is the same`)
}

function namedLinks<T>({ items, eachLink }: ChangeWithLinks<T>, bulk: Bulk<T>): Set<string> {
  const names = new Set<string>()
  const check = (link: unknown, field: string): void => {
    if (names.has(link as string)) return
    checkLinkRef(link, field)
    if (typeof link === 'string') names.add(link)
  }
  items.forEach((item, place) => {
    try {
      eachLink(item, check)
    } catch (error) {
      throw bulk.inItem(error as Error, place)
    }
  })
  return names
}

function failAbsent<T>({ items, eachLink }: ChangeWithLinks<T>, bulk: Bulk<T>, indices: Indices): void {
  if (indices.allFound) return
  items.forEach((item, place) => {
    eachLink(item, link => {
      const error = indices.errorOf(link as LinkRef)
      if (error !== undefined) bulk.fail(place, error)
    })
  })
}
