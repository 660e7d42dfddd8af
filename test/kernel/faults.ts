/** Faults at a chosen step of what the driver asks of the addon: a failure there, or the end of the process. */
import { onTestFinished } from 'vitest'
import { loadAddon } from '../../binding/index.ts'
import type { NativeHost, Outcome, Step } from '../../binding/index.ts'

type Run = (steps: readonly Step[]) => Promise<Outcome<readonly Step[]>>

export interface Interposed {
  /** Gives back to the kernel what the process held, as its end does. */
  end(): Promise<void>
}

/** Every Host opened from here on asks `around` to run its steps; until the test ends, or `stop`. */
function interpose(around: (steps: readonly Step[], run: Run) => ReturnType<Run>): Interposed & { stop(): void } {
  const addon = loadAddon()
  const { openHost } = addon
  const opened: NativeHost[] = []
  addon.openHost = async source => {
    const host = await openHost.call(addon, source)
    opened.push(host)
    return {
      netnsFd: host.netnsFd,
      netnsDevice: host.netnsDevice,
      netnsInode: host.netnsInode,
      close: () => host.close(),
      exec: (steps => around(steps, all => host.exec(all))) as NativeHost['exec'],
    }
  }
  const stop = () => { addon.openHost = openHost }
  onTestFinished(stop)
  return { stop, end: async () => { await Promise.all(opened.map(host => host.close())) } }
}

/** Steps that change something of a network: a start's, which writes the record, or a stop's, which moves it. */
export function isPlan(steps: readonly Step[], phase: 'starting' | 'stopping'): boolean {
  return steps.some(step => phase === 'starting'
    ? step.op === 'writeFile' && step.path.includes('/starting/')
    : step.op === 'rename' && step.to.includes('/stopping/'))
}

export interface Fault {
  /** Steps that the plan has; known once it was run. */
  length: number
}

/** A start fails at this step of its plan, for a reason of the system's. */
export function failAt(position: number): Fault & { stop(): void } {
  const fault = { length: 0 }
  const { stop } = interpose((steps, run) => {
    if (!isPlan(steps, 'starting')) return run(steps)
    fault.length = steps.length
    return run([...steps.slice(0, position), { op: 'readFile', path: '/nowhere' }])
  })
  return Object.assign(fault, { stop })
}

/** The process ends before this step of the plan: nothing of it is run, nor of whatever comes later. */
export function endAt(phase: 'starting' | 'stopping', position: number): Fault & Interposed & { stop(): void } {
  const fault = { length: 0 }
  let ended = false
  const { stop, end } = interpose(async (steps, run) => {
    if (ended) throw new Error('this process has ended')
    if (!isPlan(steps, phase)) return run(steps)
    ended = true
    fault.length = steps.length
    await run(steps.slice(0, position))
    throw new Error('this process has ended')
  })
  return Object.assign(fault, { stop, end })
}

/** Somebody else does something after the driver has looked and before it acts, once. */
export function meanwhile(phase: 'starting' | 'stopping', act: () => Promise<unknown>): void {
  let done = false
  interpose(async (steps, run) => {
    if (!done && isPlan(steps, phase)) {
      done = true
      await act()
    }
    return run(steps)
  })
}

/**
 * A failure at a step, counted from the first that `begins`, over all visits to the Host's thread. From there on everything
 * runs: what the driver undoes is real. `length`: 1 once it has come to that step.
 */
export function failAtStep(position: number, begins: (step: Step) => boolean): Fault & { stop(): void } {
  const fault = { length: 0 }
  const counter = countSteps(begins)
  const { stop } = interpose((steps, run) => {
    const first = counter(steps)
    if (fault.length > 0 || first === undefined || first + steps.length <= position) return run(steps)
    fault.length = 1
    return run([...steps.slice(0, Math.max(position - first, 0)), { op: 'readFile', path: '/nowhere' }])
  })
  return Object.assign(fault, { stop })
}

/** The process ends before a step, counted as by `failAtStep`. */
export function endAtStep(position: number, begins: (step: Step) => boolean): Interposed & { stop(): void } {
  let ended = false
  const counter = countSteps(begins)
  return interpose(async (steps, run) => {
    if (ended) throw new Error('this process has ended')
    const first = counter(steps)
    if (first === undefined || first + steps.length <= position) return run(steps)
    ended = true
    await run(steps.slice(0, Math.max(position - first, 0)))
    throw new Error('this process has ended')
  })
}

/** Of each visit: the number of its first step, from the one that `begins`; undefined before that. */
function countSteps(begins: (step: Step) => boolean): (steps: readonly Step[]) => number | undefined {
  let count: number | undefined
  return steps => {
    if (count === undefined) {
      const begin = steps.findIndex(begins)
      if (begin === -1) return undefined
      count = -begin
    }
    const first = count
    count += steps.length
    return first
  }
}
