/**
 * What iptables calls an extension: a match (`-m NAME`) or a target (`-j NAME`), as data. Its options in the order in
 * which iptables-save prints them, the C struct that they stand in, the way between both, and how `iptables -L` says
 * it. iptables(8) and iptables-extensions(8) say what each means; the structs are those of linux/netfilter/xt_*.h.
 */
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import type { Fields, Struct, StructInput, StructValues } from '../../netlink/table.ts'
import type { Expression } from '../expressions.ts'
import type { Context, IptablesFamily, Kind } from './values.ts'
import { decodeInfo, encodeInfo } from './xt.ts'

/** A value, and whether `!` stood before its option. */
export interface Said<V> {
  not: boolean
  value: V
}

export interface Option<V, I = V, N extends boolean = boolean> {
  kind: Kind<V, I>
  /** `!` may stand before it. */
  negatable: N
  /** Another way to say others: what it stands for. Never read back. */
  means?: (said: Said<V>) => Record<string, Said<unknown>>
  /** The options that stand behind it, for one more of the same: `--next` of policy. */
  further?: Options
}

export function option<V, I>(kind: Kind<V, I>): Option<V, I, false> {
  return { kind, negatable: false }
}

export function negatable<V, I>(kind: Kind<V, I>): Option<V, I, true> {
  return { kind, negatable: true }
}

/** Another name of an option. */
export function alias<V, I, N extends boolean>(name: string, { kind, negatable }: Option<V, I, N>): Option<V, I, N> {
  return { kind, negatable, means: said => ({ [name]: said }) }
}

/** An option behind which `options` are said once more, up to `most` times. */
export function further<O extends Options>(options: O, most: number): Option<readonly Given<O>[], readonly OptionInput<O>[], false> {
  const kind: Kind<readonly Given<O>[], readonly OptionInput<O>[]> = {
    words: 0,
    accepted: `up to ${most} objects, each with some of ${Object.keys(options).join(', ')}`,
    parse: () => undefined,
    format: () => '',
    type: () => '',
  }
  return { kind, negatable: false, further: options }
}

export function sugar<V, I>(kind: Kind<V, I>, means: (value: V) => Record<string, unknown>): Option<V, I, false> {
  return {
    kind,
    negatable: false,
    means: ({ value }) => Object.fromEntries(Object.entries(means(value)).map(([name, meant]) => [name, says(meant)])),
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Options = Record<string, Option<any, any>>

/** What was said, by option. */
export type Given<O extends Options> = { [K in keyof O]?: Said<O[K] extends Option<infer V, infer _> ? V : never> | undefined }

/** What a program may say: the value, or `{ not: value }` where `!` may stand. */
export type OptionInput<O extends Options> = {
  [K in keyof O]?: (O[K] extends Option<infer _, infer I, infer N> ? I | (N extends true ? { not: I } : never) : never) | undefined
}

export interface Extension<O extends Options = Options> {
  /** As in `-m NAME` or `-j NAME`. */
  name: string
  /** As the kernel knows it, if otherwise. */
  xt: string
  revision: (family: IptablesFamily) => number
  options: O
  /** Where it belongs, and with which protocols it makes sense; undefined: anywhere, any. */
  families?: readonly IptablesFamily[] | undefined
  tables?: readonly string[] | undefined
  protocols?: readonly number[] | undefined
  /** What is wrong with options that are each right: field, and what is accepted. */
  check?: ((given: Given<O>, context: Context) => readonly [field: string, accepted: string] | undefined) | undefined
  encode(given: Given<O>, context: Context): Uint8Array
  /** undefined: the struct says more than the options can. */
  decode(info: Uint8Array, context: Context): Given<O> | undefined
  /** nf_tables' own expressions, where iptables 1.8.9 writes those; undefined: the struct. */
  native?: ((given: Given<O>, context: Context) => Expression[] | undefined) | undefined
  /** As `iptables -L -n` says it, '' for nothing. */
  list(given: Given<O>, context: Context): string
  /** The tool sets no space before that. */
  listGlued?: true | undefined
  /** What iptables-save prints behind the name, if not simply the options. */
  save?: ((given: Given<O>, context: Context) => string) | undefined
}

type Shared<O extends Options> =
  Pick<Extension<O>, 'name' | 'options' | 'families' | 'tables' | 'protocols' | 'check' | 'native' | 'list' | 'listGlued' | 'save'> & {
    xt?: string
    /** Default 0. */
    revision?: number | Readonly<Record<IptablesFamily, number>>
  }

/** An extension of one struct. `write` leaves out what is zero; `read` gives undefined where it cannot tell all. */
export function extension<O extends Options, F extends Fields>(
  { layout, write, read, ...shared }: Shared<O> & {
    layout: Struct<F> | ((family: IptablesFamily) => Struct<F>)
    write: (given: Given<O>, context: Context) => StructInput<F>
    read: (values: StructValues<F>, context: Context) => Given<O> | undefined
  },
): Extension<O> {
  const { name, xt = name, revision = 0, ...rest } = shared
  const of = ({ family }: Context): Struct<F> => (typeof layout === 'function' ? layout(family) : layout)
  return {
    ...rest,
    name,
    xt,
    revision: family => (typeof revision === 'number' ? revision : revision[family]),
    encode: (given, context) => encodeInfo(of(context), write(given, context)),
    decode(info, context) {
      const values = decodeInfo(of(context), info)
      return values === undefined ? undefined : read(values, context)
    },
  }
}

export function says<V>(value: V, not = false): Said<V> {
  return { not, value }
}

/** `says`, or undefined where the condition does not hold. */
export function saysIf<V>(condition: boolean, value: V, not = false): Said<V> | undefined {
  return condition ? says(value, not) : undefined
}

/** `!` before a value that was negated, and `gap` between both. */
export function bang(said: Said<unknown> | undefined, gap = ''): string {
  return said?.not === true ? `!${gap}` : ''
}

/** Options whose names have more hyphens than camelCase shows. */
const hyphened: Readonly<Record<string, string>> = { rt0Res: 'rt-0-res', rt0Addrs: 'rt-0-addrs', rt0NotStrict: 'rt-0-not-strict' }

/** `tcpFlags` → `tcp-flags`. */
export function optionName(field: string): string {
  return hyphened[field] ?? field.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** `tcp-flags` → `tcpFlags`. */
export function fieldName(option: string): string {
  return option.replace(/-([a-z\d])/g, (_, letter: string) => letter.toUpperCase())
}

/** Reads what a program said. Throws InvalidArgumentError with `path` before the field. */
export function readInput<O extends Options>(
  extension: Extension<O>, input: object, path: string, context: Context,
): Given<O> {
  const given = readOptions(extension.options, extension.name, input, path, context)
  checkGiven(extension, given, path, context)
  return given
}

function readOptions<O extends Options>(options: O, name: string, input: unknown, path: string, context: Context): Given<O> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidArgumentError(path, input, `an object with options of ${name}`)
  }
  const given: Record<string, Said<unknown>> = {}
  for (const [field, value] of Object.entries(input) as [string, unknown][]) {
    if (value === undefined || value === false) continue
    const where = path === '' ? field : `${path}.${field}`
    const found = Object.hasOwn(options, field) ? options[field] : undefined
    if (found === undefined) {
      const names = Object.keys(options)
      throw new InvalidArgumentError(where, value, `one of the options ${names.join(', ')} of ${name}${didYouMean(field, names)}`)
    }
    const not = typeof value === 'object' && value !== null && 'not' in value
    if (not && !found.negatable) throw new InvalidArgumentError(where, value, `${found.kind.accepted}; it cannot be negated`)
    const said = says(readOption(found, name, not ? value.not : value, where, context), not)
    Object.assign(given, found.means === undefined ? { [field]: said } : found.means(said))
  }
  return given as Given<O>
}

function readOption({ kind, further }: Option<unknown>, name: string, input: unknown, where: string, context: Context): unknown {
  if (further === undefined) return readValue(kind, input, where, context)
  if (!Array.isArray(input)) throw new InvalidArgumentError(where, input, kind.accepted)
  return input.map((each: unknown, index) => readOptions(further, name, each, `${where}[${index}]`, context))
}

export function readValue<V>(kind: Kind<V, never>, input: unknown, where: string, context: Context): V {
  let text: string | undefined
  // String() would make a text of anything.
  const typable = typeof input === 'object' ? input !== null && kind.type !== String : typeof input === 'number' || input === true
  try {
    text = typeof input === 'string' ? input : typable ? kind.type(input as never) : undefined
  } catch {
    // An input of another type than declared; it is refused below.
  }
  const value = typeof text === 'string' ? kind.parse(text, context) : undefined
  if (value === undefined) throw new InvalidArgumentError(where, input, kind.accepted)
  return value
}

/** The demands of an extension as a whole. */
export function checkGiven<O extends Options>(extension: Extension<O>, given: Given<O>, path: string, context: Context): void {
  const { name, families, tables, protocols, check } = extension
  const where = path === '' ? name : path
  if (families !== undefined && !families.includes(context.family)) {
    throw new InvalidArgumentError(where, name, `${name} only in family ${families.join(', ')}`)
  }
  if (tables !== undefined && context.table !== undefined && !tables.includes(context.table)) {
    throw new InvalidArgumentError(where, name, `${name} only in table ${tables.join(', ')}, not in ${context.table}`)
  }
  if (protocols !== undefined && (context.protocol === undefined || !protocols.includes(context.protocol))) {
    throw new InvalidArgumentError(where, name, `${name} only with protocol ${protocols.map(number => protocolNames[number] ?? number).join(', ')}`)
  }
  const wrong = check?.(given, context)
  if (wrong !== undefined) {
    const [field, accepted] = wrong
    throw new InvalidArgumentError(path === '' ? field : `${path}.${field}`, given[field]?.value, accepted)
  }
}

const protocolNames: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 33: 'dccp', 50: 'esp', 58: 'ipv6-icmp', 132: 'sctp', 136: 'udplite' }

/** The options as iptables-save prints them. */
export function saveOptions<O extends Options>(extension: Extension<O>, given: Given<O>, context: Context): string {
  return extension.save?.(given, context) ?? saveSaid(extension.options, given)
}

/** The same without dashes, as some lists of `iptables -L` have it. */
export function listSaid<O extends Options>(options: O, given: Given<O>): string {
  return saveSaid(options, given, '')
}

export function saveSaid<O extends Options>(options: O, given: Given<O>, dashes: '--' | '' = '--'): string {
  return Object.entries(options).flatMap(([field, { kind, further }]) => {
    const said = given[field]
    if (said === undefined) return []
    const name = `${bang(said, ' ')}${dashes}${optionName(field)}`
    const values = further === undefined ? [kind.format(said.value)]
      : (said.value as Given<Options>[]).map(each => saveSaid(further, each, dashes))
    return values.map(value => (value === '' ? name : `${name} ${value}`))
  }).join(' ')
}

/** What was read, as a program would have said it. */
export function toInput<O extends Options>(options: O, given: Given<O>): OptionInput<O> {
  const entries = Object.entries(given).flatMap(([field, said]: [string, Said<unknown> | undefined]) => {
    if (said === undefined) return []
    const further = options[field]?.further
    const value = further === undefined ? said.value : (said.value as Given<Options>[]).map(each => toInput(further, each))
    return [[field, said.not ? { not: value } : value]]
  })
  return Object.fromEntries(entries) as OptionInput<O>
}
