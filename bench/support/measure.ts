import type { Contender, Contenders, Job, JobResult } from './job.ts'

export interface MeasureOptions {
  /** Instead of the job's own. */
  rounds?: number | undefined
}

/**
 * Runs a job. The contenders take turns, in an order that rotates and, every other round, is reversed: drift of the machine
 * hits all alike, and so does what each leaves in the processor's caches for the next.
 */
export async function measure(job: Job, contenders: Contenders, options: MeasureOptions = {}): Promise<JobResult> {
  const entries: [string, Contender][] = [['ours', contenders.ours]]
  if (contenders.floor !== undefined) entries.push(['floor', contenders.floor])
  const peers = Object.keys(contenders.peers ?? {})
  for (const [name, run] of Object.entries(contenders.peers ?? {})) entries.push([`peer ${name}`, run])

  const takesPart = (name: string, round: number): boolean => {
    const most = contenders.peerRounds?.[name.replace('peer ', '')]
    return most === undefined || (round >= 0 && round < most)
  }
  const samples = new Map<string, number[]>(entries.map(([name]) => [name, []]))
  const rounds = options.rounds ?? job.rounds
  for (let round = -(job.warmup ?? 2); round < rounds; round++) {
    const turn = Math.abs(round) % entries.length
    const rotated = [...entries.slice(turn), ...entries.slice(0, turn)]
    for (const [name, run] of round % 2 === 0 ? rotated : rotated.reverse()) {
      if (!takesPart(name, round)) continue
      const sample = await run()
      if (round >= 0) samples.get(name)?.push(...[sample].flat())
    }
  }

  const medianOf = (name: string) => median(samples.get(name) ?? [])
  const ours = medianOf('ours')
  const floor = contenders.floor === undefined ? null : medianOf('floor')
  const peerMedians = Object.fromEntries(peers.map(name => [name, medianOf(`peer ${name}`)]))
  return {
    job: job.name,
    n: samples.get('ours')?.length ?? 0,
    unit: job.unit,
    ours,
    floor,
    peers: peerMedians,
    toFloor: floor === null ? null : round3(ours / floor),
    toBestPeer: peers.length === 0 ? null : round3(ours / Math.min(...Object.values(peerMedians))),
  }
}

/** The middle one, or the mean of the two middle ones; to three decimals. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return round3(sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2)
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000
}
