/** What ipset's part of the kernel is asked: the number of a set, or its name. Source: linux/netfilter/ipset/ip_set.h. */
import { UnsupportedError } from '../../errors.ts'
import { be16, string, u8 } from '../../netlink/codecs.ts'
import type { NetlinkError } from '../../netlink/error.ts'
import type { AnyRequest, Message } from '../../netlink/message.ts'
import { attributes } from '../../netlink/table.ts'
import type { TableValues } from '../../netlink/table.ts'
import { NFNL_SUBSYS_IPSET, NFPROTO_IPV4, NFPROTO_IPV6 } from '../constants.ts'
import { ASK, nfgenmsg } from '../messages.ts'
import * as c from './constants.ts'
import type { IpSet, IptablesFamily } from './values.ts'

const setAttributes = attributes({
  protocol: [c.IPSET_ATTR_PROTOCOL, u8],
  name: [c.IPSET_ATTR_SETNAME, string(c.IPSET_MAXNAMELEN - 1)],
  family: [c.IPSET_ATTR_FAMILY, u8],
  index: [c.IPSET_ATTR_INDEX, be16],
})
type SetValues = TableValues<typeof setAttributes>

function request(command: number, values: SetValues, operation: string): AnyRequest {
  return {
    type: NFNL_SUBSYS_IPSET << 8 | command, flags: ASK, format: { header: nfgenmsg, attributes: setAttributes }, header: {},
    attributes: { protocol: c.IPSET_PROTOCOL, ...values }, operation,
  }
}

export function getSetByName(name: string): AnyRequest {
  return request(c.IPSET_CMD_GET_BYNAME, { name }, `get the number of ipset's set ${name}`)
}

export function getSetByIndex(index: number): AnyRequest {
  return request(c.IPSET_CMD_GET_BYINDEX, { index }, `get the name of ipset's set ${index}`)
}

const families: Readonly<Record<number, IptablesFamily>> = { [NFPROTO_IPV4]: 'ip', [NFPROTO_IPV6]: 'ip6' }

/** The kernel answers with what was not asked only. */
export function decodeSet(asked: Pick<IpSet, 'name'> | Pick<IpSet, 'index'>, { attributes: values }: Message): IpSet {
  const { name = '', index = 0, family = 0 } = values as SetValues
  return { name, index, family: families[family], ...asked }
}

/** nfnetlink answers EINVAL where nobody listens, or to a command that an older ipset does not know. */
export function ipsetError(error: NetlinkError): NetlinkError | UnsupportedError {
  if (error.errnoName !== 'EINVAL') return error
  return new UnsupportedError('CONFIG_IP_SET', `${error.operation}: this kernel has no ipset that can be asked: CONFIG_IP_SET and Linux 4.20 are needed`)
}
