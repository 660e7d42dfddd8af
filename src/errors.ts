/**
 * Every error that virbr makes. `code` is stable and meant for programs; `message` is meant for people.
 *
 * A marker symbol, not the prototype, decides `instanceof`, so errors of two copies of the package in one process (a
 * bundled one, a worker's) are still recognised.
 */
import { constants } from 'node:os'

/** What a program may test. docs/errors.md says of each what it means and what to do. */
export type ErrorCode =
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_INVALID_XML'
  | 'ERR_INVALID_URI'
  | 'ERR_UNSUPPORTED'
  | 'ERR_NETLINK'
  | 'ERR_SYSTEM'
  | 'ERR_NO_PERMISSION'
  | 'ERR_BULK'
  | 'ERR_NO_NETNS'
  | 'ERR_NO_LINK'
  | 'ERR_NO_RULE'
  | 'ERR_NO_NETWORK'
  | 'ERR_NETWORK_EXISTS'
  | 'ERR_NETWORK_ACTIVE'
  | 'ERR_NETWORK_INACTIVE'
  | 'ERR_NETWORK_TRANSIENT'
  | 'ERR_BRIDGE_IN_USE'
  | 'ERR_SUBNET_IN_USE'
  | 'ERR_STATE_DIR'
  | 'ERR_LOCK_TIMEOUT'
  | 'ERR_DNSMASQ_MISSING'
  | 'ERR_DNSMASQ_FAILED'
  | 'ERR_UPDATE_FAILED'
  | 'ERR_NO_BRIDGE'
  | 'ERR_NO_PORT'
  | 'ERR_FIREWALL_BUSY'
  | 'ERR_LIBVIRT'
  | 'ERR_LIBVIRT_MISSING'
  | 'ERR_NO_CONNECTION'
  | 'ERR_CONNECTION_LOST'
  | 'ERR_AUTH'
  | 'ERR_NO_DOMAIN'
  | 'ERR_NO_INTERFACE'
  | 'ERR_NO_NWFILTER'
  | 'ERR_NO_METADATA'
  | 'ERR_CLOSED'
  | 'ERR_ADDON_LOAD'

export interface ErrorDetails {
  cause?: unknown
}

/** Base of all errors of this package. */
export class VirbrError extends Error {
  readonly code: ErrorCode
  static readonly kind: symbol = Symbol.for('virbr.VirbrError')

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    mark(this, new.target)
  }

  override get name(): string {
    return this.constructor.name
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && (value as Marked)[this.kind] === true
  }
}

type Marked = Record<symbol, unknown>

function mark(error: VirbrError, target: { kind: symbol }): void {
  for (let type: { kind?: symbol } | null = target; type?.kind !== undefined; type = Object.getPrototypeOf(type) as typeof type) {
    Object.defineProperty(error, type.kind, { value: true, enumerable: false })
  }
}

/** A value that was refused before anything was touched: names the field, the value and what is accepted. */
export class InvalidArgumentError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.InvalidArgumentError')
  /** Dotted path of the offending field, e.g. `bridge.forwardDelayMs` or `ip[0].dhcp.range[0].end`. */
  readonly field: string
  readonly value: unknown
  /** What would have been accepted, in words. */
  readonly accepted: string

  constructor(field: string, value: unknown, accepted: string, code: ErrorCode = 'ERR_INVALID_ARGUMENT') {
    super(code, `${field}: expected ${accepted}, got ${show(value)}`)
    this.field = field
    this.value = value
    this.accepted = accepted
  }
}

/** Malformed or unacceptable network XML. */
export class XmlError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.XmlError')
  /** 1-based line of the fault in the text that was given. */
  readonly line: number
  /** 1-based column, where known. */
  readonly column: number | undefined

  constructor(message: string, line: number, column?: number) {
    super('ERR_INVALID_XML', `line ${line}${column === undefined ? '' : `, column ${column}`}: ${message}`)
    this.line = line
    this.column = column
  }
}

/** The kernel, libvirt or this version of virbr cannot do what was asked; names what would be needed. */
export class UnsupportedError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.UnsupportedError')
  /** The missing feature: a config option, a minimum version, an XML element. */
  readonly feature: string

  constructor(feature: string, message: string, details: ErrorDetails = {}) {
    super('ERR_UNSUPPORTED', message, details)
    this.feature = feature
  }
}

/** A system call that failed. */
export class SystemError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.SystemError')
  /** Positive errno. */
  readonly errno: number
  /** e.g. `ENOENT`. */
  readonly errnoName: string
  /** The call, e.g. `open`. */
  readonly syscall: string

  constructor(errno: number, syscall: string, what: string, code: ErrorCode = 'ERR_SYSTEM') {
    super(code, `${what}: ${errnoText(errno)} (${syscall})`)
    this.errno = errno
    this.errnoName = errnoName(errno)
    this.syscall = syscall
  }
}

/** One item of many that failed. */
export interface BulkFailure {
  /** Its place in the list that was given. */
  index: number
  /** What stands there. */
  item: unknown
  error: Error
}

/** Some of many items failed. `cause` is the first of their errors. */
export class BulkError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.BulkError')
  // Not enumerable: Node would print a hundred errors with their stacks for one that nobody catches.
  /** In order of `index`; each with its own error. */
  declare readonly failures: readonly BulkFailure[]
  /** Indices of the items that are done. With `atomic` those that could not be undone: none, nearly always. */
  declare readonly done: readonly number[]

  /** `list` as the caller knows it: `routes`. */
  constructor(list: string, total: number, failures: readonly BulkFailure[], done: readonly number[]) {
    const [first] = failures
    const others = done.length === 0 ? 'nothing is done' : done.length === total - failures.length ? 'the others are done' : `${done.length} are done`
    const place = `${list}[${first?.index}]`
    // A field is named with its place already.
    const which = first === undefined ? '' : `; ${first.error.message.startsWith(place) ? '' : `${place}: `}${first.error.message}`
    super('ERR_BULK', `${failures.length} of ${total} ${list} failed, ${others}${which}`, { cause: first?.error })
    Object.defineProperties(this, { failures: { value: failures }, done: { value: done } })
  }
}

/** Use of a handle after `close()`. */
export class ClosedError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.ClosedError')

  constructor(what: string) {
    super('ERR_CLOSED', `${what} is closed`)
  }
}

const errnoNames = new Map<number, string>()
for (const [name, number] of Object.entries(constants.errno)) {
  if (!errnoNames.has(number)) errnoNames.set(number, name)
}
// Linux numbers that Node's table, made for portable ones, leaves out (asm-generic/errno.h).
for (const [number, name] of [[54, 'EXFULL'], [85, 'ERESTART'], [524, 'ENOTSUPP'], [95, 'EOPNOTSUPP']] as const) errnoNames.set(number, name)

/** `2` → `ENOENT`; a number without a name → `errno 9999`. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`
}

const errnoMeanings: Record<string, string> = {
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or object',
  EACCES: 'permission denied',
  EEXIST: 'already exists',
  EBUSY: 'busy',
  ENODEV: 'no such device',
  EINVAL: 'invalid argument',
  EADDRNOTAVAIL: 'address not available',
  EOPNOTSUPP: 'operation not supported',
  ENOBUFS: 'no buffer space; the outcome is unknown',
  ENETUNREACH: 'network unreachable',
  EROFS: 'read-only file system',
  ESRCH: 'no such object',
  ETIMEDOUT: 'timed out',
  EXFULL: 'full; a bridge has at most 1,023 ports',
  ERESTART: 'somebody else changed it meanwhile',
}

/** `2` → `ENOENT, no such file or object`. */
export function errnoText(errno: number): string {
  const name = errnoName(errno)
  const meaning = errnoMeanings[name]
  return meaning === undefined ? name : `${name}, ${meaning}`
}

/** A value as it should stand in an error message: short, quoted, never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'object' && value !== null) return `an object with ${Object.keys(value).slice(0, 5).join(', ') || 'no fields'}`
  return String(value)
}

/** The nearest accepted name to a misspelled one, as `; did you mean "mtu"?`, or ''. */
export function didYouMean(name: unknown, accepted: Iterable<string>): string {
  if (typeof name !== 'string') return ''
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of accepted) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best === undefined ? '' : `; did you mean ${JSON.stringify(best)}?`
}

/**
 * Refuses a value that is no object, or has a field of another name than those accepted. `what`: `a route`; `path` stands before
 * the field.
 */
export function checkFields(value: object, accepted: readonly string[] | ReadonlySet<string>, what: string, path = ''): void {
  if (typeof value !== 'object' || value === null) throw new InvalidArgumentError(what.replace(/^an? /, ''), value, what)
  // No arrays on the way: it is called for each of a hundred thousand.
  for (const name in value) {
    if (accepted instanceof Set ? accepted.has(name) : (accepted as readonly string[]).includes(name)) continue
    const names = [...accepted]
    const given = (value as Record<string, unknown>)[name]
    const field = path === '' ? name : `${path}.${name}`
    throw new InvalidArgumentError(field, given, `only the fields ${names.join(', ')} in ${what}${didYouMean(name, names)}`)
  }
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
