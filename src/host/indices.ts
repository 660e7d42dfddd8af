/** Names of many links and their indices, which is what the kernel takes. */
import type { VirbrError } from '../errors.ts'
import { isAlternativeName } from '../rtnetlink/attributes.ts'
import { failure } from './channel.ts'
import type { Channel } from './channel.ts'
import { absent, briefLinks, chunksOf } from './brief-links.ts'
import { noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'

/** Names for one visit to the Host's thread. */
const namesAtOnce = 1000

/**
 * Indices of links that should be there, by their first names; 0 for one that is not. About a microsecond each, and never
 * kept waiting by what else the kernel does.
 */
export async function eachIndex(
  channel: Channel, names: readonly string[], take: (index: number, position: number) => void,
): Promise<void> {
  let position = 0
  for (const some of chunksOf(names, namesAtOnce)) {
    const step = { op: 'linkIndices', names: some } as const
    const { results: [indices], failed } = await channel.exec([step])
    if (failed !== undefined) throw failure(step, failed)
    const view = new DataView(indices.buffer, indices.byteOffset, indices.length)
    for (let at = 0; at < indices.length; at += 4) take(view.getUint32(at, true), position++)
  }
}

const highestIndex = 0x7fffffff

const isName = (link: LinkRef | undefined): link is string => isAlternativeName(link)

/** Looks each name up once. An index stands for itself; of a name that is not there it is the error. What is no name is left out. */
export class Indices {
  readonly #found = new Map<string, number | VirbrError>()
  readonly #absent = new Map<string, number>()

  static async of(channel: Channel, links: Iterable<LinkRef | undefined>): Promise<Indices> {
    const indices = new Indices()
    const names = [...new Set(links)].filter(isName)
    const found = await briefLinks(channel, names)
    for (const [position, name] of names.entries()) {
      const index = found[position]?.index
      if (index === undefined) indices.#absent.set(name, highestIndex - position)
      indices.#found.set(name, index ?? noLink(absent(name), name))
    }
    return indices
  }

  /** There is a link of each name. */
  get allFound(): boolean {
    return this.#absent.size === 0
  }

  /** Of a link that is not there a number of its own, for a request that is checked and not sent. */
  get(link: LinkRef): number {
    const found = typeof link === 'number' ? link : this.#found.get(link)
    return typeof found === 'number' ? found : this.#absent.get(link as string) ?? highestIndex
  }

  errorOf(link: LinkRef | undefined): VirbrError | undefined {
    const found = typeof link === 'string' ? this.#found.get(link) : undefined
    return typeof found === 'object' ? found : undefined
  }
}
