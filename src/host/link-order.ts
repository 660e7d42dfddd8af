/** In which order links that depend on each other are made and brought up. */

/** Both are places in the list of a call. */
export interface Dependency {
  lower: number
  upper: number
  /** The upper one cannot be made before the lower one is there (a VLAN); otherwise it only takes it in (a bridge its port). */
  stands: boolean
}

export interface LinkOrder {
  /** What is made together: nothing in a round stands on something of the same or a later round. */
  rounds: number[][]
  /** Everything after what is below it. */
  bottomUp: number[]
  /** Places in a loop, in which there is no order; they are in neither of the two. */
  loop: number[]
}

/** Linear in links and dependencies. What does not depend on each other stays in the order of the list. */
export function orderLinks(count: number, dependencies: readonly Dependency[]): LinkOrder {
  const uppers = new Map<number, Dependency[]>()
  const waitsFor = new Uint32Array(count)
  for (const dependency of dependencies) {
    const others = uppers.get(dependency.lower)
    if (others === undefined) uppers.set(dependency.lower, [dependency])
    else others.push(dependency)
    waitsFor[dependency.upper] = (waitsFor[dependency.upper] ?? 0) + 1
  }
  const rounds: number[][] = []
  const roundOf = new Uint32Array(count)
  const bottomUp: number[] = []
  for (let place = 0; place < count; place++) if (waitsFor[place] === 0) bottomUp.push(place)
  // Grows while it is walked: by what no longer waits.
  for (const place of bottomUp) {
    const round = roundOf[place] ?? 0;
    (rounds[round] ??= []).push(place)
    for (const { upper, stands } of uppers.get(place) ?? []) {
      roundOf[upper] = Math.max(roundOf[upper] ?? 0, stands ? round + 1 : 0)
      const left = (waitsFor[upper] ?? 0) - 1
      waitsFor[upper] = left
      if (left === 0) bottomUp.push(upper)
    }
  }
  const loop: number[] = []
  for (let place = 0; place < count; place++) if ((waitsFor[place] ?? 0) > 0) loop.push(place)
  return { rounds: rounds.map(round => round.sort((a, b) => a - b)), bottomUp, loop }
}
