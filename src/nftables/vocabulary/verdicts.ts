/** What becomes of a packet, at the end of a rule or in a verdict map. */
import { aText, check } from '../../checks.ts'
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import { isExpression } from '../expressions.ts'
import type { ExpressionOf } from '../expressions.ts'
import { giveVerdict } from '../primitives.ts'
import type { Part, Word } from './parts.ts'

export function accept(): Word {
  return [giveVerdict('accept')]
}

export function drop(): Word {
  return [giveVerdict('drop')]
}

/** Back to the chain that jumped here; in a base chain, the policy. */
export function ret(): Word {
  return [giveVerdict('return')]
}

/** On with the next rule. Of use in verdict maps. */
export function cont(): Word {
  return [giveVerdict('continue')]
}

/** Into a chain of the same table, and back behind this rule. */
export function jump(chain: string): Word {
  check('jump', chain, aText)
  return [giveVerdict('jump', chain)]
}

/** Into a chain of the same table, without coming back. */
export function goto(chain: string): Word {
  check('goto', chain, aText)
  return [giveVerdict('goto', chain)]
}

/** In a map: `accept()`, or as nft writes it: `'accept'`, `'jump guests'`. */
export type Verdict = readonly Part[] | 'accept' | 'drop' | 'return' | 'continue' | `jump ${string}` | `goto ${string}`

type VerdictData = NonNullable<NonNullable<ExpressionOf<'immediate'>['data']['data']>['verdict']>
const names = ['accept', 'drop', 'return', 'continue', 'jump CHAIN', 'goto CHAIN']

export function parseVerdict(field: string, verdict: unknown): VerdictData {
  if (typeof verdict === 'string') {
    const [code = '', chain, ...rest] = verdict.split(' ')
    const goes = code === 'jump' || code === 'goto'
    if (rest.length === 0 && goes === (chain !== undefined && chain !== '') && (goes || names.includes(code))) {
      return goes ? { code, chain } : { code: code as 'accept' }
    }
  } else if (Array.isArray(verdict)) {
    const [first, ...rest] = verdict as Part[]
    const data = rest.length === 0 && isExpression(first, 'immediate') ? first.data.data?.verdict : undefined
    if (typeof data === 'object' && data !== null) return data
  }
  throw new InvalidArgumentError(field, verdict, `a verdict: ${names.join(', ')}${didYouMean(verdict, names)}`)
}
