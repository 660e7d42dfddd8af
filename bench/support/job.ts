/** What a benchmark is: contenders that do the same work, timed in turn. */

export type Unit = 'us' | 'ms'

/** Does the work once, or a few times, and gives the duration of each in the job's unit. */
export type Contender = () => Promise<number | number[]>

export interface Contenders {
  /** virbr. */
  ours: Contender
  /** The least that the work can cost: the same requests from C, or a bare process. */
  floor?: Contender | undefined
  /** Other programs that do the same, by name. Leave out those that the machine does not have. */
  peers?: Record<string, Contender>
  /** Rounds that a slow peer takes part in, if fewer; none of them before the first that counts. */
  peerRounds?: Record<string, number>
  /** Gives back what the contenders used. */
  close?(): Promise<void>
}

export interface Job {
  /** e.g. `network-start`. */
  name: string
  /** One line for `--list` and the table. */
  about: string
  unit: Unit
  /** Rounds; in each one every contender runs once. */
  rounds: number
  /** Rounds before those, not counted. Default 2. */
  warmup?: number
  /** Readies the contenders; not timed. A reason instead, if the machine cannot do the job. */
  open(): Promise<Contenders | { skip: string }>
}

/** One line of `--json FILE`: medians in `unit`, ratios of medians. */
export interface JobResult {
  job: string
  /** Samples of ours. */
  n: number
  unit: Unit
  ours: number
  floor: number | null
  peers: Record<string, number>
  /** ours / floor: 1 is as good as it gets. */
  toFloor: number | null
  /** ours / the fastest peer: below 1, ours is faster. */
  toBestPeer: number | null
}

/** Milliseconds that a function takes. */
export async function timeMs(work: () => Promise<unknown> | void): Promise<number> {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start) / 1e6
}

/** Microseconds that a function takes. */
export async function timeUs(work: () => Promise<unknown> | void): Promise<number> {
  return await timeMs(work) * 1000
}
