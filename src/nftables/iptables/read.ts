/** A rule's expressions as iptables' own notions: what its listings are printed from. */
import { isExpression } from '../expressions.ts'
import type { Expression, ExpressionOf } from '../expressions.ts'
import { ADDRESS_FIELDS, prefixMask } from '../primitives.ts'
import { protocolName } from './protocols.ts'
import type { Protocol } from '../protocols.ts'
import { withMask } from './addresses.ts'
import * as c from './constants.ts'
import { says, toInput } from './extension.ts'
import type { Extension, Given, Said } from './extension.ts'
import { matches } from './matches/index.ts'
import { limitGiven } from './matches/limits.ts'
import { periodOf, unitOf } from './matches/rates.ts'
import { tcpFlagsOf } from './matches/ports.ts'
import { equalityOf, hostNumber, interfaceText, portRange } from './native.ts'
import type { Comparison } from './native.ts'
import type { IptablesMatch, IptablesRule, IptablesTarget, OrNot } from './rule.ts'
import { targets } from './targets/index.ts'
import { nflogGiven } from './targets/log.ts'
import type { Context, IpSet, IptablesFamily, Range } from './values.ts'

/** A match or target: an extension and what it was told, or what iptables has no words for. */
export type Part =
  | { name: string, extension: Extension, given: Given<Extension['options']> }
  | { name: string, extension?: undefined, expressions: Expression[] }

export interface ReadRule {
  in?: Said<string>
  out?: Said<string>
  /** With the prefix length, or a netmask that is no prefix. */
  source?: Said<string>
  destination?: Said<string>
  protocol?: Said<number>
  fragment?: { not: boolean }
  counters: { packets: number, bytes: number }
  /** In order. */
  matches: Part[]
  /** A verdict or a chain has no `part`. */
  target?: { name: string, goto: boolean, jump: boolean, part?: Part }
  /** There are expressions for which the iptables tools refuse the whole table. */
  foreign: boolean
}

/** `comment` is the one that nft keeps beside a rule. `sets`: those of ipset that rules hold by number. */
export function readRule(
  family: IptablesFamily, rule: { expressions: readonly Expression[], comment?: string | undefined }, sets?: readonly IpSet[],
): ReadRule {
  return new Reader({ family, sets }).read(rule)
}

/** By the name that the kernel knows, which some share. */
function byXt(extensions: object): Map<string, Extension[]> {
  const found = new Map<string, Extension[]>()
  for (const extension of Object.values(extensions) as Extension[]) found.set(extension.xt, [...found.get(extension.xt) ?? [], extension])
  return found
}
const matchesByXt = byXt(matches)
const targetsByXt = byXt(targets)

/** A value in a register that waits for its comparison. */
interface Loaded {
  load: ExpressionOf<'meta'> | ExpressionOf<'payload'>
  all: Expression[]
  mask?: Uint8Array
  compared: boolean
}

class Reader {
  readonly #context: Context
  readonly #family: IptablesFamily
  readonly #rule: ReadRule = { counters: { packets: 0, bytes: 0 }, matches: [], foreign: false }
  #loaded: Loaded | undefined
  /** Constants in registers, for what follows. */
  #constants: ExpressionOf<'immediate'>[] = []
  /** The part that further ports and flags belong to. */
  #ports: { given: { sport?: Said<Range>, dport?: Said<Range>, tcpFlags?: Said<unknown> } } | undefined
  /** A group that no longer makes sense swallows what belongs to it. */
  #lost: Expression[] | undefined

  constructor(context: Context) {
    this.#context = context
    this.#family = context.family
  }

  read({ expressions, comment }: { expressions: readonly Expression[], comment?: string | undefined }): ReadRule {
    for (const each of expressions) {
      if (!this.#take(each)) this.#takeUnknown(each)
    }
    this.#leaveLoaded()
    for (const each of this.#constants.splice(0)) this.#unknown('immediate', [each])
    if (comment !== undefined) this.#known(matches.comment, { comment: says(comment) })
    return this.#rule
  }

  /** false: this has no form in iptables. */
  #take(each: Expression): boolean {
    if ((isExpression(each, 'meta') || isExpression(each, 'payload')) && each.data.dreg !== undefined) {
      this.#leaveLoaded()
      this.#loaded = { load: each, all: [each], compared: false }
      return true
    }
    if (isExpression(each, 'bitwise')) return this.#takeMask(each)
    if (isExpression(each, 'cmp') || isExpression(each, 'range')) return this.#takeComparison(each)
    this.#lost = undefined
    if (isExpression(each, 'counter')) {
      this.#rule.counters = { packets: each.data.packets ?? 0, bytes: each.data.bytes ?? 0 }
      return true
    }
    if (isExpression(each, 'immediate')) return this.#takeImmediate(each)
    if (isExpression(each, 'match')) return this.#takeMatch(each)
    if (isExpression(each, 'target')) return this.#takeTarget(each)
    if (isExpression(each, 'limit')) return this.#takeLimit(each)
    if (isExpression(each, 'log')) return this.#takeLog(each)
    return isExpression(each, 'meta') && this.#takeMetaSet(each)
  }

  #takeMask(each: ExpressionOf<'bitwise'>): boolean {
    const { op, mask, xor } = each.data
    const loaded = this.#loaded
    if (loaded === undefined || mask?.value === undefined || (op !== undefined && op !== 'bool')) return false
    if (loaded.mask !== undefined || xor?.value?.some(byte => byte !== 0) === true) return false
    loaded.mask = mask.value
    loaded.all.push(each)
    return true
  }

  #takeComparison(comparison: Comparison): boolean {
    const loaded = this.#loaded
    if (loaded === undefined) return false
    loaded.all.push(comparison)
    const known = loaded.load.name === 'meta' ? this.#meta(loaded.load, comparison, loaded.mask)
      : this.#payload(loaded.load, loaded.mask, comparison)
    loaded.compared ||= known
    if (known) return true
    this.#loaded = undefined
    this.#lost = this.#unknown(loaded.load.name, loaded.all)
    return true
  }

  #meta({ data: { key } }: ExpressionOf<'meta'>, comparison: Comparison, mask: Uint8Array | undefined): boolean {
    const equality = equalityOf(comparison)
    if (equality === undefined) return false
    const { not, value } = equality
    if (key === 'mark') {
      const [number, bits] = [hostNumber(value), mask === undefined ? 0xffffffff : hostNumber(mask)]
      return number !== undefined && bits !== undefined && this.#known(matches.mark, { mark: says({ value: number, mask: bits }, not) })
    }
    if (mask !== undefined) return false
    if (key === 'iifname' && this.#rule.in === undefined) this.#rule.in = { not, value: interfaceText(value) }
    else if (key === 'oifname' && this.#rule.out === undefined) this.#rule.out = { not, value: interfaceText(value) }
    else if (key === 'l4proto' && value.length === 1) return this.#protocol(not, value[0] ?? 0)
    else if (key === 'pkttype' && value.length === 1) {
      const name = (['unicast', 'broadcast', 'multicast'] as const)[value[0] ?? 3]
      return name !== undefined && this.#known(matches.pkttype, { pktType: says(name, not) })
    } else return false
    return true
  }

  /** nft says the protocol again before each of its ports. */
  #protocol(not: boolean, number: number): boolean {
    const said = this.#rule.protocol
    if (said !== undefined) return said.value === number && said.not === not
    this.#rule.protocol = { not, value: number }
    return true
  }

  #payload(load: ExpressionOf<'payload'>, mask: Uint8Array | undefined, comparison: Comparison): boolean {
    const { base, offset, len } = load.data
    if (base === 'network') return this.#network(offset ?? -1, len ?? 0, mask, comparison)
    const protocol = this.#rule.protocol?.not === false ? this.#rule.protocol.value : undefined
    if (base !== 'transport') return false
    if (protocol === (this.#family === 'ip' ? 1 : 58)) return this.#icmp(offset, len, mask, comparison)
    const extension = protocol === 6 ? matches.tcp : protocol === 17 ? matches.udp : undefined
    if (extension === undefined) return false
    const given = this.#ports?.given ?? {}
    const field = offset === 0 ? 'sport' : offset === 2 ? 'dport' : undefined
    if (field !== undefined && len === 2 && mask === undefined) {
      const range = portRange(comparison, given[field])
      if (range === undefined) return false
      given[field] = range
    } else if (protocol === 6 && offset === 13 && len === 1 && mask !== undefined && given.tcpFlags === undefined) {
      const equality = equalityOf(comparison)
      if (equality === undefined) return false
      given.tcpFlags = says(tcpFlagsOf(mask[0] ?? 0, equality.value[0] ?? 0), equality.not)
    } else if (offset === 0 && len === 4 && mask === undefined) {
      const equality = equalityOf(comparison)
      if (equality?.not !== false || equality.value.length !== 4 || given.sport !== undefined || given.dport !== undefined) return false
      const [a = 0, b = 0, c = 0, d = 0] = equality.value
      given.sport = says([a << 8 | b, a << 8 | b])
      given.dport = says([c << 8 | d, c << 8 | d])
    } else return false
    if (this.#ports === undefined) {
      this.#ports = { given }
      this.#rule.matches.push({ name: extension.name, extension: extension as unknown as Extension, given })
    }
    return true
  }

  #icmp(offset: number | undefined, len: number | undefined, mask: Uint8Array | undefined, comparison: Comparison): boolean {
    const equality = equalityOf(comparison)
    if (offset !== 0 || (len !== 1 && len !== 2) || mask !== undefined || equality === undefined) return false
    const text = equality.value.join('/')
    return this.#family === 'ip' ? this.#known(matches.icmp, { icmpType: says(text, equality.not) })
      : this.#known(matches.icmp6, { icmpv6Type: says(text, equality.not) })
  }

  #network(offset: number, length: number, mask: Uint8Array | undefined, comparison: Comparison): boolean {
    const equality = equalityOf(comparison)
    if (equality === undefined) return false
    const { saddr, daddr } = ADDRESS_FIELDS[this.#family]
    const { not, value } = equality
    const [life, protocol] = this.#family === 'ip' ? [8, 9] : [7, 6]
    if (offset === life && length === 1 && mask === undefined) {
      return this.#family === 'ip' ? this.#known(matches.ttl, { ttlEq: says(value[0] ?? 0, not) })
        : this.#known(matches.hl, { hlEq: says(value[0] ?? 0, not) })
    }
    if (offset === protocol && length === 1 && mask === undefined) return this.#protocol(not, value[0] ?? 0)
    if (this.#family === 'ip' && offset === 6 && length === 2 && mask?.[0] === 0x1f && mask[1] === 0xff && value.every(byte => byte === 0)) {
      this.#rule.fragment = { not: !not }
      return true
    }
    const which = offset === saddr.offset ? 'source' : offset === daddr.offset ? 'destination' : undefined
    if (which === undefined || this.#rule[which] !== undefined || length > saddr.length || value.length !== length) return false
    const wholeMask = mask === undefined ? prefixMask(saddr.length, length * 8) : Uint8Array.from(Buffer.concat([mask], saddr.length))
    this.#rule[which] = { not, value: withMask(Uint8Array.from(Buffer.concat([value], saddr.length)), wholeMask).text }
    return true
  }

  #takeImmediate(each: ExpressionOf<'immediate'>): boolean {
    const verdict = each.data.data?.verdict
    if (verdict === undefined) {
      this.#constants.push(each)
      return true
    }
    if (this.#rule.target !== undefined) return false
    const { code, chain = '' } = verdict
    const jump = code === 'jump' || code === 'goto'
    const name = code === 'accept' ? 'ACCEPT' : code === 'drop' ? 'DROP' : code === 'return' ? 'RETURN' : jump ? chain : undefined
    if (name === undefined) return false
    this.#rule.target = { name, goto: code === 'goto', jump }
    return true
  }

  #takeMatch(each: ExpressionOf<'match'>): boolean {
    const { name = '', revision = 0, info } = each.data
    const part = this.#decode(matchesByXt, name, revision, info)
    this.#rule.matches.push(part ?? { name, expressions: [each] })
    return true
  }

  #takeTarget(each: ExpressionOf<'target'>): boolean {
    const { name = '', revision = 0, info } = each.data
    const part = this.#decode(targetsByXt, name, revision, info) ?? { name, expressions: [each] }
    return this.#setTarget(part)
  }

  #setTarget(part: Part): boolean {
    if (this.#rule.target !== undefined) return false
    this.#rule.target = { name: part.name, goto: false, jump: false, part }
    return true
  }

  #decode(
    extensions: ReadonlyMap<string, readonly Extension[]>, name: string, revision: number, info: Uint8Array | undefined,
  ): Part | undefined {
    if (info === undefined) return undefined
    for (const extension of extensions.get(name) ?? []) {
      if (extension.revision(this.#family) !== revision) continue
      const given = extension.decode(info, this.#context)
      if (given !== undefined) return { name: extension.name, extension, given }
    }
    return undefined
  }

  #takeLimit({ data: { rate = 0, unit = 0, burst = 0, type, flags = 0 } }: ExpressionOf<'limit'>): boolean {
    const per = unitOf(unit)
    if (type !== 'packets' || flags !== 0 || rate === 0 || per === undefined) return false
    const period = periodOf({ rate, per }, c.XT_LIMIT_SCALE)
    return period > 0 && this.#known(matches.limit, limitGiven(period, burst))
  }

  #takeLog({ data }: ExpressionOf<'log'>): boolean {
    if (data.group === undefined) return false
    return this.#setTarget({ name: 'NFLOG', extension: targets.NFLOG as unknown as Extension, given: nflogGiven(data) })
  }

  #takeMetaSet({ data: { key, sreg } }: ExpressionOf<'meta'>): boolean {
    const constant = this.#constants.find(each => each.data.dreg === sreg)
    const value = constant?.data.data?.value
    const number = value?.length === 4 ? hostNumber(value) : value?.[0]
    if (constant === undefined || number === undefined) return false
    if (key !== 'nftrace' && key !== 'mark') return false
    const part: Part = key === 'nftrace' ? { name: 'TRACE', extension: targets.TRACE as unknown as Extension, given: {} }
      : { name: 'MARK', extension: targets.MARK as unknown as Extension, given: { setXmark: says({ value: number, mask: 0xffffffff }) } }
    if ((key === 'nftrace' && number === 0) || !this.#setTarget(part)) return false
    this.#constants = this.#constants.filter(each => each !== constant)
    return true
  }

  #known<E>(extension: E, given: object): true {
    const known = extension as unknown as Extension
    this.#rule.matches.push({ name: known.name, extension: known, given: given as Given<Extension['options']> })
    return true
  }

  /** A value that was loaded and never compared: of an interface, `+`, which any name is. */
  #leaveLoaded(): void {
    const loaded = this.#loaded
    this.#loaded = undefined
    this.#lost = undefined
    const anyName = isExpression(loaded?.load, 'meta') && (loaded.load.data.key === 'iifname' || loaded.load.data.key === 'oifname')
    if (loaded?.compared === false && !anyName) this.#unknown(loaded.load.name, loaded.all)
  }

  #takeUnknown(each: Expression): void {
    const continues = ['bitwise', 'cmp', 'range', 'lookup', 'byteorder'].includes(each.name)
    if (continues && this.#loaded !== undefined && !this.#loaded.compared) {
      this.#lost = this.#unknown(this.#loaded.load.name, [...this.#loaded.all, each])
      this.#loaded = undefined
    } else if (continues && this.#lost !== undefined) this.#lost.push(each)
    else {
      this.#leaveLoaded()
      this.#lost = this.#unknown(each.name, [...this.#constants.splice(0), each])
    }
  }

  #unknown(name: string, expressions: Expression[]): Expression[] {
    this.#rule.foreign = true
    this.#rule.matches.push({ name, expressions })
    return expressions
  }
}

/** The same as a program would have said it: `iptablesRule` makes the same rule of it. */
export function ruleOf(read: ReadRule): IptablesRule {
  const orNot = <T>(said: Said<T> | undefined): OrNot<T> | undefined =>
    (said === undefined ? undefined : said.not ? { not: said.value } : said.value)
  const protocol = read.protocol === undefined ? undefined
    : orNot({ ...read.protocol, value: protocolOf(read.protocol.value) })
  const rule: IptablesRule = {
    in: orNot(read.in),
    out: orNot(read.out),
    source: orNot(read.source),
    destination: orNot(read.destination),
    protocol,
    fragment: read.fragment === undefined ? undefined : read.fragment.not ? { not: true } : true,
    matches: read.matches.length === 0 ? undefined : read.matches.map(part => partOf(part) as IptablesMatch),
    target: targetOf(read),
  }
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined))
}

function protocolOf(number: number): Protocol {
  const name = protocolName(number)
  return /^\d+$/.test(name) ? number : name as Protocol
}

function targetOf({ target }: ReadRule): IptablesTarget | undefined {
  if (target === undefined) return undefined
  if (target.part !== undefined) return partOf(target.part) as IptablesTarget
  return target.goto ? { goto: target.name } : target.jump ? { jump: target.name } : target.name as IptablesTarget
}

function partOf(part: Part): object {
  if (part.extension === undefined) return { unknown: { name: part.name, expressions: part.expressions } }
  return { [part.name]: toInput(part.extension.options, part.given) }
}
