/** The namespaces of one call: each is opened once, however many links are born there, and closed with the call. */
import { Channel } from './channel.ts'
import { netnsSource, openNative } from './netns.ts'
import type { Netns } from './netns.ts'

export class Namespaces implements AsyncDisposable {
  readonly #home: Channel
  readonly #opened = new Map<Netns, Channel>()

  constructor(home: Channel) {
    this.#home = home
  }

  /** Opens what is not open yet; `inCallersWords` makes errors say what the namespace was wanted for. */
  async open(netns: Netns, inCallersWords: (error: Error) => Error): Promise<void> {
    if (this.#opened.has(netns)) return
    const native = await openNative(netnsSource(netns)).catch((error: Error) => { throw inCallersWords(error) })
    this.#opened.set(netns, new Channel(native))
  }

  /** Undefined: the caller's own. */
  channelOf(netns: Netns | undefined): Channel {
    return netns === undefined ? this.#home : this.#opened.get(netns) ?? this.#home
  }

  /** For IFLA_NET_NS_FD; undefined for the caller's own. */
  fdOf(netns: Netns | undefined): number | undefined {
    return netns === undefined ? undefined : this.#opened.get(netns)?.native.netnsFd
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened.values()].map(channel => channel.close()))
  }
}
