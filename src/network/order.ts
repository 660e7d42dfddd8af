/**
 * The order that a config's XML was in, where it was not libvirt's own. It says nothing about the network, so it stays
 * out of sight: under a symbol, not enumerable. Copies made by spreading or structuredClone are without.
 */
const orderKey = Symbol('virbr.order')

interface Ordered { [orderKey]?: readonly string[] }

/** Keys of {@link Entry}, one for each attribute and child element. */
export function orderOf(values: object): readonly string[] | undefined {
  return (values as Ordered)[orderKey]
}

export function setOrder(values: object, keys: readonly string[]): void {
  Object.defineProperty(values, orderKey, { value: keys, configurable: true, writable: true })
}

/** Something to be written: `@name` for an attribute, `name` for an element, `*` for an element without a field. */
export interface Entry {
  readonly key: string
  readonly xml: string
}

/**
 * Puts entries, given in libvirt's order, into the order of `keys`. What `keys` does not know, as it came later, stands
 * after the others of its name, or after what libvirt has before it.
 */
export function arrange(entries: readonly Entry[], keys: readonly string[] | undefined): readonly Entry[] {
  if (keys === undefined) return entries
  const waiting = new Map<string, Entry[]>()
  for (const entry of entries) {
    const same = waiting.get(entry.key)
    if (same === undefined) waiting.set(entry.key, [entry])
    else same.push(entry)
  }
  const ranks = [...waiting.keys()]
  for (const same of waiting.values()) same.reverse()
  const placed: Entry[] = []
  for (const key of keys) {
    const entry = waiting.get(key)?.pop()
    if (entry !== undefined) placed.push(entry)
  }
  for (const [rank, key] of ranks.entries()) {
    const rest = waiting.get(key) ?? []
    if (rest.length === 0) continue
    const like = placed.findLastIndex((entry) => entry.key === key)
    const before = like !== -1 ? like : placed.findLastIndex((entry) => ranks.indexOf(entry.key) < rank)
    placed.splice(before + 1, 0, ...rest.reverse())
  }
  return placed
}

/** Remembers the order that attributes and children were read in, unless it is that of `names`, libvirt's. */
export function rememberOrder(
  values: object, attributes: readonly string[], children: readonly string[], names: readonly string[],
): void {
  if (isSorted(attributes, names) && isSorted(children, names)) return
  setOrder(values, [...attributes.map((name) => `@${name}`), ...children])
}

/** What is not in `names` comes last. */
function isSorted(keys: readonly string[], names: readonly string[]): boolean {
  let last = 0
  for (const key of keys) {
    const rank = names.indexOf(key)
    if (rank !== -1 && rank < last) return false
    last = rank === -1 ? names.length : rank
  }
  return true
}
