/** The watches of a Host, which end with it. One that everybody else has forgotten is not held by being here. */
interface Watch {
  close(): Promise<void>
}

export class Watches {
  readonly #watches = new Set<WeakRef<Watch>>()
  /** Those collected are taken out when there are so many. */
  #most = 16

  /** Gives what takes it out again. */
  add(watch: Watch): () => void {
    const entry = new WeakRef(watch)
    this.#watches.add(entry)
    if (this.#watches.size > this.#most) {
      for (const each of this.#watches) if (each.deref() === undefined) this.#watches.delete(each)
      this.#most = Math.max(16, this.#watches.size * 2)
    }
    return () => { this.#watches.delete(entry) }
  }

  close(): void {
    for (const each of [...this.#watches]) void each.deref()?.close()
  }
}
