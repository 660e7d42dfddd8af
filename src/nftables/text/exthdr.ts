/** IPv6 extension headers, TCP and IP options, SCTP chunks, in nft's words. Source: nft(8) "EXTENSION HEADER EXPRESSIONS". */
import type { ExpressionData } from '../expressions.ts'
import { datatypes } from '../datatypes.ts'
import type { DatatypeName } from '../datatypes.ts'
import { numberOperand } from './operand.ts'
import type { Operand } from './operand.ts'

interface Option {
  name: string
  /** By offset and length in bytes, `offset,length`; the type where it is no plain number. */
  fields: Readonly<Record<string, string | readonly [name: string, type: DatatypeName]>>
  /** Fields of less than their bytes, by offset and length in bits. */
  bits?: Readonly<Record<string, string>>
}

const nexthdr = ['nexthdr', 'inet_proto'] as const

const ipv6Headers: Readonly<Record<number, Option>> = {
  0: { name: 'hbh', fields: { '0,1': nexthdr, '1,1': 'hdrlength' } },
  43: { name: 'rt', fields: { '0,1': nexthdr, '1,1': 'hdrlength', '2,1': 'type', '3,1': 'seg-left' } },
  44: {
    name: 'frag', fields: { '0,1': nexthdr, '1,1': 'reserved', '4,4': 'id' },
    bits: { '16,13': 'frag-off', '29,2': 'reserved2', '31,1': 'more-fragments' },
  },
  60: { name: 'dst', fields: { '0,1': nexthdr, '1,1': 'hdrlength' } },
  135: {
    name: 'mh',
    fields: { '0,1': nexthdr, '1,1': 'hdrlength', '2,1': ['type', 'mh_type'], '3,1': 'reserved', '4,2': 'checksum' },
  },
}

const tcpOptions: Readonly<Record<number, Option>> = {
  0: { name: 'eol', fields: {} },
  1: { name: 'nop', fields: {} },
  2: { name: 'maxseg', fields: { '1,1': 'length', '2,2': 'size' } },
  3: { name: 'window', fields: { '1,1': 'length', '2,1': 'count' } },
  4: { name: 'sack-perm', fields: { '1,1': 'length' } },
  5: { name: 'sack', fields: { '1,1': 'length', '2,4': 'left', '6,4': 'right' } },
  8: { name: 'timestamp', fields: { '1,1': 'length', '2,4': 'tsval', '6,4': 'tsecr' } },
}

const ipOptions: Readonly<Record<number, Option>> = {
  7: { name: 'rr', fields: { '0,1': 'type', '1,1': 'length', '2,1': 'ptr', '3,4': 'addr' } },
  131: { name: 'lsrr', fields: { '0,1': 'type', '1,1': 'length', '2,1': 'ptr', '3,4': 'addr' } },
  137: { name: 'ssrr', fields: { '0,1': 'type', '1,1': 'length', '2,1': 'ptr', '3,4': 'addr' } },
  148: { name: 'ra', fields: { '0,1': 'type', '1,1': 'length', '2,2': 'value' } },
}

const sctpChunks: Readonly<Record<number, string>> = {
  0: 'data', 1: 'init', 2: 'init-ack', 3: 'sack', 4: 'heartbeat', 5: 'heartbeat-ack', 6: 'abort', 7: 'shutdown', 8: 'shutdown-ack',
  9: 'error', 10: 'cookie-echo', 11: 'cookie-ack', 12: 'ecne', 13: 'cwr', 14: 'shutdown-complete', 128: 'asconf-ack', 192: 'forward-tsn',
  193: 'asconf',
}

const PRESENT = 1

/** The option or header by name, e.g. `tcp option maxseg`; undefined if it has none. */
export function exthdrName({ op = 'ipv6', type = 0 }: ExpressionData<'exthdr'>): string | undefined {
  switch (op) {
    case 'ipv6': return ipv6Headers[type]?.name
    case 'tcp option': return `tcp option ${tcpOptions[type]?.name ?? type}`
    case 'ip option': return ipOptions[type] === undefined ? undefined : `ip option ${ipOptions[type].name}`
    case 'sctp chunk': return sctpChunks[type] === undefined ? undefined : `sctp chunk ${sctpChunks[type]}`
    default: return undefined
  }
}

/** `implies`: of headers and options that only one network protocol has. */
export function exthdrOperand(data: ExpressionData<'exthdr'>, implies: readonly string[]): Operand | undefined {
  const { op = 'ipv6', type = 0, offset = 0, len = 0, flags = 0 } = data
  const name = exthdrName(data)
  if (name === undefined) return undefined
  const needs = op === 'ipv6' || op === 'ip option' ? implies : []
  if ((flags & PRESENT) !== 0) {
    return { text: op === 'ipv6' ? `exthdr ${name}` : name, type: datatypes.boolean, size: 1, order: 'host', implies: needs }
  }
  const fields = op === 'ipv6' ? ipv6Headers[type]?.fields : op === 'tcp option' ? tcpOptions[type]?.fields : ipOptions[type]?.fields
  const field = fields?.[`${offset},${len}`]
  if (field === undefined) {
    const bits = op === 'ipv6' ? ipv6Headers[type]?.bits : undefined
    if (bits !== undefined) return bitFields(name, bits, offset, numberOperand('', len, 'big', needs))
    return op === 'tcp option' ? numberOperand(`tcp option @${type},${offset * 8},${len * 8}`, len, 'big') : undefined
  }
  const [fieldName, fieldType] = typeof field === 'string' ? [field, 'integer' as const] : field
  return { text: `${name} ${fieldName}`, type: datatypes[fieldType], size: len, order: 'big', implies: needs }
}

/** Which field it is only the mask behind it tells. */
function bitFields(name: string, bits: Readonly<Record<string, string>>, start: number, whole: Operand): Operand {
  return {
    ...whole,
    partAt(offset, length) {
      const field = bits[`${start * 8 + offset},${length}`]
      return field === undefined ? undefined : { ...whole, text: `${name} ${field}` }
    },
  }
}
