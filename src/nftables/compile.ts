/**
 * From the words of a rule to its expressions: what the words need to know of a packet becomes the comparisons that nft
 * writes in a table of that family, each once. Source: nft(8); the bytes that nft sends (test/nftables/vocabulary.test.ts).
 */
import { fieldsOf, listOf } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { checkExpression, isExpression, shared } from './expressions.ts'
import type { Expression } from './expressions.ts'
import { families } from './messages.ts'
import type { Family } from './messages.ts'
import { compare, loadMeta, loadPayload, matchTransport } from './primitives.ts'
import { protocolName } from './protocols.ts'
import { isNeed } from './vocabulary/parts.ts'
import type { Need, Part } from './vocabulary/parts.ts'

type Network = 'ip' | 'ip6' | 'arp'

/** What a rule knows of its packets so far. */
interface Known {
  family: Family
  network: Network | undefined
  transport: number | undefined
  ether: boolean
  /** Type of the link, if it is said and not Ethernet: nft takes nothing for such a link's protocol. */
  otherLink: number | undefined
  vlan: boolean
  /** Of these a list of protocols was said: nft then takes nothing for one of them. */
  listed: Set<Layer>
}

type Layer = 'link' | 'network' | 'transport'

const etherTypes: Readonly<Record<Network, readonly [number, number]>> = { ip: [0x08, 0x00], ip6: [0x86, 0xdd], arp: [0x08, 0x06] }
const ETHER = Uint8Array.of(1, 0)
const VLAN = Uint8Array.of(0x81, 0)

/** Anything that words return; single expressions and those of rules that were read too. */
export type RuleWords = readonly (Part | readonly Part[])[]

/** The expressions of a rule; those that look into sets without a name still carry them. */
export function compileWords(family: Family, words: RuleWords): Expression[] {
  const known: Known = {
    family, transport: undefined, ether: family === 'bridge', otherLink: undefined, vlan: false, listed: new Set(),
    network: family === 'ip' || family === 'ip6' || family === 'arp' ? family : undefined,
  }
  const result: Expression[] = []
  listOf('expressions', words)
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as RuleWords[number]
    if (!Array.isArray(word)) add(result, known, word as Part, index)
    else for (const part of word as readonly Part[]) add(result, known, part, index)
  }
  return result
}

function add(result: Expression[], known: Known, part: Part, index: number): void {
  if (typeof part?.name !== 'string') checkExpression(`expressions[${index}]`, part)
  if (isNeed(part)) return meet(result, known, fieldsOf(`expressions[${index}]`, part.data))
  if (isExpression(part, 'cmp') && part.data.op === 'eq') learn(known, result.at(-1), part.data.data?.value)
  if (isExpression(part, 'lookup') && 'anonymous' in part && part.data.dreg === undefined && part.data.flags === undefined) {
    const layer = layerOf(known, result.at(-1))
    if (layer !== undefined) known.listed.add(layer)
  }
  if (isExpression(part, 'nat') && part.data.family === undefined) {
    const family = known.network === 'ip6' ? 'ip6' : 'ip'
    result.push({ name: 'nat', data: { type: part.data.type, family, ...withoutFamily(part.data) } })
    return
  }
  result.push(part as Expression)
}

function withoutFamily(data: object): object {
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== 'type' && name !== 'family'))
}

/** Whose protocol an expression loads. */
function layerOf({ family, network }: Known, load: Expression | undefined): Layer | undefined {
  if (isExpression(load, 'meta')) {
    const { key } = load.data
    return key === 'l4proto' ? 'transport' : key === 'nfproto' || key === 'protocol' ? 'network' : key === 'iiftype' && family !== 'bridge' ? 'link' : undefined
  }
  if (isExpression(load, 'ct')) return load.data.key === 'l3proto' && family === 'inet' ? 'network' : undefined
  if (!isExpression(load, 'payload')) return undefined
  const { base, offset, len } = load.data
  if (base === 'network' && len === 1) return (network === 'ip' && offset === 9) || (network === 'ip6' && offset === 6) ? 'transport' : undefined
  return base === 'link' && len === 2 && (offset === 12 || offset === 16) ? 'network' : undefined
}

/** What an explicit comparison says of the packets that go on. */
function learn(known: Known, load: Expression | undefined, value: Uint8Array | undefined): void {
  if (!(value instanceof Uint8Array)) return
  const [first = 0, second = 0] = value
  const layer = layerOf(known, load)
  // A list of transport protocols nft holds against any one that is said behind it.
  if (layer !== undefined && layer !== 'transport') known.listed.delete(layer)
  if (layer === 'transport') known.transport = first
  if (isExpression(load, 'meta')) {
    if (load.data.key === 'nfproto') known.network = networkOfFamily(first) ?? known.network
    if (load.data.key === 'protocol') known.network = networkOf(first, second) ?? known.network
    if (load.data.key === 'iiftype' && known.family !== 'bridge') {
      known.ether = first === 1 && second === 0
      known.otherLink = known.ether ? undefined : first | second << 8
    }
  } else if (isExpression(load, 'ct')) {
    // The packet's own protocol is its connection's, and nft asks no more.
    if (load.data.key === 'l3proto' && known.family === 'inet') known.network = networkOfFamily(first) ?? known.network
  } else if (isExpression(load, 'payload')) {
    if (layer !== 'network') return
    known.network = networkOf(first, second) ?? known.network
    if (first === 0x81 && second === 0) known.vlan = true
  }
}

function networkOfFamily(number: number): Network | undefined {
  return number === families.ip ? 'ip' : number === families.ip6 ? 'ip6' : undefined
}

function networkOf(first: number, second: number): Network | undefined {
  return (Object.keys(etherTypes) as Network[]).find(name => etherTypes[name][0] === first && etherTypes[name][1] === second)
}

function meet(result: Expression[], known: Known, { word, link, vlan, network, within, transport, ports, natFamily }: Need['data']): void {
  if (link !== undefined && !known.ether) {
    refuseConflict(known, word, link, 'link')
    result.push(loadMeta('iiftype'), compare('eq', ETHER))
    known.ether = true
  }
  if (vlan === true && !known.vlan) {
    result.push(loadPayload('link', 12, 2), compare('eq', VLAN))
    known.vlan = true
  }
  if (within !== undefined && known.network !== undefined && known.network !== within) throw otherNetwork(known, word, within)
  if (network !== undefined) meetNetwork(result, known, word, network, transport !== undefined)
  if (transport !== undefined) meetTransport(result, known, word, transport)
  if (ports === true && known.transport === undefined) {
    throw new InvalidArgumentError(word, undefined, 'a transport protocol before it, like l4proto("tcp") or tcp.dport(…)')
  }
  if (natFamily === true && known.network === undefined) {
    throw new InvalidArgumentError(`${word}.family`, undefined, `ip or ip6: a table of family ${known.family} does not say it`)
  }
}

/** What nft refuses: to take a packet's protocol for one where links of another type, or several protocols, were said. */
function refuseConflict({ otherLink, listed }: Known, word: string, wanted: string, ...layers: Layer[]): void {
  if (layers.some(layer => listed.has(layer))) throw new InvalidArgumentError(word, wanted, `nothing of ${wanted} in a rule for a list of protocols`)
  if (otherLink !== undefined) throw new InvalidArgumentError(word, wanted, `nothing of ${wanted} in a rule for links of type ${otherLink}`)
}

function otherNetwork({ network, family }: Known, word: string, wanted: Network): InvalidArgumentError {
  return new InvalidArgumentError(word, wanted, `nothing of ${wanted} in a rule for ${network ?? family}${family === network ? ' (the table)' : ''}`)
}

const familyComparisons = new Map<Network, Expression>()

function ofFamily(network: Network): Expression {
  let comparison = familyComparisons.get(network)
  if (comparison === undefined) familyComparisons.set(network, comparison = shared(compare('eq', Uint8Array.of(families[network]))))
  return comparison
}

function meetNetwork(result: Expression[], known: Known, word: string, network: Network, implied: boolean): void {
  if (known.network === network) return
  if (known.network !== undefined) throw otherNetwork(known, word, network)
  if (network === 'arp' && known.family === 'inet') throw new InvalidArgumentError(word, network, 'nothing of arp in a table of family inet')
  refuseConflict(known, word, network, 'link', 'network')
  known.network = network
  if (known.family === 'inet' && !known.ether && !known.vlan) {
    result.push(loadMeta('nfproto'), ofFamily(network))
    return
  }
  const type = Uint8Array.from(etherTypes[network])
  if (known.vlan) result.push(loadPayload('link', 16, 2), compare('eq', type))
  // Behind a match of the Ethernet header nft looks there; in bridges, where all have one, only for some.
  else if (known.ether && (known.family !== 'bridge' || network === 'arp' || implied || /^(ip option|exthdr) /.test(word))) {
    result.push(loadPayload('link', 12, 2), compare('eq', type))
  } else result.push(loadMeta('protocol'), compare('eq', type))
}

function meetTransport(result: Expression[], known: Known, word: string, transport: number): void {
  if (known.transport === transport) return
  if (known.transport !== undefined) {
    const [wanted, is] = [protocolName(transport), protocolName(known.transport)]
    throw new InvalidArgumentError(word, wanted, `nothing of ${wanted} in a rule for ${is}`)
  }
  if (known.family === 'arp') throw new InvalidArgumentError(word, protocolName(transport), 'nothing of transport protocols in a table of family arp')
  refuseConflict({ ...known, otherLink: undefined }, word, protocolName(transport), 'transport')
  known.transport = transport
  result.push(...matchTransport(transport))
}
