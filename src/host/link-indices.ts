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

export interface ChangeWithLinks<T> {
  /** Name of the list in errors. */
  list: string
  items: readonly T[]
  /** The links that an item names, as field and value. Of anything at all: items are not checked yet. */
  links(item: unknown): Iterable<readonly [field: string, link: unknown]>
  request(item: T, indexOf: IndexOf, place: number): AnyRequest
  /** Takes back a request that the kernel has carried out. */
  undo?(request: AnyRequest, place: number): AnyRequest | readonly AnyRequest[]
  /** Two items with the same key cannot both be meant; `field` is what the error names. */
  key?(request: AnyRequest): string
  field?: string
  explain?: Explain<T>
}

/** `changeMany` for items that name links. A link that is not there is the failure, ERR_NO_LINK, of its items. */
export async function changeWithLinks<T>(channel: Channel, change: ChangeWithLinks<T>, options: BulkOptions): Promise<void> {
  const { list, items, request, undo, key, explain } = change
  checkBulk(list, items, options)
  await channel.hold(async held => {
    const bulk = new Bulk(held, list, items, options, explain)
    const indices = await Indices.of(held, namedLinks(change, bulk))
    const found = items.length === 0 ? [] : withoutAbsent(change, bulk, indices)
    const indexOf: IndexOf = link => indices.get(link)
    const places = new Map<string, number>()
    const wire = (item: T, place: number): AnyRequest => request(item, indexOf, place)
    const changes = await bulk.encode(key === undefined ? wire : (item, place) => {
      const made = wire(item, place)
      const same = places.get(key(made)) ?? place
      if (same !== place) refuseTwice(change, items, place, same)
      places.set(key(made), place)
      return made
    }, found)
    await bulk.send(changes)
    await bulk.finish(undo === undefined ? undefined : (item, place) => undo(wire(item, place), place))
  })
}

function refuseTwice<T>({ list, field = '' }: ChangeWithLinks<T>, items: readonly T[], place: number, same: number): never {
  const value = (items[place] as Record<string, unknown>)[field]
  throw new InvalidArgumentError(field, value, `each once in a call; ${list}[${same}] is the same`)
}

function namedLinks<T>({ items, links }: ChangeWithLinks<T>, bulk: Bulk<T>): Set<string> {
  const names = new Set<string>()
  items.forEach((item, place) => {
    try {
      for (const [field, link] of links(item)) {
        checkLinkRef(link, field)
        if (typeof link === 'string') names.add(link)
      }
    } catch (error) {
      throw bulk.inItem(error as Error, place)
    }
  })
  return names
}

/** Places of the items whose links are all there, or undefined if that is all of them; the others have failed. */
function withoutAbsent<T>({ items, links }: ChangeWithLinks<T>, bulk: Bulk<T>, indices: Indices): number[] | undefined {
  const found: number[] = []
  items.forEach((item, place) => {
    for (const [, link] of links(item)) {
      const error = indices.errorOf(link as LinkRef)
      if (error !== undefined) bulk.fail(place, error)
    }
    if (!bulk.isFailed(place)) found.push(place)
  })
  return found.length === items.length ? undefined : found
}
