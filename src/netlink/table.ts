/**
 * Attribute tables: one line an attribute, shared by encoding, decoding, validation and the naming of what the kernel
 * complains about.
 *
 *     const port = attributes({
 *       state: [IFLA_BRPORT_STATE, u8],
 *       cost:  [IFLA_BRPORT_COST, u32],
 *     })
 */
import { InvalidArgumentError, didYouMean, show } from '../errors.ts'
import { copyOf } from './codecs.ts'
import type { Codec, CodecValue, FixedCodec } from './codecs.ts'
import { NLA_HDRLEN, NLA_TYPE_MASK } from './constants.ts'
import type { Writer } from './writer.ts'

/** An attribute that no table names, as the kernel wrote it. */
export interface RawAttribute {
  /** 0 to 16383: without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
  type: number
  data: Uint8Array
}

/**
 * `type6`: the attribute that an IPv6 address stands in, where one of IPv4 has `type`. Of two lines with the same type the
 * first names what is read.
 */
// `any` is what lets a table of differently typed codecs keep each one's type.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Entries = Record<string, readonly [type: number, codec: Codec<any>, type6?: number]>

/** The plain object that a table reads and writes. */
export type Values<E extends Entries> = { [K in keyof E]?: CodecValue<E[K][1]> | undefined } & { raw?: RawAttribute[] | undefined }
export type TableValues<T> = T extends Table<infer E> ? Values<E> : never

/** What a table says to a walk down to an attribute that the kernel points at. */
export interface Walkable {
  /** Bytes before the first attribute; default 0. */
  readonly attributesAt?: number
  /** Name of an attribute; `position` is its place among its siblings. */
  nameOf(type: number, position: number): string | undefined
  inner(type: number, parent: object): Codec<unknown> | undefined
}

/** An attribute as a table knows it. */
interface Line {
  name: string
  type: number
  type6: number | undefined
  codec: Codec<unknown>
  /** What the codec says, at hand. */
  nested: boolean
  size: number
  mayOmit: boolean
}

export class Table<E extends Entries> implements Codec<Values<E>>, Walkable {
  readonly nested = true
  readonly entries: E
  readonly #keepsRest: boolean
  readonly #byName = new Map<string, Line>()
  readonly #byType = new Map<number, Line>()

  /** `keepsRest` false: attributes that no line names are passed over, which makes reading of a few quick. */
  constructor(entries: E, keepsRest = true) {
    this.entries = entries
    this.#keepsRest = keepsRest
    for (const [name, [type, codec, type6]] of Object.entries(entries)) {
      const { nested = false, size = 0, omits } = codec
      const line: Line = { name, type, type6, codec, nested, size, mayOmit: omits !== undefined }
      this.#byName.set(name, line)
      if (!this.#byType.has(type)) this.#byType.set(type, line)
      if (type6 !== undefined && !this.#byType.has(type6)) this.#byType.set(type6, line)
    }
  }

  encode(writer: Writer, values: Values<E>): void {
    if (typeof values !== 'object' || values === null || Array.isArray(values)) writer.refuse(values, 'an object')
    writer.enter()
    for (const name in values) {
      const value = values[name]
      if (value === undefined) continue
      writer.field = name
      const line = this.#byName.get(name)
      if (line === undefined) {
        if (name === 'raw') this.#encodeRaw(writer, value as RawAttribute[])
        else this.#refuseName(writer, name, value)
        continue
      }
      const { type, type6, codec, nested, mayOmit } = line
      if (mayOmit && codec.omits?.(value) === true) continue
      const start = writer.beginAttribute(type6 !== undefined && isIPv6Text(value) ? type6 : type, nested)
      codec.encode(writer, value, values)
      writer.endAttribute(start)
    }
    writer.leave()
  }

  decode(bytes: Buffer, start: number, end: number): Values<E> {
    const values: Record<string, unknown> = {}
    let rest: RawAttribute[] | undefined
    // As walkAttributes, which would make an array for each attribute.
    for (let at = start; at + NLA_HDRLEN <= end;) {
      const size = getU16(bytes, at)
      if (size < NLA_HDRLEN || at + size > end) break
      const type = getU16(bytes, at + 2) & NLA_TYPE_MASK
      const [from, to] = [at + NLA_HDRLEN, at + size]
      const line = this.#byType.get(type)
      if (line !== undefined && to - from >= line.size) {
        values[line.name] = line.codec.decode(bytes, from, to, values)
      } else if (this.#keepsRest) {
        (rest ??= []).push({ type, data: copyOf(bytes, from, to) })
      }
      at += (size + 3) & ~3
    }
    if (rest !== undefined) values.raw = rest
    return values as Values<E>
  }

  nameOf(type: number): string | undefined {
    return this.#byType.get(type)?.name
  }

  inner(type: number, parent: object): Codec<unknown> | undefined {
    const codec = this.#byType.get(type)?.codec
    return codec instanceof Dependent ? codec.tableFor(parent) : codec
  }

  #encodeRaw(writer: Writer, attributes: RawAttribute[]): void {
    if (!Array.isArray(attributes)) writer.refuse(attributes, 'an array of raw attributes')
    for (const attribute of attributes as (RawAttribute | null)[]) {
      const { type = -1, data } = attribute ?? {}
      const fits = Number.isInteger(type) && type >= 0 && type <= NLA_TYPE_MASK && data instanceof Uint8Array
      if (!fits) return writer.refuse(attribute, `raw attributes like { type, data }: a type from 0 to ${NLA_TYPE_MASK}, a Uint8Array`)
      const start = writer.beginAttribute(type, false)
      writer.bytes(data)
      writer.endAttribute(start)
    }
  }

  #refuseName(writer: Writer, name: string, value: unknown): never {
    const names = Object.keys(this.entries)
    throw new InvalidArgumentError(writer.where(), value, `one of the options ${names.join(', ')}${didYouMean(name, names)}`)
  }
}

export function attributes<const E extends Entries>(entries: E, { keepsRest = true } = {}): Table<E> {
  return new Table(entries, keepsRest)
}

function getU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | (bytes[at + 1] as number) << 8
}

function isIPv6Text(value: unknown): boolean {
  return typeof value === 'string' && value.includes(':')
}

/** [type, start of payload, end of payload] of each attribute; stops at one that does not fit. */
export function* walkAttributes(bytes: Buffer, start: number, end: number): Generator<[number, number, number]> {
  for (let at = start; at + NLA_HDRLEN <= end;) {
    const size = bytes.readUInt16LE(at)
    if (size < NLA_HDRLEN || at + size > end) return
    yield [bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, at + NLA_HDRLEN, at + size]
    at += (size + 3) & ~3
  }
}

/** An attribute whose table depends on a sibling: IFLA_INFO_DATA on IFLA_INFO_KIND, NFTA_EXPR_DATA on NFTA_EXPR_NAME. */
class Dependent implements Codec<object> {
  readonly nested = true
  readonly #sibling: string
  readonly #tables: Readonly<Record<string, Codec<object>>>
  readonly #others: Codec<object> | undefined

  constructor(sibling: string, tables: Readonly<Record<string, Codec<object>>>, others: Codec<object> | undefined) {
    this.#sibling = sibling
    this.#tables = tables
    this.#others = others
  }

  tableFor(parent: object): Codec<object> | undefined {
    const key = (parent as Record<string, unknown>)[this.#sibling]
    return typeof key === 'string' && Object.hasOwn(this.#tables, key) ? this.#tables[key] : this.#others
  }

  encode(writer: Writer, value: object, parent: object): void {
    if (value instanceof Uint8Array) return writer.bytes(value)
    const table = this.tableFor(parent)
    if (table === undefined) {
      const key = (parent as Record<string, unknown>)[this.#sibling]
      return writer.refuse(value, `no options, or a Uint8Array: the options of ${show(key)} are not known`)
    }
    table.encode(writer, value, parent)
  }

  decode(bytes: Buffer, start: number, end: number, parent: object): object {
    return this.tableFor(parent)?.decode(bytes, start, end, parent) ?? copyOf(bytes, start, end)
  }
}

/** Values of unknown kinds are kept, and accepted, as raw bytes, unless there is a table for all `others`. */
export function dependent(
  sibling: string, tables: Readonly<Record<string, Codec<object>>>, others?: Codec<object>,
): Codec<object> {
  return new Dependent(sibling, tables, others)
}

/** A list of attributes of one type, e.g. NFTA_LIST_ELEM. Others that stand among them are left out. */
export function list<T>(type: number, codec: Codec<T>): Codec<T[]> & Walkable {
  return {
    nested: true,
    encode(writer, values, parent) {
      if (!Array.isArray(values)) writer.refuse(values, 'an array')
      writer.enter()
      const nested = codec.nested === true
      // No arrays on the way: thousands of rules have a dozen expressions each.
      for (let index = 0; index < values.length; index++) {
        writer.field = index
        const start = writer.beginAttribute(type, nested)
        codec.encode(writer, values[index] as T, parent)
        writer.endAttribute(start)
      }
      writer.leave()
    },
    decode(bytes, start, end, parent) {
      const values: T[] = []
      const { size: least = 0 } = codec
      for (let at = start; at + NLA_HDRLEN <= end;) {
        const size = getU16(bytes, at)
        if (size < NLA_HDRLEN || at + size > end) break
        const found = getU16(bytes, at + 2) & NLA_TYPE_MASK
        if (found === type && size - NLA_HDRLEN >= least) values.push(codec.decode(bytes, at + NLA_HDRLEN, at + size, parent))
        at += (size + 3) & ~3
      }
      return values
    },
    nameOf: (_, position) => `[${position}]`,
    inner: () => codec as Codec<unknown>,
  }
}

/**
 * A struct, of a multiple of four bytes, followed by attributes, as a codec: VETH_INFO_PEER holds an ifinfomsg and link
 * attributes.
 */
export function prefixed<F extends Fields, E extends Entries>(header: Struct<F>, table: Table<E>):
  Codec<{ header: StructInput<F>, attributes: Values<E> }> & Walkable {
  return {
    nested: true,
    size: header.size,
    attributesAt: header.size,
    encode(writer, value) {
      if (typeof value !== 'object' || value === null) writer.refuse(value, 'an object with header and attributes')
      header.encode(writer, value.header)
      table.encode(writer, value.attributes)
    },
    decode: (bytes, start, end) => ({
      header: header.decode(bytes, start) as unknown as StructInput<F>,
      attributes: table.decode(bytes, start + header.size, end),
    }),
    nameOf: type => table.nameOf(type),
    inner: (type, parent) => table.inner(type, parent),
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Fields = Record<string, FixedCodec<any>>
/** Fields named `_…` are padding and do not appear. */
export type StructValues<F extends Fields> = { [K in keyof F as K extends `_${string}` ? never : K]: CodecValue<F[K]> }

/** What a struct is written from: fields left out are zero. */
export type StructInput<F extends Fields> = { [K in keyof F as K extends `_${string}` ? never : K]?: CodecValue<F[K]> | undefined }

/** A C struct: fields in order, without gaps (padding is a field named `_…`). */
export class Struct<F extends Fields> {
  readonly size: number
  readonly #fields: [string, FixedCodec<unknown>, number][] = []

  constructor(fields: F) {
    let offset = 0
    for (const [name, codec] of Object.entries(fields)) {
      this.#fields.push([name, codec, offset])
      offset += codec.size
    }
    this.size = offset
  }

  encode(writer: Writer, values: StructInput<F>): void {
    if (typeof values !== 'object' || values === null) writer.refuse(values, 'an object')
    const given = values as Record<string, unknown>
    writer.enter()
    for (const [name, codec] of this.#fields) {
      const value = given[name]
      if (value === undefined) {
        writer.reserve(codec.size)
      } else {
        writer.field = name
        codec.encode(writer, value, values)
      }
    }
    writer.leave()
  }

  decode(bytes: Buffer, start: number): StructValues<F> {
    const values: Record<string, unknown> = {}
    for (const [name, codec, offset] of this.#fields) {
      if (!name.startsWith('_')) values[name] = codec.decode(bytes, start + offset, start + offset + codec.size, values)
    }
    return values as StructValues<F>
  }
}

export function struct<const F extends Fields>(fields: F): Struct<F> {
  return new Struct(fields)
}

/** An attribute of an encoded message: its dotted path, '' for the message itself, and what reads it. */
export interface Place {
  path: string
  codec: Codec<unknown> | undefined
}

/** The attribute at `offset` of an encoded message whose attributes, which `codec` reads, lie in [start, end) of `bytes`. */
export function attributeAt(
  codec: Codec<unknown>, bytes: Buffer, start: number, end: number, offset: number, path = '',
): Place {
  if (!isWalkable(codec)) return { path, codec }
  const parent = codec instanceof Table ? codec.decode(bytes, start, end) : {}
  let position = 0
  for (const [type, from, to] of walkAttributes(bytes, start + (codec.attributesAt ?? 0), end)) {
    if (offset >= from - NLA_HDRLEN && offset < to) {
      const inner = codec.inner(type, parent)
      const here = joinPath(path, codec.nameOf(type, position) ?? `attribute ${type}`)
      return offset < from || inner === undefined ? { path: here, codec: inner } : attributeAt(inner, bytes, from, to, offset, here)
    }
    position++
  }
  return { path, codec }
}

/** `a.b`, `a[0]`. */
export function joinPath(path: string, name: string): string {
  return path === '' ? name : name.startsWith('[') ? `${path}${name}` : `${path}.${name}`
}

export function isWalkable<C extends object>(codec: C): codec is C & Walkable {
  return 'nameOf' in codec && 'inner' in codec
}
