/** Selectors: words that compare when called, and stand for the value itself in maps, concatenations and assignments. */
import { InvalidArgumentError, show } from '../../errors.ts'
import { shared } from '../expressions.ts'
import type { Expression } from '../expressions.ts'
import { setRegister } from '../primitives.ts'
import { match, maskWith } from './match.ts'
import type { Match, Matchable } from './match.ts'
import { isNeed, isSource, lengthOf, slotRegister, slotsOf, typesOf } from './parts.ts'
import type { Need, Part, Source, ValueType, Word } from './parts.ts'
import { parseScalar } from './values.ts'
import type { Scalar } from './values.ts'

/** `tcp.dport(80)` is a condition, `tcp.dport` the field: a key of maps and sets, part of a concatenation, a value to set. */
export interface Selector<S = Scalar> extends Matchable {
  (value: Match<S>): Word
  readonly types: readonly ValueType[]
}

/** A selector whose value can be changed. */
export interface Settable<S = Scalar> extends Selector<S> {
  /** A constant, another selector, a map, a number generator. */
  set(value: S | Source): Word
}

/**
 * A load that depends on nothing: for the register that comparisons use it is made once, and shared by all rules. `length`:
 * of a field that may be loaded in part, in bytes.
 */
export function constantLoad<A extends readonly number[]>(
  load: (register: number, ...length: A) => Word,
): (register: number, ...length: A) => Word {
  const first = new Map<number | undefined, Word>()
  return (register, ...length) => {
    if (register !== 1) return load(register, ...length)
    let word = first.get(length[0])
    if (word === undefined) {
      word = load(register, ...length).map(part => isNeed(part) ? part : shared(part as Expression))
      first.set(length[0], word)
      Object.freeze(word)
    }
    return word
  }
}

export function selector<S = Scalar>(source: Matchable & { types: readonly ValueType[] }): Selector<S> {
  const call = (value: Match<S>): Word => match(source, value)
  return Object.assign(call, source)
}

/** `write`: what puts register 1 into its place. */
export function settable<S = Scalar>(
  source: Matchable & { types: readonly ValueType[] }, write: (value: Word) => Word,
): Settable<S> {
  return Object.assign(selector<S>(source), { set: (value: S | Source): Word => write(valueOf(source.word, source.types, value)) })
}

/** Puts a constant, or what a source says, into a register. */
export function valueOf(field: string, types: readonly ValueType[], value: unknown, register = 1): Word {
  if (isSource(value)) {
    if (value.types !== undefined && lengthOf(value.types) !== lengthOf(types)) {
      const accepted = `${types.map(({ type }) => type).join(' . ')}, of ${lengthOf(types)} bytes`
      throw new InvalidArgumentError(field, `${value.word}, of ${lengthOf(value.types)} bytes`, accepted)
    }
    return value.load(register, types)
  }
  return [setRegister(register, constantOf(field, types, value))]
}

function constantOf(field: string, types: readonly ValueType[], value: unknown): Uint8Array {
  const [only] = types
  if (types.length === 1 && only !== undefined) {
    if (!Array.isArray(value)) return parseScalar(field, only, value)
    // Several bits or labels at once.
    const all = value.map((each, index) => parseScalar(`${field}[${index}]`, only, each))
    return Uint8Array.from({ length: only.size }, (_, at) => all.reduce((bits, bytes) => bits | (bytes[at] ?? 0), 0))
  }
  throw new InvalidArgumentError(field, value, 'one value')
}

/** Several values side by side, as a key: `concat(ip.saddr, tcp.dport)`. Callable: compared with lists or sets of arrays. */
export function concat(...sources: readonly Source[]): Selector<readonly Scalar[]> {
  if (sources.length < 2) throw new InvalidArgumentError('concat', sources, 'two or more selectors')
  const types = sources.flatMap((source, index) => typesOf(`concat[${index}]`, source))
  const load = (register: number): Word => {
    const needs: Need[] = []
    const parts: Part[] = []
    let slot = (register - 1) * 4
    for (const source of sources) {
      // Loaded to the beginning of a 16-byte register, then moved to the slot.
      for (const part of source.load(1)) {
        if (isNeed(part)) needs.push(part)
        else parts.push(moved(part as Expression, slotRegister(1, slot)))
      }
      slot += slotsOf(source.types ?? [])
    }
    return [...needs, ...parts]
  }
  return selector<readonly Scalar[]>({ word: sources.map(({ word }) => word).join(' . '), types, load })
}

function moved(expression: Expression, register: number): Expression {
  if (register === 1 || expression.data === undefined || expression.data instanceof Uint8Array) return expression
  const data = { ...expression.data } as Record<string, unknown>
  if (data.dreg === 1) data.dreg = register
  if (data.sreg === 1) data.sreg = register
  return { ...expression, data } as Expression
}

/** A source computed from another one, of the same type. */
function computed(
  sign: string, field: string, source: Source, operand: unknown, last: (type: ValueType, register: number) => Expression,
): Selector {
  const types = typesOf(field, source)
  const [type] = types
  if (types.length !== 1 || type === undefined) throw new InvalidArgumentError(field, source.word, 'a single value')
  const word = `${source.word} ${sign} ${show(operand)}`
  // Refuses an operand that does not fit now, not where the word is used.
  last(type, 1)
  return selector({ word, types, load: register => [...source.load(register), last(type, register)] })
}

/** `source & mask`, `source | bits`, `source ^ bits`: e.g. `ct.mark.set(or(ct.mark, 0x10))`. */
export function and(source: Source, mask: Scalar): Selector {
  return computed('&', 'and', source, mask, (type, register) =>
    maskWith(parseScalar('and', type, mask), undefined, register))
}

export function or(source: Source, bits: Scalar): Selector {
  return computed('|', 'or', source, bits, (type, register) => {
    const bytes = parseScalar('or', type, bits)
    return maskWith(bytes.map(byte => ~byte & 0xff), bytes, register)
  })
}

export function xor(source: Source, bits: Scalar): Selector {
  return computed('^', 'xor', source, bits, (type, register) => {
    const bytes = parseScalar('xor', type, bits)
    return maskWith(new Uint8Array(bytes.length).fill(0xff), bytes, register)
  })
}

/** Shifted by so many bits to the left or right. */
export function shiftLeft(source: Source, count: number): Selector {
  return computed('<<', 'shiftLeft', source, count, (type, register) => shift('lshift', type, count, register))
}

export function shiftRight(source: Source, count: number): Selector {
  return computed('>>', 'shiftRight', source, count, (type, register) => shift('rshift', type, count, register))
}

export function shift(op: 'lshift' | 'rshift', { size }: { size: number }, count: number, register = 1): Expression {
  if (!Number.isInteger(count) || count < 1 || count > 31) throw new InvalidArgumentError(op, count, 'a number of bits from 1 to 31')
  return { name: 'bitwise', data: { sreg: register, dreg: register, op, len: size, data: { value: Uint8Array.of(count, 0, 0, 0) } } }
}

/** A field of less than its bytes: its neighbours masked out, and for keys of named sets moved to the lowest bits. */
export function maskedField(
  source: Source & { types: readonly ValueType[] }, mask: Uint8Array, bits: number,
): Matchable & { types: readonly ValueType[] } {
  const load = (register: number): Word => [...source.load(register), maskWith(mask, undefined, register)]
  return {
    word: source.word, types: source.types, load,
    loadKey: register => [...load(register), ...(bits === 0 ? [] : [shift('rshift', { size: mask.length }, bits, register)])],
    field: { mask, shift: bits },
  }
}
