/** libvirt's errors as ours. Source: libvirt/virterror.h. */
import type { LibvirtErrorFields, LibvirtFailure } from '../../binding/index.ts'
import { ClosedError, InvalidArgumentError, UnsupportedError, VirbrError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'
import { ErrorDomain, ErrorNumber, errorDomainName, errorNumberName } from './constants.ts'

/** What libvirt said: virError, with the names of its numbers. */
export interface LibvirtErrorInfo extends Readonly<LibvirtErrorFields> {
  /** e.g. `VIR_ERR_NO_NETWORK`. */
  readonly codeName: string
  /** e.g. `VIR_FROM_NETWORK`. */
  readonly domainName: string
}

/** What a libvirt error means to a program; all others are ERR_LIBVIRT. */
const codes = new Map<number, ErrorCode>(Object.entries({
  NO_NETWORK: 'ERR_NO_NETWORK',
  NETWORK_EXIST: 'ERR_NETWORK_EXISTS',
  NO_DOMAIN: 'ERR_NO_DOMAIN',
  NO_INTERFACE: 'ERR_NO_INTERFACE',
  NO_NWFILTER: 'ERR_NO_NWFILTER',
  NO_NWFILTER_BINDING: 'ERR_NO_NWFILTER',
  NO_NETWORK_PORT: 'ERR_NO_PORT',
  NO_NETWORK_METADATA: 'ERR_NO_METADATA',
  NO_DOMAIN_METADATA: 'ERR_NO_METADATA',
  AUTH_FAILED: 'ERR_AUTH',
  AUTH_CANCELLED: 'ERR_AUTH',
  AUTH_UNAVAILABLE: 'ERR_AUTH',
  ACCESS_DENIED: 'ERR_NO_PERMISSION',
  OPERATION_DENIED: 'ERR_NO_PERMISSION',
  XML_ERROR: 'ERR_INVALID_XML',
  XML_DETAIL: 'ERR_INVALID_XML',
  XML_INVALID_SCHEMA: 'ERR_INVALID_XML',
  NO_NAME: 'ERR_INVALID_XML',
  NO_SOURCE: 'ERR_INVALID_XML',
  NO_TARGET: 'ERR_INVALID_XML',
  NO_ROOT: 'ERR_INVALID_XML',
  NO_OS: 'ERR_INVALID_XML',
  OS_TYPE: 'ERR_INVALID_XML',
  NO_SUPPORT: 'ERR_UNSUPPORTED',
  OPERATION_UNSUPPORTED: 'ERR_UNSUPPORTED',
  ARGUMENT_UNSUPPORTED: 'ERR_UNSUPPORTED',
  CONFIG_UNSUPPORTED: 'ERR_UNSUPPORTED',
  INVALID_ARG: 'ERR_INVALID_ARGUMENT',
  INVALID_MAC: 'ERR_INVALID_ARGUMENT',
} satisfies Partial<Record<keyof typeof ErrorNumber, ErrorCode>>)
  .map(([name, code]) => [ErrorNumber[name as keyof typeof ErrorNumber], code]))

/** A call that libvirt, or the daemon behind it, refused. */
export class LibvirtError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.LibvirtError')
  /** The C function that was called, e.g. `virNetworkCreate`. */
  readonly operation: string
  /** The object that it was about, e.g. `network default`, where known. */
  readonly subject: string | undefined
  readonly libvirt: LibvirtErrorInfo

  constructor(
    operation: string, fields: LibvirtErrorFields,
    { code = codes.get(fields.code) ?? 'ERR_LIBVIRT', subject, advice, cause }:
    { code?: ErrorCode, subject?: string | undefined, advice?: string | undefined, cause?: unknown } = {},
  ) {
    super(code, `${operation}${subject === undefined ? '' : ` (${subject})`}: ${fields.message}` +
      (advice === undefined ? '' : `; ${advice}`), { cause })
    this.operation = operation
    this.subject = subject
    this.libvirt = { ...fields, codeName: errorNumberName(fields.code), domainName: errorDomainName(fields.domain) }
  }
}

/** The error of a call of the addon. `subject`: the object that it was about, for the message. */
export function toError(operation: string, args: readonly unknown[], failure: unknown, subject?: string): unknown {
  if (!isFailure(failure)) return failure
  switch (failure.failure) {
    case 'libvirt': return new LibvirtError(operation, failure.libvirt, { subject })
    case 'function': return new UnsupportedError(`libvirt ≥ ${failure.since}`,
      `${failure.name} needs libvirt ${failure.since} or later; ${failure.installed} is installed`)
    case 'library': return new VirbrError('ERR_LIBVIRT_MISSING',
      `libvirt.so.0 cannot be loaded: ${failure.message}. Install libvirt0 (Debian, Ubuntu), libvirt-libs (Fedora) or libvirt (Arch, Alpine)`,
      { cause: failure })
    case 'closed': return new ClosedError(`this ${objects[failure.kind]}`)
    case 'argument': return new InvalidArgumentError(`${failure.name}[${failure.index}]`, args[failure.index], failure.accepted)
  }
}

const objects = {
  connection: 'connection', domain: 'domain', network: 'network', networkPort: 'network port', interface: 'interface',
  nwfilter: 'network filter', nwfilterBinding: 'network filter binding',
} as const

function isFailure(error: unknown): error is LibvirtFailure {
  return error instanceof Error && 'failure' in error
}

/** The same error under the code that it means where it happened. */
export function withCode(error: LibvirtError, code: ErrorCode, options: { advice?: string, cause?: unknown } = {}): LibvirtError {
  return new LibvirtError(error.operation, error.libvirt, { code, subject: error.subject, ...options })
}

/** `name`: without VIR_ERR_. */
export function isLibvirt(error: unknown, ...names: readonly (keyof typeof ErrorNumber)[]): error is LibvirtError {
  return error instanceof LibvirtError && names.some(name => ErrorNumber[name] === error.libvirt.code)
}

/** Made by libvirt's client side, of what became of the socket. The daemon's own errors may be of these domains too. */
export function isTransportError(error: unknown): error is LibvirtError {
  const domains: readonly number[] = [ErrorDomain.RPC, ErrorDomain.REMOTE]
  return error instanceof LibvirtError && domains.includes(error.libvirt.domain)
}
