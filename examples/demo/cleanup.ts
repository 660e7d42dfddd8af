/** What has to be undone, last in first out: AsyncDisposableStack, which Node has from 24 on. */
export class Cleanup implements AsyncDisposable {
  readonly #undo: (() => PromiseLike<unknown>)[] = []

  defer(undo: () => PromiseLike<unknown>): void {
    this.#undo.push(undo)
  }

  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]())
    return resource
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo()
  }
}
