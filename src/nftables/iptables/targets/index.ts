/** Every target that is an extension, by the name of `-j`. */
import { CHECKSUM, DSCP, HL, TCPMSS, TOS, TTL } from './header.ts'
import { LOG, NFLOG, NFQUEUE, REJECT, TEE, TPROXY, TRACE } from './log.ts'
import { CLASSIFY, CONNMARK, CT, MARK, NOTRACK } from './marks.ts'
import { DNAT, MASQUERADE, NETMAP, REDIRECT, SNAT } from './nat.ts'

export const targets = {
  CHECKSUM, CLASSIFY, CONNMARK, CT, DNAT, DSCP, HL, LOG, MARK, MASQUERADE, NETMAP, NFLOG, NFQUEUE, NOTRACK, REDIRECT, REJECT,
  SNAT, TCPMSS, TEE, TOS, TPROXY, TRACE, TTL,
} as const
export type Targets = typeof targets
export type TargetName = keyof Targets
