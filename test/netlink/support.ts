/** One value through one codec, outside of any message. */
import { InvalidArgumentError } from '../../src/errors.ts'
import type { Codec } from '../../src/netlink/codecs.ts'
import { Writer } from '../../src/netlink/writer.ts'

/** What `value` is on the wire, as the field `field`. The writer begins too small: it has to grow. */
export function encode<T>(codec: Codec<T>, value: T, { field = '', parent = {} } = {}): Buffer {
  const writer = new Writer(1)
  writer.field = field
  codec.encode(writer, value, parent)
  return writer.finish()
}

/** The bytes stand in the middle of others: a codec that reads too far would see them. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, parent: object = {}): T {
  const around = Buffer.concat([Buffer.alloc(3, 0xee), bytes, Buffer.alloc(9, 0xee)])
  return codec.decode(around, 3, 3 + bytes.length, parent)
}

/** What a codec says to a value that it does not take. */
export function refusal(codec: Codec<unknown>, value: unknown, parent?: object): InvalidArgumentError {
  try {
    encode(codec, value, { field: 'the.field', ...(parent === undefined ? {} : { parent }) })
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error
    throw error
  }
  throw new Error('the value was taken')
}
