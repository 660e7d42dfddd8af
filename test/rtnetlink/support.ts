/** rtnetlink requests by way of the addon alone, without a Host's verbs. */
import fc from 'fast-check'
import type { NativeHost } from '../../binding/index.ts'
import { NETLINK_ROUTE } from '../../src/netlink/constants.ts'
import { decodeReplies, encodeRequests } from '../../src/netlink/message.ts'
import type { AnyRequest, Message, Replies } from '../../src/netlink/message.ts'

/** Sends requests in one go. */
export async function send(host: NativeHost, requests: readonly AnyRequest[]): Promise<Replies> {
  const { results } = await host.exec([{
    op: 'netlink', protocol: NETLINK_ROUTE, messages: encodeRequests(requests), mayFail: true,
  }])
  return decodeReplies(requests, results[0] as Uint8Array)
}

/** What one request is answered with; an error is thrown. */
export async function ask<T>(host: NativeHost, request: AnyRequest, decode: (message: Message) => T): Promise<T[]> {
  const { messages, error } = await send(host, [request])
  if (error !== undefined) throw error
  return (messages[0] ?? []).map(decode)
}

/** A request as the kernel would show what it made. */
export function reflected(request: AnyRequest | undefined): Message {
  if (request === undefined) throw new Error('no request')
  const [message] = decodeReplies([request], encodeRequests([request])).messages[0] ?? []
  if (message === undefined) throw new Error('no message')
  return message
}

export const anyMac = fc.uint8Array({ minLength: 6, maxLength: 6 })
  .map(bytes => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(':'))
export const anyU32 = fc.nat(0xffffffff)
