/**
 * What a caller without TypeScript may give: values of wrong types, in place of arguments and of every field of a valid
 * one. Whatever a call throws or rejects with has to be a VirbrError, and it has to come to an end.
 */
import { InvalidArgumentError, VirbrError } from '../../src/errors.ts'
import { patience } from './patience.ts'

export const wrongValues: readonly unknown[] = [
  undefined, null, 0, -1, 1.5, NaN, '', 'x', 'constructor', 'a b', 'a\0b', true, 5n, [], {}, [null], [undefined], [[]], [{}], [5], ['x'],
  () => 1, Symbol('s'), new Date(0), new Uint8Array(3), Object.create(null), { not: null }, { name: null, data: null }, { name: 'meta' },
]

export const someWrongValues: readonly unknown[] = [null, {}, 'x', 1]

/** Of these none is right anywhere: null, as an option is left out by undefined. */
export const neverRight: readonly unknown[] = [null, Symbol('s'), () => 1]

/** Calls, and what was wrong with what they threw. */
export class Complaints {
  calls = 0
  readonly #found = new Map<string, string>()

  /** Calls it. What it threw or rejected with; undefined if nothing. */
  async try(name: string, call: () => unknown, given: readonly unknown[]): Promise<unknown> {
    this.calls++
    const error = await failureOf(call)
    if (error !== undefined && !(error instanceof VirbrError)) this.add(`${name}: ${textOf(error)}`, given)
    return error
  }

  /** The same of what is right nowhere, which has to be refused; with `named` by the name of its field. */
  async refused(name: string, path: string, call: () => unknown, given: readonly unknown[], { named = true } = {}): Promise<void> {
    const error = await this.try(`${name}${path}`, call, given)
    // Or by that of what it is in, where that says it all: `realms: expected realms like { from: 1, to: 2 }`.
    const names = (path.match(/\.\w+/g) ?? ['']).slice(-2).map(name => name.slice(1))
    if (!(error instanceof InvalidArgumentError)) this.add(`${name}${path} takes it: ${String(error)}`, given)
    else if (named && !names.some(part => error.field.includes(part))) this.add(`${name}${path} is refused by another name, ${error.field}: expected ${error.accepted}`, given)
  }

  add(what: string, given: readonly unknown[]): void {
    if (!this.#found.has(what)) this.#found.set(what, given.map(say).join(', '))
  }

  /** One of each kind, with the arguments that led to it. */
  get list(): string[] {
    return [...this.#found].map(([what, given]) => `${what} ← (${given})`)
  }
}

const LONGEST_MS = 10_000 * patience

async function failureOf(call: () => unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  try {
    const result = call()
    if (isThenable(result)) {
      const late = new Promise((_, reject) => { timer = setTimeout(() => { reject(new Error(`no answer in ${LONGEST_MS} ms`)) }, LONGEST_MS) })
      await end(await Promise.race([result, late]))
    } else await end(result)
    return undefined
  } catch (error) {
    return error ?? new Error(`it threw ${String(error)}`)
  } finally {
    clearTimeout(timer)
  }
}

/** Of a watch, which begins by itself, and of what else has to be closed. */
async function end(result: unknown): Promise<void> {
  if (typeof result !== 'object' || result === null || !('close' in result) || typeof result.close !== 'function') return
  const ready = 'ready' in result ? Promise.resolve(result.ready) : undefined
  ready?.catch(() => { /* Closed before it was. */ })
  await (result.close as () => unknown)()
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return say(error)
  const frames = (error.stack ?? '').split('\n').slice(1, 3).map(line => /[\w.-]+:\d+(?=:)/.exec(line)?.[0] ?? '')
  return `${error.name}: ${error.message.slice(0, 120)} (${frames.join(' < ')})`
}

/** Every choice of up to three wrong arguments, of the last only a few. */
export function* wrongArguments(
  seconds: readonly unknown[] = wrongValues, thirds: readonly unknown[] = someWrongValues,
): Generator<unknown[]> {
  yield []
  for (const first of wrongValues) {
    yield [first]
    for (const second of seconds) {
      yield [first, second]
      for (const third of thirds) yield [first, second, third]
    }
  }
}

/** Own and inherited methods, by name. */
export function methodsOf(object: object): [name: string, method: (...args: unknown[]) => unknown][] {
  const names = new Set<string>()
  for (let at = object; at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') names.add(name)
  }
  return [...names].flatMap((name): [string, (...args: unknown[]) => unknown][] => {
    const method = (object as Record<string, unknown>)[name]
    return typeof method === 'function' ? [[name, method.bind(object) as () => unknown]] : []
  })
}

/** Copies of valid arguments with another value in one place, at any depth, and where that is. */
export function* spoiled(given: readonly unknown[], values: readonly unknown[]): Generator<[path: string, given: unknown[]]> {
  for (const [path, replace] of places(given, '')) {
    for (const value of values) yield [path, replace(value) as unknown[]]
  }
}

type Replace = (value: unknown) => unknown

function* places(whole: unknown, path: string): Generator<[path: string, replace: Replace]> {
  if (typeof whole !== 'object' || whole === null || !isPlain(whole)) return
  for (const [name, part] of Object.entries(whole) as [string, unknown][]) {
    const at = Array.isArray(whole) ? `${path}[${name}]` : `${path}.${name}`
    const replace = (value: unknown): unknown =>
      Array.isArray(whole) ? whole.with(Number(name), value) as unknown : { ...whole, [name]: value }
    yield [at, replace]
    for (const [inner, replaceInner] of places(part, at)) yield [inner, value => replace(replaceInner(value))]
  }
}

/** What a caller writes himself, not what a function has made for him: selectors, requests, parts of words. */
function isPlain(value: object): boolean {
  if ('load' in value || 'operation' in value || ('name' in value && value.name === 'need')) return false
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}

function say(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol' || value === undefined) return String(value)
  try {
    return JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'symbol' || typeof part === 'function' || typeof part === 'bigint' ? String(part) : part).slice(0, 300)
  } catch {
    return 'a value that cannot be written'
  }
}
