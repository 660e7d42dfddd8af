/**
 * A rule's expressions in nft's own words. Registers are followed from where they are loaded to where they are used;
 * what nft would insert by itself is left out.
 */
import { toBigInt } from '../datatypes.ts'
import { isExpression } from '../expressions.ts'
import type { Expression, ExpressionData, ExpressionOf } from '../expressions.ts'
import type { WireElement } from '../elements.ts'
import type { Family } from '../messages.ts'
import type { NftSet } from '../sets.ts'
import { compareText, maskedField, rangeText, sides } from './compare.ts'
import type { Comparison } from './compare.ts'
import { atHead, dependencyOf, knownOf, learn, learnList } from './dependencies.ts'
import type { Known } from './dependencies.ts'
import { dataParts, elementsText, verdictText } from './elements.ts'
import { loadOperand, offsetText } from './loads.ts'
import { impliedByAll, joined, numberOperand } from './operand.ts'
import type { Operand, Parts } from './operand.ts'
import { simpleStatement, objectText } from './simple.ts'
import { registerStatement, unsaid } from './statements.ts'

/** A set with what is in it. */
export interface FilledSet extends NftSet {
  elements?: readonly WireElement[] | undefined
}

export interface RuleText {
  /** Undefined: not to be said in nft's language, because of the expression `unknown`. */
  text?: string
  unknown?: string
}

/** Told of each set that a rule looks up or fills, with what it does so by. */
export type OnUse = (set: string, key: Parts, data: Parts | undefined) => void

export function ruleText(
  family: Family, expressions: readonly Expression[], findSet: (name: string) => FilledSet | undefined, onUse: OnUse = () => {},
): RuleText {
  return new Reader(family, findSet, onUse).read(expressions)
}

interface Statement {
  text: string
  /** What nft may insert by itself. */
  dependency?: string | undefined
}

export class Reader {
  readonly family: Family
  readonly known: Known
  readonly findSet: (name: string) => FilledSet | undefined
  readonly onUse: OnUse
  readonly #statements: Statement[] = []
  /** By number of the 4-byte register that it begins in. */
  readonly #registers = new Map<number, Operand>()

  constructor(family: Family, findSet: (name: string) => FilledSet | undefined, onUse: OnUse) {
    this.family = family
    this.known = knownOf(family)
    this.findSet = findSet
    this.onUse = onUse
  }

  read(expressions: readonly Expression[]): RuleText {
    for (let index = 0; index < expressions.length; index++) {
      const each = expressions[index] as Expression
      const next = expressions[index + 1]
      if (isExpression(each, 'cmp') && isExpression(next, 'cmp') && this.#takeRange(each, next)) index++
      else if (!this.#take(each)) return { unknown: each.name }
    }
    return { text: this.#statements.map(({ text }) => text).join(' ') }
  }

  /** What a register holds. */
  operand(register: number | undefined): Operand | undefined {
    return register === undefined ? undefined : this.#registers.get(slotOf(register))
  }

  /** What registers hold from one on, up to a number of bytes. Undefined if they do not hold so much. */
  operands(register: number | undefined, length: number): Parts | undefined {
    const parts: Operand[] = []
    if (register === undefined) return undefined
    for (let slot = slotOf(register), left = length; left > 0;) {
      const part = this.#registers.get(slot)
      if (part === undefined) return undefined
      parts.push(part)
      const slots = Math.max(1, Math.ceil(part.size / 4))
      slot += slots
      left -= slots * 4
    }
    return parts
  }

  /** Adds a statement; what nft inserts before it by itself, and what stands there, goes. */
  #say(text: string, implies: readonly string[] = [], dependency?: string): true {
    for (;;) {
      const last = this.#statements.at(-1)?.dependency
      const isImplied = last !== undefined && (implies.includes(last) || (this.#statements.length === 1 && implies.includes(`^${last}`)))
      if (!isImplied || (this.known.ether && this.family !== 'bridge' && /^(nfproto|protocol) /.test(last))) break
      this.#statements.pop()
    }
    this.#statements.push({ text, dependency })
    return true
  }

  #load(register: number | undefined, operand: Operand | undefined): boolean {
    if (register === undefined || operand === undefined) return false
    this.#registers.set(slotOf(register), operand)
    return true
  }

  /** False: it cannot be said. */
  #take(each: Expression): boolean {
    const simple = simpleStatement(each, this.known)
    if (simple !== undefined) return this.#say(simple, atHead(this.#impliedBySimple(each)))
    if (isExpression(each, 'immediate')) return this.#takeImmediate(each.data)
    if (isExpression(each, 'cmp')) return this.#takeComparison(each.data)
    if (isExpression(each, 'range')) return this.#takeRangeExpression(each.data)
    if (isExpression(each, 'bitwise')) return this.#takeBitwise(each.data)
    if (isExpression(each, 'byteorder')) return this.#takeByteorder(each.data)
    if (isExpression(each, 'hash')) return this.#takeHash(each.data)
    if (isExpression(each, 'lookup')) return this.#takeLookup(each.data)
    if (isExpression(each, 'objref')) return this.#takeObjectMap(each.data)
    const sentence = registerStatement(this, each)
    if (sentence !== undefined) return sentence !== unsaid && this.#say(sentence.text, sentence.implies)
    const { dreg } = (each.data ?? {}) as { dreg?: number }
    return this.#load(dreg, loadOperand(each, this.family, this.known))
  }

  /** `reject with icmp …` in tables of both families needs the family, which nft inserts. */
  #impliedBySimple(each: Expression): string[] {
    if (!isExpression(each, 'reject')) return []
    const { network } = this.known
    const families = { inet: { ip: 'nfproto 2', ip6: 'nfproto 10' }, other: { ip: `protocol ${0x0800}`, ip6: `protocol ${0x86dd}` } }
    if (each.data.type === 'tcp reset') return ['l4proto 6']
    if (each.data.type !== 'icmp' || (network !== 'ip' && network !== 'ip6') || this.family === 'ip' || this.family === 'ip6') return []
    return [(this.family === 'inet' ? families.inet : families.other)[network]]
  }

  #takeImmediate({ dreg, data }: ExpressionData<'immediate'>): boolean {
    if (data?.verdict !== undefined) return this.#say(verdictText(data.verdict))
    if (data?.value === undefined) return false
    return this.#load(dreg, { ...numberOperand('', data.value.length, 'big'), constant: data.value })
  }

  #takeComparison({ sreg, op, data }: ExpressionData<'cmp'>): boolean {
    const operand = this.operand(sreg)
    if (operand === undefined || typeof op !== 'string' || data?.value === undefined) return false
    const text = compareText(this.family, operand, op as Comparison, data.value)
    if (text === undefined) return false
    const said = sides(this.family, operand)
    const value = op === 'eq' && operand.mask === undefined && data.value.length <= 4 ? Number(toBigInt(data.value, operand.order)) : undefined
    const dependency = value === undefined ? undefined : dependencyOf(this.known, operand.text, value)
    if (value !== undefined) learn(this.family, this.known, operand.text, value)
    return this.#say(text, said.implies, dependency)
  }

  /** Two comparisons that make a range. */
  #takeRange({ data: low }: ExpressionOf<'cmp'>, { data: high }: ExpressionOf<'cmp'>): boolean {
    const operand = this.operand(low.sreg)
    if (low.op !== 'gte' || high.op !== 'lte' || low.sreg !== high.sreg || operand === undefined) return false
    return this.#sayRange(operand, 'eq', low.data?.value, high.data?.value)
  }

  #takeRangeExpression({ sreg, op, from, to }: ExpressionData<'range'>): boolean {
    const operand = this.operand(sreg)
    return operand !== undefined && typeof op === 'string' && this.#sayRange(operand, op, from?.value, to?.value)
  }

  #sayRange(operand: Operand, op: 'eq' | 'neq', from: Uint8Array | undefined, to: Uint8Array | undefined): boolean {
    if (from === undefined || to === undefined) return false
    const text = rangeText(this.family, operand, op, from, to)
    return text !== undefined && this.#say(text, sides(this.family, operand).implies)
  }

  #takeBitwise({ sreg, dreg, op, mask, xor, data }: ExpressionData<'bitwise'>): boolean {
    const operand = this.operand(sreg)
    if (operand === undefined || operand.mask !== undefined) return false
    if (op === undefined || op === 'bool') {
      if (mask?.value === undefined) return false
      return this.#load(dreg, { ...operand, mask: mask.value, ...(xor?.value === undefined ? {} : { xor: xor.value }) })
    }
    if ((op !== 'lshift' && op !== 'rshift') || data?.value === undefined) return false
    const { place: _place, ...rest } = operand
    return this.#load(dreg, { ...rest, text: `${operand.text} ${op === 'lshift' ? '<<' : '>>'} ${toBigInt(data.value, 'host')}` })
  }

  /** Numbers are compared in network order where ranges are concerned. */
  #takeByteorder({ sreg, dreg, op }: ExpressionData<'byteorder'>): boolean {
    const operand = this.operand(sreg)
    return operand !== undefined && this.#load(dreg, { ...operand, order: op === 'hton' ? 'big' : 'host' })
  }

  #takeHash({ sreg, dreg, len = 0, modulus = 0, seed, offset = 0, type }: ExpressionData<'hash'>): boolean {
    if (type === 'symhash') return this.#load(dreg, numberOperand(`symhash mod ${modulus}${offsetText(offset)}`, 4, 'host'))
    const parts = this.operands(sreg, len)
    if (parts === undefined) return false
    const seeded = seed === undefined ? '' : ` seed 0x${seed.toString(16)}`
    const text = `jhash ${joined(parts)} mod ${modulus}${seeded}${offsetText(offset)}`
    return this.#load(dreg, numberOperand(text, 4, 'host', impliedByAll(parts)))
  }

  #takeLookup({ set: name = '', sreg, dreg, flags = 0 }: ExpressionData<'lookup'>): boolean {
    const set = this.findSet(name)
    const parts = set === undefined ? undefined : this.operands(sreg, set.keyLength)
    if (set === undefined || parts === undefined) return false
    const key = lookedUp(this.family, parts)
    const named = this.setText(set, key.parts)
    if (named === undefined || key.parts.some(({ text }) => text === '')) return false
    this.onUse(name, key.parts, undefined)
    if (dreg === undefined) {
      if (set.flags.includes('anonymous') && (flags & 1) === 0) learnList(this.known, key.text)
      // Of bits nft takes a list of one for a test of that bit.
      const isOne = set.elements?.length === 1 && key.parts[0]?.type.bitmask === true && set.flags.includes('anonymous')
      return this.#say(`${key.text} ${(flags & 1) !== 0 ? '!= ' : isOne ? '== ' : ''}${isOne ? bare(named) : named}`, key.implies)
    }
    if (dreg === 0) return this.#say(`${key.text} vmap ${named}`, key.implies)
    const data = dataParts(set)
    const first = data?.[0]
    if (data === undefined || first === undefined) return false
    return this.#load(dreg, {
      ...first, text: `${key.text} map ${named}`, implies: key.implies, map: { types: data.map(({ type }) => type), isInterval: set.mapInterval === true },
    })
  }

  #takeObjectMap({ type, setSreg, setName = '' }: ExpressionData<'objref'>): boolean {
    const set = this.findSet(setName)
    const parts = set === undefined ? undefined : this.operands(setSreg, set.keyLength)
    if (set === undefined || parts === undefined) return false
    const key = lookedUp(this.family, parts)
    const named = this.setText(set, key.parts)
    const object = typeof set.map === 'object' && 'object' in set.map ? objectTypeNumber(set) ?? type : type
    const text = named === undefined ? undefined : objectText(object, `${key.text} map ${named}`)
    this.onUse(setName, key.parts, undefined)
    return text !== undefined && this.#say(text, key.implies)
  }

  /** `@name`, or the elements of an anonymous set. */
  setText(set: FilledSet, parts: Parts): string | undefined {
    if (!set.flags.includes('anonymous')) return `@${set.name}`
    const elements = elementsText(set, set.elements ?? [], parts, dataParts(set))
    return elements === undefined ? undefined : `{ ${elements.join(', ')} }`
  }
}

/** `{ syn, ack }`, of one element, as a value: `syn | ack`. */
function bare(list: string): string {
  return list.slice(2, -2).replaceAll(',', ' | ')
}

/** Registers of 16 bytes are 1 to 4, those of 4 bytes 8 to 23: the same memory. */
function slotOf(register: number): number {
  return register >= 8 ? register - 8 : (register - 1) * 4
}

/** What is looked up in a set: fields that do not fill their bytes by their own name. */
function lookedUp(family: Family, parts: Parts): { text: string, parts: Parts, implies: string[] } {
  const said = parts.map(part => {
    const field = maskedField(family, part)
    // It stands in the key as it was loaded.
    return field === undefined ? { ...part, text: sides(family, part).left } : { ...field, size: part.size }
  })
  return { text: joined(said), parts: said, implies: impliedByAll(said) }
}

const objectNumbers: Record<string, number> = {
  counter: 1, quota: 2, 'ct helper': 3, limit: 4, 'ct timeout': 7, secmark: 8, 'ct expectation': 9, synproxy: 10,
}

function objectTypeNumber({ map }: NftSet): number | undefined {
  const object = typeof map === 'object' && 'object' in map ? map.object : undefined
  return typeof object === 'number' ? object : object === undefined ? undefined : objectNumbers[object]
}
