/** Changes of the ruleset as they happen: `host.firewall.watch`. */
import { InvalidArgumentError, checkFields, didYouMean } from '../errors.ts'
import type { EventQueue, OverrunEvent, QueueOptions } from '../events.ts'
import { NETLINK_NETFILTER } from '../netlink/constants.ts'
import { Notice, bodies } from '../netlink/events.ts'
import { NFNLGRP_NFTABLES } from '../nftables/constants.ts'
import { decodeFirewallEvent, firewallFormat } from '../nftables/events.ts'
import type { FirewallChangeEvent } from '../nftables/events.ts'
import { families } from '../nftables/messages.ts'
import type { Family } from '../nftables/messages.ts'
import type { Channel } from './channel.ts'
import { EventFeed, checkReceiveBuffer } from './event-socket.ts'
import { Turns } from './turns.ts'
import type { Watch } from './watch.ts'

/** What `host.firewall.watch` gives. After an overrun, read again what is needed (`ruleset`). */
export type FirewallEvent = FirewallChangeEvent | OverrunEvent

export interface FirewallWatchOptions extends QueueOptions {
  /** Only what is in tables of this family; generations are told in any case. */
  family?: Family
  /** Only what is in the table of this name. */
  table?: string
  /** Bytes of events that the kernel holds for a slow process, at least 4,096. Default 8 MiB. */
  receiveBuffer?: number
}

/** Throws InvalidArgumentError; everything else is the queue's failure. */
export function watchFirewall(channel: Channel, options: FirewallWatchOptions): Watch<FirewallEvent> {
  checkFields(options, ['family', 'table', 'limit', 'signal', 'receiveBuffer'], 'options of a watch')
  const { family, table, limit, signal, receiveBuffer } = options
  const names = Object.keys(families)
  if (family !== undefined && !names.includes(family)) {
    throw new InvalidArgumentError('family', family, `one of ${names.join(', ')}${didYouMean(family, names)}`)
  }
  if (table !== undefined && typeof table !== 'string') throw new InvalidArgumentError('table', table, 'the name of a table')
  checkReceiveBuffer(receiveBuffer)
  const feed = new Feed(channel, { limit, signal }, event => {
    const { family: ofFamily, table: ofTable } = placeOf(event)
    if (family !== undefined && ofFamily !== undefined && ofFamily !== family) return false
    return table === undefined || ofTable === undefined || ofTable === table
  })
  if (!feed.queue.closed) void feed.open(receiveBuffer).catch((error: unknown) => { feed.queue.fail(error) })
  return feed.queue
}

/** Where it happened; a generation is of all tables. */
function placeOf(event: FirewallChangeEvent): { family?: Family, table?: string } {
  if (event.type === 'generation') return {}
  if (event.type === 'table') return { family: event.table.family, table: event.table.name }
  return (event as unknown as Record<string, { family: Family, table: string }>)[event.type] ?? {}
}

class Feed {
  readonly #feed: EventFeed<FirewallChangeEvent>
  readonly #isWanted: (event: FirewallChangeEvent) => boolean
  /** From an overrun on nothing is taken until the reader knows of it. */
  #behind = false

  constructor(channel: Channel, options: QueueOptions, isWanted: (event: FirewallChangeEvent) => boolean) {
    this.#isWanted = isWanted
    this.#feed = new EventFeed<FirewallChangeEvent>(channel, options, {
      take: (messages, lost) => this.#receive(messages, lost),
      onOverrun: () => {
        this.#behind = false
        this.#feed.want()
      },
    })
  }

  get queue(): EventQueue<FirewallChangeEvent> {
    return this.#feed.queue
  }

  async open(receiveBuffer: number | undefined): Promise<void> {
    if (!await this.#feed.open(NETLINK_NETFILTER, [NFNLGRP_NFTABLES], receiveBuffer)) return
    this.#feed.opened()
    this.#feed.want()
  }

  async #receive(messages: Buffer, lost: boolean): Promise<void> {
    const turns = new Turns()
    for (const { type, flags, body } of bodies(messages)) {
      if (turns.over) await turns.next()
      if (this.queue.closed || this.#behind) break
      const format = firewallFormat(type)
      if (format === undefined || body.length < format.header.size) continue
      const event = decodeFirewallEvent(new Notice(type, flags, body, format))
      if (event !== undefined && this.#isWanted(event) && !this.queue.push(event)) this.#behind = true
    }
    if (lost && !this.#behind) {
      this.#behind = true
      this.queue.overrun()
    }
    if (!this.#behind) this.#feed.want()
  }
}
