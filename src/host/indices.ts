/** Names of many links and their indices, which is what the kernel takes. */
import type { VirbrError } from '../errors.ts'
import { isInterfaceName } from '../netlink/codecs.ts'
import type { Message } from '../netlink/message.ts'
import { decodeLink, getLink } from '../rtnetlink/links.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { noLink } from './links.ts'
import type { LinkRef } from './links.ts'

/** Links that are asked for in one sendmsg: each answer takes some 1,700 bytes. */
const chunk = 500

const isName = (link: LinkRef | undefined): link is string => isInterfaceName(link)

/** Looks each name up once. An index stands for itself; of a name that is not there it is the error. What is no name is left out. */
export class Indices {
  readonly #found = new Map<string, number | VirbrError>()

  static async of(channel: Channel, links: Iterable<LinkRef | undefined>): Promise<Indices> {
    const indices = new Indices()
    const names = [...new Set([...links].filter(isName))]
    for (let start = 0; start < names.length; start += chunk) {
      const some = names.slice(start, start + chunk)
      const replies = await channel.attempt(routeStep(some.map(getLink), { mayFail: true }))
      some.forEach((name, position) => {
        const error = replies.errorOf(position)
        indices.#found.set(name, error === undefined ? decodeLink(replies.messages[position]?.[0] as Message).index : noLink(error, name))
      })
    }
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
