/** How links are named in calls. */
import { constants } from 'node:os'
import { InvalidArgumentError, VirbrError } from '../errors.ts'
import { INTERFACE_NAME_RULE, isInterfaceName } from '../netlink/codecs.ts'
import { NetlinkError } from '../netlink/error.ts'
import { isAlternativeName } from '../rtnetlink/attributes.ts'

/** A link by one of its names, or by index. */
export type LinkRef = string | number

export function checkLinkRef(link: unknown, field = 'link'): asserts link is LinkRef {
  if (typeof link === 'number' ? Number.isInteger(link) && link > 0 : isAlternativeName(link) && link !== '.' && link !== '..') return
  throw new InvalidArgumentError(field, link, `${INTERFACE_NAME_RULE}, or another name of up to 127 bytes; or an index`)
}

export function checkLinkName(name: unknown, field: string): asserts name is string {
  if (!isInterfaceName(name)) throw new InvalidArgumentError(field, name, INTERFACE_NAME_RULE)
}

export function noLink(error: NetlinkError, link: LinkRef): VirbrError
export function noLink(error: Error, link: LinkRef): Error
export function noLink(error: Error, link: LinkRef): Error {
  return error instanceof NetlinkError && error.errno === constants.errno.ENODEV
    ? new VirbrError('ERR_NO_LINK', `no link ${typeof link === 'number' ? `with index ${link}` : link}`, { cause: error })
    : error
}
