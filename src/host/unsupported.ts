/** What the running kernel lacks, told by the errors that it then gives: the option or release that would be needed. */
import { UnsupportedError } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest } from '../netlink/message.ts'
import type { LinkRef, Links } from './links.ts'

/** Kernels before 5.19 take NLM_F_BULK for nothing, and miss the address. `self`: a vxlan was to flush its own entries. */
export function bulkFlushUnsupported(error: NetlinkError, self: boolean): UnsupportedError | undefined {
  const { errnoName, kernelMessage = '' } = error
  if (errnoName === 'EINVAL' && kernelMessage.includes('invalid address')) return new UnsupportedError('Linux 5.19', `${error.message}; Linux 5.19 is needed`)
  if (errnoName === 'EOPNOTSUPP' && self) return new UnsupportedError('Linux 6.7', `${error.message}; for a vxlan Linux 6.7 is needed`)
  return undefined
}

/** Kernels before 5.16 add the neighbour without a word, as one that they do not keep resolved. */
export function managedUnsupported({ operation }: AnyRequest): UnsupportedError {
  return new UnsupportedError('Linux 5.16', `${operation}: this kernel has no managed neighbours; Linux 5.16 is needed`)
}

/** A kernel without CONFIG_BRIDGE_VLAN_FILTERING shows no default PVID of its bridges. Undefined if it has it. */
export async function vlansUnsupported(links: Links, link: LinkRef): Promise<UnsupportedError | undefined> {
  const { bridge, master } = await links.get(link)
  const options = bridge ?? (master === undefined ? undefined : (await links.get(master)).bridge)
  return options === undefined || options.vlanDefaultPvid !== undefined ? undefined
    : new UnsupportedError('CONFIG_BRIDGE_VLAN_FILTERING', 'this kernel has no VLANs in bridges: CONFIG_BRIDGE_VLAN_FILTERING is needed')
}
