/**
 * The codecs of iptables' structs that netlink has no use for, and the structs as wholes: x_tables pads each to eight
 * bytes (XT_ALIGN).
 */
import type { FixedCodec } from '../../netlink/codecs.ts'
import type { Fields, Struct, StructInput, StructValues } from '../../netlink/table.ts'
import { Writer } from '../../netlink/writer.ts'

/** Bytes as they are; fewer are filled up with zeros. union nf_inet_addr: 16. */
export function bytes(size: number): FixedCodec<Uint8Array> {
  return {
    size,
    encode(writer, value) {
      if (!(value instanceof Uint8Array) || value.length > size) writer.refuse(value, `at most ${size} bytes`)
      const at = writer.reserve(size)
      writer.buffer.set(value, at)
    },
    decode: (buffer, start, end) => new Uint8Array(buffer.subarray(start, end)),
  }
}

export const inetAddress: FixedCodec<Uint8Array> = bytes(16)

/** Text up to the first NUL of a field of fixed size. */
export function fixedText(size: number): FixedCodec<string> {
  return {
    size,
    encode(writer, value) {
      const encoded = Buffer.from(value)
      if (encoded.length > size) writer.refuse(value, `at most ${size} bytes`)
      const at = writer.reserve(size)
      encoded.copy(writer.buffer, at)
    },
    decode(buffer, start, end) {
      const nul = buffer.subarray(start, end).indexOf(0)
      return buffer.toString('utf8', start, nul < 0 ? end : start + nul)
    },
  }
}

/** A struct inside another. */
export function inner<F extends Fields>(layout: Struct<F>): FixedCodec<StructValues<F>> {
  return {
    size: layout.size,
    encode: (writer, value) => { layout.encode(writer, value as unknown as StructInput<F>) },
    decode: (buffer, start) => layout.decode(buffer, start),
  }
}

/** So many of the same in a row; fewer are filled up with zeros. */
export function array<T>(codec: FixedCodec<T>, length: number): FixedCodec<readonly T[]> {
  const { size } = codec
  return {
    size: size * length,
    encode(writer, values, parent) {
      if (values.length > length) writer.refuse(values, `at most ${length}`)
      for (const value of values) codec.encode(writer, value, parent)
      writer.reserve(size * (length - values.length))
    },
    decode: (buffer, start, _, parent) =>
      Array.from({ length }, (_, index) => codec.decode(buffer, start + size * index, start + size * (index + 1), parent)),
  }
}

/** A field that one family's struct lacks: nothing is written, and `value` is read. */
export function absent<const V>(value: V): FixedCodec<V> {
  return { size: 0, encode: () => undefined, decode: () => value }
}

export function encodeInfo<F extends Fields>(layout: Struct<F>, values: StructInput<F>): Uint8Array {
  const writer = new Writer(layout.size + 8)
  layout.encode(writer, values)
  writer.reserve(-layout.size & 7)
  return Uint8Array.from(writer.finish())
}

/** undefined if the bytes are too few. */
export function decodeInfo<F extends Fields>(
  layout: Struct<F>, info: Uint8Array | undefined,
): StructValues<F> | undefined {
  if (info === undefined || info.length < layout.size) return undefined
  return layout.decode(Buffer.from(info.buffer, info.byteOffset, info.length), 0)
}
