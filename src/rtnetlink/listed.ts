/** What a filter leaves of a list, and who filtered. */

/** Whether a record is one that a field of a filter asks for, by field; undefined: the filter does not say. */
export type Tests<T> = Readonly<Record<string, ((record: T) => boolean) | undefined>>

/** The records that a filter asks for. */
export interface Listed<T> extends Array<T> {
  /**
   * Fields of the filter that virbr filtered by, so that more was read than is here: those that the kernel has no filter
   * for, and those of its own which this kernel passed over. Empty: the kernel did it all. Not enumerable.
   */
  readonly filteredHere: readonly string[]
}

/**
 * Leaves what passes all tests. `here`: what no kernel filters by. `kernel`: what the kernel was asked to filter by; that it
 * did not is told by records that it should have left out, in any release and whatever the reason. `recordOf`: the record of
 * an item that is none itself.
 */
export function sift<I, T = I>(
  items: I[], here: Tests<T>, kernel: Tests<T> = {}, recordOf: (item: I) => T = item => item as unknown as T,
): Listed<I> {
  const ours = given(here)
  const theirs = given(kernel)
  if (ours.length + theirs.length === 0) return listed(items, [])
  const passedOver = new Set<string>()
  const left = items.filter(item => {
    const record = recordOf(item)
    let meant = true
    // Each of them: the record tells of all fields that were passed over.
    for (const [field, fits] of theirs) {
      if (fits(record)) continue
      passedOver.add(field)
      meant = false
    }
    return meant && ours.every(([, fits]) => fits(record))
  })
  return listed(left, [...ours.map(([field]) => field), ...passedOver])
}

function listed<T>(items: T[], filteredHere: readonly string[]): Listed<T> {
  return Object.defineProperty(items, 'filteredHere', { value: filteredHere }) as Listed<T>
}

function given<T>(tests: Tests<T>): [string, (record: T) => boolean][] {
  return Object.entries(tests).filter((entry): entry is [string, (record: T) => boolean] => entry[1] !== undefined)
}

/** That a field of a record has the value that is asked for; no test if none is. */
export function equals<T, V>(wanted: V | undefined, valueOf: (record: T) => V | undefined): ((record: T) => boolean) | undefined {
  return wanted === undefined ? undefined : record => valueOf(record) === wanted
}
