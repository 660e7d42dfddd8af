/** Opening a connection: options, credentials, and what the errors of it mean. */
import { constants } from 'node:os'
import type { ConnectionHandle, Credential, ParameterType, TypedParameters } from '../../binding/index.ts'
import { InvalidArgumentError, VirbrError, checkFields } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import type { Netns } from '../host/netns.ts'
import { calls } from './calls.ts'
import { ConnectCredentialType, ConnectFlags, ConnectIdentity, ErrorDomain, label } from './constants.ts'
import type { Label } from './constants.ts'
import { LibvirtError, isLibvirt, isTransportError, withCode } from './errors.ts'

export interface LibvirtOptions {
  /** Only look: calls that would change something reject with ERR_NO_PERMISSION. A daemon may ask less of such connections. */
  readOnly?: boolean
  /** Answers what the daemon, or libvirt's own client for it, asks for. Without it nothing is answered, and never is stdin read. */
  auth?: AuthFunction
  /**
   * Asks the daemon every `intervalMs` (whole seconds) whether it is there; after `count` unanswered ones the connection
   * is lost. Default 5,000 and 5; false: never ask. Without effect on connections without a daemon.
   */
  keepAlive?: { intervalMs: number, count: number } | false
  /**
   * A lost connection is opened again, after `minDelayMs` (default 100), then twice as long each time up to `maxDelayMs`
   * (default 5,000). Calls meanwhile wait, `timeoutMs` (default 30,000) at most. Default false.
   */
  reconnect?: boolean | ReconnectOptions
  /** Whose behalf the daemon's access rules should be applied on; for callers whom the daemon trusts. */
  identity?: Identity
  /** The network namespace of the daemon's bridges, for `Network.attach`; default: the caller's own. */
  netns?: Netns
  /** Gives up opening; without effect later. */
  signal?: AbortSignal
}

export interface ReconnectOptions {
  minDelayMs?: number
  maxDelayMs?: number
  timeoutMs?: number
}

/** Source: virConnectCredentialType. */
export type CredentialType = Label<typeof ConnectCredentialType>

export interface AuthRequest {
  type: CredentialType | 'unknown'
  /** For people. */
  prompt: string
  /** Of `external`, `realm`: what it is for. */
  challenge: string | undefined
  /** The answer, if the answer is ''. */
  defaultResult: string | undefined
}

export type AuthAnswers = readonly string[] | Partial<Record<CredentialType, string>>

/**
 * Gives an answer a credential, in their order, or by type. May be called more than once, as libvirt asks: for a name,
 * then for its password. If it throws or rejects, so does `connect`, with ERR_AUTH.
 */
export type AuthFunction = (credentials: AuthRequest[]) => AuthAnswers | Promise<AuthAnswers>

/** Source: virConnectSetIdentity; numbers may be bigint. */
export interface Identity {
  userName?: string
  unixUserId?: number | bigint
  groupName?: string
  unixGroupId?: number | bigint
  processId?: number | bigint
  /** When the process was started, in clock ticks since boot: field 22 of /proc/PID/stat. */
  processTime?: number | bigint
  saslUserName?: string
  x509DistinguishedName?: string
  selinuxContext?: string
}

/** Each: the name of the parameter, and its type. */
const identityFields = {
  userName: [ConnectIdentity.USER_NAME, 'string'],
  unixUserId: [ConnectIdentity.UNIX_USER_ID, 'ullong'],
  groupName: [ConnectIdentity.GROUP_NAME, 'string'],
  unixGroupId: [ConnectIdentity.UNIX_GROUP_ID, 'ullong'],
  processId: [ConnectIdentity.PROCESS_ID, 'llong'],
  processTime: [ConnectIdentity.PROCESS_TIME, 'ullong'],
  saslUserName: [ConnectIdentity.SASL_USER_NAME, 'string'],
  x509DistinguishedName: [ConnectIdentity.X509_DISTINGUISHED_NAME, 'string'],
  selinuxContext: [ConnectIdentity.SELINUX_CONTEXT, 'string'],
} as const satisfies Record<keyof Identity, readonly [string, ParameterType]>

const optionNames = ['readOnly', 'auth', 'keepAlive', 'reconnect', 'identity', 'netns', 'signal'] as const

/** The same with its defaults; `reconnect` undefined: not. */
export interface OpenOptions {
  readOnly: boolean
  auth: AuthFunction | undefined
  keepAlive: { intervalMs: number, count: number } | undefined
  reconnect: Required<ReconnectOptions> | undefined
  identity: TypedParameters
  signal: AbortSignal | undefined
}

/** Throws InvalidArgumentError. */
export function checkOpenOptions(options: LibvirtOptions): OpenOptions {
  checkFields(options, optionNames, 'the options of connect')
  const { readOnly = false, auth, keepAlive = { intervalMs: 5_000, count: 5 }, reconnect = false, identity = {}, signal } = options
  if (typeof readOnly !== 'boolean') throw new InvalidArgumentError('options.readOnly', readOnly, 'true or false')
  if (auth !== undefined && typeof auth !== 'function') throw new InvalidArgumentError('options.auth', auth, 'a function')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new InvalidArgumentError('options.signal', signal, 'an AbortSignal')
  return {
    readOnly,
    auth,
    keepAlive: checkKeepAlive(keepAlive),
    reconnect: checkReconnect(reconnect),
    identity: identityParameters(identity, 'options.identity'),
    signal,
  }
}

function checkKeepAlive(keepAlive: unknown): OpenOptions['keepAlive'] {
  if (keepAlive === false) return undefined
  if (typeof keepAlive !== 'object' || keepAlive === null) {
    throw new InvalidArgumentError('options.keepAlive', keepAlive, 'false, or an object with intervalMs and count')
  }
  checkFields(keepAlive, ['intervalMs', 'count'], 'options.keepAlive')
  const { intervalMs, count } = keepAlive as { intervalMs: number, count: number }
  if (!(Number.isInteger(intervalMs) && intervalMs >= 1000 && intervalMs % 1000 === 0 && intervalMs <= 86_400_000)) {
    throw new InvalidArgumentError('options.keepAlive.intervalMs', intervalMs, 'whole seconds, as ms: 1,000 to 86,400,000')
  }
  if (!(Number.isInteger(count) && count >= 1 && count <= 1000)) {
    throw new InvalidArgumentError('options.keepAlive.count', count, '1 to 1,000')
  }
  return { intervalMs, count }
}

const reconnectDefaults = { minDelayMs: 100, maxDelayMs: 5_000, timeoutMs: 30_000 }
/** setTimeout's. */
const maxDelay = 0x7fffffff

function checkReconnect(reconnect: unknown): OpenOptions['reconnect'] {
  if (reconnect === false) return undefined
  if (reconnect === true) return reconnectDefaults
  if (typeof reconnect !== 'object' || reconnect === null) {
    throw new InvalidArgumentError('options.reconnect', reconnect, 'true, false or an object with minDelayMs, maxDelayMs, timeoutMs')
  }
  checkFields(reconnect, Object.keys(reconnectDefaults), 'options.reconnect')
  const given = Object.fromEntries(Object.entries(reconnect).filter(([, value]) => value !== undefined))
  const delays = { ...reconnectDefaults, ...given }
  for (const [name, value] of Object.entries(delays)) {
    if (!(Number.isInteger(value) && value >= 1 && value <= maxDelay)) {
      throw new InvalidArgumentError(`options.reconnect.${name}`, value, `1 to ${maxDelay} ms`)
    }
  }
  if (delays.minDelayMs > delays.maxDelayMs) {
    throw new InvalidArgumentError('options.reconnect.minDelayMs', delays.minDelayMs, `at most maxDelayMs, ${delays.maxDelayMs}`)
  }
  return delays
}

export function identityParameters(identity: Identity, what: string): TypedParameters {
  checkFields(identity, Object.keys(identityFields), what)
  return Object.entries(identity).filter(([, value]) => value !== undefined).map(([name, value]: [string, unknown]) => {
    const [field, type] = identityFields[name as keyof Identity]
    if (type === 'string' && typeof value === 'string' && !value.includes('\0')) return { field, type, value }
    const limit = type === 'llong' ? 1n << 63n : 1n << 64n
    if (type !== 'string' && (typeof value === 'bigint' || Number.isSafeInteger(value)) && BigInt(value as number) >= 0n &&
      BigInt(value as number) < limit) return { field, type, value: value as number | bigint }
    throw new InvalidArgumentError(`${what}.${name}`, value, type === 'string' ? 'a string' : `an integer from 0 below ${limit}`)
  })
}

/** Opens it and sets it up. Rejects as `connect` says. */
export async function openConnection(uri: string, options: OpenOptions): Promise<ConnectionHandle> {
  const connection = await open(uri, options)
  const { keepAlive, identity } = options
  try {
    if (keepAlive !== undefined) {
      await calls.virConnectSetKeepAlive(connection, keepAlive.intervalMs / 1000, keepAlive.count).catch((error: unknown) => {
        // Drivers within the process have nobody to ask.
        if (!isLibvirt(error, 'NO_SUPPORT')) throw error
      })
    }
    if (identity.length > 0) await calls.virConnectSetIdentity(connection, identity, 0)
    return connection
  } catch (error) {
    await connection.close()
    throw openError(error, uri)
  }
}

async function open(uri: string, { readOnly, auth }: OpenOptions): Promise<ConnectionHandle> {
  let refusal: { error: unknown } | undefined
  const answer = async (credentials: Credential[]): Promise<readonly string[] | null> => {
    try {
      const requests = credentials.map(({ type, ...rest }) => ({ ...rest, type: label(ConnectCredentialType, type) }))
      return answersOf(requests, await auth?.(requests))
    } catch (error) {
      refusal = { error }
      return null
    }
  }
  const asked = auth === undefined ? undefined : {
    types: Object.values(ConnectCredentialType),
    callback: (credentials: Credential[], respond: (answers: readonly string[] | null) => void) => {
      void answer(credentials).then(respond)
    },
  }
  try {
    return await calls.virConnectOpenAuth(uri, asked, readOnly ? ConnectFlags.RO : 0)
  } catch (error) {
    if (refusal === undefined) throw openError(error, uri)
    const { error: cause } = refusal as { error: unknown }
    const because = cause instanceof Error ? cause.message : String(cause)
    throw error instanceof LibvirtError ? withCode(error, 'ERR_AUTH', { advice: `options.auth: ${because}`, cause })
      : new VirbrError('ERR_AUTH', `options.auth: ${because}`, { cause })
  }
}

function answersOf(requests: readonly AuthRequest[], answers: unknown): string[] {
  if (typeof answers !== 'object' || answers === null) {
    throw new InvalidArgumentError('options.auth()', answers, 'an array of answers, or an object by type')
  }
  if (Array.isArray(answers) && answers.length !== requests.length) {
    throw new InvalidArgumentError('options.auth()', answers, `an array of ${requests.length}: an answer a credential`)
  }
  return requests.map(({ type, defaultResult }, index) => {
    const at = Array.isArray(answers) ? index : type
    const given: unknown = (answers as Record<string | number, unknown>)[at] ?? defaultResult
    if (typeof given !== 'string' || given.includes('\0')) {
      throw new InvalidArgumentError(`options.auth()[${at}]`, given, `a string, the answer for ${type}`)
    }
    return given
  })
}

const { EACCES, EPERM, ENOENT, ECONNREFUSED } = constants.errno

/** What failed at opening: the URI, the way to the daemon, or what the daemon says. */
function openError(error: unknown, uri: string): unknown {
  if (!(error instanceof LibvirtError) || error.code === 'ERR_AUTH' || error.code === 'ERR_NO_PERMISSION') return error
  const { domain, message, int1: errno } = error.libvirt
  const as = (code: ErrorCode, advice?: string): LibvirtError =>
    withCode(error, code, advice === undefined ? {} : { advice })
  if (isLibvirt(error, 'NO_CONNECT') || domain === ErrorDomain.URI ||
    (isTransportError(error) && isLibvirt(error, 'INVALID_ARG')) ||
    // Drivers say so of a path that they do not have. A daemon with another language says something else.
    (isLibvirt(error, 'INTERNAL_ERROR') && /\bURI path\b/.test(message))) return as('ERR_INVALID_URI', `the URI is ${uri}`)
  if (isLibvirt(error, 'SYSTEM_ERROR') && (errno === EACCES || errno === EPERM)) return as('ERR_NO_PERMISSION')
  if (isTransportError(error) || isLibvirt(error, 'SYSTEM_ERROR', 'UNKNOWN_HOST', 'RPC', 'SSH', 'LIBSSH', 'GNUTLS_ERROR')) {
    return as('ERR_NO_CONNECTION', errno === ENOENT || errno === ECONNREFUSED ? `is the daemon of ${uri} running?` : undefined)
  }
  return error
}

