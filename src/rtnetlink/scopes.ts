/** Scopes of addresses and routes, as rt_scopes(5) names them. */
import { InvalidArgumentError } from '../errors.ts'
import * as c from './constants.ts'

const scopes = {
  global: c.RT_SCOPE_UNIVERSE, site: c.RT_SCOPE_SITE, link: c.RT_SCOPE_LINK, host: c.RT_SCOPE_HOST, nowhere: c.RT_SCOPE_NOWHERE,
} as const
export type Scope = keyof typeof scopes | number

export function scopeName(number: number): Scope {
  return (Object.keys(scopes) as (keyof typeof scopes)[]).find(name => scopes[name] === number) ?? number
}

export function scopeNumber(scope: Scope): number {
  if (typeof scope === 'number' && Number.isInteger(scope) && scope >= 0 && scope <= 255) return scope
  if (typeof scope === 'string' && Object.hasOwn(scopes, scope)) return scopes[scope]
  throw new InvalidArgumentError('scope', scope, `one of ${Object.keys(scopes).join(', ')}, or 0 to 255`)
}
