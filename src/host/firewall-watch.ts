/** Changes of the ruleset as they happen: `host.firewall.watch`. */
import type { NativeWatch } from '../../binding/index.ts'
import { ClosedError, InvalidArgumentError, checkFields, didYouMean } from '../errors.ts'
import { EventQueue } from '../events.ts'
import type { OverrunEvent, QueueOptions } from '../events.ts'
import { NETLINK_NETFILTER } from '../netlink/constants.ts'
import { Notice, bodies } from '../netlink/events.ts'
import { NFNLGRP_NFTABLES } from '../nftables/constants.ts'
import { decodeFirewallEvent, firewallFormat } from '../nftables/events.ts'
import type { FirewallChangeEvent } from '../nftables/events.ts'
import { families } from '../nftables/messages.ts'
import type { Family } from '../nftables/messages.ts'
import type { Channel } from './channel.ts'
import { checkReceiveBuffer, openEvents } from './event-socket.ts'
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
    throw new InvalidArgumentError('family', family, `one of ${names.join(', ')}${didYouMean(String(family), names)}`)
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
  readonly queue: EventQueue<FirewallChangeEvent>
  readonly #channel: Channel
  readonly #isWanted: (event: FirewallChangeEvent) => boolean
  #native: NativeWatch | undefined
  #awaited = false
  /** From an overrun on nothing is taken until the reader knows of it. */
  #behind = false

  constructor(channel: Channel, options: QueueOptions, isWanted: (event: FirewallChangeEvent) => boolean) {
    this.#channel = channel
    this.#isWanted = isWanted
    let forget = (): void => {}
    this.queue = new EventQueue<FirewallChangeEvent>(options, {
      onWait: () => { this.#hold(true) },
      onIdle: () => { this.#hold(false) },
      onOverrun: () => {
        this.#behind = false
        this.#native?.want()
      },
      onEnd: () => {
        this.#native?.close()
        forget()
      },
    })
    if (channel.closed) this.queue.fail(new ClosedError('this Host'))
    if (!this.queue.closed) forget = channel.watches.add(this.queue)
  }

  #hold(awaited: boolean): void {
    this.#awaited = awaited
    if (awaited) this.#native?.ref()
    else this.#native?.unref()
  }

  async open(receiveBuffer: number | undefined): Promise<void> {
    const native = await openEvents(this.#channel, NETLINK_NETFILTER, [NFNLGRP_NFTABLES], receiveBuffer)
    if (this.queue.closed) {
      native.close()
      return
    }
    this.#native = native
    if (this.#awaited) native.ref()
    this.queue.opened()
    native.start((messages, lost) => {
      this.#receive(messages, lost).catch((error: unknown) => { this.queue.fail(error) })
    })
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
    if (!this.#behind) this.#native?.want()
  }
}
