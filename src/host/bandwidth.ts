/**
 * A guest's or a network's bandwidth, as libvirt's `<bandwidth>` has it, in the same state of the kernel: an htb with one
 * class for what the host sends to the link, a police on what comes from it. Source: libvirt's formatnetwork "Quality of
 * service", and the commands that libvirtd gives to tc.
 */
import { constants } from 'node:os'
import { InvalidArgumentError, checkFields } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest } from '../netlink/message.ts'
import { decodeClass, listClasses, newClass } from '../rtnetlink/tc/classes.ts'
import { decodeFilter, listFilters, newFilter } from '../rtnetlink/tc/filters.ts'
import { decodeQdisc, deleteQdisc, listQdiscs, newQdisc } from '../rtnetlink/tc/qdiscs.ts'
import { repliesOf, routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { checkLinkRef } from './link-ref.ts'
import type { LinkRef, Links } from './links.ts'
import { tcUnsupported } from './tc.ts'

/** As the attributes of libvirt's `<inbound>` and `<outbound>`. */
export interface BandwidthRate {
  /** Kilobytes (1,000 bytes) a second. */
  average: number
  /** Kilobytes a second, for as long as `burst` lasts. */
  peak?: number
  /** Kibibytes (1,024 bytes). */
  burst?: number
}

/** Seen from the guest or, of a network, from the network: `inbound` is what it is sent. */
export interface Bandwidth {
  inbound?: BandwidthRate
  /** Policed: `peak` has no effect, as in libvirt. */
  outbound?: BandwidthRate
}

/** How the state is laid out. */
export interface BandwidthOptions {
  /**
   * Of a network's bridge: class 1:1 is the whole, and guests without a guaranteed rate share 1:2 in it. Guests with one
   * have classes from 1:3 on. Default: a guest's, with one class.
   */
  hierarchical?: boolean
}

type Named = [kind: string, request: AnyRequest, actions?: string[]]

/** Bandwidth of links: `host.bandwidth`. Errors as of `host.qdiscs`. */
export class BandwidthControl {
  readonly #channel: Channel
  readonly #links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.#links = links
  }

  /**
   * Takes the place of what was set before, and of any other root and ingress qdisc. One sendmsg; if the kernel refuses a
   * part, the link is left without bandwidth. Rejects with ERR_UNSUPPORTED, naming the option, if the kernel lacks a part.
   */
  async set(link: LinkRef, bandwidth: Bandwidth, options: BandwidthOptions = {}): Promise<void> {
    checkLinkRef(link)
    check(bandwidth, options)
    routeStep(bandwidthRequests(1, bandwidth, options).map(([, request]) => request))
    const index = await this.#links.index(link)
    await this.#channel.hold(async held => {
      const parts = bandwidthRequests(index, bandwidth, options)
      const step = routeStep([...clearing(index), ...parts.map(([, request]) => request)], { mayFail: true })
      const { results } = await held.exec([step])
      const replies = repliesOf(step, results[0])
      const position = parts.findIndex((_, part) => replies.errno(part + 2) !== 0)
      if (position < 0) return
      await held.attempt(routeStep(clearing(index), { mayFail: true }))
      const error = replies.errorOf(position + 2) as NetlinkError
      const [kind, , actions] = parts[position] as Named
      throw tcUnsupported(error, kind, actions) ?? error
    })
  }

  /** What `set`, or libvirt, has set; sides that are not limited are left out. */
  async get(link: LinkRef): Promise<Bandwidth> {
    const index = await this.#links.index(link)
    const messages = await this.#channel.request([listQdiscs(index), listClasses(index)])
    const qdiscs = (messages[0] ?? []).map(decodeQdisc).filter(qdisc => qdisc.index === index)
    const classes = (messages[1] ?? []).map(decodeClass)
    const bandwidth: Bandwidth = {}
    const root = qdiscs.find(({ kind, parent, handle }) => kind === 'htb' && parent === 'root' && handle === '1:')
    // The last class has the burst; with 1:1 alone it is that one.
    const { htb } = classes.find(({ classid }) => root !== undefined && classid === (root.htb?.default === 2 ? '1:2' : '1:1')) ?? {}
    if (htb !== undefined) {
      const { rate, ceil = rate, burst = 0 } = htb
      bandwidth.inbound = {
        average: Math.round(rate / 1000), ...(ceil === rate ? {} : { peak: Math.round(ceil / 1000) }),
        ...(burst < 2048 ? {} : { burst: Math.round(burst / 1024) }),
      }
    }
    if (qdiscs.some(({ kind }) => kind === 'ingress')) {
      const [filters = []] = await this.#channel.request([listFilters(index, 'ffff:')])
      const police = filters.map(decodeFilter).find(filter => filter?.police !== undefined)?.police
      if (police?.rate !== undefined) {
        const average = Math.round(police.rate / 1000)
        const burst = Math.round((police.burst ?? 0) / 1024)
        bandwidth.outbound = { average, ...(burst === average ? {} : { burst }) }
      }
    }
    return bandwidth
  }

  /** Takes root and ingress qdisc away, whoever made them. That there are none does not matter. */
  async clear(link: LinkRef): Promise<void> {
    const index = await this.#links.index(link)
    const replies = await this.#channel.attempt(routeStep(clearing(index), { mayFail: true }))
    const { ENOENT, EINVAL } = constants.errno
    // ENOENT: there is only the default one; EINVAL: no ingress.
    const error = replies.firstError(ENOENT, EINVAL)
    if (error !== undefined) throw error
  }
}

const clearing = (index: number): AnyRequest[] => [deleteQdisc(index), deleteQdisc(index, { kind: 'ingress' })]

function check(bandwidth: Bandwidth, options: BandwidthOptions): void {
  checkFields(bandwidth, ['inbound', 'outbound'], 'a bandwidth')
  checkFields(options, ['hierarchical'], 'options of a bandwidth')
  const { hierarchical = false } = options
  if (typeof hierarchical !== 'boolean') throw new InvalidArgumentError('hierarchical', hierarchical, 'true or false')
  for (const side of ['inbound', 'outbound'] as const) {
    const rate = bandwidth[side]
    if (rate === undefined) continue
    checkFields(rate, ['average', 'peak', 'burst'], `the ${side} bandwidth`)
    for (const name of ['average', 'peak', 'burst'] as const) {
      const value = rate[name]
      if (value === undefined && name !== 'average') continue
      // tc keeps sizes in 32 bits.
      const max = name === 'burst' ? 0xffffffff >>> 10 : 0xffffffff
      if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max) {
        throw new InvalidArgumentError(`${side}.${name}`, value, `an integer from 1 to ${max}`)
      }
    }
  }
}

/** What `set` sends. Exported for tests: a kernel may lack a part of it. */
export function bandwidthRequests(
  index: number, { inbound, outbound }: Bandwidth, { hierarchical = false }: BandwidthOptions,
): Named[] {
  return [
    ...(inbound === undefined ? [] : inboundChanges(index, inbound, hierarchical)),
    ...(outbound === undefined ? [] : outboundChanges(index, outbound)),
  ]
}

function inboundChanges(index: number, { average, peak, burst }: BandwidthRate, hierarchical: boolean): Named[] {
  const htb = { rate: average * 1000, quantum: quantumOf(average) }
  const ceil = peak === undefined ? {} : { ceil: peak * 1000 }
  const bursting = burst === undefined ? {} : { burst: burst * 1024 }
  const [parent, leaf] = hierarchical ? ['1:1', '1:2'] : ['1:', '1:1']
  const whole = newClass(index, { kind: 'htb', parent: '1:', classid: '1:1', htb: { ...htb, ceil: (peak ?? average) * 1000 } })
  return [
    ['htb', newQdisc(index, { kind: 'htb', handle: '1:', htb: { default: hierarchical ? 2 : 1 } })],
    ...(hierarchical ? [['htb', whole] satisfies Named] : []),
    ['htb', newClass(index, { kind: 'htb', parent: parent as string, classid: leaf as string, htb: { ...htb, ...ceil, ...bursting } })],
    ['sfq', newQdisc(index, { kind: 'sfq', parent: leaf as string, handle: '2:', sfq: { perturbMs: 10_000 } })],
    ['fw', newFilter(index, { kind: 'fw', parent: '1:', prio: 1, handle: 1, fw: { classid: ':1' } })],
  ]
}

/** What libvirt tells tc, whose own choice does not suffice for small rates. */
function quantumOf(average: number): number {
  return Math.max(1, Math.trunc(average * 1024 / 8 / 1500))
}

function outboundChanges(index: number, { average, burst }: BandwidthRate): Named[] {
  const bytes = (burst ?? Math.min(average, 0xffffffff >>> 10)) * 1024
  return [
    ['ingress', newQdisc(index, { kind: 'ingress' })],
    ['u32', newFilter(index, { kind: 'u32', parent: 'ffff:', u32: {
      classid: ':1', police: { rate: average * 1000, burst: bytes, mtu: 65_536, exceed: 'drop' },
    } }), ['police']],
  ]
}
