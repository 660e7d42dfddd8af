/** How one namespace names another. */
import type { Message } from '../netlink/message.ts'
import { decodeNsid, getNsid, newNsid } from '../rtnetlink/nsid.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'

/** The number by which the channel's namespace knows another, by an open descriptor; one is given if there is none. */
export async function nsidOf(channel: Channel, fd: number): Promise<number> {
  const ask = async (): Promise<number | undefined> => decodeNsid((await channel.request([getNsid(fd)]))[0]?.[0] as Message)
  const known = await ask()
  if (known !== undefined) return known
  // Somebody else may be quicker.
  await channel.attempt(routeStep([newNsid(fd)], { mayFail: true }))
  return await ask() as number
}
