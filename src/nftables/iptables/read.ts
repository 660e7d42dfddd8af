/** A rule's expressions as iptables' own notions: what its listings are printed from. */
import { formatIp } from '../../ip.ts'
import { isExpression } from '../expressions.ts'
import type { Expression, ExpressionOf } from '../expressions.ts'
import { ADDRESS_FIELDS, prefixMask } from '../primitives.ts'
import { matches, portsText, targets } from './extensions.ts'
import type { PortRange, PortsText, Text } from './extensions.ts'
import type { IptablesFamily } from './rule.ts'

interface Negatable<T> {
  not: boolean
  value: T
}

export interface ReadRule {
  in?: Negatable<string>
  out?: Negatable<string>
  /** With the prefix length, or a netmask that is no prefix. */
  source?: Negatable<string>
  destination?: Negatable<string>
  protocol?: Negatable<number>
  counters: { packets: number, bytes: number }
  /** Matches in order; what is not known to iptables, or here, as `[nft: name]`. */
  matches: Text[]
  target?: { name: string, goto: boolean, options: Text }
}

/** A value in a register that waits for its comparison. */
interface Loaded {
  load: ExpressionOf<'meta'> | ExpressionOf<'payload'>
  mask?: Uint8Array
  compared: boolean
}

type Comparison = ExpressionOf<'cmp'> | ExpressionOf<'range'>

export function readRule(family: IptablesFamily, expressions: readonly Expression[]): ReadRule {
  return new Reader(family).read(expressions)
}

class Reader {
  readonly #family: IptablesFamily
  readonly #rule: ReadRule = { counters: { packets: 0, bytes: 0 }, matches: [] }
  #loaded: Loaded | undefined
  #ports: { value: PortsText, at: number } | undefined

  constructor(family: IptablesFamily) {
    this.#family = family
  }

  read(expressions: readonly Expression[]): ReadRule {
    for (const each of expressions) if (!this.#take(each)) this.#unknown(each.name)
    this.#leaveLoaded()
    return this.#rule
  }

  /** false: this has no form in iptables. */
  #take(each: Expression): boolean {
    if ((isExpression(each, 'meta') || isExpression(each, 'payload')) && each.data.dreg !== undefined) {
      this.#leaveLoaded()
      this.#loaded = { load: each, compared: false }
      return true
    }
    if (isExpression(each, 'bitwise')) return this.#takeMask(each)
    if (isExpression(each, 'cmp') || isExpression(each, 'range')) return this.#takeComparison(each)
    if (isExpression(each, 'counter')) {
      this.#rule.counters = { packets: each.data.packets ?? 0, bytes: each.data.bytes ?? 0 }
      return true
    }
    if (isExpression(each, 'immediate')) return this.#takeVerdict(each)
    if (isExpression(each, 'match')) return this.#takeMatch(each)
    return isExpression(each, 'target') && this.#takeTarget(each)
  }

  #takeMask({ data: { op, mask, xor } }: ExpressionOf<'bitwise'>): boolean {
    const loaded = this.#loaded
    if (loaded === undefined || mask?.value === undefined || (op !== undefined && op !== 'bool')) return false
    if (loaded.mask !== undefined || xor?.value?.some(byte => byte !== 0) === true) return false
    loaded.mask = mask.value
    return true
  }

  #takeComparison(comparison: Comparison): boolean {
    const loaded = this.#loaded
    if (loaded === undefined) return false
    const { load, mask } = loaded
    const known = load.name === 'meta' ? this.#meta(load, comparison) : this.#payload(load, mask, comparison)
    loaded.compared ||= known
    if (known) return true
    this.#loaded = undefined
    this.#unknown(loaded.load.name)
    return true
  }

  #meta({ data: { key } }: ExpressionOf<'meta'>, comparison: Comparison): boolean {
    const equality = equalityOf(comparison)
    if (equality === undefined || this.#loaded?.mask !== undefined) return false
    const { not, value } = equality
    if (key === 'iifname' && this.#rule.in === undefined) this.#rule.in = { not, value: interfaceText(value) }
    else if (key === 'oifname' && this.#rule.out === undefined) this.#rule.out = { not, value: interfaceText(value) }
    else if (key === 'l4proto' && value.length === 1) {
      const number = value[0] ?? 0
      // nft says the protocol again before each of its ports.
      const said = this.#rule.protocol
      if (said !== undefined) return said.value === number && said.not === not
      this.#rule.protocol = { not, value: number }
    } else return false
    return true
  }

  #payload(load: ExpressionOf<'payload'>, mask: Uint8Array | undefined, comparison: Comparison): boolean {
    const { base, offset, len } = load.data
    if (base === 'network') return this.#address(offset, len, mask, comparison)
    const protocol = this.#rule.protocol?.not === false ? this.#rule.protocol.value : undefined
    const name = protocol === 6 ? 'tcp' : protocol === 17 ? 'udp' : undefined
    if (base !== 'transport' || name === undefined) return false
    this.#ports ??= { value: { protocol: name }, at: this.#rule.matches.push({ save: '', list: '' }) - 1 }
    const { value, at } = this.#ports
    const field = offset === 0 ? 'sport' : offset === 2 ? 'dport' : undefined
    if (field !== undefined && len === 2 && mask === undefined) {
      const range = portRange(comparison, value[field])
      if (range === undefined) return this.#withoutEmptyPorts(false)
      value[field] = range
    } else if (name === 'tcp' && offset === 13 && len === 1 && mask !== undefined && value.flags === undefined) {
      const equality = equalityOf(comparison)
      if (equality === undefined) return this.#withoutEmptyPorts(false)
      value.flags = { not: equality.not, mask: mask[0] ?? 0, value: equality.value[0] ?? 0 }
    } else return this.#withoutEmptyPorts(false)
    this.#rule.matches[at] = portsText(value)
    return true
  }

  #address(
    offset: number | undefined, length: number | undefined, mask: Uint8Array | undefined, comparison: Comparison,
  ): boolean {
    const { saddr, daddr } = ADDRESS_FIELDS[this.#family]
    const which = offset === saddr.offset ? 'source' : offset === daddr.offset ? 'destination' : undefined
    const equality = equalityOf(comparison)
    if (which === undefined || equality === undefined || this.#rule[which] !== undefined) return false
    if (length === undefined || length > saddr.length || equality.value.length !== length) return false
    const address = Buffer.concat([equality.value], saddr.length)
    const wholeMask = mask === undefined ? prefixMask(saddr.length, length * 8) : Buffer.concat([mask], saddr.length)
    const prefix = prefixOf(wholeMask)
    const value = `${formatIp(address) ?? ''}/${prefix ?? formatIp(wholeMask) ?? ''}`
    this.#rule[which] = { not: equality.not, value }
    return true
  }

  #takeVerdict({ data: { data } }: ExpressionOf<'immediate'>): boolean {
    const verdict = data?.verdict
    if (verdict === undefined || this.#rule.target !== undefined) return false
    const { code, chain = '' } = verdict
    const name = code === 'accept' ? 'ACCEPT' : code === 'drop' ? 'DROP' : code === 'return' ? 'RETURN'
      : code === 'jump' || code === 'goto' ? chain : undefined
    if (name === undefined) return false
    this.#rule.target = { name, goto: code === 'goto', options: { save: '', list: '' } }
    return true
  }

  #takeMatch({ data: { name = '', revision = 0, info } }: ExpressionOf<'match'>): boolean {
    const reader = Object.hasOwn(matches, name) ? matches[name] : undefined
    const text = info === undefined ? undefined : reader?.(info, this.#family, revision)
    if (text === undefined) this.#unknown(name)
    else this.#rule.matches.push(text)
    return true
  }

  #takeTarget({ data: { name = '', revision = 0, info } }: ExpressionOf<'target'>): boolean {
    if (this.#rule.target !== undefined) return false
    const reader = Object.hasOwn(targets, name) ? targets[name] : undefined
    const text = info === undefined ? undefined : reader?.(info, this.#family, revision)
    this.#rule.target = { name, goto: false, options: text ?? unknownText(name) }
    return true
  }

  /** A value that was loaded and never compared. */
  #leaveLoaded(): void {
    if (this.#loaded?.compared === false) this.#unknown(this.#loaded.load.name)
    this.#loaded = undefined
  }

  #unknown(name: string): void {
    this.#rule.matches.push(unknownText(name))
  }

  #withoutEmptyPorts(result: boolean): boolean {
    const ports = this.#ports
    if (ports !== undefined && this.#rule.matches[ports.at]?.save === '') {
      this.#rule.matches.splice(ports.at, 1)
      this.#ports = undefined
    }
    return result
  }
}

function unknownText(name: string): Text {
  return { save: `[nft: ${name}]`, list: `[nft: ${name}]` }
}

function equalityOf(comparison: Comparison): Negatable<Uint8Array> | undefined {
  if (comparison.name !== 'cmp') return undefined
  const { op, data } = comparison.data
  if (data?.value === undefined || (op !== 'eq' && op !== 'neq')) return undefined
  return { not: op === 'neq', value: data.value }
}

/** nft writes a range as two comparisons; `earlier` is what the first of them said. */
function portRange(comparison: Comparison, earlier: PortRange | undefined): PortRange | undefined {
  if (comparison.name === 'range') {
    const first = portOf(comparison.data.from?.value)
    const last = portOf(comparison.data.to?.value)
    if (earlier !== undefined || first === undefined || last === undefined) return undefined
    return { not: comparison.data.op === 'neq', first, last }
  }
  const { op, data } = comparison.data
  const port = portOf(data?.value)
  if (port === undefined) return undefined
  const open = earlier !== undefined && !earlier.not && earlier.last === 0xffff
  if (op === 'lte' && open) return { ...earlier, last: port }
  if (earlier !== undefined) return undefined
  if (op === 'eq' || op === 'neq') return { not: op === 'neq', first: port, last: port }
  if (op === 'gte') return { not: false, first: port, last: 0xffff }
  return op === 'lte' ? { not: false, first: 0, last: port } : undefined
}

function portOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 2 ? (bytes[0] ?? 0) << 8 | (bytes[1] ?? 0) : undefined
}

/** A comparison that ends before the NUL matches any rest of the name. */
function interfaceText(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0)
  return nul < 0 ? `${Buffer.from(bytes).toString()}+` : Buffer.from(bytes.subarray(0, nul)).toString()
}

function prefixOf(mask: Uint8Array): number | undefined {
  const bits = mask.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  return Buffer.compare(mask, prefixMask(mask.length, bits)) === 0 ? bits : undefined
}
