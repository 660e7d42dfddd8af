/** Bits of a number by name. */
import { aBoolean, checkEach, isKeyOf } from '../checks.ts'
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import type { Codec, FixedCodec, NumberCodec } from './codecs.ts'
import { u32 } from './codecs.ts'
import { walkAttributes } from './table.ts'

/** All bits that are set, as a list of names; a bit without a name is its number. What is written are all bits. */
export function flagList<const N extends Record<string, number>>(codec: NumberCodec, names: N): FixedCodec<(keyof N & string | number)[]> {
  const entries = Object.entries(names) as [keyof N & string, number][]
  const known = entries.reduce((mask, [, bit]) => (mask | bit) >>> 0, 0)
  return {
    size: codec.size,
    encode(writer, value, parent) {
      if (!Array.isArray(value)) return writer.refuse(value, `an array of ${Object.keys(names).join(', ')}`)
      let bits = 0
      for (const name of value) {
        const bit = typeof name === 'number' ? name : isKeyOf(names, name) ? names[name] : undefined
        if (bit === undefined) throw new InvalidArgumentError(writer.where(), name, `${oneOf(names)}${didYouMean(name, Object.keys(names))}`)
        bits = (bits | bit) >>> 0
      }
      codec.encode(writer, bits, parent)
    },
    decode(bytes, start, end, parent) {
      const bits = codec.decode(bytes, start, end, parent)
      const rest = (bits & ~known) >>> 0
      return [...entries.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name), ...(rest === 0 ? [] : [rest])]
    },
  }
}

function oneOf(names: object): string {
  return `one of ${Object.keys(names).join(', ')}`
}

/** Switches that share an attribute of two u32: their values, and a mask of those that are meant. */
export function switches<const N extends Record<string, number>>(names: N): FixedCodec<{ [K in keyof N]?: boolean }> {
  const entries = Object.entries(names) as [keyof N & string, number][]
  const checks = Object.fromEntries(entries.map(([name]) => [name, aBoolean]))
  return {
    size: 8,
    encode(writer, value, parent) {
      checkEach(writer.where(), value, checks, 'switches')
      let [values, mask] = [0, 0]
      for (const [name, bit] of entries) {
        const on = value[name]
        if (on === undefined) continue
        mask |= bit
        if (on) values |= bit
      }
      u32.encode(writer, values >>> 0, parent)
      u32.encode(writer, mask >>> 0, parent)
    },
    decode(bytes, start) {
      const [values, mask] = [bytes.readUInt32LE(start), bytes.readUInt32LE(start + 4)]
      return Object.fromEntries(entries.filter(([, bit]) => (mask & bit) !== 0).map(([name, bit]) => [name, (values & bit) !== 0])) as
        { [K in keyof N]?: boolean }
    },
  }
}

/** A list whose attributes have their place in it as type, from 0: addresses that a bond asks for. */
export function indexedList<T>(codec: Codec<T>, max: number): Codec<T[]> {
  return {
    nested: true,
    encode(writer, values, parent) {
      if (!Array.isArray(values) || values.length > max) return writer.refuse(values, `an array of at most ${max}`)
      writer.enter()
      for (const [index, value] of values.entries()) {
        writer.field = index
        const start = writer.beginAttribute(index, codec.nested === true)
        codec.encode(writer, value, parent)
        writer.endAttribute(start)
      }
      writer.leave()
    },
    decode(bytes, start, end, parent) {
      const values: T[] = []
      for (const [, from, to] of walkAttributes(bytes, start, end)) {
        if (to - from >= (codec.size ?? 0)) values.push(codec.decode(bytes, from, to, parent))
      }
      return values
    },
  }
}
