/** What a tap or tun may be asked to be. Source: Documentation/networking/tuntap.rst, linux/if_tun.h. */
import type { TapStep } from '../../binding/index.ts'
import { InvalidArgumentError, didYouMean } from '../errors.ts'
import { refuseOtherKinds } from '../rtnetlink/links.ts'
import type { LinkChange } from '../rtnetlink/links.ts'
import type { LinkSpec } from './links.ts'

/** Options of a tap or tun. `owner` and `group` are numeric ids that may open it without CAP_NET_ADMIN. */
export interface TapOptions extends Pick<TapStep, 'owner' | 'group' | 'vnetHeader' | 'queues' | 'multiQueue'> {
  /**
   * The device stays when nobody has it open. Without it `create` hands out open descriptors in `fds`, which the caller
   * closes.
   * @default true
   */
  persist?: boolean
}

const integer = (min: number, max: number) => (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max
const flag = { accepts: (value: unknown): boolean => typeof value === 'boolean', accepted: 'true or false' }
// All ones is the kernel's "nobody".
const id = { accepts: integer(0, 0xfffffffe), accepted: 'a numeric id' }

const rules: Record<keyof TapOptions, { accepts(value: unknown): boolean, accepted: string }> = {
  persist: flag,
  owner: id,
  group: id,
  vnetHeader: flag,
  // MAX_TAP_QUEUES, linux/if_tap.h.
  queues: { accepts: integer(1, 256), accepted: 'an integer from 1 to 256' },
  multiQueue: flag,
}

/** Throws InvalidArgumentError; nothing has been done then. */
export function checkTapOptions(options: object, field: string): asserts options is TapOptions {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError(field, options, 'an object')
  const names = Object.keys(rules)
  for (const [name, value] of Object.entries(options)) {
    const path = `${field}.${name}`
    if (!Object.hasOwn(rules, name)) {
      throw new InvalidArgumentError(path, value, `one of the options ${names.join(', ')}${didYouMean(name, names)}`)
    }
    const { accepts, accepted } = rules[name as keyof TapOptions]
    if (value !== undefined && !accepts(value)) throw new InvalidArgumentError(path, value, accepted)
  }
}

/** The options of a tap's or tun's specification, checked. */
export function checkTapSpec(spec: LinkSpec): TapOptions & { mode: 'tap' | 'tun' } {
  const { tap, tun } = spec
  const mode = spec.kind as 'tap' | 'tun'
  const { [mode]: options = {} } = { tap, tun }
  checkTapOptions(options, mode)
  refuseOtherKinds(spec, mode)
  return { ...options, mode }
}

/** What is set of a tap or tun after it has been made. */
export function tapChange(spec: LinkSpec): LinkChange {
  const { name: _name, kind: _kind, tap: _tap, tun: _tun, master: _master, netns: _netns, altNames, ...change } = spec
  return { ...change, ...(altNames === undefined ? {} : { addAltNames: altNames }) } as LinkChange
}
