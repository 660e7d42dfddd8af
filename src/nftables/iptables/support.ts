/**
 * What the kernel says to a rule, in the words of the rule. Whether it has an extension, iptables asks in the same way.
 * Source: linux/netfilter/nf_tables_compat.h.
 */
import { UnsupportedError } from '../../errors.ts'
import { be32, string } from '../../netlink/codecs.ts'
import { NetlinkError } from '../../netlink/error.ts'
import type { AnyRequest } from '../../netlink/message.ts'
import { attributes } from '../../netlink/table.ts'
import {
  NFNL_MSG_COMPAT_GET, NFNL_SUBSYS_NFT_COMPAT, NFTA_COMPAT_NAME, NFTA_COMPAT_REV, NFTA_COMPAT_TYPE, NFT_COMPAT_NAME_MAX,
} from '../constants.ts'
import { isExpression } from '../expressions.ts'
import type { Expression } from '../expressions.ts'
import { ASK, nfgenmsg } from '../messages.ts'
import type { IptablesFamily } from './values.ts'

export interface ExtensionRef {
  kind: 'match' | 'target'
  name: string
  revision: number
}

const compatAttributes = attributes({
  name: [NFTA_COMPAT_NAME, string(NFT_COMPAT_NAME_MAX - 1)],
  revision: [NFTA_COMPAT_REV, be32],
  type: [NFTA_COMPAT_TYPE, be32],
})

/** Answered with ENOENT where there is none of this name and revision. */
export function getExtension(family: IptablesFamily, { kind, name, revision }: ExtensionRef): AnyRequest {
  return {
    type: NFNL_SUBSYS_NFT_COMPAT << 8 | NFNL_MSG_COMPAT_GET, flags: ASK, format: { header: nfgenmsg, attributes: compatAttributes },
    header: { family }, attributes: { name, revision, type: kind === 'match' ? 0 : 1 }, operation: `get ${kind} ${name}`,
  }
}

/** The extension that the kernel points at when it refuses a rule. */
export function refusedExtension(request: AnyRequest | undefined, { attribute }: NetlinkError): ExtensionRef | undefined {
  const at = /^expressions\[(\d+)\]/.exec(attribute ?? '')?.[1]
  const { expressions = [] } = (request?.attributes ?? {}) as { expressions?: readonly Expression[] }
  const found = at === undefined ? undefined : expressions[Number(at)]
  if (found === undefined || !(isExpression(found, 'match') || isExpression(found, 'target'))) return undefined
  return { kind: found.name, name: found.data.name ?? '', revision: found.data.revision ?? 0 }
}

/** `missing`: what the kernel said when it was asked for the extension; undefined: it has it. */
export function refusal(
  error: NetlinkError, { kind, name, revision }: ExtensionRef, missing: NetlinkError | undefined,
): NetlinkError | UnsupportedError {
  if (missing?.errnoName === 'EINVAL') return new UnsupportedError('CONFIG_NFT_COMPAT', `${error.operation}: this kernel lacks CONFIG_NFT_COMPAT`)
  if (missing?.errnoName === 'ENOENT') {
    return new UnsupportedError(`${kind} ${name}`, `${error.operation}: this kernel has no ${kind} ${name} of revision ${revision}`)
  }
  return new NetlinkError(`${error.operation} with ${kind} ${name}`, error.errno, error.kernelMessage, error.attribute)
}
