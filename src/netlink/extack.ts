/** What stands in an NLMSG_ERROR: errno, and where the kernel gives it, an extended ACK. Source: netlink(7). */
import {
  NLMSGERR_ATTR_MISS_NEST, NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS, NLMSG_HDRLEN,
  NLM_F_ACK_TLVS, NLM_F_CAPPED,
} from './constants.ts'
import { NetlinkError } from './error.ts'
import type { AnyRequest } from './message.ts'
import { attributeAt, isWalkable, joinPath, walkAttributes } from './table.ts'
import type { Place } from './table.ts'

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
  const echo = (flags & NLM_F_CAPPED) === 0 ? bytes.readUInt32LE(echoed) : NLMSG_HDRLEN
  if (echo > length) return extack
  const start = echoed + ((echo + 3) & ~3)
  for (const [type, from, to] of walkAttributes(bytes, start, at + length)) {
    if (type === NLMSGERR_ATTR_MSG) extack.message = bytes.toString('utf8', from, bytes[to - 1] === 0 ? to - 1 : to)
    else if (to - from < 4) continue
    else if (type === NLMSGERR_ATTR_OFFS) extack.offset = bytes.readUInt32LE(from)
    else if (type === NLMSGERR_ATTR_MISS_TYPE) extack.missing = bytes.readUInt32LE(from)
    else if (type === NLMSGERR_ATTR_MISS_NEST) extack.missingNest = bytes.readUInt32LE(from)
  }
  return extack
}

function nameAttribute({ format }: AnyRequest, encoded: () => Buffer, extack: Extack): string | undefined {
  const { attributes, header } = format
  const start = NLMSG_HDRLEN + ((header.size + 3) & ~3)
  const find = (offset: number | undefined): Place => {
    if (offset === undefined || offset < start) return { path: '', codec: attributes }
    const bytes = encoded()
    return attributeAt(attributes, bytes, start, bytes.length, offset)
  }
  if (extack.missing !== undefined) {
    const { path, codec } = find(extack.missingNest)
    const name = codec !== undefined && isWalkable(codec) ? codec.nameOf(extack.missing, 0) : undefined
    return `missing ${joinPath(path, name ?? `attribute ${extack.missing}`)}`
  }
  const { path } = find(extack.offset)
  return path === '' ? undefined : path
}
