/**
 * What was there when a watch began: a dump, and the events that came while it was taken.
 *
 * A dump takes its time, and things change meanwhile. Events have been gathered since before it began, so of an object
 * that has any the last one tells how it is, whatever the dump says of it; one without any has not changed, and is in the
 * dump. So the two together are what is there, and none of these events has to be told.
 */
import type { Notice } from '../netlink/events.ts'
import { isReplacement } from './topics.ts'
import type { Topic } from './topics.ts'

export class Snapshot {
  readonly #topic: Topic<unknown>
  /** By key, then by variant. */
  readonly #objects = new Map<string | number, Map<string, Notice>>()
  #uncertain = false

  constructor(topic: Topic<unknown>) {
    this.#topic = topic
  }

  /**
   * An event was about one of several objects with the same key, and it is not known which: the ways of an IPv6 route come
   * and go one by one. Only another dump can tell.
   */
  get uncertain(): boolean {
    return this.#uncertain
  }

  /** A message of the dump. One that was interrupted, and done again, may have an object several times. */
  add(message: Notice): void {
    const key = this.#topic.key(message)
    let variants = this.#objects.get(key)
    if (variants === undefined) this.#objects.set(key, variants = new Map<string, Notice>())
    variants.set(this.#topic.variant?.(message) ?? '', message)
  }

  /** An event that came before the dump or while it was taken; after all of the dump was added. */
  apply(message: Notice): void {
    const key = this.#topic.key(message)
    const variant = this.#topic.variant?.(message) ?? ''
    const variants = this.#objects.get(key)
    const isNew = message.type === this.#topic.newType
    if (isNew && isReplacement(message)) {
      if (variants !== undefined && variants.size > 1) this.#uncertain = true
      this.#objects.delete(key)
    } else if (variants !== undefined && !variants.has(variant)) {
      this.#uncertain = true
    }
    if (isNew) this.add(message)
    else if (variants?.delete(variant) === true && variants.size === 0) this.#objects.delete(key)
  }

  * messages(): Generator<Notice, undefined> {
    for (const variants of this.#objects.values()) yield* variants.values()
  }
}
