/** Text and numbers anywhere in packets. Sources: linux/netfilter/xt_string.h, xt_u32.h, xt_bpf.h. */
import { bool8, padding, u16, u32 as u32Codec, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { flag, hex, integer, oneOf, parseNumber, text } from '../values.ts'
import type { Kind, Range } from '../values.ts'
import { array, bytes, encodeInfo, fixedText, inner } from '../xt.ts'

/** Text of at most 128 bytes, always quoted. */
const pattern: Kind<string> = {
  words: 1,
  accepted: 'a text of 1 to 128 bytes',
  parse: text => (text !== '' && Buffer.byteLength(text) <= c.XT_STRING_MAX_PATTERN_SIZE ? text : undefined),
  format: text => `"${text.replace(/["\\]/g, character => `\\${character}`)}"`,
  type: String,
}

/** `GET |0d 0a|`: text, and bytes in hex between bars. Kept as `|0d0a|` alone. */
const hexPattern: Kind<string> = {
  words: 1,
  accepted: 'text with bytes in hex between bars, like "GET |0d0a|", of 1 to 128 bytes',
  parse(text) {
    const parts = text.split('|')
    const hex = parts.map((part, at) => (at % 2 === 0 ? Buffer.from(part).toString('hex') : part.replace(/\s/g, '').toLowerCase())).join('')
    return parts.length % 2 === 1 && /^([0-9a-f]{2})+$/.test(hex) && hex.length <= 2 * c.XT_STRING_MAX_PATTERN_SIZE ? `|${hex}|` : undefined
  },
  format: text => `"${text}"`,
  type: String,
}

const offset = integer(0, 0xffff)
const stringOptions = {
  string: negatable(pattern), hexString: negatable(hexPattern), algo: option(oneOf('bm', 'kmp')), from: option(offset), to: option(offset),
  icase: option(flag),
}

/** Text somewhere in the packet. */
export const string: Extension<typeof stringOptions> = extension({
  name: 'string',
  revision: 1,
  options: stringOptions,
  layout: struct({
    from: u16, to: u16, algo: fixedText(16), pattern: bytes(c.XT_STRING_MAX_PATTERN_SIZE), length: u8, flags: u8,
    _: padding(2), _kernel: padding(8),
  }),
  check({ string: text, hexString, algo }) {
    if ((text === undefined) === (hexString === undefined)) return ['string', 'either string or hexString']
    return algo === undefined ? ['algo', 'bm or kmp'] : undefined
  },
  write({ string: text, hexString, algo, from, to, icase }) {
    const given = hexString === undefined ? Buffer.from(text?.value ?? '') : Buffer.from(hexString.value.slice(1, -1), 'hex')
    return {
      from: from?.value, to: to?.value ?? 0xffff, algo: algo?.value,
      pattern: Uint8Array.from({ length: c.XT_STRING_MAX_PATTERN_SIZE }, (_, at) => given[at] ?? 0), length: given.length,
      flags: ((text ?? hexString)?.not === true ? c.XT_STRING_FLAG_INVERT : 0) | (icase === undefined ? 0 : c.XT_STRING_FLAG_IGNORECASE),
    }
  },
  read({ from, to, algo, pattern: whole, length, flags }) {
    if ((algo !== 'bm' && algo !== 'kmp') || length === 0 || length > whole.length) return undefined
    const given = Buffer.from(whole.subarray(0, length))
    const inHex = given.some(byte => byte < 0x20 || byte > 0x7e) || given.at(-1) === 0x5c
    const not = (flags & c.XT_STRING_FLAG_INVERT) !== 0
    return {
      string: saysIf(!inHex, given.toString('latin1'), not), hexString: saysIf(inHex, `|${given.toString('hex')}|`, not), algo: says(algo),
      from: saysIf(from !== 0, from), to: saysIf(to !== 0xffff, to),
      icase: saysIf((flags & c.XT_STRING_FLAG_IGNORECASE) !== 0, true as const),
    }
  },
  list({ string: text, hexString, algo, from, to, icase }) {
    const said = hexString === undefined ? pattern.format(text?.value ?? '') : hexPattern.format(hexString.value)
    return [
      `STRING match ${(text ?? hexString)?.not === true ? '!' : ''}`, said, `ALGO name ${algo?.value ?? ''}`,
      ...(from === undefined ? [] : [`FROM ${from.value}`]), ...(to === undefined ? [] : [`TO ${to.value}`]), ...(icase === undefined ? [] : ['ICASE']),
    ].join(' ')
  },
})

/** Numbers of 32 bits at places of the packet, each in one of some ranges. */
interface U32Test {
  /** Where: a number, and what is done with the word that it finds, which has a sign of xt_u32_ops. */
  numbers: { operator: U32Operator, number: number }[]
  ranges: Range[]
}

/** By number. */
const u32Operators = ['&', '<<', '>>', '@'] as const
type U32Operator = (typeof u32Operators)[number]

/** Tests between `&&`; in each at most ten numbers and ten ranges. undefined: no such text. */
function parseU32(text: string): U32Test[] | undefined {
  const tests = text.split('&&').map(parseU32Test)
  return tests.length <= c.XT_U32_MAXSIZE && tests.every(test => test !== undefined) ? tests : undefined
}

function parseU32Test(text: string): U32Test | undefined {
  const [place = '', values = '', ...rest] = text.split('=')
  const [first, ...others] = place.split(/(&|<<|>>|@)/).map(part => part.trim())
  const numbers = [{ operator: '&' as const, number: parseNumber(first ?? '') }]
  const more = Array.from({ length: others.length / 2 }, (_, index) =>
    ({ operator: others[2 * index] as U32Operator, number: parseNumber(others[2 * index + 1] ?? '') }))
  const ranges = values.split(',').map(part => {
    const [from = '', to = from, ...beyond] = part.split(':').map(end => parseNumber(end.trim()))
    return beyond.length > 0 ? [NaN, NaN] as const : [Number(from), Number(to)] as const
  })
  const all = [...numbers, ...more]
  const right = all.every(({ operator, number }) => number <= (operator === '<<' || operator === '>>' ? 31 : 0xffffffff)) &&
    ranges.flat().every(number => number <= 0xffffffff) &&
    all.length <= c.XT_U32_MAXSIZE && ranges.length <= c.XT_U32_MAXSIZE
  return right && rest.length === 0 ? { numbers: all, ranges } : undefined
}

function formatU32(tests: readonly U32Test[]): string {
  return tests.map(({ numbers, ranges }) => {
    const place = numbers.map(({ operator, number }, index) => `${index === 0 ? '' : operator}${hex(number)}`).join('')
    return `${place}=${ranges.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}:${hex(last)}`)).join(',')}`
  }).join('&&')
}

const u32Kind: Kind<string> = {
  words: 1,
  accepted: `tests like "6&0xff=1:5,9&&0>>22&0x3c@0=1": at most ${c.XT_U32_MAXSIZE}, each of as many numbers and ranges, ` +
    'all of 32 bits, shifts of up to 31',
  parse(text) {
    const tests = parseU32(text)
    return tests === undefined ? undefined : formatU32(tests)
  },
  format: text => `"${text}"`,
  type: String,
}
const u32Options = { u32: negatable(u32Kind) }

/** struct xt_u32_test, of which the last of each array is never used. */
const u32Test = struct({
  numbers: array(inner(struct({ number: u32Codec, operator: u8, _: padding(3) })), c.XT_U32_MAXSIZE + 1),
  ranges: array(inner(struct({ first: u32Codec, last: u32Codec })), c.XT_U32_MAXSIZE + 1),
  numberCount: u8, rangeCount: u8, _: padding(2),
})

/** Numbers anywhere in the packet. */
export const u32: Extension<typeof u32Options> = extension({
  name: 'u32',
  options: u32Options,
  layout: struct({ tests: array(inner(u32Test), c.XT_U32_MAXSIZE + 1), count: u8, invert: bool8, _: padding(2) }),
  check: given => (given.u32 === undefined ? ['u32', u32Kind.accepted] : undefined),
  write({ u32: said }) {
    const tests = parseU32(said?.value ?? '') ?? []
    return {
      tests: tests.map(({ numbers, ranges }) => ({
        numbers: numbers.map(({ operator, number }) => ({ number, operator: u32Operators.indexOf(operator) })),
        ranges: ranges.map(([first, last]) => ({ first, last })), numberCount: numbers.length, rangeCount: ranges.length,
      })),
      count: tests.length, invert: said?.not,
    }
  },
  read({ tests, count, invert }) {
    const read = tests.slice(0, count).map(({ numbers, ranges, numberCount, rangeCount }): U32Test => ({
      numbers: numbers.slice(0, numberCount).map(({ operator, number }) => ({ operator: u32Operators[operator] ?? '&', number })),
      ranges: ranges.slice(0, rangeCount).map(({ first, last }) => [first, last]),
    }))
    const text = formatU32(read)
    return parseU32(text) === undefined ? undefined : { u32: says(text, invert) }
  },
  list: ({ u32: said }) => `u32 ${bang(said, ' ')}${u32Kind.format(said?.value ?? '')}`,
})

/** Instructions of classic BPF, as nfbpf_compile(8) and `tcpdump -ddd` have them: how many, then each as four numbers. */
const bytecode: Kind<string> = {
  words: 1,
  accepted: `a program like "2,48 0 0 9,6 0 0 1": the number of its instructions, 1 to ${c.XT_BPF_MAX_NUM_INSTR}, and each as code, jt, jf and k`,
  parse(text) {
    const [count = '', ...instructions] = text.split(',').map(part => part.trim()).filter((part, at) => at === 0 || part !== '')
    const numbers = instructions.map(each => each.split(/\s+/).map(Number))
    const most = [0xffff, 0xff, 0xff, 0xffffffff]
    const right = instructions.every(each => /^\d+ +\d+ +\d+ +\d+$/.test(each)) &&
      numbers.every(each => each.every((number, at) => number <= (most[at] ?? 0)))
    return right && Number(count) === numbers.length && numbers.length > 0 && numbers.length <= c.XT_BPF_MAX_NUM_INSTR
      ? [numbers.length, ...numbers.map(each => each.join(' '))].join(',') : undefined
  },
  format: text => `"${text}"`,
  type: String,
}
const instruction = struct({ code: u16, jt: u8, jf: u8, k: u32Codec })
const bpfPath = text(c.XT_BPF_MAX_NUM_INSTR * instruction.size - 1)
const bpfOptions = { bytecode: option(bytecode), objectPinned: option({ ...bpfPath, format: String }) }

/** What a BPF program says of the packet. */
export const bpf: Extension<typeof bpfOptions> = extension({
  name: 'bpf',
  revision: 1,
  options: bpfOptions,
  // The kernel opens the path by itself; what number the tool's own file has stands in `_fd`.
  layout: struct({
    mode: u16, count: u16, _fd: padding(4), programOrPath: bytes(c.XT_BPF_MAX_NUM_INSTR * instruction.size), _kernel: padding(8),
  }),
  check: ({ bytecode: program, objectPinned }) =>
    ((program === undefined) === (objectPinned === undefined) ? ['bytecode', 'either bytecode or objectPinned'] : undefined),
  write({ bytecode: program, objectPinned }) {
    if (objectPinned !== undefined) return { mode: c.XT_BPF_MODE_PATH_PINNED, programOrPath: Buffer.from(objectPinned.value) }
    const instructions = (program?.value ?? '').split(',').slice(1).map(each => {
      const [code = 0, jt = 0, jf = 0, k = 0] = each.split(' ').map(Number)
      return { code, jt, jf, k }
    })
    const programOrPath = Buffer.concat(instructions.map(each => encodeInfo(instruction, each)))
    return { mode: c.XT_BPF_MODE_BYTECODE, count: instructions.length, programOrPath }
  },
  read({ mode, count, programOrPath }) {
    const whole = Buffer.from(programOrPath)
    if (mode === c.XT_BPF_MODE_PATH_PINNED) return { objectPinned: says(whole.toString('utf8').split('\0')[0] ?? '') }
    if (mode !== c.XT_BPF_MODE_BYTECODE || count === 0 || count > c.XT_BPF_MAX_NUM_INSTR) return undefined
    const instructions = Array.from({ length: count }, (_, at) => Object.values(instruction.decode(whole, at * instruction.size)).join(' '))
    return { bytecode: says([count, ...instructions].join(',')) }
  },
  listGlued: true,
  list: ({ bytecode: program, objectPinned }) =>
    `match bpf ${objectPinned === undefined ? (program?.value ?? '').split(',').slice(1).join(',') : `pinned ${objectPinned.value}`}`,
})
