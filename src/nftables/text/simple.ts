/** Statements that read no register, and stateful ones, as nft writes them. */
import { formatDuration } from '../datatypes.ts'
import { isExpression } from '../expressions.ts'
import type { Expression, ExpressionData } from '../expressions.ts'
import type { Known } from './dependencies.ts'
import { exthdrName } from './exthdr.ts'

/** Undefined for an expression that is none of them. */
export function simpleStatement(each: Expression, known: Known): string | undefined {
  if (isExpression(each, 'counter')) return `counter packets ${each.data.packets ?? 0} bytes ${each.data.bytes ?? 0}`
  if (isExpression(each, 'limit')) return limitText(each.data)
  if (isExpression(each, 'quota')) return quotaText(each.data)
  if (isExpression(each, 'connlimit')) return `ct count ${((each.data.flags ?? 0) & 1) === 0 ? '' : 'over '}${each.data.count ?? 0}`
  if (isExpression(each, 'last')) return lastText(each.data)
  if (isExpression(each, 'log')) return logText(each.data)
  if (isExpression(each, 'reject')) return rejectText(each.data, known)
  if (each.name === 'notrack') return 'notrack'
  if (isExpression(each, 'synproxy')) return synproxyText(each.data)
  if (isExpression(each, 'flow_offload')) return `flow add @${each.data.flowtable ?? ''}`
  if (isExpression(each, 'objref') && each.data.name !== undefined) return objectText(each.data.type, `"${each.data.name}"`)
  if (isExpression(each, 'exthdr') && each.data.dreg === undefined && each.data.sreg === undefined) return resetText(each.data)
  return undefined
}

const units: Record<number, string> = { 1: 'second', 60: 'minute', 3600: 'hour', 86_400: 'day', 604_800: 'week' }

function limitText({ rate = 0, unit = 1, burst = 0, type = 'packets', flags = 0 }: ExpressionData<'limit'>): string {
  const over = (flags & 1) === 0 ? '' : 'over '
  const per = units[unit] ?? 'second'
  if (type === 'packets') return `limit rate ${over}${rate}/${per}${burst === 0 ? '' : ` burst ${burst} packets`}`
  return `limit rate ${over}${bytesText(rate)}/${per}${burst === 0 ? '' : ` burst ${bytesText(burst)}`}`
}

/** The largest unit that says it exactly. */
function bytesText(bytes: number): string {
  if (bytes > 0 && bytes % (1 << 20) === 0) return `${bytes / (1 << 20)} mbytes`
  return bytes > 0 && bytes % 1024 === 0 ? `${bytes / 1024} kbytes` : `${bytes} bytes`
}

function quotaText({ bytes = 0, consumed = 0, flags = 0 }: ExpressionData<'quota'>): string {
  return `quota ${(flags & 1) === 0 ? '' : 'over '}${bytesText(bytes)}${consumed === 0 ? '' : ` used ${bytesText(consumed)}`}`
}

function lastText({ set = 0, msecs = 0 }: ExpressionData<'last'>): string {
  return `last used ${set === 0 ? 'never' : formatDuration(msecs)}`
}

/** NF_LOG_*: each flag, and all of them. */
const logFlags: [number, string][] = [[1, 'tcp sequence'], [2, 'tcp options'], [4, 'ip options'], [8, 'skuid'], [32, 'ether']]

function logText({ prefix, group, snaplen, qthreshold, level, flags = 0 }: ExpressionData<'log'>): string {
  const words = ['log']
  if (prefix !== undefined && prefix !== '') words.push(`prefix "${prefix}"`)
  if (group !== undefined) words.push(`group ${group}`)
  if (snaplen !== undefined && snaplen !== 0) words.push(`snaplen ${snaplen}`)
  if (qthreshold !== undefined && qthreshold !== 0) words.push(`queue-threshold ${qthreshold}`)
  if (level !== undefined && (level !== 'warn' && group === undefined)) words.push(`level ${level}`)
  if (logFlags.every(([bit]) => (flags & bit) !== 0)) return [...words, 'flags all'].join(' ')
  if ((flags & 3) === 3) words.push('flags tcp sequence,options')
  else words.push(...logFlags.slice(0, 2).filter(([bit]) => (flags & bit) !== 0).map(([, word]) => `flags ${word}`))
  words.push(...logFlags.slice(2).filter(([bit]) => (flags & bit) !== 0).map(([, word]) => `flags ${word}`))
  return words.join(' ')
}

/** Codes as nft names them for `reject with`. */
const icmpCodes = ['net-unreachable', 'host-unreachable', 'prot-unreachable', 'port-unreachable', , , , , , 'net-prohibited',
  'host-prohibited', , , 'admin-prohibited']
const icmpv6Codes = ['no-route', 'admin-prohibited', , 'addr-unreachable', 'port-unreachable', 'policy-fail', 'reject-route']
const icmpxCodes = ['no-route', 'port-unreachable', 'host-unreachable', 'admin-prohibited']

function rejectText({ type, code = 0 }: ExpressionData<'reject'>, { network }: Known): string | undefined {
  if (type === 'tcp reset') return 'reject with tcp reset'
  if (type === 'icmpx') return `reject with icmpx ${icmpxCodes[code] ?? code}`
  if (type !== 'icmp') return undefined
  // The code alone does not say of which family it is; the rule's matches do.
  if (network === 'ip6') return `reject with icmpv6 ${icmpv6Codes[code] ?? code}`
  return network === 'ip' ? `reject with icmp ${icmpCodes[code] ?? code}` : undefined
}

function synproxyText({ mss, wscale, flags = 0 }: ExpressionData<'synproxy'>): string {
  // NF_SYNPROXY_OPT_*.
  const words = ['synproxy']
  if ((flags & 1) !== 0) words.push(`mss ${mss ?? 0}`)
  if ((flags & 2) !== 0) words.push(`wscale ${wscale ?? 0}`)
  if ((flags & 8) !== 0) words.push('timestamp')
  if ((flags & 4) !== 0) words.push('sack-perm')
  return words.join(' ')
}

/** NFT_OBJECT_*: how a rule names an object, `counter name "x"`. */
const objectWords: Record<number, string> = {
  1: 'counter name', 2: 'quota name', 3: 'ct helper set', 4: 'limit name', 7: 'ct timeout set', 8: 'meta secmark set',
  9: 'ct expectation set', 10: 'synproxy name',
}

export function objectText(type: number | undefined, name: string): string | undefined {
  const words = type === undefined ? undefined : objectWords[type]
  return words === undefined ? undefined : `${words} ${name}`
}

function resetText(data: ExpressionData<'exthdr'>): string | undefined {
  const name = data.op === 'tcp option' ? exthdrName(data) : undefined
  return name === undefined ? undefined : `reset ${name}`
}
