/** Types of ICMP messages. Sources: IANA "ICMP Parameters", linux/netfilter_ipv4/ip_tables.h (struct ipt_icmp). */
import { u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { extension, negatable, says } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { parseNumber } from '../values.ts'
import type { Kind } from '../values.ts'

/** Names as iptables takes them, each a type or a type and a code. */
const icmpNames: Readonly<Record<string, string>> = {
  'echo-reply': '0', pong: '0',
  'destination-unreachable': '3', 'network-unreachable': '3/0', 'host-unreachable': '3/1', 'protocol-unreachable': '3/2',
  'port-unreachable': '3/3', 'fragmentation-needed': '3/4', 'source-route-failed': '3/5', 'network-unknown': '3/6',
  'host-unknown': '3/7', 'network-prohibited': '3/9', 'host-prohibited': '3/10', 'TOS-network-unreachable': '3/11',
  'TOS-host-unreachable': '3/12', 'communication-prohibited': '3/13', 'host-precedence-violation': '3/14',
  'precedence-cutoff': '3/15',
  'source-quench': '4',
  redirect: '5', 'network-redirect': '5/0', 'host-redirect': '5/1', 'TOS-network-redirect': '5/2', 'TOS-host-redirect': '5/3',
  'echo-request': '8', ping: '8',
  'router-advertisement': '9', 'router-solicitation': '10',
  'time-exceeded': '11', 'ttl-exceeded': '11', 'ttl-zero-during-transit': '11/0', 'ttl-zero-during-reassembly': '11/1',
  'parameter-problem': '12', 'ip-header-bad': '12/0', 'required-option-missing': '12/1',
  'timestamp-request': '13', 'timestamp-reply': '14', 'address-mask-request': '17', 'address-mask-reply': '18',
}
const icmp6Names: Readonly<Record<string, string>> = {
  'destination-unreachable': '1', 'no-route': '1/0', 'communication-prohibited': '1/1', 'beyond-scope': '1/2',
  'address-unreachable': '1/3', 'port-unreachable': '1/4', 'failed-policy': '1/5', 'reject-route': '1/6',
  'packet-too-big': '2',
  'time-exceeded': '3', 'ttl-exceeded': '3', 'ttl-zero-during-transit': '3/0', 'ttl-zero-during-reassembly': '3/1',
  'parameter-problem': '4', 'bad-header': '4/0', 'unknown-header-type': '4/1', 'unknown-option': '4/2',
  'echo-request': '128', ping: '128', 'echo-reply': '129', pong: '129',
  'router-solicitation': '133', 'router-advertisement': '134',
  'neighbour-solicitation': '135', 'neighbor-solicitation': '135',
  'neighbour-advertisement': '136', 'neighbor-advertisement': '136', redirect: '137',
}

const ANY = 0xff

/** `8`, `3/1`, `echo-request`, and for ICMP `any`. */
function messageType(names: Readonly<Record<string, string>>, any: boolean): Kind<string, string | number> {
  return {
    words: 1,
    accepted: `a type from 0 to 255, type/code, or one of ${any ? 'any, ' : ''}${Object.keys(names).join(', ')}`,
    parse(text) {
      if (any && (text === 'any' || text === '255')) return 'any'
      const numbers = Object.hasOwn(names, text) ? names[text] ?? '' : text
      const parts = numbers.split('/').map(parseNumber)
      return parts.length <= 2 && parts.every(number => number <= 255) ? parts.join('/') : undefined
    },
    format: String,
    type: String,
  }
}

const layout = struct({ type: u8, codeMin: u8, codeMax: u8, invflags: u8 })

interface Message {
  type: number
  codeMin: number
  codeMax: number
}

function numbersOf(text: string): Message {
  if (text === 'any') return { type: ANY, codeMin: 0, codeMax: 0xff }
  const [type = 0, code] = text.split('/').map(Number)
  return { type, codeMin: code ?? 0, codeMax: code ?? 0xff }
}

/** undefined: a range of codes, which no option says. */
function textOf({ type, codeMin, codeMax }: Message, any: boolean): string | undefined {
  const allCodes = codeMin === 0 && codeMax === 0xff
  if (any && type === ANY && allCodes) return 'any'
  return allCodes ? `${type}` : codeMin === codeMax ? `${type}/${codeMin}` : undefined
}

function listed(label: string, not: boolean, text: string): string {
  const [type = '', code] = text === 'any' ? ['255'] : text.split('/')
  return `${label}${not ? ' !' : ''}type ${type}${code === undefined ? '' : ` code ${code}`}`
}

const icmpOptions = { icmpType: negatable(messageType(icmpNames, true)) }

export const icmp: Extension<typeof icmpOptions> = extension({
  name: 'icmp',
  options: icmpOptions,
  families: ['ip'],
  protocols: [1],
  layout,
  write: ({ icmpType }) => ({ ...numbersOf(icmpType?.value ?? 'any'), invflags: icmpType?.not === true ? 1 : 0 }),
  read(values) {
    const text = textOf(values, true)
    return text === undefined ? undefined : { icmpType: says(text, values.invflags !== 0) }
  },
  list: ({ icmpType }) => listed('icmp', icmpType?.not === true, icmpType?.value ?? 'any'),
})

const icmp6Options = { icmpv6Type: negatable(messageType(icmp6Names, false)) }

export const icmp6: Extension<typeof icmp6Options> = extension({
  name: 'icmp6',
  options: icmp6Options,
  families: ['ip6'],
  protocols: [58],
  layout,
  check: ({ icmpv6Type }) => (icmpv6Type === undefined ? ['icmpv6Type', icmp6Options.icmpv6Type.kind.accepted] : undefined),
  write: ({ icmpv6Type }) => ({ ...numbersOf(icmpv6Type?.value ?? ''), invflags: icmpv6Type?.not === true ? 1 : 0 }),
  read(values) {
    const text = textOf(values, false)
    return text === undefined ? undefined : { icmpv6Type: says(text, values.invflags !== 0) }
  },
  list: ({ icmpv6Type }) => listed('ipv6-icmp', icmpv6Type?.not === true, icmpv6Type?.value ?? ''),
})
