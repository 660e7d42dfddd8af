/** Names of many links and their indices, which is what the kernel takes. */
import type { VirbrError } from '../errors.ts'
import { isAlternativeName } from '../rtnetlink/attributes.ts'
import type { Channel } from './channel.ts'
import { absent, briefLinks } from './brief-links.ts'
import { noLink } from './link-ref.ts'
import type { LinkRef } from './link-ref.ts'

const isName = (link: LinkRef | undefined): link is string => isAlternativeName(link)

/** Looks each name up once. An index stands for itself; of a name that is not there it is the error. What is no name is left out. */
export class Indices {
  readonly #found = new Map<string, number | VirbrError>()

  static async of(channel: Channel, links: Iterable<LinkRef | undefined>): Promise<Indices> {
    const indices = new Indices()
    const names = [...new Set([...links].filter(isName))]
    const found = await briefLinks(channel, names)
    for (const [position, name] of names.entries()) indices.#found.set(name, found[position]?.index ?? noLink(absent(name), name))
    return indices
  }

  /** 0 if there is no such link. */
  get(link: LinkRef): number {
    const found = typeof link === 'number' ? link : this.#found.get(link)
    return typeof found === 'number' ? found : 0
  }

  errorOf(link: LinkRef | undefined): VirbrError | undefined {
    const found = typeof link === 'string' ? this.#found.get(link) : undefined
    return typeof found === 'object' ? found : undefined
  }
}
