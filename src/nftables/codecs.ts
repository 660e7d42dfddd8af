/** Codecs that messages of nf_tables share, beside those of netlink/codecs.ts. */
import { wholeNumber } from '../checks.ts'
import type { Check } from '../checks.ts'
import { be32, named, raw, sbe32, string } from '../netlink/codecs.ts'
import type { FixedCodec, NumberCodec } from '../netlink/codecs.ts'
import { attributes } from '../netlink/table.ts'
import * as c from './constants.ts'

/** Numbers names from `first`, as a C enum does. */
export function enumeration<const N extends readonly string[]>(names: N, first = 0): { [K in N[number]]: number } {
  return Object.fromEntries(names.map((name, index) => [name, first + index])) as { [K in N[number]]: number }
}

/** A number whose bits have names: the list of those that are set; bits without a name stand in it as one number. */
export function bits<const N extends Record<string, number>>(
  codec: FixedCodec<number>, names: N,
): FixedCodec<(keyof N & string | number)[]> {
  const all = Object.entries(names) as [keyof N & string, number][]
  return {
    size: codec.size,
    encode(writer, value, parent) {
      if (!Array.isArray(value)) writer.refuse(value, `an array of ${Object.keys(names).join(', ')}`)
      let number = 0
      for (const each of value) {
        const bit = typeof each === 'number' ? each : typeof each === 'string' && Object.hasOwn(names, each) ? names[each] : undefined
        if (bit === undefined) return writer.refuse(each, `one of ${Object.keys(names).join(', ')}`)
        number |= bit
      }
      codec.encode(writer, number >>> 0, parent)
    },
    decode(bytes, start, end, parent) {
      let rest = codec.decode(bytes, start, end, parent)
      const found: (keyof N & string | number)[] = []
      for (const [name, bit] of all) {
        if ((rest & bit) !== bit) continue
        found.push(name)
        rest &= ~bit
      }
      return rest === 0 ? found : [...found, rest >>> 0]
    },
  }
}

/** Of a table, chain, set, object or flow table: up to 255 bytes. */
export const name = string(c.NFT_NAME_MAXLEN - 1)

/** By which the kernel knows a chain or rule. */
export const aHandle: Check = wholeNumber(1, Number.MAX_SAFE_INTEGER, 'a handle')

/** Number of a register: 0 the verdict, 1–4 of 16 bytes, 8–23 of 4 bytes, of which 8–11 are 1, 12–15 are 2, and so on. */
export const register: NumberCodec = be32

export const verdicts = {
  accept: c.NF_ACCEPT,
  drop: c.NF_DROP,
  queue: c.NF_QUEUE,
  continue: c.NFT_CONTINUE,
  break: c.NFT_BREAK,
  jump: c.NFT_JUMP,
  goto: c.NFT_GOTO,
  return: c.NFT_RETURN,
} as const

const verdict = attributes({
  code: [c.NFTA_VERDICT_CODE, named(sbe32, verdicts)],
  chain: [c.NFTA_VERDICT_CHAIN, name],
  chainId: [c.NFTA_VERDICT_CHAIN_ID, be32],
})

/** A value as the packet or the kernel holds it, or a verdict. */
export const data = attributes({
  value: [c.NFTA_DATA_VALUE, raw],
  verdict: [c.NFTA_DATA_VERDICT, verdict],
})
