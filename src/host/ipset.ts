/** Sets of ipset, by name and by number, as the kernel has them in a Host's namespace. One visit to the Host's thread for all. */
import { constants } from 'node:os'
import { InvalidArgumentError } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { decodeSet, getSetByIndex, getSetByName, ipsetError } from '../nftables/iptables/ipset_requests.ts'
import type { IpSet, IptablesFamily } from '../nftables/iptables/values.ts'
import { firewallReadStep } from './channel.ts'
import type { Channel } from './channel.ts'

/** Throws InvalidArgumentError for a set that is not there, or that is of the other family. */
export async function namedSets(channel: Channel, family: IptablesFamily, names: readonly string[]): Promise<IpSet[]> {
  const asked = [...new Set(names)]
  if (asked.length === 0) return []
  const replies = await channel.attempt(firewallReadStep(asked.map(getSetByName), { mayFail: true }))
  const error = replies.firstError(constants.errno.ENOENT)
  if (error !== undefined) throw ipsetError(error)
  return asked.map((name, at) => {
    const [message] = replies.messages[at] ?? []
    if (message === undefined) throw new InvalidArgumentError('set', name, 'a set that is there (`ipset list -n`)')
    const set = decodeSet({ name }, message)
    if (set.family !== undefined && set.family !== family) {
      throw new InvalidArgumentError('set', name, `a set of family ${family}, as the rule is; this one is of ${set.family}`)
    }
    return set
  })
}

/** `error`: what the kernel says of one that it does not have, for instance because it is gone by now. */
export async function numberedSets(
  channel: Channel, indices: readonly number[],
): Promise<{ sets: IpSet[], error?: NetlinkError | undefined }> {
  const asked = [...new Set(indices)]
  if (asked.length === 0) return { sets: [] }
  const { messages, error } = await channel.attempt(firewallReadStep(asked.map(getSetByIndex), { mayFail: true }))
  return { sets: asked.flatMap((index, at) => (messages[at] ?? []).map(message => decodeSet({ index }, message))), error }
}
