/** Every target that is an extension, by the name of `-j`. */
import { CLUSTERIP, SYNPROXY } from './answer.ts'
import { HMARK } from './hash.ts'
import { CHECKSUM, DSCP, ECN, HL, TCPMSS, TCPOPTSTRIP, TOS, TTL } from './header.ts'
import { LOG, NFLOG, NFQUEUE, REJECT, TEE, TPROXY, TRACE, ULOG } from './log.ts'
import { CLASSIFY, CONNMARK, CT, MARK, NOTRACK } from './marks.ts'
import { DNAT, MASQUERADE, NETMAP, REDIRECT, SNAT } from './nat.ts'
import { DNPT, SNPT } from './npt.ts'
import { IDLETIMER, LED, RATEEST } from './rates.ts'
import { AUDIT, CONNSECMARK, SECMARK } from './security.ts'
import { SET } from './set.ts'

export const targets = {
  AUDIT, CHECKSUM, CLASSIFY, CLUSTERIP, CONNMARK, CONNSECMARK, CT, DNAT, DNPT, DSCP, ECN, HL, HMARK, IDLETIMER, LED, LOG, MARK, MASQUERADE,
  NETMAP, NFLOG, NFQUEUE, NOTRACK, RATEEST, REDIRECT, REJECT, SECMARK, SET, SNAT, SNPT, SYNPROXY, TCPMSS, TCPOPTSTRIP, TEE, TOS, TPROXY,
  TRACE, TTL, ULOG,
} as const
export type Targets = typeof targets
export type TargetName = keyof Targets
