import { VirbrError, errnoName, errnoText } from '../errors.ts'

/**
 * A request that the kernel refused. `code` is ERR_NETLINK, or ERR_NO_PERMISSION for EPERM and EACCES.
 * Source: netlink(7), linux/netlink.h (enum nlmsgerr_attrs).
 */
export class NetlinkError extends VirbrError {
  static override readonly kind: symbol = Symbol.for('virbr.NetlinkError')
  /** Positive errno. */
  readonly errno: number
  /** e.g. `EEXIST`. */
  readonly errnoName: string
  /** What was asked, in words. */
  readonly operation: string
  /** The kernel's own message (extended ACK), where it gives one. */
  readonly kernelMessage: string | undefined
  /** Dotted path of the attribute that the kernel points at, where it does, or misses. */
  readonly attribute: string | undefined

  constructor(operation: string, errno: number, kernelMessage?: string, attribute?: string) {
    const name = errnoName(errno)
    const denied = name === 'EPERM' || name === 'EACCES'
    super(
      denied ? 'ERR_NO_PERMISSION' : 'ERR_NETLINK',
      `${operation}: ${errnoText(errno)}` +
        (kernelMessage === undefined ? '' : `: ${kernelMessage}`) +
        (attribute === undefined ? '' : ` (${attribute})`) +
        (denied ? '; CAP_NET_ADMIN in the network namespace is needed' : ''),
    )
    this.errno = errno
    this.errnoName = name
    this.operation = operation
    this.kernelMessage = kernelMessage
    this.attribute = attribute
  }
}
