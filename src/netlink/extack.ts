/** What stands in an NLMSG_ERROR: errno, and where the kernel gives it, an extended ACK. Source: netlink(7). */
import {
  NLMSGERR_ATTR_MISS_NEST, NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS, NLMSG_HDRLEN,
  NLM_F_ACK_TLVS, NLM_F_CAPPED,
} from './constants.ts'
import { NetlinkError } from './error.ts'
import type { AnyRequest } from './message.ts'
import { attributePathAt, walkAttributes } from './table.ts'

interface Extack {
  message?: string
  /** Offset in the request of the attribute that the kernel refuses. */
  offset?: number
  /** Type of an attribute that the kernel misses, and the offset of the nest that it belongs in. */
  missing?: number
  missingNest?: number
}

/** `bytes` holds an NLMSG_ERROR of `length` bytes at `at`; `encoded` makes the request's bytes again, for naming. */
export function errorFromReply(request: AnyRequest, encoded: () => Buffer, bytes: Buffer, at: number, length: number): NetlinkError {
  const errno = -bytes.readInt32LE(at + NLMSG_HDRLEN)
  const extack = readExtack(bytes, at, length)
  return new NetlinkError(request.operation, errno, extack.message, nameAttribute(request, encoded, extack))
}

function readExtack(bytes: Buffer, at: number, length: number): Extack {
  const extack: Extack = {}
  const flags = bytes.readUInt16LE(at + 6)
  if ((flags & NLM_F_ACK_TLVS) === 0) return extack
  // After the errno stands the request: all of it, or only its header.
  const echoed = at + NLMSG_HDRLEN + 4
  if (echoed + 4 > at + length) return extack
  const start = echoed + ((flags & NLM_F_CAPPED) === 0 ? (bytes.readUInt32LE(echoed) + 3) & ~3 : NLMSG_HDRLEN)
  for (const [type, from, to] of walkAttributes(bytes, start, at + length)) {
    if (type === NLMSGERR_ATTR_MSG) extack.message = bytes.toString('utf8', from, bytes[to - 1] === 0 ? to - 1 : to)
    else if (to - from < 4) continue
    else if (type === NLMSGERR_ATTR_OFFS) extack.offset = bytes.readUInt32LE(from)
    else if (type === NLMSGERR_ATTR_MISS_TYPE) extack.missing = bytes.readUInt32LE(from)
    else if (type === NLMSGERR_ATTR_MISS_NEST) extack.missingNest = bytes.readUInt32LE(from)
  }
  return extack
}

function nameAttribute(request: AnyRequest, encoded: () => Buffer, extack: Extack): string | undefined {
  const { attributes, header } = request.format
  const start = NLMSG_HDRLEN + ((header.size + 3) & ~3)
  const path = (offset: number): string[] => {
    const bytes = encoded()
    return attributePathAt(attributes, bytes, start, bytes.length, offset)
  }
  if (extack.missing !== undefined) {
    const nest = extack.missingNest === undefined ? [] : path(extack.missingNest)
    const name = nest.length === 0 ? attributes.nameOf(extack.missing) : undefined
    return `missing ${[...nest, name ?? `attribute ${extack.missing}`].join('.')}`
  }
  if (extack.offset === undefined || extack.offset < start) return undefined
  const names = path(extack.offset)
  return names.length === 0 ? undefined : names.join('.')
}
